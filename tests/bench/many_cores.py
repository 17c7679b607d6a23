"""The bench `cores`: lines that move between cores per answer, miss, insert and claim, and what they make of 1 to 64 workers.

The lines are counted in a machine of eight emulated CPUs (tests/cores), so they do not depend on this one. What a worker does
by itself and what a line costs are measured here, and the rates of many workers are a model of both:

    answer = (1 - m) hit + m (miss + insert + f (lines of a miss and its insert) L)      m: share of misses, f = (N - 1) / N
    rate   = N / answer                                                                  L: nanoseconds of a line

Each worker writes a shard of the cache, so all do the same work. A miss has the part of an insert that its worker does; what
the cache writer does is timed (bench `scale`) by itself. Lines are those of one miss among 15 hits: its messages are alone in
their rings, and move more lines than those of a burst.

`waits` has each line at its full cost (`fill_ns`), `overlaps` has the cost of a line that does not wait for the one before
(`overlapped_ns`). Real workers are between the two.
"""

from __future__ import annotations

import json
import pathlib
import statistics
import subprocess

from bench.document import cpu_model, load
from bench.machine import announce, build_apart, require_idle, rounds
from cores import guest, laws, trace
from lab.network import LabError

LINE_COST = "tests/cores/line_cost"
WORKERS = (1, 2, 4, 7)
MIXED = 16            # queries of `mixed` for one miss
BURSTS = 20           # of a worker, counted per operation
REPEATS = 2           # of each count, for the spread
TIMED_BURSTS = 1_000
LINE_RUNS = 9         # the slowest counts
MODELLED = (1, 2, 4, 8, 16, 24, 32, 48, 64)
MISSES = (0, 5, 20)   # percent


def spread(values: list[float]) -> str:
    return f"{min(values):.2f}" if max(values) - min(values) < 0.005 else f"{min(values):.2f} to {max(values):.2f}"


def counted(build: pathlib.Path) -> tuple[dict[int, dict[str, trace.Needs]], float]:
    """Lines by number of workers and name of a law; and the largest difference of two repeats."""
    by_workers, widest = {}, 0.0
    kernel = guest.debian(build / "guest-kernel")
    with guest.booted(kernel, build) as machine:
        for workers in WORKERS:
            repeats = [machine.counted(workers, BURSTS) for _ in range(REPEATS)]
            needs = [laws.of(operations) for operations in repeats]
            for name in laws.LAWS:
                fills, writes = [n[name].fills() for n in needs], [n[name].shared_writes for n in needs]
                print(f"  {name} workers {workers}: {spread(fills)} lines of other cores, {spread(writes)} shared writes", flush=True)
                widest = max(widest, max(fills) - min(fills), max(writes) - min(writes))
            mixed = [next(o.total * MIXED for o in operations if o.name == "mixed") for operations in repeats]
            print(f"  miss and insert among hits, workers {workers}: {spread([n.fills() for n in mixed])} lines of other cores", flush=True)
            if wrong := laws.broken(repeats[0]):
                raise LabError("; ".join(wrong))
            by_workers[workers] = needs[0] | {"among hits": mixed[0]}
    return by_workers, widest


def timed(build: pathlib.Path) -> dict[str, float]:
    """Nanoseconds of one worker by itself, per operation, without what is beside it in the harness; and of a line."""
    require_idle()
    runs = []
    for _ in range(rounds(5)):
        done = subprocess.run([str(build / trace.LOAD), "--", "1", str(TIMED_BURSTS)], text=True, capture_output=True)
        if done.returncode != 0:
            raise LabError(f"cores_load: {done.stdout[-2000:]}")
        runs.append({words[2]: int(words[5]) for words in (line.split() for line in done.stdout.splitlines()) if words[:1] == ["op"]})
    ns = {name: float(statistics.median(run[name] for run in runs)) for name in runs[0]}
    lines = [json.loads(subprocess.run([str(build / LINE_COST)], text=True, capture_output=True, check=True).stdout) for _ in range(LINE_RUNS)]
    print("  ns a line: " + "; ".join(", ".join(f"{key} {line[key]}" for key in line) for line in lines), flush=True)
    # (A host moves virtual CPUs between cores that share a cache and cores that do not.)
    return ns | {key: max(line[key] for line in lines) for key in lines[0]}


def modelled(lines: dict[str, trace.Needs], ns: dict[str, float], line_ns: float, workers: int, percent: int) -> dict[str, float]:
    """Millions a second of all workers: answers, and inserts into the cache."""
    share, misses = (workers - 1) / workers, percent / 100
    most = (max(WORKERS) - 1) / max(WORKERS)  # the share that `lines` were counted with
    of_miss = ns["miss"] + ns["insert"] + share / most * lines["among hits"].fills() * line_ns
    mqps = 1e3 * workers / ((1 - misses) * ns["hit"] + misses * of_miss)
    return {"mqps": mqps, "inserts": misses * mqps}


def of_scale() -> dict[str, float]:
    """An answer from the shared cache with a million names by Zipf's law, and the writing of one: the bench `scale` of this CPU model."""
    results = load().get(cpu_model(), {})
    if "scale" not in results:
        raise LabError(f"there is no result of `scale` on {cpu_model()}: run `tools/bench scale --docs` first")
    point = next(point for point in results["scale"]["result"]["curves"]["names"] if point["n"] == 1_000_000)
    return {"hit": point["ns_zipf"], "insert": point["insert_ns"]}


def run(build: str) -> dict:
    folder = pathlib.Path(build)
    parameters = announce(f"cores: {', '.join(map(str, WORKERS))} workers on {guest.CPUS} emulated CPUs, {BURSTS} bursts of 32 a worker and operation, "
                          f"{REPEATS} times; times of one worker over {TIMED_BURSTS} bursts, and of a line between CPU 0 and 1")
    by_workers, widest = counted(build_apart(folder, "v2", "-Dmarch=x86-64-v2", trace.LOAD, trace.PLUGIN))
    times = timed(folder)
    ns = of_scale()
    ns["miss"] = times["miss_insert"] - ns["insert"]
    lines = by_workers[max(WORKERS)]
    curves = {name: {str(percent): [{"n": n, **{key: round(value, 3) for key, value in modelled(lines, ns, cost, n, percent).items()}}
                                    for n in MODELLED] for percent in MISSES}
              for name, cost in (("waits", times["fill"]), ("overlaps", times["overlapped"]))}
    figures = {}
    for name, needs in lines.items():
        figures |= {name: round(needs.fills(), 2), f"{name}_writes": round(needs.shared_writes, 2)}
    counts = {str(workers): {name: [round(n.fills(), 2), round(n.shared_writes, 2)] for name, n in needs.items()} for workers, needs in by_workers.items()}
    return {**figures, "spread": round(widest, 2), "hit_ns": ns["hit"], "miss_ns": ns["miss"], "insert_ns": ns["insert"], "fill_ns": times["fill"],
            "overlapped_ns": times["overlapped"], "write_ns": times["write"], "counts": counts, "curves": curves, "parameters": parameters, "rounds": []}
