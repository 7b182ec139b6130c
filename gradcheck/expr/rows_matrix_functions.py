"""What are the rules of triangular systems, log-determinants, the exponential, powers and pseudoinverses of matrices?

Sources: Giles (2008), "Collected matrix derivative results"; Higham (2008), "Functions of matrices", §3.2 (the
exponential's derivative is a block of the exponential of a block matrix); Golub and Pereyra (1973), "The
differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rows_linalg import LINALG
from gradcheck.expr.rules import is_complex, nonzero, shape_of
from gradcheck.expr.rules_matrices import (
    Rule,
    adjoint,
    as_column,
    as_matrix,
    by_adjoints,
    chain,
    forgiving,
    identity,
    real_part,
    turned,
)

_solve = next(row.numpy for row in LINALG if row.name == "solve")
EPSILON = 2.0**-52


def _solve_triangular(a: Any, b: Any, upper: bool = False) -> Any:
    """Substitution: elimination finds nothing to do in an upper triangle, and a lower one backwards is an upper one."""
    a, b = np.asarray(a), np.asarray(b)
    if upper:
        return _solve(np.triu(a), b)
    backwards = (slice(None, None, -1),) if b.ndim == 1 else (Ellipsis, slice(None, None, -1), slice(None))
    return _solve(np.triu(a[..., ::-1, ::-1]), b[backwards])[backwards]


def _of_triangle(xp: Namespace, x: Value, params: Params) -> Value:
    return xp.triu(x, k=0) if params["upper"] else xp.tril(x, k=0)


def _solve_triangular_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    to_b = xp.solve_triangular(turned(xp, args[0]), ct, upper=not params["upper"])
    left, right = (as_column(xp, x) if len(shape_of(args[1])) == 1 else x for x in (to_b, y))
    return xp.negative(_of_triangle(xp, xp.matmul(left, turned(xp, right)), params)), to_b


def _solve_triangular_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    moved = tangents[1]
    if tangents[0] is not None:
        pushed = xp.negative(xp.matmul(_of_triangle(xp, tangents[0], params), y))
        moved = pushed if moved is None else xp.add(moved, pushed)
    return xp.solve_triangular(args[0], moved, upper=params["upper"])


def _cholesky_solve(xp: Namespace, factor: Value, b: Value, upper: bool = False) -> Value:
    """x with L Lᴴ x = b for the lower factor L (or Uᴴ U x = b for the upper one)."""
    other = turned(xp, xp.conj(factor))
    first, second = (other, factor) if upper else (factor, other)
    return xp.solve_triangular(second, xp.solve_triangular(first, b, upper=False), upper=True)


def _slogdet_sign(x: Any) -> Any:
    return np.linalg.slogdet(x).sign


def _logabsdet(x: Any) -> Any:
    return np.linalg.slogdet(x).logabsdet


def _sign_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    """The sign of a complex determinant turns: its phase moves by the imaginary part of tr(A⁻¹ dA)."""
    if not is_complex(y):
        return (xp.zeros(shape=shape_of(args[0])),)
    turning = xp.multiply(1j, xp.imag(xp.multiply(ct, y)))
    return (xp.multiply(as_matrix(xp, turning), turned(xp, xp.inv(args[0]))),)


def _sign_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    if not is_complex(y):
        return xp.zeros(shape=shape_of(y))
    return xp.multiply(xp.multiply(1j, y), xp.imag(_trace_of_quotient(xp, args[0], tangents[0])))


def _trace_of_quotient(xp: Namespace, x: Value, moved: Value) -> Value:
    """tr(x⁻¹ moved): how the logarithm of a determinant moves."""
    return xp.sum(xp.multiply(moved, turned(xp, xp.inv(x))), axis=(-2, -1), keepdims=False)


def _logabsdet_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return (xp.multiply(as_matrix(xp, ct), turned(xp, xp.inv(args[0]))),)


def _logabsdet_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    return real_part(xp, _trace_of_quotient(xp, args[0], tangents[0]))


def _logdet(xp: Namespace, x: Value) -> Value:
    """nan where the determinant is negative: the logarithm of its sign."""
    return xp.add(xp.log(xp.slogdet_sign(x)), xp.logabsdet(x))


def _slogdet(xp: Namespace, a: Value) -> tuple[Value, Value]:
    """The sign of the determinant of (…, n, n) and the logarithm of its size, each of shape (…)."""
    return xp.slogdet_sign(a), xp.logabsdet(a)


def _matrix_exp(x: Any) -> Any:
    """exp(x / 2ˢ) by its series, squared s times, with s such that the scaled one-norm is at most one.

    No system is solved, which keeps two or three digits that Padé's quotients can lose.
    """
    x = np.asarray(x)
    norm = np.max(np.sum(np.abs(x), axis=-2), axis=-1, initial=0.0)
    halvings = np.ceil(np.log2(np.where(np.isfinite(norm), np.maximum(norm, 1.0), 1.0)))[..., None, None]
    scaled = np.ldexp(x, -halvings.astype(int)) if not np.iscomplexobj(x) else x * 2.0**-halvings
    result = _series(scaled)
    for k in range(int(np.max(halvings, initial=0.0))):
        result = np.where(halvings > k, result @ result, result)
    return result


def _series(x: Any) -> Any:
    """The terms up to x²⁰ / 20! (what follows is below 2⁻⁶⁵), in cubes: Paterson and Stockmeyer's nine products."""
    powers = [np.eye(np.shape(x)[-1], dtype=np.result_type(x, np.float32)), x, x @ x]
    cube = powers[2] @ x
    terms = 1.0 / np.cumprod([1.0, *range(1, 21)])
    total: Any = 0.0
    for k in range(18, -1, -3):
        total = total @ cube if k < 18 else total
        total = total + sum(float(terms[k + j]) * powers[j] for j in range(3))
    return total


def _frechet(xp: Namespace, x: Value, direction: Value) -> Value:
    """How exp(x) moves along a direction: the corner of the exponential of [[x, direction], [0, x]]."""
    shape, size = shape_of(direction), shape_of(x)[-1]
    if not size:
        return direction
    if shape_of(x) != shape:
        x = xp.broadcast_to(x, shape=shape)
    # the direction counts linearly: with a length of its own it would only cost the exponential digits
    length = nonzero(xp, xp.max(xp.abs(xp.stop_gradient(direction)), axis=(-2, -1), keepdims=True))
    above = xp.concat([x, xp.divide(direction, length)], axis=-1)
    below = xp.concat([xp.zeros(shape=shape), x], axis=-1)
    corner = (Ellipsis, slice(None, size), slice(size, None))
    whole = xp.matrix_exp(xp.concat([above, below], axis=-2))
    return xp.multiply(length, xp.getitem(whole, index=corner))


def _matrix_exp_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    return (_frechet(xp, turned(xp, args[0]), ct),)


def _matrix_exp_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    return _frechet(xp, args[0], tangents[0])


@forgiving
def _pinv(x: Any) -> Any:
    return np.linalg.pinv(x, rcond=max(x.shape[-2:]) * EPSILON)


def _beside(xp: Namespace, x: Value, left: Value, right: Value) -> Value:
    """x - left right x: what is left of x outside a projection."""
    return xp.subtract(x, chain(xp, left, xp.matmul(right, x)))


def _pinv_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    x, y_t, ct_t = args[0], adjoint(xp, y), adjoint(xp, ct)
    pulled = xp.negative(chain(xp, y_t, ct, y_t))
    rows, columns = shape_of(x)[-2:]
    outside_columns = _beside(xp, chain(xp, ct_t, y, y_t), x, y)
    outside_rows = adjoint(xp, _beside(xp, chain(xp, ct, y_t, y), y, x))
    if rows == columns == 0:
        return (pulled,)
    return (xp.add(pulled, xp.add(outside_columns, outside_rows)),)


def _pinv_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    x, y_t, moved, moved_t = args[0], adjoint(xp, y), tangents[0], adjoint(xp, tangents[0])
    pushed = xp.negative(chain(xp, y, moved, y))
    along_rows = chain(xp, y, y_t, adjoint(xp, _beside(xp, moved, x, y)))
    along_columns = _beside(xp, chain(xp, moved_t, y_t, y), y, x)
    return xp.add(pushed, xp.add(along_rows, along_columns))


def _lstsq(xp: Namespace, a: Value, b: Value) -> Value:
    """The x of least length that makes |a x - b| least; b is a vector or a stack of matrices."""
    return xp.matmul(xp.pinv(a), b)


def _matrix_power(xp: Namespace, x: Value, n: int) -> Value:
    """x to a whole power, by squaring; negative powers are those of the inverse."""
    exponent = int(n)
    if exponent != n:
        raise ValueError(f"matrix_power takes a whole exponent, got {n}")
    if exponent < 0:
        x, exponent = xp.inv(x), -exponent
    if exponent == 0:
        nothing = xp.multiply(x, 0.0)
        return xp.where(identity(x), xp.add(nothing, 1.0), nothing)
    result = None
    while True:
        if exponent % 2:
            result = x if result is None else xp.matmul(result, x)
        exponent //= 2
        if not exponent:
            return result
        x = xp.matmul(x, x)


def _row(name: str, arity: int, numpy: Any, vjp: Any, jvp: Any, **more: Any) -> Primitive:
    return Primitive(name, arity, numpy, batching=Batching.TRAILING, vjp=vjp, jvp=jvp, **more)


MATRICES: dict[str, Any] = {"batching": Batching.TRAILING}
UPPER: dict[str, Any] = {"params": ("upper",), "defaults": {"upper": False}}

MATRIX_FUNCTIONS: tuple[Primitive, ...] = (
    _row(
        "solve_triangular",
        2,
        _solve_triangular,
        _solve_triangular_vjp,
        _solve_triangular_jvp,
        **UPPER,
        analytic=True,
        domain="no zero on the diagonal",
        note="reads one triangle alone",
    ),
    composition("cholesky_solve", 2, _cholesky_solve, **UPPER, **MATRICES, note="from a Cholesky factor"),
    _row(
        "slogdet_sign",
        1,
        _slogdet_sign,
        _sign_vjp,
        _sign_jvp,
        kinks="det({0}) == 0",
        complex_rule=True,
        note="of a real matrix flat but for its jump at singular ones",
    ),
    _row("logabsdet", 1, _logabsdet, _logabsdet_vjp, _logabsdet_jvp, domain="det({0}) != 0", complex_rule=True),
    composition("logdet", 1, _logdet, **MATRICES, domain="det({0}) > 0"),
    _row(
        "matrix_exp",
        1,
        _matrix_exp,
        _matrix_exp_vjp,
        _matrix_exp_jvp,
        analytic=True,
        latex="e^{{{0}}}",
        aliases=("expm",),
        note="derivative by the exponential of a block matrix, Higham (2008)",
    ),
    _row(
        "pinv",
        1,
        _pinv,
        by_adjoints(_pinv_vjp),
        _pinv_jvp,
        complex_rule=True,
        latex="{0}^{{+}}",
        domain="constant rank",
        note="singular values below max(m, n) units in the last place of the largest count as zero; the rule, Golub "
        "and Pereyra's (1973), is that of matrices of the same rank",
    ),
    composition("lstsq", 2, _lstsq, **MATRICES, domain="full rank", note="by the pseudoinverse"),
    composition("matrix_power", 1, _matrix_power, params=("n",), **MATRICES),
    composition("slogdet", 1, _slogdet, batching=Batching.TRAILING, note="slogdet_sign and logabsdet"),
)
