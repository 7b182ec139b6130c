"""Does PyTorch code keep what a tape asks of it besides numbers? Each demand gives a sentence, empty where it is kept.

Undefined gradients, dtypes of gradients, cotangents that are strided or repeat one number, batches by `vmap`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gradcheck.oracles.blackbox.local import Row
from gradcheck.oracles.with_torch.library import torch
from gradcheck.oracles.with_torch.local import TorchLocal

BATCH = 3  # cotangents or tangents in a batch

Same = Callable[[Any, Any], bool]  # whether two tensors hold the same numbers, or the same but for rounding


class _Undefined(torch.autograd.Function):
    """Passes its input on, and nothing back: what comes before it gets an undefined gradient."""

    @staticmethod
    def forward(_ctx: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(_ctx: Any, *_cotangents: Any) -> Any:
        return None


def undefined(local: TorchLocal) -> str:
    """Undefined gradients of all outputs, and of each alone beside zeros, are taken for zeros."""
    outputs = local.graph()
    if not any(o.requires_grad for o in outputs):
        return ""
    everyone = range(len(outputs))
    for chosen in [set(everyone), *({k} for k in everyone if len(outputs) > 1)]:
        ends = [_Undefined.apply(o) if k in chosen else o for k, o in enumerate(outputs)]  # type: ignore[no-untyped-call]
        live = [o for o in ends if o.requires_grad]
        zeros = [torch.zeros_like(o) for o in live]
        try:
            found = torch.autograd.grad(live, local.tensors, zeros, retain_graph=True, allow_unused=True)
        except Exception as error:  # a backward that cannot do with None may raise anything
            return f"the backward raises {type(error).__name__} where the gradient of an output is undefined: {error}"
        for name, g in zip(local.names, found, strict=True):
            if g is not None and bool((g != 0).any()):
                return (
                    f"the gradient of {name} is not zero where that of an output is undefined and the others are zero"
                )
    return ""


def dtypes(local: TorchLocal, cotangent: Row, forward: bool) -> str:
    """Gradients have the dtype of their inputs; tangents, that of their outputs."""
    for name, x, g in zip(local.names, local.tensors, local.pulled(local.x, local.shaped(cotangent)), strict=True):
        if g.dtype is not x.dtype:
            return f"the gradient of {name} is {g.dtype}, the input {x.dtype}"
    if forward:
        for k, (o, t) in enumerate(zip(local.graph(), local.pushed(local.x, local.x), strict=True)):
            if t.dtype is not o.dtype:
                return f"the tangent of output {k} is {t.dtype}, the output {o.dtype}"
    return ""


def again(local: TorchLocal, cotangent: Row, same: Same, alike: Same) -> str:
    """The same question again gives the same answer; and one with a strided or expanded cotangent the same numbers."""
    if local.first is None:
        local.vjp(local.x, cotangent)
    assert local.first is not None, "it was asked just now"
    plain, first = local.first
    second = local.pulled(local.x, [_strided(c) for c in plain])
    if any(not same(a, b) for a, b in zip(first, second, strict=True)):
        third = local.pulled(local.x, plain)
        for k, name in enumerate(local.names):
            if not same(first[k], third[k]):
                return f"the gradient of {name} is another one when it is asked for again"
            if not alike(first[k], second[k]):
                how = "every second number of a longer tensor"
                return f"the gradient of {name} is another one where the cotangent is {how}"
    if all(c.numel() == 1 for c in plain):
        return ""
    right = local.pulled(local.x, [torch.ones_like(c, memory_format=torch.contiguous_format) for c in plain])
    found = local.pulled(local.x, [torch.ones((), dtype=c.dtype, device=c.device).expand(c.shape) for c in plain])
    for name, a, b in zip(local.names, right, found, strict=True):
        if not alike(a, b):
            return f"the gradient of {name} is another one where the cotangent is one number, expanded"
    return ""


def zeros(local: TorchLocal) -> str:
    """A cotangent of zeros gives zeros."""
    nothing = [torch.zeros_like(o, memory_format=torch.contiguous_format) for o in local.graph()]
    for name, g in zip(local.names, local.pulled(local.x, nothing), strict=True):
        if bool((g != 0).any()):
            return f"the gradient of {name} is not zero for a cotangent of zeros"
    return ""


def _strided(x: Any) -> Any:
    """The same numbers, each but the last followed by another one in memory."""
    return torch.stack([x, x], dim=-1)[..., 0] if x.numel() > 1 else x


def batched(local: TorchLocal, rows: Sequence[Row], alike: Same) -> str:
    """A batch of cotangents, by `vmap` over the backward pass, gives what each gives alone."""
    alone = [local.pulled(local.x, local.shaped(row)) for row in rows]
    columns = zip(*(local.shaped(row) for row in rows), strict=True)
    cotangents = [torch.stack(column) for column in columns]
    try:
        together = local.pulled(local.x, cotangents, is_grads_batched=True)
    except RuntimeError as error:
        return f"the backward cannot be batched by vmap: {_first_line(error)}"
    return _apart(zip(*alone, strict=True), together, local.names, "the gradient of", alike)


def batched_forward(local: TorchLocal, rows: Sequence[Row], alike: Same) -> str:
    """A batch of tangents, by `vmap` over forward mode, gives what each gives alone."""
    alone = [local.pushed(local.x, row) for row in rows]
    try:
        together = local.pushed_together(rows)
    except RuntimeError as error:
        return f"forward mode cannot be batched by vmap: {_first_line(error)}"
    names = [part.name for part in local.outputs]
    return _apart(zip(*alone, strict=True), together, names, "the tangent of", alike)


def _apart(alone: Iterator[Any], together: Sequence[Any], names: Sequence[str], what: str, alike: Same) -> str:
    for name, one, all_ in zip(names, alone, together, strict=True):
        stacked = torch.stack([*one])
        if stacked.shape != all_.shape or not alike(stacked, all_):
            return f"{what} {name} is another one in a batch by vmap"
    return ""


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
