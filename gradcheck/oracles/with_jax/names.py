"""What does JAX call the functions of the vocabulary? Where a name and a signature fit, the row says it; else here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcheck.errors import Unsupported
from gradcheck.expr import VOCABULARY
from gradcheck.expr.rules import one_axis
from gradcheck.oracles.with_jax import arrays as jax_arrays
from gradcheck.oracles.with_jax import neural as jax_neural
from gradcheck.oracles.with_jax.library import jax, jnp
from gradcheck.oracles.with_jax.names_linalg import OPERATIONS


class JaxNamespace:
    """The vocabulary on JAX arrays, one point at a time (vmap adds the batch); in `dtype`, where it is narrower."""

    def __init__(self, dtype: str = "float64") -> None:
        self.dtype = dtype

    def __getattr__(self, name: str) -> Callable[..., Any]:
        row = VOCABULARY.get(name)
        if row is None:
            raise AttributeError(name)
        special: Any = globals().get(f"_op_{name}") or getattr(jax_arrays, f"op_{name}", None)
        special = special or vars(jax_neural).get(f"_op_{name}")
        special = special or OPERATIONS.get(name)
        if special is None and row.compose is not None and not row.jax:
            return partial(row.compose, self)
        if special is None:
            special = jax
            for part in (row.jax.removeprefix("jax.") or f"numpy.{row.name}").split("."):
                if not hasattr(special, part):
                    raise Unsupported("JAX", row.name)
                special = getattr(special, part)
        if self.dtype != "float64":
            special = _narrowed(special, self.dtype)
        self.__dict__[name] = special
        function: Callable[..., Any] = special
        return function


def _narrowed(function: Callable[..., Any], dtype: str) -> Callable[..., Any]:
    """A function to which NumPy's numbers are of the dtype: JAX would else compute in their float64."""

    def narrow(value: Any) -> Any:
        wide = isinstance(value, np.ndarray | np.generic | jax.Array) and value.dtype == np.float64
        return jnp.asarray(value).astype(dtype) if wide else value

    def call(*args: Any, **params: Any) -> Any:
        return jax.tree.map(narrow, function(*jax.tree.map(narrow, args), **params))

    return call


def _op_norm(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = jnp.asarray(x)
    if axis is not None and not isinstance(axis, tuple):
        axis = (axis,)
    if axis is None or len(axis) == x.ndim:
        flat = jnp.linalg.norm(jnp.ravel(x), ord=float(ord))
        return jnp.reshape(flat, (1,) * x.ndim) if keepdims else flat
    if len(axis) == 1:
        return jnp.linalg.norm(x, axis=axis[0], keepdims=keepdims, ord=float(ord))
    return {1: _norm_one, 2: _norm_two}.get(ord, _norm_max)(x, axis, keepdims)


def _norm_one(x: Any, axis: Any, keepdims: bool) -> Any:
    return jnp.sum(jnp.abs(x), axis=axis, keepdims=keepdims)


def _norm_two(x: Any, axis: Any, keepdims: bool) -> Any:
    return jnp.sqrt(jnp.sum(x * x, axis=axis, keepdims=keepdims))


def _norm_max(x: Any, axis: Any, keepdims: bool) -> Any:
    return jnp.max(jnp.abs(x), axis=axis, keepdims=keepdims)


def _one(axis: Any) -> int:
    """The only axis a row works along."""
    return one_axis(axis)


def _op_where(condition: Any, a: Any, b: Any) -> Any:
    return jnp.where(jnp.asarray(condition, dtype=bool), a, b)


def _op_stop_gradient(x: Any) -> Any:
    return jax.lax.stop_gradient(jnp.asarray(x))


def _op_polygamma(n: Any, x: Any) -> Any:
    return jax.scipy.special.polygamma(n.astype(int) if isinstance(n, jax.Array) else int(n), x)


def _op_softmax(x: Any, axis: Any = None) -> Any:
    return jax.nn.softmax(jnp.asarray(x), axis=axis)


def _op_log_softmax(x: Any, axis: Any = None) -> Any:
    return jax.nn.log_softmax(jnp.asarray(x), axis=axis)


def _op_relu(x: Any) -> Any:
    return jax.nn.relu(x)


def _op_softplus(x: Any) -> Any:
    return jax.nn.softplus(x)


def _op_logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return jax.scipy.special.logsumexp(jnp.asarray(x), axis=axis, keepdims=keepdims)


def _op_argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return jnp.argmax(jnp.asarray(x), axis=None if axis is None else _one(axis), keepdims=keepdims)


def _op_argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return jnp.argmin(jnp.asarray(x), axis=None if axis is None else _one(axis), keepdims=keepdims)


def _op_dot(a: Any, b: Any) -> Any:
    return jnp.vecdot(jnp.conj(jnp.asarray(a)), jnp.asarray(b))  # which conjugates its first


def _op_outer(a: Any, b: Any) -> Any:
    return jnp.expand_dims(jnp.asarray(a), -1) * jnp.expand_dims(jnp.asarray(b), -2)


def _op_trace(x: Any) -> Any:
    return jnp.trace(jnp.asarray(x), axis1=-2, axis2=-1)


def _op_diag(x: Any) -> Any:
    x = jnp.asarray(x)
    return jnp.expand_dims(x, -1) * jnp.eye(x.shape[-1])


def _op_diagonal(x: Any, offset: int = 0) -> Any:
    return jnp.diagonal(jnp.asarray(x), offset=offset, axis1=-2, axis2=-1)


def _op_permute_dims(x: Any, axes: Any = None) -> Any:
    return jnp.transpose(jnp.asarray(x), axes)


def _op_det(x: Any) -> Any:
    return jnp.linalg.det(x)


def _op_inv(x: Any) -> Any:
    return jnp.linalg.inv(x)


def _op_solve(a: Any, b: Any) -> Any:
    return jnp.linalg.solve(a, b)


def _op_getitem(x: Any, index: Any) -> Any:
    parts = index if isinstance(index, tuple) else (index,)
    return jnp.asarray(x)[tuple(part.astype(int) if isinstance(part, jax.Array) else part for part in parts)]


def _op_scatter(x: Any, index: Any, shape: Any) -> Any:
    x = jnp.asarray(x)
    return jnp.zeros(shape, x.dtype).at[index].add(x)


def _constant(name: str) -> Callable[..., Any]:
    def call(*args: Any, **params: Any) -> Any:
        return jnp.asarray(VOCABULARY[name].numpy(*args, **params))

    return call


_op_zeros, _op_ones, _op_eye, _op_arange, _op_empty, _op_tri = (
    _constant(name) for name in ("zeros", "ones", "eye", "arange", "empty", "tri")
)


def _fourier(name: str) -> Callable[..., Any]:
    function = getattr(jnp.fft, name)
    return lambda x, n=None, axis=-1, norm="backward": function(jnp.asarray(x), n=n, axis=_one(axis), norm=norm)


_op_fft, _op_ifft, _op_rfft, _op_irfft = _fourier("fft"), _fourier("ifft"), _fourier("rfft"), _fourier("irfft")


def _op_expn(n: Any, x: Any) -> Any:
    return jax.scipy.special.expn(jnp.asarray(n), jnp.asarray(x))


def _op_multigammaln(a: Any, d: int) -> Any:
    return jax.scipy.special.multigammaln(jnp.asarray(a), int(d))
