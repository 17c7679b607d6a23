"""/livez and /readyz: each condition is broken and mended; and clients that do not block /metrics for others."""

import ctypes
import os
import pathlib
import sys
import unittest

from lab.network import until
from lab.scene import ROOT, Scene

BUILD = sys.argv.pop(1)
MINIMAL = (ROOT / "configs/minimal.yaml").read_text()
LISTED = """
control: {{ lists: {folder}, fetch: {{ start_wait: 100ms }} }}
plugins:
  - {{ tag: names, type: domain_set, args: {{ files: [ "http://172.16.1.1:8/never.txt" ] }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ matches: qname $names, exec: reject 3 }}, {{ exec: $up }} ] }}
"""
PTRACE_INTERRUPT, PTRACE_SEIZE, PTRACE_DETACH, WALL = 0x4207, 0x4206, 17, 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class StoppedThread:
    """Stops a thread by ptrace(2) for as long as this context is entered."""

    def __init__(self, tid):
        self.tid = tid

    def call(self, request):
        if LIBC.ptrace(ctypes.c_long(request), ctypes.c_long(self.tid), ctypes.c_void_p(0), ctypes.c_void_p(0)) != 0:
            raise OSError(ctypes.get_errno(), f"ptrace {request:#x} of {self.tid}")

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
        text = self.scene.network.run("appliance", "curl", "-s", "-m", "5", "-w", "\n%{http_code}",
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
        self.assertEqual(self.http("/readyz?verbose"), (200, "ports ok\nupstreams ok\nlists ok\ndrain ok\n"))
        self.assertEqual(self.http("/livez?verbose"), (200, "main_loop ok\nworkers ok\n"))
        self.assertEqual(self.http("/healthz"), (200, "ok\n"))
        self.assertRegex(scene.steerctl("status"), r"(?m)^  ready +yes$")

        with self.subTest("draining"):
            self.assertEqual(scene.steerctl("drain"), "not draining\n")
            self.assertIn("draining", scene.steerctl("drain", "on"))
            self.fails("drain failed: draining: `steerctl drain off` ends it")
            self.assertEqual(self.http("/healthz")[0], 503)
            self.assertEqual(self.http("/readyz?verbose")[1].splitlines()[:3], ["ports ok", "upstreams ok", "lists ok"])
            self.assertEqual(self.http("/livez")[0], 200)
            self.assertIn('steerdns_ready{condition="drain"} 0', self.http("/metrics")[1])
            self.assertTrue(scene.short("stream.example", "A"), "queries are answered")
            scene.steerctl("reload")
            self.assertEqual(scene.told("drain"), {"draining": True}, "a reload is no end of it")
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

    def test_livez_fails_while_a_worker_is_stuck(self):
        self.start()
        until(self.is_ready, 10, "it is ready")
        pid = self.scene.network.pid("appliance", "steerdnsd")
        (worker,) = (task for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                     if (task / "comm").read_text().startswith(("lcore-worker", "rte-worker")))
        with StoppedThread(int(worker.name)):
            self.fails(r"workers failed: worker 0 has been stuck for \d+ s", path="/livez", seconds=30)
            self.assertIn('steerdns_live{condition="workers"} 0', self.http("/metrics")[1])
        until(lambda: self.http("/livez") == (200, "ok\n"), 20, "it turns again")

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
        self.assertTrue(body.endswith("# EOF\n"), body[-100:])


if __name__ == "__main__":
    unittest.main(verbosity=2)
