"""The report: Markdown for people, JSON for programs, and the transcript. Secrets are removed before anything is written."""

from __future__ import annotations

import datetime
import json
import pathlib

from stages import Run

MARKS = {"agrees": "as assumed", "differs": "**differs**", "not asked": "not asked", "no assumption": "new"}


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|") or "-"


def contents(run: Run, recording, kind: str, product: str, stopped: str) -> dict:
    router = run.router
    return {"product": product, "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"), "kind": kind,
            "router": {"version": router.version, "board": router.board}, "stopped": stopped, "stages": run.stages,
            "facts": [{name: recording.clean(value) for name, value in vars(fact).items()} for fact in run.facts], "command_tree": run.tree, "speed": run.speed, "left_on_the_router": run.left}


def is_good(report: dict) -> bool:
    """Every stage worked, none of our facts was wrong, and the router is as before."""
    return (not report["stopped"] and not report["left_on_the_router"] and all(s["outcome"] != "failed" for s in report["stages"])
            and not wrong(report) and not report["command_tree"].get("differences"))


def wrong(report: dict) -> list[dict]:
    return [fact for fact in report["facts"] if fact["verdict"] == "differs"]


def markdown(report: dict) -> str:
    facts = report["facts"]
    settled = [f for f in facts if f["verdict"] in ("agrees", "differs", "no assumption") and f["sure"] in ("open", "low", "medium")]
    unasked = [f for f in facts if f["verdict"] == "not asked"]
    tree = report["command_tree"]
    lines = ["# SteerDNS and a router", "",
             f"RouterOS {report['router']['version'] or 'unknown'} on {report['router']['board'] or 'an unknown board'}, {report['kind']}, "
             f"{report['date']}, {report['product']}.", ""]
    if report["stopped"]:
        lines += [f"The test was stopped: {report['stopped']}", ""]
    lines += ["## Stages", "", "| stage | outcome | seconds | what happened |", "|---|---|---|---|"]
    lines += [f"| {s['name']} | {s['outcome']} | {s['seconds']} | {cell(s['text'])} |" for s in report["stages"]]
    lines += ["", "## Our wrong facts", ""]
    lines += table(wrong(report)) if wrong(report) else ["None of those that were asked.", ""]
    lines += ["## Questions that this router settles", "", "Before, we had no answer to them, or one source only.", "", *table(settled)]
    lines += ["## Questions that were not asked", "", "| question | why |", "|---|---|", *[f"| {cell(f['text'])} | {cell(f['why'])} |" for f in unasked], ""]
    lines += ["## All questions", "", *table(facts)]
    lines += ["## Command tree", ""]
    if tree:
        note = "" if tree["exact"] else f" That is the nearest version; `tools/rossim/schema.json` does not have {report['router']['version']}."
        lines += [f"{tree['compared']} menus and commands that SteerDNS uses were compared with RouterOS {tree['schema']}.{note}", ""]
        if tree["differences"]:
            lines += ["| path | the router | tools/rossim/schema.json |", "|---|---|---|"]
            lines += [f"| `{d['path']}` | {cell(d['router'])} | {cell(d['schema'])} |" for d in tree["differences"]] + [""]
        else:
            lines += ["There is no difference.", ""]
    else:
        lines += ["It was not compared.", ""]
    lines += ["## Speed", "", ", ".join(f"{name} {value}" for name, value in report["speed"].items()) or "It was not measured.", ""]
    lines += ["## Left on the router", "", *([f"- {text}" for text in report["left_on_the_router"]] or ["Nothing."]), "",
              "`transcript.txt` has every sentence, without passwords, serial numbers and software ids. Addresses are in it: remove those "
              "that you do not want to show.", ""]
    return "\n".join(lines)


def table(facts: list[dict]) -> list[str]:
    return ["| question | before | we assume | this router | |", "|---|---|---|---|---|",
            *[f"| {cell(f['text'])} (`{f['id']}`) | {f['sure']} | {cell(f['assumed'])} | {cell(f['said'])} | {MARKS[f['verdict']]} |" for f in facts], ""]


def write(folder: pathlib.Path, report: dict, transcript: str, log: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    (folder / "report.md").write_text(markdown(report))
    (folder / "transcript.txt").write_text(transcript)
    (folder / "steerdnsd.log").write_text(log)
