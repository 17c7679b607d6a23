"""A configuration, or a file that it names, changes while the daemon serves."""

import json
import os
import pathlib
import pwd
import re
import shlex
import signal
import subprocess
import sys
import unittest

from lab.network import run, until
from lab.scene import ROOT, Scene, query_counts, start_load

BUILD = sys.argv.pop(1)

CONFIG = """
control: {{ watch: {watch} }}
routers:
  edge1: {{ address: 172.16.1.1, username: api-user, password: secret }}
plugins:
  - {{ tag: policy, type: domain_set, args: {{ files: [names.txt] }} }}
  - {{ tag: main_cache, type: cache, args: {{ size: 1000, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://{upstream} }} ] }} }}
  - {{ tag: list1, type: ros_address_list, args: {{ router: edge1, address_list4: one, address_list6: one6 }} }}
{more}
  - {{ tag: main, type: sequence, args: [
      {{ matches: qname $policy, exec: {list} }},
      {{ exec: $main_cache }},
      {{ exec: $up }} ] }}
log: {{ file: log/steerdns.log }}
"""
LIST2 = "  - { tag: list2, type: ros_address_list, args: { router: edge1, address_list4: two, address_list6: two6 } }"
OTHER = "198.51.100.1"


class Reload(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("reload", BUILD))
        self.scene.start_resolver()
        os.chmod(self.scene.folder, 0o755)
        self.log = self.scene.folder / "log" / "steerdns.log"
        self.log.parent.mkdir()
        os.chmod(self.log.parent, 0o777)
        self.names = self.scene.folder / "names.txt"
        self.names.write_text("stream.example\n")
        self.config = self.scene.folder / "steer.yaml"
        self.write()

    def write(self, watch="files", upstream="1.1.1.1", more="", list="$list1"):
        self.config.write_text(CONFIG.format(watch=watch, upstream=upstream, more=more, list=list))

    def status(self):
        return self.scene.reported("status")

    def generation(self):
        return self.status()["generation"]

    def wait_generation(self, wanted):
        until(lambda: self.generation() == wanted, 10, f"configuration {wanted} is in force")

    def replace(self, path: pathlib.Path, text: str):
        """As an editor does: a new file that is renamed over the old one."""
        new = path.with_suffix(".new")
        new.write_text(text)
        new.rename(path)

    def reload(self):
        return self.scene.ask("reload")

    def answered(self, name="other.example"):
        return self.scene.short(name, "A") != []

    def test_room_for_more_rows_needs_a_restart(self):
        self.scene.start_daemon(self.config)
        text = self.config.read_text()
        # More than the row board has at the least, and less than an eighth of the memory.
        self.config.write_text(text.replace("address_list6: one6", "address_list6: one6, max_rows: 250000"))
        done = self.reload()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"warning: .*room for more rows of lists \(max_rows, max_elements\) needs a restart")

    def test_a_changed_list_is_in_force_with_a_warm_cache(self):
        """Answers that were cached before the change are claimed after it."""
        self.scene.start_router()
        daemon = self.scene.start_daemon(self.config)
        self.assertTrue(self.answered())
        self.assertEqual(self.scene.rows(), [])
        asked = self.scene.total("stats", "upstream_queries")
        self.replace(self.names, "stream.example\nother.example\n")
        self.wait_generation(2)
        self.assertTrue(self.answered())
        self.scene.wait_rows({("one", OTHER)})
        self.assertEqual(self.scene.total("stats", "upstream_queries"), asked, "the cache stayed warm")
        self.assertEqual(self.scene.steerctl("why", "www.other.example"),
                         "sets: policy, main[1].matches[1]\n"
                         f"  domain_set 'policy'  in  domain:other.example  {self.names}:2\n"
                         "effects:\n"
                         f"  add to list 'list1' (IPv4 'one', IPv6 'one6') on edge1  in main  {self.config}:12\n")
        with self.names.open("a") as file:  # written in place
            file.write("media.example\n")
        self.wait_generation(3)
        self.answered("media.example")
        self.scene.wait_rows({("one", "203.0.113.30")})
        self.assertIn(f"because of a change of {self.names}", daemon.text())
        # Away, the last good state stays; back again, it is read.
        kept = self.names.read_text()
        self.names.unlink()
        until(lambda: self.status()["reload"]["refused"] == 1, 10, "the missing list is noticed")
        status = self.status()
        self.assertEqual(status["generation"], 3)
        self.assertRegex(status["reload"]["trouble"], r"steer.yaml:6: .*names.txt.* cannot be read: No such file")
        self.assertTrue(self.answered("stream.example"))
        self.scene.wait_rows({("one", "203.0.113.10")})
        self.names.write_text(kept)
        self.wait_generation(4)
        self.assertEqual(self.status()["reload"]["trouble"], "")

    def watched(self, daemon):
        """How often the watcher found a change in force, and how often it had the files read."""
        output = daemon.text()
        return (output.count(f"the change of {self.names} is already in force: an earlier reload read it"),
                output.count(f"because of a change of {self.names}"))

    def test_the_watcher_does_not_repeat_a_reload(self):
        """A script edits a list and asks for a reload: each edit gives one configuration, also with watched files.

        If steerctl needs longer to start than the watcher waits for further changes, the watcher is rightly the first."""
        text = CONFIG.format(watch="files", upstream="1.1.1.1", more="", list="$list1")
        self.config.write_text(text.replace("log: { file", "log: { level: debug, file"))
        daemon = self.scene.start_daemon(self.config)
        edits = 20
        for i in range(edits):
            self.replace(self.names, f"stream.example\nname{i}.example\n")
            self.scene.steerctl("reload")
            if i % 5 == 4:  # wait until the watcher has reported the change
                turns = i // 5 + 1
                until(lambda: sum(self.watched(daemon)) >= turns, 10, "the watcher's turn")
                self.assertNotEqual(re.findall(r"is in force after .* because of (.*)", daemon.text())[-1], f"a change of {self.names}")
        known, earlier = self.watched(daemon)
        self.assertGreater(known, 0)
        self.assertEqual(self.generation(), 1 + edits + earlier)
        # A change that no reload has read yet starts one.
        self.replace(self.names, "stream.example\n")
        self.wait_generation(2 + edits + earlier)

    def test_sighup_and_steerctl_reload(self):
        self.scene.start_router()
        daemon = self.scene.start_daemon(self.config)
        self.answered("stream.example")
        self.scene.wait_rows({("one", "203.0.113.10")})
        connects = until(lambda: self.scene.counters()["routers"][0]["connects"], 10, "the session is counted")

        renamed = self.log.rename(self.log.with_suffix(".1"))  # as logrotate does
        os.kill(daemon.pid, signal.SIGHUP)
        self.wait_generation(2)
        output = "configuration 2 is in force"
        until(lambda: output in self.log.read_text(), 10, "the log's new file has what came after")
        self.assertNotIn(output, renamed.read_text())
        done = self.reload()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        self.assertRegex(done.stdout, r"^configuration 3 is active after \d+ ms\n$")
        self.assertEqual(self.scene.counters()["routers"][0]["connects"], connects, "an unchanged router is left alone")

        # Another list at the same router: the old one's rows stay, the new one is written.
        self.write(more=LIST2, list="$list2")
        self.scene.steerctl("reload")
        self.answered("stream.example")
        self.scene.wait_rows({("two", "203.0.113.10"), ("one", "203.0.113.10")})

        # A mistake changes nothing.
        self.write(list="$nobody")
        done = self.reload()
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stdout, r'error: .*steer.yaml:\d+: there is no plugin "nobody"')
        self.assertRegex(done.stdout, r"configuration 4 stays in use\n$")
        self.assertTrue(self.answered("stream.example"))
        self.config.write_text(self.config.read_text().replace("$nobody", "$list1") + "dataplane: { workers: 2 }\n")
        done = self.reload()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"warning: .*steer.yaml: dataplane.workers needs a restart: the old value stays in force")
        self.assertEqual(len(self.status()["workers"]), 1)

        metrics = self.scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout
        self.assertIn('steerdns_reloads_total{result="in_force"} 4', metrics)
        self.assertIn('steerdns_reloads_total{result="refused"} 1', metrics)
        self.assertIn("steerdns_generation 5", metrics)

    def test_systemctl_reload_works_after_privileges_are_dropped(self):
        """With the rights that the unit gives to its commands."""
        unit = (ROOT / "configs/steerdnsd.service.in").read_text()
        bounding = re.search(r"^CapabilityBoundingSet=(.*)$", unit, re.M)[1].lower().replace("cap_", "+")
        limited = ["setpriv", "--bounding-set=-all," + ",".join(bounding.split())]
        reload = re.search(r"^ExecReload=(\+?)(.*)$", unit, re.M)
        self.write(watch="files, user: nobody")
        daemon = self.scene.network.start("appliance", "unit", *limited, str(self.scene.build / "steerdnsd"), "--config",
                                          str(self.config), "--control-socket", str(self.scene.socket))
        daemon.wait_for("serving", 40)
        command = shlex.split(reload[2].replace("$MAINPID", str(daemon.pid)))
        run(*([] if reload[1] else limited), *command)  # ("+": with all rights)
        self.wait_generation(2)

    def test_an_image_that_root_compiled_is_read_after_privileges_are_dropped(self):
        self.names.write_text("".join(f"n{i}.stream.example\n" for i in range(30_000)))
        images = self.scene.folder / "images"
        self.write(watch=f"files, user: nobody, images: {images}")
        self.scene.start_daemon(self.config)
        (image,) = images.iterdir()
        before = image.stat()
        done = self.reload()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotIn("warning", done.stdout)
        self.assertEqual(image.stat().st_ino, before.st_ino, "it was not made anew")
        self.assertEqual((images.stat().st_mode & 0o777, images.stat().st_uid), (0o700, pwd.getpwnam("nobody").pw_uid))

    def test_the_configuration_is_watched_with_watch_all(self):
        self.write(watch="all")
        self.scene.start_daemon(self.config)
        self.replace(self.config, self.config.read_text().replace("watch: all", "watch: off"))
        self.wait_generation(2)
        self.replace(self.config, self.config.read_text() + "# more\n")
        self.names.write_text("media.example\n")
        self.scene.steerctl("reload")
        self.assertEqual(self.generation(), 3, "by hand alone")

    def hits(self):
        """What `steerctl hits` counts in one second, and how often both names are asked for during that time."""
        argv = [f"{BUILD}/tools/steerctl/steerctl", "--socket", str(self.scene.socket), "--json", "hits", "--seconds", "1"]
        asked = 0
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as hits:
            while hits.poll() is None:
                self.assertTrue(self.answered("www.stream.example"))
                self.assertTrue(self.answered())
                asked += 1
            found = json.loads(hits.stdout.read())
        queries = {row["name"]: row["queries"] for row in found["names"]}
        self.assertLessEqual(set(queries), {"www.stream.example", "other.example"})
        self.assertTrue(all(0 < count <= asked for count in queries.values()), (queries, asked))
        self.assertEqual(found["queries"], sum(queries.values()))
        return found, queries

    def test_hits_counts_queries_by_rule(self):
        """For one second, with the rules as they are in the files now."""
        self.scene.start_daemon(self.config)
        self.names.write_text("# media\nstream.example\nfull:never.example\n")
        # On a busy machine one query may take longer than the second.
        found, queries = until(lambda: len((reported := self.hits())[1]) == 2 and reported, 5, "a second has both names")
        self.assertEqual([(r["plugin"], r["rule"], pathlib.Path(r["file"]).name, r["line"], r["queries"]) for r in found["rules"]],
                         [("domain_set 'policy'", "domain:stream.example", "names.txt", 2, queries["www.stream.example"])])
        self.assertEqual([(c["queries"]) for c in found["clients"]], [found["queries"]])
        self.assertEqual([t["type"] for t in found["types"]], ["A"])
        refused = self.scene.ask("hits", "--seconds", "0")
        self.assertEqual(refused.returncode, 2, refused.stderr)

    def test_a_new_upstream_is_asked_at_once(self):
        """The old one may still reply."""
        net = self.scene.network
        net.address("resolver", "eth0", "10.99.9.9/32")
        net.route("router", "10.99.9.9/32", "via", "1.1.1.1")
        second = net.start("resolver", "second", "/usr/bin/python3",
                           str(pathlib.Path(__file__).with_name("sized_upstream.py")), "10.99.9.9@53")
        second.wait_for("ready")
        self.scene.start_daemon(self.config)
        self.assertTrue(self.answered("www.other.example"))
        self.write(upstream="10.99.9.9")
        self.scene.steerctl("reload")
        self.assertEqual([u["name"] for u in self.status()["upstreams"]], ["udp://10.99.9.9"])
        self.assertTrue(self.answered("7.host.example"))
        self.assertEqual(self.scene.total("verdicts", "forwarded"), 2)

    def test_reloads_under_load_lose_no_query(self):
        """Every query is answered, and each answer is right."""
        self.scene.start_daemon(self.config)
        load = self.scene.start_load()
        until(lambda: self.scene.total("stats", "upstream_queries") > 100, 5, "the load is there")
        reloads = 20
        for _ in range(reloads):
            self.scene.steerctl("reload")
        self.assertTrue(load.running())
        load.stop(number=signal.SIGINT)
        text = load.text()
        counts = query_counts(text)
        print(f"  {reloads} reloads, {counts}")
        self.assertGreater(counts["sent"], 20 * reloads)
        self.assertEqual(counts["lost"], 0, text)
        self.assertRegex(text, r"Response codes:\s+NOERROR \d+ \(100.00%\)")
        until(lambda: self.status()["generation"] == reloads + 1, 5, "all came into force")

    def test_patterns_swapped_under_load_hold_for_the_next_query(self):
        """The scanning workers get another image while they match names that its patterns match."""
        many = "".join(f"regexp:^track{i}[0-9]+\\.\n" for i in range(200))
        versions = [(many + own, is_refused) for own, is_refused in (
            ("regexp:ads{2|banner[0-9]{2}track\n", True), ("regexp:^pixel[0-9]+\\.\n", False),
            ("regexp:(^|[.])banner1[0-9]tra+ck[.]\n", True), ("keyword:pixel\n", False))]
        self.names.write_text(versions[0][0])
        self.write(list="reject 5")
        self.scene.start_daemon(self.config)
        lines = (f"banner{10 + i % 90}track.n{i}.other.example A\npixel{i}.n{i}.other.example A\nn{i}.other.example A"
                 for i in range(10_000))
        load = start_load(self.scene.network, lines, 500, "-t", "10", "-q", "200")
        until(lambda: self.scene.total("stats", "upstream_queries") > 100, 5, "the load is there")
        for turn in range(12):
            text, is_refused = versions[turn % len(versions)]
            self.replace(self.names, text)
            self.scene.steerctl("reload")
            out = self.scene.kdig(f"banner12track.t{turn}.other.example", "A")
            self.assertIn("REFUSED" if is_refused else "198.51.100.9", out)
        self.assertTrue(load.running())
        load.stop(number=signal.SIGINT)
        counts = query_counts(load.text())
        self.assertGreater(counts["sent"], 100)
        self.assertEqual(counts["lost"], 0, load.text())
        self.assertRegex(load.text(), r"REFUSED \d+")


if __name__ == "__main__":
    unittest.main(verbosity=2)
