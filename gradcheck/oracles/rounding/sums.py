"""How far are sums off? Products, Fourier transforms, and whatever moves or adds up numbers: bounds add up likewise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.expr import NUMPY, Primitive
from gradcheck.expr.rows_complex import INVERSE
from gradcheck.oracles.rounding.number import errors_of, value_of, values_of

Function = Callable[..., Any]


def moving(xp: Any, row: Primitive) -> Function:
    """Rows that only move numbers: the bounds move along."""

    def function(*args: Any, **params: Any) -> Any:
        y = row.numpy(*[values_of(a) for a in args], **params)
        return xp.carried(y, row.numpy(*[errors_of(a) for a in args], **params))

    return function


def summing(xp: Any, row: Primitive) -> Function:
    """Linear rows that add numbers up: bounds add up, and every addition rounds."""

    def function(arg: Any, **params: Any) -> Any:
        x = value_of(arg)
        y = row.numpy(x, **params)
        terms = max(np.size(x) / max(np.size(y), 1), np.shape(x)[-1] if np.ndim(x) else 1, 1)
        rounding = (terms + 1) * xp.unit * row.numpy(np.abs(x), **params)
        return xp.carried(y, np.abs(row.numpy(errors_of(arg), **params)) + rounding + xp.underflow)

    return function


def transforming(xp: Any, row: Primitive) -> Function:
    """Fourier transforms: every result is a sum of all numbers, each times a root of unity."""

    def function(arg: Any, n: Any, axis: int, norm: str) -> Any:
        x, errors = value_of(arg), errors_of(arg)
        y = row.numpy(x, n=n, axis=axis, norm=norm)
        points = max(np.shape(y)[axis], np.shape(x)[axis], 1)
        scale = {"forward": 1.0 / points, "ortho": points**-0.5, "backward": 1.0}
        factor = scale[norm] if row.name in ("fft", "rfft") else scale[INVERSE[norm]]
        twice = 2.0 if row.name == "irfft" else 1.0  # the frequencies that are left out count too
        stages = 4.0 * np.log2(2 * points) * xp.unit
        total = np.sum(np.abs(errors) + stages * np.abs(x), axis=axis, keepdims=True)
        return xp.carried(y, np.broadcast_to(twice * factor * total + xp.underflow, np.shape(y)))

    return function


def bilinear(xp: Any, row: Primitive) -> Function:
    """Products of arrays: sums of products, each rounded."""

    def function(left: Any, right: Any, **params: Any) -> Any:
        a, b = np.asarray(value_of(left)), np.asarray(value_of(right))
        y = row.numpy(a, b, **params)
        terms = a.shape[-1] if a.ndim else 1
        err = (terms + 2) * xp.unit * row.numpy(np.abs(a), np.abs(b), **params) + xp.underflow
        for x, e in (((np.abs(a), xp.error_of(right)), True), ((xp.error_of(left), np.abs(b)), False)):
            if np.any(x[1] if e else x[0]):
                first, second = np.broadcast_to(x[0], a.shape), np.broadcast_to(x[1], b.shape)
                err = err + row.numpy(first, second, **params)
        return xp.carried(y, err)

    return function


def selecting(xp: Any, row: Primitive) -> Function:
    """max and min: the result is one of the numbers; its bound is the largest of theirs."""

    def function(arg: Any, **params: Any) -> Any:
        return xp.carried(row.numpy(value_of(arg), **params), NUMPY.max(errors_of(arg), **params))

    return function
