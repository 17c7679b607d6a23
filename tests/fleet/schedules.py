#!/usr/bin/python3
"""Random schedules of faults for a fleet of two boxes and three routers; README.md says when one fails.

    schedules.py BUILD [--count N | --seed N | --in-turn] [--rate R] [--keep]
"""

from __future__ import annotations

import argparse
import json
import pathlib
import signal
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "tools")]

from fleet import faults  # noqa: E402
from fleet.judgement import Judgement, judged  # noqa: E402
from lab.fleet import NAMES, ROUTERS, JudgedFleet  # noqa: E402
from lab.network import LabError, skip_without, until  # noqa: E402
from lab.truth import TRUTH  # noqa: E402

SECONDS = 14  # of a random schedule
AFTER_S = 4  # the load goes on behind the last fault


def play(place: JudgedFleet, plan: list[faults.Fault], rate: float, seed: int) -> tuple[Judgement, faults.Record, float]:
    """Also returns how long the boxes took to agree on the writers after the last fault, in seconds."""
    place.drop_nothing()
    record = faults.Record()
    seconds = max(fault.at_s + fault.for_s for fault in plan) + AFTER_S
    out = place.folder / f"answers-{seed}.jsonl"
    capture = place.network.start("client", f"capture-{seed}", "/usr/bin/python3", str(TRUTH), "capture", "--interface", "eth0", "--out", str(out))
    capture.wait_for("capturing on")
    load = place.network.start("client", f"load-{seed}", "/usr/bin/python3", str(HERE / "load.py"), str(rate), str(seconds), str(NAMES), str(seed),
                               *(box.address for box in place.boxes))
    load.wait_for("asking")
    begin = time.monotonic()
    errors: list[BaseException] = []

    def played(fault: faults.Fault) -> None:
        try:
            fault.play(place, record, begin)
        except BaseException as error:  # reported by the main thread
            errors.append(error)

    threads = [threading.Thread(target=played, args=(fault,)) for fault in plan]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    agreed_s = place.until_agreed()
    until_ns = time.time_ns()
    until(lambda: not load.running(), seconds + 30, "the load is over")
    capture.stop(number=signal.SIGINT)
    by_address = json.loads(load.text().splitlines()[-1])
    queries = {box.name: by_address[box.address] for box in place.boxes}
    found = judged({router: place.journal(router) for router in ROUTERS}, out, queries, record, until_ns)
    return found, record, agreed_s


def output(name: str, plan: list[faults.Fault], found: Judgement, record: faults.Record, agreed_s: float) -> None:
    print(f"{name}: {'FAILED' if found.faults else 'good'}: {found.queries} queries, {found.answers} answers with rows, {found.excused} excused, "
          f"lag {found.lag_s:.2f} s, longest wait {found.longest_wait_s:.2f} s, agreed after {agreed_s:.1f} s", flush=True)
    if found.faults:
        print(*(f"  {fault.text()}" for fault in plan), *(f"  {line}" for line in record.lines), *(f"  {fault}" for fault in found.faults[:20]), sep="\n")
        print(f"  {len(found.faults)} faults", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="schedules.py")
    parser.add_argument("build", type=pathlib.Path)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--count", type=int, default=1, help="seeds 1 to N")
    which.add_argument("--seed", type=int)
    which.add_argument("--in-turn", action="store_true", help="each fault once, one after the other")
    parser.add_argument("--rate", type=float, default=60, help="queries a second")
    parser.add_argument("--keep", action="store_true", help="keep logs and journals")
    wanted = parser.parse_args()
    skip_without(("redis-server", "knotd", "iptables"), "--all")
    seeds = [wanted.seed] if wanted.seed is not None else list(range(1, wanted.count + 1))
    bad, lag_s, wait_s, answers = [], 0.0, 0.0, 0
    with JudgedFleet(wanted.build) as place:
        place.network.keep_files = wanted.keep
        place.start_all("--preset", "fast")
        for seed in [0] if wanted.in_turn else seeds:
            plan = faults.in_turn(place.writer_of(ROUTERS[0])) if wanted.in_turn else faults.schedule(seed, SECONDS)
            found, record, agreed_s = play(place, plan, wanted.rate, seed)
            output("in turn" if wanted.in_turn else f"seed {seed}", plan, found, record, agreed_s)
            lag_s, wait_s, answers = max(lag_s, found.lag_s), max(wait_s, found.longest_wait_s), answers + found.answers
            if found.faults:
                bad.append(seed)
                if wanted.keep:
                    print(f"  logs: {place.folder}")
        if answers == 0:
            raise LabError("no answer needed a row: the load did not work")
    print(f"fleet schedules={1 if wanted.in_turn else len(seeds)} failed={len(bad)} answers={answers} lag_s={lag_s:.2f} longest_wait_s={wait_s:.2f}"
          + (f" seeds={','.join(map(str, bad))}" if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        print(f"fleet: {error}", file=sys.stderr)
        sys.exit(1)
