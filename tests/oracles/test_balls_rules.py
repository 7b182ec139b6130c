"""Are the engine's rules of special and matrix functions right over balls, to more digits than float64 has?

mpmath knows every function to 100 digits and more; differences of it at steps of 1e-40 know the derivatives to 45.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from gradcheck.engine import hvp, jvp, vjp
from gradcheck.expr.unknown import Unknown
from gradcheck.oracles.balls.flint_library import balls, precision
from gradcheck.oracles.balls.slopes import ROWS, SLOPES
from gradcheck.oracles.balls.vocabulary import BALLS
from gradcheck.oracles.certified import widened

BITS = 256
NARROW = 150  # bits that a derivative must have at BITS, of an input that is wide at twice as many
DIGITS = 180
STEP = mpmath.mpf(10) ** -40  # the differences' error is its square, times a third derivative
Holds = Callable[..., bool]
Lie = Callable[[Any], Any]


def _table(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{name}_of_balls", Path(__file__).with_name(f"test_{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SPECIAL, MATRICES = _table("balls_special").REFERENCE, _table("balls_linalg").REFERENCE
NOTHING = mpmath.mpf(10) ** -78  # what the differences make of a zero: less than the square of their step
ASKED: dict[str, list[tuple[float, ...]]] = {  # where the values' own points are edges, or where a rule changes
    "xlogy": [(2.5, 1e-9), (-3.0, 1.0 + 1e-12)], "xlog1py": [(2.5, 1e-19), (-3.0, 40.5)], "entr": [(0.4,), (1e-8,)],
    "rel_entr": [(3.0, 2.0), (1.0, 1.0 + 1e-13)], "kl_terms": [(3.0, 2.0), (1.0, 1.0 + 1e-13)],
    "betainc": [(2.5, 1.5, 0.3), (30.0, 80.0, 0.001)], "log_ndtr": [(-1.0,), (-40.0,), (5.5,)],
    "erfcx": [(8.0,), (50.0,), (-3.5,)], "sinc": [(0.0,), (0.5,), (-1e-9,), (30.25,)],
    "rgamma": [(0.5,), (-3.0,), (-2.5,)], "ive": [(2.0, 30.0), (2.0, -200.0), (0.5, 0.3)],
    "kve": [(0.5, 0.3), (3.25, 40.0)], "kv": [(0.5, 0.3), (3.25, 12.5)], "yv": [(0.5, 0.3), (3.25, 12.5)],
    "i1e": [(27.0,), (-0.3,)], "i0e": [(26.0,), (-0.3,)], "lambertw": [(-0.3678794411714,), (1.5,)],
    **{name: [(0.75,)] for name in ("k0", "k1", "k0e", "k1e", "y0", "y1")}, "expn": [(0.0, 0.7), (3.0, 2.5)],
    "gammainc": [(30.0, 200.0), (2.5, 1e-9)], "gammaincc": [(30.0, 200.0), (0.3, 0.7)],
    "tanhshrink": [(0.0,), (1e-9,), (3.5,)],
}  # fmt: skip


def moving(name: str) -> list[int]:
    """The arguments that the row has a derivative by."""
    slopes = BALLS.vocabulary[name].slopes
    return [i for i, slope in enumerate(slopes) if not isinstance(slope, Unknown) and slope is not None]


def function_of(name: str) -> Callable[..., Any]:
    return lambda xp, *args: getattr(xp, name)(*args)


def reference(name: str, point: tuple[float, ...], i: int) -> tuple[Any, Any]:
    """The first and the second derivative by argument i, by differences at 180 digits."""

    def f(t: Any) -> Any:
        args = [mpmath.mpf(x) for x in point]
        args[i] += t
        return mp.re(SPECIAL[name][0](*args))

    with mp.workdps(DIGITS):
        below, here, above = f(-STEP), f(0), f(STEP)
        return (above - below) / (2 * STEP), (above - 2 * here + below) / STEP**2


def asked(name: str, point: tuple[float, ...], i: int) -> tuple[Any, Any, Any]:
    """The derivative by argument i in both modes, and the second one, over balls."""
    wrt = [k == i for k in range(len(point))]
    one = balls(np.ones(1))
    with precision(BITS):
        args = [widened(np.array([x]), BITS) if w else np.array([x]) for x, w in zip(point, wrt, strict=True)]
        tangents = [one if w else None for w in wrt]
        pulled = vjp(function_of(name), BALLS, args, one, wrt)[1][i]
        pushed = jvp(function_of(name), BALLS, args, tangents)[1]
        second = hvp(function_of(name), BALLS, args, one, tangents, wrt)[1][i]
    return balls(pulled)[0], balls(pushed)[0], balls(second)[0]


CASES = [(name, i) for name in SPECIAL if name not in ROWS for i in moving(name)]


@pytest.mark.parametrize(("name", "i"), CASES)
def test_slopes_of_special_functions(name: str, i: int, holds: Holds, off: Lie) -> None:
    for point in ASKED.get(name, SPECIAL[name][1][1:3]):
        first, second = (value if abs(value) > NOTHING else mpmath.mpf(0) for value in reference(name, point, i))
        pulled, pushed, curved = asked(name, point, i)
        assert holds(pulled, first, 1e-45) and holds(pushed, first, 1e-45), point
        assert holds(curved, second, 1e-25), point
        if first:
            assert pulled.rel_accuracy_bits() >= NARROW and pushed.rel_accuracy_bits() >= NARROW, point
            with precision(BITS):
                assert not holds(off(pulled), first, 1e-45), point


def stepped(name: str, args: tuple[Any, ...], moves: tuple[Any, ...], step: Any) -> Any:
    """mpmath's value beside the point."""
    moved = [mp.matrix(a.tolist()) + step * mp.matrix(t.tolist()) for a, t in zip(args, moves, strict=True)]
    return MATRICES[name][0](*moved)


@pytest.mark.parametrize("name", MATRICES)
def test_rules_of_matrix_functions(name: str, holds: Holds, off: Lie) -> None:
    """Along a direction V, the derivative D; pulled back from a cotangent C, <C, D> = <vjp(C), V>."""
    rng = np.random.default_rng(11)
    for args in MATRICES[name][1][1:3]:
        moves = tuple(rng.standard_normal(a.shape) for a in args)
        with mp.workdps(DIGITS):
            below, here, above = (stepped(name, args, moves, step) for step in (-STEP, 0, STEP))
            first, second = (above - below) / (2 * STEP), (above - 2 * here + below) / STEP**2
        ct = rng.standard_normal(np.shape(first))
        with precision(BITS):
            points, tangents = [widened(a, BITS) for a in args], [balls(t) for t in moves]
            pushed = balls(jvp(function_of(name), BALLS, points, tangents)[1])
            pulled = vjp(function_of(name), BALLS, points, balls(ct))[1]
            along = hvp(function_of(name), BALLS, points, balls(ct), tangents)[1]
            inner = sum(np.sum(balls(p) * t) for p, t in zip(pulled, tangents, strict=True))
            curved = sum(np.sum(balls(p) * t) for p, t in zip(along, tangents, strict=True))
            wrong = off(inner)
        with mp.workdps(DIGITS):
            by_mpmath = [np.sum(d * np.vectorize(mpmath.mpf, otypes=[object])(ct)) for d in (first, second)]
        assert all(holds(b, d, 1e-45) for b, d in zip(pushed.flat, np.asarray(first).flat, strict=True))
        assert holds(inner, by_mpmath[0], 1e-45)
        assert holds(curved, by_mpmath[1], 1e-25)
        if by_mpmath[0]:
            assert inner.rel_accuracy_bits() >= NARROW
            assert not holds(wrong, by_mpmath[0], 1e-45)


def test_norms_of_equal_numbers_are_smooth(holds: Holds) -> None:
    """The largest number scales a norm, and no derivative asks which of two it is: x|x|/value² is 2**(-2/3) here."""

    def norm(xp: Any, x: Any) -> Any:
        return xp.vector_norm(x, axis=(-1,), keepdims=False, ord=3)

    with precision(BITS):
        x, one = [widened(np.array([1.5, 1.5]), BITS)], balls(np.ones(()))
        pulled = vjp(norm, BALLS, x, one)[1][0]
        pushed = jvp(norm, BALLS, x, [balls(np.array([1.0, 0.0]))])[1]
    with mp.workdps(DIGITS):
        expected = mpmath.mpf(2) ** (mpmath.mpf(-2) / 3)
    assert all(holds(b, expected) and b.rel_accuracy_bits() > NARROW for b in [*pulled, pushed[()]])


@pytest.mark.parametrize("name", ["deg2rad", "rad2deg"])
def test_degrees(name: str, holds: Holds) -> None:
    """Their slopes are pi/180 and 180/pi to every digit, and not float64's."""
    with mp.workdps(DIGITS):
        expected = mp.pi / 180 if name == "deg2rad" else 180 / mp.pi
    pulled, pushed, curved = asked(name, (1.75,), 0)
    assert holds(pulled, expected) and holds(pushed, expected) and curved == 0
    assert pulled.rel_accuracy_bits() >= NARROW


def test_every_slope_of_its_own_is_tried_here() -> None:
    assert set(SLOPES) - {"deg2rad", "rad2deg"} <= {name for name, _ in CASES}
