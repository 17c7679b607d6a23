"""The bench `miss`: forwarded queries a CPU second, ours on AF_XDP ÷ dnsdist without a cache.

Every query is for a name that was not asked for before; dnsperf keeps 200 of them open over a veth, so each server is at
what it can take. The resolver is behind the same veth. Time is that of all threads of the server. Ours has a cache in
front, so each answer is also put into it. `cost`: what our miss costs ÷ what our hit costs, by the same client.
"""

from __future__ import annotations

import itertools
import os
import pathlib
import statistics

from bench import floors
from bench.machine import announce, require_idle, rounds, version
from bench.peers import dnsdist
from bench.ports import CLIENT, CLIENT_CPU, DNSPERF, SECONDS, SERVER_CPU, Stage, cpu_ns
from lab.network import LabError, Network

MOST = 150_000  # queries a second that there are names for


def cost(stage: Stage, server, names: pathlib.Path | None, who: str) -> tuple[float, float]:
    """Nanoseconds of CPU an answer, and answers a second."""
    before = cpu_ns(server.pid)
    # Names of the checker's own, each asked for twice: the second answer is as the first, its TTL no higher.
    own = (f"n{i // 2}.checked.{names.name}.example.com" for i in itertools.count()) if names else None
    with stage.checked(own) as checker:
        loop = stage.closed_loop(SECONDS, names)
    spent = cpu_ns(server.pid) - before
    if loop.good != loop.answered or loop.lost > 0.01 * loop.sent:
        raise LabError(f"{who}: of {loop.sent} queries {loop.answered} were answered, {loop.good} without an error")
    return spent / (loop.answered + checker.compared), loop.rate


def run(build: str) -> dict:
    require_idle()
    ours, hits, peer, bare = [], [], [], []
    serial = itertools.count()
    with Network("bench") as network:
        stage = Stage(network, pathlib.Path(build))
        upstream = stage.outside()

        def fresh() -> pathlib.Path:
            run_number = next(serial)
            unheard = stage.folder / f"unheard{run_number}"
            unheard.write_text("".join(f"n{i}.r{run_number}.example.com A\n" for i in range(MOST * SECONDS)))
            return unheard

        parameters = announce(f"miss: dnsperf {' '.join(DNSPERF)} for {SECONDS} s by turns, each query for another name, forwarded to "
                        f"{version('knot')} {upstream}; servers on CPU {SERVER_CPU}, client and knot on CPU {CLIENT_CPU} of "
                        f"{os.cpu_count()}; ours on AF_XDP, one worker, cache and forward, idle: adaptive; {version('dnsdist')} without a "
                        "cache, on kernel sockets")
        for number in range(rounds()):
            server = stage.ours(warm=False, upstream=upstream)
            ours.append(cost(stage, server, fresh(), "a miss"))
            stage.warm()
            stage.closed_loop(1)  # the cache is full of other names: what it evicts of these is asked for again
            hits.append(cost(stage, server, None, "a hit"))
            stage.stop(server)
            server = dnsdist(stage, cache=False, upstream=upstream)
            peer.append(cost(stage, server, fresh(), "dnsdist"))
            stage.stop(server)
            if floors.is_measured(number):
                server = stage.bare(upstream=CLIENT)
                bare.append(cost(stage, server, fresh(), "without DNS"))
                stage.stop(server)
            print(f"  round {number + 1}: " + ", ".join(
                f"{who} {rows[-1][0]:.0f} ns at {rows[-1][1]:.0f}/s"
                for who, rows in (("a miss", ours), ("a hit", hits), ("dnsdist", peer), ("without DNS", bare))), flush=True)
    middle = statistics.median
    ratios = [p / o for (p, _), (o, _) in zip(peer, ours)]
    return {"ratio": round(middle(ratios), 3), "cost": round(middle(o / h for (o, _), (h, _) in zip(ours, hits)), 2),
            "ns": round(middle(o for o, _ in ours)), "hit_ns": round(middle(h for h, _ in hits)),
            "dnsdist_ns": round(middle(p for p, _ in peer)), "bare_ns": round(middle(b for b, _ in bare)),
            "floor": floors.of([p for p, _ in peer], [b for b, _ in bare]), "qps": round(middle(q for _, q in ours)),
            "dnsdist_qps": round(middle(q for _, q in peer)), "rounds": ratios, "parameters": parameters}
