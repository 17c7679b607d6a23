"""What the machine and the router do to a daemon that serves: the wall clock jumps, memory is limited, the router has no
session left, and its user loses rights. Answers go on, and the rows of that time come back.

    surroundings_e2e.py BUILD CLOCK     CLOCK: the module that moves the wall clock (wall_clock.cpp)
"""

import os
import pathlib
import re
import struct
import sys
import time
import unittest

from lab.network import until
from lab.scene import PASSWORD, USER, Scene, start_load

BUILD, CLOCK = sys.argv.pop(1), sys.argv.pop(1)
DAY_S = 86_400
MIB = 1 << 20

CONFIG = """
dataplane: {{ memory: {memory} }}
control: {{ watch: off }}
routers:
  edge1: {{ address: "172.16.1.1:8728", username: {user}, password: {password}, probe: false }}
plugins:
  - {{ tag: names, type: domain_set, args: {{ exps: [ "domain:stream.example" ] }} }}
  - {{ tag: answers, type: cache, args: {{ size: {size}, short_circuit: true{dump} }} }}
  - tag: egress
    type: ros_address_list
    args: {{ routers: [edge1], async: false, sync_timeout: 1s, address_list4: policy_set_v4, address_list6: policy_set_v6 }}
  - tag: main
    type: sequence
    args:
      - {{ exec: $answers }}
      - {{ matches: "qname $names", exec: $egress }}
      - {{ exec: forward 1.1.1.1 }}
"""


class Surroundings(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("surroundings", BUILD))
        self.scene.folder.chmod(0o777)
        self.scene.start_resolver()
        self.config = self.scene.folder / "steer.yaml"
        self.write()

    def write(self, memory="512MiB", size="10000", dump=""):
        self.config.write_text(CONFIG.format(user=USER, password=PASSWORD, memory=memory, size=size, dump=dump))

    def router(self):
        return self.scene.reported("status")["routers"][0]

    def in_sync(self):
        until(lambda: self.router()["state"] == "in_sync", 60, "the router is in sync")

    def has_row(self, name):
        """The name is answered, and its row arrives."""
        address = self.scene.short(name, "A")
        self.assertTrue(address, name)
        self.wait_for_rows(*address)

    def wait_for_rows(self, *addresses):
        """As the router has them: no session is needed for it."""
        until(lambda: set(addresses) <= set(self.scene.router_ctl("list", "policy_set_v4").split()), 60, f"{addresses} are on the router")

    def ttl(self, name):
        return int(re.search(rf"^{name}\.\s+(\d+)\s+IN\s+A", self.scene.kdig(name, "A"), re.M)[1])


class Clock(Surroundings):
    """The product keeps time by a clock that does not jump; the wall clock is for logs, dumps, schedules and certificates."""

    def start(self, offset_s):
        self.offset = self.scene.folder / "clock"
        self.offset.write_bytes(struct.pack("=q", offset_s))
        scene = self.scene
        scene.daemon = scene.network.start(
            "appliance", f"steerdnsd-{offset_s}", f"{BUILD}/steerdnsd", "--config", str(self.config), "--control-socket",
            str(scene.socket), env={"LD_PRELOAD": CLOCK, "STEER_WALL_CLOCK": str(self.offset)})
        scene.daemon.wait_for("serving on")
        self.in_sync()
        return scene.daemon

    def jump(self, offset_s):
        with self.offset.open("r+b") as file:
            file.write(struct.pack("=q", offset_s))

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.scene.daemon.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_jumps_of_the_wall_clock_change_no_answer_and_no_row(self):
        scene = self.scene
        dump = scene.folder / "answers.dump"
        self.write(dump=f", dump_file: {dump}")
        scene.start_router("--preset", "fast")
        daemon = self.start(0)
        self.has_row("long.stream.example")
        self.assertTrue(scene.short("other.example", "A"))
        for number, offset_s in enumerate((400 * DAY_S, -800 * DAY_S, 3_600, 60 - round(time.time()), 0)):
            with self.subTest(offset_s=offset_s):
                begin = time.monotonic()
                ttl, cpu_s, lines = self.ttl("other.example"), self.cpu_s(), len(daemon.text().splitlines())
                attempts = scene.counters()["routers"][0]["connection_attempts"]
                self.jump(offset_s)
                self.has_row(f"fresh{number}.stream.example")
                scene.wait_tried_again()  # two heartbeats
                # The cached answer has aged by the time that passed.
                later = self.ttl("other.example")
                passed = time.monotonic() - begin
                self.assertTrue(ttl - passed - 2 <= later <= ttl, f"{ttl} s, {passed:.1f} s later {later} s")
                self.assertEqual(self.router()["state"], "in_sync")
                self.assertEqual(scene.counters()["routers"][0]["connection_attempts"], attempts, "the session stays")
                self.assertLess(self.cpu_s() - cpu_s, 0.5 * passed + 1, "nothing runs in a circle")
                self.assertLess(len(daemon.text().splitlines()) - lines, 5, daemon.text())
        self.jump(400 * DAY_S)
        begin_s = time.time()
        scene.steerctl("reload")  # its line has the moved time: the module has an effect
        days = {time.strftime("%F", time.gmtime(at_s + 400 * DAY_S)) for at_s in (begin_s, time.time())}
        self.assertRegex(daemon.text(), rf"(?m)^(?:{'|'.join(days)}) .* is in force")
        self.assertEqual(daemon.stop(), 0)
        # A dump of the future is refused with a sentence; one of the past has expired.
        daemon = self.start(0)
        self.assertRegex(daemon.text(), "answers.dump was written in the future")
        self.has_row("other1.stream.example")
        self.assertEqual(daemon.stop(), 0)
        daemon = self.start(400 * DAY_S)
        self.assertRegex(daemon.text(), "0 answers restored from .*had expired")
        self.has_row("other2.stream.example")
        self.assertEqual(daemon.stop(), 0)


class Router(Surroundings):
    def test_a_router_without_a_free_session_gets_its_rows_when_one_is_free(self):
        scene = self.scene
        scene.start_router("--preset", "fast", "--max-sessions", "1")
        keeps = scene.network.start("router", "keeps", "/usr/bin/python3", "-c", (
            "import librouteros, signal\n"
            f"api = librouteros.connect(host='172.16.1.1', username='{USER}', password='{PASSWORD}')\n"
            "list(api.path('/system/identity')); print('there', flush=True); signal.pause()\n"))
        keeps.wait_for("there")
        daemon = scene.start_daemon(self.config)
        until(lambda: "ended the connection before the login" in daemon.text(), 20, "it is reported")
        self.assertTrue(scene.short("stream.example", "A"), "answers go on")
        self.assertNotEqual(self.router()["state"], "in_sync")
        scene.wait_tried_again()
        self.assertLess(len(re.findall(r" (?:warning|error) router ", daemon.text())), 3, daemon.text())
        keeps.stop()
        self.in_sync()
        # The claims of the time without a session are written.
        self.wait_for_rows("203.0.113.10", "203.0.113.11")
        self.has_row("fresh.stream.example")

    def test_rights_that_are_taken_away_stop_rows_alone_and_come_back(self):
        scene = self.scene
        scene.start_router("--preset", "fast")
        daemon = scene.start_daemon(self.config)
        self.in_sync()
        self.has_row("stream.example")
        for number, policy in enumerate(("read,api", "api", "read,write")):
            with self.subTest(policy=policy):
                before = len(daemon.text())
                self.set_policy(policy)
                self.assertTrue(scene.short(f"lost{number}.stream.example", "A"), "answers go on")
                until(lambda: re.search(r"policies read,write,api|check username and password", daemon.text()[before:]), 30, "it is reported")
                self.assertTrue(scene.short(f"also{number}.stream.example", "A"), "answers go on")
                self.set_policy("read,write,api")
                self.in_sync()
                self.has_row(f"lost{number}.stream.example")
                reported = re.findall(r"(?:does not let user|refuses user)", daemon.text()[before:])
                self.assertLessEqual(len(reported), 2, daemon.text()[before:])
        self.assertEqual(daemon.stop(), 0)

    def set_policy(self, policy):
        """RouterOS looks at policies at each login: the session ends, too."""
        self.scene.router_ctl("record", "/user/group", ".id=*1", f"policy={policy}")
        number = self.scene.router_ctl("fault", "reset", "command=.*", "times=1").strip()
        until(lambda: re.search(rf"^ +{number} reset .*struck 1 ", self.scene.router_ctl("faults"), re.M), 60, "the session ends")


class Memory(Surroundings):
    """In a control group with less memory than the machine."""

    LIMIT = 256 * MIB

    def group(self):
        """The control group's folder, and its files of the limit and of kills; skipped where none can be made."""
        for root, limit, kills in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.oom_control"),
                                   ("/sys/fs/cgroup", "memory.max", "memory.events")):
            folder = pathlib.Path(root) / f"steer-{os.getpid()}"
            try:
                folder.mkdir()
                self.addCleanup(self.remove, folder)
                (folder / limit).write_text(str(self.LIMIT))
                return folder, folder / kills
            except OSError:
                continue
        self.skipTest("no control group with a limit of memory can be made here")

    def remove(self, folder):
        if self.scene.daemon is not None:
            self.scene.daemon.stop()
        folder.rmdir()

    def test_a_full_cache_stays_below_the_limit_of_a_control_group(self):
        scene = self.scene
        folder, kills = self.group()
        self.write(memory="64MiB", size="16MiB")
        scene.start_router("--preset", "fast")
        moved = scene.folder / "moved"
        scene.daemon = scene.network.start(
            "appliance", "steerdnsd-limited", "sh", "-c", f'while [ ! -e {moved} ]; do sleep 0.05; done; exec "$@"', "sh",
            f"{BUILD}/steerdnsd", "--config", str(self.config), "--control-socket", str(scene.socket))
        (folder / "cgroup.procs").write_text(str(scene.daemon.pid))
        moved.touch()
        scene.daemon.wait_for("serving on")
        self.in_sync()
        lines = (f"a-long-name-of-a-host-{i}.other.example A" for i in range(200_000))
        load = start_load(scene.network, lines, 20_000, "-q", "1000", "-t", "2")
        evicted = lambda: scene.reported("cache", "stats")["caches"][0]["evictions"]  # noqa: E731
        until(lambda: evicted() > 1_000 or not scene.daemon.running() or not load.running(), 120, "the cache is full", 0.5)
        load.stop()
        self.assertTrue(scene.daemon.running(), scene.daemon.end())
        self.assertGreater(evicted(), 1_000, "the cache was full")
        self.assertRegex(kills.read_text(), r"oom_kill 0")
        resident = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{scene.daemon.pid}/status").read_text())[1]) * 1024
        print(f"  {resident / MIB:.0f} of {self.LIMIT / MIB:.0f} MiB, {evicted()} answers evicted")
        self.has_row("fresh.stream.example")
        self.assertEqual(scene.daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
