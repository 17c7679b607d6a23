"""The bench `match`: ns a name of the best of two other ways to match it ÷ ours.

A million suffixes and 400 patterns (half keywords, half regexps, each with a literal); a million different names, half of
them under a rule. The others are a flat hash map walked from the full name (no names compared) with all patterns in one
Hyperscan database, and Hyperscan for everything (of 5,000 rules: a million take minutes to compile and are slower still);
the first gives the same sets for every name, or the bench fails. By turns, medians of five, time of the CPU.
"""

from __future__ import annotations

import json
import pathlib
import subprocess

from bench import machine
from lab.network import LabError


def run(build: str) -> dict:
    machine.require_idle()
    done = subprocess.run([str(pathlib.Path(build) / "tests/bench/bench_match"), "--rounds", str(machine.rounds(5))],
                          text=True, capture_output=True, timeout=600)
    if done.returncode != 0:
        raise LabError(f"bench_match: {done.stdout} {done.stderr[-500:]}")
    return json.loads(done.stdout)
