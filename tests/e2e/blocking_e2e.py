"""Rules that people add: `steerctl block`, `allow`, `unblock` and `pause`, in force at once, for the right clients, and kept."""

import json
import os
import signal
import sys
import unittest

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
CONFIG = """
control: {{ {groups}http: 127.0.0.1:9153, rules: {rules}, leases: {leases} }}
plugins:
  - {{ tag: ads, type: adlist, args: {{ lists: [ {lists}{{ list: {law}, legal: true }} ], allow: [ lawful.example ]{keys} }} }}
  - {{ tag: main_cache, type: cache, args: {{ size: 1000, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: recorded, type: query_recorder, args: {{ path: {history}, flush_interval_ms: 1 }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $recorded }}, {order} ] }}
"""
ZONES = """
control: {{ rules: {rules} }}
plugins:
  - {{ tag: policy, type: rpz, args: {{ zones: [ {{ name: feed, zone: {feed} }}, {{ name: law, zone: {law}, legal: true }} ] }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $policy }}, {{ exec: $up }} ] }}
"""
UNRECORDED = """
control: {{ rules: {rules} }}
plugins:
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $up }} ] }}
"""
FIRST = "{ exec: $ads }, { exec: $main_cache }, { matches: qname full:n5.other.example, exec: reject 3 }, { exec: $up }"
BEHIND_CACHE = "{ exec: $main_cache }, { exec: $ads }, { exec: $up }"
BLOCKED = ["0.0.0.0"]


class Blocking(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("blocking", BUILD))
        self.scene.start_resolver()
        os.chmod(self.scene.folder, 0o777)
        folder = self.scene.folder
        self.hosts, self.law, self.rules = folder / "ads.hosts", folder / "law.txt", folder / "rules.json"
        self.hosts.write_text("0.0.0.0 www.other.example\n0.0.0.0 other.example\n")
        self.law.write_text("www.stream.example\nlawful.example\n")
        self.config = folder / "steer.yaml"
        self.config_of_groups = ""

    def start(self, order=FIRST, lists=None, keys=""):
        self.config.write_text(CONFIG.format(rules=self.rules, groups=self.config_of_groups, leases=self.scene.folder / "leases.json",
                                              lists=lists or f"{self.hosts}, ", law=self.law, order=order, keys=keys,
                                             history=self.scene.folder / "history.db"))
        self.daemon = self.scene.start_daemon(self.config)
        return self.daemon

    def daemon_again(self):
        self.daemon.stop()
        self.daemon = self.scene.start_daemon(self.config)

    def clients(self):
        """Two addresses of the client's machine."""
        self.scene.network.run("client", "ip", "address", "add", "192.168.88.11/24", "dev", "eth0")
        return "192.168.88.10", "192.168.88.11"

    def answer(self, name, source):
        return self.scene.short(name, "A", "-b", source)

    def rule(self, *words):
        return self.scene.reported(*words)["rules"]

    def test_a_block_and_its_end_are_in_force_for_the_next_query(self):
        self.start()
        name = "music.example"
        self.assertNotEqual(self.scene.short(name, "A"), BLOCKED)
        for _ in range(3):  # the packet cache has it
            self.scene.short(name, "A")
        (made,) = self.rule("block", name, "--note", "homework")
        self.assertEqual((made["does"], made["name"], made["note"], made["until_s"]), ("block", name, "homework", 0))
        self.assertEqual(self.scene.short(name, "A"), BLOCKED)
        self.assertEqual(self.scene.short(name, "AAAA"), ["::"])
        self.assertEqual(self.scene.short("deep.below." + name, "A"), BLOCKED)
        self.rule("block", name, "--exact")
        self.rule("unblock", "--number", str(made["number"]))
        self.assertEqual(self.scene.short(name, "A"), BLOCKED)
        self.assertNotEqual(self.scene.short("deep.below." + name, "A"), BLOCKED)
        self.rule("unblock", name)
        self.assertNotEqual(self.scene.short(name, "A"), BLOCKED)
        self.assertIn("no rules", self.scene.steerctl("blocking"))

    def test_an_allowed_name_passes_the_list_and_not_the_law(self):
        self.start()
        self.assertEqual(self.scene.short("www.other.example", "A"), BLOCKED)
        self.rule("allow", "other.example")
        self.assertEqual(self.scene.short("www.other.example", "A"), ["198.51.100.2"])
        self.assertEqual(self.scene.short("www.stream.example", "A"), BLOCKED)
        self.rule("allow", "stream.example")
        self.rule("pause", "--for", "10m")
        self.assertEqual(self.scene.short("www.stream.example", "A"), BLOCKED)
        paused = {one["list"]: one["paused_s"] for one in self.scene.reported("adlist", "pause", "600")["adlists"]}
        self.assertGreater(paused[str(self.hosts)], 0)
        self.assertEqual(paused[str(self.law)], 0)
        self.assertIn("only its legal lists block", " ".join(one["text"] for one in self.scene.reported("status")["problems"]))
        self.assertEqual(self.scene.short("www.stream.example", "A"), BLOCKED)
        self.assertEqual(self.scene.short("lawful.example", "A"), BLOCKED)  # `allow` of the adlist does not end it either
        self.scene.reported("adlist", "resume")
        done = self.scene.ask("pause", "--tag", "ads", "--list", str(self.law))
        self.assertIn("an admin can suspend it", done.stderr)
        (made,) = self.rule("pause", "--tag", "ads", "--list", str(self.law), "--legal", "--note", "order 12/2026 ended")
        self.assertNotEqual(self.scene.short("www.stream.example", "A"), BLOCKED)
        self.rule("unblock", "--number", str(made["number"]))
        self.assertEqual(self.scene.short("www.stream.example", "A"), BLOCKED)
        self.rule("unblock", "--number", str(self.rule("blocking")[0]["number"]))

    def test_a_suspended_list_leaves_the_others_in_force(self):
        self.law.write_text("www.other.example\nlawful.example\n")
        self.start()
        self.rule("pause", "--tag", "ads", "--list", str(self.law), "--legal", "--note", "order 12/2026 ended")
        self.assertEqual(self.scene.short("www.other.example", "A"), BLOCKED)
        self.rule("allow", "www.other.example")
        self.assertEqual(self.scene.short("www.other.example", "A"), ["198.51.100.2"])

    def test_an_adlist_of_legal_lists_has_no_pause(self):
        self.start(lists=" ")
        refused = self.scene.ask("adlist", "pause", "600")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("its lists are marked `legal`, which no pause ends: an admin suspends them", refused.stderr)
        self.scene.reported("adlist", "resume")
        self.assertNotIn("is paused", " ".join(one["text"] for one in self.scene.reported("status")["problems"]))

    def test_a_legal_zone_is_ended_by_no_rule_and_no_other_zone(self):
        head = "@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\n"
        feed, law = self.scene.folder / "feed.zone", self.scene.folder / "law.zone"
        feed.write_text(f"$ORIGIN feed.\n{head}other.example CNAME .\nlong.stream.example CNAME rpz-passthru.\n"
                        "www.stream.example CNAME rpz-passthru.\nwww.other.example CNAME .\n")
        law.write_text(f"$ORIGIN law.\n{head}other.example CNAME .\nlong.stream.example CNAME .\nnode.stream.example CNAME .\n")
        self.config.write_text(ZONES.format(rules=self.rules, feed=feed, law=law))
        self.scene.start_daemon(self.config)
        status = lambda name: self.scene.kdig(name, "A").split("status: ")[1].split(";")[0]
        for name in ("other.example", "long.stream.example", "www.stream.example"):  # the last one by its CNAME
            self.assertEqual(status(name), "NXDOMAIN", name)
            self.rule("allow", name, "--exact")
            self.assertEqual(status(name), "NXDOMAIN", name)
        self.assertEqual(status("www.other.example"), "NXDOMAIN")
        self.rule("pause", "--for", "10m")
        self.assertEqual(status("www.other.example"), "NOERROR")
        self.assertEqual(status("other.example"), "NXDOMAIN")

    def test_a_rule_of_a_sequence_that_rejects_names_of_a_list_is_passed(self):
        self.start()
        status = lambda: self.scene.kdig("n5.other.example", "A")
        self.assertIn("NXDOMAIN", status())
        self.rule("allow", "n5.other.example")
        self.assertNotIn("NXDOMAIN", status())

    def test_rules_for_a_device_are_for_it_alone(self):
        self.start()
        first, second = self.clients()
        self.rule("block", "music.example", "--client", first)
        self.assertEqual(self.answer("music.example", first), BLOCKED)
        self.assertNotEqual(self.answer("music.example", second), BLOCKED)
        # the narrower audience wins over the longer name
        self.rule("block", "deep.music.example")
        self.rule("allow", "music.example", "--client", second)
        self.assertNotEqual(self.answer("deep.music.example", second), BLOCKED)
        self.assertEqual(self.answer("deep.music.example", first), BLOCKED)
        self.rule("pause", "--for", "1h", "--client", first)
        self.assertEqual(self.answer("www.other.example", first), ["198.51.100.2"])
        self.assertEqual(self.answer("www.other.example", second), BLOCKED)

    def test_rules_for_a_group_follow_its_devices(self):
        self.start()
        first, second = self.clients()
        added = self.scene.reported("clients", "group", "add", "children", first)
        self.assertEqual((added["clients"], added["kept"]), ([first], True))
        for source in (first, second) * 2:  # the packet cache has it
            self.assertNotEqual(self.answer("music.example", source), BLOCKED)
        (made,) = self.rule("block", "music.example", "--group", "children")
        self.assertEqual((made["group"], made["clients"]), ("children", ""))
        self.assertEqual(self.answer("music.example", first), BLOCKED)
        self.assertNotEqual(self.answer("music.example", second), BLOCKED)
        # another member, at once
        self.scene.reported("clients", "group", "add", "children", second + "/32")
        self.assertEqual(self.answer("music.example", second), BLOCKED)
        # everyone < prefix < group < device, whatever the name's length
        self.rule("allow", "music.example", "--client", "192.168.88.0/24")
        self.rule("allow", "deep.music.example")
        self.assertEqual(self.answer("deep.music.example", first), BLOCKED)
        self.rule("allow", "music.example", "--client", first)
        self.assertNotEqual(self.answer("music.example", first), BLOCKED)
        self.assertEqual(self.answer("music.example", second), BLOCKED)
        self.rule("unblock", "music.example", "--client", first)
        self.assertRegex(self.scene.steerctl("blocking"), r"block +music\.example and below +group children")
        # a pause of the lists for the group alone, and a restart
        self.scene.reported("clients", "group", "remove", "children", second)
        self.assertNotEqual(self.answer("music.example", second), BLOCKED)
        self.rule("pause", "--for", "1h", "--group", "children")
        self.daemon_again()
        self.assertEqual(self.answer("music.example", first), BLOCKED)
        self.assertEqual(self.answer("www.other.example", first), ["198.51.100.2"])
        self.assertEqual(self.answer("www.other.example", second), BLOCKED)
        # refused with a sentence
        for words, sentence in ((("clients", "group", "remove", "children"), '2 rules are for the group "children"'),
                                (("block", "a.example", "--group", "Kids"), 'there is no group "Kids": the groups are "children"'),
                                (("block", "a.example", "--group", "x", "--client", first), "excludes"),
                                (("clients", "group", "add", "children", "nobody"), '"nobody" is not an address, a prefix, a MAC address or the name of a client'),
                                (("clients", "group", "remove", "children", second), f"people did not add {second}")):
            with self.subTest(words):
                refused = self.scene.ask(*words)
                self.assertNotEqual(refused.returncode, 0)
                self.assertIn(sentence, refused.stderr)
        self.rule("unblock", "music.example", "--group", "children")
        self.assertNotEqual(self.answer("music.example", first), BLOCKED)
        for made in self.rule("blocking"):
            self.rule("unblock", "--number", str(made["number"]))
        self.assertEqual(self.scene.steerctl("clients", "group", "remove", "children"), "children: removed\n")
        self.assertIn("no groups", self.scene.steerctl("clients", "group"))

    def test_a_group_of_the_policy_follows_its_devices(self):
        self.start("{ matches: client_group children, exec: black_hole null short_circuit }, { exec: $main_cache }, { exec: $up }")
        first, second = self.clients()
        problem = 'client_group "main[2].matches[1]" never matches: there is no group "children"'
        problems = lambda: [one["text"] for one in self.scene.reported("status")["problems"]]
        self.assertTrue(any(problem in one for one in problems()), problems())
        for source in (first, second) * 2:
            self.assertNotEqual(self.answer("www.other.example", source), BLOCKED)
        self.scene.reported("clients", "group", "add", "children", first)
        self.assertEqual(self.answer("www.other.example", first), BLOCKED)
        self.assertNotEqual(self.answer("www.other.example", second), BLOCKED)
        self.assertFalse(any("client_group" in one for one in problems()), problems())
        refused = self.scene.ask("clients", "group", "remove", "children")
        self.assertIn("of the configuration is for the group", refused.stderr)
        self.daemon_again()
        self.assertEqual(self.answer("www.other.example", first), BLOCKED)
        self.scene.reported("clients", "group", "remove", "children", first)
        self.assertNotEqual(self.answer("www.other.example", first), BLOCKED)
        self.assertIn("children", self.scene.steerctl("explain", "www.other.example", "--client", first))

    def test_groups_of_a_file_are_followed(self):
        subscribers = self.scene.folder / "subscribers.txt"
        subscribers.write_text("# from the feed\nchildren 192.168.88.10\nchildren 02:00:00:00:00:09\n")
        self.config_of_groups = f"client_groups: {subscribers}, "
        self.start("{ exec: $ads }, { matches: client_group guests, exec: reject 3 }, { exec: $main_cache }, { exec: $up }")
        first, second = self.clients()
        self.rule("block", "music.example", "--group", "children")
        self.assertEqual(self.answer("music.example", first), BLOCKED)
        self.assertNotEqual(self.answer("music.example", second), BLOCKED)
        self.assertRegex(self.scene.steerctl("clients", "group"), r"children +2 members +- +client_groups")
        subscribers.with_suffix(".new").write_text(f"children {second}/32\nguests {first}\n")
        subscribers.with_suffix(".new").rename(subscribers)
        until(lambda: self.answer("music.example", second) == BLOCKED, 10, "the file is followed")
        self.assertEqual(self.answer("other2.example", first), [])
        # a bad line: the groups stay, and the line is named
        subscribers.with_suffix(".new").write_text("children\n")
        subscribers.with_suffix(".new").rename(subscribers)
        self.daemon.wait_for('"children" is not a member: expected GROUP and an address')
        self.assertEqual(self.answer("music.example", second), BLOCKED)

    def test_what_a_rule_allowed_for_one_is_not_in_the_cache_for_others(self):
        self.start(BEHIND_CACHE)
        first, second = self.clients()
        self.rule("allow", "other.example", "--client", first)
        self.assertEqual(self.answer("www.other.example", first), ["198.51.100.2"])
        self.assertEqual(self.answer("www.other.example", second), BLOCKED)
        # for everyone it may be cached; the end of the rule drops it
        self.rule("allow", "other.example")
        self.assertEqual(self.answer("www.other.example", second), ["198.51.100.2"])
        self.rule("unblock", "other.example")
        until(lambda: self.answer("www.other.example", second) == BLOCKED, 5, "the cached answer is dropped")
        # a block in place of it, too
        self.rule("allow", "other.example")
        self.assertEqual(self.answer("www.other.example", second), ["198.51.100.2"])
        self.rule("block", "other.example")
        self.rule("unblock", "other.example")
        until(lambda: self.answer("www.other.example", second) == BLOCKED, 5, "the cached answer is dropped")

    def test_an_answer_that_comes_after_the_rule_has_ended_is_not_cached(self):
        self.start(BEHIND_CACHE)
        self.rule("allow", "other.example")
        self.scene.resolver.send_signal(signal.SIGSTOP)
        query = self.scene.network.start("client", "late", "kdig", "@172.16.1.2", "+timeout=20", "+retry=0", "www.other.example", "A")
        until(lambda: self.scene.reported("status")["workers"][0]["parked"] > 0, 10, "the query waits for the upstream")
        self.rule("unblock", "other.example")
        self.scene.resolver.send_signal(signal.SIGCONT)
        query.wait_for("NOERROR", 20)
        self.assertEqual(self.scene.short("www.other.example", "A"), BLOCKED)

    def test_a_rule_expires(self):
        self.start()
        self.rule("block", "music.example", "--for", "2s")
        self.assertEqual(self.scene.short("music.example", "A"), BLOCKED)
        until(lambda: self.scene.short("music.example", "A") != BLOCKED, 10, "the rule expires")
        until(lambda: self.rule("blocking") == [], 5, "it is taken out")

    def test_a_list_is_paused_alone(self):
        self.start()
        self.rule("pause", "--for", "1h", "--tag", "ads", "--list", str(self.hosts))
        self.assertEqual(self.scene.short("www.other.example", "A"), ["198.51.100.2"])
        for words, sentence, code in ((("pause", "--tag", "none"), 'there is no adlist or rpz "none"', 1),
                                      (("pause", "--tag", "ads", "--list", "none"), '"ads" has no list "none"', 1),
                                      (("block", "a..b"), "name", 1),
                                      (("block", "x.example", "--client", "nobody"), "is not an address, a prefix, a MAC address or the name of a client", 1),
                                      (("block", "x.example", "--client", "1.2.3.4.5"), "is not an address, a prefix, a MAC address", 1),
                                      (("unblock", "none.example"), "there is no such rule", 1)):
            done = self.scene.ask(*words)
            self.assertEqual(done.returncode, code, words)
            self.assertIn(sentence, done.stderr)

    def test_a_chain_counts_for_the_list_that_ends_it(self):
        """Both names of the chain are denied; the list of the first one is paused."""
        second = self.scene.folder / "second.txt"
        self.hosts.write_text("edge.stream.example\n")
        second.write_text("node.stream.example\n")
        self.law.write_text("lawful.example\n")
        self.start(lists=f"{self.hosts}, {second}, ", keys=", cname: true")
        self.rule("pause", "--for", "1h", "--tag", "ads", "--list", str(self.hosts))
        self.assertEqual(self.scene.short("www.stream.example", "A"), BLOCKED)
        matches = {one["list"]: one["matches"] for one in self.scene.reported("adlist")["adlists"]}
        self.assertEqual((matches[str(self.hosts)], matches[str(second)]), (0, 1))

    def test_rules_survive_a_restart_and_a_reload_and_damage_is_reported(self):
        daemon = self.start()
        self.rule("block", "music.example", "--note", "<b>\"';--")
        self.assertEqual(self.rules.stat().st_mode & 0o777, 0o600)
        self.scene.reported("reload")
        self.assertEqual(self.scene.short("music.example", "A"), BLOCKED)
        self.assertEqual(daemon.stop(), 0)
        daemon = self.start()
        self.assertEqual(self.scene.short("music.example", "A"), BLOCKED)
        self.assertEqual(self.rule("blocking")[0]["note"], "<b>\"';--")
        self.assertIn("||music.example^", self.scene.steerctl("blocking", "export"))
        self.assertEqual(daemon.stop(), 0)
        text = self.rules.read_text()
        self.rules.write_text(text[:len(text) // 2])
        self.start()
        self.assertIn(str(self.rules), json.dumps(self.scene.reported("status")["problems"]))
        self.assertEqual((self.scene.folder / "rules.json.damaged").read_text(), text[:len(text) // 2])

    def test_a_rule_that_cannot_be_written_is_in_force_and_reported(self):
        self.start()
        self.rules.mkdir()  # a folder cannot be replaced by a file
        done = self.scene.ask("block", "music.example")
        self.assertEqual(done.returncode, 1)
        self.assertIn("in force, but not kept", done.stderr)
        self.assertEqual(self.scene.short("music.example", "A"), BLOCKED)
        self.assertIn("rules", json.dumps(self.scene.reported("status")["problems"]))
        self.rules.rmdir()
        self.rule("block", "second.example")
        self.assertEqual(len(json.loads(self.rules.read_text())["rules"]), 2)

    def test_a_dry_run_shows_what_a_rule_would_have_changed(self):
        self.start()
        first, second = self.clients()
        for source in (first, first, second):
            self.answer("music.example", source)
        for name in ("www.other.example", "www.other.example", "www.stream.example"):
            self.answer(name, first)
        until(lambda: len(self.scene.reported("history")["queries"]) >= 6, 10, "all are recorded")
        try_ = lambda *words: self.scene.reported(*words, "--dry-run")
        found = try_("block", "example")
        self.assertEqual((found["queries"], found["would_block"], found["clients"], found["complete"]), (6, 3, 2, True))
        self.assertEqual(found["names"], [{"name": "music.example", "queries": 3}])
        self.assertEqual(try_("block", "music.example", "--client", second)["would_block"], 1)
        self.scene.reported("clients", "group", "add", "children", first)
        self.assertEqual(try_("block", "music.example", "--group", "children")["would_block"], 2)
        self.assertEqual(try_("block", "example", "--exact")["queries"], 0)
        self.assertEqual(try_("allow", "other.example")["would_allow"], 2)
        self.assertEqual(try_("allow", "www.stream.example")["would_allow"], 0)  # the law
        self.assertRegex(self.scene.steerctl("block", "music.example", "--dry-run"),
                         r"^nothing was changed; since .*, the rule would have blocked 3 of 3 queries for these names, of 2 clients\n\n +queries +name\n +3 +music\.example\n")
        self.assertEqual(self.rule("blocking"), [])
        # Another rule decides.
        self.rule("allow", "music.example", "--client", second)
        self.assertEqual(try_("block", "music.example")["would_block"], 2)
        self.assertIn("there is no group", self.scene.ask("block", "music.example", "--group", "nobody", "--dry-run").stderr)
        self.assertNotEqual(self.answer("music.example", first), BLOCKED)

    def test_a_dry_run_needs_a_recorder(self):
        self.config.write_text(UNRECORDED.format(rules=self.rules))
        self.scene.start_daemon(self.config)
        self.assertIn("no query_recorder has a database: write its 'path'", self.scene.ask("block", "music.example", "--dry-run").stderr)

    def test_records_say_what_decided(self):
        self.start()
        ask = lambda name: self.scene.short(name, "A")
        self.rule("block", "music.example")
        for name in ("music.example", "www.other.example", "www.stream.example", "n5.other.example", "fine.example", "fine.example"):
            ask(name)
        self.rule("allow", "other.example")
        ask("www.other.example")
        rows = lambda: self.scene.reported("history")["queries"]
        until(lambda: len(rows()) >= 7, 10, "all are recorded")
        by_name = {(row["name"], row["decision"]): row for row in rows()}
        self.assertEqual(by_name["music.example", "blocked"]["plugin"], "control.rules")
        self.assertEqual(by_name["www.other.example", "blocked"]["list"], str(self.hosts))
        self.assertEqual(by_name["www.other.example", "blocked"]["ede"], 15)
        self.assertEqual(by_name["www.stream.example", "blocked"]["list"], str(self.law))
        self.assertEqual(by_name["www.stream.example", "blocked"]["ede"], 16)
        self.assertIn("reject 3", by_name["n5.other.example", "rejected"]["rule"])
        self.assertIn(("fine.example", "forwarded"), by_name)
        self.assertEqual(by_name["www.other.example", "allowed"]["plugin"], "ads")
        metrics = self.scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout
        self.assertIn('steerdns_blocking_rules{does="allow"} 1', metrics)
        self.assertRegex(metrics, r'steerdns_queries_blocked_total\{worker="0"\} [3-9]')


if __name__ == "__main__":
    unittest.main()
