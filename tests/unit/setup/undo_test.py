#!/usr/bin/env python3
"""What the printed commands do to a router, and that their undo leaves it as it was (router_model.py)."""
import itertools
import pathlib
import re
import unittest

from router_model import Doubts, Router, Script

HERE = pathlib.Path(__file__).parent
FILLED = {"dnsAddress4": '"172.16.1.2"', "dnsAddress6": '"fd00::2"', "apiPassword1": '"pass\\$word"',
          "gateway1v4": '"10.9.0.1"', "gateway1v6": '"fd09::1"', "gateway2v4": '"10.9.0.2"'}
# Routers as they may be found: each menu's variants, of which every combination is tried.
VARIANTS = {
    "/ip service": [[{"name": "api", "disabled": "no", "address": ""}],
                    [{"name": "api", "disabled": "yes", "address": "10.0.0.0/8,192.0.2.7"}]],
    "/ip firewall filter": [
        [], [{"action": "fasttrack-connection", "comment": "defconf: fasttrack"}, {"action": "accept"},
             {"action": "fasttrack-connection", "connection-mark": "other"}, {"action": "fasttrack-connection"}]],
    "/ip dhcp-server network": [
        [{"address": "192.168.88.0/24", "dns-server": "192.168.88.1", "comment": "defconf"}],
        [{"address": "10.1.0.0/16", "dns-server": ""}, {"address": "10.2.0.0/16", "dns-server": "9.9.9.9,1.1.1.1"}]],
    "/ipv6 nd": [[{"interface": "all", "advertise-dns": "yes", "dns": ""}],
                 [{"interface": "lan", "advertise-dns": "no", "dns": "fd00::1,fd00::9", "comment": "mine"}]],
}
ALWAYS = {"/interface list": [{"name": "LAN"}], "/user": [{"name": "admin", "comment": "system default user"}],
          "/ip firewall mangle": [{"action": "accept", "comment": "mine"}],
          "/routing table": [{"name": "main"}], "/ip route": [{"dst-address": "0.0.0.0/0", "gateway": "192.0.2.1"}]}


def routers():
    for chosen in itertools.product(*VARIANTS.values()):
        for empty_list_is_text in (False, True):
            yield Router({**ALWAYS, **dict(zip(VARIANTS, chosen))}, Doubts(empty_list_is_text))


def script(name, undo=False, **filled):
    text = (HERE / f"{name}.rsc").read_text()
    for variable, value in {**FILLED, **filled}.items():
        text = re.sub(rf'(:local {variable}) ""', lambda found, value=value: f"{found[1]} {value}", text)
    parts = text.split("\n# ==== ")
    if len(parts) != 3:
        raise AssertionError("a router has two blocks")
    return Script("# ==== " + parts[2].replace('undo "no"', 'undo "yes"') if undo else text)


NO_UNDO = ["steerdns: this is the undo, and undo is not yes"]


class Undo(unittest.TestCase):
    def test_a_router_is_as_it_was(self):
        for name in ("minimal", "multi_egress"):
            set_up, undo = script(name), script(name, undo=True)
            for router in routers():
                before = router.picture()
                self.assertEqual(set_up.run(router), NO_UNDO)
                done = router.picture()
                self.assertNotEqual(done, before)
                self.assertEqual(set_up.run(router), NO_UNDO)
                self.assertEqual(router.picture(), done, "pasted twice")
                self.assertEqual(undo.run(router), [])
                self.assertEqual(router.picture(), before)
                self.assertEqual(undo.run(router), [])
                self.assertEqual(router.picture(), before, "undone twice")

    def test_a_router_is_set_up(self):
        router = list(routers())[-1]
        script("minimal").run(router)
        done = router.picture()
        self.assertEqual(done["/user"][1], {
            "name": "api-user", "group": "steerdns", "password": "pass$word", "address": "172.16.1.2",
            "comment": "steerdns: keeps address lists"})
        self.assertEqual(done["/user group"], [{"name": "steerdns", "policy": "read,write,api"}])
        self.assertEqual(done["/ip service"], [{"name": "api", "disabled": False, "address": ["172.16.1.2"]}])
        self.assertEqual([r.get("connection-mark") for r in done["/ip firewall filter"]],
                         ["no-mark", None, "other", "no-mark"])
        self.assertEqual([r["dns-server"] for r in done["/ip dhcp-server network"]], [["172.16.1.2"]] * 2)
        self.assertEqual([(r["dns"], r["advertise-dns"]) for r in done["/ipv6 nd"]], [(["fd00::2"], True)])
        for ip, gateway in (("/ip", "10.9.0.1"), ("/ipv6", "fd09::1")):
            self.assertEqual([(r["gateway"], r["routing-table"]) for r in done[ip + " route"] if "comment" in r],
                             [(gateway, "steerdns-policy_set")])
            marks = [r for r in done[ip + " firewall mangle"] if r["comment"].startswith("steerdns: ")]
            self.assertEqual([r["action"] for r in marks], ["mark-connection", "mark-routing"])
            self.assertEqual(marks[0]["new-connection-mark"], marks[1]["connection-mark"])

    def test_two_appliances(self):
        both = '"172.16.1.2,172.16.1.3"'
        for router in routers():
            before = router.picture()
            script("minimal", dnsAddress4=both).run(router)
            done = router.picture()
            for menu, name in (("/ip service", "address"), ("/ip dhcp-server network", "dns-server")):
                self.assertEqual([row[name] for row in done[menu]],
                                 [["172.16.1.2", "172.16.1.3"]] * len(done[menu]))
            self.assertEqual(done["/user"][1]["address"], "172.16.1.2,172.16.1.3")
            script("minimal", undo=True).run(router)
            self.assertEqual(router.picture(), before)

    def test_nothing_is_done_while_something_is_missing(self):
        for variable in ("dnsAddress4", "apiPassword1", "gateway1v4", "gateway1v6"):
            router = next(routers())
            before = router.picture()
            said = script("minimal", **{variable: '""'}).run(router)
            self.assertRegex(said[0], f"steerdns: .*{variable}.* is missing")
            self.assertEqual(router.picture(), before)

    def test_what_is_not_there_or_not_ours(self):
        for menu, row, sentence in (("/interface list", None, "no such interface list"),
                                    ("/user", {"name": "api-user"}, "not made here")):
            router = next(routers())
            router.menus[menu].clear() if row is None else router.add(menu, row)
            before = router.picture()
            self.assertRegex(script("minimal").run(router)[0], sentence)
            self.assertEqual(router.picture(), before)

    def test_without_ipv6_router_advertisements_stay(self):
        router = next(routers())
        before = router.picture()["/ipv6 nd"]
        self.assertEqual(script("minimal", dnsAddress6='""').run(router), NO_UNDO)
        self.assertEqual(router.picture()["/ipv6 nd"], before)


if __name__ == "__main__":
    unittest.main()
