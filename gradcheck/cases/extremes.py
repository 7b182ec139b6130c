"""Does float64 hold all that comes up on the way, where numbers are very small or very large?

Formulas mean real numbers, and subnormal ones are as good as any. But a function that squares 1e-200 on its way has
left the range of float64, and what witnesses then say tells nothing about a derivative. Where numbers are extreme, a
point counts only where the function and its claims are evaluated without over- or underflow, and the function also at
the numbers' squares: rules of quotients and powers square what they divide by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.expr import NUMPY, Control
from gradcheck.spec.model import Spec

Array = NDArray[np.float64]
SMALL, LARGE = 1e-60, 1e60  # within these a number's fifth power is within float64's range
ROOT = LARGE**2.5  # numbers below this may be squared: larger ones would overflow of themselves
MOST = LARGE**2  # of a value or a derivative: cotangents and tangents are still to be multiplied by it


def in_range(spec: Spec, points: Mapping[str, Array], sizes: Mapping[str, int]) -> NDArray[np.bool_]:
    """The points (B,) that are not extreme, or at which all that comes up is within range."""
    ok = np.ones(len(next(iter(points.values()))), dtype=bool)
    if not len(ok):
        return ok
    extreme = np.zeros_like(ok)
    for x in points.values():
        size = np.abs(x).reshape(len(x), -1)
        extreme |= (((size > 0) & (size < SMALL)) | (size > LARGE)).any(axis=1)
    for row in np.flatnonzero(extreme):
        ok[row] = _within(spec, {name: x[row] for name, x in points.items()}, sizes)
    return ok


def _within(spec: Spec, point: Mapping[str, Array], sizes: Mapping[str, int]) -> bool:
    with np.errstate(all="ignore"):
        squared = {i.name: _square(point[i.name]) if i.differentiable else point[i.name] for i in spec.inputs}
    try:
        with np.errstate(over="raise", under="raise", invalid="ignore", divide="ignore"):
            _evaluated(spec, squared, sizes)
            values = _evaluated(spec, point, sizes)
            ones = {name: np.ones_like(v) for o, v in values.items() for name in ("ct", f"ct_{o}")}
            along = {f"t_{i.name}": np.ones_like(point[i.name]) for i in spec.inputs}
            named = {**point, **values, **ones, **along}
            said = [claim.program(NUMPY, {**named, **sizes}, Control(guard=False)) for claim in spec.claims]
    except Exception:  # out of range, or what people's own formulas raise there
        return False
    return all(bool((~(np.abs(v) > MOST)).all()) for v in (*values.values(), *said))


def _evaluated(spec: Spec, point: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Any]:
    result = spec.function(NUMPY, {**point, **sizes}, Control(guard=False))
    return dict(result) if isinstance(result, Mapping) else {spec.outputs[0]: result}


def _square(x: Array) -> Array:
    return np.where(np.abs(x) < ROOT, np.copysign(x * x, x), x)
