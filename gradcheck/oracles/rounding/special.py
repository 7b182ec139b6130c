"""How far are SciPy's special functions off? What their implementations lose, function by function.

Most keep a few units of roundoff of the result. Near a zero that is not an exact number, and where a phase or an
exponent is rounded on the way, the loss is better said as units of roundoff of the argument: an error of f'(x) x.
The numbers are rounded up from what 400 points a function and range showed against mpmath (SciPy 1.17.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY, VOCABULARY
from gradcheck.expr.unknown import Unknown

STEP = 1e-5  # of the differences that say how steep a function of unknown slope is: an error bound wants no more digits

OwnError = Callable[..., Any]  # (y, *values) -> how far off y may be, in units of roundoff


def _units(name: str, of_value: float, of_argument: float, y: Any, *values: Any, left_only: bool = False) -> Any:
    """So many units of roundoff of the value, and of every argument that the function's slope is known by."""
    error = of_value * np.abs(y)
    for slope, x in zip(VOCABULARY[name].slopes or (), values, strict=True):
        if of_argument and slope is not None and not isinstance(slope, Unknown):
            steepness = slope(NUMPY, y, *values) if callable(slope) else slope
            shaky = np.abs(steepness * x)
            part = np.where(np.isnan(shaky) | (np.less(x, 0.0) < left_only), 0.0, shaky)
            error = error + of_argument * part
    return error


def _of_order(name: str, of_value: float, of_argument: float, y: Any, v: Any, x: Any) -> Any:
    """More is lost at high orders, and ten times as much at orders that are not whole."""
    more = 0.5 * np.abs(v) + np.where(np.equal(v, np.round(v)), 0.0, 10.0)
    return _units(name, of_value, of_argument, y, v, x) + of_value * more * np.abs(y)


def _logarithms(a: Any, b: Any) -> Any:
    """The three logarithms that the beta function is made of, in size."""
    return sum(np.abs(NUMPY.gammaln(x)) for x in (a, b, np.add(a, b)))


def _beta(y: Any, a: Any, b: Any) -> Any:
    return (8.0 + 3.0 * _logarithms(a, b)) * np.abs(y)


def _betaln(y: Any, a: Any, b: Any) -> Any:
    return 8.0 * np.abs(y) + 4.0 * _logarithms(a, b)


def _kl_terms(y: Any, x: Any, of: Any) -> Any:
    """x ln(x/y) - x + y is added up from its three terms."""
    return 4.0 * (np.abs(NUMPY.rel_entr(x, of)) + np.abs(x) + np.abs(of))


_VALUE_AND_ARGUMENT: Mapping[str, tuple[float, float]] = {
    "gamma": (8, 0), "rgamma": (8, 0), "gammaln": (8, 8), "zeta": (16, 0), "gammainc": (96, 32), "gammaincc": (96, 32),
    "betainc": (32, 16), "exp1": (16, 0), "expi": (16, 8), "expn": (20, 0), "ndtri": (8, 0), "ndtr": (4, 2),
    "log_ndtr": (4, 2), "erfc": (4, 2), "rel_entr": (8, 2), "sinc": (4, 2), "j0": (8, 4), "j1": (8, 4), "y0": (8, 6),
    "y1": (8, 4), "i0": (8, 0), "i1": (12, 0), "k0": (12, 0), "k1": (8, 0), "i0e": (8, 0), "i1e": (12, 0),
    "k0e": (12, 0), "k1e": (8, 0),
}  # fmt: skip
_OF_ORDER: Mapping[str, tuple[float, float]] = {
    "jv": (48, 2), "yv": (16, 4), "iv": (16, 0), "kv": (10, 0), "ive": (24, 0), "kve": (10, 0),
}  # fmt: skip
OWN_ERROR: Mapping[str, OwnError] = {
    **{name: partial(_units, name, *units) for name, units in _VALUE_AND_ARGUMENT.items()},
    **{name: partial(_of_order, name, *units) for name, units in _OF_ORDER.items()},
    "digamma": partial(_units, "digamma", 4, 4, left_only=True),
    "polygamma": partial(_units, "polygamma", 8, 4, left_only=True),
    "beta": _beta, "betaln": _betaln, "kl_terms": _kl_terms,
}  # fmt: skip


def steepness(numpy: Callable[..., Any], slope: Any, position: int, y: Any, values: list[Any]) -> Any:
    """|slope| of a row by one argument: by its rule, or by differences where the rule is unknown."""
    if not callable(slope):
        return slope
    try:
        return slope(NUMPY, y, *values)
    except Unsupported:
        if slope.whole:
            return 0.0  # a whole number is not rounded
    step = STEP * np.maximum(np.abs(values[position]), STEP)
    above, below = ([*values[:position], values[position] + s, *values[position + 1 :]] for s in (step, -step))
    return (numpy(*above) - numpy(*below)) / (2.0 * step)
