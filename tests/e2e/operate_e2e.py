"""What an operator does with routers while queries come: steerctl routers and bypass, with configs/minimal.yaml."""

import json
import sys
import unittest

from lab.network import until
from lab.scene import PASSWORD, ROOT, Scene

BUILD = sys.argv.pop(1)
NAME = "172.16.1.1:8728"


class Operate(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("operate", BUILD))
        self.scene.start_resolver()
        self.scene.start_router()
        self.scene.start_daemon(ROOT / "configs/minimal.yaml")
        until(lambda: self.router()["state"] == "in_sync", 10, "the router is in sync")

    def asked(self, *words):
        return self.scene.reported(*words)

    def router(self):
        (router,) = self.asked("routers")["routers"]
        return router

    def refused(self, *words):
        done = self.scene.ask(*words)
        self.assertNotEqual(done.returncode, 0, done)
        return done.stderr

    def test_a_paused_router_gets_its_rows_after_resume(self):
        scene = self.scene
        self.assertEqual(scene.steerctl("routers", "diff"), f"{NAME}: no difference\n")
        self.assertEqual(scene.steerctl("routers", "pause", NAME), f"{NAME}: paused, no writes\n")
        # Queries are answered; what they claim is owed.
        self.assertEqual(set(scene.short("stream.example", "A")), {"203.0.113.10", "203.0.113.11"})
        until(lambda: self.router()["owed"] == 2, 5, "what clients were told is owed")
        router = self.router()
        self.assertEqual((router["state"], router["paused"], router["away"]), ("in_sync", True, True))
        self.assertGreaterEqual(router["told_meanwhile"], 1)
        self.assertEqual(scene.rows(), [])
        text = scene.steerctl("routers", "diff", NAME)
        self.assertIn(f"{NAME}: 2 differences\n", text)
        self.assertRegex(text, r"add +policy_set_v4 +203\.0\.113\.10 .* stream\.example")
        # A reload is no end of it, nor is asking for the rows.
        scene.steerctl("reload")
        done = scene.ask("routers", "reconcile")
        self.assertEqual((done.returncode, done.stdout), (1, f"{NAME}: paused, rows not read\n"))
        self.assertTrue(self.router()["paused"])
        self.assertEqual(scene.steerctl("routers", "resume"), f"{NAME}: writes are active\n")
        scene.wait_rows({("policy_set_v4", "203.0.113.10"), ("policy_set_v4", "203.0.113.11")})
        until(lambda: not self.router()["away"], 5, "it is back")
        self.assertNotIn("away_for_s", self.router())
        self.assertIn("in_sync", scene.steerctl("routers"))

    def test_status_shows_routers_as_the_command_routers_does(self):
        """Right after a change, too: in `status` and `counters`."""
        until(lambda: "findings" in self.router(), 20, "its version was probed")
        for verb in ("pause", "resume") * 5:
            self.scene.steerctl("routers", verb)
            (of_status,) = self.asked("status")["routers"]
            router = self.router()
            self.assertEqual(set(of_status), set(router))
            self.assertEqual((of_status["paused"], of_status["away"]), (verb == "pause", router["away"]))
        self.scene.router_ctl("add", "policy_set_v4", "192.0.2.9", "-", "of a human")
        before = self.scene.counters()["routers"][0]["prints"]
        until(lambda: self.router()["foreign"] == 1, 10, "the row is seen")
        self.scene.steerctl("routers", "reconcile")
        until(lambda: self.scene.counters()["routers"][0]["prints"] > before, 10, "rows are read again")

    def test_figures_are_absent_before_they_are_measured(self):
        scene = self.scene
        self.assertEqual(scene.daemon.stop(), 0)
        scene.rossim.stop()
        scene.resolver.stop()
        config = scene.folder / "metrics.yaml"
        config.write_text((ROOT / "configs/minimal.yaml").read_text().replace("plugins:\n", "control: { http: 127.0.0.1:9153 }\nplugins:\n", 1))
        scene.start_daemon(config)
        self.assertEqual([upstream["rtt_ms"] for upstream in self.asked("status")["upstreams"]],
                         [None] * len(self.asked("status")["upstreams"]))
        router = self.router()
        self.assertEqual([router[key] for key in ("rtt_ms", "service_us", "rows", "orphans", "foreign")], [None] * 5, router)
        self.assertRegex(scene.steerctl("routers"), r"round trip \(ms\) +-\n")
        text = scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout
        self.assertIn("steerdns_sink_rows{", text)
        for name in ("steerdns_sink_write_seconds{", "steerdns_router_rows{"):
            self.assertNotIn(name, text)

    def test_the_bypass_stops_all_router_writes(self):
        scene = self.scene
        self.assertIn("is off", scene.steerctl("bypass"))
        self.assertIn("is on", scene.steerctl("bypass", "on"))
        self.assertTrue(self.asked("status")["bypass"])
        self.assertEqual(set(scene.short("stream.example", "A")), {"203.0.113.10", "203.0.113.11"})
        until(lambda: self.router()["owed"] == 2, 5, "what clients were told is owed")
        # Not by a single router's resume either.
        self.asked("routers", "resume", NAME)
        self.assertTrue(self.router()["paused"])
        self.assertEqual(scene.rows(), [])
        self.assertIn("is off", scene.steerctl("bypass", "off"))
        scene.wait_rows({("policy_set_v4", "203.0.113.10"), ("policy_set_v4", "203.0.113.11")})

    def test_forget_and_flush_remove_rows(self):
        scene = self.scene
        self.assertEqual(scene.daemon.stop(), 0)
        config = scene.folder / "cached.yaml"
        config.write_text((ROOT / "configs/minimal.yaml").read_text().replace(
            '      - exec: "$forward_main"\n', '      - exec: cache short_circuit\n      - exec: "$forward_main"\n'))
        scene.start_daemon(config)
        until(lambda: self.router()["state"] == "in_sync", 10, "the router is in sync")
        both = {"203.0.113.10", "203.0.113.11"}
        self.assertEqual(set(scene.short("stream.example", "A")), both)
        scene.wait_rows({("policy_set_v4", address) for address in both})
        self.assertEqual(scene.steerctl("routers", "forget", "203.0.113.10"), f"{NAME}: 1 row removed\n")
        scene.wait_rows({("policy_set_v4", "203.0.113.11")})
        self.assertEqual(scene.steerctl("routers", "forget", "203.0.113.99"), f"{NAME}: 0 rows removed\n")
        self.assertIn("expected an IP address", self.refused("routers", "forget", "nowhere"))
        # The cached answer that tells it again puts it back.
        self.assertEqual(set(scene.short("stream.example", "A")), both)
        scene.wait_rows({("policy_set_v4", address) for address in both})
        text = scene.steerctl("cache", "flush", "--name", "stream.example", "--with-rows")
        self.assertRegex(text, r"^[1-9]\d* answers flushed, and 2 rows removed from routers, in \d+ ms\n$")
        until(lambda: scene.rows() == [], 5, "no row is left")

    def test_no_write_is_in_flight_when_pause_returns(self):
        scene = self.scene
        self.assertEqual(set(scene.short("stream.example", "A")), {"203.0.113.10", "203.0.113.11"})
        (router,) = self.asked("routers", "pause", NAME)["routers"]
        self.assertEqual((router["paused"], router["writes_in_flight"]), (True, 0))
        rows = scene.rows()
        scene.steerctl("routers", "resume")
        bypass = self.asked("bypass", "on")
        self.assertEqual((bypass["bypass"], bypass["writes_in_flight"]), (True, 0))
        self.assertGreaterEqual(len(scene.rows()), len(rows))

    def test_trace_shows_sentences_without_passwords(self):
        scene = self.scene
        self.assertEqual(scene.steerctl("routers", "errors", NAME), "no errors\n")
        scene.short("stream.example", "A")
        scene.wait_rows({("policy_set_v4", "203.0.113.10")})
        text = scene.steerctl("routers", "trace", NAME)
        self.assertRegex(text, r"#1 tag 1, .* ago: /login =name=api-user =password=\*\*\*\n    done after \d+ ms\n")
        self.assertRegex(text, r"/ip/firewall/address-list/add =list=policy_set_v4 =address=203\.0\.113\.10 .*\n"
                               r"    done ret=\*[0-9A-F]+ after \d+ ms\n")
        self.assertNotIn(PASSWORD, text)
        (router,) = self.asked("routers", "trace", NAME)["routers"]
        last = router["sentences"][-1]["serial"]
        self.assertGreaterEqual(last, len(router["sentences"]))
        scene.router_ctl("reboot", "1")
        until(lambda: "connection" in scene.steerctl("routers", "errors", NAME), 10, "its end is among the errors")

    def test_rows_of_a_predecessor_are_adopted_on_request(self):
        """They keep their ids and get our comment."""
        scene = self.scene
        rows = (("198.51.100.1", "10m", "oxi;pg=policy_address_list;kind=D;dm=a.example"),
                ("198.51.100.2", "10m", "oxi;pg=policy_address_list;kind=D"),
                ("198.51.100.3", "-", "oxi;pg=policy_address_list;kind=P"), ("198.51.100.4", "10m", "oxi of a human"))
        for address, timeout, comment in rows:
            scene.router_ctl("add", "policy_set_v4", address, timeout, comment)
        shown = until(lambda: (text := scene.steerctl("routers", "adopt", "--from", "oxi")).count("198.51.100.") == 3 and text, 5,
                      "the three rows are shown")
        self.assertRegex(shown, rf"^{NAME}: 3 rows\n")
        self.assertRegex(shown, r"policy_set_v4 +198\.51\.100\.1 +oxi;pg=policy_address_list;kind=D;dm=a\.example +a row of \S+ until")
        self.assertRegex(shown, r"198\.51\.100\.3 .*stays: its address is not in 'persistent' of ")
        ids = {row["address"]: row[".id"] for row in scene.rows()}
        self.assertEqual(sorted(row["comment"] for row in scene.rows()), sorted(comment for _, _, comment in rows))
        self.assertIn("2 of them get our comment now", scene.steerctl("routers", "adopt", "--from", "oxi", "--apply"))
        until(lambda: sum(row["comment"].startswith("oxi") for row in scene.rows()) == 2, 5, "two have our comment")
        self.assertEqual({row["address"]: row[".id"] for row in scene.rows()}, ids)
        until(lambda: self.router()["rows"] == 2, 5, "they are ours")
        self.assertRegex(scene.steerctl("routers", "adopt", "--from", "oxi"), rf"^{NAME}: 1 row\n")

    def test_orphans_are_removed_on_request_only(self):
        scene = self.scene
        for address, comment in (("198.51.100.1", "forgedns;pg=gone;kind=D;dm=a.example"), ("198.51.100.2", "of a human")):
            scene.router_ctl("add", "policy_set_v4", address, "-", comment)
        until(lambda: self.router()["orphans"] == 1, 5, "the orphan is seen")
        self.assertRegex(scene.steerctl("routers", "diff"), r"orphan +policy_set_v4 +198\.51\.100\.1 +forgedns;pg=gone")
        self.assertIn("1 orphaned rows removed", scene.steerctl("routers", "reconcile", "--orphans"))
        until(lambda: [row["address"] for row in scene.rows()] == ["198.51.100.2"], 5, "the orphan alone is gone")

    def test_dry_run_shows_writes_and_writes_nothing(self):
        """Wrong passwords and unreachable routers are reported."""
        scene = self.scene
        text = (ROOT / "configs/minimal.yaml").read_text()
        config = scene.folder / "dry.yaml"
        scene.router_ctl("add", "policy_set_v4", "192.0.2.7", "-", "forgedns;pg=gone;kind=P;dm=")

        def dry_run(change=("", "")):
            config.write_text(text.replace("min_ttl: 60", "min_ttl: 60\n      persistent: { ips: [192.0.2.0/24] }").replace(*change))
            return scene.network.run("appliance", f"{BUILD}/steerdnsd", "--config", str(config), "--dry-run", check=False)

        before = scene.rows()
        done = dry_run()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        self.assertRegex(done.stdout, rf"^router {NAME} \(.*\): 0 own rows, 0 foreign, 1 orphaned; 1 to be written at a start\n"
                                      r"  add policy_set_v4 192\.0\.2\.0/24\n"
                                      r"  orphan, left alone: policy_set_v4 192\.0\.2\.7 forgedns;pg=gone;kind=P;dm=\n$")
        self.assertEqual(scene.rows(), before)
        done = dry_run(("secret", "wrong"))
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stdout, rf"^router {NAME} refuses user api-user[^\n]*\n$")
        scene.rossim.stop()
        done = dry_run()
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stdout, rf"^router {NAME} cannot be reached [^\n]*\n$")

    def test_a_version_is_probed_once_and_the_findings_are_kept(self):
        """They are kept over a restart. The transcript has every sentence."""
        scene = self.scene
        findings = scene.folder / "findings"
        findings.mkdir()
        findings.chmod(0o777)
        file = findings / "routeros.json"
        config = scene.folder / "probe.yaml"
        config.write_text((ROOT / "configs/minimal.yaml").read_text() + f"\ncontrol:\n  findings: {file}\n")
        probed = "was probed: how RouterOS 7.21 (stable) behaves"

        def restart():
            scene.daemon.stop()
            daemon = scene.start_daemon(config)
            until(lambda: self.router()["state"] == "in_sync", 10, "the router is in sync")
            return daemon

        # The first asks too: ended halfway, it would leave rows which go after 30 s.
        scene.daemon.wait_for(probed, 30)
        daemon = restart()
        until(lambda: probed in daemon.text(), 30, "the router is asked")
        until(file.exists, 5, "it is kept")
        self.assertEqual(json.loads(file.read_text())["7.21 (stable)"]["set-missing-id"],
                         {"answer": "up to the missing", "text": "no such item"})
        self.assertRegex(scene.steerctl("routers"), r"set timeout on a row without one +makes it timed\n")
        self.assertNotIn("steerdns-probe", scene.router_ctl("list"))

        transcript = scene.folder / "transcript"
        text = scene.steerctl("routers", "probe", NAME, "-o", str(transcript))
        self.assertTrue(text.startswith(f"{NAME}: RouterOS 7.21 (stable), probe complete\n"), text)
        self.assertIn("already have such entry", text)
        output = transcript.read_text()
        self.assertEqual(output.count("\n> "), 24, output)
        self.assertNotIn(PASSWORD, output)
        self.assertNotIn("steerdns-probe", scene.router_ctl("list"))

        daemon = restart()
        file.write_text("no JSON")
        self.assertIn("makes it timed", scene.steerctl("routers"), "from the file, not asked again")
        self.assertNotIn(probed, daemon.text())
        daemon = restart()
        daemon.wait_for("routeros.json is damaged: it is ignored, routers are asked again")

        self.assertIn("NAME is required", self.refused("routers", "probe"))

    def test_wrong_arguments_are_refused(self):
        self.assertIn(f"there is no router 'x': there are {NAME}", self.refused("routers", "diff", "x"))
        self.assertIn("NAME is required", self.refused("routers", "trace"))
        self.assertIn("WHAT", self.refused("bypass", "maybe"))


class Shared(unittest.TestCase):
    """Three names have one address, and the policy claims only one of them."""

    def test_shared_addresses_are_shown_with_their_names(self):
        scene = self.enterContext(Scene("shared", BUILD))
        scene.start_resolver()
        scene.start_router()
        config = scene.folder / "shared.yaml"
        text = (ROOT / "configs/minimal.yaml").read_text()
        config.write_text(text.replace("domain:stream.example", "full:www.stream.example")
                          .replace("min_ttl: 60", "min_ttl: 60\n      shared: report\n      shared_above: 2"))
        scene.start_daemon(config)

        def shown():
            return scene.steerctl("routers", "shared")

        self.assertEqual(shown(), f"{NAME}: no shared addresses\n")
        scene.short("www.stream.example", "A")
        scene.wait_rows({("policy_set_v4", "203.0.113.31")})
        scene.short("edge.stream.example", "A")
        until(lambda: "edge.stream.example" in shown(), 5, "the first name is counted")
        row = r" ros_address_list_policy +203\.0\.113\.31 +www\.stream\.example"
        self.assertRegex(shown(), rf"^{NAME}: 1 address\n +list +address +name +other names +examples\n +{row} +1\S* +edge\.stream\.example\n$")
        scene.short("node.stream.example", "A")
        until(lambda: "node.stream.example" in shown(), 5, "the second name is counted")
        self.assertRegex(shown(), rf"\n *shared +{row} +2\S* +node\.stream\.example, edge\.stream\.example\n$")
        status = scene.reported("routers")["routers"][0]
        self.assertEqual(status["shared"], 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
