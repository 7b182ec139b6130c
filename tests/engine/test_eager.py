"""Do eager tensors behave as the notebooks and PyTorch's meanings want?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcheck import engine
from gradcheck.engine import no_grad, tensor
from gradcheck.errors import TapeError


def leaf(*numbers: float) -> Any:
    return tensor(list(numbers) if len(numbers) > 1 else numbers[0], requires_grad=True, dtype=float)


def numbers(value: Any) -> Any:
    return value.detach().numpy().tolist()


def test_scalar_polynomial_000a() -> None:
    x, y = leaf(2), leaf(3)
    f = 3 * x**3 - y**2
    f.backward()
    assert (f.item(), x.grad.item(), y.grad.item()) == (15, 36, -6)


def test_the_same_on_vectors_000b() -> None:
    x, y = leaf(2, 3), leaf(6, 4)
    f = 3 * x**3 - y**2
    f.backward(gradient=[1, 1])
    assert (numbers(f), numbers(x.grad), numbers(y.grad)) == ([-12, 65], [36, 81], [-12, -8])


def test_a_vector_needs_a_gradient_000c() -> None:
    x = leaf(1, 2)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        (x * x).backward()
    assert x.grad is None


def test_reading_grad_of_a_non_leaf_warns_000d() -> None:
    x = leaf(1, 2)
    f = x * x
    with pytest.warns(UserWarning, match="not a leaf"):
        assert f.grad is None
    assert x.is_leaf
    assert not f.is_leaf


def test_trigonometry_and_a_frozen_input_000e_000f() -> None:
    x, y = leaf(2), leaf(3)
    (3 * x.cos() - y.sin() ** 2).backward()
    assert round(x.grad.item(), 4) == -2.7279
    assert round(y.grad.item(), 4) == 0.2794
    x, y = leaf(2), tensor(3.0)
    (3 * engine.cos(x) - engine.sin(y) ** 2).backward()
    assert round(x.grad.item(), 4) == -2.7279
    assert y.grad is None


def test_norm_001a() -> None:
    x = leaf(*range(10))
    value = x.norm()
    value.backward()
    assert round(value.item(), 4) == 16.8819
    printed = [0, 0.0592, 0.1185, 0.1777, 0.2369, 0.2962, 0.3554, 0.4146, 0.4739, 0.5331]
    assert np.round(x.grad.numpy(), 4).tolist() == printed


def test_squares_and_two_inputs_001c_001d() -> None:
    x = leaf(*range(10))
    (x**2).backward(gradient=np.ones(10))
    assert numbers(x.grad) == [2.0 * i for i in range(10)]
    a, b = leaf(0, 1, 2, 3), leaf(0, 4, 8, 12)
    (3 * a**3 - b**2).backward(gradient=[1, 1, 1, 1])
    assert numbers(a.grad) == [0, 9, 36, 81]
    assert numbers(b.grad) == [0, -8, -16, -24]


def test_mean_and_names_of_nodes_002a_002b_002c() -> None:
    x = leaf(1.1131, -0.1259, 1.2902)
    y = x + 2
    z = 2 * y**2
    out = z.mean()
    assert [t.grad_fn.name for t in (y, z, out)] == ["add", "mul", "mean"]
    out.backward()
    assert np.round(numbers(x.grad), 4).tolist() == [4.1508, 2.4988, 4.3869]
    x.zero_grad()
    v = np.array([0.1, 1.0, 0.001])
    (2 * (x + 2) ** 2).backward(gradient=v)
    assert np.allclose(numbers(x.grad), 4 * (np.array(numbers(x)) + 2) * v, rtol=1e-15)


def test_three_ways_not_to_track_002d() -> None:
    x = leaf(1, 2)
    assert not (x.detach() * 2).requires_grad
    with no_grad():
        assert not (x * 2).requires_grad
        with no_grad():
            pass
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    x.requires_grad_(False)
    assert not (x * 2).requires_grad
    with pytest.raises(RuntimeError, match="does not require grad"):
        (x * 2).sum().backward()


def test_requires_grad_of_a_computed_tensor_cannot_be_switched_off() -> None:
    y = leaf(1, 2) * 2
    with pytest.raises(TapeError, match="you can only change requires_grad flags of leaf variables"):
        y.requires_grad_(False)
    with pytest.raises(TapeError, match="leaf variables"):
        y.requires_grad = False


def test_gradients_accumulate_and_are_zeroed_002e_002f_002g() -> None:
    w = leaf(1, 1, 1, 1)
    for turn in range(1, 11):
        (10 * w).sum().backward()
        assert numbers(w.grad) == [10.0 * turn] * 4
    for _ in range(3):
        w.zero_grad()
        (10 * w).sum().backward()
        assert numbers(w.grad) == [10] * 4
    with no_grad():
        stepped = w - 0.01 * w.grad
    assert np.allclose(numbers(stepped), 0.9, rtol=1e-15)
    assert not stepped.requires_grad


def test_dot_accumulation_and_zeroing_003a_003b_003c() -> None:
    x = leaf(0, 1, 2, 3)
    assert x.grad is None
    y = 2 * x.dot(x)
    y.backward()
    assert y.item() == 28
    assert numbers(x.grad) == [0, 4, 8, 12]
    x.sum().backward()
    assert numbers(x.grad) == [1, 5, 9, 13]
    x.zero_grad()
    x.sum().backward()
    assert numbers(x.grad) == [1, 1, 1, 1]


def test_detach_in_the_middle_003d_003e_003f_003g() -> None:
    x = leaf(0, 1, 2, 3)
    (x * x).backward(gradient=np.ones(4))
    assert numbers(x.grad) == [0, 2, 4, 6]
    x.zero_grad()
    y = x * x
    u = y.detach()
    z = u * x
    z.sum().backward()
    assert numbers(z) == [0, 1, 8, 27]
    assert numbers(x.grad) == numbers(u) == [0, 1, 4, 9]
    x.zero_grad()
    y.sum().backward()
    assert numbers(x.grad) == [0, 2, 4, 6]
    x.zero_grad()
    (x * x * x).sum().backward()
    assert numbers(x.grad) == [0, 3, 12, 27]


def test_weighted_cotangents_004b() -> None:
    for v, want in (([1, 1], [6, 12]), ([1, 10], [6, 120])):
        x = leaf(1, 2)
        (3 * x**2).backward(gradient=v)
        assert numbers(x.grad) == want


@pytest.mark.parametrize("start", [(1.2009,), (-0.3,), (0.5, -2.0, 3.0), (-0.5, -2.0)])
def test_python_control_flow_004c(start: tuple[float, ...]) -> None:
    a = leaf(*start)
    b = a * 2
    while b.norm() < 1000:
        b = b * 2
    f = b if b.sum() > 0 else 100 * b
    f.sum().backward()
    assert np.array_equal(a.grad.numpy(), (f.detach() / a.detach()).numpy())
    if start == (1.2009,):
        assert a.grad.item() == 1024


def test_sine_curve_and_a_composition_004d_004e() -> None:
    x = tensor(np.linspace(-2 * np.pi, 2 * np.pi, 101), requires_grad=True)
    engine.sin(x).sum().backward()
    assert np.allclose(x.grad.numpy(), np.cos(x.detach().numpy()), rtol=1e-15)
    x = leaf(-2.0, 0.5, 3.0)
    (engine.log(x**2) * engine.sin(x) + 1 / x).sum().backward()
    p = x.detach().numpy()
    want = 2 / p * np.sin(p) + np.log(p**2) * np.cos(p) - 1 / p**2
    assert np.allclose(x.grad.numpy(), want, rtol=1e-14)


def test_a_second_pass_needs_a_retained_graph() -> None:
    x = leaf(1, 2)
    y = (10 * x).sum()
    y.backward()
    with pytest.raises(TapeError, match="Trying to backward through the graph a second time"):
        y.backward()
    z = (x * x).sum()
    z.backward(retain_graph=True)
    z.backward()
    assert numbers(x.grad) == [10 + 4, 10 + 8]
    with pytest.raises(RuntimeError, match="second time"):
        z.backward()


def test_a_graph_that_saved_nothing_may_be_walked_again_as_in_pytorch() -> None:
    x = leaf(1, 2)
    y = (x + 2).sum()
    y.backward()
    y.backward()
    assert numbers(x.grad) == [2, 2]


def test_a_cotangent_must_have_the_shape_of_the_result() -> None:
    y = leaf(1, 2, 3) * 2
    with pytest.raises(TapeError, match=r"Mismatch in shape: grad_output\[0\] has a shape of \(2,\) and .* \(3,\)"):
        y.backward(gradient=[1, 1])


def test_create_graph_gives_derivatives_of_derivatives() -> None:
    x = leaf(2.0)
    (x**4).backward(create_graph=True)
    wanted = [4 * 8, 12 * 4, 24 * 2, 24]
    for order in range(3):
        derivative = x.grad
        assert derivative.item() == wanted[order]
        x.zero_grad()
        derivative.backward(create_graph=True)
    assert x.grad.item() == wanted[3]


def test_leaves_that_do_not_influence_the_result_get_zeros() -> None:
    x = leaf(1.5, 2.5)
    x.floor().sum().backward()
    assert numbers(x.grad) == [0, 0]
    assert not (x > 2).requires_grad


def test_only_floating_point_leaves_require_gradients() -> None:
    with pytest.raises(TapeError, match="only tensors of floating point or complex dtype can require gradients"):
        tensor([1, 2], requires_grad=True)
    assert tensor([1.0], requires_grad=True, dtype=np.float32).exp().dtype == np.float32


def test_operators_methods_and_python_protocols() -> None:
    x = leaf(1, 2, 3)
    assert len(x) == 3
    assert [t.item() for t in x] == [1, 2, 3]
    assert numbers(x[1:]) == [2, 3]
    assert numbers(x[tensor([2, 0])]) == [3, 1]
    assert float(x[0]) == 1.0
    assert int(x[2]) == 3
    assert bool(x[0] == 1.0)
    assert numbers(x <= 2) == [True, True, False]
    assert numbers(np.array([1.0, 1.0, 1.0]) * x) == [1, 2, 3]
    assert numbers(2**x % 3) == [2, 1, 2]
    assert numbers(-x // 2) == [-1, -1, -2]
    assert numbers(abs(-x) @ x) == 14
    assert numbers(6 / x - 1) == [5, 2, 1]
    square = tensor([[1.0, 2.0], [3.0, 4.0]])
    assert numbers(square.T) == [[1, 3], [2, 4]]
    assert numbers(square.mean(axis=0)) == [2, 3]
    assert numbers(square.sum(1)) == [3, 7]
    assert square.numel() == 4
    assert repr(leaf(1, 2) * 2) == "tensor([2., 4.], grad_fn=<mul>)"
    with pytest.raises(ValueError, match="ambiguous"):
        bool(x)
    with pytest.raises(ValueError, match="3 elements"):
        x.item()
    with pytest.raises(AttributeError):
        x.no_such_method()
    with pytest.raises(RuntimeError, match="detach"):
        x.numpy()
    with pytest.raises(TypeError, match="dim"):
        x.sum(dim=0)
    with pytest.raises(ValueError, match="axis 1 is out of bounds"):
        x.sum(axis=1)


def test_changing_the_cotangent_afterwards_changes_no_gradient() -> None:
    x, v = leaf(1, 2), np.ones(2)
    (x + 0.0).backward(gradient=v)
    v[:] = 7
    assert numbers(x.grad) == [1, 1]
