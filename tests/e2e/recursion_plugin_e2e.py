"""`type: recursion`: unbound, run by the daemon, walks a signed tree of the lab's own (lab/dns_tree.py), whose zones are broken in
one way each."""

import os
import pathlib
import re
import shutil
import signal
import sys
import unittest

import lab.dns_tree
from lab.dns_tree import ADDRESS, ZONES
from lab.network import skip_without, until
from lab.recursion import PROGRAMS, RecursionScene
from lab.scene import query_counts, start_load

BUILD = sys.argv.pop(1)
ODD_SERVER = pathlib.Path(lab.dns_tree.__file__).with_name("odd_server.py")


class Recursion(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(RecursionScene("recursion", BUILD))
        self.tree = self.scene.tree
        self.write, self.start, self.instances = self.scene.write, self.scene.start_recursion, self.scene.instances

    def reported(self):
        return self.scene.reported("recursion")

    def ask(self, name, *words):
        """The status, the flags and the codes of extended errors."""
        one = self.scene.answer(name, *words)
        return one.status, {"ad"} if one.is_authenticated else set(), one.codes, one.text

    def test_each_zone_gets_its_status_flag_and_reason(self):
        self.start()
        for zone in ZONES:
            with self.subTest(zone.name, flaw=zone.flaw):
                status, flags, codes, text = self.ask(f"{zone.ask}.{zone.name}")
                self.assertEqual(status, zone.status, text)
                self.assertEqual("ad" in flags, zone.ad, text)
                if zone.status == "NOERROR":
                    self.assertIn(ADDRESS, text)
                    self.assertEqual("RRSIG" in text, bool(zone.sign), text)
                elif zone.codes:
                    self.assertTrue(set(codes) & set(zone.codes), text)
                # Who checks by itself gets what there is.
                if zone.codes:
                    self.assertEqual(self.ask(f"{zone.ask}.{zone.name}", "+cdflag")[0], "NOERROR")
        self.assertEqual(self.ask("missing.good.example")[:1], ("NXDOMAIN",))
        self.assertIn("ad", self.ask("missing.good.example")[1])
        failed = self.reported()["failures"]
        expired, = (one for one in failed if "www.expired.example" in one["text"])
        self.assertEqual((expired["zone"], expired["reason"]), ("expired.example", "bogus"))
        silent, = (one for one in failed if "www.lame.example" in one["text"])
        self.assertEqual((silent["zone"], silent["reason"]), ("lame.example", "silent"))
        self.assertRegex(self.scene.steerctl("explain", "www.Expired.example"), r"reasons of recursion\n  resolve-0: validation failure .*signature expired")
        self.assertNotIn("reasons of", self.scene.steerctl("explain", "www.good.example"))

    def settled(self):
        """The queries of each instance, once they were the same twice."""
        seen = []

        def same():
            seen.append([(one["queries"], one["uptime_s"]) for one in self.instances()])
            # Each was asked again since the last reading.
            return len(seen) > 1 and all(now[0] == was[0] and now[1] > was[1] for now, was in zip(seen[-1], seen[-2]))

        until(same, 30, "no query comes", 2.5)
        return [queries for queries, _ in seen[-1]]

    def test_a_domain_stays_in_one_instance(self):
        self.start(instances=2)
        before = self.settled()
        for i in range(10):
            self.assertEqual(self.ask(f"n{i}.any.good.example")[0], "NOERROR")
        grown = sorted(now - was for now, was in zip(self.settled(), before))
        self.assertEqual(grown, [0, 10])

    def policies(self) -> set[int]:
        """Of the threads that ask the engines."""
        tasks = pathlib.Path(f"/proc/{self.scene.daemon.pid}/task").iterdir()
        return {os.sched_getscheduler(int(task.name)) for task in tasks if (task / "comm").read_text() == "streams\n"}

    def test_queries_take_no_cpu_from_the_engines(self):
        self.start()
        self.assertEqual(self.policies(), {os.SCHED_BATCH})
        # Without an engine, streams are served at once again.
        configured = self.scene.config.read_text()
        self.scene.config.write_text(re.sub(r"(?s)  - tag: resolve.*?(?=  - )", "  - { tag: resolve, type: black_hole, args: { mode: nxdomain } }\n",
                                            configured))
        self.scene.steerctl("reload")
        until(lambda: self.policies() == {os.SCHED_OTHER}, 20, "no engine is left")
        self.scene.config.write_text(configured)
        self.scene.steerctl("reload")
        until(lambda: self.policies() == {os.SCHED_BATCH}, 20, "there is an engine again")

    def test_another_program_at_its_port_is_not_asked(self):
        squatter = self.scene.network.start("appliance", "squatter", "/usr/bin/python3", str(ODD_SERVER), "127.0.0.1", "ready", ADDRESS, "5301")
        squatter.wait_for("ready")
        self.write()
        daemon = self.scene.start_daemon(self.scene.config)
        daemon.wait_for("could not open ports", 20)
        self.assertEqual(self.ask("www.good.example", "+timeout=12")[0], "SERVFAIL")
        squatter.stop(number=signal.SIGKILL)
        until(lambda: self.ask("www.good.lab")[0] == "NOERROR", 40, "the instance is up")

    def test_no_query_is_lost_while_instances_are_killed_in_turn(self):
        self.start(instances=2)
        for zone in ("good.example", "good.lab"):
            self.assertEqual(self.ask(f"www.{zone}")[0], "NOERROR")
        load = start_load(self.scene.network, (f"www.good.example A\nn{i}.any.good.{top} A" for i in range(5000) for top in ("example", "lab")), 300,
                          "-t", "5", "-q", "500")
        try:
            until(lambda: sum(one["queries"] for one in self.instances()) > 300, 20, "the load runs")
            for one in self.instances():
                os.kill(one["pid"], signal.SIGKILL)
                until(lambda: all(i["up"] and i["pid"] != one["pid"] for i in self.instances()), 10, "it is started again")
        finally:
            load.stop(number=signal.SIGINT)
        counts = query_counts(load.text())
        print(f"killed both in turn: {counts}", flush=True)
        self.assertGreater(counts["completed"], 500)
        self.assertEqual(counts["lost"], 0)
        self.assertEqual([one["restarts"] for one in self.instances()], [1, 1])

    def test_a_change_keeps_the_process(self):
        self.start()
        self.assertEqual(self.ask("www.wrong.example")[0], "SERVFAIL")
        pid = self.instances()[0]["pid"]
        self.write(keys=", negative_trust_anchors: [ wrong.example ]")
        self.scene.steerctl("reload")
        self.scene.steerctl("recursion", "flush", "--below", "wrong.example")
        until(lambda: self.ask("www.wrong.example")[0] == "NOERROR", 10, "it is not checked any more")
        self.assertNotIn("ad", self.ask("www.wrong.example")[1])
        self.assertEqual(self.instances()[0]["pid"], pid)

    def test_all_names_can_be_flushed(self):
        self.start()
        recursions = lambda: self.settled() and self.instances()[0]["recursions"]
        self.ask("www.good.example")
        first = recursions()
        self.scene.steerctl("cache", "flush", "--name", "www.good.example")
        self.ask("www.good.example")
        self.assertEqual(recursions(), first, "the engine knows it")
        done = self.scene.reported("recursion", "flush", "--below", ".")
        self.assertEqual((done["instances"], done["flushed"]), (1, 1))
        self.ask("www.good.example")
        self.assertGreater(recursions(), first)
        refused = self.scene.ask("recursion", "distrust", ".")
        self.assertIn("'.' is every domain: name one", refused.stderr)

    def test_a_domain_is_not_validated_until_it_is_trusted_again(self):
        self.start()
        self.assertEqual(self.ask("www.expired.example")[0], "SERVFAIL")
        self.scene.steerctl("recursion", "distrust", "expired.example", "--for", "3600")
        self.assertEqual(self.ask("www.expired.example")[0], "NOERROR")
        self.assertEqual(self.reported()["negative_trust_anchors"], ["expired.example"])
        self.scene.steerctl("recursion", "trust", "expired.example")
        self.assertEqual(self.ask("www.expired.example")[0], "SERVFAIL")

    def test_an_island_is_validated_by_its_own_anchor(self):
        self.start(anchors=f'"{self.tree.anchor}", "{self.tree.island}"')
        status, flags, _, text = self.ask("www.island.example")
        self.assertEqual((status, "ad" in flags), ("NOERROR", True), text)

    def test_without_validation_nothing_is_authenticated(self):
        self.start(keys=", validate: no")
        for name in ("www.good.example", "www.wrong.example"):
            status, flags, _, text = self.ask(name)
            self.assertEqual((status, "ad" in flags), ("NOERROR", False), text)

    def test_the_process_is_confined(self):
        daemon = self.start()
        pid = self.instances()[0]["pid"]
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        for line in ("NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"):
            self.assertIn(line, status)
        self.assertNotEqual(re.search(r"Uid:\t(\d+)", status)[1], "0")
        self.assertGreater(int(re.search(r"Seccomp_filters:\t(\d+)", status)[1]), 1, "its own beside the starter's")
        status = self.scene.reported("status")
        self.assertEqual((status["recursion"]["other_programs"], status["recursion"]["files"]), ("refused", status["confinement"]["files"]))
        sockets = self.scene.network.run("appliance", "ss", "-Hlun").stdout
        self.assertIn("127.0.0.1:5301", sockets)
        self.assertNotRegex(sockets, r"172\.16\.1\.2:5301|0\.0\.0\.0:5301")
        self.assertEqual(daemon.stop(), 0)
        until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 5, "it ends with the daemon")
        self.assertNotRegex(daemon.text(), r" (warning|error) ")

    def test_the_starter_keeps_no_listener_of_sixteen_instances(self):
        self.start(instances=16)
        self.assertEqual(len({one["pid"] for one in self.instances()}), 16)
        starter = self.scene.network.pid("appliance", "steerdns-engine")
        files = [os.readlink(one) for one in pathlib.Path(f"/proc/{starter}/fd").iterdir()]
        self.assertFalse([one for one in files if "seccomp" in one], files)
        self.assertEqual(self.ask("www.good.example")[0], "NOERROR")

    def test_a_new_program_replaces_each_process(self):
        daemon = self.start(instances=2)
        before = {one["pid"] for one in self.instances()}
        newer = self.scene.folder / "unbound"
        shutil.copy("/usr/sbin/unbound", newer)
        self.scene.network.run("appliance", "nsenter", "-t", str(daemon.pid), "-m", "mount", "--bind", str(newer), "/usr/sbin/unbound")
        until(lambda: not before & {one["pid"] for one in self.instances()}, 60, "each has the new program")
        self.scene.wait_up()
        self.assertEqual(self.ask("www.good.example")[0], "NOERROR")
        self.assertEqual({one["restarts"] for one in self.instances()}, {0})

    def test_its_files_are_not_limited_without_landlock(self):
        self.scene.write()
        self.scene.config.write_text(self.scene.config.read_text().replace("stream_threads: 1", "stream_threads: 1, landlock: false"))
        self.scene.start_daemon(self.scene.config)
        self.scene.wait_up()
        self.assertEqual(self.scene.reported("status")["recursion"]["files"], "off")
        self.assertEqual(self.ask("www.good.example")[0], "NOERROR")


if __name__ == "__main__":
    skip_without(PROGRAMS, "--all")
    unittest.main(verbosity=2)
