"""Clients, side zones, lists and floods do not withdraw a box from an anycast service. A dead upstream does.

One box of tools/lab/anycast with BIRD, `steerctl announce` and an upstream that never answers names below `dead`."""

import json
import pathlib
import signal
import sys
import time
import unittest

from lab.anycast import AnycastLab
from lab.network import skip_without, until

BUILD = sys.argv.pop(1)
HERE = pathlib.Path(__file__).parent
# Goal in seconds: a dead upstream withdraws the box, and one that is back announces it.
GOAL_S = 10
BOX = """
dataplane:
  max_parked: 64
  allow: [ 0.0.0.0/0 ]
  ports: [ {{ device: eth0, addresses: [auto, lo] }} ]
control: {{ lists: {folder}/lists, fetch: {{ start_wait: 100ms }} }}
plugins:
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
{more}
"""
PLAIN = "  - { tag: main, type: sequence, args: [ { exec: $up } ] }"
SIDE = """  - { tag: side, type: zone, args: { names: [ corp.example ], forward: { upstreams: [ { addr: udp://1.1.1.1:54 } ] } } }
  - { tag: main, type: sequence, args: [ { exec: $side }, { exec: $up } ] }"""
LISTED = """  - {{ tag: names, type: domain_set, args: {{ files: [ "{url}" ] }} }}
  - {{ tag: main, type: sequence, args: [ {{ matches: qname $names, exec: reject 3 }}, {{ exec: $up }} ] }}"""


class Readiness(unittest.TestCase):
    def setUp(self):
        self.lab = self.enterContext(AnycastLab(BUILD))
        self.box = self.lab.boxes[0]
        self.config = self.box.folder / "steerdns.yaml"
        self.start_upstream()

    def start_upstream(self):
        self.upstream = self.lab.network.start("resolver", "upstream", "/usr/bin/python3", str(HERE / "half_dead_upstream.py"), "1.1.1.1")
        self.upstream.wait_for("listening")

    def write(self, more=PLAIN):
        self.config.write_text(BOX.format(folder=self.box.folder, more=more))

    def start(self, more=PLAIN):
        self.write(more)
        self.box.start()
        self.expect_output("announced: ready", 40)

    def expect_output(self, text, seconds, times=1):
        until(lambda: self.box.announcer.text().count(text) >= times, seconds, f"it says {text!r}", pause=0.05)

    def assert_never_withdrawn(self):
        self.assertEqual(self.box.announcer.text().count("withdrawn: not ready"), 0, self.box.announcer.text())
        self.assertEqual(self.http("/readyz"), "ok\n")

    def http(self, path):
        return self.lab.network.run("box1", "curl", "-s", f"http://127.0.0.1:9153{path}", check=False).stdout

    def counted(self, metric):
        return sum(float(line.split()[-1]) for line in self.http("/metrics").splitlines() if line.startswith(metric))

    def asks(self, name, count, rate, spoofed=False):
        """A client that does not wait for answers."""
        return self.lab.network.start("client", f"asks-{time.monotonic_ns()}", "/usr/bin/python3", str(HERE / "blind_client.py"), "172.16.1.2",
                                      name, str(count), str(rate), *(["192.168.88."] if spoofed else []))

    def test_a_client_that_asks_names_of_a_dead_domain_withdraws_nothing(self):
        self.start()
        client = self.asks("n{}.domain.dead", 2_000, 20)
        until(lambda: self.counted("steerdns_upstream_server_timeouts_total") >= 60, 60, "queries are not answered")
        # Longer than the 6 s after which an upstream counts as silent.
        until(lambda: self.counted("steerdns_upstream_server_timeouts_total") >= 200, 60, "for long")
        client.stop()
        self.assert_never_withdrawn()
        self.assertEqual(self.counted("steerdns_upstream_server_up"), 1)
        self.assertEqual([p for p in self.problems() if p["subject"] == "upstreams"], [])

    def problems(self):
        return json.loads(self.box.steerctl("--json", "status"))["problems"]

    def test_a_dead_forward_of_a_side_zone_withdraws_nothing(self):
        self.start(SIDE)
        client = self.asks("n{}.corp.example", 2_000, 20)
        until(lambda: any("does not answer" in p["text"] for p in self.problems()), 40, "the dead upstream is a problem")
        client.stop()
        self.assert_never_withdrawn()

    def test_a_reload_with_a_mistyped_list_url_withdraws_nothing(self):
        self.start()
        pages = self.lab.folder / "pages"
        pages.mkdir()
        (pages / "pages.json").write_text("{}")  # 404
        self.lab.network.start("resolver", "lists", "/usr/bin/python3", str(HERE / "list_server.py"), "1.1.1.1", str(pages))
        self.write(LISTED.format(url="http://1.1.1.1/mistyped.txt"))
        self.box.steerctl("reload")
        until(lambda: any("mistyped" in p["text"] for p in self.problems()), 30, "the fetch has failed")
        self.assert_never_withdrawn()

    def test_a_spoofed_flood_withdraws_nothing(self):
        self.start()
        flood = self.asks("www.n{}.dead", 24_000, 1_500, spoofed=True)
        until(lambda: not flood.running(), 60, "the flood ends")
        workers = json.loads(self.box.steerctl("--json", "counters"))["workers"]
        self.assertGreater(sum(worker["verdicts"].get("drop_parked_full", 0) for worker in workers), 5_000, "queries are refused")
        self.assert_never_withdrawn()

    def test_a_dead_upstream_withdraws_and_its_return_announces(self):
        self.start()
        client = self.asks("n{}.live.example", 10_000, 5)
        self.upstream.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        self.expect_output("withdrawn: not ready: upstreams: forward 'up' (udp://1.1.1.1 does not answer)", GOAL_S)
        print(f"withdrawn after {time.monotonic() - began:.1f} s")
        client.stop()
        self.assertEqual(self.counted("steerdns_upstream_server_up"), 0)
        announced = self.box.announcer.text().count("announced: ready")
        self.upstream.send_signal(signal.SIGCONT)
        began = time.monotonic()
        self.expect_output("announced: ready", GOAL_S, announced + 1)
        print(f"announced after {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    skip_without(("bird",), "--all")
    unittest.main(verbosity=2)
