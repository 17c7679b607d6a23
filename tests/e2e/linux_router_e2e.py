"""docs/guides/linux-routers.md, executed as it is printed, in the network of tools/lab/policy."""

import types

import page_run  # first: it knows where doc_blocks is
import doc_blocks
import page_lab
from lab.policy import RULES, Name, PolicyLab

NAMES = [Name("www.stream.example", "A", "198.18.0.10", "tunnel"), Name("www.other.example", "A", "198.18.0.11", "line")]


class Lab(page_lab.PageLab):
    def __init__(self, label, build):
        self.scene = PolicyLab(build, NAMES)

    def _furnish(self):
        scene = self.scene
        scene.start_internet()
        self.router = types.SimpleNamespace(folder=scene.folder, sync_rows=lambda: None)
        self.box, self.client = page_lab.Host(scene, "router"), page_lab.Host(scene, "client")
        self.furnish_box(self.box)
        self.box.shell("mkdir -p /etc/nftables.d")
        self.client.shell("rm -f /etc/resolv.conf; echo nameserver 192.168.88.1 > /etc/resolv.conf")


class LinuxRouter(page_run.PageTest):
    page, test, least = "docs/guides/linux-routers.md", "linux_router", 7
    lab_class = Lab

    def test_the_page_shows_the_rules_of_the_lab(self):
        shown = next(block for block in doc_blocks.blocks([self.page]) if block.attributes.get("file", "").endswith(".nft"))
        self.assertEqual(shown.text, RULES.read_text().partition("\n")[2])


if __name__ == "__main__":
    page_run.main(LinuxRouter)
