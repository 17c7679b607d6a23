"""Just enough of RouterOS's scripting language and menus to run what `steerdnsd --routeros-setup` prints.

Written from MikroTik's manual and from what routers of several versions answered, and strict: what neither promises is an
error here. Where versions differ or nothing is known (`Doubts`), a test tries each way. It does not prove that a router
takes the commands; it shows that they have the intended effect.
"""
import dataclasses
import re


class Stop(Exception):
    """`:error`, or a command that a router refuses: the rest of the block is not run."""


@dataclasses.dataclass(frozen=True)
class Doubts:
    empty_list_is_text: bool = False  # `get` of an empty list: an empty text, over which `:foreach` goes once
    # Since 7.19 `/ip service` lists each open connection as a dynamic row with the service's name.
    connections: bool = False
    # 7.24 reads `address` of `/ip service` as `available-from`. What `get` then says of `address`: "same", "empty" or "gone".
    renamed_address: str = ""
    # Since 7.21 `advertise-dns` of `/ipv6 nd` is a choice of three; before, it was a flag.
    advertise_self: bool = False


LISTS = {"address", "dns-server", "dns", "servers"}  # of addresses
SINGLE = {"/ip dns", "/system resource"}  # one row without a number
NAME_LISTS = {"dhcp-option"}
FLAGS = {"disabled", "advertise-dns", "dynamic", "allow-remote-requests"}
CHOICES = {"advertise-dns": ("no", "self", "yes")}
UNIQUE = {"/user": "name", "/user group": "name", "/routing table": "name", "/system script": "name"}
# (menu, property) names a row of (menu, property), which cannot be removed while it is named.
NAMES = {("/user", "group"): ("/user group", "name"), ("/ip route", "routing-table"): ("/routing table", "name"),
         ("/ipv6 route", "routing-table"): ("/routing table", "name"),
         ("/ip firewall mangle", "new-routing-mark"): ("/routing table", "name"),
         ("/ipv6 firewall mangle", "new-routing-mark"): ("/routing table", "name"),
         ("/ip firewall mangle", "in-interface-list"): ("/interface list", "name"),
         ("/ipv6 firewall mangle", "in-interface-list"): ("/interface list", "name")}


class Router:
    """Menus by path: rows by id, each a dictionary of what is set. Every router has a version."""

    def __init__(self, menus, doubts=Doubts()):
        self.menus, self.doubts, self.last, self.writes_left = {}, doubts, 0, None
        for menu, rows in {"/system resource": [{"version": "7.21.5 (stable)"}], **menus}.items():
            for row in rows:
                self.add(menu, row)

    def picture(self):
        return {menu: list(rows.values()) for menu, rows in self.menus.items() if rows}

    def rows(self, menu):
        return self.menus.setdefault(menu, {})

    def put(self, text):
        self.printed.append(text_of(text))

    def write(self):
        """Counts a write of a script. After `writes_left` of them the router refuses: the script stops there."""
        if self.writes_left == 0:
            raise Stop("no more writes")
        if self.writes_left is not None:
            self.writes_left -= 1

    def add(self, menu, values):
        self.last += 1
        self.rows(menu)[f"*{self.last:X}"] = {}
        try:
            self.set(menu, f"*{self.last:X}", values)
        except Stop:
            del self.rows(menu)[f"*{self.last:X}"]
            raise

    def place_before(self, menu, places):
        """The row added last, moved to before the one that `place-before` names."""
        if not isinstance(places, list) or len(places) != 1:
            raise Stop(f"{menu}: place-before names {places}")
        order = list(self.rows(menu))
        order.insert(order.index(places[0]), order.pop())
        self.menus[menu] = {key: self.menus[menu][key] for key in order}

    def set(self, menu, key, values):
        row = dict(self.rows(menu)[key])
        if row.get("dynamic"):
            raise Stop(f"failure: this is configured elsewhere ({menu}/set {key} = {row['name']})")
        for name, value in values.items():
            if name in LISTS and menu != "/user" and isinstance(value, str):
                value = value.split(",") if value else []
                if not all(re.fullmatch(r"[0-9a-f.:/]+", item) for item in value):
                    raise Stop(f"{menu}: {name} cannot be {value}")
            if name in NAME_LISTS and isinstance(value, str):
                value = value.split(",") if value else []
            if self.doubts.advertise_self and name in CHOICES:
                if value not in CHOICES[name]:
                    raise Stop(f"{menu}: input does not match any value of {name}: {value!r}")
            elif name in FLAGS and isinstance(value, str):
                if value not in ("yes", "no"):
                    raise Stop(f"{menu}: {name} is neither yes nor no but {value!r}")
                value = value == "yes"
            row[name] = value
            if value in ("", None) or (name in NAME_LISTS and not value):
                del row[name]
        unique = UNIQUE.get(menu)
        if any(k != key and unique and r[unique] == row.get(unique) for k, r in self.rows(menu).items()):
            raise Stop(f"{menu}: already have {row}")
        for (where, name), (there, known) in NAMES.items():
            if where == menu and name in row and all(r[known] != row[name] for r in self.rows(there).values()):
                raise Stop(f"{menu}: {name} cannot be {row[name]}")
        self.rows(menu)[key] = row

    def remove(self, menu, key):
        for (where, name), (there, known) in NAMES.items():
            if there == menu and any(r.get(name) == self.rows(menu)[key][known] for r in self.rows(where).values()):
                raise Stop(f"{menu}: {key} is in use by {where}")
        del self.rows(menu)[key]

    def get(self, menu, key, name):
        value = self.rows(menu)[key].get(name, [] if name in LISTS | NAME_LISTS else None)
        if menu == "/ip service" and name == "address" and self.doubts.renamed_address in ("empty", "gone"):
            value = []
        return "" if value == [] and self.doubts.empty_list_is_text else value

    def get_all(self, menu, key):
        """`get` without a name: what is set, by name. `/ip service` also says that its list is empty."""
        out = {name: self.get(menu, key, name) for name in self.rows(menu)[key]}
        if menu == "/ip service" and not self.rows(menu)[key].get("dynamic"):
            out["address"] = self.get(menu, key, "address")
            if self.doubts.renamed_address:
                out["available-from"] = self.rows(menu)[key].get("address", "" if self.doubts.empty_list_is_text else [])
            if self.doubts.renamed_address == "gone":
                del out["address"]
        return out

    def only(self, menu, name):
        """A row by its name, as `/ip service` has it. By what order a name of several rows finds one is not known."""
        found = [k for k, r in self.rows(menu).items() if r.get("name") == name]
        if len(found) != 1:
            raise Stop(f"{menu}: {len(found)} items have the name {name}")
        return found[0]


def text_of(value):
    if isinstance(value, list):
        return ";".join(value)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


class Script:
    """A script as a list of functions of (router, scopes)."""

    def __init__(self, text):
        text = re.sub(r"\\\n *", "", text)  # a command that goes on in the next line
        self.text, self.at, self.groups, self.path, self.is_condition = text, 0, (), "", False
        self.calls = []  # each command of a menu: (menu, command, names of its arguments, names of properties that it reads)
        self.commands = self.block("")

    def run(self, router):
        """Each command of the top on its own, as a terminal does; what `:error` and routers say. router.printed: `:put`."""
        output, router.printed = [], []
        for command in self.commands:
            try:
                command(router, [{}])
            except Stop as stop:
                output.append(str(stop))
        return output

    # ---- parsing

    def fail(self, what):
        raise SyntaxError(f"{what} at {self.text[self.at:self.at + 60]!r}")

    def skip(self, pattern=r"[ ]*"):
        self.at = re.compile(pattern).match(self.text, self.at).end()

    def take(self, pattern):
        found = re.compile(pattern).match(self.text, self.at)
        if found:
            self.at, self.groups = found.end(), found.groups()
        return found

    def need(self, pattern):
        return self.take(pattern) or self.fail(f"no {pattern}")

    def block(self, end):
        out = []
        while True:
            self.skip(r"(?:[ \n;]|(?<=\n)#[^\n]*|\A#[^\n]*)*")
            if self.at == len(self.text) if end == "" else self.take(re.escape(end)):
                return out
            out.append(self.command())
            if not re.compile(r"[ ]*(?:[\n;}]|\Z)").match(self.text, self.at):
                self.fail("the end of a command is missing")

    def body(self):
        self.need(r"[ ]+do=\{")
        return self.inner()

    def inner(self):
        commands = self.block("}")

        def run(router, scopes):
            inside = scopes + [{}]
            for command in commands:
                command(router, inside)
        return run

    def command(self):
        if self.take(r"\{"):
            return self.inner()
        if self.take(r":local "):
            name, value = self.need(r"(\w+) ")[1], self.value()
            return lambda router, scopes: scopes[-1].update({name: value(router, scopes)})
        if self.take(r":set "):
            return self.assign(self.need(r"(\w+) ")[1], self.value())
        if self.take(r":if "):
            return self.branch(self.value(), self.body())
        if self.take(r":foreach "):
            name = self.need(r"(\w+) in=")[1]
            return self.loop(name, self.value(), self.body())
        if self.take(r":error "):
            value = self.value()

            def error(router, scopes):
                raise Stop(value(router, scopes))
            return error
        if self.take(r":put "):
            value = self.value()
            return lambda router, scopes: router.put(value(router, scopes))
        for name, function in (("len", self.len), ("tostr", text_of), ("typeof", self.typeof), ("find", self.find),
                               ("pick", self.pick)):
            if self.take(f":{name} "):
                arguments = [self.value()]
                while self.take(r"[ ]+(?=[\[\(\$\"\w])"):
                    arguments.append(self.value())
                return lambda router, scopes, f=function: f(*(a(router, scopes) for a in arguments))
        return self.menu(self.need(r"((?:/[a-z0-9 -]+?)?) ?\b(add|set|get|find|remove)\b"))

    def menu(self, found):
        path, verb = found[1], found[2]
        words, values, conditions, plain = [], {}, [], []
        outer, self.path = self.path, path or self.path
        path = self.path
        if self.take(r" where\b"):
            while self.take(r"(?: and)? ([a-z][a-z0-9-]*)(=|~)"):
                name, how = self.groups
                self.is_condition = True
                conditions.append((name, how, self.value()))
                self.is_condition = False
        else:
            while self.take(r" +(?=[^ }\]\n;])"):
                if self.take(r"!([a-z][a-z0-9-]*)"):
                    values[self.groups[0]] = lambda router, scopes: None
                elif self.take(r"([a-z][a-z0-9-]*)="):
                    name = self.groups[0]
                    values[name] = self.value()
                else:
                    if bare := re.compile(r"[a-z][a-z0-9-]*(?=[ \n;}\]]|\Z)").match(self.text, self.at):
                        plain.append(bare[0])
                    words.append(self.value())
        self.path = outer
        reads = [name for name, _, _ in conditions]
        if verb == "get" and plain:
            reads.append(plain[-1])
        self.calls.append((path, verb, [*values, *(plain if verb in ("add", "set") else [])], reads))

        def run(router, scopes):
            w = [word(router, scopes) for word in words]
            v = {name: value(router, scopes) for name, value in values.items()}
            if verb == "find":
                return [key for key, row in router.rows(path).items() if all(
                    re.search(c(router, scopes), text_of(row.get(n))) if how == "~" else
                    text_of(row.get(n)) == c(router, scopes) for n, how, c in conditions)]
            if verb not in ("get", "find"):
                router.write()
            if verb == "add":
                before = v.pop("place-before", None)
                router.add(path, {**v, **{word: True for word in w}})
                return router.place_before(path, before) if before is not None else None
            if path in SINGLE:
                w.insert(0, list(router.rows(path))[0])
            keys = w[0] if isinstance(w[0], list) else [w[0] if w[0].startswith("*") else router.only(path, w[0])]
            if verb == "get":
                return router.get(path, keys[0], w[1]) if len(w) > 1 else router.get_all(path, keys[0])
            for key in keys:
                router.set(path, key, v) if verb == "set" else router.remove(path, key)
            return None
        return run

    def value(self):
        if self.take(r'"((?:[^"\\]|\\.)*)"'):
            text = re.sub(r"\\([0-9A-F]{2}|.)", lambda m: chr(int(m[1], 16)) if len(m[1]) == 2 else m[1],
                          self.groups[0])
            return lambda router, scopes: text
        if self.take(r"\$(\w+)"):
            return self.variable(self.groups[0])
        if self.take(r"\["):
            command = self.command()
            self.need(r"\]")
            return command
        if self.take(r"\("):
            value = self.value()
            if self.take(r'->"([a-z-]+)"'):
                value = self.item(value, self.groups[0])
            while found := self.take(r" (\.|\+|-|=|!=|>) "):
                value = self.joined(found[1], value, self.value())
            self.need(r"\)")
            return value
        word = self.need(r"([^ \]\)};\n\"\$\[\(]+)")[1]
        if re.fullmatch(r"[0-9a-f.:]+/[0-9]+", word) and self.is_condition:
            self.fail("a prefix is compared with a text and finds nothing: quote it, before")
        return lambda router, scopes: int(word) if word.isdigit() else word

    # ---- meaning

    @staticmethod
    def scope_of(name, scopes):
        for scope in reversed(scopes):
            if name in scope:
                return scope
        raise Stop(f"${name} is nowhere")

    def variable(self, name):
        return lambda router, scopes: self.scope_of(name, scopes)[name]

    def assign(self, name, value):
        return lambda router, scopes: self.scope_of(name, scopes).update({name: value(router, scopes)})

    @staticmethod
    def branch(condition, body):
        def run(router, scopes):
            holds = condition(router, scopes)
            if not isinstance(holds, bool):
                raise Stop(f"{holds!r} is not true and not false")
            if holds:
                body(router, scopes)
        return run

    @staticmethod
    def loop(name, values, body):
        def run(router, scopes):
            items = values(router, scopes)
            for item in items if isinstance(items, list) else [] if items is None else [items]:
                body(router, scopes + [{name: item}])
        return run

    @staticmethod
    def joined(how, a, b):
        def run(router, scopes):
            x, y = a(router, scopes), b(router, scopes)
            return {".": lambda: text_of(x) + text_of(y), "+": lambda: x + y, "-": lambda: x - y, "=": lambda: x == y,
                    "!=": lambda: x != y, ">": lambda: x > y}[how]()
        return run

    @staticmethod
    def item(value, name):
        return lambda router, scopes: value(router, scopes).get(name)

    @staticmethod
    def len(value):
        return 0 if value is None else len(value)

    @staticmethod
    def typeof(value):
        return "nil" if value is None else "num" if isinstance(value, int) else "str"

    @staticmethod
    def find(text, part):
        return text.index(part) if part in text else None

    @staticmethod
    def pick(text, first, last):
        if not 0 <= first <= last <= len(text):
            raise Stop(f"there is no {first} to {last} of {text!r}")
        return text[first:last] or None
