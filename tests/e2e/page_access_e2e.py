"""The page for people with weak eyes, a screen reader or a keyboard alone: axe-core in each view, in both themes and at a phone's
width; and Tab and Enter reach and do everything.

    page_access_e2e.py BUILD
"""

import sys
import unittest

from household import READ_TOKEN, TOKEN, Household
from lab.browser import NEEDED, OPTION
from lab.network import skip_without, until
from page_browser import ENTER, TAB, URL, PageBrowser

BUILD = sys.argv.pop(1)
PHONE = 390  # px
# A view, and a text that it shows when it is there.
VIEWS = (("overview", "Living room TV"), ("queries", "was here"), ("history", "Latency by upstream"), ("history/name/ads.news.example", "one point per"),
         ("history/find/contains%3Dads", "the newest first"), ("names", "as it was recorded"), ("names/www.stream.example", "domain:stream.example"),
         ("blocking", "play.game.example and all below"), ("blocking/play.game.example/192.168.88.21", "play.game.example and all below"), ("explain", "Trace the next one"),
         ("explain/www.stream.example/A", "Acknowledged"), ("routers", "edge1"), ("routers/edge1", "Differences"), ("lists", "trackers.txt"), ("settings", "DNS64"),
         ("settings/upstreams", "Change something"), ("settings/lists", "trackers.txt"), ("settings/records", "Change something"),
         ("settings/groups/children", "Change something"), ("settings/dns64", "Change something"), ("settings/steering", "Change something"), ("configuration", "plugins:"), ("fleet", "No fleet"),
         ("clients", "Leo's laptop"), ("support", "The audit has each use"), ("support/192.168.88.21", "ads.game.example"))
SHAPES = (("light", {}), ("dark", {"dark": True}), ("light-phone", {"width": PHONE, "height": 844}), ("dark-phone", {"dark": True, "width": PHONE, "height": 844}))
# What Tab should stop at: all that is visible and can be used.
REACHABLE = PageBrowser.CALLED + """
    return [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
        .filter((one) => !one.disabled && one.checkVisibility() && !one.closest(".CodeMirror")).map(called)"""


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(Household("page-access", BUILD))
        scene.steerctl("block", "play.game.example", "--client", "192.168.88.21", "--for", "1h", "--note", "homework")
        cls.chromium = cls.enterClassContext(PageBrowser(scene.network, "appliance"))

    def browser(self, path="", token=TOKEN, **emulate):
        browser = self.chromium
        browser.emulate(**emulate)
        browser.sign_in(token, path)
        browser.errors()
        return browser

    def show(self, browser, view, text):
        if view.startswith("support/"):
            self.scene.ask_as("192.168.88.21", "ads.game.example")  # within the last 15 minutes
        browser.run("location.hash = arguments[0]", view)
        if view == "queries":
            until(lambda: self.scene.ask_as("192.168.88.21", "was-here.shop.example", "ads.game.example") is None and "was-here" in browser.text("table"), 20, "queries are shown")
        else:
            browser.wait(text, "#view")

    def test_no_view_has_a_barrier_in_any_theme_or_width(self):
        for shape, emulate in SHAPES:
            browser = self.browser(**emulate)
            for view, text in VIEWS:
                with self.subTest(view=view, shape=shape):
                    self.show(browser, view, text)
                    browser.keep_picture(f"access-{shape}-{view.replace('/', '-')}")
                    self.assertEqual(browser.barriers(), [])
                    self.assertLessEqual(browser.run("return document.documentElement.scrollWidth - window.innerWidth"), 0)

    def test_neither_has_a_page_of_a_person_who_may_only_read_or_is_signed_out(self):
        for shape, emulate in SHAPES:
            with self.subTest(shape=shape):
                browser = self.browser("blocking", READ_TOKEN, **emulate)
                browser.wait("Pause blocking")
                self.assertEqual(browser.barriers(), [])
                browser.click("Sign out")
                browser.wait("Token")
                self.assertEqual(browser.barriers(), [])

    def test_events_are_in_a_persons_words_and_a_forbidden_request_is_logged_once(self):
        browser = self.browser("overview")
        browser.wait("blocked play.game.example for 192.168.88.21", "#view")
        self.assertNotIn("control request", browser.text("#view"))
        for text in ('control request blocking.set {"name":{"toString":1}} of token wall: refused: no',
                     'control request blocking.set {"name":"x","note":"of anna: done… of token wall: refused: no', "control request x of y"):
            self.assertIn("control request" if "…" in text or text.endswith("of y") else "token wall was refused: no",
                          browser.run("return import('/event_text.js').then(({ eventText }) => eventText(arguments[0]).text)".replace("arguments[0]", repr(text)), text))
        browser = self.browser("overview", READ_TOKEN)
        browser.wait("Last events", "#view")
        self.assertNotIn("play.game.example for", browser.text("#view"), "changes name clients: they are for the role operate")
        asked = "return import('/rpc.js').then(({ call }) => call('clients.groups').catch((error) => error.message))"
        for _ in range(3):
            self.assertIn('needs the role "operate"', browser.run(asked))
        self.assertEqual(sum("control request clients.groups" in one["text"] for one in self.scene.reported("events")["events"]), 1)
        browser.errors()

    def test_tab_stops_at_all_that_can_be_used_and_the_focus_is_seen(self):
        for shape in ("light", "dark-phone"):
            browser = self.browser(**dict(SHAPES)[shape])
            for view, text in VIEWS:
                with self.subTest(view=view, shape=shape):
                    self.show(browser, view, text)
                    wanted = browser.run(REACHABLE)
                    passed, unseen = browser.stops()
                    self.assertEqual(sorted(set(wanted) - set(passed)), [])
                    self.assertGreater(len(wanted), 14)  # links, and the view's own
                    self.assertEqual(unseen, [])

    def test_the_keyboard_alone_does_what_a_mouse_does(self):
        scene, browser = self.scene, self.chromium
        browser.emulate()
        browser.open(URL)
        browser.run("sessionStorage.clear()")
        browser.open(f"{URL}#lists")
        browser.wait("Token")
        browser.keys(TOKEN + ENTER)  # the field has the focus
        browser.wait("trackers.txt")

        with self.subTest("the skip link leads into the view, which stays"):
            browser.run("document.activeElement.blur()")
            browser.reach("Skip to the content", ENTER)
            self.assertEqual(browser.run("return [location.hash, document.activeElement.id]"), ["#lists", "view"])
            browser.keys(TAB)
            self.assertTrue(browser.run("return document.getElementById('view').contains(document.activeElement)"))
        with self.subTest("lists"):
            browser.run("document.activeElement.blur()")
            browser.reach("Pause 5 min", ENTER)
            browser.wait("paused for")
            browser.reach("Resume", ENTER)
            until(lambda: "paused for" not in browser.text("#view"), 20, "the lists block again")
        with self.subTest("blocking"):
            browser.reach("Blocking", ENTER)
            browser.wait("Block or allow a name")
            browser.reach("name", "chat.game.example")
            browser.reach("exact", " ")
            browser.reach("Block it", ENTER)
            browser.wait("Blocked from the next query on: chat.game.example")
            self.assertEqual(scene.short("chat.game.example", "A"), ["0.0.0.0"])
            browser.reach("pause", "1")  # chooses "1 hour"
            browser.reach("Pause", ENTER)
            browser.wait("for 59 min")
            self.assertNotEqual(scene.short("ads.shop.example", "A"), ["0.0.0.0"])
            for rules in (2, 1):
                browser.reach("Remove", ENTER)
                until(lambda: len(scene.reported("blocking")["rules"]) == rules, 20, "a rule is removed")
        with self.subTest("history"):
            browser.reach("History", ENTER)
            browser.wait("Latency by upstream")
            browser.reach("More", ENTER)
            browser.reach("type", f"AAAA{ENTER}")
            browser.wait("No query matches")
            browser.reach("All queries", ENTER)
            browser.wait("Latency by upstream")
            browser.reach("ads.news.example", ENTER)
            browser.wait("one point per")
        with self.subTest("clients"):
            browser.reach("Clients", ENTER)
            browser.wait("Leo's laptop")
            browser.reach("find", "192.168.88.21")
            until(lambda: "Work phone" not in browser.text("#view"), 10, "one client is left")
            browser.reach("Rename", ENTER)
            self.assertEqual(browser.focus(), "name")
            browser.keys(f"Lea's laptop{ENTER}")
            browser.wait("is the name of 192.168.88.21")
        with self.subTest("settings"):
            browser.reach("Settings", ENTER)
            browser.wait("What do you want to change?")
            browser.reach("Upstreams", ENTER)
            browser.wait("Change something")
            browser.reach("upstreams", f"{ENTER}udp://192.0.2.77")
            until(lambda: browser.run("return !document.querySelector('button.main').disabled"), 20, "the change can be applied")
            browser.reach("Apply", ENTER)
            browser.wait("In force, as generation")
            browser.reach("Undo", ENTER)
            browser.wait("The text before the last change is in force.")
        with self.subTest("routers"):
            browser.reach("Routers", ENTER)
            browser.wait("Stop all writes")
            browser.reach("edge1", ENTER)
            browser.wait("Differences")
            for button in ("Pause writes", "Resume"):
                browser.reach(button, ENTER)
                browser.wait(f"{button}: done")
        with self.subTest("explain"):
            browser.reach("Explain", ENTER)
            browser.wait("Trace the next one")
            browser.reach("name", f"www.stream.example{ENTER}")
            browser.wait("Acknowledged")
        with self.subTest("configuration"):
            browser.reach("Configuration", ENTER)
            browser.wait("plugins:")
            browser.reach("The configuration's text")
            browser.keys(TAB)
            self.assertNotEqual(browser.focus(), "The configuration's text")
            browser.reach("Check", ENTER)
            browser.wait("This text is good.")
        with self.subTest("support"):
            browser.reach("Support", ENTER)
            browser.wait("The audit has each use")
            scene.ask_as("192.168.88.21", "ads.game.example")
            browser.reach("client", f"192.168.88.21{ENTER}")
            browser.wait("ads.game.example", "#view")
        with self.subTest("sign out"):
            browser.reach("Sign out", ENTER)
            browser.wait("Token")
        self.assertEqual(browser.barriers(), [])


if __name__ == "__main__":
    skip_without((*NEEDED, "npm"), OPTION)
    unittest.main(verbosity=2)
