"""`steerctl explain`, `trace` and `why`: why a name went the way it went, with rules, upstreams and rows on the router."""

import sys
import time
import unittest

from lab.network import until
from lab.scene import ROOT, ZONES, Scene

BUILD = sys.argv.pop(1)


class Explain(unittest.TestCase):
    def setUp(self):
        scene = self.scene = self.enterContext(Scene("explain", BUILD))
        scene.start_resolver(ZONES)
        scene.start_router()
        text = (ROOT / "configs/minimal.yaml").read_text()
        (scene.folder / "names.txt").write_text("# films\nstream.example\n")
        text = text.replace('        - "domain:stream.example"\n        - "domain:media.example"\n',
                            '        - "domain:media.example"\n      files: [names.txt]\n')
        text = text.replace("async: true", "async: false\n      sync_timeout: 10s").replace(
            '      - exec: "$forward_main"', '      - exec: cache 1024\n      - exec: "$forward_main"')
        self.config = scene.folder / "explain.yaml"
        self.config.write_text(text)
        self.began_s = time.time()
        scene.start_daemon(self.config)
        self.ready_s = time.time()
        until(lambda: scene.reported("status")["routers"][0]["state"] == "in_sync", 30, "the router's rows are read")

    def events(self, reported, what):
        return [event for event in reported["way"] if event["what"] == what]

    def line_of(self, text):
        lines = self.config.read_text().splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)

    def test_explain_shows_the_rule_the_upstream_and_the_acknowledged_row(self):
        reported = self.scene.reported("explain", "www.stream.example", "--client", "192.168.88.10")
        self.assertEqual(reported["end"], "answered")
        self.assertEqual(reported["client"], "192.168.88.10")
        self.assertEqual(reported["lists"], ["ros_address_list_policy"])
        test = next(step for step in self.events(reported, "step") if step.get("holds"))
        self.assertEqual(test["sequence"], "seq_main")
        self.assertEqual(test["line"], self.line_of('matches: "$match_policy_domain"'))
        self.assertEqual(test["rule"], 'matches: "$match_policy_domain"')
        self.assertEqual([(m["rule"], m["file"].rsplit("/", 1)[-1], m["line"]) for m in test["matched"]],
                         [("domain:stream.example", "names.txt", 2)])
        self.assertEqual(self.events(reported, "cache")[0]["result"], "miss")
        self.assertEqual(self.events(reported, "replied")[0]["upstream"], "udp://1.1.1.1:53")
        self.assertEqual(self.events(reported, "row")[0]["row"], "awaited")
        self.assertEqual(len(self.events(reported, "acknowledged")), 1)
        address = reported["answer"]["addresses"][0]
        self.assertTrue(any(row["address"] == address and "policy_set_v4" in row["words"]
                            and row["reply"].startswith("done") for row in reported["rows"]), reported["rows"])
        self.assertIn(address, "\n".join(reported["response"]))
        again = self.scene.reported("explain", "www.stream.example", "--client", "192.168.88.10")
        self.assertEqual(self.events(again, "cache")[0]["result"], "hit")
        self.assertTrue(again["rows"], "an earlier answer brought the row")
        text = self.scene.steerctl("explain", "www.stream.example", "--client", "192.168.88.10")
        self.assertIn("names.txt:2", text)
        self.assertIn("TTL left", text)

    def test_the_plan_is_shown_where_the_query_came_in_and_the_packet_cache_behind_a_hit(self):
        other = self.config.read_text().replace(
            "  - tag: seq_main ", """  - tag: seq_other
    type: sequence
    args:
      - exec: cache 1024 short_circuit
      - exec: "$forward_main"

  - tag: seq_main """).replace('exec: "$ros_address_list_policy"', 'exec: goto seq_other')
        self.config.write_text(other)
        self.scene.steerctl("reload")
        reported = self.scene.reported("explain", "media.example")
        plan = self.events(reported, "plan")[0]
        first = self.line_of('matches: "$match_policy_domain"')
        self.assertEqual((plan["sequence"], plan["line"]), ("seq_main", first))
        self.assertEqual((plan["until"]["sequence"], plan["until"]["line"]),
                         ("seq_other", self.line_of("exec: cache 1024 short_circuit")))
        self.assertFalse(self.events(reported, "packet_cache"))
        again = self.scene.reported("explain", "media.example")
        self.assertEqual((again["way"][0]["sequence"], again["way"][0]["text"]),
                         ("seq_main", "plan: a plain hit, no rule has to run"))
        self.assertEqual(self.events(again, "packet_cache")[0]["packet_cache"], "would_learn")
        over_tcp = self.scene.reported("explain", "media.example", "--tcp")
        self.assertEqual(self.events(over_tcp, "packet_cache")[0]["packet_cache"], "not_udp")

    def test_the_line_that_is_named_is_that_of_the_rule_that_decided(self):
        """Beside a naive reading: each rule has its own name, and says so in a comment."""
        folder = self.scene.folder
        (folder / "ads.txt").write_text("||other.example^\n||a.ads.example^\n")
        self.config.write_text("""plugins:
  - tag: set
    type: domain_set
    args:
      exps:
        - a.set.example              # decides a.set.example A
        - full:b.set.example         # decides b.set.example A
  - tag: rule
    type: qname
    args: [$set]
  - tag: ads
    type: adlist
    args: { lists: [ads.txt], cname: true }
  - tag: names
    type: hosts
    args:
      entries:
        - a.hosts.example 192.0.2.1   # decides a.hosts.example A
        - b.hosts.example 192.0.2.1   # decides b.hosts.example A
  - tag: local
    type: static
    args:
      ptr: false
      records:
        - { name: a.static.example, address: 192.0.2.1 }     # decides a.static.example A
        - { name: b.static.example, address: 192.0.2.2 }     # decides b.static.example A
        - { name: b.static.example, type: TXT, text: two }   # decides b.static.example TXT
        - { name: c.static.example, type: NXDOMAIN }         # decides c.static.example A
        - { name: d.static.example, type: CNAME, cname: e.static.example }   # decides d.static.example CNAME
        - { regexp: "^s[0-9]+[.]", address: 192.0.2.3 }      # decides s7.static.example A
  - tag: main
    type: sequence
    args:
      - { exec: $local }
      - { exec: $ads }
      - { exec: $names }
      - { matches: $rule, exec: reject 3 }
      - { matches: "qname a.inplace.example", exec: reject 3 }    # decides a.inplace.example A
      - { exec: forward 1.1.1.1 }
""")
        self.scene.steerctl("reload")
        lines = self.config.read_text().splitlines()
        cases = [(*line.split("# decides ")[1].split(), str(self.config), number)
                 for number, line in enumerate(lines, 1) if "# decides " in line]
        self.assertEqual(len(cases), 11)
        for name, kind, file, number in [*cases, ("a.ads.example", "A", str(folder / "ads.txt"), 2)]:
            with self.subTest(name=name, kind=kind):
                reported = self.scene.reported("explain", name, kind)
                named = {(rule["file"], rule["line"]) for step in reported["way"] for rule in step.get("matched", ())}
                self.assertEqual(named, {(file, number)}, reported["way"])
                self.assertIn((file, number), {(rule["file"], rule["line"]) for rule in reported["rules"]})

    def test_the_blocked_name_that_an_answer_points_to_is_named(self):
        (self.scene.folder / "ads.txt").write_text("||other.example^\n||node.stream.example^\n")
        self.config.write_text("""plugins:
  - { tag: ads, type: adlist, args: { lists: [ads.txt], cname: true } }
  - { tag: main, type: sequence, args: [ { exec: $ads }, { exec: cache 1024 }, { exec: forward 1.1.1.1 } ] }
""")
        self.scene.steerctl("reload")
        for _ in ("from the upstream", "from the cache"):
            reported = self.scene.reported("explain", "www.stream.example")
            self.assertEqual(reported["answer"]["addresses"], ["0.0.0.0"])
            denied, = self.events(reported, "denied_target")
            self.assertEqual((denied["name"].rstrip("."), denied["adlist"], denied["line"]), ("node.stream.example", "ads", 3))
            self.assertEqual([(rule["file"], rule["line"]) for rule in denied["matched"]], [(str(self.scene.folder / "ads.txt"), 2)])
        text = self.scene.steerctl("explain", "www.stream.example")
        self.assertRegex(text, r"the answer points to node\.stream\.example\.?, which adlist 'ads' blocks")
        self.assertIn("ads.txt:2", text)

    def test_extended_errors_of_upstreams_and_of_the_answer_are_shown(self):
        reported = self.scene.reported("explain", "www.nowhere.example")
        output = self.events(reported, "upstream_ede")[0]
        self.assertEqual((output["upstream"], output["ede"]), ("udp://1.1.1.1:53", 20))  # Knot does not have the zone
        text = self.scene.steerctl("explain", "www.elsewhere.example")
        self.assertIn("udp://1.1.1.1:53 says: EDE 20 (Not Authoritative)", text)
        self.scene.resolver.stop()
        silent = self.scene.reported("explain", "www.media.example")
        self.assertEqual(silent["answer"]["ede"], 22)
        self.assertIn("EDE 22 (No Reachable Authority)", self.events(silent, "answer")[0]["text"])

    def test_real_queries_are_traced_and_explained_by_their_number(self):
        network, scene = self.scene.network, self.scene
        network.run("client", "sh", "-c", "true")
        trace = network.start("appliance", "trace", str(scene.build / "tools/steerctl/steerctl"), "--socket",
                              str(scene.socket), "trace", "--name", "stream.example", "--seconds", "40", "--most", "1")

        def line():
            scene.kdig("www.media.example")
            scene.kdig("www.stream.example")
            return next((row for row in trace.text().splitlines() if "www.stream.example" in row), None)

        until(line, 30, "a query is traced")
        shown = line()
        self.assertNotIn("media", trace.text())
        self.assertIn("192.168.88.10", shown)
        reported = scene.reported("explain", "--id", shown.split()[0])
        self.assertEqual(reported["name"], "www.stream.example")
        self.assertFalse(reported["injected"])
        # Ids count on from the start of the process, so that another process has others.
        for one in (reported, scene.reported("explain", "www.media.example")):
            count = int(one["id"], 16) & ((1 << 56) - 1)
            self.assertTrue(self.began_s <= (count >> 14) / 1000 <= self.ready_s, one["id"])
        self.assertTrue(self.events(reported, "answer"))
        lost = scene.ask("explain", "--id", "ffff")
        self.assertNotEqual(lost.returncode, 0)
        self.assertIn("there is no trace 'ffff'", lost.stderr)

    def test_two_operators_trace_at_the_same_time(self):
        scene = self.scene

        def start(name):
            return scene.network.start("appliance", "trace-" + name, str(scene.build / "tools/steerctl/steerctl"), "--socket",
                                       str(scene.socket), "trace", "--name", name, "--seconds", "40", "--most", "1")

        one, other = start("stream.example"), start("media.example")

        def both():
            scene.kdig("www.media.example")
            scene.kdig("www.stream.example")
            return "www.stream.example" in one.text() and "www.media.example" in other.text()

        until(both, 30, "each has its trace")
        self.assertNotIn("media", one.text())
        self.assertNotIn("stream", other.text())

    def test_wrong_requests_get_a_sentence(self):
        done = self.scene.ask("explain")
        self.assertEqual(done.returncode, 2)
        self.assertIn("a name is missing", done.stderr)
        for words, sentence in ((("explain", "a..b"), "must be a domain name"),
                                (("explain", "a.example", "NOTYPE"), "'NOTYPE' is not a record type"),
                                (("explain", "a.example", "--client", "nobody"), "client"),
                                (("trace", "--client", "nobody"), "is not an address, a prefix, a MAC address or the name")):
            done = self.scene.ask(*words)
            self.assertEqual(done.returncode, 1, (words, done.stderr))
            self.assertIn(sentence, done.stderr)

    def test_why_names_effects_and_works_while_the_file_is_broken(self):
        reported = self.scene.reported("why", "www.stream.example")
        effects = [e for rule in reported["rules"] for e in rule["effects"]]
        self.assertEqual([(e["sequence"], e["line"]) for e in effects],
                         [("seq_main", self.line_of('exec: "$ros_address_list_policy"'))])
        self.assertIn("add to list 'ros_address_list_policy' (IPv4 'policy_set_v4'", effects[0]["does"])
        self.assertFalse(reported["file"]["differs"])
        good = self.config.read_text()
        self.config.write_text(good.replace('exec: "$forward_main"', 'exec: "$forward_mian"'))
        broken = self.scene.reported("why", "www.stream.example")
        self.assertEqual(broken["rules"], reported["rules"])
        self.assertTrue(broken["file"]["differs"])
        self.assertIn("forward_mian", broken["file"]["error"])
        text = self.scene.steerctl("why", "www.stream.example")
        self.assertIn("on the disk differs and cannot be loaded", text)
        self.assertIn("names.txt:2", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
