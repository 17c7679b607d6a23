"""The bench `latency`: how long a cached answer takes.

`ratio`: p99 at half of what a memif carries ÷ p50 at a tenth of it, ours in `idle: spin`. The generator offers queries at
random times (a Poisson process), waits for none, and counts from when each was due (memif_peer --open): on two CPUs a
client that the kernel schedules would measure its own turns. A round trip does not count while the generator or the worker was
without its CPU, nor as long again, because what waited then takes that long (time_away.h). The generator finds that in its own loop, and the
worker's turns are watched from outside (turn_gaps.h). `all_ratio` is of all round trips, `typical_ratio` of the median 10 ms.
`interrupted_percent` and `gone_percent`: of the time, without a CPU, generator and worker; `left_out_percent`: of the round trips.
A round with more than MOST_LEFT_OUT_PERCENT tells about the machine, not about us: it does not count, and with fewer than
three rounds that do the bench says "not measurable". `floor`: p99 of a worker without DNS (floors.py) at half of its rate ÷ our p50. `p50_us`: dnsperf's at 1,000 queries a second over a veth, in
adaptive idle, beside that of knot on kernel sockets (`knot_p50_us`).
"""

from __future__ import annotations

import math
import os
import pathlib
import statistics

from bench import floors, memif
from bench.machine import NotMeasurable, announce, hugepages, require_idle, rounds, version
from bench.ports import CLIENT_CPU, NAMES, SERVER_CPU, Stage
from lab.network import Network, Process

SECONDS, FEW = 4, 1_000
MOST_LEFT_OUT_PERCENT = 50
TARGETS = (floors.TARGET, "tests/bench/turn_gaps.so")
LEAST_ROUNDS = 3
SHARES = ("interrupted_percent", "gone_percent", "left_out_percent")


def p50_us(stage: Stage, rate: int) -> float:
    out = stage.dnsperf("-v", "-l", str(SECONDS), "-Q", str(rate), "-c", "4", "-q", "200", "-T", "1")
    # A line an answer: "> NOERROR host0001.svc1.example.com A 0.000046"
    return statistics.median(float(line.rsplit(" ", 1)[1]) * 1e6 for line in out.splitlines() if line.startswith("> NOERROR"))


def row_of(most: float, tenth: dict, half: dict) -> dict:
    """The figures of one round from what the generator says of both loads."""
    return {"ratio": half["on_cpu_p99_us"] / (tenth["on_cpu_p50_us"] or math.inf), "typical_ratio": half["typical_p99_us"] / tenth["typical_p50_us"],
            "all_ratio": half["p99_us"] / tenth["p50_us"], "tenth_p50_us": tenth["on_cpu_p50_us"], "half_p50_us": half["on_cpu_p50_us"],
            "half_p99_us": half["on_cpu_p99_us"], "all_p99_us": half["p99_us"], "all_p999_us": half["p999_us"],
            **{key: max(tenth[key], half[key]) for key in SHARES}, "mqps": most / 1e6}


def loaded(stage: memif.Stage, path: pathlib.Path, server: Process, gaps: pathlib.Path, number: int, *words: str) -> dict:
    """One round of a server that runs, which ends."""
    most, _ = stage.rate(path, 1.0, *words)
    tenth, half = (stage.load(path, SECONDS, "--open", "--rate", str(round(most * share)), "--seed", str(number + 1), "--gaps", str(gaps), *words)
                   for share in (0.1, 0.5))
    server.stop()
    return row_of(most, tenth, half)


def on_memif(build: pathlib.Path, huge: bool, count: int) -> tuple[list[dict], list[dict]]:
    """The rounds that count: those with our worker, and those with the worker without DNS."""
    rows, bare = [], []
    watch = str(build / "tests/bench/turn_gaps.so")
    with Network("bench") as network:
        stage = memif.Stage(network, build, huge)
        for number in range(count):
            path, gaps = stage.socket(), stage.folder / f"gaps{number}"
            row = loaded(stage, path, stage.ours(path, "spin", "env", f"LD_PRELOAD={watch}", f"TURN_GAPS={gaps}"), gaps, number)
            keep("ours", row, rows, number)
            if floors.is_measured(number):
                path, gaps = stage.socket(), stage.folder / f"bare_gaps{number}"
                row = loaded(stage, path, stage.bare(path, "--spin", "--gaps", str(gaps)), gaps, number, "--without-records")
                keep("without DNS", row, bare, number)
    return rows, bare


def floor_of(middle: dict, bare: dict) -> dict:
    """The ratio with the other worker's p99. (Its own ratio would be no floor: its median is far less.)"""
    return {"floor": round(bare["half_p99_us"] / middle["tenth_p50_us"], 2), "bare_half_p99_us": bare["half_p99_us"],
            "bare_all_p99_us": bare["all_p99_us"], "bare_gone_percent": bare["gone_percent"]}


def keep(who: str, row: dict, rows: list[dict], number: int) -> None:
    """Adds the row, unless it tells about the machine."""
    counts = row["left_out_percent"] <= MOST_LEFT_OUT_PERCENT
    print(f"  round {number + 1}, {who}{'' if counts else ', does not count'}: " + ", ".join(f"{k} {v:.2f}" for k, v in row.items()), flush=True)
    if counts:
        rows.append(row)


def counted(rows: list[dict], wanted: int) -> list[dict]:
    """The rounds, if there are enough of them to tell."""
    if len(rows) < min(LEAST_ROUNDS, wanted):
        raise NotMeasurable(f"in {wanted - len(rows)} of {wanted} rounds more than {MOST_LEFT_OUT_PERCENT} % of the round trips were while a "
                            "side was without its CPU")
    return rows


def on_veth(build: pathlib.Path, count: int) -> list[dict]:
    rows = []
    with Network("bench") as network:
        stage = Stage(network, build)
        for number in range(count):
            row = {}
            for name, start in (("p50_us", stage.ours), ("knot_p50_us", lambda: stage.knot(xdp=False))):
                server = start()
                row[name] = p50_us(stage, FEW)
                stage.stop(server)
            rows.append({**row, "over_knot_us": row["p50_us"] - row["knot_p50_us"]})
            print(f"  at {FEW}/s, round {number + 1}: " + ", ".join(f"{k} {v:.1f}" for k, v in rows[-1].items()), flush=True)
    return rows


def run(build: str) -> dict:
    require_idle()
    with hugepages(1024) as pages:
        huge = pages >= 800
        parameters = announce(f"latency: {memif.QUERIES} queries for {memif.NAMES} names, {memif.MEMIF}, {SECONDS} s at each load, ours with idle: spin "
                        f"on CPU {SERVER_CPU}, the generator on CPU {CLIENT_CPU} of {os.cpu_count()}, "
                        f"{pages if huge else 'no'} hugepages of 2 MiB; at {FEW}/s: dnsperf -c 4 -q 200 -T 1, {NAMES} names, veth with one "
                        f"queue, ours on AF_XDP, idle: adaptive; {version('knot')} on kernel sockets")
        memif_rows, bare_rows = on_memif(pathlib.Path(build), huge, rounds())
        memif_rows = counted(memif_rows, rounds())
    veth_rows = on_veth(pathlib.Path(build), rounds())
    middle = {key: round(statistics.median(row[key] for row in rows), 2) for rows in (memif_rows, veth_rows) for key in rows[0]}
    if bare_rows:
        middle |= floor_of(middle, {key: round(statistics.median(row[key] for row in bare_rows), 2) for key in bare_rows[0]})
    return {**middle, "hugepages": pages if huge else 0, "rounds": [row["ratio"] for row in memif_rows], "parameters": parameters}
