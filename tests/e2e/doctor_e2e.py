#!/usr/bin/env python3
"""steerctl doctor: from a router in order, one thing is broken at a time, and the doctor names exactly that.

    doctor_e2e.py BUILD

Needs no namespaces: rossim on the loopback interface, written to by another author's client (librouteros).
"""
import contextlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import librouteros

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
STEERCTL = BUILD / "tools/steerctl/steerctl"
ROSSIM = BUILD / "tools/rossim/rossim"
P = "64:ff9b::/96"

CONFIGURATION = """\
dataplane:
  ports:
    - { device: lan0, addresses: [172.16.1.2, "fd16::2"] }
routers:
  edge: { address: "127.0.0.1:%d", username: steer, password: secret }
plugins:
  - { tag: names, type: domain_set, args: { exps: ["domain:stream.example"] } }
  - { tag: up, type: forward, args: { upstreams: [{ addr: 1.1.1.1 }] } }
  - { tag: media, type: ros_address_list, args: { router: edge, address_list4: media_v4, address_list6: media_v6, async: true } }
  - { tag: nat64, type: dns64, args: { prefix: "64:ff9b::/96" } }
  - tag: main
    type: sequence
    args:
      - { matches: "qname $names", exec: $media }
      - exec: $nat64
      - exec: $up
"""

# The router in order: what steerdnsd --routeros-setup makes, and the router's half of an IPv6-mostly network. What has a
# name can be broken below. (name, menu, values); a value {name} is the id of that row.
MARKING = {"chain": "prerouting", "in-interface-list": "LAN", "dst-address-type": "!local", "connection-state": "new",
           "connection-mark": "no-mark", "action": "mark-connection", "new-connection-mark": "steerdns-media", "passthrough": "yes"}
ROUTING = {"chain": "prerouting", "in-interface-list": "LAN", "dst-address-type": "!local", "connection-mark": "steerdns-media",
           "action": "mark-routing", "new-routing-mark": "steerdns-media", "passthrough": "no"}
REDIRECT = {"chain": "dstnat", "in-interface-list": "LAN", "dst-port": "53", "dst-address-type": "!local", "action": "dst-nat"}
REJECT = {"chain": "forward", "in-interface-list": "LAN", "protocol": "tcp", "action": "reject"}
ROWS = [
    ("list_lan", "/interface/list", {"name": "LAN"}),
    ("list_wan", "/interface/list", {"name": "WAN"}),
    ("member", "/interface/list/member", {"list": "LAN", "interface": "bridge"}),
    ("uplink", "/interface/list/member", {"list": "WAN", "interface": "ether1"}),
    ("group", "/user/group", {"name": "steerdns", "policy": "read,write,api"}),
    ("user", "/user", {"name": "steer", "group": "steerdns", "password": "secret", "address": "127.0.0.1"}),
    ("lan", "/ip/address", {"address": "192.168.88.1/24", "interface": "bridge"}),
    ("lan6", "/ipv6/address", {"address": "2001:db8:88::1/64", "interface": "bridge", "advertise": "yes"}),
    ("table", "/routing/table", {"name": "steerdns-media", "fib": "yes"}),
    ("main", "/ip/route", {"dst-address": "0.0.0.0/0", "gateway": "198.51.100.1"}),
    ("route", "/ip/route", {"dst-address": "0.0.0.0/0", "gateway": "wg0", "routing-table": "steerdns-media"}),
    ("route6", "/ipv6/route", {"dst-address": "::/0", "gateway": "wg0", "routing-table": "steerdns-media"}),
    ("nat64", "/ipv6/route", {"dst-address": P, "gateway": "fd16::64"}),
    ("fast", "/ip/firewall/filter", {"chain": "forward", "action": "fasttrack-connection", "connection-mark": "no-mark"}),
    ("fast6", "/ipv6/firewall/filter", {"chain": "forward", "action": "fasttrack-connection", "connection-mark": "no-mark"}),
    ("theirs", "/ip/firewall/mangle", {"chain": "forward", "action": "change-mss", "protocol": "tcp"}),
    ("mark", "/ip/firewall/mangle", {**MARKING, "dst-address-list": "media_v4", "comment": "steerdns: connections to media_v4"}),
    ("way", "/ip/firewall/mangle", {**ROUTING, "comment": "steerdns: route of media"}),
    ("mark6", "/ipv6/firewall/mangle", {**MARKING, "dst-address-list": "media_v6", "comment": "steerdns: connections to media_v6"}),
    ("way6", "/ipv6/firewall/mangle", {**ROUTING, "comment": "steerdns: route of media"}),
    ("our_net", "/ip/address", {"address": "172.16.1.1/24", "interface": "ether3"}),
    ("port", "/interface/bridge/port", {"bridge": "bridge", "interface": "ether1"}),
    ("udp", "/ip/firewall/nat", {**REDIRECT, "protocol": "udp", "to-addresses": "172.16.1.2"}),
    ("tcp", "/ip/firewall/nat", {**REDIRECT, "protocol": "tcp", "to-addresses": "172.16.1.2"}),
    ("udp6", "/ipv6/firewall/nat", {**REDIRECT, "protocol": "udp", "to-address": "fd16::2"}),
    ("tcp6", "/ipv6/firewall/nat", {**REDIRECT, "protocol": "tcp", "to-address": "fd16::2"}),
    ("dot", "/ip/firewall/filter", {**REJECT, "dst-port": "853"}),
    ("dot6", "/ipv6/firewall/filter", {**REJECT, "dst-port": "853"}),
    ("doh", "/ip/firewall/filter", {**REJECT, "dst-port": "443", "dst-address-list": "doh"}),
    ("doh6", "/ipv6/firewall/filter", {**REJECT, "dst-port": "443", "dst-address-list": "doh"}),
    ("pool", "/ip/pool", {"name": "lan", "ranges": "192.168.88.10-192.168.88.200"}),
    ("dhcp", "/ip/dhcp-server", {"name": "lan", "interface": "bridge", "address-pool": "lan"}),
    ("option6", "/ipv6/dhcp-server/option", {"name": "dns", "code": "23", "value": "'fd16::2'"}),
    ("dhcp6", "/ipv6/dhcp-server", {"name": "lan6", "interface": "bridge", "dhcp-option": "dns"}),
    ("wan", "/ip/firewall/nat", {"chain": "srcnat", "action": "masquerade", "out-interface-list": "WAN"}),
    ("tunnel", "/ip/firewall/nat", {"chain": "srcnat", "action": "masquerade", "out-interface": "wg0"}),
    ("option", "/ip/dhcp-server/option", {"name": "v6only", "code": "108", "value": "0x00015180"}),
    ("network", "/ip/dhcp-server/network", {"address": "192.168.88.0/24", "gateway": "192.168.88.1", "dns-server": "172.16.1.2",
                                            "dhcp-option": "v6only"}),
    ("nd", "/ipv6/nd", {"interface": "bridge", "advertise-dns": "yes", "dns": "fd16::2", "pref64": P}),
]
SETTINGS = [
    ("/ip/dns", {"servers": "172.16.1.2", "allow-remote-requests": "yes"}),
    ("/ip/settings", {"rp-filter": "no"}),
]

WRITTEN = {"/ip/dns/static", "/routing/rule", "/interface/ethernet/switch/port", "/ip/firewall/address-list"}  # beside those

FIX, ADVICE = True, False  # whether --fix mends it, or the doctor can only say what to do

RELAYED = [("add", "/ip/pool", {"name": "far", "ranges": "10.9.0.10-10.9.0.99"}),
           ("add", "/ip/dhcp-server", {"name": "far", "interface": "bridge", "relay": "10.9.0.1", "address-pool": "far"})]

# (what is broken, the finding, whether --fix mends it, commands: (command, row or menu, values))
BROKEN = [
    ("the user may come from everywhere", "user-address", ADVICE, [("set", "user", {"address": ""})]),
    ("the group may not write", "user-rights", ADVICE, [("set", "group", {"policy": "read,api"})]),
    ("the group may do more", "user-rights-wide", ADVICE, [("set", "group", {"policy": "read,write,api,ftp,reboot"})]),
    ("the API is open", "service-address", ADVICE, [("set", "api", {"address": ""})]),
    ("the API accepts two sessions", "service-sessions", FIX, [("set", "api", {"max-sessions": "2"})]),
    ("reverse paths are checked strictly", "rp-filter", FIX, [("set", "/ip/settings", {"rp-filter": "strict"})]),
    ("FastTrack takes marked connections", "fasttrack", FIX, [("unset", "fast", "connection-mark")]),
    ("FastTrack takes them in IPv6", "fasttrack", FIX, [("unset", "fast6", "connection-mark")]),
    ("the interface list is empty", "rule-interface rule-interface", ADVICE, [("remove", "member", {})]),
    ("the table is disabled", "table-disabled table-disabled", FIX, [("set", "table", {"disabled": "yes"})]),
    ("the table is gone", "table-missing table-missing", ADVICE, [("remove", "table", {})]),
    ("a NAT rule of the tunnel is missing", "src-nat", FIX, [("remove", "tunnel", {})]),
    ("it is disabled", "src-nat", FIX, [("set", "tunnel", {"disabled": "yes"})]),
    ("it is for another interface", "src-nat", FIX, [("set", "tunnel", {"out-interface": "wg9"})]),
    ("DHCP gives no DNS server", "dhcp-dns-none", FIX, [("set", "network", {"dns-none": "yes"})]),
    ("DHCP gives another DNS server", "dhcp-dns", FIX, [("set", "network", {"dns-server": "9.9.9.9"})]),
    ("DHCP gives another beside ours", "dhcp-dns", FIX, [("set", "network", {"dns-server": "172.16.1.2,9.9.9.9"})]),
    ("the router learns DNS servers by DHCP", "peer-dns", FIX, [("add", "/ip/dhcp-client", {"interface": "ether1", "use-peer-dns": "yes"})]),
    ("the router answers and asks others", "router-dns", FIX, [("set", "/ip/dns", {"servers": "9.9.9.9"})]),
    ("it asks others beside us", "router-dns", FIX, [("set", "/ip/dns", {"servers": "172.16.1.2,9.9.9.9"})]),
    ("it asks a DoH server", "router-dns", FIX, [("set", "/ip/dns", {"use-doh-server": "https://dns.example/"})]),
    ("DHCP gives the router, which asks others", "router-dns", FIX,
     [("set", "network", {"dns-server": "192.168.88.1"}), ("set", "/ip/dns", {"servers": "9.9.9.9"})]),
    ("the router asks us, and we ask it", "dns-loop", ADVICE, [("add", "/ip/address", {"address": "1.1.1.1/32", "interface": "ether1"})]),
    ("a FWD entry", "fwd-entry", FIX, [("add", "/ip/dns/static", {"name": "corp.example", "type": "FWD", "forward-to": "10.0.0.1"})]),
    ("a FWD entry by pattern", "fwd-entry", FIX, [("add", "/ip/dns/static", {"regexp": ".*\\.corp", "type": "FWD", "forward-to": "10.0.0.1"})]),
    ("the route to the translator is gone", "nat64-route", ADVICE, [("remove", "nat64", {})]),
    ("it is disabled", "nat64-route-disabled", FIX, [("set", "nat64", {"disabled": "yes"})]),
    ("it is for another prefix", "nat64-route", ADVICE, [("set", "nat64", {"dst-address": "64:ff9b:1::/96"})]),
    ("the translator is down", "nat64-route-down", ADVICE, [("gateway", "fd16::64", "down")]),
    ("no entry of nd for the interface", "nd-missing", FIX, [("remove", "nd", {})]),
    ("the entry is for another interface", "nd-missing", FIX, [("set", "nd", {"interface": "bridge9"})]),
    ("the entry is disabled", "nd-disabled", FIX, [("set", "nd", {"disabled": "yes"})]),
    ("no PREF64", "nd-pref64", FIX, [("set", "nd", {"pref64": ""})]),
    ("another PREF64", "nd-pref64", FIX, [("set", "nd", {"pref64": "2001:db8:64::/96"})]),
    ("RDNSS is off", "nd-advertise-dns", FIX, [("set", "nd", {"advertise-dns": "no"})]),
    ("RDNSS names an address of no interface", "nd-dns", FIX, [("set", "nd", {"dns": "2001:db8:9::1"})]),
    ("RDNSS names none", "nd-dns", FIX, [("set", "nd", {"dns": ""})]),
    ("RDNSS names one more", "nd-dns", FIX, [("set", "nd", {"dns": "fd16::2,2001:db8:9::1"})]),
    ("option 108 has two bytes", "option-108-value", FIX, [("set", "option", {"value": "0x5180"})]),
    ("option 108 is a text", "option-108-value", FIX, [("set", "option", {"value": "'86400'"})]),
    ("option 108 is below 300 s", "option-108-value", FIX, [("set", "option", {"value": "0x0000003c"})]),
    ("option 108 is forced", "option-108-force", FIX, [("set", "option", {"force": "yes"})]),
    ("option 108 is given by no network", "option-108-unused", ADVICE, [("set", "network", {"dhcp-option": ""})]),
    ("no NAT for the pool", "nat64-masquerade src-nat", FIX, [("remove", "wan", {}), ("remove", "tunnel", {})]),
    # DHCP beyond the networks of the server.
    ("DHCP gives another DNS server as an option", "dhcp-option-dns", FIX,
     [("add", "/ip/dhcp-server/option", {"name": "dns", "code": "6", "value": "'9.9.9.9'"}), ("set", "network", {"dhcp-option": "v6only,dns"})]),
    ("as bytes, in a set", "dhcp-option-dns", FIX,
     [("add", "/ip/dhcp-server/option", {"name": "dns", "code": "6", "value": "0x09090909"}),
      ("add", "/ip/dhcp-server/option/sets", {"name": "both", "options": "dns"}), ("set", "network", {"dhcp-option-set": "both"})]),
    ("DHCPv6 gives another DNS server", "dhcpv6-dns", FIX, [("set", "option6", {"value": "'2001:db8:9::1'"})]),
    ("DHCPv6 gives one beside ours", "dhcpv6-dns", FIX, [("set", "option6", {"value": "'fd16::2''2001:db8:9::1'"})]),
    ("DHCPv6 gives what is no address", "dhcpv6-dns", FIX, [("set", "option6", {"value": "s'dns.example'"})]),
    ("a relayed network gives another DNS server", "dhcp-dns", FIX,
     [*RELAYED, ("add", "/ip/dhcp-server/network", {"address": "10.9.0.0/24", "dns-server": "9.9.9.9", "dhcp-option": "v6only"})]),
    ("a relayed network is missing", "dhcp-network-missing", ADVICE, RELAYED),
    ("relayed clients come by another interface", "relay-interface", ADVICE,
     [("add", "/ip/pool", {"name": "far", "ranges": "192.168.88.201-192.168.88.220"}),
      ("add", "/ip/dhcp-server", {"name": "far", "interface": "ether3", "relay": "10.9.0.1", "address-pool": "far"})]),
    # What takes packets past mangle, or past our tables.
    ("a switch chip routes", "l3-hw-offloading", FIX,
     [("set", "/interface/ethernet/switch", {".id": "*1", "l3-hw-offloading": "yes"}),
      ("set", "/interface/ethernet/switch/port", {".id": "*1", "l3-hw-offloading": "yes"})]),
    ("a routing rule for our mark uses another table", "routing-rule", FIX,
     [("add", "/routing/rule", {"routing-mark": "steerdns-media", "action": "lookup", "table": "main"})]),
    ("a routing rule drops our mark", "routing-rule", FIX, [("add", "/routing/rule", {"routing-mark": "steerdns-media", "action": "drop"})]),
    ("clients are in a VRF", "vrf-clients", ADVICE, [("add", "/ip/vrf", {"name": "guests", "interfaces": "bridge,ether7"})]),
    ("FastTrack takes connections with our mark", "fasttrack", FIX, [("set", "fast", {"connection-mark": "steerdns-media"})]),
    ("FastTrack takes all but another mark", "fasttrack", FIX, [("set", "fast", {"connection-mark": "!other"})]),
    # Clients that ask other resolvers.
    ("DNS is redirected to another server", "redirect-elsewhere", FIX, [("set", "udp", {"to-addresses": "9.9.9.9"})]),
    ("DNS is redirected to the router, which asks others", "router-dns", FIX,
     [("set", "udp", {"action": "redirect", "to-addresses": ""}), ("set", "/ip/dns", {"servers": "9.9.9.9"})]),
    ("our own queries are redirected", "redirect-loop", FIX, [("set", "udp", {"in-interface-list": ""})]),
    ("our own queries are redirected in IPv6", "redirect-loop", FIX,
     [("add", "/ipv6/address", {"address": "fd16::1/64", "interface": "ether3", "advertise": "no"}),
      ("set", "udp6", {"in-interface-list": ""})]),
    ("TCP is not redirected", "bypass-dns", ADVICE, [("remove", "tcp", {})]),
    ("IPv6 is not redirected", "bypass-dns", ADVICE, [("set", "udp6", {"disabled": "yes"})]),
    ("DoT is open", "bypass-dot", ADVICE, [("remove", "dot", {})]),
    ("DoT is open in IPv6", "bypass-dot", ADVICE, [("set", "dot6", {"action": "accept"})]),
    ("DoH is open", "bypass-doh", ADVICE, [("remove", "doh", {})]),
    ("the NAT64 prefix is a port forward", "nat64-dst-nat", FIX,
     [("add", "/ipv6/firewall/nat", {"chain": "dstnat", "action": "dst-nat", "dst-address": "64:ff9b::c000:201/128", "to-address": "fd16::64"})]),
    ("RDNSS names an address from a pool", "nd-dns-pool", ADVICE,
     [("set", "lan6", {"from-pool": "provider"}), ("set", "nd", {"dns": "2001:db8:88::1"})]),
    ("a rule for a list of an earlier configuration", "rule-stale", FIX,
     [("add", "/ip/firewall/mangle", {**MARKING, "dst-address-list": "old_v4", "comment": "steerdns: connections to old_v4"})]),
    ("a rule of ours has another list", "list-unused rule-stale", FIX, [("set", "mark", {"dst-address-list": "media4"})]),
]
# The same for both families.
for family, suffix in (("IPv4", ""), ("IPv6", "6")):
    mark, rule, route = "mark" + suffix, "way" + suffix, "route" + suffix
    menu = "/ip/firewall/mangle" if suffix == "" else "/ipv6/firewall/mangle"
    BROKEN += [(f"{what} ({family})", found, mends, commands) for what, found, mends, commands in [
        ("no rule uses the list", "list-unused", FIX, [("remove", mark, {})]),
        ("a row of the list is disabled", "row-disabled", FIX,
         [("add", menu.replace("mangle", "address-list"),
           {"list": "media_v6" if suffix else "media_v4", "address": "2001:db8::7" if suffix else "203.0.113.7", "disabled": "yes"})]),
        ("the rule is disabled", "rule-disabled", FIX, [("set", mark, {"disabled": "yes"})]),
        ("the rule is in the chain forward", "rule-chain", FIX, [("set", mark, {"chain": "forward"})]),
        ("the rule is for established connections", "rule-state", FIX, [("set", mark, {"connection-state": "established,related"})]),
        ("the rule ends the chain", "rule-passthrough", FIX, [("set", mark, {"passthrough": "no"})]),
        ("the rule only accepts", "rule-action", ADVICE, [("set", mark, {"action": "accept"})]),
        ("no rule chooses the table", "route-rule-missing", FIX, [("remove", rule, {})]),
        ("the rule that does is disabled", "route-rule-disabled", FIX, [("set", rule, {"disabled": "yes"})]),
        ("it is for another mark", "route-rule-missing", FIX, [("set", rule, {"connection-mark": "other"})]),
        ("the rules are in the wrong order", "rule-order", FIX, [("move", rule, mark)]),
        ("a rule before them accepts all", "rule-shadowed", ADVICE,
         [("add", menu, {"chain": "prerouting", "action": "accept", "place-before": "{%s}" % mark})]),
        ("a rule before them marks all", "rule-foreign-mark", ADVICE,
         [("add", menu, {"chain": "prerouting", "action": "mark-connection", "new-connection-mark": "wan1", "passthrough": "yes",
                         "in-interface-list": "LAN", "connection-state": "new", "place-before": "{%s}" % mark})]),
        ("a rule between them marks all", "rule-foreign-mark", ADVICE,
         [("add", menu, {"chain": "prerouting", "action": "mark-connection", "new-connection-mark": "wan1", "passthrough": "yes",
                         "place-before": "{%s}" % rule})]),
        ("a rule between them routes all", "rule-shadowed", ADVICE,
         [("add", menu, {"chain": "prerouting", "action": "mark-routing", "new-routing-mark": "main", "passthrough": "no",
                         "dst-address-type": "!local", "place-before": "{%s}" % rule})]),
        ("the route is gone", "route-missing", ADVICE, [("remove", route, {})]),
        ("the route is disabled", "route-disabled", FIX, [("set", route, {"disabled": "yes"})]),
        ("the route is down", "route-down", ADVICE, [("set", route, {"gateway": "wg9"}), ("gateway", "wg9", "down")]),
        ("the route is in another table", "route-missing", ADVICE, [("set", route, {"routing-table": "main"})]),
    ]]


# What "DNS64 + NAT64 on a RouterOS network" teaches, the finding, and the faults above that show it. What it says of the
# resolver itself (dns64 for queries over IPv4, names without an A record, rcodes) is in dns64_peers_e2e.py.
PITFALLS = [
    ("option 108 reached clients before the path worked", "nat64-route", ["the route to the translator is gone"]),
    ("the translator did not run", "nat64-route-down", ["the translator is down"]),
    ("its pool was not masqueraded", "nat64-masquerade", ["no NAT for the pool"]),
    ("rules of dst-nat were taken for NAT64", "nat64-dst-nat", ["the NAT64 prefix is a port forward"]),
    ("only the entry for all interfaces of nd was there", "nd-missing",
     ["no entry of nd for the interface", "the entry is for another interface"]),
    ("PREF64 was never advertised", "nd-pref64", ["no PREF64", "another PREF64"]),
    ("RDNSS named an address that did not exist", "nd-dns", ["RDNSS names an address of no interface"]),
    ("addresses of interfaces came from a pool", "nd-dns-pool", ["RDNSS names an address from a pool"]),
    ("IPv6-only clients ignore the servers of DHCPv4", "nd-dns", ["RDNSS names none"]),
    ("a new entry has advertise-dns=no", "nd-advertise-dns", ["RDNSS is off"]),
    ("FWD entries answered NOERROR for names that do not exist", "fwd-entry", ["a FWD entry", "a FWD entry by pattern"]),
    ("the option is for clients that ask for it", "option-108-force", ["option 108 is forced"]),
    ("its value is 32 bits of seconds, 300 at least", "option-108-value",
     ["option 108 has two bytes", "option 108 is a text", "option 108 is below 300 s"]),
    ("clients must be given the option", "option-108-unused", ["option 108 is given by no network"]),
    ("clients ask the router, which asks others", "router-dns", ["DHCP gives the router, which asks others"]),
]


class Router:
    """rossim, with rows of ROWS, their ids by name, and the API of an administrator."""

    def __init__(self, version, *options, rows=ROWS, configuration=CONFIGURATION):
        self.stack = contextlib.ExitStack()
        folder = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.control = folder / "control"
        command = [ROSSIM, "--port", "0", "--preset", "none", "--ros-version", version, "--control", self.control,
                   "--user", "admin:admin:read,write,api,policy", "--switch-chip", *options]
        self.process = self.stack.enter_context(subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True))
        self.stack.callback(self.process.terminate)
        self.port = int(re.search(r", port (\d+)", self.process.stdout.readline())[1])
        self.api = librouteros.connect(host="127.0.0.1", port=self.port, username="admin", password="admin")
        self.stack.callback(self.api.close)
        self.configuration = folder / "steerdns.yaml"
        self.configuration.write_text(configuration % self.port)
        self.configuration.chmod(0o600)
        self.ids, self.menus = {}, {}
        has_fasttrack6 = [int(part) for part in version.split(".")[:2]] >= [7, 18]
        for name, menu, values in rows:
            if name == "fast6" and not has_fasttrack6:
                continue
            self.ids[name] = self.say(menu + "/add", values)
            self.menus[name] = menu
        for menu, values in SETTINGS:
            self.say(menu + "/set", values)
        for row in self.api("/ip/service/print"):
            if row["name"] == "api" and row.get("dynamic") is not True:
                self.ids["api"], self.menus["api"] = row[".id"], "/ip/service"
        self.say("/ip/service/set", {".id": self.ids["api"], "address": "127.0.0.1"})

    def say(self, command, values):
        answers = list(self.api(command, **values))
        return answers[0].get("ret") if answers else None

    def carry_out(self, command, target, values):
        menu = self.menus.get(target, target)
        if command == "add":
            return self.say(menu + "/add", {name: value.format(**self.ids) for name, value in values.items()})
        if command == "unset":
            return self.say(menu + "/unset", {"numbers": self.ids[target], "value-name": values})
        if command == "move":
            return self.say(menu + "/move", {"numbers": self.ids[target], "destination": self.ids[values]})
        if command == "gateway":
            return subprocess.run([ROSSIM, "ctl", self.control, "gateway", target, values], check=True, capture_output=True)
        return self.say(f"{menu}/{command}", {**({".id": self.ids[target]} if target in self.ids else {}), **values})

    def picture(self):
        """All that the doctor could write, without the numbers of rows."""
        menus = sorted({menu for _, menu, _ in ROWS} | {menu for menu, _ in SETTINGS} | WRITTEN)
        return {menu: [{k: v for k, v in row.items() if k != ".id"} for row in self.api(menu + "/print")] for menu in menus}

    def doctor(self, *options):
        return subprocess.run([STEERCTL, "doctor", "--config", self.configuration, *options], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL)

    def findings(self):
        output = self.doctor("--json")
        router = json.loads(output.stdout)["routers"][0]
        assert router["trouble"] == "", router
        return router["findings"]

    def close(self):
        self.stack.close()


class Doctor(unittest.TestCase):
    version = "7.21.5"

    def router(self, version=None):
        router = Router(version or self.version)
        self.addCleanup(router.close)
        return router

    def names(self, router):
        return sorted(finding["check"] for finding in router.findings())

    def test_a_router_in_order_has_no_finding_in_each_version(self):
        for version in json.loads((ROOT / "tools/rossim/schema.json").read_text())["_versions"]:
            with self.subTest(version):
                router = self.router(version)
                output = router.doctor()
                self.assertEqual((output.returncode, output.stderr), (0, ""), output.stdout)
                self.assertEqual(output.stdout, f"router edge, RouterOS {version}: problems: 0, advice: 0\n")

    def test_each_thing_that_breaks_is_named_alone_and_mended(self):
        for number, (what, found, mends, commands) in enumerate(BROKEN):
            with self.subTest(what):
                router = self.router()
                for command in commands:
                    router.carry_out(*command)
                self.assertEqual(self.names(router), found.split(), router.doctor().stdout)
                before = router.picture()
                self.assertIn(router.doctor().returncode, (0, 1))
                self.assertEqual(router.picture(), before, "without --fix nothing is written")
                fixed = router.doctor("--fix", "--yes")
                self.assertEqual(self.names(router), [] if mends else found.split(), fixed.stdout)
                again = router.picture()
                self.assertEqual(router.doctor("--fix", "--yes").returncode,
                                 0 if mends or all(f["level"] != "problem" for f in router.findings()) else 1)
                self.assertEqual(router.picture(), again, "a second run changes nothing")
                router.close()
        print(f"  {len(BROKEN)} faults", file=sys.stderr)

    def test_two_things_that_break_are_both_named(self):
        first = [row for row in BROKEN if row[1] in ("rule-passthrough", "nd-pref64", "dhcp-dns", "fasttrack")]
        second = [row for row in BROKEN if row[1] in ("route-disabled", "option-108-force", "rp-filter")]
        for one in first:
            for other in second:
                with self.subTest(one[0], other=other[0]):
                    router = self.router()
                    for command in one[3] + other[3]:
                        router.carry_out(*command)
                    self.assertEqual(self.names(router), sorted(one[1].split() + other[1].split()))
                    router.doctor("--fix", "--yes")
                    self.assertEqual(self.names(router), [])
                    router.close()

    def test_the_undo_that_is_printed_takes_the_commands_back(self):
        router = self.router()
        router.carry_out("set", "nd", {"pref64": ""})
        finding, = router.findings()
        nd = router.ids["nd"]
        self.assertEqual(finding["fix"], [f"/ipv6 nd set {nd} pref64={P}"])
        self.assertEqual(finding["undo"], [f'/ipv6 nd set {nd} pref64=""'])
        router.carry_out("remove", "tunnel", {})
        finding = next(f for f in router.findings() if f["check"] == "src-nat")
        self.assertEqual(finding["undo"], ['/ip firewall nat remove [find where comment="steerdns: media"]'])

    def test_each_command_is_asked_for(self):
        router = self.router()
        router.carry_out("set", "mark", {"disabled": "yes"})
        before = router.picture()
        output = subprocess.run([STEERCTL, "doctor", "--config", router.configuration, "--fix"], input="n\n", capture_output=True,
                              text=True, timeout=60)
        self.assertIn("Do it? [y/N]", output.stdout)
        self.assertEqual(router.picture(), before)

    def test_a_user_who_may_not_write_is_told_so(self):
        router = self.router()
        router.carry_out("set", "mark", {"disabled": "yes"})
        router.carry_out("set", "group", {"policy": "read,api"})
        output = router.doctor("--fix", "--yes")
        self.assertEqual(output.returncode, 1)
        self.assertIn("refused: /ip firewall mangle set", output.stdout)
        self.assertIn("not enough permissions (9); a user with more rights can paste the commands", output.stdout)
        self.assertEqual(self.names(router), ["rule-disabled", "user-rights"])

    def test_many_rules_of_others_do_not_matter(self):
        router = self.router()
        for number in range(2000):
            router.say("/ip/firewall/mangle/add", {"chain": "forward", "action": "mark-packet", "new-packet-mark": f"m{number}",
                                                   "src-address": "192.0.2.1", "place-before": router.ids["mark"]})
        self.assertEqual(self.names(router), [])

    def test_rules_of_others_in_between_do_not_matter(self):
        """Narrower than ours, in another chain, or disabled."""
        router = self.router()
        for place in ("mark", "way"):
            for values in ({"action": "accept", "src-address": "10.0.0.0/8"}, {"action": "accept", "disabled": "yes"},
                           {"action": "mark-connection", "new-connection-mark": "wan1", "passthrough": "no", "protocol": "udp"},
                           {"action": "mark-routing", "new-routing-mark": "main", "passthrough": "no", "dst-address": "192.0.2.1"},
                           {"action": "jump", "jump-target": "theirs"}, {"action": "change-dscp", "new-dscp": "4"}):
                router.say("/ip/firewall/mangle/add", {"chain": "prerouting", **values, "place-before": router.ids[place]})
        self.assertEqual(self.names(router), [])

    def test_rows_that_leases_put_into_our_list_are_foreign(self):
        router = self.router()
        router.say("/ip/dhcp-server/lease/add", {"address": "192.168.88.20", "mac-address": "02:00:00:00:00:01", "address-lists": "media_v4"})
        row = {"list": "media_v4", "address": "192.168.88.20", "dynamic": "yes"}
        router.say("/ip/firewall/address-list/add", row)
        before = router.picture()
        self.assertEqual(self.names(router), [])
        self.assertEqual(router.doctor("--fix", "--yes").returncode, 0)
        self.assertEqual(router.picture(), before)

    def test_each_pitfall_of_dns64_with_nat64_is_a_finding(self):
        known = {what: found.split() for what, found, _, _ in BROKEN}
        for pitfall, finding, faults in PITFALLS:
            for fault in faults:
                with self.subTest(pitfall):
                    self.assertIn(finding, known[fault], fault)

    def test_a_broken_translation_says_what_option_108_makes_of_it(self):
        """IPv6-only clients have nothing else. The option is not given again before the rest is in order."""
        router = self.router()
        router.carry_out("remove", "nat64", {})
        finding, = router.findings()
        self.assertIn("DHCP option 108 is given: clients that honour it have no IPv4 either", finding["why"])
        router.carry_out("set", "network", {"dhcp-option": ""})
        route, option = sorted(router.findings(), key=lambda f: f["check"])
        self.assertEqual((route["check"], option["check"]), ("nat64-route", "option-108-unused"))
        self.assertNotIn("108", route["why"])
        self.assertEqual((option["fix"], option["advice"]), ([], "mend the rest first: the option must come last"))


class Redirect(unittest.TestCase):
    """The rules on request, on a router that has none of them."""

    def setUp(self):
        rows = [row for row in ROWS if row[0].rstrip("6") not in ("udp", "tcp", "dot", "doh")]
        self.router = Router("7.21.5", rows=rows)
        self.addCleanup(self.router.close)

    def test_a_plain_fix_never_adds_them(self):
        before = self.router.picture()
        output = self.router.doctor("--fix", "--yes")
        self.assertEqual((output.returncode, self.router.picture()), (0, before))
        self.assertEqual([f["check"] for f in self.router.findings()], ["bypass-dns", "bypass-dot", "bypass-doh"])
        self.assertEqual({f["level"] for f in self.router.findings()}, {"note"})
        self.assertTrue(output.stdout.startswith("router edge, RouterOS 7.21.5: problems: 0, advice: 0\nnote bypass-dns: "), output.stdout)
        self.assertEqual(output.stdout.count("do:   steerctl doctor --redirect shows the rules"), 3)

    def test_they_are_shown_with_their_undo(self):
        before = self.router.picture()
        output = self.router.doctor("--redirect").stdout
        self.assertEqual(self.router.picture(), before)
        self.assertIn("do:   /ip firewall nat add chain=dstnat in-interface-list=LAN protocol=udp src-address=!172.16.1.2 "
                      "dst-address=!172.16.1.2 dst-address-type=!local dst-port=53 action=dst-nat to-addresses=172.16.1.2 "
                      'comment="steerdns: redirect of DNS"\n', output)
        self.assertIn("to-address=fd16::2", output)
        self.assertIn('undo: /ip firewall nat remove [find where comment="steerdns: redirect of DNS"]\n', output)
        self.assertRegex(output, r"do:   /ip firewall filter add chain=forward in-interface-list=LAN src-address=!172.16.1.2 "
                               r"protocol=tcp dst-port=853 action=reject reject-with=tcp-reset "
                               r'comment="steerdns: no DNS over TLS" place-before=\*1\n')

    def test_they_are_applied_once_and_taken_back_by_their_undo(self):
        before = self.router.picture()
        self.assertEqual(self.router.doctor("--redirect", "--fix", "--yes").returncode, 0)
        self.assertEqual(self.router.findings(), [])
        applied = self.router.picture()
        self.assertGreater(len(applied["/ip/firewall/address-list"]), 5)
        self.router.doctor("--redirect", "--fix", "--yes")
        self.assertEqual(self.router.picture(), applied, "a second run changes nothing")
        for menu in ("/ip/firewall/nat", "/ipv6/firewall/nat", "/ip/firewall/filter", "/ipv6/firewall/filter",
                     "/ip/firewall/address-list", "/ipv6/firewall/address-list"):
            for row in list(self.router.api(menu + "/print")):
                if row.get("comment", "").startswith(("steerdns: redirect", "steerdns: no DNS over")):
                    self.router.say(menu + "/remove", {".id": row[".id"]})
        self.assertEqual(self.router.picture(), before)

    def test_an_answer_in_one_network_comes_back_through_the_router(self):
        self.router.say("/interface/list/member/add", {"list": "LAN", "interface": "ether3"})
        output = self.router.doctor("--redirect").stdout
        self.assertIn("/ip firewall nat add chain=srcnat protocol=udp src-address=172.16.1.1/24 dst-address=172.16.1.2 dst-port=53 "
                      "action=masquerade", output)
        self.assertIn("SteerDNS sees the router as the client of redirected queries", output)

    def test_rows_of_the_list_that_are_there_are_no_obstacle(self):
        self.router.say("/ip/firewall/address-list/add", {"list": "steerdns-doh", "address": "1.1.1.1"})
        self.router.doctor("--redirect", "--fix", "--yes")
        self.assertEqual(self.router.findings(), [])


class Versions(unittest.TestCase):
    """Older routers, routers that hide menus, and routers that lie."""

    def router(self, version, *options, **more):
        router = Router(version, *options, **more)
        self.addCleanup(router.close)
        return router

    def hide(self, router, command, message):
        subprocess.run([ROSSIM, "ctl", router.control, "fault", "trap", "command=" + command, "times=0", "message=" + message], check=True,
                       capture_output=True)

    def one(self, router):
        finding, = router.findings()
        return finding

    def test_rights_that_hide_a_menu_are_said(self):
        router = self.router("7.21.5")
        self.hide(router, "^/ip/dhcp-server/network/print$", "no such command prefix")
        finding = self.one(router)
        self.assertEqual((finding["check"], finding["level"]), ("menu-hidden", "advice"))
        self.assertEqual(finding["what"], "the router reports RouterOS 7.21.5, which has /ip/dhcp-server/network, but refuses it: "
                                          "no such command prefix")
        router = self.router("7.21.5")
        self.hide(router, "^/ip/firewall/mangle/print$", "not enough permissions (9)")
        finding = self.one(router)
        self.assertEqual((finding["check"], finding["what"]),
                         ("menu-unread", "/ip/firewall/mangle cannot be read: not enough permissions (9)"))

    def test_a_menu_that_an_older_version_never_had_is_no_finding(self):
        self.assertEqual(self.router("7.16.2").findings(), [])

    def test_a_menu_that_disappears_on_an_unknown_old_version_is_said(self):
        router = self.router("7.9.2", "--claim-version", "7.6 (stable)")
        self.hide(router, "^/routing/table/print$", "no such command prefix")
        names = sorted(f["check"] for f in router.findings())
        self.assertEqual(names, ["menu-unread", "version-lacks"])

    def test_a_router_that_reports_a_newer_version_is_told(self):
        router = self.router("7.16.2", "--claim-version", "7.24 (stable)")
        finding = self.one(router)
        self.assertEqual((finding["check"], finding["what"]),
                         ("menu-hidden", "the router reports RouterOS 7.24, which has /ip/dns/forwarders, but refuses it: "
                                         "no such command prefix"))

    def test_a_router_that_reports_an_older_version_is_told(self):
        router = self.router("7.24", "--claim-version", "7.9.2 (stable)")
        finding = self.one(router)
        self.assertEqual((finding["check"], finding["what"]),
                         ("version-contradicted", "the router reports RouterOS 7.9.2, but it has connections in /ip/service, which came "
                                                  "with 7.19"))

    def test_a_version_that_is_none_is_told(self):
        for claimed, what in (("banana", 'the router reports the version "banana", which is none of RouterOS'),
                           (" ", "the router does not report its version")):
            finding = self.one(self.router("7.21.5", "--claim-version", claimed))
            self.assertEqual((finding["check"], finding["what"]), ("version-unknown", what))

    def test_a_command_that_the_reported_version_should_have_is_explained_when_refused(self):
        router = self.router("7.21.5")
        router.carry_out("set", "nd", {"pref64": ""})
        self.hide(router, "^/ipv6/nd/set$", "unknown parameter pref64")
        output = router.doctor("--fix", "--yes")
        self.assertIn("refused: /ipv6 nd set", output.stdout)
        self.assertIn("unknown parameter pref64; RouterOS 7.21.5 has this command: the version is not the one that runs, or the "
                      "user's rights hide it", output.stdout)
        self.assertEqual(output.returncode, 1)

    def test_routeros_6_is_told_what_it_cannot_do(self):
        router = self.router("7.9.2", "--claim-version", "6.49.10 (long-term)")
        lacking = [f["what"] for f in router.findings() if f["check"] == "version-lacks"]
        self.assertEqual(len(lacking), 3)
        self.assertIn("RouterOS 6.49.10 is not known to have pref64 in /ipv6/nd (7.9.2 and newer have it): clients learn no NAT64 "
                      "prefix and cannot do without IPv4", lacking)


class Routes(unittest.TestCase):
    """A ros_route beside the list: the table that it fills, and the rule that looks up packets there."""

    CONFIGURATION = CONFIGURATION.replace("  - { tag: nat64,", """\
  - { tag: vpn, type: ros_route, args: { router: edge, routing_table: vpn, gateway4: wg0, gateway6: wg0 } }
  - { tag: nat64,""").replace('exec: $media }', 'exec: $media }\n      - { matches: "qname domain:vpn.example", exec: $vpn }')
    TABLE = ("vpn", "/routing/table", {"name": "vpn", "fib": "yes"})
    RULE = ("lookup", "/routing/rule", {"action": "lookup", "table": "vpn"})
    BROKEN = [
        ("routing-rule-missing", FIX, [("remove", "lookup", {})]),
        ("routing-rule-disabled", FIX, [("set", "lookup", {"disabled": "yes"})]),
        ("routing-rule-only", FIX, [("set", "lookup", {"action": "lookup-only-in-table"})]),
        ("routing-rule-order", ADVICE, [("remove", "lookup", {}), ("add", "/routing/rule", {"action": "lookup", "table": "main"}),
                                        ("add", "/routing/rule", {"action": "lookup", "table": "vpn"})]),
        ("table-disabled", FIX, [("set", "vpn", {"disabled": "yes"})]),
        ("table-missing", ADVICE, [("remove", "lookup", {}), ("remove", "vpn", {})]),
        ("route-default", FIX, [("add", "/ip/route", {"dst-address": "0.0.0.0/0", "gateway": "wg0", "routing-table": "vpn"})]),
        ("route-default", FIX, [("add", "/ipv6/route", {"dst-address": "::/0", "gateway": "wg0", "routing-table": "vpn"})]),
    ]

    def router(self):
        router = Router("7.21.5", rows=[*ROWS, self.TABLE, self.RULE], configuration=self.CONFIGURATION)
        self.addCleanup(router.close)
        return router

    def names(self, router):
        return [finding["check"] for finding in router.findings()]

    def test_a_router_in_order_has_no_finding(self):
        self.assertEqual(self.names(self.router()), [])

    def test_each_thing_that_breaks_is_named_alone_and_mended(self):
        for found, mends, commands in self.BROKEN:
            with self.subTest(found, commands=commands):
                router = self.router()
                for command in commands:
                    router.carry_out(*command)
                self.assertEqual(self.names(router), [found])
                router.doctor("--fix", "--yes")
                self.assertEqual(self.names(router), [] if mends else [found])
                router.close()

    def test_rules_of_others_do_not_matter(self):
        router = self.router()
        for values in ({"table": "main", "src-address": "10.9.0.0/24"}, {"table": "main", "disabled": "yes"}):
            router.say("/routing/rule/add", {"action": "lookup", **values})
        router.say("/ip/route/add", {"dst-address": "198.51.100.7/32", "gateway": "wg0", "routing-table": "vpn"})
        self.assertEqual(self.names(router), [])


class CommandLine(unittest.TestCase):
    def router(self):
        router = Router("7.21.5")
        self.addCleanup(router.close)
        return router

    def test_wrong_command_lines_and_routers(self):
        router = self.router()
        self.assertEqual(router.doctor("nowhere").returncode, 2)
        self.assertIn('no router of the configuration is called "nowhere"', router.doctor("nowhere").stderr)
        self.assertEqual(router.doctor("--yes").returncode, 2)
        self.assertEqual(router.doctor("--json", "--fix").returncode, 2)
        self.assertEqual(router.doctor("edge").returncode, 0)
        router.carry_out("set", "user", {"disabled": "yes"})
        output = router.doctor()
        self.assertEqual(output.returncode, 1)
        self.assertIn("router edge: cannot be read: login failed: invalid user name or password (6)", output.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
