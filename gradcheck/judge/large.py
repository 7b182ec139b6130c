"""When is a slope along a direction of millions of numbers another one, and what would have been seen of a single one?

A direction moves every number by one and the same length, up or down by the toss of a coin. An error in one number is
as large along it as it is: seen for certain, where it is larger than the bar. Of errors in many numbers, whatever they
are, at most one of the two signs of any single one hides it among the others: each direction misses them with a
probability of one half at most; where the cotangents are tossed too, of three quarters (half for the column that holds
the error, and half of the rest).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge.budgets import INACCURATE_UNITS, NEGLIGIBLE, UNIT

Row = NDArray[np.float64]
CONFIDENCE = 0.999  # that errors in many numbers at once do not hide each other
HIDDEN, HIDDEN_TWICE = 0.5, 0.75  # the most likely that errors hide: along one direction, and with a tossed cotangent
PART = 2**18  # numbers that are compared at once
SAME_UNITS = 16.0  # units of roundoff, of narrow numbers, that two ways of asking one thing may differ by
SMALL = 1e-3  # share of what a number's own size is worth in the function's values, below which it has no slope
SEEN_ZERO = 1.0  # a bar up to the usual gradient: a zero in one place would have been seen, else nothing is witnessed


def directions(hidden: float) -> int:
    """How many directions it takes."""
    return ceil(log(1 - CONFIDENCE) / log(hidden))


def off(claimed: Row, value: Row, bar: Row) -> NDArray[np.bool_]:
    """Where a slope is not what is claimed; a bar that is no number decides nothing."""
    return (np.abs(claimed - value) > bar) | (~np.isfinite(claimed) & np.isfinite(bar))


def places_off(claimed: Row, value: Row, bar: Row) -> NDArray[np.int64]:
    """The places of the same, without another long row."""
    parts = [slice(k, k + PART) for k in range(0, claimed.size, PART)]
    found = [p.start + np.flatnonzero(off(claimed[p], value[p], bar[p])) for p in parts]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def usual(gradient: NDArray[Any]) -> float:
    """The usual size of a gradient's numbers: the median of some, from all of it, that are not as good as zero."""
    some = np.abs(np.asarray(gradient.reshape(-1)[:: max(1, gradient.size // 2**16)], dtype=np.float64))
    some = some[np.isfinite(some)]
    some = some[some > NEGLIGIBLE * some.max(initial=0.0)]
    return float(np.median(some)) if some.size else 0.0


def decides(bar: float, typical: float, natural: float) -> bool:
    """Whether such a bar says anything about single numbers.

    typical: the usual size of the gradient; natural: what the function's values are worth to each number, over its own
    size, of which a gradient of zeros is held against a small share.
    """
    return bool(np.isfinite(bar)) and bar <= (SEEN_ZERO * typical if typical > 0 else SMALL * natural)


def differ(one: NDArray[Any], other: NDArray[Any], share: float) -> int | None:
    """The place (counted in a row) at which two answers to one question differ most, by more than is rounding.

    share: of the answer's largest number.
    """
    a, b = one.reshape(-1), other.reshape(-1)
    narrow = max((float(np.finfo(x.dtype).eps) for x in (a, b) if x.dtype.kind == "f"), default=0.0)
    worst, place, largest = -1.0, None, 0.0
    for start in range(0, a.size, PART):
        x, y = a[start : start + PART].astype(np.float64), b[start : start + PART].astype(np.float64)
        apart = np.where((x == y) | (np.isnan(x) & np.isnan(y)), 0.0, np.abs(x - y))
        apart = np.where(np.isnan(apart), np.inf, apart)
        largest = max(largest, float(np.abs(y[np.isfinite(y)]).max(initial=0.0)))
        at = int(np.argmax(apart))
        if apart[at] > worst:
            worst, place = float(apart[at]), start + at
    return place if worst > max(share, SAME_UNITS * narrow) * largest else None


def pairing_bar(arrays: Sequence[NDArray[Any]]) -> float:
    """By how much <ct, jvp(t)> and <vjp(ct), t> may differ, for ones and signs: rounding of all of their numbers."""
    total = 0.0
    for x in arrays:
        unit = float(np.finfo(x.dtype).eps) / 2 if x.dtype.kind == "f" else UNIT
        total += unit * float(np.abs(x).sum(dtype=np.float64))
    return INACCURATE_UNITS * total
