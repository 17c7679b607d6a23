"""Load over DNS over QUIC: doq_load, and what it says.

It compares each answer with the record that all names of the benches have.
"""

from __future__ import annotations

import json

from bench.ports import CLIENT_CPU, OURS, SECONDS, Stage
from lab.network import LabError

TARGET = "tests/bench/doq_load"


def load(stage: Stage, what: str, *words: str) -> dict:
    """Its last line, at its end."""
    done = stage.network.run("client", *command(stage, what, *words), check=False)
    if done.returncode != 0:
        raise LabError(f"doq_load {what}: {done.stderr[-500:]}")
    return json.loads(done.stdout.splitlines()[-1])


def command(stage: Stage, what: str, *words: str) -> list[str]:
    return ["taskset", "-c", CLIENT_CPU, str(stage.build / TARGET), what, str(stage.names), "--server", OURS, *words]


def answered(stage: Stage, *words: str) -> tuple[int, float]:
    """Right answers, and a second; if others are more than a hundredth the bench fails."""
    found = load(stage, "ask", "--seconds", str(SECONDS), *words)
    good, bad = found["answered"], sum(found[key] for key in ("errors", "wrong", "reset", "ended"))
    if good == 0 or found["wrong"] or bad > 0.01 * good:
        raise LabError(f"doq: {found}")
    return good, found["rate"]


def connections(stage: Stage, seconds: float, *words: str) -> dict:
    return load(stage, "connect", "--seconds", str(seconds), *words)
