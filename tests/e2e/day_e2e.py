"""A day in minutes: mixed traffic over every transport and both families, while lists change, routers reboot, the way to
upstreams goes, certificates are renewed, leases come and go. Nothing is lost, every lease is covered, memory and
descriptors stay flat, the log is short.

    day_e2e.py BUILD [MINUTES]
"""

import pathlib
import re
import statistics
import sys
import time
import unittest

from lab.certificates import Authority
from lab.network import until
from lab.scene import PASSWORD, USER, Scene, query_counts
from lab.truth import Capture, judge, many_names_zone

BUILD = sys.argv.pop(1)
MINUTES = float(sys.argv.pop(1)) if len(sys.argv) > 1 else 3
EVERY_S = 12 if MINUTES < 10 else 25  # between two events
NAMES = 400

CONFIG = """
control: {{ watch: files, leases: {folder}/state/leases.json }}
routers:
  edge1: {{ address: "172.16.1.1:8728", username: {user}, password: {password}, probe: false }}
  edge2: {{ address: "172.16.1.1:8738", username: {user}, password: {password}, probe: false }}
plugins:
  - {{ tag: steered, type: domain_set, args: {{ files: [ {folder}/steered.txt ] }} }}
  - {{ tag: ads, type: adlist, args: {{ lists: [ {folder}/ads.txt ], cname: true }} }}
  - {{ tag: hosts, type: dhcp_leases, args: {{ router: edge1, domain: lan }} }}
  - {{ tag: answers, type: cache, args: {{ size: 20000 }} }}
  - tag: egress
    type: ros_address_list
    args: {{ routers: [edge1, edge2], async: false, sync_timeout: 2s, address_list4: policy_set_v4, address_list6: policy_set_v6 }}
  - tag: main
    type: sequence
    args:
      - {{ exec: $ads }}
      - {{ exec: $hosts }}
      - {{ exec: $answers }}
      - {{ matches: "qname $steered", exec: $egress }}
      - {{ matches: "!has_resp", exec: forward 1.1.1.1 }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: dot, type: tcp_server, args: {{ entry: main, listen: ":853", cert: "{cert.pem}", key: "{cert.key}" }} }}
  - tag: doh
    type: http_server
    args: {{ listen: ":443", cert: "{cert.pem}", key: "{cert.key}", entries: [ {{ path: /dns-query, exec: main }} ] }}
"""
# Mode, server, queries a second, clients.
LOADS = (("udp", "172.16.1.2", 120, 8), ("udp", "fd16::2", 60, 4), ("tcp", "172.16.1.2", 30, 3), ("tcp", "fd16::2", 10, 1),
         ("dot", "172.16.1.2", 30, 3), ("doh", "172.16.1.2", 10, 1))


class Day(unittest.TestCase):
    def setUp(self):
        scene = self.scene = self.enterContext(Scene("day", BUILD))
        folder = scene.folder
        folder.chmod(0o755)
        (folder / "state").mkdir()
        (folder / "state").chmod(0o777)
        filler = "@ 300 SOA ns hostmaster 1 3600 600 86400 20\n@ 300 NS ns\nns 300 A 1.1.1.1\n* 20 A 198.51.100.9\n* 20 AAAA 2001:db8:100::9\n"
        scene.start_resolver({"stream.example": many_names_zone(NAMES, 25), "other.example": filler})
        scene.start_router()
        scene.start_second_router("--name", "edge2")
        self.steered, self.ads = folder / "steered.txt", folder / "ads.txt"
        self.write(self.steered, "stream.example\n")
        self.write(self.ads, "0.0.0.0 ad0.other.example\n")
        self.authority = Authority(folder / "ca")
        self.certificate = self.issue()
        config = folder / "day.yaml"
        config.write_text(CONFIG.format(folder=folder, user=USER, password=PASSWORD, cert=self.certificate))
        self.daemon = scene.start_daemon(config)
        until(lambda: all(r["state"] == "in_sync" for r in self.status()["routers"]), 10, "both routers are in sync")
        self.turn = 0

    def issue(self):
        return self.authority.issue("dns", "DNS:dns.lab.example", "IP:172.16.1.2", "IP:fd16::2")

    @staticmethod
    def write(file, text):
        beside = file.with_suffix(".new")
        beside.write_text(text)
        beside.rename(file)

    def status(self):
        return self.scene.reported("status")

    # What happens ---------------------------------------------------------------------------------------------

    def a_list_changes(self):
        self.write(self.steered, "stream.example\n" + "".join(f"more{self.turn}-{i}.example\n" for i in range(500)))

    def an_ad_list_changes(self):
        self.write(self.ads, "".join(f"0.0.0.0 ad{i}.other.example\n" for i in range(self.turn % 40)))

    def a_reload(self):
        self.scene.steerctl("reload")

    def the_second_router_reboots(self):
        self.scene.router_ctl("reboot", "4", socket=self.scene.second_socket)

    def the_first_router_reboots(self):
        self.scene.router_ctl("reboot", "3")

    def the_route_to_upstreams_disappears(self):
        self.scene.network.run("router", "ip", "link", "set", "wan0", "down")
        time.sleep(2)  # the link stays down
        self.scene.network.run("router", "ip", "link", "set", "wan0", "up")
        self.scene.network.run("router", "ip", "-6", "address", "replace", "fd01::2/64", "dev", "wan0")

    def a_certificate_is_renewed(self):
        self.issue()
        self.scene.steerctl("reload")

    def leases_come_and_go(self):
        menu = "/ip/dhcp-server/lease"
        made = self.scene.router_ctl("record", menu, f"address=192.168.88.{20 + self.turn % 200}", f"host-name=host{self.turn}",
                                     "status=bound", "dynamic=true").split()[-1]
        self.scene.router_ctl("record", menu, f".id={made}", ".dead=true" if self.turn % 2 else "status=bound")

    def the_cache_is_flushed(self):
        self.scene.steerctl("cache", "flush", "--suffix", "other.example")

    EVENTS = (a_list_changes, the_second_router_reboots, an_ad_list_changes, the_route_to_upstreams_disappears, leases_come_and_go,
              a_certificate_is_renewed, the_first_router_reboots, a_reload, the_cache_is_flushed)

    # What is seen ---------------------------------------------------------------------------------------------

    def sizes(self):
        """Resident memory (KiB) and descriptors of the daemon."""
        pid = self.daemon.pid
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return (int(re.search(r"VmRSS:\s+(\d+)", status)[1]), len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir())))

    def start_loads(self, seconds):
        names = self.scene.folder / "names"
        # A name that is not cached, and one in sixteen that is an ad.
        names.write_text("".join(
            f"n{i % NAMES}.stream.example {'A' if i % 3 else 'AAAA'}\n" if i % 2 else
            f"ad{i % 97}.other.example A\n" if i % 16 == 0 else f"x{i}.other.example {'A' if i % 4 else 'AAAA'}\n"
            for i in range(20_000)))
        return {f"{mode} {server}": self.scene.network.start(
            "client", f"dnsperf-{mode}-{server.replace(':', '_')}", "dnsperf", "-m", mode, "-s", server, "-d", str(names),
            "-l", str(int(seconds)), "-Q", str(rate), "-c", str(clients), "-q", str(clients if mode == "doh" else 100),
            "-t", "12") for mode, server, rate, clients in LOADS}

    def test_a_day_of_faults_loses_no_answer_and_no_row(self):
        scene = self.scene
        seconds = MINUTES * 60
        before = len(self.daemon.text().splitlines())
        seen, happened = [], []
        with Capture(scene) as capture:
            loads = self.start_loads(seconds)
            begin = time.monotonic()
            while time.monotonic() - begin < seconds - EVERY_S:
                time.sleep(EVERY_S)  # a day has its own pace
                event = self.EVENTS[self.turn % len(self.EVENTS)]
                event(self)
                happened.append(event.__name__)
                self.turn += 1
                seen.append(self.sizes())
            for process in loads.values():
                until(lambda p=process: not p.running(), 60, "the load is over")
            until(lambda: sum(w["parked"] for w in self.status()["workers"]) == 0, 20, "no query waits any more")
            until(lambda: all(r["state"] == "in_sync" for r in self.status()["routers"]), 10, "both routers are in sync")
        lines = self.daemon.text().splitlines()[before:]
        output = judge(scene.journal, capture, "--journal", str(scene.second_journal), policies=("stream.example=policy_set_v4,policy_set_v6",))
        print(f"{len(happened)} events in {MINUTES:g} min; {output['answers']} answers with rows, {output['excused']} excused; "
              f"{len(lines)} lines of log; KiB and descriptors {seen[0]} .. {seen[-1]}")
        for name, process in loads.items():
            text = process.text()
            counts = query_counts(text)
            codes = re.search(r"Response codes:\s+(.*)", text)[1]
            print(f"  {name}: {counts}, {codes}")
            with self.subTest(load=name):
                self.assertEqual(counts["lost"], 0, text[-1500:])
        self.assertEqual((output["early"], output["gap"], output["missing"]), (0, 0, 0), output["text"])
        self.assertGreater(output["answers"], seconds * 10)
        for worker in scene.counters()["workers"]:
            self.assertEqual(sum(worker["verdicts"].values()), worker["stats"]["rx_packets"])
        status = self.status()
        self.assertEqual(status["reload"]["refused"], 0, status["reload"])
        quarter = max(len(seen) // 4, 1)
        first, last = seen[quarter:2 * quarter] or seen[:1], seen[-quarter:]
        self.assertLess(statistics.median(kib for kib, _ in last) - statistics.median(kib for kib, _ in first), 8 * 1024, seen)
        self.assertLess(statistics.median(fds for _, fds in last) - statistics.median(fds for _, fds in first), 8, seen)
        self.assertLess(len(lines), 25 * len(happened), "\n".join(lines[-60:]))
        self.assertEqual(self.daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
