"""The bench `instr`: instructions of the worker's loop for an answer, counted by callgrind.

It does not move with the machine, so a test compares it (instr_test.py, instr.expected). One worker on an in-process
ring port, built for x86-64-v2 as the package is (valgrind knows no AVX-512). `cached` is what `cached` and `memif` serve (policy
set, router), `adlist` the same behind an ad list that checks what answers point to, `plain` what `ports` does: a cache before a forwarder. `random_case` is `plain` with names in random case. `miss` is a forwarded query from its coming to its
answer, which takes another's place in the cache; `shared_cache` is `plain` with more queries than the packet cache holds, as in `zipf`.
`policy` and `policy_without` are the two sides of the bench `policy`, and with `_miss` their forwarded queries. `bare` is the worker without DNS of the floors (floors.py). `cookies` is `shared_cache` with a valid cookie in each query, each from another client (RFC 7873). `limited` is `cached` with a
limit on answers that is never exceeded.
"""

from __future__ import annotations

import functools
import json
import pathlib
import re
import subprocess
import tempfile

from bench import policy
from bench.cached import ROOT, Load, names, write_pcap
from bench.machine import build_apart
from lab.network import LabError, Process

TARGET, ROSSIM = "tests/bench/bench_instr", "tools/rossim/rossim"
MISSES = Load(queries=8_192, names=8_192, once=True)
LOADS = {"miss": MISSES, "policy_miss": MISSES, "policy_without_miss": MISSES,
         "random_case": Load(random_case=True),
         "shared_cache": Load(queries=32_768, names=32_768, once=True),
         "cookies": Load(queries=32_768, names=32_768, once=True, cookies=True)}
BEHIND_A_ROUTER = ("cached", "adlist", "limited", "policy", "policy_miss")
LIMIT = "limits:\n  - { what: responses, rate: 1000000, prefix4: 32 }\n"
PLAIN = """plugins:
  - {{ tag: answers, type: cache, args: {{ size: {size}, short_circuit: true }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $answers }}, {{ exec: forward 192.0.2.53 }} ] }}
"""


def build_counted(build: pathlib.Path) -> pathlib.Path:
    """Brings the build whose instructions valgrind knows up to date, the folder `v2` in that of the build, and returns it."""
    return build_apart(build, "v2", "-Dmarch=x86-64-v2", TARGET, ROSSIM)


def _count(folder: pathlib.Path, bench: pathlib.Path, *words: str) -> float:
    done = subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={folder}/out",
                           str(bench), "--pcap", str(folder / "hot.pcap"), "--names", str(folder / "names"), *words],
                          text=True, capture_output=True, timeout=300)
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not collected:
        raise LabError(f"bench_instr: {done.stdout} {done.stderr[-1500:]}")
    return int(collected[1]) / json.loads(done.stdout.splitlines()[-1])["answers"]


def count(build: pathlib.Path, what: str) -> float:
    """Instructions an answer of one of the lines of instr.expected. `build`: for x86-64-v2."""
    load = LOADS.get(what, Load())
    bench = build / TARGET
    with tempfile.TemporaryDirectory(prefix="steerdns-instr-") as name:
        folder = pathlib.Path(name)
        write_pcap(folder / "hot.pcap", load)
        if what == "bare":
            return _count(folder, bench, "--bare")
        words, known = (["--miss"], ["other.example"]) if load is MISSES else ([], names(load.names))
        (folder / "names").write_text("\n".join(known) + "\n")
        if what.startswith("policy_without"):
            return _count(folder, bench, "--config", str(policy.write_plain(folder)), *words)
        if what not in BEHIND_A_ROUTER:
            (folder / "plain.yaml").write_text(PLAIN.format(size=1_024 if what == "miss" else max(1_024, load.names)))
            return _count(folder, bench, "--config", str(folder / "plain.yaml"), *words)
        rossim = Process("rossim", [str(build / ROSSIM), "--address", "127.0.0.1", "--port", "0", "--user",
                                    "api-user:secret"], folder / "rossim.log")
        try:
            rossim.wait_for(" port ")
            port = re.search(r", port (\d+)", rossim.text())[1]
            if what.startswith("policy"):
                return _count(folder, bench, "--config", str(policy.write_config(folder, int(port))), *words)
            (folder / "ads").write_text("||ads.example^\n@@||fine.ads.example^\n")
            ads = ["--ads", str(folder / "ads")] if what == "adlist" else []
            config = folder / "config.yaml"
            config.write_text((ROOT / "configs/minimal.yaml").read_text() + (LIMIT if what == "limited" else ""))
            return _count(folder, bench, "--config", str(config), "--router-port", port, *ads)
        finally:
            rossim.stop()


@functools.cache  # several benches show the same one
def figure(build: pathlib.Path, what: str) -> int:
    """The second figure of a bench: built first if need be."""
    return round(count(build_counted(build), what))


def expected() -> dict[str, int]:
    """What was committed: lines of `name count`."""
    lines = pathlib.Path(__file__).with_name("instr.expected").read_text().splitlines()
    return {name: int(number) for name, number in (line.split() for line in lines if line and line[0] != "#")}


def run(build: str) -> dict:
    return {what: figure(pathlib.Path(build), what) for what in expected()}
