"""Is the stated power what the run would have caught?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gradcheck.judge import Power, Verdict, judge, power
from gradcheck.judge.budgets import safety
from gradcheck.oracles import INDEPENDENT, Evidence, Hearing, Inquiry, Measured, Reason, Silence
from gradcheck.spec import Case, Spec

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]


def heard(center: float, claim_bar: float, **bars: float) -> Power | None:
    said = {"claim": Evidence("claim", {"vjp:x": one(center, claim_bar), "value": one(1.0, 0.0)})}
    said |= {name: Evidence(name, {"vjp:x": one(center, bar)}) for name, bar in bars.items()}
    return power(said, INDEPENDENT)


def one(center: float, bar: float) -> Measured:
    return Measured(np.full((3, 2), center), np.full((3, 2), bar))


def test_the_best_witness_counts_with_its_budget() -> None:
    found = heard(2.0, 1e-12, engine=1e-12, differences=1e-6)
    assert found is not None
    assert found.median == pytest.approx((safety("claim") + safety("engine")) * 1e-12 / 2, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_power_is_relative(scale: float) -> None:
    found = heard(scale, 0.0, engine=1e-10 * scale)
    assert found is not None
    assert found.median == pytest.approx(safety("engine") * 1e-10, rel=1e-6)


def test_who_is_not_independent_or_silent_adds_none() -> None:
    assert heard(1.0, 0.0, example=0.0) == Power(np.inf, np.inf)
    said = {"claim": Silence("claim", Reason.CRASHED, "no")}
    assert power(said, INDEPENDENT) is None
    assert power({"claim": Evidence("claim", {"value": one(1.0, 0.0)})}, INDEPENDENT) is None


def test_the_worst_element_is_the_one_seen_least() -> None:
    bars = np.array([[1e-12, 1e-3]] * 3)
    said = {
        "claim": Evidence("claim", {"vjp:x": one(1.0, 0.0)}),
        "differences": Evidence("differences", {"vjp:x": Measured(np.ones((3, 2)), bars)}),
    }
    found = power(said, INDEPENDENT)
    assert found is not None
    assert found.worst == pytest.approx(safety("differences") * 1e-3, rel=1e-6)


@pytest.mark.parametrize("witnesses", [("engine",), ("engine", "differences")])
def test_errors_above_the_stated_power_are_caught_and_those_below_are_not(
    witnesses: tuple[str, ...], spec_of: SpecOf, case_at: CaseAt
) -> None:
    spec = spec_of("inputs: {x: {}}\nvalue: exp(sin(x))\nderivative: {x: exp(sin(x))*cos(x)}")
    case = case_at(spec, x=np.linspace(-1.2, 1.2, 15), ct=np.ones(15))
    said = dict(Hearing(Inquiry(case)).all(witnesses))
    stated = power(said, INDEPENDENT)
    assert stated is not None and stated.median < 1e-6
    claim = said["claim"]
    assert isinstance(claim, Evidence)

    def verdicts(error: float) -> set[Verdict]:
        m = claim.answers["vjp:x"]
        answers = {"value": claim.answers["value"], "vjp:x": replace(m, center=m.center * (1 + error))}
        findings = judge(case, {**said, "claim": Evidence("claim", answers)})
        return {f.verdict for f in findings if f.mode == "reverse"}

    assert Verdict.DISAGREES in verdicts(3 * stated.median)
    assert verdicts(stated.median / 100) == {Verdict.AGREES}
