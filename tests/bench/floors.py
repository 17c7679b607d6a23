"""Floors of benches: the ratio that each would have with a worker without DNS in our place (bench_bare).

It has our port code, pool, burst, descriptors and idle mode. It turns each packet round, reads as many lines of tables as large
as our hit reads at least, and copies records of the same size. So `floor` is what the machine permits for the same packets and
memory. `floor_own` adds our instructions: their time is what ours takes more than the worker without DNS on the same packets
while all of them stay in the L2 cache. `floor_own_l2` is the same within the L2 cache, with our instructions at the CPU's peak rate.
"""

from __future__ import annotations

import json
import pathlib
import statistics
import subprocess
from collections.abc import Sequence

from lab.network import LabError

TARGET = "tests/bench/bench_bare"
SECONDS = 1.0


def is_measured(number: int) -> bool:
    """Whether it takes its turn in this round of a bench: in every second one."""
    return number % 2 == 0


def _bench_bare(build: pathlib.Path, *words: str) -> str:
    """What it prints."""
    done = subprocess.run([str(build / TARGET), *words], text=True, capture_output=True, timeout=120)
    if done.returncode != 0:
        raise LabError(f"bench_bare failed: {done.stderr[-2000:]}")
    return done.stdout


def on_pcap(build: pathlib.Path, pcap: pathlib.Path, huge: bool, load) -> float:
    """Nanoseconds a packet of a cached.Load."""
    sizes = [word for word in load.records if word == "--one-to" or not word.startswith("-")][:2] or ["2"]
    words = ["--pcap", str(pcap), "--cpu", "1", "--seconds", str(SECONDS), "--mbufs", str(load.mbufs), "--mib", str(load.mib),
             "--entries", str(load.names), "--records", *sizes]
    return json.loads(_bench_bare(build, *words, *([] if huge else ["--no-huge"])).splitlines()[-1])["ns_per_packet"]


def of(others: Sequence[float], bares: Sequence[float]) -> float:
    """The floor of a ratio other ÷ ours, from rounds of both; of rates, give them the other way round."""
    measured = [other for number, other in enumerate(others) if is_measured(number)]
    return round(statistics.median(other / bare for other, bare in zip(measured, bares, strict=True)), 3)


def highest_rate(build: pathlib.Path) -> float:
    """Instructions per nanosecond that the machine's CPU reaches. For x86-64."""
    return float(_bench_bare(build, "--rate"))


def own_ns(result: dict, times: float = 1.0) -> float:
    """`bare_ns`, and what `times` the instructions that `cached` has more take in L2."""
    return result["bare_ns"] + times * (result["ns_l2"] - result["bare_ns_l2"])


def with_own(result: dict, times: float = 1.0) -> dict:
    return {**result, "floor_own": round(result["testpmd_ns"] / own_ns(result, times), 3)}


def with_l2(result: dict, of_cached: int, of_bare: int) -> dict:
    """The floor of `ratio_l2`; if the result has the CPU's highest rate."""
    if "most_instr_per_ns" not in result:
        return result
    least_ns = result["bare_ns_l2"] + (of_cached - of_bare) / result["most_instr_per_ns"]
    return {**result, "floor_own_l2": round(result["testpmd_ns_l2"] / least_ns, 3)}


def instructions_per_ns(result: dict, of_cached: int, of_bare: int) -> float:
    """Of our own code, while all packets stay in L2."""
    return round((of_cached - of_bare) / (result["ns_l2"] - result["bare_ns_l2"]), 1)


def times_of(instructions: int, of_cached: int, of_bare: int) -> float:
    """How many times as many instructions a load has more than the worker without DNS, as `cached` has."""
    return (instructions - of_bare) / (of_cached - of_bare)
