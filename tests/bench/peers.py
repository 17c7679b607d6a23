"""The bench `peers`: what a cached answer costs the machine, best server on kernel sockets ÷ ours on AF_XDP.

kxdpgun offers queries for 1,000 names over a veth to each server in turn, at the highest of RATES that every server answers
on this machine. The figure is all CPU time of the machine that is not idle (softirqs are billed to the process that runs),
divided by the answers that came back. The peers are Debian's, with one thread each: unbound and dnsdist with their caches,
knot with kernel sockets, as an authoritative server.
"""

from __future__ import annotations

import os
import pathlib
import statistics

from bench import floors
from bench.cached import again
from bench.machine import announce, busy_ns, require_idle, rounds, version
from bench.ports import CLIENT_CPU, NAMES, OURS, SECONDS, SERVER_CPU, Stage
from lab.network import LabError, Network, Process

RATES = (100_000, 80_000, 60_000, 40_000, 25_000, 15_000)  # queries a second
TRIAL_SECONDS = 2
LEAST_ANSWERED = (0.999, 0.95)  # of the queries: by ours, by a peer
PINNED = ("taskset", "-c", SERVER_CPU)
UNBOUND = """server:
  interface: {ours}
  access-control: 0.0.0.0/0 allow
  num-threads: 1
  do-not-query-localhost: no
  module-config: "iterator"
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/pid"
  use-syslog: no
  verbosity: 1
forward-zone:
  name: "."
  forward-addr: {upstream}
"""
DNSDIST = """setLocal("{ours}:53")
setACL("0.0.0.0/0")
setSecurityPollSuffix("")
newServer({{address="{upstream}", healthCheckMode="up"}})
getServer(0):setUp()
{cache}
"""
DNSDIST_CACHE = "pc = newPacketCache(100000, {maxTTL=86400, minTTL=0})\ngetPool(\"\"):setCache(pc)"


def unbound(stage: Stage) -> Process:
    file = stage.folder / "unbound.conf"
    file.write_text(UNBOUND.format(ours=OURS, folder=stage.folder, upstream="127.0.0.1@5300"))
    stage.serial += 1
    process = stage.network.start("server", f"unbound{stage.serial}", *PINNED, "unbound", "-d", "-c", str(file))
    process.wait_for("start of service")
    return process


def dnsdist(stage: Stage, cache: bool = True, upstream: str = "127.0.0.1:5300") -> Process:
    file = stage.folder / "dnsdist.conf"
    file.write_text(DNSDIST.format(ours=OURS, upstream=upstream, cache=DNSDIST_CACHE if cache else ""))
    stage.serial += 1
    process = stage.network.start("server", f"dnsdist{stage.serial}", *PINNED, "dnsdist", "--supervised",
                                  "--disable-syslog", "-C", str(file))
    process.wait_for("Listening on")
    return process


def knot(stage: Stage) -> Process:
    return stage.knot(xdp=False)


def is_served(name: str, sent: int, got: int, good: int) -> bool:
    return good == got and got >= LEAST_ANSWERED[name != "ours"] * sent


def cost(stage: Stage, name: str, rate: int) -> tuple[float, float]:
    """Nanoseconds of the machine an answer, and the share of queries without one."""
    stage.warm()
    before = busy_ns()
    with stage.checked() as checker:
        sent, got, good = stage.offered(SECONDS, rate)
    busy = busy_ns() - before - checker.cpu_ns
    if not is_served(name, sent, got, good):
        raise LabError(f"of {sent} queries {name} answered {got}, {good} without an error")
    return busy / (got + checker.compared), 1 - got / sent


def measured(stage: Stage, name: str, start, rate: int) -> tuple[float, float]:
    server = start(stage)
    try:
        return cost(stage, name, rate)
    finally:
        stage.stop(server)


def highest_rate(servers: dict, serves, rates=RATES) -> int:
    """The highest of `rates` that all can serve: one that fails lowers the rate for those after it. `serves(name, rate)`."""
    left = list(rates)
    for name in servers:
        while left and not serves(name, left[0]):
            print(f"  {name} cannot serve {left.pop(0)} queries a second here", flush=True)
        if not left:
            raise LabError(f"{name} does not even serve {rates[-1]} queries a second")
    return left[0]


def rate_for(stage: Stage, servers: dict) -> int:
    def serves(name: str, rate: int) -> bool:
        server = servers[name](stage)
        try:
            stage.warm()
            return is_served(name, *stage.offered(TRIAL_SECONDS, rate))
        finally:
            stage.stop(server)
    return highest_rate(servers, serves)


def run(build: str) -> dict:
    require_idle()
    bare: list[float] = []
    servers = {"ours": lambda stage: stage.ours(warm=False), "unbound": unbound, "dnsdist": dnsdist, "knot": knot}
    costs: dict[str, list[float]] = {name: [] for name in servers}
    lost: dict[str, list[float]] = {name: [] for name in servers}
    with Network("bench") as network:
        stage = Stage(network, pathlib.Path(build))
        rate = rate_for(stage, servers)
        parameters = announce(f"peers: {rate}/s offered by kxdpgun for {SECONDS} s by turns, {NAMES} names; servers on CPU {SERVER_CPU} with "
                        f"one thread each, the client on CPU {CLIENT_CPU} of {os.cpu_count()}; ours on AF_XDP, cache and forward, idle: "
                        f"adaptive; {version('unbound')} and {version('dnsdist')} with their caches, {version('knot')} with the zone, on "
                        "kernel sockets")
        for number in range(rounds()):
            for name, start in servers.items():
                ns, share = again(measured, stage, name, start, rate)
                costs[name].append(ns)
                lost[name].append(100 * share)
            if floors.is_measured(number):
                bare.append(again(measured, stage, "ours", Stage.bare, rate)[0])
            print(f"  round {number + 1}: without DNS {bare[-1]:.0f} ns, " + ", ".join(f"{name} {costs[name][-1]:.0f} ns ({lost[name][-1]:.3f} % lost)"
                                                        for name in servers), flush=True)
    middle = {name: statistics.median(c) for name, c in costs.items()}
    best = min((ns, name) for name, ns in middle.items() if name != "ours")[1]
    ratios = [peer / own for peer, own in zip(costs[best], costs["ours"])]
    return {"ratio": round(statistics.median(ratios), 3), "best": best, "rate": rate, "bare_ns": round(statistics.median(bare)),
            "floor": floors.of(costs[best], bare), **{f"{name}_ns": round(ns) for name, ns in middle.items()},
            **{f"{name}_lost_percent": round(statistics.median(l), 3) for name, l in lost.items()}, "rounds": ratios,
            "parameters": parameters}
