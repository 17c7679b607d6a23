"""AF_XDP on a virtio NIC with two queues, and what only a kernel with VLAN, VRF and dummy devices can be asked.

usage: af_xdp_vm.py BUILD (the folder with the guest's build in vm/)
"""

import pathlib
import sys
import unittest

from lab.network import Network

from appliance import OUTSIDE4, OUTSIDE6, V4, V6, XDP_OPTIONS, Appliance, Outside
from machine import Machine, prepared

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
EDGE = {"edge.stream.example.", "node.stream.example.", "203.0.113.31"}


def setUpModule():
    global outside, machine
    kernel = prepared(BUILD)
    network = unittest.enterModuleContext(Network("vm"))
    outside = Outside(network, queues=2, options=XDP_OPTIONS)
    outside.resolver()
    machine = Machine(network, "outside", kernel, BUILD / "vm", [outside.tap])
    machine.run(f"ip link set eth0 up; ip address add {V4}/24 dev eth0; ip address add {V6}/64 dev eth0 nodad")


class TwoQueues(unittest.TestCase):
    def test_serves_on_both_and_the_kernel_has_the_rest(self):
        with Appliance(machine, "{ workers: 2, ports: [{ device: eth0, driver: af_xdp }] }") as appliance:
            for server in (V4, V6):
                self.assertEqual(outside.short("www.stream.example", server=server), EDGE)
                self.assertEqual(outside.short("+tcp", "www.stream.example", server=server), EDGE)
                self.assertTrue(outside.ping(server))
            self.assertEqual(appliance.total("stats", "upstream_queries"), 1, "the others were answered from the cache")
            # One socket a question: each has a source port, and a queue, of its own.
            for i in range(40):
                self.assertEqual(outside.short(f"n{i}.stream.example", server=(V4, V6)[i % 2]), {"203.0.113.99"})
            received = [worker["stats"]["rx_packets"] for worker in appliance.counters()]
            self.assertTrue(all(received), f"each queue gives packets to its worker: {received}")
            self.assertEqual(appliance.total("stats", "upstream_queries"), 41)
            print(f"  cached, forwarded, TCP, ping, both families; packets by worker: {received}")

    def test_an_upstream_of_the_other_family(self):
        with Appliance(machine, "{ workers: 2, ports: [{ device: eth0, driver: af_xdp }] }", upstream=f"udp://[{OUTSIDE6}]"):
            self.assertEqual(outside.short("www.stream.example"), EDGE)

    def test_fewer_queues_than_the_device_has(self):
        appliance = Appliance(machine, "{ ports: [{ device: eth0, driver: af_xdp, queues: 1 }] }")
        sentence = appliance.ended()
        self.assertIn("ethtool -L eth0 combined 1", sentence)
        self.assertTrue(outside.ping(V4))
        print(f"  {sentence.strip()}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
