"""What small things do many rules need?

Shapes, the way back from a reduced axis, and divisions that stay finite. Everything is written against a namespace
`xp`, so it works at every order and on every kind of number.
"""

from __future__ import annotations

from math import prod

import numpy as np

from gradcheck.expr.primitive import Namespace, Value

Shape = tuple[int, ...]
Axis = int | tuple[int, ...] | None


def shape_of(x: Value) -> Shape:
    """The shape of an array of any namespace, or of a plain number or nested list."""
    shape = getattr(x, "shape", None)
    return np.shape(x) if shape is None else tuple(shape)


def axes_of(shape: Shape, axis: Axis) -> Shape:
    """The axes meant by `axis` in an array of `shape`, as a tuple of negative numbers, in order."""
    rank = len(shape)
    if axis is None:
        return tuple(range(-rank, 0))
    axes = (axis,) if isinstance(axis, int | np.integer) else axis
    return tuple(sorted(int(a) if a < 0 else int(a) - rank for a in axes))


def one_axis(axis: Axis) -> int:
    """The only axis of `axis`, which may come as a number or as a tuple of one."""
    if isinstance(axis, tuple):
        if len(axis) != 1:
            raise ValueError(f"exactly one axis is needed here, got {axis}")
        return axis[0]
    return -1 if axis is None else axis


def kept_shape(shape: Shape, axis: Axis) -> Shape:
    """The shape that reducing `axis` with keepdims leaves of `shape`."""
    axes = axes_of(shape, axis)
    return tuple(1 if i - len(shape) in axes else size for i, size in enumerate(shape))


def reduced_size(shape: Shape, axis: Axis) -> int:
    """How many elements one result of reducing `axis` stands for."""
    return prod(shape[a] for a in axes_of(shape, axis))


def keep(xp: Namespace, reduced: Value, shape: Shape, axis: Axis) -> Value:
    """The result of a reduction of an array of `shape`, with its reduced axes back as ones."""
    wanted = kept_shape(shape, axis)
    return reduced if shape_of(reduced) == wanted else xp.reshape(reduced, shape=wanted)


def along(shape: Shape, axis: int, where: object) -> tuple[object, ...]:
    """The index that applies `where` to one axis (negative) and takes everything of the others."""
    return (Ellipsis, where, *(slice(None),) * (-axis - 1))


def indicator(xp: Namespace, condition: Value) -> Value:
    """One where the condition holds, zero elsewhere."""
    return xp.where(condition, 1.0, 0.0)


def nonzero(xp: Namespace, x: Value) -> Value:
    """`x` with its zeros replaced by ones: a denominator for a quotient whose numerator is zero there."""
    return xp.where(xp.equal(x, 0.0), 1.0, x)
