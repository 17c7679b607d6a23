"""The program fleet_sim: what holds at every size, the same figures for one seed, and the words of what is refused."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from fleet_sim import limits, plots, steps, table

PROGRAM = sys.argv.pop(1)
SMALL = ["--boxes", "4", "--routers", "4", "--pops", "2", "--clients", "40000", "--names", "20000", "--listed", "0.05",
         "--warm", "200", "--measure", "200", "--no-memory"]


def fleet_sim(*options):
    return subprocess.run([PROGRAM, *SMALL, *options], text=True, capture_output=True, timeout=100)


def figures(*options):
    done = fleet_sim(*options)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    # Without this machine's time and memory.
    return {**json.loads(done.stdout), "machine": {"box_thread": 0.1, "claim_bytes": 1, "row_bytes": 1, "board_bytes": 1, "box_bytes": 1e6}}


class Promises(unittest.TestCase):
    """Of the product, at each of these sizes."""

    def check(self, run):
        self.assertEqual(limits.wrong(run), [])
        self.assertGreater(run["checks"]["leases"], 5_000)
        router, box, redis = run["router"], run["box"], run["redis_of_a_pop"]
        boxes = run["in_full"]["boxes"] // run["in_full"]["pops"]
        # Rows: what was written is what the router counts; the peak is not below the mean.
        written = router["written_per_s"]
        self.assertAlmostEqual(sum(written.values()), router["writes_per_s"]["mean"], delta=0.05 + 0.1 * router["writes_per_s"]["mean"])
        self.assertGreaterEqual(router["rows_peak"]["most"], router["rows"]["mean"])
        # Each message reaches every box of its fleet, and an event makes one.
        self.assertAlmostEqual(redis["delivered_per_s"], boxes * redis["messages_per_s"], delta=0.02 * redis["delivered_per_s"])
        self.assertAlmostEqual(redis["messages_per_s"], boxes * box["events_per_s"]["mean"], delta=0.02 * redis["messages_per_s"])
        # Elections: of each box for each router, five in a lease.
        routers = run["in_full"]["routers"] / run["in_full"]["pops"]
        self.assertAlmostEqual(redis["by_command_per_s"]["evalsha"], boxes * routers / 0.3, delta=0.02 * boxes * routers / 0.3)
        # Every box knows every claim of its fleet. Redis has them, until their leases end; rows live longer.
        self.assertGreaterEqual(box["claims_peak"]["least"], 0.9 * box["claims_peak"]["most"])
        self.assertGreaterEqual(redis["members"], 0.7 * box["claims_peak"]["least"])
        self.assertLessEqual(redis["members"], 1.1 * box["claims_peak"]["most"])

    def test_answers_that_wait_have_their_rows(self):
        run = figures()
        self.check(run)
        self.assertGreater(run["box"]["waited"], 300)
        self.assertEqual(run["box"]["late_share"], 0)
        self.assertEqual(run["router"]["claims_refused"], 0)

    def test_answers_that_do_not_wait_write_as_many_rows(self):
        held, at_once = figures(), figures("--async")
        self.check(at_once)
        self.assertEqual(at_once["box"]["waited"], 0)
        self.assertAlmostEqual(at_once["router"]["rows"]["mean"], held["router"]["rows"]["mean"], delta=0.05 * held["router"]["rows"]["mean"])

    def test_a_reboot_is_repaired(self):
        run = figures("--reboot", "20")
        self.assertEqual(limits.wrong(run), [])
        self.assertGreater(run["reboot"]["rows"], 500)
        self.assertGreater(run["reboot"]["repaired_s"], 60)  # it is away for so long
        self.assertLess(run["reboot"]["repaired_s"], 80)
        self.assertGreater(run["router"]["written_per_s"]["repair"], 0)
        self.assertGreater(run["checks"]["leases_unjudged"], 0)

    def test_more_boxes_of_a_fleet_do_not_write_more(self):
        pair, four = figures(), figures("--boxes", "8")
        self.check(four)
        self.assertAlmostEqual(four["router"]["rows"]["mean"], pair["router"]["rows"]["mean"], delta=0.1 * pair["router"]["rows"]["mean"])
        self.assertEqual(four["router"]["sessions"], 4)

    def test_a_full_list_is_reported_as_broken(self):
        run = figures("--max-rows", "200")
        self.assertIn("rows", limits.broken(run))
        self.assertLessEqual(run["box"]["claims_peak"]["most"], 2 * 200)  # of two routers


class Output(unittest.TestCase):
    def test_one_seed_gives_the_same_figures_and_another_gives_others(self):
        first = figures()
        self.assertEqual(first, figures())
        self.assertNotEqual(first["router"], figures("--seed", "2")["router"])

    def test_two_pops_in_full_are_like_one(self):
        one, two = figures(), figures("--full", "2")
        for path in (("router", "rows"), ("router", "writes_per_s"), ("box", "claims_sent_per_s")):
            a, b = one[path[0]][path[1]]["mean"], two[path[0]][path[1]]["mean"]
            self.assertAlmostEqual(a, b, delta=0.1 * a, msg=path)

    def test_names_of_a_file_are_the_most_popular_ones(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "names.csv"
            file.write_text("# rank, name\n1,one.example\n2,two.example\r\n3,three.example\n")
            run = figures("--names-file", str(file), "--listed", "1", "--names", "3", "--warm", "10", "--measure", "10")
        self.assertEqual(run["settings"]["names_from_file"], 3)
        # A questions are half of all, and those of names with AAAA records.
        self.assertGreater(run["settings"]["listed_share"], 0.49)

    def test_tables_and_plots_are_made_of_runs(self):
        run = figures()
        self.assertIn("in full      1 of 2 PoPs: 2 boxes, 2 routers, 20,000 clients", table.report(run))
        self.assertTrue(table.last_line(run).startswith("fleet rows="))
        self.assertIn("leases_without_row=0", table.last_line(run))
        result = {axis.name: [[1_000, run], [2_000, "it does not start"]] for axis in steps.AXES}
        result[steps.TWINS] = [[1, run], [3, run]]
        self.assertIn("| 2,000 | it does not start |", steps.text(result))
        self.assertIn("load=start@2000", steps.last_line(result))
        for name, drawing in steps.drawings(result).items():
            self.assertTrue(drawing.startswith("<svg"), name)
        self.assertIn("1,000", plots.curves("t", "x", [1_000, 2_000], {"a": [1.0, None]}, str, {"limit": 10.0}))


class Documents(unittest.TestCase):
    def test_the_page_and_its_plots_are_made_of_the_kept_figures(self):
        result = json.loads(steps.KEPT.read_text())
        for path, text in steps.documents(result).items():
            self.assertEqual(path.read_text(), text, f"{path}: write it again by tools/sim fleet --steps --docs")
        self.assertEqual(sorted(result), sorted([*(axis.name for axis in steps.AXES), steps.TWINS]))
        for axis in steps.AXES:
            for size, run in result[axis.name]:
                self.assertEqual([] if isinstance(run, str) else limits.wrong(run), [], f"{axis.name} {size}")

    def test_only_figures_of_use_are_kept(self):
        self.assertEqual(steps.KEPT.read_text(), steps.kept_text(steps.of_use(json.loads(steps.KEPT.read_text()))))


class Refused(unittest.TestCase):
    def refuses(self, sentence, *options):
        done = fleet_sim(*options)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn(sentence, done.stderr)

    def test_sizes_that_do_not_fit(self):
        self.refuses("boxes and routers must be multiples of pops", "--boxes", "3")
        self.refuses("full must be from 1 to pops", "--full", "3")
        self.refuses("listed must be above 0", "--listed", "0")
        self.refuses("measure must be at least 1", "--measure", "0")

    def test_files_and_presets_that_are_not_there(self):
        self.refuses("/nowhere: cannot be read; write the path of a file with one name a line", "--names-file", "/nowhere")
        self.refuses("nosuch", "--preset", "nosuch")

    def test_a_line_that_is_no_name(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "names"
            file.write_text("good.example\nbad..name\n")
            self.refuses(f"{file}:2: 'bad..name' is no domain name", "--names-file", str(file), "--listed", "1")

    def test_more_boxes_than_a_router_has_sessions(self):
        done = fleet_sim("--boxes", "42")
        self.assertEqual(done.returncode, 1)
        self.assertIn("do not settle down within 120 s", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
