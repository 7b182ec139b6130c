"""Do the enclosures of the special functions hold what mpmath computes, another library, and are they narrow?"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from gradcheck.expr import VOCABULARY
from gradcheck.oracles.balls.flint_library import arb, precision
from gradcheck.oracles.balls.special import ENCLOSURES, ROWS

BITS = 106
NARROW = 80  # bits that a result at BITS must have of an exact, well-conditioned argument
DIGITS = 90  # of mpmath's working precision: what it returns is good to 60 at least, however its terms cancel
Holds = Callable[..., bool]
Lie = Callable[[Any], Any]
Point = tuple[float, ...]


def enclosed(name: str, point: Point, bits: int = BITS, **params: Any) -> Any:
    with precision(bits):
        return ENCLOSURES[name](*point, **params)[()]


def _erfcx(x: Any) -> Any:
    return mp.exp(x * x) * mp.erfc(x)


def _ndtr(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def _log_ndtr(x: Any) -> Any:
    return mp.log(_ndtr(x)) if x < 0 else mp.log1p(-_ndtr(-x))


def _quantile(p: Any) -> Any:
    """The root of ndtr(x) = p, from erfinv, which mpmath finds in more digits than p has zeros."""
    return mp.sqrt(2) * mp.erfinv(2 * p - 1)


def _beta_share(a: Any, b: Any, x: Any) -> Any:
    return mp.betainc(a, b, 0, x, regularized=True)


def _spherical(n: Any, x: Any) -> Any:
    size = mp.sqrt(mp.pi / (2 * abs(x))) * mp.besselj(n + 0.5, abs(x)) if x else mpmath.mpf(n == 0)
    return -size if x < 0 and int(n) % 2 else size


def _kl(x: Any, y: Any) -> Any:
    return x * mp.log(x / y) - x + y if x else y


def _scaled_i(v: Any, x: Any) -> Any:
    return mp.exp(-abs(x)) * mp.besseli(v, x)


def _scaled_k(v: Any, x: Any) -> Any:
    return mp.exp(x) * mp.besselk(v, x)


def _alone(*xs: float) -> list[Point]:
    return [(x,) for x in xs]


ORDERS: list[Point] = [(0.0, 0.7), (2.0, 1e-3), (0.5, 3.3), (3.25, 12.5), (1.0, 80.0), (7.0, 30.0)]
POSITIVE = _alone(1e-8, 0.1, 0.9999999, 1.0, 2.5, 17.3, 120.5)
ANY = _alone(-37.5, -3.3, -0.8, -1e-9, 1e-9, 0.4, 1.7, 9.1, 26.5)
REFERENCE: dict[str, tuple[Callable[..., Any], list[Point]]] = {
    "erf": (mp.erf, ANY),
    "erfc": (mp.erfc, [*ANY, (-1e3,), (200.0,)]),
    "erfcx": (_erfcx, [(-20.5,), (-1e-5,), (0.3,), (3.99,), (4.01,), (50.0,), (1e8,)]),
    "erfinv": (mp.erfinv, _alone(-0.999999, -0.5, 1e-12, 0.25, 0.9999)),
    "ndtr": (_ndtr, [*ANY, (-300.5,)]),
    "log_ndtr": (_log_ndtr, [*ANY, (-40.0,), (-1e4,), (5.5,)]),
    "ndtri": (_quantile, _alone(1e-30, 1e-9, 0.2, 0.4999999, 0.75, 1 - 1e-12)),
    "gammaln": (
        lambda x: mp.log(abs(mp.gamma(x))),
        [*POSITIVE, (-0.5,), (-7.3,), (1.0 + 1e-9,), (2.0 - 1e-11,), (1e9,)],
    ),
    "gamma": (mp.gamma, [*POSITIVE, (-0.5,), (-7.3,), (171.5,)]),
    "rgamma": (mp.rgamma, [*POSITIVE, (-0.5,), (-7.000001,), (-3.0,)]),
    "digamma": (mp.digamma, [*POSITIVE, (1.4616321449683622,), (-2.7,)]),
    "polygamma": (lambda n, x: mp.psi(int(n), x), [(0.0, 2.5), (1.0, 0.3), (2.0, 1e-4), (5.0, 30.5), (3.0, -1.5)]),
    "zeta": (lambda s, q: mp.zeta(s, q), [(2.0, 1.0), (1.0001, 0.5), (3.5, 2.25), (20.0, 7.0)]),
    "beta": (mp.beta, [(0.5, 0.25), (3.0, 4.5), (1e-6, 2.0), (120.5, 80.25)]),
    "betaln": (lambda a, b: mp.log(mp.beta(a, b)), [(0.5, 0.25), (3.0, 4.5), (1e-6, 2.0), (500.5, 300.25), (1.0, 1.0)]),
    "gammainc": (
        lambda a, x: mp.gammainc(a, 0, x, regularized=True),
        [(2.5, 1e-9), (0.3, 0.7), (30.0, 22.5), (5.5, 40.0)],
    ),
    "gammaincc": (
        lambda a, x: mp.gammainc(a, x, regularized=True),
        [(2.5, 1e-9), (0.3, 0.7), (30.0, 42.5), (5.5, 300.0)],
    ),
    "betainc": (
        _beta_share,
        [
            (2.5, 1.5, 0.3),
            (0.5, 0.5, 1e-9),
            (30.0, 4.0, 0.9),
            (3.0, 60.0, 0.001),
            (2.0, 3.0, 1.0),
            (2.0, 3.0, 0.0),
            (4.5, 9000.5, 0.003),
        ],
    ),
    "exp1": (mp.e1, [*POSITIVE, (600.5,)]),
    "expi": (mp.ei, [(-50.5,), (-1.3,), (1e-9,), (0.37250741078136663,), (3.5,), (90.0,)]),
    "expn": (mp.expint, [(0.0, 0.7), (1.0, 0.2), (2.0, 1e-5), (5.0, 30.5), (3.0, 400.0)]),
    "jv": (mp.besselj, [*ORDERS, (2.0, -3.5)]),
    "yv": (mp.bessely, ORDERS),
    "iv": (mp.besseli, [*ORDERS, (3.0, -3.5)]),
    "kv": (mp.besselk, ORDERS[:5]),
    "ive": (_scaled_i, [*ORDERS, (3.0, -3.5), (2.0, -200.0), (0.5, 600.0)]),
    "kve": (_scaled_k, [*ORDERS[:4], (2.5, 600.0)]),
    "j0": (lambda x: mp.besselj(0, x), [*ANY, (2.404825557695773,), (1e4,)]),
    "j1": (lambda x: mp.besselj(1, x), [*ANY, (3.8317059702075125,), (1e4,)]),
    "y0": (lambda x: mp.bessely(0, x), [*POSITIVE, (0.8935769662791675,)]),
    "y1": (lambda x: mp.bessely(1, x), [*POSITIVE, (2.197141326031017,)]),
    "i0": (lambda x: mp.besseli(0, x), ANY),
    "i1": (lambda x: mp.besseli(1, x), ANY),
    "k0": (lambda x: mp.besselk(0, x), POSITIVE),
    "k1": (lambda x: mp.besselk(1, x), POSITIVE),
    "i0e": (lambda x: _scaled_i(0, x), [*ANY, (-900.0,)]),
    "i1e": (lambda x: _scaled_i(1, x), [*ANY, (-900.0,)]),
    "k0e": (lambda x: _scaled_k(0, x), [*POSITIVE, (900.0,)]),
    "k1e": (lambda x: _scaled_k(1, x), [*POSITIVE, (900.0,)]),
    "sinc": (mp.sincpi, [*ANY, (0.0,), (3.0,), (2.0000001,)]),
    "expit": (lambda x: 1 / (1 + mp.exp(-x)), [*ANY, (-800.0,), (800.0,)]),
    "logit": (lambda x: mp.log(x / (1 - x)), _alone(1e-300, 0.1, 0.5, 0.5 + 1e-12, 1 - 1e-15)),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), [*ANY, (-700.0,), (700.0,)]),
    "xlogy": (lambda a, b: a * mp.log(b) if a else a, [(0.0, 0.0), (0.0, 3.0), (2.5, 1e-9), (-3.0, 1.0 + 1e-12)]),
    "xlog1py": (lambda a, b: a * mp.log1p(b) if a else a, [(0.0, -1.0), (2.5, 1e-19), (-3.0, 40.5)]),
    "entr": (lambda x: -x * mp.log(x) if x else x, [(0.0,), *POSITIVE]),
    "rel_entr": (
        lambda x, y: x * mp.log(x / y) if x else x,
        [(0.0, 2.0), (2.5, 3.5), (1.0, 1.0 + 1e-13), (4.0, 1e-12)],
    ),
    "kl_terms": (_kl, [(0.0, 2.0), (2.5, 3.5), (1.0, 1.0 + 1e-13), (4.0, 1e-12), (3.0, 3.0)]),
    "spherical_jn": (_spherical, [(0.0, 0.0), (0.0, 3.5), (1.0, 1e-9), (1.0, -0.3), (3.0, 12.5), (2.0, -40.5)]),
    "tanhshrink": (lambda x: x - mp.tanh(x), ANY),
    "sigmoid_cross_entropy": (
        lambda z, y: y * mp.log1p(mp.exp(-z)) + (1 - y) * mp.log1p(mp.exp(z)),
        [(-700.5, 0.0), (3.5, 0.25), (-1e-9, 1.0), (40.0, 0.75)],
    ),
    "lambertw": (mp.lambertw, _alone(-0.3678794411714, -0.2, 1e-9, 1.0, 40.5, 1e30)),
}


@cache
def value_of(name: str, point: Point) -> Any:
    with mp.workdps(DIGITS):
        return mp.re(REFERENCE[name][0](*map(mpmath.mpf, point)))


def test_every_enclosure_is_a_row_and_has_a_reference_here() -> None:
    assert set(ENCLOSURES) - set(ROWS) <= set(VOCABULARY)
    assert set(ENCLOSURES) == set(REFERENCE)


@pytest.mark.parametrize("name", REFERENCE)
def test_the_value_lies_in_a_narrow_ball(name: str, holds: Holds) -> None:
    for point in REFERENCE[name][1]:
        y = enclosed(name, point)
        assert holds(y, value_of(name, point)), point
        assert y.rel_accuracy_bits() >= NARROW, point


WIDTHS = (1e-12, 1e-3)  # of the wide arguments, as a share of their size
WHOLE = {"polygamma": 0, "expn": 0, "spherical_jn": 0}  # arguments that are whole numbers
INSIDE: dict[str, Point] = {  # where a ball around the first points would reach across an edge
    "xlogy": (2.5, 1.5), "xlog1py": (2.5, 1.5), "entr": (0.4,), "rel_entr": (2.5, 3.5), "kl_terms": (2.5, 3.5),
    "betainc": (2.5, 1.5, 0.3), "logit": (0.3,), "lambertw": (1.5,), "erfinv": (0.25,), "ndtri": (0.2,),
}  # fmt: skip


def widened(name: str, point: Point, width: float) -> tuple[Any, ...]:
    """Balls around a point; whole numbers, orders of Bessel functions among them, stay."""
    fixed = {WHOLE.get(name, -1)} | ({0} if len(point) == 2 and name[1:] in ("v", "ve") else set())
    return tuple(x if i in fixed else arb(x, abs(x) * width) for i, x in enumerate(point))


def drawn(args: tuple[Any, ...], rng: np.random.Generator) -> Point:
    """A point inside the balls, its ends among those drawn."""
    return tuple(
        x
        if isinstance(x, float)
        else float(x.mid()) + float(x.rad()) * float(rng.choice([-0.999, 0.999, rng.uniform(-1, 1)]))
        for x in args
    )


@pytest.mark.parametrize("name", REFERENCE)
def test_wide_arguments_enclose_the_values_inside(name: str, holds: Holds) -> None:
    rng = np.random.default_rng(3)
    points = [INSIDE[name]] if name in INSIDE else REFERENCE[name][1][:4:3]
    for point in points:
        for width in WIDTHS:
            args = widened(name, point, width)
            y = enclosed(name, args)
            assert y.is_finite(), (point, width)
            for _ in range(2):
                inner = drawn(args, rng)
                assert holds(y, value_of(name, inner)), (inner, width)


@pytest.mark.parametrize("name", REFERENCE)
def test_planted_lies_are_caught(name: str, holds: Holds, too_narrow: Lie, off: Lie) -> None:
    """By the very check above, at the points above: of those with a radius, and a value, to lie about."""
    with precision(BITS):
        found = [(ENCLOSURES[name](*point)[()], value_of(name, point)) for point in REFERENCE[name][1]]
        found = [(y, value) for y, value in found if not y.is_exact()]
        assert not all(holds(too_narrow(y), value) for y, value in found)
        assert not any(holds(off(y), value) for y, value in found)


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("erfinv", (1.5,)), ("ndtri", (-0.1,)), ("gamma", (-2.0,)), ("y0", (-1.0,)), ("kv", (0.5, -2.0)),
        ("lambertw", (-1.0,)),
        ("gammainc", (-1.0, 2.0)), ("betainc", (1.0, 1.0, 1.5)), ("polygamma", (0.5, 2.0)), ("logit", (1.5,)),
        ("ive", (0.5, -1.0)), ("exp1", (-1.0,)), ("zeta", (1.0, 2.0)),
        ("zeta", (0.5, 2.0)), ("expn", (-1.0, 2.0)), ("expn", (2.0, -1.0)), ("iv", (0.5, -1.0)), ("xlogy", (1.0, -1.0)),
    ],
)  # fmt: skip
def test_nothing_finite_is_said_outside_the_domain(name: str, point: Point) -> None:
    assert not enclosed(name, point).is_finite()


@pytest.mark.parametrize("name", ["gammaln", "erfinv", "entr", "rel_entr", "logit", "lambertw", "y0", "xlogy"])
def test_a_ball_across_the_edge_says_nothing_finite(name: str) -> None:
    edge = arb(1, 1e-3) if name in ("erfinv", "logit") else arb(-0.3679, 1e-3) if name == "lambertw" else arb(0, 1e-3)
    other = {"rel_entr": (arb(2),)}.get(name, ())
    args = (arb(2), edge) if name == "xlogy" else (edge, *other)
    assert not enclosed(name, args).is_finite()


def test_known_infinities_are_the_rows_own() -> None:
    assert enclosed("gammaln", (-3.0,)) == arb.pos_inf()
    assert enclosed("entr", (-1.0,)) == arb.neg_inf()
    assert enclosed("rel_entr", (1.0, 0.0)) == arb.pos_inf()
    assert enclosed("lambertw", (0.0,), k=-1) == arb.neg_inf()


def test_the_lower_branch_of_lambert(holds: Holds) -> None:
    for x in (-0.3678794411714, -0.2, -1e-300):
        y = enclosed("lambertw", (x,), k=-1)
        with mp.workdps(DIGITS):
            assert holds(y, mp.re(mp.lambertw(mpmath.mpf(x), -1)))
        assert y.rel_accuracy_bits() >= NARROW


def test_arrays_broadcast_and_plain_numbers_are_exact() -> None:
    x = np.array([[arb(0.5), arb(1.5)]], dtype=object)
    y = ENCLOSURES["xlogy"](np.array([[1.0], [2.0], [0.0]]), x)
    assert y.shape == (3, 2) and y.dtype == object
    assert y[2, 0] == 0
    assert ENCLOSURES["expit"](0).shape == ()


@pytest.mark.parametrize(("a", "b", "x"), [(50.0, 1e7, 0.3), (1e8, 1e3, 0.999999)])
def test_the_series_of_the_side_that_converges_is_summed(a: float, b: float, x: float) -> None:
    """All but less than 1e-30 of these distributions lies left of x; the other side's series would not end."""
    y = enclosed("betainc", (a, b, x), bits=512)
    with precision(512):
        assert abs(1 - y) < 1e-30
