#!/usr/bin/env python3
"""Checks that every member of the settings is read by something other than the parser.

A setting that nothing reads is accepted without any effect. Members are those of the structs in control/config/settings/*.h and settings.h;
readers are the sources outside of control/config. A name that several structs share counts as read if one of them is.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What takes effect within the parser.
IN_PARSER = {
    "line": "places for messages",
    **dict.fromkeys(["Hosts::strict", "Redirect::strict", "DomainSet::strict"],
                    "whether bad lines are errors"),
    **dict.fromkeys(["ListUse::format", "ListUse::strict", "ListUse::selectors", "ListUse::most_rules", "ListUse::match_all"],
                    "how a fetched list is read (check_list)"),
    **dict.fromkeys(["ExceptionRates::nd", "ExceptionRates::icmp", "ExceptionRates::icmp6", "ExceptionRates::fragment"],
                    "read by the rows of STEER_EXCEPTION_KINDS"),
    "Plugin::role": "what may refer to what",
    "Settings::included": "names of files in messages",
    **dict.fromkeys(["ReadList::is_remote", "ReadList::use", "ReadList::of_form"], "what is said of a list that was read"),
    **dict.fromkeys(["Control::pattern_time", "Control::pattern_memory"], "the parser has patterns compiled"),
    **dict.fromkeys(["ReachSettings::no_socks5", "ReachSettings::no_bootstrap"], "an empty text declines a profile of network.outbound"),
    "Forward::picked_from": "the graph of references",
    **dict.fromkeys(["TimePeriod::start_min", "TimePeriod::end_min", "TimePeriod::weekdays", "TimePeriod::monthdays"],
                    "read by is_within() (time_periods.h)"),
    **dict.fromkeys(["LimitClients::set_tags", "Limit::listener_tags", "Limit::window"], "resolved once the plugins are known; gives `burst`"),
    "ReloadProvider::providers": "checked; a reload reads every list whose file has changed",
}
# Known, with what they wait for.
WITHOUT_EFFECT: dict[str, str] = {}

STRUCT = re.compile(r"^struct (\w+)[^;{]*\{(.*?)^\};", re.S | re.M)
MEMBER = re.compile(r"(?:^|[\s,*&>])([a-z]\w*)\s*(?=\{|=|;|,)")


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


def members(text):
    """(struct, member), of structs with members alone; functions and nested enums are left out."""
    text = re.sub(r"struct \w+ \{\};", "", without_comments(text))
    for struct, body in STRUCT.findall(text):
        body = re.sub(r"enum class[^;]*;", "", body)
        body = re.sub(r"\[\[nodiscard\]\][^{]*\{[^}]*\}", "", body)
        body = re.sub(r"(bool operator==[^;]*;)", "", body)
        for statement in body.split(";"):
            statement = re.sub(r"\{[^{}]*\}", "", statement)
            statement = re.sub(r"=[^,]*", "", statement)
            statement = re.sub(r"<[^<>]*>", "", statement)
            statement = re.sub(r"<[^<>]*>", "", statement)
            names = statement.strip().split(",")
            first = names[0].split()
            if len(first) < 2 or "(" in statement:
                continue
            for name in [first[-1]] + [n.strip() for n in names[1:]]:
                if re.fullmatch(r"[a-z]\w*", name):
                    yield struct, name


def main():
    files = [path for folder in ("control", "tools") for path in (ROOT / folder).rglob("*")
             if path.suffix in (".cpp", ".h") and "control/config/" not in path.as_posix()]
    readers = "".join(path.read_text() for path in files)
    count, unread, errors = 0, set(), []
    for header in sorted((ROOT / "control/config").rglob("*settings.h")):
        for struct, name in members(header.read_text()):
            count += 1
            member = f"{struct}::{name}"
            if name in IN_PARSER or member in IN_PARSER or re.search(r"(?:\.|->|::)" + name + r"\b", readers):
                continue
            unread.add(member)
            if member not in WITHOUT_EFFECT:
                errors.append(f"{header.relative_to(ROOT)}: nothing reads {member}: the setting has no effect")
    errors += [f"{member} has an effect now: remove it from WITHOUT_EFFECT" for member in WITHOUT_EFFECT.keys() - unread]
    if count < 300:
        errors.append(f"{count} settings were found: has the form of the headers changed?")
    for error in errors:
        print(error)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
