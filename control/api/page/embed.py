"""Puts the page's files into the program: writes a C++ source with the table of page_files.h.

usage: embed.py OUTPUT FOLDER [PATH=FILE]...      FOLDER: all its files of the page; PATH=FILE: one more, from elsewhere
"""

import hashlib
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def literal(content):
    """The bytes as string literals; a digit after an octal escape is no part of it."""
    lines = []
    for start in range(0, len(content), 100):
        text = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in content[start:start + 100])
        lines.append(f'    "{text}"')
    return "\n".join(lines) or '    ""'


def main(output, folder, *more):
    folder = pathlib.Path(folder)
    files = {f"/{path.relative_to(folder)}": path for path in folder.rglob("*") if path.suffix in TYPES}
    files.update((path, pathlib.Path(file)) for path, file in (one.split("=", 1) for one in more))
    rows = []
    for path in sorted(files):
        content = files[path].read_bytes()
        tag = hashlib.sha256(content).hexdigest()[:16]
        rows.append(f'  {{"{path}", "{TYPES[files[path].suffix]}", "\\"{tag}\\"", std::string_view(\n{literal(content)}, {len(content)})}},')
    text = "\n".join(rows)
    pathlib.Path(output).write_text(
        '#include "control/api/page/page_files.h"\n\nnamespace steer::page {\nnamespace {\n'
        f"constexpr PageFile kFiles[] = {{\n{text}\n}};\n}}  // namespace\n\n"
        "std::span<const PageFile> files() {\n    return kFiles;\n}\n\n}  // namespace steer::page\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
