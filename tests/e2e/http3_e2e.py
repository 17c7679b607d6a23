"""DNS over HTTP/3 with clients of other makers: quic-go, ngtcp2's own client, and Chromium."""

import base64
import sys
import unittest

from lab.browser import FLAGS, NEEDED, OPTION
from lab.network import missing, run, skip_without
from quic_frames import query
from quic_peer import HOST, SERVER, QuicCase, take_arguments

CONFIG = """
plugins:
  - tag: main
    type: sequence
    args:
      - {{ exec: cache }}
      - {{ matches: "!has_resp", exec: forward 1.1.1.1 }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53" }} }}
  - tag: doh
    type: http_server
    args:
      entries: [ {{ path: /dns-query, exec: main }} ]
      listen: ":443"
      cert: "{0.pem}"
      key: "{0.key}"
      enable_http3: true
control: {{ stream_threads: 2 }}
"""
DNS = "application/dns-message"
PATH = "/dns-query?dns=" + base64.urlsafe_b64encode(query("stream.example")).rstrip(b"=").decode()
URL = f"https://{HOST}{PATH}"


class Http3(QuicCase):
    def configuration(self):
        return CONFIG

    def fetch(self, peer, path=PATH, body=b"", method="GET", **headers):
        return peer.do("fetch", path=path, hex=body.hex(), method=method, headers=headers, ms=20_000)

    def assert_it_lives(self):
        self.assertEqual(self.process(), self.first_process)
        self.assertEqual(self.fetch(self.peer(server=f"{SERVER}:443"))["status"], 200)

    def test_get_and_post_of_quic_go(self):
        peer = self.peer(server=f"{SERVER}:443")
        for method, path, body in (("GET", PATH, b""), ("POST", "/dns-query", query("stream.example"))):
            with self.subTest(method):
                done = self.fetch(peer, path, body, method, **{"content-type": DNS, "accept": DNS})
                self.assertEqual((done["status"], done["headers"]["Content-Type"]), (200, DNS), done)
                self.assertIn("max-age=", done["headers"]["Cache-Control"])
                answer = bytes.fromhex(done["hex"])
                self.assertEqual(answer[:2], b"\0\0")
                self.assertIn(bytes((203, 0, 113, 10)), answer)
        self.wait_counted("handshakes", 1)

    def test_requests_that_are_none(self):
        peer = self.peer(server=f"{SERVER}:443")
        for name, (status, path, body, method, kind) in {
                "another_path": (404, "/other", b"", "GET", DNS), "no_query": (400, "/dns-query", b"", "GET", DNS),
                "bad_base64": (400, "/dns-query?dns=%%", b"", "GET", DNS), "another_method": (405, "/dns-query", b"", "PUT", DNS),
                "another_type": (415, "/dns-query", query("stream.example"), "POST", "text/plain"),
                "too_long": (413, "/dns-query", bytes(70_000), "POST", DNS)}.items():
            with self.subTest(name):
                done = self.fetch(peer, path, body, method, **{"content-type": kind})
                self.assertEqual(done.get("status"), status, done)
        self.assert_it_lives()

    def gtlsclient(self, *words):
        return self.scene.network.run("client", "timeout", "30", "gtlsclient", "--exit-on-all-streams-close", "--sni", HOST, *words,
                                      check=False)

    @unittest.skipIf(missing(("gtlsclient",), ""), "gtlsclient is missing")
    def test_ngtcp2s_own_client(self):
        for name, words in {"one": (), "many_streams": ("--nstreams=50",), "key_update": ("--key-update=10ms", "--nstreams=20"),
                            "new_address": ("--change-local-addr=5ms", "--delay-stream=50ms"),
                            "new_port_of_a_nat": ("--change-local-addr=5ms", "--nat-rebinding", "--delay-stream=50ms")}.items():
            with self.subTest(name):
                done = self.gtlsclient(*words, SERVER, "443", URL)
                output = done.stdout + done.stderr
                self.assertEqual(done.returncode, 0, output[-2000:])
                self.assertIn("[:status: 200]", output)
                self.assertNotIn("[:status: 5", output)
        self.assert_it_lives()

    @unittest.skipIf(missing(("gtlsclient",), ""), "gtlsclient is missing")
    def test_ngtcp2s_own_client_resumes_a_session(self):
        kept = tuple(f"--{what}-file={self.scene.folder}/{what}" for what in ("session", "tp", "token"))
        for _ in range(2):
            done = self.gtlsclient(*kept, "--disable-early-data", SERVER, "443", URL)
            self.assertIn("[:status: 200]", done.stdout + done.stderr)
        self.wait_counted("handshakes_resumed", 1)

    @unittest.skipIf(missing((*NEEDED, "certutil"), OPTION), "Chromium is missing")
    def test_chromium(self):
        """It navigates to a query, and is made to use QUIC for our address."""
        home = self.scene.folder / "browser"
        (home / ".pki/nssdb").mkdir(parents=True)
        keys = f"sql:{home}/.pki/nssdb"
        run("certutil", "-d", keys, "-N", "--empty-password")
        run("certutil", "-d", keys, "-A", "-t", "C,,", "-n", "authority", "-i", self.authority.pem)
        # The answer is a download and no page, so counters have the result.
        self.scene.network.run("client", "env", f"HOME={home}", "timeout", "60", "chromium", *FLAGS, f"--user-data-dir={home}/data",
                               f"--origin-to-force-quic-on={HOST}:443", f"--host-resolver-rules=MAP {HOST} {SERVER}",
                               "--dump-dom", URL, check=False)
        self.wait_counted("queries", 1)
        self.wait_counted("handshakes", 1)


if __name__ == "__main__":
    take_arguments(Http3)
    skip_without(("go",), "--all")
    reference = run(f"{Http3.build}/steerdnsd", "--config-reference").stdout
    if "`enable_http3`" not in reference.partition("### `http_server`")[2]:
        print("skipped: this build has no HTTP/3")
        sys.exit(77)
    unittest.main(verbosity=2)
