"""tools/lab/policy: a Linux router that routes by name, fed by SteerDNS.

    client 192.168.88.10 ── 192.168.88.1 router ─┬─ line ──── internet   web server and resolver
           2001:db8:88::10                       └─ tunnel ──┘

SteerDNS runs on the router and fills two sets of nftables. Connections to addresses in a set get a mark, and marked ones
take the tunnel. Each way out has an address of its own, which the web server sees. A client asks for a name that no
client asked for before, and connects as soon as it has the answer.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import random
import signal
import statistics
import sys
from typing import NamedTuple

from lab.network import LabError, Network, NetworkLab, Process, run, until
from lab.scene import knot_configuration

WEB = pathlib.Path(__file__).with_name("which_egress.py")
RULES = pathlib.Path(__file__).with_name("policy.nft")
CLIENT = pathlib.Path(__file__).with_name("first_connection.py")
CONFIG = """
dataplane:
  ports: [ { device: lan0 } ]
plugins:
  - { tag: policy, type: domain_set, args: { exps: [ "domain:stream.example" ] } }
  - tag: tunnel
    type: nftset
    args:
      ipv4: { table_family: inet, table_name: router, set_name: tunnel4, mask: 32 }
      ipv6: { table_family: inet, table_name: router, set_name: tunnel6, mask: 128 }
HOLD
  - { tag: up, type: forward, args: { upstreams: [ { addr: "udp://1.1.1.1" } ] } }
  - tag: main
    type: sequence
    args:
      - { exec: $up }
      - { matches: "qname $policy", exec: $tunnel }
"""
MOST_NAMES = 60_000
# The router's addresses on its two egresses: what the web server sees.
EGRESSES = {"100.64.1.2": "line", "2001:db8:1::2": "line", "10.9.0.2": "tunnel", "2001:db8:9::2": "tunnel"}


class Name(NamedTuple):
    name: str
    kind: str  # A, AAAA
    address: str
    egress: str  # that its connections must take


def names_for(count: int, seed: int = 1) -> list[Name]:
    """Half of them on the list, half of each with IPv6, mixed; neighbours in one prefix are told apart by the list alone."""
    names = []
    for i in range(count):
        zone, egress = (("stream.example", "tunnel"), ("other.example", "line"))[i % 2]
        if i // 2 % 2:
            names.append(Name(f"n{i}.{zone}", "AAAA", f"2001:db8:f::{i + 1:x}", egress))
        else:
            names.append(Name(f"n{i}.{zone}", "A", f"198.18.{i + 1 >> 8}.{i + 1 & 255}", egress))
    random.Random(seed).shuffle(names)
    return names


class PolicyLab(NetworkLab):
    """The network and its parts; a context manager. start() starts all of them. `hold`: answers wait until the kernel's set has
    their addresses, at most `sync_timeout`: long, so that a loaded machine is no mistake."""

    def __init__(self, build: pathlib.Path | str, names: list[Name], hold: bool = True, sync_timeout: str = "10s"):
        self.build, self.names, self.hold, self.sync_timeout = pathlib.Path(build).resolve(), names, hold, sync_timeout
        self.network = Network("policy")
        self.folder = self.network.folder
        self.daemon: Process | None = None

    def _wire(self) -> None:
        net = self.network
        for name in ("client", "router", "line", "tunnel", "internet"):
            net.namespace(name)
        net.link(("client", "eth0"), ("router", "lan0"))
        net.address("client", "eth0", "192.168.88.10/24", "2001:db8:88::10/64")
        net.address("router", "lan0", "192.168.88.1/24", "2001:db8:88::1/64")
        net.address("internet", "lo", "1.1.1.1/32")
        links = {"line": ("100.64.1", "2001:db8:1", "100.65.1", "2001:db8:a"), "tunnel": ("10.9.0", "2001:db8:9", "100.65.9", "2001:db8:b")}
        for egress, (near4, near6, far4, far6) in links.items():
            net.link((egress, "near0"), ("router", f"{egress}0"))
            net.link((egress, "far0"), ("internet", f"{egress}0"))
            net.address("router", f"{egress}0", f"{near4}.2/30", f"{near6}::2/64")
            net.address(egress, "near0", f"{near4}.1/30", f"{near6}::1/64")
            net.address(egress, "far0", f"{far4}.1/30", f"{far6}::1/64")
            net.address("internet", f"{egress}0", f"{far4}.2/30", f"{far6}::2/64")
            for gateway in (f"{far4}.2", f"{far6}::2"):
                net.route(egress, "default", "via", gateway)
            net.route("internet", f"{near4}.0/30", "via", f"{far4}.1")
            net.route("internet", f"{near6}::/64", "via", f"{far6}::1")
        for space in ("router", "line", "tunnel"):
            net.run(space, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        for space in ("router", "internet"):  # answers may come from the way that the main table does not name
            net.run(space, "sh", "-c", "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done")
        net.run("internet", "ip", "route", "add", "local", "198.18.0.0/15", "dev", "lo")
        net.run("internet", "ip", "-6", "route", "add", "local", "2001:db8:f::/48", "dev", "lo")
        for gateway in ("192.168.88.1", "2001:db8:88::1"):
            net.route("client", "default", "via", gateway)
        for gateway in ("100.64.1.1", "2001:db8:1::1"):
            net.route("router", "default", "via", gateway)

    def start(self) -> None:
        self.start_internet()
        self.route_by_marks()
        self.start_daemon()

    def route_by_marks(self) -> None:
        """What the router needs: sets, marks, and a table for marked packets."""
        net = self.network
        for family, gateway in (("-4", "10.9.0.1"), ("-6", "2001:db8:9::1")):
            net.run("router", "ip", family, "rule", "add", "fwmark", "1", "lookup", "100")
            net.run("router", "ip", family, "route", "add", "default", "via", gateway, "table", "100")
        net.run("router", "nft", "-f", str(RULES))

    def start_internet(self) -> None:
        """The resolver with the names, and the web server at all addresses."""
        net = self.network
        head = "@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.1\n"
        zones = {zone: head for zone in ("stream.example", "other.example")}
        for name in self.names:
            label, _, zone = name.name.partition(".")
            zones[zone] += f"{label} 300 {name.kind} {name.address}\n"
        conf = knot_configuration(self.folder / "knot", "1.1.1.1@53", zones)
        net.start("internet", "knotd", "knotd", "-c", str(conf)).wait_for("server started")
        net.start("internet", "web", "/usr/bin/python3", str(WEB), json.dumps(EGRESSES)).wait_for("ready")

    def start_daemon(self) -> None:
        net = self.network
        config = self.folder / "policy.yaml"
        config.write_text(CONFIG.replace("HOLD", f"      async: false\n      sync_timeout: {self.sync_timeout}" if self.hold else ""))
        self.daemon = net.start("router", "steerdnsd", str(self.build / "steerdnsd"), "--config", str(config), "--control-socket",
                                str(self.folder / "control.sock"))
        self.daemon.wait_for("serving", 40)
        until(self.sets_are_ready, 60, "the kernel's sets are ready")

    def steerctl(self, *words: str) -> dict:
        done = run(str(self.build / "tools/steerctl/steerctl"), "--socket", str(self.folder / "control.sock"), "--json", *words)
        return json.loads(done.stdout)

    def sets_are_ready(self) -> bool:
        sets = self.steerctl("status").get("sets", [])
        return len(sets) == 2 and all(one["state"] == "ready" for one in sets)

    def filler(self) -> int:
        """The process that fills the sets."""
        filler = self.network.child("router", "steerdnsd", "steerdns-sets")
        if filler is None:
            raise LabError("steerdns-sets does not run")
        return filler

    @contextlib.contextmanager
    def paused_filler(self):
        """The sets are not filled in this context. After a minute the daemon starts another process."""
        filler = self.filler()
        os.kill(filler, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(filler, signal.SIGCONT)

    def connect_all(self) -> list[dict]:
        """Asks for each name and connects at once: [{"name", "way", "ms"}]; way None: no answer or no connection."""
        questions = "".join(f"{name.name} {name.kind}\n" for name in self.names)
        done = self.network.run("client", "/usr/bin/python3", str(CLIENT), "192.168.88.1", "2001:db8:88::1", input=questions)
        return [json.loads(line) for line in done.stdout.splitlines()]


class Line(NamedTuple):
    """Of the table."""

    names: str
    count: int
    right: int
    wrong: int
    median_ms: float
    p99_ms: float


def judge(names: list[Name], results: list[dict]) -> list[Line]:
    lines = []
    groups = [("listed, IPv4", "tunnel", "A"), ("listed, IPv6", "tunnel", "AAAA"), ("others, IPv4", "line", "A"),
              ("others, IPv6", "line", "AAAA"), ("all", None, None)]
    for label, egress, kind in groups:
        pairs = [(name, result) for name, result in zip(names, results, strict=True)
                 if egress in (None, name.egress) and kind in (None, name.kind)]
        right = sum(result["way"] == name.egress for name, result in pairs)
        times = sorted(result["ms"] for _, result in pairs if result["ms"] is not None) or [float("nan")]
        lines.append(Line(label, len(pairs), right, len(pairs) - right, statistics.median(times), times[int(len(times) * 0.99)]))
    return lines


def print_table(lines: list[Line]) -> None:
    print("names         count  right egress  wrong  answer to connection, ms: median    p99")
    for line in lines:
        print(f"{line.names:<12}  {line.count:5}  {line.right:12}  {line.wrong:5}  {line.median_ms:32.2f}  {line.p99_ms:5.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/lab/policy", description="The first connection after an answer takes the right way.")
    parser.add_argument("build", help=argparse.SUPPRESS)
    parser.add_argument("--names", type=int, help="how many names are asked for (1000; with --pause-sink 20)")
    parser.add_argument("--no-hold", action="store_true", help="answers do not wait for the kernel's set")
    parser.add_argument("--pause-sink", action="store_true", help="the process that fills the sets is stopped: connections go wrong")
    options = parser.parse_args()
    count = options.names if options.names is not None else 20 if options.pause_sink else 1000
    if not 1 <= count <= MOST_NAMES:
        parser.error(f"--names is {count}: expected 1 to {MOST_NAMES}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the lab is removed then, too
    try:
        names = names_for(count)
        with PolicyLab(options.build, names, not options.no_hold, "100ms" if options.pause_sink else "10s") as lab:
            lab.start()
            with lab.paused_filler() if options.pause_sink else contextlib.nullcontext():
                lines = judge(names, lab.connect_all())
    except LabError as error:
        print(f"tools/lab/policy: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print_table(lines)
    return 1 if lines[-1].wrong else 0


if __name__ == "__main__":
    sys.exit(main())
