"""Lists over HTTP and HTTPS, on a machine that is its own resolver."""

import json
import os
import pathlib
import re
import signal
import sys
import time
import unittest

from lab.certificates import Authority
from lab.network import until
from lab.scene import ZONES, Scene, query_counts

BUILD = sys.argv.pop(1)
SERVER = pathlib.Path(__file__).with_name("list_server.py")

LISTS_ZONE = """
@ 300 SOA ns hostmaster 1 3600 600 86400 60
@ 300 NS ns
@ 300 A 1.1.1.1
www 300 CNAME lists.example.
inside 300 A 127.0.0.1
meta 300 AAAA ::ffff:169.254.169.254
ns 300 A 1.1.1.1
"""
CONFIG = """
control:
  lists: {lists}
  images: off
  fetch: {{ timeout: {timeout}, start_wait: {wait}, max_size: 1MiB, ca: {ca} }}
plugins:
  - {{ tag: names, type: domain_set, args: {{ files: [ "{url}" ] }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [
      {{ matches: qname $names, exec: reject 3 }},
      {{ exec: $up }} ] }}
"""
URL = "https://www.lists.example/names.txt"


class Fetch(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("fetch", BUILD))
        self.scene.start_resolver({**ZONES, "lists.example": LISTS_ZONE})
        self.folder = self.scene.folder
        os.chmod(self.folder, 0o755)
        self.web = self.folder / "web"
        self.web.mkdir()
        self.pages = {}
        self.make_certificates()

    def make_certificates(self):
        """An authority of the test, the server's certificate, and one of another authority."""
        Authority(self.folder).issue("web", "DNS:lists.example", "DNS:www.lists.example")
        Authority(self.folder / "other")

    def start_web(self):
        self.server = self.scene.network.start("resolver", "web", "/usr/bin/python3", str(SERVER), "1.1.1.1",
                                               str(self.web), str(self.folder / "web.pem"), str(self.folder / "web.key"))
        self.server.wait_for("ready")

    def page(self, path="/names.txt", **what):
        self.pages[path] = what
        new = self.web / "pages.new"
        new.write_text(json.dumps(self.pages))
        new.rename(self.web / "pages.json")

    def asked(self, status=None):
        log = self.web / "asked.jsonl"
        lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [line for line in lines if status in (None, line["status"])]

    def start(self, url=URL, wait="60s", ca="ca.pem", timeout="30s"):
        config = self.folder / "steer.yaml"
        config.write_text(CONFIG.format(lists=self.folder / "lists", url=url, wait=wait, ca=ca, timeout=timeout))
        return self.scene.start_daemon(config)

    def rcode(self, name):
        return re.search(r"status: (\w+)", self.scene.kdig(name, "A")).group(1)

    def listed(self, name):
        return self.rcode(name) == "NXDOMAIN"

    def fetch(self):
        """Fetches all lists; returns what is known about our list afterwards. Exits with 1 if one could not be fetched."""
        done = self.scene.ask("--json", "lists", "fetch")
        known = json.loads(done.stdout)["lists"][0]
        failed = known["outcome"] not in ("fetched", "unchanged")
        output = json.loads(done.stderr)["error"]["message"] if done.stderr else ""
        self.assertEqual((done.returncode, output), (1, "1 of 1 lists not fetched; their errors are above") if failed else (0, ""), known)
        return known

    def test_fetch_returns_when_the_new_lists_are_in_force(self):
        self.page(body="stream.example\n", etag='"v1"')
        self.start_web()
        self.start()
        for count in range(2, 7):
            self.page(body="stream.example\n" + "".join(f"n{i}.example\n" for i in range(1, count)), etag=f'"v{count}"')
            (of_set,) = self.scene.reported("lists", "fetch")["sets"]
            self.assertEqual(of_set["rules"], count)
            self.assertTrue(self.listed(f"n{count - 1}.example"))

    def metric(self, name):
        text = self.scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
        return float(found.group(1)) if found else None

    def test_list_servers_are_resolved_by_the_upstreams(self):
        """The first copy is loaded before the first query."""
        self.page(body="stream.example\n", etag='"v1"', gzip=True)
        self.start_web()
        resolv = pathlib.Path("/etc/resolv.conf").read_text()
        for server in re.findall(r"^nameserver (\S+)", resolv, re.M):
            done = self.scene.network.run("appliance", "kdig", f"@{server}", "+timeout=1", "+retry=0", "lists.example",
                                          check=False)
            self.assertNotIn("NOERROR", done.stdout, "the system's resolver is of no use there")
        daemon = self.start()
        self.assertTrue(self.listed("www.stream.example"))
        self.assertFalse(self.listed("media.example"))
        asked = self.asked()
        self.assertEqual([(a["path"], a["tls"], a["status"]) for a in asked], [("/names.txt", True, 200)])
        self.assertEqual(asked[0]["headers"]["Host"], "www.lists.example")
        self.assertIn("was fetched: 15 bytes, 1 rules", daemon.text())
        self.assertNotIn("system's resolver", daemon.text())

        known = self.fetch()
        self.assertEqual(known["outcome"], "unchanged", known)
        self.assertEqual(len(self.asked(304)), 1)
        self.assertEqual(self.asked()[-1]["headers"]["If-None-Match"], '"v1"')
        self.assertEqual(self.metric('steerdns_list_fetches_total{outcome="unchanged"}'), 1)
        self.assertEqual(self.metric("steerdns_lists_missing"), 0)
        self.assertLess(self.metric(f'steerdns_list_age_seconds{{url="{URL}"}}'), 60)
        self.assertRegex(self.scene.steerctl("lists"), rf"{re.escape(URL)} +unchanged +1 +15 ")

    def test_a_new_copy_takes_effect_without_a_lost_query(self):
        self.page(body="stream.example\n", etag='"v1"')
        self.start_web()
        self.start()
        load = self.scene.start_load(rate=300)
        until(lambda: self.scene.total("stats", "upstream_queries") > 100, 5, "the load is there")
        self.page(body="stream.example\nmedia.example\n", etag='"v2"')
        self.assertEqual(self.fetch()["outcome"], "fetched")
        self.assertTrue(self.listed("media.example"), "the new list is in force when the command returns")
        self.assertTrue(load.running(), "it took effect under load")
        until(lambda: self.scene.total("stats", "upstream_queries") > 1_000, 10, "the load goes on")
        load.stop(number=signal.SIGINT)
        counts = query_counts(load.text())
        self.assertGreater(counts["sent"], 300)
        self.assertEqual(counts["lost"], 0, load.text())
        self.assertEqual(self.scene.reported("status")["generation"], 2)

    def test_a_bad_download_keeps_the_last_good_copy(self):
        """Each error is reported with its cause."""
        self.page(body="stream.example\n", etag='"v1"')
        self.start_web()
        daemon = self.start()
        lists = self.folder / "lists"
        copy = next(f for f in lists.iterdir() if f.name.endswith("names.txt"))
        many = "".join(f"n{i}.example\n" for i in range(100_000))
        for outcome, why, what in (
                ("cut_off", "it ended after 10 bytes", {"body": "other.example\n", "cut": 4}),
                ("cut_off", "it ended after", {"body": many[:500_000], "gzip": True, "cut": 1000}),
                ("cut_off", "it ended after 14 bytes", {"body": "other.example\n", "until_close": True}),
                ("too_large", "max_size", {"body": many}),
                ("too_large", "max_size", {"bomb": 20 << 20}),
                ("refused", "404", {"status": 404}),
                ("refused", "https to http", {"status": 302, "location": "http://lists.example/names.txt"}),
                ("refused", "redirects", {"status": 302, "location": "/names.txt"}),
                ("refused", "at 127.0.0.1, a loopback address", {"status": 302, "location": "https://127.0.0.1/x"}),
                ("refused", "a loopback address", {"status": 302, "location": "https://inside.lists.example/x"}),
                ("refused", "a loopback address", {"status": 302, "location": "https://[::ffff:127.0.0.1]/x"}),
                ("refused", "a link-local", {"status": 302, "location": "https://meta.lists.example/latest"}),
                ("refused", "a private", {"status": 302, "location": "https://172.16.1.2/x"}),
                ("no_list", "line 1: the file is an HTML or XML page", {"body": "<html><body>Please sign in</body></html>\n"}),
                ("no_list", "no rule", {"body": ""}),
                ("no_list", "UTF-16", {"hex": "stream.example\n".encode("utf-16").hex()}),
                ("no_list", "", {"hex": bytes(range(128, 256)).hex() * 100})):
            with self.subTest(outcome=outcome, why=why):
                self.page(**what)
                known = self.fetch()
                self.assertEqual(known["outcome"], outcome, known)
                self.assertIn(why, known["trouble"])
                self.assertIn(known["trouble"], daemon.text())
                self.assertEqual(copy.read_text(), "stream.example\n")
                self.assertTrue(self.listed("stream.example"))
                self.assertEqual(len(list(lists.iterdir())), 2, "nothing is left lying about")
        self.page(body="media.example\n", etag='"v3"')
        self.assertEqual(self.fetch()["outcome"], "fetched")
        self.assertTrue(self.listed("media.example"), "a good one is taken again")
        self.assertEqual(self.metric('steerdns_list_fetches_total{outcome="too_large"}'), 2)

    def test_a_slow_download_keeps_the_last_good_copy(self):
        self.page(body="stream.example\n", etag='"v1"')
        self.start_web()
        daemon = self.start(timeout="2s")
        until(lambda: self.fetch()["outcome"] == "unchanged", 10, "the first copy is there")
        self.page(body="other.example\n", cut=4, hold=True)
        known = self.fetch()
        self.assertEqual(known["outcome"], "too_slow", known)
        self.assertIn("longer than 2000 ms", known["trouble"])
        self.assertIn(known["trouble"], daemon.text())
        self.assertTrue(self.listed("stream.example"))

    def test_an_unreachable_server_does_not_stop_a_start(self):
        """A restart uses the last good copy; a first start begins with an empty list and a warning."""
        before = time.monotonic()
        daemon = self.start(wait="1s")
        self.assertLess(time.monotonic() - before, 60)
        self.assertIn("has not been fetched yet: it is empty until then", daemon.text())
        self.assertIn("could not be fetched", daemon.text())
        self.assertEqual(self.metric("steerdns_lists_missing"), 1)
        self.assertFalse(self.listed("stream.example"))
        self.assertRegex(self.scene.steerctl("lists"), rf"{re.escape(URL)} +\S+ +- +- +- ", "nothing was measured yet")
        self.page(body="stream.example\n", etag='"v1"')
        self.start_web()
        self.assertEqual(self.fetch()["outcome"], "fetched")
        self.assertTrue(self.listed("stream.example"), "it came")
        self.assertEqual(self.metric("steerdns_lists_missing"), 0)
        self.assertEqual(daemon.stop(), 0)
        self.server.stop()
        before = time.monotonic()
        # The record of the copy is lost; the copy itself is unchanged.
        for facts in (self.folder / "lists").glob("*.json"):
            facts.unlink()
        daemon = self.start(wait="2m")
        self.assertLess(time.monotonic() - before, 60, "nothing is waited for where there is a copy")
        self.assertTrue(self.listed("stream.example"))
        self.assertEqual(self.scene.reported("status")["ready"], "yes")
        self.assertEqual(self.metric("steerdns_lists_missing"), 0)
        self.assertEqual(self.fetch()["outcome"], "unreachable")
        self.assertTrue(self.listed("stream.example"))

    def test_a_server_needs_a_trusted_certificate(self):
        self.page(body="stream.example\n")
        self.start_web()
        daemon = self.start(ca="other/ca.pem", wait="2s")
        self.assertFalse(self.listed("stream.example"))
        known = self.fetch()
        self.assertEqual(known["outcome"], "untrusted", known)
        self.assertIn("certificate", known["trouble"])
        daemon.stop()
        daemon = self.start(url="https://1.1.1.1/names.txt", wait="2s")
        self.assertEqual(self.fetch()["outcome"], "untrusted", "it is no certificate of that address")
        daemon.stop()
        self.assertEqual(self.asked(), [])
        self.start(url="http://1.1.1.1/names.txt")
        self.assertTrue(self.listed("stream.example"))
        self.assertEqual([a["tls"] for a in self.asked()], [False])

    def test_a_list_is_fetched_over_http2(self):
        """From a server that speaks only HTTP/2: a body larger than the initial window, and 304."""
        names = "stream.example\n" + "".join(f"n{i}.example\n" for i in range(60_000))
        (self.web / "names.txt").write_text(names)
        web = self.scene.network.start("resolver", "web", "/usr/bin/stdbuf", "-oL", "/usr/sbin/nghttpd", "-v", "-a", "1.1.1.1",
                                       "-d", str(self.web), "443", str(self.folder / "web.key"), str(self.folder / "web.pem"))
        web.wait_for("listen 1.1.1.1:443")
        daemon = self.start()
        self.assertTrue(self.listed("www.stream.example"))
        self.assertTrue(self.listed("n59999.example"))
        self.assertIn(f"was fetched: {len(names)} bytes, 60001 rules", daemon.text())
        self.assertEqual(self.fetch()["outcome"], "unchanged")
        self.assertIn(":status: 304", web.text())

    def test_a_reload_waits_for_the_first_copy_of_a_new_url(self):
        self.page(body="stream.example\n")
        self.page("/more.txt", body="media.example\n")
        self.start_web()
        self.start()
        config = self.folder / "steer.yaml"
        config.write_text(config.read_text().replace(f'"{URL}"', f'"{URL}", "{URL.replace("names", "more")}"'))
        self.assertIn("configuration 2 is active", self.scene.steerctl("reload"))
        self.assertTrue(self.listed("media.example"))
        self.assertTrue(self.listed("stream.example"))
        self.assertEqual(len(self.scene.reported("lists")["lists"]), 2)
        config.write_text(config.read_text().replace(f', "{URL.replace("names", "more")}"', ""))
        self.assertIn("configuration 3 is active", self.scene.steerctl("reload"))
        self.assertFalse(self.listed("media.example"))
        self.assertEqual(len(self.scene.reported("lists")["lists"]), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
