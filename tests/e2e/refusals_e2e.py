"""Upstreams that refuse queries, limit their connections, or end them, with real servers: unbound and dnsdist."""

import re
import sys
import time
import unittest

from lab.network import until
from lab.scene import ROOT, Scene
from upstream_peers import DNSDIST, KRESD, NAME, UNBOUND, Peers

BUILD = sys.argv.pop(1)
CLOSING = KRESD
CACHED = "  - { tag: kept, type: cache, args: { failure_ttl: 5m, short_circuit: true } }\n"


class Refusals(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("refusals", BUILD))
        self.peers = Peers(self.scene)
        self.good = self.peers.certificate("good")

    def entry(self, scheme, address, **keys):
        words = {"addr": f'"{scheme}://{NAME}"', "dial_addr": address, **keys}
        if scheme.startswith(("tls", "https")):
            words["ca"] = self.peers.ca
        return "{ " + ", ".join(f"{key}: {value}" for key, value in words.items()) + " }"

    def ask_at_once(self, names):
        """The numbers of answers, by rcode."""
        queries = self.scene.folder / "queries.txt"
        queries.write_text("".join(f"{name} A\n" for name in names))
        out = self.scene.network.run("client", "dnsperf", "-s", "172.16.1.2", "-d", str(queries), "-n", "1", "-q",
                                     str(len(names)), "-T", "1", "-c", "1", "-t", "10").stdout
        return {rcode: int(count) for rcode, count in re.findall(r"(NOERROR|SERVFAIL|NXDOMAIN|REFUSED) (\d+)", out)}

    def check_hundred(self, entry):
        daemon = self.peers.daemon(entry)
        self.assertEqual(self.ask_at_once([self.peers.fresh() for _ in range(100)]), {"NOERROR": 100})
        self.assertEqual(self.scene.stream_total("upstream_errors"), 0)
        self.assertEqual(daemon.stop(), 0)
        self.assertNotRegex(daemon.text(), r" (warning|error) ")

    def test_an_upstream_that_closes_after_every_third_query_answers_100_at_once(self):
        self.peers.unbound(self.good)
        self.peers.dnsdist(self.good, "setMaxTCPQueriesPerConnection(3)")
        for scheme in ("tcp", "tcp+pipeline", "tls", "tls+pipeline"):
            with self.subTest(scheme=scheme):
                self.check_hundred(self.entry(scheme, DNSDIST))

    def test_an_upstream_that_answers_one_query_a_connection_answers_100_at_once(self):
        self.peers.unbound(self.good)
        self.peers.dnsdist(self.good, "setMaxTCPQueriesPerConnection(1)")
        for scheme in ("tcp", "tcp+pipeline", "tls"):
            with self.subTest(scheme=scheme):
                self.check_hundred(self.entry(scheme, DNSDIST))

    def test_an_upstream_with_two_streams_answers_100_at_once(self):
        self.peers.unbound(self.good, options="http-max-streams: 2")
        self.check_hundred(self.entry("https", UNBOUND))

    # ---- an upstream that ends connections without an answer

    def closing(self, label):
        process = self.scene.network.start("resolver", f"closing-{label}", sys.executable,
                                           str(ROOT / "tests/e2e/closing_upstream.py"), CLOSING, label)
        process.wait_for("listens")
        return process

    def test_a_name_that_ends_connections_takes_no_other_along(self):
        self.closing("kill")
        for scheme in ("tcp", "tcp+pipeline"):
            with self.subTest(scheme=scheme):
                daemon = self.peers.daemon(self.entry(scheme, CLOSING))
                names = [self.peers.fresh() for _ in range(60)]
                self.assertEqual(self.ask_at_once([*names[:30], "kill.wild.example", *names[30:]]),
                                 {"NOERROR": 60, "SERVFAIL": 1})
                self.assertEqual(daemon.stop(), 0)

    def test_an_upstream_that_closes_on_each_query_costs_few_connections(self):
        upstream = self.closing("")
        for scheme in ("tcp", "tcp+pipeline"):
            with self.subTest(scheme=scheme):
                daemon = self.peers.daemon(self.entry(scheme, CLOSING))
                before, begun = upstream.text().count("connection"), time.monotonic()
                self.assertEqual(self.ask_at_once([self.peers.fresh() for _ in range(40)]), {"SERVFAIL": 40})
                connections = upstream.text().count("connection") - before
                self.assertLessEqual(connections, 2 * 40)
                self.assertLessEqual(connections, 10 * (time.monotonic() - begun + 1))
                self.assertEqual(daemon.stop(), 0)

    def test_its_failure_is_cached_for_a_second(self):
        upstream = self.closing("")
        self.peers.daemon(self.entry("tcp", CLOSING), CACHED, before="$kept")
        asked = lambda: upstream.text().count("connection")
        self.assertIn("SERVFAIL", self.scene.kdig("+timeout=10", "n.wild.example", "A"))
        first, begun = asked(), time.monotonic()
        self.assertGreater(first, 0)
        self.assertIn("SERVFAIL", self.scene.kdig("+timeout=10", "n.wild.example", "A"))
        if time.monotonic() - begun < 0.9:  # else the machine is too slow to tell
            self.assertEqual(asked(), first)
        def is_asked():
            self.scene.kdig("+timeout=10", "n.wild.example", "A")
            return asked() > first
        until(is_asked, 10, "it is asked again, long before `failure_ttl`")

    def test_the_failure_of_an_unreachable_upstream_is_cached_as_configured(self):
        self.peers.daemon(self.entry("tcp", CLOSING), CACHED, before="$kept")  # nothing listens there
        self.assertIn("SERVFAIL", self.scene.kdig("+timeout=10", "n.wild.example", "A"))
        failed = self.scene.stream_total("upstream_connects_failed")
        begun = time.monotonic()
        while time.monotonic() - begun < 2.5:
            self.assertIn("SERVFAIL", self.scene.kdig("+timeout=10", "n.wild.example", "A"))
        self.assertEqual(self.scene.stream_total("upstream_connects_failed"), failed)


if __name__ == "__main__":
    unittest.main(verbosity=2)
