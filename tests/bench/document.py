"""What tools/bench --docs writes: the results that were kept, their tables in docs/explanation/performance.md, docs/reference/status.md
and README.md, and the plots.

docs/explanation/figures/results.json holds the last result of each bench for each CPU model; the rest is made of it, and
document_test.py says so if it is not. `document.py` by hand makes the rest again, for a change of the form.
"""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import textwrap

from bench import plots
from bench.goals import GOALS, Goal

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs/explanation/figures/results.json"
PAGE = ROOT / "docs/explanation/performance.md"
STATUS = ROOT / "docs/reference/status.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- results, by tools/bench --docs -->", "<!-- end of results -->"


def cpu_model() -> str:
    found = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    return re.sub(r"\(R\)|\(TM\)| Processor| CPU.*", "", found[1]).strip() if found else platform.machine()


def machine() -> str:
    """What the figures are of; nothing that names the machine."""
    virtual = ", virtual" if re.search(r"^flags.*\bhypervisor\b", pathlib.Path("/proc/cpuinfo").read_text(), re.M) else ""
    return f"{os.cpu_count()} × {cpu_model()}{virtual}, Linux {platform.release().split('-')[0]}"


def commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(ROOT), *words], text=True, capture_output=True).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs", ":!README.md")
    return git("rev-parse", "--short=10", "HEAD") + ("+" if changed else "")


def load() -> dict:
    """The entry of each bench, by CPU model."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def keep(name: str, result: dict) -> None:
    """This bench's result takes the place of its last one on this CPU model."""
    result = dict(result)
    entry = {"rounds": [round(r, 3) for r in result.pop("rounds", [])], "parameters": result.pop("parameters", ""),
             "machine": machine(), "date": datetime.date.today().isoformat(), "commit": commit(), "result": result}
    RESULTS.parent.mkdir(exist_ok=True)
    results = load()
    results.setdefault(cpu_model(), {})[name] = entry
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def _met(goal: Goal, result: dict) -> str:
    beyond = goal.out_of_reach(result)
    note = f" ({beyond})" if beyond else ""
    if failures := goal.failures(result):
        return ("**no**" if failures == ["ratio"] else f"**no**: {', '.join(f'`{name}`' for name in failures)}") + note
    return ("stretch" if goal.stretched(result) else "yes") + note


def _number(value) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _row(goal: Goal, entry: dict) -> str:
    result = entry["result"]
    bound = lambda what: "" if what is None else f"{'≤ ' if goal.less else ''}{what:g}"
    figures = [f"`{name}` {_number(result[name])} ({sign} {limit:g})" for name, sign, limit in goal.limits if name in result]
    figures += [f"`{name}` {_number(result[name])} (stretch {sign} {limit:g})" for name, sign, limit in goal.stretches if name in result]
    figures += [f"`{name}` {_number(result[name])}" for name in goal.figures if name in result]
    return " | ".join([f"| {goal.name}", _number(result["ratio"]) if goal.ratio is not None else "", bound(goal.ratio),
                       bound(goal.stretch), _number(result.get("floor", "")), _met(goal, result), ", ".join(figures), _number(result.get("instr", "")),
                       str(len(entry["rounds"])), f"{entry['date']}, {entry['commit']} |"])


def _stages(result: dict) -> list[str]:
    loads = result["loads"]
    sums = {name: sum(ns for _, ns in load["stages"]) for name, load in loads.items()}
    lines = ["| stage | " + " | ".join(f"{name}, ns | share" for name in loads) + " |", "|---|" + "---|---|" * len(loads)]
    for number, (stage, _) in enumerate(next(iter(loads.values()))["stages"]):
        cells = [(load["stages"][number][1], sums[name]) for name, load in loads.items()]
        lines.append(f"| {stage} | " + " | ".join(f"{ns:.1f} | {100 * ns / whole:.1f} %" for ns, whole in cells) + " |")
    lines.append("| all stages | " + " | ".join(f"{whole:.1f} | " for whole in sums.values()) + "|")
    for key, what in (("total_ns", "the thread's CPU time"), ("plain_ns", "the same without time stamps")):
        lines.append(f"| {what} | " + " | ".join(f"{load[key]:.1f} | " for load in loads.values()) + "|")
    return lines


def _slug(model: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")


OF_NAMES = {"ns": "uniform, ns", "ns_zipf": "by Zipf's law, ns", "insert_ns": "insert, ns", "bytes_per_entry": "bytes an entry"}
CURVES = {  # of the bench `scale`: what grows, its columns with their headings
    "names": ("names in the cache", OF_NAMES),
    "names_1g": ("names, with entries in pages of 1 GiB", OF_NAMES),
    "rules": ("rules before the cache", {"ns": "uniform, ns", "ns_zipf": "by Zipf's law, ns", "config_s": "read and built, s"}),
    "patterns": ("patterns before the cache", {"ns": "uniform, ns", "ns_zipf": "by Zipf's law, ns", "config_s": "read and built, s"}),
    "clients": ("clients, with a limit", {"ns": "uniform, ns", "ns_zipf": "by Zipf's law, ns"}),
    "claims": ("claims of a router", {"claim_ns": "new, ns", "again_ns": "again, ns", "claim_bytes": "bytes a claim"}),
    "routers": ("routers, 50 new rows/s each", {"lag_p99_ms": "row after claim, p99, ms", "fleet_cpu_percent": "of a core, percent"}),
    "connections": ("idle connections", {
        f"{transport}_{key}": f"{name}, {what}" for transport, name in (("dot", "DoT"), ("doh", "DoH"), ("doq", "DoQ"))
        for key, what in (("bytes", "bytes"), ("percent", "% of a core"), ("ns", "ns an answer"))}),
    "load": ("load, percent of the most", {"mqps": "answers, M/s", "answered": "answered", "p50_us": "p50, µs", "p99_us": "p99, µs"})}


def _growth(curves: dict[str, list[dict]]) -> list[str]:
    lines = []
    for curve, (what, columns) in CURVES.items():
        if curve not in curves:  # of a result from before it was measured
            continue
        lines += ["", f"| {what} | " + " | ".join(columns.values()) + " |", "|---" * (len(columns) + 1) + "|"]
        lines += [f"| {point['n']:,} | " + " | ".join(_number(point[key]) for key in columns) + " |" for point in curves[curve]]
    return lines


CORES = {"packet_cache_hit": "hit in the packet cache", "shared_cache_hit": "hit in the shared cache", "miss": "miss", "insert": "insert, beside its miss",
         "claim": "claim, beside its insert", "among hits": "miss and insert among 15 hits"}


def _cores(result: dict) -> list[str]:
    counts = result["counts"]
    lines = ["| operation | " + " | ".join(f"{n} worker{'s' * (n != '1')}: fills | shared writes" for n in sorted(counts, key=int)) + " |", "|---|" + "---|---|" * len(counts)]
    for name, what in CORES.items():
        lines.append(f"| {what} | " + " | ".join(f"{max(fills, 0):.2f} | {max(writes, 0):.2f}" for fills, writes in (counts[n][name] for n in sorted(counts, key=int))) + " |")
    overlaps, waits = result["curves"]["overlaps"], result["curves"]["waits"]
    shares = sorted(waits, key=int)
    lines += ["", "| workers | " + " | ".join(f"{percent} % misses, M/s: overlap | wait" for percent in shares) + " |", "|---|" + "---|---|" * len(shares)]
    for number, point in enumerate(waits[shares[0]]):
        lines.append(f"| {point['n']} | " + " | ".join(f"{overlaps[p][number]['mqps']:.1f} | {waits[p][number]['mqps']:.1f}" for p in shares) + " |")
    return lines


def _of_one_model(model: str, results: dict) -> list[str]:
    lines = [f"### On {model}", "", "| bench | ratio | goal | stretch | floor | met | other figures (their goals) | `instr` | rounds | of |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    lines += [_row(goal, results[goal.name]) for goal in GOALS if goal.name in results]
    machines = sorted({entry["machine"] for entry in results.values()})
    lines += ["", *textwrap.wrap(f"Machine: {'; '.join(machines)}.", 100), "",
              f"![How much of its goal each bench reaches, on {model}](figures/ratios-{_slug(model)}.svg)"]
    if "stages" in results:
        entry = results["stages"]
        lines += ["", f"Where the nanoseconds of a packet go (`tools/bench stages`, {entry['date']}, {entry['commit']}):", "",
                  *_stages(entry["result"]), "", f"![Nanoseconds a packet, by stage, on {model}](figures/stages-{_slug(model)}.svg)"]
    if "scale" in results:
        entry = results["scale"]
        lines += ["", f"How it grows (`tools/bench scale`, {entry['date']}, {entry['commit']}):", *_growth(entry["result"]["curves"]), "",
                  f"![Nanoseconds an answer, as the work grows, on {model}](figures/scale-{_slug(model)}.svg)"]
    if "cores" in results:
        entry = results["cores"]
        lines += ["", "Lines that move between cores, and a model of many workers", f"(`tools/bench cores`, {entry['date']}, {entry['commit']}):", "",
                  *_cores(entry["result"]), "", f"![Modelled rate of many workers, on {model}](figures/cores-{_slug(model)}.svg)"]
    return lines


def generated(results: dict) -> str:
    """The part of the page between the markers."""
    lines = ["[results.json](figures/results.json) has the rounds of each and the settings of both sides."]
    for model in sorted(results):
        lines += ["", *_of_one_model(model, results[model])]
    return "\n".join(lines)


def summary(results: dict) -> str:
    """The same in short, for docs/reference/status.md."""
    models = sorted(results)
    lines = ["| bench | goal | " + " | ".join(f"{model} | of" for model in models) + " |", "|---|---|" + "---|---|" * len(models)]
    for goal in GOALS:
        cells = []
        for model in models:
            entry = results[model].get(goal.name)
            ratio = f"{_number(entry['result']['ratio'])}, " if entry and goal.ratio is not None else ""
            cells += [f"{ratio}{_met(goal, entry['result'])}", f"{entry['date']}, {entry['commit']}"] if entry else ["-", "-"]
        if any(cell != "-" for cell in cells):
            bound = "" if goal.ratio is None else f"{'≤ ' if goal.less else ''}{goal.ratio:g}"
            lines.append(" | ".join([f"| {goal.name}", bound, *cells]) + " |")
    return "\n".join(lines)


OF_HEADLINE = ("cached", "ports", "streams", "policy", "routeros")


def headline(all_results: dict) -> str:
    """Five figures for the README: those of the CPU model that has them all, the newest ones."""
    complete = [results for results in all_results.values() if all(name in results for name in OF_HEADLINE)]
    if not complete:
        return f"No CPU model has results of all of {', '.join(OF_HEADLINE)}: run `tools/bench` with `--docs`."
    results = max(complete, key=lambda one: one["cached"]["date"])
    figure = {name: entry["result"] for name, entry in results.items()}
    us = lambda ns: f"{ns / 1000:.1f} µs of CPU"
    dates = sorted({results[name]["date"] for name in OF_HEADLINE})
    return "\n".join([
        f"Measured on {results['cached']['machine']}, one worker,\n{' to '.join(dict.fromkeys([dates[0], dates[-1]]))}",
        "([conditions](docs/explanation/performance.md)):", "",
        "| what | SteerDNS | compared with |", "|---|---|---|",
        f"| cached answer, packets from a pcap port | {figure['cached']['ns']:.0f} ns of CPU | testpmd, which only swaps "
        f"addresses (lower bound): {figure['cached']['testpmd_ns']:.0f} ns |",
        f"| cached answer over AF_XDP on a veth, 150,000 queries/s | {us(figure['ports']['ns'])} | Knot DNS in XDP mode: "
        f"{us(figure['ports']['knot_ns'])} |",
        f"| cached answer over DoH, 200 queries in flight | {us(figure['streams']['doh_ns'])} | dnsdist: "
        f"{us(figure['streams']['dnsdist_doh_ns'])} |",
        f"| answers per second with 100,000 rules, 400 patterns and address lists | {100 * figure['policy']['ratio']:.0f} % of the rate "
        "without rules and lists | - |",
        f"| answer that waits for its row, 300 new addresses/s, simulated router | {figure['routeros']['hold_p99_ms']:.1f} ms "
        "(99th percentile) | - |"])


def _with(page: pathlib.Path, text: str) -> str:
    """The page with this between its markers."""
    before, rest = page.read_text().split(BEGIN, 1)
    return before + BEGIN + "\n\n" + text + "\n\n" + END + rest.split(END, 1)[1]


def files(results: dict) -> dict[pathlib.Path, str]:
    """All that is made of the results."""
    made = {PAGE: _with(PAGE, generated(results)), STATUS: _with(STATUS, summary(results)), README: _with(README, headline(results))}
    for model, of_model in results.items():
        made[RESULTS.with_name(f"ratios-{_slug(model)}.svg")] = plots.ratios(of_model)
        if "stages" in of_model:
            made[RESULTS.with_name(f"stages-{_slug(model)}.svg")] = plots.stages(of_model["stages"]["result"])
        if "scale" in of_model:
            made[RESULTS.with_name(f"scale-{_slug(model)}.svg")] = plots.growth(of_model["scale"]["result"]["curves"])
        if "cores" in of_model:
            result = of_model["cores"]["result"]
            made[RESULTS.with_name(f"cores-{_slug(model)}.svg")] = plots.cores(result["curves"], (result["overlapped_ns"], result["fill_ns"]))
    return made


def write() -> None:
    for path, text in files(load()).items():
        path.write_text(text)


if __name__ == "__main__":
    write()
