"""How far may evaluation of this formula be off, at a dtype? A running error bound, carried by every number.

`BOUNDED` is a namespace over `Bounded` values: NumPy arrays with a first-order bound on the rounding error each element
has picked up on its way (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., §3.3). Elementwise rows give
it through their slopes: the error of f(x, y) is |f_x| e_x + |f_y| e_y plus the rounding of f itself. It sees
cancellation, steep functions and long sums, and since the engine's rules are written against `xp`, the same rules
bound the error of a derivative. First order: a stand-in for proven enclosures, with the same place in the house.

The values are computed in float64; the bound is that of the namespace's own precision (`bounded_at`), so the same
formula says what a right implementation in float32 or bfloat16 may be off by. Below float64 three things more count:
constants that the dtype does not hold, results past its range, and decisions that rounding may turn.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from gradcheck.errors import Unsupported
from gradcheck.expr import VOCABULARY, Batching, Primitive
from gradcheck.oracles.inquiry import Numbers
from gradcheck.oracles.rounding import elementwise, sums
from gradcheck.oracles.rounding.arrays import BOUNDS
from gradcheck.oracles.rounding.composed import COMPOSED
from gradcheck.oracles.rounding.elementwise import LIBRARY_ULP
from gradcheck.oracles.rounding.linalg import BOUNDS as MATRIX_BOUNDS
from gradcheck.oracles.rounding.linalg import COMPOSED as MATRICES
from gradcheck.oracles.rounding.linalg import Bound
from gradcheck.oracles.rounding.number import Carried, error_of, errors_of, value_of, values_of
from gradcheck.spec.precision import FLOAT64, FLUSHED, PRECISIONS, Precision

__all__ = [
    "BOUNDED", "BOUNDED_NUMBERS", "LIBRARY_ULP", "UNIT", "Bounded", "bounded_at", "error_of", "exact", "numbers_at",
    "value_of",
]  # fmt: skip
UNIT = FLOAT64.unit
_COMPOSED = {**COMPOSED, **MATRICES}
_SUMMING = frozenset({"sum", "cumulative_sum", "trace", "overlap_add"})
_TRANSFORMING = frozenset({"fft", "ifft", "rfft", "irfft"})
_BILINEAR = frozenset({"matmul", "outer", "dot"})
Function = Callable[..., Any]


class Bounded(Carried):
    """A number that carries its error, with the operators of its namespace (float64's where none is named)."""

    __slots__ = ("xp",)

    def __init__(self, value: Any, err: Any, xp: Any = None) -> None:
        super().__init__(value, err)
        self.xp = BOUNDED if xp is None else xp

    def __add__(self, other: Any) -> Any:
        return self.xp.add(self, other)

    def __radd__(self, other: Any) -> Any:
        return self.xp.add(other, self)

    def __sub__(self, other: Any) -> Any:
        return self.xp.subtract(self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.xp.subtract(other, self)

    def __mul__(self, other: Any) -> Any:
        return self.xp.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return self.xp.multiply(other, self)

    def __truediv__(self, other: Any) -> Any:
        return self.xp.divide(self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.xp.divide(other, self)

    def __pow__(self, other: Any) -> Any:
        return self.xp.pow(self, other)

    def __neg__(self) -> Any:
        return self.xp.negative(self)


class BoundedNamespace:
    """The namespace over `Bounded` values, one function a row of the vocabulary."""

    def __init__(self, precision: Precision) -> None:
        self.precision = precision
        self.unit = precision.unit
        self.underflow = precision.underflow
        self.narrow = precision.digits < FLOAT64.digits  # than the numbers it computes in

    def carried(self, value: Any, err: Any) -> Bounded:
        """A result with its bound: infinite where the dtype's range ends before the number."""
        if self.narrow:
            err = np.where(np.abs(value) > self.precision.largest, np.inf, err)
        return Bounded(value, err, self)

    def error_of(self, x: Any) -> Any:
        """The bound of an operand; a constant is off by its own rounding to the dtype."""
        if isinstance(x, Carried):
            return x.err
        if not self.narrow or np.asarray(x).dtype.kind != "f":
            return 0.0
        return np.abs(np.asarray(x) - self.precision.rounded(x))

    def __getattr__(self, name: str) -> Function:
        row = VOCABULARY.get(name)
        if row is None:
            raise AttributeError(name)
        if row.compose is not None:
            return partial(row.compose, self)
        carry = _carry(self, row)

        def function(*args: Any, **params: Any) -> Any:
            return carry(*args, **params)

        self.__dict__[name] = function
        return function


def _carry(xp: BoundedNamespace, row: Primitive) -> Function:
    """How the bound goes through one row."""
    if row.name == "where":
        return elementwise.choosing(xp, row)
    if row.name in BOUNDS:
        return _array(xp, row)
    if row.name in MATRIX_BOUNDS:
        return _by_arrays(xp, row, MATRIX_BOUNDS[row.name])
    if row.name in _COMPOSED:
        return _composed(xp, row, _COMPOSED[row.name])
    if row.name in _TRANSFORMING:
        return sums.transforming(xp, row)
    if row.name in _SUMMING:
        return sums.summing(xp, row)
    if row.name in _BILINEAR:
        return sums.bilinear(xp, row)
    if row.name in ("max", "min"):
        return sums.selecting(xp, row)
    if row.slopes is not None:
        return elementwise.by_slopes(xp, row)
    if row.batching is Batching.CONSTANT or row.vjp is None:
        return elementwise.plain(xp, row)
    if row.linear:
        return sums.moving(xp, row)
    raise Unsupported("the running error bound", row.name)


def _array(xp: BoundedNamespace, row: Primitive) -> Function:
    """Rows that pick, order or scatter numbers: see `rounding.arrays`."""

    def function(*args: Any, **params: Any) -> Any:
        values, errors = [values_of(a) for a in args], [errors_of(a) for a in args]
        return xp.carried(*BOUNDS[row.name](row.numpy, values, errors, params, xp.unit))

    return function


def _by_arrays(xp: BoundedNamespace, row: Primitive, bound: Bound) -> Function:
    """The value from the row itself, the bound from the numbers and their errors."""

    def function(*args: Any, **params: Any) -> Any:
        values, params = [np.asarray(value_of(a)) for a in args], {**row.defaults, **params}
        y = row.numpy(*values, **params)
        err = bound(row, y, values, [errors_of(a) for a in args], params, xp.unit)
        return xp.carried(y, np.broadcast_to(err, np.shape(y)))

    return function


def _composed(xp: BoundedNamespace, row: Primitive, formula: Function) -> Function:
    """The value from the row itself, the bound from a formula in simpler rows."""

    def function(*args: Any, **params: Any) -> Any:
        y = row.numpy(*[values_of(a) for a in args], **params)
        return xp.carried(y, np.broadcast_to(formula(xp, *args, **params).err, np.shape(y)))

    return function


@cache
def bounded_at(dtype: str) -> Any:
    """The namespace whose bounds hold for evaluation at a dtype: "float64", "float32", "float16" or "bfloat16".

    Or in `FLUSHED`, by its name: float64 where what would be a subnormal number is zero.
    """
    return BoundedNamespace(FLUSHED if dtype == FLUSHED.name else PRECISIONS[dtype])


BOUNDED: Any = bounded_at("float64")


def exact(x: Any, xp: Any = None) -> Bounded:
    """An input: exact as it stands."""
    if isinstance(x, Bounded):
        return x
    x = np.asarray(x, dtype=float)
    return Bounded(x, np.zeros_like(x), xp)


def numbers_at(dtype: str) -> Numbers:
    """Formulas and rules with the bounds of a dtype; what they are given is exact there."""
    xp = bounded_at(dtype)
    lift = partial(exact, xp=xp)
    return Numbers(xp, lift, lift, lift)


BOUNDED_NUMBERS = numbers_at("float64")
