"""RouterOS's API for a lab where Linux is in the router's place: rossim, fed with what the kernel knows.

A mirror in the router's namespace copies its connection tracking (/proc/net/nf_conntrack), the packets that its interfaces
sent (/proc/net/dev) and the counters of nftables' rules into rossim, which shows them as a router does. A rule of nftables
with `counter comment "NAME"` is the row of /firewall/mangle that was added as NAME.
"""

from __future__ import annotations

import json
import pathlib

from lab.network import Network, Process, run

MIRROR = pathlib.Path(__file__).with_name("kernel_mirror.py")
USER, PASSWORD = "steer", "secret"


class LinuxRouterOs:
    """`marks`: names of connection marks by their number in the kernel."""

    def __init__(self, network: Network, build: pathlib.Path, space: str, address: str, client: str, version: str = "7.21.5",
                 marks: dict[int, str] | None = None):
        self.network, self.build, self.space, self.client = network, build, space, client
        self.marks = marks or {}
        self.control = network.folder / "routeros.sock"
        self.rows: dict[str, tuple[str, str]] = {}  # (menu, id) by name
        self.process: Process = network.start(
            space, "rossim", str(build / "tools/rossim/rossim"), "--address", address, "--port", "8728", "--preset", "none",
            "--ros-version", version, "--control", str(self.control), "--user", f"{USER}:{PASSWORD}:read,write,api")
        self.process.wait_for(", port ")
        self.mirror: Process | None = None
        # As the set-up leaves them: open to SteerDNS alone.
        self.change("/ip/service", "*1", address=client)
        self.change("/user", "*1", address=client)

    def ctl(self, *words: str) -> str:
        return run(str(self.build / "tools/rossim/rossim"), "ctl", str(self.control), *words).stdout

    def add(self, row: str, menu: str, **values: str) -> str:
        """A row, as the router prints it; '_' in the names of properties stands for '-'."""
        number = self.ctl("record", menu, *self._words(values)).strip()
        self.rows[row] = (menu, number)
        return number

    def change(self, menu: str, number: str, **values: str) -> None:
        self.ctl("record", menu, f".id={number}", *self._words(values))

    def change_row(self, name: str, **values: str) -> None:
        self.change(*self.rows[name], **values)

    @staticmethod
    def _words(values: dict[str, str]) -> list[str]:
        return [f"{name.replace('_', '-')}={value}" for name, value in values.items()]

    def start_mirror(self) -> None:
        """With the interfaces and rows of this moment."""
        interfaces = {}
        for link in json.loads(self.network.run(self.space, "ip", "-j", "link").stdout):
            interfaces[link["ifname"]] = self.ctl("record", "/interface", f"name={link['ifname']}", "tx-packet=0").strip()
        settings = {"socket": str(self.control), "interfaces": interfaces, "marks": self.marks,
                    "rules": {name: row for name, row in self.rows.items() if row[0].endswith("/mangle")}}
        self.mirror = self.network.start(self.space, "mirror", "/usr/bin/python3", str(MIRROR), json.dumps(settings))
        self.mirror.wait_for("ready")

    def commands(self) -> dict[str, int]:
        """How often each command was sent to the API."""
        return json.loads(self.ctl("report", "json"))["commands"]

    def writes(self) -> dict[str, int]:
        return {name: count for name, count in self.commands().items()
                if name.rpartition("/")[2] in ("add", "set", "remove", "move", "enable", "disable", "unset", "execute")}
