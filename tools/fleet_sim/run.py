"""The command tools/sim."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

from fleet_sim import limits, redis_cost, steps, table
from fleet_sim.simulate import SimError, simulate
from lab.network import LabError

QUICK = ("--boxes", "4", "--routers", "6", "--pops", "2", "--clients", "60000", "--names", "20000", "--listed", "0.05",
         "--warm", "300", "--measure", "300")


def fleet(build: pathlib.Path, words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="tools/sim fleet", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Simulates a fleet, and prints what it takes.",
        epilog="Other options go to the program:\n\n" + (simulate(build, "--help")["help"]))
    parser.add_argument("--quick", action="store_true", help="a small size, in seconds")
    parser.add_argument("--steps", action="store_true", help="sizes until something breaks")
    parser.add_argument("--axis", action="append", default=[], metavar="NAME",
                        help="with --steps: only this axis (" + ", ".join([*(axis.name for axis in steps.AXES), steps.TWINS]) + ")")
    parser.add_argument("--docs", action="store_true", help="with --steps: writes table and plots of docs/guides/sizing.md")
    parser.add_argument("--real", action="store_true", help="with real processes, beside the simulation of that size")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="keeps the figures")
    mine, others = parser.parse_known_args(words)
    if mine.steps:
        result = steps.measure(build, others, mine.axis)
        print(steps.text(result))
        if mine.docs:
            steps.write_documents(result)
        last = steps.last_line(result)
    elif mine.real:
        from fleet_sim import real
        result = real.compare(build, others)
        print(real.text(result))
        last = real.last_line(result)
    else:
        result = simulate(build, *(QUICK if mine.quick else ()), *others)
        print(table.report(result))
        last = table.last_line(result)
    if mine.json:
        mine.json.write_text(json.dumps(result, indent=1) + "\n")
    print(last)
    bad = limits.wrong(result) if "checks" in result else []
    if bad:
        print(f"tools/sim: the product broke a promise: {', '.join(bad)}", file=sys.stderr)
    return 1 if bad else 0


def main() -> int:
    build, command, words = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    try:
        return redis_cost.run() if command == "redis" else fleet(build, words)
    except SimError as error:
        print(f"tools/sim: {error}", file=sys.stderr)
        return error.code
    except LabError as error:
        print(f"tools/sim: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
