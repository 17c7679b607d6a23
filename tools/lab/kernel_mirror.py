"""Copies what the kernel of a namespace knows into rossim, until it is ended. Stands alone: it runs in a namespace.

`kernel_mirror.py SETTINGS`: SETTINGS is a JSON map: `socket` (of rossim), `interfaces` (ids of rows by name), `rules`
([menu, id] by the comment of a rule of nftables), `marks` (names by number).
"""

import ipaddress
import json
import re
import socket
import subprocess
import sys
import time

EVERY_S = 0.1


def tell(path, line):
    with socket.socket(socket.AF_UNIX) as session:
        session.connect(path)
        session.sendall(line.encode() + b"\n")
        answer = b"".join(iter(lambda: session.recv(4096), b""))
    if answer.startswith(b"error"):
        raise RuntimeError(answer.decode())


def ends(line):
    """(source, destination), of the packets and of their replies, as RouterOS prints them."""
    def end(host, port):
        return f"[{ipaddress.IPv6Address(host)}]:{port}" if ":" in host else f"{host}:{port}"  # the kernel writes all zeros
    values = {}
    for name, value in re.findall(r"\b(src|dst|sport|dport)=(\S+)", line):
        values.setdefault(name, []).append(value)
    for i in range(2):
        yield end(values["src"][i], values["sport"][i]), end(values["dst"][i], values["dport"][i])


def connections(known):
    """Those of TCP that were not there before: (ends, mark)."""
    with open("/proc/net/nf_conntrack", encoding="ascii") as table:
        for line in table:
            if line.split()[2] != "tcp":
                continue
            key = tuple(ends(line))
            mark = int((re.search(r"\bmark=(\d+)", line) or [0, 0])[1])
            if known.get(key) != mark:
                known[key] = mark
                yield key, mark


def sent():
    """Packets by interface."""
    with open("/proc/net/dev", encoding="ascii") as table:
        for line in list(table)[2:]:
            name, _, counters = line.partition(":")
            yield name.strip(), int(counters.split()[9])


def counted():
    """Packets by the comment of a rule."""
    output = subprocess.run(["nft", "-j", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    for item in json.loads(output)["nftables"]:
        rule = item.get("rule", {})
        for expression in rule.get("expr", []):
            if "comment" in rule and "counter" in expression:
                yield rule["comment"], expression["counter"]["packets"]


def main():
    settings = json.loads(sys.argv[1])
    path, known, reported = settings["socket"], {}, {}

    def record(menu, number, value, count):
        if reported.get((menu, number)) != count:
            reported[menu, number] = count
            tell(path, f"record {menu} .id={number} {value}={count}")
    first = True
    while True:
        for ((source, destination), (answer_from, answer_to)), mark in connections(known):
            name = settings["marks"].get(str(mark), "-") if mark else "-"
            tell(path, f"connection tcp {source} {destination} {name} 1h {answer_from} {answer_to}")
        for name, count in sent():
            if name in settings["interfaces"]:
                record("/interface", settings["interfaces"][name], "tx-packet", count)
        for comment, count in counted():
            if comment in settings["rules"]:
                record(*settings["rules"][comment], "packets", count)
        if first:
            print("ready", flush=True)
        first = False
        time.sleep(EVERY_S)


if __name__ == "__main__":
    main()
