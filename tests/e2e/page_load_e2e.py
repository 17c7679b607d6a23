"""Each view of the page beside as many recorded queries a second as this machine can make: every view comes, none has an error.

    page_load_e2e.py BUILD

Prints the rate and the time of each view, without load and beside it. The load is dnsperf with 200,000 queries a second as its aim.
A machine with two cores reaches less: the worker, dnsperf and Chromium share them.
"""

import sys
import time
import unittest

from household import DEVICES, QUERIES, TOKEN, Household
from lab.browser import NEEDED, OPTION
from lab.network import skip_without, until
from lab.scene import start_load
from page_browser import PageBrowser

BUILD = sys.argv.pop(1)
AIM = 200_000  # queries a second
WARM_S = 5.0
VIEWS = (("overview", "Living room TV"), ("queries", "Newest queries"), ("history", "Latency by upstream"), ("history/name/ads.news.example", "one point per"),
         ("history/find/contains%3Dads", "the newest first"), ("names", "as it was recorded"), ("blocking", "There is no rule"), ("explain/www.stream.example/A", "Acknowledged"),
         ("routers/edge1", "Differences"), ("lists", "trackers.txt"), ("settings", "Groups of devices"), ("configuration", "plugins:"), ("clients", "Leo's laptop"),
         ("support/192.168.88.21", "The audit has each use"))


class PageBesideLoad(unittest.TestCase):
    def test_every_view_comes(self):
        scene = self.enterContext(Household("page-load", BUILD))
        browser = self.enterContext(PageBrowser(scene.network, "appliance"))
        browser.sign_in(TOKEN, "overview")
        browser.errors()
        alone = self.times(browser)
        names = [f"{name} A" for asked in QUERIES.values() for name in asked]
        load = start_load(scene.network, names, AIM, "-t", "10", "-q", "2000", "-c", "4")
        until(lambda: self.recorded(scene) > 10_000, 30, "the load is recorded")
        began, before = time.monotonic(), self.recorded(scene)
        until(lambda: time.monotonic() - began > WARM_S, WARM_S * 4, "the first seconds have passed")
        beside = self.times(browser)
        seconds = time.monotonic() - began
        rate = (self.recorded(scene) - before) / seconds
        print(f"\n{rate:,.0f} recorded queries a second (aim: {AIM:,})")
        for (view, _), quiet, loaded in zip(VIEWS, alone, beside):
            print(f"  {view:36} {quiet * 1000:6.0f} ms, beside the load {loaded * 1000:6.0f} ms")
        self.assertEqual(browser.errors(), [])
        self.assertTrue(load.running(), "the load goes on")
        answer = scene.network.run("client", "kdig", "@172.16.1.2", "-b", next(iter(DEVICES)), "+short", "ads.news.example", "A").stdout.split()
        self.assertEqual(answer, ["0.0.0.0"])

    def recorded(self, scene):
        return sum(one["recorded"] for one in scene.reported("recorder")["recorders"])

    def times(self, browser):
        out = []
        for view, text in VIEWS:
            browser.run("location.hash = 'fleet'")
            browser.wait("No fleet", "#view")
            began = time.monotonic()
            browser.run("location.hash = arguments[0]", view)
            browser.wait(text, "#view")
            out.append(time.monotonic() - began)
        return out


if __name__ == "__main__":
    skip_without((*NEEDED, "dnsperf"), OPTION)
    unittest.main(verbosity=2)
