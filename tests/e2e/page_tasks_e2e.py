"""The tasks of docs/guides/tasks.md in Chromium, each with the clicks that the page names.

    page_tasks_e2e.py BUILD
"""

import re
import sys
import unittest

from household import TOKEN, Household
from lab.browser import NEEDED, OPTION
from lab.network import skip_without, until
from lab.scene import ROOT
from page_browser import PageBrowser

BUILD = sys.argv.pop(1)
MOST = 4  # clicks
LAPTOP = "192.168.88.21"
GUIDE = (ROOT / "docs/guides/tasks.md").read_text()
# Task: (what is clicked, how many clicks), as the guide says.
TASKS = {task: (re.findall(r"\*\*(.+?)\*\*", path), int(clicks))
         for task, path, clicks in re.findall(r"^\| ([^|]+) \| ([^|]+) \| (\d+) \|.*\|$", GUIDE, re.MULTILINE)}


class Tasks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(Household("page-tasks", BUILD))
        cls.page = cls.enterClassContext(PageBrowser(scene.network, "appliance"))
        cls.page.sign_in(TOKEN, "overview")
        cls.page.errors()
        cls.seen = set()

    def begin(self, task):
        """From the first view; `finish` compares what was clicked."""
        self.task, self.clicked = task, []
        self.page.run("location.hash = 'overview'")
        self.page.wait("Waiting queries", "#view")

    def finish(self):
        labels, clicks = TASKS[self.task]
        self.assertEqual(self.clicked, labels)
        self.assertEqual(len(self.clicked), clicks)
        self.assertLessEqual(clicks, MOST)
        self.assertEqual(self.page.errors(), [])
        self.seen.add(self.task)

    def press(self, label, row=""):
        self.page.click(label, row)
        self.clicked.append(label)

    def fill(self, label, keys):
        """Types into the field of this label, as after a click on it."""
        self.page.run("const one = [...document.querySelectorAll('#view label')].filter((each) => each.innerText.startsWith(arguments[0])).pop();"
                      "one.querySelector('input, select, textarea').focus()", label)
        self.page.keys(keys)
        self.clicked.append(label)

    def queries(self, *names, device=LAPTOP):
        self.press("Queries")
        until(lambda: self.scene.ask_as(device, *names) is None and names[0] in self.page.text("table"), 20, "the query is shown")

    def ask(self, name, device=LAPTOP):
        return self.scene.network.run("client", "kdig", "@172.16.1.2", "-b", device, "+short", name, "A").stdout.split()

    def apply(self):
        until(lambda: self.page.run("return !document.querySelector('button.main').disabled"), 20, "the change can be applied")
        self.press("Apply")
        self.page.wait("In force, as generation")

    def test_what_was_blocked_and_why(self):
        page = self.page
        self.begin("Why does this game not load?")
        self.queries("ads.game.example")
        self.press("ads.game.example")
        page.wait("block by ad list 'ads'")
        page.wait("ads.txt:2")
        self.finish()
        self.begin("Which list blocked it?")
        self.queries("tracker.stream.example")
        self.assertIn("trackers.txt", page.text("tbody tr"))
        self.finish()
        self.begin("How much was blocked today, and what?")
        for text in (" blocked", "tracker.stream.example", "trackers.txt", "Living room TV"):
            page.wait(text, "#view")
        self.finish()

    def test_names_are_allowed_and_blocked_and_blocking_is_paused(self):
        page = self.page
        self.begin("Let a blocked name pass for this device")
        self.queries("ads.news.example")
        self.press("Allow", "ads.news.example")
        page.wait("Block or allow a name")
        self.press("Allow it")
        page.wait("Allowed from the next query on")
        self.assertNotEqual(self.ask("ads.news.example"), ["0.0.0.0"])
        self.assertEqual(self.ask("ads.news.example", "192.168.88.20"), ["0.0.0.0"])
        self.finish()
        self.begin("Block a name for this device for an hour")
        self.queries("play.video.example")  # no game: after 21:00 these have hours
        self.press("Block", "play.video.example")
        page.wait("Block or allow a name")
        page.run("const one = document.querySelector('select[name=seconds]'); one.focus()")
        page.keys("1 h")
        self.clicked.append("How long")
        self.press("Block it")
        page.wait("for 59 min")
        self.assertEqual(self.ask("play.video.example"), ["0.0.0.0"])
        self.assertNotEqual(self.ask("play.video.example", "192.168.88.20"), ["0.0.0.0"])
        self.finish()
        for rules in (1, 0):
            self.begin("Take a rule back")
            self.press("Blocking")
            self.press("Remove")
            until(lambda: len(self.scene.reported("blocking")["rules"]) == rules, 20, "a rule is gone")
            self.finish()
        self.assertNotEqual(self.ask("play.video.example"), ["0.0.0.0"])
        self.begin("Pause blocking for one device")
        self.press("Blocking")
        page.wait("Pause blocking")
        self.fill("For", LAPTOP)
        self.press("Pause")
        page.wait("for 9 min", "#view")
        self.assertNotEqual(self.ask("ads.shop.example"), ["0.0.0.0"])
        self.assertEqual(self.ask("ads.shop.example", "192.168.88.20"), ["0.0.0.0"])
        self.finish()
        page.click("Remove")
        until(lambda: not self.scene.reported("blocking")["rules"], 20, "the pause ends")
        self.begin("Pause blocking for 10 minutes")
        self.press("Blocking")
        self.press("Pause")
        page.wait("for 9 min", "#view")
        self.assertNotEqual(self.ask("ads.shop.example", "192.168.88.20"), ["0.0.0.0"])
        self.finish()
        page.click("Remove")
        until(lambda: not self.scene.reported("blocking")["rules"], 20, "the pause ends")

    def test_history_devices_and_routers(self):
        page = self.page
        self.begin("Which names are asked most?")
        self.press("History")
        page.wait("Most frequent names")
        page.wait("play.game.example", "#view")
        self.finish()
        self.begin("What did the television ask?")
        self.press("History")
        self.press("Living room TV")
        page.wait("client: Living room TV (192.168.88.22)")
        page.wait("img.video.example", "table")
        self.finish()
        self.begin("Give a device a name")
        self.press("Clients")
        self.press("Rename", "Work phone")
        page.run("document.activeElement.select()")
        page.keys("Office phone")
        self.press("Give this name")
        page.wait("is the name of 192.168.88.23")
        self.assertIn("Office phone", self.scene.steerctl("clients"))
        self.finish()
        self.begin("Did the router get the address?")
        self.queries("www.stream.example", device="192.168.88.22")
        self.press("www.stream.example")
        page.wait("/ip/firewall/address-list/add =list=vpn")
        page.wait("done ret=")
        self.finish()

    def test_a_group_has_hours(self):
        page = self.page
        self.scene.steerctl("clients", "group", "add", "kids", LAPTOP)
        self.begin("No games for the children after 21:00")
        self.press("Clients")
        self.press("Limits", "kids")
        page.wait("1 device in this group")
        self.fill("Names that are blocked", "game.example")
        self.apply()
        self.finish()
        parts = {one["part"]: one["value"] for one in self.scene.reported("managed", "show")["parts"]}
        self.assertEqual(parts["plugins.group_hours_kids"]["args"]["periods"], [{"start": "21:00", "end": "07:00"}])
        self.assertIn({"matches": ["$group_hours_kids", "qname $group_names_kids"], "exec": "black_hole null short_circuit"}, parts["plugins.group_rules_kids"]["args"])
        self.assertEqual([one["exec"] for one in parts["plugins.main"]["args"]][:2], ["$log", "jump group_rules_kids"], "what is blocked is recorded, too")
        # Safe search stands behind the lists, which see the name that was asked.
        self.page.run("location.hash = 'settings/groups/kids'")
        self.page.wait("1 device in this group")
        self.page.run("document.querySelector('[name=safe_search]').click()")
        until(lambda: self.page.run("return !document.querySelector('button.main').disabled"), 20, "the change can be applied")
        self.page.click("Apply")
        self.page.wait("In force, as generation")
        parts = {one["part"]: one["value"] for one in self.scene.reported("managed", "show")["parts"]}
        order = [one["exec"] for one in parts["plugins.main"]["args"]]
        self.assertEqual(order[:5], ["$log", "jump group_rules_kids", "$local", "$ads", "$safe_search"])
        for _ in range(2):
            self.scene.steerctl("managed", "undo")

    def test_settings_are_changed_and_undone(self):
        page = self.page
        self.begin("Give the NAS a name")
        self.press("Settings")
        self.press("Local names")
        page.wait("Change something")
        self.fill("A name and its address", "\ue007backup.lan 192.168.88.7")
        self.apply()
        self.assertEqual(self.ask("backup.lan"), ["192.168.88.7"])
        self.finish()
        self.begin("Undo the last change")
        self.press("Settings")
        self.press("Undo")
        page.wait("The text before the last change is in force.")
        self.assertNotEqual(self.ask("backup.lan"), ["192.168.88.7"])
        self.finish()
        self.begin("Use another upstream")
        self.press("Settings")
        self.press("Upstreams")
        page.wait("Change something")
        self.fill("Servers", "\ue007udp://192.0.2.77")
        self.apply()
        self.assertIn("192.0.2.77", str(self.scene.reported("status")["upstreams"]))
        self.finish()

    @classmethod
    def tearDownClass(cls):
        if len(sys.argv) == 1 and cls.seen != set(TASKS):
            raise AssertionError(f"tasks of the guide that no test did: {set(TASKS) - cls.seen}")


if __name__ == "__main__":
    skip_without(NEEDED, OPTION)
    unittest.main(verbosity=2)
