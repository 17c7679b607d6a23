"""The packets of tests/e2e/packet_cases.py on virtio NICs under DPDK: one as it is, and a VLAN of another. One
queue each, so that what is sent first is there first.

    client 10.88.0.2, fd88::2       ── vt0 ══ 10.88.0.1, fd88::1 (pci; the kernel's side is steer0, a TAP)
           10.88.0.53 the upstream
    tagged 10.89.10.2, fd89:10::2 ── tag0 ═ VLAN 10 ═ 10.89.10.1, fd89:10::1 (pci; steer1.10, by vhost-net)

usage: packets_vm.py BUILD (the folder with the guest's build in vm/)
"""

import pathlib
import sys
import unittest

from case_tests import with_cases
from lab.network import Network, until
from packet_place import Place, Side

from appliance import OUTSIDE4, OUTSIDE6, V4, V6, Appliance, Outside
from machine import Machine, VlanTap, prepared

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
E2E = pathlib.Path(__file__).resolve().parent.parent / "e2e"
UPSTREAM = "10.88.0.53"
UNTAGGED = [Side(4, V4, OUTSIDE4, "10.88.0.99"), Side(6, V6, OUTSIDE6, "fd88::99")]
TAGGED = [Side(4, "10.89.10.1", "10.89.10.2", "10.89.10.99"), Side(6, "fd89:10::1", "fd89:10::2", "fd89:10::99")]
PORTS = (f"{{ ports: [ {{ pci: '0000:00:03.0', addresses: [ {V4}/24, '{V6}/64' ], exception_driver: tap }}, "
         "{ pci: '0000:00:04.0', exception_driver: vhost } ] }")


def setUpModule():
    global network, outside, vlan
    kernel = prepared(BUILD)
    network = unittest.enterModuleContext(Network("vm"))
    outside = Outside(network)
    network.address("outside", "vt0", f"{UPSTREAM}/24")
    network.start("outside", "upstream", "/usr/bin/python3", str(E2E / "sized_upstream.py"), UPSTREAM).wait_for("ready")
    network.namespace("tagged")
    vlan = VlanTap(network, "tagged", "tag0", 10, "02:00:00:00:89:01", 4)
    network.address("tagged", "tag0", *(f"{s.client}/{24 if s.family == 4 else 64}" for s in TAGGED))
    machine = Machine(network, "outside", kernel, BUILD / "vm", [outside.tap, vlan],
                      bind=("uio_pci_generic", [outside.tap, vlan]))
    machine.run("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")
    appliance = unittest.enterModuleContext(Appliance(machine, PORTS, upstream=UPSTREAM))
    machine.run("ip link add link steer1 name steer1.10 type vlan id 10; ip link set steer1.10 up")
    for side in TAGGED:
        machine.run(f"ip address add {side.ours}/{24 if side.family == 4 else 64} dev steer1.10")
    ours = {side.ours for side in UNTAGGED + TAGGED}
    until(lambda: ours <= set(appliance.steerctl("status")["addresses"]), 20, "VLAN 10 is served", 0.2)


def place_at(space: str, device: str, mac: str, sides: list[Side]) -> Place:
    for side in sides:  # what a case asks by ARP or ND is not asked by the client's kernel at the same time
        network.run(space, "ip", "neigh", "replace", side.ours, "lladdr", mac, "dev", device)
    return Place(network, space, device, mac, sides, filters_macs=True)


@with_cases
class Untagged(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = place_at("outside", "vt0", outside.tap.mac, UNTAGGED)
        cls.addClassCleanup(cls.place.close)


@with_cases
class Tagged(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = place_at("tagged", "tag0", vlan.mac, TAGGED)
        cls.addClassCleanup(cls.place.close)


if __name__ == "__main__":
    unittest.main(verbosity=2)
