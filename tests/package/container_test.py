#!/usr/bin/env python3
"""Builds the container image on a base of this machine's package sources, runs it without rights and with AF_XDP, asks it.

    container_test.py BUILD      STEER_CONTAINER_IMAGE names an image to try in place of building one

Prints the size of the image. Needs root, podman, buildah and runc (tools/deps --container).
"""
import json
import os
import pathlib
import sys
import tempfile
import time
import unittest

from lab.network import Network, Process, run, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = f"steer-container-{os.getpid()}"
READY = os.environ.get("STEER_CONTAINER_IMAGE")
BASE, IMAGE = f"localhost/{NAME}-base", READY or f"localhost/{NAME}"
# Some hosts do not let a container raise its limits.
PODMAN = ["podman", "--runtime", "runc"]
LIMITS = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]
# podman turns on forwarding on the host when it makes a network of its own.
FORWARDING = [pathlib.Path("/proc/sys/net") / name for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding")]
CONFIGURATION = """
dataplane:
  ports: [{{ device: inside, driver: {driver} }}]
  memory: 64MiB
  allow: [192.0.2.0/24]
control: {{ http: off }}
plugins:
  - {{ tag: hosts, type: hosts, args: {{ entries: ["full:www.example 198.51.100.1"] }} }}
  - tag: resolve
    type: recursion
    args:
      instances: 1
      cache_size: 8MiB
      validate: no
      extra: ['local-zone: "own.example" static', 'local-data: "www.own.example A 198.51.100.2"']
  - {{ tag: main, type: sequence, args: [{{ exec: $hosts }}, {{ matches: has_resp, exec: accept }}, {{ exec: $resolve }}] }}
"""


def set_back(before):
    """Writing to `forwarding` resets other settings of the kernel, so only what changed is written."""
    for file, value in before.items():
        if file.read_text() != value:
            file.write_text(value)


class Container(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.addClassCleanup(set_back, {file: file.read_text() for file in FORWARDING})
        if READY:
            return
        cls.addClassCleanup(run, "podman", "rmi", "--force", IMAGE, BASE, check=False)
        with tempfile.TemporaryDirectory(prefix="steerdns-container-") as folder:
            tar = pathlib.Path(folder) / "base.tar"
            run("mmdebstrap", "--quiet", "--variant=minbase", "bookworm", str(tar))
            run("podman", "import", str(tar), BASE)
        cache = pathlib.Path.home() / ".cache/ccache"
        cache.mkdir(parents=True, exist_ok=True)
        begin = time.monotonic()
        run("buildah", "bud", "--isolation", "chroot", "--build-arg", f"DEBIAN={BASE}", "--volume", f"{cache}:/root/.cache/ccache",
            "-f", str(ROOT / "configs/container/Containerfile"), "-t", IMAGE, str(ROOT))
        size, base = (int(json.loads(run("podman", "image", "inspect", image).stdout)[0]["Size"]) for image in (IMAGE, BASE))
        print(f"image {size / 1e6:.0f} MB, its base {base / 1e6:.0f} MB; built in {time.monotonic() - begin:.0f} s", flush=True)

    def setUp(self):
        self.network = self.enterContext(Network("container"))
        for space in ("in", "out"):
            self.network.namespace(space)
        self.network.link(("in", "inside"), ("out", "outside"))
        self.network.address("in", "inside", "192.0.2.53/24")
        self.network.address("out", "outside", "192.0.2.9/24")

    def start(self, driver, *options):
        file = self.network.folder / "steerdns.yaml"
        file.write_text(CONFIGURATION.format(driver=driver))
        file.chmod(0o644)
        container = f"{NAME}-{driver}"
        self.addCleanup(run, *PODMAN, "rm", "--force", "--ignore", container, check=False)
        process = Process(container, ["nsenter", f"--net={self.network.path('in')}", *PODMAN, "run", "--rm", "--name", container,
                                      "--network", "host", *LIMITS, *options, "-v", f"{file}:/etc/steerdns/steerdns.yaml:ro", IMAGE],
                          self.network.folder / "podman.log")
        self.network.processes.append(process)
        process.wait_for("serving on", 60)
        return container, process.text()

    def ask(self, name="www.example"):
        return self.network.run("out", "kdig", "+short", "+timeout=3", "@192.0.2.53", name).stdout.strip()

    def ask_unbound(self):
        """In a container without rights, it has the daemon's user."""
        until(lambda: self.ask("www.own.example") == "198.51.100.2", 60, "unbound answers")

    def test_kernel_sockets_need_no_capability(self):
        self.network.run("in", "sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=53")
        container, text = self.start("socket", "--cap-drop", "all", "--user", "steerdns")
        self.assertIn("by socket", text)
        self.assertEqual(self.ask(), "198.51.100.1")
        self.ask_unbound()
        self.assertIn("steerdnsd", run(*PODMAN, "exec", container, "steerctl", "status").stdout)

    def test_af_xdp_needs_five_capabilities(self):
        _, text = self.start("af_xdp", "--security-opt", "seccomp=unconfined",
                             "--cap-add", "NET_ADMIN,NET_RAW,BPF,PERFMON,IPC_LOCK")
        self.assertIn("by af_xdp", text)
        self.assertEqual(self.ask(), "198.51.100.1")
        self.ask_unbound()


if __name__ == "__main__":
    del sys.argv[1:2]
    unittest.main(verbosity=2)
