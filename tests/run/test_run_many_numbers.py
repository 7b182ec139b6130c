"""Is one wrong number of thousands in a spec found and named, without a Jacobian, and is what was not asked told?"""

from __future__ import annotations

import time
from pathlib import Path
from textwrap import indent

import numpy as np
import pytest

from gradcheck.run import entries, outcomes
from gradcheck.run.outcome import Outcome
from gradcheck.spec import Spec, load_many
from gradcheck.spec.many import ALONE, AT_ONCE, FEWEST, is_many, points_of
from tests.run.conftest import config

FUNCTIONS = """
sum_right:
  inputs: {x: {shape: [3000]}}
  value: sum(sin(x)*x)
  gradient: {x: cos(x)*x + sin(x)}
sum_wrong:
  inputs: {x: {shape: [3000]}}
  value: sum(sin(x)*x)
  gradient: {x: "where(arange(3000) == 2345, 1.001, 1)*(cos(x)*x + sin(x))"}
map_wrong:
  inputs: {x: {shape: [30, 50]}}
  value: sin(x)*x
  derivative: {x: "where(reshape(arange(1500), (30, 50)) == 777, 1.001, 1)*(cos(x)*x + sin(x))"}
along_wrong:
  inputs: {x: {shape: [900]}}
  value: sum(sin(x))
  jvp: "sum(where(arange(900) == 7, 1.001, 1)*cos(x)*t_x)"
other_convention:
  inputs: {x: {shape: [900]}}
  value: sum(maximum(x, 0) + abs(x))
  gradient: {x: "where(x >= 0, 1, 0) + where(x >= 0, 1, -1)"}
ties_right:
  inputs: {x: {shape: [900]}}
  value: max(x)
  gradient: {x: "where(arange(900) == argmax(x), 1, 0)"}
ties_counted_twice:
  inputs: {x: {shape: [900]}}
  value: max(x)
  gradient: {x: "where(x == max(x), 1, 0)"}
wrong_beside_ties:
  inputs: {x: {shape: [900]}}
  value: max(x)
  gradient: {x: "where(arange(900) == argmax(x), 1, 0) + where(arange(900) == 7, 1e-3, 0)"}
second_alone:
  inputs: {x: {shape: [900]}}
  value: sum(x**3)
  hvp: {x: "6*x*t_x"}
"""
WRONG = {"sum_wrong": (2345,), "map_wrong": (15, 27), "wrong_beside_ties": (7,)}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    path: Path = tmp_path_factory.mktemp("many") / "a.grad.yaml"
    path.write_text(f"gradcheck: 1\nfunctions:\n{indent(FUNCTIONS, '  ')}", encoding="utf-8")
    begun = time.process_time()
    found = {o.id: o for o in outcomes(entries(load_many([str(path)])), config())}
    assert time.process_time() - begun < 30  # with Jacobians it was minutes
    return found


@pytest.mark.parametrize("name", ["sum_right", "other_convention", "ties_right", "second_alone"])
def test_right_ones_pass(judged: dict[str, Outcome], name: str) -> None:
    assert judged[name].passed, judged[name].sentence


@pytest.mark.parametrize("name", WRONG)
def test_one_wrong_number_is_found_and_named(judged: dict[str, Outcome], name: str) -> None:
    outcome = judged[name]
    assert (outcome.verdict, outcome.blame) == ("DISAGREES", "claim")
    assert outcome.worst is not None
    assert tuple(outcome.worst["index"]) == WRONG[name]
    assert outcome.witnesses["differences"].verdict == "DISAGREES"  # it measured that number alone, too
    assert outcome.witnesses["differences"].modes["reverse"] == "DISAGREES"
    assert outcome.counterexample is not None
    assert not outcome.counterexample.example  # nobody reads thousands of numbers
    assert len(outcome.counterexample.sentence) < 3000


def test_errors_along_directions_are_found(judged: dict[str, Outcome]) -> None:
    for name in ("along_wrong", "ties_counted_twice"):
        assert (judged[name].verdict, judged[name].blame) == ("DISAGREES", "claim")


def test_what_was_not_asked_is_told(judged: dict[str, Outcome]) -> None:
    for outcome in judged.values():
        assert outcome.statistics is not None
        assert outcome.statistics.warnings[0].startswith("a point holds ")
        assert "not by every number" in outcome.statistics.warnings[0]
    told = judged["second_alone"]
    assert told.statistics is not None
    assert "second order not at all" in told.statistics.warnings[0]
    assert told.witnesses["differences"].verdict == "SILENT"
    assert "second order" in told.witnesses["differences"].reason


def test_directions_alone_witness_no_gradient(judge) -> None:
    right = FUNCTIONS[: FUNCTIONS.index("sum_wrong")]
    (outcome,) = judge(right, witnesses=("differences",))
    assert (outcome.verdict, outcome.passed) == ("UNWITNESSED", False)


def test_how_many_points_are_judged(spec_of) -> None:
    def points(shape: str) -> int:
        spec: Spec = spec_of(f"inputs: {{x: {{shape: [{shape}]}}}}\nvalue: sum(x)\ngradient: {{x: ones_like(x)}}")
        assert is_many(spec, {}) == (points_of(spec, {}, 256) < 256)
        return points_of(spec, {}, 256)

    assert points(str(ALONE)) == 256
    assert points("3000") == AT_ONCE // 3000
    assert points("200, 200") == FEWEST
    assert np.prod([200, 200]) * FEWEST < 2**17
