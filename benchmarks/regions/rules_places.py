"""Rules that are wrong at certain places or sizes: the last element, tails of blocks, one row, axes of size 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.regions.faults import fault


def square_but_the_last(x: Any, ct: Any) -> Any:
    """Wrong: the loop ends one early, where there are several."""
    return fault(2 * ct * x, (np.arange(x.size) == x.size - 1) & (x.size > 1), 0.0)


def _behind_blocks(x: Any, ct: Any, block: int) -> Any:
    """Wrong: what is left over behind whole blocks is not reached."""
    return fault(2 * ct * x, (np.arange(x.size) >= x.size // block * block) & (x.size > block), 0.0)


def square_in_blocks_of_4(x: Any, ct: Any) -> Any:
    return _behind_blocks(x, ct, 4)


def square_in_blocks_of_8(x: Any, ct: Any) -> Any:
    return _behind_blocks(x, ct, 8)


def square_in_blocks_of_16(x: Any, ct: Any) -> Any:
    return _behind_blocks(x, ct, 16)


def square_in_blocks_of_32(x: Any, ct: Any) -> Any:
    return _behind_blocks(x, ct, 32)


def square_of_odd_many(x: Any, ct: Any) -> Any:
    """Wrong: of an odd number of elements the middle one is counted twice."""
    odd = x.size % 2 == 1 and x.size > 1
    return fault(2 * ct * x, odd & (np.arange(x.size) == x.size // 2), 4 * ct * x)


def square_of_one(x: Any, ct: Any) -> Any:
    """Wrong: a single element is taken for a constant."""
    return fault(2 * ct * x, x.size == 1, 0.0)


def _pulled(x: Any, ct: Any) -> Any:
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    s = e / np.sum(e, axis=-1, keepdims=True)
    return s * (ct - np.sum(s * ct, axis=-1, keepdims=True))


def shares_of_one_column(x: Any, ct: Any) -> Any:
    """Wrong: with one column the sum is not subtracted."""
    return fault(_pulled(x, ct), x.shape[1] == 1, ct)


def shares_of_one_row(x: Any, ct: Any) -> Any:
    """Wrong: a single row of several columns is squeezed away."""
    return fault(_pulled(x, ct), x.shape[0] == 1 and x.shape[1] > 1, ct)


def weighed_rows_not_summed(x: Any, y: Any, ct: Any) -> Any:
    """Wrong: where the weights meet a single row, what was broadcast is summed twice."""
    right = np.sum(ct * x, axis=0)
    return ct * y, fault(right, x.shape[0] == 1, 2 * right)


def shares_but_the_third_row(x: Any, ct: Any) -> Any:
    """Wrong: in one row of many."""
    return fault(_pulled(x, ct), (np.arange(len(x)) == 2)[:, None], 0.0)


def square_on_the_diagonal(x: Any, ct: Any) -> Any:
    """Wrong: on the diagonal, of matrices of 3 and more."""
    return fault(2 * ct * x, np.eye(len(x), dtype=bool) & (len(x) > 2), ct * x)


def totals_from_the_other_end(x: Any, ct: Any) -> Any:
    """Wrong: of more than four elements the first is left out."""
    right = np.cumsum(ct[::-1])[::-1].copy()
    return fault(right, (np.arange(x.size) == 0) & (x.size > 4), right - ct)
