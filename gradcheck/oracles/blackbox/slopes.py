"""What are the derivatives of a black box at some points? Read from its values alone, each with its bar.

The ladder (`oracles/ladder/`) climbs along every direction of a basis (an element each, or a direction that
stays in the set). Where a slope jumps close by, the slopes of the pieces that meet there are sampled too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gradcheck.oracles.blackbox.asked import Asked, Inputs
from gradcheck.oracles.blackbox.batch import values_at
from gradcheck.oracles.blackbox.lines import Direction, Lines, moved, usual
from gradcheck.oracles.ladder.climb import slopes
from gradcheck.spec.model import Domain

Array = NDArray[np.float64]
ROUNDED_STEP = 2.0**-40  # a step along a direction that is not an element is itself rounded: this share of the slope
PIECES = 24  # points around a kink at which the pieces are sampled, at first …
MORE_PIECES = 400  # … and before anybody is accused
RADII = (2.0**-20, 2.0**-24)  # how far around, in sizes of the inputs
SHRUNK = 2.0**-7  # a smooth function's slopes spread less at the second radius by their ratio, 2**-4, and hardly more
STRADDLING = 2.0**-2  # the two sides of so short a step differ by more only where it crosses a jump or a sharp kink


@dataclass(frozen=True, slots=True)
class Truth:
    """Derivatives of K outputs along E directions at P points; each in center ± bar (inf where not measured).

    kink: center ± bar is the hull of one-sided derivatives.
    """

    center: Array  # (P, E, K)
    bar: Array
    kink: NDArray[np.bool_]


def jacobian(
    asked: Asked, points: Sequence[Inputs], basis: Sequence[Direction], domains: Sequence[Domain], seed: int,
    spread: float = 1.0,
) -> Truth:  # fmt: skip
    """The derivative of every output along every direction of the basis, at points of one shape.

    spread: a factor on the natural lengths, to measure once more in another way. One line alone, as whoever accuses
    wants it measured, is asked by single calls only.
    """
    return each_along(asked, points, [basis] * len(points), domains, seed, spread)


def each_along(
    asked: Asked, points: Sequence[Inputs], ways: Sequence[Sequence[Direction]], domains: Sequence[Domain], seed: int,
    spread: float = 1.0,
) -> Truth:  # fmt: skip
    """The same where every point has directions of its own, as many as the others have."""
    lines = Lines(points, [(p, d) for p, some in enumerate(ways) for d in some])
    outputs = len(asked.flat(points[0]))
    line = lines.lengths(domains)

    def g(rows: NDArray[np.int64], t: Array) -> Array:
        return values_at(
            asked,
            len(rows),
            outputs,
            lambda k: lines.alone(int(rows[k]), float(t[k])),
            (lambda: lines.moved(rows, t)) if len(ways[0]) > 1 else None,
        )

    found = slopes(g, line.x, spread * line.scale, line.below, line.above, seed, wide=np.maximum(line.wide, line.scale))
    bar = np.where(np.isfinite(found.center) & ~np.isnan(found.bar), found.bar, np.inf)
    bar = bar + np.where(line.exact, 0.0, ROUNDED_STEP)[:, None] * np.abs(found.center)
    shape = (len(points), len(ways[0]), outputs)
    return Truth(found.center.reshape(shape), bar.reshape(shape), found.kink.reshape(shape))


def flat_around(asked: Asked, inputs: Inputs, d: Direction, domains: Sequence[Domain], live: NDArray[np.bool_]) -> bool:
    """Whether no bit of the outputs that count (K,) changes along a direction, on both sides, over all short steps.

    At an end of the domain only one side can be looked at, and a kink there is flat on that side: it is not said then.
    """
    line = Lines([inputs], [(0, d)]).lengths(domains)
    middle = asked.flat(inputs)
    tried = [0, 0]
    for k in range(5, 31):
        h = float(np.ldexp(line.scale[0], -k)) * (1 - k / 64)  # no powers of two: periodic functions come round to them
        for side, (t, far) in enumerate(((h, line.above[0]), (-h, line.below[0]))):
            if h > far:
                continue
            tried[side] += 1
            there = asked.flat(moved(inputs, d, t))
            if there.shape != middle.shape or not np.array_equal(there[live], middle[live]):
                return False
    return all(tried)


def along(asked: Asked, inputs: Inputs, steps: Sequence[Array | None], seed: int, spread: float = 1.0) -> Truth:
    """The derivative of every output along one direction of all inputs together: (1, 1, K)."""
    outputs = len(asked.flat(inputs))
    size = max((float(np.abs(np.asarray(x, float)).max(initial=0.0)) for x, s in zip(inputs, steps, strict=True)
                if s is not None), default=1.0) or 1.0  # fmt: skip

    def g(rows: NDArray[np.int64], t: Array) -> Array:
        found = np.full((len(rows), outputs), np.nan)
        for k, step in enumerate(t):
            value = asked.flat(_all_moved(inputs, steps, float(step)))
            if len(value) == outputs:
                found[k] = value
        return found

    free = np.full(1, np.inf)
    found = slopes(g, np.zeros(1), np.full(1, spread * size), free, free, seed)
    bar = np.where(np.isfinite(found.center) & ~np.isnan(found.bar), found.bar, np.inf)
    bar = bar + ROUNDED_STEP * np.abs(found.center)
    return Truth(found.center[None], bar[None], found.kink[None])


def _all_moved(inputs: Inputs, steps: Sequence[Array | None], t: float) -> list[NDArray[np.float64]]:
    return [
        np.asarray(x) if s is None else np.asarray(x, dtype=np.float64) + t * s
        for x, s in zip(inputs, steps, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The slopes of <ct, f> along a direction at points around one: the hull, what it is worth, and if it is a kink."""

    low: float
    high: float
    noise: float
    jumps: bool  # the spread does not shrink with the radius: pieces of different slope meet here
    unsure: bool  # it is gone where it should only have shrunk: by chance no point lay on one of the pieces


def pieces(
    asked: Asked, inputs: Inputs, steps: Sequence[Array | None], cotangent: Array, count: int, rng: Generator
) -> Pieces:
    """Slopes at `count` random points around `inputs`, at two radii.

    steps: what each input moves by, zeros for those that only lie around, None for those that never move.
    cotangent: (K,) of the outputs in one row.
    """
    hulls, noises = [], []
    for radius in RADII:
        found, noise = _around(asked, inputs, steps, cotangent, radius, count, rng)
        hulls.append((found.min(initial=np.inf), found.max(initial=-np.inf)))
        noises.append(noise)
    spreads = [high - low for low, high in hulls]
    noise = max(noises)
    torn = bool(np.isfinite(spreads).all() and spreads[1] > 0.25 * spreads[0] and spreads[1] > 16.0 * noise)
    low = min(h[0] for h in hulls)
    high = max(h[1] for h in hulls)
    gone = bool(np.isfinite(spreads).all() and spreads[0] > 16.0 * noise and spreads[1] < SHRUNK * spreads[0])
    return Pieces(low, high, noise, torn, gone)


def _around(
    asked: Asked, inputs: Inputs, steps: Sequence[Array | None], cotangent: Array, radius: float, count: int,
    rng: Generator,
) -> tuple[Array, float]:  # fmt: skip
    """Central differences at points around, with steps that stay in the same piece mostly; their typical noise."""
    size = usual(inputs)
    reach = [radius * np.maximum(np.abs(np.asarray(x, float)), size) for x in inputs]
    h = 2.0**-8 * radius * size
    found, noise = [], 0.0
    longest = max((float(np.abs(s).max(initial=0.0)) for s in steps if s is not None), default=1.0) or 1.0
    displaced: list[Inputs] = []
    for _ in range(count):
        near = [
            np.asarray(x) if s is None else np.asarray(x, float) + r * rng.uniform(-1, 1, np.shape(x))
            for x, s, r in zip(inputs, steps, reach, strict=True)
        ]
        displaced += [_all_moved(near, steps, t) for t in (h / longest, 0.0, -h / longest)]
    values = values_at(
        asked,
        len(displaced),
        len(cotangent),
        displaced.__getitem__,
        lambda: [np.stack([np.asarray(p[k]) for p in displaced]) for k in range(len(inputs))],
    )
    for up, middle, down in values.reshape(count, 3, len(cotangent)):
        live = cotangent != 0
        right, left = (cotangent[live] * (up - middle)[live]).sum(), (cotangent[live] * (middle - down)[live]).sum()
        rounding = 4 * float(np.finfo(float).eps * np.abs(cotangent[live] * middle[live]).sum())
        if abs(right - left) <= max(16 * rounding, STRADDLING * max(abs(right), abs(left))):  # else two pieces at once
            found.append(float(right + left) / (2 * h / longest))
            noise = max(noise, rounding / (2 * h / longest))
    return np.array(found), noise


@dataclass(frozen=True, slots=True)
class Opinion:
    """What plain differences say of <ct, f> along a direction: central, and the hull of the one-sided ones."""

    center: float
    bar: float
    low: float
    high: float


def second_opinion(asked: Asked, inputs: Inputs, d: Direction, cotangent: Array) -> Opinion:
    """Plain differences at steps from 2**-5 to 2**-25 of the size, each with a generous bar; the best of them.

    Coarser than the ladder and simple enough to be believed: where it sides with an answer, the ladder may have erred.
    Noise is taken to be rounding of the largest output, whichever cotangent is asked.
    """
    x = np.asarray(inputs[d.which], dtype=np.float64)
    size = abs(float(x[d.element])) if d.element is not None else float(np.abs(x).max(initial=0.0))
    size = 1.0 if d.relative else size or float(np.abs(x).max(initial=0.0)) or usual(inputs)
    middle = asked.flat(inputs)
    sides: list[list[float]] = [[], [], []]
    noise = []
    steps = [float(np.ldexp(size, -k)) for k in range(5, 27, 2)]
    for h in steps:
        up, down = (asked.flat(moved(inputs, d, t)) for t in (h, -h))
        if not up.shape == down.shape == middle.shape == cotangent.shape:
            return Opinion(0.0, np.inf, -np.inf, np.inf)
        live = cotangent != 0
        right = float((cotangent * (up - middle))[live].sum()) / h
        left = float((cotangent * (middle - down))[live].sum()) / h
        for column, slope in zip(sides, ((right + left) / 2, right, left), strict=True):
            column.append(slope)
        largest = max(np.abs(v[np.isfinite(v)]).max(initial=0.0) for v in (up, middle, down))
        noise.append(8 * float(np.finfo(float).eps * largest * np.abs(cotangent).sum()) / h)
    found = [_best(np.array(column), np.array(noise)) for column in sides]
    hull = [(c - b, c + b) for c, b in found[1:]]
    return Opinion(*found[0], min(low for low, _ in hull), max(high for _, high in hull))


def _best(slopes_: Array, noise: Array) -> tuple[float, float]:
    """The step at which the change to the next one and the noise are least: its slope, and both together."""
    bars = np.abs(slopes_[:-1] - slopes_[1:]) + noise[1:]
    bars = np.where(np.isfinite(bars), bars, np.inf)
    k = int(np.argmin(bars))
    return (float(slopes_[k + 1]), float(bars[k])) if np.isfinite(bars[k]) else (0.0, float("inf"))
