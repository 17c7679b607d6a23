"""The bench `hostile`: what honest clients notice of floods, beside dnsdist with its documented rules.

For each flood: the rate at which dnsdist's goodput falls below 0.95, then SteerDNS at twice that rate, on the same CPU. Debian's dnsdist
has no QUIC: floods of it have one rate each, for SteerDNS alone. Goodput is
the share of the honest clients' queries that are answered right and in time, as the clients count it. Over UDP it decides, of floods
of connections that of clients over connections. `ratio` is SteerDNS's worst goodput over UDP; `streams` the worst over connections;
`held` the largest median delay of answers that wait for a router ÷ that without a flood; `tables` how full the fullest table was.

The servers have one CPU with all their threads: SteerDNS its worker too. The flooder has the other one with clients, upstream and
router, which go first (nice -10). Names that wait for the router have an upstream of their own.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
from collections.abc import Callable

from bench import doq
from bench.hostile import floods, honest
from bench.hostile.floods import FLOODS, Flood
from bench.hostile.sides import LIMITS, ROWS_OF_LIMITS, Server, Sides, fullness, grown
from bench.machine import announce, require_idle, rounds, version, want_rounds
from bench.ports import CLIENT_CPU, OURS, SERVER_CPU
from lab.network import LabError, Network, Process

BROKEN_BELOW = 0.95
UDP_RATE, HELD_RATE, STREAM_RATE = 1_000, 20, 100  # of all honest clients together
TRIAL_S, SECONDS = 2, 5
STEPS = 3               # of the search, when the rate is known within a factor of two
FEWEST_TIMES = 1 / 16   # of the first rate, below which the search ends
ROUNDS = 3
UNREACHED = 0.8         # a flooder that sends less than this share of its rate is at its limit
QUIET = 0.99            # goodput that there must be without a flood


@dataclasses.dataclass
class Measured:
    """One run of the honest clients."""
    figures: dict[str, dict]             # by kind: udp, held, stream
    rate: float = 0                      # of the flood, as it was sent
    tables: dict[str, float] = dataclasses.field(default_factory=dict)
    mib: float = 0                       # that the server grew by

    def goodput(self, kind: str) -> float | None:
        one = self.figures.get(kind)
        return one["answered"] / one["asked"] if one else None

    def described(self) -> str:
        parts = [f"{kind} {100 * self.goodput(kind):.2f} % in {1e3 * (one['p50'] or math.nan):.2f} ms (p99 {1e3 * (one['p99'] or math.nan):.1f})"
                 for kind, one in self.figures.items()]
        return ", ".join(parts)


def breaking_rate(trial: Callable[[int], tuple[float, float]], first: int, most: int) -> tuple[float, bool]:
    """The lowest rate that was found to break a server, and whether any did; else the highest that was tried.

    `trial(rate)` gives the goodput and the rate that was really sent. A fall counts if a second trial shows it too."""
    def breaks(rate: int) -> tuple[bool, float]:
        goodput, sent = trial(rate)
        if goodput < BROKEN_BELOW:
            goodput, sent = trial(rate)
        return goodput < BROKEN_BELOW, sent

    rate, holds = first, 0.0
    while True:
        broken, sent = breaks(rate)
        if broken:
            fails = sent
            if holds or rate <= first * FEWEST_TIMES:
                break
            rate = round(rate / 2)
            continue
        if rate < first:  # the search went down
            holds = sent
            break
        holds = sent
        if rate >= most or sent < UNREACHED * rate:
            return sent, False
        rate = min(2 * rate, most)
    for _ in range(STEPS if holds else 0):
        broken, sent = breaks(round(math.sqrt(holds * fails)))
        holds, fails = (holds, min(fails, sent)) if broken else (max(holds, sent), fails)
    return fails, True


class Hostile:
    def __init__(self, sides: Sides):
        self.sides, self.network = sides, sides.network
        self.serial = itertools.count()
        self.next_held = 0

    def clients(self, server: Server, flood: Flood | None, seconds: float) -> dict[str, subprocess.Popen]:
        """honest.py, and doq_load beside it for clients over QUIC, whose queries it calls `stream`."""
        number = next(self.serial)
        wanted = {"server": OURS, "seconds": seconds, "serial": number, "udp": UDP_RATE, "held": HELD_RATE if server.is_ours else 0,
                  "first_held": self.next_held, "transport": flood.transport if flood else "",
                  "stream": STREAM_RATE if flood and flood.transport not in ("", "doq") else 0}
        self.next_held += round(HELD_RATE * seconds) + 1
        commands = {"": [sys.executable, "-m", "bench.hostile.honest", json.dumps(wanted)]}
        if flood and flood.transport == "doq":
            commands["stream"] = doq.command(self.sides.stage, "honest", "--seconds", str(seconds), "--rate", str(STREAM_RATE), "--serial",
                                             str(number), "--sources", ",".join(floods.HONEST))
        return {kind: subprocess.Popen(self.network.argv("client", "taskset", "-c", CLIENT_CPU, "nice", "-n", "-10", *words),
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for kind, words in commands.items()}

    def flooder(self, flood: Flood, rate: int) -> Process:
        name = f"flooder{next(self.serial)}"
        if flood.quic:
            words = doq.command(self.sides.stage, *flood.quic, "--rate", str(rate), "--sources", ",".join(floods.CALLERS), "--connections",
                                str(len(floods.CALLERS)))
        else:
            words = ["taskset", "-c", CLIENT_CPU, sys.executable, "-m", "bench.hostile.flooder", flood.name, str(rate), OURS, "eth0",
                     self.sides.mac, str(self.sides.initials)]
        process = self.network.start("client", name, *words)
        process.wait_for("floods\n")
        return process

    def measure(self, server: Server, flood: Flood | None, rate: int, seconds: float) -> Measured:
        """`rate` 0: the flood's clients without the flood."""
        before = server.resident_mib()
        flooder = self.flooder(flood, rate) if flood and rate else None
        clients = self.clients(server, flood, seconds)
        figures: dict[str, dict] = {}
        tables: dict[str, float] = {}
        try:
            for kind, one in clients.items():
                while True:
                    try:
                        out, errors = one.communicate(timeout=1)
                        break
                    except subprocess.TimeoutExpired:
                        if server.is_ours and (text := self.sides.metrics()):
                            tables = {name: max(share, tables.get(name, 0)) for name, share in fullness(text).items()}
                if one.returncode:
                    raise LabError(f"hostile: the clients failed: {errors[-800:]}")
                figures |= {kind: json.loads(out)} if kind else json.loads(out)
        finally:
            for one in clients.values():
                one.kill()
            if flooder:
                flooder.stop()
        if not server.process.running():
            raise LabError(f"hostile: the server ended during {flood.name if flood else 'no flood'}: {server.process.end()}")
        done = Measured(figures, tables=tables, mib=server.resident_mib() - before)
        if flooder:
            sent = json.loads(flooder.text().splitlines()[-1])
            done.rate = sent["sent"] / sent["seconds"]
        return done

    def quiet(self, server: Server, flood: Flood) -> Measured:
        found = self.measure(server, flood, 0, TRIAL_S)
        for kind in found.figures:
            if found.goodput(kind) < QUIET:
                raise LabError(f"hostile: {flood.name}: the clients are not even answered without a flood: {found.figures}")
        return found

    def at(self, flood: Flood) -> tuple[float, bool]:
        """dnsdist's breaking rate, and whether there is one that the flooder can reach. A broken one is started again, so that no
        trial decides the next. Of a transport that it lacks: SteerDNS's rate."""
        if flood.alone:
            return flood.alone, False
        servers: list[Server] = []

        def trial(rate: int) -> tuple[float, float]:
            if not servers:
                servers.append(self.sides.dnsdist())
                self.quiet(servers[0], flood)
            done = self.measure(servers[0], flood, rate, TRIAL_S)
            print(f"    dnsdist, {flood.name} at {done.rate:.0f}/s: {done.described()}", flush=True)
            if done.goodput(flood.decides) < BROKEN_BELOW:
                self.sides.stop(servers.pop())
            return done.goodput(flood.decides), done.rate

        try:
            return breaking_rate(trial, flood.first, flood.most)
        finally:
            for server in servers:
                self.sides.stop(server)

    def ours(self, flood: Flood, rate: int) -> tuple[Measured, Measured]:
        """Without the flood, and with it."""
        server = self.sides.ours()
        try:
            quiet, before = self.quiet(server, flood), self.sides.metrics()
            flooded = self.measure(server, flood, rate, SECONDS)
            print("    grew: " + ", ".join(f"{name} {count}" for name, count in grown(before, self.sides.metrics())), flush=True)
        finally:
            self.sides.stop(server)
        if wrong := [why for one in flooded.figures.values() for why in one["wrong"]]:
            raise LabError(f"hostile: {flood.name}: wrong answers: {wrong}")
        return quiet, flooded


def round_of(hostile: Hostile, flood: Flood, at: float, number: int) -> dict:
    """The figures of one round of one flood."""
    quiet, flooded = hostile.ours(flood, flood.alone or round(min(2 * at, flood.most)))
    held = [one.figures["held"]["p50"] for one in (quiet, flooded)]
    print(f"  {flood.name}, round {number + 1}: at {flooded.rate:.0f} {flood.unit}/s ({flooded.rate / at:.2f} times): {flooded.described()}; held "
          f"{1e3 * held[0]:.2f} ms without it; {flooded.mib:.0f} MiB more; "
          + ", ".join(f"{name} {share:.3f}" for name, share in flooded.tables.items()), flush=True)
    return {"udp": flooded.goodput("udp"), "stream": flooded.goodput("stream"), "times": flooded.rate / at, "mib": flooded.mib,
            "held": held[1] / held[0] if held[1] else math.inf, "tables": max(flooded.tables.values(), default=0)}


def result(found: dict[str, dict]) -> dict:
    """The last line, from the floods' figures: `at`, `broken`, and a list of rounds."""
    middle = {name: {key: statistics.median(one[key] for one in flood["rounds"]) for key in ("udp", "times", "held")} for name, flood in found.items()}
    streams = {name: statistics.median(one["stream"] for one in flood["rounds"]) for name, flood in found.items() if flood["rounds"][0]["stream"] is not None}
    worst = min(middle, key=lambda name: middle[name]["udp"])
    worst_stream = min(streams, key=streams.get, default="")
    slowest = max(middle, key=lambda name: middle[name]["held"])
    unbroken = [name for name, flood in found.items() if not flood["broken"] and not flood.get("alone")]
    every = [one for flood in found.values() for one in flood["rounds"]]
    figures = {"ratio": round(middle[worst]["udp"], 4), "worst": worst, "at": round(found[worst]["at"])}
    if streams:
        figures |= {"streams": round(streams[worst_stream], 4), "worst_stream": worst_stream, "stream_at": round(found[worst_stream]["at"])}
    figures |= {"held": round(middle[slowest]["held"], 2), "slowest": slowest, "tables": round(max(one["tables"] for one in every), 3),
                "mib": round(max(one["mib"] for one in every))}
    if reached := [middle[name]["times"] for name, flood in found.items() if flood["broken"]]:
        figures["times"] = round(min(reached), 2)
    figures["unbroken"] = ",".join(unbroken) or "none"
    for name, flood in found.items():
        at = flood["at"] * (middle[name]["times"] if flood.get("alone") else 1)  # as it was sent
        figures |= {f"{name}_at": round(at), name: round(min(middle[name]["udp"], streams.get(name, 1)), 4)}
    return figures | {"rounds": [min(flood["rounds"][i]["udp"] for flood in found.values()) for i in range(len(found[worst]["rounds"]))]}


def measure(build: pathlib.Path, chosen: list[Flood]) -> dict:
    with Network("bench") as network, Sides(network, build) as sides:
        hostile = Hostile(sides)
        parameters = announce(f"hostile: honest clients, {UDP_RATE}/s over UDP, {STREAM_RATE}/s over connections, {HELD_RATE}/s held, of "
                        f"{len(floods.HONEST)} addresses; in time: {honest.IN_TIME_S['udp']:g} s over UDP, {honest.IN_TIME_S['stream']:g} s else; "
                        f"{version('dnsdist')} with MaxQPSIPRule(50), dynBlockRulesGroup and its packet cache, ours on AF_XDP with {LIMITS}, limits "
                        f"{'; '.join(ROWS_OF_LIMITS)}; servers "
                        f"with all threads on CPU {SERVER_CPU}, all else on CPU {CLIENT_CPU} of {os.cpu_count()}; upstream {version('knot')}; "
                        f"{SECONDS} s each")
        found: dict[str, dict] = {}
        for flood in chosen:
            at, broken = hostile.at(flood)
            print(f"  {flood.name}: {flood.text}: " + ("dnsdist has no QUIC" if flood.alone else
                  f"dnsdist {'breaks' if broken else 'holds'} at {at:.0f} {flood.unit}/s"), flush=True)
            found[flood.name] = {"at": at, "broken": broken, "alone": bool(flood.alone), "rounds": [round_of(hostile, flood, at, number) for number in range(rounds(ROUNDS))]}
    return result(found) | {"loads": found, "parameters": parameters}


def run(build: str) -> dict:
    require_idle()
    return measure(pathlib.Path(build), list(FLOODS))


def main() -> None:
    """Some floods, for work on the bench or on a weakness; also on a busy machine."""
    parser = argparse.ArgumentParser(prog="bench.hostile.method")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("floods", nargs="*", metavar="FLOOD")
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    want_rounds(arguments.rounds)
    figures = measure(arguments.build, [floods.BY_NAME[name] for name in arguments.floods] or list(FLOODS))
    print("hostile", *(f"{key}={value}" for key, value in figures.items() if key not in ("rounds", "parameters", "loads")))


if __name__ == "__main__":
    main()
