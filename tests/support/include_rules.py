#!/usr/bin/env python3
"""Checks which module may include which (docs/explanation/modules.md).

The build gives each target the include links that its module may use. This script reads the sources, so that it also
finds a module whose build file was loosened. Inside a module:

- folders may include each other, but not in a circle; the same holds for the folders inside one folder
- files above the folders may include all folders; no folder of a module in NOT_UPWARDS may include those files, except
  those in ABOVE, which include no folder themselves
- folders listed in ORDER may include only folders that come before them
- LIMITS bounds the folders of a module, and those in its longest chain of includes
- files do not include each other in a circle
"""
import graphlib
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ["dataplane/dns", "dataplane", "matchers", "routeros", "control", "tools/rossim", "tools/import", "tools/steerctl", "tools/fleet_sim"]
MAY = {
    "dataplane/dns": {"dataplane/dns"},
    "matchers": {"matchers"},
    "routeros": {"routeros"},
    "dataplane": {"dataplane", "dataplane/dns", "matchers"},
    "control": {"control", "dataplane", "dataplane/dns", "matchers", "routeros"},
    "tools/rossim": {"tools/rossim"},
    "tools/import": {"tools/import", "routeros"},
    "tools/steerctl": {"tools/steerctl", "tools/import", "routeros", "dataplane/dns"},
    "tools/fleet_sim": {"tools/fleet_sim", "tools/rossim", "control", "dataplane", "dataplane/dns", "matchers", "routeros"},
}
# Folders that have folders of their own, and the order of those.
ORDER = {"control/streams": ["base", "http", "quic", "upstream", "listen", "fetch"]}
NOT_UPWARDS = {"control", "dataplane"}
# Interfaces that folders implement for the files above them.
ABOVE = {"control/part.h", "control/parts.h"}
# (folders, folders in the longest chain of includes)
LIMITS = {"control": (12, 8)}
# Every module may include these: letters and blanks, text of other machines made safe to print, text as a YAML value, settings
# of predecessors, exit codes, the version, the DNS form of international names, UTF-8, tables of counters, and a step of hashes.
FOR_ALL = {"matchers/text.h", "matchers/suffix/public_suffixes.h", "matchers/safe_text.h", "matchers/secret.h", "matchers/yaml_scalar.h", "matchers/predecessors.h", "matchers/exit_codes.h",
           "matchers/version.h", "matchers/idn_name.h", "matchers/utf8.h", "matchers/counter_table.h", "matchers/fold_product.h"}


def module_of(path: str) -> str | None:
    return next((r for r in MODULES if path.startswith(r + "/")), None)


def longest_chain(folders: dict[str, set[str]]) -> list[str]:
    """Of folders that include each other, without a circle."""
    chains: dict[str, list[str]] = {}
    for folder in graphlib.TopologicalSorter(folders).static_order():
        chains[folder] = [folder] + max((chains[other] for other in folders.get(folder, ())), key=len, default=[])
    return max(chains.values(), key=len, default=[])


def limits_broken(module: str, folders: dict[str, set[str]]) -> list[str]:
    """Sentences about a module of LIMITS whose folders are too many, or in too long a chain."""
    most, longest = LIMITS[module]
    there = sorted({folder for folder, others in folders.items() for folder in (folder, *others)})
    found = []
    if len(there) > most:
        found.append(f"{module} has {len(there)} folders, expected {most} at most: {', '.join(there)}")
    chain = longest_chain(folders)
    if len(chain) > longest:
        found.append(f"{module}: {len(chain)} folders include each other in a chain, expected {longest} at most: {' > '.join(chain)}")
    return found


def folder_of(path: str, module: str) -> str | None:
    """The folder right below the module; None: a file of the module itself."""
    below = path.removeprefix(module + "/").split("/")
    return f"{module}/{below[0]}" if len(below) > 1 else None


def circle(folders: dict[str, set[str]]) -> list[str]:
    try:
        graphlib.TopologicalSorter(folders).prepare()
    except graphlib.CycleError as e:
        return e.args[1]
    return []


def order_broken(nested: str, ours: str | None, theirs: str | None) -> str | None:
    """Why a file of the folder `ours` may not include one of `theirs`; None: it may."""
    order = [f"{nested}/{folder}" for folder in ORDER[nested]]
    for folder in filter(None, (ours, theirs)):
        if folder not in order:
            return f"{folder} is not in ORDER: add it"
    if ours and theirs and order.index(theirs) > order.index(ours):
        return f"{ours} comes before {theirs} and may not include it"
    return None


def main() -> int:
    bad = 0
    seen = 0
    files: dict[str, set[str]] = {}
    for module in MODULES:
        folders: dict[str, set[str]] = {}
        inside: dict[str, set[str]] = {}  # the same of the folders inside a folder
        for file in sorted((ROOT / module).rglob("*")):
            name = file.relative_to(ROOT).as_posix()
            if file.suffix not in (".h", ".cpp") or module_of(name) != module:
                continue
            seen += 1
            for number, line in enumerate(file.read_text().splitlines(), 1):
                found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if not found:
                    continue
                files.setdefault(name, set()).add(found[1])
                other = module_of(found[1])
                beside = (file.parent / found[1]).is_file()  # a program's own header
                if other is None and not beside and not found[1].endswith(".skel.h"):
                    print(f'{name}:{number}: "{found[1]}" is in no module: write the path from the top')
                    bad += 1
                elif other is not None and other not in MAY[module] and found[1] not in FOR_ALL:
                    print(f"{name}:{number}: {module} may not include {other}")
                    bad += 1
                elif other == module:
                    ours, theirs = folder_of(name, module), folder_of(found[1], module)
                    if ours and theirs and ours != theirs:
                        folders.setdefault(ours, set()).add(theirs)
                    if ours and ours == theirs:
                        from_folder, to_folder = folder_of(name, ours), folder_of(found[1], ours)
                        if from_folder and to_folder and from_folder != to_folder:
                            inside.setdefault(from_folder, set()).add(to_folder)
                    if module in NOT_UPWARDS and ours and not theirs and found[1] not in ABOVE:
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
        for graph in (folders, inside):
            if found_circle := circle(graph):
                print(f"{module}: folders that include each other in a circle: {', '.join(reversed(found_circle))}; "
                      "move what both need above them, or into the folder that is included")
                bad += 1
        if module in LIMITS and not circle(folders):
            for sentence in limits_broken(module, folders):
                print(sentence)
                bad += 1
    for file in ABOVE:
        if upwards := sorted(other for other in files.get(file, ()) if folder_of(other, module_of(other) or "")):
            print(f"{file} is included by folders and may not include one: {', '.join(upwards)}")
            bad += 1
    if found_circle := circle(files):
        print(f"files that include each other in a circle: {', '.join(reversed(found_circle))}")
        bad += 1
    if seen == 0:
        print("no source was found")
        return 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
