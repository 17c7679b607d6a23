"""The life of the package on a clean Debian machine: installed, upgraded, rolled back, damaged, removed, purged.

usage: lifecycle_test.py BUILD      BUILD: the folder whose rossim plays the router; it keeps the clean root and the packages
Times are printed. With STEER_PACKAGE_FRESH set apt brings everything from its mirror again.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

from lab.dns_tree import ADDRESS, Tree
from lab.network import Process, until
from lab.scene import PASSWORD, ROOT, USER, ZONES, Scene, knot_configuration
from lab.truth import Capture, ask, judge, many_names_zone

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from machine import Machine, clean_root  # noqa: E402

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
CACHED = BUILD / "package"
NAMES = [f"n{i}.stream.example" for i in range(200)]
CONFIG = "/etc/steerdns/steerdns.yaml"
# Where the answers are kept is what the package's own configuration says.
ROUTED = (ROOT / "configs/minimal.yaml").read_text().replace("async: true", "async: false").replace(
    '      - exec: "$forward_main"\n', '      - exec: "$cache"\n      - exec: "$forward_main"\n') + """
  - tag: cache
    type: cache
    args: { size: 16384, short_circuit: true, dump_file: /var/lib/steerdns/cache.dump }
dataplane:
  trusted_forwarders: [192.168.88.10/32]
"""
RECURSION = """
plugins:
  - tag: resolve
    type: recursion
    args: { instances: 1, cache_size: 8MiB, root_hints: /etc/steerdns/root.hints, trust_anchors: ["ANCHOR"], negative_trust_anchors: [] }
  - tag: main
    type: sequence
    args:
      - exec: "cache 1024 short_circuit"
      - exec: $resolve
  - { tag: udp, type: udp_server, args: { entry: main, listen: ":53" } }
  - { tag: tcp, type: tcp_server, args: { entry: main, listen: ":53" } }
"""


def built(version):
    """The package of that version, built if these sources have none yet."""
    folder = CACHED / version
    subprocess.run([str(ROOT / "tools/package"), "--as-tests", "--version", version, str(folder)], check=True, stdout=subprocess.DEVNULL)
    deb, = folder.glob("steerdns_*.deb")
    return deb


def family(pid):
    """A process and all that it started, as this machine numbers them."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


class Lifecycle(unittest.TestCase):
    """One machine; each test begins where the one before it ended."""

    @classmethod
    def setUpClass(cls):
        release = re.search(r"version: '([^']+)'", (ROOT / "meson.build").read_text())[1]
        cls.old_version, cls.new_version = f"{release}+test1-1", f"{release}+test2-1"
        cls.old, cls.new = (built(version.removesuffix("-1")) for version in (cls.old_version, cls.new_version))
        archives = CACHED / "archives"
        if os.environ.get("STEER_PACKAGE_FRESH"):
            shutil.rmtree(archives, ignore_errors=True)
        cls.brought = any(archives.glob("*.deb")) if archives.exists() else False
        scene = cls.scene = cls.enterClassContext(Scene("package", BUILD))
        zones = {**ZONES, "stream.example": ZONES["stream.example"] + many_names_zone(len(NAMES)).partition("ns 300 A 1.1.1.1\n")[2]}
        conf = knot_configuration(scene.folder / "knot", "1.1.1.1@53", zones)
        scene.resolver = scene.network.start("resolver", "knotd", "knotd", "-c", str(conf))
        scene.resolver.wait_for("server started")
        scene.start_router()
        cls.machine = cls.enterClassContext(Machine(scene, "appliance", clean_root(CACHED), archives))

    def tearDown(self):
        if any(error for _, error in self._outcome.result.failures + self._outcome.result.errors):
            for words in (("systemctl", "status", "--no-pager", "-l", "steerdnsd"), ("journalctl", "-n", "40", "--no-pager", "-u", "steerdnsd"),
                          ("steerctl", "status")):
                done = self.on(*words, check=False)
                print(done.stdout + done.stderr)

    # What is asked again and again ----------------------------------------------------------------------------

    def on(self, *words, **options):
        return self.machine.run(*words, **options)

    def answered(self, name="www.other.example"):
        return bool(self.scene.short(name, "A"))

    def reported(self, *words):
        return json.loads(self.on("steerctl", "--json", *words).stdout)

    def pid(self, unit="steerdnsd"):
        return self.on("systemctl", "show", "-p", "MainPID", "--value", unit).stdout.strip()

    def state(self, unit="steerdnsd"):
        return self.on("systemctl", "is-active", unit, check=False).stdout.strip()

    def running_version(self):
        return self.reported("version")["steerdnsd"] + "-1"

    def journal(self, since):
        return self.on("journalctl", "-u", "steerdnsd", "--since", f"@{since}", "-o", "cat").stdout

    def removed_rows(self):
        lines = [json.loads(line) for line in self.scene.journal.read_text().splitlines() if line.endswith("}")]
        return [line for line in lines if line["op"] == "remove" and line.get("list") != "steerdns-probe"]

    def configure(self, text):
        path = self.machine.root / CONFIG[1:]
        path.write_text(text)  # owner and mode stay

    def serving_with_rows(self):
        """Asks for all routed names and waits for all their rows."""
        ask(self.scene, NAMES)
        until(lambda: self.rows() >= len(NAMES), 10, "the rows are on the router")

    def rows(self):
        return sum(row["list"] == "policy_set_v4" for row in self.scene.rows())

    def change_version(self, deb, version, *options):
        """Installs while clients ask. No query of a routed name may be answered without its row, and cached names are not
        asked again."""
        scene = self.scene
        self.serving_with_rows()
        before = self.pid()
        kept = self.rows()
        with Capture(scene) as capture:
            prober = scene.network.start("client", f"prober-{version}", "/usr/bin/python3", str(pathlib.Path(__file__).parent / "prober.py"),
                                         "172.16.1.2", "www.other.example")
            prober.wait_for("probing")
            # The upstream is away: answers come of the cache alone, before and after.
            scene.resolver.send_signal(signal.SIGSTOP)
            try:
                done = self.machine.apt_install(deb, *options)
                until(lambda: self.answered(), 30, "the new daemon answers")
                answers = ask(scene, NAMES)
            finally:
                scene.resolver.send_signal(signal.SIGCONT)
            prober.send_signal(signal.SIGINT)
            prober.child.wait(10)
        probed = json.loads(prober.text().splitlines()[-1])
        self.assertEqual(self.running_version(), version, done.stdout + done.stderr)
        self.assertNotEqual(self.pid(), before)
        unanswered = [answer for answer in answers if answer.get("rcode") != 0]
        self.assertEqual(unanswered, [], "the cache was lost")
        until(lambda: self.reported("routers")["routers"][0]["state"] == "in_sync", 10, "the router is in sync")
        counts = judge(scene.journal, capture)
        print(f"  to {version}: no answer for {probed['longest_silence_ms']} ms, {probed['asked'] - probed['answered']} of {probed['asked']} "
              f"queries lost; judge: {dict(list(counts.items())[:5])}")
        self.assertGreaterEqual(counts["answers"], len(NAMES))
        self.assertEqual((counts["early"], counts["gap"], counts["missing"]), (0, 0, 0), counts["text"])
        self.assertEqual(self.removed_rows(), [])
        self.assertGreaterEqual(self.rows(), kept)
        return done

    # In this order ----------------------------------------------------------------------------------------------

    def test_01_first_answer_within_a_minute(self):
        path = self.machine.take(self.old)
        start = time.monotonic()
        if not self.brought:
            self.on("apt-get", "update", "-q", outside=True)
        done = self.on("apt-get", "install", "-y", "-q", path, outside=True)
        installed = time.monotonic()
        self.machine.keep_archives()
        until(self.answered, 20, "the first answer")
        took = time.monotonic() - start
        bytes_brought = re.search(r"Need to get (.*?) of", done.stdout)
        print(f"  .deb to first answer: {took:.1f} s, {installed - start:.1f} s of it apt-get (to get: {bytes_brought and bytes_brought[1]})")
        # (A machine with more to do than it has CPUs says little about time.)
        busy = os.getloadavg()[0] / (os.cpu_count() or 1)
        self.assertLessEqual(took, 60 * max(1, busy))
        self.assertEqual(self.running_version(), self.old_version)
        self.assertIn("enabled", self.on("systemctl", "is-enabled", "steerdnsd").stdout)

    def test_02_files_and_user(self):
        self.assertEqual(self.on("stat", "-c", "%a %U:%G", CONFIG).stdout.strip(), "640 root:steerdns")
        self.assertEqual(self.on("stat", "-c", "%a %U:%G", "/var/lib/steerdns").stdout.strip(), "750 steerdns:steerdns")
        self.assertEqual(self.on("stat", "-c", "%U", f"/proc/{self.pid()}").stdout.strip(), "steerdns")
        self.assertEqual(self.on("dpkg", "--verify", "steerdns").stdout, "")
        # Nothing else is needed for what the comments in the configuration promise.
        self.assertIn("is good", self.on("steerdnsd", "--check").stdout)
        self.assertEqual(self.on("systemctl", "reload", "steerdnsd").returncode, 0)
        self.assertEqual(self.reported("routers")["routers"], [])

    def test_03_upgrade_keeps_cache_claims_and_rows(self):
        self.configure(ROUTED)
        self.on("systemctl", "restart", "steerdnsd")
        until(self.answered, 20, "it answers with the new configuration")
        self.assertEqual(self.state("steerdns-doctor"), "inactive")
        self.on("systemctl", "start", "steerdns-doctor")
        watch = self.pid("steerdns-doctor")
        done = self.change_version(self.new, self.new_version)
        self.assertEqual(self.state("steerdns-doctor"), "active")
        self.assertNotIn(self.pid("steerdns-doctor"), (watch, "0"))
        self.assertNotIn("conffile", done.stdout + done.stderr)
        self.assertEqual((self.machine.root / CONFIG[1:]).read_text(), ROUTED)

    def test_04_rollback_keeps_them_too(self):
        self.change_version(self.old, self.old_version, "--allow-downgrades")

    def test_05_a_refused_configuration_keeps_the_daemon(self):
        self.serving_with_rows()
        before = self.pid()
        self.configure("future_section: { key: 1 }\n" + ROUTED.replace("short_circuit: true", "short_circuit: true, future_key: 1"))
        done = self.machine.apt_install(self.new)
        output = done.stdout + done.stderr
        self.assertIn("future_key", output)
        self.assertIn("future_section", output)
        self.assertIn(f"steerdnsd was not restarted: version {self.new_version} refuses the configuration", output)
        self.assertEqual((self.pid(), self.running_version()), (before, self.old_version))
        self.assertTrue(self.answered())
        # At a start it is refused, with what it takes to go on.
        since = int(time.time())
        self.assertNotEqual(self.on("systemctl", "restart", "steerdnsd", check=False).returncode, 0)
        journal = self.journal(since)
        self.assertRegex(journal, r'steerdns\.yaml:\d+: unknown key "future_key" in cache')
        self.assertNotIn("served last", journal)  # an older version did
        self.configure(ROUTED)
        self.on("systemctl", "reset-failed", "steerdnsd")
        self.on("systemctl", "restart", "steerdnsd")
        until(self.answered, 20, "it answers again")
        self.assertEqual(self.running_version(), self.new_version)
        self.assertEqual(self.removed_rows(), [])

    def test_06_an_interrupted_upgrade_is_completed(self):
        """The process that configures the package is killed in the middle."""
        self.serving_with_rows()
        before, kept = self.pid(), self.rows()
        root = self.machine.root
        self.on("mkfifo", "/root/reached", "/root/never")
        (root / "root/systemd-sysusers").write_text("#!/bin/sh\necho reached >/root/reached\nread word </root/never\n")
        (root / "root/systemd-sysusers").chmod(0o755)
        self.on("mount", "--bind", "/root/systemd-sysusers", "/usr/bin/systemd-sysusers")
        dpkg = Process("dpkg", self.machine.argv("setsid", "dpkg", "-i", self.machine.take(self.old)), self.scene.folder / "dpkg.log")
        self.scene.network.processes.append(dpkg)
        self.assertEqual(self.on("timeout", "60", "cat", "/root/reached").stdout, "reached\n")
        # Stopped first: a parent must not go on because its child is dead. Some of them end by themselves at this moment.
        pids = family(dpkg.pid)
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        dpkg.child.wait(10)
        self.on("umount", "--lazy", "/usr/bin/systemd-sysusers")
        self.assertIn("half-configured", self.on("dpkg-query", "-W", "-f", "${Status}", "steerdns").stdout)
        self.assertEqual(self.pid(), before)
        self.assertTrue(self.answered())
        self.on("dpkg", "--configure", "-a")
        self.assertIn("ok installed", self.on("dpkg-query", "-W", "-f", "${Status}", "steerdns").stdout)
        until(self.answered, 20, "it answers again")
        self.assertEqual(self.running_version(), self.old_version)
        self.assertEqual((self.removed_rows(), self.rows()), ([], kept))

    def test_07_a_full_disk_changes_nothing(self):
        self.serving_with_rows()
        before, kept = self.pid(), self.rows()
        path = self.machine.take(self.new)
        data = sorted(p.name for p in (self.machine.root / "var/lib/steerdns").iterdir())
        filler = self.machine.fill_disk(left_mib=6)
        try:
            done = self.on("dpkg", "-i", path, check=False)
        finally:
            filler.unlink()
        self.assertNotEqual(done.returncode, 0)
        print("  " + "\n  ".join(line for line in done.stderr.splitlines() if line.startswith("steerdns:")))
        self.assertRegex(done.stderr, r"steerdns: not installed: /usr has \d+ MiB free and \d+ MiB are needed; free some space")
        self.assertEqual((self.pid(), self.running_version()), (before, self.old_version))
        self.assertTrue(self.answered())
        self.assertEqual((self.removed_rows(), self.rows()), ([], kept))
        self.assertEqual(sorted(p.name for p in (self.machine.root / "var/lib/steerdns").iterdir()), data)
        self.on("dpkg", "-i", path)
        until(self.answered, 20, "it answers again")
        self.assertEqual(self.running_version(), self.new_version)

    def test_08_a_stopped_daemon_stays_stopped(self):
        self.on("systemctl", "stop", "steerdnsd", "steerdns-doctor")
        self.on("dpkg", "-i", self.machine.take(self.old))
        self.assertEqual((self.state(), self.state("steerdns-doctor")), ("inactive", "inactive"))
        self.on("systemctl", "start", "steerdnsd", "steerdns-doctor")
        until(self.answered, 20, "it answers again")

    def test_08_recursion_is_two_commands_away(self):
        """A resolver of its own, whose only upstreams are the servers of the tree."""
        tree = Tree(self.scene.network, self.scene.folder / "tree")
        tree.serve()
        tree.route()
        shutil.copy(tree.hints, self.machine.root / "etc/steerdns/root.hints")
        self.configure(RECURSION.replace("ANCHOR", tree.anchor.replace("\t", " ")))
        refused = self.on("steerdnsd", "--check", "--config", CONFIG, check=False)
        command = re.search(r"run '(apt-get install .*?)'", refused.stdout + refused.stderr)[1]
        self.on("sh", "-c", command, outside=True)
        self.machine.keep_archives()
        self.on("systemctl", "disable", "--now", "unbound")
        self.on("systemctl", "restart", "steerdnsd")
        until(lambda: self.scene.short("www.good.example", "A") == [ADDRESS], 30, "it resolves from the root")
        one, = self.reported("recursion")["instances"]
        self.assertEqual(self.on("stat", "-c", "%U", f"/proc/{one['pid']}").stdout.strip(), "steerdns-recursion")
        self.assertEqual(self.on("stat", "-c", "%U %a", "/var/lib/unbound/steerdns/0").stdout.strip(), "steerdns-recursion 770")
        self.assertIn("SERVFAIL", self.scene.kdig("www.expired.example", "A"))
        # A change without a restart, a failure, and what stays after an upgrade.
        self.configure(RECURSION.replace("ANCHOR", tree.anchor.replace("\t", " ")).replace("[]", "[expired.example]"))
        self.on("systemctl", "reload", "steerdnsd")
        self.on("steerctl", "recursion", "flush", "--below", "expired.example")
        until(lambda: self.scene.short("www.expired.example", "A") == [ADDRESS], 10, "it is not validated")
        self.assertEqual(self.reported("recursion")["instances"][0]["pid"], one["pid"])
        self.on("sh", "-c", f"kill -9 {one['pid']}")
        until(lambda: self.reported("recursion")["instances"][0]["restarts"] == 1 and self.reported("recursion")["instances"][0]["up"], 20,
              "it is started again")
        self.configure(ROUTED)
        self.on("systemctl", "restart", "steerdnsd")
        until(self.answered, 20, "it answers as before")
        self.on("apt-get", "purge", "-y", "-q", "unbound", "dns-root-data")

    def test_09_removed_while_serving_rows_and_data_stay(self):
        self.serving_with_rows()
        kept = self.rows()
        done = self.on("apt-get", "remove", "-y", "-q", "steerdns")
        self.assertIn("Rows on routers end by their timeouts", done.stdout + done.stderr)
        self.assertEqual((self.state(), self.state("steerdns-doctor")), ("inactive", "inactive"))
        self.assertEqual((self.removed_rows(), self.rows()), ([], kept))
        self.assertEqual((self.machine.root / CONFIG[1:]).read_text(), ROUTED)
        self.assertTrue((self.machine.root / "var/lib/steerdns/cache.dump").exists())
        self.assertFalse((self.machine.root / "usr/sbin/steerdnsd").exists())

    def test_10_installed_again_it_goes_on(self):
        self.scene.resolver.send_signal(signal.SIGSTOP)
        try:
            self.machine.apt_install(self.new)
            until(self.answered, 20, "the cache that stayed answers")
        finally:
            self.scene.resolver.send_signal(signal.SIGCONT)

    def test_11_purged_nothing_is_left(self):
        for name in ("steerdns.password", "steerdns.rsc", "steerdns-undo.rsc", "page.token"):
            (self.machine.root / "etc/steerdns" / name).write_text("secret\n")
        self.on("apt-get", "purge", "-y", "-q", "steerdns")
        self.assertEqual(self.state(), "inactive")
        for path in ("etc/steerdns", "var/lib/steerdns", "var/lib/steerdns-setup", "var/log/steerdns", "run/steerdns", "usr/share/doc/steerdns"):
            self.assertFalse((self.machine.root / path).exists(), path)
        left = self.on("find", "/etc", "/usr", "/var/lib", "-xdev", "-name", "*steerdns*", "-not", "-path", "*/apt/*",
                       "-not", "-name", "steerdns-test-root").stdout
        self.assertEqual(left, "")
        self.assertEqual(self.removed_rows(), [])
        self.assertTrue(self.on("getent", "passwd", "steerdns").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2, failfast=True)
