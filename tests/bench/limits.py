"""The bench `limits`: nanoseconds an answer without limits ÷ with a limit on responses. `ratio=` is their median.

Both are `cached` of this tree, by turns, with cookies on. The limit counts every answer by client prefix and name, as other
servers' response rate limits do, and is never exceeded.
"""

from __future__ import annotations

import pathlib
import statistics

from bench import cached
from bench.instr import LIMIT
from bench.machine import announce, rounds
from lab.network import LabError

ROUNDS, PAGES = 7, 1_024


def run(build: str) -> dict:
    load, folder_of = cached.Load(), pathlib.Path(build)
    with cached.prepared(folder_of, load, PAGES) as (folder, port, pages):
        plain = cached.ROOT / "configs/minimal.yaml"
        limited = folder / "limited.yaml"
        limited.write_text(plain.read_text() + LIMIT)
        parameters = announce(f"limits: both as `cached`, {pages} hugepages of 2 MiB, {cached.SECONDS:g} s by turns, cookies on; with: "
                              + LIMIT.splitlines()[1].strip())
        sides = {"without": plain, "with": limited}
        ns: dict[str, list[float]] = {side: [] for side in sides}
        huge = pages >= PAGES - 100

        def ours(side: str, *words: str) -> dict:
            return cached.ours(folder_of, folder / "hot.pcap", huge, port, folder / "names.txt", load, *words, config=sides[side])

        compared = ours("with", "--check")["compared"]
        for number in range(rounds(ROUNDS)):
            for side in sides if number % 2 == 0 else reversed(sides):
                result = ours(side)
                if result["answered_share"] < 0.999:
                    raise LabError(f"not every query is answered: {result}")
                ns[side].append(result["ns_per_packet"])
            print(f"  round {number + 1}: without {ns['without'][-1]:.1f} ns a packet, with {ns['with'][-1]:.1f}", flush=True)
    ratios = [a / b for a, b in zip(ns["without"], ns["with"])]
    return {"ratio": round(statistics.median(ratios), 3), "ns": round(statistics.median(ns["with"]), 1),
            "plain_ns": round(statistics.median(ns["without"]), 1), "compared": compared, "hugepages": pages, "rounds": ratios,
            "parameters": parameters}
