"""What the test puts on the router before the set-up, and the set-up's text with its values."""

from __future__ import annotations

import re

from api import Session
from appliance import LIST4, LIST6
from outcome import Failed

COMMENT, INTERFACES = "steerdns router test, may be removed", "steerdns-test"
GATEWAY4, GATEWAY6 = "198.18.53.2", "fd53:7465:6572::2"
SCENERY = (  # (menu, values) that make two egresses of nothing; {interface} is filled in
    ("/interface/list", {"name": INTERFACES}),
    ("/interface/list/member", {"list": INTERFACES, "interface": "{interface}"}),
    ("/ip/address", {"address": "198.18.53.1/30", "interface": "{interface}"}),
    ("/ipv6/address", {"address": "fd53:7465:6572::1/64", "interface": "{interface}", "advertise": "no"}),
    ("/ip/firewall/nat", {"chain": "srcnat", "action": "masquerade", "src-address": "198.18.53.0/30", "out-interface": "{interface}"}))
LISTS = {4: ("/ip/firewall/address-list", LIST4), 6: ("/ipv6/firewall/address-list", LIST6)}
PROBE_LIST = "steerdns-probe"  # kProbeList of routeros/probe.h: a probe that ends early leaves a row until its timeout
REBOOT_S = 300


def add_scenery(session: Session, interface: str, begin=lambda _: None) -> None:
    """`begin(menu)` before each row."""
    for menu, values in SCENERY:
        begin(menu)
        given = {name: value.format(interface=interface) for name, value in values.items()}
        session.command(menu + "/add", **given, comment=COMMENT)


def blocks_of(text: str) -> tuple[str, str]:
    """The set-up and its undo, from what steerdnsd --routeros-setup prints."""
    parts = re.split(r"(?m)^# ==== .*$", text)[1:]
    if len(parts) != 2:
        raise Failed("steerdnsd --routeros-setup does not print two blocks")
    setup, undo = (part[part.index("\n{\n") + 1:part.rindex("\n}") + 2] for part in parts)
    return setup, undo


def filled(block: str, our_address: str, password: str) -> str:
    """With the values that a user fills in."""
    values = {"apiClient": our_address, "apiPassword1": password, "gateway1v4": GATEWAY4, "gateway1v6": GATEWAY6,
              "clientInterfaces": INTERFACES}
    for name, value in values.items():
        block, count = re.subn(rf"(?m)^:local {name} .*$", f':local {name} "{value}"', block)
        if count != 1:
            raise Failed(f"the set-up has no value {name} to fill in")
    return block
