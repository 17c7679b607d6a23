"""Bytes of the packets that floods are made of (Ethernet, ARP, IPv4, UDP, TCP, ICMP).

A frame is a Template: fixed bytes with a hole that the flooder fills each time. UDP goes without a checksum (RFC 768), so the hole
changes nothing else.
"""

from __future__ import annotations

import dataclasses
import socket
import struct

ARP, IPV4 = 0x0806, 0x0800
ICMP, TCP, UDP = 1, 6, 17
MORE_FRAGMENTS = 0x2000
SHORTEST = 60  # bytes of a frame without its check sequence


@dataclasses.dataclass(frozen=True)
class Template:
    head: bytes
    hole: int = 0  # bytes that are random each time
    tail: bytes = b""
    letters: bool = True  # the hole has hexadecimal digits, else any bytes

    def __len__(self) -> int:
        return len(self.head) + self.hole + len(self.tail)


@dataclasses.dataclass(frozen=True)
class Target:
    """The server, and the link to it."""
    address: str
    mac: str
    own_mac: str
    initials: tuple[bytes, ...] = ()  # first datagrams of QUIC connections


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def ethernet(target: Target, kind: int) -> bytes:
    return _mac(target.mac) + _mac(target.own_mac) + struct.pack("!H", kind)


def internet_checksum(data: bytes) -> int:
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(target: Target, source: str, protocol: int, payload: int, ident: int = 0, fragment: int = 0) -> bytes:
    """Ethernet and IPv4 headers of a packet with `payload` bytes. `fragment`: flags and offset, as RFC 791 has them."""
    fields = (0x45, 0, 20 + payload, ident, fragment, 64, protocol)
    ends = socket.inet_aton(source) + socket.inet_aton(target.address)
    check = internet_checksum(struct.pack("!BBHHHBBH", *fields, 0) + ends)
    return ethernet(target, IPV4) + struct.pack("!BBHHHBBH", *fields, check) + ends


def udp(target: Target, source: str, port: int, message: Template, to_port: int = 53) -> Template:
    size = 8 + len(message)
    head = ipv4(target, source, UDP, size) + struct.pack("!4H", port, to_port, size, 0)
    return dataclasses.replace(message, head=head + message.head)


def query(name: list[bytes], qtype: int = 1, ident: int = 0, hole: int = 0, size: int = 1232) -> Template:
    """A query with EDNS (RFC 6891). With a hole, the first label is random, of so many letters."""
    before = struct.pack("!6H", ident, 0x0100, 1, 0, 0, 1) + (bytes([hole]) if hole else b"")
    labels = b"".join(bytes([len(label)]) + label for label in name)
    return Template(before, hole, labels + b"\0" + struct.pack("!2H", qtype, 1) + b"\0\0\x29" + struct.pack("!HIH", size, 0, 0))


def fragments(target: Target, source: str, port: int, message: Template, ident: int) -> tuple[Template, Template]:
    """The same query in two fragments. The message has no hole."""
    datagram = struct.pack("!4H", port, 53, 8 + len(message), 0) + message.head + message.tail
    cut = 24  # bytes: a multiple of eight (RFC 791)
    return (Template(ipv4(target, source, UDP, cut, ident, MORE_FRAGMENTS) + datagram[:cut]),
            Template(ipv4(target, source, UDP, len(datagram) - cut, ident, cut // 8) + datagram[cut:]))


def stray_fragment(target: Target, source: str, ident: int) -> Template:
    """The end of a datagram that has no beginning."""
    return Template(ipv4(target, source, UDP, 64, ident, 3) + bytes(64))


def echo_request(target: Target, source: str, ident: int) -> Template:
    body = struct.pack("!BBHHH", 8, 0, 0, ident, 1) + bytes(56)
    return Template(ipv4(target, source, ICMP, len(body)) + body[:2] + struct.pack("!H", internet_checksum(body)) + body[4:])


def arp_request(target: Target, source: str) -> Template:
    body = struct.pack("!HHBBH", 1, IPV4, 6, 4, 1) + _mac(target.own_mac) + socket.inet_aton(source) + bytes(6) + socket.inet_aton(target.address)
    frame = b"\xff" * 6 + _mac(target.own_mac) + struct.pack("!H", ARP) + body
    return Template(frame + bytes(SHORTEST - len(frame)))


def syn(target: Target, source: str, port: int, to_port: int, sequence: int) -> Template:
    segment = struct.pack("!HHIIBBHHH", port, to_port, sequence, 0, 6 << 4, 2, 64_240, 0, 0) + b"\x02\x04\x05\xb4"
    pseudo = socket.inet_aton(source) + socket.inet_aton(target.address) + struct.pack("!BBH", 0, TCP, len(segment))
    check = internet_checksum(pseudo + segment)
    return Template(ipv4(target, source, TCP, len(segment)) + segment[:16] + struct.pack("!H", check) + segment[18:])


def garbage(target: Target, source: str, port: int) -> Template:
    """A frame of 64 bytes (with its check sequence) whose datagram is no DNS message."""
    room = SHORTEST - 14 - 20 - 8
    return udp(target, source, port, Template(b"", room, letters=False))
