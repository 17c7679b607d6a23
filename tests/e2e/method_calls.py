"""Calls of every method of the control socket that succeed: for the configuration of steerctl_commands_e2e.py."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator

# The parameters, in this order. The text `good` is the configuration in force.
BAD_TEXT = "nonsense: 1"
CALLS = {
    "blocking.list": ({},), "blocking.set": ({"name": "ads.example"}, {"name": "ads.example", "allow": True, "seconds": 60}), "blocking.pause": ({"seconds": 60},), "blocking.suspend": ({"seconds": 60, "plugin": "ads", "note": "court order"},),
    "blocking.preview": ({"name": "stream.example"}, {"name": "stream.example", "allow": True}),
    "blocking.export": ({},), "blocking.remove": ({"name": "ads.example"},),
    "adlist": ({},), "adlist.pause": ({"seconds": 30},), "adlist.resume": ({},), "bans": ({},), "bans.remove": ({"prefix": "192.0.2.0/24"},), "bypass": ({}, {"on": False}),
    "clients.list": ({}, {"limit": 1}), "clients.name": ({"client": "192.168.88.77", "name": "tablet"},), "clients.forget": ({"client": "192.168.88.77"},),
    "clients.group_add": ({"group": "guests", "clients": ["192.0.2.1"]},), "clients.groups": ({},), "clients.group_remove": ({"group": "guests"},),
    "cache.dump": ({"file": "{folder}/members.dump"},), "cache.restore": ({"file": "{folder}/members.dump"},),
    "cache.flush": ({"name": "nobody.example"}, {"name": "nobody.example", "with_rows": True}),
    "cache.print": ({}, {"most": 1, "all": True}), "cache.show": ({"name": "stream.example"},), "cache.stats": ({},),
    "capture.start": ({"seconds": 60},), "capture.read": ({"capture": None},), "capture.stop": ({"capture": None},),
    "configuration.apply": ({"text": "good"}, {"text": BAD_TEXT}), "configuration.check": ({"text": "good"}, {"text": BAD_TEXT}),
    "configuration.history": ({},), "configuration.replay": ({"text": "good"}, {"text": BAD_TEXT}), "configuration.rollback": ({"version": 1},),
    "configuration.show": ({},), "configuration.version": ({"version": 1},), "counters": ({},), "doctor.report": ({}, {"router": "edge1"}),
    "drain": ({}, {"on": False}), "events": ({},), "explain": ({"name": "stream.example"}, {"name": "ads.example"}),
    "fleet": ({},), "hits": ({"seconds": 1}, {"seconds": 1, "name": "example", "client": "192.168.88.0/24"}),
    "page": ({},), "page.link": ({},), "page.password": ({"password": "correct horse battery"},), "page.logout": ({},),
    "leases": ({},), "limits": ({},), "lists": ({},), "lists.fetch": ({},), "methods": ({},),
    "managed.set": ({"parts": ["policy.local_names"], "values": ["forward"]}, {"parts": ["plugins.nowhere"], "values": ["{args: {}}"]}), "managed.keep": ({"path": "policy"},), "managed.show": ({},),
    "managed.check": ({"parts": ["policy.local_names"], "values": ["nxdomain"]}, {"parts": ["policy.local_names"]}), "managed.undo": ({}, {"version": 1}), "managed.history": ({},), "managed.version": ({"version": 1},),
    "recorder.history": ({}, {"limit": 1}), "recorder.series": ({}, {"step": 60}, {"key": "stream.example"}, {"key": "192.0.2.53", "kind": "upstream"}), "recorder.status": ({},), "recorder.top": ({}, {"kind": "latency"}),
    "recursion": ({},), "recursion.flush": ({"name": "nobody.example"},), "recursion.distrust": ({"name": "nobody.example"}, {"name": "nobody.example", "seconds": 0}),
    "reload": ({},), "reverse": ({"address": "203.0.113.10"}, {"address": "203.0.113.200"}),
    "routers": ({},), "routers.commands": ({},), "routers.adopt": ({"from": "oxi"}, {"from": "oxi", "apply": True}), "routers.diff": ({},), "routers.errors": ({},),
    "routers.forget": ({"address": "203.0.113.200"},), "routers.lists": ({},), "routers.pause": ({},), "routers.resume": ({},),
    "routers.probe": ({"name": "edge1"},), "routers.reconcile": ({},), "routers.shared": ({},), "routers.trace": ({"name": "edge1"},),
    "rpc.discover": ({},), "rpc.whoami": ({},), "rules": ({},), "rules.list": ({"tag": "blocked"},),
    "rules.change": ({"tag": "blocked", "add": ["full:members.example"]}, {"tag": "blocked", "remove": ["full:members.example"]}),
    "static.add": ({"record": ["name=members.lan", "address=192.168.88.7"]},), "static.print": ({},), "support": ({"client": "192.168.88.10"},), "static.remove": ({"where": ["name=members.lan"]},),
    "status": ({},), "subscribe": ({"topics": ["events"]},), "unsubscribe": ({},), "trace": ({"seconds": 1},), "version": ({},),
    "why": ({"name": "stream.example"},), "zones": ({},), "zones.refresh": ({"tag": "media"},), "zones.retransfer": ({"tag": "media"},),
}


begun: dict[str, int] = {}  # what the caller notes of results: the number of its capture


def calls_of(method: str, ask: Callable[..., dict], folder: pathlib.Path, configuration: str) -> Iterator[dict]:
    """The parameters of each call. Some need what another method gives now."""
    for call in CALLS[method]:
        params = {name: value.format(folder=folder) if isinstance(value, str) else value for name, value in call.items()}
        if method in ("configuration.apply", "configuration.rollback"):
            params["hash"] = ask("configuration.show")["hash"]
        if method in ("managed.set", "managed.undo"):
            params["hash"] = ask("managed.show")["hash"]
        if params.get("text") == "good":
            params["text"] = configuration
        if "capture" in params:
            params["capture"] = begun.get("capture", 1)
        yield params
