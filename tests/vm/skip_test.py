"""A virtual machine's test that cannot run one fails; it is skipped only where no one asked for it by name.

usage: skip_test.py
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent


class Skip(unittest.TestCase):
    def ended(self, script, *words, **environment):
        with tempfile.TemporaryDirectory() as empty:  # no qemu there
            kept = {name: value for name, value in os.environ.items() if name != "STEER_VM_MAY_SKIP"}
            done = subprocess.run([sys.executable, str(HERE / script), empty, *words], env={**kept, "PATH": empty, **environment}, text=True, capture_output=True)
        return done.returncode, done.stdout

    def test_without_qemu_a_machine_that_was_asked_for_fails(self):
        for script, *words in (("af_xdp_vm.py",), ("pci_vm.py", "uio"), ("packets_vm.py",), ("kernel_side_vm.py",)):
            with self.subTest(script=script):
                code, output = self.ended(script, *words)
                self.assertEqual(code, 1, output)
                self.assertIn("FAILED, no machine can be run: qemu-system-x86_64 is not here: apt-get install", output)

    def test_among_everything_it_is_skipped(self):
        code, output = self.ended("af_xdp_vm.py", STEER_VM_MAY_SKIP="1")
        self.assertEqual(code, 77, output)
        self.assertIn("SKIPPED: qemu-system-x86_64 is not here", output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
