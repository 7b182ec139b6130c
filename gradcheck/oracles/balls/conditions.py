"""How do balls decide? Comparisons, rounding, choices and orders.

A comparison is decided where it holds, or fails, for every pair of numbers of the two balls. The same ball object is
the same number, so that a maximum, which hands on the very object it found, equals itself. What is open raises
`Undecided` with the elements in question.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from gradcheck.expr import VOCABULARY, Primitive
from gradcheck.oracles.balls.elementary import each
from gradcheck.oracles.balls.flint_library import Undecided, arb, balls
from gradcheck.oracles.balls.numbers import all_balls, is_balls

Enclosure = Callable[..., Any]
_same: Any = np.frompyfunc(lambda a, b: a is b, 2, 1)


def _settled(yes: Any, no: Any) -> Any:
    """The truth values, where every one is decided."""
    open_ = ~(yes | no)
    if open_.any():
        raise Undecided(open_)
    return yes


def _comparison(holds: Any, fails: Any, for_itself: bool) -> Enclosure:
    """A comparison from the one that proves it and the one that refutes it."""

    def compare(a: Any, b: Any) -> Any:
        a, b = all_balls(a), all_balls(b)
        yes, no = np.asarray(holds(a, b), dtype=bool), np.asarray(fails(a, b), dtype=bool)
        if not (yes | no).all():
            same = np.asarray(_same(a, b), dtype=bool)
            yes, no = (yes | same, no) if for_itself else (yes, no | same)
        return _settled(yes, no)

    return compare


less = _comparison(np.less, np.greater_equal, False)
less_equal = _comparison(np.less_equal, np.greater, True)
greater = _comparison(np.greater, np.less_equal, False)
greater_equal = _comparison(np.greater_equal, np.less, True)
equal = _comparison(np.equal, np.not_equal, True)
not_equal = _comparison(np.not_equal, np.equal, False)


def _sign(x: Any) -> Any:
    x = all_balls(x)
    up, down = np.asarray(x > 0, dtype=bool), np.asarray(x < 0, dtype=bool)
    _settled(up | down, np.asarray(x == 0, dtype=bool))
    return up.astype(float) - down.astype(float)


def _steps(function: Callable[[Any], Any]) -> Enclosure:
    """A function whose values are whole numbers: decided where the ball lies on one step."""
    ufunc: Any = np.frompyfunc(function, 1, 1)

    def enclose(x: Any) -> Any:
        found = balls(ufunc(all_balls(x)))
        open_ = np.array([not step.is_exact() for step in found.ravel()], dtype=bool).reshape(found.shape)
        if open_.any():
            raise Undecided(open_)
        small = all(abs(step) < 2**53 for step in found.ravel())
        return found.astype(float) if small else found

    return enclose


def _nearest(x: Any) -> Any:
    """The nearest whole number, halves to the even one."""
    step = (x + 0.5).floor()
    if step.is_exact() and x.is_exact() and step - x == 0.5 and int(step.unique_fmpz()) % 2:
        return step - 1
    return step


def _toward_zero(x: Any) -> Any:
    if x > -1 and x < 1:
        return arb(0)
    return x.floor() if x >= 0 else x.ceil() if x <= 0 else arb(0, 1)


_floor, _trunc = _steps(arb.floor), _steps(_toward_zero)


def _larger(a: Any, b: Any) -> Any:
    return a if a is b or a > b else b if b >= a else a.max(b)


def _smaller(a: Any, b: Any) -> Any:
    return a if a is b or a < b else b if b <= a else a.min(b)


maximum, minimum = each(_larger, 2), each(_smaller, 2)


def _over(function: Callable[[Any, Any], Any]) -> Enclosure:
    """max and min along axes; the result is the element itself where it is known which one."""
    ufunc: Any = np.frompyfunc(function, 2, 1)

    def enclose(x: Any, axis: Any, keepdims: bool) -> Any:
        axes = (axis,) if isinstance(axis, int) else tuple(axis)
        for a in axes:
            index = (Ellipsis, slice(None), *(slice(None),) * (-a - 1))
            if np.shape(x)[a] == 0:
                raise ValueError("the largest of no numbers")
            x = np.expand_dims(np.asarray(ufunc.reduce(x[index], axis=a), dtype=object), a)
        return x if keepdims else np.squeeze(x, axis=axes)

    return enclose


def _running(function: Callable[[Any, Any], Any]) -> Enclosure:
    ufunc: Any = np.frompyfunc(function, 2, 1)
    return lambda x, axis: ufunc.accumulate(x, axis=axis[0] if isinstance(axis, tuple) else axis)


def _order_of(lane: Any, descending: bool) -> Any:
    """The numbers of the elements in order, equal ones as they came, or None where balls leave it open."""
    order = sorted(range(len(lane)), key=[ball.mid() for ball in lane].__getitem__, reverse=descending)
    for i, j in pairwise(order):
        a, b = (lane[j], lane[i]) if descending else (lane[i], lane[j])
        if not (a < b or ((a == b or a is b) and i < j)):
            return None
    return order


def _argsort(x: Any, axis: int, descending: bool, stable: bool) -> Any:
    lanes = np.moveaxis(all_balls(x), axis, -1)
    orders, open_ = np.zeros(lanes.shape, dtype=np.intp), np.zeros(lanes.shape[:-1], dtype=bool)
    for place in np.ndindex(lanes.shape[:-1]):
        order = _order_of(lanes[place], descending)
        open_[place] = order is None
        orders[place] = 0 if order is None else order
    if open_.any():
        raise Undecided(open_)
    return np.moveaxis(orders, -1, axis)


def _sort(x: Any, axis: int, descending: bool, stable: bool) -> Any:
    return np.take_along_axis(all_balls(x), _argsort(x, axis, descending, stable), axis=axis)


def _place_of(extreme: Enclosure) -> Enclosure:
    """argmax and argmin: the first element that is as large as the largest, over one axis or the last ones."""

    def enclose(x: Any, axis: Any, keepdims: bool) -> Any:
        x = all_balls(x)
        axes = (axis,) if isinstance(axis, int) else tuple(axis)
        best = extreme(x, axes, True)
        hits = equal(x, np.broadcast_to(best, x.shape))
        if len(axes) > 1:
            hits = hits.reshape(*x.shape[: -len(axes)], -1)
        found = np.argmax(hits, axis=axes[0] if len(axes) == 1 else -1)
        if keepdims:
            found = np.expand_dims(found, axes) if len(axes) == 1 else found.reshape(found.shape + (1,) * len(axes))
        return found

    return enclose


def _copysign(a: Any, b: Any) -> Any:
    down = np.signbit(b) if not is_balls(b) else less(b, 0.0)
    if is_balls(b) and (b == 0).any():
        raise Undecided(b == 0)
    size = abs(all_balls(a))
    return np.where(down, -size, size)


def _remainder(a: Any, b: Any) -> Any:
    a, b = all_balls(a), all_balls(b)
    return a - b * _floor(a / b)


def _fmod(a: Any, b: Any) -> Any:
    a, b = all_balls(a), all_balls(b)
    return a - b * _trunc(a / b)


def _where(condition: Any, a: Any, b: Any) -> Any:
    if is_balls(condition):
        condition = not_equal(condition, 0.0)
    return np.where(condition, all_balls(a), all_balls(b))


def _finite(x: Any) -> Any:
    known = np.array([ball.is_finite() for ball in x.ravel()], dtype=bool).reshape(x.shape)
    if not known.all():
        raise Undecided(~known)
    return known


def _logical(name: str) -> Enclosure:
    """any, all, logical_and …: numbers count as true where they are not zero."""
    function = getattr(np, name)

    def enclose(*arrays: Any, **params: Any) -> Any:
        return function(*[not_equal(a, 0.0) if is_balls(a) else a for a in arrays], **params)

    return enclose


ENCLOSURES: dict[str, Enclosure] = {
    "less": less,
    "less_equal": less_equal,
    "greater": greater,
    "greater_equal": greater_equal,
    "equal": equal,
    "not_equal": not_equal,
    "sign": _sign,
    "signbit": lambda x: less(x, 0.0),
    "abs": lambda x: abs(all_balls(x)),
    "floor": _floor,
    "ceil": _steps(arb.ceil),
    "round": _steps(_nearest),
    "trunc": _trunc,
    "floor_divide": lambda a, b: _floor(all_balls(a) / all_balls(b)),
    "remainder": _remainder,
    "fmod": _fmod,
    "copysign": _copysign,
    "maximum": maximum,
    "minimum": minimum,
    "clip": lambda x, low, high: minimum(maximum(x, low), high),
    "relu": lambda x: maximum(x, 0.0),
    "where": _where,
    "isfinite": _finite,
    "isnan": lambda x: ~_finite(x),
    "isinf": lambda x: ~_finite(x),
    "max": _over(_larger),
    "min": _over(_smaller),
    "cumulative_max": _running(_larger),
    "cumulative_min": _running(_smaller),
    "argmax": _place_of(_over(_larger)),
    "argmin": _place_of(_over(_smaller)),
    "argsort": _argsort,
    "sort": _sort,
    **{name: _logical(name) for name in ("any", "all", "count_nonzero", "logical_and", "logical_or", "logical_not")},
    "logical_xor": _logical("logical_xor"),
}


def _between(x: Any) -> Any:
    """The sign, and everything from -1 to 1 where it is open: what a slope may be at a kink."""
    x = all_balls(x)
    up, down = np.asarray(x > 0, dtype=bool), np.asarray(x < 0, dtype=bool)
    found: Any = np.where(up, 1, np.where(down, -1, 0)).astype(object)
    found[~(up | down | np.asarray(x == 0, dtype=bool))] = arb(0, 1)
    return balls(found)


def _step(xp: Any, x: Any) -> Any:
    """1 where x is positive, 0 where it is negative, everything between where that is open."""
    return xp.multiply(0.5, xp.add(1.0, xp.sign_between(x)))


def _within(xp: Any, y: Any, x: Any, low: Any, high: Any) -> Any:
    return xp.multiply(_step(xp, xp.subtract(x, low)), _step(xp, xp.subtract(high, x)))


ENCLOSURES["sign_between"] = _between
ROWS = {
    "sign_between": Primitive(
        "sign_between", 1, np.sign, slopes=(lambda xp, y, x: xp.multiply(0.0, xp.sign(x)),)
    )  # its own slope is 0 where the sign is decided, and open elsewhere
}
# Slopes of functions that are continuous at their kinks. There they enclose Clarke's generalised gradient, by its chain
# rule (Clarke, Optimization and Nonsmooth Analysis, 2.3.9), so that x|x| has a proven slope at 0, and |x| has none.
SLOPES = {
    "abs": (lambda xp, y, x: xp.sign_between(x),),
    "relu": (lambda xp, y, x: _step(xp, x),),
    "maximum": (lambda xp, y, a, b: _step(xp, xp.subtract(a, b)), lambda xp, y, a, b: _step(xp, xp.subtract(b, a))),
    "minimum": (lambda xp, y, a, b: _step(xp, xp.subtract(b, a)), lambda xp, y, a, b: _step(xp, xp.subtract(a, b))),
    "clip": (_within, *(VOCABULARY["clip"].slopes or ())[1:]),
}
