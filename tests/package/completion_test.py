"""What a real bash and zsh complete of steerctl's commands.

usage: completion_test.py STEERCTL
Types into a shell on a pseudo terminal, presses Tab, and reads the line that stands there then.
"""

import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

STEERCTL = str(pathlib.Path(sys.argv.pop(1)).resolve())
SHELLS = [shell for shell in ("bash", "zsh") if shutil.which(shell)]


class Shell:
    """An interactive shell in a folder with two files, in which steerctl is completed."""

    def __init__(self, kind, folder):
        script = subprocess.run([STEERCTL, "completion", kind], text=True, capture_output=True, check=True).stdout
        (folder / "_steerctl").write_text(script)
        home = folder / "home"
        home.mkdir()
        for name in ("alpha.conf", "beta.conf"):
            (home / name).touch()
        if kind == "bash":
            argv = ["bash", "--norc", "--noprofile", "-i"]
            setup = f"bind 'set bell-style none'; bind 'set completion-query-items 0'; bind 'set page-completions off'; bind 'set show-all-if-ambiguous on'; source {folder}/_steerctl"
        else:
            argv = ["zsh", "-f", "-i"]
            setup = f"setopt no_beep no_always_last_prompt; unsetopt zle_bracketed_paste; fpath=({folder} $fpath); autoload -U compinit; compinit -u -d {folder}/dump"
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(home)
            os.execvpe(argv[0], argv, {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "dumb", "LC_ALL": "C", "PS1": "> ", "PROMPT": "> ",
                                       "COLUMNS": "1000", "LINES": "50"})
        self.type(f"stty -echo cols 1000; {setup}; stty echo; echo rea''dy\n")
        self.read_until("ready")

    def type(self, text):
        os.write(self.fd, text.encode())

    def read_until(self, wanted, seconds=30):
        seen, deadline = "", time.monotonic() + seconds
        while not re.search(wanted, seen):
            if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"{wanted!r} was not seen in {seen!r}")
            seen += os.read(self.fd, 65536).decode(errors="replace")
        return seen

    def candidates(self, line):
        """All candidates for the next word: the list after the second Tab, or the only candidate."""
        # The line is ended by a word that the shell prints: a fence between this and what comes.
        self.type(line + "\t\t\x01printf '<%s>' end''ed; true \n")
        seen = self.read_until("<ended>")
        self.type("\n")
        return set(re.findall(r"[\w./=-]+", seen.replace(f"> {line}", " ", 1)))

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


class Completion(unittest.TestCase):
    # (what is typed, what has to be offered, what may not)
    CASES = (
        ("steerctl ca", {"cache"}, {"routers"}),
        ("steerctl ", {"status", "cache", "routers", "import", "completion"}, {"flush"}),
        ("steerctl cache ", {"stats", "show", "flush", "dump"}, {"routers", "status"}),
        ("steerctl --json cache fl", {"flush"}, {"dump"}),
        ("steerctl --socket alpha.conf cache fl", {"flush"}, {"dump"}),
        ("steerctl --socket ", {"alpha.conf", "beta.conf"}, {"status"}),
        ("steerctl cache flush --", {"--all", "--suffix", "--with-rows", "--json"}, {"--most"}),
        ("steerctl bypass ", {"on", "off"}, {"status"}),
        ("steerctl cache dump be", {"beta.conf"}, {"alpha.conf"}),
        ("steerctl routers tr", {"trace"}, {"pause"}),
        ("steerctl completion ", {"bash", "zsh"}, {"status"}),
    )

    def check(self, kind):
        if kind not in SHELLS:
            self.skipTest(f"{kind} is not installed (tools/deps --package)")
        for line, offered, others in self.CASES:
            with self.subTest(line), tempfile.TemporaryDirectory(prefix="steerdns-complete-") as folder:
                shell = Shell(kind, pathlib.Path(folder))
                try:
                    seen = shell.candidates(line)
                finally:
                    shell.end()
                self.assertLessEqual(offered, seen)
                self.assertFalse(others & seen, others & seen)

    def test_bash_completes_commands_and_arguments(self):
        self.check("bash")

    def test_zsh_completes_commands_and_arguments(self):
        self.check("zsh")

    def test_another_shell_is_refused(self):
        done = subprocess.run([STEERCTL, "completion", "fish"], text=True, capture_output=True)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "fish.*bash")

    def test_both_scripts_have_every_command(self):
        help_text = subprocess.run([STEERCTL, "--help"], text=True, capture_output=True, check=True).stdout
        commands = re.findall(r"^  (\w+) ", help_text.partition("Subcommands:")[2], re.M)
        self.assertGreater(len(commands), 15)
        for kind in ("bash", "zsh"):
            script = subprocess.run([STEERCTL, "completion", kind], text=True, capture_output=True, check=True).stdout
            for command in commands:
                self.assertRegex(script, rf"\b{command}\b")


if __name__ == "__main__":
    unittest.main(verbosity=2)
