"""`cores_load` in a machine of eight CPUs, traced by `shared_lines`."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import sys
from collections.abc import Iterator

from lab.network import Network

from cores import trace

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "vm"))
from guest_kernel import GuestKernel, Lacking, debian, end_of_test  # noqa: E402, F401
from machine import QEMU, Machine  # noqa: E402

CPUS = 8
MOST_WORKERS = CPUS - 1  # CPU 0 is the wire, the upstream and `routers`


def require_plugins(program: str = QEMU) -> None:
    """Ends the test, or skips it, with a sentence if this QEMU does not load the plugin."""
    if not shutil.which(program):
        why = f"{program} is not here: `tools/deps` installs it"
    else:
        why = trace.other_qemu(program)
    if why:
        sys.exit(end_of_test(Lacking(why)))


class Guest:
    def __init__(self, network: Network, kernel: GuestKernel, build: pathlib.Path):
        self._counts, self._build = network.folder / "counts", build
        network.namespace("cores")
        self._machine = Machine(network, "cores", kernel, build, [], cpus=CPUS, memory=2048, append=(f"isolcpus=1-{MOST_WORKERS}",),
                                words=("-plugin", f"{build / trace.PLUGIN},out={self._counts}"))

    def counted(self, workers: int, rounds: int) -> list[trace.Operation]:
        """Each operation that `workers` serve, `rounds` bursts a worker."""
        self._counts.write_text("")
        printed = self._machine.run(f"/run/build/{trace.LOAD} -- {workers} {rounds} 2>&1", 300)
        return trace.read(printed, self._counts, self._build / trace.LOAD)


@contextlib.contextmanager
def booted(kernel: GuestKernel, build: pathlib.Path) -> Iterator[Guest]:
    with Network("cores") as network:
        yield Guest(network, kernel, build)
