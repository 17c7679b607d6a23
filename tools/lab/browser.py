"""Chromium in a namespace, driven by WebDriver (W3C), without a library: chromedriver takes JSON over HTTP."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import pathlib
import socket

from lab.network import LabError, Network, until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# In a namespace without a display, a sandbox's rights or an exit.
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking")
NEEDED, OPTION = ("chromium", "chromedriver"), "--browser"  # of tools/deps
CALL_S = 60  # the most that one call of WebDriver takes


class Browser:
    """One window; a context manager. Its network ends all its processes."""

    def __init__(self, network: Network, space: str, port: int = 9515):
        self.network, self.space, self.port = network, space, port
        home = network.folder / f"browser-{port}"
        home.mkdir()
        self.driver = network.start(space, f"chromedriver-{port}", "env", f"HOME={home}", "chromedriver", f"--port={port}")
        self.driver.wait_for("started successfully")
        self.session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": [*FLAGS, "--hide-scrollbars", f"--user-data-dir={home}/data"]},
            "goog:loggingPrefs": {"browser": "ALL"}, "acceptInsecureCerts": True, "unhandledPromptBehavior": "accept",
            "timeouts": {"script": 30000, "pageLoad": 30000, "implicit": 0}}}})["sessionId"]
        self.emulate()

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_) -> None:
        with contextlib.suppress(LabError, OSError, http.client.HTTPException):
            self._do("DELETE", "")
        self.driver.stop()

    def _call(self, verb: str, path: str, body: dict | None = None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.sock = self.network.socket(self.space, socket.AF_INET, socket.SOCK_STREAM)
        with contextlib.closing(connection):
            connection.sock.settimeout(CALL_S)
            connection.sock.connect(("127.0.0.1", self.port))
            connection.request(verb, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        if isinstance(value, dict) and "error" in value:
            raise LabError(f"{path}: {value['error']}: {value['message']}")
        return value

    def _do(self, verb: str, path: str, body: dict | None = None):
        return self._call(verb, f"/session/{self.session}{path}", body)

    def _devtools(self, command: str, parameters: dict):
        return self._do("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def emulate(self, dark: bool = False, width: int = 1280, height: int = 900, paper: bool = False) -> None:
        """The theme and the size of the window. A phone is narrower than Chromium allows a window, so the size is emulated."""
        self._devtools("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self._devtools("Emulation.setEmulatedMedia", {"media": "print" if paper else "", "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def open(self, url: str) -> None:
        """A new document, also if only what follows '#' differs from the one before."""
        self._do("POST", "/url", {"url": "about:blank"})
        self._do("POST", "/url", {"url": url})

    def run(self, script: str, *arguments):
        """The result of a function's body."""
        return self._do("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, selector: str = "body") -> str:
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def wait(self, text: str, selector: str = "body") -> str:
        """Waits for the text; returns all that the selector's element shows then."""
        try:
            return until(lambda: text in (shown := self.text(selector)) and shown, 20, f"the page shows {text!r}", 0.1)
        except LabError as error:
            raise LabError(f"{error}; {selector} has {self.text(selector)[:3000]!r}") from error

    def find(self, selector: str) -> str:
        return self._do("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, label: str, row: str = "") -> None:
        """The first link or button with this text, of the table's row with the text `row`. Neither has a double quotation mark
        (XPath has no escape). Waits while it is disabled: the page disables the buttons of a form while it waits for the daemon."""
        inside = f'//tr[contains(., "{row}")]' if row else ""
        where = {"using": "xpath", "value": f'{inside}//*[self::a or self::button[not(@disabled)]][normalize-space()="{label}"]'}

        def is_clicked() -> bool:
            try:
                self._do("POST", f"/element/{self._do('POST', '/element', where)[ELEMENT]}/click", {})
            except LabError as error:
                # Drawn again since it was found, or not there or disabled yet.
                if "stale element reference" in str(error) or "no such element" in str(error):
                    return False
                raise
            return True
        until(is_clicked, 20, f"{label!r} is clicked", 0)

    def type(self, selector: str, text: str) -> None:
        self._do("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def keys(self, text: str) -> None:
        """To the element that has the focus."""
        actions = [{"type": kind, "value": letter} for letter in text for kind in ("keyDown", "keyUp")]
        self._do("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def errors(self) -> list[str]:
        """What the console said of errors since the last call."""
        return [entry["message"] for entry in self._do("POST", "/se/log", {"type": "browser"}) if entry["level"] == "SEVERE"]

    def picture(self, file: pathlib.Path, whole: bool = True) -> None:
        """The whole page, or what the window shows."""
        metrics = self._devtools("Page.getLayoutMetrics", {})
        view = metrics["cssLayoutViewport"]
        size = metrics["cssContentSize"] if whole else {"x": 0, "y": 0, "width": view["clientWidth"], "height": view["clientHeight"]}
        shot = self._devtools("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": {**size, "scale": 1}})
        file.write_bytes(base64.b64decode(shot["data"]))
