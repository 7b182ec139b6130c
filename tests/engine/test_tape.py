"""Does the tape stay linear in time and memory, and does it let go?"""

from __future__ import annotations

import gc
import time
import weakref

import numpy as np
import pytest

from gradcheck import engine
from gradcheck.engine import tensor
from gradcheck.engine.pull import unbroadcast
from gradcheck.expr.vocabulary import NUMPY


def chain(length: int) -> tuple[float, float]:
    """The gradient of a chain of additions and products, and the seconds it took."""
    x = tensor(1.0, requires_grad=True)
    start = time.perf_counter()
    y = x
    for _ in range(length // 2):
        y = (y + 1e-6) * 1.00001
    y.backward()
    gradient = x.grad.item()
    del y
    return gradient, time.perf_counter() - start


def test_a_chain_of_a_hundred_thousand_operations() -> None:
    gradient, long = chain(100_000)
    assert gradient == pytest.approx(1.00001**50_000, rel=1e-9)
    _, short = min(chain(10_000) for _ in range(3))
    assert long < 60 * short  # a quadratic pass would take 100 times as long


def test_a_retained_chain_is_dropped_without_recursion() -> None:
    y = x = tensor(1.0, requires_grad=True)
    for _ in range(50_000):
        y = engine.sin(y)
    y.backward(retain_graph=True)
    del y
    assert x.grad is not None


def test_a_diamond_is_walked_once() -> None:
    y = x = tensor(1.0, requires_grad=True)
    for _ in range(60):
        y = y + y  # 2**60 paths
    y.backward()
    assert x.grad.item() == 2.0**60


class Watched(np.ndarray):
    """An array that can be weakly referred to."""


def test_values_are_let_go_after_backward() -> None:
    gc.disable()
    try:
        x = tensor([1.0, 2.0], requires_grad=True)
        inner = x * 3.0
        inner.data = inner.data.view(Watched)
        alive = weakref.ref(inner.data)
        out = (inner * inner).sum()
        del inner
        assert alive() is not None
        out.backward()
        assert alive() is None  # at once, with no cycle for the collector to find
    finally:
        gc.enable()


SHAPES = [((2, 3), (3,)), ((2, 3), (2, 1)), ((4, 2, 3), (1, 3)), ((2, 3), ()), ((2, 1), (1,)), ((3,), (3,))]


@pytest.mark.parametrize(("wide", "shape"), SHAPES)
def test_unbroadcast_undoes_broadcasting(wide: tuple[int, ...], shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    ct, x = rng.normal(size=wide), rng.normal(size=shape)
    back = unbroadcast(NUMPY, ct, shape)
    assert back.shape == shape
    assert np.sum(ct * np.broadcast_to(x, wide)) == pytest.approx(np.sum(back * x))
