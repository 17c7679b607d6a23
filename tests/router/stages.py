"""What is done with the router, in order: look, prepare, ask, set up, judge, break, undo. Each stage's outcome goes into the report."""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import secrets
import signal
import statistics
import subprocess
import time

import command_tree
import questions
from api import ApiError, Session
from appliance import LIST4, LIST6, Appliance, ApplianceError
from claims import Claims
from console import ConsoleError
from faults import Faults
from outcome import Failed, Refused, Skipped, undisturbed
from recording import Recording
from relay import Journal, Relay
from router import Router, version_of
from scenery import COMMENT, INTERFACES, LISTS, PROBE_LIST, REBOOT_S, SCENERY, add_scenery, blocks_of, filled
from stand_in import PICTURE, StandIn, nearest

NEEDED = ("read", "write", "api", "policy", "reboot", "test", "sensitive")
# Properties that change by themselves.
VOLATILE = {".id", "bytes", "packets", "active", "inactive", "invalid", "actual-interface", "creation-time", "last-logged-in", "last-started",
            "run-count", "cache-used", "immediate-gw", "local-address", "hw-offloaded", "group-count", ".nextid", "network", "scope",
            "slave", "link-local", "dynamic-servers"}
MENUS = (*PICTURE, "/user", "/user/group", "/ip/service")


class Run(Claims, Faults):
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

    # Check -----------------------------------------------------------------------------------------------------

    def check(self) -> str:
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
        with undisturbed():
            self.model = StandIn(self.build / "tools/rossim/rossim", self.folder, version=self.router.version, password="model")
            self.model.__enter__()
        self.model.ask("/ip/address/add", "=address=127.0.0.1/8", f"=interface={self.router.interface}")

    def asker(self, of_model: bool) -> questions.Asker:
        if not of_model:
            return questions.Asker(self.router.open, self.router.login, self.router.version, self.router.interface)
        model = self.model
        return questions.Asker(lambda channel: Session("127.0.0.1", model.port), lambda session: session.login("admin", "model"),
                               model.version, self.router.interface, is_model=True)

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
        output = self.router.run_block(filled(setup, self.router.our_address, self.password))
        if not (found := re.search(r"(?m)^steerdns: setup complete; [^\n$\"]*\d", output)):
            raise Failed(f"the set-up did not come to its last line; the router said: {output.strip()[-600:]}")
        method = "pasted on the serial console" if self.router.console is not None else "run by /execute over the API, as there is no terminal here"
        return f"{found[0].strip()} ({method})"

    def undo_set_up(self, undo: str) -> None:
        if self.appliance is not None:
            self.appliance.stop()
        session = self.router.again(self.patience_s)
        output = self.router.run_block(re.sub(r'(?m)^:local undo "no"$', ':local undo "yes"', undo))
        for menu, name in LISTS.values():
            for row in session.rows(menu):
                if row.get("list") in (name, PROBE_LIST):
                    session.ask(menu + "/remove", f"=.id={row['.id']}")
        self.put_service_back(session)
        if not re.search(r"(?m)^steerdns: undo complete; rows removed: \d", output):
            raise Failed(f"the undo did not come to its last line; the router said: {output.strip()[-600:]}")

    def put_service_back(self, session: Session) -> None:
        """The undo never opens a service to everybody again: this test does, as it was."""
        was = self.service.get("available-from", self.service.get("address", ""))
        for row in session.rows("/ip/service"):
            if row.get("name") == "api" and row.get("dynamic") != "true":
                session.command("/ip/service/set", _id=row[".id"], address=was)

    def doctor(self) -> str:
        done = self.appliance.doctor("--json")
        try:
            reported = json.loads(done.stdout)["routers"][0]
        except (ValueError, LookupError):
            raise Failed(f"steerctl doctor failed: {(done.stderr or done.stdout).strip()[-400:]}") from None
        if reported.get("trouble"):
            raise Failed(f"steerctl doctor cannot read the router: {reported['trouble']}")
        found = [(f.get("level", ""), f"{f['check']} ({f['what']})") for f in reported["findings"]]
        if problems := [text for level, text in found if level == "problem"]:
            raise Failed("steerctl doctor finds: " + "; ".join(problems))
        return "no problem" + (f"; advice: {'; '.join(text for _, text in found)}" if found else "")

    def doctor_probe(self) -> str:
        """The probe opens a connection from a client behind the router."""
        if "--probe" not in self.appliance.run(self.build / "tools/steerctl/steerctl", "doctor", "--help").stdout:
            raise Skipped("steerctl doctor has no --probe in this build")
        raise Skipped("steerctl doctor --probe needs a client behind the router, which this test does not have; run it by hand "
                      "from such a network (docs/guides/routers.md)")

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
