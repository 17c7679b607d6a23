#!/usr/bin/env python3
"""The terminal of a stand-in for a router: RouterOS's login dialogue and its prompt.

    stand_in_terminal.py FOLDER     in a virtual machine that stand_in_disk.py made: the terminal is /dev/ttyS0
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import termios
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from api import ApiError, Session  # noqa: E402
from stand_in import StandIn  # noqa: E402

BANNER = """
  MMM      MMM       KKK                          TTTTTTTTTTT      KKK
  MMMM    MMMM       KKK                          TTTTTTTTTTT      KKK

  MikroTik RouterOS {version} (c) 1999-2026       https://www.mikrotik.com/
"""


class Terminal:
    """RouterOS's login dialogue and prompt, on a line: `read()` gives some bytes (empty: the end), `write(bytes)`."""

    def __init__(self, router: StandIn, read, write, is_new=lambda: True, dialogue_done=lambda: None):
        self.router, self._read, self._write = router, read, write
        self._is_new, self._dialogue_done = is_new, dialogue_done
        self._received = b""

    def say(self, text: str) -> None:
        self._write(text.replace("\n", "\r\n").encode())

    def key(self) -> bytes:
        while True:
            if not self._received:
                self._received = self._read()
                if not self._received:
                    raise EOFError
            if self._received.startswith(b"\x1b"):  # an answer to a probe of the terminal
                if not (found := re.match(rb"\x1b\[[?0-9;]*[A-Za-z]|\x1b/Z", self._received)):
                    more = self._read()
                    if not more:
                        raise EOFError
                    self._received += more
                    continue
                self._received = self._received[found.end():]
                continue
            key, self._received = self._received[:1], self._received[1:]
            return key

    def line(self, shown: str = "plain") -> str:
        """Up to the Enter key. `shown`: plain, stars or nothing. Ctrl-C: KeyboardInterrupt."""
        text = b""
        while True:
            key = self.key()
            if key in (b"\r", b"\n"):
                self.say("\n")
                return text.decode(errors="replace")
            if key == b"\x03":
                raise KeyboardInterrupt
            text += key
            self._write(key if shown == "plain" else b"*" if shown == "stars" else b"")

    def run(self) -> None:
        with contextlib.suppress(EOFError):
            while True:
                user = self.login()
                self.prompt(user)

    def login(self) -> str:
        while True:
            self.say("\n\nMikroTik Login: ")
            name = self.line().split("+")[0]
            self.say("\x1bZPassword: ")
            password = self.line("nothing")
            try:
                with Session("127.0.0.1", self.router.behind) as session:
                    session.login(name, password)
                break
            except ApiError:
                self.say("\nLogin failed, incorrect username or password\n")
        self.say(BANNER.format(version=self.router.version))
        if self._is_new():
            self.say("\nDo you want to see the software license? [Y/n]: ")
            while (key := self.key()) not in (b"n", b"N", b"y", b"Y", b"\r"):
                pass
            self.say(key.decode() + "\n\nPress F1 for help\n")
        while password == "":
            self.say("\n\nChange your password (Ctrl-C to skip)\nnew password> ")
            try:
                first = self.line("stars")
                while not first:  # (the Enter behind the answer to the licence)
                    self.say("new password> ")
                    first = self.line("stars")
                self.say("repeat new password> ")
                if self.line("stars") != first:
                    self.say("\nTry again, error: New passwords do not match!\n")
                    continue
            except KeyboardInterrupt:
                break
            mine = next(row for row in self.router.ask("/user/print").rows if row["name"] == name)
            self.router.ask("/user/set", f"=.id={mine['.id']}", f"=password={first}")
            self.say("\nPassword changed\n")
            password = first
        self._dialogue_done()
        return name

    def prompt(self, user: str) -> None:
        start = f"[{user}@MikroTik] > "
        while True:
            self.say("\r\x1b[K" + start)
            try:
                text = self.line()
                while self._is_open(text):
                    self.say("{... ")
                    text += "\n" + self.line()
            except KeyboardInterrupt:
                self.say("\n")
                continue
            if text.strip() in ("/quit", "quit"):
                return
            self.carry_out(text)

    @staticmethod
    def _is_open(text: str) -> bool:
        code = re.sub(r'"(?:[^"\\]|\\.)*"', "", "\n".join(line for line in text.split("\n") if not line.startswith("#")))
        return code.count("{") + code.count("[") + code.count("(") > code.count("}") + code.count("]") + code.count(")")

    def carry_out(self, text: str) -> None:
        if text.strip() in ("/system reboot", "/system/reboot"):
            self.say("Reboot, yes? [y/N]: ")
            if self.key() in (b"y", b"Y"):
                self.say("y\nsystem will reboot shortly\n")
                self.router.reboot()
            return
        if not text.strip():
            return
        for line in self.router.run_script(text, follows=True):
            self.say(line + "\n")
        if re.search(r"/ip(v6)?[ /]address ", text):
            self.router.follow("/ip/address")


# In a virtual machine ---------------------------------------------------------------------------------------------

def guest(folder: pathlib.Path) -> None:
    """The whole router: its addresses are the machine's, its reboot is the machine's."""
    settings = json.loads((folder / "settings.json").read_text())
    state_file = folder / "state.json"
    state = StandIn.saved(state_file)
    line = os.open("/dev/ttyS0", os.O_RDWR | os.O_NOCTTY)
    mode = termios.tcgetattr(line)
    mode[0] = mode[1] = mode[3] = 0  # raw: no echo, no translation
    mode[2] = mode[2] | termios.CLOCAL | termios.CREAD
    termios.tcsetattr(line, termios.TCSANOW, mode)

    def write(data: bytes) -> None:
        while data:
            data = data[os.write(line, data):]

    admin = state.get("users", {}).get("admin", "")
    with StandIn(folder / "rossim", pathlib.Path("/run"), version=settings["version"], password=admin, lies=tuple(settings["lies"]),
                 address="0.0.0.0", port=8728, schema=json.loads((folder / "schema.json").read_text())) as router:
        def addresses() -> None:
            for row in router.ask("/ip/address/print").rows:
                subprocess.run(["/bin/busybox", "ip", "address", "add", row["address"], "dev", "eth0"], capture_output=True)

        def restart() -> None:
            router.save(state_file)
            subprocess.run(["/bin/busybox", "reboot", "-f"])
            time.sleep(600)

        router.addresses, router.restart = addresses, restart
        router.load(state)
        addresses()
        Terminal(router, lambda: os.read(line, 4096), write, is_new=lambda: not state, dialogue_done=lambda: router.save(state_file)).run()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    guest(pathlib.Path(sys.argv[1]))
