"""Bad and truncated lists, regexps that take too long to compile, starts that are refused."""

import os
import re
import signal
import sys
import time
import unittest

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
CONFIG = """
control: {{ lists: {folder}/made/lists, images: {images}, watch: {watch}, pattern_time: {time}, fetch: {{ start_wait: 2s }} }}
plugins:
  - {{ tag: names, type: domain_set, args: {{ files: [ {files} ] }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [
      {{ matches: qname $names, exec: reject 3 }},
{more}
      {{ exec: $up }} ] }}
"""
# Each takes seconds of CPU time to compile.
SLOW = "^(([a-z]{1,60}|[0-9]{1,60})[.-]){1,120}x"
PAGE = "<!DOCTYPE html>\n<html>\n" + "<p>please sign in</p>\n" * 30 + "sign.in.example\n</html>\n"


def names(count):
    return "".join(f"n{i}.example\n" for i in range(count))


def slow(count):
    return "".join(f"regexp:{SLOW}{i}\n" for i in range(count))


class BadLists(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("badlists", BUILD))
        self.scene.start_resolver()
        self.folder = self.scene.folder
        os.chmod(self.folder, 0o755)
        self.list = self.folder / "names.txt"
        self.list.write_text("stream.example\n" + names(2_000))
        self.config = self.folder / "steer.yaml"

    def write(self, files="names.txt", time="10s", more="", watch="off", images="off"):
        self.config.write_text(CONFIG.format(folder=self.folder, files=files, time=time, more=more, watch=watch, images=images))

    def start(self, **how):
        self.write(**how)
        return self.scene.start_daemon(self.config)

    def run_to_its_end(self, **how):
        self.write(**how)
        return self.scene.network.run("appliance", f"{BUILD}/steerdnsd", "--config", str(self.config), "--control-socket",
                                      str(self.scene.socket), check=False, timeout=60)

    def steerctl(self, *words):
        return self.scene.network.run("appliance", f"{BUILD}/tools/steerctl/steerctl", "--socket", str(self.scene.socket), *words,
                                      check=False)

    def listed(self, name):
        return "NXDOMAIN" in self.scene.kdig(name, "A")

    def metric(self, name):
        text = self.scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
        return float(found.group(1)) if found else None

    def test_a_bad_local_list_changes_nothing(self):
        daemon = self.start()
        daemon.wait_for("names.txt\" of domain_set 'names': 2001 rules")
        rules = f'steerdns_list_rules{{plugin="domain_set \'names\'",list="{self.list}"}}'
        self.assertEqual(self.metric(rules), 2_001)
        for content, why in (("stream.example\n" + names(900), "it has 901 rules and had 2001"), ("", "it has 0 rules and had 2001"),
                             (PAGE, "HTML or XML page"), (names(5) + "a b\n" * 50, "50 of the 55 lines"),
                             (bytes(range(256)).decode("latin-1"), "binary data")):
            with self.subTest(why=why):
                self.list.write_text(content)
                done = self.steerctl("reload")
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn(why, done.stdout + done.stderr)
                self.assertIn(why, daemon.text())
                self.assertTrue(self.listed("n1999.example"))
                self.assertEqual(self.metric(rules), 2_001)
                self.assertIn(why, self.scene.reported("status")["reload"]["trouble"])
        self.list.write_text("stream.example\n" + names(30))
        self.assertEqual(self.steerctl("reload").returncode, 2)
        self.assertEqual(self.steerctl("reload", "--any-size").returncode, 0)
        self.assertFalse(self.listed("n1999.example"))
        self.assertIn("31 rules (before: 2001)", daemon.text())
        self.assertRegex(self.scene.steerctl("lists"), r"domain_set 'names' +31 +0 +0 ")
        self.assertEqual(self.scene.reported("status")["lists"]["rules"], 31)

    def test_regexps_over_their_time_are_refused_with_their_line(self):
        """A start skips such regexps of a list file, and refuses one of the configuration itself."""
        self.list.write_text("stream.example\n" + slow(1))
        daemon = self.start(time="500ms")
        self.assertRegex(daemon.text(), r"names\.txt:2: the regexp .* is refused: it takes more than .*; the line is skipped")
        self.assertTrue(self.listed("stream.example"))
        self.assertEqual(daemon.stop(), 0)
        self.list.write_text("stream.example\n")
        begun = time.monotonic()
        done = self.run_to_its_end(time="500ms", more=f"      {{ matches: 'qname regexp:{SLOW}', exec: reject }},")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, r"steer\.yaml:8: the regexp .* is refused: it takes more than")
        self.assertLess(time.monotonic() - begun, 60)

    def test_the_daemon_answers_and_ends_while_regexps_are_compiled(self):
        self.list.write_text("stream.example\n" + names(100))
        daemon = self.start(time="10m", watch="files")
        self.list.write_text("stream.example\n" + names(100) + slow(60))
        until(lambda: self.scene.reported("status")["reload"]["under_way"], 10, "the reload is under way")
        begun = time.monotonic()
        self.assertTrue(self.listed("stream.example"))
        self.assertTrue(self.scene.reported("status")["reload"]["under_way"])
        begun = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - begun, 30)
        self.assertIn("ending on SIGTERM", daemon.text())

    def test_a_signal_ends_a_start_that_compiles(self):
        self.list.write_text("stream.example\n" + slow(60))
        self.write(time="10m")
        daemon = self.scene.network.start("appliance", "steerdnsd", f"{BUILD}/steerdnsd", "--config", str(self.config),
                                          "--control-socket", str(self.scene.socket))
        compiling = lambda: any(p for p in self.scene.network.pids("appliance") if self.name_of(p) == "patterns")
        until(compiling, 20, "it compiles")
        begun = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        until(lambda: not daemon.running(), 5, "it ends")
        self.assertLess(time.monotonic() - begun, 30)
        until(lambda: not compiling(), 5, "the compile process is gone")

    @staticmethod
    def name_of(pid):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                return file.read().strip()
        except OSError:
            return ""

    def test_a_refused_start_leaves_nothing(self):
        web = self.folder / "web"
        web.mkdir()
        (web / "more.txt").write_text(names(30_000))
        self.scene.network.start("resolver", "web", "/usr/bin/python3", "-m", "http.server", "--bind", "1.1.1.1", "--directory",
                                 str(web), "80")
        url = "http://1.1.1.1/more.txt"
        until(lambda: self.scene.network.run("resolver", "curl", "-s", url, check=False).returncode == 0, 10, "the server runs")
        before = sorted(self.folder.iterdir())
        images = f"{self.folder}/made/images"
        holder = self.scene.network.start("appliance", "holder", "/usr/bin/python3", "-c",
                                          "import socket, time; s = socket.socket(type=socket.SOCK_DGRAM); "
                                          "s.bind(('0.0.0.0', 53)); print('ready', flush=True); time.sleep(600)")
        holder.wait_for("ready")
        done = self.run_to_its_end(files=f'"{url}"', images=images)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("port 53", done.stderr)
        left = set(self.folder.iterdir()) - set(before) - {self.config}
        self.assertEqual([p for p in left if p.name == "made"], [])
        holder.stop()
        # What is wrong is known before anything is fetched.
        done = self.run_to_its_end(files=f'"{url}"', images=images, more="      { exec: $nobody },")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertNotIn("was fetched", done.stdout + done.stderr)
        self.assertFalse((self.folder / "made").exists())
        self.start(files=f'"{url}"', images=images)
        self.assertTrue(self.listed("n29999.example"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
