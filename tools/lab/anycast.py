"""tools/lab/anycast: two boxes announce one service address each for IPv4 and IPv6, and are killed, drained and upgraded.

                          ┌─ 172.16.1.2 box1   steerdnsd, steerctl announce, BIRD
    client ── edge (FRR) ─┤  172.16.2.2 box2
                          └─ 1.1.1.1 resolver

The configurations are those of configs/anycast. The edge spreads queries over the boxes that announce the service addresses. A
client asks at a steady rate, and each query is followed. Every event happens to box1. For each event the lab counts the lost
queries, and the seconds from the first lost query to the last.
"""

from __future__ import annotations

import argparse
import contextlib
import json

import pathlib
import shutil
import signal
import sys
import time
from typing import Callable, NamedTuple

from lab.frr import Frr
from lab.network import LabError, Network, NetworkLab, Process, missing, run, steerctl, until
from lab.scene import ROOT, ZONES, knot_configuration

EXAMPLES = ROOT / "configs/anycast"
LOAD = pathlib.Path(__file__).with_name("steady_load.py")
SERVICE4, SERVICE6 = "192.0.2.53", "2001:db8:53::53"
PROGRAMS = ("bird", "vtysh", "knotd", "nft")
TIMEOUT_S = 2.0  # of a query
QUIET_S = 1.0  # watched after an event is over
PARTITION = """
table inet partition {
    chain from { type filter hook prerouting priority -300; iifname "dns1" drop; }
    chain to { type filter hook postrouting priority 300; oifname "dns1" drop; }
}
"""


class Box:
    """A box of the service, as its units run it."""

    def __init__(self, lab: AnycastLab, number: int):
        self.lab, self.name = lab, f"box{number}"
        self.folder = lab.folder / self.name
        self.folder.mkdir()
        self.socket, self.bird_socket = self.folder / "control.sock", self.folder / "bird.ctl"
        for file in ("bird.conf", "steerdns.yaml"):
            text = (EXAMPLES / file).read_text()
            text = text.replace("172.16.1.", f"172.16.{number}.").replace("fd16:1:", f"fd16:{number}:")
            (self.folder / file).write_text(text.replace("multiplier 3;", f"multiplier {lab.bfd_multiplier};"))
        self.gateway, self.device = f"172.16.{number}.2", f"dns{number}"
        self.runs = 0

    def _start(self, name: str, *argv: str) -> Process:
        self.runs += 1
        return self.lab.network.start(self.name, f"{self.name}-{name}-{self.runs}", *argv)

    def start_bird(self) -> None:
        self.bird = self._start("bird", "bird", "-f", "-c", str(self.folder / "bird.conf"), "-s", str(self.bird_socket),
                                "-P", str(self.folder / "bird.pid"))

    def start_daemon(self, program: pathlib.Path | None = None) -> None:
        self.daemon = self._start("steerdnsd", str(program or self.lab.build / "steerdnsd"), "--config", str(self.folder / "steerdns.yaml"),
                                  "--control-socket", str(self.socket))
        self.daemon.wait_for("serving", 40)

    def announce(self, *words: str) -> list[str]:
        return [str(self.lab.build / "tools/steerctl/steerctl"), "--socket", str(self.socket), "announce", "--bird", str(self.bird_socket),
                *words]

    def start_announcer(self) -> None:
        self.announcer = self._start("announce", *self.announce())

    def start(self) -> None:
        self.start_bird()
        self.start_daemon()
        self.start_announcer()

    def steerctl(self, *words: str) -> str:
        return steerctl(self.lab.build, self.socket, self.daemon, *words, check=True).stdout

    def received(self) -> int:
        workers = json.loads(self.steerctl("--json", "counters"))["workers"]
        return sum(worker["stats"].get("rx_packets", 0) for worker in workers)

    def kill(self, process: Process) -> None:
        process.send_signal(signal.SIGKILL)
        process.child.wait(20)


class Judged(NamedTuple):
    """What became of the queries that were sent in a time."""

    sent: int
    lost: int
    seconds: float  # from the first lost or failed query to the last; 0: none


class AnycastLab(NetworkLab):
    """The network and its parts; a context manager. start() starts all of them."""

    def __init__(self, build: pathlib.Path | str, rate: int = 1000, timeout_s: float = TIMEOUT_S, bfd_multiplier: int = 3):
        """`timeout_s` of a query and `bfd_multiplier` (of 200 ms) suffer that a machine is busy."""
        self.build, self.rate, self.timeout_s, self.bfd_multiplier = pathlib.Path(build).resolve(), rate, timeout_s, bfd_multiplier
        self.network = Network("anycast")
        self.folder = self.network.folder
        self._read, self._judged, self._bad, self._sent = 0, 0.0, [], []

    def _wire(self) -> None:
        net = self.network
        for name in ("client", "edge", "box1", "box2", "resolver"):
            net.namespace(name)
        links = {"client": ("lan0", "192.168.88.", "fd88::", 10), "box1": ("dns1", "172.16.1.", "fd16:1::", 2),
                 "box2": ("dns2", "172.16.2.", "fd16:2::", 2)}
        for space, (device, v4, v6, host) in links.items():
            net.link((space, "eth0"), ("edge", device))
            net.address("edge", device, f"{v4}1/24", f"{v6}1/64")
            net.address(space, "eth0", f"{v4}{host}/24", f"{v6}{host}/64")
            net.route(space, "default", "via", f"{v4}1")
            net.route(space, "default", "via", f"{v6}1")
        net.link(("resolver", "eth0"), ("edge", "wan0"))
        net.address("edge", "wan0", "1.1.1.2/30")
        net.address("resolver", "eth0", "1.1.1.1/30")
        net.route("resolver", "default", "via", "1.1.1.2")
        for box in ("box1", "box2"):
            net.address(box, "lo", f"{SERVICE4}/32", f"{SERVICE6}/128")
        net.run("edge", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.fib_multipath_hash_policy=1",
                "net.ipv6.fib_multipath_hash_policy=1")
        self.boxes = [Box(self, 1), Box(self, 2)]

    def start(self) -> None:
        net = self.network
        knot = knot_configuration(self.folder / "knot", "1.1.1.1@53", {"other.example": ZONES["other.example"]})
        net.start("resolver", "knotd", "knotd", "-c", str(knot)).wait_for("server started")
        frr = self.folder / "frr.conf"
        frr.write_text((EXAMPLES / "frr.conf").read_text().replace("detect-multiplier 3", f"detect-multiplier {self.bfd_multiplier}"))
        Frr(net, "edge").configure(frr)
        for box in self.boxes:
            box.start()
        self.wait_routes(2)
        self._start_load()

    # ---- routes of the edge

    def routes(self) -> tuple[list[str], list[str]]:
        """The devices to which the edge sends the service addresses, of IPv4 and IPv6."""
        def devices(*words: str) -> list[str]:
            rows = json.loads(self.network.run("edge", "ip", *words, check=False).stdout or "[]")
            return sorted(hop["dev"] for row in rows for hop in row.get("nexthops", [row]))
        return devices("-j", "route", "show", SERVICE4), devices("-6", "-j", "route", "show", SERVICE6)

    def wait_routes(self, boxes: int) -> float:
        """Until both families have the routes of that many boxes (1: the second box); how long that took."""
        wanted = ["dns1", "dns2"] if boxes == 2 else ["dns2"]
        began = time.monotonic()
        until(lambda: self.routes() == (wanted, wanted), 30, f"the edge has routes to {' and '.join(wanted)}", pause=0.02)
        return time.monotonic() - began

    # ---- load

    def _start_load(self) -> None:
        before = [box.received() for box in self.boxes]
        self.load = self.network.start("client", "load", "/usr/bin/python3", str(LOAD), str(self.rate), str(self.timeout_s), SERVICE4, SERVICE6)
        begin = time.monotonic()
        self.wait_judged(begin + 1)
        shares = [box.received() - n for box, n in zip(self.boxes, before)]
        if min(shares) * 5 < sum(shares):
            raise LabError(f"the edge does not spread the queries: {shares} packets at the boxes")

    def _take_lines(self) -> None:
        text = self.load.text()
        end = text.rfind("\n") + 1
        for line in text[self._read:end].splitlines():
            one = json.loads(line)
            self._judged = one["until"]
            self._sent.append((one["until"], one["sent"]))
            self._bad += sorted(one["lost"] + one["failed"])
        self._read = end

    def wait_judged(self, when: float) -> None:
        """Until all queries sent before that time are answered or lost."""
        def is_judged() -> bool:
            self._take_lines()
            if not self.load.running():
                raise LabError(f"the load ended:\n{self.load.text()[-2000:]}")
            return self._judged >= when
        until(is_judged, 30, "the queries are judged")

    def judge(self, begin: float, end: float) -> Judged:
        self.wait_judged(end)
        bad = [when for when in self._bad if begin <= when < end]
        # To the end of the line that is judged last: on a busy machine a line is of more than a second.
        sent = sum(count for when, count in self._sent if begin <= when)
        return Judged(sent, len(bad), round(max(bad) - min(bad), 3) if bad else 0.0)

    def watch(self, event: Callable[[AnycastLab], float | None]) -> tuple[Judged, float | None]:
        """What the event costs. It returns the seconds until the edge had its new routes, or None."""
        begin = time.monotonic()
        moved = event(self)
        end = time.monotonic() + QUIET_S
        return self.judge(begin, end), moved


# ---- events: each happens to the first box, and ends when the edge's routes are as they should be


def steady(lab: AnycastLab) -> None:
    until_time = time.monotonic() + 2
    lab.wait_judged(until_time)


def drain(lab: AnycastLab) -> float:
    lab.boxes[0].steerctl("drain", "on")
    return lab.wait_routes(1)


def undrain(lab: AnycastLab) -> float:
    lab.boxes[0].steerctl("drain", "off")
    return lab.wait_routes(2)


def kill_daemon(lab: AnycastLab) -> float:
    lab.boxes[0].kill(lab.boxes[0].daemon)
    return lab.wait_routes(1)


def restart_daemon(lab: AnycastLab) -> float:
    lab.boxes[0].start_daemon()
    return lab.wait_routes(2)


def hang(lab: AnycastLab) -> float:
    """It answers no query, and its connections stay open."""
    lab.boxes[0].daemon.send_signal(signal.SIGSTOP)
    return lab.wait_routes(1)


def resume(lab: AnycastLab) -> float:
    lab.boxes[0].daemon.send_signal(signal.SIGCONT)
    return lab.wait_routes(2)


def kill_bird(lab: AnycastLab) -> float:
    lab.boxes[0].kill(lab.boxes[0].bird)
    return lab.wait_routes(1)


def restart_bird(lab: AnycastLab) -> float:
    lab.boxes[0].start_bird()
    return lab.wait_routes(2)


def kill_announcer(lab: AnycastLab) -> float:
    """Its unit withdraws (ExecStopPost) and starts it again."""
    box = lab.boxes[0]
    box.kill(box.announcer)
    run(*box.announce("--withdraw"))
    took = lab.wait_routes(1)
    box.start_announcer()
    lab.wait_routes(2)
    return took


def partition(lab: AnycastLab) -> float:
    """Nothing passes the link between box and edge any more, and it stays up."""
    lab.network.run("edge", "nft", "-f", "-", input=PARTITION)
    return lab.wait_routes(1)


def heal(lab: AnycastLab) -> float:
    lab.network.run("edge", "nft", "delete", "table", "inet", "partition")
    return lab.wait_routes(2)


def upgrade(lab: AnycastLab) -> float:
    """As `systemctl stop` and `start` do: the announcer ends first, and begins after the daemon."""
    box = lab.boxes[0]
    began = time.monotonic()
    for process in (box.announcer, box.daemon):
        if process.stop() != 0:
            raise LabError(process.end())
    other = box.folder / "bin" / "steerdnsd"
    other.parent.mkdir(exist_ok=True)
    for program in ("steerdnsd", "steerdns-sets", "steerdns-quic"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(lab.build / program, other.parent)
    box.start_daemon(other)
    box.start_announcer()
    lab.wait_routes(2)
    return time.monotonic() - began


class Event(NamedTuple):
    name: str
    run: Callable[[AnycastLab], float | None]
    most_seconds: float  # goal for the time with losses; 0: no query may be lost
    text: str


KILL_S, HANG_S = 1.0, 4.0
EVENTS = (
    Event("steady", steady, 0, "nothing happens"),
    Event("drain", drain, 0, "steerctl drain on"),
    Event("undrain", undrain, 0, "steerctl drain off"),
    Event("kill-daemon", kill_daemon, KILL_S, "kill -9 of steerdnsd"),
    Event("restart-daemon", restart_daemon, 0, "steerdnsd starts again"),
    Event("hang", hang, HANG_S, "kill -STOP of steerdnsd"),
    Event("resume", resume, 0, "kill -CONT"),
    Event("kill-bird", kill_bird, KILL_S, "kill -9 of BIRD"),
    Event("restart-bird", restart_bird, 0, "BIRD starts again"),
    Event("kill-announcer", kill_announcer, 0, "kill -9 of steerctl announce"),
    Event("partition", partition, KILL_S, "the link passes nothing, and stays up (BFD)"),
    Event("heal", heal, 0, "the link passes all again"),
    Event("upgrade", upgrade, 0, "stop, another program, start"),
)


def outcome(event: Event, judged: Judged) -> bool:
    return judged.seconds <= event.most_seconds if event.most_seconds else judged.lost == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/lab/anycast", description="Lost queries and seconds of an anycast pair, for each event.")
    parser.add_argument("build", help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=int, default=1000, help="queries per second (1000)")
    parser.add_argument("--json", action="store_true", help="print one JSON object per event")
    options = parser.parse_args()
    if not 10 <= options.rate <= 5000:
        parser.error(f"--rate is {options.rate}: expected 10 to 5000")
    if why := missing(PROGRAMS, "--anycast"):
        print(f"tools/lab/anycast: {why}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the lab is removed then, too
    is_good = True
    try:
        with AnycastLab(options.build, options.rate) as lab:
            lab.start()
            if not options.json:
                print(f"{'event':<15} {'queries':>8} {'lost':>6} {'seconds':>8} {'routes after':>13}  goal")
            for event in EVENTS:
                judged, moved = lab.watch(event.run)
                met = outcome(event, judged)
                is_good = is_good and met
                if options.json:
                    print(json.dumps({"event": event.name, "queries": judged.sent, "lost": judged.lost, "seconds": judged.seconds,
                                      "routes_after_s": None if moved is None else round(moved, 3), "goal_s": event.most_seconds,
                                      "met": met}), flush=True)
                    continue
                goal = f"at most {event.most_seconds:g} s" if event.most_seconds else "0 lost"
                after = "" if moved is None else f"{moved:.2f} s"
                print(f"{event.name:<15} {judged.sent:8} {judged.lost:6} {judged.seconds:8.3f} {after:>13}  {goal}: "
                      f"{'met' if met else 'MISSED'} ({event.text})", flush=True)
    except LabError as error:
        print(f"tools/lab/anycast: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
