"""A fleet in one LAN: appliances (boxes), their Redis, routers and a resolver, each in a namespace of its own.

    10.7.0.1    router: rossim, one port per router
    10.7.0.10   redis, 10.7.0.11 a second one; Sentinels on 10.7.0.12
    10.7.0.21…  boxes
    10.7.0.53   resolver: knot with the zones of lab.scene
    10.7.0.100  client

All are ports of one bridge, so that a port can be cut off; packets of one pair can be dropped, too. JudgedFleet has a
namespace for each router:

    10.7.0.31…  edge1, edge2, edge3
"""

from __future__ import annotations

import json
import pathlib
import signal
import time

from lab.network import Network, NetworkLab, Process, run, steerctl, until
from lab.scene import PASSWORD, ROOT, USER, ZONES, knot_configuration

ADDRESSES = {"router": "10.7.0.1", "redis": "10.7.0.10", "redis2": "10.7.0.11", "sentinels": "10.7.0.12", "resolver": "10.7.0.53",
             "client": "10.7.0.100"}
REDIS_PASSWORD = "of-the-fleet"
LIST = "policy_set_v4"

CONFIG = """dataplane: {{ memory: {memory}, ports: [ {{ device: eth0, {port}{addresses} }} ], trusted_forwarders: [10.7.0.100/32]{workers} }}
{control}{fleet}routers:
{routers}plugins:
  - {{ tag: names, type: domain_set, args: {{ exps: ["domain:stream.example", "domain:media.example"] }} }}
  - {{ tag: match, type: qname, args: ["$names"] }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: "udp://10.7.0.53:53" }} ] }} }}
{rules}  - tag: policy
    type: ros_address_list
    args:
      routers: [{names}]
      async: {is_async}
      sync_timeout: {sync_timeout}
      address_list4: policy_set_v4
      address_list6: policy_set_v6
{times}  - tag: main
    type: sequence
    args:
{first}      - {{ matches: "$match", exec: "$policy" }}
      - exec: $up
{servers}"""


class Box:
    """An appliance; `address` is its own."""

    def __init__(self, lan: FleetLan, number: int):
        self.lan, self.name, self.address = lan, f"box{number}", f"10.7.0.{20 + number}"
        self.socket = lan.folder / f"{self.name}.sock"
        self.config = lan.folder / f"{self.name}.yaml"
        self.daemon: Process | None = None
        self.starts = 0

    def start(self, *prefix: str, wait: str = "serving on") -> Process:
        """`prefix`: words of a command that runs it, as in unshare."""
        self.starts += 1
        self.daemon = self.lan.network.start(
            self.name, f"{self.name}-{self.starts}", *prefix, str(self.lan.build / "steerdnsd"), "--config", str(self.config),
            "--control-socket", str(self.socket), env={"FLEET_BOX": self.name})
        if wait:
            self.daemon.wait_for(wait, 60)
        return self.daemon

    def write(self, **what: str) -> None:
        self.config.write_text(self.lan.text(**what))

    def ask(self, *words: str, check: bool = False):
        return steerctl(self.lan.build, self.socket, self.daemon, *words, check=check)

    def reported(self, *words: str):
        return json.loads(self.ask("--json", *words, check=True).stdout)

    def fleet(self) -> dict:
        return self.reported("fleet")

    def role(self, router: str = "edge1") -> str:
        return next((one["role"] for one in self.fleet().get("routers", []) if one["name"] == router), "")

    def problems(self) -> list[str]:
        return [one["text"] for one in self.reported("status")["problems"]]

    def kill(self) -> None:
        """At once, as if the machine lost its power: nothing is given up."""
        self.lan.kill(self.name, "steerdnsd")
        self.daemon.child.wait(10)


class FleetLan(NetworkLab):
    """Builds the network and runs its parts; a context manager."""

    def __init__(self, build: pathlib.Path | str, label: str = "fleet", keep_files: bool = False):
        self.build = pathlib.Path(build).resolve()
        self.network = Network(label, keep_files)
        self.folder = self.network.folder
        self.boxes: list[Box] = []
        self.routers = {"edge1": 8728}
        self.fleet = f'{{ name: pop1, box: "${{env:FLEET_BOX}}", redis: "10.7.0.10:6379", password: {REDIS_PASSWORD} }}'
        self.is_async = "true"
        self.sync_timeout = "3s"
        self.rules = self.servers = self.control = self.workers = self.first = ""
        self.memory, self.port = "64MiB", "driver: socket"
        self.times = "      min_ttl: 60\n      max_ttl: 1800\n"
        self.dropped: set[tuple[str, str]] = set()
        self.shared_address = ""  # that all boxes serve, on lo

    def _wire(self) -> None:
        self.network.namespace("lan")
        self.network.run("lan", "ip", "link", "add", "bridge", "type", "bridge")
        self.network.run("lan", "ip", "link", "set", "bridge", "up")
        for name in ADDRESSES:
            self.plug(name, ADDRESSES[name])

    def plug(self, space: str, address: str) -> None:
        self.network.namespace(space)
        self.network.link((space, "eth0"), ("lan", space))
        self.network.run("lan", "ip", "link", "set", space, "master", "bridge")
        self.network.address(space, "eth0", f"{address}/24")

    # ---- parts

    def start_resolver(self, zones: dict[str, str] | None = None) -> Process:
        folder = self.folder / "knot"
        knot = self.network.start("resolver", "knotd", "knotd", "-c",
                                  str(knot_configuration(folder, "10.7.0.53@53", zones or ZONES)))
        knot.wait_for("server started")
        return knot

    def router_at(self, name: str) -> tuple[str, str]:
        """The namespace and the address of a router."""
        return "router", ADDRESSES["router"]

    def address_of(self, name: str) -> str:
        return ADDRESSES.get(name) or next((box.address for box in self.boxes if box.name == name), "") or self.router_at(name)[1]

    def box(self, name: str) -> Box:
        return next(box for box in self.boxes if box.name == name)

    def start_router(self, name: str = "edge1", *options: str) -> Process:
        port = self.routers.setdefault(name, 8728 + 10 * len(self.routers))
        space, address = self.router_at(name)
        rossim = self.network.start(
            space, name, str(self.build / "tools/rossim/rossim"), "--address", address, "--port", str(port), "--name", name,
            "--user", f"{USER}:{PASSWORD}", "--journal", str(self.journal(name)), "--control", str(self.folder / f"{name}.ctl"),
            *options)
        rossim.wait_for(f"port {port}")
        return rossim

    def journal(self, router: str = "edge1") -> pathlib.Path:
        return self.folder / f"{router}.jsonl"

    def changes(self, router: str = "edge1") -> list[dict]:
        """Every change of a row that the router saw, in order; without those of a probe."""
        all_of_them = [json.loads(line) for line in self.journal(router).read_text().splitlines() if line.endswith("}")]
        return [change for change in all_of_them if change.get("list") != "steerdns-probe"]

    def rows(self, router: str = "edge1") -> dict[str, dict]:
        """The router's rows of the list, by address."""
        text = self.router_rows(router)
        return {row["address"]: row for row in text if row["list"] == LIST}

    def at_router(self, router: str, script: str) -> str:
        """Runs Python that has the router's API as `api`; returns its output."""
        space, address = self.router_at(router)
        begin = ("import json,librouteros\n"
                 f"api=librouteros.connect(host='{address}',port={self.routers[router]},username='{USER}',password='{PASSWORD}')\n")
        return self.network.run(space, "/usr/bin/python3", "-c", begin + script).stdout

    def router_rows(self, router: str = "edge1") -> list[dict]:
        return json.loads(self.at_router(router, "print(json.dumps([dict(r) for r in api.path('/ip/firewall/address-list')]))\n"))

    def reboot(self, router: str, seconds: float) -> None:
        run(str(self.build / "tools/rossim/rossim"), "ctl", str(self.folder / f"{router}.ctl"), "reboot", str(seconds))

    def start_redis(self, space: str = "redis", *options: str, password: str = REDIS_PASSWORD, port: int = 6379) -> Process:
        """A Redis without a file; a second one of the same place has another port."""
        words = ["redis-server", "--bind", ADDRESSES.get(space, "127.0.0.1"), "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no",
                 "--dir", str(self.folder), "--daemonize", "no", *(["--requirepass", password] if password else []), *options]
        redis = self.network.start(space, f"redis-{space}-{port}-{len(self.network.processes)}", *words)
        redis.wait_for("Ready to accept connections")
        return redis

    def redis(self, *words: str, space: str = "redis", password: str = REDIS_PASSWORD, port: int = 6379) -> str:
        login = ["-a", password, "--no-auth-warning"] if password else []
        return self.network.run(space, "redis-cli", "-p", str(port), *login, *words).stdout.strip()

    def kill(self, space: str, program: str) -> None:
        run("kill", "-9", str(self.network.pid(space, program)))

    # ---- boxes

    def text(self, **what: str) -> str:
        """The configuration of all boxes; `what` replaces parts of the lan's."""
        fleet = what.get("fleet", self.fleet)
        routers = "".join(f'  {name}: {{ address: "{self.router_at(name)[1]}:{port}", username: {USER}, password: {PASSWORD} }}\n'
                          for name, port in self.routers.items())
        own = ("control", "rules", "servers", "is_async", "sync_timeout", "memory", "port", "workers", "times", "first")
        values = {name: getattr(self, name) for name in own} | {"addresses": ", addresses: [auto, lo]" if self.shared_address else ""} | what
        values["fleet"] = f"fleet: {fleet}\n" if fleet else ""
        return CONFIG.format(**({"routers": routers, "names": ", ".join(self.routers)} | values))

    def add_boxes(self, count: int) -> list[Box]:
        for _ in range(count):
            box = Box(self, len(self.boxes) + 1)
            self.plug(box.name, box.address)
            if self.shared_address:
                self.network.address(box.name, "lo", f"{self.shared_address}/32")
            self.boxes.append(box)
            box.write()
        return self.boxes

    def kdig(self, box: Box, *words: str) -> str:
        return self.network.run("client", "kdig", f"@{box.address}", "+timeout=15", "+retry=0", *words, check=False).stdout

    def short(self, box: Box, *words: str) -> list[str]:
        return self.kdig(box, "+short", *words).split()

    def writers(self, router: str = "edge1") -> list[Box]:
        return [box for box in self.boxes if box.daemon and box.daemon.running() and box.role(router) == "writer"]

    def settle(self, router: str = "edge1") -> tuple[Box, list[Box]]:
        """Waits until one box writes the router and all others stand by; returns both."""
        running = [box for box in self.boxes if box.daemon and box.daemon.running()]

        def is_settled() -> bool:
            roles = sorted(box.role(router) for box in running)
            return roles == ["standby"] * (len(running) - 1) + ["writer"]
        until(is_settled, 20, f"one writer of {router}, and standbys")
        writer = self.writers(router)[0]
        return writer, [box for box in running if box is not writer]

    # ---- partitions

    def cut(self, space: str, on: bool = True) -> None:
        """Pulls the plug of a machine, or puts it back."""
        self.network.run("lan", "ip", "link", "set", space, "down" if on else "up")

    def drop(self, here: str, there: str, on: bool = True) -> None:
        """Drops packets in both directions between two machines; the machine `here` filters."""
        (self.dropped.add if on else self.dropped.discard)((here, there))
        for chain, side in (("INPUT", "-s"), ("OUTPUT", "-d")):
            self.network.run(here, "iptables", "-w", "-A" if on else "-D", chain, side, self.address_of(there), "-j", "DROP")

    def drop_nothing(self) -> None:
        for here, there in list(self.dropped):
            self.drop(here, there, on=False)


BOXES = ("box1", "box2")
ROUTERS = ("edge1", "edge2", "edge3")
NAMES = 600
TTL_S, MAX_TTL_S, EXTRA_S = 12, 20, 5  # of the names; of rows; how long a lease outlives its TTL
REPAIRED_S = 5  # after a reboot of a router
FOREIGN = ("198.18.7.1", "198.18.7.2")  # rows of another program, in our list and beside it


def _names_zone(names: int) -> str:
    head = "@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\nns 300 A 10.7.0.53\n"
    return head + "".join(f"n{i} {TTL_S} A 203.0.{112 + (i >> 8)}.{i & 255}\n" for i in range(names))


class JudgedFleet(FleetLan):
    """Two boxes and three routers whose rows are judged (tests/fleet).

    `shared`: the boxes are a fleet; otherwise each writes for itself. `life_s`: of rows."""

    def __init__(self, build: pathlib.Path, is_async: bool = False, names: int = NAMES, shared: bool = True, life_s: int = MAX_TTL_S):
        super().__init__(build)
        self.names, self.shared = names, shared
        self.routers = {name: 8728 for name in ROUTERS}
        self.is_async, self.sync_timeout = str(is_async).lower(), "4s"
        self.fleet = self.fleet if shared else ""
        self.control = "control: { http: off }\n"
        self.memory, self.port, self.workers = "256MiB", "driver: auto", ", workers: 1, idle: adaptive"
        self.times = (f"      min_ttl: 1s\n      max_ttl: {life_s}s\n      extra_time: {EXTRA_S}s\n      missing_family: nodata\n      multi_writer: true\n"
                      "      max_per_suffix: 100%\n      max_per_client: 100%\n")
        self.rules = "  - { tag: answers, type: cache, args: { size: 20000 } }\n"
        self.first = "      - exec: $answers\n      - { matches: has_resp, exec: accept }\n"

    def _wire(self) -> None:
        super()._wire()
        for name in ROUTERS:
            self.plug(name, self.router_at(name)[1])

    def plug(self, space: str, address: str) -> None:
        super().plug(space, address)
        self.network.run(space, "ethtool", "-K", "eth0", "tx", "off")

    def router_at(self, name: str) -> tuple[str, str]:
        return name, f"10.7.0.{31 + ROUTERS.index(name)}"

    def start_all(self, *router_options: str, boxes: int = len(BOXES)) -> None:
        self.start_resolver({"stream.example": _names_zone(self.names)})
        self.start_redis()
        for router in ROUTERS:
            self.start_router(router, *router_options)
            for name, address in ((LIST, FOREIGN[0]), ("blocked", FOREIGN[1])):
                self.at_router(router, f"api.path('/ip/firewall/address-list').add(list='{name}',address='{address}',comment='by hand')\n")
        for box in self.add_boxes(boxes):
            box.start()
        if self.shared and boxes > 1:
            self.until_agreed()

    def signal_redis(self, number: int) -> None:
        """A Redis that is killed keeps nothing: it starts empty."""
        pid = self.network.pid("redis", "redis-server")
        run("kill", f"-{int(number)}", str(pid), check=False)
        if number == signal.SIGKILL:
            next(one for one in self.network.processes if one.pid == pid).child.wait(10)

    def is_agreed(self) -> bool:
        """Each router has one writer and one standby, and both boxes know its rows."""
        for router in ROUTERS:
            if sorted(box.role(router) for box in self.boxes) != ["standby", "writer"]:
                return False
        return all(router["state"] == "in_sync" for box in self.boxes for router in box.reported("status")["routers"])

    def until_agreed(self) -> float:
        """Seconds that it took."""
        begin = time.monotonic()
        until(self.is_agreed, 30, "each router has one writer and one standby", pause=0.1)
        return time.monotonic() - begin

    def writer_of(self, router: str) -> str:
        return self.writers(router)[0].name


__all__ = ["ADDRESSES", "BOXES", "Box", "EXTRA_S", "FOREIGN", "FleetLan", "JudgedFleet", "LIST", "NAMES", "REDIS_PASSWORD", "REPAIRED_S", "ROOT", "ROUTERS"]
