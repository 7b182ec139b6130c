"""What are the rules of singular values and of the singular vectors on either side?

The thin decomposition A = U diag(s) Vᴴ of an m×n matrix, with k = min(m, n) columns in U and rows in Vᴴ. Formulas:
Ionescu, Vantzos and Sminchisescu (2015), "Matrix backpropagation for deep networks with structured layers", with
s[j]² - s[i]² as a product, and for U and for Vᴴ alone; phases of complex ones as in PyTorch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rules import is_complex, shape_of
from gradcheck.expr.rules_matrices import (
    Rule,
    adjoint,
    by_adjoints,
    by_columns,
    by_rows,
    chain,
    conjugated,
    forgiving,
    imaginary_diagonal,
    over_pairs,
    real_part,
    steady_signs,
)


@forgiving
def _svdvals(x: Any) -> Any:
    return np.linalg.svd(x, full_matrices=False).S  # in the order, and with the digits, of the vectors


@forgiving
def _svd_u(x: Any) -> Any:
    left = np.linalg.svd(x, full_matrices=False).U
    return left * steady_signs(left)


@forgiving
def _svd_vh(x: Any) -> Any:
    left, _, right = np.linalg.svd(x, full_matrices=False)
    return right * np.swapaxes(steady_signs(left), -1, -2)


def _over_gaps(xp: Namespace, values: Value, x: Value) -> Value:
    """x[i, j] / (values[j]² - values[i]²), and zeros on the diagonal."""
    return over_pairs(xp, over_pairs(xp, x, xp.subtract, values), xp.add, values)


def _phases(xp: Namespace, values: Value, x: Value) -> Value:
    """Half of what the diagonal of UᴴdAV says of phases, of which U and V turn one half each against the other."""
    return by_columns(xp, imaginary_diagonal(xp, x), xp.divide(0.5, values))


def _outside(xp: Namespace, basis: Value, x: Value) -> Value:
    """x without its part in the span of the columns of `basis`."""
    return xp.subtract(x, chain(xp, basis, xp.matmul(adjoint(xp, basis), x)))


def _svdvals_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return (xp.matmul(by_columns(xp, xp.svd_u(args[0]), ct), xp.svd_vh(args[0])),)


def _svdvals_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    left = xp.matmul(adjoint(xp, xp.svd_u(args[0])), tangents[0])
    return real_part(xp, xp.sum(xp.multiply(left, conjugated(xp, xp.svd_vh(args[0]))), axis=-1, keepdims=False))


def _svd_u_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    values, vh = xp.svdvals(args[0]), xp.svd_vh(args[0])
    rotation = _over_gaps(xp, values, xp.matmul(adjoint(xp, y), ct))
    inner = by_columns(xp, xp.add(rotation, adjoint(xp, rotation)), values)
    if is_complex(y):
        inner = xp.add(inner, _phases(xp, values, xp.matmul(adjoint(xp, y), ct)))
    pulled = xp.matmul(y, inner)
    rows, columns = shape_of(args[0])[-2:]
    if rows > columns:
        pulled = xp.add(pulled, _outside(xp, y, by_columns(xp, ct, xp.reciprocal(values))))
    return (xp.matmul(pulled, vh),)


def _svd_u_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    values, v = xp.svdvals(args[0]), adjoint(xp, xp.svd_vh(args[0]))
    image = xp.matmul(tangents[0], v)
    inner = by_columns(xp, xp.matmul(adjoint(xp, y), image), values)
    rotation = _over_gaps(xp, values, xp.add(inner, adjoint(xp, inner)))
    if is_complex(y):
        rotation = xp.add(rotation, _phases(xp, values, xp.matmul(adjoint(xp, y), image)))
    moved = xp.matmul(y, rotation)
    rows, columns = shape_of(args[0])[-2:]
    if rows > columns:
        moved = xp.add(moved, _outside(xp, y, by_columns(xp, image, xp.reciprocal(values))))
    return moved


def _svd_vh_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    values, u, v, ct = xp.svdvals(args[0]), xp.svd_u(args[0]), adjoint(xp, y), adjoint(xp, ct)
    rotation = _over_gaps(xp, values, xp.matmul(y, ct))
    inner = by_rows(xp, xp.add(rotation, adjoint(xp, rotation)), values)
    if is_complex(y):
        inner = xp.subtract(inner, _phases(xp, values, xp.matmul(y, ct)))
    pulled = xp.matmul(inner, y)
    rows, columns = shape_of(args[0])[-2:]
    if columns > rows:
        pulled = xp.add(pulled, adjoint(xp, _outside(xp, v, by_columns(xp, ct, xp.reciprocal(values)))))
    return (xp.matmul(u, pulled),)


def _svd_vh_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    values, u, v = xp.svdvals(args[0]), xp.svd_u(args[0]), adjoint(xp, y)
    image = xp.matmul(adjoint(xp, tangents[0]), u)
    inner = by_columns(xp, xp.matmul(y, image), values)
    rotation = _over_gaps(xp, values, xp.add(inner, adjoint(xp, inner)))
    if is_complex(y):
        rotation = xp.add(rotation, _phases(xp, values, xp.matmul(y, image)))
    moved = xp.matmul(v, rotation)
    rows, columns = shape_of(args[0])[-2:]
    if columns > rows:
        moved = xp.add(moved, _outside(xp, v, by_columns(xp, image, xp.reciprocal(values))))
    return adjoint(xp, moved)


def _svd(xp: Namespace, a: Value) -> tuple[Value, Value, Value]:
    """The thin decomposition of (…, m, n): U (…, m, k), singular values descending (…, k), and Vᴴ (…, k, n)."""
    return xp.svd_u(a), xp.svdvals(a), xp.svd_vh(a)


def _row(name: str, numpy: Any, vjp: Any, jvp: Any, **more: Any) -> Primitive:
    return Primitive(
        name, 1, numpy, batching=Batching.TRAILING, vjp=by_adjoints(vjp), jvp=jvp, complex_rule=True, **more
    )


VECTORS = "distinct singular values, none of them zero where the matrix is not square"

SIGNS = "the first large element of each column of svd_u is positive"

SVD: tuple[Primitive, ...] = (
    _row("svdvals", _svdvals, _svdvals_vjp, _svdvals_jvp, kinks="equal or zero singular values", note="descending"),
    _row("svd_u", _svd_u, _svd_u_vjp, _svd_u_jvp, domain=VECTORS, note=f"as columns; {SIGNS}"),
    _row("svd_vh", _svd_vh, _svd_vh_vjp, _svd_vh_jvp, domain=VECTORS, note=f"as rows; {SIGNS}"),
    composition("svd", 1, _svd, batching=Batching.TRAILING, note="svd_u, svdvals and svd_vh"),
)
