"""The page of control.http in Chromium."""

from __future__ import annotations

import os
import pathlib

from lab.browser import Browser

PORT = 9154
URL = f"http://127.0.0.1:{PORT}/"
PICTURES = os.environ.get("STEER_PICTURES")  # a folder for screenshots


class PageBrowser(Browser):
    def sign_in(self, token: str, path: str = "", shows: str = "Ready") -> None:
        """As a new user, with the view of `path`."""
        self.open(URL)
        self.run("sessionStorage.clear()")
        self.open(f"{URL}#{path}")
        self.wait("Token")
        if self.text(".tiles"):
            raise AssertionError("the page shows figures before anybody signed in")
        self.type("input[name=token]", token)
        self.click("Sign in")
        self.wait(shows)

    def pasted(self) -> str:
        """What a person would paste now."""
        self._devtools("Browser.grantPermissions", {"origin": URL.rstrip("/"), "permissions": ["clipboardReadWrite"]})
        return self.run("return navigator.clipboard.readText()")

    def keep_picture(self, name: str) -> None:
        if PICTURES:
            self.picture(pathlib.Path(PICTURES) / f"{name}.png")
