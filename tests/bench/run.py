"""tools/bench: runs the named benches and prints their results. tools/bench --help says which words it knows."""

from __future__ import annotations

import argparse
import json
import pathlib
import signal
import sys

from bench import cached, claims, dns64, document, doq, fleet_claims, floors, instr, latency, limits, machine, many_cores, match, memif, miss, observability, peers, policy, ports, recorder, recursion, reload, routeros, scale, stages, streams, wakeups, workers, zipf, zones
from bench.goals import BY_NAME
from bench.hostile import method as hostile
from lab.network import LabError

# The programs that a bench starts, as targets of the build.
PRODUCT = ("steerdnsd", "tools/steerctl/steerctl", "tools/rossim/rossim")
LOOP = ("tests/bench/bench_cached", "tools/rossim/rossim")
MEMIF = (*PRODUCT, "tests/bench/memif_peer")
VETH = (*PRODUCT, floors.TARGET)
TARGETS = {"cached": (*LOOP, floors.TARGET), "claims": PRODUCT, "cores": ("tests/cores/cores_load", "tests/cores/line_cost"), "fleet": PRODUCT, "hostile": (*PRODUCT, "steerdns-quic", doq.TARGET), "instr": ("tools/rossim/rossim",), "latency": (*MEMIF, *latency.TARGETS), "limits": LOOP, "match": ("tests/bench/bench_match",), "memif": (*MEMIF, *LOOP, floors.TARGET),
           "miss": VETH, "dns64": LOOP, "observability": MEMIF, "peers": VETH, "policy": (*LOOP, floors.TARGET), "ports": VETH, "recorder": ("tests/bench/bench_recorder",), "recursion": (*PRODUCT, "tests/bench/ramp_load"), "reload": LOOP,
           "routeros": ("tests/bench/bench_routeros",), "scale": (*MEMIF, "tests/bench/bench_cached", "tests/bench/bench_routeros", "steerdns-quic", doq.TARGET), "stages": ("tools/rossim/rossim",), "streams": (*PRODUCT, "steerdns-quic", doq.TARGET),
           "wakeups": MEMIF, "workers": LOOP, "zipf": (*LOOP, floors.TARGET), "zones": ("tests/bench/bench_zones",)}
BENCHES = {"cached": cached.run, "claims": claims.run, "cores": many_cores.run, "fleet": fleet_claims.run, "hostile": hostile.run, "instr": instr.run, "latency": latency.run, "limits": limits.run, "match": match.run, "memif": memif.run, "miss": miss.run,
           "dns64": dns64.run, "observability": observability.run, "peers": peers.run, "policy": policy.run, "ports": ports.run, "recorder": recorder.run, "recursion": recursion.run, "reload": reload.run, "routeros": routeros.run, "scale": scale.run, "stages": stages.run, "streams": streams.run, "wakeups": wakeups.run,
           "workers": workers.run, "zipf": zipf.run, "zones": zones.run}
NOT_PRINTED = ("rounds", "parameters", "loads", "curves", "counts")  # in the last lines


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/bench", add_help=False)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--json")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("--targets", action="store_true")  # for tools/bench: what to build first
    found = parser.parse_intermixed_args()
    found.names = list(BENCHES) if found.all else found.names
    if unknown := [name for name in found.names if name not in BENCHES]:
        parser.error(f"no bench {' '.join(unknown)}; there are: {' '.join(BENCHES)}")
    if found.docs and found.busy:
        parser.error("figures of a busy machine do not go into the documents")
    if not found.names:
        parser.error(f"which bench? There are: {' '.join(BENCHES)}, or --all")
    return found


def measured(name: str, build: pathlib.Path, documented: bool) -> dict:
    """`documented`: with the instructions an answer, which takes a build of its own."""
    result = BENCHES[name](str(build))
    if not documented or name not in BY_NAME:
        return result
    if BY_NAME[name].instr:
        result |= {"instr": instr.figure(build, BY_NAME[name].instr)}
    if "ns_l2" not in result:
        return result
    of_cached, of_bare = instr.figure(build, "cached"), instr.figure(build, "bare")
    per_ns = floors.instructions_per_ns(result, of_cached, of_bare)
    if name == "policy":
        return {**result, "floor_own": policy.floor_own(result, lambda what: instr.figure(build, what), per_ns), "instr_per_ns": per_ns}
    result = floors.with_l2(result, of_cached, of_bare)
    return {**floors.with_own(result, floors.times_of(result["instr"], of_cached, of_bare)), "instr_per_ns": per_ns}


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM ends as Ctrl-C does: hugepages, folders and rossim are removed
    wanted = options()
    if wanted.targets:
        instr_too = ["instr"] if wanted.docs else []
        print(*sorted({target for name in wanted.names + instr_too for target in TARGETS[name]}))
        return 0
    if wanted.rounds:
        machine.want_rounds(wanted.rounds)
    if wanted.busy:
        machine.allow_busy()
    results: dict[str, dict] = {}
    not_measurable: dict[str, str] = {}
    failed = 0
    for name in wanted.names:
        try:
            results[name] = measured(name, wanted.build, wanted.docs)
        except machine.TooBusy as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = 3
            break
        except machine.NotMeasurable as reason:
            not_measurable[name] = str(reason)
            failed = 3
            continue
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
    for name, reason in not_measurable.items():
        print(f"{name} not measurable: {reason}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
