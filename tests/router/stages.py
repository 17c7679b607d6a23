"""What is done with the router, in order: look, prepare, ask, set up, judge, break, undo. Each stage's outcome goes into the report."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import pathlib
import re
import secrets
import signal
import statistics
import subprocess
import sys
import time

import command_tree
import questions
from api import ApiError, Session
from appliance import LIST4, LIST6, SUFFIX, Appliance, ApplianceError, address_of
from console import Console, ConsoleError
from recording import Recording
from relay import NS, Journal, Relay, seconds_of
from stand_in import PICTURE, StandIn, nearest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRUTH = ROOT / "tests/support/truth/truth"
COMMENT, INTERFACES = "steerdns router test, may be removed", "steerdns-test"
GATEWAY4, GATEWAY6 = "198.18.53.2", "fd53:7465:6572::2"
SCENERY = (  # (menu, values) that make two ways out of nothing; {interface} is filled in
    ("/interface/list", {"name": INTERFACES}),
    ("/interface/list/member", {"list": INTERFACES, "interface": "{interface}"}),
    ("/ip/address", {"address": "198.18.53.1/30", "interface": "{interface}"}),
    ("/ipv6/address", {"address": "fd53:7465:6572::1/64", "interface": "{interface}", "advertise": "no"}),
    ("/ip/firewall/nat", {"chain": "srcnat", "action": "masquerade", "src-address": "198.18.53.0/30", "out-interface": "{interface}"}))
NEEDED = ("read", "write", "api", "policy", "reboot", "test", "sensitive")
# Properties that change by themselves.
VOLATILE = {".id", "bytes", "packets", "active", "inactive", "invalid", "actual-interface", "creation-time", "last-logged-in", "last-started",
            "run-count", "cache-used", "immediate-gw", "local-address", "hw-offloaded", "group-count", ".nextid", "network", "scope",
            "slave", "link-local", "dynamic-servers"}
MENUS = (*PICTURE, "/user", "/user/group", "/ip/service")
LISTS = {4: ("/ip/firewall/address-list", LIST4), 6: ("/ipv6/firewall/address-list", LIST6)}
REPAIR_S, REBOOT_S = 20, 300


class Refused(RuntimeError):
    """The test cannot go on with this router; the text is for a person."""


class Failed(RuntimeError):
    """A stage showed that something is wrong; the text is for the report."""


class Skipped(RuntimeError):
    """A stage was left out; the reason."""


def version_of(text: str) -> str:
    """"7.21.5" of "7.21.5 (stable)"."""
    found = re.match(r"\d+(\.\d+){1,2}", text)
    return found[0] if found else ""


class Router:
    """The router under test: sessions of its administrator, and a terminal if it has one here."""

    def __init__(self, host: str, port: int, user: str, password: str, recording: Recording, console: Console | None = None,
                 our_address: str | None = None):
        self.host, self.port, self.user, self.password, self.recording, self.console = host, port, user, password, recording, console
        self._our_address = our_address
        self.version = self.board = ""
        self.interface = "ether1"
        self._session: Session | None = None

    def open(self, channel: str = "admin") -> Session:
        return Session(self.host, self.port, recorder=self.recording.sentence, channel=channel)

    def login(self, session: Session) -> None:
        session.login(self.user, self.password)

    @property
    def session(self) -> Session:
        if self._session is None:
            session = self.open()
            self.login(session)
            self._session = session
        return self._session

    def lose(self) -> None:
        """The next command opens a new session."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def again(self, seconds: float) -> Session:
        """A session after the router was away."""
        end = time.monotonic() + seconds
        while True:
            try:
                self.session.rows("/system/resource")
                return self.session
            except ApiError as error:
                self.lose()
                if time.monotonic() > end:
                    raise Failed(f"the router did not come back within {seconds:g} s: {error}") from error
                time.sleep(0.3)

    @property
    def our_address(self) -> str:
        """As the router sees this machine."""
        return self._our_address or self.session._socket.getsockname()[0]

    def resource(self) -> dict[str, str]:
        return self.session.rows("/system/resource")[0]

    def run_block(self, block: str) -> str:
        """As a user pastes it into a terminal; without a terminal, as a script."""
        if self.console is not None:
            return self.console.paste(block)
        reply = self.session.ask("/execute", f"=script={block}", "=as-string=", seconds=120)
        if reply.traps:
            raise Failed(f"/execute refused the commands: {reply.trap}")
        return reply.ret or ""


class Run:
    def __init__(self, router: Router, build: pathlib.Path, folder: pathlib.Path, recording: Recording, only: set[str] | None = None):
        self.router, self.build, self.folder, self.recording, self.only = router, build, folder, recording, only
        self.stages: list[dict] = []
        self.facts: list[questions.Answered] = []
        self.tree: dict = {}
        self.speed: dict = {}
        self.left: list[str] = []  # what the undo did not take back
        self._undo: list[tuple[str, object]] = []
        self.journal, self.appliance, self.model = Journal(), None, None
        self.clock_was, self.assumed_reboot = None, ""
        self.before, self.export_before = {}, ""
        self.patience_s = REBOOT_S  # of the undo; less once the router was found gone
        self.password = secrets.token_hex(12)
        recording.hide(self.password)

    # Bookkeeping ----------------------------------------------------------------------------------------------

    def stage(self, name: str, function) -> bool:
        self.recording.note(f"{name} ...")
        begin = time.monotonic()
        try:
            outcome, text = "done", function()
        except Skipped as reason:
            outcome, text = "not done", str(reason)
        except (Failed, ApplianceError, ApiError, ConsoleError, subprocess.TimeoutExpired) as error:
            outcome, text = "failed", str(error)
        self.stages.append({"name": name, "outcome": outcome, "text": self.recording.clean(text or ""),
                            "seconds": round(time.monotonic() - begin, 1)})
        self.recording.note(f"{name}: {outcome}{': ' + text if text else ''}")
        return outcome == "done"

    def later(self, text: str, function) -> None:
        """Taken back at the end, the last first."""
        self._undo.append((text, function))

    def undo(self) -> None:
        """Everything that was changed; what fails is named."""
        previous = {number: signal.signal(number, lambda *_: self.recording.warn("the undo is running: wait for its end"))
                    for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while self._undo:
                text, function = self._undo.pop()
                try:
                    function()
                except (ApiError, Failed, ApplianceError, ConsoleError, OSError, KeyError) as error:
                    self.left.append(self.recording.clean(f"{text}: {error}"))
                    self.patience_s = 5
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    # Look -----------------------------------------------------------------------------------------------------

    def look(self) -> str:
        router = self.router
        row = router.resource()
        router.version, router.board = version_of(row.get("version", "")), row.get("board-name", "unknown")
        if not router.version:
            raise Refused(f"{router.host} says no version: it is not RouterOS")
        if router.version.startswith("6."):
            raise Refused(f"the router runs RouterOS {router.version}: this test is for RouterOS 7 (`steerdnsd --routeros-setup --routeros-6` "
                          "prints commands for RouterOS 6)")
        self.check_rights()
        with contextlib.suppress(ApiError):
            addresses = router.session.rows("/ip/address")
            mine = [r for r in addresses if r["address"].split("/")[0] == router.host] or addresses
            router.interface = mine[0]["interface"] if mine else router.interface
        schema = command_tree.schema()
        known = nearest(schema, router.version)
        note = "" if known == router.version else f"; tools/rossim/schema.json does not have this version: {known} stands for it"
        return f"RouterOS {router.version} on {router.board}, interface {router.interface}{note}"

    def check_rights(self) -> None:
        router = self.router
        try:
            user = next((row for row in router.session.rows("/user") if row.get("name") == router.user), {})
            group = next((row for row in router.session.rows("/user/group") if row.get("name") == user.get("group")), {})
        except ApiError as error:
            raise Refused(f"the user {router.user} may not read /user ({error}): use a user of the group full") from error
        granted = group.get("policy", "").split(",")
        if missing := [policy for policy in NEEDED if policy not in granted]:
            raise Refused(f"the user {router.user} does not have the policies {','.join(missing)}: use a user of the group full")

    def picture(self) -> dict[str, list[dict]]:
        """What is configured; without what the router makes or counts."""
        found = {}
        for menu in MENUS:
            reply = self.router.session.ask(menu + "/print", seconds=60)
            if reply.traps:
                continue  # this version does not have the menu
            rows = [{n: v for n, v in row.items() if n not in VOLATILE and v != ""} for row in reply.rows if row.get("dynamic") != "true"]
            found[menu] = rows if menu.endswith(("mangle", "filter", "nat")) else sorted(rows, key=str)
        return found

    def export(self) -> str:
        """On the terminal; without the lines that change by themselves."""
        if self.router.console is None:
            return ""
        text = self.router.console.paste("/export")
        return "\n".join(line.rstrip() for line in text.splitlines()[1:] if not line.startswith(("#", "[")))

    # Prepare --------------------------------------------------------------------------------------------------

    def prepare(self) -> str:
        self.before, self.export_before = self.picture(), self.export()
        self.service = next((row for row in self.before.get("/ip/service", []) if row.get("name") == "api"), {})
        add_scenery(self.router.session, self.router.interface,
                    lambda menu: self.later(f"remove the row of {menu}", lambda: self.remove(menu)))
        return f"{len(SCENERY)} rows with the comment '{COMMENT}'"

    def remove(self, menu: str) -> None:
        """By our comment or name: after a reboot ids may be others."""
        session = self.router.again(self.patience_s)
        for row in session.rows(menu):
            ours = row.get("comment") == COMMENT or row.get("name") == INTERFACES or row.get("list") == INTERFACES
            if ours and row.get("dynamic") != "true":
                session.command(menu + "/remove", _id=row[".id"])

    # Ask ------------------------------------------------------------------------------------------------------

    def start_model(self) -> None:
        """The simulator that plays this version: what we assume."""
        self.model = StandIn(self.build / "tools/rossim/rossim", self.folder, version=self.router.version, password="model")
        self.model.__enter__()
        self.model.ask("/ip/address/add", "=address=127.0.0.1/8", f"=interface={self.router.interface}")

    def asker(self, of_model: bool) -> questions.Asker:
        if not of_model:
            return questions.Asker(self.router.open, self.router.login, self.router.version, self.router.interface)
        model = self.model
        return questions.Asker(lambda channel: Session("127.0.0.1", model.port), lambda session: session.login("admin", "model"),
                               model.version, self.router.interface)

    def ask_questions(self) -> str:
        router, model = self.asker(False), self.asker(True)
        self.later("remove the rows of the questions", self.remove_question_rows)
        left: list[str] = []
        self.facts += questions.ask_all(router, model, left.append)
        for asker in (router, model):
            asker.session.close()
        counts = [sum(fact.verdict == verdict for fact in self.facts) for verdict in ("agrees", "differs")]
        if left:
            raise Failed("; ".join(left))
        return f"{counts[0]} as assumed, {counts[1]} otherwise, {len(self.facts) - sum(counts)} not compared"

    def remove_question_rows(self) -> None:
        session = self.router.again(self.patience_s)
        for menu, _ in LISTS.values():
            for row in session.rows(menu):
                if row.get("list", "").startswith(questions.LIST):
                    session.ask(menu + "/remove", f"=.id={row['.id']}")
        for menu in ("/ip/firewall/filter", "/ipv6/firewall/filter", "/ipv6/nd"):
            for row in session.rows(menu):
                if row.get("comment") == COMMENT:
                    session.ask(menu + "/remove", f"=.id={row['.id']}")
        for row in session.rows("/user/group"):
            if row.get("name") == "steerdns-facts":
                session.ask("/user/group/remove", f"=.id={row['.id']}")

    def compare_tree(self) -> str:
        self.tree = command_tree.compare(self.router.session, self.router.version)
        return f"{self.tree['compared']} paths, {len(self.tree['differences'])} differences to {self.tree['schema']}"

    def measure(self) -> str:
        """Informational: how long the router needs."""
        session, times = self.router.session, []
        menu = LISTS[4][0]
        for number in range(50):
            begin = time.monotonic()
            session.command(menu + "/add", list=questions.LIST, address=f"198.51.100.{number}", timeout="60s", comment=COMMENT)
            times.append((time.monotonic() - begin) * 1000)
        begin = time.monotonic()
        rows = len(session.rows(menu))
        self.speed = {"add_ms_median": round(statistics.median(times), 2), "add_ms_largest": round(max(times), 2), "rows": rows,
                      "print_ms": round((time.monotonic() - begin) * 1000, 2)}
        self.remove_question_rows()
        return f"an add {self.speed['add_ms_median']} ms (median), a print of {rows} rows {self.speed['print_ms']} ms"

    # Set up ---------------------------------------------------------------------------------------------------

    def set_up(self) -> str:
        self.relay = Relay(self.router.host, self.router.port, self.recording, self.journal, {LIST4, LIST6})
        self.relay.__enter__()
        self.appliance = Appliance(self.build, self.folder, self.relay.port, self.password)
        setup, undo = blocks_of(self.appliance.setup_text())
        self.later("undo the set-up", lambda: self.undo_set_up(undo))
        said = self.router.run_block(filled(setup, self.router.our_address, self.password))
        if not (found := re.search(r"(?m)^steerdns: setup complete; [^\n$\"]*\d", said)):
            raise Failed(f"the set-up did not come to its last line; the router said: {said.strip()[-600:]}")
        way = "pasted on the serial console" if self.router.console is not None else "run by /execute over the API, as there is no terminal here"
        return f"{found[0].strip()} ({way})"

    def undo_set_up(self, undo: str) -> None:
        if self.appliance is not None:
            self.appliance.stop()
        session = self.router.again(self.patience_s)
        said = self.router.run_block(re.sub(r'(?m)^:local undo "no"$', ':local undo "yes"', undo))
        for menu, name in LISTS.values():
            for row in session.rows(menu):
                if row.get("list") == name:
                    session.ask(menu + "/remove", f"=.id={row['.id']}")
        self.put_service_back(session)
        if not re.search(r"(?m)^steerdns: undo complete; rows removed: \d", said):
            raise Failed(f"the undo did not come to its last line; the router said: {said.strip()[-600:]}")

    def put_service_back(self, session: Session) -> None:
        """The undo never opens a service to everybody again: this test does, as it was."""
        was = self.service.get("available-from", self.service.get("address", ""))
        for row in session.rows("/ip/service"):
            if row.get("name") == "api" and row.get("dynamic") != "true":
                session.command("/ip/service/set", _id=row[".id"], address=was)

    def doctor(self) -> str:
        done = self.appliance.doctor("--json")
        try:
            told = json.loads(done.stdout)["routers"][0]
        except (ValueError, LookupError):
            raise Failed(f"steerctl doctor failed: {(done.stderr or done.stdout).strip()[-400:]}") from None
        if told.get("trouble"):
            raise Failed(f"steerctl doctor cannot read the router: {told['trouble']}")
        found = [(f.get("level", ""), f"{f['check']} ({f['what']})") for f in told["findings"]]
        if problems := [text for level, text in found if level == "problem"]:
            raise Failed("steerctl doctor finds: " + "; ".join(problems))
        return "no problem" + (f"; advice: {'; '.join(text for _, text in found)}" if found else "")

    def doctor_probe(self) -> str:
        """The probe opens a connection from a client behind the router."""
        if "--probe" not in self.appliance.run(self.build / "tools/steerctl/steerctl", "doctor", "--help").stdout:
            raise Skipped("steerctl doctor has no --probe in this build")
        raise Skipped("steerctl doctor --probe needs a client behind the router, which this test does not have; run it by hand "
                      "from such a network (docs/guides/routers.md)")

    # Claims ---------------------------------------------------------------------------------------------------

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
        said = self.appliance.steerctl("routers", "probe", "edge", seconds=200)["routers"][0]
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
        assumed = model.steerctl("routers", "probe", "edge", seconds=200)["routers"][0]
        model.stop()
        session.close()
        for label, finding in said["findings"].items():
            other = assumed["findings"][label]
            answers = [" / ".join(part for part in (one["answer"], questions.plain(one["text"]).strip()) if part) for one in (finding, other)]
            verdict = "not asked" if finding["answer"] == "unknown" else "agrees" if answers[0] == answers[1] else "differs"
            why = said.get("trouble", "") if verdict == "not asked" else ""
            self.facts.append(questions.Answered(label, "open", finding["question"], answers[1], answers[0], verdict, why))
        if said["probe"] != "complete":
            raise Failed(f"the probe is {said['probe']}: {said.get('trouble', '')}")
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
        while wrong and time.monotonic() < end:  # writes may be under way
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

    # Faults ---------------------------------------------------------------------------------------------------

    def faults(self) -> list[tuple[str, object]]:
        return [("rows deleted", self.rows_deleted), ("foreign rows", self.foreign_rows), ("clock moved", self.clock_moved),
                ("API off and on", self.api_off), ("reboot", self.rebooted)]

    def after_fault(self, numbers: range) -> str:
        self.appliance.until(lambda: self.appliance.state() == "in_sync", REBOOT_S, "the router is in sync again")
        answered = self.appliance.ask_all(numbers)
        if answered != 2 * len(numbers):
            raise Failed(f"only {answered} of {2 * len(numbers)} questions were answered afterwards")
        self.compare_rows()
        return self.judge()

    def rows_deleted(self) -> str:
        self.appliance.ask_all(range(200, 205))
        begin = time.time_ns()
        mine = {key: row for key, row in self.printed().items() if key[2].split("/")[0] in
                {address_of(f"n{n}", family) for n in range(200, 203) for family in (4, 6)}}
        if len(mine) != 6:
            raise Failed(f"the router has {len(mine)} of the 6 rows that are to be deleted")
        for (family, _, _), row in mine.items():
            self.journal.removed(family, row[".id"], time.time_ns())
            self.router.session.command(LISTS[family][0] + "/remove", _id=row[".id"])
        self.appliance.until(lambda: set(mine) <= set(self.printed()), REPAIR_S, "the deleted rows are back")
        took = (time.time_ns() - begin) / NS
        self.compare_rows()
        self.journal.away.append((begin, time.time_ns()))
        return f"6 rows are back after {took:.1f} s; " + self.after_fault(range(205, 210))

    def foreign_rows(self) -> str:
        """In our lists: one of an address that a client is told afterwards."""
        session, theirs = self.router.session, []
        for family, number, timeout in ((4, 300, ""), (6, 300, ""), (4, 5000, "1h")):
            menu, name = LISTS[family]
            given = {"list": name, "address": address_of(f"n{number}", family), "comment": "somebody else", **({"timeout": timeout} if timeout else {})}
            begin = time.time_ns()
            ident = session.command(menu + "/add", **given)
            self.journal.acknowledged("add", given, ident, family, begin, time.time_ns())
            theirs.append((family, name, ident))
        said = self.after_fault(range(300, 305))
        for family, name, ident in theirs:
            row = next((r for r in session.rows(LISTS[family][0]) if r[".id"] == ident), {})
            if row.get("comment") != "somebody else":
                raise Failed(f"a foreign row of {name} was changed: {row or 'it is gone'}")
        return f"{len(theirs)} foreign rows are unchanged; {said}"

    def clock_moved(self) -> str:
        self.later("put the clock back", self.put_clock_back)
        self.clock_was = (self.read_clock(), time.monotonic())
        self.set_clock(self.read_clock() + datetime.timedelta(hours=1))
        self.after_fault(range(400, 405))
        self.put_clock_back()
        return "an hour forward and back; " + self.after_fault(range(405, 410))

    def read_clock(self) -> datetime.datetime:
        row = self.router.again(self.patience_s).rows("/system/clock")[0]
        self.date_form = "%Y-%m-%d" if re.match(r"\d{4}-", row["date"]) else "%b/%d/%Y"  # (before 7.10: nov/23/2026)
        return datetime.datetime.strptime(f"{row['date'].title()} {row['time']}", f"{self.date_form} %H:%M:%S")

    def set_clock(self, to: datetime.datetime) -> None:
        self.router.session.command("/system/clock/set", date=to.strftime(self.date_form).lower(), time=to.strftime("%H:%M:%S"))

    def put_clock_back(self) -> None:
        """To what it would show now. The router may have asked a time server since, so its own time does not count."""
        if self.clock_was is None:
            return
        was, since = self.clock_was
        self.read_clock()
        self.set_clock(was + datetime.timedelta(seconds=round(time.monotonic() - since)))
        self.clock_was = None

    def api_off(self) -> str:
        """A script on the router turns the service on again, even if this test ends before."""
        ident = next(row[".id"] for row in self.router.session.rows("/ip/service") if row.get("name") == "api" and row.get("dynamic") != "true")
        begin = time.time_ns()
        reply = self.router.session.ask("/execute", f"=script=/ip service set {ident} disabled=yes\n:delay 8s\n/ip service set {ident} disabled=no")
        if reply.traps:
            raise Skipped(f"the router does not run the script: {reply.trap}")
        self.appliance.until(lambda: self.appliance.state() != "in_sync" or self.is_api_off(), 30, "the API is off")
        asked = [bool(self.appliance.ask(f"n{number}.{SUFFIX}")) for number in range(500, 503)]
        try:
            self.router.again(60)
        except Failed:
            if self.router.console is None:
                raise
            self.router.console.paste(f"/ip service set {ident} disabled=no")
            self.router.again(60)
        self.appliance.until(lambda: self.appliance.state() == "in_sync", 120, "the router is in sync again")
        self.compare_rows()
        self.journal.away.append((begin, time.time_ns()))
        if not all(asked):
            raise Failed(f"without the API, {asked.count(False)} of {len(asked)} questions were not answered")
        return "answers went on without it; " + self.after_fault(range(505, 510))

    def is_api_off(self) -> bool:
        try:
            self.router.open().close()
            return False
        except ApiError:
            return True

    def rebooted(self) -> str:
        session = self.router.session
        kept = session.command(LISTS[4][0] + "/add", list=questions.LIST, address="198.51.100.200", comment=COMMENT)
        uptime = seconds_of(self.router.resource()["uptime"]) or 0
        begin = time.monotonic()
        self.journal.rebooted(time.time_ns())
        with contextlib.suppress(ApiError):  # the connection may end before the reply
            session.ask("/system/reboot", seconds=10)
        while not self.began_anew(uptime, begin):  # it may go on answering for seconds
            if time.monotonic() - begin > REBOOT_S:
                raise Failed("the router did not reboot")
            time.sleep(0.3)
        session = self.router.session
        self.journal.note("up", time.time_ns())
        away = time.monotonic() - begin
        if self.router.console is not None:
            self.router.console.first_login(self.router.password, REBOOT_S, known=self.router.password)
        row = next((r for r in session.rows(LISTS[4][0]) if r.get("list") == questions.LIST and r["address"] == "198.51.100.200"), None)
        answer = "gone" if row is None else "the same id" if row[".id"] == kept else "another id"
        self.facts.append(questions.Answered("reboot-static-row", "open", "a row without a timeout after a reboot", self.model_reboot(), answer,
                                             "agrees" if answer == self.assumed_reboot else "differs"))
        if row is not None:
            session.command(LISTS[4][0] + "/remove", _id=row[".id"])
        return f"the API was back after {away:.0f} s; " + self.after_fault(range(600, 610))

    def began_anew(self, uptime_s: int, since: float) -> bool:
        self.router.lose()
        with contextlib.suppress(ApiError):
            now_s = seconds_of(self.router.resource()["uptime"]) or 0
            return now_s < uptime_s or now_s <= time.monotonic() - since
        return False

    def model_reboot(self) -> str:
        """What the simulator does."""
        kept = self.model.ask("/ip/firewall/address-list/add", f"=list={questions.LIST}", "=address=198.51.100.200").ret
        self.model.reboot()
        rows = [row for row in self.model.ask("/ip/firewall/address-list/print").rows if row["address"] == "198.51.100.200"]
        self.assumed_reboot = "gone" if not rows else "the same id" if rows[0][".id"] == kept else "another id"
        return self.assumed_reboot

    # Undo -----------------------------------------------------------------------------------------------------

    def undo_and_compare(self) -> str:
        self.undo()
        self.router.again(self.patience_s)
        after, export = self.picture(), self.export()
        for menu, rows in self.before.items():
            now = after.get(menu, [])
            if rows == now:
                continue
            gone, more = [row for row in rows if row not in now], [row for row in now if row not in rows]
            self.left.append(self.recording.clean(f"{menu}: " + "; ".join(
                [*(f"missing: {row}" for row in gone), *(f"left: {row}" for row in more)] or ["the rows are in another order"])))
        if export != self.export_before:
            lines, old = set(export.splitlines()), set(self.export_before.splitlines())
            self.left.append("/export differs: " + self.recording.clean("; ".join([*(f"missing: {x}" for x in old - lines), *(f"left: {x}" for x in lines - old)])))
        if self.left:
            raise Failed("the router is not as before: " + "; ".join(self.left))
        return f"{len(self.before)} menus are as before" + ("; so is /export" if self.router.console is not None else "")

    # The whole --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """All stages; ends with the undo, also when it is interrupted."""
        try:
            self.start_model()
            if not self.stage("prepare", self.prepare):
                return
            self.stage("questions", self.ask_questions)
            self.stage("command tree", self.compare_tree)
            self.stage("speed", self.measure)
            if self.stage("set-up", self.set_up):
                self.stage("doctor", self.doctor)
                self.stage("doctor --probe", self.doctor_probe)
                if self.stage("claims", self.claims):
                    self.stage("steerctl routers probe", self.product_probe)
                    for name, fault in self.faults():
                        self.stage("fault: " + name, fault)
        finally:
            self.stage("undo", self.undo_and_compare)
            self.close()

    def close(self) -> None:
        if self.appliance is not None:
            self.appliance.stop()
        if hasattr(self, "relay"):
            self.relay.__exit__()
        if self.model is not None:
            self.model.__exit__()


def add_scenery(session: Session, interface: str, begin=lambda _: None) -> None:
    """`begin(menu)` before each row."""
    for menu, values in SCENERY:
        begin(menu)
        given = {name: value.format(interface=interface) for name, value in values.items()}
        session.command(menu + "/add", **given, comment=COMMENT)


def blocks_of(text: str) -> tuple[str, str]:
    """The set-up and its undo, from what steerdnsd --routeros-setup prints."""
    parts = re.split(r"(?m)^# ==== .*$", text)[1:]
    if len(parts) != 2:
        raise Failed("steerdnsd --routeros-setup does not print two blocks")
    setup, undo = (part[part.index("\n{\n") + 1:part.rindex("\n}") + 2] for part in parts)
    return setup, undo


def filled(block: str, our_address: str, password: str) -> str:
    """With the values that a user fills in."""
    values = {"apiClient": our_address, "apiPassword1": password, "gateway1v4": GATEWAY4, "gateway1v6": GATEWAY6,
              "clientInterfaces": INTERFACES}
    for name, value in values.items():
        block, count = re.subn(rf"(?m)^:local {name} .*$", f':local {name} "{value}"', block)
        if count != 1:
            raise Failed(f"the set-up has no value {name} to fill in")
    return block
