#!/usr/bin/python3
"""RouterOS API clients of other authors against rossim: Debian's librouteros, npm's node-routeros and routeros-client.

    rossim_clients.py ROSSIM

They log in, add, print, set and remove, in plain text, by TLS with a certificate and by anonymous DH, as RouterOS 7.21 and 7.17.
Uses the loopback interface only; the npm packages are fetched once, as package-lock.json names them.
"""

import contextlib
import os
import re
import ssl
import subprocess
import sys
import tempfile
import unittest

import librouteros
from librouteros.exceptions import TrapError
from librouteros.login import plain, token
from librouteros.query import Key, Or

HERE = os.path.dirname(os.path.realpath(__file__))
CLIENTS = os.path.join(HERE, "clients")
USER, PASSWORD = "api-user", "secret"
MENU = "/ip/firewall/address-list"
ROSSIM = ""


class Simulator:
    """A running rossim: its ports, and its certificate's file."""

    def __init__(self, process, port, tls_port, certificate):
        self.process = process
        self.port = port
        self.tls_port = tls_port
        self.certificate = certificate

    def port_of(self, mode):
        return self.port if mode == "plain" else self.tls_port


@contextlib.contextmanager
def simulator(*options):
    with tempfile.TemporaryDirectory() as folder:
        certificate = os.path.join(folder, "router.pem")
        command = [ROSSIM, "--port", "0", "--tls-port", "0", "--write-certificate", certificate]
        command += ["--user", f"{USER}:{PASSWORD}", "--user", "reader:secret:read,api", *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                ready = process.stdout.readline()  # the ports are open when this line comes
                ports = re.search(r", port (\d+), TLS port (\d+)", ready)
                if not ports:
                    raise RuntimeError(f"rossim did not start: {ready!r}")
                yield Simulator(process, int(ports[1]), int(ports[2]), certificate)
            finally:
                process.terminate()


def tls_wrapper(mode, certificate):
    if mode == "tls":
        context = ssl.create_default_context(cafile=certificate)
        return lambda sock: context.wrap_socket(sock, server_hostname="localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ADH:@SECLEVEL=0")
    return context.wrap_socket


def connect(sim, mode="plain", user=USER, password=PASSWORD, login=plain):
    more = {} if mode == "plain" else {"ssl_wrapper": tls_wrapper(mode, sim.certificate)}
    return librouteros.connect(
        host="127.0.0.1", port=sim.port_of(mode), username=user, password=password, login_method=login, **more
    )


class Librouteros(unittest.TestCase):
    def one_round(self, api):
        rows = api.path(MENU)
        first = rows.add(list="t", address="10.0.0.1", timeout="1h")
        second = rows.add(list="t", address="10.0.0.2/24", comment="two")
        other = rows.add(list="u", address="10.0.0.1")
        self.assertRegex(first, r"^\*[0-9A-F]+$")
        name, list_ = Key("address"), Key("list")
        got = list(rows.select(Key(".id"), name).where(list_ == "t"))
        self.assertEqual(got, [{".id": first, "address": "10.0.0.1"}, {".id": second, "address": "10.0.0.0/24"}])
        got = list(rows.select(Key(".id")).where(Or(list_ == "u", name == "10.0.0.0/24")))
        self.assertEqual([row[".id"] for row in got], [second, other])
        rows.update(**{".id": first, "comment": "changed", "timeout": "2h"})
        changed = next(iter(rows.select(Key("comment"), Key("timeout")).where(Key(".id") == first)))
        self.assertEqual(changed["comment"], "changed")
        self.assertIn(changed["timeout"], ("2h", "1h59m59s", "1h59m58s"))
        self.assertEqual(list(api.rawCmd(MENU + "/print", "?=list=t", "=count-only="))[0]["ret"], 2)
        with self.assertRaisesRegex(TrapError, "already have such entry"):
            rows.add(list="t", address="10.0.0.1/32")
        rows.remove(first, second, other)  # one sentence, ids joined by commas
        self.assertEqual(list(rows.select(Key(".id")).where(list_ == "t")), [])
        self.assertEqual(list(rows), [])
        with self.assertRaisesRegex(TrapError, "no such item"):
            rows.remove(first)

    def test_librouteros_works_over_every_transport_and_version(self):
        for version in ("7.21", "7.17"):
            for mode in ("plain", "tls", "adh"):
                options = ["--ros-version", version] + (["--adh"] if mode == "adh" else [])
                with self.subTest(version=version, mode=mode), simulator(*options) as sim:
                    api = connect(sim, mode)
                    self.one_round(api)
                    api.close()

    def test_librouteros_logs_in_to_versions_before_6_43(self):
        with simulator("--ros-version", "6.42") as sim:
            api = connect(sim, login=token)
            self.one_round(api)
            api.close()
            with self.assertRaisesRegex(TrapError, "cannot log in"):
                connect(sim, login=token, password="wrong")

    def test_missing_rights_and_wrong_passwords_are_refused(self):
        with simulator() as sim:
            with self.assertRaisesRegex(TrapError, "invalid user name or password"):
                connect(sim, password="wrong")
            api = connect(sim, user="reader")
            self.assertEqual(list(api.path(MENU)), [])
            with self.assertRaisesRegex(TrapError, "not enough permissions"):
                api.path(MENU).add(list="t", address="10.0.0.1")
            api.close()

    def test_replies_may_come_in_small_pieces(self):
        for segment in ("1", "2", "3", "7"):
            with self.subTest(segment=segment), simulator("--segment", segment, "--preset", "none") as sim:
                api = connect(sim)
                self.one_round(api)
                api.close()

    def test_a_large_table_and_system_facts_are_read(self):
        with simulator("--preset", "none", "--prefill", "big:5000", "--prefill6", "big:500") as sim:
            api = connect(sim)
            self.assertEqual(len(list(api.path(MENU))), 5000)
            six = list(api.path("/ipv6/firewall/address-list").select(Key("address")))
            self.assertEqual((len(six), six[1]["address"]), (500, "2001:2::1/128"))
            self.assertEqual(list(api.path("/system/identity"))[0]["name"], "rossim")
            self.assertEqual(list(api.path("/system/resource"))[0]["version"], "7.21 (stable)")
            self.assertEqual(list(api.path("/user/active"))[0]["name"], USER)
            api.close()


class Node(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not os.path.isdir(os.path.join(CLIENTS, "node_modules")):
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=CLIENTS, check=True, stdout=subprocess.DEVNULL, timeout=120)

    def run_script(self, script, sim, mode, accept_empty):
        preload = ["-r", "./accept_empty.js"] if accept_empty else []
        command = ["node", *preload, script, str(sim.port_of(mode)), USER, PASSWORD, mode, sim.certificate]
        return subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, timeout=60, check=False)

    def check_script(self, script, says):
        for mode in ("plain", "tls", "adh"):
            for version, accept_empty in (("7.21", True), ("7.17", False)):
                options = ["--preset", "none", "--ros-version", version] + (["--adh"] if mode == "adh" else [])
                with self.subTest(version=version, mode=mode), simulator(*options) as sim:
                    done = self.run_script(script, sim, mode, accept_empty)
                    self.assertEqual((done.returncode, done.stdout), (0, says + " ok\n"), done.stderr)

    def test_node_routeros_works(self):
        self.check_script("node_routeros.js", "node-routeros")

    def test_routeros_client_works(self):
        self.check_script("routeros_client.js", "routeros-client")

    def test_routeros_client_logs_in_to_versions_before_6_43(self):
        with simulator("--preset", "none", "--ros-version", "6.42") as sim:
            done = self.run_script("routeros_client.js", sim, "plain", False)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_node_routeros_works_with_the_delays_of_a_router(self):
        with simulator("--preset", "fast", "--latency", "2") as sim:
            done = self.run_script("node_routeros.js", sim, "plain", True)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_node_routeros_fails_at_an_empty_reply(self):
        with simulator("--preset", "none") as sim:
            done = self.run_script("node_routeros.js", sim, "plain", False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("!empty", done.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    ROSSIM = os.path.realpath(sys.argv.pop(1))
    unittest.main()
