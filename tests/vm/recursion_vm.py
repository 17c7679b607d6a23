"""`type: recursion` where a build machine cannot try it: under Debian's own AppArmor profile of unbound, and with a control
group, as the package's unit under systemd and as a container.

usage: recursion_vm.py BUILD (the folder with the guest's build in vm/)
"""

import json
import pathlib
import re
import shutil
import sys
import textwrap
import unittest

from lab.network import Network, until

from appliance import OUTSIDE4, SOCKET, START_S, V4, XDP_OPTIONS, Appliance, Outside
from machine import Machine, prepared

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
USER, UID, DAEMON = "steerdns-recursion", 4711, "steerdns"
PLUGINS = """
plugins:
  - tag: resolve
    type: recursion
    args: { instances: 1, cache_size: 8MiB, stubs: { stream.example: [ "UPSTREAM" ] }, negative_trust_anchors: [ stream.example ] }
  - { tag: main, type: sequence, args: [ { exec: "cache 1024 short_circuit" }, { exec: $resolve } ] }
"""
# With users of their own, and Debian's profile in force. /var/lib/unbound is empty, as after the package's first installation.
PREPARE = f"""set -e
    mount -t securityfs s /sys/kernel/security
    mount -t tmpfs v /var/lib
    mkdir -p /var/lib/unbound /var/lib/steerdns
    for file in passwd group; do cp /etc/$file /run/$file; done
    for user in {USER}:x:{UID} {DAEMON}:x:{UID + 1}; do
        sed -i "/^${{user%%:*}}:/d" /run/passwd /run/group
        echo $user:${{user##*:}}::/nowhere:/usr/sbin/nologin >>/run/passwd
        echo $user: >>/run/group
    done
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
    machine.run("mount -t cgroup2 c /sys/fs/cgroup")


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


class Container(unittest.TestCase):
    """A process whose own group is the top of what it sees, with a writable /sys/fs/cgroup."""

    def start(self, controllers: str) -> Appliance:
        """`controllers`: what cgroup.subtree_control is told."""
        machine.run(f"""set -e
            echo "{controllers}" >/sys/fs/cgroup/cgroup.subtree_control
            mkdir -p /sys/fs/cgroup/box""")
        # (Empty as soon as the last process has ended.)
        self.addCleanup(until, lambda: not machine.run("cd /sys/fs/cgroup; rmdir box/*/ box; ls -d box 2>/dev/null", check=False).count("box\n"),
                        30, "the group is removed", 0.5)
        machine.write("/run/in_container.sh", """
            echo 0 >/sys/fs/cgroup/box/cgroup.procs
            exec unshare --mount --cgroup sh -c 'umount /sys/fs/cgroup && mount -t cgroup2 c /sys/fs/cgroup && exec "$@"' sh "$@" """)
        return self.enterContext(Appliance(machine, "{ ports: [{ device: eth0 }] }", PLUGINS, OUTSIDE4, environment="sh /run/in_container.sh"))

    def test_unbound_has_a_group_of_its_own(self):
        appliance = self.start("+cpu +memory +pids")
        until(lambda: appliance.steerctl("recursion")["instances"][0]["up"], START_S, "unbound is up", 0.5)
        group = appliance.steerctl("recursion")["control_group"]
        self.assertEqual((group["path"], group["why_none"]), ("/recursion", ""))
        assert_limited(self, "/sys/fs/cgroup/box", group)
        self.assertEqual(outside.short("short.stream.example", "A"), {"203.0.113.20"})

    def test_a_controller_that_is_missing_is_named(self):
        appliance = self.start("+cpu +pids -memory")
        group = appliance.steerctl("recursion")["control_group"]
        self.assertEqual(group["why_none"], "/ was not given these controllers: memory")
        until(lambda: outside.short("short.stream.example", "A") == {"203.0.113.20"}, START_S, "unbound answers", 0.5)


class Unit(unittest.TestCase):
    """The package's unit under systemd, with the lines of the guide."""

    def setUp(self):
        # (Without the generators and the units of the host's own files.)
        machine.run("""set -e
            rm -rf /var/lib/steerdns/*
            mkdir -p /run/systemd/system/steerdnsd.service.d
            cp /run/build/steerdnsd.service /run/systemd/system/""")
        machine.write("/run/systemd/system/here.target", "[Unit]\nDefaultDependencies=no")
        machine.write("/run/steerdns.yaml", "dataplane: { ports: [{ device: eth0 }] }\n" + PLUGINS.replace("UPSTREAM", OUTSIDE4))
        start = f"/run/build/steerdnsd --user {DAEMON} --config /run/steerdns.yaml --control-socket {SOCKET}"
        machine.write("/run/systemd/system/steerdnsd.service.d/test.conf", textwrap.dedent(f"""\
            [Unit]
            DefaultDependencies=no
            [Service]
            ExecStart=
            ExecStart={start}
            WatchdogSec=0
            StandardOutput=append:/run/unit.log
            StandardError=append:/run/unit.log"""))
        machine.run("SYSTEMD_GENERATOR_PATH=/nowhere SYSTEMD_UNIT_PATH=/run/systemd/system:/lib/systemd/system "
                    "unshare --mount --pid --fork --kill-child --mount-proc env container=test /lib/systemd/systemd --system "
                    "--log-target=console --unit=here.target >/run/systemd.log 2>&1 3>&- & echo $! >/run/unshare.pid")
        self.addCleanup(self.end)
        until(lambda: self.systemctl("is-system-running", check=False) == "running", START_S, "systemd is up", 0.5)

    def end(self) -> None:
        self.systemctl("stop", "steerdnsd", check=False)
        machine.run("kill -9 $(cat /run/unshare.pid); rm -r /run/systemd/system; rm /run/unit.log", check=False)
        until(lambda: not machine.run("pgrep -x systemd", check=False), 30, "systemd has ended", 0.2)

    def systemctl(self, *words: str, check: bool = True) -> str:
        command = f"nsenter --target $(pgrep -x systemd) --pid --mount systemctl {' '.join(words)}"
        story = " || { cat /run/systemd.log /run/unit.log; false; }" if check else ""
        return machine.run(command + story, START_S, check).strip()

    def group(self) -> dict:
        return json.loads(machine.run(f"/run/build/tools/steerctl/steerctl --socket {SOCKET} --json recursion"))["control_group"]

    def test_without_a_delegation_the_reason_is_said(self):
        self.systemctl("start", "steerdnsd")
        self.assertEqual(self.group()["why_none"], "/system.slice/steerdnsd.service is not delegated to steerdnsd")
        until(lambda: outside.short("short.stream.example", "A") == {"203.0.113.20"}, START_S, "unbound answers", 0.5)

    def test_the_lines_of_the_guide_give_it_one(self):
        guide = (ROOT / "docs/guides/recursion.md").read_text()
        lines = re.search(r"```ini\n(\[Service\]\nDelegate=.*?)```", guide, re.S)[1]
        machine.write("/run/systemd/system/steerdnsd.service.d/override.conf", lines)
        self.systemctl("start", "steerdnsd")
        self.has_a_group()
        self.systemctl("restart", "steerdnsd")
        self.has_a_group()

    def has_a_group(self) -> None:
        group = self.group()
        self.assertEqual((group["path"], group["why_none"]), ("/system.slice/steerdnsd.service/recursion", ""))
        until(lambda: outside.short("short.stream.example", "A") == {"203.0.113.20"}, START_S, "unbound answers", 0.5)
        assert_limited(self, "/sys/fs/cgroup/system.slice/steerdnsd.service", group)


def assert_limited(test: unittest.TestCase, above: str, group: dict) -> None:
    """The engines are in the group, the daemon and its helpers beside it, and the kernel has the limits."""

    def programs(name: str) -> set[str]:
        return set(machine.run(f"for pid in $(cat {above}/{name}/cgroup.procs); do cat /proc/$pid/comm 2>/dev/null || true; done").split())

    test.assertEqual(programs("recursion"), {"unbound"})
    test.assertIn("steerdnsd", programs("daemon"))
    test.assertNotIn("unbound", programs("daemon"))
    test.assertEqual(int(machine.run(f"cat {above}/recursion/memory.max")), group["memory_max"])
    test.assertEqual(machine.run(f"cat {above}/recursion/pids.max").strip(), "64")
    test.assertEqual(machine.run(f"cat {above}/recursion/cpu.weight {above}/daemon/cpu.weight").split(), ["50", "100"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
