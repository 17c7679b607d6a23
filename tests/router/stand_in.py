"""A stand-in for a router: rossim behind what it does not play (reboot, clock, /console/inspect, whole scripts).

Scripts are run by the model of tests/unit/setup. `lies` change one fact each, for the tests of the report; LIES names them.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import pathlib
import re
import secrets
import socket
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
for folder in (HERE, ROOT / "tests/unit/setup"):
    sys.path.append(str(folder))
import router_model  # noqa: E402
from api import ApiError, Decoder, Session, attributes, encode  # noqa: E402

ALL_POLICIES = ("local,telnet,ssh,ftp,reboot,read,write,policy,test,winbox,password,web,sniff,sensitive,api,romon,rest-api")
# Lies that are options of rossim, and those that are made here.
ROSSIM_LIES = {
    "static-timeout": ["--static-timeout", "ignored"],
    "zero-timeout": ["--zero-timeout-expires"],
    "missing-id": ["--atomic-ids"],
    "execute-trap": ["--execute-traps"],
    "tag-last": ["--tag-last"],
}
LIES = {*ROSSIM_LIES, "listen-expiry", "duplicate-text", "timeout-rounding", "schema", "undo", "lost-row", "late-row", "not-routeros"}
# The lie late-row: the router takes this long for the probe's first row.
LATE_LIST, LATE_S = "steerdns-probe", 1.0
# Menus whose rows are kept over a restart of the machine; address lists without a timeout beside them.
PICTURE = ("/interface/list", "/interface/list/member", "/ip/address", "/ipv6/address", "/routing/table", "/ip/route", "/ipv6/route",
           "/ip/firewall/filter", "/ipv6/firewall/filter", "/ip/firewall/mangle", "/ipv6/firewall/mangle", "/ip/firewall/nat",
           "/ip/dhcp-server/network", "/ip/dhcp-server/option", "/ipv6/nd", "/ip/dns", "/ip/dns/static", "/ip/settings",
           "/system/script")
LISTS = {4: "/ip/firewall/address-list", 6: "/ipv6/firewall/address-list"}


class Stop(Exception):
    """The trap that the router answers."""


def versions_of(schema: dict) -> list[str]:
    return schema["_versions"]


def nearest(schema: dict, version: str) -> str:
    """The version of the schema that stands for this one: its minor release, else the last one before it."""
    known = [tuple(int(part) for part in name.split(".")) for name in versions_of(schema)]
    wanted = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    before = [at for at, one in enumerate(known) if one[:2] <= wanted]
    return versions_of(schema)[before[-1] if before else 0]


def is_in(schema: dict, entry: dict, version: str, key: str) -> bool:
    spans = entry.get(key, [])
    spans = [spans] if spans and isinstance(spans[0], str) else spans
    at = versions_of(schema).index
    return not spans or any(at(first) <= at(version) <= at(last) for first, last in spans)


def children(schema: dict, version: str, path: str) -> list[tuple[str, str]]:
    """(name, node type) below a path with slashes: what /console/inspect request=child answers."""
    *above, last = path.strip("/").split("/")
    parent = schema["menus"].get("/" + "/".join(above))
    if path != "/" and parent and last in parent and is_in(schema, parent[last], version, "_versions"):
        return [(name, "arg") for name, about in sorted(parent[last].items())
                if not name.startswith("_") and is_in(schema, about, version, "versions")]
    found = {}
    below = "/" if path == "/" else path + "/"
    for menu, entry in [*schema["menus"].items(), *((m, {"_versions": s}) for m, s in schema["other_menus"].items())]:
        if menu.startswith(below) and menu != "/" and is_in(schema, entry, version, "_versions"):
            found[menu[len(below):].split("/")[0]] = "dir"
    for name, entry in schema["menus"].get(path, {}).items():
        if not name.startswith("_") and is_in(schema, entry, version, "_versions"):
            found[name] = "cmd"
    return sorted(found.items())


class ModelRouter(router_model.Router):
    """The menus of the model are those of a router by its API."""

    def __init__(self, ask, version: str):
        super().__init__({"/system resource": []}, router_model.Doubts(connections=True))
        self._ask, self._version, self.printed = ask, version, []

    @staticmethod
    def _menu(menu: str) -> str:
        return "/" + menu.strip("/ ").replace(" ", "/")

    def _say(self, menu: str, verb: str, *words: str) -> list[dict]:
        reply = self._ask(f"{self._menu(menu)}/{verb}", *words)
        if reply.traps:
            raise router_model.Stop(reply.trap)
        return reply.rows if verb == "print" else [{"ret": reply.ret}]

    @staticmethod
    def _value(menu: str, name: str, text: str):
        if name in router_model.LISTS | router_model.NAME_LISTS | {"available-from"} and menu != "/user":
            return text.split(",") if text else []
        return text

    @staticmethod
    def _text(value) -> str:
        return ",".join(value) if isinstance(value, list) else ("yes" if value else "no") if isinstance(value, bool) else str(value)

    def rows(self, menu):
        return {row.pop(".id", "*0"): {name: self._value(menu, name, value) for name, value in row.items()}
                for row in self._say(menu, "print")}

    def add(self, menu, values):
        gone = {"place-before"}
        words = [f"={name}={self._text(value)}" for name, value in values.items() if value is not None and name not in gone]
        self.last = self._say(menu, "add", *words)[0]["ret"]
        return self.last

    def place_before(self, menu, places):
        self._say(menu, "move", f"=numbers={self.last}", f"=destination={self._text(places)}")
        return self.last

    def set(self, menu, key, values):
        given = [f"={name}={self._text(value)}" for name, value in values.items() if value is not None]
        if given:
            self._say(menu, "set", *([] if key == "*0" else [f"=.id={key}"]), *given)
        for name, value in values.items():
            if value is None:
                self._say(menu, "unset", f"=numbers={key}", f"=value-name={name}")

    def remove(self, menu, key):
        self._say(menu, "remove", f"=.id={key}")

    def get(self, menu, key, name):
        return self.rows(menu)[key].get(name, [] if name in router_model.LISTS | router_model.NAME_LISTS else None)

    def get_all(self, menu, key):
        return self.rows(menu)[key]

    def only(self, menu, name):
        found = [key for key, row in self.rows(menu).items() if row.get("name") == name]
        if not found:
            raise router_model.Stop("no such item")
        return found[0]


class StandIn:
    """rossim on a port of its own, and the port that clients see; a context manager."""

    def __init__(self, rossim: pathlib.Path, folder: pathlib.Path, *, version: str = "7.21.5", password: str = "", lies: tuple = (),
                 address: str = "127.0.0.1", port: int = 0, schema: dict | None = None, away_s: float = 1.0, options: tuple = ()):
        self.version, self.lies, self.away_s, self.password = version, set(lies), away_s, password
        self.schema = schema or json.loads((ROOT / "tools/rossim/schema.json").read_text())
        self.console = nearest(self.schema, version)
        self.rossim, self.folder, self.control = rossim, folder, folder / f"stand-in-{secrets.token_hex(3)}.sock"
        self.address, self.port = address, port
        self._own = secrets.token_hex(8)
        extra = [word for lie in lies for word in ROSSIM_LIES.get(lie, [])]
        self._argv = [str(rossim), "--port", "0", "--preset", "none", "--ros-version", version, "--control", str(self.control),
                      "--name", "MikroTik", "--user", f"admin:{password}:{ALL_POLICIES}", "--user", f"console:{self._own}:{ALL_POLICIES}",
                      *extra, *options]
        self.addresses = lambda: None  # called when /ip/address or /ipv6/address changed
        self.restart = None  # instead of rossim's reboot: the machine's
        self._lock = threading.RLock()
        self._clients: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self._removed: set[str] = set()
        self._lost: set[str] = set()
        self.late = threading.Event()  # with the lie late-row: the probe writes its first row
        self._closing = False
        self._passwords = {"admin": password}

    # The life of it -------------------------------------------------------------------------------------------

    def __enter__(self) -> StandIn:
        self._process = subprocess.Popen(self._argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
                                         start_new_session=True)
        first = self._process.stdout.readline()
        if not (found := re.search(r", port (\d+)", first)):
            raise RuntimeError(f"rossim did not start: {first}")
        self.behind = int(found[1])
        self._inside = Session("127.0.0.1", self.behind, seconds=60)
        self._inside.login("console", self._own)
        self.ctl("connection", "tcp", "192.168.88.9:40000", "203.0.113.9:443", "-", "1d")
        self._open()
        return self

    def __exit__(self, *_) -> None:
        self._closing = True
        self._shut()
        self._inside.close()
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()
        for thread in self._threads:  # one that is awake while Python ends may crash it
            thread.join(5)

    def _begin(self, work, *args) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def ask(self, *words: str):
        """As the router itself."""
        with self._lock:
            self._note_password(words)
            return self._inside.ask(*words)

    def ctl(self, *words: str) -> str:
        return subprocess.run([str(self.rossim), "ctl", str(self.control), *words], check=True, capture_output=True, text=True).stdout

    def _open(self) -> None:
        with self._lock:
            if self._listener is not None or self._closing:
                return
            self._listener = socket.create_server((self.address, self.port), backlog=64)
            self.port = self._listener.getsockname()[1]
            self._begin(self._accept, self._listener)

    def _shut(self) -> None:
        """No new connections, and those that are there end."""
        with self._lock:
            listener, self._listener = self._listener, None
            clients, self._clients = self._clients, set()
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for client in clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._clients.add(client)
            self._begin(self._serve, client)

    # One client -----------------------------------------------------------------------------------------------

    def _serve(self, client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if "not-routeros" in self.lies:
            client.sendall(b"SSH-2.0-server\r\n")
            client.close()
            return
        try:
            router = socket.create_connection(("127.0.0.1", self.behind))
        except OSError:
            client.close()
            return
        router.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        send_lock, user = threading.Lock(), {}
        behind: dict[str, str] = {}  # by tag: the menu that is followed when the sentence has ended

        def say(*sentences: list[str]) -> None:
            with send_lock, contextlib.suppress(OSError):
                client.sendall(b"".join(map(encode, sentences)))

        back = threading.Thread(target=self._relay_back, args=(router, say, client, behind), daemon=True)
        back.start()
        decoder = Decoder()
        try:
            while data := client.recv(65536):
                for words in decoder.feed(data):
                    self._one(words, user, say, router, behind)
        except OSError:
            pass
        finally:
            with contextlib.suppress(OSError):
                router.shutdown(socket.SHUT_RDWR)
            back.join(5)
            router.close()
            client.close()
            with self._lock:
                self._clients.discard(client)

    def _one(self, words: list[str], user: dict, say, router: socket.socket, behind: dict[str, str]) -> None:
        command, given = words[0], attributes(words)
        if command == "/login":
            user["name"] = given.get("name", "")
        tag = [f".tag={given['.tag']}"] if ".tag" in given else []
        try:
            answer, afterwards = self._own_answer(command, given, user.get("name", ""))
        except Stop as stop:
            say(["!trap", *tag, f"=message={stop}"], ["!done", *tag])
            return
        if answer is not None:
            say(*[[kind, *tag, *rest] for kind, *rest in answer])
            if afterwards is not None:
                self._begin(afterwards)
            return
        if command.endswith("address-list/remove"):
            self._removed.update(given.get(".id", given.get("numbers", "")).split(","))
        menu = command.rpartition("/")[0]
        if menu in ("/ip/service", "/ip/address", "/ipv6/address") and not command.endswith(("print", "listen")):
            behind[given.get(".tag", "")] = menu
        self._note_password(words)
        if "lost-row" in self.lies and command.endswith("address-list/add") and given.get("address") == "198.19.0.7":
            behind[given.get(".tag", "")] = "lost"
        if "late-row" in self.lies and LATE_LIST in given.get("list", "") + given.get("script", "") and not self.late.is_set():
            self.late.set()
            time.sleep(LATE_S)
        router.sendall(encode(words))

    def _note_password(self, words) -> None:
        """rossim prints no passwords; a restart of the machine keeps them."""
        given = attributes(list(words))
        if words[0] not in ("/user/add", "/user/set") or "password" not in given:
            return
        name = given.get("name")
        if name is None:
            name = next((row["name"] for row in self._inside.ask("/user/print").rows if row[".id"] == given.get(".id")), "")
        self._passwords[name] = given["password"]

    def _relay_back(self, router: socket.socket, say, client: socket.socket, behind: dict[str, str]) -> None:
        decoder = Decoder()
        try:
            while data := router.recv(65536):
                for words in decoder.feed(data):
                    reported = self._reported(words)
                    if reported is not None:
                        say(reported)
                    if words[0] == "!done" and (menu := behind.pop(attributes(words).get(".tag", ""), None)):
                        self.lose(words) if menu == "lost" else self.follow(menu)
        except (OSError, ApiError):
            pass
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def lose(self, added: list[str]) -> None:
        """Removes the row that was just added, and no listener is told."""
        ident = attributes(added).get("ret", "")
        self._lost.add(ident)
        self.ask("/ip/firewall/address-list/remove", f"=.id={ident}")

    def _reported(self, words: list[str]) -> list[str] | None:
        """A reply of rossim as clients see it; None: not at all."""
        if "lost-row" in self.lies and "=.dead=true" in words and {word[5:] for word in words if word.startswith("=.id=")} & self._lost:
            return None
        if "listen-expiry" in self.lies and "=.dead=true" in words:
            ids = {word[5:] for word in words if word.startswith("=.id=")}
            if not ids & self._removed:
                return None
        if "duplicate-text" in self.lies:
            words = [word.replace("already have such entry", "already have this entry") for word in words]
        if "timeout-rounding" in self.lies:
            words = [re.sub(r"^=timeout=1m39s$", "=timeout=1m40s", word) for word in words]
        return words

    # What rossim does not play --------------------------------------------------------------------------------

    def _own_answer(self, command: str, given: dict, user: str):
        """Replies (nothing: rossim has them), and what is done when they were sent."""
        if command == "/system/reboot":
            self._need(user, "reboot")
            return [("!done",)], self.reboot
        if command == "/system/clock/set":
            self._need(user, "write")
            self.set_clock(given)
            return [("!done",)], None
        if command == "/console/inspect":
            return [*self._inspected(given), ("!done",)], None
        if command == "/execute" and self._is_for_model(given.get("script", "")):
            self._need(user, "write")
            if "as-string" in given:
                lines = self.run_script(given["script"])
                return [("!done", "=ret=" + "".join(line + "\r\n" for line in lines))], lambda: self.follow("/ip/service")
            return [("!done", "=ret=*1A")], lambda: self.run_script(given["script"], follows=True)
        return None, None

    @staticmethod
    def _is_for_model(script: str) -> bool:
        """Whole blocks; what bulk writers send is rossim's own."""
        return bool(re.search(r"\A\s*(#|\{|/export)|:delay|\bfind where\b|:typeof", script))

    def _need(self, user: str, policy: str) -> None:
        row = next((row for row in self.ask("/user/print").rows if row.get("name") == user), {})
        group = next((g for g in self.ask("/user/group/print").rows if g.get("name") == row.get("group")), {})
        if policy not in group.get("policy", "").split(","):
            raise Stop("not enough permissions (9)")

    def _inspected(self, given: dict) -> list[tuple]:
        path = "/" + "/".join(part for part in given.get("path", "").split(",") if part)
        if given.get("request") != "child":
            raise Stop("not simulated: " + given.get("request", ""))
        found = children(self.schema, self.console, path)
        if "schema" in self.lies and path == "/ip/firewall/address-list/add":
            found = [item for item in found if item[0] != "timeout"] + [("lifetime", "arg")]
        return [("!re", "=type=child", f"=name={name}", f"=node-type={kind}") for name, kind in found]

    def set_clock(self, given: dict) -> None:
        row = self.ask("/system/clock/print").rows[0]
        now = datetime.datetime.fromisoformat(f"{row['date']} {row['time']}")
        wanted = datetime.datetime.fromisoformat(f"{given.get('date', row['date'])} {given.get('time', row['time'])}")
        self.ctl("clock", f"{(wanted - now).total_seconds():g}")

    def reboot(self) -> None:
        if self.restart is not None:
            self.restart()
            return
        self._shut()
        self._inside.close()
        self.ctl("reboot", f"{self.away_s:g}")
        end = time.monotonic() + 60
        while True:
            try:
                inside = Session("127.0.0.1", self.behind, seconds=60)
                inside.login("console", self._own)
                break
            except ApiError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        with self._lock:
            self._inside = inside
        self.follow("/ip/service")

    def follow(self, menu: str) -> None:
        """What a menu says becomes so."""
        if menu != "/ip/service":
            self.addresses()
            return
        rows = [row for row in self.ask("/ip/service/print").rows if row.get("name") == "api" and row.get("dynamic") != "true"]
        if rows and rows[0].get("disabled") == "true":
            self._shut()
        else:
            self._open()

    # Scripts --------------------------------------------------------------------------------------------------

    def run_script(self, text: str, follows: bool = False) -> list[str]:
        """The lines that it prints; an error is the last one. `follows`: the service follows each part."""
        if text.strip() == "/export":
            return self.export()
        lines: list[str] = []
        for part in re.split(r"(?m):delay (\d+)s?(?:;|\n|$)", text):
            if part.isdigit():
                time.sleep(int(part))
                continue
            if "undo" in self.lies:
                part = re.sub(r"/routing table remove [^\n]*\n", "\n", part)
            try:
                router = ModelRouter(self.ask, self.version)
                output = router_model.Script(part.strip().strip(";") + "\n").run(router)
                lines += router.printed + output
            except SyntaxError as error:
                lines.append(f"syntax error: {error}")
            except router_model.Stop as stop:
                lines.append(str(stop))
            if follows:
                self.follow("/ip/service")
        return lines

    def export(self) -> list[str]:
        """As RouterOS does: what is set, by menu, without what the router itself made."""
        row = self.ask("/system/clock/print").rows[0]
        lines = [f"# {row['date']} {row['time']} by RouterOS {self.version}", "# software id = AAAA-0000", "#"]
        for menu in PICTURE:
            found = [r for r in self.ask(menu + "/print").rows if r.get("dynamic") != "true"]
            shown = [" ".join(f"{name}={json.dumps(value)}" for name, value in sorted(r.items()) if name != ".id" and value)
                     for r in found]
            if any(shown):
                lines += [menu.replace("/", " ").strip().join(("/", "")), *("add " + line for line in shown if line)]
        return lines

    # State on a disk ------------------------------------------------------------------------------------------

    def save(self, file: pathlib.Path) -> None:
        state = {"users": self._passwords, "groups": self.ask("/user/group/print").rows, "people": self.ask("/user/print").rows,
                 "menus": {menu: self.ask(menu + "/print").rows for menu in PICTURE},
                 "service": self.ask("/ip/service/print").rows,
                 "lists": {menu: self.ask(menu + "/print").rows for menu in LISTS.values()}}
        scratch = file.with_suffix(".new")
        scratch.write_text(json.dumps(state))
        scratch.rename(file)
        os.sync()

    @staticmethod
    def saved(file: pathlib.Path) -> dict:
        return json.loads(file.read_text()) if file.exists() else {}

    def load(self, state: dict) -> None:
        """Into a rossim that has just begun, whose admin has the saved password."""
        for row in state.get("groups", []):
            if row["name"] not in ("admin", "console"):
                self._put("/user/group", row)
        for row in state.get("people", []):
            if row["name"] not in ("admin", "console"):
                self._put("/user", {**row, "password": state["users"].get(row["name"], "")})
        for menu, rows in state.get("menus", {}).items():
            wanted = [{name: value for name, value in row.items() if name != ".id"} for row in rows]
            for row in self.ask(menu + "/print").rows:  # those that every router begins with
                ident = row.pop(".id", None)
                if row in wanted:
                    wanted.remove(row)
                elif ident is not None:
                    self.ask(menu + "/remove", f"=.id={ident}")
            for row in wanted:
                self._put(menu, row, "add" if any(".id" in one for one in rows) else "set")
        for row in state.get("service", []):
            if row.get("name") == "api" and row.get("dynamic") != "true":
                mine = next(r for r in self.ask("/ip/service/print").rows if r["name"] == "api" and r.get("dynamic") != "true")
                name = "available-from" if "available-from" in row else "address"
                self.ask("/ip/service/set", f"=.id={mine['.id']}", f"=disabled={row['disabled']}", f"=address={row.get(name, '')}")
        for menu, rows in state.get("lists", {}).items():
            for row in rows:
                if row.get("dynamic") != "true":
                    self._put(menu, {name: row[name] for name in ("list", "address", "comment") if row.get(name)})

    def _put(self, menu: str, row: dict, verb: str = "add") -> None:
        known = self.schema["menus"][menu].get(verb, {})
        words = [f"={name}={value}" for name, value in row.items() if (name in known or name == "password") and value]
        reply = self.ask(f"{menu}/{verb}", *words)
        if reply.traps:
            print(f"stand-in: {menu} {row}: {reply.trap}", file=sys.stderr)
