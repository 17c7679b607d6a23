"""Several sequences behind several servers, as in mosdns's configurations: by address, by path, by TLS server name and URL."""

import sys
import unittest

from lab.certificates import Authority
from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)

CONFIG = """
plugins:
  - {{ tag: answers, type: cache, args: {{ short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: "udp://1.1.1.1" }} ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $answers }}, {{ exec: $up }} ] }}
  - tag: family
    type: sequence
    args:
      - {{ matches: "qname stream.example", exec: "black_hole {blocked}" }}
      - {{ matches: has_resp, exec: accept }}
      - {{ exec: $answers }}
      - {{ exec: $up }}
  - tag: named
    type: sequence
    args:
      - {{ matches: "string_exp server_name prefix KIDS.", exec: "black_hole 192.0.2.97" }}
      - {{ matches: has_resp, exec: accept }}
      - {{ matches: "string_exp url_path eq /named", exec: "black_hole 192.0.2.98" }}
      - {{ matches: has_resp, exec: accept }}
      - {{ exec: black_hole 192.0.2.99 }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: udp-family, type: udp_server, args: {{ entry: family, listen: "172.16.1.3:53" }} }}
  - {{ tag: tcp-family, type: tcp_server, args: {{ entry: family, listen: "172.16.1.3:53" }} }}
  - {{ tag: dot, type: tcp_server, args: {{ entry: named, listen: ":853", cert: {pem}, key: {key} }} }}
  - tag: doh
    type: http_server
    args:
      entries: [ {{ path: /dns-query, exec: main }}, {{ path: /family, exec: family }}, {{ path: /named, exec: named }} ]
      listen: ":443"
      cert: {pem}
      key: {key}
"""

HOSTS = ("dns.example", "kids.dns.example")


class Entries(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("entries", BUILD))
        self.scene.start_resolver()
        self.scene.network.address("appliance", "eth0", "172.16.1.3/24")
        folder = self.scene.folder
        folder.chmod(0o755)  # the daemon's user reads its certificate
        self.authority = Authority(folder / "ca")
        self.certificate = self.authority.issue("server", *(f"DNS:{host}" for host in HOSTS))
        self.config = folder / "entries.yaml"
        self.write("192.0.2.96")
        self.daemon = self.scene.start_daemon(self.config)

    def write(self, blocked):
        self.config.write_text(CONFIG.format(blocked=blocked, **self.certificate._asdict()))

    def ask(self, *words, server="172.16.1.2", name="stream.example"):
        text = self.scene.network.run("client", "kdig", f"@{server}", "+short", "+timeout=4", *words, name, "A",
                                      check=False).stdout
        return sorted(text.split())

    def over_tls(self, *words, host=HOSTS[0]):
        return self.ask(*words, f"+tls-ca={self.authority.pem}", f"+tls-hostname={host}", f"+tls-sni={host}")

    def test_each_server_and_path_runs_its_own_sequence(self):
        open_answer, blocked = ["203.0.113.10", "203.0.113.11"], ["192.0.2.96"]
        for _ in range(3):  # asked, found in the cache, known by its bytes
            for words in ((), ("+tcp",)):
                self.assertEqual(self.ask(*words), open_answer)
                self.assertEqual(self.ask(*words, server="172.16.1.3"), blocked)
                # The same answer of the same cache.
                self.assertEqual(self.ask(*words, server="172.16.1.3", name="other.example"), ["198.51.100.1"])
            self.assertEqual(self.over_tls("+https=/dns-query"), open_answer)
            self.assertEqual(self.over_tls("+https=/family"), blocked)
        self.write("192.0.2.95")  # and after a reload
        before = self.daemon.text().count("is in force")
        self.daemon.send_signal(1)
        until(lambda: self.daemon.text().count("is in force") > before, 10, "the change is taken up")
        self.assertEqual(self.ask(), open_answer)
        self.assertEqual(self.ask(server="172.16.1.3"), ["192.0.2.95"])
        self.assertEqual(self.over_tls("+https=/family"), ["192.0.2.95"])

    def test_rules_match_server_name_and_path(self):
        self.assertEqual(self.over_tls("+tls"), ["192.0.2.99"])
        self.assertEqual(self.over_tls("+tls", host=HOSTS[1]), ["192.0.2.97"])
        self.assertEqual(self.over_tls("+https=/named"), ["192.0.2.98"])
        self.assertEqual(self.over_tls("+https=/named", host=HOSTS[1]), ["192.0.2.97"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
