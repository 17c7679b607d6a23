"""tools/nic-report between two machines.

    answerer 0000:00:03.0 ── a0 ═ bridge ═ a1 ── 0000:00:03.0 asker        (virtio with two queues, under DPDK)
              10.91.0.1    ── m0 ═ bridge ═ m1 ── 10.91.0.2                  (the kernel's, between the two)

usage: nic_report_vm.py BUILD (the folder with the guests' build in vm/)
"""

import json
import pathlib
import sys
import unittest

from lab.network import Network, until

from machine import Machine, Tap, prepared

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
TOOLS = pathlib.Path(__file__).resolve().parent.parent.parent / "tools"
COMMAND = f"PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={TOOLS} /usr/bin/python3 -m nic_report.run /run/build"
SIZES = [64, 128, 512]


def setUpModule():
    global answerer, asker
    kernel = prepared(BUILD)
    network = unittest.enterModuleContext(Network("vm"))
    network.namespace("wires")
    machines = []
    for i in (0, 1):
        nic = Tap(network, "wires", f"a{i}", f"02:00:00:00:90:0{i}", 3, 2, ",rx_queue_size=1024")
        management = Tap(network, "wires", f"m{i}", f"02:00:00:00:91:0{i}", 4)
        machines.append((nic, management))
    for bridge in ("a", "m"):
        network.run("wires", "ip", "link", "add", f"br{bridge}", "type", "bridge")
        network.run("wires", "ip", "link", "set", f"br{bridge}", "up")
        for i in (0, 1):
            network.run("wires", "ip", "link", "set", f"{bridge}{i}", "master", f"br{bridge}")
    answerer, asker = (
        Machine(network, "wires", kernel, BUILD / "vm", list(nics), bind=("uio_pci_generic", [nics[0]]), name=name)
        for nics, name in zip(machines, ("answerer", "asker")))
    for machine, nics, address in ((answerer, machines[0], "10.91.0.1"), (asker, machines[1], "10.91.0.2")):
        own = machine.device(nics[1])
        machine.run(f"ip link set {own} up; ip address add {address}/24 dev {own}")


class NicReport(unittest.TestCase):
    def test_counts_of_both_ends_agree(self):
        answerer.run(f"{COMMAND} answer --port 0000:00:03.0 --workers 2 >/run/answer.log 2>&1 &")
        until(lambda: "now run" in answerer.run("cat /run/answer.log"), 180, "the answering end serves", 0.5)
        text = asker.run(f"cd /run; {COMMAND} ask --port 0000:00:03.0 --peer 10.91.0.1 --queues 2 --seconds 2 "
                          f"--sizes {','.join(map(str, SIZES))}", 240)
        print("\n".join("  " + line for line in text.splitlines()))
        file = asker.run("cat /run/nic-report.txt")
        report = json.loads(file[file.index("\n{"):])
        self.assertEqual(report["answerer"]["nic"]["driver"], "net_virtio")
        self.assertTrue(report["asker"]["nic"]["link_up"])
        self.assertEqual(report["answerer"]["pci"]["id"], "1af4:1041")
        self.assertGreater(report["idle"]["sleeps"], 0)
        steps = report["steps"]
        self.assertEqual([step["size"] for step in steps], [size for size in SIZES for _ in range(3)])
        late = 0  # of the emulated wire: after a step that fills it, a frame may arrive in the next one
        for step in steps:
            with self.subTest(step["size"], rate=step["wanted_rate"]):
                self.assertGreater(step["answered"], 0)
                self.assertEqual(step["wrong"], 0)
                received, sent = (sum(step["peer"][name]) for name in ("received_by_queue", "sent_by_queue"))
                self.assertEqual(step["sent"], step["nic"]["sent"])
                missing = step["sent"] - received
                self.assertGreaterEqual(late + missing, 0, "no more arrive than were sent, this step and before")
                late += missing
                self.assertLessEqual(step["answered"], sent)
                self.assertLessEqual(sent, received)
                self.assertEqual(step["lost"]["on_the_way_there"], max(0, missing))
                self.assertTrue(all(step["peer"]["received_by_queue"]), "4,096 flows reach both queues")
                self.assertGreater(step["answered"], step["sent"] // 20)
        for private in ("10.91.0", "02:00:00"):
            self.assertNotIn(private, file)
        until(lambda: "nic_report" not in answerer.run("ps -ef | grep [n]ic_report", check=False), 30,
              "the answering end ends with the asking one", 0.5)

    def test_a_nic_in_use_is_refused(self):
        for end in ("answer", "ask --peer 10.91.0.1"):
            text = asker.run(f"{COMMAND} {end} --port 0000:00:04.0; echo $?")
            self.assertIn("0000:00:04.0 is in use: ", text)
            self.assertIn("has an address of this host", text)
            self.assertEqual(text.split()[-1], "2")
        text = asker.run(f"{COMMAND} ask --peer 10.91.0.1 --port 0000:00:04.0 --force; echo $?")
        self.assertIn("is bound to virtio-pci: `modprobe vfio-pci`", text)
        text = asker.run(f"{COMMAND} ask --peer 10.91.0.1 --port 0000:00:1f.0; echo $?")
        self.assertIn("there is no PCI device 0000:00:1f.0", text)
        asker.run("ip route add default via 10.91.0.1")
        self.addCleanup(asker.run, "ip route del default")
        self.assertIn("has the default route", asker.run(f"{COMMAND} answer --port 0000:00:04.0", check=False))


if __name__ == "__main__":
    unittest.main(verbosity=2)
