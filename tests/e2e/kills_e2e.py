"""kill -9 at random moments under load: back within 3 s, with cache, lists and claims. What clients were answered and the
journal of the simulated router decide.

    kills_e2e.py BUILD [KILLS [SEED]]
"""

import datetime
import json
import random
import signal
import socket
import statistics
import struct
import sys
import time
import unittest

from kept_state import NAMES, KeptState
from lab.network import until
from lab.scene import ROOT, Scene, start_load
from lab.truth import Capture

sys.path.insert(0, str(ROOT / "tests/support/truth"))
import answers as answers_of  # noqa: E402
import rows as rows_of  # noqa: E402
import verdict  # noqa: E402

BUILD = sys.argv.pop(1)
KILLS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 8
SEED = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 1
BACK_S = 3  # of the median: a start on a machine that runs other tests takes longer
LOG_NS = 100_000_000  # between the first packet and that line
CLAIM_S = 1  # after the router is read: routine claims of answers that could not wait
POLICIES = (verdict.Policy("stream.example", "policy_set_v4", "policy_set_v6"),)
# What each kept file gives at the first answer, before the router is read.
KEPT_ANSWERS = (("nas.lan", {"192.168.88.7"}, "a record of steerctl static"), ("laptop.lan", {"192.168.88.20"}, "a lease"),
                ("blocked.example", {"NXDOMAIN"}, "a rule of a dynamic set"), ("ad.other.example", {"0.0.0.0", "NXDOMAIN"}, "a fetched list"))


def encode(ident: int, name: str) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)


class Kills(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("kills", BUILD))
        self.place = KeptState(self.scene, asynchronous=False)
        self.place.fill()
        self.chance = random.Random(SEED)
        self.client = self.enterContext(self.scene.network.socket("client", socket.AF_INET, socket.SOCK_DGRAM))
        self.client.connect(("172.16.1.2", 53))
        self.client.settimeout(0.05)
        self.asked = 0

    def wait_for_an_answer(self, seconds: float) -> float:
        """Asks a name that is in no cache every 50 ms; the time of the first answer to one of these questions."""
        end = time.monotonic() + max(seconds, 60)
        first = self.asked + 1  # answers to earlier ones are of the daemon before
        while time.monotonic() < end:
            self.asked += 1
            try:
                self.client.send(encode(self.asked & 0xFFFF, f"fresh{self.asked}.other.example"))
                answer = self.client.recv(4096)
            except OSError:  # nothing yet, or ICMP says that the port is closed
                continue
            (ident,) = struct.unpack_from("!H", answer)
            if (ident - first) % 65_536 <= self.asked - first and answer[3] & 15 == 0:
                return time.monotonic()
        self.fail("no answer: " + self.scene.daemon.text()[-2000:])

    def served_ns(self) -> int:
        """When it could send its first answer: the time of its line in the log."""
        line = next(line for line in self.scene.daemon.text().splitlines() if "serving on" in line)
        return round(datetime.datetime.fromisoformat(line[:29]).timestamp() * 1e9) - LOG_NS

    def check_what_is_kept(self):
        for name, wanted, what in KEPT_ANSWERS:
            text = self.scene.kdig(name, "A")
            got = {word for word in text.split() if word in wanted} | {w for w in wanted if f"status: {w}" in text}
            self.assertTrue(got, f"{what} is lost: {text}")

    def test_killed_at_random_moments_it_is_back_with_all_it_knew(self):
        scene, place = self.scene, self.place
        lines = [f"n{i % NAMES}.stream.example A" if i % 2 else f"x{i}.other.example A" for i in range(40_000)]
        back, lives, restored, early = [], [], [], 0
        dump = place.state / "answers.dump"
        with Capture(scene) as capture:
            place.start()
            until(place.synced, 20, "the router's rows are read")
            load = start_load(scene.network, lines, 400, "-q", "400", "-t", "1")
            first = dump.stat().st_mtime_ns
            until(lambda: dump.stat().st_mtime_ns != first, 60, "the cache is dumped under load")
            for _ in range(KILLS):
                # Any moment; one in four is in the midst of a start.
                if self.chance.random() < 0.25:
                    scene.daemon.stop(number=signal.SIGKILL)
                    place.start_without_waiting()
                    time.sleep(self.chance.uniform(0, 1))  # a random moment
                    early += 1
                else:
                    time.sleep(self.chance.uniform(0, 2.5))  # a random moment
                scene.daemon.stop(number=signal.SIGKILL)
                killed = time.monotonic()
                place.start_without_waiting()
                back.append(self.wait_for_an_answer(BACK_S) - killed)
                scene.daemon.wait_for("serving on")
                self.check_what_is_kept()
                until(place.synced, 20, "the router's rows are read")
                lives.append((self.served_ns(), time.time_ns() + CLAIM_S * rows_of.NS))
                (cache,) = scene.reported("cache", "stats")["caches"]
                restored.append(cache["restored"])
            until(lambda: time.time_ns() > lives[-1][1], 2 * CLAIM_S, "the last excused time ends")
            load.stop(number=signal.SIGINT)
            self.assertEqual(scene.daemon.stop(), 0)
        answers = answers_of.read_answers(str(capture.file))
        entries = rows_of.read_entries(str(scene.journal))
        history = rows_of.replay(entries)
        judge = verdict.Judge(history, POLICIES, away=lives, until_ns=time.time_ns())
        counts, findings = judge.judge(answers)
        print(f"{KILLS} kills, {early} more in the midst of starts: back after {statistics.median(back):.2f} s (median), "
              f"{max(back):.2f} s (most); answers restored: {min(restored)} at least; {verdict.summary(counts)}")
        self.assertEqual(findings, [], "\n".join(finding.text() for finding in findings[:10]))
        self.assertGreater(counts["answers"], KILLS * 10)
        self.assertLess(counts["excused"], counts["answers"] / 10)
        self.assertGreater(min(restored), 0, restored)
        self.assertLess(statistics.median(back), BACK_S, back)
        self.check_journal(entries)

    def check_journal(self, entries):
        """No daemon removed a row of an earlier one, or added a second one beside it; and foreign rows stay."""
        own = [e for e in entries if e.get("list", "").startswith("policy_set")]
        self.assertEqual([e for e in own if e["op"] == "remove"], [])
        there = set()
        for entry in own:
            key = entry["list"], entry["address"]
            if entry["op"] == "add":
                self.assertNotIn(key, there, "a second row")
                there.add(key)
            elif entry["op"] == "expire":
                there.discard(key)
        foreign = [e for e in entries if e.get("list") == "kids"]
        self.assertEqual([e["op"] for e in foreign], ["add"], json.dumps(foreign))


if __name__ == "__main__":
    unittest.main(verbosity=2)
