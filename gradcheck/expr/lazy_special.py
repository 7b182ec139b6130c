"""Where do SciPy's special functions come from, without anybody paying for them who does not call one?

`import scipy.special` takes as long as everything else that `gradcheck lint` imports together; the first call of a
special function imports it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


class LazySpecial:
    """`special.erf` is a function that finds `scipy.special.erf` when it is called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found: list[Callable[..., Any]] = []

        def call(*args: Any, **params: Any) -> Any:
            if not found:
                found.append(getattr(import_module("scipy.special"), name))
            return found[0](*args, **params)

        call.__name__ = name
        self.__dict__[name] = call
        return call


special = LazySpecial()
