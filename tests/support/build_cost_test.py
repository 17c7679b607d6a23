"""What a compile cost: recorded for real compiles only, and compared without a false alarm.

    build_cost_test.py
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/build_cost"))
import cost  # noqa: E402

COMMITTED = {"compiler": "g++ 12", "options": "unity=on", "costs": {"a.o": 4.0, "b.o": 2.0, "c.o": 2.0, "daemon": 2.0}}
PARTS = ["a.o", "b.o", "c.o", "daemon"]


def kept(costs, compiled=(), **other):
    return {"compiler": "g++ 12", "options": "unity=on", "costs": costs, "compiled": list(compiled)} | other


class Judge(unittest.TestCase):
    def check(self, kept_costs, parts=PARTS):
        code, lines = cost.judge(parts, kept_costs, COMMITTED)
        return code, "\n".join(lines)

    def test_cold_cache_at_the_limit_passes(self):
        code, text = self.check(kept({"a.o": 4.4, "b.o": 2.2, "c.o": 2.2, "daemon": 2.2}, PARTS))
        self.assertEqual(code, 0, text)
        self.assertIn("4 of 4", text)

    def test_cold_cache_above_the_limit_fails_and_names_what_grew(self):
        code, text = self.check(kept({"a.o": 5.4, "b.o": 2.0, "c.o": 2.0, "daemon": 2.0}, PARTS))
        self.assertEqual(code, 1, text)
        self.assertIn("4.00 ->   5.40  a.o", text)
        self.assertNotIn("b.o", text)
        self.assertIn("1.14 times the committed cost", text)

    def test_fresh_clone_with_a_warm_cache_counts_committed_costs(self):
        code, text = self.check(kept({}))
        self.assertEqual(code, 0, text)
        self.assertIn("10.0 times the reference file, committed 10.0; 0 of 4", text)

    def test_one_compiled_object_is_compared_with_the_others_cached(self):
        self.assertEqual(self.check(kept({"a.o": 4.9}, ["a.o"]))[0], 0)
        self.assertEqual(self.check(kept({"a.o": 5.2}, ["a.o"]))[0], 1)

    def test_cached_object_counts_with_what_the_folder_kept(self):
        code, text = self.check(kept({"a.o": 5.2}))
        self.assertEqual(code, 1, text)

    def test_new_object_counts_when_compiled_and_is_named_when_cached(self):
        code, text = self.check(kept({"new.o": 3.0}, ["new.o"]), PARTS + ["new.o"])
        self.assertEqual(code, 1, text)
        self.assertIn("0.00 ->   3.00  new.o", text)
        code, text = self.check(kept({}), PARTS + ["new.o"])
        self.assertEqual(code, 0, text)
        self.assertIn("no known cost: new.o", text)

    def test_renamed_folder_is_no_growth(self):
        parts = ["group/a.o", "group/b.o", "c.o", "daemon"]
        self.assertEqual(self.check(kept({"group/a.o": 4.0, "group/b.o": 2.0}, parts[:2]), parts)[0], 0)
        self.assertEqual(self.check(kept({}), parts)[0], 0)

    def test_other_compiler_or_other_options_are_not_compared(self):
        for other in ({"compiler": "g++ 14"}, {"options": "unity=off"}):
            code, text = self.check(kept({"a.o": 40.0}, ["a.o"], **other))
            self.assertEqual(code, 0)
            self.assertIn("not compared", text)

    def test_committed_file_agrees_with_itself(self):
        committed = json.loads(cost.COMMITTED.read_text())
        self.assertAlmostEqual(sum(committed["costs"].values()), committed["ratio"], delta=0.1)
        self.assertTrue(set(cost.PROGRAMS) <= set(committed["costs"]))


class Reference(unittest.TestCase):
    def test_reference_is_compiled_at_first_and_again_after_enough_cpu_time(self):
        self.assertFalse(cost.is_due(0, 0), "nothing was compiled")
        self.assertTrue(cost.is_due(0.1, 0))
        self.assertFalse(cost.is_due(cost.EVERY_S - 1, 1))
        self.assertTrue(cost.is_due(cost.EVERY_S + 1, 1))

    def test_run_that_compiles_nothing_compiles_no_reference(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        reference = cost.Reference(folder / "log")
        reference.ended.set()
        reference.run()
        self.assertEqual(reference.samples, [])


class Record(unittest.TestCase):
    def run_recorder(self, *command, log=True):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        environment = {"PATH": "/usr/bin:/bin"} | ({"STEER_COST_LOG": str(folder / "log")} if log else {})
        done = subprocess.run([str(ROOT / "tools/build_cost/record"), *command], env=environment, stdout=subprocess.PIPE, check=False)
        text = (folder / "log").read_text() if (folder / "log").exists() else ""
        return done.returncode, cost.read_log(text)

    def test_compile_is_recorded_with_its_cpu_time(self):
        code, costs = self.run_recorder("/usr/bin/python3", "-c", "sum(range(3_000_000))", "-o", "x.o")
        self.assertEqual(code, 0)
        self.assertGreater(costs["x.o"]["user"], 0)

    def test_failed_compile_keeps_its_exit_code_and_is_not_recorded(self):
        self.assertEqual(self.run_recorder("/bin/sh", "-c", "exit 3", "-o", "x.o"), (3, {}))

    def test_preprocessor_and_other_calls_are_not_recorded(self):
        self.assertEqual(self.run_recorder("/bin/true", "-E", "-o", "x.i"), (0, {}))
        self.assertEqual(self.run_recorder("/bin/true", "--version"), (0, {}))
        self.assertEqual(self.run_recorder("/bin/true", "-o", "x.o", log=False), (0, {}))


if __name__ == "__main__":
    unittest.main()
