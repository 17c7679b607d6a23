"""Instructions an answer are those of instr.expected, within 3 %: `instr_test.py BUILD` (for x86-64-v2: tools/test).
Some are at most a multiple of others.

Fewer instructions fail too: the file has to hold the present numbers. `tools/bench instr` prints what to write into it.
"""

import pathlib
import sys

from bench import instr

TOLERANCE = 0.03
# (Of a build for x86-64-v2 on 2026-11-30: 1.000, 1.238, 1.170, 1.332. Its rotations copy registers, which cookies have many of.)
LIMITS = {"adlist": (1.03, "cached"), "random_case": (1.3, "plain"), "limited": (1.2, "cached"), "cookies": (1.35, "shared_cache")}
# Where entries lie in the tables differs between runs, which adds up to 1 %. The least of these runs has the fewest collisions.
RUNS = 3


def least(build: pathlib.Path, what: str, counted: list[float]) -> float:
    return min([*counted, *(instr.count(build, what) for _ in range(RUNS - len(counted)))])


def main() -> int:
    build = pathlib.Path(sys.argv[1])
    wrong = 0
    all_counted = {}
    for what, wanted in instr.expected().items():
        counted = all_counted[what] = instr.count(build, what)
        off = counted / wanted - 1
        print(f"{what}: {counted:.1f} instructions an answer, {wanted} expected ({100 * off:+.1f} %)", flush=True)
        wrong += abs(off) > TOLERANCE
    for what, (most, of) in LIMITS.items():
        ratio = least(build, what, []) / least(build, of, [all_counted[of]])
        print(f"{what}: {ratio:.3f} times {of}, at most {most}", flush=True)
        wrong += ratio > most
    if wrong:
        print("if that is meant, say why in the commit and write the new count into tests/bench/instr.expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
