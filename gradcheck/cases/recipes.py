"""What is planted in a point? Ties, zeros, landmarks everywhere or in one element, many of them in one point.

A recipe changes one point in place. The order is fixed, the most telling first, since the points are few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gradcheck.cases.domains import STRUCTURED, draw
from gradcheck.cases.landmarks import NO_MARKS, Marks, between, fine, landmarks, tiny
from gradcheck.spec.many import ALONE
from gradcheck.spec.membership import within_box
from gradcheck.spec.model import Input, Spec

Array = NDArray[np.float64]
Points = dict[str, Array]
Point = dict[str, Array]  # one point: views into the batch, which a recipe writes to
Recipe = Callable[[Point], None]
APART = 5  # how far inputs are apart in the packed numbers, so that two are not equal at the ends of their domains
TAME, PLACES = 3.0, 64  # landmarks up to this size, beside which the others still count, in so many of many numbers
TOTALS = 12  # numbers of the code that sums, means and norms are made equal to


def planted(
    spec: Spec, inputs: Sequence[Input], shapes: Mapping[str, tuple[int, ...]], rng: Generator, most: int,
    marks: Marks = NO_MARKS,
) -> Points:  # fmt: skip
    """At most `most` points that hold landmarks, in the order of the recipes: name -> (points, *shape).

    inputs: those of the spec, their domains at the sizes of the shapes.
    """
    open_to = [i for i in inputs if i.domain.kind not in STRUCTURED | {"boolean"} and np.prod(shapes[i.name])]
    recipes = list(_recipes(spec, open_to, shapes, rng, marks))[:most]
    found = {i.name: draw(i.domain, rng, len(recipes), shapes[i.name], np.ones(len(recipes))) for i in inputs}
    for row, recipe in enumerate(recipes):
        recipe({name: array[row, ...] for name, array in found.items()})
    return found


def _recipes(
    spec: Spec, open_to: Sequence[Input], shapes: Mapping[str, tuple[int, ...]], rng: Generator, marks: Marks
) -> Iterator[Recipe]:
    prime = {i.name: landmarks(spec, i.domain) for i in open_to}
    yield from _of_many({n: values for n, values in prime.items() if np.prod(shapes[n]) > ALONE}, rng)
    several = [i.name for i in open_to if np.prod(shapes[i.name]) > 1]
    if several:
        yield from (partial(_each, several, how) for how in (_all_equal, _first_and_last, _top_two, _bottom_two))
        yield from (partial(_each, several, how) for how in (_equal_rows, _in_order, partial(_any_two, rng)))
    yield from _across(open_to, shapes, rng)
    zero = [i.name for i in open_to if within_box(i.domain, np.zeros(1))[0] and i.name in several]
    if zero:
        counts = (2, 2, max(2, max(int(np.prod(shapes[n])) for n in zero) // 2))
        yield from (partial(_each, zero, partial(_zeros, rng, count)) for count in counts)
        yield partial(_each, zero, _row_of_zeros)
    for rank in range(max(map(len, prime.values()), default=0)):
        values = {name: numbers[rank % len(numbers)] for name, numbers in prime.items() if numbers}
        yield partial(_everywhere, values)
        if several:
            yield partial(_in_one, values, rng)
    packs = {i.name: np.roll([*fine(i.domain, marks), 0.0], -APART * k) for k, i in enumerate(open_to)}
    per_point = {i.name: max(1, int(np.prod(shapes[i.name]))) for i in open_to}
    rows = max((-(-len(numbers) // per_point[name]) for name, numbers in packs.items()), default=0)
    totals = list(_totals(open_to, marks))
    small = {i.name: tiny(i.domain) for i in open_to if i.domain.kind == "real"}
    lone = list(_lone(small, rng))
    for row in range(rows):
        turned = {name: np.roll(numbers, -row * per_point[name]) for name, numbers in packs.items()}
        yield partial(_packed, turned)
        yield from lone[row : row + 1]
        yield from totals[row : row + 1] if several else ()
    yield from lone[rows:]
    yield from totals[rows:] if several else ()


def _lone(small: Mapping[str, tuple[float, ...]], rng: Generator) -> Iterator[Recipe]:
    """One very small number in one input, the inputs in turn."""
    for rank in range(max(map(len, small.values()), default=0)):
        for name in [n for n, numbers in small.items() if rank < len(numbers)]:
            yield partial(_in_one, {name: small[name][rank]}, rng)


def _of_many(prime: Mapping[str, Sequence[float]], rng: Generator) -> Iterator[Recipe]:
    """Of very many numbers few are planted: where all of them tie, nearly nothing is settled."""
    tame = {name: [v for v in values if abs(v) <= TAME] for name, values in prime.items()}
    if prime:
        yield partial(_each, list(prime), _top_two)
        yield partial(_scattered, {name: values for name, values in tame.items() if values}, rng)
        yield from (partial(_each, list(prime), how) for how in (_bottom_two, _first_and_last, partial(_any_two, rng)))


def _scattered(values: Mapping[str, Sequence[float]], rng: Generator, point: Point) -> None:
    """Some numbers are landmarks, each of them several times."""
    for name, numbers in values.items():
        x = _flat(point[name])
        x[rng.permutation(x.size)[:PLACES]] = np.resize(np.array(numbers), PLACES)


def _each(names: Sequence[str], how: Callable[[Array], None], point: Point) -> None:
    for name in names:
        how(point[name])


def _flat(x: Array) -> Array:
    return x.reshape(-1)  # a view: points of a batch are dense


def _all_equal(x: Array) -> None:
    x[...] = _flat(x)[0]


def _first_and_last(x: Array) -> None:
    _flat(x)[-1] = _flat(x)[0]


def _top_two(x: Array) -> None:
    order = np.argsort(_flat(x), kind="stable")
    _flat(x)[order[-2]] = _flat(x)[order[-1]]


def _bottom_two(x: Array) -> None:
    order = np.argsort(_flat(x), kind="stable")
    _flat(x)[order[1]] = _flat(x)[order[0]]


def _equal_rows(x: Array) -> None:
    x[...] = x[:1].copy()


def _in_order(x: Array) -> None:
    _flat(x)[...] = np.sort(_flat(x))


def _any_two(rng: Generator, x: Array) -> None:
    a, b = rng.permutation(x.size)[:2]
    _flat(x)[a] = _flat(x)[b]


def _zeros(rng: Generator, count: int, x: Array) -> None:
    _flat(x)[rng.permutation(x.size)[: min(count, x.size)]] = 0.0


def _row_of_zeros(x: Array) -> None:
    x[x.shape[0] // 2] = 0.0


def _across(open_to: Sequence[Input], shapes: Mapping[str, tuple[int, ...]], rng: Generator) -> Iterator[Recipe]:
    """Inputs of one shape that are equal everywhere, or in one element."""
    for k, one in enumerate(open_to):
        for other in open_to[:k]:
            if shapes[one.name] == shapes[other.name]:
                yield partial(_same, one.name, other.name)
                yield partial(_same_in_one, one.name, other.name, rng)


def _same(one: str, other: str, point: Point) -> None:
    point[one][...] = point[other]


def _same_in_one(one: str, other: str, rng: Generator, point: Point) -> None:
    k = rng.integers(point[one].size)
    _flat(point[one])[k] = _flat(point[other])[k]


def _everywhere(values: Mapping[str, float], point: Point) -> None:
    for name, value in values.items():
        point[name][...] = value


def _in_one(values: Mapping[str, float], rng: Generator, point: Point) -> None:
    for name, value in values.items():
        _flat(point[name])[rng.integers(point[name].size)] = value


def _packed(values: Mapping[str, Array], point: Point) -> None:
    """As many numbers as there are elements, each in one."""
    for name, numbers in values.items():
        x = _flat(point[name])
        x[: len(numbers)] = numbers[: x.size]


def _totals(open_to: Sequence[Input], marks: Marks) -> Iterator[Recipe]:
    """Sums, means and lengths that are numbers of the code, or lie between two that are near one another."""
    names = [i.name for i in open_to if i.domain.kind == "real"]
    for mark in [*between(marks.written), *(m for m in marks.written if m > 2 or m != int(m))][:TOTALS]:
        yield partial(_each, names, partial(_with_sum, mark))
        yield partial(_each, names, partial(_with_norm, mark))


def _with_sum(mark: float, x: Array) -> None:
    _flat(x)[-1] += mark - x.sum()


def _with_norm(mark: float, x: Array) -> None:
    length = float(np.linalg.norm(_flat(x)))
    if length > 0:
        x *= mark / length
