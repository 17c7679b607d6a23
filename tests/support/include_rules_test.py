#!/usr/bin/env python3
"""include_rules.py finds folders that are too many, in a circle, or in too long a chain."""
import unittest
from unittest import mock

import include_rules


class Folders(unittest.TestCase):
    CHAIN = {"m/c": {"m/b"}, "m/b": {"m/a"}, "m/d": {"m/a"}}

    def test_the_longest_chain_goes_from_the_top_to_the_bottom(self):
        self.assertEqual(include_rules.longest_chain(self.CHAIN), ["m/c", "m/b", "m/a"])

    def test_a_circle_is_found(self):
        self.assertEqual(include_rules.circle(self.CHAIN), [])
        self.assertEqual(set(include_rules.circle(self.CHAIN | {"m/a": {"m/c"}})), {"m/a", "m/b", "m/c"})

    def test_limits_name_the_folders(self):
        with mock.patch.object(include_rules, "LIMITS", {"m": (4, 3)}):
            self.assertEqual(include_rules.limits_broken("m", self.CHAIN), [])
        with mock.patch.object(include_rules, "LIMITS", {"m": (3, 2)}):
            self.assertEqual(include_rules.limits_broken("m", self.CHAIN),
                             ["m has 4 folders, expected 3 at most: m/a, m/b, m/c, m/d",
                              "m: 3 folders include each other in a chain, expected 2 at most: m/c > m/b > m/a"])


if __name__ == "__main__":
    unittest.main()
