"""Datagrams that begin QUIC connections, made without a QUIC library (RFC 9000 17, RFC 9001 5)."""

from __future__ import annotations

import hashlib
import hmac
import socket
import struct
import threading
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lab.network import Network
from quic_frames import crypto_frame, varint
from quic_peer import Peer

SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
RETRY_KEY, RETRY_NONCE = bytes.fromhex("be0c690b9f66575a1d766b54e368c84e"), bytes.fromhex("461599d35d632bf2239825bb")
INITIAL, RETRY = 0, 3  # types of long headers
LEAST = 1200  # bytes of a datagram with an Initial
TAG = 16  # bytes


def expand(secret: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand-Label; one block is enough."""
    label = b"tls13 " + label
    info = struct.pack("!HB", length, len(label)) + label + b"\0"
    return hmac.digest(secret, info + b"\x01", hashlib.sha256)[:length]


class Keys:
    """Of Initial packets of one side. `first`: the connection id to which the client sent its first packet."""

    def __init__(self, first: bytes, label: bytes):
        secret = expand(hmac.digest(SALT, first, hashlib.sha256), label, 32)
        self.aead = AESGCM(expand(secret, b"quic key", 16))
        self.iv = int.from_bytes(expand(secret, b"quic iv", 12))
        self.header = Cipher(algorithms.AES(expand(secret, b"quic hp", 16)), modes.ECB())

    def nonce(self, number: int) -> bytes:
        return (self.iv ^ number).to_bytes(12)

    def mask(self, sample: bytes) -> bytes:
        return self.header.encryptor().update(sample)


def client_keys(first: bytes) -> Keys:
    return Keys(first, b"client in")


def server_keys(first: bytes) -> Keys:
    return Keys(first, b"server in")


class LongHeader(NamedTuple):
    kind: int
    version: int
    destination: bytes
    source: bytes
    rest: int  # where the bytes after the ids begin


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number, and where the bytes after it begin."""
    size = 1 << (data[at] >> 6)
    return int.from_bytes(data[at:at + size]) & ((1 << (size * 8 - 2)) - 1), at + size


def read_header(packet: bytes) -> LongHeader:
    at = 6 + packet[5]
    return LongHeader(packet[0] >> 4 & 3, int.from_bytes(packet[1:5]), packet[6:at], packet[at + 1:at + 1 + packet[at]], at + 1 + packet[at])


def seal(destination: bytes, source: bytes, frames: bytes, *, token: bytes = b"", number: int = 0, keys: Keys | None = None,
         version: int = 1, least: int = LEAST) -> bytes:
    """An Initial packet that is one datagram of at least `least` bytes. The keys are those of `destination` if none are given."""
    keys = keys or client_keys(destination)
    head = struct.pack("!IB", version, len(destination)) + destination + bytes([len(source)]) + source + varint(len(token)) + token
    frames += bytes(max(0, least - 1 - len(head) - 2 - 4 - len(frames) - TAG))
    length = 4 + len(frames) + TAG
    header = b"\xc3" + head + struct.pack("!H", length | 0x4000) + struct.pack("!I", number)
    sealed = keys.aead.encrypt(keys.nonce(number), frames, header)
    mask = keys.mask(sealed[:16])
    at = len(header) - 4
    hidden = bytes(byte ^ bit for byte, bit in zip(header[at:], mask[1:]))
    return bytes([header[0] ^ mask[0] & 0x0f]) + header[1:at] + hidden + sealed


def unseal(packet: bytes, keys: Keys) -> bytes:
    """The frames of the Initial packet with which a datagram begins."""
    _, at = token_of(packet)
    length, at = read_varint(packet, at)
    mask = keys.mask(packet[at + 4:at + 20])
    first = packet[0] ^ mask[0] & 0x0f
    size = 1 + (first & 3)
    number = bytes(byte ^ bit for byte, bit in zip(packet[at:at + size], mask[1:]))
    header = bytes([first]) + packet[1:at] + number
    return keys.aead.decrypt(keys.nonce(int.from_bytes(number)), packet[at + size:at + length], header)


def token_of(packet: bytes) -> tuple[bytes, int]:
    """The token of an Initial, and where the bytes after it begin."""
    length, at = read_varint(packet, read_header(packet).rest)
    return packet[at:at + length], at + length


def close_code(frames: bytes) -> int | None:
    """The error of a CONNECTION_CLOSE frame, after padding and acknowledgements; None: there is none."""
    at = 0
    while at < len(frames):
        kind, at = read_varint(frames, at)
        if kind == 0x1c:
            return read_varint(frames, at)[0]
        if kind == 0x02:
            _, at = read_varint(frames, at)
            _, at = read_varint(frames, at)
            ranges, at = read_varint(frames, at)
            for _ in range(1 + 2 * ranges):
                _, at = read_varint(frames, at)
        elif kind > 1:
            return None
    return None


def retry_token(packet: bytes, first: bytes) -> bytes:
    """The token of a Retry packet, after its integrity tag was checked (RFC 9001 5.8)."""
    header = read_header(packet)
    assert header.kind == RETRY, packet.hex()
    pseudo = bytes([len(first)]) + first + packet[:-TAG]
    assert AESGCM(RETRY_KEY).encrypt(RETRY_NONCE, b"", pseudo) == packet[-TAG:], "the Retry packet is forged"
    return packet[header.rest:-TAG]


class Hello(NamedTuple):
    """A client's TLS message, and the id that it names as its own."""

    tls: bytes
    source: bytes

    def initial(self, destination: bytes, **how) -> bytes:
        return seal(destination, self.source, crypto_frame(0, self.tls), **how)


def capture_hello(network: Network, start) -> Hello:
    """What a real client begins with. `start(server)` makes one, a Peer, that sends to the address `server`."""
    with network.socket("client", socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(60)
        peer: Peer = start(f"127.0.0.1:{sock.getsockname()[1]}")
        connecting = threading.Thread(target=peer.try_to_connect, kwargs={"ms": 1000})
        connecting.start()
        packet = sock.recv(2048)
        connecting.join()
    header = read_header(packet)
    frames = unseal(packet, client_keys(header.destination))
    at = 0
    while frames[at] in (0, 1):  # padding
        at += 1
    assert frames[at] == 0x06 and frames[at + 1] == 0, frames[:8].hex()
    length, at = read_varint(frames, at + 2)
    return Hello(frames[at:at + length], header.source)
