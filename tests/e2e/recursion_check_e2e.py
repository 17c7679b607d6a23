"""Which user runs unbound-checkconf, for each way to read a configuration with a `recursion`: never root.

    recursion_check_e2e.py BUILD
"""

import pathlib
import pwd
import subprocess
import sys
import tempfile
import unittest

from lab.network import skip_without

BUILD = pathlib.Path(sys.argv.pop(1)).absolute()
CHECKER = "/usr/sbin/unbound-checkconf"
# In its place: refuses every configuration, and says who asks, and what it could do.
REPORTER = """#!/bin/sh
of() { while read -r key value; do [ "$key" = "$1:" ] && echo "$value"; done < /proc/self/status; }
echo "as $(id -u), capabilities $(of CapEff), new ones $(of CapPrm), filter $(of Seccomp)"
exit 1
"""
NONE = "0" * 16
CONFIG = """control: {{ images: off, managed: off {control} }}
plugins:
  - {{ tag: resolve, type: recursion, args: {{ instances: 1 {keys} }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $resolve }} ] }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: "127.0.0.1:5399" }} }}
"""
WAYS = (("--check",), ("--dump-program",), ("--dry-run",), ())


class Check(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.folder.chmod(0o755)
        self.config = self.folder / "steerdns.yaml"
        self.binds = {}
        self.file("reporter", REPORTER, CHECKER)
        self.write()

    def file(self, name, text, place):
        """A file that is at `place` for the daemon."""
        file = self.folder / name
        file.write_text(text)
        file.chmod(0o755)
        self.binds[place] = file

    def write(self, control="", keys=""):
        self.config.write_text(CONFIG.format(control=control, keys=keys))

    def run_it(self, *words, before=()):
        mounts = "".join(f"mount --bind '{file}' '{place}' && " for place, file in self.binds.items())
        done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", mounts + 'exec "$@"', "sh", *before,
                               str(BUILD / "steerdnsd"), "--config", str(self.config), "--control-socket", str(self.folder / "socket"), *words],
                              check=False, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def runs_as(self, user, *words, before=()):
        code, text = self.run_it(*words, before=before)
        self.assertEqual(code, 2, text)
        self.assertIn(f"as {pwd.getpwnam(user).pw_uid if isinstance(user, str) else user}, capabilities {NONE}, new ones {NONE}, filter 2", text)

    def test_the_checker_has_the_user_and_the_filter_of_the_engine(self):
        number = 64321
        self.file("passwd", pathlib.Path("/etc/passwd").read_text() + f"steerdns-recursion:x:{number}:{number}::/:/usr/sbin/nologin\n", "/etc/passwd")
        for way in WAYS:
            with self.subTest(way):
                self.runs_as(number, *way)

    def test_without_that_user_it_has_the_daemons(self):
        self.write(", user: games")
        for way in WAYS:
            with self.subTest(way):
                self.runs_as("games", *way)

    def test_who_cannot_become_it_checks_as_himself(self):
        self.runs_as("mail", "--check", before=("setpriv", "--reuid", "mail", "--regid", "mail", "--clear-groups"))

    def test_without_either_the_part_is_not_checked_and_this_is_said(self):
        self.write(", user: root")
        code, text = self.run_it("--check")
        self.assertEqual(code, 0, text)
        self.assertIn("recursion 'resolve': unbound did not check this part: it may not run as root", text)
        self.assertNotIn("capabilities", text)

    def test_a_root_that_may_not_change_its_user_checks_nothing(self):
        self.write(", user: games")
        code, text = self.run_it("--check", before=("setpriv", "--bounding-set", "-setuid,-setgid", "--inh-caps", "-setuid,-setgid"))
        self.assertEqual(code, 0, text)
        self.assertIn("unbound did not check this part: no process of it can change its user: Operation not permitted", text)

    def test_unbounds_own_check_is_asked_as_before(self):
        del self.binds[CHECKER]
        self.write(", user: games", ", stubs: { corp.example: [ 192.0.2.1 ] }")
        code, text = self.run_it("--check")
        self.assertEqual(code, 0, text)
        self.write(", user: games", ", trust_anchors: [ 'x. DS 1 2 3 zz' ]")
        code, text = self.run_it("--check")
        self.assertEqual(code, 2, text)
        self.assertIn("recursion 'resolve': unbound refuses this", text)


if __name__ == "__main__":
    skip_without(("unbound", "setpriv"), "--all")
    unittest.main(verbosity=2)
