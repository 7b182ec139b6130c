"""What does a proof say about the claim? Agreement to a hundred bits, or a disproof with its point.

A formula may be a series that is cut where float64 sees no more, or be written with numbers of sixteen digits, or hold
where probabilities add up to one, which float64's do not quite: then it is disproved by less than float64, or than the
rounding of its own evaluation, could show. That is told, and is no error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.judge.budgets import BELOW_FLOAT64
from gradcheck.judge.compare import Comparison, Party
from gradcheck.judge.finding import Finding, Verdict, Worst
from gradcheck.oracles.evidence import Proof

MODE = "claim"  # of the findings about the claim's own formulas
SHOWN = 8  # numbers of an input that a sentence shows


def compared(proof: Proof, ours: Party, theirs: Party) -> Comparison:
    """The states of a claim's elements: what is disproved is wrong, unless it is told to be rounding (see above)."""
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(ours.center), np.abs(theirs.center))
        gap = np.maximum(np.abs(ours.center - theirs.center), proof.apart * np.where(np.isfinite(size), size, 0.0))
        joint = ours.bar + theirs.bar
        hidden = (gap <= joint) if proof.excuse else np.zeros_like(proof.disproved)
        rounded = proof.disproved & (hidden | (proof.apart <= BELOW_FLOAT64))
    wrong = proof.disproved & ~rounded & ~ours.kink
    agrees = proof.proven | rounded
    nothing = np.zeros_like(agrees)
    return Comparison(agrees, wrong, nothing, ~agrees & ~wrong, gap, joint)


def worst_index(proof: Proof, result: Comparison) -> tuple[int, ...]:
    """The element that is disproved by most; the first one where none is."""
    among = np.where(result.wrong, 1.0 + proof.apart, np.where(proof.disproved, proof.apart / (1.0 + proof.apart), 0.0))
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(among)), among.shape))


def finding(proof: Proof, result: Comparison, worst: Worst | None, what: str) -> Finding:
    """The finding "claim against certified" of one quantity; `what` is the quantity in words."""
    total, wrong, undecided = result.gap.size, int(result.wrong.sum()), int(result.undecided.sum())
    decided = Verdict.AGREES if total and 2 * undecided <= total else Verdict.UNDECIDED
    verdict = Verdict.DISAGREES if wrong else decided
    return Finding(
        "certified", MODE, verdict, _sentence(proof, result, worst, what), total, undecided, wrong,
        "claim" if wrong else "", worst,
    )  # fmt: skip


def _sentence(proof: Proof, result: Comparison, worst: Worst | None, what: str) -> str:
    total, wrong = result.gap.size, int(result.wrong.sum())
    if worst is None:
        return f"{what}: there was nothing to prove"
    if wrong:
        place = (worst.point, *worst.index)
        element = f"{what}, element {list(worst.index)}" if worst.index else what
        return (
            f"{element}, is disproved at {_point(worst.inputs)}: the enclosures are disjoint by "
            f"{_far(float(proof.apart[place]))}; {wrong} of {total} numbers are disproved"
        )
    said = f"{what}: {int(proof.proven.sum())} of {total} numbers are proven to 100 bits"
    rounded = result.agrees & ~proof.proven
    if rounded.any():
        most = float(np.max(proof.apart, where=rounded, initial=0.0))
        why = f": {proof.excuse}" if proof.excuse else ", which float64 cannot hold"
        said += f", {int(rounded.sum())} are off by up to {most:.1e} of the number{why}"
    open_ = int(result.undecided.sum())
    return said + (f", {open_} are undecided (a tie or a kink, or no enclosure)" if open_ else "")


def _far(apart: float) -> str:
    """How far two enclosures are apart, as a share of the truth; of a truth of 0 there are no shares."""
    return f"{apart:.1e} of the truth" if apart < 1 else "the truth's own size or more"


def _point(inputs: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_listed(value)}" for name, value in inputs.items())


def _listed(value: Any) -> str:
    if isinstance(value, list):
        shown = [_listed(v) for v in value[:SHOWN]]
        return "[" + ", ".join(shown + ["…"] * (len(value) > SHOWN)) + "]"
    return f"{value:.17g}"


def same_shape(proof: Proof, *parties: Party) -> bool:
    """Whether everybody speaks of the same numbers."""
    return all(party.center.shape == proof.proven.shape for party in parties)
