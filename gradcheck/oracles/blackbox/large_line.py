"""How steep is a function of millions of numbers along a direction? From differences of its values, block by block.

Nothing larger than an input or an output is held, and few of these: directions are signs (a byte each) in a range, and
everything is computed in short parts. Where the outputs fall into blocks that each depend on one block of the input
only (an elementwise map: blocks of one number), every block is read by itself, all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles.blackbox.asked import Array, Asked

Row = NDArray[np.float64]
PART = 2**18  # numbers that are computed with at once: 2 MB, which stay in the cache
COUNT = np.arange(float(PART))
DOUBLE = np.dtype(np.float64)
ALL = slice(None)
Some = slice | Sequence[int] | NDArray[np.int64]  # of the blocks: a range, or their places
FINER = 4.0  # a step to the one it is compared with
ORDER = FINER**2 - 1  # the error of a symmetric difference falls so by, and one more is taken off


@dataclass(frozen=True, slots=True)
class Way:
    """A direction: signs by number, of which those from lo to hi move. ramp: their lengths rise from -1 to 1 there.

    places: the only numbers that move, where they are few.
    """

    signs: NDArray[np.int8]
    lo: int
    hi: int
    ramp: bool = False
    places: NDArray[np.int64] | None = None

    def parts(self) -> list[slice]:
        """Ranges that it moves, one by one."""
        return [slice(k, min(k + PART, self.hi)) for k in range(self.lo, self.hi, PART)]

    def steps(self, part: slice, dtype: np.dtype[Any] = DOUBLE) -> Array:
        """How far it moves the numbers of a range."""
        if self.places is not None:
            found = np.zeros(part.stop - part.start, dtype)
            some = self.places[(part.start <= self.places) & (self.places < part.stop)]
            found[some - part.start] = self.signs[some]
            return found
        found = self.signs[part].astype(dtype)
        if self.ramp:
            found *= self._lengths(part)
        return found

    def _lengths(self, part: slice) -> Row:
        count = self.hi - self.lo
        rising = COUNT[: part.stop - part.start] * (2 / count)
        rising += (2 * (part.start - self.lo) + 1) / count - 1
        return rising

    def moved(self, x: Array, t: float) -> Array:
        """A copy of an array (in C order), so many steps along this direction."""
        found = np.array(x, order="C")
        flat = found.reshape(-1)
        if self.places is not None:
            flat[self.places] += t * self.signs[self.places]
            return found
        for part in self.parts():
            steps = self.steps(part, np.result_type(flat.dtype, np.float32))
            steps *= t
            flat[part] += steps
        return found

    def times(self, row: Array) -> float:
        """The sum of a row's numbers, each times what this direction moves it by."""
        flat = row.reshape(-1)
        return fsum(float(np.dot(np.asarray(flat[p], np.float64), self.steps(p))) for p in self.parts())

    def by_blocks(self, row: Array, blocks: int, some: Some = ALL) -> Row:
        """The same for each of so many equal parts of the row (some: of these), where the direction moves all of it."""
        if blocks == 1:
            return np.array([self.times(row)])
        found: Row = _picked(row, blocks, some).astype(np.float64)
        found *= _picked(self.signs, blocks, some)
        return _added(found)


@dataclass
class Line:
    """A function at one point with one cotangent, moved in one input.

    blocks: into how many blocks outputs and this input fall, one by one. size: a natural length of the input's numbers.
    noise: by how many units of rounding of its outputs a block's sum scatters. rough: kinks lie so close that longer
    steps cross some. room: how far a step may go without leaving the limits. output: the only one, where it is one.
    Where only some blocks are wanted (`some`: a range, or their places), nothing is held of the others.
    """

    asked: Asked
    inputs: Sequence[Array]
    which: int
    cotangents: Sequence[Array]
    size: float
    base: Sequence[Array] = ()
    blocks: int = 1
    noise: float = 1.0
    rough: bool = False
    room: float = np.inf
    output: int | None = None

    def at(self, way: Way, t: float) -> tuple[Array, ...]:
        """The outputs at so many steps along a direction."""
        x = way.moved(self.inputs[self.which], t)
        found = self.asked.value_as_is([x if k == self.which else y for k, y in enumerate(self.inputs)])
        return found if self.output is None else (found[self.output],)

    def parts(self) -> list[slice]:
        """Ranges of blocks, short enough for the cache."""
        return _parts(self.blocks, max(x.size // self.blocks for x in (*self.base, self.inputs[self.which])))

    def sums(self, outputs: Sequence[Array], some: Some = ALL, minus: Sequence[Array] | None = None) -> Row:
        """By blocks: the outputs times their cotangents (less others)."""
        others: Sequence[Array | None] = minus or [None] * len(outputs)
        found = (_weighed(o, c, self.blocks, some, m) for o, c, m in zip(outputs, self.cotangents, others, strict=True))
        return sum(found, np.zeros(1))

    def rounding(self, some: Some = ALL) -> Row:
        """By blocks: one unit of roundoff of what is summed."""
        return self.magnitude(some, in_units=True)

    def magnitude(self, some: Some = ALL, in_units: bool = False) -> Row:
        """By blocks: the sizes of what is summed, in its units of roundoff or in plain numbers."""
        units = [_unit(o) if in_units else 1.0 for o in self.base]
        each = zip(self.base, self.cotangents, units, strict=True)
        return sum((_weighed(o, c, self.blocks, some, None, u) for o, c, u in each), np.zeros(1))

    def change(self, way: Way, t: float) -> Callable[[Some], Row]:
        """By blocks, when asked: by how much the sums at both ends of so many steps differ.

        The first end is copied before the second is asked for: code may answer from one and the same buffer. What is
        held is held in the outputs' own precision: what rounding takes off a difference is far below its noise.
        """
        held = tuple(np.array(o, np.result_type(o.dtype, np.float32)) for o in self.at(way, t))
        for one, other in zip(held, self.at(way, -t), strict=True):
            one -= other
        if self.blocks > 1:
            return lambda some: self.sums(held, some)
        row = self.sums(held)
        return lambda some: row[some]

    def quotient(self, way: Way, t: float, some: Some = ALL) -> Row:
        """The symmetric difference quotient, by blocks."""
        return self.change(way, t)(some) / (2 * t)

    def sides(self, way: Way, t: float, some: Some) -> tuple[Row, Row]:
        """The difference quotients of both sides, of some blocks."""
        return tuple(self.sums(self.at(way, s), some, self.base) / s for s in (-t, t))  # type: ignore[return-value]


def _weighed(output: Array, ct: Array, blocks: int, some: Some, minus: Array | None, unit: float = 0.0) -> Row:
    """By blocks: an output (less another) times its cotangent; with a unit, the sizes of these in that unit."""

    def of(pick: Callable[[Array], Array]) -> Row:
        row: Row = pick(output).astype(np.float64)
        if minus is not None:
            row -= pick(minus)
        row *= pick(ct)
        if unit:
            np.abs(row, out=row)
            row *= unit
        return row

    if blocks > 1:
        return _added(of(lambda x: _picked(x, blocks, some)))
    cuts = [slice(k, k + PART) for k in range(0, output.size, PART)]
    sums = [float(of(lambda x, cut=cut: x.reshape(-1)[cut]).sum()) for cut in cuts]  # type: ignore[misc]
    return np.array([fsum(sums) if np.isfinite(sums).all() else np.nan])


def _picked(row: Array, blocks: int, some: Some) -> Array:
    """Some of so many equal parts of a row."""
    return row.reshape(blocks, row.size // blocks)[some]


def _added(rows: Row) -> Row:
    found: Row = rows[:, 0] if rows.shape[1] == 1 else rows.sum(axis=1)
    return found


def _parts(blocks: int, each: int) -> list[slice]:
    """Ranges of blocks, of so many numbers each, for about PART numbers."""
    length = max(PART // max(each, 1), 1)
    return [slice(k, min(k + length, blocks)) for k in range(0, blocks, length)]


def _unit(output: Array) -> float:
    return float(np.finfo(output.dtype).eps) / 2 if output.dtype.kind == "f" else 2.0**-53


def signs(rng: np.random.Generator, size: int) -> NDArray[np.int8]:
    """Random signs."""
    found = np.frombuffer(rng.bytes(-(-size // 8)), np.uint8)
    bits = np.unpackbits(found, count=size).view(np.int8)
    bits *= 2
    bits -= 1
    return bits


def blocks_of(line: Line, rng: np.random.Generator) -> int:
    """Into how many blocks outputs and input fall, as the function's values show.

    Along leading axes that all have alike, half of the blocks is moved: the outputs of the others stay, to the last
    bit, or there are no such blocks. Whatever hides from that half is seen when slopes are compared.
    """
    shape = np.shape(line.inputs[line.which])
    alike = [shape, *(np.shape(o) for o in line.base)]
    for axes in range(min(map(len, alike)), 0, -1):
        count = int(np.prod(shape[:axes]))
        if count < 2 or any(s[:axes] != shape[:axes] for s in alike):
            continue
        half = rng.random(count) < 0.5  # drawn apart from the blocks' own structure
        moves = np.repeat(half.astype(np.int8), int(np.prod(shape[axes:])))
        found = line.at(Way(moves, 0, moves.size), 2.0**-7 * line.size if np.isinf(line.room) else line.room)
        if all(_same(o, b, ~half) for o, b in zip(found, line.base, strict=True)):
            return count
    return 1


def _same(one: Array, other: Array, where: NDArray[np.bool_]) -> bool:
    each = max(one.size // where.size, 1)
    a, b = one.reshape(-1), other.reshape(-1)
    for part in _parts(where.size, each):
        inner = slice(part.start * each, part.stop * each)
        same = (a[inner] == b[inner]).reshape(-1, each).all(axis=1)
        if not same[where[part]].all():
            return False
    return True
