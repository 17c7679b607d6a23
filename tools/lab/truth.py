"""The judge of tests/support/truth in the lab: listens where a client is, and compares with the router's journal."""

from __future__ import annotations

import json
import pathlib
import re
import signal

from lab.network import LabError, NetworkLab, run
from lab.scene import ROOT, Scene

TRUTH = ROOT / "tests/support/truth/truth"
POLICIES = ("stream.example=policy_set_v4,policy_set_v6", "media.example=policy_set_v4,policy_set_v6")


def ask(scene: Scene, names: list[str], kind: str = "A", *, server: str = "172.16.1.2", window: int = 200,
        timeout: float = 5, space: str = "client") -> list[dict]:
    """Asks all names, `window` at a time; see ask.py for what comes back."""
    done = scene.network.run(space, "/usr/bin/python3", str(ROOT / "tools/lab/ask.py"), server, str(window),
                             str(timeout), input="".join(f"{name} {kind}\n" for name in names))
    return [json.loads(line) for line in done.stdout.splitlines()]


class Capture:
    """Every answer that reaches the client while this is open, with the kernel's time stamps."""

    serial = 0

    def __init__(self, lab: NetworkLab, space: str = "client", interface: str = "eth0"):
        Capture.serial += 1
        self.file = lab.network.folder / f"answers-{Capture.serial}.jsonl"
        self.process = lab.network.start(space, f"capture-{Capture.serial}", "/usr/bin/python3", str(TRUTH),
                                           "capture", "--interface", interface, "--out", str(self.file))
        self.process.wait_for("capturing on")

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *_) -> None:
        self.process.stop(number=signal.SIGINT)


def judge(journal: pathlib.Path, capture: Capture, *options: str, policies: tuple[str, ...] = POLICIES) -> dict[str, int]:
    """Counts of answers, early, gap, missing, excused; `text` is what the judge said of each."""
    done = run("/usr/bin/python3", str(TRUTH), "judge", "--answers", str(capture.file), "--journal", str(journal),
               *[word for policy in policies for word in ("--policy", policy)], "--verbose", *options, check=False)
    counts = dict(re.findall(r"(\w+)=(\d+)", done.stdout.splitlines()[-1] if done.stdout else ""))
    if done.returncode > 1 or "answers" not in counts:
        raise LabError(f"the judge failed: {done.stdout[-500:]}{done.stderr[-500:]}")
    return {name: int(count) for name, count in counts.items()} | {"text": done.stdout[-2000:]}


def many_names_zone(count: int, ttl: int = 300) -> str:
    """Zone text: n0..n(count-1), an address each out of 198.19.0.0/16, where rossim's prefill is not."""
    head = "@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.1\n"
    return head + "".join(f"n{i} {ttl} A {address_of(i)}\n" for i in range(count))


def address_of(index: int) -> str:
    return f"198.19.{index >> 8}.{index & 255}"
