"""docs/guides/bgp.md, executed as it is printed: the box with BIRD, and a router `edge` with FRR."""

import page_lab
import page_run

from lab.network import until

BIRD = """#!/bin/sh
# What Debian's unit does.
mkdir -p /run/bird && bird -c /etc/bird/bird.conf && for i in $(seq 100); do birdc show status >/dev/null 2>&1 && exit 0; sleep 0.05; done; exit 1
"""
FRR = """
mkdir -p /run/frr && chown frr:frr /run/frr
for program in zebra bgpd; do
    setsid /usr/lib/frr/$program -P 0 </dev/null >/var/log/$program.log 2>&1 &
done
for i in $(seq 200); do vtysh -c 'show bgp summary' >/dev/null 2>&1 && break; sleep 0.05; done
vtysh -b
"""


class BgpPage(page_run.Page):
    def edge(self, command):
        return self.lab.hosts["edge"].shell(command)[1]

    def do_edge(self, _: str) -> None:
        """FRR starts."""
        self.lab.hosts["edge"].must(FRR)
        until(lambda: "Established" in self.edge("vtysh -c 'show bgp neighbors 192.0.2.1'"), 20, "the session is up")

    def do_arrived(self, _: str) -> None:
        until(lambda: "64500:101" in self.edge("vtysh -c 'show bgp ipv4 unicast 203.0.113.31/32'"), 5, "the route arrives")


class Lab(page_lab.PageLab):
    @property
    def hosts(self):
        return {**super().hosts, "edge": self.edge}


class Bgp(page_run.PageTest):
    page, test, least, page_class, lab_class = "docs/guides/bgp.md", "bgp_page", 9, BgpPage, Lab
    variable = [(r"\d\d:\d\d:\d\d\.\d+", "TIME")]

    def prepare(self, lab):
        net = lab.scene.network
        net.namespace("edge")
        net.link(("appliance", "edge0"), ("edge", "eth0"))
        net.address("appliance", "edge0", "192.0.2.1/30")
        net.address("edge", "eth0", "192.0.2.2/30", "198.51.100.2/30")  # and the network of the other next hop
        lab.edge = page_lab.Host(lab.scene, "edge")
        lab.box.program("unit-bird", BIRD)
        lab.client.shell("rm -f /etc/resolv.conf; echo nameserver 172.16.1.2 > /etc/resolv.conf")


if __name__ == "__main__":
    page_run.main(Bgp)
