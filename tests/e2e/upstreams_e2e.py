"""Upstreams that are dead, slow or lying: never a wrong answer."""

import signal
import sys
import unittest

from lab.network import until
from lab.scene import PASSWORD, USER, Scene

BUILD = sys.argv.pop(1)

# An upstream in ~40 lines. MODE: what it does before (or instead of) the right answer.
LIAR = r"""
import socket, struct, sys, threading, time
address, mode = sys.argv[1], sys.argv[2]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((address, 53)); print('ready', flush=True)
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); other.bind((address, 5353))
def answer(q, ip, flags=0x8180, ident=None, question=None):
    end = q.index(b'\0', 12) + 5
    question = question or q[12:end]
    head = struct.pack('!6H', ident if ident is not None else struct.unpack('!H', q[:2])[0], flags, 1, 1 if ip else 0, 0, 0)
    rr = b'\xc0\x0c' + struct.pack('!HHIH', 1, 1, 60, 4) + socket.inet_aton(ip) if ip else b''
    return head + question + rr
WRONG, RIGHT = '6.6.6.6', '203.0.113.1'
def serve_tcp():
    # Whoever gets too many lies asks here.
    t = socket.create_server((address, 53))
    while True:
        c, _ = t.accept()
        with c:
            q = c.recv(4096)[2:]
            a = answer(q, RIGHT)
            c.sendall(struct.pack('!H', len(a)) + a)
if mode in ('id', 'garbage'): threading.Thread(target=serve_tcp, daemon=True).start()
while True:
    q, who = s.recvfrom(4096)
    ident = struct.unpack('!H', q[:2])[0]
    if mode == 'dead': continue
    if mode == 'slow': time.sleep(1.0)
    if mode == 'id':
        for d in range(1, 200): s.sendto(answer(q, WRONG, ident=(ident + d) & 0xffff), who)
    if mode == 'port': other.sendto(answer(q, WRONG), who)
    if mode == 'question': s.sendto(answer(q, WRONG, question=b'\3bad\7example\0\0\1\0\1'), who)
    if mode == 'garbage':
        for n in range(0, 60, 3): s.sendto(q[:n] + b'\xff' * n, who)
    if mode == 'query': s.sendto(q, who)
    if mode == 'servfail': s.sendto(answer(q, '', flags=0x8182), who); continue
    if mode == 'formerr' and len(q) > q.index(b'\0', 12) + 5: s.sendto(answer(q, '', flags=0x8181), who); continue
    s.sendto(answer(q, RIGHT), who)
"""

CONFIG = """
plugins:
  - tag: up
    type: forward
    args:
      upstreams: [ {upstreams} ]
  - tag: main
    type: sequence
    args: [ {{ exec: $up }} ]
"""


class Liars(unittest.TestCase):
    def play(self, modes, more=""):
        scene = self.enterContext(Scene("liars", BUILD))
        for i, mode in enumerate(modes):
            address = f"1.1.1.{10 + i}" if i else "1.1.1.1"
            if i:
                scene.network.address("resolver", "lo", f"{address}/32")
                scene.network.route("router", f"{address}/32", "via", "1.1.1.1")
            scene.network.start("resolver", f"liar{i}", "/usr/bin/python3", "-c", LIAR, address, mode).wait_for("ready")
        upstreams = ", ".join(f'{{ addr: "1.1.1.{10 + i if i else 1}" }}' for i in range(len(modes)))
        config = scene.folder / "liars.yaml"
        config.write_text(CONFIG.format(upstreams=upstreams).replace("upstreams:", more + "upstreams:"))
        scene.start_daemon(config)
        return scene

    def test_forged_replies_are_ignored(self):
        for mode, counter in (("id", "drop_upstream_unknown"), ("port", None),
                              ("question", "drop_upstream_malformed"), ("garbage", None), ("query", None)):
            with self.subTest(mode=mode):
                scene = self.play([mode])
                for i in range(5):
                    self.assertEqual(scene.short(f"n{i}.example", "A"), ["203.0.113.1"])
                if counter:
                    self.assertGreater(scene.total("verdicts", counter), 0)
                if mode == "id":
                    self.assertEqual(scene.total("stats", "upstream_suspected"), 5)

    def test_a_formerr_is_retried_without_edns(self):
        scene = self.play(["formerr"], more="probe: off\n      ")  # a probe would find out before the first query
        for name in ("a.example", "b.example"):
            self.assertEqual(scene.short(name, "A"), ["203.0.113.1"])
        self.assertEqual(scene.total("stats", "upstream_without_edns"), 2)

    def test_a_slow_upstream_is_waited_for(self):
        scene = self.play(["slow"])
        self.assertEqual(scene.short("a.example", "A"), ["203.0.113.1"])

    def test_the_next_upstream_answers_for_a_failed_one(self):
        for first in ("dead", "servfail"):
            with self.subTest(first=first):
                scene = self.play([first, "right"])
                for i in range(3):
                    self.assertEqual(scene.short(f"n{i}.example", "A"), ["203.0.113.1"])

    def test_dead_upstreams_give_servfail(self):
        scene = self.play(["dead"])
        self.assertIn("SERVFAIL", scene.kdig("a.example", "A"))


HOST_CONFIG = """
plugins:
  - {{ tag: up, type: forward, args: {{ resolv_file: "{file}" }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $up }} ] }}
"""


# A server of the link: it has no other address.
LINK_LOCAL = r"""
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 53, 0, socket.if_nametoindex(sys.argv[2]))); print('ready', flush=True)
while True:
    q, who = s.recvfrom(4096)
    end = q.index(b'\0', 12) + 5
    s.sendto(q[:2] + b'\x81\x80\0\1\0\1\0\0\0\0' + q[12:end] + b'\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\1', who)
"""


class HostServers(unittest.TestCase):
    """A forward without upstreams uses the servers of the host's files."""

    def test_resolv_conf_is_followed_and_never_leads_to_itself(self):
        scene = self.enterContext(Scene("hostdns", BUILD))
        scene.network.start("resolver", "right", "/usr/bin/python3", "-c", LIAR, "1.1.1.1", "right").wait_for("ready")
        resolv = scene.folder / "resolv.conf"
        resolv.write_text("nameserver 127.0.0.1\nnameserver 172.16.1.2\n")  # both are the appliance
        config = scene.folder / "host.yaml"
        config.write_text(HOST_CONFIG.format(file=resolv))
        daemon = scene.start_daemon(config)
        self.assertIn("SERVFAIL", scene.kdig("+timeout=3", "none.example", "A"))  # at once, and not from itself
        self.assertIn("names no server", daemon.text())
        resolv.write_text("nameserver 127.0.0.1\nnameserver 1.1.1.1\n")  # a lease arrived
        until(lambda: scene.short("a.example", "A") == ["203.0.113.1"], 10, "the new server is asked")
        before = daemon.text().count("is in force")
        resolv.write_text("# renewed\nnameserver 1.1.1.1\n")
        resolv.write_text("nameserver 1.1.1.99\n")  # no server has this address
        until(lambda: daemon.text().count("is in force") > before, 10, "the change is taken up")
        self.assertEqual(daemon.text().count("is in force"), before + 1)  # the renewal was none

    def test_a_link_local_server_needs_its_interface(self):
        scene = self.enterContext(Scene("hostra", BUILD))
        scene.network.run("router", "ip", "address", "add", "fe80::99/64", "dev", "dns0", "nodad")
        scene.network.start("router", "right", "/usr/bin/python3", "-c", LINK_LOCAL, "fe80::99", "dns0").wait_for("ready")
        resolv = scene.folder / "resolv.conf"
        resolv.write_text("nameserver fe80::98\nnameserver fe80::99%eth0\n")  # the first says no interface
        config = scene.folder / "host.yaml"
        config.write_text(HOST_CONFIG.format(file=resolv))
        scene.start_daemon(config)
        for name in ("a.example", "b.example"):
            self.assertEqual(scene.short(name, "A"), ["203.0.113.1"])


    def test_an_upstream_may_be_link_local(self):
        """RFC 4007 11.2: by the interface's name, and by its number."""
        scene = self.enterContext(Scene("zones", BUILD))
        scene.network.run("router", "ip", "address", "add", "fe80::99/64", "dev", "dns0", "nodad")
        scene.network.start("router", "right", "/usr/bin/python3", "-c", LINK_LOCAL, "fe80::99", "dns0").wait_for("ready")
        number = scene.network.run("appliance", "cat", "/sys/class/net/eth0/ifindex").stdout.strip()
        for upstream in ("fe80::99%eth0", "udp://[fe80::99%eth0]:53", f"udp://[fe80::99%{number}]"):
            with self.subTest(upstream=upstream):
                config = scene.folder / "zones.yaml"
                config.write_text(CONFIG.format(upstreams=f'{{ addr: "{upstream}" }}'))
                daemon = scene.start_daemon(config)
                self.assertEqual(scene.short("a.example", "A"), ["203.0.113.1"])
                daemon.stop()


    def test_a_router_and_a_server_may_be_link_local(self):
        scene = self.enterContext(Scene("zoned", BUILD))
        net = scene.network
        net.run("appliance", "ip", "address", "add", "fe80::53/64", "dev", "eth0", "nodad")
        net.run("router", "ip", "address", "add", "fe80::99/64", "dev", "dns0", "nodad")
        rossim = str(scene.build / "tools/rossim/rossim")
        net.start("router", "rossim", rossim, "--address", "fe80::99%dns0", "--port", "8728",
                  "--user", f"{USER}:{PASSWORD}").wait_for("port 8728")
        config = scene.folder / "zoned.yaml"
        config.write_text(ZONED.format(user=USER, password=PASSWORD))
        daemon = scene.start_daemon(config)
        for words in ((), ("+tcp",)):
            self.assertEqual(scene.short("-p", "5353", "a.example", "A", *words, server="fe80::53%dns0", space="router"),
                             ["192.0.2.9"])
        daemon.wait_for("router [fe80::99%eth0]:8728 (rossim")
        until(lambda: scene.reported("routers")["routers"][0]["rows"] == 1, 10, "the row is written")


ZONED = """
plugins:
  - tag: list
    type: ros_address_list
    args: {{ address: "[fe80::99%eth0]:8728", username: {user}, password: {password}, address_list4: zoned }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $list }}, {{ exec: "black_hole 192.0.2.9 short_circuit" }} ] }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: "[fe80::53%eth0]:5353" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: "[fe80::53%eth0]:5353" }} }}
"""

# Answers with its own address.
ITSELF = r"""
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((sys.argv[1], 53)); print('ready', flush=True)
while True:
    q, who = s.recvfrom(4096)
    end = q.index(b'\0', 12) + 5
    s.sendto(q[:2] + b'\x81\x80\0\1\0\1\0\0\0\0' + q[12:end] + b'\xc0\x0c\0\1\0\1\0\0\0\0\0\4' + socket.inet_aton(sys.argv[1]), who)
"""


class Order(unittest.TestCase):
    """`policy: order`: the first that lives, and back on it within 3 s after its return."""

    def test_the_first_is_used_again_after_its_return(self):
        scene = self.enterContext(Scene("order", BUILD))
        scene.network.address("resolver", "lo", "1.1.1.11/32")
        scene.network.route("router", "1.1.1.11/32", "via", "1.1.1.1")

        def start(name, address):
            process = scene.network.start("resolver", name, "/usr/bin/python3", "-c", ITSELF, address)
            process.wait_for("ready")
            return process

        first = start("first", "1.1.1.1")
        start("second", "1.1.1.11")
        config = scene.folder / "order.yaml"
        upstreams = '{ addr: "1.1.1.1", timeout: 1s }, { addr: "1.1.1.11", timeout: 1s }'
        config.write_text(CONFIG.format(upstreams=upstreams).replace("args:\n      upstreams", "args:\n      policy: order\n      upstreams"))
        scene.start_daemon(config)
        asked = iter(range(100_000))

        def ask():
            return scene.short(f"n{next(asked)}.example", "A")

        for _ in range(5):
            self.assertEqual(ask(), ["1.1.1.1"])
        # A signal that it cannot answer: no ICMP error ends the wait.
        first.send_signal(signal.SIGSTOP)
        for _ in range(20):
            self.assertEqual(ask(), ["1.1.1.11"])
        first.send_signal(signal.SIGCONT)
        until(lambda: ask() == ["1.1.1.1"], 3, "the first upstream is asked again")
        first.stop()
        until(lambda: ask() == ["1.1.1.11"], 3, "the second is asked")
        for _ in range(10):
            self.assertEqual(ask(), ["1.1.1.11"])
        start("again", "1.1.1.1")
        until(lambda: ask() == ["1.1.1.1"], 3, "the first upstream is asked again")


if __name__ == "__main__":
    unittest.main(verbosity=2)
