"""Shares by registrable domain: what a stranger below evil.co.uk does leaves bbc.co.uk its rows and its answers."""

import pathlib
import re
import sys
import unittest

from lab.network import until
from lab.scene import PASSWORD, USER, Scene, query_counts

BUILD = sys.argv.pop(1)
HERE = pathlib.Path(__file__).resolve().parent

ROWS = 800
STEERED = f"""
routers:
  edge1: {{ address: 172.16.1.1:8728, username: {USER}, password: {PASSWORD} }}
plugins:
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: uk, type: domain_set, args: {{ exps: [ co.uk ] }} }}
  - {{ tag: steer, type: ros_address_list, args: {{ router: edge1, address_list4: far, max_rows: {ROWS}, max_per_client: 100% }} }}
  - {{ tag: main, type: sequence, args: [
      {{ exec: $up }},
      {{ matches: qname $uk, exec: $steer }} ] }}
"""
# A flood with many source addresses has no quota of one client; dnsperf has one address.
PLAIN = """
dataplane: { max_parked_per_client: 1048576, max_parked: 4096 }
plugins:
  - { tag: up, type: forward, args: { probe: off, upstreams: [ { addr: udp://1.1.1.1 } ] } }
  - { tag: main, type: sequence, args: [ { exec: $up } ] }
"""
STRANGER = 760
ZONE = ("@ 300 SOA a.co.uk. b.co.uk. 1 2 3 4 5\n@ 300 NS a.co.uk.\nbbc 300 A 45.20.0.1\nwww.bbc 300 A 45.20.0.2\n"
        + "".join(f"w{i}.evil 300 A 45.10.{i // 250}.{i % 250 + 1}\n" for i in range(STRANGER)))


class Shares(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("shares", BUILD))

    def start(self, text):
        config = self.scene.folder / "steer.yaml"
        config.write_text(text)
        return self.scene.start_daemon(config)

    def answer(self, name):
        """(TTL, address)."""
        found = re.search(rf"^{re.escape(name)}\.\s+(\d+)\s+IN\s+A\s+(\S+)$", self.scene.kdig(name, "A"), re.MULTILINE)
        return int(found.group(1)), found.group(2)

    def test_a_stranger_below_a_public_suffix_takes_no_row_of_others(self):
        scene = self.scene
        scene.start_resolver({"co.uk": ZONE})
        scene.start_router()
        daemon = self.start(STEERED)
        queries = scene.folder / "queries"
        queries.write_text("".join(f"w{i}.evil.co.uk A\n" for i in range(STRANGER)))
        scene.network.run("client", "dnsperf", "-s", "172.16.1.2", "-d", str(queries), "-n", "1", "-Q", "500", "-q", "100")
        daemon.wait_for("names below evil.co.uk have their share")
        for name, address in (("bbc.co.uk", "45.20.0.1"), ("www.bbc.co.uk", "45.20.0.2")):
            ttl, reported = self.answer(name)
            self.assertEqual(reported, address)
            self.assertGreater(ttl, 100, "the answer is not cut short")
        rows = scene.wait_rows({("far", "45.20.0.1"), ("far", "45.20.0.2")})
        strangers = [row for row in rows if row["address"].startswith("45.10.")]
        self.assertGreater(len(strangers), ROWS // 8)
        self.assertLessEqual(len(strangers), ROWS // 4)
        # A refused address is answered for a short time: the client asks again when there may be room.
        claimed = {row["address"] for row in strangers}
        refused = next(i for i in range(STRANGER) if f"45.10.{i // 250}.{i % 250 + 1}" not in claimed)
        self.assertLessEqual(self.answer(f"w{refused}.evil.co.uk")[0], 5)

    def load(self, label, names, rate, source):
        scene = self.scene
        queries = scene.folder / f"{label}.queries"
        queries.write_text("".join(f"{name} A\n" for name in names))
        return scene.network.start("client", label, "dnsperf", "-s", "172.16.1.2", "-a", source, "-d", str(queries),
                                   "-Q", str(rate), "-q", "60000", "-t", "5", "-n", "1")

    def test_dead_names_of_a_stranger_leave_others_their_answers(self):
        scene = self.scene
        scene.network.address("client", "eth0", "192.168.88.11/24")
        upstream = scene.network.start("resolver", "upstream", "/usr/bin/python3", str(HERE / "half_dead_upstream.py"),
                                       "1.1.1.1", "evil.co.uk")
        upstream.wait_for("listening")
        self.start(PLAIN)
        self.load("flood", (f"n{i}.w{i % 7}.evil.co.uk" for i in range(60_000)), 4000, "192.168.88.10")
        until(lambda: scene.total("verdicts", "drop_suffix_quota") + scene.total("stats", "upstream_quota") > 0, 20,
              "the stranger has used up its share")
        honest = self.load("honest", (f"n{i}.bbc.co.uk" for i in range(400)), 100, "192.168.88.11")
        honest.wait_for("Queries lost", 30)
        counts = query_counts(honest.text())
        self.assertEqual(counts["sent"], 400)
        self.assertGreaterEqual(counts["completed"], 396, honest.text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
