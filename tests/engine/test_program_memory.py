"""Does a program of any operations, views among them, spoil no memory that somebody still needs?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck import engine
from gradcheck.engine import reuse
from gradcheck.expr import NUMPY

Array = Any
ONE = "sin cos tanh negative square abs expit positive reciprocal stop_gradient conj real".split()
TWO = "add subtract multiply maximum minimum hypot".split()
SHAPE = (3, 4)
VIEWS: list[Callable[[Any, Array], Array]] = [
    lambda xp, a: xp.reshape(xp.reshape(a, shape=(4, 3)), shape=SHAPE),
    lambda xp, a: xp.permute_dims(xp.reshape(a, shape=(4, 3)), axes=(1, 0)),
    lambda xp, a: xp.flip(a, axis=0),
    lambda xp, a: xp.roll(a, shift=1, axis=1),
    lambda xp, a: xp.broadcast_to(a[1:2], shape=SHAPE),
    lambda xp, a: xp.concat([a[1:], a[:1]], axis=0),
    lambda xp, a: xp.broadcast_to(xp.sum(a, axis=0, keepdims=True), shape=SHAPE),
    lambda xp, a: xp.where(xp.greater(a, 0.0), a, xp.square(a)),
    lambda xp, a: xp.sort(a, axis=-1),
    lambda xp, a: xp.softmax(a, axis=-1),
]
STEPS = st.lists(
    st.tuples(st.sampled_from([*ONE, *TWO, *range(len(VIEWS))]), st.integers(0, 99), st.integers(0, 99)),
    min_size=3,
    max_size=14,
)
LAYOUTS: list[Callable[[Array], Array]] = [
    np.array,
    np.asfortranarray,
    lambda a: np.array(a[::-1, ::-1])[::-1, ::-1],
    lambda a: np.repeat(a, 2, axis=1)[:, ::2],
]


def made(steps: list[tuple[Any, int, int]]) -> Callable[..., Any]:
    """All values on the way, the gradient of their sum, and its derivative along a tangent."""

    def values(xp: Any, x: Array, y: Array) -> list[Array]:
        found = [x, y, xp.multiply(x, 2.0)]
        for what, i, j in steps:
            a, b = found[i % len(found)], found[j % len(found)]
            one = isinstance(what, str) and what in ONE
            found.append(VIEWS[what](xp, a) if isinstance(what, int) else getattr(xp, what)(*((a,) if one else (a, b))))
        return found[2:]

    def total(xp: Any, x: Array, y: Array) -> Array:
        first, *others = (xp.sum(xp.sin(v)) for v in values(xp, x, y))
        return sum(others, first)

    def everything(xp: Any, x: Array, y: Array, t: Array) -> list[Array]:
        along = engine.hvp(total, xp, (x, y), np.ones(()), (t, None))[1]
        return [*values(xp, x, y), *engine.grad(total, xp, (x, y)), *along]

    return everything


def spoilt(steps: list[tuple[Any, int, int]]) -> list[str]:
    """What goes wrong with a program that is written in one layout and run in every other."""
    f, rng, found = made(steps), np.random.default_rng(len(steps)), []
    numbers = [[rng.uniform(0.5, 2, SHAPE) for _ in range(3)] for _ in LAYOUTS]
    for first in LAYOUTS[::2]:
        program = engine.program_of(f, *map(first, numbers[0]))
        for arrays, layout in zip(numbers, LAYOUTS, strict=True):
            args = [layout(a) for a in arrays]
            results = program(*args)
            with np.errstate(all="ignore"):
                wanted = f(NUMPY, *args)
            if not all(
                np.allclose(a, b, rtol=1e-12, atol=1e-12, equal_nan=True) for a, b in zip(results, wanted, strict=True)
            ):
                found.append("other numbers")
            if not all(map(np.array_equal, args, arrays)):
                found.append("what is given was written to")
            everything = [*args, *results]
            if any(np.may_share_memory(a, b) for i, a in enumerate(everything) for b in results[max(0, i - 2) :]):
                found.append("a result shares its memory")
    return found


@pytest.fixture(autouse=True)
def every_array_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "WORTHWHILE", 1)


@settings(deadline=None)  # one example writes two programs
@given(STEPS)
def test_whatever_is_computed_nothing_is_spoilt(steps: list[tuple[Any, int, int]]) -> None:
    assert spoilt(steps) == []


def test_lies_about_memory_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    views = [(view, k, 0) for view in range(len(VIEWS)) for k in (2, 3, 4)]
    assert spoilt(views) == []
    monkeypatch.setattr(reuse, "_makes_new", lambda line: True)
    assert set(spoilt(views)) >= {"a result shares its memory"}
