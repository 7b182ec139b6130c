"""Calls of gradcheck as PyTorch's documentation writes them. The tests run this file twice: as it stands, and with its
import line changed to ours. Every function in it is right, and is to pass both times."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import Function, gradcheck, gradgradcheck

DOUBLE = {"dtype": torch.float64, "requires_grad": True}


class Exp(Function):
    @staticmethod
    def forward(ctx: Any, i: Any) -> Any:
        result = i.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (result,) = ctx.saved_tensors
        return grad_output * result


class Linear(Function):
    @staticmethod
    def forward(input: Any, weight: Any, bias: Any) -> Any:
        return input.mm(weight.t()) + bias

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        input, weight, _bias = ctx.saved_tensors
        return grad_output.mm(weight), grad_output.t().mm(input), grad_output.sum(0)


class Cube(Function):
    @staticmethod
    def forward(x: Any) -> Any:
        return x**3, 3 * x**2

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        (x,) = inputs
        _result, slope = output
        ctx.save_for_backward(x, slope)
        ctx.save_for_forward(x, slope)

    @staticmethod
    def backward(ctx: Any, grad_output: Any, grad_slope: Any) -> Any:
        x, slope = ctx.saved_tensors
        return grad_output * slope + grad_slope * 6 * x

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        x, slope = ctx.saved_tensors
        return tangent * slope, tangent * 6 * x


class FewOutputs(Function):
    """Does not have gradients of unused outputs made into zeros."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x)
        return x.sin(), x.cos()

    @staticmethod
    def backward(ctx: Any, one: Any, other: Any) -> Any:
        (x,) = ctx.saved_tensors
        parts = [None if one is None else one * x.cos(), None if other is None else -other * x.sin()]
        live = [p for p in parts if p is not None]
        return sum(live) if live else None


def test_a_function_of_its_own() -> None:
    assert gradcheck(Exp.apply, torch.randn(3, **DOUBLE))


def test_a_layer_with_the_tolerances_of_the_tutorial() -> None:
    input = (torch.randn(4, 3, **DOUBLE), torch.randn(2, 3, **DOUBLE), torch.randn(2, **DOUBLE))
    assert gradcheck(Linear.apply, input, eps=1e-6, atol=1e-4)
    assert gradgradcheck(Linear.apply, input, atol=1e-4)


def test_both_modes_and_several_outputs() -> None:
    x = torch.randn(4, **DOUBLE)
    assert gradcheck(Cube.apply, (x,), check_forward_ad=True, check_batched_grad=True, check_grad_dtypes=True)
    assert gradcheck(Cube.apply, (x,), check_forward_ad=True, check_backward_ad=False, check_undefined_grad=False)
    assert gradgradcheck(Cube.apply, x)


def test_undefined_gradients() -> None:
    assert gradcheck(FewOutputs.apply, torch.randn(3, **DOUBLE))


def test_forward_mode_in_batches() -> None:
    x = torch.randn(3, 2, **DOUBLE)
    assert gradcheck(torch.sigmoid, (x,), check_forward_ad=True, check_batched_forward_grad=True)
    assert gradgradcheck(torch.sigmoid, (x,), check_fwd_over_rev=True, check_batched_grad=True)


def test_arguments_that_do_not_move() -> None:
    x, mask = torch.randn(5, **DOUBLE), torch.tensor([True, False, True, True, False])
    assert gradcheck(lambda x, mask, power: (x[mask] ** power).sum(), (x, mask, 3))


def test_the_module_reads_its_parameters_itself() -> None:
    layer = torch.nn.Linear(3, 2).double()
    x = torch.randn(4, 3, dtype=torch.float64)
    assert gradcheck(lambda *_: layer(x).tanh(), tuple(layer.parameters()))


def test_one_tensor_twice() -> None:
    x = torch.randn(3, **DOUBLE)
    assert gradcheck(lambda a, b: a * b.sin(), (x, x))


def test_complex_numbers() -> None:
    z = torch.randn(3, dtype=torch.complex128, requires_grad=True)
    assert gradcheck(torch.abs, (z,))
    assert gradcheck(lambda z: z * z.conj() + z**2, (z,), check_forward_ad=True)
    assert gradgradcheck(lambda z: (z.exp() * z).real, (z,))


def test_given_cotangents_and_strided_ones() -> None:
    x = torch.randn(2, 3, **DOUBLE)
    assert gradgradcheck(torch.tanh, (x,), (torch.randn(2, 3, **DOUBLE),))
    assert gradgradcheck(torch.tanh, (x,), gen_non_contig_grad_outputs=True)


def test_no_exception_where_none_is_wanted() -> None:
    x = torch.randn(3, **DOUBLE)
    assert gradcheck(torch.cos, x, raise_exception=False) is True
    assert gradcheck(lambda x: x * x.detach(), x, raise_exception=False) is False


def test_inputs_that_lie_strided_and_are_no_leaves() -> None:
    base = torch.randn(4, 3, **DOUBLE)
    assert gradcheck(torch.sin, (base.t() * 2,))
    assert gradcheck(torch.sin, (base.detach().t().requires_grad_(),), nondet_tol=1e-12, fast_mode=True)
