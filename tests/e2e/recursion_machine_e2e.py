"""`type: recursion` and the machine that it runs on: its ports, its addresses, what it misses there, and who else uses it."""

import os
import signal
import socket
import struct
import sys
import time
import unittest

from lab.dns_tree import ADDRESS
from lab.network import skip_without, until
from lab.recursion import FIRST_PORT, OPTION, PROGRAMS, RecursionScene

BUILD = sys.argv.pop(1)
SHARE = f"""
import os, socket, sys
os.setuid(int(sys.argv[1]))
for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, option, 1)
    try:
        one.bind(("127.0.0.1", {FIRST_PORT}))
        print("shared")
    except OSError as error:
        print(error.errno)
"""


def query(name: str) -> bytes:
    """For A, as TCP has it."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    message = struct.pack("!6H", 1, 0x100, 1, 0, 0, 0) + labels + struct.pack("!2H", 1, 1)
    return struct.pack("!H", len(message)) + message


class Machine(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(RecursionScene("recursion", BUILD))

    def test_no_other_user_can_share_its_port(self):
        self.scene.start_recursion()
        for user in ("0", "4711"):
            shared = self.scene.network.run("appliance", "/usr/bin/python3", "-c", SHARE, user).stdout.split()
            self.assertEqual(shared, ["98", "98"], f"as user {user}")  # EADDRINUSE

    def test_it_starts_again_at_once_beside_its_old_connections(self):
        self.scene.start_recursion()
        with self.scene.network.inside("appliance"):
            peer = socket.create_connection(("127.0.0.1", FIRST_PORT), 5)
        with peer:
            peer.sendall(query("www.good.example"))
            self.assertGreater(len(peer.recv(4096)), 12)
            for _ in range(2):
                pid = self.scene.instances()[0]["pid"]
                os.kill(pid, signal.SIGKILL)
                begin = time.monotonic()
                until(lambda old=pid: self.scene.are_up() and self.scene.instances()[0]["pid"] != old, 5, "it is up again")
                print(f"up again after {time.monotonic() - begin:.2f} s", flush=True)
                if self.scene.instances()[0]["restarts"] == 1:
                    self.assertLess(time.monotonic() - begin, 1)
                peer.close()  # the port has a connection in TIME_WAIT then
        self.assertEqual(self.scene.answer("www.good.example").status, "NOERROR")

    def test_it_waits_for_the_addresses_of_its_interface(self):
        self.scene.write(keys=", outgoing: { interface: up0 }")
        self.scene.start_daemon(self.scene.config)
        until(lambda: any("interface up0 of 'outgoing' has no address" in text for text in self.scene.problems()), 10, "it is a problem")
        self.assertEqual(self.scene.answer("www.good.example").status, "SERVFAIL")
        network = self.scene.network
        network.link(("appliance", "up0"), ("router", "up1"))
        network.address("appliance", "up0", "172.16.9.9/32")
        network.route("router", "172.16.9.9/32", "via", "172.16.1.2")
        until(self.scene.are_up, 30, "it has an address")
        self.assertEqual(self.scene.problems(), [])
        written = (self.scene.folder / "engine/0/unbound.conf").read_text()
        self.assertIn("outgoing-interface: 172.16.9.9\n", written)
        network.run("appliance", "ip", "link", "set", "up0", "down")
        until(lambda: not self.scene.are_up(), 30, "it does not use other addresses")

    def test_dns64_translates_what_is_valid_only(self):
        self.scene.start_recursion(between='{ exec: "dns64 2001:db8:64::/96" },')
        made = "2001:db8:64::c633:641f"  # of ADDRESS
        self.assertEqual(ADDRESS, "198.51.100.31")
        as_ipv6_client = {"kind": "AAAA", "server": "fd16::2"}
        for words in ((), ("+nodnssec",)):
            one = self.scene.answer("www.good.example", *words, **as_ipv6_client)
            self.assertEqual((one.status, one.is_authenticated), ("NOERROR", False), one.text)
            self.assertIn(made, one.text)
        # A client that validates by itself gets what there is: nothing (RFC 6147, 5.5).
        one = self.scene.answer("www.good.example", "+cdflag", **as_ipv6_client)
        self.assertEqual(one.status, "NOERROR", one.text)
        self.assertNotIn(made, one.text)
        self.assertIn("NSEC", one.text)
        one = self.scene.answer("www.expired.example", **as_ipv6_client)
        self.assertEqual(one.status, "SERVFAIL", one.text)
        self.assertTrue(set(one.codes) & {6, 7}, one.text)
        self.assertIn(made, self.scene.answer("www.unsigned.example", **as_ipv6_client).text)

    def test_servers_of_the_root_that_are_silent_are_a_problem(self):
        self.scene.start_recursion(keys=", extra: [ 'infra-host-ttl: 1' ]")
        self.assertEqual(self.scene.answer("www.good.example").status, "NOERROR")
        self.assertEqual(self.scene.problems(), [])
        self.scene.servers.stop()
        self.assertEqual(self.scene.answer("www.any.nowhere", "+timeout=12").status, "SERVFAIL")
        until(lambda: any("no server of the root answers" in text for text in self.scene.problems()), 30, "it is a problem")
        self.assertEqual(self.scene.answer("www.good.example").status, "NOERROR")

    def test_an_address_without_a_way_out_is_a_problem(self):
        self.scene.network.address("appliance", "lo", "2001:db8::5/128")
        self.scene.network.run("appliance", "ip", "-6", "route", "del", "default")
        self.scene.start_recursion()
        until(lambda: any("IPv6 address and no route" in text for text in self.scene.problems()), 20, "it is a problem")


if __name__ == "__main__":
    skip_without(PROGRAMS, OPTION)
    unittest.main(verbosity=2)
