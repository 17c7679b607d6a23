#!/usr/bin/env python3
"""What the printed commands do to a router, and that their undo leaves it as it was (router_model.py)."""
import itertools
import pathlib
import re
import unittest

from router_model import Doubts, Router, Script

HERE = pathlib.Path(__file__).parent
FILLED = {"dnsAddress4": '"172.16.1.2"', "dnsAddress6": '"fd00::2"', "apiPassword1": '"pass\\$word"',
          "translator": '"fd16::64"', "translatorPool": '"192.168.255.0/24"', "clientInterface": '"bridge"',
          "gateway1v4": '"10.9.0.1"', "gateway1v6": '"fd09::1"', "gateway2v4": '"10.9.0.2"'}
# Routers as they may be found: variants of each menu. The test tries every combination.
VARIANTS = {
    "/ip service": [[{"name": "www", "disabled": "no"}, {"name": "api", "disabled": "no", "address": "10.0.0.0/8"}],
                    [{"name": "api", "disabled": "yes", "address": "10.0.0.0/8,192.0.2.7"}],
                    [{"name": "api", "disabled": "yes", "address": ""}]],
    "/ip firewall filter": [
        [], [{"action": "fasttrack-connection", "comment": "defconf: fasttrack"}, {"action": "accept"},
             {"action": "fasttrack-connection", "connection-mark": "other"}, {"action": "fasttrack-connection"}]],
    "/ip dhcp-server network": [
        [{"address": "192.168.88.0/24", "dns-server": "192.168.88.1", "comment": "defconf"}],
        [{"address": "10.1.0.0/16", "dns-server": ""}, {"address": "10.2.0.0/16", "dns-server": "9.9.9.9,1.1.1.1"}]],
    "/ipv6 nd": [[{"interface": "all", "advertise-dns": "yes", "dns": ""}],
                 [{"interface": "lan", "advertise-dns": "no", "dns": "fd00::1,fd00::9", "comment": "mine"}]],
}
ALWAYS = {"/interface": [{"name": "bridge"}],
          "/ip dns": [{"servers": "9.9.9.9,1.1.1.1", "allow-remote-requests": "no"}],
          "/interface list": [{"name": "LAN"}], "/user": [{"name": "admin", "comment": "system default user"}],
          "/ip firewall mangle": [{"action": "accept", "comment": "mine"}],
          "/routing table": [{"name": "main"}], "/ip route": [{"dst-address": "0.0.0.0/0", "gateway": "192.0.2.1"}]}


CONNECTIONS = [{"name": "api", "dynamic": "yes", "connection": "yes", "remote": "192.0.2.7:40000"}]
SELF = [{"interface": "all", "advertise-dns": "self", "dns": ""}]
# 7.20 and before, 7.21 and later, 7.24 by what `get` says of the old name.
VERSIONS = [Doubts(), Doubts(empty_list_is_text=True), Doubts(connections=True, advertise_self=True),
            *(Doubts(True, True, renamed, True) for renamed in ("same", "empty", "gone"))]


def routers(versions=VERSIONS, **menus):
    variants = {**VARIANTS, **{"/" + path.replace("_", " ").replace("dhcp server", "dhcp-server"): [rows] for path, rows in menus.items()}}
    for doubts in versions:
        for chosen in itertools.product(*variants.values()):
            found = {**ALWAYS, **dict(zip(variants, chosen))}
            if doubts.connections:
                services = found["/ip service"]
                found["/ip service"] = CONNECTIONS + services + CONNECTIONS
            if doubts.advertise_self:
                found["/ipv6 nd"] = found["/ipv6 nd"] + SELF
            yield Router(found, doubts)


def script(name, undo=False, **filled):
    text = (HERE / f"{name}.rsc").read_text()
    for variable, value in {**FILLED, **filled}.items():
        text = re.sub(rf'(:local {variable}) "(?:no)?"', lambda found, value=value: f"{found[1]} {value}", text)
    parts = text.split("\n# ==== ")
    if len(parts) != 3:
        raise AssertionError("a router has two blocks")
    return Script("# ==== " + parts[2].replace('undo "no"', 'undo "yes"') if undo else text)


def failover(name, undo=False, **filled):
    """One of the two blocks that --failover adds."""
    text = (HERE / f"{name}.rsc").read_text()
    for variable, value in {**FILLED, **filled}.items():
        text = re.sub(rf'(:local {variable}) "(?:no)?"', lambda found, value=value: f"{found[1]} {value}", text)
    parts = [part for part in text.split("\n# ==== ") if ": failover: " in part.split("\n")[0]]
    return Script("# ==== " + parts[1].replace('undo "no"', 'undo "yes"') if undo else "# ==== " + parts[0])


NO_UNDO = ["steerdns: undo not confirmed: write yes in the first command of the undo block"]


def services(picture):
    return [row for row in picture["/ip service"] if row["name"] == "api" and not row.get("dynamic")]


class Undo(unittest.TestCase):
    def test_undo_restores_a_router(self):
        for name in ("minimal", "multi_egress", "routes"):
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

    def test_undo_restores_the_router_of_an_ipv6_mostly_network(self):
        """With option 108 and without: the option comes only when its variable says yes."""
        for given in ("no", "yes"):
            set_up, undo = script("ipv6-mostly", ipv6Only=f'"{given}"'), script("ipv6-mostly", undo=True)
            for options in ("", "lease-time", "ntp,lease-time"):
                network = [{"address": "192.168.88.0/24", "dhcp-option": options}]
                for router in routers([Doubts()], ip_dhcp_server_network=network):
                    before = router.picture()
                    self.assertEqual(set_up.run(router), NO_UNDO)
                    done = router.picture()
                    self.assertEqual(set_up.run(router), NO_UNDO)
                    self.assertEqual(router.picture(), done, "pasted twice")
                    self.assertEqual([r["code"] for r in done.get("/ip dhcp-server option", [])], [108] * (given == "yes"))
                    entry = [r for r in done["/ipv6 nd"] if r["interface"] == "bridge"][0]
                    self.assertEqual((entry["pref64"], entry["advertise-dns"]), ("64:ff9b::/96", True))
                    self.assertEqual(undo.run(router), [])
                    self.assertEqual(router.picture(), before)

    def test_the_commands_set_a_router_up(self):
        router = list(routers([Doubts()]))[-1]
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

    def test_local_destinations_are_not_marked(self):
        for name in ("minimal", "multi_egress", "routes"):
            router = next(routers())
            script(name).run(router)
            for menu in ("/ip firewall mangle", "/ipv6 firewall mangle"):
                rules = [r for r in router.picture().get(menu, []) if r["comment"].startswith("steerdns: ")]
                self.assertEqual({r["dst-address-type"] for r in rules}, {"!local"} if rules else set())

    def test_a_block_that_stopped_anywhere_can_be_pasted_again_or_undone(self):
        for name in ("minimal", "multi_egress", "routes"):
            set_up, undo = script(name), script(name, undo=True)
            for number in range(0, len(list(routers())), 19):
                def fresh(number=number):
                    return next(itertools.islice(routers(), number, None))
                whole = fresh()
                before = whole.picture()
                set_up.run(whole)
                for writes in itertools.count():
                    router, undone = fresh(), fresh()
                    router.writes_left = undone.writes_left = writes
                    stopped = set_up.run(router) != NO_UNDO
                    self.assertEqual(stopped, router.printed == [], "only a block that ran to its end says so")
                    set_up.run(undone)
                    router.writes_left = undone.writes_left = None
                    self.assertEqual(set_up.run(router), NO_UNDO)
                    self.assertEqual(router.picture(), whole.picture(), f"stopped after {writes} writes, pasted again")
                    undo.run(undone)
                    self.assertEqual(undone.picture(), before, f"stopped after {writes} writes, undone")
                    router.writes_left = writes
                    undo.run(router)
                    router.writes_left = None
                    self.assertEqual(undo.run(router), [])
                    self.assertEqual(router.picture(), before, f"undo stopped after {writes} writes, pasted again")
                    if not stopped:
                        break

    def test_the_last_line_says_what_was_changed(self):
        router = next(routers())
        script("minimal").run(router)
        self.assertEqual(router.printed, ["steerdns: setup complete; rows added: 9, rows changed: 3"])
        script("minimal").run(router)
        self.assertEqual(router.printed, ["steerdns: setup complete; rows added: 0, rows changed: 0"])
        script("minimal", undo=True).run(router)
        self.assertEqual(router.printed, ["steerdns: undo complete; rows removed: 9, rows restored: 3"])
        script("minimal", undo=True).run(router)
        self.assertEqual(router.printed, ["steerdns: undo complete; rows removed: 0, rows restored: 0"])

    def test_undo_does_not_open_the_api_to_everybody(self):
        for router in routers(ip_service=[{"name": "api", "disabled": "no", "address": ""}]):
            before = router.picture()
            script("minimal").run(router)
            self.assertEqual(script("minimal", undo=True).run(router), [])
            self.assertEqual([(r["disabled"], r["address"]) for r in services(router.picture())], [(False, ["172.16.1.2"])])
            self.assertRegex(router.printed[0], "steerdns: .*/ip service api .*keeps its addresses")
            after = router.picture()
            del before["/ip service"], after["/ip service"]
            self.assertEqual(after, before)

    def test_a_prefix_in_a_condition_is_quoted(self):
        for name in ("minimal", "multi_egress", "routes"):
            for line in (HERE / f"{name}.rsc").read_text().splitlines():
                self.assertNotRegex(line, r"where [^\]]*address=[0-9]")

    def test_a_router_may_have_two_appliances(self):
        both = '"172.16.1.2,172.16.1.3"'
        for router in routers():
            before = router.picture()
            script("minimal", dnsAddress4=both).run(router)
            done = router.picture()
            for rows, name in ((services(done), "address"), (done["/ip dhcp-server network"], "dns-server")):
                self.assertEqual([row[name] for row in rows], [["172.16.1.2", "172.16.1.3"]] * len(rows))
            self.assertEqual(done["/user"][1]["address"], "172.16.1.2,172.16.1.3")
            script("minimal", undo=True).run(router)
            self.assertEqual(router.picture(), before)

    def test_no_change_is_made_while_a_value_is_missing(self):
        for variable in ("dnsAddress4", "apiPassword1", "gateway1v4", "gateway1v6"):
            router = next(routers())
            before = router.picture()
            output = script("minimal", **{variable: '""'}).run(router)
            self.assertRegex(output[0], f"steerdns: .*{variable}.* is missing")
            self.assertEqual(router.picture(), before)

    def test_missing_and_foreign_objects_stop_the_commands(self):
        for menu, row, sentence in (("/interface list", None, "interface list in clientInterfaces does not exist"),
                                    ("/user", {"name": "api-user"}, "did not create it")):
            router = next(routers())
            router.menus[menu].clear() if row is None else router.add(menu, row)
            before = router.picture()
            self.assertRegex(script("minimal").run(router)[0], sentence)
            self.assertEqual(router.picture(), before)

    def test_another_major_version_stops_the_commands(self):
        router = next(routers())
        router.menus["/system resource"] = {"*1": {"version": "6.49.10 (long-term)"}}
        before = router.picture()
        self.assertEqual(script("minimal").run(router)[0],
                         "steerdns: this router runs RouterOS 6: print the commands with --routeros-6")
        self.assertEqual(router.picture(), before)
        six = (HERE / "minimal.ros6").read_text()
        self.assertEqual(Script(six[:six.index("# ==== ", six.index(": undo") - 40)]).run(next(routers()))[0],
                         "steerdns: this router does not run RouterOS 6: print the commands without --routeros-6")

    def test_failover_is_taken_back_also_when_it_stopped_anywhere(self):
        for name in ("failover-netwatch", "failover-second"):
            for number in range(0, len(list(routers())), 61):
                def fresh(number=number):
                    router = next(itertools.islice(routers(), number, None))
                    script("minimal").run(router)
                    return router
                whole = fresh()
                before = whole.picture()
                set_up, undo = failover(name), failover(name, undo=True)
                self.assertEqual(set_up.run(whole), [])
                done = whole.picture()
                self.assertNotEqual(done, before)
                self.assertEqual(set_up.run(whole), [])
                self.assertEqual(whole.picture(), done, "pasted twice")
                for writes in itertools.count():
                    router = fresh()
                    router.writes_left = writes
                    stopped = set_up.run(router) != []
                    router.writes_left = None
                    undo.run(router)
                    self.assertEqual(router.picture(), before, f"{name} stopped after {writes} writes, undone")
                    if not stopped:
                        break
                self.assertEqual(undo.run(whole), [])
                self.assertEqual(whole.picture(), before)

    def test_failover_and_setup_are_undone_in_either_order(self):
        for name in ("failover-netwatch", "failover-second"):
            for first in (failover(name, undo=True), script("minimal", undo=True)):
                router = next(routers())
                before = router.picture()
                script("minimal").run(router)
                failover(name).run(router)
                for undo in (first, failover(name, undo=True), script("minimal", undo=True)):
                    self.assertEqual(undo.run(router), [])
                self.assertEqual(router.picture(), before)

    def test_netwatch_switches_the_rules_of_failover(self):
        router = next(routers())
        failover("failover-netwatch", dnsAddress6='"fd00::2"', failoverServers='"8.8.8.8"').run(router)
        done = router.picture()
        for menu, address in (("/ip firewall nat", "172.16.1.2"), ("/ipv6 firewall nat", "fd00::2")):
            self.assertEqual([(r["protocol"], r["dst-address"], r["disabled"]) for r in done[menu]],
                             [("udp", address, True), ("tcp", address, True)])
        self.assertEqual(done["/ip dns"], [{"servers": ["8.8.8.8"], "allow-remote-requests": True}])
        watch, = done["/tool netwatch"]
        self.assertEqual((watch["host"], watch["type"], watch["port"]), ("172.16.1.2", "tcp-conn", 53))
        self.assertEqual(watch["down-script"],
                         '/ip firewall nat enable [find where comment="steerdns: failover"]; '
                         '/ipv6 firewall nat enable [find where comment="steerdns: failover"]')
        self.assertEqual(watch["up-script"], watch["down-script"].replace(" enable ", " disable "))

    def test_the_second_server_comes_behind_ours(self):
        router = next(routers(ip_dhcp_server_network=[{"address": "10.1.0.0/16", "dns-server": "172.16.1.2"},
                                                      {"address": "10.2.0.0/16", "dns-server": "9.9.9.9"},
                                                      {"address": "10.3.0.0/16", "dns-server": "172.16.1.2,192.0.2.53"}]))
        failover("failover-second").run(router)
        self.assertEqual([row["dns-server"] for row in router.picture()["/ip dhcp-server network"]],
                         [["172.16.1.2", "192.0.2.53"], ["9.9.9.9"], ["172.16.1.2", "192.0.2.53"]])
        failover("failover-second", undo=True).run(router)
        self.assertEqual([row["dns-server"] for row in router.picture()["/ip dhcp-server network"]],
                         [["172.16.1.2"], ["9.9.9.9"], ["172.16.1.2", "192.0.2.53"]])

    def test_without_ipv6_router_advertisements_stay(self):
        router = next(routers())
        before = router.picture()["/ipv6 nd"]
        self.assertEqual(script("minimal", dnsAddress6='""').run(router), NO_UNDO)
        self.assertEqual(router.picture()["/ipv6 nd"], before)


if __name__ == "__main__":
    unittest.main()
