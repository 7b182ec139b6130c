"""What are the rules of the Array API's remaining elementwise functions: angles, bits, signs, neighbours, truth?

Functions of whole numbers and truth values have no derivative. The next float after x is a fact about float64, not a
function of real numbers: asking for its derivative is refused.
"""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from gradcheck.expr.composition import composition
from gradcheck.expr.primitive import Batching, Namespace, Primitive, Value
from gradcheck.expr.rules import Axis, like, numbers, whole
from gradcheck.expr.unknown import Unknown


def _fmod_slope(xp: Namespace, y: Value, a: Value, b: Value) -> Value:
    """Minus the whole part of a / b, from a - y, which is a whole multiple of b: the quotient itself may round up."""
    return xp.negative(xp.round(xp.divide(xp.subtract(a, y), b)))


def _ldexp(xp: Namespace, x: Value, n: Value) -> Value:
    return xp.multiply(x, xp.exp2(like(n, x)))


def _count_nonzero(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    return np.sum(np.not_equal(x, 0), axis=axis, keepdims=keepdims, dtype=np.int64)


def _of_bits(ufunc: Any) -> Any:
    """A function of bits, on truth values and whole numbers (which may come as floats)."""

    def call(*args: Any) -> Any:
        arrays = [numbers(a) for a in args]
        return ufunc(*[a if a.dtype.kind == "b" else whole(a) for a in arrays])

    return call


def _bitwise(name: str, arity: int, ufunc: Any, latex: str = "") -> Primitive:
    return Primitive(name, arity, _of_bits(ufunc), slopes=(None,) * arity, domain="whole numbers", latex=latex)


NO_SLOPE = Unknown("nextafter", "its arguments", why="it steps from one float to the next")

NUMBERS: tuple[Primitive, ...] = (
    Primitive(
        "fmod",
        2,
        np.fmod,
        slopes=(1.0, _fmod_slope),
        domain="{1} != 0",
        note="the sign of the dividend, as in C",
    ),
    Primitive("deg2rad", 1, np.deg2rad, slopes=(pi / 180.0,), aliases=("radians",)),
    Primitive("rad2deg", 1, np.rad2deg, slopes=(180.0 / pi,), aliases=("degrees",)),
    composition("ldexp", 2, _ldexp, analytic=True, note="any exponent, as in PyTorch"),
    Primitive("nextafter", 2, np.nextafter, slopes=(NO_SLOPE, NO_SLOPE), note="has no derivative: asking is refused"),
    Primitive("logical_xor", 2, np.logical_xor, slopes=(None, None)),
    Primitive("isinf", 1, np.isinf, slopes=(None,)),
    Primitive("signbit", 1, np.signbit, slopes=(None,)),
    _bitwise("bitwise_and", 2, np.bitwise_and),
    _bitwise("bitwise_or", 2, np.bitwise_or),
    _bitwise("bitwise_xor", 2, np.bitwise_xor),
    _bitwise("bitwise_invert", 1, np.bitwise_invert),
    _bitwise("bitwise_left_shift", 2, np.left_shift),
    _bitwise("bitwise_right_shift", 2, np.right_shift),
    Primitive(
        "count_nonzero",
        1,
        _count_nonzero,
        ("axis", "keepdims"),
        {"axis": None, "keepdims": False},
        Batching.AXIS,
    ),
)
