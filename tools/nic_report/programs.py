"""The programs that a report needs: steerdnsd, which answers, and nic_load, which asks."""

from __future__ import annotations

import json
import pathlib
import subprocess
import tempfile

from lab.network import LabError, Process, steerctl
from nic_report.facts import Refused

SERVER = "198.18.0.1"  # of the addresses for benchmarks (RFC 2544)
CONFIGURATION = """
dataplane:
  workers: %(workers)s
  ports: [ { pci: "%(port)s", addresses: [ %(server)s/24 ], force: true } ]
  allow: [ 198.18.0.0/15 ]
control: { http: "off" }
plugins:
  - { tag: main, type: sequence, args: [ { exec: reject 3 } ] }
  - { tag: udp, type: udp_server, args: { entry: main, listen: "%(server)s:53" } }
"""
START_S, STEP_PATIENCE_S = 180, 60


class Load:
    """nic_load: facts at once; with `to`, steps on demand."""

    def __init__(self, build: pathlib.Path, port: str, to: str = "", queues: int = 1):
        words = [str(build / "tools/nic_report/nic_load"), "--port", port, "--server", SERVER, "--queues", str(queues)]
        self._errors = tempfile.TemporaryFile("w+")
        self._child = subprocess.Popen(words + (["--to", to] if to else []), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=self._errors, text=True)
        self.facts = self._line()

    def step(self, size: int, seconds: float, rate: float) -> dict:
        self._child.stdin.write(f"{size} {seconds} {rate:.0f}\n")
        self._child.stdin.flush()
        return self._line()

    def close(self) -> None:
        self._child.stdin.close()
        self._child.wait(STEP_PATIENCE_S)

    def _line(self) -> dict:
        while line := self._child.stdout.readline():
            if line.startswith("{"):  # a driver may print, too
                return json.loads(line)
        self._errors.seek(0)
        raise Refused(f"the load generator ended: {self._errors.read().strip()[-500:]}")


class Daemon:
    """steerdnsd on the port, from its start to its end."""

    def __init__(self, build: pathlib.Path, port: str, workers: int):
        self._build = build
        self._folder = tempfile.TemporaryDirectory(prefix="nic-report-")
        folder = pathlib.Path(self._folder.name)
        self._socket = folder / "control.sock"
        (folder / "steerdns.yaml").write_text(CONFIGURATION % {"workers": workers, "port": port, "server": SERVER})
        self._process = Process("steerdnsd", [str(build / "steerdnsd"), "--config", str(folder / "steerdns.yaml"),
                                              "--control-socket", str(self._socket)], folder / "log")
        try:
            self._process.wait_for("serving on", START_S)
        except LabError as reason:
            self.close()
            raise Refused(f"steerdnsd does not serve {port}: {reason}") from reason

    def ask(self, command: str):
        return json.loads(steerctl(self._build, self._socket, self._process, "--json", command, check=True).stdout)

    def counters(self) -> dict:
        """Sums of the workers, what each received, and the NIC's losses."""
        all_of_it = self.ask("counters")
        workers = [worker["stats"] for worker in all_of_it["workers"]]
        name = all_of_it["ports"][0]["name"]
        losses = {key: value for key, value in all_of_it["ports"][0].items() if key != "name"}
        verdicts: dict[str, int] = {}
        for worker in all_of_it["workers"]:
            for key, value in worker["verdicts"].items():
                verdicts[key] = verdicts.get(key, 0) + value
        return {"name": name, "received_by_queue": [w.get("rx_packets", 0) for w in workers],
                "sent_by_queue": [w.get("tx_packets", 0) for w in workers],
                "sleeps": sum(w.get("sleeps", 0) for w in workers), "naps": sum(w.get("naps", 0) for w in workers),
                "losses": losses, "verdicts": {key: value for key, value in verdicts.items() if value}}

    def close(self) -> None:
        self._process.stop(START_S)
        self._folder.cleanup()
