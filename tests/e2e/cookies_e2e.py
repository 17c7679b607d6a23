"""DNS cookies (RFC 7873, 9018) with other people's programs: kdig as a client, Knot and BIND as upstreams."""

import re
import sys
import unittest

import peer_resolvers

from lab.scene import Scene

BUILD = sys.argv.pop(1)
KNOT, BIND = "1.1.1.6", "1.1.1.7"
SECRET, NEXT = "e5e973e5a6b2a43f48e7dc849e37bfcf", "445536bcd2513298075a5d379663c962"
CONFIG = f"""
cookies: {{ secret_file: cookies.secret }}
plugins:
  - tag: main
    type: sequence
    args:
      - {{ matches: "qname full:knot.t.example", exec: forward {KNOT} }}
      - {{ matches: "qname full:bind.t.example", exec: forward {BIND} }}
      - {{ exec: "cache 1000 short_circuit" }}
      - {{ exec: forward 1.1.1.1 }}
"""
ZONE = """t.example. 0 SOA ns.t.example. hostmaster.t.example. 1 3600 600 86400 0
t.example. 0 NS ns.t.example.
ns.t.example. 0 A 1.1.1.1
knot.t.example. 0 A 192.0.2.6
bind.t.example. 0 A 192.0.2.7
www.t.example. 300 A 192.0.2.8
"""
_KNOT = """
server:
    rundir: "{folder}"
    listen: {address}@53
database:
    storage: "{folder}"
mod-cookies:
  - id: default
    badcookie-slip: 1
zone:
  - domain: t.example
    storage: "{folder}"
    file: "zone"
    module: mod-cookies/default
"""
_BIND = """
options {{
    directory "{folder}"; pid-file none; session-keyfile none; managed-keys-directory "{folder}";
    listen-on port 53 {{ {address}; }}; listen-on-v6 {{ none; }};
    answer-cookie yes; require-server-cookie yes; cookie-algorithm siphash24; recursion no; dnssec-validation no;
    allow-query {{ any; }};
}};
controls {{ }};
zone "t.example" {{ type primary; file "{folder}/zone"; }};
"""


class Cookies(unittest.TestCase):
    def setUp(self):
        self.scene = scene = self.enterContext(Scene("cookies", BUILD))
        scene.start_resolver({"t.example": ZONE})
        self.secret = scene.folder / "cookies.secret"
        self.secret.write_text(SECRET + "\n")
        self.secret.chmod(0o644)
        (scene.folder / "cookies.yaml").write_text(CONFIG)
        self.start_peers()
        scene.start_daemon(scene.folder / "cookies.yaml")

    def start_peers(self):
        for name, address, conf in (("knot-peer", KNOT, _KNOT), ("bind", BIND, _BIND)):
            peer_resolvers.make_room(self.scene, address)
            folder = self.scene.folder / name
            folder.mkdir()
            (folder / "zone").write_text(ZONE)
            (folder / "conf").write_text(conf.format(folder=folder, address=address))
        start = self.scene.network.start
        start("resolver", "knot-peer", "knotd", "-c", str(self.scene.folder / "knot-peer/conf")).wait_for("server started")
        start("resolver", "bind", "named", "-g", "-c", str(self.scene.folder / "bind/conf")).wait_for("running")

    def ask(self, name, *words):
        return self.scene.kdig(name, "A", "+retry=0", *words)

    def cookie(self, output):
        """The client's and the server's part of the reply's cookie, as hex."""
        found = re.search(r"COOKIE: ([0-9A-Fa-f]{16})([0-9A-Fa-f]{32})\b", output)
        self.assertTrue(found, output)
        return found[1].lower(), found[2].lower()

    def count(self, name):
        return self.scene.total("stats", name)

    def test_kdig_gets_a_cookie_and_proves_its_address(self):
        client, server = self.cookie(self.ask("www.t.example", "+cookie=2464c4abcf10c957"))
        self.assertEqual(client, "2464c4abcf10c957")
        self.assertEqual(server[:2], "01")
        again = self.cookie(self.ask("www.t.example", f"+cookie={client}{server}"))
        self.assertEqual(again, (client, server), "a young server cookie is returned")
        self.assertEqual(self.count("cookies_valid"), 1)
        # Over TCP, too; and a cookie of another secret is replaced.
        self.assertEqual(self.cookie(self.ask("www.t.example", "+tcp", f"+cookie={client}{server}")), (client, server))
        wrong = f"{client}{server[:-1]}{'0' if server[-1] != '0' else '1'}"
        self.assertEqual(self.cookie(self.ask("www.t.example", f"+cookie={wrong}"))[0], client)
        self.assertEqual(self.count("cookies_valid"), 2)
        # Rolled over: the secret before is accepted, and makes no more cookies.
        self.secret.write_text(f"{NEXT}\n{SECRET}\n")
        self.scene.steerctl("reload")
        fresh = self.cookie(self.ask("www.t.example", f"+cookie={client}{server}"))
        self.assertEqual(self.count("cookies_valid"), 3)
        self.assertNotEqual(fresh[1][16:], server[16:])

    def test_peers_that_require_cookies_are_asked_with_them(self):
        for name, address in (("knot", "192.0.2.6"), ("bind", "192.0.2.7")):
            for _ in range(3):
                self.assertEqual(self.scene.short(f"{name}.t.example", "A"), [address])
        self.assertGreaterEqual(self.count("upstream_bad_cookies"), 1)
        self.assertEqual(self.count("upstream_cookie_mismatches"), 0)
        self.assertEqual(self.count("upstream_suspected"), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
