#!/usr/bin/env python3
"""Compares CONTRIBUTING.md's tables of "where something new goes" with the commits that last did such a thing.

    where_new_rules.py [--counts]     --counts: also prints how many files each commit touched

where_new.txt names a commit for each row. A file that the row names must be touched by it, and a source of the product that it
changed must be named by the row; where_new.txt gives the reasons for what differs. Paths are compared by their names
and the name of their folder, because folders move. In a clone without these commits nothing is compared, and that is said.
A sketch stands for a commit that was counted and thrown away: where_new.txt has its files. They must exist, and be as many as
it states, and no more than its limit.
"""

from __future__ import annotations

import fnmatch
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE, REASONS = "CONTRIBUTING.md", "tests/support/where_new.txt"
HEAD = "| new | copy | add |"
STEPS = "### A matcher or an executor"
# What a commit may touch without a word in the row: what each change has, and new files.
ANYONE = ("tests/*", "docs/*", "configs/*", "*meson.build", "*README.md", "CONTRIBUTING.md", "tools/deps")
PATH = re.compile(r"^[\w.*/-]+$")
SKETCH = re.compile(r"^sketch (\d+) of (\d+)$")
# Files of a sketch: changed, new, and new ones that its limit does not count.
SKETCHED = {"changes": "M", "adds": "A", "own": "A"}


def paths_in(text: str) -> list[str]:
    """The files and folders that a text names in backquotes."""
    words = [re.sub("/[A-Z]+$", "/*", word.split(" > ")[-1]) for word in re.findall(r"`([^`]+)`", text)]
    return [word.rstrip("/") for word in words if PATH.match(word) and ("/" in word or re.search(r"\.(cpp|h|py|md|8|txt)$", word))]


def rows_of(page: str) -> dict[str, tuple[list[str], list[str]]]:
    """By the row's first cell without links: the paths to copy from, the paths to change."""
    rows, inside = {}, False
    steps = page.split(STEPS)[-1].split("\n### ")[0] if STEPS in page else ""
    if steps:
        rows["matcher or executor"] = ([], paths_in(steps))
    for line in page.splitlines():
        if line == HEAD:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            new, copy, add = (cell.strip() for cell in line.strip().strip("|").split(" | "))
            rows[new] = (paths_in(copy), paths_in(add))
    return rows


def read_reasons(text: str) -> dict[str, dict]:
    """By row: its commit, `without`: paths of the row that the commit did not touch, `also`: what it touched for another reason,
    `changes`, `adds` and `own`: the files of a sketch."""
    reasons: dict[str, dict] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            row, commit = line.rsplit(":", 1)
            entry = reasons.setdefault(row.strip(), {"commit": commit.strip(), "without": [], "also": [], **{kind: [] for kind in SKETCHED}})
            continue
        kind, _, rest = line.strip().partition(" ")
        if kind in SKETCHED and SKETCH.match(entry["commit"]):
            entry[kind] += rest.split()
            continue
        names, _, reason = rest.partition(":")
        if kind not in ("without", "also") or not reason.strip():
            raise SystemExit(f"{REASONS}:{number}: expected 'without PATH…: reason' or 'also PATH…: reason'")
        entry[kind] += names.split()
    return reasons


def matches(path: str, pattern: str) -> bool:
    """Whether a pattern of a row names the path, wherever its folder is now."""
    name = pattern.split("/")[-1]
    if name == "*":
        return f"/{pattern[:-1]}" in f"/{path}"
    if "." in name or "*" in name or "/" not in pattern:
        return fnmatch.fnmatch(path.split("/")[-1], name)
    return f"/{name}/" in f"/{path}/"


def is_beside(path: str, pattern: str) -> bool:
    """Whether the path is in the folder of what a row says to copy."""
    folder = pathlib.PurePath(pattern).parent.name
    return not folder or pathlib.PurePath(path).parent.name == folder


def git(*words: str) -> str | None:
    done = subprocess.run(["git", "-C", str(ROOT), *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def touched_by(commit: str) -> list[tuple[str, str]] | None:
    """(A, M or D, path) of each file, against the first parent; None: this clone does not have the commit."""
    text = git("diff-tree", "--no-commit-id", "--name-status", "--no-renames", "-r", commit)
    return None if not text else [tuple(line.split("\t", 1)) for line in text.splitlines()]


def files_of_sketch(row: str, entry: dict, files: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """What a sketch touched, as touched_by() has it, and findings about its counts and paths."""
    count, limit = (int(number) for number in SKETCH.match(entry["commit"]).groups())
    counted = len(entry["changes"]) + len(entry["adds"])
    found = []
    if counted != count:
        found.append(f"'{row}': {REASONS} states {count} files and lists {counted}")
    if counted > limit:
        found.append(f"'{row}' costs {counted} files, expected {limit} at most")
    found += [f"'{row}': {path}, which {REASONS} names, does not exist" for path in entry["changes"] if files and path not in files]
    return [(letter, path) for kind, letter in SKETCHED.items() for path in entry[kind]], found


def compare(row: str, copy: list[str], add: list[str], entry: dict, touched: list[tuple[str, str]]) -> list[str]:
    paths = [path for _, path in touched]
    added = [path for kind, path in touched if kind == "A"]
    commit, found = entry["commit"], []
    excused = [pattern for pattern in copy + add if pattern in entry["without"]]
    # What to copy are alternatives.
    is_copied = any(matches(path, pattern) for pattern in copy for path in paths) or \
        any(is_beside(path, pattern) for pattern in copy for path in added)
    if copy and not is_copied and not any(pattern in excused for pattern in copy):
        found.append(f"'{row}': {commit} neither changed {' or '.join(copy)} nor added a file beside it")
    for pattern in add:
        is_touched = any(matches(path, pattern) for path in paths)
        if not is_touched and pattern not in excused:
            found.append(f"'{row}' names {pattern}, but {commit} did not touch it")
        if is_touched and pattern in excused:
            found.append(f"'{row}': {REASONS} says that {commit} did not touch {pattern}, but it did")
    for pattern in entry["without"]:
        if pattern not in copy + add:
            found.append(f"'{row}' does not name {pattern}; remove it from {REASONS}")
    for kind, path in touched:
        if kind == "A" or any(fnmatch.fnmatch(path, pattern) for pattern in ANYONE):
            continue
        if not any(matches(path, pattern) for pattern in copy + add) and not any(fnmatch.fnmatch(path, pattern) for pattern in entry["also"]):
            found.append(f"'{row}' does not name {path}, which {commit} changed")
    for pattern in entry["also"]:
        if not any(fnmatch.fnmatch(path, pattern) for path in paths):
            found.append(f"'{row}': {REASONS} says that {commit} touched {pattern}, but it did not")
    return found


def check(page: str, reasons: dict[str, dict], files: list[str], touched_of) -> tuple[list[str], list[str]]:
    """Findings, and rows whose commit is not in this clone."""
    rows, found, absent = rows_of(page), [], []
    if len(rows) < 2:
        found.append(f"has no table that begins with '{HEAD}'")
    for row in reasons:
        if row not in rows:
            found.append(f"has no row '{row}', which {REASONS} names")
    for row, (copy, add) in rows.items():
        for pattern in copy + add:
            if files and not any(matches(file, pattern) for file in files):
                found.append(f"'{row}' names {pattern}, which does not exist")
        if row not in reasons:
            found.append(f"'{row}' has no commit in {REASONS}; name the last one that did such a thing")
            continue
        if SKETCH.match(reasons[row]["commit"]):
            touched, more = files_of_sketch(row, reasons[row], files)
            found += more + compare(row, copy, add, {**reasons[row], "commit": "the sketch"}, touched)
            continue
        touched = touched_of(reasons[row]["commit"])
        if touched is None:
            absent.append(row)
        else:
            found += compare(row, copy, add, reasons[row], touched)
    return found, absent


def main() -> int:
    page, reasons = (ROOT / PAGE).read_text(), read_reasons((ROOT / REASONS).read_text())
    found, absent = check(page, reasons, (git("ls-files", "--cached", "--others", "--exclude-standard") or "").splitlines(), touched_by)
    for finding in found:
        print(f"{PAGE}: {finding}")
    if absent:
        print(f"where_new_rules: skipped {len(absent)} of {len(reasons)} rows: this clone does not have their commits")
    if "--counts" in sys.argv:
        for row, entry in reasons.items():
            if SKETCH.match(entry["commit"]):
                print(f"{len(entry['changes']) + len(entry['adds']):4} files ({len(entry['adds'])} new, {len(entry['own'])} of its own)  {entry['commit']}  {row}")
                continue
            touched = touched_by(entry["commit"]) or []
            print(f"{len(touched):4} files ({sum(kind == 'A' for kind, _ in touched)} new)  {entry['commit']}  {row}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
