"""What a bench asks of the machine: hugepages for a while, and idleness."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import subprocess
import time
from collections.abc import Iterator

from lab.network import LabError

HUGEPAGES = "/sys/kernel/mm/hugepages/hugepages-{}kB/nr_hugepages"
BUSY_LIMIT = 0.25  # of one core, before a bench starts


_wanted_rounds: int | None = None


def want_rounds(count: int) -> None:
    """So many from now on (tools/bench --rounds), whatever a bench usually takes."""
    global _wanted_rounds
    _wanted_rounds = count


def allow_busy() -> None:
    """For work on a bench itself: require_idle() lets everything pass."""
    global BUSY_LIMIT
    BUSY_LIMIT = float("inf")


def rounds(usual: int = 5) -> int:
    return _wanted_rounds or usual


def announce(parameters: str) -> str:
    """Says what both sides of a bench are run with; the bench returns it with its result."""
    print(parameters, flush=True)
    return parameters


def version(package: str) -> str:
    """Name and upstream version of a Debian package."""
    text = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], text=True, capture_output=True).stdout
    return f"{package} {re.sub(r'^[0-9]+:|[-+].*$', '', text)}"


def build_apart(build: pathlib.Path, name: str, options: str, *targets: str) -> pathlib.Path:
    """Brings a build with other options up to date, the folder `name` in that of the build, and returns it."""
    folder = build / name
    environment = {**os.environ, "STEER_BUILD": str(folder), "STEER_MESON_OPTIONS": options}
    done = subprocess.run([str(pathlib.Path(__file__).resolve().parents[2] / "tools/build"), *targets], env=environment, text=True,
                          capture_output=True)
    if done.returncode != 0:
        raise LabError(f"the build in {folder} fails: {done.stdout[-2000:]} {done.stderr[-500:]}")
    return folder


class TooBusy(RuntimeError):
    """Something else runs: figures taken now would tell about that."""


class NotMeasurable(RuntimeError):
    """The machine took its CPUs away too often: a figure would tell about the machine."""


def family(pid: int) -> list[int]:
    """A process, and all that it and these have started."""
    children: dict[int, list[int]] = {}
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            children.setdefault(int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def busy_ns() -> float:
    """Nanoseconds that the CPUs together were not idle; of two readings, the difference.

    By the wall clock less what /proc/stat calls idle: that column is exact, while user, system and softirq time are
    sampled by the tick on virtual machines, so that work in step with the tick counts ten times, or not at all.
    """
    lines = pathlib.Path("/proc/stat").read_text().splitlines()
    now = time.monotonic_ns()
    idle, waiting = (int(n) for n in lines[0].split()[4:6])
    cpus = sum(line.startswith("cpu") for line in lines) - 1
    return now * cpus - (idle + waiting) * 1e9 / os.sysconf("SC_CLK_TCK")


def require_idle(seconds: float = 1.0, attempts: int = 15) -> None:
    """Returns once the machine has been idle for `seconds`; raises TooBusy after `attempts`."""
    for _ in range(attempts):
        before, begin = busy_ns(), time.monotonic_ns()
        time.sleep(seconds)
        busy = (busy_ns() - before) / (time.monotonic_ns() - begin)
        if busy < BUSY_LIMIT:
            return
    raise TooBusy(f"other programs use {busy:.1f} cores of this machine: stop them and run the bench again")


@contextlib.contextmanager
def hugepages(count: int, mib: int = 2) -> Iterator[int]:
    """Takes up to `count` pages of `mib` MiB (the kernel may have fewer, or none), yields how many, gives them back."""
    number = pathlib.Path(HUGEPAGES.format(mib * 1024))
    if not number.exists():
        yield 0
        return
    before = int(number.read_text())
    try:
        with contextlib.suppress(OSError):  # a kernel that gives such pages at its boot only
            number.write_text(str(max(before, count)))
        yield int(number.read_text())
    finally:
        if int(number.read_text()) != before:
            number.write_text(str(before))
