"""Counts of `shared_lines`, with names: what each operation of `cores_load` needs from other cores, and in which structures.

By hand, by user-mode emulation and without a machine: `trace.py BUILD WORKERS ROUNDS`.
"""

from __future__ import annotations

import bisect
import collections
import dataclasses
import pathlib
import re
import subprocess
import sys
import tempfile

QEMU = "7.2"  # the version whose plugins qemu_plugin.h describes
PLUGIN, LOAD = "tests/cores/shared_lines.so", "tests/cores/cores_load"
# Names of DPDK's zones that are those of one kind of structure.
KINDS = ((r"RG_(HASH_RCU|HT(_EXT)?)_board.*", "row board: slots"), (r"RG_steer_.*", "ring"),
         (r"(RG_)?MP_port\S*", "mbufs"), (r"STK_MP_buffers.*", "stack of buffers"), (r"MP_(large_)?buffers_\d+", "pool of buffers"),
         (r"MP_(large_)?buffers.*", "buffers"), (r"RG_.*", "other rings"))


@dataclasses.dataclass
class Needs:
    """Per operation: what it needed from other cores."""
    shared_writes: float = 0  # writes to a line that another core had
    moved: float = 0          # lines that another core wrote last
    fetched: float = 0        # lines that others had, unwritten

    def fills(self) -> float:
        return self.moved + self.fetched

    def __mul__(self, times: float) -> Needs:
        return Needs(self.shared_writes * times, self.moved * times, self.fetched * times)

    def __sub__(self, other: Needs) -> Needs:
        return Needs(self.shared_writes - other.shared_writes, self.moved - other.moved, self.fetched - other.fetched)


@dataclasses.dataclass
class Operation:
    name: str
    workers: int
    count: int
    ns: int  # of workers' turns, per operation; where nothing is emulated
    cold: float = 0      # lines that no core had, per operation
    accesses: float = 0  # to memory
    total: Needs = dataclasses.field(default_factory=Needs)
    cores: dict[int, Needs] = dataclasses.field(default_factory=lambda: collections.defaultdict(Needs))
    places: dict[tuple[str, str], Needs] = dataclasses.field(default_factory=lambda: collections.defaultdict(Needs))  # by structure and function


class Symbols:
    """Functions by address, of the files that a program executes."""

    def __init__(self, maps: list[str], program: pathlib.Path):
        self._program = program
        self._code, self._files = [], {}
        for line in maps:
            begin, end, offset, file = re.match(r"(\w+)-(\w+) \S+ (\w+) \S+ \S+ *(.*)", line).groups()
            if file.startswith("/"):
                self._code.append((int(begin, 16), int(end, 16), int(offset, 16), file))

    def name(self, address: int) -> str:
        for begin, end, offset, file in self._code:
            if begin <= address < end:
                # (Position-independent: an address in the file's symbols is the one in its first mapping.)
                return self._in_file(file, address - begin + offset)
        return "?"

    def _in_file(self, file: str, at: int) -> str:
        """(The guest's path of the program is not this machine's.)"""
        if ".so" in (name := pathlib.Path(file).name):
            return name.partition(".so")[0]  # stripped
        if file not in self._files:
            found = subprocess.run(["nm", "-C", "--defined-only", str(self._program)], text=True, capture_output=True).stdout
            self._files[file] = sorted((int(line[:16], 16), line[19:]) for line in found.splitlines() if line[17:18] in "tTwWi")
        symbols = self._files[file]
        number = bisect.bisect(symbols, (at, "￿")) - 1
        name = symbols[number][1] if number >= 0 else "?"
        return re.sub(r"\(anonymous namespace\)::|steer::|\(.*| \[clone.*", "", name)


class Places:
    def __init__(self, lines: list[tuple[str, int, int]]):
        self._ranges = lines

    def name(self, line: int) -> str:
        for name, begin, end in self._ranges:
            if begin < line + 64 and line < end:
                return next((kind for pattern, kind in KINDS if re.fullmatch(pattern, name)), name)
        return "memory"


def read(printed: str, counts: pathlib.Path, program: pathlib.Path) -> list[Operation]:
    """What the program `cores_load` printed and what the plugin wrote beside it."""
    operations: dict[int, Operation] = {}
    ranges: list[tuple[str, int, int]] = []
    maps = []
    for line in printed.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "op":
            number, name, workers, count, ns = rest.split()
            operations[int(number)] = Operation(name, int(workers), int(count), int(ns))
        elif kind in ("zone", "object"):
            name, begin, end = rest.rsplit(" ", 2)
            ranges.append((name, int(begin, 16), int(end, 16)))
        elif kind == "code":
            maps.append(rest)
    symbols, places = Symbols(maps, program), Places(ranges)
    functions: dict[int, str] = {}
    for line in counts.read_text().splitlines():
        words = line.split()
        operation = operations[int(words[0])]
        if words[1] == "accesses":
            operation.accesses, operation.cold = int(words[2]) / operation.count, int(words[4]) / operation.count
            continue
        address, code = int(words[1], 16), int(words[2], 16)
        if code not in functions:
            functions[code] = symbols.name(code)
        for needs in (operation.total, operation.cores[int(words[3])], operation.places[places.name(address), functions[code]]):
            needs.shared_writes += int(words[4]) / operation.count
            needs.moved += int(words[5]) / operation.count
            needs.fetched += int(words[6]) / operation.count
    return list(operations.values())


def other_qemu(program: str) -> str | None:
    """A sentence if this program is not of the version that loads the plugin."""
    printed = subprocess.run([program, "--version"], text=True, capture_output=True).stdout
    found = re.search(r"version (\d+\.\d+)", printed)
    version = found[1] if found else "unknown"
    return None if version == QEMU else f"{program} is QEMU {version}, and the plugin shared_lines is for QEMU {QEMU}, as in Debian 12"


def emulated(build: pathlib.Path, workers: int, rounds: int) -> list[Operation]:
    """By user-mode emulation: the program is a process of this machine."""
    with tempfile.TemporaryDirectory(prefix="steerdns-cores-") as name:
        counts = pathlib.Path(name) / "counts"
        done = subprocess.run(["qemu-x86_64", "-cpu", "max", "-plugin", f"{build / PLUGIN},out={counts}", str(build / LOAD), "--",
                               str(workers), str(rounds)], text=True, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"cores_load: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        return read(done.stdout, counts, build / LOAD)


def text(operation: Operation, least: float = 0.02) -> str:
    """The figures of an operation, and the places that have more than `least` lines each."""
    n = operation.total
    lines = [f"{operation.name} workers={operation.workers} shared_writes={n.shared_writes:.2f} moved={n.moved:.2f} fetched={n.fetched:.2f} "
             f"cold={operation.cold:.2f} accesses={operation.accesses:.0f} count={operation.count}"]
    for (place, function), one in sorted(operation.places.items(), key=lambda item: -item[1].fills() - item[1].shared_writes):
        if one.fills() + one.shared_writes >= least:
            lines.append(f"    {one.shared_writes:6.2f} {one.moved:6.2f} {one.fetched:6.2f}  {place}: {function}")
    return "\n".join(lines)


if __name__ == "__main__":
    for each in emulated(pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2]), int(sys.argv[3])):
        print(text(each))
