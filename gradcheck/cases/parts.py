"""Which parts of a point are points of smaller sizes? Rows and columns are left out, and directions cut to fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice, product
from math import comb, prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.build import outputs, shape_of
from gradcheck.cases.plans import dimensions
from gradcheck.cases.simpler import FILLS, keeps, plain
from gradcheck.spec.dims import misfit
from gradcheck.spec.model import Spec

Array = NDArray[np.float64]
Arrays = dict[str, Array]
MOST_SIZES = 24
MOST_PARTS = 27
ALL_CHOICES = 10  # of the elements of one dimension; of more, blocks and such


class Point(Protocol):
    """What is cut: one point with its directions."""

    @property
    def sizes(self) -> Mapping[str, int]: ...
    @property
    def inputs(self) -> Arrays: ...
    @property
    def cotangents(self) -> Arrays: ...
    @property
    def tangents(self) -> Arrays: ...


def smaller_sizes(spec: Spec, sizes: Mapping[str, int]) -> list[dict[str, int]]:
    """Size assignments with fewer elements, the smallest first; of very many also each dimension by itself."""
    names = dimensions(spec)
    steps = [sorted({*range(1, min(n, 5) + 1), (n + 1) // 2, n}) for n in (sizes[d] for d in names)]
    everything = [dict(zip(names, choice, strict=True)) for choice in islice(product(*steps), 10_000)]
    smaller = sorted((c for c in everything if c != dict(sizes)), key=lambda c: (prod(c.values()), *c.values()))
    alone = [{**sizes, d: n} for d in names for n in (1, 2, 3) if n < sizes[d]]
    found = smaller[:MOST_SIZES] + (alone if len(smaller) > MOST_SIZES else [])
    return [c for k, c in enumerate(found) if c not in found[:k] and not misfit(c)]


def parts(
    spec: Spec, point: Point, sizes: Mapping[str, int], directions: frozenset[str]
) -> Iterator[tuple[Arrays, Arrays, Arrays]]:
    """Inputs, cotangents and tangents in smaller sizes: plain points, then parts of a point, first with directions of
    ones, then with its own.
    """
    picked = list(islice(_picked(point.sizes, sizes), MOST_PARTS))
    cut = [
        (pick, {i.name: _cut_input(spec, k, point, sizes, pick) for k, i in enumerate(spec.inputs)}) for pick in picked
    ]
    shapes = next((s for s in (_shapes(spec, inputs, sizes) for _, inputs in cut) if s is not None), None)
    if shapes is None:
        return
    for v in FILLS:
        filled = {i.name: plain(i.domain, shape_of(i, sizes), v) for i in spec.inputs}
        ones = {o: np.ones(shape) for o, shape in shapes.items()}
        yield filled, ones, {n: np.ones(filled[n].shape) for n in point.tangents}
    ways = [1.0, None, -1.0] if directions else [1.0]
    for way in ways:
        for pick, inputs in cut:
            if way is None:
                cts = {
                    o: _cut_output(point.cotangents[o], shape, point.sizes, sizes, pick) for o, shape in shapes.items()
                }
                along = {i.name: _taken(point.tangents[i.name], i.shape, pick) for i in spec.inputs
                         if i.name in point.tangents}  # fmt: skip
            else:
                cts = {o: np.full(shape, way) for o, shape in shapes.items()}
                along = {n: np.full(inputs[n].shape, way) for n in point.tangents}
            yield inputs, cts, along


def _picked(old: Mapping[str, int], new: Mapping[str, int]) -> Iterator[dict[str, list[int]]]:
    """Which elements of each dimension are kept."""
    choices = [_choices(old[d], n) for d, n in new.items()]
    for choice in product(*choices):
        yield dict(zip(new, choice, strict=True))


def _choices(n: int, k: int) -> list[list[int]]:
    if comb(n, k) <= ALL_CHOICES:
        return [list(c) for c in combinations(range(n), k)]
    starts = sorted({0, (n - k) // 2, n - k})
    blocks = [list(range(s, s + k)) for s in starts]
    ends = [*range(k - 1), n - 1]  # the first ones with the last one
    return [*blocks, ends]


def _cut_input(
    spec: Spec, number: int, point: Point, sizes: Mapping[str, int], pick: Mapping[str, list[int]]
) -> Array:  # fmt: skip
    """A part of one input; a plain array where the part has not the structure of the domain."""
    i = spec.inputs[number]
    found = _taken(point.inputs[i.name], i.shape, pick)
    return found if keeps(i.domain, found[None]).all() else plain(i.domain, shape_of(i, sizes), 1.0)


def _taken(array: Array, dims: Sequence[str | int], pick: Mapping[str, list[int]]) -> Array:
    for axis, d in enumerate(dims):
        if isinstance(d, str):
            array = np.take(array, pick[d], axis=axis)
    return np.array(array)


def _shapes(spec: Spec, inputs: Arrays, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]] | None:
    """The shapes of the outputs; None where the function does not take these inputs."""
    try:
        found = outputs(spec, {n: a[None] for n, a in inputs.items()}, sizes)
    except (ValueError, IndexError):
        return None
    return {o: v.shape[1:] for o, v in found.items()}


def _cut_output(
    array: Array, shape: tuple[int, ...], old: Mapping[str, int], new: Mapping[str, int], pick: Mapping[str, list[int]]
) -> Array:
    """A part of a cotangent: along each axis the elements of a dimension that has its old and its new length."""
    if array.ndim != len(shape):
        return np.ones(shape)
    for axis, length in enumerate(shape):
        fits = [d for d in new if old[d] == array.shape[axis] and new[d] == length]
        rows = pick[fits[0]] if fits else range(length)
        if length > array.shape[axis]:
            return np.ones(shape)
        array = np.take(array, list(rows), axis=axis)
    return np.array(array)
