"""Makes the table of known_keys.h from the reference of the configuration, which the parser's tables make.

usage: known_keys.py OUTPUT CONFIGURATION_MD
"""

import pathlib
import re
import sys

ROLES = {"Sections": "section", "Providers": "provider", "Matchers": "matcher", "Executors": "executor", "Servers": "server"}


def read(text):
    """The types and sections with their role, and the keys of each (and of its parts, "forward.upstreams[]")."""
    roles, keys, role, owner, where, in_table = {}, {}, None, None, None, False
    for line in text.splitlines():
        if line.startswith("## "):
            role, owner = ROLES.get(line[3:]), None
        elif role and (head := re.fullmatch(r"### `(\w+)`", line)):
            owner = where = head[1]
            roles[owner] = role
        elif owner and (part := re.fullmatch(r"Keys of `(.+)`:", line)):
            where = f"{owner}.{part[1]}"
        elif owner and line.startswith("| key | type |"):
            in_table = True
        elif in_table and (row := re.match(r"\| `(\w+)` \|", line)):
            keys.setdefault(where, set()).add(row[1])
        elif owner and line.startswith("Not supported yet: "):
            keys.setdefault(where, set()).update(re.findall(r"`(\w+)`(?: \(`[^`]*`\))?(?=, |\.$)", line))
        elif not line.startswith("|"):
            in_table = False
    return roles, keys


def main(output, reference):
    roles, keys = read(pathlib.Path(reference).read_text())
    if len(roles) < 50 or "upstreams" not in keys["forward"] or "addr" not in keys["forward.upstreams[]"]:
        sys.exit(f"{reference}: its tables have another form")
    types = "\n".join(f'    {{"{name}", KnownRole::{role}}},' for name, role in roles.items())
    rows = "\n".join(f'    {{"{where}", "{key}"}},' for where in sorted(keys) for key in sorted(keys[where]))
    pathlib.Path(output).write_text(
        '// Made by known_keys.py.\n#include "tools/import/known_keys.h"\n\nnamespace steer::importing {\nnamespace {\n'
        f"constexpr KnownType kKnownTypes[] = {{\n{types}\n}};\nconstexpr KnownKey kKnownKeys[] = {{\n{rows}\n}};\n"
        "}  // namespace\n\nstd::span<const KnownType> known_types() {\n    return kKnownTypes;\n}\n\n"
        "std::span<const KnownKey> known_keys() {\n    return kKnownKeys;\n}\n\n}  // namespace steer::importing\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
