"""The bench `zones`: time to take a policy zone of 5,000,000 names whole ÷ time to take a change of 100 names.

The primary is a function, so no network counts. A change is the difference, the journal on disk, and the new table of changes.
"""

from __future__ import annotations

import json
import pathlib
import subprocess

from bench import machine
from lab.network import LabError


def run(build: str) -> dict:
    machine.require_idle()
    done = subprocess.run([str(pathlib.Path(build) / "tests/bench/bench_zones")], text=True, capture_output=True, timeout=600)
    if done.returncode != 0:
        raise LabError(f"bench_zones: {done.stdout} {done.stderr[-500:]}")
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in json.loads(done.stdout).items()}
