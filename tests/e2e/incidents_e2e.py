"""docs/guides/troubleshooting-incidents.md: each incident is set up, found by the page's steps, and cured.

    incidents_e2e.py BUILD [BySteerctl]          the steps with steerctl
    incidents_e2e.py BUILD OnThePage             the steps on the page, in Chromium
    incidents_e2e.py BUILD --write [NAME…]       puts the real outputs into the page
    incidents_e2e.py BUILD --practise NAME       sets one up, and waits (tools/lab/incident)
    incidents_e2e.py BUILD --list                the names

The page is the table. Each incident is a section with these lines in this order:

    <!-- incident: NAME -->
    <!-- lab: … -->                        what happens to the lab (page_run.Page.directive)
    ```sh run=incidents                    a step: one command of steerctl; at most five
    ```text output                         what it prints; "..." stands for any lines
    <!-- finding: TEXT -->                 the last step prints this; after the cure it does not
    1. Open **…** …                        a step on the page (Window); at most five
    <!-- cure -->
    ```sh run=incidents                    the cure, beside `<!-- lab: … -->`
    ```text output                         what the cure prints

A command can differ from the printed one only by the lab's own words: a step runs on the box in a shell.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import pathlib
import re
import shlex
import signal
import socket
import sys
import threading
import unittest

import page_run
import troubleshooting_e2e
from lab.browser import NEEDED, OPTION
from lab.certificates import Authority
from lab.network import LabError, skip_without, until
from page_browser import PORT, PageBrowser
from page_lab import PageLab

PAGE = "docs/guides/troubleshooting-incidents.md"
MOST_STEPS = 5
TOKEN = "engineer-of-the-lab"  # of the box's page
VARIABLE = [*page_run.MACHINE, (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME"), (r"--before \d+", "--before N"), (r"configuration \d+ is", "configuration N is"), (r"(?<![\w*])\*[0-9A-F]+\b", "*ID"),
            (r"\d+ rows? waits?", "N rows wait"), (r"expires in (?:1 day|less than a day)", "expires in 1 day"), (r": \d+ in \d+ s, \d+ % from", ": N in N s, N % from"),
            (r"^\d+ queries read", "N queries read"), (r"^( +log +(?:database|json) +)\d+ +0 +\d+ +\d+", r"\1N")]
OTHER_UPSTREAM = "1.0.0.1"
SLOW_WRITE_US = 300_000

# The appliance of a small provider: that of the guide to troubleshooting with a history of queries, stale answers, servers and a page.
CONTROL = """\
control:
  http:
    listen: "127.0.0.1:9154"
    tokens: [ { name: engineer, role: admin, token_file: /etc/steerdns/page.token } ]

"""
RECORDER = """\
plugins:
  - tag: log
    type: query_recorder
    args: { path: /var/lib/steerdns/queries.db, json: /var/log/steerdns/queries.json }

"""
SERVERS = """
  - tag: dns
    type: udp_server
    args: { entry: main, listen: ":53" }

  - tag: dns_by_tcp
    type: tcp_server
    args: { entry: main, listen: ":53" }

  - tag: dot
    type: tcp_server
    args: { entry: main, listen: ":853", cert: /etc/steerdns/dot.pem, key: /etc/steerdns/dot.key }
"""
CONFIG = CONTROL + troubleshooting_e2e.CONFIG.replace("plugins:\n", RECORDER).replace(
    "short_circuit: true", "short_circuit: true, serve_stale: 1h, stale_client_timeout: 100ms").replace(
    '      - exec: "$ads"', '      - exec: "$log"\n      - exec: "$ads"') + SERVERS

SET_UP = f"""
echo {TOKEN} > /etc/steerdns/page.token; chmod 600 /etc/steerdns/page.token
mkdir -p /var/log/steerdns && chown steerdns /var/log/steerdns
"""

# What one incident may leave behind.
AS_BEFORE = """
systemctl stop steerdnsd
rm -rf /var/lib/steerdns /var/log/steerdns/*
mkdir -p /var/lib/steerdns && chown steerdns /var/lib/steerdns
cp -p /root/router.password /etc/steerdns/router.password
echo domain:stream.example > /etc/steerdns/tunnel.names
"""


# Menus of the pasted commands that the simulated router gets too, and what else the doctor checks.
COPIED_MENUS = ("/interface list", "/interface list member", "/user group", "/user", "/routing table", "/ip route", "/ip firewall filter",
                "/ip firewall nat", "/ip dhcp-server network", "/ip firewall mangle")
MADE_BY_ROSSIM = ("main", "admin", "steerdns")
MORE_MENUS = [
    ["/ip/address/add", {"address": "192.168.88.1/24", "interface": "bridge"}],
    ["/ip/address/add", {"address": "172.16.1.1/24", "interface": "ether5"}],
    ["/ip/pool/add", {"name": "lan", "ranges": "192.168.88.10-192.168.88.200"}],
    ["/ip/dhcp-server/add", {"name": "lan", "interface": "bridge", "address-pool": "lan"}],
    ["/ip/dns/set", {"servers": "172.16.1.2"}],
]


def api_text(value) -> str:
    """A value of the model as a sentence of the API has it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(value) if isinstance(value, list) else str(value)


@dataclasses.dataclass
class Incident:
    name: str
    title: str
    line: int
    setup: list = dataclasses.field(default_factory=list)       # (line, directive)
    steps: list = dataclasses.field(default_factory=list)       # [block, block of its output or None]
    finding: str = ""
    page_steps: list = dataclasses.field(default_factory=list)  # (line, sentence)
    cure: list = dataclasses.field(default_factory=list)        # (line, directive), (line, block)

    @property
    def anchor(self) -> str:
        return re.sub(r"[^a-z0-9 -]", "", self.title.lower()).replace(" ", "-")


class Exam(page_run.Page):
    """The page as a table of incidents, and what can be done to the lab."""

    def __init__(self, lab: Lab):
        super().__init__(PAGE, "incidents", lab, VARIABLE, CONFIG)
        self.lab = lab
        self.printed = ""  # by the last step
        self.incidents = self.read()

    def read(self) -> list[Incident]:
        found: list[Incident] = []
        title, part = "", ""
        lines = self.text.splitlines()
        blocks = {step.line: step for _, step in self.steps() if not isinstance(step, str)}
        for number, line in enumerate(lines, 1):
            now = found[-1] if found else None
            if line.startswith("### "):
                title, part = line[4:], ""
            elif comment := re.fullmatch(r"<!-- (incident|finding|cure|lab)(?:: (.*))? -->", line):
                word, text = comment.groups()
                if word == "incident":
                    found.append(Incident(text, title, number))
                    part = "setup"
                elif word == "finding":
                    now.finding = text
                elif word == "cure":
                    part = "cure"
                elif part:
                    (now.setup if part == "setup" else now.cure).append((number, text))
            elif part and re.match(r"\d\. ", line) and part != "cure":
                text = line[3:]
                while lines[number].startswith("   "):  # the item's next line
                    text += " " + lines[number].strip()
                    number += 1
                now.page_steps.append((number, text))
            elif part and (block := blocks.get(number)):
                if part == "cure":
                    now.cure.append((number, block))
                elif block.language == "text":
                    now.steps[-1][1] = block
                else:
                    now.steps.append([block, None])
        return found

    def find(self, name: str) -> Incident:
        for incident in self.incidents:
            if incident.name == name:
                return incident
        raise LabError(f"there is no incident '{name}'; there are {', '.join(one.name for one in self.incidents)}")

    # One incident ----------------------------------------------------------------------------------------------

    def set_up(self, incident: Incident) -> None:
        self.lab.as_before()
        for line, directive in incident.setup:
            self.at(line, lambda: self.directive(directive))

    def find_by_steerctl(self, incident: Incident, write: bool = False) -> None:
        for block, output in incident.steps:
            def step(block=block, output=output):
                self.printed = self.block(block)
                if output is not None:
                    self.compare(output, self.printed, write)
            self.at(block.line, step)
        self.has_found(incident, self.printed)

    def compare(self, block, printed: str, write: bool) -> None:
        """What is written is only the decisive part: the problems of `status`, of `explain` the way, of `doctor` the problem."""
        if write and not page_run.same(block.text, printed, self.variable):
            if problems := re.search(r"^problems\n(?:  .*\n)*", printed, re.MULTILINE):
                printed = f"...\n{problems[0]}...\n"
            for end in ("\nresponse\n", "advice ", "note "):
                if (at := printed.find("\n" + end)) > 0:
                    printed = printed[:at + 1] + "...\n"
        super().compare(block, printed, write)

    def has_found(self, incident: Incident, text: str) -> None:
        if incident.finding not in page_run.normal(text):
            raise page_run.Mismatch(f"{self.path.name}:{incident.line}: {incident.name}: {incident.finding!r} is not in\n{text}")

    def mend(self, incident: Incident, write: bool = False) -> None:
        printed = None
        for line, what in incident.cure:
            def part(what=what):
                nonlocal printed
                if isinstance(what, str):
                    self.directive(what)
                elif what.language == "text":
                    self.compare(what, printed, write)
                elif "run" in what.attributes:
                    printed = self.block(what)
            self.at(line, part)

    def is_mended(self, incident: Incident) -> None:
        """The last step prints the finding no more."""
        command = incident.steps[-1][0].text
        def gone() -> bool:
            return incident.finding not in page_run.normal(self.lab.box.shell(command)[1])
        until(gone, 20, f"{incident.name}: after the cure, {command.strip()} still prints {incident.finding!r}")

    def at(self, line: int, do) -> None:
        try:
            do()
        except (LabError, AssertionError) as error:
            raise type(error)(f"{self.path.relative_to(page_run.ROOT)}:{line}: {error}") from error

    # What a reader does not type: beside page_run.Page's ---------------------------------------------------------

    def do_certificate(self, days: str) -> None:
        """The certificate of DNS over TLS is valid for so many days more."""
        self.lab.issue(int(days))

    def do_upstream(self, words: str) -> None:
        """A second upstream at OTHER_UPSTREAM; the words are options of odd_upstream.py."""
        self.lab.start_upstream(*words.split())

    def do_ad(self, name: str) -> None:
        """The ad list gets one more name."""
        with open(self.lab.web / "ads.hosts", "a") as file:
            file.write(f"0.0.0.0 {name}\n")
        self.do_box("steerctl lists fetch")

    def do_zone(self, text: str) -> None:
        """ZONE: OLD => NEW: a change at the name's owner."""
        zone, _, change = text.partition(": ")
        old, _, new = change.partition(" => ")
        path = self.lab.scene.folder / f"knot/{zone}.zone"
        now = path.read_text()
        if old not in now:
            raise LabError(f"{path.name} does not hold {old!r}")
        path.write_text(re.sub(r"(SOA ns hostmaster )(\d+)", lambda found: found[1] + str(int(found[2]) + 1), now.replace(old, new)))
        self.lab.scene.resolver.send_signal(signal.SIGHUP)
        asked = new.split()[0] + "." + zone
        until(lambda: new.split()[-1] in self.lab.scene.kdig("+short", asked, server="1.1.1.1"), 20, f"the resolver has the new {asked}")

    def do_slow_router(self, _: str) -> None:
        """The router's CPU is busy: a write takes 300 ms."""
        self.lab.restart_router("--presets", str(self.lab.slow_presets()), "--preset", "fast")
        self.do_in_sync("")

    def do_normal_router(self, _: str) -> None:
        self.lab.restart_router()
        self.do_box("systemctl restart steerdnsd")  # what it measured was the busy router
        self.do_in_sync("")

    def do_menus(self, _: str) -> None:
        """The simulated router gets the rows of a router that is in order, in all menus that the doctor reads."""
        self.lab.fill_menus()

    def do_router(self, text: str) -> None:
        """MENU COMMAND NAME=VALUE… [where NAME=VALUE]: another administrator's change."""
        self.lab.change_router(text)


class Lab(PageLab):
    """The page's lab with all that incidents need."""

    def _furnish(self) -> None:
        super()._furnish()
        self.authority = Authority(self.scene.folder / "authority")
        self.upstream = None
        self.issue(90)
        self.box.must(SET_UP)
        troubleshooting_e2e.prepare(self, CONFIG)
        self.box.must("cp -p /etc/steerdns/router.password /root/router.password")
        self.scene.network.address("resolver", "lo", f"{OTHER_UPSTREAM}/32")
        self.router_before = copy.deepcopy(self.router.model)

    def as_before(self) -> None:
        """Undoes what an incident leaves behind, and starts the daemon."""
        if self.scene.resolver:
            self.scene.resolver.send_signal(signal.SIGCONT)
        if self.upstream:
            self.upstream.stop()
            self.upstream = None
        self.box.must(AS_BEFORE)
        self.router.model = copy.deepcopy(self.router_before)
        self.restart_router()
        (self.web / "ads.hosts").write_text(troubleshooting_e2e.ADS)
        self.issue(90)
        self.box.write("/etc/steerdns/steerdns.yaml", CONFIG)
        self.box.must("systemctl start steerdnsd")
        until(self.in_sync, 20, "the router is in sync")

    @contextlib.contextmanager
    def doctor(self):
        """The service steerdns-doctor."""
        env = [f"{name}={value}" for name, value in self.box.environment.items()]
        process = self.scene.network.start("appliance", "doctor", *self.box.argv("env", *env, "steerctl", "doctor", "--watch", "1"))
        try:
            yield
        finally:
            process.stop()

    def issue(self, days: int) -> None:
        made = self.authority.issue("dot", "DNS:dns.example", days=days)
        for path, place in ((made.pem, "dot.pem"), (made.key, "dot.key")):
            self.box.write(f"/etc/steerdns/{place}", pathlib.Path(path).read_text())

    def restart_router(self, *options: str) -> None:
        if self.scene.rossim:
            self.scene.rossim.stop()
            self.scene.rossim = None
        self.router.options = options
        self.router.serve_api()

    def api(self, *calls: list) -> list:
        """Calls of the router's API by another author's client: (path, {name: value}) each; their answers."""
        script = ("import json,librouteros,sys\n"
                  "api=librouteros.connect(host='172.16.1.1',username='api-user',password='secret')\n"
                  "print(json.dumps([list(api(path,**values)) for path,values in json.load(sys.stdin)]))\n")
        return json.loads(self.scene.network.run("router", "/usr/bin/python3", "-c", script, input=json.dumps(calls)).stdout)

    def fill_menus(self) -> None:
        """The rows of a router that is in order, in all menus that the doctor reads."""
        self.restart_router()
        calls = [(menu.replace(" ", "/") + "/add", {name: api_text(value) for name, value in row.items()})
                 for menu, rows in self.router.model.menus.items() if menu in COPIED_MENUS for row in rows.values()
                 if row.get("name") not in MADE_BY_ROSSIM]
        service = next(row[".id"] for row in self.api(["/ip/service/print", {}])[0] if row["name"] == "api")
        user = next(row[".id"] for row in self.api(["/user/print", {}])[0] if row["name"] == "steerdns")
        self.api(["/user/group/add", {"name": "steerdns", "policy": "read,write,api"}], *calls, *MORE_MENUS,
                 ["/user/set", {".id": user, "address": "172.16.1.2", "group": "steerdns"}],
                 ["/ip/service/set", {".id": service, "address": "172.16.1.2,172.16.1.1"}])
        until(self.in_sync, 20, "the router is in sync")

    def change_router(self, text: str) -> None:
        change, _, where = text.partition(" where ")
        menu, command, *values = change.split()
        name, _, wanted = where.partition("=")
        rows = [row for row in self.api([f"{menu}/print", {}])[0] if row.get(name) == wanted]
        if not rows:
            raise LabError(f"{menu} has no row with {where}")
        self.api(*([f"{menu}/{command}", {".id": row[".id"], **dict(value.split("=", 1) for value in values)}] for row in rows))

    def slow_presets(self) -> pathlib.Path:
        presets = json.loads((page_run.ROOT / "tools/rossim/presets.json").read_text())
        presets["fast"]["add"] = SLOW_WRITE_US
        path = self.scene.folder / "presets.json"
        path.write_text(json.dumps(presets))
        return path

    def start_upstream(self, *options: str) -> None:
        program = str(page_run.ROOT / "tests/e2e/odd_upstream.py")
        self.upstream = self.scene.network.start("resolver", "odd-upstream", "/usr/bin/python3", "-u", program, OTHER_UPSTREAM, "1.1.1.1", *options)
        self.upstream.wait_for("ready")


class BySteerctl(unittest.TestCase):
    def test_each_incident_is_found_by_steerctl(self):
        with Lab("incidents", self.build) as lab:
            exam = Exam(lab)
            for incident in exam.incidents:
                with self.subTest(incident.name):
                    exam.set_up(incident)
                    exam.find_by_steerctl(incident)
                    exam.mend(incident)
                    exam.is_mended(incident)
            self.assertEqual(exam.differences, [], "\n" + "\n".join(exam.differences))

    def test_each_incident_is_written_down(self):
        exam = Exam(None)
        self.assertEqual(len(exam.incidents), 20)
        self.assertEqual(len({one.name for one in exam.incidents}), 20)
        for incident in exam.incidents:
            with self.subTest(incident.name):
                self.assertTrue(incident.setup and incident.cure and incident.finding)
                self.assertIn(len(incident.steps), range(1, MOST_STEPS + 1))
                self.assertIn(len(incident.page_steps), range(1, MOST_STEPS + 1))
                for block, output in incident.steps:
                    self.assertRegex(block.text, r"^steerctl [^|;&\n]*\n$", "a step is one command of steerctl")
                    self.assertIsNotNone(output, "a step shows what it prints")


class Window(PageBrowser):
    """Follows the page's sentences. Bold words name a view, a link, a button or a field; other bold words are the heading of the
    panel that the next words are about. Words in code are typed, are in that panel, or are not there ("no `…`")."""

    WORDS = re.compile(r"Open \*\*(?P<view>[^*]+)\*\*|[Cc]lick \*\*(?P<click>[^*]+)\*\*|Type `(?P<text>[^`]+)` into \*\*(?P<field>[^*]+)\*\*"
                       r"|\*\*(?P<heading>[^*]+)\*\*|\bno `(?P<absent>[^`]+)`|`(?P<shown>[^`]+)`")
    VIEW = "return [...document.querySelectorAll('nav a')].filter((one) => one.textContent === arguments[0]).map((one) => one.click()).length"
    CLICK = ("return [...document.querySelectorAll('#view a, #view button')].filter((one) => one.textContent === arguments[0])"
             ".slice(0, 1).map((one) => one.click()).length")
    FIELD = ("const label = [...document.querySelectorAll('#view label')].find((one) => one.textContent.startsWith(arguments[0]));"
             "if (!label) return false; label.querySelector('input').value = arguments[1]; return true")
    PANEL = ("return [...document.querySelectorAll('#view .panel')].filter((one) => one.querySelector('h2').textContent === arguments[0])"
             ".map((one) => one.innerText)")

    def follow(self, sentence: str) -> None:
        heading = ""
        for found in self.WORDS.finditer(sentence):
            if found["view"]:
                self.do(self.VIEW, found["view"])
            elif found["click"]:
                self.do(self.CLICK, found["click"])
            elif found["text"]:
                self.do(self.FIELD, found["field"], found["text"])
            elif found["heading"]:
                heading = found["heading"]
                self.do(self.PANEL, heading)
            elif found["absent"]:
                self.check(heading, found["absent"], False)
            else:
                self.check(heading, found["shown"], True)

    def do(self, script: str, *words: str) -> None:
        self.see(lambda: self.run(script, *words), f"the page has {words[0]!r}")

    def check(self, heading: str, words: str, is_there: bool) -> None:
        self.see(lambda: any((words in text) == is_there for text in self.run(self.PANEL, heading)),
                 f"{heading!r} has {'' if is_there else 'no '}{words!r}")

    def see(self, condition, what: str) -> None:
        try:
            until(condition, 20, what, 0.1)
        except LabError as error:
            raise LabError(f"{error}; the page shows {self.text()[:3000]!r}") from error


class OnThePage(unittest.TestCase):
    def test_each_incident_is_found_on_the_page(self):
        with Lab("incidents-page", self.build) as lab, Window(lab.scene.network, "appliance") as window:
            exam = Exam(lab)
            for incident in exam.incidents:
                with self.subTest(incident.name):
                    exam.set_up(incident)
                    with lab.doctor() if any("**Doctor**" in sentence for _, sentence in incident.page_steps) else contextlib.nullcontext():
                        window.sign_in(TOKEN, shows="Queries/s")  # (an upstream that is down makes the daemon not ready)
                        for line, sentence in incident.page_steps:
                            exam.at(line, lambda: window.follow(sentence))
                    window.keep_picture(f"incident-{incident.name}")


def write(build: pathlib.Path, names: list[str]) -> None:
    with Lab("incidents", build) as lab:
        exam = Exam(lab)
        try:
            for incident in exam.incidents:
                if names and incident.name not in names:
                    continue
                print(f"{incident.name}", file=sys.stderr)
                try:
                    exam.set_up(incident)
                    exam.find_by_steerctl(incident, write=True)
                    exam.mend(incident, write=True)
                    exam.is_mended(incident)
                except (LabError, AssertionError) as error:
                    print(f"  {error}", file=sys.stderr)
        finally:
            exam.write()
    print(f"{len(exam.corrections)} outputs were written anew")


class PortForward:
    """127.0.0.1:PORT of this machine leads to the same port of the box, so that a browser here shows the box's page."""

    def __init__(self, lab: Lab):
        self.lab = lab
        self.listener = socket.create_server(("127.0.0.1", PORT))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            client, _ = self.listener.accept()
            box = self.lab.scene.network.socket("appliance", socket.AF_INET, socket.SOCK_STREAM)
            try:
                box.connect(("127.0.0.1", PORT))
            except OSError:  # the daemon is not running
                client.close()
                continue
            for source, sink in ((client, box), (box, client)):
                threading.Thread(target=self.pass_on, args=(source, sink), daemon=True).start()

    @staticmethod
    def pass_on(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def shell_of(host) -> str:
    return shlex.join(["env", *(f"{name}={value}" for name, value in host.environment.items() if name != "COLUMNS"), *host.argv("bash", "--norc")])


def practise(build: pathlib.Path, name: str) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the lab is removed then, too
    with Lab("incidents", build) as lab:
        exam = Exam(lab)
        incident = exam.find(name)
        exam.set_up(incident)
        PortForward(lab)
        print(f"""The incident is set up. Find it with steerctl or on the page, in at most {MOST_STEPS} steps. In another terminal, as root:

  the box      {shell_of(lab.box)}
  a client     {shell_of(lab.client)}
  the page     http://127.0.0.1:{PORT}/, token {TOKEN}

The answer is in {PAGE}, "{incident.title}".
Control-C removes everything.""", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


def main() -> None:
    build = pathlib.Path(sys.argv.pop(1)).resolve()
    BySteerctl.build = OnThePage.build = build
    if sys.argv[1:2] == ["OnThePage"]:
        skip_without(NEEDED, OPTION)
    try:
        match sys.argv[1:]:
            case ["--write", *names]:
                return write(build, names)
            case ["--practise", name]:
                return practise(build, name)
            case ["--list"]:
                for incident in Exam(None).incidents:
                    print(f"{incident.name:20} {incident.title}")
                return
    except LabError as error:
        sys.exit(f"incidents: {error}")
    unittest.main(argv=[sys.argv[0], *(sys.argv[1:] or ["BySteerctl"])], verbosity=2)


if __name__ == "__main__":
    main()
