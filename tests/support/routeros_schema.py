#!/usr/bin/env python3
"""What consoles of RouterOS have, by version (tools/rossim/schema.json), and which versions have what SteerDNS uses.

    routeros_schema.py --write    writes docs/reference/routeros-versions.md

Other programs may use this as a library: versions(), lacks(), sentences(), calls_of().
"""
import functools
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/unit/setup"))
import doc_blocks
import router_model

PAGE = ROOT / "docs/reference/routeros-versions.md"
FORMS = ROOT / "routeros/command_forms.h"
FEATURES = ROOT / "routeros/features.h"
SETUPS = sorted((ROOT / "tests/unit/setup").glob("*.rsc"))


@functools.cache
def tree():
    """As routers reported it; a few menus as the manual has them."""
    reported = json.loads((ROOT / "tools/rossim/schema.json").read_text())
    reported["menus"].update(json.loads((ROOT / "tools/rossim/manual_menus.json").read_text())["menus"])
    return reported


def versions():
    """The oldest first."""
    return tree()["_versions"]


def is_in(entry, version, key):
    """Whether the entry's spans (one pair, a list of pairs, or none: always) hold the version."""
    spans = entry.get(key, [])
    spans = [spans] if spans and isinstance(spans[0], str) else spans
    at = versions().index
    return not spans or any(at(first) <= at(version) <= at(last) for first, last in spans)


def lacks(version, menu, command, arguments=(), properties=()):
    """What the version does not have of this command, in words; empty: nothing is missing."""
    if (menu, command) == ("/", "login"):
        return ""  # of the API alone: the console has no such command
    entry = tree()["menus"].get(menu)
    if entry is None or not is_in(entry, version, "_versions"):
        return f"no menu {menu}"
    console = "print" if command == "listen" else command
    if console not in entry or not is_in(entry[console], version, "_versions"):
        return f"no command {menu}/{console}"
    known = entry[console]
    wanted = [*arguments, *(["follow-only"] if command == "listen" else [])]
    for name in wanted:
        if name.startswith(".") and name != ".id" or name == ".id" and ("numbers" in known or "number" in known):
            continue  # the API's own words
        if name not in known or not is_in(known[name], version, "versions"):
            return f"{menu}/{console} has no {name}"
    readable = {".id", *entry.get("_properties", [])}
    for other in ("add", "set"):
        readable |= {name for name, found in entry.get(other, {}).items()
                     if not name.startswith("_") and is_in(found, version, "versions")}
    for name in properties:
        if name not in readable:
            return f"{menu} has no property {name}"
    return ""


def sentences():
    """(feature, menu, command, arguments, properties) of each API sentence; a form of both families is two."""
    text = FORMS.read_text().replace("\\\n", "\n")
    for _, feature, menu, command, arguments, properties in re.findall(
            r'X\((\w+),\s*"([^"]*)",\s*"([^"]*)",\s*"([^"]*)",\s*"([^"]*)",\s*"([^"]*)"\)', text):
        for family in ("/ip", "/ipv6") if menu.startswith("/ip*") else ("",):
            yield (feature, menu.replace("/ip*", family, 1), command, [a.lstrip("!") for a in arguments.split(",") if a],
                   [p for p in properties.split(",") if p])


def number(version):
    return [int(part) for part in version.split(".")]


@functools.cache
def features():
    """{feature: (first version that has it, what is new there, what happens on an older router)} of those that not every version has."""
    text = FEATURES.read_text().replace("\\\n", "\n")
    found = re.findall(r'X\(\w+,\s*"([^"]*)",\s*"([^"]*)",\s*(\d+),\s*(\d+),\s*(\d+),\s*"([^"]*)"\)', text)
    return {label: (f"{a}.{b}.{c}".removesuffix(".0"), what, without) for label, what, a, b, c, without in found}


def first_version(feature):
    """The oldest of versions() that has it."""
    first = features().get(feature, (versions()[0],))[0]
    return next(version for version in versions() if number(version) >= number(first))


def calls_of(text):
    """(menu, command, arguments, properties) of each command of a script."""
    for path, command, arguments, properties in router_model.Script(text).calls:
        yield "/" + path.strip("/").replace(" ", "/"), command, arguments, properties


def terminal_calls(text):
    """The same of lines that a page shows for a terminal: `/ip firewall address-list print where list=x`."""
    for line in text.splitlines():
        words = re.findall(r'(?:\[[^\]]*\]|"[^"]*"|[^\s"\[])+', line)
        if not words or not words[0].startswith("/"):
            continue
        path, rest = "", words
        while rest and any((menu + "/").startswith(f"{path}/{rest[0].strip('/')}/") for menu in tree()["menus"]):
            path, rest = path + "/" + rest[0].strip("/"), rest[1:]
        command, rest = (rest[0].strip("/"), rest[1:]) if rest else ("", [])
        arguments, properties = [], []
        if "where" in rest:
            rest, conditions = rest[:rest.index("where")], rest[rest.index("where") + 1:]
            properties = [found[0] for word in conditions if (found := re.match(r"[a-z][a-z0-9-]*(?==|~)", word))]
        arguments = [found[0] for word in rest if (found := re.match(r"[a-z][a-z0-9-]*(?==)", word))]
        yield path or "/", command, arguments, properties


def since(uses):
    """The versions that have all of `uses`, in words."""
    good = [v for v in versions() if not any(lacks(v, *use) for use in uses)]
    if not good:
        return "none"
    if good == versions():
        return f"{good[0]} and newer"
    return f"{good[0]} and newer" if good == versions()[-len(good):] else f"{good[0]} to {good[-1]}"


def rows():
    """(feature, versions, sentences) for the page."""
    features = {}
    for feature, *use in sentences():
        features.setdefault(feature, []).append(use)
    for name, uses in features.items():
        output = sorted({f"`{'' if menu == '/' else menu}/{command}`" for menu, command, *_ in uses})
        yield name, since(uses), ", ".join(output)


def page():
    lines = [f"| {name} | {when} | {output} |" for name, when, output in rows()]
    older = [f"| {name} | {what} | {first} | {without} |" for name, (first, what, without) in features().items()]
    oldest, newest = versions()[0], versions()[-1]
    return f"""# RouterOS versions

This page says which RouterOS versions have the commands that each feature of SteerDNS sends.

The test `routeros_schema` compares each command with the consoles of {len(versions())} versions,
{oldest} to {newest}. Routers reported these consoles themselves (`/console/inspect`). One release of
each minor version is listed, so "7.15.3" means that 7.14.3 did not have it. RouterOS 6 and 7.0 to
7.8 are not listed. We have not run SteerDNS against a real router.

| Feature | RouterOS | API commands |
|---|---|---|
{chr(10).join(lines)}

The menus of switch chips and of bridge ports follow MikroTik's manual: the routers that were asked
have no switch chip.

## On an older router

SteerDNS reads the version of each router. These features need more than the oldest RouterOS 7:

| Feature | needs | since RouterOS | On an older router |
|---|---|---|---|
{chr(10).join(older)}

"7.9.2" is the oldest version that was compared: an older router may have the feature. 7.1 and 7.8
follow MikroTik's manual and what others saw. These say what the configuration uses and the router
lacks:

- the log, once for each version, and `steerctl routers` (`the version lacks`)
- `steerctl doctor` (`version-lacks`), which also notices menus that contradict the version
- `steerctl import routeros`, in the notes of the file
- each block of `steerdnsd --routeros-setup`, which names the oldest RouterOS that it needs

`steerdnsd --check` reads no router, so it cannot know.

The commands of `steerdnsd --routeros-setup` exist in all of these versions. So do the commands that
this documentation shows. `steerctl routers` shows the version of each router.
"""


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    PAGE.write_text(page())
