"""What is the slope along a direction, and how far may that be off? Two step lengths, and the noise of the values.

Half the work of the ladder of `gradcheck.oracles.ladder`, for values that cost too much for it. Every bar is the sum of
what two steps differ by after one extrapolation, of noise as measured over steps that show nothing else, of the
rounding of the steps themselves, and, where single numbers are looked at, of half of what the two sides differ by.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor, log2

import numpy as np

from gradcheck.oracles.large_line import FINER, ORDER, Line, Row, Way

NOISY = 4.0  # noises of one difference that a bar holds
QUIET = 0.999  # the share of blocks whose measured noise is below what is said of all
LISTENED = 3  # steps at which the noise of a single sum is measured
WIDEST = 2.0**-6  # of the input's size: no step is longer
MOST_STEP_BITS = 8  # a window of few numbers takes steps at most so many octaves longer than all numbers together


@dataclass(frozen=True, slots=True)
class Reading:
    """Slopes by blocks, each in value ± bar."""

    value: Row
    bar: Row


def first_step(line: Line) -> float:
    """Where to begin: truncation and noise of usual functions balance there."""
    unit = _unit(line)
    root = unit ** (1 / 5) if line.blocks == 1 else unit ** (1 / 4)
    return _within(line, root * line.size)


def read(line: Line, way: Way, step: float) -> Reading:
    """The slopes along a direction, by symmetric differences over a step and a quarter of it."""
    apart = line.quotient(way, step)
    value = line.quotient(way, step / FINER)
    apart -= value
    apart /= -ORDER
    value += apart
    bar = np.abs(apart, out=apart)
    bar += _noise(line, step / FINER)
    bar += np.abs(value) * _step_rounding(line, step / FINER)
    return Reading(value, bar)


def calibrated(line: Line, way: Way) -> tuple[Line, float, Reading]:
    """The line with its noise measured, the step at which noise and truncation balance, and the slopes there."""
    step = first_step(line)
    found = read(line, way, step)
    rounding = line.rounding()
    worst = 0.0
    for k in range(LISTENED if line.blocks == 1 else 1):
        tiny = _unit(line) ** 0.57 * line.size * 2.0**k
        heard = np.abs(line.quotient(way, tiny) - found.value) * (2 * tiny)
        some = heard[rounding > 0] / rounding[rounding > 0]
        worst = max(worst, float(np.quantile(some, QUIET)) if some.size else 0.0)
    line = replace(line, noise=max(worst, 1.0))
    if line.blocks > 1:
        found.bar[...] += _noise(line, step / FINER)
        return line, step, found
    noise = float(_noise(line, 1.0)[0])
    truncation = max(float(found.bar[0]) / step**2, 1e-300)
    best = _within(line, (max(noise, 1e-300) / truncation) ** (1 / 3) * FINER**0.5)
    best = min(max(best, step * 2.0**-MOST_STEP_BITS), step * 2.0**MOST_STEP_BITS)
    return line, best, read(line, way, best)


def for_window(line: Line, way: Way, lo: int, hi: int, step: float) -> float:
    """A step for a part of a direction: fewer numbers have less truncation, by random signs as their root."""
    share = (way.hi - way.lo) / max(hi - lo, 1)
    return _within(line, min(step * share ** (1 / 6), step * 2.0**MOST_STEP_BITS))


def of_number(line: Line, way: Way, step: float) -> Reading:
    """The slope of single numbers, in its hull where they stand at a kink or next to one, or at a jump."""
    left, right = line.sides(way, step)
    value = (left + right) / 2
    bar = np.abs(right - left) / 2 + _noise(line, step) + np.abs(value) * _step_rounding(line, step)
    return Reading(value, bar)


def of_number_closely(line: Line, way: Way, step: float) -> Reading:
    """The same from two steps, where curvature is taken off both the slope and what the sides differ by."""
    finer = step / FINER
    (left, right), (low, high) = line.sides(way, step), line.sides(way, finer)
    apart = ((low + high) - (left + right)) / 2 / ORDER
    bend = (FINER * (high - low) - (right - left)) / (FINER - 1)
    value = (low + high) / 2 + apart
    bar = np.abs(apart) + np.abs(bend) / 2 + 2 * _noise(line, finer) + np.abs(value) * _step_rounding(line, finer)
    return Reading(value, bar)


def spread(line: Line, block: int, step: float) -> float:
    """What noise alone may make of one difference quotient."""
    return float(_noise(line, step)[block])


def _noise(line: Line, step: float) -> Row:
    return line.rounding() * (NOISY * line.noise / step)


def _unit(line: Line) -> float:
    """One unit of roundoff of the coarsest numbers on the way."""
    of = [line.inputs[line.which].dtype, *(o.dtype for o in line.base)]
    return max(float(np.finfo(d).eps) / 2 for d in of if d.kind == "f")


def _step_rounding(line: Line, step: float) -> float:
    """A step's own rounding, as a share of it: powers of two are rounded only where they carry."""
    return float(np.finfo(line.inputs[line.which].dtype).eps) * line.size / step


def _within(line: Line, step: float) -> float:
    """A power of two, inside the limits."""
    return 2.0 ** floor(log2(min(step, line.room, WIDEST * line.size)))
