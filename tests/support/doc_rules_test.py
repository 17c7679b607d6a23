#!/usr/bin/env python3
"""doc_rules.py, doc_blocks.py and status_rules.py find what they are for."""
import pathlib
import tempfile
import unittest
from unittest import mock

import doc_blocks
import doc_rules
import status_rules


class Blocks(unittest.TestCase):
    def test_a_block_has_line_language_attributes_and_text_without_indentation(self):
        block, = doc_blocks.blocks_of("Text\n\n1. step\n\n   ```sh run=lab on=client\n   ls -l\n     x\n   ```\n")
        self.assertEqual((block.line, block.language, block.attributes), (6, "sh", {"run": "lab", "on": "client"}))
        self.assertEqual(block.text, "ls -l\n  x\n")

    def test_a_longer_fence_holds_a_shorter_one(self):
        block, = doc_blocks.blocks_of("````text\n```sh\n```\n````\n")
        self.assertEqual((block.language, block.text), ("text", "```sh\n```\n"))

    def test_a_block_without_an_end_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "page.md:1: "):
            doc_blocks.blocks_of("```sh\nls\n", "page.md")

    def test_commands_are_joined_and_comments_left_out(self):
        block, = doc_blocks.blocks_of("```sh\n# first\n$ a \\\n    b\n\ncat > x <<EOF\n# in the file\nEOF\nlast\n```\n")
        self.assertEqual(doc_blocks.commands(block), [(3, "a b"), (6, "cat > x <<EOF\n# in the file\nEOF"), (9, "last")])


class Pages(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        self.enterContext(mock.patch.object(doc_rules, "ROOT", self.root))
        self.enterContext(mock.patch.object(doc_blocks, "ROOT", self.root))
        self.enterContext(mock.patch.object(doc_rules, "known_names", lambda: {"control/a.h", "a.h"}))
        (self.root / "docs/guides").mkdir(parents=True)
        (self.root / "docs/README.md").write_text("[a](guides/a.md)\n")
        self.page = self.root / "docs/guides/a.md"

    def findings(self, text):
        doc_rules.KNOWN.clear()
        self.page.write_text(text)
        return doc_rules.link_findings(self.page) + doc_rules.path_findings(self.page) + doc_rules.block_findings(self.page)

    def test_a_good_page_has_no_findings(self):
        self.assertEqual(self.findings("# A `b` c\n\n[x](#a-b-c) [y](../README.md) [z](https://example.com/none)\n\n"
                                       "```sh\n[no](link)\n```\n`[no](link)` `tests/unit/MODULE/x_test.cpp`\n"), [])

    def test_links_to_nothing_are_found(self):
        found = self.findings("# A\n[x](none.md) [y](#b)\n![z](../../../x.svg)\n[r]: none2.md\n")
        self.assertEqual([line.split(": ", 1)[1] for line in found],
                         ["the link to 'none.md' leads to no file", "the link to '#b' leads to no heading of that file",
                          "the link to '../../../x.svg' leaves the repository", "the link to 'none2.md' leads to no file"])

    def test_the_second_heading_of_a_name_has_a_number(self):
        self.assertEqual(self.findings("# A\n## B\n## B\n[x](#b-1)\n"), [])
        self.assertEqual(len(self.findings("# A\n## B\n[x](#b-1)\n")), 1)

    def test_paths_in_code_marks_exist(self):
        self.assertEqual(self.findings("`control/a.h` `a.h` `control/none.h`\n"), ["docs/guides/a.md:1: there is no file 'control/none.h'"])

    def test_paths_from_the_top_exist_in_pages_and_in_comments(self):
        self.enterContext(mock.patch.object(doc_rules, "known_folders", lambda: {"control"}))
        self.page.write_text("control/a.h, control/none/x.h and tests/fuzz/MODULE\n")
        self.assertEqual(doc_rules.named_path_findings(self.page), ["docs/guides/a.md:1: there is no file or folder 'control/none/x.h'"])
        source = self.root / "a.cpp"
        source.write_text('#include "control/gone.h"\n// See control/old.h, and tools/rossim/rossim.\n')
        self.assertEqual(doc_rules.named_path_findings(source), ["a.cpp:2: there is no file or folder 'control/old.h'"])

    def test_fences_have_a_known_language_and_attributes(self):
        for text, expected in (("```\nx\n```\n", "no language"), ("```basic\n```\n", "'basic' is not one of"),
                               ("```sh rnu=x\n```\n", "'rnu' is no attribute"), ("```yaml check=yes\n```\n", "'check'"), ("```sh run=none\n```\n", "there is no test"),
                               ("```sh\n", "has no end")):
            with self.subTest(text):
                found = self.findings(text)
                self.assertEqual(len(found), 1)
                self.assertIn(expected, found[0])

    def test_pages_without_a_link_in_the_index_are_found(self):
        self.page.write_text("x\n")
        self.assertEqual(doc_rules.index_findings(), [])
        (self.root / "docs/guides/b.md").write_text("x\n")
        self.assertEqual(doc_rules.index_findings(), ["docs/guides/b.md: docs/README.md has no link to it"])

    def test_long_pages_are_found(self):
        page = self.root / "README.md"
        page.write_text("x\n" * 121)
        self.assertEqual(doc_rules.length_findings(page), ["README.md: has 121 lines, and may have 120"])


class Status(unittest.TestCase):
    def rows(self, *rows):
        return status_rules.findings(status_rules.HEAD + "\n|---|---|---|\n" + "\n".join(rows) + "\n")

    def test_good_rows_have_no_findings(self):
        self.assertEqual(self.rows("| x | works | `documents`, `packet` (`doc_rules_test.py`) |", "| y | missing | - |"), [])

    def test_wrong_rows_are_found(self):
        for row, expected in (("| x | works | `no_such_test` |", "does not exist"), ("| x | works | - |", "names no test"),
                              ("| x | soon | `packet` |", "begins with"), ("| x | missing | `packet` |", "its proof is '-'"),
                              ("| x | `packet` |", "has 2 cells")):
            with self.subTest(row):
                found = self.rows(row)
                self.assertEqual(len(found), 1, found)
                self.assertIn(expected, found[0])

    def test_a_page_without_a_table_is_found(self):
        self.assertEqual(len(status_rules.findings("nothing\n")), 1)
        self.assertEqual(len(status_rules.findings_of_proofs("nothing\n", "| promise | test |")), 1)

    def test_rows_of_other_pages_name_tests_that_exist(self):
        head = "| promise | test |"
        for row, expected in (("| x | `packet`, `no_such_test` |", "does not exist"), ("| x | soon |", "names no test"),
                              ("| x |", "has 1 cells"), ("| x | `packet` (`doc_rules_test.py`) |", "")):
            with self.subTest(row):
                found = status_rules.findings_of_proofs(f"{head}\n|---|---|\n{row}\n", head)
                self.assertEqual(len(found), 1 if expected else 0, found)
                self.assertIn(expected, "".join(found))


if __name__ == "__main__":
    unittest.main()
