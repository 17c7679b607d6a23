"""What tools/bench --docs writes: the results that were kept, their tables in docs/explanation/performance.md, docs/reference/status.md
and README.md, and the plots.

docs/explanation/figures/results.json holds the last result of each bench; the rest is made of it, and document_test.py says so if it
is not. `document.py` by hand makes the rest again, for a change of the form.
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


def machine() -> str:
    """What the figures are of; nothing that names the machine."""
    cpu = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    virtual = ", virtual" if re.search(r"^flags.*\bhypervisor\b", pathlib.Path("/proc/cpuinfo").read_text(), re.M) else ""
    return f"{os.cpu_count()} × {cpu[1].strip() if cpu else platform.machine()}{virtual}, Linux {platform.release().split('-')[0]}"


def commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(ROOT), *words], text=True, capture_output=True).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs", ":!README.md")
    return git("rev-parse", "--short=10", "HEAD") + ("+" if changed else "")


def load() -> dict:
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def keep(name: str, result: dict) -> None:
    """This bench's result takes the place of its last one."""
    result = dict(result)
    entry = {"rounds": [round(r, 3) for r in result.pop("rounds", [])], "parameters": result.pop("parameters", ""),
             "machine": machine(), "date": datetime.date.today().isoformat(), "commit": commit(), "result": result}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({**load(), name: entry}, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def _met(goal: Goal, result: dict) -> str:
    if failures := goal.failures(result):
        return "**no**" if failures == ["ratio"] else f"**no**: {', '.join(f'`{name}`' for name in failures)}"
    stretched = goal.stretch is not None and goal.share(result["ratio"]) >= goal.share(goal.stretch)
    return "stretch" if stretched else "yes"


def _number(value) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _row(goal: Goal, entry: dict) -> str:
    result = entry["result"]
    bound = lambda what: "" if what is None else f"{'≤ ' if goal.less else ''}{what:g}"
    figures = [f"`{name}` {_number(result[name])} ({sign} {limit:g})" for name, sign, limit in goal.limits if name in result]
    figures += [f"`{name}` {_number(result[name])}" for name in goal.figures if name in result]
    return " | ".join([f"| {goal.name}", _number(result["ratio"]) if goal.ratio is not None else "", bound(goal.ratio),
                       bound(goal.stretch), _met(goal, result), ", ".join(figures), _number(result.get("instr", "")),
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


def generated(results: dict) -> str:
    """The part of the page between the markers."""
    lines = ["| bench | ratio | goal | stretch | met | other figures (their goals) | `instr` | rounds | of |",
             "|---|---|---|---|---|---|---|---|---|"]
    lines += [_row(goal, results[goal.name]) for goal in GOALS if goal.name in results]
    machines = sorted({entry["machine"] for entry in results.values()})
    lines += ["", *textwrap.wrap(f"Machine: {'; '.join(machines)}.", 100),
              "[results.json](figures/results.json) has the rounds of each and the settings of both sides.", "",
              "![How much of its goal each bench reaches](figures/ratios.svg)"]
    if "stages" in results:
        entry = results["stages"]
        lines += ["", f"Where the nanoseconds of a packet go (`tools/bench stages`, {entry['date']}, {entry['commit']}):", "",
                  *_stages(entry["result"]), "", "![Nanoseconds a packet, by stage](figures/stages.svg)"]
    return "\n".join(lines)


def summary(results: dict) -> str:
    """The same in short, for docs/reference/status.md."""
    lines = ["| bench | ratio | goal | met | of |", "|---|---|---|---|---|"]
    for goal in (goal for goal in GOALS if goal.name in results):
        entry = results[goal.name]
        ratio = _number(entry["result"]["ratio"]) if goal.ratio is not None else ""
        bound = "" if goal.ratio is None else f"{'≤ ' if goal.less else ''}{goal.ratio:g}"
        lines.append(f"| {goal.name} | {ratio} | {bound} | {_met(goal, entry['result'])} | {entry['date']}, {entry['commit']} |")
    return "\n".join(lines)


def headline(results: dict) -> str:
    """Five figures for the README."""
    figure = {name: entry["result"] for name, entry in results.items()}
    us = lambda ns: f"{ns / 1000:.1f} µs of CPU"
    dates = sorted({results[name]["date"] for name in ("cached", "ports", "streams", "policy", "routeros")})
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
    made = {PAGE: _with(PAGE, generated(results)), STATUS: _with(STATUS, summary(results)), README: _with(README, headline(results)),
            RESULTS.with_name("ratios.svg"): plots.ratios(results)}
    if "stages" in results:
        made[RESULTS.with_name("stages.svg")] = plots.stages(results["stages"]["result"])
    return made


def write() -> None:
    for path, text in files(load()).items():
        path.write_text(text)


if __name__ == "__main__":
    write()
