"""Asks the boxes for names at a steady rate, and records each query. It uses no other module, as it runs in a namespace.

`load.py RATE SECONDS NAMES SEED SERVER…` prints "asking", then at its end a JSON object: {"SERVER": [[sent_s, answered_s or null, rcode]…]}; times
are of CLOCK_REALTIME. An answer is waited for during PATIENCE_S.
"""

import json
import random
import select
import socket
import struct
import sys
import time

PATIENCE_S = 8


def encode(ident, name):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)


class Server:
    def __init__(self, address):
        self.address, self.queries, self.waiting = address, [], {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((address, 53))
        self.socket.setblocking(False)

    def ask(self, name):
        ident = len(self.queries) & 0xFFFF
        self.waiting[ident] = len(self.queries)
        self.queries.append([time.time(), None, None])
        try:
            self.socket.send(encode(ident, name))
        except OSError:  # the box has ended: ICMP reported it for an earlier query
            pass

    def take(self):
        while True:
            try:
                message = self.socket.recv(4096)
            except BlockingIOError:
                return
            except OSError:
                continue
            ident, flags = struct.unpack_from("!2H", message)
            index = self.waiting.pop(ident, None)
            if index is not None:
                self.queries[index][1:] = [time.time(), flags & 15]


def main():
    rate, seconds, names, seed = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    servers = [Server(address) for address in sys.argv[5:]]
    chance = random.Random(seed)
    # Few names are asked for often, most of them rarely.
    weights = [1 / (rank + 3) for rank in range(names)]
    asked = chance.choices(range(names), weights, k=int(rate * seconds))
    print("asking", flush=True)
    begin, sent = time.monotonic(), 0
    while sent < len(asked):
        due = begin + sent / rate
        left = due - time.monotonic()
        if left > 0:
            for readable in select.select([s.socket for s in servers], [], [], left)[0]:
                next(s for s in servers if s.socket is readable).take()
            continue
        chance.choice(servers).ask(f"n{asked[sent]}.stream.example")
        sent += 1
    end = time.monotonic() + PATIENCE_S
    while any(s.waiting for s in servers) and (left := end - time.monotonic()) > 0:
        for readable in select.select([s.socket for s in servers], [], [], left)[0]:
            next(s for s in servers if s.socket is readable).take()
    print(json.dumps({s.address: s.queries for s in servers}))


main()
