"""A first configuration: `steerdnsd --init` by options and at a terminal, started as written."""

import os
import pathlib
import pty
import re
import signal
import stat
import sys
import termios
import unittest

from lab.network import run, until
from lab.scene import PASSWORD, ROOT, USER, Scene

from page_lab import Router

sys.path.append(str(ROOT / "tests/unit/setup"))
import router_model  # noqa: E402

BUILD = sys.argv.pop(1)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


class Init(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("init", BUILD))
        self.folder = self.scene.folder / "etc"
        self.file = self.folder / "steerdns.yaml"
        self.commands = self.folder / "steerdns.rsc"
        self.undo = self.folder / "steerdns-undo.rsc"
        self.password = self.folder / "steerdns.password"

    def argv(self, *options):
        return (f"{BUILD}/steerdnsd", "--init", str(self.file), *options)

    def init(self, *options, code=0, **how):
        done = self.scene.network.run("appliance", *self.argv(*options), check=False, timeout=60, **how)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def routed(self, *options):
        return self.init("--yes", "--upstream", "1.1.1.1", "--router", "172.16.1.1", "--names", "stream.example",
                         *options)

    def is_good(self):
        done = self.scene.network.run("appliance", f"{BUILD}/steerdnsd", "--check", str(self.file))
        self.assertEqual(done.stdout.splitlines()[-1], f"{self.file} is good")
        return done.stderr

    # What it writes -----------------------------------------------------------------------------------------

    def test_options_make_a_configuration_that_serves_and_writes_rows(self):
        scene = self.scene
        given = scene.folder / "given"
        given.write_text(PASSWORD + "\n")
        done = self.routed("--router-user", USER, "--router-password-file", str(given), "--gateway", "10.9.0.1", "--page", "no")
        self.assertIn(f"wrote {self.file} (", done.stdout)
        self.assertIn(f"steerdnsd --config {self.file}", done.stdout)
        self.assertIn("kdig @172.16.1.2 stream.example", done.stdout)
        self.is_good()
        self.assertEqual((mode(self.file), mode(self.commands)), (0o640, 0o600))
        self.assertFalse(self.password.exists(), "it is in a file already")
        block = self.commands.read_text()
        for filled in ('\n# :set dnsAddress4 "172.16.1.2"\n', '\n# :set dnsAddress6 "fd16::2"\n', ':local apiClient "172.16.1.2"',
                       f':local apiPassword1 "{PASSWORD}"', ':local gateway1v4 "10.9.0.1"'):
            self.assertIn(filled, block)
        self.assertNotIn(": undo", block)
        self.assertEqual(self.file.read_text().count("dump_file: /var/lib/steerdns/"), 1)
        self.file.write_text(self.file.read_text().replace("/var/lib/steerdns/", f"{scene.folder}/"))
        scene.start_resolver()
        scene.start_router()
        scene.start_daemon(self.file)
        until(lambda: scene.reported("routers")["routers"][0]["state"] == "in_sync", 10, "the router is in sync")
        self.assertEqual(set(scene.short("stream.example", "A")), {"203.0.113.10", "203.0.113.11"})
        scene.wait_rows({("policy_v4", "203.0.113.10"), ("policy_v4", "203.0.113.11")})
        self.assertEqual(scene.short("other.example", "A"), ["198.51.100.1"])
        self.assertEqual({row["list"] for row in scene.rows()}, {"policy_v4"})

    def test_the_undo_is_a_file_of_its_own_without_the_password(self):
        self.routed()
        undo = self.undo.read_text()
        self.assertEqual(mode(self.undo), 0o600)
        self.assertIn("/user remove [find where name=\"steerdns\"", undo)
        self.assertNotIn(":local undo", undo)
        self.assertNotIn(self.password.read_text().strip(), undo)

    def test_import_moves_clients_by_its_last_step_only(self):
        """Clients that are moved before the daemon answers have no DNS."""
        self.routed("--gateway", "10.9.0.1")
        block = self.commands.read_text()
        router = router_model.Router(Router.BEFORE)

        def imported(text):
            output = router_model.Script(text).run(router)
            self.assertEqual(output, [])
            self.assertIn("setup complete", router.printed[-1])
            (network,), (advertised,) = (router.rows(menu).values() for menu in ("/ip dhcp-server network", "/ipv6 nd"))
            return network["dns-server"], advertised["dns"], router.rows("/user")

        dns4, dns6, users = imported(block)
        self.assertEqual((dns4, dns6), (["1.1.1.1"], []))
        self.assertEqual([user["address"] for user in users.values() if user.get("group")], ["172.16.1.2"])
        dns4, dns6, again = imported(block.replace("\n# :set dnsAddress", "\n:set dnsAddress"))
        self.assertEqual((dns4, dns6), (["172.16.1.2"], ["fd16::2"]))
        self.assertEqual(len(again), len(users))

    def test_a_new_password_is_readable_by_its_group_alone(self):
        self.routed()
        secret = self.password.read_text().strip()
        self.assertEqual((len(secret), mode(self.password), mode(self.commands)), (24, 0o640, 0o600))
        self.assertIn(f'apiPassword1 "{secret}"', self.commands.read_text())
        self.assertNotIn(secret, self.file.read_text())
        self.assertIn('gateway1v4 ""', self.commands.read_text())
        self.is_good()

    def test_existing_files_are_kept_without_force(self):
        self.routed()
        before = {path: path.read_text() for path in (self.file, self.password, self.commands, self.undo)}
        done = self.init("--yes", "--upstream", "1.1.1.1", code=1)
        self.assertEqual(done.stderr, f"error: {self.file} is there already: write --force to replace it, or name "
                                      "another file\n")
        self.file.unlink()
        done = self.init("--yes", "--upstream", "1.1.1.1", "--router", "172.16.1.1", "--names", "stream.example",
                         code=1)
        self.assertIn(f"error: {self.password} is there already", done.stderr)
        self.assertFalse(self.file.exists())
        self.routed("--force")
        self.assertEqual(self.file.read_text(), before[self.file])
        self.assertNotEqual(self.password.read_text(), before[self.password])

    def test_without_a_router_one_file_is_written(self):
        done = self.init("--yes", "--upstream", "1.1.1.1")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["steerdns.yaml"])
        self.assertEqual(self.is_good(), "")
        self.assertEqual(done.stdout.count("wrote "), 1)

    def test_a_page_a_list_of_ads_and_a_log_work_at_once(self):
        scene = self.scene
        scene.folder.chmod(0o755)
        state = scene.folder / "state"
        state.mkdir()
        state.chmod(0o777)
        (scene.folder / "ads").write_text("0.0.0.0 ads.example\n")
        done = self.init("--yes", "--upstream", "1.1.1.1", "--block-ads", str(scene.folder / "ads"), "--log", "7")
        self.assertIn("4. Open the page by the link of:  steerctl page\n", done.stdout)
        text = self.file.read_text()
        self.assertIn("  http: on ", text)
        # The lab shares the machine's /var.
        self.file.write_text(text.replace("http: on ", f'http: {{ listen: ":9154", folder: {state}/page }} ').replace("/var/lib/steerdns", str(state)))
        self.is_good()
        scene.start_resolver()
        scene.start_daemon(self.file)
        self.assertEqual(scene.short("ads.example"), ["0.0.0.0"])
        self.assertEqual(scene.short("other.example"), ["198.51.100.1"])
        until(lambda: {query["name"] for query in scene.reported("history")["queries"]} >= {"ads.example", "other.example"}, 10, "both are in the log")
        link = re.search(r"^  (https://172\.16\.1\.2:9154/)#login/\S+$", scene.steerctl("page"), re.MULTILINE)
        self.assertIn("<title>SteerDNS</title>", scene.network.run("client", "curl", "-sSk", link[1]).stdout)

    # What it refuses ----------------------------------------------------------------------------------------

    def test_a_closed_input_is_an_error(self):
        done = self.init(code=2, stdin=-3)
        self.assertRegex(done.stderr, r"^error: the input ended at question 1 \(interface\): answer it by "
                                      r"--interface, or take the defaults by --yes\n$")
        self.assertFalse(self.file.exists())

    def test_an_invalid_option_is_refused(self):
        done = self.init("--yes", "--interface", "eth7", code=2)
        self.assertEqual(done.stderr, 'error: --interface cannot be taken: there is no interface "eth7" here; there '
                                      "are: eth0\n")
        done = run(f"{BUILD}/steerdnsd", "--router", "172.16.1.1", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--init", done.stderr)
        self.assertFalse(self.folder.exists())

    def test_an_unwritable_folder_is_refused(self):
        self.file = pathlib.Path("/proc/steerdns.yaml")
        done = self.init("--yes", "--upstream", "1.1.1.1", code=1)
        self.assertRegex(done.stderr, r"^error: /proc/steerdns.yaml cannot be written: ")

    # At a terminal ------------------------------------------------------------------------------------------

    def typed(self, answers, *options):
        """Answers each prompt, (end of prompt, answer), as a person does. Returns what the terminal showed."""
        child, terminal = pty.fork()
        if child == 0:
            os.execvp("ip", self.scene.network.argv("appliance", *self.argv(*options)))
        shown, seen = b"", 0
        for prompt, answer in answers:
            while prompt.encode() not in shown[seen:]:
                shown += os.read(terminal, 4096)
            seen = len(shown)
            os.write(terminal, answer.encode() + b"\n")
        try:
            while part := os.read(terminal, 4096):
                shown += part
        except OSError:  # Linux: the other end is closed
            pass
        os.close(terminal)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), shown.decode()

    def test_the_questions_are_answered_at_a_terminal(self):
        secret = 'x# "$${y}: \\z'
        code, shown = self.typed([
            ("interface [eth0]: ", ""),
            ("resolvers", "ftp://x"),
            ("That cannot be taken", "1.1.1.1"),
            ("clients [private]: ", ""),
            ("router [none]: ", "172.16.1.1"),
            ("its API user [steerdns]: ", USER),
            ("its password [a new one]: ", secret),
            ("API over TLS [no]: ", ""),
            ("names: ", "stream.example media.example"),
            ("address list [policy]: ", "tunnel"),
            ("next hop of that way, IPv4 [later]: ", "wg1"),
            ("next hop of that way, IPv6 [none]: ", ""),
            ("prefix [none]: ", ""),
            ("page [yes]: ", "no"),
            ("ads [no]: ", ""),
            ("days [no]: ", ""),
        ])
        self.assertEqual(code, 0, shown)
        self.assertNotIn(secret, shown)
        self.assertEqual(self.password.read_text(), secret + "\n")
        self.assertIn(":local gateway1v4 \"wg1\"", self.commands.read_text())
        self.assertIn("address_list4: tunnel_v4", self.file.read_text())
        self.is_good()

    def test_a_terminal_shows_what_is_typed_after_control_c_at_the_password(self):
        child, terminal = pty.fork()
        if child == 0:
            os.execvp("ip", self.scene.network.argv("appliance", *self.argv(
                "--interface", "eth0", "--upstream", "1.1.1.1", "--allow", "private", "--router", "172.16.1.1",
                "--router-user", USER)))
        shown = b""
        while b"its password [a new one]: " not in shown:
            shown += os.read(terminal, 4096)
        self.assertFalse(termios.tcgetattr(terminal)[3] & termios.ECHO, "hidden while the password is typed")
        ended = []

        def interrupt():
            # One that comes between the prompt and the read does not end the read (readpassphrase(3bsd)).
            os.write(terminal, b"\x03")
            pid, status = os.waitpid(child, os.WNOHANG)
            ended.append(status)
            return pid == child
        until(interrupt, 20, "Control-C ends it")
        status = ended[-1]
        self.assertEqual(os.waitstatus_to_exitcode(status), -signal.SIGINT)
        self.assertTrue(termios.tcgetattr(terminal)[3] & termios.ECHO, "shown again")
        os.close(terminal)

    def test_control_c_leaves_no_file(self):
        code, _ = self.typed([("interface [eth0]: ", "\x03")])
        self.assertNotEqual(code, 0)
        self.assertFalse(self.folder.exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
