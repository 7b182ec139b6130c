"""Do the special functions' derivatives hold to the fourth order, in tails and at zeros, and do their bars say it?

Every row is asked for its value and four derivatives in numbers that carry error bounds, forward and in reverse. The
truth is mpmath's. The bound must hold the error, and must be small enough to decide something.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from special_truths import ORDER, TRUTHS, Truth

from gradcheck.engine import jvp, vjp
from gradcheck.errors import Unsupported
from gradcheck.expr.primitive import Primitive
from gradcheck.expr.rows_bessel import BESSEL
from gradcheck.expr.rows_gamma import GAMMA
from gradcheck.expr.rows_integrals import INTEGRALS
from gradcheck.expr.rows_lambert import LAMBERT, SERIES
from gradcheck.expr.rows_probability import PROBABILITY
from gradcheck.expr.rows_special import SPECIAL
from gradcheck.expr.unknown import Unknown
from gradcheck.expr.vocabulary import NUMPY, VOCABULARY
from gradcheck.judge.budgets import SAFETY
from gradcheck.oracles.rounding.running import BOUNDED, error_of, exact, value_of

SHARP = (1e-9, 1e-9, 1e-7, 1e-6, 1e-5)  # the share of a derivative of each order that its bound may be
CROSSING = 1e-6  # a derivative this much smaller than its neighbours would lead one to expect is at a zero
NOTHING = 1e-40  # what mpmath's differences leave, in such units, of a derivative that is 0
Derive = Callable[[Callable[..., Any]], Callable[..., Any]]


def forward(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda xp, x: jvp(f, xp, (x,), (np.ones(np.shape(value_of(deepest(x)))),))[1]


def reverse(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda xp, x: vjp(f, xp, (x,), np.ones(np.shape(value_of(deepest(x)))))[1][0]


def deepest(x: Any) -> Any:
    """What a stack of duals or tensors is about."""
    while hasattr(x, "xp"):
        x = x.data
    return x


def tower(f: Callable[..., Any], points: tuple[float, ...], derive: Derive, base: Any) -> list[tuple[Any, Any]]:
    """Values and bounds of f and its first four derivatives at all points."""
    found = []
    with np.errstate(all="ignore"):
        for _ in range(ORDER + 1):
            said = f(base, exact(np.array(points)))
            found.append((np.broadcast_to(value_of(said), len(points)), np.broadcast_to(error_of(said), len(points))))
            f = derive(f)
    return found


@cache
def known(truth: Truth) -> list[list[Any]]:
    return [truth.derivatives(x) for x in truth.points]


def complaints(truth: Truth, derive: Derive, base: Any = BOUNDED) -> list[str]:
    """Everything that is wrong with what the engine says of a function."""
    told = []
    said = tower(truth.ours, truth.points, derive, base)
    for i, x in enumerate(truth.points):
        right = known(truth)[i]
        for k, (value, bound) in enumerate(said):
            off, size = float(abs(mp.mpf(float(value[i])) - right[k])), float(abs(right[k]))
            natural = float(expected(right, k, x))
            if not off <= SAFETY["engine"] * bound[i] + NOTHING * natural + 2.0**-1070:
                told.append(f"{truth.row}, order {k} at {x}: {value[i]} ± {bound[i]} should be {right[k]}")
            if not bound[i] <= SHARP[k] * size and size > CROSSING * natural:
                told.append(f"{truth.row}, order {k} at {x}: a bound of {bound[i]} decides nothing about {right[k]}")
    return told


def expected(right: list[Any], k: int, x: float) -> Any:
    """How large a derivative of order k would be, as its neighbours and the point's own size have it."""
    scale = abs(x) or 1.0
    return max(abs(d) * mp.mpf(scale) ** (j - k) for j, d in enumerate(right))


@pytest.mark.parametrize("derive", [forward, reverse])
@pytest.mark.parametrize("truth", TRUTHS, ids=lambda t: f"{t.row} {t.points[0]:g}")
def test_value_and_four_derivatives_are_what_mpmath_says(truth: Truth, derive: Derive) -> None:
    assert complaints(truth, derive) == []


def test_every_special_row_has_a_truth() -> None:
    rows = [*SPECIAL, *GAMMA, *BESSEL, *PROBABILITY, *INTEGRALS, *LAMBERT]
    assert {row.name for row in rows} == {truth.row for truth in TRUTHS}
    assert all(sum(len(t.points) for t in TRUTHS if t.row == row.name) >= 5 for row in rows)


class With:
    """The numbers with bounds, in a vocabulary with one row replaced."""

    def __init__(self, row: Primitive) -> None:
        self.vocabulary: Mapping[str, Primitive] = {**VOCABULARY, row.name: row}

    def __getattr__(self, name: str) -> Any:
        return getattr(BOUNDED, name)


def _without_tail(xp: Any, y: Any, x: Any) -> Any:
    return xp.subtract(xp.multiply(2.0, xp.multiply(x, y)), 2.0 / np.sqrt(np.pi))


LIES: dict[str, tuple[str, Any, str]] = {
    "a Bessel slope off by a millionth": ("j0", lambda xp, y, x: xp.multiply(-1.000001, xp.j1(x)), "order 1"),
    "the right slope as a constant": (
        "gamma", lambda xp, y, x: xp.stop_gradient(xp.multiply(y, xp.digamma(x))), "order 2"),
    "a recurrence with a wrong sign": ("k1", lambda xp, y, x: xp.subtract(xp.divide(y, x), xp.k0(x)), "order 1"),
    "a branch forgotten": (
        "lambertw", lambda xp, y, x: xp.divide(xp.exp(xp.abs(y)), xp.add(1.0, xp.abs(y))), "order 1"),
    "digits lost in the tail": ("erfcx", _without_tail, "order 4 at 100000.0: a bound"),
}  # fmt: skip


@pytest.mark.parametrize("derive", [forward, reverse])
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_caught(lie: str, derive: Derive) -> None:
    name, slope, place = LIES[lie]
    liar = With(replace(VOCABULARY[name], slopes=(slope,)))
    told = [line for truth in TRUTHS if truth.row == name for line in complaints(truth, derive, liar)]
    assert any(place in line for line in told), told


UNKNOWN = [
    (row.name, i)
    for row in VOCABULARY.values()
    for i, s in enumerate(row.slopes or ())
    if isinstance(s, Unknown)
    if row.name != "nextafter"  # which has none, rather than one that is not known: see test_rows_agree.py
]


def test_there_are_derivatives_that_nobody_can_write_down() -> None:
    assert {"gammainc", "gammaincc", "betainc", "zeta", "expn", "polygamma", "jv", "yv", "iv", "kv", "ive", "kve"} == {
        name for name, _ in UNKNOWN
    }


@pytest.mark.parametrize(("name", "i"), UNKNOWN)
@pytest.mark.parametrize("derive", [forward, reverse])
def test_a_derivative_without_closed_form_is_refused_and_never_zero(name: str, i: int, derive: Derive) -> None:
    fixed = [0.5] * (VOCABULARY[name].arity or 0)

    def f(xp: Any, x: Any) -> Any:
        return getattr(xp, name)(*fixed[:i], x, *fixed[i + 1 :])

    with pytest.raises(
        Unsupported, match=f"engine has no derivative of {name} by its (order|shape|exponent) [abnsv]: "
    ):
        derive(f)(NUMPY, np.array([2.0]))


def test_derivatives_that_exist_at_the_edge_are_found_there() -> None:
    """At 0 and 1 a factor is 0 to the power 0 or infinite; the derivatives of a polynomial are not."""

    def at(name: str, *first: float, x: float) -> list[float]:
        said = tower(lambda xp, z: getattr(xp, name)(*first, z), (x,), forward, BOUNDED)
        return [float(value[0]) for value, _ in said]

    assert at("gammainc", 2.0, x=0.0) == [0.0, 0.0, 1.0, -2.0, 3.0]
    assert at("betainc", 2.0, 3.0, x=0.0) == pytest.approx([0, 0, 12, -48, 72], abs=1e-12)
    assert at("betainc", 2.0, 3.0, x=1.0) == pytest.approx([1, 0, 0, 24, 72], abs=1e-12)
    assert at("lambertw", x=0.0) == pytest.approx([0, 1, -2, 9, -64], rel=1e-14)
    assert at("i1", x=0.0) == pytest.approx([0, 0.5, 0, 0.375, 0], abs=1e-14)


def test_lamberts_series_is_that_of_the_literature_and_its_branches_are_real() -> None:
    assert SERIES[:6] == pytest.approx([1, -1 / 3, 11 / 72, -43 / 540, 769 / 17280, -221 / 8505], rel=1e-15)
    edge = -0.36787944117144233  # the float64 number next below -1/e
    assert np.isnan(NUMPY.lambertw(edge))
    assert NUMPY.lambertw(np.nextafter(edge, 0.0)) == pytest.approx(
        float(mp.lambertw(np.nextafter(edge, 0.0)).real), 1e-15
    )
    assert np.isnan(NUMPY.lambertw(np.array([0.1, 2.0]), k=-1)).all()
    assert NUMPY.lambertw(0.0, k=-1) == -np.inf
    with pytest.raises(ValueError, match="real branches are k = 0 and k = -1, got 1"):
        NUMPY.lambertw(1.0, k=1)
    with pytest.raises(ValueError, match="a whole number from 1 on, got 0"):
        NUMPY.multigammaln(1.0, d=0)
