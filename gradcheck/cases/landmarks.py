"""At which numbers do gradient bugs hide? Zeros, ones, powers, ends of the domain, the function's own thresholds."""

from __future__ import annotations

import numpy as np

from gradcheck.expr import Program
from gradcheck.expr.nodes import Const
from gradcheck.expr.program import walk
from gradcheck.spec.membership import within_box
from gradcheck.spec.model import Domain, Spec

COMMON = (0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 10.0, -10.0, 1e-3, -1e-3, 1e-8, 20.0, -20.0)
MAX_CONSTANTS = 8


def landmarks(spec: Spec, domain: Domain) -> tuple[float, ...]:
    """Numbers worth planting in an input of this domain, in a fixed order, each inside the interval."""
    width = domain.high - domain.low
    ends: list[float] = []
    for end, inward in ((domain.low, 1.0), (domain.high, -1.0)):
        if np.isfinite(end):
            step = width if np.isfinite(width) else max(abs(end), 1.0)
            ends += [end, end + inward * 1e-3 * step, end + inward * 1e-6 * step]
    around = [v for c in constants(spec) for v in (c, c * (1 + 1e-3) + 1e-9, c * (1 - 1e-3) - 1e-9, 2 * c)]
    found = dict.fromkeys(v + 0.0 for v in [*ends, *COMMON, *around])
    numbers = np.array(list(found))
    return tuple(float(v) for v in numbers[within_box(domain, numbers)])


def constants(spec: Spec) -> tuple[float, ...]:
    """The numbers written in the function and in the claims: thresholds are among them."""
    programs: list[Program] = [spec.function, *(c.program for c in spec.claims)]
    found: dict[float, None] = {}
    for program in programs:
        for node in walk(program.tree):
            if isinstance(node, Const) and not node.name and not isinstance(node.value, bool):
                found.setdefault(float(node.value))
    return tuple(found)[:MAX_CONSTANTS]
