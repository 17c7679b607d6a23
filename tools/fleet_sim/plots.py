"""Plots of docs/guides/sizing.md, as SVG text: curves over a size that doubles."""

from __future__ import annotations

import math

from bench.svg import SERIES, Drawing

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 380, 70, 190, 40, 50


def _decades(low: float, high: float) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0 ** exponent for exponent in range(first, last + 1)]


def curves(title: str, x_name: str, sizes: list[float], series: dict[str, list[float | None]], y_text, marks: dict[str, float]) -> str:
    """Both axes are logarithmic. `marks`: names of horizontal lines. None: no value."""
    values = [value for line in series.values() for value in line if value] + list(marks.values())
    ticks = _decades(min(values), max(values))
    drawing = Drawing(WIDTH, HEIGHT, title)
    drawing.words("ink", LEFT, 20, title)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(size: float) -> float:
        return LEFT + (right - LEFT) * math.log(size / sizes[0]) / math.log(sizes[-1] / sizes[0])

    def y(value: float) -> float:
        return bottom - (bottom - TOP) * math.log(max(value, ticks[0]) / ticks[0]) / math.log(ticks[-1] / ticks[0])

    for tick in ticks:
        drawing.line("faint", LEFT, y(tick), right, y(tick), "1 5")
        drawing.words("faint", LEFT - 8, y(tick) + 4, y_text(tick), "end")
    for size in sizes:
        drawing.words("faint", x(size), bottom + 20, f"{size:,.0f}", "middle")
    drawing.words("ink", (LEFT + right) / 2, HEIGHT - 10, x_name, "middle")
    for name, value in marks.items():
        drawing.line("fair", LEFT, y(value), right, y(value), "6 4")
        drawing.words("ink", LEFT + 6, y(value) - 5, name)
    # Names stand where the curves end, and apart.
    ends = []
    for number, (name, line) in enumerate(series.items()):
        colour = SERIES[number % len(SERIES)]
        points = [(x(size), y(value)) for size, value in zip(sizes, line) if value]
        for (x1, y1), (x2, y2) in zip(points, points[1:]):
            drawing.line(colour, x1, y1, x2, y2)
        for at in points:
            drawing.dot(colour, *at, 4)
        if points:
            ends.append((points[-1][1], colour, name))
    free = -math.inf
    for at, colour, name in sorted(ends):
        at = max(at, free + 18)
        drawing.box(colour, right + 14, at - 6, 12, 12)
        drawing.words("ink", right + 32, at + 5, name)
        free = at
    return drawing.text()
