"""Records of a `static` added and removed while queries come: in force at once, other caches warm, there after a restart."""

import os
import re
import sys
import unittest

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)

CONFIG = """
control: {{ watch: {watch}, static: {file} }}
plugins:
  - {{ tag: local, type: static, args: {{ records: [ {{ name: router.lan, address: 192.168.88.1 }} ] }} }}
  - {{ tag: late, type: static }}
  - {{ tag: main_cache, type: cache, args: {{ size: 1000, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $local }}, {{ exec: $main_cache }}, {{ exec: $late }}, {{ exec: $up }} ] }}
"""


class Static(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("static", BUILD))
        self.scene.start_resolver()
        os.chmod(self.scene.folder, 0o755)
        state = self.scene.folder / "state"
        state.mkdir()
        state.chmod(0o777)
        self.file, self.config = state / "static.yaml", self.scene.folder / "steer.yaml"

    def start(self, watch="off", text=CONFIG):
        self.config.write_text(text.format(watch=watch, file=self.file))
        return self.scene.start_daemon(self.config)

    def static(self, *words, plugin="local"):
        done = self.scene.ask("static", *words, "--plugin", plugin)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return done.stdout

    def refused(self, code, *words, plugin="local"):
        done = self.scene.ask("static", *words, "--plugin", plugin)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done)
        return done.stderr

    def asked(self):
        return self.scene.total("verdicts", "forwarded")

    def test_a_record_answers_the_next_query_and_stays_over_a_restart(self):
        daemon = self.start()
        self.assertEqual(self.scene.short("www.other.example", "A"), ["198.51.100.2"])
        self.assertEqual(self.scene.short("router.lan", "A"), ["192.168.88.1"])
        asked = self.asked()
        self.assertEqual(self.static("add", "name=nas.lan", "address=192.168.88.10", "ttl=00:05:00"),
                         "added: type=A name=nas.lan address=192.168.88.10 ttl=5m\n"
                         "active in configuration 2; 0 cached answers removed\n")
        self.assertRegex(self.scene.kdig("nas.lan", "A"), r"nas\.lan\.\s+300\s+IN\s+A\s+192\.168\.88\.10")
        self.assertEqual(self.scene.short("-x", "192.168.88.10"), ["nas.lan."])
        self.static("add", "name=storage.lan", "type=CNAME", "cname=nas.lan", "comment=the big one")
        self.assertEqual(self.scene.short("storage.lan", "A"), ["nas.lan.", "192.168.88.10"])
        # In front of the records of the configuration: an override.
        self.static("add", "name=lan", "match-subdomain=yes", "type=NXDOMAIN")
        self.assertIn("status: NXDOMAIN", self.scene.kdig("tv.lan", "A"))
        self.assertEqual(self.scene.short("nas.lan", "A"), ["192.168.88.10"])
        self.assertEqual(self.scene.short("www.other.example", "A"), ["198.51.100.2"])
        self.assertEqual(self.asked(), asked, "the cache stayed warm")
        self.assertIn("because of records of 'local'", daemon.text())
        self.assertRegex(daemon.text(), r'control request static\.add \{.*"name=nas\.lan".*\} of uid 0, .*: done')
        self.assertEqual(
            [line.split() for line in self.static("print", "where", "name=nas.lan").splitlines()[2:]],
            [["local", "0", "R", "nas.lan", "A", "192.168.88.10", "5m", f"{self.file}:4"]])
        whole = self.static("print")
        self.assertRegex(whole, r'local +1 +R +storage\.lan +CNAME +nas\.lan +1d +the big one +\S+:5\n')
        self.assertRegex(whole, r'local +2 +R +\*\.lan +NXDOMAIN +1d +\S+:6\n')
        self.assertRegex(whole, r'local +3 +router\.lan +A +192\.168\.88\.1 +1d +\S+steer\.yaml:4\n')
        kept = self.file.read_text()
        daemon.stop()

        self.start()
        self.assertEqual(self.file.read_text(), kept)
        self.assertEqual(self.scene.short("storage.lan", "A"), ["nas.lan.", "192.168.88.10"])
        self.assertEqual(self.static("remove", "1"), "removed: type=CNAME name=storage.lan cname=nas.lan comment=\"the big one\"\n"
                         "active in configuration 2; 0 cached answers removed\n")
        self.static("remove", "[find", "name=lan")
        self.scene.steerctl("reload")
        self.assertEqual(self.scene.short("nas.lan", "A"), ["192.168.88.10"])
        self.assertEqual(self.scene.short("storage.lan", "A"), [])
        metrics = self.scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout
        self.assertIn('steerdns_static_records{plugin="local",origin="runtime"} 1\n', metrics)
        self.assertIn('steerdns_static_changes_total{result="removed"} 2\n', metrics)

    def test_cached_answers_of_the_name_go_and_no_others(self):
        """A static behind a cache: what it holds of the name is stale."""
        self.start()
        for _ in range(2):
            self.assertEqual(self.scene.short("www.other.example", "A"), ["198.51.100.2"])
            self.assertNotEqual(self.scene.short("stream.example", "A"), [])
        asked = self.asked()
        self.assertIn("1 cached answers removed",
                      self.static("add", "name=www.other.example", "address=192.0.2.80", plugin="late"))
        self.assertEqual(self.scene.short("www.other.example", "A"), ["192.0.2.80"])
        self.assertNotEqual(self.scene.short("stream.example", "A"), [])
        self.assertEqual(self.asked(), asked)
        self.assertIn("1 cached answers removed", self.static("remove", "name=www.other.example", plugin="late"))
        self.assertEqual(self.scene.short("www.other.example", "A"), ["198.51.100.2"])
        self.assertIn("1 cached answers removed",
                      self.static("add", r"regexp=^www\.oth", "address=192.0.2.81", plugin="late"))
        self.assertEqual(self.scene.short("www.other.example", "A"), ["192.0.2.81"])
        self.assertNotEqual(self.scene.short("stream.example", "A"), [])
        self.assertEqual(self.asked(), asked + 1)

    def test_bad_input_is_refused_and_nothing_changes(self):
        daemon = self.start(watch="files")
        for words, output in ((("add", "name=a.lan"), "the record has no 'address': expected an IPv4 address"),
                            (("add", "nme=a.lan"), "unknown property \"nme\": did you mean 'name'?"),
                            (("add", "name=router.lan", "address=192.168.88.1"), "the record exists already in static 'local'"),
                            (("remove", "0"), f"record 0 is in the configuration, at {self.config}:4"),
                            (("remove", "name=x.lan"), "static 'local' has no such record"),
                            (("print", "where", "x"), "\"x\" is not a property")):
            self.assertIn(output, self.refused(1, *words), words)
        self.assertIn("write one number, or properties", self.refused(2, "remove", "1", "2"))
        self.assertIn("a command is missing after 'static'", self.scene.ask("static").stderr)
        self.assertIn("there are several static plugins: name one with --plugin, of local, late",
                      self.scene.ask("static", "add", "name=a.lan").stderr)
        self.assertEqual(self.scene.reported("status")["generation"], 1)
        self.assertFalse(self.file.exists())
        # A file that is wrong stops the reload, not the service; it is left alone.
        self.static("add", "name=nas.lan", "address=192.168.88.10")
        good = self.file.read_text()
        bad = good + "  - {name: tv.lan, adress: 192.168.88.20}\n"
        self.file.write_text(bad)
        daemon.wait_for(f"{self.file}:5: unknown key \"adress\" in runtime record 2 of static 'local': did you mean 'address'?")
        self.assertIn("not in force, and not kept: ", self.refused(1, "add", "name=x.lan", "address=192.168.88.30"))
        self.assertEqual(self.file.read_text(), bad)
        self.assertEqual(self.scene.short("nas.lan", "A"), ["192.168.88.10"])
        self.file.write_text("local: [ {")
        self.assertIn(f"the file of runtime records has an error, and was not changed: {self.file}:1: ",
                      self.refused(1, "add", "name=x.lan", "address=192.168.88.30"))
        self.file.write_text(good.replace("nas.lan", "box.lan"))
        until(lambda: self.scene.short("box.lan", "A") == ["192.168.88.10"], 10, "an edit is reloaded")
        self.file.parent.chmod(0o555)
        self.assertIn(str(self.file), self.refused(1, "remove", "0"))
        self.file.parent.chmod(0o777)
        self.assertEqual(self.scene.short("box.lan", "A"), ["192.168.88.10"])
        daemon.stop()
        self.file.write_text(bad)
        self.config.write_text(self.config.read_text())
        done = self.scene.network.run("appliance", f"{BUILD}/steerdnsd", "--check", str(self.config), check=False)
        self.assertEqual(done.returncode, 2, done)
        self.assertIn(f"{self.file}:5: unknown key", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
