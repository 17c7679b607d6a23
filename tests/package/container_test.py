#!/usr/bin/env python3
"""Builds the container image on a base of this machine's package sources, runs it without rights and with AF_XDP, asks it.

    container_test.py BUILD      STEER_CONTAINER_IMAGE names an image to try in place of building one

Prints the size of the image. Needs root, podman, buildah and runc (tools/deps --container).
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = f"steer-container-{os.getpid()}"
READY = os.environ.get("STEER_CONTAINER_IMAGE")
BASE, IMAGE = f"localhost/{NAME}-base", READY or f"localhost/{NAME}"
# Some hosts do not let a container raise its limits.
PODMAN = ["podman", "--runtime", "runc"]
LIMITS = ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096"]
CONFIGURATION = """
dataplane:
  ports: [{{ device: inside, driver: {driver} }}]
  memory: 64MiB
  allow: [192.0.2.0/24]
control: {{ http: off }}
plugins:
  - {{ tag: hosts, type: hosts, args: {{ entries: ["full:www.example 198.51.100.1"] }} }}
  - {{ tag: main, type: sequence, args: [{{ exec: $hosts }}] }}
"""


def run(*argv, **more):
    done = subprocess.run(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


class Container(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="steerdns-container-")))
        if READY:
            return
        cls.addClassCleanup(subprocess.run, ["podman", "rmi", "--force", IMAGE, BASE], capture_output=True)
        tar = cls.folder / "base.tar"
        run("mmdebstrap", "--quiet", "--variant=minbase", "bookworm", str(tar))
        run("podman", "import", str(tar), BASE)
        tar.unlink()
        cache = pathlib.Path.home() / ".cache/ccache"
        cache.mkdir(parents=True, exist_ok=True)
        begin = time.monotonic()
        run("buildah", "bud", "--isolation", "chroot", "--build-arg", f"DEBIAN={BASE}", "--volume", f"{cache}:/root/.cache/ccache",
            "-f", str(ROOT / "configs/container/Containerfile"), "-t", IMAGE, str(ROOT))
        size = int(json.loads(run("podman", "image", "inspect", IMAGE))[0]["Size"])
        base = int(json.loads(run("podman", "image", "inspect", BASE))[0]["Size"])
        print(f"image {size / 1e6:.0f} MB, its base {base / 1e6:.0f} MB; built in {time.monotonic() - begin:.0f} s", flush=True)

    def setUp(self):
        for end in ("in", "out"):
            run("ip", "netns", "add", f"{NAME}-{end}")
            self.addCleanup(subprocess.run, ["ip", "netns", "del", f"{NAME}-{end}"])
        run("ip", "link", "add", "inside", "netns", f"{NAME}-in", "type", "veth", "peer", "outside", "netns", f"{NAME}-out")
        for end, device, address in (("in", "inside", "192.0.2.53/24"), ("out", "outside", "192.0.2.9/24")):
            for command in (["address", "add", address, "dev", device], ["link", "set", device, "up"], ["link", "set", "lo", "up"]):
                run("ip", "-n", f"{NAME}-{end}", *command)

    def start(self, driver, *options):
        file = self.folder / f"{driver}.yaml"
        file.write_text(CONFIGURATION.format(driver=driver))
        file.chmod(0o644)
        log = (self.folder / f"{driver}.log").open("w+")
        self.addCleanup(log.close)
        container = f"{NAME}-{driver}"
        # (`ip netns exec` would hide the control groups that the runtime needs.)
        child = subprocess.Popen(["nsenter", f"--net=/run/netns/{NAME}-in", *PODMAN, "run", "--rm", "--name", container, "--network", "host", *LIMITS,
                                  *options, "-v", f"{file}:/etc/steerdns/steerdns.yaml:ro", IMAGE],
                                 stdout=log, stderr=subprocess.STDOUT)

        def stop():
            subprocess.run([*PODMAN, "kill", "--signal", "TERM", container], capture_output=True)
            child.wait(30)
        self.addCleanup(stop)
        end = time.monotonic() + 60
        while "serving on" not in (text := pathlib.Path(log.name).read_text()):
            self.assertIsNone(child.poll(), text)
            self.assertLess(time.monotonic(), end, text)
            time.sleep(0.1)  # no event of the container tells it
        return container, text

    def ask(self):
        return run("ip", "netns", "exec", f"{NAME}-out", "kdig", "+short", "+timeout=3", "@192.0.2.53", "www.example").strip()

    def test_kernel_sockets_need_no_capability(self):
        run("ip", "netns", "exec", f"{NAME}-in", "sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=53")
        container, text = self.start("socket", "--cap-drop", "all", "--user", "steerdns")
        self.assertIn("by socket", text)
        self.assertEqual(self.ask(), "198.51.100.1")
        self.assertIn("steerdnsd", run(*PODMAN, "exec", container, "steerctl", "status"))

    def test_af_xdp_needs_five_capabilities(self):
        _, text = self.start("af_xdp", "--security-opt", "seccomp=unconfined",
                             "--cap-add", "NET_ADMIN,NET_RAW,BPF,PERFMON,IPC_LOCK")
        self.assertIn("by af_xdp", text)
        self.assertEqual(self.ask(), "198.51.100.1")


if __name__ == "__main__":
    del sys.argv[1:2]
    unittest.main(verbosity=2)
