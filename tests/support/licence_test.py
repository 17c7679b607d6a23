"""libnftables and libipset (GPL-2) and OpenSSL (Apache-2.0) are never in one program.

usage: licence_test.py BUILD
Reads which shared libraries each program needs, with readelf and, for what these need in turn, with ldd. Compares them with the table
of docs/reference/licences.md, and that with what Debian's packages say of themselves.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

BUILD = pathlib.Path(sys.argv.pop(1))
GPL = {"libnftables", "libnftnl", "libipset"}
APACHE = {"libssl", "libcrypto"}
DPDK = {"librte_eal"}
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/reference/licences.md"
PROGRAMS = {"steerdnsd": "steerdnsd", "steerdns-sets": "steerdns-sets", "steerdns-quic": "steerdns-quic", "steerctl": "tools/steerctl/steerctl"}
# How a copyright file words a licence of the table.
EVIDENCE = {
    "AFL-2.1": r"AFL-2\.1|Academic Free License",
    "Apache-2.0": r"Apache-2\.0|Apache License",
    "BSD-2-Clause": r"BSD-2-[Cc]lause",
    "BSD-3-Clause": r"BSD-3-[Cc]lause|3-clause BSD|Neither the name",
    "BSL-1.0": r"BSL-1\.0",
    "Expat": r"Expat|MIT",
    "GPL-2": r"GPL-2",
    "GPL-2-only": r"License: GPL-2$",
    "GPL-2-or-later": r"GPL-2\+",
    "GPL-3 with GCC runtime exception": r"GCC Runtime Library Exception",
    "LGPL-2.1": r"LGPL-2\.1|Lesser General Public License",
    "LGPL-2.1-or-later": r"LGPL-2\.1\+?|Lesser\s+General Public",
    "LGPL-3-or-later": r"LGPL-3\+",
    "X11": r"X11|MIT",
    "Zlib": r"[Zz]lib",
    "public domain": r"public[- ]domain",
}


def output(*words: str) -> str:
    return subprocess.run(words, text=True, capture_output=True, check=True).stdout


def needed(program: str) -> set[str]:
    """Names without version, of the program itself: libssl."""
    return set(re.findall(r"\(NEEDED\).*\[([^].]+)\.so", output("readelf", "-dW", str(BUILD / program))))


def loaded(program: str) -> set[str]:
    """And of what these libraries need."""
    return set(re.findall(r"^\s+([^\s.]+)\.so", output("ldd", str(BUILD / program)), re.M))


def owners(libraries: set[str]) -> dict[str, str]:
    """The Debian package of each file; /lib and /usr/lib are one."""
    names = {library: {library, os.path.realpath(library)} for library in libraries}
    for paths in names.values():
        paths |= {path.removeprefix("/usr") for path in paths} | {"/usr" + path for path in paths}
    # (It fails for each of these names that no package has.)
    found = subprocess.run(["dpkg-query", "-S", *sorted(set().union(*names.values()))], text=True, capture_output=True).stdout
    packages = {path: package for package, path in re.findall(r"^([^:,]+)\S*: (/.*)$", found, re.M)}
    return {library: next(packages[path] for path in paths if path in packages) for library, paths in names.items()}


def table() -> dict[str, tuple[str, set[str]]]:
    """Package: its licence, and the programs that load it."""
    rows = re.findall(r"^\| `(\S+)` \| (.+?) \| (.+?) \|$", PAGE.read_text(), re.M)
    return {package: (licence, set(re.findall(r"`(.+?)`", programs))) for package, licence, programs in rows}


class Licences(unittest.TestCase):
    maxDiff = None

    def test_the_daemon_links_neither_libnftables_nor_libipset(self):
        self.assertFalse(GPL & loaded("steerdnsd"))
        self.assertLessEqual(APACHE, needed("steerdnsd"))  # else this test checks nothing

    def test_steerdns_sets_links_neither_openssl_nor_dpdk(self):
        self.assertLessEqual({"libnftables", "libipset"}, needed("steerdns-sets"))
        self.assertFalse((APACHE | DPDK) & loaded("steerdns-sets"))

    def test_steerctl_links_none_of_these_libraries(self):
        self.assertFalse(GPL & loaded("tools/steerctl/steerctl"))

    def test_the_table_has_what_each_program_loads(self):
        libraries = {name: set(re.findall(r"=> (/\S+)", output("ldd", str(BUILD / program)))) for name, program in PROGRAMS.items()}
        package_of = owners(set().union(*libraries.values()))
        found: dict[str, set[str]] = {}
        for name, paths in libraries.items():
            for library in paths:
                found.setdefault(package_of[library], set()).add(name)
        self.assertEqual({package: programs for package, (_, programs) in table().items()}, found)

    def test_the_packages_say_what_the_table_says(self):
        for package, (licence, _) in table().items():
            with self.subTest(package):
                text = (pathlib.Path("/usr/share/doc") / package / "copyright").read_text(errors="replace")
                for part in re.split(" or | and ", licence):
                    self.assertRegex(text, re.compile(EVIDENCE[part], re.M))

    def test_no_library_of_the_gpl_alone_is_loaded_beside_openssl(self):
        of_openssl = table()["libssl3"][1]
        for package, (licence, programs) in table().items():
            if re.fullmatch(r"GPL-2\S*", licence):
                self.assertFalse(programs & of_openssl, package)


if __name__ == "__main__":
    unittest.main(verbosity=2)
