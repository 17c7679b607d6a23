"""The bench `workers`: two workers ÷ one, each divided by testpmd's 5tswap on as many cores.

Each worker has a net_pcap port of its own; all else is as in `cached`. Time is that of the threads on their CPUs, so that
the thread that only waits beside the second worker does not count. 1 is linear.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import statistics

from bench import cached
from bench.machine import TooBusy, rounds

ONE = cached.Load(mib=1_200)
TWO = dataclasses.replace(ONE, workers=2, mib=1_900)


def run(build: str) -> dict:
    if (os.cpu_count() or 1) < TWO.workers:
        raise TooBusy("this machine has one CPU: two workers have none to share")
    ratios, shares = [], []
    with cached.prepared(pathlib.Path(build), ONE, 1_100) as (folder, port, pages):
        parameters = cached.describe("workers", TWO, pages)
        pcap, table = folder / "hot.pcap", folder / "names.txt"
        for number in range(rounds()):
            ns = {}
            for load in (ONE, TWO):
                ns[load.workers] = (cached.again(cached.testpmd, pcap, pages > 1_000, "5tswap", load),
                                    cached.ours(pathlib.Path(build), pcap, pages > 1_000, port, table, load))
            (swap1, ours1), (swap2, ours2) = ns[1], ns[2]
            ratios.append((swap2 / ours2["ns_per_packet"]) / (swap1 / ours1["ns_per_packet"]))
            shares.append(min(ours1["answered_share"], ours2["answered_share"]))
            print(f"  round {number + 1}: one worker {ours1['ns_per_packet']:.1f} ns a packet (5tswap {swap1:.1f}), two "
                  f"{ours2['ns_per_packet']:.1f} (5tswap {swap2:.1f})", flush=True)
        checked = cached.compared(pathlib.Path(build), pcap, pages > 1_000, port, table, TWO)
    return {"ratio": round(statistics.median(ratios), 3), "answered": round(min(shares), 5), "compared": checked, "hugepages": pages, "rounds": ratios,
            "parameters": parameters}
