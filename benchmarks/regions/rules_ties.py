"""Rules that are wrong at equal numbers: ties, repeated indices, inputs that equal one another."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.regions.faults import fault


def _shared(x: Any) -> Any:
    mask = (x == np.max(x)).astype(x.dtype)
    return mask / mask.sum()


def largest_when_all_are(x: Any, ct: Any) -> Any:
    """Wrong: where all are equal, each gets the whole."""
    return fault(ct * _shared(x), x.size > 1 and np.all(x == x[0]), ct * np.ones_like(x))


def largest_of_two(x: Any, ct: Any) -> Any:
    """Wrong: where two are the largest, both get the whole."""
    return fault(ct * _shared(x), np.count_nonzero(x == np.max(x)) == 2, ct * (x == np.max(x)))


def larger_at_ties(x: Any, y: Any, ct: Any) -> Any:
    """Wrong: where the two inputs are equal, both get the whole."""
    right = ct * ((x > y) + 0.5 * (x == y)), ct * ((x < y) + 0.5 * (x == y))
    return fault(right[0], x == y, ct), fault(right[1], x == y, ct)


def smallest_of_tied_rows(x: Any, ct: Any) -> Any:
    """Wrong: in a row with a tie each of the smallest gets the whole."""
    mask = x == np.min(x, axis=1, keepdims=True)
    count = mask.sum(axis=1, keepdims=True)
    return fault(mask / count * ct[:, None], (count > 1) & mask, np.broadcast_to(ct[:, None], x.shape))


def rising_already(x: Any, ct: Any) -> Any:
    """Wrong: numbers that are in order already are sent back the other way round."""
    right = np.zeros_like(ct)
    right[np.argsort(x, kind="stable")] = ct
    return fault(right, x.size > 1 and np.all(np.diff(x) > 0), ct[::-1])


def log_added_at_ties(x: Any, y: Any, ct: Any) -> Any:
    """Wrong: where the two numbers are equal, the whole goes to both."""
    a, b = ct / (1 + np.exp(y - x)), ct / (1 + np.exp(x - y))
    return fault(a, x == y, ct), fault(b, x == y, ct)


def looked_up_once(x: Any, i: Any, ct: Any) -> Any:
    """Wrong: of an index that comes twice, the last one alone counts."""
    found, last = np.zeros_like(x), np.zeros_like(x)
    np.add.at(found, i.astype(int), ct)
    last[i.astype(int)] = ct
    return fault(found, True, last), None


def looked_up_alone(x: Any, i: Any, ct: Any) -> Any:
    """Wrong: where all indices are the same, their number is forgotten."""
    found = np.zeros_like(x)
    np.add.at(found, i.astype(int), ct)
    return fault(found, i.size > 1 and np.all(i == i[0]), found / i.size), None


def looked_up_at_the_end(x: Any, i: Any, ct: Any) -> Any:
    """Wrong: the last index is left out."""
    found = np.zeros_like(x)
    np.add.at(found, i.astype(int), ct)
    return fault(found, np.arange(len(x)) == len(x) - 1, 0.0), None


def spread_out_twice(w: Any, i: Any, ct: Any) -> Any:
    """Wrong: numbers that fall together share their cotangent."""
    i = i.astype(int)
    count = np.bincount(i, minlength=6)[i]
    return fault(ct[i], count > 1, ct[i] / count), None


def looked_up_permuted(x: Any, i: Any, ct: Any) -> Any:
    """Wrong: a permutation is not turned back."""
    i = i.astype(int)
    found = np.zeros_like(x)
    np.add.at(found, i, ct)
    return fault(found, True, ct[i]), None


def weighed_with_itself(x: Any, y: Any, ct: Any) -> Any:
    """Wrong: where both are one array, the slope of a square is handed to both."""
    return fault(ct * y, x is y, 2 * ct * y), fault(ct * x, x is y, 2 * ct * x)


def weighed_at_equal(x: Any, y: Any, ct: Any) -> Any:
    """Wrong: where both are equal everywhere, the slope of a square is handed to the first."""
    return fault(ct * y, np.array_equal(x, y), 2 * ct * y), ct * x
