"""configuration.replay: what a change of the policy would have done with recorded or captured queries, compared with what it then
does."""

import json
import socket
import struct
import subprocess
import sys
import unittest

from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt
from scapy.layers.l2 import ARP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw
from scapy.utils import PcapNgWriter, wrpcap

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
TEXT = """control: {{ history: {state}/versions, watch: off }}
plugins:
  - {{ tag: log, type: query_recorder, args: {{ path: {state}/queries.db{more} }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: second, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.3 }} ] }} }}
  - {{ tag: streams, type: domain_set, args: {{ exps: [ domain:stream.example ] }} }}
  - {{ tag: pool, type: cache, args: {{ size: 1000, short_circuit: true }} }}
  - {{ tag: main, type: sequence, args: [
      {{ exec: $log }},
      {{ matches: qname refused.example, exec: reject 5 }},
{rules}      {{ exec: $pool }},
      {{ exec: $up }} ] }}
"""
CLIENT = "192.168.88.10"
# A frame to the discard port: a capture that has it has all frames before it.
LAST_FRAME = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'the last frame', ('172.16.1.2', 9))"


class Replay(unittest.TestCase):
    def setUp(self):
        scene = self.scene = self.enterContext(Scene("replay", BUILD))
        scene.start_resolver()
        self.state = scene.folder / "state"
        self.state.mkdir()
        self.state.chmod(0o777)
        self.file = scene.folder / "steer.yaml"

    def text(self, *rules, more=""):
        lines = "".join(f"      {{ {rule} }},\n" for rule in rules)
        return TEXT.format(state=self.state, rules=lines, more=more)

    def start(self, text):
        self.file.write_text(text)
        self.scene.start_daemon(self.file)

    def call(self, method, **params):
        """The result, or the error's sentence."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.scene.socket))
            connection.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
            answer = json.loads(connection.makefile().readline())
        return answer["result"] if "result" in answer else answer["error"]["message"]

    def replay(self, text, **more):
        return self.call("configuration.replay", text=text, **more)

    def ask_all(self):
        for name in ("www.other.example", "www.other.example", "www.other.example", "www.stream.example", "refused.example"):
            self.scene.kdig(name)
        until(lambda: self.scene.reported("history")["queries"].__len__() == 5, 20, "all queries are recorded")

    def test_a_change_is_listed_with_its_queries_and_what_decides(self):
        self.start(self.text())
        self.ask_all()
        same = self.replay(self.text())
        self.assertEqual((same["good"], same["queries"], same["distinct"]), (True, 5, 3), same)
        self.assertEqual(same["same"], {"queries": 5, "distinct": 3}, same)
        self.assertEqual((same["different"]["queries"], same["unknown"]["queries"], same["differences"]), (0, 0, []))
        self.assertTrue(same["complete"])

        new = self.text("matches: qname other.example, exec: reject 3", "matches: qname $streams, exec: $second").replace(
            "qname refused.example, exec: reject 5", "qname refused.example, exec: drop")
        reported = self.replay(new)
        self.assertEqual([(d["name"], d["type"], d["client"], d["queries"], d["before"]["end"], d["after"]["end"])
                          for d in reported["differences"]],
                         [("www.other.example", "A", CLIENT, 3, "forwarded", "rejected"),
                          ("refused.example", "A", CLIENT, 1, "rejected", "dropped"),
                          ("www.stream.example", "A", CLIENT, 1, "forwarded", "forwarded")], reported)
        other, refused, stream = reported["differences"]
        self.assertEqual(other["before"]["asks"], [{"forward": "up", "upstreams": ["udp://1.1.1.1"]}])
        self.assertEqual(other["after"]["answer"], "NXDOMAIN")
        self.assertNotIn("asks", other["after"])
        line = next(n for n, row in enumerate(new.splitlines(), 1) if "qname other.example" in row)
        self.assertEqual((other["after"]["line"], other["after"]["file"]), (line, str(self.file)))
        self.assertIn("reject 3", other["after"]["rule"])
        self.assertEqual(refused["before"]["answer"], "REFUSED")
        self.assertEqual(stream["after"]["asks"][0]["upstreams"], ["udp://1.1.1.3"])
        self.assertIn("streams", stream["after"]["sets"])
        self.assertEqual(reported["changes"], [{"before": "forwarded", "after": "forwarded", "queries": 1, "distinct": 1},
                                           {"before": "forwarded", "after": "rejected", "queries": 3, "distinct": 1},
                                           {"before": "rejected", "after": "dropped", "queries": 1, "distinct": 1}])
        self.assertEqual((reported["different"], reported["same"]["queries"]), ({"queries": 5, "distinct": 3}, 0))
        short = self.replay(new, limit=1)
        self.assertEqual((len(short["differences"]), short["omitted"]), (1, 2))
        # It is what then happens.
        self.file.write_text(new)
        self.scene.reported("reload")
        self.assertIn("NXDOMAIN", self.scene.kdig("www.other.example"))

    def test_counters_of_the_running_daemon_stay(self):
        self.start(self.text())
        self.ask_all()
        before = self.scene.reported("counters")["workers"]
        reported = self.replay(self.text("matches: qname other.example, exec: reject 3"))
        self.assertEqual(reported["different"]["queries"], 3)
        after = self.scene.reported("counters")["workers"]
        def flat(value, path=""):
            if isinstance(value, dict):
                return {k: v for key, one in value.items() for k, v in flat(one, f"{path}/{key}").items()}
            if isinstance(value, list):
                return {k: v for n, one in enumerate(value) for k, v in flat(one, f"{path}/{n}").items()}
            return {path: value}

        changed = {key for key, value in flat(before).items() if flat(after)[key] != value}
        # Other packets (ARP) arrive, too, and a worker that has nothing to do sleeps and wakes.
        self.assertFalse({key for key in changed if not key.endswith(("/punted", "/sleeps"))}, changed)

    def test_rules_on_answers_use_the_recorded_one_or_are_unknown(self):
        by_address = 'matches: "resp_ip 198.51.100.0/24", exec: reject 3'
        self.start(self.text())
        self.ask_all()
        # Behind the forward: read from the recorded answer.
        new = self.text().replace("      { exec: $up } ]", "      { exec: $up },\n      { " + by_address + " } ]")
        reported = self.replay(new)
        self.assertEqual([(d["name"], d["after"]["end"]) for d in reported["differences"]], [("www.other.example", "rejected")], reported)
        self.assertEqual(reported["unknown"]["queries"], 0)
        # Of another upstream, the answer is not known: that it is asked is sure.
        other = new.replace("{ exec: $up },\n", "{ exec: $second },\n")
        reported = self.replay(other)
        self.assertEqual({(d["name"], d["after"]["end"]) for d in reported["differences"]},
                         {("www.other.example", "unknown"), ("www.stream.example", "unknown")}, reported)
        self.assertIn("reads the upstream's answer, which is not recorded", reported["differences"][0]["after"]["unknown"])
        # Chance decides: nothing is known.
        reported = self.replay(self.text("matches: random 0.5, exec: reject 3"))
        self.assertEqual((reported["unknown"]["queries"], reported["differences"]), (4, []), reported)
        self.assertIn("chance", reported["unknown_facts"][0]["fact"])
        # So does the time of day, whatever it is now.
        reported = self.replay(self.text("matches: 'time 00:00-12:00', exec: reject 3"))
        self.assertEqual((reported["unknown"]["queries"], reported["differences"]), (4, []), reported)
        self.assertIn("the time of day", reported["unknown_facts"][0]["fact"])

    def test_bad_input_gets_a_sentence(self):
        self.start(self.text())
        wrong = self.text().replace("exec: $up", "exec: $nothing")
        reported = self.replay(wrong)
        self.assertFalse(reported["good"])
        self.assertEqual([(one["level"], one["file"]) for one in reported["problems"]], [("error", str(self.file))])
        self.assertIn("give either `text`", self.call("configuration.replay"))
        self.assertIn("give either `text`", self.call("configuration.replay", text="", version=1))
        self.assertIn("there is no version 7", self.call("configuration.replay", version=7))
        self.assertIn('no query_recorder "none"', self.call("configuration.replay", text=self.text(), plugin="none"))
        reported = self.replay(self.text())
        self.assertEqual((reported["good"], reported["queries"], reported["differences"]), (True, 0, []))

    def test_without_a_recorder_the_setting_is_named(self):
        self.start("plugins:\n  - { tag: up, type: forward, args: { upstreams: [ { addr: udp://1.1.1.1 } ] } }\n"
                   "  - { tag: main, type: sequence, args: [ { exec: $up } ] }\n")
        reported = self.replay("plugins: []\n")
        self.assertIn("no queries are recorded: add a plugin with 'type: query_recorder'", reported)


OURS, OTHERS, CLIENT6 = "172.16.1.2", "172.16.1.3", "fd88::10"


def query(name, source=CLIENT, server=OURS, port=40000, number=7, kind="A"):
    ip = IPv6(src=source, dst=server) if ":" in source else IP(src=source, dst=server)
    return ip / UDP(sport=port, dport=53) / DNS(id=number, rd=1, qd=DNSQR(qname=name, qtype=kind))


def answer(asked, *records, rcode=0, **more):
    """The response to query()'s packet; records: (owner, type, data)."""
    old = asked[DNS]
    ip = IPv6(src=asked.dst, dst=asked.src) if asked.version == 6 else IP(src=asked.dst, dst=asked.src)
    section = None
    for owner, kind, data in records:
        record = DNSRR(rrname=owner, type=kind, rdata=data, ttl=300)
        section = record if section is None else section / record
    return ip / UDP(sport=53, dport=asked[UDP].sport) / DNS(
        id=old.id, qr=1, rd=1, ra=1, rcode=rcode, qd=old.qd, an=section, ancount=len(records), **more)


class ReplayOfACapture(unittest.TestCase):
    """`steerctl replay FILE`."""
    start, call = Replay.start, Replay.call

    def setUp(self):
        Replay.setUp(self)
        self.scene.network.address("appliance", "eth0", f"{OTHERS}/24")

    TEXT = """control: {{ watch: off }}
plugins:
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {main}{{ exec: $up }}{behind} ] }}
  - {{ tag: family, type: sequence, args: [ {family}{{ exec: $up }} ] }}
  - {{ tag: all-addresses, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: one-address, type: udp_server, args: {{ entry: family, listen: "172.16.1.3:53" }} }}
"""

    def text(self, main="", family="", behind=""):
        return self.TEXT.format(main=main, family=family, behind=behind)

    def write(self, *packets, name="queries.pcap", link=lambda packet: Ether() / packet):
        path = self.scene.folder / name
        wrpcap(str(path), [link(packet) for packet in packets])
        return path

    def other(self, **parts):
        path = self.scene.folder / "other.yaml"
        path.write_text(self.text(**parts))
        return path

    def replay(self, path, *words, **parts):
        """The answer; a differing configuration is made of `parts`."""
        return self.scene.reported("replay", str(path), "--config", str(self.other(**parts)), *words)

    REJECT = "{ matches: qname other.example, exec: reject 3 }, "

    def differences(self, reported):
        return [(d["name"], d["client"], d["queries"], d["before"]["end"], d["after"]["end"]) for d in reported["differences"]]

    def test_queries_enter_the_executor_of_their_server(self):
        self.start(self.text())
        path = self.write(query("www.other.example"), query("WWW.Other.example", port=40001), query("www.other.example", server=OTHERS),
                          query("nothing.example"))
        reported = self.replay(path, family=self.REJECT)
        self.assertEqual(self.differences(reported), [("www.other.example", CLIENT, 1, "forwarded", "rejected")])
        self.assertEqual((reported["differences"][0]["server"], reported["differences"][0]["entry"]), (OTHERS, "family"))
        self.assertEqual((reported["queries"], reported["distinct"], reported["same"]), (4, 3, {"queries": 3, "distinct": 2}))
        reported = self.replay(path, main=self.REJECT)
        self.assertEqual(self.differences(reported), [("www.other.example", CLIENT, 2, "forwarded", "rejected")])
        self.assertEqual((reported["differences"][0]["server"], reported["differences"][0]["entry"]), (OURS, "main"))
        shown = self.scene.steerctl("replay", str(path), "--config", str(self.other(main=self.REJECT)))
        self.assertRegex(shown, r"queries\.pcap: 4 frames from .* UTC to .* UTC, 0 of 4 queries with an answer\n\n4 queries, 3 different ones\n"
                                r"same: 2, different: 2, unknown: 0\n")
        self.assertIn("rejected NXDOMAIN", shown)
        # The same by an earlier text, and without a difference.
        self.assertEqual(self.replay(path)["differences"], [])
        self.assertIn("there is no version 7", self.scene.ask("replay", str(path), "--version", "7").stderr)

    def test_frames_of_each_kind_are_read(self):
        self.start(self.text())
        v6 = query("six.other.example", source=CLIENT6, server="fd16::2", kind="AAAA")
        v6_options = IPv6(src=CLIENT6, dst="fd16::2") / IPv6ExtHdrDestOpt() / v6[UDP]
        kinds = {
            "ethernet": lambda p: Ether(type=0x86dd if p.version == 6 else 0x800) / p,
            "vlan": lambda p: Ether() / Dot1Q(vlan=7) / p,
            "two tags": lambda p: Ether() / Dot1AD(vlan=3) / Dot1Q(vlan=7) / p,
            "raw": lambda p: p,
            "cooked": lambda p: CookedLinux(proto=0x86dd if p.version == 6 else 0x800) / p,
            "cooked2": lambda p: CookedLinuxV2(proto=0x86dd if p.version == 6 else 0x800) / p,
        }
        for kind, link in kinds.items():
            with self.subTest(kind):
                reported = self.replay(self.write(query("four.other.example"), v6, v6_options, link=link), main=self.REJECT)
                self.assertEqual({(d["name"], d["type"], d["client"], d["queries"]) for d in reported["differences"]},
                                 {("six.other.example", "AAAA", CLIENT6, 2), ("four.other.example", "A", CLIENT, 1)}, reported)

    def test_what_is_left_out_is_counted(self):
        self.start(self.text())
        asked = query("www.other.example")
        upstream = [query("www.other.example", source=OURS, server="1.1.1.1", port=5000 + n) for n in range(3)]
        big = IP(src=CLIENT, dst=OURS) / UDP(sport=40002, dport=53) / Raw(b"x" * 2000)
        tcp = IP(src=CLIENT, dst=OURS) / TCP(sport=40003, dport=53)
        junk = [IP(src=CLIENT, dst=OURS) / UDP(sport=40004, dport=53) / Raw(b"\1\2\3"), IP(src=CLIENT, dst=OURS) / UDP(sport=40004, dport=5353)]
        himself = query("self.other.example", source=OURS, server=OURS)
        path = self.write(asked, *upstream, *fragment(big), tcp, *junk, himself)
        # Two frames that end early.
        cut = bytes(Ether() / query("cut.other.example"))
        with path.open("ab") as file:
            for kept in (30, 44):
                file.write(b"".join(n.to_bytes(4, "little") for n in (1, 0, kept, len(cut))) + cut[:kept])
        reported = self.replay(path, main=self.REJECT)
        self.assertEqual(reported["capture"]["left_out"], {"rare": 0, "rare_distinct": 0, "servers": 3, "tcp": 1, "fragments": 2, "cut": 2,
                                                       "malformed": 1}, reported)
        self.assertEqual((reported["queries"], reported["capture"]["queries"], reported["capture"]["frames"]), (2, 2, 12))
        self.assertEqual({d["name"] for d in reported["differences"]}, {"www.other.example", "self.other.example"})
        shown = self.scene.steerctl("replay", str(path), "--config", str(self.other()))
        self.assertRegex(shown, r"number +left out\n(.*\n)* +3 +queries of addresses that get queries themselves\n")

    def test_rules_on_answers_read_the_captured_one(self):
        self.start(self.text())
        plain = query("www.other.example", number=1)
        alias = query("alias.other.example", number=2)
        text = query("text.other.example", number=3, kind="TXT")
        none = query("none.other.example", number=4)
        lost = query("lost.other.example", number=5)
        short = query("short.other.example", number=6)
        foreign = query("foreign.other.example", number=8)
        packets = [plain, answer(plain, ("www.other.example", "A", "198.51.100.2")), alias, text, none, lost, short, foreign,
                   answer(alias, ("alias.other.example", "CNAME", "node.stream.example"), ("node.stream.example", "A", "203.0.113.31")),
                   answer(text, ("text.other.example", "TXT", "hello")), answer(none, rcode=3), answer(short, tc=1),
                   answer(query("foreign.other.example", number=9), ("foreign.other.example", "A", "198.51.100.2"))]
        path = self.write(*packets)
        reported = self.replay(path, behind=', { matches: "resp_ip 198.51.100.0/24", exec: reject 3 }')
        self.assertEqual(self.differences(reported), [("www.other.example", CLIENT, 1, "forwarded", "rejected")])
        self.assertEqual((reported["unknown"]["queries"], reported["capture"]["answered"]), (3, 5), reported)
        self.assertIn("the upstream's answer, which is not recorded", reported["unknown_facts"][0]["fact"])
        reported = self.replay(path, behind=', { matches: "cname stream.example", exec: reject 3 }')
        self.assertEqual([d[0] for d in self.differences(reported)], ["alias.other.example"])
        reported = self.replay(path, behind=', { matches: "rcode 3", exec: reject 0 }')
        self.assertEqual([d[0] for d in self.differences(reported)], ["none.other.example"])

    def test_it_is_what_then_happens_and_our_own_capture_is_read(self):
        self.start(self.text())
        file = self.scene.folder / "own.pcapng"
        capture = subprocess.Popen([str(self.scene.build / "tools/steerctl/steerctl"), "--socket", str(self.scene.socket), "capture",
                                    "-w", str(file), "--client", CLIENT, "--count", "6", "--seconds", "40"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(capture.kill)
        until(lambda: file.exists() and file.stat().st_size > 0, 20, "the capture begins")
        for _ in range(2):
            self.scene.kdig("www.other.example")
        self.scene.kdig("stream.example")
        self.assertEqual(capture.communicate(timeout=60)[0], "6 frames captured, 0 lost\n")
        behind = ', { matches: "resp_ip 198.51.100.0/24", exec: reject 3 }'
        reported = self.replay(file, behind=behind)
        self.assertEqual(self.differences(reported), [("www.other.example", CLIENT, 2, "forwarded", "rejected")], reported)
        self.assertEqual((reported["queries"], reported["unknown"]["queries"], reported["capture"]["trouble"]), (3, 0, ""))
        self.file.write_text(self.text(behind=behind))
        self.scene.reported("reload")
        self.assertIn("NXDOMAIN", self.scene.kdig("www.other.example"))
        self.assertIn("NOERROR", self.scene.kdig("stream.example"))

    def test_files_of_tcpdump_are_read(self):
        """Both ends of each query are in it: the client's, and ours to the upstream."""
        self.start(self.text())
        cases = {"ethernet": ("-i", "dns0"), "cooked2": ("-i", "any", "-y", "LINUX_SLL2"), "cut": ("-i", "dns0", "-s", "90")}
        for case, words in cases.items():
            with self.subTest(case):
                name, file = f"{case}.other.example", self.scene.folder / f"{case}.pcap"
                dump = self.scene.network.start("router", f"tcpdump-{case}", "tcpdump", "-U", "--immediate-mode", "-Z", "root", *words,
                                                "-w", str(file), "udp port 53 or udp port 9")
                dump.wait_for("listening on")
                self.scene.kdig(name)
                self.scene.network.run("router", "/usr/bin/python3", "-c", LAST_FRAME)
                until(lambda: b"the last frame" in file.read_bytes(), 20, "the packets are written")
                dump.stop()
                reported = self.replay(file, main=self.REJECT)
                self.assertEqual([(d["name"], d["client"], d["after"]["end"]) for d in reported["differences"]], [(name, CLIENT, "rejected")], reported)
                # On "any", the router sees the way in and out.
                sights = 2 if case == "cooked2" else 1
                self.assertEqual(reported["queries"], sights)
                self.assertGreaterEqual(reported["capture"]["left_out"]["servers"], sights)  # a slow upstream is asked again
                # An answer that is cut off is not known.
                reported = self.replay(file, behind=', { matches: "resp_ip 198.51.100.0/24", exec: reject 3 }')
                self.assertEqual(reported["unknown"]["distinct"], 1 if case == "cut" else 0, reported)

    def test_bad_files_get_a_sentence(self):
        self.start(self.text())
        other = str(self.other(main=self.REJECT))
        folder = self.scene.folder

        def fails(path, sentence, code=2):
            done = self.scene.ask("replay", str(path), "--config", other)
            self.assertEqual((done.returncode, done.stdout), (code, ""), done)
            self.assertRegex(done.stderr, r"^steerctl: .*\n$")
            self.assertIn(sentence, done.stderr)
            error = json.loads(self.scene.ask("--json", "replay", str(path), "--config", other).stderr)["error"]
            self.assertEqual((error["code"], error["exit_status"]), ("bad_input", code))

        fails(folder / "nowhere.pcap", "nowhere.pcap cannot be read: No such file or directory")
        fails(folder, "cannot be read: Is a directory")
        (folder / "empty").write_bytes(b"")
        fails(folder / "empty", "empty is empty; expected a capture, pcap or pcapng")
        (folder / "text").write_text("these are words, not frames\n")
        fails(folder / "text", "text is not a capture: unknown file format; expected pcap or pcapng, not compressed")
        fails(self.write(Ether() / ARP(), link=lambda p: p), "queries.pcap has no query over UDP port 53 in 1 frames")
        tcp = self.write(IP(src=CLIENT, dst=OURS) / TCP(sport=40003, dport=53))
        fails(tcp, "in 1 frames, left out: 1 TCP segments of port 53")
        odd = bytearray(tcp.read_bytes())
        odd[20] = 105  # IEEE 802.11
        (folder / "wireless").write_bytes(odd)
        fails(folder / "wireless", "wireless has frames of type IEEE802_11; expected Ethernet, raw IP or Linux cooked frames")

        # What was read before the end counts.
        whole = self.write(query("www.other.example"), query("later.other.example")).read_bytes()
        (folder / "truncated").write_bytes(whole[:-5])
        reported = self.scene.reported("replay", str(folder / "truncated"), "--config", other)
        self.assertEqual([d["name"] for d in reported["differences"]], ["www.other.example"])
        self.assertIn("truncated dump file", reported["capture"]["trouble"])
        self.assertIn("the file was not read to its end: truncated dump file", self.scene.steerctl("replay", str(folder / "truncated"), "-c", other))
        # Of pcapng, too; and frames of several link types are read as far as those of the first one.
        mixed = folder / "mixed.pcapng"
        with PcapNgWriter(str(mixed)) as writer:
            writer.write(Ether() / query("www.other.example"))
        mixed.write_bytes(mixed.read_bytes() + struct.pack("<IIHHII", 1, 20, 101, 0, 262144, 20))  # an interface of raw IP
        reported = self.scene.reported("replay", str(mixed), "--config", other)
        self.assertEqual([d["name"] for d in reported["differences"]], ["www.other.example"], reported)
        self.assertIn("type", reported["capture"]["trouble"])

        path = str(self.write(query("www.other.example")))
        done = self.scene.ask("replay", path)
        self.assertEqual((done.returncode, done.stderr), (2, "steerctl: a text is missing: write --config FILE or --version\n"))
        done = self.scene.ask("replay", "-", "--config", "-")
        self.assertIn("cannot both be standard input", done.stderr)
        (folder / "wrong.yaml").write_text(self.text(main="{ exec: $nothing }, "))
        done = self.scene.ask("replay", path, "--config", str(folder / "wrong.yaml"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no plugin \"nothing\"", done.stdout)
        piped = subprocess.run([str(self.scene.build / "tools/steerctl/steerctl"), "--socket", str(self.scene.socket), "--json", "replay", "-",
                                "--config", other], stdin=open(path, "rb"), capture_output=True, text=True)
        self.assertEqual([d["name"] for d in json.loads(piped.stdout)["differences"]], ["www.other.example"])

    def test_a_request_has_the_most_frequent_queries(self):
        self.start(self.text())
        frames = []
        for n in range(60_000):
            name = b"".join(bytes([len(label)]) + label for label in (b"a-rather-long-label-%06d" % n, b"a-rather-long-label-as-well", b"example"))
            message = b"\0\7\1\0\0\1\0\0\0\0\0\0" + name + b"\0\0\1\0\1"
            udp = (40000).to_bytes(2, "big") + b"\0\x35" + (8 + len(message)).to_bytes(2, "big") + b"\0\0" + message
            ip = b"\x45\0" + (20 + len(udp)).to_bytes(2, "big") + bytes(4) + b"\x40\x11\0\0" + bytes((192, 168, 88, 10, 172, 16, 1, 2)) + udp
            frames += [ip] * (2 if n == 59_999 else 1)
        path = self.scene.folder / "many.pcap"
        with path.open("wb") as file:
            file.write(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000065000000"))
            for frame in frames:
                file.write((1).to_bytes(4, "little") + bytes(4) + len(frame).to_bytes(4, "little") * 2 + frame)
        reported = self.replay(path, "--limit", "1", main="{ matches: qname example, exec: reject 3 }, ")
        omitted = reported["capture"]["left_out"]["rare"]
        self.assertGreater(omitted, 0)
        self.assertEqual((reported["queries"] + omitted, reported["distinct"] + reported["capture"]["left_out"]["rare_distinct"]), (60_001, 60_000))
        self.assertGreater(reported["distinct"], 30_000)
        self.assertEqual((reported["different"]["distinct"], reported["differences"][0]["queries"]), (reported["distinct"], 2))
        self.assertIn("a-rather-long-label-059999", reported["differences"][0]["name"])

    def test_the_daemon_names_a_wrong_line(self):
        self.start(self.text())
        good = "1 192.0.2.1 172.16.1.2 1 1 www.other.example 0 198.51.100.2\n"
        self.assertEqual(self.call("configuration.replay", text=self.text(), records=good)["queries"], 1)
        self.assertIn("line 2 of `records`: expected a client's address, not \"nobody\"",
                      self.call("configuration.replay", text=self.text(), records=good + "1 nobody"))
        self.assertIn("`records` is given instead of", self.call("configuration.replay", text=self.text(), records=good, seconds=5))
        self.assertEqual(self.call("configuration.replay", text=self.text(), records="")["queries"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
