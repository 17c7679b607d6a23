"""Sizes that double until something breaks, on one axis at a time, and the table and plots of docs/guides/sizing.md."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys

from fleet_sim import limits, plots, table
from fleet_sim.simulate import SimError, simulate

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/guides/sizing.md"
FIGURES = ROOT / "docs/guides/figures"
KEPT = FIGURES / "sizing.json"
BEGIN, END = "<!-- figures, by tools/sim fleet --steps --docs -->", "<!-- end of figures -->"
CLIENTS, BOXES, ROUTERS = 20_000, 2, 10  # of a router; of a PoP
POPS = 50


@dataclasses.dataclass(frozen=True)
class Axis:
    name: str
    title: str  # of its table
    first: str  # of its first column
    sizes: tuple[int, ...]
    options: object  # of a size
    times: list[str] = dataclasses.field(default_factory=lambda: LONG)


def _sized(pops: int = POPS, boxes: int = BOXES, routers: int = ROUTERS, clients: int = CLIENTS) -> list[str]:
    return ["--pops", str(pops), "--boxes", str(boxes * pops), "--routers", str(routers * pops), "--clients",
            str(clients * routers * pops)]


# Rows live an hour and half a minute. For what does not depend on their number, a quarter of an hour is enough.
LONG, SHORT = ["--warm", "3900", "--measure", "300"], ["--warm", "900", "--measure", "300"]
LOADS = tuple(CLIENTS * factor for factor in (1, 2, 4, 8))
AXES = (
    Axis("load", "More clients behind each router (`fast`)", "clients of a router", LOADS, lambda size: _sized(clients=size)),
    Axis("load_slow", "More clients behind each router (`slow`)", "clients of a router", LOADS[:3],
         lambda size: [*_sized(clients=size), "--preset", "slow"]),
    # One router is a tenth of the work, so it can have more clients.
    Axis("one", "One router in a PoP, with more clients (`fast`)", "clients of a router", (160_000, 320_000, 640_000),
         lambda size: _sized(routers=1, clients=size)),
    Axis("one_slow", "One router in a PoP, with more clients (`slow`)", "clients of a router", (80_000, 160_000, 320_000),
         lambda size: [*_sized(routers=1, clients=size), "--preset", "slow"]),
    Axis("boxes", "More boxes that keep the same routers (after 15 minutes)", "boxes of a PoP", (2, 4, 8, 20, 21),
         lambda size: _sized(boxes=size), SHORT),
    Axis("routers", "More routers behind each pair of boxes (after 15 minutes)", "routers of a pair", (10, 20, 40, 80),
         lambda size: _sized(routers=size), SHORT),
    Axis("pops", "More PoPs on one Redis (after 15 minutes)", "PoPs", (50, 100, 200, 400, 800, 1600), lambda size: _sized(pops=size), SHORT),
)


def _run(build: pathlib.Path, options: list[str], say: str) -> dict | str:
    print(f"{say} …", file=sys.stderr, flush=True)
    try:
        return simulate(build, *options)
    except SimError as error:
        return str(error).removeprefix("fleet_sim: ")


TWINS = "twins"  # the same PoP and two others in full: what the multiplication leaves out


def _is_broken(run: dict | str) -> bool:
    return isinstance(run, str) or bool(limits.broken(run))


def measure(build: pathlib.Path, options: list[str], only: list[str]) -> dict:
    """Every size of an axis up to the second broken one, so that the table shows what comes first and what follows.

    `only`: these axes; the others are as kept."""
    names = [*(axis.name for axis in AXES), TWINS]
    if unknown := [name for name in only if name not in names]:
        raise SimError(f"{unknown[0]}: unknown axis; write one of {', '.join(names)}", 2)
    result = json.loads(KEPT.read_text()) if only and KEPT.exists() else {}
    for axis in AXES:
        if only and axis.name not in only:
            continue
        rows, broken = [], 0
        for size in axis.sizes:
            run = _run(build, [*axis.options(size), *axis.times, *options], f"{axis.name} {size:,}")
            rows.append([size, run])
            broken += _is_broken(run)
            if broken == 2:
                break
        result[axis.name] = rows
    if not only or TWINS in only:
        result[TWINS] = [[count, _run(build, [*_sized(), *SHORT, "--full", str(count), *options], f"{count} PoPs in full")]
                         for count in (1, 3)]
    return result


def _breaks(axis: Axis, rows: list) -> str:
    for size, run in rows:
        if _is_broken(run):
            what = "start" if isinstance(run, str) else "+".join(limits.broken(run))
            return f"{what}@{size}"
    return f"none@{rows[-1][0]}"


def _cell(size: int) -> str:
    return f"{size:,}"


def text(result: dict) -> str:
    parts = []
    for axis in AXES:
        if axis.name in result:
            # Of a sentence, what happened; the cause and what to do are for a terminal.
            rows = [(_cell(size), run.split(":")[0] if isinstance(run, str) else run) for size, run in result[axis.name]]
            parts += [f"### {axis.title}", table.markdown(axis.first, rows)]
    if TWINS in result:
        rows = [(f"{count} of {POPS}", run) for count, run in result[TWINS]]
        parts += ["### One PoP in full, and three (after 15 minutes)", table.markdown("PoPs in full", rows)]
    return "\n\n".join(parts)


def last_line(result: dict) -> str:
    return "fleet " + " ".join(f"{axis.name}={_breaks(axis, result[axis.name])}" for axis in AXES if axis.name in result)


def _values(rows: list, value) -> list[float | None]:
    return [None if isinstance(run, str) else value(run) for _, run in rows]


def drawings(result: dict) -> dict[str, str]:
    fast, slow = result["load"], result["load_slow"]
    both = min(len(fast), len(slow))
    loads = [size for size, _ in fast[:both]]
    most_rows = next(run for _, run in fast if not isinstance(run, str))["settings"]["max_rows"]
    rows = plots.curves(
        "Rows and writes of a router", "clients of a router", loads,
        {"rows, peak": _values(fast[:both], lambda r: r["router"]["rows_peak"]["most"]),
         "rows, mean": _values(fast[:both], lambda r: r["router"]["rows"]["mean"]),
         "writes/s": _values(fast[:both], lambda r: r["router"]["writes_per_s"]["mean"])},
        table.number, {"max_rows": most_rows})
    busy = plots.curves(
        "How busy each part is", "clients of a router", loads,
        {"router, slow": _values(slow[:both], lambda r: r["router"]["cpu"]["mean"]),
         "router, fast": _values(fast[:both], lambda r: r["router"]["cpu"]["mean"]),
         "Redis, 50 PoPs": _values(fast[:both], lambda r: r["redis_of_all"]["cpu"])},
        table.percent, {"all of it": 1.0})
    pops = result["pops"]
    redis = plots.curves(
        "One Redis for many PoPs", "PoPs of 2 boxes and 10 routers", [size for size, _ in pops],
        {"CPU": _values(pops, lambda r: r["redis_of_all"]["cpu"])}, table.percent, {"one thread": 1.0})
    return {"sizing-rows.svg": rows, "sizing-busy.svg": busy, "sizing-redis.svg": redis}


def documents(result: dict) -> dict[pathlib.Path, str]:
    """All that is made of the figures."""
    before, rest = PAGE.read_text().split(BEGIN, 1)
    page = before + BEGIN + "\n\n" + text(result) + "\n\n" + END + rest.split(END, 1)[1]
    return {PAGE: page, **{FIGURES / name: drawing for name, drawing in drawings(result).items()}}


class _Noted(dict):
    """A mapping that notes which of its keys are read."""

    def __init__(self, of: dict):
        super().__init__({key: _Noted(value) if isinstance(value, dict) else value for key, value in of.items()})
        self.read: set[str] = set()

    def __getitem__(self, key: str):
        self.read.add(key)
        return super().__getitem__(key)

    def of_use(self) -> dict:
        return {key: value.of_use() if isinstance(value, _Noted) else value for key, value in self.items() if key in self.read}


def of_use(result: dict) -> dict:
    """The figures that the page and its plots are made of, and those that say that a run is right."""
    noted = {name: [[size, run if isinstance(run, str) else _Noted(run)] for size, run in rows] for name, rows in result.items()}
    documents(noted)
    for rows in noted.values():
        for _, run in rows:
            if not isinstance(run, str):
                limits.wrong(run)
    return {name: [[size, run if isinstance(run, str) else run.of_use()] for size, run in rows] for name, rows in noted.items()}


def kept_text(result: dict) -> str:
    """JSON with a run a line."""
    axes = (f' "{name}": [\n' + ",\n".join("  " + json.dumps(row) for row in rows) + "\n ]" for name, rows in result.items())
    return "{\n" + ",\n".join(axes) + "\n}\n"


def write_documents(result: dict) -> None:
    FIGURES.mkdir(exist_ok=True)
    KEPT.write_text(kept_text(of_use(result)))
    for path, content in documents(result).items():
        path.write_text(content)
