"""The router's own command tree (/console/inspect), compared with tools/rossim/schema.json for the menus that SteerDNS uses."""

from __future__ import annotations

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/support"))
import routeros_schema  # noqa: E402
from stand_in import children, nearest  # noqa: E402

FOLDERS = ("dir", "path")  # menus below a menu: each is compared by itself


def schema() -> dict:
    return json.loads((ROOT / "tools/rossim/schema.json").read_text())


def used() -> list[tuple[str, str]]:
    """(menu, command) of every sentence that the product may send, and of its set-up; listen is a print of the console."""
    found = {(menu, "print" if command == "listen" else command) for _, menu, command, *_ in routeros_schema.sentences()
             if (menu, command) != ("/", "login")}
    for file in routeros_schema.SETUPS:
        if "routeros-6" not in file.name:
            found |= {(menu, command) for menu, command, *_ in routeros_schema.calls_of(file.read_text())}
    return sorted(found)


def children_of(session, path: str) -> list[tuple[str, str]]:
    words = ",".join(part for part in path.split("/") if part)
    reply = session.ask("/console/inspect", "=request=child", f"=path={words}", "=.proplist=name,node-type,type", seconds=60)
    if reply.traps:
        raise LookupError(reply.trap)
    return sorted((row["name"], row.get("node-type", "")) for row in reply.rows if row.get("type", "child") == "child" and "name" in row)


def compare(session, version: str) -> dict:
    """{"schema": the version that was compared, "exact": whether the schema has the router's version, "differences": [...]}"""
    tree = schema()
    known = nearest(tree, version)
    differences, compared = [], 0
    menus = sorted({menu for menu, _ in used()})
    for path in [*menus, *(menu.rstrip("/") + "/" + command for menu, command in used())]:
        compared += 1
        expected = {name for name, kind in children(tree, known, path) if kind not in FOLDERS}
        try:
            there = {name for name, kind in children_of(session, path) if kind not in FOLDERS}
        except LookupError as error:
            differences.append({"path": path, "router": f"cannot be read: {error}", "schema": ", ".join(sorted(expected))})
            continue
        if missing := sorted(expected - there):
            differences.append({"path": path, "router": "does not have " + ", ".join(missing), "schema": "has it"})
        if more := sorted(there - expected):
            differences.append({"path": path, "router": "has " + ", ".join(more), "schema": "does not have it"})
    return {"schema": known, "exact": version == known, "compared": compared, "differences": differences}
