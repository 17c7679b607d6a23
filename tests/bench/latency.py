"""The bench `latency`: how long a cached answer takes, in the eyes of dnsperf over a veth.

`ratio`: p99 at half of what dnsperf reaches ÷ p50 at a tenth of it, ours in `idle: spin`. `p50_us`: at 1,000 queries a
second in adaptive idle, beside that of knot on kernel sockets (`knot_p50_us`). Milder loads come first; every answer counts.
"""

from __future__ import annotations

import os
import pathlib
import statistics

from bench.machine import announce, require_idle, rounds, version
from bench.ports import CLIENT_CPU, DNSPERF, NAMES, SERVER_CPU, Stage
from lab.network import Network

SECONDS, FEW = 4, 1_000


def round_trips_us(stage: Stage, rate: float) -> list[float]:
    """Of each answer at a rate, sorted."""
    out = stage.dnsperf("-v", "-l", str(SECONDS), "-Q", str(round(rate)), "-c", "4", "-q", "200", "-T", "1")
    # A line an answer: "> NOERROR host0001.svc1.example.com A 0.000046"
    return sorted(float(line.rsplit(" ", 1)[1]) * 1e6 for line in out.splitlines() if line.startswith("> NOERROR"))


def at(share: float, values: list[float]) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]


def run(build: str) -> dict:
    require_idle()
    rows = []
    with Network("bench") as network:
        stage = Stage(network, pathlib.Path(build))
        said = announce(f"latency: dnsperf -c 4 -q 200 -T 1 on CPU {CLIENT_CPU} (the most: {' '.join(DNSPERF)}), servers on CPU "
                        f"{SERVER_CPU} of {os.cpu_count()}, {SECONDS} s each by turns, {NAMES} names, veth with one queue; ours on AF_XDP, "
                        f"cache and forward, idle: spin for the ratio, adaptive at {FEW}/s; {version('knot')} on kernel sockets")
        for number in range(rounds()):
            server = stage.ours(idle="spin")
            most, _ = stage.closed_loop(SECONDS)
            tenth, half = round_trips_us(stage, most / 10), round_trips_us(stage, most / 2)
            stage.stop(server)
            server = stage.ours()
            few = round_trips_us(stage, FEW)
            stage.stop(server)
            server = stage.knot(xdp=False)
            knot = round_trips_us(stage, FEW)
            stage.stop(server)
            rows.append({"ratio": at(0.99, half) / at(0.5, tenth), "p50_us": at(0.5, few), "p99_us": at(0.99, few),
                         "knot_p50_us": at(0.5, knot), "half_p99_us": at(0.99, half), "tenth_p50_us": at(0.5, tenth), "rate": most})
            print(f"  round {number + 1}: {most:.0f}/s reached; " + ", ".join(f"{k} {v:.1f}" for k, v in rows[-1].items() if k != "rate"),
                  flush=True)
    middle = {key: round(statistics.median(row[key] for row in rows), 1) for key in rows[0]}
    over = statistics.median(row["p50_us"] - row["knot_p50_us"] for row in rows)
    return {**middle, "rate": round(middle["rate"]), "over_knot_us": round(over, 1), "rounds": [row["ratio"] for row in rows],
            "parameters": said}
