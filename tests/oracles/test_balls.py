"""Does ball arithmetic hold what it says: elementary functions, conditions, arrays and constants?

The truth comes from mpmath, another library, at 60 digits, and from whole numbers, which NumPy does not round.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY
from gradcheck.oracles.balls.flint_library import Undecided, arb, balls, precision
from gradcheck.oracles.balls.numbers import lowered, number
from gradcheck.oracles.balls.vocabulary import BALLS, DECIMAL

BITS, DIGITS = 106, 60
Function = Callable[..., Any]

# row -> (mpmath's function, where arguments are drawn)
REFERENCE: Mapping[str, tuple[Function, tuple[tuple[float, float], ...]]] = {
    "add": (lambda a, b: a + b, ((-9, 9), (-9, 9))),
    "subtract": (lambda a, b: a - b, ((-9, 9), (-9, 9))),
    "multiply": (lambda a, b: a * b, ((-9, 9), (-9, 9))),
    "divide": (lambda a, b: a / b, ((-9, 9), (0.5, 9))),
    "pow": (mp.power, ((0.2, 5), (-4, 4))),
    "square": (lambda x: x * x, ((-9, 9),)),
    "reciprocal": (lambda x: 1 / x, ((0.1, 9),)),
    "sqrt": (mp.sqrt, ((0.1, 9),)),
    "cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)), ((-9, 9),)),
    "hypot": (mp.hypot, ((-9, 9), (-9, 9))),
    "abs": (abs, ((-9, 9),)),
    "exp": (mp.exp, ((-90, 90),)),
    "exp2": (lambda x: mp.power(2, x), ((-90, 90),)),
    "expm1": (mp.expm1, ((-2, 2),)),
    "log": (mp.log, ((0.01, 90),)),
    "log1p": (mp.log1p, ((-0.9, 9),)),
    "log2": (lambda x: mp.log(x) / mp.log(2), ((0.01, 90),)),
    "log10": (lambda x: mp.log(x) / mp.log(10), ((0.01, 90),)),
    "logaddexp": (lambda a, b: mp.log(mp.exp(a) + mp.exp(b)), ((-90, 90), (-90, 90))),
    "sin": (mp.sin, ((-90, 90),)),
    "cos": (mp.cos, ((-90, 90),)),
    "tan": (mp.tan, ((-1.5, 1.5),)),
    "asin": (mp.asin, ((-0.99, 0.99),)),
    "acos": (mp.acos, ((-0.99, 0.99),)),
    "atan": (mp.atan, ((-90, 90),)),
    "atan2": (mp.atan2, ((-9, 9), (0.1, 9))),
    "sinh": (mp.sinh, ((-9, 9),)),
    "cosh": (mp.cosh, ((-9, 9),)),
    "tanh": (mp.tanh, ((-9, 9),)),
    "asinh": (mp.asinh, ((-9, 9),)),
    "acosh": (mp.acosh, ((1.1, 9),)),
    "atanh": (mp.atanh, ((-0.99, 0.99),)),
    "softsign": (lambda x: x / (1 + abs(x)), ((-9, 9),)),
    "deg2rad": (mp.radians, ((-400, 400),)),
    "rad2deg": (mp.degrees, ((-9, 9),)),
    "maximum": (max, ((-9, 9), (-9, 9))),
    "minimum": (min, ((-9, 9), (-9, 9))),
    "relu": (lambda x: max(x, mpmath.mpf(0)), ((-9, 9),)),
    "clip": (lambda x, low, high: min(max(x, low), high), ((-9, 9), (-3, -2), (2, 3))),
}
WIDTHS = (0.0, 1e-30, 1e-12, 1e-3)


def held(enclosure: Any, truth: Any) -> bool:
    """Whether a ball holds what mpmath says, up to mpmath's own last digits."""
    text = mp.nstr(truth, DIGITS)
    return bool(enclosure.overlaps(arb(text, abs(arb(text)) * arb(10) ** (5 - DIGITS))))


def misses(name: str, function: Function, draws: int = 12) -> int:
    """At how many numbers inside random balls the enclosure does not hold mpmath's value."""
    reference, domain = REFERENCE[name]
    rng, found = np.random.default_rng(len(name)), 0
    for width in WIDTHS:
        centres = [rng.uniform(low, high, draws) for low, high in domain]
        inside = [rng.uniform(-1, 1, draws) for _ in domain]
        with precision(BITS), mp.workdps(DIGITS):
            arrays = [np.array([arb(c, width) for c in cs], dtype=object) for cs in centres]
            enclosures = balls(function(*arrays))
            for k in range(draws):
                point = [mpmath.mpf(cs[k]) + mpmath.mpf(t[k]) * width for cs, t in zip(centres, inside, strict=True)]
                found += not held(enclosures[k], reference(*point))
    return found


@pytest.mark.parametrize("name", REFERENCE)
def test_an_enclosure_holds_every_number_of_its_ball(name: str) -> None:
    assert misses(name, getattr(BALLS, name)) == 0


@pytest.mark.parametrize("name", REFERENCE)
def test_an_enclosure_of_an_exact_number_is_narrow(name: str) -> None:
    rng = np.random.default_rng(1)
    with precision(BITS):
        found = balls(getattr(BALLS, name)(*[balls(rng.uniform(low, high, 20)) for low, high in REFERENCE[name][1]]))
        assert min(ball.rel_accuracy_bits() for ball in found) >= 80


@pytest.mark.parametrize("name", ["exp", "sin", "divide"])
@pytest.mark.parametrize("lie", ["a midpoint for a ball", "rounded to float64"])
def test_an_enclosure_that_is_too_narrow_is_caught(name: str, lie: str) -> None:
    bend = {"a midpoint for a ball": lambda ball: ball.mid(), "rounded to float64": lambda ball: arb(float(ball))}[lie]
    bent = np.frompyfunc(bend, 1, 1)
    assert misses(name, lambda *arrays: bent(getattr(BALLS, name)(*arrays))) > 0


SLOPED = [n for n in REFERENCE if n not in ("abs", "maximum", "minimum", "relu", "clip", "deg2rad", "rad2deg")]


@pytest.mark.parametrize("name", SLOPED)
def test_the_slopes_over_balls_hold_mpmaths_derivatives(name: str) -> None:
    reference, domain = REFERENCE[name]
    rng = np.random.default_rng(2)
    for _ in range(4):
        point = [float(rng.uniform(low, high)) for low, high in domain]
        with precision(BITS), mp.workdps(DIGITS + 40):
            arrays = [balls(np.array([x])) for x in point]
            y = getattr(BALLS, name)(*arrays)
            for k, slope in enumerate(BALLS.vocabulary[name].slopes):
                found = balls(slope(BALLS, y, *arrays) if callable(slope) else slope)
                order = tuple(int(i == k) for i in range(len(point)))
                truth = mp.diff(reference, tuple(point), order)
                ball = found.ravel()[0]
                assert ball.rel_accuracy_bits() >= 80
                with mp.workdps(40):
                    text = mp.nstr(truth, 38)
                assert ball.overlaps(arb(text, abs(arb(text)) * arb(10) ** -28)), (k, point)


def ball(low: float, high: float) -> Any:
    return np.array([arb((low + high) / 2, (high - low) / 2)], dtype=object)


@pytest.mark.parametrize(
    ("name", "a", "b", "want"),
    [
        ("less", (0, 1), (2, 3), True),
        ("less", (2, 3), (0, 1), False),
        ("less", (0, 1), (0.5, 3), None),
        ("greater_equal", (2, 3), (0, 1), True),
        ("greater_equal", (1, 1), (1, 1), True),
        ("greater", (1, 1), (1, 1), False),
        ("equal", (1, 1), (1, 1), True),
        ("equal", (0, 1), (2, 3), False),
        ("equal", (0, 1), (0, 1), None),
        ("not_equal", (0, 1), (0.5, 0.5), None),
    ],
)
def test_a_comparison_is_decided_where_it_holds_for_the_whole_balls(name: str, a: Any, b: Any, want: Any) -> None:
    compare = getattr(BALLS, name)
    if want is None:
        with pytest.raises(Undecided):
            compare(ball(*a), ball(*b))
    else:
        assert compare(ball(*a), ball(*b)).tolist() == [want]


def test_a_ball_equals_itself_and_a_maximum_is_the_element_it_found() -> None:
    x = np.array([[arb(1, 0.1), arb(3, 0.1), arb(2, 0.1)]], dtype=object)
    assert BALLS.equal(x, x).all()
    top = BALLS.max(x, axis=-1, keepdims=True)
    assert BALLS.equal(x, top).tolist() == [[False, True, False]]
    assert BALLS.argmax(x, axis=-1).tolist() == [1]
    assert BALLS.argsort(x, axis=-1).tolist() == [[0, 2, 1]]
    assert BALLS.argsort(x, axis=-1, descending=True).tolist() == [[1, 2, 0]]


def test_what_is_open_is_told_point_by_point() -> None:
    x = np.array([[arb(1), arb(2)], [arb(1, 2), arb(2)], [arb(5), arb(5)]], dtype=object)
    for question in (lambda: BALLS.sort(x, axis=-1), lambda: BALLS.less(x, np.array([[1.5, 1.5]] * 3))):
        with pytest.raises(Undecided) as caught:
            question()
        mask = caught.value.mask
        assert mask.reshape(3, -1).any(axis=1).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("name", "low", "high", "want"),
    [
        ("floor", 1.2, 1.8, 1), ("ceil", 1.2, 1.8, 2), ("round", 1.6, 1.8, 2), ("trunc", -0.4, 0.6, 0),
        ("sign", 1, 2, 1),
        ("floor", 0.9, 1.1, None), ("round", 1.4, 1.6, None), ("trunc", 0.9, 1.1, None), ("sign", -1, 1, None),
    ],
)  # fmt: skip
def test_steps(name: str, low: float, high: float, want: float | None) -> None:
    if want is None:
        with pytest.raises(Undecided):
            getattr(BALLS, name)(ball(low, high))
    else:
        assert getattr(BALLS, name)(ball(low, high)).tolist() == [want]


def test_steps_of_exact_numbers_are_numpys() -> None:
    x = np.array([-2.5, -1.5, -0.5, 0.0, 0.5, 1.5, 2.5, 2.7, -3.2])
    for name in ("floor", "ceil", "round", "trunc", "sign"):
        assert np.array_equal(getattr(BALLS, name)(balls(x)).astype(float), getattr(NUMPY, name)(x))


WHOLE = np.arange(-12.0, 12.0).reshape(2, 3, 4)
SAME: Mapping[str, tuple[Any, ...]] = {
    "sum": (WHOLE, {"axis": (-1, -2), "keepdims": False}),
    "cumulative_sum": (WHOLE, {"axis": (-1,), "include_initial": True}),
    "prod": (WHOLE, {"axis": (-1,), "keepdims": True}),
    "cumulative_prod": (WHOLE, {"axis": (-1,), "include_initial": False}),
    "max": (WHOLE, {"axis": (-1,), "keepdims": False}),
    "min": (WHOLE, {"axis": (-2,), "keepdims": True}),
    "norm": (WHOLE, {"axis": (-1,), "keepdims": False, "ord": 1}),
    "reshape": (WHOLE, {"shape": (4, 6)}),
    "permute_dims": (WHOLE, {"axes": (2, 0, 1)}),
    "getitem": (WHOLE, {"index": (slice(None), np.array([2, 0, 2]))}),
    "scatter": (WHOLE, {"index": (slice(None), np.array([1, 0, 1])), "shape": (2, 2, 4)}),
    "tril": (WHOLE, {"k": 1}),
    "matmul": (WHOLE, WHOLE.reshape(2, 4, 3), {}),
    "outer": (WHOLE, WHOLE, {}),
    "dot": (WHOLE, WHOLE, {}),
    "trace": (WHOLE[:, :, :3], {}),
    "where": (WHOLE > 0, WHOLE, -WHOLE, {}),
    "remainder": (WHOLE, np.array(5.0), {}),
    "floor_divide": (WHOLE, np.array(5.0), {}),
    "argmin": (WHOLE, {"axis": (-1,), "keepdims": False}),
    "flip": (WHOLE, {"axis": (-1,)}),
    "sort": (-WHOLE, {"axis": -1, "descending": False, "stable": True}),
}


@pytest.mark.parametrize("name", SAME)
def test_whole_numbers_are_moved_and_added_as_numpy_does(name: str) -> None:
    *arrays, params = SAME[name]
    with precision(BITS):
        held_as_balls = [a if a.dtype == bool else balls(a) for a in arrays]
        found = getattr(BALLS, name)(*held_as_balls, **params)
        plain = found if found.dtype != object else lowered(found)
    assert np.array_equal(plain, getattr(NUMPY, name)(*arrays, **params))


@pytest.mark.parametrize(
    ("x", "truth"),
    [
        (math.pi, lambda: mp.pi), (2 / math.sqrt(math.pi), lambda: 2 / mp.sqrt(mp.pi)), (1 / 3, lambda: mp.mpf(1) / 3),
        (-math.log(2), lambda: -mp.log(2)), (1 - 1 / 3, lambda: mp.mpf(2) / 3), (math.sqrt(0.5), lambda: mp.sqrt(0.5)),
        (1 / math.sqrt(3), lambda: 1 / mp.sqrt(3)), (180 / math.pi, lambda: 180 / mp.pi),
    ],
)  # fmt: skip
def test_a_rounded_constant_of_a_rule_is_what_it_stands_for(x: float, truth: Callable[[], Any]) -> None:
    with precision(BITS), mp.workdps(DIGITS):
        found = number(x)[()]
        assert held(found, truth())
        assert found.rel_accuracy_bits() >= 100


def test_a_long_number_that_nobody_knows_is_refused_and_a_short_one_taken() -> None:
    with pytest.raises(Unsupported, match=r"0\.7390851332151607"):
        BALLS.multiply(0.7390851332151607, balls(np.ones(2)))
    assert number(0.044715) == 0.044715
    assert number(3) == 3
    assert number(2.0**66) == 2.0**66  # long to write, and no rounding of anything
    assert number(-(2.0**-66)) == -(2.0**-66)


def test_a_number_of_a_formula_has_two_readings() -> None:
    with precision(BITS):
        assert BALLS.constant(0.1)[()] == arb(0.1)
        assert DECIMAL.constant(0.1)[()] != arb(0.1)
        assert DECIMAL.constant(0.1)[()].overlaps(arb(1) / 10)
        assert BALLS.constant(0.5) == 0.5
        assert BALLS.constant(math.pi, "pi")[()].rel_accuracy_bits() >= 100
