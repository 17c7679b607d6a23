"""An appliance that keeps every kind of state, and what each of its files gives back after a start."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import pwd
import shutil

from lab.network import Process, until
from lab.scene import PASSWORD, USER, ZONES, Scene
from lab.truth import many_names_zone

SERVER = pathlib.Path(__file__).with_name("list_server.py")
OWNER = pwd.getpwuid(65534).pw_name  # the user that the daemon becomes
NAMES = 400  # of stream.example
FEWEST_TO_KEEP = 20_000  # a list as long is kept compiled
VERSION = "7.21 (stable)"  # of the simulated router

CONFIG = """
control:
  watch: off
  leases: {folder}/leases.json
  router_lists: {folder}/router-lists.json
  findings: {folder}/routeros.json
  static: {folder}/static.yaml
  history: {folder}/configurations
  lists: {folder}/lists
  images: {folder}/images
  fetch: {{ start_wait: 10s }}
routers:
  edge1: {{ address: "172.16.1.1:8728", username: {user}, password: {password} }}
plugins:
  - {{ tag: names, type: domain_set, args: {{ files: [ {scene}/names.txt ], exps: [ "domain:stream.example" ] }} }}
  - {{ tag: ads, type: adlist, args: {{ lists: [ {{ list: "http://1.1.1.1/ads.hosts", hit_log: true }} ] }} }}
  - {{ tag: blocked, type: dynamic_domain_set, args: {{ path: {folder}/blocked.txt, metadata_path: {folder}/origins.json }} }}
  - {{ tag: local, type: static }}
  - {{ tag: hosts, type: dhcp_leases, args: {{ router: edge1, domain: lan }} }}
  - {{ tag: kids, type: ros_list, args: {{ router: edge1, list: kids }} }}
  - {{ tag: log, type: query_recorder, args: {{ path: {folder}/queries.db, json: {folder}/queries.json, hit_log: {folder}/hits.json }} }}
  - {{ tag: answers, type: cache, args: {{ size: 20000, short_circuit: true, dump_file: {folder}/answers.dump, dump_interval: 1s }} }}
  - {{ tag: of_router, type: forward, args: {{ router: edge1 }} }}
  - {{ tag: up, type: forward, args: {{ upstreams: [ {{ addr: udp://1.1.1.1 }} ] }} }}
  - {{ tag: either, type: fallback, args: {{ primary: of_router, secondary: up }} }}
  - tag: egress
    type: ros_address_list
    args: {{ routers: [edge1], async: {asynchronous}, sync_timeout: 2s, address_list4: policy_set_v4, address_list6: policy_set_v6 }}
  - tag: main
    type: sequence
    args:
      - {{ exec: $log }}
      - {{ exec: $ads }}
      - {{ matches: "qname $blocked", exec: reject 3 }}
      - {{ matches: client_ip $kids, exec: black_hole 192.0.2.97 short_circuit }}
      - {{ exec: $local }}
      - {{ exec: $hosts }}
      - {{ exec: $answers }}
      - {{ matches: "qname $names", exec: $egress }}
      - {{ matches: qname router.example, exec: $either }}
      - {{ matches: "!has_resp", exec: $up }}
  - {{ tag: udp, type: udp_server, args: {{ entry: main, listen: ":53" }} }}
  - {{ tag: tcp, type: tcp_server, args: {{ entry: main, listen: ":53" }} }}
"""


@dataclasses.dataclass(frozen=True)
class Kept:
    """A file below the state folder."""
    path: str  # may be a pattern: the newest file that it finds
    what: str  # for messages
    is_named: bool = True  # what cannot be read is named in the log; False: nothing is lost, or the reader names the loss
    is_operators: bool = False  # a part of the configuration: an error in it refuses a start


# In the order of docs/guides/backup.md.
KEPT = (
    Kept("blocked.txt", "rules of a dynamic_domain_set", is_operators=True),
    Kept("origins.json", "origins of these rules", is_named=False),
    Kept("lists/*.hosts", "copy of a list by URL", is_named=False),  # a start may fetch it before it reads the copy
    Kept("lists/*.json", "facts about that copy", is_named=False),
    Kept("static.yaml", "records of steerctl static", is_operators=True),
    Kept("configurations/*.yaml", "earlier text of the configuration", is_named=False),
    Kept("router-lists.json", "address lists of routers"),
    Kept("dns-servers-edge1.conf", "DNS servers of a router", is_named=False),
    Kept("clients.json", "names of clients"),
    Kept("groups.json", "groups of devices", is_named=False),
    Kept("leases.json", "DHCP leases"),
    Kept("routeros.json", "findings about RouterOS"),
    Kept("answers.dump", "dump of a cache"),
    Kept("images/*", "compiled list"),
    Kept("queries.db", "history of queries"),
    Kept("queries.json", "queries as lines", is_named=False),
    Kept("hits.json", "what lists blocked", is_named=False),
    Kept("/var/lib/steerdns/version", "version that served", is_named=False),
)


class KeptState:
    """The scene, filled once: every file of KEPT exists afterwards."""

    def __init__(self, scene: Scene, *, asynchronous: bool = True):
        self.scene = scene
        self.state = scene.folder / "state"
        self.state.mkdir()
        shutil.chown(self.state, OWNER)
        self.config = scene.folder / "steer.yaml"
        self.text = CONFIG.format(folder=self.state, scene=scene.folder, user=USER, password=PASSWORD,
                                  asynchronous=str(asynchronous).lower())
        self.config.write_text(self.text)
        shutil.chown(self.config, OWNER)  # Apply writes it
        shutil.chown(scene.folder, OWNER)
        scene.folder.chmod(0o755)
        (scene.folder / "names.txt").write_text("".join(f"name-{i}.example\n" for i in range(FEWEST_TO_KEEP)))
        scene.start_resolver(ZONES | {"stream.example": many_names_zone(NAMES, 60)})
        scene.start_router("--preset", "fast")
        scene.router_ctl("record", "/ip/dhcp-server/lease", "address=192.168.88.20", "mac-address=00:1D:AA:00:00:01", "server=dhcp1",
                         "host-name=laptop", "status=bound", "dynamic=true")
        scene.router_ctl("add", "kids", "192.168.88.99")
        scene.router_ctl("record", "/ip/dns", "dynamic-servers=1.1.1.1")
        web = scene.folder / "web"
        web.mkdir()
        (web / "pages.json").write_text(json.dumps({"/ads.hosts": {"body": "0.0.0.0 ad.other.example\n", "etag": '"v1"'}}))
        self.web = scene.network.start("resolver", "web", "/usr/bin/python3", str(SERVER), "1.1.1.1", str(web))
        self.web.wait_for("ready")

    def start(self) -> Process:
        return self.scene.start_daemon(self.config, "--user", OWNER)

    def start_without_waiting(self) -> Process:
        return self.scene.start_daemon(self.config, "--user", OWNER, wait="")

    def synced(self) -> bool:
        return all(router["state"] == "in_sync" for router in self.scene.reported("status")["routers"])

    def fill(self) -> None:
        """Starts a daemon, gives it something to keep of each kind, and ends it."""
        scene = self.scene
        daemon = self.start()
        until(self.synced, 20, "the router's rows are read")
        scene.steerctl("clients", "name", "192.168.88.9", "tablet")
        scene.steerctl("clients", "group", "add", "children", "192.168.88.9")
        scene.steerctl("static", "add", "name=nas.lan", "address=192.168.88.7", "--plugin", "local")
        scene.steerctl("rules", "blocked", "add", "domain:blocked.example")
        until(lambda: scene.short("laptop.lan", "A") == ["192.168.88.20"], 20, "the lease is known")
        changed = scene.folder / "changed.yaml"
        changed.write_text(self.text + "# one more line\n")
        scene.steerctl("configuration", "apply", str(changed))
        for name in ("n1.stream.example", "www.other.example", "ad.other.example"):
            scene.short(name, "A")
        until((self.state / "routeros.json").exists, 40, "the router's version is probed")
        until(lambda: scene.reported("routers", "lists")["lists"][0]["addresses"] == 1, 20, "the router's list is read")
        if daemon.stop() != 0:
            raise AssertionError(daemon.end())

    def find(self, kept: Kept) -> pathlib.Path:
        if kept.path.startswith("/"):
            return self.own_state / pathlib.Path(kept.path).name
        found = [path for path in self.state.glob(kept.path) if not path.name.startswith("new-")]
        if not found:
            raise AssertionError(f"{kept.path}: the daemon keeps no {kept.what}")
        return max(found, key=lambda path: path.stat().st_mtime_ns)

    @property
    def own_state(self) -> pathlib.Path:
        """What the appliance's namespace has as /var/lib/steerdns."""
        return self.scene.folder / "mounts/appliance/var/lib/steerdns"
