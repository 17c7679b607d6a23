"""Errors that only a start can find, each in one sentence that says what to do; privileges; an end that leaves nothing."""

import os
import pathlib
import pwd
import re
import socket
import sys
import time
import unittest

from lab.network import run, until
from lab.scene import ERROR, PASSWORD, ROOT, USER, Scene

BUILD = sys.argv.pop(1)
MINIMAL = (ROOT / "configs/minimal.yaml").read_text()
HOLDER = """
import socket, sys
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM if sys.argv[3] == 'tcp' else socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
if sys.argv[3] == 'tcp': s.listen()
print('ready', flush=True); sys.stdin = None
import signal; signal.pause()
"""
CAPABILITIES = {"net_bind_service": 10, "net_admin": 12, "net_raw": 13, "ipc_lock": 14, "bpf": 39}


def with_ports(port, rest=MINIMAL):
    return f"dataplane:\n  ports:\n    - {port}\n" + rest


def reserved_ports(scene):
    return scene.network.run("appliance", "cat", "/proc/sys/net/ipv4/ip_local_reserved_ports").stdout.strip()


class Start(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("start", BUILD))
        self.serial = 0

    def write(self, text):
        self.serial += 1
        path = self.scene.folder / f"config-{self.serial}.yaml"
        path.write_text(text)
        return path

    def daemon(self, text, *options, before=()):
        """Runs the daemon until it ends by itself."""
        if "--control-socket" not in options:
            options += ("--control-socket", str(self.scene.socket))
        return self.scene.network.run("appliance", *before, f"{BUILD}/steerdnsd", "--config", str(self.write(text)),
                                      *options, check=False, timeout=20)

    def refused(self, text, sentence, *options, code=1, **how):
        """It ends with `code` and one sentence, and leaves nothing on the interface."""
        done = self.daemon(text, *options, **how)
        lines = [line for line in done.stderr.splitlines() if re.match(ERROR, line)]
        print("  " + "\n  ".join(lines))
        self.assertEqual((done.returncode, len(lines)), (code, 1), done.stdout + done.stderr)
        self.assertEqual(done.stderr.splitlines(), lines, "nothing but that sentence")
        self.assertRegex(lines[0], sentence)
        self.assertNotIn("xdp", self.scene.network.run("appliance", "ip", "link", "show", "eth0").stdout)
        self.assertFalse(self.scene.socket.exists())

    def hold(self, address, port, transport):
        holder = self.scene.network.start("appliance", f"holder-{transport}-{port}", "/usr/bin/python3", "-c", HOLDER,
                                          address, str(port), transport)
        holder.wait_for("ready")
        return holder

    # Refused ------------------------------------------------------------------------------------------------

    def test_a_taken_port_53_is_named_with_its_process(self):
        for address, transport in (("172.16.1.2", "udp"), ("172.16.1.2", "tcp"), ("0.0.0.0", "udp"),
                                   ("fd16::2", "udp")):
            with self.subTest(address=address, transport=transport):
                holder = self.hold(address, 53, transport)
                self.refused(MINIMAL, rf"port 53 on \S+ \({transport.upper()}\) is taken by another process "
                                      rf"\(pid {holder.pid}, python3\): stop it")
                holder.stop()

    def test_a_missing_interface_is_refused(self):
        self.refused(with_ports("{ device: eth7 }"), r":3: there is no interface eth7 here \(there are: lo, eth0\)")
        self.refused(with_ports("{ device: eth7, driver: socket }"), r":3: there is no interface 'eth7'.*ip link")

    def test_impossible_ports_are_refused_with_their_line(self):
        self.refused(with_ports("{ pci: '0000:ff:1f.7' }"), r":3: there is no PCI device 0000:ff:1f.7 here \(.*--ports")
        for driver in ("af_xdp", "af_packet", "socket"):
            self.refused(with_ports(f"{{ device: eth0, driver: {driver}, addresses: [172.16.1.2, 172.16.1.7] }}"),
                         r":3: 172.16.1.7 in `addresses` is not an address of this machine: "
                         r"`ip address add 172.16.1.7/32 dev eth0` gives it")
        self.refused(with_ports("{ device: eth0, driver: af_xdp, queues: 3 }"),
                     r"eth0 has 1 receive queues and `queues` is 3: .*`ethtool -L eth0 ")
        self.refused(with_ports("{ device: eth0, driver: af_packet, queues: 65 }"),
                     r"AF_PACKET takes up to 64 queues and `queues` is 65; lower it")
        self.refused(with_ports("{ device: 'socket=/nowhere/m.sock,role=king', driver: memif }"),
                     r":3: DPDK device net_memif with \"socket=/nowhere/m.sock,role=king\" cannot be made: ")
        self.refused(with_ports("{ device: 'net_nowhere0,a=b', driver: vdev }"),
                     r":3: DPDK's driver net_nowhere is not installed: `apt-get install librte-net-nowhere23`")

    def test_a_memif_socket_is_taken_over_only_from_a_dead_server(self):
        """The server lives, was killed, or is missing."""
        scene, path = self.scene, self.scene.folder / "m.sock"
        scene.folder.chmod(0o777)
        text = with_ports(f"{{ device: 'socket={path},socket-abstract=no,role=server', driver: memif, "
                          "addresses: [192.0.2.53] }")
        for _ in range(2):
            daemon = scene.start_daemon(self.write(text))
            second = self.daemon(text, "--control-socket", str(scene.folder / "second.sock"))
            self.assertEqual(second.returncode, 1)
            self.assertRegex(second.stderr, ERROR + rf".*:3: memif socket {path} is served by another process: stop .*\n$")
            daemon.stop(number=9)
            self.assertTrue(path.exists())
        scene.socket.unlink()
        path.unlink()
        self.refused(text.replace("role=server", "role=client"), rf":3: no process serves memif socket {path} \(No such file")

    def test_two_ports_on_one_device_are_refused(self):
        net = self.scene.network
        net.run("appliance", "ip", "link", "property", "add", "dev", "eth0", "altname", "uplink")
        self.refused(with_ports("{ device: eth0 }\n    - { device: uplink, driver: socket }"),
                     r":4: eth0 is the device of the port in line 3 as well: remove one of the two")

    def test_a_start_reports_every_error_of_the_build(self):
        # (--check reports them too. None of them is known when the file is read.)
        caches = "".join(f"  - tag: {tag}\n    type: cache\n    args: {{ size: 1024, dump_file: {self.scene.folder}/{file} }}\n"
                         for tag, file in (("one", "a"), ("two", "a"), ("three", "b"), ("four", "b")))
        text = MINIMAL.replace("plugins:\n", "plugins:\n" + caches)
        done = self.daemon(text)
        errors = [line for line in done.stderr.splitlines() if re.match(ERROR, line)]
        print("  " + "\n  ".join(errors))
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(len(errors), 2, done.stderr)
        for error, names in zip(errors, ("'one' and 'two'", "'three' and 'four'")):
            self.assertRegex(error, ERROR + rf"\S+\.yaml:\d+: caches {names} have the same dump_file")

    def test_a_missing_default_route_is_reported(self):
        net = self.scene.network
        net.run("appliance", "ip", "route", "del", "default")
        net.run("appliance", "ip", "-6", "route", "del", "default")
        self.refused(MINIMAL, r"no default route.*dataplane.ports")

    def test_an_xdp_program_of_another_owner_is_named_and_kept(self):
        net = self.scene.network
        source = self.scene.folder / "other.c"
        source.write_text('__attribute__((section("xdp"), used)) int other(void *c) { return 2; }\n'
                          'char _license[] __attribute__((section("license"), used)) = "GPL";\n')
        net.run("appliance", "clang", "-O2", "-target", "bpf", "-c", str(source), "-o", str(source.with_suffix(".o")))
        net.run("appliance", "ip", "link", "set", "eth0", "xdp", "obj", str(source.with_suffix(".o")), "sec", "xdp")
        done = self.daemon(with_ports("{ device: eth0, driver: af_xdp }"))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, ERROR + r".*eth0 has the XDP program .other. \(id \d+\) of another program; "
                                      r"`ip link set dev eth0 xdp off` removes it.*\n$")
        self.assertIn("xdp", net.run("appliance", "ip", "link", "show", "eth0").stdout)

    def test_a_taken_http_port_is_named(self):
        self.hold("127.0.0.1", 9153, "tcp")
        self.refused(MINIMAL, r"HTTP cannot be served on 127.0.0.1 port 9153: Address already in use; "
                              r"choose another control.http")

    def test_a_second_daemon_is_refused_and_the_first_serves_on(self):
        scene = self.scene
        scene.start_resolver()
        first = scene.start_daemon(ROOT / "configs/minimal.yaml")
        second = self.daemon("control: { http: off }\n"
                             + with_ports("{ device: lo, driver: socket, addresses: [127.0.0.1] }"))
        self.assertEqual(second.returncode, 1)
        self.assertRegex(second.stderr, ERROR + r"another steerdnsd answers on \S+: stop it, or give this one another "
                                        r"control.socket\n$")
        third = self.daemon(MINIMAL, "--control-socket", str(scene.folder / "third.sock"))
        self.assertEqual(third.returncode, 1)
        self.assertRegex(third.stderr, ERROR + r".*(eth0 is served by another SteerDNS|"
                                       r"taken by another process \(pid \d+, steerdnsd\)).*\n$")
        # Neither disturbed the one that serves.
        self.assertTrue(scene.steerctl("status"))
        self.assertTrue(scene.short("stream.example", "A"))
        self.assertEqual(first.stop(), 0)

    def test_an_impossible_control_socket_is_refused(self):
        self.refused(MINIMAL, r"folder of the control socket, /proc/steer, cannot be made: .*; make it, or choose",
                     "--control-socket", "/proc/steer/c.sock")
        plain = self.scene.folder / "plain"
        plain.write_text("mine")
        self.refused(MINIMAL, r"plain is there and is no socket: remove it", "--control-socket", str(plain))
        self.assertEqual(plain.read_text(), "mine")

    def test_the_socket_of_a_killed_daemon_is_replaced(self):
        scene = self.scene
        scene.folder.chmod(0o777)
        scene.start_resolver()
        scene.start_daemon(ROOT / "configs/minimal.yaml").stop(number=9)
        self.assertTrue(scene.socket.exists())
        again = scene.start_daemon(ROOT / "configs/minimal.yaml")
        self.assertTrue(scene.short("stream.example", "A"))
        self.assertEqual(again.stop(), 0)
        self.assertFalse(scene.socket.exists())

    NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all")

    def test_a_start_without_privileges_names_the_capability(self):
        scene = self.scene
        scene.folder.chmod(0o777)
        socket = ("--control-socket", str(scene.folder / "nobody.sock"))
        self.refused(with_ports("{ device: eth0, driver: af_xdp }"), r"start as root, or with CAP_\w+", *socket,
                     before=self.NOBODY)
        self.refused(with_ports("{ device: eth0, driver: socket }"),
                     r"port 53 on \S+ \((UDP|TCP)\) may be bound by root only: start as root, or with "
                     r"CAP_NET_BIND_SERVICE",
                     *socket, before=self.NOBODY)

    def test_sockets_on_a_high_port_need_no_privileges(self):
        scene = self.scene
        scene.folder.chmod(0o777)
        scene.start_resolver()
        text = with_ports("{ device: eth0, driver: socket }") + """
  - { tag: udp, type: udp_server, args: { entry: seq_main, listen: "172.16.1.2:5353" } }
  - { tag: tcp, type: tcp_server, args: { entry: seq_main, listen: "172.16.1.2:5353" } }
"""
        process = scene.network.start("appliance", "unprivileged", *self.NOBODY, f"{BUILD}/steerdnsd", "--config",
                                      str(self.write(text)), "--control-socket", str(scene.folder / "nobody.sock"))
        process.wait_for("serving on")
        for transport in ("+notcp", "+tcp"):
            self.assertEqual(set(scene.short("-p", "5353", transport, "stream.example", "A")),
                             {"203.0.113.10", "203.0.113.11"})
        self.assertEqual(process.stop(), 0)

    # Not refused: a router never stops DNS -----------------------------------------------------------------

    def complaints(self, daemon):
        return [line for line in daemon.text().splitlines() if re.search(r"\b(warning|error)\b", line)]

    def check_router_error(self, sentence, *router, is_tried_again=True):
        scene = self.scene
        scene.start_resolver()
        if router:
            scene.start_router(*router)
        daemon = scene.start_daemon(ROOT / "configs/minimal.yaml")
        for name in ("stream.example", "www.stream.example", "media.example", "www.other.example"):
            self.assertTrue(scene.short(name, "A"), name)
        until(lambda: re.search(sentence, daemon.text()), 15, f"{sentence!r} is said")
        if is_tried_again:
            scene.wait_tried_again()
        lines = self.complaints(daemon)
        print("  " + "\n  ".join(lines))
        self.assertEqual(len([line for line in lines if re.search(sentence, line)]), 1, daemon.text())
        self.assertEqual(len(lines), 1, daemon.text())
        output = re.search(sentence, lines[0])[0]
        until(lambda: output in scene.steerctl("--json", "status"), 5, "the status says so too")
        self.assertEqual(daemon.stop(), 0)

    def test_a_wrong_router_password_is_reported_once(self):
        self.scene.start_router = self.router_of(f"{USER}:other")
        self.check_router_error(r"refuses user api-user .*check username and password", "--preset", "fast",
                                  is_tried_again=False)  # not within a minute

    def test_a_router_user_without_write_policy_is_reported_once(self):
        self.scene.start_router = self.router_of(f"{USER}:{PASSWORD}:read,api")
        self.check_router_error(r"does not let user api-user write address lists .*"
                                  r"give its group the policies read,write,api", "--preset", "fast")

    def test_an_unreachable_router_is_reported_once(self):
        self.check_router_error(r"router 172.16.1.1:8728 cannot be reached .*answers go on without it; "
                                  r"check its address")

    def router_of(self, user):
        scene = self.scene

        def start(*options):
            scene.rossim = scene.network.start("router", "rossim", f"{BUILD}/tools/rossim/rossim", "--address",
                                               "172.16.1.1", "--port", "8728", "--user", user, *options)
            scene.rossim.wait_for("port 8728")

        return start

    def write_with_secret(self):
        """(a password that root alone may read, a configuration that names it)."""
        secret = self.scene.folder / "password"
        secret.write_text(PASSWORD + "\n")
        secret.chmod(0o600)
        return secret, self.write(MINIMAL.replace('password: "secret"', f'password_file: "{secret}"'))

    def test_files_that_a_reload_cannot_read_are_named_at_the_start(self):
        """Each file once."""
        scene = self.scene
        secret, config = self.write_with_secret()
        daemon = scene.start_daemon(config)
        output = [line for line in self.complaints(daemon) if "at the start only" in line]
        self.assertEqual(len(output), 1, daemon.text())
        self.assertIn(f"warning {secret} can be read at the start only: a reload will be refused, unless the user", output[0])
        self.assertEqual(scene.ask("reload").returncode, 2)
        secret.chmod(0o644)
        scene.steerctl("reload")
        self.assertEqual(daemon.stop(), 0)

    def test_a_symbolic_link_of_the_service_user_is_not_followed(self):
        """A folder changes its owner. The target of a symbolic link does only if root made the link."""
        scene = self.scene
        for owner, handed in ((0, True), (65534, False)):
            folder, link = scene.folder / f"folder{owner}", scene.folder / f"link{owner}"
            folder.mkdir()
            link.symlink_to(folder)
            os.lchown(link, owner, owner)
            config = self.write(f"control: {{ user: nobody, images: {link} }}\n" + MINIMAL)
            daemon = scene.start_daemon(config)
            self.assertEqual(folder.stat().st_uid != 0, handed)
            self.assertEqual(daemon.stop(), 0)

    def test_a_configuration_of_the_daemons_user_gives_it_no_right_of_root(self):
        """The unit names the user (--user); the configuration names root, and files where that user may not write."""
        scene = self.scene
        of_root = scene.folder / "of_root"
        for folder in (of_root, of_root / "images"):
            folder.mkdir()
        options = (*self.unit_user(), "--control-socket", str(scene.socket))
        text = (f"control: {{ user: root, images: {of_root}/images }}\n" + MINIMAL + "  - tag: learned\n    type: dynamic_domain_set\n"
                f"    args: {{ path: {of_root}/made/rules.txt }}\n")
        self.refused(text + f"log: {{ file: {of_root}/steerdns.log }}\n", "the log file cannot be opened: .*Permission denied", *options,
                     before=("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /var/lib && exec "$@"', "sh"))
        daemon = scene.network.start("appliance", "steerdnsd-unit", "unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /var/lib && exec "$@"',
                                     "sh", f"{BUILD}/steerdnsd", "--config", str(self.write(text)), *options)
        daemon.wait_for("serving")
        status = pathlib.Path(f"/proc/{scene.network.pid('appliance', 'steerdnsd')}/status").read_text()
        user = pwd.getpwnam(options[1])
        self.assertIn("\t".join(["Uid:", *[str(user.pw_uid)] * 4]), status)
        self.assertRegex(daemon.text(), rf"`user: root` of `control` has no effect: steerdnsd was started with --user {user.pw_name}")
        found = {str(path.relative_to(of_root)): path.stat().st_uid for path in of_root.rglob("*")}
        self.assertEqual(found, {"images": 0})
        # What is the daemon's own, root gives it.
        state = pathlib.Path(f"/proc/{scene.network.pid('appliance', 'steerdnsd')}/root/var/lib/steerdns")
        self.assertEqual(state.stat().st_uid, user.pw_uid)
        self.assertEqual(daemon.stop(), 0)

    def test_no_file_of_root_is_read_in_the_place_of_a_file_of_the_daemons_user(self):
        """Where that user may write, it puts links to a file that root alone may read."""
        scene = self.scene
        secret = scene.folder / "of_root"
        secret.write_text("root:WORDOFROOT:20228:0:99999:7:::\n")
        secret.chmod(0o600)
        link = "/var/lib/steerdns/link"
        places = {
            "rules": f"  - tag: place\n    type: dynamic_domain_set\n    args: {{ path: {link} }}\n",
            "list": f"  - tag: place\n    type: domain_set\n    args: {{ files: [{link}] }}\n",
            "prefixes": f"  - tag: place\n    type: ip_set\n    args: {{ files: [{link}] }}\n",
            "zone": f"  - tag: place\n    type: arbitrary\n    args: {{ files: [{link}] }}\n",
            "redirect": f"  - tag: place\n    type: redirect\n    args: {{ files: [{link}] }}\n",
            "included": f"include: [{link}]\n",
            "static": f"control: {{ static: {link} }}\n  - tag: place\n    type: static\n",
            "password": MINIMAL.replace('password: "secret"', f'password_file: "{link}"'),
            "certificate": f"  - tag: place\n    type: tcp_server\n    args: {{ entry: seq_main, listen: \"172.16.1.2:853\", cert: {link}, key: {link} }}\n",
            "token": f"control: {{ http: {{ listen: \"172.16.1.2:9154\", tls: {{ certificate: {link}, key: {link} }}, tokens: [{{ name: a, role: read, token_file: {link} }}] }} }}\n",
            "control": f"control: {{ images: {link}, findings: {link}, leases: {link}, router_lists: {link} }}\n",
            "configuration": "",
        }
        before = ("unshare", "--mount", "sh", "-c", f"mount -t tmpfs none /var/lib && mkdir /var/lib/steerdns && ln -s {secret} {link} && "
                  'chown -Rh daemon: /var/lib/steerdns && exec "$@"', "sh")
        for place, text in places.items():
            whole = text if text.startswith("#") or "plugins:" in text else (MINIMAL + text if text.startswith("  ") else text.partition("  - ")[0] + MINIMAL + "".join(text.partition("  - ")[1:]))
            config = link if place == "configuration" else str(self.write(whole))
            for check in (("--check",), ()):
                with self.subTest(place=place, check=check):
                    done = scene.network.run("appliance", "timeout", "-s", "TERM", "3", *before, f"{BUILD}/steerdnsd", *check, "--config", config, *self.unit_user(),
                                             "--control-socket", str(scene.socket), check=False, timeout=20)
                    print("  " + "\n  ".join(line for line in done.stderr.splitlines() if "error" in line))
                    self.assertNotIn("WORDOFROOT", done.stdout + done.stderr)
                    if place != "control":
                        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                        self.assertIn("Permission denied", done.stderr)

    def test_a_secret_that_root_alone_may_read_is_read_for_a_configuration_of_root(self):
        """The daemon's user cannot have chosen it. A configuration that this user may write names no file of root."""
        scene = self.scene
        secret, config = self.write_with_secret()
        config.chmod(0o600)
        options = (*self.unit_user(), "--control-socket", str(scene.socket))
        check = (f"{BUILD}/steerdnsd", "--check", "--config", str(config), *options)
        self.assertEqual(scene.network.run("appliance", *check, check=False).returncode, 0)
        user = pwd.getpwnam(options[1])
        scene.folder.chmod(0o755)
        os.chown(config, user.pw_uid, 0)
        done = scene.network.run("appliance", *check, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f'the file "{secret}" in \'password_file\' of ros_address_list', done.stderr)
        self.assertIn("cannot be read: Permission denied", done.stderr)

    def test_the_control_socket_is_made_as_the_user_of_the_unit(self):
        """In its folder below /run, which systemd makes for root, and in no folder of root that the configuration names."""
        scene = self.scene
        user = pwd.getpwnam(self.unit_user()[1])
        before = ("unshare", "--mount", "sh", "-c", 'for at in /var/lib /run; do mount -t tmpfs none $at; done; mkdir /run/steerdns; exec "$@"', "sh")
        daemon = scene.network.start("appliance", "steerdnsd-run", *before, f"{BUILD}/steerdnsd", "--config", str(self.write(MINIMAL)), *self.unit_user())
        daemon.wait_for("serving")
        run = pathlib.Path(f"/proc/{scene.network.pid('appliance', 'steerdnsd')}/root/run/steerdns")
        for path, mode in ((run, 0o755), (run / "control.sock", 0o660)):
            self.assertEqual((path.stat().st_uid, path.stat().st_mode & 0o777), (user.pw_uid, mode), path)
        self.assertEqual(daemon.stop(), 0)
        done = scene.network.run("appliance", *before, f"{BUILD}/steerdnsd", "--config", str(self.write(f"control: {{ socket: {scene.folder}/c.sock }}\n" + MINIMAL)),
                                 *self.unit_user(), check=False, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"control socket \S+/c.sock .*Permission denied")
        self.assertFalse((scene.folder / "c.sock").exists())

    def unit_user(self):
        """`--user NAME` as the systemd unit has it; its user `steerdns` is `daemon` here, which every Debian has."""
        start, = re.findall(r"^ExecStart=(.*)$", (ROOT / "configs/steerdnsd.service.in").read_text(), re.M)
        return tuple(word.replace("steerdns", "daemon") for word in re.findall(r"--user \S+", start)[0].split())

    def test_an_unknown_user_is_refused(self):
        self.assertEqual(self.daemon(MINIMAL, "--user", "nobody-of-that-name").returncode, 2)

    def test_a_start_serves_an_older_image_of_long_lists_of_regexps(self):
        """It compiles the list as it is in the background, and takes that up by itself."""
        scene = self.scene
        scene.start_resolver()
        images, rules = scene.folder / "images", scene.folder / "rules.txt"
        images.mkdir()
        for folder in (scene.folder, images):
            folder.chmod(0o777)
        text = (f"control: {{ images: {images} }}\n" + MINIMAL + f"  - {{ tag: many, type: domain_set, args: {{ files: [{rules}] }} }}\n")
        text = text.replace("      - matches", '      - { matches: qname $many, exec: "reject 3" }\n      - matches', 1)
        self.assertIn("qname $many", text)
        old, kept, new = (r"regexp:^old[0-9]+\.other\.example$", r"regexp:^kept[0-9]+\.other\.example$", r"regexp:^new[0-9]+\.other\.example$")
        filler = [rf"regexp:^f{n}(a|bc)*[0-9]+\.filler{n}\.example$" for n in range(1500)]

        def blocked():
            return {name for name in ("old1", "kept1", "new1") if not scene.short(f"{name}.other.example", "A")}

        rules.write_text("\n".join([old, kept, *filler]) + "\n")
        first = scene.start_daemon(self.write(text))
        self.assertEqual(blocked(), {"old1", "kept1"})
        self.assertEqual(first.stop(), 0)
        rules.write_text("\n".join([kept, *filler, new]) + "\n")
        again = scene.start_daemon(self.write(text), wait="serving on")
        self.assertIn("1 of 1502 keyword and regexp rules have no effect yet", again.text())
        if "is in force after" not in again.text():
            self.assertEqual(blocked() | {"new1"}, {"kept1", "new1"})
        until(lambda: "compiled in the background" in again.text().partition("is in force after")[2], 60, "the list as it is")
        self.assertEqual(blocked(), {"kept1", "new1"})
        self.assertNotIn("older image", scene.steerctl("--json", "status"))
        self.assertEqual(again.stop(), 0)
        third = scene.start_daemon(self.write(text))
        self.assertNotIn("no effect yet", third.text())
        self.assertEqual(third.stop(), 0)

    # Rights and the end ------------------------------------------------------------------------------------

    def test_the_service_manager_gets_ready_and_stopping(self):
        """`Type=notify` of the unit waits for these messages."""
        scene = self.scene
        scene.start_resolver()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(30)
            manager.bind(str(scene.folder / "notify"))
            os.chmod(scene.folder, 0o755)
            os.chmod(scene.folder / "notify", 0o777)

            def start(config):
                return scene.network.start("appliance", f"told-{config.stem}", f"{BUILD}/steerdnsd", "--config", str(config),
                                           "--control-socket", str(scene.socket),
                                           env={"NOTIFY_SOCKET": str(scene.folder / "notify")})

            self.assertEqual(start(self.write(with_ports("{ device: eth7 }"))).child.wait(20), 1)
            daemon = start(self.write(MINIMAL))
            self.assertEqual(manager.recv(4096), b"READY=1", "and nothing of the one that could not start")
            self.assertTrue(scene.short("stream.example", "A"))
            daemon.child.terminate()
            # Its state comes before.
            output = iter(lambda: manager.recv(4096), b"STOPPING=1")
            self.assertEqual({message for message in output if not message.startswith(b"STATUS=")} - {b"WATCHDOG=1"}, set())
            self.assertEqual(daemon.child.wait(20), 0)

    def test_every_log_line_has_time_and_level(self):
        """Before the configuration is read as after it."""
        scene = self.scene
        scene.start_resolver()
        daemon = scene.start_daemon(self.write(MINIMAL + "log: { level: warning, production: true }\n"), wait="")
        until(lambda: daemon.text() != "", 20, "the first line")
        until(scene.socket.exists, 20, "it serves")
        for line in daemon.text().splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d (warning|error) ")
        self.assertIn("warning " + str(scene.folder), daemon.text())
        self.assertEqual(daemon.stop(), 0)

    def test_privileges_are_dropped_and_the_end_leaves_nothing(self):
        scene = self.scene
        scene.folder.chmod(0o777)  # as /run/steerdns, which belongs to the daemon's user
        scene.start_resolver()
        daemon = scene.start_daemon(ROOT / "configs/minimal.yaml")
        pid = scene.network.pid("appliance", "steerdnsd")
        allowed = sum(1 << bit for bit in CAPABILITIES.values())
        threads = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
        self.assertGreater(len(threads), 3)
        for thread in threads:
            lines = (thread / "status").read_text().splitlines()
            status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
            with self.subTest(thread=status["Name"]):
                self.assertNotIn("0", status["Uid"].split())
                self.assertNotIn("0", status["Gid"].split())
                self.assertEqual(status["Groups"].split(), [])
                for kind in ("CapEff", "CapPrm"):
                    self.assertEqual(int(status[kind], 16) & ~allowed, 0, kind)
                # What the starter starts gets CAP_NET_ADMIN if it is steerdns-sets, and else nothing.
                self.assertEqual(int(status["CapInh"], 16) & ~(1 << CAPABILITIES["net_admin"]), 0)
                self.assertEqual(int(status["CapAmb"], 16), 0)
                self.assertEqual((int(status["CapBnd"], 16), status["NoNewPrivs"], status["Umask"]), (0, "1", "0077"))
                if int(thread.name) == pid:  # without CAP_BPF if the kernel lets it change maps all the same
                    self.assertIn(int(status["CapEff"], 16), (allowed, allowed & ~(1 << CAPABILITIES["bpf"])))
        # The lab's machine has no user steerdns. What `nobody` owns could be used by every process of that user.
        self.assertEqual((scene.socket.stat().st_uid, scene.socket.stat().st_gid), (0, 0))
        link = scene.network.run("appliance", "ip", "link", "show", "eth0").stdout
        self.assertIn("xdp", link)
        self.assertEqual(reserved_ports(scene), "10240-26623")
        # With those rights alone it goes on: an address that comes is served.
        scene.network.address("appliance", "eth0", "172.16.1.9/24")
        until(lambda: scene.short("+timeout=1", "stream.example", "A", server="172.16.1.9"), 5, "the new address is served")
        self.assertTrue(scene.short("+tcp", "stream.example", "A", server="172.16.1.9"))
        start = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        print(f"  ends {time.monotonic() - start:.2f} s after SIGTERM")
        self.assertNotIn("xdp", scene.network.run("appliance", "ip", "link", "show", "eth0").stdout)
        self.assertEqual(reserved_ports(scene), "")
        self.assertFalse(scene.socket.exists())


class Words(unittest.TestCase):
    """The command line, in a namespace where every change would be seen."""

    @classmethod
    def setUpClass(cls):
        cls.scene = cls.enterClassContext(Scene("words", BUILD))

    def say(self, *words):
        return self.scene.network.run("appliance", f"{BUILD}/steerdnsd", *words, check=False, timeout=20)

    def test_check_accepts_good_configurations(self):
        before = self.picture()
        for name in sorted(os.listdir(ROOT / "configs")):
            if not name.endswith(".yaml"):
                continue
            with self.subTest(name):
                done = self.say("--check", "--config", str(ROOT / "configs" / name))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("is good", done.stdout)
        self.assertEqual(self.picture(), before)

    def test_check_names_a_firewall_that_a_port_passes_by(self):
        network, path = self.scene.network, self.scene.folder / "ports.yaml"

        def warned(driver):
            path.write_text(with_ports(f"{{ device: eth0, driver: {driver} }}"))
            done = self.say("--check", str(path))
            self.assertEqual(done.returncode, 0, done.stderr)
            return [line for line in done.stderr.splitlines() if "firewall" in line]

        nft = ("add table inet guard", "add chain inet guard in { type filter hook input priority 0; policy accept; }",
               "add chain inet guard through { type filter hook forward priority 0; policy drop; }",
               "add chain inet guard translate { type nat hook prerouting priority -100; policy accept; }",
               "add rule inet guard translate udp dport 5353 redirect to :53")
        try:
            for line in nft:
                network.run("appliance", "nft", line)
            self.assertEqual(warned("af_xdp"), [], "no chain there drops a query")
            for rule in ("in counter meta mark set 1 accept", "in jump marks", "marks meta mark set 2 return", "unused drop"):
                network.run("appliance", "nft", f"add chain inet guard {'unused' if 'unused' in rule else 'marks'}")
                network.run("appliance", "nft", f"add rule inet guard {rule}")
            self.assertEqual(warned("af_xdp"), [], "rules that only mark and accept drop no query")
            for rule in ("marks udp dport 53 reject", "marks udp dport vmap { 53 : drop }", "marks udp dport 53 goto unused"):
                with self.subTest(rule=rule):
                    network.run("appliance", "nft", f"add rule inet guard {rule}")
                    self.assertEqual(len(warned("af_xdp")), 1)
                    network.run("appliance", "nft", "flush chain inet guard marks")
                    self.assertEqual(warned("af_xdp"), [])
            for jump in ("-A INPUT -j MARK --set-mark 3", "-A INPUT -p udp --dport 53 -j REJECT"):
                network.run("appliance", "iptables-nft", *jump.split())
                self.assertEqual(len(warned("af_xdp")), "REJECT" in jump, jump)
            network.run("appliance", "iptables-nft", "-F", "INPUT")
            network.run("appliance", "nft", "add rule inet guard in udp dport 53 drop")
            output, = warned("af_xdp")
            self.assertRegex(output, r"ports.yaml:\d+: queries that eth0 receives do not pass this host's firewall \(inet guard in\)")
            self.assertEqual(len(warned("af_packet")), 1)
            self.assertEqual(warned("socket"), [])
            network.run("appliance", "nft", "flush chain inet guard in")
            network.run("appliance", "nft", "add chain inet guard in { type filter hook input priority 0; policy drop; }")
            self.assertEqual(len(warned("af_xdp")), 1)
        finally:
            network.run("appliance", "nft", "delete table inet guard", check=False)

    def test_check_reports_every_error(self):
        path = self.scene.folder / "bad.yaml"
        path.write_text(MINIMAL.replace('addr: "udp://1.1.1.1:53"', 'addr: "udp://one.one:99999"')
                        .replace("max_ttl: 1800", "max_ttl: soon").replace("$forward_main", "$forward_man")
                        .replace("    type: qname", "    type: qnome"))
        before = self.picture()
        done = self.say("--check", "--config", str(path))
        self.assertEqual(done.returncode, 2)
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        print("  " + "\n  ".join(errors))
        for piece in ("one.one", "max_ttl", "forward_man", "qnome"):
            self.assertEqual(len([e for e in errors if piece in e]), 1, done.stderr)
        for error in errors:
            self.assertRegex(error, r"^error: \S*bad\.yaml:\d+: ")
        self.assertEqual(len(errors), 4, done.stderr)
        self.assertEqual(self.picture(), before)
        # And a start with it is refused in the same words.
        again = self.say("--config", str(path), "--control-socket", str(self.scene.socket))
        self.assertEqual(again.returncode, 2)
        self.assertEqual(["error: " + re.sub(ERROR, "", e) for e in again.stderr.splitlines()], errors)
        self.assertEqual(self.picture(), before)

    def test_check_names_the_configuration(self):
        """With both ways to name it, also in errors."""
        minimal = str(ROOT / "configs/minimal.yaml")
        for words in (("--check", minimal), ("--config", minimal, "--check"), ("--check", "--config", minimal)):
            done = self.say(*words)
            self.assertEqual((done.returncode, done.stdout), (0, f"{minimal} is good\n"), words)
        missing = self.say("--check", "/nowhere/steer.yaml")
        self.assertEqual((missing.returncode, missing.stdout), (2, ""))
        self.assertIn("/nowhere/steer.yaml", missing.stderr)

    def test_a_missing_configuration_is_reported(self):
        done = self.say("--config", "/nowhere/steer.yaml")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, ERROR + r".*/nowhere/steer.yaml.*No such file.*\n$")

    def test_wrong_options_of_steerdnsd_are_refused(self):
        version = self.say("--version")
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout, r"^steerdnsd \d+\.\d+\.\d+\S*\n$")
        text = self.say("--help")
        self.assertEqual(text.returncode, 0)
        for word in ("--config", "--check", "--dump-program", "--ports", "--routeros-setup", "--version", "SIGTERM"):
            self.assertIn(word, text.stdout)
        wrong = self.say("--no-such-word")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("--no-such-word", wrong.stderr)
        reference = self.say("--config-reference")
        self.assertEqual(reference.returncode, 0)
        self.assertIn("### `ros_address_list`", reference.stdout)
        for page in ("configuration", "exit-codes", "metrics", "verdicts"):
            written = self.say("--reference", page)
            self.assertEqual(written.returncode, 0)
            self.assertEqual(written.stdout, (ROOT / f"docs/reference/{page}.md").read_text(),
                             f"steerdnsd --reference {page} > docs/reference/{page}.md")
        unknown = self.say("--reference", "nothing")
        self.assertEqual((unknown.returncode, unknown.stdout), (2, ""))
        self.assertIn("there is no reference page", unknown.stderr)

    def test_wrong_commands_of_steerctl_are_refused(self):
        for words, sentence in (((), "steerctl: a command is missing; write one, as in 'steerctl status'"), (("mdns",), "mdns"),
                                (("cache",), "steerctl: a command is missing after 'cache'; write one of stats, show, "),
                                (("routers", "reboot"), "reboot"), (("routers", "trace"), "NAME is required")):
            done = self.scene.ask(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn(sentence, done.stderr)
        self.assertIn("Name of the router\n", self.scene.ask("routers", "trace", "--help").stdout)

    def test_install_puts_programs_manuals_and_unit_in_place(self):
        """The unit starts the installed program."""
        folder = self.scene.folder / "installed"
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", str(folder))
        found = {path.name: path for path in folder.rglob("*") if path.is_file()}
        self.assertLessEqual({"steerdnsd", "steerctl", "steerdns-sets", "steerdnsd.8", "steerctl.8", "steerdns.yaml.5", "steerdnsd.service",
                              "steerdns.yaml", "steerdns.conf", "_steerctl", "minimal.yaml"}, set(found))
        self.assertGreater(found["steerdns.yaml.5"].stat().st_size, 10_000)
        self.assertLess(found["steerdnsd"].stat().st_size, 25_000_000)
        self.assertIn(f"ExecStart=/{found['steerdnsd'].relative_to(folder)} --user steerdns --config", found["steerdnsd.service"].read_text())

    def test_the_manual_pages_have_every_command_and_option(self):
        def page(name):
            return re.sub(r"\\f.", "", (ROOT / f"docs/reference/man/{name}").read_text()).replace("\\-", "-")

        def compare(program, manual, *command):
            text = self.scene.network.run("appliance", f"{BUILD}/{program}", *command, "--help").stdout
            for option in re.findall(r"(?m)^ +(?:-\w,)?(--[a-z-]+)", text):
                self.assertTrue(option in manual, (program, *command, option))
            for name in re.findall(r"(?m)^  ([a-z]+) ", text.partition("\nSubcommands:\n")[2]):
                words = (*command, name)
                self.assertTrue(any(set(words) <= set(re.findall(r"\w+", line)) for line in manual.splitlines()), words)
                compare(program, manual, *words)

        compare("steerdnsd", page("steerdnsd.8"))
        compare("tools/steerctl/steerctl", page("steerctl.8"))

    def test_ports_shows_devices_and_changes_nothing(self):
        """As root and as the user `nobody`."""
        before = self.picture()
        for words in ((), Start.NOBODY):
            done = self.scene.network.run("appliance", *words, f"{BUILD}/steerdnsd", "--ports", check=False, timeout=20)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"(?m)^  eth0: veth, up, MTU 1500, 1 receive queue, the default route\n"
                                          r"  -> `device: eth0` serves it by af_xdp.*; so it does without")
            self.assertRegex(done.stdout, r"(?m)^  lo: .*\n  -> `device: lo` serves it by kernel sockets: it is not Eth")
            self.assertRegex(done.stdout, r"(?m)^PCI network devices\n  ")
            self.assertRegex(done.stdout, r"(?m)^memory\n  ")
        print("  " + done.stdout.replace("\n", "\n  "))
        self.assertIn("  root: a start needs it", done.stdout)
        self.assertEqual(self.picture(), before)

    def test_dump_program_shows_instructions_and_lines(self):
        configuration = ROOT / "configs/minimal.yaml"
        lines = configuration.read_text().splitlines()
        line = 1 + next(i for i, text in enumerate(lines) if 'exec: "$forward_main"' in text)
        done = self.say("--dump-program", "--config", str(configuration))
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("enter_list ros_address_list_policy", f"forward udp://1.1.1.1:53  # line {line}\n"):
            self.assertIn(word, done.stdout)

    def test_routeros_setup_prints_commands_and_changes_nothing(self):
        """For the configuration's routers or another file's."""
        before = self.picture()
        minimal = str(ROOT / "configs/minimal.yaml")
        for words in (("--routeros-setup", minimal), ("--config", minimal, "--routeros-setup"),
                      ("--routeros-setup", "--config", minimal)):
            done = self.say(*words)
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            self.assertRegex(done.stdout, r'(?m)^# ==== router "172.16.1.1:8728": set up$')
            self.assertRegex(done.stdout, r'(?m)^# ==== router "172.16.1.1:8728": undo$')
            self.assertNotIn("secret", done.stdout)
        none = self.say("--routeros-setup", str(ROOT / "configs/other_questions.yaml"))
        self.assertEqual((none.returncode, none.stdout), (2, ""))
        self.assertRegex(none.stderr, r"^error: \S*other_questions.yaml: no router to set up: .*\n$")
        self.assertEqual(self.picture(), before)

    def picture(self):
        """Everything that a start would change."""
        net = self.scene.network
        return (net.run("appliance", "ip", "link").stdout, net.run("appliance", "ss", "-Hlnptu").stdout,
                reserved_ports(self.scene), self.scene.socket.exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
