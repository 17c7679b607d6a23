"""A tree of zones for a resolver that walks from the root: a root, two top-level domains, and zones that are right or broken in
one way each. Signed by BIND's tools, so that each flaw can be made; served by knot at several addresses of the lab's resolver.

    1.1.1.9 root   1.1.1.10 the top-level domains   1.1.1.11 zones   1.1.1.12 to .16 servers that are odd (odd_server.py)
"""

from __future__ import annotations

import dataclasses
import pathlib
import signal

from lab import colliding_keys
from lab.network import LabError, Network, Process, run

ROOT, TOP, HOME, LAME, SLOW, NO_EDNS, TRUNCATES, DROPS_EDNS = (f"1.1.1.{last}" for last in range(9, 17))
ODD = {LAME: "lame", SLOW: "slow", NO_EDNS: "noedns", TRUNCATES: "truncates", DROPS_EDNS: "dropsedns"}
SERVERS = (ROOT, TOP, HOME, *ODD)
TOP_DOMAINS = ("example", "lab")
SIGNED = ("-s", "-86400", "-e", "+30d")
EXPIRED = ("-s", "20240101000000", "-e", "20240201000000")
# Half a day: a clock that is a day off is outside of it.
SHORT = ("-s", "-3600", "-e", "+43200")
ADDRESS = "198.51.100.31"
BODY = f"@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\nns 300 A {{server}}\nwww 300 A {ADDRESS}\n*.any 300 A {ADDRESS}\n"
COLLIDING_KEYS = COLLIDING_SIGNATURES = 200
# BIND signs with 150 rounds at most; ldns with as many as one likes.
MANY_ROUNDS = 2500


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
    ask: str = "www"                # the name below it that is asked for
    signer: str = "bind"            # bind, ldns (NSEC3 with MANY_ROUNDS), colliding (colliding_keys.py)


ZONES = (
    Zone("good.example", "nothing"),
    Zone("good.lab", "nothing, in another top-level domain"),
    Zone("optout.example", "NSEC3 with opt-out", sign=(*SIGNED, "-3", "-", "-A")),
    Zone("unsigned.example", "unsigned", sign=(), ds="none", ad=False),
    Zone("island.example", "signed, and its parent does not say so", ds="none", ad=False),
    Zone("short.example", "signatures for half a day", sign=SHORT),
    Zone("expired.example", "signatures that are over", sign=EXPIRED, status="SERVFAIL", ad=False, codes=(7, 6)),
    Zone("early.example", "signatures that begin in two days", sign=("-s", "+172800", "-e", "+30d"), status="SERVFAIL", ad=False, codes=(8, 6)),
    Zone("missing.example", "the parent says it is signed", sign=(), ds="wrong", status="SERVFAIL", ad=False, codes=(9, 10, 6)),
    Zone("wrong.example", "the parent names another key", ds="wrong", status="SERVFAIL", ad=False, codes=(9, 6)),
    Zone("rounds.example", "NSEC3 with 150 rounds", sign=(*SIGNED, "-3", "aabb", "-H", "150"), status="NXDOMAIN", ask="no"),
    Zone("many.example", f"NSEC3 with {MANY_ROUNDS} rounds", status="NXDOMAIN", ad=False, ask="no", signer="ldns"),
    Zone("keytrap.example", f"{COLLIDING_KEYS} keys with one tag, {COLLIDING_SIGNATURES} signatures", status="SERVFAIL", ad=False,
         codes=(6,), signer="colliding"),
    Zone("lame.example", "its server does not have it", sign=(), ds="none", server=LAME, status="SERVFAIL", ad=False),
    Zone("slow.example", "its server answers after 0.3 s", sign=(), ds="none", server=SLOW, ad=False),
    Zone("noedns.example", "its server refuses EDNS", sign=(), ds="none", server=NO_EDNS, ad=False),
    # Resolvers do not try without EDNS since the flag day of 2019.
    Zone("dropsedns.example", "its server drops queries with EDNS", sign=(), ds="none", server=DROPS_EDNS, status="SERVFAIL", ad=False),
    Zone("truncates.example", "its server answers over TCP only", sign=(), ds="none", server=TRUNCATES, ad=False),
)


class Tree:
    """Its files; `anchor` is the root's key as a record, `island` that of island.example.

    `sign`: the words of dnssec-signzone for the root, the top-level domains and each zone that is right."""

    def __init__(self, network: Network, folder: pathlib.Path, space: str = "resolver", sign: tuple[str, ...] = SIGNED):
        self.network, self.folder, self.space = network, folder, space
        folder.mkdir(parents=True)
        self.ds: dict[str, list[str]] = {}
        for zone in ZONES:
            self.make_zone(zone, sign if zone.sign == SIGNED else zone.sign)
        for top in TOP_DOMAINS:
            self.make(top, BODY.format(server=TOP) + "".join(self.delegation(zone) for zone in ZONES if zone.name.endswith(f".{top}")), sign)
        self.root = (f"@ 300 SOA a.root-servers.net. hostmaster 1 3600 600 86400 60\n@ 300 NS a.root-servers.net.\na.root-servers.net. 300 A {ROOT}\n"
                     + "".join(f"{top}. 300 NS ns.{top}.\nns.{top}. 300 A {TOP}\n" + "".join(self.ds[top]) for top in TOP_DOMAINS))
        self.make("", self.root, sign)
        self.anchor, self.island = self.key(""), self.key("island.example")
        self.hints = folder / "root.hints"
        self.hints.write_text(f". 300 NS a.root-servers.net.\na.root-servers.net. 300 A {ROOT}\n")
        self.process: Process | None = None

    def make_zone(self, zone: Zone, sign: tuple[str, ...]) -> None:
        body = BODY.format(server=zone.server)
        if zone.signer == "colliding":
            text, ds = colliding_keys.signed(zone.name, body, COLLIDING_KEYS, COLLIDING_SIGNATURES)
            self.ds[zone.name] = [ds]
            self.plain(zone.name).write_text(f"$ORIGIN {zone.name}.\n{text}")
        else:
            self.make(zone.name, body, sign, zone.signer)

    def plain(self, name: str) -> pathlib.Path:
        return self.folder / f"{name or 'root'}.zone"

    def keys(self, name: str) -> pathlib.Path:
        return self.folder / f"keys-{name or 'root'}"

    def make(self, name: str, text: str, sign: tuple[str, ...], signer: str = "bind") -> None:
        """Writes the zone, with new keys."""
        if sign:
            self.keys(name).mkdir()
            self.new_key(name, "-f", "KSK")
            self.new_key(name)
        self.sign(name, text, sign, signer)
        self.ds[name] = [line + "\n" for line in run("dnssec-dsfromkey", "-2", str(self.key_file(name))).stdout.splitlines()] if sign else []

    def new_key(self, name: str, *words: str) -> pathlib.Path:
        made = run("dnssec-keygen", "-q", "-K", str(self.keys(name)), "-a", "ECDSAP256SHA256", *words, name or ".").stdout.strip()
        return self.keys(name) / f"{made}.key"

    def sign(self, name: str, text: str, sign: tuple[str, ...], signer: str = "bind") -> None:
        """Writes the zone, signed by the keys of its folder."""
        plain, keys = self.plain(name), self.keys(name)
        plain.write_text(f"$ORIGIN {name}.\n{text}")
        signed = pathlib.Path(f"{plain}.signed")
        if not sign:
            return
        if signer == "ldns":
            run("ldns-signzone", "-n", "-t", str(MANY_ROUNDS), "-s", "aabb", "-o", f"{name}.", "-f", str(signed), str(plain),
                *(str(file.with_suffix("")) for file in keys.glob("*.key")))
        else:
            run("dnssec-signzone", "-q", "-S", "-P", "-K", str(keys), "-d", str(self.folder), "-o", name or ".", *sign, "-f", str(signed), str(plain))
        plain.write_text(signed.read_text())

    def key_file(self, name: str) -> pathlib.Path:
        return next(path for path in self.keys(name).glob("*.key") if " 257 " in path.read_text())

    def key(self, name: str) -> str:
        return next(line for line in self.key_file(name).read_text().splitlines() if " 257 " in line).replace("\t", " ")

    def delegation(self, zone: Zone) -> str:
        text = f"{zone.name}. 300 NS ns.{zone.name}.\nns.{zone.name}. 300 A {zone.server}\n"
        if zone.ds == "right":
            return text + "".join(self.ds[zone.name])
        return text + (f"{zone.name}. 300 DS 4711 13 2 {'ab' * 32}\n" if zone.ds == "wrong" else "")

    def serve(self) -> Process:
        for server in SERVERS:
            self.network.address(self.space, "lo", f"{server}/32")
        for address, how in ODD.items():
            self.network.start(self.space, f"server-{how}", "/usr/bin/python3", str(pathlib.Path(__file__).with_name("odd_server.py")), address, how,
                               ADDRESS).wait_for("ready")
        return self.start_server()

    def route(self, space: str = "router", via: str = "1.1.1.1") -> None:
        """Leads `space` to its servers."""
        for server in SERVERS:
            self.network.route(space, f"{server}/32", "via", via)

    def start_server(self) -> Process:
        listen = ", ".join(f"{address}@53" for address in (ROOT, TOP, HOME))
        lines = ["server:", f"  rundir: {self.folder}", f"  listen: [ {listen} ]", "  udp-workers: 1", "  tcp-workers: 1", "log:", "  - target: stderr",
                 "    any: info", "database:", f"  storage: {self.folder}/db", "zone:"]
        for name in ["", *TOP_DOMAINS, *(zone.name for zone in ZONES if zone.server == HOME)]:
            lines += [f"  - domain: {name}.", f"    file: {self.plain(name)}", "    zonefile-sync: -1", "    journal-content: none"]
        conf = self.folder / "knot.conf"
        conf.write_text("\n".join(lines) + "\n")
        self.process = self.network.start(self.space, "knotd-tree", "knotd", "-c", str(conf))
        self.process.wait_for("server started")
        return self.process

    def serve_again(self) -> None:
        """With zones that have changed, or those of another tree whose files replaced them."""
        if self.process is None:
            raise LabError("the tree is not served")
        self.process.stop(number=signal.SIGKILL)
        self.start_server()
