"""Both programs of the bench `hostile`, their upstreams, and the link between clients and server.

dnsdist has the rules that its documentation gives against floods ("Dynamic Rule Generation", "Rate limiting"). SteerDNS has the
quotas of LIMITS and the rows of ROWS_OF_LIMITS.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import socket

from bench import doq, streams
from bench.hostile import floods, honest
from bench.peers import DNSDIST_CACHE, PINNED
from bench.ports import CLIENT, CLIENT_CPU, OURS, SERVER_CPU, Stage, ZONE
from lab.certificates import Authority, Certificate
from lab.network import LabError, Network, Process, until

BLACK_HOLE = "10.99.0.3"  # an upstream that never answers
METRICS = "127.0.0.1:9153"
HELD = 50_000             # names with an address of their own
MOST_CALLS, MOST_CALLS_EACH = 10_000, 64  # connections of a server, and of one client
PARKED, IN_FLIGHT, IN_FLIGHT_EACH = 65_536, 16_384, 4_096  # the last: of an upstream that may fail
ASKED = 1_024             # in flight to the upstream: a domain has a quarter of it
CACHE, ROWS = 100_000, 50_000
LIMITS = f"max_parked: {PARKED}, max_in_flight: {IN_FLIGHT}, max_parked_per_client: 256, max_per_suffix: 25%, over_quota: truncate"
# The rows of isp-deployment.md; all clients are in one network, so each address counts by itself.
ROWS_OF_LIMITS = ("what: responses, rate: 20, window: 5s, prefix4: 32", "what: queries, rate: 500, prefix4: 32",
                  "what: nxdomain, rate: 50, prefix4: 32", "what: nxdomain, name: nxdomain_all, rate: 500",
                  "what: connections, rate: 50, prefix4: 32", "what: handshakes, rate: 20, prefix4: 32")
CALL_LIMITS = f"max_connections: {MOST_CALLS}, max_connections_per_client: {MOST_CALLS_EACH}"
# Tables with a bound: what is in use, and the metric or the number that bounds it.
TABLES = (("parked", "steerdns_pending_queries", "steerdns_pending_limit_queries"),
          ("cache", "steerdns_cache_entries", "steerdns_cache_limit_entries"),
          ("claims", "steerdns_router_list_claims", "steerdns_router_list_limit_rows"),
          ("connections", "steerdns_connections", 3 * MOST_CALLS))

OF_EVERY_QUERY = ("steerdns_rx_packets", "steerdns_tx_packets", "steerdns_query_types", "steerdns_queries_total", "steerdns_answer_rcodes")

OF_OURS = """dataplane:
  ports: [ {{ device: eth0, driver: af_xdp }} ]
  workers: [{cpu}]
  memory: 512MiB
  idle: adaptive
  allow: [ 0.0.0.0/0 ]
  {limits}
limits: [ {rows_of_limits} ]
control: {{ http: "{metrics}" }}
routers: {{ edge1: {{ address: "{router}:8728", username: api-user, password: secret }} }}
plugins:
  - {{ tag: held, type: qname, args: [ "domain:held.example", "domain:rival.example" ] }}
  - {{ tag: silent, type: qname, args: [ "domain:dead" ] }}
  - {{ tag: silence, type: forward, args: {{ upstreams: [ {{ addr: "udp://{hole}:53" }} ], max_concurrent_queries: {each_upstream} }} }}
  - {{ tag: others, type: forward, args: {{ upstreams: [ {{ addr: "udp://{upstream}" }} ], max_concurrent_queries: {asked} }} }}
  - tag: egress
    type: ros_address_list
    args: {{ router: edge1, async: false, sync_timeout: 2s, max_rows: {rows}, address_list4: policy_set_v4, address_list6: policy_set_v6 }}
  - tag: main
    type: sequence
    args:
      - exec: cache {cache}
      - {{ matches: $held, exec: $egress }}
      - {{ matches: [ $held, "!has_resp" ], exec: forward 127.0.0.1:5300 }}
      - {{ matches: [ $silent, "!has_resp" ], exec: $silence }}
      - {{ matches: "!has_resp", exec: $others }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53", {calls} }} }}
  - {{ tag: dot, type: tcp_server, args: {{ entry: main, listen: ":853", cert: "{made.pem}", key: "{made.key}", {calls} }} }}
  - {{ tag: doq, type: quic_server, args: {{ entry: main, early_data: true, listen: ":853", cert: "{made.pem}", key: "{made.key}", {calls} }} }}
  - {{ tag: doh3, type: http_server, args: {{ entries: [ {{ path: /dns-query, exec: main }} ], listen: ":{http3}", cert: "{made.pem}", key: "{made.key}", enable_http3: true, {calls} }} }}
  - {{ tag: doh, type: http_server, args: {{ entries: [ {{ path: /dns-query, exec: main }} ], listen: ":8053", {calls} }} }}
"""
OF_DNSDIST = """setLocal("{ours}:53")
addTLSLocal("{ours}:853", "{made.pem}", "{made.key}")
addDOHLocal("{ours}:8053", nil, nil, "/dns-query")
setACL("0.0.0.0/0")
setSecurityPollSuffix("")
setMaxTCPClientThreads(1)
setMaxTCPConnectionsPerClient({each})
newServer({{address="{upstream}", healthCheckMode="up"}})
newServer({{address="{hole}:53", pool="dead", healthCheckMode="up"}})
addAction(AndRule({{NotRule(makeRule("{bench}/32")), MaxQPSIPRule(50)}}), DropAction())
addAction("dead.", PoolAction("dead"))
local rules = dynBlockRulesGroup()
rules:setQueryRate(30, 10, "Exceeded query rate", 60)
rules:setRCodeRate(DNSRCode.NXDOMAIN, 20, 10, "Exceeded NXD rate", 60)
rules:setRCodeRate(DNSRCode.SERVFAIL, 20, 10, "Exceeded ServFail rate", 60)
rules:setQTypeRate(DNSQType.ANY, 5, 10, "Exceeded ANY rate", 60)
rules:setResponseByteRate(10000, 10, "Exceeded resp BW rate", 60)
rules:excludeRange("{bench}/32")
function maintenance() rules:apply() end
{cache}
"""


def zone() -> str:
    """Names without an entry below `com` have the address of ZONE; each of `held` has one that no other has."""
    large = " ".join(f'"{"x" * 200}"' for _ in range(5))
    lines = [ZONE, "random.example. 300 IN TXT none\n", f"large.example. 300 IN TXT {large}\n", f"*.huge.example. 300 IN TXT {large}\n",
             "*.prepared.example. 300 IN A 192.0.2.1\n"]
    for number in range(HELD):
        name, address = honest.held_name(number)
        lines.append(f"{name}. 300 IN A {socket.inet_ntoa(address)}\n")
    for number, address in enumerate(floods.claimed_addresses()):
        lines.append(f"p{number}.rival.example. 300 IN AAAA {socket.inet_ntop(socket.AF_INET6, address)}\n")
    return "".join(lines)


def samples(text: str, family: str) -> float:
    """The sum of a metric's samples; 0 without any."""
    return sum(float(value) for value in re.findall(rf"^{family}(?:\{{.*\}})? (\S+)$", text, re.M))


def grown(before: str, after: str, most: int = 6) -> list[tuple[str, int]]:
    """The counters that grew most, without those of every packet and query."""
    def counters(text: str) -> dict[str, float]:
        return {name: float(value) for name, value in re.findall(r"^(steerdns_\w+_total(?:\{.*\})?) (\S+)$", text, re.M)
                if not name.startswith(OF_EVERY_QUERY)}
    first = counters(before)
    differences = {name: round(value - first.get(name, 0)) for name, value in counters(after).items()}
    return sorted(((name, count) for name, count in differences.items() if count > 0), key=lambda one: -one[1])[:most]


def fullness(text: str) -> dict[str, float]:
    """How much of each table is in use; 1: as much as it may hold."""
    found = {}
    for name, used, limit in TABLES:
        most = samples(text, limit) if isinstance(limit, str) else limit
        if not most:
            raise LabError(f"hostile: the metrics have no {limit}")
        found[name] = samples(text, used) / most
    return found


@dataclasses.dataclass
class Server:
    """One of the two programs, running."""
    process: Process
    is_ours: bool

    def resident_mib(self) -> float:
        return streams.resident(self.process) / 2**20


class Sides:
    """The link, the upstreams, and the programs by turns."""

    def __init__(self, network: Network, build: pathlib.Path):
        self.network, self.build, self.folder = network, build, network.folder
        self.stage = Stage(network, build, zone())
        network.address("client", "eth0", *(f"{address}/24" for address in (BLACK_HOLE, *floods.HONEST, *floods.CALLERS)))
        # Replies to forged sources leave over the link, and end there: what its other end did with them would be done on the
        # server's CPU, by its softirq.
        network.route("server", "default", "via", CLIENT)
        network.run("client", "sh", "-c", f"echo {1 << int(CLIENT_CPU):x} > /sys/class/net/eth0/queues/rx-0/rps_cpus")
        network.run("client", "nft", "add table netdev forged; add chain netdev forged ingress "
                    "{ type filter hook ingress device eth0 priority 0; }; "
                    f"add rule netdev forged ingress ip daddr {floods.FORGED} drop")
        self.upstream = self.stage.outside(nice=-10)
        self.silence = network.socket("client", socket.AF_INET, socket.SOCK_DGRAM)
        self.silence.bind((BLACK_HOLE, 53))
        self.made: Certificate = Authority(self.folder).issue("server", f"IP:{OURS}")
        with network.inside("server"), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
            sock.bind(("eth0", 0))
            self.mac = sock.getsockname()[4].hex(":")
        self.initials = self.folder / "initials"
        with self.initials.open("w") as file:
            done = network.run("client", str(build / doq.TARGET), "initials", "--server", OURS, "--count", str(floods.INITIALS))
            file.write(done.stdout)
        self.serial = 0

    def __enter__(self) -> Sides:
        return self

    def __exit__(self, *_) -> None:
        self.silence.close()

    def dnsdist(self) -> Server:
        file = self.folder / "dnsdist.conf"
        file.write_text(OF_DNSDIST.format(ours=OURS, made=self.made, each=MOST_CALLS_EACH, upstream=self.upstream, hole=BLACK_HOLE,
                                          bench=CLIENT, cache=DNSDIST_CACHE))
        return self._start(False, "Listening on", "dnsdist", "--supervised", "--disable-syslog", "-C", str(file))

    def ours(self) -> Server:
        """With a router of its own, whose lists are empty."""
        router = self.network.start("client", f"rossim{self.serial}", "nice", "-n", "-10", "taskset", "-c", CLIENT_CPU,
                                    str(self.build / "tools/rossim/rossim"), "--address", CLIENT, "--user", "api-user:secret")
        router.wait_for("port 8728")
        self.router = router
        file = self.folder / "hostile.yaml"
        file.write_text(OF_OURS.format(cpu=SERVER_CPU, limits=LIMITS.replace(", ", "\n  "), metrics=METRICS, router=CLIENT, rows=ROWS,
                                       rows_of_limits=", ".join(f"{{ {row} }}" for row in ROWS_OF_LIMITS),
                                       cache=CACHE, each_upstream=IN_FLIGHT_EACH, asked=ASKED, hole=BLACK_HOLE, upstream=self.upstream, made=self.made, calls=CALL_LIMITS,
                                       http3=floods.HTTP3_PORT))
        return self._start(True, "serving", str(self.build / "steerdnsd"), "--config", str(file), "--control-socket", str(self.stage.socket))

    def _start(self, is_ours: bool, ready: str, *argv: str) -> Server:
        self.serial += 1
        process = self.network.start("server", f"{'ours' if is_ours else 'dnsdist'}{self.serial}", *PINNED, *argv)
        process.wait_for(ready, 40)
        self.stage.warm()
        if is_ours:
            until(lambda: samples(self.metrics(), "steerdns_router_in_sync") == 1, 20, "the router's lists are read")
        return Server(process, is_ours)

    def stop(self, server: Server) -> None:
        self.stage.stop(server.process)
        if server.is_ours:
            self.router.stop()

    def metrics(self) -> str:
        return self.network.run("server", "taskset", "-c", CLIENT_CPU, "curl", "-s", "-m", "5", f"http://{METRICS}/metrics", check=False).stdout
