"""Rows of `limits` under dnsperf: how much passes, what a victim of forged queries still gets, what is shown."""

import re
import sys
import unittest

from lab.network import until
from lab.scene import Scene, query_counts

BUILD = sys.argv.pop(1)

RATE = 50
SECONDS = 6
CONFIG = f"""
limits:
  - {{ what: responses, rate: {RATE}, burst: {RATE}, slip: 2 }}
  - {{ what: queries, name: counted, rate: 1, dry_run: true }}
plugins:
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: cache }}, {{ matches: has_resp, exec: accept }}, {{ exec: $up }} ] }}
"""
ZONE = "@ 3600 SOA a.flood. b.flood. 1 2 3 4 5\n@ 3600 NS a.flood.\nhot 3600 A 45.20.0.1\ncool 3600 A 45.20.0.2\n"


class Limits(unittest.TestCase):
    def test_a_flood_gets_its_rate_and_its_victim_gets_answers(self):
        scene = self.enterContext(Scene("limits", BUILD))
        scene.start_resolver({"flood": ZONE})
        config = scene.folder / "steer.yaml"
        config.write_text(CONFIG)
        daemon = scene.start_daemon(config)
        queries = scene.folder / "queries"
        queries.write_text("hot.flood A\n")
        flood = scene.network.start("client", "flood", "dnsperf", "-s", "172.16.1.2", "-d", str(queries), "-l", str(SECONDS),
                                    "-Q", "1000", "-q", "60000", "-t", "1")
        daemon.wait_for("limit \"responses\": client 192.168.88.0/24 for \"hot.flood\"")
        until(lambda: scene.reported("limits")["offenders"], 5, "the flood is listed")
        # The victim has the address of the flood. Another name is not limited; the same name comes by TCP.
        self.assertIn("45.20.0.2", scene.kdig("cool.flood", "A"))
        self.assertIn("45.20.0.1", scene.kdig("hot.flood", "A", "+tcp"))
        flood.wait_for("Queries lost", 30)
        sent = query_counts(flood.text())["sent"]
        rows = {row["row"]: row for row in scene.reported("limits")["rows"]}
        counts = rows["responses"]["counts"]
        passed = sent - counts["dropped"] - counts["truncated"]
        duration = float(re.search(r"Run time \(s\):\s+([\d.]+)", flood.text())[1])
        due = RATE + RATE * duration
        self.assertGreater(passed, 0.9 * due)
        self.assertLess(passed, 1.1 * due)
        self.assertAlmostEqual(counts["dropped"], counts["truncated"], delta=2)
        self.assertEqual(rows["counted"]["counts"]["truncated"], 0)
        self.assertGreater(rows["counted"]["counts"]["dry_run"], sent // 2)
        self.assertEqual(scene.total("verdicts", "limited_truncated"), counts["truncated"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
