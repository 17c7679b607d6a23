"""Faults of a fleet: each begins, lasts for a while, and ends; and the times during which rows may lack because of it."""

from __future__ import annotations

import dataclasses
import random
import signal
import threading
import time
from collections.abc import Callable

from lab.fleet import BOXES, ROUTERS, JudgedFleet

# Rows may come so late after a box, Redis or the way to it was lost or returned (seconds).
LAG_S = 3
REPAIR_S = 5  # after the way to a router is back


@dataclasses.dataclass(frozen=True)
class Excuse:
    router: str  # empty: all routers
    from_s: float  # CLOCK_REALTIME
    to_s: float


@dataclasses.dataclass(frozen=True)
class Absence:
    """A box that does not serve."""
    box: str
    from_s: float
    to_s: float


class Record:
    """What happened, from all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.excuses: list[Excuse] = []
        self.absences: list[Absence] = []
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        with self._lock:
            self.lines.append(f"{time.time():.3f} {line}")

    def excuse(self, from_s: float, to_s: float, router: str = "") -> None:
        with self._lock:
            self.excuses.append(Excuse(router, from_s, to_s))

    def absent(self, box: str, from_s: float, to_s: float) -> None:
        with self._lock:
            self.absences.append(Absence(box, from_s, to_s))


@dataclasses.dataclass(frozen=True)
class Fault:
    kind: str
    what: tuple[str, ...]
    at_s: float  # after the begin of the load
    for_s: float

    def text(self) -> str:
        return f"{self.kind} {' '.join(self.what)} at {self.at_s:.1f} s for {self.for_s:.1f} s"

    def play(self, place: JudgedFleet, record: Record, begin: float) -> None:
        """`begin`: of CLOCK_MONOTONIC."""
        time.sleep(max(0.0, begin + self.at_s - time.monotonic()))  # a schedule has its own times
        record.say(f"begins: {self.text()}")
        started = time.time()
        PLAYS[self.kind](self, place, record, started)
        record.say(f"ended: {self.text()}")

    def last(self) -> None:
        time.sleep(self.for_s)


def killed(fault: Fault, place: JudgedFleet, record: Record, started: float) -> None:
    """Until it is started again, and knows its fleet."""
    (box,) = fault.what
    place.box(box).kill()
    record.excuse(started, started + LAG_S)
    fault.last()
    again = time.time()
    place.box(box).start()
    served = time.time()
    record.absent(box, started, served)
    record.excuse(again, served + LAG_S)


def stopped(fault: Fault, place: JudgedFleet, record: Record, started: float) -> None:
    """SIGTERM: it gives up its leases."""
    (box,) = fault.what
    place.box(box).daemon.stop()
    record.excuse(started, started + LAG_S)
    fault.last()
    again = time.time()
    place.box(box).start()
    served = time.time()
    record.absent(box, started, served)
    record.excuse(again, served + LAG_S)


def cut_from_redis(fault: Fault, place: JudgedFleet, record: Record, started: float) -> None:
    (box,) = fault.what
    place.drop(box, "redis")
    record.excuse(started, started + LAG_S)
    fault.last()
    place.drop(box, "redis", on=False)
    record.excuse(time.time(), time.time() + LAG_S)


def cut_from_router(fault: Fault, place: JudgedFleet, record: Record, started: float) -> None:
    box, router = fault.what
    place.drop(box, router)
    fault.last()
    place.drop(box, router, on=False)
    record.excuse(started, time.time() + REPAIR_S, router)


def redis_ends(fault: Fault, place: JudgedFleet, record: Record, started: float) -> None:
    """It comes back empty."""
    place.signal_redis(signal.SIGKILL)
    record.excuse(started, started + LAG_S)
    fault.last()
    place.start_redis()
    record.excuse(time.time(), time.time() + LAG_S)


def redis_hangs(fault: Fault, place: JudgedFleet, record: Record, started: float) -> None:
    place.signal_redis(signal.SIGSTOP)
    record.excuse(started, started + LAG_S)
    fault.last()
    place.signal_redis(signal.SIGCONT)
    record.excuse(time.time(), time.time() + LAG_S)


def drained(fault: Fault, place: JudgedFleet, record: Record, started: float) -> None:
    """It serves, and writes no router: a planned failover."""
    (box,) = fault.what
    place.box(box).reported("drain", "on")
    record.excuse(started, started + LAG_S)
    fault.last()
    place.box(box).reported("drain", "off")


def rebooted(fault: Fault, place: JudgedFleet, _: Record, __: float) -> None:
    """Its journal says when it was away."""
    (router,) = fault.what
    place.reboot(router, fault.for_s)
    fault.last()


PLAYS: dict[str, Callable[[Fault, JudgedFleet, Record, float], None]] = {
    "kill": killed, "stop": stopped, "cut-redis": cut_from_redis, "cut-router": cut_from_router, "redis-ends": redis_ends, "redis-hangs": redis_hangs,
    "drain": drained, "reboot": rebooted}
# How often each is drawn: partitions most.
WEIGHTS = {"kill": 3, "stop": 1, "cut-redis": 5, "cut-router": 4, "redis-ends": 2, "redis-hangs": 2, "drain": 2, "reboot": 1}
TARGETS = {"kill": BOXES, "stop": BOXES, "cut-redis": BOXES, "drain": BOXES, "reboot": ROUTERS}


def resource(fault: Fault) -> str:
    """Two faults of one resource are not played at once."""
    if fault.kind in ("kill", "stop", "drain"):
        return fault.what[0]
    return "redis" if fault.kind.startswith("redis") else " ".join((fault.kind, *fault.what))


def schedule(seed: int, seconds: float) -> list[Fault]:
    """Faults of a seed; all end by `seconds`."""
    chance = random.Random(seed)
    faults: list[Fault] = []
    wanted = chance.randint(3, 6)
    while len(faults) < wanted:
        kind = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        what: tuple[str, ...] = ()
        if kind == "cut-router":
            what = (chance.choice(BOXES), chance.choice(ROUTERS))
        elif kind in TARGETS:
            what = (chance.choice(TARGETS[kind]),)
        lasts = chance.uniform(0.5, 5)
        one = Fault(kind, what, chance.uniform(1, seconds - lasts), lasts)
        around = 5 if kind in ("kill", "stop") else 0.5  # a start takes its time
        if not any(resource(one) == resource(other) and one.at_s < other.at_s + other.for_s + around and other.at_s < one.at_s + one.for_s + around
                   for other in faults):
            faults.append(one)
    return sorted(faults, key=lambda fault: fault.at_s)


def in_turn(writer: str) -> list[Fault]:
    """Each fault once, one after the other; `writer`: of the first router."""
    other = next(box for box in BOXES if box != writer)
    plan = [("kill", (writer,), 2), ("cut-redis", (other,), 3), ("redis-ends", (), 3), ("drain", (other,), 2), ("redis-hangs", (), 3),
            ("cut-router", (writer, ROUTERS[0]), 3), ("stop", (other,), 1), ("reboot", (ROUTERS[1],), 1)]
    faults, at = [], 2.0
    for kind, what, lasts in plan:
        faults.append(Fault(kind, what, at, lasts))
        at += lasts + 5
    return faults
