"""Do two parties say the same, element by element? Bars are compared, never norms, and nothing is broadcast away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge.budgets import BUDGETS, NEAR_MISS, NEGLIGIBLE, UNDERFLOW, Budget, dtype_of, safety
from gradcheck.oracles.evidence import Measured

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Party:
    """What one party says of one quantity, with its bar widened to what it is held to."""

    name: str  # "claim", "engine reverse", …
    center: Array
    bar: Array
    kink: Mask
    beyond: Mask | None = None  # where the range of the witness's dtype ends on the way

    @property
    def narrow(self) -> bool:
        """Whether the bar is one of a dtype narrower than float64."""
        return self.beyond is not None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The state of every element of a quantity: exactly one of the four masks is true."""

    agrees: Mask
    wrong: Mask
    inaccurate: Mask
    undecided: Mask
    gap: Array  # |difference|
    joint: Array  # sum of the bars


def party(name: str, witness: str, measured: Measured) -> Party:
    """A witness's answer, held to its budget."""
    center = np.asarray(measured.center, dtype=float)
    bar = np.asarray(measured.bar, dtype=float)
    kink = np.zeros(center.shape, dtype=bool) if measured.kink is None else np.asarray(measured.kink)
    widened = np.where(kink & (witness == "differences"), bar, safety(witness) * bar)
    dtype = dtype_of(witness)
    beyond = None
    if dtype != "float64":
        beyond = np.zeros(center.shape, dtype=bool) if measured.beyond is None else measured.beyond
    widened = widened + BUDGETS[dtype].underflow
    return Party(name, center, widened, np.broadcast_to(kink, center.shape), beyond)


FLOAT64 = BUDGETS["float64"]


def compare(claim: Party, witness: Party, roundoff: Array, budget: Budget = FLOAT64) -> Comparison:
    """Compare two parties of equal shapes.

    roundoff: (same shape) the error that rounding of the function's own values would explain, element by element.
    """
    if claim.center.shape != witness.center.shape:
        return _misshapen(claim, witness)
    with np.errstate(all="ignore"):
        gap = np.abs(claim.center - witness.center)
        joint = claim.bar + witness.bar
        spoken = np.isfinite(claim.center) & np.isfinite(witness.center)
        within = spoken & (gap <= joint)
        measured = np.isfinite(claim.bar) & np.isfinite(witness.bar)
        vague = ~measured | (_too_wide(claim, witness, joint, budget) & ~(witness.kink & measured))
    same_infinity = (claim.center == witness.center) & np.isinf(claim.center)
    no_claim_here = np.isnan(witness.center) & (np.isinf(witness.bar) | claim.kink)
    undecided = (within & vague) | same_infinity | no_claim_here
    if witness.narrow:  # out of range, or by another branch: then anything may come, infinity too
        undecided |= ~np.isfinite(witness.bar) | (vague & ~np.isfinite(witness.center))
        within &= np.isfinite(witness.bar)
    agrees = within & ~undecided
    off = ~within & ~undecided
    with np.errstate(all="ignore"):
        inaccurate = off & spoken & (gap <= joint + roundoff)
        saved, blurred = _by_the_witness_alone(claim, witness, gap, budget)
    agrees, undecided = agrees | (saved & within), undecided & ~((saved | blurred) & within)
    inaccurate |= blurred & within & ~agrees
    if witness.name == "differences":  # made of f's values: what rounding of those explains is undecided
        with np.errstate(over="ignore"):
            near = off & spoken & ~witness.kink & (gap <= joint + NEAR_MISS * witness.bar)
        near |= off & np.isinf(witness.bar)  # not measured: an infinite claim is no more wrong there than a finite one
        undecided, off, inaccurate = undecided | inaccurate | near, off & ~inaccurate & ~near, np.zeros_like(off)
    return Comparison(agrees, off & ~inaccurate, inaccurate, undecided, gap, joint)


def _by_the_witness_alone(claim: Party, witness: Party, gap: Array, budget: Budget) -> tuple[Mask, Mask]:
    """Where the claim's own bar is too wide to decide anything but the witness's is not.

    There the witness's bar alone decides: the claim agrees as if it were exact, or it has lost digits (but not all).
    A claim gains nothing by being vague.
    """
    size = np.maximum(np.abs(claim.center), np.abs(witness.center))
    floor = np.maximum(budget.negligible * typical(size), 4 * budget.underflow)
    vague = ~(claim.bar <= np.maximum(budget.decisive * size, floor))
    tight = (witness.bar <= np.maximum(budget.decisive * size, floor)) & ~witness.kink
    saved = vague & tight & (gap <= witness.bar + budget.inaccurate_units * budget.unit * size)
    return saved, vague & tight & ~saved & (gap <= budget.decisive * np.abs(witness.center))


def _too_wide(claim: Party, witness: Party, joint: Array, budget: Budget) -> Mask:
    size = np.maximum(np.abs(claim.center), np.abs(witness.center))
    more_than_underflow = joint > 4 * budget.underflow  # 0 and 0 agree, though any bar is wide beside 0
    small = budget.negligible * typical(size)
    return np.asarray((joint > budget.decisive * size) & (joint > small) & more_than_underflow)


def typical(size: Array) -> float:
    """The median size of the numbers of a quantity that are finite and not zero."""
    some = size[np.isfinite(size) & (size > 2 * UNDERFLOW)]
    return float(np.median(some)) if some.size else 0.0


def zero_everywhere(
    result: Comparison, claim: Party, witness: Party, natural: Array, negligible: float = NEGLIGIBLE
) -> Comparison:
    """A quantity that is zero, within bars, at all points and positions: none of its numbers is a measure for the bars.

    (The softmax of one number has a derivative of zero, and rounding leaves some 1e-17.) The natural size of such a
    quantity at each point (B,) measures instead.
    """
    if not (result.undecided | result.agrees).all() or not result.undecided.any():
        return result
    zero = (np.abs(claim.center) <= claim.bar) & (np.abs(witness.center) <= witness.bar)
    measure = negligible * natural.reshape(-1, *(1,) * (result.joint.ndim - 1))
    if not (zero & (result.joint <= measure)).all():
        return result
    return replace(result, agrees=np.ones_like(result.agrees), undecided=np.zeros_like(result.undecided))


def _misshapen(claim: Party, witness: Party) -> Comparison:
    """Different shapes: every element of the claim is wrong, whatever the numbers."""
    shape = claim.center.shape
    no, yes = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    return Comparison(no, yes, no, no, np.full(shape, np.nan), np.full(shape, np.nan))


def explained_by_rounding(values: Array, inputs: Array, budget: Budget = FLOAT64) -> Array:
    """How far a derivative may be off where rounding of f's own values explains it.

    values: (B,) the size of <ct, f> at each point; inputs: (B, *shape) the input the derivative is taken by.
    An error e in df/dx shifts f by e|x| over the input's own size; that is rounding if it is a few units of f.
    """
    size = np.abs(values).reshape(-1, *(1,) * (inputs.ndim - 1))
    with np.errstate(all="ignore"):
        allowed = budget.inaccurate_units * budget.unit * size / np.abs(inputs)
    return np.where(np.isfinite(allowed), allowed, 0.0)


def explained_along(
    values: Array, inputs: Sequence[Array], tangents: Sequence[Array], budget: Budget = FLOAT64
) -> Array:
    """The same for a derivative along tangents: a step that moves some input by its own size shifts f by rounding only.

    values: (B, *out) the output that is pushed forward; inputs, tangents: (B, *shape) each.
    """
    speed = np.zeros(len(values))
    for x, t in zip(inputs, tangents, strict=True):
        with np.errstate(all="ignore"):
            ratio = np.abs(t / x).reshape(len(speed), -1)
        speed = np.maximum(speed, np.max(np.where(np.isfinite(ratio), ratio, 0.0), axis=1, initial=0.0))
    allowed = budget.inaccurate_units * budget.unit * np.abs(values) * speed.reshape(-1, *(1,) * (values.ndim - 1))
    return np.where(np.isfinite(allowed), allowed, 0.0)
