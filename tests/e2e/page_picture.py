#!/usr/bin/python3
"""Makes the picture of the page in README.md again, from a lab with made-up names.

    PYTHONPATH=tools:tests tests/e2e/page_picture.py BUILD [FILE]
"""

import pathlib
import sys

from household import TOKEN, Household
from lab.network import until
from lab.scene import ROOT, start_load
from page_browser import PageBrowser

FILE = ROOT / "docs/guides/figures/page.png"
POINTS = 90  # of the graph, one a second
NAMES = ("www.news.example", "play.game.example", "www.stream.example", "img.video.example", "www.shop.example", "ads.shop.example", "tracker.stream.example")


def main(build: str, file: pathlib.Path = FILE) -> None:
    with Household("page-picture", pathlib.Path(build)) as scene, PageBrowser(scene.network, "appliance") as browser:
        browser.emulate(width=1180, height=900)
        browser.sign_in(TOKEN, "overview")
        load = start_load(scene.network, (f"{name} A" for i in range(20) for name in (*NAMES, f"n{i}.weather.example")), 40, "-c", "2", "-a", "192.168.88.21")
        shown = "return import('/live.js').then(({ live }) => live.history.length)"
        until(lambda: browser.run(shown) >= POINTS, 3 * POINTS, "the graph has its points", 1)
        browser.wait("Living room TV", "#view")
        browser.picture(file, whole=False)
        load.stop()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.strip())
    main(sys.argv[1], *map(pathlib.Path, sys.argv[2:]))
