"""What the commands of a fleet cost a real redis-server: the figures of redis_model.cpp.

One client sends packets of commands, one after the other, to a server without persistence on loopback; the server's CPU
time (user and system) is divided by the packets.
"""

from __future__ import annotations

import contextlib
import hashlib
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from fleet_sim.simulate import SimError

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKETS = 20_000


def command(*words: str | bytes | int) -> bytes:
    raw = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in raw)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Server:
    """A redis-server of its own, on loopback, without persistence."""

    def __init__(self):
        if shutil.which("redis-server") is None:
            raise SimError("redis-server is missing: apt-get install redis-server", 1)
        self.folder = tempfile.mkdtemp(prefix="fleet-sim-redis-")
        self.port = free_port()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir",
             self.folder], stdout=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while True:
            try:
                self.control = self.connect()
                return
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise SimError("redis-server does not start", 1) from None
                threading.Event().wait(0.05)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_) -> None:
        self.control.close()
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def ask(self, *words: str | bytes | int) -> str:
        """One reply, as text; a bulk string without its head."""
        self.control.sendall(command(*words))
        reply = b""
        while b"\r\n" not in reply:
            reply += self.control.recv(65536)
        head, rest = reply.split(b"\r\n", 1)
        if not head.startswith(b"$"):
            return head[1:].decode()
        while len(rest) < int(head[1:]) + 2:
            rest += self.control.recv(65536)
        return rest[:-2].decode()

    def info(self, section: str) -> dict[str, str]:
        return dict(line.split(":", 1) for line in self.ask("INFO", section).splitlines() if ":" in line)

    def cpu_s(self) -> float:
        info = self.info("cpu")
        return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])

    def packet_us(self, make, packets: int = PACKETS, commands: int = 1) -> float:
        """CPU time of the server for a packet of `commands` commands and its replies."""
        with contextlib.closing(self.connect()) as client:
            before = self.cpu_s()
            for packet in range(packets):
                client.sendall(b"".join(make(packet * commands + i) for i in range(commands)))
                client.recv(1 << 20)
            return (self.cpu_s() - before) / packets * 1e6


def _member(number: int) -> bytes:
    return b"\x01" + number.to_bytes(20, "big") + bytes(4) + b"\x06policy\x1d" + b"host-%07d.some.example.net.xx" % number


def _received(server: Server, receivers: int) -> float:
    """A PUBLISH with so many receivers."""
    channel = f"channel{receivers}"
    with contextlib.ExitStack() as stack:
        for _ in range(receivers):
            client = stack.enter_context(contextlib.closing(server.connect()))
            client.sendall(command("SUBSCRIBE", channel))
            client.recv(1000)

            def drain(client=client):
                with contextlib.suppress(OSError):
                    while client.recv(1 << 16):
                        pass

            client.settimeout(None)
            threading.Thread(target=drain, daemon=True).start()
        return server.packet_us(lambda i: command("PUBLISH", channel, b"x" * 100), PACKETS // 2)


def run() -> int:
    script = re.search(r'kElect = R"\(\n(.*?)\)";', (ROOT / "control/sinks/fleet/fleet.cpp").read_text(), re.S)
    if script is None:
        print("tools/sim: the script kElect is not in control/sinks/fleet/fleet.cpp: adapt redis_cost.py", file=sys.stderr)
        return 1
    with Server() as server:
        print(f"Redis {server.info('server')['redis_version']}: CPU time of the server a packet, in us", flush=True)

        def show(text: str, us: float) -> float:
            print(f"{text:44} {us:7.2f}", flush=True)
            return us

        def arguments(i: int) -> tuple:
            return 2, f"w{i % 10}", f"t{i % 10}", "box/1", 100_000, 0, 1

        def elect(i: int) -> bytes:
            return command("EVAL", script[1], *arguments(i))

        def elect_by_hash(i: int) -> bytes:
            return command("EVALSHA", hashlib.sha1(script[1].encode()).hexdigest(), *arguments(i))

        packet = show("PING", server.packet_us(lambda _: command("PING")))
        ping = (show("PING, 10 in a packet", server.packet_us(lambda _: command("PING"), commands=10)) - packet) / 9
        show("EVAL of the election", server.packet_us(elect, PACKETS // 2))
        evaluate = (show("EVAL, 10 in a packet", server.packet_us(elect, PACKETS // 4, 10)) - packet) / 10
        by_hash = (show("EVALSHA, 10 in a packet", server.packet_us(elect_by_hash, PACKETS // 4, 10)) - packet) / 10
        memory = int(server.info("memory")["used_memory"])
        show("ZADD of one member", server.packet_us(lambda i: command("ZADD", "z", "GT", i, _member(i))))
        add = (show("ZADD of ten", server.packet_us(lambda i: command(
            "ZADD", "z", "GT", *(x for k in range(10) for x in (i, _member(PACKETS + 10 * i + k)))), PACKETS // 2)) - packet) / 10
        members = int(server.ask("ZCARD", "z"))
        member = (int(server.info("memory")["used_memory"]) - memory) / members - len(_member(0))
        show("ZRANGEBYSCORE of 1000", server.packet_us(lambda _: command(
            "ZRANGEBYSCORE", "z", "-inf", "+inf", "WITHSCORES", "LIMIT", 0, 1000), 1000))
        alone = show("PUBLISH without receiver", server.packet_us(lambda _: command("PUBLISH", "c", b"x" * 100)))
        show("PUBLISH to one", _received(server, 1))
        receiver = (show("PUBLISH to four", _received(server, 4)) - alone) / 4
        show("SET of 1500 bytes with PX", server.packet_us(lambda i: command("SET", f"b{i % 100}", b"x" * 1500, "PX", 5000)))
    print(f"redis packet_us={packet:.2f} command_us={ping:.2f} eval_us={evaluate:.2f} evalsha_us={by_hash:.2f} zadd_member_us={add:.2f} "
          f"receiver_us={receiver:.2f} member_bytes={member:.0f}")
    return 0
