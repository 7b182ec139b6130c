"""Which functions of the standard put elements in order and find the distinct ones?

Places in an order are whole numbers and have no derivative; the values in order have one, which `sort` takes from the
vocabulary's row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.engine.array_api.dispatch import run, untracked

__all__ = ["argsort", "sort", "unique_all", "unique_counts", "unique_inverse", "unique_values"]


def _order(x: Any, axis: int, descending: bool, stable: bool) -> Any:
    """The places of the elements in order; equal ones stay in theirs, both ways."""
    if not descending:
        return np.argsort(x, axis=axis, stable=stable)
    mirrored = np.flip(np.argsort(np.flip(x, axis=axis), axis=axis, stable=stable), axis=axis)
    return x.shape[axis] - 1 - mirrored


def _sorted(x: Any, axis: int, descending: bool, stable: bool) -> Any:
    y = np.sort(x, axis=axis, stable=stable)
    return np.flip(y, axis=axis) if descending else y


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The places of the elements in order along an axis."""
    params = {"axis": axis, "descending": descending, "stable": stable}
    return untracked("argsort", (x,), _order, params, flat=True)


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The elements in order along an axis."""
    return run("sort", (x,), _sorted, {"axis": axis, "descending": descending, "stable": stable})


def unique_all(x: Any, /) -> Any:
    """The distinct elements, where each comes first, which of them each element is, and how often each comes."""
    return untracked("unique_all", (x,), np.unique_all)


def unique_counts(x: Any, /) -> Any:
    """The distinct elements and how often each comes."""
    return untracked("unique_counts", (x,), np.unique_counts)


def unique_inverse(x: Any, /) -> Any:
    """The distinct elements and which of them each element is."""
    return untracked("unique_inverse", (x,), np.unique_inverse)


def unique_values(x: Any, /) -> Any:
    """The distinct elements."""
    return untracked("unique_values", (x,), np.unique_values)
