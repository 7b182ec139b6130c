"""What may be said where a function has a kink? Anything in the hull of its one-sided derivatives.

The differences measure both one-sided derivatives at a kink and give their hull. There two answers may differ and both
be right: frameworks have different conventions for |x| at 0, and the Clarke generalised gradient holds them all. A
coordinate's hull may be wider than the Clarke set; it is never narrower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradcheck.judge.blame import PROVEN, Blame
from gradcheck.judge.compare import Comparison, Mask, Party
from gradcheck.judge.finding import Number, overlap


def within_hull(result: Comparison, claim: Party, witness: Party, hull: Party | None) -> Comparison:
    """The comparison with kinks judged by the hull.

    Both parties in the hull: they agree, whatever each one's convention. A witness's NaN at a kink is undecided, told
    apart from wrong. A convention outside the hull is wrong, declared or not; the differences say so.
    """
    if hull is None or hull.center.shape != result.gap.shape or not hull.kink.any():
        return result
    inside = hull.kink & _holds(hull, claim) & _holds(hull, witness)
    silent = hull.kink & np.isnan(witness.center)
    return replace(
        result,
        agrees=(result.agrees | inside) & ~silent,
        wrong=result.wrong & ~inside & ~silent,
        inaccurate=result.inaccurate & ~inside & ~silent,
        undecided=(result.undecided | silent) & ~inside,
    )


def blame_at_kink(numbers: Sequence[Number]) -> Blame | None:
    """Who lies outside the hull that the differences measured at a kink; None where there is none, or all lie outside,
    or where a derivative is proven all the same.

    Parties inside it may differ: each has its convention, and none contradicts another.
    """
    hull = next((x for x in numbers if x.witness == "differences" and x.kink), None)
    proven = any(x.witness == PROVEN and np.isfinite(x.bar) for x in numbers)
    if hull is None or proven:
        return None
    others = [x for x in numbers if x is not hull]
    outside = [x for x in others if not overlap(x, hull)]
    if not outside or len(outside) == len(others):
        return None
    accused = next((x for x in outside if x.witness == "claim"), outside[0])
    low, high = hull.center - hull.bar, hull.center + hull.bar
    names = " and ".join(x.witness for x in outside)
    return Blame(accused.witness, f"{names} outside what the pieces of f that meet here allow, {low:.6g} to {high:.6g}")


def blame_at_pole(numbers: Sequence[Number]) -> Blame | None:
    """Who says a finite number where two others or more say the same infinity; None where that is not so."""
    infinite = [x for x in numbers if np.isinf(x.center)]
    finite = [x for x in numbers if np.isfinite(x.center) and np.isfinite(x.bar)]
    witnesses = {x.witness.split()[0] for x in infinite}
    if len({x.center for x in infinite}) != 1 or len(witnesses) < 2 or not finite:
        return None
    accused = next((x for x in finite if x.witness == "claim"), finite[0])
    names = " and ".join(x.witness for x in infinite)
    return Blame(accused.witness, f"{names} say {infinite[0].center}, {accused.witness} a finite number")


def along_a_kink(result: Comparison, kinked: Mask) -> Comparison:
    """Derivatives along a direction, at points (B,) where some coordinate has a kink: a difference decides nothing."""
    here = np.broadcast_to(kinked.reshape(-1, *(1,) * (result.gap.ndim - 1)), result.gap.shape)
    off = here & (result.wrong | result.inaccurate)
    return replace(
        result, wrong=result.wrong & ~off, inaccurate=result.inaccurate & ~off, undecided=result.undecided | off
    )


def at_unmeasured_kinks(
    result: Comparison, claim: Party, witness: Party, measured: Party, kinked: Mask
) -> Comparison:  # fmt: skip
    """Numbers of which the differences say nothing, or too little, at points (B,) that have a kink: who is right?

    Nobody knows, unless the differences' bar leaves out one of both. Where it holds two that contradict one another, it
    is as wide as a kink makes it, whatever it is called: so is all else at that point.
    """
    both = _holds(measured, claim) & _holds(measured, witness)
    known = np.isfinite(measured.bar) & ~both
    wide = np.isfinite(measured.bar) & both & (result.wrong | result.inaccurate)
    off = along_a_kink(result, kinked | wide.reshape(len(kinked), -1).any(axis=1))
    return replace(
        result, wrong=np.where(known, result.wrong, off.wrong),
        inaccurate=np.where(known, result.inaccurate, off.inaccurate),
        undecided=np.where(known, result.undecided, off.undecided),
    )  # fmt: skip


def _holds(hull: Party, party: Party) -> Mask:
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(party.center - hull.center) <= hull.bar + party.bar)
