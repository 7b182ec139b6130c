"""How is a finding told? The element in words, how far off it is, and the sentence that gives the reason."""

from __future__ import annotations

import numpy as np

from gradcheck.judge.blame import Blame
from gradcheck.judge.budgets import dtype_of
from gradcheck.judge.compare import Comparison, Party
from gradcheck.judge.finding import Verdict, Worst
from gradcheck.spec.precision import PRECISIONS, Precision

ONE_SIDED = "one-sided differences"  # whose numbers are the ends of an interval of right ones
NEAR_ZERO = 1e-6  # of an interval's width: an end nearer to zero is told as 0


def reason_of(
    verdict: Verdict,
    quantity: str,
    result: Comparison,
    worst: Worst | None,
    blamed: Blame,
    theirs: Party,
    demand: str = "",
) -> str:
    """Why a comparison has its verdict, in one sentence; `demand` is the clause of the spec's own accuracy."""
    total, what = result.gap.size, in_words(quantity)
    if worst is None:
        return f"{what}: there was nothing to compare"
    if result.gap.shape != theirs.center.shape:
        return f"{what} has shape {theirs.center.shape[1:]}, the claim {result.gap.shape[1:]}"
    many = 0 if theirs.beyond is None else int((theirs.beyond & result.undecided).sum())
    why = f" ({many} overflow or underflow on the way in {dtype_of(theirs.name)})" if many else ""
    if verdict is Verdict.AGREES:
        doubt = f", {int(result.undecided.sum())} undecided{why}" if result.undecided.any() else ""
        return f"{what}: {int(result.agrees.sum())} of {total} numbers agree within their bars{doubt}{demand}"
    if verdict is Verdict.UNDECIDED:
        return f"{what}: the bars of {int(result.undecided.sum())} of {total} numbers are too wide to decide{why}"
    many = int(result.wrong.sum() if verdict is Verdict.DISAGREES else result.inaccurate.sum())
    how = "differ by more than their bars" if verdict is Verdict.DISAGREES else "lose digits to rounding"
    how += in_digits(worst, PRECISIONS[dtype_of(theirs.name)])
    return f"{what}: {many} of {total} numbers {how}{demand}; {blamed.sentence}"


def in_digits(worst: Worst, precision: Precision) -> str:
    """How far off the worst element is, as people count: " (4.5e9 ulp, 10 of 16 digits)"."""
    if not np.isfinite(worst.lost):
        return ""
    return f" ({worst.ulp:.2g} ulp, {round(worst.lost)} of {precision.decimals} digits)"


def digits_lost(gap: float, size: float, precision: Precision) -> float:
    """Decimal digits of a number of this size that an error of `gap` takes, of those that the dtype has."""
    if not size or not np.isfinite(gap):
        return float("nan")
    return float(np.clip(np.log10(max(gap / size / precision.unit, 1.0)), 0.0, precision.decimals))


def in_words(quantity: str) -> str:
    """A quantity as people read it: "the vjp in x", "the jvp", "the value"."""
    name, _, kind = quantity.partition("|")
    what, _, of = name.partition(":")
    words = {"hess": "hessian along its tangent", "hvp": "hvp", "pairing": "pairing of vjp and jvp"}.get(what, what)
    return f"the {words}" + (f" in {of}" if of else "") + (f" (claimed as {kind})" if kind else "")


def told_wrong(got: float, right: float, bar: float, whose: str) -> str:
    """A wrong number and what it should be: "5, not 4"; at a kink, where all of an interval is right: "5, not 0 to 1".

    whose: whose word right ± bar is.
    """
    for digits in range(4, 18) if whose == ONE_SIDED and not right - bar <= got <= right + bar else ():
        ends = interval(right, bar, digits)
        if f"{got:.{digits}g}" in ends:
            continue
        if len(ends) == 2:
            return f"{got:.{max(digits, 6)}g}, not {' to '.join(ends)}"
        break
    return ", not ".join(told_apart(got, right, bar))


def interval(right: float, bar: float, digits: int = 4) -> tuple[str, ...]:
    """The ends of an interval (nearby pieces are read to about four digits); one where they look alike."""
    ends = (0.0 if abs(v) <= NEAR_ZERO * 2 * bar else v for v in (right - bar, right + bar))
    return tuple(dict.fromkeys(f"{v:.{digits}g}" for v in ends))


def told_apart(got: float, right: float, bar: float = 0.0) -> tuple[str, str]:
    """Two numbers that differ, with six digits or as many more as it takes to see it.

    bar: how far `right` may be off; where it is within that of zero, it is told as zero.
    """
    got, right = got + 0.0, 0.0 if abs(right) <= bar else right  # -0.0 is told as 0
    for digits in range(6, 18):
        one, other = f"{got:.{digits}g}", f"{right:.{digits}g}"
        if one != other:
            break
    return one, other
