"""The bench `reload`: the worst second's rate during 100 reloads of a list of a million lines ÷ that of the worst of as many
seconds undisturbed, before and after. `of_middle`: ÷ that of the middle one of these.

One worker answers the queries of `cached` from its cache, at what it can take. The list stands before the cache; of its
lines a hundredth are others each time, so nothing compiled can be used again. Reading, building and publishing run on the
control thread, one reload after the other; the rate is read once a second.
"""

from __future__ import annotations

import json
import pathlib
import random
import statistics
import subprocess

from bench import cached
from bench.machine import announce, rounds
from bench.policy import POLICY_SET, _rules
from lab.network import LabError

LINES, RELOADS, QUIET_SECONDS, ROUNDS, PAGES = 1_000_000, 100, 10.0, 1, 1_100
LOAD = cached.Load(mib=1_600)
CACHE = 65_536


def write_config(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """The configuration and its list; a tenth of the names that are asked for are in the list."""
    random.seed(20260802)
    names = folder / "list.txt"
    names.write_text("\n".join([POLICY_SET, *_rules(LINES - 1, 0)]) + "\n")
    path = folder / "reload.yaml"
    path.write_text(f"""plugins:
  - {{ tag: list, type: domain_set, args: {{ files: [{names}] }} }}
  - {{ tag: answers, type: cache, args: {{ size: {CACHE}, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [{{ addr: "udp://1.1.1.1:53" }}] }} }}
  - {{ tag: main, type: sequence, args: [ {{ matches: qname $list, exec: mark 1 }}, {{ exec: $answers }}, {{ exec: $up }} ] }}
""")
    return path, names


def once(build: pathlib.Path, folder: pathlib.Path, huge: bool) -> dict:
    config, names = write_config(folder)
    argv = [str(build / "tests/bench/bench_cached"), "--pcap", str(folder / "hot.pcap"), "--names", str(folder / "names.txt"),
            "--config", str(config), "--router-port", "0", "--mbufs", str(LOAD.mbufs), "--mib", str(LOAD.mib), "--seconds",
            str(QUIET_SECONDS), "--cache-mib", "64", "--reloads", str(RELOADS), "--list", str(names), *LOAD.records]
    done = subprocess.run(argv + ([] if huge else ["--no-huge"]), text=True, capture_output=True, timeout=3600)
    if done.returncode != 0:
        raise LabError(f"bench_cached failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def worst_by_worst(result: dict) -> float:
    return result["worst_qps"] / result["quiet_worst_qps"]


def run(build: str) -> dict:
    with cached.prepared(pathlib.Path(build), LOAD, PAGES) as (folder, _, pages):
        parameters = announce(
            f"reload: one worker, {LOAD.queries} queries for {LOAD.names} names again and again from net_pcap, answered from a "
            f"cache of {CACHE} entries, a set of {LINES} rules before it; {QUIET_SECONDS:g} s undisturbed, then {RELOADS} reloads "
            f"one after the other, a hundredth of the lines changed each time, then undisturbed until there are as many such seconds; {pages} hugepages of 2 MiB; rates by the second")
        results = []
        for number in range(rounds(ROUNDS)):
            results.append(once(pathlib.Path(build), folder, pages >= PAGES - 100))
            r = results[-1]
            print(f"  round {number + 1}: undisturbed {r['undisturbed_qps'] / 1e6:.2f} M/s (worst second {r['quiet_worst_qps'] / 1e6:.2f}), "
                  f"{r['reloads']} reloads of {r['reload_s']:.2f} s each: {r['middle_qps'] / 1e6:.2f}, worst second "
                  f"{r['worst_qps'] / 1e6:.2f} of {r['seconds']}", flush=True)
    ratios = [worst_by_worst(r) for r in results]
    middle = statistics.median
    return {"ratio": round(middle(ratios), 3), "of_middle": round(middle(r["worst_qps"] / r["undisturbed_qps"] for r in results), 3),
            **{f"{name}_mqps": round(middle(r[f"{name}_qps"] for r in results) / 1e6, 2)
               for name in ("undisturbed", "quiet_worst", "worst", "middle")},
            "reload_s": round(middle(r["reload_s"] for r in results), 2), "seconds": sum(r["seconds"] for r in results),
            "rounds": ratios, "parameters": parameters}
