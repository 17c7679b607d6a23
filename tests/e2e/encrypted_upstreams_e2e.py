"""Upstreams over TCP, TLS and HTTPS, with real servers: certificates, names, proxies, connections that end."""

import contextlib
import re
import sys
import time
import unittest

from lab.network import until
from lab.scene import PASSWORD, ROOT, USER, Scene
from upstream_peers import ADDRESS, DNSDIST, KRESD, NAME, UNBOUND, Peers

BUILD = sys.argv.pop(1)


class EncryptedUpstreams(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("encrypted", BUILD))
        self.peers = Peers(self.scene)
        self.good = self.peers.certificate("good")

    def entry(self, scheme="tls", host=NAME, address=UNBOUND, **keys):
        words = {"addr": f'"{scheme}://{host}"', "dial_addr": address, **keys}
        if scheme.startswith(("tls", "https")):
            words = {"ca": self.peers.ca, **words}
        return "{ " + ", ".join(f"{key}: {value}" for key, value in words.items() if value is not None) + " }"

    def ask(self, *words):
        return self.scene.short(*words, self.peers.fresh(), "A")

    def check_answers(self, n=5):
        for _ in range(n):
            self.assertEqual(self.ask(), [ADDRESS])

    def check_refused(self, sentence):
        """A certificate error and a refusal of a proxy are final."""
        begun = time.monotonic()
        self.assertIn("SERVFAIL", self.scene.kdig("+timeout=20", self.peers.fresh(), "A"))
        self.assertLess(time.monotonic() - begun, 4.5, "it fails before the query's time is over")
        self.assertLessEqual(self.scene.stream_total("upstream_connects_failed"), 2, "one query is no retry storm")
        self.assertRegex(self.scene.daemon.text(), rf" warning upstream .* cannot be asked: {sentence}")

    def upstream(self):
        return self.scene.reported("status")["upstreams"][0]

    def test_each_transport_gets_answers_from_each_server(self):
        self.peers.unbound(self.good)
        self.peers.dnsdist(self.good)
        self.peers.kresd(self.good)
        for address in (UNBOUND, DNSDIST, KRESD):
            for scheme in ("tcp", "tcp+pipeline", "tls", "tls+pipeline", "https"):
                with self.subTest(scheme=scheme, address=address):
                    daemon = self.peers.daemon(self.entry(scheme, address=address))
                    self.check_answers(20)
                    # More than one where the server was slow for a while.
                    self.assertIn(self.scene.stream_total("upstream_connects"), (1, 2, 3))
                    state = self.upstream()
                    self.assertEqual((state["via"], state["address"], state["connections"]), ("streams", address, 1))
                    self.assertNotIn("trouble", state)
                    self.assertEqual(daemon.stop(), 0)
                    self.assertNotRegex(daemon.text(), r" (warning|error) ")

    def test_5000_queries_share_few_connections(self):
        self.peers.unbound(self.good)
        self.peers.kresd(self.good)
        queries = self.scene.folder / "queries.txt"
        queries.write_text("".join(f"q{i}.wild.example A\n" for i in range(5000)))
        for scheme, address in (("tls", UNBOUND), ("tls+pipeline", UNBOUND), ("https", UNBOUND), ("https", KRESD)):
            with self.subTest(scheme=scheme, address=address):
                daemon = self.peers.daemon(self.entry(scheme, address=address, max_conns=8))
                out = self.scene.network.run("client", "dnsperf", "-s", "172.16.1.2", "-d", str(queries), "-n", "1",
                                             "-q", "50", "-T", "1", "-c", "1").stdout
                self.assertRegex(out, r"Queries completed: +5000 \(100")
                self.assertRegex(out, r"NOERROR 5000")
                self.assertLessEqual(self.upstream()["connections"], 8)
                self.assertLessEqual(self.scene.stream_total("upstream_connects"), 50)  # a stall ends those of that moment
                daemon.stop()

    def test_an_upstream_is_trusted_by_authority_or_pin(self):
        self.peers.unbound(self.good)
        other = self.peers.certificate("other")
        pin, wrong = self.peers.pin(self.good.pem), self.peers.pin(other.pem)
        authority = self.peers.pin(self.peers.ca)
        for keys in ({"ca": None, "insecure_skip_verify": "true"},
                     {"pins": f'["{wrong}", "{pin}"]'}, {"pins": f'["{authority}"]'},
                     {"ca": None, "insecure_skip_verify": "true", "pins": f'["{pin}"]'}):
            with self.subTest(good=keys):
                daemon = self.peers.daemon(self.entry(**keys))
                self.check_answers(2)
                daemon.stop()
        for sentence, keys in (
                ("its certificate is not trusted: unable to get local issuer certificate; set `ca`", {"ca": None}),
                ("its certificate is not for other.example", {"host": "other.example"}),
                (f"its certificate is not for {UNBOUND}", {"host": UNBOUND, "address": None}),
                ("the key of its certificate matches none of 'pins': it is ", {"pins": f'["{wrong}"]'}),
                ("the key of its certificate matches none of 'pins'",
                 {"ca": None, "insecure_skip_verify": "true", "pins": f'["{authority}"]'})):
            with self.subTest(sentence=sentence, keys=keys):
                daemon = self.peers.daemon(self.entry(**keys))
                self.check_refused(sentence)
                self.assertIn("trouble", self.upstream())
                daemon.stop()

    def test_an_expired_certificate_is_refused_until_it_is_renewed(self):
        for sentence, certificate in (
                ("its certificate is not trusted: certificate has expired", self.peers.certificate("old", days=-1)),):
            with self.subTest(sentence=sentence):
                server = self.peers.unbound(certificate)
                self.peers.daemon(self.entry())
                self.check_refused(sentence)
                server.stop()
                # A good one is believed without a restart.
                self.peers.unbound(self.good)
                until(lambda: self.ask("+timeout=6") == [ADDRESS], 10, "it is asked again")
                self.assertIn("can be asked again", self.scene.daemon.text())

    def test_the_expiry_of_an_upstream_certificate_is_shown(self):
        """Of the present certificate, from the first connection on, and of the next certificate after a renewal."""
        def shown():
            return [(c["upstream"], c["subject"], round((c["ends_s"] - time.time()) / 86400))
                    for c in self.scene.reported("status")["certificates"] if "upstream" in c]

        server = self.peers.unbound(self.peers.certificate("short", days=5))
        self.peers.daemon(self.entry())
        self.assertEqual(shown(), [])
        self.check_answers(1)
        self.assertEqual([(name, days) for name, _, days in shown()], [(f"tls://{NAME}", 5)])
        self.assertIn(NAME, shown()[0][1])
        server.stop()
        self.peers.unbound(self.peers.certificate("long", days=40))
        until(lambda: self.ask("+timeout=6") == [ADDRESS], 10, "it is asked again")
        self.assertEqual([days for _, _, days in shown()], [40])

    def test_a_certificate_for_an_address_is_accepted(self):
        self.peers.unbound(self.peers.certificate("by-address", f"IP:{UNBOUND}"))
        self.peers.daemon(self.entry(host=UNBOUND, address=None))
        self.check_answers()

    def test_closed_connections_are_no_errors(self):
        self.peers.unbound(self.good, idle_ms=300)
        for scheme in ("tcp", "tls"):  # (unbound does not close idle HTTPS connections so early)
            with self.subTest(scheme=scheme):
                daemon = self.peers.daemon(self.entry(scheme))
                for _ in range(3):
                    self.check_answers(2)
                    until(lambda: self.upstream()["connections"] == 0, 5, "the server closes it")
                self.assertEqual(self.scene.stream_total("upstream_errors"), 0)
                daemon.stop()

    def test_a_restarted_server_is_asked_within_a_second(self):
        server = self.peers.unbound(self.good)
        for scheme in ("tls+pipeline", "https"):
            with self.subTest(scheme=scheme):
                daemon = self.peers.daemon(self.entry(scheme))
                self.check_answers()
                server.stop()
                server = self.peers.unbound(self.good)
                self.check_answers(1)
                daemon.stop()

    def test_the_name_of_an_upstream_is_resolved_by_its_bootstrap(self):
        self.peers.unbound(self.good)
        for scheme in ("udp", "tcp", "tls", "https"):
            with self.subTest(scheme=scheme):
                daemon = self.peers.daemon(self.entry(scheme, address=None, bootstrap=UNBOUND))
                self.check_answers()
                self.assertEqual(self.upstream()["address"], UNBOUND)
                daemon.stop()

    def test_an_upstream_is_asked_through_a_socks5_proxy(self):
        self.peers.unbound(self.good)
        self.scene.network.start("router", "microsocks", "microsocks", "-i", "172.16.1.1", "-p", "1080", "-u", "me",
                                 "-P", "secret")
        for user, good in (("me:secret@", True), ("me:wrong@", False), ("", False)):
            with self.subTest(user=user):
                daemon = self.peers.daemon(self.entry("tls", socks5=f'"{user}172.16.1.1:1080"'))
                if good:
                    self.check_answers()
                    self.assertEqual(self.upstream()["address"], "172.16.1.1")
                else:
                    self.check_refused("the proxy 172.16.1.1:1080: ")
                daemon.stop()

    # ---- UDP through a proxy

    PROXY = "172.16.1.1:1080"

    @contextlib.contextmanager
    def proxy(self, *options):
        """A proxy at PROXY, and a router that counts and drops what the appliance sends to resolvers itself."""
        net = self.scene.network
        rules = "".join(f"add rule inet past forward ip saddr 172.16.1.2 {protocol} dport 53 counter drop\n"
                        for protocol in ("udp", "tcp"))
        net.run("router", "nft", "-f", "-", input="add table inet past\nadd chain inet past forward "
                "{ type filter hook forward priority -10; }\n" + rules)
        process = net.start("router", f"proxy-{next(self.peers.numbers)}", sys.executable,
                            str(ROOT / "tests/e2e/socks5_proxy.py"), *self.PROXY.split(":"), *options)
        try:
            process.wait_for("proxy listens")
            yield process
            counted = net.run("router", "nft", "list", "table", "inet", "past").stdout
            self.assertEqual(re.findall(r"packets (\d+)", counted), ["0", "0"], "queries went past the proxy")
        finally:
            process.stop()
            net.run("router", "nft", "delete", "table", "inet", "past")

    def test_queries_over_udp_never_bypass_the_proxy(self):
        self.peers.unbound(self.good)
        outbound = f'network: {{ outbound: {{ default: far, profiles: {{ far: {{ proxy: {{ socks5: "{self.PROXY}" }} }} }} }} }}\n'
        for options, upstream, extra, top, output, silent in (
                ((), UNBOUND, f'      socks5: "{self.PROXY}"\n', "", f"datagram {UNBOUND}", f"connect {UNBOUND}"),
                ((), self.entry("udp", address=UNBOUND, socks5=f'"{self.PROXY}"'), "", "", f"datagram {UNBOUND}", "connect"),
                ((), UNBOUND, "", outbound, f"datagram {UNBOUND}", "connect"),
                (("--no-relay",), UNBOUND, f'      socks5: "{self.PROXY}"\n', "", f"connect {UNBOUND}", "datagram"),
                (("--silent-relay",), UNBOUND, f'      socks5: "{self.PROXY}"\n', "", f"connect {UNBOUND}", "datagram")):
            with self.subTest(options=options, upstream=upstream, top=top), self.proxy(*options) as proxy:
                daemon = self.peers.daemon(upstream, extra, top=top)
                self.check_answers()
                self.assertIn(output, proxy.text())
                self.assertNotIn(silent, proxy.text())
                self.assertEqual(self.upstream()["address"], "172.16.1.1")
                self.assertEqual(daemon.stop(), 0)

    def test_a_proxy_that_refuses_the_only_upstream_ends_a_query_at_once(self):
        self.peers.unbound(self.good)
        for scheme, options in (("tcp", ()), ("tls", ()), ("udp", ("--no-relay",))):
            with self.subTest(scheme=scheme), self.proxy("--refuse", UNBOUND, *options):
                daemon = self.peers.daemon(self.entry(scheme, address=UNBOUND, socks5=f'"{self.PROXY}"'))
                begun = time.monotonic()
                self.check_refused(f"the proxy {self.PROXY}: it refused to connect: its rules do not allow it")
                self.assertLess(time.monotonic() - begun, 1.5)
                daemon.stop()


# DoH behind an HTTP cache: an answer with a TTL of 300 s that is 250 s old, or a name that it wants to be asked later for.
CACHED_DOH = r"""
import http.server, ssl, sys
address, certificate, key = sys.argv[1:4]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_POST(self):
        q = self.rfile.read(int(self.headers['Content-Length']))
        busy = b'busy' in q
        end = q.index(b'\0', 12) + 5
        a = q[:2] + b'\x81\x80\0\1\0\1\0\0\0\0' + q[12:end] + b'\xc0\x0c\0\1\0\1\0\0\x01\x2c\0\4\xcb\0\x71\x09'
        self.send_response(429 if busy else 200)
        if busy: self.send_header('Retry-After', '30'); a = b''
        else: self.send_header('Content-Type', 'application/dns-message'); self.send_header('Age', '250'); self.send_header('Cache-Control', 'max-age=300')
        self.send_header('Content-Length', str(len(a)))
        self.end_headers()
        self.wfile.write(a)
    def log_message(self, form, *words): print(form % words, flush=True)
server = http.server.ThreadingHTTPServer((address, 443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
print('ready', flush=True)
server.serve_forever()
"""

class HttpCaches(unittest.TestCase):
    """RFC 8484 5.1: what an HTTP cache kept is as old as `Age` says, for clients, caches and claims."""

    def setUp(self):
        self.scene = self.enterContext(Scene("aged", BUILD))
        self.peers = Peers(self.scene)
        pem, key = self.peers.certificate("good")
        self.server = self.scene.network.start("resolver", "doh", "/usr/bin/python3", "-c", CACHED_DOH, UNBOUND, str(pem), str(key))
        self.server.wait_for("ready")
        self.entry = f'{{ addr: "https://{NAME}/dns-query", dial_addr: {UNBOUND}, ca: {self.peers.ca} }}'

    def ttl(self, name):
        found = re.search(rf"^{re.escape(name)}\.\s+(\d+)\s+IN\s+A\s+203\.0\.113\.9$", self.scene.kdig(name, "A"), re.M)
        self.assertIsNotNone(found)
        return int(found[1])

    def test_ttls_rows_and_cached_answers_end_in_time(self):
        self.scene.start_router()
        config = self.scene.folder / "aged.yaml"
        config.write_text("plugins:\n  - { tag: up, type: forward, args: { probe: off, upstreams: [ " + self.entry + " ] } }\n"
                          "  - tag: steer\n    type: ros_address_list\n    args: { address: '172.16.1.1:8728', username: " + USER +
                          ", password: " + PASSWORD + ", address_list4: aged }\n"
                          "  - tag: main\n    type: sequence\n    args:\n"
                          "      - { exec: 'cache short_circuit' }\n      - { exec: $steer }\n      - { exec: $up }\n")
        self.scene.start_daemon(config)
        self.assertLessEqual(self.ttl("a.aged.example"), 50)
        self.assertLessEqual(self.ttl("a.aged.example"), 50)  # from the cache
        rows = self.scene.wait_rows({("aged", "203.0.113.9")})
        left = next(row["timeout"] for row in rows if row["address"] == "203.0.113.9")
        # The answer's 50 s and the slack of every row, instead of 300 s.
        minutes = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", left)
        self.assertIsNotNone(minutes, left)
        seconds = 60 * int(minutes[1] or 0) + int(minutes[2] or 0)
        self.assertGreaterEqual(seconds, 40)
        self.assertLessEqual(seconds, 100)

    def test_one_name_that_is_answered_by_retry_after_stops_no_other(self):
        self.peers.daemon(self.entry)
        self.assertLessEqual(self.ttl("b.aged.example"), 50)
        asked = self.server.text().count("POST")
        begun = time.monotonic()
        self.assertIn("SERVFAIL", self.scene.kdig("+timeout=20", "busy.aged.example", "A"))
        self.assertLess(time.monotonic() - begun, 2)  # it is the only one, and is not asked again
        self.assertLessEqual(self.server.text().count("POST") - asked, 2)  # with a probe
        self.assertLessEqual(self.ttl("c.aged.example"), 50)
        self.assertRegex(self.scene.daemon.text(), r"cannot be asked: it asks to wait for 30 s")


if __name__ == "__main__":
    unittest.main(verbosity=2)
