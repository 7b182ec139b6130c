"""What does JAX call the functions that index, sort and lay out arrays? `names` looks for `op_<row>` here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.expr.rows_assembly import listed
from gradcheck.expr.rules import single_axis
from gradcheck.oracles.with_jax.library import jax, jnp


def op_cumulative_sum(x: Any, axis: Any = None, include_initial: bool = False) -> Any:
    return jnp.cumulative_sum(jnp.asarray(x), axis=axis, include_initial=include_initial)


def op_cumulative_prod(x: Any, axis: Any = None, include_initial: bool = False) -> Any:
    return jnp.cumulative_prod(jnp.asarray(x), axis=axis, include_initial=include_initial)


def op_take(x: Any, indices: Any, axis: Any = None) -> Any:
    x = jnp.asarray(x)
    return jnp.take(x, jnp.asarray(indices, dtype=int), axis=single_axis(axis, x.ndim, "take"))


def op_repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    return jnp.repeat(jnp.asarray(x), np.asarray(repeats), axis=axis)


def op_roll(x: Any, shift: Any, axis: Any = None) -> Any:
    return jnp.roll(jnp.asarray(x), shift, axis)


def op_take_along_axis(x: Any, indices: Any, axis: int = -1) -> Any:
    return jnp.take_along_axis(jnp.asarray(x), jnp.asarray(indices).astype(int), axis=axis)


def op_scatter_along_axis(values: Any, indices: Any, size: int, axis: int = -1) -> Any:
    values, index = jnp.broadcast_arrays(jnp.asarray(values), jnp.asarray(indices).astype(int))
    shape = list(values.shape)
    places: list[Any] = list(jnp.ogrid[tuple(slice(n) for n in shape)])
    shape[axis], places[axis] = size, index
    return jnp.zeros(shape, dtype=values.dtype).at[tuple(places)].add(values)


def op_argsort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    return jnp.argsort(jnp.asarray(x), axis=axis, descending=descending, stable=True)


def op_sort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    return jnp.sort(jnp.asarray(x), axis=axis, descending=descending, stable=True)


def op_top_k(x: Any, k: int, axis: int = -1) -> Any:
    return jnp.moveaxis(jax.lax.top_k(jnp.moveaxis(jnp.asarray(x), axis, -1), k)[0], -1, axis)


def op_quantile(x: Any, q: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return jnp.quantile(jnp.asarray(x), jnp.asarray(q), axis=axis, keepdims=keepdims)


def op_median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return jnp.median(jnp.asarray(x), axis=axis, keepdims=keepdims)


def op_searchsorted(x1: Any, x2: Any, side: str = "left", sorter: Any = None) -> Any:
    order = None if sorter is None else jnp.asarray(sorter, dtype=int)
    return jnp.searchsorted(jnp.asarray(x1), jnp.asarray(x2), side=side, sorter=order)


def op_cumulative_max(x: Any, axis: Any = None) -> Any:
    return jax.lax.cummax(x, axis=single_axis(axis, x.ndim, "cumulative_max") % x.ndim)


def op_cumulative_min(x: Any, axis: Any = None) -> Any:
    return jax.lax.cummin(x, axis=single_axis(axis, x.ndim, "cumulative_min") % x.ndim)


def op_cumulative_logsumexp(x: Any, axis: Any = None) -> Any:
    return jax.lax.cumlogsumexp(x, axis=single_axis(axis, x.ndim, "cumulative_logsumexp") % x.ndim)


def op_count_nonzero(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return jnp.count_nonzero(jnp.asarray(x), axis=axis, keepdims=keepdims)


def op_empty_like(x: Any) -> Any:
    return jnp.zeros_like(x)


def _bits(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of bits on truth values and whole numbers."""

    def call(*args: Any) -> Any:
        arrays = [jnp.asarray(a) for a in args]
        return function(*[a if a.dtype == bool else a.astype(int) for a in arrays])

    return call


op_bitwise_and, op_bitwise_or, op_bitwise_xor, op_bitwise_invert, op_bitwise_left_shift, op_bitwise_right_shift = (
    _bits(getattr(jnp, name))
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert", "left_shift", "right_shift")
)


def op_tile(x: Any, repetitions: Any) -> Any:
    return jnp.tile(jnp.asarray(x), repetitions)


def op_moveaxis(x: Any, source: Any, destination: Any) -> Any:
    return jnp.moveaxis(jnp.asarray(x), source, destination)


def op_swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    return jnp.swapaxes(jnp.asarray(x), axis1, axis2)


def op_rot90(x: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    return jnp.rot90(jnp.asarray(x), k, axes)


def _several(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of several arrays, which come one by one or as one list."""

    def call(*arrays: Any, **params: Any) -> Any:
        return function([jnp.asarray(a) for a in listed(arrays)], **params)

    return call


op_hstack, op_vstack = _several(jnp.hstack), _several(jnp.vstack)
op_meshgrid = _several(lambda arrays, indexing="xy": jnp.meshgrid(*arrays, indexing=indexing))
op_broadcast_arrays = _several(lambda arrays: jnp.broadcast_arrays(*arrays))
op_einsum = _several(lambda arrays, subscripts: jnp.einsum(subscripts, *arrays))


def op_pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = 0.0) -> Any:
    more = {"constant_values": constant_values} if mode == "constant" else {}
    return jnp.pad(jnp.asarray(x), pad_width, mode=mode, **more)


def op_diff(x: Any, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    return jnp.diff(jnp.asarray(x), n=n, axis=axis, prepend=prepend, append=append)


def op_trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    return jnp.trapezoid(jnp.asarray(y), None if x is None else jnp.asarray(x), dx=dx, axis=axis)


def op_linspace(start: Any, stop: Any, num: int, endpoint: bool = True) -> Any:
    return jnp.linspace(start, stop, num, endpoint=endpoint)
