"""Asks a server for one name every 10 ms until SIGINT, then prints JSON: how many were asked and answered, and the longest silence.

usage: prober.py SERVER NAME
"""

import json
import select
import signal
import socket
import struct
import sys
import time

PERIOD = 0.01


def main(server: str, name: str) -> None:
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0" + struct.pack(">HH", 1, 1)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    going = True

    def end(*_):
        nonlocal going
        going = False

    signal.signal(signal.SIGINT, end)
    asked = answered = 0
    longest = 0.0
    last = next_time = time.monotonic()
    print("probing", flush=True)
    while going:
        now = time.monotonic()
        if now >= next_time:
            asked += 1
            next_time = max(next_time + PERIOD, now)
            sock.sendto(struct.pack(">HHHHHH", asked & 0xFFFF, 0x0100, 1, 0, 0, 0) + question, (server, 53))
        if select.select([sock], [], [], max(0.0, next_time - time.monotonic()))[0]:
            reply = sock.recv(4096)
            if len(reply) > 12 and reply[3] & 0x0F == 0 and reply[6:8] != b"\0\0":
                now = time.monotonic()
                answered += 1
                longest = max(longest, now - last)
                last = now
    longest = max(longest, time.monotonic() - last)
    print(json.dumps({"asked": asked, "answered": answered, "longest_silence_ms": round(longest * 1000)}), flush=True)


main(*sys.argv[1:])
