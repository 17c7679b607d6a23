"""The two labs with Linux in the router's place, for `steerctl doctor --probe`: the router has an API (linux_routeros.py), and
SteerDNS a foot in the segment of clients.

`ProbedPolicyLab`: SteerDNS is where the client was, 192.168.88.10, and keeps the router's lists. The sets of nftables hold
the same addresses from the start. `ProbedIpv6MostlyLab`: `box` has a second interface, lan0, among the clients.
"""

from __future__ import annotations

import json
import pathlib
import subprocess

from lab.ipv6_mostly import ADVERTISEMENTS, BOX4, BOX6, CONFIG, PREFIX, RADVD, Ipv6MostlyLab
from lab.linux_routeros import PASSWORD, USER, LinuxRouterOs
from lab.network import Process, until
from lab.policy import PolicyLab

BOX = "192.168.88.10"
MARK = "steerdns-tunnel4"
POLICY = f"""
dataplane:
  ports: [ {{ device: eth0 }} ]
routers:
  edge: {{ address: "192.168.88.1:8728", username: {USER}, password: {PASSWORD} }}
plugins:
  - {{ tag: names, type: domain_set, args: {{ exps: [ "domain:stream.example" ] }} }}
  - tag: tunnel
    type: ros_address_list
    args:
      router: edge
      address_list4: tunnel4
      address_list6: tunnel6
      async: false
      sync_timeout: 10s
      allow_claim: [ 198.18.0.0/15, "2001:db8::/32" ]
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: "udp://1.1.1.1" }} ] }} }}
  - tag: main
    type: sequence
    args:
      - {{ exec: $up }}
      - {{ matches: "qname $names", exec: $tunnel }}
"""
RULES = """
table inet router {
  set tunnel4 { type ipv4_addr; ELEMENTS4 }
  set tunnel6 { type ipv6_addr; ELEMENTS6 }
  chain raw { type filter hook prerouting priority raw; }
  chain mangle {
    type filter hook prerouting priority mangle;
    iifname "lan0" ct state new ip daddr @tunnel4 counter ct mark set 1 comment "mark4"
    iifname "lan0" ct state new ip6 daddr @tunnel6 counter ct mark set 1 comment "mark6"
    iifname "lan0" meta nfproto ipv4 ct mark 1 counter meta mark set 1 comment "way4"
    iifname "lan0" meta nfproto ipv6 ct mark 1 counter meta mark set 1 comment "way6"
  }
  chain nat {
    type nat hook postrouting priority srcnat;
    oifname { "line0", "tunnel0" } NAT
  }
}
"""
MARKING = {"chain": "prerouting", "in_interface_list": "LAN", "connection_state": "new", "connection_mark": "no-mark",
           "action": "mark-connection", "new_connection_mark": MARK, "passthrough": "true"}
ROUTING = {"chain": "prerouting", "in_interface_list": "LAN", "connection_mark": MARK, "action": "mark-routing",
           "new_routing_mark": MARK, "passthrough": "false"}


class Doctor:
    """`steerctl doctor` in the namespace `space`, on the configuration `config`."""

    def doctor_argv(self, *words: str) -> list[str]:
        return [str(self.build / "tools/steerctl/steerctl"), "doctor", "--config", str(self.config), *words]

    def doctor(self, *words: str, under: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
        return self.network.run(self.space, *under, *self.doctor_argv(*words), check=False)

    def judgement(self, *words: str, under: tuple[str, ...] = ()) -> dict:
        """Of the one router: {"findings", "steps", ...}; without notes, which say what may be meant so."""
        output = self.doctor("--json", *words, under=under)
        if not output.stdout:
            raise AssertionError(output.stderr)
        judgement = json.loads(output.stdout)["routers"][0]
        judgement["findings"] = [finding for finding in judgement["findings"] if finding["level"] != "note"]
        return judgement


class ProbedPolicyLab(Doctor, PolicyLab):
    space = "client"

    def __init__(self, build, names, masquerades: bool = True):
        super().__init__(build, names)
        self.masquerades = masquerades
        self.config = self.folder / "probed.yaml"
        self.routeros: LinuxRouterOs | None = None

    def start(self) -> None:
        self.start_internet()
        self.route_by_marks()
        self.start_routeros()
        self.start_daemon()

    def route_by_marks(self) -> None:
        net = self.network
        for family, gateway in (("-4", "10.9.0.1"), ("-6", "2001:db8:9::1")):
            net.run("router", "ip", family, "rule", "add", "fwmark", "1", "lookup", "100")
            net.run("router", "ip", family, "route", "add", "default", "via", gateway, "table", "100")
        elements = {}
        for kind in ("A", "AAAA"):
            listed = ", ".join(name.address for name in self.names if name.kind == kind and name.egress == "tunnel")
            elements[kind] = f"elements = {{ {listed} }}" if listed else ""
        rules = RULES.replace("ELEMENTS4", elements["A"]).replace("ELEMENTS6", elements["AAAA"])
        net.run("router", "nft", "-f", "-", input=rules.replace("NAT", "masquerade" if self.masquerades else "counter"))
        if not self.masquerades:  # the web server answers by each egress
            for space in ("line", "tunnel"):
                net.route(space, "192.168.88.0/24", "via", "100.64.1.2" if space == "line" else "10.9.0.2")
                net.route(space, "2001:db8:88::/64", "via", "2001:db8:1::2" if space == "line" else "2001:db8:9::2")
            net.route("internet", "192.168.88.0/24", "via", "100.65.9.1")
            net.route("internet", "2001:db8:88::/64", "via", "2001:db8:b::1")

    def start_routeros(self) -> None:
        ros = self.routeros = LinuxRouterOs(self.network, self.build, "router", "192.168.88.1", BOX, marks={1: MARK})
        for name, interface in (("LAN", "lan0"), ("WAN", "line0"), ("WAN", "tunnel0")):
            if "list-" + name not in ros.rows:
                ros.add("list-" + name, "/interface/list", name=name)
            ros.add(interface, "/interface/list/member", list=name, interface=interface)
        for interface, v4, v6 in (("lan0", "192.168.88.1/24", "2001:db8:88::1/64"), ("line0", "100.64.1.2/30", "2001:db8:1::2/64"),
                                  ("tunnel0", "10.9.0.2/30", "2001:db8:9::2/64")):
            ros.add(interface + "4", "/ip/address", address=v4, interface=interface)
            ros.add(interface + "6", "/ipv6/address", address=v6, interface=interface)
        ros.add("table", "/routing/table", name=MARK, fib="true")
        for suffix, menu, everywhere, line, tunnel in (("4", "/ip", "0.0.0.0/0", "100.64.1.1", "10.9.0.1"),
                                                       ("6", "/ipv6", "::/0", "2001:db8:1::1", "2001:db8:9::1")):
            ros.add("main" + suffix, f"{menu}/route", dst_address=everywhere, gateway=line, routing_table="main")
            ros.add("route" + suffix, f"{menu}/route", dst_address=everywhere, gateway=tunnel, routing_table=MARK)
            ros.add("mark" + suffix, f"{menu}/firewall/mangle", **MARKING, dst_address_list="tunnel" + suffix)
            ros.add("way" + suffix, f"{menu}/firewall/mangle", **ROUTING)
        for interface in ("line0", "tunnel0"):
            ros.add("nat-" + interface, "/ip/firewall/nat", chain="srcnat", action="masquerade", out_interface=interface)
        ros.add("network", "/ip/dhcp-server/network", address="192.168.88.0/24", gateway="192.168.88.1", dns_server=BOX)
        ros.start_mirror()

    def start_daemon(self) -> None:
        self.config.write_text(POLICY)
        self.config.chmod(0o600)
        self.daemon = self.network.start(self.space, "steerdnsd", str(self.build / "steerdnsd"), "--config", str(self.config),
                                         "--control-socket", str(self.folder / "control.sock"))
        self.daemon.wait_for("serving", 40)
        until(lambda: self.steerctl("routers")["routers"][0]["state"] == "in_sync", 40, "the router's rows are read")


class ProbedIpv6MostlyLab(Doctor, Ipv6MostlyLab):
    space = "box"
    foot = "2001:db8:88::2"

    def __init__(self, build):
        super().__init__(build)
        self.routeros: LinuxRouterOs | None = None
        self.announcer: Process | None = None

    def _wire(self) -> None:
        super()._wire()
        net = self.network
        net.link(("box", "lan0"), ("lan", "box0"))
        net.run("lan", "ip", "link", "set", "box0", "master", "br0")
        net.run("box", "sysctl", "-qw", "net.ipv6.conf.lan0.accept_ra=0", "net.ipv6.conf.lan0.autoconf=0")
        net.address("box", "lan0", f"{self.foot}/64")
        net.route("box", "default", "via", "2001:db8:88::1", "dev", "lan0", "metric", "4096")

    def start(self, config: pathlib.Path = CONFIG) -> None:
        self.start_internet()
        self.start_translator()
        self.route_prefix()
        self.route_pool()
        self.announce()
        self.start_routeros()
        configuration = self.folder / "with-router.yaml"
        # The doctor asks from there, too.
        text = config.read_text().replace("    - 2001:db8:88::/64\n", "    - 2001:db8:88::/64\n    - 2001:db8:16::/64\n    - 172.16.1.0/24\n")
        configuration.write_text(text + f"""
control:
  socket: {self.socket}
routers:
  edge: {{ address: "172.16.1.1:8728", username: {USER}, password: {PASSWORD} }}
""")
        self.start_daemon(configuration)
        self.config.chmod(0o600)

    def start_routeros(self) -> None:
        ros = self.routeros = LinuxRouterOs(self.network, self.build, "router", "172.16.1.1", BOX4)
        for interface, v6, advertises in (("lan0", "2001:db8:88::1/64", "true"), ("dns0", "2001:db8:16::1/64", "false"),
                                          ("nat0", "2001:db8:64::1/64", "false"), ("wan0", "2001:db8:1::2/64", "false")):
            ros.add(interface, "/ipv6/address", address=v6, interface=interface, advertise=advertises)
        ros.change("/ipv6/nd", "*1", disabled="true")  # the entry for all interfaces
        ros.add("nd", "/ipv6/nd", interface="lan0", advertise_dns="yes", dns=BOX6, pref64=PREFIX, ra_interval="3s-4s")
        ros.add("nat64", "/ipv6/route", dst_address=PREFIX, gateway="2001:db8:64::2")
        ros.add("nat", "/ip/firewall/nat", chain="srcnat", action="masquerade", out_interface="wan0")
        ros.add("option", "/ip/dhcp-server/option", name="steerdns-v6only", code="108", value="0x0000012c", force="false")
        ros.add("network", "/ip/dhcp-server/network", address="192.168.88.0/24", dns_server=BOX4, dhcp_option="ntp,steerdns-v6only",
                comment="clients")

    def announce(self, prefix: str = PREFIX, lifetime_s: int = 1800, rdnss: str = BOX6, rdnss_lifetime_s: int = 1800) -> None:
        """From now on: prefix and RDNSS by radvd, PREF64 (unless it is empty) by router_advertisement.py."""
        for process in (self.radvd, self.announcer):
            if process:
                process.stop()
        self.announcer = None
        conf = self.folder / "radvd.conf"
        conf.write_text(RADVD.format(rdnss=f"RDNSS {rdnss} {{ AdvRDNSSLifetime {rdnss_lifetime_s}; }};" if rdnss else ""))
        self.radvd = self.network.start("router", "radvd", "radvd", "-n", "-m", "stderr", "-C", str(conf), "-p",
                                        str(self.folder / "radvd.pid"))
        if prefix:
            self.announcer = self.network.start("router", "pref64", "/usr/bin/python3", str(ADVERTISEMENTS), "send", "lan0", prefix,
                                                str(lifetime_s))
            self.announcer.wait_for("ready")

    def restart_translator(self) -> None:
        """Its device and addresses are still there."""
        folder = self.folder / "tayga-nat64"
        (folder / "pid").unlink(missing_ok=True)
        self.translator = self.network.start("nat64", "tayga-again", self.tayga, "--config", str(folder / "tayga.conf"), "--nodetach",
                                             "--pidfile", str(folder / "pid"))
        until(lambda: (folder / "pid").exists(), 60, "Tayga runs again")

    def network_row(self) -> dict:
        """The DHCP network, as the API prints it."""
        output = self.network.run("box", "/usr/bin/python3", "-c",
                                "import json, librouteros\n"
                                f"api = librouteros.connect(host='172.16.1.1', username='{USER}', password='{PASSWORD}')\n"
                                "print(json.dumps(list(api('/ip/dhcp-server/network/print'))))").stdout
        return json.loads(output)[0]
