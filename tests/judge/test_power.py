"""Is the stated power what the run would have caught?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gradcheck.judge import Power, Verdict, judge, power, wrong_points
from gradcheck.judge.budgets import safety
from gradcheck.oracles import INDEPENDENT, Evidence, Hearing, Inquiry, Measured, Reason, Silence, Testimony
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


def smallest_caught(case: Case, said: dict[str, Testimony], element: int, sign: float) -> np.ndarray:
    """The smallest relative error of one element of vjp:x that some witness contradicts, at each point, by halving."""
    claim = said["claim"]
    assert isinstance(claim, Evidence)
    right = claim.answers["vjp:x"]
    low, high = np.full(case.points, -18.0), np.full(case.points, 0.0)  # of the decimal logarithm
    for _ in range(30):
        middle = (low + high) / 2
        center = right.center.copy()
        center.reshape(case.points, -1)[:, element] *= 1 + sign * 10**middle
        lie = Evidence("claim", {**claim.answers, "vjp:x": replace(right, center=center)})
        asked = [name for name in said if name != "claim"]
        caught = np.any([wrong_points(case, {**said, "claim": lie}, name, "vjp:x") for name in asked], axis=0)
        low, high = np.where(caught, low, middle), np.where(caught, middle, high)
    return np.asarray(10**high)


@pytest.mark.parametrize("witnesses", [("engine",), ("engine", "differences"), ("certified", "engine")])
@pytest.mark.parametrize(
    "body",
    [
        "value: sum(exp(x)*sin(x))\ngradient: {x: exp(x)*(sin(x) + cos(x))}",
        "value: logsumexp(x)\ngradient: {x: softmax(x)}",
        "value: sqrt(sum(x**2))\ngradient: {x: x/value}",
        "value: sum(log(1 + x**2)*stack([1, 1e-6, 1e6]))\ngradient: {x: '2*x/(1 + x**2)*stack([1, 1e-6, 1e6])'}",
    ],
)
def test_the_stated_power_is_where_planted_errors_begin_to_be_caught(
    body: str, witnesses: tuple[str, ...], spec_of: SpecOf, case_at: CaseAt
) -> None:
    """One element after the other is made wrong, ever less; both signs, since a claim lies anywhere in its bar."""
    spec = spec_of(f"inputs: {{x: {{shape: [3]}}}}\n{body}")
    x = np.random.default_rng(7).normal(0.0, 1.0, (9, 3))
    case = case_at(spec, x=x, ct=np.ones(9))
    said = dict(Hearing(Inquiry(case)).all(witnesses))
    stated = power(said, INDEPENDENT)
    assert stated is not None
    found = np.stack(
        [np.mean([smallest_caught(case, said, k, sign) for sign in (1.0, -1.0)], axis=0) for k in range(3)], axis=1
    )
    assert 0.5 * stated.median < np.median(found) < 1.5 * stated.median
    assert 0.5 * stated.worst < np.max(np.median(found, axis=0)) < 1.5 * stated.worst
