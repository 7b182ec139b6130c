"""Along which directions does an input move? Its elements; in a set with a structure, directions that stay in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.given import Given
from gradcheck.oracles.blackbox_slopes import Direction


def basis(givens: Sequence[Given], shapes: Sequence[tuple[int, ...]], moving: Sequence[int]) -> list[Direction]:
    """Every direction of every moving input, in the order of the arguments and elements."""
    return [d for k in moving for d in _of(k, givens[k].domain.kind if givens else "real", shapes[k])]


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
