"""Does `accuracy:` demand and forgive what it says, and nothing that is wrong by mathematics?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradcheck.judge import Finding, Verdict, judge, overall
from gradcheck.oracles import Evidence, Hearing, Inquiry, Measured
from gradcheck.spec import Case, Spec

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]
X = np.linspace(0.5, 2.5, 24)
LINEAR = "inputs: {x: {}}\nvalue: 3*x\nderivative: {x: 3}\n"
ABSORBED = "inputs: {x: {}}\nvalue: (x + 1e8) - 1e8\nderivative: {x: 1}\n"


def found(case: Case, lie: Callable[[str, Measured], Any]) -> list[Finding]:
    """What is found of a framework that gives the engine's answers, changed."""
    engine = Hearing(Inquiry(case)).one("engine")
    assert isinstance(engine, Evidence)
    answers = {q: replace(m, center=lie(q, m)) for q, m in engine.answers.items()}
    torch = replace(engine, witness="torch", answers=answers)
    heard = {**Hearing(Inquiry(case)).all(["engine"]), "torch": torch}
    return list(judge(case, heard))


def of_torch(findings: list[Finding]) -> dict[str, Finding]:
    return {f.mode: f for f in findings if f.witness == "torch"}


def units(count: float) -> Callable[[str, Measured], Any]:
    return lambda quantity, m: m.center + count * np.spacing(np.abs(m.center))


@pytest.mark.parametrize(("off", "verdict", "missed"), [(2, Verdict.AGREES, 0), (40, Verdict.INACCURATE, 24)])
def test_more_units_than_are_allowed_are_missed(
    off: float, verdict: Verdict, missed: int, spec_of: SpecOf, case_at: CaseAt
) -> None:
    case = case_at(spec_of(LINEAR + "accuracy: {ulp: 4}"), x=X, ct=np.ones(24), t={"x": np.ones(24)})
    findings = found(case, lambda q, m: units(off)(q, m) if q == "value" else m.center)
    value = of_torch(findings)["value"]
    assert (value.verdict, value.missed) == (verdict, missed)
    whole = overall(findings, frozenset({"engine", "torch"}), ["vjp:x"])
    assert (whole.verdict, whole.passed) == (verdict, missed == 0)
    if missed:
        assert "24 are more than 4 units in the last place off, which the spec does not allow" in whole.sentence
        assert whole.blame == "torch value"


def test_without_a_demand_such_an_error_passes(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = case_at(spec_of(LINEAR), x=X)
    findings = found(case, lambda q, m: units(40)(q, m) if q == "value" else m.center)
    value = of_torch(findings)["value"]
    assert (value.verdict, value.missed) == (Verdict.INACCURATE, 0)
    assert overall(findings, frozenset({"engine", "torch"}), ["vjp:x"]).passed


def test_the_engine_is_not_held_to_a_demand_of_frameworks(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = case_at(spec_of(ABSORBED + "accuracy: {ulp: 1}"), x=X)
    assert {f.missed for f in found(case, lambda q, m: m.center) if f.witness == "engine"} == {0}


@pytest.mark.parametrize(
    ("accuracy", "verdict"),
    [
        ("", Verdict.INACCURATE),
        ("accuracy: absolute", Verdict.AGREES),
        ("accuracy: {absolute: 1e-10}", Verdict.AGREES),
        ("accuracy: {absolute: 1e-16}", Verdict.INACCURATE),
    ],
)
def test_a_declared_error_of_rounding_agrees_and_says_so(
    accuracy: str, verdict: Verdict, spec_of: SpecOf, case_at: CaseAt
) -> None:
    case = case_at(spec_of(LINEAR + accuracy), x=X)
    value = of_torch(found(case, lambda q, m: (1 + 1e-12) * m.center if q == "value" else m.center))["value"]
    assert value.verdict is verdict
    assert ("by absolute accuracy" in value.reason) == (verdict is Verdict.AGREES)


@pytest.mark.parametrize("accuracy", ["accuracy: absolute", "accuracy: {absolute: 1e3}", "accuracy: {ulp: 1e6}"])
def test_what_is_wrong_by_mathematics_stays_wrong(accuracy: str, spec_of: SpecOf, case_at: CaseAt) -> None:
    case = case_at(spec_of(LINEAR + accuracy), x=X)
    findings = of_torch(found(case, lambda q, m: (1 + 1e-6) * m.center))
    assert {f.verdict for f in findings.values()} == {Verdict.DISAGREES}


def test_a_zero_gradient_of_a_tiny_function_is_no_rounding(spec_of: SpecOf, case_at: CaseAt) -> None:
    body = "inputs: {x: {}}\nvalue: 1e-9*sin(x)\nderivative: {x: 1e-9*cos(x)}\naccuracy: {absolute: 1e-6}"
    findings = of_torch(found(case_at(spec_of(body), x=X), lambda q, m: 0 * m.center if q != "value" else m.center))
    assert findings["reverse"].verdict is Verdict.DISAGREES
