"""What the documentation shows works: configurations are accepted, commands exist, the site is whole and loads nothing foreign."""

import functools
import http.server
import json
import os
import pathlib
import queue
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

from lab.certificates import Authority

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
sys.path.insert(0, str(ROOT / "tests/unit/setup"))
import doc_blocks  # noqa: E402
import router_model  # noqa: E402

BUILD = pathlib.Path(sys.argv.pop(1))
PROGRAMS = {"steerdnsd": BUILD / "steerdnsd", "steerctl": BUILD / "tools/steerctl/steerctl"}
CONTENTS = {".txt": "example.com\n", ".list": "example.com\n", ".rpz": "game.example 60 IN CNAME .\n"}
SMALLEST = "plugins:\n  - { tag: main, type: sequence, args: [ { exec: forward 192.0.2.53 } ] }\n"


class Configurations(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        Authority(self.folder).issue("cert", "DNS:dns.example.net")
        (self.folder / "cert.key").rename(self.folder / "key.pem")
        shutil.copy(self.folder / "cert.pem", self.folder / "ca.pem") if not (self.folder / "ca.pem").exists() else None

    def here(self, text):
        return text.replace("/etc/steerdns", str(self.folder))

    def provide(self, text):
        """Makes the files that a configuration names: passwords, lists of names."""
        for name in re.findall(r"/etc/steerdns/([\w./-]+)", text):
            path = self.folder / name
            if not path.exists() and not name.endswith("/"):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(CONTENTS.get(path.suffix, "secret\n"))
                path.chmod(0o600)  # of tokens

    def check(self, block):
        text = block.text
        if not re.search(r"^(plugins|include):", text, re.M):
            text = SMALLEST + text  # a section, or more plugins
        self.provide(text)
        (self.folder / "steerdns.yaml").write_text(self.here(text))
        named = {name: "secret" for name in re.findall(r"\$\{env:(\w+)\}", text)}
        done = subprocess.run([PROGRAMS["steerdnsd"], "--check", "--config", self.folder / "steerdns.yaml"], capture_output=True, text=True,
                              env=os.environ | named)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_each_shown_configuration_is_accepted(self):
        checked = 0
        for document in doc_blocks.documents():
            for block in doc_blocks.blocks([document]):
                if path := block.attributes.get("file"):
                    path = pathlib.Path(self.here(path))
                    if path.is_relative_to(self.folder):
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_text(block.text)
                if block.language == "yaml" and block.attributes.get("check") != "no":
                    checked += 1
                    with self.subTest(block.place):
                        self.check(block)
        print(f"  {checked} configurations")
        self.assertGreater(checked, 5)

    def test_the_check_finds_a_wrong_configuration(self):
        for text in ("plugins:\n  - { tag: a, type: cahce }\n", "dataplane: { wrokers: 1 }\n"):
            with self.assertRaises(AssertionError):
                self.check(doc_blocks.Block("none.md", 1, "yaml", {}, text))


@functools.cache
def help_of(program, *words):
    """Options and sub-commands in the output of `program words... --help`; None without such a command."""
    done = subprocess.run([PROGRAMS[program], *words, "--help"], capture_output=True, text=True)
    if done.returncode != 0:
        return None
    text = done.stdout
    commands = re.findall(r"^  (\w[\w-]*)  ", text.partition("Subcommands:")[2], re.M)
    takes_words = "Positionals:" in text
    return set(re.findall(r"(?<![\w-])(--?[\w-]+)", text)), set(commands), takes_words


def mistakes(command):
    """The errors of a command line, as sentences: programs that do not exist, unknown options."""
    lexer = shlex.shlex(command.split("\n")[0], posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found, segment = [], []
    for word in [*lexer, ";"]:
        if word and set(word) <= set("|&;()<>"):
            found += mistakes_of(segment)
            segment = []
        else:
            segment.append(word)
    return found


def mistakes_of(words):
    words = list(words)
    while words and (re.match(r"\w+=", words[0]) or words[0] in ("sudo", "time", "watch", "exec", "do", "then", "if", "!")):
        words.pop(0)
        while words and words[0] in ("-n1", "-u", "-E", "-n"):
            words.pop(0)
    if not words:
        return []
    program, rest = words[0], words[1:]
    if re.match(r"(\./)?tools/\w", program):
        path = ROOT / program
        if not path.exists():
            return [f"there is no {program}"]
        source = "\n".join(path.read_text().splitlines()[:60])
        return [f"{program} has no option {word}" for word in rest if word.startswith("-") and word.partition("=")[0] not in source]
    program = pathlib.Path(program).name
    if program not in PROGRAMS:
        return []
    known, path = set(), []
    options, commands, _ = help_of(program)
    known |= options
    found = []
    for at, word in enumerate(rest):
        if word.startswith("-"):
            if word.partition("=")[0] not in known and not re.fullmatch(r"-\d+", word):
                found.append(f"{' '.join([program, *path])} has no option {word.partition('=')[0]}")
        elif word in commands:
            path.append(word)
            options, commands, _ = help_of(program, *path)
            known |= options
        elif commands and not path and not (at and rest[at - 1].startswith("-")) and re.fullmatch(r"[a-z-]+", word):
            found.append(f"{program} has no sub-command {word}")
    return found


class Commands(unittest.TestCase):
    def test_each_shown_command_exists_with_its_options(self):
        checked = 0
        for block in doc_blocks.blocks(language="sh"):
            for line, command in doc_blocks.commands(block):
                checked += 1
                with self.subTest(f"{block.path}:{line}", command=command):
                    self.assertEqual(mistakes(command), [])
        print(f"  {checked} commands")

    def test_commands_in_running_text_exist(self):
        for document in doc_blocks.documents():
            for number, line in enumerate(document.read_text().splitlines(), 1):
                for command in re.findall(r"`((?:sudo )?(?:steerctl|steerdnsd|tools/\w+) [^`]*)`", line):
                    command = re.sub(r"\s*(\.\.\.|…)", "", command)
                    with self.subTest(f"{document.relative_to(ROOT)}:{number}", command=command):
                        # Of `a | b` and `[--x]` in a synopsis the first words count.
                        self.assertEqual(mistakes(re.split(r"[|\[\]<>()'\"]", command)[0].replace(",", " ")), [])

    def test_the_check_finds_wrong_commands(self):
        self.assertEqual(mistakes("sudo steerctl routers --json | head -n 3"), [])
        self.assertEqual(mistakes("steerctl roouters"), ["steerctl has no sub-command roouters"])
        self.assertEqual(mistakes("ls && steerdnsd --chekc x.yaml"), ["steerdnsd has no option --chekc"])
        self.assertEqual(mistakes("tools/nothing"), ["there is no tools/nothing"])
        self.assertEqual(mistakes("tools/run --twice"), ["tools/run has no option --twice"])
        self.assertEqual(mistakes("steerctl import routeros --life x"), ["steerctl import routeros has no option --life"])


MODEL_COMMANDS = ("print", "add", "set", "get", "find", "remove")


@functools.cache
def router_schema():
    return json.loads((ROOT / "tools/rossim/schema.json").read_text())


def routers_know(menu, command, rest):
    """Whether a version of RouterOS has the menu, the command and its arguments (of menus without details: the menu)."""
    if menu in router_schema()["other_menus"]:
        return True
    arguments = router_schema()["menus"].get(menu, {}).get(command)
    if arguments is None:
        return False
    plain = re.sub(r'\[[^\]]*\]|"[^"]*"', "", rest)
    return command not in ("add", "set") or all(name in arguments for name in re.findall(r"(?<!\S)([a-z][\w-]*)=", plain))


def parses_on_a_router(text):
    """Whether the model of RouterOS's language reads it; `print` is read as `find`, and files as the terminal does."""
    lines = [line for line in text.splitlines() if not re.fullmatch(r"/(export|import) (file=)?[\w.-]+|", line.strip())]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    for menu, command, rest in re.findall(r"^(/[a-z0-9 /-]+?) (print|add|set|get|find|remove)\b(.*)", whole, re.M):
        if not routers_know(menu.replace(" ", "/"), command, rest):
            return False
    # Commands that the model lacks, such as `sign`: the schema's word suffices.
    lines = [line for line in lines if not ((found := re.fullmatch(r"(/[a-z0-9 /-]+?) ([a-z-]+)(?: [\w-]+)?", line.strip())) and
                                            found[2] not in MODEL_COMMANDS and routers_know(found[1].replace(" ", "/"), found[2], ""))]
    try:
        router_model.Script("\n".join(re.sub(r"\bprint\b", "find", line) for line in lines) + "\n")
    except SyntaxError:
        return False
    return True


class RouterCommands(unittest.TestCase):
    def test_each_block_for_a_router_is_valid_routeros(self):
        for block in doc_blocks.blocks(language="routeros"):
            with self.subTest(block.place):
                self.assertTrue(parses_on_a_router(block.text), block.text)

    def test_the_check_finds_invalid_routeros(self):
        for text in ("/ip firewall address-list add lst=a address=192.0.2.1\n", "/ip firewal address-list print\n", "/ip firewall address-list prnit\n", ":if (1) do {\n"):
            self.assertFalse(parses_on_a_router(text), text)


# A page around the site that types into its search, and asks for /found?RESULTS when there are some.
SEARCH = """<iframe src="index.html" width="1200" height="800"></iframe><script>
const site = () => document.querySelector("iframe").contentDocument
const look = setInterval(() => {
    const input = site().querySelector(".md-search__input"), results = site().querySelector(".md-search-result")
    if (!input || !results) return
    if (/matching/.test(results.innerText)) { clearInterval(look); fetch("/found?" + encodeURIComponent(results.innerText.slice(0, 300))) }
    input.focus(); input.value = location.search.slice(1); input.dispatchEvent(new Event("keyup", { bubbles: true }))
}, 1000)
</script>"""


@unittest.skipUnless(shutil.which("mkdocs") and shutil.which("mandoc"), "tools/deps --docs installs what this needs")
class Site(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.made = subprocess.run([ROOT / "tools/docs", "--output", cls.folder / "site"], capture_output=True, text=True)

    def test_the_site_is_built_and_its_links_hold(self):
        self.assertEqual(self.made.returncode, 0, self.made.stderr + self.made.stdout)
        site = self.folder / "site"
        ids = {}
        for page in site.rglob("*.html"):
            ids[page.resolve()] = set(re.findall(r'\bid="?([^" >]+)', page.read_text()))
        wrong = []
        for page in ids:
            if page.name == "404.html":
                continue
            for target in re.findall(r'<a\b[^>]*?\bhref="?([^" >]+)', page.read_text()):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, anchor = target.partition("#")
                goal = (page.parent / name).resolve() if name else page
                goal = goal / "index.html" if goal.is_dir() else goal
                if not goal.exists() or (anchor and goal in ids and anchor not in ids[goal]):
                    wrong.append(f"{page.name}: {target}")
        self.assertEqual(sorted(set(wrong)), [])

    def serve(self):
        """The site's URL, and a queue of the requested paths."""
        asked = queue.SimpleQueue()

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *words):
                asked.put(self.path)

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(self.folder / "site")))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}", asked

    def browser(self, *words):
        """A command line with a profile of its own: a second browser on a profile hands its page to the first and ends."""
        profile = self.enterContext(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        return ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", *words]

    def found(self, url, asked):
        """The request that shows what the search found; "" if the browser asks nothing for a minute, and it says what it did."""
        requests = []
        with (open(self.folder / "chromium.log", "w+") as log,
              subprocess.Popen(self.browser("--remote-debugging-port=0", url + "/search_for.html?dns64"),
                               stdout=subprocess.DEVNULL, stderr=log) as browser):
            try:
                while not requests or not requests[-1].startswith("/found?"):
                    requests.append(asked.get(timeout=60))
                return requests[-1]
            except queue.Empty:
                log.seek(0)
                print(f"  the browser asked for {requests} and said: {log.read()[-2000:]}")
                return ""
            finally:
                browser.terminate()
                browser.wait()

    @unittest.skipUnless(shutil.which("chromium"), "tools/deps --browser installs Chromium")
    def test_the_search_finds_pages(self):
        url, asked = self.serve()
        (self.folder / "site/search_for.html").write_text(SEARCH)
        path = self.found(url, asked) or self.found(url, asked)  # a browser that hangs is started once more
        self.assertRegex(urllib.parse.unquote(path), r"(?s)matching documents.*DNS64")

    @unittest.skipUnless(shutil.which("chromium"), "tools/deps --browser installs Chromium")
    def test_a_browser_asks_no_other_host(self):
        url, asked = self.serve()
        shown, foreign = self.show(f"{url}/reference/configuration.html")
        self.assertIn("md-search", shown)
        self.assertIn("/search/search_index.json", [asked.get_nowait() for _ in range(asked.qsize())])
        self.assertEqual(foreign, [])
        # And a page that does ask is noticed.
        (self.folder / "site/foreign.html").write_text('<img src="http://foreign.example/x.png">')
        self.assertEqual(self.show(f"{url}/foreign.html")[1], ["http://foreign.example/x.png"])

    def show(self, url):
        """The page as a browser shows it, and its requests to other hosts (none is reachable)."""
        log = self.folder / "net.json"
        shown = subprocess.run(
            self.browser("--dump-dom", f"--log-net-log={log}", "--virtual-time-budget=4000", url),
            capture_output=True, text=True, timeout=90).stdout
        foreign = set()
        for line in log.read_text().splitlines():
            if '"initiator":"http' in line:  # (the browser's own requests have no page as their initiator)
                foreign.add(json.loads(line.rstrip(","))["params"]["url"])
        return shown, sorted(goal for goal in foreign if not goal.startswith("http://127.0.0.1:"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
