"""Does the tape stay linear in time and memory, and does it let go?"""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable
from types import FrameType

import numpy as np
import pytest

from gradcheck import engine
from gradcheck.engine import tensor
from gradcheck.engine.pull import unbroadcast
from gradcheck.expr.vocabulary import NUMPY, VOCABULARY


def chain(length: int) -> float:
    """The gradient of a chain of additions and products."""
    y = x = tensor(1.0, requires_grad=True)
    for _ in range(length // 2):
        y = (y + 1e-6) * 1.00001
    y.backward()
    gradient: float = x.grad.item()
    return gradient


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, of Python's and of C's."""
    seen = 0

    def count(frame: FrameType, event: str, arg: object) -> None:
        nonlocal seen
        seen += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return seen


def test_a_chain_of_a_hundred_thousand_operations() -> None:
    assert chain(100_000) == pytest.approx(1.00001**50_000, rel=1e-9)


def test_work_grows_with_the_length_and_no_faster() -> None:
    short, long = (calls(lambda n=n: chain(n)) for n in (1_000, 10_000))  # type: ignore[misc]
    assert 9 * short < long < 11 * short


def test_the_count_of_calls_sees_quadratic_work() -> None:
    def quadratic(n: int) -> None:
        for k in range(n):
            for _ in range(k):
                abs(k)

    assert calls(lambda: quadratic(100)) > 50 * calls(lambda: quadratic(10))


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


WAYS_INTO_COMPLEX = {
    "a number": lambda xp, x: xp.imag(xp.multiply(x, 1j)),
    "a number first": lambda xp, x: xp.imag(xp.multiply(1j, x)),
    "an array": lambda xp, x: xp.imag(xp.multiply(x, np.array([1j, 1j]))),
    "a NumPy number": lambda xp, x: xp.imag(xp.multiply(x, np.complex128(1j))),
    "a transform": lambda xp, x: xp.real(xp.ifft(xp.fft(x))),
    "a choice": lambda xp, x: xp.imag(xp.where(np.array([True, True]), xp.multiply(x, 1j), 0.0)),
    "a row beside it": lambda xp, x: xp.imag(xp.getitem(xp.stack([xp.zeros_like(x), xp.multiply(1j, x)]), index=1)),
}


@pytest.mark.parametrize("way", WAYS_INTO_COMPLEX)
def test_a_tape_of_real_numbers_notices_complex_ones(way: str) -> None:
    xp = engine.Reverse(NUMPY)  # a new one: nothing complex has been seen in it yet
    x = xp.leaf(np.array([1.0, 2.0]))
    xp.sum(WAYS_INTO_COMPLEX[way](xp, x)).backward()
    assert x.grad.dtype == float
    assert x.grad.numpy().tolist() == pytest.approx([1.0, 1.0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # half of these points are outside some domain
def test_no_function_without_parameters_makes_real_numbers_complex() -> None:
    """`Reverse.complex` is only looked after where complex numbers can come in."""
    rows = [row for row in VOCABULARY.values() if row.arity in (1, 2) and not row.params and row.differentiable]
    assert len(rows) > 60
    with np.errstate(all="ignore"):
        made = {
            row.name: row.numpy(*(np.array([[-0.5, 0.3], [0.3, 2.0]]),) * row.arity) for row in rows if not row.compose
        }
    assert {name for name, y in made.items() if np.iscomplexobj(y)} == set()
