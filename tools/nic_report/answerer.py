"""The answering end: the shipped daemon on the NIC, and a TCP server that gives its counters to the asking end."""

from __future__ import annotations

import argparse
import json
import pathlib
import socket
import time

from nic_report.facts import interrupts_of, machine_facts
from nic_report.programs import Daemon, Load

IDLE_S = 5


def answer(build: pathlib.Path, options: argparse.Namespace) -> None:
    facts = machine_facts(options.port)
    load = Load(build, options.port, queues=options.workers)  # ends after the facts
    load.close()
    facts["nic"] = load.facts
    daemon = Daemon(build, options.port, options.workers)
    try:
        facts["workers"] = options.workers
        facts["served"] = daemon.ask("status")["ports"][0]["offers"]
        with socket.create_server((options.listen, options.tcp)) as server:
            print(f"serving {options.port} ({facts['served']}); now run `tools/nic-report ask` on the other machine",
                  flush=True)
            while serve(server, daemon, facts, options.port):
                pass
    finally:
        daemon.close()


def serve(server: socket.socket, daemon: Daemon, facts: dict, port: str) -> bool:
    """One connection of the asking end; False: it has everything."""
    connection, _ = server.accept()
    with connection, connection.makefile("rw") as lines:
        for line in lines:
            what = line.strip()
            if what == "end":
                return False
            reply = {"facts": lambda: facts, "counters": daemon.counters, "idle": lambda: idle(daemon, port)}.get(what)
            lines.write(json.dumps(reply() if reply else {"error": f"'{what}' is unknown"}) + "\n")
            lines.flush()
    return True


def idle(daemon: Daemon, port: str) -> dict:
    """How often the workers wake without traffic."""
    before, interrupts = daemon.counters(), interrupts_of(port)
    time.sleep(IDLE_S)
    after = daemon.counters()
    return {"seconds": IDLE_S, "interrupts": interrupts_of(port) - interrupts,
            **{name: after[name] - before[name] for name in ("sleeps", "naps")}}
