"""A tree of zones for a resolver that walks from the root: a root, two top-level domains, and zones that are right or broken in
one way each. Signed by BIND's tools, so that each flaw can be made; served by knot at several addresses of the lab's resolver.

    1.1.1.9 root   1.1.1.10 the top-level domains   1.1.1.11 zones   1.1.1.12 lame: no zone   1.1.1.13 slow   1.1.1.14 no EDNS
"""

from __future__ import annotations

import dataclasses
import pathlib

from lab.network import Network, Process, run

ROOT, TOP, HOME, LAME, SLOW, NO_EDNS = (f"1.1.1.{last}" for last in range(9, 15))
SERVERS = (ROOT, TOP, HOME, LAME, SLOW, NO_EDNS)
TOP_DOMAINS = ("example", "lab")
SIGNED = ("-s", "-86400", "-e", "+30d")
EXPIRED = ("-s", "20240101000000", "-e", "20240201000000")
ADDRESS = "198.51.100.31"
BODY = f"@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\nns 300 A {{server}}\nwww 300 A {ADDRESS}\n*.any 300 A {ADDRESS}\n"


@dataclasses.dataclass(frozen=True)
class Zone:
    name: str
    flaw: str                       # what is special, for people
    sign: tuple[str, ...] = SIGNED  # words of dnssec-signzone; (): unsigned
    ds: str = "right"               # in the parent: right, wrong, none
    server: str = HOME
    status: str = "NOERROR"         # that a validating resolver gives
    ad: bool = True
    codes: tuple[int, ...] = ()     # one of these extended errors is given; (): none


ZONES = (
    Zone("good.example", "nothing"),
    Zone("good.lab", "nothing, in another top-level domain"),
    Zone("optout.example", "NSEC3 with opt-out", sign=(*SIGNED, "-3", "-", "-A")),
    Zone("unsigned.example", "unsigned", sign=(), ds="none", ad=False),
    Zone("island.example", "signed, and its parent does not say so", ds="none", ad=False),
    Zone("expired.example", "signatures that are over", sign=EXPIRED, status="SERVFAIL", ad=False, codes=(7, 6)),
    Zone("missing.example", "the parent says it is signed", sign=(), ds="wrong", status="SERVFAIL", ad=False, codes=(9, 10, 6)),
    Zone("wrong.example", "the parent names another key", ds="wrong", status="SERVFAIL", ad=False, codes=(9, 6)),
    Zone("rounds.example", "NSEC3 with 150 rounds", sign=(*SIGNED, "-3", "aabb", "-H", "150")),
    Zone("lame.example", "its server does not have it", sign=(), ds="none", server=LAME, status="SERVFAIL", ad=False),
    Zone("slow.example", "its server answers after 0.3 s", sign=(), ds="none", server=SLOW, ad=False),
    Zone("noedns.example", "its server refuses EDNS", sign=(), ds="none", server=NO_EDNS, ad=False),
)


class Tree:
    """Its files; `anchor` is the root's key as a record, `island` that of island.example."""

    def __init__(self, network: Network, folder: pathlib.Path, space: str = "resolver"):
        self.network, self.folder, self.space = network, folder, space
        folder.mkdir(parents=True)
        self.ds: dict[str, list[str]] = {}
        for zone in ZONES:
            self.make(zone.name, BODY.format(server=zone.server), zone.sign)
        for top in TOP_DOMAINS:
            self.make(top, BODY.format(server=TOP) + "".join(self.delegation(zone) for zone in ZONES if zone.name.endswith(f".{top}")), SIGNED)
        self.make("", f"@ 300 SOA a.root-servers.net. hostmaster 1 3600 600 86400 60\n@ 300 NS a.root-servers.net.\na.root-servers.net. 300 A {ROOT}\n"
                  + "".join(f"{top}. 300 NS ns.{top}.\nns.{top}. 300 A {TOP}\n" + "".join(self.ds[top]) for top in TOP_DOMAINS), SIGNED)
        self.anchor, self.island = self.key(""), self.key("island.example")
        self.hints = folder / "root.hints"
        self.hints.write_text(f". 300 NS a.root-servers.net.\na.root-servers.net. 300 A {ROOT}\n")

    def make(self, name: str, text: str, sign: tuple[str, ...]) -> None:
        plain, keys = self.folder / f"{name or 'root'}.zone", self.folder / f"keys-{name or 'root'}"
        plain.write_text(f"$ORIGIN {name}.\n{text}")
        self.ds[name] = []
        if not sign:
            return
        keys.mkdir()
        origin = name or "."
        run("dnssec-keygen", "-q", "-K", str(keys), "-a", "ECDSAP256SHA256", "-f", "KSK", origin)
        run("dnssec-keygen", "-q", "-K", str(keys), "-a", "ECDSAP256SHA256", origin)
        run("dnssec-signzone", "-q", "-S", "-P", "-K", str(keys), "-d", str(self.folder), "-o", origin, *sign, "-f", f"{plain}.signed", str(plain))
        plain.write_text(pathlib.Path(f"{plain}.signed").read_text())
        self.ds[name] = [line + "\n" for line in run("dnssec-dsfromkey", "-2", str(self.key_file(name))).stdout.splitlines()]

    def key_file(self, name: str) -> pathlib.Path:
        return next(path for path in (self.folder / f"keys-{name or 'root'}").glob("*.key") if " 257 " in path.read_text())

    def key(self, name: str) -> str:
        return next(line for line in self.key_file(name).read_text().splitlines() if " 257 " in line)

    def delegation(self, zone: Zone) -> str:
        text = f"{zone.name}. 300 NS ns.{zone.name}.\nns.{zone.name}. 300 A {zone.server}\n"
        if zone.ds == "right":
            return text + "".join(self.ds[zone.name])
        return text + (f"{zone.name}. 300 DS 4711 13 2 {'ab' * 32}\n" if zone.ds == "wrong" else "")

    def serve(self) -> Process:
        for server in SERVERS:
            self.network.address(self.space, "lo", f"{server}/32")
        listen = ", ".join(f"{address}@53" for address in (ROOT, TOP, HOME))
        lines = ["server:", f"  rundir: {self.folder}", f"  listen: [ {listen} ]", "  udp-workers: 1", "  tcp-workers: 1", "log:", "  - target: stderr",
                 "    any: info", "database:", f"  storage: {self.folder}/db", "zone:"]
        for name in ["", *TOP_DOMAINS, *(zone.name for zone in ZONES if zone.server == HOME)]:
            lines += [f"  - domain: {name}.", f"    file: {self.folder}/{name or 'root'}.zone", "    zonefile-sync: -1", "    journal-content: none"]
        conf = self.folder / "knot.conf"
        conf.write_text("\n".join(lines) + "\n")
        for address, how in ((LAME, "lame"), (SLOW, "slow"), (NO_EDNS, "noedns")):
            self.network.start(self.space, f"server-{how}", "/usr/bin/python3", str(pathlib.Path(__file__).with_name("odd_server.py")), address, how,
                               ADDRESS).wait_for("ready")
        process = self.network.start(self.space, "knotd-tree", "knotd", "-c", str(conf))
        process.wait_for("server started")
        return process
