"""How long does each of several ways to the same numbers take, on a machine that does other things too?

The ways take turns in many short rounds, each round in another order; a figure is the least of the rounds, and beside
it the median. The clock counts the processor time of this process (all its threads), so that waiting for the processor
is nobody's time. The cycle collector stays on, but sees only what was made after the start.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from statistics import median
from typing import Any, NamedTuple

import numpy as np

Work = Callable[[], Any]
AGREE = 1e-9  # of the gradient's length: far above rounding, far below a wrong rule


class Disagreement(AssertionError):
    """Two ways to the same numbers ended in different places."""


class Timing(NamedTuple):
    """Seconds for one call."""

    least: float
    median: float


def timed(work: Work, number: int) -> float:
    """Seconds of one call, from a loop of `number` calls."""
    start = time.process_time()
    for _ in repeat(None, number):
        work()
    return (time.process_time() - start) / number


def interleaved(works: Mapping[str, Work], rounds: int = 30, share: float = 0.004) -> dict[str, Timing]:
    """The timing of each work; `share` is how many seconds each gets in a round.

    A work whose single call takes more than four shares sits out most rounds (it gets at least three).
    """
    gc.collect()
    gc.freeze()
    once = {name: _once(work) for name, work in works.items()}
    number = {name: max(1, int(share / seconds)) for name, seconds in once.items()}
    every = {name: max(1, min(rounds // 3, int(seconds / (4 * share)))) for name, seconds in once.items()}
    found: dict[str, list[float]] = {name: [] for name in works}
    names = list(works)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            if turn % every[name] == 0:
                found[name].append(timed(works[name], number[name]))
    gc.unfreeze()
    return {name: Timing(min(times), median(times)) for name, times in found.items()}


def _once(work: Work) -> float:
    """About how long one call takes, once everything that is put off until the first call is done."""
    work()
    work()
    return max(1e-7, min(timed(work, 1) for _ in range(2)))


def agree(gradients: Mapping[str, Sequence[Any]]) -> float:
    """How far the numbers are apart at most, relative to their length; more than `AGREE` is refused."""
    (first, reference), *others = gradients.items()
    farthest = 0.0
    for name, parts in others:
        if len(parts) != len(reference):
            raise Disagreement(f"{name} has {len(parts)} parts, {first} has {len(reference)}")
        for i, (part, right) in enumerate(zip(parts, reference, strict=True)):
            if part.shape != right.shape:
                raise Disagreement(f"part {i}: {name} has the shape {part.shape}, {first} has {right.shape}")
            apart = float(np.linalg.norm(part - right) / max(float(np.linalg.norm(right)), 1e-300))
            if not apart <= AGREE:
                raise Disagreement(f"part {i}: {name} is {apart:.1e} of its length away from {first}")
            farthest = max(farthest, apart)
    return farthest
