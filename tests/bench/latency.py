"""The bench `latency`: how long a cached answer takes.

`ratio`: p99 at half of what a memif carries ÷ p50 at a tenth of it, ours in `idle: spin`. The generator offers queries at
random times (a Poisson process), waits for none, and counts from when each was due (memif_peer --open): on two CPUs a
client that the kernel schedules would measure its own turns. Percentiles are those of the median 10 ms: what the kernel's
other work on these CPUs costs is in `all_p99_us`, over all of the time, and in `interrupted_percent`, the share of the time
that the generator itself was without its CPU. A round in which that share is above MOST_INTERRUPTED_PERCENT tells about
the machine, not about us: it does not count, and with fewer than three rounds that do the bench says "not measurable". `p50_us`: dnsperf's at 1,000 queries a second over a veth, in
adaptive idle, beside that of knot on kernel sockets (`knot_p50_us`).
"""

from __future__ import annotations

import os
import pathlib
import statistics

from bench import memif
from bench.machine import NotMeasurable, announce, hugepages, require_idle, rounds, version
from bench.ports import CLIENT_CPU, NAMES, SERVER_CPU, Stage
from lab.network import Network

SECONDS, FEW = 4, 1_000
MOST_INTERRUPTED_PERCENT = 50  # above it most 10 ms slices have an interruption, the median one too
LEAST_ROUNDS = 3


def p50_us(stage: Stage, rate: int) -> float:
    out = stage.dnsperf("-v", "-l", str(SECONDS), "-Q", str(rate), "-c", "4", "-q", "200", "-T", "1")
    # A line an answer: "> NOERROR host0001.svc1.example.com A 0.000046"
    return statistics.median(float(line.rsplit(" ", 1)[1]) * 1e6 for line in out.splitlines() if line.startswith("> NOERROR"))


def on_memif(build: pathlib.Path, huge: bool, count: int) -> list[dict]:
    rows = []
    with Network("bench") as network:
        stage = memif.Stage(network, build, huge)
        for number in range(count):
            path = stage.socket()
            server = stage.ours(path, idle="spin")
            most, _ = stage.rate(path, 1.0)
            tenth, half = (stage.load(path, SECONDS, "--open", "--rate", str(round(most * share)), "--seed", str(number + 1))
                           for share in (0.1, 0.5))
            server.stop()
            if (worst := max(tenth["interrupted_percent"], half["interrupted_percent"])) > MOST_INTERRUPTED_PERCENT:
                print(f"  round {number + 1}: does not count, the generator was without its CPU {worst:.0f} % of the time", flush=True)
                continue
            rows.append({"ratio": half["typical_p99_us"] / tenth["typical_p50_us"], "tenth_p50_us": tenth["typical_p50_us"],
                         "half_p50_us": half["typical_p50_us"], "half_p99_us": half["typical_p99_us"],
                         "interrupted_percent": half["interrupted_percent"], "all_p99_us": half["p99_us"], "all_p999_us": half["p999_us"], "mqps": most / 1e6})
            print(f"  round {number + 1}: " + ", ".join(f"{k} {v:.2f}" for k, v in rows[-1].items()), flush=True)
    return rows


def counted(rows: list[dict], wanted: int) -> list[dict]:
    """The rounds, if there are enough of them to tell."""
    if len(rows) < min(LEAST_ROUNDS, wanted):
        raise NotMeasurable(f"in {wanted - len(rows)} of {wanted} rounds the generator was without its CPU more than "
                            f"{MOST_INTERRUPTED_PERCENT} % of the time")
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
        memif_rows = counted(on_memif(pathlib.Path(build), huge, rounds()), rounds())
    veth_rows = on_veth(pathlib.Path(build), rounds())
    middle = {key: round(statistics.median(row[key] for row in rows), 2) for rows in (memif_rows, veth_rows) for key in rows[0]}
    return {**middle, "hugepages": pages if huge else 0, "rounds": [row["ratio"] for row in memif_rows], "parameters": parameters}
