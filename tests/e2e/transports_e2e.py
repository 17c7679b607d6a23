"""One policy, cache and list, whatever a query comes by: answers over TCP, TLS and HTTPS are those over UDP, and the rows of
their addresses are on the router before them."""

import json
import socket
import ssl
import struct
import sys
import time
import types
import unittest

import dns.message

from lab.certificates import Authority
from lab.scene import ZONES, Scene
from lab.truth import judge

BUILD = sys.argv.pop(1)
SERVER = "172.16.1.2"
CONFIG = """
routers:
  edge1: {{ address: "172.16.1.1:8728", username: api-user, password: secret }}
plugins:
  - {{ tag: steered, type: qname, args: [ "domain:stream.example", "domain:media.example" ] }}
  - {{ tag: blocked, type: qname, args: [ "keyword:ads" ] }}
  - tag: egress
    type: ros_address_list
    args: {{ router: edge1, async: false, sync_timeout: 15s, address_list4: policy_set_v4, address_list6: policy_set_v6 }}
  - tag: main
    type: sequence
    args:
      - {{ matches: $blocked, exec: reject 3 }}
      - {{ exec: cache }}
      - {{ matches: $steered, exec: $egress }}
      - {{ matches: "!has_resp", exec: forward 1.1.1.1 }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: dot, type: tcp_server, args: {{ entry: main, listen: ":853", cert: "{0.pem}", key: "{0.key}" }} }}
  - tag: doh
    type: http_server
    args: {{ listen: ":443", cert: "{0.pem}", key: "{0.key}", entries: [ {{ path: /dns-query, exec: main }} ] }}
policy: {{ designated_name: dns.lab.example }}
"""
NAMES = 1000


def receive(stream, count):
    got = b""
    while len(got) < count:
        more = stream.recv(count - len(got))
        if not more:
            raise ConnectionError(f"ended after {len(got)} of {count} bytes")
        got += more
    return got


class Framed:
    """DNS with a length prefix: TCP and DoT."""

    def __init__(self, stream):
        self.stream = stream

    def ask(self, message):
        self.stream.sendall(struct.pack("!H", len(message)) + message)
        return receive(self.stream, struct.unpack("!H", receive(self.stream, 2))[0])


class Datagrams:
    def __init__(self, stream):
        self.stream = stream

    def ask(self, message):
        self.stream.send(message)
        return self.stream.recv(65536)


class Http:
    """DoH by POST over HTTP/1.1, on a persistent connection."""

    def __init__(self, stream):
        self.stream = stream

    def ask(self, message):
        head = (f"POST /dns-query HTTP/1.1\r\nHost: dns.lab.example\r\nContent-Type: application/dns-message\r\n"
                f"Content-Length: {len(message)}\r\n\r\n")
        self.stream.sendall(head.encode() + message)
        got = b""
        while b"\r\n\r\n" not in got:
            got += receive(self.stream, 1)
        lines = got.decode().split("\r\n")
        if " 200 " not in lines[0]:
            raise ConnectionError(lines[0])
        length = next(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:"))
        return receive(self.stream, length)


def questions():
    """A mix as a network sends it: some of each kind, most names more than once."""
    kinds = ("A", "AAAA", "TXT", "MX", "HTTPS", "A", "A", "SOA")
    for i in range(NAMES):
        name = (f"n{i % 300}.other.example", f"s{i % 200}.stream.example", "www.stream.example", "big.other.example",
                f"ads{i % 50}.other.example", f"none{i % 90}.media.example", "other.example", f"x{i}.unserved.example")[i % 8]
        yield name, "TXT" if name.startswith("big") else kinds[i // 8 % len(kinds)]


def essence(message):
    """What a client uses of a message, except TTLs, which count down, and the truncation of UDP."""
    parsed = dns.message.from_wire(message, ignore_trailing=False)
    records = sorted(line.split(None, 2)[0] + " " + line.split(None, 2)[2] for part in (parsed.answer, parsed.authority)
                     for rrset in part for line in rrset.to_text().split("\n"))
    return parsed.rcode(), int(parsed.flags) & ~0x0200, records


class Transports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = cls.enterClassContext(Scene("transports", BUILD))
        cls.scene.start_resolver(ZONES)
        cls.scene.start_router()
        cls.folder = cls.scene.folder
        cls.folder.chmod(0o755)
        authority = Authority(cls.folder)
        cls.terms = ssl.create_default_context(cafile=authority.pem)
        server = authority.issue("server", "DNS:dns.lab.example", f"IP:{SERVER}")
        config = cls.folder / "transports.yaml"
        config.write_text(CONFIG.format(server))
        cls.scene.start_daemon(config)

    def connect(self, port, *, datagrams=False, tls=False):
        sock = self.scene.network.socket("client", socket.AF_INET, socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM)
        sock.settimeout(30)
        sock.connect((SERVER, port))
        if tls:
            sock = self.terms.wrap_socket(sock, server_hostname="dns.lab.example")
        self.addCleanup(sock.close)
        return sock

    def transports(self):
        return {"udp": Datagrams(self.connect(53, datagrams=True)), "tcp": Framed(self.connect(53)),
                "dot": Framed(self.connect(853, tls=True)), "doh": Http(self.connect(443, tls=True))}

    @staticmethod
    def query(name, kind):
        message = dns.message.make_query(name, kind, use_edns=0, payload=1232)
        message.id = 0
        return message.to_wire()

    def test_a_thousand_names_get_the_same_answers_over_each_transport(self):
        by_name = self.transports()
        truncated, kinds = 0, set()
        for name, kind in questions():
            message = self.query(name, kind)
            answers = {label: essence(transport.ask(message)) for label, transport in by_name.items()}
            kinds.add(answers["tcp"][0])
            self.assertEqual(answers["dot"], answers["tcp"], (name, kind))
            self.assertEqual(answers["doh"], answers["tcp"], (name, kind))
            if dns.message.from_wire(by_name["udp"].ask(message)).flags & 0x0200:
                truncated += 1
                self.assertEqual(answers["udp"][2], [], "no half record sets")
            else:
                self.assertEqual(answers["udp"], answers["tcp"], (name, kind))
        self.assertGreater(truncated, 50)
        self.assertEqual(kinds, {0, 3, 5})  # answers, names that are not there, what the resolver does not serve

    def test_rows_are_written_before_the_answer_over_each_transport(self):
        """The judge gets UDP answers from a capture, and answers of the other transports from the clients."""
        for label, transport in self.transports().items():
            with self.subTest(label=label):
                log = self.folder / f"{label}.jsonl"
                with log.open("w") as file:
                    for i in range(40):
                        message = transport.ask(self.query(f"{label}{i}.stream.example" if i % 4 else "www.stream.example", "A"))
                        file.write(json.dumps({"t_ns": time.time_ns(), "wire": message.hex(), "server": SERVER, "client": "192.168.88.10"}) + "\n")
                found = judge(self.scene.journal, types.SimpleNamespace(file=log))
                self.assertEqual({key: found[key] for key in ("answers", "early", "gap", "missing")},
                                 {"answers": 40, "early": 0, "gap": 0, "missing": 0}, found["text"])

    def test_clients_discover_the_encrypted_transports(self):
        ask = Datagrams(self.connect(53, datagrams=True)).ask
        found = [record.to_text() for rrset in dns.message.from_wire(ask(self.query("_dns.resolver.arpa", "SVCB"))).answer for record in rrset]
        self.assertEqual(len(found), 2)
        self.assertIn('1 dns.lab.example. alpn="dot" port="853"', found[0])
        self.assertIn(f'ipv4hint="{SERVER}"', found[0])
        self.assertIn('2 dns.lab.example. alpn="h2" port="443"', found[1])
        self.assertIn("/dns-query{?dns}", found[1].replace("\\", ""))
        other = dns.message.from_wire(ask(self.query("x.resolver.arpa", "A")))
        self.assertEqual((other.rcode(), other.answer), (0, []))  # and no upstream was asked


if __name__ == "__main__":
    unittest.main(verbosity=2)
