"""DNS responses, read from their bytes (RFC 1035): the question's name and the addresses of the answer section."""

import ipaddress
import struct

TYPE_A = 1
TYPE_AAAA = 28
CLASS_IN = 1


class Malformed(ValueError):
    """The bytes are not a DNS response that can be read."""


class Response:
    """name: lower case without the last dot; addresses: [(ipaddress object, ttl in seconds)]."""

    def __init__(self, name, rcode, truncated, addresses):
        self.name = name
        self.rcode = rcode
        self.truncated = truncated
        self.addresses = addresses


def read_name(message, offset):
    """(name, offset behind it); follows compression pointers backwards only."""
    labels = []
    end = None
    limit = offset
    while True:
        if offset >= len(message):
            raise Malformed("name runs out of the message")
        length = message[offset]
        if length & 0xC0 == 0xC0:
            if offset + 1 >= len(message):
                raise Malformed("pointer runs out of the message")
            target = (length & 0x3F) << 8 | message[offset + 1]
            if end is None:
                end = offset + 2
            if target >= limit:
                raise Malformed("pointer does not go back")
            limit = offset = target
        elif length & 0xC0:
            raise Malformed("unknown label type")
        elif length == 0:
            return ".".join(labels), end if end is not None else offset + 1
        else:
            label = message[offset + 1 : offset + 1 + length]
            if len(label) != length:
                raise Malformed("label runs out of the message")
            labels.append(label.decode("ascii", "backslashreplace").lower())
            offset += 1 + length


def read_record(message, offset):
    """(type, class, ttl, data, offset behind it)"""
    _, offset = read_name(message, offset)
    if offset + 10 > len(message):
        raise Malformed("record runs out of the message")
    kind, class_, ttl, length = struct.unpack_from("!HHIH", message, offset)
    data = message[offset + 10 : offset + 10 + length]
    if len(data) != length:
        raise Malformed("record data run out of the message")
    return kind, class_, ttl, data, offset + 10 + length


def read_response(message):
    """The Response, or None if the message is a query or asks nothing."""
    if len(message) < 12:
        raise Malformed("shorter than a header")
    _, flags, questions, answers, _, _ = struct.unpack_from("!6H", message)
    if not flags & 0x8000 or questions != 1:
        return None
    name, offset = read_name(message, 12)
    offset += 4
    addresses = []
    for _ in range(answers):
        kind, class_, ttl, data, offset = read_record(message, offset)
        if class_ == CLASS_IN and (kind, len(data)) in ((TYPE_A, 4), (TYPE_AAAA, 16)):
            addresses.append((ipaddress.ip_address(data), ttl))
    return Response(name, flags & 15, bool(flags & 0x0200), addresses)
