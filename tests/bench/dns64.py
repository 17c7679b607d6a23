"""The bench `dns64`: the rate of answers that a dns64 made and the cache kept ÷ that of the same names' A answers.

Both answer the queries of `cached` from the cache, two addresses a name; with dns64 they ask for AAAA, whose records are
four times as long. What dns64 costs when it makes an answer is a miss, which waits for an upstream.
"""

from __future__ import annotations

import dataclasses
import pathlib
import statistics

from bench import cached
from bench.machine import announce, rounds
from lab.network import LabError

SECONDS, ROUNDS, PAGES = 2.0, 5, 700
LOAD = cached.Load()
TRANSLATED = dataclasses.replace(LOAD, qtype=28, records=("--translated",))
PLAIN = """plugins:
  - {{ tag: answers, type: cache, args: {{ size: 65536, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [{{ addr: "udp://1.1.1.1:53" }}] }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $answers }}, {dns64}{{ exec: $up }} ] }}
"""
DNS64 = """{ exec: $translator }, """
TRANSLATOR = """  - { tag: translator, type: dns64, args: { allow_ipv4: true } }
"""


def run(build: str) -> dict:
    with cached.prepared(pathlib.Path(build), LOAD, PAGES) as (folder, _, pages):
        parameters = announce(f"dns64: both: one worker, {LOAD.queries} queries for {LOAD.names} names again and again from net_pcap, "
                        f"{LOAD.mbufs} mbufs, {pages} hugepages of 2 MiB, {SECONDS:g} s by turns; with dns64: AAAA of 64:ff9b::/96")
        configs = {"with": folder / "dns64.yaml", "without": folder / "plain.yaml"}
        configs["with"].write_text(PLAIN.format(dns64=DNS64) + TRANSLATOR)
        configs["without"].write_text(PLAIN.format(dns64=""))
        pcaps = {"with": folder / "aaaa.pcap", "without": folder / "hot.pcap"}
        cached.write_pcap(pcaps["with"], TRANSLATED)
        huge = pages >= PAGES - 100

        def ours(side: str, *words: str) -> dict:
            load = TRANSLATED if side == "with" else LOAD
            result = cached.ours(pathlib.Path(build), pcaps[side], huge, 0, folder / "names.txt", load, *words,
                                 config=configs[side], seconds=SECONDS)
            if not words and result["answered_share"] < 0.999:
                raise LabError(f"not all is answered: {result}")
            return result

        compared = ours("with", "--check")["compared"]
        ns: dict[str, list[float]] = {"with": [], "without": []}
        for number in range(rounds(ROUNDS)):
            for side, found in ns.items():
                found.append(ours(side)["ns_per_packet"])
            print(f"  round {number + 1}: {ns['with'][-1]:.1f} ns an answer that dns64 made, {ns['without'][-1]:.1f} another", flush=True)
    ratios = [b / a for a, b in zip(ns["with"], ns["without"])]
    return {"ratio": round(statistics.median(ratios), 3), "ns": round(statistics.median(ns["with"]), 1),
            "plain_ns": round(statistics.median(ns["without"]), 1), "compared": compared, "hugepages": pages, "rounds": ratios,
            "parameters": parameters}
