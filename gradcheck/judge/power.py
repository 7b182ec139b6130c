"""How small an error would this run have caught? The bars say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gradcheck.judge.budgets import UNDERFLOW
from gradcheck.judge.compare import Array, party
from gradcheck.oracles.evidence import Evidence, Testimony


@dataclass(frozen=True, slots=True)
class Power:
    """The smallest relative error of a derivative that would have been caught.

    median: over all numbers compared; worst: at the element (position in the derivative) where the median over the
    points is largest. inf where no bar was finite.
    """

    median: float
    worst: float


def power(testimonies: Mapping[str, Testimony], independent: frozenset[str]) -> Power | None:
    """From the bars of one case: of every element the best witness, relative to the number itself."""
    claim = testimonies["claim"]
    if not isinstance(claim, Evidence):
        return None
    everything: list[Array] = []
    worst: list[float] = []
    claimed_any = measured = False
    for quantity, claimed in claim.answers.items():
        if quantity.startswith(("value", "pairing")):
            continue
        claimed_any = True
        best = np.full(claimed.center.shape, np.inf)
        ours = party("claim", "claim", claimed)
        for name, testimony in testimonies.items():
            if name not in independent or not isinstance(testimony, Evidence) or quantity not in testimony.answers:
                continue
            theirs = party(name, name, testimony.answers[quantity])
            if theirs.center.shape == best.shape:
                measured |= bool(np.isfinite(ours.bar + theirs.bar).any())
                with np.errstate(all="ignore"):
                    size = np.where(np.abs(theirs.center) > UNDERFLOW, np.abs(theirs.center), np.nan)
                    best = np.fmin(best, (ours.bar + theirs.bar) / size)
        moving = (np.abs(claimed.center) > UNDERFLOW).any(axis=0)  # where it is zero everywhere, no error is relative
        if moving.any():
            best = best[:, moving] if best.ndim > 1 else best
            best = np.where(
                np.abs(claimed.center[:, moving] if best.ndim > 1 else claimed.center) > UNDERFLOW, best, np.nan
            )
            everything.append(best[~np.isnan(best)])
            worst.append(float(np.max(np.nanmedian(best, axis=0))))
    if not everything:
        return None if measured or not claimed_any else Power(float("inf"), float("inf"))
    return Power(float(np.median(np.concatenate(everything))), max(worst))
