"""What do the values on a ladder say: a slope that stands, or a need for more rungs?

`symmetric` is the quick way for smooth functions, on as few rungs as there are; `thorough` wants all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gradcheck.oracles.ladder import steps
from gradcheck.oracles.ladder.steps import Samples
from gradcheck.oracles.ladder.table import (
    EPS,
    EVEN,
    EVERY,
    STILL,
    Array,
    BoolArray,
    Settled,
    jump_table,
    noise_of,
    richardson,
    settle,
)
from gradcheck.oracles.ladder.weigh import NOISE_WEIGHT, Slopes, least_bar, weigh

SUBNORMAL = 2.0**-1021  # values below are rounded to whole steps of ...
UNDERFLOW_STEP = 2.0**-1074
GOOD = 5e-9  # a bar is accepted up to this share of the slopes seen, whatever limits it
QUIET = 16.0  # noise up to so many times what rounding explains is rounding
ENOUGH_RUNGS = 7  # noise that rounding does not explain, seen on so few rungs, may be more: once for each that lacks
SEEN_FIRST = 5  # fine rungs, down to 2**-15 of the scale: far coarser than what float32 rounds a number to
CONTRADICT = 4.0  # bars, as the judge widens them
_RESOLVED = (
    16.0  # a grid is taken for rounding where the finest rung still changes the function by so many of its cells
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a ladder says of N functions with K outputs, each (N, K)."""

    center: Array
    bar: Array
    good: BoolArray  # to be believed; no more rungs are needed
    finer: BoolArray  # where not good: whether finer rungs may help; else coarser ones may
    stands: BoolArray  # a limit stands, between truncation and noise of whatever cause
    alone: BoolArray  # (N,) one side is outside the domain: there is no symmetric difference


def symmetric(samples: Samples, top: int, coarse_known: bool, deep: bool) -> Reading:
    """Central differences of orders 2 to 8 with a check of the even part: the quick way for smooth functions.

    top: the rung of 2**-7 of the scale. coarse_known: all coarse rungs are there.
    Good is a narrow bar; or a wider one that stands still, whose noise rounding explains, and which is wider at coarser
    rungs by truncation and at finer ones by that noise: no rung could narrow it.
    """
    right, left = sides(samples)
    rounding = rounding_of(samples)
    cell = samples.step[:, :, None]
    columns = richardson(_central(right, left, samples), samples.step, EVEN, 3)
    jumps = _jumps(right, left, samples)
    noise = noise_of([(columns[2], 2), (columns[3], 3)], cell, rounding, (0.5 * jumps[2], 2))
    noise = np.where(noise > QUIET * rounding, noise * max(1.0, ENOUGH_RUNGS - len(noise)), noise)
    grid = steps.quantum(samples, top)
    if deep:
        grid = np.where(steps.jumps(samples, top), np.inf, grid)
    grain = (np.maximum(noise, grid) + rounding) / cell
    reach = np.fmax(np.abs(right), np.abs(left))
    change = np.fmax(np.abs(samples.above[-1] - samples.middle), np.abs(samples.below[-1] - samples.middle))
    explained = rounding + np.where(_RESOLVED * grid <= change, grid, 0.0)
    found = settle(columns, (2, 3), grain, reach, explained / cell, NOISE_WEIGHT, jumps)
    unexplained = _unexplained(found)
    bar = found.bar + unexplained
    even = unexplained <= found.bar
    narrow = found.still & (found.size > 0) & (bar <= GOOD * found.size)
    standing = found.still & (found.size > 0) & even & ~found.finest
    limited = standing & (found.quiet | deep) & (~found.coarsest | coarse_known)
    finer = ~(found.quiet | deep) | ~even | found.finest | (~found.still & ~found.coarsest)
    bar += least_bar(samples.step[top][:, None])
    read = Reading(found.center, bar, narrow | limited, finer, standing, one_sided(samples))
    return _joined(read, symmetric(samples.down_to(top + SEEN_FIRST), top, True, False)) if deep else read


def one_sided(samples: Samples) -> BoolArray:
    """Functions of which one side is outside the domain, (N,)."""
    alone: BoolArray = (np.isfinite(samples.up) != np.isfinite(samples.down)).all(axis=0)
    return alone


def _joined(read: Reading, first: Reading) -> Reading:
    """Where far finer rungs contradict a limit that stood on the first ones, both are said.

    Such is a function of numbers rounded inside, at steps below that rounding; or one with structure as small.
    """
    apart = first.stands & (np.abs(first.center - read.center) > CONTRADICT * (first.bar + read.bar))
    low = np.minimum(first.center - first.bar, read.center - read.bar)
    high = np.maximum(first.center + first.bar, read.center + read.bar)
    center = np.where(apart, 0.5 * (low + high), read.center)
    bar = np.where(apart, 0.5 * (high - low), read.bar)
    return replace(read, center=center, bar=bar)


def thorough(samples: Samples, top: int) -> Slopes:
    """All orders of central and one-sided differences over all rungs, weighed against each other."""
    right, left = sides(samples)
    rounding = rounding_of(samples)
    cell = samples.step[:, :, None]
    tables = [richardson(side, samples.step, EVERY, 4) for side in (right, left)]
    grid = np.where(steps.jumps(samples, top), np.inf, steps.quantum(samples, top))
    noise = np.maximum(noise_of([(table[2], 2) for table in tables], cell, rounding), grid)
    grain = (noise + rounding) / cell
    reach = np.fmax(np.abs(right), np.abs(left))
    central = richardson(_central(right, left, samples), samples.step, EVEN, 3)
    jumps = _jumps(right, left, samples)
    middle = _evened(settle(central, (1, 2, 3), grain, reach, rounding / cell, NOISE_WEIGHT, jumps))
    limits = [settle(table, (1, 2, 3, 4), 2.0 * grain, reach, 2.0 * rounding / cell, NOISE_WEIGHT) for table in tables]
    present: list[BoolArray] = [np.asarray(np.isfinite(table[0]).any(axis=0)) for table in tables]
    dead = (steps.unchanged(samples)[-1]) & (grid[-1] > 0)
    return weigh(middle, limits, present, dead, np.nanmax(samples.step, axis=0)[:, None], samples.evaluations)


def _jumps(right: Array, left: Array, samples: Samples) -> list[Array]:
    """What should be 0 but for noise where f is smooth, for each column of central differences."""
    jumps = jump_table(right - left, samples.step)
    return [*jumps, jumps[2][1:]]


def _unexplained(found: Settled) -> Array:
    """How much of the jump between the sides, at the rungs of a limit, noise does not explain."""
    assert found.jump is not None
    unexplained = np.maximum(0.5 * np.abs(found.jump) - 4.0 * found.grain, 0.0)
    return np.where(np.isnan(unexplained), np.inf, unexplained)


def _evened(found: Settled) -> Settled:
    """A symmetric limit whose bar knows the jump too: at coarse steps an even function has small ones everywhere."""
    bar = found.bar + _unexplained(found)
    return replace(found, bar=bar, still=found.still & (bar <= STILL * found.size))


def sides(samples: Samples) -> tuple[Array, Array]:
    """The one-sided difference quotients above and below, (L, N, K)."""
    right = (samples.above - samples.middle) / samples.up[:, :, None]
    left = (samples.middle - samples.below) / samples.down[:, :, None]
    return right, left


def _central(right: Array, left: Array, samples: Samples) -> Array:
    """The slope of the parabola through the three points: the two steps may differ by a rounding of x."""
    up, down = samples.up[:, :, None], samples.down[:, :, None]
    return (right * down + left * up) / (up + down)


def rounding_of(samples: Samples) -> Array:
    """The roundoff of the values at every rung, (L, N, K)."""
    size = np.fmax(np.fmax(np.abs(samples.above), np.abs(samples.below)), np.abs(samples.middle))
    return np.asarray(np.where(size < SUBNORMAL, UNDERFLOW_STEP, EPS * size))
