"""Response policy zones beside those of unbound: the same zones, the same questions, the same answers but where docs/guides/rpz.md
says why not. And what a client sees over TCP, and after a reload."""

import sys
import unittest

import dns.flags
import peer_resolvers

from lab.scene import Scene

BUILD = sys.argv.pop(1)
US, UNBOUND = "172.16.1.2", "1.1.1.5"
CONFIG = """
plugins:
  - { tag: policy, type: rpz, args: { zones: [ first.rpz, second.rpz ] } }
  - tag: main
    type: sequence
    args:
      - { exec: $policy }
      - { exec: "cache 10000 short_circuit" }
      - { exec: forward 1.1.1.1 }
"""
HEAD = "$TTL 60\n@ SOA localhost. root.localhost. 1 3600 900 2592000 60\n@ NS localhost.\n"
FIRST = HEAD + """
nx.t.example            CNAME .
nodata.t.example        CNAME *.
pass.t.example          CNAME rpz-passthru.
oldpass.t.example       CNAME oldpass.t.example.
drop.t.example          CNAME rpz-drop.
tcp.t.example           CNAME rpz-tcp-only.
alias.t.example         CNAME walled.t.example.
data.t.example          A 203.0.113.80
data.t.example          A 203.0.113.81
data.t.example          TXT "blocked"
*.wild.t.example        CNAME .
*.deep.wild.t.example   CNAME *.
good.wild.t.example     CNAME rpz-passthru.
*.ours.t.example        A 203.0.113.82
leadsto.t.example       CNAME .
24.0.100.51.198.rpz-ip  CNAME .
32.7.100.51.198.rpz-ip  CNAME rpz-passthru.
32.8.100.51.198.rpz-ip  CNAME *.
32.9.100.51.198.rpz-ip  A 203.0.113.90
48.zz.bad.db8.2001.rpz-ip CNAME .
"""
SECOND = HEAD + """
nx.t.example            A 203.0.113.99
pass.t.example          CNAME .
second.t.example        CNAME .
*.logged.t.example      CNAME *.log.t.example.
both.t.example          CNAME *.
"""
# Kind of question: names below t.example, and their records.
SERVED = {
    "by_name": {"nx": "A 192.0.2.1", "nodata": "A 192.0.2.2|AAAA 2001:db8:1::2", "pass": "A 192.0.2.3",
                "tcp": "A 192.0.2.5", "alias": "A 192.0.2.6", "data": "A 192.0.2.7|MX 10 walled", "second": "A 192.0.2.8", "free": "A 192.0.2.9"},
    "dropped": {"drop": "A 192.0.2.10"},
    "wild": {"wild": "A 192.0.2.11", "a.wild": "A 192.0.2.12", "b.a.wild": "A 192.0.2.13", "deep.wild": "A 192.0.2.14",
             "x.deep.wild": "A 192.0.2.15", "good.wild": "A 192.0.2.16", "x.ours": "A 192.0.2.17", "x.logged": "A 192.0.2.18"},
    "address": {"ip1": "A 198.51.100.1", "ip7": "A 198.51.100.7", "ip8": "A 198.51.100.8", "ip9": "A 198.51.100.9", "ip6": "AAAA 2001:db8:bad::1",
                "ipfree": "A 192.0.2.19|AAAA 2001:db8:1::19"},
    "old_passthru": {"oldpass": "A 192.0.2.4"},
    "below_exact": {"x.good.wild": "A 192.0.2.20"},
    "several": {"many": "A 198.51.100.1|A 198.51.100.7"},
    "chained": {"leads": "CNAME leadsto", "leadsto": "A 192.0.2.21"},
    "order": {"both": "A 198.51.100.1"},
    "targets": {"walled": "A 192.0.2.80|AAAA 2001:db8:1::80", "x.logged.t.example.log": "A 192.0.2.81"},
}
# docs/guides/rpz.md, "Differences to other resolvers".
DIFFERS = {"old_passthru", "below_exact", "several", "chained", "order"}


def zone():
    text = "@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.1\n"
    for names in SERVED.values():
        for name, records in names.items():
            text += "".join(f"{name} 300 {record}\n" for record in records.split("|"))
    return {"t.example": text}


class RpzPeers(unittest.TestCase):
    def setUp(self):
        self.scene = scene = self.enterContext(Scene("rpz", BUILD))
        scene.start_resolver(zone())
        for name, text in (("first.rpz", FIRST), ("second.rpz", SECOND), ("rpz.yaml", CONFIG)):
            (scene.folder / name).write_text(text)
        scene.start_daemon(scene.folder / "rpz.yaml")

    def ask(self, server, name, kind, seconds=15):
        """The answer, None without one. Of a truncated one only the header counts."""
        reply = peer_resolvers.ask(self.scene, server, name, kind, seconds)
        if reply is None:
            return None
        return "truncated" if reply.flags & dns.flags.TC else peer_resolvers.essence(reply)

    def test_answers_equal_those_of_unbound(self):
        clauses = "".join(f'rpz:\n    name: {name}\n    zonefile: "{self.scene.folder / name}"\n' for name in ("first.rpz", "second.rpz"))
        peer_resolvers.start_unbound(self.scene, UNBOUND, "respip iterator", "", clauses)
        same, seen = 0, {}
        for group, names in SERVED.items():
            for name in names:
                for kind in ("A", "AAAA", "TXT", "MX"):
                    seconds = 0.5 if group == "dropped" else 15
                    ours, theirs = (self.ask(server, f"{name}.t.example", kind, seconds) for server in (US, UNBOUND))
                    if ours == theirs:
                        same += 1
                    else:
                        seen.setdefault(group, []).append((name, kind, ours, theirs))
        print(f"  {same} answers the same; others: { {group: len(found) for group, found in seen.items()} }")
        self.maxDiff = None
        self.assertEqual({group: found[:3] for group, found in seen.items() if group not in DIFFERS}, {})
        self.assertEqual(DIFFERS - set(seen), set(), "they agree by now")
        self.assertGreater(same, 90)

    def test_tcp_only_makes_clients_use_tcp(self):
        self.assertEqual(self.ask(US, "tcp.t.example", "A"), "truncated")
        self.assertEqual(self.scene.short("+tcp", "tcp.t.example", "A"), ["192.0.2.5"])
        # By itself, as any client does that got a truncated answer.
        self.assertEqual(self.scene.short("tcp.t.example", "A"), ["192.0.2.5"])

    def test_a_changed_zone_is_in_force_after_a_reload(self):
        first = self.scene.folder / "first.rpz"
        self.assertEqual(self.ask(US, "nx.t.example", "A")[0], "NXDOMAIN")
        self.assertEqual(self.scene.short("free.t.example", "A"), ["192.0.2.9"])
        first.write_text(FIRST.replace("nx.t.example ", "free.t.example "))
        self.scene.steerctl("reload")
        self.assertEqual(self.ask(US, "free.t.example", "A")[0], "NXDOMAIN")
        self.assertEqual(self.scene.short("nx.t.example", "A"), ["203.0.113.99"], "the second zone decides now")
        # One that is wrong changes nothing, and is named with its line.
        first.write_text(FIRST + "32.1.0.0.127.rpz-nsip CNAME .\n")
        output = self.scene.ask("reload")
        self.assertEqual(output.returncode, 2, output)
        self.assertRegex(output.stdout + output.stderr, rf"first\.rpz:{len(FIRST.splitlines()) + 1}: ")
        self.assertEqual(self.ask(US, "free.t.example", "A")[0], "NXDOMAIN")


if __name__ == "__main__":
    unittest.main(verbosity=2)
