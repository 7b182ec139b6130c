"""Functions of PyTorch whose backward passes are wrong in their regions only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.regions.faults import fault_in

KNEE = 0.6065


def _function(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    class Rule(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            ctx.save_for_backward(*inputs)
            return forward(*inputs)

        @staticmethod
        def backward(ctx: Any, ct: Any) -> Any:
            return backward(*ctx.saved_tensors, ct)

    return Rule.apply


def _dense(x: Any) -> Any:
    """The memory read as if the tensor were dense and began where its storage does."""
    dense = torch.empty(x.shape).stride()
    return torch.as_strided(x, x.shape, dense, 0)


def _square(where: Callable[..., Any], wrong: Callable[..., Any]) -> Callable[..., Any]:
    return _function(lambda x: x * x, lambda x, ct: fault_in(2 * ct * x, where(x, ct), wrong(x, ct)))


def _torn(x: Any) -> bool:
    return not x.is_contiguous() and 0 not in x.stride()


square_of_views = _square(lambda x, ct: _torn(x), lambda x, ct: 2 * ct * _dense(x) if _torn(x) else x)


def _late(x: Any) -> bool:
    return x.storage_offset() > 0 and x.is_contiguous()


square_of_offsets = _square(lambda x, ct: _late(x), lambda x, ct: 2 * ct * _dense(x) if _late(x) else x)
square_of_expanded_cotangents = _square(
    lambda x, ct: ct.numel() > 1 and 0 in ct.stride(), lambda x, ct: 2 * ct * x / ct.numel()
)
square_in_single = _square(lambda x, ct: x.dtype == torch.float32, lambda x, ct: ct * x)
square_in_bfloat16 = _square(lambda x, ct: x.dtype == torch.bfloat16, lambda x, ct: 2.5 * ct * x)
square_between = _square(lambda x, ct: (x > KNEE) & (x < KNEE + 1e-3), lambda x, ct: ct * x)
square_but_the_tail = _square(
    lambda x, ct: (torch.arange(x.numel()) >= x.numel() // 8 * 8) & (x.numel() > 8), lambda x, ct: 0 * x
)


def _clipped(x: Any, ct: Any) -> Any:
    right = ct * ((x > -1) & (x < 1))
    return fault_in(right, x.abs() == 1, 3 * ct)


clipped_at_its_ends = _function(lambda x: x.clamp(-1.0, 1.0), _clipped)


def _weighed(x: Any, y: Any, ct: Any) -> Any:
    same = x.data_ptr() == y.data_ptr()
    return fault_in(ct * y, same, 2 * ct * y), fault_in(ct * x, same, 0 * x)


weighed_in_place = _function(lambda x, y: x * y, _weighed)
