"""Is a gradient that somebody's rule gives the one that the function's values show? Element by element, by the bars."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge.budgets import DECISIVE, INACCURATE_UNITS, NEAR_MISS, NEGLIGIBLE, UNDERFLOW, UNIT, safety

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


LARGEST = float(np.finfo(np.float64).max)


class State(IntEnum):
    """What is known of one element."""

    AGREES = 0
    UNDECIDED = 1
    OFF = 2  # outside the bars: a suspicion
    NOT_FINITE = 3  # NaN or infinity where the slope was measured, and finite


@dataclass(frozen=True, slots=True)
class Contracted:
    """What the slopes say of <ct, f>: center ± bar for each direction (E,), and the terms it is made of."""

    center: Array
    bar: Array
    kink: Mask
    terms: Array  # sum of the sizes of what was added up

    def only(self, e: int) -> Contracted:
        """What is known of one direction: (1,)."""
        one = slice(e, e + 1)
        return Contracted(self.center[one], self.bar[one], self.kink[one], self.terms[one])

    def blurred(self, by: Array) -> Contracted:
        """The same with wider bars, by (E,)."""
        return Contracted(self.center, self.bar + by, self.kink, self.terms)

    def widened(self, other: Contracted) -> Contracted:
        """The hull of both."""
        low = np.minimum(self.center - self.bar, other.center - other.bar)
        high = np.maximum(self.center + self.bar, other.center + other.bar)
        known = np.isfinite(low) & np.isfinite(high)
        low, high = np.where(known, low, -np.inf), np.where(known, high, np.inf)
        middle = np.where(known, np.maximum(low, -LARGEST) / 2 + np.minimum(high, LARGEST) / 2, 0.0)
        return Contracted(middle, (high - low) / 2, self.kink | other.kink, np.maximum(self.terms, other.terms))


def contract(center: Array, bar: Array, kink: Mask, cotangent: Array) -> Contracted:
    """Slopes of K outputs (E, K) against a cotangent (K,); outputs whose cotangent is 0 count for nothing."""
    live = cotangent != 0
    ct = cotangent[live]
    here = kink[:, live]
    widened = np.where(here, bar[:, live], safety("differences") * bar[:, live])
    terms = np.where(np.isfinite(center[:, live]), center[:, live], 0.0) * ct
    bars = (widened * np.abs(ct)).sum(axis=1)
    return Contracted(terms.sum(axis=1), bars, np.asarray(here.any(axis=1)), np.abs(terms).sum(axis=1))


def compare_slopes(
    answer: Array, truth: Contracted, sizes: Array, values: float, typical: float, usual: Array | float = 0.0
) -> NDArray[np.int64]:
    """The `State` of each direction (E,).

    answer: (E,) the rule's gradient along each; sizes: (E,) the length of what is moved; values: the size of the
    outputs, sum |ct f|; typical: the usual size of the gradient's numbers at this point; usual: (E,) of each over all
    points, of which no rule keeps more than some units of roundoff.
    """
    with np.errstate(all="ignore"):
        gap = np.abs(answer - truth.center)
        joint = truth.bar + INACCURATE_UNITS * UNIT * truth.terms + UNDERFLOW
        size = np.maximum(np.abs(answer), np.abs(truth.center))
        wide = (joint > DECISIVE * size) & (joint > NEGLIGIBLE * typical) & (joint > 4 * UNDERFLOW)
        vague = ~np.isfinite(truth.bar) | (wide & ~truth.kink)
        rounding = np.maximum(rounding_of(values, sizes), INACCURATE_UNITS * UNIT * np.asarray(usual))
        within = gap <= joint
        near = (gap <= joint + rounding) | (~truth.kink & (gap <= joint + NEAR_MISS * truth.bar))
    found = np.full(answer.shape, State.OFF, dtype=np.int64)
    found[near | vague & ~np.isfinite(joint)] = State.UNDECIDED
    found[within] = State.AGREES
    found[within & vague] = State.UNDECIDED
    known = np.isfinite(truth.bar) & (truth.kink | (truth.bar <= np.maximum(DECISIVE * typical, rounding)))
    found[~np.isfinite(answer)] = State.UNDECIDED
    found[~np.isfinite(answer) & known] = State.NOT_FINITE
    return found


def rounding_of(values: float, sizes: Array) -> Array:
    """How far slopes may be off where rounding of the function's values explains it: (E,) for lengths (E,)."""
    with np.errstate(all="ignore"):
        allowed = INACCURATE_UNITS * UNIT * values / sizes
    return np.where(np.isfinite(allowed), allowed, 0.0)


def typical_size(center: Array, values: float, sizes: Array) -> float:
    """The median size of slopes that are not zero; where all are, what the values over the lengths suggest."""
    size = np.abs(center[np.isfinite(center)])
    some = size[size > 2 * UNDERFLOW]
    if some.size:
        middle = len(some) // 2  # as np.median, which takes four times as long
        if len(some) % 2:
            return float(np.partition(some, middle)[middle])
        low, high = np.partition(some, (middle - 1, middle))[middle - 1 : middle + 1]
        return float((low + high) / 2)
    length = sizes[sizes > 0]
    return float(values / np.median(length)) if length.size else values


def compare_stated(answer: Array, center: Array, bar: Array, usual: Array) -> NDArray[np.int64]:
    """The `State` of each number (E,) of a rule beside the one that is stated, center ± bar.

    usual: (E,) the typical size of such numbers, of which no rule keeps more than some units of roundoff. What is
    stated as no number (0/0) is a question that was not put: undecided.
    """
    with np.errstate(all="ignore"):
        gap = np.abs(answer - center)
        within = gap <= bar + INACCURATE_UNITS * UNIT * np.abs(center) + UNDERFLOW
        near = gap <= bar + INACCURATE_UNITS * UNIT * usual
    found = np.full(answer.shape, State.OFF, dtype=np.int64)
    found[near | ~np.isfinite(center)] = State.UNDECIDED
    found[within] = State.AGREES
    found[~np.isfinite(answer) & np.isfinite(center)] = State.NOT_FINITE
    return found
