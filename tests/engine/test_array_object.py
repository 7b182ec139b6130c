"""Is an eager tensor an array of the standard: operators, indices, devices, exchange with other libraries?"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradcheck.engine import array_api as xp
from gradcheck.engine import tensor
from gradcheck.errors import TapeError

BITS = {
    operator.and_: [0b1000, 0b0100],
    operator.or_: [0b1110, 0b0111],
    operator.xor: [0b0110, 0b0011],
}


def values(x: Any) -> Any:
    return x.numpy().tolist()


@pytest.mark.parametrize("op", BITS, ids=lambda op: op.__name__)
def test_operators_on_bits(op: Callable[..., Any]) -> None:
    x, y = tensor([0b1100, 0b0110]), tensor([0b1010, 0b0101])
    assert values(op(x, y)) == BITS[op]
    assert values(op(x, 3)) == values(op(3, x)) == [op(12, 3), op(6, 3)]
    truth, lie = xp.asarray(True), xp.asarray(False)
    assert values(op(truth, lie)) is op(True, False) and op(truth, lie).dtype == xp.bool


def test_shifts_and_inversion() -> None:
    x = xp.asarray([1, 6], dtype=xp.uint8)
    assert values(x << 2) == [4, 24] and values(x >> 1) == [0, 3]
    assert values(1 << x) == [2, 64] and values(64 >> x) == [32, 1]
    assert values(~x) == [254, 249] and values(~xp.asarray([True, False])) == [False, True]
    assert (x << 2).dtype == xp.uint8


def test_bits_of_floats_are_refused() -> None:
    with pytest.raises(TypeError):
        _ = tensor([1.0]) & 1


def test_in_place_operators() -> None:
    x = before = xp.asarray([6, 7])
    x += 1
    assert values(before) == [7, 8]
    x <<= 2
    x &= 28
    assert values(x) == [28, 0] and values(before) == [7, 8]


def test_properties() -> None:
    x = xp.zeros((2, 3, 4), dtype=xp.float32)
    assert (x.size, x.ndim, x.shape, x.device) == (24, 3, (2, 3, 4), "cpu")
    assert x.mT.shape == (2, 4, 3) and xp.zeros((2, 3)).T.shape == (3, 2)
    assert xp.zeros(()).size == 1 and xp.zeros((0, 2)).size == 0
    with pytest.raises(ValueError, match="mT needs two dimensions"):
        _ = xp.zeros(3).mT


def test_a_transpose_is_differentiable() -> None:
    x = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    (x.mT @ tensor([1.0, 10.0])).backward(gradient=[1.0, 100.0])
    assert values(x.grad) == [[1.0, 100.0], [10.0, 1000.0]]


def test_devices() -> None:
    x = tensor([1.0], requires_grad=True)
    assert x.to_device("cpu") is x
    for ask in (lambda: x.to_device("cuda"), lambda: x.to_device("cpu", stream=1)):
        with pytest.raises(ValueError, match="the only one is 'cpu'"):
            ask()


def test_numbers() -> None:
    assert complex(tensor(1 + 2j)) == 1 + 2j and float(tensor(0.5)) == 0.5 and bool(tensor(0)) is False
    assert [10, 20, 30][xp.asarray(1, dtype=xp.uint8)] == 20
    for wrong in (tensor(1.0), tensor(True)):
        with pytest.raises(TypeError, match="only an integer tensor"):
            operator.index(wrong)


def test_indices() -> None:
    x = xp.reshape(xp.arange(12), (3, 4))
    assert values(x[1, -1]) == 7 and values(x[..., 0]) == [0, 4, 8] and x[:, None].shape == (3, 1, 4)
    assert values(x[::-2, 1:3]) == [[9, 10], [1, 2]]
    assert values(x[x > 8]) == [9, 10, 11] and values(x[xp.asarray([2, 0]), xp.asarray([1, 1])]) == [9, 1]
    assert values(x[xp.asarray([0, 2])]) == [[0, 1, 2, 3], [8, 9, 10, 11]]
    assert x[xp.asarray(False)].shape == (0, 3, 4)
    with pytest.raises(IndexError):
        _ = x[3]


def test_indices_are_differentiable_and_repeated_ones_add_up() -> None:
    x = tensor([1.0, 2.0, 3.0], requires_grad=True)
    (x[xp.asarray([2, 0, 2])] * tensor([1.0, 10.0, 100.0])).backward(gradient=[1.0, 1.0, 1.0])
    x[x > 1.5].sum().backward()
    assert values(x.grad) == [10.0, 1.0, 102.0]


def test_exchange_with_numpy() -> None:
    x = xp.asarray([[1.5, 2.5]], dtype=xp.float32)
    there = np.from_dlpack(x)
    assert there.dtype == np.float32 and there.tolist() == [[1.5, 2.5]] and x.__dlpack_device__() == (1, 0)
    back = xp.from_dlpack(np.asarray([1, 2], dtype=np.int16))
    assert back.dtype == xp.int16 and values(back) == [1, 2]
    array = np.ones(2)
    shared, copied = xp.from_dlpack(array), xp.from_dlpack(array, copy=True)
    array[0] = 5.0
    assert values(shared) == [5.0, 1.0] and values(copied) == [1.0, 1.0]


def test_exchange_with_pytorch() -> None:
    torch = pytest.importorskip("torch")
    assert torch.from_dlpack(xp.asarray([1, 2])).tolist() == [1, 2]
    assert values(xp.from_dlpack(torch.tensor([0.5]))) == [0.5]


def test_exchange_does_not_leave_the_graph_in_silence() -> None:
    x = tensor([1.0], requires_grad=True)
    with pytest.raises(TapeError, match=r"detach\(\)"):
        np.from_dlpack(x * 2)
    assert np.from_dlpack(x.detach()).tolist() == [1.0]
