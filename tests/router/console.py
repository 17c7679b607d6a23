"""RouterOS's serial console: the first login with its questions, and pasted commands.

The dialogue, as others recorded it on CHR 7.11 to 7.24: `Login:`, `Password:`, the question of the licence, a new password twice,
the prompt. Probes of the terminal (ESC Z, ESC [6n) are answered, but not while a new password is asked for: an answer would be typed.
"""

from __future__ import annotations

import re
import time

# A user's name with console parameters: no colours, no detection of the terminal, wide and long.
PARAMETERS = "+ct511w4098h"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[Z<=>]|\x1b\(.|\x07|\x00")
PROMPT = r"(?:^|[\r\n])\[[^\]\r\n]*@[^\]\r\n]*\] (?:/[^>\r\n]*)?> *\Z"


class ConsoleError(RuntimeError):
    """The console did not go on; the text is for a person."""


class Console:
    """`machine`: what it has said is read without waiting, it is written to, and it knows whether it has ended.

    No thread listens: an interrupt may come at any moment, and no lock may be torn by it."""

    def __init__(self, machine, recording):
        self._machine, self._recording = machine, recording
        self._text, self._raw, self._in_password = "", "", False

    def _listen(self) -> bool:
        """Takes what was said since the last time; false: nothing."""
        if not (data := self._machine.read()):
            return False
        self._raw += data.decode(errors="replace")
        if not self._in_password:
            self._answer_probes()
        complete = re.sub(r"\x1b\[?[0-9;?]*\Z", "", self._raw)  # (an escape sequence may be cut in two)
        self._raw = self._raw[len(complete):]
        text = ESCAPES.sub("", complete)
        self._text += text
        self._recording.console("<", text)
        return True

    def _wait(self, seconds: float) -> None:
        """Until something was said, or the machine has ended."""
        end = time.monotonic() + seconds
        while not self._listen() and not self._machine.ended() and time.monotonic() < end:
            time.sleep(0.02)

    def _answer_probes(self) -> None:
        for probe, answer in (("\x1bZ", "\x1b[?1;2c"), ("\x1b[6n", "\x1b[1;1R")):
            for _ in range(self._raw.count(probe)):
                self._machine.write(answer.encode())

    def type(self, text: str, secret: bool = False) -> None:
        self._recording.console(">", "(a password)" if secret else text)
        self._machine.write(text.encode())

    def expect(self, patterns: list[str], seconds: float, quiet: float = 0.3) -> tuple[int, str]:
        """Which of them the text ends with, or has a line of, and the text up to there; what was heard is forgotten then.

        A pattern with \\Z counts when nothing more comes for `quiet` seconds."""
        end = time.monotonic() + seconds
        while True:
            for number, pattern in enumerate(patterns):
                if not (found := re.search(pattern, self._text)):
                    continue
                if pattern.endswith(r"\Z"):
                    before = self._text
                    self._wait(quiet)
                    if self._text != before:
                        break  # check again
                text, self._text = self._text, self._text[found.end():]
                return number, text[:found.end()]
            else:
                left, has_ended = end - time.monotonic(), self._machine.ended()
                if self._listen():
                    continue
                if has_ended:
                    raise ConsoleError(f"the router's console ended; the last of it: {self._text[-300:].strip()!r}")
                if left <= 0:
                    raise ConsoleError(f"the console did not answer within {seconds:g} s; the last of it: {self._text[-300:].strip()!r}")
                self._wait(min(left, 1))

    def first_login(self, password: str, boot_seconds: float, known: str | None = None) -> None:
        """From the boot to the prompt, as admin without a password (or with a `known` one). Sets `password` if a new one is wanted."""
        tried = [known] if known is not None else ["", password]
        number, stage, asked = 0, "boot", 0
        patterns = [r"[Ll]ogin: *\Z", r"[Pp]assword: *\Z", r"software license\? *\[Y/n\]:? *\Z", r"(?<!repeat )new password> *\Z",
                    r"repeat new password> *\Z", PROMPT, r"(?i)login failed|incorrect username", r"do not match"]
        seconds = boot_seconds
        while True:
            try:
                number, _ = self.expect(patterns, seconds)
            except ConsoleError as error:
                if stage == "boot" and "did not answer" in str(error):
                    raise ConsoleError(f"no login prompt on the serial console within {boot_seconds:g} s: is it a disk of RouterOS (CHR)?"
                                       f" {str(error).partition('; ')[2]}") from None
                raise
            seconds, stage = 60, "login"
            self._in_password = number in (3, 4)
            if number == 0:
                self.type("admin" + PARAMETERS + "\r")
            elif number == 1:
                if asked == len(tried):
                    raise ConsoleError("admin cannot log in on the console: the image has a password; use a fresh one, or give its "
                                       "password (--password-file)")
                self.type(tried[asked] + "\r", secret=True)
                asked += 1
            elif number == 2:
                self.type("n")
            elif number in (3, 4):
                self.type(password + "\r", secret=True)
            elif number == 5:
                return
            elif number == 7:
                raise ConsoleError("the console refused the new password twice")

    def paste(self, text: str, seconds: float = 120) -> str:
        """The lines, as a person pastes them; what the console printed up to the next prompt."""
        self._listen()
        self._text = ""
        lines = text.strip("\n").split("\n")
        received = ""
        for number, line in enumerate(lines):
            self.type(line + "\r")
            if number + 1 < len(lines):
                received += self.expect([r"[\r\n]"], 30)[1]
        return received + self.expect([PROMPT], seconds)[1]
