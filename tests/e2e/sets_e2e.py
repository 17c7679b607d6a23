"""`nftset` and `ipset`: addresses of answers are in the kernel's sets, and packets take the path that a set chooses.

The appliance is here the clients' way out as well: packets to 203.0.113.0/24 come to it, are marked if their destination
is in a set, and a mark chooses the link to the egress, which has the addresses. Unmarked ones go nowhere.
"""

import os
import pathlib
import re
import shutil
import signal
import sys
import time
import unittest

from lab.network import until
from lab.scene import ZONES, Scene

BUILD = sys.argv.pop(1)

CONFIG = """
plugins:
  - {{ tag: policy, type: domain_set, args: {{ exps: ["domain:stream.example", "domain:media.example"] }} }}
  - {{ tag: is_policy, type: qname, args: [$policy] }}
  - {{ tag: main_cache, type: cache, args: {{ size: 1000, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
{plugins}
  - {{ tag: main, type: sequence, args: [
      {{ exec: $main_cache }},
      {{ exec: $up }},
      {{ matches: $is_policy, exec: "{exec}" }} ] }}
"""
NFTSET = """  - tag: sets
    type: nftset
    args:
      ipv4: { table_family: inet, table_name: fw, set_name: policy4, mask: 32 }
      ipv6: { table_family: inet, table_name: fw, set_name: policy6, mask: 128 }
      min_ttl: 4s
      extra_time: 2s
"""
TABLE = """
table inet fw {
  set policy4 { type ipv4_addr; flags timeout; }
  set policy6 { type ipv6_addr; flags timeout; }
  chain marking {
    type filter hook prerouting priority mangle;
    ip daddr @policy4 meta mark set 1
    ip6 daddr @policy6 meta mark set 1
  }
}
"""


class Sets(unittest.TestCase):
    def setUp(self):
        scene = self.scene = self.enterContext(Scene("sets", BUILD))
        net = scene.network
        scene.start_resolver()
        net.namespace("egress")
        net.link(("egress", "eth0"), ("appliance", "out0"))
        net.address("egress", "eth0", "10.9.0.1/24", "fd09::1/64")
        net.address("appliance", "out0", "10.9.0.2/24", "fd09::2/64")
        net.run("egress", "ip", "address", "add", "203.0.113.10/32", "dev", "lo")
        net.run("egress", "ip", "address", "add", "203.0.113.11/32", "dev", "lo")
        net.run("egress", "ip", "address", "add", "2001:db8:113::10/128", "dev", "lo")
        net.run("egress", "ip", "link", "set", "lo", "up")
        net.route("egress", "default", "via", "10.9.0.2")
        net.route("egress", "default", "via", "fd09::2")
        net.run("appliance", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth0.rp_filter=0", "net.ipv4.conf.out0.rp_filter=0")
        for family, to in (("-4", "203.0.113.0/24"), ("-6", "2001:db8:113::/48")):
            net.run("appliance", "ip", family, "route", "add", "unreachable", to)
            net.run("appliance", "ip", family, "rule", "add", "fwmark", "1", "lookup", "100")
        net.run("appliance", "ip", "-4", "route", "add", "default", "via", "10.9.0.1", "table", "100")
        net.run("appliance", "ip", "-6", "route", "add", "default", "via", "fd09::1", "table", "100")
        net.route("router", "203.0.113.0/24", "via", "172.16.1.2")
        net.route("router", "2001:db8:113::/48", "via", "fd16::2")

    def start(self, exec_, plugins="", more=""):
        config = self.scene.folder / "sets.yaml"
        config.write_text(more + CONFIG.format(plugins=plugins, exec=exec_))
        return self.scene.start_daemon(config)

    def nft(self, *words, text=None):
        if text is not None:
            return self.scene.network.run("appliance", "nft", "-f", "-", input=text).stdout
        return self.scene.network.run("appliance", "nft", *words).stdout

    def in_set(self, name, table="inet fw"):
        text = self.nft("list", "set", *table.split(), name)
        found = re.search(r"elements = \{(.*?)\}", text, re.S)
        return {e.split()[0]: e for e in re.split(r",\s*", found.group(1).strip())} if found else {}

    def in_ipset(self, name):
        text = self.scene.network.run("appliance", "ipset", "list", name).stdout.split("Members:\n")[1]
        return {line.split()[0]: line for line in text.splitlines()}

    def reaches(self, address):
        return self.scene.network.run("client", "ping", "-n", "-c", "1", "-W", "1", address, check=False).returncode == 0

    def expect_report(self, what, name, **wanted):
        """Waits until `steerctl status` or `counters` shows these values for a set."""
        def says():
            sets = {s["name"]: s for s in self.scene.reported(what).get("sets", [])}
            return wanted.items() <= sets[name].items()
        until(says, 3, f"{name}: {wanted}")

    def metrics(self):
        return self.scene.network.run("appliance", "/usr/bin/python3", "-c", "import urllib.request as u;"
                                      "print(u.urlopen('http://127.0.0.1:9153/metrics').read().decode())").stdout

    def ask(self, name, kind="A"):
        answer = self.scene.short(name, kind)
        self.assertTrue(answer, name)
        return answer

    def test_nftables_routes_packets_by_a_filled_set(self):
        self.nft(text=TABLE)
        daemon = self.start("$sets", NFTSET)
        self.assertFalse(self.reaches("203.0.113.10"))
        self.ask("stream.example")
        until(lambda: len(self.in_set("policy4")) == 2, 3, "both addresses are in the set")
        self.assertTrue(self.reaches("203.0.113.10"))
        self.assertTrue(self.reaches("203.0.113.11"))
        self.assertFalse(self.reaches("2001:db8:113::10"))
        self.ask("stream.example", "AAAA")
        until(lambda: self.in_set("policy6"), 3, "the IPv6 address is in the set")
        self.assertTrue(self.reaches("2001:db8:113::10"))
        self.ask("www.other.example")
        self.assertEqual(set(self.in_set("policy4")), {"203.0.113.10", "203.0.113.11"})
        self.expect_report("status", "nftables set inet fw policy4", state="ready", claims=2, owed=0)
        self.expect_report("counters", "nftables set inet fw policy4", added=2, failed=0)
        self.assertIn("policy4", self.scene.steerctl("status"))
        self.assertRegex(self.metrics(), r'steerdns_set_added_total\{set="nftables set inet fw policy4"\} [1-9]')
        self.assertEqual(daemon.stop(), 0)

    def test_a_domain_that_has_its_share_is_named_and_leaves_room_for_others(self):
        count = 300
        flood = "@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.1\n" + "".join(
            f"w{i} 300 A 45.10.{i // 250}.{i % 250 + 1}\n" for i in range(count))
        self.scene.resolver.stop()
        self.scene.start_resolver({**ZONES, "media.example": flood})
        self.nft(text=TABLE)
        daemon = self.start("$sets", NFTSET + "      max_elements: 400\n      max_per_client: 100%\n")
        queries = self.scene.folder / "queries"
        queries.write_text("".join(f"w{i}.media.example A\n" for i in range(count)))
        self.scene.network.run("client", "dnsperf", "-s", "172.16.1.2", "-d", str(queries), "-n", "1", "-Q", "500", "-q", "50")
        self.expect_report("status", "nftables set inet fw policy4", claims=100)
        self.expect_report("counters", "nftables set inet fw policy4", over_share=count - 100, full=0)
        daemon.wait_for("names below media.example have their share of the 400 elements of nftables set inet fw policy4 (100)")
        refused = next(i for i in range(count) if f"45.10.{i // 250}.{i % 250 + 1}" not in self.in_set("policy4"))
        answer = self.scene.kdig("+noall", "+answer", f"w{refused}.media.example").split()
        self.assertLessEqual(int(answer[1]), 5, "the address is told for a short time")
        self.ask("stream.example")
        until(lambda: {"203.0.113.10", "203.0.113.11"} <= set(self.in_set("policy4")), 3, "another domain's are in the set")
        self.assertRegex(self.metrics(), r'steerdns_set_over_share_total\{set="nftables set inet fw policy4"\} 2\d\d')

    def test_a_cached_answer_renews_its_elements(self):
        self.nft(text=TABLE)
        self.start("$sets", NFTSET)
        # TTL 5 s, as a cache hit counts it down; the element lives as long and 2 s more.
        self.ask("short.stream.example")
        until(lambda: "203.0.113.20" in self.in_set("policy4"), 3, "it is in the set")
        self.nft("flush", "set", "inet", "fw", "policy4")
        until(lambda: "203.0.113.20" in self.in_set("policy4"), 3, "it is there again")
        self.expect_report("counters", "nftables set inet fw policy4", restored=1)
        # long.stream.example: one day of TTL, an element that lives as long as max_ttl. A reload lowers that, and the
        # cached answer claims with it.
        config = self.scene.folder / "sets.yaml"
        config.write_text(config.read_text().replace("extra_time: 2s", "extra_time: 2s\n      max_ttl: 8s"))
        self.scene.steerctl("reload")
        asked = self.scene.total("stats", "upstream_queries")
        self.ask("long.stream.example")
        until(lambda: "203.0.113.21" in self.in_set("policy4"), 3, "it is in the set")
        end = time.monotonic() + 12  # longer than the element lives: hits renew it
        while time.monotonic() < end:
            self.ask("long.stream.example")
            self.assertIn("203.0.113.21", self.in_set("policy4"))
            time.sleep(0.5)
        self.assertEqual(self.scene.total("stats", "upstream_queries"), asked + 1)
        until(lambda: "203.0.113.21" not in self.in_set("policy4"), 12, "nobody asks, and it ends")

    def test_a_set_is_filled_when_it_appears_and_after_a_firewall_reload(self):
        daemon = self.start("nftset inet,fw,policy4,ipv4_addr,32 inet,fw,policy6,ipv6_addr,128")
        daemon.wait_for("nftables set inet fw policy4 cannot be filled: there is no such set")
        self.ask("stream.example")
        self.expect_report("status", "nftables set inet fw policy4", state="away", claims=2, owed=2)
        self.nft(text=TABLE)
        until(lambda: len(self.in_set("policy4")) == 2, 5, "what waited for the set is in it")
        self.assertTrue(self.reaches("203.0.113.10"))
        before = self.in_set("policy4")["203.0.113.10"]
        self.nft(text="flush ruleset\n" + TABLE)
        until(lambda: len(self.in_set("policy4")) == 2, 5, "the live ones are there again")
        self.assertTrue(self.reaches("203.0.113.11"))
        self.assertIn("timeout", before)
        self.nft("flush", "ruleset")
        until(lambda: daemon.text().count("policy4 cannot be filled") == 2, 5, "it is said again, once")
        self.ask("media.example")  # DNS goes on
        self.assertEqual(daemon.stop(), 0)

    def test_an_interval_set_gets_prefixes_and_missing_timeouts_are_reported(self):
        self.nft(text="table ip fw { set nets { type ipv4_addr; flags interval; }\n"
                      " chain marking {\n type filter hook prerouting priority mangle;\n"
                      " ip daddr @nets meta mark set 1\n }\n}\n")
        daemon = self.start("nftset ip,fw,nets,ipv4_addr,24")
        daemon.wait_for("nftables set ip fw nets has no timeouts")
        self.ask("media.example")
        until(lambda: self.in_set("nets", "ip fw"), 3, "the prefix is in the set")
        self.assertEqual(list(self.in_set("nets", "ip fw")), ["203.0.113.0/24"])
        self.assertTrue(self.reaches("203.0.113.10"))  # of the same prefix
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.stop(), 0)

    def test_iptables_routes_packets_by_a_filled_ipset(self):
        run = self.scene.network.run
        run("appliance", "ipset", "create", "policy4", "hash:net", "timeout", "0")
        run("appliance", "ipset", "create", "policy6", "hash:ip", "family", "inet6", "timeout", "60")
        for tool, name in (("iptables", "policy4"), ("ip6tables", "policy6")):
            run("appliance", tool, "-t", "mangle", "-A", "PREROUTING", "-m", "set", "--match-set", name, "dst", "-j",
                "MARK", "--set-mark", "1")
        daemon = self.start("ipset policy4,inet,32 policy6,inet6,128")
        self.assertFalse(self.reaches("203.0.113.10"))
        self.ask("stream.example")
        self.ask("stream.example", "AAAA")
        until(lambda: len(self.in_ipset("policy4")) == 2 and self.in_ipset("policy6"), 3, "they are in the sets")
        self.assertTrue(self.reaches("203.0.113.10"))
        self.assertTrue(self.reaches("2001:db8:113::10"))
        self.assertRegex(self.in_ipset("policy4")["203.0.113.10"], r"timeout (3[23]\d|29\d)")
        run("appliance", "ipset", "flush", "policy4")
        until(lambda: len(self.in_ipset("policy4")) == 2, 15, "they are there again")
        self.expect_report("status", "ipset policy4", state="ready", claims=2, owed=0)
        self.assertEqual(daemon.stop(), 0)

    def helper(self):
        """The pid of this daemon's steerdns-sets; None if it does not run."""
        return self.scene.network.child("appliance", "steerdnsd", "steerdns-sets")

    def status_of(self, pid):
        return dict(re.findall(r"(\w+):\s*(.*)", pathlib.Path(f"/proc/{pid}/status").read_text()))

    def test_a_killed_steerdns_sets_is_restarted_and_fills_its_sets(self):
        self.nft(text=TABLE)
        daemon = self.start("$sets", NFTSET)
        self.ask("stream.example")
        until(lambda: len(self.in_set("policy4")) == 2, 3, "both addresses are in the set")
        before = self.helper()
        self.nft("flush", "set", "inet", "fw", "policy4")
        os.kill(before, signal.SIGKILL)
        daemon.wait_for("steerdns-sets ended (killed by signal 9): sets of the kernel are not filled; "
                        "it is started again in 1 s")
        self.ask("media.example")  # no held answer waits for it
        self.expect_report("status", "nftables set inet fw policy4", state="away")
        daemon.wait_for("steerdns-sets runs again", 10)
        self.assertNotIn(self.helper(), (None, before))
        self.ask("stream.example")  # the cached answer claims again
        until(lambda: set(self.in_set("policy4")) >= {"203.0.113.10", "203.0.113.11"}, 3, "they are in the set again")
        self.assertTrue(self.reaches("203.0.113.10"))
        self.expect_report("status", "nftables set inet fw policy4", state="ready", trouble="")
        until(lambda: 'steerdns_sink_away{sink="kernel sets"} 0\n' in self.metrics(), 3, "the sink is here again")
        for line in ("steerdns_sets_process_restarts_total 1\n", "steerdns_sets_process_running 1\n"):
            self.assertIn(line, self.metrics())
        last = self.helper()
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse(pathlib.Path(f"/proc/{last}").exists())

    def test_steerdns_sets_ends_with_a_killed_daemon(self):
        self.nft(text=TABLE)
        self.start("$sets", NFTSET)
        until(self.helper, 3, "steerdns-sets runs")
        helper = self.helper()
        os.kill(self.scene.network.pid("appliance", "steerdnsd"), signal.SIGKILL)
        until(lambda: not pathlib.Path(f"/proc/{helper}").exists(), 3, "it ends")

    def test_steerdns_sets_has_only_cap_net_admin(self):
        for user in ("nobody", "root"):
            with self.subTest(user):
                self.nft(text=TABLE)
                daemon = self.start("$sets", NFTSET, f"control: {{ user: {user} }}\n")
                self.ask("stream.example")
                until(lambda: len(self.in_set("policy4")) == 2, 3, "both addresses are in the set")
                status = self.status_of(self.helper())
                own = self.status_of(self.scene.network.pid("appliance", "steerdnsd"))
                net_admin = f"{1 << 12:016x}"
                self.assertEqual((status["CapPrm"], status["CapEff"]), (net_admin, net_admin))
                self.assertEqual({status["CapInh"], status["CapAmb"], status["CapBnd"]}, {"0" * 16})
                self.assertEqual(status["NoNewPrivs"], "1")
                self.assertEqual((status["Uid"], status["Gid"]), (own["Uid"], own["Gid"]))
                fds = [os.readlink(f) for f in pathlib.Path(f"/proc/{self.helper()}/fd").iterdir()]
                self.assertTrue(all("socket:" in f for f in fds if f not in map(self.standard, range(3))), fds)
                self.assertEqual(daemon.stop(), 0)
                self.nft("flush", "ruleset")

    def standard(self, number):
        return os.readlink(f"/proc/{self.helper()}/fd/{number}")

    def test_a_missing_steerdns_sets_is_reported_and_dns_goes_on(self):
        alone = self.scene.folder / "alone"
        alone.mkdir()
        shutil.copy(pathlib.Path(BUILD) / "steerdnsd", alone)
        (alone / "tools").symlink_to(pathlib.Path(BUILD) / "tools")
        self.scene.build = alone
        self.nft(text=TABLE)
        daemon = self.start("$sets", NFTSET + "      ready: any\n")
        daemon.wait_for(f"steerdns-sets is not in {alone} nor in /")
        failed = ('routers failed: list "sets" cannot be written to nftables set inet fw policy4, nftables set inet fw policy6 '
                  f"(steerdns-sets is not in {alone} nor in /")
        until(lambda: self.scene.readyz().startswith(failed), 3, "/readyz names the list and its sets")
        self.ask("stream.example")
        self.expect_report("status", "nftables set inet fw policy4", state="away")


if __name__ == "__main__":
    unittest.main(verbosity=2)
