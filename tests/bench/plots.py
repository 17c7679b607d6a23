"""The plots of docs/performance.md, as SVG text."""

from __future__ import annotations

from bench.goals import GOALS
from bench.svg import SERIES, Drawing

LEFT, RIGHT, ROW, BAR = 80, 140, 30, 16
WIDTH = 760
END = 2.0  # of the axis, in goals


def ratios(results: dict) -> str:
    """A bar for each bench: its ratio by its goal, with a dot for each round and a mark where the stretch goal is."""
    rows = [goal for goal in GOALS if goal.ratio is not None and goal.name in results]
    bottom = 50 + ROW * len(rows)
    drawing = Drawing(WIDTH, bottom + 30, "How much of its goal each bench reaches")
    x = lambda share: LEFT + (WIDTH - LEFT - RIGHT) * min(share, END) / END
    drawing.words("ink", LEFT, 20, "ratio ÷ goal (bar: median, dots: rounds, dashes: stretch goal)")
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
        drawing.words("ink", WIDTH - RIGHT + 10, middle + 5,
                      f"{result['ratio']:g} ({'≤' if goal.less else '≥'} {goal.ratio:g})")
    drawing.line("ink", x(1), 32, x(1), bottom)
    return drawing.text()


def stages(result: dict) -> str:
    """One bar of a packet's nanoseconds, stage by stage, and what is what below it."""
    parts = result["stages"]
    whole = sum(ns for _, ns in parts)
    columns = 3
    drawing = Drawing(WIDTH, 90 + 22 * -(-len(parts) // columns), "Nanoseconds a packet, by stage")
    drawing.words("ink", 20, 22, f"{whole:.1f} ns a packet, by stage")
    at = 20.0
    for number, (name, ns) in enumerate(parts):
        colour, width = SERIES[number % len(SERIES)], (WIDTH - 40) * ns / whole
        drawing.box(colour, at, 34, max(width - 1, 0.5), 28)
        at += width
        left, top = 20 + (WIDTH - 40) / columns * (number % columns), 90 + 22 * (number // columns)
        drawing.box(colour, left, top - 10, 12, 12)
        drawing.words("ink", left + 18, top, f"{number + 1}. {name}: {ns:.1f} ns")
    return drawing.text()
