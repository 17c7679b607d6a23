"""Readers of the log that read, that stop, and that come back: only the log's own threads wait for them."""

import array
import contextlib
import fcntl
import os
import pathlib
import re
import socket
import sys
import termios
import threading
import time
import unittest

from lab.network import until
from lab.scene import ROOT, Scene

BUILD = sys.argv.pop(1)
MINIMAL = (ROOT / "configs/minimal.yaml").read_text()
NOTED = """
plugins:
  - { tag: main, type: sequence, args: [ { exec: query_summary asked }, { exec: forward 1.1.1.1 } ] }
  - { tag: udp, type: udp_server, args: { entry: main, listen: ":53" } }
  - { tag: tcp, type: tcp_server, args: { entry: main, listen: ":53" } }
"""
WRONG = "plugins:\n" + "".join(f"  - {{ tag: t{i}, type: no_such_type_{i} }}\n" for i in range(200))
# The watchdog ends a process with a stuck thread after 7 s; the log's end waits for 2 s.
STUCK_S, END_S = 9, 2
LOADED_S = 8  # what a loaded machine may take above that


class Reader:
    """The read end of a pipe that is the daemon's standard output and error. It reads while `reads` is set."""

    def __init__(self, folder, name="output"):
        self.path = folder / name
        os.mkfifo(self.path)
        self.fd = os.open(self.path, os.O_RDWR)
        fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, 4096)
        self.text = ""
        self.reads = threading.Event()
        self.ended = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def waiting(self):
        count = array.array("i", [0])
        fcntl.ioctl(self.fd, termios.FIONREAD, count)
        return count[0]

    def _run(self):
        while self.reads.wait():
            if self.ended:
                return
            if self.waiting():
                self.text += os.read(self.fd, 65536).decode()
            else:
                time.sleep(0.005)

    def close(self):
        self.ended = True
        self.reads.set()
        self.thread.join()
        os.close(self.fd)


class Log(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("log", BUILD))
        self.scene.start_resolver()

    def reader(self, *name):
        reader = Reader(self.scene.folder, *name)
        self.addCleanup(reader.close)
        return reader

    def start(self, reader, text=MINIMAL, env=(), serves=True):
        """The daemon, with its output to the reader."""
        scene = self.scene
        config = scene.folder / "log.yaml"
        config.write_text(text)
        words = [str(pathlib.Path(BUILD) / "steerdnsd"), "--config", str(config), "--control-socket", str(scene.socket)]
        scene.daemon = scene.network.start("appliance", "steerdnsd-piped", "env", *env, "sh", "-c", 'out=$1; shift; exec "$@" > "$out" 2>&1', "sh",
                                           str(reader.path), *words)
        if serves:
            until(self.is_ready, 40, "it serves")
        return scene.daemon

    def page(self, path):
        return self.scene.network.run("appliance", "curl", "-s", "-m", "10", f"http://127.0.0.1:9153{path}", check=False).stdout

    def is_ready(self):
        return self.page("/readyz") == "ok\n"

    def outputs(self):
        return {one["name"]: one for one in self.scene.reported("status")["log"]}

    def problems(self):
        return [one["text"] for one in self.scene.reported("status")["problems"] if one["subject"] == "log"]

    def asks_until_full(self, reader, name):
        """Fills the pipe, and what is behind it."""
        asked = 0

        def waits():
            nonlocal asked
            for _ in range(10):
                self.assertTrue(self.scene.short(f"{name}{asked}.other.example", "A"))
                asked += 1
            return self.outputs()["standard output"]["waiting_lines"] > 5

        until(waits, 60, "lines wait")
        return asked

    def test_answers_go_on_while_no_program_reads_and_the_reader_misses_nothing(self):
        scene, reader = self.scene, self.reader()
        reader.reads.set()
        daemon = self.start(reader, NOTED)
        until(lambda: "serving" in reader.text, 20, "it reads")
        reader.reads.clear()
        asked = self.asks_until_full(reader, "a")
        began = time.monotonic()
        until(lambda: self.problems(), 30, "it is a problem")
        self.assertRegex(self.problems()[0], r"^standard output has not been read for \d+ s: \d+ lines of the log wait, 0 were lost")
        self.assertEqual(scene.ask("drain", "on").returncode, 0)  # of the audit
        self.assertEqual(scene.ask("drain", "off").returncode, 0)
        until(lambda: time.monotonic() > began + STUCK_S or not daemon.running(), 30, "a thread that waits would be stuck")
        self.assertTrue(daemon.running())
        self.assertTrue(scene.short("late.other.example", "A"))
        self.assertTrue(scene.short("+tcp", "late.other.example", "A"))
        self.assertEqual(self.page("/livez"), "ok\n")
        self.assertRegex(self.page("/metrics"), r'(?m)^steerdns_log_waiting_lines\{output="standard output"\} [1-9]')

        reader.reads.set()
        until(lambda: self.outputs()["standard output"]["waiting_lines"] == 0, 20, "all is written")
        self.assertEqual(self.problems(), [])
        self.assertEqual(self.outputs()["standard output"]["lost_lines"], 0)
        names = re.findall(r"asked: qname=(a\d+)\.", reader.text)
        self.assertEqual(names, [f"a{i}" for i in range(asked)], "whole and in order")
        self.assertIn("drain", reader.text)
        self.assertEqual(daemon.stop(), 0)
        self.assertIn("ending on SIGTERM", reader.text)

    def test_an_orderly_end_does_not_wait_for_a_reader_that_has_stopped(self):
        reader = self.reader()
        reader.reads.set()
        daemon = self.start(reader, NOTED)
        reader.reads.clear()
        self.asks_until_full(reader, "b")
        began = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - began, END_S + LOADED_S)

    def test_a_failed_start_ends_in_time_and_is_reported_to_a_reader_that_reads(self):
        for reads in (True, False):
            with self.subTest(reads=reads):
                reader = self.reader(f"output-{reads}")
                if reads:
                    reader.reads.set()
                began = time.monotonic()
                daemon = self.start(reader, WRONG, serves=False)
                until(lambda: not daemon.running(), END_S + 2 * LOADED_S, "it ends")
                self.assertEqual(daemon.stop(), 2)
                self.assertLess(time.monotonic() - began, END_S + 2 * LOADED_S)
                if reads:
                    until(lambda: "no_such_type_199" in reader.text, 10, "all errors are reported")
                    self.assertEqual(len(re.findall(r"error .*no_such_type_\d+", reader.text)), 200)

    def test_a_log_file_may_be_a_pipe_that_no_program_reads(self):
        scene, reader = self.scene, self.reader()
        reader.reads.set()
        pipe = scene.folder / "pipe"
        os.mkfifo(pipe)
        pipe.chmod(0o622)
        daemon = self.start(reader, NOTED + f"log: {{ file: {pipe} }}\n")
        self.assertEqual(scene.ask("reload").returncode, 0)
        for i in range(3):
            self.assertTrue(scene.short(f"c{i}.other.example", "A"))
        until(lambda: self.outputs()["the log file"]["blocked_s"] >= STUCK_S, 40, "a thread that waits would be stuck")
        self.assertRegex(self.problems()[0], r"^the log file has not been read for \d+ s")
        self.assertIn("asked: qname=c2", reader.text, "the other output goes on")

        for name in ("d", "e"):  # a reader comes, goes, and comes back
            self.assertTrue(scene.short(f"{name}.other.example", "A"))
            with open(pipe) as lines:
                for line in lines:
                    if f"asked: qname={name}." in line:
                        break
        self.assertEqual(self.outputs()["the log file"]["lost_lines"], 0)
        self.assertEqual(daemon.stop(), 0)

    def test_a_service_manager_that_does_not_read_stops_nothing_and_gets_the_state_later(self):
        path = str(self.scene.folder / "notify")
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(path)
        os.chmod(path, 0o777)
        os.chmod(self.scene.folder, 0o755)
        manager.setblocking(False)
        other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(other.close)
        other.setblocking(False)
        other.connect(path)
        with contextlib.suppress(BlockingIOError):
            while True:
                other.send(b"full")
        reader = self.reader()
        reader.reads.set()
        daemon = self.start(reader, env=(f"NOTIFY_SOCKET={path}", "WATCHDOG_USEC=400000"))
        self.assertTrue(self.scene.short("stream.example", "A"))
        seen = set()

        def has_the_state():
            with contextlib.suppress(BlockingIOError):
                while True:
                    seen.add(manager.recv(4096))
            return {b"READY=1", b"STATUS=serving", b"WATCHDOG=1"} <= seen

        until(has_the_state, 20, "it has the state")
        self.assertEqual(daemon.stop(), 0)

    def test_the_threads_of_the_log_have_a_filter_of_their_own(self):
        self.scene.start_daemon(ROOT / "configs/minimal.yaml")
        pid = self.scene.network.pid("appliance", "steerdnsd")
        found = {}
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            found[(task / "comm").read_text().strip()] = re.search(r"Seccomp:\s+(\d)", (task / "status").read_text())[1]
        self.assertEqual((found.get("log"), found.get("log-file")), ("2", "2"))
        self.assertIn('steerdns_denied_calls_total{thread="log"} 0\n', self.page("/metrics"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
