"""tools/bench: runs the named benches and prints their results. tools/bench --help says which words it knows."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

from bench import cached, dns64, document, instr, latency, machine, match, memif, miss, peers, policy, ports, reload, routeros, stages, streams, wakeups, workers, zipf
from bench.goals import BY_NAME
from lab.network import LabError

BENCHES = {"cached": cached.run, "instr": instr.run, "latency": latency.run, "match": match.run, "memif": memif.run, "miss": miss.run,
           "dns64": dns64.run, "peers": peers.run, "policy": policy.run, "ports": ports.run, "reload": reload.run, "routeros": routeros.run, "stages": stages.run, "streams": streams.run, "wakeups": wakeups.run,
           "workers": workers.run, "zipf": zipf.run}
NOT_PRINTED = ("rounds", "parameters", "loads")  # in the last lines


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/bench", add_help=False)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--json")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--busy", action="store_true")
    found = parser.parse_args()
    found.names = list(BENCHES) if found.all else found.names
    if unknown := [name for name in found.names if name not in BENCHES]:
        parser.error(f"no bench {' '.join(unknown)}; there are: {' '.join(BENCHES)}")
    if found.docs and found.busy:
        parser.error("figures of a busy machine do not go into the documents")
    if not found.names:
        parser.error(f"which bench? There are: {' '.join(BENCHES)}, or --all")
    return found


def measured(name: str, build: pathlib.Path) -> dict:
    result = BENCHES[name](str(build))
    what = BY_NAME[name].instr if name in BY_NAME else ""
    return {**result, "instr": instr.figure(build, what)} if what else result


def main() -> int:
    wanted = options()
    if wanted.rounds:
        machine.want_rounds(wanted.rounds)
    if wanted.busy:
        machine.allow_busy()
    results: dict[str, dict] = {}
    failed = 0
    for name in wanted.names:
        try:
            results[name] = measured(name, wanted.build)
        except machine.TooBusy as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = 3
            break
        except LabError as error:  # the others may still tell something
            print(f"{name}: {error}", file=sys.stderr)
            failed = 1
            continue
        if wanted.docs and name != "instr":
            document.keep(name, results[name])
            document.write()
    if wanted.json:
        pathlib.Path(wanted.json).write_text(json.dumps(results, indent=2))
    for name, result in results.items():
        print(name, *(f"{key}={value}" for key, value in result.items() if key not in NOT_PRINTED))
    return failed


if __name__ == "__main__":
    sys.exit(main())
