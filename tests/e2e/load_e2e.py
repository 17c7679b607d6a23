"""At the highest rate at which dnsperf loses nothing, nothing else on the interface notices: ping, a TCP stream, transit
DNS."""

import re
import signal
import sys
import unittest

from lab.network import until
from lab.scene import ROOT, Scene, query_counts

BUILD = sys.argv.pop(1)
MOST_S = 60  # of load, which ends with what goes on beside it

# Serves one TCP connection at a time: echoes what comes, byte for byte.
ECHO = """
import socket
s = socket.create_server(('172.16.1.2', 2222)); print('ready', flush=True)
c, _ = s.accept()
while True:
    b = c.recv(65536)
    if not b: c.close(); c, _ = s.accept(); continue
    c.sendall(b)
"""
STREAM = """
import socket, os, hashlib
s = socket.create_connection(('172.16.1.2', 2222)); sent = hashlib.sha256(); got = hashlib.sha256()
for _ in range(400):
    b = os.urandom(4096); s.sendall(b); sent.update(b)
    left = len(b)
    while left: r = s.recv(left); got.update(r); left -= len(r)
print('same' if sent.digest() == got.digest() else 'different')
"""


class Load(unittest.TestCase):
    def test_full_load_does_not_disturb_other_traffic(self):
        with Scene("load", BUILD) as scene:
            net = scene.network
            scene.start_resolver()
            scene.start_router()
            config = scene.folder / "cached.yaml"
            text = (ROOT / "configs/minimal.yaml").read_text()
            config.write_text(text.replace('    args:\n      - matches: "$match_policy_domain"',
                                           '    args:\n      - exec: "cache short_circuit"\n'
                                           '      - matches: "$match_policy_domain"'))
            daemon = scene.start_daemon(config)
            names = scene.folder / "names"
            names.write_text("".join(f"host{i}.{'stream' if i % 10 == 0 else 'other'}.example A\n" for i in range(500)))

            # A host behind the appliance: what it is sent passes through the appliance's interface.
            net.namespace("behind")
            net.link(("appliance", "inner0"), ("behind", "eth0"))
            net.address("appliance", "inner0", "10.77.0.1/24")
            net.address("behind", "eth0", "10.77.0.2/24")
            net.route("behind", "default", "via", "10.77.0.1")
            net.route("router", "10.77.0.0/24", "via", "172.16.1.2")
            net.run("appliance", "sysctl", "-qw", "net.ipv4.ip_forward=1")
            transit = net.start("behind", "transit", "knotd", "-c", str(self.transit_config(scene)))
            transit.wait_for("server started")
            net.start("appliance", "echo", "/usr/bin/python3", "-c", ECHO).wait_for("ready")
            rate, limit = None, []
            while rate is None:
                perf, results = self.under_load(scene, names, limit)
                counts = query_counts(perf)
                completed, lost = counts["completed"], counts["lost"]
                found = float(re.search(r"Queries per second:\s+([\d.]+)", perf)[1])
                if lost == 0:
                    rate = found
                else:  # this machine's dnsperf or its sockets: a little slower
                    print(f"dnsperf lost {lost} at {found:.0f}/s")
                    self.assertLess(len(limit), 6, "it loses nothing at half of its rate")
                    limit += ["-Q", str(int(0.75 * found))]
            self.assertGreater(completed, 100_000)
            self.assertRegex(perf, rf"NOERROR {completed} \(100.00%\)")
            self.assertRegex(results["ping"], r" 10[01] received")  # ping may end before the last reply of a busy machine
            self.assertEqual(results["tcp"].strip(), "same")
            self.assertEqual(results["transit"], [["192.0.2.77"]] * 20)
            print(f"{rate:.0f} queries a second, 100 of 100 pings, every byte of the TCP stream")
            counters = scene.counters()["workers"]
            for worker in counters:
                self.assertEqual(sum(worker["verdicts"].values()), worker["stats"]["rx_packets"])
            self.assertEqual(daemon.stop(), 0)
            self.assertNotIn("xdp", net.run("appliance", "ip", "link", "show", "eth0").stdout)

    def under_load(self, scene, names, limit):
        """The result of dnsperf, and what pings, the stream and transit measured while it ran."""
        net, results = scene.network, {}

        perf = net.start("client", f"dnsperf{len(limit)}", "dnsperf", "-s", "172.16.1.2", "-d", str(names), "-l",
                         str(MOST_S), "-c", "20", "-q", "100", "-t", "10", *limit)
        before = scene.total("stats", "rx_packets")
        until(lambda: scene.total("stats", "rx_packets") > before + 1000, 10, "the load has begun")
        results["ping"] = net.run("client", "ping", "-q", "-i", "0.05", "-c", "101", "172.16.1.2", check=False).stdout
        results["tcp"] = net.run("client", "/usr/bin/python3", "-c", STREAM, check=False).stdout
        results["transit"] = [scene.short("www.behind.example", "A", server="10.77.0.2") for _ in range(20)]
        self.assertTrue(perf.running(), "the load went on all the while")
        perf.stop(number=signal.SIGINT)  # what is in progress then counts as interrupted
        return perf.text(), results

    @staticmethod
    def transit_config(scene):
        from lab.scene import knot_configuration
        return knot_configuration(scene.folder / "transit", "10.77.0.2@53", {
            "behind.example": "@ 60 SOA ns h 1 1 1 1 1\n@ 60 NS ns\nns 60 A 10.77.0.2\nwww 60 A 192.0.2.77\n"})


class Idle(unittest.TestCase):
    def test_an_idle_daemon_uses_less_than_3_percent_of_a_core(self):
        import pathlib
        import time
        with Scene("idle", BUILD) as scene:
            scene.start_resolver()
            scene.start_router()
            scene.start_daemon(ROOT / "configs/minimal.yaml")
            scene.short("stream.example", "A")
            pid = scene.network.pid("appliance", "steerdnsd")  # others run daemons too

            def ticks():
                return sum(int(n) for n in pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13])

            first = ticks()
            time.sleep(5)  # what is measured is time
            share = (ticks() - first) / 500
            print(f"idle: {100 * share:.1f} % of a core")
            self.assertLess(share, 0.03)


if __name__ == "__main__":
    unittest.main(verbosity=2)
