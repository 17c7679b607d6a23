"""Guides of docs/ whose blocks are marked run=guides, executed as they are printed, each in a lab of its own."""

import pathlib
import sys
import unittest

import page_run  # (makes the lab's modules known)
import troubleshooting_e2e
from lab.certificates import Authority
from lab.scene import ZONES, knot_configuration


class Guide(page_run.PageTest):
    """The guides' upstream is 192.0.2.53; it has the lab's zones."""

    test = "guides"

    def prepare(self, lab):
        net = lab.scene.network
        net.address("resolver", "lo", "192.0.2.53/32")
        net.route("appliance", "192.0.2.53/32", "via", "172.16.1.1")
        conf = knot_configuration(lab.scene.folder / "knot-guides", "192.0.2.53@53", ZONES)
        net.start("resolver", "knotd-guides", "knotd", "-c", str(conf)).wait_for("server started")


class ResponsePolicyZones(Guide):
    page, least = "docs/guides/rpz.md", 5


class EncryptedDns(Guide):
    page, least = "docs/guides/encrypted-dns.md", 2

    def prepare(self, lab):
        super().prepare(lab)
        certificate = Authority(lab.scene.folder / "authority").issue("cert", "DNS:dns.example.net", "IP:172.16.1.2")
        lab.box.write("/etc/steerdns/cert.pem", pathlib.Path(certificate.pem).read_text())
        lab.box.write("/etc/steerdns/key.pem", pathlib.Path(certificate.key).read_text())


class Dns64(Guide):
    page, least = "docs/guides/dns64.md", 2


class Routers(Guide):
    """With the configuration, the list and the router of the guide to troubleshooting."""

    page, least = "docs/guides/routers.md", 5
    variable = page_run.MACHINE

    def prepare(self, lab):
        troubleshooting_e2e.Troubleshooting.prepare(self, lab)
        lab.box.write("/etc/steerdns/steerdns.yaml", troubleshooting_e2e.CONFIG.replace(
            '      - exec: "$answers"', '      - exec: "$addresses"\n      - exec: "$answers"') +
            "\n  - { tag: addresses, type: reverse_lookup }\n")
        lab.box.write("/etc/steerdns/tunnel.names", "domain:media.example\n")
        lab.box.must("systemctl restart steerdnsd")


if __name__ == "__main__":
    if sys.argv[2:] == ["--write"]:
        for case in (ResponsePolicyZones, EncryptedDns, Dns64, Routers):
            build = sys.argv[1]
            page_run.main(case)  # (takes BUILD from the arguments)
            sys.argv.insert(1, build)
    else:
        Guide.build = pathlib.Path(sys.argv.pop(1)).resolve()
        unittest.main(verbosity=2)
