"""The kernel's share of a port that it does not see, by each way that frames can take to it.

    outside 10.88.0.2, fd88::2 ── vt0 ══ 10.88.0.1, fd88::1 (pci, two queues by RSS; the kernel's side is steer0)

usage: kernel_side_vm.py BUILD (the folder with the guest's build in vm/)
"""

import hashlib
import os
import pathlib
import socket
import sys
import threading
import time
import unittest

from lab.network import LabError, Network, until

from appliance import V4, V6, Appliance, Outside
from machine import Machine, prepared

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
EDGE = {"edge.stream.example.", "node.stream.example.", "203.0.113.31"}
PORT = (f"{{ workers: 2, ports: [{{ pci: '0000:00:03.0', addresses: [{V4}/24, '{V6}/64'], "
        "exception_rates: { tcp: 100000000 }%s }] }")
STREAM = os.urandom(1 << 20) * 4
ECHO = """
import socket, threading
def serve(c):
    while d := c.recv(65536): c.sendall(d)
s = socket.create_server(("::", 2222), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""


def setUpModule():
    global network, outside, machine
    kernel = prepared(BUILD)
    network = unittest.enterModuleContext(Network("vm"))
    # (QEMU does RSS itself, and when the ring of the queue that it chose is full, it stops reading from the queue that the
    # packet arrived by, until the guest tells of buffers in that one's ring: for ever, where nothing else comes by it. A ring as
    # large as can be is not filled here.)
    outside = Outside(network, queues=2, options=",rss=on,hash=on,rx_queue_size=1024")
    outside.resolver()
    machine = Machine(network, "outside", kernel, BUILD / "vm", [outside.tap], bind=("uio_pci_generic", [outside.tap]))
    machine.run("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")
    machine.write("/run/echo.py", ECHO)
    machine.run("/usr/bin/python3 /run/echo.py >/run/echo.log 2>&1 &")
    until(lambda: "ready" in machine.run("cat /run/echo.log"), 20, "the echo server is ready", 0.2)


def send_and_receive(server: str) -> bytes:
    """What a TCP stream sends back, within a minute."""
    end = time.monotonic() + 60
    with network.socket("outside", socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.settimeout(30)
        sock.connect((server, 2222))
        sender = threading.Thread(target=sock.sendall, args=(STREAM,), daemon=True)
        sender.start()
        back = bytearray()
        try:
            while len(back) < len(STREAM) and time.monotonic() < end and (piece := sock.recv(65536)):
                back += piece
        except TimeoutError:
            pass
        if len(back) < len(STREAM):
            raise LabError(f"{server}: {len(back)} of {len(STREAM)} bytes came back within {60 + time.monotonic() - end:.0f} s")
        sender.join()
        return bytes(back)


class KernelSide(unittest.TestCase):
    def all_of_it(self, how: str, output: str) -> None:
        with Appliance(machine, PORT % how) as appliance:
            self.assertIn(output, appliance.log())
            speeds = []
            for server in (V4, V6):
                self.assertTrue(outside.ping(server, 100))
                self.assertEqual(outside.short("www.stream.example", server=server), EDGE)
                self.assertEqual(outside.short("+tcp", "www.stream.example", server=server), EDGE)
                begun = time.monotonic()
                try:
                    back = send_and_receive(server)
                except LabError:
                    print(appliance.steerctl("counters")["exceptions"])
                    raise
                speeds.append(len(STREAM) / (1 << 20) / (time.monotonic() - begun))
                self.assertEqual(hashlib.sha256(back).digest(), hashlib.sha256(STREAM).digest())
            for up in (False, True):
                machine.set_link(outside.tap, up)
                until(lambda: machine.run("cat /sys/class/net/steer0/carrier").strip() == str(int(up)), 10,
                      f"the carrier follows the link: {up}", 0.2)
            until(lambda: outside.ping(V4), 10, "the link is back")
            frames = appliance.steerctl("counters")["exceptions"][0]
            for name in ("arp_given", "nd_given", "icmp_given", "icmp6_given", "tcp_given", "kernel_sent"):
                self.assertGreater(frames[name], 0, name)
            self.assertEqual(sum(n for name, n in frames.items() if "over_rate" in name or name.endswith("_failed")), 0)
            print(f"  {output}: {frames['tcp_given']} frames of TCP in, {frames['kernel_sent']} frames out, "
                  f"{' and '.join(f'{s:.1f}' for s in speeds)} MiB/s each way; "
                  f"lost: {({name: n for name, n in frames.items() if name.endswith('_full') and n})}")
        self.assertEqual(machine.run("ip -br link show steer0 2>&1", check=False).strip(),
                         'Device "steer0" does not exist.', "it is gone with the daemon")

    def test_a_tap_carries_the_kernels_share(self):
        self.all_of_it(", exception_driver: tap", "steer0, a TAP")

    def test_vhost_net_carries_the_kernels_share(self):
        self.all_of_it(", exception_driver: vhost", "steer0 by vhost-net")

    def test_vhost_net_is_used_if_available(self):
        with Appliance(machine, PORT % "") as appliance:
            self.assertIn("steer0 by vhost-net", appliance.log())
            self.assertTrue(outside.ping(V4))
            machine.run("ip link del steer0")
            until(lambda: "vhost-net serves it again after a restart" in appliance.log(), 10, "its removal is said", 0.2)

    def test_without_vhost_net_a_tap_is_used(self):
        machine.run("mv /dev/vhost-net /dev/away")
        self.addCleanup(machine.run, "mv /dev/away /dev/vhost-net")
        self.assertIn("/dev/vhost-net", machine.run("/run/build/steerdnsd --ports"))
        with Appliance(machine, PORT % "") as appliance:
            self.assertIn("steer0, a TAP", appliance.log())
            self.assertTrue(outside.ping(V6))
        sentence = Appliance(machine, PORT % ", exception_driver: vhost").ended()
        self.assertIn("modprobe vhost-net", sentence)
        print(f"  {sentence.strip()}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
