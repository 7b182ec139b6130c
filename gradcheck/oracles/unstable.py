"""How many digits would a textbook's way of writing the same derivative lose?

Frameworks write the slope of tanh as 1 - y², which far out is rounding of 1 and nothing else: right mathematics, all
digits lost. `CLOUDED` is the namespace of running error bounds in which every slope is held to no more than what it
is worth when it is computed from an argument or a result that was rounded once: to |u s'(u)| + |y s'(u)/s(u)| units of
roundoff. What a framework is off by within that is a loss of digits, and no other mathematics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.engine import Dual
from gradcheck.expr import NUMPY, VOCABULARY, Primitive
from gradcheck.expr.unknown import Unknown
from gradcheck.oracles.inquiry import Numbers
from gradcheck.oracles.rounding.running import UNIT, Bounded, BoundedNamespace, exact, value_of
from gradcheck.spec.precision import FLOAT64

STEP = 2.0**-17  # relative; the second derivative is needed to a few per cent only
Slope = Callable[..., Any]


class CloudedNamespace(BoundedNamespace):
    """The namespace over `Bounded` values whose slopes are clouded; its numbers are those of `BOUNDED`."""

    @cached_property
    def vocabulary(self) -> Mapping[str, Primitive]:
        """The house's rows, with clouded slopes."""
        return {name: _clouded(row) for name, row in VOCABULARY.items()}


def rounded_once(x: Any) -> Bounded:
    """An input that was rounded once before it came here."""
    x = np.asarray(x, dtype=float)
    return Bounded(x, UNIT * np.abs(x))


def _clouded(row: Primitive) -> Primitive:
    if row.slopes is None or not any(callable(slope) for slope in row.slopes):
        return row
    return replace(row, slopes=tuple(_cloud(row, s) if callable(s) else s for s in row.slopes))


def _cloud(row: Primitive, slope: Slope) -> Slope:
    def clouded(rules: Any, y: Any, *args: Any) -> Any:
        s = slope(rules, y, *args)
        numbers = [np.asarray(_number(a)) for a in args]
        if any(x.dtype.kind == "c" for x in numbers):
            return s
        return _widened(s, UNIT * _loss(row, slope, _number(y), numbers))

    return clouded


def _loss(row: Primitive, slope: Slope, y: Any, numbers: list[Any]) -> Any:
    """How far the slope moves, to first order, when an argument or the result moves by all of itself."""
    s = np.asarray(slope(NUMPY, y, *numbers))
    total: Any = 0.0
    for k, u in enumerate(numbers):
        if _whole(row, k):
            continue
        above, below = ([*numbers[:k], u * (1 + sign * STEP), *numbers[k + 1 :]] for sign in (1.0, -1.0))
        moved = slope(NUMPY, row.numpy(*above), *above) - slope(NUMPY, row.numpy(*below), *below)
        by_argument = np.abs(moved) / (2 * STEP)
        total = total + by_argument
        if len(numbers) == 1:
            total = total + by_argument * np.abs(y) / np.abs(u * s)
    return np.where(np.isfinite(total), total, 0.0)


def _whole(row: Primitive, k: int) -> bool:
    """Whether an argument takes whole numbers only, which are never rounded."""
    slope = row.slopes[k] if row.slopes else None
    return isinstance(slope, Unknown) and slope.whole


def _number(x: Any) -> Any:
    """What a value of any namespace comes down to in NumPy."""
    while hasattr(x, "data") and not isinstance(x, np.ndarray | np.generic | Bounded):
        x = x.data
    return value_of(x)


def _widened(s: Any, by: Any) -> Any:
    if isinstance(s, Dual):
        return Dual(s.xp, _widened(s.data, by), s.tangent)
    value = value_of(s)
    own = s.err if isinstance(s, Bounded) else 0.0
    shape = np.broadcast_shapes(np.shape(value), np.shape(by))
    return Bounded(np.broadcast_to(value, shape), np.broadcast_to(own + by, shape))


CLOUDED: Any = CloudedNamespace(FLOAT64)
CLOUDED_NUMBERS = Numbers(CLOUDED, rounded_once, rounded_once, exact)
