"""At which simple point is a function tried out? One inside its domain, for given sizes of the dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.expr import Program
from gradcheck.spec.dims import base_of, keys_of, names_of
from gradcheck.spec.model import Domain, Input

Array = NDArray[np.float64]
Point = dict[str, Array]
Holds = Callable[[str, Program, Mapping[str, Any]], bool]  # input's name, its predicate, all names' values
_CANDIDATES = 60
_MANY = 20_000  # elements of one input


def sizes_of(inputs: tuple[Input, ...]) -> dict[str, int]:
    """A size for each dimension: 2, 3, 4 …, all different; small ones again where that would be too much.

    Nothing that may be 1 instead is.
    """
    names, keys = names_of(i.shape for i in inputs), keys_of(inputs)
    for small in (len(names), 2):
        sizes = {name: 2 + index % small for index, name in enumerate(names)}
        choice = {key: sizes[base_of(key)] for key in keys}
        if all(math.prod(shape_at(i.shape, choice)) <= _MANY for i in inputs):
            return choice
    return dict.fromkeys(keys, 1)


def shape_at(shape: tuple[str | int, ...], sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The shape with its dimension names replaced by their sizes."""
    return tuple(sizes[size] if isinstance(size, str) else size for size in shape)


def interior_point(inputs: tuple[Input, ...], sizes: Mapping[str, int], holds: Holds) -> Point | None:
    """The first of some simple points at which every predicate holds; None where none does."""
    predicates = [(i.name, i.domain.predicate) for i in inputs if i.domain.predicate is not None]
    for point in _points(inputs, sizes):
        met = [holds(name, predicate, {**sizes, **point}) for name, predicate in predicates]
        if all(met):
            return point
    return None


def _points(inputs: tuple[Input, ...], sizes: Mapping[str, int]) -> Iterator[Point]:
    random = np.random.default_rng(0)
    for attempt in range(_CANDIDATES):
        scale = 1.0 if attempt == 0 else float(np.exp(random.uniform(-3, 3)))
        yield {i.name: _value(i.domain.at(sizes), shape_at(i.shape, sizes), scale, random) for i in inputs}


def _value(domain: Domain, shape: tuple[int, ...], scale: float, random: np.random.Generator) -> Array:
    build = _STRUCTURES.get(domain.kind)
    if build is not None:
        return build(shape, random)
    if domain.kind in ("integer", "boolean"):
        low = max(domain.low, -5.0 if domain.high > -5 else domain.high - 5)
        high = min(domain.high, low + 10)
        return np.asarray(random.integers(int(low), int(high) + 1, shape), dtype=np.float64)
    part = np.asarray(random.uniform(0.1, 0.9, shape))
    if domain.log:
        return np.asarray(np.exp(_in_box(math.log(domain.low), math.log(domain.high), part, scale)))
    return _in_box(domain.low, domain.high, part, scale)


def _in_box(low: float, high: float, part: Array, scale: float) -> Array:
    """Points strictly between the ends: at `part` of the way, or `scale` times away from the one finite end."""
    if math.isinf(low) and math.isinf(high):
        return np.asarray((2 * part - 1) * scale)
    if math.isinf(high):
        return np.asarray(low + part * scale)
    if math.isinf(low):
        return np.asarray(high - part * scale)
    return np.asarray(low * (1 - part) + high * part)


def _simplex(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    weights = random.uniform(0.2, 1.0, shape)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def _sphere(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    vectors = random.uniform(0.2, 1.0, shape)
    return np.asarray(vectors / np.sqrt((vectors**2).sum(axis=-1, keepdims=True)))


def _symmetric(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    matrix = random.uniform(-1.0, 1.0, shape)
    return np.asarray((matrix + np.swapaxes(matrix, -1, -2)) / 2)


def _spd(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    return np.asarray(_symmetric(shape, random) / shape[-1] + 2 * np.eye(shape[-1]))


def _orthogonal(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    return np.asarray(np.linalg.qr(random.uniform(-1.0, 1.0, shape) + 2 * np.eye(shape[-1]))[0])


def _triangular(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    return np.asarray(np.tril(random.uniform(0.5, 1.5, shape)))


def _sorted(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    return np.asarray(np.cumsum(random.uniform(0.1, 1.0, shape), axis=-1))


def _permutation(shape: tuple[int, ...], random: np.random.Generator) -> Array:
    return np.asarray(np.broadcast_to(np.arange(shape[-1], dtype=np.float64)[::-1], shape))


_STRUCTURES: Mapping[str, Callable[[tuple[int, ...], np.random.Generator], Array]] = {
    "simplex": _simplex,
    "sphere": _sphere,
    "symmetric": _symmetric,
    "spd": _spd,
    "orthogonal": _orthogonal,
    "triangular": _triangular,
    "sorted": _sorted,
    "permutation": _permutation,
}
