"""A browser with secure DNS set to us: Chromium asks no other server, and shows a page whose name only we know."""

import json
import sys
import unittest

from lab.browser import FLAGS, OPTION
from lab.certificates import Authority
from lab.network import run, skip_without, until
from lab.scene import ZONES, Scene

BUILD = sys.argv.pop(1)
NEEDED = ("chromium", "certutil")

CONFIG = """
plugins:
  - {{ tag: main, type: sequence, args: [ {{ exec: forward 1.1.1.1 }} ] }}
  - tag: doh
    type: http_server
    args: {{ entries: [ {{ path: /dns-query, exec: main }} ], listen: ":443", cert: "{0.pem}", key: "{0.key}", enable_http3: true }}
"""
WEB = "203.0.113.80"
URL = "http://page.stream.example/"
PAGE = """<p id="x"></p><script>document.getElementById("x").textContent = "made by " + "the page"</script>"""


class Browser(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("browser", BUILD))
        self.folder = self.scene.folder
        self.scene.start_resolver({**ZONES, "stream.example": ZONES["stream.example"] + f"page 60 A {WEB}\n"})
        self.authority = Authority(self.folder)
        config = self.folder / "browser.yaml"
        config.write_text(CONFIG.format(self.authority.issue("server", "DNS:dns.example", "IP:172.16.1.2")))
        self.scene.start_daemon(config)
        self.serve_page()

    def serve_page(self):
        folder = self.folder / "www"
        folder.mkdir()
        (folder / "index.html").write_text(PAGE)
        self.scene.network.address("resolver", "lo", f"{WEB}/32")
        self.scene.network.route("router", f"{WEB}/32", "via", "1.1.1.1")
        web = self.scene.network.start("resolver", "web", "/usr/bin/python3", "-u", "-m", "http.server", "-b", WEB, "-d", str(folder), "80")
        web.wait_for("Serving HTTP")

    def show(self, name, template, *flags, trusted=True):
        """The page as a new user's browser shows it: this machine's settings are neither used nor changed."""
        home = self.folder / name
        (home / ".pki/nssdb").mkdir(parents=True)
        keys = f"sql:{home}/.pki/nssdb"
        run("certutil", "-d", keys, "-N", "--empty-password")
        if trusted:
            run("certutil", "-d", keys, "-A", "-t", "C,,", "-n", "authority", "-i", self.authority.pem)
        (home / "data").mkdir()
        (home / "data/Local State").write_text(json.dumps({"dns_over_https": {"mode": "secure", "templates": template}}))
        return self.scene.network.run("client", "env", f"HOME={home}", "timeout", "60", "chromium", *FLAGS, *flags,
                                      f"--user-data-dir={home}/data", "--dump-dom", URL).stdout

    def test_a_page_is_found_by_doh(self):
        for name, template in (("get", "https://172.16.1.2/dns-query{?dns}"), ("post", "https://172.16.1.2/dns-query")):
            with self.subTest(name):
                before = self.scene.stream_total("http_answers")
                self.assertIn("made by the page", self.show(name, template))
                self.assertGreater(self.scene.stream_total("http_answers"), before)

    def test_a_page_is_found_over_http3(self):
        before = self.scene.stream_total("http_answers")
        page = self.show("http3", "https://172.16.1.2/dns-query{?dns}", "--origin-to-force-quic-on=172.16.1.2:443")
        self.assertIn("made by the page", page)
        # The process reports its counters each second.
        until(lambda: sum(thread["answers"] for thread in self.scene.counters()["quic"]) > 0, 3, "answers over HTTP/3")
        self.assertEqual(self.scene.stream_total("http_answers"), before)

    def test_the_browser_asks_no_other_server(self):
        """If the certificate is not trusted, there is no page, since the browser does not use another transport."""
        self.assertNotIn("made by", self.show("stranger", "https://172.16.1.2/dns-query{?dns}", trusted=False))
        self.assertEqual(self.scene.stream_total("http_answers"), 0)
        self.assertGreater(self.scene.stream_total("tls_failed"), 0)


if __name__ == "__main__":
    skip_without(NEEDED, OPTION)
    unittest.main(verbosity=2)
