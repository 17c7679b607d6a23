"""Clients get the public name of the list that blocks, and a hit log keeps each block: time, client, name, list and its version."""

import hashlib
import json
import os
import sys
import unittest

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
CONFIG = """
control: {{ watch: off }}
plugins:
  - {{ tag: log, type: query_recorder, args: {{ path: "{ads}.db", hit_log: {{ file: {hits}, max_size: 64KiB, max_files: 2 }}, mask4: 24, flush_interval_ms: 1 }} }}
  - tag: court
    type: adlist
    args:
      lists:
        - {{ list: {ads}, format: adguard, public_name: Ads }}
        - {{ list: {law}, legal: true, hit_log: true, public_name: Court orders }}
  - tag: policy
    type: rpz
    args: {{ zones: [ {{ zone: {zone}, requested: true, hit_log: true, public_name: "Youth protection" }} ] }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - tag: main
    type: sequence
    args: [ {{ exec: $log }}, {{ exec: $court }}, {{ exec: $policy }}, {{ exec: cache }}, {{ matches: has_resp, exec: accept }}, {{ exec: $up }} ]
"""
ZONE = """$ORIGIN youth.
@ 300 SOA ns hostmaster 2026112901 3600 600 86400 60
@ 300 NS ns
game.example CNAME .
quiet.example CNAME rpz-drop.
walled.example CNAME www.other.example.
fine.other.example CNAME rpz-passthru.
32.53.88.168.192.rpz-client-ip CNAME rpz-passthru.
"""


class HitLog(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("hit_log", BUILD))
        self.scene.start_resolver()
        folder = self.scene.folder
        os.chmod(folder, 0o777)
        self.ads, self.law, self.zone = folder / "ads.txt", folder / "law.txt", folder / "youth.zone"
        self.ads.write_text("0.0.0.0 ad.example\n||example.org^\n@@||good.example.org^\n")
        self.law.write_text("0.0.0.0 order17.example\n")
        self.zone.write_text(ZONE)
        self.state = folder / "state"
        self.state.mkdir()
        self.state.chmod(0o777)
        self.hits = self.state / "hits.json"
        self.config = folder / "steer.yaml"

    def start(self):
        self.config.write_text(CONFIG.format(hits=self.hits, ads=self.ads, law=self.law, zone=self.zone))
        return self.scene.start_daemon(self.config)

    def lines(self):
        return [json.loads(line) for line in self.hits.read_text().splitlines()] if self.hits.exists() else []

    def hit(self, name):
        """The line about this name, once it is there."""
        until(lambda: any(line.get("name") == name for line in self.lines()), 20, f"a hit of {name}")
        return [line for line in self.lines() if line.get("name") == name][-1]

    def error(self, name, *words):
        """The extended error that a client gets, as kdig shows it."""
        found = [line for line in self.scene.kdig("+edns", *words, name, "A").splitlines() if "EDE" in line]
        return found[0].split("EDE: ", 1)[-1].strip("; ") if found else ""

    def sink(self):
        (recorder,) = self.scene.reported("recorder")["recorders"]
        return next(sink for sink in recorder["sinks"] if sink["sink"] == "hit_log")

    def test_clients_get_the_public_name_of_the_list(self):
        self.start()
        for words in ((), ("+tcp",)):
            self.assertEqual(self.error("order17.example", *words), "16 (Censored): 'Court orders'")
            self.assertEqual(self.error("game.example", *words), "17 (Filtered): 'Youth protection'")
            self.assertEqual(self.error("ad.example", *words), "15 (Blocked): 'Ads'")
            self.assertEqual(self.error("www.other.example", *words), "")
        self.assertNotIn("EDE", self.scene.kdig("+noedns", "order17.example", "A"))

    def test_what_a_list_blocked_is_kept_with_its_version(self):
        daemon = self.start()
        for name in ("order17.example", "ad.example", "game.example", "walled.example", "fine.other.example", "www.other.example", "x.example.org",
                     "a.good.example.org"):
            self.scene.kdig(name, "A")
        self.scene.kdig("+timeout=1", "quiet.example", "A")
        first = hashlib.sha256(self.law.read_bytes()).hexdigest()
        law = self.hit("order17.example")
        self.assertRegex(law.pop("time"), r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertEqual(law, {"client": "192.168.88.0", "name": "order17.example", "type": "A", "decision": "blocked", "plugin": "court",
                               "list": str(self.law), "line": 1, "rule": "full:order17.example", "sha256": first})
        game = self.hit("game.example")
        self.assertEqual((game["list"], game["serial"], game["decision"]), (str(self.zone), 2026112901, "blocked"))
        self.assertEqual((game["line"], game["rule"]), (4, "game.example"))
        self.assertEqual(game["sha256"], hashlib.sha256(self.zone.read_bytes()).hexdigest())
        self.assertEqual(self.hit("walled.example")["decision"], "rewritten")
        # The query log has the line, too.
        rows = {row["name"]: row for row in self.scene.reported("history")["queries"]}
        self.assertEqual([rows["order17.example"][key] for key in ("list", "line", "list_rule")], [str(self.law), 1, "full:order17.example"])
        self.assertEqual((rows["game.example"]["line"], rows["game.example"]["list_rule"]), (4, "game.example"))
        self.assertEqual(rows["ad.example"]["list"], str(self.ads))
        self.assertEqual((rows["ad.example"]["line"], rows["ad.example"]["list_rule"]), (1, "full:ad.example"))
        self.assertEqual((rows["x.example.org"]["line"], rows["x.example.org"]["list_rule"]), (2, "domain:example.org"))
        excepted = rows["a.good.example.org"]
        self.assertEqual([excepted[key] for key in ("decision", "plugin", "list", "line", "list_rule")],
                         ["allowed", "court", str(self.ads), 3, "domain:good.example.org"])
        passed = rows["fine.other.example"]
        self.assertEqual([passed[key] for key in ("decision", "list", "line", "list_rule")], ["allowed", str(self.zone), 7, "fine.other.example"])
        self.assertNotIn("line", rows["www.other.example"])
        self.assertIn(f"{self.law}:1 full:order17.example", self.scene.steerctl("history"))
        self.assertEqual(self.hit("quiet.example")["decision"], "dropped")
        # The next version of the file is in force with the reload.
        self.law.write_text("0.0.0.0 order17.example\n0.0.0.0 order18.example\n")
        self.scene.steerctl("reload")
        self.scene.kdig("order18.example", "A")
        self.assertEqual(self.hit("order18.example")["sha256"], hashlib.sha256(self.law.read_bytes()).hexdigest())
        self.assertEqual(daemon.stop(), 0)
        names = [line["name"] for line in self.lines()]
        self.assertEqual(sorted(names), ["game.example", "order17.example", "order18.example", "quiet.example", "walled.example"])

    def test_a_zone_that_lets_a_client_pass_shows_no_line_of_a_name(self):
        self.start()
        self.scene.network.address("client", "eth0", "192.168.88.53/24")
        self.scene.kdig("-b", "192.168.88.53", "game.example", "A")
        until(lambda: self.scene.reported("history")["queries"], 20, "the query is recorded")
        (row,) = self.scene.reported("history")["queries"]
        self.assertEqual([row[key] for key in ("decision", "plugin", "list")], ["allowed", "policy", str(self.zone)])
        self.assertNotIn("line", row)

    def test_the_file_is_renamed_and_its_number_is_limited(self):
        self.start()
        files = lambda: sorted(self.state.glob("hits.json.*"))
        hits = ["order17.example"] * 400  # more than 64 KiB
        for _ in range(4):
            self.scene.kdig("+short", *hits)
        until(lambda: self.sink()["written"] == 4 * len(hits), 20, "all hits are written")
        self.assertEqual(len(files()), 2)
        for file in (*files(), self.hits):
            self.assertLessEqual(file.stat().st_size, 65_536)
            self.assertEqual({json.loads(line)["name"] for line in file.read_text().splitlines()}, {"order17.example"})

    def test_what_cannot_be_kept_is_a_problem_and_is_said_in_the_file(self):
        self.hits.mkdir()
        self.start()
        self.scene.kdig("order17.example", "A")
        self.scene.kdig("game.example", "A")
        until(lambda: self.sink()["failed"] == 2, 20, "two hits are lost")
        self.assertEqual((self.sink()["sink"], self.sink()["well"]), ("hit_log", False))
        problems = [p["text"] for p in self.scene.reported("status")["problems"] if p["subject"] == "recorder"]
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(f'queries are not written to "{self.hits}"', problems[0])
        self.hits.rmdir()
        until(lambda: self.lines() != [], 20, "the gap is said")
        self.scene.kdig("order17.example", "A")
        self.hit("order17.example")
        gap, hit = self.lines()
        self.assertEqual((gap["lost_lines"], gap["lost_queries"], hit["name"]), (2, 0, "order17.example"))
        until(lambda: self.scene.reported("status")["problems"] == [], 20, "the problem is gone")


if __name__ == "__main__":
    unittest.main()
