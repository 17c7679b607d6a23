"""Names of clients: from leases and static records, and those that a person gives; kept over a restart."""

import json
import sys
import unittest

from lab.network import until
from lab.scene import PASSWORD, USER, Scene

BUILD = sys.argv.pop(1)
LEASE, BINDING = "/ip/dhcp-server/lease", "/ipv6/dhcp-server/binding"
CONFIG = """
control: {{ leases: {folder}/leases.json, rules: {folder}/rules.json, watch: off }}
routers:
  edge1: {{ address: 172.16.1.1:8728, username: {user}, password: {password} }}
plugins:
  - {{ tag: hosts, type: dhcp_leases, args: {{ router: edge1, domain: lan }} }}
  - {{ tag: local, type: static, args: {{ records: [ {{ name: nas.lan, address: 192.168.88.5 }} ] }} }}
  - {{ tag: etc, type: hosts, args: {{ entries: [ "printer.lan 192.168.88.7" ] }} }}
  - {{ tag: zone, type: arbitrary, args: {{ rules: [ "8.88.168.192.in-addr.arpa. 60 IN PTR phone.lan." ] }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $hosts }}, {{ exec: $local }}, {{ exec: $etc }}, {{ exec: $zone }}, {{ exec: $up }} ] }}
"""
MAC, PRIVATE = "00:1d:aa:00:00:01", "da:a1:19:00:00:02"


class Clients(unittest.TestCase):
    def setUp(self):
        scene = self.scene = self.enterContext(Scene("clients", BUILD))
        scene.start_resolver()
        scene.start_router()
        self.folder, self.config = scene.folder / "state", scene.folder / "steer.yaml"
        self.folder.mkdir()
        self.folder.chmod(0o777)
        self.config.write_text(CONFIG.format(folder=self.folder, user=USER, password=PASSWORD))
        self.lease("192.168.88.10", "Laptop", MAC)
        self.lease("192.168.88.11", "<b>';DROP--", PRIVATE)
        self.put(BINDING, "address=fd88::a/128", "duid=0x00030001001daa000001", "server=dhcp6", "status=bound", "dynamic=true")
        self.daemon = scene.start_daemon(self.config)
        until(lambda: len(self.listed()) == 6, 15, "leases are read")

    def put(self, menu, *attributes):
        return self.scene.router_ctl("record", menu, *attributes).splitlines()[-1].strip()

    def lease(self, address, name, mac):
        return self.put(LEASE, f"address={address}", f"mac-address={mac.upper()}", "server=dhcp1", f"host-name={name}", "status=bound", "dynamic=true")

    def listed(self):
        """{address: (name, source)}"""
        return {row["address"]: (row["name"], row["source"]) for row in self.scene.reported("clients")["clients"]}

    def test_names_of_all_sources_are_merged_and_given_ones_survive(self):
        self.assertEqual(self.listed(), {
            "192.168.88.5": ("nas.lan", "record"), "192.168.88.7": ("printer.lan", "record"), "192.168.88.8": ("phone.lan", "ptr"), "192.168.88.10": ("Laptop", "lease"),
            "192.168.88.11": ("<b>';DROP--", "lease"), "fd88::a": ("Laptop", "lease")})
        text = self.scene.steerctl("clients")
        self.assertRegex(text, rf"Laptop +192\.168\.88\.10 +{MAC} +lease +edge1")
        self.assertRegex(text, rf"192\.168\.88\.11 +{PRIVATE} \(private\)")

        self.assertEqual(self.scene.steerctl("clients", "name", "192.168.88.10", "Anna's <i>laptop</i>"), f"{MAC}: Anna's <i>laptop</i>\n")
        self.scene.steerctl("clients", "name", "192.168.88.6", "Television")
        for address in ("192.168.88.10", "fd88::a"):
            self.assertEqual(self.listed()[address], ("Anna's <i>laptop</i>", "given"))
        kept = json.loads((self.folder / "clients.json").read_text())
        self.assertEqual({key: row["name"] for key, row in kept.items()}, {MAC: "Anna's <i>laptop</i>", "192.168.88.6": "Television"})
        self.assertEqual((self.folder / "clients.json").stat().st_mode & 0o777, 0o640)

        self.daemon.stop()
        self.daemon = self.scene.start_daemon(self.config)
        until(lambda: self.listed().get("fd88::a") == ("Anna's <i>laptop</i>", "given"), 15, "the name is known again")
        self.assertEqual(self.listed()["192.168.88.6"], ("Television", "given"))
        self.scene.steerctl("clients", "forget", "192.168.88.10")
        self.assertEqual(self.listed()["192.168.88.10"], ("Laptop", "lease"))

    def test_a_name_stands_for_the_client_everywhere(self):
        steerctl, reported = self.scene.steerctl, self.scene.reported
        self.assertEqual(steerctl("clients", "name", "laptop", "Anna"), f"{MAC}: Anna\n")
        (given,) = [row for row in reported("clients")["clients"] if row["address"] == "192.168.88.10"]
        self.assertEqual(given["from"], "root")
        refused = self.scene.ask("clients", "name", "printer.lan", "ANNA")
        self.assertIn(f'"Anna" is the name of {MAC}: write another name', refused.stderr)
        added = reported("clients", "group", "add", "children", "anna", "NAS.lan")
        self.assertEqual(added["clients"], [MAC, "192.168.88.5"])
        self.assertEqual({row["who"] for row in reported("clients", "group")["groups"][0]["members"]}, {"root"})
        made = reported("block", "music.example", "--client", "Anna")["rules"][0]
        self.assertEqual((made["clients"], made["who"]), (MAC, "root"))
        self.assertEqual(reported("allow", "music.example", "--client", "Children", "--for", "30 m")["rules"][0]["group"], "children")
        # Two addresses: one of them must be written; a rule is for the device.
        self.assertIn('"anna" is the name of 192.168.88.10, fd88::a', self.scene.ask("explain", "music.example", "--client", "anna").stderr)
        why = reported("why", "music.example", "--client", "192.168.88.10")
        self.assertEqual([(rule["number"], rule["decides"]) for rule in why["people"]], [(1, True), (2, False)])
        self.assertRegex(steerctl("why", "music.example", "--client", "printer.lan"), r"(?s)\A(?!.*rules of people)")
        self.assertRegex(steerctl("why", "music.example"), rf"1 +block +music.example and below +{MAC} +it is removed")
        explained = steerctl("explain", "music.example", "--client", "192.168.88.10")
        self.assertRegex(explained, r"decision: blocked by control\.rules.*, rule 1")
        refused = self.scene.ask("pause", "--legal", "--tag", "x", "--note", "y", "--group", "children")
        self.assertIn("--legal suspends a list for everyone: leave out --client and --group", refused.stderr)
        self.assertTrue(steerctl("clients", "forget", "anna").startswith(f"{MAC}: Anna"))
        self.assertEqual(self.listed()["192.168.88.10"], ("Laptop", "lease"))

    def test_wrong_requests_and_a_damaged_file_lose_nothing(self):
        for words, part in ((("name", "nobody", "x"), "is not an address, a prefix, a MAC address or the name of a client"), (("name", "192.168.88.10", "a\tb\x1b[0m"), "cannot be printed"),
                            (("name", "192.168.88.10", "x" * 64), "64 bytes: at most 63"), (("forget", "192.168.88.10"), "no name was given")):
            with self.subTest(words):
                refused = self.scene.ask("clients", *words)
                self.assertNotEqual(refused.returncode, 0)
                self.assertIn(part, refused.stderr)
        self.daemon.stop()
        (self.folder / "clients.json").write_text('{"192.168.88.5": {"name"')
        self.daemon = self.scene.start_daemon(self.config)
        self.daemon.wait_for("given names of clients are lost")
        until(lambda: self.listed().get("192.168.88.5") == ("nas.lan", "record"), 15, "clients are listed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
