"""Is the complex step asked only of what is analytic, and right there? Truth comes from the engine and by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from gradcheck.expr import NUMPY, VOCABULARY, Batching
from gradcheck.oracles import Evidence, Hearing, Inquiry, Measured, Reason, Silence, complex_step
from gradcheck.spec import Case, Spec

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]
UNIT = 2.0**-53
CURVED = [
    *("x**3", "exp(sin(x))", "x/(1 + x**2)", "expm1(x)", "log1p(x**2)", "tanh(300*x)", "erf(x)*x"),
    *("(-x)**3", "gamma(2 + x**2)", "1e-20*sin(x)", "x"),
]


def said(spec_of: SpecOf, case_at: CaseAt, value: str, x: Any) -> Any:
    spec = spec_of(f'inputs: {{x: {{}}}}\nvalue: "{value}"\nderivative: {{x: "0*x"}}')
    return Hearing(Inquiry(case_at(spec, ct=np.ones(len(x)), x=x))).all(["engine", "complex_step"])


def agree(heard: Any, quantity: str) -> bool:
    ours, engine = (heard[name].answers[quantity] for name in ("complex_step", "engine"))
    return bool((np.abs(ours.center - engine.center) <= 16 * (ours.bar + engine.bar)).all())


@pytest.mark.parametrize("value", CURVED)
def test_it_agrees_with_the_engine_to_rounding(value: str, spec_of: SpecOf, case_at: CaseAt) -> None:
    heard = said(spec_of, case_at, value, np.array([-2.5, -0.7, -1e-3, 1e-8, 0.3, 1.9]))
    for quantity in ("vjp:x", "jvp"):
        assert agree(heard, quantity), heard
        bar = heard["complex_step"].answers[quantity].bar
        size = np.maximum(np.abs(heard["engine"].answers[quantity].center), 1e-20)
        assert (bar <= 2.0**20 * UNIT * size).mean() > 0.8  # bars of rounding, not of truncation


def test_the_step_is_in_the_units_of_the_input(
    spec_of: SpecOf, case_at: CaseAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, x = "1e60*exp(x/2.0**66)", np.array([-330.0, -331.0]) * 2.0**66  # slopes of some 1e-104
    assert agree(said(spec_of, case_at, value, x), "vjp:x")
    monkeypatch.setattr(complex_step, "FARTHEST", 0)  # the lie: a step that is the same for all inputs underflows here
    assert not agree(said(spec_of, case_at, value, x), "vjp:x")


def test_what_underflows_because_f_is_small_accuses_nobody(spec_of: SpecOf, case_at: CaseAt) -> None:
    x = np.array([24.0, 25.0, 26.0])  # values of 1e-250 to 1e-294, whose steps leave float64
    assert agree(said(spec_of, case_at, "exp(-x**2)", x), "vjp:x")


def test_vectors_and_matrices(spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of("inputs: {a: {shape: [2, 2]}, x: {shape: [2]}}\nvalue: solve(a, x)\njvp: 0*t_x")
    rng = np.random.default_rng(0)
    a, x = rng.normal(size=(5, 2, 2)) + 3 * np.eye(2), rng.normal(size=(5, 2))
    heard = Hearing(Inquiry(case_at(spec, ct=rng.normal(size=(5, 2)), a=a, x=x))).all(["engine", "complex_step"])
    assert all(agree(heard, quantity) for quantity in ("vjp:a", "vjp:x", "jvp"))


def test_inputs_of_many_elements_have_their_jvp_only(spec_of: SpecOf, case_at: CaseAt) -> None:
    many = complex_step.ELEMENTS + 1
    spec = spec_of(f"inputs: {{x: {{shape: [{many}]}}}}\nvalue: sum(x**2)\ngradient: {{x: 2*x}}")
    heard = Hearing(Inquiry(case_at(spec, ct=[1.0], x=np.ones((1, many))))).all(["complex_step"])["complex_step"]
    assert isinstance(heard, Evidence)
    assert set(heard.answers) == {"jvp"}


NOT_ANALYTIC = ["sinc", "tanhshrink", "abs", "max", "maximum", "norm", "sign", "relu", "stop_gradient", "cbrt", "hypot"]


@pytest.mark.parametrize("name", NOT_ANALYTIC)
def test_the_silence_names_the_row_that_is_not_analytic(name: str, spec_of: SpecOf, case_at: CaseAt) -> None:
    arguments = {"maximum": "x, 0*x", "hypot": "x, x", "max": "x", "norm": "x"}.get(name, "x")
    zero = "0*sum(t_x)" if name in ("max", "norm") else "0*t_x"
    spec = spec_of(f'inputs: {{x: {{shape: [2]}}}}\nvalue: "exp({name}({arguments}))"\njvp: {zero}')
    x = np.array([[0.5, -0.7], [2.0, 3.0]])
    shape = (2,) if name in ("max", "norm") else (2, 2)
    heard = Hearing(Inquiry(case_at(spec, ct=np.ones(shape), x=x))).all(["complex_step"])["complex_step"]
    assert isinstance(heard, Silence)
    assert heard.message == f"complex_step has no {name}"


def test_a_comparison_is_not_analytic(spec_of: SpecOf, case_at: CaseAt) -> None:
    heard = said(spec_of, case_at, "where(x > 0, x, 2*x)", np.array([1.0, -1.0]))["complex_step"]
    assert isinstance(heard, Silence)
    assert heard.message == "complex_step has no greater"


def test_beyond_a_branch_cut_nothing_is_said(spec_of: SpecOf, case_at: CaseAt, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.array([-2.0, 3.0])
    found = said(spec_of, case_at, "log(x)", x)["complex_step"].answers["vjp:x"]
    assert np.isinf(found.bar[0]) and abs(found.center[1] - 1 / 3) <= found.bar[1]
    monkeypatch.setattr(complex_step, "STRAYED", 1e300)  # the lie: the logarithm of a negative number is believed
    with np.errstate(all="ignore"):
        strayed = complex_step._stayed(np.log(np.array([-2.0 + 1e-100j])), np.array([0.0]))
    assert np.isfinite(strayed).all()


def test_it_is_silent_there_also_where_the_engine_says_nothing(
    spec_of: SpecOf, case_at: CaseAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Silence("engine", Reason.UNSUPPORTED, "nothing is said")
    monkeypatch.setattr(Hearing, "_engine", nothing)
    bar = said(spec_of, case_at, "log(x)", np.array([-2.0, 3.0]))["complex_step"].answers["vjp:x"].bar
    assert np.isinf(bar[0]) and np.isfinite(bar[1])


def elementwise() -> list[str]:
    rows = VOCABULARY.values()
    return [
        r.name for r in rows if r.arity == 1 and r.batching is Batching.ELEMENTWISE and not r.params and not r.compose
    ]


def departures(names: list[str], rows: Any) -> dict[str, float]:
    """How far the complex step of each row that is said to be analytic lies from its row's own slope, in units."""
    found = {}
    x = np.array([1e-8, 1e-3, 0.3, 0.62, 0.9, 1.5])
    for name in names:
        if not rows[name].analytic or rows[name].slopes is None or name in complex_step.CANCELLING:
            continue
        slope = rows[name].slopes[0]
        with np.errstate(all="ignore"):  # the arcs are no numbers at some of these points
            true = slope(NUMPY, getattr(NUMPY, name)(x), x) if callable(slope) else slope
            moved = getattr(complex_step.ANALYTIC, name)(x + 1j * complex_step.STEP)
        if true is None:
            continue
        off = np.abs(np.imag(moved) / complex_step.STEP - true) / np.abs(true)
        found[name] = float(np.nanmax(off) / UNIT)
    return found


def test_every_row_said_to_be_analytic_is(monkeypatch: pytest.MonkeyPatch) -> None:
    names = elementwise()
    found = departures(names, VOCABULARY)
    assert len(found) >= 25
    assert max(found.values()) < 2.0**10, found  # a slope formula may lose some digits; a wrong claim loses all
    monkeypatch.setattr(complex_step, "CANCELLING", frozenset())  # the lie: NumPy's complex sinc keeps its digits
    assert min(departures(["sinc", "tanhshrink"], VOCABULARY).values()) > 2.0**40
    lie = MappingProxyType({**VOCABULARY, "abs": replace(VOCABULARY["abs"], analytic=True)})
    monkeypatch.setattr(complex_step, "VOCABULARY", lie)
    assert departures(["abs"], lie)["abs"] > 2.0**40


def test_a_planted_lie_is_seen_by_the_judge(spec_of: SpecOf, case_at: CaseAt, monkeypatch: pytest.MonkeyPatch) -> None:
    lie = MappingProxyType({**VOCABULARY, "abs": replace(VOCABULARY["abs"], analytic=True)})
    monkeypatch.setattr(complex_step, "VOCABULARY", lie)
    heard = said(spec_of, case_at, "abs(x)", np.array([-0.7, 2.0]))
    assert isinstance(heard["complex_step"].answers["vjp:x"], Measured)
    assert not agree(heard, "vjp:x")
