"""Is a witness held to what its dtype allows: no less, no more, and with the word where nothing can be said?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradcheck.cases import narrowed
from gradcheck.judge import Finding, Verdict, judge
from gradcheck.judge.budgets import BUDGETS, NARROW_SAFETY, dtype_of, safety
from gradcheck.oracles import Evidence, Hearing, Inquiry, Measured, Testimony
from gradcheck.spec import Case, Spec
from gradcheck.spec.precision import PRECISIONS

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]
NARROW = ("float32", "float16", "bfloat16")
X = np.linspace(0.5, 2.5, 24)
EXPONENTIAL = "inputs: {x: {}}\nvalue: exp(x)\nderivative: {x: exp(x)}"


def engine_in(case: Case) -> Evidence:
    """The engine's answers as those of a framework that computes in the case's dtype."""
    hearing = Hearing(Inquiry(case))
    said = hearing._barred(f"torch {case.dtype}", lambda: {q: m.center for q, m in engine(case).answers.items()})
    assert isinstance(said, Evidence)
    return said


def engine(case: Case) -> Evidence:
    said = Hearing(Inquiry(case)).one("engine")
    assert isinstance(said, Evidence)
    return said


def found(case: Case, said: Testimony, **more: Any) -> dict[str, Finding]:
    """Mode -> what is found of a witness, which the engine and the differences stand beside."""
    heard = dict(Hearing(Inquiry(case)).all(["engine", "differences"])) | {said.witness: said}
    return {f.mode: f for f in judge(case, heard, **more) if f.witness == said.witness}


def changed(said: Evidence, lie: Callable[[str, Measured], Any]) -> Evidence:
    return replace(said, answers={q: replace(m, center=lie(q, m)) for q, m in said.answers.items()})


@pytest.mark.parametrize("dtype", NARROW)
def test_rounding_to_the_dtype_agrees(dtype: str, spec_of: SpecOf, case_at: CaseAt) -> None:
    case = narrowed(case_at(spec_of(EXPONENTIAL), x=X), dtype)
    assert case is not None
    rounded = changed(engine_in(case), lambda q, m: PRECISIONS[dtype].rounded(m.center))
    findings = found(case, rounded)
    assert {f.verdict for f in findings.values()} == {Verdict.AGREES}
    assert all(f.undecided == 0 for f in findings.values())


@pytest.mark.parametrize(("dtype", "error"), [("float32", 1e-3), ("float16", 0.1), ("bfloat16", 0.5)])
def test_an_error_in_one_number_is_caught(dtype: str, error: float, spec_of: SpecOf, case_at: CaseAt) -> None:
    case = narrowed(case_at(spec_of(EXPONENTIAL), x=X), dtype)
    assert case is not None

    def lie(quantity: str, m: Measured) -> Any:
        first = np.arange(m.center.size).reshape(m.center.shape) == 3
        return np.where(first, (1 + error) * m.center, m.center)

    findings = found(case, changed(engine_in(case), lie))
    assert {f.verdict for f in findings.values()} == {Verdict.DISAGREES}
    assert {f.wrong for f in findings.values()} == {1}
    assert findings["reverse"].blame == f"torch {dtype} reverse"


def test_only_those_who_compute_in_the_dtype_are_judged_there(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = narrowed(case_at(spec_of(EXPONENTIAL), x=X), "float32")
    assert case is not None
    heard = Hearing(Inquiry(case)).all(["engine", "differences"])
    assert judge(case, heard) == ()


def test_a_derivative_in_another_dtype_is_a_finding(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = narrowed(case_at(spec_of(EXPONENTIAL), x=X), "float32")
    assert case is not None
    wide = replace(engine_in(case), dtypes={"vjp:x": "float64"})
    heard = {**Hearing(Inquiry(case)).all(["engine"]), wide.witness: wide}
    (first, *others) = judge(case, heard)
    assert (first.verdict, first.blame) == (Verdict.DISAGREES, "torch float32 reverse")
    assert first.reason == "the vjp in x comes in float64, where its input is float32"
    assert {f.verdict for f in others} == {Verdict.AGREES}


def test_where_the_range_ends_nothing_is_decided_and_it_is_said(spec_of: SpecOf, case_at: CaseAt) -> None:
    body = "inputs: {x: {}}\nvalue: exp(x)/exp(x/2)\nderivative: {x: exp(x/2)/2}"
    x = np.concatenate([X, np.full(4, 88.0)])  # where exp(x) is past what float32 holds in the rule's own terms
    case = narrowed(case_at(spec_of(body), x=np.where(x > 80, 89.0, x)), "float32")
    assert case is not None

    def overflow(quantity: str, m: Measured) -> Any:
        return np.where(case.inputs["x"] > 80, np.inf, m.center)

    findings = found(case, changed(engine_in(case), overflow))
    assert findings["value"].verdict is Verdict.AGREES
    assert findings["value"].undecided == 4
    assert "4 undecided (4 overflow or underflow on the way in float32)" in findings["value"].reason


def test_an_infinity_inside_the_range_is_wrong(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = narrowed(case_at(spec_of(EXPONENTIAL), x=X), "float32")
    assert case is not None
    findings = found(case, changed(engine_in(case), lambda q, m: np.where(case.inputs["x"] > 2, np.inf, m.center)))
    assert {f.verdict for f in findings.values()} == {Verdict.DISAGREES}


def test_a_decision_that_rounding_may_turn_is_undecided(spec_of: SpecOf, case_at: CaseAt) -> None:
    """x + y is 0 or below a unit of float32: whether a framework's sum is positive is a matter of rounding."""
    slope = "'where(x + y > 0, ct/3, 0)'"
    body = f"inputs: {{x: {{}}, y: {{}}}}\nvalue: relu(x/3 + y/3)\nvjp: {{x: {slope}, y: {slope}}}"
    x = np.concatenate([X, [1.0]])
    y = np.concatenate([X, [-1.0 + 2.0**-24]])
    case = narrowed(case_at(spec_of(body), x=x, y=y), "float32")
    assert case is not None
    other_side = changed(engine_in(case), lambda q, m: np.where(case.inputs["y"] < 0, 0.0, m.center))
    findings = found(case, other_side)
    assert findings["reverse"].verdict is Verdict.AGREES
    assert findings["reverse"].undecided == 1


def test_an_error_that_trembles_with_the_last_digit_is_rounding(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = narrowed(case_at(spec_of(EXPONENTIAL), x=X), "float32")
    assert case is not None
    off = changed(engine_in(case), lambda q, m: 1.001 * m.center)
    steady = {"torch float32": {q: 1e-6 * np.abs(m.center) for q, m in off.answers.items()}}
    shaky = {"torch float32": {q: 1e-3 * np.abs(m.center) for q, m in off.answers.items()}}
    assert {f.verdict for f in found(case, off, tremors=steady).values()} == {Verdict.DISAGREES}
    assert {f.verdict for f in found(case, off, tremors=shaky).values()} == {Verdict.INACCURATE}


def test_units_in_the_last_place_are_the_dtypes(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = narrowed(case_at(spec_of(EXPONENTIAL), x=X), "float32")
    assert case is not None
    far = found(case, changed(engine_in(case), lambda q, m: m.center + 1000 * PRECISIONS["float32"].spacing(m.center)))
    worst = far["reverse"].worst
    assert worst is not None
    assert worst.ulp == pytest.approx(1000, rel=1e-6)


@pytest.mark.parametrize("dtype", NARROW)
def test_every_dtype_has_a_budget(dtype: str) -> None:
    assert BUDGETS[dtype].unit == PRECISIONS[dtype].unit
    assert safety(f"jax {dtype}") == safety(f"implementation:numpy {dtype}") == NARROW_SAFETY[dtype] >= 1
    assert dtype_of(f"torch {dtype} reverse") == dtype


def test_the_budgets_of_float64_are_its_own() -> None:
    assert BUDGETS["float64"].unit == PRECISIONS["float64"].unit
    assert dtype_of("torch reverse") == dtype_of("implementation:numpy") == "float64"
    assert set(BUDGETS) == set(PRECISIONS)
