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
from gradcheck.oracles.blackbox import Array, BadAnswer, Inputs, NotOffered
from gradcheck.oracles.torch_library import torch


@dataclass
class TorchCode:
    """A callable on tensors. moving: the inputs that derivatives are taken by; device: where tensors lie, if elsewhere.

    On a device tensors are copies with the same layout, and what the code writes to them is written back.
    """

    fn: Callable[..., Any]
    moving: tuple[int, ...]
    name: str = "fn"
    forward: bool = True
    device: str | None = None
    several: bool = field(default=False, init=False)  # whether the outputs are a tuple
    handed: list[tuple[Array, Any]] = field(default_factory=list, init=False)  # what lies on the device for one call

    def value(self, inputs: Inputs) -> tuple[Array, ...]:
        """All real outputs; those of integers or truth values have no derivative and are left out."""
        with torch.no_grad():
            outputs = self._outputs([self._tensor(x) for x in inputs])
        self._write_back()
        return tuple(np.array(_numbers(o)) for o in outputs)

    def vjp(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """What backward gives; zeros where it gives None."""
        return self._pulled(inputs, cotangents, times=1)

    def again(self, inputs: Inputs, cotangents: Sequence[Array]) -> tuple[Array | None, ...]:
        """What a second backward pass through the same graph gives."""
        return self._pulled(inputs, cotangents, times=2)

    def _pulled(self, inputs: Inputs, cotangents: Sequence[Array], times: int) -> tuple[Array | None, ...]:
        tensors = self._leaves(inputs)
        outputs = self._outputs(tensors)
        wrt = [tensors[k] for k in self.moving]
        live = [(o, self._tensor(c)) for o, c in zip(outputs, cotangents, strict=True) if o.requires_grad]
        found: Sequence[Any] = [None] * len(wrt)
        for round_ in range(times if live else 0):
            ends, cts = [o for o, _ in live], [c for _, c in live]
            found = torch.autograd.grad(ends, wrt, cts, allow_unused=True, retain_graph=round_ + 1 < times)
        self._write_back()
        return self._placed(inputs, wrt, found)

    def jvp(self, inputs: Inputs, tangents: Sequence[Array]) -> tuple[Array, ...] | None:
        """Forward mode, where the code has one; None where it says that it has not."""
        if not self.forward:
            return None
        ad: Any = torch.autograd.forward_ad
        try:
            with ad.dual_level():
                tensors = [self._tensor(x) for x in inputs]
                for k, t in zip(self.moving, tangents, strict=True):
                    tensors[k] = ad.make_dual(
                        tensors[k], self._tensor(np.asarray(t, dtype=np.asarray(inputs[k]).dtype))
                    )
                self.handed.clear()
                duals = [ad.unpack_dual(o) for o in self._outputs(tensors)]
                return tuple(
                    np.array(_numbers(torch.zeros_like(d.primal) if d.tangent is None else d.tangent)) for d in duals
                )
        except NotImplementedError as error:  # PyTorch says so of a Function without jvp, and of its own operations
            if "forward AD" not in str(error) and "forward mode AD" not in str(error):
                raise
            self.forward = False
            return None

    def second(self, inputs: Inputs, cotangent: Array, u: Any) -> list[Array]:
        """The gradient of <u, vjp(inputs, cotangent)> by the moving inputs and the cotangent, by backward twice."""
        tensors = self._leaves(inputs)
        ct = self._tensor(cotangent).requires_grad_()
        self.handed.clear()
        outputs = self._outputs(tensors)
        wrt = [tensors[k] for k in self.moving]
        many = u if isinstance(u, tuple) else (u,)
        try:
            gradients = torch.autograd.grad(outputs, wrt, [ct], allow_unused=True, create_graph=True)
            if any(g is not None and g.grad_fn is not None and "Error" in g.grad_fn.name() for g in gradients):
                raise NotOffered("the backward is marked with @once_differentiable")
            live = [
                (g, self._tensor(v)) for g, v in zip(gradients, many, strict=True) if g is not None and g.requires_grad
            ]
            found: Sequence[Any] = [None] * (len(wrt) + 1)
            if live:
                found = torch.autograd.grad([g for g, _ in live], [*wrt, ct], [v for _, v in live], allow_unused=True)
        except RuntimeError as error:
            if "once_differentiable" in str(error) or "double backward" in str(error):
                raise NotOffered(str(error).partition("\n")[0]) from None
            raise
        ends = [*wrt, ct]
        return [np.asarray(_numbers(torch.zeros_like(e) if g is None else g)) for g, e in zip(found, ends, strict=True)]

    def _leaves(self, inputs: Inputs) -> list[Any]:
        tensors = [self._tensor(x) for x in inputs]
        return [t.requires_grad_() if k in self.moving else t for k, t in enumerate(tensors)]

    def _tensor(self, x: Array) -> Any:
        if self.device is None:
            return _tensor(x)
        self.handed.append((x, _on(self.device, _tensor(x))))
        return self.handed[-1][1]

    def _write_back(self) -> None:
        """What the code has written to tensors on a device, as if they lay over the arrays."""
        for x, tensor in self.handed:
            if x.flags.writeable:
                x[...] = _numbers(tensor)
        self.handed.clear()

    def _outputs(self, tensors: Sequence[Any]) -> list[Any]:
        result = self.fn(*tensors)
        self.several = isinstance(result, tuple | list)
        many = list(result) if self.several else [result]
        if not all(isinstance(o, torch.Tensor) for o in many):
            raise BadAnswer(f"the function gives {type(result).__name__}, not tensors")
        real = [o for o in many if o.is_floating_point()]
        if not real:
            raise BadAnswer("the function gives no real tensor")
        return real

    def _placed(self, inputs: Inputs, wrt: Sequence[Any], found: Sequence[Any]) -> tuple[Array | None, ...]:
        answers: list[Array | None] = [None] * len(inputs)
        for k, w, g in zip(self.moving, wrt, found, strict=True):
            answers[k] = np.array(_numbers(torch.zeros_like(w) if g is None else g))
        return tuple(answers)


def _tensor(x: Array) -> Any:
    """A tensor over the same memory; a copy where PyTorch has no such layout (reversed views)."""
    if x.dtype == object:
        raise TypeError("PyTorch has no tensors of precise numbers")
    if any(s < 0 for s in x.strides) or not x.flags.writeable:
        return torch.from_numpy(np.array(x))
    return torch.from_numpy(x)


def _numbers(tensor: Any) -> Array:
    """A tensor's numbers, wherever it lies."""
    return np.asarray(tensor.detach().cpu().numpy())


def _on(device: str, tensor: Any) -> Any:
    """A copy on a device with the very same strides: all that lies between the numbers is copied too."""
    if not tensor.numel():
        return tensor.to(device, copy=True)
    span = 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.as_strided((span,), (1,)).to(device, copy=True).as_strided(tensor.shape, tensor.stride())


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
    values = {n: np.array(_numbers(p.double())) for n, p in fn.named_parameters() if p.requires_grad}
    module = deepcopy(fn).double().to(device)  # theirs stays as it is

    def called(*inputs: Any) -> Any:
        own = dict(zip(names, inputs[len(inputs) - len(names) :], strict=True))
        return torch.func.functional_call(module, own, inputs[: len(inputs) - len(names)])

    return called, values
