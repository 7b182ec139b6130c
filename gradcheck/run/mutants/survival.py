"""Why did a mutant survive? What it changes, beside what the run could have seen there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradcheck.expr import Program
from gradcheck.judge import Verdict, Whole
from gradcheck.judge.compare import Array, party
from gradcheck.oracles import INDEPENDENT, Evidence, Hearing, Inquiry, Testimony
from gradcheck.oracles.inquiry import claimed
from gradcheck.spec import Case, Claim

Heard = Sequence[tuple[Case, Mapping[str, Testimony]]]


@dataclass(frozen=True, slots=True)
class _Change:
    """The largest change that a mutant makes, in units of the bars there; the relative sizes of change and bars."""

    units: float
    change: float
    bars: float


def why_survived(claim: Claim, program: Program, whole: Whole, heard: Heard) -> str:
    """One sentence: no point told it apart; or how small the change is, and the smallest that would have been seen."""
    points = sum(case.points for case, _ in heard)
    changes = [change for case, said in heard if (change := _change(claim, program, case, said)) is not None]
    if not changes:
        return f"it gives the same numbers at all {points} points: none tells it apart"
    largest = max(changes, key=lambda c: c.units)
    lost = ", taken for lost digits" if whole.verdict is Verdict.INACCURATE else ""
    return (
        f"where it shows most it changes the derivative by {largest.change:.1e} of itself; "
        f"an error of {largest.bars:.1e} would have been caught there{lost}"
    )


def _change(claim: Claim, program: Program, case: Case, said: Mapping[str, Testimony]) -> _Change | None:
    """What the mutant changes at the element where that shows most; None where it changes nothing."""
    before, after = (_claimed(claim, p, case) for p in (claim.program, program))
    if before is None or after is None:
        return None
    quantity = next(q for c, q in claimed(case.spec) if c is claim).partition("|")[0]
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(before[0]), np.abs(after[0]))
        change = np.where(before[0] == after[0], 0.0, np.abs(after[0] - before[0]))
        bars = after[1] + _best(quantity, said, size.shape)
        units = np.where(change > 0, change / bars, 0.0)
        units = np.where(np.isnan(units), 0.0, units)
        if not (change > 0).any():
            return None
        at = np.unravel_index(int(np.argmax(units)), units.shape)
        return _Change(float(units[at]), float(change[at] / size[at]), float(bars[at] / size[at]))


def _claimed(claim: Claim, program: Program, case: Case) -> tuple[Array, Array] | None:
    alone = replace(case, spec=replace(case.spec, claims=(replace(claim, program=program),)))
    said = Hearing(Inquiry(alone)).one("claim")
    if not isinstance(said, Evidence):
        return None
    ours = party("claim", "claim", said.answers[claimed(alone.spec)[0][1]])
    return ours.center, ours.bar


def _best(quantity: str, said: Mapping[str, Testimony], shape: tuple[int, ...]) -> Array:
    """The bar of the best independent witness, element by element."""
    best = np.full(shape, np.inf)
    for name, testimony in said.items():
        if name in INDEPENDENT and isinstance(testimony, Evidence) and quantity in testimony.answers:
            theirs = party(name, name, testimony.answers[quantity])
            if theirs.bar.shape == shape:
                best = np.fmin(best, theirs.bar)
    return best
