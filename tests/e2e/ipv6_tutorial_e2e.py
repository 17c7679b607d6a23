"""docs/tutorials/ipv6-mostly.md, executed as it is printed, in the network of tools/lab/ipv6-mostly.

Linux is in the router's place: behind each block for RouterOS a directive does the same there.
"""

import types

import page_run  # first: it knows where doc_blocks is
import doc_blocks
import page_lab
from lab.ipv6_mostly import BOX4, BOX6, CONFIG, OPTION, PROGRAMS, Ipv6MostlyLab
from lab.network import skip_without

SPACES = {"box": BOX4, "nat64": BOX4, "client": BOX6, "clat": BOX6, "dual": BOX4}  # and who asks where


class Lab(page_lab.PageLab):
    def __init__(self, label, build):
        self.scene = Ipv6MostlyLab(build)

    def _furnish(self):
        scene = self.scene
        scene.start_internet()
        self.router = types.SimpleNamespace(folder=scene.folder, sync_rows=lambda: None)
        self._hosts = {name: page_lab.Host(scene, "only6" if name == "client" else name) for name in SPACES}
        self.box, self.client = self._hosts["box"], self._hosts["client"]
        self.furnish_box(self.box)
        scene.announce_prefix()
        scene.wait_for_address("dual")
        for name, server in SPACES.items():
            self._hosts[name].shell(f"rm -f /etc/resolv.conf; echo nameserver {server} > /etc/resolv.conf")
        nat64 = self._hosts["nat64"]
        nat64.program("systemctl", page_lab.SYSTEMCTL)
        # Debian's script, for a copy: it starts no Tayga while any process of this machine has the same path.
        own, script = f"{nat64.folder}/tayga", f"{nat64.folder}/tayga.init"
        nat64.must(f"cp /usr/sbin/tayga {own} && sed 's|^DAEMON=/usr/sbin/tayga|DAEMON={own}|' /etc/init.d/tayga > {script}")
        nat64.must(f"grep -q '^DAEMON={own}' {script} && chmod +x {script}")
        nat64.program("unit-tayga", f"#!/bin/sh\n# What systemd does for `restart`.\n{script} stop >/dev/null 2>&1\n"
                                    f"exec {script} start >/dev/null\n")
        nat64.program("logger", "#!/bin/sh\nexec cat\n")

    @property
    def hosts(self):
        return self._hosts


class Page(page_run.Page):
    def do_router(self, part):
        """A method of Ipv6MostlyLab: what the block above does to a router, on Linux."""
        getattr(self.lab.scene, part)()

    def do_address(self, space):
        """Waits for the addresses that router advertisements bring."""
        self.lab.scene.wait_for_address(space)


class Tutorial(page_run.PageTest):
    page, test, least = "docs/tutorials/ipv6-mostly.md", "ipv6_tutorial", 11
    page_class, lab_class = Page, Lab
    variable = page_run.MACHINE

    def test_the_page_shows_the_example_configuration(self):
        def lines(text):
            return [line.partition("#")[0].rstrip() for line in text.splitlines() if line.partition("#")[0].strip()]
        shown = next(block for block in doc_blocks.blocks([self.page]) if block.attributes.get("file") == "/etc/steerdns/steerdns.yaml")
        self.assertEqual(lines(shown.text), lines(CONFIG.read_text()))


if __name__ == "__main__":
    skip_without(PROGRAMS, OPTION)
    page_run.main(Tutorial)
