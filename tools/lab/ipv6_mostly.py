"""tools/lab/ipv6-mostly: an IPv6-mostly network (RFC 8925) around configs/ipv6-mostly.yaml.

    only6 ─┐                           ┌─ box     172.16.1.2  2001:db8:16::2   SteerDNS
    clat  ─┼─ router 192.168.88.1 ─────┼─ nat64   172.16.64.2 2001:db8:64::2   Tayga, 64:ff9b::/96
    dual  ─┘         2001:db8:88::/64  └─ internet                             web servers, unbound, knot

Linux is in the router's place: radvd announces prefix and RDNSS, router_advertisement.py the PREF64 option that radvd of
Debian 12 cannot send. `only6` has IPv6 only. `clat` has a second Tayga as its CLAT (Debian 12 has no clatd). `dual` has IPv4
as well. The namespaces are closed: no packet leaves the machine.
"""

from __future__ import annotations

import argparse
import functools
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys

from lab.network import LabError, Network, NetworkLab, Process, missing, run, until
from lab.scene import ROOT, knot_configuration

CONFIG = ROOT / "configs/ipv6-mostly.yaml"
WEB = pathlib.Path(__file__).with_name("web_servers.py")
ADVERTISEMENTS = pathlib.Path(__file__).with_name("router_advertisement.py")
PREFIX = "64:ff9b::/96"
BOX4, BOX6 = "172.16.1.2", "2001:db8:16::2"
PROGRAMS = ("tayga", "radvd", "unbound", "knotd", "curl")
OPTION = "--nat64"  # of tools/deps

HEAD = "@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.1\n"
ZONES = {
    "site.example": HEAD + "v4only 300 A 1.1.1.80\nv6only 300 AAAA 2001:db8:f::60\n"
                           "both 300 A 1.1.1.81\nboth 300 AAAA 2001:db8:f::81\n",
    "legacy.example": HEAD + "www 300 A 1.1.1.82\n",
    "signed.example": HEAD + "v4only 300 A 1.1.1.80\nboth 300 A 1.1.1.81\nboth 300 AAAA 2001:db8:f::81\n",
    "broken.example": HEAD + "v4only 300 A 1.1.1.80\n",
}
SIGNED = ("signed.example", "broken.example")
# At the router: the zone of the network's own names.
HOME = {"home.example": "@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\nns 300 A 192.168.88.1\nnas 300 A 192.168.88.20\n"}
SERVERS = {"v4only": ["1.1.1.80"], "v6only": ["2001:db8:f::60"], "both": ["1.1.1.81", "2001:db8:f::81"], "legacy": ["1.1.1.82"]}
UNBOUND = """
server:
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: ""
    interface: 1.1.1.1
    access-control: 0.0.0.0/0 allow
    do-not-query-localhost: no
    module-config: "validator iterator"
    use-syslog: no
remote-control:
    control-enable: no
"""
RADVD = """
interface lan0 {{
    AdvSendAdvert on;
    MinRtrAdvInterval 3;
    MaxRtrAdvInterval 4;
    AdvDefaultLifetime 1800;
    prefix 2001:db8:88::/64 {{ }};
    {rdnss}
}};
"""
TAYGA = """
tun-device {device}
ipv4-addr {v4}
ipv6-addr {v6}
prefix {prefix}
{more}
data-dir {folder}
"""


class Ipv6MostlyLab(NetworkLab):
    """The network and its parts; a context manager. start() starts all of them in order."""

    def __init__(self, build: pathlib.Path | str):
        self.build = pathlib.Path(build).resolve()
        if why := missing(PROGRAMS, OPTION):
            raise LabError(why)
        self.network = Network("ipv6-mostly")
        self.folder = self.network.folder
        self.socket = self.folder / "control.sock"
        self.config = self.folder / "ipv6-mostly.yaml"
        self.daemon: Process | None = None
        self.translator: Process | None = None
        self.radvd: Process | None = None
        self.patience_s = 30  # how long an answer or a connection may take

    def _wire(self) -> None:
        net = self.network
        for name in ("lan", "router", "box", "nat64", "internet", "only6", "clat", "dual"):
            net.namespace(name)
        net.run("lan", "ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        net.run("lan", "ip", "link", "set", "br0", "up")
        for space, device in (("router", "lan0"), ("only6", "eth0"), ("clat", "eth0"), ("dual", "eth0")):
            net.link((space, device), ("lan", f"{space}0"))
            net.run("lan", "ip", "link", "set", f"{space}0", "master", "br0")
        for space, device in (("box", "dns0"), ("nat64", "nat0"), ("internet", "wan0")):
            net.link((space, "eth0"), ("router", device))
        net.run("router", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        net.address("router", "lan0", "192.168.88.1/24", "2001:db8:88::1/64")
        for device, here, there, space in (("dns0", ("172.16.1.1/24", "2001:db8:16::1/64"), ("172.16.1.2/24", "2001:db8:16::2/64"), "box"),
                                           ("nat0", ("172.16.64.1/24", "2001:db8:64::1/64"), ("172.16.64.2/24", "2001:db8:64::2/64"), "nat64"),
                                           ("wan0", ("100.64.1.2/30", "2001:db8:1::2/64"), ("100.64.1.1/30", "2001:db8:1::1/64"), "internet")):
            net.address("router", device, *here)
            net.address(space, "eth0", *there)
            for gateway in (address.partition("/")[0] for address in here):
                if space != "internet":
                    net.route(space, "default", "via", gateway)
        net.route("internet", "2001:db8::/32", "via", "2001:db8:1::2")
        for gateway in ("100.64.1.1", "2001:db8:1::1"):
            net.route("router", "default", "via", gateway)
        net.address("dual", "eth0", "192.168.88.11/24")
        net.route("dual", "default", "via", "192.168.88.1")
        net.run("router", "nft", "-f", "-", input="table ip router {\n chain nat {\n  type nat hook postrouting priority srcnat;\n"
                                                  '  oifname "wan0" masquerade\n }\n}\n')
        net.address("internet", "lo", "1.1.1.1/32", *(address + ("/128" if ":" in address else "/32")
                                                      for addresses in SERVERS.values() for address in addresses))

    # The parts ------------------------------------------------------------------------------------------------

    def start(self, config: pathlib.Path = CONFIG) -> None:
        self.start_internet()
        self.start_translator()
        self.route_prefix()
        self.route_pool()
        self.announce()
        self.start_daemon(config)
        self.start_clat()
        for space in ("only6", "clat", "dual"):
            self.wait_for_address(space)

    def start_internet(self) -> None:
        """The resolver, which validates, with knot behind it; the web servers; and the router's own zone."""
        net = self.network
        conf = knot_configuration(self.folder / "knot", "127.0.0.1@5300", ZONES, SIGNED)
        for zone in SIGNED:
            run("keymgr", "-c", str(conf), zone, "generate", "algorithm=13", "ksk=yes", "zsk=yes")
        anchor = next(line for line in run("keymgr", "-c", str(conf), "signed.example", "ds").stdout.splitlines() if " 13 2 " in line)
        net.start("internet", "knotd", "knotd", "-c", str(conf)).wait_for("server started")
        text = UNBOUND.format(folder=self.folder)
        # No such key signs broken.example: all of it is bogus.
        for line in (anchor, "broken.example. DS 4711 13 2 " + "ab" * 32):
            text += f'server:\n    trust-anchor: "{line}"\n'
        for zone in ZONES:
            text += f'stub-zone:\n    name: "{zone}"\n    stub-addr: 127.0.0.1@5300\n'
        (self.folder / "unbound.conf").write_text(text)
        net.start("internet", "unbound", "unbound", "-d", "-c", str(self.folder / "unbound.conf")).wait_for("start of service")
        net.start("internet", "web", "/usr/bin/python3", str(WEB), json.dumps(SERVERS)).wait_for("ready")
        home = knot_configuration(self.folder / "knot-home", "192.168.88.1@53", HOME)
        net.start("router", "knotd-home", "knotd", "-c", str(home)).wait_for("server started")

    def start_translator(self) -> None:
        self.network.run("nat64", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        self.translator = self._tayga("nat64", "nat64", v4="192.168.255.1", v6="2001:db8:64::3", more="dynamic-pool 192.168.255.0/24")
        for route in ("192.168.255.0/24", PREFIX, "2001:db8:64::3"):
            self.network.route("nat64", route, "dev", "nat64")

    @functools.cached_property
    def tayga(self) -> str:
        """A copy: Debian's script starts no Tayga while this machine has one of the same file, in any namespace."""
        return str(shutil.copy2(shutil.which("tayga") or "/usr/sbin/tayga", self.folder / "tayga"))

    def _tayga(self, space: str, device: str, **words: str) -> Process:
        folder = self.folder / f"tayga-{space}"
        folder.mkdir()
        conf = folder / "tayga.conf"
        conf.write_text(TAYGA.format(device=device, prefix=PREFIX, folder=folder, **words))
        self.network.run(space, self.tayga, "--config", str(conf), "--mktun")
        self.network.run(space, "ip", "link", "set", device, "up")
        process = self.network.start(space, f"tayga-{space}", self.tayga, "--config", str(conf), "--nodetach", "--pidfile", str(folder / "pid"))
        until(lambda: (folder / "pid").exists() or not process.running(), 60, f"Tayga of {space} runs")
        if not process.running():
            raise LabError(f"Tayga of {space} ended: {process.text()}")
        return process

    def route_prefix(self) -> None:
        """The router's way to the NAT64."""
        self.network.route("router", PREFIX, "via", "2001:db8:64::2")

    def route_pool(self) -> None:
        """The router's way to the NAT64's IPv4 addresses, unless the NAT64 replaces them by its own."""
        self.network.route("router", "192.168.255.0/24", "via", "172.16.64.2")

    def announce_prefix(self, rdnss: str = "") -> None:
        """The network's prefix, as before the network became IPv6-mostly."""
        if self.radvd:
            self.radvd.stop()
        conf = self.folder / "radvd.conf"
        conf.write_text(RADVD.format(rdnss=rdnss))
        self.radvd = self.network.start("router", "radvd", "radvd", "-n", "-m", "stderr", "-C", str(conf), "-p",
                                        str(self.folder / "radvd.pid"))

    def announce(self) -> None:
        """Resolver and PREF64 as well."""
        self.announce_prefix(f"RDNSS {BOX6} {{ AdvRDNSSLifetime 1800; }};")
        self.network.start("router", "pref64", "/usr/bin/python3", str(ADVERTISEMENTS), "send", "lan0", PREFIX, "1800").wait_for("ready")

    def start_daemon(self, config: pathlib.Path) -> None:
        """With a copy of the configuration."""
        self.config.write_text(config.read_text())
        self.daemon = self.network.start("box", "steerdnsd", str(self.build / "steerdnsd"), "--config", str(self.config),
                                         "--control-socket", str(self.socket))
        self.daemon.wait_for("serving", 40)

    def change(self, old: str, new: str) -> None:
        """Changes the configuration and reloads it."""
        text = self.config.read_text()
        if old not in text:
            raise LabError(f"the configuration does not hold {old!r}")
        self.config.write_text(text.replace(old, new))
        run(str(self.build / "tools/steerctl/steerctl"), "--socket", str(self.socket), "reload")

    def start_clat(self) -> None:
        """Programs of `clat` have 192.0.0.1; the CLAT has an address of its own in the network, as a phone's has."""
        net = self.network
        net.run("clat", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.eth0.accept_ra=2", "net.ipv6.conf.all.forwarding=1",
                "net.ipv6.conf.eth0.proxy_ndp=1")
        received = self.received("clat")
        if received["pref64"] != [PREFIX]:
            raise LabError(f"the client with CLAT heard the prefixes {received['pref64']}")
        self._tayga("clat", "clat", v4="192.0.0.2", v6="2001:db8:88::c1a8", more="map 192.0.0.1 2001:db8:88::c1a7")
        net.address("clat", "clat", "192.0.0.1/32")
        net.route("clat", "default", "dev", "clat")
        for address in ("2001:db8:88::c1a7", "2001:db8:88::c1a8"):
            net.route("clat", address, "dev", "clat")
            net.run("clat", "ip", "-6", "neigh", "add", "proxy", address, "dev", "eth0")

    # What one asks of them ------------------------------------------------------------------------------------

    def received(self, space: str) -> dict[str, list[str]]:
        """What the router advertises: pref64, rdnss, prefixes, routers."""
        return json.loads(self.network.run(space, "/usr/bin/python3", str(ADVERTISEMENTS), "read", "eth0", "60").stdout)

    def wait_for_address(self, space: str) -> None:
        def has() -> bool:
            shown = self.network.run(space, "ip", "-6", "address", "show", "dev", "eth0", "scope", "global").stdout
            return "2001:db8:88:" in shown and "default" in self.network.run(space, "ip", "-6", "route").stdout
        until(has, 60, f"{space} has an IPv6 address and a router")

    def client(self, space: str, *argv: str, server: str = BOX6, resolv: str = "") -> subprocess.CompletedProcess:
        """Runs a program that asks `server` for names; `resolv`: more lines of its resolv.conf."""
        file = self.folder / f"resolv-{space}"
        file.write_text(f"nameserver {server}\n{resolv}")
        return self.network.run(space, "unshare", "-m", "sh", "-c", f'mount --bind {file} /etc/resolv.conf && exec "$@"', "sh", *argv,
                                check=False)

    def curl(self, space: str, url: str, **where: str) -> tuple[str, str]:
        """(what the server said, the address that the client connected to); ("", "") if nothing came."""
        done = self.client(space, "curl", "-s", "--max-time", str(self.patience_s), "-w", "%{remote_ip}", url, **where)
        if done.returncode != 0:
            return "", ""
        output, _, address = done.stdout.rpartition("\n")
        return output, address

    def kdig(self, *words: str, space: str = "only6", server: str = BOX6) -> str:
        return self.network.run(space, "kdig", f"@{server}", f"+timeout={self.patience_s}", "+retry=0", *words, check=False).stdout


# What must hold: name, and a function that returns what was seen, or raises AssertionError --------------------

def same(have, want):
    assert have == want, f"{have!r} instead of {want!r}"
    return have


def advertised(lab):
    received = lab.received("only6")
    same(received["pref64"], [PREFIX])
    same(received["rdnss"], [BOX6])
    return f"PREF64 {received['pref64'][0]}, RDNSS {received['rdnss'][0]}"


def has_no_ipv4(lab):
    same(lab.network.run("only6", "ip", "-4", "address", "show", "dev", "eth0").stdout, "")
    same(lab.curl("only6", "http://1.1.1.80/"), ("", ""))
    return "no IPv4 address; an IPv4 literal is out of reach"


def through_nat64(lab):
    same(lab.curl("only6", "http://v4only.site.example/"), ("v4only, asked from 100.64.1.2", "64:ff9b::101:150"))
    return "connects to 64:ff9b::101:150; the server sees the router's IPv4 address"


def native(lab):
    output, address = lab.curl("only6", "http://v6only.site.example/")
    same((output.partition(" from ")[0], address), ("v6only, asked", "2001:db8:f::60"))
    same(lab.curl("only6", "http://both.site.example/")[1], "2001:db8:f::81")
    return "IPv6-only and dual-stack servers are reached without the NAT64"


def known_prefix(lab):
    found = set(lab.kdig("+short", "ipv4only.arpa", "AAAA").split())
    same(found, {"64:ff9b::c000:aa", "64:ff9b::c000:ab"})
    return "ipv4only.arpa says the prefix that PREF64 says"


def dual_over_ipv4(lab):
    same(lab.kdig("+short", "v4only.site.example", "AAAA", space="dual", server=BOX4), "")
    same(lab.curl("dual", "http://v4only.site.example/", server=BOX4), ("v4only, asked from 100.64.1.2", "1.1.1.80"))
    same(lab.curl("dual", "http://both.site.example/", server=BOX4)[1], "2001:db8:f::81")
    return "asks over IPv4, gets no translated address, connects to 1.1.1.80"


def dual_over_ipv6(lab):
    same(lab.curl("dual", "http://v4only.site.example/")[1], "64:ff9b::101:150")
    same(lab.kdig("+short", "v4only.site.example", "A", space="dual"), "1.1.1.80\n")
    return "asks over IPv6 (RDNSS), gets A and a translated AAAA, prefers IPv6: the NAT64"


def clat(lab):
    same(lab.curl("clat", "http://1.1.1.80/"), ("v4only, asked from 100.64.1.2", "1.1.1.80"))
    same(lab.curl("clat", "http://v4only.site.example/")[0], "v4only, asked from 100.64.1.2")
    return "an IPv4 literal works without an IPv4 address on the network"


def excluded(lab):
    answer = lab.kdig("www.legacy.example", "AAAA")
    assert "status: NOERROR" in answer and "64:ff9b" not in answer, answer
    return "a name below `except` gets no translated address"


def own_names(lab):
    same(lab.kdig("+short", "nas.home.example", "A"), "192.168.88.20\n")
    answer = lab.kdig("nas.home.example", "AAAA")
    assert "status: NOERROR" in answer and "64:ff9b" not in answer, answer
    return "nas.home.example has its A and no translated address"


def no_such_name(lab):
    for name in ("nosuch.site.example", "v4only.site.example.home.example"):
        for kind in ("AAAA", "A"):
            answer = lab.kdig(name, kind)
            assert "status: NXDOMAIN" in answer and "64:ff9b" not in answer, answer
    return "NXDOMAIN stays NXDOMAIN, of outside names and of the own zone"


def search_domains(lab):
    done = lab.client("only6", "getent", "ahosts", "v4only.site.example", resolv="search home.example\noptions ndots:5\n")
    assert "64:ff9b::101:150" in done.stdout, done
    done = lab.client("only6", "getent", "ahosts", "nosuch.site.example", resolv="search home.example\noptions ndots:5\n")
    same((done.returncode, done.stdout), (2, ""))
    return "with ndots:5, the search goes on to the name itself"


def flags(answer: str) -> set[str]:
    return set(re.search(r"Flags: ([a-z ]*)", answer)[1].split())


def dnssec_plain(lab):
    answer = lab.kdig("+adflag", "v4only.signed.example", "AAAA")
    assert "64:ff9b::101:150" in answer and "ad" not in flags(answer), answer
    return "AD: translated, no AD"


def dnssec_do(lab):
    answer = lab.kdig("+dnssec", "v4only.signed.example", "AAAA")
    assert "64:ff9b::101:150" in answer and "ad" not in flags(answer) and "RRSIG" not in answer, answer
    return "DO: translated, no AD, no signature"


def dnssec_do_cd(lab):
    answer = lab.kdig("+dnssec", "+cdflag", "v4only.signed.example", "AAAA")
    assert "64:ff9b" not in answer and "NSEC" in answer and "RRSIG" in answer and "status: NOERROR" in answer, answer
    return "DO and CD: the signed denial as it is, for a client that validates and translates itself"


def signed(lab, has_ad):
    for name, kind, address in (("both", "AAAA", "2001:db8:f::81"), ("v4only", "A", "1.1.1.80")):
        answer = lab.kdig("+dnssec", f"{name}.signed.example", kind)
        assert address in answer and "RRSIG" in answer and ("ad" in flags(answer)) == has_ad, answer


def dnssec_native(lab):
    signed(lab, False)
    return "AAAA and A of the name itself keep their signatures; no AD without `trust_ad`"


def dnssec_trusted(lab):
    lab.change("trust_ad: false", "trust_ad: true")
    lab.change("      - exec: $answers\n", "")  # kept answers have no AD
    signed(lab, True)
    dnssec_do(lab)
    return "signed answers have AD with `trust_ad`, translated ones do not"


def dnssec_bogus(lab):
    for kind in ("AAAA", "A"):
        answer = lab.kdig("v4only.broken.example", kind)
        assert "status: SERVFAIL" in answer, answer
    return "a zone with a wrong signature: SERVFAIL, nothing is made of it"


CHECKS = [
    ("router advertisements", advertised), ("only6 has no IPv4", has_no_ipv4), ("only6, IPv4-only site", through_nat64),
    ("only6, IPv6 sites", native), ("ipv4only.arpa", known_prefix), ("dual, DNS over IPv4", dual_over_ipv4),
    ("dual, DNS over IPv6", dual_over_ipv6), ("clat, IPv4 literal", clat), ("excluded names", excluded), ("own names", own_names),
    ("names that do not exist", no_such_name), ("search domains", search_domains), ("DNSSEC, AD", dnssec_plain),
    ("DNSSEC, DO", dnssec_do), ("DNSSEC, DO and CD", dnssec_do_cd), ("DNSSEC, native answers", dnssec_native),
    ("DNSSEC, bogus", dnssec_bogus), ("DNSSEC, trusted upstream", dnssec_trusted),
]


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/lab/ipv6-mostly", description="An IPv6-mostly network around configs/ipv6-mostly.yaml.")
    parser.add_argument("build", help=argparse.SUPPRESS)
    parser.add_argument("--config", type=pathlib.Path, default=CONFIG, help="a configuration of yours for these addresses")
    parser.add_argument("--stop-nat64", action="store_true", help="stop the NAT64 before the checks: some go wrong")
    options = parser.parse_args()
    if not options.config.is_file():
        parser.error(f"--config is {options.config}: no such file")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the lab is removed then, too
    wrong = 0
    try:
        with Ipv6MostlyLab(options.build) as lab:
            lab.start(options.config.resolve())
            if options.stop_nat64:
                lab.translator.stop()
                lab.patience_s = 3
            for name, check in CHECKS:
                try:
                    print(f"ok     {name}: {check(lab)}", flush=True)
                except AssertionError as error:
                    wrong += 1
                    print(f"WRONG  {name}: {error}", flush=True)
    except LabError as error:
        print(f"tools/lab/ipv6-mostly: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(f"{len(CHECKS) - wrong} of {len(CHECKS)} as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
