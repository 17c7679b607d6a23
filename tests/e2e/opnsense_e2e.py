"""`opnsense_alias`: addresses of answers are in aliases of OPNsense, as a simulator of its API (tools/opnsim) holds them.

No real OPNsense takes part: the simulator follows the sources of OPNsense's core.
"""

import os
import re
import signal
import sys
import time
import unittest

from lab.certificates import NEW_KEY, Authority
from lab.network import run, until
from lab.scene import ZONES, Scene
from lab.truth import address_of, ask, many_names_zone
from opnsim.server import tell

BUILD = sys.argv.pop(1)
KEY, SECRET = "w86XNZob", "XeDtVkzh"
A, B, SIX, MEDIA, SHORT = "203.0.113.10", "203.0.113.11", "2001:db8:113::10", "203.0.113.30", "203.0.113.20"

CONFIG = """
dataplane: {{ trusted_forwarders: [192.168.88.10/32] }}
opnsense:
{routers}
plugins:
  - {{ tag: stream_names, type: domain_set, args: {{ exps: ["domain:stream.example"] }} }}
  - {{ tag: media_names, type: domain_set, args: {{ exps: ["domain:media.example"] }} }}
  - {{ tag: main_cache, type: cache, args: {{ size: 20000, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - tag: stream
    type: opnsense_alias
    args: {{ {where}, alias4: steer_stream, alias6: steer_stream, allow_claim: [198.19.0.0/16]{stream} }}
{media}
  - {{ tag: main, type: sequence, args: [
      {{ matches: "qname $stream_names", exec: $stream }},
{media_rule}
      {{ exec: $main_cache }},
      {{ exec: $up }} ] }}
"""
MEDIA_LIST = """  - tag: media
    type: opnsense_alias
    args: { router: fw1, alias4: steer_media, missing_family: nodata }
"""
MEDIA_RULE = '      { matches: "qname $media_names", exec: $media },'


class Opnsense(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("opnsense", BUILD))
        self.authority = Authority(self.scene.folder / "ca")
        self.sockets = {}

    def start(self, *, zones=None, daemon=True, **config):
        self.scene.start_resolver(zones)
        self.start_router()
        self.configure(**config)
        if daemon:
            self.daemon = self.scene.start_daemon(self.file)
            self.in_sync()

    def start_router(self, name="fw1", port=443, certificate=None):
        """An OPNsense at 172.16.1.1 with two aliases for SteerDNS."""
        certificate = certificate or self.authority.issue(name, "IP:172.16.1.1")
        control = self.sockets[name] = self.scene.folder / f"{name}.sock"
        process = self.scene.network.start(
            "router", name, "/usr/bin/python3", "-m", "opnsim.server", "--listen", f"172.16.1.1:{port}", "--certificate",
            certificate.pem, "--key", certificate.key, "--control", str(control), "--user", f"{KEY}:{SECRET}",
            "--alias", "steer_stream", "--alias", "steer_media")
        process.wait_for("opnsim serves")

    def router(self, name="fw1", port=443, secret=SECRET, tls=None, more=""):
        tls = tls or f"ca: {self.authority.pem}"
        return (f'  {name}: {{ address: "172.16.1.1:{port}", key: {KEY}, secret: {secret}, tls: {{ {tls} }}, '
                f"read_every: 1s{more} }}\n")

    def configure(self, routers=None, where="router: fw1", stream="", media=False, **router):
        self.file = self.scene.folder / "opnsense.yaml"
        self.file.write_text(CONFIG.format(
            routers=routers or self.router(**router), where=where, stream=stream, media=MEDIA_LIST if media else "",
            media_rule=MEDIA_RULE if media else ""))

    def tell(self, router="fw1", /, **words):
        return tell(self.sockets[router], **words)

    def table(self, alias="steer_stream", name="fw1"):
        return set(self.tell(name, do="table", alias=alias))

    def has(self, *elements, alias="steer_stream", name="fw1", seconds=5):
        until(lambda: self.table(alias, name) == set(elements), seconds, f"{alias} has {elements}, not {self.table(alias, name)}")

    def aliases(self):
        return {(a["name"], a["alias"]): a for a in self.scene.reported("status").get("opnsense", [])}

    def in_sync(self, seconds=20):
        until(lambda: (all_ := self.aliases()) and all(a["state"] == "ready" for a in all_.values()), seconds, "the aliases are read")

    def knows(self, count):
        """Waits until SteerDNS has the replies: the router has an element before its reply arrives."""
        until(lambda: [(a["state"], a["elements"], a["owed"]) for a in self.aliases().values()] == [("ready", count, 0)], 20,
              f"{count} elements are known to be there")

    def counted(self, what, alias="steer_stream"):
        return next(a[what] for a in self.scene.reported("counters")["opnsense"] if a["alias"] == alias)

    def held(self):
        """How many answers waited so far."""
        return self.scene.total("stats", "hold_released") + self.scene.total("stats", "hold_late")

    def ask(self, name, kind="A"):
        answer = self.scene.short(name, kind)
        self.assertTrue(answer, name)
        return answer

    def metrics(self):
        return self.scene.network.run("appliance", "/usr/bin/python3", "-c", "import urllib.request as u;"
                                      "print(u.urlopen('http://127.0.0.1:9153/metrics').read().decode())").stdout

    def test_answers_become_elements_and_end_with_their_leases(self):
        self.start(stream=", min_ttl: 2s, extra_time: 1s")
        self.ask("stream.example")
        self.ask("stream.example", "AAAA")
        self.ask("www.other.example")
        self.has(A, B, SIX)
        asked = time.monotonic()
        self.ask("short.stream.example")  # TTL 5 s
        self.has(A, B, SIX, SHORT)
        self.has(A, B, SIX, seconds=20)
        self.assertGreater(time.monotonic() - asked, 5)
        until(lambda: (self.counted("added"), self.counted("deleted"), self.counted("lost")) == (4, 1, 0), 3, "they are counted")
        self.assertIn("steer_stream", self.scene.steerctl("status"))
        for words in ((), ("status", "fw1")):
            self.assertRegex(self.scene.steerctl("routers", *words), r"^opnsense\n.*\n +fw1 +172.16.1.1 port 443 +steer_stream +stream +ready ")
        self.assertIn("'fw1' is an OPNsense router, and this works with RouterOS routers only", self.scene.ask("routers", "pause", "fw1").stderr)
        self.assertIn("there is no router 'fw2'", self.scene.ask("routers", "status", "fw2").stderr)
        labels = '{router="fw1",alias="steer_stream"}'
        for line in (f"steerdns_alias_ready{labels} 1\n", f"steerdns_alias_added_total{labels} 4\n",
                     'steerdns_sink_away{sink="OPNsense fw1"} 0\n'):
            self.assertIn(line, self.metrics())
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(self.table(), {A, B, SIX})  # leases outlive the daemon

    def test_a_held_answer_leaves_after_its_element_is_there(self):
        self.start(stream=", async: false, sync_timeout: 3s")
        self.tell(do="delay", ms=300)
        begin = time.monotonic()
        self.ask("media.stream.example")
        self.assertGreater(time.monotonic() - begin, 0.3)
        self.assertEqual(self.table(), {"203.0.113.99"})
        self.assertEqual(self.scene.counters()["outcomes"]["installed"], 1)
        self.ask("media.stream.example")  # its element is known
        self.assertEqual(self.held(), 1)

    def test_a_slow_router_delays_three_answers_at_most(self):
        self.start(stream=", async: false, sync_timeout: 200ms, ready: any", more=", receive_timeout: 5s")
        self.tell(do="delay", ms=600)
        for name in ("stream", "short.stream", "node.stream", "long.stream"):
            self.ask(f"{name}.example")
        until(lambda: self.aliases()["fw1", "steer_stream"]["state"] == "away", 10, "no answer waits")
        held = self.held()
        self.ask("www.stream.example")
        self.assertEqual(self.held(), held)
        self.assertEqual(self.scene.readyz(), "ok\n")  # a slow router is written
        self.tell(do="hang", on=True)  # it accepts connections and says nothing
        self.daemon.wait_for("it took too long", 20)
        self.ask("new.stream.example")
        until(lambda: re.fullmatch(r'routers failed: list "stream" cannot be written to fw1 \(.*\)\n', self.scene.readyz()), 5, "/readyz names it")
        self.tell(do="hang", on=False)
        self.tell(do="delay", ms=0)
        self.in_sync()
        until(lambda: self.scene.readyz() == "ok\n", 5, "it is ready again")
        until(lambda: "203.0.113.99" in self.table(), 10, "claims were kept")

    def test_a_router_that_is_off_is_noticed_in_3_s(self):
        self.start(stream=", async: false")
        self.scene.network.run("router", "nft", "-f", "-", input="table ip off { chain in { type filter hook input priority 0; tcp dport 443 drop; }; }")
        begin = time.monotonic()
        self.daemon.wait_for("no answer waits for it", 9)
        self.assertLess(time.monotonic() - begin, 6)  # read_every and 3 s
        self.assertIn("gives no reply: Connection timed out", self.daemon.text())
        self.scene.network.run("router", "nft", "delete", "table", "ip", "off")
        self.in_sync(40)
        self.ask("stream.example")
        self.has(A, B)

    def test_a_user_that_may_only_read_does_not_cause_endless_reads(self):
        self.start(stream=", ready: any")
        privileges = ["page-diagnostics-tables", "page-firewall-aliases"]
        self.tell(do="user", key=KEY, secret=SECRET, privileges=privileges, read_only=True)
        self.ask("stream.example")
        self.daemon.wait_for("Deny config write")
        before = self.tell(do="facts")["counts"]["list"]
        until(lambda: "user-config-readonly" in self.scene.readyz(), 5, "/readyz names the cause")
        self.tell(do="user", key=KEY, secret=SECRET, privileges=privileges)
        self.daemon.wait_for("is written again", 40)
        self.assertLess(self.tell(do="facts")["counts"]["list"], before + 5)  # in 30 s
        self.has(A, B)

    def test_a_rebooted_router_is_filled_again(self):
        self.start()
        self.ask("stream.example")
        self.has(A, B)
        self.knows(2)
        self.tell(do="reboot", seconds=2)
        self.daemon.wait_for("no answer waits for it")
        self.ask("stream.example")
        self.ask("node.stream.example")
        self.has(A, B, "203.0.113.31", seconds=20)
        self.daemon.wait_for("is reachable again")
        self.knows(3)
        self.tell(do="flush", alias="steer_stream")  # without a lost connection
        self.has(A, B, "203.0.113.31", seconds=10)
        until(lambda: self.counted("lost") == 5, 3, "they are counted")

    def test_foreign_elements_stay(self):
        self.start(stream=", min_ttl: 2s, extra_time: 1s")
        self.ask("short.stream.example")
        self.has(SHORT)
        foreign = ["192.0.2.0/24", "!192.0.2.9", "192.0.2.77", "2001:db8:9::/48"]
        self.tell(do="insert", alias="steer_stream", elements=foreign)
        self.daemon.wait_for("4 elements that are not of SteerDNS")
        self.has(*foreign, seconds=15)
        self.assertEqual(self.aliases()["fw1", "steer_stream"]["foreign"], 4)
        self.assertEqual(self.daemon.stop(), 0)

    def test_an_alias_that_is_not_given_to_steerdns_is_not_written(self):
        self.start(daemon=False)
        self.tell(do="alias", name="steer_stream", type="host", description="SteerDNS")
        self.tell(do="insert", alias="steer_stream", elements=["192.0.2.1"])
        self.configure(stream=", ready: all")
        self.daemon = self.scene.start_daemon(self.file)
        self.daemon.wait_for('has the type "host"')
        failed = """routers failed: list "stream" cannot be written to fw1 (alias 'steer_stream' has the type"""
        until(lambda: self.scene.readyz().startswith(failed), 3, "/readyz names the alias")
        self.ask("stream.example")
        self.assertEqual(self.tell(do="facts")["config_writes"], 0)
        self.assertEqual(self.table(), {"192.0.2.1"})
        until(lambda: "External (advanced)" in self.aliases()["fw1", "steer_stream"]["trouble"], 3, "status says why")

    def test_wrong_credentials_and_missing_privileges_are_explained(self):
        self.start(daemon=False, secret="wrong")
        self.daemon = self.scene.start_daemon(self.file)
        self.daemon.wait_for("refuses the key or the secret (401)")
        self.ask("stream.example")
        self.assertNotIn(SECRET, self.daemon.text())
        self.tell(do="user", key=KEY, secret="wrong", privileges=["page-diagnostics-tables"])
        self.configure(secret="wrong", more=", cpu_share: 60%")  # another access is tried at once
        self.file.write_text(self.file.read_text().replace("read_every: 1s", "read_every: 1s, receive_timeout: 9s"))
        self.scene.steerctl("reload")
        self.daemon.wait_for("'Firewall: Aliases'")
        self.configure()
        self.tell(do="user", key=KEY, secret=SECRET, privileges=["page-diagnostics-tables", "page-firewall-aliases"])
        self.scene.steerctl("reload")
        self.has(A, B, seconds=10)

    def test_a_self_signed_certificate_needs_its_pin(self):
        folder = self.scene.folder
        run("openssl", "req", "-x509", *NEW_KEY, "-days", "30", "-subj", "/CN=OPNsense.internal", "-keyout", "own.key", "-out",
            "own.pem", cwd=folder)
        self.scene.start_resolver()
        certificate = type("Own", (), {"pem": str(folder / "own.pem"), "key": str(folder / "own.key")})
        self.start_router(certificate=certificate)
        self.configure()
        self.daemon = self.scene.start_daemon(self.file)
        self.daemon.wait_for("gives no TLS connection")
        self.assertRegex(self.daemon.text(), r"self.signed|authority|ca")
        self.configure(tls=f"pin: {'ab' * 32}")
        self.scene.steerctl("reload")
        self.daemon.wait_for("does not match `pin`")
        shown = re.search(r"its SHA-256 is ([0-9a-f]{64})", self.daemon.text()).group(1)
        printed = run("openssl", "x509", "-in", str(folder / "own.pem"), "-noout", "-fingerprint", "-sha256").stdout
        pin = printed.strip().split("=")[1]
        self.assertEqual(shown, pin.replace(":", "").lower())
        self.configure(tls=f'pin: "{pin}"')
        self.scene.steerctl("reload")
        self.in_sync()
        self.ask("stream.example")
        self.has(A, B)

    def test_garbage_and_errors_stop_neither_dns_nor_the_daemon(self):
        self.start(stream=", async: false")
        for text, status in (("<html>", 200), ("[" * 500, 200), ('{"rows":7}', 200), ("", 200), ("x" * 1_000_000, 200), ("{}", 500),
                             ('{"total":5,"rows":[]}', 200)):
            self.tell(do="say", text=text, status=status)
            until(lambda: self.aliases()["fw1", "steer_stream"]["state"] == "away", 15, "nobody waits for it")
            self.ask("stream.example")
            self.tell(do="say")
            self.in_sync(40)
        self.has(A, B)
        self.assertEqual(self.daemon.stop(), 0)

    def test_two_lists_have_two_aliases_and_a_reload_takes_one(self):
        self.start(media=True, stream=", min_ttl: 2s, extra_time: 1s")
        self.ask("stream.example")
        self.ask("media.example")
        self.has(A, B)
        self.has(MEDIA, alias="steer_media")
        self.assertEqual(self.scene.short("media.example", "AAAA"), [])  # missing_family: nodata
        self.ask("short.stream.example")
        self.has(A, B, SHORT)
        self.configure(media=False)
        self.scene.steerctl("reload")
        self.has(A, B, seconds=15)
        self.assertEqual(self.table("steer_media"), {MEDIA})  # until its lease ends
        self.assertEqual(set(self.aliases()), {("fw1", "steer_stream"), ("fw1", "steer_media")})

    def test_a_pair_of_routers_gets_the_same_elements(self):
        self.start_router("fw2", 8443)
        self.start(routers=self.router() + self.router("fw2", 8443), where="routers: [fw1, fw2]", stream=", async: false, sync_timeout: 15s")
        self.ask("stream.example")
        for name in ("fw1", "fw2"):
            self.assertEqual(self.table(name=name), {A, B})
        self.tell("fw2", do="reboot", seconds=6)
        until(lambda: self.aliases()["fw2", "steer_stream"]["state"] == "away", 10, "fw2 is away")
        begin = time.monotonic()
        self.ask("node.stream.example")
        self.assertLess(time.monotonic() - begin, 4)
        for name in ("fw1", "fw2"):
            self.has(A, B, "203.0.113.31", name=name, seconds=20)

    def test_the_bypass_stops_writes(self):
        self.start(stream=", async: false")
        self.scene.steerctl("bypass", "on")
        until(lambda: self.aliases()["fw1", "steer_stream"]["state"] == "paused", 5, "it is paused")
        self.ask("stream.example")
        self.assertEqual(self.table(), set())
        self.scene.steerctl("bypass", "off")
        self.has(A, B)

    def test_ten_thousand_elements_survive_a_killed_daemon(self):
        names = [f"n{i}.stream.example" for i in range(10_000)]
        self.start(zones=ZONES | {"stream.example": many_names_zone(10_000, 1800)}, more=", cpu_share: 90%")
        begin = time.monotonic()
        answers = ask(self.scene, names, window=50)
        self.assertEqual(sum(1 for a in answers if a["rcode"] == 0 and a["addresses"]), 10_000)
        # The simulator sorts its table for each check, so checks would take its time from the adds.
        until(lambda: self.tell(do="facts")["counts"].get("add", 0) >= 10_000, 120, "all were sent")
        until(lambda: len(self.table()) == 10_000, 10, "all are in the alias")
        print(f"10,000 elements after {time.monotonic() - begin:.1f} s")
        added = self.tell(do="facts")["counts"]["add"]
        os.kill(self.scene.network.pid("appliance", "steerdnsd"), signal.SIGKILL)
        until(lambda: not self.daemon.running(), 10, "it is dead")
        self.daemon = self.scene.start_daemon(self.file)
        self.in_sync()
        self.daemon.wait_for("10000 hosts that no answer has claimed")
        ask(self.scene, names[:500], window=50)
        self.assertEqual(len(self.table()), 10_000)
        self.assertEqual(self.tell(do="facts")["counts"]["add"], added)
        self.assertEqual(self.tell(do="facts")["counts"].get("delete", 0), 0)
        self.assertEqual(self.table() - {address_of(i) for i in range(10_000)}, set())


if __name__ == "__main__":
    unittest.main(verbosity=2)
