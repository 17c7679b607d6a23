"""The bench `cached`: nanoseconds a packet of testpmd's 5tswap ÷ ours.

Both forward the same pcap (16,384 queries for 1,000 names) from a net_pcap port in infinite_rx mode, with the same
number of mbufs, pool cache, burst and descriptors, on one core, by turns. Ours answers each packet from the cache, with
`configs/minimal.yaml` behind a `cache`, a tenth of the names in the policy set and a simulated router connected.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import pathlib
import platform
import random
import re
import statistics
import struct
import subprocess
import tempfile
import time

from bench import floors
from bench.machine import announce, hugepages, require_idle, version
from bench.machine import rounds as how_many
from bench.message import question, server_cookie
from lab.network import LabError, Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 2.0
QUERIES, NAMES = 16_384, 1_000
POOL_CACHE, BURST, DESCRIPTORS = 256, 32, 1_024
L2_QUERIES = 512  # their mbufs, and what ours reads for them, are about 400 KiB
PAGES, LEAST_PAGES = 1_024, 700  # hugepages


@dataclasses.dataclass(frozen=True)
class Load:
    """What is asked for and answered, and what both sides get for it."""

    queries: int = QUERIES
    names: int = NAMES
    once: bool = False  # each name comes once, `queries` is how many
    zipf: float | None = None  # the exponent; None: all names alike
    records: tuple[str, ...] = ()  # bench_cached's words for the answers; (): two addresses
    qtype: int = 1
    mbufs: int = 131_072
    mib: int = 1_200  # of memory for the EAL
    workers: int = 1
    cookies: bool = False  # each query has a valid cookie of its own client
    random_case: bool = False  # each letter of each query is upper or lower case by chance


def names(count: int = NAMES) -> list[str]:
    """Names of the usual length, every tenth under stream.example (the policy set)."""
    return [f"host{i:04d}.svc{i % 37}." + ("stream.example" if i % 10 == 0 else "example.com") for i in range(count)]


def _sum16(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) // 2 * 2]))
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


WALL_S = 1_800_000_000  # SceneOptions::wall_s (cached_scene.h)


def query_frame(name: str, ident: int, client: int, port: int, qtype: int = 1, cookie: bool = False) -> bytes:
    """Ethernet, IPv4 (10.0.0.0/8 asks 10.255.255.53), UDP, DNS; every other one with EDNS, each if it has a cookie."""
    source = struct.pack("!I", 0x0A000000 | client)
    dns = question(name, ident, 0x0100, qtype, additional=1 if cookie else ident & 1)
    if cookie:
        mine = struct.pack("!Q", 0x0123456789ABCDEF ^ client * 0x9E3779B97F4A7C15 % 2**64)
        data = mine + server_cookie(bytes(16), mine, WALL_S - client % 1_200, source)
        dns += b"\0" + struct.pack("!HHIHHH", 41, 1232, 0, 4 + len(data), 10, len(data)) + data
    elif ident & 1:
        dns += b"\0" + struct.pack("!HHIH", 41, 1232, 0, 0)
    target = bytes([10, 255, 255, 53])
    udp = struct.pack("!4H", port, 53, 8 + len(dns), 0)
    check = 0xFFFF - _sum16(source + target + struct.pack("!2H", 17, 8 + len(dns)) + udp + dns)
    udp = struct.pack("!4H", port, 53, 8 + len(dns), check or 0xFFFF)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(dns), ident, 0x4000, 64, 17, 0) + source + target
    ip = ip[:10] + struct.pack("!H", 0xFFFF - _sum16(ip)) + ip[12:]
    return bytes.fromhex("020000000001" "020000000002" "0800") + ip + udp + dns


def write_pcap(path: pathlib.Path, load: Load = Load()) -> None:
    random.seed(20260801)
    table = names(load.names)
    if load.once:
        asked = table
    elif load.zipf is None:
        asked = [random.choice(table) for _ in range(load.queries)]
    else:
        weights = itertools.accumulate(1 / rank**load.zipf for rank in range(1, load.names + 1))
        asked = random.choices(table, cum_weights=list(weights), k=load.queries)
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, name in enumerate(asked):
            client, port = random.randrange(1, 1 << 16), random.randrange(1024, 65535)
            if load.random_case:
                name = "".join(random.choice((letter.lower(), letter.upper())) for letter in name)
            frame = query_frame(name, i & 0xFFFF, i + 1 if load.cookies else client, port, load.qtype, load.cookies)
            out.write(struct.pack("<IIII", 0, i, len(frame), len(frame)) + frame)


def _memory_words(huge: bool, load: Load) -> list[str]:
    return (["--in-memory"] if huge else ["--no-huge", "--no-shconf"]) + ["-m", str(load.mib)]


def lcores(workers: int) -> str:
    """lcore 0 waits; lcore i forwards on CPU i, the last one on CPU 0 if there is no other."""
    return ",".join(["0@0"] + [f"{i}@{i % (os.cpu_count() or 1)}" for i in range(1, workers + 1)])


def testpmd(pcap: pathlib.Path, huge: bool, mode: str, load: Load = Load()) -> float:
    """Nanoseconds of the forwarding threads a packet."""
    vdevs = [word for i in range(load.workers) for word in ("--vdev", f"net_pcap{i},rx_pcap={pcap},infinite_rx=1")]
    argv = ["stdbuf", "-oL", "dpdk-testpmd", "--lcores", lcores(load.workers), *_memory_words(huge, load), "--no-pci",
            *vdevs, "--", "-i", f"--nb-cores={load.workers}", f"--forward-mode={mode}", "--port-topology=loop",
            f"--total-num-mbufs={load.mbufs * load.workers}", f"--mbcache={POOL_CACHE}", f"--burst={BURST}", f"--rxd={DESCRIPTORS}",
            f"--txd={DESCRIPTORS}", "--no-flush-rx", "--auto-start"]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        def sent() -> int:
            child.stdin.write("show port stats all\n")
            child.stdin.flush()
            ports = []
            for line in child.stdout:
                found = re.search(r"TX-packets:\s*(\d+)", line)
                ports += [int(found[1])] if found else []
                if len(ports) == load.workers:
                    return sum(ports)
            raise LabError("testpmd ended early")

        sent()
        time.sleep(0.7)
        threads = [t for t in pathlib.Path(f"/proc/{child.pid}/task").iterdir() if "worker" in (t / "comm").read_text()]

        def cpu() -> float:
            return sum(int((t / "schedstat").read_text().split()[0]) for t in threads)  # ns on the CPU

        packets, spent = sent(), cpu()
        time.sleep(SECONDS)
        packets2, spent2 = sent(), cpu()
        if packets2 - packets < 100_000:
            raise LabError("testpmd forwarded nothing (it does once in a while): repeat")
        return (spent2 - spent) / (packets2 - packets)
    finally:
        child.stdin.close()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdout.close()


def ours(build: pathlib.Path, pcap: pathlib.Path, huge: bool, port: int, table: pathlib.Path, load: Load = Load(),
         *words: str, program: str = "bench_cached", config: pathlib.Path = ROOT / "configs/minimal.yaml",
         seconds: float = SECONDS) -> dict:
    """What bench_cached says. `port`: of the router that `config` names, 0: it names the port itself."""
    argv = [str(build / "tests/bench" / program), "--pcap", str(pcap), "--names", str(table), "--config", str(config),
            "--router-port", str(port), "--seconds", str(seconds), "--mbufs", str(load.mbufs), "--mib", str(load.mib), "--workers",
            str(load.workers), *load.records, *words] + ([] if huge else ["--no-huge"])
    done = subprocess.run(argv, text=True, capture_output=True, timeout=120)
    if done.returncode != 0:
        raise LabError(f"{program} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def compared(*arguments) -> int:
    """How many answers were compared, every 64th, in a run that is not timed; a wrong one fails the bench."""
    count = ours(*arguments, "--check")["compared"]
    print(f"  {count} answers compared, 0 wrong", flush=True)
    return count


def again(call, *arguments):
    """testpmd forwards nothing once in 28 starts: such a run is repeated, not counted."""
    for attempt in range(3):
        try:
            return call(*arguments)
        except LabError as error:
            if attempt == 2:
                raise
            print(f"  once more: {error}", flush=True)
    return None


def rounds(build: pathlib.Path, folder: pathlib.Path, huge: bool, port: int, load: Load = Load(),
           usual: int = 5) -> dict:
    pcap, table = folder / "hot.pcap", folder / "names.txt"
    swap, io, total, answered, bare = [], [], [], [], []
    for number in range(how_many(usual)):
        swap.append(again(testpmd, pcap, huge, "5tswap", load))
        result = ours(build, pcap, huge, port, table, load)
        total.append(result["ns_per_packet"])
        answered.append(result["answered_share"])
        io.append(again(testpmd, pcap, huge, "io", load))
        if floors.is_measured(number):
            bare.append(floors.on_pcap(build, pcap, huge, load))
        print(f"  round {number + 1}: 5tswap {swap[-1]:.1f} ns, io {io[-1]:.1f} ns, ours {total[-1]:.1f} ns a packet"
              f" ({100 * answered[-1]:.2f} % answered), without DNS {bare[-1]:.1f} ns", flush=True)
    median = statistics.median
    checked = compared(build, pcap, huge, port, table, load)
    ratios = [a / b for a, b in zip(swap, total)]
    return {"ratio": round(median(ratios), 3), "ns": round(median(total), 1),
            "testpmd_ns": round(median(swap), 1), "own_ns": round(median(a - b for a, b in zip(total, io)), 1),
            "bare_ns": round(median(bare), 1), "floor": floors.of(swap, bare), "answered": round(min(answered), 5), "packet_cache": round(result["packet_cache_share"], 3), "compared": checked,
            "rounds": ratios}


def in_l2(build: pathlib.Path, usual: int = 3) -> dict:
    """The same with so few queries that their mbufs stay in L2. (net_pcap keeps a packet of each query, and frees the others at
    once; so the size of the pool changes nothing.)"""
    load = dataclasses.replace(Load(), queries=L2_QUERIES)
    swap, total, bare = [], [], []
    with prepared(build, load, PAGES) as (folder, port, pages):
        pcap, table, huge = folder / "hot.pcap", folder / "names.txt", pages >= LEAST_PAGES
        for number in range(how_many(usual)):
            swap.append(again(testpmd, pcap, huge, "5tswap", load))
            total.append(ours(build, pcap, huge, port, table, load)["ns_per_packet"])
            bare.append(floors.on_pcap(build, pcap, huge, load))
            print(f"  round {number + 1}, {L2_QUERIES} queries: 5tswap {swap[-1]:.1f} ns, ours {total[-1]:.1f} ns, without DNS {bare[-1]:.1f} ns",
                  flush=True)
    median = statistics.median
    return {"ratio_l2": round(median(a / b for a, b in zip(swap, total)), 3), "ns_l2": round(median(total), 1),
            "testpmd_ns_l2": round(median(swap), 1), "bare_ns_l2": round(median(bare), 1)}


@contextlib.contextmanager
def prepared(build: pathlib.Path, load: Load, pages: int):
    """Yields (folder with hot.pcap and names.txt, the router's port, hugepages that there are)."""
    require_idle()
    with tempfile.TemporaryDirectory(prefix="steerdns-bench-") as name, hugepages(pages) as taken:
        folder = pathlib.Path(name)
        write_pcap(folder / "hot.pcap", load)
        (folder / "names.txt").write_text("\n".join(names(load.names)) + "\n")
        rossim = Process("rossim", [str(build / "tools/rossim/rossim"), "--address", "127.0.0.1", "--port", "0", "--user",
                                    "api-user:secret"], folder / "rossim.log")
        try:
            rossim.wait_for(" port ")
            yield folder, int(re.search(r", port (\d+)", rossim.text())[1]), taken
        finally:
            rossim.stop()


def describe(name: str, load: Load, pages: int) -> str:
    """Says what both sides get."""
    asked = "all alike" if load.zipf is None else f"by Zipf's law, exponent {load.zipf:g}"
    return announce(
        f"{name}: both: net_pcap, infinite_rx, no tx option, {load.queries} queries for {load.names} names ({asked}), {load.mbufs} "
        f"mbufs, pool cache {POOL_CACHE}, burst {BURST}, {DESCRIPTORS} descriptors, -m {load.mib}, {pages} hugepages of 2 MiB, lcores "
        f"{lcores(load.workers)} of {os.cpu_count()} CPUs, {load.workers} worker(s), {SECONDS:g} s by turns; testpmd of "
        f"{version('dpdk')}: --forward-mode=5tswap --port-topology=loop --no-flush-rx; ours: configs/minimal.yaml with a cache "
        f"(short_circuit) before its match, {' '.join(load.records) or '--records 2'}, a tenth of the names in the policy set, the router "
        "connected, idle: spin")


def run(build: str) -> dict:
    load = Load()
    with prepared(pathlib.Path(build), load, PAGES) as (folder, port, pages):
        parameters = describe("cached", load, pages)
        result = {}
        if pages >= LEAST_PAGES:
            print("with hugepages:", flush=True)
            result = rounds(pathlib.Path(build), folder, True, port, load)
        print("without hugepages:", flush=True)
        plain = rounds(pathlib.Path(build), folder, False, port, load)
    if not result:
        return {**plain, "hugepages": 0, "parameters": parameters}
    result |= in_l2(pathlib.Path(build))
    if platform.machine() == "x86_64":
        result["most_instr_per_ns"] = floors.highest_rate(pathlib.Path(build))
    return floors.with_own({**result, "hugepages": pages, "parameters": parameters, "ratio_no_huge": plain["ratio"],
                            "ns_no_huge": plain["ns"], "floor_no_huge": plain["floor"]})
