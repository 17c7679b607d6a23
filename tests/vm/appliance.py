"""SteerDNS in a machine, and the network around it.

    outside 10.88.0.2, fd88::2 ── vt0 ══ the guest's first NIC 10.88.0.1, fd88::1
    (clients, and knot as the resolver)
"""

from __future__ import annotations

import json

from lab.network import LabError, Network, Process, until
from lab.scene import ZONES, knot_configuration

from machine import VIRTIO, Machine, Tap

V4, V6, OUTSIDE4, OUTSIDE6 = "10.88.0.1", "fd88::1", "10.88.0.2", "fd88::2"
# As a kernel's XDP wants a virtio NIC: no frames larger than a buffer, no sums left to others.
XDP_OPTIONS = ",guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,guest_csum=off"
SOCKET = "/run/control.sock"
PLUGINS = """
plugins:
  - { tag: forward_main, type: forward, args: { probe: off, upstreams: [ { addr: "UPSTREAM" } ] } }
  - tag: main
    type: sequence
    args:
      - { exec: "cache short_circuit" }
      - { exec: $forward_main }
"""


# A start in software emulation is slow, and far slower beside a busy machine. A refusal comes at its end.
START_S = 180


class Outside:
    """The namespace at the other end of the guest's first NIC; knot answers there."""

    def __init__(self, network: Network, queues: int = 1, options: str = "", model: str = VIRTIO):
        self.network = network
        network.namespace("outside")
        self.tap = Tap(network, "outside", "vt0", "02:00:00:00:88:01", 3, queues, options, model)
        # What the kernel leaves to an interface's checksum offload is not for a DPDK driver to finish.
        network.run("outside", "ethtool", "-K", "vt0", "tx", "off")
        network.address("outside", "vt0", f"{OUTSIDE4}/24", f"{OUTSIDE6}/64")

    def resolver(self, zones: dict[str, str] = ZONES) -> Process:
        config = knot_configuration(self.network.folder / "knot", "[0.0.0.0@53, ::@53]", zones)
        knot = self.network.start("outside", "knotd", "knotd", "-c", str(config))
        knot.wait_for("server started")
        return knot

    def run(self, *words: str, check: bool = True) -> str:
        return self.network.run("outside", *words, check=check).stdout

    def short(self, *words: str, server: str = V4) -> set[str]:
        return set(self.run("kdig", f"@{server}", "+timeout=15", "+retry=1", "+short", *words, check=False).split())

    def ping(self, address: str, count: int = 3) -> bool:
        # (All at once: ping's patience after a first reply is the longer of its interval and twice that reply's time.)
        return f" {count} received" in self.run("ping", "-c", str(count), "-l", str(count), "-W", "5", address, check=False)


class Appliance:
    """steerdnsd in the guest, from its start to its end; a context manager."""

    def __init__(self, machine: Machine, dataplane: str, plugins: str = PLUGINS, upstream: str = OUTSIDE4,
                 environment: str = ""):
        self.machine = machine
        machine.write("/run/steerdns.yaml", f"dataplane: {dataplane}\n" + plugins.replace("UPSTREAM", upstream))
        machine.run(f"{environment} /run/build/steerdnsd --config /run/steerdns.yaml --control-socket {SOCKET} "
                    ">/run/steerdnsd.log 2>&1 & echo $! >/run/steerdnsd.pid")

    def __enter__(self) -> Appliance:
        try:
            until(lambda: "serving" in self.log() or not self.alive(), START_S, "steerdnsd serves", 0.2)
            if not self.alive():
                raise LabError("steerdnsd ended before it served")
        except BaseException:
            self.__exit__(LabError)
            raise
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is not None:
            print(self.log())
        self.stop()

    def log(self) -> str:
        return self.machine.run("cat /run/steerdnsd.log")

    def alive(self) -> bool:
        return "no" not in self.machine.run("kill -0 $(cat /run/steerdnsd.pid) 2>/dev/null || echo no")

    def ended(self) -> str:
        """Waits until the daemon has ended by itself; returns its error."""
        until(lambda: not self.alive(), START_S, "steerdnsd ends by itself", 0.2)
        return self.log()

    def stop(self) -> None:
        self.machine.run("kill $(cat /run/steerdnsd.pid)", check=False)
        until(lambda: not self.alive(), 20, "steerdnsd ends", 0.2)

    def steerctl(self, *words: str):
        return json.loads(self.machine.run(
            f"/run/build/tools/steerctl/steerctl --socket {SOCKET} --json {' '.join(words)}"))

    def counters(self) -> list[dict]:
        return self.steerctl("counters")["workers"]

    def total(self, table: str, name: str) -> int:
        return sum(worker[table].get(name, 0) for worker in self.counters())

    def fill_cache(self, outside: Outside, name: str) -> int:
        """Asks for a name and waits until the answer is cached: another worker may be its cache writer. Returns the misses."""
        if not outside.short(name):
            raise LabError(f"{name} was not answered")
        until(lambda: self.total("stats", "cache_inserts") > 0, 20, f"{name} is in the cache", 0.2)
        return self.total("stats", "cache_misses")
