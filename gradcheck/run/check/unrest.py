"""Does the code give the same numbers each time? Repeated calls at a few points; what differs widens the bars.

Kernels that add up in whatever order threads come give other last digits in each call. That is no wrong derivative,
as long as it is no more than rounding in float32 explains: it is told, and every comparison allows for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge.budgets import RESTLESS, RESTLESS_RANGES
from gradcheck.oracles.blackbox.asked import Array, Inputs
from gradcheck.oracles.blackbox.lines import Direction

Row = NDArray[np.float64]
PROBED = 3  # points
FIRST = 3  # calls at each; where all give the very same bits, no more are made
CALLS = 8


@dataclass(frozen=True, slots=True)
class Unrest:
    """By how much the numbers of one call differ from another's, in shares of their largest; 0: by nothing."""

    values: float = 0.0
    gradients: float = 0.0

    @property
    def excused(self) -> Unrest:
        """What rounding in float32 explains; beyond it nothing is allowed for."""
        return Unrest(*(share if share <= RESTLESS else 0.0 for share in (self.values, self.gradients)))

    def bars(
        self, gradients: Sequence[Array | None], basis: Sequence[Direction], inputs: Inputs
    ) -> NDArray[np.float64]:
        """How far each component of an answer may be off by unrest alone: (E,)."""
        if not self.gradients:
            return np.zeros(len(basis))
        sizes = [0.0 if g is None else float(np.abs(np.asarray(g, dtype=float)).max(initial=0.0)) for g in gradients]
        lengths = [1.0 if d.element is not None else float(np.abs(d.at(inputs)).sum()) for d in basis]
        return np.array([
            RESTLESS_RANGES * self.gradients * sizes[d.which] * length for d, length in zip(basis, lengths, strict=True)
        ])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Apart:
    """The number that differs most over calls: its share of the largest, and where it is: point, array, index."""

    share: float = 0.0
    point: int = 0
    which: int = 0
    index: tuple[int, ...] = ()
    low: float = 0.0
    high: float = 0.0


def most_apart(calls: Sequence[Callable[[], Sequence[Array | None]]]) -> Apart:
    """What differs most over repeated calls, one callable a point. What raises is told elsewhere."""
    found = [_most_apart(p, call) for p, call in enumerate(calls)]
    return max(found, key=lambda apart: apart.share, default=Apart())


def _most_apart(point: int, call: Callable[[], Sequence[Array | None]]) -> Apart:
    answers: list[Sequence[Array | None]] = []
    try:
        for count in range(CALLS):
            if count == FIRST and not _differ(answers):
                return Apart()
            answers.append(call())
        some = [_widest(point, which, arrays) for which, arrays in enumerate(zip(*answers, strict=False))]
    except Exception:  # the code under test may raise anything, or give no numbers: told where it is judged
        return Apart()
    return max(some, key=lambda apart: apart.share, default=Apart())


def _differ(answers: Sequence[Sequence[Array | None]]) -> bool:
    first = answers[0]
    return any(
        a is not None and (b is None or np.asarray(a).tobytes() != np.asarray(b).tobytes())
        for other in answers[1:]
        for a, b in zip(first, other, strict=False)
    )


def _widest(point: int, which: int, arrays: Sequence[Array | None]) -> Apart:
    some = [np.asarray(a, dtype=float) for a in arrays if a is not None]
    if not some or len({a.shape for a in some}) > 1 or not all(np.isfinite(a).all() for a in some):
        return Apart()
    stack = np.stack(some)
    size, ranges = float(np.abs(stack).max(initial=0.0)), np.ptp(stack, axis=0)
    if not size or not ranges.size:
        return Apart()
    flat = int(np.argmax(ranges))
    here = stack.reshape(len(stack), -1)[:, flat]
    index = tuple(int(k) for k in np.unravel_index(flat, ranges.shape))
    return Apart(float(ranges.reshape(-1)[flat]) / size, point, which, index, float(here.min()), float(here.max()))
