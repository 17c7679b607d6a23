"""The same small size twice: simulated, and with steerdnsd, rossim, redis-server and knot in namespaces, in real seconds.

The real clients ask what the simulated ones asked, at the same times, from addresses of the same router's clients. Rows come
from rossim's journals, commands from Redis's own statistics; no real figure comes from the product.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import socket
import sys
import tempfile
import threading
import time

from bench.message import question
from fleet_sim.simulate import SimError, simulate
from fleet_sim.table import number

SIZE = ("--boxes", "2", "--routers", "3", "--pops", "1", "--clients", "30000", "--names", "20000", "--listed", "0.05",
        "--warm", "120", "--measure", "180", "--no-memory")
PATIENCE_S = 3  # for answers after the last query
TYPES = {"A": 1, "AAAA": 28}

CONFIG = """dataplane: {{ memory: 64MiB, ports: [ {{ device: eth0, driver: socket }} ] }}
control: {{ http: off }}
fleet: {{ name: pop0, box: {box}, redis: "10.7.0.10:6379", password: {password} }}
routers:
{routers}plugins:
  - tag: policy
    type: ros_address_list
    args: {{ routers: [{names}], async: {is_async}, max_ttl: {max_ttl}, address_list4: policy_v4, address_list6: policy_v6 }}
  - tag: main
    type: sequence
    args: [ {{ exec: cache }}, {{ exec: $policy }}, {{ matches: "!has_resp", exec: "forward 10.7.0.53" }} ]
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
"""


def _client(router: int) -> str:
    """The address that asks for all clients of a router."""
    return f"10.{100 + router}.0.1"


def _zones(file: pathlib.Path) -> dict[str, str]:
    return {"": "@ 86400 SOA ns. hostmaster. 1 3600 600 86400 60\n@ 86400 NS ns.\nns. 86400 A 10.7.0.53\n" + file.read_text()}


class _Redis:
    """Its counters at one time."""

    def __init__(self, lan):
        text = lan.redis("INFO", "commandstats") + "\n" + lan.redis("INFO", "stats") + "\n" + lan.redis("INFO", "cpu")
        self.at = time.monotonic()
        self.values = dict(line.strip().split(":", 1) for line in text.splitlines() if ":" in line)
        self.calls = {name.removeprefix("cmdstat_"): int(value.split("calls=")[1].split(",")[0])
                      for name, value in self.values.items() if name.startswith("cmdstat_")}

    def number(self, name: str) -> float:
        return float(self.values[name])


class _Clients:
    """Asks at the given times, from one socket for each router and box."""

    def __init__(self, lan, arrivals: list[tuple[float, int, int, str, str]]):
        self.arrivals = arrivals
        self.lan = lan
        self.sockets: dict[tuple[int, int], socket.socket] = {}
        self.sent: dict[tuple[socket.socket, int], float] = {}
        self.delays: list[tuple[float, float]] = []  # when it was asked, how long it took
        self.lag = 0.0  # the longest that a query left too late
        self.running = True
        for _, router, box, _, _ in arrivals:
            if (router, box) not in self.sockets:
                client = lan.network.socket("client", socket.AF_INET, socket.SOCK_DGRAM)
                client.bind((_client(router), 0))
                client.connect((lan.boxes[box].address, 53))
                client.settimeout(0.2)
                self.sockets[router, box] = client

    def _receive(self, client: socket.socket) -> None:
        while self.running:
            with contextlib.suppress(TimeoutError, ConnectionRefusedError):
                answer = client.recv(4096)
                begun = self.sent.pop((client, int.from_bytes(answer[:2], "big")), None)
                if begun is not None:
                    self.delays.append((begun, time.monotonic() - begun))

    def run(self, begin: float) -> None:
        readers = [threading.Thread(target=self._receive, args=(client,)) for client in self.sockets.values()]
        for reader in readers:
            reader.start()
        pause = threading.Event()
        for ident, (at, router, box, name, kind) in enumerate(self.arrivals):
            pause.wait(max(0.0, begin + at - time.monotonic()))
            client = self.sockets[router, box]
            now = time.monotonic()
            self.lag = max(self.lag, now - begin - at)
            self.sent[client, ident & 0xffff] = now
            client.send(question(name, ident & 0xffff, 0x0100, TYPES[kind]))
        pause.wait(PATIENCE_S)
        self.running = False
        for reader in readers:
            reader.join()
        for client in self.sockets.values():
            client.close()


def _rows(journal: pathlib.Path, begin_ns: int, end_ns: int) -> dict:
    """What changed in a time, and how many rows there were: the mean and the peak of times that are ten seconds apart."""
    ends: dict[tuple[str, str], float] = {}
    counts = {"add": 0, "set": 0, "remove": 0}
    samples, next_ns = [], begin_ns + 10 ** 10
    for line in journal.read_text().splitlines():
        change = json.loads(line)
        while next_ns <= min(change["t_ns"], end_ns):
            samples.append(len(ends))
            next_ns += 10 ** 10
        if change.get("list") not in ("policy_v4", "policy_v6"):
            continue
        place = change["list"], change["address"]
        if change["op"] in ("add", "set"):
            ends[place] = change["t_ns"]
        else:
            ends.pop(place, None)
        if begin_ns <= change["t_ns"] < end_ns and change["op"] in counts:
            counts[change["op"]] += 1
    samples += [len(ends)] * max(0, (end_ns - next_ns) // 10 ** 10 + 1)
    seconds = (end_ns - begin_ns) / 1e9
    return {"mean": sum(samples) / len(samples), "peak": max(samples), **{name: count / seconds for name, count in counts.items()}}


def _figures_of(lan, clients: _Clients, begin: _Redis, end: _Redis, window: tuple[int, int], since: float, cpu_us: list[float]) -> dict:
    routers = [_rows(lan.journal(name), *window) for name in lan.routers]
    seconds = end.at - begin.at
    calls = {name: (count - begin.calls.get(name, 0)) / seconds for name, count in end.calls.items()}
    ours = {name: rate for name, rate in calls.items() if rate and name not in ("info", "auth")}
    delays = sorted(delay for at, delay in clients.delays if at >= since)

    def mean(key: str) -> float:
        return sum(router[key] for router in routers) / len(routers)

    return {"rows": mean("mean"), "rows_peak": max(router["peak"] for router in routers), "adds_per_s": mean("add"),
            "sets_per_s": mean("set"), "router_cpu": sum(cpu_us) / len(cpu_us) / seconds / 1e6,
            "redis_commands_per_s": sum(ours.values()), "by_command_per_s": dict(sorted(ours.items())),
            "redis_bytes_in_per_s": (end.number("total_net_input_bytes") - begin.number("total_net_input_bytes")) / seconds,
            "redis_bytes_out_per_s": (end.number("total_net_output_bytes") - begin.number("total_net_output_bytes")) / seconds,
            "redis_cpu": sum(end.number(name) - begin.number(name) for name in ("used_cpu_user", "used_cpu_sys")) / seconds,
            "redis_members": sum(int(lan.redis("ZCARD", f"steerdns:{{pop0}}:router:{name}:claims")) for name in lan.routers),
            "answers": len(clients.delays) / len(clients.arrivals),
            "answer_p99_ms": delays[len(delays) * 99 // 100] * 1e3 if delays else 0, "longest_lag_ms": clients.lag * 1e3}


def _run(build: pathlib.Path, settings: dict, arrivals: list, zone: pathlib.Path) -> dict:
    from lab.fleet import REDIS_PASSWORD, FleetLan
    with FleetLan(build, "fleet-sim") as lan:
        network = lan.network
        for router in range(settings["routers"]):
            network.address("client", "eth0", f"{_client(router)}/32")
        lan.start_resolver(_zones(zone))
        lan.start_redis()
        lan.routers.clear()
        for router in range(settings["routers"]):
            lan.start_router(f"router{router}", "--preset", settings["preset"], "--latency", "2")
        boxes = lan.add_boxes(settings["boxes"])
        access = "".join(
            f'  {name}: {{ address: "10.7.0.1:{port}", username: api-user, password: secret, serves: [10.{100 + router}.0.0/16] }}\n'
            for router, (name, port) in enumerate(lan.routers.items()))
        for box in boxes:
            network.route(box.name, "10.100.0.0/14", "via", "10.7.0.100")
            box.config.write_text(CONFIG.format(
                box=box.name, password=REDIS_PASSWORD, routers=access, names=", ".join(lan.routers), max_ttl=settings["max_ttl_s"],
                is_async=str(settings["async"]).lower()))
            box.start()
        for name in lan.routers:
            lan.settle(name)
        clients = _Clients(lan, arrivals)
        begin = time.monotonic() + 1
        querying = threading.Thread(target=clients.run, args=(begin,))
        querying.start()
        since = begin + settings["warm_s"]
        pause = threading.Event()
        pause.wait(since - time.monotonic())

        def cpu_us() -> list[float]:
            return [json.loads(network.run("router", str(build / "tools/rossim/rossim"), "ctl", str(lan.folder / f"{name}.ctl"), "report",
                                           "json").stdout)["cpu_us"] for name in lan.routers]

        first, cpu_before, begin_ns = _Redis(lan), cpu_us(), time.time_ns()
        pause.wait(since + settings["measure_s"] - time.monotonic())
        last, cpu_after, end_ns = _Redis(lan), cpu_us(), time.time_ns()
        querying.join()
        return _figures_of(lan, clients, first, last, (begin_ns, end_ns), since,
                           [after - before for before, after in zip(cpu_before, cpu_after)])


def _simulated(run: dict) -> dict:
    router, redis = run["router"], run["redis_of_a_pop"]
    # Redis counts commands that scripts call, too.
    calls = {name: rate for name, rate in redis["by_command_per_s"].items() if rate}
    for name, rate in redis["in_scripts_per_s"].items():
        calls[name] = calls.get(name, 0) + rate
    return {"rows": router["rows"]["mean"], "rows_peak": router["rows_peak"]["most"], "adds_per_s": router["adds_per_s"],
            "sets_per_s": router["sets_per_s"], "router_cpu": router["cpu"]["mean"], "redis_commands_per_s": sum(calls.values()), "by_command_per_s": calls,
            "redis_bytes_in_per_s": redis["bytes_in_per_s"], "redis_bytes_out_per_s": redis["bytes_out_per_s"],
            "redis_cpu": redis["cpu"], "redis_members": redis["members"], "answers": 1.0, "answer_p99_ms": run["box"]["hold_p99_ms"]}


def compare(build: pathlib.Path, options: list[str]) -> dict:
    if os.geteuid() != 0:
        raise SimError("--real makes network namespaces: run it as root", 1)
    build = build.resolve()
    with tempfile.TemporaryDirectory(prefix="fleet-sim-") as folder:
        file, zone = pathlib.Path(folder) / "arrivals", pathlib.Path(folder) / "zone"
        run = simulate(build, *SIZE, *options, "--arrivals", str(file), "--zone", str(zone))
        settings = run["settings"]
        if settings["pops"] != 1 or settings["routers"] > 3:
            raise SimError("--real has room for one PoP of at most 3 routers: write --pops 1 --routers 3", 2)
        end = settings["warm_s"] + settings["measure_s"]
        arrivals = []
        for line in file.read_text().splitlines():
            at, box, router, _, name, kind = line.split()
            if int(at) / 1e6 < end:
                arrivals.append((int(at) / 1e6, int(router), int(box), name, kind))
        print(f"{len(arrivals):,} queries in {end} s …", file=sys.stderr, flush=True)
        return {"settings": settings, "simulated": _simulated(run), "real": _run(build, settings, arrivals, zone)}


def ratios(result: dict) -> dict[str, float]:
    """Real ÷ simulated."""
    simulated, real = result["simulated"], result["real"]
    return {name: real[name] / value for name, value in simulated.items() if isinstance(value, float | int) and value and name in real}


def text(result: dict) -> str:
    simulated, real = result["simulated"], result["real"]
    lines = ["| figure | simulated | real | real ÷ simulated |", "|---|---|---|---|"]
    for name, ratio in ratios(result).items():
        lines.append(f"| {name.replace('_', ' ')} | {number(simulated[name])} | {number(real[name])} | {ratio:.2f} |")
    commands = sorted({*simulated["by_command_per_s"], *real["by_command_per_s"]})
    for name in commands:
        a, b = simulated["by_command_per_s"].get(name, 0), real["by_command_per_s"].get(name, 0)
        lines.append(f"| Redis, {name.upper()}/s | {number(a)} | {number(b)} | {f'{b / a:.2f}' if a else '-'} |")
    return "\n".join(lines)


def last_line(result: dict) -> str:
    return "fleet " + " ".join(f"{name}_ratio={ratio:.3f}" for name, ratio in ratios(result).items())
