"""The bench `observability`: cached answers a second of a worker that is watched ÷ without.

The shipped binary answers 4,096 queries for 1,000 names, over and over from net_pcap, by configs/minimal.yaml with a
`cache` in front. By turns: without control.http; with it (`off`); with a query_recorder that takes 1 % (`sampled`); with one
that takes up to 200,000 queries a second, and a reader that asks what the page asks (`page`: `ratio=`). A second is one of the worker's
CPU, because recorder and reader run on the other one. Answers are compared by memif_peer, with all that on.
"""

from __future__ import annotations

import http.client
import json
import math
import os
import pathlib
import socket
import statistics
import subprocess
import threading
import time

from bench.cached import Load, write_pcap
from bench.machine import announce, hugepages, require_idle
from bench.machine import rounds as how_many
from bench.memif import MEMIF, OUR_MAC, OURS, SERVER_CPU, Stage
from lab.network import LabError, Network, Process

SECONDS = 3.0
QUERIES = 4_096  # net_pcap keeps all of them in mbufs of the port
RECORDS = 200_000  # a second
TOKEN = "8c1d6f0be2974a53a0c4d1f7b9e26835"
HTTP_PORT = 9154
SIDES = ("without", "off", "sampled", "page")


class Page(threading.Thread):
    """Asks once a second what the page asks, and reads its events."""

    def __init__(self, network: Network):
        super().__init__()
        self.network, self.ended, self.polls, self.failure = network, threading.Event(), 0, None

    def _connect(self, verb: str, path: str, body: str | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", HTTP_PORT)
        connection.sock = self.network.socket("server", socket.AF_INET, socket.SOCK_STREAM)
        connection.sock.settimeout(20)
        connection.sock.connect(("127.0.0.1", HTTP_PORT))
        connection.request(verb, path, body, {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise LabError(f"{path}: {response.status} {response.read()[:200]!r}")
        return response

    def _ask(self, method: str) -> None:
        answer = json.loads(self._connect("POST", "/rpc", json.dumps({"jsonrpc": "2.0", "id": 1, "method": method})).read())
        if "result" not in answer:
            raise LabError(f"{method}: {answer}")

    def run(self) -> None:
        try:
            events = self._connect("GET", "/events?topics=events")
            while not self.ended.wait(1.0):
                for method in ("status", "counters"):
                    self._ask(method)
                self.polls += 1
            events.close()
        except Exception as failure:  # of another thread: stop() raises it
            self.failure = failure

    def stop(self) -> None:
        self.ended.set()
        self.join()
        if self.failure or self.polls == 0:
            raise LabError(f"the page was not read: {self.failure}")


class Watched(Stage):
    """A daemon of each side."""

    def configuration_of(self, side: str, one_in: int) -> str:
        if side == "without":
            return "control: { http: off }\n" + self.configuration
        token = self.folder / "token"
        token.write_text(TOKEN + "\n")
        token.chmod(0o600)
        control = f"control:\n  http:\n    tokens: [ {{ name: page, role: read, token_file: {token} }} ]\n"
        if side == "off":
            return control + self.configuration
        database = self.folder / f"queries-{side}.db"
        database.unlink(missing_ok=True)
        return control + self.configuration.replace(
            "plugins:\n", f"plugins:\n  - {{ tag: log, type: query_recorder, args: {{ path: {database}, one_in: {one_in} }} }}\n", 1).replace(
            '      - exec: "cache short_circuit"\n', '      - exec: "$log"\n      - exec: "cache short_circuit"\n', 1)

    def reported(self, method: str) -> dict:
        done = subprocess.run([str(self.build / "tools/steerctl/steerctl"), "--socket", str(self.folder / "control.sock"), "--json", method],
                              text=True, capture_output=True, timeout=30)
        if done.returncode != 0:
            raise LabError(f"steerctl {method}: {done.stderr}")
        return json.loads(done.stdout)

    def answered(self) -> int:
        return sum(worker["verdicts"]["answered"] for worker in self.reported("counters")["workers"])

    def recorded(self) -> int:
        return sum(one["recorded"] for one in self.reported("recorder")["recorders"])

    def measure(self, side: str, one_in: int) -> dict:
        """Answers per second of the worker's CPU, and records per second of the clock."""
        daemon = self.start(f"{{ device: 'rx_pcap={self.folder}/hot.pcap,infinite_rx=1', driver: pcap, addresses: [{OURS}] }}", "spin",
                            self.configuration_of(side, one_in))
        page = Page(self.network) if side == "page" else None
        try:
            if page:
                page.start()
            time.sleep(2)
            before = self.answered(), cpu_s(daemon), self.recorded() if side in ("sampled", "page") else 0, time.monotonic()
            time.sleep(SECONDS)
            after = self.answered(), cpu_s(daemon), self.recorded() if side in ("sampled", "page") else 0, time.monotonic()
        finally:
            if page:
                page.stop()
            daemon.stop()
        answers, cpu, records, clock = (b - a for a, b in zip(before, after))
        if answers < 1000:
            raise LabError(f"{side}: only {answers} answers: {daemon.text()}")
        return {"rate": answers / cpu, "records_s": records / clock}

    def compare(self, one_in: int) -> int:
        path = self.socket()
        daemon = self.start(f"{{ device: 'role=server,socket-abstract=no,{MEMIF},mac={OUR_MAC},socket={path}', driver: memif, "
                            f"addresses: [{OURS}] }}", "adaptive", self.configuration_of("page", one_in))
        page = Page(self.network)
        try:
            page.start()
            return self.load(path, 3.0)["compared"]
        finally:
            page.stop()
            daemon.stop()


def cpu_s(daemon: Process) -> float:
    """Seconds that the worker was on a CPU."""
    for task in pathlib.Path(f"/proc/{daemon.child.pid}/task").iterdir():
        if "worker" in (task / "comm").read_text():
            return int((task / "schedstat").read_text().split()[0]) / 1e9
    raise LabError("no thread is called worker")


def measure(build: pathlib.Path, huge: bool) -> dict:
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    records: list[float] = []
    with Network("bench") as network:
        stage = Watched(network, build, huge)
        write_pcap(stage.folder / "hot.pcap", Load(queries=QUERIES))
        one_in = 1
        for number in range(how_many()):
            for side in SIDES:
                found = stage.measure(side, {"sampled": 100, "page": one_in}.get(side, 0))
                rates[side].append(found["rate"])
                if side == "without":
                    one_in = math.ceil(found["rate"] / RECORDS)
            records.append(found["records_s"])
            print(f"  round {number + 1}: " + ", ".join(f"{side} {rates[side][-1] / 1e6:.2f}" for side in SIDES) +
                  f" M answers a second; {records[-1]:.0f} records a second, one in {one_in}", flush=True)
        compared = stage.compare(one_in)
        print(f"  {compared} answers compared, 0 wrong", flush=True)
    ratios = {side: [a / b for a, b in zip(rates[side], rates["without"])] for side in SIDES[1:]}
    middle = {side: round(statistics.median(all_), 3) for side, all_ in ratios.items()}
    return {"ratio": middle["page"], "off": middle["off"], "sampled": middle["sampled"], "records_s": round(statistics.median(records)),
            "mqps": round(statistics.median(rates["without"]) / 1e6, 2), "compared": compared, "rounds": ratios["page"]}


def run(build: str) -> dict:
    require_idle()
    with hugepages(1024) as pages:
        huge = pages >= 800
        parameters = announce(f"observability: {QUERIES} queries for 1000 names from net_pcap, infinite_rx, on CPU {SERVER_CPU} of {os.cpu_count()}, {SECONDS:g} s by "
                        f"turns, {pages} hugepages of 2 MiB{'' if huge else ' are too few: without'}; the router and a resolver there, idle: spin; "
                        f"database on the disk of {os.environ.get('TMPDIR', '/tmp')}")
        return {**measure(pathlib.Path(build), huge), "hugepages": pages if huge else 0, "parameters": parameters}
