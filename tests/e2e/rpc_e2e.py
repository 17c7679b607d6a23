"""Roles and subscriptions of the control socket; the same methods over HTTPS; and what bad clients of both cannot do.

DNS is answered during each test: it asks a name at its end."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import unittest

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)

ADMIN, READER = "the-token-of-an-administrator", "the-token-of-a-reader-of-it"
READER_USER, STRANGER = 64321, 64322  # numbers of users that the machine does not have
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
ORIGIN = "https://172.16.1.2:9443"

CONFIG = """
dataplane: {{ ports: [ {{ device: eth0, driver: socket }} ] }}
control:
  roles: [ {{ user: "{reader}", role: read }} ]
  http:
    listen: 172.16.1.2:9443
    tls: {{ certificate: {folder}/server.pem, key: {folder}/server.key, client_ca: {folder}/ca.pem }}
    tokens:
      - {{ name: admin, role: admin, token_file: {folder}/admin.token }}
      - {{ name: reader, role: read, token_file: {folder}/reader.token }}
    client_certificates: [ {{ subject: "CN=alice", role: operate }} ]
    hosts: [ dns1.example ]
plugins:
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: log, type: query_recorder, args: {{ dnstap: "unix:{folder}/tap.sock", mask4: 24, except_clients: [ 172.16.1.1 ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $log }}, {{ exec: $up }} ] }}
"""
# Opens connections to the server, says half a request on each second one, and waits for its end of input.
CROWD = """
import socket, sys
crowd = []
for n in range(1000):
    one = socket.create_connection(("172.16.1.2", 9443), timeout=20)
    if n % 2:
        one.sendall(b"POST /rpc HTTP/1.1\\r\\nHost: 1")
    crowd.append(one)
print("all there", flush=True)
sys.stdin.read()
"""
# Opens connections, begins a TLS handshake on each and stops in its middle, until its end of input.
HALF_HANDSHAKES = """
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
sent = ssl.MemoryBIO()
half = context.wrap_bio(ssl.MemoryBIO(), sent)
try:
    half.do_handshake()
except ssl.SSLWantReadError:
    pass
hello, crowd = sent.read(), []
for n in range(1000):
    one = socket.create_connection(("172.16.1.2", 9443), timeout=20)
    try:
        one.sendall(hello)
    except OSError:
        pass  # it was ended already
    crowd.append(one)
print("all there", flush=True)
sys.stdin.read()
"""
# Sends that many queries for one name.
FLOOD = """
import socket, struct, sys, time
there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
there.connect(("172.16.1.2", 53))
there.settimeout(5)
for n in range(int(sys.argv[1])):
    there.send(struct.pack("!6H", n, 256, 1, 0, 0, 0) + b"\\3www\\5other\\7example\\0" + struct.pack("!2H", 1, 1))
    there.recv(512)
"""


def openssl(folder: pathlib.Path, *words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)


def issue(folder: pathlib.Path, name: str, subject: str, *extra: str) -> None:
    openssl(folder, "req", *CURVE, "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", *extra,
            "-out", f"{name}.pem")


def issue_server(folder: pathlib.Path) -> None:
    issue(folder, "server", "/CN=dns1.example", "-extfile", "names")
    (folder / "server.key").chmod(0o644)  # the daemon's user reads it at a reload


def make_certificates(folder: pathlib.Path) -> None:
    openssl(folder, "req", "-x509", *CURVE, "-days", "2", "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem")
    (folder / "names").write_text("subjectAltName = IP:172.16.1.2, DNS:dns1.example\n")
    issue_server(folder)
    issue(folder, "alice", "/CN=alice")
    issue(folder, "mallory", "/CN=mallory")


class Session:
    """A session of the control socket; it ends with this object."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile(errors="replace")

    def send(self, method, params=None, number=1):
        self.socket.sendall(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}}).encode() + b"\n")

    def line(self):
        return json.loads(self.lines.readline())

    def asked(self, method, params=None):
        self.send(method, params)
        return self.line()


class Rpc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = cls.enterClassContext(Scene("rpc", BUILD))
        folder = cls.folder = cls.scene.folder
        for part in [folder, *folder.parents]:
            if part != pathlib.Path("/") and part.owner() == "root" and part.stat().st_mode & 0o001 == 0:
                part.chmod(part.stat().st_mode | 0o001)  # other users search for the socket
        make_certificates(folder)
        for name, secret in (("admin", ADMIN), ("reader", READER)):
            (folder / f"{name}.token").write_text(secret + "\n")
            (folder / f"{name}.token").chmod(0o600)
        cls.scene.start_resolver()
        config = cls.config = folder / "steer.yaml"
        config.write_text(CONFIG.format(folder=folder, reader=READER_USER))
        cls.scene.start_daemon(config)

    def tearDown(self):
        self.assertEqual(self.scene.short("www.other.example"), ["198.51.100.2"], "DNS is answered")

    # ---- helpers

    def as_user(self, number, *words):
        steerctl = self.scene.build / "tools/steerctl/steerctl"
        return subprocess.run(["setpriv", "--reuid", str(number), "--regid", str(number), "--clear-groups", str(steerctl), "--socket",
                               str(self.scene.socket), *words], capture_output=True, text=True)

    def curl(self, path, *words, token=None, space="client"):
        """Status and body."""
        if token:
            words += ("-H", f"Authorization: Bearer {token}")
        done = self.scene.network.run(space, "curl", "-sS", "--max-time", "50", "--path-as-is", "--cacert", str(self.folder / "ca.pem"), "-w",
                                      "\n%{http_code}", *words, ORIGIN + path, check=False)
        body, _, status = done.stdout.rpartition("\n")
        return int(status or 0), body

    def post(self, method, *words, params=None, token=ADMIN, kind="application/json", **where):
        request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}})
        return self.curl("/rpc", "-H", f"Content-Type: {kind}", "-d", request, *words, token=token, **where)

    def metric(self, sample):
        """The value of a sample, as in `name{label="value"}`; 0: there is none."""
        text = self.scene.network.run("appliance", "curl", "-sS", "http://127.0.0.1:9153/metrics").stdout
        return next((float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(sample + " ")), 0)

    def log_has(self, pattern):
        until(lambda: re.search(pattern, self.scene.daemon.text()), 5, f"the log has {pattern!r}")

    # ---- roles

    def test_a_user_with_a_row_may_read_and_is_refused_more(self):
        status = self.as_user(READER_USER, "--json", "status")
        self.assertEqual(status.returncode, 0, status.stderr)
        refused = self.as_user(READER_USER, "reload")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn('reload needs the role "operate", and you have "read"', refused.stderr)
        self.log_has(rf"control request reload .*of uid {READER_USER}, gid {READER_USER}, pid \d+: refused: reload needs")

    def test_a_user_without_a_row_is_refused(self):
        refused = self.as_user(STRANGER, "status")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("your user has no role: ask the administrator for one", refused.stderr)
        self.log_has(f"control session of uid {STRANGER}")

    def test_root_is_admin(self):
        self.assertEqual(Session(self.scene.socket).asked("rpc.whoami")["result"]["role"], "admin")

    def test_the_methods_describe_themselves(self):
        document = Session(self.scene.socket).asked("rpc.discover")["result"]
        self.assertEqual(document["openrpc"], "1.2.6")
        methods = {method["name"]: method for method in document["methods"]}
        self.assertEqual(set(methods), {method["name"] for method in self.scene.reported("methods")["methods"]})
        for method in methods.values():
            with self.subTest(method["name"]):
                self.assertIn(method["x-role"], ("read", "operate", "admin"))
                self.assertTrue(method["summary"] and method["result"]["summary"])
        pause = methods["adlist.pause"]["params"][0]
        self.assertEqual((pause["name"], pause["schema"]["x-unit"], pause["schema"]["minimum"]), ("seconds", "s", 1))
        self.assertEqual((methods["bypass"]["x-role"], methods["bypass"]["x-changing-role"]), ("read", "admin"))

    # ---- subscriptions

    def test_a_reload_is_an_event_in_the_words_of_the_log(self):
        session = Session(self.scene.socket)
        self.assertEqual(set(session.asked("subscribe", {"topics": ["events"], "kind": "reload"})["result"]["subscriptions"]), {"events"})
        self.scene.steerctl("reload")
        event = session.line()
        self.assertEqual((event["method"], event["params"]["lost"]), ("events", 0))
        data = event["params"]["data"]
        self.assertEqual((data["kind"], data["level"]), ("reload", "info"))
        self.assertRegex(data["text"], r"^configuration \d+ is in force after \d+ ms, because of steerctl$")
        self.assertIn(data["text"], self.scene.daemon.text())
        self.assertEqual(session.asked("events", {"kind": "reload", "most": 1})["result"]["events"], [data])

    def test_counters_come_as_differences(self):
        session = Session(self.scene.socket)
        session.asked("subscribe", {"topics": ["counters"], "kind": "workers.", "interval": 200})

        def answered():
            self.scene.short("www.other.example")
            data = session.line()["params"]["data"]
            self.assertGreater(data["interval_ms"], 0)
            return any(name.startswith("workers.") and "answered" in name for name in data["differences"])

        until(answered, 10, "an answer in the counters")

    def test_a_subscriber_that_does_not_read_loses_and_is_told_how_many(self):
        slow = Session(self.scene.socket)
        slow.send("subscribe", {"topics": ["queries"], "name": "www.other.example", "rate": 5000})
        self.assertIn("subscriptions", slow.line()["result"])
        self.scene.network.run("client", "/usr/bin/python3", "-c", FLOOD, "6000")  # more than sockets and queues hold; all are answered
        self.scene.steerctl("status")
        until(lambda: self.metric('steerdns_control_notifications_lost_total{topic="queries"}'), 10, "lost notifications in the metrics")
        self.assertGreater(self.metric('steerdns_control_subscriptions{topic="queries"}'), 0)

        def lost():
            self.scene.short("www.other.example")
            return slow.line()["params"]["lost"]

        until(lost, 50, "a notification that says how many were lost", pause=0)

    def test_names_that_are_html_or_terminal_escapes_are_shown_harmless(self):
        session = Session(self.scene.socket)
        session.asked("subscribe", {"topics": ["queries"]})
        name = r"<script>alert(1)<\047script>\027[31m\007.other.example"
        querying = self.scene.network.start("client", "asking", "sh", "-c", f"while kdig @172.16.1.2 '{name}'; do :; done")
        self.addCleanup(querying.stop)
        hidden = self.scene.network.start("router", "hidden", "sh", "-c", f"while kdig @172.16.1.2 '{name}'; do :; done")
        self.addCleanup(hidden.stop)
        for line in session.lines:
            self.assertNotIn("\x1b", line)
            data = json.loads(line)["params"]["data"]
            self.assertEqual((data["client"], data["client_port"]), ("192.168.88.0", 0), "masked as query_recorder says")
            name = data.get("name", "")
            if "script" in name:
                break
        self.assertEqual(name, r"<script>alert\(1\)</script>\027[31m\007.other.example")
        self.assertNotIn("\x1b", self.scene.ask("hits", "--seconds", "1").stdout)

    def test_a_traced_query_is_explained_by_the_id_in_its_live_record(self):
        session = Session(self.scene.socket)
        session.asked("subscribe", {"topics": ["queries"]})
        querying = self.scene.network.start("client", "asking", "sh", "-c", "while kdig @172.16.1.2 www.other.example; do :; done")
        self.addCleanup(querying.stop)
        self.assertNotIn("trace", session.line()["params"]["data"])  # queries are watched, and not traced
        tracing = Session(self.scene.socket)
        tracing.send("trace", {"name": "www.other.example", "seconds": 20, "most": 5})
        record = next(data for data in (json.loads(line)["params"]["data"] for line in session.lines) if "trace" in data)
        tracing.line()
        reported = Session(self.scene.socket).asked("explain", {"id": record["trace"]})["result"]
        self.assertEqual((reported["id"], reported["name"], reported["end"]), (record["trace"], "www.other.example", record["end"]))

    def test_counts_of_queries_run_beside_each_other(self):
        one, two = Session(self.scene.socket), Session(self.scene.socket)
        one.send("hits", {"seconds": 2})
        two.send("hits", {"seconds": 1})
        self.assertEqual(two.line()["result"]["seconds"], 1)
        self.scene.short("www.other.example")
        self.assertEqual(one.line()["result"]["seconds"], 2)
        crowd = [Session(self.scene.socket) for _ in range(9)]
        for session in crowd:
            session.send("hits", {"seconds": 4})
        self.assertEqual([session.line().get("error", {}).get("message") for session in crowd],
                         [None] * 8 + ["queries are being counted for 8 others: ask again"])

    # ---- malformed requests on the socket

    def test_malformed_requests_are_answered_with_their_errors(self):
        for line, code in ((b"nonsense", -32700), (b"[]", -32600), (b'{"jsonrpc":"2.0","id":1,"method":"nope"}', -32601),
                           (b"[" * 60000, -32700), (b'{"jsonrpc":"2.0","id":1,"method":"hits","params":{"seconds":0}}', -32602),
                           (b"\xff\xfe\x1b[2J", -32700)):
            with self.subTest(line[:40]):
                session = Session(self.scene.socket)
                session.socket.sendall(line + b"\n")
                self.assertEqual(session.line()["error"]["code"], code)

    def test_an_oversized_line_is_refused(self):
        session = Session(self.scene.socket)
        session.socket.sendall(b"x" * (4 << 20))
        self.assertIn("longer than 4194304 bytes (4 MiB)", session.line()["error"]["message"])
        self.assertEqual(session.lines.readline(), "")

    # ---- HTTPS

    def test_a_token_and_a_certificate_have_their_roles(self):
        status, body = self.post("rpc.whoami", token=READER)
        self.assertEqual((status, json.loads(body)["result"]["role"]), (200, "read"))
        self.assertRegex(json.loads(body)["result"]["who"], r"^token reader at ")
        status, body = self.post("reload", token=READER)
        self.assertEqual((status, json.loads(body)["error"]["code"]), (200, -32001))
        alice = ("--cert", str(self.folder / "alice.pem"), "--key", str(self.folder / "alice.key"))
        status, body = self.post("rpc.whoami", *alice, token=None)
        self.assertEqual((status, json.loads(body)["result"]["role"]), (200, "operate"), body)
        mallory = ("--cert", str(self.folder / "mallory.pem"), "--key", str(self.folder / "mallory.key"))
        self.assertEqual(self.post("rpc.whoami", *mallory, token=None)[0], 401)
        self.assertEqual(self.post("reload", token=ADMIN)[0], 200)
        self.log_has(r"control request reload \{\} of token admin at \S+: done")

    def test_wrong_and_missing_tokens_are_refused(self):
        for token in (None, "wrong"):
            status, body = self.post("status", token=token)
            self.assertEqual(status, 401)
            self.assertNotIn("result", body)
        self.log_has("refused: wrong token")

    def test_foreign_hosts_and_origins_are_refused(self):
        self.assertEqual(self.post("status", "-H", "Host: evil.example")[0], 421)
        self.assertEqual(self.post("status", "-H", "Host: dns1.example")[0], 200)
        self.assertEqual(self.post("status", "-H", "Origin: https://evil.example")[0], 403)
        self.assertEqual(self.post("status", "-H", f"Origin: {ORIGIN}")[0], 200)
        self.assertEqual(self.post("status", kind="text/plain")[0], 415)

    def test_no_path_leads_out_of_the_page(self):
        for path in ("/../../../../etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd", "/index.html/../../etc/passwd", "/%00", "/.git/config"):
            with self.subTest(path):
                status, body = self.curl(path)
                self.assertEqual(status, 404)
                self.assertNotIn("root:", body)

    # ---- steerctl --url

    def remote(self, *words, url=ORIGIN, token="reader", ca="ca.pem", space="client"):
        files = (("--token-file", self.folder / f"{token}.token") if token else ()) + (("--ca", self.folder / ca) if ca else ())
        return self.scene.network.run(space, str(self.scene.build / "tools/steerctl/steerctl"), "--url", url, *map(str, files), *words,
                                      check=False)

    def test_steerctl_over_https_prints_and_exits_as_over_the_socket(self):
        for words in (("lists",), ("methods",), ("--json", "methods"), ("methods", "--markdown"), ("why", "www.other.example"), ("leases",),
                      ("routers",), ("adlist",), ("cache", "show", "www.other.example"), ("configuration", "history"), ("nonsense",)):
            with self.subTest(words):
                here, there = self.scene.ask(*words), self.remote(*words, token="admin")
                self.assertEqual((there.returncode, there.stdout, there.stderr), (here.returncode, here.stdout, here.stderr))
        self.assertIn("ready", self.remote("status").stdout)
        self.assertEqual(self.remote("top", "--once").returncode, 0)
        refused = self.remote("reload")
        self.assertEqual(refused.returncode, 1)
        self.assertIn('reload needs the role "operate", and you have "read"', refused.stderr)
        self.assertEqual(self.remote("reload", token="admin").returncode, 0)
        alice = self.remote("--cert", str(self.folder / "alice.pem"), "--key", str(self.folder / "alice.key"), "drain", "off", token=None)
        self.assertEqual(alice.returncode, 0, alice.stderr)

    def test_steerctl_over_https_says_what_is_wrong(self):
        (self.folder / "wrong.token").write_text("a-wrong-token-of-nobody\n")
        other = self.folder / "other.pem"
        openssl(self.folder, "req", "-x509", *CURVE, "-days", "2", "-subj", "/CN=other CA", "-keyout", "other.key", "-out", str(other))
        foreign = self.scene.network.start("router", "foreign", "openssl", "s_server", "-www", "-accept", "9555", "-cert", str(self.folder / "alice.pem"),
                                           "-key", str(self.folder / "alice.key"))
        self.addCleanup(foreign.stop)
        foreign.wait_for("ACCEPT")
        for where, code, sentence in (
                ({"url": "https://172.16.1.2:1"}, 1, "cannot connect to 172.16.1.2:1: Connection refused; check --url"),
                ({"url": "https://172.16.1.9:9443"}, 1, "172.16.1.9:9443"),
                ({"url": "https://nowhere.invalid"}, 1, "nowhere.invalid"),
                ({"ca": "other.pem"}, 1, "the certificate of 172.16.1.2:9443 is not trusted: "),
                ({"ca": None}, 1, "; name its CA by --ca"),
                ({"url": "https://[fd16::2]:9443"}, 1, "cannot connect to [fd16::2]:9443"),
                ({"url": "https://127.0.0.1:9153", "space": "appliance"}, 1, "no TLS with 127.0.0.1:9153: "),
                ({"url": "https://172.16.1.1:9555"}, 1, "the certificate of 172.16.1.1:9555 has another name: "),
                ({"token": "wrong"}, 1, "is wrong; name another file by --token-file"),
                ({"token": None}, 1, "lets no client in without a token; set --token-file, or --cert and --key"),
                ({"token": "missing"}, 2, "missing.token cannot be read: No such file or directory; name a file"),
                ({"ca": "none.pem"}, 2, "none.pem, cannot be read"),
                ({"url": "http://172.16.1.2:9443"}, 2, "the token would cross the network in the clear; write https://"),
                ({"url": "172.16.1.2"}, 2, "--url is 172.16.1.2: expected https://HOST:PORT"),
                ({"url": "https://172.16.1.2:x"}, 2, "expected https://HOST:PORT")):
            with self.subTest(sentence):
                done = self.remote("version", **where)
                self.assertIn(sentence, done.stderr)
                self.assertEqual(done.returncode, code, done.stderr)
        done = self.remote("--json", "leases", token="wrong")
        self.assertEqual(json.loads(done.stderr)["error"]["code"], "forbidden")
        self.assertIn("works on this machine only", self.remote("doctor").stderr)

    def test_the_page_is_served_without_a_token(self):
        status, body = self.curl("/")
        self.assertEqual(status, 200)
        self.assertIn("<!doctype html>", body.lower())
        self.assertEqual(self.curl("/", "-X", "DELETE")[0], 405)
        self.assertEqual(self.curl("/rpc")[0], 405)

    def test_events_are_streamed(self):
        stream = self.scene.network.start("client", "events", "curl", "-sSN", "--cacert", str(self.folder / "ca.pem"), "-H",
                                          f"Authorization: Bearer {READER}", ORIGIN + "/events?topics=events&kind=reload")
        stream.wait_for(": subscribed")
        self.scene.steerctl("reload")
        stream.wait_for("is in force after")
        data = next(line for line in stream.text().splitlines() if line.startswith("data: "))
        self.assertEqual(json.loads(data.removeprefix("data: "))["method"], "events")
        self.assertEqual(self.curl("/events?topics=events")[0], 401)

    def test_a_thousand_connections_keep_no_operator_out(self):
        crowd = subprocess.Popen(self.scene.network.argv("client", "/usr/bin/python3", "-c", CROWD), stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(crowd.stdout.readline(), "all there\n")
            # From another address: the crowd may use up the handshakes of its own.
            self.assertEqual(self.post("status", space="router")[0], 200)
            self.assertEqual(self.scene.short("www.other.example"), ["198.51.100.2"])
            self.scene.steerctl("status")
        finally:
            crowd.communicate()

    def test_a_thousand_clients_that_stop_in_mid_handshake_keep_no_operator_out(self):
        crowd = subprocess.Popen(self.scene.network.argv("client", "/usr/bin/python3", "-c", HALF_HANDSHAKES), stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(crowd.stdout.readline(), "all there\n")
            self.assertEqual(self.post("status", space="router")[0], 200)
            self.assertEqual(self.scene.short("www.other.example"), ["198.51.100.2"])
            self.scene.steerctl("status")
            refused = {reason: self.metric(f'steerdns_http_refused_total{{reason="{reason}"}}')
                       for reason in ("handshake_rate", "handshake_crowd", "handshake_time")}
            self.assertGreater(sum(refused.values()), 500, refused)
            self.assertGreater(refused["handshake_rate"], 100, refused)
            self.assertLess(self.metric("steerdns_http_handshakes"), 17)  # of one address
        finally:
            crowd.communicate()
        until(lambda: self.post("status")[0] == 200, 10, "the address is served again")
        until(lambda: self.metric("steerdns_http_handshakes") == 0, 10, "no handshake is open")

    def test_ten_wrong_tokens_block_the_address_for_a_while(self):
        for _ in range(10):
            self.assertEqual(self.post("status", token="wrong", space="appliance")[0], 401)
        self.assertEqual(self.post("status", space="appliance")[0], 429)
        self.assertEqual(self.post("status", space="router")[0], 200)
        self.assertGreater(self.metric('steerdns_http_refused_total{reason="blocked"}'), 0)

    def test_changed_tokens_are_taken_up_by_a_reload(self):
        file = self.folder / "reader.token"
        old = file.read_text()
        text = self.config.read_text()
        try:
            file.write_text("a-second-token-of-the-reader\n")
            self.scene.steerctl("reload")
            self.assertEqual(self.post("status", token=READER)[0], 200, "the daemon's user cannot read the file of root")
            self.log_has("reader.token.* cannot be read: Permission denied; the old token stays in force")
            pid = self.scene.network.pid("appliance", "steerdnsd")
            os.chown(file, pathlib.Path(f"/proc/{pid}").stat().st_uid, -1)
            self.config.write_text(text.replace("hosts: [ dns1.example ]", "hosts: [ dns1.example, dns2.example ]"))
            self.scene.steerctl("reload")
            self.assertEqual(self.post("status", token=READER)[0], 401)
            self.assertEqual(self.post("status", token="a-second-token-of-the-reader")[0], 200)
            self.assertEqual(self.post("status", "-H", "Host: dns2.example")[0], 200)
            self.assertNotIn("control.http needs a restart", self.scene.daemon.text())
        finally:
            file.write_text(old)
            self.config.write_text(text)
            self.scene.steerctl("reload")
        self.assertEqual(self.post("status", token=READER)[0], 200)

    def test_a_renewed_certificate_is_taken_up_by_a_reload(self):
        before = self.served_certificate()
        issue_server(self.folder)
        self.scene.steerctl("reload")
        self.assertNotEqual(self.served_certificate(), before)

    def served_certificate(self):
        return self.scene.network.run("client", "openssl", "s_client", "-connect", "172.16.1.2:9443", input="", check=False).stdout.split("END CERT")[0]


class Refused(unittest.TestCase):
    """Configurations that would let too many in."""

    def check(self, http, *files, code=2):
        with Scene("rpc-check", BUILD) as scene:
            for name, mode in files:
                (scene.folder / name).write_text("0123456789abcdef\n")
                (scene.folder / name).chmod(mode)
            config = scene.folder / "steer.yaml"
            config.write_text("control:\n  http: " + http.format(folder=scene.folder) +
                              "\nplugins:\n  - { tag: main, type: sequence, args: [ { exec: forward 1.1.1.1 } ] }\n")
            done = subprocess.run([str(scene.build / "steerdnsd"), "--check", "--config", str(config)], capture_output=True, text=True)
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
            return done.stdout + done.stderr

    def test_plain_http_is_for_loopback_only(self):
        for http, expected in (("{{ listen: 0.0.0.0:9154, folder: {folder}/page }}", "page: on 0.0.0.0:9154, its certificate is made at the start\n"),
                           ("{{ listen: 127.0.0.1:9154, folder: {folder}/page }}", "page: on 127.0.0.1:9154, without TLS\n")):
            self.assertIn(expected, self.check(http, code=0))

    def test_a_token_file_that_others_may_read_is_refused(self):
        output = self.check("{{ tokens: [ {{ name: a, role: read, token_file: {folder}/t }} ] }}", ("t", 0o644))
        self.assertIn("may be used by other users: run `chmod 600", output)

    def test_a_server_without_clients_is_refused(self):
        self.assertIn("lets no client in: write `password: true`", self.check("{{ listen: 127.0.0.1:9154, password: false }}"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
