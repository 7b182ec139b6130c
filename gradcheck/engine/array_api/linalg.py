"""Which functions of linear algebra does the standard name, in its main namespace and in `linalg`?

Decompositions come from the vocabulary as it has rows for them. What is a formula in other functions is said as one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.engine.array_api import elementwise, reductions
from gradcheck.engine.array_api.creation import eye
from gradcheck.engine.array_api.dispatch import (
    NONE,
    Function,
    Params,
    inside,
    is_floating,
    row_for,
    run,
    untracked,
)
from gradcheck.engine.array_api.shapes import broadcast_arrays, broadcast_to, moveaxis, permute_dims, reshape, stack
from gradcheck.expr.vocabulary import VOCABULARY

REAL = "f"  # the rows of these decompositions are for real matrices
PARTS = {
    "eigh": ("eigvalsh", "eigh_vectors"),
    "qr": ("qr_q", "qr_r"),
    "slogdet": ("slogdet_sign", "logabsdet"),
    "svd": ("svd_u", "svdvals", "svd_vh"),
}
MAIN = ["matmul", "matrix_transpose", "tensordot", "vecdot"]  # those of the main namespace too

__all__ = [
    *MAIN,
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "trace",
    "vector_norm",
]


def _results(name: str, x: Any, plainly: Function, params: Params = NONE, fits: bool = True) -> Any:
    """A decomposition in NumPy's named tuple, each result by its own row where there are all of them."""
    if fits and all(row_for(part, (x,), kinds=REAL) for part in PARTS[name]):
        kind = type(plainly(np.eye(1)))
        return kind(*(run(part, (x,), plainly) for part in PARTS[name]))
    return untracked(name, (x,), plainly, params)


def matmul(x1: Any, x2: Any, /) -> Any:
    """The product of matrices (or vectors), over broadcast leading axes."""
    return run("matmul", (x1, x2), np.matmul)


def matrix_transpose(x: Any, /) -> Any:
    """The last two axes exchanged."""
    return run("matrix_transpose", (x,), np.matrix_transpose)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The sum of conj(x1) * x2 along an axis."""
    if axis >= 0 or axis < -min(x1.ndim, x2.ndim):
        raise ValueError(f"vecdot wants an axis counted from the end that both arrays have, got {axis}")
    first, second = moveaxis(x1, axis, -1), moveaxis(x2, axis, -1)
    return run("vecdot", (first, second), np.vecdot)


def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """The sum of products over pairs of axes: the last and first so many, or those of two sequences."""
    left, right = (
        (range(x1.ndim - axes, x1.ndim), range(axes))
        if isinstance(axes, int)
        else ([a % x1.ndim for a in axes[0]], [a % x2.ndim for a in axes[1]])
    )
    if [x1.shape[a] for a in left] != [x2.shape[b] for b in right]:
        raise ValueError(f"tensordot: the axes {axes} of shapes {x1.shape} and {x2.shape} do not match")
    rows = [a for a in range(x1.ndim) if a not in left]
    columns = [b for b in range(x2.ndim) if b not in right]
    outer_shape = [x1.shape[a] for a in rows] + [x2.shape[b] for b in columns]
    inner = int(np.prod([x1.shape[a] for a in left], dtype=int))
    height = int(np.prod([x1.shape[a] for a in rows], dtype=int))
    width = int(np.prod([x2.shape[b] for b in columns], dtype=int))
    flat1 = reshape(permute_dims(x1, (*rows, *left)), (height, inner))
    flat2 = reshape(permute_dims(x2, (*right, *columns)), (inner, width))
    return reshape(matmul(flat1, flat2), tuple(outer_shape))


def outer(x1: Any, x2: Any, /) -> Any:
    """The products of each element of one vector with each of another."""
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(f"outer wants two vectors, got shapes {x1.shape} and {x2.shape}")
    return run("outer", (x1, x2), np.outer)


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The cross product of vectors of three along an axis."""
    shapes = (x1.shape, x2.shape)
    one_rank = axis < 0 or x1.ndim == x2.ndim
    if not one_rank or any(not -len(s) <= axis < len(s) or s[axis] != 3 for s in shapes):
        raise ValueError(f"cross wants three elements along the axis {axis}, got shapes {x1.shape} and {x2.shape}")
    a, b = broadcast_arrays(x1, x2)
    (a0, a1, a2), (b0, b1, b2) = moveaxis(a, axis, 0), moveaxis(b, axis, 0)
    return stack((a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0), axis=axis)


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonal of each matrix, or the one `offset` above it."""
    return run("diagonal", (x,), np.linalg.diagonal, {"offset": offset})


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sum of a diagonal of each matrix."""
    return reductions.sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


def det(x: Any, /) -> Any:
    """The determinant of each matrix."""
    return run("det", (x,), np.linalg.det)


def slogdet(x: Any, /) -> Any:
    """The sign of the determinant of each matrix and the logarithm of its size."""
    return _results("slogdet", x, np.linalg.slogdet)


def inv(x: Any, /) -> Any:
    """The inverse of each matrix; nan where there is none."""
    return run("inv", (x,), np.linalg.inv)


def solve(x1: Any, x2: Any, /) -> Any:
    """What x1 has to be multiplied with to give x2, which is one vector or a stack of matrices; nan where nothing."""
    return run("solve", (x1, x2), np.linalg.solve)


def pinv(x: Any, /, *, rtol: Any = None) -> Any:
    """The pseudo-inverse of each matrix; singular values up to rtol of the largest count as zero."""
    return run("pinv", (x,), lambda m, rtol: np.linalg.pinv(m, rtol=rtol), {"rtol": inside(rtol)}, REAL)


def cholesky(x: Any, /, *, upper: bool = False) -> Any:
    """The triangular factor of each positive definite matrix."""
    return run("cholesky", (x,), np.linalg.cholesky, {"upper": upper}, REAL)


def eigh(x: Any, /) -> Any:
    """The eigenvalues, in rising order, and eigenvectors of each symmetric matrix."""
    return _results("eigh", x, np.linalg.eigh)


def eigvalsh(x: Any, /) -> Any:
    """The eigenvalues, in rising order, of each symmetric matrix."""
    return run("eigvalsh", (x,), np.linalg.eigvalsh, kinds=REAL)


def qr(x: Any, /, *, mode: str = "reduced") -> Any:
    """An orthogonal and a triangular factor of each matrix."""
    return _results("qr", x, np.linalg.qr, {"mode": mode}, mode == "reduced")


def svd(x: Any, /, *, full_matrices: bool = True) -> Any:
    """The singular vectors and values of each matrix."""
    square = x.shape[-1] == x.shape[-2]
    return _results("svd", x, np.linalg.svd, {"full_matrices": full_matrices}, square or not full_matrices)


def svdvals(x: Any, /) -> Any:
    """The singular values of each matrix, in falling order."""
    return run("svdvals", (x,), np.linalg.svdvals, kinds=REAL)


def matrix_rank(x: Any, /, *, rtol: Any = None) -> Any:
    """How many singular values of each matrix lie above rtol of the largest."""
    params = {"rtol": inside(rtol)}
    return untracked("matrix_rank", (x,), np.linalg.matrix_rank, params, flat=True)


def matrix_power(x: Any, n: int, /) -> Any:
    """Each matrix multiplied with itself n times, or its inverse where n is negative."""
    if n == 0:
        return broadcast_to(eye(x.shape[-1], dtype=x.dtype), x.shape)
    base, left = (x, n) if n > 0 else (inv(x), -n)
    power = None
    while left:
        if left % 2:
            power = base if power is None else matmul(power, base)
        left //= 2
        base = matmul(base, base) if left else base
    return power


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of each matrix: of its elements ("fro"), of column or row sums (1, inf), of singular values (2, "nuc").

    ord -1, -inf and -2 take the smallest where 1, inf and 2 take the largest.
    """
    if ord == "fro":
        return run("norm", (x,), _matrix_norm, {"axis": (-2, -1), "keepdims": keepdims})
    if ord in (2, -2, "nuc"):
        values = svdvals(x)
        found = reductions.sum(values, axis=-1) if ord == "nuc" else values[..., 0 if ord == 2 else -1]
        return reshape(found, (*found.shape, 1, 1)) if keepdims else found
    if ord in (1, -1, np.inf, -np.inf) and is_floating(x):
        across, along = (-2, -1) if abs(ord) == 1 else (-1, -2)
        sums = reductions.sum(elementwise.abs(x), axis=across, keepdims=True)  # type: ignore[attr-defined]
        extreme = (reductions.max if ord > 0 else reductions.min)(sums, axis=along, keepdims=True)
        return extreme if keepdims else reshape(extreme, x.shape[:-2])
    return untracked(f"matrix_norm of ord {ord}", (x,), np.linalg.matrix_norm, {"keepdims": keepdims, "ord": ord})


def _matrix_norm(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.linalg.matrix_norm(x, keepdims=keepdims)


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of order `ord` over axes (all where None)."""
    if ord in (1, 2, np.inf):
        return run("norm", (x,), _vector_norm, {"axis": axis, "keepdims": keepdims, "ord": ord})
    sizes = elementwise.abs(x)  # type: ignore[attr-defined]
    if ord == -np.inf:
        return reductions.min(sizes, axis=axis, keepdims=keepdims)
    if ord == 0 or not is_floating(x):
        params = {"axis": axis, "keepdims": keepdims, "ord": ord}
        return untracked("vector_norm", (x,), np.linalg.vector_norm, params, flat=True)
    if "vector_norm" in VOCABULARY:
        return run("vector_norm", (x,), _vector_norm, {"axis": axis, "keepdims": keepdims, "ord": ord})
    return reductions.sum(sizes**ord, axis=axis, keepdims=keepdims) ** (1 / ord)


def _vector_norm(x: Any, axis: Any, keepdims: bool, ord: Any) -> Any:
    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)
