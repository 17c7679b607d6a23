"""What tests of `type: recursion` share: a daemon with it, on the signed tree of lab/dns_tree.py."""

from __future__ import annotations

import json
import os
import re
import sys
import unittest

from lab.dns_tree import SERVERS, Tree
from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
CONFIG = """
control: {{ recursion: {folder}/engine, stream_threads: 1 }}
plugins:
  - tag: resolve
    type: recursion
    args: {{ instances: {instances}, root_hints: {hints}, trust_anchors: [ "{anchor}" {more} ], total_timeout: 8s {keys} }}
  - {{ tag: answers, type: cache, args: {{ short_circuit: true }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $answers }}, {between} {{ exec: $resolve }} ] }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53" }} }}
"""


class RecursionScene(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("recursion", BUILD))
        os.chmod(self.scene.folder, 0o755)
        self.tree = Tree(self.scene.network, self.scene.folder / "tree")
        self.servers = self.tree.serve()
        for server in SERVERS:
            self.scene.network.route("router", f"{server}/32", "via", "1.1.1.1")
        self.config = self.scene.folder / "recursion.yaml"

    def write(self, instances=1, more="", keys="", between=""):
        self.config.write_text(CONFIG.format(folder=self.scene.folder, instances=instances, hints=self.tree.hints, between=between,
                                             anchor=self.tree.anchor.replace("\t", " "), more=more, keys=keys))

    def start(self, **how):
        self.write(**how)
        daemon = self.scene.start_daemon(self.config)
        until(self.are_up, 20, "the instances are up")
        return daemon

    def are_up(self):
        return bool(self.instances()) and all(one["up"] for one in self.instances())

    def instances(self):
        return self.reported()["instances"]

    def reported(self):
        return json.loads(self.scene.steerctl("--json", "recursion"))

    def problems(self):
        return [one["text"] for one in json.loads(self.scene.steerctl("--json", "status"))["problems"] if one["subject"] == "recursion"]

    def ask(self, name, *words, kind="A", **where):
        """The status, the flags, the codes of extended errors, and the text."""
        text = self.scene.kdig("+dnssec", "+adflag", *words, name, kind, **where)
        found = re.search(r"status: (\w+);", text)
        flags = re.search(r";; Flags: ([a-z ]+);", text)
        return (found and found[1], set(flags[1].split()) if flags else set(), [int(code) for code in re.findall(r"EDE: (\d+)", text)], text)
