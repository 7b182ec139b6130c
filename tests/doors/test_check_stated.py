"""Is what an author states beside the code believed where it is right, and nowhere else?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("jax")

import torch

import gradcheck
from gradcheck import Real
from gradcheck.errors import ExpressionError, UsageError
from gradcheck.judge.cells import Kind
from gradcheck.oracles.with_jax.library import jnp

POINTS = 8


def sign_with(inside: Any) -> Any:
    """The sign of a number, with a gradient that is passed straight through where `inside` holds."""

    class Sign(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.sign(x)

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            return ct * inside(ctx.saved_tensors[0].abs())

    return Sign.apply


closed, open_ = sign_with(lambda a: a <= 1), sign_with(lambda a: a < 1)
MEANT = {"x": "where(abs(x) <= 1, ct, 0)"}
INPUTS = {"x": Real("n")}
TWO = {"x": Real(2)}  # one shape, so that JAX compiles once


def check(*args: Any, **options: Any) -> Any:
    """Without compiled calls, which have tests of their own and take a second each."""
    return gradcheck.check(*args, **{"skip": ["compiled"], **options})


def wrong(result: Any) -> list[str]:
    return [f.cell for f in result.findings if f.kind in (Kind.WRONG, Kind.CRASHED)]


@pytest.mark.parametrize("meant", [MEANT, MEANT["x"], lambda inputs, ct: ct * (np.abs(inputs[0]) <= 1)])
def test_what_is_meant_passes_and_is_told(meant: Any) -> None:
    result = check(closed, INPUTS, meant=meant, points=POINTS)
    assert result.passed, str(result)
    assert [(f.cell, f.kind) for f in result.remarks] == [("reverse", Kind.MEANT)]
    assert "the gradient is the one that was meant" in str(result)
    assert "not 0 (the slope of the function's own values)" in str(result)
    assert check(closed, INPUTS, meant=meant, points=POINTS, strict=True).passed  # said beforehand: no fault


def test_what_is_meant_is_judged_at_ties_too() -> None:
    told = check(open_, INPUTS, meant=MEANT, points=POINTS).checked.standing.decisive
    assert told is not None and told.seen is not None
    assert told.cell == "stated"
    assert np.abs(told.seen.inputs["x"][told.seen.index[0]]) == 1
    assert (told.seen.got, told.seen.right) == (0.0, told.seen.cotangent[told.seen.index[0]])


def test_without_the_word_it_is_wrong() -> None:
    assert wrong(check(closed, INPUTS, points=POINTS)) == ["reverse"]
    assert "reverse" in wrong(check(closed, INPUTS, vjp=MEANT, points=POINTS))
    assert wrong(check(closed, INPUTS, meant="-ct", points=POINTS)) == ["stated"]


def test_what_is_the_derivative_after_all_needs_no_remark() -> None:
    result = check(torch.sin, INPUTS, meant="ct*cos(x)", points=POINTS)
    assert result.passed
    assert not any(f.kind is Kind.MEANT for f in result.findings)


def test_a_claim_that_is_wrong_beside_code_that_is_right() -> None:
    assert check(torch.sin, {"x": Real("n")}, vjp="ct*cos(x)", points=POINTS).passed
    told = check(torch.sin, {"x": Real("n")}, vjp="ct*sin(x)", points=POINTS).checked.standing.decisive
    assert told is not None and told.seen is not None
    assert told.cell == "stated"
    seen = told.seen
    x, ct = (np.asarray(v)[seen.index] for v in (seen.inputs["x"], seen.cotangent))
    assert abs(seen.got - ct * np.sin(x)) <= 4e-16 * abs(ct)  # the claim's number, rounded once or twice
    assert abs(seen.right - ct * np.cos(x)) <= seen.bar + 4e-16 * abs(ct)
    assert "by the formula of vjp= the gradient of x" in told.sentence
    assert check(lambda x: jnp.sum(x**2), TWO, "jax", gradient="2*x", points=POINTS).passed
    assert not check(lambda x: jnp.sum(x**2), TWO, "jax", gradient="x", points=POINTS).passed


def test_a_claim_sees_more_digits_than_slopes() -> None:
    """One part in 1e-13: below what differences can show, far above what a formula in balls can."""
    off = 1 + 1e-13

    class Sine(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.sin(x)

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            return off * ct * torch.cos(ctx.saved_tensors[0])

    inputs = {"x": Real(2, low=-1, high=1)}
    assert wrong(check(Sine.apply, inputs, vjp="ct*cos(x)", points=POINTS)) == ["stated"]


def test_another_implementation() -> None:
    def normed(x: Any) -> Any:
        return x / jnp.sqrt(jnp.sum(x * x) + 1)

    def same(x: Any) -> Any:
        return x / torch.sqrt(torch.sum(x * x) + 1)

    def halved(x: Any) -> Any:
        return x / (2 * torch.sqrt(torch.sum(x * x) + 1))

    assert check(normed, TWO, reference=same, points=POINTS).passed
    told = check(normed, TWO, reference=halved, points=POINTS).checked.standing.decisive
    assert told is not None and told.cell == "value"
    pair = (np.sin, lambda inputs, ct: (ct * np.cos(inputs[0]),))
    assert check(torch.sin, [Real(2)], reference=pair, points=POINTS).passed
    assert wrong(check(torch.sin, [Real(2)], reference=(np.sin, lambda i, ct: (ct,)), points=POINTS)) == ["stated"]
    linear = torch.nn.Linear(2, 1)
    assert check(
        linear, [Real(3, 2)], reference=torch.nn.Linear(2, 1), points=POINTS
    ).passed  # the same parameters move


def test_digits_lost_in_the_code_are_no_other_gradient() -> None:
    result = check(lambda x: torch.tanh(x), {"x": Real(2)}, "torch", meant="ct*(1 - tanh(x)**2)", points=64)
    assert result.passed, str(result)


def test_rounding_of_a_cotangent_that_cancels_is_no_fault() -> None:
    """Seed 0 meets two equal numbers, where the function is 0, and two equal cotangents, where the gradient is."""
    result = check(lambda x: x - x.mean(), INPUTS, "torch", meant="ct - mean(ct)", points=32)
    assert result.passed, str(result)


def test_what_is_stated_may_itself_be_no_answer() -> None:
    assert wrong(check(torch.sin, [Real(3)], meant=lambda i, ct: ct[:2], points=POINTS)) == ["stated"]
    assert wrong(check(torch.sin, [Real(3)], meant=lambda i, ct: 1 / 0, points=POINTS)) == ["stated"]
    assert check(torch.sin, [Real(3)], meant=lambda i, ct: (ct * np.nan,), points=POINTS).verdict == "UNWITNESSED"
    for options, message in (
        ({"meant": "ct", "vjp": "ct"}, "vjp and meant are 2 claims"),
        ({"meant": {"y": "ct"}}, "a formula each for x is expected"),
        ({"meant": 3}, "a function of NumPy arrays, or formulas"),
    ):
        with pytest.raises(UsageError, match=message):
            check(torch.sin, INPUTS, **options)
    with pytest.raises(ExpressionError, match="cu"):
        check(torch.sin, INPUTS, meant="cu")


def test_dimensions_several_inputs_and_several_outputs() -> None:
    def both(x: Any, y: Any) -> Any:
        return torch.mean(x) * y, x.sum()

    claim = {"x": "sum(ct_0*y)/n + ct_1", "y": "ct_0*mean(x)"}
    inputs = {"x": Real("n"), "y": Real("m")}
    assert check(both, inputs, "torch", vjp=claim, points=POINTS).passed
    assert wrong(check(both, inputs, "torch", vjp=claim | {"x": "sum(ct_0*y) + ct_1"}, points=POINTS)) == ["stated"]


def test_a_rule_in_numpy_that_is_meant() -> None:
    def straight(inputs: Any, ct: Any) -> Any:
        return (ct,)

    def rounded(x: Any) -> Any:
        return np.round(x)

    assert check(rounded, INPUTS, vjp=straight, meant="ct", points=POINTS).passed
    assert wrong(check(rounded, INPUTS, vjp=straight, points=POINTS)) == ["reverse"]
