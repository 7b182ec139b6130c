"""Does a gradient agree with a quick reading of the slopes, so plainly that nobody has to look again?

Agreement here is stricter than in `judge.slopes`: the reading must be narrow. Whatever is not plain is no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge.budgets import BUDGETS, SAME_ANSWER, safety

Array = NDArray[np.float64]
NARROW: Mapping[str, float] = {
    "float64": 1e-8,  # share of a slope that its bar may be: far below any mistake, and most bars are below 1e-11
    "float32": 1e-3,  # a few hundred units of roundoff over the step: the most that values in float32 show
}

COARSE = 2.0**-4  # share of the largest number that a gradient in float32 may be off: more is no loss of digits


def plain(
    answer: Array, own: Array, center: Array, bar: Array, reach: Array, cotangents: Array, dtype: str
) -> NDArray[np.bool_]:
    """Whether each number of a gradient plainly agrees (C, N): C cotangents (C, K), N directions.

    answer: (C, N) the gradient along each direction; own: (C, N) the sizes of what was added up in it; center, bar:
    (N, K) the slopes of the K outputs; reach: (N, K) the steepest seen nearby, against which bars are narrow or not.
    """
    budget = BUDGETS[dtype]
    with np.errstate(all="ignore"):
        weights = np.abs(cotangents)
        right = cotangents @ center.T
        width = weights @ bar.T
        terms = weights @ np.abs(center).T
        rounding = budget.inaccurate_units * budget.unit * (terms + own)
        near = np.abs(answer - right) <= safety("differences") * width + np.where(width > 0, rounding, 0.0)
        return np.asarray(near & _narrow(width, weights @ reach.T, dtype))


def _narrow(width: Array, size: Array, dtype: str) -> NDArray[np.bool_]:
    """Whether bars are narrow against the slopes; among much larger slopes, so far as those leave it to be seen."""
    budget = BUDGETS[dtype]
    largest = NARROW[dtype] * size.max(initial=0.0)
    small = (width <= budget.decisive * size) | (width <= budget.negligible * largest)
    return np.asarray((width <= NARROW[dtype] * size) | ((width <= largest) & small))


def plainly(pushed: Array, center: Array, bar: Array, reach: Array, dtype: str) -> NDArray[np.bool_]:
    """Whether each number of derivatives along directions (N, K) plainly agrees with slopes (N, K)."""
    budget = BUDGETS[dtype]
    with np.errstate(all="ignore"):
        size = np.abs(center)
        rounding = np.where(bar > 0, budget.inaccurate_units * budget.unit * size, 0.0)
        near = np.abs(pushed - center) <= safety("differences") * bar + rounding
        return np.asarray(near & _narrow(bar, reach, dtype))


def same(one: Array, other: Array, limit: float) -> bool:
    """Whether two answers to one question are the same numbers, or apart by no more than the caller allows."""
    with np.errstate(all="ignore"):
        return bool(((one == other) | (np.abs(one - other) <= limit) | (np.isnan(one) & np.isnan(other))).all())


def alike(one: Array, other: Array, dtype: str) -> bool:
    """Whether two answers that were computed otherwise are the same but for rounding of their largest number."""
    share = SAME_ANSWER if dtype == "float64" else BUDGETS[dtype].inaccurate_units * BUDGETS[dtype].unit
    with np.errstate(all="ignore"):
        size = max(np.abs(v[np.isfinite(v)]).max(initial=0.0) for v in (one, other))
        return same(one, other, share * float(size))


def coarsely(narrow: Array, wide: Array) -> bool:
    """Whether an answer in float32 is that in float64, as far as a rule that loses digits may keep it."""
    with np.errstate(all="ignore"):
        return same(narrow, wide, COARSE * float(np.abs(wide[np.isfinite(wide)]).max(initial=0.0)))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a caller states besides: no number of the Jacobian may be farther off than atol + rtol of its own size.

    Such a limit only ever adds to the bars: one that is wider than they are changes nothing.
    """

    atol: float
    rtol: float

    def binds(self, dtype: str) -> bool:
        """Whether it asks for more than agreement within the bars does."""
        return self.rtol < NARROW[dtype]

    def missed(self, answer: Array, center: Array, bar: Array) -> NDArray[np.bool_]:
        """Which numbers are farther off for certain: beyond the limit and the bar of what they are compared with."""
        with np.errstate(all="ignore"):
            allowed = self.atol + self.rtol * np.abs(center) + safety("differences") * bar
            return np.asarray(np.isfinite(bar) & ~(np.abs(answer - center) <= allowed))
