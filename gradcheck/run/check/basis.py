"""Along which directions does an input move? Its elements; in a set with a structure, directions that stay in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.domains import STRUCTURED
from gradcheck.cases.given import Given
from gradcheck.oracles.blackbox.lines import Direction


def basis(givens: Sequence[Given], shapes: Sequence[tuple[int, ...]], moving: Sequence[int]) -> list[Direction]:
    """Every direction of every moving input, in the order of the arguments and elements."""
    return [d for k in moving for d in _of(k, givens[k].domain.kind if givens else "real", shapes[k])]


def screens(
    givens: Sequence[Given], inputs: Sequence[NDArray[np.generic]], moving: Sequence[int], seed: int
) -> list[Direction] | None:
    """Two random directions of every moving input, in sizes of its elements; None where its elements are as few.

    A wrong element shows along nearly every direction; which one it is, is asked only then. Sets with a structure have
    none. The same seed gives the same directions, but that they point inwards at an end of the limits.
    """
    total = sum(int(np.prod(np.shape(inputs[k]))) for k in moving)
    if total <= 2 * len(moving) or any(givens[k].domain.kind in STRUCTURED for k in moving):
        return None
    rng = np.random.default_rng([seed, 23])
    found = []
    for k in moving:
        x = np.asarray(inputs[k], dtype=float)
        domain = givens[k].domain
        for _ in range(2):
            weights = np.round(rng.uniform(0.5, 1.5, x.shape) * rng.choice([-1.0, 1.0], x.shape), 2)
            weights = np.where(x <= domain.low, np.abs(weights), weights)
            weights = np.where(x >= domain.high, -np.abs(weights), weights)
            found.append(Direction(k, weights, None, relative=True))
    return found


def _of(which: int, kind: str, shape: tuple[int, ...]) -> Iterator[Direction]:
    for index in np.ndindex(shape):
        if kind in ("spd", "symmetric") and index[-1] > index[-2]:
            yield Direction(which, _one(shape, index) + _one(shape, (*index[:-2], index[-1], index[-2])), None)
        elif kind == "simplex":
            if index[-1] > 0:
                yield Direction(which, _one(shape, index) - _one(shape, (*index[:-1], 0)), None)
        elif (
            kind not in ("spd", "symmetric", "triangular")
            or index[-1] == index[-2]
            or (kind == "triangular" and index[-1] < index[-2])
        ):
            yield Direction(which, _one(shape, index), index)


def _one(shape: tuple[int, ...], index: tuple[int, ...]) -> NDArray[np.float64]:
    step = np.zeros(shape)
    step[index] = 1.0
    return step
