"""Seven workers on eight emulated CPUs: the lines that each operation takes from other cores (tests/cores), against its law.

usage: cores_vm.py BUILD (the folder with the guest's build in vm/)
"""

import pathlib
import sys
import unittest

from cores import guest, laws, trace

from machine import prepared

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
ROUNDS = 5  # bursts of a worker, for each operation


class Cores(unittest.TestCase):
    def test_operations_take_no_more_lines_than_their_laws_allow(self):
        with guest.booted(prepared(BUILD), BUILD / "vm") as machine:
            operations = machine.counted(guest.MOST_WORKERS, ROUNDS)
        for operation in operations:
            print("  " + trace.text(operation, 0.5), flush=True)
        self.assertEqual(laws.broken(operations), [])
        found = laws.of(operations)
        for name in ("miss", "insert", "claim"):  # the trace sees something
            self.assertGreater(found[name].fills(), laws.LAWS[name].fills / 4)


if __name__ == "__main__":
    guest.require_plugins()
    unittest.main(verbosity=2)
