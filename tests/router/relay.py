"""A port between steerdnsd and the router: every sentence is recorded, and the router's rows are written into a journal.

The journal is that of tests/support/truth/formats.md. A row that the product writes begins when the router's reply passes here,
before the product has it. It ends its timeout after the sentence was sent: a router counts from a later moment, so this is the
least that the router promised.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import socket
import threading
import time

from api import Decoder, attributes
from outcome import undisturbed

MENU = re.compile(r"^/(ip|ipv6)/firewall/address-list/(add|set|remove|print)$")
SCRIPT_ROW = re.compile(r'\[/(ip|ipv6) firewall address-list add list="((?:[^"\\]|\\.)*)" address=(\S+)(?: timeout=(\S+))? comment="((?:[^"\\]|\\.)*)"\]')
NS = 1_000_000_000


def seconds_of(text: str | None) -> int | None:
    """"1d2h3m4s", "01:02:03", "90"; None: no timeout."""
    if text in (None, ""):
        return None
    if ":" in text:
        days, _, clock = text.rpartition("d")
        parts = [int(part) for part in clock.split(":")]
        return int(days or 0) * 86400 + sum(part * 60 ** power for power, part in enumerate(reversed(parts)))
    if text.isdigit():
        return int(text)
    size = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
    return sum(int(number) * size[unit] for number, unit in re.findall(r"(\d+)(ms|[wdhms])", text) if unit != "ms")


class Row:
    def __init__(self, family: int, list_: str, address: str, ends_ns: int | None, comment: str, ident: str):
        self.family, self.list, self.address, self.ends_ns, self.comment, self.id = family, list_, address, ends_ns, comment, ident

    def key(self) -> tuple:
        return self.family, self.list, self.address


class Journal:
    """The rows of our lists, as the router acknowledged them. All times are CLOCK_REALTIME in ns."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.entries: list[dict] = []
        self.rows: dict[tuple[int, str], Row] = {}
        self.away: list[tuple[int, int]] = []  # what is missing then is excused

    def note(self, op: str, t_ns: int, row: Row | None = None) -> None:
        with self._lock:
            entry = {"t_ns": t_ns, "router": "edge", "op": op}
            if row is not None:
                left = None if row.ends_ns is None else max(0, row.ends_ns - t_ns) / NS
                entry |= {"family": row.family, "list": row.list, "address": row.address, "timeout_s": left, "comment": row.comment,
                          ".id": row.id}
            self.entries.append(entry)

    def acknowledged(self, verb: str, given: dict, ret: str | None, family: int, sent_ns: int, now_ns: int) -> None:
        with self._lock:
            self.expire(now_ns)
            life = seconds_of(given.get("timeout"))
            ends = None if life is None else sent_ns + life * NS
            if verb == "add":
                address = given.get("address", "")
                if family == 6 and "/" not in address:
                    address += "/128"  # as the router keeps it
                row = Row(family, given.get("list", ""), address, ends, given.get("comment", ""), ret or "")
                self.rows[family, row.id] = row
                self.note("add", now_ns, row)
                return
            for ident in given.get(".id", "").split(","):
                row = self.rows.get((family, ident))
                if row is None:
                    continue
                if verb == "remove":
                    del self.rows[family, ident]
                    self.note("remove", now_ns, row)
                elif "timeout" in given:
                    row.ends_ns = ends
                    self.note("set", now_ns, row)

    def seen(self, printed: list[dict], family: int, now_ns: int) -> None:
        """Rows that were there before the product wrote any, by a print."""
        with self._lock:
            for given in printed:
                if (family, given.get(".id", "")) not in self.rows:
                    self.acknowledged("add", given, given.get(".id"), family, now_ns, now_ns)

    def removed(self, family: int, ident: str, now_ns: int) -> None:
        """Another client removed it."""
        with self._lock:
            row = self.rows.pop((family, ident), None)
            if row is not None:
                self.note("remove", now_ns, row)

    def expire(self, now_ns: int) -> None:
        with self._lock:
            for key, row in sorted(self.rows.items(), key=lambda item: item[1].ends_ns or 0):
                if row.ends_ns is not None and row.ends_ns <= now_ns:
                    del self.rows[key]
                    self.note("expire", row.ends_ns, row)

    def rebooted(self, now_ns: int) -> None:
        with self._lock:
            self.expire(now_ns)
            self.note("reboot", now_ns)
            self.rows = {key: row for key, row in self.rows.items() if row.ends_ns is None}

    def live(self, now_ns: int) -> list[Row]:
        with self._lock:
            self.expire(now_ns)
            return list(self.rows.values())

    def write(self, file: pathlib.Path, now_ns: int) -> None:
        with self._lock:
            self.expire(now_ns)
            entries = sorted(self.entries, key=lambda entry: entry["t_ns"])
            file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))


class Relay:
    """Listens on a port of the loopback interface; a context manager. `only`: the lists of the journal."""

    def __init__(self, host: str, port: int, recording, journal: Journal, lists: set[str]):
        self._to, self._recording, self.journal, self._lists = (host, port), recording, journal, lists
        self.sessions = 0

    def __enter__(self) -> Relay:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        with undisturbed():
            threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            router = socket.create_connection(self._to, timeout=5)
            router.settimeout(None)
        except OSError:
            client.close()
            return
        self.sessions += 1
        name, sent = f"product-{self.sessions}", {}
        for one in (client, router):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        back = threading.Thread(target=self._copy, args=(router, client, lambda words: self._on_received(name, words, sent)), daemon=True)
        back.start()
        self._copy(client, router, lambda words: self._on_sent(name, words, sent))
        back.join(5)
        client.close()
        router.close()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket, seen) -> None:
        """A sentence is seen before it goes on."""
        decoder = Decoder()
        try:
            while data := source.recv(65536):
                for words in decoder.feed(data):
                    seen(words)
                target.sendall(data)
        except OSError:
            pass
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def _on_sent(self, name: str, words: list[str], sent: dict) -> None:
        self._recording.sentence(name, ">", words)
        given = attributes(words)
        sent[given.get(".tag", "")] = (words[0], given, time.time_ns())

    def _on_received(self, name: str, words: list[str], sent: dict) -> None:
        self._recording.sentence(name, "<", words)
        now_ns, given = time.time_ns(), attributes(words)
        tag = given.get(".tag", "")
        if tag not in sent:
            return
        command, asked, sent_ns = sent[tag]
        found = MENU.match(command)
        if words[0] == "!re":
            if found and found[2] == "print" and given.get("list") in self._lists:
                self.journal.seen([given], 6 if found[1] == "ipv6" else 4, now_ns)
            return
        del sent[tag]
        if words[0] == "!trap":
            sent[tag] = ("refused", {}, sent_ns)  # its !done follows
            return
        if words[0] != "!done":
            return
        if found and found[2] != "print" and (found[2] != "add" or asked.get("list") in self._lists):
            self.journal.acknowledged(found[2], asked, given.get("ret"), 6 if found[1] == "ipv6" else 4, sent_ns, now_ns)
        elif command == "/execute":
            self._script(asked.get("script", ""), given.get("ret", ""), sent_ns, now_ns)

    def _script(self, script: str, output: str, sent_ns: int, now_ns: int) -> None:
        """Each add of a script prints its number and the new row's id."""
        ids = dict(re.findall(r"(?m)^(\d+) (\*[0-9A-F]+)\r?$", output))
        for number, line in enumerate(script.split("\n")):
            if (found := SCRIPT_ROW.search(line)) and str(number) in ids and found[2] in self._lists:
                given = {"list": found[2], "address": found[3], "timeout": found[4] or "", "comment": found[5]}
                self.journal.acknowledged("add", given, ids[str(number)], 6 if found[1] == "ipv6" else 4, sent_ns, now_ns)
