"""An initramfs: a gzipped cpio archive in the newc format (Documentation/driver-api/early-userspace/buffer-format)."""

from __future__ import annotations

import gzip
import pathlib


class Archive:
    def __init__(self) -> None:
        self._bytes = bytearray()
        self._inode = 0

    def folder(self, path: str) -> None:
        self._add(path, 0o040755, b"")

    def file(self, path: str, content: bytes, mode: int = 0o755) -> None:
        self._add(path, 0o100000 | mode, content)

    def link(self, path: str, target: str) -> None:
        self._add(path, 0o120777, target.encode())

    def write(self, path: pathlib.Path) -> None:
        self._inode = -1
        self._add("TRAILER!!!", 0, b"")
        path.write_bytes(gzip.compress(self._bytes, 1))

    def _add(self, path: str, mode: int, content: bytes) -> None:
        self._inode += 1
        name = path.encode() + b"\0"
        #         inode uid gid links time size, device and special device, name's size, check
        fields = (self._inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
        self._bytes += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        self._pad()
        self._bytes += content
        self._pad()

    def _pad(self) -> None:
        self._bytes += bytes(-len(self._bytes) % 4)
