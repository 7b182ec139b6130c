"""What is the smallest and simplest point that still fails?

Candidates are tried a batch at a time, since a case costs the same whether it holds one point or sixty: smaller sizes
(parts of the failing point), directions that show one number, points with few numbers that are not plain, and at last
simpler numbers for all elements at once. Every candidate is inside the domain and fails in the judge's own eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, islice

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.batch import batch
from gradcheck.cases.domains import STRUCTURED
from gradcheck.cases.parts import parts, smaller_sizes
from gradcheck.cases.simpler import FILLS, candidates, keeps, plain
from gradcheck.spec.case import Case
from gradcheck.spec.many import is_many, points_of
from gradcheck.spec.model import Spec

Array = NDArray[np.float64]
Arrays = dict[str, Array]
Fails = Callable[[Case], NDArray[np.integer | np.bool_]]
Place = tuple[str, str, int]  # "inputs", "cotangents" or "tangents"; the name; the element
MOST = 64  # candidates of one batch: code under test is called at no more points of a case
ROUNDS = 4  # of simpler numbers for all elements at once
BOTH = frozenset({"cotangents", "tangents"})


@dataclass(frozen=True, slots=True)
class Point:
    """One point with its directions, without a batch axis."""

    sizes: Mapping[str, int]
    inputs: Arrays
    cotangents: Arrays
    tangents: Arrays

    def of(self, kind: str) -> Arrays:
        """The inputs, the cotangents or the tangents."""
        found: Arrays = getattr(self, kind)
        return found

    def at(self, place: Place) -> float:
        """One number."""
        kind, name, element = place
        return float(self.of(kind)[name].reshape(-1)[element])

    def changed(self, numbers: Mapping[Place, float]) -> Point:
        """The point with other numbers at some places."""
        copies = {kind: {n: a.copy() for n, a in self.of(kind).items()} for kind in ("inputs", *BOTH)}
        for (kind, name, element), value in numbers.items():
            copies[kind][name].reshape(-1)[element] = value
        return Point(self.sizes, copies["inputs"], copies["cotangents"], copies["tangents"])


def shrink(case: Case, row: int, fails: Fails, directions: frozenset[str] = frozenset({"cotangents"})) -> Case:
    """A case of one point, as small and simple as was found; the point itself where nothing simpler fails.

    fails(case) -> (B,) how many numbers are wrong at each point, 0 where it does not fail as the original does.
    directions: which of "cotangents" and "tangents" count; the others are made ones.
    """
    search = _Search(case, row, fails, directions)
    if not search.take([search.start]):
        return only(case, row)
    if is_many(case.spec, case.sizes):
        search.plainly()
        return search.case()
    search.smaller()
    search.one_number()
    search.few()
    search.simple()
    return search.case()


def only(case: Case, row: int) -> Case:
    """One point of a case as a case of its own."""

    def one(arrays: Mapping[str, Array]) -> Arrays:
        return {k: v[row : row + 1].copy() for k, v in arrays.items()}

    return replace(
        case, inputs=one(case.inputs), cotangents=one(case.cotangents), tangents=one(case.tangents),
        origins=(case.origins[row],), layouts=(),
    )  # fmt: skip


class _Search:
    """The best point so far, and the ways to a better one."""

    def __init__(self, case: Case, row: int, fails: Fails, directions: frozenset[str]) -> None:
        self.spec: Spec = case.spec
        self.dtype, self.fails, self.directions = case.dtype, fails, directions
        self.best, self.wrong = _point(case, row, directions), 0
        self.start = self.best

    def case(self) -> Case:
        """The best point as a case."""
        found = self._asked([self.best])
        assert found is not None
        return replace(found, origins=("given",))

    def take(self, points: Sequence[Point], fewest: bool = False) -> bool:
        """Take the first point that fails (of those with the fewest wrong numbers, if asked): whether one does."""
        case = self._asked(points)
        if case is None:
            return False
        counts = np.asarray(self.fails(case)).astype(int)
        rows = np.flatnonzero(counts > 0)
        if not len(rows):
            return False
        row = int(rows[np.argmin(counts[rows])] if fewest else rows[0])
        self.best, self.wrong = _point(case, row, BOTH), int(counts[row])
        return True

    def failing(self, points: Sequence[Point]) -> list[int]:
        """Which of them fail."""
        case = self._asked(points)
        if case is None:
            return []
        return [int(o) for o, n in zip(case.origins, np.asarray(self.fails(case)), strict=True) if n]

    def _asked(self, points: Sequence[Point]) -> Case | None:
        """Those that lie in the domain as one case, each with its number among them as its origin."""
        kept = [k for k, p in enumerate(points) if self._asks(p)]
        if not kept:
            return None
        some = [points[k] for k in kept]
        return batch(
            self.spec, some[0].sizes, [p.inputs for p in some], [p.cotangents for p in some], self.dtype,
            [p.tangents for p in some], [str(k) for k in kept],
        )  # fmt: skip

    def _asks(self, point: Point) -> bool:
        """Whether the inputs have the structure of their domains, and the directions are not all zeros."""
        moved = (kind for kind in self.directions if point.of(kind))
        return all(any(a.any() or not a.size for a in point.of(kind).values()) for kind in moved) and all(
            keeps(i.domain, point.inputs[i.name][None]) for i in self.spec.inputs
        )

    def plainly(self) -> None:
        """Of very many numbers: the same one everywhere, with directions of ones; nothing is left out."""
        cotangents, tangents = ({n: np.ones_like(a) for n, a in self.best.of(k).items()} for k in sorted(BOTH))
        most = points_of(self.spec, self.best.sizes, MOST)
        plain_ones = islice(self._plain(), most)
        self.take([replace(p, cotangents=cotangents, tangents=tangents) for p in plain_ones])

    def smaller(self) -> None:
        """Parts of the point in smaller sizes, the smallest first."""
        for sizes in smaller_sizes(self.spec, self.best.sizes):
            found = parts(self.spec, self.best, sizes, self.directions)
            points = [Point(sizes, *arrays) for arrays in islice(found, MOST)]
            if points and self.take(points):
                return

    def one_number(self) -> None:
        """Directions of ones where one number is wrong then; else directions along which the fewest are."""
        for kind in sorted(self.directions):
            places = self._places(kind)
            already = all(self.best.at(p) == 1 for p in places)
            taken = already or self.take([self.best.changed(dict.fromkeys(places, 1.0))])
            if taken and self.wrong == 1:
                continue
            before = self.best, self.wrong
            zeros = dict.fromkeys(places, 0.0)
            hot = [self.best.changed({**zeros, p: v}) for v in (1.0, -1.0) for p in places[: MOST // 2]]
            if self.take(hot, fewest=True) and taken and self.wrong >= before[1]:
                self.best, self.wrong = before

    def few(self) -> None:
        """Points of plain numbers; else points at which one number, or two, are not plain."""
        free = [i.name for i in self.spec.inputs if i.domain.kind not in STRUCTURED]
        places = [p for name in free for p in self._places("inputs", name)]
        alone = (self._but((p,), v) for v in FILLS[:3] for p in places if len(places) > 1)
        pairs = (self._but(pair, v) for v in FILLS[:3] for pair in combinations(places, 2) if len(places) > 2)
        for found in (chain(self._plain(), alone), pairs):
            points = list(islice(found, MOST))
            if points and self.take(points):
                return

    def _plain(self) -> Iterator[Point]:
        """One number everywhere; different ones for different inputs; one input at a time."""
        inputs = self.spec.inputs
        for v in FILLS:
            for step in (0.0, 1.0, -1.0) if len(inputs) > 1 else (0.0,):
                yield self._filled({i.name: v + step * k for k, i in enumerate(inputs)})
        if len(inputs) > 1:
            yield from (self._filled({i.name: v}) for v in FILLS for i in inputs)

    def _filled(self, values: Mapping[str, float]) -> Point:
        made = {i.name: plain(i.domain, self.best.inputs[i.name].shape, values[i.name])
                for i in self.spec.inputs if i.name in values}  # fmt: skip
        return replace(self.best, inputs={**self.best.inputs, **made})

    def _but(self, special: Sequence[Place], value: float) -> Point:
        """One number everywhere but at some places."""
        filled = self._filled({i.name: value for i in self.spec.inputs if i.domain.kind not in STRUCTURED})
        return filled.changed({p: self.best.at(p) for p in special})

    def simple(self) -> None:
        """Simpler numbers: for all elements at once as far as they still fail together, then for those left over."""
        tried: dict[tuple[Place, ...], int] = {}
        for _ in range(ROUNDS):
            choices = self._choices(tried)
            if not choices:
                return
            points = [self.best.changed(dict.fromkeys(unit, v)) for unit, v in choices]
            failing = self.failing(points)
            first: dict[tuple[Place, ...], float] = {}
            for k in failing:
                first.setdefault(*choices[k])
            self._together(list(first.items()), tried)

    def _choices(self, tried: dict[tuple[Place, ...], int]) -> list[tuple[tuple[Place, ...], float]]:
        """The next few simpler numbers of every unit (an element, or elements of one number)."""
        left = {unit: self._numbers(unit)[tried.get(unit, 0) :] for unit in self._units()}
        left = {unit: numbers for unit, numbers in left.items() if numbers}
        each = max(2, MOST // max(1, len(left)))
        found = []
        for unit, numbers in islice(left.items(), MOST // 2):
            found += [(unit, v) for v in numbers[:each]]
            tried[unit] = tried.get(unit, 0) + each
        return found[:MOST]

    def _together(self, found: Sequence[tuple[tuple[Place, ...], float]], tried: dict[tuple[Place, ...], int]) -> None:
        """As many of the simpler numbers as still fail together; what was left out may be tried again."""
        steps = [self.best]
        for unit, v in found:
            steps.append(steps[-1].changed(dict.fromkeys(unit, v)))
        failing = self.failing(steps[1:][:MOST])
        if failing:
            self.best = steps[failing[-1] + 1]
            for unit, _ in found[failing[-1] + 1 :]:
                tried.pop(unit, None)

    def _units(self) -> list[tuple[Place, ...]]:
        singles = [p for kind in ("inputs", *sorted(self.directions)) for p in self._places(kind)]
        groups: dict[float, list[Place]] = {}
        for p in singles:
            if p[0] == "inputs":
                groups.setdefault(self.best.at(p), []).append(p)
        return [tuple(g) for g in groups.values() if len(g) > 1] + [(p,) for p in singles]

    def _numbers(self, unit: tuple[Place, ...]) -> list[float]:
        """Simpler numbers for it; of a direction that has others, 0 is the simplest."""
        old = self.best.at(unit[0])
        if unit[0][0] == "inputs":
            return candidates(old, self.dtype)
        others = any(self.best.at(p) for p in self._places(unit[0][0]) if p not in unit)
        if old == 0:
            return []
        return [*([0.0] if others else []), *(v for v in candidates(old, self.dtype) if v)]

    def _places(self, kind: str, only: str = "") -> list[Place]:
        return [(kind, n, k) for n, a in self.best.of(kind).items() if only in ("", n) for k in range(a.size)]


def _point(case: Case, row: int, directions: frozenset[str]) -> Point:
    """A row of a case; ones for the directions that do not count."""

    def one(kind: str) -> Arrays:
        arrays: Mapping[str, Array] = getattr(case, kind)
        return {k: np.array(v[row]) if kind in directions else np.ones_like(v[row]) for k, v in arrays.items()}

    return Point(case.sizes, {k: np.array(v[row]) for k, v in case.inputs.items()}, one("cotangents"), one("tangents"))
