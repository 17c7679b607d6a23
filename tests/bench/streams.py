"""The bench `streams`: CPU a cached answer over TCP, DoT and DoH, dnsdist's ÷ ours; the smallest of the three.

dnsperf (over HTTP/2 h2load) keeps 200 queries open over 20 connections; time is that of all threads of all processes of the server, our
worker's too. Beside it, of DoT: what a new connection (a full TLS 1.3 handshake) costs, and the memory that an idle one holds.

A cached answer over QUIC is compared with ours over DoT: `doq_over_dot`, and over HTTP/3 with ours over HTTP/2: `doh3_over_doh`.
(Debian's dnsdist has no QUIC.) `doq_apart_ns` is the cost if each query is in a packet of its own; else doq_load sends together what is due at one time, as QUIC libraries do.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import os
import pathlib
import re
import resource
import statistics

from bench import connections, doq
from bench.machine import announce, family, require_idle, rounds, version
from bench.message import question
from bench.peers import DNSDIST_CACHE, PINNED
from bench.ports import CLIENT_CPU, NAMES, OURS, SECONDS, SERVER_CPU, Stage, cpu_ns
from lab.certificates import Authority, Certificate
from lab.network import LabError, Network, Process

MODES = ("tcp", "dot", "doh")
# Ours alone, and what each is compared with: of its last line `MODE_over_OTHER`.
QUIC_MODES = {"doq": "dot", "doh3": "doh"}
APART = "doq_apart"  # doq with a packet for each query
CLIENT = ("-c", "20", "-q", "200", "-T", "1")
HTTP3 = ("--alpn", "h3", "--port", "443")
# (dnsperf loses answers over HTTP/2 when two come in one read, from any server.)
H2LOAD = ("-c", "20", "-m", "10", "-t", "1")
IDLE = 2_000  # connections
FIRST_IDLE = 50  # before them: what is allocated once is there
HANDSHAKE_S = 3
OF_DNSDIST = """setLocal("{ours}:53")
addTLSLocal("{ours}:853", "{cert}", "{key}")
addDOHLocal("{ours}:443", "{cert}", "{key}", "/dns-query")
setACL("0.0.0.0/0")
setSecurityPollSuffix("")
setMaxTCPClientThreads(1)
setTCPRecvTimeout(60)
newServer({{address="127.0.0.1:5300", healthCheckMode="up"}})
getServer(0):setUp()
{cache}
"""
OF_OURS = """dataplane: {{ ports: [ {{ device: eth0, driver: af_xdp }} ], workers: [{cpu}], memory: 256MiB, idle: adaptive }}
control: {{ http: off }}
plugins:
  - tag: main
    type: sequence
    args: [ {{ exec: cache short_circuit }}, {{ exec: forward 127.0.0.1:5300 }} ]
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53", {limits} }} }}
  - {{ tag: dot, type: tcp_server, args: {{ entry: main, listen: ":853", cert: "{cert}", key: "{key}", {limits} }} }}
  - {{ tag: doq, type: quic_server, args: {{ entry: main, listen: ":853", cert: "{cert}", key: "{key}", {limits} }} }}
  - {{ tag: doh, type: http_server, args: {{ entries: [ {{ path: /dns-query, exec: main }} ], listen: ":443", cert: "{cert}", key: "{key}", enable_http3: true, {limits} }} }}
"""
LIMITS = "idle_timeout: 60s, max_connections: 8192, max_connections_per_client: 4096"


def dnsdist(stage: Stage, made: Certificate) -> Process:
    file = stage.folder / "dnsdist.conf"
    file.write_text(OF_DNSDIST.format(ours=OURS, cert=made.pem, key=made.key, cache=DNSDIST_CACHE))
    stage.serial += 1
    process = stage.network.start("server", f"dnsdist{stage.serial}", *PINNED, "dnsdist", "--supervised", "--disable-syslog",
                                  "-C", str(file))
    process.wait_for("Listening on")
    return process


def ours(stage: Stage, made: Certificate, limits: str = LIMITS) -> Process:
    file = stage.folder / "streams.yaml"
    file.write_text(OF_OURS.format(cpu=SERVER_CPU, cert=made.pem, key=made.key, limits=limits))
    stage.serial += 1
    process = stage.network.start("server", f"steerdnsd{stage.serial}", *PINNED, str(stage.build / "steerdnsd"), "--config", str(file),
                                  "--control-socket", str(stage.socket))
    process.wait_for("serving", 40)
    return process


def paths(stage: Stage) -> pathlib.Path:
    """The names as h2load wants them: a URI of each (RFC 8484 4.1)."""
    file = stage.folder / "uris"
    with file.open("w") as out:
        for line in stage.names.read_text().splitlines():
            message = question(line.split()[0])
            out.write(f"https://{OURS}/dns-query?dns={base64.urlsafe_b64encode(message).decode().rstrip('=')}\n")
    return file


def answered(stage: Stage, mode: str, warm: bool = False) -> tuple[int, float]:
    """Answers without an error, and a second; if others are more than a hundredth the bench fails."""
    if mode == "doh":
        return answered_by_http(stage, warm)
    if mode in (*QUIC_MODES, APART):
        words = {"doh3": HTTP3, APART: ("--apart",)}.get(mode, ())
        return doq.answered(stage, *(("--count", str(NAMES)) if warm else ()), *words)
    out = stage.dnsperf("-m", mode, *CLIENT, *(("-n", "1") if warm else ("-l", str(SECONDS))))
    count = lambda word: int((re.search(rf"{word}:?\s+(\d+)", out) or [0, 0])[1])
    sent, good = count("Queries sent"), count("NOERROR")
    if good == 0 or good < 0.99 * sent:
        raise LabError(f"{mode}: of {sent} queries {good} were answered without an error: {out[-500:]}")
    return good, float(re.search(r"Queries per second:\s+([\d.]+)", out)[1])


def answered_by_http(stage: Stage, warm: bool) -> tuple[int, float]:
    out = stage.network.run("client", "taskset", "-c", CLIENT_CPU, "h2load", *H2LOAD, *(("-n", str(NAMES)) if warm else ("-D", str(SECONDS))),
                            "-i", str(paths(stage)), check=False).stdout
    rate, good = re.search(r"finished in .*?, ([\d.]+) req/s", out), re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", out)
    if not rate or not good or int(good[1]) == 0 or any(int(good[i]) for i in (2, 3, 4)):
        raise LabError(f"doh: {out[-500:]}")
    return int(good[1]), float(rate[1])


def used_ns(server: Process) -> int:
    return sum(cpu_ns(pid) for pid in family(server.pid))


def cost(stage: Stage, server: Process, mode: str) -> tuple[float, float]:
    """Nanoseconds of CPU an answer, and answers a second."""
    answered(stage, mode, warm=True)
    before = used_ns(server)
    with stage.checked() as checker:
        good, rate = answered(stage, mode)
    return (used_ns(server) - before) / (good + checker.compared), rate


def handshake(stage: Stage, server: Process) -> float:
    """Microseconds of CPU a new DoT connection."""
    before = used_ns(server)
    out = stage.network.run("client", "taskset", "-c", CLIENT_CPU, "openssl", "s_time", "-connect", f"{OURS}:853", "-new", "-time",
                            str(HANDSHAKE_S), check=False).stdout
    found = re.search(r"(\d+) connections in \d+ real seconds", out)
    if not found or int(found[1]) == 0:
        raise LabError(f"no connections: {out[-300:]}")
    return (used_ns(server) - before) / int(found[1]) / 1000


def quic_handshake(stage: Stage, server: Process, resumes: bool) -> tuple[float, float]:
    """Microseconds of CPU a new DoQ connection, and connections a second, one after another."""
    before = used_ns(server)
    found = doq.connections(stage, HANDSHAKE_S, *(("--resume",) if resumes else ()))
    if resumes and found["resumed"] < found["connections"] - 1:
        raise LabError(f"doq: sessions were not resumed: {found}")
    return (used_ns(server) - before) / found["connections"] / 1000, found["rate"]


def resident(process: Process) -> int:
    """Bytes of the processes' own memory (hugepages are not in it)."""
    texts = [pathlib.Path(f"/proc/{pid}/status").read_text() for pid in family(process.pid)]
    return sum(int(re.search(r"RssAnon:\s+(\d+)", text)[1]) for text in texts) * 1024


def idle_bytes(stage: Stage, server: Process, transport: str = "dot", count: int = IDLE) -> float:
    """Of the server's processes, a connection that asked one question and is kept."""
    with connections.held(stage, transport) as connect:
        connect(FIRST_IDLE)
        before = resident(server)
        connect(count)
        return (resident(server) - before) / count


def quic_figures(stage: Stage, server: Process) -> dict[str, float]:
    """What a DoQ connection costs, by the names in the last line."""
    made_us, made_s = quic_handshake(stage, server, False)
    resumed_us, resumed_s = quic_handshake(stage, server, True)
    return {"doq_connection_us": made_us, "doq_connections_s": made_s, "doq_resumed_us": resumed_us, "doq_resumed_s": resumed_s,
            "doq_idle_bytes": idle_bytes(stage, server, "doq")}


@contextlib.contextmanager
def many_files():
    """As many open files as the machine allows, for this process and those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def run(build: str) -> dict:
    require_idle()
    starts = {"ours": ours, "dnsdist": dnsdist}
    modes = {"ours": (*MODES, *QUIC_MODES, APART), "dnsdist": MODES}
    costs: dict[tuple[str, str], list[tuple[float, float]]] = {(who, mode): [] for who in starts for mode in modes[who]}
    over_quic: dict[str, list[float]] = collections.defaultdict(list)
    opened: dict[str, list[float]] = {who: [] for who in starts}
    held: dict[str, list[float]] = {who: [] for who in starts}
    with Network("bench") as network, many_files():
        stage = Stage(network, pathlib.Path(build))
        made = Authority(stage.folder).issue("server", "DNS:dns.example", f"IP:{OURS}")
        parameters = announce(f"streams: dnsperf -m tcp|dot {' '.join(CLIENT)}, h2load {' '.join(H2LOAD)} for {SECONDS} s by turns, {NAMES} names in the cache of either; "
                        f"servers on CPU {SERVER_CPU}, client on CPU {CLIENT_CPU} of {os.cpu_count()}; one worker and one stream thread, "
                        f"{version('dnsdist')} with its packet cache and one thread for TCP; {IDLE} idle DoT connections; openssl s_time "
                        f"-new for {HANDSHAKE_S} s, ECDSA P-256; over QUIC doq_load with as many connections and queries")
        for number in range(rounds()):
            for who, start in starts.items():
                server = start(stage, made)
                for mode in modes[who]:
                    costs[who, mode].append(cost(stage, server, mode))
                if who == "ours":
                    for name, figure in quic_figures(stage, server).items():
                        over_quic[name].append(figure)
                opened[who].append(handshake(stage, server))
                held[who].append(idle_bytes(stage, server))
                stage.stop(server)
            print(f"  round {number + 1}: " + "; ".join(
                f"{who} " + ", ".join(f"{mode} {costs[who, mode][-1][0]:.0f} ns at {costs[who, mode][-1][1]:.0f}/s" for mode in modes[who]) +
                f", a connection {opened[who][-1]:.0f} µs and {held[who][-1]:.0f} bytes" for who in starts) +
                "; ours over QUIC " + ", ".join(f"{name} {figures[-1]:.0f}" for name, figures in over_quic.items()), flush=True)
    middle = statistics.median
    ratios = {mode: [d / o for (d, _), (o, _) in zip(costs["dnsdist", mode], costs["ours", mode])] for mode in MODES}
    worst = min(MODES, key=lambda mode: middle(ratios[mode]))
    return {"ratio": round(middle(ratios[worst]), 3), "worst": worst,
            **{f"{mode}_ns": round(middle(c for c, _ in costs["ours", mode])) for mode in modes["ours"]},
            **{f"dnsdist_{mode}_ns": round(middle(c for c, _ in costs["dnsdist", mode])) for mode in MODES},
            "connection_us": round(middle(opened["ours"])), "dnsdist_connection_us": round(middle(opened["dnsdist"])),
            **{f"{mode}_over_{other}": round(middle(q / o for (q, _), (o, _) in zip(costs["ours", mode], costs["ours", other])), 3)
               for mode, other in QUIC_MODES.items()},
            **{name: round(middle(figures)) for name, figures in over_quic.items()},
            "idle_bytes": round(middle(held["ours"])), "dnsdist_idle_bytes": round(middle(held["dnsdist"])),
            "rounds": ratios[worst], "parameters": parameters}
