"""tools/lab/recursion: `type: recursion` walks the signed tree of dns_tree.py. For each of its zones: what SteerDNS answers, what its
engine answers, and what delv finds, which validates by itself what SteerDNS gives it.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import signal
import sys
from collections.abc import Iterator

from lab.dns_tree import SIGNED, ZONES, Tree, Zone
from lab.network import LabError, Process, missing, until
from lab.scene import Scene, query_counts, start_load
from lab.show import table

PROGRAMS = ("unbound", "dnssec-signzone", "ldns-signzone", "knotd", "delv", "dig")
OPTION = "--recursion"  # of tools/deps
SERVICE = "172.16.1.2"
FIRST_PORT = 5301  # of the engine
PATIENCE_S = 15
# Before a command: `mount WORD…`, in a namespace that ends with the command.
WITH_MOUNT = ("sh", "-c", 'words=; while [ "$1" != -- ]; do words="$words $1"; shift; done; shift; mount $words && exec "$@"', "sh")
CONFIG = """
control: {{ recursion: {folder}/engine, stream_threads: 1 }}
plugins:
  - tag: resolve
    type: recursion
    args: {{ instances: {instances}, root_hints: {hints}, trust_anchors: [ {anchors} ], total_timeout: 8s {keys} }}
  - {{ tag: answers, type: cache, args: {{ short_circuit: true }} }}
  - {{ tag: main, type: sequence, args: [ {{ exec: $answers }}, {between} {{ exec: $resolve }} ] }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53" }} }}
"""


class RecursionScene(Scene):
    """The lab, with the tree at its resolver."""

    def __init__(self, label: str, build: pathlib.Path | str | None = None, sign: tuple[str, ...] = SIGNED):
        super().__init__(label, build)
        self.sign = sign
        self.config = self.folder / "recursion.yaml"
        self.engine_folder = self.folder / "engine" / "0"  # of the first instance

    def _wire(self) -> None:
        super()._wire()
        os.chmod(self.folder, 0o755)
        self.tree = Tree(self.network, self.folder / "tree", sign=self.sign)
        self.servers = self.tree.serve()
        self.tree.route()

    def write(self, instances: int = 1, anchors: str = "", keys: str = "", between: str = "") -> None:
        """`anchors`: instead of the root's key; `keys`: further settings of the plugin, each after a comma; `between`: what is before it
        and after the cache."""
        self.config.write_text(CONFIG.format(folder=self.folder, instances=instances, hints=self.tree.hints,
                                             anchors=anchors or f'"{self.tree.anchor}"', keys=keys, between=between))

    def start_recursion(self, *words: str, **how) -> Process:
        """`words`: a command that executes steerdnsd, as `env`; `how`: of write()."""
        self.write(**how)
        self.daemons += 1
        self.daemon = self.network.start("appliance", f"steerdnsd-{self.daemons}", *words, str(self.build / "steerdnsd"), "--config",
                                         str(self.config), "--control-socket", str(self.socket))
        self.daemon.wait_for("serving", 40)
        self.wait_up()
        return self.daemon

    def wait_up(self) -> None:
        until(self.are_up, 20, "the instances are up")

    def are_up(self) -> bool:
        return bool(rows := self.instances()) and all(one["up"] for one in rows)

    def instances(self) -> list[dict]:
        return self.reported("recursion")["instances"]

    def problems(self) -> list[str]:
        return [one["text"] for one in self.reported("status")["problems"] if one["subject"] == "recursion"]

    def cpu_s(self) -> float:
        """Of the first instance's process, since its start."""
        return cpu_s(self.instances()[0]["pid"])

    @contextlib.contextmanager
    def load_of_cached(self, *names: str) -> Iterator[None]:
        """Asks `names`, which are answered from the cache, all the while; each query must be answered by NOERROR."""
        for name in names:
            if (first := self.answer(name)).status != "NOERROR":
                raise LabError(f"{name} is not answered: {first.text}")
        load = start_load(self.network, (f"{name} A" for name in names), 50, "-t", "5")
        try:
            before = self.total("verdicts", "answered")
            until(lambda: self.total("verdicts", "answered") > before + 10, 20, "the load runs")
            yield
        finally:
            load.stop(number=signal.SIGINT)
        counts, bad = query_counts(load.text()), set(re.findall(r"(\w+) \d+ \(\S+%\)", load.text())) - {"NOERROR"}
        if not counts.get("completed") or counts["lost"] or bad:
            raise LabError(f"cached names were not all answered: {load.text()}")

    def answer(self, name: str, *words: str, kind: str = "A", **where: str) -> Answer:
        return answer_of(self.kdig("+dnssec", "+adflag", *words, name, kind, **where))


def cpu_s(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class Answer:
    """Of kdig or dig."""
    status: str            # "": none came
    is_authenticated: bool
    codes: tuple[int, ...]  # extended errors
    text: str

    def __str__(self) -> str:
        return " ".join([self.status or "(none)", *(["AD"] if self.is_authenticated else []), *(f"EDE {code}" for code in self.codes)])


def answer_of(text: str) -> Answer:
    status, flags = re.search(r"status: (\w+)", text), re.search(r"[Ff]lags: ([a-z ]+);", text)
    return Answer(status[1] if status else "", bool(flags) and "ad" in flags[1].split(), tuple(map(int, re.findall(r"EDE: (\d+)", text))), text)


# The command ---------------------------------------------------------------------------------------------------------------------

def dig(scene: Scene, name: str, server: str, space: str, port: int = 53) -> Answer:
    return answer_of(scene.network.run(space, "dig", f"@{server}", "-p", str(port), "+dnssec", "+adflag", "+tries=1", f"+timeout={PATIENCE_S}",
                                       name, "A", check=False).stdout)


def delv(scene: Scene, anchors: pathlib.Path, name: str) -> str:
    """secure, insecure, or "failed: " and why."""
    done = scene.network.run("client", "delv", f"@{SERVICE}", "-a", str(anchors), "+root=.", name, "A", check=False)
    text = done.stdout + done.stderr
    failed = re.search(r"resolution failed: (.+)", text)
    if failed and "ncache" not in failed[1]:  # "ncache nxdomain": that there is no such name
        return f"failed: {failed[1]}"
    if "fully validated" in text:
        return "secure"
    return "insecure" if "unsigned answer" in text else f"unknown: {text.strip()[:200]}"


def write_anchors(scene: RecursionScene) -> pathlib.Path:
    words = scene.tree.anchor.split()
    at = words.index("DNSKEY")
    file = scene.folder / "delv.anchors"
    file.write_text(f'trust-anchors {{ "." static-key {" ".join(words[at + 1:at + 4])} "{"".join(words[at + 4:])}"; }};\n')
    return file


def is_agreed(ours: Answer, engine: Answer, validated: str) -> bool:
    # After some failures, the engine is silent longer than dig waits.
    if (ours.status, ours.is_authenticated) != (engine.status or "SERVFAIL", engine.is_authenticated):
        return False
    if ours.status == "SERVFAIL":
        return validated.startswith("failed")
    return validated == ("secure" if ours.is_authenticated else "insecure")


def differences(zone: Zone, ours: Answer) -> list[str]:
    """From what the tree expects of a validating resolver."""
    wrong = []
    if (ours.status, ours.is_authenticated) != (zone.status, zone.ad):
        wrong.append(f"{zone.name}: {ours}, expected {zone.status}{' AD' * zone.ad}")
    if zone.codes and not set(ours.codes) & set(zone.codes):
        wrong.append(f"{zone.name}: {ours}, expected an extended error of {zone.codes}")
    return wrong


def show(scene: RecursionScene, zones: list[Zone]) -> list[str]:
    wrong, anchors = [], write_anchors(scene)
    rows = [["zone", "flaw", "SteerDNS", "its engine", "delv", "agree"]]
    for zone in zones:
        name = f"{zone.ask}.{zone.name}"
        ours = dig(scene, name, SERVICE, "client")
        engine = dig(scene, name, "127.0.0.1", "appliance", FIRST_PORT)
        validated = delv(scene, anchors, name)
        agreed = is_agreed(ours, engine, validated)
        rows.append([zone.name, zone.flaw, str(ours), str(engine), validated, "yes" if agreed else "NO"])
        wrong += differences(zone, ours)
        if not agreed:
            wrong.append(f"{zone.name}: SteerDNS, its engine and delv do not agree")
    table(rows, "")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/lab/recursion", description="A signed tree with flaws, and what validators say about it.")
    parser.add_argument("build", help=argparse.SUPPRESS)
    parser.add_argument("zones", nargs="*", metavar="ZONE", help="zones of the table; all if none is named")
    parser.add_argument("--json", action="store_true", help="also print `steerctl --json recursion` afterwards")
    options = parser.parse_args()
    if unknown := set(options.zones) - {zone.name for zone in ZONES}:
        parser.error(f"no such zone: {', '.join(sorted(unknown))}; there are: {', '.join(zone.name for zone in ZONES)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the lab is removed then, too
    try:
        if why := missing(PROGRAMS, OPTION):
            raise LabError(why)
        with RecursionScene("recursion", options.build) as scene:
            scene.start_recursion()
            wrong = show(scene, [zone for zone in ZONES if not options.zones or zone.name in options.zones])
            if options.json:
                print(json.dumps(scene.reported("recursion"), indent=2))
    except LabError as error:
        print(f"tools/lab/recursion: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    for sentence in wrong:
        print(f"WRONG: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
