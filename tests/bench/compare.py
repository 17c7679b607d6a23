"""tools/bench compare REV NAME…: the product of another revision and that of this tree, by turns.

usage: compare.py BUILD REV NAME… [--turns N] [--json FILE] [--busy]

Both trees are built by this tree's options, REV from a copy of its files in BUILD/compare/. Both products are run by this
tree's benches, so that both get the same input. One turn is a run of each, and the order changes each turn (old new, new old):
a drift of the machine falls on both.

The ratio of a turn is above 1 where this tree is better. Printed are the median of the turns' ratios, the range that holds the true
median in at least 19 of 20 cases (by the binomial distribution, whatever the noise is like), and the quartiles.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import pathlib
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator

from bench import cached, machine, policy, run
from bench.goals import BY_NAME
from lab.network import LabError

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIN_TURNS = 10
CONFIDENCE = 0.95
SIDES = ("old", "new")
# Of both builds, whatever the trees' own defaults are; those of the benches (docs/explanation/builds.md), and the operator's.
OPTIONS = f"-Dmarch=native -Dunity=on -Dunity_size=48 {os.environ.get('STEER_MESON_OPTIONS', '')}".strip()
# Benches that give no figure of the product alone: what they measure is two programs of this tree, or no time.
NOT_COMPARED = ("hostile", "instr", "stages")

Figures = dict[str, float]
# Measures a build once: what it costs (less is better), and how many of its answers were compared.
Turn = Callable[[pathlib.Path], tuple[float, int]]


# ---- arithmetic

def by_turns(builds: dict[str, pathlib.Path], turn: Turn, turns: int) -> tuple[list[float], dict[str, int]]:
    """The ratio of each turn, cost of old ÷ cost of new, and the answers compared of each side."""
    ratios, compared = [], dict.fromkeys(SIDES, 0)
    for number in range(turns):
        cost = {}
        for side in SIDES if number % 2 == 0 else reversed(SIDES):
            cost[side], answers = turn(builds[side])
            compared[side] += answers
        ratios.append(cost["old"] / cost["new"])
        print(f"  turn {number + 1}: old {cost['old']:.4g}, new {cost['new']:.4g}, ratio {ratios[-1]:.3f}", flush=True)
    return ratios, compared


def rank_of_low(count: int) -> int:
    """How many values from the lowest the range begins that holds the median with CONFIDENCE; it ends as many from the highest."""
    outside, rank = 0.0, 0
    while rank < count // 2:
        outside += 2 * math.comb(count, rank) / 2**count
        if outside > 1 - CONFIDENCE:
            break
        rank += 1
    if rank == 0:
        raise ValueError(f"{count} values are too few for a range of their median")
    return rank - 1


def figures_of(ratios: list[float]) -> Figures:
    in_order, low = sorted(ratios), rank_of_low(len(ratios))
    quarters = statistics.quantiles(in_order, n=4, method="inclusive")
    return {"ratio": round(statistics.median(in_order), 3), "low": round(in_order[low], 3), "high": round(in_order[-1 - low], 3),
            "quartile1": round(quarters[0], 3), "quartile3": round(quarters[2], 3), "turns": len(ratios)}


def cost_in(name: str, result: dict) -> float:
    """What a whole bench says of the product's cost: CPU time an answer where it measures it, else its ratio."""
    if "ns" in result:
        return result["ns"]
    if not result.get("ratio"):
        raise LabError(f"{name} gives no figure that can be compared")
    return result["ratio"] if name in BY_NAME and BY_NAME[name].less else 1 / result["ratio"]


# ---- what a turn is

def _checked(check: Callable[[pathlib.Path], int], builds: dict[str, pathlib.Path]) -> None:
    """A wrong answer of either side fails the bench before anything is measured."""
    for side in SIDES:
        count = check(builds[side])
        if count == 0:
            raise LabError(f"no answer of {side} was compared")
        print(f"  {side}: {count} answers compared, 0 wrong", flush=True)


@contextlib.contextmanager
def _cached(builds: dict[str, pathlib.Path]) -> Iterator[Turn]:
    load = cached.Load()
    with cached.prepared(builds["new"], load, 1024) as (folder, port, pages):
        huge = pages >= 700

        def ours(build: pathlib.Path, *words: str) -> dict:
            return cached.ours(build, folder / "hot.pcap", huge, port, folder / "names.txt", load, *words)

        def turn(build: pathlib.Path) -> tuple[float, int]:
            result = ours(build)
            if result["answered_share"] < 0.999:
                raise LabError(f"not what the bench is to measure: {result}")
            return result["ns_per_packet"], 0

        _checked(lambda build: ours(build, "--check")["compared"], builds)
        yield turn


@contextlib.contextmanager
def _policy(builds: dict[str, pathlib.Path]) -> Iterator[Turn]:
    with cached.prepared(builds["new"], policy.LOAD, policy.PAGES) as (folder, port, pages):
        config, huge = policy.write_config(folder, port), pages >= policy.PAGES - 100
        _checked(lambda build: policy.check(build, folder, config, huge), builds)
        yield lambda build: (policy.with_rules(build, folder, config, huge)["ns_per_packet"], 0)


@contextlib.contextmanager
def _whole(name: str) -> Iterator[Turn]:
    """A round of the whole bench, with the other programs that it measures."""
    def turn(build: pathlib.Path) -> tuple[float, int]:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            result = run.BENCHES[name](str(build))
        return cost_in(name, result), int(result.get("compared", 0))

    machine.want_rounds(1)
    yield turn


def scene(name: str, builds: dict[str, pathlib.Path]) -> contextlib.AbstractContextManager[Turn]:
    match name:
        case "cached":
            return _cached(builds)
        case "policy":
            return _policy(builds)
    return _whole(name)


def compare(name: str, builds: dict[str, pathlib.Path], turns: int) -> dict:
    print(f"{name}: {turns} turns", flush=True)
    with scene(name, builds) as turn:
        ratios, compared = by_turns(builds, turn, turns)
    counted = {f"{side}_compared": count for side, count in compared.items() if count}
    return {**figures_of(ratios), **counted, "rounds": ratios}


# ---- the two builds

def commit_of(revision: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"],
                          text=True, capture_output=True)
    if done.returncode != 0:
        raise ValueError(f"there is no revision '{revision}': name a commit, a tag or a branch (git log --oneline lists commits)")
    return done.stdout.strip()


def copy_of(commit: str, folder: pathlib.Path) -> pathlib.Path:
    """The files of that commit, without a work tree that git keeps a record of: `rm -r build` removes all."""
    tree = folder / f"tree-{commit[:12]}"
    if tree.exists():
        return tree
    made = folder / f"tree-{commit[:12]}.new"
    subprocess.run(["rm", "-rf", str(made)], check=True)
    made.mkdir(parents=True)
    with subprocess.Popen(["git", "-C", str(ROOT), "archive", commit], stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", str(made)], stdin=archive.stdout, check=True)
    if archive.returncode != 0:
        raise LabError(f"the files of {commit} cannot be read")
    return made.rename(tree)


def built(tree: pathlib.Path, folder: pathlib.Path, targets: list[str]) -> pathlib.Path:
    environment = {**os.environ, "STEER_BUILD": str(folder), "STEER_MESON_OPTIONS": OPTIONS}
    print(f"building {' '.join(targets)} in {folder}", flush=True)
    done = subprocess.run([str(tree / "tools/build"), *targets], env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise LabError(f"the build in {folder} fails:\n{done.stdout[-3000:]}")
    return folder


def options(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/bench compare", add_help=False)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("revision")
    parser.add_argument("names", nargs="+")
    parser.add_argument("--turns", type=int, default=MIN_TURNS)
    parser.add_argument("--json")
    parser.add_argument("--busy", action="store_true")
    found = parser.parse_intermixed_args(words)
    known = [name for name in run.BENCHES if name not in NOT_COMPARED]
    if unknown := [name for name in found.names if name not in known]:
        parser.error(f"no bench {' '.join(unknown)} to compare; there are: {' '.join(known)}")
    if found.turns < MIN_TURNS:
        parser.error(f"--turns {found.turns} says nothing about two builds; at least {MIN_TURNS}")
    try:
        found.commit = commit_of(found.revision)
    except ValueError as error:
        parser.error(str(error))
    return found


def main(words: list[str]) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM ends as Ctrl-C does: hugepages, folders and rossim are removed
    wanted = options(words)
    folder = wanted.build.resolve() / "compare"
    if wanted.busy:
        machine.allow_busy()
    targets = sorted({target for name in wanted.names for target in run.TARGETS[name]})
    results: dict[str, dict] = {}
    failed = 0
    try:
        builds = {"old": built(copy_of(wanted.commit, folder), folder / wanted.commit[:12], targets),
                  "new": built(ROOT, folder / "this", targets)}
        print(f"old is {wanted.revision} ({wanted.commit[:12]}), new is this tree; both {OPTIONS}")
        for name in wanted.names:
            results[name] = compare(name, builds, wanted.turns)
    except (machine.TooBusy, machine.NotMeasurable) as error:
        print(f"tools/bench compare: {error}", file=sys.stderr)
        failed = 3
    except LabError as error:
        print(f"tools/bench compare: {error}", file=sys.stderr)
        failed = 1
    if wanted.json:
        pathlib.Path(wanted.json).write_text(json.dumps(results, indent=2))
    for name, result in results.items():
        print("compare", name, *(f"{key}={value}" for key, value in result.items() if key not in run.NOT_PRINTED))
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
