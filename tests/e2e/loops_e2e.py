"""Forwarding loops end, and equal questions from an upstream's own address are answered.

Routers are stand-ins in the lab's router, each on an address of its own; the other SteerDNS runs where the resolver is.
"""

import collections
import concurrent.futures
import contextlib
import socket
import struct
import sys
import threading
import time
import unittest

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from lab.certificates import Authority
from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
US = "172.16.1.2"
KEEPS, LOWERS, LOCAL, ZONE, TWO, OWNER = (f"172.16.1.{number}" for number in range(11, 17))
ADDRESS = "203.0.113.1"
# Without a proof, a question of a loop ends after 5 s.
LOOP_ENDS_S = 2.5
CONFIG = "dataplane: {{ allow: [0.0.0.0/0] }}\npolicy: {{ resolve_special: all }}\nplugins:\n{plugins}" \
    "  - {{ tag: main, type: sequence, args: [ {rules}{{ exec: {last} }} ] }}\n"


def answer(query, address=ADDRESS):
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", address))
    return reply


def failure(query, rcode):
    reply = dns.message.make_response(query)
    reply.set_rcode(rcode)
    return reply


def lower(query):
    asked = dns.message.from_wire(query.to_wire())
    asked.question[0].name = asked.question[0].name.canonicalize()
    return asked


class Server(threading.Thread):
    """A name server in a namespace: `serve(query, asker)` gives the reply, or nothing."""

    def __init__(self, scene, space, address, serve, port=53):
        super().__init__(daemon=True)
        self.scene, self.space, self.address, self.serve = scene, space, address, serve
        self.names = collections.Counter()
        self.socket = scene.network.socket(space, socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind((address, port))
        self.workers = concurrent.futures.ThreadPoolExecutor(200)

    def run(self):
        while True:
            try:
                wire, asker = self.socket.recvfrom(4096)
            except OSError:
                return
            self.workers.submit(self.handle, wire, asker)

    def handle(self, wire, asker):
        query = dns.message.from_wire(wire)
        query.use_edns(False)  # its cookies are not for others
        self.names[query.question[0].name.to_text().lower()] += 1
        reply = self.serve(query)
        if reply is not None:
            reply.id = query.id
            reply.question = query.question  # in its case
            with contextlib.suppress(OSError):
                self.socket.sendto(reply.to_wire(), asker)

    def forward(self, query, to=US, over_tcp=False):
        """Asks from this address; SERVFAIL after 6 s."""
        with self.scene.network.socket(self.space, socket.AF_INET, socket.SOCK_STREAM if over_tcp else socket.SOCK_DGRAM) as upward:
            upward.settimeout(6)
            upward.bind((self.address, 0))
            try:
                upward.connect((to, 53))
                wire = query.to_wire()
                if over_tcp:
                    upward.sendall(struct.pack("!H", len(wire)) + wire)
                    return dns.message.from_wire(upward.recv(4096)[2:])
                upward.send(wire)
                return dns.message.from_wire(upward.recv(4096))
            except OSError:
                return failure(query, dns.rcode.SERVFAIL)


class Asker:
    """Asks many questions at a time over UDP, from one namespace."""

    def __init__(self, scene, space="client", server=US):
        self.socket = scene.network.socket(space, socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.connect((server, 53))

    def ask(self, names, seconds=20):
        """The response code and the time of each answer, by the number of the question."""
        began, answers = {}, {}
        for ident, name in enumerate(names):
            query = dns.message.make_query(name, "A")
            query.id = ident
            began[ident] = time.monotonic()
            self.socket.send(query.to_wire())
        self.socket.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            while len(answers) < len(names):
                reply = dns.message.from_wire(self.socket.recv(4096))
                answers[reply.id] = (dns.rcode.to_text(reply.rcode()), time.monotonic() - began[reply.id])
        return answers

    def close(self):
        self.socket.close()


class Case(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("loops", BUILD))
        for address in (KEEPS, LOWERS, LOCAL, ZONE, TWO, OWNER):
            self.scene.network.address("router", "dns0", f"{address}/24")

    def server(self, *words, **facts):
        server = Server(self.scene, *words, **facts)
        server.start()
        self.addCleanup(server.socket.close)
        return server

    def asker(self, **facts):
        asker = Asker(self.scene, **facts)
        self.addCleanup(asker.close)
        return asker

    def write(self, name, last, rules=(), plugins=""):
        """`rules`: the upstream of each domain; `last`: that of all others, or an executor."""
        last = last if last.startswith("$") else f"forward {last}"
        path = self.scene.folder / name
        path.write_text(CONFIG.format(last=last, plugins=plugins, rules="".join(
            f'{{ matches: "qname {domain}", exec: forward {to} }}, ' for domain, to in rules)))
        return path

    def assert_ended(self, answers, count):
        self.assertEqual(collections.Counter(rcode for rcode, _ in answers.values()), {"SERVFAIL": count})
        self.assertLess(max(seconds for _, seconds in answers.values()), LOOP_ENDS_S)

    def proved(self):
        return self.scene.total("stats", "loops_proved")


class Loops(Case):
    def test_a_loop_of_a_router_ends_from_the_first_name_on(self):
        routers = {"keeps": (KEEPS, lambda query: keeps.forward(query)),
                   "lowers": (LOWERS, lambda query: lowers.forward(lower(query), over_tcp=True)),
                   "local": (LOCAL, lambda query: failure(query, dns.rcode.NXDOMAIN)
                             if query.question[0].name.to_text().lower().endswith((".test.", ".invalid.")) else local.forward(query))}
        keeps, lowers, local = (self.server("router", address, serve) for address, serve in routers.values())
        self.scene.start_daemon(self.write("loops.yaml", KEEPS, [(f"{name}.example", to) for name, (to, _) in routers.items()]))
        client = self.asker()
        for name in routers:
            with self.subTest(name):
                self.assert_ended(client.ask([f"first.{name}.example"]), 1)
                self.assert_ended(client.ask([f"n{i}.{name}.example" for i in range(100)]), 100)
        until(lambda: "forwarding loop" in self.scene.steerctl("status"), 10, "a problem names the loop")

    def test_a_hundred_first_names_end_together(self):
        router = self.server("router", KEEPS, lambda query: router.forward(query))
        self.scene.start_daemon(self.write("loops.yaml", KEEPS))
        self.assert_ended(self.asker().ask([f"n{i}.d{i}.example" for i in range(100)]), 100)

    def test_a_router_that_forwards_one_zone_loops_for_that_zone_alone(self):
        def serve(query):
            name = query.question[0].name.to_text().lower()
            return router.forward(query) if name.endswith(".home.example.") else answer(query)
        router = self.server("router", ZONE, serve)
        self.scene.start_daemon(self.write("loops.yaml", ZONE))
        client = self.asker()
        for host in ("nas", "tv"):
            self.assert_ended(client.ask([f"{host}.home.example"]), 1)
        answers = client.ask([f"n{i}.example" for i in range(100)])
        self.assertEqual(collections.Counter(rcode for rcode, _ in answers.values()), {"NOERROR": 100})

    def test_two_of_us_in_a_circle_end(self):
        other = self.write("other.yaml", US)
        socket_path = self.scene.folder / "other.sock"
        process = self.scene.network.start("resolver", "other", f"{BUILD}/steerdnsd", "--config", str(other), "--control-socket", str(socket_path))
        process.wait_for("serving")
        self.scene.start_daemon(self.write("loops.yaml", "1.1.1.1"))
        client = self.asker()
        self.assert_ended(client.ask(["first.example"]), 1)
        self.assert_ended(client.ask([f"n{i}.example" for i in range(100)]), 100)

    def test_the_next_upstream_answers_what_comes_back(self):
        router = self.server("router", KEEPS, lambda query: router.forward(query))
        self.server("router", ZONE, answer)
        self.scene.start_daemon(self.write(
            "loops.yaml", "$both", plugins=f"  - {{ tag: both, type: forward, args: {{ policy: order, upstreams: "
            f"[ {{ addr: {KEEPS} }}, {{ addr: {ZONE} }} ] }} }}\n"))
        answers = self.asker().ask([f"n{i}.example" for i in range(100)])
        self.assertEqual({rcode for rcode, _ in answers.values()}, {"NOERROR"})


class Lawful(Case):
    def test_an_upstream_that_asks_another_server_too_answers_all(self):
        self.server("router", ZONE, lambda query: failure(query, dns.rcode.NXDOMAIN)
                    if len(query.question[0].name.labels[0]) == 32 else answer(query))
        process = self.scene.network.start(
            "router", "dnsmasq", "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--user=root",
            "--pid-file=", "--bind-interfaces", f"--listen-address={TWO}", "--all-servers", "--cache-size=0", "--dns-forward-max=1000",
            f"--server={US}@{TWO}", f"--server={ZONE}")
        self.addCleanup(process.stop)
        self.scene.start_daemon(self.write("loops.yaml", TWO))
        answers = self.asker().ask([f"n{i}.example" for i in range(100)])
        self.assertEqual(collections.Counter(rcode for rcode, _ in answers.values()), {"NOERROR": 100})
        self.assertEqual(self.proved(), 0)

    def test_an_owner_that_returns_a_label_takes_no_other_name_away(self):
        """The upstream is lawful; its clients share its address. The owner sends each label below its name to us."""
        def serve(query):
            name = query.question[0].name
            if len(name.labels[0]) == 32:
                if not name.to_text().endswith(".owner.example."):
                    return failure(query, dns.rcode.NXDOMAIN)
                owner.forward(query)
                return None
            time.sleep(0.7 if name.to_text().lower().endswith(".owner.example.") else 0.2)
            return answer(query)
        owner = self.server("router", OWNER, lambda query: None)
        self.server("router", ZONE, serve)
        self.scene.start_daemon(self.write("loops.yaml", ZONE))
        near = self.asker(space="router")
        near.socket.close()
        near.socket = self.scene.network.socket("router", socket.AF_INET, socket.SOCK_DGRAM)
        near.socket.bind((ZONE, 0))
        near.socket.connect((US, 53))
        near.ask(["www.owner.example"] * 10)
        self.assertEqual(self.proved(), 1)
        answers = near.ask([name for name in ("www.other.example", "owner.example", "mail.owner.example") for _ in range(30)])
        self.assertEqual(collections.Counter(rcode for rcode, _ in answers.values()), {"NOERROR": 90})

    def test_a_thousand_equal_questions_of_this_machine_are_answered(self):
        """For each transport, by an upstream on the same address that takes 3 s."""
        def serve(query):
            time.sleep(3)
            return answer(query)
        self.server("appliance", "127.0.0.1", serve, port=5335)
        certificate = Authority(self.scene.folder).issue("server", "DNS:dns.lab.example", "IP:127.0.0.1")
        path = self.scene.folder / "slow.yaml"
        path.write_text("plugins:\n"
                        "  - { tag: slow, type: forward, args: { total_timeout: 20s, upstreams: [ { addr: '127.0.0.1:5335', timeout: 10s } ] } }\n"
                        "  - { tag: main, type: sequence, args: [ { exec: $slow } ] }\n"
                        "  - { tag: u, type: udp_server, args: { entry: main, listen: '127.0.0.1:53' } }\n"
                        "  - { tag: t, type: tcp_server, args: { entry: main, listen: '127.0.0.1:53' } }\n" + "".join(
                            f"  - {{ tag: {tag}, type: {kind}, args: {{ listen: '127.0.0.1:{port}', cert: '{certificate.pem}', key: '{certificate.key}', {more} }} }}\n"
                            for tag, kind, port, more in (("d", "tcp_server", 853, "entry: main"), ("q", "quic_server", 853, "entry: main"),
                                                          ("h", "http_server", 443, "entries: [ { path: /dns-query, exec: main } ]"))))
        self.scene.folder.chmod(0o755)
        self.scene.start_daemon(path)
        answers = self.asker(space="appliance", server="127.0.0.1").ask(["udp.slow.example"] * 1000, 30)
        self.assertEqual(collections.Counter(rcode for rcode, _ in answers.values()), {"NOERROR": 1000})
        for transport, options in (("tcp", ()), ("dot", ("+tls",)), ("quic", ("+quic",)), ("https", ("+https",))):
            with self.subTest(transport), concurrent.futures.ThreadPoolExecutor(20) as pool:
                runs = [pool.submit(self.scene.kdig, "+short", "+tcp" if not options else "+retry=0", *options, f"{transport}.slow.example",
                                    server="127.0.0.1", space="appliance") for _ in range(20)]
                self.assertEqual([run.result().split() for run in runs], [[ADDRESS]] * 20)
        self.assertEqual(self.proved(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
