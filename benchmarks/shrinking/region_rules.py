"""Which hand-written rules are wrong in one region only? Those of regions.grad.yaml, each of its own region."""

from __future__ import annotations

from typing import Any

import numpy as np


def largest(x: Any) -> Any:
    return np.max(x)


def largest_vjp(x: Any, ct: Any) -> Any:
    """Wrong at ties: every maximum gets the whole cotangent."""
    return ct * (x == np.max(x))


def product(x: Any) -> Any:
    return np.prod(x)


def product_vjp(x: Any, ct: Any) -> Any:
    """Wrong where exactly one factor is zero: its own derivative is lost too."""
    value = np.prod(x)
    return ct * np.where(x == 0, 0.0, value / np.where(x == 0, 1.0, x))


def softplus(x: Any) -> Any:
    return np.logaddexp(x, 0.0)


def softplus_vjp(x: Any, ct: Any) -> Any:
    """Wrong below -30: the tail is cut off."""
    return np.where(x < -30, 0.0, ct / (1 + np.exp(-np.maximum(x, -700))))


def square(x: Any) -> Any:
    return x * x


def pairwise_square_vjp(x: Any, ct: Any) -> Any:
    """Wrong in the last element of an odd number: the loop goes by two."""
    found = np.zeros_like(x)
    for k in range(0, len(x) - 1, 2):
        found[k : k + 2] = 2 * ct[k : k + 2] * x[k : k + 2]
    return found


def rows(x: Any) -> Any:
    return np.sum(x**3, axis=1)


def rows_vjp(x: Any, ct: Any) -> Any:
    """Wrong in the third row only."""
    found = 3 * ct[:, None] * x**2
    if len(x) > 2:
        found[2] *= 1.01
    return found


def window_square_vjp(x: Any, ct: Any) -> Any:
    """Wrong between two thresholds that are 1e-3 apart."""
    return np.where((x > 0.7313) & (x < 0.7323), 2 * ct * 0.7, 2 * ct * x)


def hyperbolic(x: Any) -> Any:
    return np.tanh(x)


def hyperbolic_vjp(x: Any, ct: Any) -> Any:
    """Wrong beyond 5: a branch for large numbers has the wrong sign."""
    slope = 4 * np.exp(-2 * np.abs(x)) / (1 + np.exp(-2 * np.abs(x))) ** 2
    return np.where(np.abs(x) > 5, -ct * slope, ct * slope)


def whole_square_vjp(x: Any, ct: Any) -> Any:
    """Wrong at whole numbers from 2 on."""
    return np.where((np.floor(x) == x) & (np.abs(x) >= 2), 0.0, 2 * ct * x)


def scaled(x: Any, s: Any) -> Any:
    return x * s


def scaled_vjp(x: Any, s: Any, ct: Any) -> tuple[Any, Any]:
    """Wrong for the scale where the other axis has size one: it is reduced by a mean of the wrong length."""
    total = np.sum(ct * x, axis=0, keepdims=True)
    return ct * s, total * 2 if x.shape[1] == 1 else total


def distance(x: Any, y: Any) -> Any:
    return np.sum((x - y) ** 2)


def distance_vjp(x: Any, y: Any, ct: Any) -> tuple[Any, Any]:
    """Wrong where an element of x is an element of y that stands elsewhere."""
    same = np.isin(x, y) & (x != y)
    slope = 2 * ct * (x - y)
    return np.where(same, 0.0, slope), -slope


def gathered(x: Any, i: Any) -> Any:
    return x[i.astype(int)]


def gathered_vjp(x: Any, i: Any, ct: Any) -> tuple[Any, Any]:
    """Wrong where an index is repeated: the last one wins."""
    found = np.zeros_like(x)
    found[i.astype(int)] = ct
    return found, np.zeros_like(i)


def clipped_square_vjp(x: Any, ct: Any) -> Any:
    """Wrong for negative cotangents: they are cut off."""
    return 2 * np.maximum(ct, 0) * x


def narrow_square_vjp(x: Any, ct: Any) -> Any:
    """Wrong in float32 only."""
    return 2 * ct * x * (x.dtype.type(1.01) if x.dtype == np.float32 else 1)


def two_factors(x: Any, y: Any) -> Any:
    return x * y


def two_factors_jvp(x: Any, y: Any, t_x: Any, t_y: Any) -> Any:
    """Wrong where the tangents have different signs: one of the terms is lost."""
    return np.where(t_x * t_y < 0, t_x * y, t_x * y + x * t_y)


def gathering_square_vjp(x: Any, ct: Any) -> Any:
    """Wrong where the numbers sum up to more than ten."""
    return 2 * ct * x * (1.01 if np.sum(x) > 10 else 1)
