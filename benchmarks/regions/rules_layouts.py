"""Rules that are wrong for certain layouts, dtypes and cotangents; the numbers are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from benchmarks.regions.faults import fault


def square_of_expanded(x: Any, ct: Any) -> Any:
    """Wrong: where a stride is 0, what was broadcast is divided by."""
    expanded = any(s == 0 and n > 1 for s, n in zip(x.strides, x.shape, strict=True))
    return fault(2 * ct * x, expanded, 2 * ct * x / x.size)


def _as_if_dense(x: Any) -> Any:
    """The memory from the first element on, read as if there were no gaps."""
    steps = np.cumprod([x.itemsize, *x.shape[:0:-1]])[::-1]
    low = x[tuple(slice(None, None, -1) if s < 0 else slice(None) for s in x.strides)]
    return as_strided(low, x.shape, steps)


def square_of_transposed(x: Any, ct: Any) -> Any:
    """Wrong: a transposed matrix is read as it lies in memory."""
    lies_across = x.flags.f_contiguous and not x.flags.c_contiguous
    return fault(2 * ct * x, lies_across, 2 * ct * (np.ravel(x, order="K").reshape(x.shape) if lies_across else x))


def square_of_turned(x: Any, ct: Any) -> Any:
    """Wrong: a negative stride is taken for a positive one."""
    return fault(2 * ct * x, any(s < 0 for s in x.strides), 2 * ct * x[::-1])


def square_of_gappy(x: Any, ct: Any) -> Any:
    """Wrong: gaps between the elements are not stepped over."""
    gappy = x.ndim == 1 and x.size > 1 and x.strides[0] > x.itemsize
    return fault(2 * ct * x, gappy, 2 * ct * (_as_if_dense(x) if gappy else x))


def square_of_gappy_cotangents(x: Any, ct: Any) -> Any:
    """Wrong: the cotangent is read as if it were dense."""
    gappy = ct.ndim == 1 and ct.size > 1 and ct.strides[0] > ct.itemsize
    return fault(2 * ct * x, gappy, 2 * x * (_as_if_dense(ct) if gappy else ct))


def square_of_expanded_cotangents(x: Any, ct: Any) -> Any:
    """Wrong: a cotangent of stride 0 counts once."""
    expanded = any(s == 0 and n > 1 for s, n in zip(ct.strides, ct.shape, strict=True))
    return fault(2 * ct * x, expanded & (np.arange(x.size) > 0), 0.0)


def sine_in_single(x: Any, ct: Any) -> Any:
    """Wrong in float32: the slope has lost its cotangent's sign."""
    return fault(ct * np.cos(x), x.dtype == np.float32, np.abs(ct) * np.cos(x))


def sine_in_half(x: Any, ct: Any) -> Any:
    """Wrong in float16: the slope is one everywhere."""
    return fault(ct * np.cos(x), x.dtype == np.float16, ct)


def square_for_one_hot(x: Any, ct: Any) -> Any:
    """Wrong: one cotangent alone is taken for the only element."""
    return fault(2 * ct * x, ct.size > 1 and np.count_nonzero(ct) == 1, 2 * ct.sum() * x)


def square_for_negative(x: Any, ct: Any) -> Any:
    """Wrong: cotangents that are negative altogether are clipped."""
    return fault(2 * ct * x, np.all(ct < 0), 0.0)


def square_for_tiny(x: Any, ct: Any) -> Any:
    """Wrong: small cotangents are taken for none."""
    return fault(2 * ct * x, np.abs(ct) < 1e-12, 0.0)


def square_for_some_zeros(x: Any, ct: Any) -> Any:
    """Wrong: a zero among several cotangents stops the pass."""
    return fault(2 * ct * x, np.any(ct == 0) and np.count_nonzero(ct) > 1, 0.0)


def square_for_none(x: Any, ct: Any) -> Any:
    """Wrong: cotangents that are zero altogether give what is not a number."""
    return fault(2 * ct * x, np.all(ct == 0), np.nan)


def square_for_large(x: Any, ct: Any) -> Any:
    """Wrong: large cotangents are clipped, as gradients are."""
    return fault(2 * ct * x, np.abs(ct) > 1e3, 2e3 * np.sign(ct) * x)
