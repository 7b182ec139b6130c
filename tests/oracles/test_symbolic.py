"""Does SymPy settle what is right, and nothing that is wrong?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.oracles import Hearing, Inquiry, symbolic
from gradcheck.spec import Case, Spec

pytest.importorskip("sympy")
SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]


def settled(spec_of: SpecOf, case_at: CaseAt, value: str, claim: str) -> list[str]:
    spec = spec_of(f'inputs: {{x: {{shape: [n]}}}}\nvalue: {value}\nderivative: {{x: "{claim}"}}')
    return symbolic.settled(Inquiry(case_at(spec, x=np.array([[0.5, 2.0]]))))


@pytest.mark.parametrize(
    ("value", "claim"),
    [
        ("x**3 - 0.1*x", "3*x**2 - 0.1"),
        ("sin(x)**2", "sin(2*x)"),
        ("exp(-x**2) * sin(3*x)", "value * (3*cos(3*x)/sin(3*x) - 2*x)"),
        ("tanh(x)", "1 - value**2"),
        ("x / (1 + x**2)", "(1 - x**2) / (1 + x**2)**2"),
        ("sqrt(2/pi) * x", "sqrt(2/pi) * x**0"),
    ],
)
def test_a_right_formula_is_settled(value: str, claim: str, spec_of: SpecOf, case_at: CaseAt) -> None:
    assert settled(spec_of, case_at, value, claim) == ["x"]


@pytest.mark.parametrize(
    ("value", "claim"),
    [
        ("x**3", "3.0000000000001*x**2"),
        ("0.1*x**2", "0.2*x + 1e-30*x"),
        ("sin(x)", "-cos(x)"),
        ("log(1 + exp(-200)) * x", "0*x"),  # SymPy's evalf gives 0 for this number
        ("relu(x)", "x/x"),  # no name of SymPy's
        ("abs(x)", "sign(x)"),
    ],
)
def test_what_is_wrong_or_unknown_is_not(value: str, claim: str, spec_of: SpecOf, case_at: CaseAt) -> None:
    assert settled(spec_of, case_at, value, claim) == []


def test_a_large_formula_is_not_asked_about(spec_of: SpecOf, case_at: CaseAt) -> None:
    terms = [f"sin({k}*x)/(x + {k})" for k in range(2, 24)]
    slopes = [f"{k}*cos({k}*x)/(x + {k}) - sin({k}*x)/(x + {k})**2" for k in range(2, 24)]
    assert settled(spec_of, case_at, " + ".join(terms[:2]), " + ".join(slopes[:2])) == ["x"]
    assert settled(spec_of, case_at, " + ".join(terms), " + ".join(slopes)) == []


def test_the_witness_tells_it(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of('inputs: {x: {shape: [n]}}\nvalue: x**3\nderivative: {x: "3*x**2"}')
    said: Any = Hearing(Inquiry(case_at(spec, x=[[1.0, 2.0]]))).all(["certified"])["certified"]
    assert "the claimed derivative in x is settled symbolically" in said.notes
