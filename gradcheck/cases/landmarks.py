"""At which numbers do gradient bugs hide? Zeros, ones, powers, ends of the domain, the function's own thresholds."""

from __future__ import annotations

import numpy as np

from gradcheck.expr import Program
from gradcheck.expr.nodes import Call, Const
from gradcheck.expr.program import walk
from gradcheck.spec.membership import within_box
from gradcheck.spec.model import Domain, Spec

COMMON = (0.0, 1.0, -1.0, 800.0, -800.0, 0.5, -0.5, 40.0, -40.0, 2.0, -2.0, 1e-8, 3.0, -3.0, 10.0, -10.0, 1e-3, 1e4)
MAX_CONSTANTS = 24
COMPARISONS = frozenset(("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "clip", "where"))


def landmarks(spec: Spec, domain: Domain) -> tuple[float, ...]:
    """Numbers worth planting in an input of this domain, in a fixed order, each inside the interval."""
    width = domain.high - domain.low
    ends: list[float] = []
    for end, inward in ((domain.low, 1.0), (domain.high, -1.0)):
        if np.isfinite(end):
            step = width if np.isfinite(width) else max(abs(end), 1.0)
            ends += [end, end + inward * 1e-3 * step, end + inward * 1e-6 * step]
    around = [v for c in constants(spec) for v in (c, c * (1 + 1e-3) + 1e-9, c * (1 - 1e-3) - 1e-9, 2 * c)]
    found = dict.fromkeys(v + 0.0 for v in [*ends, *around, *COMMON])
    numbers = np.array(list(found))
    return tuple(float(v) for v in numbers[within_box(domain, numbers)])


def constants(spec: Spec) -> tuple[float, ...]:
    """The numbers written in the function and in the claims, thresholds (numbers that are compared with) first."""
    programs: list[Program] = [spec.function, *(c.program for c in spec.claims)]
    nodes = [node for program in programs for node in walk(program.tree)]
    calls = [node for node in nodes if isinstance(node, Call)]
    compared = [node for call in calls if call.primitive in COMPARISONS for node in walk(call.args)]
    others = [node for call in calls if call.primitive not in COMPARISONS for node in call.args]
    numbers = [node.value for node in [*compared, *others] if isinstance(node, Const) and not node.name]
    return tuple(dict.fromkeys(float(v) for v in numbers if not isinstance(v, bool)))[:MAX_CONSTANTS]
