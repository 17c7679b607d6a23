"""Runs the program fleet_sim, and reads its figures."""

from __future__ import annotations

import json
import pathlib
import subprocess


class SimError(RuntimeError):
    """It did not run; `code` is its exit code."""

    def __init__(self, text: str, code: int):
        super().__init__(text)
        self.code = code


def simulate(build: pathlib.Path, *options: str) -> dict:
    done = subprocess.run([str(build / "tools/fleet_sim/fleet_sim"), *options], text=True, capture_output=True)
    if done.returncode != 0:
        raise SimError(done.stderr.strip() or f"fleet_sim ended with {done.returncode}", done.returncode)
    return json.loads(done.stdout) if done.stdout.startswith("{") else {"help": done.stdout}
