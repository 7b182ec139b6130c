"""How steep is a function of millions of numbers along a direction? From differences of its values, block by block.

Nothing larger than an input or an output is held, and few of these: directions are signs (a byte each) in a range, and
everything is computed in short parts. Where the outputs fall into blocks that each depend on one block of the input
only (an elementwise map: blocks of one number), every block is read by itself, all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles.blackbox import Array, Asked

Row = NDArray[np.float64]
PART = 2**18  # numbers that are computed with at once: 2 MB, which stay in the cache
COUNT = np.arange(float(PART))
FINER = 4.0  # a step to the one it is compared with
ORDER = FINER**2 - 1  # the error of a symmetric difference falls so by, and one more is taken off
TINY = 2.0**-30  # steps, in sizes of the input, over which a difference shows nothing but noise beside the slope


@dataclass(frozen=True, slots=True)
class Way:
    """A direction: signs by number, of which those from lo to hi move. ramp: their lengths rise from 1 to 2 there.

    lengths: of single numbers, where they are others.
    """

    signs: NDArray[np.int8]
    lo: int
    hi: int
    ramp: bool = False

    def parts(self) -> list[slice]:
        """Ranges that it moves, one by one."""
        return [slice(k, min(k + PART, self.hi)) for k in range(self.lo, self.hi, PART)]

    def steps(self, part: slice) -> Row:
        """How far it moves the numbers of a range."""
        found = self.signs[part].astype(np.float64)
        if self.ramp:
            rising = COUNT[: part.stop - part.start] * (1 / (self.hi - self.lo))
            rising += 1 + (part.start - self.lo) / (self.hi - self.lo)
            found *= rising
        return found

    def times(self, row: Array) -> float:
        """The sum of a row's numbers, each times what this direction moves it by."""
        flat = row.reshape(-1)
        return fsum(float(np.dot(np.asarray(flat[p], np.float64), self.steps(p))) for p in self.parts())

    def by_blocks(self, row: Array, blocks: int) -> Row:
        """The same for each of so many equal parts of the row, where the direction moves all of it."""
        if blocks == 1:
            return np.array([self.times(row)])
        each, flat = row.size // blocks, row.reshape(-1)
        found = np.empty(blocks)
        for part in _parts(blocks, each):
            inner = slice(part.start * each, part.stop * each)
            found[part] = (self.steps(inner) * flat[inner]).reshape(-1, each).sum(axis=1)
        return found


@dataclass
class Line:
    """A function at one point with one cotangent, moved in one input.

    blocks: into how many blocks outputs and this input fall, one by one. size: a natural length of the input's numbers.
    noise: by how many units of rounding of its outputs a block's sum scatters. rough: kinks lie so close that longer
    steps cross some. room: how far a step may go without leaving the limits. output: the only one, where it is one.
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
        x = np.array(self.inputs[self.which], order="C")
        flat = x.reshape(-1)
        for part in way.parts():
            flat[part] += t * way.steps(part)
        found = self.asked.value_as_is([x if k == self.which else y for k, y in enumerate(self.inputs)])
        return found if self.output is None else (found[self.output],)

    def sums(self, outputs: Sequence[Array], minus: Sequence[Array] | None = None) -> Row:
        """By blocks: the outputs times their cotangents (less others)."""
        return self._added(lambda k, o, c: _weighed(o, c, self.blocks, None if minus is None else minus[k]), outputs)

    def _added(self, of: Callable[[int, Array, Array], Row], outputs: Sequence[Array]) -> Row:
        """The sum over the outputs, in one row."""
        total: Row | None = None
        for k, (o, c) in enumerate(zip(outputs, self.cotangents, strict=True)):
            found = of(k, o, c)
            total = found if total is None else np.add(total, found, out=total)
        assert total is not None
        return total

    def rounding(self) -> Row:
        """By blocks: one unit of roundoff of what is summed."""
        return self.magnitude(in_units=True)

    def magnitude(self, in_units: bool = False) -> Row:
        """By blocks: the sizes of what is summed, in its units of roundoff or in plain numbers."""
        return self._added(lambda k, o, c: _weighed(o, c, self.blocks, None, _unit(o) if in_units else 1.0), self.base)

    def quotient(self, way: Way, t: float) -> Row:
        """The symmetric difference quotient, by blocks."""
        up = self.at(way, t)
        found = self.sums(up, self.at(way, -t))
        found /= 2 * t
        return found

    def sides(self, way: Way, t: float, where: Sequence[int] | NDArray[np.int64]) -> tuple[Row, Row]:
        """The difference quotients of both sides, of some blocks."""
        return tuple(self.sums(self.at(way, s), self.base)[where] / s for s in (-t, t))  # type: ignore[return-value]


def _weighed(output: Array, ct: Array, blocks: int, minus: Array | None, unit: float = 0.0) -> Row:
    """By blocks: an output (less another) times its cotangent; with a unit, the sizes of these in that unit."""
    flat, weights = output.reshape(-1), ct.reshape(-1)
    other = None if minus is None else minus.reshape(-1)
    each = flat.size // blocks
    found = np.zeros(blocks)
    sums: list[float] = []
    for part in _parts(blocks, each):
        inner = slice(part.start * each, part.stop * each)
        for cut in [inner] if blocks > 1 else [slice(k, min(k + PART, flat.size)) for k in range(0, flat.size, PART)]:
            row = flat[cut].astype(np.float64)
            if other is not None:
                row -= other[cut]
            row *= weights[cut]
            if unit:
                np.abs(row, out=row)
                row *= unit
            if blocks > 1:
                found[part] = row.reshape(-1, each).sum(axis=1)
            else:
                sums.append(float(row.sum()))
    if blocks == 1:
        found[0] = fsum(sums) if np.isfinite(sums).all() else np.nan
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
