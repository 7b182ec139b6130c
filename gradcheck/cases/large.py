"""At which points is a function of very many numbers tried? At few, each made of a seed, with landmarks in places.

A point is never stored: it is drawn when it is asked, and told as the line of Python that draws it again. Drawn numbers
keep away from multiples of a coarse grid (its cells' middle halves are used), so that a short step crosses no kink at a
round number; landmarks are planted in some places only, so that one point holds all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, log2, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.given import Given, Sampler
from gradcheck.cases.planting import marks_of, span

Array = NDArray[Any]
NUMBERS = 4096  # numbers that move; from here on the directions that move one each would fill 128 MB and more, …
ENTRIES = 2**22  # … or entries of a Jacobian, of which two dozen points would fill 800 MB
HELD = 2**18  # … or numbers in all inputs, of which the small way keeps hundreds of points
CELLS = 2**9  # cells of the grid in the drawn interval: steps of 1/4 cell are still 1/2000 of it
WIDER = 16.0  # times as wide are the tails drawn of inputs without limits
TAME, PLACES = 3.0, 64  # landmarks up to this size; so many places hold one
FAR = 40.0  # a landmark beyond which sums of the function would be nothing but this one number


@dataclass(frozen=True, slots=True)
class Drawn:
    """One input of one point: how it is drawn. planted: numbers at places (counted in a row)."""

    shape: tuple[int, ...]
    dtype: str
    low: float
    step: float
    cells: int
    whole: bool
    planted: Mapping[int, float]

    def make(self, rng: np.random.Generator) -> Array:
        """The array, the next that `rng` gives."""
        cells = rng.integers(0, self.cells, self.shape)
        if self.whole:
            x = np.asarray(self.low + cells, dtype=self.dtype)
        else:
            x = rng.uniform(1, 3, self.shape)
            for part in chunks(x.size):
                row = x.reshape(-1)[part]
                row += 4 * cells.reshape(-1)[part]
                row *= self.step
                row += self.low
            del cells
            x = x.astype(self.dtype, copy=False)
        for place, number in self.planted.items():
            x.reshape(-1)[place] = number
        return x

    def text(self) -> str:
        """The same as Python, in words of a generator `rng`."""
        cells = f"rng.integers(0, {self.cells}, {self.shape})"
        if self.whole:
            return f"({self.low:g} + {cells}).astype({self.dtype!r})"
        step = f"2.0**{round(log2(self.step))}"
        drawn = f"{self.low!r} + {step} * (4 * {cells} + rng.uniform(1, 3, {self.shape}))"
        return drawn if self.dtype == "float64" else f"({drawn}).astype({self.dtype!r})"


@dataclass(frozen=True, slots=True)
class Point:
    """A point that is drawn when it is asked for.

    origin: what it is for. drawn: its inputs, where no sampler of the caller's gives them.
    """

    origin: str
    seed: int
    drawn: tuple[Drawn, ...] = ()
    sampler: Sampler | None = None

    def make(self) -> tuple[Array, ...]:
        """The inputs."""
        rng = np.random.default_rng(self.seed)
        if self.sampler is not None:
            return tuple(np.array(x) for x in self.sampler(rng))
        return tuple(d.make(rng) for d in self.drawn)

    def text(self) -> list[str]:
        """Statements of Python that leave the inputs, which no sampler draws, in a tuple `x` of NumPy's arrays."""
        made = ", ".join(d.text() for d in self.drawn)
        lines = [f"rng = np.random.default_rng({self.seed})", f"x = ({made},)"]
        for k, d in enumerate(self.drawn):
            if d.planted:
                places, numbers = list(d.planted), list(d.planted.values())
                lines.append(f"x[{k}].reshape(-1)[{places}] = {numbers}")
        return lines


def chunks(size: int, length: int = 2**18) -> list[slice]:
    """Ranges of a long row, short enough that what is computed of one stays in the cache."""
    return [slice(k, min(k + length, size)) for k in range(0, size, length)]


def many(sizes: Sequence[tuple[int, bool]], outputs: int = 1) -> bool:
    """Whether there are too many numbers to move each alone.

    sizes: of each input how many numbers it has, and whether it moves; outputs: how many numbers the function gives.
    """
    moving = sum(n for n, moves in sizes if moves)
    return moving > NUMBERS or moving * outputs > ENTRIES or sum(n for n, _ in sizes) > HELD


def sizes_of(givens: Sequence[Given]) -> list[tuple[int, bool]]:
    """Of each input how many numbers it has as far as they are fixed, and whether it moves."""
    return [(_size(g), g.differentiable) for g in givens]


def refusal(givens: Sequence[Given]) -> str:
    """Why no point of such inputs is drawn here; "" where they are boxes."""
    for g in givens:
        if g.domain.log:
            return f"{g.name} is spread over the powers of ten: so many numbers are only drawn evenly between limits"
        if g.domain.predicate is not None or g.domain.kind not in ("real", "integer", "boolean"):
            return f"{g.name} is {g.domain.text}: of so many numbers only free ones and those between limits are drawn"
    return ""


def large_points(givens: Sequence[Given], seed: int) -> list[Point]:
    """Some points: drawn, with landmarks in places, and with tails."""
    found = [Point("drawn", seed, tuple(_drawn(g, seed, "") for g in givens))]
    found.append(Point("landmarks in places", seed + 1, tuple(_drawn(g, seed + 1, "landmarks") for g in givens)))
    if any(g.differentiable and np.isinf([g.domain.low, g.domain.high]).any() for g in givens):
        found.append(Point("drawn wide", seed + 2, tuple(_drawn(g, seed + 2, "wide") for g in givens)))
    return found


def milder(point: Point) -> Point:
    """The same with landmarks inside the drawn interval only, not zero, where a function has no value there."""
    drawn = []
    for d in point.drawn:
        low, high = d.low + d.step, d.low + d.step * (4 * d.cells - 1)
        kept = {place: x for place, x in d.planted.items() if low <= x <= high and abs(x) >= d.step}
        drawn.append(replace(d, planted=kept))
    return replace(point, drawn=tuple(drawn))


def _drawn(given: Given, seed: int, style: str) -> Drawn:
    shape = tuple(int(d) for d in given.shape)
    if given.whole:
        least, most = (0, 1) if given.domain.kind == "boolean" else (int(given.domain.low), int(given.domain.high))
        return Drawn(shape, given.dtype, least, 1.0, most - least + 1, True, {})
    low, high = span(given)
    if style == "wide" and given.differentiable:
        low = low if given.domain.low > -np.inf else low * WIDER if low < 0 else -high * WIDER
        high = high if given.domain.high < np.inf else high * WIDER if high > 0 else -low * WIDER
    step = 2.0 ** floor(log2((high - low) / CELLS)) / 4
    cells = int((high - low) / (4 * step))
    planted = _planted(given, seed) if style == "landmarks" and given.differentiable else {}
    return Drawn(shape, given.dtype, float(low), step, cells, False, planted)


def _planted(given: Given, seed: int) -> dict[int, float]:
    """Places (the first, the last and drawn ones) with landmarks, of which the first come several times (ties)."""
    size = _size(given)
    first, tails = marks_of(given)
    marks = [m for m in first if abs(m) <= TAME] + [m for m in (*first, *tails) if TAME < abs(m) <= FAR]
    marks += [m for m in tails if 1e-9 < abs(m) < TAME]
    if not marks or size < 2 * PLACES:
        return {}
    rng = np.random.default_rng([seed, 11])
    places = sorted({0, size - 1, *(int(p) for p in rng.integers(0, size, PLACES))})
    order = rng.permutation(len(places))
    return {places[int(at)]: marks[k % len(marks)] for k, at in enumerate(order)}


def _size(given: Given) -> int:
    return prod(int(d) for d in given.shape if isinstance(d, int))
