"""The page's view of one client in Chromium: each section, names that are HTML, the printed sheet, and who may not see it."""

import sys
import unittest

from lab.browser import NEEDED, OPTION
from lab.network import skip_without, until
from lab.scene import PASSWORD, USER, Scene
from page_browser import PageBrowser

BUILD = sys.argv.pop(1)
TOKEN, READ_TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f", "00112233445566778899aabbccddeeff"
PHONE = 390  # px
CLIENT = "192.168.88.10"
ADDRESSES = ("203.0.113.10", "203.0.113.11")  # of stream.example
CONFIG = """
control:
  watch: off
  leases: {folder}/leases.json
  support: {support}
  http:
    metrics: off
    tokens:
      - {{ name: hotline, role: operate, token_file: {folder}/token }}
      - {{ name: wall, role: read, token_file: {folder}/wall }}
routers:
  edge1: {{ address: "172.16.1.1:8728", username: {user}, password: {password} }}
plugins:
  - {{ tag: ads, type: adlist, args: {{ lists: [ {folder}/ads.txt ] }} }}
  - {{ tag: log, type: query_recorder, args: {{ path: {folder}/state/queries.db }} }}
  - {{ tag: policy, type: ros_address_list, args: {{ router: edge1, address_list4: policy_set_v4 }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $log }}, {{ exec: $ads }}, {{ matches: qname refused.example, exec: reject 5 }},
      {{ matches: qname stream.example, exec: $policy }}, {{ exec: forward 1.1.1.1 }} ] }}
"""
ATTACK = "<img src=x onerror=\"document.title='owned'\">"
SECTIONS = ("Blocked", "Failed", "Slow (500 ms or more)", "Steered", "Rows on routers", "Connection marks, as the doctor saw them", "Asked, the most frequent first")


class SupportPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(Scene("support-page", BUILD))
        scene.start_resolver()
        scene.start_router()
        for name, text in (("token", TOKEN), ("wall", READ_TOKEN), ("ads.txt", "||ads.example^")):
            (scene.folder / name).write_text(text + "\n")
            (scene.folder / name).chmod(0o644 if name == "ads.txt" else 0o600)
        (scene.folder / "state").mkdir()
        (scene.folder / "state").chmod(0o777)
        scene.folder.chmod(0o777)
        cls.config = scene.folder / "steer.yaml"
        cls.write("true")
        scene.start_daemon(cls.config)
        until(lambda: scene.reported("routers")["routers"][0]["state"] == "in_sync", 20, "the router is in sync")
        until(lambda: scene.short("ads.example", "A") == ["0.0.0.0"], 20, "the daemon blocks")
        cls.ask()
        scene.steerctl("clients", "name", CLIENT, ATTACK)
        cls.chromium = cls.enterClassContext(PageBrowser(scene.network, "appliance"))

    @classmethod
    def write(cls, support):
        cls.config.write_text(CONFIG.format(folder=cls.scene.folder, support=support, user=USER, password=PASSWORD))

    @classmethod
    def ask(cls):
        scene = cls.scene
        scene.short("stream.example", "A")
        scene.short("refused.example", "A")
        scene.short(f"{ATTACK}.ads.example", "A")
        scene.wait_rows({("policy_set_v4", address) for address in ADDRESSES})

    def browser(self, token=TOKEN, path=f"support/{CLIENT}", **emulate):
        browser = self.chromium
        browser.emulate(**emulate)
        browser.sign_in(token, path)
        browser.errors()
        return browser

    def section(self, title):
        """Its rows, as lists of texts."""
        return self.chromium.run("""
            const panel = [...document.querySelectorAll('.sheet .panel')].find((one) => one.querySelector('h2').innerText === arguments[0]);
            return [...panel.querySelectorAll('tbody tr')].map((row) => [...row.children].map((cell) => cell.innerText))""", title)

    def finish(self, browser, name):
        browser.keep_picture(name)
        self.assertEqual(browser.errors(), [])
        self.assertEqual(browser.barriers(), [])
        self.assertLessEqual(browser.run("return document.documentElement.scrollWidth - window.innerWidth"), 0)

    def test_an_operator_sees_one_client_on_one_sheet(self):
        self.ask()
        browser = self.browser(path="support")
        browser.type("input[name=client]", CLIENT)
        browser.click("Show the last 15 minutes")
        browser.wait("Rows on routers")
        self.assertEqual(browser.run("return location.hash"), f"#support/{CLIENT}")
        self.assertEqual(tuple(browser.run("return [...document.querySelectorAll('.sheet .panel h2')].map((one) => one.innerText)")), SECTIONS)
        self.assertIn([f"{ATTACK}.ads.example".replace(" ", "\\032").replace('"', '\\"').replace("(", "\\(").replace(")", "\\)"), "A", "ads"],
                      [[row[1], row[2], row[4]] for row in self.section("Blocked")])
        self.assertEqual([row[1:5:3] for row in self.section("Failed")], [["refused.example", "REFUSED"]])
        self.assertEqual([row[1:5:3] for row in self.section("Steered")], [["stream.example", "policy"]])
        self.assertEqual(sorted(self.section("Rows on routers")), [["edge1", address, "policy", "stream.example", "present"] for address in ADDRESSES])
        self.assertEqual(self.section("Slow (500 ms or more)"), [])
        # The client's name and a queried name are HTML; neither is more than text.
        self.assertIn(f"Client {ATTACK} ({CLIENT})", browser.text(".sheet"))
        self.assertEqual(browser.run("return [document.title, document.querySelectorAll('#view img, #view script').length]"), ["Support – SteerDNS", 0])
        for name, emulate in (("support", {}), ("support-phone", {"width": PHONE, "height": 844}), ("support-dark", {"dark": True})):
            browser.emulate(**emulate)
            self.finish(browser, name)
            if "width" in emulate:
                self.assertLess(max(browser.lines_of_rows()), 3)

    def test_the_printed_sheet_is_the_sheet_alone(self):
        self.ask()
        browser = self.browser()
        browser.wait("Rows on routers")
        for dark in (False, True):
            browser.emulate(dark=dark, paper=True)
            seen = browser.run("return ['header', 'nav', '.no-print', '.sheet'].map((one) => document.querySelector(one).checkVisibility())")
            self.assertEqual(seen, [False, False, False, True])
            self.assertEqual(browser.run("return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"),
                             ["rgb(255, 255, 255)", "rgb(0, 0, 0)"])
            browser.keep_picture(f"support-print{'-dark' if dark else ''}")
        browser.emulate()
        browser.run("window.print = () => { window.printed = true; }")
        browser.click("Print")
        self.assertTrue(browser.run("return window.printed"))

    def test_what_cannot_be_shown_is_a_sentence(self):
        browser = self.browser(path="support/kitchen")
        browser.wait('"kitchen" is not an address, a prefix, a MAC address or the name of a client')
        browser.open(browser.run("return location.origin") + "/#support/192.168.88.99")
        browser.wait("No query was recorded.")
        browser = self.browser(READ_TOKEN)
        browser.wait('needs the role "operate"', "#view")
        self.assertNotIn("ads.example", browser.text("#view"))
        self.assertTrue(browser.run("return document.querySelector('button.main').disabled"))

    def test_the_view_is_there_only_where_the_setting_is_on(self):
        browser = self.browser(path="overview")
        shown = lambda: [one for one in browser.run("return [...document.querySelectorAll('nav a')].filter((one) => one.checkVisibility()).map((one) => one.innerText)")]  # noqa: E731
        until(lambda: "Support" in shown(), 10, "the view is in the navigation")
        self.write("false")
        self.scene.reported("reload")
        try:
            until(lambda: "Support" not in shown(), 20, "the view is away")
        finally:
            self.write("true")
            self.scene.reported("reload")


if __name__ == "__main__":
    skip_without(NEEDED, OPTION)
    unittest.main(verbosity=2)
