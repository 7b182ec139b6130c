"""How does one evaluation carry a thousand points?

`Batch(base)` is a namespace over `Batched` values: arrays of the base namespace with one leading axis of points.
Formulas are written for one point; here ranks are aligned behind the batch axis and axes are counted from the end, so
the base namespace (and every rule that runs on it) sees ordinary arrays and negative axes only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcheck.errors import EvaluationError
from gradcheck.expr.batch_picking import pick, picked_by
from gradcheck.expr.primitive import Batching, Primitive
from gradcheck.expr.rules import single_axis
from gradcheck.expr.vocabulary import VOCABULARY


class Batched:
    """A value at every point: `data` has shape (B, *shape of one point)."""

    __slots__ = ("data",)
    batched = True

    def __init__(self, data: Any) -> None:
        self.data = data

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape at one point."""
        return tuple(self.data.shape[1:])

    @property
    def ndim(self) -> int:
        """The rank at one point."""
        return len(self.data.shape) - 1


class Batch:
    """The namespace that evaluates one-point functions at a whole batch."""

    def __init__(self, base: Any) -> None:
        self.base = base
        lift = getattr(base, "constant", None)
        if lift is not None:
            self.constant = lift

    def __getattr__(self, name: str) -> Callable[..., Any]:
        row = VOCABULARY.get(name)
        if row is None:
            raise AttributeError(name)
        if row.compose is not None:
            return partial(row.compose, self)
        carry, operation = _CARRY[row.batching], getattr(self.base, name)

        def function(*args: Any, **params: Any) -> Any:
            return carry(self.base, row, operation, args, params)

        self.__dict__[name] = function
        return function


def _rank(value: Any) -> int:
    return value.ndim if isinstance(value, Batched) else np.ndim(value)


def _data(value: Any) -> Any:
    return value.data if isinstance(value, Batched) else value


def _aligned(base: Any, value: Any, rank: int) -> Any:
    """The data of `value` with its point rank raised to `rank` by axes of size 1 behind the batch axis."""
    if not isinstance(value, Batched):
        return value
    shape = value.data.shape
    if len(shape) - 1 == rank:
        return value.data
    return base.reshape(value.data, shape=(shape[0], *(1,) * (rank + 1 - len(shape)), *shape[1:]))


def _any_batched(args: tuple[Any, ...]) -> bool:
    return any(isinstance(a, Batched) for a in args)


def _elementwise(base: Any, row: Primitive, operation: Callable[..., Any], args: Any, params: Any) -> Any:
    if not _any_batched(args):
        return operation(*args, **params)
    rank = max(map(_rank, args))
    return Batched(operation(*[_aligned(base, a, rank) for a in args], **params))


def _negative(axis: int, rank: int, name: str) -> int:
    if not -rank <= axis < rank:
        raise ValueError(f"{name}: axis {axis} is out of bounds for an array of {rank} dimensions")
    return axis if axis < 0 else axis - rank


def _axis(base: Any, row: Primitive, operation: Callable[..., Any], args: Any, params: Any) -> Any:
    rank = max(map(_rank, args))
    params = {**row.defaults, **params}
    axis = params["axis"]
    if axis is None:
        params["axis"] = tuple(range(-rank, 0))
    elif isinstance(axis, tuple):
        params["axis"] = tuple(_negative(a, rank, row.name) for a in axis)
    else:
        single = _negative(axis, rank, row.name)
        params["axis"] = (single,) if row.defaults.get("axis", 0) is None else single
    result = operation(*[_aligned(base, a, rank) for a in args], **params)
    return Batched(result) if _any_batched(args) else result


def _reshape(base: Any, row: Primitive, operation: Callable[..., Any], args: Any, params: Any) -> Any:
    shape = params["shape"]
    shape = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    if not _any_batched(args):
        return operation(*args, **{**params, "shape": shape})
    (value,) = args
    if row.name == "reshape":
        shape = _inferred(shape, value.shape)
        data = value.data
    else:
        data = _aligned(base, value, len(shape))
    return Batched(operation(data, **{**params, "shape": (value.data.shape[0], *shape)}))


def _inferred(shape: tuple[int, ...], old: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` with its -1 worked out; a reshape that would move numbers between points is refused."""
    size = int(np.prod(old))
    if -1 in shape:
        rest = int(np.prod([d for d in shape if d != -1])) or 1
        shape = tuple(size // rest if d == -1 else d for d in shape)
    if int(np.prod(shape)) != size:
        raise ValueError(f"cannot reshape an array of shape {old} into {shape}")
    return shape


def _index(base: Any, row: Primitive, operation: Callable[..., Any], args: Any, params: Any) -> Any:
    (value,) = args
    index = params["index"]
    index = index if isinstance(index, tuple) else (index,)
    own = tuple(isinstance(part, Batched) for part in index)
    if any(own) and row.name == "scatter":
        raise EvaluationError("scatter takes places that are written out; scatter_add takes places that inputs give")
    if any(own):
        points = next(part.data.shape[0] for part in index if isinstance(part, Batched))
        return Batched(picked_by(base, _spread(base, value, points), tuple(map(_data, index)), own))
    if not isinstance(value, Batched):
        return operation(value, index=index)
    return Batched(operation(value.data, index=(slice(None), *index)))


def _pick(base: Any, row: Primitive, operation: Callable[..., Any], args: Any, params: Any) -> Any:
    value, indices = args
    rank = _rank(value)
    axis = single_axis({**row.defaults, **params}["axis"], rank, row.name)
    if isinstance(indices, Batched):
        return Batched(pick(base, _data(value), rank, indices.data, axis))
    result = operation(_data(value), indices, axis=axis)
    return Batched(result) if isinstance(value, Batched) else result


def _axes(base: Any, row: Primitive, operation: Callable[..., Any], args: Any, params: Any) -> Any:
    (value,) = args
    rank = _rank(value)
    axes = params.get("axes")
    axes = tuple(range(rank - 1, -1, -1)) if axes is None else tuple(a % rank for a in axes)
    if not isinstance(value, Batched):
        return operation(value, axes=axes)
    return Batched(operation(value.data, axes=(0, *[a + 1 for a in axes])))


def _trailing(base: Any, row: Primitive, operation: Callable[..., Any], args: Any, params: Any) -> Any:
    if not _any_batched(args):
        return operation(*args, **params)
    if row.name in ("matmul", "solve", "solve_triangular"):
        return _matrix_product(base, row.name, partial(operation, **params), args)
    ranks = [_rank(a) for a in args]
    rank = max(ranks)
    if row.name == "outer":
        return Batched(operation(*map(_data, args), **params))
    return Batched(operation(*[_aligned(base, a, rank) for a in args], **params))


def _matrix_product(base: Any, name: str, operation: Callable[..., Any], args: Any) -> Any:
    """Products and systems take vectors too: each becomes a matrix with one row or column, and is taken back after."""
    left, right = args
    if _rank(left) == 0 or _rank(right) == 0:
        raise ValueError(f"{name} takes vectors and matrices, not scalars")
    row_vector, column_vector = name == "matmul" and _rank(left) == 1, _rank(right) == 1
    if row_vector:
        left = _with_axis(base, left, -2)
    if column_vector:
        right = _with_axis(base, right, -1)
    rank = max(_rank(left), _rank(right))
    result = operation(_aligned(base, left, rank), _aligned(base, right, rank))
    gone = [axis for axis, there in ((-2, row_vector), (-1, column_vector)) if there]
    for axis in gone if not (row_vector and column_vector) else [-1, -1]:
        result = base.squeeze(result, axis=axis)
    return Batched(result)


def _with_axis(base: Any, value: Any, axis: int) -> Any:
    data = base.expand_dims(_data(value), axis=axis)
    return Batched(data) if isinstance(value, Batched) else data


def _join(base: Any, row: Primitive, operation: Callable[..., Any], args: Any, params: Any) -> Any:
    arrays = list(args[0])
    rank = max(map(_rank, arrays)) + (row.name == "stack")
    axis = _negative({**row.defaults, **params}["axis"], rank, row.name)
    points = next((a.data.shape[0] for a in arrays if isinstance(a, Batched)), None)
    if points is None:
        return operation(arrays, axis=axis)
    return Batched(operation([_spread(base, a, points) for a in arrays], axis=axis))


def _spread(base: Any, value: Any, points: int) -> Any:
    """The data of `value`, a constant repeated for every point."""
    if isinstance(value, Batched):
        return value.data
    constant = value if hasattr(value, "shape") else np.asarray(value, dtype=float)
    return base.broadcast_to(constant, shape=(points, *constant.shape))


def _new_axis(base: Any, row: Primitive, operation: Callable[..., Any], args: Any, params: Any) -> Any:
    (value,) = args
    axis = _negative({**row.defaults, **params}["axis"], _rank(value) + 1, row.name)
    result = operation(_data(value), axis=axis)
    return Batched(result) if isinstance(value, Batched) else result


def _constant(base: Any, row: Primitive, operation: Callable[..., Any], args: Any, params: Any) -> Any:
    return operation(*args, **params)


_CARRY = {
    Batching.ELEMENTWISE: _elementwise,
    Batching.AXIS: _axis,
    Batching.SHAPE: _reshape,
    Batching.INDEX: _index,
    Batching.AXES: _axes,
    Batching.TRAILING: _trailing,
    Batching.JOIN: _join,
    Batching.NEW_AXIS: _new_axis,
    Batching.CONSTANT: _constant,
    Batching.PICK: _pick,
}
