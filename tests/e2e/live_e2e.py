"""The network changes while it runs, and what clients may send: addresses, routes and MACs that move, packets that only
the kernel can read, sizes, opcodes, strangers, and everything that TCP can do to a message."""

import contextlib
import json
import socket
import struct
import sys
import time
import unittest

from scapy.layers.inet import IP, UDP, IPOption, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN

from lab.ask import decode
from lab.network import until
from lab.scene import ROOT, ZONES, Scene
from lab.truth import ask

BUILD = sys.argv.pop(1)
MINIMAL = ROOT / "configs/minimal.yaml"
STREAM = {"203.0.113.10", "203.0.113.11"}
V4, V6 = "172.16.1.2", "fd16::2"
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
TC, OPCODE = 0x200, 0x7800


def header(message):
    """(id, flags, rcode, counts)"""
    ident, flags, *counts = struct.unpack_from("!6H", message)
    return ident, flags, flags & 15, counts


def query(name, kind=1, ident=77, flags=0x0100, size=None, version=0, klass=1, questions=1):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".") if part)
    edns = b"" if size is None else struct.pack("!BHHBBHH", 0, 41, size, 0, version, 0, 0)
    return (struct.pack("!6H", ident, flags, questions, 0, 0, 0 if size is None else 1) +
            (labels + b"\0" + struct.pack("!HH", kind, klass)) * questions + edns)


class Live(unittest.TestCase):
    def begin(self, config=MINIMAL, zones=None):
        self.scene = self.enterContext(Scene("live", BUILD))
        self.scene.start_resolver(zones)
        return self.scene

    def answered(self, server, *words, space="client"):
        return set(self.scene.short(*words, "stream.example", "A", server=server, space=space)) == STREAM

    def udp(self, message, server=V4, timeout=15.0, space="client", port=0):
        """The answer to one datagram, or None."""
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        with self.scene.network.socket(space, family, socket.SOCK_DGRAM) as sock:
            sock.bind(("", port))
            sock.settimeout(timeout)
            sock.sendto(message, (server, 53))
            try:
                return sock.recv(65536)
            except socket.timeout:
                return None

    def received_by_port(self):
        return self.scene.total("stats", "rx_packets")

    @contextlib.contextmanager
    def queries_by_port(self, wanted):
        """`wanted` queries come by the port in this context, beside a reply to each query to the upstream."""
        def counted():
            counters = self.scene.counters()["workers"]
            return sum(w["stats"]["rx_packets"] - w["stats"]["upstream_queries"] for w in counters)
        before = counted()
        yield
        until(lambda: counted() == before + wanted, 5, f"{wanted} queries by the port, beside the upstream's replies")


class Changes(Live):
    def test_added_addresses_are_served_and_removed_ones_are_not(self):
        scene = self.begin()
        scene.start_daemon(MINIMAL)
        net = scene.network
        mac = json.loads(net.run("appliance", "ip", "-j", "link", "show", "eth0").stdout)[0]["address"]
        for address, prefix in (("172.16.1.9", "/24"), ("fd16::9", "/64")):
            with self.subTest(address):
                self.assertFalse(self.answered(address, "+timeout=1"))
                net.address("appliance", "eth0", address + prefix)
                start = time.monotonic()
                until(lambda: self.udp(query("stream.example"), address, timeout=0.1), 5, f"{address} is served")
                took = time.monotonic() - start
                with self.queries_by_port(1):
                    self.assertTrue(self.answered(address))
                self.assertTrue(self.answered(address, "+tcp"))
                self.assertIn(address, self.addresses())
                net.run("appliance", "ip", "address", "del", address + prefix, "dev", "eth0")
                until(lambda: address not in self.addresses(), 5, f"{address} is let go")
                # Packets for it still arrive, and are dropped.
                net.run("router", "ip", "neigh", "replace", address, "lladdr", mac, "dev", "dns0", "nud", "permanent")
                before = self.received_by_port()
                self.assertIsNone(self.udp(query("stream.example"), address, timeout=0.5))
                self.assertEqual(self.received_by_port(), before, "XDP does not take what is not ours")
                self.assertFalse(self.answered(address, "+tcp", "+timeout=1"))
                print(f"  {address} is served {took:.2f} s after it came")
        for server in (V4, V6):
            self.assertTrue(self.answered(server))

    def addresses(self):
        return self.scene.reported("status")["addresses"]

    def counted(self, space, device):
        return int(self.scene.network.run(space, "cat", f"/sys/class/net/{device}/statistics/rx_packets").stdout)

    def test_an_upstream_can_move_to_another_port(self):
        self.check_second_path("[{ device: eth0 }, { device: eth1 }]", "port")

    def test_an_upstream_can_move_to_a_kernel_interface(self):
        self.check_second_path("[{ device: eth0 }]", "kernel")

    def check_second_path(self, ports, via):
        scene = self.begin()
        net = scene.network
        net.link(("appliance", "eth1"), ("resolver", "eth1"))
        net.address("appliance", "eth1", "10.99.0.1/24")
        net.address("resolver", "eth1", "10.99.0.2/24")
        config = scene.folder / "two.yaml"
        config.write_text(f"dataplane: {{ ports: {ports} }}\n" + MINIMAL.read_text())
        scene.start_daemon(config)
        upstream = lambda: scene.reported("status")["upstreams"][0]["via"]
        self.assertEqual(upstream(), "port")
        self.assertTrue(self.answered(V4))
        start = time.monotonic()
        net.route("appliance", "1.1.1.1/32", "via", "10.99.0.2", "dev", "eth1", "src", "10.99.0.1")
        until(lambda: upstream() == via, 5, f"the upstream goes by {via}")
        until(self.moved, 5, "queries go the new way")
        print(f"  queries go by eth1 ({via}) {time.monotonic() - start:.2f} s after the route came")
        for i in range(5):
            self.assertTrue(scene.short(f"m{i}.other.example", "A"))
        self.assertTrue(self.answered(V6, "+tcp"))
        net.run("resolver", "ip", "link", "set", "eth1", "down")
        net.run("appliance", "ip", "route", "del", "1.1.1.1/32")
        until(lambda: self.answered(V4, "+timeout=1"), 8, "and back")
        until(lambda: upstream() == "port", 5, "by the first port again")

    def moved(self):
        before = self.counted("resolver", "eth1")
        if not self.scene.short("+timeout=1", f"x{before}.other.example", "A"):
            return False
        return self.counted("resolver", "eth1") > before

    def test_a_changed_mac_of_the_router_is_followed(self):
        scene = self.begin()
        scene.start_daemon(MINIMAL)
        self.assertTrue(self.answered(V4))
        scene.network.run("router", "ip", "link", "set", "dns0", "address", "02:00:00:00:77:01")
        start = time.monotonic()
        until(lambda: self.answered(V4, "+timeout=1"), 15, "the new MAC is used")
        print(f"  answers again {time.monotonic() - start:.1f} s after the MAC changed")
        for i in range(5):
            self.assertTrue(scene.short(f"m{i}.other.example", "A"))
        # Ours changes: what arrives is for the new one, and upstream's replies come back to it.
        scene.network.run("appliance", "ip", "link", "set", "eth0", "address", "02:00:00:00:77:02")
        until(lambda: self.answered(V4, "+timeout=1"), 15, "our new MAC is used")
        for i in range(5):
            self.assertTrue(scene.short(f"o{i}.other.example", "A"))


class Packets(Live):
    @classmethod
    def setUpClass(cls):
        zones = dict(ZONES)
        zones["other.example"] += 'mid 300 TXT "{filler}" "{filler}" "{filler}"\n'
        cls.scene = cls.enterClassContext(Scene("packets", BUILD))
        cls.scene.start_resolver(zones)
        for address in ("192.168.88.77/24", "fd88::77/64"):  # addresses that no client uses by default
            cls.scene.network.run("client", "ip", "address", "add", address, "dev", "eth0", "nodad",
                                  "preferred_lft", "0")
        config = cls.scene.folder / "packets.yaml"
        config.write_text("dataplane: { allow: [192.168.88.0/26, 'fd88::10/128', 172.16.1.0/24, 'fd16::/64'] }\n"
                          + MINIMAL.read_text())
        cls.scene.start_daemon(config)

    def test_a_client_on_the_same_host_is_answered(self):
        for server in (V4, V6):
            for transport in ("+notcp", "+tcp"):
                with self.subTest(server=server, transport=transport):
                    self.assertTrue(self.answered(server, transport, space="appliance"))
        with self.queries_by_port(0):
            self.assertTrue(self.answered(V4, space="appliance"))
        # A source that is not ours to allow, by lo.
        self.assertIn("REFUSED", self.scene.kdig("-b", "127.0.0.1", "stream.example", "A", space="appliance"))

    def raw(self, packets, server, port):
        """Sends IP packets as they are; returns the answer that comes to UDP `port`, or None."""
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        net = self.scene.network
        with net.socket("client", family, socket.SOCK_DGRAM) as listener, \
                net.socket("client", family, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
            listener.bind(("", port))
            listener.settimeout(15)
            for packet in packets:
                sender.sendto(bytes(packet), (server, 0))
            try:
                return listener.recv(65536)
            except socket.timeout:
                return None

    def check_by_kernel(self, packets, server, port):
        self.assertGreater(len(packets), 0)
        with self.queries_by_port(0):
            answer = self.raw(packets, server, port)
            self.assertIsNotNone(answer)
            self.assertEqual({a for a, _ in decode(answer)[1]}, STREAM)

    def test_queries_in_fragments_are_answered(self):
        message = query("stream.example", size=1232)
        packet = IP(src="192.168.88.10", dst=V4, id=4711) / UDP(sport=5301, dport=53) / message
        pieces = fragment(IP(bytes(packet)), fragsize=16)
        self.assertGreater(len(pieces), 2)
        self.check_by_kernel(pieces, V4, 5301)
        packet = IPv6(src="fd88::10", dst=V6) / IPv6ExtHdrFragment(id=4712) / UDP(sport=5302, dport=53) / message
        packet = IPv6(bytes(packet))
        payload = bytes(packet)[48:]
        pieces = [IPv6(src="fd88::10", dst=V6) /
                  IPv6ExtHdrFragment(id=4712, nh=17, offset=at // 8, m=int(at + 24 < len(payload))) /
                  payload[at:at + 24] for at in range(0, len(payload), 24)]
        self.assertGreater(len(pieces), 1)
        self.check_by_kernel(pieces, V6, 5302)

    def test_queries_with_ip_options_are_answered(self):
        options = [IPOption(b"\x01"), IPOption(b"\x01"), IPOption(b"\x01"), IPOption(b"\x00")]
        packet = IP(src="192.168.88.10", dst=V4, options=options) / UDP(sport=5303, dport=53) / query("stream.example")
        self.assertEqual(IP(bytes(packet)).ihl, 6)
        self.check_by_kernel([packet], V4, 5303)
        packet = (IPv6(src="fd88::10", dst=V6) / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0\0\0\0")]) /
                  UDP(sport=5304, dport=53) / query("stream.example"))
        self.check_by_kernel([packet], V6, 5304)

    def test_an_answer_over_udp_fits_the_client_and_the_path(self):
        """An answer that is cut has TC set."""
        for name, size, cut in (("mid", None, True), ("mid", 100, True), ("mid", 512, True), ("mid", 1232, False),
                                ("mid", 4096, False), ("big", 1232, True), ("big", 4096, True), ("big", 65535, True)):
            for server in (V4, V6):
                with self.subTest(name=name, size=size, server=server):
                    answer = self.udp(query(f"{name}.other.example", 16, size=size), server)
                    self.assertLessEqual(len(answer), min(1232, max(512, size or 512)))
                    self.assertEqual(bool(header(answer)[1] & TC), cut)
                    if not cut:
                        self.assertGreater(len(answer), 750)

    def test_other_opcodes_and_question_counts_get_their_rcode(self):
        cases = [
            ("AXFR", query("stream.example", 252), NOTIMP),
            ("IXFR", query("stream.example", 251), NOTIMP),
            ("NOTIFY", query("stream.example", 6, flags=4 << 11), NOTIMP),
            ("UPDATE", query("stream.example", 6, flags=5 << 11), NOTIMP),
            ("STATUS", query("stream.example", 1, flags=2 << 11), NOTIMP),
            ("two questions", query("stream.example", questions=2), FORMERR),
            ("no question", struct.pack("!6H", 77, 0x100, 0, 0, 0, 0), FORMERR),
            ("name that does not end", struct.pack("!6H", 77, 0x100, 1, 0, 0, 0) + b"\x3fabc", FORMERR),
            ("compressed question", struct.pack("!6H", 77, 0x100, 1, 0, 0, 0) + b"\xc0\x0c\0\1\0\1", FORMERR),
            ("bytes behind it", query("stream.example") + b"\0", FORMERR),
        ]
        for server in (V4, V6):
            for transport in (self.udp, self.tcp_one):
                for what, message, rcode in cases:
                    with self.subTest(what, server=server, transport=transport.__name__):
                        answer = transport(message, server)
                        self.assertIsNotNone(answer)
                        ident, flags, got, _ = header(answer)
                        self.assertEqual((ident, got, flags & 0x8000), (77, rcode, 0x8000))
                        self.assertEqual(flags & OPCODE, header(message)[1] & OPCODE, "the opcode comes back")
        answer = self.udp(query("stream.example", size=1232, version=1))
        extended = answer[answer.rindex(b"\0\0\x29") + 5]
        self.assertEqual(extended << 4 | header(answer)[2], BADVERS)
        for what, message in (("a response", query("stream.example", flags=0x8100)),
                              ("eleven bytes", query("a.example")[:11])):
            with self.subTest(what):
                self.assertIsNone(self.udp(message, timeout=0.4))

    def test_clients_outside_allow_are_refused(self):
        """Over each family and transport, with the reason."""
        before = self.scene.total("verdicts", "refused_client"), self.scene.total("injected", "refused_client")
        for server, own in ((V4, "192.168.88.77"), (V6, "fd88::77")):
            for transport in ("+notcp", "+tcp"):
                with self.subTest(server=server, transport=transport):
                    text = self.scene.kdig("-b", own, "+edns", transport, "stream.example", "A", server=server)
                    self.assertIn("REFUSED", text)
                    self.assertIn("Prohibited", text)
                    self.assertNotIn("203.0.113", text)
                    self.assertTrue(self.answered(server, transport))
        after = self.scene.total("verdicts", "refused_client"), self.scene.total("injected", "refused_client")
        self.assertEqual((after[0] - before[0], after[1] - before[1]), (2, 2))

    # TCP ---------------------------------------------------------------------------------------------------

    def connect(self, server=V4):
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        sock = self.scene.network.socket("client", family, socket.SOCK_STREAM)
        self.addCleanup(sock.close)
        sock.settimeout(5)
        sock.connect((server, 53))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    @staticmethod
    def framed(message):
        return struct.pack("!H", len(message)) + message

    @staticmethod
    def read(sock):
        """The next message; b'' at the end of the connection."""
        def exactly(count):
            data = b""
            while len(data) < count and (piece := sock.recv(count - len(data))):
                data += piece
            return data

        length = exactly(2)
        return exactly(struct.unpack("!H", length)[0]) if len(length) == 2 else b""

    def tcp_one(self, message, server=V4):
        with self.connect(server) as sock:
            sock.sendall(self.framed(message))
            return self.read(sock) or None

    def test_pipelined_tcp_queries_are_each_answered_once(self):
        """A hundred queries at once; the order of the answers is free."""
        for server in (V4, V6):
            with self.subTest(server), self.connect(server) as sock:
                sock.sendall(b"".join(self.framed(query(f"p{i}.other.example", ident=i)) for i in range(100)))
                answers = [self.read(sock) for _ in range(100)]
                self.assertEqual(sorted(header(a)[0] for a in answers), list(range(100)))
                for answer in answers:
                    self.assertEqual([a for a, _ in decode(answer)[1]], ["198.51.100.9"])
                    self.assertIn(query(f"p{header(answer)[0]}.other.example")[12:], answer)

    def test_tcp_queries_may_come_in_one_segment_or_byte_by_byte(self):
        first, second = (self.framed(query("stream.example", ident=i)) for i in (1, 2))
        with self.connect() as sock:
            sock.sendall(first + second)
            self.assertEqual({header(self.read(sock))[0] for _ in range(2)}, {1, 2})
            for byte in first:
                sock.sendall(bytes([byte]))
                time.sleep(0.002)  # so that each is a segment
            self.assertEqual(header(self.read(sock))[0], 1)
            # The end of one and the beginning of the next together.
            sock.sendall(first[:5])
            time.sleep(0.02)
            sock.sendall(first[5:] + second[:3])
            self.assertEqual(header(self.read(sock))[0], 1)
            sock.sendall(second[3:])
            self.assertEqual(header(self.read(sock))[0], 2)
            # A client that has reported all gets what it asked for, and then the end.
            sock.sendall(first)
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(header(self.read(sock))[0], 1)
            self.assertEqual(self.read(sock), b"")

    def test_malformed_tcp_input_ends_the_connection(self):
        for what, data in (("length 0", b"\0\0"), ("length 11", b"\0\x0b" + b"x" * 11)):
            with self.subTest(what), self.connect() as sock:
                sock.sendall(data)
                self.assertEqual(self.read(sock), b"")
        self.assertTrue(self.answered(V4, "+tcp"))


class Workers(Live):
    """More workers than queues, and queues on several interfaces: any worker may own a query, and each query is answered."""

    def check(self, ports, asked):
        scene = self.begin()
        net = scene.network
        net.link(("appliance", "eth1"), ("client", "eth1"))
        net.address("appliance", "eth1", "10.99.0.1/24")
        net.address("client", "eth1", "10.99.0.2/24")
        scene.start_router()
        config = scene.folder / "workers.yaml"
        config.write_text(f"dataplane: {{ workers: 2, ports: {ports} }}\n"
                          + MINIMAL.read_text().replace("async: true", "async: false"))
        daemon = scene.start_daemon(config)
        for server in asked:
            names = [f"w{i}-{server[-1]}.{'stream' if i % 4 == 0 else 'other'}.example" for i in range(200)]
            results = ask(scene, names, server=server, window=20, timeout=15)
            self.assertEqual([r for r in results if r["rcode"] != 0 or len(r["addresses"]) != 1], [])
            took = sorted(r["ms"] for r in results)
            print(f"  {ports} {server}: {took[100]:.1f} ms is the median of {len(took)}, the slowest took {took[-1]:.1f} ms")
            self.assertLess(took[100], 1000)
            for i in range(10):
                self.assertTrue(scene.short("+tcp", f"t{i}{server[-1]}.other.example", "A", server=server))
                self.assertTrue(scene.short(f"t{i}{server[-1]}.other.example", "A", server=server))  # a flow each
        workers = scene.counters()["workers"]
        self.assertEqual(len(workers), 2)
        self.assertTrue(all(w["stats"]["upstream_queries"] > 50 for w in workers), "both ask")
        for worker in workers:
            self.assertEqual(sum(worker["verdicts"].values()), worker["stats"]["rx_packets"])
            self.assertEqual(sum(worker["moved"].values()), worker["stats"]["moved_queries"])
        moved = sum(worker["verdicts"]["query_moved"] for worker in workers)
        self.assertGreater(moved, 0, "flows are shared")
        self.assertEqual(moved, sum(worker["stats"]["moved_queries"] for worker in workers))
        self.assertEqual(daemon.stop(), 0)

    def test_workers_share_one_queue(self):
        self.check("[{ device: eth0 }]", (V4, V6))

    def test_each_worker_has_a_queue(self):
        self.check("[{ device: eth0 }, { device: eth1 }]", (V4, "10.99.0.1"))


# An upstream whose answers are as long as the name's first label says, over TCP; over UDP it says: ask me by TCP.
LONG = r"""
import socket, struct, threading
def build(q, length):
    end = q.index(b'\0', 12) + 5
    head = struct.pack('!6H', struct.unpack('!H', q[:2])[0], 0x8180, 1, 0, 0, 0) + q[12:end]
    left, records = length - len(head), []
    while left:
        size = left if left <= 30000 else min(30000, left - 100)
        rdata, size = b'', size - 12
        while size: n = min(255, size - 1); rdata += bytes([n]) + b'x' * n; size -= n + 1
        records.append(b'\xc0\x0c' + struct.pack('!HHIH', 16, 1, 60, len(rdata)) + rdata); left -= 12 + len(rdata)
    return head[:6] + struct.pack('!H', len(records)) + head[8:] + b''.join(records)
def tcp():
    s = socket.create_server(('1.1.1.1', 53))
    while True:
        c, _ = s.accept()
        threading.Thread(target=serve, args=(c,), daemon=True).start()
def exactly(c, n):
    d = b''
    while len(d) < n:
        p = c.recv(n - len(d))
        if not p: raise EOFError
        d += p
    return d
def serve(c):
    try:
        while True:
            q = exactly(c, struct.unpack('!H', exactly(c, 2))[0])
            m = build(q, int(q[13:13 + q[12]])); c.sendall(struct.pack('!H', len(m)) + m)
    except (EOFError, OSError): pass
threading.Thread(target=tcp, daemon=True).start()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('1.1.1.1', 53)); print('ready', flush=True)
while True:
    q, who = u.recvfrom(4096); end = q.index(b'\0', 12) + 5
    u.sendto(struct.pack('!6H', struct.unpack('!H', q[:2])[0], 0x8380, 1, 0, 0, 0) + q[12:end], who)
"""


class Long(Live):
    def test_tcp_answers_may_have_65535_bytes(self):
        scene = self.scene = self.enterContext(Scene("long", BUILD))
        scene.network.start("resolver", "long", "/usr/bin/python3", "-c", LONG).wait_for("ready")
        config = scene.folder / "long.yaml"
        config.write_text("plugins:\n"
                          "  - { tag: main, type: sequence, args: [ { exec: cache }, { exec: forward 1.1.1.1 } ] }\n")
        scene.start_daemon(config)
        for length in (600, 2000, 4096, 20_000, 65_000, 65_535):
            for server in (V4, V6):
                for again in (False, True):
                    with self.subTest(length=length, server=server, again=again):
                        answer = Packets.tcp_one(self, query(f"{length}.example", 16), server)
                        self.assertIsNotNone(answer)
                        self.assertEqual((header(answer)[2], header(answer)[1] & TC, len(answer)), (NOERROR, 0, length))
        # With EDNS there is no room for the OPT, and no answer over TCP is cut.
        answer = Packets.tcp_one(self, query("65535.example", 16, size=1232))
        self.assertEqual((header(answer)[2], header(answer)[1] & TC), (SERVFAIL, 0))
        self.assertTrue(header(self.udp(query("65535.example", 16, size=1232)))[1] & TC)

    connect, framed, read = Packets.connect, staticmethod(Packets.framed), staticmethod(Packets.read)


if __name__ == "__main__":
    unittest.main(verbosity=2)
