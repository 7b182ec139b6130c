"""What are the rules of moving, picking and making elements?

All of these maps are linear: each is its own forward rule, and its adjoint puts the elements back. `scatter` is the
adjoint of `getitem` (and of `take`): it adds the elements at an index into zeros, so repeated indices add up.
"""

from __future__ import annotations

from itertools import accumulate
from math import prod
from typing import Any

import numpy as np

from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rules import Axis, Shape, along, one_axis, shape_of, whole_index

SMALL = 4096  # elements
Rule = tuple[Value | None, ...]


def _reshape_back(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return (xp.reshape(ct, shape=shape_of(args[0])),)


def _reshape(x: Any, shape: Shape) -> Any:
    return np.reshape(x, shape)


def _squeeze(x: Any, axis: Axis = None) -> Any:
    return np.squeeze(x, axis=axis)


def _broadcast_to(x: Any, shape: Shape) -> Any:
    if np.ndim(x) > len(shape) or prod(shape) > SMALL:
        return np.broadcast_to(x, shape)
    out = np.empty(shape, getattr(x, "dtype", None))  # an array of its own, made faster than NumPy makes a small view
    out[...] = x
    return out


def _pass_back(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return (ct,)  # the engine sums over what was broadcast


def _flip_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return (xp.flip(ct, axis=params["axis"]),)


def _permute_dims(x: Any, axes: Shape | None = None) -> Any:
    return np.transpose(x, axes)


def _permute_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    axes, rank = params["axes"], len(shape_of(args[0]))
    forward = [a % rank for a in (range(rank)[::-1] if axes is None else axes)]
    return (xp.permute_dims(ct, axes=tuple(int(i) for i in np.argsort(forward))),)


def _concat(arrays: Any, axis: int = 0) -> Any:
    return np.concatenate(arrays, axis=one_axis(axis))


def _concat_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    axis, shape = one_axis(params["axis"]), shape_of(ct)
    ends = list(accumulate(shape_of(x)[axis] for x in args))
    starts = [0, *ends[:-1]]
    return tuple(xp.getitem(ct, index=along(shape, axis, slice(a, b))) for a, b in zip(starts, ends, strict=True))


def _stack(arrays: Any, axis: int = 0) -> Any:
    return np.stack(arrays, axis=one_axis(axis))


def _stack_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    axis, shape = one_axis(params["axis"]), shape_of(ct)
    return tuple(xp.getitem(ct, index=along(shape, axis, i)) for i in range(len(args)))


def _getitem(x: Any, index: Any) -> Any:
    return np.asarray(x)[index if picks_once(index) else whole_index(index)]


def _getitem_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return (xp.scatter(ct, index=params["index"], shape=shape_of(args[0])),)


def picks_once(index: Any) -> bool:
    """Whether an index names no element twice: numbers, slices, None and Ellipsis only."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or isinstance(part, slice | int | np.integer) for part in parts)


def _scatter(x: Any, index: Any, shape: Shape) -> Any:
    out = np.zeros(shape, dtype=x.dtype if isinstance(x, np.ndarray) else np.result_type(x))
    if picks_once(index):
        out[index] = x
    else:
        np.add.at(out, whole_index(index), x)
    return out


def _scatter_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return (xp.getitem(ct, index=params["index"]),)


def _eye(n_rows: int, n_cols: int | None = None) -> Any:
    return np.eye(n_rows, n_cols)


def _arange(start: float, stop: float | None = None, step: float = 1) -> Any:
    return np.arange(start, stop, step) if stop is not None else np.arange(0, start, step)


def _zeros(shape: Shape) -> Any:
    return np.zeros(shape)


def _ones(shape: Shape) -> Any:
    return np.ones(shape)


def _linear(name: str, numpy: Any, params: tuple[str, ...], batching: Batching, vjp: Any, **more: Any) -> Primitive:
    return Primitive(name, 1, numpy, params, batching=batching, vjp=vjp, linear=True, analytic=True, **more)


def _constant(name: str, numpy: Any, *params: str, **defaults: Any) -> Primitive:
    return Primitive(name, 0, numpy, params, defaults, Batching.CONSTANT)


AXIS = {"axis": None}

SHAPES: tuple[Primitive, ...] = (
    _linear("reshape", _reshape, ("shape",), Batching.SHAPE, _reshape_back),
    _linear("broadcast_to", _broadcast_to, ("shape",), Batching.SHAPE, _pass_back),
    _linear("expand_dims", np.expand_dims, ("axis",), Batching.NEW_AXIS, _reshape_back),
    _linear("squeeze", _squeeze, ("axis",), Batching.AXIS, _reshape_back, defaults=AXIS),
    _linear("flip", np.flip, ("axis",), Batching.AXIS, _flip_vjp, defaults=AXIS),
    _linear(
        "permute_dims",
        _permute_dims,
        ("axes",),
        Batching.AXES,
        _permute_vjp,
        defaults={"axes": None},
        torch="torch.permute",
        latex=r"{0}^{{\top}}",
        aliases=("transpose",),
        note="reverses the axes by default",
    ),
    _linear("getitem", _getitem, ("index",), Batching.INDEX, _getitem_vjp),
    _linear("scatter", _scatter, ("index", "shape"), Batching.INDEX, _scatter_vjp, note="repeated indices add up"),
    Primitive(
        "concat",
        None,
        _concat,
        ("axis",),
        {"axis": 0},
        Batching.JOIN,
        vjp=_concat_vjp,
        linear=True,
        analytic=True,
        aliases=("concatenate",),
    ),
    Primitive("stack", None, _stack, ("axis",), {"axis": 0}, Batching.JOIN, vjp=_stack_vjp, linear=True, analytic=True),
    _constant("zeros", _zeros, "shape"),
    _constant("ones", _ones, "shape"),
    _constant("eye", _eye, "n_rows", "n_cols", n_cols=None),
    _constant("arange", _arange, "start", "stop", "step", stop=None, step=1),
)
