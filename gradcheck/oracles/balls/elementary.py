"""How are elementwise functions enclosed? Each by Arb's own, or by a formula in those.

Where a formula comes in two forms, each right everywhere (log(e^a + e^b) from either side), the midpoints choose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.oracles.balls.flint_library import arb
from gradcheck.oracles.balls.numbers import all_balls

Enclosure = Callable[..., Any]


def each(function: Callable[..., Any], arity: int = 1) -> Enclosure:
    """An enclosure from a function of single balls."""
    ufunc: Any = np.frompyfunc(function, arity, 1)
    return lambda *arrays, **params: ufunc(*map(all_balls, arrays), **params)


def _whole(p: Any) -> Any:
    """An exponent as an integer where it is one exactly."""
    return p.unique_fmpz() if p.is_exact() and p.is_integer() else None


def power(x: Any, n: int) -> Any:
    """x**n, of one ball or an array of them, by squaring: Arb's own power is not finite around zero."""
    if n < 0:
        return 1 / power(x, -n)
    result = None
    while n:
        if n & 1:
            result = x if result is None else result * x
        n >>= 1
        x = x * x if n else x
    return 0 * x + 1 if result is None else result


def _pow(x: Any, p: Any) -> Any:
    whole = _whole(p)
    return x**p if whole is None else power(x, int(whole))


def _pow_arrays(x: Any, p: Any) -> Any:
    if isinstance(p, int | float) and float(p).is_integer():
        return power(all_balls(x), int(p))
    return each(_pow, 2)(x, p)


def _logaddexp(a: Any, b: Any) -> Any:
    if b.mid() > a.mid():
        a, b = b, a
    return a + (b - a).exp().log1p()


def _xlogy(x: Any, y: Any) -> Any:
    return arb(0) if x.is_zero() else x * y.log()


def _xlog1py(x: Any, y: Any) -> Any:
    return arb(0) if x.is_zero() else x * y.log1p()


def _cbrt(x: Any) -> Any:
    if x < 0:
        return -((-x).root(3))
    if x >= 0:
        return x.root(3)
    far = x.abs_upper().root(3).abs_upper()
    return arb(0, far)


def _hypot(a: Any, b: Any) -> Any:
    return (a * a + b * b).nonnegative_part().sqrt()


ENCLOSURES: dict[str, Enclosure] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negative": lambda x: -x,
    "positive": lambda x: x,
    "stop_gradient": lambda x: x,
    "conj": lambda x: x,
    "real": lambda x: x,
    "imag": lambda x: np.zeros(np.shape(x)),
    "pow": _pow_arrays,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "sqrt": each(arb.sqrt),
    "cbrt": each(_cbrt),
    "hypot": each(_hypot, 2),
    "exp": each(arb.exp),
    "exp2": each(lambda x: (x * arb.const_log2()).exp() if _whole(x) is None else arb(2) ** _whole(x)),
    "expm1": each(arb.expm1),
    "log": each(arb.log),
    "log1p": each(arb.log1p),
    "log2": each(lambda x: x.log() / arb.const_log2()),
    "log10": each(lambda x: x.log() / arb.const_log10()),
    "logaddexp": each(_logaddexp, 2),
    "sin": each(arb.sin),
    "cos": each(arb.cos),
    "tan": each(arb.tan),
    "asin": each(arb.asin),
    "acos": each(arb.acos),
    "atan": each(arb.atan),
    "atan2": each(arb.atan2, 2),
    "sinh": each(arb.sinh),
    "cosh": each(arb.cosh),
    "tanh": each(arb.tanh),
    "asinh": each(arb.asinh),
    "acosh": each(arb.acosh),
    "atanh": each(arb.atanh),
    "expit": each(lambda x: 1 / (1 + (-x).exp())),
    "logit": each(lambda x: x.log() - (-x).log1p()),
    "softplus": each(lambda x: x.exp().log1p()),
    "softsign": each(lambda x: x / (1 + abs(x))),
    "tanhshrink": each(lambda x: x - x.tanh()),
    "xlogy": each(_xlogy, 2),
    "xlog1py": each(_xlog1py, 2),
    "sinc": each(arb.sinc_pi),
    "deg2rad": each(lambda x: x * arb.pi() / 180),
    "rad2deg": each(lambda x: x * 180 / arb.pi()),
}


def _pow_by_base(xp: Any, y: Any, x: Any, p: Any) -> Any:
    """p x**(p - 1), which holds for p = 0 too where x is not 0."""
    if isinstance(p, int | float):
        return xp.multiply(p, xp.pow(x, p - 1)) if p else 0.0
    return xp.multiply(p, xp.pow(x, xp.subtract(p, 1.0)))


SLOPES = {"pow": (_pow_by_base, lambda xp, y, x, p: xp.multiply(y, xp.log(x)))}
