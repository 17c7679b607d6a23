"""The laws of docs/explanation/ownership.md with a few workers, by user-mode emulation: no machine is booted.

usage: emulated_test.py BUILD
"""

import pathlib
import sys
import unittest

from cores import guest, laws, trace

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
ROUNDS = 10


class Laws(unittest.TestCase):
    def test_operations_take_no_more_lines_than_their_laws_allow(self):
        operations = trace.emulated(BUILD, 4, ROUNDS)
        for operation in operations:
            print(trace.text(operation, 0.3), flush=True)
        self.assertEqual(laws.broken(operations), [])
        needs = laws.of(operations)
        for name in ("miss", "insert", "claim"):  # the trace sees something
            self.assertGreater(needs[name].fills(), laws.LAWS[name].fills / 4)
        self.assertTrue(any(function.startswith("Ring<Event>") for _, function in operations[4].places), "functions have names")

    def test_a_single_worker_shares_with_the_routers_thread_only(self):
        needs = laws.of(trace.emulated(BUILD, 1, ROUNDS))
        for name in ("packet_cache_hit", "shared_cache_hit", "miss", "insert"):
            self.assertEqual((needs[name].fills(), needs[name].shared_writes), (0, 0), name)
        self.assertGreater(needs["claim"].moved, 1)


if __name__ == "__main__":
    guest.require_plugins("qemu-x86_64")
    unittest.main(verbosity=2)
