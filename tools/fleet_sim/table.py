"""The figures of runs as text."""

from __future__ import annotations

from fleet_sim import limits


def number(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    if value >= 1e4:
        return f"{value / 1e3:.3g} k"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def percent(value: float) -> str:
    return f"{100 * value:.2g} %" if value < 0.095 else f"{100 * value:.0f} %"


def size_text(value: float) -> str:
    return f"{value / 1e9:.2f} GB" if value >= 1e9 else f"{value / 1e6:.3g} MB"


COLUMNS = (
    ("rows, mean", lambda run: number(run["router"]["rows"]["mean"])),
    ("rows, peak", lambda run: number(run["router"]["rows_peak"]["most"])),
    ("writes/s", lambda run: number(run["router"]["writes_per_s"]["mean"])),
    ("router CPU", lambda run: percent(run["router"]["cpu"]["mean"])),
    ("late answers", lambda run: percent(run["box"]["late_share"] + run["box"]["failed_share"])),
    ("hold p99, ms", lambda run: number(run["box"]["hold_p99_ms"])),
    ("claims/s of a box", lambda run: number(run["box"]["claims_sent_per_s"]["mean"])),
    ("Redis commands/s", lambda run: number(run["redis_of_all"]["commands_per_s"])),
    ("Redis CPU", lambda run: percent(run["redis_of_all"]["cpu"])),
    ("Redis memory", lambda run: size_text(run["redis_of_all"]["bytes"])),
    ("breaks", lambda run: ", ".join(limits.broken(run)) or "-"),
)


def markdown(first: str, rows: list[tuple[str, dict | str]]) -> str:
    """Of runs, or of why there is none."""
    lines = ["| " + " | ".join([first, *(name for name, _ in COLUMNS)]) + " |", "|" + "---|" * (len(COLUMNS) + 1)]
    for name, run in rows:
        cells = [run] + [""] * (len(COLUMNS) - 1) if isinstance(run, str) else [value(run) for _, value in COLUMNS]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def report(run: dict) -> str:
    """For a terminal: what was simulated, then the figures."""
    s, full, router, box = run["settings"], run["in_full"], run["router"], run["box"]
    written, redis, everything = router["written_per_s"], run["redis_of_a_pop"], run["redis_of_all"]
    names = (f"{s['names_from_file']:,} names of a file, {s['names'] - s['names_from_file']:,} made up"
             if s["names_from_file"] else f"{s['names']:,} made-up names")
    machine = run["machine"]
    lines = [
        f"fleet        {s['boxes']} boxes, {s['routers']} routers ({s['preset']}), {s['clients']:,} clients in {s['pops']} PoPs",
        f"in full      {full['pops']} of {s['pops']} PoPs: {full['boxes']} boxes, {full['routers']} routers, "
        f"{full['clients']:,} clients; the other PoPs count as these",
        f"names        {names}; {s['listed_names']:,} in the list, {percent(s['listed_share'])} of the queries",
        f"time         {s['measure_s']} s after {s['warm_s']} s, seed {s['seed']}; "
        f"{'answers do not wait' if s['async'] else 'answers wait for their rows'}",
        "",
        f"a router     rows {number(router['rows']['mean'])} (peak {number(router['rows_peak']['most'])} of {number(s['max_rows'])})",
        f"             writes/s {number(router['writes_per_s']['mean'])}: held {number(written['held'])}, "
        f"repair {number(written['repair'])}, routine {number(written['routine'])}",
        f"             CPU {percent(router['cpu']['mean'])}: "
        + ", ".join(f"{name} {percent(value)}" for name, value in router["cpu_by_class"].items() if value),
        f"             row written within {number(router['add_delay_p99_ms'])} ms (p99), {router['pending_peak']} waiting at most",
        f"a box        {number(box['queries_of_list_per_s']['mean'])} queries/s of the list, "
        f"{number(box['events_per_s']['mean'])} events/s, {number(box['claims_sent_per_s']['mean'])} claims/s given to others",
        f"             {number(box['claims_peak']['most'])} claims: {size_text(machine['box_bytes'])} "
        f"({machine['claim_bytes']:g} + {machine['row_bytes']:g} + {machine['board_bytes']:g} bytes: claim, row, row board); "
        f"thread `routers` {percent(machine['box_thread'])} of this CPU",
        f"             answers waited: {box['waited']:,}; p99 {number(box['hold_p99_ms'])} ms, late {percent(box['late_share'])}",
        f"Redis        a PoP: {number(redis['commands_per_s'])} commands/s, {number(redis['messages_per_s'])} messages/s, "
        f"{number(redis['bytes_in_per_s'])} bytes/s in, {number(redis['bytes_out_per_s'])} out, {size_text(redis['bytes'])}",
        f"             all PoPs on one: {number(everything['commands_per_s'])} commands/s, {percent(everything['cpu'])} of its thread, "
        f"{size_text(everything['bytes'])}",
        *([f"reboot       router 0 lost {run['reboot']['rows']:,} rows and was away for 60 s; all were back after "
           f"{number(run['reboot']['repaired_s'])} s"] if run["reboot"]["rows"] else []),
        f"judge        {run['checks']['leases']:,} leases, {run['checks']['leases_without_row']} without their row, "
        f"{run['checks']['leases_longer_than_row']} longer than it",
        f"breaks       {', '.join(limits.broken(run)) or 'nothing'}",
    ]
    return "\n".join(lines)


def last_line(run: dict) -> str:
    router, box = run["router"], run["box"]
    pairs = {"rows": router["rows"]["mean"], "rows_peak": router["rows_peak"]["most"],
             "writes_per_s": router["writes_per_s"]["mean"], "router_cpu": router["cpu"]["mean"],
             "claims_per_s": box["claims_sent_per_s"]["mean"], "late_share": box["late_share"],
             "redis_commands_per_s": run["redis_of_all"]["commands_per_s"], "redis_cpu": run["redis_of_all"]["cpu"],
             "redis_mb": run["redis_of_all"]["bytes"] / 1e6, "box_mb": run["machine"]["box_bytes"] / 1e6,
             "leases_without_row": run["checks"]["leases_without_row"],
             "breaks": ",".join(limits.broken(run)) or "none"}
    return "fleet " + " ".join(f"{name}={value if isinstance(value, str) else format(value, '.4g')}" for name, value in pairs.items())
