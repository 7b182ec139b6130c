"""Which functions of the standard work element by element?"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcheck.engine.array_api.dispatch import Function, is_complex, is_floating, named, run, untracked

UNARY = """abs acos acosh asin asinh atan atanh bitwise_invert ceil cos cosh exp expm1 floor isfinite isinf isnan log
    log1p log2 log10 logical_not negative positive reciprocal round sign signbit sin sinh square sqrt tan tanh
    trunc""".split()
BINARY = """add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign divide equal
    floor_divide greater greater_equal hypot less less_equal logaddexp logical_and logical_or logical_xor maximum
    minimum multiply nextafter not_equal pow remainder subtract""".split()
FLAT = """bitwise_invert bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor isinf logical_xor
    signbit""".split()  # no derivative is lost where these are not recorded

__all__ = [*UNARY, *BINARY, "clip", "conj", "imag", "real"]


def _unary(name: str) -> Function:
    plainly, flat = getattr(np, name), name in FLAT

    def function(x: Any, /) -> Any:
        return untracked(name, (x,), plainly, flat=True) if flat else run(name, (x,), plainly)

    return named(function, name, f"The standard's `{name}` of each element.")


def _binary(name: str) -> Function:
    plainly, flat = getattr(np, name), name in FLAT

    def function(x1: Any, x2: Any, /) -> Any:
        return untracked(name, (x1, x2), plainly, flat=True) if flat else run(name, (x1, x2), plainly)

    return named(function, name, f"The standard's `{name}` of each two elements, broadcast; either may be a number.")


globals().update({name: _unary(name) for name in UNARY})
globals().update({name: _binary(name) for name in BINARY})


def clip(x: Any, /, min: Any = None, max: Any = None) -> Any:
    """Each element, or the bound it lies beyond; a bound of None is none. The dtype is that of x."""
    if min is None and max is None:
        return run("positive", (x,), np.array)
    if is_floating(x):
        return run("clip", (x, -np.inf if min is None else min, np.inf if max is None else max), np.clip)
    return untracked("clip", (x, min, max), lambda x, low, high: np.clip(x, low, high).astype(x.dtype))


def conj(x: Any, /) -> Any:
    """The complex conjugate of each element; a real element is its own."""
    return run("conj", (x,), np.conj) if is_complex(x) else run("positive", (x,), np.positive)


def real(x: Any, /) -> Any:
    """The real part of each element."""
    return run("real", (x,), np.real) if is_complex(x) else run("positive", (x,), np.positive)


def imag(x: Any, /) -> Any:
    """The imaginary part of each element."""
    return run("imag", (x,), np.imag)
