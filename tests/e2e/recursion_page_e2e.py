"""The page's view of `type: recursion` in Chromium: unbound walks the lab's signed tree (lab/dns_tree.py)."""

import os
import pathlib
import re
import signal
import sys
import unittest

import lab.dns_tree
from lab.browser import NEEDED, OPTION
from lab.dns_tree import ADDRESS
from lab.network import skip_without, until
from lab.recursion import PROGRAMS, RecursionScene
from page_browser import PageBrowser

BUILD = sys.argv.pop(1)
TOKEN, READ_TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f", "00112233445566778899aabbccddeeff"
PHONE = 390  # px
ODD_SERVER = pathlib.Path(lab.dns_tree.__file__).with_name("odd_server.py")
CONFIG = """
control:
  recursion: {folder}/engine
  http:
    metrics: off
    tokens:
      - {{ name: noc, role: operate, token_file: {folder}/token }}
      - {{ name: wall, role: read, token_file: {folder}/wall }}
plugins:
  - tag: resolve
    type: {type}
    args: {{ {args} }}
  - {{ tag: answers, type: cache, args: {{ short_circuit: true }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $answers }}, {{ exec: $resolve }} ] }}
"""


class RecursionPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(RecursionScene("recursion-page", BUILD))
        for name, text in (("token", TOKEN), ("wall", READ_TOKEN)):
            (scene.folder / name).write_text(text + "\n")
            (scene.folder / name).chmod(0o600)
        cls.tree, cls.config = scene.tree, scene.config
        cls.write()
        scene.start_daemon(cls.config)
        scene.wait_up()
        cls.chromium = cls.enterClassContext(PageBrowser(scene.network, "appliance"))

    @classmethod
    def write(cls, kind="recursion", args="", port=5301):
        anchor = cls.tree.anchor.replace("\t", " ")
        args = args or (f'instances: 2, port: {port}, root_hints: {cls.tree.hints}, trust_anchors: [ "{anchor}" ], total_timeout: 8s, '
                        "negative_trust_anchors: [ wrong.example ]")
        cls.config.write_text(CONFIG.format(folder=cls.scene.folder, type=kind, args=args))

    @classmethod
    def reported(cls):
        return cls.scene.reported("recursion")

    def browser(self, token=TOKEN, path="recursion", **emulate):
        browser = self.chromium
        browser.emulate(**emulate)
        browser.sign_in(token, path)
        browser.errors()  # what was refused before it
        return browser

    def finish(self, browser, name):
        browser.keep_picture(name)
        self.assertEqual(browser.errors(), [])
        self.assertEqual(browser.barriers(), [])
        self.assertLessEqual(browser.run("return document.documentElement.scrollWidth - window.innerWidth"), 0)

    def rows(self, heading):
        """The rows of the table below this heading, each by the titles of its columns."""
        return self.chromium.run(
            "const panel = [...document.querySelectorAll('.panel')].find((one) => one.querySelector('h2').innerText === arguments[0]);"
            "const cells = (row) => Object.fromEntries([...row.children].map((cell) => [cell.dataset.title, cell.innerText]));"
            "return [...panel.querySelectorAll('tbody tr')].map(cells)", heading)

    def type(self, label, text):
        """Into the field of the form with this button; what was there goes."""
        place = self.chromium.run("const form = [...document.querySelectorAll('button')].find((one) => one.innerText === arguments[0]).form;"
                                  "const field = form.querySelector('input'); field.value = '';"
                                  "field.id = 'typed-' + [...document.forms].indexOf(form); return '#' + field.id", label)
        if text:
            self.chromium.type(place, text)

    def status(self, name):
        return re.search(r"status: (\w+);", self.scene.kdig("+timeout=12", name, "A"))[1]

    def shown(self):
        """The links that are visible."""
        return self.chromium.run("return [...document.querySelectorAll('nav a')].filter((one) => one.checkVisibility()).map((one) => one.innerText)")

    def test_instances_and_failures_are_those_of_the_method(self):
        browser = self.browser()
        self.assertEqual(self.status("www.good.example"), "NOERROR")
        for _ in range(2):
            self.assertEqual(self.status("www.expired.example"), "SERVFAIL")
            self.scene.steerctl("recursion", "flush", "www.expired.example")
        browser.wait("www.expired.example", "#view")

        def are_the_same():
            # The numbers of the page are older than these by up to two seconds.
            have = [[row[name] for name in ("Instance", "State", "Queries", "Recursions", "Secure", "Bogus", "SERVFAIL", "Restarts", "Trouble")]
                    for row in self.rows("Instances")]
            counts = ("queries", "recursions", "secure", "bogus", "servfail", "restarts")
            want = [[one["name"], "up", *(f"{one[name]:,}" for name in counts), one["trouble"]] for one in self.reported()["instances"]]
            return have == want
        until(are_the_same, 20, "the page shows what the method reports")
        self.assertGreater(sum(int(row["Bogus"]) for row in self.rows("Instances")), 0)
        for row, one in zip(self.rows("Instances"), self.reported()["instances"]):
            self.assertRegex(row["Cache"], r"^[\d.]+ [KM]iB$")
            self.assertRegex(row["Up for"], r" (s|min)")
            self.assertRegex(row["Mean"], r" ms$" if one["recursion_mean_ms"] else "^–$")
        known = {one["text"]: str(one["count"]) for one in self.reported()["failures"]}
        self.assertEqual({row["Name and reason"]: row["Times"] for row in self.rows("Last failures")}, known)
        for name, emulate in (("recursion", {}), ("recursion-phone", {"width": PHONE, "height": 844}), ("recursion-dark", {"dark": True})):
            browser.emulate(**emulate)
            self.finish(browser, name)
        browser.emulate(width=PHONE, height=844)
        self.assertEqual(browser.run("return [...document.querySelectorAll('.panel')].filter((one) => one.scrollWidth > one.clientWidth).length"), 0)

    def test_a_domain_is_distrusted_for_a_time_and_trusted_again(self):
        browser = self.browser()
        self.assertEqual(self.status("www.missing.example"), "SERVFAIL")
        self.assertEqual(self.rows("Not validated for a time"), [])
        self.type("Do not validate it", "missing.example")
        browser.click("Do not validate it")
        browser.wait("Done by 2 processes", "#view")
        self.assertEqual(self.reported()["negative_trust_anchors"], ["missing.example"])
        self.assertEqual(self.status("www.missing.example"), "NOERROR")
        browser.wait("Validate it again", "#view")
        self.assertEqual([row["Domain"] for row in self.rows("Not validated for a time")], ["missing.example"])
        self.finish(browser, "recursion-distrust")
        browser.click("Validate it again")
        until(lambda: self.rows("Not validated for a time") == [], 20, "it is validated again")
        self.assertEqual(self.reported()["negative_trust_anchors"], [])
        self.assertEqual(self.status("www.missing.example"), "SERVFAIL")

    def test_the_chosen_time_is_that_of_the_anchor(self):
        browser = self.browser()
        browser.run("document.querySelector('select[name=seconds]').value = '604800'")
        self.type("Do not validate it", "good.lab")
        browser.click("Do not validate it")
        browser.wait("Done by 2 processes", "#view")
        until(lambda: re.search(r'control request recursion\.distrust \{"name":"good\.lab","seconds":604800\} .*noc', self.scene.daemon.text()), 5,
              "the log has the request and its user")
        browser.click("Validate it again")
        until(lambda: self.reported()["negative_trust_anchors"] == [], 20, "it is validated again")

    def test_a_name_is_flushed_from_both_caches(self):
        browser = self.browser()
        names = ("www.good.example", "n1.any.good.example")

        def cached():
            return {one["name"].rstrip(".") for one in self.scene.reported("cache", "print")["answers"]} & set(names)

        def fill():
            for name in names:
                self.assertEqual(self.status(name), "NOERROR")
            until(lambda: cached() == set(names), 5, "both names are cached")

        def recursions():
            return sum(one["recursions"] for one in self.reported()["instances"])

        fill()
        self.type("Flush it", "www.good.example")
        browser.click("Flush it")
        browser.wait("Done by 2 processes", "#view")
        self.assertEqual(cached(), {"n1.any.good.example"})
        # What leaves the engine's cache is asked for again.
        before = recursions()
        fill()
        until(lambda: recursions() > before, 10, "the engine asked again")
        self.type("Flush it", "good.example")
        browser.click("Flush it and all below")
        until(lambda: cached() == set(), 20, "both names are flushed")
        self.finish(browser, "recursion-flush")

    def test_wrong_names_are_named(self):
        browser = self.browser()
        for button, name, sentence in (("Flush it", "", "Write a domain name first"), ("Do not validate it", " ", "Write a domain name first"),
                                       ("Do not validate it", "wrong.example", "'wrong.example' is in 'negative_trust_anchors' of the configuration"),
                                       ("Flush it", "a..b", "a..b")):
            with self.subTest(button, name=name):
                self.type(button, name)
                browser.click(button)
                browser.wait(sentence, "#view .notice")
        self.assertEqual(self.reported()["negative_trust_anchors"], [])

    def test_a_token_that_may_only_read_changes_nothing(self):
        browser = self.browser(token=READ_TOKEN)
        browser.wait("resolve-0", "#view")
        self.scene.steerctl("recursion", "distrust", "good.lab", "--for", "3600")
        try:
            browser.wait("good.lab", "#view")
            until(lambda: browser.run("return document.querySelectorAll('#view button:enabled').length") == 0, 20, "all buttons are disabled")
            titles = browser.run("return [...document.querySelectorAll('#view button')].map((one) => one.title)")
            self.assertEqual(titles, ['This needs the role "operate", and you have "read".'] * 4)
            self.finish(browser, "recursion-read")
        finally:
            self.scene.steerctl("recursion", "trust", "good.lab")

    def test_an_instance_that_ended_or_cannot_start_is_marked(self):
        browser = self.browser()
        browser.wait("resolve-1", "#view")
        first, second = self.reported()["instances"]
        os.kill(first["pid"], signal.SIGKILL)
        restarts = [str(first["restarts"] + 1), str(second["restarts"])]
        until(lambda: [row["Restarts"] for row in self.rows("Instances")] == restarts, 20, "the restart is shown")
        squatter = self.scene.network.start("appliance", "squatter", "/usr/bin/python3", str(ODD_SERVER), "127.0.0.1", "ready", ADDRESS, "5402")
        squatter.wait_for("ready")
        try:
            self.write(port=5401)
            self.scene.steerctl("reload")
            until(lambda: [row["State"] for row in self.rows("Instances")] == ["up", "down"], 20, "the page shows that it is down")
            until(lambda: self.rows("Instances")[1]["Trouble"], 20, "the page shows why")
            self.assertEqual(self.rows("Instances")[1]["Up for"], "–")
            self.finish(browser, "recursion-down")
            browser.run("location.hash = 'overview'")
            browser.click("recursion")
            browser.wait("Last failures", "#view")
        finally:
            squatter.stop(number=signal.SIGKILL)
            self.write()
            self.scene.steerctl("reload")
            self.scene.wait_up()
        until(lambda: [row["State"] for row in self.rows("Instances")] == ["up", "up"], 20, "both are up")

    def test_the_view_is_there_only_with_a_recursion(self):
        browser = self.browser(path="overview")
        until(lambda: self.shown()[-2:] == ["Clients", "Recursion"], 20, "there is a link")
        browser.click("Recursion")
        browser.wait("Last failures")
        self.assertEqual(browser.run("return location.hash"), "#recursion")
        try:
            self.write("forward", "upstreams: [ { addr: 1.1.1.9 } ]")
            self.scene.steerctl("reload")
            until(lambda: "Recursion" not in self.shown(), 20, "there is no link")
            browser.wait("None runs", "#view")
            browser.run("location.hash = 'overview'")
            browser.wait("Upstreams", "#view")
        finally:
            self.write()
            self.scene.steerctl("reload")
            self.scene.wait_up()
        until(lambda: self.shown()[-1:] == ["Recursion"], 20, "the link is back")
        self.finish(browser, "recursion-link")


if __name__ == "__main__":
    skip_without((*NEEDED, *PROGRAMS), OPTION)
    unittest.main(verbosity=2)
