"""One answer from several limits: is it a slope, a kink, or nothing that can be measured?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.oracles.ladder.table import Array, BoolArray, Settled

NOISE_WEIGHT = 1.0  # how much of the measured noise enters a bar; 0 is the lie that the tests plant
SMALLEST = 2.0**-1072  # a few underflow steps
_NOISY = 8.0  # a bar up to so many grains of noise is made of noise, not of slow convergence
_KINK = 1e-6  # a jump of the slope below this share of it is no kink, only a wider bar


@dataclass(frozen=True, slots=True)
class Slopes:
    """Derivatives of N one-dimensional functions, each with K outputs; the truth is said to lie in center ± bar.

    bar: >= 0, inf where unmeasurable (jumps, vertical tangents, noise). Where `kink`, center ± bar is the hull of the
    one-sided derivatives, widened by their own bars.
    """

    center: Array  # (N, K)
    bar: Array  # (N, K)
    kink: BoolArray  # (N, K)
    evaluations: int

    @staticmethod
    def concatenate(parts: list[Slopes]) -> Slopes:
        return Slopes(
            np.concatenate([part.center for part in parts]),
            np.concatenate([part.bar for part in parts]),
            np.concatenate([part.kink for part in parts]),
            sum(part.evaluations for part in parts),
        )


def least_bar(cell: Array) -> Array:
    """What underflow of the function's values does to a slope over a step; never zero, at no step."""
    return np.maximum(SMALLEST / cell, min(SMALLEST, 2.0**-1074))


def weigh(
    middle: Settled,
    sides: list[Settled],
    present: list[BoolArray],
    dead: BoolArray,
    largest_cell: Array,
    evaluations: int,
) -> Slopes:
    """One answer from the symmetric limit and the one-sided ones (those that are `present`)."""
    low, high, steady, agree = _hull(sides, present)
    explained = np.ones(steady.shape, dtype=bool)  # sides that do not stand still are at least only noisy
    for side, here in zip(sides, present, strict=True):
        explained &= ~here | side.still | (side.bar <= _NOISY * side.grain)
    size = np.maximum(np.abs(low), np.abs(high))
    kink = steady & ~agree & ~dead & (high - low > _KINK * size)  # where fine rungs are dead, only a wide bar
    hull_center, hull_bar = 0.5 * (low + high), 0.5 * (high - low)
    hull_bar = np.where(np.isfinite(hull_bar), hull_bar, np.inf)
    hull_center = np.where(np.isfinite(hull_bar), hull_center, 0.0)

    consistent = middle.still & (middle.low <= high) & (middle.high >= low) & agree & explained
    both = steady & middle.still & ~kink
    apart = both & ~consistent  # nothing is a kink, yet they disagree: the bar holds all of them
    joint_low, joint_high = np.minimum(low, middle.low), np.maximum(high, middle.high)

    by_middle = consistent & ~kink & ~(steady & (hull_bar < middle.bar))
    center = np.where(by_middle, middle.center, hull_center)
    bar = np.where(by_middle, middle.bar, np.where(steady, hull_bar, np.inf))
    center = np.where(apart, 0.5 * (joint_low + joint_high), center)
    bar = np.where(apart, 0.5 * (joint_high - joint_low), bar)

    lost = ~(bar < np.inf)
    calm = lost & agree & (middle.quiet | dead) & (middle.bar < np.inf)
    calm &= (middle.low <= high) & (middle.high >= low)
    center = np.where(calm, middle.center, np.where(lost, 0.0, center))
    bar = np.where(calm, middle.bar + 4.0 * middle.grain, bar)
    return Slopes(center, bar + least_bar(largest_cell), kink, evaluations)


def _hull(sides: list[Settled], present: list[BoolArray]) -> tuple[Array, Array, BoolArray, BoolArray]:
    """Lowest and highest one-sided limit with their bars, whether all stand still, and whether all overlap."""
    shape = sides[0].center.shape
    low, inner_low = np.full(shape, np.inf), np.full(shape, -np.inf)
    high, inner_high = np.full(shape, -np.inf), np.full(shape, np.inf)
    steady = np.zeros(shape, dtype=bool)
    for here in present:
        steady |= here
    for side, here in zip(sides, present, strict=True):
        low = np.where(here, np.minimum(low, side.low), low)
        high = np.where(here, np.maximum(high, side.high), high)
        inner_low = np.where(here, np.maximum(inner_low, side.low), inner_low)
        inner_high = np.where(here, np.minimum(inner_high, side.high), inner_high)
        steady &= side.still | ~here
    return low, high, steady, inner_low <= inner_high
