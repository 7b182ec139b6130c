"""What is a number that carries its error? The value, the bound, and how to tell them from plain numbers."""

from __future__ import annotations

from typing import Any

import numpy as np


class Carried:
    """An array and a bound on the rounding error of each element (same shape, >= 0)."""

    __slots__ = ("err", "value")

    def __init__(self, value: Any, err: Any) -> None:
        self.value = value
        self.err = err

    @property
    def data(self) -> Any:
        """The values alone (what a condition looks at)."""
        return self.value

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(np.shape(self.value))

    @property
    def ndim(self) -> int:
        return int(np.ndim(self.value))

    @property
    def size(self) -> int:
        return int(np.size(self.value))

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.asarray(self.value).dtype

    __array_ufunc__ = None  # NumPy arrays hand their operators over to ours


def value_of(x: Any) -> Any:
    """The number without its bound."""
    return x.value if isinstance(x, Carried) else x


def error_of(x: Any) -> Any:
    """The bound; an exact number has none."""
    return x.err if isinstance(x, Carried) else 0.0


def values_of(arg: Any) -> Any:
    """As `value_of`, of a list one by one."""
    return [value_of(a) for a in arg] if isinstance(arg, list | tuple) else value_of(arg)


def errors_of(arg: Any) -> Any:
    """The bounds, an array of zeros for an exact number; of a list one by one."""
    if isinstance(arg, list | tuple):
        return [errors_of(a) for a in arg]
    return arg.err if isinstance(arg, Carried) else np.zeros_like(np.asarray(arg, dtype=float))
