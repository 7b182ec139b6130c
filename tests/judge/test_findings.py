"""Does the judge say what the design demands: of right claims, of lies, of kinks, at every scale?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradcheck.judge import Finding, Verdict, judge, wrong_points
from gradcheck.oracles import Evidence, Hearing, Inquiry, Measured, Reason, Silence, Testimony
from gradcheck.spec import Case, Spec

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]
Judged = Callable[..., dict[tuple[str, str], Finding]]
X = np.array([0.3, -1.7, 2.2, 0.9, -0.4, 1.3])
ALL = ("engine", "differences", "torch", "jax")


def scalar(value: str, derivative: str, domain: str = "real", extra: str = "") -> str:
    return f'inputs: {{x: {{domain: "{domain}"}}}}\nvalue: {value}\nderivative: {{x: "{derivative}"}}\n{extra}'


def told(
    case: Case, change: Mapping[str, Callable[[str, Measured], Measured]], names: Any = ALL[:2]
) -> dict[Any, Finding]:
    """The findings where some witnesses' derivatives are changed on the way to the judge."""
    said: dict[str, Testimony] = dict(Hearing(Inquiry(case)).all([n for n in names if n in ("engine", "differences")]))
    engine = said["engine"]
    assert isinstance(engine, Evidence)
    said |= {name: replace(engine, witness=name) for name in names if name not in said}
    for name, lie in change.items():
        told = said[name]
        assert isinstance(told, Evidence)
        answers = {q: m if q.startswith("value") else lie(q, m) for q, m in told.answers.items()}
        said[name] = replace(told, answers=answers)
    return {(f.witness, f.mode): f for f in judge(case, said)}


def scaled(factor: float) -> Callable[[str, Measured], Measured]:
    return lambda quantity, m: replace(m, center=factor * m.center)


SCALES = (1e-20, 1e-10, 1e-6, 1.0, 1e6, 1e10, 1e20)


@pytest.mark.parametrize("scale", SCALES)
def test_scale_of_the_function(scale: float, spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    x = [0.3, -1.7, 2.2]
    right = judged(case_at(spec_of(scalar(f"{scale!r}*sin(x)", f"{scale!r}*cos(x)")), x=x))
    wrong = judged(case_at(spec_of(scalar(f"{scale!r}*sin(x)", f"{scale!r}*(1 + 1e-5)*cos(x)")), x=x))
    zero = judged(case_at(spec_of(scalar(f"{scale!r}*sin(x)", "0*x")), x=x))
    for key in (("engine", "reverse"), ("differences", "reverse")):
        assert right[key].verdict is Verdict.AGREES, right[key].reason
        assert (wrong[key].verdict, wrong[key].blame) == (Verdict.DISAGREES, "claim")
        assert (zero[key].verdict, zero[key].blame) == (Verdict.DISAGREES, "claim")


@pytest.mark.parametrize("scale", SCALES)
def test_scale_of_the_input(scale: float, spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    x = np.array([0.3, -1.7, 2.2]) / scale
    right = judged(case_at(spec_of(scalar(f"sin({scale!r}*x)", f"{scale!r}*cos({scale!r}*x)")), x=x))
    wrong = judged(case_at(spec_of(scalar(f"sin({scale!r}*x)", f"{scale!r}*(1 + 1e-5)*cos({scale!r}*x)")), x=x))
    for key in (("engine", "reverse"), ("differences", "reverse")):
        assert right[key].verdict is Verdict.AGREES, right[key].reason
        assert (wrong[key].verdict, wrong[key].blame) == (Verdict.DISAGREES, "claim")


def test_a_zero_gradient_of_something_small(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    found = judged(case_at(spec_of(scalar("1e-6*sin(x)", "0*x")), x=X), ALL)
    for name in ALL:
        assert (found[name, "reverse"].verdict, found[name, "reverse"].blame) == (Verdict.DISAGREES, "claim")


def test_a_witness_that_says_nan_is_wrong(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = case_at(spec_of(scalar("sin(x)", "cos(x)")), x=X)

    def nan(quantity: str, m: Measured) -> Measured:
        return replace(m, center=np.where(np.arange(len(m.center)) == 2, np.nan, m.center))

    found = told(case, {"engine": nan}, ("engine", "differences", "torch"))["engine", "reverse"]
    assert (found.verdict, found.blame, found.wrong) == (Verdict.DISAGREES, "engine reverse", 1)
    assert found.worst is not None and found.worst.point == 2


def test_a_claim_that_is_nan_is_wrong(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    found = judged(case_at(spec_of(scalar("sin(x)", "where(x > 2, 0*log(-x), cos(x))", "(-9, 9)")), x=X))
    for name in ("engine", "differences"):
        assert (found[name, "reverse"].verdict, found[name, "reverse"].wrong) == (Verdict.DISAGREES, 1)
        assert found[name, "reverse"].blame == "claim"


def test_nan_against_nan_is_no_agreement(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    found = judged(case_at(spec_of(scalar("sqrt(x)", "0.5/sqrt(x)", "x > -2")), x=[-1.0, -0.5]))
    assert all(f.verdict is not Verdict.AGREES for f in found.values())


def test_equal_infinities_are_undecided(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    spec = spec_of(scalar("sqrt(x)", "0.5/sqrt(x)", "nonnegative"))
    found = judged(case_at(spec, x=[0.0, 1.0, 4.0]))["engine", "reverse"]
    assert (found.verdict, found.undecided) == (Verdict.AGREES, 1)
    alone = judged(case_at(spec, x=[0.0]))["engine", "reverse"]
    assert alone.verdict is Verdict.UNDECIDED
    finite = spec_of(scalar("sqrt(x)", "0.5/sqrt(x + 1e-30)", "nonnegative"))
    assert judged(case_at(finite, x=[0.0, 1.0, 4.0]))["engine", "reverse"].verdict is Verdict.DISAGREES


@pytest.mark.parametrize("axis", [0, 1])
def test_shapes_are_compared_and_never_broadcast(axis: int, spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of("inputs: {x: {shape: [2, 2]}}\nvalue: x\nvjp: {x: ct}")
    case = case_at(spec, x=np.ones((3, 2, 2)), ct=np.ones((3, 2, 2)))

    def reduced(quantity: str, m: Measured) -> Measured:
        return Measured(m.center.mean(axis=1 + axis, keepdims=True), m.bar.mean(axis=1 + axis, keepdims=True))

    found = told(case, {"engine": reduced})["engine", "reverse"]
    assert (found.verdict, found.blame) == (Verdict.DISAGREES, "engine reverse")
    assert "has shape" in found.reason


def test_one_element_of_ten_thousand(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of("inputs: {x: {shape: [n]}}\nvalue: sum(x**3)\ngradient: {x: 3*x**2}")
    x = np.random.default_rng(0).uniform(0.5, 2.0, (1, 10_000))
    case = case_at(spec, ct=[1.0], x=x)

    def off(quantity: str, m: Measured) -> Measured:
        center = np.array(m.center)
        center.reshape(-1)[center.size // 3] *= 1 + 1e-6
        return replace(m, center=center)

    honest = told(case, {}, ("engine", "torch"))["torch", "reverse"]
    assert (honest.verdict, honest.compared) == (Verdict.AGREES, 10_000)
    found = told(case, {"torch": off}, ("engine", "torch"))["torch", "reverse"]
    assert (found.verdict, found.wrong, found.blame) == (Verdict.DISAGREES, 1, "torch reverse")
    assert found.worst is not None and found.worst.index == (3333,)


def test_a_small_component_beside_a_large_one(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    body = "inputs: {{x: {{shape: [2]}}}}\nvalue: 1e8*x[0] + 1e-8*x[1]\ngradient: {{x: 'stack([1e8, {}])'}}"
    right, wrong = (judged(case_at(spec_of(body.format(c)), x=[[1.0, 2.0], [3.0, -1.0]])) for c in ("1e-8", "2e-8"))
    assert right["engine", "reverse"].verdict is Verdict.AGREES
    assert (wrong["engine", "reverse"].verdict, wrong["engine", "reverse"].wrong) == (Verdict.DISAGREES, 2)


LYING_CLAIMS = {
    "factor": ("sin(x)", "2*cos(x)"),
    "sign": ("cos(x)", "sin(x)"),
    "dropped term": ("x*exp(x)", "exp(x)"),
    "wrong beyond a point": ("x**2", "2*x if x < 2 else 3*x"),
    "sixth digit": ("erf(x)", "1.128380*exp(-x**2)"),
    "off by one": ("x**5", "5*x**3"),
}


@pytest.mark.parametrize("lie", LYING_CLAIMS)
def test_a_lying_claim_is_blamed(lie: str, spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    found = judged(case_at(spec_of(scalar(*LYING_CLAIMS[lie])), x=X))
    for name in ("engine", "differences"):
        assert (found[name, "reverse"].verdict, found[name, "reverse"].blame) == (Verdict.DISAGREES, "claim")
        assert "claim contradicts" in found[name, "reverse"].reason
    assert found["engine", "value"].verdict is Verdict.AGREES


@pytest.mark.parametrize("factor", [0.0, 1.0001, 1 + 1e-9, -1.0, 2.0])
def test_a_lying_torch_is_blamed(factor: float, spec_of: SpecOf, case_at: CaseAt) -> None:
    case = case_at(spec_of(scalar("sin(x)", "cos(x)")), x=X)
    found = told(case, {"torch": scaled(factor)}, ALL)
    for mode in ("reverse", "forward"):
        assert (found["torch", mode].verdict, found["torch", mode].blame) == (Verdict.DISAGREES, f"torch {mode}")
        assert found["engine", mode].verdict is Verdict.AGREES
    assert found["differences", "reverse"].verdict is Verdict.AGREES


def test_two_against_two_is_undetermined(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = case_at(spec_of(scalar("sin(x)", "cos(x)")), x=X)
    found = told(case, {"torch": scaled(2.0), "jax": scaled(2.0)}, ("engine", "torch", "jax"))
    for name in ("torch", "jax"):
        assert (found[name, "reverse"].verdict, found[name, "reverse"].blame) == (Verdict.DISAGREES, "undetermined")
    assert found["engine", "reverse"].verdict is Verdict.AGREES


def test_a_convention_inside_the_hull_is_no_false_alarm(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    x = [0.0, 1.0, -2.0]
    for derivative in ("sign(x)", "where(x < 0, -1, 1)", "where(x > 0, 1, -1)", "where(x == 0, 0.3, sign(x))"):
        found = judged(case_at(spec_of(scalar("abs(x)", derivative)), x=x), ("differences",))["differences", "reverse"]
        assert found.verdict is Verdict.AGREES, (derivative, found.reason)


@pytest.mark.parametrize("at_zero", [1.5, -1.01, -7.0])
def test_a_convention_outside_the_hull_is_wrong(
    at_zero: float, spec_of: SpecOf, case_at: CaseAt, judged: Judged
) -> None:
    spec = spec_of(scalar("abs(x)", f"where(x == 0, {at_zero}, sign(x))"))
    found = judged(case_at(spec, x=[0.0, 1.0, -2.0]), ALL)
    for name in ALL:
        assert (found[name, "reverse"].verdict, found[name, "reverse"].blame) == (Verdict.DISAGREES, "claim"), name
        assert found[name, "reverse"].wrong == 1


@pytest.mark.parametrize("at_zero", ["0", "1", "0.5"])
def test_relu_at_zero_under_any_declared_convention(
    at_zero: str, spec_of: SpecOf, case_at: CaseAt, judged: Judged
) -> None:
    extra = f'at_kinks: {{"x == 0": {{x: {at_zero}}}}}'
    spec = spec_of(scalar("maximum(x, 0)", "where(x > 0, 1, 0)", extra=extra))
    found = judged(case_at(spec, x=[0.0, 1.0, -2.0]), ALL)
    assert found["differences", "reverse"].verdict is Verdict.AGREES


def test_a_declared_convention_outside_the_hull_is_wrong(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    extra = 'at_kinks: {"x == 0": {x: 1.5}}'
    spec = spec_of(scalar("maximum(x, 0)", "where(x > 0, 1, 0)", extra=extra))
    found = judged(case_at(spec, x=[0.0, 1.0, -2.0]))
    assert (found["differences", "reverse"].verdict, found["differences", "reverse"].wrong) == (Verdict.DISAGREES, 1)


def test_a_lie_beside_a_kink_is_seen(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    found = judged(case_at(spec_of(scalar("abs(x)", "where(x > 0.1, 1, -1)")), x=[1.0, 0.05, -2.0]))
    for name in ("engine", "differences"):
        assert (found[name, "reverse"].verdict, found[name, "reverse"].blame) == (Verdict.DISAGREES, "claim")


def test_silences_and_crashes_are_findings(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = case_at(spec_of(scalar("sin(x)", "cos(x)")), x=X)
    said = dict(Hearing(Inquiry(case)).all(["engine"]))
    said["torch"] = Silence("torch", Reason.ABSENT, "torch is not installed")
    said["jax"] = Silence("jax", Reason.CRASHED, "RuntimeError: no")
    found = {f.witness: f for f in judge(case, said) if f.mode in ("", "reverse")}
    assert {name: f.verdict.value for name, f in found.items()} == {
        "engine": "AGREES", "torch": "SILENT", "jax": "CRASHED",
    }  # fmt: skip
    assert (found["jax"].reason, found["jax"].compared) == ("RuntimeError: no", 0)


def test_where_the_claim_crashes_nobody_agrees(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = case_at(spec_of(scalar("sin(x)", "cos(x)")), x=X)
    said = dict(Hearing(Inquiry(case)).all(["engine"]))
    said["claim"] = Silence("claim", Reason.CRASHED, "no")
    assert [(f.witness, f.verdict) for f in judge(case, said)] == [("claim", Verdict.CRASHED)]


def test_the_worst_element_and_the_numbers_of_everybody(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    spec = spec_of("inputs: {x: {shape: [2]}}\nvalue: x**2\nderivative: {x: 'x*stack([2.0, 2.5])'}")
    case = case_at(spec, x=[[1.0, 0.0], [0.5, 4.0]], ct=[[1.0, 1.0], [1.0, 1.0]])
    worst = judged(case)["engine", "reverse"].worst
    assert worst is not None
    assert (worst.quantity, worst.point, worst.index, worst.origin) == ("vjp:x", 1, (1,), "given")
    assert (dict(worst.inputs), dict(worst.cotangent)) == ({"x": [0.5, 4.0]}, {"value": [1.0, 1.0]})
    assert [n.witness for n in worst.numbers] == ["claim", "engine reverse", "differences"]
    assert [round(n.center, 6) for n in worst.numbers] == [10.0, 8.0, 8.0]
    assert worst.error > 1e6
    assert worst.ulp == 2.0 / np.spacing(10.0)


def test_points_that_are_wrong(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = case_at(spec_of(scalar("sin(x)", "cos(x) if x < 1 else sin(x)")), x=X)
    said = Hearing(Inquiry(case)).all(["engine", "differences"])
    for name in ("engine", "differences"):
        assert wrong_points(case, said, name, "vjp:x").tolist() == (X >= 1).tolist()
    assert not wrong_points(case, said, "torch", "vjp:x").any()
    assert not wrong_points(case, said, "engine", "hvp:x").any()


def test_the_same_testimonies_give_the_same_findings(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = case_at(spec_of(scalar("sin(x)", "2*cos(x)")), x=X)
    one, other = (judge(case, Hearing(Inquiry(case)).all(["engine", "differences"])) for _ in range(2))
    assert one == other


def test_a_function_that_loses_digits_is_inaccurate_and_not_wrong(
    spec_of: SpecOf, case_at: CaseAt, judged: Judged
) -> None:
    spec = spec_of(scalar("(1 - cos(x))", "sin(x)", "(0, 1)"))
    assert judged(case_at(spec, x=[1e-3, 0.5]))["engine", "reverse"].verdict is Verdict.AGREES


@pytest.mark.parametrize(
    ("value", "derivative"), [("abs(x)", "where(x < 0, -1, 1)"), ("maximum(x, 0)", "where(x > 0, 1, 0)")]
)
def test_differing_conventions_inside_the_hull_are_no_false_alarm(
    value: str, derivative: str, spec_of: SpecOf, case_at: CaseAt, judged: Judged
) -> None:
    found = judged(case_at(spec_of(scalar(value, derivative)), x=[0.0, 1.0, -2.0]), ALL)
    assert all(f.verdict is Verdict.AGREES for f in found.values())


def test_a_misshapen_jvp_is_wrong_where_only_a_vjp_is_claimed(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = case_at(spec_of("inputs: {x: {shape: [2]}}\nvalue: x**2\nvjp: {x: 2*ct*x}"), x=[[1.0, 2.0], [3.0, 0.5]])
    wide = told(case, {"torch": lambda q, m: Measured(m.center[:, None], m.bar[:, None])}, ("engine", "torch"))
    assert (wide["torch", "forward"].verdict, wide["torch", "forward"].blame) == (Verdict.DISAGREES, "torch forward")
    assert wide["engine", "forward"].verdict is Verdict.AGREES


ONE_CLASS = "inputs: {z: {shape: [n]}, i: {domain: index(n)}}\nvalue: logsumexp(z) - z[i]\ngradient: {z: %s}"
EVERYBODY = ("certified", "engine", "differences", "torch", "jax")


def test_a_function_that_is_zero_because_its_terms_cancel_is_measured_by_them(
    spec_of: SpecOf, case_at: CaseAt, judged: Judged
) -> None:
    right = spec_of(ONE_CLASS % "'softmax(z) - where(arange(n) == i, 1, 0)'")
    found = judged(case_at(right, z=[[0.3], [-2.0], [40.0]], i=[0, 0, 0]), EVERYBODY)
    verdicts = {who: f.verdict for (who, mode), f in found.items() if mode == "reverse"}
    assert verdicts.pop("differences") is Verdict.UNDECIDED
    assert set(verdicts.values()) == {Verdict.AGREES}


def test_a_lie_about_it_is_seen_by_everybody(spec_of: SpecOf, case_at: CaseAt, judged: Judged) -> None:
    wrong = spec_of(ONE_CLASS % "'softmax(z) - where(arange(n) == i, 1, 0) + 1e-9'")
    found = judged(case_at(wrong, z=[[0.3], [-2.0], [40.0]], i=[0, 0, 0]), EVERYBODY)
    verdicts = {who: (f.verdict, f.blame) for (who, mode), f in found.items() if mode == "reverse"}
    assert set(verdicts.values()) == {(Verdict.DISAGREES, "claim")}


def test_differences_do_not_take_for_zero_what_they_cannot_see_beside_the_terms(
    spec_of: SpecOf, case_at: CaseAt, judged: Judged
) -> None:
    case = case_at(spec_of("inputs: {x: {}}\nvalue: (1e8 + 1e-9*x) - 1e8\ngradient: {x: 0*x}"), x=[1.0, 1.5, 2.0])
    found = {who: f.verdict for (who, mode), f in judged(case, EVERYBODY).items() if mode == "reverse"}
    assert found.pop("differences") is Verdict.UNDECIDED
    assert set(found.values()) == {Verdict.DISAGREES}
