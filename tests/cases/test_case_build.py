"""Does a plan become a batch of points inside the domain, the same every time, with landmarks, ties and directions?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.cases import Plan, build, example_case, example_sizes
from gradcheck.cases.build import outputs
from gradcheck.spec import Case, Spec
from gradcheck.spec.membership import inside

SpecOf = Callable[..., Spec]
NORM = """
inputs: {x: {shape: [n], domain: "norm(x) > 0"}}
value: sqrt(sum(x**2))
gradient: {x: x / value}
examples:
  - {x: [3.0, 4], value: 5}
  - {x: [3.0, 4, 12], ct: 2, vjp: {x: [1, 2, 3]}}
"""
TWO = """
inputs: {r: {domain: positive}, a: {shape: [n]}, k: {domain: "integer [1, 3]"}}
value: {u: r*a, v: sum(a)*k}
vjp: {r: "sum(ct_u*a)", a: "ct_u*r + ct_v*k"}
examples: [{r: 1, a: [0, 1], k: 2, value: {u: [0, 1], v: 2}, ct: {u: [1, 3], v: 2}, vjp: {r: 3}}]
"""
PLAN = Plan((("n", 3),), 7, 1.0, ((0, 1, 2),))


def same(a: Case, b: Case) -> bool:
    pairs = [(getattr(a, k), getattr(b, k)) for k in ("inputs", "cotangents", "tangents")]
    return all(np.array_equal(x[k], y[k]) for x, y in pairs for k in x)


def built(spec: Spec, plan: Plan = PLAN, points: int = 60) -> Case:
    case = build(spec, plan, points)
    assert case is not None
    return case


def test_shapes_names_and_origins(spec_of: SpecOf) -> None:
    case = built(spec_of(TWO))
    assert case.points == 60 and dict(case.sizes) == {"n": 3}
    assert {k: v.shape for k, v in case.inputs.items()} == {"r": (60,), "a": (60, 3), "k": (60,)}
    assert {k: v.shape for k, v in case.cotangents.items()} == {"u": (60, 3), "v": (60,)}
    assert {k: v.shape for k, v in case.tangents.items()} == {"r": (60,), "a": (60, 3)}
    assert set(case.origins) == {"landmark", "drawn"}
    assert case.origins.count("landmark") == 30


def test_all_arrays_are_read_only(spec_of: SpecOf) -> None:
    case = built(spec_of(TWO))
    for array in [*case.inputs.values(), *case.cotangents.values(), *case.tangents.values()]:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_every_point_lies_in_the_domain(spec_of: SpecOf) -> None:
    for text in (NORM, TWO):
        spec = spec_of(text)
        case = built(spec)
        assert inside(spec, case.inputs, case.sizes).all()


def test_the_plan_decides(spec_of: SpecOf) -> None:
    spec = spec_of(NORM)
    assert same(built(spec), built(spec))
    assert not same(built(spec), built(spec, Plan((("n", 3),), 8, 1.0)))
    assert not same(built(spec), built(spec_of(NORM, name="other")))


def test_landmarks_everywhere_in_one_element_and_ties(spec_of: SpecOf) -> None:
    spec = spec_of(
        "inputs: {x: {shape: [n]}}\nvalue: sum(where(x > 7.25, x, 0))\ngradient: {x: 'where(x > 7.25, 1, 0)'}"
    )
    x = built(spec, Plan((("n", 3),), 0, 1.0), points=300).inputs["x"]
    assert (x == 0).all(axis=1).any()
    assert ((x == 1).sum(axis=1) == 1).any()
    assert (x == 7.25).any()
    assert ((x[:, 0] == x[:, -1]) & (x[:, 0] != x[:, 1])).any()


def test_special_numbers_of_the_plan_are_planted(spec_of: SpecOf) -> None:
    spec = spec_of("inputs: {x: {shape: [n]}}\nvalue: sum(x)\ngradient: {x: 1 + 0*x}")
    plain, special = (built(spec, Plan((("n", 3),), 7, 1.0, s), 60).inputs["x"] for s in ((), ((0, 1, 0),)))
    row = int(np.flatnonzero((plain != special).any(axis=1))[0])
    assert (special[row, 1], int((plain != special).sum())) == (1.0, 1)


def test_the_scale_is_followed_by_a_part_of_the_points(spec_of: SpecOf) -> None:
    spec = spec_of("inputs: {x: {shape: [n]}}\nvalue: sum(x)\ngradient: {x: 1 + 0*x}")
    case = built(spec, Plan((("n", 3),), 7, 1e-3), 200)
    drawn = case.inputs["x"][np.array(case.origins) == "drawn"]
    size = np.max(np.abs(drawn), axis=1)
    assert np.mean((size > 1e-4) & (size < 1e-2)) > 0.25, "the plan's own scale"
    assert np.mean((size > 0.1) & (size < 10)) > 0.3, "ordinary numbers beside it"
    assert np.max(size) > 50, "and now and then large ones"


def test_directions_are_ones_unit_vectors_and_random(spec_of: SpecOf) -> None:
    ct = built(spec_of(TWO)).cotangents["u"]
    assert (ct[::4] == 1).all()
    assert (np.sort(ct[1::4], axis=1) == [0, 0, 1]).all()
    assert len(np.unique(ct[2::4])) > 10
    assert np.array_equal(ct, np.round(ct, 2))
    assert not np.signbit(ct[ct == 0]).any()


def test_what_misses_the_domain_is_counted(spec_of: SpecOf) -> None:
    spec = spec_of("inputs: {x: {shape: [n], domain: 'x**3 > 0'}}\nvalue: sum(log(x))\ngradient: {x: 1/x}")
    case = built(spec)
    assert case.points == 60 and case.rejected > 60
    assert (case.inputs["x"] > 0).all()


def test_where_no_point_is_found_there_is_no_case(spec_of: SpecOf) -> None:
    spec = spec_of("inputs: {x: {domain: 'x**3 > 1e50'}}\nvalue: x\nderivative: {x: 1 + 0*x}")
    assert build(spec, Plan((), 0, 1.0), 20) is None


def test_overflow_is_no_point_but_a_pole_is(spec_of: SpecOf) -> None:
    steep = spec_of("inputs: {x: {}}\nvalue: exp(x**3)\nderivative: {x: 3*x**2*exp(x**3)}")
    case = built(steep, Plan((), 0, 100.0))
    assert np.isfinite(outputs(steep, case.inputs, {})["value"]).all()
    pole = spec_of("inputs: {x: {}}\nvalue: 1/x\nderivative: {x: -1/x**2}")
    assert (built(pole, Plan((), 0, 1.0)).inputs["x"] == 0).any()


def test_a_function_that_branches_is_evaluated_point_by_point(spec_of: SpecOf) -> None:
    spec = spec_of("inputs: {x: {}}\nvalue: x if x > 0 else -x\nderivative: {x: 1 if x > 0 else -1}")
    case = built(spec, Plan((), 0, 1.0))
    assert np.array_equal(outputs(spec, case.inputs, {})["value"], np.abs(case.inputs["x"]))


def test_an_example_is_a_case_of_one_point(spec_of: SpecOf) -> None:
    spec = spec_of(NORM)
    first, second = spec.examples
    assert (example_sizes(spec, first), example_sizes(spec, second)) == ({"n": 2}, {"n": 3})
    case = example_case(spec, first, {"n": 2})
    assert (case.inputs["x"].tolist(), case.cotangents["value"].tolist()) == ([[3.0, 4.0]], [1.0])
    assert case.origins == ("example",)
    assert example_case(spec, second, {"n": 3}).cotangents["value"].tolist() == [2.0]


def test_an_example_of_several_outputs(spec_of: SpecOf) -> None:
    spec = spec_of(TWO)
    (example,) = spec.examples
    case = example_case(spec, example, example_sizes(spec, example))
    assert {k: v.tolist() for k, v in case.cotangents.items()} == {"u": [[1.0, 3.0]], "v": [2.0]}
