"""What is known while a function of very many numbers is judged, and how is it told?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gradcheck.cases.large import Point
from gradcheck.judge.cells import Seen, Tally
from gradcheck.judge.large import CONFIDENCE
from gradcheck.judge.telling import told_apart
from gradcheck.oracles.blackbox.asked import Array, Asked
from gradcheck.run.check.large_search import Found

FUTILE = 2  # searches of an input that may find nothing; from then on what misses is undecided
WHOSE = "slopes of the function's values"


@dataclass
class Large:
    """What is known while a function of very many numbers is judged."""

    asked: Asked
    names: Sequence[str]
    moving: tuple[int, ...]
    rooms: Mapping[int, float]  # by input: how far a step may go without leaving its limits
    board: Mapping[str, Tally]
    seed: int
    points: list[Point] = field(default_factory=list)  # that have values
    relative: dict[int, list[float]] = field(default_factory=dict)  # by input: bars over the usual gradient
    looked: dict[int, int] = field(default_factory=dict)  # by input: directions that decided something
    needed: dict[int, int] = field(default_factory=dict)
    blocks: dict[int, int] = field(default_factory=dict)
    wrong: set[int] = field(default_factory=set)
    futile: dict[int, int] = field(default_factory=dict)  # by input: searches that found nothing
    tossed: tuple[int, int] = (0, 0)  # the seed of the last cotangents of random signs
    dropped: int = 0
    raised: str = ""


@dataclass
class At:
    """One point with its values: made when it is looked at, and let go."""

    point: Point
    inputs: tuple[Array, ...]
    base: tuple[Array, ...]  # the outputs, while slopes are read; later only their shapes and types


def told_of(
    large: Large, at: At, k: int, found: Found, cts: Sequence[Array], rule: str = "vjp"
) -> tuple[str, Seen]:  # fmt: skip
    """One number of a gradient as a sentence and as data."""
    index = tuple(int(i) for i in np.unravel_index(found.place, at.inputs[k].shape))
    drawn = {n: f"{x.size:,} numbers" for n, x in zip(large.names, at.inputs, strict=True)}
    ones = all(bool((c == 1).all()) for c in cts)
    facts = {
        "point": replace(at.point, sampler=None), "tossed": None if ones else large.tossed,
        "shapes": [c.shape for c in cts], "dtypes": [str(o.dtype) for o in at.base], "rule": rule,
    }  # fmt: skip
    seen = Seen(
        large.names[k], index, drawn, "ones" if ones else "signs", found.got, found.right, found.bar, WHOSE,
        at.point.origin, large.seed, len(cts) > 1, (), "large", facts,
    )  # fmt: skip
    got, right = told_apart(found.got, found.right)
    return f"the gradient of {seen.place} is {got}, not {right}", seen


def summed_up(large: Large) -> None:
    """What the cell `reverse` says of its power, and of inputs of which it decided nothing."""
    tally = large.board["reverse"]
    bare = [large.names[k] for k in large.blocks if k not in large.looked and k not in large.wrong]
    if bare and len(bare) < len(large.blocks):
        tally.uncovered = f"no number of the gradient of {', '.join(bare)} could be decided"
    lost = [large.names[k] for k in large.blocks if large.futile.get(k, 0) >= FUTILE and k not in large.wrong]
    if lost:
        tally.uncovered = tally.silence = (
            f"along some directions the gradient of {lost[0]} misses the slope, and no number at fault was found"
        )
    elif bare and not tally.compared:
        tally.silence = tally.silence or "no gradient was fit to be compared"
    elif bare and not tally.silence:
        tally.silence = "the function's own rounding hides what a zero in one place of its gradient would change"


def power_of(large: Large) -> tuple[Mapping[str, float] | None, list[str]]:
    """The smallest error of one number that would have been seen, over the usual gradient, and the same in words."""
    if not large.relative:
        return None, []
    bars = [b for some in large.relative.values() for b in some]
    told = [f"{max(some):.1g} of the usual gradient of {large.names[k]}" for k, some in large.relative.items()]
    note = (
        f"an error in one number of {' or '.join(told)} would have been seen, and of errors in many numbers that hide "
        f"each other {CONFIDENCE:.1%}"
    )
    return {"median": float(np.median(bars)), "worst": max(bars)}, [note]
