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

from bench.machine import require_idle
from bench.peers import dnsdist
from bench.ports import CLIENT_CPU, SECONDS, SERVER_CPU, Stage, cpu_ns
from lab.network import LabError, Network

ROUNDS, RATE = 5, 20_000


def cost(stage: Stage, server, names: pathlib.Path | None) -> float:
    before = cpu_ns(server.pid)
    sent, got, good = stage.offered(SECONDS, RATE, names)
    spent = cpu_ns(server.pid) - before
    if good != got or got < 0.98 * sent:
        raise LabError(f"of {sent} queries {got} were answered, {good} without an error")
    return spent / got


def run(build: str) -> dict:
    require_idle()
    ours, hits, peer = [], [], []
    serial = itertools.count()
    with Network("bench") as network:
        stage = Stage(network, pathlib.Path(build))
        upstream = stage.outside()
        unheard = stage.folder / "unheard"

        def fresh() -> pathlib.Path:
            run_number = next(serial)
            unheard.write_text("".join(f"n{i}.r{run_number}.example.com A\n" for i in range(round(RATE * SECONDS * 1.2))))
            return unheard

        print(f"miss: {RATE}/s offered by kxdpgun for {SECONDS} s, each for another name, forwarded to knot {upstream}; servers "
              f"on CPU {SERVER_CPU}, client and knot on CPU {CLIENT_CPU} of {os.cpu_count()}", flush=True)
        for number in range(ROUNDS):
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
    return {"ratio": round(middle(p / o for p, o in zip(peer, ours)), 3), "cost": round(middle(o / h for o, h in zip(ours, hits)), 2),
            "ns": round(middle(ours)), "hit_ns": round(middle(hits)), "dnsdist_ns": round(middle(peer))}
