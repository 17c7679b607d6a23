"""A part of stages.Run: what is broken on the router, and that rows and answers agree afterwards."""

from __future__ import annotations

import contextlib
import datetime
import re
import time

import questions
from api import ApiError, Closed
from appliance import SUFFIX, address_of
from claims import REPAIR_S
from outcome import Failed, Skipped
from relay import NS, seconds_of
from scenery import COMMENT, LISTS, REBOOT_S


class Faults:
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
        output = self.after_fault(range(300, 305))
        for family, name, ident in theirs:
            row = next((r for r in session.rows(LISTS[family][0]) if r[".id"] == ident), {})
            if row.get("comment") != "somebody else":
                raise Failed(f"a foreign row of {name} was changed: {row or 'it is gone'}")
        return f"{len(theirs)} foreign rows are unchanged; {output}"

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
        script = f"/ip service set {ident} disabled=yes\n:delay 8s\n/ip service set {ident} disabled=no"
        with contextlib.suppress(Closed):  # the script may end the connection before the reply
            reply = self.router.session.ask("/execute", f"=script={script}")
            if reply.traps:
                raise Skipped(f"the router does not run the script: {reply.trap}")
        self.appliance.until(lambda: self.appliance.state() != "in_sync" or self.is_api_off(), 30, "the API is off")
        numbers = range(500, 503)
        asked = [bool(self.appliance.ask(f"n{number}.{SUFFIX}")) for number in numbers]
        try:
            self.router.again(60)
        except Failed:
            if self.router.console is None:
                raise
            self.router.console.paste(f"/ip service set {ident} disabled=no")
            self.router.again(60)
        self.appliance.until(lambda: self.appliance.state() == "in_sync", 120, "the router is in sync again")
        reported = {address_of(f"n{number}", 4) for number, is_answered in zip(numbers, asked) if is_answered}
        self.appliance.until(lambda: reported <= {row.address for row in self.journal.live(time.time_ns())}, REPAIR_S,
                             "the addresses that clients were told without the API are on the router")
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
        session = self.router.again(self.patience_s)
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
