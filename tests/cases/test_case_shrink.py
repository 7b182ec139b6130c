"""Is the smallest and simplest failing point found, and does it still fail?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.cases import Plan, batch, build, shrink
from gradcheck.spec import Case, Spec

SpecOf = Callable[..., Spec]
SUM = "inputs: {x: {shape: [n]}}\nvalue: sum(x)\ngradient: {x: 1 + 0*x}"
MATRIX = "inputs: {x: {shape: [n, m]}}\nvalue: x\nvjp: {x: ct}"


def case_of(spec: Spec, sizes: dict[str, int], seed: int = 1) -> Case:
    case = build(spec, Plan(tuple(sizes.items()), seed, 1.0), 60)
    assert case is not None
    return case


def shrunk(case: Case, fails: Callable[[Case], Any]) -> Case:
    row = int(np.flatnonzero(fails(case))[-1])
    small = shrink(case, row, fails)
    assert small.points == 1
    assert fails(small).all()
    return small


def test_to_one_element_and_a_whole_number(spec_of: SpecOf) -> None:
    small = shrunk(case_of(spec_of(SUM), {"n": 5}), lambda c: (c.inputs["x"] > 0.7).any(axis=1))
    assert (dict(small.sizes), small.inputs["x"].tolist()) == ({"n": 1}, [[1.0]])
    assert small.origins == ("given",)


def test_sizes_that_are_needed_stay(spec_of: SpecOf) -> None:
    small = shrunk(case_of(spec_of(SUM), {"n": 5}), lambda c: (c.inputs["x"] > 0.1).sum(axis=1) >= 2)
    assert (dict(small.sizes), small.inputs["x"].tolist()) == ({"n": 2}, [[1.0, 1.0]])


def test_each_dimension_by_itself(spec_of: SpecOf) -> None:
    def fails(c: Case) -> Any:
        wide = c.inputs["x"].shape[-1] >= 3
        return np.full(c.points, wide)

    small = shrunk(case_of(spec_of(MATRIX), {"n": 4, "m": 5}), fails)
    assert dict(small.sizes) == {"n": 1, "m": 3}
    assert (small.inputs["x"] == 0).all()


def test_numbers_become_simple_one_by_one(spec_of: SpecOf) -> None:
    spec = spec_of("inputs: {x: {}, y: {}}\nvalue: x*y\nvjp: {x: ct*y, y: ct*x}")
    small = shrunk(case_of(spec, {}, seed=3), lambda c: (c.inputs["x"] < -0.3) & (c.inputs["y"] > 0.2))
    assert (small.inputs["x"].tolist(), small.inputs["y"].tolist()) == ([-1.0], [1.0])
    assert small.cotangents["value"].tolist() == [1.0]  # not 0: a cotangent of zeros asks nothing


def test_cotangents_are_kept_where_they_matter(spec_of: SpecOf) -> None:
    small = shrunk(case_of(spec_of(MATRIX), {"n": 1, "m": 1}), lambda c: c.cotangents["value"][:, 0, 0] < 0)
    assert small.cotangents["value"].tolist() == [[[-1.0]]]


def test_digits_are_dropped_where_no_simple_number_fails(spec_of: SpecOf) -> None:
    spec = spec_of("inputs: {x: {}}\nvalue: x\nderivative: {x: 1 + 0*x}")
    case = batch(spec, {}, [{"x": np.array(0.123456789)}], None)
    assert case is not None
    small = shrunk(case, lambda c: np.abs(c.inputs["x"] - 0.123456789) < 5e-3)
    assert small.inputs["x"].tolist() == [0.12]


def test_no_candidate_leaves_the_domain(spec_of: SpecOf) -> None:
    spec = spec_of("inputs: {x: {shape: [n], domain: 'x > 2.5'}}\nvalue: sum(x)\ngradient: {x: 1 + 0*x}")
    asked: list[float] = []

    def fails(c: Case) -> Any:
        asked.append(float(c.inputs["x"].min()))
        return np.ones(c.points, dtype=bool)

    small = shrunk(case_of(spec, {"n": 3}), fails)
    assert min(asked) > 2.5
    assert small.inputs["x"].tolist() == [[3.0]]


def test_a_size_that_the_function_does_not_take_is_passed_over(spec_of: SpecOf) -> None:
    spec = spec_of(
        "inputs: {x: {shape: [n]}}\nvalue: x[1]\ngradient: {x: 'concat([zeros((1,)), ones((1,)), zeros((n-2,))])'}"
    )
    small = shrunk(case_of(spec, {"n": 4}), lambda c: np.ones(c.points, dtype=bool))
    assert dict(small.sizes) == {"n": 2}


def test_what_fails_only_as_it_stands_stays(spec_of: SpecOf) -> None:
    case = case_of(spec_of(SUM), {"n": 3})
    original = case.inputs["x"][5].copy()

    def fails(c: Case) -> Any:
        same_size = c.inputs["x"].shape[1:] == original.shape
        return (c.inputs["x"] == original).all(axis=-1) if same_size else np.zeros(c.points, dtype=bool)

    small = shrink(case, 5, fails)
    assert np.array_equal(small.inputs["x"][0], original)


def test_what_does_not_fail_alone_is_handed_back(spec_of: SpecOf) -> None:
    case = case_of(spec_of(SUM), {"n": 3})
    small = shrink(case, 5, lambda c: np.zeros(c.points, dtype=bool))
    assert (small.points, small.origins) == (1, (case.origins[5],))
    for kind in ("inputs", "cotangents", "tangents"):
        for name, array in getattr(case, kind).items():
            assert np.array_equal(getattr(small, kind)[name][0], array[5])


def test_the_same_point_shrinks_to_the_same(spec_of: SpecOf) -> None:
    case = case_of(spec_of(MATRIX), {"n": 3, "m": 2})
    one, other = (shrink(case, 9, lambda c: (c.inputs["x"] > 0.1).any(axis=(1, 2))) for _ in range(2))
    assert np.array_equal(one.inputs["x"], other.inputs["x"])
