"""A drawing as SVG text: rectangles, lines, dots and words, with colours for light and dark pages.

Colours are classes; which they are is in the sheet at the top, once for each kind of page.
"""

from __future__ import annotations

import html

LIGHT = {"page": "#ffffff", "ink": "#1f2328", "faint": "#8c959f", "good": "#2da44e", "fair": "#bf8700", "dot": "#0a3069",
         "a": "#0969da", "b": "#8250df", "c": "#1b7c83", "d": "#bc4c00", "e": "#57606a"}
DARK = {"page": "#0d1117", "ink": "#e6edf3", "faint": "#6e7681", "good": "#2ea043", "fair": "#bb8009", "dot": "#a5d6ff",
        "a": "#4493f8", "b": "#ab7df8", "c": "#39c5cf", "d": "#f0883e", "e": "#8b949e"}
SERIES = ("a", "b", "c", "d", "e")  # of things that stand side by side


def _sheet(colours: dict[str, str]) -> str:
    return "".join(f".{name}{{fill:{colour};stroke:{colour}}}" for name, colour in colours.items())


class Drawing:
    def __init__(self, width: float, height: float, title: str):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
            f'role="img">', f"<title>{html.escape(title)}</title>",
            f"<style>{_sheet(LIGHT)}@media(prefers-color-scheme:dark){{{_sheet(DARK)}}}"
            "text{font:13px sans-serif;stroke:none!important}rect,circle{stroke:none!important}</style>"]
        self.box("page", 0, 0, width, height)

    def box(self, colour: str, x: float, y: float, width: float, height: float) -> None:
        self.parts.append(f'<rect class="{colour}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>')

    def line(self, colour: str, x: float, y: float, x2: float, y2: float, dashes: str = "") -> None:
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.parts.append(f'<line class="{colour}" x1="{x:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke-width="2"{dash}/>')

    def dot(self, colour: str, x: float, y: float, radius: float = 3) -> None:
        self.parts.append(f'<circle class="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"/>')

    def words(self, colour: str, x: float, y: float, text: str, anchor: str = "start") -> None:
        self.parts.append(f'<text class="{colour}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>')

    def text(self) -> str:
        return "\n".join([*self.parts, "</svg>"]) + "\n"
