"""Where do SciPy's special functions come from, without anybody paying for them who does not call one?

`import scipy.special` takes as long as everything else that `gradcheck lint` imports together; the first call of a
special function imports it. SciPy takes a plain number for one of double precision; here it is of the arrays'.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np


class LazySpecial:
    """`special.erf` is a function that finds `scipy.special.erf` when it is called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found: list[Callable[..., Any]] = []

        def call(*args: Any, **params: Any) -> Any:
            if not found:
                found.append(getattr(import_module("scipy.special"), name))
            value = found[0](*args, **params)
            return value if type(args[0]) is np.ndarray and args[0].dtype == np.float64 else _in_precision(value, args)

        call.__name__ = name
        self.__dict__[name] = call
        return call


def _in_precision(value: Any, args: tuple[Any, ...]) -> Any:
    """A value in single precision where all arrays that it comes from are."""
    arrays = [a for a in args if type(a) not in (int, float)]
    if not arrays or getattr(value, "dtype", None) != np.float64:
        return value
    single = all(getattr(a, "dtype", None) == np.float32 for a in arrays)
    return value.astype(np.float32) if single else value


special = LazySpecial()
