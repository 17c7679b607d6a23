"""docs/guides/anycast.md, executed as it is printed: two boxes announce the service addresses by BGP (Debian's bird) to a router
with FRR; clients are served by whichever is ready. And docs/guides/isp-deployment.md."""

import json
import pathlib
import sys
import unittest

import page_lab
import page_run

from lab.anycast import EXAMPLES
from lab.frr import Frr
from lab.network import LabError, skip_without, until

CONFIG = """\
dataplane:
  ports:
    - { device: eth0, addresses: [auto, lo] }
  allow: [192.168.0.0/16]

plugins:
  - tag: main
    type: sequence
    args:
      - exec: "cache 64MiB short_circuit"
      - exec: "forward 1.1.1.1"
"""
BIRD = """#!/bin/sh
# What Debian's unit does.
mkdir -p /run/bird && bird -c /etc/bird/bird.conf && for i in $(seq 100); do birdc show status >/dev/null 2>&1 && exit 0; sleep 0.05; done; exit 1
"""
ANYCAST = """#!/bin/sh
# What steerdns-anycast.service does.
setsid steerctl announce </dev/null >/var/log/anycast.log 2>&1 &
"""


class AnycastPage(page_run.Page):
    def do_second(self, _: str) -> None:
        """The second box, to which all is done that the page did to the first."""
        box = self.lab.second
        text = self.lab.box.shell("cat /etc/bird/bird.conf")[1]
        box.write("/etc/bird/bird.conf", text.replace("172.16.1.", "172.16.2.").replace("fd16:1::", "fd16:2::"))
        code, text = box.shell("set -e; ip address add 192.0.2.53/32 dev lo; ip address add 2001:db8:53::53/128 dev lo\n"
                               "systemctl restart bird; systemctl restart steerdnsd; systemctl enable --now steerdns-anycast")
        if code:
            raise LabError(text)
        until(lambda: self.routes() == {"dns0", "dns1"}, 20, "the router has both routes")

    def routes(self) -> set[str]:
        """The devices to which the router sends the service address."""
        shown = self.lab.scene.network.run("router", "ip", "-j", "route", "show", "192.0.2.53").stdout
        return {hop["dev"] for row in json.loads(shown or "[]") for hop in row.get("nexthops", [row])}


class Anycast(page_run.PageTest):
    page, test, least, page_class = "docs/guides/anycast.md", "anycast", 9, AnycastPage
    variable = [(r"\[anycast4 .*?\]", "[anycast4 WHEN]")]

    def prepare(self, lab):
        net = lab.scene.network
        net.namespace("second")
        net.link(("second", "eth0"), ("router", "dns1"))
        net.address("router", "dns0", "fd16:1::1/64")
        net.address("appliance", "eth0", "fd16:1::2/64")
        net.address("router", "dns1", "172.16.2.1/24", "fd16:2::1/64")
        net.address("second", "eth0", "172.16.2.2/24", "fd16:2::2/64")
        net.route("second", "default", "via", "172.16.2.1")
        lab.second = page_lab.Host(lab.scene, "second")
        lab.furnish_box(lab.second)
        for box in (lab.box, lab.second):
            box.program("unit-bird", BIRD)
            box.program("unit-steerdns-anycast", ANYCAST)
            box.write("/etc/steerdns/steerdns.yaml", CONFIG)
        Frr(net, "router").configure(EXAMPLES / "frr.conf")

    def after(self, lab):
        def announced(box):
            return "192.0.2.53" in box.shell("birdc show route export edge4")[1]
        until(lambda: announced(lab.box), 10, "the first box announces again")
        # The second one ends: clients go on.
        lab.second.shell("systemctl stop steerdnsd")
        until(lambda: not announced(lab.second), 10, "the second box announces no more")
        self.assertIn("203.0.113.31", lab.client.shell("kdig @192.0.2.53 +short www.stream.example")[1])
        self.assertEqual(lab.box.shell("cat /etc/bird/bird.conf")[1], (EXAMPLES / "bird.conf").read_text(), "the page shows the example")


class Isp(page_run.PageTest):
    page, test, least = "docs/guides/isp-deployment.md", "isp", 1


if __name__ == "__main__":
    skip_without(("vtysh",), "--all")
    if sys.argv[2:] == ["--write"]:
        page_run.main(Anycast)
    else:
        page_run.PageTest.build = pathlib.Path(sys.argv.pop(1)).resolve()
        unittest.main(verbosity=2)
