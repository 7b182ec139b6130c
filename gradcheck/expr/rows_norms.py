"""Which norms of vectors and matrices does the language know, and how are they said in other rows?

The names and orders of the Array API's `linalg`; p-norms are scaled by the largest element, as a constant, which
changes neither the value nor any derivative and keeps powers from overflowing.
"""

from __future__ import annotations

import math
from typing import Any

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Primitive, Value
from gradcheck.expr.rules import Axis, nonzero, shape_of

Order = float | str


def _vector_norm(xp: Namespace, x: Value, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Value:
    if ord == 2:
        return xp.norm(x, axis=axis, keepdims=keepdims)
    size = xp.abs(x)
    if ord == math.inf:
        return xp.max(size, axis=axis, keepdims=keepdims)
    if ord == -math.inf:
        return xp.min(size, axis=axis, keepdims=keepdims)
    if ord == 0:
        return xp.sum(xp.sign(size), axis=axis, keepdims=keepdims)
    if ord == 1:
        return xp.sum(size, axis=axis, keepdims=keepdims)
    return _power_norm(xp, size, axis, keepdims, float(ord))


def _power_norm(xp: Namespace, size: Value, axis: Axis, keepdims: bool, p: float) -> Value:
    """(Σ sizeᵖ)^(1/p). At the origin it is 0 with the slope 0, as the norm of order 2."""
    extreme = xp.max if p > 0 else xp.min  # the element that decides
    largest = nonzero(xp, extreme(xp.stop_gradient(size), axis=axis, keepdims=True))
    total = xp.sum(xp.pow(xp.divide(size, largest), p), axis=axis, keepdims=True)
    nothing = xp.equal(total, 0.0)
    root = xp.pow(xp.where(nothing, 1.0, total), 1.0 / p)
    length = xp.multiply(largest, xp.where(nothing, 0.0, root))
    return length if keepdims else xp.sum(length, axis=axis, keepdims=False)


def _matrix_norm(xp: Namespace, x: Value, keepdims: bool = False, ord: Order = "fro") -> Value:
    if ord == "fro":
        return xp.norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord == "nuc":
        found = xp.sum(xp.svdvals(x), axis=-1, keepdims=False)
    elif ord in (2, -2):
        extreme = xp.max if ord == 2 else xp.min
        found = extreme(xp.svdvals(x), axis=-1, keepdims=False)
    elif ord in (1, -1, math.inf, -math.inf):
        summed, other = (-2, -1) if ord in (1, -1) else (-1, -1)
        totals = xp.sum(xp.abs(x), axis=summed, keepdims=False)
        found = (xp.max if ord in (1, math.inf) else xp.min)(totals, axis=other, keepdims=False)
    else:
        raise ValueError(f"matrix_norm is defined for ord 'fro', 'nuc', 1, -1, 2, -2, inf and -inf, got {ord!r}")
    return xp.reshape(found, shape=(*shape_of(found), 1, 1)) if keepdims else found


def _cond(xp: Namespace, x: Value, ord: Order = 2) -> Value:
    """How much larger a relative error can get on its way through x⁻¹: |x| |x⁻¹| in the norm of order `ord`."""
    if ord in (2, -2):
        values = xp.svdvals(x)
        first, last = (xp.getitem(values, index=(Ellipsis, k)) for k in ((0, -1) if ord == 2 else (-1, 0)))
        return xp.divide(first, last)
    return xp.multiply(xp.matrix_norm(x, ord=ord), xp.matrix_norm(xp.inv(x), ord=ord))


def _norm(name: str, formula: Any, batching: Batching, **defaults: Any) -> Primitive:
    more: dict[str, Any] = {"params": tuple(defaults), "defaults": defaults, "batching": batching}
    return composition(name, 1, formula, kinks="elements or extremes meet, or are zero", **more)


NORMS: tuple[Primitive, ...] = (
    _norm("vector_norm", _vector_norm, Batching.AXIS, axis=None, keepdims=False, ord=2),
    _norm("matrix_norm", _matrix_norm, Batching.TRAILING, keepdims=False, ord="fro"),
    _norm("cond", _cond, Batching.TRAILING, ord=2),
)
