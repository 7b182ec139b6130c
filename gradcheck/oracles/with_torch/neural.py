"""What does PyTorch call the layers and losses of networks? Its own functions, their axes and shapes made to fit.

Functions whose name and signature fit say so in their rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.expr.rules import axes_of, one_axis
from gradcheck.oracles.with_torch.library import torch
from gradcheck.oracles.with_torch.values import tensor

F = torch.nn.functional


def _maybe(value: Any) -> Any:
    return None if value is None else tensor(value)


def _op_gelu_tanh(x: Any) -> Any:
    return F.gelu(tensor(x), approximate="tanh")


def _op_glu(x: Any, axis: int = -1) -> Any:
    return F.glu(tensor(x), dim=axis)


def _behind(x: torch.Tensor, axis: Any, function: Callable[[torch.Tensor, tuple[int, ...]], Any]) -> Any:
    """function(x, sizes) with the given axes brought to the end, and taken back."""
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    last = tuple(range(-len(axes), 0))
    axes = tuple(sorted(a % x.ndim for a in axes))
    moved = torch.movedim(x, axes, last)
    return torch.movedim(function(moved, tuple(moved.shape[a] for a in last)), last, axes)


def _op_standardize(x: Any, axis: Any = -1, eps: float = 1e-5) -> Any:
    return _behind(tensor(x), axis, lambda x, sizes: F.layer_norm(x, sizes, eps=eps))


def _op_rms_normalize(x: Any, axis: Any = -1, eps: float = 1e-5) -> Any:
    return _behind(tensor(x), axis, lambda x, sizes: F.rms_norm(x, sizes, eps=eps))


def _op_layer_norm(x: Any, weight: Any = None, bias: Any = None, axis: Any = -1, eps: float = 1e-5) -> Any:
    if axis != -1:
        y = _op_standardize(x, axis, eps)
        y = y if weight is None else y * tensor(weight)
        return y if bias is None else y + tensor(bias)
    x = tensor(x)
    return F.layer_norm(x, x.shape[-1:], _maybe(weight), _maybe(bias), eps)


def _op_rms_norm(x: Any, weight: Any = None, axis: Any = -1, eps: float = 1e-5) -> Any:
    if axis != -1:
        y = _op_rms_normalize(x, axis, eps)
        return y if weight is None else y * tensor(weight)
    x = tensor(x)
    return F.rms_norm(x, x.shape[-1:], _maybe(weight), eps)


def _op_batch_norm(x: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    return F.batch_norm(tensor(x), None, None, _maybe(weight), _maybe(bias), training=True, eps=eps)


def _op_group_norm(x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    return F.group_norm(tensor(x), groups, _maybe(weight), _maybe(bias), eps)


def _op_instance_norm(x: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    return F.instance_norm(tensor(x), None, None, _maybe(weight), _maybe(bias), eps=eps)


def _op_zero_pad(x: Any, before: int, after: int, axis: Any = -1) -> Any:
    x = tensor(x)
    behind = x.ndim - 1 - one_axis(axis) % x.ndim
    return F.pad(x, (*(0, 0) * behind, before, after))


def _op_sliding_windows(x: Any, size: int, axis: Any = -1, stride: int = 1, dilation: int = 1) -> Any:
    return tensor(x).unfold(one_axis(axis), (size - 1) * dilation + 1, stride)[..., ::dilation]


def _op_overlap_add(x: Any, length: int, axis: Any = -2, stride: int = 1, dilation: int = 1) -> Any:
    x = tensor(x)
    (axis,) = axes_of(x.shape, axis)
    moved = torch.movedim(x, axis, -2)
    number, size = moved.shape[-2:]
    places = np.arange(number)[:, None] * stride + np.arange(size) * dilation
    flat = torch.reshape(moved, (*moved.shape[:-2], number * size))
    zeros = torch.zeros((*moved.shape[:-2], length), dtype=moved.dtype)
    added = zeros.index_add(-1, torch.as_tensor(places.reshape(-1)), flat)
    return torch.movedim(added, -1, axis + 1)


def _convolution(function: Callable[..., Any], rank: int) -> Callable[..., Any]:
    def convolve(
        x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
    ) -> Any:
        x = tensor(x)
        batch = torch.reshape(x, (-1, *x.shape[-rank - 1 :]))
        y = function(batch, tensor(weight), _maybe(bias), stride, padding, dilation, groups)
        return torch.reshape(y, (*x.shape[: -rank - 1], *y.shape[1:]))

    return convolve


_op_conv1d, _op_conv2d = _convolution(F.conv1d, 1), _convolution(F.conv2d, 2)


def _pool(function: Callable[..., Any], rank: int) -> Callable[..., Any]:
    """Pooling of arrays with any leading axes, which count as channels of one example."""

    def pool(x: Any, size: Any, stride: Any = None, padding: Any = 0, **more: Any) -> Any:
        x = tensor(x)
        y = function(torch.reshape(x, (1, -1, *x.shape[-rank:])), size, stride, padding, **more)
        return torch.reshape(y, (*x.shape[:-rank], *y.shape[2:]))

    return pool


_op_max_pool1d, _op_max_pool2d = _pool(F.max_pool1d, 1), _pool(F.max_pool2d, 2)
_op_avg_pool1d, _op_avg_pool2d = _pool(F.avg_pool1d, 1), _pool(F.avg_pool2d, 2)


def _op_sigmoid_cross_entropy(z: Any, y: Any) -> Any:
    z, y = torch.broadcast_tensors(tensor(z), tensor(y))  # type: ignore[no-untyped-call]
    return F.binary_cross_entropy_with_logits(z, y, reduction="none")


def _loss(function: Callable[..., Any]) -> Callable[..., Any]:
    """A loss of two arrays, which PyTorch wants of one shape."""

    def loss(x: Any, y: Any, **params: Any) -> Any:
        x, y = torch.broadcast_tensors(tensor(x), tensor(y))  # type: ignore[no-untyped-call]
        return function(x, y, **params)

    return loss


_op_binary_cross_entropy_with_logits = _loss(F.binary_cross_entropy_with_logits)
_op_binary_cross_entropy = _loss(F.binary_cross_entropy)
_op_mse_loss, _op_l1_loss, _op_huber_loss = _loss(F.mse_loss), _loss(F.l1_loss), _loss(F.huber_loss)
_op_smooth_l1_loss = _loss(F.smooth_l1_loss)


def _op_kl_div(x: Any, target: Any, log_target: bool = False, reduction: str = "mean") -> Any:
    """The mean is taken here: PyTorch warns that its own is to become another one."""
    each = _loss(F.kl_div)(x, target, log_target=log_target, reduction="none")
    if reduction == "batchmean":
        return each.sum() / each.shape[0]
    return each if reduction == "none" else each.mean() if reduction == "mean" else each.sum()


def _classified(function: Callable[..., Any]) -> Callable[..., Any]:
    """A loss over classes, which PyTorch wants along axis 1 of a matrix; labels as integers."""

    def loss(x: Any, target: Any, axis: int = -1, reduction: str = "mean") -> Any:
        x = tensor(x)
        target = tensor(target)
        rows = torch.movedim(x, axis, -1)
        if target.ndim < x.ndim:
            wanted = torch.reshape(target, (-1,)).to(torch.int64)
        else:
            wanted = torch.reshape(torch.movedim(target, axis, -1), (-1, rows.shape[-1]))
        each = function(torch.reshape(rows, (-1, rows.shape[-1])), wanted, reduction="none")
        each = torch.reshape(each, rows.shape[:-1])
        return each if reduction == "none" else each.mean() if reduction == "mean" else each.sum()

    return loss


_op_cross_entropy, _op_nll_loss = _classified(F.cross_entropy), _classified(F.nll_loss)


def _op_cosine_similarity(x: Any, y: Any, axis: int = -1, eps: float = 1e-8) -> Any:
    return F.cosine_similarity(tensor(x), tensor(y), dim=axis, eps=eps)


def _op_linear(x: Any, weight: Any, bias: Any = None) -> Any:
    return F.linear(tensor(x), tensor(weight), _maybe(bias))


def _op_embedding(weight: Any, indices: Any) -> Any:
    return F.embedding(torch.as_tensor(np.asarray(indices, dtype=np.int64)), tensor(weight))


def _op_attention(
    query: Any, key: Any, value: Any, mask: Any = None, bias: Any = None, scale: float | None = None
) -> Any:
    hide = None if mask is None else tensor(mask).to(torch.bool)
    if bias is not None:
        hide = tensor(bias) if hide is None else torch.where(hide, tensor(bias), -torch.inf)
    return F.scaled_dot_product_attention(tensor(query), tensor(key), tensor(value), attn_mask=hide, scale=scale)
