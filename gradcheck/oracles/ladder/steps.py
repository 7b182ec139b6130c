"""Where does a ladder sample its functions? Steps that are exact, random in their mantissa, and inside the domain.

A rung's step is h = m * 2**e * 4**-k with a mantissa m drawn anew for each rung of each function: pure powers of two
alias with periodic functions, and rungs in an exact ratio repeat the same inner roundings, so that noise would not
scatter. The offset handed to the function is t = fl(x + h) - x: the caller's x + t is exact and t is the true
displacement (up to a rounding of t itself where h is many orders larger than x).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.oracles.ladder.table import Array, BoolArray, IntArray

Function = Callable[[IntArray, Array], Array]

_BLOCK = 2**14  # values that are read together
RATIO_BITS = 2  # each rung is 2**-2 of the one before
TOP_BITS = 7  # the coarsest rung of the first ladder is about 2**-7 of the scale …
EDGE_BITS = 3  # … 2**-3 of the room there is, where that is short
_NEAR_EDGE = 2.0**-40  # an edge at least this share of the scale away sets the natural length: it may be a singularity
_PIECE_RUNGS = 5  # level from 2**-13 of the scale on: rounded; level already further out: a constant piece
_COARSE_BITS = 2.0**-44  # values that all leave more than eight bits unused were rounded to fewer
_TORN_RUNGS = 6
_TORN = 0.3  # changes that differ by so little: a slope beside the tear adds to the first of them
_STAIRCASE = 2.0**-16  # of the largest change seen


@dataclass(frozen=True, slots=True)
class Samples:
    """A function's values up and down a ladder: rungs lead (in memory, too), coarsest first; NaN where not sampled."""

    step: Array  # (L, N) nominal
    up: Array  # (L, N) true displacement above x
    down: Array  # (L, N) and below, both positive
    middle: Array  # (N, K)
    above: Array  # (L, N, K)
    below: Array  # (L, N, K)
    evaluations: int

    def rows(self, keep: IntArray) -> Samples:
        step, up, down = (np.take(line, keep, axis=1) for line in (self.step, self.up, self.down))
        above, below = (np.take(side, keep, axis=1) for side in (self.above, self.below))
        return Samples(step, up, down, self.middle[keep], above, below, 0)

    def pairs(self, places: IntArray) -> Samples:
        """Some functions' single outputs, by their places among all (N·K), as functions of one output each."""
        rungs, outputs = len(self.step), self.middle.shape[1]
        step, up, down = (np.take(line, places // outputs, axis=1) for line in (self.step, self.up, self.down))
        above, below = (np.take(side.reshape(rungs, -1), places, axis=1) for side in (self.above, self.below))
        return Samples(
            step, up, down, self.middle.reshape(-1)[places][:, None], above[:, :, None], below[:, :, None], 0
        )

    def down_to(self, end: int) -> Samples:
        """The coarser rungs, up to number `end`."""
        return Samples(
            self.step[:end], self.up[:end], self.down[:end], self.middle, self.above[:end], self.below[:end], 0
        )

    def with_gap(self) -> Samples:
        """The same with an empty rung at the end, so that no window reaches into what is joined below."""
        lost = np.full((1, *self.above.shape[1:]), np.nan)
        line = np.full((1, self.step.shape[1]), np.nan)
        empty = Samples(self.step[-1:], line, line, self.middle, lost, lost, 0)
        return self.join(empty)

    def filled(self, level: BoolArray, step: Array) -> Samples:
        """The same with the functions `level` (N,) taken to be constant on these rungs."""
        known = level[None, :, None]
        return Samples(
            step,
            np.where(level, step, self.up),
            np.where(level, step, self.down),
            self.middle,
            np.where(known, self.middle, self.above),
            np.where(known, self.middle, self.below),
            self.evaluations,
        )

    def join(self, finer: Samples) -> Samples:
        """This ladder above another one; the middle is the finer one's."""
        return Samples(
            np.concatenate([self.step, finer.step]),
            np.concatenate([self.up, finer.up]),
            np.concatenate([self.down, finer.down]),
            finer.middle,
            np.concatenate([self.above, finer.above]),
            np.concatenate([self.below, finer.below]),
            self.evaluations + finer.evaluations,
        )


def blocks(samples: Samples, wanted: BoolArray) -> Iterator[tuple[IntArray | slice, Samples]]:
    """Some outputs (N, K) by their places among all, so many at once that their tables stay in cache."""
    most = max(1, _BLOCK // len(samples.step))
    if wanted.size <= most and wanted.all():
        if wanted.size:
            yield slice(None), samples
        return
    places = np.flatnonzero(wanted)
    for start in range(0, len(places), most):
        some = places[start : start + most]
        yield some, samples.pairs(some)


def top_step(scale: Array, room_below: Array, room_above: Array, bits: int = TOP_BITS) -> Array:
    """The coarsest step of each function's first ladder (N,): 2**-bits of its natural length, as a power of two."""
    length = np.minimum(scale, np.maximum(room_below, room_above))
    near = np.minimum(room_below, room_above)
    short = (near >= _NEAR_EDGE * length) & (near < length)
    length = np.where(short, near, length)
    _, exponent = np.frexp(length)
    top: Array = np.ldexp(1.0, exponent - 1 - np.where(short, min(EDGE_BITS, bits), bits))
    return top


def mantissas(rng: np.random.Generator, rungs: int, count: int) -> Array:
    """What to stretch each rung of each ladder by (rungs, count)."""
    return 0.75 + 0.5 * rng.random((rungs, count))


def rungs(top: Array, first: int | IntArray, mantissa: Array) -> Array:
    """Steps (L, N) for mantissas (L, N), starting `first` rungs below the top (above it where negative)."""
    index = np.arange(len(mantissa))[:, None] + np.asarray(first)
    steps: Array = np.ldexp(mantissa * top[None, :], -RATIO_BITS * index)
    return steps


def sample(
    g: Function,
    rows: IntArray,
    x: Array,
    step: Array,
    room_below: Array,
    room_above: Array,
    middle: Array | None,
) -> Samples:
    """Evaluate the functions `rows` at x and at x ± step (L, M), leaving out what lies outside the room."""
    up = (x + step) - x
    down = x - (x - step)
    up[~((up > 0) & (up < np.inf) & (step < room_above))] = np.nan
    down[~((down > 0) & (down < np.inf) & (step < room_below))] = np.nan
    offsets = np.concatenate([up, -down])
    if middle is None:
        offsets = np.concatenate([offsets, np.zeros((1, len(x)))])
    values, evaluations = evaluate(g, rows, offsets)
    count = len(step)
    base = values[-1] if middle is None else middle
    return Samples(step, up, down, base, values[:count], values[count : 2 * count], evaluations)


def evaluate(g: Function, rows: IntArray, offsets: Array) -> tuple[Array, int]:
    """Values (L, M, K) of the functions at the offsets (L, M), NaN offsets skipped; how many were made."""
    every = np.broadcast_to(rows, offsets.shape)
    wanted = ~np.isnan(offsets)
    if bool(wanted.all()):
        flat = np.asarray(g(every.ravel(), offsets.ravel()), dtype=np.float64)
        return flat.reshape(*offsets.shape, flat.shape[-1]), offsets.size
    flat = np.asarray(g(every[wanted], offsets[wanted]), dtype=np.float64)
    values = np.full((*offsets.shape, flat.shape[-1]), np.nan)
    values[wanted] = flat
    return values, len(flat)


def grid_of(values: Array) -> Array:
    """The weight of the last set bit of each number: the grid it may have been rounded to (inf for zero)."""
    bits = np.ascontiguousarray(values).view(np.int64)
    alone = (bits & ((1 << 52) - 1)) == 0  # a power of two: no bit but the one that is not written
    without = (bits & (bits - 1)).view(np.float64)
    weight = np.abs(np.where(alone, values, values - without))
    return np.where((weight > 0) & (weight < np.inf), weight, np.inf)


def unchanged(samples: Samples) -> BoolArray:
    """Rungs at which not one bit of the function changes, (L, N, K): they say only how coarse its values are."""
    above, below = samples.above, samples.below
    seen = np.isfinite(above) | np.isfinite(below)
    same: BoolArray = seen & ((above == samples.middle) | np.isnan(above))
    same &= (below == samples.middle) | np.isnan(below)
    return same


def quantum(samples: Samples, top: int) -> Array:
    """The grid that the values seem rounded to, (L, N, K); 0 where nothing changes.

    It is the last set bit that any value uses: functions that compute in fewer bits show it. More is to be learnt where
    the finest rung is dead (not one bit of f changes) while a coarser one is alive. top: the rung of about 2**-3 of the
    scale. A dead rung says only that the slope is below this quantum over the step.
    The grid is read from the bits of the last values that differ. Where only rungs far below the scale are dead, or the
    live ones show one slope up to that change, it is at least the last change itself; a function level on all of them,
    and not straight before, is not a rounded slope but a constant piece.
    A grid too coarse for any rounding is a staircase: its live rungs say nothing about a slope (inf there).
    """
    dead = unchanged(samples)
    live = (np.isfinite(samples.above) | np.isfinite(samples.below)) & ~dead
    mixed = dead[-1] & live.any(axis=0)
    common = _common_grid(samples, live)
    if not bool(mixed.any()):
        return common
    grid, change, largest = (np.zeros(samples.middle.shape) for _ in range(3))
    deep = np.zeros(samples.middle.shape, dtype=bool)
    nearest = np.fmin(grid_of(samples.above), grid_of(samples.below))
    for rung, alive in enumerate(live):
        above, below = samples.above[rung], samples.below[rung]
        grid = np.where(alive & (nearest[rung] < np.inf), nearest[rung], grid)
        moved = np.fmax(np.abs(above - samples.middle), np.abs(below - samples.middle))
        change = np.where(alive, moved, change)
        largest = np.fmax(largest, np.where(alive, moved, 0.0))
        deep = np.where(alive, rung >= top + _PIECE_RUNGS, deep)
    deep |= _straight(samples, live)
    grid = np.where(deep & (samples.middle != 0), np.fmax(grid, change), grid)
    grid = np.where(mixed, grid, common)
    return np.where(live & mixed & (grid > _STAIRCASE * largest), np.inf, grid)


def _straight(samples: Samples, live: BoolArray) -> BoolArray:
    """Whether the finest rungs that are alive on both sides show one slope, but for the last change seen: (N, K).

    So looks a slope whose changes, further down, are lost in rounding; a piece that is constant ends in a kink, and at
    three rungs beyond it the slopes differ by more (unless it ends within the last of them).
    """
    alive = live & (samples.above != samples.middle) & (samples.below != samples.middle)
    slope = (samples.above - samples.below) / (samples.up + samples.down)[:, :, None]
    rank = np.cumsum(alive[::-1], axis=0)[::-1]  # 1 at the finest living rung, 2 at the one before …
    three, step = [], []
    for place in (1, 2, 3):
        here = alive & (rank == place)
        three.append(np.where(here, slope, 0.0).sum(axis=0))
        step.append(np.where(here, samples.step[:, :, None], 0.0).sum(axis=0))
    last = np.abs(three[0]) * 2.0 * step[0]
    with np.errstate(all="ignore"):
        near = (np.abs(three[1] - three[0]) <= last / step[0]) & (np.abs(three[2] - three[1]) <= last / step[1])
    alike = (three[0] * three[1] > 0) & (three[1] * three[2] > 0)
    straight: BoolArray = (alive.sum(axis=0) >= len(three)) & near & alike
    return straight


def jumps(samples: Samples, top: int) -> BoolArray:
    """Whether the function is torn at the point itself (N, K): the finest rungs of a side change nearly alike.

    Where f is continuous it falls by the ratio of the steps, or to noise, which is of no one size and sign. A change
    too small for that, against those on the rungs from `top` on, may be one step of rounding.
    """
    torn = np.zeros(samples.middle.shape, dtype=bool)
    for side in (samples.above, samples.below):
        change = side - samples.middle
        last = np.abs(change[-1])
        largest = np.fmax.reduce(np.abs(change[top:]), axis=0)
        same = (np.abs(change[-_TORN_RUNGS:] - change[-1]) <= _TORN * last).all(axis=0)
        torn |= same & (last > _STAIRCASE * largest)
    return torn


def _common_grid(samples: Samples, live: BoolArray) -> Array:
    """The coarsest grid, absolute (finest rungs) or relative (both ends), that holds all values; (L, N, K)."""
    last = len(live) - 3
    ends = sorted({0, 1, 2, last, last + 1, last + 2})
    sides = np.stack([samples.above[ends], samples.below[ends]])
    grids = np.where(live[ends], grid_of(sides), np.inf)
    absolute = grids[:, ends.index(last) :].min(axis=(0, 1))
    relative = np.fmin.reduce(np.where(live[ends], grids / np.abs(sides), np.inf), axis=(0, 1))
    relative = np.where((relative > _COARSE_BITS) & (relative < np.inf), relative, 0.0)
    sizes = np.fmax(np.fmax(np.abs(samples.above), np.abs(samples.below)), np.abs(samples.middle))
    scaled: Array = np.nan_to_num(relative * sizes, nan=0.0, posinf=0.0)
    return np.maximum(scaled, np.where(absolute < np.inf, absolute, 0.0))
