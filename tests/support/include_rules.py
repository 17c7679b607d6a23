#!/usr/bin/env python3
"""Checks who includes whom (docs/explanation/architecture.md, section 6).

The build gives each target the include links that its room may use; this reads the files themselves, so that a room
whose build file was loosened is found as well. A room's folders, which the build does not hold apart, may include each
other, but not in a circle; the files above them may include all. In NOT_UPWARDS no folder includes those. A room in
ORDER names its folders: each may include those before it and no others. No files include each other in a circle,
whether they are at the top of a room or in a folder.
"""
import graphlib
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ["dataplane/dns", "dataplane", "matchers", "routeros", "control", "tools/rossim", "tools/import", "tools/steerctl"]
MAY = {
    "dataplane/dns": {"dataplane/dns"},
    "matchers": {"matchers"},
    "routeros": {"routeros"},
    "dataplane": {"dataplane", "dataplane/dns", "matchers"},
    "control": {"control", "dataplane", "dataplane/dns", "matchers", "routeros"},
    "tools/rossim": {"tools/rossim"},
    "tools/import": {"tools/import", "routeros"},
    "tools/steerctl": {"tools/steerctl", "tools/import"},
}
# Folders that have folders of their own, and the order of those.
ORDER = {"control/stream": ["tls", "base", "http", "upstream", "listen"]}
NOT_UPWARDS = {"control", "dataplane"}
# For every room: the one place where text of other machines is made safe to print.
FOR_ALL = {"matchers/safe_text.h"}


def room_of(path: str) -> str | None:
    return next((r for r in ROOMS if path.startswith(r + "/")), None)


def folder_of(path: str, room: str) -> str | None:
    """The folder right below the room; none: a file of the room's own."""
    below = path.removeprefix(room + "/").split("/")
    return f"{room}/{below[0]}" if len(below) > 1 else None


def circle(folders: dict[str, set[str]]) -> list[str]:
    try:
        graphlib.TopologicalSorter(folders).prepare()
    except graphlib.CycleError as e:
        return e.args[1]
    return []


def order_broken(nested: str, ours: str | None, theirs: str | None) -> str | None:
    """What is wrong when a file of the folder `ours` includes one of `theirs`; None: nothing."""
    order = [f"{nested}/{folder}" for folder in ORDER[nested]]
    for folder in filter(None, (ours, theirs)):
        if folder not in order:
            return f"{folder} has no place in ORDER"
    if ours and theirs and order.index(theirs) > order.index(ours):
        return f"{ours} comes before {theirs} and may not include it"
    return None


def main() -> int:
    bad = 0
    seen = 0
    files: dict[str, set[str]] = {}
    for room in ROOMS:
        folders: dict[str, set[str]] = {}
        for file in sorted((ROOT / room).rglob("*")):
            name = file.relative_to(ROOT).as_posix()
            if file.suffix not in (".h", ".cpp") or room_of(name) != room:
                continue
            seen += 1
            for number, line in enumerate(file.read_text().splitlines(), 1):
                found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if not found:
                    continue
                files.setdefault(name, set()).add(found[1])
                other = room_of(found[1])
                beside = (file.parent / found[1]).is_file()  # a program's own header
                if other is None and not beside and not found[1].endswith(".skel.h"):
                    print(f'{name}:{number}: "{found[1]}" is in no room; write the path from the top')
                    bad += 1
                elif other is not None and other not in MAY[room] and found[1] not in FOR_ALL:
                    print(f"{name}:{number}: {room} may not include {other}")
                    bad += 1
                elif other == room:
                    ours, theirs = folder_of(name, room), folder_of(found[1], room)
                    if ours and theirs and ours != theirs:
                        folders.setdefault(ours, set()).add(theirs)
                    if room in NOT_UPWARDS and ours and not theirs:
                        print(f"{name}:{number}: a folder includes {found[1]}, which is above it; move what both need into a folder")
                        bad += 1
                    for nested in ORDER:
                        if not (name.startswith(nested + "/") and found[1].startswith(nested + "/")):
                            continue
                        ours, theirs = folder_of(name, nested), folder_of(found[1], nested)
                        why = order_broken(nested, ours, theirs)
                        if ours and not theirs:
                            why = f"a folder includes {found[1]}, which is above it; move what both need into a folder"
                        if why:
                            print(f"{name}:{number}: {why}")
                            bad += 1
        if way := circle(folders):
            print(f"{room}: folders that include each other in a circle: {', '.join(reversed(way))}; "
                  "move what both need above them, or to the one that is included")
            bad += 1
    if way := circle(files):
        print(f"files that include each other in a circle: {', '.join(reversed(way))}")
        bad += 1
    if seen == 0:
        print("no source was found")
        return 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
