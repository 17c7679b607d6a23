#!/usr/bin/env python3
"""Which fuzz targets are due, and runs them: the ledger of tests/fuzz/ledger.txt.

    tests/fuzz/run.py due                     the readers that changed since their last hour, and what is left
    tests/fuzz/run.py run [TARGET...]         spends that time; without targets: on all that are due
    tests/fuzz/run.py run --seconds N TARGET  N seconds of CPU, whatever is due
    tests/fuzz/run.py shrink TARGET...        removes found files (found_*) without an edge of their own
    tests/fuzz/run.py check TARGET...         the ledger and the corpora fit these targets (a unit test)

A run builds the target in build-fuzz (clang), fuzzes it at lowest priority, adds the few new inputs
that reach new edges to its corpus, and writes the ledger. A new or changed reader gets one hour of
CPU, each other one 20 minutes. A finding ends everything; its input is in build-fuzz/findings.
"""

import argparse
import hashlib
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEDGER = ROOT / "tests/fuzz/ledger.txt"
CORPUS = ROOT / "tests/fuzz/corpus"
DICTIONARIES = ROOT / "tests/fuzz/dictionaries"
BUILD = ROOT / "build-fuzz"
TIMEOUT_S = 120  # clock time of one input; other work may have both CPUs for a while
HOUR_S, OTHERS_S = 3600, 1200
# Of a corpus. The normal suite replays each file 200 times.
MOST_FILES, MOST_BYTES = 60, 100_000


class Entry:
    """A line of the ledger."""

    def __init__(self, line: str):
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != 5:
            raise ValueError(f"{LEDGER.name}: five fields are expected: {line.strip()!r}")
        self.target, self.revision = fields[0], fields[1]
        self.cpu_s, self.goal_s = int(fields[2]), int(fields[3])
        self.sources = fields[4].split()

    def __str__(self) -> str:
        return f"{self.target} | {self.revision} | {self.cpu_s} | {self.goal_s} | {' '.join(self.sources)}"

    def reads(self, path: str) -> bool:
        """Whether this file is part of the reader; the target's own file is."""
        if re.fullmatch(rf"tests/fuzz/\w+/fuzz_{self.target}\.cpp", path):
            return True
        return any(path.startswith(source) if source.endswith("/") else pathlib.PurePath(path).match(source)
                   for source in self.sources)

    def left_s(self, is_changed: bool) -> int:
        return HOUR_S if is_changed or self.revision == "-" else max(self.goal_s - self.cpu_s, 0)

    def spent(self, seconds: int, revision: str, is_changed: bool) -> None:
        """Notes a run. Time for an earlier state of the reader does not count."""
        if is_changed or self.revision == "-":
            self.cpu_s, self.goal_s = 0, HOUR_S
        self.cpu_s += seconds
        self.revision = revision


def read_ledger() -> tuple[list[str], list[Entry]]:
    """The comments at its top, and its lines."""
    lines = LEDGER.read_text().splitlines()
    return [line for line in lines if line.startswith("#")], [Entry(line) for line in lines if line and not line.startswith("#")]


def write_ledger(comments: list[str], entries: list[Entry]) -> None:
    entries = sorted(entries, key=lambda entry: entry.target)
    LEDGER.write_text("\n".join(comments + [str(entry) for entry in entries]) + "\n")


def git(*words: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *words], check=True, capture_output=True, text=True).stdout


def changes(revision: str, known: dict[str, dict[str, str]]) -> dict[str, str] | None:
    """The files that differ from a revision, with their path there ('': none). None: git does not have the revision."""
    if revision in known:
        return known[revision]
    try:
        text = git("diff", "--name-status", "-M", "-z", revision, "--", "*.cpp", "*.h", "*.c")
    except subprocess.CalledProcessError:
        return None
    found = {}
    fields = iter(text.split("\0"))
    for status in fields:
        if not status:
            continue
        path = next(fields)
        if status.startswith("R"):
            found[next(fields)] = path
        else:
            found[path] = "" if status == "A" else path
    known[revision] = found
    return found


def code(text: str) -> str:
    """Source without comments, and without the format: what a compiler sees."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    return "".join(text.split())


def differs(revision: str, before: str, path: str) -> bool:
    if not before or not (ROOT / path).exists():
        return True
    return code(git("show", f"{revision}:{before}")) != code((ROOT / path).read_text())


def changed_sources(entry: Entry, known: dict[str, dict[str, str]]) -> list[str] | None:
    """The files of a reader with other code than at its revision; None: it was never fuzzed, or git does not have the revision."""
    if entry.revision == "-":
        return None
    of = changes(entry.revision, known)
    if of is None:
        return None
    return [path for path, before in sorted(of.items()) if entry.reads(path) and differs(entry.revision, before, path)]


def due(entries: list[Entry]) -> list[tuple[Entry, int, list[str] | None]]:
    known: dict[str, dict[str, str]] = {}
    found = []
    for entry in entries:
        changed = changed_sources(entry, known)
        left_s = entry.left_s(changed is None or bool(changed))
        if left_s > 0:
            found.append((entry, left_s, changed))
    return found


def print_due(entries: list[Entry]) -> int:
    all_due = due(entries)
    for entry, left_s, changed in all_due:
        print(f"{entry.target:20} {left_s / 60:3.0f} min  ", end="")
        if changed is None:
            print("new, or its revision is unknown here")
        elif changed:
            print(f"since {entry.revision}: {', '.join(changed[:3])}{f' and {len(changed) - 3} more' if len(changed) > 3 else ''}")
        else:
            print(f"unchanged since {entry.revision}")
    print(f"{len(all_due)} of {len(entries)} targets are due: {sum(left for _, left, _ in all_due) / 3600:.1f} hours of CPU")
    return 0


# --- building and fuzzing ------------------------------------------------------------------------------------------------

def build(target: str) -> pathlib.Path:
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["meson", "setup", str(BUILD), str(ROOT), "-Dfuzzers=true"], check=True,
                       env={**os.environ, "CC": "clang", "CXX": "clang++"})
    subprocess.run(["ninja", "-C", str(BUILD), f"tests/fuzz/fuzz_{target}"], check=True)
    return BUILD / f"tests/fuzz/fuzz_{target}"


def dictionaries(target: str) -> list[pathlib.Path]:
    """Those with the target in their line `# for: TARGET...`."""
    return [path for path in sorted(DICTIONARIES.glob("*.dict"))
            if any(target in line.removeprefix("# for:").split() for line in path.read_text().splitlines() if line.startswith("# for:"))]


def children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fuzz(program: pathlib.Path, target: str, seconds: int, found: pathlib.Path) -> int:
    """Runs the target until it has used so much CPU. Returns the seconds; a finding ends this program."""
    findings = BUILD / "findings"
    findings.mkdir(exist_ok=True)
    begin = children_cpu_s()
    dictionary = [f"-dict={path}" for path in dictionaries(target)[:1]]
    while (used := children_cpu_s() - begin) < seconds:
        wall_s = max(int(seconds - used), 5)
        run = subprocess.run(["chrt", "--idle", "0", str(program), f"-max_total_time={wall_s}", "-rss_limit_mb=2048", f"-timeout={TIMEOUT_S}",
                              "-print_final_stats=1", f"-artifact_prefix={findings}/{target}-", *dictionary,
                              str(found), str(CORPUS / f"fuzz_{target}")])
        if run.returncode != 0:
            sys.exit(f"run.py: fuzz_{target} found something: its input is in {findings}. Add it to the corpus with its fix")
    return round(children_cpu_s() - begin)


def merge(program: pathlib.Path, into: pathlib.Path, *sources: pathlib.Path) -> None:
    subprocess.run([str(program), "-merge=1", "-rss_limit_mb=2048", str(into), *map(str, sources)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def files(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def grow(program: pathlib.Path, target: str, found: pathlib.Path) -> int:
    """Adds new inputs that reach new edges to the corpus, the smallest first, up to the limits. Returns their number."""
    corpus = CORPUS / f"fuzz_{target}"
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        for path in files(corpus):
            shutil.copy(path, copy / path.name)
        names = {path.name for path in files(copy)}
        merge(program, copy, found)
        count, size = len(names), sum(path.stat().st_size for path in files(corpus))
        added = 0
        for path in sorted((p for p in files(copy) if p.name not in names), key=lambda p: p.stat().st_size):
            size += path.stat().st_size
            if count + added + 1 > MOST_FILES or size > MOST_BYTES:
                break
            data = path.read_bytes()
            (corpus / f"found_{hashlib.sha1(data).hexdigest()[:8]}").write_bytes(data)
            added += 1
    return added


def shrink(target: str) -> int:
    """Removes found files that reach no edge beyond the files with a name. Returns their number."""
    program = build(target)
    corpus = CORPUS / f"fuzz_{target}"
    with tempfile.TemporaryDirectory() as folder:
        kept = pathlib.Path(folder)
        for path in files(corpus):
            if not path.name.startswith("found_"):
                shutil.copy(path, kept / path.name)
        merge(program, kept, corpus)
        contents = {path.read_bytes() for path in files(kept)}
    removed = [path for path in files(corpus) if path.name.startswith("found_") and path.read_bytes() not in contents]
    for path in removed:
        path.unlink()
    return len(removed)


def note(target: str, seconds: int, revision: str, is_changed: bool) -> None:
    """In the ledger as it is now: another run may have written it."""
    comments, entries = read_ledger()
    next(entry for entry in entries if entry.target == target).spent(seconds, revision, is_changed)
    write_ledger(comments, entries)


def run(entries: list[Entry], names: list[str], seconds: int | None) -> int:
    by_name = {entry.target: entry for entry in entries}
    if unknown := [name for name in names if name not in by_name]:
        sys.exit(f"run.py: not in {LEDGER.name}: {' '.join(unknown)}")
    wanted = {entry.target: left_s for entry, left_s, _ in due(entries)}
    for name in names or list(wanted):
        entry = by_name[name]
        dirty = [path for path in git("diff", "--name-only", "HEAD").splitlines() if entry.reads(path)]
        if dirty:
            sys.exit(f"run.py: commit {', '.join(dirty)} first: the ledger names a revision")
        budget_s = seconds or wanted.get(name, 0)
        if budget_s == 0:
            print(f"{name}: not due")
            continue
        program = build(name)
        revision = git("rev-parse", "--short=8", "HEAD").strip()
        changed = changed_sources(entry, {})
        with tempfile.TemporaryDirectory() as found:
            spent_s = fuzz(program, name, budget_s, pathlib.Path(found))
            added = grow(program, name, pathlib.Path(found))
        note(name, spent_s, revision, changed is None or bool(changed))
        print(f"{name}: {spent_s} s of CPU, {added} files added to its corpus")
    return 0


# --- the check of the unit tests -----------------------------------------------------------------------------------------

def source_problems(entry: Entry) -> list[str]:
    found = []
    for source in entry.sources:
        exists = (ROOT / source).is_dir() if source.endswith("/") else any(ROOT.glob(source))
        if not exists:
            found.append(f"{entry.target}: there is no {source}")
    if entry.revision != "-" and not re.fullmatch(r"[0-9a-f]{7,40}", entry.revision):
        found.append(f"{entry.target}: {entry.revision!r} is not a revision")
    corpus = CORPUS / f"fuzz_{entry.target}"
    sizes = [path.stat().st_size for path in files(corpus)] if corpus.is_dir() else []
    if not sizes or len(sizes) > MOST_FILES or sum(sizes) > MOST_BYTES:
        found.append(f"{entry.target}: its corpus has {len(sizes)} files and {sum(sizes)} bytes: 1 to {MOST_FILES} files and at most "
                     f"{MOST_BYTES} bytes are allowed (run.py shrink)")
    return found


def check(entries: list[Entry], targets: list[str]) -> int:
    names = [entry.target for entry in entries]
    found = [f"{name}: add its line `{name} | - | 0 | {HOUR_S} | SOURCES` to tests/fuzz/{LEDGER.name}"
             for name in targets if name not in names]
    found += [f"{name}: remove its line from tests/fuzz/{LEDGER.name}: there is no such target" for name in names if name not in targets]
    found += [f"{name}: it has two lines" for name in set(names) if names.count(name) > 1]
    for entry in entries:
        found += source_problems(entry)
    for path in sorted(DICTIONARIES.glob("*.dict")):
        text = path.read_text()
        of = [name for line in text.splitlines() if line.startswith("# for:") for name in line.removeprefix("# for:").split()]
        found += [f"{path.name}: there is no target {name}" for name in of if name not in targets]
        wrong = [line for line in text.splitlines() if line and not re.fullmatch(r'#.*|(\w+=)?"([^"\\]|\\["\\]|\\x[0-9a-fA-F]{2})+"', line)]
        found += [f"{path.name}: libFuzzer does not read {line!r}" for line in wrong]
    print("\n".join(found) or f"{len(entries)} targets")
    return 1 if found else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["due", "run", "shrink", "check"])
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int)
    options = parser.parse_intermixed_args()
    _, entries = read_ledger()
    if options.what == "due":
        return print_due(entries)
    if options.what == "run":
        return run(entries, options.targets, options.seconds)
    if options.what == "check":
        return check(entries, options.targets)
    for target in options.targets:
        print(f"{target}: {shrink(target)} found files removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
