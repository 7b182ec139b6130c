"""How does a function of balls become a row of the vocabulary, over arrays, with narrow results?

A row's enclosure takes object arrays of balls (or plain numbers) and gives one. Arb's own functions enclose whatever
they are given; here are the ways to make them narrow: `sharp` calls again with more working bits where digits cancel
that the arguments have, and `monotone` encloses the image of wide balls by those of their ends, which is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import numpy as np

from gradcheck.oracles.balls.flint_library import arb, balls, precision, working_bits

Ball = Any  # arb: a real number within a radius of a midpoint
Function = Callable[..., Ball]

SPARE = 8  # bits of the working precision that a result may lack before it is computed again
DOUBLINGS = 4  # of the working precision: what cancels to less than 15 times its bits stays wide


def undefined() -> Ball:
    """The ball that says nothing: everything, and no number at all."""
    return arb.nan()


def row(function: Function) -> Callable[..., Any]:
    """A function of balls, element by element over broadcast arrays; parameters are passed through by keyword."""

    ufuncs: dict[int, Any] = {}

    @wraps(function)
    def over_arrays(*args: Any, **params: Any) -> Any:
        if len(args) not in ufuncs:
            ufuncs[len(args)] = np.frompyfunc(function, len(args), 1)
        apply = np.frompyfunc(partial(function, **params), len(args), 1) if params else ufuncs[len(args)]
        with np.errstate(all="ignore"):  # Arb's own machine arithmetic raises flags that mean nothing
            return np.asarray(apply(*map(balls, args)), dtype=object)

    return over_arrays


def sharp(function: Function) -> Function:
    """`function`, with more working bits as long as its digits cancel and its arguments have more bits than it uses."""

    @wraps(function)
    def call(*args: Ball, **params: Any) -> Ball:
        y = function(*args, **params)
        bits = working_bits()
        goal = bits - SPARE
        if y.rel_accuracy_bits() >= goal:
            return y
        known = min(x.rel_accuracy_bits() for x in args)
        for _ in range(DOUBLINGS):
            if bits >= known or y.rel_accuracy_bits() >= goal:
                break
            bits *= 2
            with precision(bits):
                y = function(*args, **params)
        return +y

    return call


def monotone(function: Function, *directions: int) -> Function:
    """A function that is monotone in each of its balls, from the ends of wide ones, where it comes to most.

    directions: 1 for every argument in which it rises, -1 where it falls (of one alone it makes no difference).
    """

    @wraps(function)
    def call(*args: Ball, **params: Any) -> Ball:
        enough = working_bits() // 2  # narrower balls lose a bit or two, which costs less than twice the time
        if all(x.rel_accuracy_bits() >= enough for x in args) or not all(x.is_finite() for x in args):
            return function(*args, **params)
        ways = directions or (1,)
        ends = [
            function(*[x.upper() if way == end else x.lower() for x, way in zip(args, ways, strict=True)], **params)
            for end in (-1, 1)
        ]
        return ends[0].union(ends[1]) if all(end.is_finite() for end in ends) else function(*args, **params)

    return call
