"""What root does later with what the daemon's user can write: the package's postinst and logrotate, each tried by that user.

usage: scripts_test.py BUILD     BUILD: the folder whose steerdnsd is the installed one. Needs root.

The scripts run as they are, in a view of this machine's files of their own (mount namespace) that has the user, the program and a
systemctl of the test.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
POSTINST = ROOT / "configs/debian/steerdns.postinst"
UID = 4711
GOOD = (ROOT / "configs/steerdns.yaml").read_text()
# What the real one prints for the unit of the tree, with a drop-in's environment.
SYSTEMCTL = """#!/bin/sh
case "$*" in
    *ActiveState*) echo active ;;
    *MainPID*) cat {folder}/pid ;;
    *ExecStart*) echo '{{ path=/usr/sbin/steerdnsd ; argv[]={command} ; ignore_errors=no ; start_time=[n/a] ; pid=1 ; status=0/0 }}' ;;
    *EnvironmentFiles*) echo '{folder}/environment (ignore_errors=yes)' ;;
    *Environment*) cat {folder}/shown ;;
    *is-active*) exit 3 ;;
esac
"""
# `systemctl show` quotes as a shell does. Its unit has Environment="SAYS=he said \"it's $5\"" and similar ones.
ENVIRONMENT_SHOWN = r'''LEVEL=info "TWO=two words" "SAYS=he said \"it's \$5\" \\o/ \`" "LINES=one\ntwo" "STAR=*"''' + "\n"
# systemd.exec(5): comments, quotes, escapes, a line that goes on.
ENVIRONMENT_FILE = r"""# of the operator
; DEAD=comment
THREE='three words'
FOUR="a \"quoted\" word"
FIVE=plain words with it's \"end\"  \
  SIX=6
 SEVEN = spaced
EIGHT='a\b'"c"
NINE=
"""
IN_ENVIRONMENT = {"LEVEL": "info", "TWO": "two words", "SAYS": "he said \"it's $5\" \\o/ `", "LINES": "one\ntwo", "STAR": "*", "THREE": "three words",
                  "FOUR": 'a "quoted" word', "FIVE": "plain words with it's \"end\"    SIX=6", "SEVEN": "spaced", "EIGHT": "a\\bc", "NINE": ""}
# The daemon after a break-in: as itself it waits; run by another user it says which.
TAKEN_OVER = "id -u >>{folder}/ran; [ $(id -u) != 0 ] || exit 0; echo >{folder}/started; read -r word <{folder}/never"


class Scripts(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="steerdns-scripts-")))
        self.folder.chmod(0o777)
        self.etc, self.sbin, self.bin = (self.folder / name for name in ("etc", "sbin", "bin"))
        for path in (self.etc / "steerdns", self.sbin, self.bin):
            path.mkdir(parents=True)
            path.chmod(0o755)
        for name, line in (("passwd", f"steerdns:x:{UID}:{UID}::/nonexistent:/bin/sh\n"), ("group", f"steerdns:x:{UID}:\n")):
            (self.etc / name).write_text(pathlib.Path("/etc", name).read_text() + line)
        self.config = self.etc / "steerdns/steerdns.yaml"
        self.config.write_text(GOOD)
        os.chown(self.config, 0, UID)
        self.config.chmod(0o640)
        unit = (ROOT / "configs/steerdnsd.service.in").read_text().replace("@sbindir@", "/usr/sbin")
        self.command, = (line.partition("=")[2] for line in unit.splitlines() if line.startswith("ExecStart="))
        self.script(self.bin / "systemctl", SYSTEMCTL.format(folder=self.folder, command=self.command))
        for name in ("systemd-sysusers", "systemd-tmpfiles", "deb-systemd-invoke", "dpkg-query"):
            self.script(self.bin / name, f'#!/bin/sh\necho "{name} $*" >>{self.folder}/calls\n')
        (self.folder / "environment").write_text(ENVIRONMENT_FILE)
        (self.folder / "shown").write_text(ENVIRONMENT_SHOWN)

    def script(self, path, text):
        path.write_text(text)
        path.chmod(0o755)

    def view(self, *words, before="true"):
        """Runs these words in the view."""
        binds = (f"mount -t overlay overlay -o lowerdir={self.etc}:/etc /etc && mount -t overlay overlay -o lowerdir={self.sbin}:/usr/sbin /usr/sbin && "
                 f"mount -t tmpfs none /run && mkdir -p /run/systemd/system && {before} && exec \"$@\"")
        return subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", binds, "sh", *words], text=True,
                              capture_output=True, env={"PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin"}, timeout=60)

    def upgraded(self, before=()):
        done = self.view(*before, "sh", str(POSTINST), "configure", "0.0")
        self.assertEqual(done.returncode, 0, done.stderr)
        return "deb-systemd-invoke restart steerdnsd.service" in (self.folder / "calls").read_text(), done.stderr

    def installed(self):
        shutil.copy(BUILD / "steerdnsd", self.sbin / "steerdnsd")

    def test_an_upgrade_runs_nothing_that_the_daemon_chose(self):
        for name in ("started", "never"):
            os.mkfifo(self.folder / name)
            (self.folder / name).chmod(0o666)
        taken = subprocess.Popen(["/bin/sh", "-c", TAKEN_OVER.format(folder=self.folder)], user=UID, group=UID, extra_groups=[])
        self.addCleanup(taken.wait)
        self.addCleanup(taken.kill)
        (self.folder / "pid").write_text(f"{taken.pid}\n")
        (self.folder / "started").read_text()
        self.installed()
        is_restarted, output = self.upgraded()
        self.assertEqual((self.folder / "ran").read_text().split(), [str(UID)], "it ran once more, as that user")
        self.assertTrue(is_restarted, output)

    def checks(self, **how):
        """Words, environment, ids and rights of each check of an upgrade; whether the daemon is restarted; what is said."""
        (self.folder / "pid").write_text("1\n")
        code = ("import json, os, re; status = open('/proc/self/status').read(); "
                "row = [__import__('sys').argv[1:], dict(os.environ), os.getuid(), os.getgid(), dict(re.findall(r'(NoNewPrivs|CapEff|CapBnd):\\t(.*)', status))]; "
                f"open('{self.folder}/checked', 'a').write(json.dumps(row) + chr(10))")
        self.script(self.sbin / "steerdnsd", f'#!/bin/sh\nexec /usr/bin/python3 -I -c "{code}" "$@"\n')
        (self.folder / "checked").touch()
        (self.folder / "checked").chmod(0o666)
        is_restarted, output = self.upgraded(**how)
        return [json.loads(line) for line in (self.folder / "checked").read_text().splitlines()], is_restarted, output

    def test_the_check_is_the_installed_program_with_the_units_options_and_no_right_to_write(self):
        (row,), is_restarted, output = self.checks()
        words, environment, uid, gid, rights = row
        self.assertEqual(words, [*self.command.split()[1:], "--check"])
        self.assertEqual((uid, gid), (UID, UID))
        self.assertEqual(rights, {"NoNewPrivs": "1", "CapEff": "0000000000000004", "CapBnd": "0000000000000004"})  # DAC_READ_SEARCH
        self.assertTrue(is_restarted, output)

    def test_the_check_has_the_environment_of_the_unit(self):
        """As systemd quotes it, and as an EnvironmentFile has it."""
        (row,), is_restarted, output = self.checks()
        environment = {name: value for name, value in row[1].items() if name not in ("PATH", "PWD", "SHLVL", "_", "LC_CTYPE")}
        self.assertEqual(environment, IN_ENVIRONMENT)
        self.assertTrue(is_restarted, output)

    def test_an_option_with_a_star_is_no_list_of_files(self):
        self.command += " --directory /etc/pass*"
        self.script(self.bin / "systemctl", SYSTEMCTL.format(folder=self.folder, command=self.command))
        (row,), _, _ = self.checks()
        self.assertEqual(row[0][-3:], ["--directory", "/etc/pass*", "--check"])

    def test_a_check_without_the_right_to_read_everything_says_so(self):
        """As in a container whose root has few capabilities."""
        lacks = ("setpriv", "--bounding-set", "-dac_read_search,-dac_override,-setpcap", "--inh-caps", "-all")
        (row,), is_restarted, output = self.checks(before=lacks)
        self.assertEqual((row[2], row[4]["CapEff"]), (UID, "0" * 16))
        self.assertTrue(is_restarted, output)
        self.assertNotIn("CAP_DAC_READ_SEARCH", output, "nothing was refused")
        (self.folder / "calls").unlink()
        self.installed()
        self.config.chmod(0o600)
        is_restarted, output = self.upgraded(before=lacks)
        self.assertFalse(is_restarted)
        self.assertIn("the configuration cannot be read: Permission denied", output)
        self.assertIn("the check ran without CAP_DAC_READ_SEARCH, so it read only what the user steerdns may read", output)

    def test_a_check_that_cannot_run_is_no_refused_configuration(self):
        (self.folder / "pid").write_text("1\n")
        self.installed()
        is_restarted, output = self.upgraded(before=("setpriv", "--bounding-set", "-setuid,-setgid,-setpcap", "--inh-caps", "-all"))
        self.assertFalse(is_restarted)
        self.assertNotIn("refuses the configuration", output)
        self.assertIn("steerdnsd was not restarted: its configuration could not be checked (errors above)", output)

    def test_a_refused_configuration_keeps_the_daemon(self):
        (self.folder / "pid").write_text("1\n")
        self.installed()
        self.config.write_text(GOOD + "\nfuture_section: { key: 1 }\n")
        is_restarted, output = self.upgraded()
        self.assertFalse(is_restarted)
        self.assertIn("future_section", output)
        self.assertIn("steerdnsd was not restarted", output)

    def test_a_link_in_place_of_the_configuration_does_not_give_its_target_away(self):
        secret = self.folder / "secret"
        secret.write_text("secret")
        self.config.unlink()
        self.config.symlink_to(secret)
        self.installed()
        self.view("sh", str(POSTINST), "configure", "")
        self.assertEqual(secret.stat().st_gid, 0)

    def test_only_the_daemons_unit_starts_anything_as_root(self):
        """The doctor and the announcer of anycast are the daemon's user from their first instruction."""
        for path in (ROOT / "configs").glob("*.service.in"):
            lines = dict(line.split("=", 1) for line in path.read_text().splitlines() if re.match(r"\w+=", line))
            started = re.findall(r"(?m)^(Exec\w+)=(\W*)(\S+)", path.read_text())
            with self.subTest(unit=path.name):
                self.assertEqual([words for words in started if set(words[1]) & set("+!")],
                                 [("ExecReload", "+/", "bin/sh")] if path.name == "steerdnsd.service.in" else [])
                self.assertEqual(lines["NoNewPrivileges"], "yes")
                if path.name != "steerdnsd.service.in":
                    self.assertEqual(lines["User"], "steerdns")
                    # systemd reads these as root, and only root writes in their folder.
                    self.assertRegex(lines["EnvironmentFile"], r"^-/etc/default/steerdns-\w+$")

    def test_each_point_of_the_units_exposure_has_its_reason_in_security_md(self):
        """As `systemd-analyze security` of Debian 12 counts it; other versions weigh other points."""
        tool = shutil.which("systemd-analyze")
        if tool is None or not subprocess.run([tool, "--version"], text=True, capture_output=True).stdout.startswith("systemd 252"):
            self.skipTest("needs systemd-analyze of systemd 252")
        unit = self.folder / "steerdnsd.service"
        unit.write_text((ROOT / "configs/steerdnsd.service.in").read_text().replace("@sbindir@", "/usr/sbin"))

        def analyzed(*words):
            return subprocess.run([tool, "security", "--offline=true", "--no-pager", *words, str(unit)], text=True,
                                  capture_output=True, timeout=60).stdout

        points = [round(10 * float(point["exposure"])) for point in json.loads(analyzed("--json=short")) if point["exposure"]]
        page = (ROOT / "docs/explanation/security.md").read_text().partition("## The systemd unit\n")[2].partition("\n## ")[0]
        explained = re.findall(r"(?m)^\| [^|]+ \| (\d\.\d) \| \S.* \|$", page)
        self.assertEqual(sum(points), sum(round(10 * float(value)) for value in explained))
        overall = re.search(r"Overall exposure level for steerdnsd.service: (\d\.\d)", analyzed())[1]
        self.assertIn(f"`systemd-analyze security steerdnsd` gives {overall},", page)

    def test_logrotate_works_in_the_log_folder_as_its_owner(self):
        logs = self.folder / "log"
        logs.mkdir()
        os.chown(logs, UID, 4)
        (logs / "steerdns.log").write_text("a line\n")
        os.chown(logs / "steerdns.log", UID, 4)
        self.script(self.bin / "gzip", f"#!/bin/sh\nid -u >>{self.folder}/compressed\nexec /bin/gzip\n")
        (self.folder / "compressed").touch()
        (self.folder / "compressed").chmod(0o666)
        text = (ROOT / "configs/steerdns.logrotate").read_text().replace("/var/log/steerdns", str(logs))
        rules = self.folder / "rules"
        rules.write_text(text.replace("    compress\n", f"    compress\n    compresscmd {self.bin}/gzip\n"))
        self.folder.chmod(0o755)
        for _ in range(2):  # the second one compresses
            done = self.view("logrotate", "--force", "--state", str(self.folder / "state"), str(rules))
            self.assertEqual(done.returncode, 0, done.stderr)
            (logs / "steerdns.log").write_text("a line\n")
        self.assertEqual((self.folder / "compressed").read_text().split(), [str(UID)])
        self.assertEqual({path.stat().st_uid for path in logs.iterdir()}, {UID})
        self.assertTrue((logs / "steerdns.log.2.gz").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
