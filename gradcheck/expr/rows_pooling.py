"""What do pooling layers take from their windows?

The mean, or the largest element. Of equal largest ones the first takes the whole slope, as in PyTorch: a pool picks an
element, where `max` shares evenly among ties. Padding counts as zeros in a mean and never is the largest.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from gradcheck.expr.composition import NUMPY, composition
from gradcheck.expr.primitive import Batching, Namespace, Primitive, Value
from gradcheck.expr.rows_convolution import Pair, padded, pair, windows_of_images
from gradcheck.expr.rules import shape_of


def _narrow(size: Pair, padding: Pair) -> None:
    """Refuse a padding so wide that a window could hold nothing else."""
    for s, p in zip(pair(size), pair(padding), strict=True):
        if not 0 <= 2 * p <= s:
            raise ValueError(f"a padding should be at most half the window, got {p} for a window of {s}")


def _first_largest(xp: Namespace, windows: Value, inside: Any) -> Value:
    """The first of the largest elements of each window (the last axis); `inside` says which are no padding."""
    seen = windows if inside is None else xp.where(inside, windows, -inf)
    where = xp.argmax(seen, axis=-1, keepdims=True)
    chosen = xp.equal(where, np.arange(shape_of(windows)[-1]))
    return xp.sum(xp.where(chosen, windows, 0.0), axis=-1)


def _lines(xp: Namespace, x: Value, size: int, stride: int | None, padding: int, dilation: int = 1) -> Value:
    _narrow(size, padding)
    step = size if stride is None else stride
    return xp.sliding_windows(padded(xp, x, padding, -1), size=size, axis=-1, stride=step, dilation=dilation)


def _images(xp: Namespace, x: Value, size: Pair, stride: Pair | None, padding: Pair, dilation: Pair = 1) -> Value:
    """The windows of images, each as one line of the last axis."""
    _narrow(size, padding)
    windows = windows_of_images(xp, x, size, size if stride is None else stride, padding, dilation)
    shape = shape_of(windows)
    return xp.reshape(windows, shape=(*shape[:-2], shape[-2] * shape[-1]))


def _max_pool1d(
    xp: Namespace, x: Value, size: int, stride: int | None = None, padding: int = 0, dilation: int = 1
) -> Value:
    """(…, length) -> (…, places)."""
    inside = None
    if padding:
        inside = _lines(NUMPY, np.ones(shape_of(x)[-1:]), size, stride, padding, dilation) > 0
    return _first_largest(xp, _lines(xp, x, size, stride, padding, dilation), inside)


def _max_pool2d(
    xp: Namespace, x: Value, size: Pair, stride: Pair | None = None, padding: Pair = 0, dilation: Pair = 1
) -> Value:
    """(…, height, width) -> (…, rows, columns)."""
    inside = None
    if any(pair(padding)):
        inside = _images(NUMPY, np.ones(shape_of(x)[-2:]), size, stride, padding, dilation) > 0
    return _first_largest(xp, _images(xp, x, size, stride, padding, dilation), inside)


def _avg_pool1d(xp: Namespace, x: Value, size: int, stride: int | None = None, padding: int = 0) -> Value:
    """(…, length) -> (…, places)."""
    return xp.mean(_lines(xp, x, size, stride, padding), axis=-1)


def _avg_pool2d(xp: Namespace, x: Value, size: Pair, stride: Pair | None = None, padding: Pair = 0) -> Value:
    """(…, height, width) -> (…, rows, columns)."""
    return xp.mean(_images(xp, x, size, stride, padding), axis=-1)


def _pool(name: str, formula: Any, **more: Any) -> Primitive:
    defaults: dict[str, Any] = {"stride": None, "padding": 0}
    if "kinks" in more:
        defaults["dilation"] = 1
    params = ("size", *defaults)
    return composition(name, 1, formula, params=params, defaults=defaults, batching=Batching.TRAILING, **more)


LARGEST = {"kinks": "a tie for the largest of a window", "note": "the first of equal elements takes the slope"}

POOLING: tuple[Primitive, ...] = (
    _pool("max_pool1d", _max_pool1d, **LARGEST),
    _pool("max_pool2d", _max_pool2d, **LARGEST),
    _pool("avg_pool1d", _avg_pool1d, note="padding counts as zeros"),
    _pool("avg_pool2d", _avg_pool2d, note="padding counts as zeros"),
)
