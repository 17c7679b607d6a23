"""People who sign in to the page of control.http, by a real HTTPS client: its own certificate, the password, links that work once,
what other sites and other boxes' cookies cannot do, and a thousand tries a second beside traffic."""

import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import re
import socket
import ssl
import stat
import subprocess
import sys
import time
import unittest

from lab.scene import Scene, query_counts

BUILD = sys.argv.pop(1)

PASSWORD, TOKEN = "correct horse battery", "0123456789abcdef0123456789abcdef"
PORT, OTHER_PORT = 9154, 9155
OWN = {"X-SteerDNS": "page", "Origin": "https://172.16.1.2:{port}", "Sec-Fetch-Site": "same-origin"}
STRANGERS = 60  # addresses
CONFIG = """
dataplane: {{ ports: [ {{ device: eth0, driver: socket }} ] }}
control:
  watch: off
  http: {http}
plugins:
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: pool, type: cache, args: {{ size: 1000, short_circuit: true }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $pool }}, {{ exec: $up }} ] }}
"""
# Connections with a ClientHello each, as many as one gets a second, until its end of input. The server ends most of them.
FLOOD = """
import select, socket, ssl, sys, time
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
sent = ssl.MemoryBIO()
half = context.wrap_bio(ssl.MemoryBIO(), sent)
try:
    half.do_handshake()
except ssl.SSLWantReadError:
    pass
hello, begun, tries = sent.read(), time.monotonic(), 0
while not select.select([sys.stdin], [], [], max(0, begun + tries / 1500 - time.monotonic()))[0]:
    tries += 1
    one = socket.socket()
    one.bind((f"192.168.88.{100 + tries % 60}", 0))
    try:
        one.connect(("172.16.1.2", 9154))
        one.sendall(hello)
    except OSError:
        pass
    one.close()
print(tries / (time.monotonic() - begun), flush=True)
"""
ON = '{{ listen: ":{port}", folder: {folder}/state/page, tokens: [ {{ name: program, role: read, token_file: {folder}/token }} ] }}'


class SignIn(unittest.TestCase):
    def setUp(self):
        scene = self.scene = self.enterContext(Scene("sign_in", BUILD))
        self.state = scene.folder / "state"
        self.state.mkdir()
        scene.folder.chmod(0o755)
        self.state.chmod(0o777)
        (scene.folder / "token").write_text(TOKEN + "\n")
        (scene.folder / "token").chmod(0o600)
        scene.start_resolver()
        self.file = scene.folder / "steer.yaml"
        self.write(ON)
        scene.start_daemon(self.file)

    def write(self, http, port=PORT):
        self.file.write_text(CONFIG.format(http=http.format(folder=self.scene.folder, port=port)))

    # ---- an HTTPS client

    def connect(self, space="client", host="172.16.1.2", port=PORT, source=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = self.scene.network.socket(space, socket.AF_INET, socket.SOCK_STREAM)
        connection = http.client.HTTPSConnection(host, port)
        try:
            plain.settimeout(20)
            if source:
                plain.bind((source, 0))
            plain.connect((host, port))
            connection.sock = context.wrap_socket(plain, server_hostname=host)
        except OSError:
            plain.close()
            raise
        return connection

    def send(self, path, body=None, headers=None, own=True, connection=None, **where):
        """Status, text and cookie of the answer."""
        port = where.get("port", PORT)
        fields = {name: text.format(port=port) for name, text in OWN.items()} if own else {}
        if body is not None:
            fields["Content-Type"] = "application/json"
        if "host" in where:
            fields["Origin"] = f"https://{where['host']}:{port}"
        fields.update(headers or {})
        with contextlib.closing(connection or self.connect(**where)) as there:
            there.request("POST" if body is not None else "GET", path, json.dumps(body) if body is not None else None, fields)
            answer = there.getresponse()
            text = answer.read().decode()
        return answer.status, text, answer.getheader("Set-Cookie", "")

    def sign_in(self, password=PASSWORD, **where):
        return self.send("/login", {"password": password}, **where)

    def method(self, name, cookie, **how):
        return self.send("/rpc", {"jsonrpc": "2.0", "id": 1, "method": name}, {**({"Cookie": cookie} if cookie else {}), **how.pop("headers", {})}, **how)

    def link(self):
        return self.scene.reported("page")["link"].removeprefix("#login/")

    def set_password(self, text=PASSWORD):
        file = self.scene.folder / "new"
        file.write_text(text + "\n")
        return self.scene.ask("page", "password", "--file", str(file))

    def cookie(self):
        status, text, cookie = self.send("/login", {"link": self.link()})
        self.assertEqual(status, 204, text)
        return cookie.partition(";")[0]

    # ---- the certificate

    def test_the_certificate_is_its_own_and_its_fingerprint_is_told_everywhere(self):
        shown = self.scene.steerctl("page")
        with contextlib.closing(self.connect()) as there:
            der = there.sock.getpeercert(True)
        fingerprint = ":".join(f"{b:02X}" for b in hashlib.sha256(der).digest())
        self.assertIn(fingerprint, shown)
        self.assertIn("https://172.16.1.2:9154/\n", shown)
        self.assertIn("https://[fd16::2]:9154/\n", shown)
        self.assertIn(f"the SHA-256 of its certificate is {fingerprint}", self.scene.daemon.text())
        checked = self.scene.network.run("appliance", f"{BUILD}/steerdnsd", "--check", str(self.file)).stdout
        self.assertIn(f"page: on :{PORT}, the SHA-256 of its certificate is {fingerprint}\n", checked)
        # Who trusts it, gets its name checked.
        context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(der))
        for host, is_good in (("172.16.1.2", True), ("localhost", True), ("172.16.1.9", False)):
            plain = self.scene.network.socket("client", socket.AF_INET, socket.SOCK_STREAM)
            plain.connect(("172.16.1.2", PORT))
            with self.subTest(host), contextlib.closing(plain):
                if is_good:
                    context.wrap_socket(plain, server_hostname=host).close()
                else:
                    self.assertRaises(ssl.SSLCertVerificationError, context.wrap_socket, plain, server_hostname=host)
        own = self.state / "page/own.pem"
        self.assertEqual(stat.S_IMODE(own.stat().st_mode), 0o600)
        self.assertNotEqual(own.owner(), "root")

    # ---- signing in

    def test_a_link_is_used_once(self):
        link = self.link()
        status, _, cookie = self.send("/login", {"link": link})
        self.assertEqual(status, 204)
        for part in (f"__Host-steerdns{PORT}=", "; Path=/; ", "Secure", "HttpOnly", "SameSite=Strict", "Max-Age=43200"):
            self.assertIn(part, cookie)
        status, text, _ = self.send("/login", {"link": link})
        self.assertEqual(status, 401)
        self.assertIn("was used already", text)
        self.assertNotIn(link, self.scene.daemon.text())
        who = json.loads(self.method("rpc.whoami", cookie.partition(";")[0])[1])["result"]
        self.assertEqual(who["role"], "admin")
        self.assertRegex(who["who"], r"^session 1 at ")
        self.assertRegex(self.scene.steerctl("page", "sessions"), r"\n +1 +192\.168\.88\.10 +link ")

    def test_a_restart_keeps_password_and_certificate_and_ends_sessions(self):
        self.assertIn("No password is set yet", self.scene.steerctl("page"))
        self.assertEqual(json.loads(self.send("/login")[1]), {"password": "none"})
        self.assertIn("no password is set yet", self.sign_in()[1])
        self.assertEqual(self.set_password("short").returncode, 1)
        self.assertEqual(self.set_password().returncode, 0)
        saved = self.state / "page/password"
        self.assertEqual(stat.S_IMODE(saved.stat().st_mode), 0o600)
        self.assertRegex(saved.read_text(), r"^admin:\$y\$\S+\n$")
        self.assertNotIn(PASSWORD, self.scene.daemon.text())
        status, _, cookie = self.sign_in()
        self.assertEqual(status, 204)
        cookie = cookie.partition(";")[0]
        self.assertEqual(self.method("status", cookie)[0], 200)
        before = self.scene.reported("page")["fingerprint"]
        self.scene.daemon.stop()
        self.scene.start_daemon(self.file)
        self.assertEqual(self.scene.reported("page")["fingerprint"], before)
        self.assertEqual(self.method("status", cookie)[0], 401)
        self.assertEqual(self.sign_in("wrong password")[0], 401)
        self.assertEqual(self.sign_in()[0], 204)

    def test_logout_and_a_new_password_end_sessions(self):
        one, two, three = self.cookie(), self.cookie(), self.cookie()
        self.assertEqual(self.send("/logout", {}, {"Cookie": one})[0], 204)
        self.assertEqual([self.method("status", cookie)[0] for cookie in (one, two, three)], [401, 200, 200])
        self.assertEqual(self.send("/rpc", {"jsonrpc": "2.0", "id": 1, "method": "page.password", "params": {"password": PASSWORD}}, {"Cookie": two})[0], 200)
        self.assertEqual([self.method("status", cookie)[0] for cookie in (two, three)], [200, 401])
        self.assertIn("1", self.scene.steerctl("page", "logout"))
        self.assertEqual(self.method("status", two)[0], 401)
        self.assertIn("no one is signed in", self.scene.steerctl("page", "sessions"))

    def test_programs_have_their_tokens_as_before(self):
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        self.assertEqual(self.method("status", "", headers=bearer, own=False)[0], 200)
        refused = json.loads(self.method("page", "", headers=bearer, own=False)[1])
        self.assertIn('page needs the role "admin"', refused["error"]["message"])

    # ---- other sites, other boxes

    def test_another_site_gets_nothing_by_the_cookie(self):
        self.set_password()
        cookie = self.cookie()
        own = {name: text.format(port=PORT) for name, text in OWN.items()}
        self.assertEqual(self.method("reload", cookie)[0], 200)
        for what, change in (("no field of our own", {"X-SteerDNS": None}), ("another site", {"Sec-Fetch-Site": "cross-site"}),
                             ("a neighbour", {"Sec-Fetch-Site": "same-site"}), ("another origin", {"Origin": "https://evil.example"}),
                             ("no origin at all", {"Origin": None, "Sec-Fetch-Site": None})):
            fields = {name: text for name, text in {**own, **change}.items() if text}
            with self.subTest(what):
                self.assertIn(self.method("reload", cookie, headers=fields, own=False)[0], (401, 403))
                self.assertEqual(self.send("/login", {"password": PASSWORD}, fields, own=False)[0], 403)
        self.assertEqual(self.send("/rpc", {}, {"Cookie": cookie, "Content-Type": "text/plain"})[0], 415)
        with contextlib.closing(self.connect()) as there:
            there.request("GET", "/")
            self.assertIn("frame-ancestors 'none'", there.getresponse().getheader("Content-Security-Policy"))

    def test_a_cookie_of_another_box_is_refused_quietly(self):
        before = self.scene.daemon.text()
        for _ in range(30):
            self.assertEqual(self.method("status", f"__Host-steerdns{PORT}={'A' * 43}")[0], 401)
        self.assertEqual(self.scene.daemon.text(), before)
        self.assertEqual(self.method("status", self.cookie())[0], 200)

    # ---- tries of the password

    def test_a_thousand_tries_a_second_slow_no_dns_and_lock_no_owner_out(self):
        """From many addresses, at once and again and again."""
        scene = self.scene
        self.set_password()
        for n in range(STRANGERS):
            scene.network.address("client", "eth0", f"192.168.88.{100 + n}/24")
        mine = self.cookie()
        scene.short("other.example")

        def loss_and_latency(seconds, beside=None):
            load = scene.network.start("client", f"dnsperf-{time.monotonic_ns()}", "dnsperf", "-s", "172.16.1.2", "-d", str(queries), "-l", str(seconds), "-Q", "2000")
            begun = time.monotonic()
            while time.monotonic() - begun < seconds - 0.5:
                if beside:
                    beside()
                else:
                    time.sleep(0.1)
            load.wait_for("Average Latency", 30)
            text = load.text()
            return query_counts(text)["lost"], float(re.search(r"Average Latency \(s\): +([\d.]+)", text)[1])

        queries = scene.folder / "names"
        queries.write_text("other.example A\n")
        statuses = []

        def tries(source):
            """As many as one connection and one source get through; the rest is refused before HTTP."""
            try:
                with contextlib.closing(self.connect(source=source)) as connection:
                    for _ in range(10):
                        connection.request("POST", "/login", json.dumps({"password": "guess"}), {name: text.format(port=PORT) for name, text in OWN.items()} | {"Content-Type": "application/json"})
                        answer = connection.getresponse()
                        answer.read()
                        statuses.append(answer.status)
                        if answer.status != 401:
                            break
            except (OSError, http.client.HTTPException):
                statuses.append(0)

        with concurrent.futures.ThreadPoolExecutor(STRANGERS) as pool:
            sources = [f"192.168.88.{100 + n}" for n in range(STRANGERS)]
            _, quiet = loss_and_latency(5)
            begun = time.monotonic()
            flood = subprocess.Popen(scene.network.argv("client", "/usr/bin/python3", "-c", FLOOD), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            try:
                lost, loud = loss_and_latency(5, lambda: list(pool.map(tries, sources)))
            finally:
                rate = float(flood.communicate("")[0])
            seconds = time.monotonic() - begun
        checked = statuses.count(401)
        print(f"{rate + len(statuses) / seconds:.0f} tries/s, {checked} of them checked in {seconds:.1f} s; mean latency of DNS {quiet * 1e6:.0f} us before, "
              f"{loud * 1e6:.0f} us beside", file=sys.stderr)
        self.assertEqual(lost, 0)
        self.assertLessEqual(checked, 20 + 2 * seconds, "the burst, and about one a second")
        self.assertGreater(statuses.count(429), 0)
        self.assertIn(self.sign_in(source="192.168.88.100")[0], (429, 503))
        # The owner: with a session, on loopback, by a link.
        self.assertEqual(self.method("status", mine)[0], 200)
        self.assertEqual(self.sign_in(space="appliance", host="127.0.0.1")[0], 204)
        self.assertEqual(self.send("/login", {"link": self.link()}, source="192.168.88.100")[0], 204)

    # ---- reloads

    def test_a_reload_turns_the_page_off_and_on_and_moves_it(self):
        cookie = self.cookie()
        self.write("off")
        self.assertEqual(self.scene.reported("reload")["warnings"], [f"{self.file}: control.http needs a restart: the old value stays in force"])
        with self.assertRaises(OSError):
            self.connect()
        refused = self.scene.ask("page")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("the page is off: write `http: on`", refused.stderr)
        self.write(ON)
        (warning,) = self.scene.reported("reload")["warnings"]
        self.assertIn("of token program cannot be read", warning)  # root's file: a start reads it
        self.assertEqual(self.method("status", cookie)[0], 401)
        cookie = self.cookie()
        self.write(ON, OTHER_PORT)
        self.assertEqual(len(self.scene.reported("reload")["warnings"]), 1)
        with self.assertRaises(OSError):
            self.connect()
        moved = cookie.replace(str(PORT), str(OTHER_PORT))
        self.assertEqual(self.method("status", moved, port=OTHER_PORT)[0], 200)
        # A port that another process has: the page stays where it is.
        taken = self.scene.network.socket("appliance", socket.AF_INET6, socket.SOCK_STREAM)
        self.addCleanup(taken.close)
        taken.bind(("::", PORT))
        taken.listen()
        self.write(ON, PORT)
        warnings = self.scene.reported("reload")["warnings"]
        self.assertIn("the page stays at", " ".join(warnings))
        self.assertEqual(self.method("status", moved, port=OTHER_PORT)[0], 200)

    def test_a_damaged_password_file_lets_no_one_in_and_is_named(self):
        self.set_password()
        (self.state / "page/password").write_text("admin:nonsense\n")
        self.scene.steerctl("reload")
        self.assertEqual(self.sign_in()[0], 401)
        self.assertIn("set another with `steerctl page password`", self.scene.steerctl("status"))
        self.set_password()
        self.assertEqual(self.sign_in()[0], 204)
        self.assertNotIn("steerctl page password", self.scene.steerctl("status"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
