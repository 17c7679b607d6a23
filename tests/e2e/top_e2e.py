"""`steerctl top` on a pseudo terminal: pages, keys, sizes, names that are escapes, and its ends."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

from lab.network import PATIENCE_S, until
from lab.scene import ROOT, Scene

BUILD = sys.argv.pop(1)
NAME = "172.16.1.1:8728"
ESCAPE = "\\027[2Jevil.stream.example"  # an escape sequence as a label, as kdig writes it
KEYS = {"up": b"\x1b[A", "down": b"\x1b[B", "enter": b"\r", "back": b"\x1b", "redraw": b"\f"}


class Terminal:
    """steerctl on a terminal of its own (TERM=linux: few sequences), which shows what was written since the last key."""

    def __init__(self, *argv, rows=24, columns=80, **environment):
        self.end, child = pty.openpty()
        self.size(rows, columns)
        self.before = termios.tcgetattr(child)
        bare = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
        self.process = subprocess.Popen(argv, stdin=child, stdout=child, stderr=child, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                                        env={**bare, "TERM": "linux", **environment})
        self.child, self.seen = child, ""

    def size(self, rows, columns):
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, key):
        self.seen = ""
        os.write(self.end, KEYS.get(key, key.encode()))

    def read(self, seconds):
        if select.select([self.end], [], [], seconds)[0]:
            try:
                self.seen += os.read(self.end, 65536).decode()
            except OSError:
                pass

    def wait_for(self, pattern):
        """Draws the screen again until it has the pattern; cursor movements count as one blank."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.type("redraw")
            shown = time.monotonic() + 1
            while time.monotonic() < shown:
                self.read(0.2)
                text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]|\x1b[()][A-Z0-9]|[\r\x0e\x0f]", " ", self.seen)
                if found := re.search(pattern, text):
                    return found
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"{pattern!r} is not in {text!r}")

    def ended(self):
        """The exit code, once all output is read."""
        while self.process.poll() is None:
            self.read(0.1)
        self.read(0.1)
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.end)
        os.close(self.child)


class Top(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(Scene("top", BUILD))
        scene.start_resolver()
        scene.start_router()
        scene.start_daemon(ROOT / "configs/minimal.yaml")
        until(lambda: scene.reported("routers")["routers"][0]["state"] == "in_sync", 10, "the router is in sync")
        asks = f"while :; do kdig @172.16.1.2 +retry=0 +timeout=1 stream.example www.other.example '{ESCAPE}' >/dev/null; done"
        scene.network.start("client", "asker", "sh", "-c", asks)
        until(lambda: scene.short("stream.example", "A"), 10, "queries are answered")

    def top(self, *words, **how):
        terminal = Terminal(f"{BUILD}/tools/steerctl/steerctl", "--socket", str(self.scene.socket), "top", *words, **how)
        self.addCleanup(terminal.close)
        return terminal

    def test_each_page_shows_its_rows_at_80_by_24(self):
        top = self.top()
        top.wait_for(r"queries +\d+/s .*cache hits")
        for part in (r"\[1 overview\]", "answered", r"udp://1\.1\.1\.1:53", NAME.replace(".", r"\."), "in_sync", r"stream\.example",
                     r"192\.168\.88\.10"):
            top.wait_for(part)
        for page, row in (("2", r"\[2 ends\].*answered"), ("3", r"\[3 upstreams\].*udp://"), ("4", r"\[4 routers\].*in_sync"),
                          ("5", r"(?s)\[5 names\].*www\.other\.example"), ("6", r"(?s)\[6 clients\].*192\.168\.88\.10"),
                          ("7", r"(?s)\[7 latency\].*<= [\d.]+ ms.*upstream")):
            top.type(page)
            top.wait_for("(?s)" + row)
        top.type("?")
        top.wait_for("sort by another column")
        top.type("q")
        self.assertEqual(top.ended(), 0)
        self.assertEqual(termios.tcgetattr(top.child), top.before, "the terminal is as it was")

    def test_enter_opens_a_row(self):
        top = self.top()
        top.type("4")
        top.wait_for(r"\[4 routers\]")
        top.wait_for("in_sync")
        top.type("enter")
        top.wait_for("board: rossim")
        top.wait_for("no errors")  # asked of the daemon for this row
        top.type("back")
        top.wait_for("to write")
        top.type("5")
        top.wait_for(r"stream\.example")
        top.type("p")
        top.wait_for(r"stopped .*names")
        top.type("enter")
        top.wait_for(r"(?s)share: \d.*the configuration has no cache.*(sets: |backslash)")  # the answers to cache.show and why

    def test_enter_shows_the_names_of_a_client_and_the_clients_of_a_name(self):
        top = self.top(rows=60, columns=120)
        top.type("6")
        top.wait_for(r"192\.168\.88\.10")
        top.type("enter")
        top.wait_for(r"(?s)names.*www\.other\.example")
        top.type("5")
        top.wait_for(r"stream\.example")
        top.type("enter")
        top.wait_for(r"(?s)clients.*192\.168\.88\.10")

    def test_a_name_that_is_an_escape_sequence_is_shown_escaped(self):
        top = self.top()
        top.type("5")
        top.wait_for(r"\\027\[2jevil\.stream\.example|\\x1b\[2jevil")
        self.assertNotIn("\x1b[2jevil", top.seen.lower())

    def test_a_new_size_is_used_at_once(self):
        top = self.top(rows=24, columns=80)
        top.wait_for("answered")
        top.type("4")
        for rows, columns, row in ((40, 160, r"version.*7\.\d+"), (10, 30, "in_sync"), (3, 10, "queries"), (24, 80, "in_sync")):
            with self.subTest((rows, columns)):
                top.size(rows, columns)
                # The lines that the cursor moves to are those of the terminal, once the program has seen the signal.
                deadline = time.monotonic() + PATIENCE_S
                while True:
                    top.wait_for("(?s)" + row)
                    lowest = max(map(int, re.findall(r"\x1b\[(\d+);\d+H", top.seen)), default=0)
                    if lowest <= rows or time.monotonic() > deadline:
                        break
                self.assertLessEqual(lowest, rows)
        top.type("q")
        self.assertEqual(top.ended(), 0)

    def test_a_signal_gives_the_terminal_back(self):
        for number, code in ((signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP), (signal.SIGINT, 0)):
            with self.subTest(number):
                top = self.top()
                top.wait_for("answered")
                self.assertNotEqual(termios.tcgetattr(top.child), top.before)
                os.kill(top.process.pid, number)
                self.assertEqual(top.ended(), code)
                self.assertEqual(termios.tcgetattr(top.child), top.before)

    def test_a_terminal_without_colours_gets_none(self):
        for words, environment, colored in (((), {}, True), ((), {"NO_COLOR": "1"}, False), (("--color", "never"), {}, False),
                                            ((), {"TERM": "vt100"}, False)):
            with self.subTest(words, **environment):
                top = self.top(*words, **environment)
                top.wait_for("in_sync")
                self.assertEqual(bool(re.search(r"\x1b\[(\d+;)*3[1-7]m", top.seen)), colored)

    def test_what_is_no_terminal_is_refused_with_a_sentence(self):
        done = self.scene.ask("top")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (2, "", "steerctl: top needs a terminal; write --once for one screen as text\n"))
        top = self.top(TERM="nonsense")
        self.assertEqual(top.ended(), 2)
        self.assertIn("terminal type 'nonsense' is not known; set TERM", top.seen)

    def test_once_prints_all_pages(self):
        text = self.scene.steerctl("top", "--once")
        self.assertRegex(text, r"\nends\n +per second +share +since the start +end\n +\d")
        self.assertRegex(text, rf"\nrouters\n.*\n +{NAME} +in_sync ")
        self.assertRegex(text, r"\nnames\n(.*\n)+ +\d.* %  stream\.example\n")
        self.assertNotIn("\x1b", text)

    def test_a_daemon_that_ends_is_reported_and_found_again(self):
        scene = self.scene
        top = self.top()
        top.wait_for("answered")
        scene.daemon.stop()
        top.wait_for("steerdnsd is not running")
        scene.start_daemon(ROOT / "configs/minimal.yaml")
        top.type("2")
        top.wait_for(r"(?s)\[2 ends\].*answered")
        until(lambda: "not running" not in (top.wait_for("queries").string), 20, "the error is gone")
        top.type("q")
        self.assertEqual(top.ended(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
