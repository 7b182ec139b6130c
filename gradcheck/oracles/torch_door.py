"""How is PyTorch code judged as people wrote it? Functions, `autograd.Function`s and modules, as subjects.

Arrays become tensors over the same memory, so that the code sees the layouts that it is tried with and its writes are
seen. Every vjp is a fresh forward and backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.oracles.blackbox import Array, BadAnswer, Inputs, NotOffered
from gradcheck.oracles.torch_library import torch
from gradcheck.oracles.torch_probes import (
    TorchProbes,
    forward_mode,
    gradients_of,
    leaves,
    number,
    placed,
    tensor,
)
from gradcheck.spec.trees import leaves as leaves_of


@dataclass
class TorchCode(TorchProbes):
    """A callable on tensors. moving: the inputs that derivatives are taken by."""

    fn: Callable[..., Any]
    moving: tuple[int, ...]
    name: str = "fn"

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """All real and complex outputs; those of integers or truth values have no derivative and are left out."""
        with torch.no_grad():
            outputs = self._outputs([tensor(x) for x in inputs])
        return tuple(number(o) for o in outputs)

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """What backward gives; zeros where it gives None."""
        return self._pulled(inputs, cotangents, times=1)

    def again(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """What a second backward pass through the same graph gives."""
        return self._pulled(inputs, cotangents, times=2)

    def _pulled(self, inputs: Inputs, cotangents: Sequence[Array], times: int) -> tuple[Array | None, ...]:
        tensors = leaves(inputs, self.moving)
        outputs = self._outputs(tensors)
        wrt = [tensors[k] for k in self.moving]
        live = [(o, tensor(c)) for o, c in zip(outputs, cotangents, strict=True) if o.requires_grad]
        found: Sequence[Any] = [None] * len(wrt)
        for round_ in range(times if live else 0):
            ends, cts = [o for o, _ in live], [c for _, c in live]
            found = gradients_of(ends, wrt, cts, retain=round_ + 1 < times)
        return placed(inputs, self.moving, tensors, found)

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """Forward mode; NotOffered where the code has none.

        Leaves require gradients too: PyTorch drops the tangent of a `torch.library` operator without a word where they
        do not, and says that it has no forward rule where they do.
        """
        ad: Any = torch.autograd.forward_ad
        with ad.dual_level(), forward_mode():
            tensors = leaves(inputs, self.moving)
            for k, t in zip(self.moving, tangents, strict=True):
                tensors[k] = ad.make_dual(tensors[k], tensor(np.asarray(t, dtype=np.asarray(inputs[k]).dtype)))
            outputs = self._outputs(tensors)
            duals = [ad.unpack_dual(o) for o in outputs]
            return tuple(number(torch.zeros_like(d.primal) if d.tangent is None else d.tangent) for d in duals)

    def second(self, inputs: Inputs, cotangent: Array, u: Any) -> list[Array]:
        """The gradient of <u, vjp(inputs, cotangent)> by the moving inputs and the cotangent, by backward twice."""
        tensors = leaves(inputs, self.moving)
        ct = tensor(cotangent).requires_grad_()
        outputs = self._outputs(tensors)
        wrt = [tensors[k] for k in self.moving]
        many = u if isinstance(u, tuple) else (u,)
        try:
            gradients = torch.autograd.grad(outputs, wrt, [ct], allow_unused=True, create_graph=True)
            if any(g is not None and g.grad_fn is not None and "Error" in g.grad_fn.name() for g in gradients):
                raise NotOffered("the backward is marked with @once_differentiable")
            live = [(g, tensor(v)) for g, v in zip(gradients, many, strict=True) if g is not None and g.requires_grad]
            found: Sequence[Any] = [None] * (len(wrt) + 1)
            if live:
                found = torch.autograd.grad([g for g, _ in live], [*wrt, ct], [v for _, v in live], allow_unused=True)
        except RuntimeError as error:
            if "once_differentiable" in str(error) or "double backward" in str(error):
                raise NotOffered(str(error).partition("\n")[0]) from None
            raise
        ends = [*wrt, ct]
        return [number(torch.zeros_like(e) if g is None else g) for g, e in zip(found, ends, strict=True)]

    def _outputs(self, tensors: Sequence[Any]) -> list[Any]:
        result = self.fn(*tensors)
        many = [o for o in leaves_of(result) if o is not None]
        if not all(isinstance(o, torch.Tensor) for o in many):
            raise BadAnswer(f"the function gives {type(result).__name__}, not tensors")
        real = [o for o in many if o.is_floating_point() or o.is_complex()]
        if not real:
            raise BadAnswer("the function gives no tensor of real or complex numbers")
        return real


def is_torch(fn: Any) -> bool:
    """Whether a callable is PyTorch's own kind: a module, or the apply of an `autograd.Function`."""
    owner = getattr(fn, "__self__", None)
    return isinstance(fn, torch.nn.Module) or (isinstance(owner, type) and issubclass(owner, torch.autograd.Function))


def parameters_of(fn: Any) -> tuple[Callable[..., Any], dict[str, Array]]:
    """A module as a function of its inputs and then its parameters, with these as they stand; else fn and nothing."""
    if not isinstance(fn, torch.nn.Module):
        return fn, {}
    names = [n for n, p in fn.named_parameters() if p.requires_grad]
    values = {n: np.array(p.detach().double().numpy()) for n, p in fn.named_parameters() if p.requires_grad}
    module = deepcopy(fn).double()  # theirs stays as it is

    def called(*inputs: Any, **keywords: Any) -> Any:
        own = dict(zip(names, inputs[len(inputs) - len(names) :], strict=True))
        return torch.func.functional_call(module, own, inputs[: len(inputs) - len(names)], keywords)

    return called, values
