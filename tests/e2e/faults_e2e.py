"""Routers and daemons that die: answers go on, rows come back, and no row is removed or added twice."""

import json
import signal
import sys
import time
import unittest

from lab.network import until
from lab.scene import ROOT, Scene

BUILD = sys.argv.pop(1)


def held_config(scene, **extra):
    """configs/minimal.yaml with async: false."""
    text = (ROOT / "configs/minimal.yaml").read_text().replace("async: true", "async: false")
    for key, value in extra.items():
        text = text.replace("      async: false\n", f"      async: false\n      {key}: {value}\n")
    path = scene.folder / "held.yaml"
    path.write_text(text)
    return path


class Faults(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("faults", BUILD))
        self.scene.start_resolver()

    def answered_without_the_router(self, name):
        """Its answer is not held: a router that is away is not waited for."""
        before = self.scene.total("stats", "hold_router_away")
        late = self.scene.counters()["outcomes"]["late"]
        self.assertTrue(self.scene.short(name, "A"), name)
        self.assertEqual(self.scene.total("stats", "hold_router_away"), before + 1)
        self.assertEqual(self.scene.counters()["outcomes"]["late"], late)

    def test_answers_do_not_wait_for_a_killed_router(self):
        scene = self.scene
        router = scene.start_router()
        scene.start_daemon(held_config(scene))
        self.assertTrue(scene.short("n1.stream.example", "A"))
        scene.wait_rows({("policy_set_v4", "203.0.113.99")})
        router.stop(number=signal.SIGKILL)
        for i in range(4):  # three deadlines are waited for at the most
            scene.short(f"k{i}.stream.example", "A")
        for i in range(5):
            self.answered_without_the_router(f"m{i}.stream.example")

    def test_a_router_that_reboots_gets_its_rows_back(self):
        scene = self.scene
        scene.start_router("--preset", "fast")
        scene.start_daemon(ROOT / "configs/minimal.yaml")
        for name in ("stream.example", "media.example", "a.stream.example"):
            scene.short(name, "A")
        wanted = {("policy_set_v4", a) for a in ("203.0.113.10", "203.0.113.11", "203.0.113.30", "203.0.113.99")}
        scene.wait_rows(wanted)
        scene.router_ctl("reboot", "4")
        self.assertTrue(scene.short("b.stream.example", "A"))
        start = time.monotonic()
        until(lambda: all(address in scene.router_ctl("list") for _, address in wanted), 4 + 5, "the rows are back")
        print(f"rows are back {time.monotonic() - start - 4:.1f} s after the router accepts connections again")

    def test_a_killed_daemon_keeps_and_adopts_its_rows(self):
        scene = self.scene
        scene.start_router()
        daemon = scene.start_daemon(ROOT / "configs/minimal.yaml")
        for name in ("stream.example", "media.example"):
            scene.short(name, "A")
        wanted = {("policy_set_v4", a) for a in ("203.0.113.10", "203.0.113.11", "203.0.113.30")}
        before = scene.wait_rows(wanted)
        daemon.stop(number=signal.SIGKILL)
        scene.start_daemon(ROOT / "configs/minimal.yaml")
        for name in ("stream.example", "media.example"):
            self.assertTrue(scene.short(name, "A"))
        scene.short("late.stream.example", "A")
        after = scene.wait_rows(wanted | {("policy_set_v4", "203.0.113.99")})
        ids = {(r["list"], r["address"]): r[".id"] for r in after}
        for row in before:
            self.assertEqual(ids[(row["list"], row["address"])], row[".id"], "the row was kept, not made anew")
        journal = [json.loads(line) for line in scene.journal.read_text().splitlines()]
        journal = [c for c in journal if c.get("list") != "steerdns-probe"]
        self.assertEqual([c for c in journal if c["op"] == "remove"], [])
        adds = [(c["list"], c["address"]) for c in journal if c["op"] == "add"]
        self.assertEqual(len(adds), len(set(adds)), "no row was added twice")


if __name__ == "__main__":
    unittest.main(verbosity=2)
