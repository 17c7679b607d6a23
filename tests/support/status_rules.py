#!/usr/bin/env python3
"""Checks docs/reference/status.md: a row for each of the README's table, in its order, and no test named that is not there."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = {path.name for path in (ROOT / "tests").rglob("*") if path.is_file()}
BUILDS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("meson.build"))


def table(text: str, head: str) -> list[tuple[str, str]]:
    """The rows below the line `head`: first cell and last."""
    rows = []
    for line in text.partition(head)[2].splitlines()[2:]:
        if not line.startswith("| "):
            break
        cells = line.strip("| ").split(" | ")
        rows.append((cells[0], cells[-1]))
    return rows


def is_known(name: str) -> bool:
    if "/" in name or "." in name:
        return (ROOT / name).exists() or name in FILES
    if name.startswith("fuzz_"):
        return name + ".cpp" in FILES
    # Written out in the build files, whole or as an item of a list whose prefix stands beside it.
    return any(f"'{part}'" in BUILDS for part in (name, re.sub("^(packets|vm)-", "", name)))


def findings() -> list[str]:
    found = []
    parts = [part for part, _ in table((ROOT / "README.md").read_text(), "| part | state |")]
    rows = table((ROOT / "docs/reference/status.md").read_text(), "| part | proved by |")
    for i in range(max(len(parts), len(rows))):
        part = parts[i] if i < len(parts) else "nothing more"
        row = rows[i][0] if i < len(rows) else "nothing more"
        if not part.startswith(row):
            found.append(f"row {i + 1} is '{row}', and in README.md '{part[:60]}'")
            break
    for part, proof in rows:
        names = [name for name in re.findall(r"`([^`]+)`", proof) if not name.startswith("tools/")]
        if not names and proof != "missing":
            found.append(f"'{part}' names no test")
        found += [f"'{part}' names the test '{name}', which is not there" for name in names if not is_known(name)]
    return found


if __name__ == "__main__":
    for finding in findings():
        print(f"docs/reference/status.md: {finding}")
    sys.exit(1 if findings() else 0)
