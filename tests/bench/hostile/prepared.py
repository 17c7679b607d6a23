"""Names and addresses whose hashes collide, for hashes that have no secret.

A program with such a hash in a table searches or replaces one slot for all of these names. A keyed hash spreads them.
"""

from __future__ import annotations

import functools
import itertools
import operator
import random
from collections.abc import Callable, Iterator

LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789"
WORD = (1 << 64) - 1
# Constants of wyhash and of hashes in that family. A block that equals the first one makes a product of zero.
WYHASH = bytes.fromhex("2f64bd78641d76a0")
FIBONACCI = 0x9E3779B97F4A7C15


def _crc_table(polynomial: int) -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (polynomial if byte & 1 else 0)
        table.append(byte)
    return table


_CRC32C = _crc_table(0x82F63B78)


def crc32c(state: int, data: bytes) -> int:
    """As rte_hash_crc() with SSE 4.2: without a final inversion."""
    for byte in data:
        state = state >> 8 ^ _CRC32C[(state ^ byte) & 0xFF]
    return state


def fnv1a(state: int, data: bytes) -> int:
    for byte in data:
        state = (state ^ byte) * 0x01000193 & 0xFFFFFFFF
    return state


def djb2(state: int, data: bytes) -> int:
    for byte in data:
        state = state * 33 + byte & 0xFFFFFFFF
    return state


# By name: the hash, and its state before the first byte.
HASHES = {"crc32c": (crc32c, 0xFFFFFFFF), "fnv1a": (fnv1a, 0x811C9DC5), "djb2": (djb2, 5381)}


def _colliding_pair(step: Callable[[int, bytes], int], state: int, size: int) -> tuple[bytes, bytes]:
    """Two different blocks that lead from `state` to the same state: a birthday search, which takes some 2^16 blocks."""
    found: dict[int, bytes] = {}
    choose = random.Random(state).choices
    while True:
        block = bytes(choose(LETTERS, k=size))
        other = found.setdefault(step(state, block), block)
        if other != block:
            return other, block


def labels(flavour: str, bits: int) -> list[bytes]:
    """2 to the power of `bits` labels. They collide as the beginning of a name on the wire, with the length byte before them."""
    step, state = HASHES[flavour]
    return _linear(step, state, bits) if flavour == "crc32c" else _iterated(step, state, bits)


def _linear(step: Callable[[int, bytes], int], state: int, bits: int, size: int = 20) -> list[bytes]:
    """Of a hash that is linear over GF(2): the labels of h to o, whose lowest three bits are free, that differ by its kernel."""
    state = step(state, bytes([size]))

    def label(flipped: int) -> bytes:
        return bytes(0x68 | flipped >> 3 * i & 7 for i in range(size))

    zero = step(state, label(0))
    pivots: dict[int, tuple[int, int]] = {}  # by the highest bit: a difference of the hash, and of the label
    kernel = []
    for i in range(3 * size):
        difference, flipped = step(state, label(1 << i)) ^ zero, 1 << i
        while difference and (top := difference.bit_length()) in pivots:
            difference, flipped = difference ^ pivots[top][0], flipped ^ pivots[top][1]
        if difference:
            pivots[difference.bit_length()] = (difference, flipped)
        else:
            kernel.append(flipped)
    return [label(functools.reduce(operator.xor, (kernel[k] for k in range(bits) if choice >> k & 1), 0)) for choice in range(1 << bits)]


def _iterated(step: Callable[[int, bytes], int], state: int, blocks: int, size: int = 5) -> list[bytes]:
    """Of any hash with a state of 32 bits (Joux, "Multicollisions in iterated hash functions")."""
    state = step(state, bytes([blocks * size]))
    pairs = []
    for _ in range(blocks):
        pairs.append(_colliding_pair(step, state, size))
        state = step(state, pairs[-1][0])
    return [b"".join(choice) for choice in itertools.product(*pairs)]


def packet_labels(count: int) -> list[bytes]:
    """Labels of 13 bytes. In a query whose name begins with one, its 18th to 25th byte are WYHASH.

    A hash over 16 bytes from the third byte on, mixed by a product with that constant, forgets its seed there."""
    return [f"{number:05d}".encode() + WYHASH for number in range(count)]


def addresses(count: int) -> Iterator[bytes]:
    """IPv6 addresses of 2a00::/16 for which (h ^ h>>32 ^ low)·B with h = (high ^ 128<<56)·A is 0: a mix without a secret."""
    for number in range(count):
        first = bytes.fromhex("2a00") + number.to_bytes(6, "big")
        product = (int.from_bytes(first, "little") ^ 128 << 56) * FIBONACCI & WORD
        yield first + (product ^ product >> 32).to_bytes(8, "little")
