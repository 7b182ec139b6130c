"""What are the rules of sorting, and of what is read off a sorted array?

A sort moves numbers to where their order says: its derivative moves along, and its adjoint puts the cotangents back.
The order itself (`argsort`, `searchsorted`) is whole numbers, through which no derivative passes. Where elements are
equal their order is the one they came in, so that each of them keeps its own cotangent; there a sort has a kink.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rules import Axis, Shape, along, axes_of, kept_shape, reduced_size, shape_of, single_axis

ORDER = {"axis": -1, "descending": False, "stable": True}
TIE = "a tie between elements that are told apart"


def _argsort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    x = np.asarray(x)
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    backwards = np.argsort(np.flip(x, axis=axis), axis=axis, kind="stable")  # so that equal elements keep their order
    return x.shape[axis] - 1 - np.flip(backwards, axis=axis)


def _sort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    ordered = np.sort(x, axis=axis)
    return np.flip(ordered, axis=axis) if descending else ordered


def _sort_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> tuple[Value]:
    axis = params["axis"]
    order = xp.argsort(args[0], axis=axis, descending=params["descending"])
    return (xp.scatter_along_axis(ct, order, size=shape_of(ct)[axis], axis=axis),)


def _sort_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    axis = params["axis"]
    order = xp.argsort(args[0], axis=axis, descending=params["descending"])
    return xp.take_along_axis(tangents[0], order, axis=axis)


def _first(xp: Namespace, ordered: Value, k: int, axis: int) -> Value:
    shape = shape_of(ordered)
    axis = single_axis(axis, len(shape), "top_k")
    if not 0 <= k <= shape[axis]:
        raise ValueError(f"top_k: there are {shape[axis]} elements along the axis, {k} are wanted")
    return xp.getitem(ordered, index=along(shape, axis, slice(0, k)))


def _top_k(xp: Namespace, x: Value, k: int, axis: int = -1) -> Value:
    return _first(xp, xp.sort(x, axis=axis, descending=True), k, axis)


def _top_k_indices(xp: Namespace, x: Value, k: int, axis: int = -1) -> Value:
    return _first(xp, xp.argsort(x, axis=axis, descending=True), k, axis)


def _in_one_row(xp: Namespace, x: Value, axis: Axis) -> Value:
    """x with the axes of `axis` laid in a row, as its last axis."""
    shape = shape_of(x)
    inner = [a + len(shape) for a in axes_of(shape, axis)]
    outer = [a for a in range(len(shape)) if a not in inner]
    turned = x if inner == list(range(len(outer), len(shape))) else xp.permute_dims(x, axes=(*outer, *inner))
    row: Shape = (*(shape[a] for a in outer), reduced_size(shape, axis))
    return turned if shape_of(turned) == row else xp.reshape(turned, shape=row)


def _quantile(xp: Namespace, x: Value, q: Any, axis: Axis = None, keepdims: bool = False) -> Value:
    if isinstance(q, tuple | list):
        return xp.stack([_quantile(xp, x, part, axis, keepdims) for part in q], axis=0)
    if type(q) not in (int, float) or not 0 <= q <= 1:  # an element of an array would be a number without a slope
        raise ValueError(f"quantile: a number between 0 and 1 says which one, got {q!r}")
    shape = shape_of(x)
    count = reduced_size(shape, axis)
    if count == 0:
        raise ValueError("quantile: there are no elements to choose from")
    ordered = xp.sort(_in_one_row(xp, x, axis), axis=-1)
    place = Fraction(repr(float(q))) * (count - 1)  # 0.9 is nine tenths, of whose multiples none rounds past its place
    below = floor(place)
    past = float(place - below)
    value = xp.getitem(ordered, index=(Ellipsis, below))
    if past:
        above = xp.getitem(ordered, index=(Ellipsis, below + 1))
        value = xp.add(xp.multiply(1.0 - past, value), xp.multiply(past, above))
    return xp.reshape(value, shape=kept_shape(shape, axis)) if keepdims else value


def _median(xp: Namespace, x: Value, axis: Axis = None, keepdims: bool = False) -> Value:
    return _quantile(xp, x, 0.5, axis, keepdims)


def _searchsorted(xp: Namespace, x1: Value, x2: Value, side: str = "left", sorter: Any = None) -> Value:
    """How many elements of x1 come before each of x2: every pair is compared, so that x1 may differ by point."""
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side is left or right, got {side!r}")
    if sorter is not None:
        x1 = xp.take(x1, sorter, axis=0)
    wanted = xp.expand_dims(x2, axis=len(shape_of(x2)))
    before = xp.less(x1, wanted) if side == "left" else xp.less_equal(x1, wanted)
    return xp.count_nonzero(before, axis=-1)


def _said(name: str, arity: int, formula: Any, *params: str, **more: Any) -> Primitive:
    return composition(name, arity, formula, params=params, batching=Batching.AXIS, **more)


SORTING: tuple[Primitive, ...] = (
    Primitive("argsort", 1, _argsort, ("axis", "descending", "stable"), ORDER, Batching.AXIS),
    Primitive(
        "sort",
        1,
        _sort,
        ("axis", "descending", "stable"),
        ORDER,
        Batching.AXIS,
        vjp=_sort_vjp,
        jvp=_sort_jvp,
        kinks=TIE,
        note="equal elements keep the order they came in",
    ),
    _said(
        "top_k",
        1,
        _top_k,
        "k",
        "axis",
        defaults={"axis": -1},
        kinks=TIE,
        aliases=("topk",),
        note="the k largest, the largest first",
    ),
    _said("top_k_indices", 1, _top_k_indices, "k", "axis", defaults={"axis": -1}, slopes=(None,)),
    _said(
        "quantile",
        1,
        _quantile,
        "q",
        "axis",
        "keepdims",
        defaults={"axis": None, "keepdims": False},
        kinks=TIE,
        note="linear between the two elements beside it; q is one number or several, which come first in the result",
    ),
    _said(
        "median",
        1,
        _median,
        "axis",
        "keepdims",
        defaults={"axis": None, "keepdims": False},
        kinks=TIE,
    ),
    _said(
        "searchsorted",
        2,
        _searchsorted,
        "side",
        "sorter",
        defaults={"side": "left", "sorter": None},
        slopes=(None, None),
        note="x1 is one sorted vector",
    ),
)
