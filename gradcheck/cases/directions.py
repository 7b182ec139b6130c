"""Along which cotangents and tangents is asked? Ones, one-hot ones, random ones; at ordinary points odd ones, too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[np.float64]
TURN = 4  # ones, one-hot, random, random
ODD = 6  # kinds of odd cotangents
EVERY = 5  # of the ordinary points, so many have one odd cotangent among them
TINY, LARGE = 1e-18, 1e6


def directions(rng: Generator, points: int, shape: tuple[int, ...]) -> Array:
    """(points, *shape): ones, one-hot ones, and random ones of two decimals, in turn."""
    array = np.round(rng.normal(0.0, 1.0, (points, *shape)), 2) + 0.0
    flat = array.reshape(points, -1)
    if not flat.size:
        return array
    flat[::TURN] = 1.0
    hot = np.arange(1, points, TURN)
    flat[hot] = 0.0
    flat[hot, rng.integers(flat.shape[1], size=len(hot))] = 1.0
    return array


def with_odd_ones(ct: Array, ordinary: Sequence[int], which: int, outputs: int) -> Array:
    """Cotangents of output number `which` of so many, some at ordinary points odd: negative, tiny, large, or zeros.

    All outputs are odd at the same points, but for zeros: there one output of several keeps its cotangent.
    """
    flat = ct.reshape(len(ct), -1)
    if not flat.size:
        return ct
    for k, row in enumerate(ordinary[EVERY - 1 :: EVERY]):
        x, kind = flat[row], k % ODD
        if kind == 0:
            x[...] = -np.abs(x) - 0.25
        elif kind == 1:
            x[...] = TINY * (np.abs(x) + 1) * np.where(x < 0, -1, 1)
        elif kind == 2:
            x[...] = LARGE * (np.abs(x) + 1) * np.where(x < 0, -1, 1)
        elif kind == 3:  # a zero among others
            x[...] = np.where(x == 0, 1.0, x)
            x[k // ODD % len(x)] = 0.0 if len(x) > 1 else x[0]
        elif kind == 4 and (outputs == 1 or which == k // ODD % outputs):
            x[...] = 0.0
        elif kind == 5:
            x[...] = x.flat[0] if x.flat[0] else 2.0
    return ct
