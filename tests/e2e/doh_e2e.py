"""DNS over HTTP with real clients: curl by HTTP/2 and HTTP/1.1, kdig, behind a proxy; and requests without a query."""

import base64
import json
import os
import re
import subprocess
import sys
import unittest

from lab.certificates import Authority
from lab.scene import Scene

BUILD = sys.argv.pop(1)

CONFIG = """
plugins:
  - tag: up
    type: forward
    args: {{ upstreams: [ {{ addr: "udp://1.1.1.1" }} ] }}
  - tag: main
    type: sequence
    args:
      - {{ matches: "client_ip 198.51.100.0/24", exec: "black_hole 192.0.2.99" }}
      - {{ matches: "qname silent.example", exec: "reject 5" }}
      - {{ matches: has_resp, exec: accept }}
      - {{ exec: $up }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - tag: doh
    type: http_server
    args:
      entries: [ {{ path: /dns-query, exec: main }}, {{ path: /json, exec: main, json_api: true }} ]
      listen: ":443"
      cert: {0.pem}
      key: {0.key}
  - tag: behind
    type: http_server
    args:
      entries: [ {{ path: /dns-query, exec: main }} ]
      listen: ":8053"
      src_ip_header: X-Forwarded-For
      trusted_proxies: [192.168.88.10]
  - tag: plain
    type: http_server
    args: {{ entries: [ {{ path: /dns-query, exec: main }} ], listen: ":8054", src_ip_header: X-Forwarded-For }}
dataplane: {{ allow: [192.168.88.0/24, 198.51.100.0/24] }}
"""

HOST = "dns.example"
URL = f"https://{HOST}/dns-query"
NAMES = ("stream.example", "www.stream.example", "short.stream.example", "other.example", "www.other.example",
         "none.media.example")
POST = ("-H", "content-type: application/dns-message", "--data-binary")


def query(name, ident=0):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return ident.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1"


def base64url(message):
    return base64.urlsafe_b64encode(message).decode().rstrip("=")


class Doh(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("doh", BUILD))
        self.scene.start_resolver()
        self.folder = self.scene.folder
        os.chmod(self.folder, 0o755)
        self.authority = Authority(self.folder)
        server = self.authority.issue("server", f"DNS:{HOST}")
        config = self.folder / "doh.yaml"
        config.write_text(CONFIG.format(server))
        self.scene.start_daemon(config)

    def curl(self, *words):
        return self.scene.network.run("client", "curl", "-s", "--max-time", "8", "--cacert",
                                      self.authority.pem, "--resolve", f"{HOST}:443:172.16.1.2", *words,
                                      check=False)

    def fetch(self, *words):
        """Status, version of HTTP, content type and content of a request."""
        content = self.folder / "content"
        content.unlink(missing_ok=True)
        head = self.curl("-o", str(content), "-w", "%{http_code} %{http_version} %{content_type}", *words).stdout
        status, version, kind = (head + "  ").split(" ")[:3]
        return int(status), version, kind, content.read_bytes() if content.exists() else b""

    def named_query(self, name):
        path = self.folder / "query"
        path.write_bytes(query(name))
        return path

    def ask(self, name, *words, url=URL):
        """The addresses in the answer to a POST."""
        status, version, kind, content = self.fetch(*POST, f"@{self.named_query(name)}", *words, url)
        self.assertEqual((status, kind), (200, "application/dns-message"))
        self.assertEqual(content[:2], b"\0\0")
        return version, content

    def test_answers_equal_those_over_udp(self):
        """GET and POST, HTTP/2 and HTTP/1.1, curl and kdig."""
        for name in NAMES:
            with self.subTest(name=name):
                wanted = sorted(self.scene.short(name, "A"))
                for words in (("+https",), ("+https-get",)):
                    tls = (f"+tls-ca={self.authority.pem}", f"+tls-hostname={HOST}")
                    self.assertEqual(sorted(self.scene.short(*words, *tls, name, "A")), wanted)
                contents = {}
                for flag, version in (("--http2", "2"), ("--http1.1", "1.1")):
                    got, contents[flag] = self.ask(name, flag)
                    self.assertEqual(got, version)
                    status, _, _, by_get = self.fetch(flag, f"{URL}?dns={base64url(query(name))}")
                    self.assertEqual((status, len(by_get)), (200, len(contents[flag])))
                for address in (x for x in wanted if re.fullmatch(r"[\d.]+", x)):
                    self.assertIn(bytes(map(int, address.split("."))), contents["--http2"])
        self.assertGreater(self.scene.stream_total("http_answers"), 0)
        self.assertEqual(self.scene.stream_total("http_refused"), 0)

    def test_names_are_answered_in_json_where_it_is_configured(self):
        """Over HTTP/2 and HTTP/1.1. Messages are served at the same path."""
        url = f"https://{HOST}/json"
        for flag in ("--http2", "--http1.1"):
            for name in NAMES:
                with self.subTest(flag=flag, name=name):
                    status, _, kind, content = self.fetch(flag, f"{url}?name={name}&random_padding=x")
                    self.assertEqual((status, kind), (200, "application/dns-json"))
                    answer = json.loads(content)
                    self.assertEqual(answer["Question"], [{"name": name + ".", "type": 1}])
                    self.assertEqual(sorted(x["data"] for x in answer.get("Answer", ())), sorted(self.scene.short(name, "A")))
            answer = json.loads(self.fetch(flag, f"{url}?name=silent.example")[3])
            self.assertEqual(answer["Status"], 5)
            self.assertEqual(self.fetch(flag, f"{url}?name=stream.example&ct=application/dns-message")[2],
                             "application/dns-message")
            self.assertEqual(self.fetch(flag, f"{url}?dns={base64url(query('stream.example'))}")[2], "application/dns-message")
            self.assertEqual(self.fetch(flag, *POST, f"@{self.named_query('stream.example')}", url)[2], "application/dns-message")
            for bad in ("", "?name=", "?name=a..b", "?name=a&type=none", "?name=a&cd=2", "?name=a&edns_client_subnet=x"):
                status, _, kind, content = self.fetch(flag, url + bad)
                self.assertEqual((status, kind), (400, "text/plain"))
                self.assertRegex(content.decode(), r"^Expected '[^\n]*\n$")
            self.assertEqual(self.fetch(flag, f"{URL}?name=stream.example")[0], 400)
        head = self.curl("-I", f"{url}?name=long.stream.example").stdout
        self.assertRegex(head, r"content-type: application/dns-json")
        self.assertRegex(head, r"cache-control: private, max-age=86\d\d\d")

    def test_curl_resolves_names_by_doh(self):
        """curl --doh-url: it finds the host's address by us; the host itself is unreachable."""
        output = self.curl("-v", "--doh-url", URL, "--doh-cert-status", "http://stream.example/").stderr
        self.assertNotIn("Could not resolve host", output)
        output = self.curl("-v", "--connect-timeout", "8", "--max-time", "20", "--doh-url", URL, "http://stream.example/").stderr
        self.assertIn("203.0.113.1", output)

    def test_max_age_is_the_lowest_ttl(self):
        head = self.curl("-D", "-", "-o", "/dev/null", f"{URL}?dns={base64url(query('long.stream.example'))}").stdout
        age = re.search(r"cache-control: private, max-age=(\d+)", head)
        self.assertIsNotNone(age, head)
        self.assertIn(int(age[1]), range(86400 - 60, 86401))
        refused = self.curl("-D", "-", "-o", "/dev/null", f"{URL}?dns={base64url(query('silent.example'))}").stdout
        self.assertIn("200", refused.splitlines()[0])
        self.assertIn("no-store", refused)

    def test_requests_without_a_query_get_their_http_status(self):
        (self.folder / "query").write_bytes(query("stream.example"))
        (self.folder / "long").write_bytes(b"x" * 5000)
        at = f"@{self.folder}/query"
        cases = ((404, (f"https://{HOST}/", )), (404, (URL + "/", )), (400, (URL, )), (400, (URL + "?dns=AA==", )),
                 (400, (URL + "?dns=A!B", )), (405, ("-X", "PUT", "-H", "content-type: application/dns-message", URL)),
                 (415, ("-H", "content-type: text/plain", "--data-binary", at, URL)), (415, ("--data-binary", at, URL)),
                 (413, (*POST, f"@{self.folder}/long", URL)), (414, (f"{URL}?dns={'A' * 6000}", )),
                 (431, ("-H", "X: " + "a" * 9000, URL)))
        for flag in ("--http2", "--http1.1"):
            for status, words in cases:
                with self.subTest(flag=flag, status=status, words=words[-1][:60]):
                    self.assertEqual(self.fetch(flag, *words)[0], status)
        self.assertEqual(self.scene.stream_total("http_refused"), 2 * len(cases))
        self.assertIn(b"\xcb\x00\x71\x0a", self.ask("stream.example")[1])

    def test_an_answer_is_padded_when_the_query_asks(self):
        tls = (f"+tls-ca={self.authority.pem}", f"+tls-hostname={HOST}")
        self.assertIn("Received 468 B", self.scene.kdig("+https", "+padding", *tls, "stream.example", "A"))

    def test_the_client_address_of_a_trusted_proxy_counts(self):
        """Also over HTTP/2 without TLS. Other clients cannot set the address."""
        marked = b"\xc0\x00\x02\x63"  # what clients in 198.51.100.0/24 are reported
        reported = ("-H", "X-Forwarded-For: 198.51.100.7")
        for flag in ("--http1.1", "--http2-prior-knowledge"):
            with self.subTest(flag=flag):
                self.assertIn(marked, self.ask("stream.example", flag, *reported, url="http://172.16.1.2:8053/dns-query")[1])
                for words, port in ((reported, 8054), ((), 8053)):
                    answer = self.ask("stream.example", flag, *words, url=f"http://172.16.1.2:{port}/dns-query")[1]
                    self.assertIn(b"\xcb\x00\x71\x0a", answer)
                status = self.fetch(flag, *POST, f"@{self.folder}/query", "-H", "X-Forwarded-For: nobody",
                                    "http://172.16.1.2:8053/dns-query")[0]
                self.assertEqual(status, 400)
        warned = subprocess.run([BUILD + "/steerdnsd", "--check", "--config", str(self.folder / "doh.yaml")],
                                capture_output=True, text=True, check=False)
        self.assertIn("'src_ip_header' of http_server 'plain' is trusted only from proxies on this machine",
                      warned.stdout + warned.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
