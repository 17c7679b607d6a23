"""An OPNsense without sockets: aliases, pf tables, users, and what its API answers.

The order of checks is that of the sources: the path and its parameters first (404), then key and secret (401), privileges
(403), and the body (400).
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import ipaddress
import json
import re
import threading
import uuid

# Privileges and the URLs that they allow (ACL.xml). A pattern is compared with the whole URL, its query included.
PRIVILEGES = {
    "page-diagnostics-tables": ["/ui/firewall/alias_util/*", "/api/firewall/alias_util/*"],
    "page-firewall-aliases": ["/ui/firewall/alias/*", "/api/firewall/alias/export", "/api/firewall/alias/search*",
                              "/api/firewall/alias/list*", "/api/firewall/alias/get*"],
    "page-firewall-alias-edit": ["/ui/firewall/alias/*", "/api/firewall/alias/*"],
    "page-all": ["*"],
}
TYPES = ("host", "network", "port", "url", "urltable", "urljson", "geoip", "networkgroup", "mac", "asn", "dynipv6host",
         "authgroup", "internal", "external")
NAME = re.compile(r"([a-zA-Z]|(([_a-zA-Z][a-zA-Z0-9]|[a-zA-Z][_a-zA-Z0-9])[_a-zA-Z0-9]{0,29}))")
# Actions and the number of parameters that they need.
ACTIONS = {("firewall", "alias_util", "aliases"): 0, ("firewall", "alias_util", "list"): 1,
           ("firewall", "alias_util", "flush"): 1, ("firewall", "alias_util", "add"): 1,
           ("firewall", "alias_util", "delete"): 1, ("firewall", "alias", "export"): 0,
           ("firewall", "alias", "get_alias_u_u_i_d"): 1, ("firewall", "alias", "get_table_size"): 0}
DEFAULT_ROWS = 9999  # of `list` without rowCount, since 25.1


class Alias:
    def __init__(self, name: str, type: str = "external", description: str = "SteerDNS", expire: str = "", enabled: bool = True):
        if not NAME.fullmatch(name):
            raise ValueError(f"the name of an alias cannot be {name!r}")
        if type not in TYPES:
            raise ValueError(f"there is no type of alias {type!r}")
        self.uuid = str(uuid.uuid4())
        self.name, self.type, self.description, self.expire, self.enabled = name, type, description, expire, enabled
        self.content: list[str] = []

    def fields(self) -> dict:
        return {"enabled": "1" if self.enabled else "0", "name": self.name, "type": self.type, "path_expression": "", "proto": "",
                "interface": "", "counters": "", "updatefreq": "", "content": "\n".join(self.content), "password": "",
                "username": "", "authtype": "", "expire": self.expire, "categories": "", "description": self.description}


def element_key(text: str):
    network = ipaddress.ip_network(text.lstrip("!"), strict=False)
    return network.version, int(network.network_address), network.prefixlen


def pf_text(text: str) -> str | None:
    """An element as pfctl prints it; None: pfctl refuses it."""
    try:
        network = ipaddress.ip_network(text.lstrip("!"), strict=False)
    except ValueError:
        return None
    whole = network.prefixlen == network.max_prefixlen
    return ("!" if text.startswith("!") else "") + (str(network.network_address) if whole else str(network))


class Machine:
    def __init__(self, version: str = "26.7"):
        self.pages = version >= "25.1"  # `list` has a default page, and add its status_msg
        self.aliases: dict[str, Alias] = {}
        self.tables: dict[str, dict[str, dict]] = {}
        self.users: dict[str, tuple[str, tuple[str, ...], bool]] = {}
        self.max_entries = 1_000_000
        self.config_writes = 0
        self.counts: dict[str, int] = {}
        self.lock = threading.RLock()  # of config.xml: changes are made one by one

    def add_user(self, key: str, secret: str, privileges=("page-diagnostics-tables", "page-firewall-aliases"), read_only=False):
        self.users[key] = (secret, tuple(privileges), read_only)

    def add_alias(self, name: str, **facts) -> None:
        alias = Alias(name, **facts)
        self.aliases[name] = alias
        if alias.enabled and alias.type != "port":
            self.tables.setdefault(name, {})

    def remove_alias(self, name: str) -> None:
        self.aliases.pop(name, None)
        self.tables.pop(name, None)

    def reboot(self) -> None:
        """Tables of external aliases are in memory only."""
        for name in self.tables:
            alias = self.aliases[name]
            self.tables[name] = {} if alias.type == "external" else {t: {} for t in map(pf_text, alias.content) if t}

    # ---- what pfctl does

    def pf_add(self, table: str, text: str) -> None:
        element = pf_text(text)
        if element is None or table not in self.tables or sum(map(len, self.tables.values())) >= self.max_entries:
            return  # its error goes to the log; the API does not check it
        self.tables[table].setdefault(element, {})

    def pf_show(self, table: str) -> list[str]:
        return sorted(self.tables.get(table, {}), key=element_key)

    # ---- the API

    def answer(self, method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[int, object]:
        """`headers` by lower-case names; returns the status and what becomes JSON."""
        parts = [p for p in url.split("?")[0].split("/") if p]
        known = tuple(parts[1:4]) if parts[:1] == ["api"] else ()
        if known not in ACTIONS or len(parts) - 4 < ACTIONS[known]:
            return 404, {"errorMessage": "Endpoint not found"}
        user, status, refusal = self.authenticate(url, headers)
        if user is None:
            return status, refusal
        post = {}
        kind = headers.get("content-type", "").lower().replace(" ", "")
        if kind in ("application/json", "application/json;charset=utf-8"):
            if not body:
                return 400, {"status": 400, "message": "Invalid JSON syntax"}
            try:
                post = json.loads(body)
            except ValueError:
                post = {}
            post = post if isinstance(post, dict) else {}
        self.counts[known[2]] = self.counts.get(known[2], 0) + 1
        with self.lock:
            return getattr(self, "do_" + known[2])(method, post, self.users[user][2], *parts[4:4 + ACTIONS[known]])

    def authenticate(self, url: str, headers: dict[str, str]):
        refused = {"status": 401, "message": "Authentication Failed"}
        words = headers.get("authorization", "").split(" ")
        if len(words) < 2:
            return None, 401, refused if words[0] else {}
        try:
            key, secret = base64.b64decode(words[1]).decode().split(":")[:2]
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None, 401, refused
        if key not in self.users or self.users[key][0] != secret:
            return None, 401, refused
        patterns = [p for name in self.users[key][1] for p in PRIVILEGES[name]]
        if not any(fnmatch.fnmatchcase(url, p) for p in patterns):
            return None, 403, {"status": 403, "message": "Forbidden"}
        return key, 200, None

    @staticmethod
    def read_only():
        return 500, {"errorMessage": "User denied for write access (user-config-readonly set)", "errorTitle": "General access"}

    def do_aliases(self, method, post, read_only):
        return 200, sorted(self.tables)

    def do_list(self, method, post, read_only, name):
        rows = [{"ip": element, **self.tables[name][element]} for element in self.pf_show(name)]
        phrase = str(post.get("searchPhrase", "")).lower()
        rows = [row for row in rows if any(phrase in str(value).lower() for value in row.values())]
        count = int(post.get("rowCount", DEFAULT_ROWS if self.pages else -1)) if method == "POST" else (DEFAULT_ROWS if self.pages else -1)
        page = int(post.get("current", 1))
        size = len(rows) if count == -1 else count
        shown = rows[(page - 1) * size:page * size]
        return 200, {"total": len(rows), "rowCount": len(shown) if self.pages else count, "current": page, "rows": shown}

    def do_flush(self, method, post, read_only, name):
        if method != "POST":
            return 200, {"status": "failed"}
        if read_only:
            return self.read_only()
        if name in self.tables:
            self.tables[name] = {}
        return 200, {"status": "done"}

    def do_add(self, method, post, read_only, name):
        if method != "POST" or "address" not in post:
            return 200, {"status": "failed"}
        if read_only:
            return self.read_only()
        address = str(post["address"])
        if re.search(r"[^0-9a-f:./_]", address):
            return 200, {"status": "not_an_address"}
        alias = self.aliases.get(name)
        if alias is None:
            return 200, {"status": "failed", **({"status_msg": f"nonexistent alias {name}"} if self.pages else {})}
        if alias.type in ("host", "network"):
            if alias.type == "network" and "/" not in address:
                address += "/128" if ":" in address else "/32"
            if address not in alias.content:
                alias.content.append(address)
                self.config_writes += 1
        self.pf_add(name, address)
        return 200, {"status": "done"}

    def do_delete(self, method, post, read_only, name):
        if method != "POST" or "address" not in post:
            return 200, {"status": "failed"}
        if read_only:
            return self.read_only()
        address = str(post["address"])
        alias = self.aliases.get(name)
        if alias is not None and alias.type in ("host", "network"):
            written = {address, address if "/" in address else address + ("/128" if ":" in address else "/32")}
            if written & set(alias.content):
                alias.content = [e for e in alias.content if e not in written]
                self.config_writes += 1
        if address.strip() in self.pf_show(name):  # the text, as pfctl prints it
            del self.tables[name][address.strip()]
        return 200, {"status": "done"}

    def do_export(self, method, post, read_only):
        if method not in ("GET", "POST" if self.pages else "GET"):
            return 500, {"errorMessage": "Unsupported request type"}
        ids = str(post.get("ids", "")) if self.pages else ""
        chosen = {a.uuid: a.fields() for a in self.aliases.values() if not ids or a.uuid in ids.split(",")}
        aliases = {"aliases": {"alias": chosen or []}}  # PHP writes an empty map as []
        return 200, aliases if ids else {"geoip": {"url": ""}, **aliases}

    def do_get_alias_u_u_i_d(self, method, post, read_only, name):
        return 200, {"uuid": self.aliases[name].uuid} if name in self.aliases else []

    def do_get_table_size(self, method, post, read_only):
        return 200, {"status": "ok", "size": self.max_entries, "used": sum(map(len, self.tables.values())),
                     "details": {name: {"count": len(table), "updated": None} for name, table in self.tables.items()}}
