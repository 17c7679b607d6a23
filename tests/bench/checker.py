"""Compares answers beside a load whose generator does not look at them.

One client more, on the generator's CPU: it asks one question at a time, by another source port, and compares each answer
with what the zone of the bench holds: question, address, and a TTL that never goes up and is never above the zone's.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator

from bench.message import WrongAnswer, only_address, question

RATE = 200  # a second: little enough to leave the figures alone
PORT = 1_999  # below 2000: kxdpgun takes what comes to the ports above


class Checker:
    """A context manager; afterwards `compared`, `wrong` (a sentence each) and `cpu_ns`, its own time on a CPU."""

    def __init__(self, stage, names: Iterator[str], address: str, ttl_s: int, cpu: str, server: str):
        self.names, self.address, self.ttl_s, self.cpu = names, socket.inet_aton(address), ttl_s, int(cpu)
        self.compared, self.unanswered, self.cpu_ns = 0, 0, 0
        self.wrong: list[str] = []
        self.ttls: dict[str, int] = {}
        self.ended = threading.Event()
        self.socket = stage.network.socket("client", socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("0.0.0.0", PORT))
        self.socket.connect((server, 53))
        self.socket.settimeout(0.2)
        self.thread = threading.Thread(target=self._run)

    def __enter__(self) -> Checker:
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.ended.set()
        self.thread.join()
        self.socket.close()

    def _run(self) -> None:
        os.sched_setaffinity(0, {self.cpu})  # this thread
        begin = time.thread_time_ns()
        ident = 0
        while not self.ended.wait(1 / RATE):
            ident = (ident + 1) & 0xFFFF
            self._ask(ident, next(self.names))
        self.cpu_ns = time.thread_time_ns() - begin

    def _ask(self, ident: int, name: str) -> None:
        query = question(name, ident, 0x0100)
        self.socket.send(query)
        try:
            while (reply := self.socket.recv(4096))[:2] != query[:2]:
                pass  # an answer that arrived too late
        except (TimeoutError, ConnectionError):
            self.unanswered += 1
            return
        self.compared += 1
        if why := self._why_wrong(name, query[12:], reply):
            self.wrong.append(f"{name}: {why}")

    def _why_wrong(self, name: str, asked: bytes, reply: bytes) -> str:
        try:
            address, ttl = only_address(reply, asked)
        except WrongAnswer as why:
            return str(why)
        if address != self.address:
            return "another record than the zone holds"
        most = self.ttls.get(name, self.ttl_s)
        self.ttls[name] = ttl
        return "" if ttl <= most else f"its TTL is {ttl} s after {most} s"
