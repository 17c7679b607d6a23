"""A machine with two NUMA nodes: the memory of workers is on their node, and what crosses nodes is reported.

    outside ── vt0 ══ the guest's NIC, on node 1; CPUs 0, 1 are on node 0 and 2, 3 on node 1

usage: numa_vm.py BUILD (the folder with the guest's build in vm/)
"""

import pathlib
import re
import sys
import unittest

from lab.network import Network

from appliance import V4, XDP_OPTIONS, Appliance, Outside
from machine import Machine, prepared

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
NODES = [word for node in (0, 1) for word in ("-object", f"memory-backend-ram,id=m{node},size=1G", "-numa",
                                              f"node,nodeid={node},cpus={2 * node}-{2 * node + 1},memdev=m{node}")]
PORT = "{ workers: %s, memory: 192MiB, ports: [{ device: %s, driver: af_packet }] }"
PAGES = "/sys/devices/system/node/node{}/hugepages/hugepages-2048kB/{}_hugepages"
CHECK = "/run/build/steerdnsd --check --config /run/steerdns.yaml 2>&1"


def setUpModule():
    global machine, nic
    kernel = prepared(BUILD)
    network = unittest.enterModuleContext(Network("vm"))
    outside = Outside(network, options=XDP_OPTIONS)
    machine = Machine(network, "outside", kernel, BUILD / "vm", [outside.tap], cpus=4, memory=2048, words=tuple(NODES))
    nic = machine.device(outside.tap)
    machine.run(f"echo 1 >/sys/bus/pci/devices/0000:00:03.0/numa_node; ip link set {nic} up; ip address add {V4}/24 dev {nic}")


def give_pages(*counts: int) -> None:
    for node, count in enumerate(counts):
        machine.run(f"echo {count} >{PAGES.format(node, 'nr')}")


def megabytes(mapping: str) -> list[float]:
    """What the daemon has on each node of the mappings whose line has this text."""
    sums = [0.0, 0.0]
    for line in machine.run("cat /proc/$(cat /run/steerdnsd.pid)/numa_maps").splitlines():
        kib = re.search(r"kernelpagesize_kB=(\d+)", line)
        if mapping in line and kib:
            for node, pages in re.findall(r" N([01])=(\d+)", line):
                sums[int(node)] += int(pages) * int(kib[1]) / 1024
    return sums


class Numa(unittest.TestCase):
    def test_each_structure_is_on_the_node_of_its_worker(self):
        give_pages(64, 64)
        for node in (1, 0):
            output = machine.run(f"/run/build/tests/vm/numa_places -- {node} 2>&1", 120, check=False)
            print("  " + output.strip().replace("\n", "\n  "))
            self.assertIn("No errors detected", output)

    def test_workers_by_number_are_on_the_ports_node_with_all_hugepages(self):
        give_pages(128, 128)
        with Appliance(machine, PORT % ("2", nic)) as appliance:
            status = appliance.steerctl("status")
            self.assertEqual({(worker["cpu"], worker["memory_node"]) for worker in status["workers"]}, {(2, 1), (3, 1)})
            self.assertEqual([problem for problem in status["problems"] if problem["subject"] == "memory"], [])
            self.assertNotIn("NUMA", appliance.log())
            self.check_hugepages(1)

    def check_hugepages(self, node: int) -> None:
        on_node = megabytes(" huge ")
        print(f"  workers of node {node}: MiB in hugepages by node: {on_node}")
        self.assertGreater(on_node[node], 50)
        self.assertEqual(on_node[1 - node], 0)

    def test_without_hugepages_memory_is_on_the_workers_node(self):
        give_pages(0, 0)
        with Appliance(machine, PORT % ("[2, 3]", nic)):
            on_node = megabytes("")
            print(f"  without hugepages, MiB by node: {on_node}")
            # (Programs and libraries are where they were read first.)
            self.assertGreater(on_node[1], 3 * on_node[0])

    def test_what_crosses_nodes_is_reported_by_the_check_and_at_the_start(self):
        give_pages(128, 128)
        for workers, sentences in (("[0, 1]", [f"port {nic} is on NUMA node 1, and its workers are on another"]),
                                   ("[1, 2]", ["the workers are on several NUMA nodes (CPUs 1 on node 0, CPUs 2 on node 1)",
                                               f"port {nic} is on NUMA node 1, and some of its workers are on another"])):
            with Appliance(machine, PORT % (workers, nic)) as appliance:
                log = appliance.log()
                reported = [problem["text"] for problem in appliance.steerctl("status")["problems"] if problem["subject"] == "memory"]
                self.assertEqual(len(reported), len(sentences))
                if workers == "[0, 1]":
                    self.check_hugepages(0)
            checked = machine.run(CHECK)
            for sentence in sentences:
                self.assertIn(sentence, log)
                self.assertIn(sentence, checked)

    def test_hugepages_of_the_other_node_only_are_reported_and_used(self):
        give_pages(160, 0)
        with Appliance(machine, PORT % ("[2, 3]", nic)) as appliance:
            self.assertIn("NUMA node 1 has 0 MiB in free hugepages and its workers need 192 MiB", appliance.log())
            self.assertGreater(megabytes(" huge ")[0], 50)


if __name__ == "__main__":
    unittest.main(verbosity=2)
