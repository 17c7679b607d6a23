"""Judges a run from the routers' journals, the answers that reached the client, and the queries that were sent."""

from __future__ import annotations

import dataclasses
import pathlib
import sys

from fleet.faults import Record
from lab.fleet import EXTRA_S, FOREIGN, LIST, REPAIRED_S, ROUTERS
from lab.scene import ROOT

sys.path.insert(0, str(ROOT / "tests/support/truth"))
import answers as answers_of  # noqa: E402
import rows as rows_of  # noqa: E402
import verdict  # noqa: E402

NS = rows_of.NS
OVER_LEASE_S = 15 * 60  # a row may outlive its address's last lease by so much
POLICY = verdict.Policy("stream.example", LIST)
# A query to a box that ends within this time after it (seconds) may be lost.
LOST_BEFORE_S = 1.0


@dataclasses.dataclass
class Judgement:
    answers: int = 0
    excused: int = 0
    faults: list[str] = dataclasses.field(default_factory=list)
    lag_s: float = 0.0  # the longest time that a row arrived behind its answer, while every box reached the router
    queries: int = 0
    longest_wait_s: float = 0.0


def between(at_s: float, windows: list[tuple[float, float]]) -> bool:
    return any(begin <= at_s <= end for begin, end in windows)


def judge_rows(router: str, journal: pathlib.Path, answers: list, record: Record, until_ns: int, found: Judgement) -> None:
    history = rows_of.replay(rows_of.read_entries(journal))
    if router not in history.routers:
        raise ValueError(f"{journal} has nothing of {router}")
    mine = [(round(e.from_s * NS), round(e.to_s * NS)) for e in record.excuses if e.router in ("", router)]
    judge = verdict.Judge(history, [POLICY], EXTRA_S, 0, REPAIRED_S, mine, until_ns)
    counts, findings = judge.judge(answers)
    found.answers = max(found.answers, counts["answers"])
    found.excused += counts["excused"]
    found.faults += [finding.text() for finding in findings]
    # How late rows arrived, whatever is excused but a way that was cut.
    cut = [(e.from_s, e.to_s) for e in record.excuses if e.router == router] + [(b / NS, e / NS + REPAIRED_S) for b, e in history.routers[router].away]
    ends: dict[object, int] = {}
    for answer in answers:
        for list_, address, ttl in judge.rows_of(answer):
            ends[address] = max(ends.get(address, 0), answer.t_ns + (ttl + EXTRA_S) * NS)
            times = history.coverage(router, list_, address)
            lacks = rows_of.uncovered(times, answer.t_ns, min(answer.t_ns + (ttl + EXTRA_S) * NS, until_ns))
            if lacks and lacks[0][0] == answer.t_ns and not between(answer.t_ns / NS, cut):
                found.lag_s = max(found.lag_s, (lacks[0][1] - lacks[0][0]) / NS)
    for (_, name, text), rows in history.routers[router].final_rows().items():
        if name != LIST or text in FOREIGN:
            continue
        last = max(row.ends_ns or rows_of.FOREVER for row in rows)
        lease = max((end for address, end in ends.items() if str(address) == text), default=None)
        if lease is not None and last > lease + OVER_LEASE_S * NS:
            found.faults.append(f"{router}: the row of {text} outlives its lease by {(last - lease) / NS:.0f} s")


def judge_foreign(router: str, journal: pathlib.Path, found: Judgement) -> None:
    """The rows of another program were added once each, and nothing happened to them."""
    for address in FOREIGN:
        ops = [entry["op"] for entry in rows_of.read_entries(journal) if entry.get("address") == address]
        if ops != ["add"]:
            found.faults.append(f"{router}: the foreign row {address} was changed: {ops}")


def judge_queries(queries: dict[str, list], record: Record, found: Judgement) -> None:
    for box, asked in queries.items():
        absent = [(a.from_s - LOST_BEFORE_S, a.to_s) for a in record.absences if a.box == box]
        for sent_s, answered_s, rcode in asked:
            found.queries += 1
            if answered_s is not None:
                found.longest_wait_s = max(found.longest_wait_s, answered_s - sent_s)
            if between(sent_s, absent):
                continue
            # A held answer ends with its box.
            if answered_s is None and any(sent_s <= a.from_s <= sent_s + 8 for a in record.absences if a.box == box):
                continue
            if answered_s is None or rcode != 0:
                found.faults.append(f"{box}: a query sent at {sent_s:.3f} got {'no answer' if rcode is None else f'rcode {rcode}'}")


def judged(journals: dict[str, pathlib.Path], answers_file: pathlib.Path, queries: dict[str, list], record: Record, until_ns: int) -> Judgement:
    found = Judgement()
    with answers_file.open() as file:
        answers = [answer for line in file if line.strip() and (answer := answers_of.from_log_line(line)) is not None]
    for router in ROUTERS:
        judge_rows(router, journals[router], answers, record, until_ns, found)
        judge_foreign(router, journals[router], found)
    judge_queries(queries, record, found)
    return found
