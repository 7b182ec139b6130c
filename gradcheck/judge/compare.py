"""Do two parties say the same, element by element? Bars are compared, never norms, and nothing is broadcast away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge.budgets import DECISIVE, INACCURATE_UNITS, NEAR_MISS, NEGLIGIBLE, UNDERFLOW, UNIT, safety
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
    return Party(name, center, widened + UNDERFLOW, np.broadcast_to(kink, center.shape))


def compare(claim: Party, witness: Party, roundoff: Array) -> Comparison:
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
        vague = ~measured | (_too_wide(claim, witness, joint) & ~(witness.kink & measured))
    same_infinity = (claim.center == witness.center) & np.isinf(claim.center)
    no_claim_here = np.isnan(witness.center) & (np.isinf(witness.bar) | claim.kink)
    undecided = (within & vague) | same_infinity | no_claim_here
    agrees = within & ~undecided
    off = ~within & ~undecided
    with np.errstate(all="ignore"):
        inaccurate = off & spoken & (gap <= joint + roundoff)
        saved, blurred = _by_the_witness_alone(claim, witness, gap)
    agrees, undecided = agrees | (saved & within), undecided & ~((saved | blurred) & within)
    inaccurate |= blurred & within & ~agrees
    if witness.name == "differences":  # made of f's values: what rounding of those explains is undecided
        near = off & spoken & ~witness.kink & (gap <= joint + NEAR_MISS * witness.bar)
        undecided, off, inaccurate = undecided | inaccurate | near, off & ~inaccurate & ~near, np.zeros_like(off)
    return Comparison(agrees, off & ~inaccurate, inaccurate, undecided, gap, joint)


def _by_the_witness_alone(claim: Party, witness: Party, gap: Array) -> tuple[Mask, Mask]:
    """Where the claim's own bar is too wide to decide anything but the witness's is not.

    There the witness's bar alone decides: the claim agrees as if it were exact, or it has lost digits (but not all).
    A claim gains nothing by being vague.
    """
    size = np.maximum(np.abs(claim.center), np.abs(witness.center))
    floor = np.maximum(NEGLIGIBLE * typical(size), 4 * UNDERFLOW)
    vague = ~(claim.bar <= np.maximum(DECISIVE * size, floor))
    tight = (witness.bar <= np.maximum(DECISIVE * size, floor)) & ~witness.kink
    saved = vague & tight & (gap <= witness.bar + INACCURATE_UNITS * UNIT * size)
    return saved, vague & tight & ~saved & (gap <= DECISIVE * np.abs(witness.center))


def _too_wide(claim: Party, witness: Party, joint: Array) -> Mask:
    size = np.maximum(np.abs(claim.center), np.abs(witness.center))
    more_than_underflow = joint > 4 * UNDERFLOW  # 0 and 0 agree, though any bar is wide beside 0
    return np.asarray((joint > DECISIVE * size) & (joint > NEGLIGIBLE * typical(size)) & more_than_underflow)


def typical(size: Array) -> float:
    """The median size of the numbers of a quantity that are finite and not zero."""
    some = size[np.isfinite(size) & (size > 2 * UNDERFLOW)]
    return float(np.median(some)) if some.size else 0.0


def zero_everywhere(result: Comparison, claim: Party, witness: Party, natural: float) -> Comparison:
    """A quantity that is zero, within bars, at all points and positions: none of its numbers is a measure for the bars.

    (The softmax of one number has a derivative of zero, and rounding leaves some 1e-17.) The natural size of such a
    quantity measures instead.
    """
    if not (result.undecided | result.agrees).all() or not result.undecided.any():
        return result
    zero = (np.abs(claim.center) <= claim.bar) & (np.abs(witness.center) <= witness.bar)
    if not (zero & (result.joint <= NEGLIGIBLE * natural)).all():
        return result
    return replace(result, agrees=np.ones_like(result.agrees), undecided=np.zeros_like(result.undecided))


def _misshapen(claim: Party, witness: Party) -> Comparison:
    """Different shapes: every element of the claim is wrong, whatever the numbers."""
    shape = claim.center.shape
    no, yes = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    return Comparison(no, yes, no, no, np.full(shape, np.nan), np.full(shape, np.nan))


def explained_by_rounding(values: Array, inputs: Array) -> Array:
    """How far a derivative may be off where rounding of f's own values explains it.

    values: (B,) the size of <ct, f> at each point; inputs: (B, *shape) the input the derivative is taken by.
    An error e in df/dx shifts f by e|x| over the input's own size; that is rounding if it is a few units of f.
    """
    size = np.abs(values).reshape(-1, *(1,) * (inputs.ndim - 1))
    with np.errstate(all="ignore"):
        allowed = INACCURATE_UNITS * UNIT * size / np.abs(inputs)
    return np.where(np.isfinite(allowed), allowed, 0.0)


def explained_along(values: Array, inputs: Sequence[Array], tangents: Sequence[Array]) -> Array:
    """The same for a derivative along tangents: a step that moves some input by its own size shifts f by rounding only.

    values: (B, *out) the output that is pushed forward; inputs, tangents: (B, *shape) each.
    """
    speed = np.zeros(len(values))
    for x, t in zip(inputs, tangents, strict=True):
        with np.errstate(all="ignore"):
            ratio = np.abs(t / x).reshape(len(speed), -1)
        speed = np.maximum(speed, np.max(np.where(np.isfinite(ratio), ratio, 0.0), axis=1, initial=0.0))
    allowed = INACCURATE_UNITS * UNIT * np.abs(values) * speed.reshape(-1, *(1,) * (values.ndim - 1))
    return np.where(np.isfinite(allowed), allowed, 0.0)
