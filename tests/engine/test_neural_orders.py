"""Do the functions of networks keep their digits to the fourth derivative? Forward mode nested, against mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from gradcheck.engine import jvp
from gradcheck.expr.vocabulary import NUMPY

START, ALONG = np.array([0.3, -1.0, 2.0]), np.array([1.0, 0.5, -1.0])
EPS = mp.mpf(1e-5)


def line(t: Any) -> list[Any]:
    """The point that the vector functions are asked at, moved by t."""
    return [mp.mpf(a) + t * mp.mpf(d) for a, d in zip(START, ALONG, strict=True)]


def layer_norm(t: Any) -> Any:
    x = line(t)
    centred = [a - sum(x) / 3 for a in x]
    return centred[0] / mp.sqrt(sum(a * a for a in centred) / 3 + EPS)


def rms_norm(t: Any) -> Any:
    x = line(t)
    return x[0] / mp.sqrt(sum(a * a for a in x) / 3 + EPS)


def cross_entropy(t: Any) -> Any:
    x = line(t)
    return mp.log(sum(mp.exp(a) for a in x)) - x[1]


def moved(xp: Any, t: Any) -> Any:
    return xp.add(START, xp.multiply(t, ALONG))


def tanh_gelu(x: Any) -> Any:
    return x * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf(0.044715) * x**3))) / 2


FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[float, ...]]] = {
    "mish": (lambda xp, x: xp.mish(x), lambda x: x * mp.tanh(mp.log1p(mp.exp(x))), (-30.0, 0.7)),
    "gelu": (lambda xp, x: xp.gelu(x), lambda x: x * mp.ncdf(x), (-20.0, -1.3, 5.0)),
    "gelu_tanh": (lambda xp, x: xp.gelu_tanh(x), tanh_gelu, (-8.0, -1.3, 5.0)),
    "softsign": (lambda xp, x: xp.softsign(x), lambda x: x / (1 + abs(x)), (-1e6, -1.3, 1e9)),
    "elu": (lambda xp, x: xp.elu(x, alpha=0.5), lambda x: mp.expm1(x) / 2, (-40.0, -1.3)),
    "sigmoid_cross_entropy, by z": (
        lambda xp, z: xp.sigmoid_cross_entropy(z, 1.0),
        lambda z: mp.log1p(mp.exp(-z)),
        (-40.0, 0.5, 40.0),
    ),
    "sigmoid_cross_entropy, by both": (
        lambda xp, x: xp.sigmoid_cross_entropy(x, x),
        lambda x: mp.log1p(mp.exp(x)) - x * x,
        (0.3,),
    ),
    "layer_norm": (lambda xp, t: xp.layer_norm(moved(xp, t))[0], layer_norm, (0.0,)),
    "rms_norm": (lambda xp, t: xp.rms_norm(moved(xp, t))[0], rms_norm, (0.0,)),
    "cross_entropy": (lambda xp, t: xp.cross_entropy(moved(xp, t), 1), cross_entropy, (0.0,)),
}


def derivative(f: Callable[..., Any], order: int) -> Callable[..., Any]:
    if order == 0:
        return f
    below = derivative(f, order - 1)
    return lambda xp, t: jvp(below, xp, [t], [np.ones(())])[1]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_four_orders_keep_their_digits(name: str) -> None:
    ours, truth, points = FUNCTIONS[name]
    for x in points:
        for order in range(5):
            with mp.workdps(120):
                want = float(mp.diff(truth, mp.mpf(x), order) if order else truth(mp.mpf(x)))
            with np.errstate(all="ignore"):
                got = float(derivative(ours, order)(NUMPY, np.array(x)))
            assert abs(got - want) <= 1e-12 * abs(want), (x, order, got, want)
            assert want != 0


def test_a_derivative_that_loses_half_its_digits_would_be_caught() -> None:
    exact = derivative(lambda xp, x: xp.softsign(x), 1)(NUMPY, np.array(1e9))
    by_quotients = derivative(lambda xp, x: xp.divide(x, xp.add(1.0, xp.abs(x))), 1)(NUMPY, np.array(1e9))
    assert exact == pytest.approx(1e-18, rel=1e-8)
    assert abs(by_quotients - exact) > 1e-8 * exact
