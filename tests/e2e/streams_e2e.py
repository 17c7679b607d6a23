"""DNS over TCP and TLS with real clients: kdig, certificates that change, PROXY headers, time limits."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

from lab.certificates import Authority
from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)

CONFIG = """
plugins:
  - tag: up
    type: forward
    args: {{ upstreams: [ {{ addr: "udp://1.1.1.1" }} ] }}
  - tag: main
    type: sequence
    args:
      - {{ matches: "client_ip 198.51.100.0/24", exec: "black_hole 192.0.2.99" }}
      - {{ matches: has_resp, exec: accept }}
      - {{ exec: $up }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53", idle_timeout: 2 }} }}
  - {{ tag: dot, type: tcp_server, args: {{ entry: main, listen: ":853", cert: {cert}, key: {key} }} }}
  - {{ tag: proxied, type: tcp_server, args: {{ entry: main, listen: ":5300", proxy_protocol: [192.168.88.10] }} }}
dataplane: {{ allow: [192.168.88.0/24, 198.51.100.0/24] }}
control: {{ stream_threads: {threads} }}
"""

# One connection: says the certificate's name, and asks again whenever a line comes from a file that is made.
CLIENT = r"""
import os, socket, ssl, struct, sys, time
address, folder = sys.argv[1:3]
def query(ident): return struct.pack('!6H', ident, 0x100, 1, 0, 0, 0) + b'\6stream\7example\0\0\1\0\1'
context = ssl.create_default_context(cafile=folder + '/ca.pem')
context.check_hostname = False
s = context.wrap_socket(socket.create_connection((address, 853), 5))
print('name', dict(x[0] for x in s.getpeercert()['subject'])['commonName'], flush=True)
for ident in (1, 2):
    while ident == 2 and not os.path.exists(folder + '/go'): time.sleep(0.02)
    q = query(ident)
    s.sendall(struct.pack('!H', len(q)) + q)
    head = s.recv(2)
    answer = b''
    while len(answer) < struct.unpack('!H', head)[0]: answer += s.recv(65536)
    print('answered', struct.unpack('!H', answer[:2])[0], flush=True)
"""

# A PROXY header of version 2 for 198.51.100.7, then a query.
PROXY = r"""
import socket, struct, sys
client = sys.argv[1]
q = struct.pack('!6H', 7, 0x100, 1, 0, 0, 0) + b'\6stream\7example\0\0\1\0\1'
s = socket.create_connection(('172.16.1.2', 5300), 5)
if client:
    s.sendall(b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c' + socket.inet_aton(client) + socket.inet_aton('172.16.1.2')
              + struct.pack('!HH', 4242, 53))
s.sendall(struct.pack('!H', len(q)) + q)
try: got = s.recv(65536)
except ConnectionResetError: got = b''
print(socket.inet_ntoa(got[-4:]) if got else 'closed')
"""

# Handshakes that are begun and no more.
HALF_OPEN = r"""
import resource, socket, ssl, sys
count = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, count + 100))
context = ssl._create_unverified_context()
held = []
for _ in range(count):
    incoming, hello = ssl.MemoryBIO(), ssl.MemoryBIO()
    try: context.wrap_bio(incoming, hello).do_handshake()
    except ssl.SSLWantReadError: pass
    held.append(socket.create_connection(('172.16.1.2', 853), 5))
    held[-1].sendall(hello.read())
for one in held: one.recv(1)  # so that each has our half
print('half open', flush=True)
for one in held:
    while one.recv(65536): pass  # until they are closed
"""

IDLE = r"""
import socket, time
begun = time.monotonic()
s = socket.create_connection(('172.16.1.2', 53), 40)
print('ended' if s.recv(1) == b'' else 'odd', round(time.monotonic() - begun, 1))
"""


class Streams(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("streams", BUILD))
        self.scene.start_resolver()
        self.folder = self.scene.folder
        os.chmod(self.folder, 0o755)
        self.authority = Authority(self.folder)
        self.issue("dns.example", "server")
        self.config = self.folder / "streams.yaml"

    def openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=self.folder)

    def issue(self, name, file, **how):
        return self.authority.issue(file, f"DNS:{name}", **how)

    def write(self, cert="server.pem", key="server.key", threads=1):
        self.config.write_text(CONFIG.format(cert=cert, key=key, threads=threads))
        return self.config

    def start(self, **how):
        return self.scene.start_daemon(self.write(**how))

    def tls(self, *words):
        return self.scene.kdig(f"+tls-ca={self.folder}/ca.pem", "+tls-hostname=dns.example", *words)

    def connect(self, label):
        client = self.scene.network.start("client", label, "/usr/bin/python3", "-c", CLIENT, "172.16.1.2",
                                          str(self.folder))
        client.wait_for("answered 1")
        return client

    def test_kdig_is_answered_over_tcp_and_tls(self):
        """With one thread and with three."""
        for threads in (1, 3):
            with self.subTest(threads=threads):
                daemon = self.start(threads=threads)
                wanted = {"203.0.113.10", "203.0.113.11"}
                for words in (("+tcp",), ("+tcp", "+keepopen", "-q", "www.stream.example", "-q")):
                    self.assertLessEqual(wanted, set(self.scene.short(*words, "stream.example", "A")))
                self.assertLessEqual(wanted, set(self.tls("+short", "stream.example", "A").split()))
                wrong = self.scene.kdig(f"+tls-ca={self.folder}/ca.pem", "+tls-hostname=other.example", "stream.example")
                self.assertNotIn("203.0.113", wrong)
                self.assertIn("Received 468 B", self.tls("+padding", "stream.example", "A"))
                self.assertNotIn("Received 468 B", self.scene.kdig("+tcp", "+padding", "stream.example", "A"))
                for transport, says in (("+tcp", True), ("+notcp", False)):
                    text = self.scene.kdig(transport, "+ednsopt=11:", "stream.example", "A")
                    self.assertEqual(re.search(r"(?i)option \(?11\)?|keepalive", text) is not None, says, text)
                self.assertGreater(self.scene.stream_total("tls_accepted"), 0)
                self.assertEqual(daemon.stop(), 0)

    def test_memory_of_half_open_handshakes_is_freed(self):
        count = 3000
        path = self.write()
        path.write_text(path.read_text().replace("key: server.key }", f"key: server.key, max_connections_per_client: {count} }}"))
        self.scene.start_daemon(path)
        status = pathlib.Path(f"/proc/{self.scene.network.pid('appliance', 'steerdnsd')}/status")

        def mib():
            return int(re.search(r"RssAnon:\s+(\d+)", status.read_text())[1]) / 1024

        before = mib()
        flood = self.scene.network.start("client", "half_open", "/usr/bin/python3", "-c", HALF_OPEN, str(count))
        flood.wait_for("half open", 60)
        most = mib() - before
        until(lambda: not flood.running(), 30, "they are closed")
        until(lambda: mib() - before < most / 4, 15, f"what they took ({most:.0f} MiB) is given back")
        print(f"  {count} half-open handshakes: {most:.0f} MiB, {mib() - before:.0f} MiB after them")
        self.assertGreater(most, 50)

    def test_a_changed_certificate_is_used_for_new_connections(self):
        """Open connections stay, with the old one."""
        self.start()
        before = self.connect("before")
        self.assertIn("name dns.example", before.text())
        self.issue("new.example", "server")
        def renewed():
            text = self.scene.kdig(f"+tls-ca={self.folder}/ca.pem", "+tls-hostname=new.example", "+short",
                                   "stream.example", "A")
            return "203.0.113" in text
        until(renewed, 10, "the new certificate is in use")
        (self.folder / "go").touch()
        before.wait_for("answered 2")

    def test_a_bad_renewal_is_refused_and_the_old_certificate_stays(self):
        self.start()
        self.issue("other.example", "other")
        (self.folder / "other.key").rename(self.folder / "server.key")
        output = self.scene.ask("reload").stdout
        self.assertRegex(output, r"key \S+/server.key does not match the certificate \S+/server.pem.*stays in use")
        self.assertTrue(self.tls("+short", "stream.example", "A").split())

    def test_bad_certificate_files_are_named_at_the_start(self):
        self.issue("late.example", "late", days=-1)
        self.issue("other.example", "other")
        (self.folder / "empty.pem").write_text("")
        self.openssl("pkey", "-in", "server.key", "-aes256", "-passout", "pass:secret", "-out", "locked.key")
        for cert, key, code, sentence in (
                ("server.pem", "other.key", 2, r"does not match the certificate"),
                ("none.pem", "server.key", 2, r"certificate \S+/none.pem cannot be read: No such file"),
                ("empty.pem", "server.key", 2, r"empty.pem contains no certificate"),
                ("server.pem", "locked.key", 2, r"locked.key is encrypted"),
                ("late.pem", "late.key", 0, r"warning: .*late.pem expired on ")):
            with self.subTest(cert=cert, key=key):
                done = self.scene.network.run("appliance", f"{BUILD}/steerdnsd", "--config",
                                              str(self.write(cert, key)), "--check", check=False)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertRegex(done.stderr, sentence)
        done = self.scene.network.run("appliance", f"{BUILD}/steerdnsd", "--config",
                                      str(self.write("server.pem", "other.key")), check=False, timeout=20)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.start(cert="late.pem", key="late.key")
        self.assertTrue(self.scene.short("+tls", "stream.example", "A"), "an ended certificate stops no DNS")

    def test_the_client_address_comes_from_the_proxy_header(self):
        self.start()
        for client, wanted in (("198.51.100.7", "192.0.2.99"), ("192.168.88.77", "203.0.113.1"), ("", "closed")):
            got = self.scene.network.run("client", "/usr/bin/python3", "-c", PROXY, client).stdout
            self.assertTrue(got.startswith(wanted), got)
        self.assertEqual(self.scene.stream_total("tcp_bad_proxy"), 1)

    def test_an_idle_connection_is_closed(self):
        self.start()
        output, seconds = self.scene.network.run("client", "/usr/bin/python3", "-c", IDLE).stdout.split()
        self.assertEqual(output, "ended")
        self.assertTrue(2.0 <= float(seconds) <= 30.0, seconds)
        self.assertEqual(self.scene.stream_total("tcp_idle"), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
