"""What the compile of the programs costs: CPU seconds, as a multiple of those of reference.cpp compiled in the same run.

    cost.py build FOLDER JOBS TARGET…   runs ninja, compiles reference.cpp beside it, keeps what each real compile cost
    cost.py judge FOLDER [--write]      compares the programs with committed.json; --write makes that file

A cached object costs nothing now. It counts with the cost that FOLDER last kept for it, else with the committed one.
So a cached build never looks dear, and one object that grew is seen alone. Exit 1: dearer than kLimit allows.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
COMMITTED = HERE / "committed.json"
LOG, KEPT = ".cost.log", ".cost.json"  # in the build folder
PROGRAMS = ("steerdnsd", "steerdns-sets", "steerdns-quic", "tools/steerctl/steerctl", "tools/rossim/rossim")
LIMIT = 1.1
EVERY_S = 200  # CPU seconds of compiles between two compiles of the reference: a slow time has no more of them than a fast one
SAMPLES = 2  # of the reference, at least
# Options of meson that change the cost.
OPTIONS = ("march", "unity", "unity_size", "optimization", "debug", "lto", "b_sanitize", "cpp_args", "fuzzers")


def read_log(text: str) -> dict[str, dict]:
    """The last line of each object, and its CPU seconds."""
    costs = {}
    for line in text.splitlines():
        words = line.split("\t")
        if len(words) == 4:
            costs[words[0]] = {"user": float(words[1]), "system": float(words[2]), "mib": int(words[3]) >> 10}
    return costs


def compile_reference(folder: str) -> float:
    """CPU seconds."""
    child = subprocess.Popen(["g++", "-std=c++20", "-O2", "-w", "-c", str(HERE / "reference.cpp"), "-o", f"{folder}/reference.o"])
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit("build cost: reference.cpp does not compile; install the packages of tools/deps --build")
    return used.ru_utime + used.ru_stime


def recorded_s(log: pathlib.Path) -> float:
    """CPU seconds of all compiles so far."""
    return sum(cost["user"] + cost["system"] for cost in read_log(log.read_text()).values()) if log.exists() else 0.0


def is_due(recorded: float, samples: int) -> bool:
    """Whether the reference is to be compiled now, after so many CPU seconds of real compiles."""
    return recorded > samples * EVERY_S


class Reference(threading.Thread):
    """Compiles reference.cpp beside the build, from the first real compile on."""

    def __init__(self, log: pathlib.Path):
        super().__init__()
        self.log, self.samples, self.ended = log, [], threading.Event()

    def run(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            while not self.ended.wait(0.5):
                if is_due(recorded_s(self.log), len(self.samples)):
                    self.samples.append(compile_reference(folder))
            while recorded_s(self.log) > 0 and len(self.samples) < SAMPLES:
                self.samples.append(compile_reference(folder))


def build(folder: pathlib.Path, jobs: str, targets: list[str]) -> int:
    log = folder / LOG
    log.unlink(missing_ok=True)
    reference = Reference(log)
    reference.start()
    begin = time.monotonic()
    code = subprocess.run(["ninja", "-j", jobs, "-C", str(folder), *targets]).returncode
    clock = time.monotonic() - begin
    reference.ended.set()
    reference.join()
    raw = read_log(log.read_text()) if log.exists() else {}
    kept = read_json(folder / KEPT)
    same = kept.get("compiler") == compiler() and kept.get("options") == options(folder)
    kept = {"costs": kept["costs"] if same else {}, "compiled": sorted(raw), "compiler": compiler(), "options": options(folder)}
    if raw:
        unit = sum(reference.samples) / len(reference.samples)
        kept["costs"] |= {name: round((cost["user"] + cost["system"]) / unit, 3) for name, cost in raw.items()}
        user, system = (sum(cost[kind] for cost in raw.values()) for kind in ("user", "system"))
        print(f"{user + system:.0f} CPU seconds (user {user:.0f}, system {system:.0f}) in {len(raw)} compiles and links, {clock:.0f} s of clock with "
              f"{jobs} jobs, {max(cost['mib'] for cost in raw.values())} MiB in the largest process; the reference file took {unit:.1f} CPU seconds "
              f"(mean of {len(reference.samples)})")
    (folder / KEPT).write_text(json.dumps(kept, indent=1) + "\n")
    return code


def read_json(file: pathlib.Path) -> dict:
    return json.loads(file.read_text()) if file.exists() else {}


def compiler() -> str:
    return subprocess.run(["g++", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[0]


def options(folder: pathlib.Path) -> str:
    text = subprocess.run(["meson", "introspect", "--buildoptions", str(folder)], stdout=subprocess.PIPE, text=True, check=True).stdout
    values = {option["name"]: option["value"] for option in json.loads(text)}
    return " ".join(f"{name}={values[name]}" for name in OPTIONS)


def parts_of(folder: pathlib.Path) -> list[str]:
    """Objects and links of the programs."""
    text = subprocess.run(["ninja", "-C", str(folder), "-t", "inputs", *PROGRAMS], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [name for name in text.split() if name.endswith(".cpp.o")] + list(PROGRAMS)


def judge(parts: list[str], kept: dict, committed: dict) -> tuple[int, list[str]]:
    """The exit code and the lines of the report."""
    for what in ("compiler", "options"):
        if committed and kept[what] != committed[what]:
            return 0, [f"build cost: not compared: {what} is {kept[what]!r}, the committed costs are of {committed[what]!r}"]
    known = committed.get("costs", {})
    costs = {part: kept["costs"].get(part, known.get(part)) for part in parts}
    unknown = [part for part, cost in costs.items() if cost is None]
    costs = {part: cost for part, cost in costs.items() if cost is not None}
    compiled = [part for part in parts if part in kept["compiled"]]
    total, former = sum(costs.values()), sum(known.values())
    lines = [f"build cost: {total:.1f} times the reference file, committed {former:.1f}; {len(compiled)} of {len(parts)} objects and programs "
             "were compiled in this run, the others count with what they last cost"]
    if unknown:
        lines.append(f"build cost: {len(unknown)} were cached and have no known cost: {', '.join(unknown[:3])}{' …' if len(unknown) > 3 else ''}")
    if not former or total <= LIMIT * former:
        return 0, lines
    grown = sorted(((cost - known.get(part, 0), part) for part, cost in costs.items()), reverse=True)
    lines += [f"  {known.get(part, 0):6.2f} -> {costs[part]:6.2f}  {part}" for growth, part in grown[:12] if growth > 0.05]
    lines.append(f"build cost: {total / former:.2f} times the committed cost, at most {LIMIT} is allowed; make the objects above cheaper, "
                 "or accept them with `tools/build --cost --write`")
    return 1, lines


def main(words: list[str]) -> int:
    if len(words) >= 3 and words[0] == "build":
        return build(pathlib.Path(words[1]), words[2], words[3:])
    if len(words) < 2 or words[0] != "judge":
        print(__doc__, file=sys.stderr)
        return 2
    folder = pathlib.Path(words[1])
    kept, parts = read_json(folder / KEPT), parts_of(folder)
    if words[2:] == ["--write"]:
        missing = [part for part in parts if part not in kept["costs"]]
        if missing:
            print(f"build cost: {missing[0]} was not compiled here; run `tools/build --cost --write`", file=sys.stderr)
            return 2
        costs = dict(sorted(((part, kept["costs"][part]) for part in parts), key=lambda one: -one[1]))
        COMMITTED.write_text(json.dumps({"compiler": kept["compiler"], "options": kept["options"], "ratio": round(sum(costs.values()), 1),
                                         "costs": costs}, indent=1) + "\n")
    code, lines = judge(parts, kept, read_json(COMMITTED))
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
