"""Is a rule whose last digits change from call to call told apart from one that is wrong?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck import Real, check
from gradcheck.judge.cells import Kind
from gradcheck.report.checked import Result

POINTS = 24
FLOAT32 = 2.0**-24


def restless(by: float, wrong: float = 0.0) -> Callable[..., Any]:
    """The gradient of the sum of sines times weights, each number off by up to `by` of the largest, at random."""
    rng = np.random.default_rng(5)

    def rule(inputs: Any, ct: Any) -> Any:
        slope = ct * np.cos(inputs[0]) * (1 + wrong)
        return (slope + by * np.abs(slope).max(initial=0.0) * rng.uniform(-1, 1, slope.shape),)

    return rule


def judged(rule: Callable[..., Any], **options: Any) -> Result:
    return check(np.sin, {"x": Real("n")}, vjp=lambda i, ct: rule(i, ct), points=POINTS, **options)


@pytest.mark.parametrize("units", [1, 16])
def test_rounding_of_float32_is_told_and_not_failed(units: int) -> None:
    result = judged(restless(units * FLOAT32))
    assert result.passed, str(result)
    assert result.verdict == "AGREES"
    (told,) = result.remarks
    assert (told.cell, told.kind) == ("repeat", Kind.RESTLESS)
    assert "the gradient differs from call to call by up to" in str(result)
    assert result.power is not None
    assert result.power["median"] > units * FLOAT32 / 2  # what the unrest hides is not said to be seen
    assert not judged(restless(units * FLOAT32), strict=True).passed


@pytest.mark.parametrize("by", [1e-4, 1e-2])
def test_more_than_that_fails(by: float) -> None:
    result = judged(restless(by))
    assert not result.passed
    told = result.checked.standing.decisive
    assert told is not None
    assert (told.cell, told.kind) == ("repeat", Kind.WRONG)


def test_it_fails_too_where_another_point_is_at_rest() -> None:
    """A gradient of zeros has no unrest; asked there alone, the rule would seem to repeat itself."""
    rng = np.random.default_rng(5)

    def rule(inputs: Any, ct: Any) -> Any:
        slope = -2 * ct * inputs[0] * np.exp(-(inputs[0] ** 2))
        return (slope * (1 + 1e-4 * rng.uniform(-1, 1, slope.shape)),)

    result = check(lambda x: np.exp(-(x**2)), {"x": Real("n")}, vjp=rule, points=POINTS)
    assert not result.passed
    assert "in another call" in str(result).splitlines()[0]
    skipped = check(lambda x: np.exp(-(x**2)), {"x": Real(2)}, vjp=rule, points=8, skip=["repeat"])
    assert not skipped.passed or skipped.remarks  # never clean


@pytest.mark.parametrize("wrong", [1e-4, 0.5])
def test_a_wrong_rule_finds_no_excuse_in_its_unrest(wrong: float) -> None:
    result = judged(restless(FLOAT32, wrong))
    assert not result.passed, str(result)
    told = result.checked.standing.decisive
    assert told is not None
    assert told.cell == "reverse"


def test_a_function_whose_own_values_change_is_told_too() -> None:
    rng = np.random.default_rng(7)

    def sine(x: Any) -> Any:
        return np.sin(x) * (1 + FLOAT32 * rng.uniform(-1, 1, np.shape(x)))

    right = check(sine, {"x": Real(2)}, vjp=lambda i, ct: (ct * np.cos(i[0]),), points=POINTS)
    assert right.passed, str(right)
    assert any((f.cell, f.kind) == ("value", Kind.RESTLESS) for f in right.findings)
    assert not check(sine, {"x": Real(2)}, vjp=lambda i, ct: (ct * 1.1 * np.cos(i[0]),), points=POINTS).passed


def test_what_repeats_is_not_called_restless() -> None:
    assert judged(lambda i, ct: (ct * np.cos(i[0]),)).remarks == ()


def test_a_function_of_torch_that_adds_in_any_order() -> None:
    """Like an atomic sum: float32 noise in backward passes, noise of a thousandth does not."""
    torch = pytest.importorskip("torch")

    def noisy(by: float) -> Any:
        class Noisy(torch.autograd.Function):  # type: ignore[misc, name-defined]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x)
                return x.sin()

            @staticmethod
            def backward(ctx: Any, ct: Any) -> Any:
                slope = ct * ctx.saved_tensors[0].cos()
                return slope * (1 + by * (2 * torch.rand_like(slope) - 1))

        return Noisy.apply

    torch.manual_seed(3)
    small = check(noisy(FLOAT32), {"x": Real(3)}, points=POINTS)
    assert small.passed, str(small)
    assert [f.kind for f in small.remarks] == [Kind.RESTLESS]
    assert not check(noisy(1e-3), {"x": Real(3)}, points=POINTS).passed
