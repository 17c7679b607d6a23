"""Work beside queries: jobs by the clock, and file downloads at a start."""

import json
import os
import pathlib
import re
import sys
import unittest

from lab.network import until
from lab.scene import ZONES, Scene

BUILD = sys.argv.pop(1)
SERVER = pathlib.Path(__file__).with_name("list_server.py")
LISTS_ZONE = """
@ 300 SOA ns hostmaster 1 3600 600 86400 60
@ 300 NS ns
@ 300 A 1.1.1.1
ns 300 A 1.1.1.1
"""
CONFIG = """
control: {{ images: off, watch: {watch} }}
plugins:
{plugins}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [
      {rules}
      {{ matches: qname $names, exec: reject 3 }},
      {{ exec: $up }} ] }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53" }} }}
"""


class Tasks(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("tasks", BUILD))
        self.scene.start_resolver({**ZONES, "lists.example": LISTS_ZONE})
        self.folder = self.scene.folder
        os.chmod(self.folder, 0o755)
        self.web = self.folder / "web"
        self.web.mkdir()
        self.files = self.folder / "files"
        self.files.mkdir()
        os.chmod(self.files, 0o777)  # the user that the daemon becomes writes there
        self.page("stream.example\n")

    def start_web(self):
        self.scene.network.start("resolver", "web", "/usr/bin/python3", str(SERVER), "1.1.1.1",
                                 str(self.web)).wait_for("ready")

    def page(self, body):
        new = self.web / "pages.new"
        new.write_text(json.dumps({"/names.txt": {"body": body}}))
        new.rename(self.web / "pages.json")

    def asked(self):
        log = self.web / "asked.jsonl"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def start(self, plugins, rules="", watch="off", **options):
        names = f"  - {{ tag: names, type: domain_set, args: {{ files: [ {self.files}/names.txt ] }} }}\n"
        config = self.folder / "steer.yaml"
        config.write_text(CONFIG.format(plugins=names + plugins, rules=rules, watch=watch))
        return self.scene.start_daemon(config, **options)

    def download(self, more=""):
        return (f"  - {{ tag: dl, type: download, args: {{ timeout: 30s{more}, downloads: [ "
                f'{{ url: "http://lists.example/names.txt", dir: {self.files} }} ] }} }}\n')

    def listed(self, name):
        return re.search(r"status: (\w+)", self.scene.kdig(name, "A")).group(1) == "NXDOMAIN"

    def runs(self, task, result="done"):
        text = self.scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout
        return int(re.search(rf'^steerdns_task_runs_total{{task="{task}",result="{result}"}} (\d+)$', text, re.M).group(1))

    def generation(self):
        return self.scene.reported("status")["generation"]

    def test_missing_files_are_fetched_before_the_start_goes_on(self):
        self.start_web()
        daemon = self.start(self.download())
        self.assertTrue(self.listed("stream.example"))
        self.assertEqual((self.files / "names.txt").read_text(), "stream.example\n")
        self.assertEqual(self.asked(), 1)
        daemon.stop()
        self.page("media.example\n")
        self.start(self.download())
        self.assertTrue(self.listed("stream.example"), "what is there is not fetched at a start")
        self.assertEqual(self.asked(), 1)

    def test_a_start_without_its_files_is_refused(self):
        daemon = self.start(self.download(), wait="")
        self.assertEqual(daemon.child.wait(60), 2)
        self.assertIn("could not be fetched", daemon.text())
        self.assertRegex(daemon.text(), r"names.txt.* cannot be read: No such file")

    def test_a_query_starts_a_download_and_a_reload(self):
        """Once for any number of queries; the queries go on with the present files."""
        self.start_web()
        plugins = self.download() + "  - { tag: again, type: reload }\n"
        rules = ("{ matches: qname update.example, exec: $dl }, { matches: qname update.example, exec: reject 0 },\n"
                 "      { matches: qname take.example, exec: $again }, { matches: qname take.example, exec: reject 0 },")
        self.start(plugins, rules)
        self.assertEqual(self.asked(), 1, "the start's")
        self.page("media.example\n")
        self.assertEqual(self.scene.kdig(*["update.example", "A"] * 20).count("NOERROR"), 20)
        until(lambda: self.runs("download dl") >= 1, 10, "the download is done")
        self.assertIn("NOERROR", self.scene.kdig("update.example", "A"))
        self.assertEqual(self.asked(), 2, "twenty queries are one download; the next is ten seconds away")
        self.assertEqual((self.files / "names.txt").read_text(), "media.example\n")
        self.assertFalse(self.listed("media.example"), "nobody has read it yet")
        before = self.generation()
        self.assertIn("NOERROR", self.scene.kdig("take.example", "A"))
        until(lambda: self.runs("reload again") == 1, 10, "the reload is done")
        self.assertEqual(self.generation(), before + 1)
        self.assertTrue(self.listed("media.example"))
        self.assertFalse(self.listed("stream.example"))
        until(lambda: self.runs("download dl") >= 2, 15, "what was raised meanwhile is done after ten seconds")

    def test_a_job_downloads_and_then_reloads(self):
        self.start_web()
        plugins = (self.download() + "  - { tag: again, type: reload_provider, args: [ $names ] }\n"
                   "  - { tag: refresh, type: sequence, args: [ { exec: $dl }, { exec: $again } ] }\n"
                   "  - { tag: jobs, type: cron, args: { jobs: [ "
                   "{ name: often, schedule: '* * * * *', executors: [ debug_print begun, $refresh ] } ] } }\n")
        daemon = self.start(plugins)
        self.page("media.example\n")
        self.assertFalse(self.listed("media.example"))
        until(lambda: self.runs("jobs/often") == 1, 70, "the minute is full")
        self.assertTrue(self.listed("media.example"))
        self.assertFalse(self.listed("stream.example"))
        self.assertIn("jobs/often: begun", daemon.text())
        self.assertIn("because of reload_provider 'again'", daemon.text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
