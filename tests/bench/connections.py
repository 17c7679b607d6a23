"""Idle connections, a curve of the bench `scale`: what each costs, and an answer beside them, by their number and transport.

Each asked once and is kept. `*_bytes`: memory of the server's processes for one more (hugepages and the kernel's sockets are not in it).
`*_percent`: CPU of the server while nothing happens, of one core. `*_ns`: CPU a cached answer, over 20 other connections (as in
`streams`). A server has a file for each connection over TCP, so that the limit on open files of the machine is the limit of the curve.
"""

from __future__ import annotations

import base64
import contextlib
import pathlib
import socket
import ssl
import time

from bench import doq, streams
from bench.message import question
from bench.ports import OURS, Stage
from lab.certificates import Authority
from lab.network import LabError, Network

SIZES = (100, 1_000, 10_000)
TRANSPORTS = ("dot", "doh", "doq")
LIMITS = "idle_timeout: 900s, max_connections: 16384, max_connections_per_client: 16384"
FIRST = 50  # connections before the others: what is allocated once is there
QUIET_S = 3
NAME = "host0000.svc0.example.com"
ALPN = {"dot": "dot", "doh": "h2"}
PORTS = {"dot": 853, "doh": 443}


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Of HTTP/2 (RFC 9113 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _get(path: str) -> bytes:
    """A preface and one GET, by RFC 7541: indexed :method and :scheme, literal :path and :authority."""
    words = bytes((0x82, 0x87, 0x04, len(path))) + path.encode() + bytes((0x01, len(OURS))) + OURS.encode()
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0, b"") + _frame(1, 5, 1, words)


def _answer_over_http(secure: ssl.SSLSocket) -> bool:
    """Whether a DATA frame comes."""
    seen = b""
    while True:
        more = secure.recv(4096)
        if not more:
            return False
        seen += more
        while len(seen) >= 9 and len(seen) >= 9 + (size := int.from_bytes(seen[:3], "big")):
            if seen[3] == 0:
                return True
            seen = seen[9 + size:]


def _connect(stage: Stage, terms: ssl.SSLContext, transport: str, stack: contextlib.ExitStack) -> None:
    raw = stage.network.socket("client", socket.AF_INET, socket.SOCK_STREAM)
    stack.callback(raw.close)
    raw.settimeout(10)
    raw.connect((OURS, PORTS[transport]))
    secure = stack.enter_context(terms.wrap_socket(raw))
    message = question(NAME)
    if transport == "dot":
        secure.sendall(len(message).to_bytes(2, "big") + message)
        is_answered = bool(secure.recv(2))
    else:
        secure.sendall(_get("/dns-query?dns=" + base64.urlsafe_b64encode(message).decode().rstrip("=")))
        is_answered = _answer_over_http(secure)
    if not is_answered:
        raise LabError(f"{transport}: an idle connection was closed")


@contextlib.contextmanager
def held(stage: Stage, transport: str):
    """Yields a function that opens `count` connections more and keeps them."""
    with contextlib.ExitStack() as stack:
        if transport == "doq":
            def connect(count: int) -> None:
                stage.serial += 1
                clients = stage.network.start("client", f"idle{stage.serial}", *doq.command(stage, "idle", "--connections", str(count)))
                stack.callback(clients.stop)
                clients.wait_for("idle\n", 300)
        else:
            terms = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            terms.check_hostname, terms.verify_mode = False, ssl.CERT_NONE
            terms.set_alpn_protocols([ALPN[transport]])

            def connect(count: int) -> None:
                for _ in range(count):
                    _connect(stage, terms, transport, stack)
        yield connect


def by_connections(build: pathlib.Path, n: int) -> dict:
    found: dict[str, float] = {}
    with Network("bench") as network, streams.many_files():
        stage = Stage(network, build)
        made = Authority(stage.folder).issue("server", "DNS:dns.example", f"IP:{OURS}")
        for transport in TRANSPORTS:
            server = streams.ours(stage, made, LIMITS)
            with held(stage, transport) as connect:
                connect(FIRST)
                before = streams.resident(server)
                connect(n)
                found[f"{transport}_bytes"] = round((streams.resident(server) - before) / n)
                used = streams.used_ns(server)
                time.sleep(QUIET_S)
                found[f"{transport}_percent"] = round((streams.used_ns(server) - used) / QUIET_S / 1e7, 2)
                found[f"{transport}_ns"] = round(streams.cost(stage, server, transport)[0])
            if "steerdns-quic ended" in server.text():
                raise LabError(f"the process ended with {n} connections: {server.text()[-500:]}")
            stage.stop(server)
    return found
