#!/usr/bin/env python3
"""The printed setup and its failover, pasted into rossim: applied over the API, switched as netwatch does it, taken back.

    failover_e2e.py BUILD

Needs no namespaces. The blocks are read by the tests' model of RouterOS's language (tests/unit/setup/router_model.py);
menus, arguments and refusals are rossim's, of several RouterOS versions. rossim runs the scripts of netwatch.
"""
import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import librouteros

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "tests/unit/setup"))
import router_model

STEERDNSD, ROSSIM = BUILD / "steerdnsd", BUILD / "tools/rossim/rossim"
FILLED = {"dnsAddress4": "172.16.1.2", "dnsAddress6": "fd00::2", "apiPassword1": "secret", "gateway1v4": "10.9.0.1",
          "gateway1v6": "fd09::1", "failoverServers": "8.8.8.8"}
VERSIONS = ("7.9.2", "7.18.2", "7.21.5", "7.24")
LISTS = router_model.LISTS | router_model.NAME_LISTS


class Pasted:
    """A router as router_model.Script sees one; its rows are rossim's."""

    def __init__(self, api):
        self.api, self.printed = api, []

    def write(self):
        pass

    def put(self, text):
        self.printed.append(router_model.text_of(text))

    @staticmethod
    def menu(path):
        return path.replace(" ", "/")

    def say(self, menu, command, values):
        try:
            return list(self.api(f"{self.menu(menu)}/{command}", **values))
        except librouteros.exceptions.TrapError as refused:
            raise router_model.Stop(f"{menu} {command}: {refused.message}") from None

    @staticmethod
    def reported(value):
        return ",".join(value) if isinstance(value, list) else "yes" if value is True else "no" if value is False else str(value or "")

    @staticmethod
    def read(name, value):
        value = str(value).lower() if isinstance(value, bool) else str(value)
        return value.split(",") if name in LISTS and value else value

    def rows(self, menu):
        rows = self.say(menu, "print", {})
        return {row.get(".id", "*0"): {k: self.read(k, v) for k, v in row.items() if k != ".id"} for row in rows}

    def add(self, menu, values):
        self.say(menu, "add", {name: self.reported(value) for name, value in values.items()})

    def set(self, menu, key, values):
        for name in [name for name, value in values.items() if value is None]:
            del values[name]
            self.say(menu, "unset", {"numbers": key, "value-name": name})
        if values:
            self.say(menu, "set", {**({} if key == "*0" else {".id": key}), **{n: self.reported(v) for n, v in values.items()}})

    def remove(self, menu, key):
        self.say(menu, "remove", {".id": key})

    def get(self, menu, key, name):
        return self.rows(menu)[key].get(name, [] if name in LISTS else None)

    def get_all(self, menu, key):
        return self.rows(menu)[key]

    def only(self, menu, name):
        found = [key for key, row in self.rows(menu).items() if row.get("name") == name]
        if len(found) != 1:
            raise router_model.Stop(f"{menu}: {len(found)} items have the name {name}")
        return found[0]


class Router:
    def __init__(self, version):
        self.stack = contextlib.ExitStack()
        folder = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.control = folder / "control"
        command = [ROSSIM, "--port", "0", "--preset", "none", "--ros-version", version, "--control", self.control,
                   "--user", "admin:admin:read,write,api,policy,ftp"]
        process = self.stack.enter_context(subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True))
        self.stack.callback(process.terminate)
        port = int(re.search(r", port (\d+)", process.stdout.readline())[1])
        self.api = librouteros.connect(host="127.0.0.1", port=port, username="admin", password="admin")
        self.stack.callback(self.api.close)
        self.pasted = Pasted(self.api)
        for menu, values in (("/interface list", {"name": "LAN"}), ("/ip dhcp-server network", {"address": "192.168.88.0/24",
                                                                                             "dns-server": "192.168.88.1"}),
                             ("/ip firewall filter", {"chain": "forward", "action": "fasttrack-connection"})):
            self.pasted.add(menu, values)
        self.pasted.set("/ip dns", "*0", {"servers": "9.9.9.9"})

    def paste(self, text):
        return router_model.Script(text).run(self.pasted)

    def netwatch(self, host, state):
        """What netwatch sees of the host; how many of its rows changed and ran their script."""
        done = subprocess.run([ROSSIM, "ctl", self.control, "netwatch", host, state], capture_output=True, text=True, check=True)
        return int(done.stdout)

    def picture(self):
        menus = ("/ip dns", "/ip firewall nat", "/ipv6 firewall nat", "/ip firewall mangle", "/ipv6 firewall mangle", "/tool netwatch",
                 "/ip firewall filter", "/ip dhcp-server network", "/ipv6 nd", "/ip route", "/ipv6 route", "/routing table", "/user",
                 "/user group", "/system script", "/ip service")
        out = {menu: sorted(map(str, self.pasted.rows(menu).values())) for menu in menus}
        out["/ip service"] = [row for row in out["/ip service"] if "'dynamic'" not in row and "'connection'" not in row]
        return out


def blocks(*options):
    """By title: "set up", "undo", "failover: set up", "failover: undo"."""
    output = subprocess.run([STEERDNSD, "--routeros-setup", ROOT / "configs/minimal.yaml", *options], capture_output=True, text=True, check=True)
    text = output.stdout
    for name, value in FILLED.items():
        text = re.sub(rf'(:local {name}) "(?:no)?"', rf'\1 "{value}"', text)
    text = text.replace('undo "no"', 'undo "yes"')
    parts = ["# ==== " + part for part in text.split("\n# ==== ")[1:]]
    return {part.split("\n")[0].split('": ')[1]: part for part in parts}


class Paste(unittest.TestCase):
    def router(self, version):
        router = Router(version)
        self.addCleanup(router.stack.close)
        return router

    def test_setup_and_failover_are_applied_and_taken_back(self):
        for option in ("netwatch", "192.0.2.53"):
            text = blocks("--failover", option)
            self.assertEqual(list(text), ["set up", "undo", "failover: set up", "failover: undo"])
            for version in VERSIONS:
                with self.subTest(option, version=version):
                    router = self.router(version)
                    before = router.picture()
                    self.assertEqual(router.paste(text["set up"]), [])
                    self.assertRegex(router.pasted.printed[-1], "^steerdns: setup complete; rows added: ")
                    set_up = router.picture()
                    self.assertNotEqual(set_up, before)
                    self.assertEqual(router.paste(text["failover: set up"]), [])
                    done = router.picture()
                    self.assertNotEqual(done, set_up)
                    self.assertEqual(router.paste(text["failover: set up"]), [])
                    self.assertEqual(router.picture(), done, "pasted twice")
                    self.assertEqual(router.paste(text["failover: undo"]), [])
                    self.assertEqual(router.picture(), set_up)
                    self.assertEqual(router.paste(text["undo"]), [])
                    after = router.picture()
                    for menu in ("/ip service",):  # the undo does not open the API again
                        del before[menu], after[menu]
                    self.assertEqual(after, before)

    def test_netwatch_switches_the_rules_and_switches_them_back(self):
        for version in VERSIONS:
            with self.subTest(version):
                router = self.router(version)
                self.assertEqual(router.paste(blocks("--failover", "netwatch")["failover: set up"]), [])
                watch, = router.api("/tool/netwatch/print")
                self.assertEqual((watch["host"], watch["type"], watch["port"]), ("172.16.1.2", "tcp-conn", 53))

                def states():
                    rules = [*router.api("/ip/firewall/nat/print"), *router.api("/ipv6/firewall/nat/print")]
                    return [(rule["protocol"], rule["action"], rule["disabled"]) for rule in rules]
                idle = [("udp", "redirect", True), ("tcp", "redirect", True)] * 2
                self.assertEqual(states(), idle)
                self.assertEqual(router.netwatch("192.0.2.1", "down"), 0, "another host")
                self.assertEqual(router.netwatch("172.16.1.2", "up"), 1)
                self.assertEqual(states(), idle)
                self.assertEqual(router.netwatch("172.16.1.2", "down"), 1)
                self.assertEqual(states(), [(protocol, action, False) for protocol, action, _ in idle])
                self.assertEqual(router.netwatch("172.16.1.2", "down"), 0, "still down")
                self.assertEqual(router.netwatch("172.16.1.2", "up"), 1)
                self.assertEqual(states(), idle)

    def test_the_loss_is_spelled_out(self):
        text = blocks("--failover", "netwatch")["failover: set up"]
        self.assertIn("Policy routing by name stops", text)
        self.assertIn("until their TTL ends", text)
        self.assertIn("drop port 53 from the uplink", text)
        self.assertIn("whenever they like", blocks("--failover", "192.0.2.53")["failover: set up"])

    def test_wrong_options_are_refused(self):
        for options, output in ((["--failover", "netwach"], "--failover netwach: write netwatch, or the address of a second DNS server"),
                              (["--failover", "127.0.0.1"], "write netwatch, or the address"),):
            done = subprocess.run([STEERDNSD, "--routeros-setup", ROOT / "configs/minimal.yaml", *options], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(output, done.stderr)
        self.assertEqual(subprocess.run([STEERDNSD, "--failover", "netwatch"], capture_output=True).returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
