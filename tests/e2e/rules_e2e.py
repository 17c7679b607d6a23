"""A dynamic_domain_set: rules are added and removed while queries come, and are there after a restart."""

import os
import re
import signal
import subprocess
import sys
import unittest

from lab.network import until
from lab.scene import Scene, query_counts

BUILD = sys.argv.pop(1)

CONFIG = """
control: {{ watch: {watch} }}
plugins:
  - {{ tag: blocked, type: dynamic_domain_set, args: {{ path: {file}, bootstrap_rules: [ full:media.example ]{more} }} }}
  - {{ tag: main_cache, type: cache, args: {{ size: 1000, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [
      {{ matches: qname $blocked, exec: reject 3 }},
      {{ exec: $main_cache }},
      {{ exec: $up }} ] }}
"""


class Rules(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("rules", BUILD))
        self.scene.start_resolver()
        os.chmod(self.scene.folder, 0o755)
        self.file = self.scene.folder / "rules" / "own.txt"  # its folder is made by the daemon
        self.config = self.scene.folder / "steer.yaml"

    def start(self, watch="off", more=""):
        self.config.write_text(CONFIG.format(watch=watch, file=self.file, more=more))
        return self.scene.start_daemon(self.config)

    def rules(self, *words):
        done = self.scene.ask("rules", *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return done.stdout

    def refused(self, code, *words):
        done = self.scene.ask("rules", *words)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done)
        return done.stderr

    def blocked(self, name):
        return re.search(r"status: (\w+)", self.scene.kdig(name, "A")).group(1) == "NXDOMAIN"

    def generation(self):
        return self.scene.reported("status")["generation"]

    def asked(self):
        return self.scene.total("stats", "upstream_queries")

    def test_a_new_rule_holds_for_the_next_query(self):
        """Also if the answer was cached before; other cached answers stay."""
        daemon = self.start()
        self.assertEqual(self.file.read_text(), "full:media.example\n")
        self.assertTrue(self.blocked("media.example"))
        self.assertFalse(self.blocked("www.other.example"))
        self.assertFalse(self.blocked("stream.example"))
        asked = self.asked()
        self.assertEqual(self.rules("blocked", "add", "other.example", "regexp:^t[0-9]+\\."),
                         "2 added, 0 removed, 0 unchanged; active in configuration 2\n")
        self.assertTrue(self.blocked("www.other.example"))
        self.assertTrue(self.blocked("t1.stream.example"))
        self.assertFalse(self.blocked("stream.example"))
        self.assertEqual(self.asked(), asked, "the cache stayed warm")
        self.assertIn("because of rules of 'blocked'", daemon.text())
        self.assertEqual(self.rules("blocked"), "full:media.example\nother.example\nregexp:^t[0-9]+\\.\n")
        self.assertEqual(self.rules("blocked", "remove", "full:media.example", "absent.example"),
                         "0 added, 1 removed, 1 unchanged; active in configuration 3\n")
        self.assertFalse(self.blocked("media.example"))
        self.assertEqual(self.rules("blocked", "add", "domain:OTHER.example"),
                         "0 added, 0 removed, 1 unchanged; active in configuration 3\n")
        self.assertIn(f"domain_set 'blocked'  in  domain:other.example  {self.file}:1\n",
                      self.scene.steerctl("why", "www.other.example").replace("dynamic_", ""))
        kept = self.file.read_text()
        daemon.stop()

        self.start()
        self.assertEqual(self.file.read_text(), kept, "a first rule that was removed stays away")
        self.assertTrue(self.blocked("www.other.example"))
        self.assertTrue(self.blocked("t1.stream.example"))
        self.assertFalse(self.blocked("media.example"))
        self.assertEqual(self.rules("blocked", "remove", "other.example", "regexp:^t[0-9]+\\."),
                         "0 added, 2 removed, 0 unchanged; active in configuration 2\n")
        self.assertFalse(self.blocked("www.other.example"))
        self.assertEqual(self.file.read_text(), "")
        self.assertEqual(self.rules("blocked"), "")
        metrics = self.scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout
        self.assertIn('steerdns_rule_changes_total{set="blocked",result="removed"} 2\n', metrics)

    def test_many_writers_lose_no_rule_and_no_query(self):
        daemon = self.start(watch="files")
        load = self.scene.start_load()
        until(lambda: self.asked() > 100, 5, "the load is there")
        rounds = 10
        for turn in range(rounds):
            writers = [subprocess.Popen([f"{BUILD}/tools/steerctl/steerctl", "--socket", str(self.scene.socket), "rules",
                                         "blocked", "add", f"full:r{turn}w{i}.example", "full:same.example"],
                                        stdout=subprocess.PIPE, text=True) for i in range(4)]
            if turn == 0:
                with self.file.open("a") as file:  # and a person with an editor
                    file.write("# by hand\nfull:hand.example\n")
            for writer in writers:
                text, _ = writer.communicate()
                self.assertEqual(writer.returncode, 0, text)
                self.assertRegex(text, r"^[12] added, 0 removed, [01] unchanged")
        self.assertTrue(load.running())
        load.stop(number=signal.SIGINT)
        lines = self.file.read_text().splitlines()
        wanted = {"full:media.example", "# by hand", "full:hand.example", "full:same.example",
                  *(f"full:r{r}w{i}.example" for r in range(rounds) for i in range(4))}
        self.assertEqual((set(lines), len(lines)), (wanted, len(wanted)))
        for name in ("hand.example", "same.example", "r0w3.example", f"r{rounds - 1}w0.example"):
            self.assertTrue(self.blocked(name), name)
        text = load.text()
        counts = query_counts(text)
        print(f"  {rounds} rounds of four writers, {self.generation()} configurations, {counts}")
        self.assertEqual(counts["lost"], 0, text)
        self.assertRegex(text, r"Response codes:\s+NOERROR \d+ \(100.00%\)")
        self.assertNotIn(" error", daemon.text())
        self.assertEqual([p.name for p in self.file.parent.iterdir()], ["own.txt"])

    def test_an_edit_by_hand_is_reloaded_once(self):
        """The file is watched as others are; a change by steerctl makes one configuration, not two."""
        self.start(watch="files")
        self.rules("blocked", "add", "stream.example")
        with self.file.open("a") as file:
            file.write("other.example # by hand\n")
        until(lambda: self.blocked("www.other.example"), 10, "the file is read")
        self.assertEqual(self.generation(), 3)
        self.assertTrue(self.blocked("stream.example"))
        self.rules("blocked", "remove", "other.example")
        self.assertEqual(self.file.read_text(), "full:media.example\nstream.example\n")
        self.assertEqual(self.generation(), 4)

    def test_invalid_rules_are_refused(self):
        daemon = self.start(more=", queue_size: 2")
        self.assertIn('unknown kind of rule "suffix:": write domain:', self.refused(1, "blocked", "add", "suffix:x.example"))
        self.assertIn("regexp", self.refused(1, "blocked", "add", "stream.example", "regexp:("))
        self.assertFalse(self.blocked("stream.example"), "none of them or all of them")
        self.assertIn("there is no dynamic_domain_set \"block\": did you mean 'blocked'?", self.refused(1, "block"))
        self.assertIn("has room for 2 more changes of 2 (queue_size), and these are 3",
                      self.refused(1, "blocked", "add", "a.example", "b.example", "c.example"))
        self.assertIn("a rule is missing; write at least one", self.refused(2, "blocked", "add"))
        self.assertIn("unexpected rules", self.refused(2, "blocked", "list", "a.example"))
        self.assertEqual(self.scene.ask("rules", "blocked", "replace", "x").returncode, 2)
        self.assertRegex(self.rules(), rf"(?m)^ *blocked +1 +0 +{self.file}$")
        # A configuration that is no good: written, and reported so.
        good = self.config.read_text()
        self.config.write_text(good.replace("qname $blocked", "qname $nobody"))
        self.assertRegex(self.refused(1, "blocked", "add", "stream.example"),
                         rf'written to {self.file}, but not in force: .*steer.yaml:\d+: .*"nobody"')
        self.assertFalse(self.blocked("stream.example"))
        self.config.write_text(good)
        self.assertEqual(self.rules("blocked", "add", "stream.example"),
                         "0 added, 0 removed, 1 unchanged; active in configuration 2\n")
        self.assertTrue(self.blocked("stream.example"))
        self.assertEqual(self.generation(), 2)
        daemon.stop()

        # A folder that the daemon's user may not write to.
        self.file = self.scene.folder / "closed" / "own.txt"
        self.file.parent.mkdir()
        os.chmod(self.file.parent, 0o755)
        daemon = self.start()
        self.assertRegex(daemon.text(), rf"the folder {self.file.parent} of dynamic_domain_set 'blocked' cannot be written to "
                                        r"\(Permission denied\): its rules can be read but not changed")
        self.assertTrue(self.blocked("media.example"))
        self.assertIn("Permission denied", self.refused(1, "blocked", "add", "stream.example"))
        self.assertFalse(self.blocked("stream.example"))
        self.assertIn("Permission denied", self.rules())


if __name__ == "__main__":
    unittest.main(verbosity=2)
