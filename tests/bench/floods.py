"""A part of the bench `streams`: what UDP and held answers notice of a flood on TCP, TLS and HTTP.

Cached answers over UDP are asked for at a fixed rate, and answers that are held until the (simulated) router has their row,
by turns without a flood and beside one (flooder.py). The worker has a CPU of its own; the threads of control share the
other with the router, the clients, which go first (nice -10), and the flooder, which goes last (nice 19).
"""

from __future__ import annotations

import json
import pathlib
import re
import statistics
import subprocess

from bench import flooder
from bench.machine import announce
from bench.ports import CLIENT, CLIENT_CPU, OURS, SERVER_CPU, Stage, ZONE
from lab.certificates import Authority
from lab.network import LabError, Network, Process, run as command

SECONDS = 5
RATE, HOLD_RATE = 2_000, 20  # a second
SOURCES = [f"10.99.0.{i}" for i in range(100, 200)]
HELD = 4_000  # names with an address of their own
ATTEMPTED = {"half_open": 100, "connects": 300, "rapid": 15, "loris_bytes": 300}  # a second, at least
CONFIG = """dataplane: {{ ports: [ {{ device: eth0, driver: af_xdp }} ], workers: [{cpu}], memory: 256MiB, idle: adaptive }}
control: {{ http: off }}
routers: {{ edge1: {{ address: "{router}:8728", username: api-user, password: secret }} }}
plugins:
  - {{ tag: held, type: qname, args: [ "domain:held.example" ] }}
  - tag: egress
    type: ros_address_list
    args: {{ router: edge1, async: false, sync_timeout: 2s, address_list4: policy_set_v4 }}
  - tag: main
    type: sequence
    args: [ {{ exec: cache }}, {{ matches: $held, exec: $egress }}, {{ matches: "!has_resp", exec: forward {upstream} }} ]
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: dot, type: tcp_server, args: {{ entry: main, listen: ":853", cert: "{made.pem}", key: "{made.key}" }} }}
  - {{ tag: doh, type: http_server, args: {{ entries: [ {{ path: /dns-query, exec: main }} ], listen: ":8053" }} }}
"""


class Floods:
    def __init__(self, network: Network, build: pathlib.Path):
        self.network, self.build, self.folder = network, build, network.folder
        self.stage = Stage(network, build)
        self.next_held = 0
        network.address("client", "eth0", *(f"{source}/24" for source in SOURCES))
        (self.folder / "root.zone").write_text(ZONE + "".join(
            f"h{i}.held.example. 300 IN A 45.1.{i // 250}.{i % 250}\n" for i in range(HELD)))
        upstream = self.stage.outside()
        rossim = network.start("client", "rossim", "taskset", "-c", CLIENT_CPU, str(build / "tools/rossim/rossim"), "--address", CLIENT,
                               "--user", "api-user:secret")
        rossim.wait_for("port 8728")
        config = self.folder / "floods.yaml"
        config.write_text(CONFIG.format(cpu=SERVER_CPU, router=CLIENT, upstream=upstream, made=Authority(self.folder).issue("server", f"IP:{OURS}")))
        self.daemon = network.start("server", "steerdnsd", str(build / "steerdnsd"), "--config", str(config), "--control-socket",
                                    str(self.stage.socket))
        self.daemon.wait_for("serving", 40)
        self.stage.warm()

    def ask(self, names: pathlib.Path, rate: int) -> subprocess.Popen:
        return subprocess.Popen(self.network.argv("client", "taskset", "-c", CLIENT_CPU, "nice", "-n", "-10", "dnsperf", "-s", OURS, "-d",
                                                  str(names), "-v", "-l", str(SECONDS), "-Q", str(rate), "-c", "4", "-q", "400", "-t", "3"),
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def measure(self) -> dict:
        count = SECONDS * HOLD_RATE
        held = self.folder / "held-names"
        held.write_text("".join(f"h{i}.held.example A\n" for i in range(self.next_held, self.next_held + count)))
        self.next_held += count
        clients = {"udp": self.ask(self.stage.names, RATE), "hold": self.ask(held, HOLD_RATE)}
        found = {}
        for name, client in clients.items():
            out = client.communicate()[0]
            # A line an answer: "> NOERROR host0001.svc1.example.com A 0.000046"
            times = sorted(float(line.rsplit(" ", 1)[1]) for line in out.splitlines() if line.startswith("> NOERROR"))
            sent = int((re.search(r"Queries sent:\s+(\d+)", out) or [0, 0])[1])
            if not times or not sent:
                raise LabError(f"floods: nothing was answered ({name}): {out[-500:]}")
            found |= {f"{name}_answered": len(times) / sent, f"{name}_p50": statistics.median(times), f"{name}_p99": times[int(len(times) * 0.99)]}
        return found

    def resident(self) -> float:
        text = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+)", text)[1]) / 1024

    def flooded(self) -> dict:
        before = self.resident()
        process = self.network.start("client", f"flooder-{self.next_held}", "taskset", "-c", CLIENT_CPU, "nice", "-n", "19", "/usr/bin/python3",
                                     str(flooder.__file__), OURS, *SOURCES)
        process.wait_for("floods")
        found = {**self.measure(), "mib": self.resident() - before}
        process.stop()
        self.check(process)
        return found

    def check(self, process: Process) -> None:
        """That there was one."""
        did = json.loads(process.text().splitlines()[-1])
        rates = {kind: did.get(kind, 0) / did["seconds"] for kind in ATTEMPTED}
        if weak := [kind for kind, least in ATTEMPTED.items() if rates[kind] < least]:
            raise LabError(f"floods: the flooder did less than it should: {', '.join(f'{kind} {rates[kind]:.0f}/s' for kind in weak)}")

    def counters(self) -> dict[str, int]:
        out = command(str(self.build / "tools/steerctl/steerctl"), "--socket", str(self.stage.socket), "--json", "counters").stdout
        return {name: count for name, count in json.loads(out)["streams"][0].items() if count}


def described(one: dict) -> str:
    return (f"UDP {100 * one['udp_answered']:.2f} % in {one['udp_p50'] * 1e6:.0f} µs (p99 {one['udp_p99'] * 1e6:.0f}), "
            f"held {one['hold_p50'] * 1e3:.2f} ms (p99 {one['hold_p99'] * 1e3:.2f})")


def run(build: pathlib.Path, count: int) -> tuple[dict, str]:
    """The figures, and what they were taken with."""
    parameters = announce(f"floods: dnsperf at {RATE}/s for cached and {HOLD_RATE}/s for held answers, {SECONDS} s by turns without and beside a flood "
                    f"(a second: {flooder.HALF_OPEN} handshakes that do not go on, {flooder.CONNECTS} connections that are reset, "
                    f"{flooder.RAPID} of {flooder.RESETS_EACH} HTTP/2 resets; {flooder.LORIS} slow requests; {len(SOURCES)} clients); the worker on CPU "
                    f"{SERVER_CPU}, all else on CPU {CLIENT_CPU}, clients at nice -10, the flooder at 19")
    pairs = []
    with Network("bench") as network:
        floods = Floods(network, build)
        for number in range(count):
            quiet, loud = floods.measure(), floods.flooded()
            pairs.append((quiet, loud))
            print(f"  floods, round {number + 1}: without {described(quiet)}; beside it {described(loud)}, {loud['mib']:.0f} MiB more", flush=True)
        counted = floods.counters()
    print("  counted: " + ", ".join(f"{name} {n}" for name, n in counted.items()), flush=True)
    if not counted.get("http_floods") or not counted.get("tls_failed"):
        raise LabError("floods: the server saw none")

    def ratio(key: str) -> float:
        return statistics.median(loud[key] / quiet[key] for quiet, loud in pairs)

    return {"flood_answered": round(ratio("udp_answered"), 4), "flood_p50": round(ratio("udp_p50"), 2), "flood_p99": round(ratio("udp_p99"), 2),
            "flood_hold": round(ratio("hold_p50"), 2), "flood_hold_p99": round(ratio("hold_p99"), 2),
            "flood_mib": round(max(loud["mib"] for _, loud in pairs))}, parameters
