"""Signing in to the page in Chromium, over HTTPS with the box's own certificate: a link, the first password, sign out and in again.

With STEER_PICTURES set to a folder, screenshots are left there.
"""

import json
import os
import pathlib
import sys
import unittest

from lab.browser import NEEDED, OPTION, Browser
from lab.network import skip_without
from lab.scene import Scene

BUILD = sys.argv.pop(1)

URL = "https://172.16.1.2:9154/"
PASSWORD, TOKEN = "correct horse battery", "0123456789abcdef0123456789abcdef"
PHONE = 390  # px
PICTURES = os.environ.get("STEER_PICTURES")
CONFIG = """
dataplane: {{ ports: [ {{ device: eth0, driver: socket }} ] }}
control:
  watch: off
  http:
    listen: ":9154"
    folder: {folder}/state/page
    tokens: [ {{ name: wall, role: read, token_file: {folder}/token }} ]
plugins:
  - {{ tag: main, type: sequence, args: [ {{ exec: forward 1.1.1.1 }} ] }}
"""


class SignInPage(unittest.TestCase):
    def setUp(self):
        scene = self.scene = self.enterContext(Scene("sign_in_page", BUILD))
        scene.folder.chmod(0o755)
        (scene.folder / "state").mkdir()
        (scene.folder / "state").chmod(0o777)
        (scene.folder / "token").write_text(TOKEN + "\n")
        (scene.folder / "token").chmod(0o600)
        scene.start_resolver()
        config = scene.folder / "steer.yaml"
        config.write_text(CONFIG.format(folder=scene.folder))
        scene.start_daemon(config)
        self.browser = self.enterContext(Browser(scene.network, "client"))

    def link(self):
        return URL + self.scene.reported("page")["link"]

    def keep_picture(self, name):
        if PICTURES:
            self.browser.picture(pathlib.Path(PICTURES) / f"sign-in-{name}.png")

    def is_signed_out(self):
        self.assertEqual(json.loads(self.scene.steerctl("--json", "page", "sessions"))["sessions"], [])

    def test_a_link_a_first_password_and_the_way_back(self):
        browser = self.browser
        browser.open(URL)
        browser.wait("No password is set yet. Run steerctl page on the box")
        self.keep_picture("first-visit")
        link = self.link()
        browser.open(link)
        browser.wait("Choose a password")
        self.assertEqual(browser.run("return location.href"), URL, "the secret leaves the address line")
        self.keep_picture("choose")
        browser.type("input[name=new-password]", "short")
        browser.type("input[name=again]", "short")
        browser.click("Set the password")
        browser.wait("a password needs at least 8 characters")
        browser.run("document.querySelector('input[name=again]').value = ''")
        browser.type("input[name=new-password]", PASSWORD)
        browser.type("input[name=again]", PASSWORD + "!")
        browser.click("Set the password")
        browser.wait("The two passwords differ.")
        browser.run("for (const one of document.querySelectorAll('.sign-in input')) one.value = ''")
        browser.type("input[name=new-password]", PASSWORD)
        browser.type("input[name=again]", PASSWORD)
        browser.click("Set the password")
        browser.wait("Ready")
        self.assertEqual(browser.run("return [document.cookie, sessionStorage.length, localStorage.length]"), ["", 0, 0])
        # Another tab, or a reload of this one, is signed in.
        browser.open(URL)
        browser.wait("Ready")
        browser.click("Sign out")
        browser.wait("Forgotten?")
        self.keep_picture("password")
        self.is_signed_out()
        self.assertNotIn("Queries/s", browser.text())
        self.assertNotIn("Overview", browser.text())
        browser.type("input[name=password]", "a wrong one")
        browser.click("Sign in")
        browser.wait("this password is wrong")
        browser.type("input[name=password]", PASSWORD)
        browser.click("Sign in")
        browser.wait("Ready")
        browser.open(link)
        browser.wait("this link was used already")
        browser.open(self.link())
        browser.wait("Ready")
        self.assertNotIn("Choose a password", browser.text())

    def test_a_session_that_is_ended_elsewhere_asks_again_and_a_token_still_works(self):
        browser = self.browser
        file = self.scene.folder / "new"
        file.write_text(PASSWORD + "\n")
        self.scene.steerctl("page", "password", "--file", str(file))
        browser.emulate(dark=True, width=PHONE, height=844)
        browser.open(self.link())
        browser.wait("Ready")
        self.scene.steerctl("page", "logout")
        browser.wait("Forgotten?")
        self.keep_picture("phone")
        self.assertLessEqual(browser.run("return document.documentElement.scrollWidth - window.innerWidth"), 0)
        self.assertLessEqual(browser.run("const one = document.querySelector('.sign-in'); return one.scrollWidth - one.clientWidth"), 0)
        browser.run("document.querySelector('details').open = true")
        browser.type("input[name=token]", TOKEN)
        browser.click("Sign in with the token")
        browser.wait("Ready")
        browser.click("Sign out")
        browser.wait("Forgotten?")

    def test_the_keyboard_alone_signs_in(self):
        browser = self.browser
        file = self.scene.folder / "new"
        file.write_text(PASSWORD + "\n")
        self.scene.steerctl("page", "password", "--file", str(file))
        browser.open(URL)
        browser.wait("Forgotten?")
        browser.keys(PASSWORD + "\ue007")  # the field has the focus
        browser.wait("Ready")


if __name__ == "__main__":
    skip_without(NEEDED, OPTION)
    unittest.main(verbosity=2)
