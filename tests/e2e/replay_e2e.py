"""configuration.replay: what a change of the policy would have done with recorded queries, compared with what it then does."""

import json
import socket
import sys
import unittest

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
TEXT = """control: {{ history: {state}/versions, watch: off }}
plugins:
  - {{ tag: log, type: query_recorder, args: {{ path: {state}/queries.db{more} }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: second, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.3 }} ] }} }}
  - {{ tag: streams, type: domain_set, args: {{ exps: [ domain:stream.example ] }} }}
  - {{ tag: pool, type: cache, args: {{ size: 1000, short_circuit: true }} }}
  - {{ tag: main, type: sequence, args: [
      {{ exec: $log }},
      {{ matches: qname refused.example, exec: reject 5 }},
{rules}      {{ exec: $pool }},
      {{ exec: $up }} ] }}
"""
CLIENT = "192.168.88.10"


class Replay(unittest.TestCase):
    def setUp(self):
        scene = self.scene = self.enterContext(Scene("replay", BUILD))
        scene.start_resolver()
        self.state = scene.folder / "state"
        self.state.mkdir()
        self.state.chmod(0o777)
        self.file = scene.folder / "steer.yaml"

    def text(self, *rules, more=""):
        lines = "".join(f"      {{ {rule} }},\n" for rule in rules)
        return TEXT.format(state=self.state, rules=lines, more=more)

    def start(self, text):
        self.file.write_text(text)
        self.scene.start_daemon(self.file)

    def call(self, method, **params):
        """The result, or the error's sentence."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.scene.socket))
            connection.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
            answer = json.loads(connection.makefile().readline())
        return answer["result"] if "result" in answer else answer["error"]["message"]

    def replay(self, text, **more):
        return self.call("configuration.replay", text=text, **more)

    def ask_all(self):
        for name in ("www.other.example", "www.other.example", "www.other.example", "www.stream.example", "refused.example"):
            self.scene.kdig(name)
        until(lambda: self.scene.told("history")["queries"].__len__() == 5, 20, "all queries are recorded")

    def test_a_change_is_listed_with_its_queries_and_what_decides(self):
        self.start(self.text())
        self.ask_all()
        same = self.replay(self.text())
        self.assertEqual((same["good"], same["queries"], same["distinct"]), (True, 5, 3), same)
        self.assertEqual(same["same"], {"queries": 5, "distinct": 3}, same)
        self.assertEqual((same["different"]["queries"], same["unknown"]["queries"], same["differences"]), (0, 0, []))
        self.assertTrue(same["complete"])

        new = self.text("matches: qname other.example, exec: reject 3", "matches: qname $streams, exec: $second").replace(
            "qname refused.example, exec: reject 5", "qname refused.example, exec: drop")
        told = self.replay(new)
        self.assertEqual([(d["name"], d["type"], d["client"], d["queries"], d["before"]["end"], d["after"]["end"])
                          for d in told["differences"]],
                         [("www.other.example", "A", CLIENT, 3, "forwarded", "rejected"),
                          ("refused.example", "A", CLIENT, 1, "rejected", "dropped"),
                          ("www.stream.example", "A", CLIENT, 1, "forwarded", "forwarded")], told)
        other, refused, stream = told["differences"]
        self.assertEqual(other["before"]["asks"], [{"forward": "up", "upstreams": ["udp://1.1.1.1"]}])
        self.assertEqual(other["after"]["answer"], "NXDOMAIN")
        self.assertNotIn("asks", other["after"])
        line = next(n for n, row in enumerate(new.splitlines(), 1) if "qname other.example" in row)
        self.assertEqual((other["after"]["line"], other["after"]["file"]), (line, str(self.file)))
        self.assertIn("reject 3", other["after"]["rule"])
        self.assertEqual(refused["before"]["answer"], "REFUSED")
        self.assertEqual(stream["after"]["asks"][0]["upstreams"], ["udp://1.1.1.3"])
        self.assertIn("streams", stream["after"]["sets"])
        self.assertEqual(told["changes"], [{"before": "forwarded", "after": "forwarded", "queries": 1, "distinct": 1},
                                           {"before": "forwarded", "after": "rejected", "queries": 3, "distinct": 1},
                                           {"before": "rejected", "after": "dropped", "queries": 1, "distinct": 1}])
        self.assertEqual((told["different"], told["same"]["queries"]), ({"queries": 5, "distinct": 3}, 0))
        short = self.replay(new, limit=1)
        self.assertEqual((len(short["differences"]), short["omitted"]), (1, 2))
        # It is what then happens.
        self.file.write_text(new)
        self.scene.told("reload")
        self.assertIn("NXDOMAIN", self.scene.kdig("www.other.example"))

    def test_counters_of_the_running_daemon_stay(self):
        self.start(self.text())
        self.ask_all()
        before = self.scene.told("counters")["workers"]
        told = self.replay(self.text("matches: qname other.example, exec: reject 3"))
        self.assertEqual(told["different"]["queries"], 3)
        after = self.scene.told("counters")["workers"]
        def flat(value, path=""):
            if isinstance(value, dict):
                return {k: v for key, one in value.items() for k, v in flat(one, f"{path}/{key}").items()}
            if isinstance(value, list):
                return {k: v for n, one in enumerate(value) for k, v in flat(one, f"{path}/{n}").items()}
            return {path: value}

        changed = {key for key, value in flat(before).items() if flat(after)[key] != value}
        self.assertFalse({key for key in changed if not key.endswith("/punted")}, changed)

    def test_rules_on_answers_use_the_recorded_one_or_are_unknown(self):
        by_address = 'matches: "resp_ip 198.51.100.0/24", exec: reject 3'
        self.start(self.text())
        self.ask_all()
        # Behind the forward: read from the recorded answer.
        new = self.text().replace("      { exec: $up } ]", "      { exec: $up },\n      { " + by_address + " } ]")
        told = self.replay(new)
        self.assertEqual([(d["name"], d["after"]["end"]) for d in told["differences"]], [("www.other.example", "rejected")], told)
        self.assertEqual(told["unknown"]["queries"], 0)
        # Of another upstream, the answer is not known: that it is asked is sure.
        other = new.replace("{ exec: $up },\n", "{ exec: $second },\n")
        told = self.replay(other)
        self.assertEqual({(d["name"], d["after"]["end"]) for d in told["differences"]},
                         {("www.other.example", "unknown"), ("www.stream.example", "unknown")}, told)
        self.assertIn("reads the upstream's answer, which is not recorded", told["differences"][0]["after"]["unknown"])
        # Chance decides: nothing is known.
        told = self.replay(self.text("matches: random 0.5, exec: reject 3"))
        self.assertEqual((told["unknown"]["queries"], told["differences"]), (4, []), told)
        self.assertIn("chance", told["unknown_facts"][0]["fact"])

    def test_bad_input_gets_a_sentence(self):
        self.start(self.text())
        wrong = self.text().replace("exec: $up", "exec: $nothing")
        told = self.replay(wrong)
        self.assertFalse(told["good"])
        self.assertEqual([(one["level"], one["file"]) for one in told["problems"]], [("error", str(self.file))])
        self.assertIn("give either `text`", self.call("configuration.replay"))
        self.assertIn("give either `text`", self.call("configuration.replay", text="", version=1))
        self.assertIn("there is no version 7", self.call("configuration.replay", version=7))
        self.assertIn('no query_recorder "none"', self.call("configuration.replay", text=self.text(), plugin="none"))
        told = self.replay(self.text())
        self.assertEqual((told["good"], told["queries"], told["differences"]), (True, 0, []))

    def test_without_a_recorder_the_setting_is_named(self):
        self.start("plugins:\n  - { tag: up, type: forward, args: { upstreams: [ { addr: udp://1.1.1.1 } ] } }\n"
                   "  - { tag: main, type: sequence, args: [ { exec: $up } ] }\n")
        told = self.replay("plugins: []\n")
        self.assertIn("no queries are recorded: add a plugin with 'type: query_recorder'", told)


if __name__ == "__main__":
    unittest.main(verbosity=2)
