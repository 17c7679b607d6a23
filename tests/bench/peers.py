"""The bench `peers`: what a cached answer costs the machine, best server on kernel sockets ÷ ours on AF_XDP.

100,000 queries a second that kxdpgun offers for 1,000 names over a veth, by turns; all CPU time of the machine that is not
idle (softirqs are billed to whoever runs), by the answers that came back. The peers are Debian's, with one thread
each: unbound and dnsdist with their caches, knot with kernel sockets, which looks nothing up.
"""

from __future__ import annotations

import os
import pathlib
import statistics

from bench.machine import require_idle
from bench.ports import CLIENT_CPU, NAMES, OURS, SECONDS, SERVER_CPU, Stage, machine_busy_ns
from lab.network import LabError, Network, Process

ROUNDS, RATE = 5, 100_000
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


def cost(stage: Stage) -> float:
    """Nanoseconds of the machine an answer."""
    stage.warm()
    idle = machine_busy_ns()
    sent, got, good = stage.offered(SECONDS, RATE)
    busy = machine_busy_ns() - idle
    if good != got or got < 0.99 * sent:
        raise LabError(f"of {sent} queries {got} were answered, {good} without an error")
    return busy / got


def run(build: str) -> dict:
    require_idle()
    servers = {"ours": lambda stage: stage.ours(warm=False), "unbound": unbound, "dnsdist": dnsdist, "knot": knot}
    costs: dict[str, list[float]] = {name: [] for name in servers}
    with Network("bench") as network:
        stage = Stage(network, pathlib.Path(build))
        print(f"peers: {RATE}/s offered by kxdpgun for {SECONDS} s, {NAMES} names; servers on CPU {SERVER_CPU} with one "
              f"thread each, the client on CPU {CLIENT_CPU} of {os.cpu_count()}; ours on AF_XDP, idle: adaptive", flush=True)
        for number in range(ROUNDS):
            for name, start in servers.items():
                server = start(stage)
                costs[name].append(cost(stage))
                stage.stop(server)
            print(f"  round {number + 1}: " + ", ".join(f"{name} {c[-1]:.0f} ns" for name, c in costs.items()), flush=True)
    middle = {name: statistics.median(c) for name, c in costs.items()}
    best = min((ns, name) for name, ns in middle.items() if name != "ours")[1]
    ratio = statistics.median(peer / own for peer, own in zip(costs[best], costs["ours"]))
    return {"ratio": round(ratio, 3), "best": best, **{f"{name}_ns": round(ns) for name, ns in middle.items()}}
