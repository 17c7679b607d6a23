"""The asking end: steps of load at each frame size, the counters of both ends around each, and the report."""

from __future__ import annotations

import argparse
import json
import pathlib
import socket
import time

from nic_report.facts import Refused, machine_facts
from nic_report.programs import Load
from nic_report.report import text_of

# Of the rate that was answered at full load: where losses end is between these.
SHARES = (0.9, 0.5)


class Peer:
    def __init__(self, address: str, port: int):
        try:
            self._connection = socket.create_connection((address, port), 10)
        except OSError as failed:
            raise Refused(f"no answering end at {address} port {port} ({failed}): run `tools/nic-report answer` there first")
        self._connection.settimeout(60)
        self._lines = self._connection.makefile("rw")

    def ask(self, what: str) -> dict:
        self.tell(what)
        line = self._lines.readline()
        if not line:
            raise Refused("the answering end has ended")
        return json.loads(line)

    def tell(self, what: str) -> None:
        self._lines.write(what + "\n")
        self._lines.flush()


def ask(build: pathlib.Path, options: argparse.Namespace) -> None:
    begun = time.monotonic()
    peer = Peer(options.peer, options.tcp)
    answerer = peer.ask("facts")
    mac = answerer["nic"].pop("mac")
    load = Load(build, options.port, mac, options.queues)
    asker = machine_facts(options.port) | {"nic": {key: value for key, value in load.facts.items() if key != "mac"}}
    report = {"format": 1, "asker": asker, "answerer": answerer, "idle": peer.ask("idle"), "steps": []}
    for size in (int(size) for size in options.sizes.split(",")):
        full = measure(peer, load, size, options.seconds, 0)
        report["steps"].append(full)
        for share in SHARES:
            rate = full["answered"] / full["seconds"] * share
            if rate >= 1:
                report["steps"].append(measure(peer, load, size, options.seconds, rate))
    peer.tell("end")
    load.close()
    report["took_s"] = round(time.monotonic() - begun, 1)
    text = text_of(report)
    pathlib.Path(options.file).write_text(text + "\n" + json.dumps(report, indent=1) + "\n")
    print(text + f"\nwritten to {options.file}: please send this file")


def measure(peer: Peer, load: Load, size: int, seconds: float, rate: float) -> dict:
    before = peer.ask("counters")
    step = load.step(size, seconds, rate)
    after = peer.ask("counters")

    def grown(name: str) -> list[int]:
        return [now - then for now, then in zip(after[name], before[name])]
    step["peer"] = {"received_by_queue": grown("received_by_queue"), "sent_by_queue": grown("sent_by_queue"),
                    "losses": {name: after["losses"][name] - before["losses"][name] for name in after["losses"]},
                    "verdicts": {name: grown_by for name, now in after["verdicts"].items()
                                 if (grown_by := now - before["verdicts"].get(name, 0))}}
    received, sent = sum(step["peer"]["received_by_queue"]), sum(step["peer"]["sent_by_queue"])
    step["lost"] = {
        # What the NIC of each end counted as its own loss is not the wire's.
        "asker_nic": step["nic"]["missed"] + step["nic"]["no_buffer"],
        "answerer_nic": step["peer"]["losses"]["ring_full"] + step["peer"]["losses"]["no_buffer"],
        "on_the_way_there": max(0, step["sent"] - received), "on_the_way_back": max(0, sent - step["answered"])}
    return step
