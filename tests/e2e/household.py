"""A household with a page: its devices have names, ads are blocked, one router steers, queries are recorded. All names are made up."""

from __future__ import annotations

import shutil

from lab.network import until
from lab.scene import PASSWORD, USER, Scene

TOKEN, READ_TOKEN = "f0e1d2c3b4a5968778695a4b3c2d1e0f", "00112233445566778899aabbccddeeff"
OWNER = "games"  # the user that the daemon becomes
ZONE = """
@ 300 SOA ns hostmaster 1 3600 600 86400 60
@ 300 NS ns
@ 300 A {address}
ns 300 A 1.1.1.1
* 300 A {address}
* 300 AAAA 2001:db8::{last}
"""
SITES = {name: ZONE.format(address=f"203.0.113.{40 + i}", last=40 + i) for i, name in enumerate(
    ("stream.example", "video.example", "game.example", "shop.example", "news.example", "school.example", "mail.example", "weather.example"))}
DEVICES = {"192.168.88.20": "Kitchen tablet", "192.168.88.21": "Leo's laptop", "192.168.88.22": "Living room TV", "192.168.88.23": "Work phone"}
# Who asks what, and how often.
QUERIES = {
    "192.168.88.20": {"recipes.news.example": 3, "ads.news.example": 4, "www.shop.example": 2, "www.weather.example": 1},
    "192.168.88.21": {"play.game.example": 6, "www.school.example": 3, "ads.game.example": 5, "img.video.example": 2},
    "192.168.88.22": {"www.stream.example": 5, "tracker.stream.example": 6, "img.video.example": 2},
    "192.168.88.23": {"imap.mail.example": 4, "www.news.example": 2, "ads.shop.example": 2},
}
CONFIG = """# The operator's own file.
control:
  user: {owner}
  watch: off
  leases: {state}/leases.json
  rules: {state}/rules.json
  managed: {state}/managed.yaml
  history: {state}/versions
  lists: {state}/lists
  support: true
  images: {state}/images
  http:
    metrics: off
    folder: {state}/page
    tokens:
      - {{ name: owner, role: admin, token_file: {state}/token }}
      - {{ name: wall, role: read, token_file: {state}/wall }}
routers:
  edge1: {{ address: "172.16.1.1:8728", username: {user}, password: {password} }}
plugins:
  - {{ tag: abroad, type: domain_set, args: {{ exps: [ "domain:stream.example" ] }} }}
  - {{ tag: ads, type: adlist, args: {{ cname: true, lists: [ {state}/ads.txt, {state}/trackers.txt ] }} }}
  - {{ tag: pool, type: cache, args: {{ size: 10000, short_circuit: true }} }}
  - {{ tag: up, type: forward, args: {{ concurrent: 1, upstreams: [ {{ addr: "udp://1.1.1.1" }} ] }} }}
  - {{ tag: log, type: query_recorder, args: {{ path: {state}/queries.db }} }}
  - {{ tag: local, type: static, args: {{ records: [ {{ name: nas.lan, address: 192.168.88.5 }}, {{ name: printer.lan, address: 192.168.88.6 }} ] }} }}
  - {{ tag: vpn, type: ros_address_list, args: {{ router: edge1, address_list4: vpn, address_list6: vpn6, async: false, sync_timeout: 10s }} }}
  - {{ tag: main, type: sequence, args: [
      {{ exec: $log }}, {{ exec: $local }}, {{ exec: $ads }}, {{ matches: qname $abroad, exec: $vpn }}, {{ exec: $pool }}, {{ exec: $up }} ] }}
"""


class Household(Scene):
    """The daemon serves, and the queries of a morning are recorded."""

    def _wire(self) -> None:
        super()._wire()
        self.network.address("client", "eth0", *(f"{device}/24" for device in DEVICES))
        self.start_resolver(SITES)
        self.start_router()
        self.folder.chmod(0o755)
        state = self.state = self.folder / "state"
        state.mkdir()
        for name, text in (("token", TOKEN), ("wall", READ_TOKEN), ("ads.txt", "ads.news.example\nads.game.example\nads.shop.example"),
                           ("trackers.txt", "tracker.stream.example")):
            (state / name).write_text(text + "\n")
            (state / name).chmod(0o600)
        for path in (state, *state.iterdir()):
            shutil.chown(path, OWNER)
        self.config = self.folder / "steerdns.yaml"
        self.config.write_text(CONFIG.format(owner=OWNER, state=state, user=USER, password=PASSWORD))
        self.start_daemon(self.config)
        for device, name in DEVICES.items():
            self.steerctl("clients", "name", device, name)
        for device, names in QUERIES.items():
            for name, times in names.items():
                self.ask_as(device, *[name] * times)
        wanted = sum(sum(names.values()) for names in QUERIES.values())
        until(lambda: len(self.reported("history", "--limit", "500")["queries"]) >= wanted, 30, "the queries are recorded")

    def ask_as(self, device: str, *names: str) -> None:
        """Each name once, from a device's address."""
        words = [word for name in names for word in ("-q", name, "-t", "A")]
        self.network.run("client", "kdig", "@172.16.1.2", "-b", device, "+timeout=15", "+retry=0", *words, check=False)
