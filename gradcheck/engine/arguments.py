"""What was a primitive called with?

Splits a call into its arrays and its complete parameters, with axes counted from the end, which is how rules of the
vocabulary want them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.expr.primitive import Batching, Primitive
from gradcheck.expr.rules import shape_of

REMEMBERED = 200
Binder = Callable[[tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]]


def binder(row: Primitive) -> Binder:
    """`bind` for one row, remembering what calls with one array come to."""
    known: dict[Any, dict[str, Any]] = {}  # by rank and parameters, which nobody changes
    wanted = set(row.params)
    as_they_are = not wanted & {"axis", "axes"}  # parameters that need no look at the array

    def bound(args: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if row.arity != 1 or len(args) != 1:
            return bind(row, args, named)
        if as_they_are and named.keys() == wanted:
            return args, named
        rank = len(args[0].shape) if hasattr(args[0], "shape") else np.ndim(args[0])
        try:
            key = (rank, *named.items()) if named else rank
            params = known.get(key)
        except TypeError:  # a list among them
            return bind(row, args, named)
        if params is None:
            params = bind(row, args, named)[1]
            if len(known) < REMEMBERED:
                known[key] = params
        return args, params

    return bound


def bind(row: Primitive, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The array arguments and the parameters of `row(*args, **named)`, defaults filled in."""
    if row.arity is None:
        arrays, rest = tuple(args[0]), args[1:]
    else:
        arrays, rest = args[: row.arity], args[row.arity :]
        if len(arrays) < row.arity:
            raise TypeError(f"{row.name} takes {row.arity} arrays, got {len(arrays)}")
    params = {**row.defaults, **dict(zip(row.params, rest, strict=False)), **named}
    if params.keys() != set(row.params) or len(rest) > len(row.params):
        raise TypeError(f"{row.name} takes the parameters {', '.join(row.params) or '(none)'}, got {', '.join(params)}")
    if "axis" in params:
        params["axis"] = _from_end(params["axis"], _rank(row, arrays), row.name)
    elif row.batching is Batching.AXES and params["axes"] is None:
        params["axes"] = tuple(range(_rank(row, arrays)))[::-1]
    return arrays, params


def _rank(row: Primitive, arrays: tuple[Any, ...]) -> int:
    """The rank that `axis` counts in: the result's where the row makes a new axis, else the arrays'."""
    rank = len(shape_of(arrays[0])) if arrays else 0
    return rank + (row.batching is Batching.NEW_AXIS or row.name == "stack")


def _from_end(axis: Any, rank: int, name: str) -> Any:
    """`axis` as a negative number or a tuple of them; None is every axis."""
    if axis is None:
        return tuple(range(-rank, 0))
    if isinstance(axis, tuple | list):
        return tuple(_from_end(a, rank, name) for a in axis)
    if not isinstance(axis, int | np.integer) or not -rank <= axis < rank:
        raise ValueError(f"{name}: axis {axis} is out of bounds for an array of {rank} dimensions")
    return int(axis) if axis < 0 else int(axis) - rank
