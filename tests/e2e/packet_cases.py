"""The packets that a port of any kind has to get right: one table, CASES. A case knows a Place and one of its
Sides (packet_place.py) and the answers of sized_upstream.py; it does not know the kind of the port.

A case is a function of (place, side) that raises AssertionError. `needs_kernel`: a kernel has to carry our addresses.
"""

from __future__ import annotations

import dataclasses
import re
import socket
import struct
from collections.abc import Callable

from scapy.layers.inet import IP, UDP, IPOption, fragment
from scapy.layers.inet6 import (ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6,
                                IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, PadN)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.utils6 import in6_getnsma, in6_getnsmac
from scapy.pton_ntop import inet_ntop, inet_pton

from packet_place import Place, Side, Wire, dns_query

A, TXT, AAAA = 1, 16, 28
QR = 0x8000
MTU = 1500


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    run: Callable[[Place, Side], None]
    families: tuple[int, ...]
    needs_kernel: bool


CASES: list[Case] = []


def case(families=(4, 6), needs_kernel=False):
    def register(function):
        CASES.append(Case(function.__name__, function, families, needs_kernel))
        return function
    return register


# What is expected ---------------------------------------------------------------------------------------------


def same(got, wanted, what):
    assert got == wanted, f"{what}: {got!r} instead of {wanted!r}"


def address(name: str, kind: int) -> str:
    """The address of NUMBER.host.example, by sized_upstream.py."""
    last = int(name.split(".", 1)[0]) % 250 + 1
    return f"198.51.100.{last}" if kind == A else f"2001:db8:100::{last:x}"


def message_of(place: Place, side: Side, reply, query: bytes, tags: tuple[int, ...] = ()) -> bytes:
    """The DNS message of a reply whose headers are all right; `reply` is the frame."""
    layer = reply[IP] if side.family == 4 else reply[IPv6]
    same((reply.src, reply.dst), (place.mac, place.own_mac), "MAC addresses")
    same((layer.src, layer.dst, reply[UDP].sport), (side.ours, side.client, 53), "addresses")
    same(tuple(reply.getlayer(Dot1Q, n + 1).vlan for n in range(2) if reply.getlayer(Dot1Q, n + 1)), tags, "VLANs")
    wire = bytes(layer)
    udp = bytes(layer[UDP])
    message = udp[8:reply[UDP].len]
    assert reply[UDP].chksum != 0, "the reply has no checksum"
    again = layer.copy()
    del again[UDP].chksum
    if side.family == 4:
        del again.chksum
    length = layer.len if side.family == 4 else 40 + layer.plen
    same(wire[:length], bytes(again)[:length], "checksums")
    same(message[:2], query[:2], "id")
    flags = struct.unpack_from("!H", message, 2)[0]
    assert flags & QR, "it is no response"
    end = query.index(b"\0", 12) + 5
    same(message[12:end], query[12:end], "question")
    return message


def addresses_in(message: bytes) -> list[str]:
    flags, questions, answers = struct.unpack_from("!3H", message, 2)
    same((flags & 15, questions), (0, 1), "rcode and questions")
    at, found = message.index(b"\0", 12) + 5, []
    for _ in range(answers):
        at = at + 2 if message[at] >= 0xC0 else message.index(b"\0", at) + 1
        kind, _, _, size = struct.unpack_from("!HHIH", message, at)
        data = message[at + 10:at + 10 + size]
        if kind in (A, AAAA):
            found.append(inet_ntop(socket.AF_INET if kind == A else socket.AF_INET6, data))
        at += 10 + size
    return found


def answered(place: Place, side: Side, make, name: str, kind: int = A, query: bytes | None = None,
             tags: tuple[int, ...] = ()) -> None:
    """make(port, query) gets one whole answer with the address of `name`."""
    message = dns_query(name, kind) if query is None else query
    reply = place.ask(side, lambda port: make(port, message))[0]
    same(addresses_in(message_of(place, side, reply, message, tags)), [address(name, kind)], "the answer")


def not_answered(place: Place, side: Side, make) -> None:
    """make(port, query) gets no answer, though the answer is cached."""
    place.ask(side, lambda port: make(port, dns_query(place.known)), wanted=0)


# UDP ----------------------------------------------------------------------------------------------------------


@case()
def forwarded_then_cached(place, side):
    """The first answer comes from upstream, later ones from the cache; each is single and has the case of the question."""
    for kind in (A, AAAA):
        name = place.fresh()
        for asked in (name, name, name.upper().replace("HOST", "hOsT")):
            answered(place, side, lambda port, query: place.udp(side, query, port), asked, kind)


@case()
def kdig_understands_the_answers(place, side):
    """An implementation of DNS that is not ours: kdig."""
    for words in ([], ["+edns=0", "+bufsize=4096"], ["+noedns"]):
        for kind in (A, AAAA):
            name = place.fresh()
            for _ in range(2):
                got = place.run("kdig", f"@{side.ours}", "+timeout=15", "+retry=0", "+short", *words, name,
                                "A" if kind == A else "AAAA")
                same(got.split(), [address(name, kind)], f"kdig {words}")


@case()
def a_burst_is_answered(place, side):
    """Each query of a burst is answered once."""
    names = [place.fresh() for _ in range(place.burst)]
    queries = [dns_query(n, ident=i) for i, n in enumerate(names)]
    replies = place.ask(side, lambda port: [place.udp(side, q, port) for q in queries], wanted=len(names))
    found = {}
    for reply in replies:
        ident = struct.unpack("!H", bytes(reply[UDP].payload)[:2])[0]
        found[ident] = addresses_in(message_of(place, side, reply, queries[ident]))
    same(found, {i: [address(n, A)] for i, n in enumerate(names)}, "the answers")


@case()
def a_reused_client_port_gets_no_old_answer(place, side):
    """An answer to the previous owner of a client port is not taken as an answer to the next query from that port."""
    query = dns_query(place.known)
    with place.socket(side, socket.SOCK_DGRAM) as holder:
        holder.sendto(query, (side.ours, 53))
        holder.recv(4096)
        port = holder.getsockname()[1]
        same(len(place.exchange(side, [place.udp(side, query, port)], port, 1)), 1, "answers")


@case()
def hop_limits(place, side):
    for value in (1, 2, 64, 255):
        name = place.fresh()
        fields = {"ttl": value} if side.family == 4 else {"hlim": value}
        answered(place, side, lambda port, query: place.ether() / side.ip(**fields) / UDP(sport=port, dport=53) / query,
                 name)


@case()
def traffic_classes(place, side):
    fields = {"tos": 0xB8 | 1} if side.family == 4 else {"tc": 0xB8, "fl": 0xABCDE}
    answered(place, side, lambda port, query: place.ether() / side.ip(**fields) / UDP(sport=port, dport=53) / query,
             place.fresh())


# Sizes --------------------------------------------------------------------------------------------------------


@case()
def answers_of_each_size(place, side):
    """An answer that fits is whole; a larger one is cut and has TC set. Over UDP the maximum is 1232 bytes."""
    opt = 11
    for offered, size, whole in ((None, 511, True), (None, 512, True), (None, 513, False), (512, 512, True),
                                 (512, 513, False), (1231, 1232, False), (1232, 1231, True), (1232, 1232, True),
                                 (1232, 1233, False), (4096, 1232, True), (4096, 1233, False), (4096, 1472, False),
                                 (4096, 1500, False), (65535, 65535, False)):
        own = size - (0 if offered is None else opt)
        query = dns_query(f"{own}.size.example", TXT, size=offered)
        for again in range(2):
            reply = place.ask(side, lambda port: place.udp(side, query, port))[0]
            message = message_of(place, side, reply, query)
            what = f"an answer of {size} bytes to an offer of {offered}, asked {again + 1} times"
            same(bool(message[2] & 2), not whole, what + ": TC")
            if whole:
                same(len(message), size, what)
            else:
                assert len(message) <= min(1232, offered or 512), f"{what}: {len(message)} bytes"


@case()
def queries_of_each_size(place, side):
    """Padded (RFC 7830), up to the link's MTU."""
    most = MTU - (28 if side.family == 4 else 48)
    for length in (512, 1231, 1232, 1233, most - 1, most):
        name = place.fresh()
        query = dns_query(name, length=length)
        same(len(query), length, "the query")
        answered(place, side, lambda port, q: place.udp(side, q, port), name, query=query)


@case(needs_kernel=True)
def queries_larger_than_the_mtu(place, side):
    """The client's kernel sends fragments; the server's kernel reassembles them."""
    for length in (MTU - (27 if side.family == 4 else 47), 1500):
        name = place.fresh()
        with place.socket(side, socket.SOCK_DGRAM) as sock:
            sock.sendto(dns_query(name, length=length), (side.ours, 53))
            try:
                message = sock.recv(65536)
            except TimeoutError:
                raise AssertionError(f"no answer to {length} bytes") from None
            same(addresses_in(message), [address(name, A)], f"the answer to {length} bytes")


# Fragments, options, extension headers: what only the kernel reads ----------------------------------------------


@case(needs_kernel=True)
def fragments(place, side):
    name = place.fresh()

    def make(port, query):
        whole = side.ip() / UDP(sport=port, dport=53) / query
        if side.family == 4:
            whole.id = port
            return [place.ether() / piece for piece in fragment(IP(bytes(whole)), fragsize=16)]
        payload = bytes(whole)[40:]
        return [place.ether() / side.ip() / IPv6ExtHdrFragment(id=port, nh=17, offset=at // 8,
                                                                m=int(at + 24 < len(payload))) / payload[at:at + 24]
                for at in range(0, len(payload), 24)]

    answered(place, side, make, name)


@case()
def a_single_fragment_is_not_answered(place, side):
    """Neither the first one nor a later one."""
    def make(port, query):
        udp = bytes(side.ip() / UDP(sport=port, dport=53) / query)[20 if side.family == 4 else 40:]
        if side.family == 4:
            return [place.ether() / side.ip(flags="MF", proto=17, id=port) / udp[:24],
                    place.ether() / side.ip(frag=100, proto=17, id=port + 1) / udp]
        return [place.ether() / side.ip() / IPv6ExtHdrFragment(id=port, nh=17, offset=0, m=1) / udp[:24],
                place.ether() / side.ip() / IPv6ExtHdrFragment(id=port + 1, nh=17, offset=100, m=0) / udp]

    not_answered(place, side, make)


@case(families=(4,), needs_kernel=True)
def ip_options(place, side):
    for options in ([IPOption(b"\x01")] * 3 + [IPOption(b"\x00")], [IPOption(b"\x94\x04\x00\x00")]):
        answered(place, side, lambda port, query: place.ether() / side.ip(options=options) /
                 UDP(sport=port, dport=53) / query, place.fresh())


@case(families=(6,), needs_kernel=True)
def extension_headers(place, side):
    padding = [PadN(optdata=bytes(4))]
    for headers in (IPv6ExtHdrDestOpt(options=padding), IPv6ExtHdrHopByHop(options=padding),
                    IPv6ExtHdrHopByHop(options=padding) / IPv6ExtHdrDestOpt(options=padding),
                    IPv6ExtHdrFragment(id=5, m=0, offset=0)):  # the last: "atomic" (RFC 6946)
        answered(place, side, lambda port, query: place.ether() / side.ip() / headers.copy() /
                 UDP(sport=port, dport=53) / query, place.fresh())


# Checksums and lengths ------------------------------------------------------------------------------------------


def pseudo_sum(frame, side: Side) -> int:
    """The checksum that a sender leaves for its device to complete: only over the pseudo-header."""
    layer = frame[IP] if side.family == 4 else frame[IPv6]
    family = socket.AF_INET if side.family == 4 else socket.AF_INET6
    data = inet_pton(family, layer.src) + inet_pton(family, layer.dst)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data)) + 17 + len(bytes(layer[UDP]))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@case()
def wrong_checksums(place, side):
    def wrong(port, query):
        frames = [Ether(bytes(place.udp(side, query, port))) for _ in range(2)]
        frames[0][UDP].chksum ^= 1
        frames[1][UDP].chksum ^= 0xFF00
        return frames

    not_answered(place, side, wrong)
    none = lambda port, query: place.udp(side, query, port, chksum=0)
    if side.family == 4:  # may have none (RFC 768)
        answered(place, side, none, place.fresh())
        not_answered(place, side, lambda port, query: place.ether() / side.ip(chksum=0x1234) /
                     UDP(sport=port, dport=53) / query)
    else:
        not_answered(place, side, none)


@case()
def partial_checksums(place, side):
    """A peer on the same machine may send a checksum that no device completes: it does not count as corrupt."""
    def partial(port, query):
        return place.udp(side, query, port, chksum=pseudo_sum(place.udp(side, query, port), side))

    if place.partial:
        answered(place, side, partial, place.fresh())
    else:
        not_answered(place, side, partial)


@case()
def udp_lengths(place, side):
    """The UDP header's length and the packet's length disagree."""
    # (IPv6's kernel takes 0 as it would in a jumbogram, RFC 2675.)
    for length in ((0,) if side.family == 4 else ()) + (7, 8, 8 + 11, 8 + 16):
        not_answered(place, side, lambda port, query: place.udp(side, query, port, len=length))
    not_answered(place, side, lambda port, query: place.udp(side, query, port, len=9 + len(query)))
    not_answered(place, side, lambda port, query: place.udp(side, query, port, len=65535))

    def padded_in_ip(port, query):
        datagram = UDP(bytes(side.ip() / UDP(sport=port, dport=53) / query)[20 if side.family == 4 else 40:])
        return place.ether() / side.ip(**({"proto": 17} if side.family == 4 else {"nh": 17})) / bytes(datagram) / bytes(9)

    answered(place, side, padded_in_ip, place.fresh())


@case()
def ip_lengths(place, side):
    """IP's length and the frame's disagree: extra bytes are Ethernet's padding, missing bytes make the packet invalid."""
    answered(place, side, lambda port, query: bytes(place.udp(side, query, port)) + bytes(30), place.fresh())
    not_answered(place, side, lambda port, query: bytes(place.udp(side, query, port))[:-1])

    def with_length(length):
        fields = {"len": length} if side.family == 4 else {"plen": length}
        return lambda port, query: place.ether() / side.ip(**fields) / UDP(sport=port, dport=53) / query

    for length in ((0, 19, 20, 27, 1400, 65535) if side.family == 4 else (0, 7, 1400, 65535)):
        not_answered(place, side, with_length(length))
    for length in (14, 20, 33, 34, 41, 42, 53, 54, 61):
        place.wire.send(bytes(place.udp(side, dns_query(place.known), 9999))[:length])
    not_answered(place, side, lambda port, query: place.ether() / side.ip(version=5) / UDP(sport=port, dport=53) / query)


# Who it is for, who it is from ----------------------------------------------------------------------------------


@case()
def other_destinations(place, side):
    """Other hosts' addresses, broadcast and multicast get no answer."""
    others = [side.nobody] + (["255.255.255.255", "224.0.0.1", "224.0.0.251"] if side.family == 4 else ["ff02::1"])
    for other in others:
        not_answered(place, side, lambda port, query: place.ether() / side.ip(dst=other) /
                     UDP(sport=port, dport=53) / query)


@case()
def frames_for_another(place, side):
    """A flooding switch brings frames of another host; they get no answer. A kernel with the wire to itself sees them; a
    kernel behind our port does not get them."""
    if not place.filters_macs:
        return
    first, last = int(place.mac[:2], 16), int(place.mac[-2:], 16)
    behind = Wire(place.network, *place.behind) if place.behind else None
    try:
        for mac in (f"{first ^ 4:02x}{place.mac[2:]}", f"{place.mac[:-2]}{last ^ 1:02x}", "02:00:00:00:be:ef"):
            not_answered(place, side, lambda port, query: place.ether(dst=mac) / side.ip() /
                         UDP(sport=port, dport=53) / query)
            if behind is None:
                continue
            given = {Ether(frame).dst for frame in iter(lambda: behind.read(0), None)}
            same(mac in given, place.kernels_wire, f"whether the kernel was given the frame to {mac}")
    finally:
        if behind is not None:
            behind.close()


@case()
def impossible_sources(place, side):
    bad = ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", side.ours] if side.family == 4 else \
        ["::", "::1", "ff02::1", "::ffff:192.0.2.1", side.ours]
    for source in bad:
        not_answered(place, side, lambda port, query: place.ether() / side.ip(src=source) /
                     UDP(sport=port, dport=53) / query)
    not_answered(place, side, lambda port, query: place.udp(side, query, port, sport=0))


@case(needs_kernel=True)
def other_ports_go_to_the_kernel(place, side):
    """No process listens on port 54, and the kernel reports that by ICMP."""
    with place.socket(side, socket.SOCK_DGRAM) as sock:
        sock.connect((side.ours, 54))
        sock.send(b"x")
        try:
            got = sock.recv(100)
        except ConnectionRefusedError:
            return
    raise AssertionError(f"port 54 answers {got!r}")


# VLAN -----------------------------------------------------------------------------------------------------------


@case()
def a_vlan_that_is_not_ours(place, side):
    """A tagged query to an address that we do not have on that VLAN is left to the kernel and not answered. Where
    no VLANs are configured, all are ours, and the answer has the query's tags."""
    behind = Wire(place.network, *place.behind) if place.behind and not place.any_vlan else None
    try:
        for tags in ((10,), (4094,), (10, 20)):
            sent = []

            def make(port, query):
                frame = place.ether()
                for tag in tags:
                    frame /= Dot1Q(vlan=tag, prio=3)
                sent.append(bytes(frame / side.ip() / UDP(sport=port, dport=53) / query))
                return sent[-1]

            if place.any_vlan:
                answered(place, side, make, place.fresh(), tags=tags)
                continue
            not_answered(place, side, make)
            while behind is not None:
                frame = behind.read(1)
                assert frame is not None, f"the kernel was not given the frame with the tags {tags}"
                if frame == sent[0]:
                    break
    finally:
        if behind is not None:
            behind.close()


@case()
def priority_tags(place, side):
    """VLAN 0 is only a priority (802.1Q): such a query is answered at most once, with the tag."""
    with place.port() as port:
        query = dns_query(place.known)
        replies = place.exchange(side, [place.ether() / Dot1Q(vlan=0, prio=5) / side.ip() /
                                        UDP(sport=port, dport=53) / query], port, 0)
    assert len(replies) <= 1, [r.summary() for r in replies]


# The kernel beside it -------------------------------------------------------------------------------------------


@case(needs_kernel=True)
def ping(place, side):
    # (All at once: ping's patience after a first reply is the longer of its interval and twice that reply's time.)
    most = MTU - (28 if side.family == 4 else 48)
    for size in (0, 56, 1232, most, most + 1, 4000):
        got = place.run("ping", "-q", "-c", "3", "-l", "3", "-W", "5", "-s", str(size), side.ours)
        assert re.search(r"3 received", got) and "duplicates" not in got, got


@case(families=(4,), needs_kernel=True)
def arp(place, side):
    """An ARP request for our address gets one reply; a request for another address gets none."""
    for target, mac in ((side.ours, "ff:ff:ff:ff:ff:ff"), (side.ours, place.mac), (side.nobody, "ff:ff:ff:ff:ff:ff")):
        seen = []
        with place.quiet_kernel(side):
            place.wire.send(place.ether(dst=mac) / ARP(op=1, hwsrc=place.own_mac, psrc=side.client, pdst=target))
            place._after_all(side, seen)
        replies = [p[ARP] for p in seen if ARP in p and p[ARP].op == 2]
        same([(r.psrc, r.hwsrc, r.pdst, r.hwdst) for r in replies],
             [(target, place.mac, side.client, place.own_mac)] if target == side.ours else [], f"who has {target}")


@case(families=(6,), needs_kernel=True)
def neighbour_solicitation(place, side):
    for target, multicast in ((side.ours, True), (side.ours, False), (side.nobody, True)):
        seen = []
        group = in6_getnsma(inet_pton(socket.AF_INET6, target))
        where = (in6_getnsmac(group), inet_ntop(socket.AF_INET6, group)) if multicast else (place.mac, target)
        with place.quiet_kernel(side):
            place.wire.send(place.ether(dst=where[0]) / side.ip(dst=where[1], hlim=255) / ICMPv6ND_NS(tgt=target) /
                            ICMPv6NDOptSrcLLAddr(lladdr=place.own_mac))
            place._after_all(side, seen)
        replies = [p for p in seen if ICMPv6ND_NA in p and p[ICMPv6ND_NA].S]
        same([(p[ICMPv6ND_NA].tgt, p.src, p[IPv6].dst) for p in replies],
             [(target, place.mac, side.client)] if target == side.ours else [], f"who has {target}")
        for reply in replies:
            if ICMPv6NDOptDstLLAddr in reply:
                same(reply[ICMPv6NDOptDstLLAddr].lladdr, place.mac, "link-layer address")


def read_framed(connection) -> bytes:
    def exactly(count):
        data = b""
        while len(data) < count:
            piece = connection.recv(count - len(data))
            assert piece, f"the connection ended after {len(data)} of {count} bytes"
            data += piece
        return data
    return exactly(struct.unpack("!H", exactly(2))[0])


@case(needs_kernel=True)
def tcp(place, side):
    """Through the kernel on the same address: small answers, answers around each limit, and the maximum size."""
    with place.socket(side, socket.SOCK_STREAM) as connection:
        connection.connect((side.ours, 53))
        for _ in range(2):
            name = place.fresh()
            query = dns_query(name)
            connection.sendall(struct.pack("!H", len(query)) + query)
            same(addresses_in(read_framed(connection)), [address(name, A)], "the answer")
        for size in (1232, 1233, 1472, 1500, 4096, 20_000, 65_535):
            query = dns_query(f"{size}.size.example", TXT, size=None)
            connection.sendall(struct.pack("!H", len(query)) + query)
            message = read_framed(connection)
            same((len(message), message[2] & 2), (size, 0), f"an answer of {size} bytes")
        query = dns_query(place.fresh(), length=4000)
        connection.sendall(struct.pack("!H", len(query)) + query)
        same(read_framed(connection)[:2], query[:2], "the answer to a query of 4,000 bytes")
    got = place.run("kdig", f"@{side.ours}", "+tcp", "+timeout=15", "+retry=0", "+short", f"{7}.host.example", "A")
    same(got.split(), [address("7.host.example", A)], "kdig +tcp")


@case(needs_kernel=True)
def truncated_then_over_tcp(place, side):
    """As a stub resolver: UDP, TC, the same query over TCP."""
    got = place.run("kdig", f"@{side.ours}", "+timeout=15", "+retry=0", "3000.size.example", "TXT")
    assert "NOERROR" in got and re.search(r"Received 30\d\d B", got), got
