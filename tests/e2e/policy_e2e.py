"""tools/lab/policy: on a Linux router, the first connection after an answer takes the way of its name."""

import pathlib
import subprocess
import sys
import unittest

from lab.network import LabError, run, until
from lab.policy import PolicyLab, judge, names_for, print_table
from lab.scene import ROOT

BUILD = sys.argv.pop(1)


def left_behind(lab):
    """Namespaces and files of a lab that was closed, and processes that name them."""
    words = [lab.network.prefix, str(lab.folder)]
    spaces = [line for line in run("ip", "netns", "list").stdout.splitlines() if line.startswith(lab.network.prefix)]
    processes = [line for line in run("ps", "-eo", "pid,args").stdout.splitlines() if any(word in line for word in words)]
    return spaces + processes + [str(path) for path in [lab.folder] if path.exists()]


class Policy(unittest.TestCase):
    def test_a_thousand_first_connections_take_the_right_way(self):
        names = names_for(1000)
        with PolicyLab(BUILD, names) as lab:
            lab.start()
            lines = judge(names, lab.connect_all())
            print_table(lines)
            self.assertEqual([(line.names, line.count, line.wrong) for line in lines],
                             [("listed, IPv4", 250, 0), ("listed, IPv6", 250, 0), ("others, IPv4", 250, 0), ("others, IPv6", 250, 0),
                              ("all", 1000, 0)])
            until(lambda: sum(one["added"] for one in lab.steerctl("counters")["sets"]) == 500, 60, "500 elements are counted")
            self.assertEqual(lab.daemon.stop(), 0, lab.daemon.text())
        self.assertEqual(left_behind(lab), [])

    def test_connections_go_wrong_while_the_sets_are_not_filled(self):
        names = names_for(12)
        with PolicyLab(BUILD, names, sync_timeout="100ms") as lab:
            lab.start()
            with lab.paused_filler():
                lines = judge(names, lab.connect_all())
            self.assertEqual([line.wrong for line in lines], [3, 3, 0, 0, 6], lines)
        self.assertEqual(left_behind(lab), [])

    def test_a_lab_that_cannot_start_leaves_nothing_behind(self):
        lab = PolicyLab(pathlib.Path(BUILD) / "nowhere", names_for(2))
        with self.assertRaises(LabError), lab:
            lab.start()
        self.assertEqual(left_behind(lab), [])

    def test_the_command_says_what_it_does_not_know(self):
        for words, output in ((["--nmes", "2"], "unrecognized arguments: --nmes"), (["--names", "0"], "--names is 0: expected 1 to 60000")):
            done = subprocess.run(["/usr/bin/python3", "-m", "lab.policy", BUILD, *words], capture_output=True, text=True, cwd=ROOT)
            self.assertEqual(done.returncode, 2)
            self.assertIn(output, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
