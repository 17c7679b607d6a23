"""The bench `routeros`: rows a second written to a simulated router ÷ its own write rate, and what keeping rows costs.

The engine of routeros/ and rossim's routers run in one process on a fake clock (routeros_scenes.h says what each figure is).
So the figures are the same on a busy machine, except CPU time and memory. The routers' costs are those of
tools/rossim/presets.json, whose sha256 is printed.
"""

from __future__ import annotations

import json
import pathlib
import subprocess

from bench import machine
from lab.network import LabError


def run(build: str) -> dict:
    done = subprocess.run([str(pathlib.Path(build) / "tests/bench/bench_routeros")], text=True, capture_output=True, timeout=600)
    if done.returncode != 0:
        raise LabError(f"bench_routeros: {done.stdout} {done.stderr[-500:]}")
    result = json.loads(done.stdout)
    presets = result.pop("presets_sha256")
    return {**result, "parameters": machine.announce(f"routers as in presets.json (sha256 {presets}), 2 ms away; sync_timeout 100 ms")}
