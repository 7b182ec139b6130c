"""Which functions lay arrays out anew: tiles, grids, borders, differences of neighbours?

All of them are said in rows that move numbers, so none has a rule. A function with several results gives a tuple;
formulas pick from it by number: `unstack(x)[0]`. Where NumPy knows more ways (of padding, say), the ways that move
numbers are here.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Primitive, Value
from gradcheck.expr.rules import Shape, along, like, shape_of, single_axis

PADDING = ("constant", "reflect", "symmetric", "edge", "wrap")


def listed(arrays: tuple[Any, ...]) -> list[Value]:
    """The arrays, given one by one or as one list."""
    return list(arrays[0]) if len(arrays) == 1 and isinstance(arrays[0], list | tuple) else list(arrays)


def _tile(xp: Namespace, x: Value, repetitions: Any) -> Value:
    times = tuple(repetitions) if isinstance(repetitions, tuple | list) else (repetitions,)
    shape = shape_of(x)
    rank = max(len(times), len(shape))
    times, shape = (1,) * (rank - len(times)) + times, (1,) * (rank - len(shape)) + shape
    pairs = list(zip(times, shape, strict=True))
    apart = xp.reshape(x, shape=tuple(n for _, size in pairs for n in (1, size)))
    copies = xp.broadcast_to(apart, shape=tuple(n for pair in pairs for n in pair))
    return xp.reshape(copies, shape=tuple(count * size for count, size in pairs))


def _unstack(xp: Namespace, x: Value, axis: int = 0) -> tuple[Value, ...]:
    shape = shape_of(x)
    axis = single_axis(axis, len(shape), "unstack")
    return tuple(xp.getitem(x, index=along(shape, axis, i)) for i in range(shape[axis]))


def _axes(given: Any, rank: int) -> list[int]:
    axes = given if isinstance(given, tuple | list) else (given,)
    return [single_axis(int(a), rank, "axes") + rank for a in axes]


def _moveaxis(xp: Namespace, x: Value, source: Any, destination: Any) -> Value:
    rank = len(shape_of(x))
    start, end = _axes(source, rank), _axes(destination, rank)
    if len(start) != len(end) or len(set(start)) < len(start) or len(set(end)) < len(end):
        raise ValueError(f"moveaxis: the axes {source} cannot become {destination}")
    order = [a for a in range(rank) if a not in start]
    for place, axis in sorted(zip(end, start, strict=True)):
        order.insert(place, axis)
    return xp.permute_dims(x, axes=tuple(order))


def _swapaxes(xp: Namespace, x: Value, axis1: int, axis2: int) -> Value:
    rank = len(shape_of(x))
    order = list(range(rank))
    (first, second) = _axes((axis1, axis2), rank)
    order[first], order[second] = second, first
    return xp.permute_dims(x, axes=tuple(order))


def _rot90(xp: Namespace, x: Value, k: int = 1, axes: Any = (0, 1)) -> Value:
    """Quarter turns from the first of the axes towards the second."""
    first, second = _axes(axes, len(shape_of(x)))
    if first == second:
        raise ValueError(f"rot90: a plane has two axes, got {axes}")
    turns = k % 4
    if turns == 2:
        return xp.flip(x, axis=(first, second))
    if turns == 1:
        return _swapaxes(xp, xp.flip(x, axis=second), first, second)
    return xp.flip(_swapaxes(xp, x, first, second), axis=second) if turns == 3 else x


def _hstack(xp: Namespace, *arrays: Any) -> Value:
    parts = [xp.reshape(a, shape=(1,)) if shape_of(a) == () else a for a in listed(arrays)]
    return xp.concat(parts, axis=0 if len(shape_of(parts[0])) == 1 else 1)


def _vstack(xp: Namespace, *arrays: Any) -> Value:
    parts = [xp.reshape(a, shape=(1, prod(shape_of(a)))) if len(shape_of(a)) < 2 else a for a in listed(arrays)]
    return xp.concat(parts, axis=0)


def _meshgrid(xp: Namespace, *arrays: Any, indexing: str = "xy") -> tuple[Value, ...]:
    parts = listed(arrays)
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing is xy or ij, got {indexing!r}")
    if any(len(shape_of(a)) > 1 for a in parts):
        raise ValueError("meshgrid takes vectors")
    order = list(range(len(parts)))
    if indexing == "xy":
        order[:2] = order[:2][::-1]
    sizes = [prod(shape_of(parts[k])) for k in order]
    grids = []
    for k, part in enumerate(parts):
        line = [1] * len(parts)
        line[order.index(k)] = prod(shape_of(part))
        grids.append(xp.broadcast_to(xp.reshape(part, shape=tuple(line)), shape=tuple(sizes)))
    return tuple(grids)


def _broadcast_arrays(xp: Namespace, *arrays: Any) -> tuple[Value, ...]:
    parts = listed(arrays)
    shape = np.broadcast_shapes(*map(shape_of, parts))
    return tuple(xp.broadcast_to(part, shape=shape) for part in parts)


def _pad(xp: Namespace, x: Value, pad_width: Any, mode: str = "constant", constant_values: Any = 0.0) -> Value:
    if mode not in PADDING:
        raise ValueError(f"pad: mode is one of {', '.join(PADDING)}, got {mode!r}")
    widths = np.broadcast_to(np.asarray(pad_width), (len(shape_of(x)), 2))
    for at, (before, after) in enumerate(widths.tolist()):
        shape = shape_of(x)
        if before < 0 or after < 0:
            raise ValueError(f"pad: a border cannot be {min(before, after)} wide")
        if mode == "constant":
            borders = [(*shape[:at], n, *shape[at + 1 :]) for n in (before, after)]
            first, last = (xp.broadcast_to(like(constant_values, x), shape=border) for border in borders)
            x = xp.concat([first, x, last], axis=at) if before or after else x
        elif before or after:
            x = xp.take(x, np.pad(np.arange(shape[at]), (before, after), mode=mode), axis=at)  # type: ignore[call-overload]
    return x


def _end(xp: Namespace, given: Value, shape: Shape, axis: int) -> Value:
    """What stands before or behind an array: as it is, or one number for all."""
    if shape_of(given) != ():
        return given
    return xp.broadcast_to(given, shape=tuple(1 if a - len(shape) == axis else n for a, n in enumerate(shape)))


def _diff(xp: Namespace, x: Value, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Value:
    shape = shape_of(x)
    axis = single_axis(axis, len(shape), "diff")
    if n < 0:
        raise ValueError(f"diff: differences are taken 0 times or more, got {n}")
    ends = [None if end is None else _end(xp, like(end, x), shape, axis) for end in (prepend, append)]
    parts = [part for part in (ends[0], x, ends[1]) if part is not None]
    x = xp.concat(parts, axis=axis) if len(parts) > 1 else x
    for _ in range(n):
        later = xp.getitem(x, index=along(shape, axis, slice(1, None)))
        x = xp.subtract(later, xp.getitem(x, index=along(shape, axis, slice(None, -1))))
    return x


def _trapezoid(xp: Namespace, y: Value, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Value:
    shape = shape_of(y)
    axis = single_axis(axis, len(shape), "trapezoid")
    if x is not None:
        if len(shape_of(x)) == 1 and axis != -1:
            x = xp.reshape(x, shape=(*shape_of(x), *(1,) * (-axis - 1)))
        dx = _diff(xp, x, axis=axis if len(shape_of(x)) == len(shape) else 0)
    left = xp.getitem(y, index=along(shape, axis, slice(None, -1)))
    both = xp.add(left, xp.getitem(y, index=along(shape, axis, slice(1, None))))
    return xp.multiply(0.5, xp.sum(xp.multiply(dx, both), axis=axis))


def _full(xp: Namespace, shape: Any, fill_value: Any) -> Value:
    return xp.broadcast_to(fill_value, shape=tuple(shape) if isinstance(shape, tuple | list) else (shape,))


def _full_like(xp: Namespace, x: Value, fill_value: Any) -> Value:
    return xp.broadcast_to(like(fill_value, x), shape=shape_of(x))


def _linspace(xp: Namespace, start: Any, stop: Any, num: int, endpoint: bool = True) -> Value:
    if isinstance(start, int | float) and isinstance(stop, int | float):
        return np.linspace(start, stop, num, endpoint=endpoint)
    part = np.linspace(0.0, 1.0, num, endpoint=endpoint)
    return xp.add(xp.multiply(start, 1.0 - part), xp.multiply(stop, part))


def _tri(n_rows: int, n_cols: int | None = None, k: int = 0) -> Any:
    return np.tri(n_rows, n_cols, k)


def _empty(shape: Shape) -> Any:
    return np.zeros(shape)  # what is in an empty array nobody may rely on; zeros make every run the same


def _several(name: str, formula: Any, **more: Any) -> Primitive:
    return composition(name, None, formula, batching=Batching.JOIN, analytic=True, **more)


def _laid(name: str, formula: Any, *params: str, **defaults: Any) -> Primitive:
    return composition(name, 1, formula, params=params, defaults=defaults, batching=Batching.AXIS, analytic=True)


ASSEMBLY: tuple[Primitive, ...] = (
    _laid("tile", _tile, "repetitions"),
    _laid("unstack", _unstack, "axis", axis=0),
    _laid("moveaxis", _moveaxis, "source", "destination"),
    _laid("swapaxes", _swapaxes, "axis1", "axis2"),
    _laid("rot90", _rot90, "k", "axes", k=1, axes=(0, 1)),
    _several("hstack", _hstack),
    _several("vstack", _vstack),
    _several("meshgrid", _meshgrid, params=("indexing",), defaults={"indexing": "xy"}),
    _several("broadcast_arrays", _broadcast_arrays),
    _laid("pad", _pad, "pad_width", "mode", "constant_values", mode="constant", constant_values=0.0),
    _laid("diff", _diff, "axis", "n", "prepend", "append", axis=-1, n=1, prepend=None, append=None),
    _laid("trapezoid", _trapezoid, "x", "dx", "axis", x=None, dx=1.0, axis=-1),
    composition("full", 0, _full, params=("shape", "fill_value"), batching=Batching.CONSTANT, analytic=True),
    composition(
        "linspace",
        0,
        _linspace,
        params=("start", "stop", "num", "endpoint"),
        defaults={"endpoint": True},
        batching=Batching.CONSTANT,
        analytic=True,
    ),
    composition(
        "full_like",
        1,
        _full_like,
        params=("fill_value",),
        batching=Batching.AXIS,
        slopes=(None,),
    ),
    Primitive("zeros_like", 1, np.zeros_like, slopes=(None,)),
    Primitive("ones_like", 1, np.ones_like, slopes=(None,)),
    Primitive("empty_like", 1, np.zeros_like, slopes=(None,), note="zeros"),
    Primitive("empty", 0, _empty, ("shape",), {}, Batching.CONSTANT, note="zeros"),
    Primitive("tri", 0, _tri, ("n_rows", "n_cols", "k"), {"n_cols": None, "k": 0}, Batching.CONSTANT),
)
