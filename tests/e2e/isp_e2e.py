"""docs/guides/isp-deployment.md, executed as it is printed: two boxes announce a service address by BGP (Debian's bird) to a
router, which is bird as well; clients are served by whichever is ready."""

import page_lab
import page_run

from lab.network import LabError, until

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
# What the page's unit does.
setsid /usr/local/sbin/steerdns-anycast </dev/null >/var/log/anycast.log 2>&1 &
"""
ROUTER = """
router id 172.16.1.1;
protocol device {
}
protocol kernel {
    ipv4 { export all; import none; };
}
template bgp box {
    hold time 9;
    ipv4 { import all; export none; };
}
protocol bgp box1 from box { local 172.16.1.1 as 65000; neighbor 172.16.1.2 as 65053; }
protocol bgp box2 from box { local 172.16.2.1 as 65000; neighbor 172.16.2.2 as 65053; }
"""


class IspPage(page_run.Page):
    def do_second(self, _: str) -> None:
        """The second box, to which all is done that the page did to the first."""
        box = self.lab.second
        for file in ("/etc/bird/bird.conf", "/usr/local/sbin/steerdns-anycast"):
            text = self.lab.box.shell(f"cat {file}")[1]
            box.write(file, text.replace("172.16.1.", "172.16.2."))
        code, text = box.shell("set -e; ip address add 192.0.2.53/32 dev lo; chmod +x /usr/local/sbin/steerdns-anycast\n"
                               "systemctl restart bird; systemctl restart steerdnsd; systemctl enable --now steerdns-anycast")
        if code:
            raise LabError(text)
        until(lambda: "192.0.2.53" in box.shell("birdc show route export edge")[1], 20, "the second box announces")


class Isp(page_run.PageTest):
    page, test, least, page_class = "docs/guides/isp-deployment.md", "isp", 10, IspPage
    variable = [(r"\[anycast .*?\]", "[anycast WHEN]")]

    def prepare(self, lab):
        net = lab.scene.network
        net.namespace("second")
        net.link(("second", "eth0"), ("router", "dns1"))
        net.address("router", "dns1", "172.16.2.1/24")
        net.address("second", "eth0", "172.16.2.2/24")
        net.route("second", "default", "via", "172.16.2.1")
        lab.second = page_lab.Host(lab.scene, "second")
        lab.furnish_box(lab.second)
        for box in (lab.box, lab.second):
            box.program("unit-bird", BIRD)
            box.program("unit-steerdns-anycast", ANYCAST)
            box.write("/etc/steerdns/steerdns.yaml", CONFIG)
        (lab.scene.folder / "router-bird.conf").write_text(ROUTER)
        net.start("router", "bird", "bird", "-f", "-c", str(lab.scene.folder / "router-bird.conf"), "-s",
                  str(lab.scene.folder / "bird.ctl"))

    def after(self, lab):
        def announced(box):
            return "192.0.2.53" in box.shell("birdc show route export edge")[1]
        until(lambda: announced(lab.box), 10, "the first box announces again")
        # The second one ends: clients go on.
        lab.second.shell("systemctl stop steerdnsd")
        until(lambda: not announced(lab.second), 10, "the second box announces no more")
        self.assertIn("203.0.113.31", lab.client.shell("kdig @192.0.2.53 +short www.stream.example")[1])


if __name__ == "__main__":
    page_run.main(Isp)
