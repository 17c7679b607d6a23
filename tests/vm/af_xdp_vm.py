"""AF_XDP on a virtio NIC with two queues, and what only a kernel with VLAN, VRF and dummy devices can be asked.

usage: af_xdp_vm.py BUILD (the folder with the guest's build in vm/)
"""

import pathlib
import sys
import unittest

from lab.network import Network, until

from appliance import OUTSIDE6, V4, V6, XDP_OPTIONS, Appliance, Outside
from machine import Machine, Wire, prepared
from stations import Station

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
EDGE = {"edge.stream.example.", "node.stream.example.", "203.0.113.31"}


def setUpModule():
    global outside, machine, wire
    kernel = prepared(BUILD)
    network = unittest.enterModuleContext(Network("vm"))
    outside = Outside(network, queues=2, options=XDP_OPTIONS)
    outside.resolver()
    wire = Wire(network, "02:00:00:00:89:01", 4, XDP_OPTIONS)
    machine = Machine(network, "outside", kernel, BUILD / "vm", [outside.tap, wire])
    machine.run(f"ip link set eth0 up; ip address add {V4}/24 dev eth0; ip address add {V6}/64 dev eth0 nodad")


PORT = "{ workers: 2, ports: [{ device: eth0, driver: af_xdp }] }"


class TwoQueues(unittest.TestCase):
    def test_serves_on_both_queues_and_the_kernel_has_the_rest(self):
        with Appliance(machine, PORT) as appliance:
            missed = appliance.fill_cache(outside, "www.stream.example")
            for server in (V4, V6):
                self.assertEqual(outside.short("www.stream.example", server=server), EDGE)
                self.assertEqual(outside.short("+tcp", "www.stream.example", server=server), EDGE)
                self.assertTrue(outside.ping(server))
            self.assertEqual(appliance.total("stats", "cache_misses"), missed, "the others were answered from the cache")
            # One socket a question: each has a source port, and a queue, of its own.
            for i in range(40):
                self.assertEqual(outside.short(f"n{i}.stream.example", server=(V4, V6)[i % 2]), {"203.0.113.99"})
            received = [worker["stats"]["rx_packets"] for worker in appliance.counters()]
            self.assertTrue(all(received), f"each queue gives packets to its worker: {received}")
            self.assertGreaterEqual(appliance.total("stats", "upstream_queries"), 41)
            print(f"  cached, forwarded, TCP, ping, both families; packets by worker: {received}")

    def test_an_upstream_of_the_other_family_is_asked(self):
        with Appliance(machine, PORT, upstream=f"udp://[{OUTSIDE6}]"):
            self.assertEqual(outside.short("www.stream.example"), EDGE)

    def test_fewer_queues_than_the_device_has_are_refused(self):
        appliance = Appliance(machine, "{ ports: [{ device: eth0, driver: af_xdp, queues: 1 }] }")
        sentence = appliance.ended()
        self.assertIn("ethtool -L eth0 combined 1", sentence)
        self.assertTrue(outside.ping(V4))
        print(f"  {sentence.strip()}")


class Vlans(unittest.TestCase):
    """Children of the served interface, by frames with their tags; nothing below the tags is simulated."""

    HOSTS = {(10,): ["10.89.10.2", "fd89:10::2"], (20, 30): ["10.89.30.2", "fd89:30::2"], (11,): ["10.89.11.2"],
             (): ["10.89.0.2"]}
    RECORDS = {f"n{i}.example": f"203.0.113.{i}" for i in range(100)}

    @classmethod
    def setUpClass(cls):
        machine.run("""set -e
            vlan() { ip link add link $1 name $1.$2 type vlan id $2; ip link set $1.$2 up; }
            sysctl -qw net.ipv6.conf.default.accept_dad=0
            ip link set eth1 up; ip address add 10.89.0.1/24 dev eth1
            vlan eth1 10; vlan eth1 20; vlan eth1.20 30
            for id in 10 30; do
                name=$(cd /sys/class/net; echo *.$id)
                ip address add 10.89.$id.1/24 dev $name; ip address add fd89:$id::1/64 dev $name
            done""")

    @classmethod
    def tearDownClass(cls):
        machine.run("ip link del eth1.10; ip link del eth1.20; ip address flush dev eth1")

    def serve(self, upstream):
        self.station = self.enterContext(Station(wire, self.HOSTS, self.RECORDS))
        return self.enterContext(Appliance(machine, "{ ports: [{ device: eth1, driver: af_xdp }] }", upstream=upstream))

    def test_one_and_two_tags_are_served(self):
        appliance = self.serve("10.89.0.2")
        for tags, ours in (((10,), "10"), ((20, 30), "30")):
            for address in (f"10.89.{ours}.1", f"fd89:{ours}::1"):
                with self.subTest(tags=tags, address=address):
                    self.assertEqual(self.station.mac(tags, address), wire.mac)
                    before = appliance.total("stats", "rx_packets")
                    self.assertEqual(self.station.ask(tags, address, "n1.example"), "203.0.113.1")
                    self.assertGreater(appliance.total("stats", "rx_packets"), before, "it came by the port")
                    self.assertTrue(self.station.ping(tags, address))
                    self.assertTrue(self.station.connects(tags, address))
        self.assertEqual(set(self.station.asked), {((), "n1.example")})
        print("  VLAN 10 and 20.30: ARP, ND, UDP, ping, TCP, both families")

    def test_an_upstream_in_a_vlan_is_asked(self):
        for upstream, tags in (("10.89.30.2", (20, 30)), ("udp://[fd89:10::2]", (10,))):
            with self.subTest(upstream):
                appliance = self.serve(upstream)
                self.assertEqual(self.station.ask((10,), "10.89.10.1", "n2.example"), "203.0.113.2")
                self.assertEqual(set(self.station.asked), {(tags, "n2.example")})
                via = appliance.steerctl("status")["upstreams"][0]["via"]
                print(f"  an upstream behind {tags} is asked by the {via}")
                self.doCleanups()

    def test_a_vlan_that_comes_and_goes_is_followed(self):
        self.serve("10.89.0.2")
        self.assertIsNone(self.station.ask((11,), "10.89.10.1", "n3.example", seconds=0.5), "not our VLAN")
        machine.run("ip link add link eth1 name eth1.11 type vlan id 11; ip link set eth1.11 up; "
                    "ip address add 10.89.11.1/24 dev eth1.11")
        until(lambda: self.station.ask((11,), "10.89.11.1", "n3.example", seconds=0.3), 5, "VLAN 11 is served")
        machine.run("ip link del eth1.11")
        until(lambda: not self.station.ask((11,), "10.89.11.1", "n3.example", seconds=0.3), 5, "VLAN 11 is gone")
        self.assertEqual(self.station.ask((10,), "10.89.10.1", "n3.example"), "203.0.113.3")


class OtherDevices(unittest.TestCase):
    def test_an_anycast_address_on_a_dummy_is_served(self):
        anycast4, anycast6 = "198.18.0.53", "fd18::53"
        machine.run(f"ip link add any0 type dummy; ip link set any0 up; ip address add {anycast4}/32 dev any0; "
                    f"ip address add {anycast6}/128 dev any0 nodad")
        self.addCleanup(machine.run, "ip link del any0")
        outside.run("ip", "route", "add", anycast4, "via", V4)
        outside.run("ip", "route", "add", anycast6, "via", V6)
        ports = f"[{{ device: eth0, driver: af_xdp, addresses: [{V4}, '{V6}', {anycast4}, '{anycast6}'] }}]"
        with Appliance(machine, f"{{ workers: 2, ports: {ports} }}") as appliance:
            for server in (anycast4, anycast6, V4, V6):
                before = appliance.total("stats", "rx_packets")
                self.assertEqual(outside.short("node.stream.example", server=server), {"203.0.113.31"})
                self.assertGreater(appliance.total("stats", "rx_packets"), before, "it came by the port")
                self.assertEqual(outside.short("+tcp", "node.stream.example", server=server), {"203.0.113.31"})
                self.assertTrue(outside.ping(server))
        print("  anycast addresses on a dummy: UDP by the port, TCP, ping, both families")

    def test_an_upstream_behind_a_vrf_is_asked(self):
        machine.run("""set -e
            ip link add vrf0 type vrf table 100; ip link set vrf0 up
            ip link set eth1 up; ip link set eth1 master vrf0; ip address add 10.89.0.1/24 dev eth1
            ip route add 10.89.0.0/24 dev vrf0""")
        self.addCleanup(machine.run, "ip link del vrf0; ip address flush dev eth1")
        # A VRF's packets are for sockets bound to it only.
        self.assertEqual(machine.run("sysctl -n net.ipv4.udp_l3mdev_accept net.ipv4.tcp_l3mdev_accept").split(), ["0", "0"])
        station = self.enterContext(Station(wire, {(): ["10.89.0.2"]}, {"n4.example": "203.0.113.4"}))
        with Appliance(machine, PORT, upstream="10.89.0.2") as appliance:
            self.assertEqual(outside.short("n4.example"), {"203.0.113.4"})
            self.assertEqual(set(station.asked), {((), "n4.example")})
            self.assertEqual(appliance.steerctl("status")["upstreams"][0]["via"], "kernel")
        print("  an upstream in a VRF is asked by the kernel")

    def test_all_interfaces_may_be_in_a_vrf(self):
        """The main table has no route: the upstream is in the VRF of the port."""
        machine.run("ip link add vrf2 type vrf table 102; ip link set vrf2 up; ip link set eth0 master vrf2; "
                    f"ip address add {V6}/64 dev eth0 nodad; ip link set eth1 up; ip link set eth1 master vrf2; "
                    "ip address add 10.89.0.1/24 dev eth1")
        self.addCleanup(machine.run, "ip link del vrf2; ip address flush dev eth1; "
                                     f"ip address replace {V6}/64 dev eth0 nodad")
        self.enterContext(Station(wire, {(): ["10.89.0.2"]}, {"n6.example": "203.0.113.6"}))
        with Appliance(machine, PORT, upstream="10.89.0.2") as appliance:
            self.assertEqual(outside.short("n6.example"), {"203.0.113.6"})
            self.assertEqual(appliance.steerctl("status")["upstreams"][0]["via"], "kernel")
        print("  an upstream that only the port's VRF reaches is asked there")

    def test_a_port_in_a_vrf_is_served(self):
        machine.run("ip link add vrf1 type vrf table 101; ip link set vrf1 up; ip link set eth0 master vrf1; "
                    f"ip address add {V6}/64 dev eth0 nodad; ip link set eth1 up; ip address add 10.89.0.1/24 dev eth1")
        self.addCleanup(machine.run, "ip link del vrf1; ip address flush dev eth1; "
                                     f"ip address replace {V6}/64 dev eth0 nodad")
        self.enterContext(Station(wire, {(): ["10.89.0.2"]}, {"n5.example": "203.0.113.5"}))
        with Appliance(machine, PORT, upstream="10.89.0.2"):
            for server in (V4, V6):
                self.assertEqual(outside.short("n5.example", server=server), {"203.0.113.5"})
                self.assertEqual(outside.short("+tcp", "n5.example", server=server), {"203.0.113.5"})
                self.assertTrue(outside.ping(server))
        print("  a port in a VRF serves UDP, TCP and ping")


if __name__ == "__main__":
    unittest.main(verbosity=2)
