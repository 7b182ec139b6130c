"""Are PyTorch's Functions and modules judged as they were written, and is what only a tape can do wrong seen?"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from pasting import pasted, shows
from torch.autograd.function import once_differentiable

from gradcheck import Integer, Real, check
from gradcheck.errors import UsageError
from gradcheck.judge.cells import Kind

POINTS = 12


class Softsign(torch.autograd.Function):
    power = 2

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x / (1 + x.abs())

    @classmethod
    def backward(cls, ctx: Any, ct: Any) -> Any:
        (x,) = ctx.saved_tensors
        return ct / (1 + x.abs()) ** cls.power


class Unsquared(Softsign):
    power = 1


class Strided(torch.autograd.Function):
    """Reads its cotangent as if it lay in one piece."""

    @staticmethod
    def forward(_ctx: Any, x: Any) -> Any:
        return 2 * x

    @staticmethod
    @once_differentiable
    def backward(_ctx: Any, ct: Any) -> Any:
        return 2 * torch.as_strided(ct, ct.shape, torch.empty(ct.shape).stride())


class UsedUp(torch.autograd.Function):
    """Its second backward pass finds what the first has left."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.left = [2.0]
        return 2 * x

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        return ct * (ctx.left.pop() if ctx.left else 0.0)


class Cube(torch.autograd.Function):
    """Its gradient saves a number that depends on x without saying so."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.slope = 3 * x.detach() ** 2
        return x**3

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        return ct * ctx.slope


def wrong_cells(result: Any) -> list[str]:
    return [f.cell for f in result.findings if f.kind in (Kind.WRONG, Kind.CRASHED)]


def test_a_right_function_passes_and_a_wrong_one_does_not() -> None:
    assert check(Softsign.apply, [Real("n")], points=POINTS).passed
    bad = check(Unsquared.apply, [Real("n")], points=POINTS)
    assert wrong_cells(bad) == ["reverse"]
    lines = [line.strip() for line in str(bad).splitlines()]
    assert lines[0] == "Unsquared.apply: DISAGREES in reverse: the gradient of x0[0] is 0.5, not 0.25"
    assert "right: 0.25 ± " in lines[2]
    shows(bad, pasted(bad))  # by the name that leads to it, which is imported


def test_layouts_and_second_passes() -> None:
    strided = check(Strided.apply, [Real(2, 3)], points=POINTS)
    assert "layout" in wrong_cells(strided)
    shows(strided, pasted(strided))
    used = check(UsedUp.apply, [Real(2)], points=POINTS)
    assert wrong_cells(used) == ["repeat"]
    shows(used, pasted(used))


def test_second_order_by_two_backward_passes() -> None:
    good = check(lambda x: x**3, [Real(2)], backend="torch", points=POINTS, order=2)
    assert any(f.cell == "second" and f.kind is Kind.RIGHT for f in good.findings), str(good)
    assert check(Cube.apply, [Real(2)], points=POINTS).passed
    bad = check(Cube.apply, [Real(2)], points=POINTS, order=2)
    assert wrong_cells(bad) == ["second"]
    shows(bad, pasted(bad))
    once = check(Strided.apply, [Real(2)], points=POINTS, order=2, skip=["layout"])
    assert any(
        f.cell == "second" and f.kind is Kind.SILENT and "once_differentiable" in f.sentence for f in once.findings
    )


def test_a_module_is_judged_with_its_parameters() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    result = check(layer, [Real(2, 3)], points=8)
    assert result.passed, str(result)
    assert {f.cell for f in result.findings if f.kind is Kind.RIGHT} >= {"reverse", "forward", "adjoint"}
    assert {p.dtype for p in layer.parameters()} == {torch.float32}  # the module itself is as it was
    assert all(p.grad is None for p in layer.parameters())

    class Frozen(torch.nn.Linear):
        def forward(self, x: Any) -> Any:
            return torch.nn.functional.linear(x, self.weight, self.bias.detach())  # the bias moves nothing backward

    frozen = Frozen(3, 2)
    bad = check(frozen, [Real(2, 3)], points=8)
    shows(bad, pasted(bad, fn=frozen))
    told = bad.checked.standing.decisive
    assert told is not None
    assert told.seen is not None
    assert told.seen.input == "bias"


def test_outputs_of_integers_have_no_derivative() -> None:
    def most(x: Any) -> Any:
        values, places = torch.max(x, dim=0)
        return values, places

    assert check(most, [Real(3)], backend="torch", points=POINTS).passed
    gathered = check(lambda x, i: x[i], [Real(3), Integer(4, high=2)], backend="torch", points=POINTS)
    assert gathered.passed, str(gathered)


def test_forward_rules_are_not_given_beside_code_with_its_own() -> None:
    with pytest.raises(UsageError, match="its own derivative is judged"):
        check(Softsign.apply, [Real(2)], "torch", jvp=lambda i, t: t[0])
    with pytest.raises(UsageError, match="say backend="):
        check(abs, [Real(2)])
    assert np.isfinite(check(torch.sin, [Real(2)], points=POINTS).power["median"])  # type: ignore[index]


def test_a_forward_mode_that_breaks_is_not_one_that_is_missing() -> None:
    class Broken(Softsign):
        @staticmethod
        def jvp(_ctx: Any, _tangent: Any) -> Any:
            raise RuntimeError("the jvp reads what forward did not save")

    missing = check(Softsign.apply, [Real(2)], points=POINTS)
    assert missing.passed, str(missing)
    assert any(f.cell == "forward" and f.kind is Kind.SILENT for f in missing.findings)
    broken = check(Broken.apply, [Real(2)], points=POINTS)
    assert not broken.passed
    assert any(f.cell == "forward" and f.kind is Kind.CRASHED for f in broken.findings), str(broken)


class Dying(Softsign):
    """Right, but for a backward that ends the process where the cotangent is zero."""

    @classmethod
    def backward(cls, ctx: Any, ct: Any) -> Any:
        if not ct.any():
            os._exit(3)
        return super().backward(ctx, ct)


class Meddling(Softsign):
    """Right, but it changes what PyTorch does for everybody else."""

    @classmethod
    def backward(cls, ctx: Any, ct: Any) -> Any:
        torch.set_default_dtype(torch.float16)
        torch.manual_seed(0)
        return super().backward(ctx, ct)


def test_a_backward_that_ends_the_process_costs_its_cell() -> None:
    """Also after this process has used PyTorch itself."""
    torch.ones(3, requires_grad=True).sum().backward()
    result = check(Dying.apply, [Real(2)], points=POINTS, cells=["value", "reverse", "zero", "linear"])
    assert {f.cell for f in result.findings if f.kind is Kind.CRASHED} == {"zero"}
    assert "the vjp ended the process (exit code 3)" in str(result)
    assert any(f.cell == "reverse" and f.kind is Kind.RIGHT for f in result.findings)


@pytest.mark.parametrize("isolate", [True, False])
def test_what_a_backward_changes_for_everybody_is_set_back(isolate: bool) -> None:
    before = torch.get_default_dtype(), torch.get_rng_state().tolist()
    result = check(Meddling.apply, [Real(2)], points=POINTS, isolate=isolate, cells=["value", "reverse", "zero"])
    assert result.passed, str(result)
    assert "the code changes PyTorch's default dtype, PyTorch's random numbers; it was set back" in str(result)
    assert (torch.get_default_dtype(), torch.get_rng_state().tolist()) == before


def test_a_rule_that_keeps_its_numbers_where_another_call_finds_them() -> None:
    class Kept(Softsign):
        @staticmethod
        def forward(_ctx: Any, x: Any) -> Any:
            Kept.last = x
            return x / (1 + x.abs())

        @classmethod
        def backward(cls, _ctx: Any, ct: Any) -> Any:
            return ct / (1 + cls.last.abs()) ** 2

    assert wrong_cells(check(Kept.apply, [Real(2)], points=POINTS)) == ["repeat"]


def test_an_operation_of_the_library_without_forward_mode_is_not_accused() -> None:
    """PyTorch drops the tangents of such an operation without a word: there is no forward mode, not a wrong one."""

    @torch.library.custom_op("gradcheck_tests::doubled", mutates_args=())
    def doubled(x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    doubled.register_autograd(lambda ctx, ct: 2 * ct)
    result = check(doubled, [Real(2)], points=POINTS)
    assert result.passed, str(result)
    assert result.name == "gradcheck_tests::doubled"
    assert any(f.cell == "forward" and f.kind is Kind.SILENT for f in result.findings)


class Expm1(torch.autograd.Function):
    """Its gradient is the value plus 1: nothing is left of it in the tail, and no value of the function shows that."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        out = torch.expm1(x)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, ct: Any) -> Any:
        return ct * (ctx.saved_tensors[0] + 1)


def test_a_numpy_twin_tells_the_digits_of_torch_code() -> None:
    cells = ["value", "reverse", "precision", "second"]
    inputs = [Real(2, low=-60, high=2)]
    alone = check(Expm1.apply, inputs, points=24, cells=cells)
    assert not alone.remarks
    told = check(Expm1.apply, inputs, points=24, cells=cells, twin=np.expm1)
    assert (told.remarks[0].cell, told.remarks[0].kind) == ("precision", Kind.INACCURATE)
    lost = told.remarks[0].seen
    assert lost is not None
    ct = np.asarray(lost.cotangent)[lost.index]
    assert abs(lost.right / (ct * np.exp(np.asarray(lost.inputs["x0"])[lost.index])) - 1) < 1e-12
    other = check(Expm1.apply, inputs, points=24, cells=cells, twin=np.exp2)  # of another function: not heard
    assert not other.remarks
    good = check(torch.expm1, [Real(2, low=-4, high=2)], points=24, cells=cells, twin=np.expm1, order=2)
    assert good.passed, str(good)
    assert any(f.cell == "second" and f.kind is Kind.RIGHT for f in good.findings)
