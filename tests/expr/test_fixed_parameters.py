"""May a parameter come from an input? Each point has its own number then, as in code that is called point by point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import BranchInBatch, EvaluationError
from gradcheck.expr import NUMPY, Batch, Batched, by_branch, parse_formula

RNG = np.random.default_rng(7)
I = np.array([0.0, 1.0, 2.0, 1.0, 0.0])  # noqa: E741
ENV = {"x": RNG.normal(size=(5, 4)), "a": RNG.normal(size=(5, 3, 3)), "i": I, "y": RNG.uniform(0.2, 0.8, 5)}
X, A, Y = ENV["x"], ENV["a"], ENV["y"]
REFERENCES: dict[str, Callable[[int, int], Any]] = {  # the point's row, the input i there -> NumPy's own
    "roll(x, i)": lambda k, i: np.roll(X[k], i),
    "roll(x, -i) + roll(x, 2*i)": lambda k, i: np.roll(X[k], -i) + np.roll(X[k], 2 * i),
    "roll(a, [i, 1], axis=[0, 1])": lambda k, i: np.roll(A[k], (i, 1), axis=(0, 1)),
    "tril(a, i)": lambda k, i: np.tril(A[k], i),
    "trace(a*tri(3, 3, i))": lambda k, i: np.trace(A[k] * np.tri(3, 3, i)),
    "sum(diagonal(a, i))": lambda k, i: np.diagonal(A[k], i).sum(),
    "matrix_power(a, i)": lambda k, i: np.linalg.matrix_power(A[k], i),
    "var(x, correction=i)": lambda k, i: np.var(X[k], ddof=i),
    "sum(x[:i + 1])": lambda k, i: X[k][: i + 1].sum(),
    "sum(x[i:] * arange(4)[i:])": lambda k, i: (X[k][i:] * np.arange(4.0)[i:]).sum(),
    "sum(arange(i + 2))": lambda k, i: np.arange(i + 2).sum(),
    "sort(x, descending=i > 0)": lambda k, i: np.sort(X[k])[::-1] if i > 0 else np.sort(X[k]),
    "sum(top_k(x, i + 1))": lambda k, i: np.sort(X[k])[::-1][: i + 1].sum(),
    "sum(a, axis=i - i)": lambda k, i: A[k].sum(axis=0),
    "quantile(x, y)": lambda k, i: np.quantile(X[k], Y[k]),
}


@pytest.mark.parametrize("text", REFERENCES)
def test_every_point_of_a_batch_has_its_own_parameter(text: str):
    program = parse_formula(text, list(ENV))

    def run(rows: np.ndarray) -> Any:
        found = program(Batch(NUMPY), {name: Batched(value[rows]) for name, value in ENV.items()})
        return found.data if isinstance(found, Batched) else [found] * len(rows)  # of no input but the parameter

    parts = by_branch(run, np.arange(5))
    assert sorted(row for rows, _ in parts for row in rows) == [0, 1, 2, 3, 4]
    for rows, found in parts:
        for row, value in zip(rows, found, strict=True):
            np.testing.assert_allclose(value, REFERENCES[text](int(row), int(I[row])), rtol=1e-14, atol=1e-15)


def test_points_with_other_numbers_go_apart_and_the_first_stays_with_its_own():
    with pytest.raises(BranchInBatch) as raised:
        parse_formula("roll(x, i)", list(ENV))(Batch(NUMPY), {name: Batched(v) for name, v in ENV.items()})
    assert raised.value.takes.tolist() == [True, False, False, False, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("roll(x, x)", r"shift of roll: one number is expected, not an input of the shape \(4,\)"),
        ("roll(x, 0/(y - y))", "shift of roll: a number is expected, not nan"),
        ("scatter(x, [i], [4])", "scatter takes places that are written out; scatter_add takes places that inputs"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_no_number_is_refused(text: str, message: str):
    with pytest.raises(EvaluationError, match=message):
        parse_formula(text, list(ENV))(Batch(NUMPY), {name: Batched(v[:1]) for name, v in ENV.items()})


WITNESSES = ("certified", "engine", "differences", "torch", "jax")
ROLLED = """
inputs: {x: {shape: [4]}, i: {domain: "integer [0, 3]"}}
value: sum(roll(x, i)*x)
gradient: {x: %s}
"""


@pytest.fixture(scope="module")
def case(spec_of: Any, case_at: Any) -> Callable[[str], Any]:
    return lambda claim: case_at(spec_of(ROLLED % claim), x=X, i=I)


def test_all_witnesses_agree_with_a_right_claim(case: Any, judged: Any):
    findings = judged(case('"roll(x, i) + roll(x, -i)"'), WITNESSES)
    assert {(who, f.verdict.value) for (who, mode), f in findings.items() if mode == "reverse"} == {
        (who, "AGREES") for who in WITNESSES
    }


def test_all_witnesses_see_a_wrong_shift_where_it_is_wrong(case: Any, judged: Any):
    findings = judged(case('"2*roll(x, i)"'), WITNESSES)
    for who in WITNESSES:
        found = findings[who, "reverse"]
        assert (found.verdict.value, found.wrong, found.blame) == ("DISAGREES", 8, "claim")  # at i = 1, twice


@pytest.mark.parametrize("who", [w for w in WITNESSES if w != "differences"])
def test_nobody_differentiates_by_a_parameter_in_silence(who: str, spec_of: Any, case_at: Any, judged: Any):
    spec = spec_of("inputs: {x: {shape: [3]}, y: {}}\nvalue: sum(standardize(x, eps=y)*[1, 2, 4])\ngradient: {y: 0*y}")
    (found,) = judged(case_at(spec, x=X[:1, :3], y=[1.0]), (who,)).values()
    assert found.verdict.value == "CRASHED"
    assert found.reason.startswith("eps of standardize moves with an input, and no derivative passes through it")
