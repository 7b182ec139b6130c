"""What is known while one subject is judged at one shape: its points and values, its slopes, the tallies of cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.given import Given
from gradcheck.cases.planting import Tried
from gradcheck.judge.cells import CELLS, Seen, Tally
from gradcheck.oracles.blackbox.asked import Array, Asked
from gradcheck.oracles.blackbox.lines import Direction
from gradcheck.oracles.blackbox.slopes import Truth
from gradcheck.run.check.suspects import Court, Ruling, unflattened
from gradcheck.spec.model import Domain

HOT = 6  # one-hot cotangents at a point
ALONE = 1  # of the cotangents, the one that is always asked by a single call: it touches every output
Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Look:
    """Some directions at a point, and the slopes along them: (ways, outputs)."""

    point: int
    ways: Sequence[Direction]
    truth: Truth


@dataclass
class Judging:
    """One subject at one shape: its points, what is known of each, and the tallies that are being filled."""

    asked: Asked
    givens: Sequence[Given]
    names: Sequence[str]
    seed: int
    tallies: Mapping[str, Tally]
    cells: frozenset[str] = frozenset(CELLS)  # what is asked
    points: list[Tried] = field(default_factory=list)
    values: list[tuple[Array, ...]] = field(default_factory=list)
    dropped: int = 0
    raised: str = ""
    refused: list[tuple[Tried, Exception]] = field(
        default_factory=list
    )  # points at which the function raised, and what
    slopes: dict[int, Truth] = field(default_factory=dict)  # (E, K) each, of the points where every element is known
    looks: list[Look] = field(default_factory=list)  # where directions were looked along, and the vjp agreed
    court: Court = field(init=False)
    right: list[int] = field(default_factory=list)  # points at which all of the vjp agreed, for the structural cells
    kinked: list[int] = field(default_factory=list)
    covered: set[int] = field(default_factory=set)  # inputs of whose gradient some number was decided
    accused: bool = False  # whether something is wrong at this shape already
    relative: list[float] = field(default_factory=list)  # bars over numbers, for the stated power

    @property
    def domains(self) -> list[Domain]:
        """Where each input may lie."""
        return [g.domain for g in self.givens]

    def named(self, p: int) -> dict[str, Any]:
        """The inputs at a point as nested lists."""
        return {n: np.asarray(x).tolist() for n, x in zip(self.names, self.points[p].inputs, strict=True)}

    @property
    def moving(self) -> tuple[int, ...]:
        """The inputs that derivatives are taken by."""
        return self.asked.subject.moving


def cotangents(rng: np.random.Generator, size: int) -> Iterator[Row]:
    """Ones, random ones of two decimals, and one-hot ones."""
    yield np.ones(size)
    every = np.round(rng.normal(0.0, 1.0, size), 2)
    yield np.where(every == 0.0, 1.0, every)
    for k in rng.permutation(size)[:HOT] if size > 1 else []:
        hot = np.zeros(size)
        hot[k] = 1.0
        yield hot


def seen(judging: Judging, p: int, e: int, ct: Row, got: float, ruling: Ruling | None) -> Seen:
    """One number as plain data."""
    point, d = judging.points[p], judging.court.basis[e]
    inputs = judging.named(p)
    cts: Any = [c.tolist() for c in unflattened(ct, judging.values[p])]
    return Seen(
        judging.names[d.which], d.element or (), inputs, cts[0] if len(cts) == 1 else cts, got,
        float("nan") if ruling is None else ruling.center, float("nan") if ruling is None else ruling.bar,
        "" if ruling is None else ruling.whose, point.origin, judging.seed, len(cts) > 1, moved_together(d),
    )  # fmt: skip


def moved_together(d: Direction) -> tuple[tuple[tuple[int, ...], float], ...]:
    """The elements that a direction moves, with their weights; none where it is one element."""
    if d.element is not None:
        return ()
    moved = ((tuple(i), float(d.step[tuple(i)])) for i in np.argwhere(d.step).tolist())
    return tuple(sorted(moved, key=lambda pair: -pair[1]))


def tallies() -> dict[str, Tally]:
    """An empty tally for every cell."""
    return {cell: Tally(cell) for cell in CELLS}
