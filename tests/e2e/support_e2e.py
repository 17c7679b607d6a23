"""The sheet of one client: off by default, for operators only, audited; what was blocked, failed, slow and steered, its row and the
doctor's marks; clients that the log does not keep apart; and a client with more queries than one sheet reads."""

import json
import sys
import threading
import time
import unittest

from lab.network import until
from lab.scene import PASSWORD, USER, Scene, start_load

BUILD = sys.argv.pop(1)
TOKENS = {"read": "00112233445566778899aabbccddeeff", "operate": "f0e1d2c3b4a5968778695a4b3c2d1e0f", "admin": "ffeeddccbbaa99887766554433221100"}
CONFIG = """
control:
  watch: off
  support: {support}
  roles: [ {{ user: nobody, role: read }} ]
  http:
    listen: "127.0.0.1:9154"
    metrics: off
    tokens: [ {tokens} ]
routers:
  edge1: {{ address: "172.16.1.1:8728", username: {user}, password: {password} }}
plugins:
  - {{ tag: ads, type: adlist, args: {{ lists: [ {folder}/ads.txt ] }} }}
  {recorder}
  - {{ tag: policy, type: ros_address_list, args: {{ router: edge1, address_list4: policy_set_v4 }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - tag: main
    type: sequence
    args:
      {first}
      - {{ exec: $ads }}
      - {{ matches: qname refused.example, exec: reject 5 }}
      - {{ matches: qname stream.example, exec: $policy }}
      - {{ exec: $up }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
"""
CLIENT = "192.168.88.10"
ADDRESSES = ("203.0.113.10", "203.0.113.11")  # of stream.example
HTML = "<img src=x>.ads.example"
MOST = 10_000  # queries on one sheet
MANY = 100_000


class Support(unittest.TestCase):
    def start(self, **settings):
        scene = self.scene = self.enterContext(Scene("support", BUILD))
        scene.start_resolver()
        scene.start_router()
        self.state = scene.folder / "state"
        self.state.mkdir()
        self.state.chmod(0o777)
        (self.state / "ads.txt").write_text("||ads.example^\n")
        for role, token in TOKENS.items():
            (self.state / role).write_text(token + "\n")
            (self.state / role).chmod(0o600)
        self.config = scene.folder / "steer.yaml"
        self.write(**settings)
        scene.start_daemon(self.config)
        until(lambda: scene.reported("routers")["routers"][0]["state"] == "in_sync", 20, "the router is in sync")

    def write(self, support="true", more="", has_recorder=True):
        recorder = f"- {{ tag: log, type: query_recorder, args: {{ path: {self.state}/queries.db{more} }} }}" if has_recorder else ""
        tokens = ", ".join(f"{{ name: {role}, role: {role}, token_file: {self.state}/{role} }}" for role in TOKENS)
        self.config.write_text(CONFIG.format(support=support, folder=self.state, user=USER, password=PASSWORD, tokens=tokens, recorder=recorder,
                                             first="- { exec: $log }" if has_recorder else ""))

    def reload(self, **settings):
        self.write(**settings)
        self.scene.reported("reload")

    def support(self, *words, user=()):
        program = str(self.scene.build / "tools/steerctl/steerctl")
        return self.scene.network.run("appliance", *user, program, "--socket", str(self.scene.socket), "support", *words, check=False)

    def sheet(self, client):
        done = self.support(client, "--json")
        self.assertEqual(done.returncode, 0, done)
        return json.loads(done.stdout)

    def rows(self):
        return {row["address"]: row["row"] for row in self.sheet(CLIENT)["rows"]}

    def refused(self, client, why, code=1):
        done = self.support(client)
        self.assertEqual(done.returncode, code, done)
        self.assertIn(why, done.stderr)
        self.assertNotIn("ads.example", done.stdout)

    def rpc(self, role, method, **params):
        request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        done = self.scene.network.run("appliance", "curl", "-sS", "--max-time", "50", "-H", f"Authorization: Bearer {TOKENS[role]}",
                                      "-H", "Content-Type: application/json", "-d", request, "http://127.0.0.1:9154/rpc")
        return json.loads(done.stdout)

    def audited(self):
        return [one["text"] for one in self.scene.reported("events", "--kind", "change")["events"] if "request support" in one["text"]]

    def test_the_sheet_has_what_was_blocked_failed_and_steered(self):
        self.start()
        scene = self.scene
        until(lambda: "203.0.113.10" in scene.short("stream.example", "A"), 20, "the daemon answers")
        scene.wait_rows({("policy_set_v4", address) for address in ADDRESSES})
        scene.short(HTML, "A")
        scene.short("ads.example", "A")
        scene.short("refused.example", "A")
        scene.kdig("nothing.stream.example", "TXT")  # no answer is no failure
        self.rpc("admin", "doctor.report", router="edge1", interval_s=60, findings=[], steps=["mark-ipv4 failed it has no mark", "row-ipv4 ok it is there"])
        sheet = self.sheet(CLIENT)
        self.assertEqual({(one["name"], one["plugin"], one["list"]) for one in sheet["blocked"]},
                         {(name, "ads", f"{self.state}/ads.txt") for name in ("ads.example", HTML.replace(" ", "\\032"))})
        self.assertRegex(sheet["blocked"][0]["rule"], r"steer\.yaml:\d+ .*\$ads")
        self.assertEqual([(one["name"], one["rcode"]) for one in sheet["failed"]], [("refused.example", "REFUSED")])
        self.assertEqual([(one["name"], one["plugin"]) for one in sheet["steered"]], [("stream.example", "policy")])
        self.assertEqual(sorted(sheet["rows"], key=lambda row: row["address"]),
                         [{"router": "edge1", "address": address, "list": "policy", "name": "stream.example", "row": "present"} for address in ADDRESSES])
        self.assertEqual([(one["router"], one["step"], one["result"], one["text"], one["stale"]) for one in sheet["marks"]],
                         [("edge1", "mark-ipv4", "failed", "it has no mark", False)])
        self.assertLess({"ads.example", "refused.example", "stream.example"}, {one["name"] for one in sheet["asked"]})
        self.assertEqual(sheet["queries"], sum(one["queries"] for one in sheet["asked"]))
        self.assertEqual((sheet["complete"], sheet["to"] - sheet["from"]), (True, 900))
        text = self.support(CLIENT).stdout
        for words in ("\nblocked\n", "ads.example", "\nfailed\n", "refused.example", "\nrows on routers\n", " present\n", "it has no mark"):
            self.assertIn(words, text)

        with self.subTest("a row that is missing"):
            scene.steerctl("routers", "pause", "edge1")
            scene.router_ctl("remove", "policy_set_v4", ADDRESSES[0])
            until(lambda: self.rows() == {ADDRESSES[0]: "missing, to be added", ADDRESSES[1]: "present"}, 20, "the row is missing")
            scene.steerctl("routers", "resume", "edge1")
            until(lambda: set(self.rows().values()) == {"present"}, 20, "the row is back")
        with self.subTest("a client that never asked"):
            self.assertEqual([self.sheet("192.168.88.11")[one] for one in ("queries", "asked", "blocked", "rows")], [0, [], [], []])
            self.assertIn("no query was recorded", self.support("192.168.88.11").stdout)
        with self.subTest("IPv6 by address and by subscriber"):
            scene.network.address("client", "eth0", "fd88::11/64")
            for source in ("fd88::10", "fd88::11"):
                scene.short("-b", source, "ads.example", "A", server="fd16::2")
            self.assertEqual([(one["name"], one["queries"]) for one in self.sheet("fd88::10")["blocked"]], [("ads.example", 1)])
            both = self.sheet("fd88::/64")
            self.assertEqual((both["client"], [(one["name"], one["queries"]) for one in both["blocked"]]), ("fd88::/64", [("ads.example", 2)]))
        with self.subTest("what is not one client"):
            self.refused("kitchen", "is not an address, a prefix, a MAC address or the name of a client; 'steerctl clients' shows those")
            for client in ("192.168.88.0/24", "fd88::/32", "::/64", "::ffff:0:0/96"):
                self.refused(client, f'client is "{client}": expected an address')
            self.assertIn('"kitchen" is not an address, a prefix, a MAC address or the name of a client', self.rpc("operate", "support", client="kitchen")["error"]["message"])

    def test_only_operators_see_it_and_each_use_is_audited(self):
        self.start()
        scene = self.scene
        until(lambda: scene.short("ads.example", "A") == ["0.0.0.0"], 20, "the daemon blocks")
        nobody = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
        done = self.support(CLIENT, user=nobody)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn('needs the role "operate"', done.stderr)
        answer = self.rpc("read", "support", client=CLIENT)
        self.assertIn('needs the role "operate"', answer["error"]["message"])
        self.assertNotIn("result", answer)
        for role in ("operate", "admin"):
            blocked = self.rpc(role, "support", client=CLIENT)["result"]["blocked"]
            self.assertEqual([one["name"] for one in blocked], ["ads.example"])
        self.support(CLIENT)
        lines = self.audited()
        self.assertEqual(len(lines), 5, lines)
        for line, who, end in zip(lines, ("uid 65534", "read", "operate", "admin", "uid 0"), ("refused: support needs", "refused: support needs", "done", "done", "done")):
            self.assertIn(f'request support {{"client":"{CLIENT}"}} of ', line)
            self.assertIn(who, line)
            self.assertIn(f": {end}", line)
        # The history shows the role `read` no more than before.
        for key in ("decision", "plugin", "list", "rule"):
            self.assertNotIn(key, self.rpc("read", "recorder.history", client=CLIENT)["result"]["queries"][0])
        self.assertTrue(self.rpc("read", "status")["result"]["support"])
        self.reload(support="false")
        self.refused(CLIENT, "write `support: true` in `control`")
        self.assertIn("refused: the view of one client is off", self.audited()[-1])
        self.assertNotIn("support", self.rpc("read", "status")["result"])

    def test_a_log_that_does_not_keep_clients_apart_is_reported(self):
        self.start(more=", mask4: 24, mask6: 64, one_in: 1")
        scene = self.scene
        until(lambda: scene.short("ads.example", "A") == ["0.0.0.0"], 20, "the daemon blocks")
        scene.short("-b", "fd88::10", "ads.example", "A", server="fd16::2")
        for client in (CLIENT, "192.168.88.0"):
            self.refused(client, 'query_recorder "log" keeps /24 of IPv4 addresses (mask4), so its history cannot show one client')
        self.refused("fd88::10", 'query_recorder "log" keeps /64 of IPv6 addresses (mask6): ask for fd88::/64')
        self.assertEqual([one["name"] for one in self.sheet("fd88::/64")["blocked"]], ["ads.example"])
        self.reload(more=f", except_clients: [ {CLIENT} ]")
        self.refused(CLIENT, 'query_recorder "log" records no queries of this client (except_clients)')
        self.reload(more=", one_in: 10")
        self.assertEqual(self.sheet(CLIENT)["one_in"], 10)
        self.assertIn("one of 10 queries is recorded: numbers are estimates", self.support(CLIENT).stdout)
        self.reload(has_recorder=False)
        self.refused(CLIENT, "no history to show: no query_recorder has a database")

    def test_many_queries_are_bounded_work_that_delays_no_other_request(self):
        self.start()
        scene = self.scene
        until(lambda: scene.short("ads.example", "A") == ["0.0.0.0"], 20, "the daemon blocks")
        load = start_load(scene.network, (f"n{i}.ads.example A" for i in range(MANY)), 20_000, "-t", "10", "-q", "500")
        until(lambda: scene.reported("recorder")["recorders"][0]["sinks"][0]["written"] >= MANY, 120, f"{MANY} queries are recorded")
        load.stop()
        waits, done = [], threading.Event()

        def ask_others():
            while not done.is_set():
                begun = time.monotonic()
                self.rpc("read", "version")
                waits.append(time.monotonic() - begun)

        others = threading.Thread(target=ask_others)
        others.start()
        begun = time.monotonic()
        sheet = self.sheet(CLIENT)
        took = time.monotonic() - begun
        done.set()
        others.join()
        print(f"a sheet of {sheet['queries']} of {MANY} queries: {took:.2f} s; others waited {max(waits):.2f} s at most")
        self.assertEqual(sheet["queries"], MOST)
        self.assertFalse(sheet["complete"])
        self.assertGreater(sheet["read_from_us"], sheet["from"] * 1_000_000)
        self.assertEqual([len(sheet[section]) for section in ("asked", "blocked", "failed")], [50, 50, 0])
        self.assertLess(took, 10)
        self.assertLess(max(waits), 2)
        self.assertIn("earlier ones were not read", self.support(CLIENT).stdout)
        # A client of a few queries is found among them.
        scene.network.address("client", "eth0", "192.168.88.12/24")
        scene.short("-b", "192.168.88.12", "ads.example", "A")
        other = self.sheet("192.168.88.12")
        self.assertEqual((other["queries"], other["complete"]), (1, True))


if __name__ == "__main__":
    unittest.main(verbosity=2)
