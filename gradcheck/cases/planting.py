"""At which points is a callable tried? Planted ones first (zeros, ties, ends, whole numbers, tails), then drawn ones.

Nothing is known of the function, so every number at which rules are known to break is planted: everywhere, in one
input, in one element. Equal numbers that are planted have few bits, so that sums and means of them are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle
from math import prod
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gradcheck.cases.domains import STRUCTURED, draw
from gradcheck.cases.given import Given, Sampler
from gradcheck.errors import UsageError
from gradcheck.spec.membership import agrees, within_box
from gradcheck.spec.model import Domain

Array = NDArray[Any]
Inputs = tuple[Array, ...]
FIRST = (0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5)
TAILS = (
    40.0, -40.0, 1e-8, 1e-170, 800.0, -800.0, 100.0, -100.0, -1e-8, 1e170, 1e-3, 10.0, -10.0, 1e4, -1e4, 400.0, -400.0,
    1e-20, 1e8, 1e20, -1e20, -1e170,
)  # fmt: skip
EXTREME = (1e-100, 2.0**53)  # below, intermediates may underflow; above, numbers lie further apart than 1
WHOLE = 12  # whole numbers planted of a box
PLANTED = 0.7  # share of the points that may be planted
OUTSIDE = 0.15  # share of the points that lie outside the limits on purpose, where there are limits
TRIES = 50  # draws for one point that a predicate must hold at
STYLES = ("plain", "coarse", "plain", "sparse", "plain", "scaled", "near an end", "plain")


@dataclass(frozen=True, slots=True)
class Tried:
    """One point: its inputs in the order of the arguments, read-only, where it came from, and what it is.

    outside: beyond the stated limits; extreme: with sizes at which intermediates over- or underflow, or so far apart
    that a sum of two loses one.
    """

    inputs: Inputs
    origin: str
    outside: bool = False
    extreme: bool = False


def points(givens: Sequence[Given], count: int, seed: int) -> list[Tried]:
    """About `count` points of inputs with fixed shapes: planted, drawn, and some outside the limits, in this order."""
    rng = np.random.default_rng(seed)
    limited = any(g.differentiable and _limited(g.domain) for g in givens)
    beyond = int(OUTSIDE * count) if limited else 0
    found = _some(_plants(givens, rng), int(PLANTED * (count - beyond)), givens)
    styles = cycle(STYLES)
    conditions = any(g.domain.predicate is not None for g in givens)
    for _ in range(TRIES * count):
        if len(found) >= count - beyond:
            break
        drawn = _tried(_drawn(givens, rng, next(styles)), "drawn", givens)
        if not (conditions and drawn.outside):
            found.append(drawn)
    if not any(not tried.outside for tried in found):
        raise UsageError(f"no point was found at which {_conditions(givens)} holds")
    loose = [_loosened(g) for g in givens]
    return found + _some(_plants(loose, rng), beyond, givens, only_outside=True)


def sampled(sampler: Sampler, count: int, seed: int) -> list[Tried]:
    """Points of a caller's own sampler."""
    rng = np.random.default_rng(seed)
    return [Tried(tuple(_still(np.array(x)) for x in sampler(rng)), "sampled") for _ in range(count)]


def marks_of(given: Given) -> tuple[list[float], list[float]]:
    """Numbers to plant in an input: those that come first, and tails, each inside its limits, in a fixed order."""
    domain = given.domain
    if domain.kind == "boolean":
        return [0.0, 1.0], []
    low, high = span(given)
    width = high - low
    ends = [low, high, low + 1e-3 * width, high - 1e-3 * width] if np.isfinite(width) else []
    near = np.arange(np.floor(low), np.ceil(high) + 1) if width <= 4 * WHOLE else np.empty(0)
    whole = [float(v) for v in near[np.argsort(np.abs(near), kind="stable")][:WHOLE]]
    if domain.kind == "integer":
        return _within(domain, [*whole, *ends[:2]]), []
    middle = [float(np.round(low + part * width, 3)) for part in (0.5, 0.25, 0.75)] if np.isfinite(width) else []
    small = [v * width for v in (1e-4, 1e-9)] if np.isfinite(width) else []
    first = _within(domain, [*FIRST, *given.marks, *ends, *whole, *middle])
    return first, [v for v in _within(domain, [*TAILS, *small]) if v not in first]


def _within(domain: Domain, numbers: Sequence[float]) -> list[float]:
    array = np.array(list(dict.fromkeys(v + 0.0 for v in numbers)))
    return [float(v) for v in array[within_box(domain, array)]] if len(array) else []


def span(given: Given) -> tuple[float, float]:
    """Where its numbers lie mostly."""
    low, high = max(given.domain.low, given.usual[0]), min(given.domain.high, given.usual[1])
    if np.isinf(low) and np.isinf(high):
        return -3.0, 3.0
    if np.isinf(low) or np.isinf(high):
        return (high - 3.0, high) if np.isinf(low) else (low, low + 3.0)
    return low, high


def meets(givens: Sequence[Given], inputs: Sequence[Array]) -> bool:
    """Whether every predicate of the inputs' domains holds at a point."""
    named = {g.name: x for g, x in zip(givens, inputs, strict=True)}
    return all(agrees(g.domain, _parts(named[g.name]) if g.paired else named) for g in givens)


def _parts(x: Array) -> dict[str, Array]:
    """What a complex region is about."""
    return {"re": x[..., 0], "im": x[..., 1]}


def _conditions(givens: Sequence[Given]) -> str:
    return " and ".join(repr(g.domain.text) for g in givens if g.domain.predicate is not None)


def _some(
    plants: Iterator[tuple[str, Inputs]], count: int, givens: Sequence[Given], only_outside: bool = False
) -> list[Tried]:
    found: list[Tried] = []
    seen: set[bytes] = set()
    for origin, inputs in plants:
        if len(found) >= count:
            break
        here = _tried(inputs, origin, givens)
        key = b"|".join(x.tobytes() for x in inputs)
        if key not in seen and here.outside is only_outside:
            seen.add(key)
            found.append(here)
    return found


def _tried(inputs: Inputs, origin: str, givens: Sequence[Given]) -> Tried:
    outside = any(
        _limited(g.domain) and not bool(within_box(g.domain, np.asarray(x, dtype=float)).all())
        for g, x in zip(givens, inputs, strict=True)
    ) or not meets(givens, inputs)
    sizes = np.concatenate([np.abs(x).reshape(-1).astype(float) for x in inputs] or [np.zeros(0)])
    some = sizes[sizes > 0]
    extreme = bool(some.size) and bool(
        some.min() < EXTREME[0] or some.max() > EXTREME[1] or some.max() / EXTREME[1] > some.min()
    )
    return Tried(tuple(_still(x) for x in inputs), origin, outside, extreme)


def _limited(domain: Domain) -> bool:
    return domain.kind == "real" and bool(np.isfinite([domain.low, domain.high]).any())


def _loosened(given: Given) -> Given:
    """The same input without its limits, which become the place where its numbers usually lie."""
    if not _limited(given.domain) or not given.differentiable:
        return given
    return replace(given, domain=Domain(), usual=span(given))


def _plants(givens: Sequence[Given], rng: Generator) -> Iterator[tuple[str, Inputs]]:
    """Planted points, the most telling first; each a fresh draw with something planted in it."""
    marks = [marks_of(g) if g.domain.kind not in STRUCTURED else ([], []) for g in givens]
    open_to = [k for k, (first, _) in enumerate(marks) if first]
    yield from _ties(givens, open_to, rng)
    for rank in range(max((len(first) for first, _ in marks), default=0)):
        values = {k: marks[k][0][rank] for k in open_to if rank < len(marks[k][0])}
        yield from _marked(givens, values, rng, together=len(open_to) > 1 or rank == 0)
    yield from _zeros(givens, open_to, marks, rng)
    for rank in range(max((len(tail) for _, tail in marks), default=0)):
        values = {k: marks[k][1][rank] for k in open_to if rank < len(marks[k][1])}
        yield from _marked(givens, values, rng, together=True)
        yield f"assorted {rank}", _assorted(givens, open_to, marks, rng)


def _marked(
    givens: Sequence[Given], values: Mapping[int, float], rng: Generator, together: bool
) -> Iterator[tuple[str, Inputs]]:
    for k, mark in values.items():
        yield f"{givens[k].name} = {mark:g}", _change(givens, rng, k, partial(_fill, mark=mark))
        if _size(givens[k]) > 1:
            yield f"one {givens[k].name} = {mark:g}", _change(givens, rng, k, partial(_one, mark=mark, rng=rng))
    if together and len(values) > 1:
        base = list(_drawn(givens, rng, "plain"))
        for k, mark in values.items():
            base[k] = _fill(base[k], mark)
        yield "all = " + ", ".join(f"{v:g}" for v in values.values()), tuple(base)


def _ties(givens: Sequence[Given], open_to: Sequence[int], rng: Generator) -> Iterator[tuple[str, Inputs]]:
    """Equal elements: all, the two largest, the two smallest, any two, along an axis, and across inputs."""
    kinds: tuple[Callable[[Array], Array], ...] = (_all_equal, _top_two, _bottom_two, _along_an_axis)
    for k in open_to:
        if _size(givens[k]) > 1:
            for kind in kinds:
                yield f"ties in {givens[k].name}", _change(givens, rng, k, kind)
            yield f"ties in {givens[k].name}", _change(givens, rng, k, lambda x: _any_two(x, rng))
            yield f"{givens[k].name} in order", _change(givens, rng, k, _sorted)
    shapes = [g.shape for g in givens]
    for k in open_to:
        for j in open_to:
            if j < k and _fits(shapes[j], shapes[k]) and givens[j].whole is givens[k].whole:
                base = list(_drawn(givens, rng, "coarse"))
                for a, b in ((j, k), (k, j)):
                    value = _into(base[a], shapes[b])
                    if value is not None and within_box(givens[b].domain, value.astype(float)).all():
                        base[b] = value.astype(base[b].dtype)
                        yield f"{givens[j].name} equal to {givens[k].name}", tuple(base)
                        break


def _zeros(
    givens: Sequence[Given], open_to: Sequence[int], marks: Sequence[tuple[list[float], list[float]]], rng: Generator
) -> Iterator[tuple[str, Inputs]]:
    """Two zeros, a row of zeros, and half of the elements zero."""
    for k in open_to:
        size = _size(givens[k])
        if 0.0 not in marks[k][0] or size < 2 or givens[k].whole:
            continue
        for count in (2, 2, max(size // 2, 2), size - 1):
            yield f"{count} zeros in {givens[k].name}", _change(givens, rng, k, partial(_few, count=count, rng=rng))
        if len(givens[k].shape) > 1:
            yield f"a row of zeros in {givens[k].name}", _change(givens, rng, k, _row)


def _assorted(
    givens: Sequence[Given], open_to: Sequence[int], marks: Sequence[tuple[list[float], list[float]]], rng: Generator
) -> Inputs:
    base = list(_drawn(givens, rng, "plain"))
    for k in open_to:
        numbers = np.array([*marks[k][0], *(v for v in marks[k][1] if abs(v) < 1e3)])
        base[k] = rng.choice(numbers, base[k].shape).astype(base[k].dtype)
    return tuple(base)


def _change(givens: Sequence[Given], rng: Generator, k: int, how: Callable[[Array], Array]) -> Inputs:
    base = list(_drawn(givens, rng, "plain"))
    base[k] = _kept(givens[k], how(base[k]), base[k])
    return tuple(base)


def _kept(given: Given, changed: Array, before: Array) -> Array:
    ok = within_box(given.domain, changed.astype(float)).all() if _limited(given.domain) else True
    return changed if ok else before


def _drawn(givens: Sequence[Given], rng: Generator, style: str) -> Inputs:
    return tuple(_draw_one(g, rng, style) for g in givens)


def _draw_one(given: Given, rng: Generator, style: str) -> Array:
    shape = tuple(int(d) for d in given.shape)
    if given.whole or given.domain.kind != "real":
        x = draw(given.domain, rng, 1, shape, 1.0)[0]
        return np.asarray(x.astype(given.dtype))
    low, high = span(given)
    x = rng.uniform(low, high, shape)
    if given.domain.log:
        x = np.exp(rng.uniform(np.log(low), np.log(high), shape))
    elif style == "coarse":
        step = 2.0 ** np.floor(np.log2((high - low) / 6))
        x = np.round(x / step) * step
    elif style == "sparse":
        x = np.where(rng.uniform(size=shape) < 0.3, 0.0, x)
    elif style == "scaled":
        x = x * 10.0 ** rng.uniform(-8, 0)
    elif style == "near an end":
        inside = 1e-3 * rng.uniform(size=shape) * (high - low)
        x = np.where(rng.uniform(size=shape) < 0.5, low + inside, high - inside)
    x = np.clip(x, given.domain.low, given.domain.high).astype(given.dtype)
    ends = ~within_box(given.domain, x.astype(float))  # that do not belong to it
    return np.asarray(np.where(ends, rng.uniform(low, high, shape), x) if ends.any() else x, dtype=given.dtype)


def _size(given: Given) -> int:
    return prod(int(d) for d in given.shape)


def _fill(x: Array, mark: float) -> Array:
    return np.full_like(x, mark)


def _one(x: Array, mark: float, rng: Generator) -> Array:
    x = x.copy()
    if x.size:
        x.reshape(-1)[rng.integers(x.size)] = mark
    return x


def _few(x: Array, count: int, rng: Generator) -> Array:
    x = x.copy()
    x.reshape(-1)[rng.permutation(x.size)[:count]] = 0
    return x


def _row(x: Array) -> Array:
    x = np.array(x)
    x[x.shape[0] // 2] = 0
    return x


def _plain(x: Array) -> Array:
    """The same numbers with few bits (sixteenths), so that sums of equal ones are exact; tiny ones as they are."""
    if x.dtype.kind != "f":
        return x.copy()
    size = np.abs(x).max(initial=0.0)
    step = float(2.0 ** (np.floor(np.log2(size)) - 4)) if size > 0 else 1.0
    return np.asarray(np.round(x / step) * step, dtype=x.dtype)


def _sorted(x: Array) -> Array:
    return np.asarray(np.sort(x, axis=None).reshape(x.shape))


def _all_equal(x: Array) -> Array:
    return np.full_like(x, _plain(x).reshape(-1)[0])


def _top_two(x: Array) -> Array:
    x = _plain(x)
    flat = x.reshape(-1)
    order = np.argsort(flat, kind="stable")
    flat[order[-2]] = flat[order[-1]]
    return x


def _bottom_two(x: Array) -> Array:
    x = _plain(x)
    flat = x.reshape(-1)
    order = np.argsort(flat, kind="stable")
    flat[order[1]] = flat[order[0]]
    return x


def _along_an_axis(x: Array) -> Array:
    x = _plain(x)
    x[...] = x[:1]
    return x


def _any_two(x: Array, rng: Generator) -> Array:
    x = _plain(x)
    a, b = rng.permutation(x.size)[:2]
    x.reshape(-1)[a] = x.reshape(-1)[b]
    return x


def _fits(one: Sequence[Any], other: Sequence[Any]) -> bool:
    try:
        np.broadcast_shapes(tuple(one), tuple(other))
    except ValueError:
        return False
    return True


def _into(x: Array, shape: Sequence[Any]) -> Array | None:
    try:
        return np.broadcast_to(x, tuple(shape)).copy()
    except ValueError:
        return None


def _still(x: Array) -> Array:
    x = np.array(x)
    x.setflags(write=False)
    return x
