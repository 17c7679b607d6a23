"""The bench `claims`: the delay of honest rows beside one owner's flood of claims ÷ without it, p99 of both.

From the query to the row on the router (in the journal of rossim, preset `fast`), over a veth. Each name is new and has a
suffix of its own. The flood is another client's queries for names with 70 addresses each, all below one suffix. Runs
without and with the flood take turns, each with a router and a daemon of its own.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import random
import socket
import statistics
import subprocess
import threading
import time

from bench.machine import announce, require_idle, rounds
from bench.message import question
from bench.ports import CLIENT, CLIENT_CPU, OURS, SERVER_CPU, Stage, ZONE
from lab.network import LabError, Network, Process, until

HONEST_RATE, BEFORE_S, SECONDS = 20, 3, 10  # a second; the flood begins after the first three
ADDRESSES = 4  # of an honest name
FLOOD_RATE, FLOOD_NAMES, FLOOD_ADDRESSES = 1_400, 715, 70
FLOODER = "10.99.0.66"
LEAST_FLOODED = 1_000  # rows that the flood must have written by the end, or there was no flood
CONFIG = """dataplane: {{ ports: [ {{ device: eth0, driver: af_xdp }} ], workers: [{cpu}], memory: 256MiB, idle: adaptive }}
control: {{ http: off }}
routers: {{ edge1: {{ address: "{router}:8728", username: api-user, password: secret }} }}
plugins:
  - {{ tag: egress, type: ros_address_list, args: {{ router: edge1, async: {async_}, sync_timeout: 2s, address_list4: policy_set_v4 }} }}
  - tag: main
    type: sequence
    args: [ {{ exec: cache }}, {{ exec: $egress }}, {{ matches: "!has_resp", exec: forward {upstream} }} ]
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
"""


def honest_address(number: int) -> str:
    return f"45.{number // 62_500 + 1}.{number // 250 % 250}.{number % 250 + 1}"


def zone(names: int) -> str:
    """The honest names, then the flood's."""
    lines = [ZONE]
    for i in range(names):
        lines += [f"www.good{i}.example. 300 IN A {honest_address(ADDRESSES * i + k)}\n" for k in range(ADDRESSES)]
    for i in range(FLOOD_NAMES):
        for k in range(FLOOD_ADDRESSES):
            number = FLOOD_ADDRESSES * i + k
            lines.append(f"q{i}.evil.example. 300 IN A 46.{number // 62_500 + 1}.{number // 250 % 250}.{number % 250 + 1}\n")
    return "".join(lines)


@dataclasses.dataclass
class Delays:
    """Of honest rows, seconds."""
    rows: list[float]
    answered: float  # share of the queries
    flooded: int     # rows of the flood

    @property
    def p50(self) -> float:
        return statistics.median(self.rows)

    @property
    def p99(self) -> float:
        return sorted(self.rows)[(len(self.rows) * 99 - 1) // 100]


class Claims:
    def __init__(self, network: Network, build: pathlib.Path, count: int):
        self.network, self.build, self.folder = network, build, network.folder
        self.each = HONEST_RATE * (BEFORE_S + SECONDS)
        self.stage = Stage(network, build)
        network.address("client", "eth0", f"{FLOODER}/24")
        (self.folder / "root.zone").write_text(zone(self.each * count))
        self.upstream = self.stage.outside()
        self.evil = self.folder / "evil-names"
        self.evil.write_text("".join(f"q{i}.evil.example A\n" for i in range(FLOOD_NAMES)))
        self.serial = 0

    def _start(self, async_: bool, journal: pathlib.Path) -> list[Process]:
        router = self.network.start("client", f"rossim{self.serial}", "taskset", "-c", CLIENT_CPU, str(self.build / "tools/rossim/rossim"),
                                    "--address", CLIENT, "--user", "api-user:secret", "--preset", "fast", "--journal", str(journal))
        router.wait_for("port 8728")
        config = self.folder / "claims.yaml"
        config.write_text(CONFIG.format(cpu=SERVER_CPU, router=CLIENT, upstream=self.upstream, async_="true" if async_ else "false"))
        daemon = self.network.start("server", f"steerdnsd{self.serial}", str(self.build / "steerdnsd"), "--config", str(config),
                                    "--control-socket", str(self.stage.socket))
        daemon.wait_for("serving", 40)
        until(lambda: "rows read: " in daemon.text(), 20, "the router is in sync")
        return [daemon, router]

    def _flood(self) -> subprocess.Popen:
        return subprocess.Popen(self.network.argv("client", "taskset", "-c", CLIENT_CPU, "nice", "-n", "19", "dnsperf", "-s", OURS, "-a", FLOODER, "-d",
                                                  str(self.evil), "-e", "-l", str(SECONDS), "-Q", str(FLOOD_RATE), "-c", "4", "-q", "2000"),
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def measure(self, flooded: bool, async_: bool = True) -> Delays:
        first = self.serial * self.each
        self.serial += 1
        journal = self.folder / f"journal{self.serial}"
        processes = self._start(async_, journal)
        asked: dict[str, int] = {}  # the address, when (CLOCK_REALTIME, ns)
        answers = [0]
        client = self.network.socket("client", socket.AF_INET, socket.SOCK_DGRAM)
        client.connect((OURS, 53))
        client.settimeout(3)

        def count_answers() -> None:
            try:
                while client.recv(4096):
                    answers[0] += 1
            except OSError:
                pass

        reader = threading.Thread(target=count_answers)
        reader.start()
        flood = None
        begin = time.monotonic()
        for i in range(self.each):
            time.sleep(max(0.0, begin + i / HONEST_RATE - time.monotonic()))
            if i == HONEST_RATE * BEFORE_S and flooded:
                flood = self._flood()
            number = first + i
            if i >= HONEST_RATE * BEFORE_S:
                asked |= {honest_address(ADDRESSES * number + k): time.time_ns() for k in range(ADDRESSES)}
            client.send(question(f"www.good{number}.example", random.getrandbits(16), flags=0x0100))
        if flood is not None:
            flood.communicate()
        reader.join()
        client.close()
        arrived = {}
        for line in journal.read_text().splitlines():
            row = json.loads(line)
            if row["op"] == "add":
                arrived.setdefault(row["address"], row["t_ns"])
        for process in processes:
            process.stop()
        self.network.run("server", "ip", "link", "set", "eth0", "xdp", "off")
        if missing := [address for address in asked if address not in arrived]:
            raise LabError(f"claims: {len(missing)} of {len(asked)} honest rows never came, the first {missing[0]}")
        return Delays([(arrived[address] - at) / 1e9 for address, at in asked.items()], answers[0] / self.each,
                      sum(address.startswith("46.") for address in arrived))


def described(one: Delays) -> str:
    return f"{1e3 * one.p50:.2f} ms (p99 {1e3 * one.p99:.2f}), {100 * one.answered:.1f} % answered, {one.flooded} rows of the flood"


def run(build: str) -> dict:
    require_idle()
    pairs: dict[bool, list[tuple[Delays, Delays]]] = {True: [], False: []}
    count = rounds(3)
    with Network("bench") as network:
        claims = Claims(network, pathlib.Path(build), 2 * len(pairs) * count)
        parameters = announce(f"claims: {HONEST_RATE} honest names a second of {ADDRESSES} addresses for {SECONDS} s by turns without and beside {FLOOD_RATE} queries a "
                        f"second for {FLOOD_NAMES} names of {FLOOD_ADDRESSES}; rossim's preset fast; the worker on CPU {SERVER_CPU}, all else on CPU {CLIENT_CPU}, the "
                        "flooder at nice 19")
        for number in range(count):
            for async_, found in pairs.items():
                quiet, loud = claims.measure(False, async_), claims.measure(True, async_)
                if loud.flooded < LEAST_FLOODED:
                    raise LabError(f"claims: the flood brought {loud.flooded} rows; at least {LEAST_FLOODED} were expected")
                found.append((quiet, loud))
                print(f"  round {number + 1}, {'async' if async_ else 'held'}: without {described(quiet)}; beside it {described(loud)}", flush=True)

    def p99_ms(async_: bool, beside: int) -> float:
        return round(1e3 * statistics.median(pair[beside].p99 for pair in pairs[async_]), 2)

    ratios = {async_: [loud.p99 / quiet.p99 for quiet, loud in found] for async_, found in pairs.items()}
    return {"ratio": round(statistics.median(ratios[True]), 2), "held": round(statistics.median(ratios[False]), 2),
            "p99_ms": p99_ms(True, 1), "quiet_p99_ms": p99_ms(True, 0), "held_p99_ms": p99_ms(False, 1), "quiet_held_p99_ms": p99_ms(False, 0),
            "answered": round(min(loud.answered for found in pairs.values() for _, loud in found), 4), "rounds": ratios[True], "parameters": parameters}
