"""tools/run: the lab, shown. `show.py BUILD [--once]`."""

from __future__ import annotations

import signal
import sys
import time

from lab.network import LabError
from lab.scene import ROOT, Scene

CONFIG = ROOT / "configs/minimal.yaml"
NAMES = [("stream.example", "A"), ("stream.example", "AAAA"), ("www.stream.example", "A"), ("www.other.example", "A")]
EXPECTED_ROWS = {
    ("policy_set_v4", "203.0.113.10"), ("policy_set_v4", "203.0.113.11"), ("policy_set_v6", "2001:db8:113::10/128"),
    ("policy_set_v4", "203.0.113.31"),
}
UNEXPECTED = {"198.51.100.2"}


def table(rows: list[list[str]], indent: str = "  ") -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print(indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def show_verdicts(scene: Scene) -> None:
    print("\nWhat became of every packet (verdicts):")
    totals: dict[str, int] = {}
    for worker in scene.counters()["workers"]:
        for name, value in worker["verdicts"].items():
            totals[name] = totals.get(name, 0) + value
    table([[name, str(value)] for name, value in totals.items() if value] or [["none", "0"]])


def show_rows(rows: list[dict]) -> None:
    print("\nThe router's address lists (read by python3-librouteros):")
    table([["list", "address", "timeout", "comment"]] +
          [[r["list"], r["address"], str(r.get("timeout", "-")), r.get("comment", "")] for r in rows])


def check(scene: Scene) -> list[str]:
    """Asks, prints, and returns the differences from what is expected."""
    wrong = []
    print("\nA client asks:")
    for name, kind in NAMES:
        answer = scene.short(name, kind)
        print(f"  kdig {name} {kind}  →  {' '.join(answer) or '(nothing)'}")
        if not answer:
            wrong.append(f"{name} {kind} had no answer")
    try:
        rows = scene.wait_rows(EXPECTED_ROWS)
    except LabError as error:
        wrong.append(str(error))
        rows = scene.rows()
    show_verdicts(scene)
    show_rows(rows)
    if any(r["address"] in UNEXPECTED for r in rows):
        wrong.append("an address of a name outside the policy is on the router")
    return wrong


def stay(scene: Scene) -> None:
    client = f"ip netns exec {scene.network.full('client')}"
    tool = f"{scene.build}/tools/steerctl/steerctl --socket {scene.socket}"
    rossim = f"{scene.build}/tools/rossim/rossim ctl {scene.router_socket}"
    print(f"""
It stays up. In another terminal (as root):
  {client} kdig @172.16.1.2 short.stream.example          ask; its row shows up below
  {client} kdig @fd16::2 +tcp media.example AAAA          over IPv6 and TCP
  {client} ping -c 3 172.16.1.2                           the kernel still has the interface
  {tool} status
  {tool} counters
  {rossim} list                                           the rows
  {rossim} reboot 3                                       restart the router: the rows come back
  tail -f {scene.daemon.log}
Ctrl-C removes everything.""", flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        print("\nremoving the lab")


def main() -> int:
    build, once = sys.argv[1], "--once" in sys.argv[2:]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the lab is removed then, too
    started = time.monotonic()
    try:
        with Scene("run", build) as scene:
            scene.start_resolver()
            scene.start_router()
            daemon = scene.start_daemon(CONFIG)
            print(f"The appliance, with {CONFIG.relative_to(ROOT)} (ready after {time.monotonic() - started:.1f} s):")
            for line in daemon.text().splitlines():
                print("  " + line)
            wrong = check(scene)
            if not once:
                stay(scene)
                return 0
            if daemon.stop() != 0:
                wrong.append(daemon.end())
    except LabError as error:
        wrong = [str(error)]
    except KeyboardInterrupt:
        return 130
    for sentence in wrong:
        print(f"WRONG: {sentence}", file=sys.stderr)
    if not wrong:
        print("\nAll as it should be.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
