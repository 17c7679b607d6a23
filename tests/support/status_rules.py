#!/usr/bin/env python3
"""Checks docs/reference/status.md: each feature has a state and a proof, each test that is named exists, and no runs of
tests are counted (CI's log has them). In the tables of other pages, each fault and each promise names tests that exist."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = "docs/reference/status.md"
HEAD = "| feature | state | proved by |"
# Other pages whose rows end with tests, and how each such table begins.
PROOFS = {"docs/reference/reliability.md": "| fault | injected | at once | lost | right after | test |",
          "docs/explanation/security.md": "| promise | test |",
          "docs/reference/quic-peers.md": "| client | transport | what was tried | test |"}
FILES = {path.name for path in (ROOT / "tests").rglob("*") if path.is_file()}
BUILDS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("meson.build"))


# A count of runs: "each suite ran five times in a row", "20 runs without a failure", "412 passed".
RUNS = re.compile(r"\btimes in a row|\bran\s+\S+\s+times|\b\d[\d,]*\s+(?:test\s+)?(?:runs\b|passed\b)|without\s+a\s+failure")


def counted_runs(text: str) -> list[str]:
    return [f"{text.count(chr(10), 0, found.start()) + 1}: '{found[0]}' counts runs of tests; CI's log has them"
            for found in RUNS.finditer(text)]


def rows(text: str, head: str = HEAD) -> list[tuple[int, list[str]]]:
    """(line, cells) of each row of each table that begins so."""
    found, inside = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line == head:
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            found.append((number, [cell.strip() for cell in line.strip().strip("|").split(" | ")]))
    return found


def is_known(name: str) -> bool:
    if "/" in name or "." in name:
        return (ROOT / name).exists() or name in FILES
    if name + ".cpp" in FILES and name.startswith("fuzz_") or name + ".story" in FILES:
        return True
    # Written out in the build files, whole or as an item of a list whose prefix stands beside it.
    return any(f"'{part}'" in BUILDS for part in (name, re.sub("^(packets|poisoning|links|vm)-", "", name)))


def findings(text: str) -> list[str]:
    table = rows(text)
    found = counted_runs(text) + ([] if table else [f"has no table that begins with '{HEAD}'"])
    for number, cells in table:
        if len(cells) != 3:
            found.append(f"{number}: the row has {len(cells)} cells, and needs 3")
            continue
        feature, state, proof = cells
        tests = re.findall(r"`([^`]+)`", proof)
        if state == "missing":
            if proof != "-":
                found.append(f"{number}: '{feature}' is missing, so its proof is '-'")
        elif not state.startswith("works"):
            found.append(f"{number}: the state of '{feature}' begins with neither 'works' nor 'missing'")
        elif not tests:
            found.append(f"{number}: '{feature}' names no test; write 'missing' if it does not work")
        found += [f"{number}: '{feature}' names the test '{name}', which does not exist" for name in tests if not is_known(name)]
    return found


def findings_of_proofs(text: str, head: str) -> list[str]:
    """Each row is complete, and its last cell names tests that exist."""
    table, columns = rows(text, head), head.count("|") - 1
    found = [] if table else [f"has no table that begins with '{head}'"]
    for number, cells in table:
        if len(cells) != columns:
            found.append(f"{number}: the row has {len(cells)} cells, and needs {columns}")
            continue
        found += [f"{number}: '{cells[0]}' has an empty cell; write '-' or 'nothing'" for cell in cells if not cell]
        tests = re.findall(r"`([^`]+)`", cells[-1])
        if not tests:
            found.append(f"{number}: '{cells[0]}' names no test; without one it is no promise")
        found += [f"{number}: '{cells[0]}' names the test '{name}', which does not exist" for name in tests if not is_known(name)]
    return found


if __name__ == "__main__":
    lines = [f"{PAGE}:{finding}" for finding in findings((ROOT / PAGE).read_text())]
    for page, head in PROOFS.items():
        lines += [f"{page}:{finding}" for finding in findings_of_proofs((ROOT / page).read_text(), head)]
    print("\n".join(lines), end="\n" if lines else "")
    sys.exit(1 if lines else 0)
