"""Other people's primaries in the lab's namespace of resolvers: Debian's Knot DNS and BIND."""

from __future__ import annotations

import pathlib
import signal

from lab.network import Process
from lab.scene import Scene
from peer_resolvers import make_room

KNOT, BIND = "1.1.1.6", "1.1.1.7"
APPLIANCE = "172.16.1.2"
KEY, SECRET = "xfer.example", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
# As `tsig-keygen` prints it.
KEY_FILE = f'key "{KEY}" {{\n\talgorithm hmac-sha256;\n\tsecret "{SECRET}";\n}};\n'

_KNOT = """
server:
    rundir: {folder}
    listen: {address}@53
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: {folder}/db
key:
  - id: {key}
    algorithm: hmac-sha256
    secret: {secret}
remote:
  - id: appliance
    address: {appliance}@53
    via: {address}
    key: {key}
acl:
  - id: transfer
    address: {appliance}
    key: {key}
    action: transfer
zone:
  - domain: {zone}.
    file: {folder}/{zone}.zone
    notify: appliance
    acl: transfer
    zonefile-load: difference-no-serial
    zonefile-sync: -1
    journal-content: all
    zonemd-generate: zonemd-sha384
"""

_BIND = """
options {{
    directory "{folder}";
    pid-file none;
    session-keyfile none;
    listen-on port 53 {{ {address}; }};
    listen-on port 853 tls own {{ {address}; }};
    listen-on-v6 {{ none; }};
    recursion no;
    dnssec-validation no;
    allow-transfer {{ any; }};
    notify explicit;
    notify-source {address};
    also-notify {{ {appliance}; }};
    ixfr-from-differences yes;
    max-journal-size 1m;
}};
tls own {{
    cert-file "{folder}/primary.pem";
    key-file "{folder}/primary.key";
}};
controls {{ }};
{zones}
"""


class Primary:
    """One server with its zones. The serial in a file counts up with each change; Knot uses serials of its own."""

    def __init__(self, scene: Scene, folder: pathlib.Path):
        self.scene, self.folder, self.serials = scene, folder, {}
        folder.mkdir()
        self.process: Process | None = None

    def write(self, zone: str, records: str) -> None:
        serial = self.serials[zone] = self.serials.get(zone, 0) + 1
        (self.folder / f"{zone}.zone").write_text(
            f"$ORIGIN {zone}.\n$TTL 60\n@ SOA ns hostmaster {serial} 3600 2 86400 60\n@ NS ns\nns A 192.0.2.53\n{records}")


class Knot(Primary):
    def __init__(self, scene: Scene, zone: str, records: str):
        super().__init__(scene, scene.folder / "knot-primary")
        make_room(scene, KNOT)
        (self.folder / "db").mkdir()
        self.conf = self.folder / "knot.conf"
        self.conf.write_text(_KNOT.format(folder=self.folder, address=KNOT, appliance=APPLIANCE, key=KEY, secret=SECRET, zone=zone))
        self.zone = zone
        self.write(zone, records)
        self.start()

    def start(self) -> None:
        self.process = self.scene.network.start("resolver", "knot-primary", "knotd", "-c", str(self.conf))
        self.process.wait_for("server started")

    def change(self, records: str) -> None:
        """Knot sends NOTIFY after it."""
        self.write(self.zone, records)
        self.scene.network.run("resolver", "knotc", "-c", str(self.conf), "zone-reload", self.zone)


class Bind(Primary):
    def __init__(self, scene: Scene, zones: dict[str, str], certificate):
        super().__init__(scene, scene.folder / "bind-primary")
        make_room(scene, BIND)
        for ending in ("pem", "key"):
            (self.folder / f"primary.{ending}").write_bytes(pathlib.Path(getattr(certificate, ending)).read_bytes())
        clauses = "".join(f'zone "{zone}" {{ type primary; file "{zone}.zone"; }};\n' for zone in zones)
        conf = self.folder / "named.conf"
        conf.write_text(_BIND.format(folder=self.folder, address=BIND, appliance=APPLIANCE, zones=clauses))
        for zone, records in zones.items():
            self.write(zone, records)
        self.process = scene.network.start("resolver", "named", "named", "-g", "-c", str(conf))
        self.process.wait_for("running")

    def change(self, zone: str, records: str) -> None:
        """BIND makes a journal of the difference, and sends NOTIFY."""
        self.write(zone, records)
        self.process.send_signal(signal.SIGHUP)
