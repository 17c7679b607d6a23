"""Answers that clients got, from pcap files and from logs."""

import ipaddress
import json
import struct

import dns_message

DNS_PORT = 53
UDP, TCP = 17, 6


class Answer:
    """t_ns: when the client had it; addresses: [(ipaddress object, ttl)]; server, client: text or None."""

    def __init__(self, t_ns, name, addresses, server=None, client=None):
        self.t_ns = t_ns
        self.name = name
        self.addresses = addresses
        self.server = server
        self.client = client


def from_wire(t_ns, message, server=None, client=None):
    """The Answer in a DNS message; None if it is a query, an error or truncated, or has no address."""
    try:
        response = dns_message.read_response(message)
    except dns_message.Malformed:
        return None
    if response is None or response.rcode != 0 or response.truncated or not response.addresses:
        return None
    return Answer(t_ns, response.name, response.addresses, server, client)


def from_log_line(line):
    entry = json.loads(line)
    server, client = entry.get("server"), entry.get("client")
    if "wire" in entry:
        return from_wire(entry["t_ns"], bytes.fromhex(entry["wire"]), server, client)
    addresses = [(ipaddress.ip_address(a["address"]), a["ttl"]) for a in entry["answers"]]
    if not addresses or entry.get("rcode", 0) != 0:
        return None
    name = entry["name"].lower().rstrip(".")
    return Answer(entry["t_ns"], name, addresses, server, client)


class Streams:
    """Puts the server's side of TCP connections together and cuts DNS messages out of it (RFC 1035 4.2.2)."""

    def __init__(self):
        self._flows = {}  # flow -> [next sequence number, bytes so far, {sequence: bytes}]

    def messages(self, flow, sequence, flags, data):
        if flags & 0x02:  # SYN
            self._flows[flow] = [(sequence + 1) & 0xFFFFFFFF, b"", {}]
            return []
        state = self._flows.setdefault(flow, [sequence, b"", {}])
        if data:
            state[2][sequence] = data
        while state[0] in state[2]:
            piece = state[2].pop(state[0])
            state[1] += piece
            state[0] = (state[0] + len(piece)) & 0xFFFFFFFF
        found = []
        while len(state[1]) >= 2:
            length = struct.unpack_from("!H", state[1])[0]
            if len(state[1]) < 2 + length:
                break
            found.append(state[1][2 : 2 + length])
            state[1] = state[1][2 + length :]
        if flags & 0x05:  # FIN, RST
            self._flows.pop(flow, None)
        return found


class PacketReader:
    """From IP packets to (server, client, DNS message) of what leaves port 53."""

    def __init__(self):
        self._streams = Streams()

    def read(self, packet):
        parsed = self._transport(packet)
        if parsed is None:
            return []
        protocol, source, destination, segment = parsed
        server, client = str(ipaddress.ip_address(source)), str(ipaddress.ip_address(destination))
        if protocol == UDP and len(segment) >= 8:
            if struct.unpack_from("!H", segment)[0] == DNS_PORT:
                return [(server, client, segment[8 : struct.unpack_from("!H", segment, 4)[0]])]
        elif protocol == TCP and len(segment) >= 20:
            source_port, port, sequence = struct.unpack_from("!HHI", segment)
            if source_port == DNS_PORT:
                header = (segment[12] >> 4) * 4
                flow = (server, client, port)
                messages = self._streams.messages(flow, sequence, segment[13], segment[header:])
                return [(server, client, message) for message in messages]
        return []

    @staticmethod
    def _transport(packet):
        """(protocol, source, destination, bytes) of an unfragmented IP packet."""
        if len(packet) >= 20 and packet[0] >> 4 == 4:
            if struct.unpack_from("!H", packet, 6)[0] & 0x3FFF:
                return None
            header, total = (packet[0] & 15) * 4, struct.unpack_from("!H", packet, 2)[0]
            return packet[9], packet[12:16], packet[16:20], packet[header:total]
        if len(packet) >= 40 and packet[0] >> 4 == 6:
            total = 40 + struct.unpack_from("!H", packet, 4)[0]
            return packet[6], packet[8:24], packet[24:40], packet[40:total]
        return None


def ip_of_ethernet(frame):
    offset = 12
    while len(frame) >= offset + 2:
        kind = struct.unpack_from("!H", frame, offset)[0]
        if kind in (0x8100, 0x88A8):
            offset += 4
        else:
            return frame[offset + 2 :] if kind in (0x0800, 0x86DD) else b""
    return b""


LINK_TYPES = {
    1: ip_of_ethernet,
    101: lambda frame: frame,
    113: lambda frame: frame[16:],  # Linux cooked
    276: lambda frame: frame[20:],  # Linux cooked 2
}

PCAP_MAGIC = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}  # -> nanoseconds per unit of the fraction


def pcap_packets(data, path):
    """Yields (t_ns, IP packet) of a classic pcap file."""
    for order in "<>":
        unit_ns = PCAP_MAGIC.get(struct.unpack_from(order + "I", data)[0])
        if unit_ns:
            break
    else:
        raise ValueError(f"{path}: not a pcap file (for pcapng: editcap -F pcap)")
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    if link not in LINK_TYPES:
        raise ValueError(f"{path}: link type {link} is not known here")
    offset = 24
    while offset + 16 <= len(data):
        seconds, fraction, size, _ = struct.unpack_from(order + "4I", data, offset)
        frame = data[offset + 16 : offset + 16 + size]
        if len(frame) == size:  # else the capture was cut off while it wrote
            yield seconds * 1_000_000_000 + fraction * unit_ns, LINK_TYPES[link](frame)
        offset += 16 + size


def read_pcap(data, path):
    reader = PacketReader()
    for t_ns, packet in pcap_packets(data, path):
        for server, client, message in reader.read(packet):
            answer = from_wire(t_ns, message, server, client)
            if answer:
                yield answer


def read_log(text, path):
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            answer = from_log_line(line)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}:{number}: not an answer: {error}") from error
        if answer:
            yield answer


def read_answers(path):
    """All answers of a pcap file or a log, in order."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:1] in (b"{", b"") or data.lstrip()[:1] in (b"{", b""):
        return list(read_log(data.decode(), path))
    return list(read_pcap(data, path))
