"""What are the rules of running maxima and running log-sum-exps?

A running maximum is the latest of the elements that reach it (PyTorch's convention at ties). A running log-sum-exp
weighs each element by exp(x[j] - y[k]), which never exceeds one because y does not fall; its rules carry the weights
from one place to the next by the factors exp(y[k] - y[k+1]), so nothing overflows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rows_product import recurrence
from gradcheck.expr.rules import Axis, along, one_axis, shape_of, single_axis

Rule = tuple[Value | None, ...]


def _running(name: str, ufunc: Any) -> Any:
    def call(x: Any, axis: Axis = None) -> Any:
        x = np.asarray(x)
        return ufunc.accumulate(x, axis=single_axis(axis, x.ndim, name))

    return call


def _places(xp: Namespace, y: Value, args: Any, params: Params) -> tuple[Value, int]:
    """Where each element of a running extreme comes from, and the axis."""
    axis, shape = one_axis(params["axis"]), shape_of(args[0])
    here = np.arange(float(shape[axis])).reshape(-1, *(1,) * (-axis - 1))
    new = xp.where(xp.equal(args[0], y), np.broadcast_to(here, shape), 0.0)
    return xp.cumulative_max(new, axis=axis), axis


def _extreme_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    places, axis = _places(xp, y, args, params)
    return (xp.scatter_along_axis(ct, places, size=shape_of(ct)[axis], axis=axis),)


def _extreme_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    places, axis = _places(xp, y, args, params)
    return xp.take_along_axis(tangents[0], places, axis=axis)


def _weight(xp: Namespace, small: Value, large: Value) -> Value:
    """exp(small - large), and 1 where both are minus infinity."""
    known = xp.greater(large, -np.inf)
    gap = xp.subtract(xp.where(known, small, 0.0), xp.where(known, large, 0.0))
    return xp.exp(gap)


def _carried(xp: Namespace, y: Value, axis: int) -> Value:
    """What of each running log-sum-exp the next one is made of, with a 0 in front: exp(y[k-1] - y[k])."""
    shape = shape_of(y)
    earlier = xp.getitem(y, index=along(shape, axis, slice(None, -1)))
    later = xp.getitem(y, index=along(shape, axis, slice(1, None)))
    size = list(shape)
    size[axis] = min(1, shape[axis])
    return xp.concat([xp.zeros(shape=tuple(size)), _weight(xp, earlier, later)], axis=axis)


def _logsumexp_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    """x̄[j] = exp(x[j] - y[j]) s[j], where s[j] = ct[j] + exp(y[j] - y[j+1]) s[j+1]."""
    axis = one_axis(params["axis"])
    if shape_of(y)[axis] == 0:
        return (ct,)
    factor = xp.roll(xp.flip(_carried(xp, y, axis), axis=axis), 1, axis=axis)
    tail = xp.flip(recurrence(xp, factor, xp.flip(ct, axis=axis), axis), axis=axis)
    return (xp.multiply(_weight(xp, args[0], y), tail),)


def _logsumexp_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    axis = one_axis(params["axis"])
    return recurrence(xp, _carried(xp, y, axis), xp.multiply(_weight(xp, args[0], y), tangents[0]), axis)


def _row(name: str, ufunc: Any, vjp: Any, jvp: Any, **more: Any) -> Primitive:
    return Primitive(name, 1, _running(name, ufunc), ("axis",), {"axis": None}, Batching.AXIS, vjp=vjp, jvp=jvp, **more)


TIES = "ties go to the latest element"

RUNNING: tuple[Primitive, ...] = (
    _row(
        "cumulative_max",
        np.maximum,
        _extreme_vjp,
        _extreme_jvp,
        kinks="a tie for the largest so far",
        aliases=("cummax",),
        note=TIES,
    ),
    _row(
        "cumulative_min",
        np.minimum,
        _extreme_vjp,
        _extreme_jvp,
        kinks="a tie for the smallest so far",
        aliases=("cummin",),
        note=TIES,
    ),
    _row(
        "cumulative_logsumexp",
        np.logaddexp,
        _logsumexp_vjp,
        _logsumexp_jvp,
        jax="jax.lax.cumlogsumexp",
        aliases=("logcumsumexp", "cumlogsumexp"),
    ),
)
