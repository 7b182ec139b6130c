"""How does NumPy code run at hundreds of bits, unchanged? On arrays of these numbers, which know NumPy's functions.

NumPy calls, on each element of an object array, the method with the name of its function. The only file that knows
mpmath; without it there are no such numbers, and the witness that needs them says so.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

BITS = 400
_SAME = "exp expm1 log1p log10 sqrt cbrt sin cos tan sinh cosh tanh erf erfc erfinv gamma".split()
_RENAMED = {
    "log": "ln", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh",
}  # fmt: skip


@cache
def library() -> Any | None:
    """mpmath's numbers at BITS bits, in a context of our own; None where it is not installed."""
    try:
        mpmath = importlib.import_module("mpmath")
    except ImportError:
        return None
    context = mpmath.MPContext()
    context.prec = BITS
    return context


class Precise:
    """A real number of BITS bits."""

    __slots__ = ("v",)

    def __init__(self, v: Any) -> None:
        self.v = v

    def __repr__(self) -> str:
        return f"Precise({float(self.v)!r})"

    def __float__(self) -> float:
        return float(self.v)

    def __int__(self) -> int:
        return int(self.v)

    def __bool__(self) -> bool:
        return bool(self.v != 0)

    def __hash__(self) -> int:
        return hash(self.v)

    def __neg__(self) -> Precise:
        return Precise(-self.v)

    def __pos__(self) -> Precise:
        return self

    def __abs__(self) -> Precise:
        return Precise(abs(self.v))

    def __floor__(self) -> Precise:
        return Precise(_context().floor(self.v))

    def __ceil__(self) -> Precise:
        return Precise(_context().ceil(self.v))

    def __trunc__(self) -> Precise:
        return Precise(_context().floor(self.v) if self.v >= 0 else _context().ceil(self.v))

    def rint(self) -> Precise:
        """To the nearest whole number, halves to the even one."""
        return Precise(_context().nint(self.v))

    def conjugate(self) -> Precise:
        """Itself."""
        return self

    def square(self) -> Precise:
        """x * x"""
        return Precise(self.v * self.v)

    def reciprocal(self) -> Precise:
        """1 / x"""
        return Precise(_divided(_context().mpf(1), self.v))

    def exp2(self) -> Precise:
        """2 ** x"""
        return Precise(_context().mpf(2) ** self.v)

    def log2(self) -> Precise:
        """Logarithm to base 2."""
        return Precise(_real(_context().ln(self.v) / _context().ln(2)))

    def arctan2(self, other: Any) -> Precise:
        """The angle of (other, self)."""
        return Precise(_context().atan2(self.v, _mpf(other)))

    def hypot(self, other: Any) -> Precise:
        """sqrt(self² + other²)"""
        return Precise(_context().hypot(self.v, _mpf(other)))

    def fmod(self, other: Any) -> Precise:
        """The remainder with the sign of self."""
        return self - Precise(_mpf(other)) * (self / Precise(_mpf(other))).__trunc__()

    def __add__(self, other: Any) -> Precise:
        return _made(lambda a, b: a + b, self, other)

    def __radd__(self, other: Any) -> Precise:
        return _made(lambda a, b: a + b, other, self)

    def __sub__(self, other: Any) -> Precise:
        return _made(lambda a, b: a - b, self, other)

    def __rsub__(self, other: Any) -> Precise:
        return _made(lambda a, b: a - b, other, self)

    def __mul__(self, other: Any) -> Precise:
        return _made(lambda a, b: a * b, self, other)

    def __rmul__(self, other: Any) -> Precise:
        return _made(lambda a, b: a * b, other, self)

    def __truediv__(self, other: Any) -> Precise:
        return _made(_divided, self, other)

    def __rtruediv__(self, other: Any) -> Precise:
        return _made(_divided, other, self)

    def __pow__(self, other: Any) -> Precise:
        return _made(_power, self, other)

    def __rpow__(self, other: Any) -> Precise:
        return _made(_power, other, self)

    def __floordiv__(self, other: Any) -> Precise:
        return _made(_whole, self, other)

    def __rfloordiv__(self, other: Any) -> Precise:
        return _made(_whole, other, self)

    def __mod__(self, other: Any) -> Precise:
        return _made(lambda a, b: a - b * _whole(a, b), self, other)

    def __rmod__(self, other: Any) -> Precise:
        return _made(lambda a, b: a - b * _whole(a, b), other, self)

    def __lt__(self, other: Any) -> bool:
        return bool(self.v < _mpf(other))

    def __le__(self, other: Any) -> bool:
        return bool(self.v <= _mpf(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.v > _mpf(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self.v >= _mpf(other))

    def __eq__(self, other: object) -> bool:
        try:
            return bool(self.v == _mpf(other))
        except TypeError:
            return NotImplemented


def _context() -> Any:
    context = library()
    assert context is not None, "there is a number, so there is its library"
    return context


def _mpf(x: Any) -> Any:
    if isinstance(x, Precise):
        return x.v
    if isinstance(x, bool | np.bool_ | int | np.integer):
        return _context().mpf(int(x))
    if isinstance(x, float | np.floating):
        return _context().mpf(float(x))
    raise TypeError(f"no precise number can be made of {type(x).__name__}")


def _made(operation: Callable[[Any, Any], Any], a: Any, b: Any) -> Precise:
    """The result of an operation; NotImplemented (as Python wants it) where one side is no number."""
    try:
        return Precise(operation(_mpf(a), _mpf(b)))
    except TypeError:
        return NotImplemented  # type: ignore[no-any-return]


def _whole(a: Any, b: Any) -> Any:
    return _context().floor(_divided(a, b))


def _real(v: Any) -> Any:
    """A complex answer (the logarithm of a negative number) is NaN, as in NumPy."""
    return v if isinstance(v, type(_context().mpf(0))) or getattr(v, "imag", 0) == 0 else _context().nan


def _divided(a: Any, b: Any) -> Any:
    if b == 0:
        context = _context()
        return context.nan if a == 0 or context.isnan(a) else context.inf * context.sign(a)
    return a / b


def _power(a: Any, b: Any) -> Any:
    try:
        return _real(a**b)
    except ZeroDivisionError:
        return _context().inf


def _unary(name: str, theirs: str) -> None:
    def applied(self: Precise) -> Precise:
        context = _context()
        try:
            return Precise(_real(getattr(context, theirs)(self.v)))
        except (ValueError, ZeroDivisionError):
            return Precise(-context.inf if theirs == "ln" else context.nan)

    setattr(Precise, name, applied)


for _name in _SAME:
    _unary(_name, _name)
for _name, _theirs in _RENAMED.items():
    _unary(_name, _theirs)


def lifted(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, exactly, as an object array of precise ones."""
    found = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        found[index] = Precise(_context().mpf(float(array[index])))
    return found


def power_of_two(exponent: int) -> Precise:
    """2 ** exponent, exactly."""
    return Precise(_context().ldexp(_context().mpf(1), exponent))
