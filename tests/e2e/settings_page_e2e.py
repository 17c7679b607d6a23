"""The forms of the page in Chromium: each shows what it will write, writes managed.yaml, and is undone.

    settings_page_e2e.py BUILD
"""

import re
import shutil
import sys
import unittest

from lab.browser import NEEDED, OPTION
from lab.network import skip_without, until
from lab.scene import PASSWORD, USER, Scene
from page_browser import PageBrowser

BUILD = sys.argv.pop(1)
TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f"
OWNER = "games"  # the user that the daemon becomes
PHONE = 390  # px
CONFIG = """# The operator's own file.
control:
  user: {owner}
  watch: off
  leases: {state}/leases.json
  managed: {state}/managed.yaml
  history: {state}/versions
  lists: {state}/lists
  images: {state}/images
  fetch: {{ start_wait: 1s, timeout: 1s }}
  http:
    metrics: off
    tokens: [ {{ name: owner, role: admin, token_file: {state}/token }} ]
routers:
  edge1: {{ address: "172.16.1.1:8728", username: {user}, password: {password} }}
plugins:
  - {{ tag: up, type: forward, args: {{ concurrent: 1, upstreams: [ {{ addr: "udp://1.1.1.1" }} ] }} }}
  - {{ tag: local, type: static, args: {{ records: [ {{ name: nas.lan, address: 192.168.88.10 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $local }}, {{ exec: $up }} ] }}
"""


class Settings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(Scene("settings", BUILD))
        scene.start_resolver()
        scene.folder.chmod(0o755)
        state = cls.state = scene.folder / "state"
        state.mkdir()
        (state / "token").write_text(TOKEN + "\n")
        (state / "token").chmod(0o600)
        for path in (state, state / "token"):
            shutil.chown(path, OWNER)
        cls.layer = state / "managed.yaml"
        cls.config = scene.folder / "steer.yaml"
        cls.text = CONFIG.format(owner=OWNER, state=state, user=USER, password=PASSWORD)
        cls.config.write_text(cls.text)
        scene.start_router()
        scene.start_daemon(cls.config)
        cls.chromium = cls.enterClassContext(PageBrowser(scene.network, "appliance"))

    def open(self, form, **emulate):
        browser = self.chromium
        browser.emulate(**emulate)
        browser.sign_in(TOKEN, f"settings/{form}" if form else "settings", "Change something:" if form else "Changes by forms")
        browser.errors()
        return browser

    def write(self, browser, field, text):
        """As a person who replaces the field's text."""
        browser.run("const field = document.querySelector(`[name=${arguments[0]}]`); field.focus(); field.value = arguments[1];"
                    "field.dispatchEvent(new Event('input', { bubbles: true }))", field, text)

    def apply(self, browser, shows):
        browser.wait(shows)
        until(lambda: browser.run("return !document.querySelector('button.main').disabled"), 20, "the change can be applied")
        browser.click("Apply")
        browser.wait("In force, as generation")

    def finish(self, browser, name):
        browser.keep_picture(name)
        self.assertEqual(browser.errors(), [])
        self.assertEqual(browser.barriers(), [])
        self.assertLessEqual(browser.run("return document.documentElement.scrollWidth - innerWidth"), 0, "the page is not wider than the window")
        self.assertEqual(self.config.read_text(), self.text, "the operator's file stays")

    def test_an_upstream_is_changed_and_undone(self):
        browser = self.open("upstreams")
        self.assertTrue(browser.run("return document.querySelector('button.main').disabled"), "nothing is changed yet")
        self.write(browser, "upstreams", "udp://1.1.1.1\nudp://192.0.2.77")
        self.apply(browser, '+         - addr: "udp://192.0.2.77"')
        self.assertIn("192.0.2.77", self.layer.read_text())
        self.assertIn("192.0.2.77", str(self.scene.reported("status")["upstreams"]))
        self.finish(browser, "settings-upstreams")
        browser.click("Undo")
        browser.wait("The text before the last change is in force.")
        self.assertNotIn("192.0.2.77", self.layer.read_text())

    def test_a_wrong_value_is_shown_and_cannot_be_applied(self):
        browser = self.open("upstreams")
        self.write(browser, "upstreams", "carrier-pigeon://1.1.1.1")
        browser.wait("carrier-pigeon")
        browser.wait("error")
        self.assertTrue(browser.run("return document.querySelector('button.main').disabled"))
        self.finish(browser, "settings-wrong")

    def test_a_local_name_is_added(self):
        browser = self.open("records", width=PHONE)
        self.write(browser, "records", "nas.lan 192.168.88.10\nprinter.lan 192.168.88.11\n<b>x</b>.lan 192.168.88.12")
        browser.wait("<b>x</b>")
        self.write(browser, "records", "nas.lan 192.168.88.10\nprinter.lan 192.168.88.11")
        self.apply(browser, "printer.lan")
        self.assertEqual(self.scene.short("printer.lan", "A"), ["192.168.88.11"])
        self.finish(browser, "settings-records")

    def test_names_are_steered_with_the_routers_commands_beside(self):
        browser = self.open("steering", dark=True)
        self.write(browser, "name", "vpn")
        self.write(browser, "names", "stream.example")
        browser.wait("/ip firewall mangle")
        self.apply(browser, "names_vpn")
        self.finish(browser, "settings-steering")
        until(lambda: "203.0.113.10" in self.scene.short("stream.example", "A"), 10, "it is answered")
        self.scene.wait_rows({("vpn_v4", "203.0.113.10")})

    def test_a_list_that_cannot_be_fetched_does_not_count(self):
        browser = self.open("lists")
        self.assertIn("GPL-3.0", browser.text("select[name=catalogue]"))
        self.write(browser, "url", "http://127.0.0.1:9/ads.txt")
        browser.click("Add")
        browser.wait("the list http://127.0.0.1:9/ads.txt cannot be fetched")
        self.assertTrue(browser.run("return document.querySelector('button.main').disabled"))
        self.finish(browser, "settings-lists")

    def decision(self, name):
        return self.scene.steerctl("explain", name, "A", "--client", "192.168.88.10")

    def test_a_group_has_hours_lists_and_safe_search(self):
        scene = self.scene
        scene.steerctl("clients", "group", "add", "children", "192.168.88.10")
        (self.state / "games.txt").write_text("play.stream.example\n")
        browser = self.open("groups/children")
        browser.wait("1 device in this group")
        self.write(browser, "names", "media.example")
        browser.wait("group_hours_children")
        self.assertIn("black_hole null", browser.text(".diff"))
        self.write(browser, "timezone", "Europe/Atlantis")
        browser.wait("Europe/Atlantis")
        browser.wait("error")
        self.assertTrue(browser.run("return document.querySelector('button.main').disabled"))
        self.write(browser, "timezone", "Europe/Berlin")
        self.write(browser, "when", "always")
        self.write(browser, "lists", "games.txt")
        browser.run("const box = document.querySelector('[name=safe_search]'); box.click()")
        self.apply(browser, "safe_search")
        self.finish(browser, "settings-groups")
        self.assertEqual(scene.short("www.media.example", "A"), ["0.0.0.0"])
        self.assertEqual(scene.short("play.stream.example", "A"), ["0.0.0.0"])
        self.assertIn("203.0.113.10", scene.short("stream.example", "A"))
        self.assertIn("forcesafesearch.google.com", self.decision("www.google.com"))
        main = next(one["value"] for one in scene.reported("managed", "show")["parts"] if one["part"] == "plugins.main")
        self.assertEqual([one["exec"] for one in main["args"]], ["jump group_rules_children", "$safe_search", "$local", "$up"], "what is blocked stays blocked")
        self.assertNotIn("forcesafesearch", scene.steerctl("explain", "www.google.com", "A", "--client", "192.168.88.99"), "for the group alone")

        with self.subTest("the form has what is set, and hours take the place of always"):
            browser = self.open("groups/children", width=PHONE)
            self.assertEqual(browser.run("return document.querySelector('[name=names]').value"), "media.example")
            self.assertEqual(browser.run("return document.querySelector('[name=when]').value"), "always")
            self.write(browser, "when", "hours")
            browser.run("for (const box of [...document.querySelectorAll('[name=day]')].slice(4, 6)) box.click()")
            self.apply(browser, "weekdays")
            self.finish(browser, "settings-groups-hours")
            plugins = {one["part"]: one["value"] for one in scene.reported("managed", "show")["parts"]}
            self.assertEqual(plugins["plugins.group_hours_children"]["args"]["periods"], [
                {"start": "21:00", "end": "07:00", "weekdays": ["mon", "tue", "wed", "thu", "sun"]}])
            self.assertEqual(plugins["plugins.group_rules_children"]["args"][0]["matches"], ["$group_hours_children", "qname $group_names_children"])
        with self.subTest("what is empty is taken away"):
            browser = self.open("groups/children", dark=True)
            self.write(browser, "names", "")
            self.write(browser, "lists", "")
            browser.run("document.querySelector('[name=safe_search]').click()")
            self.apply(browser, "-   - tag: group_rules_children")
            self.assertNotIn("group_rules_children", self.layer.read_text())
            self.assertIn("203.0.113.30", scene.short("media.example", "A"))
            self.assertNotIn("forcesafesearch", self.decision("www.google.com"))

    def test_the_view_of_all_names_parts_and_history(self):
        browser = self.open("dns64")
        self.write(browser, "except", "domain:legacy.example")
        self.apply(browser, "nat64")
        browser.click("All settings")
        browser.wait("plugins.nat64")
        self.assertRegex(browser.text(), re.compile("Upstreams.*Block lists.*Local names.*DNS64.*Steering", re.DOTALL))
        self.finish(browser, "settings")


if __name__ == "__main__":
    skip_without(NEEDED, OPTION)
    unittest.main(verbosity=2)
