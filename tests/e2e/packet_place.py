"""From where the cases of packet_cases.py send packets: an interface in a namespace, and our addresses on its wire.

Frames go out of the interface as they are, and everything that arrives there is read, so that a second reply or a
kernel's complaint is seen. What the server beyond is, and by which port it serves, is not known here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import select
import socket
import struct
import time

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import Ether

from lab.network import Network

WAIT_S = 5.0
BEGIN_S = 15.0
SOL_PACKET, PACKET_AUXDATA, TAG_IS_VALID = 263, 8, 0x10
_serial = itertools.count(2)


@dataclasses.dataclass(frozen=True)
class Side:
    """One family's addresses: our service addresses, the client's, and a free one on the link."""

    family: int  # 4 or 6
    ours: str
    client: str
    nobody: str

    def ip(self, **fields):
        """An IP header from the client to us; `fields` replace its own."""
        return (IP if self.family == 4 else IPv6)(**{"src": self.client, "dst": self.ours, **fields})


def dns_query(name: str, kind: int = 1, ident: int = 77, size: int | None = 1232, length: int | None = None) -> bytes:
    """A query with EDNS (`size`; None: without), padded (RFC 7830) to `length` bytes."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    message = struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0 if size is None else 1) + labels + b"\0"
    message += struct.pack("!HH", kind, 1)
    if size is None:
        return message
    options = b""
    if length is not None:
        pad = length - len(message) - 11 - 4
        options = struct.pack("!HH", 12, pad) + bytes(pad)
    return message + struct.pack("!BHHIH", 0, 41, size, 0, len(options)) + options


class Wire:
    """A packet socket on an interface: sends frames, and gives those that arrive from the other end."""

    def __init__(self, network: Network, space: str, device: str):
        self._socket = network.socket(space, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self._socket.bind((device, 0))
        self._socket.setblocking(False)

    def close(self) -> None:
        self._socket.close()

    def send(self, frame) -> None:
        self._socket.send(bytes(frame))

    def read(self, seconds: float) -> bytes | None:
        """The next frame that came in, its VLAN tag where it was; None: there was none."""
        end = time.monotonic() + seconds
        while True:
            if not select.select([self._socket], [], [], max(0.0, end - time.monotonic()))[0]:
                return None
            frame, extra, _, address = self._socket.recvmsg(65536, 256)
            if address[2] == socket.PACKET_OUTGOING:
                continue
            for level, kind, data in extra:
                if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                    status, _, _, _, _, tci, protocol = struct.unpack("IIIHHHH", data)
                    if status & TAG_IS_VALID:
                        return frame[:12] + struct.pack("!HH", protocol or 0x8100, tci) + frame[12:]
            return frame

    def forget(self) -> None:
        """What came and was not read: answers to programs of the client's, whose ports are given out again."""
        while self.read(0) is not None:
            pass


class Place:
    """`kernel`: a kernel carries our addresses too (ARP, ND, ping, TCP, fragments). `partial`: whether a checksum that
    is only the pseudo-header's counts as one. `behind`: (space, device) where what we leave to the kernel is seen.
    `filters_macs`: the kernel's interface tells which MAC address is ours. `any_vlan`: no VLANs are configured, so all are ours.
    `kernels_wire`: the kernel sees all that comes. `burst`: how many frames it surely keeps until they are read."""

    known = "1.host.example"  # an answer that is in the cache from the beginning

    def __init__(self, network: Network, space: str, device: str, mac: str, sides: list[Side], kernel: bool = True,
                 partial: bool = False, behind: tuple[str, str] | None = None, filters_macs: bool = True,
                 any_vlan: bool = False, kernels_wire: bool = False, burst: int = 100):
        self.network, self.space, self.device, self.mac = network, space, device, mac
        self.sides, self.kernel, self.partial, self.behind = sides, kernel, partial, behind
        self.filters_macs, self.any_vlan, self.kernels_wire = filters_macs, any_vlan, kernels_wire
        self.burst = burst
        self.own_mac = network.run(space, "cat", f"/sys/class/net/{device}/address").stdout.strip()
        self.wire = Wire(network, space, device)
        for side in sides:
            self._begin(side)

    def close(self) -> None:
        self.wire.close()

    # Frames ---------------------------------------------------------------------------------------------------

    def ether(self, **fields):
        return Ether(**{"dst": self.mac, "src": self.own_mac, **fields})

    def udp(self, side: Side, message: bytes, port: int, **fields):
        """A frame with a query as it should be; `fields` replace some of UDP's."""
        return self.ether() / side.ip() / UDP(**{"sport": port, "dport": 53, **fields}) / message

    @contextlib.contextmanager
    def port(self):
        """A UDP port of the client that its kernel does not complain about; what comes there is read from the wire."""
        with self.network.socket(self.space, socket.AF_INET6, socket.SOCK_DGRAM) as holder:
            holder.bind(("::", 0))
            yield holder.getsockname()[1]

    @staticmethod
    def fresh(suffix: str = "host.example") -> str:
        """A name that was not asked for yet."""
        return f"{next(_serial)}.{suffix}"

    def _about(self, packet, side: Side, port: int) -> bool:
        """Is it for that port of the client, or a complaint about what came from there?"""
        if UDP in packet and packet.haslayer("UDP error") == 0 and packet[UDP].dport == port:
            return True
        if ICMP in packet and packet[ICMP].type in (3, 11, 12):
            return struct.pack("!H", port) in bytes(packet[ICMP].payload)
        return side.family == 6 and any(packet.haslayer(n) for n in ("ICMPv6 Destination Unreachable",
                                                                   "ICMPv6 Parameter Problem"))

    def _until(self, found, seconds: float, seen: list, what: str):
        """Reads frames into `seen` up to the one for which found(packet) holds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            frame = self.wire.read(left)
            if frame is None:
                break
            seen.append(packet := Ether(frame))
            if found(packet):
                return packet
        raise AssertionError(f"{what}: nothing came within {seconds} s; what did: {[p.summary() for p in seen]}")

    def _begin(self, side: Side) -> None:
        """The first query may come before all of the path is there: it is asked again each second, as clients do."""
        seen: list = []
        with self.port() as port:
            for _ in range(int(BEGIN_S)):
                self.wire.send(self.udp(side, dns_query(self.known), port))
                with contextlib.suppress(AssertionError):
                    self._until(lambda p: UDP in p and p[UDP].dport == port, 1.0, seen, "the first answer")
                    break
        self._after_all(side, seen)

    def _after_all(self, side: Side, seen: list) -> None:
        """What was sent before has had its effect: later packets, one each way, have been answered."""
        number = next(_serial)
        with self.port() as port:
            self.wire.send(self.udp(side, dns_query(self.known, ident=number & 0xFFFF), port))
            self._until(lambda p: UDP in p and p[UDP].dport == port, WAIT_S, seen, "the query after it")
        if not self.kernel:
            return
        ident = number & 0xFFFF
        if side.family == 4:
            self.wire.send(self.ether() / side.ip() / ICMP(id=ident))
            done = lambda p: ICMP in p and p[ICMP].type == 0 and p[ICMP].id == ident
        else:
            self.wire.send(self.ether() / side.ip() / ICMPv6EchoRequest(id=ident))
            done = lambda p: ICMPv6EchoReply in p and p[ICMPv6EchoReply].id == ident
        self._until(done, WAIT_S, seen, "the ping after it")

    def exchange(self, side: Side, frames, port: int, wanted: int) -> list:
        """Sends the frames and gives what came back about UDP `port`: `wanted` at least, and all until later packets
        are answered."""
        seen: list = []
        mine = lambda: [p for p in seen if self._about(p, side, port)]
        self.wire.forget()
        for frame in frames:
            self.wire.send(frame)
        for count in range(wanted):
            if len(mine()) <= count:
                self._until(lambda p: self._about(p, side, port), WAIT_S, seen, "the answer")
        self._after_all(side, seen)
        return mine()

    def ask(self, side: Side, make, wanted: int = 1) -> list:
        """exchange() of what make(port) builds: a frame or a list of them. Exactly `wanted` came back."""
        with self.port() as port:
            made = make(port)
            replies = self.exchange(side, made if isinstance(made, list) else [made], port, wanted)
        assert len(replies) == wanted, f"{len(replies)} replies instead of {wanted}: {[r.summary() for r in replies]}"
        return replies

    @contextlib.contextmanager
    def quiet_kernel(self, side: Side):
        """The client's kernel does not ask for our MAC address, so that replies are those to the test's requests.
        What it asked before is answered and read."""
        neighbour = (side.ours, "lladdr", self.mac, "dev", self.device)
        self.run("ip", "neigh", "replace", *neighbour, "nud", "permanent")
        self._after_all(side, [])
        self.wire.forget()
        try:
            yield
        finally:
            self.run("ip", "neigh", "replace", *neighbour, "nud", "stale")

    # Through the client's kernel --------------------------------------------------------------------------------

    def socket(self, side: Side, kind: int) -> socket.socket:
        made = self.network.socket(self.space, socket.AF_INET if side.family == 4 else socket.AF_INET6, kind)
        made.settimeout(WAIT_S)
        return made

    def run(self, *argv: str) -> str:
        return self.network.run(self.space, *argv, check=False, timeout=60).stdout
