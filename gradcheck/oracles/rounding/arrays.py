"""How far may a number be off that was picked, put in order, or added to others where an index said?

Indices are exact, so bounds are picked along with the numbers. Which place a number takes in a sorted array hangs on
the numbers themselves: where their bounds overlap, any of them may stand at any of those places, so the places of such
a cluster share the largest of its bounds (an order statistic moves by no more than the numbers do).

Each function: (the row's NumPy function, values, bounds, params, unit roundoff) -> (value, bound).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.expr.rules import one_axis

Numbers = Any
Bound = Callable[[Callable[..., Any], list[Any], list[Any], Mapping[str, Any], float], tuple[Numbers, Numbers]]


def _picked(
    numpy: Callable[..., Any], values: list[Any], bounds: list[Any], params: Mapping[str, Any], unit: float
) -> Any:
    return numpy(*values, **params), numpy(bounds[0], *values[1:], **params)


def _scattered(
    numpy: Callable[..., Any], values: list[Any], bounds: list[Any], params: Mapping[str, Any], unit: float
) -> Any:
    """Bounds add up, and so does the rounding of each addition but the first, which is to zero."""
    value = numpy(*values, **params)
    total = numpy(np.abs(values[0]), *values[1:], **params)
    additions = np.maximum(numpy(np.ones(np.shape(values[0])), *values[1:], **params) - 1.0, 0.0)
    return value, numpy(bounds[0], *values[1:], **params) + additions * unit * total


def _sorted(
    numpy: Callable[..., Any], values: list[Any], bounds: list[Any], params: Mapping[str, Any], unit: float
) -> Any:
    value = numpy(values[0], **params)
    if not np.any(bounds[0]):
        return value, np.zeros(np.shape(value))
    axis = params.get("axis", -1)
    rows, spread = (np.moveaxis(np.asarray(a), axis, -1) for a in (values[0], bounds[0]))
    order = np.argsort(rows, axis=-1, kind="stable")
    bound = _of_clusters(np.take_along_axis(rows, order, -1), np.take_along_axis(spread, order, -1))
    bound = np.flip(bound, axis=-1) if params.get("descending", False) else bound
    return value, np.moveaxis(bound, -1, axis)


def _of_clusters(rows: Numbers, spread: Numbers) -> Numbers:
    """For each number of sorted rows the largest bound among those it may change places with."""
    if rows.size == 0:
        return spread
    wide = spread > 0
    high = np.fmax.accumulate(np.where(wide, np.nextafter(rows + spread, np.inf), rows), axis=-1)
    low = np.where(wide, np.nextafter(rows - spread, -np.inf), rows)
    low = np.flip(np.fmin.accumulate(np.flip(low, axis=-1), axis=-1), axis=-1)
    first = np.ones(rows.shape, dtype=bool)
    first[..., 1:] = high[..., :-1] < low[..., 1:]
    starts = np.flatnonzero(first)
    largest = np.maximum.reduceat(spread.ravel(), starts)
    return np.repeat(largest, np.diff(starts, append=rows.size)).reshape(rows.shape)


def _running_extreme(
    numpy: Callable[..., Any], values: list[Any], bounds: list[Any], params: Mapping[str, Any], unit: float
) -> Any:
    """The largest bound so far: a running extreme moves by no more than its elements do."""
    return numpy(values[0], **params), np.maximum.accumulate(bounds[0], axis=one_axis(params.get("axis")))


def _next_float(
    numpy: Callable[..., Any], values: list[Any], bounds: list[Any], params: Mapping[str, Any], unit: float
) -> Any:
    """The next of an exact float is exact; of another it is as uncertain, and one step more."""
    value = numpy(*values)
    spread = np.maximum(*bounds) if np.any(bounds[1]) else bounds[0]
    return value, np.broadcast_to(np.where(spread > 0, spread + np.spacing(np.abs(value)), 0.0), np.shape(value))


BOUNDS: Mapping[str, Bound] = {
    "take": _picked,
    "take_along_axis": _picked,
    "scatter": _scattered,
    "scatter_along_axis": _scattered,
    "sort": _sorted,
    "cumulative_max": _running_extreme,
    "cumulative_min": _running_extreme,
    "nextafter": _next_float,
}
