"""What the package and `meson install` hold.

usage: files_test.py BUILD       BUILD: the folder whose programs are installed; it keeps the packages
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
# What both have, by its end.
FILES = ("sbin/steerdnsd", "sbin/steerctl", "libexec/steerdns/steerdns-sets", "libexec/steerdns/steerdns-quic", "lib/systemd/system/steerdnsd.service", "lib/systemd/system/steerdns-doctor.service",
         "lib/systemd/system/steerdns-anycast.service", "share/doc/steerdns/examples/anycast/bird.conf",
         "lib/sysusers.d/steerdns.conf", "lib/tmpfiles.d/steerdns.conf", "etc/steerdns/steerdns.yaml", "etc/logrotate.d/steerdns",
         "share/bash-completion/completions/steerctl", "share/doc/steerdns/examples/minimal.yaml",
         "share/man/man5/steerdns.yaml.5", "share/man/man8/steerdnsd.8", "share/man/man8/steerctl.8")


def output(*words, **options):
    return subprocess.run(words, text=True, capture_output=True, check=True, **options).stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        release = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text())[1]
        folder = BUILD / f"package/{release}+test1"
        if not list(folder.glob("steerdns_*.deb")):
            subprocess.run([str(ROOT / "tools/package"), "--as-tests", "--version", f"{release}+test1", str(folder)], check=True, stdout=subprocess.DEVNULL)
        cls.deb, = folder.glob("steerdns_*.deb")
        cls.listed = output("dpkg-deb", "--contents", str(cls.deb))

    def field(self, name):
        return output("dpkg-deb", "--field", str(self.deb), name).strip()

    def test_the_package_has_the_files(self):
        for file in FILES:
            self.assertRegex(self.listed, rf"(?m)/{file}(\.gz)?$")
        self.assertRegex(self.listed, r"(?m)usr/share/zsh/vendor-completions/_steerctl$")
        self.assertNotIn("rossim", self.listed)
        self.assertRegex(self.listed, r"(?m)^-rw-r----- root/root .*/etc/steerdns/steerdns\.yaml$")

    def test_the_package_depends_on_the_libraries_of_the_programs(self):
        depends = self.field("Depends")
        for package in ("libssl3", "librte-eal23", "librte-mempool-ring23", "librte-mempool-stack23", "libnftables1", "libipset13", "libc6"):
            self.assertIn(package, depends)
        self.assertIn("x86-64-v2", self.field("Description"))

    def test_lintian_finds_nothing(self):
        # (--show-overrides makes lintian fail for tags that an override accepts.)
        done = subprocess.run(["lintian", "--fail-on", "error,warning", "--allow-root", str(self.deb)], text=True, capture_output=True)
        print("\n" + done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_each_override_has_its_reason(self):
        lines = (ROOT / "configs/debian/steerdns.lintian-overrides").read_text().splitlines()
        for before, line in zip(["", *lines], lines):
            if line and not line.startswith("#"):
                self.assertTrue(before.startswith("#"), line)

    def test_a_version_of_other_sources_is_refused(self):
        done = subprocess.run([str(ROOT / "tools/package"), "--version", "9.9", str(BUILD / "package/none")], text=True, capture_output=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("does not begin with", done.stderr)


class Install(unittest.TestCase):
    def test_meson_installs_the_same(self):
        with tempfile.TemporaryDirectory(prefix="steerdns-install-") as folder:
            def install():
                return output("meson", "install", "-C", str(BUILD), "--no-rebuild", "--destdir", folder)
            install()
            there = [str(path) for path in pathlib.Path(folder).rglob("*")]
            for file in FILES:
                self.assertTrue(any(path.endswith("/" + file) for path in there), file)
            # Someone's configuration is not replaced.
            config = pathlib.Path(folder) / "etc/steerdns/steerdns.yaml"
            self.assertEqual(config.stat().st_mode & 0o777, 0o640)
            config.write_text("mine\n")
            install()  # (meson does not show what its scripts print)
            self.assertEqual(config.read_text(), "mine\n")

    def test_the_installed_configuration_is_valid(self):
        output(str(BUILD / "steerdnsd"), "--check", str(ROOT / "configs/steerdns.yaml"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
