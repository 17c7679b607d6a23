"""`steerctl setup` in the lab's network: its findings, its changes on request, and how it takes them back.

/etc and /var/lib are overlays in each command's mount namespace: nothing is written to the machine's own.
"""

import json
import re
import subprocess
import sys
import unittest

from lab.network import run
from lab.scene import ROOT, Scene

BUILD = sys.argv.pop(1)
LINE = r"(ok|advice|problem) ([a-z-]+): .+"
HOLDER = ("import signal, socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('172.16.1.2', 53))\n"
          "print('ready', flush=True)\nsignal.pause()\n")
RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
RESERVED = "/proc/sys/net/ipv4/ip_local_reserved_ports"


class Setup(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("setup", BUILD))
        for name in ("upper", "work", "lib", "lib-work"):
            (self.scene.folder / name).mkdir()
        self.upper = self.scene.folder / "upper"
        self.undo_file = self.scene.folder / "lib/steerdns-setup/undo.sh"
        self.config = self.scene.folder / "steerdns.yaml"
        self.config.write_text((ROOT / "configs/minimal.yaml").read_text())

    def with_overlays(self, *argv):
        mount = "".join(f"mount -t overlay overlay -o lowerdir={at},upperdir={self.scene.folder}/{upper},workdir={self.scene.folder}/{work} {at} && "
                        for at, upper, work in (("/etc", "upper", "work"), ("/var/lib", "lib", "lib-work")))
        return self.scene.network.argv("appliance", "sh", "-c", mount + 'exec "$@"', "sh", *argv)

    def argv(self, *options):
        return self.with_overlays(f"{BUILD}/tools/steerctl/steerctl", "setup", "--config", str(self.config), *options)

    def setup(self, *options):
        return run(*self.argv(*options), check=False, timeout=60)

    def apply_only(self, check):
        """Says yes to this finding and no to all others. The commands that ran."""
        child = subprocess.Popen(self.argv("--apply"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        shown, line = "", ""
        while part := child.stdout.read(1):
            shown, line = shown + part, line + part
            if line.endswith("[y/N] "):
                asked = re.findall(rf"^{LINE}$", shown, re.M)[-1][1]
                child.stdin.write("y\n" if asked == check else "n\n")
                child.stdin.flush()
            line = "" if part == "\n" else line
        child.stdin.close()
        child.stdout.close()
        self.assertIn(child.wait(), (0, 1), shown)  # 1: a problem is left, of this machine
        return re.findall(r"run:  (.*)$", shown, re.M)

    def in_appliance(self, *argv):
        return self.scene.network.run("appliance", *argv).stdout.strip()

    def lines(self):
        done = self.setup("--check")
        found = [re.fullmatch(LINE, line) for line in done.stdout.splitlines()]
        self.assertTrue(found and all(found), done.stdout + done.stderr)
        self.assertEqual(done.returncode, int(any(one[1] == "problem" for one in found)), done.stdout)
        return {one[2]: one[0] for one in found}

    def test_each_finding_is_a_line_and_a_json_object(self):
        found = self.lines()
        self.assertRegex(found["kernel"], r"^ok kernel: Linux \d")
        self.assertRegex(found["xdp"], r"^ok xdp: eth0: AF_XDP can be used")
        self.assertEqual(found["port-taken"], "ok port-taken: the ports to answer on are free")
        reported = json.loads(self.setup("--json").stdout)["findings"]
        self.assertEqual({one["check"] for one in reported}, set(found))
        for one in reported:
            for step in one["steps"]:
                self.assertTrue(step["command"] and step["undo"], one)

    def test_a_taken_port_53_is_a_problem(self):
        holder = self.scene.network.start("appliance", "holder", "/usr/bin/python3", "-c", HOLDER)
        holder.wait_for("ready")
        self.assertIn(f"problem port-taken: port 53 (UDP) is taken by python3 (pid {holder.pid}", self.lines()["port-taken"])
        self.assertEqual(self.setup("--check").returncode, 1)
        holder.stop()

    def test_a_sysctl_is_set_kept_and_taken_back(self):
        self.assertIn("ok reserved-ports:", self.lines()["reserved-ports"])
        self.in_appliance("sh", "-c", f"echo 1024 65535 > {RANGE}; echo 8080 > {RESERVED}")
        self.assertIn("advice reserved-ports:", self.lines()["reserved-ports"])
        self.assertEqual(self.in_appliance("cat", RESERVED), "8080", "nothing is done without --apply")
        self.assertEqual(len(self.apply_only("reserved-ports")), 2)
        self.assertEqual(self.in_appliance("cat", RESERVED), "8080,10240-26623")
        kept = self.upper / "sysctl.d/60-steerdns-ports.conf"
        self.assertEqual(kept.read_text(), "net.ipv4.ip_local_reserved_ports = 8080,10240-26623\n")
        self.assertEqual(self.undo_file.stat().st_mode & 0o777, 0o700)
        self.assertEqual(self.undo_file.parent.stat().st_mode & 0o777, 0o700)
        # A second time there is nothing to do.
        self.assertIn("ok reserved-ports:", self.lines()["reserved-ports"])
        self.assertEqual(self.apply_only("reserved-ports"), [])
        done = self.setup("--undo", "--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.in_appliance("cat", RESERVED), "8080")
        self.assertFalse(kept.is_file())
        self.assertIn("nothing to take back", self.setup("--undo", "--yes").stdout)

    def test_an_undo_file_that_the_daemons_user_wrote_is_not_run(self):
        """The folder of the configuration is writable, as a guide permits it."""
        recipe = re.search(r"^chown root:steerdns /etc/steerdns && chmod 2775 /etc/steerdns$",
                           (ROOT / "docs/guides/control.md").read_text(), re.M)[0]
        made = self.scene.folder / "made-by-root"
        former = "/etc/steerdns/setup-undo.sh"
        hostile = f"setpriv --reuid steerdns --regid steerdns --clear-groups sh -c 'echo touch {made} > {former}; chmod 755 {former}'"
        run(*self.with_overlays("sh", "-ec", f"useradd --system --no-create-home steerdns; mkdir -p /etc/steerdns; {recipe}; {hostile}"))
        done = self.setup("--undo", "--yes")
        self.assertFalse(made.exists(), done.stdout)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(f"not run: touch {made}", done.stdout)
        self.assertIn(f'"{former}" is not run: others may write its folder', done.stdout)
        # What we did ourselves is taken back all the same.
        self.in_appliance("sh", "-c", f"echo 1024 65535 > {RANGE}; echo 8080 > {RESERVED}")
        self.assertEqual(len(self.apply_only("reserved-ports")), 2)
        done = self.setup("--undo", "--yes")
        self.assertEqual(self.in_appliance("cat", RESERVED), "8080")
        self.assertFalse(made.exists(), done.stdout)

    def test_the_undo_file_of_an_older_version_is_taken_over(self):
        made = self.scene.folder / "taken-back"
        run(*self.with_overlays("sh", "-ec", "mkdir -p /etc/steerdns && chmod 755 /etc/steerdns && cd /etc/steerdns && "
                                f"echo 'touch {made}' > setup-undo.sh && chmod 700 setup-undo.sh"))
        done = self.setup("--undo", "--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(made.exists(), done.stdout)
        self.assertIn("nothing to take back", self.setup("--undo", "--yes").stdout)

    def test_a_wrong_configuration_and_wrong_options_are_refused(self):
        self.config.write_text("plugins: 3\n")
        done = self.setup("--check")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, r"^error: \S+/steerdns.yaml:1: ")
        self.assertEqual(self.setup("--check", "--apply").returncode, 2)
        self.config.unlink()
        self.assertEqual(self.setup().returncode, 2)

    def test_only_root_may_apply_changes(self):
        argv = (f"{BUILD}/tools/steerctl/steerctl", "setup", "--config", str(ROOT / "configs/minimal.yaml"))
        done = run("setpriv", "--reuid=65534", "--clear-groups", *argv, "--apply", check=False)
        self.assertEqual((done.returncode, done.stderr), (2, "steerctl: setup changes this machine: run it as root\n"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
