"""Where points are looked at along directions first: does each count once, and is a jvp asked at them?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck import Real, check
from gradcheck.judge.cells import Kind
from gradcheck.run.check import callable as course
from gradcheck.run.check.judging import Judging

MANY = 60


def relu(x: Any) -> Any:
    return np.maximum(x, 0.0)


def relu_rule(inputs: Any, ct: Any) -> Any:
    return (ct * (inputs[0] > 0),)


def test_a_point_with_a_kink_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Judging] = []
    real = course.judge_forward
    monkeypatch.setattr(course, "judge_forward", lambda judging: (seen.append(judging), real(judging)))
    assert check(relu, [Real(MANY)], vjp=relu_rule, points=64, isolate=False).passed
    (judging,) = seen
    assert judging.looks and judging.kinked
    assert len(set(judging.right)) == len(judging.right)
    assert len(set(judging.kinked)) == len(judging.kinked)


@pytest.mark.parametrize("size", [3, MANY])
def test_a_jvp_that_is_no_number_is_wrong_in_forward_mode(size: int) -> None:
    def jvp(inputs: Any, tangents: Any) -> Any:
        found = np.cos(inputs[0]) * tangents[0]
        found[1] = np.nan
        return found

    result = check(np.sin, [Real(size)], vjp=lambda i, ct: (ct * np.cos(i[0]),), jvp=jvp, points=32)
    assert next(f for f in result.findings if f.cell == "forward").kind is Kind.WRONG


def test_a_right_rule_of_a_function_that_rounds_to_float32_is_not_accused() -> None:
    """Of the second output not one bit changes over short steps, though its slope is not 0."""

    def mixed(x: Any) -> Any:
        return np.stack([np.sin(x[0]), np.float64(np.float32(1) + np.float32(1e-6) * np.float32(x[0]))])

    rule = lambda i, ct: (np.array([ct[0] * np.cos(i[0][0]) + 1e-6 * ct[1]]),)  # noqa: E731
    result = check(mixed, [Real(1, low=0.5, high=1.5)], vjp=rule, points=64)
    assert not [f for f in result.findings if f.kind is Kind.WRONG], str(result)
