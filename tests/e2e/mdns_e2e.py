"""The mDNS repeater between networks, with real packets: both ways, both families, services, interfaces that come and go,
one-shot queries, and a second repeater on the same links."""

import json
import socket
import struct
import sys
import time
import unittest

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

from lab.network import until
from lab.scene import Scene

BUILD = sys.argv.pop(1)
GROUPS = {4: "224.0.0.251", 6: "ff02::fb"}
QU = 0x8000
IP_RECVTTL = 12  # linux/in.h
# Each is a bridge in a namespace of its own, with a host on it: the bridge itself.
NETWORKS = {"office": "10.1.0", "guests": "10.2.0"}

CONFIG = """
dataplane: {{ ports: [ {{ device: {port}, driver: socket }} ] }}
{mdns}
plugins:
  - {{ tag: main, type: sequence, args: [ {{ exec: reject }} ] }}
"""


class Host:
    """A host on a network that speaks mDNS."""

    def __init__(self, scene, space, device, family, address, port=5353):
        self.family, self.address = family, address
        self.index = int(scene.network.run(space, "cat", f"/sys/class/net/{device}/ifindex").stdout)
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        self.socket = s = scene.network.socket(space, kind, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == 4:
            member = socket.inet_aton(GROUPS[4]) + struct.pack("=4si", b"\0" * 4, self.index)
            s.bind(("", port))
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, member)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
            s.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
            if port == 5353:
                s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        else:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind(("::", port))
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self.index)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            if port == 5353:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                             socket.inet_pton(socket.AF_INET6, GROUPS[6]) + struct.pack("=I", self.index))
        self.hops(255)

    def hops(self, number):
        if self.family == 4:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, number)
        else:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, number)

    def say(self, message):
        data = message if isinstance(message, bytes) else message.to_wire()
        to = (GROUPS[4], 5353) if self.family == 4 else (GROUPS[6], 5353, 0, self.index)
        self.socket.sendto(data, to)

    def hear(self, seconds=15.0):
        """(message, sender's address, port, hop limit); None: nothing came."""
        self.socket.settimeout(seconds)
        try:
            data, parts, _, sender = self.socket.recvmsg(9000, 256)
        except TimeoutError:
            return None
        hops = struct.unpack("=i", parts[0][2])[0]
        return dns.message.from_wire(data), sender[0].split("%")[0], sender[1], hops

    def silent(self, seconds=0.5):
        return self.hear(seconds) is None


def question(name, kind, unicast=False, number=0):
    message = dns.message.make_query(name, kind, id=number, flags=0)
    message.question[0].rdclass = (QU if unicast else 0) | 1
    return message


def response(*records):
    """Each: (owner, TTL, type, data)."""
    message = dns.message.Message(id=0)
    message.flags = dns.flags.QR | dns.flags.AA
    for owner, ttl, kind, data in records:
        message.answer.append(dns.rrset.from_text(owner, ttl, "IN", kind, data))
    return message


def printer(network, service="_ipp._tcp"):
    host = f"laser.{network}.local."
    return response((f"{service}.local.", 4500, "PTR", f"Laser.{service}.local."),
                    (f"Laser.{service}.local.", 120, "SRV", f"0 0 631 {host}"), (host, 120, "A", "10.1.0.10"),
                    (host, 120, "AAAA", "fd01::10"), (host, 120, "AAAA", "fe80::10"))


class Mdns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scene = cls.scene = cls.enterClassContext(Scene("mdns", BUILD))
        net = cls.net = scene.network
        for name, prefix in NETWORKS.items():
            net.namespace(name)
            net.run(name, "ip", "link", "add", "br0", "type", "bridge")
            net.run(name, "ip", "link", "set", "br0", "up")
            net.address(name, "br0", f"{prefix}.10/24", f"fd{prefix[3]}0::10/64")
            cls.connect("appliance", name, 1)
        cls.hosts = {name: {f: Host(scene, name, "br0", f, f"{prefix}.10") for f in (4, 6)}
                     for name, prefix in NETWORKS.items()}
        cls.config = scene.folder / "mdns.yaml"
        cls.write("mdns: { repeat_interfaces: [office, guests] }")
        cls.daemon = scene.start_daemon(cls.config)

    @classmethod
    def write(cls, mdns, port="eth0"):
        cls.config.write_text(CONFIG.format(mdns=mdns, port=port))

    @classmethod
    def connect(cls, space, name, last):
        """An interface with the network's name in that namespace."""
        prefix = NETWORKS[name]
        cls.net.link((space, name), (name, f"to{last}"))
        cls.net.run(name, "ip", "link", "set", f"to{last}", "master", "br0")
        cls.net.address(space, name, f"{prefix}.{last}/24", f"fd{prefix[3]}0::{last}/64")

    def setUp(self):
        self.configure("mdns: { repeat_interfaces: [office, guests] }")
        until(self.all_repeat, 10, "both interfaces repeat both families")
        for families in self.hosts.values():
            for host in families.values():
                while host.hear(0.01):
                    pass

    def configure(self, mdns):
        self.write(mdns)
        self.scene.steerctl("reload")

    def status(self, control=None):
        """The repeater's interfaces by name; `control`: the socket of another daemon."""
        program = str(self.scene.build / "tools/steerctl/steerctl")
        reported = self.net.run("appliance", program, "--socket", str(control or self.scene.socket), "--json", "status").stdout
        return {one["name"]: one for one in json.loads(reported).get("mdns", [])}

    def names(self):
        """Names that hosts say of their address: {address: (name, interface)}"""
        rows = self.scene.reported("clients")["clients"]
        return {one["address"]: (one["name"], one["from"]) for one in rows if one["source"] == "mdns"}

    def all_repeat(self, control=None):
        status = self.status(control)
        return len(status) == 2 and all(one["ipv4"] and one["ipv6"] for one in status.values())

    def count(self, name, label):
        return next(one[label] for one in self.scene.counters()["mdns"] if one["name"] == name)

    def own(self, name, family):
        """The appliance's source address of messages to the group."""
        if family == 4:
            return f"{NETWORKS[name]}.1"
        text = self.net.run("appliance", "ip", "-6", "-o", "addr", "show", "dev", name, "scope", "link").stdout
        return text.split()[3].split("/")[0]

    def each_direction(self):
        for here, there in (("office", "guests"), ("guests", "office")):
            for family in (4, 6):
                with self.subTest(here=here, family=family):
                    yield here, there, family, self.hosts[here][family], self.hosts[there][family]

    # -----------------------------------------------------------------------------------------------------

    def test_a_host_that_says_the_name_of_its_address_is_a_client_with_it(self):
        office, guests = self.hosts["office"][4], self.hosts["guests"][4]
        office.say(response(("Leos-iPad.local.", 120, "A", "10.1.0.10")))
        until(lambda: self.names() == {"10.1.0.10": ("Leos-iPad", "office")}, 10, "the host has its name")
        # A host cannot name an address of another host or link.
        guests.say(response(("evil.local.", 120, "A", "10.1.0.10"), ("own.local.", 120, "A", "10.2.0.10")))
        until(lambda: "10.2.0.10" in self.names(), 10, "the packet was read")
        self.assertEqual(self.names(), {"10.1.0.10": ("Leos-iPad", "office"), "10.2.0.10": ("own", "guests")})
        office.say(response(("Leos-iPad.local.", 0, "A", "10.1.0.10")))
        guests.say(response(("own.local.", 0, "A", "10.2.0.10")))
        until(lambda: self.names() == {}, 10, "goodbyes end the names")

    def test_messages_are_repeated_both_ways_in_both_families(self):
        for here, there, family, asker, answerer in self.each_direction():
            asker.say(question(f"_from-{here}._tcp.local.", "PTR", unicast=True, number=9))
            received, sender, port, hops = answerer.hear()
            self.assertEqual((sender, port, hops), (self.own(there, family), 5353, 255))
            self.assertEqual(received.to_wire(), question(f"_from-{here}._tcp.local.", "PTR").to_wire())
            answerer.say(printer(there))
            received, sender, port, hops = asker.hear()
            self.assertEqual((sender, port, hops), (self.own(here, family), 5353, 255))
            text = received.to_text()
            self.assertIn(f"laser.{there}.local. 120 IN A 10.1.0.10", text)
            self.assertIn("AAAA fd01::10", text)
            self.assertNotIn("fe80::10", text, "of no use on another link")
            self.assertTrue(asker.silent(0.2) and answerer.silent(0.2))
            self.assertTrue(self.hosts[there][10 - family].silent(0.05), "not in the other family")

    def test_malformed_and_off_link_messages_are_counted_and_not_repeated(self):
        host, other = self.hosts["office"][4], self.hosts["guests"][4]
        for label, data, hops in (("hop_limit", question("a.local.", "A").to_wire(), 64),
                                  ("malformed", b"\0" * 5, 255), ("malformed", question("a.local.", "A").to_wire()[:-1], 255)):
            before = self.count("office", label)
            host.hops(hops)
            host.say(data)
            host.hops(255)
            until(lambda: self.count("office", label) > before, 5, f"{label} is counted")
        self.net.address("office", "br0", "10.99.0.1/24")
        stray = Host(self.scene, "office", "br0", 4, "10.99.0.1")
        stray.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.99.0.1"))
        before = self.count("office", "off_link")
        stray.say(question("a.local.", "A"))
        until(lambda: self.count("office", "off_link") > before, 5, "a stranger is counted")
        self.net.run("office", "ip", "address", "del", "10.99.0.1/24", "dev", "br0")
        stray.socket.close()
        self.assertTrue(other.silent())

    def test_only_configured_services_are_repeated(self):
        self.configure("mdns: { repeat_interfaces: [office, guests], services: [_IPP._tcp], families: [6] }")
        self.assertEqual({(one["ipv4"], one["ipv6"]) for one in self.status().values()}, {(False, True)})
        host, other = self.hosts["office"][6], self.hosts["guests"][6]
        before = self.count("guests", "filtered")
        other.say(question("laser.office.local.", "AAAA"))
        other.say(question("_ssh._tcp.local.", "PTR"))
        other.say(question("_ipp._tcp.local.", "PTR"))
        received = host.hear()[0]
        self.assertEqual(received.question[0].to_text(), "_ipp._tcp.local. IN PTR")
        mixed = printer("office")
        mixed.answer += printer("attic", "_ssh._tcp").answer
        host.say(mixed)
        text = other.hear()[0].to_text()
        self.assertIn("laser.office.local.", text)
        self.assertNotIn("ssh", text)
        self.assertNotIn("attic", text)
        # Its host is known now.
        other.say(question("laser.office.local.", "AAAA"))
        self.assertEqual(host.hear()[0].question[0].to_text(), "laser.office.local. IN AAAA")
        self.hosts["guests"][4].say(question("_ipp._tcp.local.", "PTR"))
        self.assertTrue(self.hosts["office"][4].silent())
        self.assertEqual(self.count("guests", "filtered"), before + 2)
        metrics = self.net.run("appliance", "curl", "-sS", "http://127.0.0.1:9153/metrics").stdout
        self.assertIn('steerdns_mdns_repeating{interface="office",family="4"} 0\n', metrics)
        self.assertRegex(metrics, rf'steerdns_mdns_filtered_total{{interface="guests"}} {before + 2}\n')

    def test_one_shot_queries_are_answered_by_unicast(self):
        """A query from another port than 5353, with the kernel's TTL, gets its answer as from a DNS server."""
        for here, there, family, _, answerer in self.each_direction():
            asker = Host(self.scene, here, "br0", family, "", port=0)
            asker.hops(1)
            name = f"laser{family}.{here}.local."
            asker.say(dns.message.make_query(name, "A", id=4711, use_edns=0))
            received = answerer.hear()[0]
            self.assertEqual(received.to_wire(), question(name, "A").to_wire())
            answerer.say(response((name, 120, "A", "10.9.9.9")))
            received, sender, port, hops = asker.hear()
            self.assertEqual((port, hops), (5353, 255))
            self.assertEqual(sender, self.own(here, family))
            self.assertEqual(received.id, 4711)
            self.assertEqual([r.to_text() for r in received.answer], [f"{name} 10 IN A 10.9.9.9"])
            asker.socket.close()
            while self.hosts[here][family].hear(0.05):
                pass

    def test_a_removed_interface_is_reported_and_repeats_again_when_it_is_back(self):
        host, other = self.hosts["office"][4], self.hosts["guests"][4]
        self.net.run("appliance", "ip", "address", "flush", "dev", "guests", "scope", "global")
        until(lambda: self.status()["guests"]["trouble"] == "guests has no IPv4 address", 5, "it is said")
        self.net.run("appliance", "ip", "link", "del", "guests")
        until(lambda: self.status()["guests"]["trouble"] == "guests does not exist", 5, "it is said")
        self.assertIn("mdns: guests does not exist", self.daemon.text())
        self.assertIn("guests: guests does not exist", self.scene.steerctl("status"))
        host.say(question("a.local.", "A"))
        self.assertTrue(other.silent(0.2))
        self.connect("appliance", "guests", 1)
        until(self.all_repeat, 5, "it is back")
        until(lambda: (host.say(question(f"b{time.monotonic_ns()}.local.", "A")), other.hear(0.2))[1], 5, "it repeats again")

    def test_a_reload_without_mdns_ends_the_repeater(self):
        self.configure("")
        self.assertEqual(self.status(), {})
        self.hosts["office"][4].say(question("a.local.", "A"))
        self.assertTrue(self.hosts["guests"][4].silent())
        self.assertNotIn("5353", self.net.run("appliance", "ss", "-Hunl").stdout)

    def test_two_repeaters_on_the_same_links_do_not_loop(self):
        """Each repeats a host's message once, and does not repeat the messages of the other."""
        self.net.namespace("second")
        for name in NETWORKS:
            self.connect("second", name, 2)
        config = self.scene.folder / "second.yaml"
        config.write_text(CONFIG.format(mdns="mdns: { repeat_interfaces: [office, guests] }", port="office"))
        control = self.scene.folder / "second.sock"
        second = self.net.start("second", "second", str(self.scene.build / "steerdnsd"), "--config", str(config),
                                "--control-socket", str(control))
        second.wait_for("serving", 40)
        until(lambda: self.all_repeat(control), 10, "the second repeats both families on both interfaces")
        received = 0
        for family in (4, 6):
            host, other = self.hosts["office"][family], self.hosts["guests"][family]
            messages = 0
            for number in range(3):  # a probe (RFC 6762 8.1); the next one follows after 250 ms of silence
                host.say(question(f"new{family}.local.", "ANY", unicast=True))
                while other.hear(0.25):
                    messages += 1
            self.assertGreaterEqual(messages, 3)
            self.assertLessEqual(messages, 6)
            back = 0
            while host.hear(0.2):
                back += 1
            self.assertLessEqual(back, 3)
            received += messages
        print(f"  {received} packets of 6 arrived by two repeaters")
        self.assertEqual(second.stop(), 0)
        self.net.run("second", "ip", "link", "del", "office")
        self.net.run("second", "ip", "link", "del", "guests")

    def test_a_responder_of_this_host_keeps_its_traffic(self):
        """It shares port 5353, and gets what is sent to it by unicast."""
        responder = Host(self.scene, "appliance", "office", 4, "10.1.0.1")
        host = self.hosts["office"][4]
        host.say(question("both.local.", "A"))
        self.assertIsNotNone(self.hosts["guests"][4].hear())
        self.assertIsNotNone(responder.hear())
        host.socket.sendto(response(("x.local.", 9, "A", "10.1.0.10")).to_wire(), ("10.1.0.1", 5353))
        self.assertEqual(responder.hear()[0].answer[0].name.to_text(), "x.local.")
        # This host's responder announces on each link itself, so its announcements are not repeated.
        before = self.count("guests", "sent")
        responder.say(response(("mine.local.", 9, "A", "10.1.0.1")))
        self.assertIsNotNone(host.hear())
        self.assertTrue(self.hosts["guests"][4].silent(0.3))
        self.assertEqual(self.count("guests", "sent"), before)
        responder.socket.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
