"""Asks names over UDP at a steady rate and reads no answer. Uses no other module of the tests, as it runs in a namespace.

`blind_client.py SERVER NAME COUNT RATE [SOURCES]`
  NAME      each `{}` becomes the number of the query
  SOURCES   such as "192.168.88.": source addresses are forged, each of this network
"""

import itertools
import socket
import struct
import sys
import time


def query(number, name):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!6H", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def forged(message, source, server):
    """In IPv4 and UDP, whose checksum is left out; the kernel writes that of the header."""
    udp = struct.pack("!4H", 20_000, 53, 8 + len(message), 0) + message
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(server)) + udp


def main():
    server, name, count, rate = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    sources = sys.argv[5] if len(sys.argv) > 5 else ""
    hosts = itertools.cycle(range(20, 250))
    if sources:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    else:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    began = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        message = query(number, name.replace("{}", str(number)))
        packet = forged(message, f"{sources}{next(hosts)}", server) if sources else message
        sock.sendto(packet, (server, 53))


main()
