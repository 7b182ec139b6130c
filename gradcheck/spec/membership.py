"""Does a point lie in its domain, and how far is the edge?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import BranchInBatch
from gradcheck.expr import NUMPY, Batch, Batched, Control
from gradcheck.spec.model import Domain, Spec

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def inside(spec: Spec, inputs: Mapping[str, Array], sizes: Mapping[str, int]) -> Mask:
    """Which points (B,) lie in the domain of every input: boxes and predicates.

    Structured domains (simplex, spd, …) are met by construction and not tested here, so that a derivative may be
    taken by each coordinate.
    """
    kept_out = [bad for _, bad in refusals(spec, inputs, sizes)]
    return np.asarray(~np.logical_or.reduce(kept_out))


def refusals(spec: Spec, inputs: Mapping[str, Array], sizes: Mapping[str, int]) -> list[tuple[str, Mask]]:
    """Each input's domain in words, and the points (B,) that it keeps out."""
    points = len(next(iter(inputs.values())))
    found = []
    for i in spec.inputs:
        good = _everywhere(within_box(i.domain.at(sizes), inputs[i.name]))
        if i.domain.predicate is not None:
            good &= _everywhere(_predicate(i.domain, inputs, sizes, points))
        found.append((f"{i.domain.text!r} of {i.name}", ~good))
    return found


def within_box(domain: Domain, x: Array) -> Mask:
    """Elementwise: inside the interval, ends included where it is closed, and a whole number where only those are."""
    with np.errstate(all="ignore"):
        low = x > domain.low if domain.low_open else x >= domain.low
        high = x < domain.high if domain.high_open else x <= domain.high
        found = low & high if np.isfinite([domain.low, domain.high]).any() else np.isfinite(x)
        return np.asarray(found & (x == np.trunc(x)) if domain.kind in ("integer", "boolean") else found)


def agrees(domain: Domain, inputs: Mapping[str, Array]) -> bool:
    """Whether the predicate of a domain, where it has one, holds at one point."""
    if domain.predicate is None:
        return True
    batch = {name: np.asarray(x, dtype=float)[None] for name, x in inputs.items()}
    return bool(_everywhere(_predicate(domain, batch, {}, 1)).all())


def room(domain: Domain, x: Array) -> tuple[Array, Array]:
    """How far each element may move down and up before it leaves the interval (inf where it has no end)."""
    return np.maximum(x - domain.low, 0.0), np.maximum(domain.high - x, 0.0)


def _everywhere(mask: Mask) -> Mask:
    return np.asarray(mask.reshape(len(mask), -1).all(axis=1))


def _predicate(domain: Domain, inputs: Mapping[str, Array], sizes: Mapping[str, int], points: int) -> Mask:
    assert domain.predicate is not None
    env: dict[str, Any] = {name: Batched(value) for name, value in inputs.items()}
    with np.errstate(all="ignore"):
        try:
            result = domain.predicate(Batch(NUMPY), {**env, **sizes}, Control(guard=False))
        except BranchInBatch:
            return _one_by_one(domain, inputs, sizes, points)
    data = result.data if isinstance(result, Batched) else np.broadcast_to(np.asarray(result), (points,))
    return np.asarray(data, dtype=bool)


def _one_by_one(domain: Domain, inputs: Mapping[str, Array], sizes: Mapping[str, int], points: int) -> Mask:
    rows = [{name: value[k : k + 1] for name, value in inputs.items()} for k in range(points)]
    return np.concatenate([_everywhere(_predicate(domain, row, sizes, 1)) for row in rows])
