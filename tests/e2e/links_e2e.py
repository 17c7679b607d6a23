"""The interface of a port flaps, changes its MTU and its queues, is deleted and made again: the daemon serves afterwards, with
its filters of system calls on and nothing denied. One port of the kind that the command line names, as in packets_e2e.py.

usage: links_e2e.py BUILD KIND [unittest's words]
"""

from __future__ import annotations

import json
import pathlib
import socket
import time
import unittest

from lab.network import Network, until
from packet_place import dns_query
from packets_e2e import BUILD, KIND, KINDS, SIDES, Lab

KERNELS = KIND in ("af_packet", "af_packet_2", "af_xdp", "socket")  # the kernel keeps the interface
ROUNDS = 3
BACK_S = 1.0  # at most from the return of an interface to an answer, in the best of some rounds
SPINS = 0.5  # the share of a core


class Links(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(self.enterContext(Network(f"links-{KIND}")))
        self.net = self.lab.network
        self.place = KINDS[KIND](self.lab)
        self.addCleanup(self.place.close)
        self.name = 0
        self.answers_again("it serves")

    def answers(self, seconds: float = 0.2) -> bool:
        """A name that no cache has, so the upstream is asked, too."""
        self.name += 1
        with self.net.socket("client", socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(seconds)
            try:
                sock.sendto(dns_query(f"{self.name}.host.example"), (SIDES[0].ours, 53))
                return len(sock.recv(65536)) > 12
            except OSError:  # the client's link may be down
                return False

    def answers_again(self, what: str) -> float:
        start = time.monotonic()
        until(self.answers, 10, what, pause=0.02)
        return time.monotonic() - start

    def nothing_is_denied_and_no_worker_spins(self):
        self.assertEqual(json.loads(self.lab.counters("--json"))["denied_calls"], [])
        self.assertNotIn("denied", self.daemon_text())
        stat = pathlib.Path(f"/proc/{self.net.pid('appliance', 'steerdnsd')}/stat")

        def ticks():
            return sum(int(n) for n in stat.read_text().rsplit(")", 1)[1].split()[11:13])

        shares = []
        for _ in range(3):
            first, start = ticks(), time.monotonic()
            time.sleep(1)  # what is measured is time
            shares.append((ticks() - first) / 100 / (time.monotonic() - start))
        self.assertLess(min(shares), SPINS)

    def daemon_text(self):
        return self.lab.process.text()

    def set_link(self, *words, check=True):
        for space in ("appliance", "client") if KERNELS else ("client",):
            self.net.run(space, "ip", "link", "set", self.place.device, *words, check=check)

    def test_a_flap_and_another_mtu_end_nothing(self):
        for _ in range(ROUNDS):
            self.set_link("down")
            self.set_link("up")
            self.answers_again("after a flap")
        self.set_link("mtu", "1400")
        self.answers_again("with a smaller MTU")
        self.set_link("mtu", "1500")
        self.answers_again("with the MTU of before")
        self.nothing_is_denied_and_no_worker_spins()

    @unittest.skipUnless(KERNELS, "the interface is not the kernel's")
    def test_an_interface_that_is_made_again_is_served(self):
        fastest = 10.0
        for round_ in range(ROUNDS):
            self.net.run("appliance", "ip", "link", "del", "eth0")
            if KIND != "socket":
                until(lambda: self.daemon_text().count("eth0 was removed: ") == round_ + 1, 10, "it says so")
            self.lab.veth()
            self.lab.client_addresses()
            fastest = min(fastest, self.answers_again("it is back"))
        print(f"  served again {fastest:.2f} s after it was back")
        self.assertLess(fastest, BACK_S)
        self.nothing_is_denied_and_no_worker_spins()

    @unittest.skipUnless(KIND.startswith("af_packet"), "the driver has the queues of the device")
    def test_other_queues_of_the_device_end_nothing(self):
        self.net.run("appliance", "ip", "link", "del", "eth0")
        self.lab.veth(queues=2)
        self.lab.client_addresses()
        self.answers_again("with two queues")
        self.net.run("appliance", "ethtool", "-L", "eth0", "rx", "1", "tx", "1")
        self.answers_again("with one queue")
        self.nothing_is_denied_and_no_worker_spins()


if __name__ == "__main__":
    unittest.main(verbosity=2)
