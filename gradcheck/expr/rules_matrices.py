"""What small things do the rules of matrices need?

Everything works on the last two axes, so stacks of matrices pass through, and a tangent may have more leading axes
than the point it belongs to (many tangents at once).

Rules of the literature are written with adjoints, for gradients G with dy = Re tr(Gᴴ dA). The engine's cotangents are
the conjugates of those (see `gradcheck.engine.backward`): `by_adjoints` makes a rule of the one kind one of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from gradcheck.expr.primitive import Namespace, Params, Value
from gradcheck.expr.rules import is_complex, shape_of

Rule = tuple[Value | None, ...]
LARGE = 0.618  # of the largest element: a share that the vectors of few people's matrices meet exactly


def forgiving(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a stack of matrices: where LAPACK gives up on one, that one's result is nan, and no other's."""

    @wraps(function)
    def call(x: Any, **params: Any) -> Any:
        x = np.asarray(x)
        try:
            return function(x, **params)
        except np.linalg.LinAlgError:
            pattern = function(np.eye(*x.shape[-2:], dtype=np.result_type(x, np.float32)), **params)
            if x.ndim == 2:
                return np.full_like(pattern, np.nan)
            parts = [call(matrix, **params) for matrix in x.reshape(-1, *x.shape[-2:])]
            return np.stack(parts).reshape(*x.shape[:-2], *np.shape(pattern))

    return call


def turned(xp: Namespace, x: Value) -> Value:
    """The transpose."""
    return xp.matrix_transpose(x)


def conjugated(xp: Namespace, x: Value) -> Value:
    """The conjugate; real numbers as they are."""
    return xp.conj(x) if is_complex(x) else x


def adjoint(xp: Namespace, x: Value) -> Value:
    """The conjugate transpose, which of real matrices is the transpose."""
    return turned(xp, conjugated(xp, x))


def by_adjoints(vjp: Callable[..., Rule]) -> Callable[..., Rule]:
    """A rule in gradients as one in cotangents; for real numbers the two are one."""

    @wraps(vjp)
    def rule(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
        parts = vjp(xp, conjugated(xp, ct), y, args, params)
        return tuple(None if part is None else conjugated(xp, part) for part in parts)

    return rule


def real_part(xp: Namespace, x: Value) -> Value:
    """The real part; real numbers as they are."""
    return xp.real(x) if is_complex(x) else x


def imaginary_diagonal(xp: Namespace, x: Value) -> Value:
    """The matrix with the imaginary parts of a diagonal, times i."""
    return xp.where(identity(x), xp.multiply(0.5, xp.subtract(x, adjoint(xp, x))), 0.0)


def chain(xp: Namespace, *factors: Value) -> Value:
    """The product of matrices, from the left."""
    result = factors[0]
    for factor in factors[1:]:
        result = xp.matmul(result, factor)
    return result


def by_columns(xp: Namespace, x: Value, scale: Value) -> Value:
    """x @ diag(scale)."""
    shape = shape_of(scale)
    return xp.multiply(x, xp.reshape(scale, shape=(*shape[:-1], 1, shape[-1])))


def by_rows(xp: Namespace, x: Value, scale: Value) -> Value:
    """diag(scale) @ x."""
    return xp.multiply(as_column(xp, scale), x)


def as_column(xp: Namespace, x: Value) -> Value:
    """A vector as a matrix of one column."""
    return xp.reshape(x, shape=(*shape_of(x), 1))


def as_matrix(xp: Namespace, x: Value) -> Value:
    """A number as a matrix of one element."""
    return xp.reshape(x, shape=(*shape_of(x), 1, 1))


def symmetric_part(xp: Namespace, x: Value) -> Value:
    """(x + xᴴ) / 2."""
    return xp.multiply(0.5, xp.add(x, adjoint(xp, x)))


def lower_half(xp: Namespace, x: Value) -> Value:
    """The lower triangle with half the diagonal: what a symmetric x is the sum of, with its transpose."""
    return xp.where(identity(x), xp.multiply(0.5, x), strictly_lower(xp, x))


def strictly_lower(xp: Namespace, x: Value) -> Value:
    """What stands below the diagonal."""
    return xp.tril(x, k=-1)


def identity(x: Value) -> Any:
    """Where the diagonal is, in matrices as wide as x."""
    return np.eye(shape_of(x)[-1], dtype=bool)


def over_pairs(xp: Namespace, x: Value, together: Callable[..., Value], values: Value) -> Value:
    """x[i, j] / together(values[j], values[i]), and zeros on the diagonal.

    Where the divisor is zero the quotient is nan: two equal values, by whose difference is divided, have vectors
    without a derivative.
    """
    shape, diagonal = shape_of(values), identity(values)
    row = xp.reshape(values, shape=(*shape[:-1], 1, shape[-1]))
    divisor = xp.where(diagonal, 1.0, together(row, as_column(xp, values)))
    return xp.divide(xp.where(diagonal, 0.0, x), xp.where(xp.equal(divisor, 0.0), np.nan, divisor))


def steady_signs(vectors: Any) -> Any:
    """1 or -1 for every column, in an array of numbers: what makes the first of its large elements positive.

    Eigenvectors and singular vectors are fixed up to signs. With these they are the same ones in every library.
    """
    if np.iscomplexobj(vectors) or not vectors.size:
        return np.ones_like(vectors[..., :1, :])  # of complex vectors whole phases are free, and stay LAPACK's
    size = np.abs(vectors)
    large = size > LARGE * np.max(size, axis=-2, keepdims=True, initial=0.0)
    first = np.take_along_axis(vectors, np.argmax(large, axis=-2, keepdims=True), axis=-2)
    return np.where(first < 0, -1, 1).astype(vectors.dtype)
