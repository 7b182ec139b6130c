"""When is a slope along a direction of millions of numbers another one, and what would have been seen of a single one?

A direction moves every number by one and the same length, up or down by the toss of a coin. An error in one number is
as large along it as it is: seen for certain, where it is larger than the bar. Of errors in many numbers, whatever they
are, at most one of the two signs of any single one hides it among the others: each direction misses them with a
probability of one half at most; where the cotangents are tossed too, of three quarters (half for the column that holds
the error, and half of the rest).
"""

from __future__ import annotations

from math import ceil, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float64]
CONFIDENCE = 0.999  # that errors in many numbers at once do not hide each other
HIDDEN, HIDDEN_TWICE = 0.5, 0.75  # the most likely that errors hide: along one direction, and with a tossed cotangent
SEEN_ZERO = 1.0  # a bar up to the usual gradient: a zero in one place would have been seen, else nothing is witnessed


def directions(hidden: float) -> int:
    """How many directions it takes."""
    return ceil(log(1 - CONFIDENCE) / log(hidden))


def off(claimed: Row, value: Row, bar: Row) -> NDArray[np.bool_]:
    """Where a slope is not what is claimed; a bar that is no number decides nothing."""
    return (np.abs(claimed - value) > bar) | (~np.isfinite(claimed) & np.isfinite(bar))


def usual(gradient: NDArray[Any]) -> float:
    """The usual size of a gradient's numbers: the median of some that are not zero, spread over all of it."""
    some = np.abs(np.asarray(gradient.reshape(-1)[:: max(1, gradient.size // 2**16)], dtype=np.float64))
    some = some[np.isfinite(some) & (some > 0)]
    return float(np.median(some)) if some.size else 0.0


def decides(bar: float, typical: float, natural: float) -> bool:
    """Whether such a bar says anything about single numbers.

    typical: the usual size of the gradient; natural: what the function's values are worth to each number, over its own
    size, which a gradient of zeros is held against.
    """
    return bool(np.isfinite(bar)) and bar <= SEEN_ZERO * max(typical, natural)
