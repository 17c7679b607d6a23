"""A cache over its life: what an operator sees in it, flushes, dumps, and a restart that restores it."""

import os
import pathlib
import re
import sys
import unittest

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)

# Two workers write a shard of the cache each.
CONFIG = """
dataplane: {{ workers: 2 }}
routers:
  edge1: {{ address: 172.16.1.1, username: api-user, password: secret }}
plugins:
  - {{ tag: policy, type: domain_set, args: {{ exps: ["domain:stream.example"] }} }}
  - {{ tag: is_policy, type: qname, args: [$policy] }}
  - {{ tag: main_cache, type: cache, args: {{ size: 32MiB, short_circuit: true, dump_file: {dump} }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: list1, type: ros_address_list, args: {{ router: edge1, address_list4: one, address_list6: one6 }} }}
  - {{ tag: main, type: sequence, args: [
      {{ exec: $main_cache }},
      {{ matches: $is_policy, exec: $list1 }},
      {{ exec: $up }} ] }}
"""
NAMES = ("other.example", "www.other.example", "a.other.example", "stream.example", "long.stream.example")


class Cache(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("cache", BUILD))
        self.scene.start_resolver()
        self.scene.start_router()
        self.state = self.scene.folder / "state"
        self.state.mkdir()
        os.chmod(self.scene.folder, 0o755)
        os.chmod(self.state, 0o777)
        self.dump = self.state / "main.dump"
        self.config = self.scene.folder / "cache.yaml"
        self.config.write_text(CONFIG.format(dump=self.dump))

    def asked(self):
        return self.scene.total("stats", "upstream_queries")

    def missed(self):
        return self.scene.total("stats", "cache_misses")

    def fill(self):
        for name in NAMES:
            self.assertTrue(self.scene.short(name, "A"), name)
        until(lambda: self.stats()["entries"] == len(NAMES), 5, "all answers are in the cache")

    def stats(self):
        (cache,) = self.scene.reported("cache", "stats")["caches"]
        return cache

    def held(self, name):
        return self.scene.reported("cache", "show", name)["answers"]

    def ttl(self, name):
        return int(re.search(rf"^{name}\.\s+(\d+)\s+IN\s+A", self.scene.kdig(name, "A"), re.M).group(1))

    def test_answers_are_shown_and_flushed(self):
        daemon = self.scene.start_daemon(self.config)
        status = self.scene.reported("status")
        simd = status["simd"]
        self.assertEqual(status["cache"]["shards"], 2)
        self.assertIn(f"cache keys are computed by {simd} code\n", daemon.text())
        self.fill()
        (answer,) = self.held("LONG.stream.example.")
        self.assertEqual((answer["type"], answer["cache"], answer["rcode"]), ("A", "main_cache", "NOERROR"))
        self.assertEqual(answer["lists"], ["list1 on edge1"])
        self.assertIn("203.0.113.21", " ".join(answer["records"]))
        text = self.scene.steerctl("cache", "show", "long.stream.example")
        self.assertRegex(text, r"long\.stream\.example A IN, NOERROR, .* left, age .*, in cache main_cache")
        self.assertIn("claims list1 on edge1", text)
        self.assertIn("no matching answer", self.scene.steerctl("cache", "show", "nowhere.example"))

        def flush(*which):
            text = self.scene.steerctl("cache", "flush", *which)
            return int(re.match(r"(\d+) answers flushed in", text).group(1))

        self.assertEqual(flush("--name", "www.other.example"), 1)
        self.assertEqual(self.held("www.other.example"), [])
        before = self.missed()
        self.scene.short("www.other.example", "A")
        self.assertEqual(self.missed(), before + 1, "it is asked anew at once")
        self.scene.short("other.example", "A")
        self.assertEqual(self.missed(), before + 1, "its neighbours stay")
        until(lambda: self.stats()["entries"] == len(NAMES), 5, "it is there again")
        self.assertEqual(flush("--tag", "policy"), 2)
        self.assertEqual(flush("--suffix", "other.example"), 3)
        self.assertEqual(flush("--all"), 0)
        self.fill()
        self.assertEqual(flush("--instance", "main_cache"), len(NAMES))
        self.fill()
        self.assertEqual(flush("--all"), len(NAMES))
        stats = self.stats()
        self.assertEqual((stats["entries"], stats["bytes"]), (0, 0))
        self.assertEqual(stats["flushed"], 6 + 2 * len(NAMES))
        self.assertEqual(self.scene.total("stats", "cache_flushed"), stats["flushed"])
        for words, sentence in ((("--tag", "nobody"), "it asks about: .*policy"), (("--name", "a..b"), "expected a domain name"),
                                (("--instance", "x"), "there are: main_cache")):
            done = self.refused("cache", "flush", *words)
            self.assertRegex(done, sentence)
        # Nothing is dropped that was not named.
        self.fill()
        for words in ((), ("--all", "--name", "a.example"), ("--name", "a.example", "--tag", "policy")):
            done = self.scene.ask("cache", "flush", *words)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn("expected exactly one filter; write --name NAME", done.stderr)
        self.assertEqual(self.stats()["entries"], len(NAMES))
        self.assertEqual(flush("--all"), len(NAMES))
        # Lookups are counted by cache; a busy worker adds plain hits once in some turns.
        self.assertEqual(self.stats()["misses"], self.scene.total("stats", "cache_misses"))
        until(lambda: self.stats()["hits"] == self.scene.total("stats", "cache_hits"), 5, "hits are counted by cache")
        self.assertGreater(self.stats()["hits"], 0)
        # Who did it is in the log.
        self.assertRegex(daemon.text(), r'info control request cache\.flush {"tag":"policy"} of uid 0, gid 0, pid \d+: done\n')
        self.assertRegex(daemon.text(), r'cache\.flush {"instance":"x"} of uid 0, .*: refused: there is no cache')
        self.assertNotIn("control request status", daemon.text())
        metrics = self.scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout
        self.assertIn('steerdns_cache_instance_flushed_total{cache="main_cache"} ', metrics)
        self.assertIn('steerdns_cache_entries{cache="main_cache"} 0', metrics)
        self.assertIn(f'steerdns_cache_instance_misses_total{{cache="main_cache"}} {self.stats()["misses"]}\n', metrics)

    def refused(self, *words):
        done = self.scene.ask(*words)
        self.assertEqual(done.returncode, 1)
        return done.stderr

    def test_print_lists_answers_as_routeros_does(self):
        """Addresses and aliases, or all types; below a name; up to a maximum."""
        self.scene.start_daemon(self.config)
        self.fill()
        self.scene.kdig("other.example", "SOA")
        until(lambda: self.stats()["entries"] == len(NAMES) + 1, 5, "the SOA is in the cache")

        def printed(*words):
            return sorted((a["name"], a["type"]) for a in
                          self.scene.reported("cache", "print", *words)["answers"])
        self.assertEqual(printed(), sorted((name, "A") for name in NAMES))
        self.assertEqual(printed("--all"), sorted([(name, "A") for name in NAMES] + [("other.example", "SOA")]))
        self.assertEqual(printed("--suffix", "stream.example"), [("long.stream.example", "A"), ("stream.example", "A")])
        self.assertEqual(len(printed("--most", "2")), 2)
        self.assertRegex(self.scene.steerctl("cache", "print", "--most", "2"), r"\n\.\.\. more answers exist: [^\n]+--most N\n$")
        self.assertNotIn("and more", self.scene.steerctl("cache", "print", "--most", str(len(NAMES))))
        text = self.scene.steerctl("cache", "print", "--suffix", "www.other.example")
        self.assertRegex(text, r"^www\.other\.example A IN, NOERROR, .* left, age ")

    def test_the_cache_holds_an_answer_for_each_family_of_client_behind_dns64(self):
        """Behind dns64 a client over IPv4 gets another answer, and the cache holds both."""
        self.config.write_text("""
plugins:
  - { tag: main, type: sequence, args: [ { exec: cache 100 short_circuit }, { exec: dns64 }, { exec: forward 1.1.1.1 } ] }
""")
        self.scene.start_daemon(self.config)
        self.assertEqual(self.scene.short("a.other.example", "AAAA"), [])
        self.assertTrue(self.scene.short("a.other.example", "AAAA", server="fd16::2"))
        until(lambda: sorted(a["over_v4"] for a in self.held("a.other.example") if a["type"] == "AAAA") == [False, True], 5,
              "both are in the cache")
        self.assertEqual(len(re.findall(", for IPv4 clients, in cache ", self.scene.steerctl("cache", "show", "a.other.example"))), 1)

    def test_an_answer_larger_than_a_slot_is_served_and_not_cached(self):
        """It is asked for each time; an answer that just fits is cached."""
        resolver = self.scene.network.start("resolver", "sized", "/usr/bin/python3",
                                            str(pathlib.Path(__file__).with_name("sized_upstream.py")), "1.1.1.1@5353")
        resolver.wait_for("ready")
        self.config.write_text(self.config.read_text().replace("udp://1.1.1.1", "udp://1.1.1.1:5353"))
        self.scene.start_daemon(self.config)
        for size, kept in ((65535, False), (65000, True)):
            before, too_big = self.missed(), self.scene.total("stats", "cache_too_big")
            for _ in range(2):
                text = self.scene.kdig(f"{size}.size.example", "TXT", "+tcp", "+noedns")
                self.assertIn("status: NOERROR", text)
                self.assertRegex(text, f"Received {size} B")
                if kept:
                    until(lambda: self.stats()["entries"] == 1, 5, "it is in the cache")
            self.assertEqual(self.missed() - before, 1 if kept else 2)
            self.assertEqual(self.scene.total("stats", "cache_too_big") - too_big, 0 if kept else 2)
        metrics = self.scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout
        self.assertRegex(metrics, r"(?m)^# HELP (steerdns_\w*cache_too_big\w*) answers too large for the cache")
        self.assertRegex(metrics, r"(?m)^steerdns_\w*cache_too_big\w*(\{.*\})? 2$")

    def test_a_restart_restores_the_cache_from_its_dump(self):
        daemon = self.scene.start_daemon(self.config)
        self.fill()
        copy = self.state / "copy.dump"
        self.assertRegex(self.scene.steerctl("cache", "dump", str(copy)), r"5 answers written in \d+ ms")
        self.assertEqual(copy.stat().st_mode & 0o777, 0o600)
        first = self.ttl("other.example")
        daemon.stop()
        self.assertEqual(self.dump.stat().st_mode & 0o777, 0o600)
        self.assertEqual(sorted(p.name for p in self.state.iterdir()), ["copy.dump", "main.dump"])

        # The resolver is stopped, so only the dump can answer. The router lost its rows.
        self.scene.resolver.stop()
        daemon = self.scene.start_daemon(self.config)
        self.assertIn("5 answers restored from", daemon.text())
        self.assertEqual(self.scene.short("other.example", "A"), ["198.51.100.1"])
        self.assertLessEqual(self.ttl("other.example"), first)
        self.assertEqual(self.stats()["restored"], 5)
        self.scene.wait_rows({("one", "203.0.113.21")})
        self.assertEqual(self.asked(), 0)
        daemon.stop()

        # While it serves: what is held as young stays, the rest comes back.
        daemon = self.scene.start_daemon(self.config)
        self.assertRegex(self.scene.steerctl("cache", "flush", "--all"), "5 answers flushed")
        done = self.scene.steerctl("cache", "restore", str(copy))
        self.assertRegex(done, r"5 answers restored in \d+ ms; 0 expired, 0 already in the cache")
        self.assertEqual(self.scene.short("other.example", "A"), ["198.51.100.1"])
        self.assertLessEqual(self.ttl("other.example"), first)
        self.assertEqual(self.asked(), 0)
        self.assertRegex(self.scene.steerctl("cache", "flush", "--name", "other.example"), "1 answers flushed")
        again = self.scene.reported("cache", "restore", str(copy), "--instance", "main_cache")
        self.assertEqual((again["restored"], again["expired"], again["known"]), (1, 0, 4))
        for words, sentence in (((str(self.state / "nothing"),), "cannot be read: No such file"),
                                ((str(self.config),), "is not a dump of steerdnsd: nothing is restored"),
                                ((str(copy), "--instance", "x"), "there are: main_cache")):
            self.assertRegex(self.refused("cache", "restore", *words), sentence)
        self.assertEqual(self.stats()["entries"], 5)
        daemon.stop()

        # A dump of no use: one sentence, and it serves.
        for spoil, sentence in ((lambda b: b[:-7], "is not whole"), (lambda b: b"hello", "is not a dump of steerdnsd"),
                                (lambda b: b[:8] + b"\x09" + b[9:], "has version 9")):
            self.dump.write_bytes(spoil(copy.read_bytes()))
            daemon = self.scene.start_daemon(self.config)
            warnings = [line for line in daemon.text().splitlines() if "dump" in line]
            self.assertEqual(len(warnings), 1, daemon.text())
            self.assertRegex(warnings[0], sentence + ".*starts empty")
            self.assertEqual(self.stats()["entries"], 0)
            daemon.stop()

    def test_a_dump_that_fails_is_a_problem_until_one_succeeds(self):
        folder = self.state / "gone"
        text = CONFIG.format(dump=folder / "main.dump").replace("size: 32MiB,", "size: 32MiB, dump_interval: 1s,")
        self.config.write_text(text)
        self.scene.start_daemon(self.config)

        def change():
            # A dump follows 1,024 changes.
            for first in range(0, 600, 100):
                names = [f"n{n}.other.example" for n in range(first, first + 100)]
                self.scene.network.run("client", "kdig", "@172.16.1.2", *names, check=False)
            self.scene.steerctl("cache", "flush", "--all")

        def problems():
            return [p["text"] for p in self.scene.reported("status")["problems"] if p["subject"] == "cache"]

        change()
        until(problems, 20, "the dump failed")
        self.assertRegex(problems()[0], "the last dump of cache 'main_cache' failed: .*main.dump.*; a restart loses")
        folder.mkdir()
        folder.chmod(0o777)
        until(lambda: not problems(), 20, "the next dump succeeds")


if __name__ == "__main__":
    unittest.main(verbosity=2)
