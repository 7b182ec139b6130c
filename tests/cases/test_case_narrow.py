"""Are the points of a case numbers of the dtype, inside the domain, and far from the ends of the range?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.cases import Plan, build, narrowed, neighbours
from gradcheck.spec import Case, Spec
from gradcheck.spec.precision import PRECISIONS

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]
NARROW = ("float32", "float16", "bfloat16")
PRODUCT = "inputs: {x: {shape: [n]}, y: {shape: [n]}}\nvalue: x*y\nvjp: {x: ct*y, y: ct*x}"


@pytest.fixture(scope="module")
def drawn(spec_of: SpecOf) -> Case:
    case = build(spec_of(PRODUCT), Plan((("n", 3),), 5, 10.0), 200)
    assert case is not None
    return case


@pytest.mark.parametrize("dtype", NARROW)
def test_all_numbers_are_of_the_dtype(dtype: str, drawn: Case) -> None:
    case = narrowed(drawn, dtype)
    assert case is not None
    assert case.dtype == dtype
    for group in (case.inputs, case.cotangents, case.tangents):
        for array in group.values():
            assert len(array) == case.points == len(case.origins)
            assert np.array_equal(PRECISIONS[dtype].rounded(array), array)
            assert not array.flags.writeable
    assert case.rejected == drawn.rejected + drawn.points - case.points
    assert case.points > drawn.points / 3
    assert any(not np.array_equal(drawn.inputs[n][: case.points], case.inputs[n]) for n in case.inputs)


def test_points_past_the_range_are_left_out(spec_of: SpecOf, case_at: CaseAt) -> None:
    case = case_at(spec_of(PRODUCT), x=[[1.0], [1e5], [1e-7], [0.0], [2.0]], y=[[1.0]] * 5)
    kept = narrowed(case, "float16")
    assert kept is not None
    assert kept.inputs["x"].tolist() == [[1.0], [0.0], [2.0]]
    assert narrowed(case_at(spec_of(PRODUCT), x=[[1e5]], y=[[1.0]]), "float16") is None
    wider = narrowed(case, "float32")
    assert wider is not None
    assert wider.points == 5


def test_a_point_that_is_rounded_out_of_its_domain_is_left_out(spec_of: SpecOf, case_at: CaseAt) -> None:
    body = 'inputs: {x: {domain: "(0, 1)"}}\nvalue: log(1 - x)\nderivative: {x: 1/(x - 1)}'
    case = narrowed(case_at(spec_of(body), x=[0.5, 1 - 1e-9]), "float32")
    assert case is not None
    assert case.inputs["x"].tolist() == [0.5]


@pytest.mark.parametrize("domain", ["simplex", "sphere", "orthogonal"])
def test_what_no_rounded_number_meets_is_not_asked(domain: str, spec_of: SpecOf) -> None:
    shape = "[3, 3]" if domain == "orthogonal" else "[3]"
    spec = spec_of(f"inputs: {{x: {{shape: {shape}, domain: {domain}}}}}\nvalue: sum(x**2)\ngradient: {{x: 2*x}}")
    case = build(spec, Plan((), 1, 1.0), 20)
    assert case is not None
    assert narrowed(case, "float32") is None


@pytest.mark.parametrize("dtype", NARROW)
def test_neighbours_are_other_numbers_of_the_dtype_close_by(dtype: str, drawn: Case) -> None:
    case = narrowed(drawn, dtype)
    assert case is not None
    precision, x = PRECISIONS[dtype], case.inputs["x"]
    for near in neighbours(case, 3):
        y = near.inputs["x"]
        assert np.array_equal(precision.rounded(y), y)
        assert np.all(np.abs(y - x) <= 33 * precision.spacing(x))
        assert np.mean(y != x) > 0.95


def test_neighbours_stay_in_the_domain(spec_of: SpecOf, case_at: CaseAt) -> None:
    body = 'inputs: {x: {domain: "[1, 2]"}}\nvalue: sqrt(x - 1)\nderivative: {x: 0.5/sqrt(x - 1)}'
    case = narrowed(case_at(spec_of(body), x=[1.0, 2.0, 1.5]), "float32")
    assert case is not None
    for near in neighbours(case, 5):
        assert np.all((near.inputs["x"] >= 1) & (near.inputs["x"] <= 2))
        assert np.all(near.inputs["x"] != case.inputs["x"])
