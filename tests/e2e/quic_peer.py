"""A client of DNS over QUIC with another library than ours (quic_go_peer), driven step by step, and what its tests share."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import unittest

from lab.certificates import Authority
from lab.network import until
from lab.scene import Scene

HOST = "dns.example"
SERVER = "172.16.1.2"
DOQ = ("doq",)
CONFIG = """
plugins:
  - {{ tag: silent, type: forward, args: {{ upstreams: [ {{ addr: 1.1.1.5 }} ] }} }}
  - tag: main
    type: sequence
    args:
      - {{ matches: "qname silent.example", exec: $silent }}
      - {{ exec: cache }}
      - {{ matches: "!has_resp", exec: forward 1.1.1.1 }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: dot, type: tcp_server, args: {{ entry: main, listen: ":853", cert: "{0.pem}", key: "{0.key}" }} }}
  - {{ tag: doq, type: quic_server, args: {{ entry: main, listen: ":853", cert: "{0.pem}", key: "{0.key}" }} }}
control: {{ stream_threads: 2 }}
"""


class Connection:
    """One of a peer."""

    def __init__(self, peer: Peer, made: dict):
        self.peer = peer
        self.number = made["connection"]
        self.is_resumed = made["resumed"]

    def do(self, what: str, **facts) -> dict:
        return self.peer.do(what, connection=self.number, **facts)

    def open(self) -> Stream:
        return Stream(self, self.do("open")["stream"])

    def send_frames(self, *frames: bytes) -> None:
        """As one packet, if they fit."""
        self.do("frames", hex=b"".join(frames).hex())

    def end(self, ms: int = 20_000) -> tuple[str, int]:
        """How it was closed, and the error's code; ("none", 0): it is open."""
        done = self.do("closed", ms=ms)
        return done["end"], done.get("code", 0)

    def ask(self, prefix: str, count: int, parallel: int, ms: int = 20_000) -> dict:
        """The number of answers to queries for `count` names, and the errors of the others."""
        return self.do("ask", prefix=prefix, count=count, parallel=parallel, ms=ms)


class Stream:
    def __init__(self, connection: Connection, number: int):
        self.connection = connection
        self.number = number

    def do(self, what: str, **facts) -> dict:
        return self.connection.do(what, stream=self.number, **facts)

    def write(self, data: bytes, is_end: bool = True) -> str:
        return self.do("write", hex=data.hex(), fin=is_end, ms=10_000)["end"]

    def read(self, ms: int = 20_000) -> tuple[bytes, str, int]:
        """Its bytes, how it ended, and the error's code."""
        done = self.do("read", ms=ms)
        return bytes.fromhex(done["hex"]), done["end"], done.get("code", 0)


class Peer:
    """The process; end() ends it."""

    def __init__(self, scene: Scene, program: str, authority: Authority, server: str = f"{SERVER}:853", space: str = "client"):
        self.child = subprocess.Popen(scene.network.argv(space, program, server, authority.pem, HOST), text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      env={**os.environ, "QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING": "1"})

    def do(self, what: str, **facts) -> dict:
        self.child.stdin.write(json.dumps({"do": what, **facts}) + "\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def try_to_connect(self, protocols: tuple[str, ...] = DOQ, local: str = "", ms: int = 20_000, early: bool = False,
                       hold: bool = False) -> dict:
        return self.do("connect", protocols=protocols, local=local, ms=ms, early=early, hold=hold)

    def connect(self, **how) -> Connection:
        made = self.try_to_connect(**how)
        assert "connection" in made, made
        return Connection(self, made)

    def end(self) -> None:
        self.child.stdin.close()
        self.child.wait()
        self.child.stdout.close()


class QuicCase(unittest.TestCase):
    """A scene with the daemon, its certificate, and the client's program."""

    build = ""
    program = ""

    def setUp(self):
        self.scene = self.enterContext(Scene("quic", self.build))
        self.scene.start_resolver()
        os.chmod(self.scene.folder, 0o755)
        self.authority = Authority(self.scene.folder)
        config = self.scene.folder / "quic.yaml"
        config.write_text(self.configuration().format(self.authority.issue("server", f"DNS:{HOST}")))
        self.scene.start_daemon(config)
        until(lambda: self.scene.reported("status")["quic"]["running"], 5, "steerdns-quic runs")
        self.first_process = self.process()

    def configuration(self) -> str:
        return CONFIG

    def peer(self, **how) -> Peer:
        peer = Peer(self.scene, self.program, self.authority, **how)
        self.addCleanup(peer.end)
        return peer

    def kdig(self, *words: str, **where: str) -> str:
        return self.scene.kdig(f"+tls-ca={self.authority.pem}", f"+tls-hostname={HOST}", "+quic", *words, **where)

    def process(self) -> int:
        """The process id of steerdns-quic, which has a network namespace of its own."""
        def parent(pid: int) -> int:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            return 0

        def name(pid: int) -> str:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
            return ""

        found = []
        for pid in (int(one) for one in os.listdir("/proc") if one.isdigit() and name(int(one)) == "steerdns-quic"):
            above = pid
            while above > 1 and above != self.scene.daemon.pid:
                above = parent(above)
            if above > 1:
                found.append(pid)
        self.assertEqual(len(found), 1)
        return found[0]

    def counted(self, name: str) -> int:
        """The process reports its counters each second."""
        return sum(thread[name] for thread in self.scene.counters()["quic"])

    def wait_counted(self, name: str, count: int) -> None:
        """Waits for exactly so many."""
        until(lambda: self.counted(name) >= count, 5, f"{count} {name}")
        self.assertEqual(self.counted(name), count, name)

    def assert_it_lives(self) -> None:
        self.assertEqual(self.process(), self.first_process)
        self.assertEqual(self.scene.reported("status")["quic"]["restarts"], 0)
        self.assertIn("status: NOERROR", self.kdig("stream.example", "A"))


def take_arguments(case: type[QuicCase]) -> None:
    """BUILD, and where it has the client."""
    case.build = sys.argv.pop(1)
    case.program = sys.argv.pop(1)
