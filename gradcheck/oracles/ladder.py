"""What is the slope of a black box at a point, and how far may that number be off?

`slopes` answers for N one-dimensional functions at once, `second` for mixed second derivatives. Both climb a ladder of
steps, each about a quarter of the last, extrapolate (Richardson) and read the limit where truncation and noise balance.
The bar is the sum of both, measured and not assumed: how far orders and rungs differ, and how much fine rungs scatter.
Nearly all functions are settled by one short ladder of symmetric differences (21 evaluations); only the others get
finer and coarser rungs and one-sided ladders, which also tell kinks (two limits) from jumps (none).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcheck.oracles import ladder_steps as steps
from gradcheck.oracles.ladder_second import second
from gradcheck.oracles.ladder_steps import Function, Samples
from gradcheck.oracles.ladder_table import (
    EPS,
    EVEN,
    EVERY,
    Array,
    BoolArray,
    IntArray,
    jump_table,
    noise_of,
    richardson,
    settle,
)
from gradcheck.oracles.ladder_weigh import NOISE_WEIGHT, SMALLEST, Slopes, weigh

__all__ = ["Slopes", "second", "slopes"]

FIRST_RUNGS = 10  # 2**-3 .. 2**-21 of the scale
DEEPER_RUNGS = 10  # .. 2**-41
COARSER_RUNGS = 6  # up to 2**9 of the scale, or at the wide scale
GOOD = 1e-8  # a bar of the first ladder is accepted up to this share of the slopes seen
SUBNORMAL = 2.0**-1021  # values below are rounded to whole steps of ...
UNDERFLOW_STEP = 2.0**-1074
_CHUNK = 1024  # functions per block of work, so that a block's tables stay in cache


def slopes(
    g: Function,
    x: Array,
    scale: Array,
    room_below: Array,
    room_above: Array,
    seed: int,
    wide: Array | None = None,
) -> Slopes:
    """d/dt g_j(t) at t = 0 for N functions.

    g(rows (M,), t (M,)) -> (M, K) evaluates function rows[i] at x[rows[i]] + t[i]; NaN or inf outside its domain.
    x: (N,) where each function stands, so that x + t is exact. scale: (N,) > 0, natural length (|x|, or the domain's
    where x is 0). room_below, room_above: (N,) >= 0, how far t may go to either side (inf: freely; 0: one-sided).
    wide: (N,) a larger natural length (the domain's) for functions whose own scale shows too little.
    """
    parts: list[Slopes] = []
    total = len(x)
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        top = steps.top_step(scale, room_below, room_above)
        reach = scale if wide is None else np.maximum(wide, scale)
        outputs = 1
        start = 0
        while start < total or not parts:
            rows = np.arange(start, min(start + max(_CHUNK // outputs, 16), total))
            mantissa = steps.mantissas(rng, COARSER_RUNGS + FIRST_RUNGS + DEEPER_RUNGS, len(rows))
            problem = _Problem(g, rows, x[rows], top[rows], reach[rows], room_below[rows], room_above[rows], mantissa)
            parts.append(_measure(problem))
            outputs = parts[-1].center.shape[1]
            start += len(rows)
            if total == 0:
                break
    return Slopes.concatenate(parts)


@dataclass(frozen=True, slots=True)
class _Problem:
    g: Function
    rows: IntArray
    x: Array
    top: Array
    wide: Array
    room_below: Array
    room_above: Array
    mantissa: Array  # (first, deeper, coarser rungs, N)

    def sample(self, step: Array, middle: Array | None) -> Samples:
        return steps.sample(self.g, self.rows, self.x, step, self.room_below, self.room_above, middle)

    def only(self, keep: IntArray) -> _Problem:
        return _Problem(
            self.g,
            self.rows[keep],
            self.x[keep],
            self.top[keep],
            self.wide[keep],
            self.room_below[keep],
            self.room_above[keep],
            self.mantissa[:, keep],
        )


def _measure(problem: _Problem) -> Slopes:
    first = problem.sample(steps.rungs(problem.top, 0, problem.mantissa[:FIRST_RUNGS]), None)
    center, bar, good = _symmetric(first)
    kink = np.zeros(center.shape, dtype=bool)
    evaluations = first.evaluations
    hard = np.flatnonzero(~good.all(axis=1))
    if len(hard):
        more = _extended(problem.only(hard), first.rows(hard))
        evaluations += more.evaluations
        found = _thorough(more)
        keep = good[hard]
        center[hard] = np.where(keep, center[hard], found.center)
        bar[hard] = np.where(keep, bar[hard], found.bar)
        kink[hard] = ~keep & found.kink
    return Slopes(center, bar, kink, evaluations)


def _extended(problem: _Problem, first: Samples) -> Samples:
    """The first ladder with finer rungs below it and coarser ones, or rungs at the wide scale, above it."""
    level: BoolArray = np.all(steps.unchanged(first), axis=(0, 2))  # constant around x: finer rungs can only repeat it
    deeper_steps = steps.rungs(problem.top, FIRST_RUNGS, problem.mantissa[FIRST_RUNGS:-COARSER_RUNGS])
    deeper = problem.sample(np.where(level, np.nan, deeper_steps), first.middle)
    fine = first.join(deeper.filled(level, deeper_steps))
    octaves = np.log2(problem.wide) - np.log2(problem.top) - steps.TOP_BITS
    lift = np.maximum(np.ceil(octaves / steps.RATIO_BITS), COARSER_RUNGS).astype(np.int64)
    coarse = problem.sample(steps.rungs(problem.top, -lift, problem.mantissa[-COARSER_RUNGS:]), first.middle)
    return coarse.with_gap().join(fine)


def _symmetric(samples: Samples) -> tuple[Array, Array, BoolArray]:
    """Central differences of orders 2, 4, 6 with a check of the even part: the quick way for smooth functions."""
    right, left = _sides(samples)
    rounding = _rounding(samples)
    cell = samples.step[:, :, None]
    columns = richardson(_central(right, left, samples), samples.step, EVEN, 2)
    jumps = jump_table(right - left, samples.step)
    noise = noise_of([(columns[1], 1), (0.5 * jumps[1], 1)], cell, rounding)
    grain = (np.maximum(noise, steps.quantum(samples, 0)) + rounding) / cell
    reach = np.fmax(np.abs(right), np.abs(left))
    found = settle(columns, (2,), grain, reach, rounding / cell, NOISE_WEIGHT, jumps)
    assert found.jump is not None
    unexplained = np.maximum(0.5 * np.abs(found.jump) - 4.0 * found.grain, 0.0)
    bar = found.bar + np.where(np.isnan(unexplained), np.inf, unexplained)
    good = found.still & (found.size > 0) & (bar <= GOOD * found.size)
    return found.center, bar + SMALLEST / samples.step[0][:, None], good


def _thorough(samples: Samples) -> Slopes:
    """All orders of central and one-sided differences over all rungs, weighed against each other."""
    right, left = _sides(samples)
    rounding = _rounding(samples)
    cell = samples.step[:, :, None]
    tables = [richardson(side, samples.step, EVERY, 4) for side in (right, left)]
    top = COARSER_RUNGS + 1
    grid = np.where(steps.jumps(samples, top), np.inf, steps.quantum(samples, top))
    noise = np.maximum(noise_of([(table[2], 2) for table in tables], cell, rounding), grid)
    grain = (noise + rounding) / cell
    reach = np.fmax(np.abs(right), np.abs(left))
    central = richardson(_central(right, left, samples), samples.step, EVEN, 3)
    middle = settle(central, (1, 2, 3), grain, reach, rounding / cell, NOISE_WEIGHT)
    sides = [settle(table, (1, 2, 3, 4), 2.0 * grain, reach, 2.0 * rounding / cell, NOISE_WEIGHT) for table in tables]
    present: list[BoolArray] = [np.asarray(np.isfinite(table[0]).any(axis=0)) for table in tables]
    dead = (steps.unchanged(samples)[-1]) & (grid[-1] > 0)
    return weigh(middle, sides, present, dead, np.nanmax(samples.step, axis=0)[:, None], samples.evaluations)


def _sides(samples: Samples) -> tuple[Array, Array]:
    right = (samples.above - samples.middle) / samples.up[:, :, None]
    left = (samples.middle - samples.below) / samples.down[:, :, None]
    return right, left


def _central(right: Array, left: Array, samples: Samples) -> Array:
    """The slope of the parabola through the three points: the two steps may differ by a rounding of x."""
    up, down = samples.up[:, :, None], samples.down[:, :, None]
    return (right * down + left * up) / (up + down)


def _rounding(samples: Samples) -> Array:
    size = np.fmax(np.fmax(np.abs(samples.above), np.abs(samples.below)), np.abs(samples.middle))
    return np.asarray(np.where(size < SUBNORMAL, UNDERFLOW_STEP, EPS * size))
