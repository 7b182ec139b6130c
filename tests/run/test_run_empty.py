"""Is a function judged where a dimension has size 0, where it has a value there, and told where it has none?"""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcheck.run import entries, outcomes
from gradcheck.run.failures.replay import replay
from gradcheck.run.failures.store import load as load_failure
from gradcheck.run.failures.store import stored
from gradcheck.spec import load
from tests.run.conftest import EMPTY, config

FUNCTIONS = """
gradcheck: 1
functions:
  total:
    inputs: {x: {shape: [n, m]}, b: {}}
    value: sum(x**2) + 3*b
    gradient: {x: 2*x, b: 3}
  wrong_of_nothing:
    inputs: {x: {shape: [n]}, b: {}}
    value: sum(x**2) + 3*b
    gradient: {x: 2*x, b: 3 if n > 0 else 2}
  largest:
    inputs: {x: {shape: [n, m]}}
    value: sum(max(x, axis=0))
    gradient: {x: "where(x == max(x, axis=0), 1, 0) / sum(where(x == max(x, axis=0), 1, 0), axis=0)"}
  length:
    inputs: {x: {shape: [n], domain: positive}, b: {}}
    value: norm(x) + 3*b
    gradient: {x: x/norm(x), b: 3}
  mean:
    inputs: {x: {shape: [n]}}
    value: mean(x)
    gradient: {x: ones_like(x)/n}
  picked:
    inputs: {x: {shape: [n]}, i: {shape: [k], domain: index(n)}}
    value: sum(take(x, i)**2)
    gradient: {x: "2*x*sum(1.0*(expand_dims(i, 1) == arange(n)), axis=0)"}
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    path = tmp_path_factory.mktemp("empty") / "a.grad.yaml"
    path.write_text(FUNCTIONS, encoding="utf-8")
    return {o.id: o for o in outcomes(entries([load(str(path))]), config(profile=EMPTY))}


def test_what_takes_a_size_of_nothing_is_judged_there(judged):
    total = judged["total"]
    assert total.passed and total.statistics.empty == {"n": "judged", "m": "judged"}
    assert {"n": 0, "m": 2} in total.statistics.sizes and {"n": 2, "m": 0} in total.statistics.sizes


def test_a_claim_that_is_wrong_for_nothing_only_is_caught_there(judged):
    wrong = judged["wrong_of_nothing"]
    assert (wrong.verdict, wrong.blame) == ("DISAGREES", "claim")
    assert wrong.counterexample.sizes == {"n": 0} and wrong.counterexample.inputs["x"] == []


def test_what_has_no_value_there_is_not_asked_and_told_why(judged):
    assert judged["largest"].passed and judged["mean"].passed and judged["picked"].passed
    empty = judged["largest"].statistics.empty
    assert empty["m"] == "judged" and empty["n"].startswith("not asked: zero-size array")
    assert judged["mean"].statistics.empty["n"] == "not asked: Mean of empty slice"
    assert judged["picked"].statistics.empty["n"].startswith("not asked: ")
    assert judged["picked"].statistics.empty["k"] == "judged"


def test_the_bars_of_a_length_know_a_vector_of_nothing(judged):
    assert judged["length"].passed and judged["length"].statistics.empty == {"n": "judged"}


def test_the_ordinary_profile_asks_at_one_and_more(judge):
    (outcome,) = judge("f:\n  inputs: {x: {shape: [n]}}\n  value: x**2\n  derivative: {x: 2*x}")
    assert outcome.statistics.empty == {} and all(s["n"] > 0 for s in outcome.statistics.sizes)


def test_a_failure_of_nothing_is_judged_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = FUNCTIONS[: FUNCTIONS.index("  wrong_of_nothing")].replace("b: 3}", "b: 3 if m > 0 else 2}")
    Path("a.grad.yaml").write_text(text, encoding="utf-8")
    (outcome,) = outcomes(entries([load("a.grad.yaml")]), config(profile=EMPTY, store="kept"))
    assert outcome.counterexample.sizes["m"] == 0 and outcome.counterexample.inputs["x"] in ([], [[]], [[], []])
    (name,) = stored(Path("kept"))
    assert replay(load_failure(name, Path("kept")), config()).state == "FAILED"
