"""Routes in place of address-list entries: what a router has when clients ask, and when things go wrong."""

import json
import signal
import sys
import unittest

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)

CONFIG = """
routers:
  edge: {{ address: 172.16.1.1:8728, username: api-user, password: secret }}
plugins:
  - {{ tag: names, type: domain_set, args: {{ exps: ["domain:stream.example"] }} }}
  - tag: vpn
    type: ros_route
    args: {{ router: edge, routing_table: vpn, gateway4: wg1, gateway6: wg1, async: false, sync_timeout: 5s, min_ttl: {life}s, max_ttl: {life}s,
             extra_time: 1s, conntrack_guard: {guard}, cleanup_on_shutdown: {cleanup}, never_claim: [] {more} }}
  - tag: list
    type: ros_address_list
    args: {{ router: edge, address_list4: set4, address_list6: set6, never_claim: [] }}
  - {{ tag: fwd, type: forward, args: {{ upstreams: [ {{ addr: 1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ matches: "qname $names", exec: $vpn }}, {{ exec: $list }}, {{ exec: $fwd }} ] }}
"""


class Routes(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("routes", BUILD))
        self.scene.start_resolver()

    def start_router(self, *options):
        router = self.scene.start_router("--ros-version", "7.21", *options)
        self.scene.router_ctl("record", "/routing/table", "name=vpn")
        for destination in ("0.0.0.0/0", "198.51.100.0/24", "203.0.113.99/32"):
            self.scene.router_ctl("record", "/ip/route", f"dst-address={destination}", "routing-table=vpn",
                                  "gateway=192.0.2.254", "distance=1", "comment=mine")
        self.foreign = self.routes(ours=False)
        return router

    def start(self, **settings):
        values = {"life": 3600, "guard": "false", "cleanup": "false", "more": ""} | settings
        path = self.scene.folder / "routes.yaml"
        path.write_text(CONFIG.format(**values))
        return self.scene.start_daemon(path)

    def routes(self, ours=True):
        """[(id, destination, gateway, flags)]"""
        found = []
        for line in self.scene.router_ctl("routes", "vpn").splitlines():
            id_, flags, _, destination, gateway, comment = line.split(maxsplit=5)
            if comment.startswith("oxi;") == ours:
                found.append((id_, destination, gateway, flags))
        return sorted(found)

    def destinations(self):
        return {route[1] for route in self.routes()}

    def removals(self):
        entries = [json.loads(line) for line in self.scene.journal.read_text().splitlines()]
        return [e for e in entries if e["op"] == "remove" and e.get("menu") == "route"]

    def others_are_untouched(self):
        self.assertEqual(self.routes(ours=False), self.foreign)

    def test_answers_become_routes_beside_lists_and_a_killed_daemon_adopts_them(self):
        self.start_router()
        daemon = self.start()
        self.assertTrue(self.scene.short("stream.example", "A"))
        self.assertEqual(self.destinations(), {"203.0.113.10/32", "203.0.113.11/32"})  # held: they are there at once
        self.scene.short("stream.example", "AAAA")
        self.scene.short("anything.stream.example", "A")  # 203.0.113.99 has a route of another program
        wanted = {"203.0.113.10/32", "203.0.113.11/32", "2001:db8:113::10/128"}
        until(lambda: self.destinations() == wanted, 10, "all addresses have routes")
        self.scene.short("media.example", "A")
        self.scene.wait_rows({("set4", "203.0.113.30"), ("set4", "203.0.113.10")})
        before = self.routes()
        daemon.stop(number=signal.SIGKILL)
        self.start()
        self.scene.short("stream.example", "A")
        self.assertEqual(self.routes(), before)
        self.assertEqual(self.removals(), [])
        self.others_are_untouched()

    def test_routes_end_with_their_leases_but_not_under_a_connection(self):
        self.start_router()
        self.start(life=2, guard="true")
        self.scene.short("stream.example", "A")
        self.scene.router_ctl("connection", "tcp", "192.168.88.10:4000", "203.0.113.10:443", "-", "1h")
        until(lambda: self.destinations() == {"203.0.113.10/32"}, 120, "the route without a connection is gone")
        text = self.scene.steerctl("routers")
        self.assertIn("ended routes kept for connections", text)
        self.others_are_untouched()

    def test_a_router_that_reboots_keeps_its_routes_and_gets_no_second_ones(self):
        self.start_router("--preset", "fast")
        self.start()
        self.scene.short("stream.example", "A")
        wanted = {"203.0.113.10/32", "203.0.113.11/32"}
        self.scene.router_ctl("reboot", "2")
        self.scene.short("www.stream.example", "A")
        until(lambda: "203.0.113.31/32" in self.destinations(), 30, "the router is written to again")
        self.assertEqual(len(self.routes()), 3)
        self.assertLessEqual(wanted, self.destinations())
        self.others_are_untouched()

    def test_cleanup_withdraws_routes_at_once_and_those_of_a_crash_too(self):
        self.start_router()
        self.start(cleanup="true", guard="true").stop(number=signal.SIGKILL)
        daemon = self.start(cleanup="true", guard="true")
        for name in ("stream.example", "www.stream.example", "short.stream.example", "long.stream.example"):
            self.scene.short(name, "A")
        self.scene.router_ctl("connection", "tcp", "192.168.88.10:4000", "203.0.113.10:443")
        self.assertGreaterEqual(len(self.routes()), 5)
        daemon.stop(number=signal.SIGKILL)
        daemon = self.start(cleanup="true", guard="true")
        self.scene.short("stream.example", "A")
        until(lambda: self.scene.reported("status")["routers"][0]["state"] == "in_sync", 20, "the routes of the crash are read")
        daemon.stop()
        self.assertEqual(self.routes(), [])
        self.others_are_untouched()

    def test_an_unreachable_gateway_is_logged_and_delays_no_answer(self):
        self.start_router()
        daemon = self.start()
        self.scene.router_ctl("gateway", "wg1", "down")
        self.assertTrue(self.scene.short("stream.example", "A"))
        daemon.wait_for("2 routes are inactive")
        self.assertIn("routes without a reachable gateway", self.scene.steerctl("routers"))
        self.scene.router_ctl("gateway", "wg1", "up")
        daemon.wait_for("its routes are active again")
        self.others_are_untouched()

    def test_a_missing_routing_table_is_named_and_used_once_it_exists(self):
        self.scene.start_router("--ros-version", "7.21")
        daemon = self.start(more=", on_timeout: answer")
        self.assertTrue(self.scene.short("stream.example", "A"))
        daemon.wait_for("it has no such routing table: /routing/table/add fib name=vpn")
        self.scene.router_ctl("record", "/routing/table", "name=vpn")
        until(lambda: len(self.routes()) == 2, 60, "the routes are written")


if __name__ == "__main__":
    unittest.main(verbosity=2)
