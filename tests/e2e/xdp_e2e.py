"""AF_XDP over the life of an interface: queues, what holds the program, links that flap, go and come back,
addresses that move, link-local ones, checksums that peers leave to a NIC, and a start after kill -9."""

import pathlib
import re
import signal
import socket
import struct
import sys
import time
import unittest

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from lab.network import run, until
from lab.scene import ROOT, Scene

BUILD = sys.argv.pop(1)
MINIMAL = (ROOT / "configs/minimal.yaml").read_text()
CACHED = MINIMAL.replace('    args:\n      - matches: "$match_policy_domain"',
                         '    args:\n      - exec: "cache short_circuit"\n      - matches: "$match_policy_domain"')
V4, V6 = "172.16.1.2", "fd16::2"
STREAM = {"203.0.113.10", "203.0.113.11"}
AGAIN = "+timeout=1"  # where silence is expected, or the caller asks again
IDLE = 0.1  # of a core, at most, where nothing comes; who spins takes all of it


def query(name="stream.example", kind=1, ident=77):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!6H", ident, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


class Life(unittest.TestCase):
    def begin(self, dataplane):
        self.scene = self.enterContext(Scene("xdp", BUILD))
        self.net = self.scene.network
        self.config = self.scene.folder / "xdp.yaml"
        self.config.write_text(f"dataplane: {dataplane}\n" + CACHED)
        self.scene.start_resolver()
        return self.scene

    def serve(self):
        return self.scene.start_daemon(self.config)

    def answered(self, *words, server=V4, space="client", name="stream.example"):
        return set(self.scene.short(*words, name, "A", server=server, space=space)) == STREAM

    def received(self):
        return self.scene.total("stats", "rx_packets")

    def by_port(self, *words, server=V4, space="client"):
        """Whether the query is answered and came by the port."""
        before = self.received()
        return self.answered(*words, server=server, space=space) and self.received() > before

    def addresses(self):
        return self.scene.reported("status")["addresses"]

    def count_logged(self, sentence):
        return len(re.findall(sentence, self.scene.daemon.text()))

    def pid(self):
        return self.net.pid("appliance", "steerdnsd")

    def cpu_share(self):
        """The share of a core in the quietest of four seconds: other processes only add to it."""
        stat = pathlib.Path(f"/proc/{self.pid()}/stat")

        def ticks():
            return sum(int(n) for n in stat.read_text().rsplit(")", 1)[1].split()[11:13])

        shares = []
        for _ in range(4):
            first, start = ticks(), time.monotonic()
            time.sleep(1)  # what is measured is time
            shares.append((ticks() - first) / 100 / (time.monotonic() - start))
        return min(shares)

    def datagram(self, message, server=V4, space="client", scope=0, seconds=10.0):
        """(answer, its source address), or None. `seconds` is short where silence is expected or the caller asks again."""
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        with self.net.socket(space, family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(seconds)
            sock.sendto(message, (server, 53, 0, scope) if scope else (server, 53))
            try:
                return sock.recvfrom(65536)
            except socket.timeout:
                return None


    def wire(self, queues):
        """Makes the appliance's link again, with `queues` at both ends."""
        net = self.net
        net.run("appliance", "ip", "link", "del", "eth0", check=False)
        run("ip", "link", "add", "eth0", "netns", net.full("appliance"), "numrxqueues", str(queues), "numtxqueues",
            str(queues), "type", "veth", "peer", "name", "dns0", "netns", net.full("router"), "numrxqueues",
            str(queues), "numtxqueues", str(queues))
        for space, device in (("appliance", "eth0"), ("router", "dns0")):
            net.run(space, "ip", "link", "set", device, "up")
        net.address("router", "dns0", "172.16.1.1/24", "fd16::1/64")
        self.give_addresses()

    def give_addresses(self):
        self.net.address("appliance", "eth0", "172.16.1.2/24", "fd16::2/64")
        self.net.route("appliance", "default", "via", "172.16.1.1")
        self.net.route("appliance", "default", "via", "fd16::1")


class Queues(Life):
    def test_every_queue_has_a_worker(self):
        """Both families are answered by both workers."""
        for busy_poll in ("off", "64"):
            with self.subTest(busy_poll=busy_poll):
                scene = self.begin(f"{{ workers: 2, ports: [{{ device: eth0, busy_poll: {busy_poll} }}] }}")
                self.wire(2)
                daemon = self.serve()
                how = "woken when needed" if busy_poll == "off" else "busy polling with a budget of 64"
                self.assertRegex(daemon.text(), rf"\(2 queues, native XDP by link, copying, {how}\)")
                for server in (V4, V6):
                    # The sending CPU chooses a veth's queue.
                    for i in range(40):
                        cpu = ("taskset", "-c", str(i % 2))
                        answer = self.net.run("router", *cpu, "kdig", f"@{server}", "+short", "+timeout=10",
                                              f"h{i}.other.example", "A").stdout
                        self.assertEqual(answer.split(), ["198.51.100.9"])
                workers = scene.counters()["workers"]
                print("  received by each worker:", [w["stats"]["rx_packets"] for w in workers])
                self.assertTrue(all(w["stats"]["rx_packets"] > 5 for w in workers))
                self.assertEqual(daemon.stop(), 0)

    def test_a_wrong_number_of_queues_is_refused_with_the_ethtool_command(self):
        scene = self.begin("{ ports: [{ device: eth0, driver: af_xdp, queues: 1 }] }")
        self.wire(2)
        done = self.net.run("appliance", f"{BUILD}/steerdnsd", "--config", str(self.config), "--control-socket",
                            str(scene.socket), check=False, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"has 2 receive queues and `queues` is 1.*`ethtool -L eth0 rx 1 tx 1`")
        self.net.run("router", "ethtool", "-L", "dns0", "rx", "1", "tx", "1")
        self.net.run("appliance", "ethtool", "-L", "eth0", "rx", "1", "tx", "1")
        self.serve()
        until(lambda: self.answered(AGAIN), 5, "one queue serves")


class Links(Life):
    def test_queries_are_answered_after_each_link_flap(self):
        scene = self.begin("{ ports: [{ device: eth0 }] }")
        daemon = self.serve()
        self.assertTrue(self.by_port())
        slowest = 0.0
        for i in range(8):
            ours = i % 2 == 0
            space, device = ("appliance", "eth0") if ours else ("router", "dns0")
            self.net.run(space, "ip", "link", "set", device, "down")
            self.net.run(space, "ip", "link", "set", device, "up")
            # What ifupdown would do: the kernel forgets these with the link.
            if ours:
                self.net.run("appliance", "ip", "route", "replace", "default", "via", "172.16.1.1")
                self.net.run("appliance", "ip", "address", "replace", "fd16::2/64", "dev", "eth0", "nodad")
            else:
                self.net.run("router", "ip", "address", "replace", "fd16::1/64", "dev", "dns0", "nodad")
            start = time.monotonic()
            until(lambda: self.datagram(query(), seconds=0.2), 5, "it answers again", pause=0.01)
            slowest = max(slowest, time.monotonic() - start)
        print(f"  the slowest answer came {slowest:.2f} s after the link was up")
        self.assertLess(slowest, 10)
        before = self.received()
        for _ in range(50):
            self.assertTrue(self.datagram(query()))
        self.assertGreaterEqual(self.received() - before, 50, "by the port, not by the kernel")
        for worker in scene.counters()["workers"]:
            self.assertEqual(sum(worker["verdicts"].values()), worker["stats"]["rx_packets"])
        self.assertLess(self.cpu_share(), IDLE)
        self.assertEqual(daemon.stop(), 0)

    def test_a_removed_interface_is_served_again_when_it_is_back(self):
        scene = self.begin("{ workers: 2, ports: [{ device: eth0 }, { device: eth1 }] }")
        self.net.link(("appliance", "eth1"), ("client", "eth1"))
        self.net.address("appliance", "eth1", "10.99.0.1/24")
        self.net.address("client", "eth1", "10.99.0.2/24")
        daemon = self.serve()
        self.assertTrue(self.by_port())
        for i in range(2):
            self.net.run("appliance", "ip", "link", "del", "eth0")
            until(lambda i=i: self.count_logged("eth0 was removed: ") == i + 1, 5, "it says that eth0 is gone")
            # The other port goes on, from the cache: eth0 was the way to the upstream.
            self.assertTrue(self.by_port(server="10.99.0.1"))
            self.assertLess(self.cpu_share(), IDLE, "nobody spins on a dead socket")
            self.wire(1)
            start = time.monotonic()
            until(lambda: self.by_port(AGAIN), 5, "it is served again")
            print(f"  served again {time.monotonic() - start:.2f} s after it was back")
            self.assertEqual(self.count_logged("eth0 is back and is served again"), i + 1)
            self.assertEqual(self.count_logged("eth0 was removed: "), i + 1)
            until(lambda i=i: scene.short(AGAIN, f"n{i}.other.example", "A"), 5, "a miss is sent through eth0 again")
            until(lambda: self.by_port(AGAIN, server=V6), 5, "IPv6, too")
            self.assertTrue(self.answered("+tcp"))
        # Its frames returned: three times round all of them.
        names = scene.folder / "names"
        names.write_text("stream.example A\n")
        perf = self.net.run("client", "dnsperf", "-s", V4, "-d", str(names), "-n", "25000", "-q", "50", "-Q", "8000").stdout
        self.assertIn("Queries lost:         0", perf)
        self.assertEqual(daemon.stop(), 0)
        self.assertNotIn("xdp", self.net.run("appliance", "ip", "link", "show", "eth0").stdout)

    def test_changes_of_the_mtu_are_followed(self):
        self.begin("{ ports: [{ device: eth0, driver: af_xdp }] }")
        self.serve()
        self.assertTrue(self.by_port())
        for space, device in (("appliance", "eth0"), ("router", "dns0")):
            self.net.run(space, "ip", "link", "set", device, "mtu", "3000")
        until(lambda: self.count_logged("eth0 has an MTU of 3000 now: .* above 1770"), 5, "it says so")
        self.assertTrue(self.by_port())
        self.assertEqual(self.count_logged("has an MTU of"), 1)
        for space, device in (("appliance", "eth0"), ("router", "dns0")):
            self.net.run(space, "ip", "link", "set", device, "mtu", "1500")
        # One that the driver does not run XDP with: the kernel refuses it to the peer.
        done = self.net.run("router", "ip", "link", "set", "dns0", "mtu", "9000", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertTrue(self.by_port())


class Addresses(Life):
    def test_several_addresses_come_and_go(self):
        self.begin("{ ports: [{ device: eth0, addresses: [auto, lo] }] }")
        self.serve()
        self.net.run("router", "ip", "route", "add", "10.53.0.0/24", "via", V4)
        self.net.run("router", "ip", "route", "add", "fd53::/64", "via", V6)
        on_link = [f"172.16.1.{n}/24" for n in range(20, 24)] + [f"fd16::{n}/64" for n in range(20, 24)]
        anycast = ["10.53.0.53/32", "fd53::53/128"]
        for device, addresses in (("eth0", on_link), ("lo", anycast)):
            bare = [a.split("/")[0] for a in addresses]
            self.net.address("appliance", device, *addresses)
            until(lambda bare=bare: set(bare) <= set(self.addresses()), 5, "they are served")
            for address in bare:
                with self.subTest(address):
                    self.assertTrue(self.by_port(server=address))
                    self.assertTrue(self.answered("+tcp", server=address))
            self.assertNotIn("127.0.0.1", self.addresses())
            for address in addresses:
                self.net.run("appliance", "ip", "address", "del", address, "dev", device)
            until(lambda bare=bare: not set(bare) & set(self.addresses()), 5, "they are let go")
            self.assertIsNone(self.datagram(query(), server=bare[0], seconds=1))
        self.assertTrue(self.by_port())

    def test_configured_addresses_are_served_while_the_kernel_has_them(self):
        scene = self.begin(f"{{ ports: [{{ device: eth0, addresses: [{V4}, 10.53.0.53] }}] }}")
        done = self.net.run("appliance", f"{BUILD}/steerdnsd", "--config", str(self.config), "--control-socket",
                            str(scene.socket), check=False, timeout=20)
        self.assertRegex(done.stderr, r"10\.53\.0\.53 in `addresses` is not an address of this machine: `ip address add 10\.53")
        self.net.address("appliance", "lo", "10.53.0.53/32")
        self.net.run("router", "ip", "route", "add", "10.53.0.53", "via", V4)
        self.serve()
        self.assertTrue(self.by_port(server="10.53.0.53"))
        self.assertEqual(sorted(self.addresses()), ["10.53.0.53", V4])
        self.net.run("appliance", "ip", "address", "del", "10.53.0.53/32", "dev", "lo")
        until(lambda: self.addresses() == [V4], 5, "it is let go")
        self.net.address("appliance", "lo", "10.53.0.53/32")
        until(lambda: self.by_port(AGAIN, server="10.53.0.53"), 5, "and served again")
        self.assertTrue(self.answered("+tcp", server="10.53.0.53"))

    def test_a_link_local_address_is_served(self):
        """As RDNSS announces it; the answer comes from the address that was asked."""
        self.begin("{ ports: [{ device: eth0 }] }")
        self.serve()
        self.net.address("appliance", "eth0", "fe80::53/64")
        until(lambda: "fe80::53" in self.addresses(), 5, "it is served")
        scope = int(self.net.run("router", "cat", "/sys/class/net/dns0/ifindex").stdout)
        before = self.received()
        until(lambda: self.datagram(query(), "fe80::53", "router", scope, seconds=1), 5, "it answers")
        self.assertGreater(self.received(), before, "by the port")
        answer, source = self.datagram(query(), "fe80::53", "router", scope)
        self.assertEqual((source[0].split("%")[0], source[1], source[3]), ("fe80::53", 53, scope))
        self.assertEqual(answer[:2], query()[:2])
        self.assertTrue(self.answered("+tcp", server="fe80::53%dns0", space="router"))
        self.net.run("appliance", "ip", "address", "del", "fe80::53/64", "dev", "eth0")
        until(lambda: "fe80::53" not in self.addresses(), 5, "it is let go")

    def test_the_same_link_local_address_is_served_on_two_interfaces(self):
        self.begin("{ ports: [{ device: eth0 }, { device: eth1 }] }")
        self.net.link(("appliance", "eth1"), ("router", "dns1"))
        self.serve()
        for device in ("eth0", "eth1"):
            self.net.address("appliance", device, "fe80::53/64")
        asked = lambda device, *words: self.answered(*words, server=f"fe80::53%{device}", space="router")
        for device in ("dns0", "dns1"):
            for words in ((), ("+tcp",)):
                until(lambda: asked(device, AGAIN, *words), 5, f"an answer on {device} {words}")
        self.net.run("appliance", "ip", "address", "del", "fe80::53/64", "dev", "eth0")
        until(lambda: not asked("dns0", AGAIN, "+tcp"), 5, "silence where it went")
        self.assertTrue(asked("dns1"))
        self.assertTrue(asked("dns1", "+tcp"))


class Checksums(Life):
    """The other end of a veth leaves checksums to a NIC that does not exist; wrong checksums are dropped all the same."""

    def frames(self, server, own, checksum):
        ip = IP(src=own, dst=server) if "." in server else IPv6(src=own, dst=server)
        mac = self.net.run("appliance", "cat", "/sys/class/net/eth0/address").stdout.strip()
        by = self.net.run("router", "cat", "/sys/class/net/dns0/address").stdout.strip()
        packet = Ether(dst=mac, src=by) / ip / UDP(sport=5300, dport=53) / query()
        good = Ether(bytes(packet))
        if checksum == "wrong":
            good[UDP].chksum ^= 0x0101
        elif checksum == "partial":  # of the pseudo-header alone, as the kernel leaves it
            length = 8 + len(query())
            pseudo = (socket.inet_pton(socket.AF_INET, own) + socket.inet_pton(socket.AF_INET, server) if "." in server
                      else socket.inet_pton(socket.AF_INET6, own) + socket.inet_pton(socket.AF_INET6, server))
            total = sum(struct.unpack(f"!{len(pseudo) // 2}H", pseudo)) + 17 + length
            while total >> 16:
                total = (total & 0xffff) + (total >> 16)
            good[UDP].chksum = total
        return bytes(good)

    def test_partial_checksums_are_accepted_and_wrong_ones_dropped(self):
        self.begin("{ ports: [{ device: eth0 }] }")
        for space, device in (("client", "eth0"), ("router", "dns0"), ("resolver", "eth0")):
            self.assertIn("tx-checksumming: on", self.net.run(space, "ethtool", "-k", device).stdout, "left partial")
        self.serve()
        for server, own in ((V4, "172.16.1.1"), (V6, "fd16::1")):
            self.assertTrue(self.by_port(server=server))  # the client's and the upstream's arrived as they were
            # What we send is whole: a client that checks takes it.
            raw = self.net.socket("router", socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.addCleanup(raw.close)
            raw.bind(("dns0", 0))
            for checksum, answers in (("right", True), ("partial", True), ("wrong", False)):
                with self.subTest(server=server, checksum=checksum):
                    before = self.scene.total("verdicts", "drop_bad_checksum")
                    raw.send(self.frames(server, own, checksum))
                    if not answers:
                        until(lambda: self.scene.total("verdicts", "drop_bad_checksum") == before + 1, 3, "counted")
                        continue
                    reply = self.reply(raw, server)
                    sent = reply[UDP].chksum
                    del reply[UDP].chksum
                    self.assertEqual(Ether(bytes(reply))[UDP].chksum, sent, "the sum of the answer is right")

    @staticmethod
    def reply(raw, server):
        raw.settimeout(15)
        while True:
            packet = Ether(raw.recv(4096))
            if UDP in packet and packet[UDP].sport == 53 and packet[UDP].dport == 5300:
                return packet


class Losses(Life):
    def test_packets_over_the_ring_are_counted(self):
        """The daemon is stopped while more packets come than its ring holds: the kernel counts the drops."""
        scene = self.begin("{ ports: [{ device: eth0, driver: af_xdp }] }")
        self.serve()
        self.assertTrue(self.by_port())

        def lost():
            ports = {port["name"]: port for port in scene.counters()["ports"]}
            return ports["eth0"]["ring_full"] + ports["eth0"]["no_buffer"]

        self.assertEqual(lost(), 0)
        before, sent = self.received(), 20_000
        scene.daemon.send_signal(signal.SIGSTOP)
        try:
            with self.net.socket("client", socket.AF_INET, socket.SOCK_DGRAM) as sock:
                for i in range(sent):
                    sock.sendto(query(ident=i), (V4, 53))
        finally:
            scene.daemon.send_signal(signal.SIGCONT)
        self.assertTrue(self.by_port())
        self.assertGreater(lost(), 0)
        self.assertLessEqual(self.received() - before + lost(), sent + 100, "nothing counts twice")
        self.assertIn("ring_full", scene.steerctl("counters", "--all"))


class Killed(Life):
    def test_a_killed_daemon_serves_again_after_a_new_start(self):
        """kill -9 at a rate without loss, then a new start."""
        scene = self.begin("{ ports: [{ device: eth0 }] }")
        self.serve()
        names = scene.folder / "names"
        names.write_text("".join(f"host{i}.other.example A\n" for i in range(500)))
        load = ("dnsperf", "-s", V4, "-d", str(names), "-Q", "2000", "-c", "10", "-q", "100", "-t", "5")
        perf = self.net.run("client", *load, "-l", "3").stdout
        rate = float(re.search(r"Queries per second:\s+([\d.]+)", perf)[1])
        self.assertIn("Queries lost:         0", perf)
        pressing = self.net.start("client", "pressing", *load, "-l", "60")
        before = self.received()
        until(lambda: self.received() > before + 2_000, 5, "the load runs")
        pid = self.pid()
        scene.daemon.stop(number=9)
        start = time.monotonic()
        self.assertFalse(pathlib.Path(f"/proc/{pid}/exe").exists())
        self.assertNotIn("xdp", self.net.run("appliance", "ip", "link", "show", "eth0").stdout)
        process = scene.start_daemon(self.config, wait="")
        # The first answer that a client gets, to a name of its own.
        until(lambda: self.datagram(query("fresh.other.example"), seconds=1), 10, "it serves", pause=0.01)
        took = time.monotonic() - start
        print(f"  kill -9 at {rate:.0f} queries/s: serving again {took:.2f} s later")
        self.assertLess(took, 20)
        # (Queries that went unanswered hold up the load for its timeout.)
        until(lambda: self.received() > 1000, 5, "the load is answered again")
        pressing.stop()
        self.assertEqual(process.stop(), 0)


# Asks one name at a rate, one query at a time, and tells what each round trip took, in microseconds.
PROBER = """
import socket, sys, time
server, port, rate, count, message = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), bytes.fromhex(sys.argv[5])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect((server, port)); s.settimeout(10)
due = time.perf_counter()
for _ in range(count):
    due += 1 / rate
    while time.perf_counter() < due: pass
    start = time.perf_counter(); s.send(message); s.recv(4096)
    print(int((time.perf_counter() - start) * 1e6))
"""

# Spins for 0.2 s and tells the longest time between two turns, in microseconds: what another process took of this CPU.
SPINNER = """
import time
last = time.perf_counter(); end = last + 0.2; longest = 0.0
while last < end:
    now = time.perf_counter(); longest = max(longest, now - last); last = now
print(int(longest * 1e6))
"""
PREEMPTED_US = 500


class Idle(Life):
    """An idle worker uses almost no CPU, and waking it takes almost no time; also on ports without wake-ups."""

    def round_trips(self, server, space):
        """The median of 1,000 round trips at 1,000 queries/s, in us."""
        reported = self.net.run(space, "taskset", "-c", "0", "/usr/bin/python3", "-c", PROBER, server, "53", "1000", "1000",
                            query().hex()).stdout.split()
        return sorted(int(t) for t in reported)[len(reported) // 2]

    def preempted_us(self):
        """The longest time that another process took of the prober's CPU or the worker's."""
        return max(int(run("taskset", "-c", cpu, "/usr/bin/python3", "-c", SPINNER).stdout) for cpu in ("0", "1"))

    def compare(self, what, ports, server, space="client"):
        """Adaptive against spin by turns; and the cost without traffic. Times are judged where the CPUs were this test's alone."""
        self.begin("{}")
        medians = {"adaptive": [], "spin": []}
        idle = None
        preempted = self.preempted_us()
        for _ in range(3):
            for mode, took in medians.items():
                self.config.write_text(f"dataplane: {{ idle: {mode}, workers: [1], ports: {ports} }}\n" + CACHED)
                daemon = self.serve()
                until(lambda: self.datagram(query(), server, space, seconds=1), 10, f"{what} answers")
                took.append(self.round_trips(server, space))
                if mode == "adaptive" and idle is None:
                    time.sleep(0.1)  # so that it is idle for a while
                    idle = self.cpu_share()
                    sleeps = self.scene.total("stats", "sleeps"), self.scene.total("stats", "naps")
                self.assertEqual(daemon.stop(), 0)
            preempted = max(preempted, self.preempted_us())
        added = min(medians["adaptive"]) - min(medians["spin"])  # a busy machine only adds
        print(f"  {what}: {100 * idle:.1f} % of a core without traffic; median round trip at 1,000 queries/s "
              f"{medians['adaptive']} us adaptive, {medians['spin']} us spinning: {added} us added; "
              f"{sleeps[0]} sleeps, {sleeps[1]} of them naps")
        self.assertLess(idle, IDLE)
        self.assertGreater(sleeps[0], 0)
        if preempted > PREEMPTED_US:
            print(f"  not judged: other processes took up to {preempted} us of its CPUs at a time")
            return
        self.assertLess(added, 100)
        # It sleeps until it is woken. (One pause in 32 may be a nap where two queries arrived together, as they do from a
        # prober that was late: LoadNaps.)
        self.assertLess(sleeps[1], sleeps[0] / 32)

    def test_a_worker_is_woken_by_af_xdp(self):
        self.compare("af_xdp", "[{ device: eth0 }]", V4)

    def test_a_worker_naps_on_a_ring(self):
        """A ring cannot wake a worker: it naps, and queries that come by a socket wake it."""
        self.begin("{ ports: [{ device: net_ring0, driver: ring }, { device: eth0, driver: socket }] }")
        self.serve()
        for server in (V4, V6):
            self.assertTrue(self.answered(server=server))
        share = self.cpu_share()
        naps = self.scene.total("stats", "naps")
        sleeps = self.scene.total("stats", "sleeps")  # read after: each nap is one of them
        print(f"  naps: {100 * share:.1f} % of a core without traffic, {naps} naps")
        self.assertLess(share, IDLE)
        self.assertGreater(naps, 1000)
        self.assertGreaterEqual(sleeps, naps)
        self.assertTrue(self.answered("+tcp"))

    def test_a_worker_is_woken_by_af_packet(self):
        self.compare("af_packet", "[{ device: eth0, driver: af_packet }]", V4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
