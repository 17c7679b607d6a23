#!/usr/bin/env python3
"""Each sentence that SteerDNS sends to a router, and each line that it prints for one, exists in every RouterOS version.

Features that need a newer version are rows of routeros/features.h, which says so to the operator.
"""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import doc_blocks
import routeros_schema as schema

class EachVersion(unittest.TestCase):
    def expect_everywhere(self, place, menu, command, arguments, properties):
        first = schema.first_version(place)
        for version in schema.versions():
            is_old = schema.versions().index(version) < schema.versions().index(first)
            with self.subTest(place, version=version, command=f"{menu}/{command}"):
                missing = schema.lacks(version, menu, command, arguments, properties)
                self.assertTrue(missing) if is_old else self.assertEqual(missing, "")

    def test_has_each_sentence_of_the_api(self):
        count = 0
        for feature, *use in schema.sentences():
            self.expect_everywhere(feature, *use)
            count += 1
        rows = schema.FORMS.read_text().count("    X(")
        self.assertGreaterEqual(count, rows)
        print(f"  {rows} forms, {len(schema.versions())} versions", file=sys.stderr)

    def test_is_what_the_table_of_features_says(self):
        labels = {feature for feature, *_ in schema.sentences()}
        oldest = schema.versions()[0]
        for label, (first, _, _) in schema.features().items():
            with self.subTest(label):
                if label in labels:
                    uses = [use for feature, *use in schema.sentences() if feature == label]
                    reported = schema.since(uses).split()[0]
                    self.assertEqual(reported, first if schema.number(first) > schema.number(oldest) else oldest)
        self.assertGreaterEqual(len(labels & set(schema.features())), 4)

    def test_has_each_command_of_the_set_up_and_its_undo(self):
        for path in schema.SETUPS:
            calls = {(menu, command, tuple(arguments), tuple(properties))
                     for menu, command, arguments, properties in schema.calls_of(path.read_text())}
            self.assertGreater(len(calls), 15)
            for call in calls:
                self.expect_everywhere(path.name, *call)

    def test_has_each_command_that_the_documentation_shows(self):
        count = 0
        for block in doc_blocks.blocks(language="routeros"):
            for call in schema.terminal_calls(block.text):
                self.expect_everywhere(block.place, *call)
                count += 1
        self.assertGreater(count, 10)


class Mistakes(unittest.TestCase):
    def test_are_noticed(self):
        for call, output in (
                (("7.14.3", "/ip/dns/adlist", "print"), "no menu /ip/dns/adlist"),
                (("7.15.3", "/ip/dns/adlist", "print"), ""),
                (("7.24", "/ip/firewall/address-list", "ad"), "no command /ip/firewall/address-list/ad"),
                (("7.24", "/ip/firewall/address-list", "add", ["lst"]), "/ip/firewall/address-list/add has no lst"),
                (("7.24", "/ip/firewall/address-list", "print", [".id"]), "/ip/firewall/address-list/print has no .id"),
                (("7.24", "/ip/firewall/address-list", "print", [], ["age"]), "/ip/firewall/address-list has no property age"),
                (("7.21.5", "/ip/firewall/connection", "listen"), ""),
                (("7.22.3", "/ip/firewall/connection", "listen"), "/ip/firewall/connection/print has no follow-only"),
                (("7.20.8", "/ip/firewall/filter", "add", ["hw-offload"]), ""),
                (("7.21.5", "/ip/firewall/filter", "add", ["hw-offload"]), "/ip/firewall/filter/add has no hw-offload")):
            self.assertEqual(schema.lacks(*call), output, call)
        calls = list(schema.terminal_calls('/ip firewall address-list print where list=x and dynamic\n/ip route add gateway="a b" x=1\n'))
        self.assertEqual(calls, [("/ip/firewall/address-list", "print", [], ["list"]), ("/ip/route", "add", ["gateway", "x"], [])])


class Page(unittest.TestCase):
    def test_is_what_the_commands_say(self):
        self.assertEqual(schema.PAGE.read_text(), schema.page(), "write it with tests/support/routeros_schema.py --write")


if __name__ == "__main__":
    unittest.main(verbosity=2)
