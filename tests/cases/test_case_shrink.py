"""Is the smallest and simplest failing point found, and does it still fail?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.cases import Plan, batch, build, shortest, shrink
from gradcheck.cases.domains import STRUCTURED
from gradcheck.cases.simpler import candidates, cost, keeps
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
    assert (small.inputs["x"] == 1).all()  # where 0 is not needed, it would look as if it were


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


def test_equal_numbers_become_simpler_together(spec_of: SpecOf) -> None:
    def fails(c: Case) -> Any:
        """A tie of the first and the last of three, above the one between them."""
        first, between, last = (c.inputs["x"][:, min(k, c.sizes["n"] - 1)] for k in range(3))
        return (first == last) & (between < last) & (c.sizes["n"] == 3)

    case = batch(spec_of(SUM), {"n": 3}, [{"x": np.array([1.618, 0.25, 1.618])}], None)
    assert case is not None
    assert shrink(case, 0, fails).inputs["x"].tolist() == [[1.0, 0.0, 1.0]]


def test_one_wrong_number_is_shown_where_a_direction_can(spec_of: SpecOf) -> None:
    def fails(c: Case) -> Any:
        """Every number is wrong that has a cotangent; of two rows at least."""
        return np.count_nonzero(c.cotangents["value"], axis=(1, 2)) if c.sizes["n"] > 1 else np.zeros(c.points)

    small = shrunk(case_of(spec_of(MATRIX), {"n": 3, "m": 2}), fails)
    assert (dict(small.sizes), small.cotangents["value"].tolist()) == ({"n": 2, "m": 1}, [[[1.0], [0.0]]])


def test_tangents_count_where_they_are_asked_for_and_are_ones_elsewhere(spec_of: SpecOf) -> None:
    spec = spec_of("inputs: {x: {shape: [n]}, y: {shape: [n]}}\nvalue: x*y\njvp: t_x*y + x*t_y")

    def fails(c: Case) -> Any:
        return (c.tangents["x"] * c.tangents["y"] < -0.1).any(axis=1)

    case = case_of(spec, {"n": 4}, seed=5)
    row = int(np.flatnonzero(fails(case))[-1])
    small = shrink(case, row, fails, frozenset({"tangents"}))
    assert (dict(small.sizes), small.cotangents["value"].tolist()) == ({"n": 1}, [[1.0]])
    assert sorted(float(small.tangents[n][0, 0]) for n in "xy") == [-1.0, 1.0]


def test_numbers_of_a_narrow_dtype_are_short_in_it(spec_of: SpecOf) -> None:
    spec = spec_of("inputs: {x: {}}\nvalue: x\nderivative: {x: 1 + 0*x}")
    case = batch(spec, {}, [{"x": np.array(0.123456789)}], None, "float32")
    assert case is not None
    small = shrink(case, 0, lambda c: np.abs(c.inputs["x"] - 0.1234) < 1e-3)
    x = float(small.inputs["x"][0])
    assert (np.float32(x) == x, shortest(x, "float32")) == (True, 0.123)
    assert shortest(x, "float64") == x


@pytest.mark.parametrize("kind", sorted(STRUCTURED - {"permutation"}))  # of which no derivative is taken
def test_the_structure_of_a_domain_is_kept(spec_of: SpecOf, kind: str) -> None:
    shape = "[n]" if kind in ("simplex", "sphere", "sorted") else "[n, n]"
    spec = spec_of(f"inputs: {{x: {{shape: {shape}, domain: {kind}}}}}\nvalue: sum(x)\nvjp: {{x: ct + 0*x}}")
    domain, asked = spec.inputs[0].domain, []

    def fails(c: Case) -> Any:
        asked.extend(c.inputs["x"])
        assert keeps(domain, c.inputs["x"]).all()
        return np.full(c.points, c.sizes["n"] > 1)

    small = shrunk(case_of(spec, {"n": 4}), fails)
    assert dict(small.sizes) == {"n": 2}
    assert len(asked) > 3
    assert not keeps(domain, np.full((1, *(2,) * (1 + (shape == "[n, n]"))), -0.3)).all() or kind in (
        "sorted",
        "symmetric",
    )


def test_cost_puts_what_is_read_at_a_glance_first() -> None:
    numbers = [1.0, 2.0, 0.0, -1.0, 0.5, 7.0, -7.0, 300.0, 0.25, 123.0, 0.1234567]
    assert sorted(set(numbers), key=cost) == numbers
    assert cost(-0.0) > cost(0.0)
    assert candidates(1.0) == []
    assert {-40.0, -30.0, -35.0, -34.0} <= set(candidates(-34.7))
    assert all(np.isfinite(candidates(1.7e308)))
    assert 1e-323 in candidates(1.5e-323)
