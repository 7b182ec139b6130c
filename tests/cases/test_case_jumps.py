"""Are there points beside every jump, on both sides, near enough, and inside the domain?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.cases import build, near_jumps, plans
from gradcheck.cases.jumps import NEAR
from gradcheck.spec import Case, Spec
from gradcheck.spec.membership import inside

SpecOf = Callable[..., Spec]


def beside(spec: Spec) -> Case | None:
    case = build(spec, plans(spec, 0, 1, 1)[0], 64)
    assert case is not None
    return near_jumps(case)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("value: where(x > 0.7, x, 1)\nderivative: {x: 'where(x > 0.7, 1, 0)'}", 0.7),
        ("value: relu(x - 123.25)\nderivative: {x: 'where(x > 123.25, 1, 0)'}", 123.25),
        ("code: |\n  if x < -2.5:\n      return x\n  return 2*x + 2.5\nderivative: {x: 'where(x < -2.5, 1, 2)'}", -2.5),
        ("value: where(x**3 > 8, x, 2)\nderivative: {x: 'where(value > 2, 1, 0)'}", 2.0),
    ],
)
def test_both_sides_of_a_threshold(spec_of: SpecOf, body: str, where: float) -> None:
    case = beside(spec_of(f"inputs: {{x: {{domain: '(-200, 200)'}}}}\n{body}"))
    assert case is not None
    away = case.inputs["x"] / where - 1
    assert (away > 0).any() and (away < 0).any()
    assert np.abs(away).min() > 0 and np.abs(away).max() <= 2 * NEAR < 1e-6
    assert set(case.origins) == {"jump"}


def test_ties_between_inputs_are_passed_on_both_sides(spec_of: SpecOf) -> None:
    case = beside(
        spec_of(
            "inputs: {x: {shape: [n]}, y: {shape: [n]}}\nvalue: sum(abs(x - y))\n"
            "gradient: {x: sign(x - y), y: sign(y - x)}"
        )
    )
    assert case is not None
    gap = (case.inputs["x"] - case.inputs["y"]) / np.abs(case.inputs["x"])
    near = gap[np.abs(gap) < 1e-6]
    assert (near > 0).any() and (near < 0).any() and (near != 0).all()


def test_what_does_not_jump_has_no_such_points(spec_of: SpecOf) -> None:
    assert beside(spec_of("inputs: {x: {}}\nvalue: sin(x)\nderivative: {x: cos(x)}")) is None
    assert beside(spec_of("inputs: {x: {domain: positive}}\nvalue: abs(x)\nderivative: {x: sign(x)}")) is None


def test_a_point_outside_the_domain_is_left_out(spec_of: SpecOf) -> None:
    spec = spec_of(
        "inputs: {x: {domain: '(-5, 5), x != 1 and x < 1 or x > 2'}}\n"
        "value: where(x > 1, x, 1)\nderivative: {x: 'where(x > 1, 1, 0)'}"
    )
    case = beside(spec)
    assert case is not None and inside(spec, case.inputs, case.sizes).all()


def test_no_number_is_tiny_beside_the_others(spec_of: SpecOf) -> None:
    """Beside a jump at zero a number is as small as bisection left it, and no difference along all of them sees it."""
    signed = "inputs: {x: {shape: [3]}}\nvalue: copysign(1, x)*x**2\nderivative: {x: '2*x*copysign(1, x)'}"
    case = beside(spec_of(signed))
    for x in () if case is None else case.inputs["x"]:
        assert np.abs(x).min() >= 1e-7 * np.abs(x).max()


def test_the_same_seed_gives_the_same_points(spec_of: SpecOf) -> None:
    spec = spec_of("inputs: {x: {shape: [n]}}\nvalue: floor(x)*x\nderivative: {x: floor(x)}")
    first, second = beside(spec), beside(spec)
    assert first is not None and second is not None
    for a, b in ((first.inputs, second.inputs), (first.cotangents, second.cotangents)):
        assert all(np.array_equal(a[k], b[k]) for k in a)
