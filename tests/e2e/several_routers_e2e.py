"""A list on two routers: a reload adds one, both get rows, no answer waits for an unreachable one, a reload removes one."""

import sys
import unittest

from lab.network import until
from lab.scene import PASSWORD, ROOT, USER, Scene

BUILD = sys.argv.pop(1)
ROUTERS = f"""routers:
  edge1: {{ address: "172.16.1.1:8728", username: {USER}, password: {PASSWORD} }}
  edge2: {{ address: "172.16.1.1:8738", username: {USER}, password: {PASSWORD} }}
"""


def config(routers):
    text = (ROOT / "configs/minimal.yaml").read_text()
    begin, end = text.index('      address: "172.16.1.1:8728"'), text.index("      async: true\n")
    text = text[:begin] + f"      routers: {routers}\n" + text[end:]
    return ROUTERS + text.replace("async: true", "async: false\n      sync_timeout: 5s")


class SeveralRouters(unittest.TestCase):
    def setUp(self):
        self.scene = self.enterContext(Scene("several", BUILD))
        self.scene.start_resolver()
        self.scene.start_router()
        self.second = None
        self.start_second()
        self.file = self.scene.folder / "several.yaml"
        self.file.write_text(config("[edge1]"))
        self.scene.start_daemon(self.file)
        self.in_sync("edge1")

    def start_second(self):
        self.second = self.scene.start_second_router()

    def routers(self):
        return {r["name"]: r for r in self.scene.reported("status")["routers"]}

    def in_sync(self, *names):
        until(lambda: {n: r["state"] for n, r in self.routers().items()} == dict.fromkeys(names, "in_sync"), 10,
              f"{names}, and they alone, are in sync")

    def rows_of_second(self):
        text = self.scene.router_ctl("list", socket=self.scene.second_socket)
        return {word for line in text.splitlines() for word in line.split()}

    def reload(self, routers):
        self.file.write_text(config(routers))
        self.scene.steerctl("reload")

    def outcome(self, name):
        return self.scene.counters()["outcomes"][name]

    def test_both_routers_have_the_rows_of_all_answers(self):
        scene = self.scene
        reported = {"203.0.113.10", "203.0.113.11"}
        self.assertEqual(set(scene.short("stream.example", "A")), reported)
        self.assertEqual(self.rows_of_second() & reported, set())

        self.reload("[edge1, edge2]")
        self.in_sync("edge1", "edge2")
        installed = self.outcome("installed")
        self.assertEqual(set(scene.short("stream.example", "A")), reported)
        self.assertLessEqual(reported, self.rows_of_second())
        self.assertEqual(self.outcome("installed"), installed + 1)

        self.second.stop()
        until(lambda: self.routers()["edge2"]["away"], 10, "the second is away")
        before = self.outcome("installed"), self.outcome("router_away")
        self.assertEqual(scene.short("media.example", "A"), ["203.0.113.30"])
        self.assertEqual((self.outcome("installed"), self.outcome("router_away")), (before[0] + 1, before[1]))
        scene.wait_rows({("policy_set_v4", "203.0.113.30")})

        # It comes back, empty. It gets the rows of both names.
        self.start_second()
        self.in_sync("edge1", "edge2")
        until(lambda: reported | {"203.0.113.30"} <= self.rows_of_second(), 10, "it has all again")

        self.reload("[edge2]")
        self.in_sync("edge2")
        self.reload("[edge1, edge2]")
        self.in_sync("edge1", "edge2")
        self.assertEqual(set(scene.short("stream.example", "A")), reported)
        self.assertLessEqual(reported, {row["address"] for row in scene.rows()})


if __name__ == "__main__":
    unittest.main(verbosity=2)
