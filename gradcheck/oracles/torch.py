"""What does PyTorch say? Reverse and forward mode through `torch.func`, vmapped over the points of a case.

Points that take different branches are evaluated a branch at a time: the path found in NumPy is followed, PyTorch's own
conditions are returned beside the numbers and compared with it, and points where they differ are evaluated once more by
themselves.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.oracles.evidence import Array
from gradcheck.oracles.frameworks import Framework, gather
from gradcheck.oracles.inquiry import Inquiry
from gradcheck.oracles.torch_library import torch
from gradcheck.oracles.torch_names import TorchNamespace, array


def testify(inquiry: Inquiry) -> dict[str, Array]:
    """Value, vjp and jvp (and what second order is claimed) at every point, in float64 on the CPU."""
    return gather(inquiry, FRAMEWORK)


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


def _jvp(f: Callable[..., Any], args: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    return _pushed(lambda *a: f(*a)[0], args, tangents)


def _hvp(f: Callable[..., Any], args: tuple[Any, ...], ct: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    return _pushed(lambda *a: _vjp(f, a, ct)[1], args, tangents)


def _pushed(f: Callable[..., Any], args: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
    with warnings.catch_warnings():  # its first use loads parts of PyTorch that PyTorch itself deprecates
        warnings.filterwarnings("ignore", message=".*torch.jit.script", category=DeprecationWarning)
        return torch.func.jvp(f, args, tangents)[1]


def _both(f: Callable[..., Any], args: Any, ct: Any, tangents: Any) -> Any:
    values, pulled, conditions = _vjp(f, args, ct)
    return values, pulled, _jvp(f, args, tangents), conditions


def call_backward(
    f: Callable[..., Any], args: list[Array], moving: list[bool], cotangents: list[Array]
) -> tuple[list[Array], list[Array]]:
    """People's own function at one point: its values and the gradients its backward gives for the cotangents."""
    tensors = [array(a).requires_grad_(m) for a, m in zip(args, moving, strict=True)]
    result = f(*tensors)
    values = list(result) if isinstance(result, tuple | list) else [result]
    wrt = [t for t, m in zip(tensors, moving, strict=True) if m]
    gradients = torch.autograd.grad(values, wrt, [array(c) for c in cotangents], allow_unused=True)
    zeros = [torch.zeros_like(w) if g is None else g for g, w in zip(gradients, wrt, strict=True)]
    return [v.detach().numpy() for v in values], [g.detach().numpy() for g in zeros]


FRAMEWORK = Framework(
    name="torch",
    namespace=TorchNamespace(),
    array=array,
    numpy=lambda value: np.asarray(value.detach()),
    vmapped=_vmapped,
    vjp=_vjp,
    jvp=_jvp,
    hvp=_hvp,
    both=_both,
    zeros_like=torch.zeros_like,
    padded=False,
)
