"""How far may LAPACK's answers be off?

A backward stable algorithm gives the exact answer of a matrix that differs from the one it was given by a few units
of roundoff of its largest element, times its size (Higham, Accuracy and Stability, 2nd ed., ch. 8-10, 19). How far
that moves the answer is what the row's own forward rule says, asked along every single element.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.expr import NUMPY, Primitive
from gradcheck.oracles.rounding.number import Carried, errors_of, value_of

FACTOR = 4.0  # the moderate constant of the backward error

Bound = Callable[[Primitive, Any, list[Any], list[Any], dict[str, Any], float], Any]


def backward_stable(
    row: Primitive, y: Any, values: list[Any], errors: list[Any], params: dict[str, Any], unit: float
) -> Any:
    """For rows of one matrix: |derivative| (its error + its backward error), and the rounding of the result."""
    (x,), (err,) = values, errors
    assert row.jvp is not None
    *lead, rows, columns = np.shape(x)
    size = max(rows, columns, 1)
    spread = err + FACTOR * size * unit * np.max(np.abs(x), axis=(-2, -1), keepdims=True, initial=0.0)
    result = tuple(range(len(lead), np.ndim(y)))  # the axes of one result
    bound = FACTOR * size * unit * np.max(np.abs(y), axis=result, keepdims=True, initial=0.0) * np.ones_like(y)
    if not np.size(x):
        return bound
    units = np.eye(rows * columns).reshape(-1, *(1,) * len(lead), rows, columns)
    moved = row.jvp(NUMPY, y, values, [np.broadcast_to(units, (len(units), *np.shape(x)))], params)
    weights = np.moveaxis(np.broadcast_to(spread, np.shape(x)).reshape(*lead, -1), -1, 0)
    return bound + np.sum(np.abs(moved) * weights.reshape(*weights.shape, *(1,) * len(result)), axis=0)


def substitution(
    row: Primitive, y: Any, values: list[Any], errors: list[Any], params: dict[str, Any], unit: float
) -> Any:
    """Triangular systems: the backward error is small against each element of the triangle (Higham, thm. 8.5)."""
    (a, _), (err_a, err_b) = values, errors
    triangle = np.triu if params["upper"] else np.tril
    size = np.shape(a)[-1]
    inverse = np.abs(row.numpy(a, np.broadcast_to(np.eye(size), np.shape(a)), **params))
    residual = triangle(err_a + FACTOR * size * unit * np.abs(a)) @ np.abs(y) + err_b
    return inverse @ residual + unit * np.abs(y)


def exponential(
    row: Primitive, y: Any, values: list[Any], errors: list[Any], params: dict[str, Any], unit: float
) -> Any:
    """No term of the series of exp(x + e) - exp(x) is larger than that of exp(|x| + |e|) - exp(|x|)."""
    (x,), (err,) = values, errors
    assert row.jvp is not None
    size, large = np.shape(x)[-1], np.abs(x)
    spread = err + FACTOR * size * unit * large
    whole = row.numpy(large)
    return row.jvp(NUMPY, whole, [large], [spread], params) + FACTOR * size * unit * whole


BOUNDS: dict[str, Bound] = {
    **dict.fromkeys(
        "cholesky eigvalsh eigh_vectors svdvals svd_u svd_vh qr_q qr_r slogdet_sign logabsdet pinv".split(),
        backward_stable,
    ),
    "solve_triangular": substitution,
    "matrix_exp": exponential,
}


def _elimination(xp: Any, x: Any) -> Any:
    """The backward error of Gaussian elimination: rows are exchanged, so every element may take the largest one's."""
    return 4 * x.shape[-1] * xp.unit * np.max(np.abs(x), axis=(-2, -1), keepdims=True, initial=0.0) * np.ones_like(x)


def _inv(xp: Any, a: Any) -> Any:
    x, e = value_of(a), errors_of(a)
    y = np.abs(NUMPY.inv(x))
    return Carried(y, y @ (e + _elimination(xp, x)) @ y + xp.unit * y)


def _det(xp: Any, a: Any) -> Any:
    x, e = value_of(a), errors_of(a)
    spread = e + _elimination(xp, x)
    u, s, vt = np.linalg.svd(x)  # |cofactors| <= |U| diag(products of the other singular values) |V|, singular or not
    others = [np.prod(np.delete(s, k, axis=-1), axis=-1) for k in range(s.shape[-1])]
    cofactors = (np.abs(u) * np.stack(others, axis=-1)[..., None, :]) @ np.abs(vt)
    err = np.sum(cofactors * spread, axis=(-2, -1)) + xp.underflow
    return Carried(err, err)


def _solve(xp: Any, a: Any, b: Any) -> Any:
    m, em, eb = value_of(a), errors_of(a), errors_of(b)
    x = np.abs(NUMPY.solve(m, value_of(b)))
    residual = (em + 2 * _elimination(xp, m)) @ x + eb
    return Carried(x, np.abs(NUMPY.inv(m)) @ residual + xp.unit * x)


# row -> (namespace, arguments) -> what carries the bound of the row's result
COMPOSED: dict[str, Callable[..., Any]] = {"inv": _inv, "det": _det, "solve": _solve}
