"""A virtio NIC that DPDK drives with two queues, one whose wire has VLANs, and one that the kernel keeps.

    outside 10.88.0.2, fd88::2 ── vt0 ══ 10.88.0.1, fd88::1 (pci, two queues by RSS; the kernel's side is steer0)
    stations, tags and all     ── wire ═ 10.89.0.1 (pci; steer1)
    behind  10.90.0.2, fd90::2 ── vt1 ══ 10.90.0.1, fd90::1 (the kernel's)

usage: pci_vm.py BUILD uio|vfio (the folder with the guest's build in vm/)
"""

import json
import pathlib
import sys
import unittest

from lab.network import Network, until

from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, UDP

from appliance import V4, V6, Appliance, Outside
from machine import Machine, Tap, Wire, prepared
from stations import Station

BUILD, KIND = pathlib.Path(sys.argv.pop(1)).resolve(), sys.argv.pop(1)
DRIVER = {"uio": "uio_pci_generic", "vfio": "vfio-pci"}[KIND]
IOMMU = ",iommu_platform=on" if KIND == "vfio" else ""
INTERRUPTS = {"uio": "no receive interrupts by uio_pci_generic", "vfio": "receive interrupts"}[KIND]
EDGE = {"edge.stream.example.", "node.stream.example.", "203.0.113.31"}
BEHIND4, BEHIND6 = "10.90.0.2", "fd90::2"
PORT = f"{{ workers: 2, ports: [{{ pci: '0000:00:03.0', addresses: [{V4}/24, '{V6}/64'] }}%s] }}"


def setUpModule():
    global outside, wire, machine
    kernel = prepared(BUILD)
    network = unittest.enterModuleContext(Network("vm"))
    outside = Outside(network, queues=2, options=",rss=on,hash=on" + IOMMU)
    wire = Wire(network, "02:00:00:00:89:01", 4, IOMMU)
    behind = Tap(network, "outside", "vt1", "02:00:00:00:90:01", 5)
    network.address("outside", "vt1", f"{BEHIND4}/24", f"{BEHIND6}/64")
    outside.resolver()
    machine = Machine(network, "outside", kernel, BUILD / "vm", [outside.tap, wire, behind],
                      bind=(DRIVER, [outside.tap, wire]), iommu=KIND == "vfio")
    own = machine.device(behind)
    machine.run(f"ip link set {own} up; ip address add 10.90.0.1/24 dev {own}; "
                f"ip address add fd90::1/64 dev {own} nodad; "
                "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")


class Pci(unittest.TestCase):
    def test_serves_on_two_queues_and_the_kernel_has_the_rest(self):
        with Appliance(machine, PORT % "") as appliance:
            print("  " + appliance.log().strip().splitlines()[-1])
            self.assertIn("by RSS, checksums in software, " + INTERRUPTS, appliance.log())
            missed = appliance.fill_cache(outside, "www.stream.example")
            outside.run("ip", "neigh", "flush", "dev", "vt0")
            for server in (V4, V6):  # the first of each asks by ARP or ND
                self.assertTrue(outside.ping(server))
                self.assertEqual(outside.short("www.stream.example", server=server), EDGE)
                self.assertEqual(outside.short("+tcp", "www.stream.example", server=server), EDGE)
            neighbours = json.loads(outside.run("ip", "-j", "neigh", "show", "dev", "vt0"))
            found = {n["dst"]: n.get("lladdr") for n in neighbours}
            self.assertEqual([found.get(V4), found.get(V6)], [outside.tap.mac] * 2)
            self.assertEqual(appliance.total("stats", "cache_misses"), missed, "the others were answered from the cache")
            self.assertEqual(appliance.steerctl("status")["upstreams"][0]["via"], "port")
            for i in range(40):
                self.assertEqual(outside.short(f"n{i}.stream.example", server=(V4, V6)[i % 2]), {"203.0.113.99"})
            received = [worker["stats"]["rx_packets"] for worker in appliance.counters()]
            self.assertTrue(all(received), f"each queue gives packets to its worker: {received}")
            for address in ("10.90.0.1", "fd90::1"):
                self.assertTrue(outside.ping(address), "the kernel's own NIC, beside it")
            print("  cached, forwarded, TCP, ping, ARP, ND, both families, the kernel's NIC beside it; "
                  f"packets by worker: {received}")

    def test_an_upstream_behind_the_kernels_nic_is_asked(self):
        with Appliance(machine, PORT % "", upstream=BEHIND4) as appliance:
            self.assertEqual(outside.short("www.stream.example"), EDGE)
            self.assertEqual(appliance.steerctl("status")["upstreams"][0]["via"], "kernel")

    def test_a_vlan_is_served(self):
        hosts = {(): ["10.89.0.2"], (10,): ["10.89.10.2", "fd89:10::2"]}
        station = self.enterContext(Station(wire, hosts, {"n1.example": "203.0.113.1"}))
        ports = PORT % ", { pci: '0000:00:04.0', addresses: [10.89.0.1/24] }"
        with Appliance(machine, ports, upstream="10.89.0.2") as appliance:
            machine.run("ip link add link steer1 name steer1.10 type vlan id 10; ip link set steer1.10 up; "
                        "ip address add 10.89.10.1/24 dev steer1.10; ip address add fd89:10::1/64 dev steer1.10 nodad")
            tagged = ("10.89.10.1", "fd89:10::1")
            until(lambda: set(tagged) <= set(appliance.steerctl("status")["addresses"]), 20, "VLAN 10 is served", 0.2)
            for address in tagged:
                with self.subTest(address):
                    self.assertEqual(station.mac((10,), address, 10), wire.mac)
                    self.assertEqual(station.ask((10,), address, "n1.example"), "203.0.113.1")
                    self.assertTrue(station.ping((10,), address))
                    self.assertTrue(station.connects((10,), address))
            self.assertEqual(station.mac((), "10.89.0.1"), wire.mac)
            self.assertEqual(station.ask((), "10.89.0.1", "n1.example"), "203.0.113.1")
            self.assertEqual(set(station.asked), {((), "n1.example")})
        print("  VLAN 10: ARP, ND, UDP, ping, TCP, both families; untagged beside it")

    def test_an_answer_leaves_by_the_clients_route(self):
        """The queries come from a router that is not the gateway of the client's route: 10.89.0.9, then 10.89.10.9 in VLAN 10."""
        hosts = {(): ["10.89.0.2", "10.89.0.9"], (10,): ["10.89.10.9"]}
        station = self.enterContext(Station(wire, hosts, {"n1.example": "203.0.113.1"}))
        other_router = "02:00:00:00:89:77"
        ports = PORT % ", { pci: '0000:00:04.0', addresses: [10.89.0.1/24] }"
        with Appliance(machine, ports.replace("{", "{ reply: route, allow: [0.0.0.0/0],", 1), upstream="10.89.0.2") as appliance:
            machine.run("ip link add link steer1 name steer1.10 type vlan id 10; ip link set steer1.10 up; "
                        "ip address add 10.89.10.1/24 dev steer1.10")

            def answered_to(tags, client):
                query = IP(src=client, dst="10.89.0.1") / UDP(sport=20000, dport=53) / DNS(
                    id=9, rd=1, qd=DNSQR(qname="n1.example"))
                seen = []

                def wanted(frame):
                    if DNS in frame and frame[DNS].qr == 1 and frame[IP].dst == client:
                        seen.append(frame.dst)
                    return bool(seen)
                station.exchange((), query, wanted, 3, source=other_router, back=tags)
                return seen[-1] if seen else None
            machine.run("ip route add 198.51.100.0/24 via 10.89.0.9; ip route add 198.51.101.0/24 via 10.89.10.9")
            self.addCleanup(machine.run, "ip route del 198.51.100.0/24 2>/dev/null; true")
            until(lambda: answered_to((), "198.51.100.7") == station.mac_of_ours, 20, "the gateway gets the answer", 0.2)
            until(lambda: answered_to((10,), "198.51.101.7") == station.mac_of_ours, 20, "the gateway in VLAN 10 gets it", 0.2)
            self.assertEqual(answered_to((), "10.89.0.33"), other_router, "a neighbour is answered by the way that it came")
            self.assertGreater(appliance.total("stats", "replies_routed"), 1)
        print("  answers by the route: untagged, and by VLAN 10 for an untagged query")


if __name__ == "__main__":
    unittest.main(verbosity=2)
