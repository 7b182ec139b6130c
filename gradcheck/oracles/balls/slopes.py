"""Which slopes do balls want otherwise than float64?

The vocabulary's rules keep the digits of float64: they cut series short, take another formula from some place on, and
mind overflow. Balls have the digits and the range, but a series cut short encloses nothing, and a ball that lies on the
place where formulas change is undecided. Here the same slopes stand as one formula without a threshold, as far as there
is one, from the same sources. Their digits that cancel come back with more bits.

`ROWS` are functions that the vocabulary does without and these slopes need.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

from gradcheck.expr import Batching, Primitive
from gradcheck.expr.lazy_special import special
from gradcheck.expr.primitive import Namespace, Slope, Value
from gradcheck.expr.unknown import Unknown
from gradcheck.expr.vocabulary import VOCABULARY

LEFT = 0.3714783  # where the formulas of 1/gamma change, each of which holds on either side: a place nobody asks about


def _erfcx(xp: Namespace, y: Value, x: Value) -> Value:
    """2xy - 2/sqrt(pi) (DLMF 7.10)."""
    return xp.subtract(xp.multiply(2.0, xp.multiply(x, y)), 2.0 / sqrt(pi))


def _log_ndtr(xp: Namespace, y: Value, x: Value) -> Value:
    """The density over ndtr(x), as sqrt(2/pi) / erfcx(-x/sqrt(2))."""
    return xp.divide(sqrt(2.0 / pi), xp.erfcx(xp.multiply(-sqrt(0.5), x)))


def _sinc(xp: Namespace, y: Value, x: Value) -> Value:
    """-pi j1(pi x) (DLMF 10.49.3, 10.51.2)."""
    return xp.multiply(-pi, xp.spherical_jn(1.0, xp.multiply(pi, x)))


def _spherical(xp: Namespace, y: Value, n: Value, x: Value) -> Value:
    """(n j(n - 1) - (n + 1) j(n + 1)) / (2n + 1), which divides by nothing that may be zero (DLMF 10.51.1)."""
    n = float(n)
    above = xp.multiply(n + 1.0, xp.spherical_jn(n + 1.0, x))
    below = xp.multiply(n, xp.spherical_jn(n - 1.0, x)) if n else 0.0
    return xp.divide(xp.subtract(below, above), 2.0 * n + 1.0)


def _rgamma(xp: Namespace, y: Value, x: Value) -> Value:
    """-digamma(x) / gamma(x); on the left the slope of gamma(1 - x) sin(pi x) / pi (DLMF 5.2.2, 5.5.3)."""
    left = xp.less(x, LEFT)
    rest = xp.where(left, 1.0, x)
    right = xp.negative(xp.multiply(xp.digamma(rest), xp.rgamma(rest)))
    x = xp.where(left, x, 0.0)
    mirrored, angle = xp.subtract(1.0, x), xp.multiply(pi, x)
    turned = xp.subtract(xp.cos(angle), xp.multiply(xp.divide(xp.sin(angle), pi), xp.digamma(mirrored)))
    return xp.where(left, xp.multiply(xp.gamma(mirrored), turned), right)


def _gamma_density(xp: Namespace, y: Value, a: Value, x: Value) -> Value:
    """x**(a - 1) e**-x / gamma(a) (DLMF 8.8.13)."""
    power = xp.multiply(xp.pow(x, xp.subtract(a, 1.0)), xp.exp(xp.negative(x)))
    return xp.multiply(power, xp.rgamma(a))


def _beta_density(xp: Namespace, y: Value, a: Value, b: Value, x: Value) -> Value:
    """x**(a - 1) (1 - x)**(b - 1) / beta(a, b) (DLMF 8.17.1)."""
    left = xp.pow(x, xp.subtract(a, 1.0))
    right = xp.pow(xp.subtract(1.0, x), xp.subtract(b, 1.0))
    return xp.divide(xp.multiply(left, right), xp.beta(a, b))


def _ive(xp: Namespace, y: Value, v: Value, x: Value) -> Value:
    """(ive(v - 1) + ive(v + 1)) / 2 - sign(x) ive(v) (DLMF 10.29.1)."""
    sides = xp.add(xp.ive(xp.subtract(v, 1.0), x), xp.ive(xp.add(v, 1.0), x))
    return xp.subtract(xp.multiply(0.5, sides), xp.multiply(xp.sign(x), xp.ive(v, x)))


def _kve(xp: Namespace, y: Value, v: Value, x: Value) -> Value:
    """kve(v) - (kve(v - 1) + kve(v + 1)) / 2 (DLMF 10.29.1)."""
    sides = xp.add(xp.kve(xp.subtract(v, 1.0), x), xp.kve(xp.add(v, 1.0), x))
    return xp.subtract(xp.kve(v, x), xp.multiply(0.5, sides))


def _lambertw(xp: Namespace, y: Value, x: Value) -> Value:
    """e**-W / (1 + W) (DLMF 4.13.4)."""
    return xp.divide(xp.exp(xp.negative(y)), xp.add(1.0, y))


def _log_of_quotient(xp: Namespace, y: Value, a: Value, b: Value) -> Value:
    return xp.log(xp.divide(a, b))


def _kept(name: str, position: int) -> Any:
    """The vocabulary's own slope by one argument."""
    slopes = VOCABULARY[name].slopes
    assert slopes is not None
    return slopes[position]


SLOPES: dict[str, tuple[Slope | float | None, ...]] = {
    "deg2rad": (lambda xp, y, x: xp.divide(pi, 180.0),),
    "rad2deg": (lambda xp, y, x: xp.divide(180.0, pi),),
    "erfcx": (_erfcx,),
    "log_ndtr": (_log_ndtr,),
    "sinc": (_sinc,),
    "rgamma": (_rgamma,),
    "gammainc": (_kept("gammainc", 0), _gamma_density),
    "gammaincc": (_kept("gammaincc", 0), lambda xp, y, a, x: xp.negative(_gamma_density(xp, y, a, x))),
    "betainc": (_kept("betainc", 0), _kept("betainc", 1), _beta_density),
    "ive": (_kept("ive", 0), _ive),
    "kve": (_kept("kve", 0), _kve),
    "i0e": (lambda xp, y, x: _ive(xp, y, 0.0, x),),
    "i1e": (lambda xp, y, x: _ive(xp, y, 1.0, x),),
    "k0e": (lambda xp, y, x: _kve(xp, y, 0.0, x),),
    "k1e": (lambda xp, y, x: _kve(xp, y, 1.0, x),),
    "lambertw": (_lambertw,),
    "xlogy": (lambda xp, y, a, b: xp.log(b), lambda xp, y, a, b: xp.divide(a, b)),
    "xlog1py": (lambda xp, y, a, b: xp.log1p(b), lambda xp, y, a, b: xp.divide(a, xp.add(1.0, b))),
    "rel_entr": (lambda xp, y, a, b: xp.add(1.0, _log_of_quotient(xp, y, a, b)), _kept("rel_entr", 1)),
    "kl_terms": (_log_of_quotient, _kept("kl_terms", 1)),
}

ROWS: dict[str, Primitive] = {
    "spherical_jn": Primitive(
        "spherical_jn",
        2,
        lambda n, x: special.spherical_jn(int(n), x),
        batching=Batching.ELEMENTWISE,
        slopes=(Unknown("spherical_jn", "its order n", whole=True), _spherical),
        note="DLMF 10.47.3",
    )
}
