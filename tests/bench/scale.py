"""The bench `scale`: how an answer's time, memory and the start grow with names, rules, clients, claims and load.

Names, rules and clients: one worker answers from its cache; the port makes each query (tests/bench/name_port.h), for
names drawn uniformly and by Zipf's law, by turns. The port's own time is measured and taken off. Claims: the engine with
that many, on a router that cannot be reached. Load: 50 to 110 % of what a memif carries, as in `latency`. `ratio`: an
answer by Zipf's law with 10⁷ names ÷ with 10⁶. Numbers of names that this machine's memory cannot hold are left out; `names` is the last one.
"""

from __future__ import annotations

import json
import pathlib
import statistics
import subprocess
import tempfile
import time

from bench import connections, memif, streams
from bench.instr import LIMIT
from bench.machine import NotMeasurable, announce, hugepages, require_idle
from bench.machine import rounds as how_many
from bench.policy import _rules
from bench.ports import OURS, Stage
from lab.certificates import Authority
from lab.network import LabError, Network

NAMES = (1_000, 10_000, 100_000, 1_000_000, 3_000_000, 10_000_000, 20_000_000)
COMPARED = (10_000_000, 1_000_000)
NAMES_1G = (100_000, 1_000_000, 3_000_000, 10_000_000, 20_000_000)  # with entries in pages of 1 GiB
RULES = (1_000, 10_000, 100_000, 1_000_000, 3_000_000, 10_000_000)
PATTERNS, ROUTERS = (100, 1_000, 10_000, 100_000), (4, 50, 500)
CLIENTS = (100, 10_000, 100_000, 1_000_000, 10_000_000)
CLAIMS = (10_000, 100_000, 1_000_000, 2_000_000)
# A server has a file for each connection over TCP, so that the limit on open files (20,000 here) is the limit of the curve.
CONNECTIONS, TRANSPORTS = (100, 1_000, 10_000), ("dot", "doh", "doq")
MANY_CONNECTIONS = "idle_timeout: 900s, max_connections: 16384, max_connections_per_client: 16384"
QUIET_S = 3
LOADS = (50, 60, 70, 80, 90, 100, 110)  # percent
LOAD_SECONDS = 2.0
AT_ONCE = 500_000  # rules that are written to the file
FEW_NAMES = 100_000  # asked for while rules or clients grow
SECONDS, ROUNDS, PAGE_MIB, MBUFS = 1.5, 3, 2, 131_072
LARGE_PAGE_MIB = 1_024
WARMED_S = 1_500_000  # names whose entries had a hit after a second
ENTRY_BYTES = 256  # of the cache's budget, with room
OTHER_MIB = 1_100  # mbufs, rings, tables
PLAIN = """plugins:
{plugins}  - {{ tag: answers, type: cache, args: {{ size: {size}, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: "udp://1.1.1.1:53" }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {rules}{{ exec: $answers }}, {{ exec: $up }} ] }}
{more}"""


def memory_mib(names: int) -> tuple[int, int]:
    """Of the cache, and of the EAL."""
    cache = 16 + names * ENTRY_BYTES // 2**20
    return cache, OTHER_MIB + cache + names * 96 // 2**20


def free_mib() -> int:
    words = dict(line.split(":") for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
    return int(words["MemAvailable"].split()[0]) // 1024


def once(build: pathlib.Path, config: pathlib.Path, names: int, count: int, *words: str) -> dict:
    """One start: medians of `count` rounds, less the port's own time."""
    cache, mib = memory_mib(names)
    argv = [str(build / "tests/bench/bench_cached"), "--config", str(config), "--router-port", "0", "--numbered", str(names),
            "--rounds", str(count), "--seconds", str(SECONDS), "--warm", str(1 + names / WARMED_S), "--mbufs", str(MBUFS), "--mib", str(mib),
            "--cache-mib", str(cache), *words]
    done = subprocess.run(argv, text=True, capture_output=True, timeout=900)
    if done.returncode != 0:
        raise LabError(f"bench_cached failed: {done.stdout[-500:]} {done.stderr[-2000:]}")
    start, *measured, checked = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    for one in measured:
        if one["answered_share"] < 0.999:
            raise LabError(f"not every query is answered: {one}")
    middle = lambda which: statistics.median(one["ns_per_packet"] for one in measured[which::2])
    return {**start, "ns": round(middle(0) - start["own_ns"], 1), "ns_zipf": round(middle(1) - start["own_ns_zipf"], 1),
            "packet_cache_zipf": measured[1]["packet_cache_share"], "compared": checked["compared"]}


def config_of(folder: pathlib.Path, names: int, plugins: str = "", rules: str = "", more: str = "") -> pathlib.Path:
    path = folder / "scale.yaml"
    path.write_text(PLAIN.format(plugins=plugins, size=max(1_024, names), rules=rules, more=more))
    return path


def by_names(build: pathlib.Path, folder: pathlib.Path, n: int, count: int) -> dict:
    return once(build, config_of(folder, n), n, count)


def behind_a_set(build: pathlib.Path, folder: pathlib.Path, rules_of, n: int, count: int) -> dict:
    """A set of `n` rules before the cache. They match none of the names."""
    rules = folder / "rules.txt"
    with open(rules, "w") as out:
        for begin in range(0, n, AT_ONCE):
            out.write("\n".join(rules_of(min(AT_ONCE, n - begin))) + "\n")
    return once(build, config_of(folder, FEW_NAMES, f"  - {{ tag: list, type: domain_set, args: {{ files: [{rules}] }} }}\n",
                                 "{ matches: qname $list, exec: mark 1 }, "), FEW_NAMES, count)


def by_rules(build: pathlib.Path, folder: pathlib.Path, n: int, count: int) -> dict:
    return behind_a_set(build, folder, lambda few: _rules(few, 0), n, count)


def by_patterns(build: pathlib.Path, folder: pathlib.Path, n: int, count: int) -> dict:
    """Half keywords and half regular expressions."""
    return behind_a_set(build, folder, lambda few: _rules(0, few), n, count)


def by_clients(build: pathlib.Path, folder: pathlib.Path, n: int, count: int) -> dict:
    """A limit on responses by client and name, which no client reaches."""
    return once(build, config_of(folder, FEW_NAMES, more=LIMIT), FEW_NAMES, count, "--clients", str(n))


def by_claims(build: pathlib.Path, folder: pathlib.Path, n: int, count: int) -> dict:
    return of_engine(build, "growth", n, count)


def by_routers(build: pathlib.Path, folder: pathlib.Path, n: int, count: int) -> dict:
    """50 new addresses a second for each; one hangs, one is slow, one reboots each minute."""
    return of_engine(build, "fleet", n, 1)


def by_connections(build: pathlib.Path, folder: pathlib.Path, n: int, count: int) -> dict:
    """Idle ones: `*_bytes` of the server's processes for each (hugepages and the kernel's sockets are not in it), `*_percent` of a core while
    nothing happens, `*_ns` of CPU for a cached answer over 20 others, as in `streams`."""
    found: dict[str, float] = {}
    with Network("bench") as network, streams.many_files():
        stage = Stage(network, build)
        made = Authority(stage.folder).issue("server", "DNS:dns.example", f"IP:{OURS}")
        for transport in TRANSPORTS:
            server = streams.ours(stage, made, MANY_CONNECTIONS)
            with connections.held(stage, transport) as connect:
                connect(streams.FIRST_IDLE)
                before = streams.resident(server)
                connect(n)
                found[f"{transport}_bytes"] = round((streams.resident(server) - before) / n)
                used = streams.used_ns(server)
                time.sleep(QUIET_S)
                found[f"{transport}_percent"] = round((streams.used_ns(server) - used) / QUIET_S / 1e7, 2)
                found[f"{transport}_ns"] = round(streams.cost(stage, server, transport)[0])
            if "steerdns-quic ended" in server.text():
                raise LabError(f"the process ended with {n} connections: {server.text()[-500:]}")
            stage.stop(server)
    return found


def of_engine(build: pathlib.Path, scene: str, n: int, count: int) -> dict:
    found = []
    for _ in range(count):
        done = subprocess.run([str(build / "tests/bench/bench_routeros"), scene, str(n)], text=True, capture_output=True, timeout=600)
        if done.returncode != 0:
            raise LabError(f"bench_routeros: {done.stdout} {done.stderr[-500:]}")
        found.append(json.loads(done.stdout))
    return {key: statistics.median(one[key] for one in found) for key in found[0]}


def by_load(build: pathlib.Path, pages: int, count: int) -> list[dict]:
    """Queries that come at random, by the share of the most that the memif carries: how many are answered, and when. A
    generator that cannot keep up waits, and its queries count from when they were due."""
    rows: dict[int, list[dict]] = {percent: [] for percent in LOADS}
    with Network("bench") as network:
        stage = memif.Stage(network, build, pages * PAGE_MIB > OTHER_MIB)
        for number in range(count):
            path = stage.socket()
            server = stage.ours(path, idle="spin")
            most, _ = stage.rate(path, 1.0)
            for percent in LOADS:
                seen = stage.load(path, LOAD_SECONDS, "--open", "--rate", str(round(most * percent / 100)), "--seed", str(number + 1))
                rows[percent].append({"mqps": seen["received"] / LOAD_SECONDS / 1e6, "answered": seen["received"] / seen["sent"],
                                      "p50_us": seen["typical_p50_us"], "p99_us": seen["typical_p99_us"],
                                      "interrupted_percent": seen["interrupted_percent"]})
            server.stop()
    return [{"n": percent, **{key: round(statistics.median(row[key] for row in found), 3) for key in found[0]}}
            for percent, found in rows.items()]


CURVES = {"names": (NAMES, by_names), "rules": (RULES, by_rules), "patterns": (PATTERNS, by_patterns), "clients": (CLIENTS, by_clients),
          "claims": (CLAIMS, by_claims), "routers": (ROUTERS, by_routers), "connections": (CONNECTIONS, by_connections)}


def in_large_pages(build: pathlib.Path, count: int) -> list[dict]:
    """The curve `names` with the entries in hugepages of 1 GiB. What these have no room for is in pages of 2 MiB."""
    points = []
    most = -(-memory_mib(NAMES_1G[-1])[1] // LARGE_PAGE_MIB)
    with tempfile.TemporaryDirectory(prefix="steerdns-bench-") as name, hugepages(most, LARGE_PAGE_MIB) as pages:
        large = pages * LARGE_PAGE_MIB
        for n in NAMES_1G:
            entries, all_mib = memory_mib(n)
            if entries > large:
                print(f"  names_1g {n}: this machine has {pages} hugepages of {LARGE_PAGE_MIB} MiB", flush=True)
                break
            with hugepages((all_mib - large) // PAGE_MIB + 64 if all_mib > large else 0) as small:
                if large + small * PAGE_MIB < all_mib:
                    print(f"  names_1g {n}: this machine has no {all_mib} MiB of hugepages", flush=True)
                    break
                points.append({"n": n, **by_names(build, pathlib.Path(name), n, count)})
            print("  names_1g " + ", ".join(f"{key} {value}" for key, value in points[-1].items()), flush=True)
    return points


def run(build: str) -> dict:
    require_idle()
    curves: dict[str, list[dict]] = {}
    # (Of the memory that is left, rules take half a gigabyte a million, and the kernel the rest.)
    possible = [n for n in NAMES if memory_mib(n)[1] < free_mib() - 8_192]
    if COMPARED[0] not in possible:
        raise NotMeasurable(f"the machine has no memory for {COMPARED[0]:,} names")
    with tempfile.TemporaryDirectory(prefix="steerdns-bench-") as name, hugepages(memory_mib(possible[-1])[1] // PAGE_MIB + 64) as pages:
        parameters = announce(
            f"scale: one worker, {MBUFS} mbufs, {pages} hugepages of {PAGE_MIB} MiB, answers of two addresses, {SECONDS:g} s by turns; rules "
            f"and clients: {FEW_NAMES} names")
        for curve, (sizes, measure) in CURVES.items():
            curves[curve] = []
            for n in sizes:
                if curve == "names" and memory_mib(n)[1] > pages * PAGE_MIB:
                    print(f"  {curve} {n}: this machine has no {memory_mib(n)[1]} MiB of hugepages", flush=True)
                    break
                point = {"n": n, **measure(pathlib.Path(build), pathlib.Path(name), n, how_many(ROUNDS))}
                curves[curve].append(point)
                print(f"  {curve} " + ", ".join(f"{key} {value}" for key, value in point.items()), flush=True)
        curves["load"] = by_load(pathlib.Path(build), pages, how_many(ROUNDS))
        for point in curves["load"]:
            print("  load " + ", ".join(f"{key} {value}" for key, value in point.items()), flush=True)
    curves["names_1g"] = in_large_pages(pathlib.Path(build), how_many(ROUNDS))
    return summary(curves, parameters)


def growth(points: list[dict]) -> dict[str, float]:
    """An answer's time with many names ÷ with few, by Zipf's law and uniformly; empty: not measured."""
    by_count = {point["n"]: point for point in points}
    if COMPARED[0] not in by_count:
        return {}
    many, few = (by_count[n] for n in COMPARED)
    return {"ratio": round(many["ns_zipf"] / few["ns_zipf"], 3), "uniform": round(many["ns"] / few["ns"], 3)}


def summary(curves: dict[str, list[dict]], parameters: str) -> dict:
    many = next(point for point in curves["names"] if point["n"] == COMPARED[0])
    times = lambda curve, key: round(curves[curve][-1][key] / curves[curve][0][key], 2)
    return {**growth(curves["names"]), **{f"{key}_1g": value for key, value in growth(curves["names_1g"]).items()},
            "names": curves["names"][-1]["n"],
            "ns_zipf": many["ns_zipf"], "ns": many["ns"], "insert_ns": many["insert_ns"],
            "rules_times": times("rules", "ns"), "config_s": curves["rules"][-1]["config_s"], "clients_times": times("clients", "ns"),
            "claims_times": times("claims", "again_ns"), "claim_bytes": curves["claims"][-1]["claim_bytes"],
            "p99_us": next(point["p99_us"] for point in curves["load"] if point["n"] == 80),
            "compared": sum(point.get("compared", 0) for points in curves.values() for point in points), "curves": curves,
            "parameters": parameters, "rounds": []}
