"""What a `recursion` gives to unbound: its check never runs as root, whatever reads the configuration; and lines of `extra` that this
version refuses end no start.

    recursion_check_e2e.py BUILD
"""

import pathlib
import pwd
import subprocess
import sys
import tempfile
import unittest

from lab.network import skip_without, until
from lab.recursion import PROGRAMS, RecursionScene

BUILD = pathlib.Path(sys.argv.pop(1)).absolute()
CHECKER = "/usr/sbin/unbound-checkconf"
# In its place: refuses every configuration, and says who asks, and what it could do. It may start no process.
REPORTER = """#!/bin/sh
while read -r key value more; do
    case $key in Uid:) user=$value ;; CapEff:) now=$value ;; CapPrm:) new=$value ;; Seccomp:) filter=$value ;; esac
done < /proc/self/status
echo "as $user, capabilities $now, new ones $new, filter $filter"
exit 1
"""
NONE = "0" * 16
CONFIG = """control: {{ images: off, managed: off {control} }}
plugins:
  - {{ tag: resolve, type: recursion, args: {{ instances: 1 {keys} }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $resolve }} ] }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: "127.0.0.1:5399" }} }}
"""
OPTIONS = (("--check",), ("--dump-program",), ("--dry-run",), ())


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
        done = subprocess.run(["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", mounts + 'exec "$@"', "sh", *before,
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
        for options in OPTIONS:
            with self.subTest(options):
                self.runs_as(number, *options)

    def test_without_that_user_it_has_the_daemons(self):
        self.write(", user: games")
        for options in OPTIONS:
            with self.subTest(options):
                self.runs_as("games", *options)

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


class Start(unittest.TestCase):
    """An upgrade of SteerDNS or of unbound must not end DNS."""
    OWN = "'local-zone: own.test static', 'local-data: \"own.test A 192.0.2.77\"'"

    def setUp(self):
        self.scene = self.enterContext(RecursionScene("recursion", BUILD))

    def reload(self):
        done = self.scene.ask("reload")
        return done.stdout + done.stderr

    def test_lines_that_this_version_refuses_are_left_out_with_their_clause(self):
        daemon = self.scene.start_recursion(keys=f", extra: [ {self.OWN}, 'verbosity: 2', 'python:', 'python-script: \"/tmp/x.py\"', 'name: x' ]")
        self.assertEqual(self.scene.answer("www.good.example").status, "NOERROR")
        one, two = self.scene.problems()
        self.assertRegex(one, r"recursion.yaml:\d+: 'verbosity' in 'extra' of recursion 'resolve' may not be here: remove it; it is left out; ")
        self.assertRegex(two, r"'python' in 'extra' .*: remove it and its lines; it is left out, with its clause; ")
        self.assertIn("'verbosity' in 'extra' of recursion 'resolve' may not be here", daemon.text())
        config = (self.scene.engine_folder / "unbound.conf").read_text()
        self.assertIn('local-zone: "own.test" "static"', config)
        self.assertNotIn("python", config)
        # A reload refuses what the start took, and keeps it.
        self.assertIn("'verbosity' in 'extra' of recursion 'resolve' may not be here: remove it\n", self.reload())
        self.assertEqual(len(self.scene.problems()), 2)
        self.scene.write(keys=f", extra: [ {self.OWN} ]")
        self.scene.steerctl("reload")
        until(lambda: not self.scene.problems(), 10, "nothing is left out any more")

    def test_without_lines_that_unbound_refuses_it_starts(self):
        self.scene.start_recursion(keys=f", extra: [ {self.OWN}, 'do-ip6: perhaps' ]")
        self.assertEqual(self.scene.answer("www.good.example").status, "NOERROR")
        problem, = self.scene.problems()
        self.assertRegex(problem, "unbound refuses lines in 'extra' of recursion 'resolve', so all of them are left out: .*yes or no")
        self.assertNotIn("own.test", (self.scene.engine_folder / "unbound.conf").read_text())
        self.assertRegex(self.reload(), r"recursion 'resolve': unbound refuses this: .*yes or no")

    def test_a_reload_keeps_what_is_in_force_if_unbound_refuses_the_new_lines(self):
        self.scene.start_recursion(keys=f", extra: [ {self.OWN} ]")
        self.scene.write(keys=f", extra: [ {self.OWN}, 'do-ip6: perhaps' ]")
        self.assertRegex(self.reload(), r"recursion 'resolve': unbound refuses this: .*yes or no")
        self.assertIn("own.test", (self.scene.engine_folder / "unbound.conf").read_text())
        self.assertEqual(self.scene.problems(), [])

    def test_other_errors_end_a_start_as_before(self):
        self.scene.write(anchors="'x. DS 1 2 3 zz'", keys=f", extra: [ {self.OWN} ]")
        done = self.scene.network.run("appliance", str(BUILD / "steerdnsd"), "--config", str(self.scene.config), check=False, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn("recursion 'resolve': unbound refuses this", done.stdout + done.stderr)


if __name__ == "__main__":
    skip_without((*PROGRAMS, "setpriv"), "--all")
    unittest.main(verbosity=2)
