"""libnftables and libipset (GPL-2) and OpenSSL (Apache-2.0) are never in one program.

usage: licence_test.py BUILD
Reads which shared libraries each program needs, with readelf and, for what these need in turn, with ldd.
"""

import pathlib
import re
import subprocess
import sys
import unittest

BUILD = pathlib.Path(sys.argv.pop(1))
GPL = {"libnftables", "libnftnl", "libipset"}
APACHE = {"libssl", "libcrypto"}
DPDK = {"librte_eal"}


def output(*words: str) -> str:
    return subprocess.run(words, text=True, capture_output=True, check=True).stdout


def needed(program: str) -> set[str]:
    """Names without version, of the program itself: libssl."""
    return set(re.findall(r"\(NEEDED\).*\[([^].]+)\.so", output("readelf", "-dW", str(BUILD / program))))


def loaded(program: str) -> set[str]:
    """And of what these libraries need."""
    return set(re.findall(r"^\s+([^\s.]+)\.so", output("ldd", str(BUILD / program)), re.M))


class Licences(unittest.TestCase):
    def test_the_daemon_has_no_library_of_the_kernels_sets(self):
        self.assertFalse(GPL & loaded("steerdnsd"))
        self.assertLessEqual(APACHE, needed("steerdnsd"))  # else this test looks at nothing

    def test_the_process_of_the_sets_has_nothing_of_openssl_and_dpdk(self):
        self.assertLessEqual({"libnftables", "libipset"}, needed("steerdns-sets"))
        self.assertFalse((APACHE | DPDK) & loaded("steerdns-sets"))

    def test_the_operators_tool_has_none_of_them(self):
        self.assertFalse(GPL & loaded("tools/steerctl/steerctl"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
