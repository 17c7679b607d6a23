#!/usr/bin/python3
"""rossim as a program: what `rossim ctl` does to a running router, and what its journal records.

    rossim_clients_control.py ROSSIM TRUTH

Uses the loopback interface only.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import librouteros
from librouteros.login import plain
from librouteros.query import Key

MENU = "/ip/firewall/address-list"
ROSSIM = ""
TRUTH = ""


class Running:
    def __init__(self, folder, ports):
        self.journal_file = os.path.join(folder, "rows.jsonl")
        self.control = os.path.join(folder, "control.sock")
        self.ports = ports  # name -> port

    def ctl(self, *words, ok=True):
        done = subprocess.run([ROSSIM, "ctl", self.control, *words], capture_output=True, text=True, check=False)
        if ok != (done.returncode == 0):
            raise AssertionError(f"ctl {words}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout if ok else done.stderr

    def connect(self, name="edge1"):
        return librouteros.connect(
            host="127.0.0.1", port=self.ports[name], username="admin", password="", login_method=plain, timeout=5
        )

    def journal(self):
        with open(self.journal_file, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def report(self, name="edge1"):
        return json.loads(self.ctl("@" + name, "report", "json"))


@contextlib.contextmanager
def rossim(*options):
    with tempfile.TemporaryDirectory() as folder:
        command = [ROSSIM, "--control", os.path.join(folder, "control.sock")]
        command += ["--journal", os.path.join(folder, "rows.jsonl"), *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                ports = {}
                for _ in range(max(1, options.count("--router"))):
                    name, port = re.match(r"rossim: (\S+) on 127.0.0.1, port (\d+)", process.stdout.readline()).groups()
                    ports[name] = int(port)
                yield Running(folder, ports)
            finally:
                process.terminate()


class Control(unittest.TestCase):
    def test_rows_are_changed_while_a_client_is_connected(self):
        with rossim("--port", "0", "--name", "edge1", "--prefill", "big:100") as sim:
            self.assertIn("100 rows", sim.ctl("list", "big"))
            self.assertEqual(sim.ctl("add", "x", "10.0.0.1/32", "1h", "by", "hand"), "*65\n")
            self.assertEqual(sim.ctl("add", "x", "2001:db8::1"), "*1\n")
            self.assertIn("already have such entry", sim.ctl("add", "x", "10.0.0.1", ok=False))
            api = sim.connect()
            row = next(iter(api.path(MENU).select(Key("comment"), Key("timeout")).where(Key("list") == "x")))
            self.assertEqual(row["comment"], "by hand")
            sim.ctl("remove", "x", "10.0.0.1")
            self.assertIn("no row", sim.ctl("remove", "x", "10.0.0.1", ok=False))
            sim.ctl("rows", "7", "more", "6")
            self.assertEqual((sim.report()["rows4"], sim.report()["rows6"]), (100, 8))
            self.assertIn("no command", sim.ctl("frobnicate", ok=False))
            api.close()
            self.assertEqual([e["op"] for e in sim.journal() if e["list"] == "x"], ["add", "add", "remove"])

    def test_the_report_counts_sentences(self):
        with rossim("--port", "0", "--name", "edge1") as sim:
            api = sim.connect()
            api.path(MENU).add(list="x", address="10.0.0.1")
            report = sim.report()
            self.assertEqual(report["commands"], {"/login": 1, MENU + "/add": 1})
            self.assertEqual(report["cpu_us_by_class"]["add"], 1300)
            self.assertIn("edge1, up ", sim.ctl("report"))
            self.assertIn("is not json or reset", sim.ctl("report", "xml", ok=False))
            sim.ctl("report", "reset")
            self.assertEqual((sim.report()["adds"], sim.report()["sessions_now"]), (0, 1))
            api.close()

    def test_faults_are_injected_and_removed(self):
        with rossim("--port", "0", "--name", "edge1", "--max-rows", "4") as sim:
            api = sim.connect()
            rows = api.path(MENU)
            sim.ctl("fault", "trap", "command=/add$", "skip=1", "category=4", "message=failure:", "so", "busy")
            rows.add(list="x", address="10.0.0.1")
            with self.assertRaisesRegex(librouteros.exceptions.TrapError, "failure: so busy"):
                rows.add(list="x", address="10.0.0.2")
            self.assertEqual(sim.ctl("faults"), "edge1\n  1 trap command=/add$: struck 1 of 2\n")
            sim.ctl("fault", "none")
            sim.ctl("duplicate", "x", "10.0.0.1", "-", "twice")
            sim.ctl("edit", "x", "10.0.0.1", "timeout=1h", "comment=by", "hand")
            self.assertEqual([row["comment"] for row in rows if "comment" in row], ["by hand", "twice"])
            sim.ctl("max-rows", "2")
            with self.assertRaisesRegex(librouteros.exceptions.TrapError, "out of memory"):
                rows.add(list="x", address="10.0.0.3")
            sim.ctl("max-rows", "none")
            sim.ctl("clock", "-864000")
            day = time.gmtime(time.time() - 864_000)
            self.assertEqual(list(api.path("/system/clock"))[0]["date"], time.strftime("%Y-%m-%d", day))
            sim.ctl("fault", "reset", "command=/add$", "applied=yes")
            with self.assertRaises(ConnectionResetError):
                rows.add(list="x", address="10.0.0.3")
            self.assertIn("3 rows", sim.ctl("list"))
            self.assertIn("is not one of trap reset hang", sim.ctl("fault", "flood", ok=False))
            self.assertIn("is not a regular expression", sim.ctl("fault", "trap", "command=(", ok=False))
            self.assertIn("hang-in-reply", sim.ctl("help"))

    def test_connections_are_made_and_listed(self):
        with rossim("--port", "0", "--name", "edge1") as sim:
            api = sim.connect()
            self.assertEqual(sim.ctl("connection", "tcp", "192.168.88.10:5000", "203.0.113.7:443"), "*1\n")
            sim.ctl("connection", "udp", "[2001:db8::5]:5000", "[2001:db8::7]:443", "policy", "30s")
            four = api.path("/ip/firewall/connection")
            self.assertEqual([(row["dst-address"], row["dst-port"]) for row in four], [("203.0.113.7", 443)])
            self.assertEqual(list(api.path("/ipv6/firewall/connection"))[0]["connection-mark"], "policy")
            four.remove("*1")
            self.assertEqual(list(four), [])
            api.close()

    def test_a_hang_ends_after_its_time(self):
        with rossim("--port", "0", "--name", "edge1") as sim:
            api = sim.connect()
            sim.ctl("fault", "hang-in-reply", "command=/print$", "for=0.2")
            begin = time.monotonic()
            self.assertEqual(list(api.path("/system/identity"))[0]["name"], "edge1")
            self.assertGreaterEqual(time.monotonic() - begin, 0.2)
            api.close()

    def test_a_session_over_the_limit_is_refused(self):
        for variant in ("close", "close-at-login", "refuse"):
            options = ("--max-sessions", "1", "--over-max-sessions", variant)
            with self.subTest(variant=variant), rossim("--port", "0", "--name", "edge1", *options) as sim:
                api = sim.connect()
                with self.assertRaises((OSError, librouteros.exceptions.ConnectionClosed)):
                    sim.connect()
                api.close()

    def test_a_reboot_ends_sessions_and_timed_rows(self):
        with rossim("--port", "0", "--name", "edge1") as sim:
            api = sim.connect()
            rows = api.path(MENU)
            rows.add(list="x", address="10.0.0.1", timeout="1h")
            rows.add(list="x", address="10.0.0.2")
            sim.ctl("reboot", "0.5")
            with self.assertRaises((OSError, librouteros.exceptions.ConnectionClosed)):
                list(rows)
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", sim.ports["edge1"]))
            again = self.wait_for(sim.connect)
            self.assertEqual([row["address"] for row in again.path(MENU)], ["10.0.0.2"])
            again.close()
            journal = sim.journal()
            self.assertEqual([e["op"] for e in journal], ["add", "add", "reboot", "up"])
            self.assertGreaterEqual(journal[3]["t_ns"] - journal[2]["t_ns"], 500_000_000)
            self.assertLess(abs(journal[3]["t_ns"] - time.time_ns()), 5_000_000_000)

    def wait_for(self, attempt):
        deadline = time.monotonic() + 10
        while True:
            try:
                return attempt()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def test_a_hanging_router_accepts_and_does_not_answer(self):
        with rossim("--port", "0", "--name", "edge1") as sim:
            api = sim.connect()
            sim.ctl("hang")
            with socket.create_connection(("127.0.0.1", sim.ports["edge1"]), timeout=0.2) as sock:
                sock.sendall(b"\x06/login\x0b=name=admin\x0a=password=\x00")
                with self.assertRaises(TimeoutError):
                    sock.recv(100)
                sim.ctl("resume")
                sock.settimeout(5)
                self.assertEqual(sock.recv(100), b"\x05!done\x00")
            self.assertEqual(list(api.path(MENU)), [])
            api.close()

    def test_one_process_runs_many_routers(self):
        with rossim("--router", "edge1,port=0", "--router", "edge2,port=0,preset=slow,latency=5") as sim:
            for name in ("edge1", "edge2"):
                api = sim.connect(name)
                self.assertEqual(list(api.path("/system/identity"))[0]["name"], name)
                api.path(MENU).add(list="x", address="10.0.0.1")
                api.close()
            sim.ctl("@edge2", "reboot", "60")
            with self.assertRaises(ConnectionRefusedError):
                sim.connect("edge2")
            sim.connect("edge1").close()
            self.assertIn("no router", sim.ctl("@edge3", "list", ok=False))
            self.assertEqual([(e["router"], e["op"]) for e in sim.journal()],
                             [("edge1", "add"), ("edge2", "add"), ("edge2", "reboot")])

    def test_the_judge_agrees_with_the_router(self):
        with rossim("--port", "0", "--name", "edge1") as sim, tempfile.TemporaryDirectory() as folder:
            api = sim.connect()
            answers = os.path.join(folder, "answers.jsonl")
            with open(answers, "w", encoding="ascii") as file:
                for address in ("10.0.0.1", "10.0.0.2"):
                    api.path(MENU).add(list="policy", address=address, timeout="61s")
                    answer = {"t_ns": time.time_ns(), "name": "a.example"}
                    answer["answers"] = [{"address": address, "ttl": 30}]
                    file.write(json.dumps(answer) + "\n")
            api.close()
            command = [TRUTH, "judge", "--answers", answers, "--journal", sim.journal_file, "--policy", "example=policy"]
            command += ["--print-rows", f"admin:@127.0.0.1:{sim.ports['edge1']}"]

            def judge():
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                return done.returncode, done.stdout

            self.assertEqual(judge(), (0, "answers=2 early=0 gap=0 missing=0 excused=0\n"))
            journal = sim.journal()
            with open(sim.journal_file, "w", encoding="ascii") as file:
                file.write(json.dumps(journal[0]) + "\n")
            code, text = judge()
            self.assertEqual(code, 1)
            self.assertIn("journal of edge1 lacks policy 10.0.0.2", text)
            self.assertIn("missing=1", text)


class CommandLine(unittest.TestCase):
    def run_rossim(self, *options):
        done = subprocess.run([ROSSIM, *options], capture_output=True, text=True, check=False, timeout=10)
        return done.returncode, done.stdout, done.stderr

    def test_bad_values_end_with_one_sentence(self):
        for options, says in (
            (["--preset", "quick"], 'no preset "quick"; there are: fast, mid, slow'),
            (["--user", "admin"], "expected NAME:PASSWORD"),
            (["--router", "edge1"], "needs port=NUMBER or tls-port=NUMBER"),
            (["--prefill", "x"], "expected LIST:COUNT"),
            (["--certificate", "x"], "--certificate and --key must be used together"),
        ):
            code, _, errors = self.run_rossim(*options)
            self.assertEqual((code, errors.count("\n")), (2, 1), errors)
            self.assertIn(says, errors)
        code, _, errors = self.run_rossim("ctl", "/nonexistent/socket", "list")
        self.assertEqual(code, 1)
        self.assertIn("is rossim running with --control?", errors)

    def test_a_port_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            code, _, errors = self.run_rossim("--port", str(port))
            self.assertEqual(code, 1)
            self.assertIn(f"cannot listen on 127.0.0.1 port {port}: Address already in use", errors)

    def test_presets_sha256_prints_the_sum_of_the_presets_file(self):
        code, text, _ = self.run_rossim("--presets-sha256")
        self.assertEqual(code, 0)
        self.assertRegex(text, r"^[0-9a-f]{64}\n$")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    TRUTH = os.path.realpath(sys.argv.pop(2))
    ROSSIM = os.path.realpath(sys.argv.pop(1))
    unittest.main()
