"""SteerDNS beside the router: steerdnsd on a port of the loopback interface, an upstream that answers for it, and a client.

It needs no root, and changes nothing on this machine.
"""

from __future__ import annotations

import ipaddress
import json
import os
import pathlib
import re
import secrets
import socket
import struct
import subprocess
import threading
import time

from outcome import undisturbed

LIST4, LIST6, SUFFIX = "steerdns_test_v4", "steerdns_test_v6", "stream.example"
USER = "steerdns-test"
EGRESS = "steerdns_test"
TTL = 60

CONFIGURATION = """\
# A configuration of tools/test router.
dataplane:
  ports: [{{ device: lo, driver: socket, addresses: [127.0.0.1] }}]
control: {{ socket: {folder}/control.sock, http: off, images: off, lists: {folder}/lists, findings: off, watch: off{user} }}
routers:
  edge: {{ address: "127.0.0.1:{router}", username: {name}, password_file: {folder}/password }}
plugins:
  - {{ tag: names, type: domain_set, args: {{ exps: ["domain:stream.example"] }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [{{ addr: "udp://127.0.0.1:{upstream}" }}] }} }}
  - tag: test
    type: ros_address_list
    args: {{ router: edge, address_list4: steerdns_test_v4, address_list6: steerdns_test_v6, async: false, sync_timeout: 2s,
             min_ttl: 60, max_ttl: 1800, comment_prefix: steerdns-test }}
  - tag: main
    type: sequence
    args:
      - {{ matches: "qname $names", exec: $test }}
      - exec: $up
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: "127.0.0.1:{port}" }} }}
"""


class ApplianceError(RuntimeError):
    """The text is for a person."""


def address_of(name: str, family: int) -> str:
    """n17.stream.example: 198.19.0.17 and 2001:db8:19::11."""
    number = int(re.search(r"\d+", name)[0])
    return str(ipaddress.ip_address("198.19.0.0") + number) if family == 4 else str(ipaddress.ip_address("2001:db8:19::") + number)


def question_of(message: bytes) -> tuple[str, int, int]:
    """(name, type, where the question ends)"""
    labels, at = [], 12
    while size := message[at]:
        labels.append(message[at + 1:at + 1 + size].decode("ascii", "replace"))
        at += 1 + size
    return ".".join(labels).lower(), struct.unpack_from("!H", message, at + 1)[0], at + 5


def query(ident: int, name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, 1)


def addresses_of(message: bytes) -> list[tuple[str, int]]:
    """(address, TTL) of the A and AAAA records; names are compressed as our own daemon does."""
    found, at = [], question_of(message)[2]
    for _ in range(struct.unpack_from("!H", message, 6)[0]):
        while message[at] and message[at] < 0xC0:
            at += 1 + message[at]
        at += 2 if message[at] >= 0xC0 else 1
        kind, _, ttl, size = struct.unpack_from("!2HIH", message, at)
        if kind in (1, 28):
            found.append((str(ipaddress.ip_address(message[at + 10:at + 10 + size])), ttl))
        at += 10 + size
    return found


class Upstream:
    """Answers every name with addresses made of the number in it."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        with undisturbed():
            threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                message, client = self._socket.recvfrom(4096)
            except OSError:
                return
            name, kind, end = question_of(message)
            answer = b""
            if kind in (1, 28) and re.search(r"\d", name):
                data = ipaddress.ip_address(address_of(name, 4 if kind == 1 else 6)).packed
                answer = struct.pack("!3HIH", 0xC00C, kind, 1, TTL, len(data)) + data
            head = message[:2] + struct.pack("!5H", 0x8180, 1, 1 if answer else 0, 0, 0)
            self._socket.sendto(head + message[12:end] + answer, client)

    def close(self) -> None:
        self._socket.close()


class Appliance:
    def __init__(self, build: pathlib.Path, folder: pathlib.Path, router_port: int, password: str):
        self.build, self.folder = build, folder
        self.upstream = Upstream()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        self.configuration = folder / "steerdns.yaml"
        (folder / "password").write_text(password + "\n")
        (folder / "password").chmod(0o600)
        self.configuration.write_text(CONFIGURATION.format(
            folder=folder, router=router_port, name=USER, upstream=self.upstream.port, port=self.port,
            user=", user: root" if os.geteuid() == 0 else ""))
        self.configuration.chmod(0o600)
        self.log = folder / "steerdnsd.log"
        self.process: subprocess.Popen | None = None
        self.answers: list[dict] = []
        self._ident = secrets.randbelow(30000)

    def run(self, *words: str, seconds: float = 60) -> subprocess.CompletedProcess:
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)

    def setup_text(self) -> str:
        done = self.run(self.build / "steerdnsd", "--routeros-setup", self.configuration)
        if done.returncode != 0:
            raise ApplianceError(f"steerdnsd --routeros-setup failed: {done.stderr.strip()}")
        return done.stdout

    def doctor(self, *options: str) -> subprocess.CompletedProcess:
        return self.run(self.build / "tools/steerctl/steerctl", "doctor", "--config", self.configuration, *options, seconds=120)

    def steerctl(self, *words: str, seconds: float = 60):
        done = self.run(self.build / "tools/steerctl/steerctl", "--socket", self.folder / "control.sock", "--json", *words, seconds=seconds)
        if done.returncode != 0:
            raise ApplianceError(f"steerctl {' '.join(words)} failed: {(done.stderr or done.stdout).strip()}")
        return json.loads(done.stdout)

    def start(self) -> None:
        with open(self.log, "ab") as out, undisturbed():
            self.process = subprocess.Popen([str(self.build / "steerdnsd"), "--config", str(self.configuration)], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        self.until(lambda: "serving" in self.text(), 60, "steerdnsd serves")

    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def state(self) -> str:
        return self.steerctl("routers")["routers"][0]["state"]

    def until(self, condition, seconds: float, what: str):
        end = time.monotonic() + seconds
        while not (value := condition()):
            if self.process is not None and self.process.poll() is not None:
                raise ApplianceError(f"steerdnsd ended with {self.process.returncode}: {self.text()[-600:].strip()}")
            if time.monotonic() > end:
                raise ApplianceError(f"{what}: not within {seconds:g} s")
            time.sleep(0.1)
        return value

    def ask(self, name: str, kind: str = "A", seconds: float = 6) -> list[tuple[str, int]]:
        """As a client; what came is kept for the judge. Empty: no answer."""
        self._ident = (self._ident + 1) & 0xFFFF
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(seconds)
            client.sendto(query(self._ident, name, {"A": 1, "AAAA": 28}[kind]), ("127.0.0.1", self.port))
            try:
                message = client.recv(4096)
            except TimeoutError:
                return []
        now_ns = time.time_ns()
        found = addresses_of(message)
        if found:
            self.answers.append({"t_ns": now_ns, "name": name, "answers": [{"address": a, "ttl": ttl} for a, ttl in found]})
        return found

    def ask_all(self, numbers: range) -> int:
        """Both families of n0, n1, ...; how many were answered."""
        return sum(bool(self.ask(f"n{number}.{SUFFIX}", kind)) for number in numbers for kind in ("A", "AAAA"))

    def burst(self, numbers: range) -> int:
        """All at once, from one socket; how many were answered."""
        waiting = {}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(8)
            for at, number in enumerate(numbers):
                waiting[at] = f"n{number}.{SUFFIX}"
                client.sendto(query(at, waiting[at], 1), ("127.0.0.1", self.port))
            while waiting:
                try:
                    message = client.recv(4096)
                except TimeoutError:
                    break
                now_ns, name = time.time_ns(), waiting.pop(message[0] << 8 | message[1], None)
                if name and (found := addresses_of(message)):
                    self.answers.append({"t_ns": now_ns, "name": name, "answers": [{"address": a, "ttl": ttl} for a, ttl in found]})
        return len(numbers) - len(waiting)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None
        self.upstream.close()
