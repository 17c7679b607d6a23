"""Every command of steerctl against a running daemon: as text, as JSON, with a wrong argument, and without a daemon.

The commands come from steerctl itself (its completion script), so a command without a row in ROWS fails."""

import fcntl
import json
import os
import pty
import re
import socket
import struct
import subprocess
import sys
import termios
import unittest
from dataclasses import dataclass

from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from lab.network import until
from lab.scene import PASSWORD, USER, Scene
from method_calls import CALLS, begun, calls_of

BUILD = sys.argv.pop(1)

# It gives every command something to show.
CONFIG = """
dataplane: {{ ports: [ {{ device: eth0, driver: socket }} ] }}
control: {{ http: {{ listen: "127.0.0.1:9154", folder: {folder}/page }}, leases: {folder}/leases.json, router_lists: {folder}/lists.json, static: {folder}/static.yaml, history: {folder}/versions, rules: {folder}/rules.json, managed: {folder}/managed.yaml, user: games, watch: off, support: true }}
routers:
  edge1: {{ address: 172.16.1.1:8728, username: {user}, password: {password} }}
plugins:
  - {{ tag: ads, type: adlist, args: {{ lists: [ {folder}/ads.txt ], cname: true }} }}
  - {{ tag: blocked, type: dynamic_domain_set, args: {{ path: {folder}/blocked.txt, bootstrap_rules: [ full:blocked.example ] }} }}
  - {{ tag: local, type: static, args: {{ records: [ {{ name: nas.lan, address: 192.168.88.5 }} ] }} }}
  - {{ tag: hosts, type: dhcp_leases, args: {{ router: edge1, domain: lan }} }}
  - {{ tag: log, type: query_recorder, args: {{ path: {folder}/queries.db }} }}
  - {{ tag: kids, type: ros_list, args: {{ router: edge1, list: kids }} }}
  - {{ tag: remembered, type: reverse_lookup }}
  - {{ tag: pool, type: cache, args: {{ size: 1000, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: media, type: secondary, args: {{ zone: media.example, primaries: [ 1.1.1.1 ] }} }}
  - {{ tag: copy, type: zone, args: {{ secondary: media }} }}
  - {{ tag: streams, type: domain_set, args: {{ exps: [ domain:stream.example ] }} }}
  - {{ tag: policy, type: ros_address_list, args: {{ router: edge1, address_list4: policy_set_v4 }} }}
  - {{ tag: main, type: sequence, args: [
      {{ exec: $log }}, {{ exec: $ads }}, {{ matches: qname $blocked, exec: reject 3 }}, {{ exec: $local }}, {{ exec: $copy }}, {{ exec: $hosts }}, {{ exec: $remembered }},
      {{ matches: client_ip $kids, exec: reject 5 }}, {{ matches: qname $streams, exec: $policy }}, {{ exec: $pool }}, {{ exec: $up }} ] }}
"""
NO_DAEMON = r"steerdnsd is not running: no control socket at .*; start it, or set --socket"


@dataclass
class Row:
    """What a command needs and prints. {folder} stands for the scene's folder."""
    text: str                      # a pattern of the text
    words: tuple = ()              # arguments
    keys: tuple = ()               # keys of the JSON answer
    wrong: tuple = ()              # wrong arguments beside those that every command has to refuse, each with a pattern
    needs_daemon: bool = True
    has_json: bool = True
    alone: tuple = ()              # exit code and standard error without a daemon and without a configuration
    own_words: bool = True         # False: a surplus word is an argument
    before: tuple = ()             # a command that makes what this one needs, each time


# In an order that makes sense: what a row changes, a later one takes back.
ROWS = {
    "status": Row(r"^steerdnsd \S+, up .*\n(.*\n)*\nrouters\n", keys=("version", "ports", "workers", "cache", "routers", "upstreams")),
    "counters": Row(r"^verdicts\n(.*\n)*  answered +[1-9]", ("--all",), ("workers", "routers")),
    "reload": Row(r"configuration \d+ is active after \d+ ms\n$", keys=("generation", "errors", "warnings")),
    "lists": Row(r"plugin +rules +invalid lines", keys=("lists", "sets")),
    "lists fetch": Row(r"no list is fetched from a URL\n", keys=("lists",)),
    "cache stats": Row(r"pool +1000 ", keys=("caches",)),
    "cache show": Row(r"^stream\.example A IN, NOERROR, ", ("stream.example",), ("answers",), wrong=(((), "NAME is required"),)),
    "cache print": Row(r"stream\.example A IN", ("--suffix", "example", "--most", "5"), ("answers",), wrong=((("--most", "x"), "--most"),)),
    "cache flush": Row(r"^\d+ answers flushed in \d+ ms\n", ("--name", "nobody.example"), ("flushed",),
                       wrong=(((), "expected exactly one filter"), (("--all", "--name", "a.example"), "expected exactly one filter"))),
    "cache dump": Row(r"^\d+ answers written in \d+ ms\n", ("{folder}/pool.dump",), ("answers",), wrong=(((), "FILE is required"),)),
    "cache restore": Row(r"^\d+ answers restored in \d+ ms", ("{folder}/pool.dump",), ("restored",), wrong=(((), "FILE is required"),)),
    "block": Row(r"^in force:\n(.*\n)+.*ads\.example and below +everyone", ("ads.example",), ("rules", "kept"),
                 wrong=(((), "NAME is required"), (("a.example", "--for", "soon"), "'soon' is not a duration: write a number"), (("a.example", "--for", "0"), "'0' is not a duration"),
                        (("a.example", "--for", "1y"), "'1y' is not a duration"), (("a.example", "--for", "99999999999d"), "is not a duration"))),
    "allow": Row(r"allow +ads\.example +192\.0\.2\.1 +in ", ("ads.example", "--exact", "--client", "192.0.2.1", "--for", "1h"), ("rules", "kept"), wrong=(((), "NAME is required"),)),
    "clients group add": Row(r"^children: 00:1d:aa:00:00:01, 192\.0\.2\.0/24\n", ("children", "00:1d:aa:00:00:01", "192.0.2.9/24"), ("group", "clients", "kept"),
                             wrong=(((), "GROUP is required"), (("children",), "CLIENT is required")), own_words=False),
    "clients group": Row(r"group +device +name +added by\n *children +00:1d:aa:00:00:01 ", keys=("groups", "most", "most_members", "file")),
    "clients group remove": Row(r"^guests: removed\n", ("guests",), ("group", "clients", "kept"), wrong=(((), "GROUP is required"),), own_words=False,
                                before=("clients", "group", "add", "guests", "192.0.2.1")),
    "pause": Row(r"pause +all lists +everyone +in ", (), ("rules", "kept"), wrong=((("--list", "x"), "--tag"),)),
    "blocking": Row(r"number +does +what", keys=("rules", "file", "most")),
    "blocking export": Row(r"^! Rules of SteerDNS\n", keys=("text",)),
    "unblock": Row(r"^removed:\n(.*\n)+.*ads\.example", ("ads.example",), ("rules", "kept"), wrong=((("--number", "x"), "--number"),), before=("block", "ads.example")),
    "adlist": Row(r"adlist +list +names", keys=("adlists",)),
    "adlist pause": Row(r"ads .* \d+ s\n", ("30",), ("adlists",), wrong=(((), "SECONDS is required"), (("soon",), "soon"))),
    "adlist resume": Row(r"adlist +list", keys=("adlists",)),
    "adlist reload": Row(r"no list is fetched", keys=("lists",)),
    "zones": Row(r"secondary +zone +serial +records", keys=("zones",)),
    "zones refresh": Row(r"media +media\.example +1 ", ("media",), ("tag", "serial"), wrong=(((), "TAG is required"),)),
    "zones retransfer": Row(r"media +media\.example +1 ", ("media",), ("tag", "serial"), wrong=(((), "TAG is required"),)),
    "recursion": Row(r"^the configuration has no recursion\n$", keys=("instances", "failures")),
    "recursion flush": Row(r"^done by 0 .*\n\d+ answers flushed", ("nobody.example",), ("instances", "flushed"), wrong=(((), "NAME is required"),)),
    "recursion distrust": Row(r"^done by 0 .*\n", ("nobody.example", "--for", "60"), ("instances", "flushed"), wrong=((("a.example", "--for", "x"), "--for"),)),
    "recursion trust": Row(r"^done by 0 .*\n", ("nobody.example",), ("instances", "flushed"), wrong=(((), "NAME is required"),)),
    "leases": Row(r"router +state +leases", ("--tag", "hosts"), ("leases", "routers")),
    "page": Row(r"^http://127\.0\.0\.1:9154/\n\nThis link signs you in, once, within 10 min.*:\n  http://127\.0\.0\.1:9154/#login/\S{43}\n", keys=("urls", "link", "sessions")),
    "page password": Row(r"^the password is set; other sessions have ended\n$", ("--file", "{folder}/new.password"), ("set",),
                         wrong=((("--file", "/nowhere"), "cannot be read"),)),
    "page sessions": Row(r"^no one is signed in\n$", keys=("on", "sessions")),
    "page logout": Row(r"^sessions that were ended: 0\n$", keys=("ended",), wrong=((("x",), "SESSION"),)),
    "clients": Row(r"name +address +MAC address +source +from\n(.*\n)* *nas\.lan +192\.168\.88\.5", keys=("clients", "total", "given")),
    "clients name": Row(r"^192\.168\.88\.77: Kitchen <b>tablet</b>\n", ("192.168.88.77", "Kitchen <b>tablet</b>"), ("client", "name", "kept"),
                        wrong=(((), "CLIENT is required"),)),
    "clients forget": Row(r"^192\.168\.88\.78: TV\n", ("192.168.88.78",), ("client", "name", "kept"), wrong=(((), "CLIENT is required"),),
                          before=("clients", "name", "192.168.88.78", "TV")),
    "bans": Row(r"nothing is banned; bans need a port with AF_XDP\n", keys=("available", "bans")),
    "bans remove": Row(r"192\.0\.2\.0/24 was not banned\n", words=("192.0.2.0/24",), keys=("prefix", "removed")),
    "limits": Row(r"the configuration has no `limits`\n\nquotas of other settings\n", keys=("rows", "quotas", "offenders")),
    "reverse": Row(r"^stream\.example\n", ("203.0.113.10",), ("names",), wrong=(((), "IP is required"),)),
    "explain": Row(r"ended as answered after \d+ ms\n$", ("stream.example",), ("way", "answer", "rows", "rules"),
                   wrong=(((), "a name is missing"),), own_words=False),
    "trace": Row(r"^$", ("--seconds", "1", "--name", "nobody.example"), ("traces", "next", "lost"), wrong=((("--most", "x"), "--most"),)),
    "why": Row(r"domain:stream\.example", ("stream.example",), ("sets", "rules"), wrong=(((), "NAME is required"),)),
    "hits": Row(r"queries of 192\.168\.88\.0/24 for example in 1 second", ("--suffix", "--seconds", "1", "--top", "3", "--client", "192.168.88.0/24", "--name", "example"), ("queries", "names", "clients", "types", "suffixes"),
                wrong=((("--seconds", "0"), "--seconds"), (("--top", "many"), "--top"))),
    "events": Row(r"time +level +kind +event\n", ("--kind", "router", "--most", "5"), ("events",),
                  wrong=((("--most", "501"), "--most"),)),
    "history": Row(r"time \(.+\) +client +", ("--suffix", "example", "--from", "2026-01-01", "--limit", "5"), ("queries", "complete", "cut"),
                   wrong=((("--limit", "0"), "--limit"), (("--from", "soon"), "--from: expected a time such as"), (("--daily", "8-9"), "--daily"),
                          (("--export", "xml"), "--export"), (("--decision", "block"), "--decision"))),
    "history top": Row(r"queries from .*\n\n +queries +share", ("--kind", "client"), ("rows", "queries"), wrong=((("--limit", "many"), "--limit"),)),
    "history series": Row(r"queries +hits", ("--step", "60"), ("buckets", "bucket_seconds"), wrong=((("--step", "x"), "--step"),)),
    "recorder": Row(r"log +database +", keys=("recorders", "lost")),
    "support": Row(r"^client 192\.168\.88\.10, \d+ queries from (.*\n)+\nsteered\n(.*\n)+.* stream\.example +A +\d+ +policy +203\.0\.113\.10 203\.0\.113\.11\n(.*\n)*.*edge1 +203\.0\.113\.10 +policy +stream\.example +present\n",
                   ("192.168.88.10",), ("client", "asked", "blocked", "rows", "marks"), wrong=(((), "CLIENT is required"),)),
    "rules": Row(r"set +rules +pending changes +file\n +blocked", keys=("sets",), wrong=((("blocked", "add"), "a rule is missing"),
                 (("blocked", "list", "x"), "unexpected rules"), (("blocked", "drop"), "drop")), own_words=False),
    "static print": Row(r"nas\.lan +A +192\.168\.88\.5", keys=("records",), own_words=False),
    "static add": Row(r"^added: .*name=tv\.lan", ("name=tv.lan", "address=192.168.88.6"), ("added",),
                      wrong=(((), "PROPERTY=VALUE is required"),), own_words=False, before=("static remove", "name=tv.lan")),
    "static remove": Row(r"^removed: .*tv\.lan", ("name=tv.lan",), ("removed",), wrong=(((), "WHICH is required"), (("1", "2"), "write one number")),
                         own_words=False, before=("static add", "name=tv.lan", "address=192.168.88.6")),
    "configuration show": Row(r"plugins:", keys=("file", "text", "hash")),
    "configuration check": Row(r"\nit is good\n$", ("{folder}/steer.yaml",), ("good", "problems"), wrong=(((), "FILE is required"), (("/nowhere",), "cannot be read"))),
    "configuration apply": Row(r"\nconfiguration \d+ is active; the old text is version \d+\n$", ("{folder}/steer.yaml",), ("applied", "problems", "kept"),
                               wrong=(((), "FILE is required"),)),
    "configuration replay": Row(r"^\d+ queries, \d+ different ones, from .*\nsame: \d+, different: 0, unknown: \d+\n", ("{folder}/steer.yaml", "--hours", "1"),
                                ("good", "queries", "differences"), wrong=(((), "a text is missing"), (("/nowhere",), "cannot be read"), (("--hours", "x"), "--hours"))),
    "managed set": Row(r"configuration \d+ is active; the old text is version \d+\n$", ("policy.local_names", "{folder}/part.yaml"), ("applied", "problems", "kept"),
                       wrong=(((), "PART is required"), (("policy.local_names", "/nowhere"), "cannot be read"))),
    "managed keep": Row(r"^the value of policy is kept\n$", ("policy",), ("kept",), wrong=(((), "PATH is required"),)),
    "managed show": Row(r"^# Over the configuration.*\n.*\npolicy:\n  local_names: forward\n$", keys=("file", "text", "hash", "parts")),
    "managed check": Row(r"\n-  local_names: forward\n\+  local_names: nxdomain\n(.*\n)*it is good\n$", ("policy.local_names", "{folder}/other.yaml"), ("good", "diff"), wrong=(((), "PART is required"),)),
    "managed undo": Row(r"configuration \d+ is active", keys=("applied",), wrong=((("first",), "first"),)),
    "managed remove": Row(r"configuration \d+ is active", ("policy.local_names",), ("applied",), before=("managed set", "policy.local_names", "{folder}/part.yaml"),
                          wrong=(((), "PART is required"),)),
    "managed history": Row(r"version +kept at +size\n", keys=("versions",)),
    "managed version": Row(r"^", ("1",), ("text",), wrong=(((), "VERSION is required"),)),
    "configuration history": Row(r"version +kept at +size\n +1 ", keys=("versions",)),
    "configuration version": Row(r"plugins:", ("1",), ("text",), wrong=(((), "VERSION is required"), (("first",), "first"))),
    "configuration rollback": Row(r"\nconfiguration \d+ is active", ("1",), ("applied",), wrong=(((), "VERSION is required"),)),
    "routers": Row(r"^edge1 at 172\.16\.1\.1:8728: in_sync\n", keys=("routers",), wrong=((("reboot",), "reboot"),)),
    "routers status": Row(r"^edge1 at .*: in_sync\n", ("edge1",), ("routers",)),
    "routers diff": Row(r"^edge1 at .*: no difference\n", keys=("routers",)),
    "routers reconcile": Row(r"^edge1 at .*: reading its rows again", ("edge1",), ("routers",)),
    "routers shared": Row(r"^edge1 at .*: no shared addresses\n", keys=("routers",)),
    "routers lists": Row(r"ros_list +address list", keys=("lists", "routers")),
    "routers adopt": Row(r"^edge1 at .*: no such row\n", ("--from", "oxi"), ("routers",), wrong=(((), "--from is required"),)),
    "routers forget": Row(r"^edge1 at .*: 0 rows removed\n", ("203.0.113.99",), ("routers",), wrong=(((), "ADDRESS is required"),)),
    "routers pause": Row(r"^edge1 at .*: paused, no writes\n", keys=("routers",)),
    "routers resume": Row(r"^edge1 at .*: writes are active\n", keys=("routers",)),
    "routers trace": Row(r"^#\d+ tag ", ("edge1",), ("routers",), wrong=(((), "NAME is required"),)),
    "routers errors": Row(r"no errors\n|ago: ", ("edge1",), ("routers",), wrong=(((), "NAME is required"),)),
    "routers probe": Row(r"^edge1 at .*: RouterOS .*, probe complete", ("edge1",), ("routers",), wrong=(((), "NAME is required"),)),
    "bypass": Row(r"the bypass is off", keys=("bypass",), wrong=((("maybe",), "maybe"),)),
    "fleet": Row(r"^the configuration has no fleet\n$", keys=("configured",)),
    "fleet upgrade-check": Row(r"^$", keys=("good", "obstacles")),
    "drain": Row(r"not draining\n", ("off",), ("draining",), wrong=((("maybe",), "maybe"),)),
    "announce": Row(r"^BIRD does not run: nothing is announced\n$", ("--withdraw", "--bird", "{folder}/bird.ctl"), ("announced", "text"), needs_daemon=False,
                    wrong=((("--hold", "x"), "--hold"), (("--settle", "61"), "--settle"), (("--protocol", "a\tb"), "--protocol"), (("--bird", "x" * 200), "--bird"))),
    "import routeros": Row(r"plugins:", ("{folder}/dns.rsc",), ("configuration", "notes"), needs_daemon=False, wrong=(((), "FILE or --live ROUTER"),)),
    "import corefile": Row(r"plugins:", ("{folder}/Corefile",), ("configuration", "notes"), needs_daemon=False, wrong=(((), "FILE is required"),)),
    "import dnsmasq": Row(r"plugins:", ("{folder}/dnsmasq.conf",), ("configuration", "notes"), needs_daemon=False, wrong=(((), "FILE is required"),)),
    "import unbound": Row(r"plugins:", ("{folder}/unbound.conf",), ("configuration", "notes"), needs_daemon=False, wrong=(((), "FILE is required"),), own_words=False),
    "import kresd": Row(r"plugins:", ("{folder}/kresd.conf",), ("configuration", "notes"), needs_daemon=False, wrong=(((), "FILE is required"),)),
    "import adguardhome": Row(r"plugins:", ("{folder}/AdGuardHome.yaml",), ("configuration", "notes"), needs_daemon=False, wrong=(((), "FILE is required"),)),
    "import pihole": Row(r"plugins:", ("{folder}/setupVars.conf",), ("configuration", "notes"), needs_daemon=False, wrong=(((), "FILE is required"),)),
    "import technitium": Row(r"plugins:", ("{folder}/BlockedZones.txt",), ("configuration", "notes"), needs_daemon=False, wrong=(((), "FILE is required"),)),
    "import forgedns": Row(r"plugins:", ("{folder}/forgedns.yaml",), ("configuration", "notes"), needs_daemon=False, wrong=(((), "FILE is required"),)),
    "import mosdns": Row(r"plugins:", ("{folder}/mosdns.yaml",), ("configuration", "notes"), needs_daemon=False, wrong=(((), "FILE is required"),)),
    "setup": Row(r".", ("--config", "{folder}/steer.yaml", "--check"), needs_daemon=False, alone=(0, "there is no /etc/steerdns/steerdns.yaml yet")),
    "doctor": Row(r"edge1", ("--config", "{folder}/steer.yaml"), needs_daemon=False, alone=(2, "steerdns.yaml"), own_words=False),
    "capture": Row(r"^\d+ frames captured, 0 lost\n$", ("-w", "{folder}/frames.pcapng", "--seconds", "1"), ("file", "frames", "lost"),
                   wrong=((("--port", "0"), "--port"), (("--count", "x"), "--count"))),
    "replay": Row(r"queries\.pcap: 1 frames from .*, 0 of 1 queries with an answer\n\n1 queries, 1 different ones\nsame: 1, different: 0, unknown: 0\n",
                  ("{folder}/queries.pcap", "--config", "{folder}/steer.yaml"), ("good", "capture", "queries", "differences"),
                  wrong=(((), "FILE is required"), (("{folder}/queries.pcap",), "a text is missing"),
                         (("{folder}/queries.pcap", "--config", "/nowhere"), "cannot be read"))),
    "top": Row(r"^steerdnsd .*\n(.*\n)*\nends\n(.*\n)*\nrouters\n(.*\n) +edge1 +in_sync ", ("--once",), has_json=False),
    "version": Row(r"^steerctl \S+.*\nsteerdnsd \S+\n$", keys=("steerctl", "steerdnsd")),
    "methods": Row(r"^adlist \(read\)\n    Shows ", keys=("methods",)),
    "completion": Row(r"complete -F _steerctl steerctl\n$", ("bash",), needs_daemon=False, has_json=False,
                      wrong=(((), "SHELL is required"), (("fish",), "fish"))),
}
# The files that they read.
INPUTS = {
    "new.password": "correct horse battery\n",
    "part.yaml": "forward\n",
    "other.yaml": "nxdomain\n",
    "ads.txt": "0.0.0.0 ads.example\n",
    "dns.rsc": "/ip dns\nset allow-remote-requests=yes servers=1.1.1.1\n",
    "Corefile": ". {\n    forward . 1.1.1.1\n}\n",
    "dnsmasq.conf": "server=1.1.1.1\n",
    "unbound.conf": "server:\n    interface: 127.0.0.1\n",
    "kresd.conf": "net.listen('127.0.0.1')\n",
    "BlockedZones.txt": "ads.example\n",
    "setupVars.conf": "PIHOLE_DNS_1=192.0.2.1\n",
    "AdGuardHome.yaml": "dns:\n  upstream_dns: [192.0.2.1]\n",
    "forgedns.yaml": "plugins:\n  - tag: up\n    type: forward\n    args:\n      upstreams:\n        - addr: udp://1.1.1.1\n"
                     "  - tag: server\n    type: udp_server\n    args:\n      entry: up\n      listen: :53\n",
    "mosdns.yaml": "plugins:\n  - tag: up\n    type: forward\n    args:\n      upstreams:\n        - addr: udp://1.1.1.1\n"
                   "  - tag: server\n    type: udp_server\n    args:\n      entry: up\n      listen: :53\n",
}


def leaves(steerctl):
    """Every command that can be run, as the completion script has it: `cache flush`, not `cache`."""
    script = subprocess.run([steerctl, "completion", "bash"], text=True, capture_output=True, check=True).stdout
    paths = re.findall(r"^ +(/\S+)\) at=\1 ", script, re.MULTILINE)
    commands = [path[1:].replace("/", " ") for path in paths]
    # A group that runs by itself has a row; one that needs a sub-command has none.
    return [command for command in commands
            if command in ROWS or not any(other.startswith(command + " ") for other in commands)]


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(Scene("commands", BUILD))
        cls.program = str(scene.build / "tools/steerctl/steerctl")
        scene.start_resolver()
        scene.start_router()
        folder = cls.folder = scene.folder / "state"
        folder.mkdir()
        os.chmod(scene.folder, 0o755)
        folder.chmod(0o777)
        for name, text in INPUTS.items():
            (folder / name).write_text(text)
        wrpcap(str(folder / "queries.pcap"), [Ether() / IP(src="192.168.88.10", dst="172.16.1.2") / UDP(sport=40000) /
                                              DNS(rd=1, qd=DNSQR(qname="www.other.example"))])
        config = cls.config = folder / "steer.yaml"
        config.write_text(CONFIG.format(folder=folder, user=USER, password=PASSWORD))
        config.chmod(0o644)
        scene.start_daemon(config)
        until(lambda: scene.reported("routers")["routers"][0]["state"] == "in_sync", 10, "the router is in sync")
        until(lambda: "203.0.113.10" in scene.short("stream.example", "A"), 10, "the daemon answers")
        scene.wait_rows({("policy_set_v4", "203.0.113.10")})

    def run_command(self, command, *words, json_too=False, path=None):
        argv = [self.program, "--socket", str(path or self.scene.socket), *(["--json"] if json_too else []), *command.split(),
                *(word.format(folder=self.folder) for word in words)]
        # Where the appliance is: setup and doctor check the machine and its routers.
        return self.scene.network.run("appliance", *argv, check=False)

    def test_every_command_has_a_row_and_every_row_a_command(self):
        self.assertEqual(set(leaves(self.program)), set(ROWS), "add its row to ROWS, or remove it")

    def answered(self, command, row, **how):
        """What a command prints that did what was asked of it."""
        if row.before:
            self.run_command(*row.before)
        done = self.run_command(command, *row.words, **how)
        # These judge the machine, the router and the fleet, which have their faults here.
        self.assertIn(done.returncode, (0, 1) if command in ("setup", "doctor", "fleet upgrade-check") else (0,), done)
        return done.stdout

    def test_every_command_answers_as_text_and_as_json(self):
        for command, row in ROWS.items():
            with self.subTest(command):
                text = self.answered(command, row)
                self.assertRegex(text, row.text)
                self.assertNotIn("\x1b", text, "a pipe gets no colours")
            if row.has_json:
                with self.subTest(command, form="json"):
                    text = self.answered(command, row, json_too=True)
                    self.assertEqual(text.count("\n"), 1, "one line")
                    self.assertLessEqual(set(row.keys), set(json.loads(text)))

    def test_results_have_the_members_that_methods_describe(self):
        """Each method is called; a result has all members without a question mark, and no others than those named."""
        text = (self.folder / "steer.yaml").read_text()
        with socket.socket(socket.AF_UNIX) as session:
            session.settimeout(60)
            session.connect(str(self.scene.socket))
            lines = session.makefile()

            def ask(method, **params):
                session.sendall(json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": params}).encode() + b"\n")
                while (answer := json.loads(lines.readline())).get("id") != method:
                    pass  # an event
                self.assertIn("result", answer, answer)
                return answer["result"]

            methods = {one["name"]: one["members"].split() for one in ask("methods")["methods"]}
            schemas = {one["name"]: one["result"]["schema"] for one in ask("rpc.discover")["methods"]}
            self.assertEqual(set(CALLS), set(methods), "add its calls to CALLS, or remove them")
            for method in CALLS:
                named = {member.rstrip("?") for member in methods[method]}
                always = {member for member in methods[method] if not member.endswith("?")}
                with self.subTest(method, of="rpc.discover"):
                    self.assertEqual((set(schemas[method]["properties"]), set(schemas[method]["required"])), (named, always))
                for params in calls_of(method, ask, self.folder, text):
                    with self.subTest(method, call=params):
                        result = ask(method, **params)
                        if method == "capture.start":
                            begun["capture"] = result["capture"]
                        self.assertLessEqual(always, set(result))
                        self.assertLessEqual(set(result), named)

    def test_every_command_has_a_help(self):
        for command in leaves(self.program):
            with self.subTest(command):
                done = self.run_command(command, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertRegex(done.stdout, r"^[A-Z].*\n+Usage: steerctl " + command)

    def test_a_wrong_argument_is_refused_with_a_sentence(self):
        for command, row in ROWS.items():
            wrong = [(("--nonsense",), f"there is no option '--nonsense' of '{command.split()[-1]}'"), *row.wrong]
            if row.own_words:
                wrong.append(((*row.words, "surplus-1", "surplus-2"), "surplus"))
            for words, sentence in wrong:
                with self.subTest(command, words=words):
                    done = self.run_command(command, *words)
                    self.assertEqual((done.returncode, done.stdout), (2, ""), done)
                    self.assertRegex(done.stderr, r"^steerctl: .*\n$")
                    self.assertIn(sentence, done.stderr)
                    self.check_error(self.run_command(command, *words, json_too=True), done, "usage")

    def check_error(self, done, as_text, code, rpc_code=None):
        """The same error as text and as JSON, with one exit code; the object is all of standard error."""
        self.assertEqual(done.returncode, as_text.returncode)
        self.assertEqual(done.stderr.count("\n"), 1)
        error = json.loads(done.stderr)
        self.assertEqual(set(error), {"error"})
        message = as_text.stderr.removeprefix("steerctl: ").rstrip("\n")
        wanted = {"code": code, "message": message, "exit_status": as_text.returncode}
        self.assertEqual(error["error"], wanted | ({"rpc_code": rpc_code} if rpc_code else {}))

    def test_a_request_that_the_daemon_rejects_is_an_error_as_json(self):
        for words, code, rpc_code in (
                (("leases", "--tag", "nobody"), "rejected", -32602),
                (("routers", "status", "nobody"), "rejected", -32602),
                (("static", "remove", "99"), "rejected", -32602),
                (("import", "dnsmasq", "/nowhere"), "bad_input", None),
                (("--socket", "/nowhere", "status"), "unreachable", None)):
            with self.subTest(words):
                done = self.run_command(*words, json_too=True)
                self.assertEqual(done.stdout, "")
                self.check_error(done, self.run_command(*words), code, rpc_code)

    def test_a_command_without_json_says_so(self):
        done = self.run_command("top", json_too=True)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("top has no --json", json.loads(done.stderr)["error"]["message"])

    def test_a_configuration_that_is_refused_is_an_answer_and_an_error(self):
        good = self.config.read_text()
        try:
            self.config.write_text(good + "nonsense: 1\n")
            done = self.run_command("reload", json_too=True)
        finally:
            self.config.write_text(good)
        self.assertEqual(done.returncode, 2)
        self.assertIn("nonsense", json.loads(done.stdout)["errors"][0])
        self.assertEqual(json.loads(done.stderr)["error"]["code"], "invalid_configuration")

    def on_terminal(self, *words, columns=200, **environment):
        """What a terminal of that width gets."""
        main, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        bare = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
        child = subprocess.Popen([self.program, "--socket", str(self.scene.socket), *words], stdin=end, stdout=end, stderr=end,
                                 env={**bare, "TERM": "xterm", **environment})
        os.close(end)
        seen = b""
        try:
            while part := os.read(main, 65536):
                seen += part
        except OSError:  # the terminal's other end is closed
            pass
        os.close(main)
        self.assertIn(child.wait(60), (0, 1))
        return seen.decode().replace("\r\n", "\n")

    def test_colours_are_for_terminals_that_have_them(self):
        bold = "\x1b[1mrouters\x1b[0m\n"
        self.assertIn(bold, self.on_terminal("status"))
        self.assertRegex(self.on_terminal("status"), r"\x1b\[32min_sync\x1b\[0m")
        self.assertIn(bold, self.on_terminal("status", "--color", "always", NO_COLOR="1"))
        plain = self.scene.steerctl("static", "print")
        self.assertNotIn("\x1b", plain)
        for words, environment in (((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"}), (("--color", "never"), {})):
            with self.subTest(words, **environment):
                self.assertEqual(self.on_terminal("static", "print", *words, **environment), plain)
        self.assertIn(bold, self.scene.steerctl("status", "--color", "always"))
        self.assertNotIn("\x1b", self.on_terminal("status", "--json"))
        self.assertTrue(self.on_terminal("--socket", "/nowhere", "status").startswith("\x1b[31msteerctl:\x1b[0m steerdnsd is not"))

    def test_tables_fit_the_terminal(self):
        def widest(*words, columns, **environment):
            text = self.on_terminal("status", "--color", "never", *words, columns=columns, **environment)
            return max(len(line) for line in text.split("\nrouters\n")[1].split("\n"))
        whole = widest(columns=300)
        self.assertGreater(whole, 100)
        self.assertLessEqual(widest(columns=80), 80)
        self.assertLessEqual(widest(columns=300, COLUMNS="60"), 60)
        self.assertEqual(widest("--wide", columns=80), whole)
        self.assertIn("unsupported  list\n", self.scene.steerctl("lists"), "a pipe has no width")

    def test_without_a_daemon_the_exit_code_is_the_documented_one(self):
        for command, row in ROWS.items():
            with self.subTest(command):
                words = row.words if row.needs_daemon or not row.alone else ()
                done = self.run_command(command, *words, path=self.folder / "nothing.sock")
                if row.needs_daemon:
                    self.assertEqual(done.returncode, 1, done)
                    self.assertRegex(done.stderr, rf"^steerctl: {NO_DAEMON}\n$")
                    self.assertEqual(done.stdout.count("\n"), 1 if command == "version" else 0)
                    if row.has_json:
                        self.check_error(self.run_command(command, *words, path=self.folder / "nothing.sock", json_too=True), done,
                                         "unreachable")
                else:
                    code, sentence = row.alone or (0, "")
                    self.assertEqual(done.returncode, code, done)
                    self.assertIn(sentence, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
