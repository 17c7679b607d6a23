"""`--check` and a start agree: every example, and configurations with a mistake somewhere (`check_and_start_e2e.py BUILD NUMBER`), are refused by both or by
neither, in the same sentences; and a start that ends leaves nothing behind. One that is not refused ends at the next step, because the
process may open too few files."""
import collections
import concurrent.futures
import pathlib
import random
import re
import shutil
import subprocess
import sys
import unittest

from lab.network import Network

BUILD, CASES = sys.argv.pop(1), int(sys.argv.pop(1))
ROOT = pathlib.Path(__file__).resolve().parents[2]
ERROR = re.compile(r"^\d{4}-\S+ \S+ error ")
LIMITED = ("prlimit", "--nofile=76")
END = re.compile(r"this process may open 76 files at most")
WORDS = ["", "0", "1", "-1", "70000", "4294967296", "128MiB", "1TiB", "5s", "0s", "true", "no", "null", "[]", "{}", "x", "$x", "$main",
         "192.0.2.1", "192.0.2.0/24", "2001:db8::1", ":53", "udp://192.0.2.1", "tls://192.0.2.1", "example.net", "*", "/nowhere", "\"", "'", "a: b"]


def bases():
    """(text, its folder); bytes that are not UTF-8 stay."""
    found = [(path.read_text(errors="surrogateescape"), path.parent) for folder in ("configs", "tests/unit/config/good", "tests/unit/config/bad", "tests/scenario")
             for path in sorted((ROOT / folder).glob("*.yaml"))]
    for guide in sorted((ROOT / "docs").glob("*.md")):
        found += [(text, ROOT / "configs") for text in re.findall(r"```yaml\n(.*?)```", guide.read_text(), re.S) if "plugins:" in text]
    return found


def damaged(text, dice):
    """The text with one or two mistakes of the kinds that people make."""
    lines = text.splitlines()
    for _ in range(dice.choice((1, 1, 1, 2))):
        at = dice.randrange(len(lines))
        kind = dice.randrange(6)
        if kind == 0 and len(lines) > 1:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[dice.randrange(len(lines))])
        elif kind == 2:  # another value
            values = list(re.finditer(r"(?<=: )[^,{}\[\]#]+|(?<=- )[^,{}\[\]:#]+", lines[at]))
            if values:
                value = dice.choice(values)
                lines[at] = lines[at][:value.start()] + dice.choice(WORDS) + lines[at][value.end():]
        elif kind == 3:  # a number of another size
            lines[at] = re.sub(r"\d+", lambda n: str(int(n[0]) * dice.choice((0, 10, 1000, 1000000))), lines[at], count=1)
        elif kind == 4:  # a letter too few
            letter = dice.randrange(len(lines[at]) or 1)
            lines[at] = lines[at][:letter] + lines[at][letter + 1:]
        else:  # a value from elsewhere
            lines[at] = re.sub(r": .*", lambda _: ": " + lines[dice.randrange(len(lines))].split(": ", 1)[-1], lines[at], count=1)
    return "\n".join(lines) + "\n"


LEFT_OUT = re.compile(r" in 'extra' of recursion ")


def sentences(lines, prefix):
    return sorted(line[found.end():] for line in lines.splitlines() if (found := prefix.match(line)))


class CheckAndStart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(Network("check"))
        cls.network.namespace("nowhere")  # without network: a list cannot be fetched there
        cls.found = bases()

    def say(self, *words):
        done = self.network.run("nowhere", *words, check=False, timeout=120)
        return done.returncode, done.stderr

    def compared(self, number, text, folder):
        """What --check and a start report: exit code and sentences; and what the start left in the folder."""
        own = self.network.folder / f"case{number}"
        shutil.copytree(folder, own)
        path = own / "compared.yaml"
        path.write_text(text, errors="surrogateescape")
        before = sorted(own.rglob("*"))
        code, output = self.say(BUILD + "/steerdnsd", "--check", str(path))
        check = code, sentences(output, re.compile("error: "))
        # A start leaves lines of `extra` out, and serves.
        fatal = [sentence for sentence in check[1] if not LEFT_OUT.search(sentence)]
        of_start = (2, fatal) if fatal else (0, [])
        code, output = self.say(*LIMITED, BUILD + "/steerdnsd", "--config", str(path), "--control-socket", str(own / "s.sock"))
        start = code, [s for s in sentences(output, ERROR) if not END.search(s) and not LEFT_OUT.search(s)]
        ended = bool(END.search(output))
        # A start opens its log, and the files of a query_recorder.
        opened = {file.removeprefix("./") for file in re.findall(r"\b(?:file|path|json):\s*['\"]?([^\s'\",}]+)", text)}
        left = sorted(path for path in own.rglob("*")
                      if path in before or path.suffix != ".log" and not any(path.name.startswith(file) for file in opened))
        shutil.rmtree(own)
        self.assertEqual(before, left, text)
        # Either it is a mistake, or the start comes to where it ends.
        self.assertEqual((of_start, ended), (start if code == 2 else (0, start[1]), code == 1), text)
        self.assertIn(check[0], (0, 2), text)
        self.assertEqual(check[0] == 2, bool(check[1]), text)
        return check[0]

    def compare_all(self, cases):
        codes = collections.Counter()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for code in pool.map(lambda case: self.compared(*case), ((n, *case) for n, case in enumerate(cases))):
                codes[code] += 1
        return codes

    def test_both_accept_every_example(self):
        codes = self.compare_all(self.found)
        print(f"  examples: {dict(codes)}")
        self.assertGreater(codes[0], 50)
        self.assertGreater(codes[2], 50)

    def test_both_agree_on_configurations_with_mistakes(self):
        dice = random.Random(22)
        good = [base for base in self.found if "unit/config/bad" not in str(base[1])]
        cases = []
        while len(cases) < CASES:
            text, folder = dice.choice(good)
            cases.append((damaged(text, dice), folder))
        codes = self.compare_all(cases)
        print(f"  with mistakes: {dict(codes)}")
        self.assertEqual(codes.total(), CASES)
        self.assertGreater(min(codes[0], codes[2]), CASES / 6)

    def test_both_refuse_a_cache_that_does_not_fit_the_memory(self):
        plugins = """plugins:
  - { tag: kept, type: cache, args: { size: 200000 } }
  - { tag: main, type: sequence, args: [ { exec: $kept }, { exec: forward 192.0.2.53 } ] }
"""
        for memory, code in (("128MiB", 2), ("256MiB", 0), ("1TiB", 2)):
            with self.subTest(memory):
                self.assertEqual(self.compared(memory, f"dataplane: {{ memory: {memory} }}\n" + plugins, ROOT / "configs"), code)

    def test_check_reports_advice_that_does_not_stop_a_start(self):
        """A password that every user can read, and an API in clear text."""
        folder = self.network.folder / "advice"
        folder.mkdir()
        password, config = folder / "password", folder / "advised.yaml"
        password.write_text("secret\n")
        routers = """routers:
  far: { address: 192.0.2.1, username: u, password_file: password, tls: %s }
  near: { address: 127.0.0.1, username: u, password: %s }
plugins:
  - { tag: main, type: sequence, args: [ { exec: forward 192.0.2.53 } ] }
"""
        reported = {}
        for tls, word, mode in (("false", "other", 0o644), ("true", "other", 0o640), ("false", '"${WORD:-x}"', 0o644)):
            config.write_text(routers % (tls, word))
            for file in (password, config):
                file.chmod(mode)
            code, output = self.say(BUILD + "/steerdnsd", "--check", str(config))
            self.assertEqual(code, 0, output)
            reported[tls, word, mode] = [warning for warning in ("holds the password of router 'near'", "holds the password of router 'far'",
                                                             "router 'far' is used over clear text", "router 'near' is used over clear text") if warning in output]
        self.assertEqual(list(reported.values()), [["holds the password of router 'near'", "holds the password of router 'far'",
                                                "router 'far' is used over clear text"], [],
                                               ["holds the password of router 'far'", "router 'far' is used over clear text"]])


unittest.main(verbosity=2)
