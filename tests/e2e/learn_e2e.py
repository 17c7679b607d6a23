"""learn_domain: names that clients ask for become rules of a dynamic_domain_set, and are kept over a restart."""

import os
import re
import sys
import unittest

from lab.network import until
from lab.scene import ROOT, Scene

BUILD = sys.argv.pop(1)

CONFIG = """
plugins:
  - {{ tag: learned, type: dynamic_domain_set, args: {{ path: {file} }} }}
  - {{ tag: spare, type: domain_set, args: {{ exps: [ spare.example ] }} }}
  - {{ tag: learn, type: learn_domain, args: {{ provider: learned{more} }} }}
  - {{ tag: main_cache, type: cache, args: {{ size: 1000, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [
      {{ matches: qname $learned, exec: reject 3 }},
      {{ exec: $learn }},
      {{ exec: $main_cache }},
      {{ exec: $up }} ] }}
"""
METRIC = r'^steerdns_learned_names_total\{plugin="learn",result="(\w+)"\} (\d+)$'


class Learn(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("learn", BUILD))
        self.scene.start_resolver()
        os.chmod(self.scene.folder, 0o755)
        self.file = self.scene.folder / "rules" / "learned.txt"  # its folder is made by the daemon
        self.config = self.scene.folder / "steer.yaml"

    def start(self, more=""):
        self.config.write_text(CONFIG.format(file=self.file, more=more))
        return self.scene.start_daemon(self.config)

    def status_of(self, name, qtype="A"):
        return re.search(r"status: (\w+)", self.scene.kdig(name, qtype)).group(1)

    def rules(self):
        return set(self.scene.steerctl("rules", "learned").split())

    def results(self):
        text = self.scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout
        return {result: int(count) for result, count in re.findall(METRIC, text, re.MULTILINE)}

    def test_a_learned_name_is_in_force_and_kept(self):
        daemon = self.start()
        self.assertEqual(self.status_of("absent.media.example"), "NXDOMAIN")  # is no success, nor learned
        self.assertEqual(self.status_of("stream.example", "TXT"), "NOERROR")  # is of no type that is learned
        self.assertEqual(self.status_of("www.OTHER.example"), "NOERROR")
        until(lambda: self.status_of("www.other.example") == "NXDOMAIN", 10, "the set has it")
        self.assertEqual(self.rules(), {"full:www.other.example"})
        self.assertIn("because of rules of 'learned'", daemon.text())
        warned = daemon.text().count("'spare' is never used")
        self.assertGreater(warned, 0)
        self.assertEqual(self.status_of("stream.example"), "NOERROR")  # the rule is for the name alone
        until(lambda: self.status_of("stream.example") == "NXDOMAIN", 20, "the second is learned, too")
        until(lambda: self.results().get("added") == 2, 5, "both are counted")
        self.assertEqual(daemon.text().count("'spare' is never used"), warned, "a batch does not repeat warnings")
        generation = self.scene.reported("status")["generation"]
        for _ in range(20):
            self.status_of("www.other.example")
        self.assertEqual(self.scene.reported("status")["generation"], generation, "what is known is not learned again")
        # After a removal by hand, the name is learned again by the next query, also by a cache hit.
        self.scene.steerctl("rules", "learned", "remove", "full:www.other.example")
        self.assertEqual(self.status_of("www.other.example"), "NOERROR")
        until(lambda: self.rules() == {"full:www.other.example", "full:stream.example"}, 30, "it is learned again")
        self.assertEqual(daemon.stop(), 0)

        self.start()
        self.assertEqual(self.status_of("www.other.example"), "NXDOMAIN")
        self.assertEqual(self.status_of("stream.example"), "NXDOMAIN")
        self.assertEqual(self.rules(), {"full:www.other.example", "full:stream.example"})

    def test_a_learned_name_does_not_load_a_half_written_configuration(self):
        daemon = self.start()
        written = self.config.read_text()
        self.config.write_text(written.replace("reject 3", "reject 5"))
        self.assertEqual(self.status_of("www.other.example"), "NOERROR")
        until(lambda: "no name is learned, because files of the configuration changed" in daemon.text(), 10, "it is said")
        self.assertEqual(self.scene.reported("status")["generation"], 1)
        self.assertEqual(self.rules(), set())
        self.scene.steerctl("reload")
        until(lambda: self.status_of("www.other.example") == "REFUSED", 10, "now it is learned")
        self.assertEqual(daemon.text().count("no name is learned"), 1)

    def test_the_example_learns_names(self):
        example = (ROOT / "configs/learned_names.yaml").read_text()
        self.config.write_text(example.replace("/var/lib/steerdns/learned.txt", str(self.file)))
        self.scene.start_daemon(self.config)
        self.assertEqual(self.scene.short("any.stream.example", "A"), ["203.0.113.99"])
        self.assertEqual(self.status_of("www.other.example"), "NOERROR")
        until(lambda: self.status_of("any.stream.example") == "NXDOMAIN", 10, "it is learned")
        self.assertEqual(self.rules(), {"full:any.stream.example"})
        self.assertEqual(self.status_of("www.other.example"), "NOERROR")

    def test_a_flood_of_names_is_limited(self):
        daemon = self.start(", phase: before, rule_kind: domain, max_names: 5")
        queries = self.scene.folder / "queries"
        queries.write_text("".join(f"www.n{i}.example A\n" for i in range(20_000)))
        self.scene.network.run("client", "dnsperf", "-s", "172.16.1.2", "-d", str(queries), "-l", "4", "-Q", "5000", "-q", "400")
        until(lambda: self.results().get("refused", 0) > 0, 30, "the set is full")
        until(lambda: "has max_names (5) rules, no name is learned" in daemon.text(), 5, "it is said")
        self.assertEqual(len(self.rules()), 5)
        self.assertTrue(all(re.fullmatch(r"domain:n\d+\.example", rule) for rule in self.rules()), self.rules())
        results = self.results()
        self.assertEqual(results["added"], 5)
        self.assertGreater(results["dropped"], 0)
        self.assertLessEqual(self.scene.reported("status")["generation"], 3, "one batch made it full")
        self.assertEqual(daemon.text().count("has max_names (5) rules"), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
