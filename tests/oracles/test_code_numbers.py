"""Are the numbers found that code holds, wherever it holds them, and no others?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

from gradcheck.oracles.code_numbers import MOST, MOST_DERIVED, NONE, numbers_of

KNEE = 3.75
TABLE = {"low": -7.25, "more": [8.5]}
SMALL = np.array([9.125])


def constant(x: Any) -> Any:
    return x > 1.375


def named(x: Any) -> Any:
    return x > KNEE, TABLE, SMALL


def default(x: Any, knee: float = 2.625) -> Any:
    return inner(x)


def inner(x: Any) -> Any:
    return (lambda y: y < 4.875)(x)


def closing(knee: float) -> Any:
    return lambda x: x < knee


def rooted(x: Any) -> Any:
    return x < np.sqrt(5.3)


def quotient(x: Any) -> Any:
    return x < -np.log(7.7 / np.float64(2.9))


@dataclass
class Rule:
    knee: float

    def __call__(self, x: Any) -> Any:
        return x < self.knee + 6.5


@pytest.mark.parametrize(
    ("thing", "held"),
    [
        (constant, {1.375}),
        (named, {3.75, 7.25, 8.5, 9.125}),
        (default, {2.625, 4.875}),
        (closing(5.0625), {5.0625}),
        (Rule(-11.5), {11.5, 6.5}),
        (Rule(1.0).__call__, {6.5}),
        (partial(constant, 12.5), {1.375, 12.5}),
    ],
)
def test_numbers_are_found_where_they_are_held(thing: Any, held: set[float]) -> None:
    assert held <= set(numbers_of([thing]).written)


def test_numbers_that_the_code_computes() -> None:
    assert math.sqrt(5.3) in numbers_of([rooted]).derived
    assert math.log(7.7 / 2.9) in numbers_of([quotient]).derived
    assert math.sqrt(5.3) not in numbers_of([quotient]).derived


def test_libraries_are_not_looked_into_and_there_is_an_end() -> None:
    assert set(numbers_of([np.mean, math.sin, len]).written) == set() == set(NONE.written)
    many = numbers_of([partial(constant, *(k + 0.5 for k in range(200)))])
    assert len(many.written) <= MOST and len(many.derived) <= MOST_DERIVED
    round_about: list[Any] = []
    round_about.append(round_about)
    assert 1.375 in numbers_of([partial(constant, round_about)]).written


class Unready:
    """As a setting that nobody has configured yet."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{name} is not configured")


class Computing:
    @property
    def forward(self) -> Any:
        raise RuntimeError("nothing was to be run")

    def __call__(self, x: Any) -> Any:
        return x * 5.125


UNREADY, TURN = Unready(), np.complex128(3 + 4j)


@pytest.mark.filterwarnings("error")
def test_nothing_is_run_and_whatever_refuses_to_be_looked_at_holds_nothing() -> None:
    def asking(x: Any) -> Any:
        return x * UNREADY.scale * TURN + 6.125

    assert 6.125 in numbers_of([asking]).written
    assert numbers_of([UNREADY]) == NONE
    assert 5.125 in numbers_of([Computing()]).written


def test_pytorchs_and_jaxs_own_rules() -> None:
    torch = pytest.importorskip("torch")

    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 1.625

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            return ct * KNEE

    assert {1.625, 3.75} <= set(numbers_of([Own.apply]).written)
    jax = pytest.importorskip("jax")
    f = jax.custom_vjp(constant)
    f.defvjp(lambda x: (f(x), x), lambda x, ct: (ct * 2.875,))
    assert {1.375, 2.875} <= set(numbers_of([f]).written)
