"""Address lists and DNS servers of a router: followed while they change, kept while it is unreachable and over a restart."""

import itertools
import json
import sys
import unittest

from lab.network import until
from lab.scene import PASSWORD, USER, Scene

BUILD = sys.argv.pop(1)
CONFIG = """
control: {{ router_lists: {state}, watch: off }}
routers:
  edge1: {{ address: 172.16.1.1:8728, username: {user}, password: {password} }}
plugins:
  - {{ tag: kids, type: ros_list, args: {{ router: edge1, list: kids }} }}
  - {{ tag: away, type: ros_list, args: {{ router: edge1, list: away, max_entries: 5 }} }}
  - {{ tag: both, type: ip_set, args: {{ ips: [ 203.0.113.1 ], sets: [ away ] }} }}
  - {{ tag: pool, type: cache, args: {{ size: 1000, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ {upstreams} }} }}
  - {{ tag: main, type: sequence, args: [
      {{ matches: client_ip $kids, exec: black_hole 192.0.2.97 short_circuit }},
      {{ exec: $pool }}, {{ exec: $up }},
      {{ matches: resp_ip $both, exec: black_hole 192.0.2.98 short_circuit }} ] }}
"""
FIXED, OF_ROUTER = "upstreams: [ {{ addr: udp://1.1.1.1 }} ]", "router: edge1"
FALLBACK = """
  - { tag: own, type: forward, args: { upstreams: [ { addr: udp://1.1.1.1 } ] } }
  - { tag: either, type: fallback, args: { primary: up, secondary: own } }
  - { tag: main, type: sequence, args: [ { exec: $either } ] }
"""


class RosList(unittest.TestCase):
    def setUp(self):
        scene = self.scene = self.enterContext(Scene("roslist", BUILD))
        scene.start_resolver()
        scene.start_router()
        folder = scene.folder / "state"
        folder.mkdir()
        folder.chmod(0o777)
        self.state, self.config = folder / "router-lists.json", scene.folder / "steer.yaml"

    def start(self, upstreams=FIXED, tail=""):
        text = CONFIG.format(state=self.state, user=USER, password=PASSWORD, upstreams=upstreams.replace("{{", "{").replace("}}", "}"))
        if tail:
            text = text[:text.index("  - { tag: main")] + tail
        self.config.write_text(text)
        return self.scene.start_daemon(self.config)

    def ctl(self, *words):
        return self.scene.router_ctl(*words)

    def servers(self, text):
        self.ctl("record", "/ip/dns", f"dynamic-servers={text}")

    def answers(self, wanted, name="www.other.example", *words):
        until(lambda: self.scene.short(*words, name, "A") == wanted, 20, f"{name} is {wanted}")

    def lists(self):
        return self.scene.reported("routers", "lists")

    def metric(self, name):
        text = self.scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout
        return {line.split(" ")[0]: float(line.split(" ")[1]) for line in text.splitlines() if line.startswith(name)}

    def test_a_client_is_matched_by_the_list_that_the_router_puts_it_in(self):
        self.start()
        self.answers(["198.51.100.2"])
        generation = self.scene.reported("status")["generation"]
        self.ctl("add", "kids", "192.168.88.10")
        self.answers(["192.0.2.97"])
        self.assertEqual(self.scene.short("+tcp", "www.other.example", "A"), ["192.0.2.97"])
        self.ctl("edit", "kids", "192.168.88.10", "disabled=yes")
        self.answers(["198.51.100.2"])
        self.ctl("edit", "kids", "192.168.88.10", "disabled=no")
        self.answers(["192.0.2.97"])
        self.ctl("remove", "kids", "192.168.88.10")
        self.answers(["198.51.100.2"])
        self.ctl("add", "kids", "192.168.88.0/28", "15s")  # the router ends it
        self.answers(["192.0.2.97"])
        self.answers(["198.51.100.2"])
        self.assertEqual(self.scene.reported("status")["generation"], generation, "without a reload")
        # The router puts the client of a lease into lists.
        lease = self.ctl("record", "/ip/dhcp-server/lease", "address=192.168.88.10", "mac-address=00:1D:AA:00:00:01",
                         "status=bound", "dynamic=true", "address-lists=slow,kids").splitlines()[-1].strip()
        self.answers(["192.0.2.97"])
        self.ctl("record", "/ip/dhcp-server/lease", f".id={lease}", "status=waiting")
        self.answers(["198.51.100.2"])
        self.assertEqual(self.scene.reported("status")["generation"], generation, "without a reload")
        # Answers, by the addresses in them; with addresses of the configuration beside those of the router.
        self.ctl("add", "away", "198.51.100.0/24")
        until(lambda: self.lists()["lists"][0]["addresses"] == 1, 10, "it is read")
        self.scene.steerctl("cache", "flush", "--all")
        self.assertEqual(self.scene.short("www.other.example", "A"), ["192.0.2.98"])

    def test_lists_are_shown_and_bounded(self):
        daemon = self.start()
        for i in range(4):
            self.ctl("add", "kids", f"10.0.0.{i}")
        self.ctl("add", "kids", "fd88::99")
        for i in range(8):
            self.ctl("add", "away", f"10.1.0.{i}")
        daemon.wait_for("has more than 5 entries in list 'away': the others are left out; raise max_entries")
        until(lambda: [row["addresses"] for row in self.lists()["lists"]] == [5, 5], 10, "they are read")
        text = self.scene.steerctl("routers", "lists")
        self.assertRegex(text, r"kids +kids +edge1 +5 +10\.0\.0\.0,10\.0\.0\.1,10\.0\.0\.2,10\.0\.0\.3,fd88::99/128\n".replace(",", ", ?"))
        self.assertRegex(text, r"edge1 +in_sync +0 s +- +-?\n")
        self.assertEqual(self.metric("steerdns_router_list_addresses"),
                         {'steerdns_router_list_addresses{plugin="away"}': 5, 'steerdns_router_list_addresses{plugin="kids"}': 5})
        self.assertEqual(self.metric("steerdns_router_list_age_seconds"), {'steerdns_router_list_age_seconds{router="edge1"}': 0})
        self.assertIn("no ros_list and no forward follows a router 'x'", self.scene.ask("routers", "lists", "x").stderr)

    def test_lists_are_kept_while_their_router_is_away(self):
        """A timeout ends nevertheless."""
        self.start()
        self.ctl("add", "kids", "192.168.88.10")
        self.ctl("add", "away", "10.0.0.1", "20s")
        self.answers(["192.0.2.97"])
        until(lambda: self.metric("steerdns_router_list_addresses")['steerdns_router_list_addresses{plugin="away"}'] == 1, 10, "read")
        self.scene.rossim.stop()
        until(lambda: self.lists()["routers"][0]["trouble"] != "", 10, "it is noticed")
        self.assertEqual(self.scene.short("www.other.example", "A"), ["192.0.2.97"])
        until(lambda: self.lists()["routers"][0]["age_s"] > 0, 10, "it has an age")
        until(lambda: self.metric("steerdns_router_list_addresses")['steerdns_router_list_addresses{plugin="away"}'] == 0, 20, "ended")
        self.scene.daemon.stop()
        self.assertEqual(json.loads(self.state.read_text())["edge1"]["lists"]["kids"], [["192.168.88.10", 0]])
        self.start()
        self.assertEqual(self.scene.short("www.other.example", "A"), ["192.0.2.97"])
        self.assertGreater(self.lists()["routers"][0]["age_s"], 0)
        self.scene.start_router()  # without the row
        self.answers(["198.51.100.2"])
        self.assertEqual(self.lists()["routers"][0]["age_s"], 0)

    def test_servers_of_the_router_are_upstreams(self):
        daemon = self.start(OF_ROUTER)
        daemon.wait_for("forward 'up' has no upstreams, and router 'edge1' has no DNS servers of its own, or was not read yet")
        self.assertIn("status: SERVFAIL", self.scene.kdig("www.other.example", "A"))
        self.servers("1.1.1.1")
        self.answers(["198.51.100.2"])
        self.assertEqual(self.lists()["routers"][0]["servers"], ["1.1.1.1"])
        self.assertEqual(self.metric("steerdns_router_list_servers"), {'steerdns_router_list_servers{router="edge1"}': 1})
        generation = self.scene.reported("status")["generation"]
        # Kept while it is away, and for the next start.
        self.scene.rossim.stop()
        until(lambda: self.lists()["routers"][0]["trouble"] != "", 10, "it is noticed")
        self.assertEqual(self.scene.short("mail.other.example", "A"), self.scene.short("mail.other.example", "A"))
        self.assertEqual(self.scene.reported("status")["generation"], generation, "no reload for the same servers")
        self.scene.daemon.stop()
        daemon = self.start(OF_ROUTER)
        self.assertEqual(self.scene.short("www.other.example", "A"), ["198.51.100.2"])
        # A router that comes back without any.
        self.scene.start_router()
        fresh = itertools.count()  # names that no cache has
        until(lambda: "SERVFAIL" in self.scene.kdig(f"n{next(fresh)}.other.example", "A"), 30, "its servers are gone")
        daemon.wait_for("router 'edge1' has no DNS servers of its own")

    def test_a_fallback_answers_while_the_router_has_no_servers(self):
        self.start(OF_ROUTER, FALLBACK)
        self.assertEqual(self.scene.short("www.other.example", "A"), ["198.51.100.2"])


if __name__ == "__main__":
    unittest.main()
