"""What encloses inverses, systems, determinants, factors and exponentials of matrices, in balls?

Arb solves, inverts and exponentiates; Cholesky's factor, Q and R and triangular systems follow the direct algorithms,
every step of which encloses. A pivot that may be zero leaves the answer open (not finite): more bits, or none, decide.
Signs that a decomposition leaves free are those of the float64 row at the midpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.expr import NUMPY
from gradcheck.expr.rules import is_complex
from gradcheck.oracles.balls.flint_library import Undecided, acb_mat, arb, balls
from gradcheck.oracles.balls.spectral import ENCLOSURES as SPECTRAL
from gradcheck.oracles.balls.stacks import (
    Matrix,
    array,
    filled,
    halves,
    is_finite,
    matrix,
    over_stacks,
    product,
    unknown,
)

EPSILON = 2.0**-52  # the row's pinv leaves out singular values below max(m, n) of these, times the largest


def _inv(x: Matrix) -> Matrix:
    return array(matrix(x).inv(nonstop=True)) if x.size else x


def _solve(a: Matrix, b: Matrix) -> Matrix:
    if not b.size:
        return b
    left, right = matrix(a), matrix(b)
    if is_complex(a) != is_complex(b):
        left, right = acb_mat(left), acb_mat(right)
    return array(left.solve(right, nonstop=True))


def _systems(function: Callable[..., Any]) -> Callable[..., Any]:
    """The right side may be one vector for the whole stack."""

    def call(a: Any, b: Any, **params: Any) -> Any:
        a, b = balls(a), balls(b)
        return function(a, b[:, None], **params)[..., 0] if b.ndim == 1 else function(a, b, **params)

    return call


def _det(x: Matrix) -> Matrix:
    return filled((), matrix(x).det() if x.size else arb(1))


def _logabsdet(x: Matrix) -> Matrix:
    det = _det(x)[()]
    return filled((), arb.neg_inf() if det == 0 else abs(det).log())


def _sign(x: Any) -> Any:
    """The signs of the determinants; open where a determinant may be zero and may not."""
    dets = ENCLOSURES["det"](x)
    shaky = np.frompyfunc(lambda d: not (d > 0 or d < 0 or d == 0), 1, 1)(dets)
    if np.any(shaky):
        raise Undecided(shaky)
    return balls(np.frompyfunc(lambda d: 1 if d > 0 else -1 if d < 0 else 0, 1, 1)(dets))


def _cholesky(x: Matrix, upper: bool = False) -> Matrix:
    """The factor of the symmetric part, row by row; nan where that is not certainly positive definite."""
    size = len(x)
    x, lower = halves(x), filled(x.shape, arb(0))
    for i in range(size):
        for j in range(i + 1):
            rest = x[i, j] - sum((lower[i, k] * lower[j, k] for k in range(j)), arb(0))
            if i > j:
                lower[i, j] = rest / lower[j, j]
            elif rest > 0:
                lower[i, i] = rest.sqrt()
            else:
                return unknown(size, size)
    return lower.T if upper else lower


def _solve_triangular(a: Matrix, b: Matrix, upper: bool = False) -> Matrix:
    """Substitution."""
    size, x = len(a), filled(b.shape, arb(0))
    for i in range(size - 1, -1, -1) if upper else range(size):
        known = range(i + 1, size) if upper else range(i)
        for c in range(b.shape[1]):
            x[i, c] = (b[i, c] - sum((a[i, k] * x[k, c] for k in known), arb(0))) / a[i, i]
    return x


def _signs(x: Matrix) -> Any:
    """The signs that LAPACK gives the diagonal of R at the midpoints."""
    middle = np.frompyfunc(lambda b: float(b.mid()), 1, 1)(x).astype(float)
    return np.where(np.diagonal(NUMPY.qr_r(middle)) < 0, -1, 1)


def _orthogonalized(x: Matrix) -> Matrix:
    """Q of Gram and Schmidt's, with LAPACK's signs, by the columns; nan where columns may depend on each other."""
    q, signs = filled(x.shape, arb(0)), _signs(x)
    for j in range(x.shape[1]):
        v = x[:, j]
        for i in range(j):
            v = v - q[:, i] * (q[:, i] @ v)
        length = (v @ v).sqrt()
        if not length > 0:
            return unknown(*x.shape)
        q[:, j] = v * int(signs[j]) / length
    return q


def _leading(x: Matrix) -> Matrix:
    """The columns that are orthogonalized."""
    return x[:, : x.shape[0]]


def _qr_q(x: Matrix) -> Matrix:
    return _orthogonalized(_leading(x)) if x.size else filled((x.shape[0], min(x.shape)), arb(0))


def _qr_r(x: Matrix) -> Matrix:
    if not x.size:
        return filled((min(x.shape), x.shape[1]), arb(0))
    r = product(_orthogonalized(_leading(x)).T, x)
    r[np.tril_indices(len(r), -1, r.shape[1])] = arb(0)
    return r


def _matrix_exp(x: Matrix) -> Matrix:
    return array(matrix(x).exp()) if x.size else x


def _length(x: Matrix) -> Any:
    """Frobenius' norm."""
    return sum((b * b for b in x.flat), arb(0)).sqrt()


def _pinv(x: Matrix) -> Matrix:
    """(xᵀx)⁻¹xᵀ, or of the transpose, for matrices of full rank that is far from the row's cut-off.

    Where a singular value is, or may be, among those that the row counts as zero, nan.
    """
    if x.shape[0] < x.shape[1]:
        return _pinv(x.T).T
    if not x.size:
        return x.T
    y = product(_inv(product(x.T, x)), x.T)
    if not is_finite(y):
        return y
    cut_off = max(x.shape) * EPSILON
    if 1 / _length(y) > cut_off * _length(x):  # not below the smallest and not above the largest singular value
        return y
    values = SPECTRAL["svdvals"](x)
    return y if values[-1] > cut_off * values[0] else unknown(*y.shape)


ENCLOSURES: dict[str, Callable[..., Any]] = {
    **SPECTRAL,
    "inv": over_stacks(_inv),
    "solve": _systems(over_stacks(_solve)),
    "solve_triangular": _systems(over_stacks(_solve_triangular)),
    "det": over_stacks(_det),
    "logabsdet": over_stacks(_logabsdet),
    "slogdet_sign": _sign,
    "cholesky": over_stacks(_cholesky),
    "qr_q": over_stacks(_qr_q),
    "qr_r": over_stacks(_qr_r),
    "matrix_exp": over_stacks(_matrix_exp),
    "pinv": over_stacks(_pinv),
}
