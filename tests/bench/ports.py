"""The bench `ports`: CPU an answer of Debian's knot in XDP mode ÷ ours on AF_XDP, at 150,000/s offered by kxdpgun.

Both serve the same veth by turns, on one core; knot has a zone with a wildcard, ours forwards to such a one and has the
answers in its cache. Beside it: `dnsperf=`, dnsperf's closed-loop rate over ours ÷ over knot; and `restart_s=`, from
kill -9 at that rate until ours answers it again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import pathlib
import re
import signal
import statistics
import threading
import time
from collections.abc import Iterator

from bench import floors
from bench.checker import Checker
from bench.machine import announce, busy_ns, require_idle, version
from bench.machine import rounds as how_many
from lab.network import LabError, Network, Process, until

SECONDS = 5
RATE = 150_000
NAMES = 1_000
SERVER_CPU, CLIENT_CPU = "0", "1"
OURS, CLIENT = "10.99.0.2", "10.99.0.1"
DNSPERF = ["-c", "20", "-q", "200", "-T", "1"]
ADDRESS, TTL_S = "192.0.2.1", 86_400  # of every name
ZONE = """. 86400 IN SOA ns. admin. 1 3600 600 86400 3600
. 86400 IN NS ns.
ns. 86400 IN A 127.0.0.1
* 86400 IN A 192.0.2.1
"""


@dataclasses.dataclass
class ClosedLoop:
    """What dnsperf says that it did."""
    rate: float  # answers a second
    sent: int
    answered: int
    lost: int
    good: int  # answers that are NOERROR

    @property
    def lost_share(self) -> float:
        return self.lost / self.sent


class Stage:
    """A client and a server on one veth, and a resolver for ours on the server's `lo`."""

    def __init__(self, network: Network, build: pathlib.Path, zone: str = ZONE):
        self.network, self.folder, self.build = network, network.folder, build
        self.socket = self.folder / "control.sock"
        for space in ("client", "server"):
            network.namespace(space)
        network.link(("server", "eth0"), ("client", "eth0"))
        for space in ("client", "server"):
            # A client's checksums have to be complete, as a veth does not complete them.
            network.run(space, "ethtool", "-K", "eth0", "tx", "off")
        network.address("server", "eth0", f"{OURS}/24")
        network.address("client", "eth0", f"{CLIENT}/24")
        (self.folder / "root.zone").write_text(zone)
        self.names = self.folder / "names"
        self.names.write_text("".join(f"host{i:04d}.svc{i % 37}.example.com A\n" for i in range(NAMES)))
        self.serial = 0
        self._knot("upstream", "  listen: 127.0.0.1@5300\n")

    def outside(self, nice: int = 0) -> str:
        """Starts another resolver, behind the wire, on the client's CPU; its address and port (kxdpgun takes all UDP to
        ports from 2000 on)."""
        self._knot("outside", f"  listen: {CLIENT}@53\n", "", "nice", "-n", str(nice), "taskset", "-c", CLIENT_CPU, space="client")
        return f"{CLIENT}:53"

    def _knot(self, name: str, listen: str, xdp: str = "", *before: str, space: str = "server") -> Process:
        folder = self.folder / name
        folder.mkdir()
        file = folder / "knot.conf"
        file.write_text(f"server:\n  rundir: {folder}\n{listen}  udp-workers: 1\n  tcp-workers: 1\n"
                        f"  background-workers: 1\n{xdp}log:\n  - target: stderr\n    any: info\n"
                        f"database:\n  storage: {folder}/db\n"
                        f"zone:\n  - domain: .\n    file: {self.folder}/root.zone\n    zonefile-sync: -1\n"
                        f"    journal-content: none\n")
        process = self.network.start(space, name, *before, "knotd", "-c", str(file))
        process.wait_for("server started")
        return process

    def knot(self, xdp: bool = True) -> Process:
        self.serial += 1
        words = ("", "xdp:\n  listen: eth0@53\n") if xdp else (f"  listen: {OURS}@53\n", "")
        return self._knot(f"knot{self.serial}", *words, "taskset", "-c", SERVER_CPU)

    def ours(self, warm: bool = True, port: str = "", idle: str = "adaptive",
             upstream: str = "127.0.0.1:5300") -> Process:
        """`port`: more settings of the port, each after a comma."""
        self.serial += 1
        config = self.folder / "steerdns.yaml"
        config.write_text(f"dataplane: {{ ports: [ {{ device: eth0, driver: af_xdp{port} }} ], workers: [{SERVER_CPU}], "
                          f"memory: 256MiB, idle: {idle} }}\ncontrol: {{ http: off }}\nplugins:\n"
                          "  - tag: main\n    type: sequence\n"
                          f"    args: [ {{ exec: cache short_circuit }}, {{ exec: forward {upstream} }} ]\n")
        process = self.network.start("server", f"steerdnsd{self.serial}", str(self.build / "steerdnsd"), "--config",
                                     str(config), "--control-socket", str(self.socket))
        process.wait_for("serving", 40)
        if warm:
            self.warm()
        return process

    def bare(self, upstream: str = "") -> Process:
        """The worker without DNS in our place: it answers with ADDRESS, or forwards to an upstream behind the wire."""
        self.serial += 1
        process = self.network.start("server", f"bare{self.serial}", str(self.build / floors.TARGET), "--device", "eth0", "--address", OURS,
                                     "--cpu", SERVER_CPU, "--records", "1", *(["--upstream", upstream] if upstream else []))
        process.wait_for("serving")
        return process

    def warm(self) -> None:
        """Every name is asked for three times and answered."""
        out = self.dnsperf("-n", "3", "-c", "1", "-q", "20", "-t", "2")
        if f"NOERROR {3 * NAMES} (100.00%)" not in out:
            raise LabError(f"not every name is answered: {out[-800:]}")

    def stop(self, process: Process) -> None:
        process.stop()
        self.network.run("server", "ip", "link", "set", "eth0", "xdp", "off")  # knot leaves its program

    # Load -----------------------------------------------------------------------------------------------------

    def dnsperf(self, *words: str, names: pathlib.Path | None = None) -> str:
        return self.network.run("client", "taskset", "-c", CLIENT_CPU, "dnsperf", "-s", OURS, "-d",
                                str(names or self.names), *words).stdout

    def closed_loop(self, seconds: float, names: pathlib.Path | None = None) -> ClosedLoop:
        out = self.dnsperf("-l", str(seconds), *DNSPERF, names=names)
        count = lambda word: int((re.search(rf"{word}:?\s+(\d+)", out) or [0, 0])[1])
        return ClosedLoop(float(re.search(r"Queries per second:\s+([\d.]+)", out)[1]), count("Queries sent"),
                          count("Queries completed"), count("Queries lost"), count("NOERROR"))

    def offered(self, seconds: float, rate: int = RATE, names: pathlib.Path | None = None) -> tuple[int, int, int]:
        """kxdpgun's (queries, answers, answers that are NOERROR) at a rate."""
        out = self.network.run("client", "kxdpgun", "-F", CLIENT_CPU, "-t", str(round(seconds)), "-Q", str(rate), "-b",
                               "10", "-i", str(names or self.names), OURS).stdout
        found = [re.search(rf"{word}:\s+(\d+)", out) for word in ("total queries", "total replies", "responded NOERROR")]
        if not all(found):
            raise LabError(f"kxdpgun got no answers: {out[-500:]}")
        return tuple(int(f[1]) for f in found)

    @contextlib.contextmanager
    def checked(self, names: Iterator[str] | None = None) -> Iterator[Checker]:
        """Compares answers while the bench runs (checker.py), for the warm names or for `names`; a wrong one fails it."""
        warm = (line.split()[0] for line in itertools.cycle(self.names.read_text().splitlines()))
        with Checker(self, names or warm, ADDRESS, TTL_S, CLIENT_CPU, OURS) as checker:
            yield checker
        if checker.wrong or checker.compared <= checker.unanswered:
            raise LabError(f"{len(checker.wrong)} of {checker.compared} compared answers are wrong, {checker.unanswered} "
                           f"did not come: {checker.wrong[:3]}")

    def offered_cost(self, server: Process, seconds: float) -> dict:
        """Nanoseconds of CPU an answer of a server that runs, its own and the machine's, and what was lost."""
        before, idle = cpu_ns(server.pid), busy_ns()
        with self.checked() as checker:
            sent, got, good = self.offered(seconds)
        spent, busy = cpu_ns(server.pid) - before, busy_ns() - idle - checker.cpu_ns
        if good != got:
            raise LabError(f"{got - good} of {got} answers were errors")
        every = got + checker.compared
        return {"ns": spent / every, "machine_ns": busy / every, "lost": (sent - got) / sent, "compared": checker.compared}

    def cost(self, server: Process, seconds: float) -> dict:
        """The same with dnsperf's rate."""
        found = self.offered_cost(server, seconds)
        loop = self.closed_loop(seconds)
        return {**found, "qps": loop.rate, "qps_lost": loop.lost_share}

    def restart(self, server: Process) -> tuple[Process, float]:
        """Kills it at RATE; seconds until half of RATE is answered again by a new one."""
        thread = threading.Thread(target=lambda: self.network.run(
            "client", "kxdpgun", "-F", CLIENT_CPU, "-t", "12", "-Q", str(RATE), "-b", "10", "-i", str(self.names), OURS,
            check=False))
        thread.start()
        try:
            until(lambda: self._answers(0.1) > RATE / 2, 8, "kxdpgun is answered", 0)
            begin = time.monotonic()
            server.stop(number=signal.SIGKILL)
            again = self.ours(warm=False)
            until(lambda: self._answers(0.02) > RATE / 2, 10, "it answers again", 0)
            return again, time.monotonic() - begin
        finally:
            thread.join()

    def _answers(self, seconds: float) -> float:
        """Packets a second that the client's interface receives."""
        def count() -> int:
            return int(self.network.run("client", "cat", "/sys/class/net/eth0/statistics/rx_packets").stdout)
        first, begin = count(), time.monotonic()
        time.sleep(seconds)
        return (count() - first) / (time.monotonic() - begin)


def cpu_ns(pid: int) -> int:
    """Nanoseconds that all threads of a process were on a CPU."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


def measure(build: pathlib.Path, seconds: float = SECONDS) -> dict:
    with Network("bench") as network:
        stage = Stage(network, build)
        parameters = announce(f"ports: {RATE}/s offered by kxdpgun for {seconds} s by turns, {NAMES} names, dnsperf {' '.join(DNSPERF)} for "
                        f"{seconds} s; {version('knot')} in XDP mode with one udp-worker, ours on AF_XDP with one worker, cache and "
                        f"forward, idle: adaptive; servers on CPU {SERVER_CPU}, clients on CPU {CLIENT_CPU} of {os.cpu_count()}; veth with "
                        "one queue")
        knot, ours, bare = [], [], []
        for number in range(how_many()):
            for start, results in ((stage.knot, knot), (stage.ours, ours)):
                server = start()
                results.append(stage.cost(server, seconds))
                stage.stop(server)
            if floors.is_measured(number):
                server = stage.bare()
                stage.warm()
                bare.append(stage.offered_cost(server, seconds))
                stage.stop(server)
            print(f"  round {number + 1}: without DNS {bare[-1]['ns']:.0f} ns; " + "; ".join(
                f"{who} {r['ns']:.0f} ns an answer ({r['machine_ns']:.0f} the machine), {100 * r['lost']:.3f} % lost, "
                f"dnsperf {r['qps']:.0f}/s ({100 * r['qps_lost']:.3f} % lost)"
                for who, r in (("knot", knot[-1]), ("ours", ours[-1]))), flush=True)
        server, restart_s = stage.restart(stage.ours())
        stage.stop(server)
    ratios = [k["ns"] / o["ns"] for k, o in zip(knot, ours)]
    by_round = lambda key: statistics.median(k[key] / o[key] for k, o in zip(knot, ours))
    lost = lambda rows: round(100 * statistics.median(r["lost"] for r in rows), 4)
    return {"ratio": round(statistics.median(ratios), 3), "dnsperf": round(1 / by_round("qps"), 3),
            "restart_s": round(restart_s, 2), "ns": round(statistics.median(o["ns"] for o in ours)),
            "knot_ns": round(statistics.median(k["ns"] for k in knot)), "bare_ns": round(statistics.median(b["ns"] for b in bare)),
            "floor": floors.of([k["ns"] for k in knot], [b["ns"] for b in bare]), "lost_percent": lost(ours),
            "knot_lost_percent": lost(knot), "machine_ratio": round(by_round("machine_ns"), 3),
            "qps": round(statistics.median(o["qps"] for o in ours)),
            "knot_qps": round(statistics.median(k["qps"] for k in knot)), "compared": sum(o["compared"] for o in ours),
            "rounds": ratios, "parameters": parameters}


def run(build: str) -> dict:
    require_idle()
    return measure(pathlib.Path(build))
