"""The page's view of a fleet: two appliances with a real redis-server, in Chromium."""

import json
import sys
import unittest

from lab.browser import NEEDED, OPTION
from lab.fleet import FleetLan
from lab.network import skip_without, until
from page_browser import PageBrowser

BUILD = sys.argv.pop(1)
TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f"
PHONE = 390  # px
HTML = "<img src=x onerror=document.title='broken'>"


class FleetPage(unittest.TestCase):
    def setUp(self):
        lan = self.lan = self.enterContext(FleetLan(BUILD, "fleet-page"))
        token = lan.folder / "token"
        token.write_text(TOKEN + "\n")
        token.chmod(0o600)
        lan.control = f"control: {{ http: {{ metrics: off, tokens: [ {{ name: noc, role: admin, token_file: {token} }} ] }} }}\n"
        lan.start_resolver()
        lan.start_router()
        lan.start_router("edge2")
        self.redis = lan.start_redis()
        lan.add_boxes(2)
        for box in lan.boxes:
            box.start()
        lan.settle("edge1")
        lan.settle("edge2")
        self.chromium = self.enterContext(PageBrowser(lan.network, "box1"))

    @staticmethod
    def sign_in(browser):
        browser.sign_in(TOKEN, "fleet")
        browser.errors()  # what was refused before it

    def finish(self, browser, name):
        browser.keep_picture(name)
        self.assertEqual(browser.errors(), [])
        self.assertEqual(browser.barriers(), [])
        self.assertLessEqual(browser.run("return document.documentElement.scrollWidth - window.innerWidth"), 0)

    def cells(self, browser, heading):
        """The rows of the table below this heading."""
        return browser.run("const panel = [...document.querySelectorAll('.panel')].find((one) => one.querySelector('h2').innerText === arguments[0]);"
                           "return [...panel.querySelectorAll('tbody tr')].map((row) => [...row.children].map((cell) => cell.innerText))", heading)

    def test_boxes_roles_and_whether_this_box_can_be_stopped(self):
        lan, browser = self.lan, self.chromium
        one, two = lan.boxes
        for name, emulate in (("fleet", {}), ("fleet-phone-dark", {"dark": True, "width": PHONE, "height": 844}), ("fleet-dark", {"dark": True}), ("fleet-phone", {"width": PHONE, "height": 844})):
            browser.emulate(**emulate)
            self.sign_in(browser)
            browser.wait("Yes: another box is ready")
            until(lambda: [row[0] for row in self.cells(browser, "Boxes")] == ["box1 (this box)", "box2"], 20, "both boxes are shown")
            self.finish(browser, name)
        browser.emulate()
        output = {box["box"]: box for box in one.fleet()["boxes"]}
        for row in self.cells(browser, "Boxes"):
            name = row[0].split()[0]
            self.assertEqual(row[1:4], ["ready", output[name]["version"], output[name]["configuration"][:12]])
        for router, writer, _, *roles in self.cells(browser, "Roles"):
            self.assertEqual(writer, lan.writers(router)[0].name)
            self.assertEqual(roles, [box.role(router) for box in lan.boxes])
        self.assertEqual([row[0] for row in self.cells(browser, "Roles")], ["edge1", "edge2"])

        # Drained, it gives its routers away.
        browser.click("Drain this box")
        browser.wait("This box drains: others take its routers")
        until(lambda: self.cells(browser, "Boxes")[0][1] == "draining", 20, "the page shows that it drains")
        until(lambda: [row[1] for row in self.cells(browser, "Roles")] == ["box2", "box2"], 20, "the other box writes both routers")
        self.finish(browser, "fleet-draining")
        browser.click("End the drain")
        browser.wait("This box serves again")

        # A differing configuration is marked.
        two.config.write_text(two.config.read_text() + "# changed\n")
        two.ask("reload", check=True)
        until(lambda: browser.run("return document.querySelectorAll('td span.warn[title=\"differs from this box\"]').length") == 1, 20, "the difference is marked")

        # What others write into Redis stays text, whatever it is.
        now_ms = int(lan.redis("TIME").split()[0]) * 1000
        for box, text in ((HTML, {"version": HTML, "configuration": 7, "ready": "x", "routers": [None, 7, {"name": HTML, "role": HTML, "state": {}, "pending": []}]}),
                          ("odd", {"version": [[HTML]], "configuration": {"a": 1}, "routers": "none"})):
            lan.redis("SET", f"steerdns:{{pop1}}:box:{box}/1", json.dumps(text), "PX", "60000")
            lan.redis("ZADD", "steerdns:{pop1}:boxes", str(now_ms), f"{box}/1")
        browser.wait("onerror")
        browser.wait("odd")
        self.assertEqual([row[1] for row in self.cells(browser, "Boxes") if row[0] in (HTML, "odd")], ["not ready"] * 2)
        self.assertEqual(browser.run("return [document.images.length, document.title]"), [0, "Fleet – SteerDNS"])
        self.finish(browser, "fleet-html")

    def test_a_dead_box_and_a_dead_redis_are_named(self):
        lan, browser = self.lan, self.chromium
        browser.emulate()
        self.sign_in(browser)
        browser.wait("Yes: another box is ready")
        lan.boxes[1].kill()
        browser.wait("no other box is ready")
        browser.wait("silent for")
        until(lambda: [row[1] for row in self.cells(browser, "Roles")] == ["box1", "box1"], 20, "this box writes both routers")
        self.finish(browser, "fleet-silent")
        self.redis.stop()
        browser.wait("not connected")
        browser.wait("Redis is not connected, so the other boxes are not known")
        until(lambda: [row[1:4:2] for row in self.cells(browser, "Roles")] == [["not known", "alone"]] * 2, 20, "this box writes by itself")
        self.finish(browser, "fleet-alone")
        problem = browser.run("return [...document.querySelectorAll('.panel')].find((one) => one.querySelector('h2').innerText === 'Problems').innerText")
        self.assertNotIn("None.", problem)


if __name__ == "__main__":
    skip_without((*NEEDED, "redis-server", "redis-cli"), OPTION)
    unittest.main(verbosity=2)
