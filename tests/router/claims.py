"""A part of stages.Run: what clients are told, compared with the router's rows; and the product's own probe."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import time

import questions
from api import Session
from appliance import LIST4, LIST6, SUFFIX, Appliance
from outcome import Failed
from relay import NS, seconds_of
from scenery import LISTS, add_scenery, blocks_of, filled

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRUTH = ROOT / "tests/support/truth/truth"
REPAIR_S = 20


class Claims:
    def claims(self) -> str:
        self.appliance.start()
        self.appliance.until(lambda: self.appliance.state() == "in_sync", 60, "the router is in sync")
        answered = self.appliance.ask_all(range(20))
        if answered != 40:
            raise Failed(f"only {answered} of 40 questions were answered")
        burst = self.appliance.burst(range(100, 160))
        self.compare_rows()
        return f"{answered + burst} answers, {self.judge()}"

    def product_probe(self) -> str:
        """The questions that the product itself asks (routeros/findings.h), at the router and at the simulator."""
        def probed(appliance) -> dict:
            return appliance.steerctl("routers", "probe", "edge", seconds=200)["routers"][0]

        def unknown(found: dict) -> set[str]:
            return {label for label, finding in found["findings"].items() if finding["answer"] == "unknown"}

        output = probed(self.appliance)
        folder = self.folder / "model"
        folder.mkdir()
        model = Appliance(self.build, folder, self.model.port, self.password)
        self.later("stop the simulator's steerdnsd", model.stop)
        session = Session("127.0.0.1", self.model.port)
        session.login("admin", "model")
        add_scenery(session, self.router.interface)
        setup, _ = blocks_of(model.setup_text())
        session.ask("/execute", "=script=" + filled(setup, "127.0.0.1", self.password), "=as-string=", seconds=60)
        model.start()
        model.until(lambda: model.state() == "in_sync", 60, "the simulator is in sync")
        assumed = probed(model)
        # A busy machine may leave a question open.
        if unknown(output) - unknown(assumed):
            output = probed(self.appliance)
        elif unknown(assumed) - unknown(output):
            assumed = probed(model)
        model.stop()
        session.close()
        for label, finding in output["findings"].items():
            other = assumed["findings"][label]
            answers = [" / ".join(part for part in (one["answer"], questions.plain(one["text"]).strip()) if part) for one in (finding, other)]
            verdict = "not asked" if finding["answer"] == "unknown" else "agrees" if answers[0] == answers[1] else "differs"
            why = output.get("trouble", "") if verdict == "not asked" else ""
            self.facts.append(questions.Answered(label, "open", finding["question"], answers[1], answers[0], verdict, why))
        if output["probe"] != "complete":
            raise Failed(f"the probe is {output['probe']}: {output.get('trouble', '')}")
        return "complete"

    def printed(self) -> dict[tuple[int, str, str], dict[str, str]]:
        found = {}
        for family, (menu, name) in LISTS.items():
            for row in self.router.session.rows(menu):
                if row.get("list") == name:
                    found[family, name, row["address"]] = row
        return found

    def differences(self) -> list[str]:
        """Between what the router promised and what it prints now."""
        now_ns, printed = time.time_ns(), self.printed()
        after_ns = time.time_ns()
        wrong, seen = [], set()
        for row in self.journal.live(now_ns):
            key = row.key()
            seen.add(key)
            left = None if row.ends_ns is None else (row.ends_ns - now_ns) / NS
            there = printed.get(key)
            if there is None:
                if left is None or left > 3:
                    wrong.append(f"{row.list} {row.address} is not there")
                continue
            has = seconds_of(there.get("timeout"))
            if (left is None) != (has is None):
                wrong.append(f"{row.list} {row.address} has the timeout {there.get('timeout', 'none')}")
            elif left is not None and not left - 3 - (after_ns - now_ns) / NS <= has <= left + 5:
                wrong.append(f"{row.list} {row.address} ends in {has} s instead of {left:.0f} s")
        return wrong + [f"{key[1]} {key[2]} is there, and nobody wrote it" for key, row in printed.items()
                        if key not in seen and (seconds_of(row.get("timeout")) or 99) > 3]

    def compare_rows(self) -> None:
        wrong = ["not looked"]
        end = time.monotonic() + REPAIR_S
        while wrong and time.monotonic() < end:  # writes may be in progress
            if wrong := self.differences():
                time.sleep(0.3)
        if wrong:
            raise Failed("rows differ: " + "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""))

    def judge(self) -> str:
        answers, journal = self.folder / "answers.jsonl", self.folder / "journal.jsonl"
        answers.write_text("".join(json.dumps(answer) + "\n" for answer in self.appliance.answers))
        now_ns = time.time_ns()
        self.journal.write(journal, now_ns)
        away = [word for begin, end in self.journal.away for word in ("--away", f"{begin}ns..{end}ns")]
        done = subprocess.run([sys.executable, str(TRUTH), "judge", "--answers", str(answers), "--journal", str(journal), "--policy",
                               f"{SUFFIX}={LIST4},{LIST6}", "--repair", str(REPAIR_S), "--until", f"{now_ns}ns", "--verbose", *away],
                              capture_output=True, text=True)
        lines = done.stdout.strip().splitlines() or [done.stderr.strip()]
        if done.returncode != 0:
            raise Failed("the judge: " + "; ".join(lines[-4:]))
        return "the judge: " + lines[-1]
