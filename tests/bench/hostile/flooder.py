"""Sends one flood at a rate until SIGTERM; then prints as JSON how much it sent, and in how many seconds.

    python3 -m bench.hostile.flooder FLOOD RATE SERVER DEVICE MAC [INITIALS]

MAC is the server's. INITIALS: a file with first datagrams of QUIC connections, as hexadecimal digits. Packets leave by DEVICE of the network namespace that the process is in, which must be
a link of the bench.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import pathlib
import random
import resource
import select
import signal
import socket
import struct
import sys
import time

from bench.hostile import floods
from bench.hostile.frames import Target, Template

BATCH = 64       # frames of one system call
TICK_S = 0.001
MOST_LATE_S = 0.02  # what was not sent in this time is given up: no bursts
CALL_TICK_S = 0.005
QDISC_BYPASS = 20
SIOCGIFADDR = 0x8915


class IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class MsgHdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32), ("parts", ctypes.POINTER(IoVec)), ("part_count", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t), ("flags", ctypes.c_int)]


class MMsgHdr(ctypes.Structure):
    _fields_ = [("header", MsgHdr), ("sent", ctypes.c_uint)]


class Frames:
    """The templates in the form of sendmmsg(): three parts each; the second is the hole."""

    def __init__(self, templates: list[Template]):
        if len({(t.hole, t.letters) for t in templates}) != 1:
            raise ValueError("the frames of one flood have one kind of hole")
        self.count, self.hole, self.letters = len(templates), templates[0].hole, templates[0].letters
        self.fixed = ctypes.create_string_buffer(b"".join(t.head + t.tail for t in templates))
        self.holes = ctypes.create_string_buffer(max(1, self.hole * self.count))
        self.parts = (IoVec * (3 * self.count))()
        self.messages = (MMsgHdr * self.count)()
        at, holes = ctypes.addressof(self.fixed), ctypes.addressof(self.holes)
        size, first = ctypes.sizeof(IoVec), ctypes.addressof(self.parts)
        for i, template in enumerate(templates):
            head, tail = len(template.head), len(template.tail)
            self.parts[3 * i] = IoVec(at, head)
            self.parts[3 * i + 1] = IoVec(holes + i * self.hole, self.hole)
            self.parts[3 * i + 2] = IoVec(at + head, tail)
            self.messages[i].header.parts = ctypes.cast(first + 3 * i * size, ctypes.POINTER(IoVec))
            self.messages[i].header.part_count = 3
            at += head + tail

    def refill(self, first: int, count: int) -> None:
        """New bytes for the holes of these frames."""
        size = self.hole * count
        data = os.urandom((size + 1) // 2).hex().encode()[:size] if self.letters else os.urandom(size)
        ctypes.memmove(ctypes.addressof(self.holes) + first * self.hole, data, size)

    def bytes_of(self, number: int) -> bytes:
        return b"".join(ctypes.string_at(part.base, part.length) for part in self.parts[3 * number:3 * number + 3])


class PacketFlood:
    def __init__(self, templates: list[Template], device: str):
        self.frames = Frames(templates)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.bind((device, 0))
        self.socket.setsockopt(263, QDISC_BYPASS, 1)
        self.send = ctypes.CDLL(None, use_errno=True).sendmmsg
        self.next = 0
        self.sent = 0

    def send_some(self, most: int) -> None:
        """A batch; what the link refuses counts as sent."""
        count = min(most, BATCH, self.frames.count - self.next)
        if self.frames.hole:
            self.frames.refill(self.next, count)
        self.send(self.socket.fileno(), ctypes.byref(self.frames.messages, self.next * ctypes.sizeof(MMsgHdr)), count, 0)
        self.next = (self.next + count) % self.frames.count
        self.sent += count

    def run(self, rate: int, ended) -> None:
        begin, given_up = time.monotonic(), 0
        while not ended():
            elapsed = time.monotonic() - begin
            due = int(elapsed * rate) - self.sent - given_up
            late = due - int(MOST_LATE_S * rate) - BATCH
            if late > 0:
                given_up += late
                due -= late
            if due <= 0:
                time.sleep(TICK_S)
                continue
            for _ in range(0, due, BATCH):
                self.send_some(min(due, BATCH))


class Call:
    """A connection: what is left to be sent, and until when it stays."""
    __slots__ = ("left", "sock", "until")

    def __init__(self, sock: socket.socket, left: bytes, until: float):
        self.sock, self.left, self.until = sock, left, until


class CallFlood:
    """Connections, begun at a rate. A tick begins what is due and serves what is ready."""

    def __init__(self, calls: floods.Calls, server: str, sources: list[str]):
        self.calls, self.server, self.sources = calls, server, itertools.cycle(sources)
        self.greeting = calls.greeting()
        self.poller = select.epoll()
        self.open: dict[int, Call] = {}
        self.ends: collections.deque[tuple[float, int, Call]] = collections.deque()  # in the order of their ends
        self.sent = 0.0

    def begin(self, now: float) -> None:
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close() resets
        sock.bind((next(self.sources), 0))
        sock.connect_ex((self.server, self.calls.port))
        call = Call(sock, self.greeting, now + max(self.calls.keep_s, 1.0))
        self.open[sock.fileno()] = call
        self.ends.append((call.until, sock.fileno(), call))
        self.poller.register(sock.fileno(), select.EPOLLOUT)

    def end(self, descriptor: int, call: Call) -> None:
        if self.open.get(descriptor) is call:
            del self.open[descriptor]
            call.sock.close()

    def ready(self, descriptor: int, events: int, now: float) -> None:
        call = self.open.get(descriptor)
        if call is None:
            return
        if events & (select.EPOLLERR | select.EPOLLHUP):
            self.end(descriptor, call)
        elif events & select.EPOLLOUT:
            self.go_on(descriptor, call)
        else:  # what the server sent is not read
            self.end(descriptor, call)

    def go_on(self, descriptor: int, call: Call) -> None:
        if call.left:
            with contextlib.suppress(OSError):
                count = call.sock.send(call.left)
                self.sent += self.calls.units * count / len(self.greeting)
                call.left = call.left[count:]
        if call.left:
            return
        if not self.greeting and not self.calls.drips:
            self.sent += self.calls.units
        if self.calls.awaits:
            self.poller.modify(descriptor, select.EPOLLIN)
        elif self.calls.keep_s > 0:
            self.poller.modify(descriptor, 0)  # errors only
        else:
            self.end(descriptor, call)

    def tick(self, now: float, due: int) -> None:
        for _ in range(due):
            self.begin(now)
        for descriptor, events in self.poller.poll(0):
            self.ready(descriptor, events, now)
        while self.ends and self.ends[0][0] < now:
            _, descriptor, call = self.ends.popleft()
            self.end(descriptor, call)

    def drip(self, share: int, number: int, rate: int, now: float) -> None:
        """Each connection sends a byte a second: a share of them each tick. Those that ended are begun again."""
        for _ in range(min(rate - len(self.open), rate // share + 1)):
            self.begin(now)
        for descriptor, call in list(self.open.items()):
            if descriptor % share == number % share:
                try:
                    self.sent += call.sock.send(self.calls.drips)
                except BlockingIOError:
                    pass
                except OSError:
                    self.end(descriptor, call)

    def run(self, rate: int, ended) -> None:
        begin, begun = time.monotonic(), 0
        for number in itertools.count():
            if ended():
                return
            now = time.monotonic()
            if self.calls.drips:
                self.drip(round(1 / CALL_TICK_S), number, rate, now)
                self.tick(now, 0)
            else:
                wanted = int((now - begin) * rate / self.calls.units)
                due = min(wanted - begun, int(10 * CALL_TICK_S * rate / self.calls.units) + 1)
                begun = wanted
                self.tick(now, due)
            time.sleep(max(0.0, begin + (number + 1) * CALL_TICK_S - time.monotonic()))


def own_mac(device: str) -> str:
    """Read by the process itself: /sys shows the namespace in which it was mounted."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind((device, 0))
        return sock.getsockname()[4].hex(":")


def address_of(device: str) -> str:
    """Its first IPv4 address; empty without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
        return socket.inet_ntoa(fcntl.ioctl(sock, SIOCGIFADDR, struct.pack("256s", device.encode()))[20:24])
    return ""


def main() -> None:
    flood, rate, server, device, mac = floods.BY_NAME[sys.argv[1]], int(sys.argv[2]), *sys.argv[3:6]
    if address_of(device) != floods.OWN:
        sys.exit(f"flooder: {device} is no link of the bench: it has not the address {floods.OWN}")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if flood.packets:
        initials = tuple(bytes.fromhex(line) for path in sys.argv[6:] for line in pathlib.Path(path).read_text().splitlines())
        templates = flood.packets(Target(server, mac, own_mac(device), initials), random.Random(1))
        engine = PacketFlood(templates, device)
    else:
        engine = CallFlood(flood.calls, server, floods.CALLERS)
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    print("floods", flush=True)
    begin = time.monotonic()
    engine.run(rate, lambda: bool(ended))
    print(json.dumps({"sent": round(engine.sent), "seconds": time.monotonic() - begin}), flush=True)


if __name__ == "__main__":
    main()
