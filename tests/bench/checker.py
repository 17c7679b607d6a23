"""Compares answers beside a load whose generator does not look at them.

One client more, on the generator's CPU: it asks one question at a time, by another source port, and compares each answer
with what the zone of the bench holds: question, address, and a TTL that never goes up and is never above the zone's.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator

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
        question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0\0\1\0\1"
        self.socket.send(struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + question)
        try:
            while (reply := self.socket.recv(4096))[:2] != ident.to_bytes(2, "big"):
                pass  # an answer that arrived too late
        except (TimeoutError, ConnectionError):
            self.unanswered += 1
            return
        self.compared += 1
        if why := self._why_wrong(name, question, reply):
            self.wrong.append(f"{name}: {why}")

    def _why_wrong(self, name: str, question: bytes, reply: bytes) -> str:
        end = 12 + len(question)
        flags, _, answers = struct.unpack_from("!3H", reply, 2)
        if flags & 0x820F != 0x8000 or reply[12:end] != question:
            return f"flags {flags:#06x}, or another question"
        if answers != 1 or len(reply) < end + 16 or reply[end] < 0xC0:
            return f"{answers} records, not one under the question's name"
        _, kind, klass, ttl, length = struct.unpack_from("!3HIH", reply, end)
        if (kind, klass, length) != (1, 1, 4) or reply[end + 12:end + 16] != self.address:
            return "another record than the zone holds"
        most = self.ttls.get(name, self.ttl_s)
        self.ttls[name] = ttl
        return "" if ttl <= most else f"its TTL is {ttl} s after {most} s"
