"""The page of control.http in Chromium."""

from __future__ import annotations

import fcntl
import functools
import os
import pathlib

from lab.browser import Browser
from lab.network import run

PORT = 9154
URL = f"http://127.0.0.1:{PORT}/"
PICTURES = os.environ.get("STEER_PICTURES")  # a folder for screenshots
AXE = pathlib.Path(__file__).with_name("axe")
TAB, ENTER = "\ue004", "\ue007"  # keys of WebDriver
STOPS = 250  # more than a view has without long tables
ROUNDS = 8   # of STOPS: enough to pass the longest view twice
FIRST = "Skip to the content"


@functools.cache
def axe() -> str:
    """The program axe-core. npm installs it once."""
    with (AXE / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run beside each other
        file = AXE / "node_modules/axe-core/axe.min.js"
        if not file.exists():
            run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=AXE, timeout=120)
        return file.read_text()


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

    def lines_of_rows(self) -> list[float]:
        """The heights of rows that are two lines on a phone, in lines: a button is one and a half."""
        return self.run("return [...document.querySelectorAll('.two-lines tbody tr, .facts tbody tr')].map((one) => one.offsetHeight / parseFloat(getComputedStyle(one).lineHeight))")

    def barriers(self) -> list[str]:
        """What axe-core calls serious or critical in the page as it is now: rule, element and reason."""
        if not self.run("return Boolean(window.axe)"):
            self.run(axe())
        return self.run("""
            return axe.run(document, { resultTypes: ["violations"], preload: false }).then(({ violations }) =>
                violations.filter((one) => ["serious", "critical"].includes(one.impact)).flatMap((one) =>
                    one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 200)}: ${node.failureSummary}`)))""")

    # ---- the keyboard alone

    # What an element is called here: a field by its name, else as a screen reader says it.
    CALLED = """
        const called = (one) => {
            const text = (element) => (element?.innerText ?? "").trim();
            return one.matches("input, select, textarea") && (one.name || text(one.closest("label"))) || (one.getAttribute("aria-label") ?? text(one));
        };"""

    def focus(self) -> str:
        """What has the focus."""
        return self.run(f"{self.CALLED} return called(document.activeElement)")

    def stops(self) -> tuple[list[str], list[str]]:
        """Presses Tab through the whole page, twice or more: where it stops, and the stops whose focus is never seen. (Once may be
        before the style has the focus: at the first stop after the window's end.)"""
        self.run(f"""{self.CALLED}
            window.stops?.abort();
            window.stops = Object.assign(new AbortController(), {{ passed: [], seen: new Set() }});
            document.activeElement.blur();
            getSelection().removeAllRanges();
            document.addEventListener("focusin", ({{ target }}) => {{
                stops.passed.push(called(target));
                const style = getComputedStyle(target), box = target.getBoundingClientRect();
                const isSeen = box.width > 0 && box.right > 0 && (style.outlineStyle !== "none" || target.closest(".CodeMirror-focused"));
                if (isSeen) stops.seen.add(called(target));
            }}, {{ signal: stops.signal }});""")
        for _ in range(ROUNDS):
            self.keys(TAB * STOPS)
            if self.run("return stops.passed.filter((one) => one === arguments[0]).length > 2", FIRST):
                break
        else:
            raise AssertionError(f"{ROUNDS * STOPS} times Tab do not lead through the whole page twice")
        return tuple(self.run("stops.abort(); return [stops.passed, [...new Set(stops.passed)].filter((one) => !stops.seen.has(one))]"))

    def reach(self, what: str, more: str = "") -> None:
        """Presses Tab until the link, button or field of this name has the focus; then the keys of `more`."""
        passed = []
        for _ in range(STOPS):
            self.keys(TAB)
            passed.append(self.focus())
            if passed[-1] == what:
                if more:
                    self.keys(more)
                return
        raise AssertionError(f"Tab does not reach {what!r}; it passes {list(dict.fromkeys(passed))}")
