"""The kernel's share of a port that the kernel does not see: a port whose wire ends in the client's namespace (the far
side of a TAP that DPDK made), and everything that is not DNS over UDP on it: ARP, ND, ping, TCP, fragments, options."""

import hashlib
import json
import os
import re
import socket
import sys
import threading
import unittest

from lab.network import Network, run, until
from lab.scene import ZONES, knot_configuration

BUILD = sys.argv.pop(1)
V4, V6 = "192.0.2.53", "2001:db8:2::53"
STREAM = {"203.0.113.10", "203.0.113.11"}
PORT = "{ device: dtap0, driver: tap, exception: steer0, addresses: [192.0.2.53/24, '2001:db8:2::53/64']%s }"
PLUGINS = """
plugins:
  - { tag: up, type: forward, args: { upstreams: [ { addr: 192.0.2.1 } ] } }
  - { tag: main, type: sequence, args: [ { exec: $up } ] }
"""
# Answers what it is sent, to the end, over TCP.
ECHO = """
import socket, sys
s = socket.create_server((sys.argv[1], 2222), family=socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET)
print('ready', flush=True)
while True:
    c, _ = s.accept()
    while data := c.recv(65536):
        c.sendall(data)
    c.close()
"""


class KernelsShare(unittest.TestCase):
    def setUp(self):
        self.net = self.enterContext(Network("exception"))
        self.net.namespace("client")
        self.net.namespace("appliance")

    def daemon(self, port=PORT % ""):
        path = self.net.folder / "config.yaml"
        path.write_text(f"dataplane:\n  ports:\n    - {port}\n" + PLUGINS)
        return self.net.start("appliance", "steerdnsd", f"{BUILD}/steerdnsd", "--config", str(path),
                              "--control-socket", str(self.net.folder / "control.sock"))

    def begin(self, more=""):
        """Serves; the wire's other end is the client's dtap0, and there is an upstream."""
        net = self.net
        self.steer = self.daemon(PORT % more)
        self.steer.wait_for("serving", 40)
        run("ip", "-n", net.full("appliance"), "link", "set", "dtap0", "netns", net.full("client"))
        run("ip", "-n", net.full("client"), "link", "set", "dtap0", "address", "02:00:00:00:00:99", "up")
        net.address("client", "dtap0", "192.0.2.1/24", "2001:db8:2::1/64")
        conf = knot_configuration(net.folder / "knot", "192.0.2.1@53", ZONES)
        net.start("client", "knotd", "knotd", "-c", str(conf)).wait_for("server started")
        until(lambda: self.short(V4) == STREAM, 10, "an answer by way of the upstream")

    def kdig(self, server, *words):
        return self.net.run("client", "kdig", f"@{server}", "+timeout=3", "+retry=0", *words, check=False).stdout

    def short(self, server, *words):
        return set(self.kdig(server, "+short", *words, "stream.example", "A").split())

    def ping(self, server, *words):
        """How many of how many came back."""
        out = self.net.run("client", "ping", "-q", *words, server, check=False).stdout
        sent, received = re.search(r"(\d+) packets transmitted, (\d+) received", out).groups()
        return int(received), int(sent)

    def counters(self):
        return json.loads(run(f"{BUILD}/tools/steerctl/steerctl", "--socket", str(self.net.folder / "control.sock"),
                              "--json", "counters").stdout)

    def exception(self, name):
        return self.counters()["exceptions"][0][name]

    def worker(self, table, name):
        return self.counters()["workers"][0][table][name]

    def stream(self, server, size):
        """Every byte of a TCP stream goes there and comes back."""
        sock = self.net.socket("client", socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_STREAM)
        with sock:
            sock.settimeout(30)
            sock.connect((server, 2222))
            data = os.urandom(1 << 20) * (size >> 20)
            sender = threading.Thread(target=sock.sendall, args=(data,))
            sender.start()
            back = bytearray()
            while len(back) < len(data) and (piece := sock.recv(65536)):
                back += piece
            sender.join()
            self.assertEqual(hashlib.sha256(back).digest(), hashlib.sha256(data).digest())

    def echo(self, server):
        process = self.net.start("appliance", f"echo-{':' in server}", "/usr/bin/python3", "-c", ECHO, server)
        process.wait_for("ready")

    def test_all_of_it(self):
        self.begin()
        net = self.net
        mac = re.search(r"link/ether (\S+)", net.run("appliance", "ip", "link", "show", "steer0").stdout)[1]
        for server in (V4, V6):
            with self.subTest(server=server):
                net.run("client", "ip", "neigh", "flush", "dev", "dtap0")
                self.assertEqual(self.ping(server, "-c", "100", "-i", "0.01"), (100, 100))
                self.assertIn(f"lladdr {mac}", net.run("client", "ip", "neigh", "show", server).stdout)
                self.assertEqual(self.short(server), STREAM)
                answered = self.worker("parked_ends", "answered")
                self.assertEqual(self.short(server, "+tcp"), STREAM)
                self.assertGreater(self.worker("parked_ends", "answered"), answered)
                # In fragments, there and back.
                self.assertEqual(self.ping(server, "-c", "10", "-i", "0.02", "-s", "4000"), (10, 10))
                self.echo(server)
                self.stream(server, 8 << 20)
        for name in ("arp_given", "nd_given", "icmp_given", "icmp6_given", "tcp_given", "fragment_given"):
            self.assertGreater(self.exception(name), 0, name)
        # A burst of TCP may fill a ring, which TCP mends.
        lost = {name: n for name, n in self.counters()["exceptions"][0].items()
                if name.endswith(("_full", "failed", "over_rate")) and n}
        for name in ("tcp_ring_full", "kernel_ring_full", "kernel_port_full"):
            lost.pop(name, None)
        self.assertEqual(lost, {})
        # Each packet has one verdict, and each that was punted one end.
        counts = self.counters()
        ends = sum(n for name, n in counts["exceptions"][0].items()
                   if name.endswith(("_given", "_over_rate", "_ring_full")) and not name.startswith("kernel"))
        self.assertEqual(ends, counts["workers"][0]["verdicts"]["punted"])

    def test_dns_that_only_the_kernel_reads(self):
        """With IP options, and in fragments: the kernel's UDP listener answers."""
        self.begin()
        query = bytes.fromhex("004d01000001000000000000") + b"\x06stream\x07example\0" + bytes.fromhex("00010001")
        before = self.exception("udp_given")
        with self.net.socket("client", socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\x01\x01\x01\x00")
            sock.settimeout(3)
            sock.sendto(query, (V4, 53))
            self.assertEqual(sock.recv(2000)[7], 2)
        self.assertGreater(self.exception("udp_given"), before)
        run("ip", "-n", self.net.full("client"), "route", "add", f"{V4}/32", "dev", "dtap0", "mtu", "lock", "576")
        before = self.exception("fragment_given")
        self.assertEqual(self.short(V4, "+padding=900"), STREAM)
        self.assertGreater(self.exception("fragment_given"), before)

    def test_a_flood_of_one_kind(self):
        """It takes nothing from the others."""
        self.begin(", exception_rates: { icmp: 50 }")
        received, sent = self.ping(V4, "-c", "500", "-f", "-W", "1")
        self.assertEqual(sent, 500)
        self.assertLess(received, 400)
        self.assertGreater(self.exception("icmp_over_rate"), 100)
        self.assertEqual(self.short(V4, "+tcp"), STREAM)
        self.assertEqual(self.short(V6), STREAM)
        self.assertEqual(self.ping(V6, "-c", "20", "-i", "0.01"), (20, 20))

    def test_it_is_the_kernels_interface(self):
        """Addresses that others put there are served, and are not when they go; it goes with us."""
        self.begin()
        net = self.net
        self.assertEqual(self.short("192.0.2.54"), set())
        net.address("appliance", "steer0", "192.0.2.54/24")
        until(lambda: self.short("192.0.2.54") == STREAM, 5, "an answer from the address that came")
        self.assertEqual(self.short("192.0.2.54", "+tcp"), STREAM)
        run("ip", "-n", net.full("appliance"), "address", "del", "192.0.2.54/24", "dev", "steer0")
        until(lambda: not self.short("192.0.2.54", "+timeout=1"), 5, "silence from the address that went")
        self.assertEqual(self.steer.stop(), 0)
        self.assertNotIn("steer0", net.run("appliance", "ip", "link").stdout)

    def test_refused(self):
        net = self.net
        run("ip", "-n", net.full("appliance"), "link", "add", "steer0", "type", "veth", "peer", "name", "other")
        steer = self.daemon()
        self.assertEqual(steer.child.wait(20), 1)
        self.assertRegex(steer.text(), r"error: .*:3: the exception interface steer0 cannot be made: there is an "
                                       r"interface of that name; choose another")


if __name__ == "__main__":
    unittest.main(verbosity=2)
