"""What are the slopes of the special functions?

Formulas: NIST Digital Library of Mathematical Functions, chapters 5 (gamma), 7 (error functions). A slope that would
be a quotient of two underflowing numbers is written with a scaled function instead (`erfcx` for log_ndtr).
"""

from __future__ import annotations

from math import factorial, pi, sqrt
from typing import Any

import numpy as np

from gradcheck.expr.lazy_special import special
from gradcheck.expr.primitive import Namespace, Primitive, Value
from gradcheck.expr.unknown import Unknown

TWO_OVER_ROOT_PI = 2.0 / sqrt(pi)
ROOT_HALF = sqrt(0.5)
SINC_SERIES = tuple((-1) ** k * 2 * k / factorial(2 * k + 1) for k in range(1, 14))  # sinc'(z) / z in powers of z²
ERFCX_TAIL, ERFCX_TERMS = 8.0, 30  # from there on DLMF 7.12.1 is exact to rounding, and so are its derivatives


def _expit(x: Any) -> Any:
    """The logistic function; SciPy's takes no complex numbers."""
    return 1.0 / (1.0 + np.exp(-x)) if np.iscomplexobj(x) else special.expit(x)


def _gauss(xp: Namespace, x: Value, scale: float, width: float) -> Value:
    """scale * exp(-width * x²)."""
    return xp.multiply(scale, xp.exp(xp.multiply(-width, xp.square(x))))


def _erfcx_slope(xp: Namespace, y: Value, x: Value) -> Value:
    """2xy - 2/sqrt(pi); far on the right, where that difference cancels, by the terms of DLMF 7.12.1."""
    far = xp.greater(x, ERFCX_TAIL)
    direct = xp.subtract(xp.multiply(2.0, xp.multiply(xp.where(far, 0.0, x), y)), TWO_OVER_ROOT_PI)
    per = xp.reciprocal(xp.square(xp.where(far, x, ERFCX_TAIL)))
    series: Value = -(2.0 * ERFCX_TERMS + 1.0)
    for k in range(ERFCX_TERMS, 0, -1):
        series = xp.add(1.0 - 2.0 * k, xp.multiply(xp.multiply(0.5 - k, per), series))
    return xp.where(far, xp.multiply(0.5 * TWO_OVER_ROOT_PI, xp.multiply(per, series)), direct)


def _ndtr_slope(xp: Namespace, y: Value, x: Value) -> Value:
    return _gauss(xp, x, 1.0 / sqrt(2.0 * pi), 0.5)


def _log_ndtr_slope(xp: Namespace, y: Value, x: Value) -> Value:
    """The density over ndtr(x), on the left as sqrt(2/pi) / erfcx(-x/sqrt(2)), where both would underflow."""
    left = xp.less(x, -1.0)
    scaled = xp.erfcx(xp.multiply(-ROOT_HALF, xp.where(left, x, -1.0)))
    rest = xp.where(left, 0.0, x)
    return xp.where(left, xp.divide(sqrt(2.0 / pi), scaled), xp.divide(_ndtr_slope(xp, y, rest), xp.ndtr(rest)))


def _sinc_slope(xp: Namespace, y: Value, x: Value) -> Value:
    """(cos(pi x) - sinc(x)) / x, by its power series near zero where that difference cancels."""
    near = xp.less(xp.abs(x), 0.5)
    z = xp.multiply(pi, xp.where(near, x, 0.0))
    z2 = xp.square(z)
    series: Value = SINC_SERIES[-1]
    for coefficient in reversed(SINC_SERIES[:-1]):
        series = xp.add(coefficient, xp.multiply(z2, series))
    far = xp.where(near, 1.0, x)
    direct = xp.divide(xp.subtract(xp.cos(xp.multiply(pi, far)), xp.sinc(far)), far)
    return xp.where(near, xp.multiply(pi, xp.multiply(z, series)), direct)


def _xlogy_slope_x(xp: Namespace, y: Value, a: Value, b: Value) -> Value:
    nothing = xp.logical_and(xp.equal(a, 0.0), xp.less_equal(b, 0.0))
    return xp.log(xp.where(nothing, 1.0, b))


def _xlog1py_slope_x(xp: Namespace, y: Value, a: Value, b: Value) -> Value:
    nothing = xp.logical_and(xp.equal(a, 0.0), xp.less_equal(b, -1.0))
    return xp.log1p(xp.where(nothing, 0.0, b))


def _quotient(xp: Namespace, a: Value, b: Value) -> Value:
    """a / b, and 0 where both are 0."""
    nothing = xp.logical_and(xp.equal(a, 0.0), xp.equal(b, 0.0))
    return xp.divide(a, xp.where(nothing, 1.0, b))


def _polygamma(n: Any, x: Any) -> Any:
    return special.polygamma(n, x).astype(np.result_type(np.asarray(x), np.float16), copy=False)  # SciPy gives doubles


def _softplus(x: Any) -> Any:
    return np.logaddexp(x, 0.0)


SPECIAL: tuple[Primitive, ...] = (
    Primitive(
        "erf",
        1,
        special.erf,
        slopes=(lambda xp, y, x: _gauss(xp, x, TWO_OVER_ROOT_PI, 1.0),),
        torch="torch.special.erf",
        jax="jax.scipy.special.erf",
        analytic=True,
    ),
    Primitive(
        "erfc",
        1,
        special.erfc,
        slopes=(lambda xp, y, x: _gauss(xp, x, -TWO_OVER_ROOT_PI, 1.0),),
        torch="torch.special.erfc",
        jax="jax.scipy.special.erfc",
        analytic=True,
    ),
    Primitive(
        "erfcx",
        1,
        special.erfcx,
        slopes=(_erfcx_slope,),
        torch="torch.special.erfcx",
        jax="jax.scipy.special.erfcx",
        analytic=True,
    ),
    Primitive(
        "erfinv",
        1,
        special.erfinv,
        slopes=(lambda xp, y, x: _gauss(xp, y, 0.5 * sqrt(pi), -1.0),),
        torch="torch.special.erfinv",
        jax="jax.scipy.special.erfinv",
        latex=r"\operatorname{{erf}}^{{-1}}\left({0}\right)",
        domain="(-1, 1)",
    ),
    Primitive(
        "gammaln",
        1,
        special.gammaln,
        slopes=(lambda xp, y, x: xp.digamma(x),),
        torch="torch.special.gammaln",
        jax="jax.scipy.special.gammaln",
        latex=r"\ln\left|\Gamma\left({0}\right)\right|",
        domain="positive",
    ),
    Primitive(
        "digamma",
        1,
        special.digamma,
        slopes=(lambda xp, y, x: xp.polygamma(1, x),),
        torch="torch.special.digamma",
        jax="jax.scipy.special.digamma",
        latex=r"\psi\left({0}\right)",
        domain="positive",
        analytic=True,
    ),
    Primitive(
        "polygamma",
        2,
        _polygamma,
        slopes=(Unknown("polygamma", "its order n", whole=True), lambda xp, y, n, x: xp.polygamma(xp.add(n, 1), x)),
        torch="torch.special.polygamma",
        jax="jax.scipy.special.polygamma",
        latex=r"\psi^{{({0})}}\left({1}\right)",
        domain="{1} > 0, an integer {0} >= 0",
    ),
    Primitive(
        "expit",
        1,
        _expit,
        slopes=(lambda xp, y, x: xp.multiply(y, xp.expit(xp.negative(x))),),
        torch="torch.special.expit",
        jax="jax.scipy.special.expit",
        latex=r"\sigma\left({0}\right)",
        analytic=True,
    ),
    Primitive(
        "logit",
        1,
        special.logit,
        slopes=(lambda xp, y, x: xp.reciprocal(xp.multiply(x, xp.subtract(1.0, x))),),
        torch="torch.special.logit",
        jax="jax.scipy.special.logit",
        domain="(0, 1)",
    ),
    Primitive(
        "ndtr",
        1,
        special.ndtr,
        slopes=(_ndtr_slope,),
        torch="torch.special.ndtr",
        jax="jax.scipy.special.ndtr",
        latex=r"\Phi\left({0}\right)",
    ),
    Primitive(
        "log_ndtr",
        1,
        special.log_ndtr,
        slopes=(_log_ndtr_slope,),
        torch="torch.special.log_ndtr",
        jax="jax.scipy.special.log_ndtr",
        latex=r"\ln\Phi\left({0}\right)",
    ),
    Primitive(
        "xlogy",
        2,
        special.xlogy,
        slopes=(_xlogy_slope_x, lambda xp, y, a, b: _quotient(xp, a, b)),
        torch="torch.special.xlogy",
        jax="jax.scipy.special.xlogy",
        latex=r"{0} \ln {1}",
        domain="{1} > 0, or {0} == 0",
    ),
    Primitive(
        "xlog1py",
        2,
        special.xlog1py,
        slopes=(_xlog1py_slope_x, lambda xp, y, a, b: _quotient(xp, a, xp.add(1.0, b))),
        torch="torch.special.xlog1py",
        jax="jax.scipy.special.xlog1py",
        latex=r"{0} \ln\left(1 + {1}\right)",
        domain="{1} > -1, or {0} == 0",
    ),
    Primitive(
        "softplus",
        1,
        _softplus,
        slopes=(lambda xp, y, x: xp.expit(x),),
        torch="torch.nn.functional.softplus",
        jax="jax.nn.softplus",
        latex=r"\ln\left(1 + e^{{{0}}}\right)",
    ),
    Primitive("sinc", 1, np.sinc, slopes=(_sinc_slope,), latex=r"\operatorname{{sinc}}\left({0}\right)", analytic=True),
)
