"""The network of a fleet: two boxes, Redis, three routers, a resolver and a client around one forwarding namespace.

    client 10.77.1.2 ─┐             ┌─ box1 10.77.11.2    edge1 10.77.31.2 (rossim)
    resolver 1.1.1.1 ─┼─── middle ──┼─ box2 10.77.12.2    edge2 10.77.32.2
    redis 10.77.20.2 ─┘             └─                    edge3 10.77.33.2

The namespaces are closed: no packet leaves the machine. A cut drops the packets between two of them, in both directions.
"""

from __future__ import annotations

import json
import pathlib
import signal
import time

from lab.network import LabError, Network, NetworkLab, Process, run, until
from lab.scene import PASSWORD, ROOT, USER, knot_configuration

BOXES = ("box1", "box2")
ROUTERS = ("edge1", "edge2", "edge3")
ADDRESSES = {"client": "10.77.1.2", "resolver": "1.1.1.1", "redis": "10.77.20.2", "box1": "10.77.11.2", "box2": "10.77.12.2",
             "edge1": "10.77.31.2", "edge2": "10.77.32.2", "edge3": "10.77.33.2"}
FLEET, SECRET = "pop1", "a-password-of-redis"
LIST, NAMES = "policy_set_v4", 600
TTL_S, MAX_TTL_S, EXTRA_S = 12, 20, 5  # of the names; of rows; how long a lease outlives its TTL
REPAIRED_S = 5  # after a reboot of a router
FOREIGN = ("198.18.7.1", "198.18.7.2")  # rows of another program, in our list and beside it

CONFIG = """dataplane: {{ memory: 256MiB, workers: 1, idle: adaptive }}
control: {{ http: off }}
{fleet}
routers:
{routers}
plugins:
  - {{ tag: steered, type: domain_set, args: {{ exps: [ "domain:stream.example" ] }} }}
  - {{ tag: answers, type: cache, args: {{ size: 20000 }} }}
  - tag: egress
    type: ros_address_list
    args: {{ routers: [edge1, edge2, edge3], async: {async_}, sync_timeout: 4s, min_ttl: 1s, max_ttl: {max_ttl}s, missing_family: nodata, extra_time: {extra}s, multi_writer: true, max_per_suffix: 100%, max_per_client: 100%, address_list4: {list} }}
  - tag: main
    type: sequence
    args:
      - {{ exec: $answers }}
      - {{ matches: "qname $steered", exec: $egress }}
      - {{ matches: "!has_resp", exec: forward 1.1.1.1 }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
"""


def address_of(index: int) -> str:
    return f"203.0.{112 + (index >> 8)}.{index & 255}"


def zone(names: int) -> str:
    head = "@ 300 SOA ns hostmaster 1 3600 600 86400 60\n@ 300 NS ns\nns 300 A 1.1.1.1\n"
    return head + "".join(f"n{i} {TTL_S} A {address_of(i)}\n" for i in range(names))


class FleetPlace(NetworkLab):
    """Builds the network and runs its parts; a context manager.

    `shared`: the boxes are a fleet; otherwise each writes for itself. `life_s`: of rows."""

    def __init__(self, build: pathlib.Path, async_: bool = False, names: int = NAMES, shared: bool = True, life_s: int = MAX_TTL_S):
        self.build, self.async_, self.names, self.shared, self.life_s = pathlib.Path(build).resolve(), async_, names, shared, life_s
        self.network = Network("fleet")
        self.folder = self.network.folder
        self.daemons: dict[str, Process] = {}
        self.redis: Process | None = None
        self.starts = 0

    def _wire(self) -> None:
        net = self.network
        net.namespace("middle")
        net.run("middle", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for number, (name, address) in enumerate(ADDRESSES.items()):
            net.namespace(name)
            net.link((name, "eth0"), ("middle", f"to{number}"))
            net.run(name, "ethtool", "-K", "eth0", "tx", "off")
            gateway = address[:-1] + str(int(address[-1]) ^ 3)  # .2 and .1, or 1.1.1.1 and 1.1.1.2
            net.address(name, "eth0", f"{address}/30")
            net.address("middle", f"to{number}", f"{gateway}/30")
            net.route(name, "default", "via", gateway)
        net.run("middle", "nft", "-f", "-", input="table ip cut {\n set pairs { type ipv4_addr . ipv4_addr; }\n"
                " chain forward { type filter hook forward priority 0; ip saddr . ip daddr @pairs drop; }\n}\n")

    # The parts ------------------------------------------------------------------------------------------------

    def journal(self, router: str) -> pathlib.Path:
        return self.folder / f"{router}.jsonl"

    def socket(self, box: str) -> pathlib.Path:
        return self.folder / f"{box}.sock"

    def start_all(self, *router_options: str, boxes: tuple[str, ...] = BOXES) -> None:
        conf = knot_configuration(self.folder / "knot", "1.1.1.1@53", {"stream.example": zone(self.names)})
        self.network.start("resolver", "knotd", "knotd", "-c", str(conf)).wait_for("server started")
        self.start_redis()
        for router in ROUTERS:
            self.network.start(router, router, str(self.build / "tools/rossim/rossim"), "--address", ADDRESSES[router], "--name", router,
                               "--user", f"{USER}:{PASSWORD}", "--journal", str(self.journal(router)), "--control", str(self.folder / f"{router}.ctl"),
                               *router_options).wait_for("port 8728")
            self.add_foreign_rows(router)
        for box in boxes:
            self.start_box(box)
        if self.shared and len(boxes) > 1:
            self.until_agreed()

    def start_redis(self) -> None:
        """Keeps nothing on disk: it starts empty."""
        self.redis = self.network.start("redis", "redis", "redis-server", "--port", "6379", "--bind", ADDRESSES["redis"], "--requirepass", SECRET,
                                        "--save", "", "--appendonly", "no", "--dir", str(self.folder))
        self.redis.wait_for("Ready to accept connections")

    def config(self, box: str) -> pathlib.Path:
        fleet = f'fleet: {{ name: {FLEET}, box: {box}, redis: "{ADDRESSES["redis"]}:6379", password: {SECRET} }}' if self.shared else ""
        routers = "\n".join(f'  {r}: {{ address: "{ADDRESSES[r]}:8728", username: {USER}, password: {PASSWORD}, probe: false }}' for r in ROUTERS)
        file = self.folder / f"{box}.yaml"
        file.write_text(CONFIG.format(fleet=fleet, routers=routers, list=LIST, max_ttl=self.life_s, extra=EXTRA_S, async_="true" if self.async_ else "false"))
        return file

    def start_box(self, box: str) -> None:
        self.starts += 1
        self.daemons[box] = self.network.start(box, f"{box}-{self.starts}", str(self.build / "steerdnsd"), "--config", str(self.config(box)),
                                               "--control-socket", str(self.socket(box)))
        self.daemons[box].wait_for("serving", 40)

    def add_foreign_rows(self, router: str) -> None:
        rows = [(LIST, FOREIGN[0]), ("blocked", FOREIGN[1])]
        script = ("import librouteros\n"
                  f"api=librouteros.connect(host='{ADDRESSES[router]}',username='{USER}',password='{PASSWORD}')\n"
                  f"for name, address in {rows!r}:\n"
                  "    api.path('/ip/firewall/address-list').add(list=name,address=address,comment='by hand')\n")
        self.network.run(router, "/usr/bin/python3", "-c", script)

    # Faults ---------------------------------------------------------------------------------------------------

    def cut(self, one: str, other: str, on: bool = True) -> None:
        a, b = ADDRESSES[one], ADDRESSES[other]
        self.network.run("middle", "nft", "add" if on else "delete", "element", "ip", "cut", "pairs", f"{{ {a} . {b}, {b} . {a} }}")

    def heal_all(self) -> None:
        self.network.run("middle", "nft", "flush", "set", "ip", "cut", "pairs")

    def kill(self, box: str) -> None:
        pid = self.network.pid(box, "steerdnsd")
        run("kill", "-9", str(pid), check=False)
        self.daemons[box].child.wait(10)

    def signal_redis(self, number: int) -> None:
        run("kill", f"-{int(number)}", str(self.network.pid("redis", "redis-server")), check=False)
        if number == signal.SIGKILL:
            self.redis.child.wait(10)

    def reboot(self, router: str, seconds: float) -> None:
        run(str(self.build / "tools/rossim/rossim"), "ctl", str(self.folder / f"{router}.ctl"), "reboot", str(seconds))

    # What the boxes say ---------------------------------------------------------------------------------------

    def told(self, box: str, *words: str):
        done = run(str(self.build / "tools/steerctl/steerctl"), "--socket", str(self.socket(box)), "--json", *words, check=False)
        if not done.stdout:
            raise LabError(f"{box}: steerctl {' '.join(words)}: {done.stderr}")
        return json.loads(done.stdout)

    def roles(self, box: str) -> dict[str, str]:
        return {router["name"]: router["role"] for router in self.told(box, "fleet")["routers"]}

    def is_agreed(self) -> bool:
        """Each router has one writer and one standby, and both boxes know its rows."""
        both = [self.roles(box) for box in BOXES]
        if any(sorted(roles.get(router, "") for roles in both) != ["standby", "writer"] for router in ROUTERS):
            return False
        return all(router["state"] == "in_sync" for box in BOXES for router in self.told(box, "status")["routers"])

    def until_agreed(self) -> float:
        """Seconds that it took."""
        begin = time.monotonic()
        until(self.is_agreed, 30, "each router has one writer and one standby", pause=0.1)
        return time.monotonic() - begin

    def writer_of(self, router: str) -> str:
        return next(box for box in BOXES if box in self.daemons and self.daemons[box].running() and self.roles(box).get(router) == "writer")


def load_script() -> str:
    return str(ROOT / "tests/fleet/load.py")
