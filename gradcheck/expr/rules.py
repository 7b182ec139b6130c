"""What small things do many rules need?

Shapes, the way back from a reduced axis, and divisions that stay finite. Everything is written against a namespace
`xp`, so it works at every order and on every kind of number.
"""

from __future__ import annotations

from math import prod
from typing import Any

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


def numbers(value: Value) -> np.ndarray[Any, Any]:
    """The plain array inside a value of any depth of namespaces: for what no derivative passes through, an index."""
    while hasattr(value, "data") and not hasattr(value, "__array__"):
        value = value.data
    return np.asarray(value)


def is_complex(x: Value) -> bool:
    """Whether a number, or an array of any namespace, is complex; of numbers of another make, the first one tells."""
    if not hasattr(x, "dtype"):
        return isinstance(x, complex) or hasattr(x, "arg")
    kind = x.dtype.kind
    return bool(kind == "c" or (kind == "O" and any(hasattr(first, "arg") for first in numbers(x).flat[:1])))


def like(number: Value, x: Value) -> Value:
    """A plain number, or plain whole numbers, in the precision of the array x, which they must not make double."""
    while not hasattr(x, "__array__") and hasattr(x, "data"):  # PyTorch's tensors have both, `data` not under vmap
        x = x.data
    dtype = getattr(x, "dtype", None)
    if not isinstance(dtype, np.dtype) or dtype.kind not in "fc":
        return number
    plain = isinstance(number, int | float) or (isinstance(number, np.ndarray) and number.dtype.kind in "iu")
    return np.asarray(number, dtype) if plain else number


def whole(indices: Value) -> np.ndarray[Any, Any]:
    """Indices as integers; whole numbers of a float array count (inputs of a spec are floats), others are refused."""
    found = numbers(indices)
    if found.dtype.kind in "iu":
        return found
    if found.dtype.kind == "f" and np.array_equal(found, np.trunc(found)):
        return found.astype(np.intp)
    raise IndexError(f"an index is a whole number, got {found.dtype} {np.array2string(found, threshold=4)}")


def single_axis(axis: Axis, rank: int, name: str) -> int:
    """The one axis meant, as a negative number; None stands for the only axis of a vector."""
    if axis is None and rank != 1:
        raise ValueError(f"{name}: an array of {rank} dimensions needs an axis")
    found = one_axis(axis)
    if not -rank <= found < rank:
        raise ValueError(f"{name}: axis {found} is out of bounds for an array of {rank} dimensions")
    return int(found) if found < 0 else int(found) - rank


def whole_index(index: Any) -> Any:
    """An index whose computed parts are integer arrays: `x[argsort(x)]`; masks stay as they are."""
    if isinstance(index, tuple):
        return tuple(map(whole_index, index))
    if index is None or index is Ellipsis or isinstance(index, slice | int | list | np.integer):
        return index
    found = numbers(index)
    return found if found.dtype.kind == "b" else whole(found)
