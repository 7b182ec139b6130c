"""Are tensors made and converted as the standard says, and keep their derivatives where they can?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck.engine import array_api as xp
from gradcheck.engine import tensor
from gradcheck.errors import TapeError, Unsupported
from gradcheck.expr.vocabulary import VOCABULARY


def values(x: Any) -> Any:
    return x.detach().numpy().tolist()


def test_shapes_dtypes_and_contents() -> None:
    assert values(xp.zeros((2, 1))) == [[0.0], [0.0]] and values(xp.ones(2, dtype=xp.int8)) == [1, 1]
    assert values(xp.eye(2, 3, k=1)) == [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] and xp.eye(2).dtype == xp.float64
    assert values(xp.full(2, True)) == [True, True] and xp.full((), 1).dtype == xp.int64
    assert values(xp.arange(3)) == [0, 1, 2] and values(xp.arange(3, 0, -2)) == [3, 1]
    assert values(xp.linspace(0, 1, 3)) == [0.0, 0.5, 1.0] and values(xp.linspace(0, 1, 2, endpoint=False)) == [0, 0.5]
    assert xp.empty((0, 3), dtype=xp.complex64).shape == (0, 3)
    x = xp.asarray([[1, 2]], dtype=xp.uint16)
    for make in (xp.empty_like, xp.ones_like, xp.zeros_like, lambda x, **more: xp.full_like(x, 3, **more)):
        assert (make(x).shape, make(x).dtype, make(x, dtype=xp.float32).dtype) == ((1, 2), xp.uint16, xp.float32)


def test_default_dtypes_of_numbers() -> None:
    cases = {True: xp.bool, 2: xp.int64, 2.5: xp.float64, 2j: xp.complex128}
    assert all(xp.asarray(number).dtype == xp.asarray([[number]]).dtype == dtype for number, dtype in cases.items())


def test_asarray_of_arrays() -> None:
    array = np.ones(2)
    shared, copied = xp.asarray(array), xp.asarray(array, copy=True)
    array[0] = 5.0
    assert values(shared) == [5.0, 1.0] and values(copied) == [1.0, 1.0]
    x = tensor([1, 2])
    assert xp.asarray(x) is x and xp.asarray(x, copy=True) is not x and xp.asarray(x, dtype=xp.int8).dtype == xp.int8
    assert values(xp.asarray([x, (3, tensor(4))])) == [[1, 2], [3, 4]]
    for wrong in (lambda: xp.asarray(x, dtype=xp.int8, copy=False), lambda: xp.asarray([1], copy=False)):
        with pytest.raises(ValueError, match="copy"):
            wrong()


def test_asarray_keeps_the_graph_or_refuses() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    (xp.asarray(x, copy=True) * 3.0).sum().backward()
    assert values(x.grad) == [3.0, 3.0]
    with pytest.raises(TapeError, match=r"use stack\(\)"):
        xp.asarray([x, x])
    with pytest.raises(Unsupported, match="no derivative of linspace"):
        xp.linspace(0.0, x[0], 3)
    x.grad = None
    (xp.full((2, 3), x[1]).sum() + xp.full(3, x[0], dtype=xp.float32).sum()).backward()
    assert values(x.grad) == [3.0, 6.0]


def test_astype_between_floats_is_differentiable_and_gradients_have_the_leafs_dtype() -> None:
    x = tensor([0.5, 1.5], requires_grad=True, dtype=np.float32)
    y = xp.astype(x, xp.float64)
    (y * y * y).sum().backward(create_graph=True)
    assert y.dtype == xp.float64 and x.grad.dtype == xp.float32 and values(x.grad) == [0.75, 6.75]
    first, x.grad = x.grad, None
    first.sum().backward()
    assert values(x.grad) == [3.0, 9.0] and x.grad.dtype == xp.float32
    z = tensor([1.0], requires_grad=True)
    assert xp.astype(z, xp.float64, copy=False) is z and xp.astype(z, xp.float64) is not z


def test_what_a_sum_is_taken_in() -> None:
    x = tensor([1.5, 2.5], requires_grad=True, dtype=np.float32)
    total = xp.sum(x, dtype=xp.float64)
    total.backward()
    assert total.dtype == xp.float64 and x.grad.dtype == xp.float32 and xp.sum(x).dtype == xp.float32
    assert xp.sum(xp.ones(3, dtype=xp.int8)).dtype == xp.prod(xp.asarray([True])).dtype == xp.int64
    assert xp.cumulative_sum(xp.ones(2, dtype=xp.uint8)).dtype == xp.uint64
    assert values(xp.sum(x.detach(), dtype=xp.int64)) == 3  # converted first


def test_astype_to_integers_is_a_constant() -> None:
    x = tensor([1.7, -1.7], requires_grad=True)
    assert values(xp.astype(x, xp.int64)) == [1, -1]
    assert not xp.astype(x, xp.int64).requires_grad and not xp.astype(x, xp.bool).requires_grad


def test_astype_to_complex_needs_the_real_part_on_the_way_back() -> None:
    x = tensor([2.0], requires_grad=True)
    if "real" not in VOCABULARY:
        with pytest.raises(Unsupported, match="astype from float64 to complex128"):
            xp.astype(x, xp.complex128)
        return
    z = xp.astype(x, xp.complex128)
    xp.real(z * z).sum().backward()
    assert values(x.grad) == [4.0] and x.grad.dtype == xp.float64


def test_complex_vectors_are_multiplied_with_the_first_conjugated() -> None:
    x, y = xp.asarray([1 + 2j, 3j]), xp.asarray([2 - 1j, 1 + 1j])
    assert values(xp.vecdot(x, y)) == 3 - 8j
    assert values(xp.tensordot(x, y, axes=1)) == 1 + 6j  # as it stands
