"""How are elements picked whose numbers differ from point to point?

Both functions work in the base namespace, on data with a batch axis in front, and come down to `take_along_axis`.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from gradcheck.expr.primitive import Namespace, Value
from gradcheck.expr.rules import numbers, shape_of, whole

Places = np.ndarray[Any, Any]


def pick(base: Namespace, data: Value, rank: int, indices: Value, axis: int) -> Value:
    """What `take` gives at each point.

    data: with `rank` axes of a point, behind a batch axis where it has one; indices: (B, …); axis counts from the end.
    """
    shape = shape_of(data)
    points, *picked = shape_of(indices)
    row = (points, *(1,) * (rank + axis), prod(picked), *(1,) * (-axis - 1))
    taken = base.take_along_axis(data, base.reshape(indices, shape=row), axis=axis)
    before, after = shape_of(taken)[:axis], shape[len(shape) + axis + 1 :]
    return base.reshape(taken, shape=(*before, *picked, *after))


def picked_by(base: Namespace, data: Value, index: tuple[Any, ...], batched: tuple[bool, ...]) -> Value:
    """What `getitem` gives at each point: NumPy says which elements those are, one point at a time.

    data: (B, *point); index: the parts of an index, where `batched` says which hold numbers of their own at each point.
    """
    points, *point = shape_of(data)
    every = np.arange(prod(point)).reshape(point)
    parts = [whole(numbers(part)) if own else part for part, own in zip(index, batched, strict=True)]
    found = [
        every[tuple(part[k] if own else part for part, own in zip(parts, batched, strict=True))] for k in range(points)
    ]
    places: Places = np.stack(found) if found else np.zeros((0, *shape_of(data)[1:]), dtype=np.intp)
    flat = base.reshape(data, shape=(points, prod(point)))
    taken = base.take_along_axis(flat, places.reshape(points, -1), axis=-1)
    return base.reshape(taken, shape=places.shape)
