"""Is a number as close as its spec demands, or close enough by the absolute error that it declares to matter to nobody?

Both speak of rounding only: a demand makes `INACCURATE` fail, a declaration makes it agree, and a number that is wrong
by mathematics stays wrong under either.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradcheck.judge.compare import Comparison, Mask, Party
from gradcheck.judge.finding import Verdict
from gradcheck.spec.model import Accuracy
from gradcheck.spec.precision import Precision


def forgiven(result: Comparison, accuracy: Accuracy | None) -> tuple[Comparison, Mask]:
    """The comparison with lost digits that are within the declared absolute error agreeing, and which those are."""
    if accuracy is None or accuracy.absolute is None:
        return result, np.zeros_like(result.agrees)
    small = result.inaccurate & (result.gap <= accuracy.absolute)
    return replace(result, agrees=result.agrees | small, inaccurate=result.inaccurate & ~small), small


def missed(result: Comparison, claim: Party, witness: Party, accuracy: Accuracy | None, precision: Precision) -> Mask:
    """The numbers that are further from the truth than the demanded units in its last place.

    The truth is the claim's number within its bar. Not measured: where there is a kink, where the dtype's range ends on
    the way or rounding turns a condition (infinite bars), and what is wrong anyway.
    """
    if accuracy is None or accuracy.ulp is None:
        return np.zeros_like(result.agrees)
    with np.errstate(all="ignore"):
        allowed = accuracy.ulp * precision.spacing(np.nan_to_num(claim.center)) + claim.bar
        by_a_hull = result.agrees & ~(result.gap <= result.joint)
        measured = np.isfinite(witness.bar) & np.isfinite(result.gap) & ~claim.kink & ~by_a_hull & ~result.wrong
        return np.asarray(measured & (result.gap > allowed))


def demanded(result: Comparison, off: Mask) -> Comparison:
    """The comparison with the numbers that miss the demand counted among those that lose digits."""
    return replace(
        result, agrees=result.agrees & ~off, undecided=result.undecided & ~off, inaccurate=result.inaccurate | off
    )


def told(accuracy: Accuracy | None, verdict: Verdict, small: int, off: int) -> str:
    """What a finding adds where the spec's accuracy decided: a clause, or nothing."""
    if accuracy is None or verdict not in (Verdict.AGREES, Verdict.INACCURATE) or not small + off:
        return ""
    if off:
        return f"; {off} are more than {accuracy.ulp:g} units in the last place off, which the spec does not allow"
    limit = "" if accuracy.absolute in (None, float("inf")) else f" to {accuracy.absolute:g}"
    return f"; {small} of them by absolute accuracy{limit} only, as the spec declares"
