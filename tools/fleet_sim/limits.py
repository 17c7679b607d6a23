"""What counts as broken in a run of fleet_sim, and by how much of it a run is away from that."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Limit:
    name: str
    text: str
    most: float
    value: object  # of a run


def _claims(run: dict) -> float:
    """Of one router, as a share of `max_rows`. (Rows without a claim live on until their time is over.)"""
    if run["router"]["claims_refused"] + run["router"]["claims_evicted"]:
        return 1.01
    return run["box"]["claims_peak"]["most"] / (run["settings"]["routers"] / run["settings"]["pops"]) / run["settings"]["max_rows"]


LIMITS = (
    Limit("rows", "claims are refused or evicted: a list has `max_rows`", 1.0, _claims),
    Limit("writer", "more than 1 % of the answers that wait leave before their row", 0.01,
          lambda run: run["box"]["late_share"] + run["box"]["failed_share"]),
    Limit("router", "the router's CPU is busy", 0.9, lambda run: run["router"]["cpu"]["most"]),
    Limit("redis", "Redis has one thread, and it is busy", 0.8, lambda run: run["redis_of_all"]["cpu"]),
    Limit("box", "the thread `routers` of a box is busy", 0.8, lambda run: run["machine"]["box_thread"]),
    Limit("contact", "boxes lose Redis: it answers too late", 0.0, lambda run: run["checks"]["redis_losses"]),
)


def broken(run: dict) -> list[str]:
    return [limit.name for limit in LIMITS if limit.value(run) > limit.most]


def wrong(run: dict) -> list[str]:
    """What no size may do. (A full list gives up claims, and with them the rows of leases.)"""
    checks = run["checks"]
    promises = ["superseded"] if run["router"]["claims_evicted"] else ["superseded", "leases_without_row", "leases_longer_than_row"]
    return [name for name in promises if checks[name]] + ([] if checks["queries_conserved"] else ["queries_conserved"])
