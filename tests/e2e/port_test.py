"""AF_XDP steering, its sockets, and what follows the kernel's tables, on veth in namespaces of their own.

  client (c0 10.77.0.2, fd77::2) --- (s0 10.77.0.1, fd77::1) server --- (t0 10.78.0.1) transit (10.78.0.2)

The server's s0 is served by port_probe, which sends back what reaches it. Root only.
usage: port_test.py PORT_PROBE STEER_XDP_OBJECT
"""
import os
import socket
import sys
import tempfile
import time
import unittest

from scapy.all import Dot1Q, Ether, IP, IPv6, IPv6ExtHdrDestOpt, Raw, UDP, raw

from lab.network import Network, run
from port_lab import Program

PROBE, XDP_OBJECT = sys.argv.pop(1), sys.argv.pop(1)
SERVER4, CLIENT4, SERVER6, CLIENT6, TRANSIT4 = "10.77.0.1", "10.77.0.2", "fd77::1", "fd77::2", "10.78.0.2"


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Lab(unittest.TestCase):
    queues = 1

    def setUp(self):
        self.net = self.enterContext(Network("port"))
        for space in ("client", "server", "transit"):
            self.net.namespace(space)
        self.net.link(("server", "s0"), ("client", "c0"), self.queues)
        self.net.link(("server", "t1"), ("transit", "t0"))
        for space, device in (("client", "c0"), ("transit", "t0")):  # XDP sees whole checksums
            self.run_in(space, "ethtool", "-K", device, "tx", "off")
        self.address("server", "s0", f"{SERVER4}/24")
        self.address("client", "c0", f"{CLIENT4}/24")
        self.address("server", "s0", f"{SERVER6}/64")
        self.address("client", "c0", f"{CLIENT6}/64")
        self.address("server", "t1", "10.78.0.1/24")
        self.address("transit", "t0", f"{TRANSIT4}/24")
        self.run_in("client", "ip", "route", "add", "default", "via", SERVER4)
        self.run_in("transit", "ip", "route", "add", "default", "via", "10.78.0.1")
        self.run_in("server", "sysctl", "-qw", "net.ipv4.ip_forward=1")

    def run_in(self, space, *words):
        return self.net.run(space, *words).stdout

    def program(self, *words):
        program = Program(self.net, "server", *words)
        self.addCleanup(program.close)
        return program

    def address(self, space, device, address):
        """Adds it. A kernel's worker thread adds the local route of an IPv6 address, and may do so later; without it
        packets to the address are dropped (Ip6InAddrErrors)."""
        self.net.address(space, device, address)
        end = time.monotonic() + 15
        while ":" in address and not self.run_in(space, "ip", "-6", "route", "show", "table", "local", address.partition("/")[0]):
            self.assertLess(time.monotonic(), end, f"{address} has no local route")

    def probe(self, *words):
        probe = self.program(PROBE, "s0", *words)
        probe.until_word("ready")
        return probe

    def refused(self, *words):
        probe = self.program(PROBE, "s0", *words)
        sentence = probe.until_word("error")[-1]
        self.assertEqual(probe.process.wait(timeout=15), 1)
        return sentence

    def udp(self, space, address="", port=0):
        s = self.net.socket(space, family(address), socket.SOCK_DGRAM)
        self.addCleanup(s.close)
        s.settimeout(5)
        if address or port:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((address, port))
        return s

    def client_udp(self, version=4, port=0):
        return self.udp("client", CLIENT4 if version == 4 else CLIENT6, port)

    def frame_socket(self):
        """Sends Ethernet frames out of c0, and receives those that arrive there."""
        s = self.net.socket("client", socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.addCleanup(s.close)
        s.bind(("c0", 0))
        s.settimeout(5)
        return s

    def mac(self, space, device):
        return self.run_in(space, "cat", f"/sys/class/net/{device}/address").strip()

    def program_on(self, device="s0"):
        return "xdp" in self.run_in("server", "ip", "link", "show", "dev", device)

    def packets_until_marker(self, probe, version=4):
        """The packets that the probe got up to now: sends a packet of its own and reads up to it."""
        marker = self.client_udp(version)
        marker.sendto(b"marker", (SERVER4 if version == 4 else SERVER6, 53))
        port = marker.getsockname()[1]
        seen = probe.until(lambda line: line.startswith("packet") and line.split()[2] == str(port))
        self.assertEqual(marker.recv(100), b"marker")
        return [line.split()[1:] for line in seen[:-1] if line.startswith("packet")]


class Steering(Lab):
    def test_queries_of_both_families_are_received_and_answered(self):
        probe = self.probe()
        for version, server in ((4, SERVER4), (6, SERVER6)):
            s = self.client_udp(version)
            for size in (0, 1, 17, 512, 1452):
                s.sendto(b"q" * size, (server, 53))
                self.assertEqual(s.recv(2000), b"q" * size)
                line = probe.until_word("packet")[-1].split()
                self.assertEqual(line[3:], [server, "53", "-", str(size), "-"])

    def test_other_traffic_stays_with_the_kernel(self):
        probe = self.probe()
        with self.net.inside("server"):
            listener = socket.create_server(("::", 53), family=socket.AF_INET6, dualstack_ipv6=True)
        self.addCleanup(listener.close)
        for server in (SERVER4, SERVER6):
            self.run_in("client", "ping", "-c", "3", "-i", "0.02", "-W", "2", server)
            with self.net.inside("client"):
                tcp = socket.create_connection((server, 53), timeout=5)
            self.addCleanup(tcp.close)
            other = self.udp("client", CLIENT4 if "." in server else CLIENT6)
            other.connect((server, 54))
            other.send(b"x")
            with self.assertRaises(ConnectionRefusedError):
                other.recv(100)
        self.assertEqual(self.packets_until_marker(probe), [])

    def test_transit_dns_is_not_touched(self):
        probe = self.probe()
        resolver = self.udp("transit", TRANSIT4, 53)
        s = self.client_udp()
        s.sendto(b"through", (TRANSIT4, 53))
        data, peer = resolver.recvfrom(100)
        self.assertEqual((data, peer[0]), (b"through", CLIENT4))
        resolver.sendto(b"back", peer)
        self.assertEqual(s.recv(100), b"back")
        # From the other side, on an interface that is not served: the kernel's listener on our address.
        kernel = self.udp("server", SERVER4, 53)
        resolver.sendto(b"local", (SERVER4, 53))
        self.assertEqual(kernel.recv(100), b"local")
        self.assertEqual(self.packets_until_marker(probe), [])

    def test_fragments_options_and_extension_headers_stay_with_the_kernel(self):
        probe = self.probe()
        kernel = self.udp("server", SERVER4, 53)
        kernel6 = self.udp("server", SERVER6, 53)
        s, s6 = self.client_udp(), self.client_udp(6)
        s.sendto(b"f" * 3000, (SERVER4, 53))
        self.assertEqual(len(kernel.recv(4000)), 3000)
        s6.sendto(b"f" * 3000, (SERVER6, 53))
        self.assertEqual(len(kernel6.recv(4000)), 3000)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\x01\x01\x01\x00")
        s.sendto(b"options", (SERVER4, 53))
        self.assertEqual(kernel.recv(100), b"options")
        to, by = self.mac("server", "s0"), self.mac("client", "c0")
        self.frame_socket().send(raw(Ether(dst=to, src=by) / IPv6(src=CLIENT6, dst=SERVER6) / IPv6ExtHdrDestOpt() /
                                     UDP(sport=5, dport=53) / Raw(b"extension")))
        self.assertEqual(kernel6.recv(100), b"extension")
        # Truncated packets and packets without a valid version are not ours.
        wire = self.frame_socket()
        good = raw(Ether(dst=to, src=by) / IP(src=CLIENT4, dst=SERVER4) / UDP(sport=5, dport=53))
        for length in (14, 20, 34, 41):
            wire.send(good[:length])
        wire.send(good[:14] + b"\x55" + good[15:])
        mapped = IPv6(src="::ffff:" + CLIENT4, dst="::ffff:" + SERVER4) / UDP(sport=5, dport=53)
        wire.send(raw(Ether(dst=to, src=by) / mapped))
        self.assertEqual(self.packets_until_marker(probe), [])

    def test_only_configured_vlans_are_received(self):
        probe = self.probe()
        to, by = self.mac("server", "s0"), self.mac("client", "c0")
        wire = self.frame_socket()

        def tagged(*tags):
            frame = Ether(dst=to, src=by)
            for tag in tags:
                frame /= Dot1Q(vlan=tag, prio=3)
            return raw(frame / IP(src=CLIENT4, dst=SERVER4) / UDP(sport=4000 + tags[0], dport=53) / Raw(b"tagged"))

        wire.send(tagged(10))
        self.assertEqual(self.packets_until_marker(probe), [])
        probe.ask("vlans 10 11")
        for tags in ((10,), (11,), (12,), (10, 20), (10, 20, 30)):
            wire.send(tagged(*tags))
        self.assertEqual([p[4] for p in self.packets_until_marker(probe)], ["10", "11"])
        probe.ask("vlans 11")
        wire.send(tagged(10))
        wire.send(tagged(11))
        self.assertEqual([p[4] for p in self.packets_until_marker(probe)], ["11"])

    def test_replies_are_received_only_from_upstreams_to_our_ports(self):
        probe = self.probe("--upstreams", f"{CLIENT4}:5301,{CLIENT6}:5301")
        kernel = self.udp("server", SERVER4, 30000)
        upstream, upstream6, stranger = self.client_udp(4, 5301), self.client_udp(6, 5301), self.client_udp(4, 5302)
        for port in (10239, 10240, 26623, 26624):
            upstream.sendto(b"r", (SERVER4, port))
            upstream6.sendto(b"r", (SERVER6, port))
            stranger.sendto(b"r", (SERVER4, port))
        taken = [(p[0], p[3]) for p in self.packets_until_marker(probe)]
        self.assertEqual(sorted(taken), [(a, p) for a in (CLIENT4, CLIENT6) for p in ("10240", "26623")])
        upstream.sendto(b"not ours", (SERVER4, 30000))
        self.assertEqual(kernel.recv(100), b"not ours")

        probe.ask(f"upstreams {CLIENT4}:5302")
        upstream.sendto(b"r", (SERVER4, 10240))
        stranger.sendto(b"r", (SERVER4, 10240))
        self.assertEqual([p[1] for p in self.packets_until_marker(probe)], ["5302"])

    def test_many_packets_leak_no_frame(self):
        for words in ([], ["foreign"]):
            probe = self.probe()
            probe.ask("quiet")
            for word in words:
                probe.ask(word)
            before = int(probe.ask("count")[-1].split()[2])
            s = self.client_udp()
            total, window = 12800, 64  # six times round each ring
            for start in range(0, total, window):
                for n in range(start, start + window):
                    s.sendto(n.to_bytes(4, "big"), (SERVER4, 53))
                got = {int.from_bytes(s.recv(100), "big") for _ in range(window)}
                self.assertEqual(got, set(range(start, start + window)))
            received, in_use, dropped = map(int, probe.ask("count")[-1].split()[1:])
            self.assertEqual((received, dropped), (total, 0))
            # What is not in the pool is with the kernel to be filled, or returning from being sent.
            self.assertLessEqual(abs(in_use - before), 2 * window)
            self.assertEqual(probe.end(), 0)


class Life(Lab):
    def test_a_clean_end_removes_the_program(self):
        probe = self.probe()
        self.assertTrue(self.program_on())
        reserved = self.run_in("server", "sysctl", "-n", "net.ipv4.ip_local_reserved_ports").strip()
        self.assertEqual(reserved, "10240-26623")
        self.assertEqual(probe.end(), 0)
        self.assertFalse(self.program_on())
        self.assertEqual(self.run_in("server", "sysctl", "-n", "net.ipv4.ip_local_reserved_ports").strip(), "")

    def test_a_kill_leaves_no_program_and_a_new_start_serves(self):
        probe = self.probe()
        self.packets_until_marker(probe)
        probe.kill()
        self.assertFalse(self.program_on())
        kernel = self.udp("server", SERVER4, 53)
        self.client_udp().sendto(b"for the kernel", (SERVER4, 53))
        self.assertEqual(kernel.recv(100), b"for the kernel")
        self.packets_until_marker(self.probe())

    def test_a_left_over_program_of_steerdns_is_replaced(self):
        self.run_in("server", "ip", "link", "set", "dev", "s0", "xdp", "obj", XDP_OBJECT, "sec", "xdp")
        self.assertTrue(self.program_on())
        self.packets_until_marker(self.probe())

    def test_a_foreign_program_is_named_and_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            source, built = os.path.join(folder, "x.c"), os.path.join(folder, "x.o")
            with open(source, "w", encoding="ascii") as f:
                f.write('__attribute__((section("xdp"), used)) int stranger(void *c) { return 2; }\n'
                        'char l[] __attribute__((section("license"), used)) = "GPL";\n')
            run("clang", "-O2", "-g", "-target", "bpf", "-c", source, "-o", built)
            self.run_in("server", "ip", "link", "set", "dev", "s0", "xdp", "obj", built, "sec", "xdp")
        self.assertRegex(self.refused(), 's0 has the XDP program "stranger" .* `ip link set dev s0 xdp off`')
        self.assertTrue(self.program_on())

    def test_a_second_daemon_does_not_take_packets_from_the_first(self):
        probe = self.probe()
        self.assertRegex(self.refused(), rf"another SteerDNS that is still running \(pid {probe.process.pid}, port_probe\)")
        self.packets_until_marker(probe)

    def test_a_kernel_without_bpf_links_is_supported(self):
        """As before Linux 5.9: a killed daemon leaves its program, and the next start replaces it."""
        probe = self.probe("--no-link")
        self.packets_until_marker(probe)
        self.assertRegex(self.refused(), rf"another SteerDNS that is still running \(pid {probe.process.pid}, port_probe\)")
        self.packets_until_marker(probe)
        probe.kill()
        self.assertTrue(self.program_on())
        kernel = self.udp("server", SERVER4, 53)
        self.client_udp().sendto(b"for the kernel", (SERVER4, 53))
        self.assertEqual(kernel.recv(100), b"for the kernel")
        again = self.probe("--no-link")
        self.packets_until_marker(again)
        self.assertEqual(again.end(), 0)
        self.assertFalse(self.program_on())
        linked = self.probe("--no-link")
        linked.kill()
        self.packets_until_marker(self.probe())

    def test_an_mtu_too_large_for_xdp_is_refused(self):
        for space, device in (("server", "s0"), ("client", "c0")):
            self.run_in(space, "ip", "link", "set", "dev", device, "mtu", "9000")
        self.assertIn("MTU of 9000", self.refused())
        self.assertFalse(self.program_on())
        for space, device in (("server", "s0"), ("client", "c0")):
            self.run_in(space, "ip", "link", "set", "dev", device, "mtu", "3490")
        probe = self.probe()
        s = self.client_udp()
        s.sendto(b"j" * 3400, (SERVER4, 53))
        self.assertEqual(len(s.recv(4000)), 3400)
        self.assertEqual(probe.end(), 0)

    def test_a_missing_interface_is_refused(self):
        probe = self.program(PROBE, "nosuch0")
        self.assertIn("there is no interface nosuch0 here (there are: lo, ", probe.until_word("error")[-1])

    def test_missing_permissions_are_named(self):
        # As in a container: the network's root, but no BPF.
        probe = self.program("setpriv", "--bounding-set", "-all,+net_admin,+net_raw,+setpcap",
                             "--inh-caps", "-all", PROBE, "s0")
        self.assertRegex(probe.until_word("error")[-1], "start as root, or with CAP_BPF")


class OnABridge(Lab):
    """A device whose driver has no XDP of its own: the kernel's generic one, and sockets that copy."""

    def setUp(self):
        super().setUp()
        self.run_in("server", "ip", "address", "flush", "dev", "s0")
        self.run_in("server", "ip", "link", "add", "b0", "type", "bridge")
        self.run_in("server", "ip", "link", "set", "s0", "master", "b0")
        self.run_in("server", "ip", "link", "set", "b0", "up")
        for address in (f"{SERVER4}/24", f"{SERVER6}/64"):
            self.address("server", "b0", address)

    def test_a_bridge_is_served_by_generic_xdp(self):
        probe = self.program(PROBE, "b0", "--upstreams", f"{CLIENT4}:53")
        lines = probe.until_word("ready")
        self.assertEqual(lines[-1], "ready generic 1")
        self.assertTrue(any(line.startswith(f"hop {CLIENT4} port") for line in lines))
        for version in (4, 6):
            self.assertEqual(self.packets_until_marker(probe, version), [])
        self.run_in("client", "ping", "-c", "1", "-W", "2", SERVER4)
        self.assertEqual(probe.end(), 0)
        self.assertFalse(self.program_on("b0"))


class Tap(Lab):
    def test_a_tap_exchanges_packets_with_the_kernel(self):
        probe = self.program(PROBE, "--vdev", "net_tap", "iface=tp0")
        self.assertEqual(probe.until_word("ready")[-1], "ready tp0 1")
        for address, far in (("10.79.0.1/24", "10.79.0.2"), ("fd79::1/64", "fd79::2")):
            self.address("server", "tp0", address)
            self.run_in("server", "ip", "neigh", "add", far, "lladdr", "02:00:00:00:79:02", "dev", "tp0")
            s = self.udp("server", address.split("/", maxsplit=1)[0])
            s.sendto(b"through the tap", (far, 53))
            self.assertEqual(s.recv(100), b"through the tap")
        self.assertEqual(probe.end(), 0)
        self.assertNotIn("tp0", self.run_in("server", "ip", "link"))


class TwoQueues(Lab):
    queues = 2

    def test_all_queues_are_bound(self):
        probe = self.program(PROBE, "s0")
        self.assertEqual(probe.until_word("ready")[-1].split()[2], "2")
        for _ in range(20):  # other source ports, other queues
            self.packets_until_marker(probe)

    def test_a_wrong_number_of_queues_is_refused_with_the_ethtool_command(self):
        self.assertIn("`ethtool -L s0 rx 1 tx 1`", self.refused("--queues", "1"))
        self.assertFalse(self.program_on())
        self.run_in("client", "ethtool", "-L", "c0", "rx", "1", "tx", "1")
        self.run_in("server", "ethtool", "-L", "s0", "rx", "1", "tx", "1")
        self.packets_until_marker(self.probe("--queues", "1"))


class NextHops(Lab):
    FAR = "203.0.113.53"

    def hop(self, probe, upstream, *fields):
        return probe.until(lambda line: line.split()[:2 + len(fields)] == ["hop", upstream, *fields])[-1].split()

    def start(self, *upstreams):
        probe = self.program(PROBE, "s0", "--upstreams", ",".join(f"{u}:53" for u in upstreams))
        return probe

    def test_neighbours_are_known_before_the_first_query(self):
        probe = self.start(CLIENT4, CLIENT6, "127.0.0.1", TRANSIT4, "::")  # the last: an id not in use
        lines = [line.split()[1:] for line in probe.until_word("ready") if line.startswith("hop ")]
        index = self.run_in("server", "cat", "/sys/class/net/s0/ifindex").strip()
        peer = self.mac("client", "c0")
        self.assertEqual(lines[:2], [[CLIENT4, "port", index, peer, SERVER4], [CLIENT6, "port", index, peer, SERVER6]])
        self.assertEqual([line[:2] for line in lines[2:]],
                         [["127.0.0.1", "kernel"], [TRANSIT4, "kernel"], ["::", "nothing"]])

    def test_routes_are_followed(self):
        probe = self.start(self.FAR)
        self.hop(probe, self.FAR, "nothing")
        probe.until_word("ready")
        self.run_in("server", "ip", "route", "add", "203.0.113.0/24", "via", CLIENT4)
        self.assertEqual(self.hop(probe, self.FAR, "port")[4:], [self.mac("client", "c0"), SERVER4])
        self.run_in("server", "ip", "rule", "add", "to", self.FAR, "prohibit")
        self.hop(probe, self.FAR, "nothing")
        self.run_in("server", "ip", "rule", "del", "to", self.FAR, "prohibit")
        self.hop(probe, self.FAR, "port")
        self.run_in("server", "ip", "route", "replace", "203.0.113.0/24", "via", TRANSIT4)
        self.hop(probe, self.FAR, "kernel")
        self.run_in("server", "ip", "route", "replace", "203.0.113.0/24", "via", "inet6", CLIENT6)
        self.assertEqual(self.hop(probe, self.FAR, "port")[4:], [self.mac("client", "c0"), SERVER4])

    def test_a_late_neighbour_is_found(self):
        late = "10.77.0.99"
        probe = self.start(late)
        self.hop(probe, late, "nothing")
        probe.until(lambda line: line.startswith("ready"))
        self.run_in("server", "ip", "neigh", "flush", "dev", "s0")
        self.address("client", "c0", f"{late}/24")
        self.hop(probe, late, "port")
        # The other end changes its MAC, as when a router is swapped.
        self.run_in("client", "ip", "link", "set", "dev", "c0", "address", "02:00:00:00:77:99")
        self.run_in("client", "ping", "-c", "1", "-W", "2", "-I", late, SERVER4)
        self.run_in("server", "ip", "neigh", "flush", "dev", "s0")
        probe.until(lambda line: line.startswith(f"hop {late} port") and "02:00:00:00:77:99" in line)

    def test_addresses_and_links_are_followed(self):
        probe = self.start(CLIENT4)
        probe.until_word("ready")
        for new, version in (("10.77.0.7", 4), ("fd77::7", 6)):
            s = self.client_udp(version)
            self.address("server", "s0", f"{new}/{24 if version == 4 else 64}")
            probe.until(lambda line, new=new: line.startswith("served") and new in line.split())
            s.sendto(b"new", (new, 53))
            self.assertEqual(s.recv(100), b"new")
        self.run_in("server", "ip", "address", "del", "10.77.0.7/24", "dev", "s0")
        probe.until(lambda line: line.startswith("served") and "10.77.0.7" not in line.split())
        self.run_in("client", "ip", "link", "set", "dev", "c0", "down")
        self.hop(probe, CLIENT4, "nothing")
        self.run_in("client", "ip", "link", "set", "dev", "c0", "up")
        self.hop(probe, CLIENT4, "port")


if __name__ == "__main__":
    unittest.main(verbosity=2)
