"""The laws of docs/explanation/ownership.md: how many lines an operation may take from other cores, and how many it may take away.

Of a miss and an insert, the share (N-1)/N has another worker as owner, so that limits are those of N workers without end.
Each limit is at least 10 % above the largest count of 2, 4 or 7 workers in several boots and by user-mode emulation.
"""

from __future__ import annotations

import dataclasses

from cores.trace import Needs, Operation


@dataclasses.dataclass(frozen=True)
class Law:
    fills: float   # lines from another core, per operation ...
    writes: float  # ... and writes to a line that another core had
    always: bool = False  # whatever the number of workers is


LAWS = {"packet_cache_hit": Law(0.01, 0.01), "shared_cache_hit": Law(0.01, 0.01), "miss": Law(18, 12), "insert": Law(8, 9),
        "claim": Law(12.5, 3.6, always=True)}


def of(operations: list[Operation]) -> dict[str, Needs]:
    """By the names of the laws: what each adds to the operation that it is a part of."""
    total = {operation.name: operation.total for operation in operations}
    return {"packet_cache_hit": total["packet_cache_hit"], "shared_cache_hit": total["shared_cache_hit"], "miss": total["miss"],
            "insert": total["miss_insert"] - total["miss"], "claim": total["miss_insert_claim"] - total["miss_insert"]}


def broken(operations: list[Operation]) -> list[str]:
    """A sentence for each law that does not hold."""
    workers = operations[0].workers
    wrong = []
    for name, needs in of(operations).items():
        law = LAWS[name]
        share = 1 if law.always else (workers - 1) / workers
        for what, found, limit in (("lines of other cores", needs.fills(), law.fills), ("shared writes", needs.shared_writes, law.writes)):
            if found > limit * share:
                wrong.append(f"{name} with {workers} workers: {found:.2f} {what}, and {limit * share:.2f} are allowed")
    return wrong
