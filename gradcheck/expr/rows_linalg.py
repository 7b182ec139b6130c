"""What are the rules of products and inverses of matrices?

Everything works on the last one or two axes and broadcasts the leading ones; the engine sums back over what was
broadcast. The determinant's adjoint is the cofactor matrix, which exists for singular matrices too. Formulas: Giles,
"Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rules import shape_of

Rule = tuple[Value | None, ...]


def _column(xp: Namespace, x: Value) -> Value:
    return xp.reshape(x, shape=(*shape_of(x), 1))


def _row(xp: Namespace, x: Value) -> Value:
    shape = shape_of(x)
    return xp.reshape(x, shape=(*shape[:-1], 1, shape[-1]))


def _flat(xp: Namespace, x: Value, axis: int) -> Value:
    """x without its axis -1 or -2, which has size one."""
    shape = shape_of(x)
    return xp.reshape(x, shape=(*shape[:-2], shape[-1] if axis == -2 else shape[-2]))


def _inner(x: Any, y: Any) -> Any:
    return np.vecdot(np.conj(x), y) if np.iscomplexobj(x) else np.vecdot(x, y)  # vecdot alone conjugates its first


def _dot_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    ct = _column(xp, ct)
    return xp.multiply(ct, args[1]), xp.multiply(ct, args[0])


def _vecdot(xp: Namespace, x: Value, y: Value) -> Value:
    return xp.dot(xp.conj(x), y)  # the standard's vecdot conjugates its first argument; dot conjugates none


def _outer(x: Any, y: Any) -> Any:
    return np.expand_dims(x, -1) * np.expand_dims(y, -2)


def _outer_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    by_row = xp.sum(xp.multiply(ct, _row(xp, args[1])), axis=-1, keepdims=False)
    by_column = xp.sum(xp.multiply(ct, _column(xp, args[0])), axis=-2, keepdims=False)
    return by_row, by_column


def _matmul_to_left(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Value:
    a, b = args
    if len(shape_of(b)) == 1:
        return xp.multiply(_column(xp, ct), b)
    if len(shape_of(a)) == 1:
        return _flat(xp, xp.matmul(_row(xp, ct), xp.matrix_transpose(b)), -2)
    return xp.matmul(ct, xp.matrix_transpose(b))


def _matmul_to_right(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Value:
    a, b = args
    if len(shape_of(a)) == 1:
        by_column = _column(xp, a) if len(shape_of(b)) > 1 else a
        return xp.multiply(by_column, _row(xp, ct) if len(shape_of(b)) > 1 else _column(xp, ct))
    if len(shape_of(b)) == 1:
        return _flat(xp, xp.matmul(xp.matrix_transpose(a), _column(xp, ct)), -1)
    if shape_of(ct)[-2] == 1 and shape_of(a)[-2] == 1:  # an outer product, which no sum is needed for
        return xp.multiply(xp.matrix_transpose(a), ct)
    return xp.matmul(xp.matrix_transpose(a), ct)


def _bilinear_jvp(name: str) -> Any:
    """The forward rule of a function that is linear in each of its two arguments."""

    def jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
        function = getattr(xp, name)
        parts = []
        if tangents[0] is not None:
            parts.append(function(tangents[0], args[1]))
        if tangents[1] is not None:
            parts.append(function(args[0], tangents[1]))
        return parts[0] if len(parts) == 1 else xp.add(*parts)

    return jvp


def _matrix_transpose(x: Any) -> Any:
    return np.swapaxes(x, -1, -2)


def _matrix_transpose_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return (xp.matrix_transpose(ct),)


def _trace(x: Any) -> Any:
    return np.trace(x, axis1=-2, axis2=-1)


def _trace_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    rows, columns = shape_of(args[0])[-2:]
    return (xp.multiply(_column(xp, _column(xp, ct)), xp.eye(n_rows=rows, n_cols=columns)),)


def _diagonal(x: Any, offset: int = 0) -> Any:
    return np.diagonal(x, offset, -2, -1)


def _diagonal_index(count: int, offset: int) -> tuple[object, ...]:
    steps = np.arange(count)
    return Ellipsis, steps + max(-offset, 0), steps + max(offset, 0)


def _diagonal_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    index = _diagonal_index(shape_of(ct)[-1], params["offset"])
    return (xp.scatter(ct, index=index, shape=shape_of(args[0])),)


def _diag(x: Any) -> Any:
    return np.where(np.eye(np.shape(x)[-1], dtype=bool), np.expand_dims(x, -1), 0)


def _diag_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return (xp.diagonal(ct, offset=0),)


def _tril(x: Any, k: int = 0) -> Any:
    return np.tril(x, k)


def _triu(x: Any, k: int = 0) -> Any:
    return np.triu(x, k)


def _inv(x: Any) -> Any:
    """The inverse; a singular matrix has one full of nan, and spoils no other matrix of its stack."""
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        return _solve(x, np.broadcast_to(np.eye(np.shape(x)[-1]), np.shape(x)))


def _solve(a: Any, b: Any) -> Any:
    """x with a @ x = b, where b is one vector or a stack of matrices; nan where a is singular."""
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        a, b = np.asarray(a), np.asarray(b)
        singular = np.linalg.det(a) == 0
        safe = np.where(singular[..., None, None], np.eye(a.shape[-1]), a)
        x = np.linalg.solve(safe, b)
        return np.where(singular[(..., None) if b.ndim == 1 else (..., None, None)], np.nan, x)


def _inv_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    turned = xp.matrix_transpose(y)
    return (xp.negative(xp.matmul(xp.matmul(turned, ct), turned)),)


def _inv_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    return xp.negative(xp.matmul(xp.matmul(y, tangents[0]), y))


def _solve_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    vector = len(shape_of(args[1])) == 1  # one vector for a whole stack of matrices: a column, lest the stack be taken
    x, ct = (_column(xp, y), _column(xp, ct)) if vector else (y, ct)  # for the rows of a matrix
    to_b = xp.solve(xp.matrix_transpose(args[0]), ct)
    to_a = xp.negative(xp.matmul(to_b, xp.matrix_transpose(x)))
    return to_a, _flat(xp, to_b, -1) if vector else to_b


def _solve_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    vector, moved = len(shape_of(args[1])) == 1, tangents[1]
    if vector:
        y, moved = _column(xp, y), None if moved is None else _column(xp, moved)
    if tangents[0] is not None:
        pushed = xp.negative(xp.matmul(tangents[0], y))
        moved = pushed if moved is None else xp.add(moved, pushed)
    solved = xp.solve(args[0], moved)
    return _flat(xp, solved, -1) if vector else solved


def _adjugate(xp: Namespace, x: Value) -> Value:
    """The adjugate by Faddeev and LeVerrier's recurrence, which divides by no element of x."""
    size = shape_of(x)[-1]
    identity = xp.eye(n_rows=size)
    matrix: Value = xp.broadcast_to(identity, shape=shape_of(x))
    for k in range(1, size):
        product = xp.matmul(x, matrix)
        trace = xp.divide(xp.trace(product), float(k))
        matrix = xp.subtract(product, xp.multiply(_column(xp, _column(xp, trace)), identity))
    return matrix if size % 2 else xp.negative(matrix)


STEADY = 1e-3  # a determinant below this share of the largest that rows of these lengths can have is nearly singular
SMALL = 6  # up to this size the adjugate's recurrence, which cancels in large matrices, serves nearly singular ones too


def _cofactors(xp: Namespace, y: Value, x: Value) -> Value:
    """The derivative of the determinant by each element: det(x) times the inverse, and where x is nearly singular, and
    that cancels (at every further order more), the adjugate.
    """
    det = _column(xp, _column(xp, y))
    size = shape_of(x)[-1]
    still = xp.stop_gradient(x)
    reach = xp.prod(xp.norm(still, axis=(-1,), keepdims=False, ord=2), axis=(-1,), keepdims=False)
    bound = xp.multiply(STEADY, _column(xp, _column(xp, reach))) if size <= SMALL else 0.0
    singular = xp.less_equal(xp.abs(xp.stop_gradient(det)), bound)
    safe = xp.where(singular, xp.eye(n_rows=size), x)
    return xp.matrix_transpose(xp.where(singular, _adjugate(xp, x), xp.multiply(det, xp.inv(safe))))


def _det_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return (xp.multiply(_column(xp, _column(xp, ct)), _cofactors(xp, y, args[0])),)


def _det_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    moved = xp.multiply(tangents[0], _cofactors(xp, y, args[0]))
    return xp.sum(moved, axis=(-2, -1), keepdims=False)


def _matrix(name: str, arity: int, numpy: Any, vjp: Any, **more: Any) -> Primitive:
    return Primitive(name, arity, numpy, batching=Batching.TRAILING, vjp=vjp, analytic=True, **more)


LINALG: tuple[Primitive, ...] = (
    _matrix("dot", 2, _inner, _dot_vjp, jvp=_bilinear_jvp("dot"), latex=r"{0} \cdot {1}", note="of two vectors"),
    composition("vecdot", 2, _vecdot, torch="torch.linalg.vecdot", batching=Batching.TRAILING, aliases=("inner",)),
    _matrix("matmul", 2, np.matmul, (_matmul_to_left, _matmul_to_right), jvp=_bilinear_jvp("matmul"), latex="{0} {1}"),
    _matrix("outer", 2, _outer, _outer_vjp, jvp=_bilinear_jvp("outer"), latex=r"{0} \otimes {1}"),
    _matrix("matrix_transpose", 1, _matrix_transpose, _matrix_transpose_vjp, linear=True, latex=r"{0}^{{\top}}"),
    _matrix("trace", 1, _trace, _trace_vjp, linear=True, latex=r"\operatorname{{tr}}\left({0}\right)"),
    _matrix("diagonal", 1, _diagonal, _diagonal_vjp, linear=True, params=("offset",), defaults={"offset": 0}),
    _matrix("diag", 1, _diag, _diag_vjp, linear=True, note="the matrix with a given diagonal"),
    _matrix(
        "tril",
        1,
        _tril,
        lambda xp, ct, y, args, params: (xp.tril(ct, k=params["k"]),),
        linear=True,
        params=("k",),
        defaults={"k": 0},
    ),
    _matrix(
        "triu",
        1,
        _triu,
        lambda xp, ct, y, args, params: (xp.triu(ct, k=params["k"]),),
        linear=True,
        params=("k",),
        defaults={"k": 0},
    ),
    _matrix(
        "det",
        1,
        np.linalg.det,
        _det_vjp,
        jvp=_det_jvp,
        torch="torch.linalg.det",
        jax="jax.numpy.linalg.det",
        latex=r"\det\left({0}\right)",
    ),
    _matrix(
        "inv",
        1,
        _inv,
        _inv_vjp,
        jvp=_inv_jvp,
        torch="torch.linalg.inv",
        jax="jax.numpy.linalg.inv",
        latex="{0}^{{-1}}",
        domain="det({0}) != 0",
    ),
    _matrix(
        "solve",
        2,
        _solve,
        _solve_vjp,
        jvp=_solve_jvp,
        torch="torch.linalg.solve",
        jax="jax.numpy.linalg.solve",
        latex="{0}^{{-1}} {1}",
        domain="det({0}) != 0",
    ),
)
