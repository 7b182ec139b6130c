"""What are the slopes of exponentials, logarithms, and of circular and hyperbolic functions?

Slopes are written so that they keep their digits in the tails: tanh has slope 1/cosh(x)², not 1 - y².
"""

from __future__ import annotations

from math import log

import numpy as np

from gradcheck.expr.primitive import Namespace, Primitive, Value
from gradcheck.expr.rules import nonzero

LN2 = log(2.0)
LN10 = log(10.0)


def _tanh_slope(xp: Namespace, y: Value, x: Value) -> Value:
    return xp.square(xp.reciprocal(xp.cosh(x)))


def _asin_slope(xp: Namespace, y: Value, x: Value) -> Value:
    return xp.reciprocal(xp.multiply(xp.sqrt(xp.subtract(1.0, x)), xp.sqrt(xp.add(1.0, x))))


def _asinh_slope(xp: Namespace, y: Value, z: Value) -> Value:
    turned = xp.multiply(1j, z)
    return xp.reciprocal(xp.multiply(xp.sqrt(xp.subtract(1.0, turned)), xp.sqrt(xp.add(1.0, turned))))


def _acosh_slope(xp: Namespace, y: Value, x: Value) -> Value:
    return xp.reciprocal(xp.multiply(xp.sqrt(xp.subtract(x, 1.0)), xp.sqrt(xp.add(x, 1.0))))


def _atanh_slope(xp: Namespace, y: Value, x: Value) -> Value:
    return xp.reciprocal(xp.multiply(xp.subtract(1.0, x), xp.add(1.0, x)))


def _atan2_slope(xp: Namespace, numerator: Value, y: Value, x: Value) -> Value:
    radius = nonzero(xp, xp.hypot(y, x))  # at the origin the slope is taken as 0
    return xp.divide(xp.divide(numerator, radius), radius)


ELEMENTARY: tuple[Primitive, ...] = (
    Primitive("exp", 1, np.exp, slopes=(lambda xp, y, x: y,), latex="e^{{{0}}}", analytic=True),
    Primitive("exp2", 1, np.exp2, slopes=(lambda xp, y, x: xp.multiply(LN2, y),), latex="2^{{{0}}}", analytic=True),
    Primitive("expm1", 1, np.expm1, slopes=(lambda xp, y, x: xp.exp(x),), latex="e^{{{0}}} - 1", analytic=True),
    Primitive(
        "log",
        1,
        np.log,
        slopes=(lambda xp, y, x: xp.reciprocal(x),),
        latex=r"\ln\left({0}\right)",
        domain="positive",
        analytic=True,
    ),
    Primitive(
        "log1p",
        1,
        np.log1p,
        slopes=(lambda xp, y, x: xp.reciprocal(xp.add(1.0, x)),),
        latex=r"\ln\left(1 + {0}\right)",
        domain="(-1, inf)",
        analytic=True,
    ),
    Primitive(
        "log2",
        1,
        np.log2,
        slopes=(lambda xp, y, x: xp.reciprocal(xp.multiply(LN2, x)),),
        latex=r"\log_2\left({0}\right)",
        domain="positive",
        analytic=True,
    ),
    Primitive(
        "log10",
        1,
        np.log10,
        slopes=(lambda xp, y, x: xp.reciprocal(xp.multiply(LN10, x)),),
        latex=r"\log_{{10}}\left({0}\right)",
        domain="positive",
        analytic=True,
    ),
    Primitive(
        "logaddexp",
        2,
        np.logaddexp,
        slopes=(
            lambda xp, y, a, b: xp.expit(xp.subtract(a, b)),
            lambda xp, y, a, b: xp.expit(xp.subtract(b, a)),
        ),
        latex=r"\ln\left(e^{{{0}}} + e^{{{1}}}\right)",
    ),
    Primitive("sin", 1, np.sin, slopes=(lambda xp, y, x: xp.cos(x),), latex=r"\sin\left({0}\right)", analytic=True),
    Primitive(
        "cos",
        1,
        np.cos,
        slopes=(lambda xp, y, x: xp.negative(xp.sin(x)),),
        latex=r"\cos\left({0}\right)",
        analytic=True,
    ),
    Primitive(
        "tan",
        1,
        np.tan,
        slopes=(lambda xp, y, x: xp.add(1.0, xp.square(y)),),
        latex=r"\tan\left({0}\right)",
        domain="cos({0}) != 0",
        analytic=True,
    ),
    Primitive(
        "asin", 1, np.arcsin, slopes=(_asin_slope,), latex=r"\arcsin\left({0}\right)", domain="[-1, 1]", analytic=True
    ),
    Primitive(
        "acos",
        1,
        np.arccos,
        slopes=(lambda xp, y, x: xp.negative(_asin_slope(xp, y, x)),),
        latex=r"\arccos\left({0}\right)",
        domain="[-1, 1]",
        analytic=True,
    ),
    Primitive(
        "atan",
        1,
        np.arctan,
        slopes=(lambda xp, y, x: xp.reciprocal(xp.add(1.0, xp.square(x))),),
        latex=r"\arctan\left({0}\right)",
        analytic=True,
    ),
    Primitive(
        "atan2",
        2,
        np.arctan2,
        slopes=(
            lambda xp, y, a, b: _atan2_slope(xp, b, a, b),
            lambda xp, y, a, b: xp.negative(_atan2_slope(xp, a, a, b)),
        ),
        latex=r"\operatorname{{atan2}}\left({0}, {1}\right)",
        domain="not ({0} == 0 and {1} <= 0)",
    ),
    Primitive("sinh", 1, np.sinh, slopes=(lambda xp, y, x: xp.cosh(x),), latex=r"\sinh\left({0}\right)", analytic=True),
    Primitive("cosh", 1, np.cosh, slopes=(lambda xp, y, x: xp.sinh(x),), latex=r"\cosh\left({0}\right)", analytic=True),
    Primitive("tanh", 1, np.tanh, slopes=(_tanh_slope,), latex=r"\tanh\left({0}\right)", analytic=True),
    Primitive(
        "asinh",
        1,
        np.arcsinh,
        slopes=(lambda xp, y, x: xp.reciprocal(xp.hypot(1.0, x)),),
        wirtinger=((_asinh_slope, 0.0),),  # hypot is for real numbers
        latex=r"\operatorname{{arsinh}}\left({0}\right)",
        analytic=True,
    ),
    Primitive(
        "acosh",
        1,
        np.arccosh,
        slopes=(_acosh_slope,),
        latex=r"\operatorname{{arcosh}}\left({0}\right)",
        domain="[1, inf)",
        analytic=True,
    ),
    Primitive(
        "atanh",
        1,
        np.arctanh,
        slopes=(_atanh_slope,),
        latex=r"\operatorname{{artanh}}\left({0}\right)",
        domain="(-1, 1)",
        analytic=True,
    ),
)
