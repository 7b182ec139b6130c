"""Which hand-written rules are wrong on purpose in float32, and right in float64? Those of precision.grad.yaml."""

from __future__ import annotations

from typing import Any

import numpy as np


def _narrow(x: Any) -> bool:
    return bool(x.dtype == np.float32)


def softplus(x: Any) -> Any:
    return np.log1p(np.exp(-x)) + x


def softplus_vjp(x: Any, ct: Any) -> Any:
    """Wrong in float32: there the slope is not yet 1 at 5."""
    slope = 1 / (1 + np.exp(-x))
    return ct * (np.where(x > 5, np.ones_like(x), slope) if _narrow(x) else slope)


def product(x: Any, y: Any) -> Any:
    return x * y


def half_product_vjp(x: Any, y: Any, ct: Any) -> Any:
    """Wrong: half of the digits are thrown away in float32."""
    if _narrow(x):
        half = np.float16
        return (ct.astype(half) * y.astype(half)).astype(x.dtype), (ct.astype(half) * x.astype(half)).astype(x.dtype)
    return ct * y, ct * x


def exponential(x: Any) -> Any:
    return np.exp(x)


def exponential_vjp(x: Any, ct: Any) -> Any:
    """Wrong: one element is a thousandth too large."""
    found = ct * np.exp(x)
    found[0] *= found.dtype.type(1.001)
    return found


def triple(x: Any) -> Any:
    return 3 * x


def wide_triple_vjp(x: Any, ct: Any) -> Any:
    """Wrong: a table of float64 makes the gradient wider than its input."""
    return np.float64(3.0) * ct


def logarithm(x: Any) -> Any:
    """Wrong for whoever asks for four units: 1 + x rounds x's last digits away."""
    return np.log(1 + x)


def logarithm_vjp(x: Any, ct: Any) -> Any:
    return ct / (1 + x)


def decay(x: Any) -> Any:
    return np.exp(-x)


def decay_vjp(x: Any, ct: Any) -> Any:
    """Wrong by a hundredth, which is less than the declared error wherever the number is small."""
    return -1.01 * ct * np.exp(-x)
