"""What would the derivative be if the function were computed with hundreds of bits? Where its own code can run so.

The code under test is called on object arrays of precise numbers and differenced with a step far below any curvature.
Code that rounds to float64 inside gives itself away: it is trusted only after it agreed with the ladder elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.oracles.blackbox.asked import Asked, Inputs
from gradcheck.oracles.blackbox.lines import Direction
from gradcheck.oracles.blackbox.precise_numbers import BITS, Precise, library, lifted, power_of_two
from gradcheck.oracles.blackbox.slopes import Truth

STEP = 130  # the step is 2**-STEP of the size of what is moved
FINER = 6  # the second one so many bits below: what changes is truncation
KINK = 2.0**-60  # one-sided slopes that differ by more of themselves are those of two pieces
RESOLVED = 2.0 ** (STEP + FINER + 24 - BITS)  # share of a usual slope below which nothing is seen
GUARD = 24  # bits that rounding inside the function may cost
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NotRunning:
    """Why the code cannot be run on precise numbers."""

    why: str


def precise(asked: Asked, inputs: Inputs, basis: Sequence[Direction]) -> Truth | NotRunning:
    """Derivatives of every output along every direction at one point (P = 1), or why there are none."""
    if library() is None:
        return NotRunning("mpmath is not installed (it comes with gradcheck[exact])")
    exact = [lifted(x) if np.asarray(x).dtype.kind == "f" else x for x in inputs]
    middle = _outputs(asked, exact)
    if isinstance(middle, NotRunning):
        return middle
    if not middle:
        return NotRunning("there are no outputs to run")
    shape = (1, len(basis), len(middle))
    center, bar, kink = np.zeros(shape), np.full(shape, np.inf), np.zeros(shape, dtype=bool)
    for e, d in enumerate(basis):
        size = float(np.abs(inputs[d.which][d.element] if d.element is not None else inputs[d.which]).max(initial=0.0))
        exponent = (math.frexp(size)[1] if size > 0 else 0) - STEP
        near = _sides(asked, exact, d, exponent - FINER, len(middle))
        far = _sides(asked, exact, d, exponent, len(middle))
        if near is None or far is None:
            continue
        largest = max((abs(v) for row in (middle, *far) for v in row), key=float)
        for k in range(len(middle)):
            found, width, torn = _read(middle[k], near[0][k], near[1][k], exponent - FINER, largest)
            coarse, _, _ = _read(middle[k], far[0][k], far[1][k], exponent, largest)
            width = width if torn else width + abs(found - coarse)
            center[0, e, k], bar[0, e, k], kink[0, e, k] = found, width, torn
    return Truth(center, bar, kink)


def lost(asked: Asked, inputs: Inputs) -> Array:
    """How far each output (K,) in float64 is from the same code's at hundreds of bits; 0 where that does not run."""
    here = asked.flat(inputs)
    there = _outputs(asked, [lifted(x) if np.asarray(x).dtype.kind == "f" else x for x in inputs])
    if isinstance(there, NotRunning) or len(there) != len(here):
        return np.zeros(len(here))
    found: Array = np.abs(np.array([float(a - power_of_two(0) * float(b)) for a, b in zip(there, here, strict=True)]))
    return found


def _outputs(asked: Asked, inputs: Sequence[Any]) -> list[Precise] | NotRunning:
    try:
        with asked.watch.aside("precision"):
            values = asked.value(inputs)
    except Exception as error:  # the code may raise anything when it is given numbers it does not know
        return NotRunning(f"the code does not run on precise numbers ({type(error).__name__}: {error})")
    flat = [v for value in values for v in np.asarray(value).reshape(-1)]
    if not all(isinstance(v, Precise | int | bool) for v in flat):
        return NotRunning("the code rounds precise numbers to float64")
    return [v if isinstance(v, Precise) else power_of_two(0) * int(v) for v in flat]


def _sides(
    asked: Asked, exact: Sequence[Any], d: Direction, exponent: int, count: int
) -> tuple[list[Precise], list[Precise]] | None:
    """The values one step up and one step down; None where there are none, or another number of them."""
    up, down = (_outputs(asked, _moved(exact, d, sign, exponent)) for sign in (1, -1))
    if isinstance(up, NotRunning) or isinstance(down, NotRunning) or not len(up) == len(down) == count:
        return None
    return up, down


def _moved(exact: Sequence[Any], d: Direction, sign: int, exponent: int) -> list[Any]:
    moved = list(exact)
    target = moved[d.which].copy()
    step = power_of_two(exponent) * sign
    if d.element is not None:
        target[d.element] = target[d.element] + step
    else:
        target = target + lifted(d.step) * step
    moved[d.which] = target
    return moved


def _read(middle: Precise, up: Precise, down: Precise, exponent: int, largest: Precise) -> tuple[float, float, bool]:
    """One slope with its bar, or the hull of two one-sided slopes; largest: the largest number seen of any output."""
    step = power_of_two(exponent)
    right, left = (up - middle) / step, (middle - down) / step
    both = (right + left) / 2
    size = max(abs(float(right)), abs(float(left)))
    if not np.isfinite([float(right), float(left)]).all():
        return 0.0, math.inf, False
    rounding = float(largest * power_of_two(GUARD - BITS) / step)
    apart = abs(float(right - left))
    if apart > KINK * size + 8 * rounding:
        return float(both), apart / 2 + 2.0**-50 * size + rounding, True
    return float(both), 2.0**-52 * abs(float(both)) + apart * 2.0**-20 + rounding, False
