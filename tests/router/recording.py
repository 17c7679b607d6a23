"""Everything that was said to the router and by it, without secrets; and the text that people read during the test."""

from __future__ import annotations

import ipaddress
import re
import sys
import threading
import time

# Properties whose values never leave this machine.
SECRET = re.compile(r"(?i)^(=?\??)(password|response|secret|private-key|preshared-key|passphrase|serial-number|software-id|system-id|"
                    r"license|key|cookie)=(.*)$", re.S)
IN_TEXT = re.compile(r"(?i)\b((?:password|secret|private-key|preshared-key)(?==)|serial-number|software-id|system-id|software id|"
                     r"serial number)(\s*[=:]\s*)(\"[^\"]*\"|[^\s;,]+)")
ADDRESS = re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7})(?![\w.:])")
HIDDEN = "(removed)"


def without_public(text: str) -> str:
    """Public addresses are removed; those for documentation, tests and private networks stay."""
    def one(found: re.Match) -> str:
        try:
            return HIDDEN if ipaddress.ip_address(found[0]).is_global else found[0]
        except ValueError:
            return found[0]
    return ADDRESS.sub(one, text)


class Recording:
    def __init__(self, quiet: bool = False, hide_addresses: bool = False) -> None:
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._secrets: list[str] = []
        self.hide_addresses = hide_addresses
        self._partial = ""
        self.lines: list[tuple[float, str, str, str]] = []
        self.quiet = quiet

    def hide(self, secret: str) -> None:
        """This text is never written, wherever it stands."""
        if len(secret) > 3 and secret not in self._secrets:
            self._secrets.append(secret)
            self._secrets.sort(key=len, reverse=True)

    def clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        if self.hide_addresses:
            text = without_public(text)
        return IN_TEXT.sub(lambda m: m[1] + m[2] + HIDDEN, text)

    def sentence(self, channel: str, direction: str, words: list[str]) -> None:
        shown = []
        for word in words:
            found = SECRET.match(word)
            shown.append(found[1] + found[2] + "=" + HIDDEN if found and found[3] else self.clean(word))
        text = " ".join(repr(word)[1:-1] if re.search(r"[^\x20-\x7e]", word) else word for word in shown)
        self._add(channel, direction, text)

    def console(self, direction: str, text: str) -> None:
        """Text in any pieces; written line by line."""
        if direction == ">":
            self.console("<", "\n")
            self._add("console", ">", self.clean(text.rstrip("\r\n")))
            return
        with self._lock:
            whole, self._partial = (self._partial + text.replace("\r", "\n")).rpartition("\n")[::2]
        for line in whole.split("\n"):
            if line.strip():
                self._add("console", "<", self.clean(line.rstrip()))

    def note(self, text: str) -> None:
        """A step; people see it, too."""
        self._add("test", "#", self.clean(text))
        if not self.quiet:
            print(self.clean(text), flush=True)

    def warn(self, text: str) -> None:
        self._add("test", "#", self.clean(text))
        print("tools/test router: " + self.clean(text), file=sys.stderr, flush=True)

    def _add(self, channel: str, direction: str, text: str) -> None:
        with self._lock:
            self.lines.append((time.monotonic() - self._started, channel, direction, text))

    def transcript(self) -> str:
        return "".join(f"{seconds:9.3f} {channel:9} {direction} {text}\n" for seconds, channel, direction, text in self.lines)
