"""docs/explanation/performance.md, the tables in docs/reference/status.md and README.md, and the plots are what docs/explanation/figures/results.json gives, and nothing else.
Results of one CPU model leave those of others alone, and a floor stands beside its ratio."""

import pathlib
import tempfile
import unittest
from unittest import mock

from bench import document
from bench.goals import BY_NAME, Goal


class Documents(unittest.TestCase):
    def test_results_are_of_benches(self):
        strange = [name for of_model in document.load().values() for name in of_model if name not in BY_NAME and name != "stages"]
        self.assertEqual(strange, [], "results.json has results of no bench")

    def test_pages_and_plots_are_what_the_results_give(self):
        stale = [path.name for path, text in document.files(document.load()).items() if not path.exists() or path.read_text() != text]
        self.assertEqual(stale, [], "not what results.json gives; run tools/bench NAME --docs, or PYTHONPATH=tools:tests python3 -m bench.document")


class Kept(unittest.TestCase):
    """What two machines measured, one after the other."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        patch = mock.patch.object(document, "RESULTS", pathlib.Path(folder.name) / "figures/results.json")
        patch.start()
        self.addCleanup(patch.stop)

    def keep(self, model: str, name: str, **figures) -> None:
        with mock.patch.object(document, "cpu_model", lambda: model):
            document.keep(name, {"rounds": [figures["ratio"]], "parameters": "as ever", **figures})

    def row(self, model: str, name: str) -> list[str]:
        """The cells of a bench's row in the table of a model."""
        table = document.generated(document.load()).split(f"### On {model}\n", 1)[1].split("### On", 1)[0]
        return [cell.strip() for cell in next(line for line in table.splitlines() if line.startswith(f"| {name} |")).split("|")[1:-1]]

    def test_each_cpu_model_keeps_its_results(self):
        self.keep("Xeon", "ports", ratio=1.2, floor=1.6)
        self.keep("EPYC", "ports", ratio=1.1, floor=1.3)
        self.keep("EPYC", "peers", ratio=1.4, floor=1.9)
        self.keep("EPYC", "ports", ratio=1.15, floor=1.35)
        self.assertEqual(self.row("Xeon", "ports")[1:5], ["1.2", "1", "1.4", "1.6"])
        self.assertEqual(self.row("EPYC", "ports")[1:5], ["1.15", "1", "1.4", "1.35"])
        self.assertEqual(self.row("EPYC", "peers")[1], "1.4")

    def test_a_floor_that_misses_a_goal_is_noted(self):
        self.keep("Xeon", "ports", ratio=1.2, floor=1.6)
        self.keep("EPYC", "ports", ratio=1.1, floor=1.3)
        self.assertEqual(self.row("Xeon", "ports")[5], "yes")
        self.assertEqual(self.row("EPYC", "ports")[5], "yes (the floor misses the stretch goal)")
        self.keep("Xeon", "peers", ratio=1.0, floor=1.2)
        self.assertEqual(self.row("Xeon", "peers")[5], "**no** (the floor misses the goal)")
        self.keep("Xeon", "cached", ratio=0.35, floor=0.7, floor_own=0.4)
        self.assertEqual(self.row("Xeon", "cached")[5], "yes (`floor_own` misses the stretch goal)")
        self.keep("EPYC", "cached", ratio=0.35, floor_own=0.5, ratio_l2=0.4, floor_own_l2=0.45)
        self.assertEqual(self.row("EPYC", "cached")[5], "yes (`floor_own_l2` misses the stretch goal of `ratio_l2`)")
        self.keep("EPYC", "cached", ratio=0.35, floor_own=0.5, ratio_l2=0.4, floor_own_l2=0.55)
        self.assertEqual(self.row("EPYC", "cached")[5], "yes")

    def test_a_result_without_a_floor_has_an_empty_cell(self):
        self.keep("Xeon", "dns64", ratio=0.95)
        self.assertEqual(self.row("Xeon", "dns64")[4:6], ["", "yes"])

    def test_less_can_be_better(self):
        self.keep("Xeon", "latency", ratio=30, floor=25, all_ratio=80.0)
        self.keep("EPYC", "latency", ratio=6, floor=4.5)
        self.assertEqual(self.row("Xeon", "latency")[5], "**no** (the floor misses the goal)")
        self.assertIn("`all_ratio` 80.0", self.row("Xeon", "latency")[6])
        self.assertEqual(self.row("EPYC", "latency")[5], "**no**")

    def test_plots_show_the_floor(self):
        self.keep("Xeon", "ports", ratio=1.2)
        without = document.plots.ratios(document.load()["Xeon"])
        self.keep("Xeon", "ports", ratio=1.2, floor=1.6)
        self.assertGreater(document.plots.ratios(document.load()["Xeon"]).count("<line"), without.count("<line"))


class Stretch(unittest.TestCase):
    GOAL = Goal("some", 1, 2, stretches=(("other", "≥", 5),))

    def test_all_its_figures_are_asked_for(self):
        self.assertTrue(self.GOAL.stretched({"ratio": 2, "other": 5}))
        self.assertFalse(self.GOAL.stretched({"ratio": 2, "other": 4}))
        self.assertFalse(self.GOAL.stretched({"ratio": 1.9, "other": 5}))
        self.assertEqual(self.GOAL.failures({"ratio": 1, "other": 4}), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
