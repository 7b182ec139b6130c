"""At which points do two formulas of one claim come to the same numbers? Both are enclosed, until it is plain.

The inputs are the points exactly as they are, so that a formula that looks for a tie finds it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import Unsupported
from gradcheck.expr import NUMPY, Batch, Batched, Control, Program
from gradcheck.oracles.balls.flint_library import arb, balls, precision, working_bits
from gradcheck.oracles.balls.proof import AGREED_BITS, parts
from gradcheck.oracles.balls.vocabulary import BALLS
from gradcheck.oracles.certified import PRECISIONS
from gradcheck.oracles.claim import FIRST_ORDER
from gradcheck.oracles.claim_nodes import environment
from gradcheck.oracles.inquiry import Inquiry, Rows, evaluate, spread
from gradcheck.spec.case import Case
from gradcheck.spec.model import Claim

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Where two formulas agree, of the points that were asked: exactly one is true of each."""

    equal: Mask
    different: Mask
    open: Mask  # no precision decides, or a number is not finite


@dataclass(frozen=True, slots=True)
class Original:
    """A claim at the points of a case. Its formula is enclosed once, however many others are compared with it."""

    case: Case
    claim: Claim
    known: dict[tuple[int, bytes, bool], tuple[dict[str, Any], Any]] = field(default_factory=dict)

    def at(self, rows: Rows, of_value: bool) -> tuple[dict[str, Any], Any]:
        """What names mean at some points, and the claim's numbers there; of_value: if the function is named too."""
        key = working_bits(), rows.tobytes(), of_value
        if key not in self.known:
            env = _environment(self.case, rows, of_value)
            self.known[key] = env, _enclosed(self.claim.program, env, len(rows))
        return self.known[key]


def agreement(original: Original, other: Program, rows: Rows) -> Agreement:
    """Compare a claim's formula with another one at some points of its case.

    Raises Unsupported where a function of either has no enclosure.
    """
    points = original.case.points
    equal, different = np.zeros(points, dtype=bool), np.zeros(points, dtype=bool)
    left = rows
    with np.errstate(all="ignore"):
        for bits in PRECISIONS:
            with precision(bits):
                for part, answer, _ in parts(left, lambda some: _both(original, other, some)):
                    if answer is not None:
                        equal[part], different[part] = answer
            left = rows[~(equal | different)[rows]]
            if not left.size or different.any():
                break
    return Agreement(equal[rows], different[rows], ~(equal | different)[rows])


def _both(original: Original, other: Program, rows: Rows) -> tuple[Mask, Mask]:
    case, claim = original.case, original.claim
    names = claim.program.names.union(other.names, *(kink.condition.names for kink in case.spec.kinks))
    env, mine = original.at(rows, not names.isdisjoint(case.spec.outputs))
    theirs = _enclosed(other, env, len(rows))
    try:
        shape = np.broadcast_shapes(mine.shape[1:], theirs.shape[1:])
    except ValueError:
        return np.zeros(len(rows), dtype=bool), np.ones(len(rows), dtype=bool)
    conventional = _conventional(case, claim, env, (len(rows), *shape))
    undefined = np.logical_and(*(_undefined(case, p, rows, conventional.shape) for p in (claim.program, other)))
    pairs = [_over(value, conventional.shape).reshape(len(rows), -1) for value in (mine, theirs)]
    asked = ~(conventional | undefined).reshape(len(rows), -1)
    told = [_told(x[some], y[some]) for x, y, some in zip(*pairs, asked, strict=True)]
    return np.array([t == "same" for t in told]), np.array([t == "other" for t in told])


def _conventional(case: Case, claim: Claim, env: dict[str, Any], shape: tuple[int, ...]) -> Mask:
    """The elements at which a declared convention stands in place of either formula."""
    declared = np.zeros(shape, dtype=bool)
    for kink in case.spec.kinks:
        if claim.of in kink.values and claim.kind in FIRST_ORDER:
            holds = spread(BALLS, kink.condition(Batch(BALLS), dict(env), Control(guard=False)), shape[0])
            declared |= _over(np.asarray(holds, dtype=bool), shape).astype(bool)
    return declared


def _undefined(case: Case, program: Program, rows: Rows, shape: tuple[int, ...]) -> Mask:
    """The elements that are no number in floats: 0/0 where the claim says nothing."""
    value = spread(NUMPY, program(Batch(NUMPY), environment(case, rows), Control(guard=False)), len(rows))
    return np.asarray(_over(np.isnan(np.asarray(value, dtype=float)), shape), dtype=bool)


def _environment(case: Case, rows: Rows, of_value: bool) -> dict[str, Any]:
    """What the names of a claim mean at some points, in balls; the function is enclosed where it is wanted."""
    inquiry = Inquiry(case)
    inputs = {n: balls(x) if n in inquiry.moving else x for n, x in inquiry.rows_of(rows).items()}
    values = evaluate(case.spec, BALLS, inputs, case.sizes, Control(guard=False)) if of_value else {}
    arrays = {**inputs, **values}
    arrays |= {f"t_{name}": balls(t[rows]) for name, t in case.tangents.items()}
    single = len(case.cotangents) == 1
    arrays |= {"ct" if single else f"ct_{o}": balls(c[rows]) for o, c in case.cotangents.items()}
    return {**{name: Batched(array) for name, array in arrays.items()}, **case.sizes}


def _enclosed(program: Program, env: dict[str, Any], points: int) -> Any:
    value = balls(spread(BALLS, program(Batch(BALLS), dict(env), Control(guard=False)), points))
    if any(not isinstance(ball, arb) for ball in value.ravel()):
        raise Unsupported("ball arithmetic", "a complex claim")
    return value


def _over(array: Any, shape: tuple[int, ...]) -> Any:
    """An array spread over `shape`: missing axes come behind the batch axis."""
    array = np.asarray(array)
    if array.ndim < len(shape):
        array = array.reshape(array.shape[0], *(1,) * (len(shape) - array.ndim), *array.shape[1:])
    return np.broadcast_to(array, shape)


def _told(x: Any, y: Any) -> str:
    """Whether two rows of balls are the "same" numbers, some are "other" ones, or it is "open" still.

    The same are two that overlap, and are narrow to 100 bits of the largest number of the point.
    """
    if not all(ball.is_finite() for ball in (*x, *y)):
        return "open"
    largest = max((abs(ball.mid()) for ball in (*x, *y)), default=arb(0))
    verdict = "same"
    for a, b in zip(x, y, strict=True):
        gap = a - b
        if not gap.contains(0):
            return "other"
        if gap.rad() > largest * arb(2) ** -AGREED_BITS:
            verdict = "open"
    return verdict
