"""Is what only a tape can do wrong seen? A lie for each cell that no other cell sees, and right rules."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from gradcheck import Real, check
from gradcheck.judge.cells import FAILING, Kind

POINTS = 8
Function = torch.autograd.Function
WAVE = [Real(3), Real(3)]


def failing(result: Any) -> list[str]:
    return [f.cell for f in result.findings if f.kind in FAILING]


def silences(result: Any) -> dict[str, str]:
    return {f.cell: f.sentence for f in result.findings if f.kind is Kind.SILENT}


class Wave(Function):
    """x sin y, in the style that `torch.func` can take."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Any, y: Any) -> Any:
        return x * torch.sin(y)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, _output: Any) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @classmethod
    def backward(cls, ctx: Any, ct: Any) -> Any:
        x, y = ctx.saved_tensors
        return ct * torch.sin(y), ct * x * torch.cos(y)

    @staticmethod
    def jvp(ctx: Any, dx: Any, dy: Any) -> Any:
        x, y = ctx.saved_tensors
        return dx * torch.sin(y) + dy * x * torch.cos(y)


class OneOfTwo(Wave):
    """Where y wants no gradient, that of x is not finished."""

    @classmethod
    def backward(cls, ctx: Any, ct: Any) -> Any:
        gx, gy = Wave.backward(ctx, ct)
        return (gx if ctx.needs_input_grad[1] else ct), gy


class AddsItself(Function):
    """Adds what .grad holds, and so does PyTorch."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.x = x
        return 2 * x

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        return 2 * ct if ctx.x.grad is None else 2 * ct + ctx.x.grad


class NoneIsOne(Function):
    """Takes a cotangent that is not defined for one of ones."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.set_materialize_grads(False)
        return 2 * x

    @staticmethod
    def backward(_ctx: Any, ct: Any) -> Any:
        return torch.full((3,), 2.0, dtype=torch.float64) if ct is None else 2 * ct


class Pair(Function):
    """Two outputs; the rule for one that was not used takes the other's cotangent."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.set_materialize_grads(False)
        return 2 * x, 3 * x

    @staticmethod
    def backward(_ctx: Any, one: Any, two: Any) -> Any:
        if one is None and two is None:
            return None
        return 2 * one + 3 * (one if two is None else two) if one is not None else 3 * two


class Remembered(Function):
    """Keeps what it saves on the class: the last call's, whichever is pulled back."""

    @staticmethod
    def forward(_ctx: Any, x: Any) -> Any:
        Remembered.x = x.detach().clone()
        return x**2

    @staticmethod
    def backward(_ctx: Any, ct: Any) -> Any:
        return 2 * Remembered.x * ct


class FreesItsOutput(Function):
    """Clears the output in its backward pass, which does not need it."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        out = torch.sin(x)
        ctx.x, ctx.out = x.detach(), out.detach()
        return out

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        ctx.out.zero_()
        return ct * torch.cos(ctx.x)


class FirstAxis(Wave):
    """Its vmap rule takes the batch to lie in front, wherever it lies."""

    generate_vmap_rule = False

    @staticmethod
    def vmap(_info: Any, _in_dims: Any, x: Any, y: Any) -> Any:
        return FirstAxis.apply(x, y), 0


class WrongInBatches(Wave):
    """Its vmap rule gives another function: whoever measures in batches must not be taken in."""

    generate_vmap_rule = False

    @staticmethod
    def vmap(_info: Any, in_dims: Any, x: Any, y: Any) -> Any:
        one, two = (t if d is None else t.movedim(d, 0) for t, d in zip((x, y), in_dims, strict=True))
        return Wave.apply(one, 1.001 * two), 0


class Cube(Function):
    """Its backward can be differentiated again by reverse mode, and loses tangents."""

    lost = 0.0

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x**3

    @staticmethod
    def jvp(ctx: Any, dx: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x**2 * dx

    @classmethod
    def backward(cls, ctx: Any, ct: Any) -> Any:
        (x,) = ctx.saved_tensors
        return cls.slope().apply(x) * ct

    @classmethod
    def slope(cls) -> Any:
        return Slope


class Slope(Function):
    factor = 6

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return 3 * x**2

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        return 6 * ctx.saved_tensors[0] * ct

    @classmethod
    def jvp(cls, ctx: Any, dx: Any) -> Any:
        return cls.factor * ctx.saved_tensors[0] * dx


class WrongSlope(Slope):
    factor = 3


class MixedCube(Cube):
    @classmethod
    def slope(cls) -> Any:
        return WrongSlope


class Sine(Function):
    """In the old style, which `vmap` and forward mode refuse."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.sin(x)

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        return ct * torch.cos(ctx.saved_tensors[0])


_LAST: list[Any] = []


def keeps_a_graph(x: Any) -> Any:
    """For the numbers of the last call it gives back what it gave then, graph and all."""
    if not x.requires_grad and _LAST and torch.equal(_LAST[0], x):
        return _LAST[1]
    out = Sine.apply(x)
    if x.requires_grad:
        _LAST[:] = [x.detach().clone(), out]
    return out


def another_in_training(x: Any) -> Any:
    return Sine.apply(x) + (1 if x.requires_grad else 0)


def refuses_unless_training(x: Any) -> Any:
    if not x.requires_grad and (x < 0).any():
        raise ValueError("negative")
    return torch.sin(x)


def right(x: Any) -> Any:
    if (x > 2.5).any():
        raise ValueError("too large")
    return torch.sin(x) * x.sum()


def eager_only(x: Any) -> Any:
    return torch.sin(x) if torch.compiler.is_compiling() else torch.cos(x)


LIES: dict[str, tuple[Any, Any, str, str]] = {
    "one of two inputs": (OneOfTwo.apply, WAVE, "subsets", "where x1 wants a gradient too"),
    "adds .grad itself": (AddsItself.apply, [Real(3)], "accumulate", "in .grad"),
    "None for ones": (NoneIsOne.apply, [Real(3)], "undefined", "where no cotangent is defined"),
    "an output that was not used": (Pair.apply, [Real(3)], "undefined", "where outputs were not used"),
    "saved on the class": (Remembered.apply, [Real(3)], "repeat", "where no other call comes between"),
    "clears its output": (FreesItsOutput.apply, [Real(3)], "mutation", "the backward pass writes to the output"),
    "the batch in front": (FirstAxis.apply, WAVE, "vmap", "the batch is the last axis"),
    "another function in batches": (WrongInBatches.apply, WAVE, "vmap", "without vmap"),
    "a graph that is kept": (keeps_a_graph, [Real(3)], "detached", "was detached"),
    "another function in training": (another_in_training, [Real(3)], "primal", "under differentiation"),
    "no refusal in training": (refuses_unless_training, [Real(3)], "primal", "without it raises ValueError: negative"),
    "another function compiled": (eager_only, [Real(3)], "compiled", "by the call that is not compiled"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_caught_in_its_cell_and_in_no_other(name: str) -> None:
    fn, inputs, cell, words = LIES[name]
    result = check(fn, inputs, backend="torch", points=POINTS)
    assert failing(result) == [cell], str(result)
    assert words in str(result)


def test_forward_over_reverse() -> None:
    assert failing(check(MixedCube.apply, [Real(2)], points=POINTS, order=2)) == ["mixed"]
    good = check(Cube.apply, [Real(2)], points=POINTS, order=2)
    assert good.passed, str(good)
    assert {f.cell for f in good.findings if f.kind is Kind.RIGHT} >= {"second", "mixed"}


def test_right_code_passes_in_every_cell() -> None:
    good = check(Wave.apply, WAVE, points=POINTS, order=2)
    assert good.passed, str(good)
    done = {f.cell for f in good.findings if f.kind is Kind.RIGHT}
    tape = {"subsets", "undefined", "accumulate", "detached", "primal", "broadcast", "vmap", "compiled", "mixed"}
    assert done >= tape | {"forward", "adjoint", "second"}, str(good)
    refusing = check(right, [Real(3)], backend="torch", points=32)
    assert refusing.passed, str(refusing)


class Summed(Function):
    """Its gradient has another shape than its input: PyTorch refuses it."""

    @staticmethod
    def forward(_ctx: Any, x: Any) -> Any:
        return x.sum()

    @staticmethod
    def backward(_ctx: Any, ct: Any) -> Any:
        return ct.expand(2)


def test_a_gradient_of_another_shape_is_told_in_its_cell_alone() -> None:
    result = check(Summed.apply, [Real(3)], points=POINTS)
    assert failing(result) == ["shape"], str(result)
    assert "returned an invalid gradient" in str(result)


def test_what_a_function_does_not_offer_is_a_silence() -> None:
    told = silences(check(AddsItself.apply, [Real(3)], points=POINTS, skip=["accumulate"], order=2))
    assert "setup_context" in told["vmap"]
    assert "jvp" in told["forward"]
    assert told["subsets"] == "one input is differentiable"


def test_a_custom_operator_without_a_forward_rule_is_a_silence() -> None:
    @torch.library.custom_op("gradcheck_tests::square", mutates_args=())
    def square(x: torch.Tensor) -> torch.Tensor:
        return x * x

    def keep(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    square.register_autograd(lambda ctx, ct: 2 * ctx.saved_tensors[0] * ct, setup_context=keep)
    square.register_fake(torch.empty_like)
    result = check(lambda x: torch.sin(x) + square(x), [Real(3)], backend="torch", points=POINTS)
    assert result.passed, str(result)
    assert "You must implement the jvp function" in silences(result)["forward"]


def test_batches_save_calls_and_change_no_verdict() -> None:
    """A function that `vmap` takes is asked in batches; a Function of the old style is asked one by one."""
    cells = ["value", "reverse"]
    batched = check(torch.sin, [Real(12)], points=POINTS, cells=cells)
    single = check(Sine.apply, [Real(12)], points=POINTS, cells=cells)
    assert batched.passed
    assert single.passed
    assert 3 * batched.checked.calls < single.checked.calls
    assert [f.compared for f in batched.findings] == [f.compared for f in single.findings]
