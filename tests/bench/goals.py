"""What each bench shall reach. Its figures are named as its result names them."""

from __future__ import annotations

import dataclasses

from bench.hostile.floods import LEAST


FLOORS = {"ratio_l2": "floor_own_l2"}  # of further figures that have to be large


@dataclasses.dataclass(frozen=True)
class Goal:
    name: str
    ratio: float | None  # None: has no ratio to reach
    stretch: float | None = None
    less: bool = False  # less is better
    limits: tuple[tuple[str, str, float], ...] = ()  # further figures: name, "≤" or "≥", what
    stretches: tuple[tuple[str, str, float], ...] = ()  # the same, that the stretch goal asks for
    figures: tuple[str, ...] = ()  # that the table shows as well
    instr: str = ""  # whose instructions an answer it shows (instr.expected)

    def reached(self, result: dict) -> float | None:
        """How much of the goal the ratio is; 1 and above: met."""
        if self.ratio is None or "ratio" not in result:
            return None
        return self.share(result["ratio"])

    def share(self, ratio: float) -> float:
        return self.ratio / ratio if self.less else ratio / self.ratio

    def failures(self, result: dict) -> list[str]:
        """The figures that are not what they shall be."""
        reached = self.reached(result)
        wrong = ["ratio"] if reached is not None and reached < 1 else []
        return wrong + _missed(self.limits, result)

    def stretched(self, result: dict) -> bool:
        return self.stretch is not None and self.share(result["ratio"]) >= self.share(self.stretch) and not _missed(self.stretches, result)

    def out_of_reach(self, result: dict) -> str:
        """What neither a figure nor its floor reaches, as a note: of the ratio the first goal. Empty: there is none, or no floor."""
        own = "floor_own" in result
        floor = result.get("floor_own", result.get("floor"))
        notes = []
        for name, bound in (("goal", self.ratio), ("stretch goal", self.stretch)):
            if floor is not None and bound is not None and max(self.share(result["ratio"]), self.share(floor)) < self.share(bound):
                notes.append(f"{'`floor_own`' if own else 'the floor'} misses the {name}")
                break
        for name, _, bound in self.stretches:
            floor = FLOORS.get(name, "")
            if floor in result and max(result[name], result[floor]) < bound:
                notes.append(f"`{floor}` misses the stretch goal of `{name}`")
        return "; ".join(notes)


def _missed(limits: tuple[tuple[str, str, float], ...], result: dict) -> list[str]:
    return [name for name, sign, limit in limits if name in result and (result[name] > limit if sign == "≤" else result[name] < limit)]


GOALS = (
    Goal("cached", 0.30, 0.42, stretches=(("ratio_l2", "≥", 0.5), ("ratio_no_huge", "≥", 0.5)),
         figures=("floor_own", "instr_per_ns", "floor_own_l2", "most_instr_per_ns", "floor_no_huge", "ns", "testpmd_ns", "bare_ns", "own_ns", "ns_l2", "bare_ns_l2", "packet_cache", "compared"), instr="cached"),
    Goal("zipf", 0.20, 0.30, figures=("floor_own", "instr_per_ns", "ns", "testpmd_ns", "bare_ns", "ratio_zipf", "floor_zipf", "ns_zipf", "packet_cache_zipf", "compared"), instr="shared_cache"),
    Goal("limits", 0.97, figures=("ns", "plain_ns", "compared")),
    Goal("policy", 0.90, 0.97, figures=("floor_own", "instr_per_ns", "ns", "plain_ns", "hit_ns", "miss_ns")),
    Goal("dns64", 0.90, 1, figures=("ns", "plain_ns", "compared")),
    Goal("memif", 0.35, 0.7, figures=("floor_own", "instr_per_ns", "mqps", "testpmd_mqps", "bare_mqps", "waited_percent", "testpmd_waited_percent", "compared"), instr="cached"),
    Goal("ports", 1.0, 1.4, limits=(("dnsperf", "≥", 0.95), ("restart_s", "≤", 3)),
         figures=("ns", "knot_ns", "bare_ns", "lost_percent", "knot_lost_percent", "machine_ratio", "qps", "knot_qps",
                  "compared"), instr="plain"),
    Goal("peers", 1.3, 1.8, figures=("best", "ours_ns", "bare_ns", "unbound_ns", "dnsdist_ns", "knot_ns"), instr="plain"),
    Goal("miss", 2.0, 3, limits=(("cost", "≤", 3),), figures=("ns", "hit_ns", "bare_ns", "dnsdist_ns", "qps", "dnsdist_qps"), instr="miss"),
    Goal("latency", 5, less=True, limits=(("over_knot_us", "≤", 100),),
         figures=("all_ratio", "typical_ratio", "p50_us", "knot_p50_us", "tenth_p50_us", "half_p50_us", "half_p99_us",
                  "bare_half_p99_us", "all_p99_us", "bare_all_p99_us", "interrupted_percent", "gone_percent", "bare_gone_percent", "left_out_percent", "mqps"),
         instr="cached"),
    Goal("workers", 0.90, 1, figures=("answered", "compared"), instr="cached"),
    Goal("match", 1.2, 2, limits=(("build_s", "≤", 2), ("load_ms", "≤", 100), ("bytes_per_rule", "≤", 24), ("prefix_v4_ns", "≤", 20),
                                  ("prefix_v6_ns", "≤", 20)),
         figures=("first_load_ms", "ns", "flat_ns", "hyperscan_ns", "parse_s")),
    Goal("recorder", 1.0, limits=(("json_cores", "≤", 1), ("database_cores", "≤", 1), ("dnstap_cores", "≤", 1)),
         figures=("json_kept", "database_kept", "dnstap_kept", "json_ns", "database_ns", "dnstap_ns")),
    Goal("observability", 0.80, 0.97, limits=(("off", "≥", 0.99), ("sampled", "≥", 0.95)), figures=("records_s", "mqps", "compared"), instr="cached"),
    Goal("recursion", 0.90, limits=(("cached", "≥", 0.97), ("reached", "≤", 0.05)),
         figures=("rate", "ns", "daemon_ns", "unbound_ns", "qps", "unbound_qps", "cached_qps", "resolved_qps", "lost_percent", "flood_qps",
                  "reached_plain", "compared")),
    Goal("reload", 0.80, 0.97, figures=("of_middle", "undisturbed_mqps", "quiet_worst_mqps", "worst_mqps", "middle_mqps", "reload_s", "seconds")),
    Goal("routeros", 0.85, 1.1,
         limits=(("renew_cpu", "≤", 0.2), ("slow_cpu", "≤", 0.3), ("gaps", "≤", 0), ("hold_p99_ms", "≤", 30), ("hold_print_p99_ms", "≤", 100),
                 ("repeat_ms", "≤", 0), ("dead_wait_ms", "≤", 301), ("lag_p99_ms", "≤", 1000), ("loop_p99_ms", "≤", 10)),
         figures=("repair_hold_p99_ms", "renew_cpu_with_adds", "renewals", "fleet_cpu_percent", "claim_bytes", "loop_longest_ms", "connect_step_ms")),
    Goal("claims", 2, less=True, limits=(("held", "≤", 2), ("answered", "≥", 0.999)),
         figures=("p99_ms", "quiet_p99_ms", "held_p99_ms", "quiet_held_p99_ms")),
    Goal("fleet", 0.5, limits=(("added_p99_ms", "≤", 5), ("standby_added_p99_ms", "≤", 5)), figures=("clock_ratio", "claims_s", "alone_p99_ms")),
    Goal("streams", 1.0, 2, limits=(("doq_over_dot", "≤", 1.5), ("doh3_over_doh", "≤", 1.5)),
         figures=("worst", "tcp_ns", "dnsdist_tcp_ns", "dot_ns", "dnsdist_dot_ns", "doh_ns", "dnsdist_doh_ns", "doq_ns", "doq_apart_ns", "doh3_ns",
                  "connection_us", "dnsdist_connection_us", "doq_connection_us", "doq_resumed_us", "idle_bytes", "dnsdist_idle_bytes",
                  "doq_idle_bytes")),
    Goal("hostile", LEAST["udp"], limits=(("streams", "≥", LEAST["stream"]), ("held", "≤", 2), ("tables", "≤", 1), ("times", "≥", 1.9)),
         figures=("worst", "at", "slowest", "unbroken")),
    Goal("scale", 1.3, less=True, limits=(("config_s", "≤", 15), ("ratio_1g", "≤", 1.3)),
         figures=("uniform", "uniform_1g", "names", "ns_zipf", "ns", "insert_ns", "rules_times", "clients_times", "claims_times", "claim_bytes", "p99_us",
                  "compared")),
    Goal("zones", 20, limits=(("worst_change_ms", "≤", 1000),),
         figures=("change_ms", "whole_s", "merge_s", "restore_s", "lookup_ns", "changed_lookup_ns", "bytes_per_name")),
    Goal("cores", None, limits=(("packet_cache_hit", "≤", 0.01), ("shared_cache_hit", "≤", 0.01)),
         figures=("miss", "insert", "claim", "miss_writes", "insert_writes", "claim_writes", "spread", "hit_ns", "miss_ns", "insert_ns", "fill_ns",
                  "overlapped_ns")),
    Goal("wakeups", None, limits=(("added_us", "≤", 100), ("idle_percent", "≤", 3)),
         figures=("ratio", "woken_qps", "busy_poll_qps", "spin_qps", "woken_ns", "busy_poll_ns", "spin_ns", "p50_us", "p99_us")),
)
BY_NAME = {goal.name: goal for goal in GOALS}
