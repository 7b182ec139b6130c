"""Are the numbers given in other layouts the same numbers, and each layout only where it fits?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradcheck.cases import Plan, build
from gradcheck.oracles.layouts import as_numpy, placed
from gradcheck.spec import Case, Spec
from gradcheck.spec.case import LAYOUTS, Layout, read_layout

SpecOf = Callable[..., Spec]
PRODUCT = """
inputs: {x: {shape: [n, m]}, y: {shape: [n, m]}}
value: x*y
vjp: {x: ct*y, y: ct*x}
implementations: {numpy: {value: "own:f", vjp: "own:g"}}
"""
X = np.array(3 * [[1.5, 2.5, 0.0, 4.5]])


def built(spec: Spec) -> Case:
    case = build(spec, Plan((("n", 2), ("m", 3)), 7, 1.0), 256)
    assert case is not None
    return case


@pytest.mark.parametrize("kind", LAYOUTS)
def test_the_numbers_are_the_same_and_lie_as_it_says(kind: str) -> None:
    names = ("x", "y") if kind == "same" else ("x",)
    plain = as_numpy(placed([X, X.copy()], ["x", "y"], None), "float32")
    x, y = as_numpy(placed([X, X.copy()], ["x", "y"], Layout(kind, names)), "float32")
    assert np.array_equal(x, plain[0]) and np.array_equal(y, plain[1])
    assert x.dtype == np.float32 and all(p.flags.c_contiguous and p is not plain[1] for p in plain[:1])
    signs = {
        "gaps": x.strides[1] == 2 * x.itemsize,
        "turned": x.strides[0] < 0,
        "transposed": x.flags.f_contiguous and not x.flags.c_contiguous,
        "offset": x.flags.c_contiguous and x.base is not None and x.base.size > x.size,
        "expanded": x.strides[0] == 0,
        "same": x is y,
        "minus zero": bool(np.signbit(x[0, 2])) and not np.signbit(plain[0][0, 2]),
    }
    assert signs[kind] and sum(map(bool, signs.values())) == 1


def test_what_does_not_fit_is_given_plainly() -> None:
    other = X + np.arange(3.0)[:, None]
    for kind, names in (("expanded", ("x",)), ("same", ("x", "y"))):
        x, y = as_numpy(placed([other, X], ["x", "y"], Layout(kind, names)), "float64")
        assert x is not y and np.array_equal(x, other) and x.flags.c_contiguous


def test_every_layout_is_given_where_it_fits(spec_of: SpecOf) -> None:
    case = built(spec_of(PRODUCT))
    given = [layout for layout in case.layouts if layout is not None]
    assert {layout.kind for layout in given} == set(LAYOUTS)
    assert {name for layout in given for name in layout.names} == {"x", "y", "ct"}
    for row, layout in enumerate(case.layouts):
        if layout is not None and layout.kind == "same":
            assert np.array_equal(case.inputs["x"][row], case.inputs["y"][row])
    plain = [o for o, layout in zip(case.origins, case.layouts, strict=True) if layout is None]
    assert {"landmark", "sweep", "drawn"} <= set(plain), "and every origin also plainly"


def test_formulas_alone_have_no_layout(spec_of: SpecOf) -> None:
    assert built(spec_of(PRODUCT.partition("implementations")[0])).layouts == ()


def test_minus_zeros_only_where_the_function_is_blind_to_them(spec_of: SpecOf) -> None:
    text = (
        "inputs: {{x: {{shape: [n, m]}}, y: {{shape: [n, m]}}}}\nvalue: {value}\n"
        "implementations: {{numpy: {{value: 'own:f', vjp: 'own:g'}}}}"
    )
    kinds = dict[str, set[str]]()
    for value in ("x*y", "atan2(x, -1 - y**2)"):
        case = built(spec_of(text.format(value=value) + "\nvjp: {x: ct*y, y: ct*x}"))
        kinds[value] = {str(layout) for layout in case.layouts if layout and layout.kind == "minus zero"}
    assert kinds == {
        "x*y": {"x given with minus zeros", "y given with minus zeros"},
        "atan2(x, -1 - y**2)": {"y given with minus zeros"},
    }


def test_a_layout_is_written_and_read() -> None:
    for layout in (Layout("gaps", ("ct",)), Layout("same", ("x", "y"))):
        assert read_layout(layout.written()) == layout
    assert read_layout("") is None and read_layout("upside down: x") is None
    assert str(Layout("transposed", ("x",))) == "x given as a transposed view"
