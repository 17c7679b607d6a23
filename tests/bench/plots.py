"""The plots of docs/explanation/performance.md, as SVG text."""

from __future__ import annotations

import math

from bench.goals import GOALS
from bench.svg import SERIES, Drawing

LEFT, RIGHT, ROW, BAR = 80, 140, 30, 16
WIDTH = 760
END = 2.0  # of the axis, in goals


def ratios(results: dict) -> str:
    """A bar for each bench: its ratio by its goal, with a dot for each round, and marks where the stretch goal and the floor are."""
    rows = [goal for goal in GOALS if goal.ratio is not None and goal.name in results]
    bottom = 50 + ROW * len(rows)
    drawing = Drawing(WIDTH, bottom + 30, "How much of its goal each bench reaches")
    x = lambda share: LEFT + (WIDTH - LEFT - RIGHT) * min(share, END) / END
    drawing.words("ink", LEFT, 20, "ratio ÷ goal (bar: median, dots: rounds, dashes: stretch goal, line: floor)")
    for tick in (0, 0.5, 1, 1.5, 2):
        drawing.words("faint", x(tick), bottom + 18, f"{tick:g}", "middle")
    for number, goal in enumerate(rows):
        result = results[goal.name]["result"]
        y = 40 + ROW * number
        middle = y + BAR / 2
        drawing.words("ink", LEFT - 8, middle + 5, goal.name, "end")
        drawing.box("fair" if goal.failures(result) else "good", LEFT, y, x(goal.reached(result)) - LEFT, BAR)
        for ratio in results[goal.name]["rounds"]:
            drawing.dot("page", x(goal.share(ratio)), middle, 4.5)
            drawing.dot("dot", x(goal.share(ratio)), middle)
        if goal.stretch is not None:
            at = x(goal.share(goal.stretch))
            drawing.line("faint", at, y - 4, at, y + BAR + 4, "4 3")
        if "floor" in result:
            at = x(goal.share(result["floor"]))
            drawing.line("ink", at, y - 4, at, y + BAR + 4)
        drawing.words("ink", WIDTH - RIGHT + 10, middle + 5,
                      f"{result['ratio']:g} ({'≤' if goal.less else '≥'} {goal.ratio:g})")
    drawing.line("ink", x(1), 32, x(1), bottom)
    return drawing.text()


def stages(result: dict) -> str:
    """A bar of a packet's nanoseconds for each load, stage by stage, and what is what below them."""
    loads = result["loads"]
    names = [stage for stage, _ in next(iter(loads.values()))["stages"]]
    longest = max(sum(ns for _, ns in load["stages"]) for load in loads.values())
    legend = 60 + 40 * len(loads)
    drawing = Drawing(WIDTH, legend + 20 * len(names), "Nanoseconds a packet, by stage")
    drawing.words("ink", LEFT, 20, "ns a packet, by stage")
    for row, (name, load) in enumerate(loads.items()):
        x, y = float(LEFT), 36 + 40 * row
        drawing.words("ink", LEFT - 8, y + 18, name, "end")
        for number, (_, ns) in enumerate(load["stages"]):
            width = (WIDTH - LEFT - 70) * ns / longest
            drawing.box(SERIES[number % len(SERIES)], x, y, max(width - 1, 0.5), 26)
            if width > 20:
                drawing.words("page", x + width / 2, y + 18, str(number + 1), "middle")
            x += width
        drawing.words("ink", x + 6, y + 18, f"{sum(ns for _, ns in load['stages']):.1f}")
    for number, name in enumerate(names):
        y = legend + 20 * number
        drawing.box(SERIES[number % len(SERIES)], LEFT, y - 11, 12, 12)
        drawing.words("ink", LEFT + 20, y, f"{number + 1}. {name}")
    return drawing.text()


CURVES = (("names", "names in the cache"), ("rules", "rules before the cache"), ("clients", "clients, with a limit"), ("claims", "claims of a router"))
LINES = {"names": ("ns", "ns_zipf"), "rules": ("ns", "ns_zipf"), "clients": ("ns", "ns_zipf"), "claims": ("claim_ns", "again_ns")}
LINE_NAMES = {"ns": "uniform", "ns_zipf": "by Zipf's law", "claim_ns": "a new claim", "again_ns": "a claim again"}
SMALL_WIDTH, SMALL_HEIGHT, GAP = 330, 190, 50


def growth(curves: dict[str, list[dict]]) -> str:
    """Nanoseconds by size, one small plot for each thing that grows; sizes on a logarithmic axis."""
    drawing = Drawing(2 * SMALL_WIDTH + 2 * GAP, 2 * (SMALL_HEIGHT + 70), "Nanoseconds an answer, as the work grows")
    for number, (curve, what) in enumerate(CURVES):
        left, top = GAP + (number % 2) * (SMALL_WIDTH + GAP), 40 + (number // 2) * (SMALL_HEIGHT + 70)
        points, lines = curves[curve], LINES[curve]
        low, high = math.log10(points[0]["n"]), math.log10(points[-1]["n"])
        most = max(point[key] for point in points for key in lines)
        step = 10 ** math.floor(math.log10(most))
        step *= 0.5 if most / step < 3 else 1 if most / step < 6 else 2
        x = lambda n: left + (SMALL_WIDTH - 20) * (math.log10(n) - low) / (high - low)
        y = lambda value: top + SMALL_HEIGHT - SMALL_HEIGHT * value / (step * math.ceil(most / step))
        drawing.words("ink", left, top - 12, f"ns by {what}")
        for tick in range(math.ceil(most / step) + 1):
            drawing.line("faint", left, y(tick * step), left + SMALL_WIDTH - 20, y(tick * step), "1 4")
            drawing.words("faint", left - 6, y(tick * step) + 4, f"{tick * step:g}", "end")
        for power in range(math.ceil(low), math.floor(high) + 1):
            drawing.words("faint", x(10 ** power), top + SMALL_HEIGHT + 18, f"10^{power}", "middle")
        for index, key in enumerate(lines):
            colour = SERIES[index]
            for before, after in zip(points, points[1:]):
                drawing.line(colour, x(before["n"]), y(before[key]), x(after["n"]), y(after[key]))
            for point in points:
                drawing.dot(colour, x(point["n"]), y(point[key]))
            drawing.box(colour, left + 10 + 150 * index, top + SMALL_HEIGHT - 18, 10, 10)
            drawing.words("ink", left + 24 + 150 * index, top + SMALL_HEIGHT - 9, LINE_NAMES[key])
    return drawing.text()


NIC_MQPS = 100e9 / 8 / (110 + 24) / 1e6  # 100 Gbit/s in answers of 110 bytes, with preamble, checksum and gap


def cores(curves: dict[str, dict[str, list[dict]]], line_ns: tuple[float, float]) -> str:
    """Modelled answers a second by workers, both axes logarithmic: a colour for each share of misses, whole where lines overlap and
    dashed where each line is waited for."""
    left, top, width, height = 70, 60, 560, 380
    drawing = Drawing(left + width + 130, top + height + 50, "Modelled rate of many workers")
    every = [point for of_cost in curves.values() for points in of_cost.values() for point in points]
    least, most = math.floor(math.log10(min(point["mqps"] for point in every))), math.ceil(math.log10(max(point["mqps"] for point in every)))
    last = max(point["n"] for point in every)
    x = lambda n: left + width * math.log2(n) / math.log2(last)
    y = lambda mqps: top + height * (most - math.log10(mqps)) / (most - least)
    drawing.words("ink", left, 20, "million answers a second by workers (a model)")
    drawing.words("faint", left, 40, f"whole: {line_ns[0]:g} ns a line that moves; dashed: {line_ns[1]:g} ns")
    for power in range(least, most + 1):
        drawing.line("faint", left, y(10 ** power), left + width, y(10 ** power), "1 4")
        drawing.words("faint", left - 8, y(10 ** power) + 4, f"{10 ** power:g}", "end")
    for n in (1, 2, 4, 8, 16, 32, 64):
        drawing.words("faint", x(n), top + height + 20, str(n), "middle")
    drawing.line("fair", left, y(NIC_MQPS), left + width, y(NIC_MQPS))
    drawing.words("ink", left + 8, y(NIC_MQPS) - 6, f"100 Gbit/s: {NIC_MQPS:.0f} million answers of 110 bytes")
    for cost, of_cost in curves.items():
        for colour, (percent, points) in zip(SERIES, sorted(of_cost.items(), key=lambda item: int(item[0]))):
            for before, after in zip(points, points[1:]):
                drawing.line(colour, x(before["n"]), y(before["mqps"]), x(after["n"]), y(after["mqps"]), "" if cost == "overlaps" else "5 4")
            if cost == "overlaps":
                end = points[-1]
                drawing.words("ink", x(end["n"]) + 8, y(end["mqps"]) + 4, f"{percent} % misses")
    return drawing.text()
