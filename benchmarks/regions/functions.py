"""The functions themselves, in NumPy; all of them right."""

from __future__ import annotations

from typing import Any

import numpy as np


def largest(x: Any) -> Any:
    return np.max(x)


def smallest_of_rows(x: Any) -> Any:
    return np.min(x, axis=1)


def larger(x: Any, y: Any) -> Any:
    return np.maximum(x, y)


def rising(x: Any) -> Any:
    return np.sort(x)


def cube(x: Any) -> Any:
    return x**3


def square(x: Any) -> Any:
    return x * x


def sine(x: Any) -> Any:
    return np.sin(x)


def tripled(x: Any) -> Any:
    return 3 * x


def multiplied(x: Any) -> Any:
    return np.prod(x)


def soft(x: Any) -> Any:
    return np.logaddexp(0, x)


def versine(x: Any) -> Any:
    return 2 * np.sin(x / 2) ** 2


def shares(x: Any) -> Any:
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def weighed(x: Any, y: Any) -> Any:
    return x * y


def added(x: Any, y: Any) -> Any:
    return x + y


def log_added(x: Any, y: Any) -> Any:
    return np.logaddexp(x, y)


def looked_up(x: Any, i: Any) -> Any:
    return x[i.astype(int)]


def spread_out(w: Any, i: Any) -> Any:
    found = np.zeros(6, dtype=w.dtype)
    np.add.at(found, i.astype(int), w)
    return found


def totals(x: Any) -> Any:
    return np.cumsum(x)


def tangent_of(x: Any) -> Any:
    return np.tanh(x)
