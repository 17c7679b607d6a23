"""The page of control.http in Chromium: each view, in both themes and at a phone's width, beside traffic; nothing that comes over
the network becomes HTML.

With STEER_PICTURES set to a folder, screenshots are left there.
"""

import os
import pathlib
import shutil
import sys
import unittest

from lab.browser import NEEDED as BROWSER_NEEDED, Browser
from lab.network import until
from lab.scene import PASSWORD, USER, Scene

BUILD = sys.argv.pop(1)
SKIPPED = 77  # the exit code
NEEDED = (*BROWSER_NEEDED, "dnsperf")
PICTURES = os.environ.get("STEER_PICTURES")
TOKEN, READ_TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f", "00112233445566778899aabbccddeeff"
URL = "http://127.0.0.1:9154/"
HTML = "<img src=x onerror=document.title='broken'>"
CONFIG = """
control:
  watch: off
  history: {folder}/state/versions
  http:
    metrics: off
    tokens:
      - {{ name: noc, role: admin, token_file: {folder}/token }}
      - {{ name: wall, role: read, token_file: {folder}/wall }}
routers:
  edge1: {{ address: 172.16.1.1:8728, username: {user}, password: {password} }}
plugins:
  - {{ tag: routed, type: domain_set, args: {{ exps: [ "domain:stream.example" ] }} }}
  - {{ tag: ads, type: adlist, args: {{ lists: [ {folder}/ads.txt ] }} }}
  - {{ tag: pool, type: cache, args: {{ size: 10000, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: stream, type: ros_address_list, args: {{ router: edge1, address_list4: stream, address_list6: stream6, async: false }} }}
  - {{ tag: main, type: sequence, args: [
      {{ exec: $ads }}, {{ matches: qname $routed, exec: $stream }}, {{ exec: $pool }}, {{ exec: $up }} ] }}
"""


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(Scene("page", BUILD))
        scene.start_resolver()
        scene.start_router()
        scene.folder.chmod(0o755)
        (scene.folder / "ads.txt").write_text("ads.example\n")
        (scene.folder / "token").write_text(TOKEN + "\n")
        (scene.folder / "wall").write_text(READ_TOKEN + "\n")
        for name in ("token", "wall"):
            (scene.folder / name).chmod(0o600)
        for name in ("etc", "state"):
            (scene.folder / name).mkdir()
            (scene.folder / name).chmod(0o777)
        cls.file = scene.folder / "etc/steer.yaml"
        cls.text = CONFIG.format(folder=scene.folder, user=USER, password=PASSWORD)
        cls.file.write_text(cls.text)
        scene.start_daemon(cls.file)
        for name in ("node.stream.example", "www.other.example", "ads.example"):
            scene.kdig(name)
        cls.chromium = cls.enterClassContext(Browser(scene.network, "appliance"))

    def browser(self, token=TOKEN, path="", **look):
        """A window as of a new user, who signs in."""
        browser = self.chromium
        browser.look(**look)
        browser.open(URL)
        browser.run("sessionStorage.clear()")
        browser.open(f"{URL}#{path}")
        browser.wait("Token")
        self.assertNotIn("Queries/s", browser.text())
        browser.type("input[name=token]", token)
        browser.click("Sign in")
        browser.wait("Ready" if token in (TOKEN, READ_TOKEN) else "token is wrong")
        browser.errors()
        return browser

    def finish(self, browser, name):
        """Nothing was broken, and nothing is wider than the window."""
        if PICTURES:
            browser.picture(pathlib.Path(PICTURES) / f"{name}.png")
        self.assertEqual(browser.errors(), [])
        self.assertLessEqual(browser.run("return document.documentElement.scrollWidth - window.innerWidth"), 0)
        self.assertEqual(browser.run("return performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)"
                                     ".filter((origin) => origin !== location.origin)"), [])

    def test_overview(self):
        browser = self.browser()
        for text in ("Ready", "in sync", "udp://1.1.1.1", "answered"):
            browser.wait(text)
        self.finish(browser, "overview")

    def test_overview_dark_on_a_phone(self):
        browser = self.browser(dark=True, width=390, height=844)
        browser.wait("in sync")
        self.assertEqual(browser.run("return getComputedStyle(document.body).backgroundColor"), "rgb(18, 23, 28)")
        for view, text in (("names", "One name"), ("routers", "edge1"), ("routers/edge1", "Differences"), ("lists", "ads.txt"),
                           ("configuration", "plugins:")):
            browser.run("location.hash = arguments[0]", view)
            browser.wait(text)
            self.finish(browser, f"dark-{view.replace('/', '-')}")

    def test_wrong_token(self):
        browser = self.browser(token="nothing")
        browser.wait("this token is wrong")
        self.assertEqual(browser.run("return document.querySelector('input[name=token]').value"), "")
        self.assertNotIn("Queries/s", browser.text())

    def test_names(self):
        browser = self.browser(path="names/node.stream.example")
        browser.wait("domain:stream.example")
        browser.wait("203.0.113.31")
        self.finish(browser, "name")

    def test_a_name_that_is_html_stays_text(self):
        browser = self.browser(path="names")
        browser.wait("Count queries")
        browser.click("Count queries for 10 s")
        asker = self.scene.network.start("client", "asker", "/bin/sh", "-c",
                                         f"while :; do kdig @172.16.1.2 +retry=0 +timeout=1 \"{HTML}.other.example\" A >/dev/null; sleep 0.2; done")
        browser.wait("onerror")
        asker.stop()
        self.assertEqual(browser.run("return [document.images.length, document.title]"), [0, "Names – SteerDNS"])
        self.finish(browser, "html")

    def test_routers(self):
        browser = self.browser(path="routers/edge1")
        browser.wait("None: the router has what clients were told.")
        browser.click("Pause writes")
        browser.wait("Pause writes: done")
        browser.wait("paused")
        self.assertTrue(self.scene.told("routers")["routers"][0]["paused"])
        browser.click("Resume")
        browser.wait("Resume: done")
        self.assertFalse(self.scene.told("routers")["routers"][0]["paused"])
        self.finish(browser, "router")

    def test_lists(self):
        browser = self.browser(path="lists")
        browser.wait("blocks")
        browser.click("Pause 5 min")
        browser.wait("paused for")
        self.assertGreater(self.scene.told("adlist")["adlists"][0]["paused_s"], 0)
        browser.click("Resume")
        browser.wait("blocks")
        self.finish(browser, "lists")

    def test_a_token_that_may_only_read_changes_nothing(self):
        browser = self.browser(token=READ_TOKEN, path="routers/edge1")
        browser.wait("None: the router has what clients were told.")
        browser.click("Pause writes")
        browser.wait("role")
        self.assertFalse(self.scene.told("routers")["routers"][0]["paused"])

    def test_configuration(self):
        browser = self.browser(path="configuration")
        browser.wait("plugins:")

        def edit(before, after):
            browser.run("const editor = document.querySelector('.CodeMirror').CodeMirror;"
                        "editor.setValue(editor.getValue().replace(arguments[0], arguments[1]))", before, after)

        edit("exec: $up }", "exec: $nothing }")
        browser.click("Check")
        browser.wait("This text has errors.")
        browser.wait("nothing", "#view table")
        browser.click("Apply")
        browser.wait("Not applied")
        self.assertEqual(self.file.read_text(), self.text)
        edit("exec: $nothing }", "exec: $up }")
        edit("size: 10000", "size: 20000")
        browser.click("Apply")
        browser.wait("In force, as generation")
        self.assertIn("size: 20000", self.file.read_text())
        browser.click("Open")
        browser.wait("The text of version 1 is in the editor.")
        browser.click("Apply")
        browser.wait("The text before it is version 2.")
        self.assertEqual(self.file.read_text(), self.text)
        self.finish(browser, "configuration")

    def test_keyboard(self):
        browser = self.browser()
        for key, view in (("3", "#routers"), ("4", "#lists"), ("1", "#overview")):
            browser.keys(key)
            until(lambda: browser.run("return location.hash") == view, 10, f"key {key} opens {view}")

    def test_traffic_beside_it(self):
        """As many queries as the load generator sends, at most 50,000 a second: the page shows them."""
        browser = self.browser()
        queries = self.scene.folder / "queries"
        queries.write_text("".join(f"n{i}.other.example A\n" for i in range(1000)))
        load = self.scene.network.start("client", "dnsperf", "dnsperf", "-s", "172.16.1.2", "-d", str(queries), "-Q", "50000", "-l", "20", "-c", "4")
        rate = ("const tile = [...document.querySelectorAll('.tile')].find((one) => one.innerText.startsWith('Queries/s'));"
                "return Number(tile.querySelector('b').innerText.replaceAll(',', '')) || 0")
        until(lambda: browser.run(rate) > 1000, 15, "the page shows the load")
        print(f"  the page shows {browser.run(rate):.0f} queries/s")
        self.finish(browser, "load")
        load.child.wait(120)
        lost = next(line for line in load.text().splitlines() if "Queries lost" in line)
        print(f"  dnsperf: {lost.strip()}")


if __name__ == "__main__":
    if missing := [command for command in NEEDED if shutil.which(command) is None]:
        print(f"skipped: needs {' and '.join(missing)} (tools/deps --browser)")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
