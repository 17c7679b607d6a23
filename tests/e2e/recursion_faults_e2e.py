"""`type: recursion` while its engine hangs, ends at each start, is not there, or has no disk: this is said, restarts are bounded, and
cached names are answered all the while. And what code of a stranger inside of it can do.

    recursion_faults_e2e.py BUILD HOSTILE     HOSTILE: a program that tries it (hostile_engine.cpp)
"""

import contextlib
import itertools
import os
import pathlib
import re
import signal
import sys
import time
import unittest

from lab.network import skip_without, until
from lab.recursion import PROGRAMS, WITH_MOUNT, RecursionScene

BUILD, HOSTILE = sys.argv.pop(1), str(pathlib.Path(sys.argv.pop(1)).resolve())
CACHED = ("www.good.example", "www.good.lab", "n.any.good.example")
# unbound-checkconf does not open it.
ENDS_AT_START = """, extra: [ 'tls-cert-bundle: "/etc/ssl/certs/no-such-file"' ]"""
# wrong.example is answered, and the file of the engine needs some KiB more.
LONG_TEXTS = ", ".join(f"""'local-data: "n{i}.long.example TXT {'x' * 200}"'""" for i in range(40))
LONG_CHANGE = f", negative_trust_anchors: [ wrong.example ], extra: [ {LONG_TEXTS} ]"


class FaultTest(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(RecursionScene("recursion", BUILD))

    def with_package(self):
        """Before the daemon: the package dns-root-data has the key of the lab's root."""
        package = self.scene.folder / "package.key"
        package.write_text(self.scene.tree.anchor + "\n")
        return (*WITH_MOUNT, "--bind", str(package), "/usr/share/dns/root.key", "--")

    def row(self):
        return self.scene.instances()[0]

    def problems(self):
        return [one["text"] for one in self.scene.reported("status")["problems"] if one["subject"] == "recursion"]

    def wait_for_problem(self, pattern):
        return until(lambda: next((text for text in self.problems() if re.search(pattern, text)), None), 30, f"a problem is {pattern!r}")

    def wait_well(self, name="new.any.good.example"):
        """It runs, no problem is left, and names that are in no cache are answered."""
        self.scene.wait_up()
        until(lambda: not self.problems(), 30, "no problem is left")
        until(lambda: str(self.scene.answer(name)) == "NOERROR AD", 30, "it resolves")

    def kill(self):
        os.kill(self.row()["pid"], signal.SIGKILL)


class Process(FaultTest):
    def test_one_that_hangs_is_replaced(self):
        daemon = self.scene.start_recursion()
        before = self.row()
        with self.scene.load_of_cached(*CACHED):
            os.kill(before["pid"], signal.SIGSTOP)
            begin = time.monotonic()
            until(lambda: self.row()["pid"] not in (0, before["pid"]), 30, "it is started again")
            took_s = time.monotonic() - begin
            self.wait_well()
        print(f"an engine that hung was replaced after {took_s:.1f} s", flush=True)
        self.assertGreater(took_s, 10)
        self.assertIn("it did not answer for 15 s; it is started again now", daemon.text())
        self.assertEqual(self.row()["restarts"], 1)

    def test_one_that_is_slow_stays_and_its_answers_come(self):
        self.scene.start_recursion()
        before = self.row()
        with self.scene.load_of_cached(*CACHED):
            # It runs for an eleventh of the time.
            turns = f"while kill -STOP {before['pid']} && sleep 0.2 && kill -CONT {before['pid']}; do sleep 0.02; done"
            brake = self.scene.network.start("appliance", "brake", "sh", "-c", turns)
            begin = time.monotonic()
            try:
                for number in range(30):
                    self.assertEqual(str(self.scene.answer(f"slow{number}.any.good.example")), "NOERROR AD")
                self.assertGreater(time.monotonic() - begin, 1, "it was slow")
                self.assertTrue(brake.running())
            finally:
                brake.stop(number=signal.SIGKILL)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(before["pid"], signal.SIGCONT)
        self.assertEqual((self.row()["pid"], self.row()["restarts"]), (before["pid"], 0))
        self.assertEqual(self.problems(), [])

    def test_domains_of_one_that_hangs_are_taken_by_the_other(self):
        self.scene.start_recursion(instances=2)
        self.scene.answer("a.any.good.example")
        until(lambda: any(one["queries"] for one in self.scene.instances()), 20, "the query is counted")
        hung = max(self.scene.instances(), key=lambda one: one["queries"])
        with self.scene.load_of_cached(*CACHED):
            os.kill(hung["pid"], signal.SIGSTOP)
            begin = time.monotonic()
            number = itertools.count()
            until(lambda: str(self.scene.answer(f"n{next(number)}.any.good.example")) == "NOERROR AD", 30, "the other resolves")
            took_s = time.monotonic() - begin
            print(f"domains of an engine that hung were resolved by another after {took_s:.1f} s", flush=True)
            self.assertIn(hung["pid"], [one["pid"] for one in self.scene.instances()], "it is not replaced yet")

    def test_one_that_ends_at_each_start_is_tried_less_and_less(self):
        self.scene.start_recursion()
        with self.scene.load_of_cached(*CACHED):
            self.scene.write(keys=ENDS_AT_START)
            self.scene.steerctl("reload")
            begin = time.monotonic()
            self.kill()  # it reads the file at its start only
            problem = self.wait_for_problem("it ended: exit code 1: could not set up connect SSL_CTX")
            until(lambda: self.row()["restarts"] >= 4, 30, "it was started four times")
            self.assertGreater(time.monotonic() - begin, 3, "pauses of 0, 1 and 2 s")
            print(f"after {time.monotonic() - begin:.1f} s: {problem}", flush=True)
            self.assertFalse(self.row()["up"])
            self.scene.write()
            self.scene.steerctl("reload")
            self.wait_well()

    def test_one_that_is_not_there_is_started_once_it_is(self):
        daemon = self.scene.start_recursion()
        inside = ("nsenter", "-t", str(daemon.pid), "-m")
        with self.scene.load_of_cached(*CACHED):
            self.scene.network.run("appliance", *inside, "mount", "--bind", "/dev/null", "/usr/sbin/unbound")
            self.kill()
            self.wait_for_problem("unbound cannot be started: Permission denied")
            self.scene.network.run("appliance", *inside, "umount", "/usr/sbin/unbound")
            self.wait_well()


class Hostile(FaultTest):
    def test_code_inside_of_it_starts_no_program_and_all_is_well_after_it(self):
        self.scene.start_recursion()
        inside = ("nsenter", "-t", str(self.scene.daemon.pid), "-m")
        with self.scene.load_of_cached(*CACHED):
            self.scene.network.run("appliance", *inside, "mount", "--bind", HOSTILE, "/usr/sbin/unbound")
            self.kill()
            self.scene.daemon.wait_for("attempts: execveat-file")
            self.scene.network.run("appliance", *inside, "umount", "--lazy", "/usr/sbin/unbound")
            self.kill()
            self.wait_well()
        found = dict(re.findall(r"([a-z0-9_-]+) (E[A-Z]+|done)", " ".join(re.findall("attempts: .*", self.scene.daemon.text()))))
        for name in ("execve", "execveat", "execveat-file", "execve-in-thread", "clone3"):
            self.assertEqual(found.pop(name), "ENOSYS", name)
        may = ["udp", "tcp6", "unix", "links", "own-prlimit", "write", "rename", "unlink", "read-system"]
        if self.scene.reported("status")["recursion"]["files"] != "on":  # no Landlock
            may += ["read-passwd", "write-memory", "write-tmp"]
        self.assertEqual({name: found.pop(name) for name in may}, dict.fromkeys(may, "done"))
        self.assertEqual(set(found.values()), {"EPERM", "EACCES"}, found)


    def test_a_link_or_folder_that_it_left_as_its_configuration_is_removed(self):
        self.scene.start_recursion()
        config, victim = self.scene.engine_folder / "unbound.conf", self.scene.folder / "victim"
        victim.write_text("of somebody else")
        victim.chmod(0o666)

        def folder():
            config.mkdir(mode=0o700)
            (config / "inside").mkdir()
            os.chown(config, *self.owner)

        self.owner = (os.stat(self.scene.engine_folder).st_uid, os.stat(self.scene.engine_folder).st_gid)
        with self.scene.load_of_cached(*CACHED):
            for number, leave in enumerate((lambda: config.symlink_to(victim), lambda: os.mkfifo(config), folder)):
                with self.subTest(number):
                    before = self.row()["pid"]
                    config.unlink()
                    leave()
                    self.kill()
                    until(lambda: self.row()["pid"] not in (0, before), 30, "another process is started")
                    self.wait_well(f"n{number}.any.good.example")
                    self.assertTrue(config.is_file() and not config.is_symlink())
                    self.assertEqual(victim.read_text(), "of somebody else")


class TornAnchor(FaultTest):
    """root.key, which the engine writes, was cut by a crash of the machine. A right one is in /usr/share/dns."""

    def setUp(self):
        super().setUp()
        self.file = self.scene.engine_folder / "root.key"

    def start(self):
        daemon = self.scene.start_recursion(*self.with_package(), anchors="root")
        until(lambda: b"VALID" in self.file.read_bytes(), 30, "the engine has written it")
        return daemon

    def test_validation_stays_on_whatever_is_left_of_the_file(self):
        self.start()
        text = self.file.read_bytes()
        for what, size in (("half a key", text.index(b"DNSKEY") + 40), ("no key", text.index(b"DNSKEY") - 20), ("half a word", 10), ("nothing", 0)):
            with self.subTest(what), self.scene.load_of_cached("www.good.lab"):
                self.file.write_bytes(text)
                until(lambda: self.row()["up"], 30, "it runs")
                pid = self.row()["pid"]
                self.file.write_bytes(text[:size])
                self.kill()
                until(lambda: self.row()["pid"] not in (0, pid), 30, "it is started again")
                self.scene.wait_up()
                for name, status in (("www.wrong.example", "SERVFAIL"), ("www.good.example", "NOERROR AD")):
                    self.scene.steerctl("recursion", "flush", "--below", "example")
                    answer = self.scene.answer(name)
                    self.assertTrue(str(answer).startswith(status), f"{name}: {answer}")
        self.assertIn("root.key", self.scene.daemon.text())

    def test_a_start_of_the_daemon_replaces_it(self):
        daemon = self.start()
        self.assertEqual(daemon.stop(), 0)
        with self.file.open("r+b") as file:
            file.truncate(self.file.read_bytes().index(b"DNSKEY") + 40)
        daemon = self.scene.start_recursion(*self.with_package(), anchors="root")
        self.assertEqual(str(self.scene.answer("www.good.example")), "NOERROR AD")
        self.assertIn("root.key", daemon.text())


class Disk(FaultTest):
    def start(self, **how):
        """With a small disk for the engine's folders."""
        folder = self.scene.folder / "engine"
        folder.mkdir()
        self.daemon = self.scene.start_recursion(*WITH_MOUNT, "-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", str(folder), "--",
                                                 *self.with_package(), **how)
        self.filler = pathlib.Path(f"/proc/{self.daemon.pid}/root{folder}/filler")

    def fill(self):
        with self.assertRaisesRegex(OSError, "No space left"), self.filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def test_a_full_disk_stops_no_process(self):
        self.start()
        with self.scene.load_of_cached(*CACHED):
            self.fill()
            self.assertEqual(str(self.scene.answer("a.any.good.example")), "NOERROR AD")
            self.kill()
            until(lambda: self.row()["restarts"] == 1, 30, "it is started again")
            self.wait_well("b.any.good.example")

    def test_a_change_that_cannot_be_written_is_named(self):
        self.start()
        with self.scene.load_of_cached(*CACHED):
            self.fill()
            self.scene.write(keys=LONG_CHANGE)
            self.scene.steerctl("reload")
            self.daemon.wait_for("unbound.conf cannot be written: No space left on device")
            self.assertEqual(str(self.scene.answer("a.any.good.example")), "NOERROR AD")
            # A start needs it.
            self.kill()
            self.wait_for_problem("unbound.conf cannot be written: No space left on device")
            self.filler.unlink()
            self.wait_well("b.any.good.example")
        self.assertEqual(self.scene.answer("www.wrong.example").status, "NOERROR")

    def test_a_change_that_could_not_be_written_is_taken_by_the_next_reload(self):
        self.start()
        self.fill()
        self.scene.write(keys=LONG_CHANGE)
        self.scene.steerctl("reload")
        self.daemon.wait_for("unbound.conf cannot be written: No space left on device")
        self.filler.unlink()
        self.scene.steerctl("reload")
        self.scene.steerctl("recursion", "flush", "--below", "wrong.example")
        until(lambda: self.scene.answer("www.wrong.example").status == "NOERROR", 10, "the change is in effect")

    def test_the_root_key_survives_a_full_disk(self):
        self.start(anchors="root")
        with self.scene.load_of_cached(*CACHED):
            self.fill()
            self.kill()
            until(lambda: self.row()["restarts"] == 1, 30, "it is started again")
            self.wait_well("a.any.good.example")  # after which the engine writes the key
            self.kill()
            self.filler.unlink()
            self.wait_well("b.any.good.example")
        self.assertEqual(self.scene.answer("www.wrong.example").status, "SERVFAIL")


if __name__ == "__main__":
    skip_without(PROGRAMS, "--all")
    unittest.main(verbosity=2)
