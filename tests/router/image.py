"""A disk image that boots in QEMU. The image is never written: QEMU keeps what the guest writes in a file that it has deleted already.

The guest's first network card is in a network of QEMU's own (no root needed, no interface of this machine is touched), from which
one port of the host leads to the API.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import socket
import subprocess

from outcome import undisturbed

QEMU = "qemu-system-x86_64"
NETWORK, GATEWAY, GUEST = "10.98.0.0/24", "10.98.0.2", "10.98.0.50"
SIGNS = ((0, b"QFI\xfb", "qcow2"), (0x40, b"\x7f\x10\xda\xbe", "vdi"), (0, b"KDMV", "vmdk"), (0, b"vhdxfile", "vhdx"))
OTHERS = ((b"PK\x03\x04", "a zip archive: unpack it first"), (b"\x1f\x8b", "compressed: unpack it first (gunzip)"),
          (b"\xfd7zXZ", "compressed: unpack it first (unxz)"), (b"#!", "a script"), (b"\x7fELF", "a program"))


class ImageError(RuntimeError):
    """The image cannot be used; the text is for a person."""


def format_of(file: pathlib.Path) -> str:
    """QEMU's name of the format; raises if it is no disk."""
    try:
        with open(file, "rb") as disk:
            head = disk.read(4096)
    except OSError as error:
        raise ImageError(f"{file} cannot be read: {error.strerror}") from error
    for at, sign, name in SIGNS:
        if head[at:at + len(sign)] == sign:
            return name
    for sign, what in OTHERS:
        if head.startswith(sign):
            raise ImageError(f"{file} is not a disk image: it is {what}")
    if head[510:512] == b"\x55\xaa":
        return "raw"
    raise ImageError(f"{file} is not a disk image: it has no boot sector, and it is not qcow2, vdi or vmdk")


def works_kvm() -> bool:
    """Some containers have /dev/kvm, and a CPU that cannot run a machine."""
    flags = set(re.findall(r"\b(vmx|svm)\b", pathlib.Path("/proc/cpuinfo").read_text()))
    return bool(flags) and os.access("/dev/kvm", os.R_OK | os.W_OK)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class Image:
    """The running machine; a context manager. `read` and `write` are its serial line."""

    def __init__(self, file: pathlib.Path, log: pathlib.Path, memory: int = 512):
        self.file, self.log, self.memory = file, log, memory
        self.format = format_of(file)
        if not shutil.which(QEMU):
            raise ImageError(f"{QEMU} is not installed: apt-get install qemu-system-x86")
        self.kvm = works_kvm()
        self.port = free_port()

    def words(self) -> list[str]:
        file = str(self.file.resolve()).replace(",", ",,")
        # The first accelerator that works is taken.
        return [QEMU, *(["-accel", "kvm"] if self.kvm else []), "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", str(self.memory),
                "-nodefaults", "-no-user-config", "-display", "none",
                "-drive", f"file={file},format={self.format},if=virtio,snapshot=on",
                "-netdev", f"user,id=n0,net={NETWORK},host={GATEWAY},hostfwd=tcp:127.0.0.1:{self.port}-{GUEST}:8728",
                "-device", "virtio-net-pci,netdev=n0", "-serial", "stdio"]

    def __enter__(self) -> Image:
        try:
            # (Into a file: what is not read yet must not stop the machine.)
            console_file = self.log.with_suffix(".serial")
            with open(self.log, "wb") as errors, open(console_file, "wb") as serial, undisturbed():
                self._console = open(console_file, "rb")
                # A session of its own: ^C is for the test, which ends the machine when it has undone what it did.
                self.process = subprocess.Popen(self.words(), stdin=subprocess.PIPE, stdout=serial, stderr=errors,
                                                start_new_session=True)
        except KeyboardInterrupt:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for file in (self.process.stdin, self._console):
            file.close()

    def read(self) -> bytes:
        """What its serial port said since the last time."""
        return self._console.read()

    def ended(self) -> bool:
        return self.process.poll() is not None

    def write(self, data: bytes) -> None:
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except (OSError, ValueError):
            pass  # it has ended: read() says so

    def failure(self) -> str:
        """What QEMU complained about."""
        return self.log.read_text(errors="replace").strip()[-500:]
