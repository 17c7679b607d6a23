"""The bench `memif`: answers a second of the shipped binary ÷ those of testpmd's 5tswap in its place.

Another process (memif_peer) sends 16,384 queries for 1,000 names over and over as fast as the memif takes them, and
compares every 64th reply. The binary runs `configs/minimal.yaml` with a `cache` in front, a tenth of the names in the
policy set, with a simulated router and a resolver of its own; the answers come into its cache by being asked for.
"""

from __future__ import annotations

import json
import os
import pathlib
import statistics
import subprocess

from bench import cached, floors
from bench.cached import QUERIES, NAMES, names, write_pcap
from bench.machine import announce, hugepages, require_idle, version
from bench.machine import rounds as how_many
from lab.network import LabError, Network, Process
from lab.scene import PASSWORD, USER, knot_configuration

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 3.0
SERVER_CPU, GENERATOR_CPU = "0", "1"
MBUFS, POOL_CACHE, BURST, DESCRIPTORS = 8_191, 256, 32, 1_024  # as the daemon has them
MEMIF = "bsize=2048,rsize=10"
OURS, OUR_MAC = "10.255.255.53", "02:00:00:00:00:01"  # the destination of the queries
LOCAL = ["1.1.1.1", "172.16.1.1", "172.16.1.2", OURS]  # those of the example, all on `lo`


def addresses(number: int) -> list[str]:
    return [f"198.51.{100 + n}.{number % 250 + 1}" for n in range(2)]


class Stage:
    """The server's namespace with resolver and router, and what generator and testpmd need."""

    def __init__(self, network: Network, build: pathlib.Path, huge: bool):
        self.network, self.folder, self.build, self.huge, self.serial = network, network.folder, build, huge, 0
        network.namespace("server")
        for address in LOCAL:
            network.address("server", "lo", f"{address}/32")
        write_pcap(self.folder / "hot.pcap")
        table = names()
        (self.folder / "answers").write_text(
            "".join(" ".join([name, *addresses(i)]) + "\n" for i, name in enumerate(table)))
        zone = "@ 3600 SOA ns h 1 3600 600 86400 60\n@ 3600 NS ns.\nns. 3600 A 1.1.1.1\n" + "".join(
            f"{name}. 3600 A {address}\n" for i, name in enumerate(table) for address in addresses(i))
        conf = knot_configuration(self.folder / "knot", "1.1.1.1@53", {})
        (self.folder / "root.zone").write_text("$ORIGIN .\n" + zone)
        conf.write_text(conf.read_text() + f"  - domain: .\n    file: {self.folder}/root.zone\n    zonefile-sync: -1\n"
                                           "    journal-content: none\n")
        network.start("server", "knotd", "knotd", "-c", str(conf)).wait_for("server started")
        network.start("server", "rossim", str(build / "tools/rossim/rossim"), "--address", "172.16.1.1", "--port", "8728",
                      "--user", f"{USER}:{PASSWORD}").wait_for("port 8728")
        text = (ROOT / "configs/minimal.yaml").read_text().replace(
            '    args:\n      - matches: "$match_policy_domain"',
            '    args:\n      - exec: "cache short_circuit"\n      - matches: "$match_policy_domain"')
        if "cache short_circuit" not in text:
            raise LabError("configs/minimal.yaml is not as this bench knows it")
        self.configuration = text

    def socket(self) -> pathlib.Path:
        self.serial += 1
        return self.folder / f"memif{self.serial}.sock"

    def ours(self, path: pathlib.Path, idle: str = "adaptive", *before: str) -> Process:
        """`before`: words before the program's name."""
        return self.start(f"{{ device: 'role=server,socket-abstract=no,{MEMIF},mac={OUR_MAC},socket={path}', driver: memif, "
                          f"addresses: [{OURS}] }}", idle, "control: { http: off }\n" + self.configuration, *before)

    def start(self, port: str, idle: str, rest: str, *before: str) -> Process:
        """The daemon on this port; `rest`: the sections `control` and `plugins`."""
        self.serial += 1
        config = self.folder / "steerdns.yaml"
        config.write_text(f"dataplane:\n  workers: [{SERVER_CPU}]\n  memory: {600 if self.huge else 256}MiB\n  idle: {idle}\n  ports:\n"
                          f"    - {port}\n{rest}")
        daemon = self.network.start("server", f"steerdnsd{self.serial}", *before, str(self.build / "steerdnsd"), "--config",
                                    str(config), "--control-socket", str(self.folder / "control.sock"))
        daemon.wait_for("serving", 40)
        with_huge = "without hugepages" not in daemon.text()
        if with_huge != self.huge:
            raise LabError(f"the daemon runs {'with' if with_huge else 'without'} hugepages: {daemon.text()}")
        return daemon

    def bare(self, path: pathlib.Path, *words: str) -> Process:
        """The worker without DNS, on the daemon's port."""
        self.serial += 1
        process = self.network.start("server", f"bare{self.serial}", str(self.build / floors.TARGET), "--memif",
                                     f"role=server,socket-abstract=no,{MEMIF},mac={OUR_MAC},socket={path}", "--cpu", SERVER_CPU, "--mib",
                                     "600" if self.huge else "256", *words)
        process.wait_for("serving")
        return process

    def testpmd(self, path: pathlib.Path) -> Testpmd:
        memory = ["--in-memory", "--single-file-segments", "-m", "600"] if self.huge else \
            ["--no-huge", "--no-shconf", "-m", "256"]
        return Testpmd(["dpdk-testpmd", "-l", f"{SERVER_CPU},{GENERATOR_CPU}", "--main-lcore", GENERATOR_CPU, *memory,
                        "--no-pci", "--no-telemetry", "--vdev",
                        f"net_memif0,role=server,socket-abstract=no,{MEMIF},socket={path}", "--", "-i", "--nb-cores=1",
                        "--forward-mode=5tswap", f"--total-num-mbufs={MBUFS}", f"--mbcache={POOL_CACHE}",
                        f"--burst={BURST}", f"--rxd={DESCRIPTORS}", f"--txd={DESCRIPTORS}", "--no-flush-rx",
                        "--auto-start"])

    def load(self, path: pathlib.Path, seconds: float, *words: str) -> dict:
        """What the generator says."""
        done = subprocess.run([str(self.build / "tests/bench/memif_peer"), "load", "--core", GENERATOR_CPU, "--socket",
                               str(path), "--pcap", str(self.folder / "hot.pcap"), "--answers",
                               str(self.folder / "answers"), "--seconds", str(seconds),
                               *([] if self.huge else ["--no-huge"]), *words], text=True, capture_output=True, timeout=120)
        if done.returncode != 0:
            raise LabError(f"memif_peer: {done.stdout} {done.stderr[-1500:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def rate(self, path: pathlib.Path, seconds: float, *words: str) -> tuple[float, dict]:
        """Replies a second that the generator got, and all it says."""
        load_result = self.load(path, seconds, *words)
        return load_result["received"] / load_result["seconds"], load_result


class Testpmd:
    """testpmd, which ends when its standard input does."""

    def __init__(self, argv: list[str]):
        self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)

    def stop(self) -> None:
        self.child.stdin.close()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def measure(build: pathlib.Path, huge: bool, seconds: float = SECONDS) -> dict:
    swap, ours, bare, compared = [], [], [], 0
    waited: dict[str, list[float]] = {"testpmd_": [], "": []}
    with Network("bench") as network:
        stage = Stage(network, build, huge)
        for number in range(how_many()):
            path = stage.socket()
            server = stage.testpmd(path)
            try:
                rate, load_result = stage.rate(path, seconds, "--swapped")
                swap.append(rate)
                waited["testpmd_"].append(load_result["waited_percent"])
            finally:
                server.stop()
            path = stage.socket()
            server = stage.ours(path)
            rate, load_result = stage.rate(path, seconds)
            ours.append(rate)
            waited[""].append(load_result["waited_percent"])
            compared += load_result["compared"]
            server.stop()
            if floors.is_measured(number):
                path = stage.socket()
                server = stage.bare(path)
                bare.append(stage.rate(path, seconds, "--without-records")[0])
                server.stop()
            print(f"  round {number + 1}: 5tswap {swap[-1] / 1e6:.2f} M replies a second, ours {ours[-1] / 1e6:.2f} M answers "
                  f"a second ({load_result['compared']} compared, 0 wrong), without DNS {bare[-1] / 1e6:.2f} M; the generator waited "
                  f"{waited['testpmd_'][-1]:.0f} and {waited[''][-1]:.0f} % of the time", flush=True)
    ratios = [o / s for o, s in zip(ours, swap)]
    return {"ratio": round(statistics.median(ratios), 3),
            "mqps": round(statistics.median(ours) / 1e6, 2), "testpmd_mqps": round(statistics.median(swap) / 1e6, 2),
            "bare_mqps": round(statistics.median(bare) / 1e6, 2), "testpmd_ns": round(1e9 / statistics.median(swap), 1),
            "bare_ns": round(1e9 / statistics.median(bare), 1), "floor": floors.of([1 / s for s in swap], [1 / b for b in bare]),
            **{f"{side}waited_percent": round(statistics.median(shares), 1) for side, shares in waited.items()},
            "compared": compared, "rounds": ratios}


def run(build: str) -> dict:
    require_idle()
    with hugepages(1024) as pages:
        huge = pages >= 800
        parameters = announce(
            f"memif: both: {QUERIES} queries for {NAMES} names, {MEMIF}, {MBUFS} mbufs, pool cache {POOL_CACHE}, burst {BURST}, "
            f"{DESCRIPTORS} descriptors, on CPU {SERVER_CPU} of {os.cpu_count()}, {SECONDS:g} s by turns, "
            f"{pages} hugepages of 2 MiB{'' if huge else ' are too few: without'}, --single-file-segments; generator on CPU "
            f"{GENERATOR_CPU}; testpmd of {version('dpdk')}: --forward-mode=5tswap --no-flush-rx; ours: steerdnsd, configs/minimal.yaml "
            "with a cache (short_circuit) before its match, router and resolver there, idle: adaptive")
        result = measure(pathlib.Path(build), huge)
    return {**result, **cached.in_l2(pathlib.Path(build)), "hugepages": pages if huge else 0, "parameters": parameters}
