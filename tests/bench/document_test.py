"""docs/explanation/performance.md, the tables in docs/reference/status.md and README.md, and the plots are what docs/explanation/figures/results.json gives, and nothing else."""

import sys

from bench import document
from bench.goals import BY_NAME


def main() -> int:
    results = document.load()
    strange = [name for of_model in results.values() for name in of_model if name not in BY_NAME and name != "stages"]
    stale = [path.name for path, text in document.files(results).items() if not path.exists() or path.read_text() != text]
    if strange:
        print(f"results.json has results of no bench: {strange}")
    if stale:
        print(f"{', '.join(stale)}: not what results.json gives; run tools/bench NAME --docs, or "
              "PYTHONPATH=tools:tests python3 -m bench.document")
    return 1 if strange or stale else 0


if __name__ == "__main__":
    sys.exit(main())
