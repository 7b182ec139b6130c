"""How does a tensor read to a program written for the Python array API standard, 2024.12?

This module is the standard's namespace over eager tensors: `x.__array_namespace__()` returns it. Functions that the
vocabulary has rows for are differentiable; `absent()` says which of the standard's are not, though they have a
derivative. See https://data-apis.org/array-api/2024.12/.
"""

from __future__ import annotations

import math
from typing import Any

from gradcheck.engine.array_api import (
    creation,
    dtypes,
    elementwise,
    inspection,
    linalg,
    reductions,
    shapes,
    sorting,
)
from gradcheck.engine.array_api import (
    fft as fft,
)

__array_api_version__ = "2024.12"
VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")

e, inf, nan, pi, newaxis = math.e, math.inf, math.nan, math.pi, None

globals().update(dtypes.DTYPES)
for _part in (creation, dtypes, elementwise, inspection, reductions, shapes, sorting):
    globals().update({name: getattr(_part, name) for name in _part.__all__})
globals().update({name: getattr(linalg, name) for name in linalg.MAIN})


def __getattr__(name: str) -> Any:
    """For type checkers: the names above are set from tables."""
    raise AttributeError(f"the array API standard's namespace {__name__!r} has no {name!r}")
