"""tools/deps waits for the package manager: a fresh Debian updates itself in the background.

    deps_test.py

apt-get, dpkg-query and sleep are scripts of the test.
"""

import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCKED = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 812 (unattended-upgr)"


class Deps(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.tool("dpkg-query", "exit 1")
        self.tool("id", "echo 0")
        self.tool("sleep", f'echo "sleep $*" >>{self.folder}/calls')

    def tool(self, name, text):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def apt(self, error, times):
        """apt-get, which ends with this error so many times."""
        (self.folder / "times").write_text(str(times))
        self.tool("apt-get", f"""echo "apt-get $1" >>{self.folder}/calls
n=$(cat {self.folder}/times)
[ "$n" = 0 ] && exit 0
echo $((n - 1)) >{self.folder}/times
echo "{error}" >&2
exit 100""")

    def deps(self):
        done = subprocess.run([ROOT / "tools/deps", "--docs"], env={"PATH": f"{self.folder}:/usr/bin:/bin"}, capture_output=True, text=True)
        calls = (self.folder / "calls").read_text().splitlines()
        return done, calls

    def test_a_held_lock_is_named_and_waited_for(self):
        self.apt(LOCKED, 2)
        done, calls = self.deps()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(calls, ["apt-get update", "sleep 3", "apt-get update", "sleep 3", "apt-get update", "apt-get install"])
        self.assertEqual(done.stderr.count("waiting for the package manager"), 1)
        self.assertIn("held by process 812", done.stderr)

    def test_a_lock_that_is_never_given_back_ends_it(self):
        self.apt(LOCKED, 10_000)
        done, calls = self.deps()
        self.assertEqual(done.returncode, 1)
        self.assertIn("in use for 15 minutes", done.stderr)
        self.assertEqual(calls.count("sleep 3"), 300)

    def test_another_error_is_not_repeated(self):
        self.apt("E: Unable to locate package mkdocs", 1)
        done, calls = self.deps()
        self.assertEqual((done.returncode, calls), (1, ["apt-get update"]))
        self.assertIn("Unable to locate package", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
