"""What does PyTorch say? Reverse and forward mode through `torch.func`, vmapped over the points of a case.

Points that take different branches are evaluated a branch at a time: the path found in NumPy is followed, PyTorch's own
conditions are returned beside the numbers and compared with it, and points where they differ are evaluated once more by
themselves.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from gradcheck.oracles.evidence import Array
from gradcheck.oracles.frameworks import Framework, gather
from gradcheck.oracles.inquiry import Inquiry
from gradcheck.oracles.layouts import Placed
from gradcheck.oracles.with_torch.library import torch
from gradcheck.oracles.with_torch.names import TorchNamespace, array
from gradcheck.oracles.with_torch.values import array_in, cast_to, computing_in, name_of, widened


def testify(inquiry: Inquiry) -> dict[str, Array]:
    """Value, vjp and jvp (and what second order is claimed) at every point, in the case's dtype on the CPU."""
    with computing_in(inquiry.case.dtype):
        return gather(inquiry, framework_at(inquiry.case.dtype))


def _vmapped(f: Callable[..., Any], compiled: bool) -> Callable[..., Any]:
    batched = torch.func.vmap(f)

    def quietly(*args: Any) -> Any:
        with warnings.catch_warnings():  # it warns where it loops over the points, which is slow but right
            warnings.filterwarnings("ignore", message="There is a performance drop")
            return batched(*args)

    return quietly


def _vjp(f: Callable[..., Any], args: tuple[Any, ...], ct: tuple[Any, ...]) -> Any:
    asked: Any = torch.func.vjp(f, *args, has_aux=True)
    values, pull, conditions = asked
    return values, pull(ct), conditions


def _hvp(f: Callable[..., Any], args: tuple[Any, ...], ct: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    return _pushed(lambda *a: _vjp(f, a, ct)[1], args, tangents)


def _pushed(f: Callable[..., Any], args: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    with warnings.catch_warnings():  # its first use loads parts of PyTorch that PyTorch itself deprecates
        warnings.filterwarnings("ignore", message=".*torch.jit.script", category=DeprecationWarning)
        return torch.func.jvp(f, args, tangents)[1]


def _both(f: Callable[..., Any], args: Any, ct: Any, tangents: Any) -> Any:
    values, pulled, conditions = _vjp(f, args, ct)
    return values, pulled, _pushed(lambda *a: f(*a)[0], args, tangents), conditions


def call_backward(
    f: Callable[..., Any], args: list[Placed], moving: list[bool], cotangents: list[Placed], dtype: str = "float64"
) -> tuple[list[Array], list[Array], list[str]]:
    """People's own function at one point: its values, and the gradients its backward gives with their dtypes."""
    tensors: list[torch.Tensor] = []
    for a, m in zip(args, moving, strict=True):  # twins lie in one storage, and each has its own gradient
        tensors.append((_tensor(a, dtype) if a.twin < 0 else tensors[a.twin].detach()).requires_grad_(m))
    result = f(*tensors)
    values = list(result) if isinstance(result, tuple | list) else [result]
    wrt = [t for t, m in zip(tensors, moving, strict=True) if m]
    gradients = torch.autograd.grad(values, wrt, _shaped(cotangents, values), allow_unused=True)
    zeros = [torch.zeros_like(w) if g is None else g for g, w in zip(gradients, wrt, strict=True)]
    return [_numpy(v) for v in values], [_numpy(g) for g in zeros], [name_of(g.dtype) for g in zeros]


def _shaped(cotangents: list[Placed], values: list[Any]) -> list[torch.Tensor]:
    return [_tensor(c, name_of(v.dtype)) for c, v in zip(cotangents, values, strict=True)]


def _tensor(one: Placed, dtype: str) -> torch.Tensor:
    """Numbers as they lie in memory; plainly where a stride is negative, which PyTorch has not."""
    if any(s < 0 for s in one.strides):
        return array_in(one.dtype or dtype, one.numbers)
    return array_in(one.dtype or dtype, one.buffer).as_strided(one.numbers.shape, one.strides, one.offset)


def _numpy(value: Any) -> Array:
    return np.asarray(widened(value.detach()))


@cache
def framework_at(dtype: str) -> Framework:
    """PyTorch in one dtype."""
    cast = partial(cast_to, dtype)
    return (
        FRAMEWORK if dtype == "float64" else replace(FRAMEWORK, array=partial(array_in, dtype), dtype=dtype, cast=cast)
    )


FRAMEWORK = Framework(
    name="torch",
    namespace=TorchNamespace(),
    array=array,
    numpy=_numpy,
    vmapped=_vmapped,
    both=_both,
    hvp=_hvp,
    zeros_like=torch.zeros_like,
    dtype="float64",
    cast=lambda value: value,
    padded=False,
)
