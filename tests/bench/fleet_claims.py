"""The bench `fleet`: claims a second of a box that shares them over Redis ÷ of one that does not, and what sharing adds to a held answer.

A second is one of the thread `routers`: with two boxes, Redis and three routers on two CPUs the clock would tell about the machine. The
place is that of tests/fleet: 20,000 names, an address each, and three simulated routers without a cost of their own (rossim's preset
none). Every row is looked for in every router's journal. Held answers: new names, one after the other, asked of the writer of the
routers, and of the standby; rossim's preset fast.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import statistics
import time

from bench.machine import announce, require_idle, rounds, version
from bench.message import question
from lab.fleet import BOXES, LIST, ROUTERS, JudgedFleet
from lab.network import LabError, until

CLAIMS, HELD = 20_000, 400
BEFORE = 40  # answers that are not counted: caches and sessions are new


def thread_cpu_s(pid: int, name: str) -> float:
    """CPU time of a thread, by its name."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int((task / "schedstat").read_text().split()[0]) / 1e9
    raise LabError(f"process {pid} has no thread {name}")


def rows(place: JudgedFleet, router: str) -> int:
    """How many rows the boxes added, by its journal."""
    return len(set(re.findall(rf'"op":"add","family":4,"list":"{LIST}","address":"(203\.[0-9.]+)"', place.journal(router).read_text())))


def claims_a_second(build: pathlib.Path, shared: bool) -> tuple[float, float]:
    """Of thread `routers` of the box that is asked; of the clock."""
    with JudgedFleet(build, True, CLAIMS, shared, 600) as place:
        place.start_all("--preset", "none")
        box = place.writer_of(ROUTERS[0]) if shared else BOXES[0]
        pid = place.network.pid(box, "steerdnsd")
        asked = place.folder / "asked"
        asked.write_text("".join(f"n{i}.stream.example A\n" for i in range(CLAIMS)))
        before, begin = thread_cpu_s(pid, "routers"), time.monotonic()
        printed = place.network.run("client", "dnsperf", "-s", place.box(box).address, "-d", str(asked), "-n", "1", "-c", "4", "-q", "50", "-t", "10").stdout
        if f"NOERROR {CLAIMS} (100.00%)" not in printed:
            raise LabError(f"not every name is answered: {printed[-800:]}")
        until(lambda: all(rows(place, router) == CLAIMS for router in ROUTERS), 120, f"every router has {CLAIMS} rows", pause=0.2)
        took, cpu = time.monotonic() - begin, thread_cpu_s(pid, "routers") - before
        if shared:
            counters = place.box(box).fleet()["counters"]
            if counters["claims_not_sent"] or counters["claims_sent"] < CLAIMS * len(ROUTERS):
                raise LabError(f"not every claim was shared: {json.dumps(counters)}")
        return CLAIMS / cpu, CLAIMS / took


def holds_ms(place: JudgedFleet, box: str, first: int) -> list[float]:
    """Of HELD new names, one after the other."""
    asker = place.network.socket("client", 2, 2)  # AF_INET, SOCK_DGRAM
    asker.settimeout(5)
    asker.connect((place.box(box).address, 53))
    found = []
    for number in range(first, first + BEFORE + HELD):
        begin = time.perf_counter()
        asker.send(question(f"n{number}.stream.example", number & 0xFFFF, flags=0x0100))
        if asker.recv(4096)[3] & 15 != 0:
            raise LabError(f"n{number} is not answered")
        found.append(1e3 * (time.perf_counter() - begin))
        time.sleep(0.005)  # the rate is 100 a second or less
    asker.close()
    if any(rows(place, router) < first + BEFORE + HELD for router in ROUTERS):
        raise LabError("an answer was not held until its row was there")
    return found[BEFORE:]


def held(build: pathlib.Path, shared: bool) -> tuple[list[float], list[float]]:
    """Of the writer and of the standby; without a fleet the second is empty."""
    each = BEFORE + HELD
    with JudgedFleet(build, False, 2 * each, shared, 600) as place:
        place.start_all("--preset", "fast", boxes=2 if shared else 1)
        if not shared:
            until(lambda: all(r["state"] == "in_sync" for r in place.box(BOXES[0]).reported("status")["routers"]), 20, "the routers are in sync")
            return holds_ms(place, BOXES[0], 0), []
        writers = {place.writer_of(router) for router in ROUTERS}
        if len(writers) != 1:  # the first one that is ready takes all; else one of them is displaced
            place.box(BOXES[1]).reported("drain", "on")
            until(lambda: {place.writer_of(router) for router in ROUTERS} == {BOXES[0]}, 10, "one box writes all routers")
            place.box(BOXES[1]).reported("drain", "off")
            place.until_agreed()
            writers = {BOXES[0]}
        (writer,) = writers
        (standby,) = set(BOXES) - writers
        return holds_ms(place, writer, 0), holds_ms(place, standby, each)


def p99(values: list[float]) -> float:
    return sorted(values)[(len(values) * 99 - 1) // 100]


def run(build: str) -> dict:
    require_idle()
    folder = pathlib.Path(build)
    parameters = announce(f"fleet: {CLAIMS} names of one address, {len(ROUTERS)} routers, {version('redis-server')} in memory, by turns with the fleet and without; "
                    f"then {HELD} held answers of new names, one after the other; {os.cpu_count()} CPUs for all")
    rates: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    waits: dict[str, list[list[float]]] = {"alone": [], "writer": [], "standby": []}
    for number in range(rounds(3)):
        for shared, found in rates.items():
            found.append(claims_a_second(folder, shared))
        alone, _ = held(folder, False)
        writer, standby = held(folder, True)
        for name, one in zip(waits, (alone, writer, standby)):
            waits[name].append(one)
        print(f"  round {number + 1}: {rates[True][-1][0]:.0f} claims/s of the thread with, {rates[False][-1][0]:.0f} without ({rates[True][-1][1]:.0f} and "
              f"{rates[False][-1][1]:.0f} of the clock); held p50 and p99 alone {statistics.median(alone):.2f} {p99(alone):.2f} ms, writer "
              f"{statistics.median(writer):.2f} {p99(writer):.2f}, standby {statistics.median(standby):.2f} {p99(standby):.2f}", flush=True)
    ratios = [with_[0] / without[0] for with_, without in zip(rates[True], rates[False])]
    middle = {name: statistics.median(p99(one) for one in found) for name, found in waits.items()}
    return {"ratio": round(statistics.median(ratios), 3), "clock_ratio": round(statistics.median(w[1] / o[1] for w, o in zip(rates[True], rates[False])), 3),
            "claims_s": round(statistics.median(w[0] for w in rates[True])), "added_p99_ms": round(middle["writer"] - middle["alone"], 2),
            "standby_added_p99_ms": round(middle["standby"] - middle["alone"], 2), "alone_p99_ms": round(middle["alone"], 2),
            "rounds": ratios, "parameters": parameters}
