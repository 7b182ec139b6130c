"""What are the rules of sums, products, extremes, norms and running totals?

`axis` comes as a negative number or a tuple of them. Extremes share their slope evenly among ties; a norm's slope at
the origin is 0; products are exact where factors are zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.composition import NUMPY
from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rows_product import PRODUCTS, with_initial, without_initial
from gradcheck.expr.rules import Axis, axes_of, indicator, keep, nonzero, one_axis, reduced_size, shape_of, single_axis

REDUCE = {"axis": None, "keepdims": False}
Rule = tuple[Value | None, ...]


def _reduced(xp: Namespace, moved: Value, params: Params) -> Value:
    return xp.sum(moved, axis=params["axis"], keepdims=params["keepdims"])


def _sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    reduce: Any = np.add.reduce  # what np.sum comes to, without its overhead
    return reduce(x, axis=axis, keepdims=keepdims)


def _sum_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    if ct.shape == ():  # every axis was summed, and every element has the same cotangent
        return (ct,)
    shape = shape_of(args[0])
    return (xp.broadcast_to(keep(xp, ct, shape, params["axis"]), shape=shape),)


def _mean_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    count = reduced_size(shape_of(args[0]), params["axis"])
    return _sum_vjp(xp, xp.divide(ct, float(count)), y, args, params)


def _extreme_weights(xp: Namespace, y: Value, args: Any, params: Params) -> Value:
    shape, axis = shape_of(args[0]), params["axis"]
    ties = indicator(xp, xp.equal(args[0], keep(xp, y, shape, axis)))
    return xp.divide(ties, xp.sum(ties, axis=axis, keepdims=True))


def _extreme_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    ct = keep(xp, ct, shape_of(args[0]), params["axis"])
    return (xp.multiply(ct, _extreme_weights(xp, y, args, params)),)


def _extreme_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    return _reduced(xp, xp.multiply(tangents[0], _extreme_weights(xp, y, args, params)), params)


def _deviations(xp: Namespace, args: Any, params: Params) -> tuple[Value, float]:
    """How far the elements lie from their mean, and the divisor of the variance."""
    x, axis = args[0], params["axis"]
    count = reduced_size(shape_of(x), axis) - params["correction"]
    return xp.subtract(x, xp.mean(x, axis=axis, keepdims=True)), float(count)


def _var_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    centred, count = _deviations(xp, args, params)
    ct = keep(xp, ct, shape_of(args[0]), params["axis"])
    return (xp.multiply(xp.multiply(2.0, ct), xp.divide(xp.conj(centred), count)),)


def _var_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    centred, count = _deviations(xp, args, params)
    moved = xp.real(xp.multiply(tangents[0], xp.conj(centred)))
    return _reduced(xp, xp.divide(xp.multiply(2.0, moved), count), params)


def _std_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    centred, count = _deviations(xp, args, params)
    scaled = xp.divide(ct, xp.multiply(count, nonzero(xp, y)))
    return (xp.multiply(keep(xp, scaled, shape_of(args[0]), params["axis"]), xp.conj(centred)),)


def _std_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    centred, count = _deviations(xp, args, params)
    moved = _reduced(xp, xp.real(xp.multiply(tangents[0], xp.conj(centred))), params)
    return xp.divide(moved, xp.multiply(count, nonzero(xp, y)))


def _var(x: Any, axis: Axis = None, correction: float = 0, keepdims: bool = False) -> Any:
    return np.var(x, axis=axis, ddof=correction, keepdims=keepdims)


def _std(x: Any, axis: Axis = None, correction: float = 0, keepdims: bool = False) -> Any:
    return np.std(x, axis=axis, ddof=correction, keepdims=keepdims)


def _norm(x: Any, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Any:
    """The vector norm over `axis`; of order 2 without overflow or underflow of the squares."""
    size = np.abs(x)
    if ord == 1:
        return np.sum(size, axis=axis, keepdims=keepdims)
    if ord not in (2, np.inf):
        raise ValueError(f"norm is defined for ord 1, 2 and inf, got {ord}")
    largest = np.max(size, axis=axis, keepdims=True, initial=0.0)
    if ord == np.inf:
        return np.max(size, axis=axis, keepdims=keepdims, initial=0.0)
    unit = np.where((largest > 1e140) | (largest < 1e-140), largest, 1.0)
    unit = np.where((unit > 0) & np.isfinite(unit), unit, 1.0)
    length = unit * np.sqrt(np.sum(np.square(size / unit), axis=axis, keepdims=True))
    return length if keepdims else np.squeeze(length, axis=axes_of(shape_of(x), axis))


def _norm_slopes(xp: Namespace, y: Value, args: Any, params: Params) -> Value:
    """The gradient of each norm by its own elements."""
    x, axis, order = args[0], params["axis"], params["ord"]
    if order == 1:
        return xp.conj(xp.sign(x))
    length = keep(xp, y, shape_of(x), axis)
    if order == 2:
        return xp.divide(xp.conj(x), nonzero(xp, length))
    ties = indicator(xp, xp.equal(xp.abs(x), length))
    return xp.divide(xp.multiply(xp.conj(xp.sign(x)), ties), xp.sum(ties, axis=axis, keepdims=True))


def _norm_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    ct = keep(xp, ct, shape_of(args[0]), params["axis"])
    return (xp.multiply(ct, _norm_slopes(xp, y, args, params)),)


def _norm_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    return _reduced(xp, xp.real(xp.multiply(tangents[0], _norm_slopes(xp, y, args, params))), params)


def _cumulative_sum(x: Any, axis: Axis = None, include_initial: bool = False) -> Any:
    axis = single_axis(axis, np.ndim(x), "cumulative_sum")
    total = np.cumsum(x, axis=axis)
    return with_initial(NUMPY, total, axis, 0.0) if include_initial else total


def _cumulative_sum_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    axis = one_axis(params["axis"])
    ct = without_initial(xp, ct, axis) if params["include_initial"] else ct
    return (xp.flip(xp.cumulative_sum(xp.flip(ct, axis=axis), axis=axis), axis=axis),)


def _index_of(numpy: Any) -> Any:
    """argmax or argmin over one axis, or over all axes, which a batch gives as a tuple: then in the row of them all."""

    def index(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        if axis is None or axis == ():
            return numpy(x, keepdims=keepdims)
        if not isinstance(axis, tuple) or len(axis) == 1:
            return numpy(x, axis=one_axis(axis), keepdims=keepdims)
        shape, count = np.shape(x), len(axis)
        if axes_of(shape, axis) != tuple(range(-count, 0)):
            raise ValueError("argmax and argmin take one axis, or all")
        found = numpy(np.reshape(x, (*shape[:-count], reduced_size(shape, axis))), axis=-1)
        return np.reshape(found, (*shape[:-count], *(1,) * count)) if keepdims else found

    return index


def _reduction(name: str, numpy: Any, **more: Any) -> Primitive:
    return Primitive(name, 1, numpy, ("axis", "keepdims"), REDUCE, Batching.AXIS, **more)


REDUCTION: tuple[Primitive, ...] = (
    _reduction("sum", _sum, vjp=_sum_vjp, linear=True, latex=r"\sum {0}", analytic=True),
    _reduction("mean", np.mean, vjp=_mean_vjp, linear=True, analytic=True),
    _reduction(
        "max",
        np.max,
        vjp=_extreme_vjp,
        jvp=_extreme_jvp,
        torch="torch.amax",
        kinks="a tie for the largest",
        aliases=("amax",),
        note="ties share the slope evenly",
    ),
    _reduction(
        "min",
        np.min,
        vjp=_extreme_vjp,
        jvp=_extreme_jvp,
        torch="torch.amin",
        kinks="a tie for the smallest",
        aliases=("amin",),
        note="ties share the slope evenly",
    ),
    Primitive(
        "var",
        1,
        _var,
        ("axis", "correction", "keepdims"),
        {**REDUCE, "correction": 0},
        Batching.AXIS,
        vjp=_var_vjp,
        jvp=_var_jvp,
        complex_rule=True,
        note="divides by n - correction; correction is 0",
    ),
    Primitive(
        "std",
        1,
        _std,
        ("axis", "correction", "keepdims"),
        {**REDUCE, "correction": 0},
        Batching.AXIS,
        vjp=_std_vjp,
        jvp=_std_jvp,
        complex_rule=True,
        kinks="all elements equal",
        note="slope 0 where all elements are equal",
    ),
    Primitive(
        "norm",
        1,
        _norm,
        ("axis", "keepdims", "ord"),
        {**REDUCE, "ord": 2},
        Batching.AXIS,
        vjp=_norm_vjp,
        jvp=_norm_jvp,
        complex_rule=True,
        torch="torch.linalg.vector_norm",
        jax="jax.numpy.linalg.vector_norm",
        latex=r"\left\lVert {0} \right\rVert",
        kinks="norm({0}) == 0",
        note="slope 0 at the origin; ord is 1, 2 or inf",
    ),
    Primitive(
        "cumulative_sum",
        1,
        _cumulative_sum,
        ("axis", "include_initial"),
        {"axis": None, "include_initial": False},
        Batching.AXIS,
        vjp=_cumulative_sum_vjp,
        linear=True,
        torch="torch.cumsum",
        analytic=True,
        aliases=("cumsum",),
    ),
    _reduction("any", np.any),
    _reduction("all", np.all),
    _reduction("argmax", _index_of(np.argmax)),
    _reduction("argmin", _index_of(np.argmin)),
    *PRODUCTS,
)
