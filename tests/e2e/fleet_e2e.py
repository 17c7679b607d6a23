"""Appliances that share their claims over a real redis-server: one writer per router, failover, Redis away, bad Redis."""

import sys
import time
import unittest

from lab.fleet import REDIS_PASSWORD, FleetLan
from lab.network import skip_without, until

BUILD = sys.argv.pop(1)
skip_without(("redis-server", "redis-cli"), "--all")
FAILOVER_S = 3


class FleetTest(unittest.TestCase):
    def begin(self, boxes=2, redis=True, **settings):
        lan = self.lan = self.enterContext(FleetLan(BUILD))
        for name, value in settings.items():
            setattr(lan, name, value)
        lan.start_resolver()
        lan.start_router()
        if redis:
            lan.start_redis()
        lan.add_boxes(boxes)
        for box in lan.boxes:
            box.start(wait="")
        for box in lan.boxes:
            box.daemon.wait_for("serving on", 60)
        return lan

    def wait_rows(self, *addresses, router="edge1"):
        until(lambda: set(addresses) <= set(self.lan.rows(router)), 10, f"{router} has {addresses}")


class Pair(FleetTest):
    def test_one_box_writes_the_claims_of_both_and_the_other_takes_over(self):
        lan = self.begin()
        writer, (standby,) = lan.settle()
        self.assertEqual(set(lan.short(writer, "stream.example", "A")), {"203.0.113.10", "203.0.113.11"})
        self.assertEqual(lan.short(standby, "media.example", "A"), ["203.0.113.30"])
        self.wait_rows("203.0.113.10", "203.0.113.11", "203.0.113.30")
        before = lan.rows()
        writer.kill()
        killed = time.monotonic()
        until(lambda: standby.role() == "writer", FAILOVER_S, "the standby writes")
        self.assertEqual(lan.short(standby, "long.stream.example", "A"), ["203.0.113.21"])
        self.wait_rows("203.0.113.21")
        took = time.monotonic() - killed
        print("failover", round(took, 2), "s")
        self.assertLess(took, FAILOVER_S)
        after = lan.rows()
        self.assertLessEqual(set(before), set(after))
        self.assertNotIn("remove", {change["op"] for change in lan.changes()})


if __name__ == "__main__":
    unittest.main(verbosity=2)
