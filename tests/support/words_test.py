#!/usr/bin/env python3
"""words_check.py finds what it should, and nothing else: a sentence of each kind that is found beside one that is not."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import words_check  # noqa: E402

RULES = words_check.phrases()
LONG = "one two three four five six seven eight nine ten " * 3


def found(name: str, text: str) -> list[tuple[int, str]]:
    return [(line, kind) for line, kind, _ in words_check.file_findings(name, text, RULES)]


def long_ones(name: str, text: str) -> list[tuple[int, str]]:
    return [f for f in found(name, text) if f[1] == "sentence"]


class Phrases(unittest.TestCase):
    def test_comment_is_read_and_code_is_not(self):
        self.assertEqual(found("control/x.cpp", "int anew = 1;\n// The list is read anew.\n"), [(2, "phrase")])

    def test_phrase_over_two_lines_of_a_comment_is_found_in_its_first(self):
        self.assertEqual(found("control/x.h", "// A table of 3 rows, of\n// which two are free.\nint x;\n"), [(1, "phrase")])

    def test_comments_behind_code_of_two_lines_are_two_texts(self):
        self.assertEqual(found("control/x.h", "int x;  // a part of\nint y;  // which one: 0, 1\n"), [])

    def test_text_of_a_program_is_found_and_data_of_a_test_is_not(self):
        text = 'log("nobody answers");\n'
        self.assertEqual(found("control/x.cpp", text), [(1, "phrase")])
        self.assertEqual(found("tests/unit/x_test.cpp", text), [])

    def test_phrase_over_two_adjacent_literals_is_found(self):
        self.assertEqual(found("control/x.cpp", 'log("two servers, of "\n    "which one replies");\n'), [(1, "phrase")])

    def test_names_of_tests_are_read(self):
        self.assertEqual(found("tests/unit/x_test.cpp", "\nBOOST_AUTO_TEST_CASE(nobody_waits) {\n"), [(2, "phrase")])
        self.assertEqual(found("tests/e2e/x_e2e.py", "def test_it_is_read_anew():\n    pass\n"), [(1, "phrase")])

    def test_quoted_code_in_markdown_is_left_out(self):
        self.assertEqual(found("docs/x.md", "The tag `nobody` is unknown.\n\n```\nnobody\n```\n"), [])
        self.assertEqual(found("docs/x.md", "This is of use to nobody.\n"), [(1, "phrase"), (1, "phrase")])

    def test_part_of_a_word_is_no_phrase(self):
        self.assertEqual(found("docs/x.md", "The janewood and the thence.\n"), [])

    def test_room_of_a_buffer_is_not_a_module(self):
        self.assertEqual(found("docs/x.md", "The buffer has no room for it. Leave room.\n"), [])
        self.assertEqual(found("docs/x.md", "Each room has a README.\n"), [(1, "phrase")])

    def test_every_row_of_the_list_can_match(self):
        for word, pattern, _ in RULES:
            self.assertIn(word, pattern.pattern)


class Names(unittest.TestCase):
    def names(self, path, text):
        return [line for line, kind in found(path, text) if kind == "name"]

    def test_name_with_a_retired_word_is_found_in_cpp_and_python(self):
        self.assertEqual(self.names("control/x.h", "int x;\nbool is_told_ = false;\nenum { kToldMs };\n"), [2, 3])
        self.assertEqual(self.names("tests/x.py", "said = 1\n"), [1])

    def test_literal_and_key_of_json_are_not_names(self):
        self.assertEqual(self.names("control/x.cpp", 'put("trouble", R"(said)");  // {"trouble"}\n'), [])
        self.assertEqual(self.names("tests/x.py", 'wait(trouble="", what="told")\n'), [])

    def test_word_inside_another_is_not_found(self):
        self.assertEqual(self.names("control/x.h", "int lookup, gateway, always, became;\n"), [])

    def test_comment_is_read_and_look_up_is_allowed(self):
        self.assertEqual(self.names("control/x.h", "// The name is looked up. Look\n// up the other.\n// It is told twice.\n"), [3])
        self.assertEqual(self.names("control/x.h", "// The only way to do it.\n"), [])

    def test_way_of_a_set_associative_table_is_kept_there(self):
        self.assertEqual(self.names("dataplane/stages/packet_cache.cpp", "unsigned way = 0;\n"), [])
        self.assertEqual(self.names("dataplane/stages/reply.cpp", "unsigned way = 0;\n"), [1])


class Sentences(unittest.TestCase):
    def test_26_words_are_too_many_and_25_are_not(self):
        words = [f"word{i}" for i in range(26)]
        self.assertEqual(long_ones("docs/x.md", " ".join(words) + ".\n"), [(1, "sentence")])
        self.assertEqual(long_ones("docs/x.md", " ".join(words[1:]) + ".\n"), [])

    def test_two_short_sentences_are_not_one(self):
        self.assertEqual(long_ones("docs/x.md", "This has " + "a word " * 8 + "here. `code` " + "a word " * 8 + ".\n"), [])

    def test_version_does_not_end_a_sentence(self):
        self.assertEqual(long_ones("docs/x.md", "RFC 1035 4.1 " + "a word " * 13 + ".\n"), [(1, "sentence")])

    def test_semicolon_does_not_end_a_sentence(self):
        self.assertEqual(long_ones("docs/x.md", "one two three; " * 9 + "\n"), [(1, "sentence")])

    def test_items_behind_a_colon_are_counted_one_by_one(self):
        self.assertEqual(long_ones("docs/x.md", "Kinds: " + "the first kind of all, " * 7 + "the last.\n"), [])
        self.assertEqual(long_ones("docs/x.md", "Kinds: one, two, " + LONG + ".\n"), [(1, "sentence")])

    def test_code_is_one_word(self):
        self.assertEqual(long_ones("docs/x.md", f"Run `{LONG}`.\n"), [])

    def test_cell_of_a_table_is_measured(self):
        self.assertEqual(long_ones("docs/x.md", f"| a | b |\n|---|---|\n| short | {LONG} |\n"), [(3, "sentence")])

    def test_item_of_a_list_is_measured_by_itself(self):
        self.assertEqual(long_ones("docs/x.md", "- five words in this item\n" * 9), [])

    def test_setting_and_error_texts_are_measured(self):
        self.assertEqual(long_ones("control/config/x.cpp", f'{{"size", "1", "{LONG}"}},\n'), [(1, "sentence")])
        self.assertEqual(long_ones("control/config/x.cpp", f"// {LONG}\n"), [])

    def test_line_of_a_text_in_python_is_measured_by_itself(self):
        self.assertEqual(long_ones("tools/x.py", 'ZONE = """\n' + "@ 300 NS ns\n" * 9 + '"""\n'), [])
        self.assertEqual(long_ones("tools/x.py", f'print("one\\n{LONG}")\n'), [(2, "sentence")])

    def test_man_page_is_measured_without_its_macros(self):
        page = ".TH X 8\n.SH NAME\n.TP\n.B \\-\\-force\nReplaces the file.\n.PP\n" + LONG + "\n.nf\n" + LONG + "\n.fi\n"
        self.assertEqual(long_ones("docs/x.8", page), [(7, "sentence")])


class Form(unittest.TestCase):
    def test_line_of_101_columns_is_found_outside_tables_and_code(self):
        line = "a " * 50 + "b"
        self.assertIn((1, "line"), found("docs/x.md", line + "\n"))
        self.assertNotIn((1, "line"), found("docs/x.md", line[:100].strip() + "\n"))
        self.assertEqual([k for _, k in found("docs/x.md", f"```\n{line}\n```\n| {line} |\n") if k == "line"], [])

    def test_second_blank_line_is_found_outside_code(self):
        self.assertEqual(found("docs/x.md", "one\n\n\ntwo\n"), [(3, "line")])
        self.assertEqual(found("docs/x.md", "one\n\n```\n\n\n```\n\ntwo\n"), [])


class Spelling(unittest.TestCase):
    def test_misspelt_word_of_a_comment_is_found_with_its_place(self):
        if not words_check.shutil.which("codespell"):
            self.skipTest("codespell is not installed: tools/deps")
        wrong = "rec" + "ieve"
        self.assertEqual(words_check.spelling({"control/x.cpp": f"int {wrong};\n// To {wrong} it.\n"}),
                         [f'control/x.cpp:2: spelling: "{wrong}": write: receive'])


if __name__ == "__main__":
    unittest.main()
