"""steerctl import: every input of tests/import gives the configuration beside it, which steerdnsd accepts.

    import_e2e.py BUILD [--write]

--write writes the expected files again. Needs no namespaces: files, and rossim on the loopback interface.
"""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import librouteros

ROOT = pathlib.Path(__file__).resolve().parents[2]
INPUTS = ROOT / "tests/import"
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
STEERCTL = BUILD / "tools/steerctl/steerctl"
STEERDNSD = BUILD / "steerdnsd"
ROSSIM = BUILD / "tools/rossim/rossim"
KINDS = {".rsc": "routeros", ".corefile": "corefile", ".dnsmasq": "dnsmasq", ".forgedns": "forgedns", ".mosdns": "mosdns",
         ".unbound": "unbound", ".kresd": "kresd", ".adguardhome": "adguardhome",
         ".pihole": "pihole", ".technitium": "technitium"}
HAS_UNBOUND = all(pathlib.Path(path).exists() for path in ("/usr/sbin/unbound", "/usr/sbin/unbound-checkconf", "/usr/share/dns/root.key"))
PASSWORD = "s3cret pass"


def run(*command, **environment):
    """A command without prompts, with a time limit."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, env={**os.environ, "UPSTREAM": "192.0.2.77", **environment})


def inputs(folder):
    return sorted(path for path in folder.iterdir() if path.suffix in KINDS)


def import_file(path, *options):
    return run(STEERCTL, "import", KINDS[path.suffix], path, *options)


def make_certificate(cert, key):
    made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
               "-subj", "/CN=dns.example", "-keyout", key, "-out", cert)
    if made.returncode != 0:
        raise RuntimeError(made.stderr)


class Files(unittest.TestCase):
    def test_each_input_gives_the_configuration_beside_it(self):
        self.assertGreater(len(inputs(INPUTS)), 8)
        for path in inputs(INPUTS):
            with self.subTest(path.name):
                made = import_file(path)
                self.assertEqual(made.returncode, 0, made.stderr)
                expected = path.with_name(path.name + ".yaml")
                self.assertEqual(made.stdout, expected.read_text())

    def test_steerdnsd_accepts_each_imported_configuration(self):
        """Where it names a certificate, a.pem with its key a.key is beside it. A recursion is checked by unbound-checkconf."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        make_certificate(folder / "a.pem", folder / "a.key")
        for path in inputs(INPUTS):
            with self.subTest(path.name):
                copy = shutil.copy(path.with_name(path.name + ".yaml"), folder)
                if "type: recursion" in pathlib.Path(copy).read_text() and not HAS_UNBOUND:
                    self.skipTest("needs unbound and dns-root-data")
                checked = run(STEERDNSD, "--config", copy, "--check")
                self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
                self.assertNotIn("error:", checked.stdout + checked.stderr)

    def test_notes_are_on_standard_error_and_in_the_configuration(self):
        """On standard error each has FILE:LINE; FILE may be one that the input includes."""
        for path in inputs(INPUTS):
            with self.subTest(path.name):
                made = import_file(path)
                printed = made.stderr.splitlines()
                self.assertEqual(len(printed), len(re.findall(r"^ *# note", made.stdout, re.M)))
                for line in printed:
                    place = re.match(rf"({re.escape(str(path))}(?:/[\w./-]*)?|{re.escape(str(INPUTS))}/[a-z]+\.d/[a-z-]+\.conf)(:\d+|, row .*)?: note: ", line)
                    self.assertIsNotNone(place, line)
                    if place[2] and place[2].startswith(":"):
                        lines = pathlib.Path(place[1]).read_text(errors="replace").splitlines()
                        self.assertLessEqual(int(place[2][1:]), len(lines))

    def test_an_invalid_file_is_refused_with_its_line(self):
        for path in inputs(INPUTS / "bad"):
            with self.subTest(path.name):
                made = import_file(path)
                self.assertEqual(made.returncode, 2)
                self.assertEqual(made.stdout, "")
                expected = path.with_name(path.name + ".expected").read_text().removesuffix("\n")
                self.assertIn(f"steerctl: {path}{expected}", made.stderr)

    def test_a_server_over_tls_is_imported_with_its_certificate(self):
        """Without the certificate's files on this machine, the server becomes a comment (many_ports.corefile)."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            cert, key, path = folder / "cert.pem", folder / "key.pem", folder / "x.corefile"
            make_certificate(cert, key)
            path.write_text(f"tls://. https://.:8443 {{\n tls {cert} {key} {cert} {{\n client_auth verify_if_given\n }}\n"
                            " forward . 192.0.2.1\n}\n")
            made = import_file(path)
            self.assertEqual((made.returncode, made.stderr), (0, ""))
            for server in ('- { tag: tls_1, type: tcp_server, args: { entry: main, listen: ":853", cert: ',
                           '- { tag: https_2, type: http_server, args: { entries: [{ path: "/dns-query", exec: main }], '
                           'listen: ":8443", cert: '):
                self.assertIn("\n  " + server + f'"{cert}", key: "{key}", client_ca: "{cert}"', made.stdout)
            yaml = folder / "made.yaml"
            yaml.write_text(made.stdout)
            checked = run(STEERDNSD, "--config", yaml, "--check")
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
            key.unlink()
            refused = import_file(path)
            self.assertEqual((refused.returncode, refused.stdout), (2, ""))
            self.assertIn("has no zone to serve: each zone needs plain DNS (dns://), or a certificate on this machine",
                          refused.stderr)

    def test_files_that_unbound_includes_are_read(self):
        """By patterns, beside the file that names them; then further files of the command line."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            below = folder / "conf.d"
            below.mkdir()
            (folder / "unbound.conf").write_text('include-toplevel: "conf.d/[0-9]*.conf"\ninclude: /nowhere/*.conf\n')
            (below / "1.conf").write_text("server:\n  include: more/three.conf\n  access-control: 192.0.2.0/24 allow\n")
            (below / "2.conf").write_text("server:\n  interface: 192.0.2.1\n  unheard-of: 1\n")
            (below / "x.conf").write_text("server:\n  interface: 192.0.2.9\n")
            (below / "more").mkdir()
            (below / "more/three.conf").write_text('  module-config: "iterator"\n  include: ../1.conf\n')
            (folder / "last.conf").write_text("forward-zone:\n name: corp.example\n forward-addr: 192.0.2.7\n")
            made = run(STEERCTL, "import", "unbound", folder / "unbound.conf", folder / "last.conf")
            self.assertEqual(made.returncode, 0, made.stderr)
            for part in ("192.0.2.0/24", 'listen: "192.0.2.1:53"', "validate: no", 'corp.example: ["192.0.2.7"]'):
                self.assertIn(part, made.stdout)
            self.assertNotIn("192.0.2.9", made.stdout)
            self.assertIn(f"{folder}/unbound.conf:2: note: no file is named '/nowhere/*.conf'", made.stderr)
            self.assertIn(f"{below}/2.conf:3: note: 'unheard-of: 1' is not imported", made.stderr)
            self.assertIn(": note: more than 16 levels of includes", made.stderr)  # 1.conf and three.conf, in a circle
            missing = run(STEERCTL, "import", "unbound", folder / "unbound.conf", folder / "none.conf")
            self.assertEqual((missing.returncode, missing.stdout), (2, ""))
            self.assertIn("none.conf cannot be read", missing.stderr)

    def test_servers_over_tls_of_resolvers_are_imported_with_their_certificate(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            cert, key = folder / "cert.pem", folder / "key.pem"
            make_certificate(cert, key)
            (folder / "x.unbound").write_text(f"server:\n directory: {folder}\n interface: 127.0.0.1\n interface: 192.0.2.1@853\n"
                                              " interface: 192.0.2.1@443\n tls-service-pem: cert.pem\n tls-service-key: key.pem\n")
            (folder / "x.kresd").write_text("net.listen('127.0.0.1')\nnet.listen('192.0.2.1', 853, { kind = 'tls' })\n"
                                            f"net.listen('192.0.2.1', 443, {{ kind = 'doh2' }})\nnet.tls('{cert}', '{key}')\n")
            for path in (folder / "x.unbound", folder / "x.kresd"):
                with self.subTest(path.suffix):
                    made = import_file(path)
                    self.assertEqual(made.returncode, 0, made.stderr)
                    self.assertNotIn("certificate", made.stderr)
                    for server in ('- { tag: tls_2, type: tcp_server, args: { entry: main, listen: "192.0.2.1:853"',
                                   '- { tag: https_3, type: http_server, args: { entries: [{ path: "/dns-query", exec: main }]'):
                        self.assertIn("\n  " + server, made.stdout)
                    yaml = folder / "made.yaml"
                    yaml.write_text(made.stdout)
                    if not HAS_UNBOUND:
                        self.skipTest("needs unbound and dns-root-data")
                    checked = run(STEERDNSD, "--config", yaml, "--check")
                    self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    @unittest.skipUnless(HAS_UNBOUND, "needs unbound and dns-root-data")
    def test_a_value_that_unbound_refuses_is_named_with_its_line(self):
        with tempfile.TemporaryDirectory() as folder:
            path, yaml = pathlib.Path(folder) / "x.unbound", pathlib.Path(folder) / "made.yaml"
            path.write_text("server:\n harden-large-queries: perhaps\n")
            made = import_file(path)
            self.assertEqual(made.returncode, 0, made.stderr)
            yaml.write_text(made.stdout)
            checked = run(STEERDNSD, "--config", yaml, "--check")
            line = made.stdout.splitlines().index('        - "harden-large-queries: perhaps"') + 1
            self.assertEqual(checked.returncode, 2, checked.stdout + checked.stderr)
            self.assertIn(f"made.yaml:{line}: recursion 'resolve': unbound refuses this", checked.stdout + checked.stderr)

    @unittest.skipUnless(HAS_UNBOUND, "needs unbound and dns-root-data")
    def test_unbound_accepts_every_option_that_becomes_a_line(self):
        """Each option of Debian's own example with its value there, alone; what is left is named by a note."""
        example = pathlib.Path("/usr/share/doc/unbound/examples/unbound.conf")
        if not example.exists():
            self.skipTest("needs unbound's example")
        words = re.compile(r"^\s*#? ?([a-z][a-z0-9-]+): ?([^#]*?)(?: for each of .*)?$")
        server = example.read_text().split("\nserver:\n")[1].split("\n# Python config section.")[0]
        lines = [match for match in map(words.match, server.splitlines()) if match and match[2].strip()]
        self.assertGreater(len(lines), 150)
        with tempfile.TemporaryDirectory() as folder:
            path, yaml = pathlib.Path(folder) / "x.unbound", pathlib.Path(folder) / "made.yaml"
            path.write_text("server:\n" + "".join(f"  {line[1]}: {line[2].strip()}\n" for line in lines))
            made = import_file(path)
            self.assertEqual(made.returncode, 0, made.stderr)
            self.assertNotIn("not a known option", made.stderr)
            yaml.write_text(made.stdout)
            checked = run(STEERDNSD, "--config", yaml, "--check")
            self.assertEqual(checked.returncode, 0, made.stdout + checked.stdout + checked.stderr)

    def test_a_zone_file_of_a_corefile_becomes_arbitrary(self):
        """Without the file on this machine, it is a note (local.corefile). The daemon reads the file below its zone."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            zone, path, yaml = folder / "db.example", folder / "x.corefile", folder / "made.yaml"
            zone.write_text("$TTL 600\n@ IN SOA ns admin 1 3600 600 86400 300\n  IN NS ns\nns A 192.0.2.2\n"
                            "www A 192.0.2.1\n*.apps A 192.0.2.3\n")
            path.write_text(f"example.org {{\n root {folder}\n file db.example\n}}\n. {{\n forward . 192.0.2.53\n}}\n")
            made = import_file(path)
            self.assertEqual(made.returncode, 0, made.stderr)
            self.assertIn("aliases (CNAME) answer queries for CNAME only", made.stderr)
            self.assertIn(f'origin: example.org\n      files:\n        - "{zone}"\n', made.stdout)
            yaml.write_text(made.stdout)
            checked = run(STEERDNSD, "--config", yaml, "--check")
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
            self.assertIn(f"{zone}:6", checked.stdout + checked.stderr)  # the wildcard
            why = run(STEERDNSD, "--config", yaml, "--why", "www.example.org")
            self.assertEqual(why.returncode, 0, why.stdout + why.stderr)
            self.assertIn(f"{zone}:5", why.stdout)

    def test_a_zone_file_of_technitium_becomes_arbitrary(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            zone, yaml = folder / "exports/home.example.zone", folder / "made.yaml"
            zone.parent.mkdir()
            zone.write_text("$ORIGIN home.example.\n@ 900 IN SOA server1. admin.home.example. 1 900 300 604800 900\n"
                            "@ 3600 IN NS server1.\nnas 3600 IN A 192.168.10.8\n")
            made = run(STEERCTL, "import", "technitium", zone.parent)
            self.assertEqual(made.returncode, 0, made.stderr)
            self.assertIn(f'origin: home.example\n      short_circuit: true\n      files:\n        - "{zone}"\n', made.stdout)
            yaml.write_text(made.stdout)
            checked = run(STEERDNSD, "--config", yaml, "--check")
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
            why = run(STEERDNSD, "--config", yaml, "--why", "nas.home.example")
            self.assertEqual(why.returncode, 0, why.stdout + why.stderr)
            self.assertIn(f"{zone}:4", why.stdout)

    def test_a_missing_file_is_refused(self):
        made = run(STEERCTL, "import", "routeros", "/nowhere/x.rsc")
        self.assertEqual((made.returncode, made.stdout), (2, ""))
        self.assertIn("steerctl: /nowhere/x.rsc cannot be read", made.stderr)

    def test_an_output_file_is_replaced_with_force_only(self):
        with tempfile.TemporaryDirectory() as folder:
            output = pathlib.Path(folder) / "out.yaml"
            path = INPUTS / "odd.rsc"
            expected = path.with_name(path.name + ".yaml").read_text()
            self.assertEqual(import_file(path, "-o", output).returncode, 0)
            self.assertEqual(output.read_text(), expected)
            output.write_text("mine\n" * 10000)
            again = import_file(path, "-o", output)
            self.assertEqual(again.returncode, 1)
            self.assertIn("exists: write --force", again.stderr)
            self.assertTrue(output.read_text().startswith("mine"))
            self.assertEqual(import_file(path, "-o", output, "--force").returncode, 0)
            self.assertEqual(output.read_text(), expected)

    def test_wrong_command_lines_end_with_2(self):
        for words in (["import"], ["import", "routeros"], ["import", "bind", "x"],
                      ["import", "routeros", "--user", "x", "y.rsc"]):
            self.assertEqual(run(STEERCTL, *words).returncode, 2, words)
        self.assertEqual(run(STEERCTL, "import", "--help").returncode, 0)


@contextlib.contextmanager
def router(*options):
    """rossim: its port, its TLS port, its certificate's file."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = pathlib.Path(folder) / "router.pem"
        command = [ROSSIM, "--port", "0", "--tls-port", "0", "--write-certificate", certificate,
                   "--user", f"admin:{PASSWORD}", *options]
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True) as process:
            try:
                ports = re.search(r", port (\d+), TLS port (\d+)", process.stdout.readline())
                yield int(ports[1]), int(ports[2]), certificate
            finally:
                process.terminate()


def fill(port, with_lists=True):
    api = librouteros.connect(host="127.0.0.1", port=port, username="admin", password=PASSWORD)
    tuple(api("/ip/dns/set", **{"servers": "192.0.2.53", "cache-size": "4096KiB", "allow-remote-requests": "yes",
                                "max-udp-packet-size": "4096", **({"address-list-extra-time": "1m"} if with_lists else {})}))
    static = api.path("/ip/dns/static")
    static.add(**{"name": "nas.lan", "address": "192.168.88.10", "comment": "the disk"})
    static.add(**{"name": "media.example", "type": "FWD", "match-subdomain": "yes", "address-list": "vpn"})
    if with_lists:
        api.path("/ip/dns/adlist").add(url="http://lists.example/hosts")
        api.path("/ip/dns/forwarders").add(**{"name": "corp", "dns-servers": "10.8.0.1"})
        static.add(**{"name": "corp.example", "type": "FWD", "forward-to": "corp"})
    static.add(**{"name": "bad..name", "address": "192.168.88.11"})
    api.close()


class Live(unittest.TestCase):
    def check(self, yaml):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "made.yaml"
            path.write_text(yaml)
            checked = run(STEERDNSD, "--config", path, "--check")
            self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def ask(self, where, *options, password=PASSWORD):
        return run(STEERCTL, "import", "routeros", "--live", where, *options, STEERDNS_PASSWORD=password)

    def test_a_router_is_imported_over_its_api(self):
        with router() as (port, tls_port, certificate):
            fill(port)
            made = self.ask(f"127.0.0.1:{port}")
            self.assertEqual(made.returncode, 0, made.stderr)
            for part in ("size: 4096KiB", '{ addr: "192.0.2.53", timeout: 2s }', f'address: "127.0.0.1:{port}"',
                         '{ name: nas.lan, address: "192.168.88.10", comment: "the disk" }', "username: admin",
                         "address_list4: vpn", "extra_time: 1m", '- "http://lists.example/hosts"',
                         '- "domain:media.example"', 'forward_to: "$to_corp"'):
                self.assertIn(part, made.stdout)
            self.assertNotIn(PASSWORD, made.stdout)
            self.assertIn("row 3 of /ip/dns/static: note: the static entry 'bad..name' is not imported", made.stderr)
            self.assertIn("RouterOS 7.", made.stdout.splitlines()[0])
            self.check(made.stdout)

            with self.subTest("by TLS"):
                secured = self.ask(f"localhost:{tls_port}", "--ca", certificate)
                self.assertEqual(secured.returncode, 0, secured.stderr)
                self.assertIn("name: nas.lan", secured.stdout)
                wrong = self.ask(f"localhost:{tls_port}", "--pin", "00" * 32)
                self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
                self.assertIn("its certificate is not the pinned one", wrong.stderr)
                pin = re.search(r"its sha256 is ([0-9a-f]{64})", wrong.stderr)[1]
                self.assertEqual(self.ask(f"localhost:{tls_port}", "--pin", pin).returncode, 0)

            with self.subTest("a password in a file"):
                with tempfile.NamedTemporaryFile("w") as file:
                    file.write(PASSWORD + "\n")
                    file.flush()
                    made = run(STEERCTL, "import", "routeros", "--live", f"127.0.0.1:{port}",
                               "--password-file", file.name)
                self.assertEqual(made.returncode, 0, made.stderr)

            with self.subTest("a wrong password"):
                refused = self.ask(f"127.0.0.1:{port}", password="no")
                self.assertEqual((refused.returncode, refused.stdout), (2, ""))
                self.assertIn("cannot be read: login failed", refused.stderr)

    def test_a_router_without_address_lists_is_imported(self):
        with router("--ros-version", "7.8") as (port, _, _):
            fill(port, with_lists=False)
            made = self.ask(f"127.0.0.1:{port}")
            self.assertEqual(made.returncode, 0, made.stderr)
            self.assertIn("name: nas.lan", made.stdout)
            self.assertNotIn("type: adlist", made.stdout)
            self.assertIn("RouterOS 7.8 has no /ip/dns/adlist (7.15.3 and newer have it)", made.stdout)
            self.check(made.stdout)

    def test_a_router_that_lacks_what_its_version_has_is_told(self):
        with router("--ros-version", "7.14.3", "--claim-version", "7.24 (stable)") as (port, _, _):
            made = self.ask(f"127.0.0.1:{port}")
            self.assertEqual((made.returncode, made.stdout), (2, ""))
            self.assertIn("the router reports RouterOS 7.24, which has /ip/dns/adlist, but refuses it", made.stderr)

    def test_an_unreachable_router_is_reported(self):
        made = self.ask("127.0.0.1:1")
        self.assertEqual((made.returncode, made.stdout), (2, ""))
        self.assertIn("steerctl: 127.0.0.1:1 cannot be read: Connection refused", made.stderr)


def write():
    for path in inputs(INPUTS):
        made = import_file(path)
        if made.returncode != 0:
            sys.exit(made.stderr)
        path.with_name(path.name + ".yaml").write_text(made.stdout)


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        unittest.main(verbosity=2)
