"""What are the slopes of quantiles, entropies and divergences?

Formulas: the slope of an inverse function is the reciprocal slope of the function (DLMF 7.17 for the error functions);
entropies and divergences as SciPy defines them, with 0 ln 0 = 0.
"""

from __future__ import annotations

from math import pi, sqrt

from gradcheck.expr.composition import composition
from gradcheck.expr.lazy_special import special
from gradcheck.expr.primitive import Namespace, Primitive, Value

ROOT_TWO_PI = sqrt(2.0 * pi)
ROOT_HALF = sqrt(0.5)


def _ndtri_slope(xp: Namespace, y: Value, p: Value) -> Value:
    return xp.multiply(ROOT_TWO_PI, xp.exp(xp.multiply(0.5, xp.square(y))))


def _erfcinv(xp: Namespace, p: Value) -> Value:
    """The inverse of erfc, through the normal quantile: erfc(x) = 2 ndtr(-sqrt(2) x)."""
    return xp.multiply(-ROOT_HALF, xp.ndtri(xp.multiply(0.5, p)))


def _log_expit(xp: Namespace, x: Value) -> Value:
    return xp.negative(xp.softplus(xp.negative(x)))


def _log_ratio(xp: Namespace, x: Value, y: Value) -> Value:
    """ln(x / y), by log1p where x and y are close, so that it keeps its digits down to 0."""
    difference = xp.subtract(x, y)
    near = xp.less(xp.abs(difference), xp.multiply(0.5, y))
    below = xp.where(near, y, 1.0)
    close = xp.log1p(xp.divide(xp.where(near, difference, 0.0), below))
    return xp.where(near, close, xp.log(xp.divide(xp.where(near, 1.0, x), xp.where(near, 1.0, y))))


PROBABILITY: tuple[Primitive, ...] = (
    Primitive(
        "ndtri",
        1,
        special.ndtri,
        slopes=(_ndtri_slope,),
        torch="torch.special.ndtri",
        jax="jax.scipy.special.ndtri",
        latex=r"{{\Phi}}^{{-1}}\left({0}\right)",
        domain="(0, 1)",
        note="DLMF 7.17",
    ),
    composition(
        "erfcinv",
        1,
        _erfcinv,
        latex=r"\operatorname{{erfc}}^{{-1}}\left({0}\right)",
        domain="(0, 2)",
        note="DLMF 7.17.1",
    ),
    composition(
        "log_expit",
        1,
        _log_expit,
        torch="torch.nn.functional.logsigmoid",
        jax="jax.nn.log_sigmoid",
        latex=r"\ln\sigma\left({0}\right)",
        aliases=("logsigmoid", "log_sigmoid"),
    ),
    Primitive(
        "entr",
        1,
        special.entr,
        slopes=(lambda xp, y, x: xp.subtract(-1.0, xp.log(x)),),
        torch="torch.special.entr",
        jax="jax.scipy.special.entr",
        domain="nonnegative",
    ),
    Primitive(
        "rel_entr",
        2,
        special.rel_entr,
        slopes=(
            lambda xp, z, x, y: xp.add(1.0, _log_ratio(xp, x, y)),
            lambda xp, z, x, y: xp.negative(xp.divide(x, y)),
        ),
        jax="jax.scipy.special.rel_entr",
        domain="{0} >= 0, {1} > 0",
        note="{0} ln({0} / {1})",
    ),
    Primitive(
        "kl_terms",
        2,
        special.kl_div,
        slopes=(
            lambda xp, z, x, y: _log_ratio(xp, x, y),
            lambda xp, z, x, y: xp.divide(xp.subtract(y, x), y),
        ),
        jax="jax.scipy.special.kl_div",
        domain="{0} >= 0, {1} > 0",
        note="{0} ln({0} / {1}) - {0} + {1}, elementwise",
    ),
)
