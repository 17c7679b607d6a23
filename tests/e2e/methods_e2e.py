"""The documentation has every method of the control socket, and the manual page has its command."""

import json
import re
import socket
import sys
import unittest

from lab.scene import ROOT, Scene

BUILD = sys.argv.pop(1)

CONFIG = """
plugins:
  - { tag: up, type: forward, args: { upstreams: [ { addr: udp://1.1.1.1 } ] } }
  - { tag: main, type: sequence, args: [ { exec: $up } ] }
"""
# Methods that are not asked by a command of their own name.
COMMANDS = {"blocking.list": r"^\.B blocking$", "blocking.set": r"\\fBblock\\fR \\fINAME", "blocking.remove": r"\\fBunblock\\fR", "blocking.pause": r"\\fBpause\\fR \[",
            "blocking.preview": r"\\fB\\-\\-dry\\-run\\fR", "blocking.suspend": r"\\fB\\-\\-legal\\fR", "clients.list": r"(^\.B |\\fB)clients(\\fR|$)", "clients.groups": r"\\fBclients group\\fR", "clients.group_add": r"\\fBclients group add\\fR", "clients.group_remove": r"\\fBclients group remove\\fR",
            "page.link": r"(^\.B |\\fB)page(\\fR|$)",
            "doctor.report": r"\\fBdoctor\.report\\fR", "recorder.status": r"^\.B recorder$", "recorder.history": r"\\fBhistory\\fR \[",
            "recorder.top": r"\\fBhistory top\\fR", "recorder.series": r"\\fBhistory series\\fR", "rules.change": r"\\fBadd\\fR \\fIRULE\\fR", "rules.list": r"\\fBrules\\fR \[\\fITAG\\fR \[\\fBlist\\fR"} | {
    name: rf"\\fB{re.escape(name)}\\fR" for name in ("rpc.discover", "rpc.whoami", "subscribe", "unsubscribe", "capture.start", "capture.read", "capture.stop", "routers.commands")}


def asked(path, method, params):
    """The answer to one request."""
    with socket.socket(socket.AF_UNIX) as session:
        session.connect(str(path))
        session.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
        return json.loads(session.makefile().readline())


class Methods(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = cls.enterClassContext(Scene("methods", BUILD))
        cls.scene.start_resolver()
        config = cls.scene.folder / "steer.yaml"
        config.write_text(CONFIG)
        cls.scene.start_daemon(config)
        cls.methods = cls.scene.reported("methods")["methods"]

    def test_the_page_has_exactly_the_methods_of_the_daemon(self):
        page = self.scene.steerctl("methods", "--markdown")
        self.assertEqual((ROOT / "docs/reference/control-socket.md").read_text(), page,
                         "write it anew: steerctl methods --markdown > docs/reference/control-socket.md")
        for method in self.methods:
            self.assertIn(f"\n## `{method['name']}`\n", page)
            self.assertIn(f"{method['name']} ({method['role']})\n    {method['help']}\n", self.scene.steerctl("methods"))
            self.assertTrue(method["result"], method["name"])

    def test_the_manual_page_has_every_command(self):
        manual = (ROOT / "docs/reference/man/steerctl.8").read_text()
        for method in self.methods:
            words = method["name"].replace(".", " ")
            command = COMMANDS.get(method["name"], r"(^\.B |\\fB)" + words + r"(\\fR|$)")
            with self.subTest(method["name"]):
                self.assertRegex(manual, re.compile(command, re.MULTILINE))

    def test_an_unknown_parameter_is_refused_with_the_known_ones(self):
        """Each method is called with a parameter that it does not have, so none of them runs."""
        for method in self.methods:
            with self.subTest(method["name"]):
                error = asked(self.scene.socket, method["name"], {"nonsense": 1})["error"]
                self.assertEqual(error["code"], -32602)
                self.assertTrue(error["message"].startswith(f'{method["name"]} has no parameter "nonsense"; it '), error)


if __name__ == "__main__":
    unittest.main(verbosity=2)
