"""What encloses eigenvalues and singular values, and their vectors, in balls?

Arb isolates the eigenvalues of the symmetric part (Rump's method, "Verification methods", Acta Numerica 2010, §13.4,
proves each enclosure of a value and a vector); since a symmetric matrix has real ones, real parts are enclosures too,
and the order is certain where the balls are apart. Singular values and vectors are those of the smaller of AᵀA and AAᵀ,
taken with twice the bits. Vectors of values that are not apart are nan, as the row's derivatives are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.expr.rules_matrices import LARGE
from gradcheck.oracles.balls.flint_library import acb_mat, arb, precision, working_bits
from gradcheck.oracles.balls.stacks import Matrix, filled, halves, over_stacks, product, unknown


def _complex(x: Matrix) -> Any:
    rows, columns = x.shape
    return acb_mat(rows, columns, list(x.ravel()))


def _vector(balls: Any) -> Matrix:
    found = np.empty(len(balls), dtype=object)
    found[:] = balls
    return found


def _values(symmetric: Matrix) -> Matrix:
    """The eigenvalues of a symmetric matrix, ascending; equal ones are enclosed together."""
    if not symmetric.size:
        return filled((0,), arb(0))
    try:
        found = _complex(symmetric).eig(multiple=True, algorithm="rump")
    except ValueError:
        return unknown(len(symmetric))
    return _vector(sorted((c.real for c in found), key=lambda b: b.mid()))


def _pairs(symmetric: Matrix) -> tuple[Matrix, Matrix]:
    """The eigenvalues, ascending, and vectors of unit length, as columns; nan where they are not all apart."""
    size = len(symmetric)
    if not size:
        return filled((0,), arb(0)), symmetric
    try:
        found, right = _complex(symmetric).eig(right=True, algorithm="rump")
    except ValueError:
        return unknown(size), unknown(size, size)
    order = sorted(range(size), key=lambda k: found[k].real.mid())
    vectors = [_unit([right[i, k] for i in range(size)]) for k in order]
    return _vector([found[k].real for k in order]), np.stack(vectors, axis=1)


def _unit(column: list[Any]) -> Matrix:
    """A complex multiple of a real vector as that vector, of unit length: each element over the largest is real."""
    largest = max(column, key=lambda c: abs(c).mid())
    v = _vector([(c / largest).real for c in column])
    return v / (v @ v).sqrt()


def _signed(columns: Matrix) -> Matrix:
    """1 or -1 for each column, as `steady_signs` has them: the first large element becomes positive; nan if open."""
    return _vector([_sign(columns[:, k]) for k in range(columns.shape[1])])


def _sign(column: Matrix) -> Any:
    sizes = [abs(b) for b in column]
    largest = sizes[0]
    for size in sizes[1:]:
        largest = largest.max(size)
    for b, size in zip(column, sizes, strict=True):
        if size > LARGE * largest:
            return arb(-1) if b < 0 else arb(1)
        if not size < LARGE * largest:
            break
    return arb.nan()


def _eigvalsh(x: Matrix) -> Matrix:
    return _values(halves(x))


def _eigh_vectors(x: Matrix) -> Matrix:
    _, vectors = _pairs(halves(x))
    return vectors * _signed(vectors) if vectors.size else vectors


def _svdvals(x: Matrix) -> Matrix:
    """The roots of the eigenvalues of AᵀA, descending; of one that may be zero, the part that is not negative."""
    with precision(2 * working_bits()):
        squares = _values(_gram(x))[::-1]
    return _vector([b.sqrt() if b > 0 or not b.is_finite() else b.nonnegative_part().sqrt() for b in squares])


def _gram(x: Matrix) -> Matrix:
    """The smaller of xᵀx and xxᵀ, exactly symmetric."""
    x = x if x.shape[0] >= x.shape[1] else x.T
    return halves(product(x.T, x))


def _decomposed(x: Matrix) -> tuple[Matrix, Matrix]:
    """U and V as columns, with the signs of the row, by descending singular values."""
    if x.shape[0] < x.shape[1]:
        right, left = _one_sided(x.T)
    else:
        left, right = _one_sided(x)
    signs = _signed(left) if left.size else filled((left.shape[1],), arb(1))
    return left * signs, right * signs


def _one_sided(x: Matrix) -> tuple[Matrix, Matrix]:
    """U = AV / s for a matrix of at least as many rows as columns."""
    with precision(2 * working_bits()):
        squares, right = _pairs(_gram(x))
        squares, right = squares[::-1], right[:, ::-1]
        left = product(x, right) / np.array([b.sqrt() for b in squares], dtype=object)
    return left, right


def _svd_u(x: Matrix) -> Matrix:
    return _decomposed(x)[0] if x.size else filled((x.shape[0], 0), arb(0))


def _svd_vh(x: Matrix) -> Matrix:
    return _decomposed(x)[1].T if x.size else filled((0, x.shape[1]), arb(0))


ENCLOSURES: dict[str, Callable[..., Any]] = {
    "eigvalsh": over_stacks(_eigvalsh),
    "eigh_vectors": over_stacks(_eigh_vectors),
    "svdvals": over_stacks(_svdvals),
    "svd_u": over_stacks(_svd_u),
    "svd_vh": over_stacks(_svd_vh),
}
