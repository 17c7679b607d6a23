"""The judge's rule, for one answer and for all.

An answer that reached its client at t with a record (address, TTL) leases the address until t + TTL + extra time. During all of
that each router must hold the address in the list that the policy names for the question's name and the address's family.
"""

from rows import FOREVER, NS, uncovered

FAULTS = ("missing", "early", "gap")  # the worst first


class Policy:
    """Names at or below `suffix` go to `list4` and `list6`; None: no claim for that family."""

    def __init__(self, suffix, list4=None, list6=None):
        self.suffix = suffix.lower().strip(".")
        self.lists = {4: list4, 6: list6}

    def holds(self, name):
        return name == self.suffix or name.endswith("." + self.suffix) or self.suffix == ""

    @staticmethod
    def parse(text):
        """SUFFIX=LIST4[,LIST6]; an empty or `-` list is none."""
        suffix, equal, lists = text.partition("=")
        names = [name if name not in ("", "-") else None for name in lists.split(",")]
        if not equal or len(names) > 2 or not any(names):
            raise ValueError(f"policy {text!r}: expected SUFFIX=LIST4 or SUFFIX=LIST4,LIST6")
        return Policy(suffix, *names)


class Finding:
    """What was wrong with one row of one answer."""

    def __init__(self, kind, answer, router, list_, address, parts):
        self.kind = kind
        self.answer = answer
        self.router = router
        self.list = list_
        self.address = address
        self.parts = parts  # [(from, until)] in which the row was away without excuse

    def text(self):
        times = ", ".join(self._part(part) for part in self.parts)
        return (
            f"{self.kind}: {self.answer.name} {self.address} answered at {self.answer.t_ns}: "
            f"not in {self.router} {self.list} {times}"
        )

    def _part(self, part):
        begin, end = ((t - self.answer.t_ns) / NS for t in part)
        return f"from {begin:+.3f}s to {end:+.3f}s"


class Judge:
    def __init__(self, history, policies, extra_time_s=30, tolerance_ms=0, repair_s=5.0, away=(), until_ns=FOREVER):
        self.history = history
        # The longest suffix decides.
        self.policies = sorted(policies, key=lambda policy: -len(policy.suffix))
        self.extra_time_s = extra_time_s
        self.tolerance_ns = round(tolerance_ms * 1e6)
        self.until_ns = until_ns
        self.excuses = {}
        for name, router in history.routers.items():
            windows = [(begin, min(FOREVER, end + round(repair_s * NS))) for begin, end in router.away]
            self.excuses[name] = self._merge(windows + list(away))

    @staticmethod
    def _merge(windows):
        merged = []
        for begin, end in sorted(windows):
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((begin, end))
        return merged

    def policy_of(self, name):
        return next((policy for policy in self.policies if policy.holds(name)), None)

    def rows_of(self, answer):
        """[(list, address, ttl)] that the answer needs."""
        policy = self.policy_of(answer.name)
        if policy is None:
            return []
        needed = [(policy.lists[a.version], a, ttl) for a, ttl in answer.addresses]
        return [row for row in needed if row[0] is not None]

    def judge_row(self, answer, router, list_, address, ttl):
        """A Finding, "excused", or None."""
        end = answer.t_ns + (ttl + self.extra_time_s) * NS - self.tolerance_ns
        end = min(max(end, answer.t_ns + 1), max(self.until_ns, answer.t_ns + 1))
        times = self.history.coverage(router, list_, address)
        away = uncovered(times, answer.t_ns, end)
        if not away:
            return None
        faults = []
        for begin, until in away:
            faults += uncovered(self.excuses[router], begin, until)
        if not faults:
            return "excused"
        if away == [(answer.t_ns, end)]:
            kind = "missing"
        else:
            arrived_late = away[0][0] == answer.t_ns and faults[0][0] < away[0][1]
            kind = "early" if arrived_late else "gap"
        return Finding(kind, answer, router, list_, address, faults)

    def judge(self, answers):
        """(counts, findings): each answer is counted once, by its worst fault."""
        counts = dict.fromkeys(("answers", "early", "gap", "missing", "excused"), 0)
        findings = []
        for answer in answers:
            needed = self.rows_of(answer)
            if not needed:
                continue
            counts["answers"] += 1
            kinds = set()
            for list_, address, ttl in needed:
                for router in self.history.routers:
                    result = self.judge_row(answer, router, list_, address, ttl)
                    if isinstance(result, Finding):
                        findings.append(result)
                        kinds.add(result.kind)
                    elif result:
                        kinds.add(result)
            worst = next((kind for kind in (*FAULTS, "excused") if kind in kinds), None)
            if worst:
                counts[worst] += 1
        return counts, findings


def summary(counts):
    return " ".join(f"{name}={count}" for name, count in counts.items())
