"""CONTRIBUTING.md's tables are compared with commits, wherever the folders are now.

    where_new_test.py
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import where_new_rules as rules  # noqa: E402

PAGE = """### A matcher or an executor

1. Copy `control/config/random.cpp`.

### Everything else

| new | copy | add |
|---|---|---|
| gauge | `control/lists/gauge.cpp` | its row in `control/status.cpp`; a page by `steerdnsd --reference > docs/metrics.md` |
"""
REASONS = "matcher or executor: aaa\ngauge: bbb\n"
SKETCH = """matcher or executor: aaa
gauge: sketch 3 of 3
  changes control/status.cpp docs/metrics.md
  adds control/lists/depth.cpp
  own tests/unit/depth_test.cpp
"""
MATCHER = [("M", "control/config/random.cpp")]
GAUGE = [("A", "control/lists/depth.cpp"), ("M", "control/status.cpp"), ("M", "docs/metrics.md"), ("M", "tests/unit/x_test.cpp")]


class WhereNew(unittest.TestCase):
    def findings(self, gauge=GAUGE, reasons=REASONS, page=PAGE, files=()):
        commits = {"aaa": MATCHER, "bbb": gauge}
        return rules.check(page, rules.read_reasons(reasons), list(files), commits.get)

    def test_commit_that_did_what_the_row_says_passes(self):
        self.assertEqual(self.findings(), ([], []))

    def test_file_that_moved_since_is_found_by_its_name(self):
        page = PAGE.replace("control/status.cpp", "control/observe/status.cpp").replace("control/lists/", "control/observe/lists/")
        self.assertEqual(self.findings(page=page), ([], []))

    def test_changed_source_without_a_word_in_the_row_is_found(self):
        found, _ = self.findings(GAUGE + [("M", "control/daemon.h")])
        self.assertEqual(found, ["'gauge' does not name control/daemon.h, which bbb changed"])
        self.assertEqual(self.findings(GAUGE + [("M", "control/daemon.h")], REASONS + "  also control/daemon*: a reason\n"), ([], []))

    def test_file_of_the_row_that_the_commit_left_alone_is_found(self):
        found, _ = self.findings([one for one in GAUGE if one[1] != "control/status.cpp"])
        self.assertEqual(found, ["'gauge' names control/status.cpp, but bbb did not touch it"])

    def test_copy_without_a_new_file_beside_it_is_found(self):
        found, _ = self.findings(GAUGE[1:])
        self.assertEqual(found, ["'gauge': bbb neither changed control/lists/gauge.cpp nor added a file beside it"])

    def test_path_that_no_longer_exists_is_found(self):
        found, _ = self.findings(files=["control/config/random.cpp", "control/lists/gauge.cpp", "docs/metrics.md"])
        self.assertEqual(found, ["'gauge' names control/status.cpp, which does not exist"])

    def test_row_without_a_commit_and_commit_without_a_row_are_found(self):
        found, _ = self.findings(reasons="matcher or executor: aaa\nbench: bbb\n")
        self.assertEqual([one.split(" ")[0] for one in found], ["has", "'gauge'"])

    def test_excuse_that_is_no_longer_needed_is_found(self):
        found, _ = self.findings(reasons=REASONS + "  without control/status.cpp: a reason\n  also control/x.cpp: a reason\n")
        self.assertEqual(len(found), 2)

    def test_clone_without_history_is_named_and_no_failure(self):
        self.assertEqual(rules.check(PAGE, rules.read_reasons(REASONS), [], lambda commit: None), ([], ["matcher or executor", "gauge"]))

    def test_sketch_that_stays_within_its_limit_passes(self):
        self.assertEqual(self.findings(reasons=SKETCH), ([], []))

    def test_sketch_above_its_limit_or_with_another_count_is_found(self):
        self.assertEqual(self.findings(reasons=SKETCH.replace("3 of 3", "3 of 2"))[0], ["'gauge' costs 3 files, expected 2 at most"])
        self.assertEqual(self.findings(reasons=SKETCH.replace("3 of 3", "2 of 3"))[0],
                         ["'gauge': tests/support/where_new.txt states 2 files and lists 3"])

    def test_sketch_is_compared_with_its_row_and_with_what_exists(self):
        found, _ = self.findings(reasons=SKETCH.replace("control/status.cpp docs/metrics.md", "control/daemon.h docs/metrics.md"))
        self.assertEqual(found, ["'gauge' names control/status.cpp, but the sketch did not touch it",
                                 "'gauge' does not name control/daemon.h, which the sketch changed"])
        files = ["control/config/random.cpp", "control/lists/gauge.cpp", "control/status.cpp"]
        found, _ = self.findings(reasons=SKETCH, files=files)
        self.assertIn("'gauge': docs/metrics.md, which tests/support/where_new.txt names, does not exist", found)

    def test_reason_is_required(self):
        with self.assertRaises(SystemExit):
            rules.read_reasons(REASONS + "  also control/daemon.h\n")


if __name__ == "__main__":
    unittest.main()
