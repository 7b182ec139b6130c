"""Is every witness heard, is every planted liar noticed, and does whatever goes wrong become a stated silence?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import Unsupported, UsageError
from gradcheck.judge import Finding, Verdict, witness_verdict
from gradcheck.oracles import Evidence, Hearing, Inquiry, Reason, Silence, engine, hearing
from gradcheck.oracles.hearing import WITNESSES, check_names
from gradcheck.oracles.planted import LIES
from gradcheck.spec import Case, Spec

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]
Judged = Callable[..., dict[tuple[str, str], Finding]]
CRASHES = ("raises", "mutates")
FUNCTIONS = {
    "derivative": "inputs: {x: {shape: [3]}}\nvalue: x**3 + x\nderivative: {x: 3*x**2 + 1}",
    "gradient": "inputs: {x: {shape: [3]}}\nvalue: sum(exp(x))\ngradient: {x: exp(x)}",
    "vjp": "inputs: {x: {shape: [3]}}\nvalue: x**3 + x\nvjp: {x: ct*(3*x**2 + 1)}",
    "tiny": "inputs: {x: {shape: [3]}}\nvalue: 1e-20*x**3\nderivative: {x: 3e-20*x**2}",
}


@pytest.fixture
def case(spec_of: SpecOf, case_at: CaseAt) -> Case:
    return one_case(FUNCTIONS["derivative"], spec_of, case_at)


def one_case(body: str, spec_of: SpecOf, case_at: CaseAt) -> Case:
    x = np.random.default_rng(0).uniform(0.3, 2.0, (8, 3))
    return case_at(spec_of(body), t={"x": np.round(x[::-1], 2)}, x=x)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("lie", sorted(set(LIES) - set(CRASHES)))
def test_every_liar_is_noticed_and_blamed(
    lie: str, function: str, spec_of: SpecOf, case_at: CaseAt, judged: Judged
) -> None:
    name = f"planted:{lie}"
    found = judged(one_case(FUNCTIONS[function], spec_of, case_at), ["engine", "differences", name])
    about = [f for (witness, _), f in found.items() if witness == name]
    assert witness_verdict(about) is Verdict.DISAGREES
    reverse = found[name, "reverse"]
    assert (reverse.verdict, reverse.blame) == (Verdict.DISAGREES, f"{name} reverse"), reverse.reason
    for key, finding in found.items():
        if key[0] != name:
            assert finding.verdict is Verdict.AGREES, finding.reason
    forward = found.get((name, "forward"))
    if forward is not None and function == "derivative":
        assert (forward.verdict, forward.blame in (f"{name} forward", "undetermined")) == (Verdict.DISAGREES, True)


@pytest.mark.parametrize("lie", CRASHES)
def test_a_witness_that_raises_has_crashed(lie: str, case: Case, judged: Judged) -> None:
    before = case.inputs["x"].copy()
    found = judged(case, ["engine", f"planted:{lie}"])
    crash = found[f"planted:{lie}", ""]
    assert crash.verdict is Verdict.CRASHED
    assert ("planted to raise" if lie == "raises" else "read-only") in crash.reason
    assert found["engine", "reverse"].verdict is Verdict.AGREES
    assert np.array_equal(case.inputs["x"], before)


def test_there_is_no_other_lie() -> None:
    assert {"zeros", "scaled", "sign", "transposed", "unreduced", "stale", "nan", "raises"} == set(LIES)


def test_everybody_is_heard_and_nobody_else(case: Case) -> None:
    said = Hearing(Inquiry(case)).all(list(WITNESSES))
    assert list(said) == ["claim", "certified", "engine", "differences", "torch", "jax", "complex_step"]
    for name, testimony in said.items():
        assert isinstance(testimony, Evidence), testimony
        assert testimony.witness == name
        assert testimony.seconds >= 0


def test_frameworks_carry_the_bars_of_the_engine(case: Case) -> None:
    said = Hearing(Inquiry(case)).all(["torch"])
    ruler = engine.testify(Inquiry(case))
    torch = said["torch"]
    assert isinstance(torch, Evidence)
    for quantity, measured in torch.answers.items():
        assert np.array_equal(measured.bar, ruler[quantity].bar)


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_a_missing_library_is_a_stated_silence(name: str, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "installed", lambda witness: witness != name)
    said = Hearing(Inquiry(case)).all(["engine", name])
    assert said[name] == Silence(name, Reason.ABSENT, f"{name} is not installed")
    assert isinstance(said["engine"], Evidence)


@pytest.mark.parametrize(
    ("error", "reason", "message"),
    [
        (Unsupported("PyTorch", "polygamma"), Reason.UNSUPPORTED, "PyTorch has no polygamma"),
        (ValueError("first line\nsecond"), Reason.CRASHED, "ValueError: first line"),
        (RuntimeError("x" * 1000), Reason.CRASHED, "RuntimeError: " + "x" * 286),
        (ZeroDivisionError(), Reason.CRASHED, "ZeroDivisionError: "),
    ],
)
def test_whatever_a_witness_raises_becomes_its_silence(
    error: Exception, reason: Reason, message: str, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(inquiry: Inquiry) -> Any:
        raise error

    monkeypatch.setattr(engine, "testify", raising)
    said = Hearing(Inquiry(case)).all(["engine"])["engine"]
    assert isinstance(said, Silence)
    assert (said.witness, said.reason, said.message) == ("engine", reason, message)


def test_an_interrupt_is_nobodys_silence(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(inquiry: Inquiry) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "testify", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Hearing(Inquiry(case)).all(["engine"])


def test_the_engine_is_asked_once(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    honest = engine.testify
    monkeypatch.setattr(engine, "testify", lambda inquiry: (calls.append(1), honest(inquiry))[1])
    Hearing(Inquiry(case)).all(["engine", "torch"])
    assert len(calls) == 1


def test_names_of_witnesses() -> None:
    check_names([*WITNESSES, "planted:zeros", "planted:mutates"])
    with pytest.raises(UsageError, match="there is no witness 'toch'.*did you mean 'torch'"):
        check_names(["engine", "toch"])
    with pytest.raises(UsageError, match="did you mean 'planted:zeros'"):
        check_names(["planted:zero"])
