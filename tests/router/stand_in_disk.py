"""A disk image with the stand-in (stand_in.py) in it: a boot sector, Debian's kernel, and a file system with Python and rossim.

    stand_in_disk.py BUILD IMAGE [--version 7.16.2] [--lie NAME]...

It boots as an image of RouterOS does: from its own disk, with its console on the first serial line.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
for folder in (ROOT / "tests/vm", ROOT / "tools"):
    sys.path.append(str(folder))
from guest_kernel import GuestKernel, Lacking, debian, output  # noqa: E402
from initramfs import Archive  # noqa: E402
from stand_in import LIES  # noqa: E402

SECTOR, FIRST = 512, 2048  # bytes, and the sector where the file system begins
LOADER = ("grub-common", "grub-pc-bin")  # unpacked, never installed
MODULES = ["virtio_pci", "virtio_blk", "virtio_net", "ext4", "crc32c_generic"]
INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc p /proc
/bin/busybox mount -t sysfs s /sys
/bin/busybox mount -t devtmpfs d /dev
for module in $(/bin/busybox cat /modules/order); do /bin/busybox insmod "/modules/$module" 2>/dev/null; done
/bin/busybox mount -t ext4 /dev/vda1 /disk
/bin/busybox mount --move /dev /disk/dev
/bin/busybox mount --move /proc /disk/proc
/bin/busybox mount --move /sys /disk/sys
exec /bin/busybox switch_root /disk /init
"""
SECOND = """#!/bin/busybox sh
/bin/busybox mount -t tmpfs t /run
/bin/busybox ip link set lo up
/bin/busybox ip link set eth0 up
export PYTHONDONTWRITEBYTECODE=1
/usr/bin/python3 /stand-in/tests/router/stand_in_terminal.py /stand-in/data 2>/run/errors </dev/null
/bin/busybox cat /run/errors >/dev/ttyS0
/bin/busybox sleep 600
"""
GRUB = """set timeout=0
linux (hd0,msdos1)/kernel console=ttyS0 quiet loglevel=1 nokaslr mitigations=off panic=-1
initrd (hd0,msdos1)/initrd
boot
"""


def loader(folder: pathlib.Path) -> pathlib.Path:
    """GRUB's files, from Debian's packages."""
    there = folder / "grub"
    if not there.is_dir():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            output("apt-get", "download", "-q", *LOADER, cwd=scratch)
            for package in pathlib.Path(scratch).glob("*.deb"):
                output("dpkg", "-x", str(package), f"{scratch}/unpacked")
            pathlib.Path(scratch, "unpacked").rename(there)
    return there


def programs(build: pathlib.Path, root: pathlib.Path) -> None:
    """Busybox, rossim, Python and what they load."""
    binaries = {"/usr/bin/python3.11": "usr/bin/python3", shutil.which("busybox"): "bin/busybox",
                str(build / "tools/rossim/rossim"): "stand-in/data/rossim"}
    for source, target in binaries.items():
        copy(pathlib.Path(source), root / target)
    listing = ("import sys,stand_in_terminal,encodings.idna,ctypes,multiprocessing\n"
               "print('\\n'.join(sorted({m.__file__ for m in sys.modules.values() if getattr(m,'__file__',None)})))")
    files = output("/usr/bin/python3", "-c", listing, env={"PYTHONPATH": str(HERE), "PATH": "/usr/bin:/bin"}).split("\n")
    libraries = set()
    for name in files:
        path = pathlib.Path(name)
        if not name.startswith("/usr/lib/python3"):
            continue
        copy(path, root / name.lstrip("/"))
        if path.suffix == ".so":
            libraries |= needed(path)
    for source in binaries:
        libraries |= needed(pathlib.Path(source))
    for library in libraries:
        copy(pathlib.Path(library), root / library.lstrip("/"))
    for name in ("tests/router/stand_in.py", "tests/router/stand_in_terminal.py", "tests/router/api.py", "tests/unit/setup/router_model.py"):
        copy(ROOT / name, root / "stand-in" / name)
    copy(ROOT / "tools/rossim/schema.json", root / "stand-in/data/schema.json")


def needed(program: pathlib.Path) -> set[str]:
    done = subprocess.run(["ldd", str(program)], capture_output=True, text=True)
    return set(re.findall(r"(/[^ ]+\.so[^ ]*) \(0x", done.stdout))


def copy(source: pathlib.Path, target: pathlib.Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source.resolve(), target)


def first_initrd(kernel: GuestKernel, path: pathlib.Path) -> None:
    archive = Archive()
    for folder in ("bin", "modules", "proc", "sys", "dev", "disk"):
        archive.folder(folder)
    archive.file("bin/busybox", pathlib.Path(shutil.which("busybox")).read_bytes())
    files = kernel.modules(MODULES)
    for file in files:
        archive.file(f"modules/{file.name}", file.read_bytes(), 0o644)
    archive.file("modules/order", "\n".join(file.name for file in files).encode(), 0o644)
    archive.file("init", INIT.encode())
    archive.write(path)


def make(build: pathlib.Path, image: pathlib.Path, kernels: pathlib.Path, *, version: str = "7.21.5", lies: tuple = ()) -> None:
    """Writes the image. `kernels`: where unpacked packages of Debian are kept."""
    if unknown := set(lies) - LIES:
        raise ValueError(f"there is no lie {unknown.pop()}: there are {', '.join(sorted(LIES))}")
    for tool in ("mke2fs", "busybox"):
        if not shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin:/bin"):
            raise Lacking(f"{tool} is not here")
    kernel, grub = debian(kernels), loader(kernels)
    with tempfile.TemporaryDirectory(dir=image.parent) as scratch:
        root = pathlib.Path(scratch) / "root"
        for folder in ("proc", "sys", "dev", "run", "tmp", "stand-in/data", "bin"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        programs(build, root)
        (root / "init").write_text(SECOND)
        (root / "init").chmod(0o755)
        (root / "stand-in/data/settings.json").write_text(json.dumps({"version": version, "lies": list(lies)}))
        shutil.copy(kernel.image, root / "kernel")
        first_initrd(kernel, root / "initrd")
        early = pathlib.Path(scratch) / "grub.cfg"
        early.write_text(GRUB)
        modules = grub / "usr/lib/grub/i386-pc"
        core = pathlib.Path(scratch) / "core.img"
        output(str(grub / "usr/bin/grub-mkimage"), "-d", str(modules), "-O", "i386-pc", "-o", str(core), "-c", str(early), "-p", "/",
               "biosdisk", "part_msdos", "ext2", "linux")
        megabytes = sum(f.stat().st_size for f in root.rglob("*") if f.is_file()) // (1 << 20) * 5 // 4 + 24
        files = pathlib.Path(scratch) / "files.img"
        output("/usr/sbin/mke2fs", "-q", "-t", "ext4", "-O", "^metadata_csum,^64bit", "-d", str(root), str(files), f"{megabytes}M")
        write_disk(image, (modules / "boot.img").read_bytes(), core.read_bytes(), files)


def write_disk(image: pathlib.Path, boot: bytes, core: bytes, files: pathlib.Path) -> None:
    """The boot sector with a table of one partition, the loader behind it, the file system."""
    if len(core) > (FIRST - 1) * SECTOR:
        raise Lacking("the loader is too large for the space before the first partition")
    sectors = files.stat().st_size // SECTOR
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", FIRST, sectors)
    with open(image, "wb") as disk, open(files, "rb") as content:
        disk.write(boot[:446].ljust(446, b"\0") + entry + bytes(48) + b"\x55\xaa")
        disk.write(core)
        disk.seek(FIRST * SECTOR)
        shutil.copyfileobj(content, disk, 1 << 20)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("image", type=pathlib.Path)
    parser.add_argument("--version", default="7.21.5")
    parser.add_argument("--lie", action="append", default=[])
    given = parser.parse_args()
    try:
        make(given.build, given.image, given.build / "guest-kernel", version=given.version, lies=tuple(given.lie))
    except Lacking as reason:
        sys.exit(f"SKIPPED: {reason}")
