"""The rows that a router itself prints, compared with what its journal says is there."""

import re

import librouteros
from librouteros.login import plain

MENUS = {4: "/ip/firewall/address-list", 6: "/ipv6/firewall/address-list"}


def print_rows(target):
    """(identity, {(family, list, address)}) of USER:PASSWORD@HOST:PORT."""
    match = re.fullmatch(r"([^:]+):(.*)@\[?([^@\]]+)\]?:(\d+)", target)
    if not match:
        raise ValueError(f"{target!r}: expected USER:PASSWORD@HOST:PORT")
    user, password, host, port = match.groups()
    api = librouteros.connect(
        host=host, port=int(port), username=user, password=password, login_method=plain, timeout=60, encoding="utf-8"
    )
    try:
        identity = next(iter(api.path("/system/identity")))["name"]
        rows = set()
        for family, menu in MENUS.items():
            for row in api.rawCmd(menu + "/print", "=.proplist=list,address"):
                rows.add((family, str(row["list"]), str(row["address"])))
    finally:
        api.close()
    return str(identity), rows


def differences(history, target):
    """Sentences about rows that only one of router and journal has."""
    name, printed = print_rows(target)
    if name not in history.routers and printed:
        return [f"{name} has {len(printed)} rows and no journal"]
    journal = set(history.routers[name].final_rows()) if name in history.routers else set()
    only_journal = [f"{name} has lost {l} {a}" for _, l, a in sorted(journal - printed)]
    return only_journal + [f"journal of {name} lacks {l} {a}" for _, l, a in sorted(printed - journal)]
