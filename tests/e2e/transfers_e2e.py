"""Zones by transfer from Debian's Knot DNS and BIND: AXFR, IXFR, NOTIFY, TSIG, XoT, ZONEMD; as policy, as list, as local zone."""

import json
import os
import re
import sys
import unittest

from primaries import BIND, KEY, KEY_FILE, KNOT, Bind, Knot

from lab.certificates import Authority
from lab.network import until
from lab.scene import ZONES, Scene

BUILD = sys.argv.pop(1)
CONFIG = """
control:
  lists: {folder}/lists
  images: off
plugins:
  - tag: feed
    type: secondary
    args:
      zone: rpz.example
      primaries: [ {knot} ]
      min_refresh: 1s
      zonemd: required
      tsig: {{ name: {key}, secret_file: {folder}/{secret} }}
  - tag: block
    type: secondary
    args:
      zone: block.example
      primaries: [ "tls://{bind}" ]
      min_refresh: 1s
      tls: {{ name: {tls_name}, ca: {folder}/ca.pem }}
  - {{ tag: corp, type: secondary, args: {{ zone: corp.example, primaries: [ {bind} ], min_refresh: 1s }} }}
  - {{ tag: local, type: zone, args: {{ secondary: corp }} }}
  - {{ tag: policy, type: rpz, args: {{ log: true, zones: [ {{ zone: $feed, hit_log: true }}, $block ] }} }}
  - {{ tag: log, type: query_recorder, args: {{ hit_log: {folder}/hits.json, flush_interval_ms: 1 }} }}
  - {{ tag: names, type: domain_set, args: {{ files: [ $block ], format: rpz, lenient: true }} }}
  - tag: main
    type: sequence
    args:
      - {{ exec: $log }}
      - {{ exec: $local }}
      - {{ exec: $policy }}
      - {{ matches: qname $names, exec: reject 5 }}
      - {{ exec: "cache 10000 short_circuit" }}
      - {{ exec: forward 1.1.1.1 }}
"""
FEED = "bad.example CNAME .\n*.bad.example CNAME .\nwalled.example CNAME other.example.\nlocal.example A 203.0.113.7\n"
BLOCK = "listed.example CNAME .\n*.listed.example CNAME .\n"
CORP = "www A 192.0.2.80\nweb CNAME www\nfar CNAME other.example.\n*.wild A 192.0.2.99\n"


class Transfers(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("transfers", BUILD))
        self.folder = self.scene.folder
        os.chmod(self.folder, 0o777)
        self.scene.start_resolver(ZONES)
        (self.folder / "key.conf").write_text(KEY_FILE)
        (self.folder / "other.key").write_text("b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90aGVybw==\n")
        self.certificate = Authority(self.folder).issue("primary", "DNS:primary.example")
        self.knot = Knot(self.scene, "rpz.example", FEED)
        self.bind = Bind(self.scene, {"block.example": BLOCK, "corp.example": CORP}, self.certificate)

    def start(self, secret="key.conf", tls_name="primary.example"):
        config = self.folder / "steer.yaml"
        config.write_text(CONFIG.format(folder=self.folder, knot=KNOT, bind=BIND, key=KEY, secret=secret, tls_name=tls_name))
        return self.scene.start_daemon(config)

    def zone(self, tag):
        (row,) = [row for row in self.scene.reported("zones")["zones"] if row["tag"] == tag]
        return row

    def await_serial(self, tag, serial, seconds=15):
        until(lambda: self.zone(tag)["serial"] == serial, seconds, f"serial {serial} of {tag}")

    def await_newer(self, tag, than=0):
        """The zone's serial, once it is above this one."""
        until(lambda: (self.zone(tag)["serial"] or 0) > than, 15, f"a serial of {tag} above {than}")
        return self.zone(tag)["serial"]

    def await_list(self, rules):
        until(lambda: [s["rules"] for s in self.scene.reported("lists")["sets"] if s["list"] == "$block"] == [rules], 20, "the list")

    def hits(self):
        """Names that the hit log has, with the serials of the zone that blocked them."""
        lines = [json.loads(line) for line in (self.folder / "hits.json").read_text().splitlines()]
        return {line["name"]: line["serial"] for line in lines}

    def rcode(self, name, kind="A"):
        return re.search(r"status: (\w+)", self.scene.kdig(name, kind)).group(1)

    def counter(self, name):
        return sum(worker[name] for worker in self.scene.counters()["workers"])

    def test_policy_from_knot_with_tsig_zonemd_notify_and_ixfr(self):
        daemon = self.start()
        first = self.await_newer("feed")
        row = self.zone("feed")
        self.assertEqual((row["outcome"], row["digest"], row["skipped"], row["trouble"]), ("whole", "right", 0, ""), row)
        self.assertEqual(self.rcode("bad.example"), "NXDOMAIN")
        self.assertEqual(self.rcode("www.bad.example"), "NXDOMAIN")
        self.assertEqual(self.scene.short("local.example", "A"), ["203.0.113.7"])
        self.assertEqual(self.scene.short("walled.example", "A")[-1:], ["198.51.100.1"])
        self.assertEqual(self.rcode("other.example"), "NOERROR")
        daemon.wait_for("rpz 'policy': zone=$feed trigger=name action=nxdomain client=192.168.88.10 qname=bad.example qtype=A")
        self.await_list(1)  # after its reload
        # The next version comes by NOTIFY and IXFR, and without a reload.
        generation = self.scene.reported("status")["generation"]
        self.knot.change(FEED.replace("bad.example CNAME .\n*.bad", "new.example CNAME .\n*.bad") + "fresh.example A 203.0.113.8\n")
        second = self.await_newer("feed", first)
        self.assertEqual(self.zone("feed")["outcome"], "incremental")
        self.assertNotEqual(self.rcode("bad.example"), "NXDOMAIN")
        self.assertEqual(self.rcode("www.bad.example"), "NXDOMAIN")
        self.assertEqual(self.rcode("new.example"), "NXDOMAIN")
        self.assertEqual(self.scene.short("fresh.example", "A"), ["203.0.113.8"])
        self.assertEqual(self.scene.reported("status")["generation"], generation)
        until(lambda: "fresh.example" in self.hits(), 20, "the hit log has it")
        self.assertEqual(self.hits() | {"bad.example": first, "new.example": second, "fresh.example": second}, self.hits())
        self.assertIn("NOTIFY from " + KNOT, daemon.text())
        until(lambda: re.search(r"notify, outgoing,.* serial \d+", self.knot.process.text()), 10, "Knot has an answer to its NOTIFY")
        # A whole transfer on request.
        row = self.scene.reported("zones", "retransfer", "feed")
        self.assertEqual((row["outcome"], row["serial"]), ("whole", second))

    def test_the_kept_zone_is_in_force_before_a_primary_answers(self):
        self.start()
        first = self.await_newer("feed")
        self.await_serial("corp", 1)
        self.knot.change(FEED + "kept.example CNAME .\n")
        self.await_newer("feed", first)
        self.assertEqual(self.scene.daemon.stop(), 0)
        self.knot.process.stop()
        self.bind.process.stop()
        self.start()
        self.assertEqual(self.rcode("bad.example"), "NXDOMAIN")
        self.assertEqual(self.rcode("kept.example"), "NXDOMAIN")
        self.assertEqual(self.scene.short("www.corp.example", "A"), ["192.0.2.80"])
        until(lambda: self.zone("feed")["trouble"] != "", 20, "a failed check")
        self.assertIn("secondary 'feed' was not transferred", str(self.scene.reported("status")["problems"]))

    def test_bind_over_tls_as_policy_and_as_list(self):
        self.start()
        self.await_serial("block", 1)
        self.assertEqual(self.rcode("www.listed.example"), "NXDOMAIN")
        self.await_list(1)
        self.bind.change("block.example", BLOCK + "second.example CNAME .\n")
        self.await_serial("block", 2)
        self.assertEqual(self.zone("block")["outcome"], "incremental")
        self.assertEqual(self.rcode("second.example"), "NXDOMAIN")
        self.await_list(2)

    def test_a_local_zone_from_bind(self):
        self.start()
        self.await_serial("corp", 1)
        self.assertEqual(self.scene.short("www.corp.example", "A"), ["192.0.2.80"])
        self.assertEqual(self.scene.short("web.corp.example", "A"), ["www.corp.example.", "192.0.2.80"])
        self.assertEqual(self.scene.short("x.wild.corp.example", "A"), ["192.0.2.99"])
        self.assertEqual(self.scene.short("far.corp.example", "A")[-1:], ["198.51.100.1"])
        self.assertEqual(self.rcode("nobody.corp.example"), "NXDOMAIN")
        self.assertIn("corp.example.", self.scene.kdig("www.corp.example", "AAAA"))
        self.bind.change("corp.example", CORP.replace("192.0.2.80", "192.0.2.81"))
        self.await_serial("corp", 2)
        self.assertEqual(self.scene.short("web.corp.example", "A"), ["www.corp.example.", "192.0.2.81"])

    def test_wrong_keys_and_names_are_named(self):
        self.start(secret="other.key", tls_name="other.example")
        until(lambda: self.zone("feed")["trouble"] and self.zone("block")["trouble"], 20, "two errors")
        feed, block = self.zone("feed"), self.zone("block")
        self.assertIn(feed["outcome"], ("bad_signature", "refused"), feed)
        self.assertIn("BAD", feed["trouble"])
        self.assertEqual((block["outcome"], block["serial"]), ("untrusted", None), block)
        self.assertEqual(self.rcode("nobody.corp.example"), "NXDOMAIN")
        readiness = self.scene.readyz()
        self.assertIn("was not transferred yet", readiness)

    def test_before_the_first_transfer_a_local_zone_is_servfail(self):
        self.bind.process.stop()
        self.start()
        self.assertEqual(self.rcode("www.corp.example"), "SERVFAIL")
        self.assertEqual(self.rcode("other.example"), "NOERROR")


if __name__ == "__main__":
    unittest.main(verbosity=2)
