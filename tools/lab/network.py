"""Network namespaces, veth pairs and processes that clean up after themselves."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Self


CLONE_NEWNET = 0x40000000
# The first report of a sanitizer, and what is after it.
SANITIZER = re.compile(r"^(WARNING: ThreadSanitizer|==\d+==ERROR: \w+Sanitizer|\S+:\d+:\d+: runtime error): .*", re.M | re.S)
SKIPPED = 77  # the exit code by which meson knows a skipped test
# The least time that is waited for a condition: a loaded machine is slow, and who meets the condition does not wait longer.
PATIENCE_S = 60
_setns = ctypes.CDLL(None, use_errno=True).setns
_serial = itertools.count()


class LabError(RuntimeError):
    """Something of the lab could not be made; the text is for a person."""


def run(*argv: str, check: bool = True, **options) -> subprocess.CompletedProcess:
    """Runs a command to its end; its output is text."""
    done = subprocess.run(argv, text=True, capture_output=True, **options)
    if check and done.returncode != 0:
        raise LabError(f"{' '.join(argv)} failed ({done.returncode}): {(done.stderr or done.stdout).strip()}")
    return done


def missing(programs: tuple[str, ...], option: str) -> str:
    """Which programs are not installed, and the option of tools/deps that installs them; empty: none."""
    absent = [program for program in programs if shutil.which(program) is None]
    return f"{' and '.join(absent)} not found: packages are missing; run 'tools/deps {option}'" if absent else ""


def skip_without(programs: tuple[str, ...], option: str) -> None:
    """Ends a test that cannot run here."""
    if why := missing(programs, option):
        print(f"skipped: {why}")
        sys.exit(SKIPPED)


def until(condition, seconds: float, what: str, pause: float = 0.05):
    """Waits until `condition()` is true and returns what it gave; `what` is for the sentence if it never is.

    `seconds`: what it takes on an idle machine; at least PATIENCE_S are waited."""
    seconds = max(seconds, PATIENCE_S)
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not within {seconds} s")
        time.sleep(pause)
    return value


class Process:
    """A child whose output goes to a file, ended with the network that it belongs to."""

    def __init__(self, name: str, argv: list[str], log: pathlib.Path, env: dict[str, str] | None = None):
        self.name = name
        self.log = log
        with open(log, "ab") as out:
            self.begin = out.tell()
            self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                          start_new_session=True, env={**os.environ, **(env or {})})

    @property
    def pid(self) -> int:
        return self.child.pid

    def running(self) -> bool:
        return self.child.poll() is None

    def end(self) -> str:
        """How it ended, for an error's text; empty while it runs."""
        return "" if self.running() else f"{self.name} ended with {self.child.returncode}:\n{self.text()[-2000:]}"

    def text(self) -> str:
        """What it has said. (Before it, the file has the output of earlier processes of this name.)"""
        return self.log.read_bytes()[self.begin:].decode(errors="replace")

    def wait_for(self, text: str, seconds: float = 20) -> None:
        """Waits until its output contains `text`; at least PATIENCE_S."""
        seconds = max(seconds, PATIENCE_S)
        deadline = time.monotonic() + seconds
        while text not in self.text():
            if not self.running():
                raise LabError(f"{text!r} was not said; {self.end()}")
            if time.monotonic() > deadline:
                raise LabError(f"{self.name} did not say {text!r} within {seconds} s:\n{self.text()[-2000:]}")
            time.sleep(0.02)

    def send_signal(self, number: int) -> None:
        if self.running():
            os.kill(self.pid, number)

    def stop(self, seconds: float = 20, number: int = signal.SIGTERM) -> int:
        """Ends it and returns its exit code."""
        self.send_signal(number)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.send_signal(signal.SIGKILL)
            return self.child.wait()


def steerctl(build: pathlib.Path, control_socket: pathlib.Path, daemon: Process | None, *words: str, check: bool) -> subprocess.CompletedProcess:
    """The finished process of steerctl. A failure that is checked says also how the daemon ended."""
    try:
        return run(str(build / "tools/steerctl/steerctl"), "--socket", str(control_socket), *words, check=check)
    except LabError as error:
        raise LabError("\n".join(filter(None, (str(error), daemon.end() if daemon else "")))) from None


# Where steerdnsd and steerctl keep files that no configuration names. Each namespace has folders of its own there.
STATE_FOLDERS = ("/var/lib/steerdns", "/run/steerdns", "/etc/steerdns")
# `ip netns exec` makes a mount namespace, so these mounts end with the command.
WITH_OWN_STATE = 'table=$1; shift; mount --all --fstab "$table" && exec "$@"'


# For a process that is killed before it closes its network: it alone has the other end of this shell's input, so the
# input ends with it.
REMOVE = """
cat >/dev/null
pids() { for space in "$prefix"*; do ip netns pids "${space##*/}"; done; }
prefix=$1 tries=200
kill $(pids)
while [ -n "$(pids)" ] && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done
kill -9 $(pids)
for space in "$prefix"*; do ip netns delete "${space##*/}"; done
[ -z "$2" ] || rm -rf "$2"
"""


class Network:
    """A set of namespaces; a context manager that removes all that it made, at the latest when its process has ended."""

    def __init__(self, label: str = "lab", keep_files: bool = False):
        if os.geteuid() != 0:
            raise LabError("network namespaces need root: run as root or with sudo")
        self.prefix = f"steer{os.getpid()}-{next(_serial)}-"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"steerdns-{label}-"))
        self.folder.chmod(0o755)
        self.keep_files = keep_files
        self.namespaces: list[str] = []
        self.processes: list[Process] = []
        self._remover = subprocess.Popen(["sh", "-c", REMOVE, "sh", f"/run/netns/{self.prefix}", "" if keep_files else str(self.folder)],
                                         stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                         start_new_session=True)

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def namespace(self, name: str) -> str:
        full = self.prefix + name
        self.namespaces.append(full)
        run("ip", "netns", "add", full)
        for which in ("all", "default"):  # IPv6 addresses, link-local ones too, are good at once
            run("ip", "netns", "exec", full, "sysctl", "-qw", f"net.ipv6.conf.{which}.accept_dad=0")
        run("ip", "-n", full, "link", "set", "lo", "up")
        return full

    def full(self, name: str) -> str:
        return self.prefix + name

    def path(self, space: str) -> str:
        """The namespace as a file, for a program that enters it by itself: `ip netns exec` hides the control groups."""
        return f"/run/netns/{self.full(space)}"

    def link(self, here: tuple[str, str], there: tuple[str, str], queues: int = 1) -> None:
        """A veth pair: (namespace, device) on both ends, and the queues of each (XDP wants no more of a veth than are served)."""
        of_each = ("numrxqueues", str(queues), "numtxqueues", str(queues))
        run("ip", "link", "add", here[1], *of_each, "netns", self.full(here[0]),
            "type", "veth", "peer", "name", there[1], *of_each, "netns", self.full(there[0]))
        for space, device in (here, there):
            run("ip", "-n", self.full(space), "link", "set", device, "up")

    def address(self, space: str, device: str, *addresses: str) -> None:
        for address in addresses:
            extra = ["nodad"] if ":" in address else []
            run("ip", "-n", self.full(space), "address", "add", address, "dev", device, *extra)

    def route(self, space: str, *words: str) -> None:
        run("ip", "-n", self.full(space), *(["-6"] if ":" in "".join(words) else []), "route", "add", *words)

    def argv(self, space: str, *argv: str) -> list[str]:
        """The command in that namespace; in STATE_FOLDERS it sees the namespace's own files, and none of the machine's."""
        return ["ip", "netns", "exec", self.full(space), "sh", "-c", WITH_OWN_STATE, "sh", str(self._state(space)), *argv]

    def _state(self, space: str) -> pathlib.Path:
        table = self.folder / "mounts" / f"{space}.fstab"
        if not table.exists():
            lines = []
            for folder in STATE_FOLDERS:
                own = table.parent / space / folder.strip("/")
                own.mkdir(parents=True, exist_ok=True)
                os.makedirs(folder, exist_ok=True)  # an empty place to mount on
                lines.append(f"{own} {folder} none bind 0 0\n")
            table.write_text("".join(lines))
        return table

    def run(self, space: str, *argv: str, check: bool = True, **options) -> subprocess.CompletedProcess:
        return run(*self.argv(space, *argv), check=check, **options)

    def start(self, space: str, name: str, *argv: str, env: dict[str, str] | None = None) -> Process:
        process = Process(name, self.argv(space, *argv), self.folder / f"{name}.log", env)
        self.processes.append(process)
        return process

    def pids(self, space: str) -> list[int]:
        return [int(pid) for pid in run("ip", "netns", "pids", self.full(space), check=False).stdout.split()]

    def pid(self, space: str, name: str) -> int:
        """The process whose name begins so, not its child that has this name until it executes another program; those that
        end while we look are none."""
        parents: dict[int, int] = {}
        for pid in self.pids(space):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                head, _, facts = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")
                if head.partition("(")[2].startswith(name):
                    parents[pid] = int(facts.split()[1])
        for pid, parent in parents.items():
            if parent not in parents:
                return pid
        raise LabError(f"no process {name} runs in {space}")

    def child(self, space: str, parent: str, name: str) -> int | None:
        """The process of that name which the process `parent` started; None: there is none."""
        for children in pathlib.Path(f"/proc/{self.pid(space, parent)}/task").glob("*/children"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                for pid in map(int, children.read_text().split()):
                    if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name:
                        return pid
        return None

    def socket(self, space: str, *kind: int) -> socket.socket:
        """A socket in that namespace; it stays there."""
        with self.inside(space):
            return socket.socket(*kind)

    @contextlib.contextmanager
    def inside(self, space: str) -> Iterator[None]:
        """The calling thread is in that namespace."""
        with open("/proc/thread-self/ns/net") as home, open(self.path(space)) as there:
            self._enter(there.fileno())
            try:
                yield
            finally:
                self._enter(home.fileno())

    @staticmethod
    def _enter(descriptor: int) -> None:
        if _setns(descriptor, CLONE_NEWNET) != 0:
            raise LabError(f"the namespace cannot be entered: {os.strerror(ctypes.get_errno())}")

    def close(self) -> None:
        """Ends everything. A sanitizer's report is an error, also if it ended the process unnoticed."""
        for process in reversed(self.processes):
            process.stop()
        for space in reversed(self.namespaces):
            # Processes that our processes left there (a child of a child) end with it; others cannot be in it.
            for pid in run("ip", "netns", "pids", space, check=False).stdout.split():
                run("kill", "-9", pid, check=False)
            run("ip", "netns", "delete", space, check=False)
        logs = {process.log: SANITIZER.search(process.log.read_text(errors="replace")) for process in self.processes}
        self.namespaces.clear()
        self.processes.clear()
        if not self.keep_files:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._remover.kill()
        self._remover.communicate()
        if any(logs.values()):
            raise LabError("\n".join(f"{log.stem}:\n{report[0]}" for log, report in logs.items() if report))


class NetworkLab:
    """A network and what runs in it; a context manager. _wire() says what it is made of."""

    network: Network

    def _wire(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        try:
            self._wire()
        except BaseException:
            self.network.close()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.network.close()
