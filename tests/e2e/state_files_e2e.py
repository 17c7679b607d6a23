"""Each file that the daemon keeps, damaged in each manner: a start answers queries, and names what it lost. A full and a
read-only disk: what cannot be written is an error of its caller, and the file before stays.

    state_files_e2e.py BUILD [PART OF A FILE'S PATH]
"""

import os
import pathlib
import random
import re
import shutil
import sys
import unittest
from collections.abc import Callable

from kept_state import KEPT, OWNER, Kept, KeptState
from lab.network import run, until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
ONLY = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else ""
START_S = 60  # a start that waits for something is a fault


def cut(file: pathlib.Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def flip(file: pathlib.Path) -> None:
    with file.open("r+b") as out:
        out.seek(file.stat().st_size // 2)
        (byte,) = out.read(1)
        out.seek(-1, os.SEEK_CUR)
        out.write(bytes([byte ^ 0x40]))


def garble(file: pathlib.Path) -> None:
    with file.open("r+b") as out:
        out.write(random.Random(1).randbytes(max(3_000, file.stat().st_size)))


def become_folder(file: pathlib.Path) -> None:
    file.unlink()
    file.mkdir()
    (file / "x").write_text("x")


def become_fifo(file: pathlib.Path) -> None:
    file.unlink()
    os.mkfifo(file)
    shutil.chown(file, OWNER)


def change_owner(file: pathlib.Path) -> None:
    os.chown(file, 0, 0)
    file.chmod(0o600)


# The damage; whether the content is lost with certainty. (A shorter or flipped text may be another good text.)
DAMAGES: tuple[tuple[str, Callable[[pathlib.Path], None], bool], ...] = (
    ("half of it", cut, False), ("a flipped bit", flip, False), ("random bytes", garble, True), ("a folder", become_folder, True),
    ("a FIFO", become_fifo, True), ("a file of root", change_owner, True))


class Kit(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("state", BUILD))
        self.place = KeptState(self.scene)
        self.place.fill()
        self.good = self.scene.folder / "good"
        self.good.mkdir()
        self.folders = (("state", self.place.state), ("own", self.place.own_state))
        for name, folder in self.folders:
            run("cp", "-a", str(folder), str(self.good / name))

    def restore(self):
        for name, folder in self.folders:
            for path in folder.iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            run("cp", "-a", f"{self.good / name}/.", str(folder))


class Damaged(Kit):
    def started(self) -> bool:
        """Whether it serves; False: it has ended."""
        daemon = self.place.start_without_waiting()
        until(lambda: "serving on" in daemon.text() or not daemon.running(), START_S, "it serves, or ends", 0.02)
        return daemon.running()

    def check(self, kept: Kept, damage: Callable[[pathlib.Path], None], is_lost: bool):
        self.restore()
        file = self.place.find(kept)
        damage(file)
        name = re.escape(file.name)
        is_serving = self.started()
        daemon = self.scene.daemon
        if not is_serving:
            self.assertTrue(kept.is_operators, daemon.text())
            self.assertEqual(daemon.child.wait(), 2, daemon.text())
            self.assertRegex(daemon.text(), rf" error .*{name}")
            return "refused"
        self.assertEqual(self.scene.short("www.other.example", "A"), ["198.51.100.2"])
        named = re.compile(rf" (warning|error) .*{name}")
        if kept.is_named and is_lost:
            until(lambda: named.search(daemon.text()), 10, f"{file.name} is named")
        # The router is followed as without the damage.
        until(self.place.synced, 20, "the router's rows are read")
        self.assertEqual(daemon.stop(), 0, daemon.text())
        return "named" if named.search(daemon.text()) else "served"

    def test_a_start_answers_whatever_is_in_the_place_of_a_kept_file(self):
        for kept in KEPT:
            if ONLY not in kept.path:
                continue
            ends = {}
            for what, damage, is_lost in DAMAGES:
                with self.subTest(file=kept.path, damage=what):
                    ends[what] = self.check(kept, damage, is_lost)
                self.scene.daemon.stop()
                self.scene.socket.unlink(missing_ok=True)
            print(f"  {kept.path}: {ends}", flush=True)


# A change that the daemon is asked for, the file that the refusal names, and a file that stays as it was.
CHANGES = (
    (("static", "add", "name=more.lan", "address=192.168.88.8", "--plugin", "local"), "static.yaml", "static.yaml"),
    (("rules", "blocked", "add", "domain:more.example"), "origins.json", "blocked.txt"),
    (("configuration", "apply", "{scene}/other.yaml"), "configurations", ""),
    (("cache", "dump", "{state}/copy.dump"), "copy.dump", "answers.dump"),
)


class Disk(Kit):
    """The state folder is a small tmpfs in the mount namespace of the daemon."""

    def begin(self, options: str, then: str):
        place = self.place
        self.addCleanup(lambda: self.scene.daemon.stop())
        script = (f"mount -t tmpfs -o size=4m,mode=755,uid=65534 tmpfs {place.state}; cp -a {self.good}/state/. {place.state}/; {then}; "
                  f'{options} exec "$@"')
        self.scene.daemon = self.scene.network.start(
            "appliance", "steerdnsd-disk", "sh", "-c", script, "sh", f"{BUILD}/steerdnsd", "--config", str(place.config),
            "--control-socket", str(self.scene.socket), "--user", OWNER)
        self.scene.daemon.wait_for("serving on")
        until(place.synced, 20, "the router's rows are read")

    def inside(self, name: str) -> bytes:
        """A file of the state folder as the daemon has it."""
        pid = self.scene.network.pid("appliance", "steerdnsd")
        return pathlib.Path(f"/proc/{pid}/root{self.place.state}/{name}").read_bytes()

    def check(self, why: str):
        (self.scene.folder / "other.yaml").write_text(self.place.text + "# other\n")
        configuration = self.place.config.read_bytes()
        for words, named, kept in CHANGES:
            with self.subTest(change=words[:2]):
                before = self.inside(kept) if kept else b""
                done = self.scene.ask(*(word.format(state=self.place.state, scene=self.scene.folder) for word in words))
                self.assertNotEqual(done.returncode, 0, done.stdout)
                self.assertRegex(done.stderr + done.stdout, rf"{re.escape(named)}.*{why}")
                self.assertEqual(self.inside(kept) if kept else b"", before, "the file is as before")
        self.assertEqual(self.place.config.read_bytes(), configuration)
        # Rows, answers and what is in force do not need the disk.
        self.assertEqual(self.scene.short("nas.lan", "A"), ["192.168.88.7"])
        self.assertIn("NXDOMAIN", self.scene.kdig("blocked.example", "A"))
        address = self.scene.short("n7.stream.example", "A")
        self.scene.wait_rows({("policy_set_v4", address[0])})
        self.assertEqual(self.scene.daemon.stop(), 0)

    def test_a_full_disk_refuses_changes_and_keeps_what_was_there(self):
        self.begin("", f"head -c 8M /dev/zero > {self.place.state}/full 2>/dev/null")
        self.check("No space left on device")

    def test_a_read_only_disk_refuses_changes_and_keeps_what_was_there(self):
        self.begin(f"mount -o remount,ro {self.place.state};", "true")
        self.check("Read-only file system")


if __name__ == "__main__":
    unittest.main(verbosity=2)
