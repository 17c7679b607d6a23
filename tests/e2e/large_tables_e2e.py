"""Every method of every role beside large tables: the main thread stays short in each turn, memory stays, and what steerctl shows is whole.

    large_tables_e2e.py BUILD FULL_DUMP NAMES OTHERS

NAMES: answers in the cache. OTHERS: rules of a set, and rows on the router; of leases at most as many as are read."""

import json
import os
import pathlib
import pwd
import socket
import subprocess
import sys
import unittest

from lab.network import until
from lab.scene import PASSWORD, USER, Scene
from method_calls import CALLS, calls_of

BUILD, FULL_DUMP = sys.argv.pop(1), sys.argv.pop(1)
NAMES, OTHERS = int(sys.argv.pop(1)), int(sys.argv.pop(1))
MAIN_MS, MEMORY_MIB = 200, 64  # of one turn; above what it was
LEASES, PEOPLE_RULES, GIVEN, MEMBERS, REPORTS, FINDINGS = min(OTHERS, 60_000), 20_000, 10_000, 10_000, 64, 256
# They read the configuration and its lists beside those in force, or put them into force: their memory grows with the lists.
CONFIGURATION = {"reload", "rules.change", "static.add", "static.remove", "lists.fetch", "why", "hits", "explain", "blocking.preview"} | {
    name for name in CALLS if name.startswith(("configuration.", "managed."))}
ROLES = {"read": "nobody", "operate": "games", "admin": "root"}
CONFIG = """
dataplane: {{ ports: [ {{ device: eth0, driver: socket }} ] }}
control: {{ http: {{ listen: "127.0.0.1:9154", folder: {folder}/page }}, leases: {folder}/leases.json, router_lists: {folder}/lists.json, static: {folder}/static.yaml, history: {folder}/versions, rules: {folder}/rules.json, managed: {folder}/managed.yaml, watch: off, support: true,
  roles: [ {{ user: nobody, role: read }}, {{ user: games, role: operate }} ] }}
routers:
  edge1: {{ address: 172.16.1.1:8728, username: {user}, password: {password} }}
  away: {{ address: 172.16.1.1:8799, username: {user}, password: {password} }}  # the leases of the last run stay
plugins:
  - {{ tag: ads, type: adlist, args: {{ lists: [ {folder}/ads.txt ], cname: true }} }}
  - {{ tag: blocked, type: dynamic_domain_set, args: {{ path: {folder}/blocked.txt }} }}
  - {{ tag: local, type: static, args: {{ records: [ {{ name: nas.lan, address: 192.168.88.5 }} ] }} }}
  - {{ tag: hosts, type: dhcp_leases, args: {{ router: away, domain: lan }} }}
  - {{ tag: log, type: query_recorder, args: {{ path: {folder}/queries.db }} }}
  - {{ tag: kids, type: ros_list, args: {{ router: edge1, list: kids }} }}
  - {{ tag: remembered, type: reverse_lookup }}
  - {{ tag: pool, type: cache, args: {{ size: {size}, short_circuit: true, dump_file: {folder}/pool.full, dump_interval: 1d }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: media, type: secondary, args: {{ zone: media.example, primaries: [ 1.1.1.1 ] }} }}
  - {{ tag: copy, type: zone, args: {{ secondary: media }} }}
  - {{ tag: streams, type: domain_set, args: {{ exps: [ domain:stream.example ] }} }}
  - {{ tag: policy, type: ros_address_list, args: {{ router: edge1, address_list4: policy_set_v4 }} }}
  - {{ tag: main, type: sequence, args: [
      {{ exec: $log }}, {{ exec: $ads }}, {{ matches: qname $blocked, exec: reject 3 }}, {{ exec: $local }}, {{ exec: $copy }}, {{ exec: $hosts }}, {{ exec: $remembered }},
      {{ matches: client_ip $kids, exec: reject 5 }}, {{ matches: qname $streams, exec: $policy }}, {{ exec: $pool }}, {{ exec: $up }} ] }}
"""
ORPHAN = "fdns;pg=gone;kind=D;dm=a.example"


def write_tables(folder: pathlib.Path) -> None:
    with open(folder / "blocked.txt", "w") as out:
        out.writelines(f"full:r{i}.blocked.example\n" for i in range(OTHERS))
    (folder / "ads.txt").write_text("0.0.0.0 ads.example\n")
    mac = lambda i: f"02:00:00:{i >> 16 & 255:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"
    address = lambda i: f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"
    leases = [{"id": f"*{i + 1:X}", "v6": False, "static": False, "outside": False, "address": address(i), "mac": mac(i).upper(), "host_name": f"host-{i}" if i % 3 else f"-bad {i}",
               "server": "lan"} for i in range(LEASES)]
    (folder / "leases.json").write_text(json.dumps({"away": leases}))
    rules = [{"number": i + 1, "does": "block", "name": f"p{i}.people.example", "exact": False, "clients": "", "until_s": 0, "made_s": 1, "note": "n" * 100, "who": "anna"} for i in range(PEOPLE_RULES)]
    (folder / "rules.json").write_text(json.dumps({"last_number": PEOPLE_RULES, "rules": rules}))
    (folder / "names.json").write_text(json.dumps({mac(i): {"name": f"device {i}", "at": 1, "who": "anna"} for i in range(GIVEN)}))
    groups = {f"group {g}": {mac(i): {"at": 1, "who": "anna"} for i in range(g, MEMBERS, 8)} for g in range(8)}
    (folder / "groups.json").write_text(json.dumps(groups))
    for path in folder.iterdir():
        path.chmod(0o666)


class Session:
    """Requests as one user."""

    def __init__(self, path: pathlib.Path, user: str):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(300)
        os.seteuid(pwd.getpwnam(user).pw_uid)  # that is what the daemon sees
        try:
            self.socket.connect(str(path))
        finally:
            os.seteuid(0)
        self.lines = self.socket.makefile()

    def answer(self, method: str, **params) -> dict:
        self.socket.sendall(json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": params}).encode() + b"\n")
        while (line := json.loads(self.lines.readline())).get("id") != method:
            pass  # an event
        return line

    def ask(self, method: str, **params) -> dict:
        answer = self.answer(method, **params)
        if "result" not in answer:
            raise AssertionError(f"{method}: {answer}")
        return answer["result"]


class LargeTables(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(Scene("large", BUILD))
        scene.start_resolver()
        scene.start_router("--preset", "none")
        scene.router_ctl("rows", str(OTHERS), "policy_set_v4", "4", ORPHAN)
        folder = cls.folder = scene.folder / "state"
        folder.mkdir()
        os.chmod(scene.folder, 0o755)
        folder.chmod(0o777)
        write_tables(folder)
        subprocess.run([FULL_DUMP, str(folder / "pool.full"), str(NAMES)], check=True)
        config = cls.config = folder / "steer.yaml"
        config.write_text(CONFIG.format(folder=folder, user=USER, password=PASSWORD, size=NAMES + 10_000))
        scene.start_daemon(config, wait="")
        scene.daemon.wait_for("serving", 300)
        cls.sessions = {role: Session(scene.socket, user) for role, user in ROLES.items()}
        cls.ask = cls.sessions["admin"].ask
        until(lambda: cls.ask("routers")["routers"][0]["state"] == "in_sync", 300, "the router is in sync")
        until(lambda: cls.ask("status")["ready"], 60, "the daemon is ready")
        for i in range(REPORTS):
            cls.ask("doctor.report", router=f"router {i}", findings=[f"advice check-{n} {'x' * 500}" for n in range(FINDINGS)])

    def judge(self, what: str, before: dict, memory_mib: float | None) -> None:
        status = self.ask("status")
        grown = (status["resident_bytes"] - before["resident_bytes"]) / 2**20
        print(f"{what}: main_turn_ms {before['main_turn_ms']} -> {status['main_turn_ms']}, {grown:+.1f} MiB", flush=True)
        with self.subTest(what):
            self.assertLessEqual(status["main_turn_ms"], max(MAIN_MS, before["main_turn_ms"]), "a turn of the main thread was too long")
            if memory_mib is not None:
                self.assertLessEqual(grown, memory_mib)

    def call_of(self, role: str, method: str) -> None:
        session = self.sessions[role]
        before = self.ask("status")
        for params in calls_of(method, self.ask, self.folder, self.config.read_text()):
            answer = session.answer(method, **params)
            with self.subTest(method, role=role, call=params):
                # What the lab lacks here may be refused; nothing is too long for its piece.
                self.assertNotIn("above its limit", str(answer.get("error", "")))
                stores = method == "doctor.report" and "router" in params and role == "read"
                self.assertEqual(answer.get("error", {}).get("code") == -32001, stores, answer)
        self.judge(f"{role} {method}", before, None if method in CONFIGURATION else MEMORY_MIB)

    def test_1_each_method_of_each_role_is_short(self):
        ranks = list(ROLES)
        methods = {one["name"]: one for one in self.ask("methods")["methods"]}
        self.assertEqual(set(CALLS), set(methods))
        for role in ROLES:
            for method in CALLS:
                least = "read" if isinstance(methods[method]["changes"], str) else methods[method]["role"]
                changes = isinstance(methods[method]["changes"], str) and role != "admin"
                if ranks.index(least) <= ranks.index(role) and not changes:
                    self.call_of(role, method)

    def test_2_the_main_thread_was_never_long(self):
        self.assertLessEqual(self.ask("status")["main_turn_ms"], MAIN_MS)

    def whole(self, *words: str) -> dict:
        before = self.ask("status")
        out = subprocess.run([str(self.scene.build / "tools/steerctl/steerctl"), "--socket", str(self.scene.socket), "--json", *words],
                             capture_output=True, check=True).stdout
        self.judge(" ".join(words), before, MEMORY_MIB)
        self.assertEqual(out.count(b"\n"), 1)
        return json.loads(out)

    def test_3_steerctl_shows_the_whole(self):
        rules = self.whole("rules", "blocked", "list")
        self.assertEqual([rule["rule"] for rule in rules["rules"]], [f"full:r{i}.blocked.example" for i in range(OTHERS)])
        self.assertEqual(set(rules), {"tag", "file", "rules"})
        router = self.whole("routers", "diff")["routers"][0]
        self.assertEqual(len({row["address"] for row in router["orphans"]}), OTHERS)
        self.assertEqual(len(router["orphans"]), OTHERS)
        leases = self.whole("leases")
        self.assertEqual(len(leases["leases"]) + len(leases["nameless"]), LEASES)
        self.assertEqual(len({lease["address"] for lease in leases["leases"] + leases["nameless"]}), LEASES)
        self.assertEqual([rule["number"] for rule in self.whole("blocking")["rules"]][:PEOPLE_RULES], list(range(1, PEOPLE_RULES + 1)))
        self.assertEqual(len(self.whole("clients")["clients"]), min(10_000, LEASES))
        groups = self.whole("clients", "group")["groups"]
        self.assertEqual(sum(len(group["members"]) for group in groups), MEMBERS)

    def test_4_steerctl_prints_each_answer_of_the_cache_once(self):
        before, seen = self.ask("status"), bytearray(NAMES)
        argv = [str(self.scene.build / "tools/steerctl/steerctl"), "--socket", str(self.scene.socket), "cache", "print", "--all", "--most", "1000000000"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                name = line.partition(".example A IN")[0]
                if name.startswith("n") and name[1:].isdigit():
                    seen[int(name[1:])] += 1
        self.assertEqual(process.returncode, 0)
        self.judge("cache print --all", before, MEMORY_MIB)
        self.assertEqual((seen.count(1), seen.count(0)), (NAMES, 0))


if __name__ == "__main__":
    unittest.main(verbosity=2)
