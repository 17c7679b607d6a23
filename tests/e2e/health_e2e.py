"""/livez and /readyz: each condition is broken and mended. The watchdog ends a process with a stuck thread, and no other one.
And clients do not block /metrics for others."""

import base64
import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import sys
import time
import unittest

from lab.certificates import Authority
from lab.network import until
from lab.scene import ROOT, Scene

BUILD = sys.argv.pop(1)
CONDITIONS = ("threads", "ports", "upstreams", "lists", "routers", "overload", "drain", "shutdown")
MINIMAL = (ROOT / "configs/minimal.yaml").read_text()
LISTED = """
control: {{ lists: {folder}, fetch: {{ start_wait: 100ms }} }}
plugins:
  - {{ tag: names, type: domain_set, args: {{ files: [ "http://172.16.1.1:8/never.txt" ] }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ matches: qname $names, exec: reject 3 }}, {{ exec: $up }} ] }}
"""
# The upstream never answers; queries for names of different domains wait for it.
FULL = """
control: { ready_overload: 50 }
dataplane: { max_parked: 64 }
plugins:
  - { tag: main, type: sequence, args: [ { exec: forward 1.1.1.1 } ] }
"""
SERVERS = """
plugins:
  - { tag: main, type: sequence, args: [ { exec: forward 1.1.1.1 } ] }
  - { tag: udp, type: udp_server, args: { entry: main, listen: ":53" } }
  - { tag: tcp, type: tcp_server, args: { entry: main, listen: ":53" } }
  - { tag: doh, type: http_server, args: { entries: [ { path: /dns-query, exec: main } ], listen: ":443", cert: CERT, key: KEY } }
"""
PTRACE_INTERRUPT, PTRACE_SEIZE, PTRACE_DETACH, WALL = 0x4207, 0x4206, 17, 0x40000000
PTRACE_GETREGS, PTRACE_SETREGS, SYS_PPOLL = 12, 13, 271
# Registers of x86-64 in the order of user_regs_struct.
REGISTERS = 27
R8, R10, RAX, RDX, RSI, RDI, ORIG_RAX, RIP = 9, 7, 10, 12, 13, 14, 15, 16
# The watchdog's limit, and what a loaded machine may take above it.
ENDS_AFTER_S, ENDS_WITHIN_S = 7, 40
LIBC = ctypes.CDLL(None, use_errno=True)


class StoppedThread:
    """Stops a thread by ptrace(2) for as long as this context is entered."""

    def __init__(self, tid):
        self.tid = tid

    def call(self, request, data=None):
        if LIBC.ptrace(ctypes.c_long(request), ctypes.c_long(self.tid), ctypes.c_void_p(0), data) != 0:
            raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of {self.tid}")

    def make_it_hang(self):
        """True if the thread waits in the kernel: then it calls ppoll(2) without descriptors and without a limit, which every
        thread may call, in place of its own call, when it goes on."""
        registers = (ctypes.c_uint64 * REGISTERS)()
        self.call(PTRACE_GETREGS, registers)
        if registers[ORIG_RAX] >= 1 << 63:
            return False
        registers[RAX], registers[ORIG_RAX] = SYS_PPOLL, (1 << 64) - 1
        for argument in (RDI, RSI, RDX, R10, R8):
            registers[argument] = 0
        registers[RIP] -= 2  # of `syscall`
        self.call(PTRACE_SETREGS, registers)
        return True

    def __enter__(self):
        self.call(PTRACE_SEIZE)
        self.call(PTRACE_INTERRUPT)
        os.waitpid(self.tid, WALL)
        return self

    def __exit__(self, *_):
        self.call(PTRACE_DETACH)


class Health(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("health", BUILD))
        self.scene.start_resolver()

    def start(self, text=MINIMAL):
        config = self.scene.folder / "health.yaml"
        config.write_text(text)
        return self.scene.start_daemon(config)

    def http(self, path):
        """(status, body)"""
        text = self.scene.network.run("appliance", "curl", "-s", "-m", "30", "-w", "\n%{http_code}",
                                      f"http://127.0.0.1:9153{path}", check=False).stdout
        body, _, status = text.rpartition("\n")
        return int(status), body

    def is_ready(self):
        return self.http("/readyz") == (200, "ok\n")

    def fails(self, pattern, path="/readyz", seconds=20):
        until(lambda: self.http(path)[0] == 503, seconds, f"{path} fails")
        status, body = self.http(path)
        self.assertEqual(status, 503)
        self.assertRegex(body, rf"^{pattern}\n$")

    def test_readyz_names_each_failed_condition(self):
        scene = self.scene
        self.start()
        until(self.is_ready, 10, "it is ready")
        self.assertEqual(self.http("/readyz?verbose"), (200, "".join(f"{name} ok\n" for name in CONDITIONS)))
        self.assertEqual(self.http("/livez?verbose"), (200, "main_loop ok\nworkers ok\nrouters ok\nstreams ok\n"))
        self.assertEqual(self.http("/healthz"), (200, "ok\n"))
        self.assertRegex(scene.steerctl("status"), r"(?m)^  ready +yes$")

        with self.subTest("draining"):
            self.assertEqual(scene.steerctl("drain"), "not draining\n")
            self.assertIn("draining", scene.steerctl("drain", "on"))
            self.fails("drain failed: draining: `steerctl drain off` ends it")
            self.assertEqual(self.http("/healthz")[0], 503)
            self.assertEqual([line.split()[0] for line in self.http("/readyz?verbose")[1].splitlines() if not line.endswith(" ok")], ["drain"])
            self.assertEqual(self.http("/livez")[0], 200)
            self.assertIn('steerdns_ready{condition="drain"} 0', self.http("/metrics")[1])
            self.assertTrue(scene.short("stream.example", "A"), "queries are answered")
            scene.steerctl("reload")
            self.assertEqual(scene.reported("drain"), {"draining": True}, "a reload is no end of it")
            self.assertEqual(scene.steerctl("drain", "off"), "not draining\n")
            until(self.is_ready, 5, "it is ready again")

        with self.subTest("a port is down"):
            scene.network.run("appliance", "ip", "link", "set", "eth0", "down")
            until(lambda: "ports failed: eth0 is down" in self.http("/readyz")[1], 10, "the port is named")
            self.assertEqual(self.http("/livez")[0], 200)
            self.assertRegex(scene.steerctl("status"), r"(?m)^  ready +.*eth0 is down")
            scene.network.run("appliance", "ip", "link", "set", "eth0", "up")
            scene.network.run("appliance", "ip", "route", "replace", "default", "via", "172.16.1.1", check=False)
            until(lambda: "ports ok" in self.http("/readyz?verbose")[1], 20, "the port is back")

    def test_readyz_fails_while_all_upstreams_are_dead(self):
        scene = self.scene
        self.start()
        until(self.is_ready, 10, "it is ready")
        scene.resolver.stop()

        def asks():
            scene.kdig("+timeout=1", "other.example", "A")
            return self.http("/readyz")[0] == 503

        until(asks, 40, "the upstream is found dead")
        self.fails(r"upstreams failed: forward 'forward_main' \(\S+ does not answer\)")
        self.assertEqual(self.http("/livez")[0], 200)
        scene.start_resolver()

        def answers():
            scene.kdig("+timeout=1", "other.example", "A")
            return self.is_ready()

        until(answers, 30, "it is ready again")

    def test_readyz_fails_for_a_list_that_was_never_loaded(self):
        self.start(LISTED.format(folder=self.scene.folder / "lists"))
        self.fails(r"lists failed: never fetched: http://172\.16\.1\.1:8/never\.txt")
        self.assertEqual(self.http("/livez")[0], 200)

    def test_readyz_fails_while_most_queries_find_no_room(self):
        """And is good again after the pause, without queries."""
        scene = self.scene
        scene.resolver.stop()
        self.start(FULL)
        until(self.is_ready, 10, "it is ready")
        questions = "".join(f"www.n{i}.example A\n" for i in range(6000))
        asker = scene.network.start("client", "asker", "sh", "-c", f"/usr/bin/python3 {ROOT}/tools/lab/ask.py 172.16.1.2 400 1 <<'END' >/dev/null\n{questions}END")
        until(lambda: "\noverload failed: " in "\n" + self.http("/readyz")[1], 30, "the overload is named")
        self.assertRegex(self.http("/readyz")[1], r"(?m)^overload failed: \d+ % of the queries were refused: tables, buffers or queues were full \(`ready_overload`\); ready in \d+ s")
        self.assertIn('steerdns_ready{condition="overload"} 0', self.http("/metrics")[1])
        asker.stop()
        until(lambda: "overload ok" in self.http("/readyz?verbose")[1], 60, "it is ready after the pause")

    def test_readyz_fails_while_a_needed_router_cannot_be_written(self):
        scene = self.scene
        rossim = scene.start_router()
        self.start(MINIMAL.replace("address_list4:", "ready: any\n      address_list4:", 1))
        until(self.is_ready, 20, "it is ready")
        rossim.stop()
        self.fails(r'routers failed: list "\w+" cannot be written to \S+ \(.*\)', seconds=30)
        self.assertTrue(scene.short("stream.example", "A"), "queries are answered")
        self.assertIn("not ready: routers: ", scene.steerctl("events", "--kind", "readiness"))
        scene.start_router()
        until(self.is_ready, 30, "it is ready again")

    def test_a_shutdown_delay_fails_readyz_and_answers_queries(self):
        scene = self.scene
        slow = "control: { shutdown_delay: 1m }\n" + MINIMAL
        with self.subTest("a second signal ends it at once"):
            daemon = self.start(slow)
            until(self.is_ready, 10, "it is ready")
            daemon.send_signal(signal.SIGTERM)
            self.fails(r"shutdown failed: ending in \d+ s \(`shutdown_delay`\)")
            self.assertTrue(scene.short("stream.example", "A"), "queries are answered")
            self.assertTrue(daemon.running())
            began = time.monotonic()
            self.assertEqual(daemon.stop(), 0, daemon.text())
            self.assertLess(time.monotonic() - began, 20)
        with self.subTest("it ends by itself"):
            daemon = self.start(slow.replace("1m", "3s"))
            until(self.is_ready, 10, "it is ready")
            began = time.monotonic()
            daemon.send_signal(signal.SIGTERM)
            until(lambda: not daemon.running(), 20, "it ends")
            self.assertGreaterEqual(time.monotonic() - began, 3)
            self.assertEqual(daemon.stop(), 0, daemon.text())

    def pid(self):
        return self.scene.network.pid("appliance", "steerdnsd")

    def thread(self, *names):
        """The number of the first thread that has one of these names. The main thread has the process's number; those of its
        helpers may be lower, as numbers begin again at /proc/sys/kernel/pid_max, and a helper has its name until it sets one."""
        pid = self.pid()
        folder = pathlib.Path(f"/proc/{pid}/task")
        return next(int(task.name) for task in sorted(folder.iterdir(), key=lambda task: (int(task.name) != pid, int(task.name)))
                    if (task / "comm").read_text().startswith(names))

    def worker(self):
        return self.thread("lcore-worker", "rte-worker")

    def test_livez_fails_while_a_debugger_holds_a_worker(self):
        """It ends no process, however long that takes."""
        self.start()
        until(self.is_ready, 10, "it is ready")
        with StoppedThread(self.worker()):
            self.fails(r"workers failed: worker 0 has been stuck for \d+ s", path="/livez", seconds=30)
            self.assertIn('steerdns_live{condition="workers"} 0', self.http("/metrics")[1])
            until(lambda: f"stuck for {ENDS_AFTER_S + 2} s" in self.http("/livez")[1], 30, "it is held for longer than a stuck thread")
        until(lambda: self.http("/livez") == (200, "ok\n"), 20, "it turns again")
        self.assertNotIn("ending:", self.scene.daemon.text())

    def test_a_stuck_thread_ends_the_process_with_its_stack_in_the_log(self):
        for name, comm, function in (("worker 0", ("lcore-worker", "rte-worker"), "steer::DataplaneRuntime::run_worker"),
                                     ("main", ("steerdnsd",), "main"),
                                     ("routers", ("routers",), "steer::RouterThread::run"),
                                     ("streams 0", ("streams",), "steer::stream::StreamThread::run")):
            with self.subTest(name):
                daemon = self.start()
                until(self.is_ready, 10, "it is ready")
                tid = self.thread(*comm)

                def hangs():
                    with StoppedThread(tid) as thread:
                        return thread.make_it_hang()

                until(hangs, 20, "the thread waits in the kernel", pause=0.01)
                began = time.monotonic()
                until(lambda: not daemon.running(), 30, "the process ends")
                took = time.monotonic() - began
                self.assertEqual(daemon.stop(), -signal.SIGABRT, daemon.text())
                self.assertGreater(took, ENDS_AFTER_S - 1)
                self.assertLess(took, ENDS_WITHIN_S)
                text = daemon.text()
                self.assertRegex(text, rf"error ending: {name} has been stuck for {ENDS_AFTER_S} s; .*report the stack trace")
                stack = [line for line in text.splitlines() if f"stack of {name}: #" in line]
                self.assertGreater(len(stack), 3, text)
                self.assertTrue(any(function in line for line in stack), text)

    def test_a_stuck_thread_ends_the_process_while_its_output_is_not_read(self):
        scene = self.scene
        output = scene.folder / "output"
        os.mkfifo(output)
        reader = os.open(output, os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        config = scene.folder / "health.yaml"
        config.write_text(MINIMAL)
        daemon = scene.network.start("appliance", "unread", "sh", "-c", 'out=$1; shift; exec "$@" > "$out" 2>&1', "sh", str(output),
                                     str(pathlib.Path(BUILD) / "steerdnsd"), "--config", str(config), "--control-socket", str(scene.socket))
        until(self.is_ready, 40, "it is ready")
        with contextlib.suppress(BlockingIOError):  # no room is left in the pipe
            while True:
                os.write(reader, b"x" * 4096)
        tid = self.thread("routers")

        def hangs():
            with StoppedThread(tid) as thread:
                return thread.make_it_hang()

        until(hangs, 20, "the thread waits in the kernel", pause=0.01)
        until(lambda: not daemon.running(), ENDS_WITHIN_S, "the process ends")
        self.assertEqual(daemon.stop(), -signal.SIGABRT)

    def test_a_slow_reload_and_a_stopped_process_are_not_stuck(self):
        config = self.scene.folder / "health.yaml"
        daemon = self.start()
        until(self.is_ready, 10, "it is ready")

        with self.subTest("a reload that waits for its file"):
            config.unlink()
            os.mkfifo(config)
            reload = self.scene.network.start("appliance", "reload", str(pathlib.Path(BUILD) / "tools/steerctl/steerctl"),
                                              "--socket", str(self.scene.socket), "reload")
            until(lambda: self.scene.reported("status")["reload"]["under_way"], 10, "the reload has begun")
            end = time.monotonic() + ENDS_AFTER_S + 4
            until(lambda: time.monotonic() > end or not daemon.running() or not self.scene.short("+timeout=1", "stream.example", "A"), 30, "it is slow")
            self.assertTrue(daemon.running(), daemon.text())
            self.assertEqual(self.http("/livez"), (200, "ok\n"))
            config.write_text(MINIMAL)
            until(lambda: not reload.running(), 20, "the reload ends")
            self.assertEqual(reload.stop(), 0)

        with self.subTest("the whole process is stopped and goes on"):
            os.kill(self.pid(), signal.SIGSTOP)
            end = time.monotonic() + ENDS_AFTER_S + 2
            until(lambda: time.monotonic() > end, 30, "it is stopped for longer than a stuck thread may be")
            os.kill(self.pid(), signal.SIGCONT)
            until(self.is_ready, 10, "it goes on")
            self.assertTrue(self.scene.short("stream.example", "A"))
            self.assertTrue(daemon.running(), daemon.text())

    def test_systemd_is_told_while_all_threads_move(self):
        path = str(self.scene.folder / "notify")
        reported = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(reported.close)
        reported.bind(path)
        os.chmod(path, 0o777)
        os.chmod(self.scene.folder, 0o755)
        reported.settimeout(60)
        config = self.scene.folder / "health.yaml"
        config.write_text(MINIMAL)
        self.scene.network.start("appliance", "notifying", "env", f"NOTIFY_SOCKET={path}", "WATCHDOG_USEC=4000000",
                                 str(pathlib.Path(BUILD) / "steerdnsd"), "--config", str(config), "--control-socket", str(self.scene.socket))

        def until_notified(text):
            while (output := reported.recv(4096).decode()) != text:
                self.assertIn(output, ("READY=1", "WATCHDOG=1", "STATUS=serving"))

        until_notified("READY=1")
        for _ in range(3):
            until_notified("WATCHDOG=1")
        self.scene.steerctl("drain", "on")
        until_notified("STATUS=draining: /readyz fails, queries are answered")
        self.scene.steerctl("drain", "off")
        until_notified("STATUS=serving")
        with StoppedThread(self.worker()):
            # A debugger holds the worker: systemd must not interfere.
            self.fails(r"workers failed: worker 0 has been stuck for \d+ s", path="/livez", seconds=30)
            reported.setblocking(False)
            while True:
                try:
                    reported.recv(4096)
                except BlockingIOError:
                    break
            reported.settimeout(60)
            until_notified("WATCHDOG=1")

    def test_a_drain_asks_clients_to_open_another_connection(self):
        scene = self.scene
        certificate = Authority(scene.folder).issue("doh", "DNS:dns.example")
        scene.folder.chmod(0o755)
        self.start(SERVERS.replace("CERT", certificate.pem).replace("KEY", certificate.key))
        until(self.is_ready, 10, "it is ready")
        question = b"\6stream\7example\0\0\1\0\1"
        query = bytes([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]) + question
        url = f"https://172.16.1.2/dns-query?dns={base64.urlsafe_b64encode(query).decode().rstrip('=')}"

        def curl(*options):
            return scene.network.run("client", "curl", "-sk", "-m", "10", "-o", "/dev/null", "-o", "/dev/null", *options, url, url).stdout

        def seen():
            """The connections for two requests by HTTP/2, the header of HTTP/1.1, and the idle time over TCP in 1/10 s."""
            connections = sum(map(int, curl("--http2", "-w", "%{num_connects} ").split()))
            header = curl("--http1.1", "-w", "%header{connection} ").split()
            with scene.network.socket("client", socket.AF_INET, socket.SOCK_STREAM) as tcp:
                tcp.settimeout(10)
                tcp.connect(("172.16.1.2", 53))
                asked = query[:11] + b"\1" + question + bytes([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 4, 0, 11, 0, 0])
                tcp.sendall(len(asked).to_bytes(2, "big") + asked)
                answer = tcp.recv(4096)
            at = answer.index(bytes([0, 11, 0, 2]))
            return connections, header, int.from_bytes(answer[at + 4:at + 6], "big")

        usual = (1, ["keep-alive", "keep-alive"], 100)
        self.assertEqual(seen(), usual)
        scene.steerctl("drain", "on")
        self.assertEqual(seen(), (2, ["close", "close"], 0))
        scene.steerctl("drain", "off")
        self.assertEqual(seen(), usual)

    def test_slow_clients_do_not_block_other_clients(self):
        """80 clients send half a request, where 64 may be connected."""
        self.start()
        until(self.is_ready, 10, "it is ready")
        holder = self.scene.network.start("appliance", "slow", "/usr/bin/python3", "-c", (
            "import socket, signal\n"
            "held = []\n"
            "for _ in range(80):\n"
            "    held.append(socket.create_connection(('127.0.0.1', 9153)))\n"
            "    held[-1].sendall(b'GET /metr')\n"
            "print('ready', flush=True)\n"
            "signal.pause()\n"))
        holder.wait_for("ready")
        status, body = self.http("/metrics")
        self.assertEqual(status, 200)
        self.assertIn("\nprocess_max_fds ", body)


if __name__ == "__main__":
    unittest.main(verbosity=2)
