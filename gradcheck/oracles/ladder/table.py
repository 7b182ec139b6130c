"""Given slopes measured at a ladder of steps, what is their limit at step zero, and how far may it be off?

All arrays lead with the rung: index 0 is the coarsest step, each next one is about four times finer. A rung that could
not be measured is NaN and spoils only the windows of the table that contain it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

EPS = float(np.finfo(np.float64).eps)
EVEN = 2  # a symmetric stencil errs in h**2, h**4, ...
EVERY = 1  # a one-sided one in every power of h

STILL = 1e-2  # a limit is believed where its bar is at most this share of the slopes seen
_COARSER_LUCK = 1.0 / 1024.0  # a bar is at least this share of the bar one rung coarser ...
_FINER_LUCK = 1.0 / 16.0  # ... and this share of the bar one rung finer: two rungs may agree by accident
_REFUTE = 4.0  # a finer rung, its bar stretched so much, overrules a coarser one
_TREND = 32.0  # truncation shrinks faster than this from rung to rung, noise does not


@dataclass(frozen=True, slots=True)
class Settled:
    """The limits of a family of ladders, each (N, K): where they stand, how sure, and whether they stand still."""

    center: Array
    bar: Array  # inf where there is none
    still: BoolArray
    size: Array  # the largest slope seen at the rungs it was read from
    grain: Array  # their noise
    quiet: BoolArray  # that noise is no more than the rounding of the function's values
    coarsest: BoolArray  # it was read at the coarsest rungs there are
    finest: BoolArray  # or at the finest
    jump: Array | None = None  # what `companion` (see settle) reads at the same rungs

    @property
    def low(self) -> Array:
        return self.center - self.bar

    @property
    def high(self) -> Array:
        return self.center + self.bar


def richardson(sequence: Array, step: Array, power: int, count: int) -> list[Array]:
    """Columns 0 .. count of the extrapolation table (L - c, N, K); column c, row k uses the rungs k .. k + c.

    step: (L, N), in any unit: only ratios matter. power: EVEN or EVERY.
    """
    columns = [sequence]
    for column in range(1, min(count, len(sequence) - 1) + 1):
        last = columns[-1]
        weight = 1.0 / ((step[:-column] / step[column:]) ** power - 1.0)
        columns.append(last[1:] + (last[1:] - last[:-1]) * weight[:, :, None])
    return columns


def jump_table(sequence: Array, step: Array) -> list[Array]:
    """As `richardson`, two columns, for the difference of the one-sided slopes: smooth functions err in h and h**3."""
    a, b, c = step[:-2], step[1:-1], step[2:]
    first, second, third = b * c * (c * c - b * b), a * c * (a * a - c * c), a * b * (b * b - a * a)
    total = first + second + third
    columns = richardson(sequence, step, EVERY, 1)
    weights = [(part / total)[:, :, None] for part in (first, second, third)]
    columns.append(weights[0] * sequence[:-2] + weights[1] * sequence[1:-1] + weights[2] * sequence[2:])
    return columns


def noise_of(
    tables: Sequence[tuple[Array, int]], cell: Array, rounding: Array, zero: tuple[Array, int] | None = None
) -> Array:
    """Noise of the function's values at every rung (L, N, K), read from how finer rungs scatter.

    tables: (column c of a table, c) of slopes that would agree at fine rungs but for noise; cell: the divisor
    (h or h**2) of a rung, (L, N, 1); rounding: what the values' own rounding explains, (L, N, K); zero: a column that
    would itself be 0 but for noise.
    """
    noise = np.full_like(rounding, np.nan)
    scatter = np.full_like(rounding, np.nan)
    for table, column in tables:
        seen = np.abs(table[1:] - table[:-1]) * cell[column + 1 :]
        scatter[: len(seen)] = np.fmax(scatter[: len(seen)], seen)
    if zero is not None:
        seen = np.abs(zero[0]) * cell[zero[1] :]
        scatter[: len(seen)] = np.fmax(scatter[: len(seen)], seen)
    scatter[~np.isfinite(scatter)] = np.nan
    level = np.zeros(rounding.shape[1:])
    samples = np.zeros(rounding.shape[1:], dtype=np.int64)
    enough = 1 + len(rounding) // (
        8 if zero is None else 4
    )  # the finest rungs are taken as they are: one alone may scatter too little by luck
    for rung in range(len(rounding) - 1, -1, -1):
        seen = scatter[rung]
        trusted = (samples < enough) | (seen <= _TREND * np.fmax(level, rounding[rung]))
        level = np.where(trusted, np.fmax(level, seen), level)
        samples += np.isfinite(seen)
        noise[rung] = np.where(samples >= enough, level, np.nan)
    noise[0] = level
    for rung in range(1, len(noise)):  # the finest rungs have no scatter of their own
        noise[rung] = np.where(np.isnan(noise[rung]), noise[rung - 1], noise[rung])
    return np.nan_to_num(noise, nan=0.0)


def settle(
    columns: list[Array],
    use: Sequence[int],
    grain: Array,
    reach: Array,
    rounding: Array,
    noise_weight: float,
    companion: list[Array] | None = None,
) -> Settled:
    """The best-founded limit over the rungs and the columns `use` of a table.

    grain: noise of the raw slopes; reach: the largest raw one-sided slope at a rung, the size against which a limit
    near zero stands still; rounding: share of the grain that rounding explains (all (L, N, K)).
    """
    best: Settled | None = None
    for column in use:
        if column >= len(columns) or len(columns[column]) < 1:
            continue
        found = _settle_column(columns, column, grain, reach, rounding, noise_weight, companion)
        best = found if best is None else _narrower(best, found)
    if best is None:
        shape = columns[0].shape[1:]
        no = np.zeros(shape, dtype=bool)
        none = np.full(shape, np.inf)
        best = Settled(np.zeros(shape), none, no, np.zeros(shape), none, no, no, no)
    return best


def _settle_column(
    columns: list[Array],
    column: int,
    grain: Array,
    reach: Array,
    rounding: Array,
    noise_weight: float,
    companion: list[Array] | None,
) -> Settled:
    high, low = columns[column], columns[column - 1]
    bar = _raw_bars(high, low)
    bar += grain[column:] if noise_weight == 1.0 else noise_weight * grain[column:]
    np.fmin(bar, np.inf, out=bar)  # NaN is no bar
    bar = _against_luck(bar)
    standing = np.where(_unrefuted(high, bar), bar, np.inf)
    rung = np.argmin(standing, axis=0)
    place = rung * rung.size + np.arange(rung.size).reshape(rung.shape)

    def at(stack: Array) -> Array:
        chosen: Array = stack.reshape(-1)[place]
        return chosen

    width = at(standing)
    known = width < np.inf
    center = np.where(known, at(high), 0.0)
    width = 2.0 * width + 32.0 * EPS * np.abs(center)
    fine = at(grain[column:])
    size = np.fmax(np.abs(center), at(reach[: len(high)]))
    still = known & (width <= STILL * size)
    quiet = known & (fine <= 16.0 * at(rounding[column:]))
    jump = at(companion[column]) if companion is not None else None
    there = np.isfinite(high)
    coarsest = rung <= np.argmax(there, axis=0)
    finest = rung >= len(high) - 1 - np.argmax(there[::-1], axis=0)
    return Settled(center, width, still, size, fine, quiet, coarsest, finest, jump)


def _raw_bars(high: Array, low: Array) -> Array:
    """Distance to the lower order at the finer rungs and to the same order one rung coarser."""
    bars, coarser = high - low[1:], high - low[:-1]
    if len(high) > 1:
        neighbour = high[1:] - high[:-1]
        np.copyto(coarser[1:], neighbour, where=np.isfinite(neighbour))
    np.abs(bars, out=bars)
    return np.maximum(bars, np.abs(coarser, out=coarser), out=bars)


def _against_luck(bar: Array) -> Array:
    if len(bar) < 2:
        return bar
    floored = bar.copy()
    known = np.where(bar < np.inf, bar, 0.0)
    share = _COARSER_LUCK * known[:-1]
    np.maximum(floored[1:], share, out=floored[1:])
    np.multiply(_FINER_LUCK, known[1:], out=share)
    np.maximum(floored[:-1], share, out=floored[:-1])
    return floored


def _unrefuted(value: Array, bar: Array) -> BoolArray:
    """Which rungs no finer rung contradicts: a derivative is a limit, so the finer one is right."""
    room = _REFUTE * bar
    low, high = value - room, value + room
    np.fmax(low[-1], -np.inf, out=low[-1])
    np.fmin(high[-1], np.inf, out=high[-1])
    for rung in range(len(value) - 2, 0, -1):  # as `accumulate` along the rungs, but much faster
        np.fmax(low[rung + 1], low[rung], out=low[rung])
        np.fmin(high[rung + 1], high[rung], out=high[rung])
    np.subtract(value, bar, out=room)
    stands: BoolArray = room <= np.inf
    stands[:-1] &= room[:-1] <= high[1:]
    np.add(value, bar, out=room)
    stands[:-1] &= room[:-1] >= low[1:]
    return stands


def _narrower(one: Settled, other: Settled) -> Settled:
    """Element by element, the one that stands still; of two that do, the one with the smaller bar."""
    rank = other.still.astype(int) - one.still.astype(int)
    take = (rank > 0) | ((rank == 0) & (other.bar < one.bar))
    return Settled(
        np.where(take, other.center, one.center),
        np.where(take, other.bar, one.bar),
        np.where(take, other.still, one.still),
        np.where(take, other.size, one.size),
        np.where(take, other.grain, one.grain),
        np.where(take, other.quiet, one.quiet),
        np.where(take, other.coarsest, one.coarsest),
        np.where(take, other.finest, one.finest),
        None if one.jump is None or other.jump is None else np.where(take, other.jump, one.jump),
    )
