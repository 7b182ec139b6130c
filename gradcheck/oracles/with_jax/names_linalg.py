"""What does JAX call the decompositions, functions and norms of matrices? Its eigh and cholesky halve as ours do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcheck.expr.rules_matrices import LARGE
from gradcheck.oracles.with_jax.library import jax, jnp


def _cholesky_solve(factor: Any, b: Any, upper: bool = False) -> Any:
    return jax.scipy.linalg.cho_solve((jnp.asarray(factor), not upper), b)


def _solve_triangular(a: Any, b: Any, upper: bool = False) -> Any:
    return jax.scipy.linalg.solve_triangular(a, b, lower=not upper)


def _logdet(x: Any) -> Any:
    sign, logarithm = jnp.linalg.slogdet(x)
    return jnp.log(sign) + logarithm


def _signs(vectors: Any) -> Any:
    """As `gradcheck.expr.rules_matrices.steady_signs`."""
    still = jax.lax.stop_gradient(vectors)
    large = jnp.abs(still) > LARGE * jnp.max(jnp.abs(still), axis=-2, keepdims=True)
    first = jnp.take_along_axis(still, jnp.argmax(large, axis=-2, keepdims=True), axis=-2)
    return jnp.where(first < 0, -1.0, 1.0)


def _eigh_vectors(x: Any) -> Any:
    vectors = jnp.linalg.eigh(x).eigenvectors
    return vectors * _signs(vectors)


def _svd_u(x: Any) -> Any:
    left, _, _ = jnp.linalg.svd(x, full_matrices=False)
    return left * _signs(left)


def _svd_vh(x: Any) -> Any:
    left, _, right = jnp.linalg.svd(x, full_matrices=False)
    return right * jnp.swapaxes(_signs(left), -1, -2)


def _pinv(x: Any) -> Any:
    return jnp.linalg.pinv(x, rtol=max(x.shape[-2:]) * 2.0**-52)


def _order(ord: Any) -> Any:
    return ord if isinstance(ord, str) else float(ord)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "cholesky": lambda x, upper=False: jnp.linalg.cholesky(x, upper=upper),
    "cholesky_solve": _cholesky_solve,
    "solve_triangular": _solve_triangular,
    "eigvalsh": jnp.linalg.eigvalsh,
    "eigh_vectors": _eigh_vectors,
    "svdvals": jnp.linalg.svdvals,
    "svd_u": _svd_u,
    "svd_vh": _svd_vh,
    "qr_q": lambda x: jnp.linalg.qr(x).Q,
    "qr_r": lambda x: jnp.linalg.qr(x).R,
    "slogdet_sign": lambda x: jnp.linalg.slogdet(x).sign,
    "logabsdet": lambda x: jnp.linalg.slogdet(x).logabsdet,
    "logdet": _logdet,
    "matrix_exp": jax.scipy.linalg.expm,
    "pinv": _pinv,
    "lstsq": lambda a, b: jnp.linalg.lstsq(a, b)[0],
    "matrix_power": lambda x, n: jnp.linalg.matrix_power(x, int(n)),
    "vector_norm": lambda x, axis=None, keepdims=False, ord=2: jnp.linalg.vector_norm(
        x, axis=axis, keepdims=keepdims, ord=_order(ord)
    ),
    "matrix_norm": lambda x, keepdims=False, ord="fro": jnp.linalg.matrix_norm(x, keepdims=keepdims, ord=_order(ord)),
    "cond": lambda x, ord=2: jnp.linalg.cond(x, p=_order(ord)),
    "cross": lambda a, b, axis=-1: jnp.linalg.cross(a, b, axis=axis),
    "tensordot": lambda a, b, axes=2: jnp.tensordot(a, b, axes=axes),
    "kron": jnp.kron,
}
