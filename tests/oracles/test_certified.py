"""Are the certified witness's numbers the truth, is it silent where there is none, and does it see small lies?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from gradcheck.judge import Number, Verdict
from gradcheck.judge.blame import blame
from gradcheck.oracles import Evidence, Hearing, Inquiry, Silence
from gradcheck.oracles.balls.flint_library import arb, balls, precision
from gradcheck.oracles.certified import PRECISIONS, numbers_of
from gradcheck.spec import Case, Spec

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]
Judged = Callable[..., dict[Any, Any]]
VECTOR = "inputs: {x: {shape: [n]}}\n"
X = np.array([[0.5, -1.25, 2.0], [3.0, 0.1, -0.7]])


def said(case: Case) -> Evidence:
    found = Hearing(Inquiry(case)).all(["certified"])["certified"]
    assert isinstance(found, Evidence), found
    return found


def holds(evidence: Evidence, quantity: str, index: tuple[int, ...], truth: Any) -> bool:
    """Whether the truth (mpmath, 60 digits) lies in the bar, and the bar is no wider than rounding to float64."""
    measured = evidence.answers[quantity]
    centre, bar = float(measured.center[index]), float(measured.bar[index])
    off, size = abs(mpmath.mpf(centre) - truth), abs(truth)
    rounding = mpmath.mpf(2) ** -52 * size + mpmath.mpf(2) ** -1074
    return bool(off <= mpmath.mpf(bar) + mpmath.mpf(10) ** -50 * size and mpmath.mpf(bar) <= rounding)


def test_value_and_derivatives_of_every_order_are_the_truth(spec_of: SpecOf, case_at: CaseAt) -> None:
    body = "inputs: {x: {shape: []}}\nvalue: exp(-x**2) * sin(3*x)\nhvp: {x: 't_x * value'}\nderivative: {x: '0*x'}"
    points = X.ravel()
    evidence = said(case_at(spec_of(body), ct=np.ones(6), t={"x": np.full(6, 2.0)}, x=points))

    def f(x: Any) -> Any:
        return mp.exp(-(x**2)) * mp.sin(3 * x)

    with mp.workdps(60):
        for k in range(6):
            x = mpmath.mpf(points[k])
            assert holds(evidence, "value", (k,), f(x))
            assert holds(evidence, "vjp:x", (k,), mp.diff(f, x))
            assert holds(evidence, "jvp", (k,), 2 * mp.diff(f, x))
            assert holds(evidence, "hvp:x", (k,), 2 * mp.diff(f, x, 2))


@pytest.mark.parametrize(
    ("text", "x", "f"),
    [
        ("(1 - cos(x)) / x**2", 1e-8, lambda x: (1 - mp.cos(x)) / x**2),
        ("log(1 + exp(x)) - x", 80.0, lambda x: mp.log(1 + mp.exp(x)) - x),
        ("exp(x) / (1 + exp(x))", 300.0, lambda x: mp.exp(x) / (1 + mp.exp(x))),
        ("sqrt(x + 1) - sqrt(x)", 1e15, lambda x: mp.sqrt(x + 1) - mp.sqrt(x)),
        ("sin(x)", 1e22, mp.sin),
        ("(x - 0.1) * 1e17", 0.1000000001, lambda x: (x - mpmath.mpf(0.1)) * mpmath.mpf(1e17)),
    ],
)
def test_where_float64_loses_every_digit(
    text: str, x: float, f: Callable[[Any], Any], spec_of: SpecOf, case_at: CaseAt
) -> None:
    spec = spec_of(f"inputs: {{x: {{shape: []}}}}\nvalue: {text}\nderivative: {{x: '0*x'}}")
    evidence = said(case_at(spec, ct=[1.0], x=[x]))
    with mp.workdps(400):
        assert holds(evidence, "value", (0,), f(mpmath.mpf(x)))
        step = mpmath.mpf(10) ** -150 * x
        slope = (f(mpmath.mpf(x) + step) - f(mpmath.mpf(x) - step)) / (2 * step)
        assert holds(evidence, "vjp:x", (0,), slope)


def test_a_tie_is_silent_for_its_own_points_only_and_says_so(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of(VECTOR + "value: max(x)\ngradient: {x: 'where(x == max(x), 1, 0)'}")
    points = [[1.0, 2.0, 3.0], [3.0, 3.0, 1.0], [0.5, -1.0, 0.25]]
    evidence = said(case_at(spec, ct=[1.0, 1.0, 1.0], x=points))
    assert np.isfinite(evidence.answers["vjp:x"].bar).all(axis=1).tolist() == [True, False, True]
    assert np.isnan(evidence.answers["vjp:x"].center[1]).all()
    assert evidence.answers["value"].center.tolist() == [3.0, 3.0, 0.5]
    assert any("1 of 3 points" in note for note in evidence.notes)


@pytest.mark.parametrize(
    ("text", "slope"), [("x * abs(x)", 0.0), ("relu(x)**2", 0.0), ("maximum(x, 0) - x", None), ("abs(x)", None)]
)
def test_a_kink_that_is_none_has_its_slope(text: str, slope: float | None, spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of(f"inputs: {{x: {{shape: []}}}}\nvalue: {text}\nderivative: {{x: '0*x'}}")
    measured = said(case_at(spec, ct=[1.0], x=[0.0])).answers["vjp:x"]
    assert measured.center[0] == slope if slope is not None else np.isnan(measured.center[0])


BRANCHES = """
inputs: {x: {shape: []}}
code: |
  if (x + 1e16) - 1e16 > 0:
      return 3*x
  return 5*x
derivative: {x: "3"}
"""


def test_branches_are_taken_by_the_truth_and_float64s_other_ones_are_told(spec_of: SpecOf, case_at: CaseAt) -> None:
    evidence = said(case_at(spec_of(BRANCHES), ct=[1.0, 1.0, 1.0], x=[0.5, 8.0, -8.0]))
    assert evidence.answers["vjp:x"].center.tolist() == [3.0, 3.0, 5.0]
    assert any("another branch" in note and "at 1 points" in note for note in evidence.notes)


def test_numbers_beyond_float64_are_its_largest_and_smallest(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of("inputs: {x: {shape: []}}\nvalue: exp(x)\nderivative: {x: value}")
    measured = said(case_at(spec, ct=[1.0, 1.0], x=[-2000.0, 2000.0])).answers["value"]
    assert measured.center[0] == 0 and 0 < measured.bar[0] <= 2.0**-1073
    assert np.isinf(measured.center[1])


def test_a_row_without_enclosure_is_a_stated_silence(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of("inputs: {x: {shape: []}}\nvalue: nextafter(x, 0)\nderivative: {x: '1'}")
    heard = Hearing(Inquiry(case_at(spec, x=[1.0]))).all(["certified"])["certified"]
    assert isinstance(heard, Silence)
    assert heard.message == "ball arithmetic has no nextafter"


def test_a_bar_is_never_narrower_than_the_distance_to_the_ball() -> None:
    with precision(PRECISIONS[0]):
        third = balls(np.array([1.0, 2.0, 5.0])) / 3
        centre, bar, settled = numbers_of(third, arb(0))
        assert settled.all()
        for ball, c, b in zip(third, centre, bar, strict=True):
            assert arb(c, b).contains(ball)
            assert not arb(c, b / 4).contains(ball)


# --- the claim itself


def proof(spec_of: SpecOf, case_at: CaseAt, text: str, value: str = "sin(x) * x**2", **more: Any) -> Any:
    body = VECTOR + f'value: {value}\nderivative: {{x: "{text}"}}\n' + more.pop("also", "")
    (found,) = said(case_at(spec_of(body), ct=np.ones((2, 3)), x=more.pop("x", X))).proofs
    return found


def test_a_right_claim_is_proven_everywhere(spec_of: SpecOf, case_at: CaseAt) -> None:
    assert proof(spec_of, case_at, "cos(x)*x**2 + 2*x*sin(x)").proven.all()


@pytest.mark.parametrize("lie", [1e-6, 1e-12, 1e-25])
def test_a_lie_is_disproved_however_small_with_its_size(lie: float, spec_of: SpecOf, case_at: CaseAt) -> None:
    found = proof(spec_of, case_at, f"cos(x)*x**2 + (2 + {lie})*x*sin(x)")
    assert found.disproved.all() and not found.proven.any()
    truth = np.cos(X) * X**2 + 2 * X * np.sin(X)
    ratio = found.apart / np.abs(lie * X * np.sin(X) / truth)
    assert (np.abs(ratio - 1) < 1e-6).all()


def test_decimals_may_be_meant_as_written_or_as_float64s(spec_of: SpecOf, case_at: CaseAt) -> None:
    assert proof(spec_of, case_at, "0.6*x", value="0.3*x**2").proven.all()  # right as decimals and as floats
    assert proof(spec_of, case_at, "0.3*x", value="0.1*x**3/x*1.5").proven.all()  # right as decimals only
    assert proof(spec_of, case_at, "2*(x - 0.1)", value="(x - 0.1)**2", x=np.full((2, 3), 0.1)).disproved.sum() == 0
    assert proof(spec_of, case_at, "0.6000000001*x", value="0.3*x**2").disproved.all()


def test_a_tie_and_a_declared_kink_are_left_open(spec_of: SpecOf, case_at: CaseAt) -> None:
    at = np.array([[0.0, 1.0, -2.0], [0.5, 0.25, 3.0]])
    found = proof(spec_of, case_at, "sign(x)", value="abs(x)", x=at)
    assert not found.disproved.any()
    assert found.proven.tolist() == [[False, True, True], [True] * 3]
    declared = proof(spec_of, case_at, "2*x", value="x**2", x=at, also='at_kinks: {"x == 0": {x: 7}}')
    assert not declared.disproved.any() and not declared.proven[0, 0]


def test_zero_is_proven_where_terms_cancel(spec_of: SpecOf, case_at: CaseAt) -> None:
    found = proof(spec_of, case_at, "2*sin(x)*cos(x) - sin(2*x)", value="sin(x)**2 + cos(2*x)/2")
    assert found.proven.all()


LIE = VECTOR + 'value: sin(x) * x**2\nderivative: {x: "cos(x)*x**2 + 2.000000000002*x*sin(x)"}'


def test_the_finding_says_where_and_by_how_much(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    found = judged(case_at(spec_of(LIE), ct=np.ones((2, 3)), x=X), ["certified"])["certified", "claim"]
    assert (found.verdict, found.blame, found.wrong) == (Verdict.DISAGREES, "claim", 6)
    assert "is disproved at x = [" in found.reason
    assert "the enclosures are disjoint by " in found.reason


@pytest.mark.parametrize("lie", ["1e-17", "1e-24"])
def test_what_no_float64_can_show_is_told_and_no_error(
    lie: str, spec_of: SpecOf, case_at: CaseAt, judged: Judged
) -> None:
    body = VECTOR + f'value: x**2/6\nderivative: {{x: "x*(1/3 + {lie})"}}'
    found = judged(case_at(spec_of(body), ct=np.ones((2, 3)), x=X), ["certified"])["certified", "claim"]
    assert (found.verdict, found.wrong) == (Verdict.AGREES, 0)
    assert "which float64 cannot hold" in found.reason


def test_numbers_printed_to_float64s_digits_may_be_off_by_the_rounding_of_their_sum(
    spec_of: SpecOf, case_at: CaseAt, judged: Judged
) -> None:
    body = VECTOR + 'value: sqrt(2)*x - sqrt(3)*x\nderivative: {x: "x**0 * (1.4142135623730951 - 1.7320508075688772)"}'
    found = judged(case_at(spec_of(body), ct=np.ones((2, 3)), x=X), ["certified"])["certified", "claim"]
    assert (found.verdict, found.wrong) == (Verdict.AGREES, 0)
    assert "its numbers are printed to float64's digits" in found.reason
    off = body.replace("1.4142135623730951", "1.4142135623830951")
    assert judged(case_at(spec_of(off), ct=np.ones((2, 3)), x=X), ["certified"])["certified", "claim"].wrong == 6


def test_what_is_open_at_a_tie_contradicts_nothing(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    spec = spec_of(VECTOR + "value: abs(x)\nvjp: {x: ct*sign(x)}")
    at, ct = [[0.0, 1.0, -2.0], [0.0, 0.0, 3.0]], [[0.0, 1.0, 1.0], [0.0, 1.0, 2.0]]
    found = judged(case_at(spec, ct=ct, x=at), ["certified"])
    assert {f.verdict for f in found.values()} <= {Verdict.AGREES, Verdict.UNDECIDED}
    assert {mode for _, mode in found} == {"value", "reverse", "forward", "claim"}


# --- blame


def test_what_is_proven_outranks_any_majority() -> None:
    said = [("claim", 1.0), ("certified", 1.0), ("torch reverse", 2.0), ("torch forward", 2.0), ("jax reverse", 2.0)]
    found = blame([Number(name, centre, 1e-12) for name, centre in said])
    assert found.who == "torch reverse"
    assert found.sentence == (
        "certified is proven, and claim agrees; torch reverse, torch forward and jax reverse contradict it"
    )
    lie = blame([Number(name, 3.0 if name == "claim" else centre, 1e-12) for name, centre in said])
    assert lie.who == "claim"


def test_where_nothing_is_proven_the_majority_decides() -> None:
    said = [
        ("claim", 1.0, 1e-12),
        ("certified", np.nan, np.inf),
        ("torch reverse", 2.0, 1e-12),
        ("jax reverse", 2.0, 1e-12),
    ]
    assert blame([Number(*one) for one in said]).who == "claim"
