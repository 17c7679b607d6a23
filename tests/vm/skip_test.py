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
PATHS = f"{os.environ.get('PYTHONPATH', '')}:{HERE.parent}"  # `cores` is there


class Skip(unittest.TestCase):
    def ended(self, script, *words, qemu="", **environment):
        """`qemu`: the version of a program that says so; empty: none is there."""
        with tempfile.TemporaryDirectory() as empty:
            if qemu:
                program = pathlib.Path(empty) / "qemu-system-x86_64"
                program.write_text(f"#!/bin/sh\necho 'QEMU emulator version {qemu}'\n")
                program.chmod(0o755)
            kept = {name: value for name, value in os.environ.items() if name != "STEER_VM_MAY_SKIP"}
            done = subprocess.run([sys.executable, str(HERE / script), empty, *words], env={**kept, "PYTHONPATH": PATHS, "PATH": empty, **environment}, text=True, capture_output=True)
        return done.returncode, done.stdout

    def test_without_qemu_a_machine_that_was_asked_for_fails(self):
        for script, *words in (("af_xdp_vm.py",), ("pci_vm.py", "uio"), ("packets_vm.py",), ("kernel_side_vm.py",)):
            with self.subTest(script=script):
                code, output = self.ended(script, *words)
                self.assertEqual(code, 1, output)
                self.assertIn("FAILED, no machine can be run: qemu-system-x86_64 is not here: apt-get install", output)

    def test_counts_of_lines_need_the_qemu_whose_plugins_they_know(self):
        code, output = self.ended("cores_vm.py", qemu="9.1.0")
        self.assertEqual(code, 1, output)
        self.assertIn("FAILED, no machine can be run: qemu-system-x86_64 is QEMU 9.1, and the plugin shared_lines is for QEMU 7.2", output)
        self.assertEqual(self.ended("cores_vm.py", qemu="9.1.0", STEER_VM_MAY_SKIP="1")[0], 77)

    def test_among_everything_it_is_skipped(self):
        code, output = self.ended("af_xdp_vm.py", STEER_VM_MAY_SKIP="1")
        self.assertEqual(code, 77, output)
        self.assertIn("SKIPPED: qemu-system-x86_64 is not here", output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
