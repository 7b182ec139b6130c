"""Is every function of the Array API standard 2024.12, main namespace, here by its name, or left out for a reason?"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from gradcheck.expr.composition import NUMPY
from gradcheck.expr.primitive import Primitive
from gradcheck.expr.vocabulary import ALIASES, VOCABULARY

ELEMENTWISE = (
    "abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_invert bitwise_or "
    "bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide equal exp expm1 floor floor_divide "
    "greater greater_equal hypot imag isfinite isinf isnan less less_equal log log1p log2 log10 logaddexp logical_and "
    "logical_not logical_or logical_xor maximum minimum multiply negative nextafter not_equal positive pow real "
    "reciprocal remainder round sign signbit sin sinh square sqrt subtract tan tanh trunc"
).split()
STATISTICS = "cumulative_prod cumulative_sum max mean min prod std sum var".split()
SEARCHING = "argmax argmin count_nonzero nonzero searchsorted where".split()
SETS = "unique_all unique_counts unique_inverse unique_values".split()
SORTING = "argsort sort".split()
MANIPULATION = (
    "broadcast_arrays broadcast_to concat expand_dims flip moveaxis permute_dims repeat reshape roll squeeze stack "
    "tile unstack"
).split()
UTILITY = "all any diff".split()
INDEXING = "take take_along_axis".split()
PRODUCTS = "matmul matrix_transpose tensordot vecdot".split()
CREATION = (
    "arange asarray empty empty_like eye from_dlpack full full_like linspace meshgrid ones ones_like tril triu zeros "
    "zeros_like"
).split()
STANDARD = [
    *ELEMENTWISE, *STATISTICS, *SEARCHING, *SETS, *SORTING, *MANIPULATION, *UTILITY, *INDEXING, *PRODUCTS, *CREATION,
]  # fmt: skip

HANGS = "the shape of its result hangs on the numbers, which no batch of points and no compiled function can carry"
LEFT_OUT = {
    "nonzero": HANGS,
    **dict.fromkeys(SETS, HANGS),
    "asarray": "it makes an array of a namespace from something outside; a formula holds only arrays",
    "from_dlpack": "it exchanges memory between libraries; it is no function of numbers",
    **dict.fromkeys(("conj", "imag", "real"), "complex numbers come with their own convention"),
    "tensordot": "linear algebra; einsum says the same by names",
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "argsort": {"axis": -1, "descending": False, "stable": True},
    "sort": {"axis": -1, "descending": False, "stable": True},
    "cumulative_sum": {"axis": None, "include_initial": False},
    "cumulative_prod": {"axis": None, "include_initial": False},
    "count_nonzero": {"axis": None, "keepdims": False},
    "searchsorted": {"side": "left", "sorter": None},
    "diff": {"axis": -1, "n": 1, "prepend": None, "append": None},
    "take_along_axis": {"axis": -1},
    "roll": {"axis": None},
    "repeat": {"axis": None},
    "unstack": {"axis": 0},
    "meshgrid": {"indexing": "xy"},
    "linspace": {"endpoint": True},
}


@pytest.mark.parametrize("name", STANDARD)
def test_it_is_a_row_or_left_out_for_a_reason(name: str) -> None:
    known = name in VOCABULARY or name in ALIASES
    assert known or len(LEFT_OUT[name]) > 20, f"{name} is neither a row nor left out"


def test_nothing_is_left_out_that_nobody_asked_for() -> None:
    assert set(LEFT_OUT) <= set(STANDARD)
    assert "fft" not in STANDARD


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_have_the_standards_names_and_defaults(name: str) -> None:
    row = VOCABULARY[name]
    assert {key: row.defaults[key] for key in PARAMETERS[name]} == PARAMETERS[name]


def _formula(row: Primitive) -> dict[str, Any]:
    """The defaults that a composition's own formula has."""
    assert row.compose is not None
    parameters = inspect.signature(row.compose).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


@pytest.mark.parametrize("name", sorted(name for name, row in VOCABULARY.items() if row.compose is not None))
def test_a_composition_says_its_defaults_twice_alike(name: str) -> None:
    assert _formula(VOCABULARY[name]) == dict(VOCABULARY[name].defaults)


def test_the_places_of_extremes_are_those_of_the_row_of_all_elements() -> None:
    x = np.array([[1.0, 5.0], [7.0, 2.0]])
    assert NUMPY.argmax(x) == 2
    assert NUMPY.argmax(x, axis=(-2, -1), keepdims=True).tolist() == [[2]]
    with pytest.raises(ValueError, match="one axis, or all"):
        NUMPY.argmin(np.zeros((2, 3, 4)), axis=(0, 1))
