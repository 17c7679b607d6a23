"""Which addresses a router's lists held when: a replay of its journal.

A History says for (router, list, address) during which times an enabled row covered the address: a row of the address
itself, of a prefix or of a range around it.
"""

import bisect
import ipaddress
import json

FOREVER = 1 << 62
NS = 1_000_000_000


def span_of(text):
    """(first, last) of an address, prefix or range; None for a name."""
    try:
        if "-" in text:
            first, last = (ipaddress.ip_address(part) for part in text.split("-"))
            return first, last
        network = ipaddress.ip_network(text, strict=False)
        return network[0], network[-1]
    except ValueError:
        return None


def list_of(entry):
    """A routing table is not the list of the same name."""
    return f"route {entry['list']}" if entry.get("menu") == "route" else entry["list"]


class Row:
    def __init__(self, entry):
        self.id = entry.get(".id")
        self.list = list_of(entry)
        self.family = int(entry["family"])
        self.address = entry["address"]
        self.enabled = not entry.get("disabled", False)
        self.comment = entry.get("comment", "")
        left = entry.get("timeout_s")
        self.ends_ns = None if left is None else entry["t_ns"] + round(left * NS)

    def key(self):
        return self.family, self.list, self.address


class Cover:
    """The times of one key's coverage, as they come: [[from, until), ...]."""

    def __init__(self, span):
        self.span = span
        self.rows = []
        self.times = []

    def follow(self, t_ns):
        """Call when rows changed at t_ns."""
        covered = any(row.enabled for row in self.rows)
        open_ = bool(self.times) and self.times[-1][1] is None
        if covered and not open_:
            if self.times and self.times[-1][1] == t_ns:
                self.times[-1][1] = None
            else:
                self.times.append([t_ns, None])
        elif open_ and not covered:
            self.times[-1][1] = t_ns

    def finish(self):
        """What is open lasts as long as its rows would."""
        if self.times and self.times[-1][1] is None:
            ends = [FOREVER if r.ends_ns is None else r.ends_ns for r in self.rows if r.enabled]
            self.times[-1][1] = max(ends)


class Router:
    """One router's rows during the replay, and when it was away."""

    def __init__(self):
        self.covers = {}  # key -> Cover
        self.wide = {}  # (family, list) -> [Cover] of prefixes and ranges
        self.away = []  # [reboot, up)
        self.faults = []

    def apply(self, entry):
        op, t_ns = entry["op"], entry["t_ns"]
        if op == "reboot":
            self._reboot(t_ns)
        elif op == "up":
            if self.away and self.away[-1][1] is None:
                self.away[-1][1] = t_ns
        elif op in ("add", "set", "remove", "expire"):
            self._change(op, entry, t_ns)
        elif op != "end":
            raise ValueError(f"unknown op {op!r}")

    def _cover(self, row):
        cover = self.covers.get(row.key())
        if cover is None:
            cover = self.covers[row.key()] = Cover(span_of(row.address))
            if cover.span and cover.span[0] != cover.span[1]:
                self.wide.setdefault((row.family, row.list), []).append(cover)
        return cover

    def _change(self, op, entry, t_ns):
        row = Row(entry)
        cover = self._cover(row)
        # A reboot gives new ids: a row that the id does not find is the only one of its key.
        old = next((r for r in cover.rows if r.id == row.id), None)
        if old is None and op != "add" and cover.rows:
            old = cover.rows[0]
        if old is not None:
            cover.rows.remove(old)
        elif op != "add":
            self.faults.append(f"{op} of a row that was never added: {row.list} {row.address}")
        if op in ("add", "set"):
            cover.rows.append(row)
        cover.follow(t_ns)

    def _reboot(self, t_ns):
        self.away.append([t_ns, None])
        for cover in self.covers.values():
            if any(row.ends_ns is not None for row in cover.rows):
                cover.rows = [row for row in cover.rows if row.ends_ns is None]
                cover.follow(t_ns)

    def finish(self):
        for window in self.away:
            if window[1] is None:
                window[1] = FOREVER
        for cover in self.covers.values():
            cover.finish()

    def coverage(self, list_, address):
        """Merged [(from, until)] during which `list_` held the address (an ipaddress object)."""
        family = address.version
        text = str(address) if family == 4 else f"{address}/128"
        covers = [self.covers.get((family, list_, text))]
        covers += [c for c in self.wide.get((family, list_), ()) if c.span[0] <= address <= c.span[1]]
        times = sorted(tuple(time) for cover in covers if cover for time in cover.times)
        merged = []
        for begin, end in times:
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((begin, end))
        return merged

    def final_rows(self):
        """{(family, list, address): [Row]} at the end of the journal."""
        return {key: cover.rows for key, cover in self.covers.items() if cover.rows}


class History:
    def __init__(self):
        self.routers = {}
        self.last_ns = 0
        self._cache = {}

    def finish(self):
        for router in self.routers.values():
            router.finish()

    def coverage(self, router, list_, address):
        key = router, list_, address
        if key not in self._cache:
            self._cache[key] = self.routers[router].coverage(list_, address)
        return self._cache[key]


def uncovered(times, begin, end):
    """The parts of [begin, end) that are in none of the merged `times`."""
    parts = []
    index = max(0, bisect.bisect_right(times, (begin, FOREVER)) - 1)
    for from_, until in times[index:]:
        if from_ >= end:
            break
        if from_ > begin:
            parts.append((begin, from_))
        begin = max(begin, until)
        if begin >= end:
            return parts
    if begin < end:
        parts.append((begin, end))
    return parts


def read_entries(path):
    entries = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
                entry["t_ns"] = int(entry["t_ns"])
                entry["op"] = str(entry["op"])
            except (ValueError, KeyError, TypeError) as error:
                if not line.endswith("\n"):
                    break  # cut off while it was written
                raise ValueError(f"{path}:{number}: not a journal record: {error}") from error
            entries.append(entry)
    return entries


def replay(entries):
    """The finished History of journal records (dicts); those of one router must be in order of time."""
    history = History()
    last = {}
    for entry in entries:
        name = entry.get("router", "")
        history.last_ns = max(history.last_ns, entry["t_ns"])
        if entry["op"] == "end":
            continue
        if entry["t_ns"] < last.get(name, 0):
            raise ValueError(f"journal of {name}: goes back in time at t_ns {entry['t_ns']}")
        last[name] = entry["t_ns"]
        history.routers.setdefault(name, Router()).apply(entry)
    history.finish()
    return history
