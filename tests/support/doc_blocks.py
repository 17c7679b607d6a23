#!/usr/bin/env python3
"""Reads the fenced blocks of the Markdown files, with file, line, language and attributes.

A fence has a language and, behind it, attributes: ```sh run=lab

    sh          commands. run=NAME: the test NAME executes them as they are printed. The test `documents` checks each of
                our commands against its --help
    yaml        a configuration. --check accepts it; a part of one is put into the smallest whole one.
                check=no: not our configuration (another program's file, an output)
    routeros    commands for a router's terminal
    text, ...   anything else (console output, zone files); nothing is checked
    text output what the block before it prints (tests/e2e/page_run.py has more attributes)
    file=PATH   on any block: the file that it shows; it is there when the blocks behind it are checked

Other programs may use this as a library: blocks(), commands(), documents().
"""
import dataclasses
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")


@dataclasses.dataclass
class Block:
    path: str  # below the repository's root
    line: int  # of the first line between the fences
    language: str  # "" without one
    attributes: dict[str, str]  # a word without "=" has the value ""
    text: str  # without the fence's indentation

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


def files(*patterns: str) -> list[pathlib.Path]:
    """The repository's files (with these names, such as "*.md")."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.split("\n")
    return [ROOT / name for name in sorted(set(listed)) if name and (ROOT / name).exists()]


def documents() -> list[pathlib.Path]:
    """Every Markdown file of the repository."""
    return files("*.md")


def blocks_of(text: str, path: str = "") -> list[Block]:
    found = []
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        opening = FENCE.match(lines[at])
        at += 1
        if not opening:
            continue
        closing = re.compile(rf"^ *{re.escape(opening['fence'][0])}{{{len(opening['fence'])},}} *$")
        begin = at
        while at < len(lines) and not closing.match(lines[at]):
            at += 1
        indent = len(opening["indent"])
        body = [line[min(indent, len(line) - len(line.lstrip(" "))):] for line in lines[begin:at]]
        words = shlex.split(opening["info"])
        found.append(Block(path, begin + 1, words[0] if words else "", dict((word.partition("=")[::2]) for word in words[1:]),
                           "".join(line + "\n" for line in body)))
        if at == len(lines):
            raise ValueError(f"{path}:{begin}: the block that begins here has no end")
        at += 1
    return found


def blocks(paths=None, language: str | None = None) -> list[Block]:
    """The blocks of these files (of all documents without any), of one language if it is named."""
    found = []
    for path in paths or documents():
        path = ROOT / path
        found += blocks_of(path.read_text(), str(path.relative_to(ROOT)))
    return [block for block in found if language is None or block.language == language]


def commands(block: Block) -> list[tuple[int, str]]:
    """The commands of a shell block: (line in the file, command). Continued lines are one; comments, blanks and prompts are
    left out; a here-document belongs to its command."""
    found: list[tuple[int, str]] = []
    lines = block.text.splitlines()
    at = 0
    while at < len(lines):
        begin, line = at, lines[at]
        at += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        while line.endswith("\\") and at < len(lines):
            line = line[:-1].rstrip() + " " + lines[at].strip()
            at += 1
        here = re.search(r"<<-?\s*['\"]?(\w+)['\"]?", line)
        if here:
            while at < len(lines):
                line += "\n" + lines[at]
                at += 1
                if lines[at - 1].strip() == here[1]:
                    break
        found.append((block.line + begin, re.sub(r"^\s*\$ ", "", line).strip()))
    return found


if __name__ == "__main__":
    for block in blocks(sys.argv[1:]):
        print(f"{block.place}: {block.language or 'NO LANGUAGE'} {block.attributes or ''}, {block.text.count(chr(10))} lines")
