"""Are simple predicates met by moving points, so that few are refused, and is nothing else touched?"""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.cases import Plan, Tally, build
from gradcheck.cases.mending import mended
from gradcheck.spec.membership import inside

POINTS = 200
MET = [
    ("x < y", "(0, 5)", "(0, 5)"),
    ("x >= y", "real", "real"),
    ("x > 2", "real", "real"),
    ("-1 > x", "real", "real"),
    ("x[0] > 1", "(-4, 6)", "real"),
    ("abs(x) > 0.5", "(-2, 2)", "real"),
    ("abs(x - 1) > 0.5 and x < y", "(-2, 4)", "(3, 9)"),
    ("abs(x) < 0.5", "real", "real"),
    ("norm(x) < 1", "(-2, 2)", "real"),
    ("norm(x) > 3", "(-4, 4)", "real"),
    ("norm(x) < 1 and norm(y) <= 0.1", "real", "real"),
]


def spec_with(spec_of, predicate, x="real", y="real", shape="[n]"):
    body = f"""
inputs: {{x: {{shape: {shape}, domain: "{x}, {predicate}"}}, y: {{shape: {shape}, domain: "{y}"}}}}
value: x*y
derivative: {{x: y, y: x}}
"""
    return spec_of(body)


def drawn(spec, n=3, seed=0):
    rng = np.random.default_rng(seed)
    shape = (POINTS, *(n for _ in spec.inputs[0].shape))
    ends = {i.name: np.clip([i.domain.low, i.domain.high], -4, 4) for i in spec.inputs}
    return {i.name: rng.uniform(*(ends[i.name] + [1e-9, -1e-9]), shape) for i in spec.inputs}


@pytest.mark.parametrize(("predicate", "x", "y"), MET)
def test_a_simple_predicate_is_met(spec_of, predicate, x, y):
    spec = spec_with(spec_of, predicate, x, y)
    points = drawn(spec)
    before, after = inside(spec, points, {"n": 3}), inside(spec, mended(spec, points, {"n": 3}), {"n": 3})
    assert before.mean() < 0.8 and after.mean() > 0.9
    moved = mended(spec, points, {"n": 3})
    assert all(np.array_equal(moved[k][before], points[k][before]) for k in points), "what fits stays"
    assert all(len(np.unique(moved[k])) > POINTS for k in points), "and the points stay different"


def test_along_an_axis_each_row_is_scaled(spec_of):
    spec = spec_with(spec_of, "norm(x, axis=1) < 0.5", shape="[n, n]")
    assert inside(spec, mended(spec, drawn(spec), {"n": 3}), {"n": 3}).all()


def test_a_diagonal_is_moved_alone(spec_of):
    spec = spec_with(spec_of, "abs(diagonal(x)) >= 0.5", x="(-2, 2)", shape="[n, n]")
    points = drawn(spec)
    moved = mended(spec, points, {"n": 3})["x"]
    assert inside(spec, mended(spec, points, {"n": 3}), {"n": 3}).all()
    off = ~np.eye(3, dtype=bool)
    assert np.array_equal(moved[:, off], points["x"][:, off])


@pytest.mark.parametrize("predicate", ["sin(x) > 0", "x*y > 1", "x > y + 1", "x != 0", "max(x) > 3", "x[n - 1] > 0"])
def test_what_is_not_understood_is_left_alone(spec_of, predicate):
    spec = spec_with(spec_of, predicate)
    points = drawn(spec)
    moved = mended(spec, points, {"n": 3})
    assert all(np.array_equal(moved[k], points[k]) for k in points)


def test_no_number_leaves_its_interval(spec_of):
    spec = spec_with(spec_of, "x > 0.9", x="(-1, 1)")
    moved = mended(spec, drawn(spec), {"n": 3})["x"]
    assert (np.abs(moved) < 1).all()


def test_of_a_built_case_nothing_is_refused(spec_of):
    tally = Tally()
    case = build(spec_with(spec_of, "norm(x) < 1"), Plan((("n", 4),), 3, 1.0), 60, tally)
    assert case is not None and case.points == 60
    assert sum(tally.refused.values()) == 0 and tally.drawn == 60
