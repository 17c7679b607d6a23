"""A DNS query's bytes (RFC 1035 4.1), and what its answer must be, for the benches that send their own."""

import struct


class WrongAnswer(ValueError):
    """What is wrong with an answer, for a person."""


def question(name: str, ident: int = 0, flags: int = 0, qtype: int = 1, additional: int = 0) -> bytes:
    """Header and question. `additional`: how many records the caller appends."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", ident, flags, 1, 0, 0, additional) + labels + b"\0" + struct.pack("!2H", qtype, 1)


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) & (2**64 - 1)


def siphash24(key: bytes, data: bytes) -> bytes:
    """SipHash-2-4 with 64 bits of output (Aumasson, Bernstein)."""
    k0, k1 = struct.unpack("<2Q", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def rounds(count: int) -> None:
        a, b, c, d = v
        for _ in range(count):
            a, c = (a + b) & (2**64 - 1), (c + d) & (2**64 - 1)
            b, d = _rotated(b, 13) ^ a, _rotated(d, 16) ^ c
            a, c = (_rotated(a, 32) + d) & (2**64 - 1), (c + b) & (2**64 - 1)
            d, b = _rotated(d, 21) ^ a, _rotated(b, 17) ^ c
            c = _rotated(c, 32)
        v[:] = a, b, c, d

    padded = data + bytes(-(len(data) + 1) % 8) + bytes([len(data) & 0xFF])
    for word in struct.unpack(f"<{len(padded) // 8}Q", padded):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])


def server_cookie(secret: bytes, client_cookie: bytes, made_s: int, address: bytes) -> bytes:
    """A server cookie (RFC 9018 4)."""
    head = struct.pack("!II", 1 << 24, made_s & 0xFFFFFFFF)
    return head + siphash24(secret, client_cookie + head + address)


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
