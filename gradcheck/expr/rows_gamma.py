"""What are the slopes of the functions around the gamma function?

Formulas: NIST Digital Library of Mathematical Functions (DLMF), chapters 5 (gamma, beta), 8 (incomplete gamma and
beta), 25 (zeta), 35 (multivariate gamma). The derivatives of incomplete functions by their parameters, and of zeta by
its exponent, have no closed form: they are `Unknown`.
"""

from __future__ import annotations

from math import log, pi

from gradcheck.expr.composition import composition
from gradcheck.expr.lazy_special import special
from gradcheck.expr.primitive import Namespace, Primitive, Slope, Value
from gradcheck.expr.rules import like
from gradcheck.expr.unknown import Unknown

MODEST_SHAPE, MODEST_POINT = 50.0, 500.0  # x**(a - 1), e**-x and 1/gamma(a) neither overflow nor underflow below these
MODEST_SHAPES = 100.0  # nor do x**(a - 1) (1 - x)**(b - 1) and 1/beta(a, b) where a + b is below this
NEXT_TO_NOTHING = 1e-30  # the density of a shape of 50 or more is 0 in float64 from here down


def sine_of_pi(xp: Namespace, x: Value) -> tuple[Value, Value]:
    """sin(pi x) and cos(pi x), with zeros exactly at the integers and the halves' digits kept around them."""
    whole = xp.stop_gradient(xp.round(x))
    sign = xp.subtract(1.0, xp.multiply(2.0, xp.remainder(whole, 2.0)))
    rest = xp.multiply(pi, xp.subtract(x, whole))
    return xp.multiply(sign, xp.sin(rest)), xp.multiply(sign, xp.cos(rest))


def _rgamma_slope(xp: Namespace, y: Value, x: Value) -> Value:
    """-digamma(x) / gamma(x); left of 1/2, where digamma has poles, the slope of gamma(1 - x) sin(pi x) / pi."""
    left = xp.less(x, 0.5)
    right = xp.negative(xp.multiply(xp.digamma(xp.where(left, 1.0, x)), xp.rgamma(xp.where(left, 1.0, x))))
    x = xp.where(left, x, 0.0)
    mirrored = xp.subtract(1.0, x)
    sine, cosine = sine_of_pi(xp, x)
    turned = xp.subtract(cosine, xp.multiply(xp.divide(sine, pi), xp.digamma(mirrored)))
    return xp.where(left, xp.multiply(xp.gamma(mirrored), turned), right)


def _psi_difference(xp: Namespace, a: Value, b: Value) -> Value:
    """digamma(a) - digamma(a + b): the logarithmic slope of the beta function by a."""
    return xp.subtract(xp.digamma(a), xp.digamma(xp.add(a, b)))


def _gamma_density(xp: Namespace, a: Value, x: Value) -> Value:
    """x**(a - 1) e**-x / gamma(a), by powers where they stay modest and by logarithms elsewhere."""
    modest = xp.logical_and(xp.less(a, MODEST_SHAPE), xp.less(x, MODEST_POINT))
    shape, point = xp.where(modest, a, 1.0), xp.where(modest, x, 1.0)
    power = xp.multiply(xp.pow(point, xp.subtract(shape, 1.0)), xp.exp(xp.negative(point)))
    large = xp.maximum(xp.where(modest, 1.0, x), NEXT_TO_NOTHING)
    exponent = xp.subtract(xp.xlogy(xp.subtract(a, 1.0), large), xp.add(large, xp.gammaln(a)))
    return xp.where(modest, xp.multiply(power, xp.rgamma(shape)), xp.exp(exponent))


def _beta_density(xp: Namespace, a: Value, b: Value, x: Value) -> Value:
    """x**(a - 1) (1 - x)**(b - 1) / beta(a, b), by powers where they stay modest and by logarithms elsewhere."""
    modest = xp.less(xp.add(a, b), MODEST_SHAPES)
    one, two, point = xp.where(modest, a, 1.0), xp.where(modest, b, 1.0), xp.where(modest, x, 0.5)
    left = xp.pow(point, xp.subtract(one, 1.0))
    right = xp.pow(xp.subtract(1.0, point), xp.subtract(two, 1.0))
    rest = xp.where(modest, 0.5, x)
    logs = xp.add(xp.xlogy(xp.subtract(a, 1.0), rest), xp.xlog1py(xp.subtract(b, 1.0), xp.negative(rest)))
    by_logs = xp.exp(xp.subtract(logs, xp.betaln(a, b)))
    return xp.where(modest, xp.divide(xp.multiply(left, right), xp.beta(one, two)), by_logs)


def _multigammaln(xp: Namespace, a: Value, d: int) -> Value:
    """The logarithm of the multivariate gamma function of dimension d (DLMF 35.3.4)."""
    if int(d) != d or d < 1:
        raise ValueError(f"multigammaln: the dimension is a whole number from 1 on, got {d}")
    total: Value = d * (d - 1) / 4.0 * log(pi)
    for j in range(int(d)):
        total = xp.add(total, xp.gammaln(xp.subtract(a, 0.5 * j)))
    return total


def _above(xp: Namespace, x: Value) -> Value:
    """x + 1; a plain number stays one, which an array of single precision needs."""
    return float(x) + 1.0 if isinstance(x, int | float) else xp.add(x, 1.0)


def _binom(xp: Namespace, n: Value, k: Value) -> Value:
    """1 / ((n + 1) beta(n - k + 1, k + 1)), which is a binomial coefficient for any real n >= k >= 0."""
    n, k = like(n, k), like(k, n)
    rest = xp.add(xp.subtract(n, k), 1.0)
    return xp.reciprocal(xp.multiply(_above(xp, n), xp.beta(rest, _above(xp, k))))


_gammainc_slope: Slope = lambda xp, y, a, x: _gamma_density(xp, a, x)  # noqa: E731
_gammaincc_slope: Slope = lambda xp, y, a, x: xp.negative(_gamma_density(xp, a, x))  # noqa: E731
_betainc_slope: Slope = lambda xp, y, a, b, x: _beta_density(xp, a, b, x)  # noqa: E731

GAMMA: tuple[Primitive, ...] = (
    Primitive(
        "gamma",
        1,
        special.gamma,
        slopes=(lambda xp, y, x: xp.multiply(y, xp.digamma(x)),),
        jax="jax.scipy.special.gamma",
        latex=r"\Gamma\left({0}\right)",
        domain="not 0, -1, -2, …",
        analytic=True,
        note="DLMF 5.2.2",
    ),
    Primitive(
        "rgamma",
        1,
        special.rgamma,
        slopes=(_rgamma_slope,),
        latex=r"{{\Gamma\left({0}\right)}}^{{-1}}",
        analytic=True,
        note="DLMF 5.2.2, and 5.5.3 to the left of 1/2",
    ),
    Primitive(
        "beta",
        2,
        special.beta,
        slopes=(
            lambda xp, y, a, b: xp.multiply(y, _psi_difference(xp, a, b)),
            lambda xp, y, a, b: xp.multiply(y, _psi_difference(xp, b, a)),
        ),
        jax="jax.scipy.special.beta",
        latex=r"\mathrm{{B}}\left({0}, {1}\right)",
        domain="positive",
        note="DLMF 5.12.1 and 5.2.2",
    ),
    Primitive(
        "betaln",
        2,
        special.betaln,
        slopes=(
            lambda xp, y, a, b: _psi_difference(xp, a, b),
            lambda xp, y, a, b: _psi_difference(xp, b, a),
        ),
        jax="jax.scipy.special.betaln",
        latex=r"\ln\mathrm{{B}}\left({0}, {1}\right)",
        domain="positive",
        aliases=("lbeta",),
        note="DLMF 5.12.1 and 5.2.2",
    ),
    composition("binom", 2, _binom, latex=r"\binom{{{0}}}{{{1}}}", domain="{0} >= {1} >= 0", note="DLMF 1.2.1, 5.12.1"),
    composition(
        "multigammaln",
        1,
        _multigammaln,
        params=("d",),
        jax="jax.scipy.special.multigammaln",
        domain="{0} > (d - 1)/2",
        aliases=("mvlgamma",),
        note="DLMF 35.3.4",
    ),
    composition(
        "trigamma",
        1,
        lambda xp, x: xp.polygamma(1.0, x),
        latex=r"\psi'\left({0}\right)",
        domain="positive",
        note="DLMF 5.15.1",
    ),
    Primitive(
        "zeta",
        2,
        special.zeta,
        slopes=(
            Unknown("zeta", "its exponent s"),
            lambda xp, y, s, q: xp.negative(xp.multiply(s, xp.zeta(xp.add(s, 1.0), q))),
        ),
        torch="torch.special.zeta",
        jax="jax.scipy.special.zeta",
        latex=r"\zeta\left({0}, {1}\right)",
        domain="{0} > 1, {1} > 0",
        note="Hurwitz's; DLMF 25.11.17",
    ),
    Primitive(
        "gammainc",
        2,
        special.gammainc,
        slopes=(Unknown("gammainc", "its shape a"), _gammainc_slope),
        torch="torch.special.gammainc",
        jax="jax.scipy.special.gammainc",
        latex=r"P\left({0}, {1}\right)",
        domain="{0} > 0, {1} >= 0",
        aliases=("igamma",),
        note="regularized; DLMF 8.2.4, 8.8.13",
    ),
    Primitive(
        "gammaincc",
        2,
        special.gammaincc,
        slopes=(Unknown("gammaincc", "its shape a"), _gammaincc_slope),
        torch="torch.special.gammaincc",
        jax="jax.scipy.special.gammaincc",
        latex=r"Q\left({0}, {1}\right)",
        domain="{0} > 0, {1} >= 0",
        aliases=("igammac",),
        note="regularized; DLMF 8.2.4, 8.8.13",
    ),
    Primitive(
        "betainc",
        3,
        special.betainc,
        slopes=(Unknown("betainc", "its shape a"), Unknown("betainc", "its shape b"), _betainc_slope),
        jax="jax.scipy.special.betainc",
        latex=r"I_{{{2}}}\left({0}, {1}\right)",
        domain="{0} > 0, {1} > 0, {2} in [0, 1]",
        note="regularized; DLMF 8.17.1, 8.17.2",
    ),
)
