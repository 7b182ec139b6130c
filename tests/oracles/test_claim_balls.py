"""Do enclosures tell two formulas of a claim apart where they differ, and only there?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.errors import Unsupported
from gradcheck.expr import parse_formula
from gradcheck.oracles.balls.claims import Agreement, Original, agreement
from gradcheck.spec import Case, Spec

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]


@pytest.fixture
def told(spec_of: SpecOf, case_at: CaseAt) -> Callable[..., Agreement]:
    """Compares the claim of a function of x with another formula at some points."""

    def told(function: str, other: str, *points: float, more: str = "") -> Agreement:
        spec = spec_of(f"inputs: {{x: {{}}}}\n{function}\n{more}")
        case = case_at(spec, x=np.array(points))
        claim = spec.claims[0]
        return agreement(Original(case, claim), parse_formula(other, claim.program.allowed), np.arange(len(points)))

    return told


SINE = "value: sin(x)\ngradient: {x: cos(x)}"


@pytest.mark.parametrize("other", ["cos(-x)", "1 - 2*sin(x/2)**2", "sin(x + pi/2)", "cos(x)*(sin(x)**2 + cos(x)**2)"])
def test_identities_hold_at_every_point(told: Callable[..., Agreement], other: str) -> None:
    found = told(SINE, other, 0.0, 0.3, -1e-9, 700.0)
    assert found.equal.all() and not found.different.any() and not found.open.any()


@pytest.mark.parametrize(
    "other", ["sin(x)", "1.000001*cos(x)", "cos(x) + 1e-25", "cos(x + 1e-20)", "0", "[cos(x), 1][1]"]
)
def test_the_smallest_difference_is_told(told: Callable[..., Agreement], other: str) -> None:
    found = told(SINE, other, 0.4, 1.3)
    assert found.different.any() and not found.equal.all()


def test_each_point_is_told_by_itself(told: Callable[..., Agreement]) -> None:
    found = told("value: abs(x)\ngradient: {x: 'where(x > 0, 1, -1)'}", "where(x >= 0, 1, -1)", -1.0, 0.0, 1.0)
    assert found.equal.tolist() == [True, False, True]
    assert found.different.tolist() == [False, True, False]


def test_where_a_convention_is_declared_the_formulas_are_not_asked(told: Callable[..., Agreement]) -> None:
    kinks = "at_kinks: {'x == 0': {x: 0}}"
    found = told("value: abs(x)\ngradient: {x: x/abs(x)}", "abs(x)/x", -1.0, 0.0, 1.0, more=kinks)
    assert found.equal.all()
    found = told("value: abs(x)\ngradient: {x: x/abs(x)}", "where(x > -1, x/abs(x), 1)", -1.0, 0.0, 1.0, more=kinks)
    assert found.different.tolist() == [True, False, False]


def test_what_is_undefined_alike_is_alike(told: Callable[..., Agreement]) -> None:
    found = told("value: abs(x)\ngradient: {x: x/abs(x)}", "abs(x)/x", -1.0, 0.0)
    assert found.equal.all()
    found = told("value: abs(x)\ngradient: {x: x/abs(x)}", "sign(x)", -1.0, 0.0)
    assert found.equal.tolist() == [True, False]


def test_the_value_may_be_named(told: Callable[..., Agreement]) -> None:
    assert told("value: exp(x)\ngradient: {x: value}", "exp(x)", 0.1, 5.0).equal.all()


def test_what_has_no_enclosure_is_refused(told: Callable[..., Agreement]) -> None:
    with pytest.raises(Unsupported):
        told(SINE, "nextafter(cos(x), inf)", 0.3)


def test_what_was_compared_before_changes_nothing(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of("inputs: {x: {}}\nvalue: exp(x)\ngradient: {x: exp(x)}")
    case = case_at(spec, x=np.array([0.3, 2.0]))
    original, rows = Original(case, spec.claims[0]), np.arange(2)
    for text, expected in (("exp(x)*1", True), ("exp(-x)", False), ("value", True), ("value + 1e-9", False)) * 2:
        other = parse_formula(text, spec.claims[0].program.allowed)
        assert agreement(original, other, rows).equal.all() == expected, text
