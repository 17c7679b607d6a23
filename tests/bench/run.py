"""tools/bench: runs the named benches and prints their results. `run.py BUILD NAME… [--json FILE]`."""

from __future__ import annotations

import json
import pathlib
import sys

from bench import cached, instr, latency, memif, miss, peers, ports, wakeups, workers, zipf
from bench.machine import TooBusy

BENCHES = {"cached": cached.run, "instr": instr.run, "latency": latency.run, "memif": memif.run, "miss": miss.run,
           "peers": peers.run, "ports": ports.run, "wakeups": wakeups.run, "workers": workers.run,
           "zipf": zipf.run}
# The second figure of each: instructions an answer of what it serves.
INSTRUCTIONS = {"cached": "cached", "memif": "cached", "ports": "plain"}


def main() -> int:
    build, *words = sys.argv[1:]
    target = None
    if "--json" in words:
        at = words.index("--json")
        if at + 1 == len(words):
            print("tools/bench: --json wants a file", file=sys.stderr)
            return 2
        target = words[at + 1]
        del words[at:at + 2]
    unknown = [w for w in words if w not in BENCHES]
    if unknown or not words:
        print(f"tools/bench: no bench {unknown or ''}; there are: {' '.join(BENCHES)}", file=sys.stderr)
        return 2
    results: dict[str, dict] = {}
    for name in words:
        try:
            results[name] = BENCHES[name](build)
            if name in INSTRUCTIONS:
                results[name]["instr"] = instr.figure(pathlib.Path(build), INSTRUCTIONS[name])
        except TooBusy as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 3
    if target:
        with open(target, "w") as out:
            json.dump(results, out, indent=2)
    for name, result in results.items():
        print(name, *(f"{key}={value}" for key, value in result.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
