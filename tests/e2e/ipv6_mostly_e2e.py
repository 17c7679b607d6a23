"""tools/lab/ipv6-mostly: configs/ipv6-mostly.yaml in an IPv6-mostly network with Tayga, radvd and a validating resolver."""

import sys
import unittest

from lab import ipv6_mostly
from lab.ipv6_mostly import CHECKS, OPTION, PROGRAMS, Ipv6MostlyLab
from lab.network import run, skip_without

BUILD = sys.argv.pop(1)


class Ipv6Mostly(unittest.TestCase):
    def test_all_that_must_hold_does(self):
        with Ipv6MostlyLab(BUILD) as lab:
            lab.start()
            for name, check in CHECKS:
                with self.subTest(name):
                    print(f"  {name}: {check(lab)}", flush=True)
            self.without_translator(lab)
            self.assertEqual(lab.daemon.stop(), 0, lab.daemon.text())
            words = [lab.network.prefix, str(lab.folder)]
        left = [line for command in (("ip", "netns", "list"), ("ps", "-eo", "pid,args"), ("ip", "-o", "link"))
                for line in run(*command).stdout.splitlines() if any(word in line for word in words)]
        self.assertEqual(left, [])
        self.assertFalse(lab.folder.exists())

    def without_translator(self, lab):
        """The checks notice it; who needs no NAT64 goes on."""
        lab.translator.stop()
        lab.patience_s = 5
        for check in (ipv6_mostly.through_nat64, ipv6_mostly.clat):
            with self.subTest(check), self.assertRaises(AssertionError):
                check(lab)
        for check in (ipv6_mostly.native, ipv6_mostly.dual_over_ipv4):
            with self.subTest(check):
                check(lab)


if __name__ == "__main__":
    skip_without(PROGRAMS, OPTION)
    unittest.main(verbosity=2)
