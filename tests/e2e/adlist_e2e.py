"""Ad lists: how many names, how often they denied, a pause, a change of the file, and a list of a million names."""

import os
import re
import signal
import sys
import unittest

from lab.network import until
from lab.scene import Scene, query_counts, start_load

BUILD = sys.argv.pop(1)
CONFIG = """
control: {{ http: 127.0.0.1:9153 }}
plugins:
  - {{ tag: ads, type: adlist, args: {{ lists: [ {hosts}, {adguard} ], allow: [ www.stream.example ], cname: true }} }}
  - {{ tag: main_cache, type: cache, args: {{ size: 1000, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $ads }}, {{ exec: $main_cache }}, {{ exec: $up }} ] }}
"""


class AdLists(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("adlist", BUILD))
        self.scene.start_resolver()
        os.chmod(self.scene.folder, 0o755)
        self.hosts, self.adguard = self.scene.folder / "ads.hosts", self.scene.folder / "ads.txt"
        self.hosts.write_text("# ads\n0.0.0.0 www.other.example\n0.0.0.0 www.stream.example\n")
        self.adguard.write_text("||media.example^\n@@||fine.media.example^\n")
        self.config = self.scene.folder / "steer.yaml"

    def start(self):
        self.config.write_text(CONFIG.format(hosts=self.hosts, adguard=self.adguard))
        return self.scene.start_daemon(self.config)

    def lists(self, *words):
        return {row["list"]: row for row in self.scene.reported("adlist", *words)["adlists"]}

    def numbers(self):
        rows = self.lists()
        return [(rows[str(file)]["names"], rows[str(file)]["matches"]) for file in (self.hosts, self.adguard)]

    def test_an_ad_list_is_counted_paused_and_reloaded(self):
        daemon = self.start()
        self.assertEqual(self.numbers(), [(2, 0), (2, 0)])
        self.assertEqual(self.scene.short("www.other.example", "A"), ["0.0.0.0"])
        self.assertEqual(self.scene.short("www.other.example", "AAAA"), ["::"])
        self.assertEqual(self.scene.short("ad.media.example", "A"), ["0.0.0.0"])
        self.assertNotIn("0.0.0.0", self.scene.short("www.stream.example", "A"))  # allowed
        self.assertEqual(self.numbers(), [(2, 2), (2, 1)])
        text = self.scene.steerctl("adlist")
        self.assertRegex(text, r"adlist +list +names +matches +paused for")
        self.assertRegex(text, rf"ads +{re.escape(str(self.hosts))} +2 +2 +0 s")

        # a pause is in force at once, for the next query, and ends
        self.assertEqual({row["paused_s"] for row in self.lists("pause", "600").values()}, {600})
        self.assertEqual(self.scene.short("www.other.example", "A"), ["198.51.100.2"])
        self.lists("resume", "--tag", "ads")
        self.assertEqual(self.scene.short("www.other.example", "A"), ["0.0.0.0"])
        for words, sentence in ((("pause", "600", "--tag", "none"), "there is no adlist 'none'"),
                                (("pause", "0"), '"seconds": expected a whole number')):
            done = self.scene.ask("adlist", *words)
            self.assertEqual(done.returncode, 1)
            self.assertIn(sentence, done.stderr)

        # a file that changes is read again; what was counted stays
        self.hosts.write_text("0.0.0.0 stream.example\nwww.other.example\nmore.example\n")
        until(lambda: self.numbers()[0] == (3, 3), 10, "the file is read again")
        self.assertEqual(self.scene.short("stream.example", "A"), ["0.0.0.0"])
        self.assertEqual(self.numbers()[0], (3, 4))
        metrics = self.scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout
        self.assertIn(f'steerdns_adlist_matches_total{{plugin="ads",list="{self.hosts}"}} 4', metrics)
        self.assertIn(f'steerdns_adlist_names{{plugin="ads",list="{self.hosts}"}} 3', metrics)
        self.assertEqual(daemon.stop(), 0)

    def test_a_bad_file_keeps_the_last_good_one(self):
        self.start()
        self.hosts.write_text("<html><body>Not found</body></html>\n")
        until(lambda: "ads.hosts" in self.scene.daemon.text() and "error" in self.scene.daemon.text(), 10, "the bad file is named")
        self.assertEqual(self.scene.short("www.other.example", "A"), ["0.0.0.0"])
        self.assertEqual(self.numbers()[0][0], 2)

    def test_a_list_over_its_maximum_keeps_the_last_good_one(self):
        self.config.write_text(CONFIG.format(hosts=self.hosts, adguard=self.adguard).replace("allow:", "max_names: 3, allow:"))
        self.scene.start_daemon(self.config)
        self.hosts.write_text("".join(f"ad{i}.example\n" for i in range(4)))
        until(lambda: "has 4 names, and 'max_names' allows 3" in self.scene.daemon.text(), 10, "the long list is named")
        self.assertEqual(self.scene.short("www.other.example", "A"), ["0.0.0.0"])
        self.assertEqual(self.numbers()[0][0], 2)

    def test_a_million_names_are_loaded_without_a_lost_query(self):
        """Queries are answered while the list is loaded: none is lost, and none waits long."""
        self.start()
        load = start_load(self.scene.network, ("www.stream.example A", "other.example A", "www.other.example A"), 500, "-c", "1", "-T", "1")
        before = self.scene.daemon.pid
        with open(self.hosts, "w", encoding="utf-8") as out:
            out.writelines(f"0.0.0.0 ad{i}.tracker{i % 997}.example\n" for i in range(1_000_000))
            out.write("0.0.0.0 www.other.example\n")
        until(lambda: self.numbers()[0][0] == 1_000_001, 60, "a million names are in force")
        self.assertEqual(self.scene.short(f"ad999999.tracker{999999 % 997}.example", "A"), ["0.0.0.0"])
        self.assertTrue(load.running(), "it was loaded under load")
        load.stop(number=signal.SIGINT)
        self.assertEqual(query_counts(load.text())["lost"], 0, load.text())
        self.assertEqual(self.scene.daemon.pid, before)


if __name__ == "__main__":
    unittest.main()
