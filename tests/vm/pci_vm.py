"""A virtio NIC that DPDK drives, and beside it one that the kernel keeps.

    outside 10.88.0.2, fd88::2 ── vt0 ══ the port 10.88.0.1, fd88::1 (two queues, RSS)
    behind  10.90.0.2, fd90::2 ── vt1 ══ the kernel's NIC 10.90.0.1, fd90::1

usage: pci_vm.py BUILD uio|vfio (the folder with the guest's build in vm/)
"""

import pathlib
import sys
import unittest

from lab.network import Network

from appliance import V4, V6, Appliance, Outside
from machine import Machine, Tap, prepared

BUILD, KIND = pathlib.Path(sys.argv.pop(1)).resolve(), sys.argv.pop(1)
DRIVER = {"uio": "uio_pci_generic", "vfio": "vfio-pci"}[KIND]
IOMMU = ",iommu_platform=on" if KIND == "vfio" else ""
EDGE = {"edge.stream.example.", "node.stream.example.", "203.0.113.31"}
BEHIND4, BEHIND6 = "10.90.0.2", "fd90::2"
PORT = f"{{ workers: 2, ports: [{{ pci: '0000:00:03.0', addresses: [{V4}, '{V6}'] }}] }}"


def setUpModule():
    global outside, machine
    kernel = prepared(BUILD)
    network = unittest.enterModuleContext(Network("vm"))
    outside = Outside(network, queues=2, options=",rss=on,hash=on" + IOMMU)
    behind = Tap(network, "outside", "vt1", "02:00:00:00:90:01", 5)
    network.address("outside", "vt1", f"{BEHIND4}/24", f"{BEHIND6}/64")
    outside.resolver()
    machine = Machine(network, "outside", kernel, BUILD / "vm", [outside.tap, behind], bind=(DRIVER, [outside.tap]),
                      iommu=KIND == "vfio")
    own = machine.device(behind)
    machine.run(f"ip link set {own} up; ip address add 10.90.0.1/24 dev {own}; "
                f"ip address add fd90::1/64 dev {own} nodad")


class Pci(unittest.TestCase):
    def test_serves_on_two_queues(self):
        for address in (V4, V6):
            outside.run("ip", "neigh", "replace", address, "lladdr", outside.tap.mac, "dev", "vt0", "nud", "permanent")
        with Appliance(machine, PORT, upstream=BEHIND4) as appliance:
            print("  " + appliance.log().strip().splitlines()[-1])
            for server in (V4, V6):
                self.assertEqual(outside.short("www.stream.example", server=server), EDGE)
            self.assertEqual(appliance.total("stats", "upstream_queries"), 1, "the other was answered from the cache")
            for i in range(40):
                self.assertEqual(outside.short(f"n{i}.stream.example", server=(V4, V6)[i % 2]), {"203.0.113.99"})
            received = [worker["stats"]["rx_packets"] for worker in appliance.counters()]
            self.assertTrue(all(received), f"each queue gives packets to its worker: {received}")
            self.assertTrue(outside.ping("10.90.0.1"), "the kernel's NIC")
            print(f"  cached, forwarded, both families; packets by worker: {received}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
