"""Which functions of the standard take sums, extremes, averages and running totals, and ask where and whether?"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.engine.array_api.creation import ones, zeros
from gradcheck.engine.array_api.dispatch import Function, inside, is_floating, row_for, run, untracked, wrap
from gradcheck.engine.array_api.dtypes import astype
from gradcheck.engine.array_api.shapes import concat

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "max",
    "mean",
    "min",
    "nonzero",
    "prod",
    "searchsorted",
    "std",
    "sum",
    "var",
    "where",
]


def _total(name: str, plainly: Function, x: Any, axis: Any, dtype: Any, keepdims: bool) -> Any:
    if is_floating(x):
        x = x if dtype is None else astype(x, dtype, copy=False)
    if is_floating(x):
        return run(name, (x,), plainly, {"axis": axis, "keepdims": keepdims})
    return wrap(plainly(inside(x), axis=axis, dtype=dtype, keepdims=keepdims))


def sum(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The sum over axes (all where None); integers in the default integer dtype at least."""
    return _total("sum", np.sum, x, axis, dtype, keepdims)


def prod(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The product over axes (all where None); integers in the default integer dtype at least."""
    return _total("prod", np.prod, x, axis, dtype, keepdims)


def max(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element; ties share the derivative evenly."""
    return run("max", (x,), np.max, {"axis": axis, "keepdims": keepdims})


def min(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element; ties share the derivative evenly."""
    return run("min", (x,), np.min, {"axis": axis, "keepdims": keepdims})


def mean(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """The arithmetic mean."""
    return run("mean", (x,), np.mean, {"axis": axis, "keepdims": keepdims})


def var(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The mean square distance from the mean, with the divisor n - correction."""
    return run("var", (x,), np.var, {"axis": axis, "correction": correction, "keepdims": keepdims})


def std(x: Any, /, *, axis: Any = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The square root of the variance."""
    return run("std", (x,), np.std, {"axis": axis, "correction": correction, "keepdims": keepdims})


def _running(name: str, plainly: Function, x: Any, axis: int | None, dtype: Any, initial: bool, start: Function) -> Any:
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"{name} needs an axis for an array of {x.ndim} dimensions")
        axis = 0
    if is_floating(x):
        x = x if dtype is None else astype(x, dtype, copy=False)
    if not is_floating(x):
        return wrap(plainly(inside(x), axis=axis, dtype=dtype, include_initial=initial))
    totals = run(name, (x,), plainly, {"axis": axis})
    if not initial:
        return totals
    first = tuple(1 if i == axis % x.ndim else n for i, n in enumerate(x.shape))
    return concat((start(first, dtype=x.dtype), totals), axis=axis)


def cumulative_sum(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """The running sums along an axis, behind a zero where `include_initial` says so."""
    return _running("cumulative_sum", np.cumulative_sum, x, axis, dtype, include_initial, zeros)


def cumulative_prod(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """The running products along an axis, behind a one where `include_initial` says so."""
    return _running("cumulative_prod", np.cumulative_prod, x, axis, dtype, include_initial, ones)


def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along an axis, n times over; `prepend` and `append` are joined to x before."""
    parts = tuple(part for part in (prepend, x, append) if part is not None)
    joined = concat(parts, axis=axis) if len(parts) > 1 else x
    if row_for("diff", (joined,), {"axis": axis, "n": n}) or not is_floating(joined):
        return run("diff", (joined,), np.diff, {"axis": axis, "n": n})
    before = (slice(None),) * (axis % x.ndim)
    for _ in range(n):
        joined = joined[(*before, slice(1, None))] - joined[(*before, slice(None, -1))]
    return joined if n else run("positive", (x,), np.array)


def all(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether every element is true (not zero)."""
    return untracked("all", (x,), np.all, {"axis": axis, "keepdims": keepdims}, flat=True)


def any(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Whether some element is true (not zero)."""
    return untracked("any", (x,), np.any, {"axis": axis, "keepdims": keepdims}, flat=True)


def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the largest element is; the first of several."""
    return untracked("argmax", (x,), np.argmax, {"axis": axis, "keepdims": keepdims}, flat=True)


def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the smallest element is; the first of several."""
    return untracked("argmin", (x,), np.argmin, {"axis": axis, "keepdims": keepdims}, flat=True)


def count_nonzero(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
    """How many elements are not zero."""
    return untracked("count_nonzero", (x,), np.count_nonzero, {"axis": axis, "keepdims": keepdims}, flat=True)


def nonzero(x: Any, /) -> Any:
    """Where the elements are that are not zero: one array of indices for each axis."""
    if x.ndim == 0:
        raise ValueError("nonzero is not defined for an array of no dimensions")
    return untracked("nonzero", (x,), np.nonzero, flat=True)


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Any:
    """Where each element of x2 would go in the sorted x1 (`sorter` sorts it), before or behind its equals."""
    order = inside(sorter)
    return untracked("searchsorted", (x1, x2), np.searchsorted, {"side": side, "sorter": order}, flat=True)


def where(condition: Any, x1: Any, x2: Any, /) -> Any:
    """x1 where the condition holds, x2 elsewhere; either may be a number."""
    return run("where", (condition, x1, x2), np.where)
