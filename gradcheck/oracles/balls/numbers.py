"""Which plain numbers may meet balls, and as what?

Arrays of floats are exact numbers. A Python float in a rule may be a rounded constant (`2 / sqrt(pi)`): it is known
again by its value and taken as what it stands for; a long one that nobody knows is refused, because a ball around a
rounded number proves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from gradcheck.errors import Unsupported
from gradcheck.oracles.balls.flint_library import Balls, acb, arb, balls, precision

DENOMINATORS, NUMERATORS = 360, 360  # of the fractions that are known again: 1 / 6, pi / 180
ROOTS = 64  # whole numbers whose roots are
ROUND_BITS = 32  # of a significand up to which a number is itself: a rounded constant has 53, a power of two has one
SHORT = 13  # significant digits up to which a literal is taken as written: 0.044715, 1e-05, 140737488355328.0


def _root(n: int) -> Any:
    return arb(n).sqrt()


def _one_over_root(n: int) -> Any:
    return 1 / arb(n).sqrt()


CONSTANTS: tuple[Callable[[], Any], ...] = (
    lambda: arb(1),
    arb.pi,
    lambda: arb.pi().sqrt(),
    lambda: (2 * arb.pi()).sqrt(),
    lambda: 1 / arb.pi(),
    lambda: 1 / arb.pi().sqrt(),
    lambda: (2 / arb.pi()).sqrt(),
    lambda: arb.pi().log(),
    arb.const_log2,
    arb.const_log10,
    lambda: arb("1.6732632423543772848170429916717"),  # alpha of selu, as its authors print it
    lambda: arb("1.0507009873554804934193349852946"),  # its scale
    lambda: arb("1.6732632423543772848170429916717") * arb("1.0507009873554804934193349852946"),
    *(partial(_root, n) for n in range(2, ROOTS + 1)),
    *(partial(_one_over_root, n) for n in range(2, ROOTS + 1)),
)
NAMED: dict[str, Callable[[], Any]] = {"pi": arb.pi, "e": arb.const_e}
_meanings: dict[float, Callable[[], Any] | None] = {}  # a float of the rules -> what it stands for; None: itself


def is_balls(x: Any) -> bool:
    """Whether x is an array of balls (else it is an exact number, or an array of them)."""
    return isinstance(x, np.ndarray) and x.dtype == object


def number(x: Any) -> Any:
    """A plain number as it may be mixed with balls: a rounded constant of a rule as the ball of what it stands for.

    Raises Unsupported for a long float that no constant is known for.
    """
    if type(x) is complex:
        return balls(acb(x))
    if type(x) is not float:
        return x
    if x not in _meanings:
        _meanings[x] = None if dyadic(x) or _round(x) else _meaning(abs(x))
    meaning = _meanings[x]
    return x if meaning is None else balls(meaning() if x > 0 else -meaning())


def digits(x: float) -> int:
    """How many significant digits a float is written with."""
    return len(repr(x).partition("e")[0].strip("-0.").replace(".", ""))


def dyadic(x: float) -> bool:
    """Whether a float is written exactly as people write it: 0.5, 3.0, inf; not 0.1."""
    return not math.isfinite(x) or Fraction(repr(x)) == Fraction(x)


def _round(x: float) -> bool:
    """Whether a float is plainly no rounded constant: it uses a part of its bits only, as 2.0**66 does."""
    return math.ldexp(math.frexp(x)[0], ROUND_BITS).is_integer()


def _meaning(x: float) -> Callable[[], Any] | None:
    """What a float is the rounding of: a small fraction of a constant, or, where it is short, itself."""
    for constant in CONSTANTS:
        with precision(128):
            found = constant()
        ratio = Fraction(x / float(found)).limit_denominator(DENOMINATORS)
        if 0 < ratio < NUMERATORS and abs(float(found * ratio.numerator / ratio.denominator) - x) <= 2 * math.ulp(x):
            return partial(_multiple, constant, ratio)
    if digits(x) <= SHORT:
        return None
    raise Unsupported("ball arithmetic", f"name for the rounded constant {x!r}")


def _multiple(constant: Callable[[], Any], ratio: Fraction) -> Any:
    return constant() * ratio.numerator / ratio.denominator


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
