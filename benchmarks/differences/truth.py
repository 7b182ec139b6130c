"""What is the derivative truly? A central difference of the mpmath formula at 150 digits: right to 60 and more.

The step is 1e-40 of the point's size, so no kink or edge of the benchmark comes between (none is nearer than 1e-16 of
it), and the error is of the order of its square.
"""

from __future__ import annotations

import zlib

import mpmath as mp
import numpy as np

from benchmarks.differences.functions import Array, Row
from benchmarks.differences.namespaces import MPMATH

DIGITS = 150
STEP = mp.mpf(10) ** -40


def points(row: Row, count: int) -> Array:
    """The points of a function: the same in every run; those that rounding put on the domain's end are moved inside."""
    found = np.asarray(row.points(np.random.default_rng(zlib.crc32(row.name.encode())), count), dtype=float)
    return np.clip(found, np.nextafter(row.low, np.inf) if row.name != "at_the_edge" else row.low, row.high)


def derivative(row: Row, x: float) -> mp.mpf:
    """d value / dx at one point."""
    with mp.workdps(DIGITS):
        at = mp.mpf(x)
        step = STEP * abs(at)
        return mp.re((row.value(MPMATH, at + step) - row.value(MPMATH, at - step)) / (2 * step))


def away(found: float, true: mp.mpf) -> float:
    """|found - true|, from exact arithmetic."""
    with mp.workdps(60):
        return float(abs(mp.mpf(float(found)) - true))
