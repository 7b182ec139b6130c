"""Where is Arb's ball arithmetic? The one file that imports python-flint.

A ball (`arb`) is a midpoint and a radius; every operation on balls gives a ball that contains all results of the
operation on numbers of the balls (Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic",
IEEE Trans. Computers 66, 2017). Arrays of balls are NumPy arrays of dtype object. The working precision is global to
the thread: `precision(bits)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from flint import acb, acb_mat, arb, arb_mat, ctx, fmpq, fmpz
from numpy.typing import NDArray

__all__ = [
    "Balls", "Undecided", "acb", "acb_mat", "arb", "arb_mat", "balls", "fmpq", "fmpz", "precision", "working_bits",
]  # fmt: skip

Balls = NDArray[np.object_]  # of arb; of acb where numbers are complex
_BALLS = frozenset({arb, acb})
_ball: Any = np.frompyfunc(lambda x: x if type(x) in _BALLS else arb(x if type(x) is int else float(x)), 1, 1)


class Undecided(Exception):
    """A comparison that balls leave open: more bits decide it, or never where the numbers are equal.

    mask: the elements that are open, with the batch as leading axis; a single bool stands for all.
    """

    def __init__(self, mask: Any) -> None:
        super().__init__("overlapping balls cannot be told apart")
        self.mask = np.asarray(mask, dtype=bool)


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Compute with so many bits inside the `with`."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def working_bits() -> int:
    """The precision of the computation under way."""
    return int(ctx.prec)


def balls(x: Any) -> Balls:
    """Numbers as an array of balls: what is no ball yet is an exact float64 (also where it is one number)."""
    if type(x) is np.ndarray and x.dtype == object and _BALLS.issuperset(map(type, x.ravel().tolist())):
        return x
    return np.asarray(_ball(x), dtype=object)
