"""A DNS query's bytes (RFC 1035 4.1), for the benches that send their own."""

import struct


def question(name: str, ident: int = 0, flags: int = 0, qtype: int = 1, additional: int = 0) -> bytes:
    """Header and question. `additional`: how many records the caller appends."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", ident, flags, 1, 0, 0, additional) + labels + b"\0" + struct.pack("!2H", qtype, 1)
