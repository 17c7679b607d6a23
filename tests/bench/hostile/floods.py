"""The floods of the bench `hostile`: one row each. A row says what is sent, over which transport, and what must hold.

Packets have forged sources of 198.18.0.0/15 (RFC 2544), except where a row says otherwise. Connections come from addresses of the
flooder's own, since they need answers.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import random
import ssl
import struct
from collections.abc import Callable

from bench.framing import PREFACE, http_frame, http_head
from bench.hostile import frames, prepared
from bench.hostile.frames import Target, Template
from bench.ports import CLIENT

LEAST = {"udp": 0.95, "stream": 0.8}  # goodput that SteerDNS must keep, of clients over UDP and over connections
SOURCES = 16_384  # forged ones of a flood
FORGED = "198.18.0.0/15"
TLS_PORT, HTTP_PORT, HTTP3_PORT, QUIC_PORT = 853, 8053, 443, 853
INITIALS = 4_096  # different ones
TXT, AAAA = 16, 28
# The client's address on the link, honest clients, and who opens connections to flood.
OWN = CLIENT
HONEST = [f"10.99.0.{i}" for i in range(11, 61)]
CALLERS = [f"10.99.0.{i}" for i in range(101, 201)]
# What the zone of the bench has for floods, below `example`.
PREPARED = 4_096  # names of each hash
CLAIMED = 4_096   # names whose addresses collide
HELLO_START = bytes.fromhex("16030100f8010000f40303") + bytes(60)  # of a record of 248 bytes
RESETS, CONTINUATIONS = 400, 400  # of one connection


def name(text: str) -> list[bytes]:
    return [label.encode() for label in text.split(".")]


def forged(random_: random.Random) -> str:
    return str(ipaddress.ip_network(FORGED)[random_.getrandbits(17)])


def port(random_: random.Random) -> int:
    return random_.randrange(1024, 65536)


def queries(target: Target, random_: random.Random, names: list[list[bytes]], qtype: int = 1, hole: int = 0,
            source: Callable[[random.Random], str] = forged) -> list[Template]:
    return [frames.udp(target, source(random_), port(random_), frames.query(names[i % len(names)], qtype, random_.getrandbits(16), hole))
            for i in range(SOURCES)]


# What the rows send ------------------------------------------------------------------------------------------

Make = Callable[[Target, random.Random], list[Template]]


def asks(text: str, qtype: int = 1, hole: int = 0) -> Make:
    return lambda target, random_: queries(target, random_, [name(text)], qtype, hole)


def reflected(target: Target, random_: random.Random) -> list[Template]:
    return queries(target, random_, [name("large.example")], TXT, source=lambda r: r.choice(HONEST))


def prepared_names() -> list[list[bytes]]:
    """Two labels each: the first collides."""
    found = []
    for flavour in prepared.HASHES:
        found += prepared.labels(flavour, PREPARED.bit_length() - 1)
    return [[label, b"prepared", b"example"] for label in found + prepared.packet_labels(PREPARED)]


def claimed_addresses() -> list[bytes]:
    """Of the names p0.rival.example and so on."""
    return list(prepared.addresses(CLAIMED))


def each_other(*makes: Callable[[Target, random.Random, int], tuple[Template, ...]]) -> Make:
    """SOURCES frames (or pairs of them) of these kinds by turns."""
    return lambda target, random_: [frame for i in range(SOURCES) for frame in makes[i % len(makes)](target, random_, i)]


def fragmented(target: Target, random_: random.Random, number: int) -> tuple[Template, ...]:
    asked = frames.query(name(f"host{number % 1000:04d}.svc{number % 1000 % 37}.example.com"), ident=number)
    return frames.fragments(target, forged(random_), port(random_), asked, number)


def quic_initials(target: Target, random_: random.Random) -> list[Template]:
    """Each with another source each time it is used, and another id."""
    return [frames.udp(target, forged(random_), port(random_), Template(target.initials[i % len(target.initials)]), QUIC_PORT)
            for i in range(SOURCES)]


QUERY_PATH = b"/dns-query?dns=AAABAAABAAAAAAAABmZsb29kZQdleGFtcGxlA2NvbQAAAQAB"


def rapid_resets() -> bytes:
    """CVE-2023-44487: requests that are cancelled at once."""
    cancelled = (http_frame(1, 5, stream, http_head(QUERY_PATH)) + http_frame(3, 0, stream, struct.pack("!I", 8))
                 for stream in range(1, 2 * RESETS, 2))
    return PREFACE + http_frame(4, 0, 0) + b"".join(cancelled)


def continuations() -> bytes:
    """A header block that never ends (VU#421644)."""
    more = http_frame(9, 0, 1, b"\x00\x04flow\x20" + b"w" * 32)
    return PREFACE + http_frame(4, 0, 0) + http_frame(1, 1, 1, http_head(QUERY_PATH)) + more * CONTINUATIONS


def client_hello() -> bytes:
    """A whole one of TLS 1.3, as Python's OpenSSL writes it."""
    terms = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    terms.check_hostname, terms.verify_mode = False, ssl.CERT_NONE
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        terms.wrap_bio(received, sent).do_handshake()
    except ssl.SSLWantReadError:
        return sent.read()
    raise ValueError("a handshake ended without an answer")


@dataclasses.dataclass(frozen=True)
class Calls:
    """Connections that are opened at a rate, and what each does."""
    port: int
    greeting: Callable[[], bytes] = bytes  # sent at once
    units: int = 1         # that one connection counts for
    keep_s: float = 0      # how long it stays
    awaits: bool = False   # ends as soon as the server sent something
    drips: bytes = b""     # sent each second; then the rate is that of these, and connections are not replaced


# The rows ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Flood:
    name: str
    text: str               # what is sent
    packets: Make | None = None
    calls: Calls | None = None
    quic: tuple[str, ...] = ()  # by doq_load: its words
    transport: str = ""     # of further honest clients: tcp, dot, doh, doq
    first: int = 16_000     # units a second, where the search for dnsdist's breaking rate begins
    most: int = 1_024_000   # where it ends at the latest
    unit: str = "packets"
    alone: int = 0          # units a second for SteerDNS, over a transport that Debian's dnsdist lacks

    @property
    def decides(self) -> str:
        """Whose goodput says that a server is broken."""
        return "stream" if self.calls or self.quic else "udp"


FLOODS = (
    Flood("subdomains", "random names below one domain, which do not exist", asks("random.example", hole=12)),
    Flood("dead", "names of as many domains, whose upstream never answers", asks("dead", hole=12)),
    Flood("garbage", "datagrams of random bytes in frames of 64 bytes",
          lambda target, r: [frames.garbage(target, forged(r), port(r)) for _ in range(SOURCES)]),
    Flood("icmp", "echo requests", each_other(lambda target, r, i: (frames.echo_request(target, forged(r), i),))),
    Flood("arp", "ARP requests for the server's address",
          each_other(lambda target, r, i: (frames.arp_request(target, f"10.99.0.{r.randrange(201, 255)}"),))),
    Flood("syn", "TCP SYN to port 53", each_other(lambda target, r, i: (frames.syn(target, forged(r), port(r), 53, r.getrandbits(32)),)),
          transport="tcp"),
    Flood("strays", "ends of datagrams that have no beginning", each_other(lambda target, r, i: (frames.stray_fragment(target, forged(r), i),))),
    Flood("fragments", "queries in two fragments each", each_other(fragmented)),
    Flood("collisions", "names whose hashes collide without a secret", lambda target, r: queries(target, r, prepared_names())),
    Flood("addresses", "names whose addresses collide; their list is on a router",
          lambda target, r: queries(target, r, [name(f"p{i}.rival.example") for i in range(CLAIMED)], AAAA)),
    Flood("hot", "one name that is in the cache", asks("host0000.svc0.example.com")),
    Flood("huge", "random names with answers of 1,100 bytes", asks("huge.example", TXT, hole=12)),
    Flood("reflection", "queries with the honest clients' addresses, for an answer of 1,100 bytes", reflected, first=2_000),
    Flood("connects", "connections that are reset as soon as they are open", calls=Calls(TLS_PORT), transport="dot", first=500, most=8_000,
          unit="connections"),
    Flood("half_open", "TLS handshakes that begin and never go on", calls=Calls(TLS_PORT, lambda: HELLO_START, keep_s=6), transport="dot",
          first=250, most=8_000, unit="connections"),
    Flood("handshakes", "TLS handshakes up to the server's certificate",
          calls=Calls(TLS_PORT, client_hello, keep_s=2, awaits=True), transport="dot", first=250, most=8_000, unit="connections"),
    Flood("resets", "HTTP/2 requests that are cancelled at once", calls=Calls(HTTP_PORT, rapid_resets, RESETS, 0.5), transport="doh",
          first=4_000, most=256_000, unit="requests"),
    Flood("continuation", "HTTP/2 header blocks that never end", calls=Calls(HTTP_PORT, continuations, CONTINUATIONS, 0.5), transport="doh",
          first=4_000, most=512_000, unit="frames"),
    Flood("slow", "HTTP requests that send a byte each second", calls=Calls(HTTP_PORT, keep_s=float("inf"), drips=b"G"), transport="doh",
          first=500, most=8_000, unit="connections"),
    Flood("initials", "first packets of QUIC connections", quic_initials, transport="doq", alone=60_000),
    Flood("quic_handshakes", "QUIC handshakes up to the server's certificate", quic=("half",), transport="doq", alone=1_000, unit="connections"),
    Flood("quic_resets", "QUIC streams that are opened and reset", quic=("reset",), transport="doq", alone=50_000, unit="streams"),
    Flood("migrations", "packets of QUIC connections that each come from another port", quic=("migrate",), transport="doq", alone=5_000),
    Flood("early_replays", "first flights of QUIC connections with early data that were sent before", quic=("replay",), transport="doq",
          alone=5_000, unit="flights"),
    Flood("qpack_tables", "HTTP/3 connections that fill a table of 1 GiB", quic=("tables", "--alpn", "h3", "--port", str(HTTP3_PORT)),
          transport="doq", alone=1_000, unit="connections"),
)
BY_NAME = {flood.name: flood for flood in FLOODS}
