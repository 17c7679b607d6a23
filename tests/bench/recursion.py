"""The bench `recursion`: misses that unbound resolves and validates for us ÷ by itself, in answers a CPU second (`ratio`).

Both have the configuration that the daemon writes, and walk a signed tree behind the veth (wide_tree.py). `cached`: answers from
the cache during a ramp to four times what unbound resolves ÷ without it. `reached`: queries of a random-subdomain flood that
reach the zone's server ÷ sent; `reached_plain` without `aggressive_nsec`.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import itertools
import json
import os
import pathlib
import random
import re
import statistics
from collections.abc import Iterator

from bench.checker import Checker
from bench.machine import announce, family, require_idle, rounds, version
from bench.ports import CLIENT, CLIENT_CPU, DNSPERF, OURS, SERVER_CPU, Stage, cpu_ns
from bench.wide_tree import EACH, FLOODED, NAMES, TTL_S, ZONES, WideTree, name, random_labels, zone_name
from lab.dns_tree import ADDRESS
from lab.network import LabError, Network, Process, steerctl, until

SECONDS = 5
ALL_NAMES = ZONES * EACH
WARM = 5_000              # names of the ramp that are in the cache, the most popular ones
FLOOD_NAMES, PLAIN_NAMES = 100_000, 20_000  # of a flood, with and without aggressive_nsec
CHECKED = 2_000           # names that only the checker asks for
RAMP_SECONDS = 15
TIMES = 4                 # how far the ramp goes beyond what unbound resolves; part of its queries are for names asked before
CACHED_RATES = (100_000, 60_000, 40_000, 25_000, 15_000, 8_000)  # of names in the cache, a second
LEAST_ANSWERED = 0.999
LEAST_LOST = 0.05          # of the ramp: unbound is at its limit
FIRST_PORT = 1_900        # of clients beside kxdpgun, which takes what comes to ports from 2000 on
CLIENTS = tuple(f"10.99.0.{last}" for last in range(10, 60))  # of the ramp
CONFIG = """dataplane: {{ ports: [ {{ device: eth0, driver: af_xdp }} ], workers: [{cpu}], memory: 512MiB, idle: adaptive }}
control: {{ http: off, recursion: {engine} }}
plugins:
  - tag: resolve
    type: recursion
    args: {{ instances: 1, root_hints: {hints}, trust_anchors: [ "{anchor}" ], aggressive_nsec: {aggressive} }}
  - tag: main
    type: sequence
    args: [ {{ exec: "cache 256MiB short_circuit" }}, {{ exec: $resolve }} ]
"""


@dataclasses.dataclass
class Turn:
    """One server, for SECONDS."""
    ns: float      # of CPU an answer, of all its processes
    own_ns: float  # of these, the process's that clients ask
    rate: float    # answers a second


class Recursion:
    """The link, the tree, and the servers by turns."""

    def __init__(self, network: Network, build: pathlib.Path):
        self.stage, self.network = Stage(network, build), network
        self.tree = WideTree(network, network.folder / "tree")
        self.tree.serve()
        network.route("server", "default", "via", CLIENT)
        network.address("client", "eth0", *(f"{address}/24" for address in CLIENTS))
        self.written = ""  # by the daemon, for unbound
        self.serial = itertools.count()

    # The servers ----------------------------------------------------------------------------------------------

    def ours(self, aggressive: bool = True) -> Process:
        stage, number = self.stage, next(self.serial)
        engine = stage.folder / f"engine{number}"
        config = stage.folder / "recursion.yaml"
        config.write_text(CONFIG.format(cpu=SERVER_CPU, engine=engine, hints=self.tree.hints, anchor=self.tree.anchor,
                                        aggressive=str(aggressive).lower()))
        server = self.network.start("server", f"steerdnsd-recursion{number}", str(stage.build / "steerdnsd"), "--config", str(config),
                                    "--control-socket", str(stage.socket))
        server.wait_for("serving", 40)
        until(lambda: [one["up"] for one in self.instances(server)] == [True], 20, "unbound is up")
        self.written = next(engine.glob("*/unbound.conf")).read_text()
        return server

    def instances(self, server: Process) -> list[dict]:
        return json.loads(steerctl(self.stage.build, self.stage.socket, server, "--json", "recursion", check=True).stdout)["instances"]

    def ours_on_one_cpu(self) -> Process:
        """With all threads of all processes where unbound alone has its own."""
        server = self.ours()
        for pid in family(server.pid):
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {int(SERVER_CPU)})
        return server

    def alone(self) -> Process:
        """unbound as the daemon has configured it, at the daemon's address."""
        folder = self.stage.folder / f"alone{next(self.serial)}"
        folder.mkdir()
        text, moved = re.subn(r"(?m)^  interface: \S+$", f"  interface: {OURS}@53", self.written)
        text, allowed = re.subn(r"(?m)^  access-control: .*$", "  access-control: 0.0.0.0/0 allow", text)
        text, placed = re.subn(r'(?m)^(  directory: )"(.*)"$', rf'\1"{folder}"', text)
        text, controlled = re.subn(r'(?m)^(  control-interface: )".*"$', rf'\1"{folder}/control"', text)
        if (moved, allowed, placed, controlled) != (1, 1, 1, 1):
            raise LabError(f"the configuration of unbound is not what is expected:\n{self.written}")
        file = folder / "unbound.conf"
        file.write_text(text)
        server = self.network.start("server", folder.name, "taskset", "-c", SERVER_CPU, "unbound", "-d", "-p", "-c", str(file))
        server.wait_for("start of service")
        return server

    # Loads ----------------------------------------------------------------------------------------------------

    def file(self, what: str, names: Iterator[str]) -> pathlib.Path:
        path = self.stage.folder / what
        path.write_text("".join(f"{one} A\n" for one in names))
        return path

    def walk(self) -> None:
        """Each zone is known and its keys are checked, as an answer shows."""
        names = self.file("walk", (f"www.{zone_name(number)}" for number in range(ZONES)))
        out = self.stage.dnsperf("-n", "1", "-c", "1", "-q", "20", names=names)
        if f"NOERROR {ZONES} (100.00%)" not in out:
            raise LabError(f"not every zone is resolved: {out[-800:]}")
        answer = self.network.run("client", "kdig", f"@{OURS}", "+adflag", f"ns.{zone_name(0)}").stdout
        if not re.search(r"Flags: [a-z ]*\bad\b", answer):
            raise LabError(f"an answer is not validated: {answer}")

    def misses(self, server: Process, names: pathlib.Path) -> tuple[Turn, int]:
        """What answers cost, and how many were compared."""
        self.walk()
        cpu = lambda: {pid: cpu_ns(pid) for pid in family(server.pid)}
        # Names of the checker's own, each asked for twice: the second answer is as the first, its TTL no higher.
        own = (name(ALL_NAMES - 1 - number // 2) for number in itertools.count())
        before = cpu()
        with Checker(self.stage, own, ADDRESS, TTL_S, CLIENT_CPU, OURS) as checker:
            loop = self.stage.closed_loop(SECONDS, names)
        spent = {pid: ns - before[pid] for pid, ns in cpu().items()}
        if checker.wrong or checker.compared <= checker.unanswered:
            raise LabError(f"{len(checker.wrong)} of {checker.compared} compared answers are wrong, {checker.unanswered} did not come: "
                           f"{checker.wrong[:3]}")
        if loop.good != loop.answered or loop.lost > 0.01 * loop.sent:
            raise LabError(f"of {loop.sent} queries {loop.answered} were answered, {loop.good} without an error")
        answers = loop.answered + checker.compared
        return Turn(sum(spent.values()) / answers, spent[server.pid] / answers, loop.rate), checker.compared


def misses_by_turns(scene: Recursion, number: int) -> tuple[Turn, Turn, int]:
    """Ours, unbound by itself, and the answers compared. Both get the same queries; the order changes each round."""
    names = scene.file("misses", map(name, range(ALL_NAMES - CHECKED)))
    sides = [scene.ours_on_one_cpu, scene.alone]
    found = {}
    for start in sides if number % 2 == 0 else reversed(sides):
        server = start()
        try:
            found[start] = scene.misses(server, names)
        finally:
            scene.stage.stop(server)
    (ours, first), (alone, second) = (found[start] for start in sides)
    return ours, alone, first + second


# ---- cached answers beside a ramp of misses

@dataclasses.dataclass
class Ramp:
    """Cached answers beside it, and what it counted."""
    share: float        # of cached names answered, ÷ without the ramp
    cached_rate: float  # queries for them, a second
    resolved: float     # answers a second to the others, at most
    lost: float         # share of the others without an answer


def popular(count: int, first: int, last: int) -> Iterator[str]:
    """Names of the ranks first to last, drawn by Zipf's law with exponent 1."""
    weights = list(itertools.accumulate(1 / rank for rank in range(first, last + 1)))
    return (name(rank) for rank in random.choices(range(first, last + 1), cum_weights=weights, k=count))


def ramp(scene: Recursion, names: pathlib.Path, most: float) -> dict:
    """What ramp_load counted."""
    out = scene.network.run("client", "taskset", "-c", CLIENT_CPU, str(scene.stage.build / "tests/bench/ramp_load"), OURS, str(names),
                            str(round(most)), str(RAMP_SECONDS), str(FIRST_PORT), *CLIENTS).stdout
    counts = json.loads(out.splitlines()[-1])
    if counts["wrong"] or not counts["answered"]:
        raise LabError(f"answers of the ramp are wrong: {counts}")
    return counts


def offered(scene: Recursion, names: pathlib.Path, rate: int, seconds: float) -> tuple[float, float]:
    """The share of kxdpgun's queries that are answered without an error, and how many it sent a second."""
    out = scene.network.run("client", "nice", "-n", "-10", "kxdpgun", "-F", CLIENT_CPU, "-t", str(seconds), "-Q", str(rate), "-b", "10", "-i",
                            str(names), OURS).stdout
    found = [re.search(rf"{word}:\s+(\d+)", out) for word in ("total queries", "responded NOERROR")]
    if not all(found):
        raise LabError(f"kxdpgun got no answers: {out[-500:]}")
    return int(found[1][1]) / int(found[0][1]), int(found[0][1]) / seconds


def warmed(scene: Recursion) -> None:
    scene.walk()
    names = scene.file("warm", map(name, range(1, WARM + 1)))
    out = scene.stage.dnsperf("-n", "2", "-c", "1", "-q", "100", names=names)
    if f"NOERROR {2 * WARM} (100.00%)" not in out:
        raise LabError(f"not every name is answered: {out[-800:]}")


def cached_beside_ramp(scene: Recursion, limit: float) -> Ramp:
    """`limit`: what unbound resolves a second. The rate of cached names is the highest that is answered without misses."""
    random.seed(20261128)
    cached = scene.file("cached", popular(100_000, 1, WARM))
    others = scene.file("others", popular(round(TIMES * limit * RAMP_SECONDS / 2), WARM + 1, ALL_NAMES - CHECKED))
    server = scene.ours()
    try:
        warmed(scene)
        undisturbed = ((rate, offered(scene, cached, rate, SECONDS)[0]) for rate in CACHED_RATES)
        rate, quiet = next(((rate, share) for rate, share in undisturbed if share >= LEAST_ANSWERED), (0, 0.0))
        if not rate:
            raise LabError(f"not even {CACHED_RATES[-1]} cached names a second are answered")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            misses = pool.submit(ramp, scene, others, TIMES * limit)
            beside, sent = offered(scene, cached, rate, RAMP_SECONDS)
            others_of = misses.result()
    finally:
        scene.stage.stop(server)
    best, lost = others_of["best"], 1 - others_of["answered"] / others_of["sent"]
    print(f"  ramp to {TIMES * limit:.0f}/s: {sent:.0f} cached names a second, answered {quiet:.5f} without it and {beside:.5f} beside it; of the "
          f"others {others_of}", flush=True)
    if lost < LEAST_LOST:
        raise LabError("the ramp did not reach what unbound resolves")
    return Ramp(beside / quiet, sent, best, lost)


# ---- a flood of random names

@dataclasses.dataclass
class Flooded:
    reached: float  # queries that the authority got ÷ sent
    rate: float     # answers a second


def flooded(scene: Recursion, aggressive: bool) -> Flooded:
    names = scene.file("flood", (f"{label}.{FLOODED}" for label in random_labels(2, FLOOD_NAMES if aggressive else PLAIN_NAMES)))
    server = scene.ours(aggressive)
    try:
        scene.walk()
        before = scene.tree.queries()
        out = scene.stage.dnsperf("-n", "1", *DNSPERF, names=names)
        reached = scene.tree.queries() - before
    finally:
        scene.stage.stop(server)
    count = lambda word: int((re.search(rf"{word}:?\s+(\d+)", out) or [0, 0])[1])
    sent, denied = count("Queries sent"), count("NXDOMAIN")
    print(f"  flood, aggressive_nsec {'on' if aggressive else 'off'}: {sent} queries, {denied} denied, {reached} of the authority", flush=True)
    if denied < 0.99 * sent:
        raise LabError(f"of {sent} names {denied} were denied: {out[-800:]}")
    return Flooded(reached / sent, float(re.search(r"Queries per second:\s+([\d.]+)", out)[1]))


def run(build: str) -> dict:
    require_idle()
    turns, compared = [], 0
    with Network("bench") as network:
        scene = Recursion(network, pathlib.Path(build))
        parameters = announce(f"recursion: {version('unbound')} with the configuration that the daemon writes, one instance; {ALL_NAMES} names in "
                              f"{ZONES} zones, signed with ECDSA P-256, served by {version('knot')}; misses: dnsperf {' '.join(DNSPERF)} for "
                              f"{SECONDS} s by turns, all threads of each server on CPU {SERVER_CPU}, client and knot on CPU {CLIENT_CPU} of "
                              f"{os.cpu_count()}; "
                              f"ours on AF_XDP, one worker, cache 256MiB, idle: adaptive; ramp: {len(CLIENTS)} clients, to {TIMES} times unbound's "
                              f"rate in {RAMP_SECONDS} s, cached names by kxdpgun, by Zipf's law with the {WARM} most popular ones in the cache, the "
                              f"daemon's own placement of threads; flood: dnsperf {' '.join(DNSPERF)}, {FLOOD_NAMES} random names below a zone of "
                              f"{NAMES} names")
        for number in range(rounds()):
            ours, alone, count = misses_by_turns(scene, number)
            turns.append((ours, alone))
            compared += count
            print(f"  round {number + 1}: ours {ours.ns:.0f} ns ({ours.own_ns:.0f} of the daemon) at {ours.rate:.0f}/s, "
                  f"unbound alone {alone.ns:.0f} ns at {alone.rate:.0f}/s", flush=True)
        ramps = [cached_beside_ramp(scene, statistics.median(alone.rate for _, alone in turns)) for _ in range(rounds(3))]
        aggressive, plain = (flooded(scene, is_on) for is_on in (True, False))
    middle = lambda values: statistics.median(list(values))
    ratios = [alone.ns / ours.ns for ours, alone in turns]
    return {"ratio": round(middle(ratios), 3), "cached": round(middle(one.share for one in ramps), 4), "reached": round(aggressive.reached, 4),
            "rate": round(middle(ours.rate / alone.rate for ours, alone in turns), 3),
            "ns": round(middle(ours.ns for ours, _ in turns)), "daemon_ns": round(middle(ours.own_ns for ours, _ in turns)),
            "unbound_ns": round(middle(alone.ns for _, alone in turns)), "qps": round(middle(ours.rate for ours, _ in turns)),
            "unbound_qps": round(middle(alone.rate for _, alone in turns)), "cached_qps": round(middle(one.cached_rate for one in ramps)),
            "resolved_qps": round(middle(one.resolved for one in ramps)), "lost_percent": round(100 * middle(one.lost for one in ramps), 1),
            "flood_qps": round(aggressive.rate), "reached_plain": round(plain.reached, 3), "compared": compared, "rounds": ratios,
            "parameters": parameters}
