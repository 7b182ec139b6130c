"""What are the rules of picking elements by number, and of adding elements up where numbers say?

The numbers are data: they may be computed (`argsort`), differ from point to point, be negative or come several times.
No derivative passes through them. `scatter_along_axis` is the adjoint of `take_along_axis`; numbers that come several
times add up.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rules import Axis, along, numbers, one_axis, shape_of, single_axis, whole

Rule = tuple[Value | None, ...]


def _take(x: Any, indices: Any, axis: Axis = None) -> Any:
    x = np.asarray(x)
    return np.take(x, whole(indices), axis=single_axis(axis, x.ndim, "take"))


def _take_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    shape = shape_of(args[0])
    where = whole(numbers(args[1]))
    return xp.scatter(ct, index=along(shape, one_axis(params["axis"]), where), shape=shape), None


def _take_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value | None:
    return None if tangents[0] is None else xp.take(tangents[0], args[1], axis=one_axis(params["axis"]))


def _side_by_side(x: Any, indices: Any, axis: int) -> tuple[Any, Any]:
    """Both with as many axes, and as long on all axes but `axis`, of which the arrays may make copies."""
    rank = max(np.ndim(x), np.ndim(indices))
    x, indices = (np.reshape(a, (1,) * (rank - np.ndim(a)) + np.shape(a)) for a in (x, indices))
    axis = single_axis(axis, rank, "an index along an axis") + rank
    rest = [(*np.shape(a)[:axis], 1, *np.shape(a)[axis + 1 :]) for a in (x, indices)]
    common = np.broadcast_shapes(*rest)
    whole_shapes = [(*common[:axis], np.shape(a)[axis], *common[axis + 1 :]) for a in (x, indices)]
    return np.broadcast_to(x, whole_shapes[0]), np.broadcast_to(indices, whole_shapes[1])


def _take_along_axis(x: Any, indices: Any, axis: int = -1) -> Any:
    x, indices = _side_by_side(np.asarray(x), whole(indices), axis)
    return np.take_along_axis(x, indices, axis=axis)


def _scatter_along_axis(values: Any, indices: Any, size: int, axis: int = -1) -> Any:
    values, indices = _side_by_side(np.asarray(values), whole(indices), axis)
    if values.shape != indices.shape:
        raise ValueError(f"{values.shape[axis]} values cannot be added at {indices.shape[axis]} places of an axis")
    axis = axis % values.ndim
    out = np.zeros((*values.shape[:axis], size, *values.shape[axis + 1 :]), dtype=values.dtype)
    places: list[Any] = list(np.ogrid[tuple(slice(n) for n in values.shape)])
    places[axis] = indices
    np.add.at(out, tuple(places), values)
    return out


def _take_along_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    axis = params["axis"]
    return xp.scatter_along_axis(ct, args[1], size=shape_of(args[0])[axis], axis=axis), None


def _take_along_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value | None:
    return None if tangents[0] is None else xp.take_along_axis(tangents[0], args[1], axis=params["axis"])


def _scatter_along_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return xp.take_along_axis(ct, args[1], axis=params["axis"]), None


def _scatter_along_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value | None:
    if tangents[0] is None:
        return None
    return xp.scatter_along_axis(tangents[0], args[1], size=params["size"], axis=params["axis"])


def _scatter_add(xp: Namespace, x: Value, indices: Value, values: Value, axis: int = -1) -> Value:
    shape = shape_of(x)
    axis = single_axis(axis, len(shape), "scatter_add")
    return xp.add(x, xp.scatter_along_axis(values, indices, size=shape[axis], axis=axis))


def _index_add(xp: Namespace, x: Value, indices: Value, values: Value, axis: int = 0) -> Value:
    shape = shape_of(x)
    axis = single_axis(axis, len(shape), "index_add")
    if len(shape_of(indices)) != 1:
        raise ValueError(f"index_add: the numbers are one vector, got the shape {shape_of(indices)}")
    if axis != -1:
        indices = xp.reshape(indices, shape=(*shape_of(indices), *(1,) * (-axis - 1)))
    return xp.add(x, xp.scatter_along_axis(values, indices, size=shape[axis], axis=axis))


def _repeat(xp: Namespace, x: Value, repeats: Any, axis: Axis = None) -> Value:
    if axis is None:
        x, axis = xp.reshape(x, shape=(prod(shape_of(x)),)), -1
    shape = shape_of(x)
    at = single_axis(axis, len(shape), "repeat") + len(shape)
    counts = whole(repeats)
    if np.any(counts < 0):
        raise ValueError("repeat: no element can be written a negative number of times")
    if counts.ndim:
        return xp.take(x, np.repeat(np.arange(shape[at]), counts), axis=at)
    count = int(counts)
    side_by_side = xp.broadcast_to(xp.expand_dims(x, axis=at + 1), shape=(*shape[: at + 1], count, *shape[at + 1 :]))
    return xp.reshape(side_by_side, shape=(*shape[:at], shape[at] * count, *shape[at + 1 :]))


def _roll(xp: Namespace, x: Value, shift: Any, axis: Axis = None) -> Value:
    shape = shape_of(x)
    if axis is None:
        return xp.reshape(_roll(xp, xp.reshape(x, shape=(prod(shape),)), shift, -1), shape=shape)
    for by, one in np.broadcast(whole(shift), np.asarray(axis)):
        at = single_axis(int(one), len(shape), "roll")
        back = int(by) % max(shape[at], 1)
        if back:
            cut = shape[at] - back
            parts = [xp.getitem(x, index=along(shape, at, s)) for s in (slice(cut, None), slice(None, cut))]
            x = xp.concat(parts, axis=at)
    return x


def _said(name: str, arity: int, formula: Any, *params: str, **more: Any) -> Primitive:
    return composition(name, arity, formula, params=params, batching=Batching.AXIS, **more)


INDEXING: tuple[Primitive, ...] = (
    Primitive(
        "take",
        2,
        _take,
        ("axis",),
        {"axis": None},
        Batching.PICK,
        vjp=_take_vjp,
        jvp=_take_jvp,
        analytic=True,
        note="axis may be left out for a vector",
    ),
    Primitive(
        "take_along_axis",
        2,
        _take_along_axis,
        ("axis",),
        {"axis": -1},
        Batching.AXIS,
        vjp=_take_along_vjp,
        jvp=_take_along_jvp,
        analytic=True,
        aliases=("gather", "take_along_dim"),
    ),
    Primitive(
        "scatter_along_axis",
        2,
        _scatter_along_axis,
        ("size", "axis"),
        {"axis": -1},
        Batching.AXIS,
        vjp=_scatter_along_vjp,
        jvp=_scatter_along_jvp,
        analytic=True,
        note="zeros, `size` of them along the axis, with the values added where the indices say",
    ),
    _said("scatter_add", 3, _scatter_add, "axis", defaults={"axis": -1}, analytic=True),
    _said("index_add", 3, _index_add, "axis", defaults={"axis": 0}, analytic=True),
    _said(
        "repeat",
        1,
        _repeat,
        "repeats",
        "axis",
        defaults={"axis": None},
        analytic=True,
        note="one count for all elements, or a count for each",
    ),
    _said("roll", 1, _roll, "shift", "axis", defaults={"axis": None}, analytic=True),
)
