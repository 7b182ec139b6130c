"""Which functions of one number are differentiated, and at which points? Eleven families, 100 points a function.

A function is written once, against a namespace `m` (see `namespaces`): float64 for those that differentiate, mpmath for
the truth. No point lies on a kink or a jump; many lie near one. What is rounded inside (`float32`, `digits`) is noise
of a smooth function, whose derivative is the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Points = Callable[[np.random.Generator, int], Array]
INF = np.inf


def uniform(low: float, high: float) -> Points:
    return lambda rng, count: rng.uniform(low, high, count)


def powers(low: float, high: float, center: float = 0.0, side: float = 1.0) -> Points:
    """Points at a distance of 10**low to 10**high above (side=1) or below (-1) a center."""
    return lambda rng, count: center + side * 10.0 ** rng.uniform(low, high, count)


def around(low: float, high: float, center: float) -> Points:
    """As `powers`, on both sides."""
    return lambda rng, count: center + rng.choice([-1.0, 1.0], count) * 10.0 ** rng.uniform(low, high, count)


@dataclass(frozen=True)
class Row:
    """One function: its domain is (low, high), which we are told and the peers cannot be."""

    family: str
    name: str
    value: Callable[[Any, Any], Any]
    points: Points
    low: float = -INF
    high: float = INF


REAL, POSITIVE, SPREAD = uniform(-3, 3), uniform(0.05, 5), powers(-8, 3)

SMOOTH = (
    ("square", lambda m, x: x * x, REAL),
    ("cubic", lambda m, x: x**3 - 2 * x, REAL),
    ("quintic", lambda m, x: x**5, REAL),
    ("reciprocal", lambda m, x: 1 / x, SPREAD),
    ("runge", lambda m, x: 1 / (1 + 25 * x * x), REAL),
    ("exp", lambda m, x: m.exp(x), REAL),
    ("gaussian", lambda m, x: m.exp(-x * x), REAL),
    ("log", lambda m, x: m.log(x), SPREAD, 0.0),
    ("log1p", lambda m, x: m.log1p(x), POSITIVE, -1.0),
    ("sqrt", lambda m, x: m.sqrt(x), SPREAD, 0.0),
    ("cbrt", lambda m, x: m.cbrt(x), SPREAD),
    ("power", lambda m, x: x**2.7, POSITIVE, 0.0),
    ("power_self", lambda m, x: x**x, POSITIVE, 0.0),
    ("atan", lambda m, x: m.atan(x), REAL),
    ("asinh", lambda m, x: m.asinh(x), REAL),
    ("tanh", lambda m, x: m.tanh(x), REAL),
    ("softplus", lambda m, x: m.logaddexp(0.0, x), REAL),
    ("rational", lambda m, x: (x * x + 1) / (x**4 + x + 2), REAL),
    ("x_log_x", lambda m, x: x * m.log(x), SPREAD, 0.0),
)
OSCILLATING = (
    ("sin", lambda m, x: m.sin(x), REAL),
    ("cos", lambda m, x: m.cos(x), REAL),
    ("sin_far", lambda m, x: m.sin(x), uniform(100, 1000)),
    ("sin_1000x", lambda m, x: m.sin(1000 * x), REAL),
    ("sin_1e6x", lambda m, x: m.sin(1e6 * x), REAL),
    ("chirp", lambda m, x: m.sin(10 * x * x), REAL),
    ("sin_reciprocal", lambda m, x: m.sin(1 / x), powers(-3, 0)),
    ("two_tones", lambda m, x: m.sin(x) + 1e-3 * m.sin(1000 * x), REAL),
    ("faint_tone", lambda m, x: m.sin(x) + 1e-9 * m.sin(1e6 * x), REAL),
    ("tone_of_steps", lambda m, x: m.cos(2 * m.pi * 8 * x) + x, uniform(0.5, 8)),
    ("modulated", lambda m, x: m.exp(-x) * m.cos(30 * x), POSITIVE),
    ("tan", lambda m, x: m.tan(x), uniform(-1.5, 1.5)),
)
STEEP = (
    ("exp_far", lambda m, x: m.exp(x), uniform(-40, 40)),
    ("exp_50x", lambda m, x: m.exp(50 * x), REAL),
    ("gaussian_tail", lambda m, x: m.exp(-x * x), uniform(8, 20)),
    ("tanh_sharp", lambda m, x: m.tanh(1000 * (x - 1)), around(-5, -2.5, 1.0)),
    ("softplus_sharp", lambda m, x: m.logaddexp(0.0, 1e4 * x) / 1e4, uniform(-3e-3, 3e-3)),
    ("sigmoid_tail", lambda m, x: m.expit(x), uniform(-300, -20)),
    ("tan_pole", lambda m, x: m.tan(x), powers(-6, -2, np.pi / 2, -1)),
    ("power_40", lambda m, x: x**40, POSITIVE),
    ("pole", lambda m, x: 1 / (x - 1) ** 3, around(-4, -1, 1.0)),
    ("bump", lambda m, x: m.exp(-1 / (1 - x * x)), uniform(-0.999, 0.999), -1.0, 1.0),
)
CANCELLING = (
    ("one_minus_cos", lambda m, x: 1 - m.cos(x), powers(-6, -1)),
    ("horner", lambda m, x: ((x - 3) * x + 3) * x - 1, around(-4, 0, 1.0)),
    ("big_constant", lambda m, x: m.sin(x) + 1e8, REAL),
    ("sinc_less_one", lambda m, x: m.sin(x) / x - 1, powers(-3, 0)),
    ("exp_less_taylor", lambda m, x: m.exp(x) - 1 - x, powers(-5, 0)),
    ("roots_apart", lambda m, x: m.sqrt(x + 1) - m.sqrt(x), powers(0, 7), 0.0),
    ("stationary", lambda m, x: (x - 1) ** 2, around(-7, -2, 1.0)),
    ("tail_of_one", lambda m, x: m.tanh(x), uniform(8, 18)),
    ("gelu_tail", lambda m, x: 0.5 * x * (1 + m.erf(x / 2**0.5)), uniform(-9, -3)),
    ("cos_near_0", lambda m, x: m.cos(x), powers(-5, -1)),
)
SCALES = (
    ("huge", lambda m, x: 1e20 * m.exp(x * 1e-20), uniform(1e19, 3e20)),
    ("minute", lambda m, x: 1e-20 * m.cos(x * 1e20), uniform(1e-21, 3e-20)),
    ("tiny_height", lambda m, x: 1e-20 * m.sin(x), REAL),
    ("tiny_width", lambda m, x: m.sin(1e20 * x), uniform(-3e-20, 3e-20)),
    ("every_size", lambda m, x: x**1.5, powers(-20, 20), 0.0),
    ("log_every_size", lambda m, x: m.log(x), powers(-20, 20), 0.0),
    ("far_from_own_size", lambda m, x: m.exp(x), powers(-9, -3)),
    ("big_and_small", lambda m, x: 1e20 * m.sin(1e-10 * x) + m.sin(x), uniform(0.5, 3)),
    ("lorentz", lambda m, x: x / (1 + x * x), powers(-6, 6)),
)
EDGES = (
    ("log_edge", lambda m, x: m.log(x - 1), powers(-9, -1, 1.0), 1.0),
    ("sqrt_edge", lambda m, x: m.sqrt(x - 1), powers(-9, -1, 1.0), 1.0),
    ("asin_edge", lambda m, x: m.asin(x), powers(-10, -2, 1.0, -1), -1.0, 1.0),
    ("acosh_edge", lambda m, x: m.acosh(x), powers(-10, -2, 1.0), 1.0),
    ("log1p_edge", lambda m, x: m.log1p(x), powers(-10, -2, -1.0), -1.0),
    ("atanh_edge", lambda m, x: m.atanh(x), powers(-8, -1, 1.0, -1), -1.0, 1.0),
    ("entropy", lambda m, x: -x * m.log(x) - (1 - x) * m.log(1 - x), powers(-8, -0.4), 0.0, 1.0),
    ("edge_of_a_smooth_one", lambda m, x: m.exp(x), powers(-9, 0), 0.0),
    ("power_edge", lambda m, x: (2 - x) ** 1.5, powers(-8, -0.5, 2.0, -1), -INF, 2.0),
    ("at_the_edge", lambda m, x: m.sin(x) + x, lambda r, n: np.full(n, 1.0), 1.0, INF),
)
KINKS = (
    ("abs", lambda m, x: m.abs(x), REAL),
    ("abs_near", lambda m, x: m.abs(x - 1) + 2 * x, around(-9, -0.5, 1.0)),
    ("relu_near", lambda m, x: m.maximum(x - 1, 0.0), around(-9, -0.5, 1.0)),
    ("clip_near", lambda m, x: m.minimum(m.maximum(x, -1.0), 1.0) + 0.5 * x, around(-7, -0.5, 1.0)),
    ("abs_sin_near", lambda m, x: m.abs(m.sin(x)), around(-8, -0.5, 3.0)),
    ("faint_kink", lambda m, x: m.exp(x) + 1e-5 * m.abs(x - 1), around(-7, -0.5, 1.0)),
    ("second_order_kink", lambda m, x: m.exp(x) + (x - 1) * m.abs(x - 1), around(-6, -0.5, 1.0)),
    ("max_of_two", lambda m, x: m.maximum(m.sin(x), m.cos(x)), REAL),
    ("kinks_all_over", lambda m, x: m.abs(m.sin(20 * x)), REAL),
)
PIECES = (
    ("two_parabolas", lambda m, x: m.where(x < 1, x * x, 2 * x - 1), REAL),
    ("jump_near", lambda m, x: m.where(x < 1, m.sin(x), m.sin(x) + 1), around(-8, -0.5, 1.0)),
    ("faint_jump_near", lambda m, x: m.where(x < 1, m.exp(x), m.exp(x) + 1e-6), around(-8, -0.5, 1.0)),
    ("stairs_on_a_slope", lambda m, x: m.floor(3 * x) + m.exp(x), REAL),
    ("sawtooth", lambda m, x: x - m.floor(x), REAL),
    ("huber", lambda m, x: m.where(m.abs(x) < 1, 0.5 * x * x, m.abs(x) - 0.5), REAL),
    ("flat_piece", lambda m, x: m.where(x < 1, 0.0 * x + 2.0, 2.0 + (x - 1) ** 2), REAL),
    ("spline", lambda m, x: m.where(x < 1, x**3, 3 * x * x - 3 * x + 1), REAL),
)
BRANCHES = (
    ("angle_cut", lambda m, x: m.angle(x - 3, 0.0 * x + 1e-3 * (x - 1)), around(-6, -0.5, 1.0)),
    ("log_cut", lambda m, x: m.log_imag(-1 - x, 0.1 * (x - 2)), around(-6, -0.5, 2.0)),
    ("sqrt_cut", lambda m, x: m.sqrt_imag(-x, x - 1), around(-6, -0.5, 1.0)),
    ("power_cut", lambda m, x: m.power_real(-x, x * x - 1, 0.4), around(-6, -0.5, 1.0)),
    ("atan_reciprocal", lambda m, x: m.atan(1 / x), around(-6, 0, 0.0)),
    ("turn", lambda m, x: m.atan2(m.sin(x), m.cos(x)), uniform(2.5, 3.8)),
    ("lambert_branch", lambda m, x: m.lambert(x), powers(-6, -1, -float(np.exp(-1.0))), -float(np.exp(-1.0)) + 1e-16),
    ("lambert_below", lambda m, x: m.lambert_below(x), lambda r, n: -(10.0 ** r.uniform(-6, -0.5, n)), -0.36, 0.0),
)
NOISY = (
    ("float32_exp", lambda m, x: m.float32(m.exp(x)), REAL),
    ("float32_sin", lambda m, x: m.float32(m.sin(x)), REAL),
    ("float32_inside", lambda m, x: m.exp(m.float32(m.sin(x))), REAL),
    ("float32_steps", lambda m, x: m.float32(m.float32(m.exp(x)) * m.float32(m.cos(x)) + 1.0), REAL),
    ("float32_argument", lambda m, x: m.sin(3 * m.float32(x)) + m.cos(x), REAL),
    ("float16_exp", lambda m, x: m.float16(m.exp(x)), uniform(-2, 2)),
    ("eight_decimals", lambda m, x: m.digits(m.sin(x), 8), REAL),
    ("long_sum", lambda m, x: m.sin(x) + (m.exp(20 * x / x) + m.cos(3 * x)) - m.exp(20 * x / x), REAL),
    ("float32_square", lambda m, x: m.float32(m.float32(x * x) + m.sin(x)), POSITIVE),
)
SPECIAL = (
    ("gamma", lambda m, x: m.gamma(x), POSITIVE),
    ("gamma_between_poles", lambda m, x: m.gamma(x), uniform(-2.95, -2.05)),
    ("lgamma", lambda m, x: m.lgamma(x), POSITIVE, 0.0),
    ("lgamma_at_1e-8", lambda m, x: m.lgamma(x), powers(-9, -6), 0.0),
    ("digamma", lambda m, x: m.digamma(x), POSITIVE, 0.0),
    ("erf", lambda m, x: m.erf(x), REAL),
    ("erfc_tail", lambda m, x: m.erfc(x), uniform(3, 20)),
    ("ndtr", lambda m, x: m.ndtr(x), uniform(-10, 3)),
    ("expi", lambda m, x: m.expi(x), POSITIVE, 0.0),
    ("exp1", lambda m, x: m.exp1(x), POSITIVE, 0.0),
    ("sine_integral", lambda m, x: m.si(x), uniform(0.1, 20)),
    ("fresnel", lambda m, x: m.fresnel(x), POSITIVE),
    ("dawson", lambda m, x: m.dawson(x), REAL),
    ("lambert", lambda m, x: m.lambert(x), POSITIVE),
    ("bessel_j0", lambda m, x: m.j(0, x), uniform(0.1, 20)),
    ("bessel_j3", lambda m, x: m.j(3, x), uniform(0.1, 20)),
    ("bessel_y1", lambda m, x: m.y(1, x), uniform(0.1, 20), 0.0),
    ("bessel_i0", lambda m, x: m.i(0, x), REAL),
    ("bessel_k0", lambda m, x: m.k(0, x), POSITIVE, 0.0),
    ("airy", lambda m, x: m.airy(x), uniform(-8, 5)),
    ("elliptic_k", lambda m, x: m.ellipk(x), uniform(-3, 0.99), -INF, 1.0),
    ("elliptic_e", lambda m, x: m.ellipe(x), uniform(-3, 0.99), -INF, 1.0),
    ("zeta", lambda m, x: m.zeta(x), uniform(1.05, 8), 1.0),
    ("beta", lambda m, x: m.beta(x, 2.5), POSITIVE, 0.0),
    ("gammainc", lambda m, x: m.gammainc(2.5, x), POSITIVE, 0.0),
    ("legendre_7", lambda m, x: m.legendre(7, x), uniform(-1, 1)),
    ("hyp2f1", lambda m, x: m.hyp2f1(0.5, 1.5, 2.5, x), uniform(-0.9, 0.9), -INF, 1.0),
    ("hyp1f1", lambda m, x: m.hyp1f1(0.5, 1.5, x), REAL),
)

FAMILIES: dict[str, tuple[Any, ...]] = {
    "smooth": SMOOTH,
    "oscillating": OSCILLATING,
    "steep": STEEP,
    "cancelling": CANCELLING,
    "scales 1e-20..1e20": SCALES,
    "edge of the domain": EDGES,
    "kink nearby": KINKS,
    "pieces and jumps": PIECES,
    "branch cuts": BRANCHES,
    "noisy": NOISY,
    "special": SPECIAL,
}
ROWS = tuple(Row(family, *row) for family, rows in FAMILIES.items() for row in rows)
