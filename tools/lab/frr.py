"""FRR in a namespace: its daemons with sockets of their own, so that several run on one machine."""

from __future__ import annotations

import pathlib
import shutil

from lab.network import Network, Process, until

DAEMONS = pathlib.Path("/usr/lib/frr")


class Frr:
    """zebra and others of DAEMONS. They give up root for the user `frr`, who owns the folder of their sockets."""

    def __init__(self, network: Network, space: str, daemons: tuple[str, ...] = ("bgpd", "bfdd")):
        self.network, self.space = network, space
        self.folder = network.folder / f"frr-{space}"
        self.folder.mkdir()
        shutil.chown(self.folder, "frr", "frr")
        self.processes: dict[str, Process] = {}
        for name in ("zebra", *daemons):
            self._start(name)

    def _start(self, name: str) -> None:
        options = ["--vty_socket", str(self.folder), "-z", str(self.folder / "zserv.api"), "-i", str(self.folder / f"{name}.pid"),
                   "-f", "/dev/null", "--log", "stdout", "--log-level", "warnings", "-P", "0"]
        if name == "zebra":
            options.append("--v6-rr-semantics")  # as the anycast guide has it: an IPv6 route is replaced, not deleted and added
        if name == "bfdd":
            options += ["--bfdctl", str(self.folder / "bfdd.sock")]
        self.processes[name] = self.network.start(self.space, f"{self.space}-{name}", str(DAEMONS / name), *options)
        until(lambda: (self.folder / f"{name}.vty").exists() or not self.processes[name].running(), 10, f"{name} runs")

    def configure(self, file: pathlib.Path) -> None:
        """As `vtysh -b` reads /etc/frr/frr.conf; a line that a daemon does not know is an error."""
        self.network.run(self.space, "vtysh", "--vty_socket", str(self.folder), "-f", str(file))

    def vtysh(self, command: str) -> str:
        return self.network.run(self.space, "vtysh", "--vty_socket", str(self.folder), "-c", command).stdout
