"""At which numbers do gradient bugs hide? Zeros, ones, powers, ends of the domain, the function's own thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gradcheck.expr import Program
from gradcheck.expr.nodes import Call, Const, walk
from gradcheck.spec.membership import within_box
from gradcheck.spec.model import Domain, Spec

COMMON = (0.0, 1.0, -1.0, 800.0, -800.0, 0.5, -0.5, 40.0, -40.0, 2.0, -2.0, 1e-8, 3.0, -3.0, 10.0, -10.0, 1e-3, 1e4)
MAX_CONSTANTS = 24
SMALLEST = 2.0**-1022  # the smallest normal number
TINY = (5e-324, 1e-160, 1e-310, 1e-16, SMALLEST, 1e-100, 1e-30, 1e-200, 1e-12, 1e-300)
SMALL = (1e-6, 1e-5, 1e-4, 1e-2)
POWERS = tuple(2.0**k for k in range(-10, 14) if not -2 < k < 2)
WHOLE = tuple(float(k) for k in range(4, 13))
HALVES = (1.5, 2.5, 3.5, 4.5, 7.5, 10.5)
LARGE = (20.5, 25.0, 31.0, 50.0, 100.0, 300.0, 720.0, 1e3)  # of larger ones, differences of a sine lie
NEAR = (1e-6, 1e-3)  # how far beside a threshold, relative to it
BETWEEN = 0.05  # two thresholds that are no further apart than this, relative to them, have a number put between them


@dataclass(frozen=True, slots=True)
class Marks:
    """Numbers that the code under test holds (`written`), and such as it may make of them (`derived`); no signs."""

    written: tuple[float, ...] = ()
    derived: tuple[float, ...] = ()


NO_MARKS = Marks()
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


def fine(domain: Domain, marks: Marks = NO_MARKS) -> tuple[float, ...]:
    """Further numbers, of which several are planted in one point: what code holds, and what is known to be special.

    Each inside the interval; those of the code first.
    """
    width = domain.high - domain.low
    ends = [np.nextafter(e, inward) for e, inward in ((domain.low, np.inf), (domain.high, -np.inf)) if np.isfinite(e)]
    known = [*SMALL, *HALVES, *WHOLE, *LARGE, *POWERS]
    special = [v for pair in zip(known, (-v for v in known), strict=True) for v in pair]
    inner = [domain.low + part * width for part in (0.5, 0.25, 0.75)] if np.isfinite(width) else []
    signed = [v for c in marks.derived for v in (c, -c)]
    found = np.array([*dict.fromkeys([*beside(marks.written), *ends, *inner, *signed, *special])], dtype=float)
    return tuple(float(v) for v in found[within_box(domain, found)])


def tiny(domain: Domain) -> tuple[float, ...]:
    """Numbers so small that one alone is put among ordinary ones: of several, nobody could measure a slope."""
    found = np.array([sign * v for v in TINY for sign in (1, -1)])
    return tuple(float(v) for v in found[within_box(domain, found)])


def beside(thresholds: Sequence[float]) -> Iterator[float]:
    """Each threshold with both signs, numbers just beside it, and one between two that lie near one another."""
    for c in (*thresholds, *between(thresholds)):
        steps = [c, *(c * (1 + sign * near) for near in NEAR for sign in (1, -1))] if c else []
        around = [*steps, float(np.nextafter(c, np.inf)), float(np.nextafter(c, -np.inf))]
        yield from (v for size in around for v in (size, -size))


def between(thresholds: Sequence[float]) -> list[float]:
    """The middle of any two neighbours that lie near one another."""
    return [(a + b) / 2 for a, b in pairwise(sorted(thresholds)) if 0 < b - a <= BETWEEN * b]


def constants(spec: Spec) -> tuple[float, ...]:
    """The numbers written in the function and in the claims, thresholds (numbers that are compared with) first."""
    programs: list[Program] = [spec.function, *(c.program for c in spec.claims)]
    nodes = [node for program in programs for node in walk(program.tree)]
    calls = [node for node in nodes if isinstance(node, Call)]
    compared = [node for call in calls if call.primitive in COMPARISONS for node in walk(call.args)]
    others = [node for call in calls if call.primitive not in COMPARISONS for node in call.args]
    numbers = [node.value for node in [*compared, *others] if isinstance(node, Const) and not node.name]
    return tuple(dict.fromkeys(float(v) for v in numbers if not isinstance(v, bool)))[:MAX_CONSTANTS]
