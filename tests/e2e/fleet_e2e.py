"""Appliances that share their claims over a real redis-server: one writer per router, failover, Redis away, bad data.

    fleet_e2e.py BUILD [TESTS...]

Measured times are printed. An idle machine fails over within 3 s; the limit leaves time for the stalls of a busy one. Tests
that do not measure a failover have leases that survive such a stall.
"""

import pathlib
import signal
import sys
import time
import unittest

from lab.certificates import Authority
from lab.fleet import LIST, REDIS_PASSWORD, ROOT, FleetLan
from lab.network import skip_without, until
from lab.scene import ZONES, Scene, start_load
from lab.truth import Capture, judge, many_names_zone

BUILD = sys.argv.pop(1)
skip_without(("redis-server", "redis-cli", "redis-sentinel"), "--all")
FAILOVER_S = 15
GUIDE = (ROOT / "docs/guides/fleet.md").read_text()
WRITER_LIST = "steerdns-writer"
TLS_SERVER = '  - {{ tag: dot, type: tcp_server, args: {{ entry: main, listen: ":853", cert: "{0.pem}", key: "{0.key}" }} }}\n'


class FleetTest(unittest.TestCase):
    def begin(self, boxes=2, redis=True, start=True, lease="5s", zones=None, **settings):
        lan = self.lan = self.enterContext(FleetLan(BUILD))
        lan.fleet = lan.fleet.replace(" }", f", lease: {lease} }}")
        for name, value in settings.items():
            setattr(lan, name, value)
        lan.start_resolver(zones)
        for name in list(lan.routers):
            lan.start_router(name)
        if redis:
            lan.start_redis()
        lan.add_boxes(boxes)
        if start:
            self.start(*lan.boxes)
        return lan

    def start(self, *boxes):
        for box in boxes:
            box.start(wait="")
        for box in boxes:
            box.daemon.wait_for("serving on", 60)

    def wait_rows(self, *addresses, router="edge1"):
        until(lambda: set(addresses) <= set(self.lan.rows(router)), 10, f"{router} has {addresses}")

    def wait_role(self, role, *boxes):
        until(lambda: {box.role() for box in boxes} == {role}, 10, f"{[box.name for box in boxes]} are {role}")

    def wait_problem(self, box, text):
        return until(lambda: next((one for one in box.problems() if text in one), None), 10, f"{box.name} says: {text}")

    def assert_none_removed(self):
        self.assertNotIn("remove", {change["op"] for change in self.lan.changes() if change.get("list") == LIST})


class Pair(FleetTest):
    def test_one_box_writes_the_claims_of_both_and_another_takes_over_when_it_is_killed(self):
        lan = self.begin(boxes=3, lease="1500ms")
        writer, (second, third) = lan.settle()
        self.assertEqual(set(lan.short(writer, "stream.example", "A")), {"203.0.113.10", "203.0.113.11"})
        self.assertEqual(lan.short(second, "media.example", "A"), ["203.0.113.30"])
        self.wait_rows("203.0.113.10", "203.0.113.11", "203.0.113.30")
        until(lambda: [router["claims"] for router in third.fleet()["routers"]] == [3], 10, "a box has the claims of the others")
        before = lan.rows()
        # Rows of a killed box stay, and answers of the others get theirs within the limit.
        for names in (["long.stream.example", "short.stream.example"],):
            writer.kill()
            killed = time.monotonic()
            until(lambda: "writer" in {second.role(), third.role()}, FAILOVER_S, "another box writes", pause=0.01)
            took = time.monotonic() - killed
            self.assertEqual(lan.short(second, names[0], "A"), ["203.0.113.21"])
            self.assertEqual(lan.short(third, names[1], "A"), ["203.0.113.20"])
            self.wait_rows("203.0.113.21", "203.0.113.20")
            print(f"a killed writer: another one after {took:.2f} s, rows again after {time.monotonic() - killed:.2f} s")
            self.assertLess(took, FAILOVER_S)
        self.assertLessEqual(set(before), set(lan.rows()))
        self.assert_none_removed()
        counters = {name: sum(box.fleet()["counters"][name] for box in (second, third)) for name in ("terms", "failovers")}
        for name, count in counters.items():  # more than one after a stall of the new writer
            self.assertGreaterEqual(count, 1, name)
        # It comes back as a standby, with all claims.
        self.start(writer)
        until(lambda: writer.role() == "standby" and writer.fleet()["routers"][0]["claims"] == 5, 20, "it has the claims of Redis")

    def test_an_answer_of_a_standby_waits_for_the_row_that_the_writer_writes(self):
        lan = self.begin(is_async="false", sync_timeout="10s")
        writer, (standby,) = lan.settle()
        for box, name, address in ((writer, "long.stream.example", "203.0.113.21"), (standby, "media.example", "203.0.113.30"),
                                   (standby, "a.stream.example", "203.0.113.99")):
            begun = time.monotonic()
            self.assertEqual(lan.short(box, name, "A"), [address])
            print(f"a held answer of the {box.role()}: {1000 * (time.monotonic() - begun):.0f} ms")
            self.assertIn(address, lan.rows(), "no answer before its row")
        self.assertEqual(standby.reported("counters")["outcomes"]["installed"], 2)
        # The next writer holds answers, too.
        writer.kill()
        until(lambda: standby.role() == "writer", FAILOVER_S, "the standby writes")
        self.assertEqual(lan.short(standby, "node.stream.example", "A"), ["203.0.113.31"])
        self.assertIn("203.0.113.31", lan.rows())

    def test_a_box_that_ends_has_given_its_claims_to_the_others(self):
        """No answer of it leaves behind the last claim."""
        lan = self.begin(zones=ZONES | {"stream.example": many_names_zone(20_000)})
        writer, (standby,) = lan.settle()
        for box, first in ((standby, 0), (writer, 10_000)):
            self.start(*(one for one in lan.boxes if not one.daemon.running()))
            lan.settle()
            before = box.fleet()["counters"]["claims_sent"]
            with Capture(lan) as capture:
                load = start_load(lan.network, (f"n{i}.stream.example A" for i in range(first, first + 10_000)), 1000,
                                  "-q", "200", "-t", "1", server=box.address)
                until(lambda box=box, before=before: box.fleet()["counters"]["claims_sent"] > before + 300, 10, "the load is there")
                self.assertEqual(box.daemon.stop(), 0)
                load.stop(number=signal.SIGINT)

            def all_have_rows(capture=capture):
                counts = judge(lan.journal(), capture, "--least", "300", "--until", str(time.time()))
                return counts["missing"] + counts["gap"] == 0 and counts
            print(until(all_have_rows, 5, f"each answer of {box.name} has its row")["text"].splitlines()[-1])

    def test_a_stop_and_a_drain_hand_over_at_once(self):
        lan = self.begin()
        writer, (standby,) = lan.settle()
        until(lambda: writer.ask("fleet", "upgrade-check").returncode == 0, 10, "the writer may be upgraded")
        self.assertRegex(writer.ask("fleet", "upgrade-check").stdout, f"^box {writer.name} may be taken out of service now: .*{standby.name}\n$")
        writer.ask("drain", "on", check=True)
        begun = time.monotonic()
        until(lambda: standby.role() == "writer", FAILOVER_S, "the other box writes")
        print(f"a drained writer: another one after {time.monotonic() - begun:.2f} s")
        until(lambda: writer.role() == "standby", 5, "the drained box stands by")
        self.assertEqual(lan.short(writer, "media.example", "A"), ["203.0.113.30"])
        self.wait_rows("203.0.113.30")
        refused = standby.ask("fleet", "upgrade-check")
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"{writer.name} is draining; no other box is ready", refused.stderr)
        # Of two draining boxes one goes on.
        standby.ask("drain", "on", check=True)

        def is_seen_draining(of, by):
            return any(box["box"] == of.name and box.get("draining") for box in by.fleet()["boxes"])
        until(lambda: is_seen_draining(writer, standby) and is_seen_draining(standby, writer), 5, "both know that both drain")
        lan.settle()
        self.assertEqual(sorted((writer.role(), standby.role())), ["standby", "writer"])
        for box in (writer, standby):
            box.ask("drain", "off", check=True)
        writer, (standby,) = lan.settle()
        begun = time.monotonic()
        self.assertEqual(writer.daemon.stop(), 0)
        until(lambda: standby.role() == "writer", FAILOVER_S, "the other box writes")
        print(f"a stopped writer: another one writes {time.monotonic() - begun:.2f} s after SIGTERM")
        self.assert_none_removed()

    def test_a_reload_takes_the_section_up(self):
        lan = self.begin()
        lan.settle()
        box, other = lan.boxes
        box.write(fleet="")
        box.ask("reload", check=True)
        until(lambda: not box.fleet()["configured"], 5, "there is no fleet")
        self.assertEqual(box.ask("fleet").stdout, "the configuration has no fleet\n")
        until(lambda: other.role() == "writer", 5, "the other box writes")
        self.assertEqual(lan.short(box, "media.example", "A"), ["203.0.113.30"])
        self.wait_rows("203.0.113.30")
        box.write()
        box.ask("reload", check=True)
        self.assertEqual(lan.settle()[0], other)
        until(lambda: other.fleet()["routers"][0]["claims"] == 1, 5, "its claims came with it")
        self.wait_problem(box, "has another configuration") if box.problems() else None
        box.write(fleet=lan.fleet.replace("name: pop1", "name: pop2"))
        box.ask("reload", check=True)
        until(lambda: box.role() == "writer", 5, "the only box of its fleet")
        self.wait_problem(other, "fleet pop2 writes it, too")
        self.wait_problem(box, "fleet pop1 writes it, too")

    def test_the_example_configuration_makes_a_pair(self):
        lan = self.begin(start=False, redis=False)
        lan.start_redis(password="a-long-random-password")
        text = (ROOT / "configs/fleet.yaml").read_text()
        for there, here in (("192.0.2.10", "10.7.0.10"), ("172.16.1.1", "10.7.0.1"), ("1.1.1.1", "10.7.0.53"),
                            ("name: pop1", 'name: pop1\n  box: "${env:FLEET_BOX}"')):
            self.assertIn(there, text)
            text = text.replace(there, here)
        for box in lan.boxes:
            box.config.write_text("dataplane: { memory: 64MiB, ports: [ { device: eth0, driver: socket } ] }\n" + text)
        self.start(*lan.boxes)
        _, (standby,) = lan.settle()
        self.assertEqual(lan.short(standby, "media.example", "A"), ["203.0.113.30"])
        self.assertIn("203.0.113.30", lan.rows())

    def test_metrics_name_the_role(self):
        lan = self.begin(control="control: { http: 127.0.0.1:9153 }\n")
        writer, (standby,) = lan.settle()

        def metrics(box):
            return lan.network.run(box.name, "curl", "-s", "http://127.0.0.1:9153/metrics").stdout.splitlines()
        for box, role in ((writer, "writer"), (standby, "standby")):
            wanted = {"steerdns_fleet_connected 1", "steerdns_fleet_boxes 2", "steerdns_fleet_connects_total 1",
                      f'steerdns_fleet_router_role{{router="edge1",role="{role}"}} 1'}
            until(lambda b=box, w=wanted: w <= set(metrics(b)), 10, f"{box.name} has {wanted}")
            ready = lan.network.run(box.name, "curl", "-s", "http://127.0.0.1:9153/readyz?verbose").stdout
            self.assertRegex(ready, "fleet.*connected to Redis")

    def test_a_client_resumes_its_tls_session_on_the_other_box(self):
        lan = self.begin(start=False)
        certificate = Authority(lan.folder / "ca").issue("dns", "DNS:dns.example")
        for box in lan.boxes:
            box.write(servers=TLS_SERVER.format(certificate))
        self.start(*lan.boxes)
        lan.settle()
        ticket = lan.folder / "session.pem"

        def connect(box, *words):
            return lan.network.run("client", "openssl", "s_client", "-connect", f"{box.address}:853", *words, check=False,
                                   input="", timeout=20).stdout

        first, second = lan.boxes
        self.assertIn("New, TLSv1", connect(first, "-no_ign_eof", "-sess_out", str(ticket), "-tls1_2"))

        def is_resumed():
            connect(first, "-sess_out", str(ticket), "-tls1_2")
            return "Reused, TLSv1.2" in connect(second, "-sess_in", str(ticket), "-tls1_2")
        until(is_resumed, 10, "the other box reads the ticket")
        keys = [key for key in lan.redis("KEYS", "*tickets*").split() if key]
        self.assertEqual(len(keys), 1)
        # Redis restarts empty: nothing changes for the boxes, and the key comes back.
        lan.redis("DEL", keys[0])
        until(lambda: lan.redis("KEYS", "*tickets*").split() == keys, 15, "the key is written again")
        self.assertIn("Reused, TLSv1.2", connect(second, "-sess_in", str(ticket), "-tls1_2"))


class Groups(unittest.TestCase):
    """Groups of devices that a feed of subscribers writes into Redis, on one box."""

    CONFIG = """
control: {{ rules: {folder}/rules.json, leases: {folder}/leases.json, client_groups: {{ redis: subscribers }} }}
fleet: {{ name: pop1, redis: "127.0.0.1:6379", share_tickets: false }}
plugins:
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ matches: client_group guests, exec: reject 3 }}, {{ exec: $up }} ] }}
"""

    def setUp(self):
        self.scene = self.enterContext(Scene("groups", BUILD))
        self.scene.start_resolver()
        self.folder = self.scene.folder / "state"
        self.folder.mkdir()
        self.folder.chmod(0o777)
        self.config = self.scene.folder / "steer.yaml"
        self.config.write_text(self.CONFIG.format(folder=self.folder))
        self.server = self.start_redis()

    def start_redis(self):
        server = self.scene.network.start("appliance", f"redis-{len(self.scene.network.processes)}", "redis-server", "--bind", "127.0.0.1",
                                          "--save", "", "--appendonly", "no", "--dir", str(self.scene.folder), "--daemonize", "no")
        server.wait_for("Ready to accept connections")
        return server

    def write(self, text):
        self.scene.network.run("appliance", "redis-cli", "SET", "subscribers", text)

    def groups(self):
        return {one["group"]: one["members"] for one in self.scene.reported("clients", "group")["of_file"]}

    def problems(self):
        return "\n".join(one["text"] for one in self.scene.reported("status")["problems"] if one["subject"] == "clients")

    def test_a_feed_in_redis_is_followed_and_its_last_good_text_stays(self):
        self.write("children 192.168.88.10\n")
        daemon = self.scene.start_daemon(self.config)
        until(lambda: self.groups() == {"children": 1}, 15, "the groups are read")
        self.scene.reported("block", "music.example", "--client", "children")
        self.assertEqual(self.scene.short("music.example", "A"), ["0.0.0.0"])
        self.assertNotIn("is not followed", self.problems())
        self.write("guests 192.168.88.0/24\nchildren 02:00:00:00:00:09\n")
        until(lambda: self.scene.short("other.example", "A") == [], 15, "the change is followed")
        with self.subTest("a wrong line"):
            self.write("children 192.168.88.10\nchildren nobody\n")
            until(lambda: 'is wrong since' in self.problems(), 15, "the wrong text is a problem")
            self.assertIn('line 2: "children nobody" is not a member', self.problems())
            self.assertEqual(self.groups(), {"children": 1, "guests": 1})
        with self.subTest("a text that is too long"):
            self.scene.network.run("appliance", "redis-cli", "SETRANGE", "subscribers", str(5 << 20), "x")
            until(lambda: "at most 4194304 are read" in self.problems(), 15, "the long text is a problem")
        with self.subTest("Redis is away"):
            self.server.stop()
            until(lambda: "is not followed since" in self.problems() and "Redis is unreachable" in self.problems(), 15, "it is a problem")
            self.assertEqual(self.groups(), {"children": 1, "guests": 1})
            self.assertEqual(daemon.stop(), 0)
            self.scene.start_daemon(self.config)
            until(lambda: self.groups() == {"children": 1, "guests": 1}, 15, "the last good groups are in force after a restart")
            self.assertIn("the groups of the last run stay in force", self.problems())
        with self.subTest("Redis is back"):
            self.server = self.start_redis()
            until(lambda: 'has no key "subscribers"' in self.problems(), 15, "the key is missing")
            self.write("")
            until(lambda: self.groups() == {}, 15, "an empty text has no groups")


class Redis(FleetTest):
    def test_without_redis_everyone_writes_and_merges_when_it_returns(self):
        lan = self.begin()
        first, second = lan.boxes
        lan.settle()
        self.assertEqual(lan.short(first, "media.example", "A"), ["203.0.113.30"])
        self.wait_rows("203.0.113.30")
        lan.kill("redis", "redis-server")
        self.wait_role("alone", first, second)
        self.assertEqual(lan.short(first, "long.stream.example", "A"), ["203.0.113.21"])
        self.assertEqual(lan.short(second, "short.stream.example", "A"), ["203.0.113.20"])
        self.wait_rows("203.0.113.21", "203.0.113.20", "203.0.113.30")
        self.wait_problem(first, "fleet pop1: Redis is unreachable: ")
        self.assertEqual(first.reported("status")["ready"], "yes")
        self.assertIn("without Redis for", first.ask("fleet").stdout)
        self.assertIn("Redis is not connected", first.ask("fleet", "upgrade-check").stderr)
        lan.start_redis()
        lan.settle()
        for box in lan.boxes:
            until(lambda b=box: b.fleet()["routers"][0]["claims"] == 3, 10, f"{box.name} has all claims")
            until(lambda b=box: b.problems() == [], 5, f"{box.name} has no problem")
        self.assert_none_removed()

    def test_a_box_that_is_cut_off_from_redis_writes_by_itself(self):
        lan = self.begin()
        writer, (standby,) = lan.settle()
        lan.drop(writer.name, "redis")
        until(lambda: standby.role() == "writer" and writer.role() == "alone", 10, "both write")
        self.assertEqual(lan.short(writer, "media.example", "A"), ["203.0.113.30"])
        self.assertEqual(lan.short(standby, "long.stream.example", "A"), ["203.0.113.21"])
        self.wait_rows("203.0.113.30", "203.0.113.21")
        lan.drop(writer.name, "redis", on=False)
        self.assertEqual(lan.settle()[0], standby)
        until(lambda: standby.fleet()["routers"][0]["claims"] == 2, 10, "the claims of both are merged")
        # Cut off from the router, it gives the lease up.
        lan.drop(standby.name, "router")
        until(lambda: writer.role() == "writer", 20, "the box that reaches the router writes it")

    def test_a_redis_without_a_password_and_a_wrong_password_are_refused(self):
        lan = self.begin(redis=False)
        first, second = lan.boxes
        open_redis = lan.start_redis(password="")
        lan.redis("CONFIG", "SET", "protected-mode", "no", password="")
        self.wait_problem(first, "it obeys without a password, so anyone could change the claims")
        self.assertEqual(lan.redis("KEYS", "*", password=""), "", "nothing was written there")
        self.wait_role("alone", first, second)
        open_redis.stop()
        lan.start_redis(password="another-one")
        self.wait_problem(first, "it refused the login: WRONGPASS")

    def test_the_acl_of_the_guide_is_enough(self):
        rule = next(line for line in GUIDE.splitlines() if line.startswith("user steerdns "))
        lan = self.begin(redis=False, fleet=self.fleet_line("username: steerdns, password: a-long-random-password"))
        lan.start_redis("redis", "--user", *rule.removeprefix("user ").split())
        writer, (standby,) = lan.settle()
        self.assertEqual(lan.short(standby, "media.example", "A"), ["203.0.113.30"])
        self.wait_rows("203.0.113.30")
        until(lambda: len(writer.fleet()["boxes"]) == 2, 10, "the boxes see each other")
        log = lan.redis("--user", "default", "ACL", "LOG")
        self.assertEqual(log, "", "no command was refused")

    @staticmethod
    def fleet_line(more="", redis='redis: "10.7.0.10:6379"'):
        return f'{{ name: pop1, box: "${{env:FLEET_BOX}}", {redis}, lease: 5s{more and ", " + more} }}'

    def test_redis_over_tls_and_with_client_certificates(self):
        lan = self.begin(redis=False, start=False)
        authority = Authority(lan.folder / "ca")
        of_redis = authority.issue("redis", "DNS:redis.example", "IP:10.7.0.10")
        of_box = authority.issue("box", "DNS:box.example")
        stranger = Authority(lan.folder / "other")
        tls = ["--port", "0", "--tls-port", "6379", "--tls-cert-file", of_redis.pem, "--tls-key-file", of_redis.key,
               "--tls-ca-cert-file", authority.pem]
        first, second = lan.boxes
        first.write(fleet=self.fleet_line(f"tls: {{ ca: {authority.pem}, certificate: {of_box.pem}, key: {of_box.key} }}"))
        second.write(fleet=self.fleet_line(f"tls: {{ ca: {stranger.pem}, certificate: {of_box.pem}, key: {of_box.key} }}"))
        lan.start_redis("redis", *tls, "--protected-mode", "no", password="")
        self.start(*lan.boxes)
        self.wait_problem(second, "TLS: its certificate is not trusted")
        until(lambda: first.role() == "writer", 10, "one box is connected")
        second.write(fleet=self.fleet_line(f"tls: {{ ca: {authority.pem}, server_name: redis.example, certificate: {of_box.pem}, "
                                           f"key: {of_box.key} }}"))
        second.ask("reload", check=True)
        self.assertEqual(lan.settle()[0], first)
        self.assertEqual(lan.short(second, "media.example", "A"), ["203.0.113.30"])
        self.wait_rows("203.0.113.30")

    def test_redis_at_a_unix_socket(self):
        lan = self.begin(redis=False, start=False)
        lan.folder.chmod(0o755)
        path = lan.folder / "redis.sock"
        for box in lan.boxes:
            box.write(fleet=self.fleet_line(redis=f"redis: {path}"))
        lan.start_redis("redis", "--unixsocket", str(path), "--unixsocketperm", "777", password="")
        self.start(*lan.boxes)
        writer, (standby,) = lan.settle()
        self.assertEqual(writer.fleet()["redis"], str(path))
        self.assertEqual(lan.short(standby, "media.example", "A"), ["203.0.113.30"])
        self.wait_rows("203.0.113.30")

    def test_sentinels_lead_to_the_new_master(self):
        sentinels = ", ".join(f'"10.7.0.12:{port}"' for port in (26379, 26380, 26381))
        lan = self.begin(redis=False, start=False)
        login = ["--masterauth", REDIS_PASSWORD]
        lan.start_redis("redis", *login)
        lan.start_redis("redis2", "--replicaof", "10.7.0.10", "6379", *login)
        for number in range(3):
            file = lan.folder / f"sentinel{number}.conf"
            file.write_text(f"port {26379 + number}\nprotected-mode no\ndir {lan.folder}\nsentinel monitor shared 10.7.0.10 6379 2\n"
                            f"sentinel auth-pass shared {REDIS_PASSWORD}\nsentinel down-after-milliseconds shared 1000\n"
                            "sentinel failover-timeout shared 5000\n")
            lan.network.start("sentinels", f"sentinel{number}", "redis-sentinel", str(file))
        until(lambda: "slave" in lan.redis("INFO", "replication") or "slave0" in lan.redis("INFO", "replication"), 10, "a replica follows")

        def knows_all():
            reported = lan.network.run("sentinels", "redis-cli", "-p", "26379", "SENTINEL", "MASTER", "shared", check=False).stdout.split()
            facts = dict(zip(reported[::2], reported[1::2]))
            return facts.get("num-slaves") == "1" and facts.get("num-other-sentinels") == "2"
        until(knows_all, 20, "the Sentinels know each other and the replica")
        for box in lan.boxes:
            box.write(fleet=self.fleet_line(f"password: {REDIS_PASSWORD}, master: shared", f"sentinels: [\"10.7.0.12:26399\", {sentinels}]"))
        self.start(*lan.boxes)
        writer, (standby,) = lan.settle()
        self.assertEqual(writer.fleet()["redis"], "10.7.0.10:6379")
        self.assertEqual(lan.short(standby, "media.example", "A"), ["203.0.113.30"])
        self.wait_rows("203.0.113.30")
        lan.kill("redis", "redis-server")
        killed = time.monotonic()
        until(lambda: all(box.fleet().get("redis") == "10.7.0.11:6379" and box.fleet()["connected"] for box in lan.boxes), 30,
              "both are at the new master")
        lan.settle()
        print(f"a killed Redis: one writer again, by Sentinels, after {time.monotonic() - killed:.2f} s")
        self.assertEqual(lan.short(standby, "long.stream.example", "A"), ["203.0.113.21"])
        self.wait_rows("203.0.113.30", "203.0.113.21")
        self.assert_none_removed()


class Bad(FleetTest):
    def test_garbage_in_redis_does_no_harm_and_is_named(self):
        lan = self.begin(redis=False)
        lan.start_redis()
        key = "steerdns:{pop1}:"
        lan.settle()
        first, second = lan.boxes
        lan.redis("ZADD", f"{key}router:edge1:claims", "9999999999999", "garbage")
        lan.redis("ZADD", f"{key}boxes", "9999999999999", "x" * 500)
        lan.redis("SET", f"{key}box:{'x' * 500}", "{not json")
        lan.redis("PUBLISH", f"{key}router:edge1:claims", "SF\x09")
        until(lambda: first.fleet()["counters"]["messages_bad"] >= 1, 5, "a bad message is counted")
        self.assertEqual(lan.short(second, "media.example", "A"), ["203.0.113.30"])
        self.wait_rows("203.0.113.30")
        lan.settle()
        for words, output in ((("SET", f"{key}router:edge1:writer", "hello"), "the writer key has a foreign value"),
                            (("SET", f"{key}router:edge1:claims", "text"), "WRONGTYPE"),
                            (("SET", f"{key}format", "9"), 'it has "9", this version expects 1')):
            with self.subTest(words=words):
                lan.redis("DEL", words[1])
                lan.redis(*words)
                if "format" in words[1]:
                    lan.redis("CLIENT", "KILL", "TYPE", "pubsub")
                    lan.redis("CLIENT", "KILL", "TYPE", "normal")
                elif "claims" in words[1]:
                    lan.short(first, "long.stream.example", "A")
                self.wait_problem(first, output)
                until(lambda: first.role() == "alone", 5, "the box writes by itself")
                lan.redis("DEL", words[1])
                lan.settle()
        self.assert_none_removed()

    def test_two_fleets_on_one_router_are_named_and_do_no_harm(self):
        lan = self.begin(start=False)
        first, second = lan.boxes
        second.write(fleet=lan.fleet.replace("name: pop1", "name: pop2"))
        self.start(first, second)
        until(lambda: first.role() == second.role() == "writer", 10, "each fleet has its writer")
        self.wait_problem(first, "fleet pop2 writes it, too")
        self.wait_problem(second, "fleet pop1 writes it, too")
        self.assertEqual(lan.short(first, "media.example", "A"), ["203.0.113.30"])
        self.assertEqual(lan.short(second, "long.stream.example", "A"), ["203.0.113.21"])
        self.wait_rows("203.0.113.30", "203.0.113.21")
        self.assertEqual(len([row for row in lan.router_rows() if row["list"] == WRITER_LIST]), 2)
        self.assert_none_removed()

    def test_one_name_for_two_routers_is_named_and_both_are_written(self):
        lan = self.begin(start=False)
        first, second = lan.boxes
        lan.start_router("other")  # which the second box calls edge1
        second.write(routers='  edge1: { address: "10.7.0.1:%d", username: api-user, password: secret }\n' % lan.routers.pop("other"))
        lan.routers["other"] = 8738
        self.start(first)
        until(lambda: first.role() == "writer", 10, "the first box writes")
        self.start(second)
        until(lambda: second.role() == "standby", 10, "the second box believes that the first one writes its router")
        until(lambda: second.role() == "alone", 20, "it does not find the writer's row")
        self.wait_problem(second, "router edge1 has no row of its writer box1, so this box writes it by itself")
        self.assertEqual(lan.short(second, "media.example", "A"), ["203.0.113.30"])
        self.wait_rows("203.0.113.30", router="other")

    def test_boxes_whose_clocks_differ_by_an_hour_share_leases(self):
        lan = self.begin(start=False, is_async="false", sync_timeout="10s")
        first, second = lan.boxes
        # CLOCK_BOOTTIME and CLOCK_MONOTONIC of a machine that was started an hour earlier.
        second.start("unshare", "--fork", "--kill-child", "--time", "--boottime", "3600", "--monotonic", "3600")
        until(lambda: second.role() == "writer", 10, "the box of the future writes")
        first.start()
        lan.settle()
        offsets = pathlib.Path(f"/proc/{lan.network.pid(second.name, 'steerdnsd')}/timens_offsets").read_text()
        self.assertRegex(offsets, r"monotonic +3600")
        # Wall clocks are those of this machine.
        until(lambda: abs(first.fleet()["clock_ahead_ms"]) < 1_000, 5, "the clocks agree")
        begun = time.monotonic()
        self.assertEqual(lan.short(first, "media.example", "A"), ["203.0.113.30"])
        self.assertLess(time.monotonic() - begun, 10)
        row = lan.rows()["203.0.113.30"]
        self.assertRegex(row["timeout"], r"^(29m|30m|31m)", "the lease of one box is that of the other")
        self.assertEqual(first.reported("counters")["outcomes"]["installed"], 1)


class Service(FleetTest):
    """Who withdraws a service address that all boxes serve."""

    ADDRESS = "192.0.2.53"

    @staticmethod
    def readiness_events(box):
        return [one["text"] for one in box.reported("events", "--kind", "readiness")["events"]]

    def ask_in_vain(self, *boxes):
        """Clients ask for names that nothing answers."""
        for box in boxes:
            self.lan.network.run("client", "kdig", f"@{box.address}", "+timeout=1", "+retry=0", f"n{time.monotonic_ns()}.stream.example", check=False)

    def ready(self):
        return [box for box in self.lan.boxes if box.reported("status")["ready"] == "yes"]

    def test_of_three_boxes_that_fail_in_the_same_second_one_stays(self):
        lan = self.begin(boxes=3, shared_address=self.ADDRESS)
        until(lambda: len(self.ready()) == 3, 20, "all boxes are ready")
        until(lambda: all(self.ADDRESS in box.get("addresses", []) for box in lan.boxes[0].fleet()["boxes"]), 10, "all boxes serve the address")
        for box in lan.boxes:
            lan.drop(box.name, "resolver")

        def all_but_one():
            self.ask_in_vain(*lan.boxes)
            return len(self.ready()) == 1 and self.ready()
        (last,) = until(all_but_one, 60, "two boxes have withdrawn")
        until(lambda: self.ask_in_vain(last) or any("serves on: no other box was ready for" in one for one in last.problems()), 30,
              "the last box says that it serves on")
        self.ask_in_vain(*lan.boxes)
        self.assertEqual(self.ready(), [last])
        self.assertFalse([text for text in self.readiness_events(last) if text.startswith("not ready: upstreams")], "it never withdrew")
        # When the others are back, it is one of them.
        for box in lan.boxes:
            lan.drop(box.name, "resolver", on=False)
        until(lambda: self.ask_in_vain(*lan.boxes) or len(self.ready()) == 3, 60, "all boxes are back")
        until(lambda: not any("serves on" in one for one in last.problems()), 10, "nothing holds it")

    def test_a_box_that_fails_alone_withdraws_and_a_drained_one_is_not_counted(self):
        lan = self.begin(boxes=2, shared_address=self.ADDRESS)
        first, second = lan.boxes
        until(lambda: len(self.ready()) == 2, 20, "both boxes are ready")
        lan.drop(first.name, "resolver")
        until(lambda: self.ask_in_vain(first) or self.ready() == [second], 60, "the box without upstreams withdraws")
        lan.drop(first.name, "resolver", on=False)
        until(lambda: self.ask_in_vain(first) or len(self.ready()) == 2, 60, "it is back")
        second.ask("drain", "on", check=True)
        until(lambda: self.ready() == [first], 10, "a drain needs no other box")
        lan.drop(first.name, "resolver")
        until(lambda: self.ask_in_vain(first) or any("serves on" in one for one in first.problems()), 60, "the last box serves on")
        self.assertEqual(self.ready(), [first])
        # Without Redis it decides alone.
        lan.kill("redis", "redis-server")
        until(lambda: self.ask_in_vain(first) or self.ready() == [], 30, "it withdraws")


if __name__ == "__main__":
    unittest.main(verbosity=2)
