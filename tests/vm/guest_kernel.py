"""The kernel that the virtual machines boot: Debian's, taken from its package, never installed.

`debian(folder)` downloads and unpacks it once into a folder of its own. (The full image, not the cloud one: only that
has 9p, VLAN, VRF and UIO.)
"""

from __future__ import annotations

import os
import fcntl
import pathlib
import re
import shutil
import subprocess
import tempfile

PACKAGE = "linux-image-amd64"  # depends on the current one


class Lacking(RuntimeError):
    """Something that a machine needs is not here; the text is for a person."""


def end_of_test(reason: Lacking) -> int:
    """The exit code of a test without a machine: a failure, because someone asked for it by name. tools/test sets the variable
    where it runs everything that this machine can: then it is skipped."""
    may_skip = bool(os.environ.get("STEER_VM_MAY_SKIP"))
    print(f"{'SKIPPED' if may_skip else 'FAILED, no machine can be run'}: {reason}")
    return 77 if may_skip else 1


class GuestKernel:
    """An unpacked kernel package."""

    def __init__(self, folder: pathlib.Path):
        self.image = next((folder / "boot").glob("vmlinuz-*"))
        self._modules = {path.stem.replace("-", "_"): path for path in (folder / "lib/modules").rglob("*.ko")}

    def modules(self, wanted: list[str]) -> list[pathlib.Path]:
        """Their files and those that they need, in the order of loading. What is built in has no file."""
        order: list[pathlib.Path] = []

        def add(name: str) -> None:
            path = self._modules.get(name.replace("-", "_"))
            if path is None or path in order:
                return
            needs = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
            for other in needs.group(1).decode().split(",") if needs else []:
                add(other)
            order.append(path)

        for name in wanted:
            add(name)
        return order


def output(*argv: str, **options) -> str:
    done = subprocess.run(argv, text=True, capture_output=True, **options)
    if done.returncode != 0:
        raise Lacking(f"{' '.join(argv)} failed: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def debian(folder: pathlib.Path) -> GuestKernel:
    """Debian's current kernel below `folder`; one that is there already is good enough when there is no network.
    Tests that start at the same time unpack it once."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return current(folder)


def current(folder: pathlib.Path) -> GuestKernel:
    there = sorted(path for path in folder.glob("linux-image-*") if path.is_dir())
    try:
        found = re.search(r"Depends: (linux-image-\S+)", output("apt-cache", "depends", PACKAGE))
        if not found:
            raise Lacking(f"the package lists name no kernel for {PACKAGE}: run `apt-get update`")
        name = found.group(1)
        if not (folder / name).is_dir():
            unpack(name, folder)
            for old in there:
                shutil.rmtree(old)
        return GuestKernel(folder / name)
    except (Lacking, OSError):
        if not there:
            raise
        return GuestKernel(there[-1])


def unpack(package: str, folder: pathlib.Path) -> None:
    """Unpacks the whole package or nothing."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        output("apt-get", "download", "-q", package, cwd=scratch)
        file = next(pathlib.Path(scratch).glob("*.deb"))
        output("dpkg", "-x", str(file), f"{scratch}/unpacked")
        pathlib.Path(scratch, "unpacked").rename(folder / package)
