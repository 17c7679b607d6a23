"""steerdns.yaml(5) says what the tables say, and man has nothing to complain of.

usage: man_page_test.py STEERDNSD
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

STEERDNSD = sys.argv.pop(1)
ROOT = pathlib.Path(__file__).resolve().parents[2]


def printed(*words):
    return subprocess.run([STEERDNSD, *words], text=True, capture_output=True, check=True).stdout


def manual(page, width, *options):
    """The text as a reader sees it, and what man complains of."""
    done = subprocess.run(["man", "--local-file", "--encoding=UTF-8", *options, str(page)], text=True, capture_output=True, check=True,
                          env={**os.environ, "MANWIDTH": str(width), "LC_ALL": "C.UTF-8", "MANROFFOPT": "-rHY=0"})
    return re.sub(r".\x08|\x1b\[[0-9;]*m", "", done.stdout), done.stderr


def plain(markdown):
    """A piece of text without its marks, to be found in the page."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return re.sub(r"\s+", " ", text.replace("**", "").replace("`", "").replace("\\|", "|")).strip()


class ManPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="steerdns-man-"))
        cls.page = pathlib.Path(cls.folder) / "steerdns.yaml.5"
        cls.page.write_text(printed("--config-reference", "man"))
        cls.text, _ = manual(cls.page, 100000)
        cls.words = re.sub(r"\s+", " ", cls.text)
        cls.markdown = printed("--config-reference")

    def test_man_warns_of_nothing(self):
        self.assertEqual(manual(self.page, 80, "--warnings")[1], "")

    def test_other_pages_are_clean_too(self):
        for page in (ROOT / "docs/reference/man").glob("*.[1-8]"):
            self.assertEqual(manual(page, 80, "--warnings")[1], "", page)

    def test_each_setting_with_its_type_default_and_meaning(self):
        tables = re.findall(r"^\| key \| type \| default \| meaning \|\n\|---.*\n((?:\|.*\n)*)", self.markdown.replace("\\|", "\0"), re.M)
        rows = re.findall(r"^\| (`.*?`) \| (.*?) \| (.*?) \| (.*) \|$", "".join(tables), re.M)
        self.assertGreater(len(rows), 200)
        for row in rows:
            name, kind, default, meaning = (plain(cell.replace("\0", "|")) for cell in row)
            output = kind + (", required" if default == "required" else f"; default {default}" if default else "")
            self.assertIn(f"{name} {output} {meaning}", self.words)

    def test_each_heading_and_paragraph(self):
        for heading in re.findall(r"^###? (.*)$", self.markdown, re.M):
            self.assertRegex(self.text, "(?mi)^ *" + re.escape(plain(heading)) + "$")
        paragraphs = [p for p in re.split(r"\n\n+", self.markdown) if re.match(r"[A-Z]|`[^`]", p)]
        self.assertGreater(len(paragraphs), 50)
        for paragraph in paragraphs:
            # (A list or table may follow a line without a blank one.)
            text = re.split(r"\n(?:[-|]|```)", paragraph)[0]
            self.assertIn(plain(text), self.words)

    def test_a_wrong_form_is_refused(self):
        done = subprocess.run([STEERDNSD, "--config-reference", "html"], text=True, capture_output=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("html", done.stderr)


class NewerConfiguration(unittest.TestCase):
    def test_unknown_names_are_errors_without_a_guess_about_versions(self):
        good = "plugins:\n  - { tag: m, type: sequence, args: [ { exec: forward 192.0.2.1 } ] }\n"
        with tempfile.TemporaryDirectory(prefix="steerdns-newer-") as folder:
            for text, unknown in ((good + "later: 1\n", 'unknown section "later"'), ("log: { later: 1 }\n" + good, 'unknown key "later"'),
                                  (good + "  - { tag: x, type: later_type }\n", 'unknown plugin type "later_type"')):
                path = pathlib.Path(folder) / "c.yaml"
                path.write_text(text)
                done = subprocess.run([STEERDNSD, "--check", str(path)], text=True, capture_output=True)
                self.assertEqual(done.returncode, 2)
                self.assertIn(unknown, done.stderr)
                # Only after a downgrade (control/served_version.h).
                self.assertNotIn("served last", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
