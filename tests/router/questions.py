"""What we do not know of RouterOS for certain: one row of QUESTIONS each, and the function that asks a router.

The same functions ask the simulator, and its answers are what we assume. An answer is a short text that does not depend on ids,
times or names of the router. A function may raise NotAsked with a reason. Rows are written in a list of their own, with a timeout
where a timeout is not what is asked; each is removed by its id.

`sure` says how sure we were before this router was asked: open (we found no answer), low, medium, high.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable

from api import ApiError, Closed, Reply, Session, attributes

LIST, COMMENT = "steerdns-facts", "steerdns router test, may be removed"
V4, V6 = "/ip/firewall/address-list", "/ipv6/firewall/address-list"


class NotAsked(Exception):
    """The reason, for the report."""


class Asker:
    """One router (or the simulator) as the questions see it."""

    def __init__(self, open_session: Callable[[str], Session], login: Callable[[Session], None], version: str, interface: str,
                 is_model: bool = False):
        self.open, self.login, self.version, self.interface, self.is_model = open_session, login, version, interface, is_model
        self.session = self.fresh()
        self._rows: list[tuple[str, str]] = []

    def fresh(self, channel: str = "questions") -> Session:
        session = self.open(channel)
        self.login(session)
        return session

    def ask(self, *words: str, seconds: float = 30) -> Reply:
        return self.session.ask(*words, seconds=seconds)

    def add(self, menu: str, *words: str, list_: str = LIST, comment: str = COMMENT) -> Reply:
        """An add whose row is removed later."""
        given = [*([f"=list={list_}"] if list_ else []), *([f"=comment={comment}"] if comment else []), *words]
        reply = self.ask(menu + "/add", *given)
        if reply.ret:
            self._rows.append((menu, reply.ret))
        return reply

    def row(self, menu: str, ident: str | None) -> dict[str, str]:
        return next(iter(self.ask(menu + "/print", f"?.id={ident}").rows), {})

    def clean_up(self) -> list[str]:
        """What could not be removed, in words."""
        left = []
        for menu, ident in reversed(self._rows):
            reply = self.ask(menu + "/remove", f"=.id={ident}")
            if reply.traps and "no such item" not in reply.trap:
                left.append(f"{menu} {ident}: {reply.trap}")
        self._rows.clear()
        return left

    def script(self, text: str) -> str:
        reply = self.ask("/execute", f"=script={text}", "=as-string=")
        return f"refused: {reply.trap}" if reply.traps else (reply.ret or "")


def outcome(reply: Reply) -> str:
    """`done`, or the trap's text with its category."""
    if reply.fatal:
        return f"fatal: {reply.fatal}"
    if not reply.traps:
        return "done"
    trap = reply.traps[0]
    return f"trap{' ' + trap['category'] if 'category' in trap else ''}: {plain(trap.get('message', ''))}"


def plain(text: str) -> str:
    return re.sub(r"\*[0-9A-Fa-f]+", "*N", text)


def kinds(reply: Reply) -> str:
    return ", ".join(" ".join([words[0], *sorted(word.partition("=")[0] + "=" + word[1:].partition("=")[0] for word in words[1:])])
                     for words in reply.words)


@dataclasses.dataclass(frozen=True)
class Question:
    id: str
    sure: str
    text: str
    ask: Callable[[Asker], str]


QUESTIONS: list[Question] = []


def question(ident: str, sure: str, text: str):
    def take(function: Callable[[Asker], str]):
        QUESTIONS.append(Question(ident, sure, text, function))
        return function
    return take


# Address lists ---------------------------------------------------------------------------------------------------

def kept(menu: str, address: str) -> Callable[[Asker], str]:
    """As what an address is kept."""
    def ask(a: Asker) -> str:
        reply = a.add(menu, f"=address={address}", "=timeout=60s")
        return "kept as " + a.row(menu, reply.ret).get("address", "nothing") if reply.ret else outcome(reply)
    return ask


for _ident, _sure, _menu, _address in (
        ("host-bits", "high", V4, "203.0.113.77/24"), ("length-32", "high", V4, "203.0.113.1/32"),
        ("range-prefix", "high", V4, "203.0.113.0-203.0.113.127"), ("range-other", "high", V4, "203.0.113.3-203.0.113.9"),
        ("ipv6-host", "high", V6, "2001:DB8:0:0::1"), ("ipv6-mapped", "high", V6, "::ffff:198.51.100.9"),
        ("ipv6-hexadecimal", "high", V6, "2001:db8::ffff:102:304"), ("ipv6-range", "high", V6, "2001:db8::1-2001:db8::9"),
        ("short-range", "medium", V4, "203.0.113.1-254"), ("bad-name", "high", V4, "not a name"),
        ("bad-name-ipv6", "high", V6, "not a name")):
    question(_ident, _sure, f"{_menu}: an add of {_address}")(kept(_menu, _address))


@question("duplicate-form", "high", "an add of an address that is there, written differently (host bits)")
def _(a: Asker) -> str:
    a.add(V4, "=address=203.0.113.0/24", "=timeout=60s")
    return outcome(a.add(V4, "=address=203.0.113.5/24", "=timeout=60s"))


@question("same-address-other-list", "high", "the same address in another list")
def _(a: Asker) -> str:
    a.add(V4, "=address=192.0.2.1", "=timeout=60s")
    return outcome(a.add(V4, "=address=192.0.2.1", "=timeout=60s", list_=LIST + "-2"))


@question("timed-row", "high", "which properties a row with a timeout has")
def _(a: Asker) -> str:
    row = a.row(V4, a.add(V4, "=address=192.0.2.2", "=timeout=1h").ret)
    return ", ".join(sorted(name for name in row)) + f"; dynamic={row.get('dynamic')}, disabled={row.get('disabled')}"


@question("static-row", "high", "which properties a row without a timeout has")
def _(a: Asker) -> str:
    row = a.row(V4, a.add(V4, "=address=192.0.2.3").ret)
    return ", ".join(sorted(name for name in row)) + f"; dynamic={row.get('dynamic')}, disabled={row.get('disabled')}"


@question("creation-time", "high", "how creation-time is written")
def _(a: Asker) -> str:
    row = a.row(V4, a.add(V4, "=address=192.0.2.4", "=timeout=60s").ret)
    return re.sub(r"[a-z]{3}", "aaa", re.sub(r"\d", "9", row.get("creation-time", "no such property")))


@question("timeout-form", "high", "how the rest of a timeout of a day and some hours is written")
def _(a: Asker) -> str:
    text = a.row(V4, a.add(V4, "=address=192.0.2.5", "=timeout=100000s").ret).get("timeout", "no such property")
    return re.sub(r"\d+", "9", text)


@question("longest-timeout", "high", "timeout=35w3d13h13m56s")
def _(a: Asker) -> str:
    return outcome(a.add(V4, "=address=192.0.2.6", "=timeout=35w3d13h13m56s"))


@question("ipv6-long-timeout", "medium", "a timeout of a year in the IPv6 menu")
def _(a: Asker) -> str:
    reply = a.add(V6, "=address=2001:db8::6", "=timeout=365d")
    if not reply.ret:
        return outcome(reply)
    row = a.row(V6, reply.ret)
    return "the row is gone at once" if not row else "it has " + re.sub(r"[0-9]+", "9", row.get("timeout", "no timeout"))


@question("timeout-rounding", "open", "what is printed within the first second after timeout=100s")
def _(a: Asker) -> str:
    begin = time.monotonic()
    row = a.row(V4, a.add(V4, "=address=192.0.2.7", "=timeout=100s").ret)
    if time.monotonic() - begin > 0.8:
        raise NotAsked("the router was too slow to tell")
    left = row.get("timeout", "")
    return {"1m40s": "100 s: rounded up", "1m39s": "99 s: rounded down"}.get(left, left)


@question("set-timed", "high", "set of timeout on a row that has one")
def _(a: Asker) -> str:
    ident = a.add(V4, "=address=192.0.2.8", "=timeout=60s").ret
    reply = a.ask(V4 + "/set", f"=.id={ident}", "=timeout=1h")
    return f"{outcome(reply)}; it has {re.sub(r'[0-9]+', '9', a.row(V4, ident).get('timeout', 'none'))}"


@question("set-no-timeout", "open", "set of an empty timeout on a row that has one")
def _(a: Asker) -> str:
    ident = a.add(V4, "=address=192.0.2.9", "=timeout=60s").ret
    reply = a.ask(V4 + "/set", f"=.id={ident}", "=timeout=")
    row = a.row(V4, ident)
    return f"{outcome(reply)}; the row {'is gone' if not row else 'has a timeout' if 'timeout' in row else 'has none'}"


@question("set-comment", "high", "set of comment on a row with a timeout")
def _(a: Asker) -> str:
    ident = a.add(V4, "=address=192.0.2.10", "=timeout=60s").ret
    reply = a.ask(V4 + "/set", f"=.id={ident}", "=comment=steerdns; \"a\\b\"")
    return f"{outcome(reply)}; {a.row(V4, ident).get('comment')}"


@question("disable-timed", "medium", "disabled=yes on a row with a timeout")
def _(a: Asker) -> str:
    return outcome(a.ask(V4 + "/set", f"=.id={a.add(V4, '=address=192.0.2.11', '=timeout=60s').ret}", "=disabled=yes"))


@question("dynamic-yes", "high", "add with dynamic=yes and no timeout")
def _(a: Asker) -> str:
    reply = a.add(V4, "=address=192.0.2.12", "=dynamic=yes")
    return f"{outcome(reply)}; dynamic={a.row(V4, reply.ret).get('dynamic')}" if reply.ret else outcome(reply)


@question("nothing-given", "high", "add without any argument")
def _(a: Asker) -> str:
    return outcome(a.add(V4, list_="", comment=""))


@question("name-row", "medium", "a row of a DNS name that cannot be resolved")
def _(a: Asker) -> str:
    reply = a.add(V4, "=address=steerdns-test.invalid")
    return f"{outcome(reply)}; kept as {a.row(V4, reply.ret).get('address')}"


@question("order-of-ids", "open", "whether a row's id comes back after the row is removed")
def _(a: Asker) -> str:
    first = a.add(V4, "=address=192.0.2.13", "=timeout=60s").ret
    a.ask(V4 + "/remove", f"=.id={first}")
    return "the same id" if a.add(V4, "=address=192.0.2.13", "=timeout=60s").ret == first else "another id"


# The API ---------------------------------------------------------------------------------------------------------

@question("reply-add", "high", "the replies to an add")
def _(a: Asker) -> str:
    return kinds(a.add(V4, "=address=192.0.2.20", "=timeout=60s"))


@question("reply-set-remove", "high", "the replies to a set and a remove")
def _(a: Asker) -> str:
    ident = a.add(V4, "=address=192.0.2.21", "=timeout=60s").ret
    return kinds(a.ask(V4 + "/set", f"=.id={ident}", "=comment=x")) + "; " + kinds(a.ask(V4 + "/remove", f"=.id={ident}"))


@question("reply-nothing", "high", "the replies to a print that finds nothing")
def _(a: Asker) -> str:
    return kinds(a.ask(V4 + "/print", "?list=steerdns-no-such-list"))


@question("reply-count", "high", "the replies to print count-only")
def _(a: Asker) -> str:
    return kinds(a.ask(V4 + "/print", "=count-only=", "?list=steerdns-no-such-list"))


@question("tag-place", "medium", "where the tag stands in a reply")
def _(a: Asker) -> str:
    session = a.fresh()
    with session:
        session.send("/system/identity/print", tag="t")
        words = session.receive() or []
        return "second word" if words[1:2] == [".tag=t"] else "last word" if words[-1:] == [".tag=t"] else "elsewhere"


@question("proplist-missing", "high", ".proplist of a property that a row has not")
def _(a: Asker) -> str:
    ident = a.add(V4, "=address=192.0.2.22").ret
    return kinds(a.ask(V4 + "/print", "=.proplist=timeout", f"?.id={ident}"))


@question("query-or", "medium", "a query with ?#| over two lists")
def _(a: Asker) -> str:
    a.add(V4, "=address=192.0.2.23", "=timeout=60s")
    a.add(V4, "=address=192.0.2.23", "=timeout=60s", list_=LIST + "-2")
    rows = a.ask(V4 + "/print", "=.proplist=list", f"?list={LIST}", f"?list={LIST}-2", "?#|").rows
    return f"{len({row.get('list') for row in rows})} lists"


@question("missing-item", "high", "remove of an id that is not there")
def _(a: Asker) -> str:
    ident = a.add(V4, "=address=192.0.2.24", "=timeout=60s").ret
    a.ask(V4 + "/remove", f"=.id={ident}")
    return outcome(a.ask(V4 + "/remove", f"=.id={ident}"))


@question("unknown-argument", "high", "an argument that the command does not have")
def _(a: Asker) -> str:
    return outcome(a.ask(V4 + "/add", f"=list={LIST}", "=address=192.0.2.25", "=timeout=60s", "=steerdns=1"))


@question("unknown-command", "high", "a command that a menu does not have, and a menu that is not there")
def _(a: Asker) -> str:
    return outcome(a.ask(V4 + "/steerdns")) + "; " + outcome(a.ask("/ip/steerdns/print"))


@question("wrong-password", "high", "a wrong password, and whether the connection stays")
def _(a: Asker) -> str:
    with a.open("questions") as session:
        first = outcome(session.ask("/login", "=name=steerdns-nobody", "=password=x"))
        try:
            return f"{first}; then {outcome(session.ask('/login', '=name=steerdns-nobody', '=password=x'))}"
        except Closed:
            return f"{first}; then the connection is closed"


@question("too-many-logins", "medium", "the fifth wrong password on one connection")
def _(a: Asker) -> str:
    with a.open("questions") as session:
        for number in range(1, 7):
            try:
                reply = session.ask("/login", "=name=steerdns-nobody", "=password=x")
            except Closed:
                return f"closed at login {number}"
            if reply.fatal:
                return f"fatal at login {number}: {reply.fatal}"
        return "six are refused, and the connection stays"


@question("quit", "high", "the reply to /quit")
def _(a: Asker) -> str:
    with a.fresh() as session:
        session.send("/quit")
        try:
            words = session.receive()
        except Closed:
            return "closed without a word"
        return " ".join(words or ["nothing"])


@question("cancel", "high", "the replies when a listen is cancelled, in order")
def _(a: Asker) -> str:
    with a.fresh() as session:
        session.send(V4 + "/listen", tag="l")
        session.send("/cancel", "=tag=l", tag="c")
        received = []
        while len(received) < 5 and (words := session.receive(2)):
            values = attributes(words)
            received.append(f"{words[0]} of {values.get('.tag', '?')}" +
                         "".join(f" {n}={values[n]}" for n in ("category", "message") if n in values))
        return ", ".join(received)


def notices(a: Asker, change: Callable[[str], object], seconds: float) -> str:
    """What listen says of a row after `change(id)`; `change` is done behind the add's own report."""
    with a.fresh() as session:
        session.send(V4 + "/listen", tag="l")
        session.ask("/system/identity/print")
        ident = a.add(V4, "=address=192.0.2.30", "=timeout=3s").ret
        end, changed, received = time.monotonic() + 10, False, []
        while time.monotonic() < end:
            words = session.receive(max(0.01, end - time.monotonic()))
            if words is None:
                break
            values = attributes(words)
            if values.get(".id") != ident:
                continue
            if not changed:
                changed = True
                change(ident or "")
                end = time.monotonic() + seconds
            else:
                received.append(" ".join(sorted(f"{name}={plain(value)}" if name in (".dead", ".id") else name
                                             for name, value in values.items() if name != ".tag")))
                break
        if not changed:
            return "the add itself is not reported"
        return "; ".join(received) or "nothing"


@question("listen-remove", "high", "what listen says of a row that is removed")
def _(a: Asker) -> str:
    return notices(a, lambda ident: a.ask(V4 + "/remove", f"=.id={ident}"), 2)


@question("listen-set", "open", "what listen says of a row whose timeout is set again")
def _(a: Asker) -> str:
    return notices(a, lambda ident: a.ask(V4 + "/set", f"=.id={ident}", "=timeout=60s"), 2)


@question("listen-connections", "medium", "listen on connection tracking")
def _(a: Asker) -> str:
    return listened(a, "/ip/firewall/connection/listen")


@question("listen-leases", "medium", "listen on DHCP leases")
def _(a: Asker) -> str:
    return listened(a, "/ip/dhcp-server/lease/listen")


def listened(a: Asker, command: str) -> str:
    with a.fresh() as session:
        session.send(command, tag="l")
        session.ask("/system/identity/print")
        while words := session.receive(0.5):
            if words[0] == "!trap":
                return outcome_of(words)
            if words[0] == "!done":
                return "ends at once"
        return "accepted"


def outcome_of(words: list[str]) -> str:
    reply = Reply()
    reply.take(words)
    return outcome(reply)


@question("pipelined", "open", "64 sentences that are sent at once: are all answered, in which order")
def _(a: Asker) -> str:
    with a.fresh() as session:
        for number in range(64):
            session.send(V4 + "/print", "=count-only=", "?list=steerdns-no-such-list", tag=f"p{number}")
        order = []
        while len(order) < 64 and (words := session.receive(10)):
            if words[0] == "!done":
                order.append(attributes(words).get(".tag"))
        return f"{len(order)} answered, {'in order' if order == [f'p{n}' for n in range(64)] else 'out of order'}"


@question("max-sessions", "open", "what a client sees that is one more than max-sessions")
def _(a: Asker) -> str:
    rows = [row for row in a.ask("/ip/service/print").rows if row.get("name") == "api" and row.get("dynamic") != "true"]
    most = int(rows[0].get("max-sessions", "0") or 0) if rows else 0
    if not 0 < most <= 40:
        raise NotAsked("max-sessions is not there, or above 40")
    held = []
    try:
        for number in range(most + 1):
            try:
                session = a.open("questions")
            except ApiError:
                return "the connection is refused"
            held.append(session)
            try:
                a.login(session)
            except Closed:
                return "connected, closed without a word"
            except ApiError as error:
                return "login: " + str(error).partition(": ")[2]
        return "it is served"
    finally:
        for session in held:
            session.close()


@question("services-listed", "high", "whether /ip/service lists connections")
def _(a: Asker) -> str:
    rows = a.ask("/ip/service/print").rows
    return "yes" if any(row.get("dynamic") == "true" for row in rows) else "no"


@question("service-address", "medium", "how /ip/service calls the addresses of its clients")
def _(a: Asker) -> str:
    names = {name for row in a.ask("/ip/service/print").rows if row.get("dynamic") != "true" for name in row}
    return ", ".join(sorted(names & {"address", "available-from"})) or "neither"


@question("resource", "high", "which of uptime, cpu-load and the counters of written sectors there are")
def _(a: Asker) -> str:
    row = next(iter(a.ask("/system/resource/print").rows), {})
    return ", ".join(name for name in ("uptime", "version", "board-name", "cpu-load", "write-sect-since-reboot", "write-sect-total") if name in row)


@question("connection-form", "medium", "whether connection tracking prints ports apart, and marks of unmarked connections")
def _(a: Asker) -> str:
    reply = a.ask("/ip/firewall/connection/print", "=.proplist=.id,dst-address,dst-port,connection-mark,protocol")
    rows = [row for row in reply.rows if row.get("protocol") in ("tcp", "udp")]
    if not rows:
        raise NotAsked("the router tracks no connection: connection tracking is off without a firewall rule")
    row = rows[0]
    ports = "dst-port apart" if "dst-port" in row else "dst-address with the port" if ":" in row.get("dst-address", "") else "no port"
    return f"{ports}; connection-mark of an unmarked one: {repr(row['connection-mark']) if 'connection-mark' in row else 'absent'}"


@question("inspect-all", "medium", "/console/inspect without .proplist: how many arguments of add it names")
def _(a: Asker) -> str:
    path = "=path=ip,firewall,address-list,add"
    some, all_ = (len(a.ask("/console/inspect", "=request=child", path, *more).rows) for more in ((), ("=.proplist=name,node-type,type",)))
    return "as many as with .proplist" if some == all_ else "fewer than with .proplist"


# Scripts ---------------------------------------------------------------------------------------------------------

@question("script-line-end", "high", "how lines of /execute as-string end")
def _(a: Asker) -> str:
    return repr(a.script(':put "a"\n:put "b"'))


@question("script-error", "high", "what as-string says of an add that is refused")
def _(a: Asker) -> str:
    a.add(V4, "=address=192.0.2.40", "=timeout=60s")
    return repr(a.script(f'/ip/firewall/address-list/add list="{LIST}" address=192.0.2.40 timeout=60s'))


@question("script-on-error", "medium", "an add that is refused, in :do on-error")
def _(a: Asker) -> str:
    a.add(V4, "=address=192.0.2.41", "=timeout=60s")
    return repr(a.script(f':do {{:put ("0 ".[/ip firewall address-list add list="{LIST}" address=192.0.2.41 timeout=60s])}} on-error={{:put "0 !"}}'))


@question("script-id", "medium", "what an add in brackets gives")
def _(a: Asker) -> str:
    text = a.script(f':put ("0 ".[/ip firewall address-list add list="{LIST}" address=192.0.2.42 timeout=60s comment="{COMMENT}"])')
    if found := re.search(r"\*[0-9A-F]+", text):
        a._rows.append((V4, found[0]))
    return repr(plain(text))


@question("script-unknown-command", "high", "a script with an unknown command in its second line")
def _(a: Asker) -> str:
    return repr(a.script(':put "a"\n/ip/steerdns/add x=1'))


@question("script-unknown-argument", "high", "a script with an unknown argument in its second line")
def _(a: Asker) -> str:
    return repr(a.script(f':put "a"\n/ip/firewall/address-list/add list="{LIST}" steerdns=1'))


@question("script-job", "high", "the reply to /execute without as-string")
def _(a: Asker) -> str:
    reply = a.ask("/execute", '=script=:put "a"')
    return f"{outcome(reply)}; ret={plain(reply.ret or 'none')}"


@question("script-size", "medium", "a script of 60,000 bytes in /execute")
def _(a: Asker) -> str:
    return repr(a.script("# " + "x" * 60_000 + '\n:put "a"'))


@question("service-by-name", "open", "which row /ip service get api reads, when connections are listed under the name")
def _(a: Asker) -> str:
    if a.is_model:
        raise NotAsked("the simulator does not have it")
    return repr(a.script(":put [:len [/ip service get api]]\n:put [/ip service get api disabled]"))


@question("script-find-prefix", "medium", "find where with a quoted prefix")
def _(a: Asker) -> str:
    a.add(V4, "=address=198.51.100.0/24", "=timeout=60s")
    return repr(a.script(f':put [:len [/ip firewall address-list find where list="{LIST}" and address="198.51.100.0/24"]]'))


def fasttrack(a: Asker, menu: str) -> str:
    """On a disabled rule: nothing is fasttracked by it."""
    reply = a.ask(menu + "/add", "=chain=forward", "=action=fasttrack-connection", "=disabled=yes", f"=comment={COMMENT}")
    if reply.traps:
        return outcome(reply)
    a._rows.append((menu, reply.ret or ""))
    path = menu.strip("/").replace("/", " ")
    return repr(a.script(f':put [:len [/{path} find where comment="{COMMENT}" and action=fasttrack-connection]]\n'
                         f':put [:len [/{path} get [/{path} find where comment="{COMMENT}"] connection-mark]]'))


@question("fasttrack-mark", "open", "what get says of the connection-mark of a FastTrack rule without one")
def _(a: Asker) -> str:
    return fasttrack(a, "/ip/firewall/filter")


@question("fasttrack-ipv6", "high", "the same in /ipv6 (RouterOS has it since 7.18)")
def _(a: Asker) -> str:
    return fasttrack(a, "/ipv6/firewall/filter")


# Other menus -----------------------------------------------------------------------------------------------------

@question("group-policies", "high", "how a group prints its policies")
def _(a: Asker) -> str:
    reply = a.ask("/user/group/add", "=name=steerdns-facts", "=policy=read,write,api")
    if reply.traps:
        return outcome(reply)
    a._rows.append(("/user/group", reply.ret or ""))
    words = a.row("/user/group", reply.ret).get("policy", "").split(",")
    return ("granted " + ",".join(sorted(word for word in words if not word.startswith("!"))) +
            ("; others with !" if any(word.startswith("!") for word in words) else "; others are not named"))


@question("nd-second", "high", "a second row of /ipv6/nd for an interface")
def _(a: Asker) -> str:
    words = (f"=interface={a.interface}", "=disabled=yes", f"=comment={COMMENT}")
    for number in (1, 2):
        reply = a.ask("/ipv6/nd/add", *words)
        if reply.traps:
            return f"row {number}: {outcome(reply)}"
        a._rows.append(("/ipv6/nd", reply.ret or ""))
    return "accepted"


@question("nd-advertise-dns", "high", "what a new row of /ipv6/nd says of advertise-dns, and whether true is taken")
def _(a: Asker) -> str:
    reply = a.ask("/ipv6/nd/add", f"=interface={a.interface}", "=disabled=yes", f"=comment={COMMENT}")
    if reply.traps:
        return outcome(reply)
    a._rows.append(("/ipv6/nd", reply.ret or ""))
    said = a.row("/ipv6/nd", reply.ret).get("advertise-dns", "absent")
    return f"{said}; true: {outcome(a.ask('/ipv6/nd/set', f'=.id={reply.ret}', '=advertise-dns=true'))}"


# Not asked of a router -------------------------------------------------------------------------------------------

def never(reason: str) -> Callable[[Asker], str]:
    def ask(_: Asker) -> str:
        raise NotAsked(reason)
    return ask


for _ident, _sure, _text, _reason in (
        ("available-from", "medium", "what a client outside available-from sees", "it could lock this test out"),
        ("api-ssl-anonymous", "medium", "which TLS versions api-ssl offers without a certificate", "this test uses the plain API"),
        ("name-rows", "medium", "which dynamic rows a row of a DNS name gets, and their timeouts", "it needs a name that the router can resolve"),
        ("import-duplicate", "medium", "whether /import stops at a row that is there", "it needs a file on the router"),
        ("rule-timeout", "medium", "add-dst-to-address-list on a row that is there", "it needs traffic through the router"),
        ("regexp-case", "medium", "whether regexp of /ip/dns/static is held against the name in lower case", "it needs clients of the router's DNS"),
        ("throttle", "medium", "whether a CHR slows down past 120 requests in a row", "it is measured below, and not compared: see speed")):
    question(_ident, _sure, _text)(never(_reason))


@dataclasses.dataclass
class Answered:
    id: str
    sure: str
    text: str
    assumed: str
    said: str
    verdict: str  # agrees, differs, not asked
    why: str = ""


def ask_all(router: Asker, model: Asker, ended: Callable[[str], None] = lambda _: None) -> list[Answered]:
    """Each question at the router and at the simulator. A lost session is opened again."""
    found = []
    for one in QUESTIONS:
        answers, why = [], ""
        for asker in (router, model):
            try:
                answers.append(one.ask(asker))
            except NotAsked as reason:
                why = why or str(reason)
                answers.append("")
            except ApiError as error:
                why = why or str(error)
                answers.append("")
                asker.session.close()
                asker.session = asker.fresh()
            left = asker.clean_up()
            if left and asker is router:
                ended("left on the router: " + "; ".join(left))
        said, assumed = answers
        if not why and "not simulated" in assumed:
            why = "the simulator does not have it"
        verdict = "not asked" if not said else "no assumption" if why else "agrees" if said == assumed else "differs"
        found.append(Answered(one.id, one.sure, one.text, assumed, said, verdict, why))
    return found
