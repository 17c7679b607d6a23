"""A DNS query's bytes (RFC 1035 4.1), and what its answer must be, for the benches that send their own."""

import struct


class WrongAnswer(ValueError):
    """What is wrong with an answer, for a person."""


def question(name: str, ident: int = 0, flags: int = 0, qtype: int = 1, additional: int = 0) -> bytes:
    """Header and question. `additional`: how many records the caller appends."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", ident, flags, 1, 0, 0, additional) + labels + b"\0" + struct.pack("!2H", qtype, 1)


def only_address(reply: bytes, asked: bytes) -> tuple[bytes, int]:
    """Address and TTL of the one A record in the answer to `asked`, a question without the header. Raises WrongAnswer."""
    end = 12 + len(asked)
    flags, _, answers = struct.unpack_from("!3H", reply, 2)
    if flags & 0x820F != 0x8000 or reply[12:end] != asked:
        raise WrongAnswer(f"flags {flags:#06x}, or another question")
    if answers != 1 or len(reply) < end + 16 or reply[end] < 0xC0:
        raise WrongAnswer(f"{answers} records, not one under the question's name")
    _, kind, klass, ttl, length = struct.unpack_from("!3HIH", reply, end)
    if (kind, klass, length) != (1, 1, 4):
        raise WrongAnswer("no record of an IPv4 address")
    return reply[end + 12:end + 16], ttl
