"""DNS64 beside that of unbound and of knot-resolver: the same 1,000 questions, the same answers, but where it is said why not."""

import collections
import ipaddress
import sys
import unittest

import dns.reversename
import peer_resolvers

from lab.scene import Scene

BUILD = sys.argv.pop(1)
US, UNBOUND, KNOT_RESOLVER = "172.16.1.2", "1.1.1.5", "1.1.1.7"
CONFIG = """
policy: { resolve_special: [198.51.100.0/24] }
plugins:
  - tag: main
    type: sequence
    args:
      - { exec: "cache 10000 short_circuit" }
      - { exec: $translator }
      - { exec: forward 1.1.1.1 }
  - { tag: translator, type: dns64, args: { allow_ipv4: true, exclude_ipv4: [] } }
"""
UNBOUND_MODULES = "dns64 iterator"
UNBOUND_SAYS = """    dns64-prefix: 64:ff9b::/96
    private-address: ::/128
"""
KRESD_CONF = """
net.listen('{address}', 53, {{ kind = 'dns' }})
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('priming')
modules.unload('detect_time_skew')
trust_anchors.remove('.')
modules.load('dns64')
dns64.config('64:ff9b::')
policy.add(policy.all(policy.FORWARD({{'1.1.1.1'}})))
cache.size = 10 * MB
print('knot-resolver listens')
"""
SOA = "@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.1\n"
KINDS = {
    "v4only": "A 198.51.100.{n}", "v6only": "AAAA 2001:db8:6::{n}", "dual": "A 198.51.100.{n}|AAAA 2001:db8:d::{n}",
    "text": "TXT nothing", "several": "A 198.51.100.{n}|A 203.0.113.{n}", "private": "A 192.168.7.{n}",
    "mapped": "AAAA ::ffff:198.51.100.{n}", "alias": "CNAME v4only{n}", "aliased6": "CNAME v6only{n}",
    "chain": "CNAME alias{n}", "dangling": "CNAME missing{n}", "bare": "CNAME text{n}",
}
EACH = 50

# What we answer otherwise, by kind and type of question; docs/guides/dns64.md says why.
BOTH = {("mapped", "AAAA"), ("ipv4only", "A"), ("ipv4only", "AAAA")}
UNBOUND_DIFFERS = BOTH | {("pointer", "PTR")}
KNOT_RESOLVER_DIFFERS = BOTH


def zones():
    text = SOA + "deep DNAME far\n" + "".join(f"host{n}.far 300 A 198.51.100.{n}\n" for n in range(1, EACH + 1))
    for n in range(1, EACH + 1):
        for kind, data in KINDS.items():
            text += "".join(f"{kind}{n} 300 {record.format(n=n)}\n" for record in data.split("|"))
    reverse = SOA + "".join(f"{n} 300 PTR v4only{n}.translated.example.\n" for n in range(1, EACH + 1))
    return {"translated.example": text, "100.51.198.in-addr.arpa": reverse}


def questions():
    for n in range(1, EACH + 1):
        for kind in KINDS:
            yield kind, f"{kind}{n}.translated.example.", "AAAA"
            if n <= EACH // 2:
                yield kind, f"{kind}{n}.translated.example.", "A"
        yield "missing", f"missing{n}.translated.example.", "AAAA"
        yield "dname", f"host{n}.deep.translated.example.", "AAAA"
        address = ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::198.51.100.0")) + n)
        yield "pointer", dns.reversename.from_address(str(address)).to_text(), "PTR"
    for kind in ("AAAA", "A"):
        yield "ipv4only", "ipv4only.arpa.", kind


class Dns64Peers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = scene = cls.enterClassContext(Scene("dns64", BUILD))
        scene.start_resolver(zones())
        config = scene.folder / "dns64.yaml"
        config.write_text(CONFIG)
        scene.start_daemon(config)

    def ask(self, server, name, kind):
        return peer_resolvers.essence(peer_resolvers.ask(self.scene, server, name, kind))

    def compare(self, server, differs):
        seen, asked, same = collections.defaultdict(set), 0, 0
        for kind, name, wanted in questions():
            asked += 1
            ours, theirs = (self.ask(address, name, wanted) for address in (US, server))
            if ours == theirs:
                same += 1
            else:
                seen[kind, wanted].add((name, str(ours), str(theirs)))
        self.assertGreaterEqual(asked, 1000)
        self.assertGreater(same, 600)
        unexpected = {key: sorted(value)[0] for key, value in seen.items() if key not in differs}
        self.maxDiff = None
        self.assertEqual(unexpected, {})
        self.assertEqual({key for key in differs if key not in seen}, set(), "they agree by now")

    def test_answers_equal_those_of_unbound(self):
        peer_resolvers.start_unbound(self.scene, UNBOUND, UNBOUND_MODULES, UNBOUND_SAYS)
        self.compare(UNBOUND, UNBOUND_DIFFERS)

    def test_answers_equal_those_of_knot_resolver(self):
        peer_resolvers.make_room(self.scene, KNOT_RESOLVER)
        folder = self.scene.folder / "kresd"
        folder.mkdir()
        (folder / "kresd.conf").write_text(KRESD_CONF.format(address=KNOT_RESOLVER))
        self.scene.network.start("resolver", "kresd", "kresd", "-n", "-c", str(folder / "kresd.conf"),
                                 str(folder)).wait_for("knot-resolver listens")
        self.compare(KNOT_RESOLVER, KNOT_RESOLVER_DIFFERS)


if __name__ == "__main__":
    unittest.main()
