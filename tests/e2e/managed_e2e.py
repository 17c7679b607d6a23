"""The layer managed.yaml over the configuration, with a daemon that starts as root and becomes a user: what it overrides, what is
refused, its last good copy, and what root does not open.

    managed_e2e.py BUILD
"""

import json
import os
import pathlib
import pwd
import shutil
import sys
import unittest

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
OWNER = "games"  # the user that the daemon becomes
OTHER = "mail"
NO_USER = pwd.getpwuid(65534).pw_name
CONFIG = """# The operator's own file.
control:
  user: {user}
  watch: off
  managed: {state}/managed.yaml
  history: {state}/versions
  images: {state}/images
  lists: {state}/lists
plugins:
  - {{ tag: up, type: forward, args: {{ concurrent: 1, upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - tag: main
    type: sequence
    args:
      - {{ matches: qname blocked.example, exec: reject 3 }}
      - {{ exec: $up }}
"""
LAYER = """# by a form
plugins:
  - tag: main
    args:
      - { matches: qname other.example, exec: reject 3 }
      - { exec: $up }
"""


class Managed(unittest.TestCase):
    def setUp(self):
        scene = self.scene = self.enterContext(Scene("managed", BUILD))
        scene.start_resolver()
        scene.folder.chmod(0o755)
        self.state = scene.folder / "state"
        self.state.mkdir()
        shutil.chown(self.state, OWNER)
        self.layer = self.state / "managed.yaml"
        self.good = self.state / "managed.good.yaml"
        self.config = scene.folder / "steer.yaml"
        self.write_config(CONFIG.format(user=OWNER, state=self.state))

    def write_config(self, text):
        self.config.write_text(text)
        self.config.chmod(0o644)

    def write(self, text, file=None, owner=OWNER, mode=0o600):
        file = file or self.layer
        file.unlink(missing_ok=True)
        file.write_text(text)
        file.chmod(mode)
        shutil.chown(file, owner)

    def rcode(self, name):
        return next(line for line in self.scene.kdig(name).splitlines() if "status:" in line).split("status: ")[1].split(";")[0]

    def is_in_force(self):
        return self.rcode("www.other.example") == "NXDOMAIN"

    def problems(self):
        return [one["text"] for one in self.scene.reported("status")["problems"] if one["subject"] == "managed"]

    def check(self, *options):
        done = self.scene.network.run("appliance", f"{BUILD}/steerdnsd", "--config", str(self.config), "--check", *options, check=False,
                                      timeout=60)
        return done.returncode, done.stdout + done.stderr

    def starts_without_it(self, why, check=2):
        """A start serves without the layer and says `why`; --check says it, too, and fails."""
        code, text = self.check()
        self.assertEqual(code, check, text)
        self.assertIn(why, text)
        daemon = self.scene.start_daemon(self.config)
        self.assertIn(why, daemon.text())
        self.assertEqual(self.rcode("blocked.example"), "NXDOMAIN")
        self.assertFalse(self.is_in_force())
        (problem,) = self.problems()
        self.assertIn(why, problem)
        self.assertIn("no layer instead", problem)
        daemon.stop()

    # What it does ------------------------------------------------------------------------------------------------

    def test_a_layer_is_in_force_and_named(self):
        self.write(LAYER)
        code, text = self.check()
        self.assertEqual(code, 0, text)
        self.assertIn(f"{self.layer} is laid over it: 1 values", text)
        daemon = self.scene.start_daemon(self.config)
        self.assertTrue(self.is_in_force())
        self.assertNotEqual(self.rcode("blocked.example"), "NXDOMAIN")
        self.assertEqual(self.problems(), [])
        until(self.good.exists, 10, "the last good copy is kept")
        self.assertEqual(self.good.read_text(), LAYER)
        self.assertEqual(self.good.stat().st_mode & 0o777, 0o600)
        explained = json.dumps(self.scene.reported("why", "www.other.example"))
        self.assertIn(f"{self.layer}", explained)
        daemon.stop()
        self.scene.start_daemon(self.config, "--no-managed")
        self.assertFalse(self.is_in_force())
        self.assertEqual(self.check("--no-managed")[0], 0)

    def test_errors_have_the_layers_file_and_line(self):
        for text, line, sentence in (
                (LAYER.replace("$up", "$down"), 6, 'there is no plugin "down"'),
                ("plugins: [\n", 1, "invalid YAML"),
                (LAYER + "dataplane: { workers: 2 }\n", 7, "the section \"dataplane\" may not be in this file"),
                (LAYER + "control:\n  user: root\n", 8, "\"user\" of 'control' may not be in this file")):
            with self.subTest(sentence):
                self.write(text)
                code, report = self.check()
                self.assertEqual(code, 2, report)
                self.assertRegex(report, rf"error: {self.layer}:\d+: ")
                self.assertIn(f"{self.layer}:{line}: {sentence}" if "YAML" not in sentence else sentence, report)

    def test_a_wrong_layer_is_replaced_by_its_last_good_copy(self):
        self.write(LAYER)
        daemon = self.scene.start_daemon(self.config)
        until(self.good.exists, 10, "the last good copy is kept")
        # A reload with a wrong one keeps the configuration.
        self.write(LAYER.replace("$up", "$down"))
        self.assertIn(f'{self.layer}:6: there is no plugin "down"', self.scene.ask("reload").stdout + self.scene.ask("reload").stderr)
        self.assertTrue(self.is_in_force())
        daemon.stop()
        daemon = self.scene.start_daemon(self.config)
        self.assertTrue(self.is_in_force())
        (problem,) = self.problems()
        self.assertIn(f'{self.layer}:6: there is no plugin "down"', problem)
        self.assertIn("the last good copy", problem)
        self.assertIn(problem, daemon.text())
        self.assertEqual(self.good.read_text(), LAYER)
        self.assertIn("$down", self.layer.read_text(), "what the person wrote is not lost")
        # Corrected: the next reload has it.
        self.write(LAYER.replace("other.example", "third.example"))
        self.assertEqual(self.scene.reported("reload")["errors"], [])
        self.assertEqual(self.problems(), [])
        self.assertFalse(self.is_in_force())
        until(lambda: "third.example" in self.good.read_text(), 10, "the copy follows")
        daemon.stop()

    def test_an_error_that_only_the_build_finds_is_the_layers_too(self):
        caches = "".join(f"  - {{ tag: c{i}, type: cache, args: {{ size: 1024, dump_file: one.dump }} }}\n" for i in range(2))
        self.write("plugins:\n" + caches + """  - tag: main
    args: [ { exec: $c0 }, { exec: $c1 }, { exec: $up } ]
""")
        self.starts_without_it("have the same dump_file")

    def test_a_value_that_changed_below_the_layer_is_a_problem(self):
        self.write(LAYER)
        daemon = self.scene.start_daemon(self.config)
        until((self.state / "managed.json").exists, 10, "the hashes are kept")
        text = self.config.read_text()
        self.write_config(text.replace("concurrent: 1", "concurrent: 2"))
        self.assertEqual(self.scene.reported("reload")["errors"], [])
        self.assertEqual(self.problems(), [], "the layer does not replace this value")
        self.write_config(text.replace("qname blocked.example", "qname more.example"))
        self.scene.steerctl("reload")
        until(self.problems, 10, "the changed value is a problem")
        (problem,) = self.problems()
        self.assertIn('"plugins.main.args" has changed in', problem)
        daemon.stop()
        daemon = self.scene.start_daemon(self.config)
        until(self.problems, 10, "a restart does not forget it")
        self.write_config(text)
        self.scene.steerctl("reload")
        until(lambda: not self.problems(), 10, "the value is as it was")

    # What root does not do ------------------------------------------------------------------------------------------

    def test_root_does_not_open_what_the_user_may_not(self):
        secret = self.scene.folder / "secret"
        self.write(LAYER, secret, "root")
        with self.subTest("a file of root only"):  # root could read it
            self.write(LAYER, owner="root")
            self.starts_without_it("Permission denied")
        with self.subTest("a link"):
            self.layer.unlink()
            self.layer.symlink_to(secret)
            self.starts_without_it("it is a link")
        with self.subTest("a FIFO"):
            self.layer.unlink()
            os.mkfifo(self.layer)
            shutil.chown(self.layer, OWNER)
            self.starts_without_it("it is not a regular file")
        with self.subTest("another owner"):
            self.write(LAYER, owner=OTHER, mode=0o644)
            self.starts_without_it("it belongs to another user")
        with self.subTest("a huge file"):
            self.layer.unlink()
            with self.layer.open("wb") as out:
                out.truncate(1 << 40)
            shutil.chown(self.layer, OWNER)
            self.starts_without_it("it has more than 1048576 bytes")

    def test_files_that_it_names_are_opened_as_the_user(self):
        secret = self.scene.folder / "secret.txt"
        self.write("secret.example\n", secret, "root")
        layer = "plugins:\n  - { tag: names, type: domain_set, args: { files: [ %s ] } }\n"
        with self.subTest("a path elsewhere"):
            self.write(layer % secret)
            self.starts_without_it("is outside of")
        with self.subTest("a link to a file of root"):
            (self.state / "names.txt").symlink_to(secret)
            self.write(layer % "names.txt")
            self.starts_without_it("cannot be read: Permission denied")
        with self.subTest("a file that root would make"):
            closed = self.scene.folder / "closed"
            closed.mkdir(mode=0o755)
            (self.state / "out").symlink_to(closed)
            self.write("plugins:\n  - { tag: learned, type: dynamic_domain_set, args: { path: out/x/names.txt, "
                       "metadata_path: out/y/meta.json } }\n")
            daemon = self.scene.start_daemon(self.config)
            self.assertEqual(list(closed.iterdir()), [], daemon.text())
            daemon.stop()

    def test_it_changes_no_user_and_no_capability(self):
        def rights(daemon):
            lines = pathlib.Path(f"/proc/{daemon.pid}/status").read_text().splitlines()
            return [line for line in lines if line.startswith(("Uid", "Gid", "Groups", "CapEff", "CapPrm", "CapInh", "CapBnd"))]
        daemon = self.scene.start_daemon(self.config)
        before = rights(daemon)
        self.assertIn(str(pwd.getpwnam(OWNER).pw_uid), before[0])
        daemon.stop()
        owners = {path: path.stat().st_uid for path in (self.config, self.scene.folder)}
        self.write(LAYER + "  - { tag: extra, type: udp_server, args: { entry: main, listen: ':53' } }\n")
        daemon = self.scene.start_daemon(self.config)
        self.assertTrue(self.is_in_force())
        self.assertEqual(rights(daemon), before)
        self.assertEqual({path: path.stat().st_uid for path in owners}, owners)
        daemon.stop()

    def test_a_user_of_many_has_no_layer(self):
        self.write_config(CONFIG.format(user=NO_USER, state=self.state))
        shutil.chown(self.state, NO_USER)
        self.write(LAYER, owner=NO_USER)
        self.starts_without_it(f"the daemon's user would be '{NO_USER}'")


if __name__ == "__main__":
    unittest.main(verbosity=2)
