"""Upstreams over QUIC and HTTP/3, with another steerdnsd or caddy as the upstream: certificates, resumption, ends on both
sides, fallback to TCP."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
import unittest

import dns.message
import dns.rrset
from lab.certificates import Authority
from lab.network import missing, until
from lab.scene import Scene, query_counts, start_load

BUILD = sys.argv.pop(1)
PEER = sys.argv.pop(1)  # quic_go_peer; "-": there is none

GTLSSERVER = "/usr/sbin/gtlsserver"
NAME, SERVER, ADDRESS = "dns.example", "1.1.1.8", "203.0.113.99"
UPSTREAM = """
plugins:
  - {{ tag: main, type: sequence, args: [ {{ matches: "qname silent.stream.example", exec: drop }}, {{ exec: forward 1.1.1.1 }} ] }}
{servers}control: {{ stream_threads: 2 }}
"""
DOQ = '  - {{ tag: doq, type: quic_server, args: {{ entry: main, listen: "1.1.1.8:853", cert: "{0.pem}", key: "{0.key}" }} }}\n'
DOT = '  - {{ tag: dot, type: tcp_server, args: {{ entry: main, listen: "1.1.1.8:853", cert: "{0.pem}", key: "{0.key}" }} }}\n'
DOH3 = ('  - {{ tag: doh, type: http_server, args: {{ entries: [ {{ path: /dns-query, exec: main }} ], listen: "1.1.1.8:443", '
        'cert: "{0.pem}", key: "{0.key}", enable_http3: true }} }}\n')
DOH = DOH3.replace(", enable_http3: true", "")
# The header makes the proxy's connections count for no client. Caddy has more than one client may have.
BEHIND = ('  - {{ tag: doh, type: http_server, args: {{ entries: [ {{ path: /dns-query, exec: main }} ], listen: "127.0.0.1:8053", '
          'src_ip_header: X-Forwarded-For, max_connections_per_client: 24 }} }}\n')
CADDY = """{{
    admin off
    auto_https off
    storage file_system {folder}/caddy
}}
https://dns.example {{
    bind 1.1.1.8
    tls {0.pem} {0.key}
    reverse_proxy 127.0.0.1:8053
}}
"""


class QuicUpstreams(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("quic-up", BUILD))
        self.scene.start_resolver()
        self.scene.network.address("resolver", "lo", f"{SERVER}/32")
        self.scene.network.route("router", f"{SERVER}/32", "via", "1.1.1.1")
        os.chmod(self.scene.folder, 0o755)
        self.authority = Authority(self.scene.folder)
        self.certificate = self.authority.issue("good", f"DNS:{NAME}")
        self.numbers = itertools.count()

    # The two daemons

    def start_upstream(self, *servers):
        text = "".join(server.format(self.certificate) for server in servers or (DOQ,))
        number = next(self.numbers)
        config = self.scene.folder / f"upstream-{number}.yaml"
        config.write_text(UPSTREAM.format(servers=text))
        process = self.scene.network.start("resolver", f"upstream-{number}", f"{BUILD}/steerdnsd", "--config", str(config),
                                           "--control-socket", str(self.scene.folder / f"upstream-{number}.sock"))
        process.wait_for("serving", 40)
        return process

    def configuration(self, host=NAME, scheme="quic", **keys):
        words = {"addr": f'"{scheme}://{host}"', "dial_addr": SERVER, "ca": self.authority.pem, **keys}
        entry = ", ".join(f"{key}: {value}" for key, value in words.items() if value is not None)
        return ("plugins:\n  - tag: up\n    type: forward\n    args:\n      probe: off\n"
                f"      upstreams: [ {{ {entry} }} ]\n"
                "  - { tag: main, type: sequence, args: [ { exec: $up } ] }\n"
                "  - { tag: udp, type: udp_server, args: { entry: main, listen: \":53\" } }\n"
                "  - { tag: tcp, type: tcp_server, args: { entry: main, listen: \":53\" } }\n")

    def start(self, **keys):
        config = self.scene.folder / f"config-{next(self.numbers)}.yaml"
        config.write_text(self.configuration(**keys))
        self.config = config
        return self.scene.start_daemon(config)

    def ask(self, *words):
        return self.scene.short(*words, f"n{next(self.numbers)}.stream.example", "A")

    def check_answers(self, n=5):
        for _ in range(n):
            self.assertEqual(self.ask(), [ADDRESS])

    def check_load(self):
        queries = self.scene.folder / "load.txt"
        queries.write_text("".join(f"q{i}.stream.example A\n" for i in range(5000)))
        out = self.scene.network.run("client", "dnsperf", "-s", "172.16.1.2", "-d", str(queries), "-n", "1", "-q", "50",
                                     "-T", "1", "-c", "1").stdout
        self.assertRegex(out, r"Queries completed: +5000 \(100")
        self.assertRegex(out, r"NOERROR 5000")
        self.assertLessEqual(self.upstream()["connections"], 8)

    def check_refused(self, sentence):
        begun = time.monotonic()
        self.assertIn("SERVFAIL", self.scene.kdig(f"n{next(self.numbers)}.stream.example", "A"))
        self.assertLess(time.monotonic() - begun, 4.5, "it fails before the query's time is over")
        self.assertRegex(self.scene.daemon.text(), rf" warning upstream .* cannot be asked: .*{sentence}")

    def upstream(self):
        return self.scene.reported("status")["upstreams"][0]

    def counted(self, name):
        return sum(thread[name] for thread in self.scene.counters().get("quic", []))

    def wait_counted(self, name, least):
        until(lambda: self.counted(name) >= least, 10, f"{least} {name}")

    def process(self, space="appliance"):
        return self.scene.network.child(space, "steerdnsd", "steerdns-quic")

    # Tests

    def test_queries_share_a_connection(self):
        self.start_upstream()
        for scheme in ("quic", "doq"):
            with self.subTest(scheme=scheme):
                daemon = self.start(scheme=scheme)
                self.check_answers(20)
                state = self.upstream()
                self.assertEqual((state["via"], state["address"], state["transport"], state["connections"]),
                                 ("streams", SERVER, "quic", 1))
                self.assertNotIn("trouble", state)
                self.wait_counted("upstream_answers", 20)
                self.assertEqual(self.counted("upstreams_begun"), 1)
                self.assertEqual(daemon.stop(), 0)
                self.assertNotRegex(daemon.text(), r" (warning|error) ")

    def test_queries_over_http3_share_a_connection(self):
        self.start_upstream(DOH3)
        for keys in ({"scheme": "h3"}, {"host": f"{NAME}/dns-query", "scheme": "https", "enable_http3": "true"}):
            with self.subTest(**keys):
                daemon = self.start(**keys)
                self.check_answers(20)
                state = self.upstream()
                self.assertEqual((state["address"], state["transport"], state["connections"]), (SERVER, "h3", 1))
                self.wait_counted("upstream_answers", 20)
                self.assertEqual(self.counted("upstreams_begun"), 1)
                self.assertEqual(daemon.stop(), 0)
                self.assertNotRegex(daemon.text(), r" (warning|error) ")

    def test_https_is_used_where_http3_is_not_answered(self):
        upstream = self.start_upstream(DOH)
        self.start(scheme="h3", fallback="https")
        self.check_answers(3)
        self.assertEqual(self.upstream()["transport"], "https")
        upstream.stop()
        self.start_upstream(DOH3)
        until(lambda: self.ask("+timeout=3") and self.upstream()["transport"] == "h3", 45, "HTTP/3 is used again")
        self.check_answers(3)

    def test_a_path_that_the_upstream_does_not_have(self):
        self.start_upstream(DOH3)
        self.start(host=f"{NAME}/else", scheme="h3")
        self.assertIn("SERVFAIL", self.scene.kdig(f"n{next(self.numbers)}.stream.example", "A"))

    def test_servers_of_another_library(self):
        if PEER == "-":
            self.skipTest("quic-go is missing")
        for scheme, protocol, port in (("quic", "doq", 853), ("h3", "h3", 443)):
            with self.subTest(scheme=scheme):
                server = self.scene.network.start("resolver", f"peer-{protocol}", PEER, "serve", protocol, f"{SERVER}:{port}",
                                                  str(self.certificate.pem), str(self.certificate.key), ADDRESS)
                server.wait_for("serving", 20)
                daemon = self.start(scheme=scheme, idle_timeout="1s", early_data="true")
                self.check_answers(20)
                self.assertEqual((self.upstream()["transport"], self.upstream()["connections"]), (scheme, 1))
                for _ in range(3):
                    until(lambda: self.upstream()["connections"] == 0, 10, "the idle connection is closed")
                    self.check_answers(2)
                self.wait_counted("upstreams_resumed", 1)
                self.wait_counted("upstreams_early", 1)
                self.assertEqual(self.counted("upstreams_early_refused"), 0)
                self.check_load()
                self.assertEqual(self.counted("upstreams_failed"), 0)
                print(scheme, {name: self.counted(name) for name in (
                    "upstreams_begun", "upstreams_resumed", "upstreams_early", "upstreams_early_refused")}, flush=True)
                daemon.stop()
                server.stop(number=signal.SIGKILL)

    def test_early_data_and_a_server_that_wants_another_hello(self):
        """HelloRetryRequest: GnuTLS then gives the secret of early data a second time, which ngtcp2 does not stand."""
        if PEER == "-":
            self.skipTest("quic-go is missing")
        server = self.scene.network.start("resolver", "retrying", PEER, "serve", "doq", f"{SERVER}:853", str(self.certificate.pem),
                                          str(self.certificate.key), ADDRESS, "retry")
        server.wait_for("serving", 20)
        self.start(idle_timeout="1s", early_data="true")
        for _ in range(4):
            self.check_answers(2)
            until(lambda: self.upstream()["connections"] == 0, 10, "the idle connection is closed")
        self.assertGreaterEqual(self.counted("upstreams_early"), 1)
        self.assertEqual(self.scene.reported("status")["quic"]["restarts"], 0)

    def test_the_generator_of_load_with_another_server(self):
        """doq_load of the benches: its requests and its judgement."""
        if PEER == "-":
            self.skipTest("quic-go is missing")
        names = self.scene.folder / "names.txt"
        names.write_text("".join(f"host{i}.example.com\n" for i in range(100)))
        for protocol, port, address, is_right in (("doq", 853, "192.0.2.1", True), ("h3", 443, "192.0.2.1", True),
                                                  ("h3", 443, "192.0.2.9", False)):
            with self.subTest(protocol=protocol, address=address):
                server = self.scene.network.start("resolver", f"judge-{protocol}", PEER, "serve", protocol, f"{SERVER}:{port}",
                                                  str(self.certificate.pem), str(self.certificate.key), address)
                server.wait_for("serving", 20)
                out = self.scene.network.run("router", f"{BUILD}/tests/bench/doq_load", "ask", str(names), "--server", SERVER,
                                             "--port", str(port), "--alpn", protocol, "--count", "2000", "--seconds", "20").stdout
                found = json.loads(out.splitlines()[-1])
                self.assertGreaterEqual(found["answered" if is_right else "wrong"], 2000, found)
                self.assertEqual(found["wrong" if is_right else "answered"] + found["errors"] + found["reset"] + found["ended"], 0, found)
                server.stop(number=signal.SIGKILL)

    def test_early_data(self):
        self.start_upstream(DOQ.replace("entry: main,", "entry: main, early_data: true,"),
                            DOH3.replace("enable_http3: true", "enable_http3: true, early_data: true"))
        for scheme in ("quic", "h3"):
            with self.subTest(scheme=scheme):
                daemon = self.start(scheme=scheme, idle_timeout="1s", early_data="true")
                self.check_answers(2)
                for number in range(1, 4):
                    until(lambda: self.upstream()["connections"] == 0, 10, "the idle connection is closed")
                    self.check_answers(2)
                    self.wait_counted("upstreams_early", number)
                self.assertEqual(self.counted("upstreams_early_refused"), 0)
                self.wait_counted("upstreams_resumed", 3)
                self.assertEqual(daemon.stop(), 0)
                self.assertNotRegex(daemon.text(), r" (warning|error) ")

    def test_caddy_in_front_of_a_server_of_doh(self):
        if why := missing(("caddy",), "--all"):
            self.skipTest(why)
        self.start_upstream(BEHIND)
        config = self.scene.folder / "Caddyfile"
        config.write_text(CADDY.format(self.certificate, folder=self.scene.folder))
        caddy = self.scene.network.start("resolver", "caddy", "env", f"HOME={self.scene.folder}", "caddy", "run", "--config",
                                         str(config), "--adapter", "caddyfile")
        caddy.wait_for("serving initial configuration", 20)
        self.start(scheme="h3", idle_timeout="1s")
        self.check_answers(20)
        self.assertEqual(self.upstream()["transport"], "h3")
        until(lambda: self.upstream()["connections"] == 0, 10, "the idle connection is closed")
        self.check_answers(2)
        self.check_load()
        self.assertEqual(self.counted("upstreams_failed"), 0)
        print(f"caddy: {self.counted('upstreams_resumed')} of {self.counted('upstreams_begun')} connections resumed", flush=True)

    def test_gtlsserver_of_ngtcp2(self):
        """It serves files, so one has the answer to one query. It wants a proof of the address, and loses packets."""
        if why := missing((GTLSSERVER,), "--all"):
            self.skipTest(why)
        files = self.scene.folder / "files"
        files.mkdir()
        query = dns.message.make_query("one.stream.example", "A", id=0)
        response = dns.message.make_response(query)
        response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", ADDRESS))
        (files / "answer.dns").write_bytes(response.to_wire())
        types = self.scene.folder / "mime.types"
        types.write_text("application/dns-message dns\n")
        for loss in (0, 0.05):
            with self.subTest(loss=loss):
                server = self.scene.network.start(
                    "resolver", f"gtlsserver-{loss}", GTLSSERVER, "--quiet", "--validate-addr", f"--mime-types-file={types}",
                    f"--htdocs={files}", f"--tx-loss={loss}", f"--rx-loss={loss}", "--timeout=30s", SERVER, "443",
                    str(self.certificate.key), str(self.certificate.pem))
                daemon = self.start(scheme="h3", host=f"{NAME}/answer.dns", idle_timeout="5s")
                for _ in range(3):
                    for _ in range(20):
                        self.assertEqual(self.scene.short("one.stream.example", "A"), [ADDRESS])
                    until(lambda: self.upstream()["connections"] == 0, 15, "the idle connection is closed")
                self.wait_counted("upstream_answers", 60)
                begun = self.counted("upstreams_begun")
                # A handshake whose packets are lost may be begun again.
                self.assertGreaterEqual(begun, 3)
                if loss == 0:
                    self.assertEqual((begun, self.counted("upstreams_failed")), (3, 0))
                print(f"loss {loss}: {self.counted('upstreams_resumed')} of {begun} connections resumed", flush=True)
                daemon.stop()
                server.stop(number=signal.SIGKILL)

    def test_many_queries_of_a_load(self):
        for server, scheme in ((DOQ, "quic"), (DOH3, "h3")):
            with self.subTest(scheme=scheme):
                upstream = self.start_upstream(server)
                daemon = self.start(scheme=scheme)
                self.check_load()
                daemon.stop()
                upstream.stop()

    def test_an_upstream_is_trusted_by_authority_or_pin(self):
        self.start_upstream()
        pin = self.pin(self.certificate.pem)
        wrong = self.pin(self.authority.issue("other", "DNS:other").pem)
        for keys in ({"ca": None, "insecure_skip_verify": "true"}, {"pins": f'["{wrong}", "{pin}"]'},
                     {"ca": None, "insecure_skip_verify": "true", "pins": f'["{pin}"]'}):
            with self.subTest(good=keys):
                daemon = self.start(**keys)
                self.check_answers(2)
                daemon.stop()
        for sentence, keys in (
                ("its certificate is not trusted: unable to get local issuer certificate; set `ca`", {"ca": None}),
                ("its certificate is not for other.example", {"host": "other.example"}),
                (f"its certificate is not for {SERVER}", {"host": SERVER, "dial_addr": None}),
                ("the key of its certificate matches none of 'pins': it is ", {"pins": f'["{wrong}"]'}),
                ("the key of its certificate matches none of 'pins'",
                 {"ca": None, "insecure_skip_verify": "true", "pins": f'["{wrong}"]'})):
            with self.subTest(sentence=sentence):
                daemon = self.start(**keys)
                self.check_refused(sentence)
                self.assertEqual(self.counted("upstream_queries"), 0)
                daemon.stop()

    def pin(self, pem):
        return self.scene.network.run(
            "resolver", "sh", "-c", f"openssl x509 -in {pem} -pubkey -noout | openssl pkey -pubin -outform der | "
            "openssl dgst -sha256 -binary | base64").stdout.strip()

    def test_a_certificate_that_is_not_trusted_starts_no_fallback(self):
        self.start_upstream(DOQ, DOT)
        self.start(host="other.example", fallback="tls")
        self.check_refused("its certificate is not for other.example")
        self.assertNotIn("is asked over tls", self.scene.daemon.text())

    def test_a_session_is_resumed(self):
        self.start_upstream()
        self.start(idle_timeout="1s")
        self.check_answers(1)
        until(lambda: self.upstream()["connections"] == 0, 10, "the idle connection is closed")
        self.check_answers(1)
        self.wait_counted("upstreams_resumed", 1)

    def test_an_upstream_that_ends_and_comes_back(self):
        upstream = self.start_upstream()
        self.start()
        self.check_answers(2)
        # In order: it closes its connections.
        upstream.stop()
        upstream = self.start_upstream()
        until(lambda: self.ask("+timeout=3") == [ADDRESS], 15, "it is asked again")
        # Killed: a stateless reset, or silence, ends them.
        upstream.stop(number=signal.SIGKILL)
        self.start_upstream()
        until(lambda: self.ask("+timeout=3") == [ADDRESS], 15, "it is asked again")

    def test_the_process_is_killed_under_load(self):
        self.start_upstream()
        self.start()
        self.check_answers(2)
        lines = (f"l{i}.stream.example A" for i in range(20_000))
        load = start_load(self.scene.network, lines, 200, "-t", "10", "-q", "400")
        try:
            for restarts in (1, 2):
                before = self.counted("upstream_answers")
                until(lambda: self.counted("upstream_answers") > before + 100, 20, "the load is answered")
                os.kill(self.process(), signal.SIGKILL)
                until(lambda: self.scene.reported("status")["quic"]["restarts"] == restarts, 10, "the process has ended")
                until(lambda: self.scene.reported("status")["quic"]["running"], 10, "it is started again")
                until(lambda: self.ask("+timeout=2") == [ADDRESS], 10, "queries are answered")
        finally:
            load.stop(number=signal.SIGINT)
        counts = query_counts(load.text())
        self.assertGreater(counts["sent"], 500)
        print(f"killed twice: {counts}", flush=True)

    def test_tls_is_used_where_quic_is_not_answered(self):
        upstream = self.start_upstream(DOT)
        self.start(fallback="tls")
        self.check_answers(3)
        self.assertEqual(self.upstream()["transport"], "tls")
        self.assertIn("is asked over tls: connecting to 1.1.1.8: no answer", self.scene.daemon.text())
        upstream.stop()
        self.start_upstream(DOQ, DOT)
        # QUIC is tried again after 10 s, and then twice that.
        until(lambda: self.ask("+timeout=3") and self.upstream()["transport"] == "quic", 45, "QUIC is used again")
        self.check_answers(3)
        self.assertIn("is asked over quic: it answers", self.scene.daemon.text())

    def test_without_fallback_an_upstream_without_quic_is_not_asked(self):
        self.start_upstream(DOT)
        self.start()
        self.assertIn("SERVFAIL", self.scene.kdig(f"n{next(self.numbers)}.stream.example", "A"))
        self.assertEqual(self.upstream()["connections"], 0)

    def test_a_query_without_an_answer_fails_alone(self):
        self.start_upstream()
        self.start()
        self.check_answers(1)
        self.assertIn("SERVFAIL", self.scene.kdig("silent.stream.example", "A"))
        self.check_answers(2)
        self.wait_counted("upstream_answers", 3)
        self.assertEqual(self.counted("upstreams_begun"), 1)

    def test_a_reload_starts_and_ends_the_process(self):
        self.start_upstream()
        self.start(addr='"udp://1.1.1.1"', dial_addr=None, ca=None)
        self.assertIsNone(self.process())
        self.config.write_text(self.configuration())
        self.scene.steerctl("reload")
        self.check_answers(2)
        self.assertIsNotNone(self.process())
        self.config.write_text(self.configuration(addr='"udp://1.1.1.1"', dial_addr=None, ca=None))
        self.scene.steerctl("reload")
        self.check_answers(2)
        until(lambda: self.process() is None, 10, "the process has ended")
        self.assertNotIn("is started again", self.scene.daemon.text())

    def test_a_proxy_is_refused(self):
        config = self.scene.folder / "proxied.yaml"
        config.write_text(self.configuration(socks5='"192.0.2.1:1080"'))
        done = subprocess.run([f"{BUILD}/steerdnsd", "--check", "--config", str(config)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr + done.stdout, r"'socks5' does not apply to quic:// and h3://")


if __name__ == "__main__":
    unittest.main(verbosity=2)
