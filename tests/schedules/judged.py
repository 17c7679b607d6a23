#!/usr/bin/python3
"""judged.py PROGRAM [--from SEED] [--count N] [--seed SEED] [--hours N] [--without FAULT,...]: plays random fault schedules and
lets the judge decide what clients and router saw. A seed that fails is played again with fewer faults, and its story is
printed. `--hours`: schedules of that many hours each, as 336 for two weeks."""

import argparse
import bisect
import functools
import ipaddress
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support/truth"))
sys.dont_write_bytecode = True

import answers as answers_of  # noqa: E402
import rows  # noqa: E402
import verdict  # noqa: E402

EXTRA_S = 30
BATCH = 50  # schedules whose facts are on disk at once
MOST_FAILED = 5
STORY_LINES = 60


class Times:
    """A union of times [begin, end] in nanoseconds."""

    def __init__(self, times):
        self.begins, self.ends = [], []
        for begin, end in sorted(times):
            if self.ends and begin <= self.ends[-1]:
                self.ends[-1] = max(self.ends[-1], end)
            else:
                self.begins.append(begin)
                self.ends.append(end)

    def __contains__(self, t_ns):
        at = bisect.bisect_right(self.begins, t_ns) - 1
        return at >= 0 and t_ns <= self.ends[at]


class Play:
    """What one schedule left."""

    def __init__(self, folder, seed):
        stem = f"{folder}/{seed}"
        self.facts = json.loads(pathlib.Path(f"{stem}.facts").read_text())
        self.entries = rows.read_entries(f"{stem}.journal")
        self.answers = answers_of.read_answers(f"{stem}.answers")
        self.stem = stem
        self.history = rows.replay(self.entries)
        self.history.routers.setdefault("edge1", rows.Router())

    @functools.cached_property
    def story(self):
        return pathlib.Path(f"{self.stem}.story").read_text().splitlines()

    def faults(self):
        """[(t_ns, sentence)], the first first."""
        found = [(self.facts["end_ns"], complaint) for complaint in self.facts["complaints"]]
        found += self.uncovered_leases()
        found += self.forbidden_writes()
        found += self.differing_rows()
        return sorted(found)

    def uncovered_leases(self):
        """The judge's rule, with the times in which rows may be missing: all rows, or one."""
        policies = [verdict.Policy(suffix, list4 or None, list6 or None) for suffix, list4, list6 in self.facts["policies"]]
        every = [(begin, end) for begin, end, _, address in self.facts["windows"] if not address]
        of_row = {}
        for begin, end, list_, address in self.facts["windows"]:
            if address:
                of_row.setdefault((list_, address.split("/")[0]), []).append((begin, end))
        found = []
        judges = {}
        of_all = Times(every)
        for answer in self.answers:
            (address, _), = answer.addresses
            policy = next(p for p in policies if p.holds(answer.name))
            key = policy.lists[address.version], str(address)
            if key not in judges:
                away = sorted(every + of_row.get(key, []))
                judges[key] = verdict.Judge(self.history, policies, EXTRA_S, repair_s=0, away=away, until_ns=self.facts["end_ns"])
            _, findings = judges[key].judge([answer])
            found += [(finding.parts[0][0], finding.text()) for finding in findings]
            if key[0] and answer.name.startswith("sure.") and not self.may_not_know(answer.t_ns, of_all, of_row.get(key, [])):
                if rows.uncovered(self.history.coverage("edge1", key[0], address), answer.t_ns, answer.t_ns + 1):
                    found.append((answer.t_ns, f"said to be in {key[0]} and is not: {key[1]}"))
        return found

    @staticmethod
    def may_not_know(t_ns, every, of_row):
        """The daemon or the router was away, or a person changed the row a moment ago."""
        return t_ns in every or any(begin <= t_ns <= begin + 2 * rows.NS for begin, _ in of_row)

    def forbidden_writes(self):
        """Leased rows that our writers removed, and foreign rows that they changed."""
        leases = {}
        policies = [verdict.Policy(suffix, list4 or None, list6 or None) for suffix, list4, list6 in self.facts["policies"]]
        for answer in self.answers:
            (address, ttl), = answer.addresses
            list_ = next(p for p in policies if p.holds(answer.name)).lists[address.version]
            end = answer.t_ns + (ttl + EXTRA_S) * rows.NS
            leases.setdefault((list_, str(address)), []).append((answer.t_ns + 1, end))
        leases = {key: Times(times) for key, times in leases.items()}
        found = []
        comments = {}  # of the rows now, by (family, .id)
        taken = {}  # when a human made it theirs: one of us may not have received of it
        for entry in self.entries:
            t_ns, op = entry["t_ns"], entry["op"]
            if op == "reboot":
                comments = {}  # other ids
            if op not in ("add", "set", "remove") or "family" not in entry:
                continue
            id_ = entry.get("menu"), entry["family"], entry[".id"]
            list_ = rows.list_of(entry)
            before = comments.get(id_, entry["comment"])
            comments[id_] = entry["comment"]
            if "by" in entry:
                if self.is_ours(before) and not self.is_ours(entry["comment"]):
                    taken[id_] = t_ns
                continue
            if op == "set" and id_ in taken and self.is_excused(taken[id_], t_ns):
                continue
            what = f"{op} {list_} {entry['address']} {entry['comment']!r}"
            if not self.is_ours(entry["comment"]) or not self.is_ours(before):
                found.append((t_ns, f"wrote a row that is not ours: {what}"))
            if op == "remove":
                key = list_, entry["address"].split("/128")[0]
                if "menu" in entry and self.is_covered(key, t_ns):
                    continue  # of two routes one may go
                if key in leases and t_ns + 1 in leases[key]:
                    found.append((t_ns, f"removed a row under lease: {what}"))
        return found

    def is_covered(self, key, t_ns):
        try:
            address = ipaddress.ip_address(key[1])
        except ValueError:
            return False  # a prefix
        return not rows.uncovered(self.history.coverage("edge1", key[0], address), t_ns, t_ns + 1)

    def differing_rows(self):
        """The rows that the router has at the end are those that its journal says."""
        journal = sorted((r.family, r.list, r.address, r.comment, not r.enabled)
                         for cover in self.history.routers["edge1"].covers.values() for r in cover.rows)
        printed = sorted(tuple(row) for row in self.facts["rows"])
        return [] if journal == printed else [(self.facts["end_ns"], "the journal is not what the router has")]

    def is_excused(self, since_ns, t_ns):
        """The two are within a second of each other, or within a time in which one side could not know."""
        windows = [(begin, end) for begin, end, _, address in self.facts["windows"] if not address]
        return t_ns - since_ns < rows.NS or any(begin <= t_ns and since_ns <= end for begin, end in windows)

    def is_ours(self, comment):
        return any(comment.startswith(tag) for tag in self.facts["tags"])

    def excerpt(self, t_ns):
        """The story's last lines before that time, and a few after it."""
        at_s = (t_ns - self.facts["start_ns"]) / rows.NS
        reported = [line for line in self.story if line[:1] != "s" and line[:3] != "  l" and line[:3] != "  f"]
        head = [line for line in self.story if line not in reported]
        before = [line for line in reported if float(line.split()[0]) <= at_s][-STORY_LINES:]
        after = [line for line in reported if float(line.split()[0]) > at_s][: STORY_LINES // 4]
        return head + before + ["  ---- here"] + after


def run(program, folder, seed, count=1, without=(), hours=0):
    command = [program, "--out", folder, "--from", str(seed), "--count", str(count), *(("--hours", str(hours)) if hours else ())]
    if without:
        command += ["--without", ",".join(map(str, sorted(without)))]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [tuple(map(int, line.split())) for line in out.splitlines()]


def smallest(program, folder, seed, faults, without):
    """The smallest set of faults with which it still fails."""
    for fault in reversed(range(faults)):
        fewer = without | {fault}
        run(program, folder, seed, 1, fewer)
        if Play(folder, seed).faults():
            without = fewer
    return without


def report(program, folder, seed, faults, without, hours):
    if hours == 0:  # a long one would be played hundreds of times
        without = smallest(program, folder, seed, faults, without)
        run(program, folder, seed, 1, without)
    play = Play(folder, seed)
    found = play.faults()
    print(f"seed {seed} fails, also without faults {','.join(map(str, sorted(without))) or '-'}: {len(found)} findings")
    for _, sentence in found[:5]:
        print(f"  {sentence}")
    print("\n".join(play.excerpt(found[0][0])), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--from", dest="from_", type=int, default=1)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, help="this one, with its whole story")
    parser.add_argument("--hours", type=int, default=0, help="of each schedule; without it: some minutes")
    parser.add_argument("--without", type=lambda text: {int(n) for n in text.split(",")}, default=set())
    options = parser.parse_args()
    first, count = (options.seed, 1) if options.seed is not None else (options.from_, options.count)
    failed, totals = [], [0] * 5
    with tempfile.TemporaryDirectory() as folder:
        batch = 1 if options.hours else BATCH
        for begin in range(first, first + count, batch):
            played = run(options.program, folder, begin, min(batch, first + count - begin), options.without, options.hours)
            for seed, faults, writers, questions, waited, sentences in played:
                play = Play(folder, seed)
                totals = [a + b for a, b in zip(totals, (faults, writers > 1, len(play.answers), waited, sentences))]
                bad = bool(play.faults())
                if options.seed is not None:
                    print("\n".join(play.story))
                if bad:
                    failed.append(seed)
                    if len(failed) <= MOST_FAILED:
                        report(options.program, folder, seed, faults, options.without, options.hours)
            for file in pathlib.Path(folder).iterdir():
                file.unlink()
    faults, two, answered, waited, sentences = totals
    print(f"seeds {first} to {first + count - 1}: {faults} faults, {two} with two writers, {answered} addresses judged, "
          f"{waited} answers waited, {sentences} sentences for operators; {len(failed)} failed {failed or ''}")
    least = 30 * options.hours if options.hours else 100
    enough = answered > least * count and waited > 5 * count and (count < 5 or two * 5 >= count // 5 * 5)
    if not enough and options.seed is None:
        print("that is too little of something")
    return 1 if failed or (not enough and options.seed is None) else 0


if __name__ == "__main__":
    sys.exit(main())
