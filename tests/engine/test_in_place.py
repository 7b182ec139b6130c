"""What may be written to in place, what is refused, and does a backward pass notice what was written over?"""

from __future__ import annotations

import gc

import numpy as np
import pytest

from gradcheck.engine import EAGER, enable_grad, inference, is_grad_enabled, no_grad, sin, tensor
from gradcheck.errors import TapeError

MODIFIED = "one of the variables needed for gradient computation has been modified by an inplace operation"
LEAF = "a leaf Variable that requires grad is being used in an in-place operation"


def test_a_leaf_is_refused_as_pytorch_refuses_it() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(TapeError, match=LEAF):
        x += 1.0
    with pytest.raises(TapeError, match=LEAF):
        x[0] = 5.0
    with pytest.raises(TapeError, match=LEAF):
        x.exp_()
    assert x.data.tolist() == [1.0, 2.0]


def test_a_computed_tensor_is_replaced_as_a_whole_and_never_in_part() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    y = before = x * x
    y += 3.0
    assert before.data.tolist() == [1.0, 4.0] and y.data.tolist() == [4.0, 7.0]
    with pytest.raises(TapeError, match="derivatives flow through"):
        y[0] = 0.0
    y.sum().backward()
    assert x.grad.data.tolist() == [2.0, 4.0]


def test_a_sum_that_starts_as_a_constant_becomes_part_of_the_graph() -> None:
    x, total = tensor([1.0, 2.0], requires_grad=True), tensor(0.0)
    for k in range(3):
        total += (x * k).sum()
    total.backward()
    assert x.grad.data.tolist() == [3.0, 3.0]
    with pytest.raises(TapeError, match="cannot be written into"):
        tensor([0.0, 0.0])[0] = x[0]


def test_gradient_descent_as_people_write_it() -> None:
    x = tensor([1.0, -2.0], requires_grad=True)
    for _ in range(60):
        ((x - 3.0) ** 2).sum().backward()
        with no_grad():
            x -= 0.2 * x.grad
        x.grad.zero_()
    assert np.max(np.abs(x.data - 3.0)) < 1e-9
    assert x.is_leaf and x.requires_grad


def test_numbers_that_were_saved_and_written_over_are_noticed() -> None:
    w, x = tensor([2.0], requires_grad=True), tensor([3.0])
    y = w * x
    x.add_(1.0)
    with pytest.raises(TapeError, match=MODIFIED):
        y.backward()


@pytest.mark.parametrize("write", ["detached", "under no_grad", "a view of it"])
def test_whoever_shares_the_memory_counts(write: str) -> None:
    x = tensor([[1.0, 2.0]], requires_grad=True)
    y = sin(x)
    if write == "detached":
        x.detach().zero_()
    elif write == "a view of it":
        x.detach()[0].fill_(7.0)
    else:
        with no_grad():
            x[0, 1] = 7.0
    with pytest.raises(TapeError, match=MODIFIED):
        y.sum().backward()


def test_a_write_before_the_operation_or_where_nothing_is_saved_does_no_harm() -> None:
    x, c = tensor([1.0, 2.0], requires_grad=True), tensor([5.0, 5.0])
    c.mul_(2.0)
    y = x * c
    z = x + c
    c[0] = 0.0
    z.sum().backward()  # a sum needs no old numbers
    assert x.grad.data.tolist() == [1.0, 1.0]
    with pytest.raises(TapeError, match=MODIFIED):
        y.sum().backward()


def test_notes_of_writes_die_with_their_arrays() -> None:
    before = len(EAGER.writes)
    x = tensor([1.0])
    x += 1.0
    assert len(EAGER.writes) == before + 1
    del x
    gc.collect()
    assert len(EAGER.writes) == before


def test_shapes_and_kinds_of_numbers_must_fit() -> None:
    x = tensor([1, 2])
    with pytest.raises(TapeError, match="can't be cast"):
        x += 0.5
    y = tensor([1.0, 2.0])
    with pytest.raises(TapeError, match="doesn't match the broadcast shape"):
        y += tensor([[1.0, 2.0], [3.0, 4.0]])
    y[tensor([True, False])] = 9.0
    y[np.array([1])] = tensor([4.0])
    assert y.data.tolist() == [9.0, 4.0]
    s = y.sum()
    s += 1.0
    assert s.item() == 14.0


def test_modes_nest() -> None:
    x = tensor([1.0], requires_grad=True)
    with no_grad():
        assert not (x * 2).requires_grad
        with enable_grad():
            assert is_grad_enabled() and (x * 2).requires_grad
        with inference():
            y = x * 2
            with enable_grad():
                assert not (x * 2).requires_grad
        assert not is_grad_enabled()
    assert is_grad_enabled() and (x * 2).requires_grad
    with pytest.raises(TapeError, match="inference tensor"):
        y.requires_grad_()

    @no_grad()
    def plain(v):
        return v * v

    assert not plain(x).requires_grad and is_grad_enabled()


def test_a_mode_ends_with_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), inference():
        raise ZeroDivisionError
    assert is_grad_enabled() and not EAGER.inference


def test_hooks_see_and_change_gradients() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    seen: list[list[float]] = []
    y.register_hook(lambda g: seen.append(g.data.tolist()))
    handle = y.register_hook(lambda g: g * 10.0)
    y.retain_grad()
    (3.0 * y).sum().backward(retain_graph=True)
    assert seen == [[3.0, 3.0]]
    assert y.grad.data.tolist() == [30.0, 30.0]
    assert x.grad.data.tolist() == [60.0, 120.0]
    handle.remove()
    handle.remove()
    x.zero_grad()
    (3.0 * y).sum().backward()
    assert x.grad.data.tolist() == [6.0, 12.0]
    with pytest.raises(TapeError, match="doesn't require gradient"):
        tensor([1.0]).register_hook(lambda g: g)


def test_a_hook_of_a_leaf_and_of_a_graph_that_is_recorded() -> None:
    x = tensor([2.0], requires_grad=True)
    x.register_hook(lambda g: 2.0 * g)
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    assert first.data.tolist() == [24.0]
    x.zero_grad()
    first.sum().backward()
    assert x.grad.data.tolist() == [48.0]  # the derivative of 2 * 3 x², doubled again on its way out


def test_a_hook_must_keep_the_shape() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    x.register_hook(lambda g: g.sum())
    with pytest.raises(TapeError, match="a hook gave a gradient of shape"):
        (x * x).sum().backward()


def test_complex_gradients_in_hooks_are_what_people_see() -> None:
    z = tensor([1.0 + 2.0j], requires_grad=True)
    seen = []
    z.register_hook(lambda g: seen.append(g.data.tolist()))
    (z * z.conj()).real().sum().backward()
    assert z.grad.data.tolist() == [2.0 + 4.0j]  # PyTorch's gradient of |z|² is 2 z
    assert seen == [[2.0 + 4.0j]]
