"""Do frameworks that lose all digits in a tail get INACCURATE, with the digits told, and right ones AGREES?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradcheck.judge import Verdict, judge
from gradcheck.judge.telling import digits_lost
from gradcheck.oracles import Hearing, Inquiry
from gradcheck.spec.precision import FLOAT64

POINTS = {
    "expm1(x)": ("exp(x)", -40.0),
    "expit(x)": ("expit(x)*expit(-x)", 37.43),
    "tanh(x)": ("1/cosh(x)**2", 20.0),
}
RIGHT = {
    "lgamma(x)": ("digamma(x)", 1e-8),
    "asin(x)": ("1/sqrt((1 - x)*(1 + x))", 1 - 1e-15),
    "acosh(x)": ("1/sqrt((x - 1)*(x + 1))", 1 + 1e-15),
    "log1p(x)": ("1/(1 + x)", -1 + 1e-12),
}


def body(value: str, claims: str) -> str:
    return f"inputs: {{x: {{domain: 'x > -50'}}}}\nvalue: {value}\n{claims}"


@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.parametrize("value", POINTS)
def test_a_slope_of_zero_in_a_tail_has_lost_all_digits(value, framework, spec_of, case_at, judged):
    slope, x = POINTS[value]
    found = judged(case_at(spec_of(body(value, f"gradient: {{x: {slope}}}")), ct=[1.0], x=[x]), ("engine", framework))
    assert found["engine", "reverse"].verdict is Verdict.AGREES
    finding = found[framework, "reverse"]
    assert finding.verdict is Verdict.INACCURATE, finding.reason
    assert finding.blame == f"{framework} reverse"
    assert finding.worst is not None and [n.center for n in finding.worst.numbers if n.witness == finding.blame] == [0]
    assert round(finding.worst.lost) == 16
    assert finding.worst.ulp > 2.0**51
    assert "16 of 16 digits" in finding.reason and "ulp" in finding.reason


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_second_derivative_of_zero_in_a_tail(framework, spec_of, case_at, judged):
    spec = spec_of(body("softplus(x)", "gradient: {x: expit(x)}\nhessian: {x: expit(x)*expit(-x)}"))
    finding = judged(case_at(spec, ct=[1.0], t={"x": [1.0]}, x=[37.43]), ("engine", framework))[framework, "second"]
    assert (finding.verdict, finding.blame) == (Verdict.INACCURATE, f"{framework} second")
    assert finding.worst is not None and round(finding.worst.lost) == 16


@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.parametrize("value", RIGHT)
def test_right_slopes_beside_a_singularity_agree(value, framework, spec_of, case_at, judged):
    slope, x = RIGHT[value]
    found = judged(case_at(spec_of(body(value, f"gradient: {{x: {slope}}}")), ct=[1.0], x=[x]), ("engine", framework))
    for mode in ("reverse", "forward"):
        assert found[framework, mode].verdict is Verdict.AGREES, found[framework, mode].reason


def test_a_wrong_slope_in_a_tail_is_no_loss_of_digits(spec_of, case_at, judged):
    """The engine shares no digits with such a claim, and the claim's own rounding explains nothing."""
    spec = spec_of(body("tanh(x)", "gradient: {x: 1.001/cosh(x)**2}"))
    found = judged(case_at(spec, ct=[1.0, 1.0], x=[20.0, 30.0]), ("engine",))["engine", "reverse"]
    assert (found.verdict, found.wrong) == (Verdict.DISAGREES, 2)
    assert "13 of 16 digits" in found.reason


def test_digits_are_told_of_disagreement_too(spec_of, case_at, judged):
    spec = spec_of(body("sin(x)", "gradient: {x: (1 + 1e-6)*cos(x)}"))
    found = judged(case_at(spec, ct=[1.0], x=[0.5]), ("engine",))["engine", "reverse"]
    assert found.worst is not None and found.verdict is Verdict.DISAGREES
    assert abs(found.worst.lost - np.log10(1e-6 / 2**-53)) < 0.01  # the claim's own number is the measure
    assert "10 of 16 digits" in found.reason


def test_rounding_of_a_large_component_excuses_no_small_one(spec_of, case_at):
    spec = spec_of(
        "inputs: {x: {shape: [2]}}\nvalue: 1e8*x[0]**2 + 1e-8*x[1]**2\ngradient: {x: 'stack([2e8, 2e-8])*x'}"
    )
    case = case_at(spec, ct=[1.0], x=[[0.3, 0.7]])
    said = Hearing(Inquiry(case)).all(("engine", "differences", "torch"))
    honest = said["torch"].answers["vjp:x"]
    off = replace(honest, center=honest.center * np.array([1.0, 1 + 1e-6]))
    said["torch"] = replace(said["torch"], answers={**said["torch"].answers, "vjp:x": off})
    finding = next(f for f in judge(case, said) if (f.witness, f.mode) == ("torch", "reverse"))
    assert (finding.verdict, finding.blame, finding.wrong) == (Verdict.DISAGREES, "torch reverse", 1)


def test_digits_are_counted_of_the_smallest_numbers_too() -> None:
    """A unit of roundoff of 5e-324 is no number: such a size once ended the judgement."""
    assert round(digits_lost(5e-324, 5e-324, FLOAT64)) == FLOAT64.decimals
    assert abs(digits_lost(1e-280 * 2.0**-50, 1e-280, FLOAT64) - np.log10(8.0)) < 1e-12
