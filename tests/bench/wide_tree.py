"""The lab's signed tree (lab/dns_tree.py) with ZONES zones of EACH names, and one of NAMES names that floods are for.

Each name is a record of its own: for one by a wildcard, unbound asks no server once it has the wildcard's proof.
"""

from __future__ import annotations

import json
import pathlib
import random
import string

from bench.ports import CLIENT_CPU
from lab.dns_tree import ADDRESS, BODY, HOME, ROOT, SIGNED, TOP, TOP_DOMAINS, Tree, Zone
from lab.network import Network, Process

ZONES, EACH, NAMES = 100, 2_000, 1_000
SPACE = "client"
TTL_S = 3_600
FLOODED = "flood.example"


def zone_name(number: int) -> str:
    return f"z{number}.{TOP_DOMAINS[number % len(TOP_DOMAINS)]}"


def name(number: int) -> str:
    """One of ZONES * EACH names that exist, of each zone in turn."""
    return f"host{number // ZONES}.{zone_name(number % ZONES)}"


def random_labels(seed: int, count: int) -> list[str]:
    letters = random.Random(seed)
    return ["".join(letters.choices(string.ascii_lowercase, k=12)) for _ in range(count)]


class WideTree(Tree):
    def __init__(self, network: Network, folder: pathlib.Path):
        # Not Tree's: that makes the zones with flaws.
        self.network, self.folder, self.space = network, folder, SPACE
        folder.mkdir()
        self.ds: dict[str, list[str]] = {}
        hosts = {zone_name(number): [f"host{i}" for i in range(EACH)] for number in range(ZONES)}
        hosts[FLOODED] = random_labels(1, NAMES)  # so that random names are in all gaps alike
        self.zones = [Zone(zone, "nothing") for zone in hosts]
        for zone, labels in hosts.items():
            self.make(zone, BODY.format(server=HOME) + "".join(f"{label} {TTL_S} A {ADDRESS}\n" for label in labels), SIGNED)
        for top in TOP_DOMAINS:
            below = (zone for zone in self.zones if zone.name.endswith(f".{top}"))
            self.make(top, BODY.format(server=TOP) + "".join(map(self.delegation, below)), SIGNED)
        server = f". 300 NS a.root-servers.net.\na.root-servers.net. 300 A {ROOT}\n"
        self.make("", f"@ 300 SOA a.root-servers.net. hostmaster 1 3600 600 86400 60\n{server}" + "".join(
            f"{top}. 300 NS ns.{top}.\nns.{top}. 300 A {TOP}\n" + "".join(self.ds[top]) for top in TOP_DOMAINS), SIGNED)
        self.anchor = self.key("").replace("\t", " ")
        self.hints = folder / "root.hints"
        self.hints.write_text(server)

    def serve(self) -> Process:
        """On the client's CPU. Queries are counted as they arrive."""
        addresses = (ROOT, TOP, HOME)
        self.network.address(SPACE, "lo", *(f"{address}/32" for address in addresses))
        self.network.run(SPACE, "nft", "add table inet authority; add chain inet authority input { type filter hook input priority 0; }; "
                         "add rule inet authority input udp dport 53 counter; "
                         "add rule inet authority input tcp dport 53 tcp flags & (syn | ack) == syn counter")
        lines = ["server:", f"  rundir: {self.folder}", f"  listen: [ {', '.join(f'{address}@53' for address in addresses)} ]", "  udp-workers: 1",
                 "  tcp-workers: 1", "  background-workers: 1", "log:", "  - target: stderr", "    any: info", "database:",
                 f"  storage: {self.folder}/db", "zone:"]
        for zone in ["", *TOP_DOMAINS, *(zone.name for zone in self.zones)]:
            lines += [f"  - domain: {zone}.", f"    file: {self.folder}/{zone or 'root'}.zone", "    zonefile-sync: -1", "    journal-content: none"]
        conf = self.folder / "knot.conf"
        conf.write_text("\n".join(lines) + "\n")
        process = self.network.start(SPACE, "knotd-tree", "taskset", "-c", CLIENT_CPU, "knotd", "-c", str(conf))
        process.wait_for("server started")
        return process

    def queries(self) -> int:
        """How many queries over UDP have reached the servers, and connections."""
        found = json.loads(self.network.run(SPACE, "nft", "-j", "list", "table", "inet", "authority").stdout)["nftables"]
        return sum(word["counter"]["packets"] for rule in found if "rule" in rule for word in rule["rule"]["expr"] if "counter" in word)
