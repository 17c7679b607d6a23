"""The bench `stages`: where the nanoseconds of a packet of `cached` and of `zipf` go, by time stamps of our own.

bench_stages is bench_cached with stamps around the stages of the worker's turn (dataplane/stages/stage_clock.h), ten or so a
burst. Without a well-known program: the stages' sum stands beside the thread's CPU time, and beside what bench_cached takes
without stamps in the same round. Rounds in which others had the CPU between two stamps do not count.
"""

from __future__ import annotations

import pathlib

from bench import cached, zipf
from bench.machine import TooBusy, build_apart, rounds

WITHIN = 0.05  # of the CPU time; more: others had the CPU between two stamps
LOADS = {"cached": (cached.Load(), 1_024), "zipf": (zipf.UNIFORM, zipf.PAGES)}


def _of(build: pathlib.Path, name: str, load: cached.Load, pages_wanted: int) -> tuple[dict, str]:
    """The round whose sum is the median of all."""
    def sums_up(one: dict) -> bool:
        return abs(one["sum_ns"] / one["total_ns"] - 1) < WITHIN

    taken = []
    # A unity build has no bench_stages: its stamped sources stand before those of the library, one by one.
    programs = build_apart(build, "stages", "-Dunity=off", "tests/bench/bench_cached", "tests/bench/bench_stages")
    with cached.prepared(build, load, pages_wanted) as (folder, port, pages):
        described = cached.describe(f"stages, {name}", load, pages)
        arguments = (folder / "hot.pcap", pages >= load.mib // 2, port, folder / "names.txt", load)
        for number in range(3 * rounds(3)):
            plain = cached.ours(programs, *arguments)
            stamped = cached.ours(programs, *arguments, program="bench_stages")
            parts = stamped["stages"]
            taken.append({"stages": parts, "sum_ns": round(sum(ns for _, ns in parts), 1), "total_ns": stamped["ns_per_packet"],
                          "plain_ns": plain["ns_per_packet"]})
            print(f"  round {number + 1}: stages {taken[-1]['sum_ns']} ns, the thread {taken[-1]['total_ns']} ns, without stamps "
                  f"{taken[-1]['plain_ns']} ns a packet", flush=True)
            if sum(map(sums_up, taken)) >= rounds(3):
                break
    if not (taken := [one for one in taken if sums_up(one)]):
        raise TooBusy("time stamps and the thread's CPU time tell different things: other programs had the worker's CPU")
    return sorted(taken, key=lambda one: one["sum_ns"])[len(taken) // 2], described


def run(build: str) -> dict:
    loads, result, parameters = {}, {}, []
    for name, (load, pages) in LOADS.items():
        loads[name], described = _of(pathlib.Path(build), name, load, pages)
        parameters.append(described)
        result |= {f"{name}_{key}": loads[name][key] for key in ("sum_ns", "total_ns", "plain_ns")}
        for stage, ns in loads[name]["stages"]:
            print(f"  {name}: {ns:6.1f} ns  {stage}", flush=True)
    return {**result, "loads": loads, "parameters": "; ".join(parameters)}
