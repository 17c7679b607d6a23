"""The page's view of clients in Chromium: names of records, and names that a person gives and takes back."""

import sys
import unittest

from lab.browser import NEEDED, OPTION
from lab.network import skip_without, until
from lab.scene import Scene
from page_browser import PageBrowser

BUILD = sys.argv.pop(1)
TOKEN, READ_TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f", "00112233445566778899aabbccddeeff"
PHONE = 390  # px
CONFIG = """
control:
  leases: {folder}/leases.json
  http:
    metrics: off
    tokens:
      - {{ name: noc, role: operate, token_file: {folder}/token }}
      - {{ name: wall, role: read, token_file: {folder}/wall }}
plugins:
  - {{ tag: local, type: static, args: {{ records: [ {{ name: nas.lan, address: 192.168.88.5 }}, {{ name: tv.lan, address: 192.168.88.6 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $local }}, {{ exec: forward 1.1.1.1 }} ] }}
"""
HTML = "<img src=x onerror=\"document.title='owned'\">"


class ClientsPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(Scene("clients-page", BUILD))
        scene.start_resolver()
        for name, text in (("token", TOKEN), ("wall", READ_TOKEN)):
            (scene.folder / name).write_text(text + "\n")
            (scene.folder / name).chmod(0o600)
        scene.folder.chmod(0o777)
        config = scene.folder / "steer.yaml"
        config.write_text(CONFIG.format(folder=scene.folder))
        scene.start_daemon(config)
        cls.chromium = cls.enterClassContext(PageBrowser(scene.network, "appliance"))

    def browser(self, token=TOKEN, **emulate):
        browser = self.chromium
        browser.emulate(**emulate)
        browser.sign_in(token, "clients")
        browser.errors()
        return browser

    def rows(self):
        return self.chromium.run("return [...[...document.querySelectorAll('.panel')].at(-1).querySelectorAll('tbody tr')].map((row) => [row.children[1].innerText, row.children[0].innerText])")

    def fill(self, name, text):
        self.chromium.run("document.querySelector(`input[name=${arguments[0]}]`).value = ''", name)
        self.chromium.type(f"input[name={name}]", text)

    def finish(self, browser, name):
        browser.keep_picture(name)
        self.assertEqual(browser.errors(), [])
        self.assertEqual(browser.barriers(), [])
        self.assertLessEqual(browser.run("return document.documentElement.scrollWidth - window.innerWidth"), 0)

    def test_a_person_gives_and_takes_back_a_name(self):
        browser = self.browser()
        until(lambda: self.rows() == [["192.168.88.5", "nas.lan"], ["192.168.88.6", "tv.lan"]], 10, "the records are clients")
        self.fill("client", "192.168.88.6")
        self.fill("name", HTML)
        browser.click("Give this name")
        browser.wait("is the name of 192.168.88.6")
        until(lambda: self.rows()[1] == ["192.168.88.6", HTML], 10, "the given name is text")
        self.assertNotIn("owned", browser.run("return document.title"))
        for name, emulate in (("clients", {}), ("clients-phone", {"width": PHONE, "height": 844}), ("clients-dark", {"dark": True})):
            browser.emulate(**emulate)
            self.finish(browser, name)
            if "width" in emulate:
                self.assertLess(max(browser.lines_of_rows()), 3.5)
        browser.emulate()
        self.fill("find", "88.5")
        until(lambda: self.rows() == [["192.168.88.5", "nas.lan"]], 5, "the search leaves one client")
        self.fill("find", " ")
        browser.run("document.querySelector('input[name=find]').value = ''; document.querySelector('input[name=find]').dispatchEvent(new Event('input'))")
        browser.run("document.activeElement.blur()")
        browser.click("Forget")
        browser.wait("The given name was removed from 192.168.88.6")
        until(lambda: self.rows()[1] == ["192.168.88.6", "tv.lan"], 10, "the record's name is back")
        self.fill("client", "nonsense")
        self.fill("name", "x")
        browser.click("Give this name")
        browser.wait("is not an address, a prefix, a MAC address or the name of a client")

    def test_a_person_puts_devices_into_a_group_and_takes_them_out(self):
        browser = self.browser()
        browser.wait("There is no group yet")
        self.fill("group", HTML)
        self.fill("members", "192.168.88.6, 192.168.88.0/28")
        browser.click("Add to the group")
        browser.wait("from the next query on: 192.168.88.6, 192.168.88.0/28")
        self.assertEqual([one["client"] for one in self.scene.reported("clients", "group")["groups"][0]["members"]],
                         ["192.168.88.0/28", "192.168.88.6"])
        for name, emulate in (("groups", {}), ("groups-phone", {"width": PHONE, "height": 844})):
            browser.emulate(**emulate)
            self.finish(browser, name)
        self.assertLess(max(browser.lines_of_rows()), 3.5)
        browser.emulate()
        for left in (1, 0):
            browser.click("Take out")
            until(lambda: browser.run("return document.body.innerText.split('Take out').length - 1") == left, 10, "the device is out")
        browser.wait("no device")
        browser.click("Remove")
        browser.wait("There is no group yet")
        self.fill("group", "192.168.88.7")
        self.fill("members", "192.168.88.6")
        browser.click("Add to the group")
        browser.wait("is a device: write a name for the group first")

    def test_a_reader_sees_that_the_role_is_missing(self):
        browser = self.browser(READ_TOKEN)
        browser.wait("operate", "#view")
        self.assertEqual(self.rows(), [])


if __name__ == "__main__":
    skip_without(NEEDED, OPTION)
    unittest.main(verbosity=2)
