"""`type: recursion` under Debian's own AppArmor profile of unbound, which a build machine's kernel may lack.

usage: recursion_vm.py BUILD (the folder with the guest's build in vm/)
"""

import pathlib
import shutil
import sys
import unittest

from lab.network import Network, until

from appliance import OUTSIDE4, START_S, V4, XDP_OPTIONS, Appliance, Outside
from machine import Machine, prepared

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
USER, UID = "steerdns-recursion", 4711
PLUGINS = """
plugins:
  - tag: resolve
    type: recursion
    args: { instances: 1, cache_size: 8MiB, stubs: { stream.example: [ "UPSTREAM" ] }, negative_trust_anchors: [ stream.example ] }
  - { tag: main, type: sequence, args: [ { exec: "cache 1024 short_circuit" }, { exec: $resolve } ] }
"""
# With a user of its own, and Debian's profile in force. /var/lib/unbound is empty, as after the package's first installation.
PREPARE = f"""set -e
    mount -t securityfs s /sys/kernel/security
    mount -t tmpfs v /var/lib
    mkdir -p /var/lib/unbound /var/lib/steerdns
    for file in passwd group; do cp /etc/$file /run/$file; done
    grep -q ^{USER}: /run/passwd || echo {USER}:x:{UID}:{UID}::/nowhere:/usr/sbin/nologin >>/run/passwd
    grep -q ^{USER}: /run/group || echo {USER}:x:{UID}: >>/run/group
    for file in passwd group; do mount --bind /run/$file /etc/$file; done
    apparmor_parser --skip-cache --replace /etc/apparmor.d/usr.sbin.unbound
"""


def setUpModule():
    global outside, machine
    for program in ("apparmor_parser", "unbound"):
        if shutil.which(program) is None:
            raise unittest.SkipTest(f"{program} is missing: tools/deps --all")
    kernel = prepared(BUILD)
    network = unittest.enterModuleContext(Network("vm"))
    outside = Outside(network, options=XDP_OPTIONS)
    outside.resolver()
    machine = Machine(network, "outside", kernel, BUILD / "vm", [outside.tap])
    machine.run(f"ip link set eth0 up; ip address add {V4}/24 dev eth0")
    machine.run(PREPARE)


class Profile(unittest.TestCase):
    def setUp(self):
        self.appliance = self.start()
        until(lambda: self.instance()["up"], START_S, "unbound is up", 0.5)

    def start(self) -> Appliance:
        return self.enterContext(Appliance(machine, "{ ports: [{ device: eth0 }] }", PLUGINS, OUTSIDE4))

    def instance(self) -> dict:
        return self.appliance.steerctl("recursion")["instances"][0]

    def denied(self) -> str:
        return machine.run("dmesg | grep 'apparmor=\"DENIED\"' || true")

    def test_it_resolves_in_force_and_nothing_is_denied(self):
        pid = self.instance()["pid"]
        self.assertIn("unbound (enforce)", machine.run(f"cat /proc/{pid}/attr/current"))
        self.assertIn(f"Uid:\t{UID}\t{UID}", machine.run(f"cat /proc/{pid}/status"))
        self.assertEqual(outside.short("short.stream.example", "A"), {"203.0.113.20"})
        # Its start, its end, a change without a restart, and what it keeps.
        self.appliance.steerctl("recursion", "flush", "--below", "stream.example")
        machine.run("sed -i 's/\\[ stream.example *\\]/[ stream.example, other.example ]/' /run/steerdns.yaml")
        self.appliance.steerctl("reload")
        until(lambda: "other.example" in machine.run("cat /var/lib/unbound/steerdns/0/unbound.conf"), 30, "the change is written", 0.5)
        self.assertEqual(self.instance()["pid"], pid)
        machine.run(f"kill -9 {pid}")
        until(lambda: self.instance()["up"] and self.instance()["pid"] != pid, START_S, "it is up again", 0.5)
        self.assertEqual(outside.short("long.stream.example", "A"), {"203.0.113.21"})
        self.assertEqual(self.denied(), "")
        self.assertEqual(machine.run("stat -c '%U %a' /var/lib/unbound/steerdns/0").split(), [USER, "770"])

    def test_the_profile_keeps_it_out_of_other_folders(self):
        self.appliance.stop()
        self.appliance = self.enterContext(Appliance(
            machine, "{ ports: [{ device: eth0 }] }\ncontrol: { recursion: /run/elsewhere }", PLUGINS, OUTSIDE4))
        until(lambda: self.instance()["trouble"], START_S, "it cannot run there", 0.5)
        self.assertFalse(self.instance()["up"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
