"""DNS over QUIC with kdig as client: answers, certificates, the rights of steerdns-quic, and its end."""

import os
import pathlib
import re
import signal
import socket
import struct
import sys
import time
import unittest

from lab.certificates import Authority
from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)

CONFIG = """
routers:
  edge1: {{ address: "172.16.1.1:8728", username: api-user, password: secret }}
plugins:
  - {{ tag: steered, type: qname, args: [ "domain:stream.example" ] }}
  - {{ tag: egress, type: ros_address_list, args: {{ router: edge1, async: false, sync_timeout: 15s, address_list4: policy_set_v4 }} }}
  - tag: main
    type: sequence
    args:
      - {{ matches: "qname silent.example", exec: drop }}
      - {{ matches: "qname refused.example", exec: reject 5 }}
      - {{ exec: cache }}
      - {{ matches: $steered, exec: $egress }}
      - {{ matches: "!has_resp", exec: forward 1.1.1.1 }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: doh, type: http_server, args: {{ entries: [ {{ path: /dns-query, exec: main }} ], listen: ":443", cert: "{0.pem}", key: "{0.key}", enable_http3: true }} }}
  - {{ tag: doq, type: quic_server, args: {{ entry: main, listen: ":853", cert: "{0.pem}", key: "{0.key}" }} }}
policy: {{ designated_name: dns.example }}
control: {{ stream_threads: 2 }}
"""

HOST = "dns.example"
QUERY = "AAABAAABAAAAAAAABnN0cmVhbQdleGFtcGxlAAABAAE"  # stream.example A
NAMES = ("stream.example", "www.stream.example", "short.stream.example", "other.example", "none.media.example")


class Quic(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("quic", BUILD))
        self.scene.start_resolver()
        self.scene.start_router()
        self.folder = self.scene.folder
        os.chmod(self.folder, 0o755)
        self.authority = Authority(self.folder)
        self.config = self.folder / "quic.yaml"
        self.config.write_text(CONFIG.format(self.authority.issue("server", f"DNS:{HOST}")))
        self.daemon = self.scene.start_daemon(self.config)
        self.tls = (f"+tls-ca={self.authority.pem}", f"+tls-hostname={HOST}")

    def kdig(self, *words):
        return self.scene.kdig(*self.tls, "+quic", *words)

    def counted(self, name):
        """The process reports its counters each second."""
        return sum(thread[name] for thread in self.scene.counters()["quic"])

    def wait_counted(self, name, count):
        until(lambda: self.counted(name) >= count, 5, f"{count} {name}")
        self.assertEqual(self.counted(name), count)

    def process(self):
        """The process id of steerdns-quic."""
        found = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and self.is_ours(pid)]
        self.assertEqual(len(found), 1)
        return found[0]

    def is_ours(self, pid):
        try:
            comm = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
            parent = re.search(r"PPid:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]
        except (FileNotFoundError, ProcessLookupError):
            return False
        return comm == "steerdns-quic" and int(parent) in self.daemons()

    def daemons(self):
        """steerdnsd, and what it was started by: a lab's process may be a shell in between."""
        known, found = {self.daemon.pid}, True
        while found:
            found = False
            for pid in (p for p in os.listdir("/proc") if p.isdigit() and int(p) not in known):
                try:
                    parent = int(re.search(r"PPid:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if parent in known:
                    known.add(int(pid))
                    found = True
        return known

    def test_answers_equal_those_over_udp(self):
        for name in NAMES:
            with self.subTest(name=name):
                wanted = sorted(self.scene.short(name, "A"))
                self.assertEqual(sorted(self.scene.short(*self.tls, "+quic", name, "A")), wanted)
        self.assertIn("status: REFUSED", self.kdig("refused.example"))
        self.wait_counted("answers", len(NAMES) + 1)
        self.assertEqual(self.counted("protocol_errors"), 0)
        # The rows of their addresses are on the router.
        self.assertIn("203.0.113.10", {row["address"] for row in self.scene.rows()})

    def test_several_queries_share_a_connection(self):
        output = self.kdig("+keepopen", *(word for name in NAMES for word in (name, "A")))
        self.assertEqual(output.count("status: NOERROR") + output.count("status: NXDOMAIN"), len(NAMES), output)
        self.wait_counted("handshakes", 1)

    def test_an_answer_is_padded_when_the_query_asks(self):
        self.assertIn("Received 468 B", self.kdig("+padding", "stream.example", "A"))

    def test_a_query_without_an_answer_resets_its_stream(self):
        self.assertNotIn("status:", self.kdig("+timeout=2", "+retry=0", "silent.example"))
        self.wait_counted("unanswered", 1)

    def test_clients_find_the_server(self):
        words = self.scene.short("_dns.resolver.arpa", "SVCB")
        for word in ("alpn=doq", "port=853", "alpn=h2,h3", "port=443"):
            self.assertIn(word, words)
        head = self.scene.network.run("client", "curl", "-sD-", "-o/dev/null", "--cacert", str(self.authority.pem), "--connect-to",
                                      f"{HOST}:443:172.16.1.2:443", f"https://{HOST}/dns-query?dns={QUERY}").stdout
        self.assertIn('alt-svc: h3=":443"', head)

    def test_a_new_certificate_is_used(self):
        other = (f"+tls-ca={self.authority.pem}", "+tls-hostname=other.example", "+quic", "+timeout=2", "+retry=0")
        self.assertNotIn("status:", self.scene.kdig(*other, "stream.example"))
        self.authority.issue("server", f"DNS:other.example,DNS:{HOST}")
        self.scene.steerctl("reload")
        until(lambda: "status: NOERROR" in self.scene.kdig(*other, "stream.example"), 5, "the new certificate is used")

    def test_the_process_has_no_rights(self):
        self.kdig("stream.example")
        pid = self.process()
        for task in os.listdir(f"/proc/{pid}/task"):
            status = pathlib.Path(f"/proc/{pid}/task/{task}/status").read_text()
            self.assertEqual(int(re.search(r"CapEff:\s+(\w+)", status)[1], 16), 0)
            self.assertEqual(int(re.search(r"CapPrm:\s+(\w+)", status)[1], 16), 0)
            self.assertIn("NoNewPrivs:\t1", status)
            self.assertIn("Seccomp:\t2", status)
        # Beside the standard ones, it has only sockets.
        opened = {fd: os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        self.assertFalse({fd: what for fd, what in opened.items() if int(fd) > 2 and not what.startswith(("socket:", "anon_inode:"))})

    def test_its_end_is_not_the_daemons(self):
        self.kdig("stream.example")
        for times in (1, 2):
            os.kill(self.process(), signal.SIGKILL)
            killed = time.monotonic()
            self.assertIn("status: NOERROR", self.scene.kdig("stream.example", "A"))
            until(lambda: "status: NOERROR" in self.kdig("+timeout=1", "+retry=0", "stream.example", "A"), 6, "QUIC is back")
            self.assertLess(time.monotonic() - killed, 1.0 + 2.5 * times)
        self.assertEqual(self.scene.reported("status")["quic"]["restarts"], 2)
        self.assertIn("steerdns-quic ended (killed by signal 9)", self.daemon.text())

    def test_datagrams_that_are_no_connection(self):
        """Other versions get ours; anything else gets nothing, or a shorter reset."""
        network = self.scene.network
        with network.inside("client"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(2)
            sock.connect(("172.16.1.2", 853))
            sock.send(b"\xc0\x1a\x2a\x3a\x4a\x08ABCDEFGH\x08abcdefgh" + bytes(1200))
            answer = sock.recv(2048)
            self.assertEqual(answer[1:5], bytes(4))
            self.assertEqual(answer[5:23], b"\x08abcdefgh\x08ABCDEFGH")
            self.assertIn(struct.pack("!I", 1), [answer[i:i + 4] for i in range(23, len(answer), 4)])
            sock.send(b"\x40" + bytes(99))
            self.assertLess(len(sock.recv(2048)), 100)
            for bad in (b"", b"x", b"\xc0", b"\xc0\0\0\0\1", b"\xc0\0\0\0\1\xff" + bytes(1200)):
                sock.send(bad)
        self.assertIn("status: NOERROR", self.kdig("stream.example"))
        self.wait_counted("versions_offered", 1)
        self.wait_counted("resets_sent", 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
