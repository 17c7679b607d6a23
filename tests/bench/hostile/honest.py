"""Asks as honest clients do, checks each answer, and prints as JSON what came of it.

    python3 -m bench.hostile.honest '{"server": …, "seconds": …, "serial": …, "udp": RATE, "held": RATE, "first_held": N,
                                      "transport": "dot", "stream": RATE}'

`udp`: three of four queries are for names in the cache, the others for new names. `held`: names whose answer waits for a router's row.
`stream`: over connections of `transport`, which are replaced after ten queries; a connection that fails is tried once more.
A query counts as answered if its answer is right and in time. A truncated answer over UDP is asked for again over TCP.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import heapq
import itertools
import json
import select
import socket
import ssl
import statistics
import struct
import sys
import time
from collections.abc import Callable

from bench.framing import HttpFraming, LengthFraming
from bench.hostile.floods import HONEST, HTTP_PORT, TLS_PORT
from bench.message import WrongAnswer, only_address, question
from bench.ports import ADDRESS, NAMES, TTL_S

IN_TIME_S = {"udp": 1.0, "held": 3.0, "stream": 3.0}
FRESH = 4         # one query in four is for a new name
SLOTS, EACH = 20, 10  # connections at one time, and queries of each
PORTS = {"tcp": 53, "dot": TLS_PORT, "doh": HTTP_PORT}
RD, TRUNCATED, RCODE = 0x0100, 0x0200, 0x000F


@dataclasses.dataclass
class Asked:
    kind: str
    message: bytes
    address: bytes
    at: float         # when it was due
    tries: int = 0


class Tally:
    """What became of the queries of one kind."""

    def __init__(self) -> None:
        self.asked = 0
        self.times: list[float] = []
        self.late = 0
        self.errors = 0      # SERVFAIL and other codes
        self.wrong: list[str] = []

    def reply(self, asked: Asked, reply: bytes, now: float) -> None:
        if struct.unpack_from("!H", reply, 2)[0] & RCODE:
            self.errors += 1
            return
        try:
            address, ttl = only_address(reply, asked.message[12:])
        except WrongAnswer as why:
            self.wrong.append(f"{asked.message[12:-4]!r}: {why}")
            return
        if address != asked.address or ttl > TTL_S:
            self.wrong.append(f"{asked.message[12:-4]!r}: another record than the zone holds")
        elif now - asked.at > IN_TIME_S[asked.kind]:
            self.late += 1
        else:
            self.times.append(now - asked.at)

    def figures(self) -> dict:
        times = sorted(self.times)
        return {"asked": self.asked, "answered": len(times), "late": self.late, "errors": self.errors, "wrong": self.wrong[:5],
                "p50": statistics.median(times) if times else None, "p99": times[int(len(times) * 0.99)] if times else None}


def held_name(number: int) -> tuple[str, bytes]:
    return f"h{number}.held.example", bytes((45, 1 + number // 62_500, number // 250 % 250, number % 250))


class Connection:
    """One connection, without waiting: `on_reply(asked, reply)`, and `on_failed(asked…)` for what it did not answer."""

    def __init__(self, loop: Loop, source: str, server: str, transport: str, on_reply: Callable, on_failed: Callable):
        self.loop, self.transport, self.on_reply, self.on_failed = loop, transport, on_reply, on_failed
        self.framing = HttpFraming() if transport == "doh" else LengthFraming()
        self.output = self.framing.greeting
        self.waiting: dict[bytes, Asked] = {}
        self.begun, self.retiring = 0, False
        self.is_open, self.is_secure = False, transport != "dot"
        self.wants = select.EPOLLOUT
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.bind((source, 0))
        self.sock.connect_ex((server, PORTS[transport]))
        self.descriptor = self.sock.fileno()
        loop.watch(self.descriptor, select.EPOLLOUT, self.ready)

    def ask(self, asked: Asked) -> None:
        self.begun += 1
        asked.tries += 1
        self.waiting[asked.message[:2]] = asked
        self.output += self.framing.wrap(asked.message)
        self.go_on(select.EPOLLOUT)

    def ready(self, events: int) -> None:
        if not self.is_open and not events & (select.EPOLLERR | select.EPOLLHUP):
            self.is_open = True
        self.go_on(events)

    def go_on(self, events: int) -> None:
        if self.sock is None:
            return
        try:
            if self.is_open and self.is_secure or self.is_open and self.secured():
                self.send()
                if events & (select.EPOLLIN | select.EPOLLERR | select.EPOLLHUP):
                    self.receive()
            elif events & (select.EPOLLERR | select.EPOLLHUP):
                raise ConnectionError
        except (OSError, ssl.SSLError):
            self.fail()
            return
        if self.sock is not None:
            wants = select.EPOLLIN | (0 if self.is_open and not self.output else select.EPOLLOUT)
            if self.is_open and not self.is_secure:
                wants = self.wants
            self.loop.change(self.descriptor, wants)
            if self.retiring and not self.waiting:
                self.close()

    def secured(self) -> bool:
        if not isinstance(self.sock, ssl.SSLSocket):
            self.sock = self.loop.terms.wrap_socket(self.sock, do_handshake_on_connect=False)
        try:
            self.sock.do_handshake()
            self.is_secure = True
        except ssl.SSLWantReadError:
            self.wants = select.EPOLLIN
        except ssl.SSLWantWriteError:
            self.wants = select.EPOLLOUT
        return self.is_secure

    def send(self) -> None:
        if self.output:
            with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                self.output = self.output[self.sock.send(self.output):]

    def receive(self) -> None:
        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while self.sock is not None:
                data = self.sock.recv(16_384)
                if not data:
                    raise ConnectionError
                messages, more = self.framing.feed(data)
                self.output += more
                for message in messages:
                    if asked := self.waiting.pop(message[:2], None):
                        self.on_reply(asked, message)
        self.send()

    def fail(self) -> None:
        lost = list(self.waiting.values())
        self.waiting.clear()
        self.close()
        for asked in lost:
            self.on_failed(asked)

    def close(self) -> None:
        if self.sock is not None:
            self.loop.forget(self.descriptor)
            self.sock.close()
            self.sock = None


class Loop:
    """Sockets, and the queries that are due."""

    def __init__(self) -> None:
        self.poller = select.epoll()
        self.handlers: dict[int, Callable[[int], None]] = {}
        self.terms = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.terms.check_hostname, self.terms.verify_mode = False, ssl.CERT_NONE

    def watch(self, descriptor: int, events: int, handler: Callable[[int], None]) -> None:
        self.handlers[descriptor] = handler
        self.poller.register(descriptor, events)

    def change(self, descriptor: int, events: int) -> None:
        self.poller.modify(descriptor, events)

    def forget(self, descriptor: int) -> None:
        del self.handlers[descriptor]
        self.poller.unregister(descriptor)

    def run(self, rates: dict[str, float], ask: Callable[[str, float], None], seconds: float, is_busy: Callable[[], bool]) -> None:
        """Asks for `seconds`; then waits for answers that may still be in time."""
        begin = time.monotonic()
        due = [(begin + 1 / (2 * rate), kind) for kind, rate in rates.items() if rate]
        heapq.heapify(due)
        end = begin + seconds
        last = end + max(IN_TIME_S[kind] for _, kind in due)
        while (now := time.monotonic()) < last and (due or is_busy()):
            while due and due[0][0] <= now:
                at, kind = due[0]
                ask(kind, at)
                following = at + 1 / rates[kind]
                if following < end:
                    heapq.heapreplace(due, (following, kind))
                else:
                    heapq.heappop(due)
            for descriptor, events in self.poller.poll(max(0.0, min(due[0][0] if due else last, last) - time.monotonic())):
                if handler := self.handlers.get(descriptor):
                    handler(events)


class Clients:
    def __init__(self, server: str, serial: int, first_held: int, transport: str):
        self.server, self.serial, self.transport = server, serial, transport
        self.loop = Loop()
        self.tallies: dict[str, Tally] = collections.defaultdict(Tally)
        self.numbers, self.held = itertools.count(), itertools.count(first_held)
        self.waiting: dict[tuple[int, bytes], Asked] = {}
        self.sources = itertools.cycle(HONEST)
        self.slots: list[Connection | None] = [None] * SLOTS
        self.sockets = [self.udp_socket(source) for source in HONEST]

    def udp_socket(self, source: str) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind((source, 0))
        sock.connect((self.server, 53))
        self.loop.watch(sock.fileno(), select.EPOLLIN, lambda _: self.datagrams(sock))
        return sock

    def next_asked(self, kind: str, at: float) -> Asked:
        number = next(self.numbers)
        address = socket.inet_aton(ADDRESS)
        if kind == "held":
            name, address = held_name(next(self.held))
        elif number % FRESH == 0:
            name = f"n{number}.r{self.serial}.example.com"
        else:
            name = f"host{number % NAMES:04d}.svc{number % NAMES % 37}.example.com"
        return Asked(kind, question(name, number & 0xFFFF, RD), address, at)

    def ask(self, kind: str, at: float) -> None:
        asked = self.next_asked(kind, at)
        self.tallies[kind].asked += 1
        if kind == "stream":
            self.over_connection(asked)
            return
        sock = self.sockets[struct.unpack("!H", asked.message[:2])[0] % len(self.sockets)]
        self.waiting[sock.fileno(), asked.message[:2]] = asked
        with contextlib.suppress(OSError):
            sock.send(asked.message)

    def datagrams(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):  # an ICMP error is no answer, and no end
            while True:
                reply = sock.recv(4096)
                if len(reply) <= 12:
                    continue
                asked = self.waiting.get((sock.fileno(), reply[:2]))
                if asked is None or reply[12:12 + len(asked.message) - 12] != asked.message[12:]:
                    continue  # an answer to a query with a forged source
                del self.waiting[sock.fileno(), reply[:2]]
                if struct.unpack_from("!H", reply, 2)[0] & TRUNCATED:
                    once = Connection(self.loop, sock.getsockname()[0], self.server, "tcp", self.replied, lambda _: None)
                    once.retiring = True
                    once.ask(asked)
                else:
                    self.replied(asked, reply)

    def replied(self, asked: Asked, reply: bytes) -> None:
        self.tallies[asked.kind].reply(asked, reply, time.monotonic())

    def over_connection(self, asked: Asked) -> None:
        slot = next(self.numbers) % SLOTS if asked.tries else struct.unpack("!H", asked.message[:2])[0] % SLOTS
        connection = self.slots[slot]
        if connection is None or connection.sock is None or connection.begun >= EACH:
            if connection is not None and connection.sock is not None:
                connection.retiring = True
                if not connection.waiting:
                    connection.close()
            connection = Connection(self.loop, next(self.sources), self.server, self.transport, self.replied, self.failed)
            self.slots[slot] = connection
        connection.ask(asked)

    def failed(self, asked: Asked) -> None:
        if asked.tries < 2 and time.monotonic() - asked.at < IN_TIME_S[asked.kind]:
            self.over_connection(asked)

    def is_busy(self) -> bool:
        return bool(self.waiting) or any(connection and connection.waiting for connection in self.slots)

    def run(self, rates: dict[str, float], seconds: float) -> dict:
        self.loop.run(rates, self.ask, seconds, self.is_busy)
        return {kind: tally.figures() for kind, tally in self.tallies.items()}


def main() -> None:
    wanted = json.loads(sys.argv[1])
    clients = Clients(wanted["server"], wanted["serial"], wanted["first_held"], wanted["transport"])
    print(json.dumps(clients.run({kind: wanted[kind] for kind in ("udp", "held", "stream")}, wanted["seconds"])), flush=True)


if __name__ == "__main__":
    main()
