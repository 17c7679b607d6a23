"""One NIC model under DPDK by vfio: what the device has is used, and what it lacks is said and done otherwise.

    outside 10.88.0.2, fd88::2 ── vt0 ══ 10.88.0.1, fd88::1 (pci; the kernel's side is steer0)
    stations, tags and all     ── wire ═ 10.89.0.1 (pci, the same model; steer1)

usage: nics_vm.py BUILD MODEL (the folder with the guest's build in vm/; one of MODELS)
"""

import os
import pathlib
import statistics
import sys
import time
import unittest

from lab.network import Network, until
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, UDP
from scapy.packet import Raw

from appliance import V4, V6, Appliance, Outside
from machine import Machine, Wire, prepared
from stations import Station

MODELS = {
    # model: its options, queues on its TAP, what `offers` says with two workers, whether both queues get packets, whether an MTU of
    # 9216 is too large, interrupts. (DPDK's driver of e1000e offers interrupts and QEMU's NIC never sends one.)
    # (QEMU's vmxnet3 delivers everything to the first queue, although it accepts RSS.)
    "virtio": ("virtio-net-pci", ",iommu_platform=on,rss=on,hash=on,host_mtu=9000", 2,
               "net_virtio, 2 queues by RSS, checksums in software, receive interrupts", True, True, "working"),
    "e1000": ("e1000", "", 1, "net_e1000_em, 1 queue, verifies IPv4 and UDP checksums, no receive interrupts without MSI-X",
              False, False, "none"),
    "e1000e": ("e1000e", "", 1, "net_e1000_em, 1 queue, verifies IPv4 and UDP checksums, receive interrupts", False, False, "not seen yet"),
    "vmxnet3": ("vmxnet3", "", 1, "net_vmxnet3, 2 queues by RSS, verifies UDP checksums, receive interrupts", False, True, "working"),
}
BUILD, MODEL = pathlib.Path(sys.argv.pop(1)).resolve(), sys.argv.pop(1)
DEVICE, OPTIONS, TAP_QUEUES, OFFERS, BOTH_QUEUES, REFUSES_9216, INTERRUPTS = MODELS[MODEL]
JUMBO = 9000
EDGE = {"edge.stream.example.", "node.stream.example.", "203.0.113.31"}
LARGE = " ".join(f'"{i:02d}{"x" * 198}"' for i in range(20))  # 4 KB of text
ZONE = f"""
@ 300 SOA ns hostmaster 1 3600 600 86400 60
@ 300 NS ns
ns 300 A 1.1.1.1
www 120 CNAME edge
edge 120 CNAME node
node 30 A 203.0.113.31
fits 60 TXT {LARGE[:5 * 203]}
large 60 TXT {LARGE}
* 60 A 203.0.113.99
"""
TAP_PORT = f"pci: '0000:00:03.0', addresses: [{V4}/24, '{V6}/64']"
PORTS = f"{{ workers: 2, ports: [{{ {TAP_PORT} }}, {{ pci: '0000:00:04.0', addresses: [10.89.0.1/24] }}] }}"


def setUpModule():
    global outside, wire, machine
    kernel = prepared(BUILD)
    network = unittest.enterModuleContext(Network("vm"))
    outside = Outside(network, queues=TAP_QUEUES, options=OPTIONS, model=DEVICE)
    # One queue each side: QEMU's datagram backend has no more.
    wire = Wire(network, "02:00:00:00:89:01", 4, ",iommu_platform=on" if MODEL == "virtio" else "", DEVICE)
    outside.resolver({"stream.example": ZONE})
    machine = Machine(network, "outside", kernel, BUILD / "vm", [outside.tap, wire],
                      bind=("vfio-pci", [outside.tap, wire]), iommu=True)
    machine.run("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")


class Serving(unittest.TestCase):
    """One start of the daemon, with two workers and both NICs."""

    @classmethod
    def setUpClass(cls):
        cls.appliance = cls.enterClassContext(Appliance(machine, PORTS))
        cls.station = cls.enterClassContext(Station(wire, {(): ["10.89.0.2"], (10,): ["10.89.10.2", "fd89:10::2"]}, {}))

    def verdict(self, name: str) -> int:
        """Of queries that their receiver kept, and of those that it gave to the other worker."""
        return self.appliance.total("verdicts", name) + self.appliance.total("moved", name)

    def test_the_daemon_says_what_the_device_has(self):
        offers = self.appliance.steerctl("status")["ports"][0]["offers"]
        self.assertTrue(offers.startswith(OFFERS), offers)
        self.assertIn(OFFERS, self.appliance.log())
        print(f"  {offers}")

    def test_serves_and_both_workers_have_work(self):
        for server in (V4, V6):
            self.assertTrue(outside.ping(server))
            self.assertEqual(outside.short("www.stream.example", server=server), EDGE)
            self.assertEqual(outside.short("+tcp", "www.stream.example", server=server), EDGE)
        for i in range(40):
            self.assertEqual(outside.short(f"n{i}.stream.example", server=(V4, V6)[i % 2]), {"203.0.113.99"})
        received = [worker["stats"].get("rx_packets", 0) for worker in self.appliance.counters()]
        moved = [worker["stats"].get("moved_queries", 0) for worker in self.appliance.counters()]
        print(f"  packets by worker: {received}; given by the other: {moved}")
        if BOTH_QUEUES:
            self.assertTrue(all(received), "RSS of the device")
        elif "1 queue" in OFFERS:
            self.assertGreater(moved[1], 0, "without RSS the first worker gives the second its share")

    def test_large_answers(self):
        def size(*words: str) -> int:
            text = outside.run("kdig", f"@{V4}", "+timeout=15", "+retry=1", *words)
            return int(text.split("Received ")[1].split(" B")[0])
        self.assertGreater(size("+bufsize=1232", "+ignore", "fits.stream.example", "TXT"), 1000)
        self.assertIn("tc", outside.run("kdig", f"@{V4}", "+bufsize=4096", "+ignore", "large.stream.example", "TXT")
                      .split("Flags:")[1].split(";")[0])
        self.assertGreater(size("+tcp", "large.stream.example", "TXT"), 4000)

    def test_wrong_checksums_are_dropped(self):
        def query(udp=None, ip=None, ident=5):
            packet = IP(src="10.89.0.2", dst="10.89.0.1") / UDP(sport=20000 + ident, dport=53) / DNS(
                id=ident, rd=1, qd=DNSQR(qname="node.stream.example"))
            if udp is not None:
                packet[UDP].chksum = udp
            if ip is not None:
                packet[IP].chksum = ip
            return packet
        self.assertEqual(self.station.mac((), "10.89.0.1"), wire.mac)
        answer = lambda p: DNS in p and p[DNS].qr == 1
        self.assertIsNotNone(self.station.exchange((), query(), answer, 15))
        self.assertIsNotNone(self.station.exchange((), query(udp=0), answer, 15), "no UDP checksum over IPv4")
        for wrong in ({"udp": 0x1234}, {"ip": 0x1234}):
            with self.subTest(wrong):
                before = self.verdict("drop_bad_checksum") + self.lost("dropped")
                self.assertIsNone(self.station.exchange((), query(**wrong), answer, 0.5))
                until(lambda: self.verdict("drop_bad_checksum") + self.lost("dropped") == before + 1, 20, "one drop more", 0.2)

    def lost(self, why: str) -> int:
        return sum(port[why] for port in self.appliance.steerctl("counters")["ports"])

    def test_a_frame_above_the_mtu_is_counted_and_harms_nothing(self):
        query = IP(src="10.89.0.2", dst="10.89.0.1") / UDP(sport=20009, dport=53) / DNS(
            id=9, rd=1, qd=DNSQR(qname="node.stream.example")) / Raw(b"x" * 3000)
        self.assertEqual(self.station.mac((), "10.89.0.1"), wire.mac)
        self.assertIsNone(self.station.exchange((), query, lambda p: DNS in p and p[DNS].id == 9, 0.5))
        self.assertEqual(self.station.ask((), "10.89.0.1", "node.stream.example", 10, 15), "203.0.113.31")

    def test_a_vlan_is_served_and_others_are_not(self):
        machine.run("ip link add link steer1 name steer1.10 type vlan id 10; ip link set steer1.10 up; "
                    "ip address add 10.89.10.1/24 dev steer1.10; ip address add fd89:10::1/64 dev steer1.10 nodad")
        self.addCleanup(machine.run, "ip link del steer1.10")
        tagged = ("10.89.10.1", "fd89:10::1")
        until(lambda: set(tagged) <= set(self.appliance.steerctl("status")["addresses"]), 20, "VLAN 10 is served", 0.2)
        for address in tagged:
            with self.subTest(address):
                self.assertEqual(self.station.mac((10,), address, 15), wire.mac)
                self.assertEqual(self.station.ask((10,), address, "node.stream.example", seconds=15), "203.0.113.31")
                self.assertTrue(self.station.ping((10,), address, 15))
        self.station.hosts[(11,)] = ["10.89.10.2"]
        self.assertIsNone(self.station.ask((11,), "10.89.10.1", "node.stream.example", seconds=0.5), "not our VLAN")

    def test_a_link_that_goes_is_reported_and_comes_back(self):
        def problems() -> str:
            return str(self.appliance.steerctl("status").get("problems"))

        def metric() -> str:
            text = machine.run("/usr/bin/python3 -c 'import urllib.request as r; "
                               "print(r.urlopen(\"http://127.0.0.1:9153/metrics\").read().decode())'")
            return [line for line in text.splitlines() if line.startswith("steerdns_port_link_up{device=\"0000:00:03.0\"")][0][-1]
        self.addCleanup(machine.set_link, outside.tap, True)
        until(lambda: metric() == "1", 20, "the link is up", 0.2)
        for _ in range(2):
            machine.set_link(outside.tap, False)
            until(lambda: "0000:00:03.0 has no link" in problems(), 20, "the problem is reported", 0.2)
            until(lambda: "not ready: ports: 0000:00:03.0 has no link" in self.appliance.log(), 20, "it is logged", 0.2)
            self.assertEqual(metric(), "0")
            until(lambda: machine.run("cat /sys/class/net/steer0/carrier").strip() == "0", 20, "no carrier", 0.2)
            machine.set_link(outside.tap, True)
            until(lambda: "0000:00:03.0 has no link" not in problems(), 20, "the problem is gone", 0.2)
            self.assertEqual(metric(), "1")
            for server in (V4, V6):
                self.assertEqual(outside.short("node.stream.example", server=server), {"203.0.113.31"})
        self.assertNotIn("is taken by another process", self.appliance.log())

    def test_idle_workers_sleep_on_the_interrupt(self):
        for server in (V4, V6) * 3:
            self.assertEqual(outside.short("node.stream.example", server=server), {"203.0.113.31"})
        self.assertEqual(self.station.ask((), "10.89.0.1", "node.stream.example", seconds=15), "203.0.113.31")
        reported = {port["interrupts"] for port in self.appliance.steerctl("status")["ports"]}
        self.assertEqual(reported, {INTERRUPTS})
        until(lambda: self.at_rest(), 60, "no more frames come", 0.2)
        before = self.pauses()
        time.sleep(3)  # how often an idle worker wakes is counted over a time
        sleeps, naps = (now - then for now, then in zip(self.pauses(), before))
        if INTERRUPTS != "working":
            self.assertEqual(sleeps, naps)
            self.assertGreater(naps, 100)
            return
        self.assertEqual(naps, 0)
        self.assertLess(sleeps, 2 * 60, "two workers, less often than every 50 ms")
        before = self.pauses()
        for i in range(10):
            self.assertEqual(outside.short("node.stream.example"), {"203.0.113.31"})
        woken = self.pauses()[0] - before[0]
        self.assertGreaterEqual(woken, 10, "each query woke a worker")
        self.assertEqual(self.pauses()[1], before[1])
        print(f"  {sleeps} sleeps of two workers in 3 s, 0 naps; {woken} for 10 queries")

    def pauses(self) -> tuple[int, int]:
        workers = [worker["stats"] for worker in self.appliance.counters()]
        return tuple(sum(stats.get(name, 0) for stats in workers) for name in ("sleeps", "naps"))

    def at_rest(self) -> bool:
        before = self.appliance.total("stats", "rx_packets")
        time.sleep(0.5)
        return self.appliance.total("stats", "rx_packets") == before


@unittest.skipUnless(os.environ.get("STEER_VM_LATENCY"), "a figure without a goal: set STEER_VM_LATENCY")
class Latency(unittest.TestCase):
    """How long a query takes if the worker has to be woken."""

    def test_of_a_polling_and_of_a_sleeping_worker(self):
        figures = {}
        for idle in ("spin", "adaptive"):
            with Appliance(machine, f"{{ idle: {idle}, ports: [{{ {TAP_PORT} }}] }}") as appliance:
                appliance.fill_cache(outside, "node.stream.example")
                times = []
                for _ in range(30):
                    text = outside.run("kdig", f"@{V4}", "+timeout=15", "node.stream.example")
                    times.append(float(text.rsplit(" in ", 1)[1].split(" ms")[0]))
                figures[idle] = statistics.median(times)
        print(f"  median of 30 answers under emulation: {figures} ms")


class Jumbo(unittest.TestCase):
    def test_an_mtu_of_9000_carries_the_kernels_packets(self):
        outside.run("ip", "link", "set", "vt0", "mtu", str(JUMBO))
        self.addCleanup(outside.run, "ip", "link", "set", "vt0", "mtu", "1500")
        with Appliance(machine, f"{{ ports: [{{ {TAP_PORT}, mtu: {JUMBO} }}] }}") as appliance:
            self.assertIn(f"MTU {JUMBO}", appliance.log())
            self.assertEqual(machine.run("cat /sys/class/net/steer0/mtu").strip(), str(JUMBO))
            until(lambda: outside.ping(V4), 20, "the link is up")  # e1000 negotiates
            for server in (V4, V6):
                text = outside.run("ping", "-c", "3", "-l", "3", "-M", "do", "-s", str(JUMBO - 48), "-W", "5", server)
                self.assertIn(" 3 received", text)
                self.assertEqual(outside.short("www.stream.example", server=server), EDGE)
                self.assertEqual(outside.short("+tcp", "www.stream.example", server=server), EDGE)
            print(f"  MTU {JUMBO}: ping of {JUMBO - 48} bytes, UDP, TCP, both families")

    @unittest.skipIf(not REFUSES_9216, "this model supports it")
    def test_an_mtu_that_the_device_lacks_is_refused(self):
        sentence = Appliance(machine, f"{{ ports: [{{ {TAP_PORT}, mtu: 9216 }}] }}").ended()
        self.assertRegex(sentence, r"supports an MTU of \d+ to \d+ and `mtu` is 9216")

    @unittest.skipIf("RSS" in OFFERS, "this model has RSS")
    def test_queues_without_rss_are_refused(self):
        sentence = Appliance(machine, f"{{ workers: 2, ports: [{{ {TAP_PORT}, queues: 2 }}] }}").ended()
        self.assertIn("has no RSS, so all packets arrive on its first queue", sentence)


if __name__ == "__main__":
    unittest.main(verbosity=2)
