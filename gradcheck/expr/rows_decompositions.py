"""What are the rules of Cholesky's factor, of eigenvalues and eigenvectors, of singular values and vectors, of Q and R?

Each result of a decomposition is a row of its own, whose rule asks the sibling rows for the other results. Symmetric
decompositions see the symmetric (Hermitian) part (A + Aᴴ)/2 of their argument, so that they are functions of all
elements and their gradients are symmetric; for symmetric arguments that is what PyTorch means.

Eigenvectors and singular vectors are fixed up to signs, and come with those of `steady_signs`, whatever a library
chooses; complex ones up to whole phases, and their derivatives are right, as PyTorch's, for functions that no phase
changes. Where two of their values meet they have no derivative, and rules give nan.

Sources: Giles (2008), "Collected matrix derivative results"; Murray (2016), "Differentiation of the Cholesky
decomposition"; Ionescu, Vantzos and Sminchisescu (2015), "Matrix backpropagation"; Walter and Lehmann (2010),
"Algorithmic differentiation of linear algebra functions"; Seeger et al. (2017), "Auto-differentiating linear algebra".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rows_qr import QR
from gradcheck.expr.rows_svd import SVD
from gradcheck.expr.rules_matrices import (
    Rule,
    adjoint,
    by_adjoints,
    by_columns,
    chain,
    conjugated,
    forgiving,
    lower_half,
    over_pairs,
    real_part,
    steady_signs,
    symmetric_part,
)


def _halves(x: Any) -> Any:
    return 0.5 * x + 0.5 * np.conj(np.swapaxes(x, -1, -2))


@forgiving
def _cholesky(x: Any, upper: bool = False) -> Any:
    return np.linalg.cholesky(_halves(x), upper=upper)


def _lower(xp: Namespace, y: Value, params: Params) -> Value:
    return adjoint(xp, y) if params["upper"] else y


def _between_inverses(xp: Namespace, lower: Value, x: Value) -> Value:
    """L⁻¹ x L⁻ᵀ."""
    left = xp.solve_triangular(lower, x, upper=False)
    return adjoint(xp, xp.solve_triangular(lower, adjoint(xp, left), upper=False))


def _cholesky_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    lower, ct = _lower(xp, y, params), _lower(xp, ct, params)
    inner = lower_half(xp, xp.matmul(adjoint(xp, lower), ct))
    right = xp.solve_triangular(adjoint(xp, lower), inner, upper=True)
    both = adjoint(xp, xp.solve_triangular(adjoint(xp, lower), adjoint(xp, right), upper=True))
    return (symmetric_part(xp, both),)


def _cholesky_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    lower = _lower(xp, y, params)
    inner = _between_inverses(xp, lower, symmetric_part(xp, tangents[0]))
    return _lower(xp, xp.matmul(lower, lower_half(xp, inner)), params)


@forgiving
def _eigvalsh(x: Any) -> Any:
    return np.linalg.eigh(_halves(x)).eigenvalues  # in the order, and with the digits, of the vectors


@forgiving
def _eigh_vectors(x: Any) -> Any:
    vectors = np.linalg.eigh(_halves(x)).eigenvectors
    return vectors * steady_signs(vectors)


def _eigvalsh_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    vectors = xp.eigh_vectors(args[0])
    return (xp.matmul(by_columns(xp, vectors, ct), adjoint(xp, vectors)),)


def _eigvalsh_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    vectors = xp.eigh_vectors(args[0])
    image = xp.matmul(symmetric_part(xp, tangents[0]), vectors)
    return real_part(xp, xp.sum(xp.multiply(image, conjugated(xp, vectors)), axis=-2, keepdims=False))


def _eigh_vectors_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    inner = over_pairs(xp, xp.matmul(adjoint(xp, y), ct), xp.subtract, xp.eigvalsh(args[0]))
    return (symmetric_part(xp, chain(xp, y, inner, adjoint(xp, y))),)


def _eigh_vectors_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    inner = chain(xp, adjoint(xp, y), symmetric_part(xp, tangents[0]), y)
    return xp.matmul(y, over_pairs(xp, inner, xp.subtract, xp.eigvalsh(args[0])))


def _eigh(xp: Namespace, a: Value) -> tuple[Value, Value]:
    """Eigenvalues, ascending, of shape (…, n), and eigenvectors as columns, (…, n, n), of the symmetric part of a."""
    return xp.eigvalsh(a), xp.eigh_vectors(a)


def from_eigenvalues(xp: Namespace, values: Value, vectors: Value) -> Value:
    """V diag(values) Vᴴ: the symmetric matrix with these real eigenvalues and these eigenvectors."""
    return xp.matmul(by_columns(xp, vectors, values), adjoint(xp, vectors))


def _symmetric(name: str, numpy: Any, vjp: Any, jvp: Any, **more: Any) -> Primitive:
    return Primitive(
        name, 1, numpy, batching=Batching.TRAILING, vjp=by_adjoints(vjp), jvp=jvp, complex_rule=True, **more
    )


DECOMPOSITIONS: tuple[Primitive, ...] = (
    _symmetric(
        "cholesky",
        _cholesky,
        _cholesky_vjp,
        _cholesky_jvp,
        params=("upper",),
        defaults={"upper": False},
        domain="symmetric part positive definite; nan elsewhere",
        note="of the symmetric part; rule of Murray (2016)",
    ),
    _symmetric(
        "eigvalsh",
        _eigvalsh,
        _eigvalsh_vjp,
        _eigvalsh_jvp,
        kinks="two eigenvalues are equal",
        aliases=("eigh_values",),
        note="of the symmetric part, ascending; rule of Giles (2008)",
    ),
    _symmetric(
        "eigh_vectors",
        _eigh_vectors,
        _eigh_vectors_vjp,
        _eigh_vectors_jvp,
        domain="distinct eigenvalues",
        note="of the symmetric part, as columns, the first large element of each positive; rule of Giles (2008)",
    ),
    composition("eigh", 1, _eigh, batching=Batching.TRAILING, note="eigvalsh and eigh_vectors"),
    *SVD,
    *QR,
)
