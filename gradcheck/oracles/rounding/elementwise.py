"""How far is a function of single elements off? By its slopes: what its arguments were off by, and its own rounding.

In a namespace narrower than float64 a comparison that rounding may turn is a truth value with a bound (1 where it may
be otherwise), and what is chosen by it may be either side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcheck.expr import NUMPY, Primitive
from gradcheck.oracles.rounding.number import Carried, error_of, value_of, values_of
from gradcheck.oracles.rounding.special import OWN_ERROR, steepness

EXACT = frozenset(
    "negative positive abs sign floor ceil round trunc maximum minimum clip where copysign relu "
    "zeros ones eye fmod zeros_like ones_like empty_like conj real imag".split()
)  # results that are not rounded
BASIC = frozenset("add subtract multiply divide square sqrt reciprocal".split())  # correctly rounded by IEEE 754
SCALING = frozenset({"multiply"})  # by a power of two: exact
VANISHING = frozenset("multiply square pow".split())  # whose slopes are zero at zero, where an error is all there is
LIBRARY_ULP = 4.0  # what NumPy's and SciPy's other functions are allowed, in units of roundoff
STEPS = frozenset("sign floor ceil round trunc".split())  # constant but for jumps
COMPARISONS = frozenset("less less_equal greater greater_equal equal not_equal".split())
LOGICAL = frozenset("logical_and logical_or logical_not logical_xor".split())
Function = Callable[..., Any]


def by_slopes(xp: Any, row: Primitive) -> Function:
    """A row of known slopes."""
    assert row.slopes is not None
    if xp.narrow and row.name in COMPARISONS:
        return _comparing(xp, row)
    if xp.narrow and row.name in LOGICAL:
        return _logical(xp, row)
    slopes = row.slopes
    own = 0.0 if row.name in EXACT else xp.unit * (1.0 if row.name in BASIC else LIBRARY_ULP)
    special = OWN_ERROR.get(row.name)

    def function(*args: Any, **params: Any) -> Any:
        values = [value_of(a) for a in args]
        y = row.numpy(*values, **params)
        if np.asarray(y).dtype.kind not in "fc":
            return y
        exact_here = row.name in SCALING and any(_power_of_two(v) for v in values)
        rounding = 0.0 if exact_here else own * np.abs(y) if special is None else xp.unit * special(y, *values)
        err: Any = rounding + (xp.underflow if own else 0.0)
        for i, (slope, arg) in enumerate(zip(slopes, args, strict=True)):
            off = xp.error_of(arg)
            if slope is None or not np.any(off):
                continue
            err = err + _scaled(_steepness(row, slope, i, y, values), off)
        if row.name in VANISHING:
            err = err + _second_order(row.name, values, [xp.error_of(a) for a in args])
        if xp.narrow and row.name in STEPS:
            err = err + _jump(row.numpy, values[0], error_of(args[0]))
        if xp.narrow and row.name == "floor_divide":  # many round the quotient before they take its whole part
            quotient = np.asarray(values[0]) / values[1]
            err = err + _jump(np.floor, quotient, 2 * xp.unit * np.abs(quotient))
        return xp.carried(y, np.broadcast_to(err, np.shape(y)))

    return function


def _power_of_two(x: Any) -> bool:
    """Whether x is one number by which multiplying rounds nothing."""
    return np.ndim(x) == 0 and not np.iscomplexobj(x) and abs(np.frexp(float(x))[0]) == 0.5


def _scaled(slope: Any, err: Any) -> Any:
    """|slope| * err, where an exact number contributes nothing however steep the slope."""
    product = np.abs(slope) * err
    return np.where(np.asarray(err) == 0, 0.0, product)


def _second_order(name: str, values: list[Any], off: list[Any]) -> Any:
    """What the bound of first order leaves out of a product, or of a power of a number that is all error."""
    with np.errstate(all="ignore"):  # a bound may be as large as it likes
        if name != "pow":
            first, last = np.asarray(off[0]), np.asarray(off[-1])
            return np.where((first == 0) | (last == 0), 0.0, first * last)
        base, exponent = np.abs(values[0]), np.asarray(values[1], dtype=float)
        lost = (off[0] > base) & (exponent > 1)
        return np.where(lost, (base + off[0]) ** np.where(lost, exponent, 1.0), 0.0)


def _steepness(row: Primitive, slope: Any, i: int, y: Any, values: list[Any]) -> Any:
    """How much the result moves at most when the argument moves by one; of a complex argument, in any direction."""
    if row.wirtinger is None or np.asarray(values[0]).dtype.kind != "c":
        return steepness(row.numpy, slope, i, y, values)
    return sum(np.abs(part(NUMPY, y, *values) if callable(part) else part) for part in row.wirtinger[0])


def _jump(step: Function, x: Any, err: Any) -> Any:
    """How far a step function may be off where its argument's bound reaches over a step."""
    return np.where(np.asarray(err) > 0, np.abs(step(x + err) - step(x - err)), 0.0)


def _comparing(xp: Any, row: Primitive) -> Function:
    def function(a: Any, b: Any) -> Any:
        x, y = value_of(a), value_of(b)
        result, reach = row.numpy(x, y), xp.error_of(a) + xp.error_of(b)
        turns = (reach > 0) & (np.abs(np.subtract(x, y, dtype=float)) <= reach)
        if row.name in ("equal", "not_equal"):
            turns = _ties(turns, np.equal(x, y))
        return xp.carried(result, np.asarray(turns, dtype=float)) if np.any(turns) else result

    return function


def _ties(turns: Any, equal: Any) -> Any:
    """Of equalities: one that holds stands (an extreme and itself), unless beside it, in the same point, one may."""
    may = turns & ~equal
    beside = may.reshape(len(may), -1).any(axis=1) if np.ndim(may) else may
    return may | (turns & np.reshape(beside, (-1, *(1,) * (np.ndim(may) - 1))) if np.ndim(may) else turns & may)


def _logical(xp: Any, row: Primitive) -> Function:
    def function(*args: Any) -> Any:
        result = row.numpy(*[value_of(a) for a in args])
        turns: Any = sum(np.asarray(error_of(a)) for a in args) > 0
        return xp.carried(result, np.broadcast_to(turns, np.shape(result)) * 1.0) if np.any(turns) else result

    return function


def choosing(xp: Any, row: Primitive) -> Function:
    """where: each element comes, unrounded, from one side or the other."""

    def function(condition: Any, a: Any, b: Any) -> Any:
        chosen = np.asarray(value_of(condition), dtype=bool)
        y = row.numpy(chosen, value_of(a), value_of(b))
        err = np.where(chosen, xp.error_of(a), xp.error_of(b))
        if isinstance(condition, Carried):
            other = np.maximum(xp.error_of(a), xp.error_of(b)) + np.abs(np.subtract(value_of(a), value_of(b)))
            err = np.where(condition.err > 0, np.where(np.isnan(other), np.inf, other), err)
        return xp.carried(y, np.broadcast_to(err, np.shape(y)))

    return function


def plain(xp: Any, row: Primitive) -> Function:
    """Rows whose result is not a real number of the function (counts, truth values) or takes no arrays."""
    return lambda *args, **params: row.numpy(*[values_of(a) for a in args], **params)
