"""The page's view of rules in Chromium: a person blocks, allows and pauses by clicks."""

import sys
import unittest

from lab.browser import NEEDED, OPTION
from lab.network import skip_without, until
from lab.scene import Scene
from page_browser import URL, PageBrowser

BUILD = sys.argv.pop(1)
BLOCKED = ["0.0.0.0"]
TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f"
PAGE_CONFIG = """
control:
  rules: {folder}/rules.json
  http: {{ metrics: off, tokens: [ {{ name: noc, role: operate, token_file: {folder}/token }} ] }}
plugins:
  - {{ tag: ads, type: adlist, args: {{ lists: [ {folder}/ads.hosts ] }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: log, type: query_recorder, args: {{ path: {folder}/history.db, flush_interval_ms: 1 }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $log }}, {{ exec: $ads }}, {{ exec: cache 1000 short_circuit }}, {{ exec: $up }} ] }}
"""


class BlockingPage(unittest.TestCase):
    """A person who blocks and allows names by clicks; rows of queries lead to the form."""

    def setUp(self):
        scene = self.scene = self.enterContext(Scene("blocking-page", BUILD))
        scene.start_resolver()
        scene.folder.chmod(0o777)
        (scene.folder / "token").write_text(TOKEN + "\n")
        (scene.folder / "token").chmod(0o600)
        (scene.folder / "ads.hosts").write_text("0.0.0.0 www.other.example\n")
        config = scene.folder / "steer.yaml"
        config.write_text(PAGE_CONFIG.format(folder=scene.folder))
        scene.start_daemon(config)
        self.page = self.enterContext(PageBrowser(scene.network, "appliance"))

    def finish(self, name):
        self.page.keep_picture(name)
        self.assertEqual(self.page.errors(), [])
        self.assertEqual(self.page.barriers(), [])
        self.assertLessEqual(self.page.run("return document.documentElement.scrollWidth - window.innerWidth"), 0)

    def test_a_name_is_blocked_and_allowed_by_clicks(self):
        page, short = self.page, self.scene.short
        page.sign_in(TOKEN, "blocking")
        page.errors()
        page.type("input[name=name]", "music.example")
        page.type("input[name=note]", "<b>homework</b>")
        page.wait("Queries since")
        page.click("Block it")
        page.wait("Blocked from the next query on: music.example")
        self.assertEqual(short("deep.music.example", "A"), BLOCKED)
        page.wait("<b>homework</b>")
        self.finish("blocking")
        page.click("Remove")
        page.wait("Removed: music.example and all below")
        self.assertNotEqual(short("deep.music.example", "A"), BLOCKED)

        # from a row: what the list blocks is allowed for its client
        page.open(URL + "#queries")
        page.wait("No query")
        self.assertEqual(short("www.other.example", "A"), BLOCKED)
        page.click("Allow")
        page.wait("Block or allow a name")
        self.assertEqual(page.run("return [...document.querySelectorAll('input[name=name], input[name=client]')].map((one) => one.value)"),
                         ["www.other.example", "192.168.88.10"])
        page.click("Allow it")
        page.wait("Allowed from the next query on: www.other.example")
        self.assertEqual(short("www.other.example", "A"), ["198.51.100.2"])
        # for a group
        self.scene.reported("clients", "group", "add", "children", "192.168.88.10")
        page.open(URL + "#blocking/film.example/children")
        page.wait("Block or allow a name")
        until(lambda: page.run("return document.querySelector('#groups option')?.value") == "children", 5, "the group is offered")
        page.click("Block it")
        page.wait("group children")
        self.assertEqual(short("film.example", "A"), BLOCKED)
        # for a device by its name
        self.scene.reported("clients", "name", "192.168.88.10", "Leo's <b>tablet</b>")
        page.open(URL + "#blocking/toy.example/" + "Leo's <b>tablet</b>".replace(" ", "%20").replace("/", "%2F"))
        page.wait("Block or allow a name")
        page.click("Block it")
        page.wait("Leo's <b>tablet</b> (192.168.88.10)")
        self.assertEqual(short("toy.example", "A"), BLOCKED)
        page.emulate(width=390, dark=True)
        self.finish("blocking-phone")
        self.assertLess(max(page.lines_of_rows()), 3.5)

    def test_a_written_name_shows_what_a_rule_would_have_changed(self):
        page = self.page
        for name in ("music.example", "deep.music.example", "music.example", "www.other.example"):
            self.scene.short(name, "A")
        page.sign_in(TOKEN, "blocking")
        page.errors()
        page.type("input[name=name]", "music.example")
        page.wait("Blocking it would have stopped 3 of 3 queries of 1 client: music.example (2), deep.music.example (1).")
        page.wait("Allowing it would have let pass 0 of 3 queries.")
        page.open(URL + "#blocking/other.example")
        page.wait("Allowing it would have let pass 1 of 1 queries of 1 client: www.other.example (1).")
        page.emulate(width=390, dark=False)
        self.finish("blocking-preview")

    def test_blocking_is_paused_by_a_click(self):
        page = self.page
        page.sign_in(TOKEN, "blocking")
        page.errors()
        self.assertEqual(self.scene.short("www.other.example", "A"), BLOCKED)
        page.click("Pause")
        page.wait("all lists")
        self.assertEqual(self.scene.short("www.other.example", "A"), ["198.51.100.2"])
        self.finish("blocking-pause")


if __name__ == "__main__":
    skip_without(NEEDED, OPTION)
    unittest.main()
