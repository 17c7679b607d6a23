"""Router advertisements with PREF64 (RFC 8781), which Debian 12's radvd cannot send. Stands alone: it runs in a namespace.

`router_advertisement.py send DEVICE PREFIX LIFETIME_S` sends them every 2 s and to each router solicitation. They hold only
the prefix, so that radvd's stay in force: a router may spread its options over several (RFC 4861 6.2.3).
`router_advertisement.py read DEVICE [SECONDS]` solicits and prints what routers say as JSON: {"pref64": [...], "rdnss": [...],
"prefixes": [...], "routers": [...]}. It ends as soon as it has heard a prefix of each kind, or after SECONDS (5).
"""

import ipaddress
import json
import select
import socket
import struct
import sys
import time

SOLICITATION, ADVERTISEMENT = 133, 134
PREFIX, RDNSS, PREF64 = 3, 25, 38
ALL_NODES, ALL_ROUTERS = "ff02::1", "ff02::2"
EVERY_S = 2
LENGTHS = {96: 0, 64: 1, 56: 2, 48: 3, 40: 4, 32: 5}  # PLC of RFC 8781


def icmp_socket(device):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
    return sock


def join(sock, device, group):
    index = socket.if_nametoindex(device)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", index))


def advertisement(prefix, lifetime_s):
    """The kernel adds the checksum. Hop limit and timers 0: unspecified. The router's lifetime is that of the prefix."""
    net = ipaddress.IPv6Network(prefix)
    option = struct.pack("!BBH", PREF64, 2, lifetime_s & 0xFFF8 | LENGTHS[net.prefixlen]) + net.network_address.packed[:12]
    return struct.pack("!BBHBBHII", ADVERTISEMENT, 0, 0, 0, 0, lifetime_s, 0, 0) + option


def send(device, prefix, lifetime_s):
    sock = icmp_socket(device)
    join(sock, device, ALL_ROUTERS)
    message = advertisement(prefix, lifetime_s)
    print("ready", flush=True)
    due = time.monotonic()
    while True:
        if time.monotonic() >= due:
            sock.sendto(message, (ALL_NODES, 0, 0, socket.if_nametoindex(device)))
            due = time.monotonic() + EVERY_S
        if select.select([sock], [], [], max(0, due - time.monotonic()))[0] and sock.recv(2048)[0] == SOLICITATION:
            due = time.monotonic()


def options(message):
    """Of an advertisement: (type, bytes)."""
    at = 16
    while at + 2 <= len(message) and message[at + 1]:
        yield message[at], message[at:at + 8 * message[at + 1]]
        at += 8 * message[at + 1]


def note(message, router, received):
    def add(kind, value):
        if value not in received[kind]:
            received[kind].append(value)
    add("routers", router)
    for kind, option in options(message):
        if kind == PREFIX:
            add("prefixes", f"{ipaddress.IPv6Address(option[16:32])}/{option[2]}")
        elif kind == RDNSS:
            for begin in range(8, len(option), 16):
                add("rdnss", str(ipaddress.IPv6Address(option[begin:begin + 16])))
        elif kind == PREF64:
            length = {plc: bits for bits, plc in LENGTHS.items()}[struct.unpack_from("!H", option, 2)[0] & 7]
            add("pref64", f"{ipaddress.IPv6Address(option[4:16] + bytes(4))}/{length}")


def read(device, seconds):
    sock = icmp_socket(device)
    received = {"pref64": [], "rdnss": [], "prefixes": [], "routers": []}
    end = time.monotonic() + seconds
    asked = 0.0
    while not all(received.values()) and time.monotonic() < end:
        if time.monotonic() - asked > 1:
            asked = time.monotonic()
            sock.sendto(struct.pack("!BBHI", SOLICITATION, 0, 0, 0), (ALL_ROUTERS, 0, 0, socket.if_nametoindex(device)))
        if not select.select([sock], [], [], 0.2)[0]:
            continue
        message, source = sock.recvfrom(2048)
        if message[0] == ADVERTISEMENT:
            note(message, source[0].partition("%")[0], received)
    print(json.dumps(received))


def main():
    if sys.argv[1] == "send":
        send(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    read(sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 5)


if __name__ == "__main__":
    main()
