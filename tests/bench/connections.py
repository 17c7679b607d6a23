"""Idle connections over DoT, DoH and DoQ: each asked once and is kept."""

from __future__ import annotations

import contextlib
import socket
import ssl

from bench import doq
from bench.framing import HttpFraming, LengthFraming
from bench.message import question
from bench.ports import OURS, Stage
from lab.network import LabError

NAME = "host0000.svc0.example.com"
PORTS = {"dot": 853, "doh": 443}
FRAMINGS = {"dot": LengthFraming, "doh": HttpFraming}


def _connect(stage: Stage, terms: ssl.SSLContext, transport: str, stack: contextlib.ExitStack) -> None:
    raw = stage.network.socket("client", socket.AF_INET, socket.SOCK_STREAM)
    stack.callback(raw.close)
    raw.settimeout(10)
    raw.connect((OURS, PORTS[transport]))
    secure = stack.enter_context(terms.wrap_socket(raw))
    framing = FRAMINGS[transport]()
    secure.sendall(framing.greeting + framing.wrap(question(NAME)))
    answers: list[bytes] = []
    while not answers:
        data = secure.recv(4096)
        if not data:
            raise LabError(f"{transport}: an idle connection was closed")
        answers, replies = framing.feed(data)
        secure.sendall(replies)


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
            if transport == "doh":
                terms.set_alpn_protocols(["h2"])

            def connect(count: int) -> None:
                for _ in range(count):
                    _connect(stage, terms, transport, stack)
        yield connect
