"""Which functions of the standard move, repeat, join and pick elements?

Those that the vocabulary has no row for are said here in rows that it has, so that derivatives pass through them too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.engine.array_api.dispatch import inside, run
from gradcheck.expr.vocabulary import VOCABULARY

__all__ = [
    "broadcast_arrays",
    "broadcast_to",
    "concat",
    "expand_dims",
    "flip",
    "moveaxis",
    "permute_dims",
    "repeat",
    "reshape",
    "roll",
    "squeeze",
    "stack",
    "take",
    "take_along_axis",
    "tile",
    "unstack",
]


def broadcast_arrays(*arrays: Any) -> list[Any]:
    """All arrays in the shape that they broadcast to together."""
    shape = np.broadcast_shapes(*(x.shape for x in arrays))
    return [broadcast_to(x, shape) for x in arrays]


def broadcast_to(x: Any, /, shape: Any) -> Any:
    """x repeated to `shape`."""
    return run("broadcast_to", (x,), np.broadcast_to, {"shape": tuple(shape)})


def concat(arrays: Any, /, *, axis: int | None = 0) -> Any:
    """The arrays one after the other along an axis; all their elements in one row where it is None."""
    parts = tuple(arrays) if axis is not None else tuple(reshape(x, (-1,)) for x in arrays)
    return run("concat", parts, lambda *xs, axis: np.concat(xs, axis=axis), {"axis": 0 if axis is None else axis})


def expand_dims(x: Any, /, axis: int) -> Any:
    """x with a new axis of size one at `axis` of the result; IndexError where the result has no such axis."""
    if not -x.ndim - 1 <= axis <= x.ndim:
        raise IndexError(f"expand_dims: axis {axis} is out of bounds for a result of {x.ndim + 1} dimensions")
    return run("expand_dims", (x,), np.expand_dims, {"axis": axis})


def flip(x: Any, /, *, axis: Any = None) -> Any:
    """The elements in reverse order along an axis, along several, or along all."""
    return run("flip", (x,), np.flip, {"axis": axis})


def moveaxis(x: Any, source: Any, destination: Any, /) -> Any:
    """x with the axes `source` at the places `destination` and the others in their order."""
    return permute_dims(x, tuple(_moved(x.ndim, source, destination)))


def _moved(rank: int, source: Any, destination: Any) -> list[int]:
    """The permutation that moves axes."""
    here = [_axis(a, rank) for a in (source if isinstance(source, tuple | list) else (source,))]
    there = [_axis(a, rank) for a in (destination if isinstance(destination, tuple | list) else (destination,))]
    if len(here) != len(there) or len(set(here)) != len(here) or len(set(there)) != len(there):
        raise ValueError(f"moveaxis wants as many distinct sources as destinations, got {source} and {destination}")
    order = [a for a in range(rank) if a not in here]
    for target, axis in sorted(zip(there, here, strict=True)):
        order.insert(target, axis)
    return order


def _axis(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} is out of bounds for an array of {rank} dimensions")
    return axis % rank


def permute_dims(x: Any, /, axes: Any) -> Any:
    """x with its axes in another order."""
    return run("permute_dims", (x,), np.permute_dims, {"axes": tuple(axes)})


def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Any:
    """Each element (along an axis; of x in one row where it is None) several times in a row.

    repeats: one number, or an array of one for each element of the axis.
    """
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    counts = np.asarray(inside(repeats))
    if counts.ndim == 0:
        return run("repeat", (x,), np.repeat, {"repeats": int(counts), "axis": axis})
    size = x.shape[axis]
    return take(x, np.repeat(np.arange(size), np.broadcast_to(counts, (size,))), axis=axis)


def reshape(x: Any, /, shape: Any, *, copy: bool | None = None) -> Any:
    """The elements of x in another shape; copy=False is a ValueError where they would have to be copied."""
    if copy is False:
        np.reshape(inside(x), shape, copy=False)  # raises
    y = run("reshape", (x,), np.reshape, {"shape": shape})
    return run("positive", (y,), np.array) if copy else y


def roll(x: Any, /, shift: Any, *, axis: Any = None) -> Any:
    """The elements pushed along axes, those past the end coming in at the start; in one row where `axis` is None."""
    if axis is None:
        return reshape(roll(reshape(x, (-1,)), shift, axis=0), x.shape)
    return run("roll", (x,), np.roll, {"shift": shift, "axis": axis})


def squeeze(x: Any, /, axis: Any) -> Any:
    """x without axes of size one; ValueError where one has another size."""
    return run("squeeze", (x,), np.squeeze, {"axis": axis})


def stack(arrays: Any, /, *, axis: int = 0) -> Any:
    """Arrays of one shape side by side along a new axis."""
    return run("stack", tuple(arrays), lambda *xs, axis: np.stack(xs, axis=axis), {"axis": axis})


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Any:
    """The elements of x at `indices` along an axis, which may be left out where there is only one."""
    if axis is None and x.ndim != 1:
        raise ValueError(f"take needs an axis for an array of {x.ndim} dimensions")
    places, params = inside(indices), {"axis": 0 if axis is None else axis}
    if VOCABULARY["take"].arity == 2:
        return run("take", (x, places), np.take, params)
    return run("take", (x,), np.take, {"indices": places, **params})


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Any:
    """For each place of `indices`, the element of x that it names along the axis; other axes broadcast."""
    return run("take_along_axis", (x, inside(indices)), np.take_along_axis, {"axis": axis})


def tile(x: Any, repetitions: tuple[int, ...], /) -> Any:
    """x as a tile, laid side by side along each axis; x, or the repetitions, get leading ones to match."""
    rank = max(x.ndim, len(repetitions))
    sizes = (1,) * (rank - x.ndim) + tuple(x.shape)
    times = (1,) * (rank - len(repetitions)) + tuple(repetitions)
    split = [n for size in sizes for n in (1, size)]
    wide = [n for count, size in zip(times, sizes, strict=True) for n in (count, size)]
    whole = tuple(count * size for count, size in zip(times, sizes, strict=True))
    return reshape(broadcast_to(reshape(x, tuple(split)), tuple(wide)), whole)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The slices of x along an axis, without it."""
    front = moveaxis(x, axis, 0)
    return tuple(front[i] for i in range(front.shape[0]))
