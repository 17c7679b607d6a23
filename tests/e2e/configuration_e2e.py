"""The configuration's file over the control socket: read, checked, changed, taken back."""

import base64
import json
import pathlib
import socket
import subprocess
import sys
import unittest

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
TEXT = """# The appliance of the lab.
control: {{ history: {state}/versions, watch: off }}
plugins:
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [
      {{ matches: qname blocked.example, exec: reject 3 }},
      {{ exec: $up }} ] }}
"""


class Configuration(unittest.TestCase):
    def setUp(self):
        scene = self.scene = self.enterContext(Scene("edit", BUILD))
        scene.start_resolver()
        # The daemon's user writes both.
        self.folder = scene.folder / "etc"
        self.state = scene.folder / "state"
        for folder in (self.folder, self.state):
            folder.mkdir()
            folder.chmod(0o777)
        self.file = self.folder / "steer.yaml"
        self.text = TEXT.format(state=self.state)
        self.file.write_text(self.text)
        self.file.chmod(0o666)

    def call(self, method, **params):
        """The result, or the error's sentence."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.scene.socket))
            connection.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
            answer = json.loads(connection.makefile().readline())
        return answer["result"] if "result" in answer else answer["error"]["message"]

    def apply(self, text, method="configuration.apply", **more):
        return self.call(method, hash=self.call("configuration.show")["hash"], **({"text": text} if text else {}), **more)

    def rcode(self, name):
        return next(line for line in self.scene.kdig(name).splitlines() if "status:" in line).split("status: ")[1].split(";")[0]

    def test_texts_are_printed_as_they_are_and_whole(self):
        long = self.text + "".join(f"# line {n}: a comment, so that the text is long\n" for n in range(400))
        self.file.write_text(long)
        self.scene.start_daemon(self.file)
        self.assertEqual(self.scene.steerctl("configuration", "show"), long)
        self.apply(long.replace("blocked.example", "other.example"))
        self.assertEqual(self.scene.steerctl("configuration", "version", "1"), long)

    def test_a_refused_change_is_audited_as_refused(self):
        daemon = self.scene.start_daemon(self.file)
        self.assertFalse(self.apply(self.text.replace("reject 3", "reject nobody"))["applied"])
        until(lambda: "configuration.apply" in daemon.text(), 5, "the audit has the request")
        (line,) = [line for line in daemon.text().splitlines() if "control request configuration.apply" in line]
        self.assertIn(": refused: ", line)

    def test_a_change_is_in_force_and_can_be_taken_back(self):
        self.scene.start_daemon(self.file)
        shown = self.call("configuration.show")
        self.assertEqual((shown["file"], shown["text"], shown["trouble"]), (str(self.file), self.text, ""))
        self.assertEqual(self.rcode("www.other.example"), "NOERROR")
        done = self.apply(self.text.replace("blocked.example", "other.example"))
        self.assertEqual((done["applied"], done["problems"], done["kept"]), (True, [], 1))
        self.assertEqual(self.rcode("www.other.example"), "NXDOMAIN")
        self.assertIn("qname other.example", self.file.read_text())
        versions = self.call("configuration.history")["versions"]
        self.assertEqual([one["version"] for one in versions], [1])
        self.assertEqual(self.call("configuration.version", version=1)["text"], self.text)
        done = self.apply(None, "configuration.rollback", version=1)
        self.assertTrue(done["applied"], done)
        self.assertEqual(self.file.read_text(), self.text)
        self.assertEqual(self.rcode("www.other.example"), "NOERROR")
        self.assertEqual([one["version"] for one in self.call("configuration.history")["versions"]], [2, 1])

    def steerctl(self, *words):
        """Exit code, bytes and error."""
        ran = subprocess.run([str(self.scene.build / "tools/steerctl/steerctl"), "--socket", str(self.scene.socket), *words],
                             capture_output=True, timeout=60, check=False)
        return ran.returncode, ran.stdout, ran.stderr.decode()

    def test_a_comment_that_is_not_utf8_keeps_its_bytes(self):
        raw = self.text.encode() + b"# caf\xe9 \xff\n"
        self.file.write_bytes(raw)
        daemon = self.scene.start_daemon(self.file)
        line = raw.count(b"\n")
        self.assertIn(f":{line}: the byte 0xe9 in column 6 is not UTF-8: save the file as UTF-8", daemon.text())
        shown = self.call("configuration.show")
        self.assertEqual(base64.b64decode(shown["base64"]), raw)
        self.assertIn(f"{self.file}:{line}: the byte 0xe9", shown["trouble"])
        self.assertEqual(self.steerctl("configuration", "show"), (0, raw, ""))
        code, _, error = self.steerctl("configuration", "apply", str(self.file))
        self.assertEqual(code, 2)
        self.assertIn(f"{self.file}:{line}: the byte 0xe9 in column 6 is not UTF-8: save the file as UTF-8", error)
        self.assertTrue(self.apply(self.text)["applied"])
        self.assertNotIn("base64", self.call("configuration.show"))
        self.assertEqual(self.steerctl("configuration", "version", "1"), (0, raw, ""))
        self.assertTrue(self.apply(None, "configuration.rollback", version=1)["applied"])
        self.assertEqual(self.file.read_bytes(), raw)

    def test_a_text_with_an_error_is_not_written(self):
        self.scene.start_daemon(self.file)
        wrong = self.text.replace("exec: $up", "exec: $nothing")
        checked = self.call("configuration.check", text=wrong)
        self.assertFalse(checked["good"])
        self.assertEqual([(one["level"], one["file"], one["line"]) for one in checked["problems"]], [("error", str(self.file), 7)])
        done = self.apply(wrong)
        self.assertEqual((done["applied"], done["problems"]), (False, checked["problems"]))
        self.assertEqual(self.file.read_text(), self.text)
        self.assertEqual(self.call("configuration.history")["versions"], [])
        for text in ("[", "\x00", "plugins: {}"):
            with self.subTest(text):
                self.assertFalse(self.call("configuration.check", text=text)["good"])
        self.assertIn("text", self.call("configuration.check", text=""))

    def test_a_text_that_the_reload_refuses_is_taken_back(self):
        """Only the running daemon knows that its list may not shrink so much."""
        names = self.folder / "names.txt"
        names.write_text("".join(f"n{i}.example\n" for i in range(100)))
        many = self.text.replace("plugins:", f"plugins:\n  - {{ tag: names, type: domain_set, args: {{ files: [ {names} ] }} }}"
                                 ).replace("qname blocked", "qname $names blocked")
        self.file.write_text(many)
        self.scene.start_daemon(self.file)
        names.write_text("one.example\n")
        done = self.apply(many.replace("reject 3", "reject 5"))
        self.assertFalse(done["applied"])
        self.assertIn("max_shrink", done["problems"][-1]["text"])
        self.assertEqual(self.file.read_text(), many)
        self.assertEqual(self.rcode("n1.example"), "NXDOMAIN")

    def test_what_someone_else_changed_stays(self):
        self.scene.start_daemon(self.file)
        read = self.call("configuration.show")["hash"]
        self.file.write_text(self.text + "# by hand\n")
        reported = self.call("configuration.apply", text=self.text, hash=read)
        self.assertIn("changed since you read it", reported)
        self.assertTrue(self.file.read_text().endswith("# by hand\n"))

    def test_what_cannot_be_done_is_a_sentence(self):
        self.scene.start_daemon(self.file)
        self.assertIn("no version 7", self.apply(None, "configuration.rollback", version=7))
        self.assertIn("no version 7", self.call("configuration.version", version=7))
        self.folder.chmod(0o755)
        self.assertIn("may not write in", self.call("configuration.show")["trouble"])
        self.assertIn("may not write in", self.apply(self.text + "# more\n"))
        self.assertEqual(self.file.read_text(), self.text)
        self.folder.chmod(0o777)
        self.apply(self.text.replace("history: " + str(self.state) + "/versions", "history: off"))
        self.assertIn("`control.history` is off", self.call("configuration.show")["trouble"])
        self.assertIn("`control.history` is off", self.apply(self.text))

    def test_the_mode_of_the_file_stays(self):
        self.file.chmod(0o640)
        self.file.chmod(0o646)
        self.scene.start_daemon(self.file)
        self.assertTrue(self.apply(self.text + "# more\n")["applied"])
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o646)
        self.assertEqual(pathlib.Path(self.state / "versions").stat().st_mode & 0o777, 0o700)


if __name__ == "__main__":
    unittest.main(verbosity=2)
