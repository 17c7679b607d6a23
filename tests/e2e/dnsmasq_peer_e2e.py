"""Debian's dnsmasq beside its import: random configurations, the same questions, the same answers and sets.

    dnsmasq_peer_e2e.py BUILD [SEED [ROUNDS]]

Each round writes a configuration, starts dnsmasq with it, and reloads steerdnsd with what `steerctl import dnsmasq` made of it.
Four upstreams answer every question, each with addresses of its own, so that an answer names the one that was asked.
"""

import random
import re
import socket
import sys
import threading
import unittest

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import peer_resolvers

from lab.network import LabError, until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
SEED = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 45
ROUNDS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 6
US, DNSMASQ = "172.16.1.2", "1.1.1.5"
UPSTREAMS = [f"1.1.1.{number}" for number in (11, 12, 13, 14)]
LABELS = ("a", "b", "c")
TABLE = "table inet fw%d {\n" + "".join(f"  set {name} {{ type ipv{family}_addr; flags timeout; }}\n"
                                      for family in "46" for name in (f"x{family}", f"y{family}", f"z{family}")) + "}\n"
HEAD = """
policy: { resolve_special: all }
"""


class Upstream(threading.Thread):
    """Answers A, AAAA, TXT and PTR with data of its own. Names with a label that begins with `nx` do not exist."""

    def __init__(self, scene, address):
        super().__init__(daemon=True)
        peer_resolvers.make_room(scene, address)
        self.number = int(address.rsplit(".", 1)[1])
        self.socket = scene.network.socket("resolver", socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))

    def run(self):
        while True:
            try:
                wire, sender = self.socket.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(wire)
            reply = dns.message.make_response(query)
            name, kind = query.question[0].name, query.question[0].rdtype
            # Another address for each name: an element of a set tells which name brought it.
            mark = sum(name.to_text().lower().encode()) % 200 + 1
            data = {"A": f"93.184.{self.number}.{mark}", "AAAA": f"2a00:{self.number}::{mark}",
                    "TXT": f'"upstream {self.number}"', "PTR": f"upstream{self.number}.test."}.get(dns.rdatatype.to_text(kind))
            if any(label.lower().startswith(b"nx") for label in name.labels):
                reply.set_rcode(dns.rcode.NXDOMAIN)
            elif data is not None:
                reply.answer.append(dns.rrset.from_text(name, 60, "IN", dns.rdatatype.to_text(kind), data))
            self.socket.sendto(reply.to_wire(), sender)


def some_domain(rng, depth=3):
    return ".".join([rng.choice(LABELS) for _ in range(rng.randint(1, depth))] + ["test"])


def make(rng):
    """A configuration of dnsmasq. Each line alone is usual; together they nest in all ways."""
    lines = ["no-resolv", "no-hosts", f"server={UPSTREAMS[0]}"]
    asked = {}  # one server for a domain: of several, each program may ask any
    for _ in range(rng.randint(3, 12)):
        name = some_domain(rng)
        server = asked.setdefault(name, rng.choice([*UPSTREAMS, "#"]))
        lines.append(f"server=/{name}/{rng.choice((server, server, ''))}")
    for _ in range(rng.randint(0, 5)):
        lines.append(f"address=/{some_domain(rng)}/{rng.choice(['192.0.2.1', '192.0.2.2', '2a00:9::1', '#'])}")
    if rng.random() < 0.3:  # more domains with one address than are written as records
        lines += [f"address=/blocked{number}.{some_domain(rng, 2)}/192.0.2.66" for number in range(20)]
    if rng.random() < 0.3:
        lines.append("address=/#/192.0.2.3")
    for number in range(rng.randint(0, 3)):
        lines.append(f"host-record=host{number}.{some_domain(rng, 2)},192.0.2.{20 + number}")
    if rng.random() < 0.5:
        lines.append(f"txt-record=text.{some_domain(rng, 2)},hello")
    for option in ("filter-AAAA", "filter-rr=TXT", "domain-needed", "bogus-priv", "bogus-nxdomain=93.184.12.0/24", "max-ttl=20"):
        if rng.random() < 0.3:
            lines.append(option)
    if rng.random() < 0.5:
        lines.append(f"rev-server=10.{rng.randint(0, 1)}.0.0/16,{UPSTREAMS[1]}")
    if rng.random() < 0.5:
        lines += [f"server=/{rng.choice(('corp', 'lan'))}/{rng.choice((UPSTREAMS[2], ''))}", "host-record=nas.lan,192.0.2.40"]
    if rng.random() < 0.3:
        lines.append("nftset=/#/4#inet#fw#z4,6#inet#fw#z6")
    for _ in range(rng.randint(0, 5)):
        name = rng.choice("xyz")
        lines.append(f"nftset=/{some_domain(rng)}/4#inet#fw#{name}4,6#inet#fw#{name}6")
    return lines


def names_of(lines, rng):
    """The domains of the lines, and names above, below and beside them."""
    out = {"test", "corp", "lan", "a.corp", "nas.lan", "other.lan", "single", "1.0.0.10.in-addr.arpa", "1.0.1.10.in-addr.arpa",
           "1.2.168.192.in-addr.arpa", "1.1.1.8.in-addr.arpa"}
    for line in lines:
        for name in re.findall(r"[a-z0-9.]+\.(?:test|lan)\b", line):
            out |= {name, "q." + name, "nx." + name, name.split(".", 1)[1], "notbelow" + name}
    out |= {some_domain(rng, 4) for _ in range(10)}
    return sorted(out)


class Peer(unittest.TestCase):
    def setUp(self):
        self.scene = scene = self.enterContext(Scene("dnsmasq", BUILD))
        self.net = scene.network
        peer_resolvers.make_room(scene, DNSMASQ)
        for address in UPSTREAMS:
            upstream = Upstream(scene, address)
            upstream.start()
            self.addCleanup(upstream.socket.close)
        self.config = scene.folder / "made.yaml"

    def make_both(self, lines, number):
        """Starts dnsmasq, and (re)loads steerdnsd with the import. Each configuration has a table of its own."""
        conf = self.scene.folder / f"{number}.conf"
        conf.write_text("\n".join(lines).replace("#fw#", f"#fw{number}#") + "\n")
        made = self.net.run("client", str(self.scene.build / "tools/steerctl/steerctl"), "import", "dnsmasq", str(conf))
        self.config.write_text(HEAD + made.stdout)
        for space in ("appliance", "resolver"):
            self.net.run(space, "nft", "-f", "-", input=TABLE % number)
        dnsmasq = self.net.start("resolver", f"dnsmasq-{number}", "dnsmasq", "--keep-in-foreground", "--log-facility=-",
                                 f"--conf-file={conf}", "--port=53", f"--listen-address={DNSMASQ}", "--bind-interfaces",
                                 "--user=root", "--pid-file=")
        dnsmasq.wait_for("started")
        if self.scene.daemon is None:
            self.scene.start_daemon(self.config)
        else:
            self.scene.steerctl("reload")
            self.scene.steerctl("cache", "flush", "--all")
        return dnsmasq

    def in_sets(self, space, number):
        text = self.net.run(space, "nft", "list", "table", "inet", f"fw{number}").stdout
        out = {}
        for name, body in re.findall(r"set (\w+) \{(.*?)\n\t\}", text, re.S):
            found = re.search(r"elements = \{(.*?)\}", body, re.S)
            out[name] = sorted(e.split()[0] for e in re.split(r",\s*", found.group(1).strip())) if found else []
        return out

    def essence(self, server, name, kind):
        reply = peer_resolvers.ask(self.scene, server, name, kind, 5)
        self.assertIsNotNone(reply, (server, name, kind))
        rcode, records = peer_resolvers.essence(reply)
        # TTL: only whether an upstream's answer is above max-ttl.
        upstream = [rrset.ttl for rrset in reply.answer for rdata in rrset if "93.184." in rdata.to_text()]
        return rcode, records, bool(upstream) and min(upstream) > 20

    def compare(self, lines, number, rng):
        dnsmasq = self.make_both(lines, number)
        wrong, asked = [], 0
        for name in names_of(lines, rng):
            kinds = ("PTR", "TXT") if name.endswith("arpa") else ("AAAA", "A", "TXT")
            for kind in kinds:
                asked += 1
                ours, theirs = self.essence(US, name, kind), self.essence(DNSMASQ, name, kind)
                if ours != theirs and not self.may_differ(lines, name, kind, ours, theirs):
                    wrong.append((name, kind, "here", ours, "dnsmasq", theirs))
        wanted = self.in_sets("resolver", number)
        if "filter-AAAA" in lines:  # dnsmasq adds addresses that it then takes off the answer
            wanted |= {name: [] for name in wanted if name.endswith("6")}
        try:
            until(lambda: self.in_sets("appliance", number) == wanted, 5, "the sets are equal")
        except LabError:
            wrong.append(("sets", "here", self.in_sets("appliance", number), "dnsmasq", wanted))
        self.assertEqual(dnsmasq.stop(), 0)
        return wrong, asked

    @staticmethod
    def may_differ(lines, name, kind, ours, theirs):
        """docs/guides/import.md: what is known to differ."""
        # A domain with an address for one family: other types of its names are NODATA here, where the name does not exist.
        domains = re.findall(r"^address=/([^/]+)/[0-9a-f.:]+$", "\n".join(lines), re.M)
        one_family = any(domain == "#" or ("." + name).endswith("." + domain) for domain in domains)
        empty = one_family and ours[0] == "NOERROR" and not ours[1] and theirs[0] == "NXDOMAIN"
        # dnsmasq keeps that a name does not exist for all types.
        forgotten = theirs[0] == "NXDOMAIN" and any(line.startswith("bogus-nxdomain") for line in lines) and kind != "A"
        # dnsmasq makes NODATA of NXDOMAIN if the name has records here.
        unknown = ours[0] == "NXDOMAIN" and theirs[0] == "NOERROR" and not theirs[1] and name.startswith(("nx.", "text."))
        # dnsmasq takes an address= of a domain, too, off the answer for a name with records.
        filtered = "filter-AAAA" in lines and kind == "AAAA" and theirs[:2] == ("NOERROR", []) and name.startswith("host")
        return empty or forgotten or unknown or filtered

    def test_answers_and_sets_equal_those_of_dnsmasq(self):
        asked = 0
        for number in range(ROUNDS):
            rng = random.Random(SEED * 1000 + number)
            lines = make(rng)
            wrong, more = self.compare(lines, number, rng)
            asked += more
            self.assertFalse(wrong, f"{wrong[:8]}: round {number} of seed {SEED}, {len(wrong)} differ:\n" + "\n".join(lines))
        print(f"  {asked} answers the same, {ROUNDS} configurations")
        self.assertGreater(asked, 100 * ROUNDS)

    def test_a_domain_within_another_has_its_own_set(self):
        lines = ["no-resolv", "no-hosts", f"server={UPSTREAMS[0]}", "nftset=/a.test/4#inet#fw#x4,6#inet#fw#x6",
                 "nftset=/b.a.test/4#inet#fw#y4", "nftset=/c.b.a.test/4#inet#fw#x4", "nftset=/#/4#inet#fw#z4"]
        wrong, _ = self.compare(lines, 100, random.Random(1))
        self.assertEqual(wrong, [])
        self.assertTrue(all(self.in_sets("appliance", 100)[name] for name in ("x4", "y4", "z4")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
