"""Executes a page of docs/ in the lab (page_lab.py) as it is printed, and compares what appears with what it shows.

    ```sh run=NAME [on=HOST] [exit=N]           commands; exit code 0, or N at the end. HOST: box, client (PageLab.hosts)
    ```routeros run=NAME                        pasted into the router's terminal
    ```yaml run=NAME file=PATH [on=HOST]        written to that file (or another language)
    ```text output                              what the block before it printed; a line "..." stands for any lines

What a reader does not type is in comments of the page, a line each: <!-- lab: WORD ... -->, see `Page.directive`.

Numbers that differ from run to run (VARIABLE) are compared by their kind; all other text is compared as it is.
`X_e2e.py BUILD --write` puts what appears into the page, where it differs.
"""

from __future__ import annotations

import json
import pathlib
import re
import signal
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests/e2e"), str(ROOT / "tools")]

import doc_blocks  # noqa: E402
import page_lab  # noqa: E402
from lab.network import LabError, until  # noqa: E402

# (what varies, what stands for it)
VARIABLE = [
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d| [A-Z]{3,4}(?:\([^)]*\))?)?", "TIME"),
    (r"\b\d\d:\d\d:\d\d(?: [AP]M)?\b", "TIME"),
    (r"/tmp/steerdns-[\w/.-]+/bin/", "BIN/"),
    (r"\b(?:\d+(?:\.\d+)?\s?(?:ns|us|ms|s|min|m|h|d)\s?)+(?!\w)", "DURATION "),
    (r"\b\d+(?:\.\d+)? ?(?:KiB|MiB|GiB|bytes|B|%)(?!\w)", "SIZE"),
    (r"\bpid([ =])\d+", "pid N"), (r"\bid: \d+", "id: N"), (r"\b(?:19|20)\d\d\.\d+\b", "VERSION"),
    # A record in the cache: what is left of its TTL.
    (r"^(  \S+\. )\d+( IN )", r"\1TTL\2"),
    # What `listen` reported so far depends on how long the session lives.
    (r"^( +)\d+ rows, no reply yet$", r"\1no reply yet"),
    (r"#\d+ tag \d+", "#N tag N"), (r"ret=\*[0-9A-F]+", "ret=*ID"), (r"\btrace [0-9a-f]{14}$", "trace ID"), (r"\bid \d+, flags", "id N, flags"),
    (r"-{3,}|={3,}", "---"), (r"\s+", " "),
]
# What differs from machine to machine in `steerctl status` and `routers`.
MACHINE = [(r"fe80::[0-9a-f:]+", "LINK-LOCAL"), (r"^( *(?:memory|simd|threads|open files|pid|cpu|main turn ms|descriptors) +).*", r"\1 VARIES"),
           (r"((?:rtt ms|service us) +)[\d.]+", r"\1 N"), (r"^( +\S+ +\w+ +port +\w+ +)[\d.]+$", r"\1 N"),
           (r"^( +0 +)\d+ +[\d.]+( +0)$", r"\1 CPU\2")]


def normal(line: str, more: list[tuple[str, str]] = ()) -> str:
    for pattern, name in [*more, *VARIABLE]:
        line = re.sub(pattern, name, line)
    return line.strip()


def same(shown: str, appeared: str, more: list[tuple[str, str]] = ()) -> bool:
    """Whether the output equals `shown`, in which "..." matches any lines."""
    want = [normal(line, more) for line in shown.rstrip("\n").split("\n")]
    have = [normal(line, more) for line in appeared.rstrip("\n").split("\n")]
    pattern = "".join(r"(?:[^\n]*\n)*?" if line == "..." else re.escape(line) + "\n" for line in want)
    return re.fullmatch(pattern, "".join(line + "\n" for line in have)) is not None


class Mismatch(AssertionError):
    pass


class Page:
    """A page with its lab. `variable`: more pairs of VARIABLE for this page."""

    def __init__(self, path: str, test: str, lab: page_lab.PageLab, variable: list[tuple[str, str]] = (),
                 config: str = ""):
        self.path, self.test, self.lab, self.variable, self.config = ROOT / path, test, lab, variable, config
        self.text = self.path.read_text()
        self.corrections: list[tuple[int, int, str]] = []  # first line, last line, text
        self.differences: list[str] = []
        self.ran = 0

    def steps(self):
        """Blocks and directives in the page's order: (line, what)."""
        found = [(block.line, block) for block in doc_blocks.blocks_of(self.text, str(self.path.relative_to(ROOT)))]
        for number, line in enumerate(self.text.splitlines(), 1):
            if directive := re.fullmatch(r"\s*<!-- lab: (.*) -->", line):
                found.append((number, directive[1]))
        return sorted(found, key=lambda step: step[0])

    def run(self, write: bool = False) -> None:
        try:
            self.run_steps(write)
        except (LabError, AssertionError):
            print(self.lab.box.shell("tail -n 30 /var/log/steerdnsd.log; steerctl routers")[1], file=sys.stderr)
            raise
        finally:
            if write:
                self.write()

    def run_steps(self, write: bool) -> None:
        printed = None  # of the block before
        for line, step in self.steps():
            try:
                if isinstance(step, str):
                    self.directive(step)
                elif step.language == "text" and "output" in step.attributes:
                    if printed is None:
                        raise LabError("an output without a block that was run before it")
                    self.compare(step, printed, write)
                    printed = None
                elif step.attributes.get("run") == self.test:
                    printed = self.block(step)
                    self.ran += 1
            except (LabError, AssertionError) as error:
                if write:
                    print(f"{self.path.relative_to(ROOT)}:{line}: {error}\n", file=sys.stderr)
                    printed = None
                    continue
                raise type(error)(f"{self.path.relative_to(ROOT)}:{line}: {error}") from error

    def block(self, block) -> str:
        host = self.lab.hosts[block.attributes.get("on", "box")]
        if "file" in block.attributes:
            host.write(block.attributes["file"], block.text)
            return ""
        if block.language == "routeros":
            self.lab.router.sync_rows()
            return self.lab.router.command(block.text.strip())
        if host is self.lab.client:
            self.lab.router.sync_rows()
        code, text = host.shell("set -e\n" + block.text)
        if code != int(block.attributes.get("exit", 0)):
            raise Mismatch(f"exit code {code} of\n{block.text}\n{text}")
        return text

    def compare(self, block, printed: str, write: bool) -> None:
        if same(block.text, printed, self.variable):
            return
        if write:
            self.corrections.append((block.line, block.line + block.text.count("\n"), printed))
            return
        self.differences.append(f"{block.place} shows\n{block.text}\nbut this appeared\n{printed}")

    def write(self) -> None:
        lines = self.text.splitlines(keepends=True)
        for first, end, text in sorted(self.corrections, reverse=True):
            lines[first - 1:end - 1] = [line.rstrip() + "\n" for line in text.rstrip("\n").split("\n")]
        self.path.write_text("".join(lines))

    # What a reader does not type -----------------------------------------------------------------------------

    def directive(self, text: str) -> None:
        word, _, rest = text.partition(" ")
        getattr(self, "do_" + word)(rest)

    def do_box(self, command: str) -> None:
        self.lab.box.must(command)

    def do_client(self, command: str) -> None:
        self.lab.client.must(command)

    def do_ctl(self, words: str) -> None:
        """rossim ctl WORDS"""
        self.lab.scene.router_ctl(*words.split())

    def do_until(self, command: str) -> None:
        """Waits until a command of the box ends with 0."""
        until(lambda: self.lab.box.shell(command)[0] == 0, 30, f"{command}: {self.lab.box.shell(command)}")

    def do_in_sync(self, _: str) -> None:
        until(self.lab.in_sync, 20, "all routers are in sync")

    def do_held(self, address: str) -> None:
        """Waits until the router has a row for the address, and steerdnsd knows it."""
        def held() -> bool:
            code, text = self.lab.box.shell("steerctl --json routers")
            return (code == 0 and all(router["owed"] == 0 for router in json.loads(text)["routers"])
                    and any(row["address"] == address for row in self.lab.scene.rows()))
        until(held, 20, f"the router has {address}")

    def do_config(self, _: str) -> None:
        """The configuration that the page begins with (PageTest.config), the router's API as it was, and a fresh start."""
        self.lab.box.write("/etc/steerdns/steerdns.yaml", self.config)
        self.do_box("systemctl restart steerdnsd")
        self.do_in_sync("")

    def do_edit(self, text: str) -> None:
        """FILE: OLD => NEW, everywhere in it."""
        file, _, change = text.partition(": ")
        old, _, new = change.replace("\\n", "\n").partition(" =>")
        code, now = self.lab.box.shell(f"cat {file}")
        if code or old not in now:
            raise LabError(f"{file} does not hold {old!r}")
        self.lab.box.write(file, now.replace(old, new.removeprefix(" ")))

    def do_service(self, text: str) -> None:
        """/ip service set api NAME=VALUE"""
        self.lab.router.service(**dict([text.split("=", 1)]))

    def do_web(self, text: str) -> None:
        """FILE TEXT: a file of the web server; \\n is a line's end. Without TEXT it is removed."""
        name, _, content = text.partition(" ")
        path = self.lab.web / name
        if content:
            path.write_text(content.replace("\\n", "\n") + "\n")
        else:
            path.unlink()

    def do_link(self, text: str) -> None:
        """SPACE DEVICE up|down"""
        space, device, state = text.split()
        self.lab.scene.network.run(space, "ip", "link", "set", device, state)

    def do_resolver(self, what: str) -> None:
        """stop, cont: the upstream resolver falls silent, and answers again."""
        self.lab.scene.resolver.send_signal({"stop": signal.SIGSTOP, "cont": signal.SIGCONT}[what])

    def do_lease(self, _: str) -> None:
        """The client's DHCP lease is renewed."""
        self.lab.renew_lease()


class PageTest(unittest.TestCase):
    """Sub-classes say `page`, `test`, `least` (blocks that are run at least) and, if need be, `variable` and `config`."""

    page = test = config = ""
    least = 1
    page_class: type[Page] = Page
    lab_class: type[page_lab.PageLab] = page_lab.PageLab
    variable: list[tuple[str, str]] = []
    build = ROOT / "build"

    def test_the_page_does_as_printed(self):
        if not self.page:
            self.skipTest("no page")
        with self.lab_class(self.test, self.build) as lab:
            page = self.page_class(self.page, self.test, lab, self.variable, self.config)
            self.prepare(lab)
            page.run()
            self.assertEqual(page.differences, [], "\n" + "\n".join(page.differences))
            self.assertGreaterEqual(page.ran, self.least)
            self.after(lab)

    def prepare(self, lab: page_lab.PageLab) -> None:
        """Prepares what the page expects."""

    def after(self, lab: page_lab.PageLab) -> None:
        """Checks more results after the page was run."""


def main(case: type[PageTest]) -> None:
    """`X_e2e.py BUILD [--write]`"""
    case.build = pathlib.Path(sys.argv.pop(1)).resolve()
    if "--write" in sys.argv:
        with case.lab_class(case.test, case.build) as lab:
            page = case.page_class(case.page, case.test, lab, case.variable, case.config)
            case().prepare(lab)
            page.run(write=True)
        print(f"{page.ran} blocks were run, {len(page.corrections)} outputs were written anew")
        return
    unittest.main(module=sys.modules["__main__"], verbosity=2)
