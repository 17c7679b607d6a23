"""`bgp_route`: addresses of answers are routes with a community at a BGP peer (FRR), through a routing table and BIRD.

The appliance runs steerdnsd and BIRD with the configuration that `steerdnsd --bird-config` prints; the namespace `peer`
runs FRR's bgpd with route flap damping.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sys
import time
import unittest

import dns.message

from lab.network import run, skip_without, until
from lab.scene import ROOT, ZONES, Scene

BUILD = sys.argv.pop(1)
FRR_PROGRAMS = "/usr/lib/frr"
LIST = 'table4: 5301, table6: 5301, community: "64500:101", linger: 1s'
CONFIG = """
plugins:
  - {{ tag: policy, type: domain_set, args: {{ exps: ["domain:stream.example", "domain:many.example"] }} }}
  - {{ tag: media, type: domain_set, args: {{ exps: ["domain:media.example"] }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: video, type: bgp_route, args: {{ {video} }} }}
  - {{ tag: other, type: bgp_route, args: {{ {other} }} }}
  - {{ tag: main, type: sequence, args: [
      {{ exec: $up }},
      {{ matches: qname $policy, exec: $video }},
      {{ matches: qname $media, exec: $other }} ] }}
"""
OTHER = 'table4: 5302, community: "4200000000:1:102", next_hop4: 10.9.0.9, min_ttl: 2s, extra_time: 1s, max_ttl: 3s, linger: 0s, flap_interval: 0s'
BIRD = """
log stderr all;
router id 10.9.0.1;
protocol device {{ }}
include "{included}";
protocol bgp edge1 {{
    local 10.9.0.1 as 64500;
    neighbor 10.9.0.2 as 64501;
    ipv4 {{ table steerdns4; import none; export filter steerdns4_export; {add_paths} }};
    ipv6 {{ table steerdns6; import none; export filter steerdns6_export; next hop self; }};
}}
"""
# The half-life is the shortest that bgpd has, a fifteenth of the usual one; the other figures are its defaults.
FRR = """
log file {folder}/bgpd.log debugging
log timestamp precision 6
debug bgp updates in
router bgp 64501
 bgp router-id 10.9.0.2
 no bgp ebgp-requires-policy
 neighbor 10.9.0.1 remote-as 64500
 address-family ipv4 unicast
  bgp dampening 1 750 2000 4
  neighbor 10.9.0.1 activate
 exit-address-family
 address-family ipv6 unicast
  neighbor 10.9.0.1 activate
 exit-address-family
"""
SOA = "@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.1\n"
ROUTES = 100_000
PER_NAME = 8


def resident_mb(pid):
    return int(re.search(r"VmRSS:\s*(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) // 1024


def netlink_drops(pid):
    """How many messages about changes in the kernel a process lost, because its buffer was full."""
    inodes = {re.sub(r"socket:\[(\d+)\]", r"\1", os.readlink(fd)) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir()}
    sockets = (line.split() for line in pathlib.Path(f"/proc/{pid}/net/netlink").read_text().splitlines()[1:])
    return sum(int(drops) for *_, drops, inode in sockets if inode in inodes)


class Bgp(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("bgp", BUILD))
        self.wire()

    def wire(self):
        net = self.scene.network
        net.namespace("peer")
        net.link(("appliance", "bgp0"), ("peer", "eth0"))
        net.address("appliance", "bgp0", "10.9.0.1/24", "fd09::1/64")
        net.address("peer", "eth0", "10.9.0.2/24", "fd09::2/64")
        self.config = self.scene.folder / "bgp.yaml"

    def start(self, video=LIST, other=OTHER, zones=None, config=CONFIG, add_paths=False):
        """Everything, until the peer has its session."""
        scene, net = self.scene, self.scene.network
        scene.start_resolver(zones)
        self.config.write_text(config.format(video=video, other=other))
        self.start_bird(add_paths)
        frr = scene.folder / "frr"
        frr.mkdir()
        (frr / "bgpd.conf").write_text(FRR.format(folder=frr))
        shutil.chown(frr, "frr", "frr")
        self.frr = frr
        # zebra tells bgpd about interfaces; without it bgpd refuses IPv6 next hops.
        for name in ("zebra", "bgpd"):
            (frr / f"{name}.conf").touch()
            net.start("peer", name, f"{FRR_PROGRAMS}/{name}", "-f", str(frr / f"{name}.conf"), "-i", str(frr / f"{name}.pid"),
                      "--vty_socket", str(frr), "-z", str(frr / "zserv"), "-P", "0",
                      *(("-n",) if name == "bgpd" else ()))
            until(lambda name=name: (frr / f"{name}.vty").exists(), 10, f"{name} runs")
        daemon = scene.start_daemon(self.config)
        until(lambda: self.session() == "Established", 20, "the session is up")
        return daemon

    def start_bird(self, add_paths):
        folder = self.scene.folder
        printed = run(str(self.scene.build / "steerdnsd"), "--config", str(self.config), "--bird-config").stdout
        (folder / "steerdns-bird.conf").write_text(printed)
        (folder / "bird.conf").write_text(BIRD.format(
            included=folder / "steerdns-bird.conf", add_paths="add paths tx;" if add_paths else ""))
        return self.scene.network.start("appliance", "bird", "bird", "-f", "-c", str(folder / "bird.conf"), "-s", str(folder / "bird.ctl"))

    # What the peer says ---------------------------------------------------------------------------------------

    def vtysh(self, command):
        output = run("vtysh", "--vty_socket", str(self.frr), "-c", command, check=False).stdout
        return json.loads(output[output.index("{"):]) if "{" in output else {}

    def session(self):
        return self.vtysh("show bgp neighbors 10.9.0.1 json").get("10.9.0.1", {}).get("bgpState")

    def all_routes(self, family="ipv4"):
        return self.vtysh(f"show bgp {family} unicast json").get("routes", {})

    def routes(self, family="ipv4"):
        """Without withdrawn ones, which flap damping remembers."""
        return {prefix for prefix, paths in self.all_routes(family).items() if any(path.get("valid") for path in paths)}

    def paths(self, prefix, family="ipv4"):
        return self.vtysh(f"show bgp {family} unicast {prefix} json").get("paths", [])

    def route(self, prefix, family="ipv4"):
        return next(iter(self.paths(prefix, family)), {})

    def count(self):
        return self.vtysh("show bgp ipv4 unicast summary json").get("ipv4Unicast", self.vtysh(
            "show bgp ipv4 unicast summary json")).get("peers", {}).get("10.9.0.1", {}).get("pfxRcd", 0)

    def log(self):
        return (self.frr / "bgpd.log").read_text(errors="replace")

    def withdrawals(self, prefix):
        return len(re.findall(rf"rcvd UPDATE about {re.escape(prefix)} .*withdrawn", self.log()))

    def suppressed(self):
        return set(re.findall(r"^[*> ]*d\S* *(\S+/\d+)", run("vtysh", "--vty_socket", str(self.frr), "-c",
                              "show bgp ipv4 unicast dampening dampened-paths").stdout, re.M)) | {
            p for p, paths in self.all_routes().items() if any(path.get("damped") for path in paths)}

    # What the kernel has --------------------------------------------------------------------------------------

    def table(self, number=5301, *words, family="-4"):
        output = self.scene.network.run("appliance", "ip", "-j", family, "route", "show", "table", str(number), *words, check=False)
        if output.returncode != 0:  # a table without any route does not exist (`ip` then prints "[")
            self.assertIn("FIB table does not exist", output.stderr)
            return set()
        return {route["dst"] for route in json.loads(output.stdout)}

    def ask(self, name, kind="A"):
        answer = self.scene.short(name, kind)
        self.assertTrue(answer, name)
        return answer

    def helper(self):
        return self.scene.network.child("appliance", "steerdnsd", "steerdns-sets")

    def counter(self, name, what):
        return next((s[what] for s in self.scene.reported("counters")["sets"] if s["name"] == name), None)

    def counts(self, name, what, least):
        """Waits for a counter, which steerdns-sets reports twice a second."""
        until(lambda: (self.counter(name, what) or 0) >= least, 3, f"{what} of {name} is {least}")

    def readyz_without_helper(self):
        """Ends steerdns-sets whenever it runs."""
        if helper := self.helper():
            os.kill(helper, signal.SIGKILL)
        return self.scene.readyz()

    # The tests ------------------------------------------------------------------------------------------------

    def test_routes_arrive_with_their_community_and_are_withdrawn_in_time(self):
        daemon = self.start(LIST + ", min_ttl: 4s, extra_time: 1s, max_ttl: 10s, flap_interval: 0s, async: false")
        self.ask("stream.example")
        # The answer waited for the kernel, and nothing else follows it.
        self.assertEqual(self.table(), {"203.0.113.10", "203.0.113.11"})
        self.ask("stream.example", "AAAA")
        path = until(lambda: self.route("203.0.113.10/32"), 3, "the peer has the route")
        self.assertEqual(path["community"]["string"], "64500:101")
        self.assertEqual(path["nexthops"][0]["ip"], "10.9.0.1")
        path = until(lambda: self.route("2001:db8:113::10/128", "ipv6"), 3, "the peer has the IPv6 route")
        self.assertEqual(path["community"]["string"], "64500:101")
        self.ask("media.example")
        path = until(lambda: self.route("203.0.113.30/32"), 3, "the other list has its route")
        self.assertEqual(path["largeCommunity"]["string"], "4200000000:1:102")
        self.assertEqual(path["nexthops"][0]["ip"], "10.9.0.9")
        self.ask("www.other.example")
        self.assertNotIn("198.51.100.2/32", self.routes())
        self.assertIn("IPv4 routes of table 5301", self.scene.steerctl("status"))
        # A lease of 10 s, and 1 s of linger.
        asked = time.monotonic()
        until(lambda: not self.routes(), 20, "they are withdrawn")
        self.assertLess(time.monotonic() - asked, 20)
        self.assertEqual(self.table(), set())
        self.counts("IPv4 routes of table 5301", "removed", 2)
        self.assertEqual(daemon.stop(), 0)

    def test_the_example_announces_both_lists(self):
        self.start(config=(ROOT / "configs/bgp.yaml").read_text())
        self.ask("stream.example")
        self.ask("media.example")
        until(lambda: {"203.0.113.10/32", "203.0.113.30/32"} <= self.routes(), 5, "the peer has both")
        for prefix, community, hop in (("203.0.113.10/32", "64500:101", "10.9.0.1"), ("203.0.113.30/32", "64500:102", "10.9.0.9")):
            path = self.route(prefix)
            self.assertEqual((path["community"]["string"], path["nexthops"][0]["ip"]), (community, hop))

    def test_an_address_of_two_lists_has_the_community_of_the_first_or_both(self):
        both = CONFIG.replace("{{ matches: qname $media, exec: $other }}", "{{ exec: $other }}")
        for add_paths in (False, True):
            with self.subTest(add_paths=add_paths), Scene("bgp", BUILD) as self.scene:
                self.wire()
                self.start(other=OTHER.partition(", next_hop4")[0], config=both, add_paths=add_paths)
                self.ask("stream.example")
                until(lambda: len(self.paths("203.0.113.10/32")) == (2 if add_paths else 1), 5, "the peer has its routes")
                communities = [path["community"]["string"] for path in self.paths("203.0.113.10/32") if "community" in path]
                self.assertEqual(communities, ["64500:101"])

    def query(self, name):
        """An answer over UDP, without the time that a program takes to start."""
        with self.scene.network.socket("client", socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(5)
            asker.sendto(dns.message.make_query(name, "A").to_wire(), ("172.16.1.2", 53))
            asker.recv(4096)

    def test_a_route_is_at_the_peer_soon_after_the_query(self):
        zone = SOA + "".join(f"l{i} 300 A 203.0.113.{i}\n" for i in range(20))
        self.start(LIST + ", async: false", zones={**ZONES, "many.example": zone})
        asked = []
        for i in range(20):
            begin = time.time()
            self.query(f"l{i}.many.example")
            asked.append((begin, time.time()))
            until(lambda i=i: f"rcvd 203.0.113.{i}/32 IPv4" in self.log(), 5, "the peer has the route")
        arrived = {int(last): time.mktime(time.strptime(at, "%Y/%m/%d %H:%M:%S")) + float(fraction) for at, fraction, last in
                re.findall(r"^(\S+ [\d:]+)(\.\d+) BGP:.*rcvd 203\.0\.113\.(\d+)/32 IPv4", self.log(), re.M)}
        for what, moment in (("answer", 1), ("query", 0)):
            delays = sorted((arrived[i] - asked[i][moment]) * 1000 for i in range(20))
            print(f"from {what} to route at the peer, ms: median {delays[10]:.1f}, longest {delays[-1]:.1f}")
        self.assertGreater(delays[0], -1)  # no route comes before its query; the answer may be noticed late

    def test_routes_are_adopted_and_foreign_ones_left_alone(self):
        self.start(LIST + ", min_ttl: 3s, extra_time: 1s, max_ttl: 12s, flap_interval: 4s")
        net = self.scene.network
        net.run("appliance", "ip", "route", "add", "blackhole", "198.51.100.77/32", "table", "5301", "proto", "static")
        net.run("appliance", "ip", "route", "add", "blackhole", "203.0.113.10/32", "table", "5301", "proto", "static", "metric", "900")
        self.ask("stream.example")
        until(lambda: {"203.0.113.10/32", "203.0.113.11/32"} <= self.routes(), 5, "the peer has both")
        self.assertNotIn("198.51.100.77/32", self.routes())
        # The process is killed: the routes stay, and are ended by the next one.
        os.kill(self.helper(), signal.SIGKILL)
        self.scene.daemon.wait_for("IPv4 routes of table 5301: 2 of an earlier process are kept for 12 s")
        # The daemon is killed.
        os.kill(net.pid("appliance", "steerdnsd"), signal.SIGKILL)
        until(lambda: not self.scene.daemon.running(), 5, "it ended")
        self.assertEqual(len(self.table(5301, "proto", "153")), 2)
        daemon = self.scene.start_daemon(self.config)
        daemon.wait_for("IPv4 routes of table 5301: 2 of an earlier process are kept for 12 s")
        begin = time.monotonic()
        self.counts("IPv4 routes of table 5301", "adopted", 2)
        while time.monotonic() < begin + 16:  # a claimed one stays beyond that
            self.ask("node.stream.example")
            time.sleep(0.5)
        self.assertEqual(self.table(5301, "proto", "153"), {"203.0.113.31"})
        self.assertEqual((self.withdrawals("203.0.113.10/32"), self.withdrawals("203.0.113.11/32")), (1, 1))
        # Another program empties the table: ours come back.
        net.run("appliance", "ip", "route", "flush", "table", "5301", "proto", "153")
        until(lambda: self.table(5301, "proto", "153") == {"203.0.113.31"}, 5, "it is restored")
        self.assertEqual(self.table(5301, "proto", "static"), {"198.51.100.77", "203.0.113.10"})
        # A list that a reload removes: its routes end with their leases.
        self.config.write_text(self.config.read_text().replace("{ matches: qname $policy, exec: $video },", "").replace(
            re.search(r"  - { tag: video.*\n", self.config.read_text()).group(), ""))
        self.scene.steerctl("reload")
        until(lambda: not self.table(5301, "proto", "153"), 30, "it ends")
        self.assertEqual(self.table(5301, "proto", "static"), {"198.51.100.77", "203.0.113.10"})
        self.assertEqual(daemon.stop(), 0)

    def test_a_full_table_shortens_ttls_and_gets_routes_of_cached_answers_once_it_has_room(self):
        cached = CONFIG.replace("{{ exec: $up }}", '{{ exec: $cache }}, {{ matches: "!has_resp", exec: $up }}').replace(
            "  - {{ tag: video", "  - {{ tag: cache, type: cache, args: {{ size: 1024 }} }}\n  - {{ tag: video")
        zone = SOA + "a 8 A 20.0.0.1\nb 300 A 20.0.0.2\n"
        self.start(LIST + ", min_ttl: 3s, extra_time: 1s, flap_interval: 0s, max_routes: 1, never_claim: []",
                   config=cached, zones={**ZONES, "many.example": zone})
        self.ask("a.many.example")
        until(lambda: self.table() == {"20.0.0.1"}, 5, "the first has its route")
        self.ask("b.many.example")  # it leaves unchanged: the kernel's answer comes after it
        self.counts("IPv4 routes of table 5301", "full", 1)
        ttl = int(self.scene.kdig("+noall", "+answer", "b.many.example").split()[1])
        self.assertLessEqual(ttl, 5)  # a hit obeys on_full
        until(lambda: not self.table(), 20, "the route ends")
        until(lambda: self.ask("b.many.example") and self.table() == {"20.0.0.2"}, 20, "a hit adds the other's", 0.5)

    def test_readyz_fails_while_no_process_writes_the_routes(self):
        self.start(LIST + ", ready: any")
        until(lambda: self.scene.readyz() == "ok\n", 5, "it is ready")
        failed = ('routers failed: list "video" cannot be written to IPv4 routes of table 5301, IPv6 routes of table 5301 '
                  "(steerdns-sets ended (killed by signal 9))\n")
        until(lambda: self.readyz_without_helper() == failed, 20, "/readyz names the list and its tables")
        until(lambda: self.scene.readyz() == "ok\n", 20, "it is ready again")

    def test_flap_damping_suppresses_no_route(self):
        # Both names are asked every 5 s, with leases of 3 s. `other` has neither linger nor flap_interval.
        self.start(LIST.replace("linger: 1s", "linger: 0s") + ", min_ttl: 2s, extra_time: 1s, max_ttl: 3s, flap_interval: 2m")
        end = time.monotonic() + 40
        while time.monotonic() < end:
            self.ask("short.stream.example")
            self.ask("media.example")
            time.sleep(5)
        self.assertGreaterEqual(self.withdrawals("203.0.113.30/32"), 3)
        self.assertEqual(self.withdrawals("203.0.113.20/32"), 1)
        self.assertEqual(self.suppressed(), {"203.0.113.30/32"})
        self.assertIn("203.0.113.20", self.table())
        self.counts("IPv4 routes of table 5301", "damped", 1)

    def test_a_hundred_thousand_routes(self):
        names = ROUTES // PER_NAME
        lines = [f"n{n} 300 A 20.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}" for n in range(names)
                 for i in range(n * PER_NAME, (n + 1) * PER_NAME)]
        zone = SOA + "\n".join(lines) + "\n"
        self.start(LIST.replace("linger: 1s", "linger: 0s") + ", min_ttl: 40s, extra_time: 1s, max_ttl: 40s, never_claim: [], "
                   "max_per_name: 100%, max_per_suffix: 100%, max_per_client: 100%",
                   zones={**ZONES, "many.example": zone})
        queries = self.scene.folder / "queries"
        queries.write_text("".join(f"n{n}.many.example A\n" for n in range(names)))
        begin = time.monotonic()
        self.scene.network.run("client", "dnsperf", "-s", "172.16.1.2", "-d", str(queries), "-Q", "4000", "-q", "200", "-c", "1")
        asked = time.monotonic()
        until(lambda: self.counter("IPv4 routes of table 5301", "added") >= ROUTES, 30, "the kernel has all routes", 0.2)
        written = time.monotonic()
        until(lambda: self.count() == ROUTES, 40, "the peer has all routes", 0.2)
        there = time.monotonic()
        print(f"{ROUTES} routes: {names} queries in {asked - begin:.1f} s; in the kernel after {written - begin:.1f} s, "
              f"at the peer after {there - begin:.1f} s; steerdns-sets {resident_mb(self.helper())} MB, "
              f"BIRD {resident_mb(self.scene.network.pid('appliance', 'bird'))} MB, "
              f"bgpd {resident_mb(self.scene.network.pid('peer', 'bgpd'))} MB")
        bird = self.scene.network.pid("appliance", "bird")
        lost = netlink_drops(bird)
        until(lambda: self.counter("IPv4 routes of table 5301", "removed") == ROUTES, 60, "all leases end", 0.2)
        removed = time.monotonic()
        until(lambda: self.count() == 0, 30, "all are withdrawn", 0.2)
        print(f"withdrawn at the peer {time.monotonic() - removed:.1f} s after the last was removed; "
              f"BIRD lost {lost} messages before")
        self.assertEqual(netlink_drops(bird) - lost, 0)


if __name__ == "__main__":
    skip_without(("bird", "vtysh", "dnsperf"), "--all")
    unittest.main()
