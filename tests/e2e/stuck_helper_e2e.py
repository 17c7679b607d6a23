"""A helper thread that waits for a file that does not come: it is reported with its stack, and nothing else notices."""

import os
import pathlib
import sys
import unittest

from lab.network import until
from lab.scene import ROOT, Scene

BUILD = sys.argv.pop(1)
CONFIG = (ROOT / "configs/minimal.yaml").read_text()
PATIENCE_S = 60  # HelperWatch::kPatienceMs


class StuckHelper(unittest.TestCase):
    def test_a_reload_that_hangs_is_reported_and_queries_are_answered(self):
        scene = self.enterContext(Scene("stuck-helper", BUILD))
        scene.start_resolver()
        config = scene.folder / "steer.yaml"
        config.write_text(CONFIG)
        daemon = scene.start_daemon(config)
        config.unlink()
        os.mkfifo(config)
        scene.network.start("appliance", "reload", str(pathlib.Path(BUILD) / "tools/steerctl/steerctl"),
                                     "--socket", str(scene.socket), "reload")
        until(lambda: scene.reported("status")["reload"]["under_way"], 10, "the reload has begun")

        def problems():
            self.assertTrue(scene.short("stream.example", "A"))
            return [one["text"] for one in scene.reported("status")["problems"] if one["subject"] == "health"]

        self.assertEqual(problems(), [])
        until(problems, PATIENCE_S + 30, "it is a problem", pause=1)
        self.assertRegex(problems()[0], r"^helper reload has been stuck for \d+ s; the log has its stack: check the disk or file")
        self.assertEqual(len(problems()), 1, "it stays one")
        events = [one["text"] for one in scene.reported("events", "--kind", "thread")["events"]]
        self.assertEqual(len(events), 1)
        self.assertRegex(events[0], r"^helper reload has been stuck for 6\d s; ")
        stack = [line for line in daemon.text().splitlines() if "warning stack of helper reload: #" in line]
        self.assertGreater(len(stack), 3, daemon.text())
        self.assertTrue(any("steer::" in line for line in stack), stack)
        self.assertTrue(daemon.running())
        # It ends well when the file comes.
        config.write_text(CONFIG)
        until(lambda: problems() == [], 20, "it is no problem any more")
        self.assertEqual(scene.reported("events", "--kind", "thread")["events"][-1]["text"], "helper reload is not stuck any more")


if __name__ == "__main__":
    unittest.main(verbosity=2)
