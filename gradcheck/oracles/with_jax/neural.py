"""What does JAX call the layers of networks? Its own functions where it has them; the losses are their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.rules import axes_of, one_axis
from gradcheck.oracles.with_jax.library import jax, jnp

Pair = int | tuple[int, int]


def _op_gelu(x: Any) -> Any:
    return jax.nn.gelu(jnp.asarray(x), approximate=False)


def _op_gelu_tanh(x: Any) -> Any:
    return jax.nn.gelu(jnp.asarray(x), approximate=True)


def _op_tanhshrink(x: Any) -> Any:
    return x - jnp.tanh(x)


def _op_standardize(x: Any, axis: Any = -1, eps: float = 1e-5) -> Any:
    """With the variance given, as its own is by default a difference of two large numbers."""
    x = jnp.asarray(x)
    return jax.nn.standardize(x, axis=axis, variance=jnp.var(x, axis=axis, keepdims=True), epsilon=eps)


def _op_rms_normalize(x: Any, axis: Any = -1, eps: float = 1e-5) -> Any:
    x = jnp.asarray(x)
    return x * jax.lax.rsqrt(jnp.mean(jnp.square(x), axis=axis, keepdims=True) + eps)


def _op_zero_pad(x: Any, before: int, after: int, axis: Any = -1) -> Any:
    x = jnp.asarray(x)
    widths = [(0, 0)] * x.ndim
    widths[one_axis(axis)] = (before, after)
    return jnp.pad(x, widths)


def _places(number: int, size: int, stride: int, dilation: int) -> Any:
    """Where element k of window i comes from: (windows, elements)."""
    return np.arange(number)[:, None] * stride + np.arange(size) * dilation


def _op_sliding_windows(x: Any, size: int, axis: Any = -1, stride: int = 1, dilation: int = 1) -> Any:
    x = jnp.asarray(x)
    (axis,) = axes_of(x.shape, axis)
    moved = jnp.moveaxis(x, axis, -1)
    number = (moved.shape[-1] - (size - 1) * dilation - 1) // stride + 1
    return jnp.moveaxis(moved[..., _places(number, size, stride, dilation)], -2, axis - 1)


def _op_overlap_add(x: Any, length: int, axis: Any = -2, stride: int = 1, dilation: int = 1) -> Any:
    x = jnp.asarray(x)
    (axis,) = axes_of(x.shape, axis)
    moved = jnp.moveaxis(x, axis, -2)
    places = _places(moved.shape[-2], moved.shape[-1], stride, dilation)
    added = jnp.zeros((*moved.shape[:-2], length), moved.dtype).at[..., places].add(moved)
    return jnp.moveaxis(added, -1, axis + 1)


def _each(value: Pair, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


def _convolved(
    rank: int, x: Any, weight: Any, bias: Any, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Any:
    x = jnp.asarray(x)
    y = jax.lax.conv_general_dilated(
        jnp.reshape(x, (-1, *x.shape[-rank - 1 :])),
        jnp.asarray(weight),
        window_strides=_each(stride, rank),
        padding=[(p, p) for p in _each(padding, rank)],
        rhs_dilation=_each(dilation, rank),
        feature_group_count=groups,
    )
    y = jnp.reshape(y, (*x.shape[: -rank - 1], *y.shape[1:]))
    return y if bias is None else y + jnp.reshape(bias, (-1, *(1,) * rank))


def _op_conv1d(
    x: Any, weight: Any, bias: Any = None, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1, groups: int = 1
) -> Any:
    return _convolved(1, x, weight, bias, stride, padding, dilation, groups)


def _op_conv2d(
    x: Any, weight: Any, bias: Any = None, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1, groups: int = 1
) -> Any:
    return _convolved(2, x, weight, bias, stride, padding, dilation, groups)


def _largest_apart(rank: int, x: Any, size: Pair, stride: Pair | None, padding: Pair, dilation: Pair) -> Any:
    """The first largest of windows with gaps, picked from the windows: of its own, JAX has no derivative."""
    edges = [*((0, 0),) * (x.ndim - rank), *((p, p) for p in _each(padding, rank))]
    x = jnp.pad(x, edges, constant_values=-jnp.inf)
    steps = _each(size if stride is None else stride, rank)
    for s, step, apart in zip(_each(size, rank), steps, _each(dilation, rank), strict=True):
        x = _op_sliding_windows(x, size=s, axis=-rank, stride=step, dilation=apart)
    windows = jnp.reshape(x, (*x.shape[:-rank], -1))
    where = jnp.argmax(windows, axis=-1, keepdims=True)
    return jnp.take_along_axis(windows, where, axis=-1)[..., 0]


def _pooled(rank: int, largest: bool, x: Any, size: Pair, stride: Pair | None, padding: Pair, dilation: Pair) -> Any:
    x = jnp.asarray(x)
    if largest and any(apart != 1 for apart in _each(dilation, rank)):
        return _largest_apart(rank, x, size, stride, padding, dilation)
    front = (1,) * (x.ndim - rank)
    window = _each(size, rank)
    y = jax.lax.reduce_window(
        x,
        -jnp.inf if largest else 0.0,
        jax.lax.max if largest else jax.lax.add,
        window_dimensions=(*front, *window),
        window_strides=(*front, *(window if stride is None else _each(stride, rank))),
        padding=[*((0, 0) for _ in front), *((p, p) for p in _each(padding, rank))],
        window_dilation=(*front, *_each(dilation, rank)),
    )
    return y if largest else y / float(np.prod(window))


def _op_max_pool1d(x: Any, size: Pair, stride: Pair | None = None, padding: Pair = 0, dilation: Pair = 1) -> Any:
    return _pooled(1, True, x, size, stride, padding, dilation)


def _op_max_pool2d(x: Any, size: Pair, stride: Pair | None = None, padding: Pair = 0, dilation: Pair = 1) -> Any:
    return _pooled(2, True, x, size, stride, padding, dilation)


def _op_avg_pool1d(x: Any, size: Pair, stride: Pair | None = None, padding: Pair = 0) -> Any:
    return _pooled(1, False, x, size, stride, padding, 1)


def _op_avg_pool2d(x: Any, size: Pair, stride: Pair | None = None, padding: Pair = 0) -> Any:
    return _pooled(2, False, x, size, stride, padding, 1)


def _op_sigmoid_cross_entropy(z: Any, y: Any) -> Any:
    return (1.0 - y) * jnp.asarray(z) - jax.nn.log_sigmoid(z)
