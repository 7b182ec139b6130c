"""Are dimensions that may be 1 read, tried with and without repetition, and held to fit together?"""

from __future__ import annotations

import pytest

from gradcheck.cases import plans
from gradcheck.errors import SpecErrors
from gradcheck.spec.dims import keyed, misfit, repetitions, settled, sizes_from, written

REPEATED = """
inputs: {x: {shape: [n, m]}, y: {shape: [n or 1, m]}}
value: x*y
vjp: {x: ct*y, y: "sum(ct*x, axis=0, keepdims=True) if y.shape[0] == 1 else ct*x"}
"""
Y, X = "n or 1 of y", "n or 1 of x"


def test_each_input_may_be_repeated_by_itself():
    assert keyed(("n  or 1", "m", 3), "y") == (Y, "m", 3) and written((Y, "m", 3)) == ["n or 1", "m", 3]
    assert keyed(("n or 2",), "y") == ("n or 2",)
    assert settled({"n": 4, X: 3, Y: 1}) == {"n": 4, X: 4, Y: 1}
    assert repetitions({"n": 4, X: 4, Y: 1}) == [{"n": 4, X: 4, Y: 4}, {"n": 4, X: 1, Y: 4}, {"n": 4, X: 4, Y: 1}]
    assert repetitions({"n": 4}) == [{"n": 4}]


def test_sizes_of_arrays(spec_of):
    spec = spec_of(REPEATED)
    assert sizes_from(spec.inputs, {"x": (3, 2), "y": (1, 2)}) == {"n": 3, "m": 2, Y: 1}
    assert misfit({"n": 3, Y: 2}) == "2 where n = 3 or 1 is expected" and not misfit({"n": 3, Y: 1})
    alone = spec_of("inputs: {x: {shape: [n or 1]}}\nvalue: 2*x\nderivative: {x: 2 + 0*x}")
    assert sizes_from(alone.inputs, {"x": (3,)}) == {"n": 3, X: 3}


def test_plans_hold_a_shape_for_each_repetition(spec_of):
    sizes = [dict(plan.sizes) for plan in plans(spec_of(REPEATED), 0, 2, 1)]
    assert len(sizes) == 3 and not any(map(misfit, sizes))
    assert any(s[Y] == 1 < s["n"] for s in sizes) and any(s[Y] == s["n"] > 1 for s in sizes)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("y: \"sum(ct*x, axis=0, keepdims=True) if y.shape[0] == 1 else ct*x\"", "y: ct*x"),
         "this has shape [2, 3] with n=2, m=3, n or 1 of y=1; expected shape [1, 3]"),
        (("n or 1", "n or 2"), "'n or 2' is no size; of two sizes the second is 1, as in 'n or 1'"),
        (("n or 1", "sum or 1"), "'sum' is a function of the vocabulary"),
        (("n or 1", "x or 1"), "'x' is an input, it cannot be a dimension too"),
        (("vjp:", "examples: [{x: [[1], [2], [3]], y: [[1], [2]], value: 1}]\nvjp:"),
         "the shapes do not fit together: 2 where n = 3 or 1 is expected"),
    ],
)  # fmt: skip
def test_complaints(spec_of, change, complaint):
    with pytest.raises(SpecErrors) as refusal:
        spec_of(REPEATED.replace(*change))
    assert complaint in str(refusal.value)
