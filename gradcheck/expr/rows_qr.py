"""What are the rules of the two factors of A = QR?

The reduced decomposition: Q has min(m, n) orthonormal columns, R is upper triangular, with LAPACK's signs on its
diagonal. Of a wide matrix only the leading square block is decomposed, and R holds Qᴴ times the rest. Formulas: Walter
and Lehmann (2010), "Algorithmic differentiation of linear algebra functions with application in optimum experimental
design", for Q and for R alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Params, Primitive, Value
from gradcheck.expr.rules import shape_of
from gradcheck.expr.rules_matrices import Rule, adjoint, by_adjoints, chain, forgiving, lower_half


@forgiving
def _qr_q(x: Any) -> Any:
    return np.linalg.qr(x).Q


@forgiving
def _qr_r(x: Any) -> Any:
    return np.linalg.qr(x).R


def _columns(xp: Namespace, x: Value, start: int | None, stop: int | None) -> Value:
    return xp.getitem(x, index=(Ellipsis, slice(start, stop)))


def _side_by_side(xp: Namespace, left: Value, right: Value) -> Value:
    return xp.concat([left, right], axis=-1)


def _leading(xp: Namespace, x: Value) -> Value:
    """The columns that are orthogonalised: all, or those of the leading square block of a wide matrix."""
    rows, columns = shape_of(x)[-2:]
    return _columns(xp, x, None, rows) if columns > rows else x


def _over_r(xp: Namespace, r: Value, x: Value) -> Value:
    """x R⁻¹."""
    return adjoint(xp, xp.solve_triangular(adjoint(xp, r), adjoint(xp, x), upper=False))


def _over_turned_r(xp: Namespace, r: Value, x: Value) -> Value:
    """x R⁻ᴴ."""
    return adjoint(xp, xp.solve_triangular(r, adjoint(xp, x), upper=True))


def _rotation(xp: Namespace, q: Value, r: Value, moved: Value) -> tuple[Value, Value]:
    """Qᴴ dA R⁻¹ and its antihermitian part Qᴴ dQ, which its lower triangle tells."""
    image = _over_r(xp, r, xp.matmul(adjoint(xp, q), moved))
    lower = lower_half(xp, image)
    return image, xp.subtract(lower, adjoint(xp, lower))


def _q_pulled(xp: Namespace, q: Value, r: Value, ct: Value) -> Value:
    """The cotangent of the leading columns that one of Q gives."""
    image = xp.matmul(adjoint(xp, q), ct)
    inner = xp.subtract(lower_half(xp, xp.subtract(image, adjoint(xp, image))), image)
    return _over_turned_r(xp, r, xp.add(xp.matmul(q, inner), ct))


def _q_moved(xp: Namespace, q: Value, r: Value, moved: Value) -> Value:
    """How Q moves with the leading columns."""
    image, rotation = _rotation(xp, q, r, moved)
    return xp.add(_over_r(xp, r, moved), xp.matmul(q, xp.subtract(rotation, image)))


def _qr_q_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    leading = _leading(xp, args[0])
    pulled = _q_pulled(xp, y, xp.qr_r(leading), ct)
    if leading is args[0]:
        return (pulled,)
    rest = xp.zeros(shape=shape_of(_columns(xp, args[0], shape_of(args[0])[-2], None)))
    return (_side_by_side(xp, pulled, rest),)


def _qr_q_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    return _q_moved(xp, y, xp.qr_r(_leading(xp, args[0])), _leading(xp, tangents[0]))


def _r_pulled(xp: Namespace, q: Value, r: Value, ct: Value) -> Value:
    """The cotangent of the leading columns that one of their R gives."""
    half = lower_half(xp, xp.matmul(r, adjoint(xp, ct)))
    inner = xp.add(half, adjoint(xp, half))
    return _over_turned_r(xp, r, xp.matmul(q, inner))


def _r_moved(xp: Namespace, q: Value, r: Value, moved: Value) -> Value:
    """How R moves with the leading columns."""
    image, rotation = _rotation(xp, q, r, moved)
    return xp.triu(xp.matmul(xp.subtract(image, rotation), r), k=0)


def _qr_r_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> Rule:
    q, rows = xp.qr_q(args[0]), shape_of(args[0])[-2]
    if _leading(xp, args[0]) is args[0]:
        return (_r_pulled(xp, q, y, ct),)
    r, rest, ct_rest = (_leading(xp, y), _columns(xp, args[0], rows, None), _columns(xp, ct, rows, None))
    through_q = _q_pulled(xp, q, r, xp.matmul(rest, adjoint(xp, ct_rest)))
    pulled = xp.add(_r_pulled(xp, q, r, _leading(xp, ct)), through_q)
    return (_side_by_side(xp, pulled, xp.matmul(q, ct_rest)),)


def _qr_r_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    q, rows = xp.qr_q(args[0]), shape_of(args[0])[-2]
    if _leading(xp, args[0]) is args[0]:
        return _r_moved(xp, q, y, tangents[0])
    r, moved = _leading(xp, y), _leading(xp, tangents[0])
    rest, moved_rest = _columns(xp, args[0], rows, None), _columns(xp, tangents[0], rows, None)
    turning = xp.matmul(adjoint(xp, _q_moved(xp, q, r, moved)), rest)
    return _side_by_side(xp, _r_moved(xp, q, r, moved), xp.add(turning, chain(xp, adjoint(xp, q), moved_rest)))


def _qr(xp: Namespace, a: Value) -> tuple[Value, Value]:
    """The reduced decomposition of (…, m, n): Q (…, m, k) and R (…, k, n), k = min(m, n)."""
    return xp.qr_q(a), xp.qr_r(a)


def _row(name: str, numpy: Any, vjp: Any, jvp: Any) -> Primitive:
    return Primitive(
        name,
        1,
        numpy,
        batching=Batching.TRAILING,
        vjp=by_adjoints(vjp),
        jvp=jvp,
        complex_rule=True,
        domain="the first min(m, n) columns are independent",
        note="reduced, with LAPACK's signs; rule of Walter and Lehmann (2010)",
    )


QR: tuple[Primitive, ...] = (
    _row("qr_q", _qr_q, _qr_q_vjp, _qr_q_jvp),
    _row("qr_r", _qr_r, _qr_r_vjp, _qr_r_jvp),
    composition("qr", 1, _qr, batching=Batching.TRAILING, note="qr_q and qr_r"),
)
