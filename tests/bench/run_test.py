"""What tools/bench decides before and after it measures: the programs to build, the rate of `peers`, the rounds of `latency`,
and what `compare` makes of two builds."""

import contextlib
import io
import pathlib
import subprocess
import sys
import unittest
from unittest import mock

from bench import compare, floors, latency, peers, reload, run
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
        with contextlib.redirect_stdout(io.StringIO()) as self.printed:
            return peers.highest_rate(limits, lambda name, rate: rate <= limits[name])

    def test_the_first_rate_is_kept_if_all_serve_it(self):
        self.assertEqual(self.highest({"ours": 1e6, "knot": 1e6}), 100_000)

    def test_the_slowest_peer_decides_the_rate(self):
        self.assertEqual(self.highest({"ours": 1e6, "unbound": 85_000, "knot": 50_000}), 40_000)
        self.assertIn("knot cannot serve 60000 queries a second here", self.printed.getvalue())

    def test_a_server_that_serves_no_rate_is_named(self):
        with self.assertRaisesRegex(LabError, "knot does not even serve 15000"):
            self.highest({"ours": 1e6, "knot": 10})


class Rounds(unittest.TestCase):
    def test_too_few_quiet_rounds_are_not_measurable(self):
        with self.assertRaisesRegex(NotMeasurable, "in 3 of 5 rounds"):
            latency.counted([{}, {}], 5)
        self.assertEqual(latency.counted([{}, {}, {}], 5), [{}, {}, {}])
        self.assertEqual(latency.counted([{}], 1), [{}])


class Floors(unittest.TestCase):
    def test_it_is_measured_in_every_second_round(self):
        self.assertEqual([number for number in range(5) if floors.is_measured(number)], [0, 2, 4])

    def test_it_is_the_median_ratio_of_these_rounds(self):
        self.assertEqual(floors.of([20, 999, 30, 999, 44], [10, 10, 11]), 3.0)
        with self.assertRaises(ValueError):
            floors.of([20, 30, 40], [10])

    def test_our_instructions_take_what_they_take_in_l2(self):
        result = {"testpmd_ns": 30.0, "bare_ns": 40.0, "ns_l2": 55.0, "bare_ns_l2": 25.0}
        self.assertEqual(floors.own_ns(result), 70)
        self.assertEqual(floors.with_own(result)["floor_own"], 0.429)
        self.assertEqual(floors.times_of(1_700, 950, 200), 2)
        self.assertEqual(floors.with_own(result, 2)["floor_own"], 0.3)

    def test_the_floor_in_l2_has_our_instructions_at_the_peak_rate(self):
        result = {"testpmd_ns_l2": 20.0, "bare_ns_l2": 25.0, "most_instr_per_ns": 30.0}
        self.assertEqual(floors.with_l2(result, 650, 200)["floor_own_l2"], 0.5)
        self.assertEqual(floors.with_l2({"ratio": 1}, 650, 200), {"ratio": 1})

    def test_zipf_has_the_floor_of_its_own_instructions_in_the_documents(self):
        found = {"ratio": 0.2, "testpmd_ns": 30.0, "bare_ns": 40.0, "ns_l2": 55.0, "bare_ns_l2": 25.0}
        counts = {"cached": 950, "shared_cache": 1_700, "bare": 200}
        with mock.patch.dict(run.BENCHES, zipf=lambda build: found), mock.patch.object(run.instr, "figure", lambda build, what: counts[what]):
            self.assertEqual(run.measured("zipf", BUILD, False), found)
            self.assertEqual(run.measured("zipf", BUILD, True), {**found, "instr": 1_700, "floor_own": 0.3, "instr_per_ns": 25.0})

    def test_policy_has_the_floor_of_its_further_instructions_in_the_documents(self):
        found = {"ratio": 0.9, "plain_ns": 90.0, "miss_ns": 4_000, "ns_l2": 55.0, "bare_ns_l2": 25.0}
        counts = {"cached": 950, "bare": 200, "policy": 1_100, "policy_without": 1_000, "policy_miss": 12_000, "policy_without_miss": 10_000}
        with mock.patch.dict(run.BENCHES, policy=lambda build: found), mock.patch.object(run.instr, "figure", lambda build, what: counts[what]):
            self.assertEqual(run.measured("policy", BUILD, True), {**found, "floor_own": 0.883, "instr_per_ns": 25.0})


class RatiosOfRounds(unittest.TestCase):
    REPORT = {"on_cpu_p50_us": 2.0, "on_cpu_p99_us": 12.0, "typical_p50_us": 2.5, "typical_p99_us": 50.0, "p50_us": 4.0, "p99_us": 200.0,
            "p999_us": 900.0, "interrupted_percent": 3.0, "gone_percent": 2.0, "left_out_percent": 7.0}

    def test_latency_is_that_of_round_trips_on_the_cpu(self):
        row = latency.row_of(9e6, {**self.REPORT, "on_cpu_p50_us": 3.0}, self.REPORT)
        self.assertEqual((row["ratio"], row["typical_ratio"], row["all_ratio"]), (4.0, 20.0, 50.0))
        self.assertEqual((row["gone_percent"], row["mqps"]), (2.0, 9.0))
        none = latency.row_of(9e6, {**self.REPORT, "on_cpu_p50_us": 0, "left_out_percent": 100.0}, self.REPORT)
        self.assertEqual((none["ratio"], none["left_out_percent"]), (0, 100.0))

    def test_the_floor_of_latency_has_our_median(self):
        bare = {"half_p99_us": 5.0, "all_p99_us": 90.0, "gone_percent": 2.0}
        self.assertEqual(latency.floor_of({"tenth_p50_us": 2.0}, bare)["floor"], 2.5)

    def test_a_round_with_most_round_trips_left_out_does_not_count(self):
        rows = []
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            latency.keep("ours", {"left_out_percent": 50.1}, rows, 0)
            latency.keep("ours", {"left_out_percent": 50.0}, rows, 1)
        self.assertEqual(rows, [{"left_out_percent": 50.0}])
        self.assertIn("does not count", printed.getvalue())

    def test_a_reload_is_compared_with_the_worst_quiet_second(self):
        self.assertEqual(reload.worst_by_worst({"worst_qps": 9.0, "quiet_worst_qps": 10.0, "undisturbed_qps": 12.0}), 0.9)


class Compare(unittest.TestCase):
    def ratios(self, turn, turns=10):
        self.order = []

        def measured(build):
            self.order.append(build)
            return turn(build)

        with contextlib.redirect_stdout(io.StringIO()):
            return compare.by_turns({"old": "O", "new": "N"}, measured, turns)

    def test_a_turn_runs_both_and_the_order_changes(self):
        ratios, compared = self.ratios(lambda build: ({"O": 90.0, "N": 100.0}[build], {"O": 3, "N": 4}[build]))
        self.assertEqual(self.order, list("ONNO" * 5))
        self.assertEqual(ratios, [0.9] * 10)  # this tree costs more: below 1
        self.assertEqual(compared, {"old": 30, "new": 40})

    def test_a_drift_of_the_machine_is_no_difference(self):
        clock = iter(range(1_000, 2_000))
        ratios, _ = self.ratios(lambda build: (float(next(clock)), 0), turns=12)
        self.assertEqual(compare.figures_of(ratios)["ratio"], 1.0)

    def test_the_median_and_its_range(self):
        figures = compare.figures_of([1.00, 0.90, 0.99, 1.01, 1.02, 0.99, 3.00, 0.97, 1.03, 0.96])
        self.assertEqual(figures, {"ratio": 0.995, "low": 0.96, "high": 1.03, "quartile1": 0.975, "quartile3": 1.018, "turns": 10})

    def test_the_range_holds_the_median_in_19_of_20_cases(self):
        # The tables of the sign test (Conover, Practical Nonparametric Statistics): of 6, 10, 20 and 30 values.
        self.assertEqual([compare.rank_of_low(count) + 1 for count in (6, 10, 20, 30)], [1, 2, 6, 10])
        with self.assertRaisesRegex(ValueError, "too few"):
            compare.rank_of_low(5)

    def test_less_cost_is_better_whatever_a_bench_says(self):
        self.assertEqual(compare.cost_in("miss", {"ns": 3_000, "ratio": 1.5}), 3_000)
        self.assertEqual(compare.cost_in("latency", {"ratio": 4.0}), 4.0)  # less is better
        self.assertEqual(compare.cost_in("routeros", {"ratio": 4.0}), 0.25)
        with self.assertRaisesRegex(LabError, "no figure"):
            compare.cost_in("reload", {"seconds": 76})

    def refused(self, *words):
        with contextlib.redirect_stderr(io.StringIO()) as printed, self.assertRaises(SystemExit) as ended:
            compare.options(["build", *words])
        self.assertEqual(ended.exception.code, 2)
        return printed.getvalue()

    def test_what_cannot_be_compared_is_refused(self):
        self.assertIn("no bench cahced to compare; there are: cached", self.refused("HEAD", "cahced"))
        self.assertIn("no bench instr to compare", self.refused("HEAD", "cached", "instr"))
        self.assertIn("at least 10", self.refused("HEAD", "cached", "--turns", "9"))
        self.assertIn("there is no revision 'no-such-branch'", self.refused("no-such-branch", "cached"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
