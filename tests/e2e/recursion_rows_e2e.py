"""`type: recursion` and what its engine meets over time: the root's key changes (RFC 5011), the clock is wrong, a zone makes work.
And tools/lab/recursion as it is used.

    recursion_rows_e2e.py BUILD CLOCK     CLOCK: the module that moves the wall clock (wall_clock.cpp)
"""

import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import time
import unittest

from lab.dns_tree import SHORT, SIGNED, ZONES
from lab.network import run, skip_without, until
from lab.recursion import PROGRAMS, WITH_MOUNT, RecursionScene
from lab.scene import ROOT

BUILD, CLOCK = sys.argv.pop(1), sys.argv.pop(1)
DAY_S = 86_400
# Instead of 30 days.
QUICK_ROLL = ', extra: [ "permit-small-holddown: yes", "add-holddown: 3", "del-holddown: 3" ]'


class Command(unittest.TestCase):
    def test_steerdns_its_engine_and_delv_agree_about_each_zone(self):
        done = subprocess.run([sys.executable, "-m", "lab.recursion", BUILD], text=True, capture_output=True, timeout=300,
                              env={**os.environ, "PYTHONPATH": str(ROOT / "tools")})
        print(done.stdout, flush=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rows = done.stdout.splitlines()[1:]
        self.assertEqual([row.split()[0] for row in rows], [zone.name for zone in ZONES])
        self.assertTrue(all(row.endswith(" yes") for row in rows))

    def test_its_help_is_shown_and_an_unknown_zone_refused(self):
        done = subprocess.run([str(ROOT / "tools/lab/recursion"), "--help"], text=True, capture_output=True)
        self.assertTrue(done.stdout.startswith("A signed tree"), done.stdout)
        self.assertTrue(done.stdout.endswith("Needs root (or sudo).\n"), done.stdout)
        done = subprocess.run([sys.executable, "-m", "lab.recursion", BUILD, "nosuch.example"], text=True, capture_output=True,
                              env={**os.environ, "PYTHONPATH": str(ROOT / "tools")})
        self.assertEqual(done.returncode, 2)
        self.assertIn("no such zone: nosuch.example", done.stderr)


class Lab(unittest.TestCase):
    sign = SIGNED

    def setUp(self):
        self.scene = self.enterContext(RecursionScene("recursion", BUILD, self.sign))
        self.tree = self.scene.tree

    def flush(self, name):
        self.scene.steerctl("recursion", "flush", "--below", name)


class KeyRoll(Lab):
    """The root's key, by RFC 5011. The engine keeps what it learned in root.key of its folder."""

    def setUp(self):
        super().setUp()
        self.anchor_file = self.scene.engine_folder / "root.key"
        self.make_anchor()
        self.new_root()

    def make_anchor(self):
        """As of an earlier start: of a new folder, the file has the key that the package dns-root-data has."""
        self.anchor_file.parent.mkdir(parents=True)
        tag = int(self.tree.key_file("").stem.split("+")[2])
        self.anchor_file.write_text(f"{self.tree.anchor} ; keytag {tag}\n")

    def start(self):
        return self.scene.start_recursion(anchors="root", keys=QUICK_ROLL)

    def states(self):
        """By key tag: VALID, ADDPEND, REVOKED…"""
        return {int(tag): state for tag, state in re.findall(r"id = (\d+) .*?;;state=\d+ \[ *(\w+) *\]", self.anchor_file.read_text())}

    def new_root(self):
        # The engine looks at the key after half of its TTL.
        self.tree.sign("", self.tree.root, (*SIGNED, "-T", "2"))
        self.tree.serve_again()

    def secure(self, name="www.good.example"):
        self.flush(name.rpartition(".")[2])
        return str(self.scene.answer(name)) == "NOERROR AD"

    def test_a_roll_is_followed_and_survives_restarts(self):
        daemon = self.start()
        self.assertTrue(self.secure())
        old = self.tree.key_file("")
        old_tag = int(old.stem.split("+")[2])
        new_tag = int(self.tree.new_key("", "-f", "KSK").stem.split("+")[2])
        self.new_root()
        until(lambda: self.states().get(new_tag) == "ADDPEND", 30, "the new key is seen")
        until(lambda: self.states() == {old_tag: "VALID", new_tag: "VALID"}, 60, "the new key is trusted")
        self.assertEqual(daemon.stop(), 0)

        daemon = self.start()
        self.assertEqual(self.states(), {old_tag: "VALID", new_tag: "VALID"})
        revoked = pathlib.Path(run("dnssec-revoke", "-r", "-K", str(self.tree.keys("")), str(old.with_suffix(""))).stdout.strip())
        self.new_root()
        until(lambda: "VALID" not in [state for tag, state in self.states().items() if tag != new_tag], 60, "the old key is not trusted any more")
        self.assertTrue(self.secure())
        for file in self.tree.keys("").glob(f"{revoked.name}.*"):
            file.unlink()
        self.new_root()
        self.assertEqual(daemon.stop(), 0)

        daemon = self.start()
        self.assertTrue(self.secure())
        self.assertEqual(daemon.stop(), 0)
        # A machine that was off all the while: its key is not in use any more.
        shutil.rmtree(self.scene.engine_folder)
        self.make_anchor()
        self.start()
        self.assertEqual(self.scene.answer("www.good.example").status, "SERVFAIL")


class Work(Lab):
    def cost_of(self, names, status):
        """CPU time of the engine, and the longest time of an answer, for these names."""
        begin_s, longest_s = self.scene.cpu_s(), 0.0
        for name in names:
            asked = time.monotonic()
            self.assertEqual(self.scene.answer(name).status, status, name)
            longest_s = max(longest_s, time.monotonic() - asked)
        return self.scene.cpu_s() - begin_s, longest_s

    def test_colliding_keys_cost_little(self):
        self.scene.start_recursion()
        with self.scene.load_of_cached("www.good.example", "www.good.lab"):
            cpu_s, longest_s = self.cost_of([f"n{i}.any.keytrap.example" for i in range(10)], "SERVFAIL")
        print(f"10 names of a zone with colliding keys: {cpu_s:.2f} s of CPU, the longest answer after {longest_s:.2f} s", flush=True)
        # Without a limit, 40,000 signatures are verified for each name.
        self.assertLess(cpu_s, 10)
        self.assertIn("too many RRSIG validations", str(self.scene.reported("recursion")["failures"]))
        self.assertEqual(self.scene.instances()[0]["restarts"], 0)

    def test_many_rounds_of_hashes_are_not_made(self):
        self.scene.start_recursion()
        with self.scene.load_of_cached("www.good.example", "www.good.lab"):
            cpu_s, longest_s = self.cost_of([f"no{i}.many.example" for i in range(50)], "NXDOMAIN")
        print(f"50 missing names of a zone with 2,500 rounds: {cpu_s:.2f} s of CPU, the longest answer after {longest_s:.2f} s", flush=True)
        self.assertLess(cpu_s, 2)
        answer = self.scene.answer("no.many.example")
        self.assertIn("NSEC3\t1 0 2500 ", answer.text)
        self.assertFalse(answer.is_authenticated)


class ClockLab(Lab):
    def start(self):
        """Engines inherit no variables: the module is preloaded by a file of /etc, in the daemon's mount namespace. It lies beside the root
        hints, where engines may read."""
        folder = self.tree.hints.parent
        self.offset = folder / "wall_clock.offset"
        self.offset.write_bytes(struct.pack("=q", 0))
        library = pathlib.Path(shutil.copy(CLOCK, folder))
        etc = pathlib.Path(shutil.copytree("/etc", self.scene.folder / "etc", symlinks=True, ignore_dangling_symlinks=True))
        (etc / "ld.so.preload").write_text(f"{library}\n")
        self.scene.start_recursion(*WITH_MOUNT, "--bind", str(etc), "/etc", "--")

    def set_clock(self, offset_s):
        with self.offset.open("r+b") as file:
            file.write(struct.pack("=q", offset_s))


class Clock(ClockLab):
    def test_a_day_off_fails_short_signatures_by_name_and_spares_cached_answers(self):
        self.start()
        pid = self.scene.instances()[0]["pid"]
        with self.scene.load_of_cached("www.good.example", "www.good.lab"):
            self.assertEqual(str(self.scene.answer("www.short.example")), "NOERROR AD")
            for offset_s, code in ((DAY_S, 7), (-DAY_S, 8)):
                with self.subTest(offset_s=offset_s):
                    self.set_clock(offset_s)
                    self.flush("short.example")
                    self.assertEqual(str(self.scene.answer("www.short.example")), f"SERVFAIL EDE {code}")
            self.set_clock(0)
            self.flush("short.example")
            self.assertEqual(str(self.scene.answer("www.short.example")), "NOERROR AD")
        row = self.scene.instances()[0]
        self.assertEqual((row["pid"], row["restarts"]), (pid, 0))
        failures = " ".join(one["text"] for one in self.scene.reported("recursion")["failures"])
        self.assertIn("signature expired", failures)
        self.assertIn("signature before inception date", failures)


class ClockOfAll(ClockLab):
    """All signatures are for half a day, so those of the root are, too."""
    sign = SHORT

    def test_a_clock_that_fails_the_root_is_a_problem(self):
        self.start()
        with self.scene.load_of_cached("www.good.lab"):
            self.assertEqual(str(self.scene.answer("www.good.example")), "NOERROR AD")
            for offset_s in (DAY_S, -DAY_S):
                with self.subTest(offset_s=offset_s):
                    self.set_clock(offset_s)
                    self.flush("example")
                    self.assertEqual(self.scene.answer("www.good.example").status, "SERVFAIL")
                    until(lambda: "clock" in str(self.scene.reported("status")["problems"]), 20, "the clock is a problem")


if __name__ == "__main__":
    skip_without(PROGRAMS, "--all")
    unittest.main(verbosity=2)
