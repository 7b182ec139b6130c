"""Do the bounds at a dtype hold what is lost there, and do frameworks and people's code compute in it?

What a formula loses in float32 and float16 is seen by evaluating it in NumPy arrays of that dtype, operation by
operation; of bfloat16 NumPy has none, and every result is rounded to it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcheck.cases import narrowed, neighbours
from gradcheck.expr import Control, parse_formula
from gradcheck.oracles import Evidence, Hearing, Inquiry, Silence
from gradcheck.oracles.hearing import titled
from gradcheck.oracles.rounding.running import BOUNDED, bounded_at, error_of, exact, value_of
from gradcheck.oracles.tremor import tremors
from gradcheck.spec import Case, Spec
from gradcheck.spec.precision import PRECISIONS

SpecOf = Callable[..., Spec]
CaseAt = Callable[..., Case]
NARROW = ("float32", "float16", "bfloat16")
FORMULAS = (
    "(x + y)*(x - y)", "x*x - y*y", "0.1*x + pi", "sqrt(x + 1) - sqrt(x)", "x/(x + y) - y/(x*y + 1)",
    "(x*y + x)*(y - 0.3)", "sqrt(x*x + y*y)", "1/(1 + x*x)", "x - (x - y) - y", "abs(x - y)*x",
)  # fmt: skip


class Rounding:
    """A namespace that rounds every result to a dtype: what a computation there does, one operation at a time."""

    def __init__(self, dtype: str) -> None:
        self.rounded = PRECISIONS[dtype].rounded

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(np, {"pow": "power"}.get(name, name))
        return lambda *args: self.rounded(function(*map(self.rounded, args)))


def points(dtype: str) -> dict[str, Any]:
    rng = np.random.default_rng(8)
    return {name: PRECISIONS[dtype].rounded(rng.uniform(0.3, 3, 400)) for name in ("x", "y")}


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("text", FORMULAS)
def test_the_bound_holds_what_the_dtype_loses(text: str, dtype: str) -> None:
    program, at, xp = parse_formula(text, ["x", "y"]), points(dtype), bounded_at(dtype)
    bounded = program(xp, {n: exact(x, xp) for n, x in at.items()}, Control(guard=False))
    lost = program(Rounding(dtype), at, Control(guard=False))
    off = np.abs(lost - value_of(bounded))
    assert np.all(off <= error_of(bounded) * (1 + 4 * xp.unit))  # of first order
    assert off.max() > 0.05 * np.median(error_of(bounded))  # and not far too wide
    in_float64 = program(BOUNDED, {n: exact(x) for n, x in at.items()}, Control(guard=False))
    assert np.mean(off > error_of(in_float64)) > 0.05  # the bound of float64 would not hold


def test_a_constant_that_the_dtype_does_not_hold_is_counted() -> None:
    xp = bounded_at("bfloat16")
    off = error_of(xp.multiply(exact(3.0, xp), 0.1))
    assert off >= 3 * abs(0.1 - PRECISIONS["bfloat16"].rounded(0.1)) + 0.3 * xp.unit
    assert error_of(xp.add(exact(1.0, xp), 0.5)) < error_of(xp.add(exact(1.0, xp), 0.501))


def test_past_the_range_no_bound_is_known() -> None:
    xp = bounded_at("float16")
    x = exact(np.array([10.0, 300.0]), xp)
    assert np.isfinite(error_of(xp.multiply(x, x))).tolist() == [True, False]
    assert np.isfinite(error_of(xp.exp(exact(np.array([5.0, 12.0]), xp)))).tolist() == [True, False]
    assert np.isfinite(error_of(bounded_at("float32").multiply(x, x))).all()
    assert not np.isfinite(error_of(xp.norm(x, axis=(-1,))))


def test_a_comparison_that_rounding_may_turn_bounds_what_is_chosen() -> None:
    xp = bounded_at("float32")
    third = xp.divide(exact(np.array([1.0, 2.0, 1.0]), xp), 3.0)
    beside = np.array([1 / 3, 1 / 3, 1 / 3])
    chosen = xp.where(xp.greater(third, beside), 5.0, 1.0)
    assert (error_of(chosen) >= 4.0).tolist() == [True, False, True]
    assert (error_of(xp.sign(xp.subtract(third, beside))) >= 2.0).tolist() == [True, False, True]
    both = xp.where(xp.logical_and(xp.greater(third, beside), xp.greater(third, 0.0)), 5.0, 1.0)
    assert (error_of(both) >= 4.0).tolist() == [True, False, True]
    assert not np.any(error_of(BOUNDED.where(BOUNDED.greater(exact(beside), beside), 5.0, 1.0)))


def test_a_whole_quotient_may_be_the_next_one() -> None:
    at, by = exact(np.array([-6.40625, 3.28125]), xp := bounded_at("bfloat16")), exact(np.array([2.140625, 1.9375]), xp)
    assert (error_of(xp.floor_divide(at, by)) >= 1.0).tolist() == [True, False]
    assert not np.any(error_of(bounded_at("float32").floor_divide(at, by)) >= 1.0)


def test_an_extreme_equals_itself_whatever_it_is_off_by() -> None:
    xp = bounded_at("float32")
    rows = xp.divide(exact(np.array([[1.0, 5.0, 3.0], [5.0, 1.0, 5.0 + 2.0**-22]]), xp), 3.0)
    top = xp.max(rows, axis=(-1,), keepdims=True)
    hit = xp.where(xp.equal(rows, top), 1.0, 0.0)
    assert (error_of(hit) >= 1.0).tolist() == [[False] * 3, [True, False, True]]


COMPUTED = "inputs: {x: {shape: [n]}}\nvalue: 0.1*x + sum(x)/3\nvjp: {x: 0.1*ct + sum(ct)/3}"


@pytest.mark.parametrize("library", ["torch", "jax"])
@pytest.mark.parametrize("dtype", NARROW)
def test_a_framework_computes_in_the_dtype(library: str, dtype: str, spec_of: SpecOf, case_at: CaseAt) -> None:
    pytest.importorskip(library)
    case = narrowed(case_at(spec_of(COMPUTED), x=np.random.default_rng(2).uniform(0.5, 2, (40, 3))), dtype)
    assert case is not None
    said, truth = (Hearing(Inquiry(case)).one(name) for name in (library, "engine"))
    assert isinstance(said, Evidence)
    assert isinstance(truth, Evidence)
    assert said.witness == f"{library} {dtype}"
    for quantity in ("value", "vjp:x", "jvp"):
        center = said.answers[quantity].center
        assert np.array_equal(PRECISIONS[dtype].rounded(center), center)  # nothing wider
        off = np.abs(center - truth.answers[quantity].center)
        assert off.max() > 2.0**-6 * PRECISIONS[dtype].unit  # and not float64 rounded once at the end, to the last bit
        assert np.all(off <= 4 * said.answers[quantity].bar)


def test_float64_is_asked_as_ever(spec_of: SpecOf, case_at: CaseAt) -> None:
    assert [titled(n, "float64") for n in ("torch", "engine")] == ["torch", "engine"]
    assert [titled(n, "float32") for n in ("torch", "engine", "differences")] == [
        "torch float32",
        "engine",
        "differences",
    ]
    assert titled("implementation:numpy", "float16") == "implementation:numpy float16"


def test_what_a_framework_lacks_in_a_dtype_is_a_stated_silence(spec_of: SpecOf, case_at: CaseAt) -> None:
    pytest.importorskip("torch")
    spec = spec_of("inputs: {a: {shape: [n, n]}}\nvalue: det(a)\ngradient: {a: det(a)*inv(a).T}")
    case = narrowed(case_at(spec, a=np.eye(2)[None] + 0.5), "bfloat16")
    assert case is not None
    said = Hearing(Inquiry(case)).one("torch")
    assert isinstance(said, Silence)
    assert "it has not all of this function in bfloat16" in said.message


MODULE = "gradcheck_tests_narrow_rules"
CODE = """
import numpy as np

def squares(x):
    assert x.dtype == np.float32
    return np.mean(x**2) - np.mean(x)**2

def squares_vjp(x, ct):
    assert x.dtype == ct.dtype == np.float32
    return np.float64(ct) * 2 * (x - np.mean(x)) / x.size

def biased(x):
    return np.var(x) * np.float32(1.001)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / f"{MODULE}.py").write_text(CODE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield MODULE
    sys.modules.pop(MODULE, None)


def variance(spec_of: SpecOf, case_at: CaseAt, rule: str) -> Case:
    spec = spec_of(
        f"inputs: {{x: {{shape: [4]}}}}\nvalue: var(x)\ngradient: {{x: (x - mean(x))/2}}\n"
        f"implementations: {{numpy: {{{rule}}}}}"
    )
    case = narrowed(case_at(spec, x=np.random.default_rng(1).uniform(9990, 10010, (12, 4))), "float32")
    assert case is not None
    return case


def test_an_implementation_is_given_arrays_of_the_dtype(module: str, spec_of: SpecOf, case_at: CaseAt) -> None:
    case = variance(spec_of, case_at, f"value: '{module}:squares', vjp: '{module}:squares_vjp'")
    said = Hearing(Inquiry(case), [module]).all([])["implementation:numpy float32"]
    assert isinstance(said, Evidence), said
    assert said.dtypes == {"vjp:x": "float64"}


def test_numpy_has_no_bfloat16(module: str, spec_of: SpecOf, case_at: CaseAt) -> None:
    spec = spec_of(
        f"inputs: {{x: {{}}}}\nvalue: 2*x\nderivative: {{x: 2}}\nimplementations: {{numpy: '{module}:squares'}}"
    )
    case = narrowed(case_at(spec, x=[1.0]), "bfloat16")
    assert case is not None
    said = Hearing(Inquiry(case), [module]).all([])["implementation:numpy bfloat16"]
    assert isinstance(said, Silence)
    assert said.message == "NumPy has no bfloat16"


@pytest.mark.parametrize(("rule", "trembles"), [("squares", True), ("biased", False)])
def test_rounding_trembles_and_a_wrong_factor_does_not(
    rule: str, trembles: bool, module: str, spec_of: SpecOf, case_at: CaseAt
) -> None:
    case = variance(spec_of, case_at, f"value: '{module}:{rule}'")
    name = "implementation:numpy float32"
    hearing = Hearing(Inquiry(case), [module])
    said, truth = hearing.all([])[name], hearing.one("engine")
    assert isinstance(said, Evidence)
    assert isinstance(truth, Evidence)
    error = np.abs(said.answers["value"].center - truth.answers["value"].center)
    nearby = tremors(neighbours(case, 6), [name], [module])[name]["value"]
    assert np.mean(nearby > error / 4) == (1.0 if trembles else 0.0)
