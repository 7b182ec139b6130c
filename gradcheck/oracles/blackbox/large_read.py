"""What is the slope along a direction, and how far may that be off? Two step lengths, and the noise of the values.

Half the work of the ladder (`oracles/ladder/`), for values that cost too much for it. Every bar is the sum of
what two steps differ by after one extrapolation, of noise as measured over steps that show nothing else, of the
rounding of the steps themselves, and, where single numbers are looked at, of half of what the two sides differ by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import floor, log2

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles.blackbox.large_line import ALL, FINER, ORDER, Line, Row, Some, Way

NOISY = 4.0  # noises of one difference that a bar holds
MANY = 2**16  # blocks of which the noise is measured
QUIET = 0.999  # the share of blocks whose measured noise is below what is said of all
LISTENED = 3  # steps of each kind by which the noise of a single sum is measured: what they differ by is nothing else
LOUDEST = 2.0**8  # times shorter than a first step are those at which code shows that computes in float32
CLEAR = 2.0**10  # times the noise of tiny steps that is not explained by how few of them there were
WIDEST = 2.0**-6  # of the input's size: no step is longer
FAINT = 2.0**-8  # noise of so much of a usual number is borne where longer steps cross kinks
BENT = 2.0**-3  # of a smooth function both sides differ by curvature, four times as much over four times the step
GROWING = 2.0**-3  # of the steepest slope: one that grows by more over a quarter of the step tends to no limit
MOST_STEP_BITS = 8  # a window of few numbers takes steps at most so many octaves longer than all numbers together


@dataclass(frozen=True, slots=True)
class Reading:
    """Slopes by blocks, each in value ± bar."""

    value: Row
    bar: Row

    def at(self, some: NDArray[np.bool_] | NDArray[np.int64]) -> Reading:
        """Those of some blocks."""
        return Reading(self.value[some], self.bar[some])


@dataclass(frozen=True, slots=True)
class Slopes:
    """Slopes along a direction, by blocks: what a step and a quarter of it changed is held, and read when asked for.

    wide, fine: by how much sums at both ends differ, of some blocks.
    """

    line: Line
    step: float
    wide: Callable[[Some], Row]
    fine: Callable[[Some], Row]

    def of(self, some: Some = ALL) -> Reading:
        """Slopes of some blocks."""
        line, finer = self.line, self.step / FINER
        value = self.fine(some) / (2 * finer)
        apart = self.wide(some) / (2 * self.step) - value
        if not line.rough:
            apart /= -ORDER
            value += apart
        bar = np.abs(apart) + _noise(line, finer, some) + np.abs(value) * _step_rounding(line, finer)
        return Reading(value, bar)


def first_step(line: Line) -> float:
    """Where to begin: truncation and noise of usual functions balance there."""
    unit = _unit(line)
    root = unit ** (1 / 5) if line.blocks == 1 else unit ** (1 / 4)
    return _within(line, root * line.size)


def read(line: Line, way: Way, step: float) -> Slopes:
    """The slopes along a direction, by symmetric differences over a step and a quarter of it."""
    return Slopes(line, step, line.change(way, step), line.change(way, step / FINER))


def calibrated(line: Line, way: Way) -> tuple[Line, float, Slopes]:
    """The line with its noise measured, the step at which noise and truncation balance, and the slopes there."""
    step = first_step(line)
    quiet, loud = _heard(line, way, step)
    unclear = loud > CLEAR * quiet  # kinks that longer steps cross, or code that computes in fewer digits
    line = replace(line, noise=max(quiet, loud, 1.0))
    if line.blocks > 1:
        return line, step, read(line, way, step)
    found = read(replace(line, noise=1.0), way, step).of()
    if unclear and quiet > 0:
        soft = replace(line, noise=max(quiet, 1.0), rough=True)
        usual = abs(float(found.value[0])) / max(way.hi - way.lo, 1) ** 0.5  # of one number: signs add up as a root
        short = _within(line, max(float(_noise(soft, 1.0)[0]), 1e-300) / (FAINT * usual)) if usual > 0 else step
        if short < step / FINER:
            return soft, short, read(soft, way, short)
    truncation = max(float(found.bar[0]) / step**2, 1e-300)
    best = _within(line, (max(float(_noise(line, 1.0)[0]), 1e-300) / truncation) ** (1 / 3) * FINER**0.5)
    best = min(max(best, step * 2.0**-MOST_STEP_BITS), step * 2.0**MOST_STEP_BITS)
    return line, best, read(line, way, best)


def sample(line: Line) -> NDArray[np.int64]:
    """Some blocks, from all over."""
    return np.arange(0, line.blocks, max(1, line.blocks // MANY))


def _heard(line: Line, way: Way, step: float) -> tuple[float, float]:
    """The noise of differences, in units of rounding: over tiny steps, and over such as are still short."""
    some = sample(line)
    rounding = line.rounding(some)
    tiny, worst = _unit(line) ** 0.57 * line.size, []
    for shortest in (tiny, max(step / LOUDEST, 4 * tiny)):
        times = LISTENED if line.blocks == 1 else 2
        before, found = line.quotient(way, shortest, some), 0.0
        for k in range(1, times):
            heard = line.quotient(way, shortest * 2.0**k, some)
            apart = np.abs(heard - before) * (shortest * 2.0**k / 1.5)
            units = apart[rounding > 0] / rounding[rounding > 0]
            found = max(found, float(np.quantile(units, QUIET)) if units.size else 0.0)
            before = heard
        worst.append(found)
    return worst[0], worst[1]


def for_window(line: Line, way: Way, lo: int, hi: int, step: float) -> float:
    """A step for a part of a direction: fewer numbers have less truncation, by random signs as their root."""
    share = (way.hi - way.lo) / max(hi - lo, 1)
    return _within(line, min(step * share ** (1 / 6), step * 2.0**MOST_STEP_BITS))


def of_number(line: Line, way: Way, step: float, where: Some) -> Reading:
    """The slope of single numbers, in its hull where they stand at a kink or next to one, or at a jump.

    where: the blocks that are wanted.
    """
    left, right = line.sides(way, step, where)
    value = (left + right) / 2
    bar = np.abs(right - left) / 2 + _noise(line, step, where) + np.abs(value) * _step_rounding(line, step)
    return Reading(value, bar)


def of_number_closely(line: Line, way: Way, step: float, where: Some) -> Reading:
    """The same from two steps, where curvature is taken off both the slope and what the sides differ by.

    At jumps and next to infinite slopes, where a finer step is steeper by far, nothing is known: the bar is infinite.
    """
    finer = step / FINER
    (left, right), (low, high) = line.sides(way, step, where), line.sides(way, finer, where)
    apart = ((low + high) - (left + right)) / 2 / ORDER
    bend = (FINER * (high - low) - (right - left)) / (FINER - 1)  # without curvature: half of it is a kink's hull
    value, bar = (low + high) / 2 + apart, np.abs(apart) + np.abs(bend) / 2
    rows = np.stack([left, right, low, high])
    least, most = rows.min(axis=0), rows.max(axis=0)
    kink = ~(np.abs(bend) <= BENT * np.abs(high - low))  # also one that is near, on one side of the point
    value, bar = np.where(kink, (least + most) / 2, value), np.where(kink, (most - least) / 2, bar)
    steepest = np.abs(rows).max(axis=0)
    grows = np.maximum(np.abs(low) - np.abs(left), np.abs(high) - np.abs(right)) > GROWING * steepest
    bar = np.where(grows, np.inf, bar)
    return Reading(value, bar + 2 * _noise(line, finer, where) + np.abs(value) * _step_rounding(line, finer))


def spread(line: Line, block: int, step: float) -> float:
    """What noise alone may make of one difference quotient."""
    return float(_noise(line, step, [block])[0])


def _noise(line: Line, step: float, some: Some = ALL) -> Row:
    return line.rounding(some) * (NOISY * line.noise / step)


def _unit(line: Line) -> float:
    """One unit of roundoff of the coarsest numbers on the way."""
    of = [line.inputs[line.which].dtype, *(o.dtype for o in line.base)]
    return max(float(np.finfo(d).eps) / 2 for d in of if d.kind == "f")


def _step_rounding(line: Line, step: float) -> float:
    """What the slope itself is rounded by, as a share of it: a step where it carries, and the values' change."""
    return float(np.finfo(line.inputs[line.which].dtype).eps) * line.size / step + NOISY * line.noise * _unit(line)


def _within(line: Line, step: float) -> float:
    """A power of two, inside the limits."""
    return 2.0 ** floor(log2(min(step, line.room, WIDEST * line.size)))
