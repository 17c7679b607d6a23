"""How queries and answers are on a connection: over TCP and TLS (RFC 1035 4.2.2), and over HTTP/2 (RFC 8484, RFC 9113)."""

from __future__ import annotations

import base64
import collections
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def http_frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


def http_head(path: bytes) -> bytes:
    """Method GET, scheme http, this path, an authority (RFC 7541, without Huffman codes)."""
    return b"\x82\x86\x04" + bytes([len(path)]) + path + b"\x01\x01x"


class LengthFraming:
    """RFC 1035 4.2.2."""
    greeting = b""

    def __init__(self) -> None:
        self.data = b""

    def wrap(self, message: bytes) -> bytes:
        return struct.pack("!H", len(message)) + message

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        """The messages that are complete, and what must be sent in reply to other things."""
        self.data += data
        found = []
        while len(self.data) >= 2 and len(self.data) >= 2 + (size := struct.unpack_from("!H", self.data)[0]):
            found.append(self.data[2:2 + size])
            self.data = self.data[2 + size:]
        return found, b""


class HttpFraming:
    """DNS over HTTP/2 (RFC 8484, RFC 9113) with prior knowledge. An answer is what the DATA frames of a stream hold."""
    DATA, SETTINGS, PING, END_STREAM, ACK = 0, 4, 6, 1, 1
    greeting = PREFACE + http_frame(4, 0, 0)

    def __init__(self) -> None:
        self.data = b""
        self.stream = -1
        self.bodies: dict[int, bytes] = collections.defaultdict(bytes)
        self.idents: dict[int, bytes] = {}  # of the queries: an answer over HTTP may have 0 (RFC 8484 4.1)

    def wrap(self, message: bytes) -> bytes:
        self.stream += 2
        self.idents[self.stream] = message[:2]
        text = base64.urlsafe_b64encode(message).rstrip(b"=")
        return http_frame(1, 5, self.stream, http_head(b"/dns-query?dns=" + text))

    def feed(self, data: bytes) -> tuple[list[bytes], bytes]:
        self.data += data
        found, replies = [], b""
        while len(self.data) >= 9 and len(self.data) >= 9 + (size := int.from_bytes(self.data[:3], "big")):
            kind, flags, stream = self.data[3], self.data[4], int.from_bytes(self.data[5:9], "big")
            payload, self.data = self.data[9:9 + size], self.data[9 + size:]
            if kind == self.SETTINGS and not flags & self.ACK:
                replies += http_frame(self.SETTINGS, self.ACK, 0)
            elif kind == self.PING and not flags & self.ACK:
                replies += http_frame(self.PING, self.ACK, 0, payload)
            elif kind == self.DATA:
                self.bodies[stream] += payload
                if flags & self.END_STREAM and len(self.bodies[stream]) >= 12:
                    found.append(self.idents[stream] + self.bodies.pop(stream)[2:])
        return found, replies
