"""query_recorder: what is asked over UDP, TCP, DoT and DoH is a JSON line, a row and a dnstap message, read by others' programs;
privacy, a damaged, locked or full place, reload, the methods and steerctl."""

import csv
import datetime
import json
import sqlite3
import sys
import unittest

from lab.certificates import Authority
from lab.network import run, until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
CONFIG = """
control: {{ watch: off }}
plugins:
  - tag: log
    type: query_recorder
    args: {{ path: {folder}/queries.db, json: {folder}/queries.json, dnstap: "unix:{folder}/tap.sock"{more} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - tag: main
    type: sequence
    args:
      - {{ exec: $log }}
      - {{ matches: "qname refused.example", exec: "reject 5" }}
      - {{ matches: "qname dropped.example", exec: drop }}
      - {{ exec: cache }}
      - {{ matches: has_resp, exec: accept }}
      - {{ exec: $up }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: dot, type: tcp_server, args: {{ entry: main, listen: ":853", cert: "{cert.pem}", key: "{cert.key}" }} }}
  - tag: doh
    type: http_server
    args: {{ listen: ":443", cert: "{cert.pem}", key: "{cert.key}", entries: [ {{ path: /dns-query, exec: main }} ] }}
"""
CLIENT = "192.168.88.10"


class Recorder(unittest.TestCase):
    def setUp(self):
        scene = self.scene = self.enterContext(Scene("recorder", BUILD))
        scene.start_resolver()
        self.state = scene.folder / "state"
        self.state.mkdir()
        self.state.chmod(0o777)
        self.config = scene.folder / "steer.yaml"
        self.cert = Authority(scene.folder).issue("dns", "DNS:dns.example", "IP:172.16.1.2")

    def write(self, more=""):
        self.config.write_text(CONFIG.format(folder=self.state, cert=self.cert, more=more))

    def start(self, more=""):
        self.write(more)
        return self.scene.start_daemon(self.config)

    def lines(self):
        path = self.state / "queries.json"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def history(self, *words):
        return self.scene.reported("history", *words)["queries"]

    def recorded(self, count):
        """All rows, once they are `count`: a client may have its answer before the recorder has the query."""
        until(lambda: len(self.history("--limit", "50")) == count, 20, f"{count} queries are recorded")
        return self.history("--limit", "50")

    def capture(self):
        """A receiver of dnstap by others; its file."""
        file = self.state / "tap.frames"
        receiver = self.scene.network.start("appliance", "fstrm_capture", "fstrm_capture", "-t", "protobuf:dnstap.Dnstap",
                                            "-u", str(self.state / "tap.sock"), "-w", str(file))
        until((self.state / "tap.sock").exists, 10, "the receiver listens")
        (self.state / "tap.sock").chmod(0o777)
        return receiver, file

    def sink(self, kind):
        return next(s for s in self.scene.reported("recorder")["recorders"][0]["sinks"] if s["sink"] == kind)

    def test_queries_over_each_transport_reach_each_sink(self):
        receiver, file = self.capture()
        self.start()
        until(lambda: self.sink("dnstap")["well"], 20, "dnstap is connected")
        asked = {"udp": (), "tcp": ("+tcp",), "dot": ("+tls",), "doh": ("+https",)}
        for transport, options in asked.items():
            self.assertEqual(self.scene.short(*options, f"{transport}.stream.example", "A"), ["203.0.113.99"], transport)
        self.scene.short("UDP.stream.example", "A")  # from the cache
        self.scene.kdig("www.stream.example", "AAAA")
        self.scene.kdig("<b>\\027[31m.refused.example", "A")
        self.scene.kdig("refused.example", "A")
        self.scene.kdig("+timeout=1", "dropped.example", "A")
        rows = self.recorded(9)
        until(lambda: len(self.lines()) == 9, 20, "all queries are in the file")
        lines = self.lines()
        for row in rows:
            row.pop("time_us")
        self.assertEqual({line["server"] for line in lines}, {"172.16.1.2"})
        self.assertEqual(sorted(rows, key=lambda r: r["time"]), sorted(lines, key=lambda r: r["time"]))
        for transport in asked:
            one, = (r for r in rows if r["name"] == f"{transport}.stream.example" and r["path"] == "forwarded")
            self.assertEqual([one[k] for k in ("transport", "client", "type", "end", "rcode", "upstream", "entry", "answers")],
                             [transport, CLIENT, "A", "answered", "NOERROR", "udp://1.1.1.1", "main", "203.0.113.99"])
            self.assertGreater(one["duration_us"], 0)
            self.assertGreater(one["response_size"], one["query_size"] - 30)
        cached, = (r for r in rows if r["name"] == "udp.stream.example" and r["path"] in ("cache", "packet_cache"))
        self.assertNotIn("upstream", cached)
        alias, = (r for r in rows if r["type"] == "AAAA")
        self.assertEqual(alias["answers"], "edge.stream.example node.stream.example 2001:db8:113::31")
        html, = (r for r in rows if r["name"].startswith("<"))
        self.assertEqual(html["name"], "<b>\\027[31m.refused.example")
        dropped, = (r for r in rows if r["name"] == "dropped.example")
        self.assertEqual(dropped["end"], "dropped_by_policy")
        self.assertNotIn("rcode", dropped)
        refused, = (r for r in rows if r["name"] == "refused.example")
        self.assertEqual(refused["rcode"], "REFUSED")
        # Others read the database while it is written.
        with sqlite3.connect(f"file:{self.state}/queries.db?mode=ro", uri=True) as db:
            self.assertEqual(db.execute("SELECT transport, end, path, upstream FROM history WHERE name = 'dot.stream.example'").fetchall(),
                             [("dot", "answered", "forwarded", "udp://1.1.1.1")])
        self.scene.daemon.stop()
        receiver.stop()
        frames = run("dnstap", "-y", "-r", str(file)).stdout
        self.assertEqual(frames.count("type: CLIENT_QUERY"), 9)
        self.assertEqual(frames.count("type: CLIENT_RESPONSE"), 8)  # one was dropped
        self.assertEqual(frames.count("socket_protocol: DOT"), 2)
        self.assertEqual(frames.count("socket_protocol: DOH"), 2)
        self.assertIn('version: "SteerDNS', frames)
        self.assertEqual(frames.count(f"query_address: {CLIENT}\n"), 17)
        self.assertRegex(frames, r"node\.stream\.example\.\s+\d+\s+IN\s+AAAA\s+2001:db8:113::31")

    def test_methods_filter_sum_and_page(self):
        self.start()
        for _ in range(3):
            self.scene.kdig("www.other.example", "A")
        self.scene.kdig("a.stream.example", "A")
        self.scene.kdig("b.stream.example", "A")
        self.recorded(5)
        self.assertEqual(len(self.history("--suffix", "stream.example")), 2)
        self.assertEqual(len(self.history("--name", "WWW.other.example.")), 3)
        self.assertEqual(len(self.history("--client", "192.168.88.0/24")), 5)
        self.assertEqual(len(self.history("--client", "192.168.89.0/24")), 0)
        self.assertEqual(len(self.history("--type", "aaaa")), 0)
        self.assertEqual(len(self.history("--limit", "2")), 2)
        self.assertEqual(len(self.history("--contains", "EAM.ex")), 2)
        self.assertEqual(len(self.history("--from", "2001-01-01", "--to", "2001-01-02T12:00")), 0)
        self.assertEqual(len(self.history("--from", "2001-01-01", "--to", "now")), 5)
        self.assertEqual(len(self.history("--daily", "00:00-00:00")), 5)
        clock = datetime.datetime.now() + datetime.timedelta(hours=2)
        self.assertEqual(len(self.history("--daily", f"{clock:%H:%M}-{clock + datetime.timedelta(hours=1):%H:%M}")), 0)
        # Pages of two, there and back.
        first = self.scene.reported("history", "--limit", "2")
        second = self.scene.reported("history", "--limit", "2", "--before", str(first["next_us"]))
        third = self.scene.reported("history", "--limit", "2", "--before", str(second["next_us"]))
        self.assertEqual([len(page["queries"]) for page in (first, second, third)], [2, 2, 1])
        self.assertNotIn("next_us", third)
        self.assertEqual(self.scene.reported("history", "--limit", "2", "--after", str(third["back_us"]))["queries"], second["queries"])
        self.assertIn(f"older ones: --before {first['next_us']}", self.scene.steerctl("history", "--limit", "2"))
        rows = list(csv.DictReader(self.scene.steerctl("history", "--export", "csv").splitlines()))
        self.assertEqual([row["name"] for row in rows], [one["name"] for one in self.history()])
        self.assertEqual([json.loads(line) for line in self.scene.steerctl("history", "--export", "json", "--limit", "2").splitlines()], first["queries"])
        names = self.scene.reported("history", "top")
        self.assertEqual((names["rows"][0]["key"], names["rows"][0]["queries"]), ("www.other.example", 3))
        self.assertEqual(names["queries"], 5)
        paths = {r["key"]: r["queries"] for r in self.scene.reported("history", "top", "--kind", "path")["rows"]}
        self.assertEqual(paths["forwarded"], 3)
        series = self.scene.reported("history", "series", "--seconds", "3600")["buckets"]
        self.assertEqual(sum(b["queries"] for b in series), 5)
        self.assertEqual(sum(b["cached"] for b in series), 2)
        self.assertRegex(self.scene.steerctl("history", "--suffix", "other.example"), r"www\.other\.example +A .*198\.51\.100\.2")
        self.assertRegex(self.scene.steerctl("history", "top"), r"3 +60\.0 % .*www\.other\.example")
        self.assertRegex(self.scene.steerctl("history", "series"), r"5 +40\.0 %")
        self.assertIn("database", self.scene.steerctl("recorder"))
        for words, sentence in ((("--client", "nobody"), "is not an address, a prefix, a MAC address or the name of a client"), (("--client", "1.2.3.4.5"), "is not an address, a prefix, a MAC address"), (("--plugin", "x"), 'no query_recorder "x"'),
                                (("top", "--kind", "color"), "expected name, client")):
            self.assertIn(sentence, self.scene.ask("history", *words).stderr)
        metrics = run(*self.scene.network.argv("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics")).stdout
        self.assertIn('steerdns_recorder_written_total{plugin="log",sink="database"} 5', metrics)
        self.assertIn('steerdns_recorder_well{plugin="log",sink="dnstap"} 0', metrics)

    def test_groups_of_devices_and_upstreams_are_selected(self):
        self.start()
        self.scene.network.run("client", "ip", "address", "add", "192.168.88.11/24", "dev", "eth0")
        for name, source in (("a.stream.example", CLIENT), ("b.stream.example", "192.168.88.11"), ("a.stream.example", CLIENT)):
            self.scene.kdig(name, "A", "-b", source)
        self.recorded(3)
        self.scene.steerctl("clients", "group", "add", "children", CLIENT, "02:00:00:00:00:01")
        self.scene.steerctl("clients", "group", "add", "house", "192.168.88.0/24")
        self.assertEqual([row["client"] for row in self.history("--group", "children")], [CLIENT, CLIENT])
        self.assertEqual(len(self.history("--group", "house")), 3)
        self.assertEqual(len(self.history("--group", "house", "--client", "192.168.88.11")), 1)
        self.assertEqual(len(self.history("--group", "children", "--client", "192.168.88.11")), 0)
        self.assertIn('there is no group "nobody"', self.scene.ask("history", "--group", "nobody").stderr)
        course = self.scene.reported("history", "series", "--upstream", "udp://1.1.1.1")
        self.assertEqual(sum(bucket["queries"] for bucket in course["buckets"]), 2)
        for bucket in course["buckets"]:
            self.assertLessEqual(bucket["p50_us"], bucket["p95_us"])
            self.assertLessEqual(bucket["p95_us"], bucket["p99_us"])
            self.assertGreater(bucket["p50_us"], 0)
        self.assertRegex(self.scene.steerctl("history", "series", "--upstream", "udp://1.1.1.1"), r"from +queries +mean +p50 +p95 +p99\n")
        self.assertIn("no queries in this time", self.scene.steerctl("history", "series", "--upstream", "udp://9.9.9.9"))

    def test_clients_are_hidden_and_a_reload_applies_it(self):
        receiver, file = self.capture()
        daemon = self.start(', mask4: 24')
        until(lambda: self.sink("dnstap")["well"], 20, "dnstap is connected")
        self.scene.kdig("+cookie=0102030405060708", "+subnet=192.168.88.10/32", "one.stream.example", "A")
        self.assertEqual([(r["client"], r["client_port"]) for r in self.recorded(1)], [("192.168.88.0", 0)])
        self.write(f", except_clients: [{CLIENT}]")
        self.scene.steerctl("reload")
        self.scene.kdig("two.stream.example", "A")
        until(lambda: self.scene.reported("recorder")["recorders"][0]["excepted"] == 1, 10, "the query is excepted")
        self.assertEqual(len(self.history()), 1)
        daemon.stop()
        receiver.stop()
        for path in self.state.iterdir():
            if path.is_file():
                self.assertNotIn(CLIENT.encode(), path.read_bytes(), path)
        frames = run("dnstap", "-y", "-r", str(file)).stdout
        self.assertIn("192.168.88.0", frames)
        self.assertNotIn("0102030405060708", frames.lower())

    def test_trouble_is_named_and_dns_goes_on(self):
        (self.state / "queries.db").write_bytes(b"garbage" * 1000)
        (self.state / "queries.db").chmod(0o666)
        daemon = self.start()
        daemon.wait_for("is damaged (file is not a database): it is kept as")
        daemon.wait_for("queries are not sent to the dnstap receiver")
        self.scene.kdig("one.stream.example", "A")
        self.recorded(1)
        lock = sqlite3.connect(self.state / "queries.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        self.assertEqual(self.scene.short("two.stream.example", "A"), ["203.0.113.99"])
        daemon.wait_for("is locked: another program writes to it; end that")
        until(lambda: "is locked" in self.scene.steerctl("recorder"), 20, "it is shown")
        lock.execute("ROLLBACK")
        lock.close()
        self.recorded(2)
        # A receiver that comes later.
        receiver, file = self.capture()
        until(lambda: self.sink("dnstap")["well"], 20, "dnstap is connected")
        self.scene.kdig("three.stream.example", "A")
        until(lambda: self.sink("dnstap")["written"] == 2, 10, "it is sent")
        receiver.stop()

    def test_a_full_disk_costs_rows_and_nothing_else(self):
        small = self.scene.folder / "small"
        small.mkdir()
        run("mount", "-t", "tmpfs", "-o", "size=256k,mode=777", "tmpfs", str(small))
        self.addCleanup(lambda: run("umount", "-l", str(small), check=False))
        self.state = small
        daemon = self.start(", flush_interval_ms: 1")
        (small / "filler").write_bytes(b"")
        self.scene.kdig("one.stream.example", "A")
        self.recorded(1)
        with open(small / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass
        for number in range(400):
            if "is not" in daemon.text() or "are not recorded" in daemon.text():
                break
            self.assertEqual(self.scene.short(f"n{number}.stream.example", "A"), ["203.0.113.99"])
        daemon.wait_for("make room")
        self.assertEqual(self.scene.short("after.stream.example", "A"), ["203.0.113.99"])
        (small / "filler").unlink()
        def again():
            self.scene.kdig("again.stream.example", "A")
            return any(r["name"] == "again.stream.example" for r in self.history("--limit", "5"))
        until(again, 30, "rows are written again")


if __name__ == "__main__":
    unittest.main()
