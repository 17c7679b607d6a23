"""Frames of QUIC (RFC 9000 19) and messages of DNS over QUIC as bytes, also those that no client may send."""

from __future__ import annotations

import struct

STREAM, STREAM_FIN = 0x0e, 0x0f  # with an offset and a length


def varint(value: int) -> bytes:
    for bits, size in ((6, 1), (14, 2), (30, 4), (62, 8)):
        if value < 1 << bits:
            return (value | {1: 0, 2: 1, 4: 2, 8: 3}[size] << (size * 8 - 2)).to_bytes(size)
    raise ValueError(value)


def frame(kind: int, *fields: int | bytes) -> bytes:
    return varint(kind) + b"".join(field if isinstance(field, bytes) else varint(field) for field in fields)


def stream_frame(stream: int, data: bytes, offset: int = 0, is_end: bool = False) -> bytes:
    return frame(STREAM_FIN if is_end else STREAM, stream, offset, len(data), data)


def crypto_frame(offset: int, data: bytes) -> bytes:
    return frame(0x06, offset, len(data), data)


def query(name: str, *options: tuple[int, bytes], number: int = 0, flags: int = 0x0100, questions: int = 1, rtype: int = 1) -> bytes:
    """`options`: of EDNS; none: no OPT record."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    message = struct.pack("!6H", number, flags, questions, 0, 0, 1 if options else 0) + (labels + struct.pack("!2H", rtype, 1)) * questions
    if options:
        data = b"".join(struct.pack("!2H", code, len(value)) + value for code, value in options)
        message += b"\0" + struct.pack("!2HIH", 41, 1232, 0, len(data)) + data
    return message


def framed(message: bytes, length: int | None = None) -> bytes:
    """As on a stream. `length`: what the peer claims."""
    return struct.pack("!H", len(message) if length is None else length) + message
