"""How does a function of one matrix of balls become a row, over stacks of matrices, with narrow results?

A matrix is an object array (rows, columns) of balls, a row's enclosure takes any leading axes. As for numbers
(`elements.sharp`), an answer is computed again with more working bits where digits cancel that the matrices have:
the largest radius is measured by the largest number of the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from gradcheck.expr.rules import is_complex
from gradcheck.oracles.balls.elements import DOUBLINGS, SPARE, undefined
from gradcheck.oracles.balls.flint_library import acb_mat, arb, arb_mat, balls, precision, working_bits

Matrix = Any  # an object array (rows, columns) of balls
Function = Callable[..., Matrix]

EXACT = 2**62  # bits of accuracy of a number without a radius


def matrix(x: Matrix) -> Any:
    """Arb's own matrix of the same balls."""
    rows, columns = x.shape
    kind = acb_mat if x.size and is_complex(x) else arb_mat
    return kind(rows, columns, list(x.ravel()))


def array(x: Any) -> Matrix:
    """An Arb matrix as an object array."""
    found = np.empty(x.nrows() * x.ncols(), dtype=object)
    found[:] = x.entries()
    return found.reshape(x.nrows(), x.ncols())


def filled(shape: tuple[int, ...], value: Any) -> Matrix:
    """An object array full of one ball."""
    found = np.empty(shape, dtype=object)
    found[...] = value
    return found


def unknown(*shape: int) -> Matrix:
    """An answer that says nothing."""
    return filled(shape, undefined())


def product(x: Matrix, y: Matrix) -> Matrix:
    """x @ y."""
    return array(matrix(x) * matrix(y)) if x.size and y.size else filled((x.shape[0], y.shape[1]), arb(0))


def halves(x: Matrix) -> Matrix:
    """The symmetric part, exactly symmetric."""
    return (x + x.T) / 2 if x.size else x


def is_finite(x: Matrix) -> bool:
    return all(b.is_finite() for b in x.flat)


def accuracy(y: Matrix) -> int:
    """The bits by which the largest radius is smaller than the largest number; none where a ball is not finite."""
    if not is_finite(y):
        return 0
    radius = max((b.rad() for b in y.flat), default=arb(0))
    size = max((abs(b.mid()) for b in y.flat), default=arb(0))
    return int(arb(size, radius).rel_accuracy_bits()) if size > 0 or radius > 0 else EXACT


def steady(function: Function) -> Function:
    """`function` of matrices, with more working bits as long as digits cancel that the matrices have."""

    @wraps(function)
    def call(*args: Matrix, **params: Any) -> Matrix:
        y = function(*args, **params)
        bits = working_bits()
        goal = bits - SPARE
        if accuracy(y) >= goal:
            return y
        known = min(map(accuracy, args))
        for _ in range(DOUBLINGS):
            if bits >= known or accuracy(y) >= goal:
                break
            bits *= 2
            with precision(bits):
                y = function(*args, **params)
        return np.asarray(+y, dtype=object)

    return call


def over_stacks(function: Function, ways: Callable[[Function], Function] = steady) -> Callable[..., Any]:
    """A function of matrices over the leading axes of its arguments, which are broadcast."""
    one = ways(function)

    @wraps(function)
    def over_arrays(*args: Any, **params: Any) -> Any:
        arrays = [balls(a) for a in args]
        lead = np.broadcast_shapes(*[a.shape[:-2] for a in arrays])
        stacks = [np.broadcast_to(a, (*lead, *a.shape[-2:])) for a in arrays]
        with np.errstate(all="ignore"):  # Arb's own machine arithmetic raises flags that mean nothing
            if 0 in lead:
                pattern = one(*[balls(np.eye(*a.shape[-2:])) for a in arrays], **params)
                return np.empty((*lead, *pattern.shape), dtype=object)
            answers = [one(*[stack[place] for stack in stacks], **params) for place in np.ndindex(*lead)]
        return np.stack(answers).reshape((*lead, *answers[0].shape))

    return over_arrays
