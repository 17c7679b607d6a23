"""Asks many names over UDP, many at a time, and records when each answer came. It uses no other module, as it runs in a namespace.

`ask.py SERVER WINDOW TIMEOUT_S` reads "NAME TYPE" lines from standard input; prints a JSON line per name, in order:
{"name", "rcode", "ms", "addresses": [[address, ttl]...], "truncated"}; rcode null: no answer.
"""

import json
import socket
import struct
import sys
import time

TYPES = {"A": 1, "AAAA": 28, "TXT": 16, "ANY": 255}


def encode(ident, name, kind):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split("."))
    edns = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 1) + labels + b"\0" + struct.pack("!HH", TYPES[kind], 1) + edns


def skip_name(message, at):
    while message[at]:
        if message[at] >= 0xC0:
            return at + 2
        at += message[at] + 1
    return at + 1


def decode(message):
    """(rcode, [(address, ttl)], truncated)"""
    _, flags, questions, answers, _, _ = struct.unpack_from("!6H", message)
    at, found = 12, []
    for _ in range(questions):
        at = skip_name(message, at) + 4
    for _ in range(answers):
        at = skip_name(message, at)
        kind, _, ttl, size = struct.unpack_from("!HHIH", message, at)
        data = message[at + 10:at + 10 + size]
        if kind in (1, 28):
            found.append((socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, data), ttl))
        at += 10 + size
    return flags & 15, found, bool(flags & 0x200)


def ask_all(server, questions, window, timeout):
    sock = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.connect((server, 53))
    results = [{"name": name, "rcode": None, "ms": None, "addresses": [], "truncated": False} for name, _ in questions]
    waiting, next_one = {}, 0  # by id: (index, when it was sent)
    while next_one < len(questions) or waiting:
        while next_one < len(questions) and len(waiting) < window:
            waiting[next_one] = time.monotonic()
            sock.send(encode(next_one, *questions[next_one]))
            next_one += 1
        oldest = min(waiting.values())
        sock.settimeout(max(0.001, oldest + timeout - time.monotonic()))
        try:
            message = sock.recv(65536)
        except (socket.timeout, ConnectionRefusedError):
            now = time.monotonic()
            waiting = {ident: sent for ident, sent in waiting.items() if now - sent < timeout}
            continue
        ident = struct.unpack_from("!H", message)[0]
        if ident in waiting:
            rcode, addresses, truncated = decode(message)
            results[ident].update(rcode=rcode, addresses=addresses, truncated=truncated,
                                  ms=round(1000 * (time.monotonic() - waiting.pop(ident)), 3))
    return results


def main():
    server, window, timeout = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    questions = [line.split() for line in sys.stdin if line.strip()]
    for result in ask_all(server, questions, window, timeout):
        print(json.dumps(result))


if __name__ == "__main__":
    main()
