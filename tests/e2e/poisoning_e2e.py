"""What an attacker off the path can learn or spoil while a query is pending, on a port of the kind that the command line names.

usage: poisoning_e2e.py BUILD KIND [unittest's words]     (KIND: af_packet, af_xdp, socket)

    client 10.77.0.2, .66 the attacker, .53 the upstream ── 10.77.0.1 steerdnsd
"""

from __future__ import annotations

import json
import random
import select
import socket
import struct
import time
import unittest

from scapy.layers.inet import ICMP, IP, UDP, fragment
from scapy.layers.l2 import Ether

from lab.network import Network, run, until
from packet_place import Wire, dns_query
from packets_e2e import BUILD, KIND, UPSTREAM, Lab

OURS, CLIENT, ATTACKER = "10.77.0.1", "10.77.0.2", "10.77.0.66"
RIGHT, WRONG = "198.51.100.1", "198.51.100.66"
RANGE = range(10240, 26624)  # `upstream_ports`
EPHEMERAL = range(32768, 61000)  # of sockets that the kernel gives a port
BY_SOCKETS = KIND != "af_xdp"  # upstreams are asked by kernel sockets: with af_packet, the kernel would refuse their replies
UNREACHABLE, REDIRECT, PORT, TOO_BIG, HOST = 3, 5, 3, 4, 1


def question_of(message: bytes) -> bytes:
    return message[12:message.index(b"\0", 12) + 5]


def name_of(message: bytes) -> str:
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels).lower()


def reply_to(query: bytes, address: str, ident: int | None = None, padding: int = 0) -> bytes:
    """A response with one A record, and a TXT record of about `padding` bytes behind it."""
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(address)
    extra = b""
    if padding:
        text = b"".join(bytes([n]) + b"x" * n for n in [200] * (padding // 201))
        extra = b"\xc0\x0c" + struct.pack("!HHIH", 16, 1, 60, len(text)) + text
    number = struct.unpack_from("!H", query)[0] if ident is None else ident
    return struct.pack("!6H", number, 0x8180, 1, 1, 0, 1 if extra else 0) + question_of(query) + record + extra


class Upstream:
    """Reads queries, and answers the probes; the test answers the others, over UDP. Over TCP it always answers."""

    def __init__(self, network: Network):
        self.udp = network.socket("client", socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((UPSTREAM, 53))
        self.tcp = network.socket("client", socket.AF_INET, socket.SOCK_STREAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((UPSTREAM, 53))
        self.tcp.listen()
        self.over_tcp = 0

    def close(self) -> None:
        self.udp.close()
        self.tcp.close()

    def query(self, name: str, seconds: float = 15) -> tuple[bytes, tuple[str, int]]:
        """The next query for that name, over UDP, and where it came from."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            ready = select.select([self.udp, self.tcp], [], [], left)[0]
            if self.tcp in ready:
                self._serve_one()
            if self.udp not in ready:
                continue
            message, sender = self.udp.recvfrom(4096)
            if name_of(message) == name:
                return message, sender
            self.udp.sendto(reply_to(message, RIGHT), sender)
        raise AssertionError(f"no query for {name} came")

    def serve_tcp(self, seconds: float = 10) -> None:
        """Answers one query over TCP; others over UDP are not answered."""
        if not select.select([self.tcp], [], [], seconds)[0]:
            raise AssertionError("no connection came")
        self._serve_one()

    def _serve_one(self) -> None:
        connection = self.tcp.accept()[0]
        with connection:
            connection.settimeout(5)
            message = connection.recv(4096)[2:]
            reply = reply_to(message, RIGHT)
            connection.sendall(struct.pack("!H", len(reply)) + reply)
            self.over_tcp += 1


class Poisoning(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(Network(f"poisoning-{KIND}"))
        cls.lab = lab = Lab(cls.network)
        lab.veth()
        lab.client_addresses()
        cls.network.address("client", "eth0", f"{ATTACKER}/24")
        # The kernel answers each wrong packet, so that none of its answers is missed.
        for setting in ("icmp_ratelimit=0", "icmp_msgs_per_sec=1000000", "icmp_msgs_burst=1000000"):
            cls.network.run("appliance", "sysctl", "-qw", f"net.ipv4.{setting}", check=False)
        cls.upstream = Upstream(cls.network)
        cls.addClassCleanup(cls.upstream.close)
        cls.start_daemon(lab)
        cls.link = Ether(src=lab.mac("client"), dst=lab.mac())
        cls.wire = Wire(cls.network, "client", "eth0")
        cls.addClassCleanup(cls.wire.close)
        cls.serial = 0

    @staticmethod
    def start_daemon(lab: Lab) -> None:
        """Its queries wait for a minute, so that a slow machine ends none of them."""
        config = lab.folder / "steerdns.yaml"
        config.write_text(f"dataplane: {{ ports: [ {{ device: eth0, driver: {KIND} }} ], memory: 256MiB }}\n"
                          f"control: {{ http: off }}\n"
                          f"plugins:\n"
                          f"  - tag: up\n    type: forward\n"
                          f"    args: {{ total_timeout: 1m, upstreams: [ {{ addr: 'udp://{UPSTREAM}', timeout: 50s }} ] }}\n"
                          f"  - {{ tag: main, type: sequence, args: [ {{ exec: $up }} ] }}\n")
        lab.network.start("appliance", "steerdnsd", f"{BUILD}/steerdnsd", "--config", str(config), "--control-socket",
                          str(lab.socket)).wait_for("serving", 40)

    def pending(self):
        """A new client's query that the upstream has not answered: (name, client, query at the upstream, its sender)."""
        type(self).serial += 1
        name = f"pending{self.serial}.example"
        client = self.network.socket("client", socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(client.close)
        client.bind((CLIENT, 0))
        client.sendto(dns_query(name), (OURS, 53))
        query, sender = self.upstream.query(name)
        return name, client, query, sender

    def answered(self, client) -> str:
        client.settimeout(30)
        answer = client.recv(4096)
        self.assertEqual(struct.unpack_from("!3H", answer, 2)[2], 1, answer)
        at = 12 + len(question_of(answer))
        return socket.inet_ntoa(answer[at + 12:at + 16])

    def frame(self, packet):
        return self.link / packet

    def complaints(self, source: str, source_port: int, ports, message: bytes) -> set[int]:
        """The ports whose packet caused an ICMP error. `message` is sent to each of them."""
        self.wire.forget()
        frames = [bytes(self.frame(IP(src=source, dst=OURS) / UDP(sport=source_port, dport=port) / message))
                  for port in ports]
        for frame in frames:
            self.wire.send(frame)
        # A ping behind them: all that the kernel says about them has come before its reply.
        self.wire.send(self.frame(IP(src=ATTACKER, dst=OURS) / ICMP(id=77, seq=self.serial)))
        found: set[int] = set()
        end = time.monotonic() + 15
        while time.monotonic() < end:
            frame = self.wire.read(1)
            if frame is None:
                continue
            packet = Ether(frame)
            if ICMP not in packet:
                continue
            if packet[ICMP].type == 0 and packet[ICMP].id == 77:
                return found
            if packet[ICMP].type == UNREACHABLE:
                found.add(struct.unpack_from("!H", bytes(packet[ICMP].payload), 22)[0])
        raise AssertionError("the ping was not answered")

    def status(self) -> dict:
        return json.loads(run(f"{BUILD}/tools/steerctl/steerctl", "--socket", str(self.lab.socket), "--json", "status").stdout)

    def ports_beside(self, open_port: int) -> list[int]:
        chosen = random.Random(5).sample(RANGE if open_port in RANGE else EPHEMERAL, 300)
        ports = [port for port in chosen if port != open_port]
        ports.insert(len(ports) // 2, open_port)
        return ports

    def same_for_all(self, ports: list[int], found: set[int]) -> None:
        self.assertIn(len(found), (0, len(ports)), f"{len(found)} of {len(ports)} ports complain")

    def test_a_stranger_sees_no_difference_between_ports(self):
        _, client, query, sender = self.pending()
        ports = self.ports_beside(sender[1])
        for source_port in (53, 4444):
            self.same_for_all(ports, self.complaints(ATTACKER, source_port, ports, b"x" * 40))
        self.upstream.udp.sendto(reply_to(query, RIGHT), sender)
        self.assertEqual(self.answered(client), RIGHT)

    @unittest.skipIf(BY_SOCKETS, "the kernel takes no notice of a packet for an open socket")
    def test_a_stranger_with_the_address_of_the_upstream_sees_no_difference(self):
        _, client, query, sender = self.pending()
        ports = self.ports_beside(sender[1])
        wrong = reply_to(query, WRONG, struct.unpack_from("!H", query)[0] ^ 1)
        # Not about a name that is pending: such guesses send a question over TCP.
        other = reply_to(dns_query("other.example"), WRONG)
        self.same_for_all(ports, self.complaints(UPSTREAM, 53, ports, other))
        of_open, of_closed = (self.complaints(UPSTREAM, 53, [port], wrong) for port in (sender[1], ports[0]))
        self.assertEqual(bool(of_open), bool(of_closed))
        self.upstream.udp.sendto(reply_to(query, RIGHT), sender)
        self.assertEqual(self.answered(client), RIGHT)

    def test_icmp_errors_about_a_query_do_not_end_it(self):
        _, client, query, sender = self.pending()
        quoted = IP(src=OURS, dst=UPSTREAM) / UDP(sport=sender[1], dport=53) / query
        before = self.network.run("appliance", "ip", "route", "get", UPSTREAM).stdout
        for source in (UPSTREAM, ATTACKER):
            for icmp in (ICMP(type=UNREACHABLE, code=PORT), ICMP(type=UNREACHABLE, code=HOST),
                         ICMP(type=UNREACHABLE, code=TOO_BIG, nexthopmtu=600), ICMP(type=REDIRECT, code=HOST, gw=ATTACKER)):
                self.wire.send(self.frame(IP(src=source, dst=OURS) / icmp / quoted))
        self.complaints(ATTACKER, 4444, [9], b"")  # they have been taken
        self.assertEqual(self.network.run("appliance", "ip", "route", "get", UPSTREAM).stdout.split("cache")[0].split(),
                         before.split("cache")[0].split())
        self.assertNotIn("mtu", self.network.run("appliance", "ip", "route", "get", UPSTREAM).stdout)
        self.upstream.udp.sendto(reply_to(query, RIGHT), sender)
        self.assertEqual(self.answered(client), RIGHT)
        until(lambda: [u.get("trouble") for u in self.status()["upstreams"]] == [None], 10, "the upstream counts as good")

    def test_a_reply_in_fragments_is_not_used(self):
        _, client, query, sender = self.pending()
        whole = IP(src=UPSTREAM, dst=OURS, id=4711) / UDP(sport=53, dport=sender[1]) / reply_to(query, WRONG, padding=1005)
        pieces = fragment(whole, fragsize=600)
        self.assertGreater(len(pieces), 1)
        before = self.upstream.over_tcp
        for piece in pieces:
            self.wire.send(self.frame(piece))
        if BY_SOCKETS:
            self.upstream.serve_tcp()
            self.assertEqual(self.upstream.over_tcp, before + 1)
        else:  # it does not reach us: the query goes on
            self.complaints(ATTACKER, 4444, [9], b"")
            self.upstream.udp.sendto(reply_to(query, RIGHT), sender)
        self.assertEqual(self.answered(client), RIGHT)

    def test_an_upstream_that_changes_the_case_is_asked_over_tcp_until_probes_say_so(self):
        def state():
            return self.status()["upstreams"][0]["random_case"]

        self.assertEqual(state(), "on")
        _, client, query, sender = self.pending()
        self.assertNotEqual(question_of(query), question_of(query).lower())
        lower = query[:12] + question_of(query)[:-4].lower() + question_of(query)[-4:]
        self.upstream.udp.sendto(reply_to(lower, RIGHT), sender)
        self.upstream.serve_tcp()
        self.assertEqual(self.answered(client), RIGHT)

        def lowered():
            """Each probe is answered in lower case."""
            if select.select([self.upstream.udp], [], [], 0.05)[0]:
                message, who = self.upstream.udp.recvfrom(4096)
                low = message[:12] + question_of(message)[:-4].lower() + question_of(message)[-4:]
                self.upstream.udp.sendto(reply_to(low, RIGHT), who)
            return state() == "changed"

        until(lowered, 20, "the upstream counts as one that changes the case")
        _, client, query, sender = self.pending()
        self.assertEqual(question_of(query)[:-4], question_of(query)[:-4].lower())
        self.upstream.udp.sendto(reply_to(query, RIGHT), sender)
        self.assertEqual(self.answered(client), RIGHT)


if __name__ == "__main__":
    unittest.main(verbosity=2)
