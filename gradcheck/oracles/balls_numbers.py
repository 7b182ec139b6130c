"""Which plain numbers may meet balls, and as what?

Arrays of floats are exact numbers. A Python float in a rule may be a rounded constant (`2 / sqrt(pi)`): it is known
again by its value and taken as what it stands for; a long one that nobody knows is refused, because a ball around a
rounded number proves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from gradcheck.errors import Unsupported
from gradcheck.oracles.flint_library import Balls, arb, balls

DENOMINATORS = 64  # of the fractions that are known again: 1 / 6, 2 / 3
SHORT = 13  # significant digits up to which a literal is taken as written: 0.044715, 1e-05, 140737488355328.0
_pi: Callable[[], Any] = arb.pi

CONSTANTS: dict[float, Callable[[], Any]] = {
    math.pi: _pi,
    2 * math.pi: lambda: 2 * _pi(),
    math.pi / 2: lambda: _pi() / 2,
    math.pi / 180: lambda: _pi() / 180,
    180 / math.pi: lambda: 180 / _pi(),
    math.sqrt(math.pi): lambda: _pi().sqrt(),
    math.sqrt(2 * math.pi): lambda: (2 * _pi()).sqrt(),
    1 / math.sqrt(2 * math.pi): lambda: 1 / (2 * _pi()).sqrt(),
    2 / math.sqrt(math.pi): lambda: 2 / _pi().sqrt(),
    math.sqrt(math.pi) / 2: lambda: _pi().sqrt() / 2,
    math.sqrt(2 / math.pi): lambda: (2 / _pi()).sqrt(),
    math.sqrt(math.pi / 2): lambda: (_pi() / 2).sqrt(),
    math.sqrt(8 / math.pi): lambda: (8 / _pi()).sqrt(),
    math.log(math.pi): lambda: _pi().log(),
    math.sqrt(2): lambda: arb(2).sqrt(),
    math.sqrt(0.5): lambda: arb(0.5).sqrt(),
    math.e: arb.const_e,
    math.log(2): arb.const_log2,
    math.log(10): arb.const_log10,
    1.6732632423543772: lambda: arb("1.6732632423543772848170429916717"),  # of selu, as its authors print them
    1.0507009873554805: lambda: arb("1.0507009873554804934193349852946"),
}
NAMED: dict[str, Callable[[], Any]] = {"pi": _pi, "e": arb.const_e}
_meanings: dict[float, Callable[[], Any] | None] = {}  # a float of the rules -> what it stands for; None: itself


def is_balls(x: Any) -> bool:
    """Whether x is an array of balls (else it is an exact number, or an array of them)."""
    return isinstance(x, np.ndarray) and x.dtype == object


def rounded(x: float) -> bool:
    """Whether a float has so many digits that it may stand for a longer number."""
    return math.isfinite(x) and len(repr(x).partition("e")[0].strip("-0.").replace(".", "")) > SHORT


def number(x: Any) -> Any:
    """A plain number as it may be mixed with balls: a rounded constant as the ball of what it stands for.

    Raises Unsupported for a long float that no constant is known for.
    """
    if type(x) is not float:
        return x
    if x not in _meanings:
        _meanings[x] = _meaning(abs(x)) if rounded(x) or abs(x) in CONSTANTS else None
    meaning = _meanings[x]
    return x if meaning is None else balls(meaning() if x > 0 else -meaning())


def _meaning(x: float) -> Callable[[], Any]:
    """What a long float is the rounding of: a constant, a small fraction, or one over the root of a whole number."""
    if x in CONSTANTS:
        return CONSTANTS[x]
    near = Fraction(x).limit_denominator(DENOMINATORS)
    if abs(float(near) - x) <= math.ulp(x):  # 1 - 1/3 is one off
        return lambda: arb(near.numerator) / near.denominator
    whole = round(1 / (x * x)) if 1 / DENOMINATORS < x < 1 else 0
    if whole and 1 / math.sqrt(whole) == x:
        return lambda: 1 / arb(whole).sqrt()
    raise Unsupported("ball arithmetic", f"name for the rounded constant {x!r}")


def lowered(x: Any) -> Any:
    """Balls that are float64 numbers exactly, as an array of those; others as they are."""
    flat = x.ravel()
    if not all(ball.is_exact() for ball in flat):
        return x
    plain = x.astype(float)
    same = [arb(f) == ball for f, ball in zip(plain.ravel().tolist(), flat, strict=True)]
    return plain if all(same) else x


def all_balls(x: Any) -> Balls:
    """An array whose elements are balls, whatever it came from."""
    return balls(number(x))
