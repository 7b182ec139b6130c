"""Is one wrong number among thousands found in PyTorch's and JAX's code?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pasting import pasted, shows
from rules_of_many import PLACE, N

from gradcheck import Real, check
from gradcheck.judge.cells import Kind
from gradcheck.report.checked import Result

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")


def spoilt_sine(factor: float) -> Any:
    class Sine(torch.autograd.Function):  # type: ignore[name-defined,misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.sin(x)

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            (x,) = ctx.saved_tensors
            gradient = ct * torch.cos(x)
            gradient.view(-1)[PLACE] *= factor
            return gradient

    return Sine


class Layer(torch.nn.Module):  # type: ignore[name-defined,misc]
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.linspace(-1, 1, N).sin().reshape(75, 80))
        self.sine = spoilt_sine(factor)

    def forward(self, x: Any) -> Any:
        return self.sine.apply(self.weight) @ x


def where(result: Result) -> tuple[str, tuple[int, ...]]:
    found = result.checked.standing.decisive
    assert found is not None and found.cell == "reverse" and found.seen is not None, str(result)
    return found.seen.input, found.seen.index


@pytest.mark.parametrize("summed", [True, False])
def test_torch_functions(summed: bool) -> None:
    def of(factor: float) -> Any:
        apply = spoilt_sine(factor).apply
        return (lambda x: apply(x).sum()) if summed else (lambda x: apply(x))

    assert check(of(1.0), [Real(N)], backend="torch", isolate=False).passed
    fn = of(1.01)
    wrong = check(fn, [Real(N)], backend="torch", isolate=False)
    assert where(wrong) == ("x", (PLACE,))
    shows(wrong, pasted(wrong, fn=fn))


def test_a_torch_module() -> None:
    right = check(Layer(1.0), {"x": Real(80)}, isolate=False)
    assert right.passed and {f.kind for f in right.findings} <= {Kind.RIGHT, Kind.SILENT}, str(right)
    wrong = check(Layer(1.01), {"x": Real(80)}, isolate=False)
    assert where(wrong) == ("weight", tuple(np.unravel_index(PLACE, (75, 80))))


def test_torch_in_forward_mode() -> None:
    result = check(lambda x: torch.sin(x) * x, [Real(N)], backend="torch", isolate=False)
    assert {"forward", "adjoint", "reverse"} <= {f.cell for f in result.findings if f.kind is Kind.RIGHT}, str(result)


@pytest.mark.parametrize("summed", [True, False])
def test_jax_functions(summed: bool) -> None:
    def of(factor: float) -> Any:
        @jax.custom_vjp
        def sine(x: Any) -> Any:
            return jax.numpy.sin(x)

        def back(x: Any, ct: Any) -> Any:
            return ((ct * jax.numpy.cos(x)).at[PLACE].multiply(factor),)

        sine.defvjp(lambda x: (jax.numpy.sin(x), x), back)
        return (lambda x: sine(x).sum()) if summed else sine

    assert check(of(1.0), [Real(N)], backend="jax", isolate=False).passed
    fn = of(1.01)
    wrong = check(fn, [Real(N)], backend="jax", isolate=False)
    assert where(wrong)[1] == (PLACE,)
    shows(wrong, pasted(wrong, fn=fn))


def test_large_arrays_are_lent_to_jax_as_copies() -> None:
    jax_probes = pytest.importorskip("gradcheck.oracles.with_jax.probes")
    given = np.arange(2.0**14).reshape(128, 128)
    for x in (given, given.T, given[::2], given.astype(np.float32), given.astype(int)):
        (lent,) = jax_probes.arrays([x])
        assert (lent.dtype, lent.shape) == (x.dtype, x.shape)
        before = x.copy()
        x[...] = 0
        assert (np.asarray(lent) == before).all()  # what the caller writes later is not seen
        x[...] = before
