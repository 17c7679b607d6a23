"""Hosts on a wire, each with its VLAN tags: they answer ARP, ND and DNS, ask, ping and open connections. By scapy."""

from __future__ import annotations

import ipaddress
import threading
import time

from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptSrcLLAddr, IPv6)
from scapy.layers.l2 import ARP, Dot1Q, Ether

from machine import Wire

MAC = "02:00:00:00:89:02"


def tags_of(frame: Ether) -> tuple[int, ...]:
    tags = []
    while isinstance(frame.payload, Dot1Q):
        frame = frame.payload
        tags.append(frame.vlan)
    return tuple(tags)


def inside(frame: Ether):
    while isinstance(frame.payload, Dot1Q):
        frame = frame.payload
    return frame.payload


class Station:
    """One host on the wire. Use `with`, one at a time a wire."""

    def __init__(self, wire: Wire, hosts: dict[tuple[int, ...], list[str]], records: dict[str, str]):
        """`hosts`: our addresses by tags (outer first). `records`: what we answer as a resolver, name → A."""
        self.wire, self.hosts, self.records, self.mac_of_ours = wire, hosts, records, MAC
        self.asked: list[tuple[tuple[int, ...], str]] = []  # as a resolver: tags and name
        self._seen: list[Ether] = []
        self._more = threading.Condition()
        self._end = False
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Station:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._end = True
        self._thread.join()

    # What one asks of the other end ---------------------------------------------------------------------------

    def mac(self, tags: tuple[int, ...], address: str, seconds: float = 3) -> str | None:
        """By ARP or ND."""
        ours = self._ours(tags, address)
        if ":" in address:
            low = ipaddress.IPv6Address(address).packed[-3:]
            group = str(ipaddress.IPv6Address(bytes.fromhex("ff0200000000000000000001ff") + low))  # solicited-node
            ask = IPv6(src=ours, dst=group, hlim=255) / ICMPv6ND_NS(tgt=address) / ICMPv6NDOptSrcLLAddr(lladdr=MAC)
            got = self.exchange(tags, ask, lambda p: ICMPv6NDOptDstLLAddr in p and p[ICMPv6ND_NA].tgt == address,
                                seconds, "33:33:ff:" + low.hex(":"))
            return got and got[ICMPv6NDOptDstLLAddr].lladdr
        got = self.exchange(tags, ARP(op=1, hwsrc=MAC, psrc=ours, pdst=address),
                            lambda p: ARP in p and p[ARP].op == 2 and p[ARP].psrc == address, seconds,
                            "ff:ff:ff:ff:ff:ff")
        return got and got[ARP].hwsrc

    def ask(self, tags: tuple[int, ...], address: str, name: str, ident: int = 77, seconds: float = 3) -> str | None:
        """The first A record."""
        query = self._ip(tags, address) / UDP(sport=20000 + ident, dport=53) / DNS(id=ident, rd=1, qd=DNSQR(qname=name))
        got = self.exchange(tags, query, lambda p: DNS in p and p[DNS].id == ident and p[DNS].qr == 1, seconds)
        if got is None or got[DNS].ancount == 0:
            return None
        check = got.copy()
        del check[UDP].chksum
        assert type(check)(bytes(check))[UDP].chksum == got[UDP].chksum, "the UDP checksum is wrong"
        return got[DNS].an[0].rdata

    def ping(self, tags: tuple[int, ...], address: str, seconds: float = 3) -> bool:
        echo = ICMPv6EchoRequest(id=5, data=b"x" * 40) if ":" in address else ICMP(id=5) / (b"x" * 40)
        reply = ICMPv6EchoReply if ":" in address else ICMP
        return self.exchange(tags, self._ip(tags, address) / echo,
                             lambda p: reply in p and (":" in address or p[ICMP].type == 0), seconds) is not None

    def connects(self, tags: tuple[int, ...], address: str, port: int = 53, seconds: float = 3) -> bool:
        """Whether a SYN is answered by SYN and ACK; then resets."""
        sport = 30000 + int(time.monotonic() * 1000) % 20000
        syn = self._ip(tags, address) / TCP(sport=sport, dport=port, flags="S", seq=7)
        got = self.exchange(tags, syn, lambda p: TCP in p and p[TCP].dport == sport and p[TCP].flags == "SA", seconds)
        if got is not None:
            self._send(tags, self._ip(tags, address) / TCP(sport=sport, dport=port, flags="R", seq=8), self.wire.mac)
        return got is not None

    def exchange(self, tags: tuple[int, ...], packet, wanted, seconds: float, to: str | None = None,
                 source: str = MAC, back: tuple[int, ...] | None = None):
        """Sends it and waits for a frame with the same tags (or those of `back`) that is `wanted`; its packet, or None."""
        with self._more:
            self._seen.clear()
        self._send(tags, packet, to or self.wire.mac, source)
        end = time.monotonic() + seconds
        with self._more:
            while True:
                for frame in self._seen:
                    if tags_of(frame) == (tags if back is None else back) and wanted(frame):
                        return inside(frame)
                if not self._more.wait(max(0.0, end - time.monotonic())):
                    return None

    # What it does by itself -----------------------------------------------------------------------------------

    def _ours(self, tags: tuple[int, ...], like: str) -> str:
        return next(a for a in self.hosts[tags] if (":" in a) == (":" in like))

    def _ip(self, tags: tuple[int, ...], to: str):
        return (IPv6 if ":" in to else IP)(src=self._ours(tags, to), dst=to)

    def _send(self, tags: tuple[int, ...], packet, to: str, source: str = MAC) -> None:
        frame = Ether(src=source, dst=to)
        for tag in tags:
            frame /= Dot1Q(vlan=tag)
        self.wire.send(bytes(frame / packet))

    def _listen(self) -> None:
        while not self._end:
            frame = self.wire.receive(Ether, 0.2)
            if frame is None:
                continue
            with self._more:
                self._seen.append(frame)
                self._more.notify_all()
            reply = self._reply(frame)
            if reply is not None:
                self._send(tags_of(frame), reply, frame.src)

    def _reply(self, frame: Ether):
        tags, packet = tags_of(frame), inside(frame)
        ours = self.hosts.get(tags, [])
        if ARP in packet and packet[ARP].op == 1 and packet[ARP].pdst in ours:
            return ARP(op=2, hwsrc=MAC, psrc=packet[ARP].pdst, hwdst=packet[ARP].hwsrc, pdst=packet[ARP].psrc)
        if ICMPv6ND_NS in packet and packet[ICMPv6ND_NS].tgt in ours:
            target = packet[ICMPv6ND_NS].tgt
            return (IPv6(src=target, dst=packet[IPv6].src, hlim=255) / ICMPv6ND_NA(tgt=target, R=0, S=1, O=1) /
                    ICMPv6NDOptDstLLAddr(lladdr=MAC))
        if UDP in packet and packet[UDP].dport == 53 and DNS in packet and packet.dst in ours:
            question = packet[DNS].qd
            name = question.qname.decode().rstrip(".").lower()
            self.asked.append((tags, name))
            answer = DNSRR(rrname=question.qname, ttl=60, rdata=self.records[name]) if name in self.records else None
            return (type(packet)(src=packet.dst, dst=packet.src) / UDP(sport=53, dport=packet[UDP].sport) /
                    DNS(id=packet[DNS].id, qr=1, ra=1, rd=1, qd=question, an=answer, rcode=0 if answer else 3))
        return None
