#!/usr/bin/python3
"""judged.py PLAYER STORY: plays the story, then lets the judge read what the clients and the router saw."""

import pathlib
import subprocess
import sys
import tempfile

TRUTH = pathlib.Path(__file__).resolve().parents[1] / "support/truth/truth"

with tempfile.TemporaryDirectory() as folder:
    dns, journal = f"{folder}/dns.jsonl", f"{folder}/journal.jsonl"
    played = subprocess.run([sys.argv[1], sys.argv[2], dns, journal])
    if played.returncode != 0:
        sys.exit(played.returncode)
    judged = subprocess.run(["/usr/bin/python3", str(TRUTH), "judge", "--answers", dns, "--journal", journal, "--policy",
                             "stream.example=policy_set_v4,policy_set_v6", "--extra-time", "30", "--least", "100", "--verbose"])
    sys.exit(judged.returncode)
