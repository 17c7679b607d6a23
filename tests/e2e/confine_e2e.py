"""What the daemon's threads and processes may do, and where its secrets are, in the running programs. What each kind of
thread is denied, one call after the other, is in tests/unit/control/confinement_test.cpp."""

import pathlib
import re
import sys
import tempfile
import unittest

from lab.certificates import Authority
from lab.network import until
from lab.scene import ROOT, Scene

BUILD = sys.argv.pop(1)
MINIMAL = (ROOT / "configs/minimal.yaml").read_text()
# Longer than what a std::string has inside.
LONG = "not-in-a-core-file-4711-0815-abcdefghijklmnop"
NET_ADMIN = 1 << 12
# Everything that the daemon writes, in folders that no rule names by itself.
WRITES = """
log: {{ file: {home}/log/steerdns.log }}
control: {{ history: {home}/versions/all, static: {home}/static/static.yaml, watch: off }}
plugins:
  - {{ tag: log, type: query_recorder, args: {{ path: {home}/queries/queries.db, json: {home}/queries/queries.json }} }}
  - {{ tag: local, type: static, args: {{ records: [ {{ name: router.lan, address: 192.168.88.1 }} ] }} }}
  - {{ tag: blocked, type: dynamic_domain_set, args: {{ path: {home}/rules/own.txt }} }}
  - {{ tag: main_cache, type: cache, args: {{ size: 1000, short_circuit: true, dump_file: {home}/dumps/cache.dump }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [
      {{ exec: $log }}, {{ exec: $local }}, {{ matches: qname $blocked, exec: reject 3 }}, {{ exec: $main_cache }}, {{ exec: $up }} ] }}
"""
# Each of them needs a program that a starter starts.
PROGRAMS = """
  - {{ tag: set, type: nftset, args: {{ ipv4: {{ table_family: inet, table_name: fw, set_name: policy4, mask: 32 }} }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $ros_address_list_policy }}, {{ exec: $forward_main }}, {{ exec: $set }} ] }}
  - {{ tag: doq, type: quic_server, args: {{ entry: main, listen: ":853", cert: "{0.pem}", key: "{0.key}" }} }}
"""


def facts(path):
    return dict(line.split(":\t", 1) for line in (path / "status").read_text().splitlines() if ":\t" in line)


class Confine(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("confine", BUILD))
        self.scene.folder.chmod(0o777)
        self.scene.start_resolver()
        self.serial = 0

    def start(self, text=MINIMAL, **env):
        self.serial += 1
        self.config = self.scene.folder / f"confine-{self.serial}.yaml"
        self.config.write_text(text)
        self.scene.start_daemon(self.config, env=env)
        self.pid = self.scene.network.pid("appliance", "steerdnsd")

    def tasks(self):
        """Facts of all threads; several can have the process's name."""
        return [facts(task) for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir()]

    def metrics(self):
        return self.scene.network.run("appliance", "curl", "-s", "http://127.0.0.1:9153/metrics").stdout

    def test_every_thread_and_process_has_a_filter_and_nothing_that_it_needs_is_denied(self):
        scene = self.scene
        scene.start_router()
        for driver in ("af_xdp", "af_packet", "socket"):
            with self.subTest(driver):
                self.start(f"dataplane:\n  ports:\n    - {{ device: eth0, driver: {driver} }}\n" + MINIMAL)
                self.assertTrue(scene.short("stream.example", "A"))
                self.assertTrue(scene.short("+tcp", "stream.example", "AAAA"))
                for words in (("reload",), ("status",), ("routers", "list"), ("upstreams",), ("why", "stream.example")):
                    scene.ask(*words)
                for task in self.tasks():
                    self.assertEqual((task["Name"], task["Seccomp"], task["NoNewPrivs"]), (task["Name"], "2", "1"))
                self.assertLessEqual({"steerdnsd", "streams", "routers", "denials", "watchdog", "log", "log-file"}, {task["Name"] for task in self.tasks()})
                confinement = scene.reported("status")["confinement"]
                self.assertEqual(confinement, {"system_calls": "on", "files": "on", "unfiltered_threads": []})
                self.assertEqual(scene.counters()["denied_calls"], [])
                for thread in ("worker", "streams", "routers", "exception", "log", "control"):
                    self.assertIn(f'steerdns_denied_calls_total{{thread="{thread}"}} 0\n', self.metrics())
                starter = scene.network.pid("appliance", "steerdns-start")
                status = facts(pathlib.Path(f"/proc/{starter}"))
                self.assertEqual((status["Seccomp"], int(status["CapPrm"], 16), status["PPid"]), ("2", NET_ADMIN, str(self.pid)))
                self.assertNotIn("0", status["Uid"].split())
                # Sockets of the kernel need fewer capabilities.
                own = int(facts(pathlib.Path(f"/proc/{self.pid}/task/{self.pid}"))["CapPrm"], 16)
                self.assertEqual(bool(own & NET_ADMIN), driver != "socket", f"{own:x}")
                self.assertEqual(scene.daemon.stop(), 0)
                self.assertNotIn("denied", scene.daemon.text())
                self.assertFalse(pathlib.Path(f"/proc/{starter}").exists(), "it ends with the daemon")

    def test_an_interface_that_returns_needs_nothing_that_is_denied(self):
        scene, net = self.scene, self.scene.network

        def wire():
            net.link(("appliance", "eth1"), ("client", "eth1"))
            net.address("appliance", "eth1", "10.99.0.1/24")
            net.address("client", "eth1", "10.99.0.2/24")

        wire()
        self.start("dataplane:\n  ports: [ { device: eth0, driver: af_xdp }, { device: eth1, driver: af_xdp } ]\n" + MINIMAL)
        self.assertTrue(scene.short("stream.example", "A"))
        net.run("appliance", "ip", "link", "del", "eth1")
        until(lambda: "eth1 was removed: " in scene.daemon.text(), 10, "it says that eth1 is gone")
        wire()
        until(lambda: "eth1 is back and is served again" in scene.daemon.text(), 10, "it is served again")
        until(lambda: net.run("client", "kdig", "@10.99.0.1", "+short", "+timeout=1", "+retry=0", "stream.example", "A", check=False).stdout.strip(),
              10, "a query over it is answered")
        self.assertEqual(scene.counters()["denied_calls"], [])
        self.assertEqual(scene.daemon.stop(), 0)

    def test_the_programs_start_without_filters_and_rules(self):
        self.start(MINIMAL + "control: { seccomp: off, landlock: false }\n")
        self.assertTrue(self.scene.short("stream.example", "A"))
        self.assertEqual(self.scene.reported("status")["confinement"], {"system_calls": "off", "files": "off", "unfiltered_threads": []})
        self.assertEqual({task["Seccomp"] for task in self.tasks()}, {"0"})
        self.assertEqual(self.scene.daemon.stop(), 0)

    def home(self):
        """A folder that no rule names by itself."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(dir="/home", prefix="steerdns-confine-")))
        folder.chmod(0o755)
        return folder

    def test_the_daemon_writes_every_file_that_its_configuration_names(self):
        scene, home = self.scene, self.home()
        for name in ("etc", "log", "versions", "static", "queries", "rules", "dumps", "other"):
            (home / name).mkdir()
            (home / name).chmod(0o777)
        config = home / "etc/steer.yaml"
        config.write_text(WRITES.format(home=home))
        config.chmod(0o666)
        scene.start_daemon(config, wait="")
        log = home / "log/steerdns.log"
        until(lambda: log.exists() and "serving" in log.read_text(), 40, "it serves")
        self.assertEqual(scene.reported("status")["confinement"]["files"], "on")
        self.assertTrue(scene.short("stream.example", "A"))
        for words in (("static", "add", "name=nas.lan", "address=192.168.88.10", "--plugin", "local"), ("rules", "blocked", "add", "full:media.example"),
                      ("cache", "dump", str(home / "dumps/copy.dump"))):
            done = scene.ask(*words)
            self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
        changed = home / "changed.yaml"
        changed.write_text(config.read_text() + "# more\n")
        done = scene.ask("configuration", "apply", str(changed))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(scene.short("nas.lan", "A"), ["192.168.88.10"])
        until(lambda: "stream.example" in (home / "queries/queries.json").read_text(), 20, "the query is recorded")
        self.assertEqual(scene.counters()["denied_calls"], [])
        refused = scene.ask("cache", "dump", str(home / "other/copy.dump"))  # no rule covers it
        self.assertNotEqual(refused.returncode, 0, refused.stdout)
        self.assertIn("ermission denied", refused.stdout + refused.stderr)
        self.assertEqual(scene.daemon.stop(), 0)
        for name in ("static/static.yaml", "rules/own.txt", "dumps/cache.dump", "dumps/copy.dump", "queries/queries.db", "versions/all"):
            self.assertTrue((home / name).exists(), name)
        self.assertIn("# more", config.read_text())
        self.assertNotIn(" error ", log.read_text())

    def test_a_reload_that_names_another_folder_says_that_it_needs_a_restart(self):
        scene, folder = self.scene, self.home()
        (folder / "names.txt").write_text("stream.example\n")
        beside = scene.folder / "beside.txt"
        beside.write_text("media.example\n")

        def with_list(path):
            return MINIMAL.replace("plugins:\n", f"plugins:\n  - {{ tag: names, type: domain_set, args: {{ files: [{path}] }} }}\n")

        self.start()
        self.config.write_text(with_list(beside))
        self.assertEqual(scene.ask("reload").returncode, 0)
        self.config.write_text(with_list(folder / "names.txt"))
        refused = scene.ask("reload")
        self.assertNotEqual(refused.returncode, 0)
        text = refused.stdout + refused.stderr
        self.assertRegex(text, rf"{folder}/names.txt\S* is outside the folders that steerdnsd may read since its start "
                               r"\(`landlock` of `control`\): restart it")
        self.assertTrue(scene.short("stream.example", "A"), "the present one stays")
        self.assertEqual(scene.daemon.stop(), 0)
        self.start(with_list(folder / "names.txt"))
        self.assertEqual(scene.daemon.stop(), 0)

    # Secrets ------------------------------------------------------------------------------------------------

    def dumped(self):
        """The memory that a core file would have, without mappings that were never touched."""
        header, parts, has_pages = None, [], False
        with open(f"/proc/{self.pid}/mem", "rb") as memory:
            for line in pathlib.Path(f"/proc/{self.pid}/smaps").read_text().splitlines():
                if found := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) ", line):
                    header = int(found[1], 16), int(found[2], 16), found[3]
                    has_pages = False
                elif line.startswith(("Rss:", "Swap:", "Private_Hugetlb:", "Shared_Hugetlb:")):
                    has_pages = has_pages or not line.endswith(" 0 kB")
                elif line.startswith("VmFlags:") and header and has_pages and header[2].startswith("rw") and " dd" not in line:
                    memory.seek(header[0])
                    try:
                        parts.append(memory.read(header[1] - header[0]))
                    except OSError:
                        pass  # of a device
        return b"".join(parts)

    def test_a_password_is_in_no_core_file_answer_log_or_metric(self):
        scene = self.scene
        scene.start_router("--user", f"reader:{LONG}")
        self.start(re.sub(r"password: .*", f"password: {LONG}", MINIMAL.replace('username: "api-user"', "username: reader")))
        until(lambda: scene.counters()["routers"][0]["connects"] > 0, 10, "it has logged in")
        scene.ask("reload")
        where = {"the log": scene.daemon.text(), "metrics": self.metrics()}
        for words in (("status",), ("counters",), ("routers", "list"), ("upstreams",), ("lists",), ("why", "stream.example"), ("methods",)):
            done = scene.ask("--json", *words)
            where[" ".join(words)] = done.stdout + done.stderr
        process = pathlib.Path(f"/proc/{self.pid}")
        for name in ("cmdline", "environ", "status", "maps"):
            where[name] = (process / name).read_text()
        for place, text in where.items():
            self.assertNotIn(LONG, text, place)
        memory = self.dumped()
        self.assertGreater(len(memory), 1 << 20)
        at = memory.find(LONG.encode())
        self.assertEqual(at, -1, f"near {memory[max(at - 120, 0):at + 120]!r}")
        self.assertEqual(scene.daemon.stop(), 0)

    def test_no_other_process_has_a_variable_of_the_daemon(self):
        scene = self.scene
        scene.folder.chmod(0o755)
        certificate = Authority(scene.folder).issue("server", "DNS:dns.example")
        text = re.sub(r"password: .*", "password_env: STEERDNS_TEST_PASSWORD", MINIMAL.replace('username: "api-user"', "username: reader"))
        text += PROGRAMS.format(certificate)
        scene.start_router("--user", f"reader:{LONG}")
        self.start(text, STEERDNS_TEST_PASSWORD=LONG)
        names = ("steerdns-start", "steerdns-engine", "steerdns-sets", "steerdns-quic")
        for name in names:
            pid = until(lambda name=name: self.find(name), 20, f"{name} runs")
            with self.subTest(name):
                self.assertNotIn(LONG, pathlib.Path(f"/proc/{pid}/environ").read_text())
        # It reaches the daemon all the same.
        until(lambda: scene.counters()["routers"][0]["connects"] > 0, 10, "it has logged in")
        self.assertEqual(scene.daemon.stop(), 0)

    def find(self, name):
        return next((pid for pid in self.scene.network.pids("appliance") if facts(pathlib.Path(f"/proc/{pid}")).get("Name") == name), None)


if __name__ == "__main__":
    unittest.main(verbosity=2)
