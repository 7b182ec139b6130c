"""What are the slopes of arithmetic, of rounding, and of the functions that choose between their arguments?

Conventions at kinks and ties: abs'(0) = 0, relu'(0) = 0, ties of maximum and minimum share the slope half and half,
clip has slope 1 on its closed interval.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.expr.primitive import Namespace, Params, Primitive, Value
from gradcheck.expr.rules import indicator, nonzero


def _pow_slope_base(xp: Namespace, y: Value, x: Value, p: Value) -> Value:
    if isinstance(p, int | float):
        if p == 0:
            return 0.0
        return xp.multiply(p, x if p == 2 else xp.pow(x, p - 1))
    flat = xp.equal(p, 0.0)  # x**0 has slope 0 even at x = 0, where 0 * x**(-1) would be nan
    return xp.multiply(p, xp.pow(x, xp.where(flat, 1.0, xp.subtract(p, 1.0))))


def _pow_slope_exponent(xp: Namespace, y: Value, x: Value, p: Value) -> Value:
    return xp.multiply(y, xp.log(nonzero(xp, x)))  # 0**p is constant (0) for p > 0


def _larger(xp: Namespace, y: Value, a: Value, b: Value) -> Value:
    return xp.where(xp.greater(a, b), 1.0, xp.where(xp.equal(a, b), 0.5, 0.0))


def _smaller(xp: Namespace, y: Value, a: Value, b: Value) -> Value:
    return xp.where(xp.less(a, b), 1.0, xp.where(xp.equal(a, b), 0.5, 0.0))


def _clip_x(xp: Namespace, y: Value, x: Value, low: Value, high: Value) -> Value:
    return indicator(xp, xp.logical_and(xp.greater_equal(x, low), xp.less_equal(x, high)))


def _clip_low(xp: Namespace, y: Value, x: Value, low: Value, high: Value) -> Value:
    return indicator(xp, xp.logical_and(xp.less(x, low), xp.less_equal(low, high)))


def _clip_high(xp: Namespace, y: Value, x: Value, low: Value, high: Value) -> Value:
    return indicator(xp, xp.greater(xp.maximum(x, low), high))


def _abs_by_z(xp: Namespace, y: Value, z: Value) -> Value:
    return xp.multiply(0.5, xp.conj(xp.sign(z)))


def _abs_by_conj(xp: Namespace, y: Value, z: Value) -> Value:
    return xp.multiply(0.5, xp.sign(z))


def _sign_by_z(xp: Namespace, y: Value, z: Value) -> Value:
    return xp.divide(0.5, nonzero(xp, xp.abs(z)))  # the sign of a complex number is z / |z|


def _sign_by_conj(xp: Namespace, y: Value, z: Value) -> Value:
    return xp.negative(xp.divide(xp.multiply(0.5, xp.square(y)), nonzero(xp, xp.abs(z))))


def _where_vjp(xp: Namespace, ct: Value, y: Value, args: Any, params: Params) -> tuple[Value | None, ...]:
    return None, xp.where(args[0], ct, 0.0), xp.where(args[0], 0.0, ct)


def _where_jvp(xp: Namespace, y: Value, args: Any, tangents: Any, params: Params) -> Value:
    _, a, b = tangents
    return xp.where(args[0], 0.0 if a is None else a, 0.0 if b is None else b)


def _power(x: Any, p: Any) -> Any:
    try:
        return np.power(x, p)
    except ValueError:  # NumPy refuses integers to negative integer powers
        return np.power(np.asarray(x, dtype=np.float64), p)


def _reciprocal(x: Any) -> Any:
    return np.true_divide(1.0, x)


def _relu(x: Any) -> Any:
    return np.maximum(x, 0.0)


def _identity(x: Any) -> Any:
    return x


ARITHMETIC: tuple[Primitive, ...] = (
    Primitive("add", 2, np.add, slopes=(1.0, 1.0), latex="{0} + {1}", analytic=True),
    Primitive("subtract", 2, np.subtract, slopes=(1.0, -1.0), latex="{0} - {1}", analytic=True, short="sub"),
    Primitive(
        "multiply",
        2,
        np.multiply,
        slopes=(lambda xp, y, a, b: b, lambda xp, y, a, b: a),
        latex=r"{0} \cdot {1}",
        analytic=True,
        short="mul",
    ),
    Primitive(
        "divide",
        2,
        np.true_divide,
        slopes=(lambda xp, y, a, b: xp.reciprocal(b), lambda xp, y, a, b: xp.negative(xp.divide(y, b))),
        latex=r"\frac{{{0}}}{{{1}}}",
        domain="{1} != 0",
        analytic=True,
        short="div",
    ),
    Primitive(
        "pow",
        2,
        _power,
        slopes=(_pow_slope_base, _pow_slope_exponent),
        latex="{0}^{{{1}}}",
        domain="{0} > 0, or an integer {1}",
        analytic=True,
    ),
    Primitive("negative", 1, np.negative, slopes=(-1.0,), latex="-{0}", analytic=True, short="neg"),
    Primitive("positive", 1, np.positive, slopes=(1.0,), latex="+{0}", analytic=True),
    Primitive(
        "abs",
        1,
        np.abs,
        slopes=(lambda xp, y, x: xp.sign(x),),
        wirtinger=((_abs_by_z, _abs_by_conj),),
        latex=r"\left|{0}\right|",
        kinks="{0} == 0",
    ),
    Primitive("square", 1, np.square, slopes=(lambda xp, y, x: xp.multiply(2.0, x),), latex="{0}^{{2}}", analytic=True),
    Primitive(
        "reciprocal",
        1,
        _reciprocal,
        slopes=(lambda xp, y, x: xp.negative(xp.square(y)),),
        latex=r"\frac{{1}}{{{0}}}",
        domain="nonzero",
        analytic=True,
    ),
    Primitive(
        "sqrt",
        1,
        np.sqrt,
        slopes=(lambda xp, y, x: xp.divide(0.5, y),),
        latex=r"\sqrt{{{0}}}",
        domain="nonnegative",
        analytic=True,
    ),
    Primitive(
        "cbrt",
        1,
        np.cbrt,
        slopes=(lambda xp, y, x: xp.reciprocal(xp.multiply(3.0, xp.square(y))),),
        latex=r"\sqrt[3]{{{0}}}",
        kinks="{0} == 0",
    ),
    Primitive(
        "remainder",
        2,
        np.remainder,
        slopes=(1.0, lambda xp, y, a, b: xp.negative(xp.floor_divide(a, b))),
        latex=r"{0} \bmod {1}",
        domain="{1} != 0",
        note="the sign of the divisor, as in Python",
    ),
    Primitive("floor_divide", 2, np.floor_divide, slopes=(0.0, 0.0), latex=r"\lfloor {0} / {1} \rfloor"),
    Primitive(
        "sign",
        1,
        np.sign,
        slopes=(0.0,),
        wirtinger=((_sign_by_z, _sign_by_conj),),
        latex=r"\operatorname{{sign}}\left({0}\right)",
    ),
    Primitive("floor", 1, np.floor, slopes=(0.0,), latex=r"\lfloor {0} \rfloor"),
    Primitive("ceil", 1, np.ceil, slopes=(0.0,), latex=r"\lceil {0} \rceil"),
    Primitive("round", 1, np.round, slopes=(0.0,), note="halves go to the even neighbour"),
    Primitive("trunc", 1, np.trunc, slopes=(0.0,)),
    Primitive(
        "copysign",
        2,
        np.copysign,
        slopes=(lambda xp, y, a, b: xp.multiply(xp.sign(a), xp.copysign(1.0, b)), 0.0),
        kinks="{0} == 0",
    ),
    Primitive(
        "hypot",
        2,
        np.hypot,
        slopes=(lambda xp, y, a, b: xp.divide(a, nonzero(xp, y)), lambda xp, y, a, b: xp.divide(b, nonzero(xp, y))),
        latex=r"\sqrt{{{0}^2 + {1}^2}}",
        kinks="{0} == 0 and {1} == 0",
    ),
    Primitive(
        "maximum",
        2,
        np.maximum,
        slopes=(_larger, lambda xp, y, a, b: _larger(xp, y, b, a)),
        latex=r"\max\left({0}, {1}\right)",
        kinks="{0} == {1}",
        note="ties share the slope half and half",
    ),
    Primitive(
        "minimum",
        2,
        np.minimum,
        slopes=(_smaller, lambda xp, y, a, b: _smaller(xp, y, b, a)),
        latex=r"\min\left({0}, {1}\right)",
        kinks="{0} == {1}",
        note="ties share the slope half and half",
    ),
    Primitive(
        "clip",
        3,
        np.clip,
        slopes=(_clip_x, _clip_low, _clip_high),
        torch="torch.clamp",
        kinks="{0} == {1} or {0} == {2}",
        note="slope 1 in {0} on the closed interval",
    ),
    Primitive(
        "relu",
        1,
        _relu,
        slopes=(lambda xp, y, x: indicator(xp, xp.greater(x, 0.0)),),
        torch="torch.relu",
        jax="jax.nn.relu",
        kinks="{0} == 0",
    ),
    Primitive(
        "where",
        3,
        np.where,
        vjp=_where_vjp,
        jvp=_where_jvp,
        analytic=True,
        note="the branch not taken gets an exact zero",
    ),
    Primitive("stop_gradient", 1, _identity, slopes=(None,), torch="torch.detach", jax="jax.lax.stop_gradient"),
    Primitive("equal", 2, np.equal, slopes=(None, None), torch="torch.eq", latex="{0} = {1}"),
    Primitive("not_equal", 2, np.not_equal, slopes=(None, None), torch="torch.ne", latex=r"{0} \neq {1}"),
    Primitive("less", 2, np.less, slopes=(None, None), torch="torch.lt", latex="{0} < {1}"),
    Primitive("less_equal", 2, np.less_equal, slopes=(None, None), torch="torch.le", latex=r"{0} \leq {1}"),
    Primitive("greater", 2, np.greater, slopes=(None, None), torch="torch.gt", latex="{0} > {1}"),
    Primitive("greater_equal", 2, np.greater_equal, slopes=(None, None), torch="torch.ge", latex=r"{0} \geq {1}"),
    Primitive("logical_and", 2, np.logical_and, slopes=(None, None), latex=r"{0} \land {1}"),
    Primitive("logical_or", 2, np.logical_or, slopes=(None, None), latex=r"{0} \lor {1}"),
    Primitive("logical_not", 1, np.logical_not, slopes=(None,), latex=r"\lnot {0}"),
    Primitive("isfinite", 1, np.isfinite, slopes=(None,)),
    Primitive("isnan", 1, np.isnan, slopes=(None,)),
)
