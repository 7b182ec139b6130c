"""The functions whose slopes the ladder is asked for: NumPy for samples, mpmath for the truth, points to stand at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import mpmath as mp
import numpy as np
from scipy import special

Points = Callable[[np.random.Generator, int], np.ndarray]
Formula = Callable[[mp.mpf], mp.mpf]


def uniform(low: float, high: float) -> Points:
    return lambda rng, count: rng.uniform(low, high, count)


def magnitudes(low: float, high: float, center: float = 0.0) -> Points:
    return lambda rng, count: center + 10.0 ** rng.uniform(low, high, count)


@dataclass(frozen=True)
class Row:
    name: str
    value: Callable[[np.ndarray], np.ndarray]
    truth: Formula  # the derivative, written out or left to mpmath
    points: Points
    smooth: bool = True  # well conditioned on its points: the median bar is held to 1e-9
    low: float = -np.inf
    high: float = np.inf
    wide: float | None = None


def by_mpmath(formula: Formula) -> Formula:
    return lambda x: mp.diff(formula, x, h=mp.mpf(10) ** -25 * max(abs(x), mp.mpf(10) ** -12))


def rounded(value: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: value(x).astype(np.float32).astype(np.float64)


REAL, POSITIVE = uniform(-3, 3), uniform(0.05, 5)
TINY, SPREAD = magnitudes(-9, -5), magnitudes(-8, 3)

ROWS = (
    Row("identity", lambda x: x, lambda x: mp.mpf(1), REAL),
    Row("square", lambda x: x * x, lambda x: 2 * x, REAL),
    Row("cubic", lambda x: x**3 - 2 * x, lambda x: 3 * x**2 - 2, REAL),
    Row("quintic", lambda x: x**5, lambda x: 5 * x**4, REAL),
    Row("horner", lambda x: ((x - 3) * x + 3) * x - 1, lambda x: 3 * (x - 1) ** 2, REAL),
    Row("reciprocal", lambda x: 1 / x, lambda x: -1 / x**2, SPREAD),
    Row("runge", lambda x: 1 / (1 + 25 * x * x), lambda x: -50 * x / (1 + 25 * x * x) ** 2, REAL),
    Row("exp", np.exp, mp.exp, REAL),
    Row("exp_far", np.exp, mp.exp, uniform(-40, 40)),
    Row("exp_steep", lambda x: np.exp(50 * x), lambda x: 50 * mp.exp(50 * x), REAL),
    Row("gaussian", lambda x: np.exp(-x * x), lambda x: -2 * x * mp.exp(-x * x), REAL),
    Row("gaussian_tail", lambda x: np.exp(-x * x), lambda x: -2 * x * mp.exp(-x * x), uniform(8, 20)),
    Row("expm1", np.expm1, mp.exp, REAL),
    Row("expm1_tiny", np.expm1, mp.exp, TINY),
    Row("log", np.log, lambda x: 1 / x, SPREAD, low=0.0),
    Row("log_at_1e-7", np.log, lambda x: 1 / x, magnitudes(-7.5, -6.5), low=0.0),
    Row("log1p", np.log1p, lambda x: 1 / (1 + x), POSITIVE),
    Row("log1p_edge", np.log1p, lambda x: 1 / (1 + x), magnitudes(-12, -2, -1.0), False, low=-1.0),
    Row("log2", np.log2, lambda x: 1 / (x * mp.log(2)), POSITIVE, low=0.0),
    Row("sqrt", np.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), SPREAD, low=0.0),
    Row(
        "sqrt_edge",
        lambda x: np.sqrt(x - 1),
        lambda x: 1 / (2 * mp.sqrt(x - 1)),
        magnitudes(-10, -1, 1.0),
        False,
        low=1,
    ),
    Row("cbrt", np.cbrt, lambda x: 1 / (3 * mp.cbrt(x) ** 2), SPREAD),
    Row("power", lambda x: x**2.7, lambda x: mp.mpf(2.7) * x ** (mp.mpf(2.7) - 1), POSITIVE, low=0.0),
    Row("power_self", lambda x: x**x, lambda x: x**x * (mp.log(x) + 1), POSITIVE, low=0.0),
    Row("sin", np.sin, mp.cos, REAL),
    Row("sin_far", np.sin, mp.cos, uniform(100, 1000)),
    Row("sin_1000x", lambda x: np.sin(1000 * x), lambda x: 1000 * mp.cos(1000 * x), REAL),
    Row("sin_1e6x", lambda x: np.sin(1e6 * x), lambda x: 10**6 * mp.cos(10**6 * x), REAL, False),
    Row("cos", np.cos, lambda x: -mp.sin(x), REAL),
    Row("cos_tiny", np.cos, lambda x: -mp.sin(x), TINY, False),
    Row("cos_tiny_wide", np.cos, lambda x: -mp.sin(x), TINY, False, wide=1.0),
    Row("one_minus_cos", lambda x: 1 - np.cos(x), mp.sin, TINY, False),
    Row("one_minus_cos_wide", lambda x: 1 - np.cos(x), mp.sin, TINY, False, wide=1.0),
    Row("tan", np.tan, lambda x: 1 / mp.cos(x) ** 2, uniform(-1.5, 1.5)),
    Row("tan_pole", np.tan, lambda x: 1 / mp.cos(x) ** 2, magnitudes(-6, -2, np.pi / 2), False),
    Row("asin", np.arcsin, lambda x: 1 / mp.sqrt(1 - x * x), uniform(-0.95, 0.95), low=-1.0, high=1.0),
    Row(
        "asin_edge",
        np.arcsin,
        lambda x: 1 / mp.sqrt(1 - x * x),
        lambda r, n: 1 - 10 ** r.uniform(-12, -3, n),
        False,
        -1,
        1,
    ),
    Row("acosh_edge", np.arccosh, lambda x: 1 / mp.sqrt(x * x - 1), magnitudes(-12, -2, 1.0), False, low=1.0),
    Row("atan", np.arctan, lambda x: 1 / (1 + x * x), REAL),
    Row("atanh", np.arctanh, lambda x: 1 / (1 - x * x), uniform(-0.95, 0.95), low=-1.0, high=1.0),
    Row("asinh", np.arcsinh, lambda x: 1 / mp.sqrt(1 + x * x), REAL),
    Row("sinh", np.sinh, mp.cosh, REAL),
    Row("tanh", np.tanh, lambda x: 1 / mp.cosh(x) ** 2, REAL),
    Row("tanh_tail", np.tanh, lambda x: 1 / mp.cosh(x) ** 2, uniform(8, 25), False),
    Row("sigmoid", special.expit, lambda x: mp.exp(-x) / (1 + mp.exp(-x)) ** 2, REAL),
    Row("sigmoid_tail", special.expit, lambda x: mp.exp(-x) / (1 + mp.exp(-x)) ** 2, uniform(15, 45), False),
    Row("softplus", lambda x: np.logaddexp(0, x), lambda x: 1 / (1 + mp.exp(-x)), REAL),
    Row(
        "softplus_sharp",
        lambda x: np.logaddexp(0, 1e4 * x) / 1e4,
        lambda x: 1 / (1 + mp.exp(-10000 * x)),
        uniform(-3e-3, 3e-3),
    ),
    Row("erf", special.erf, lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x), REAL),
    Row("erfc_tail", special.erfc, lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x), uniform(3, 20)),
    Row("gamma", special.gamma, by_mpmath(mp.gamma), POSITIVE),
    Row("lgamma", special.gammaln, mp.digamma, POSITIVE, low=0.0),
    Row("lgamma_at_1e-8", special.gammaln, mp.digamma, magnitudes(-8.5, -7.5), low=0.0),
    Row("bessel_j0", special.j0, lambda x: -mp.besselj(1, x), uniform(0.1, 20)),
    Row(
        "lambert",
        lambda x: special.lambertw(x).real,
        lambda x: mp.lambertw(x).real / (x * (1 + mp.lambertw(x).real)),
        POSITIVE,
    ),
    Row("gelu", lambda x: x * special.ndtr(x), by_mpmath(lambda x: x * mp.ncdf(x)), REAL),
    Row("sinc", lambda x: np.sin(x) / x, lambda x: (x * mp.cos(x) - mp.sin(x)) / x**2, POSITIVE),
    Row("sinc_small", lambda x: np.sin(x) / x, lambda x: (x * mp.cos(x) - mp.sin(x)) / x**2, magnitudes(-4, -2), False),
    Row("x_log_x", lambda x: x * np.log(x), lambda x: mp.log(x) + 1, SPREAD, low=0.0),
    Row("chirp", lambda x: np.sin(x * x * 10), lambda x: 20 * x * mp.cos(10 * x * x), REAL),
    Row("sin_reciprocal", lambda x: np.sin(1 / x), lambda x: -mp.cos(1 / x) / x**2, magnitudes(-3, 0)),
    Row("big_constant", lambda x: np.sin(x) + 1e8, mp.cos, REAL, False),
    Row("one_plus_x_tiny", lambda x: 1 + x, lambda x: mp.mpf(1), magnitudes(-13, -9), False),
    Row("float32_exp", rounded(np.exp), mp.exp, REAL, False),
    Row("float32_sin", rounded(np.sin), mp.cos, REAL, False),
    Row(
        "float32_inside",
        lambda x: np.exp(np.sin(x).astype(np.float32)).astype(float),
        lambda x: mp.cos(x) * mp.exp(mp.sin(x)),
        REAL,
        False,
    ),
    Row("abs_away", np.abs, lambda x: mp.sign(x), REAL),
    Row("abs_at_1e-9", np.abs, lambda x: mp.sign(x), magnitudes(-9.5, -8.5), wide=1.0),
    Row("abs_near", lambda x: np.abs(x - 1), lambda x: mp.sign(x - 1), magnitudes(-9, -1, 1.0), False),
    Row("relu_left", lambda x: np.maximum(x, 0), lambda x: mp.mpf(0), uniform(-3, -0.01), False),
    Row(
        "relu_near",
        lambda x: np.maximum(x - 1, 0),
        lambda x: mp.mpf(0),
        lambda r, n: 1 - 10 ** r.uniform(-9, -1, n),
        False,
    ),
    Row("clip", lambda x: np.clip(x, -1, 1), lambda x: mp.mpf(abs(x) < 1), REAL, False),
    Row("piecewise", lambda x: np.where(x < 1, x * x, 2 * x - 1), lambda x: 2 * min(x, mp.mpf(1)), REAL),
    Row("constant", lambda x: 0 * x + 7, lambda x: mp.mpf(0), REAL, False),
    Row("stationary", lambda x: (x - 1) ** 2, lambda x: 2 * (x - 1), magnitudes(-9, -3, 1.0), False),
    Row("huge", lambda x: 1e20 * np.exp(x * 1e-20), lambda x: mp.exp(x * mp.mpf(1e-20)), uniform(1e19, 3e20)),
    Row("minute", lambda x: 1e-20 * np.cos(x * 1e20), lambda x: -mp.sin(x * mp.mpf(1e20)), uniform(1e-21, 3e-20)),
)
