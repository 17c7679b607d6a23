"""The lab: a client, a RouterOS router in the middle, the appliance and a resolver, as in a real network.

    client 192.168.88.10 ── 192.168.88.1 router 172.16.1.1 ── 172.16.1.2 appliance
           fd88::10         fd88::1      │      fd16::1       fd16::2
                                         └ 1.1.1.2 ── 1.1.1.1 resolver (offline: knot with zones of its own)

The addresses are those of the example configurations, which therefore run here unchanged. The namespaces are closed:
no packet leaves the machine.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import time
from collections.abc import Iterable

from lab.network import PATIENCE_S, LabError, Network, NetworkLab, Process, run, steerctl, until

ROOT = pathlib.Path(__file__).resolve().parents[2]

ZONES = {
    "stream.example": """
@ 300 SOA ns hostmaster 1 3600 600 86400 60
@ 300 NS ns
@ 300 A 203.0.113.10
@ 300 A 203.0.113.11
@ 300 AAAA 2001:db8:113::10
ns 300 A 1.1.1.1
www 120 CNAME edge.stream.example.
edge 120 CNAME node.stream.example.
node 30 A 203.0.113.31
node 30 AAAA 2001:db8:113::31
short 5 A 203.0.113.20
long 86400 A 203.0.113.21
* 60 A 203.0.113.99
""",
    "media.example": """
@ 300 SOA ns hostmaster 1 3600 600 86400 60
@ 300 NS ns
@ 300 A 203.0.113.30
@ 300 AAAA 2001:db8:113::30
ns 300 A 1.1.1.1
""",
    "backup.example": """
@ 300 SOA ns hostmaster 1 3600 600 86400 60
@ 300 NS ns
@ 300 A 203.0.113.40
ns 300 A 1.1.1.1
""",
    "other.example": """
@ 300 SOA ns hostmaster 1 3600 600 86400 60
@ 300 NS ns
@ 300 A 198.51.100.1
ns 300 A 1.1.1.1
www 300 A 198.51.100.2
www 300 AAAA 2001:db8:100::2
big 300 TXT "{filler}" "{filler}" "{filler}" "{filler}" "{filler}" "{filler}" "{filler}" "{filler}" "{filler}"
* 300 A 198.51.100.9
""",
}

USER, PASSWORD = "api-user", "secret"
# How a line of steerdnsd's log begins that says why it does not start.
ERROR = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d error "


def knot_configuration(folder: pathlib.Path, listen: str, zones: dict[str, str], signed: tuple[str, ...] = ()) -> pathlib.Path:
    """Writes knotd's configuration and zone files into `folder`; returns the configuration's path. knotd signs the zones of
    `signed` with keys that keymgr makes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "db").mkdir(exist_ok=True)  # keymgr wants it
    lines = ["server:", f"  rundir: {folder}", f"  listen: {listen}", "  udp-workers: 1", "  tcp-workers: 1",
             "  background-workers: 1", "  udp-max-payload: 1232", "log:", "  - target: stderr", "    any: info",
             "database:", f"  storage: {folder}/db", "policy:", "  - id: one", "    single-type-signing: on", "    nsec3: off",
             "acl:", "  - id: appliance", "    address: 172.16.1.2", "    action: transfer", "zone:"]
    for name, text in zones.items():
        file = folder / f"{name}.zone"
        file.write_text(f"$ORIGIN {name}.\n" + text.replace("{filler}", "x" * 250))
        lines += [f"  - domain: {name}.", f"    file: {file}", "    zonefile-sync: -1", "    acl: appliance"]
        lines += (["    zonefile-load: difference-no-serial", "    journal-content: all", "    dnssec-signing: on", "    dnssec-policy: one"]
                  if name in signed else ["    journal-content: none"])
    path = folder / "knot.conf"
    path.write_text("\n".join(lines) + "\n")
    return path


def start_load(network: Network, lines: Iterable[str], rate: int, *options: str, server: str = "172.16.1.2") -> Process:
    """dnsperf until SIGINT, or for 10 minutes, with its `options`. A line is "NAME TYPE"."""
    queries = network.folder / "queries"
    queries.write_text("".join(f"{line}\n" for line in lines))
    return network.start("client", "dnsperf", "dnsperf", "-s", server, "-d", str(queries), "-l", "600", "-Q", str(rate), *options)


def query_counts(text: str) -> dict[str, int]:
    """What dnsperf says of its queries at the end. Those that still wait at a SIGINT are interrupted, not lost."""
    return {what: int(count) for what, count in re.findall(r"Queries (sent|completed|lost):\s+(\d+)", text)}


class Scene(NetworkLab):
    """Builds the network and runs its parts; a context manager."""

    def __init__(self, label: str = "lab", build: pathlib.Path | None = None, keep_files: bool = False):
        self.build = pathlib.Path(build or ROOT / "build").resolve()
        self.network = Network(label, keep_files)
        self.folder = self.network.folder
        self.socket = self.folder / "control.sock"
        self.journal = self.folder / "journal.jsonl"
        self.router_socket = self.folder / "rossim.sock"
        self.second_journal = self.folder / "second.jsonl"
        self.second_socket = self.folder / "second.sock"
        self.daemon: Process | None = None
        self.rossim: Process | None = None
        self.resolver: Process | None = None
        self.daemons = 0

    def _wire(self) -> None:
        net = self.network
        for name in ("client", "router", "appliance", "resolver"):
            net.namespace(name)
        net.link(("client", "eth0"), ("router", "lan0"))
        net.link(("appliance", "eth0"), ("router", "dns0"))
        net.link(("resolver", "eth0"), ("router", "wan0"))
        for space in ("router",):
            net.run(space, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        net.address("client", "eth0", "192.168.88.10/24", "fd88::10/64")
        net.address("router", "lan0", "192.168.88.1/24", "fd88::1/64")
        net.address("router", "dns0", "172.16.1.1/24", "fd16::1/64")
        net.address("router", "wan0", "1.1.1.2/30", "fd01::2/64")
        net.address("appliance", "eth0", "172.16.1.2/24", "fd16::2/64")
        net.address("resolver", "eth0", "1.1.1.1/30", "fd01::1/64")
        for space, v4, v6 in (("client", "192.168.88.1", "fd88::1"), ("appliance", "172.16.1.1", "fd16::1"),
                              ("resolver", "1.1.1.2", "fd01::2")):
            net.route(space, "default", "via", v4)
            net.route(space, "default", "via", v6)

    # The parts ------------------------------------------------------------------------------------------------

    def start_resolver(self, zones: dict[str, str] | None = None) -> Process:
        conf = knot_configuration(self.folder / "knot", "1.1.1.1@53", zones or ZONES)
        self.resolver = self.network.start("resolver", "knotd", "knotd", "-c", str(conf))
        self.resolver.wait_for("server started")
        return self.resolver

    def start_router(self, *options: str) -> Process:
        self.rossim = self._start_rossim("rossim", 8728, self.journal, self.router_socket, *options)
        return self.rossim

    def start_second_router(self, *options: str) -> Process:
        """Another router at the first one's address, on port 8738."""
        return self._start_rossim("rossim-2", 8738, self.second_journal, self.second_socket, *options)

    def _start_rossim(self, label: str, port: int, journal: pathlib.Path, control: pathlib.Path, *options: str) -> Process:
        process = self.network.start(
            "router", label, str(self.build / "tools/rossim/rossim"), "--address", "172.16.1.1", "--port", str(port),
            "--user", f"{USER}:{PASSWORD}", "--journal", str(journal), "--control", str(control), *options)
        process.wait_for(f"port {port}")
        return process

    def start_daemon(self, config: pathlib.Path | str, *options: str, wait: str = "serving",
                     env: dict[str, str] | None = None) -> Process:
        """`config` is a file; the control socket is the scene's own; `env`: more variables."""
        self.daemons += 1
        self.daemon = self.network.start(
            "appliance", f"steerdnsd-{self.daemons}", str(self.build / "steerdnsd"), "--config", str(config),
            "--control-socket", str(self.socket), *options, env=env)
        if wait:
            self.daemon.wait_for(wait, 40)
        return self.daemon

    def start_load(self, rate: int = 500) -> Process:
        """Every second query is for the same name. Fewer queries wait than a client may park."""
        lines = (f"n{i}.other.example A\nother.example A" for i in range(20_000))
        return start_load(self.network, lines, rate, "-t", "10", "-q", "200")

    # What one asks of them ------------------------------------------------------------------------------------

    def kdig(self, *words: str, server: str = "172.16.1.2", space: str = "client") -> str:
        return self.network.run(space, "kdig", f"@{server}", "+timeout=15", "+retry=0", *words, check=False).stdout

    def short(self, *words: str, **where: str) -> list[str]:
        return self.kdig("+short", *words, **where).split()

    def ask(self, *words: str, check: bool = False) -> subprocess.CompletedProcess:
        """The finished process of steerctl, also after a failure."""
        return steerctl(self.build, self.socket, self.daemon, *words, check=check)

    def steerctl(self, *words: str) -> str:
        return self.ask(*words, check=True).stdout

    def reported(self, *words: str):
        """The result of `steerctl --json WORDS`."""
        return json.loads(self.steerctl("--json", *words))

    def readyz(self) -> str:
        return self.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/readyz").stdout

    def counters(self) -> dict:
        return self.reported("counters")

    def total(self, table: str, name: str) -> int:
        """A counter summed over workers; `table`: verdicts, moved, injected, pending_outcomes, stats."""
        return sum(worker[table].get(name, 0) for worker in self.counters()["workers"])

    def stream_total(self, name: str) -> int:
        """A counter summed over the threads `streams`."""
        return sum(thread[name] for thread in self.counters()["streams"])

    def wait_tried_again(self, times: int = 2) -> None:
        """Waits until the first router was tried that many more times: a connection, or a heartbeat within one."""
        def tries() -> int:
            counters = self.counters()["routers"][0]
            return counters["connection_attempts"] + counters["heartbeats"]
        before = tries()
        until(lambda: tries() >= before + times, 20, f"the router is tried {times} times more")

    def router_ctl(self, *words: str, socket: pathlib.Path | None = None) -> str:
        """`socket`: the first router's if it is left out."""
        return run(str(self.build / "tools/rossim/rossim"), "ctl", str(socket or self.router_socket), *words).stdout

    def rows(self) -> list[dict]:
        """The router's rows as a third-party client reads them, without those of a probe."""
        script = ("import json,librouteros\n"
                  f"api=librouteros.connect(host='172.16.1.1',username='{USER}',password='{PASSWORD}')\n"
                  "rows=[]\n"
                  "for menu in ('/ip/firewall/address-list','/ipv6/firewall/address-list'):\n"
                  "    rows+=[dict(r) for r in api.path(menu)]\n"
                  "print(json.dumps(rows))\n")
        rows = json.loads(self.network.run("router", "/usr/bin/python3", "-c", script).stdout)
        return [row for row in rows if row["list"] != "steerdns-probe"]

    def wait_rows(self, wanted: set[tuple[str, str]], seconds: float = 10) -> list[dict]:
        """Waits until the router holds each (list, address), at least PATIENCE_S; returns all rows."""
        seconds = max(seconds, PATIENCE_S)
        deadline = time.monotonic() + seconds
        while True:
            rows = self.rows()
            missing = wanted - {(r["list"], r["address"]) for r in rows}
            if not missing:
                return rows
            if time.monotonic() > deadline:
                raise LabError(f"the router still lacks {sorted(missing)} after {seconds} s; it has {rows}")
            time.sleep(0.1)
