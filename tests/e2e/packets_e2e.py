"""The packets of packet_cases.py on a port of the kind that the command line names; one test for each case and family.

usage: packets_e2e.py BUILD KIND [unittest's words]     (KIND: see KINDS)

    client 10.77.0.2, fd77::2 ── 10.77.0.1, fd77::1 steerdnsd
           10.77.0.53 the upstream
"""

from __future__ import annotations

import pathlib
import sys
import unittest

from case_tests import with_cases
from lab.network import Network, run
from packet_place import Place, Side

HERE = pathlib.Path(__file__).resolve().parent
BUILD, KIND = sys.argv.pop(1), sys.argv.pop(1)
SIDES = [Side(4, "10.77.0.1", "10.77.0.2", "10.77.0.99"), Side(6, "fd77::1", "fd77::2", "fd77::99")]
UPSTREAM = "10.77.0.53"
ANY_MAC = "02:00:00:00:00:53"  # a port without a kernel beside it takes what it is given


class Lab:
    """A client's namespace, ours, and what joins them. `upstream`: where the daemon asks."""

    def __init__(self, network: Network):
        self.network, self.folder = network, network.folder
        self.socket = self.folder / "control.sock"
        self.preload = None  # a library for the daemon
        for space in ("client", "appliance"):
            network.namespace(space)

    def veth(self, ours: bool = True, queues: int = 1) -> None:
        """A pair of interfaces, the appliance's with our addresses (if `ours`); both compute what they send."""
        self.network.link(("appliance", "eth0"), ("client", "eth0"), queues)
        for space in ("appliance", "client"):
            self.network.run(space, "ethtool", "-K", "eth0", "tx", "off")
        if ours:
            self.network.address("appliance", "eth0", *(f"{s.ours}/{24 if s.family == 4 else 64}" for s in SIDES))

    def client_addresses(self, device: str = "eth0") -> None:
        self.network.address("client", device, *(f"{s.client}/{24 if s.family == 4 else 64}" for s in SIDES),
                             f"{UPSTREAM}/24")

    def join(self, make, device: str) -> None:
        """The client's end, which make() makes if it is not there yet, and its addresses."""
        if make is not None:
            make()
            self.network.run("client", "ip", "link", "set", device, "up")
        self.client_addresses(device)

    def mac(self, space: str = "appliance", device: str = "eth0") -> str:
        return self.network.run(space, "cat", f"/sys/class/net/{device}/address").stdout.strip()

    def upstream(self, space: str = "client", address: str = UPSTREAM) -> str:
        self.network.start(space, "upstream", "/usr/bin/python3", str(HERE / "sized_upstream.py"),
                           address).wait_for("ready")
        return address

    def counters(self, *options: str) -> str:
        """What the daemon counted."""
        if not self.socket.exists():
            return "there is no control socket"
        return run(f"{BUILD}/tools/steerctl/steerctl", "--socket", str(self.socket), "counters", *options).stdout

    def daemon(self, port: str, upstream: str):
        config = self.folder / "steerdns.yaml"
        config.write_text(f"dataplane: {{ ports: [ {port} ], memory: 256MiB }}\n"
                          f"control: {{ http: off }}\n"
                          f"plugins:\n"
                          f"  - tag: main\n    type: sequence\n"
                          f"    args: [ {{ exec: cache short_circuit }}, {{ exec: forward {upstream} }} ]\n")
        env = {"LD_PRELOAD": self.preload} if self.preload else None
        self.process = self.network.start("appliance", "steerdnsd", f"{BUILD}/steerdnsd", "--config", str(config),
                                          "--control-socket", str(self.socket), env=env)
        self.process.wait_for("serving", 40)


# The kinds: each starts the daemon on its port and returns the Place of its client. ----------------------------


def on_veth(driver: str, **what):
    def start(lab: Lab) -> Place:
        lab.veth()
        lab.client_addresses()
        lab.daemon(f"{{ device: eth0, driver: {driver} }}", lab.upstream())
        return Place(lab.network, "client", "eth0", lab.mac(), SIDES, behind=("appliance", "eth0"), kernels_wire=True,
                     **what)
    return start


def without_kernel(lab: Lab, port: str, join=None, device: str = "eth0", **what) -> Place:
    """The port has its addresses from the configuration and no kernel beside it (they are on `lo`, where the upstream
    is too). join() makes the client's `device` once the daemon runs."""
    lab.network.address("appliance", "lo", *(f"{side.ours}/{32 if side.family == 4 else 128}" for side in SIDES))
    addresses = ", ".join(f"'{side.ours}'" for side in SIDES)
    lab.daemon(f"{{ {port}, exception: none, addresses: [ {addresses} ] }}", lab.upstream("appliance", "127.0.0.1"))
    lab.join(join, device)
    for side in SIDES:
        lab.network.run("client", "ip", "neigh", "replace", side.ours, "lladdr", ANY_MAC, "dev", device)
    return Place(lab.network, "client", device, ANY_MAC, SIDES, kernel=False, any_vlan=True, filters_macs=False,
                 **what)


def with_kernel(lab: Lab, port: str, join=None, device: str = "eth0", **what) -> Place:
    """An exception interface carries the addresses; the upstream is asked through the port."""
    addresses = ", ".join(f"'{side.ours}/{24 if side.family == 4 else 64}'" for side in SIDES)
    lab.daemon(f"{{ {port}, exception: steer0, addresses: [ {addresses} ] }}", UPSTREAM)
    lab.join(join, device)
    lab.upstream()
    return Place(lab.network, "client", device, lab.mac(device="steer0"), SIDES, behind=("appliance", "steer0"), **what)


def on_pcap(beside):
    def start(lab: Lab) -> Place:
        """libpcap on an interface that has no address: what comes in there is copied to us; the kernel has no use for it."""
        lab.veth(ours=False)
        lab.network.run("appliance", "sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=1")
        lab.network.run("appliance", "ip", "link", "set", "eth0", "arp", "off")
        # While no one reads, libpcap keeps about 20 frames of a veth and drops what comes next.
        return beside(lab, "device: 'rx_iface_in=eth0,tx_iface=eth0', driver: pcap", burst=12)
    return start


def on_memif(beside):
    def start(lab: Lab) -> Place:
        """The memif's other side is a process that has a tap in the client's namespace."""
        path = lab.folder / "memif.sock"

        def join() -> None:
            lab.network.start("client", "memif_peer", f"{BUILD}/tests/bench/memif_peer", "bridge", "--no-huge", "--socket",
                              str(path), "--tap", "eth0").wait_for("ready")

        return beside(lab, f"device: 'role=server,socket-abstract=no,socket={path}', driver: memif", join)
    return start


def on_tap(beside, port: str = "device: dtap0, driver: tap"):
    def start(lab: Lab) -> Place:
        """The tap's kernel interface is the client's, as a virtual machine's or a container's would be."""
        def join() -> None:
            lab.network.run("appliance", "ip", "link", "set", "dtap0", "netns", lab.network.full("client"))
            # The driver gave it the port's own MAC.
            lab.network.run("client", "ip", "link", "set", "dtap0", "address", "02:00:00:00:00:99")

        return beside(lab, port, join, "dtap0", partial=True)
    return start


def on_ring(lab: Lab) -> Place:
    """The rings' other ends are in the daemon's own process: what is preloaded joins them to a tap. (A ring has no MAC
    address, so the kernel cannot stand beside it.)"""
    lab.preload = f"{BUILD}/tests/e2e/libring_tap.so"

    def join() -> None:
        lab.network.run("appliance", "ip", "link", "set", "rtap0", "netns", lab.network.full("client"))

    return without_kernel(lab, "device: tap=rtap0, driver: ring", join, "rtap0")


KINDS = {
    "af_packet": on_veth("af_packet", partial=True),
    "af_packet_2": on_veth("af_packet, queues: 2", partial=True),
    "af_xdp": on_veth("af_xdp", partial=True),
    "socket": on_veth("socket"),
    "memif": on_memif(with_kernel),
    "pcap": on_pcap(with_kernel),
    "tap": on_tap(with_kernel),
    "vdev": on_tap(with_kernel, "device: 'net_tap0,iface=dtap0', driver: vdev"),
    # The same without a kernel beside them.
    "memif_alone": on_memif(without_kernel),
    "pcap_alone": on_pcap(without_kernel),
    "ring_alone": on_ring,
    "tap_alone": on_tap(without_kernel),
}


@with_cases
class Packets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        network = cls.enterClassContext(Network(f"packets-{KIND}"))
        cls.lab = Lab(network)
        try:
            cls.place = KINDS[KIND](cls.lab)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{cls.lab.counters()}") from failure
        cls.addClassCleanup(cls.place.close)


if __name__ == "__main__":
    unittest.main(verbosity=2)
