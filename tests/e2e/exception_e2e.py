"""The kernel's share of a port that the kernel does not see: a port whose wire ends in the client's namespace (the far
side of a TAP that DPDK made), and everything that is not DNS over UDP on it: ARP, ND, ping, TCP, fragments, options."""

import hashlib
import json
import os
import re
import signal
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
# On a machine of any speed, the kernel limits TCP, not our rate.
ANY_TCP = ", exception_rates: { tcp: 100000000 }"
PLUGINS = """
plugins:
  - { tag: up, type: forward, args: { probe: off, upstreams: [ { addr: 192.0.2.1 } ] } }
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
        self.daemons = 0
        self.net.namespace("client")
        self.net.namespace("appliance")

    def daemon(self, port=PORT % ""):
        path = self.net.folder / "config.yaml"
        path.write_text(f"dataplane:\n  ports:\n    - {port}\n" + PLUGINS)
        self.daemons += 1
        return self.net.start("appliance", f"steerdnsd-{self.daemons}", f"{BUILD}/steerdnsd", "--config", str(path),
                              "--control-socket", str(self.net.folder / "control.sock"))

    def wire(self, more):
        """Starts the daemon, and makes the other end of its wire the client's dtap0."""
        net = self.net
        self.steer = self.daemon(PORT % more)
        self.steer.wait_for("serving", 40)
        run("ip", "-n", net.full("appliance"), "link", "set", "dtap0", "netns", net.full("client"))
        run("ip", "-n", net.full("client"), "link", "set", "dtap0", "address", "02:00:00:00:00:99", "up")
        net.address("client", "dtap0", "192.0.2.1/24", "2001:db8:2::1/64")

    def begin(self, more="", before=lambda: None):
        """As wire(), with an upstream."""
        net = self.net
        self.wire(more)
        before()
        conf = knot_configuration(net.folder / "knot", "192.0.2.1@53", ZONES)
        net.start("client", "knotd", "knotd", "-c", str(conf)).wait_for("server started")
        until(lambda: self.short(V4, "+timeout=1") == STREAM, 10, "an answer by way of the upstream")

    def kdig(self, server, *words):
        return self.net.run("client", "kdig", f"@{server}", "+timeout=15", "+retry=0", *words, check=False).stdout

    def short(self, server, *words):
        return set(self.kdig(server, "+short", *words, "stream.example", "A").split())

    def ping(self, server, *words):
        """(received, sent)"""
        out = self.net.run("client", "ping", "-q", *words, server, check=False).stdout
        sent, received = re.search(r"(\d+) packets transmitted, (\d+) received", out).groups()
        return int(received), int(sent)

    def pings(self, server, count, *words):
        """Waits until each of `count` pings is answered. (On a busy machine one may come after ping stopped waiting.)"""
        until(lambda: self.ping(server, "-c", str(count), *words) == (count, count), 20, f"{count} pings of {server} are answered")

    def counters(self):
        return json.loads(run(f"{BUILD}/tools/steerctl/steerctl", "--socket", str(self.net.folder / "control.sock"),
                              "--json", "counters").stdout)

    def exception(self, name):
        return self.counters()["exceptions"][0][name]

    def lost(self):
        """The packets for the kernel that were dropped; packets that only had to wait do not count."""
        return {name: n for name, n in self.counters()["exceptions"][0].items()
                if name.endswith(("_ring_full", "failed", "over_rate")) and name != "kernel_ring_full" and n}

    def worker(self, table, name):
        return self.counters()["workers"][0][table][name]

    def stream(self, server, size):
        """Sends bytes over TCP and checks that all of them come back."""
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

    def test_the_kernel_gets_arp_nd_icmp_tcp_and_fragments(self):
        self.begin(ANY_TCP)
        net = self.net
        mac = self.kernels_mac()
        for server in (V4, V6):
            with self.subTest(server=server):
                net.run("client", "ip", "neigh", "flush", "dev", "dtap0")
                self.pings(server, 100, "-i", "0.01")
                self.assertIn(f"lladdr {mac}", net.run("client", "ip", "neigh", "show", server).stdout)
                self.assertEqual(self.short(server), STREAM)
                answered = self.worker("pending_outcomes", "answered")
                self.assertEqual(self.short(server, "+tcp"), STREAM)
                self.assertGreater(self.worker("pending_outcomes", "answered"), answered)
                # In fragments, there and back.
                self.pings(server, 10, "-i", "0.02", "-s", "4000")
                self.echo(server)
                self.stream(server, 8 << 20)
        for name in ("arp_given", "nd_given", "icmp_given", "icmp6_given", "tcp_given", "fragment_given"):
            self.assertGreater(self.exception(name), 0, name)
        self.assertEqual(self.lost(), {})
        # Each packet has one verdict, and each that was punted one end.
        counts = self.counters()
        ends = sum(n for name, n in counts["exceptions"][0].items()
                   if name.endswith(("_given", "_over_rate", "_ring_full")) and not name.startswith("kernel"))
        self.assertEqual(ends, counts["workers"][0]["verdicts"]["punted"])

    def test_queries_with_ip_options_and_in_fragments_are_answered_by_the_kernel(self):
        self.begin()
        query = bytes.fromhex("004d01000001000000000000") + b"\x06stream\x07example\0" + bytes.fromhex("00010001")
        before = self.exception("udp_given")
        with self.net.socket("client", socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\x01\x01\x01\x00")
            sock.settimeout(15)
            sock.sendto(query, (V4, 53))
            self.assertEqual(sock.recv(2000)[7], 2)
        self.assertGreater(self.exception("udp_given"), before)
        run("ip", "-n", self.net.full("client"), "route", "add", f"{V4}/32", "dev", "dtap0", "mtu", "lock", "576")
        before = self.exception("fragment_given")
        self.assertEqual(self.short(V4, "+padding=900"), STREAM)
        self.assertGreater(self.exception("fragment_given"), before)

    def test_a_flood_of_one_kind_does_not_limit_the_others(self):
        self.begin(", exception_rates: { icmp: 5 }")
        received, sent = self.ping(V4, "-c", "500", "-f", "-W", "1")
        self.assertEqual(sent, 500)
        self.assertLess(received, 400)
        self.assertGreater(self.exception("icmp_over_rate"), 100)
        self.assertEqual(self.short(V4, "+tcp"), STREAM)
        self.assertEqual(self.short(V6), STREAM)
        self.pings(V6, 20, "-i", "0.01")

    def test_addresses_of_the_exception_interface_are_served(self):
        """Addresses that others add are served until they are removed; the interface is removed with the daemon."""
        self.begin()
        net = self.net
        self.assertEqual(self.short("192.0.2.54", "+timeout=1"), set())
        net.address("appliance", "steer0", "192.0.2.54/24")
        until(lambda: self.short("192.0.2.54", "+timeout=1") == STREAM, 5, "an answer from the address that came")
        self.assertEqual(self.short("192.0.2.54", "+tcp"), STREAM)
        run("ip", "-n", net.full("appliance"), "address", "del", "192.0.2.54/24", "dev", "steer0")
        until(lambda: not self.short("192.0.2.54", "+timeout=1"), 5, "silence from the address that went")
        self.assertEqual(self.steer.stop(), 0)
        self.assertNotIn("steer0", net.run("appliance", "ip", "link").stdout)

    def test_the_exception_interface_has_a_carrier_while_the_port_has_one(self):
        """A memif has a carrier while its peer is connected."""
        net, path = self.net, self.net.folder / "memif.sock"
        self.steer = self.daemon(f"{{ device: 'role=server,socket-abstract=no,socket={path}', driver: memif, "
                                 f"exception: steer0, addresses: [192.0.2.53/24, '2001:db8:2::53/64']{ANY_TCP} }}")
        self.steer.wait_for("serving", 40)
        carrier = lambda: net.run("appliance", "cat", "/sys/class/net/steer0/carrier").stdout.strip() == "1"
        self.assertFalse(carrier())
        for life in range(2):
            announced = self.counters()["announcements"]["arp"]
            peer = net.start("client", f"memif_peer-{life}", f"{BUILD}/tests/bench/memif_peer", "bridge", "--no-huge",
                             "--socket", str(path), "--tap", "eth0")
            peer.wait_for("ready")
            run("ip", "-n", net.full("client"), "link", "set", "eth0", "up")
            net.address("client", "eth0", "192.0.2.1/24", "2001:db8:2::1/64")
            until(carrier, 5, "a carrier when the peer is there")
            until(lambda: self.counters()["announcements"]["arp"] > announced, 5, "what is there again to be announced")
            if life == 0:
                conf = knot_configuration(net.folder / "knot", "192.0.2.1@53", ZONES)
                net.start("client", "knotd", "knotd", "-c", str(conf)).wait_for("server started")
            for server in (V4, V6):
                until(lambda: self.short(server, "+timeout=1") == STREAM, 10, f"an answer from {server}")
                self.pings(server, 5, "-i", "0.02")
            if life == 0:
                self.echo(V4)
                self.stream(V4, 32 << 20)
                self.assertEqual(self.lost(), {})
            peer.stop()
            until(lambda: not carrier(), 5, "no carrier when the peer is gone")

    def test_the_daemon_survives_a_killed_memif_peer(self):
        """A killed peer removes its shared memory, at any moment of the worker's loop."""
        net, path = self.net, self.net.folder / "memif.sock"
        self.steer = self.daemon(f"{{ device: 'role=server,socket-abstract=no,socket={path}', driver: memif, "
                                 "addresses: [192.0.2.53/24] }\n  idle: spin\n  workers: [0]")
        self.steer.wait_for("serving", 40)
        # Who shares the worker's CPU: it is stopped in the middle of things.
        net.start("appliance", "busy", "taskset", "-c", "0", "sh", "-c", "echo busy; while :; do :; done").wait_for("busy")
        for life in range(8):
            peer = net.start("client", f"memif_peer-{life}", f"{BUILD}/tests/bench/memif_peer", "bridge", "--no-huge",
                             "--socket", str(path), "--tap", "eth0")
            peer.wait_for("ready")
            peer.stop(number=signal.SIGKILL)
        self.assertEqual(self.steer.stop(), 0)

    def test_a_removed_exception_interface_is_made_again(self):
        """With all its addresses and settings."""
        self.begin(", arp: reply-only" + self.KNOWN)
        net, mac = self.net, self.kernels_mac()
        index = net.run("appliance", "cat", "/sys/class/net/steer0/ifindex").stdout
        neighbour = lambda: net.run("appliance", "ip", "neigh", "show", "192.0.2.1").stdout
        for times in (1, 2):
            run("ip", "-n", net.full("appliance"), "link", "del", "steer0")
            until(lambda: self.steer.text().count("steer0 was removed and is made again") == times, 5, "it to be made")
            self.assertEqual(self.kernels_mac(), mac)
            self.assertEqual(net.run("appliance", "cat", "/sys/class/net/steer0/ifindex").stdout, index)
            until(lambda: "PERMANENT" in neighbour(), 5, "the static neighbour")
            knob = net.run("appliance", "cat", "/proc/sys/net/ipv4/neigh/steer0/mcast_solicit").stdout
            self.assertEqual(knob.strip(), "0")
            for server in (V4, V6):
                until(lambda: self.short(server, "+timeout=1") == STREAM, 10, f"an answer from {server}")
                self.assertEqual(self.short(server, "+tcp"), STREAM)
                self.pings(server, 5, "-i", "0.02")

    def test_frames_to_other_macs_go_to_a_promiscuous_interface_only(self):
        """Such an interface is needed for a macvlan, as with VRRP. Other frames to another host are dropped."""
        self.begin()
        net, other = self.net, "00:00:5e:00:01:05"
        net.run("client", "ip", "neigh", "replace", V4, "lladdr", other, "dev", "dtap0")
        dropped, given = self.worker("verdicts", "drop_other_host"), self.exception("icmp_given")
        self.assertEqual(self.short(V4, "+timeout=1"), set())
        self.assertEqual(self.ping(V4, "-c", "3", "-i", "0.02", "-W", "1"), (0, 3))
        self.assertEqual(self.worker("verdicts", "drop_other_host"), dropped + 4)
        self.assertEqual(self.exception("icmp_given"), given)
        net.run("appliance", "ip", "link", "add", "link", "steer0", "name", "vrrp0", "address", other, "type", "macvlan")
        net.address("appliance", "vrrp0", "192.0.2.60/32")
        # (As is usual for VRRP: a macvlan would answer ARP for every address of the machine.)
        net.run("appliance", "sysctl", "-qw", "net.ipv4.conf.vrrp0.arp_ignore=1")
        net.run("appliance", "ip", "link", "set", "vrrp0", "up")
        net.run("client", "ip", "neigh", "replace", "192.0.2.60", "lladdr", other, "dev", "dtap0")
        until(lambda: self.ping("192.0.2.60", "-c", "1", "-W", "1") == (1, 1), 5, "a ping of the macvlan's address")
        dropped = self.worker("verdicts", "drop_other_host")
        net.run("client", "ip", "neigh", "del", V4, "dev", "dtap0")
        self.assertEqual(self.short(V4), STREAM)
        self.assertEqual(self.worker("verdicts", "drop_other_host"), dropped)
        # After the interface's MAC address changes, the new one is ours and the old one is not.
        net.run("appliance", "ip", "link", "del", "vrrp0")
        net.run("appliance", "ip", "link", "set", "steer0", "address", other)
        until(lambda: self.short(V4, "+timeout=1") == STREAM, 5, "an answer by the new MAC address")
        until(lambda: self.resolves(V4) == other, 5, "the new MAC address answers ARP")
        self.assertEqual(self.short(V4), STREAM)

    # ARP as RouterOS has it; the client's MAC is known by configuration where it is not to be learned.
    KNOWN = ", neighbours: [{ address: 192.0.2.1, mac: '02:00:00:00:00:99' }]"

    def resolves(self, address):
        """The MAC address that the client finds for `address`, or None; the client asks again each time."""
        self.net.run("client", "ip", "neigh", "del", address, "dev", "dtap0", check=False)
        self.net.run("client", "ping", "-q", "-c", "1", "-W", "1", address, check=False)
        entry = re.search(r"lladdr (\S+)", self.net.run("client", "ip", "neigh", "show", address).stdout)
        return entry and entry[1]

    def kernels_mac(self):
        return re.search(r"link/ether (\S+)", self.net.run("appliance", "ip", "link", "show", "steer0").stdout)[1]

    def test_arp_disabled_neither_answers_nor_asks(self):
        self.begin(", arp: disabled" + self.KNOWN, lambda: self.net.run(
            "client", "ip", "neigh", "add", V4, "lladdr", self.kernels_mac(), "dev", "dtap0"))
        self.pings(V4, 5, "-i", "0.02")
        self.assertIsNone(self.resolves(V4))
        self.pings(V6, 5, "-i", "0.02")
        # Nor are addresses that appear announced by ARP; those of IPv6, which come later here, are.
        before = self.counters()["announcements"]
        self.net.address("appliance", "steer0", "192.0.2.54/24", "2001:db8:2::54/64")
        until(lambda: self.counters()["announcements"]["neighbour"] > before["neighbour"], 5, "an advertisement")
        self.assertEqual(self.counters()["announcements"]["arp"], before["arp"])

    def test_arp_reply_only_answers_but_learns_no_neighbour(self):
        """It knows only the configured neighbours."""
        self.begin(", arp: reply-only" + self.KNOWN)
        until(lambda: self.resolves(V4) == self.kernels_mac(), 5, "ARP is answered")
        self.pings(V4, 5, "-i", "0.02")
        self.net.address("client", "dtap0", "192.0.2.9/24")
        self.net.run("client", "ip", "neigh", "flush", "dev", "dtap0")
        received, sent = self.ping(V4, "-c", "20", "-i", "0.05", "-W", "1", "-I", "192.0.2.9")
        self.assertLess(received, sent)
        until(lambda: "lladdr" not in self.net.run("appliance", "ip", "neigh", "show", "192.0.2.9").stdout, 5,
              "the kernel without what it learned")
        self.assertIn("PERMANENT", self.net.run("appliance", "ip", "neigh", "show", "192.0.2.1").stdout)

    def test_proxy_arp_answers_for_the_configured_addresses(self):
        """proxy-arp for addresses that are routed elsewhere, local-proxy-arp for neighbours, `published` for one address."""
        net = self.net
        run("ip", "-n", net.full("appliance"), "link", "add", "far0", "type", "veth", "peer", "name", "far1")
        for name in ("far0", "far1"):
            run("ip", "-n", net.full("appliance"), "link", "set", name, "up")
        net.address("appliance", "far0", "198.51.100.1/24")
        for more, routed, other, local in (
                (", arp: enabled", False, False, False),
                (", arp: proxy-arp", True, True, False),
                (", arp: local-proxy-arp", False, False, True),
                (", neighbours: [{ address: 198.51.100.7, published: true }]", True, False, False)):
            with self.subTest(more=more):
                self.wire(more)
                if "proxy" in more:
                    self.assertIn("while its forwarding is off", self.steer.text())
                net.run("appliance", "sysctl", "-qw", "net.ipv4.conf.steer0.forwarding=1")
                run("ip", "-n", net.full("client"), "route", "replace", "198.51.100.0/24", "dev", "dtap0")
                mac = self.kernels_mac()
                self.assertEqual(self.resolves("198.51.100.7"), mac if routed else None)
                self.assertEqual(self.resolves("198.51.100.8"), mac if other else None)
                self.assertEqual(self.resolves("192.0.2.77"), mac if local else None)
                self.steer.stop()

    def test_a_published_ipv6_neighbour_is_answered_for(self):
        self.wire(", neighbours: [{ address: '2001:db8:77::7', published: true }]")
        net = self.net
        net.run("appliance", "sysctl", "-qw", "net.ipv6.conf.steer0.forwarding=1", "net.ipv6.conf.steer0.proxy_ndp=1")
        run("ip", "-n", net.full("client"), "route", "add", "2001:db8:77::/64", "dev", "dtap0")
        self.assertEqual(self.resolves("2001:db8:77::7"), self.kernels_mac())
        self.assertIsNone(self.resolves("2001:db8:77::8"))

    def test_a_kernel_interface_gets_its_settings_back_at_the_end(self):
        """Its sysctls and neighbour entries are as before the start."""
        net = self.net
        net.link(("appliance", "eth0"), ("client", "eth0"))
        net.address("appliance", "eth0", "192.0.2.53/24", "2001:db8:2::53/64")
        knobs = {"conf/eth0/arp_ignore": 1, "conf/eth0/proxy_arp": 1, "conf/eth0/proxy_arp_pvlan": 0,
                 "conf/eth0/send_redirects": 1, "neigh/eth0/mcast_solicit": 4, "neigh/eth0/ucast_solicit": 2}
        paths = [f"/proc/sys/net/ipv4/{knob}" for knob in knobs]
        now = lambda: dict(zip(knobs, map(int, net.run("appliance", "cat", *paths).stdout.split())))
        for knob, value in knobs.items():
            net.run("appliance", "sysctl", "-qw", f"net/ipv4/{knob}={value}")
        entries = ("{ address: 192.0.2.9, mac: '02:00:00:00:00:09' }, { address: '2001:db8:2::9', mac: '02:00:00:00:00:09' }, "
                   "{ address: 198.51.100.7, published: true }, { address: '2001:db8:77::7', published: true }")
        for mode, *values in (("enabled", 0, 0, 0, 1, 3, 3), ("disabled", 8, 0, 0, 1, 0, 0), ("reply-only", 0, 0, 0, 1, 0, 0),
                              ("proxy-arp", 0, 1, 0, 1, 3, 3), ("local-proxy-arp", 0, 0, 1, 0, 3, 3)):
            with self.subTest(mode=mode):
                steer = self.daemon(f"{{ device: eth0, driver: socket, arp: {mode}, neighbours: [{entries}] }}")
                steer.wait_for("serving", 40)
                self.assertEqual(now(), dict(zip(knobs, values)))
                static = net.run("appliance", "ip", "neigh", "show", "nud", "permanent").stdout
                for address in ("192.0.2.9", "2001:db8:2::9"):
                    self.assertIn(f"{address} dev eth0 lladdr 02:00:00:00:00:09 PERMANENT", static)
                published = net.run("appliance", "ip", "neigh", "show", "proxy").stdout
                for address in ("198.51.100.7", "2001:db8:77::7"):
                    self.assertIn(f"{address} dev eth0", published)
                self.assertEqual(steer.stop(), 0)
                self.assertEqual(now(), knobs)
                self.assertNotIn("PERMANENT", net.run("appliance", "ip", "neigh", "show", "dev", "eth0").stdout)
                self.assertEqual(net.run("appliance", "ip", "neigh", "show", "proxy").stdout, "")

    def test_new_addresses_are_announced(self):
        self.begin()
        ears = {kind: self.enterContext(self.net.socket("client", socket.AF_PACKET, socket.SOCK_RAW, socket.htons(kind)))
                for kind in (0x0806, 0x86dd)}
        for ear in ears.values():
            ear.settimeout(5)
        arp, advertisements = (self.counters()["announcements"][k] for k in ("arp", "neighbour"))
        self.net.address("appliance", "steer0", "192.0.2.54/24", "2001:db8:2::54/64")
        mac = bytes.fromhex(self.kernels_mac().replace(":", ""))
        wanted = socket.inet_aton("192.0.2.54")
        while (frame := ears[0x0806].recv(2000))[28:32] != wanted:
            pass
        self.assertEqual(frame[:42], b"\xff" * 6 + mac + bytes.fromhex("08060001080006040001") + mac + wanted + bytes(6)
                         + wanted)
        wanted = socket.inet_pton(socket.AF_INET6, "2001:db8:2::54")
        while (frame := ears[0x86dd].recv(2000))[54] != 136 or frame[62:78] != wanted:
            pass
        self.assertEqual(frame[38:54], socket.inet_pton(socket.AF_INET6, "ff02::1"))
        until(lambda: self.counters()["announcements"]["arp"] >= arp + 2, 10, "the second gratuitous ARP")
        until(lambda: self.counters()["announcements"]["neighbour"] >= advertisements + 3, 10, "the third advertisement")

    def test_a_taken_interface_name_is_refused(self):
        net = self.net
        run("ip", "-n", net.full("appliance"), "link", "add", "steer0", "type", "veth", "peer", "name", "other")
        steer = self.daemon()
        self.assertEqual(steer.child.wait(20), 1)
        self.assertRegex(steer.text(), r" error .*:3: the exception interface steer0 cannot be made: there is an "
                                       r"interface of that name; choose another")


if __name__ == "__main__":
    unittest.main(verbosity=2)
