"""How is PyTorch code judged as people wrote it? Functions, `autograd.Function`s and modules, as subjects.

Arrays become tensors over the same memory, so that the code sees the layouts that it is tried with and its writes are
seen. Every vjp is a fresh forward and backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.errors import UsageError
from gradcheck.oracles.blackbox.asked import Array, BadAnswer, Inputs, Learnt, NotOffered
from gradcheck.oracles.with_torch.library import torch
from gradcheck.oracles.with_torch.probes import (
    TorchProbes,
    forward_mode,
    gradients_of,
    number,
    on_device,
    placed,
    tensor,
)
from gradcheck.spec.trees import leaves, plain_tree


@dataclass
class TorchCode(TorchProbes):
    """A callable on tensors. moving: the inputs that derivatives are taken by; device: where tensors lie, if elsewhere.

    On a device tensors are copies with the same layout, and what the code writes to them is written back.
    """

    fn: Callable[..., Any]
    moving: tuple[int, ...]
    name: str = "fn"
    device: str | None = None
    outputs: Any = field(default=True, init=False)  # as in Learnt

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """All real and complex outputs; those of integers or truth values have no derivative and are left out."""
        with torch.no_grad():
            tensors = [self._tensor(x) for x in inputs]
            outputs = self._outputs(tensors)
        self._write_back(inputs, tensors)
        return tuple(number(o) for o in outputs)

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """What backward gives; zeros where it gives None."""
        return self._pulled(inputs, cotangents, times=1)

    def again(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """What a second backward pass through the same graph gives."""
        return self._pulled(inputs, cotangents, times=2)

    def _pulled(self, inputs: Inputs, cotangents: Sequence[Array], times: int) -> tuple[Array | None, ...]:
        tensors = self._leaves(inputs, self.moving)
        outputs = self._outputs(tensors)
        wrt = [tensors[k] for k in self.moving]
        given = [self._tensor(c) for c in cotangents]
        live = [(o, c) for o, c in zip(outputs, given, strict=True) if o.requires_grad]
        found: Sequence[Any] = [None] * len(wrt)
        ends, cts = [o for o, _ in live], [c for _, c in live]
        for round_ in range(times if live else 0):
            found = gradients_of(ends, wrt, cts, retain=round_ + 1 < times)
        if self.device is not None:
            self._write_back([*inputs, *cotangents], [*tensors, *given])
        return placed(inputs, self.moving, tensors, found)

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """Forward mode; NotOffered where the code has none.

        Leaves require gradients too: PyTorch drops the tangent of a `torch.library` operator without a word where they
        do not, and says that it has no forward rule where they do.
        """
        ad: Any = torch.autograd.forward_ad
        with ad.dual_level(), forward_mode():
            tensors = self._leaves(inputs, self.moving)
            for k, t in zip(self.moving, tangents, strict=True):
                tensors[k] = ad.make_dual(tensors[k], self._tensor(np.asarray(t, dtype=np.asarray(inputs[k]).dtype)))
            outputs = self._outputs(tensors)
            duals = [ad.unpack_dual(o) for o in outputs]
            return tuple(number(torch.zeros_like(d.primal) if d.tangent is None else d.tangent) for d in duals)

    def second(self, inputs: Inputs, cotangent: Array, u: Any) -> list[Array]:
        """The gradient of <u, vjp(inputs, cotangent)> by the moving inputs and the cotangent, by backward twice."""
        tensors = self._leaves(inputs, self.moving)
        ct = self._tensor(cotangent).requires_grad_()
        outputs = self._outputs(tensors)
        wrt = [tensors[k] for k in self.moving]
        many = u if isinstance(u, tuple) else (u,)
        try:
            gradients = torch.autograd.grad(outputs, wrt, [ct], allow_unused=True, create_graph=True)
            if any(g is not None and g.grad_fn is not None and "Error" in g.grad_fn.name() for g in gradients):
                raise NotOffered("the backward is marked with @once_differentiable")
            both = zip(gradients, map(self._tensor, many), strict=True)
            live = [(g, v) for g, v in both if g is not None and g.requires_grad]
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
        if _has_slopes(result):  # the usual case, sooner
            self.outputs = True
            return [result]
        many = [o for o in leaves(result) if o is not None]
        if not all(isinstance(o, torch.Tensor) for o in many):
            raise BadAnswer(f"the function gives {type(result).__name__}, not tensors")
        self.outputs = plain_tree(result, (_has_slopes(o) for o in leaves(result)))
        real = [o for o in many if _has_slopes(o)]
        if not real:
            raise BadAnswer("the function gives no tensor of real or complex numbers")
        return real

    def _tensor(self, x: Array) -> Any:
        return tensor(x) if self.device is None else on_device(self.device, tensor(x))

    def _write_back(self, arrays: Sequence[Array], tensors: Sequence[Any]) -> None:
        """What the code has written to tensors on a device, as if they lay over the arrays."""
        for x, t in zip(arrays, tensors, strict=True) if self.device is not None else ():
            if x.flags.writeable:
                x[...] = number(t)

    def learnt(self) -> Learnt:
        """How its outputs are nested."""
        return Learnt(self.outputs)


def _has_slopes(output: Any) -> bool:
    return isinstance(output, torch.Tensor) and (output.is_floating_point() or output.is_complex())


def absent(device: str) -> str:
    """Why no numbers of float64 can be computed with on a device; "" where they can.

    Raises UsageError for a word that is no device at all.
    """
    try:
        torch.device(device)
    except RuntimeError as error:
        raise UsageError(f"device {device!r}: {str(error).partition(chr(10))[0]}") from None
    try:
        torch.ones(1, dtype=torch.float64, device=device).sum().item()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        return f"torch has no device {device!r} here ({str(error).partition(chr(10))[0]})"
    return ""


def is_torch(fn: Any) -> bool:
    """Whether a callable is PyTorch's own kind: a module, or the apply of an `autograd.Function`."""
    owner = getattr(fn, "__self__", None)
    return isinstance(fn, torch.nn.Module) or (isinstance(owner, type) and issubclass(owner, torch.autograd.Function))


def parameters_of(fn: Any, device: str | None = None) -> tuple[Callable[..., Any], dict[str, Array]]:
    """A module as a function of its inputs and then its parameters, with these as they stand; else fn and nothing."""
    if not isinstance(fn, torch.nn.Module):
        return fn, {}
    names = [n for n, p in fn.named_parameters() if p.requires_grad]
    values = {n: number(p.double()) for n, p in fn.named_parameters() if p.requires_grad}
    module = deepcopy(fn).double().to(device)  # theirs stays as it is

    def called(*inputs: Any, **keywords: Any) -> Any:
        own = dict(zip(names, inputs[len(inputs) - len(names) :], strict=True))
        return torch.func.functional_call(module, own, inputs[: len(inputs) - len(names)], keywords)

    return called, values
