"""What encloses the special functions, in balls?

Most are Arb's own; the rest are formulas that lose nothing in their tails, or lose it to `sharp`, which takes more
working bits. Where a function is not defined, or a ball reaches across its edge, the result is not finite.
Formulas: DLMF chapters 5 (gamma), 7 (error functions), 8 (incomplete gamma), 10 (Bessel), 25.11 (zeta).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.oracles.balls.elements import Ball, Function, monotone, row, sharp, undefined
from gradcheck.oracles.balls.flint_library import acb, arb
from gradcheck.oracles.balls.slopes import ROWS, SLOPES

__all__ = ["ENCLOSURES", "ROWS", "SLOPES"]

HIGH = 100  # from this order on Arb takes too long for polygamma left of its poles, outside the row's domain
FAR = 4  # from here on erfcx is Tricomi's function, which neither over- nor underflows


def _half_root(x: Ball) -> Ball:
    """x / sqrt(2)."""
    return x / arb(2).sqrt()


def _erfcx(x: Ball) -> Ball:
    """exp(x²) erfc(x), on the right as U(1/2, 1/2, x²) / sqrt(pi) (DLMF 7.11.5)."""
    if x > FAR:
        return (x * x).hypgeom_u(arb(0.5), arb(0.5)) / arb.pi().sqrt()
    return (x * x).exp() * x.erfc()


def _ndtr(x: Ball) -> Ball:
    return (-_half_root(x)).erfc() / 2


def _log_ndtr(x: Ball) -> Ball:
    """On the left ln(erfcx(-x/√2) / 2) - x²/2, in which both terms are negative; else ln(1 - ndtr(-x))."""
    if x < 0:
        return (_erfcx(-_half_root(x)) / 2).log() - x * x / 2
    return (-_ndtr(-x)).log1p()


def _ndtri(p: Ball) -> Ball:
    """-√2 erfcinv(2p)."""
    return -arb(2).sqrt() * (2 * p).erfcinv()


def _gammaln(x: Ball) -> Ball:
    if x > 0:
        return x.lgamma()
    inverse = x.rgamma()
    return arb.pos_inf() if inverse == 0 else -abs(inverse).log()


def _polygamma(n: Ball, x: Ball) -> Ball:
    """(-1)**(n+1) n! zeta(n + 1, x) (DLMF 5.15, 25.11.12)."""
    order = n.unique_fmpz() if n.is_exact() else None
    if order is None or order < 0:
        return undefined()
    if order == 0:
        return x.digamma()
    if x > 0:
        size = arb.fac_ui(int(order)) * (n + 1).zeta(x)
        return size if order % 2 else -size
    return acb(x).polygamma(acb(n)).real if order < HIGH else undefined()


def _beta(a: Ball, b: Ball) -> Ball:
    return a.gamma() * b.gamma() * (a + b).rgamma()


def _betaln(a: Ball, b: Ball) -> Ball:
    return _gammaln(a) + _gammaln(b) - _gammaln(a + b)


def _gammainc(a: Ball, x: Ball) -> Ball:
    return x.gamma_lower(a, regularized=1) if a > 0 and x >= 0 else undefined()


def _gammaincc(a: Ball, x: Ball) -> Ball:
    return x.gamma_upper(a, regularized=1) if a > 0 and x >= 0 else undefined()


def _betainc(a: Ball, b: Ball, x: Ball) -> Ball:
    """By the side on which the series converges fast (DLMF 8.17.4)."""
    if not (a > 0 and b > 0 and x >= 0 and x <= 1):
        return undefined()
    return 1 - _beta_series(b, a, 1 - x) if x * (a + b) > a else _beta_series(a, b, x)


def _beta_series(a: Ball, b: Ball, x: Ball) -> Ball:
    """x**a (1 - x)**b / (a beta(a, b)) F(1, a + b; a + 1; x) (DLMF 8.17.8), in which nothing cancels."""
    if x == 0 or x == 1:
        return x
    power = a * x.log() + b * (-x).log1p() - _betaln(a, b)
    return power.exp() / a * x.hypgeom_2f1(arb(1), a + b, a + 1)


def _expn(n: Ball, x: Ball) -> Ball:
    """Of whole orders from 0 on, as SciPy has it."""
    order = n.unique_fmpz() if n.is_exact() else None
    return undefined() if order is None or order < 0 or not x >= 0 else x.expint(n)


def _zeta(s: Ball, q: Ball) -> Ball:
    """The sum, where it converges, and not what continues it."""
    return s.zeta(q) if s > 1 and q > 0 else undefined()


def _ive(v: Ball, x: Ball) -> Ball:
    """exp(-|x|) I(v, x); for x < 0, where whole orders alone are real, by parity (DLMF 10.27.2, 10.25.2)."""
    if not x < 0:
        return x.bessel_i(v, scaled=True) if x >= 0 else (-abs(x)).exp() * x.bessel_i(v)
    order = v.unique_fmpz() if v.is_exact() else None
    if order is None:
        return undefined()
    size = (-x).bessel_i(v, scaled=True)
    return -size if order % 2 else size


def _positive_only(function: Function) -> Function:
    """Functions with a branch cut on the left: what Arb says there is not asked."""

    def call(*args: Ball) -> Ball:
        return function(*args) if args[-1] > 0 else undefined()

    return call


def _expit(x: Ball) -> Ball:
    """1/(1 + exp(-x)); far to the left, where exp(-x) is too large for any ball, exp(x)/(1 + exp(x))."""
    y = 1 / (1 + (-x).exp())
    if y.is_finite():
        return y
    small = x.exp()
    return small / (1 + small)


def _softplus(x: Ball) -> Ball:
    return x + (-x).exp().log1p() if x > 0 else x.exp().log1p()


def _logit(x: Ball) -> Ball:
    return (x / (1 - x)).log()


def _xlogy(a: Ball, b: Ball) -> Ball:
    return a if a == 0 and not b.is_nan() else a * b.log()


def _xlog1py(a: Ball, b: Ball) -> Ball:
    return a if a == 0 and not b.is_nan() else a * b.log1p()


def _entr(x: Ball) -> Ball:
    """-x ln x, 0 at 0 and -inf to its left, as SciPy has it."""
    if x == 0:
        return arb(0)
    return arb.neg_inf() if x < 0 else -x * x.log()


def _rel_entr(x: Ball, y: Ball) -> Ball:
    if x > 0 and y > 0:
        return x * (x / y).log()
    return arb(0) if x == 0 and y >= 0 else _infinite_unless_unclear(x, y)


def _kl_terms(x: Ball, y: Ball) -> Ball:
    if x > 0 and y > 0:
        return x * (x / y).log() - x + y
    return y if x == 0 and y >= 0 else _infinite_unless_unclear(x, y)


def _infinite_unless_unclear(x: Ball, y: Ball) -> Ball:
    """SciPy's inf outside the domain."""
    return arb.pos_inf() if x < 0 or y < 0 or (x > 0 and y == 0) else undefined()


def _lambertw(x: Ball, k: int = 0) -> Ball:
    if k == -1 and x == 0:
        return arb.neg_inf()
    return x.lambertw(int(k))


def _spherical(n: Ball, x: Ball) -> Ball:
    """j(n, x), by recurrence from sin(x)/x where x is larger than the order (DLMF 10.49.3, 10.51.1).

    Else as xⁿ/(2n + 1)!! 0F1(n + 3/2, -x²/4) (10.53.1).
    """
    order = int(float(n))
    if abs(x) > order + 1:
        below, here = x.cos() / x, x.sin() / x
        for k in range(order):
            below, here = here, (2 * k + 1) * here / x - below
        return here
    lead = arb(1)
    for k in range(1, order + 1):
        lead = lead * x / (2 * k + 1)
    return lead * (-x * x / 4).hypgeom_0f1(n + arb(1.5))


def _tanhshrink(x: Ball) -> Ball:
    """x - tanh(x), around 0 as x³/3 0F1(5/2, x²/4) / cosh(x) (the odd terms of x cosh(x) - sinh(x))."""
    if abs(x) > 1:
        return x - x.tanh()
    return x * x * x / 3 * (x * x / 4).hypgeom_0f1(arb(2.5)) / x.cosh()


def _sigmoid_cross_entropy(z: Ball, y: Ball) -> Ball:
    """y softplus(-z) + (1 - y) softplus(z)."""
    return y * _softplus(-z) + (1 - y) * _softplus(z)


def _bessel(name: str, order: int, **scaled: bool) -> Function:
    def call(x: Ball) -> Ball:
        return getattr(x, name)(order, **scaled)

    return call


def _of_order(name: str, **scaled: bool) -> Function:
    def call(v: Ball, x: Ball) -> Ball:
        return getattr(x, name)(v, **scaled)

    return call


def _of_exact_order(name: str, **scaled: bool) -> Function:
    """Around whole orders Arb goes to limits, which at a ball of orders takes for ever; no derivative asks for one."""
    function = _of_order(name, **scaled)
    return lambda v, x: function(v, x) if v.is_exact() else undefined()


def _method(name: str) -> Function:
    """A function that Arb has as it is."""

    def call(x: Ball) -> Ball:
        return getattr(x, name)()

    return call


_FUNCTIONS: dict[str, Function] = {
    **{name: _method(name) for name in ("erf", "erfc", "erfinv", "digamma", "gamma", "rgamma")},
    "erfcx": monotone(_erfcx),
    "ndtr": _ndtr,
    "log_ndtr": monotone(_log_ndtr),
    "ndtri": monotone(_ndtri),
    "gammaln": _gammaln,
    "polygamma": _polygamma,
    "zeta": _zeta,
    "beta": _beta,
    "betaln": _betaln,
    "gammainc": monotone(_gammainc, -1, 1),
    "gammaincc": monotone(_gammaincc, 1, -1),
    "betainc": monotone(_betainc, -1, 1, 1),
    "exp1": _positive_only(lambda x: x.expint(1)),
    "expi": _method("ei"),
    "expn": _expn,
    "jv": _of_order("bessel_j"),
    "yv": _positive_only(_of_exact_order("bessel_y")),
    "iv": _of_order("bessel_i"),
    "kv": _positive_only(_of_exact_order("bessel_k")),
    "ive": _ive,
    "kve": _positive_only(_of_exact_order("bessel_k", scaled=True)),
    "j0": _bessel("bessel_j", 0),
    "j1": _bessel("bessel_j", 1),
    "y0": _positive_only(_bessel("bessel_y", 0)),
    "y1": _positive_only(_bessel("bessel_y", 1)),
    "i0": _bessel("bessel_i", 0),
    "i1": _bessel("bessel_i", 1),
    "k0": _positive_only(_bessel("bessel_k", 0)),
    "k1": _positive_only(_bessel("bessel_k", 1)),
    "i0e": lambda x: _ive(arb(0), x),
    "i1e": lambda x: _ive(arb(1), x),
    "k0e": _positive_only(_bessel("bessel_k", 0, scaled=True)),
    "k1e": _positive_only(_bessel("bessel_k", 1, scaled=True)),
    "sinc": _method("sinc_pi"),
    "expit": _expit,
    "logit": monotone(_logit),
    "softplus": monotone(_softplus),
    "xlogy": _xlogy,
    "xlog1py": _xlog1py,
    "entr": _entr,
    "rel_entr": _rel_entr,
    "kl_terms": _kl_terms,
    "lambertw": _lambertw,
    "spherical_jn": _spherical,
    "tanhshrink": monotone(_tanhshrink),
    "sigmoid_cross_entropy": _sigmoid_cross_entropy,
}

_DIRECT = frozenset("erf erfc erfinv ndtr gamma expit softplus tanhshrink".split())  # in which no digits cancel
ENCLOSURES: dict[str, Callable[..., Any]] = {
    name: row(function if name in _DIRECT else sharp(function)) for name, function in _FUNCTIONS.items()
}
