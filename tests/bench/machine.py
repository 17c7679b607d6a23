"""What a bench asks of the machine: hugepages for a while, and idleness."""

from __future__ import annotations

import contextlib
import pathlib
import time
from collections.abc import Iterator

HUGEPAGES = pathlib.Path("/proc/sys/vm/nr_hugepages")
BUSY_LIMIT = 0.25  # of one core, before a bench starts


class TooBusy(RuntimeError):
    """Something else runs: figures taken now would tell about that."""


def _ticks() -> tuple[int, int]:
    numbers = [int(n) for n in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return sum(numbers), numbers[3] + numbers[4]


def require_idle(seconds: float = 1.0, attempts: int = 15) -> None:
    """Returns once the machine has been idle for `seconds`; raises TooBusy after `attempts`."""
    import os
    cores = os.cpu_count() or 1
    for _ in range(attempts):
        total, idle = _ticks()
        time.sleep(seconds)
        total2, idle2 = _ticks()
        busy = cores * (1 - (idle2 - idle) / max(1, total2 - total))
        if busy < BUSY_LIMIT:
            return
    raise TooBusy(f"other programs use {busy:.1f} cores of this machine: stop them and run the bench again")


@contextlib.contextmanager
def hugepages(count: int) -> Iterator[int]:
    """Takes up to `count` 2 MiB pages (the kernel may have fewer), yields how many, gives them back."""
    before = int(HUGEPAGES.read_text())
    try:
        HUGEPAGES.write_text(str(max(before, count)))
        yield int(HUGEPAGES.read_text())
    finally:
        HUGEPAGES.write_text(str(before))
