"""What does PyTorch's tape say of a gradient's own gradient? The gradient as a function of inputs and cotangents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradcheck.oracles.with_torch.library import torch
from gradcheck.oracles.with_torch.local import differentiable


def twice(fn: Callable[..., Any], given: Sequence[Any], cotangents: Sequence[Any]) -> Callable[..., tuple[Any, ...]]:
    """A function of (*given, *cotangents): the gradients of fn by those of `given` that require one, with their tape.

    A gradient that PyTorch has none of (None) is left out, as in its own check.
    """
    count = len(given)
    wrt = [k for k, x in enumerate(given) if isinstance(x, torch.Tensor) and x.requires_grad]
    tracked = [*wrt, *(count + k for k, c in enumerate(cotangents) if c.requires_grad)]

    def gradients(*arguments: Any) -> tuple[Any, ...]:
        with torch.enable_grad():
            for k in tracked:
                if not arguments[k].requires_grad:
                    arguments[k].requires_grad_()
            outputs = differentiable(fn(*arguments[:count]))
            found = torch.autograd.grad(
                outputs, [arguments[k] for k in wrt], arguments[count:], create_graph=True, allow_unused=True
            )
            return tuple(g for g in found if g is not None)

    gradients.__name__ = f"the gradient of {getattr(fn, '__name__', type(fn).__name__)}"
    return gradients


def random_like(outputs: Sequence[Any], strided: bool) -> tuple[Any, ...]:
    """A cotangent for each output, numbers between -1 and 1; every second of a longer tensor where `strided`."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for o in outputs:
        dtype = o.dtype if o.is_floating_point() or o.is_complex() else torch.float64
        numbers = torch.rand(o.shape, generator=generator, dtype=torch.float64) * 2 - 1
        if dtype.is_complex:
            numbers = torch.complex(numbers, torch.rand(o.shape, generator=generator, dtype=torch.float64) * 2 - 1)
        numbers = numbers.to(o.device, dtype)
        found.append((torch.stack([numbers, numbers], dim=-1)[..., 0] if strided else numbers).requires_grad_())
    return tuple(found)
