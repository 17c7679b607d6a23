"""steerctl doctor --probe and --watch, in networks where Linux routes and rossim speaks for it: one thing is broken at a time."""

import contextlib
import re
import signal
import subprocess
import sys
import unittest

from lab.ipv6_mostly import BOX6, OPTION, PROGRAMS
from lab.network import skip_without, until
from lab.policy import names_for
from lab.probed import ProbedIpv6MostlyLab, ProbedPolicyLab

BUILD = sys.argv.pop(1)
WEB = ("--probe-port", "80")


def checks(judgement):
    return sorted(finding["check"] for finding in judgement["findings"])


def steps(judgement):
    return {step["step"]: step["result"] for step in judgement["steps"]}


class Probe(unittest.TestCase):
    """Names with one address each: n0 (IPv4) and n2 (IPv6) are on the list, n1 is not."""

    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(ProbedPolicyLab(BUILD, names_for(8)))
        cls.lab.start()

    def probe(self, name, *words):
        return self.lab.judgement("--probe", name, *WEB, *words)

    @contextlib.contextmanager
    def broken(self, *argv, mend):
        """A command in the router's namespace, and the one that takes it back."""
        self.lab.network.run("router", *argv)
        try:
            yield
        finally:
            self.lab.network.run("router", *mend)

    @contextlib.contextmanager
    def without_rule(self, comment):
        """A rule of nftables is removed; all others stay in their order."""
        net = self.lab.network
        before = net.run("router", "nft", "list", "chain", "inet", "router", "mangle").stdout
        handles = net.run("router", "nft", "-a", "list", "chain", "inet", "router", "mangle").stdout
        handle = re.search(rf'comment "{comment}" # handle (\d+)', handles)[1]
        net.run("router", "nft", "delete", "rule", "inet", "router", "mangle", "handle", handle)
        try:
            yield
        finally:
            net.run("router", "nft", "-f", "-", input="flush chain inet router mangle\n" + before)

    def test_a_router_in_order_has_each_step_and_is_not_written_to(self):
        for name, family in (("n0.stream.example", "ipv4"), ("n2.stream.example", "ipv6")):
            with self.subTest(family):
                seen = self.probe(name)
                self.assertEqual(checks(seen), [], seen)
                self.assertEqual(steps(seen), {"resolve": "ok", **{f"{step}-{family}": "ok" for step in
                                                                   ("row", "segment", "connection", "mark", "egress")}})
        output = self.lab.doctor("--probe", "n0.stream.example", *WEB)
        self.assertEqual((output.returncode, output.stderr), (0, ""), output.stdout)
        self.assertIn("step egress-ipv4 ok: it leaves by tunnel0 as 10.9.0.2\n", output.stdout)
        menus = {name.rpartition("/")[0] for name in self.lab.routeros.writes()}
        daemons = {"", "/ip/firewall/address-list", "/ipv6/firewall/address-list"}  # "": /execute
        self.assertLessEqual(menus, daemons)

    def test_a_wrong_egress_is_named(self):
        for family, name in (("-4", "n0.stream.example"), ("-6", "n2.stream.example")):
            rule = ("ip", family, "rule")
            with self.subTest(family), self.broken(*rule, "del", "fwmark", "1", "lookup", "100",
                                                   mend=(*rule, "add", "fwmark", "1", "lookup", "100")):
                seen = self.probe(name)
                self.assertEqual(checks(seen), ["probe-egress"], seen)
                self.assertIn("leaves by line0; the list tunnel", seen["findings"][0]["what"])
                self.assertEqual(self.lab.doctor("--probe", name, *WEB).returncode, 1)
        self.assertEqual(checks(self.probe("n0.stream.example")), [])

    def test_a_missing_mark_is_named(self):
        for comment, name in (("mark4", "n0.stream.example"), ("mark6", "n2.stream.example")):
            with self.subTest(comment), self.without_rule(comment):
                seen = self.probe(name)
                self.assertEqual(checks(seen), ["probe-mark"], seen)
                self.assertRegex(seen["findings"][0]["what"], r"has no mark; the list tunnel[46] needs steerdns-tunnel4; .* counted no packet")

    def test_a_connection_that_the_router_does_not_track_is_named(self):
        with self.broken("nft", "add rule inet router raw tcp dport 80 notrack", mend=("nft", "flush chain inet router raw")):
            seen = self.probe("n0.stream.example")
        self.assertEqual(checks(seen), ["probe-connection"], seen)
        self.assertIn("is not in /ip/firewall/connection; it was not established", seen["findings"][0]["what"])
        self.assertEqual(steps(seen)["mark-ipv4"], "unknown")

    def test_a_name_on_no_list_is_named(self):
        seen = self.probe("n1.other.example")
        self.assertEqual(checks(seen), ["probe-row"], seen)

    def test_a_host_on_another_segment_concludes_nothing(self):
        ros = self.lab.routeros
        ros.change_row("lan0", interface="guests")
        try:
            seen = self.probe("n0.stream.example")
        finally:
            ros.change_row("lan0", interface="lan0")
        self.assertEqual(checks(seen), ["probe-segment"], seen)
        self.assertEqual(seen["findings"][0]["level"], "advice")
        self.assertEqual({steps(seen)[f"{step}-ipv4"] for step in ("segment", "mark", "egress")}, {"unknown"})

    def test_a_menu_that_may_not_be_read_is_named(self):
        ros = self.lab.routeros
        ros.ctl("fault", "trap", "command=firewall/connection/print", "times=0", "message=not enough permissions (9)")
        try:
            seen = self.probe("n0.stream.example")
        finally:
            ros.ctl("fault", "none")
        self.assertEqual(checks(seen), ["probe-rights"], seen)

    def test_a_name_that_does_not_resolve_is_named(self):
        seen = self.probe("nosuch.stream.example")
        self.assertEqual([finding["what"] for finding in seen["findings"]], ["nosuch.stream.example has no address"])

    def test_wrong_command_lines(self):
        for words, output in ((("nowhere", "--probe", "n0.stream.example"), 'no router of the configuration is called "nowhere"'),
                            (("--probe", "a..b"), 'the name to probe is "a..b": expected a domain name'),
                            (("--probe", "a.example", "--probe-port", "0"), '--probe-port is "0": expected 1 to 65535'),
                            (("--probe", "a.example", "--probe-from", "here"), '--probe-from is "here": expected an IP address'),
                            (("--probe", "a.example", "--probe-from", "192.0.2.9"), "no interface of this host has that address"),
                            (("--watch", "0"), '--watch is "0": expected 1 to 86400 seconds'),
                            (("--watch", "edge"), '--watch is "edge": expected 1 to 86400 seconds; write the router before --watch'),
                            (("--watch", "--fix"), "add --probe-nat64 NAME")):
            with self.subTest(words):
                done = self.lab.doctor(*words)
                self.assertEqual(done.returncode, 2, done)
                self.assertIn(output, done.stderr)


class WithoutNat(unittest.TestCase):
    def test_counters_tell_the_egress(self):
        with ProbedPolicyLab(BUILD, names_for(8), masquerades=False) as lab:
            lab.start()
            seen = lab.judgement("--probe", "n0.stream.example", *WEB)
            self.assertEqual((checks(seen), steps(seen)["egress-ipv4"]), ([], "ok"), seen)
            self.assertRegex(seen["steps"][-1]["text"], r"^tunnel0 sent \d+ packets during the probe")
            counts = []

            def are_quiet():
                counts.append(lab.network.run("router", "cat", "/proc/net/dev").stdout)
                return len(counts) > 2 and len(set(counts[-3:])) == 1
            until(are_quiet, 30, "the closed connections have sent their last packets", pause=0.5)
            lab.network.run("router", "ip", "rule", "del", "fwmark", "1", "lookup", "100")
            seen = lab.judgement("--probe", "n0.stream.example", *WEB)
            self.assertEqual(checks(seen), ["probe-egress"], seen)


class Ipv6Mostly(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(ProbedIpv6MostlyLab(BUILD))
        cls.lab.start()

    words = ("--probe-nat64", "v4only.site.example", *WEB, "--probe-from", ProbedIpv6MostlyLab.foot)

    def probe(self, *words, **where):
        return self.lab.judgement(*self.words, *words, **where)

    def test_advertisements(self):
        lab = self.lab
        seen = self.probe()
        self.assertEqual((checks(seen), steps(seen)), ([], {"advertisement": "ok", "dns64": "ok", "nat64": "ok"}), seen)
        for what, how, check, output in (
                ("no PREF64", {"prefix": ""}, "ra-pref64", r"has a NAT64 prefix \(PREF64\)"),
                ("a wrong PREF64", {"prefix": "2001:db8:64::/96"}, "ra-pref64", "have the NAT64 prefix 2001:db8:64::/96; DNS64 uses 64:ff9b::/96"),
                ("a lifetime of 0", {"lifetime_s": 0}, "ra-lifetime", "the NAT64 prefix 64:ff9b::/96 is announced for 0 s"),
                ("no RDNSS", {"rdnss": ""}, "ra-rdnss", r"has a DNS server \(RDNSS\)"),
                ("a wrong RDNSS", {"rdnss": "2001:db8:16::99"}, "ra-rdnss", "have the DNS server 2001:db8:16::99, which is neither"),
                ("an RDNSS with lifetime 0", {"rdnss_lifetime_s": 0}, "ra-lifetime", f"the DNS server {BOX6} is announced for 0 s")):
            with self.subTest(what):
                lab.announce(**how)
                seen = self.probe()
                self.assertEqual(checks(seen), [check], seen)
                self.assertRegex(seen["findings"][0]["what"], output)
        with self.subTest("none at all"):
            lab.radvd.stop()
            lab.announcer.stop()
            self.assertEqual(checks(self.probe()), ["ra-none"])
        lab.announce()
        self.assertEqual(checks(self.probe()), [])
        self.assertEqual(lab.routeros.writes(), {})

    def test_rights_and_segments(self):
        with self.subTest("no raw socket"):
            seen = self.probe(under=("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"))
            self.assertEqual(checks(seen), ["probe-rights"], seen)
            self.assertIn("no raw socket: Operation not permitted", seen["findings"][0]["what"])
            self.assertEqual(steps(seen)["nat64"], "ok")
        with self.subTest("not among clients"):
            seen = self.lab.judgement("--probe-nat64", "v4only.site.example", *WEB)
            self.assertEqual(checks(seen), ["probe-segment"], seen)
            self.assertEqual(steps(seen), {"advertisement": "unknown", "dns64": "ok", "nat64": "ok"})

    def test_nat64(self):
        lab = self.lab
        with self.subTest("a name with IPv6 addresses"):
            seen = lab.judgement("--probe-nat64", "both.site.example", *self.words[2:])
            self.assertEqual((checks(seen), steps(seen)["dns64"], steps(seen)["nat64"]), ([], "unknown", "ok"), seen)
        with self.subTest("a name that is not translated"):
            seen = lab.judgement("--probe-nat64", "www.legacy.example", *self.words[2:])
            self.assertEqual(checks(seen), ["probe-dns64"], seen)
        with self.subTest("a server that is away over IPv4, too"):
            lab.network.run("internet", "nft", "-f", "-", input="""
                table inet t {
                  chain c { type filter hook input priority 0; tcp dport 80 drop; }
                }""")
            seen = self.probe()
            lab.network.run("internet", "nft", "delete", "table", "inet", "t")
            self.assertEqual(checks(seen), ["probe-nat64-unproved"], seen)
        with self.subTest("no translator"):
            lab.translator.stop()
            seen = self.probe()
            self.assertEqual(checks(seen), ["probe-nat64"], seen)
            lab.restart_translator()
            self.assertEqual(checks(self.probe()), [])

    def test_option_108_is_given_only_after_the_proof(self):
        lab = self.lab
        lab.announce()
        lab.routeros.change_row("network", dhcp_option="ntp")
        try:
            def unused(judgement):
                return next(f["fix"] for f in judgement["findings"] if f["check"] == "option-108-unused")
            self.assertEqual(unused(lab.judgement()), [])
            lab.announce(prefix="")
            self.assertEqual(unused(self.probe()), [])
            lab.announce()
            number = lab.routeros.rows["network"][1]
            self.assertEqual(unused(self.probe()), [f"/ip dhcp-server network set {number} dhcp-option=ntp,steerdns-v6only"])
        finally:
            lab.routeros.change_row("network", dhcp_option="ntp,steerdns-v6only")

    @contextlib.contextmanager
    def watch(self, *words):
        lab = self.lab
        process = lab.network.start("box", "watch", *lab.doctor_argv(*self.words, "--watch", "1", *words))
        try:
            yield process
        finally:
            # (`ip netns exec` and the shell become the doctor: it is the same process.)
            self.assertEqual(process.stop(30, signal.SIGTERM), 0, process.text())

    def http(self, path):
        return self.lab.network.run("box", "curl", "-s", "-m", "5", f"http://127.0.0.1:9153{path}", check=False).stdout

    def has_option(self):
        return "steerdns-v6only" in self.lab.network_row()["dhcp-option"]

    def test_option_108_goes_with_the_nat64_and_comes_back(self):
        lab = self.lab
        lab.announce()
        row = lab.network_row()
        with self.watch() as process:
            process.wait_for("step nat64 ok")
            until(lambda: 'steerdns_doctor_probe_ok{router="edge",step="nat64"} 1' in self.http("/metrics"), 30, "the daemon has a report")
            self.assertIn("doctor ok: edge: no findings", self.http("/readyz?verbose"))
            lab.translator.stop()
            process.wait_for("--fix withdraws it")
            self.assertEqual(lab.network_row(), row, "without --fix nothing is written")
            self.assertEqual(lab.routeros.writes(), {})
            until(lambda: 'steerdns_doctor_nat64_dead{router="edge"} 1' in self.http("/metrics"), 30, "the metric says that it is dead")
            self.assertIn("doctor ok: edge: problems: probe-nat64", self.http("/readyz?verbose"))
            self.assertEqual(self.http("/readyz"), "ok\n")
        with self.watch("--fix") as process:
            process.wait_for("DHCP option 108 is withdrawn")
            process.wait_for('undo: /ip dhcp-server network set')
            until(lambda: not self.has_option(), 30, "the option is withdrawn")
            self.assertEqual(lab.network_row()["dhcp-option"], "ntp")
            self.assertEqual(lab.network_row()["comment"], "steerdns-withdrew=steerdns-v6only;clients")
            until(lambda: 'steerdns_doctor_option_108_withdrawn{router="edge"} 1' in self.http("/metrics"), 30, "the metric says it")
        writes = lab.routeros.writes()
        self.assertEqual(writes, {"/ip/dhcp-server/network/set": 1})
        with self.watch("--fix") as process:  # another process, without the memory of the first
            process.wait_for("step nat64 failed")
            lab.restart_translator()
            process.wait_for("DHCP option 108 is given again")
            until(self.has_option, 30, "the option is given again")
        self.assertEqual(lab.network_row(), row)
        self.assertEqual(lab.routeros.writes(), {"/ip/dhcp-server/network/set": 2})


if __name__ == "__main__":
    skip_without(PROGRAMS, OPTION)
    unittest.main(verbosity=2)
