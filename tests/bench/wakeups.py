"""The bench `wakeups`: what it costs to be woken, and what not to be.

On AF_XDP (the veth of `ports`): dnsperf's closed-loop rate and the CPU an answer at 150,000/s, woken by the kernel, busy
polling, and never asleep, by turns. On a memif, which wakes no sleeper: the round trips of single queries at 1,000/s, adaptive
and spinning, and what a worker costs that has nothing to do.
"""

from __future__ import annotations

import pathlib
import statistics
import time

from bench import memif, ports
from bench.machine import announce, hugepages, require_idle, rounds
from lab.network import Network

SECONDS = 3
IDLE_MODES = {"woken": {}, "busy_poll": {"port": ", busy_poll: 64"}, "spin": {"idle": "spin"}}
RATE = 1_000  # of single queries


def af_xdp(build: pathlib.Path) -> dict:
    rates: dict[str, list[float]] = {idle_mode: [] for idle_mode in IDLE_MODES}
    costs: dict[str, list[float]] = {idle_mode: [] for idle_mode in IDLE_MODES}
    with Network("bench") as network:
        stage = ports.Stage(network, build)
        for number in range(rounds(3)):
            for idle_mode, words in IDLE_MODES.items():
                server = stage.ours(**words)
                result = stage.cost(server, SECONDS)
                stage.stop(server)
                rates[idle_mode].append(result["qps"])
                costs[idle_mode].append(result["ns"])
            print(f"  round {number + 1}: " + "; ".join(
                f"{idle_mode} dnsperf {rates[idle_mode][-1]:.0f}/s, {costs[idle_mode][-1]:.0f} ns an answer at {ports.RATE}/s"
                for idle_mode in IDLE_MODES), flush=True)
    middle = statistics.median
    ratios = [a / b for a, b in zip(rates["woken"], rates["busy_poll"])]
    result = {"ratio": round(middle(ratios), 3), "rounds": ratios}
    for idle_mode in IDLE_MODES:
        result |= {f"{idle_mode}_qps": round(middle(rates[idle_mode])), f"{idle_mode}_ns": round(middle(costs[idle_mode]))}
    return result


def polled(build: pathlib.Path, huge: bool) -> dict:
    took: dict[str, list[dict]] = {"adaptive": [], "spin": []}
    idle = []
    with Network("bench") as network:
        stage = memif.Stage(network, build, huge)
        for number in range(rounds(3)):
            for mode, results in took.items():
                path = stage.socket()
                server = stage.ours(path, mode)
                results.append(stage.load(path, SECONDS, "--rate", str(RATE)))
                if mode == "adaptive":
                    begin, before = time.monotonic(), ports.cpu_ns(server.pid)
                    time.sleep(SECONDS)
                    idle.append((ports.cpu_ns(server.pid) - before) / 1e9 / (time.monotonic() - begin))
                server.stop()
            print(f"  round {number + 1}: " + "; ".join(
                f"{mode} p50 {results[-1]['p50_us']} us, p99 {results[-1]['p99_us']} us" for mode, results in took.items()) +
                f"; without traffic {100 * idle[-1]:.1f} % of a core", flush=True)
    best = {mode: min(r["p50_us"] for r in results) for mode, results in took.items()}
    return {"added_us": round(best["adaptive"] - best["spin"], 1), "p50_us": best["adaptive"], "spin_p50_us": best["spin"],
            "p99_us": min(r["p99_us"] for r in took["adaptive"]), "idle_percent": round(100 * statistics.median(idle), 2)}


def run(build: str) -> dict:
    require_idle()
    folder = pathlib.Path(build)
    parameters = announce(f"wakeups: dnsperf {' '.join(ports.DNSPERF)} and kxdpgun at {ports.RATE}/s on AF_XDP, {SECONDS} s each by turns; "
                    f"single queries at {RATE}/s on memif; server on CPU {ports.SERVER_CPU}, client on CPU {ports.CLIENT_CPU}; ours with "
                    "one worker, cache and forward")
    result = af_xdp(folder)
    with hugepages(1024) as pages:
        return result | polled(folder, pages >= 800) | {"parameters": parameters}
