"""The programs are hardened, and what `meson install` puts in place is stripped.

usage: hardening_test.py BUILD
Reads the ELF files with readelf: PIE, full RELRO, no executable stack, stack protector, FORTIFY, and CET's landing pads
where the processor has them (x86).
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(sys.argv.pop(1))
PROGRAMS = ("steerdnsd", "steerdns-sets", "steerdns-quic", "tools/steerctl/steerctl")
MOST_INSTALLED_MIB = 40


def readelf(program: str, *words: str) -> str:
    return subprocess.run(["readelf", "-W", *words, str(BUILD / program)], text=True, capture_output=True, check=True).stdout


class Hardening(unittest.TestCase):
    def each(self):
        for program in PROGRAMS:
            with self.subTest(program):
                yield program

    def test_programs_are_position_independent(self):
        for program in self.each():
            self.assertRegex(readelf(program, "-h"), r"Type:\s+DYN")
            self.assertRegex(readelf(program, "-d"), r"FLAGS_1.*PIE")

    def test_programs_have_full_relro(self):
        for program in self.each():
            self.assertIn("GNU_RELRO", readelf(program, "-l"))
            self.assertRegex(readelf(program, "-d"), r"FLAGS_1.*NOW")

    def test_the_stack_is_not_executable(self):
        for program in self.each():
            self.assertRegex(readelf(program, "-l"), r"GNU_STACK.* RW ")

    def test_programs_use_stack_protector_and_fortify(self):
        for program in self.each():
            symbols = readelf(program, "--dyn-syms")
            self.assertIn("__stack_chk_fail", symbols)
            self.assertRegex(symbols, r"__(mem(cpy|set|move)|vsnprintf)_chk")

    @unittest.skipUnless(os.uname().machine == "x86_64", "CET is x86's")
    def test_functions_begin_with_landing_pads(self):
        for program in self.each():
            at = re.search(r"\s([0-9a-f]{16})\s+\d+ FUNC .* main$", readelf(program, "-s"), re.M)
            start = int(at[1], 16)
            code = subprocess.run(["objdump", "-d", f"--start-address={start}", f"--stop-address={start + 4}", str(BUILD / program)],
                                  text=True, capture_output=True, check=True).stdout
            self.assertIn("endbr64", code)

    def test_installed_programs_are_stripped(self):
        with tempfile.TemporaryDirectory(prefix="steerdns-install-") as folder:
            done = subprocess.run(["meson", "install", "-C", str(BUILD), "--no-rebuild", "--destdir", folder], text=True, capture_output=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            for name in ("sbin/steerdnsd", "sbin/steerctl", "libexec/steerdns/steerdns-sets", "libexec/steerdns/steerdns-quic"):
                path, = pathlib.Path(folder).rglob(name)
                sections = subprocess.run(["readelf", "-SW", str(path)], text=True, capture_output=True, check=True).stdout
                self.assertNotIn(".debug_info", sections)
                mib = path.stat().st_size / 2**20
                self.assertLess(mib, MOST_INSTALLED_MIB)
                print(f"  {name}: {mib:.1f} MiB installed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
