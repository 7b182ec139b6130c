"""What does PyTorch call the functions that work along axes? `names` looks for `op_<row>` here."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from gradcheck.expr.rules import one_axis
from gradcheck.oracles.with_torch.library import torch
from gradcheck.oracles.with_torch.values import condition, tensor
from gradcheck.oracles.with_torch.values import dims as dims_of


def op_sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = tensor(x)
    dims = dims_of(x, axis)
    return torch.sum(x, dim=dims, keepdim=keepdims) if dims else x


def op_mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = tensor(x)
    dims = dims_of(x, axis)
    return torch.mean(x, dim=dims, keepdim=keepdims) if dims else x


def op_prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _axis_by_axis(torch.prod, tensor(x), axis, keepdims)


def _axis_by_axis(function: Callable[..., Any], x: torch.Tensor, axis: Any, keepdims: bool) -> torch.Tensor:
    """A reduction that PyTorch has along one axis only, along several."""
    for dim in sorted((d % x.ndim for d in dims_of(x, axis)), reverse=True):
        x = function(x, dim=dim, keepdim=keepdims)
    return x


def op_max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = tensor(x)
    return torch.amax(x, dim=dims_of(x, axis), keepdim=keepdims) if x.ndim else x


def op_min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = tensor(x)
    return torch.amin(x, dim=dims_of(x, axis), keepdim=keepdims) if x.ndim else x


def op_var(x: Any, axis: Any = None, correction: Any = 0, keepdims: bool = False) -> Any:
    x = tensor(x)
    return torch.var(x, dim=dims_of(x, axis), correction=correction, keepdim=keepdims)


def op_std(x: Any, axis: Any = None, correction: Any = 0, keepdims: bool = False) -> Any:
    x = tensor(x)
    return torch.std(x, dim=dims_of(x, axis), correction=correction, keepdim=keepdims)


def op_any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _axis_by_axis(torch.any, condition(x), axis, keepdims)


def op_all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return torch.logical_not(op_any(torch.logical_not(condition(x)), axis, keepdims))


def op_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return torch.linalg.vector_norm(tensor(x), ord=float(ord), dim=dims_of(tensor(x), axis), keepdim=keepdims)


def op_logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return torch.logsumexp(tensor(x), dim=dims_of(tensor(x), axis), keepdim=keepdims)


def op_softmax(x: Any, axis: Any = None) -> Any:
    return _over_axes(torch.softmax, tensor(x), axis)


def op_log_softmax(x: Any, axis: Any = None) -> Any:
    return _over_axes(torch.log_softmax, tensor(x), axis)


def _over_axes(function: Callable[..., Any], x: torch.Tensor, axis: Any) -> torch.Tensor:
    """A function along one axis, over several at once: they are laid in a row and taken apart again."""
    dims = [d % x.ndim for d in dims_of(x, axis)]
    if len(dims) == 1:
        return function(x, dim=dims[0])  # type: ignore[no-any-return]
    order = [d for d in range(x.ndim) if d not in dims] + dims
    moved = torch.permute(x, order)
    kept = moved.shape[: x.ndim - len(dims)]
    row = function(torch.reshape(moved, (*kept, prod(moved.shape[len(kept) :]))), dim=-1)
    return torch.permute(torch.reshape(row, moved.shape), [order.index(d) for d in range(x.ndim)])


def op_argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _place(torch.argmax, tensor(x), axis, keepdims)


def op_argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _place(torch.argmin, tensor(x), axis, keepdims)


def _place(function: Callable[..., Any], x: torch.Tensor, axis: Any, keepdims: bool) -> Any:
    if isinstance(axis, tuple) and len(axis) > 1:  # all axes of a point, behind the points
        found = function(torch.flatten(x, -len(axis)), dim=-1)
        return torch.reshape(found, (*found.shape, *(1,) * len(axis))) if keepdims else found
    if axis is not None:
        return function(x, dim=one_axis(axis), keepdim=keepdims)
    found = function(x)
    return torch.reshape(found, (1,) * x.ndim) if keepdims else found
