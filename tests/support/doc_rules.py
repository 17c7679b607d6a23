#!/usr/bin/env python3
"""Checks the Markdown files: links, fences, paths in code marks, the index, lengths of pages. Prints one line a finding.

Links to other hosts are not fetched. What blocks hold is checked by the test `documents` (tests/e2e/documents_e2e.py).
"""
import functools
import pathlib
import re
import sys

import doc_blocks

ROOT = doc_blocks.ROOT
LANGUAGES = {"sh", "yaml", "routeros", "text", "zone", "json", "ini", "diff", "c", "cpp", "console", "nft", "dockerfile", "mermaid", "toml"}
ATTRIBUTES = {"run", "check", "file", "on", "exit", "output"}  # tests/support/doc_blocks.py, tests/e2e/page_run.py
LONGEST = {"README.md": 120, "CONTRIBUTING.md": 120, "docs/explanation/architecture.md": 400}


def without_code(text: str) -> str:
    """The text with blocks and code marks blanked, line by line."""
    lines, fence = [], None
    for line in text.splitlines():
        opening = re.match(r" *(`{3,}|~{3,})[^`]*$", line)
        if fence:
            if opening and opening[1].startswith(fence) and not line.strip(" `~"):
                fence = None
            lines.append("")
        elif opening:
            fence = opening[1]
            lines.append("")
        else:
            lines.append(re.sub(r"(`+)(?:(?!\1).)+\1", lambda mark: "`" * len(mark[0]), line))
    return "\n".join(lines)


def anchor_of(heading: str) -> str:
    """The anchor that GitHub and our site give a heading."""
    heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


KNOWN: dict[pathlib.Path, set[str]] = {}


def anchors(path: pathlib.Path) -> set[str]:
    if path not in KNOWN:
        found: set[str] = set()
        blank = without_code(path.read_text()).splitlines()
        for line, whole in zip(blank, path.read_text().splitlines()):
            heading = re.match(r"#{1,6} ", line)
            if heading:
                anchor = anchor_of(whole[heading.end():])
                number = 1
                while (again := anchor if number == 1 else f"{anchor}-{number - 1}") in found:
                    number += 1
                found.add(again)
            found.update(re.findall(r'<a (?:id|name)="([^"]+)"', line))
        KNOWN[path] = found
    return KNOWN[path]


def links(path: pathlib.Path) -> list[tuple[int, str]]:
    found = []
    for number, line in enumerate(without_code(path.read_text()).splitlines(), 1):
        targets = re.findall(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)", line) + re.findall(r"^ {0,3}\[[^\]]+\]:\s+(\S+)", line)
        targets += re.findall(r'<(?:img|a|source)\b[^>]*?\b(?:src|href|srcset)="([^"]+)"', line)
        found += [(number, target) for target in targets]
    return found


def link_findings(path: pathlib.Path) -> list[str]:
    found = []
    for number, target in links(path):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        goal = (path.parent / name).resolve() if name else path
        place = f"{path.relative_to(ROOT)}:{number}"
        if not goal.is_relative_to(ROOT):
            found.append(f"{place}: the link to '{target}' leaves the repository")
        elif not goal.exists():
            found.append(f"{place}: the link to '{target}' leads to no file")
        elif anchor and goal.suffix == ".md" and anchor not in anchors(goal):
            found.append(f"{place}: the link to '{target}' leads to no heading of that file")
    return found


@functools.cache
def known_names() -> set[str]:
    """Each file of the repository, with and without its first folders."""
    ours = [str(file.relative_to(ROOT)) for file in doc_blocks.files()]
    return {"/".join(name.split("/")[start:]) for name in ours for start in range(name.count("/") + 1)}


def path_findings(path: pathlib.Path) -> list[str]:
    """Our files that are named in code marks exist; the first folders of a path may be left out."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for name in re.findall(r"`((?:[\w-]+/)*[\w-]+\.(?:md|h|cpp|py|story|build))`", line):
            # (A part in capitals, and x, stand for any name.)
            stands_for = any(re.fullmatch(r"(?!README|CONTRIBUTING|SECURITY)[A-Z]{3,}\w*|x(_test)?", part.split(".")[0])
                             for part in name.split("/"))
            if not stands_for and name not in known_names():
                found.append(f"{path.relative_to(ROOT)}:{number}: there is no file '{name}'")
    return found


TOP = "dataplane|control|matchers|routeros|configs|tests|tools|docs"
NAMED = re.compile(rf"(?<![\w./@<>${{}}*\\-])(?:{TOP})/\w[\w./*-]*")


@functools.cache
def known_folders() -> set[str]:
    return {str(folder) for name in doc_blocks.files() for folder in name.relative_to(ROOT).parents}


def is_built(name: str) -> bool:
    """A program or a table that the build makes."""
    parts = name.split("/")
    return name.endswith(".skel.h") or (len(parts) > 1 and (parts[-1] == parts[-2] or re.match(r"(?:bench|unit|fuzz)_", parts[-1]) is not None))


def named_path_findings(path: pathlib.Path) -> list[str]:
    """Files and folders that a page, or a comment of a source, names by their path from the top exist."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line if path.suffix == ".md" else line.partition("//")[2]
        for name in (match.rstrip("./-") for match in NAMED.findall(text)):
            stands_for = is_built(name) or "*" in name or any(re.search(r"[A-Z]{4}", part) and not part.startswith(("README", "CONTRIBUTING", "SECURITY"))
                                               for part in name.split("/"))
            there = {name, name + ".h", name + ".cpp", name + ".py"} & (known_names() | known_folders())
            if not there and not stands_for:
                found.append(f"{path.relative_to(ROOT)}:{number}: there is no file or folder '{name}'")
    return found


def block_findings(path: pathlib.Path) -> list[str]:
    found = []
    try:
        blocks = doc_blocks.blocks([path])
    except ValueError as error:
        return [str(error)]
    for block in blocks:
        if not block.language:
            found.append(f"{block.place}: the block has no language; write ```text if none fits")
        elif block.language not in LANGUAGES:
            found.append(f"{block.place}: the language '{block.language}' is not one of {', '.join(sorted(LANGUAGES))}")
        found += [f"{block.place}: '{name}' is no attribute of a block; {', '.join(sorted(ATTRIBUTES))} are"
                  for name in block.attributes if name not in ATTRIBUTES]
        if "run" in block.attributes and not (ROOT / f"tests/e2e/{block.attributes['run']}_e2e.py").exists():
            found.append(f"{block.place}: there is no test tests/e2e/{block.attributes['run']}_e2e.py that runs the block")
        if block.language == "yaml" and block.attributes.get("check", "no") != "no":
            found.append(f"{block.place}: 'check' of a yaml block can be 'no' only")
    return found


def length_findings(path: pathlib.Path) -> list[str]:
    name = str(path.relative_to(ROOT))
    lines = path.read_text().splitlines()
    found = []
    if name in LONGEST and len(lines) > LONGEST[name]:
        found.append(f"{name}: has {len(lines)} lines, and may have {LONGEST[name]}")
    return found


def limit_findings() -> list[str]:
    """The values of docs/reference/limits.md are those of the constants that it names."""
    page = "docs/reference/limits.md"
    found, rows = [], 0
    text = (ROOT / page).read_text().partition("## Limits that you can set")[0]
    for number, line in enumerate(text.splitlines(), 1):
        row = re.fullmatch(r"\| (.+) \| ([\d,]+) \| .+ \| `(k\w+)` in `([\w./]+)` \|", line)
        if not row:
            if re.match(r"\| .*\d", line):
                found.append(f"{page}:{number}: expected | limit | number | unit | `kName` in `FILE` |")
            continue
        rows += 1
        source = (ROOT / row[4]).read_text() if (ROOT / row[4]).exists() else ""
        values = re.findall(rf"\b{row[3]}\s*=\s*([^,;]+)", source)
        # (Numbers, and products and shifts of numbers.)
        plain = [re.sub(r"std::\w+\{(\w+)\}|(?<=\d)'|(?<=\d)U\b", lambda part: part[1] or "", value).strip() for value in values]
        numbers = {str(eval(value)) for value in plain if re.fullmatch(r"[\d\s*<+()-]+", value)}
        if row[2].replace(",", "") not in numbers:
            found.append(f"{page}:{number}: '{row[1]}' is {row[2]}, and {row[3]} in {row[4]} is {', '.join(values) or 'not there'}")
    return found if rows else [f"{page}: has no limits"]


def fuzz_findings() -> list[str]:
    """Each fuzz target has a row in the table that says who reads which bytes."""
    page = "docs/explanation/fuzzing.md"
    table = (ROOT / page).read_text().partition("## Who reads what")[2]
    named = set(re.findall(r"`(\w+)`", "".join(line.rsplit("|", 2)[1] for line in table.splitlines() if line.startswith("| "))))
    targets = {path.stem.removeprefix("fuzz_") for path in (ROOT / "tests/fuzz").rglob("fuzz_*.cpp")}
    return [f"{page}: '{name}' has no row in 'Who reads what'" for name in sorted(targets - named)] + \
        [f"{page}: there is no target '{name}'" for name in sorted(named - targets)]


def index_findings() -> list[str]:
    """Each page is reached from docs/README.md, by links from page to page."""
    index = ROOT / "docs/README.md"
    reached, queue = {index}, [index]
    while queue:
        path = queue.pop()
        for _, target in links(path):
            goal = (path.parent / target.partition("#")[0]).resolve()
            if goal.suffix == ".md" and goal.exists() and goal.is_relative_to(ROOT / "docs") and goal not in reached:
                reached.add(goal)
                queue.append(goal)
    direct = {(index.parent / target.partition("#")[0]).resolve() for _, target in links(index)}
    pages = {path for path in (ROOT / "docs").rglob("*.md") if path.name != "README.md"}
    in_folder = lambda path: path.parent.name in ("decisions", "figures")
    return [f"{page.relative_to(ROOT)}: docs/README.md has no link to it" for page in sorted(pages)
            if page not in (reached if in_folder(page) else direct)]


def findings() -> list[str]:
    found = []
    for path in doc_blocks.documents():
        found += link_findings(path) + path_findings(path) + named_path_findings(path) + block_findings(path) + length_findings(path)
    for path in doc_blocks.files():
        if path.suffix in (".h", ".cpp"):
            found += named_path_findings(path)
    return found + limit_findings() + fuzz_findings() + index_findings()


if __name__ == "__main__":
    lines = findings()
    print("\n".join(lines[:200]))
    sys.exit(1 if lines else 0)
