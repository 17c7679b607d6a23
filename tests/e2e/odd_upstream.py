"""A resolver that passes queries on to another, and can lie, be slow or fail. Uses no other module: it runs in a namespace.

`odd_upstream.py ADDRESS OTHER [--delay MS] [--lie ADDRESS] [--bogus]`
  --delay MS      replies come so much later
  --lie ADDRESS   each name has this IPv4 address
  --bogus         SERVFAIL with the extended error 6, as of a validating resolver for a wrong signature
"""

import argparse
import socket
import struct
import threading

WHY = b"the signature of the zone has expired"
OPT_BOGUS = b"\0\0\x29\x04\xd0\0\0\0\0" + struct.pack("!4H", 6 + len(WHY), 15, 2 + len(WHY), 6) + WHY


def question(query):
    end = 12
    while query[end]:
        end += 1 + query[end]
    return query[12:end + 5]


def lie(query, address):
    asked = question(query)
    is_a = asked[-4:] == b"\0\1\0\1"
    record = b"\xc0\x0c\0\1\0\1\0\0\x01\x2c\0\4" + socket.inet_aton(address) if is_a else b""
    return query[:2] + struct.pack("!5H", 0x8180, 1, int(is_a), 0, 0) + asked + record


def bogus(query):
    return query[:2] + struct.pack("!5H", 0x8182, 1, 0, 0, 1) + question(query) + OPT_BOGUS


def passed_on(query, other):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(query, (other, 53))
        return sock.recv(65535)


def main():
    words = argparse.ArgumentParser()
    words.add_argument("address")
    words.add_argument("other")
    words.add_argument("--delay", type=int, default=0)
    words.add_argument("--lie")
    words.add_argument("--bogus", action="store_true")
    asked = words.parse_args()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((asked.address, 53))
    print("ready", flush=True)
    while True:
        query, who = sock.recvfrom(4096)
        answer = lie(query, asked.lie) if asked.lie else bogus(query) if asked.bogus else passed_on(query, asked.other)
        threading.Timer(asked.delay / 1000, sock.sendto, (answer, who)).start()


main()
