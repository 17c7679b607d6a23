"""The bench `miss`: forwarded queries a CPU second, ours on AF_XDP ÷ dnsdist without a cache.

Every query is for a name that was not asked for before, offered by kxdpgun over a veth; the resolver is behind the same
veth. Time is that of all threads of the server. Ours has a cache in front, so each answer is also put into it.
`cost`: what a miss of ours costs ÷ what a hit does, at the same rate.
"""

from __future__ import annotations

import itertools
import os
import pathlib
import statistics

from bench.machine import announce, require_idle, rounds, version
from bench.peers import dnsdist
from bench.ports import CLIENT_CPU, SECONDS, SERVER_CPU, Stage, cpu_ns
from lab.network import LabError, Network

RATE = 20_000


def cost(stage: Stage, server, names: pathlib.Path | None) -> float:
    before = cpu_ns(server.pid)
    # Names of the checker's own, each asked for twice: the second answer is as the first, its TTL no higher.
    own = (f"n{i // 2}.checked.{names.name}.example.com" for i in itertools.count()) if names else None
    with stage.checked(own) as checker:
        sent, got, good = stage.offered(SECONDS, RATE, names)
    spent = cpu_ns(server.pid) - before
    if good != got or got < 0.98 * sent:
        raise LabError(f"of {sent} queries {got} were answered, {good} without an error")
    return spent / (got + checker.compared)


def run(build: str) -> dict:
    require_idle()
    ours, hits, peer = [], [], []
    serial = itertools.count()
    with Network("bench") as network:
        stage = Stage(network, pathlib.Path(build))
        upstream = stage.outside()

        def fresh() -> pathlib.Path:
            run_number = next(serial)
            unheard = stage.folder / f"unheard{run_number}"
            unheard.write_text("".join(f"n{i}.r{run_number}.example.com A\n" for i in range(round(RATE * SECONDS * 1.2))))
            return unheard

        said = announce(f"miss: {RATE}/s offered by kxdpgun for {SECONDS} s by turns, each for another name, forwarded to "
                        f"{version('knot')} {upstream}; servers on CPU {SERVER_CPU}, client and knot on CPU {CLIENT_CPU} of "
                        f"{os.cpu_count()}; ours on AF_XDP, one worker, cache and forward, idle: adaptive; {version('dnsdist')} without a "
                        "cache, on kernel sockets")
        for number in range(rounds()):
            server = stage.ours(warm=False, upstream=upstream)
            ours.append(cost(stage, server, fresh()))
            stage.warm()
            hits.append(cost(stage, server, None))
            stage.stop(server)
            server = dnsdist(stage, cache=False, upstream=upstream)
            peer.append(cost(stage, server, fresh()))
            stage.stop(server)
            print(f"  round {number + 1}: ours {ours[-1]:.0f} ns a miss, {hits[-1]:.0f} a hit; dnsdist {peer[-1]:.0f} ns",
                  flush=True)
    middle = statistics.median
    ratios = [p / o for p, o in zip(peer, ours)]
    return {"ratio": round(middle(ratios), 3), "cost": round(middle(o / h for o, h in zip(ours, hits)), 2), "ns": round(middle(ours)),
            "hit_ns": round(middle(hits)), "dnsdist_ns": round(middle(peer)), "rounds": ratios, "parameters": said}
