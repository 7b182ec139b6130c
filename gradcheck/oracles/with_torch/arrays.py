"""What does PyTorch call the functions that index, sort and lay out arrays? `names` looks for `op_<row>` here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.expr.rows_assembly import listed
from gradcheck.expr.rules import single_axis
from gradcheck.oracles.with_torch.library import torch
from gradcheck.oracles.with_torch.values import alike, condition, constants, dims, tensor


def op_take(x: Any, indices: Any, axis: Any = None) -> Any:
    x = tensor(x)
    dim = single_axis(axis, x.ndim, "take") % x.ndim
    index = counted(indices, x.shape[dim])
    taken = torch.index_select(x, dim, index.reshape(-1))
    return torch.reshape(taken, (*x.shape[:dim], *index.shape, *x.shape[dim + 1 :]))


def counted(indices: Any, size: int) -> torch.Tensor:
    """Indices as whole numbers counted from the start, which is how PyTorch's gathers want them."""
    index = indices if isinstance(indices, torch.Tensor) else torch.as_tensor(np.asarray(indices))
    index = index.to(torch.int64)
    return torch.where(index < 0, index + size, index)


def op_repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    counts = repeats if isinstance(repeats, int) else torch.as_tensor(np.asarray(repeats))
    return torch.repeat_interleave(tensor(x), counts, dim=axis)


def op_roll(x: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return torch.roll(tensor(x), shift)
    dims = axis if isinstance(axis, tuple) else (axis,)
    return torch.roll(tensor(x), shift if isinstance(shift, tuple) else (shift,) * len(dims), dims)


def op_cumulative_sum(x: Any, axis: Any = None, include_initial: bool = False) -> Any:
    dim = single_axis(axis, tensor(x).ndim, "cumulative_sum")
    return _started(torch.cumsum(tensor(x), dim=dim), dim, 0.0, include_initial)


def op_cumulative_prod(x: Any, axis: Any = None, include_initial: bool = False) -> Any:
    dim = single_axis(axis, tensor(x).ndim, "cumulative_prod")
    return _started(torch.cumprod(tensor(x), dim=dim), dim, 1.0, include_initial)


def _started(running: torch.Tensor, dim: int, initial: float, included: bool) -> torch.Tensor:
    if not included:
        return running
    shape = list(running.shape)
    shape[dim] = 1
    return torch.cat([torch.full(shape, initial, dtype=running.dtype), running], dim=dim)


def op_take_along_axis(x: Any, indices: Any, axis: int = -1) -> Any:
    x = tensor(x)
    return torch.take_along_dim(x, counted(indices, x.shape[axis]), dim=axis)


def op_scatter_along_axis(values: Any, indices: Any, size: int, axis: int = -1) -> Any:
    values, index = torch.broadcast_tensors(tensor(values), counted(indices, size))  # type: ignore[no-untyped-call]
    shape = list(values.shape)
    shape[axis] = size
    return torch.zeros(shape, dtype=values.dtype).scatter_add(axis, index, values)


def op_index_add(x: Any, indices: Any, values: Any, axis: int = 0) -> Any:
    x = tensor(x)
    return torch.index_add(x, axis, counted(indices, x.shape[axis]), tensor(values))


def op_argsort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    return torch.argsort(tensor(x), dim=axis, descending=descending, stable=True)


def op_sort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    return torch.sort(tensor(x), dim=axis, descending=descending, stable=True).values


def op_top_k(x: Any, k: int, axis: int = -1) -> Any:
    return torch.topk(tensor(x), k, dim=axis).values


def op_quantile(x: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
    if isinstance(q, tuple | list):
        return torch.stack([op_quantile(x, part, axis, keepdims) for part in q])
    x = tensor(x)
    over = [d % x.ndim for d in dims(x, axis)]
    rest = [d for d in range(x.ndim) if d not in over]
    laid = torch.permute(x, (*rest, *over)).reshape(*(x.shape[d] for d in rest), -1)
    found = torch.quantile(laid, float(q), dim=-1)
    return found.reshape([1 if d in over else n for d, n in enumerate(x.shape)]) if keepdims else found


def op_median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return op_quantile(x, 0.5, axis, keepdims)


def op_cumulative_max(x: Any, axis: Any = None) -> Any:
    return torch.cummax(tensor(x), dim=single_axis(axis, tensor(x).ndim, "cumulative_max")).values


def op_cumulative_min(x: Any, axis: Any = None) -> Any:
    return torch.cummin(tensor(x), dim=single_axis(axis, tensor(x).ndim, "cumulative_min")).values


def op_cumulative_logsumexp(x: Any, axis: Any = None) -> Any:
    return torch.logcumsumexp(tensor(x), dim=single_axis(axis, tensor(x).ndim, "cumulative_logsumexp"))


def op_count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    found = tensor(x).ne(0)
    over = dims(found, axis)
    return torch.sum(found, dim=over, keepdim=keepdims) if over else found.to(torch.int64)


def op_empty_like(x: Any) -> Any:
    return torch.zeros_like(tensor(x))


def op_logical_xor(a: Any, b: Any) -> Any:
    return torch.logical_xor(condition(a), condition(b))


def _bits(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of bits on truth values and whole numbers."""

    def call(*args: Any) -> Any:
        tensors = [tensor(a) for a in args]
        return function(*[t if t.dtype == torch.bool else t.to(torch.int64) for t in tensors])

    return call


op_bitwise_and, op_bitwise_or, op_bitwise_xor, op_bitwise_invert, op_bitwise_left_shift, op_bitwise_right_shift = (
    _bits(getattr(torch, f"bitwise_{name}")) for name in ("and", "or", "xor", "not", "left_shift", "right_shift")
)


def op_tile(x: Any, repetitions: Any) -> Any:
    return torch.tile(tensor(x), repetitions if isinstance(repetitions, tuple) else (repetitions,))


def op_unstack(x: Any, axis: int = 0) -> Any:
    return torch.unbind(tensor(x), dim=axis)


def op_moveaxis(x: Any, source: Any, destination: Any) -> Any:
    return torch.movedim(tensor(x), source, destination)


def op_swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    return torch.swapaxes(tensor(x), axis1, axis2)


def op_rot90(x: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    return torch.rot90(tensor(x), k, axes)


def _several(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of several arrays, which come one by one or as one list."""

    def call(*arrays: Any, **params: Any) -> Any:
        return function([tensor(a) for a in listed(arrays)], **params)

    return call


op_hstack, op_vstack = _several(torch.hstack), _several(torch.vstack)
op_meshgrid = _several(lambda arrays, indexing="xy": torch.meshgrid(*arrays, indexing=indexing))
op_broadcast_arrays = _several(lambda arrays: torch.broadcast_tensors(*arrays))  # type: ignore[no-untyped-call]
op_einsum = _several(lambda arrays, subscripts: torch.einsum(subscripts, *alike(*arrays)))


def op_diff(x: Any, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    x = tensor(x)
    ends = [None if e is None else _end(tensor(e), x, axis) for e in (prepend, append)]
    return torch.diff(x, n=n, dim=axis, prepend=ends[0], append=ends[1])


def _end(given: torch.Tensor, x: torch.Tensor, axis: int) -> torch.Tensor:
    shape = list(x.shape)
    shape[axis] = 1
    return given.expand(shape) if given.ndim == 0 else given


def op_trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    return torch.trapezoid(tensor(y), dx=dx, dim=axis) if x is None else torch.trapezoid(tensor(y), tensor(x), dim=axis)


def op_linspace(start: Any, stop: Any, num: int, endpoint: bool = True) -> Any:
    if isinstance(start, int | float) and isinstance(stop, int | float):
        steps = num if endpoint else num + 1
        return torch.linspace(start, stop, steps, dtype=constants())[:num]
    part = tensor(np.linspace(0.0, 1.0, num, endpoint=endpoint))  # torch.linspace lets no derivative through
    return tensor(start) * (1.0 - part) + tensor(stop) * part
