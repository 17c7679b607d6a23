"""What the machine lacks or loses (descriptors, threads, memory, rights, room on the disk): said in a sentence that
tells what to do, and queries are answered where they still can be."""

import json
import os
import pathlib
import re
import resource
import signal
import socket
import sys
import unittest

from lab.network import until
from lab.scene import ERROR, Scene

BUILD = sys.argv.pop(1)
SESSIONS = 32  # kMaxControlSessions
STREAM = {"203.0.113.10", "203.0.113.11"}
# Idle connections, by turns from each of the source addresses.
KEEP_OPEN = """
import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
there, sources = [], sys.argv[3:] or ['0.0.0.0']
for i in range(int(sys.argv[2])):
    one = socket.socket()
    one.settimeout(5)
    one.bind((sources[i % len(sources)], 0))
    one.connect((sys.argv[1], 53))
    there.append(one)
print('ready', flush=True)
import signal; signal.pause()
"""
# 40 new names at once over UDP; says how many are answered.
BURST = """
import socket, struct, sys
asks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asks.settimeout(8)
for i in range(40):
    name = b''.join(bytes([len(l)]) + l for l in (f'{sys.argv[2]}{i}'.encode(), b'stream', b'example')) + bytes(1)
    asks.sendto(struct.pack('!6H', i, 0x100, 1, 0, 0, 0) + name + struct.pack('!2H', 1, 1), (sys.argv[1], 53))
good = set()
try:
    while len(good) < 40:
        answer = asks.recv(4096)
        if answer[3] & 15 == 0 and answer[7]: good.add(answer[1])
        else: break
except TimeoutError: pass
print('answered', len(good), flush=True)
"""


def limited(**limits):
    return ("prlimit", *(f"--{name}={value}" for name, value in limits.items()))


def without(capability):
    return "setpriv", f"--bounding-set=-{capability}"


def plugins(names='exps: [ "domain:stream.example", "domain:media.example" ]', more="", rule=""):
    """The plugins, without a router. `names`: of the policy; `more`: lines of other plugins; `rule`: before the forward."""
    return f"""plugins:
  - {{ tag: policy_domains, type: domain_set, args: {{ {names} }} }}
{more}  - tag: main
    type: sequence
    args:
      - {{ matches: "qname $policy_domains", exec: mark 1 }}
{rule}      - {{ exec: "forward udp://1.1.1.1:53" }}
"""


def with_names(file):
    return plugins(f'files: ["{file}"]')


MINIMAL = plugins()
BY_SOCKET = "dataplane: { ports: [ { device: eth0, driver: socket } ] }\n"
AS_ROOT = "control: { user: root }\n"  # so that the test may change its limits
SERVERS = """  - { tag: udp, type: udp_server, args: { entry: main, listen: ":53" } }
  - { tag: tcp, type: tcp_server, args: { entry: main, listen: ":53", idle_timeout: 10m, max_connections_per_client: 1000 } }
"""


class Broken(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = cls.enterClassContext(Scene("broken", BUILD))
        cls.scene.folder.chmod(0o777)
        cls.scene.start_resolver()
        cls.serial = 0

    def tearDown(self):
        if self.scene.daemon is not None:
            self.scene.daemon.stop()
        self.scene.socket.unlink(missing_ok=True)  # of one that had to be killed

    def write(self, text):
        Broken.serial += 1
        path = self.scene.folder / f"config-{self.serial}.yaml"
        path.write_text(text)
        return path

    def command(self, text, before=()):
        return *before, f"{BUILD}/steerdnsd", "--config", str(self.write(text)), "--control-socket", str(self.scene.socket)

    def start(self, text, before=()):
        scene = self.scene
        scene.daemon = scene.network.start("appliance", f"steerdnsd-{self.serial}", *self.command(text, before))
        scene.daemon.wait_for("serving on", 40)
        return scene.daemon

    def refused(self, sentence, text=MINIMAL, before=(), code=1):
        done = self.scene.network.run("appliance", *self.command(text, before), check=False, timeout=30)
        print("  " + done.stderr.strip())
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertRegex(done.stderr, ERROR + rf"{sentence}.*\n$")
        self.assertFalse(self.scene.socket.exists())

    def answered(self, *words):
        return set(self.scene.short(*words, "stream.example", "A")) == STREAM

    # What a start needs ---------------------------------------------------------------------------------------

    def test_a_start_with_too_few_descriptors_or_threads_is_refused(self):
        self.refused(r"this process may open 32 files at most and needs 80 .*LimitNOFILE=65536 .*`ulimit -n 65536`",
                     before=limited(nofile=32))
        # The limit of the user that it becomes.
        self.refused(r"a thread cannot be started \(Resource temporarily unavailable\): raise TasksMax=",
                     before=limited(nproc=1))

    def test_a_start_without_enough_memory_is_refused(self):
        self.refused(r"\S+\.yaml:1: `dataplane.memory` is 1048576 MiB and there are \d+ MiB for this process: lower it",
                     "dataplane: { memory: 1TiB }\n" + MINIMAL, code=2)
        names = self.scene.folder / "many.txt"
        names.write_text("".join(f"host-{i}.a-long-name-of-a-domain.example\n" for i in range(400_000)))
        self.refused(r"there is not enough memory: give more .*or shorten the lists", with_names(names),
                     limited(**{"as": 120 << 20}))

    def test_missing_capabilities_are_named(self):
        """Without the capabilities of AF_XDP it serves by sockets, also as root; other missing ones are named."""
        reason = "by socket because AF_XDP does not: .*"
        for capability, reported in (("bpf,-sys_admin", reason + "CAP_BPF"), ("net_admin,-sys_admin", reason + "CAP_NET_ADMIN"),
                                 ("net_raw", reason + "CAP_NET_RAW"), ("bpf", r" warning CAP_BPF is missing: .*give it")):
            with self.subTest(capability):
                daemon = self.start(MINIMAL, without(capability))
                answered = self.answered()
                self.assertEqual(daemon.stop(), 0)
                self.assertRegex(daemon.text(), reported)
                self.assertTrue(answered)
        images = self.scene.folder / "images"  # to be handed over
        images.mkdir()
        text = f"control: {{ images: {images} }}\n" + MINIMAL
        for capability in ("setuid", "setgid", "chown"):
            with self.subTest(capability):
                self.refused(rf".* failed: Operation not permitted; it needs .*CAP_{capability.upper()}.*`user: root`",
                             text, before=without(capability))

    # What is lost while it serves -----------------------------------------------------------------------------

    def burst(self, label):
        asker = self.scene.network.start("client", f"burst-{label}", "/usr/bin/python3", "-c", BURST, "172.16.1.2", label)
        asker.wait_for("answered", 20)
        return int(re.search(r"answered (\d+)", asker.text())[1])

    def problems(self):
        return "\n".join(f"{one['subject']}: {one['text']}" for one in self.scene.reported("status")["problems"])

    def strangers(self, count, sources):
        net = self.scene.network
        for source in sources:
            net.run("client", "ip", "address", "add", f"{source}/24", "dev", "eth0")
        clients = net.start("client", f"strangers-{count}", "/usr/bin/python3", "-c", KEEP_OPEN, "172.16.1.2", str(count),
                            *sources)
        clients.wait_for("ready", 30)
        return clients

    def test_idle_strangers_leave_descriptors_for_upstreams_lists_and_control(self):
        """600 idle connections and 256 descriptors: new names are answered, it stays ready, a reload works, TCP is served."""
        daemon = self.start(BY_SOCKET + MINIMAL + SERVERS, limited(nofile=256))
        self.assertRegex(daemon.text(), r" warning clients can have \d+ connections in all, not the 10000 of "
                                        r"`max_connections`: this process may open 256 files .*LimitNOFILE=\d+")
        sources = [f"192.168.88.{100 + i}" for i in range(8)]
        clients = self.strangers(600, sources)
        folder = pathlib.Path(f"/proc/{self.scene.network.pid('appliance', 'steerdnsd')}/fd")
        most = self.scene.reported("status")["connection_limit"]
        until(lambda: self.scene.reported("status")["connections"] == most, 10, "clients have all their places")
        self.assertLess(len(list(folder.iterdir())), 256 - 64)
        for label in ("a", "b", "c"):
            self.assertEqual(self.burst(label), 40)
        self.scene.steerctl("reload")
        self.assertTrue(self.answered("+tcp"))  # an idle one makes room
        self.assertEqual(self.scene.stream_total("upstream_no_descriptor"), 0)
        self.assertGreater(self.scene.stream_total("tcp_made_process_room"), 0)
        self.assertRegex(self.problems(), rf"connections: clients can have {most} connections in all, not the 10000")
        self.assertNotIn("firewall", daemon.text() + self.problems())
        self.assertNotIn("not ready", daemon.text())
        clients.stop()
        until(lambda: self.answered("+tcp"), 10, "TCP is served again")

    def test_with_enough_descriptors_idle_strangers_stay(self):
        daemon = self.start(BY_SOCKET + MINIMAL + SERVERS, limited(nofile=16384))
        self.assertNotIn("connections in all", daemon.text())
        clients = self.strangers(600, [f"192.168.88.{120 + i}" for i in range(4)])
        until(lambda: self.scene.reported("status")["connections"] == 600, 10, "all are there")
        self.assertEqual(self.burst("enough"), 40)
        self.assertNotIn("connection_limit", self.scene.reported("status"))
        self.assertEqual(self.scene.stream_total("tcp_made_process_room"), 0)
        self.assertEqual(self.problems(), "")
        clients.stop()

    def test_check_judges_by_the_limit_of_the_running_daemon(self):
        lack = "connections in all, not the 10000 of `max_connections`"
        text = BY_SOCKET + MINIMAL + SERVERS + f"control: {{ socket: {self.scene.socket} }}\n"

        def warnings():
            done = self.scene.network.run("appliance", f"{BUILD}/steerdnsd", "--check", "--config", str(self.write(text)), check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stderr

        self.assertNotIn(lack, warnings())
        daemon = self.start(text, limited(nofile=256))
        self.assertRegex(warnings(), rf"warning: .*{lack}: this process may open 256 files")
        self.assertEqual(daemon.stop(), 0)
        self.start(text, limited(nofile=16384))
        self.assertNotIn(lack, warnings())

    def test_a_lack_of_descriptors_is_named_instead_of_a_firewall(self):
        """Files that we do not expect take the last ones: the problem says so, and all is well when they are there again."""
        daemon = self.start(BY_SOCKET + AS_ROOT + MINIMAL + SERVERS)
        self.assertTrue(self.answered())
        pid = self.scene.network.pid("appliance", "steerdnsd")
        session = self.session()  # asks while no other session can begin
        session.settimeout(15)

        def problems():
            session.sendall(b'{"jsonrpc":"2.0","id":1,"method":"status"}\n')
            answer = b""
            while not answer.endswith(b"\n"):
                answer += session.recv(1 << 16)
            return json.loads(answer)["result"]["problems"]

        self.assertEqual(problems(), [])
        most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, most[1]))
        for i in range(8):
            self.scene.network.start("client", f"lack-{i}", "kdig", "@172.16.1.2", "+timeout=10", "+retry=0",
                                     f"lack{i}.stream.example", "A")
        until(lambda: any(one["subject"] == "upstreams" for one in problems()), 30, "the upstream counts as silent")
        texts = {one["subject"]: one["text"] for one in problems()}
        self.assertIn("no file descriptor is free", texts["upstreams"])
        self.assertIn("found no free file descriptor", texts["descriptors"])
        self.assertRegex(daemon.text(), r"upstream udp://1.1.1.1:53 does not answer .*no file descriptor is free")
        self.assertNotIn("firewall", daemon.text() + str(texts))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, most)
        until(lambda: self.answered() and "answers again" in daemon.text(), 20, "and again")

    def test_udp_is_served_when_descriptors_run_out(self):
        """No descriptor is left at all: UDP is served as before, and the port does not count as removed."""
        daemon = self.start(AS_ROOT + MINIMAL)
        pid = self.scene.network.pid("appliance", "steerdnsd")
        most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, most[1]))
        asked = self.scene.network.start("client", "asker", "kdig", "@172.16.1.2", "+short", "+timeout=15", "+retry=0",
                                         "stream.example", "A", "stream.example", "A", "stream.example", "A")
        self.assertEqual(asked.child.wait(60), 0)
        self.assertEqual(set(asked.text().split()), STREAM)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, most)
        until(lambda: self.answered("+tcp"), 10, "TCP is served again")
        self.assertNotIn("was removed", daemon.text())

    def test_an_upstream_that_falls_silent_is_reported_once(self):
        daemon = self.start(MINIMAL)
        self.assertTrue(self.answered())
        self.scene.resolver.send_signal(signal.SIGSTOP)
        self.addCleanup(self.scene.resolver.send_signal, signal.SIGCONT)
        for i in range(6):
            self.scene.network.start("client", f"asker-{i}", "kdig", "@172.16.1.2", "+timeout=10", "+retry=0",
                                     f"silent{i}.stream.example", "A")
        until(lambda: re.search(r" warning upstream udp://1.1.1.1:53 does not answer \(.*: check that", daemon.text()), 20,
              "it says so")
        self.scene.resolver.send_signal(signal.SIGCONT)
        until(lambda: self.answered() and "upstream udp://1.1.1.1:53 answers again" in daemon.text(), 20, "and again")
        self.assertEqual(daemon.text().count("upstream udp://1.1.1.1:53 does not answer"), 1)

    def test_a_removed_interface_is_reported_once(self):
        net = self.scene.network
        net.link(("appliance", "eth1"), ("client", "eth1"))
        net.address("appliance", "eth1", "192.0.2.1/24")
        daemon = self.start("dataplane:\n  ports: [ { device: eth0 }, { device: eth1, driver: af_packet } ]\n" + MINIMAL)
        net.run("appliance", "ip", "link", "del", "eth1")
        until(lambda: "eth1 was removed: " in daemon.text(), 10, "it says so")
        self.assertTrue(self.answered())
        self.assertEqual(daemon.text().count("eth1 was removed: "), 1)

    def test_a_port_without_an_address_is_reported(self):
        net = self.scene.network
        net.link(("appliance", "eth2"), ("client", "eth2"))
        net.run("appliance", "sysctl", "-qw", "net.ipv6.conf.eth2.disable_ipv6=1")
        daemon = self.start("dataplane: { workers: 3, ports: [ { device: eth2, driver: socket } ] }\n" + MINIMAL)
        self.assertRegex(daemon.text(), r" warning there is no address to answer on: .*`ip address add`")
        cpus = len(os.sched_getaffinity(0))
        self.assertEqual(f"3 workers share {cpus} CPUs" in daemon.text(), cpus < 3)
        net.run("appliance", "ip", "link", "del", "eth2")

    def test_a_reload_without_enough_memory_changes_nothing(self):
        """The new list does not fit beside the one in force."""
        names = self.scene.folder / "grows.txt"
        names.write_text("stream.example\n")
        daemon = self.start("control: { watch: off, images: off, user: root }\n" + with_names(names))
        pid = self.scene.network.pid("appliance", "steerdnsd")
        # The file alone is more than may be added, and than what the allocator may have left over.
        names.write_text("".join(f"host-{i}.a-long-name-of-a-domain.example\n" for i in range(1_000_000)))
        now = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (now + (24 << 20), resource.RLIM_INFINITY))
        done = self.scene.ask("reload")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"there is not enough memory to read and build it beside the one in force: .*\n"
                                      r"configuration 1 stays in use")
        for question in (("why", "host-7.a-long-name-of-a-domain.example"), ("hits", "--seconds", "1")):
            done = self.scene.ask(*question)
            self.assertNotEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertRegex(done.stderr, "a thread cannot be started .*memory|there is not enough memory to read the configuration ")
        self.assertTrue(self.answered())
        resource.prlimit(pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        names.write_text("stream.example\nmedia.example\n")
        self.scene.steerctl("reload")
        self.assertEqual(daemon.stop(), 0)

    def session(self):
        session = self.enterContext(socket.socket(socket.AF_UNIX))
        session.connect(str(self.scene.socket))
        return session

    def test_simultaneous_reload_requests_are_reported_once_per_reload(self):
        """Sessions that ask for a reload at the same time may share one; each reload is reported once."""
        daemon = self.start(MINIMAL)
        sessions = [self.session() for _ in range(20)]
        for session in sessions:
            session.sendall(b'{"jsonrpc":"2.0","id":1,"method":"reload"}\n')
        for session in sessions:
            self.assertIn(b"result", session.recv(1000))
        reported = re.findall(r"configuration (\d+) is in force after .* steerctl", daemon.text())
        self.assertTrue(reported)
        self.assertEqual(len(reported), len(set(reported)), daemon.text())

    # The disk -------------------------------------------------------------------------------------------------

    # In the mount namespace that `ip netns exec` makes: gone with the daemon.
    def on_disk(self, options):
        disk = self.scene.folder / "disk"
        disk.mkdir(exist_ok=True)
        fill = f"head -c 1M /dev/zero > {disk}/full 2> /dev/null; " if "size" in options else ""
        return disk, ("sh", "-c", f"mount -t tmpfs -o {options} tmpfs {disk}; {fill}exec \"$@\"", "sh")

    def check_disk(self, options, error):
        disk, before = self.on_disk(options)
        names = self.scene.folder / "names.txt"
        names.write_text("".join(f"host-{i}.example\n" for i in range(20_000)))
        cache = f"  - {{ tag: store, type: cache, args: {{ size: 1000, short_circuit: true, dump_file: {disk}/store }} }}\n"
        text = (f"control: {{ images: {disk}, lists: {disk}, findings: {disk}/f, leases: {disk}/l }}\n"
                + plugins(f'files: ["{names}"]', cache, "      - { exec: $store }\n"))
        daemon = self.start(text, before)
        self.assertTrue(self.answered())
        self.assertEqual(daemon.stop(), 0)
        errors = [line for line in daemon.text().splitlines() if error in line]
        print("  " + "\n  ".join(errors))
        self.assertRegex(errors[0], r"compiled lists cannot be kept .*: the next start compiles them again; free some space")
        self.assertRegex(errors[-1], r"the cache (cannot|could not) be dumped to")
        self.assertEqual(len(errors), 2, daemon.text())

    def test_a_full_disk_is_reported_and_stops_no_answer(self):
        self.check_disk("size=64k,mode=777", "No space left on device")

    def test_a_read_only_disk_is_reported_and_stops_no_answer(self):
        self.check_disk("ro", "Read-only file system")

    # By hand --------------------------------------------------------------------------------------------------

    def test_steerctl_reports_a_daemon_that_does_not_answer(self):
        for words, sentence in ((("nonsense",), r"there is no command 'nonsense'; write one of status, counters, .*version"),
                                (("cache", "nonsense"), r"there is no command 'nonsense' of 'cache'; write one of .*flush")):
            done = self.scene.ask(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, rf"^steerctl: {sentence}.*\n$")
        self.start(MINIMAL)
        for _ in range(SESSIONS):
            session = self.session()
            session.sendall(b'{"jsonrpc":"2.0","id":1,"method":"version"}\n')
            self.assertIn(b"result", session.recv(1000))
        self.assertEqual(self.scene.ask("status").returncode, 0, "idle sessions keep nobody out")


if __name__ == "__main__":
    unittest.main(verbosity=2)
