"""Which hand-written rules are right, some of them with few digits left in float32?"""

from __future__ import annotations

from typing import Any

import numpy as np


def variance(x: Any) -> Any:
    return np.mean((x - np.mean(x)) ** 2)


def variance_vjp(x: Any, ct: Any) -> Any:
    return ct * 2 * (x - np.mean(x)) / x.dtype.type(x.size)


def variance_by_squares(x: Any) -> Any:
    """Right, and without a digit left where the mean is large beside the spread."""
    return np.mean(x**2) - np.mean(x) ** 2


def tail(x: Any) -> Any:
    """Right, and without its last digits where the hyperbolic tangent is near 1."""
    return 1 - np.tanh(x)


def tail_vjp(x: Any, ct: Any) -> Any:
    return ct * (np.tanh(x) ** 2 - 1)
