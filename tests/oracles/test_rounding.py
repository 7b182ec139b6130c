"""Do the running error bounds hold, for values and for the engine's gradients, and are they narrow enough to be of use?

Truth is the same formula (its numbers taken as the float64 they are written as) in mpmath, its derivative by
differences at so many digits that their error is far below any bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from gradcheck import engine
from gradcheck.expr import Program, parse_formula
from gradcheck.oracles.rounding.running import BOUNDED, Bounded, error_of, exact, value_of

DIGITS = 60
TRUTH = 1e-80  # the truth's own error
RNG = np.random.default_rng(11)


def _each(function: Callable[..., Any]) -> Callable[..., Any]:
    return np.frompyfunc(lambda *a: function(*map(mp.mpf, a)), function.__code__.co_argcount, 1)


class _Mpmath:
    """A namespace over object arrays of mpmath numbers: only what the formulas below use."""

    exp, log, sin, cos = (np.frompyfunc(f, 1, 1) for f in (mp.exp, mp.log, mp.sin, mp.cos))
    tan, tanh, atan, sqrt = (np.frompyfunc(f, 1, 1) for f in (mp.tan, mp.tanh, mp.atan, mp.sqrt))
    expm1, log1p, erf, abs = (np.frompyfunc(f, 1, 1) for f in (mp.expm1, mp.log1p, mp.erf, mp.fabs))
    gammaln = np.frompyfunc(mp.loggamma, 1, 1)
    expit = _each(lambda x: 1 / (1 + mp.exp(-x)))
    add, subtract, multiply, divide = np.add, np.subtract, np.multiply, np.divide
    negative, matmul = np.negative, np.matmul
    pow = _each(lambda x, y: x**y)
    where = staticmethod(lambda c, a, b: np.where(np.asarray(c, dtype=bool), a, b))
    greater = np.greater
    permute_dims = staticmethod(np.transpose)
    cumulative_sum = staticmethod(lambda x, axis=0: np.add.accumulate(x, axis=axis))
    getitem = staticmethod(lambda x, index: x[index])

    @staticmethod
    def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return np.sum(x, axis=axis, keepdims=keepdims)

    @staticmethod
    def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return np.sum(x, axis=axis, keepdims=keepdims) / mp.mpf(np.size(x))

    @staticmethod
    def prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return np.prod(x, axis=axis, keepdims=keepdims)

    norm = staticmethod(lambda x, **params: mp.sqrt(np.sum(x * x)))

    @classmethod
    def softmax(cls, x: Any, axis: Any = -1) -> Any:
        return cls.exp(x) / np.sum(cls.exp(x), axis=axis, keepdims=True)

    @classmethod
    def logsumexp(cls, x: Any, **_: Any) -> Any:
        return mp.log(np.sum(cls.exp(x)))

    @classmethod
    def var(cls, x: Any, **_: Any) -> Any:
        return cls.mean((x - cls.mean(x)) ** 2)


def scalars(*ranges: tuple[float, float]) -> list[Mapping[str, Any]]:
    names = ("x", "y")
    draws = [RNG.uniform(low, high, 12) for low, high in ranges]
    return [dict(zip(names, point, strict=False)) for point in zip(*draws, strict=True)]


def arrays(count: int, **shapes: tuple[int, ...]) -> list[Mapping[str, Any]]:
    return [{name: RNG.normal(0, 2, shape) for name, shape in shapes.items()} for _ in range(count)]


FORMULAS: dict[str, list[Mapping[str, Any]]] = {
    "x + y": scalars((-1, 1), (-1, 1)),
    "x*y - y/x": scalars((0.1, 2), (-3, 3)),
    "(x + 1e8) - 1e8": scalars((-1, 1)),
    "1 - cos(x)": scalars((1e-6, 1e-2)),
    "sqrt(x + 1) - sqrt(x)": scalars((1e6, 1e9)),
    "exp(x) - 1 - x": scalars((1e-5, 1e-3)),
    "exp(x*y)": scalars((20, 25), (20, 25)),
    "exp(exp(x))": scalars((0, 5)),
    "log(1 + x**2)": scalars((1e-8, 1e8)),
    "sin(1e6*x)": scalars((0, 10)),
    "tan(x)": scalars((1.5, 1.57)),
    "x**y": scalars((0.5, 40), (-30, 30)),
    "x**7 - 3*x**5 + x": scalars((-2, 2)),
    "tanh(x)/(1 + x**2)": scalars((-5, 5)),
    "expit(x)*log1p(exp(-x))": scalars((-30, 30)),
    "erf(x)*exp(-x**2)": scalars((-4, 4)),
    "gammaln(x) - x*log(x)": scalars((1.5, 50)),
    "(x - y)*(x + y) - x**2 + y**2 + x": scalars((10, 100), (10, 100)),
    "where(x > y, x - y, exp(y - x))": scalars((-1, 1), (-1, 1)),
    "sum(v)": arrays(3, v=(400,)),
    "sum(v**3) / sum(v**2)": arrays(3, v=(50,)),
    "mean(exp(v)) - var(v)": arrays(3, v=(20,)),
    "norm(v - 1)": arrays(4, v=(7,)),
    "prod(v)": arrays(4, v=(9,)),
    "sum(cumulative_sum(v, axis=0)**2)": arrays(4, v=(12,)),
    "sum(softmax(5*v) * v)": arrays(4, v=(6,)),
    "logsumexp(30*v)": arrays(4, v=(6,)),
    "v @ (a @ a.T) @ v": arrays(4, a=(5, 4), v=(5,)),
    "sum(a @ b @ a - b)": arrays(4, a=(4, 4), b=(4, 4)),
    "sum(exp(a @ b)[0])": arrays(3, a=(3, 3), b=(3, 3)),
}


def lifted(x: Any) -> Any:
    return np.vectorize(mp.mpf, otypes=[object])(x) if np.ndim(x) else mp.mpf(float(x))


def in_mpmath(program: Program, env: Mapping[str, Any]) -> Any:
    result = program(_Mpmath, env)
    return result.item() if isinstance(result, np.ndarray) else result


def bounded(program: Program, env: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    """The value and the engine's gradients, each with its bound."""
    args = tuple(exact(x) for x in env.values())

    def f(xp: Any, *values: Any) -> Any:
        return program(xp, dict(zip(env, values, strict=True)))

    value, gradients = engine.vjp(f, BOUNDED, args, exact(1.0))
    return value, list(gradients)


def errors(program: Program, env: Mapping[str, Any]) -> list[tuple[str, float, float, float]]:
    """(what, true error, stated bound, size) of the value and of up to 12 partial derivatives."""
    value, gradients = bounded(program, env)
    with mp.workdps(2 * DIGITS + 40):
        exactly = {k: lifted(x) for k, x in env.items()}
        found = [("value", value_of(value), error_of(value), in_mpmath(program, exactly))]
        for name, gradient in zip(env, gradients, strict=True):
            for index in list(np.ndindex(np.shape(env[name])))[:12]:
                h = mp.mpf(10) ** -(DIGITS + 10)
                up, down = (in_mpmath(program, exactly | {name: moved(exactly[name], index, s * h)}) for s in (1, -1))
                truth = (up - down) / (2 * h)
                place = np.asarray(value_of(gradient))[index], np.broadcast_to(error_of(gradient), np.shape(env[name]))
                found.append((f"d{name}{list(index)}", place[0], place[1][index], truth))
        return [(what, float(abs(mp.mpf(float(v)) - t)), float(e), float(abs(t))) for what, v, e, t in found]


def moved(x: Any, index: tuple[int, ...], h: Any) -> Any:
    if not index:
        return x + h
    other = x.copy()
    other[index] += h
    return other


@pytest.mark.parametrize("text", FORMULAS)
def test_the_bound_holds_and_is_narrow(text: str) -> None:
    points = FORMULAS[text]
    program = parse_formula(text, list(points[0]))
    everything = [e for env in points for e in errors(program, env)]
    for what, error, bound, size in everything:
        assert error <= bound + TRUTH, (what, error, bound, size)
        assert np.isfinite(bound)
    # wide only where rounding is: against the true error, or one unit of roundoff where the result is luckily exact
    wide = [bound / max(error, 2.0**-53 * size, 1e-300) for _, error, bound, size in everything]
    assert np.median(wide) < 1e4, np.median(wide)


def test_cancellation_is_seen() -> None:
    (value, *_), (plain, *_) = (bounded(parse_formula(t, ["x"]), {"x": 1e-3}) for t in ("(x + 1e8) - 1e8", "x + 1e8"))
    assert error_of(value) / abs(value_of(value)) > 1e-9
    assert error_of(plain) / abs(value_of(plain)) < 1e-15


@pytest.mark.parametrize("text", ["y*y", "y**2", "square(y)", "y**3"])
def test_a_power_of_what_is_nothing_but_error_has_a_bound(text: str) -> None:
    """(x + 2) - 2 is 0 for x = 1e-17; the slope of its square is 0 there, and the square is not exactly right."""
    program = parse_formula(text.replace("y", "((x + 2) - 2)"), ["x"])
    (value, *_) = bounded(program, {"x": 1e-17})
    assert value_of(value) == 0
    assert error_of(value) >= 1e-17 ** (3 if "3" in text else 2)


def test_a_bound_without_its_rounding_is_caught() -> None:
    """The test above can fail: with bounds a hundred times too small it does."""
    program = parse_formula("(x + 1e8) - 1e8", ["x"])
    assert any(error > bound / 100 for env in FORMULAS[program.text] for _, error, bound, _ in errors(program, env))


def test_inputs_are_exact_and_moving_numbers_adds_nothing() -> None:
    x = exact([1.0, 2.0, 3.0])
    assert np.all(x.err == 0)
    for y in (
        BOUNDED.flip(x, axis=(-1,)),
        BOUNDED.reshape(x, shape=(3, 1)),
        BOUNDED.maximum(x, 0.0),
        BOUNDED.negative(x),
    ):
        assert np.all(error_of(y) == 0)
    assert np.all(error_of(BOUNDED.multiply(x, x)) > 0)


def test_an_exact_number_takes_no_error_from_a_steep_slope() -> None:
    assert float(error_of(BOUNDED.sqrt(exact(0.0)))) < 1e-300
    with np.errstate(divide="ignore"):
        assert not np.isfinite(error_of(BOUNDED.sqrt(Bounded(np.float64(0.0), np.float64(1e-20)))))


def test_the_long_sums_bound_grows_with_their_length() -> None:
    short, long = (float(error_of(BOUNDED.sum(exact(np.ones(n)), axis=(-1,)))) / n for n in (10, 1000))
    assert 10 < long / short < 1000


def test_there_is_no_row_without_a_bound() -> None:
    from gradcheck.expr import VOCABULARY

    for name in VOCABULARY:
        assert callable(getattr(BOUNDED, name))
    with pytest.raises(AttributeError):
        _ = BOUNDED.sinus
