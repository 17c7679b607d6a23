"""Names of DHCP leases: read, updated while they change, kept while their router is unreachable and over a restart."""

import json
import sys
import unittest

from lab.network import until
from lab.scene import PASSWORD, USER, Scene

BUILD = sys.argv.pop(1)
LEASE, BINDING = "/ip/dhcp-server/lease", "/ipv6/dhcp-server/binding"
CONFIG = """
control: {{ leases: {state}, watch: off }}
routers:
  edge1: {{ address: 172.16.1.1:8728, username: {user}, password: {password} }}
plugins:
  - {{ tag: hosts, type: dhcp_leases, args: {{ router: edge1, domain: lan, ttl: 30{servers} }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $hosts }}, {{ exec: $up }} ] }}
"""
# The client is behind the router: the frames of its queries have the router's address.
BY_DEVICE = CONFIG.replace("args: [ {{ exec: $hosts }},", """args: [
      {{ matches: client_mac 00:1d:aa:00:00:01, exec: black_hole 192.0.2.97 short_circuit }},
      {{ matches: "client_host group:night", exec: black_hole 192.0.2.96 short_circuit }},
      {{ matches: "client_host group:kids", exec: black_hole 192.0.2.98 short_circuit }},
      {{ matches: client_host service, exec: black_hole 192.0.2.99 short_circuit }},""")


class Leases(unittest.TestCase):
    def setUp(self):
        scene = self.scene = self.enterContext(Scene("leases", BUILD))
        scene.start_resolver()
        scene.start_router()
        folder = scene.folder / "state"
        folder.mkdir()
        folder.chmod(0o777)
        self.state, self.config = folder / "leases.json", scene.folder / "steer.yaml"
        self.laptop = self.lease("192.168.88.10", "Laptop", "00:1D:AA:00:00:01")
        self.put(BINDING, "address=fd88::a/128", "duid=0x00030001001daa000001", "server=dhcp6", "status=bound", "dynamic=true")
        self.lease("192.168.88.66", "wpad", "00:1D:AA:00:00:02")

    def put(self, menu, *attributes):
        return self.scene.router_ctl("record", menu, *attributes).splitlines()[-1].strip()

    def lease(self, address, name, mac, *more):
        return self.put(LEASE, f"address={address}", f"mac-address={mac}", "server=dhcp1", f"host-name={name}",
                        "status=bound", "dynamic=true", *more)

    def start(self, servers="", config=CONFIG):
        self.config.write_text(config.format(state=self.state, user=USER, password=PASSWORD, servers=servers))
        return self.scene.start_daemon(self.config)

    def leases(self):
        return self.scene.reported("leases")

    def answers(self, name, kind, wanted):
        until(lambda: self.scene.short(name, kind) == wanted, 10, f"{name} {kind} is {wanted}")

    def test_a_lease_gives_names_and_reverse_names(self):
        daemon = self.start()
        self.answers("laptop.lan", "A", ["192.168.88.10"])
        self.assertEqual(self.scene.short("LAPTOP.lan", "AAAA"), ["fd88::a"])
        self.assertEqual(self.scene.short("-x", "192.168.88.10"), ["laptop.lan."])
        self.assertEqual(self.scene.short("-x", "fd88::a"), ["laptop.lan."])
        self.assertRegex(self.scene.kdig("laptop.lan", "A"), r"laptop\.lan\. +\t?30\tIN\tA\t192\.168\.88\.10")
        nothing = self.scene.kdig("laptop.lan", "HTTPS")
        self.assertIn("status: NOERROR", nothing)
        self.assertIn("ANSWER: 0", nothing)
        # Others are asked for as if there were no leases.
        self.assertEqual(self.scene.short("www.other.example", "A"), ["198.51.100.2"])
        self.assertIn("status: REFUSED", self.scene.kdig("tv.lan", "A"))  # by the upstream, which has no such zone
        self.assertEqual(self.scene.total("stats", "lease_answers"), 6)
        daemon.wait_for('has no name, because "wpad" is a name that hosts trust without a check: see \'steerctl leases\'')
        self.assertIn("status: REFUSED", self.scene.kdig("wpad.lan", "A"))
        text = self.scene.steerctl("leases")
        self.assertRegex(text, r"laptop\.lan +192\.168\.88\.10 +edge1 +dhcp1 +no\n")
        self.assertRegex(text, r'192\.168\.88\.66 +"wpad" +edge1 +is a name that hosts trust without a check\n')
        self.assertRegex(text, r"edge1 +in_sync +3 +-?\n")
        self.assertIn("there is no dhcp_leases 'x'", self.scene.ask("leases", "--tag", "x").stderr)

    def test_changed_leases_are_in_force_without_a_reload(self):
        self.start()
        self.answers("laptop.lan", "A", ["192.168.88.10"])
        generation = self.scene.reported("status")["generation"]
        tv = self.lease("192.168.88.20", "tv", "00:1D:AA:00:00:03")
        self.answers("tv.lan", "A", ["192.168.88.20"])
        self.put(LEASE, f".id={tv}", "host-name=screen")
        self.answers("screen.lan", "A", ["192.168.88.20"])
        self.answers("tv.lan", "A", [])
        self.put(LEASE, f".id={tv}", "status=waiting")
        self.answers("screen.lan", "A", [])
        self.answers("laptop.lan", "A", ["192.168.88.10"])
        self.assertEqual(self.scene.reported("status")["generation"], generation, "without a reload")
        # A reload that has other settings is in force at once.
        self.config.write_text(self.config.read_text().replace("ttl: 30", "ttl: 30, servers: [ none ]"))
        self.scene.steerctl("reload")
        self.answers("laptop.lan", "A", [])
        self.assertEqual(self.leases()["leases"], [])

    def test_rules_match_the_device_of_a_lease(self):
        self.start(config=BY_DEVICE)
        self.answers("www.other.example", "A", ["192.0.2.97"])
        self.assertEqual(self.scene.short("+tcp", "www.other.example", "A"), ["192.0.2.97"])
        generation = self.scene.reported("status")["generation"]
        for change, wanted in (("mac-address=00:1D:AA:00:00:09", "198.51.100.2"), ("comment=Kids", "192.0.2.98"),
                               ("comment=", "198.51.100.2"), ("address-lists=slow,Kids", "192.0.2.98"),
                               ("address-lists=night,Kids", "192.0.2.96"), ("address-lists=", "198.51.100.2"), ("host-name=service", "192.0.2.99"), ("status=waiting", "198.51.100.2")):
            self.put(LEASE, f".id={self.laptop}", change)
            self.answers("www.other.example", "A", [wanted])
        self.assertEqual(self.scene.reported("status")["generation"], generation, "without a reload")

    def test_leases_are_kept_while_their_router_is_away(self):
        self.start()
        self.answers("laptop.lan", "A", ["192.168.88.10"])
        self.scene.rossim.stop()
        until(lambda: self.leases()["routers"][0]["trouble"] != "", 10, "it is noticed")
        self.assertEqual(self.scene.short("laptop.lan", "A"), ["192.168.88.10"])
        self.scene.daemon.stop()
        self.assertEqual(json.loads(self.state.read_text())["edge1"][0]["host_name"], "Laptop")
        self.start()
        self.assertEqual(self.scene.short("laptop.lan", "A"), ["192.168.88.10"])
        self.scene.daemon.stop()
        self.state.write_text("no JSON")
        daemon = self.start()
        daemon.wait_for("leases.json is damaged: it is ignored")
        self.assertEqual(self.scene.short("laptop.lan", "A"), [])
        # It comes back with other leases.
        self.scene.start_router()
        until(self.scene.router_socket.exists, 10, "the router is there")
        self.lease("192.168.88.30", "service", "00:1D:AA:00:00:05")
        self.answers("service.lan", "A", ["192.168.88.30"])


if __name__ == "__main__":
    unittest.main()
