"""Along which lines is a function looked at? Each leads from a point in one direction; many are walked at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles.blackbox.asked import Inputs
from gradcheck.spec.membership import room
from gradcheck.spec.model import Domain

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Direction:
    """One way to move: the input moved, and by what (its shape).

    element: the index, where it moves just one. relative: the step is in sizes of the input's own elements.
    """

    which: int
    step: Array
    element: tuple[int, ...] | None
    relative: bool = False

    def at(self, inputs: Inputs) -> Array:
        """The step at a point."""
        if not self.relative:
            return self.step
        size = np.abs(np.asarray(inputs[self.which], dtype=np.float64))
        there = size > 0
        return self.step * (size if there.all() else np.where(there, size, usual(inputs)))


@dataclass(frozen=True, slots=True)
class Lengths:
    """Of N lines: where each stands, its natural lengths, how far it may go, and whether a step along it is exact."""

    x: Array
    scale: Array
    wide: Array
    below: Array
    above: Array
    exact: NDArray[np.bool_]


@dataclass
class Lines:
    """Lines through points of one shape, each by its point's number and its direction."""

    points: Sequence[Inputs]
    through: Sequence[tuple[int, Direction]]
    base: NDArray[np.int64] = field(init=False)  # (N,) the number of each line's point
    ways: list[Direction] = field(init=False)

    def __post_init__(self) -> None:
        self.base = np.array([p for p, _ in self.through], dtype=np.int64)
        self.ways = [d for _, d in self.through]
        self._which = np.array([d.which for d in self.ways], dtype=np.int64)
        shapes = [np.shape(x) for x in self.points[0]]
        self._element = np.array([
            -1 if d.element is None else int(np.ravel_multi_index(d.element, shapes[d.which])) if d.element else 0
            for d in self.ways
        ], dtype=np.int64)  # fmt: skip
        self._steps: dict[int, Array] = {}
        self._stacked = [np.stack([np.asarray(p[k]) for p in self.points]) for k in range(len(shapes))]

    def lengths(self, domains: Sequence[Domain]) -> Lengths:
        """Where each line stands, and how far it leads."""
        rows: list[tuple[float, float, float, float, float, bool]] = []
        common = [usual(inputs) for inputs in self.points]
        largest = [[float(np.abs(np.asarray(x, float)).max(initial=0.0)) for x in inputs] for inputs in self.points]
        for p, d in self.through:
            x = np.asarray(self.points[p][d.which], dtype=np.float64)
            size = largest[p][d.which] or common[p]
            width = domains[d.which].high - domains[d.which].low
            wide = width / 4 if np.isfinite(width) else max(size, common[p])
            if d.element is None:
                size, wide = (1.0, 4.0) if d.relative else (size, wide)
                below, above = _room_along(domains[d.which], x, d.at(self.points[p]))
                rows.append((0.0, size, wide, below, above, False))
                continue
            here = x[d.element]
            below, above = (float(v) for v in room(domains[d.which], here))
            rows.append((float(here), abs(float(here)) or size, wide, below, above, True))
        columns = [np.array(column) for column in zip(*rows, strict=True)] or [np.zeros(0)] * 6
        at, lengths, wider, down, up, exact = columns
        return Lengths(at, lengths, wider, down, up, exact.astype(bool))

    def moved(self, rows: NDArray[np.int64], t: Array) -> list[NDArray[Any]]:
        """The inputs at the offsets t (M,) of some lines, each stacked along a first axis: as `alone`, one by one."""
        found = []
        base, which, element = self.base[rows], self._which[rows], self._element[rows]
        for k, stack in enumerate(self._stacked):
            x = stack[base]
            here = which == k
            if here.any():
                x = np.array(x, dtype=np.float64)
                flat = x.reshape(len(x), -1)
                single, rest = np.flatnonzero(here & (element >= 0)), np.flatnonzero(here & (element < 0))
                flat[single, element[single]] += t[single]
                if rest.size:
                    steps = np.stack([self._step(int(row)).reshape(-1) for row in rows[rest]])
                    flat[rest] += t[rest, None] * steps
            found.append(x)
        return found

    def alone(self, row: int, t: float) -> list[NDArray[Any]]:
        """The inputs at one offset of one line."""
        d = self.ways[row]
        found = list(self.points[self.base[row]])
        target = np.array(found[d.which], dtype=np.float64)
        if d.element is not None:
            target[d.element] += t
        else:
            target = target + t * self._step(row)
        found[d.which] = target
        return found

    def _step(self, row: int) -> Array:
        if not self.ways[row].relative:
            return self.ways[row].step
        if row not in self._steps:
            self._steps[row] = self.ways[row].at(self.points[self.base[row]])
        return self._steps[row]


def _room_along(domain: Domain, x: Array, step: Array) -> tuple[float, float]:
    """How many steps fit into the limits downwards and upwards."""
    down, up = room(domain, x)
    with np.errstate(all="ignore"):
        size = np.abs(step)
        above = np.where(step > 0, up, down) / size
        below = np.where(step > 0, down, up) / size
    moved = size > 0
    return float(below[moved].min(initial=np.inf)), float(above[moved].min(initial=np.inf))


def usual(inputs: Inputs) -> float:
    sizes = np.concatenate([np.abs(np.asarray(x, dtype=np.float64)).reshape(-1) for x in inputs if x.dtype.kind == "f"])
    some = sizes[(sizes > 0) & np.isfinite(sizes)]
    return float(np.median(some)) if some.size else 1.0


def moved(inputs: Inputs, d: Direction, step: float) -> list[NDArray[np.float64]]:
    moved = list(inputs)
    target = np.array(moved[d.which], dtype=np.float64)
    if d.element is not None:
        target[d.element] += step
    else:
        target = target + step * d.at(inputs)
    moved[d.which] = target
    return moved
