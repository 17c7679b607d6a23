"""The cases of packet_cases.py as tests of a unittest class: one for each case and family."""

from __future__ import annotations

import unittest

from packet_cases import CASES


def test_of(case, family):
    def test(self):
        if case.needs_kernel and not self.place.kernel:
            self.skipTest("no kernel carries this port's addresses")
        case.run(self.place, next(s for s in self.place.sides if s.family == family))

    test.__doc__ = f"{case.name}, IPv{family}"
    return test


def with_cases(cls: type[unittest.TestCase]) -> type[unittest.TestCase]:
    """A class decorator; the class has a `place` (packet_place.Place) when its tests run."""
    for number, case in enumerate(CASES):
        for family in case.families:
            setattr(cls, f"test_{number:02}_{case.name}_v{family}", test_of(case, family))
    return cls
