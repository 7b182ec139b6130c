"""What is the slope of a function around the one point that is given? Read with so few calls that it costs little.

The function is one of real numbers: n of them in, K out (complex ones are pairs). Along each direction a few symmetric
steps are taken, and Richardson's weights are a matrix. Steps are exact: few bits, in sizes of the point's own numbers.
A reading can only agree with somebody. Whoever it does not agree with is measured again by the ladder, then judged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles.blackbox.slopes import ROUNDED_STEP
from gradcheck.oracles.ladder.climb import slopes

Row = NDArray[np.float64]
Table = NDArray[np.float64]

EACH = 2  # numbers up to which each is a direction of its own: as few as the random directions
DENSE = 2  # random directions over all numbers where they are more, as a rule …
BAND = 20  # … and one more for those whose shares of the slope lie more than so many octaves below the others'
LEFT = 2.0**-4  # share of what the last order changed that is still to come: h² of it where the function is smooth
NOISE = 4.0  # roundings of a value that its noise is taken to be
EVEN_LEFT = 2.0**-20  # share of a slope that the sides may differ by, extrapolated to step 0, where there is no kink …
CURVED = 2.0**-6  # … and share of that difference itself, where the slope is near 0


@dataclass(frozen=True, slots=True)
class Part:
    """One input or output: its name, its shape, whether its numbers are complex (pairs in a row), where they stand."""

    name: str
    shape: tuple[int, ...]
    paired: bool
    place: slice

    @property
    def real_shape(self) -> tuple[int, ...]:
        """The shape as real numbers."""
        return (*self.shape, 2) if self.paired else self.shape


def parts_of(named: Sequence[tuple[str, tuple[int, ...], bool]]) -> tuple[Part, ...]:
    """Inputs or outputs (name, shape, whether complex), one behind the other in a row."""
    found, start = [], 0
    for name, shape, paired in named:
        end = start + math.prod(shape) * (2 if paired else 1)
        found.append(Part(name, shape, paired, slice(start, end)))
        start = end
    return tuple(found)


class Local(Protocol):
    """A function around a point, from rows of numbers to rows of numbers.

    x: (n,) the point; inputs, outputs: what the rows hold; dtype: what is computed in ("float64" or "float32");
    directions: along how many random directions a look goes where numbers are many.
    """

    x: Row
    inputs: tuple[Part, ...]
    outputs: tuple[Part, ...]
    dtype: str
    directions: int

    def values(self, points: Table) -> Table:
        """The outputs (P, K) at points (P, n), NaN where there are none."""

    def vjp(self, x: Row, cotangent: Row) -> Row:
        """The gradient (n,) of <cotangent, outputs> at a point, by the function's own rule."""

    def jvp(self, x: Row, tangent: Row) -> Row | None:
        """The derivative (K,) along a tangent by its own rule; None where it has no forward mode."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How far to step for numbers of one dtype: by direction · 2**-octave, for octaves in an even ratio."""

    unit: float
    bits: int  # of a direction's numbers: few, so that each step is exact
    octaves: tuple[int, ...]

    @property
    def lengths(self) -> Row:
        """The lengths of the steps, longest first."""
        found: Row = np.ldexp(1.0, -np.array(self.octaves))
        return found

    @property
    def weights(self) -> Table:
        """What turns central differences at the steps into limits (2, L): by all of them, and all but the longest."""
        return np.array([_limit(self.lengths[skip:], skip) for skip in (0, 1)])


def _limit(lengths: Row, skipped: int) -> Row:
    """The weights of the limit at 0 of a polynomial in h² through values at `lengths`; zeros for those skipped."""
    squares = lengths**2
    weights = [np.prod([b / (b - a) for b in squares if b != a]) for a in squares]
    return np.array([0.0] * skipped + weights)


STEPS: Mapping[str, Steps] = {
    "float64": Steps(2.0**-53, 8, (6, 8, 10)),  # the last at which noise is still below 1e-12 of a slope
    "float32": Steps(2.0**-24, 4, (2, 3, 4, 5)),  # closer together: a step ten octaves down would be all noise
}
WEIGHTS = {name: steps.weights for name, steps in STEPS.items()}
LENGTHS = {name: steps.lengths for name, steps in STEPS.items()}


@dataclass(frozen=True, slots=True)
class Reading:
    """Slopes of K outputs along N directions.

    ways: (N, n); center, bar: (N, K), bar inf where nothing is known; reach: (N, K) the steepest that was seen on the
    way, against which a slope near 0 is measured.
    """

    ways: Table
    middle: Row  # (K,) the values at the point
    center: Table
    bar: Table
    reach: Table


def read(local: Local, ways: Table) -> Reading:
    """The slopes along directions (N, n), by two calls a step and one at the point."""
    lengths, weights = LENGTHS[local.dtype], WEIGHTS[local.dtype]
    count, rungs = len(ways), len(lengths)
    offsets = (ways[:, None, :] * lengths[:, None]).reshape(count * rungs, -1)
    values = local.values(np.concatenate([local.x[None], local.x + offsets, local.x - offsets]))
    with np.errstate(all="ignore"):
        middle = values[0]
        above, below = values[1:].reshape(2, count, rungs, -1)
        central = (above - below) / (2.0 * lengths[:, None])
        limits = np.matmul(weights, central)  # (N, 2, K)
        center = limits[:, 0]
        size = np.abs(values).max(axis=0)
        noise = NOISE * STEPS[local.dtype].unit * size
        bar = LEFT * np.abs(center - limits[:, 1]) + noise * (np.abs(weights[0]) / lengths).sum()
        sides = (above[:, -2:] + below[:, -2:] - 2.0 * middle) / lengths[-2:, None]
        ratio = lengths[-2] / lengths[-1]
        torn = np.abs(ratio * sides[:, 1] - sides[:, 0]) / (ratio - 1.0)
        level = (central == 0.0).all(axis=1) & (above[:, 0] == middle)
        bent = np.maximum(EVEN_LEFT * np.abs(center), CURVED * np.abs(sides[:, 0]))
        even = torn <= bent + 8.0 * noise / lengths[-1]
        bar = np.where(level, 0.0, np.where(even & np.isfinite(center), bar, np.inf))
        reach = np.maximum(np.abs(above[:, 0] - middle), np.abs(below[:, 0] - middle)) / lengths[0]
    return Reading(ways, middle, center, bar, np.fmax(np.abs(center), reach))


def climb(local: Local, ways: Table, seed: int) -> Reading:
    """The same by the ladder, which finds its steps and takes more calls; bar inf where it finds a kink."""
    outputs = local.outputs[-1].place.stop

    def g(rows: NDArray[np.int64], t: Row) -> Table:
        return local.values(local.x + t[:, None] * ways[rows])

    count = len(ways)
    free, one = np.full(count, np.inf), np.ones(count)
    found = slopes(g, np.zeros(count), one, free, free, seed)
    bar = np.where(np.isfinite(found.center) & ~found.kink, found.bar + ROUNDED_STEP * np.abs(found.center), np.inf)
    middle = local.values(local.x[None])[0, :outputs]
    return Reading(ways, middle, found.center, bar, np.abs(found.center))


def elements(sizes: Row) -> Table:
    """Each number as a direction of its own, one of its sizes long: (n, n)."""
    return np.diag(sizes)


def dense(local: Local, sizes: Row, shares: Row, rng: np.random.Generator) -> Table:
    """Directions over all numbers at once, and over those alone whose shares of the slope are far below the largest.

    shares: (n,) how much each number contributes to a slope, by somebody's account. A wrong number shows along nearly
    every direction, if the others' rounding does not drown it.
    """
    some = [_random(local, sizes, rng) for _ in range(local.directions)]
    with np.errstate(all="ignore"):
        octave = np.where(np.isfinite(shares) & (shares > 0), np.log2(shares), -np.inf)
    band = np.full(len(sizes), -1)
    top = octave.max(initial=-np.inf)
    known = np.isfinite(octave)
    band[known] = ((top - octave[known]) // BAND).astype(int)
    if known.any():
        some += [np.where(band == b, _random(local, sizes, rng), 0.0) for b in np.unique(band[band != 0])]
    return np.array(some)


def _random(local: Local, sizes: Row, rng: np.random.Generator) -> Row:
    bits = STEPS[local.dtype].bits
    weights = np.ldexp(rng.integers(1 << (bits - 1), 1 << bits, len(sizes)).astype(float), -bits)
    found: Row = np.where(rng.integers(0, 2, len(sizes)) == 0, -1.0, 1.0) * weights * sizes
    return found


def sizes_of(x: Row, parts: Sequence[Part]) -> Row:
    """The size of each number as a power of two; a zero is as large as its own input's usual number, or else 1."""
    found = np.abs(x)
    if not found.all():
        found = found.copy()
        for part in parts:
            here = found[part.place]
            some = here[here > 0]
            here[here == 0] = np.median(some) if some.size else 1.0
    octaves: Row = np.ldexp(1.0, np.frexp(found)[1])
    return octaves
