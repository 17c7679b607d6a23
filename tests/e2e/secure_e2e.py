"""TLS to the router: an authority, a pin, or neither. Another server is refused with a sentence, and DNS goes on."""

import re
import sys
import unittest

from lab.network import until
from lab.scene import PASSWORD, ROOT, USER, Scene

BUILD = sys.argv.pop(1)
PLUGINS = re.sub(r'      address: "172.16.1.1:8728"\n      username: .*\n      password: .*\n', "      router: edge1\n",
                 (ROOT / "configs/minimal.yaml").read_text())
ROW = {("policy_set_v4", "203.0.113.10"), ("policy_set_v4", "203.0.113.11")}


class Secure(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("secure", BUILD))
        self.scene.start_resolver()
        self.certificate = self.scene.folder / "router.pem"

    def router(self, *options):
        """A router with TLS only; its first certificate, if it has one, is in `certificate`."""
        scene = self.scene
        scene.rossim = scene.network.start(
            "router", "rossim", f"{BUILD}/tools/rossim/rossim", "--address", "172.16.1.1", "--port", "18728",
            "--tls-port", "8729", "--user", f"{USER}:{PASSWORD}", "--journal", str(scene.journal),
            "--control", str(scene.router_socket), *options)
        scene.rossim.wait_for("TLS port 8729")

    def with_certificate(self):
        self.router("--write-certificate", str(self.certificate))

    def pin(self):
        text = self.scene.network.run("router", "openssl", "x509", "-in", str(self.certificate), "-noout",
                                      "-fingerprint", "-sha256").stdout
        return text.split("=")[1].strip()

    def other_certificate(self):
        """The certificate of an authority that did not sign the router's."""
        return self.make_certificate("other", "172.16.1.1")[0]

    def make_certificate(self, name, address):
        """A self-signed certificate and its key."""
        certificate, key = self.scene.folder / f"{name}.pem", self.scene.folder / f"{name}.key"
        self.scene.network.run("router", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                               "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                               "-addext", f"subjectAltName=IP:{address}", "-keyout", str(key), "-out", str(certificate))
        return certificate, key

    def daemon(self, tls, address="172.16.1.1"):
        config = self.scene.folder / "secure.yaml"
        config.write_text(f"routers:\n  edge1: {{ address: {address}, username: {USER}, password: {PASSWORD}, "
                          f"tls: {tls} }}\n" + PLUGINS)
        return self.scene.start_daemon(config)

    def rows(self):
        listing = self.scene.router_ctl("list")
        return {row for row in ROW if row[1] in listing}

    def check_rows(self, tls):
        daemon = self.daemon(tls)
        self.assertEqual(set(self.scene.short("stream.example", "A")), {"203.0.113.10", "203.0.113.11"})
        until(lambda: self.rows() == ROW, 10, "the rows are on the router")
        complaints = [line for line in daemon.text().splitlines() if re.search(r" (warning|error) ", line)]
        self.assertEqual([line for line in complaints if "uses anonymous TLS" not in line], [])
        # TLS survives a restart of the router, too.
        self.scene.router_ctl("reboot", "1")
        until(lambda: self.rows() == set(), 5, "the reboot took the rows")
        until(lambda: self.rows() == ROW, 15, "they are back")
        self.assertEqual(daemon.stop(), 0)

    def check_refused(self, tls, sentence):
        daemon = self.daemon(tls)
        for name in ("stream.example", "media.example", "www.other.example"):
            self.assertTrue(self.scene.short(name, "A"), name)
        until(lambda: re.search(sentence, daemon.text()), 10, f"{sentence!r} is said")
        self.scene.wait_tried_again()
        lines = [line for line in daemon.text().splitlines() if re.search(r" (warning|error) ", line)]
        print("  " + "\n  ".join(lines))
        self.assertEqual(len(lines), 1)
        self.assertEqual(self.rows(), set())
        self.assertEqual(daemon.stop(), 0)

    def test_a_router_is_trusted_by_authority(self):
        self.with_certificate()
        self.check_rows(f"{{ ca: {self.certificate} }}")

    def test_a_router_is_trusted_by_pin(self):
        self.with_certificate()
        self.check_rows(f'{{ pin: "{self.pin()}" }}')

    def test_anonymous_tls_needs_its_setting(self):
        self.router("--adh")
        self.check_rows("{ anonymous: true }")
        self.assertEqual(self.scene.daemon.text().count("uses anonymous TLS: an attacker on the path can read its password"), 1)

    def test_a_wrong_authority_is_refused(self):
        self.with_certificate()
        self.check_refused(f"{{ ca: {self.other_certificate()} }}", r"edge1.*TLS: .*its certificate is not trusted: ")

    def test_the_system_authorities_do_not_trust_a_self_signed_router(self):
        self.with_certificate()
        self.check_refused("true", r"edge1.*TLS: .*its certificate is not trusted: ")

    def test_a_wrong_pin_is_refused(self):
        self.with_certificate()
        seen = self.pin().replace(":", "").lower()
        self.check_refused(f'{{ pin: "{"ab" * 32}" }}',
                           rf"edge1.*certificate is not the pinned one; its sha256 is {seen}")

    def test_a_certificate_for_another_address_is_refused(self):
        """The right authority signed it."""
        certificate, key = self.make_certificate("elsewhere", "192.0.2.77")
        self.router("--certificate", str(certificate), "--key", str(key))
        self.check_refused(f"{{ ca: {certificate} }}", r"edge1.*TLS: .*its certificate is not for 172.16.1.1")

    def test_a_plain_port_is_refused_where_tls_is_configured(self):
        self.with_certificate()
        config_address = "172.16.1.1:18728"
        daemon = self.daemon(f"{{ ca: {self.certificate} }}", config_address)
        self.assertTrue(self.scene.short("stream.example", "A"))
        until(lambda: re.search(r" warning .*edge1.*cannot be reached", daemon.text()), 25, "it says so")
        print("  " + [line for line in daemon.text().splitlines() if " warning " in line][0])

    def test_check_reports_an_unreadable_authority(self):
        config = self.scene.folder / "secure.yaml"
        config.write_text("routers:\n  edge1: { address: 172.16.1.1, username: u, password: p, "
                          "tls: { ca: nowhere.pem } }\n" + PLUGINS)
        done = self.scene.network.run("appliance", f"{BUILD}/steerdnsd", "--check", "--config", str(config),
                                      check=False)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"^error: \S+secure.yaml:2: .*nowhere.pem.*\n$")


if __name__ == "__main__":
    unittest.main(verbosity=2)
