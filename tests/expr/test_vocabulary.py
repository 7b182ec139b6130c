"""Is the vocabulary whole, unambiguous, and right where functions are delicate: tails, zeros, ties?"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from gradcheck.engine import hessian, jvp, vjp
from gradcheck.errors import UsageError
from gradcheck.expr.primitive import Batching
from gradcheck.expr.vocabulary import ALIASES, NUMPY, VOCABULARY, alias_table, lookup, merge


def gradients(name: str, *args: Any, **params: Any) -> list[list[float]]:
    """The gradient of the sum of a function's results by each argument, from reverse mode; forward must agree."""
    arrays = [np.asarray(a, dtype=float) for a in args]

    def f(xp: Any, *x: Any) -> Any:
        return getattr(xp, name)(*x, **params)

    with np.errstate(all="ignore"):
        value = getattr(NUMPY, name)(*arrays, **params)
        _, pulled = vjp(f, NUMPY, arrays, np.ones(np.shape(value)))
        _, pushed = jvp(f, NUMPY, arrays, [np.ones(a.shape) for a in arrays])
        total = sum(np.sum(p) for p in pulled if p is not None)
    assert np.allclose(np.sum(pushed), total, rtol=1e-13, atol=0, equal_nan=True)
    return [p.tolist() for p in pulled]


def test_there_are_at_least_ninety_rows_and_each_is_complete() -> None:
    assert len(VOCABULARY) >= 90
    for name, row in VOCABULARY.items():
        assert row.name == name
        assert getattr(NUMPY, name) is row.numpy
        assert set(row.defaults) <= set(row.params), name
        if row.slopes is not None:
            assert len(row.slopes) == row.arity, name
            assert row.batching is Batching.ELEMENTWISE or row.compose is not None, name
            assert all(s is None or isinstance(s, float) or callable(s) for s in row.slopes), name
        if row.vjp is not None:
            assert row.linear or row.jvp is not None, name


def test_aliases_name_rows_and_are_none_themselves() -> None:
    assert not set(ALIASES) & set(VOCABULARY)
    assert set(ALIASES.values()) <= set(VOCABULARY)
    for alias, name in {"arctan": "atan", "power": "pow", "sigmoid": "expit", "lgamma": "gammaln"}.items():
        assert lookup(alias) is VOCABULARY[name]
    assert lookup("concatenate").name == "concat"
    assert lookup("cumsum").name == "cumulative_sum"
    assert not hasattr(NUMPY, "cumsum")


def test_an_unknown_name_is_told_what_was_meant() -> None:
    with pytest.raises(UsageError, match="no function 'logsumexpo'; did you mean 'logsumexp'"):
        lookup("logsumexpo")


def test_ambiguous_tables_are_refused() -> None:
    sine = VOCABULARY["sin"]
    with pytest.raises(ValueError, match="two rows named 'sin'"):
        merge([sine], [sine])
    with pytest.raises(ValueError, match="'cos' cannot be another name"):
        alias_table(VOCABULARY, {"cos": "sin"})
    with pytest.raises(ValueError, match="'sinus' cannot"):
        alias_table({"sin": replace(sine, aliases=("sinus",)), "cos": VOCABULARY["cos"]}, {"sinus": "cos"})


def test_the_tables_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        VOCABULARY["sin"] = VOCABULARY["cos"]  # type: ignore[index]


@pytest.mark.parametrize("name", sorted(n for n, row in VOCABULARY.items() if row.latex and row.arity))
def test_latex_templates_take_their_arguments(name: str) -> None:
    row = VOCABULARY[name]
    assert row.arity is not None
    text = row.latex.format(*"xyz"[: row.arity])
    assert all(letter in text for letter in "xyz"[: row.arity])
    assert text.count("{") == text.count("}")


TAILS = {
    "tanh": (mp.tanh, (-300.0, -20.0, 20.0, 300.0)),
    "expit": (lambda x: 1 / (1 + mp.exp(-x)), (-700.0, -40.0, 40.0, 700.0)),
    "erf": (mp.erf, (-20.0, -6.0, 6.0, 20.0)),
    "erfc": (mp.erfc, (-20.0, 6.0, 20.0)),
    "ndtr": (mp.ncdf, (-30.0, -8.0, 8.0, 30.0)),
    "log_ndtr": (lambda x: mp.log(mp.ncdf(x)), (-100.0, -30.0, -1.5, -1.0, 0.5, 8.0, 30.0)),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), (-700.0, -40.0, 40.0, 700.0)),
    "expm1": (mp.expm1, (-40.0, -1e-9, 1e-9, 40.0)),
    "sinc": (lambda x: mp.sinpi(x) / (mp.pi * x), (1e-8, 1e-3, 0.0999, 0.1001, 7.3)),
    "asin": (mp.asin, (-1 + 2.0**-50, 1 - 2.0**-50)),
    "atanh": (mp.atanh, (-1 + 2.0**-50, 1 - 2.0**-50)),
    "asinh": (mp.asinh, (-1e200, 1e-200, 1e200)),
    "acosh": (mp.acosh, (1 + 2.0**-50, 1e200)),
    "polygamma": (lambda x: mp.polygamma(1, x), (1e-3, 2.0, 1e3)),
}


@pytest.mark.parametrize("name", TAILS)
def test_slopes_keep_their_digits_in_the_tails(name: str) -> None:
    truth, points = TAILS[name]
    with mp.workdps(400):
        want = [float(mp.diff(truth, mp.mpf(x), h=mp.mpf(10) ** -120 * max(1, abs(x)))) for x in points]
    args = (np.ones(len(points)), points) if name == "polygamma" else (points,)
    if name == "polygamma":
        _, pulled = vjp(lambda xp, x: xp.polygamma(1, x), NUMPY, (np.array(points),), np.ones(len(points)))
        got = pulled[0].tolist()
    else:
        (got,) = gradients(name, *args)
    for x, mine, exact in zip(points, got, want, strict=True):
        assert abs(mine - exact) <= 1e-12 * abs(exact), (x, mine, exact)
        assert mine != 0


@pytest.mark.parametrize(
    ("name", "args", "params", "want"),
    [
        ("abs", ([-2.0, 0.0, 3.0],), {}, [[-1, 0, 1]]),
        ("sign", ([-2.0, 0.0],), {}, [[0, 0]]),
        ("relu", ([-1.0, 0.0, 1.0],), {}, [[0, 0, 1]]),
        ("maximum", ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]), {}, [[0, 0.5, 1], [1, 0.5, 0]]),
        ("minimum", ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]), {}, [[1, 0.5, 0], [0, 0.5, 1]]),
        ("clip", ([-2.0, -1.0, 0.0, 1.0, 2.0], -1.0, 1.0), {}, [[0, 1, 1, 1, 0], 1, 1]),
        ("clip", ([0.0, 5.0], 2.0, 1.0), {}, [[0, 0], 0, 2]),
        ("max", ([3.0, 1.0, 3.0],), {"axis": -1}, [[0.5, 0, 0.5]]),
        ("min", ([3.0, 1.0, 1.0],), {"axis": -1}, [[0, 0.5, 0.5]]),
        ("norm", ([0.0, 0.0],), {"axis": -1, "ord": 2}, [[0, 0]]),
        ("norm", ([3e200, 4e200],), {"axis": -1, "ord": 2}, [[0.6, 0.8]]),
        ("norm", ([3e-200, 4e-200],), {"axis": -1, "ord": 2}, [[0.6, 0.8]]),
        ("norm", ([2.0, -2.0, 1.0],), {"axis": -1, "ord": np.inf}, [[0.5, -0.5, 0]]),
        ("hypot", ([0.0, 3.0], [0.0, 4.0]), {}, [[0, 0.6], [0, 0.8]]),
        ("pow", ([0.0, 0.0, 0.0], [0.0, 1.0, 2.0]), {}, [[0, 1, 0], [0, 0, 0]]),
        ("pow", ([-2.0], [3.0]), {}, [[12], [math.nan]]),
        ("xlogy", ([0.0, 0.0], [0.0, 2.0]), {}, [[0, math.log(2)], [0, 0]]),
        ("xlog1py", ([0.0], [-1.0]), {}, [[0], [0]]),
        ("prod", ([2.0, 0.0, 5.0],), {"axis": -1}, [[0, 10, 0]]),
        ("prod", ([0.0, 0.0, 5.0],), {"axis": -1}, [[0, 0, 0]]),
        ("cumulative_prod", ([2.0, 0.0, 5.0],), {"axis": -1}, [[1, 12, 0]]),
        ("logsumexp", ([1000.0, 1000.0, -np.inf],), {"axis": -1}, [[0.5, 0.5, 0]]),
        ("logaddexp", ([1000.0, -1000.0], [1000.0, 1000.0]), {}, [[0.5, 0], [0.5, 1]]),
        ("std", ([2.0, 2.0],), {"axis": -1}, [[0, 0]]),
        ("atan2", ([0.0], [0.0]), {}, [[0], [0]]),
        ("where", ([1.0, 0.0], [5.0, 5.0], [7.0, 7.0]), {}, [[0, 0], [1, 0], [0, 1]]),
        ("det", ([[1.0, 2.0], [2.0, 4.0]],), {}, [[[4, -2], [-2, 1]]]),
        ("det", ([[0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 3.0]],), {}, [[[6, 0, 0], [0, 0, 0], [0, 0, 0]]]),
    ],
)
def test_zeros_ties_and_kinks(name: str, args: Any, params: Any, want: Any) -> None:
    for got, right in zip(gradients(name, *args, **params), want, strict=True):
        assert np.allclose(got, right, rtol=1e-15, atol=0, equal_nan=True), (got, right)


def test_products_with_zeros_have_exact_second_derivatives() -> None:
    x = np.array([0.0, 0.0, 3.0])
    ((block,),) = hessian(lambda xp, x: xp.prod(x, axis=-1), NUMPY, [x])
    assert block.tolist() == [[0, 3, 0], [3, 0, 0], [0, 0, 0]]
    ((block,),) = hessian(lambda xp, x: xp.sum(xp.cumulative_prod(x, axis=-1), axis=-1), NUMPY, [x])
    assert block.tolist() == [[0, 4, 0], [4, 0, 0], [0, 0, 0]]


def test_log_ndtr_has_finite_second_derivatives_everywhere() -> None:
    for x in (-40.0, -1.0, 0.0, 40.0):
        ((second,),) = hessian(lambda xp, x: xp.log_ndtr(x), NUMPY, [np.array(x)])
        with mp.workdps(400):
            want = float(mp.diff(lambda t: mp.log(mp.ncdf(t)), mp.mpf(x), 2, h=mp.mpf(10) ** -60))
        assert abs(second - want) <= 1e-9 * abs(want), (x, second, want)


def test_a_singular_matrix_spoils_no_other_of_its_stack() -> None:
    stack = np.array([np.eye(2), np.zeros((2, 2))])
    inverse = NUMPY.inv(stack)
    assert inverse[0].tolist() == [[1, 0], [0, 1]]
    assert np.isnan(inverse[1]).all()
    solution = NUMPY.solve(stack, np.ones((2, 2, 1)))
    assert solution[0].tolist() == [[1], [1]]
    assert np.isnan(solution[1]).all()
