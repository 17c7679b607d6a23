"""The bench `zipf`: as `cached`, with a cache of a million names of one to four addresses.

`ratio`: 400,000 queries drawn from all names alike, so that nearly every answer comes from memory and hardly a query
comes twice. `ratio_zipf`: drawn by Zipf's law with exponent 1, as clients ask.
"""

from __future__ import annotations

import dataclasses
import pathlib

from bench import cached

UNIFORM = cached.Load(queries=400_000, names=1_000_000, records=("--records", "4", "--one-to", "--cache-mib", "512"),
                      mbufs=524_288, mib=2_700)
PAGES = 1_500


def _figures(build: pathlib.Path, load: cached.Load, usual: int) -> dict:
    with cached.prepared(build, load, PAGES) as (folder, port, pages):
        parameters = cached.describe("zipf", load, pages)
        return {**cached.rounds(build, folder, pages >= PAGES - 50, port, load, usual), "hugepages": pages, "parameters": parameters}


def run(build: str) -> dict:
    uniform = _figures(pathlib.Path(build), UNIFORM, 5)
    print("by Zipf's law:", flush=True)
    skewed = _figures(pathlib.Path(build), dataclasses.replace(UNIFORM, zipf=1.0), 3)
    return {**uniform, **cached.in_l2(pathlib.Path(build)), "ratio_zipf": skewed["ratio"], "ns_zipf": skewed["ns"], "packet_cache_zipf": skewed["packet_cache"],
            "floor_zipf": skewed["floor"]}
