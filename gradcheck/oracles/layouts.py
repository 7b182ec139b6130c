"""How is a point given to the code under test? Its numbers in a buffer, and where in it they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles.evidence import Array
from gradcheck.spec.case import Case, Layout

WHOLE = {"integer": "int64", "permutation": "int64", "boolean": "bool"}  # what inputs of such domains are


@dataclass(frozen=True, slots=True)
class Placed:
    """Numbers as they lie in memory. strides and offset count elements of `buffer`, which has one axis.

    twin: the position of an argument before this one that is the very same array; -1 where there is none.
    dtype: what its numbers are, whatever is computed in ("int64" of an index, "bool"); "" where they are what that is.
    """

    numbers: Array
    buffer: Array
    strides: tuple[int, ...]
    offset: int = 0
    twin: int = -1
    dtype: str = ""


def arguments(case: Case, row: int) -> list[Placed]:
    """The inputs at one point and then its cotangents, as its layout says; whole numbers and truth values as such."""
    names = [*case.inputs, *("ct" if len(case.cotangents) == 1 else f"ct_{o}" for o in case.cotangents)]
    found = placed([a[row] for a in (*case.inputs.values(), *case.cotangents.values())], names, case.layout(row))
    kinds = {i.name: i.domain.kind for i in case.spec.inputs}
    dtypes = [WHOLE.get(kinds.get(name, ""), "") for name in names]
    twins = [one.twin if one.twin < 0 or dtypes[one.twin] == d else -1 for one, d in zip(found, dtypes, strict=True)]
    return [replace(one, dtype=d, twin=t) for one, d, t in zip(found, dtypes, twins, strict=True)]


def placed(arrays: Sequence[Array], names: Sequence[str], layout: Layout | None) -> list[Placed]:
    """Arguments (inputs, then cotangents) as the layout says; plainly where it does not fit the numbers."""
    found = [_plain(x) for x in arrays]
    if layout is None:
        return found
    at = [names.index(name) for name in layout.names]
    first, last = at[0], at[-1]
    x = arrays[first]
    if layout.kind == "same":
        if np.array_equal(x, arrays[last]):
            found[last] = Placed(arrays[last], found[last].buffer, found[last].strides, twin=first)
    elif x.size and (x.ndim or layout.kind == "minus zero"):
        found[first] = _LAID[layout.kind](x)
    return found


def as_numpy(given: Sequence[Placed], dtype: str) -> list[NDArray[np.generic]]:
    """The arguments as arrays of a dtype; those that are twins are one object."""
    arrays: list[NDArray[np.generic]] = []
    for one in given:
        if one.twin >= 0:
            arrays.append(arrays[one.twin])
            continue
        buffer = one.buffer.astype(one.dtype or dtype)
        size = buffer.itemsize
        strides = tuple(s * size for s in one.strides)
        arrays.append(np.ndarray(one.numbers.shape, buffer.dtype, buffer, one.offset * size, strides))
    return arrays


def _strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Of a dense array, in elements."""
    return tuple(int(np.prod(shape[k + 1 :])) for k in range(len(shape)))


def _plain(x: Array) -> Placed:
    return Placed(x, x.reshape(-1), _strides(x.shape))


def _other(x: Array) -> Array:
    """Numbers that lie between and before: not the same, and valid where those are (whole, and of the same array)."""
    return np.where(x == x.reshape(-1)[0], x.reshape(-1)[-1], x.reshape(-1)[0]) if (x == np.trunc(x)).all() else x + 1


def _gaps(x: Array) -> Placed:
    wide = np.stack([x, _other(x)], axis=-1).reshape(*x.shape[:-1], -1)
    return Placed(x, wide.reshape(-1), tuple(2 * s for s in _strides(x.shape)))


def _turned(x: Array) -> Placed:
    first, *rest = _strides(x.shape)
    return Placed(x, x[::-1].reshape(-1), (-first, *rest), (x.shape[0] - 1) * first)


def _offset(x: Array) -> Placed:
    return Placed(x, np.concatenate([_other(x).reshape(-1), x.reshape(-1)]), _strides(x.shape), x.size)


def _transposed(x: Array) -> Placed:
    if x.ndim < 2:
        return _plain(x)
    across = x.swapaxes(-1, -2)
    *rest, a, b = _strides(across.shape)
    return Placed(x, across.reshape(-1), (*rest, b, a))


def _expanded(x: Array) -> Placed:
    if not (x == x[:1]).all():
        return _plain(x)
    return Placed(x, x[0].reshape(-1), (0, *_strides(x.shape)[1:]))


def _minus_zero(x: Array) -> Placed:
    return Placed(x, np.where(x == 0, -0.0, x).reshape(-1), _strides(x.shape))


_LAID = {
    "gaps": _gaps, "turned": _turned, "offset": _offset, "transposed": _transposed, "expanded": _expanded,
    "minus zero": _minus_zero,
}  # fmt: skip
