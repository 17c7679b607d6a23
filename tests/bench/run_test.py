"""What tools/bench decides before and after it measures: the programs to build, the rate of `peers`, the rounds of `latency`."""

import contextlib
import io
import pathlib
import subprocess
import sys
import unittest

from bench import latency, peers, run
from bench.machine import NotMeasurable
from lab.network import LabError

BUILD = pathlib.Path(sys.argv.pop(1))


class Targets(unittest.TestCase):
    def test_each_bench_names_its_programs_and_the_build_has_them(self):
        self.assertEqual(run.TARGETS.keys(), run.BENCHES.keys())
        known = subprocess.run(["ninja", "-C", str(BUILD), "-t", "targets", "all"], text=True, capture_output=True, check=True).stdout
        in_build = {line.split(":")[0] for line in known.splitlines()}
        self.assertLessEqual({target for targets in run.TARGETS.values() for target in targets}, in_build)


class Rate(unittest.TestCase):
    def highest(self, limits):
        with contextlib.redirect_stdout(io.StringIO()) as self.said:
            return peers.highest_rate(limits, lambda name, rate: rate <= limits[name])

    def test_the_first_rate_is_kept_if_all_serve_it(self):
        self.assertEqual(self.highest({"ours": 1e6, "knot": 1e6}), 100_000)

    def test_the_slowest_peer_decides_the_rate(self):
        self.assertEqual(self.highest({"ours": 1e6, "unbound": 85_000, "knot": 50_000}), 40_000)
        self.assertIn("knot cannot serve 60000 queries a second here", self.said.getvalue())

    def test_a_server_that_serves_no_rate_is_named(self):
        with self.assertRaisesRegex(LabError, "knot does not even serve 15000"):
            self.highest({"ours": 1e6, "knot": 10})


class Rounds(unittest.TestCase):
    def test_too_few_quiet_rounds_are_not_measurable(self):
        with self.assertRaisesRegex(NotMeasurable, "in 3 of 5 rounds"):
            latency.counted([{}, {}], 5)
        self.assertEqual(latency.counted([{}, {}, {}], 5), [{}, {}, {}])
        self.assertEqual(latency.counted([{}], 1), [{}])


if __name__ == "__main__":
    unittest.main(verbosity=2)
