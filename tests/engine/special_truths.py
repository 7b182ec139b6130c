"""What are the special functions' values and derivatives? mpmath's, at points that are chosen to hurt.

A truth is a function of mpmath numbers; a point list holds ordinary points, zeros, tails, and both sides of every
place where a slope of ours changes its formula.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import mpmath as mp

ORDER = 4
DIGITS = 30
STEP = mp.mpf(10) ** -25  # of the differences, relative to the point; less than the next singularity's distance


@dataclass(frozen=True)
class Truth:
    """A function of one number in our vocabulary, the same in mpmath, and points.

    orders(x, k) is the k-th derivative where mpmath is slow to differentiate and the literature has it closed.
    """

    row: str
    ours: Callable[[Any, Any], Any]  # (xp, x) -> value
    exact: Callable[[Any], Any]
    points: tuple[float, ...]
    orders: Callable[[Any, int], Any] | None = None

    def derivatives(self, x: float) -> list[Any]:
        """The derivatives of order 0 to 4 at x, by differences whose working precision grows with their order."""
        with mp.workdps(50):
            at = mp.mpf(x)
            if self.orders is not None:
                return [mp.re(self.orders(at, k)) for k in range(ORDER + 1)]
            value = mp.re(self.exact(at))
        with mp.workdps(DIGITS):
            step = STEP * (abs(at) or 1)
            return [value, *[mp.re(mp.diff(self.exact, at, k, h=step)) for k in range(1, ORDER + 1)]]


def one(row: str, exact: Callable[[Any], Any], *points: float, **params: Any) -> Truth:
    """A row of one argument."""
    return Truth(row, lambda xp, x: getattr(xp, row)(x, **params), exact, points)


def last(row: str, first: tuple[float, ...], exact: Callable[..., Any], *points: float) -> Truth:
    """A row by its last argument, with fixed ones before it."""
    fixed = [mp.mpf(a) for a in first]
    return Truth(row, lambda xp, x: getattr(xp, row)(*first, x), lambda x: exact(*fixed, x), points)


def front(row: str, second: float, exact: Callable[..., Any], *points: float) -> Truth:
    """A row of two arguments by its first one."""
    return Truth(row, lambda xp, x: getattr(xp, row)(x, second), lambda x: exact(x, mp.mpf(second)), points)


FAMILIES = {"j": (mp.besselj, -1), "y": (mp.bessely, -1), "i": (mp.besseli, 1), "k": (mp.besselk, 1)}


def _bessel_order(family: str, v: float, x: Any, k: int) -> Any:
    """The k-th derivative, a binomial sum of the orders v - k, v - k + 2, …, v + k (DLMF 10.6.7, 10.29.5)."""
    function, sign = FAMILIES[family]
    mirrored = family == "k" or (family == "i" and v == int(v))  # where order -v is order v (DLMF 10.27.1, 10.27.3)
    steps = ((j, v - k + 2 * j) for j in range(k + 1))
    terms = (mp.binomial(k, j) * sign**j * function(abs(u) if mirrored else u, x) for j, u in steps)
    return (-1 if family == "k" else 1) ** k * mp.fsum(terms) / mp.mpf(2) ** k


def _call(row: str, v: float) -> Callable[[Any, Any], Any]:
    if "v" in row:
        return lambda xp, x: getattr(xp, row)(v, x)
    return lambda xp, x: getattr(xp, row)(x)


def bessel(row: str, v: float, *points: float) -> Truth:
    """A Bessel function of order v."""
    orders = partial(_bessel_order, row[0], v)
    return Truth(row, _call(row, v), lambda x: orders(x, 0), points, orders)


def scaled(row: str, v: float, *points: float) -> Truth:
    """A Bessel function times e**-|x| (I) or e**x (K): Leibniz' rule."""

    def orders(x: Any, k: int) -> Any:
        rate = 1 if row[0] == "k" else -mp.sign(x)
        parts = (mp.binomial(k, j) * rate ** (k - j) * _bessel_order(row[0], v, x, j) for j in range(k + 1))
        return mp.exp(rate * x) * mp.fsum(parts)

    return Truth(row, _call(row, v), lambda x: orders(x, 0), points, orders)


def _log_gamma(x: Any) -> Any:
    return mp.loggamma(x)


def _log_beta(a: Any, b: Any) -> Any:
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


def _multi(a: Any) -> Any:
    return 3 * mp.log(mp.pi) / 2 + sum(mp.loggamma(a - mp.mpf(j) / 2) for j in range(3))


def _lower(a: Any, x: Any) -> Any:
    return mp.gammainc(a, 0, x, regularized=True)


def _upper(a: Any, x: Any) -> Any:
    return mp.gammainc(a, x, mp.inf, regularized=True)


def _share(a: Any, b: Any, x: Any) -> Any:
    return mp.betainc(a, b, 0, x, regularized=True)


def _quantile(p: Any) -> Any:
    return mp.sqrt(2) * mp.erfinv(2 * p - 1)


def _kl(x: Any, y: Any) -> Any:
    return x * mp.log(x / y) - x + y


def _relative(x: Any, y: Any) -> Any:
    return x * mp.log(x / y)


def _lambert(x: Any) -> Any:
    return mp.lambertw(x)


J0_ZERO, J1_ZERO, Y0_ZERO, EI_ZERO = 2.404825557695773, 3.8317059702075125, 0.8935769662791675, 0.37250741078136663
WAVES = (0.01, 1.0, 7.5, 40.0, 300.0)
TRUTHS: tuple[Truth, ...] = (
    one("gamma", mp.gamma, 1e-5, 0.3, 1.4616, 20.0, 150.0, -0.5, -3.3),
    one("rgamma", mp.rgamma, -3.0, -2.999, 0.0, 1e-5, 0.499, 0.501, 30.0),
    one("gammaln", _log_gamma, 1e-5, 0.999, 1.0001, 2.0001, 30.0, 1e5),
    one("digamma", mp.digamma, 1e-5, 0.3, 1.4616, 30.0, 1e5, -0.5),
    one("trigamma", lambda x: mp.psi(1, x), 1e-3, 0.5, 2.0, 30.0, 1e3),
    last("polygamma", (2.0,), lambda n, x: mp.psi(2, x), 1e-3, 0.5, 2.0, 30.0, 1e3, -0.5),
    front("beta", 2.5, mp.beta, 1e-3, 0.5, 3.0, 30.0, 1e3),
    last("beta", (2.5,), mp.beta, 1e-3, 0.5, 3.0, 30.0, 1e3),
    front("betaln", 2.5, _log_beta, 1e-3, 0.5, 3.0, 30.0, 1e4),
    last("betaln", (2.5,), _log_beta, 1e-3, 0.5, 3.0, 30.0, 1e4),
    front("binom", 2.5, mp.binomial, 2.6, 4.0, 10.0, 30.0, 300.0),
    last("binom", (10.0,), mp.binomial, 0.1, 3.3, 5.0, 7.5, 9.7),
    one("multigammaln", _multi, 1.01, 2.0, 5.0, 30.0, 1e4, d=3),
    last("zeta", (2.5,), mp.zeta, 1e-3, 0.5, 2.0, 30.0, 1e3),
    *(last("gammainc", (a,), _lower, *x) for a, x in (
        (0.5, (1e-6, 0.5, 3.0, 20.0)), (1.0, (1e-6, 0.5, 20.0)), (3.0, (1e-6, 0.5, 3.0, 60.0)),
        (49.5, (20.0, 48.0, 90.0)), (51.0, (20.0, 52.0, 90.0)))),
    *(last("gammaincc", (a,), _upper, *x) for a, x in (
        (0.5, (1e-6, 0.5, 3.0)), (2.0, (1e-6, 20.0, 499.0, 501.0)), (51.0, (20.0, 60.0, 250.0)))),
    *(last("betainc", (a, b), _share, *x) for a, b, x in (
        (0.5, 0.5, (1e-6, 0.3, 0.999)), (2.0, 3.0, (1e-6, 0.3, 0.5, 0.999)), (80.0, 90.0, (0.3, 0.5, 0.7)))),
    one("exp1", mp.e1, 1e-8, 0.5, 3.0, 50.0, 600.0),
    one("expi", mp.ei, -50.0, -1.0, 1e-8, EI_ZERO, 3.0, 50.0, 600.0),
    *(last("expn", (n,), lambda n, x: mp.expint(int(n), x), 1e-3, 0.5, 3.0, 50.0) for n in (0.0, 1.0, 3.0, 6.0)),
    one("lambertw", _lambert, -0.3678, -0.36, -0.35, 0.0, 1e-8, 1.0, 1e5),
    one("lambertw", lambda x: mp.lambertw(x, -1), -0.3678, -0.36, -0.35, -0.1, -1e-8, -1e-50, k=-1),
    one("ndtri", _quantile, 1e-10, 0.01, 0.3, 0.5, 0.999),
    one("erfcinv", lambda p: mp.erfinv(1 - p), 1e-10, 0.01, 0.6, 1.0, 1.2, 1.999),
    one("erfinv", mp.erfinv, -0.999, 0.0, 1e-5, 0.5, 1 - 2.0**-30),
    one("expit", lambda x: 1 / (1 + mp.exp(-x)), -50.0, -3.0, 0.1, 3.0, 50.0),
    one("log_expit", lambda x: -mp.log1p(mp.exp(-x)), -50.0, -3.0, 0.0, 3.0, 50.0, 300.0),
    one("softplus", lambda x: mp.log1p(mp.exp(x)), -300.0, -50.0, -3.0, 0.0, 3.0, 50.0),
    one("logit", lambda x: mp.log(x / (1 - x)), 1e-10, 0.01, 0.4, 0.9, 1 - 2.0**-30),
    one("entr", lambda x: -x * mp.log(x), 1e-10, 0.3, 1.0, 5.0, 1e5),
    front("rel_entr", 0.5, _relative, 1e-10, 0.3, 0.4999999, 0.5, 5.0, 1e5),
    last("rel_entr", (0.5,), _relative, 1e-10, 0.3, 0.4999999, 5.0, 1e5),
    front("kl_terms", 0.5, _kl, 1e-10, 0.3, 0.4999999, 5.0, 1e5),
    last("kl_terms", (0.5,), _kl, 1e-10, 0.3, 0.4999999, 5.0, 1e5),
    front("xlogy", 3.0, lambda x, y: x * mp.log(y), 0.0, 1e-5, 1.0, 2.0, 1e5),
    last("xlogy", (2.0,), lambda x, y: x * mp.log(y), 1e-10, 0.5, 1.0, 2.0, 1e5),
    last("xlog1py", (2.0,), lambda x, y: x * mp.log1p(y), -0.999, -1e-9, 1e-9, 1.0, 1e5),
    one("erf", mp.erf, -6.0, 0.0, 0.1, 1.0, 3.0),
    one("erfc", mp.erfc, -6.0, 0.1, 3.0, 9.0, 20.0),
    one("erfcx", lambda x: mp.exp(x * x) * mp.erfc(x), -5.0, 0.1, 3.0, 7.9, 8.1, 20.0, 1e5),
    one("ndtr", mp.ncdf, -30.0, -3.0, 0.1, 3.0, 8.0),
    one("log_ndtr", lambda x: mp.log(mp.ncdf(x)), -100.0, -30.0, -8.0, -1.01, -0.99, 0.1, 8.0),
    one("sinc", lambda x: mp.sinc(mp.pi * x), 0.0, 1e-5, 0.499, 0.501, 1.0, 7.3, 40.1),
    one("spherical_j0", mp.sinc, 0.0, 1e-5, 0.5, 1.5, 1.6, 30.0),
    bessel("jv", 2.0, *WAVES), bessel("jv", 0.5, *WAVES), bessel("yv", 2.0, *WAVES), bessel("kv", 2.0, *WAVES),
    bessel("iv", 2.0, 0.01, -1.0, 7.5, 40.0, 300.0),
    scaled("ive", 2.0, 0.01, 1.0, 10.0, 29.9, 30.1, -40.0, 300.0), scaled("ive", 1.0, 0.01, -1.0, -40.0, 300.0),
    scaled("kve", 2.0, 0.01, 1.0, 10.0, 29.9, 30.1, 300.0),
    bessel("j0", 0.0, 0.0, 1e-8, -2.0, J0_ZERO, 30.0, 1e3), bessel("j1", 1.0, 0.0, 1e-8, -2.0, J1_ZERO, 30.0, 1e3),
    bessel("y0", 0.0, 1e-4, Y0_ZERO, 3.0, 30.0, 1e3), bessel("y1", 1.0, 1e-4, 0.5, 3.0, 30.0, 1e3),
    bessel("i0", 0.0, 0.0, 1e-8, -2.0, 7.9, 30.0, 600.0), bessel("i1", 1.0, 0.0, 1e-8, -2.0, 7.9, 30.0, 600.0),
    bessel("k0", 0.0, 1e-4, 0.5, 2.1, 30.0, 600.0), bessel("k1", 1.0, 1e-4, 0.5, 2.1, 30.0, 600.0),
    scaled("i0e", 0.0, 1e-4, -3.0, 10.0, 25.9, 26.1, -40.0, 600.0),
    scaled("i1e", 1.0, 1e-4, -3.0, 10.0, 26.9, 27.1, -40.0, 600.0),
    scaled("k0e", 0.0, 1e-4, 0.5, 10.0, 25.9, 26.1, 600.0), scaled("k1e", 1.0, 1e-4, 0.5, 10.0, 26.9, 27.1, 600.0),
)  # fmt: skip
