"""The bench `recorder`: queries a second that reach the worst sink of a query_recorder ÷ 200,000, for at most one core.

Each sink alone (SQLite, JSON lines, dnstap to fstrm_capture): a producer writes 200,000 records a second into a worker's ring for
ten seconds. What finds no room in the ring or in a queue is lost, and does not count. `*_cores` is the CPU time of the recorder's
threads ÷ time; a sink that needs more than one core counts by that much less. The files are on the disk of the build.
"""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import tempfile
import time

from bench import machine
from lab.network import LabError

RATE, SECONDS = 200_000, 10
SINKS = ("json", "database", "dnstap")


def measured(program: pathlib.Path, sink: str, folder: pathlib.Path) -> dict:
    receiver = None
    if sink == "dnstap":
        receiver = subprocess.Popen(["fstrm_capture", "-t", "protobuf:dnstap.Dnstap", "-u", str(folder / "tap.sock"), "-w", "/dev/null"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not (folder / "tap.sock").exists():
            time.sleep(0.05)
    try:
        done = subprocess.run([str(program), sink, str(folder), str(RATE), str(SECONDS)], text=True, capture_output=True, timeout=180)
    finally:
        if receiver:
            receiver.kill()
            receiver.wait()
    if done.returncode != 0:
        raise LabError(f"bench_recorder: {done.stdout} {done.stderr[-500:]}")
    return json.loads(done.stdout)


def run(build: str) -> dict:
    machine.require_idle()
    program = pathlib.Path(build) / "tests/bench/bench_recorder"
    result: dict = {"parameters": machine.announce(f"{RATE} records/s for {SECONDS} s into each of {', '.join(SINKS)}")}
    shares = []
    for sink in SINKS:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="recorder-", dir=build))
        try:
            one = measured(program, sink, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        kept = one["written"] / one["made"]
        shares.append(kept / max(1, one["cores"]))
        result |= {f"{sink}_kept": round(kept, 4), f"{sink}_cores": round(one["cores"], 2), f"{sink}_ns": round(one["cpu_ns"])}
    return {"ratio": round(min(shares), 3), **result}
