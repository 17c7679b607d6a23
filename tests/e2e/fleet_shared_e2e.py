"""What people change on one box of a fleet is on all: rules, pauses, names of clients, groups of devices.

    fleet_shared_e2e.py BUILD [TESTS...]
"""

import json
import sys
import time
import unittest

from lab.fleet import REDIS_PASSWORD, FleetLan
from lab.network import skip_without, until

BUILD = sys.argv.pop(1)
CLIENT = "10.7.0.100"
MAC = "02:00:00:00:00:0a"


class Shared(unittest.TestCase):
    def begin(self, boxes=2):
        lan = self.lan = self.enterContext(FleetLan(BUILD))
        lan.fleet = lan.fleet.replace(" }", ", lease: 3s }")
        lan.rules = f"  - {{ tag: ads, type: adlist, args: {{ lists: [ {lan.folder}/ads.txt ] }} }}\n"
        lan.first = "      - exec: $ads\n"
        (lan.folder / "ads.txt").write_text("ads.stream.example\n")
        lan.start_resolver()
        lan.start_router("edge1")
        lan.start_redis()
        lan.add_boxes(boxes)
        for box in lan.boxes:
            state = lan.folder / box.name
            state.mkdir()
            state.chmod(0o777)
            box.write(control=f"control: {{ rules: {state}/rules.json, leases: {state}/leases.json }}\n")
        for box in lan.boxes:
            box.start()
        until(lambda: all(box.fleet().get("connected") for box in lan.boxes), 20, "all boxes are connected")
        return lan

    def rules(self, box):
        return [(one["does"], one["name"], one.get("group") or one["clients"]) for one in box.reported("blocking")["rules"]]

    def agree(self, wanted):
        for box in self.lan.boxes:
            until(lambda: self.rules(box) == wanted, 10, f"{box.name} has {wanted}, not {self.rules(box)}")

    def answers(self, box, name):
        return self.lan.short(box, name, "A")

    def test_a_rule_of_one_box_counts_on_the_other_until_it_is_removed_there(self):
        lan = self.begin()
        one, two = lan.boxes
        one.ask("block", "media.example", "--note", "too loud", check=True)
        self.agree([("block", "media.example", "")])
        until(lambda: [self.answers(box, "www.media.example") for box in lan.boxes] == [["0.0.0.0"]] * 2, 10, "it is in force on both")
        rule = two.reported("blocking")["rules"][0]
        self.assertEqual((rule["note"], rule["box"]), ("too loud", one.name))
        two.ask("allow", "ads.stream.example", "--for", "1h", check=True)
        until(lambda: self.answers(one, "ads.stream.example") != ["0.0.0.0"], 10, "the first box allows it, too")
        two.ask("unblock", "media.example", check=True)
        until(lambda: self.answers(one, "media.example") == ["203.0.113.30"], 10, "the first box answers again")
        one.ask("pause", "--for", "2s", check=True)
        until(lambda: len(two.reported("blocking")["rules"]) == 2, 10, "the pause is there")
        for box in lan.boxes:
            until(lambda: len(box.reported("blocking")["rules"]) == 1, 10, "and over")
        self.assertEqual(json.loads(one.ask("--json", "fleet").stdout)["shared"][-1]["unsent"], 0)
        until(lambda: lan.redis("HLEN", "steerdns:{pop1}:state:rules") == "3", 10, "what is over is known to be removed")

    def test_without_redis_a_box_changes_alone_and_tells_the_others_later(self):
        lan = self.begin()
        one, two = lan.boxes
        one.ask("block", "old.example", check=True)
        one.ask("block", "both.example", "--note", "first", check=True)
        self.agree([("block", "old.example", ""), ("block", "both.example", "")])
        lan.kill("redis", "redis-server")
        until(lambda: not one.fleet()["connected"] and not two.fleet()["connected"], 20, "Redis is away")
        one.ask("unblock", "old.example", check=True)
        two.ask("block", "new.example", check=True)
        one.ask("block", "both.example", "--note", "of one", check=True)
        until(lambda: one.reported("fleet")["shared"][-1]["unsent"] == 2, 5, "two changes wait")
        # A restart keeps what the others do not know.
        one.kill()
        one.start()
        lan.start_redis()
        until(lambda: all(box.fleet().get("connected") for box in lan.boxes), 30, "Redis is back")
        for box in lan.boxes:
            until(lambda: {one["name"]: one["note"] for one in box.reported("blocking")["rules"]} == {"new.example": "", "both.example": "of one"}, 20,
                  f"{box.name} agrees")

    def test_what_redis_has_is_judged(self):
        lan = self.begin()
        one, two = lan.boxes
        key = json.dumps(["evil.example", False, "", "", "", ""], separators=(",", ":"))
        stamp = int(time.time() * 1000)
        for number, (name, value) in enumerate((
                (key, "garbage"), (key, json.dumps({"does": "block", "name": "other.example", "until_s": 0, "made_s": 1})),
                ('[".",false,"","","",""]', json.dumps({"does": "allow", "name": ".", "until_s": 0, "made_s": 1, "suspends": True})),
                ("x" * 2000, "{}"))):
            entry = f"{stamp + number} evil {value}"
            lan.redis("HSET", "steerdns:{pop1}:state:rules", name, entry)
            lan.redis("PUBLISH", "steerdns:{pop1}:state", f"rules {name}\n{entry}")
        lan.redis("PUBLISH", "steerdns:{pop1}:state", "no form at all")
        problem = until(lambda: next((text for text in two.problems() if "shared rules differ" in text), None), 10, "it is named")
        self.assertNotIn("evil.example", problem, "everyone may read problems")
        self.assertIn('the rule for evil.example of box "evil" is not in force here', two.daemon.text())
        self.assertEqual(self.rules(two), [])
        until(lambda: two.fleet()["counters"]["messages_bad"] > 0, 10, "what has no form is counted")
        one.ask("block", "fine.example", check=True)
        self.agree([("block", "fine.example", "")])
        three = lan.boxes[1]
        three.kill()
        three.start()
        until(lambda: self.rules(three) == [("block", "fine.example", "")], 10, "a box that starts reads the same")

    def test_names_and_groups_of_one_box_are_on_the_other(self):
        lan = self.begin()
        one, two = lan.boxes
        one.ask("clients", "name", CLIENT, "Leo's laptop", check=True)
        until(lambda: "Leo's laptop" in two.ask("clients").stdout, 10, "the name is there")
        two.ask("clients", "group", "add", "children", "leo's laptop", MAC, check=True)
        one_groups = lambda box: {group["group"]: sorted(member["client"] for member in group["members"]) for group in box.reported("clients", "group")["groups"]}
        until(lambda: one_groups(one) == {"children": sorted([CLIENT, MAC])}, 10, "the group is there")
        one.ask("block", "media.example", "--group", "children", check=True)
        until(lambda: self.answers(two, "media.example") == ["0.0.0.0"], 10, "a rule for the group counts on the other box")
        refused = two.ask("clients", "group", "remove", "children")
        self.assertIn("1 rule is for the group", refused.stderr)
        # A box that comes later has them as well.
        two.kill()
        one.ask("clients", "group", "remove", "children", MAC, check=True)
        one.ask("clients", "forget", CLIENT, check=True)
        two.start()
        until(lambda: one_groups(two) == {"children": [CLIENT]}, 10, "a member has gone")
        until(lambda: "Leo's laptop" not in two.ask("clients").stdout, 10, "the name has gone")
        one.ask("unblock", "media.example", check=True)
        one.ask("clients", "group", "remove", "children", check=True)
        until(lambda: one_groups(two) == {}, 10, "the group has gone")
        until(lambda: self.answers(two, "media.example") == ["203.0.113.30"], 10, "the name is answered again")

    def test_a_flood_of_changes_delays_nothing_else(self):
        lan = self.begin()
        one, two = lan.boxes
        # 20,000 rules, written in another order than ours.
        key = lambda i: json.dumps([f"n{i}.example", False, "", "", "", ""], separators=(",", ":"))
        value = lambda i: json.dumps({"name": f"n{i}.example", "does": "block", "until_s": 0, "made_s": 1, "who": "x"})
        lines = "".join(f"HSET steerdns:{{pop1}}:state:rules '{key(i)}' '{1_700_000_000_000 + i} evil {value(i)}'\n" for i in range(20_000))
        file = lan.folder / "rules.redis"
        file.write_text(lines)
        lan.network.run("redis", "sh", "-c", f"redis-cli -a {REDIS_PASSWORD} --no-auth-warning < {file} > /dev/null")
        for _ in range(2):  # the second time they are there, in our form
            two.kill()
            two.start()
            until(lambda: len(two.reported("blocking")["rules"]) == 20_000, 60, "all are there")
        flood = lan.folder / "flood.lua"
        flood.write_text("for i = 1, 200000 do redis.call('PUBLISH', KEYS[1], 'rules ' .. ARGV[1] .. '\\n' .. (1800000000000 + i) .. ' evil x') end return 1")
        self.assertEqual(lan.redis("--eval", str(flood), "steerdns:{pop1}:state", ",", key(1)), "1")
        slowest = 0.0
        for _ in range(20):
            began = time.monotonic()
            two.reported("fleet")
            slowest = max(slowest, time.monotonic() - began)
        print(f"the slowest of 20 requests beside the flood: {slowest:.2f} s")
        self.assertTrue(two.daemon.running() and one.daemon.running())
        two.ask("unblock", "n7.example", check=True)
        until(lambda: self.answers(two, "n7.example") != ["0.0.0.0"], 30, "changes of people go on")

    def test_ten_thousand_rules_reach_a_box_that_joins(self):
        lan = self.begin()
        one, two = lan.boxes
        two.kill()
        lines = [["HSET", "steerdns:{pop1}:state:rules"]]
        for i in range(10_000):
            name = f"n{i}.example"
            lines[-1] += [json.dumps([name, False, "", "", "", ""], separators=(",", ":")),
                          f"{1_700_000_000_000 + i} box1 " + json.dumps({"does": "block", "name": name, "exact": False, "clients": "", "until_s": 0, "made_s": 1, "note": "", "who": "x"})]
            if len(lines[-1]) > 1_000:
                lines.append(lines[0][:2])
        for words in lines:
            if len(words) > 2:
                lan.redis(*words)
        started = time.monotonic()
        two.start()
        until(lambda: len(two.reported("blocking")["rules"]) == 10_000, 30, "all are there")
        print(f"10,000 rules after {time.monotonic() - started:.1f} s")
        until(lambda: self.answers(two, "n9999.example") == ["0.0.0.0"], 10, "they are in force")


if __name__ == "__main__":
    skip_without(("redis-server", "redis-cli"), "--all")
    unittest.main(verbosity=2)
