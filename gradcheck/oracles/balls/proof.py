"""Does the claim hold, beyond doubt? Its formulas in ball arithmetic, held against the enclosure of the truth.

Two enclosures that do not overlap disprove the claim at that point, however close they lie. Two that overlap and are
both narrower than a hundred bits agree. A number that a formula writes as 0.1 may be read as the tenth that its author
meant or as the float64 that a computer makes of it; a claim that holds in either reading holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.errors import BranchInBatch, Unsupported
from gradcheck.expr.nodes import Const, walk
from gradcheck.oracles.balls.flint_library import Undecided, arb, balls
from gradcheck.oracles.balls.numbers import all_balls, digits, dyadic
from gradcheck.oracles.claim import Claims
from gradcheck.oracles.evidence import Array, Mask, Proof
from gradcheck.oracles.inquiry import Inquiry, Numbers, Rows

AGREED_BITS = 100  # of relative accuracy, on both sides
PRINTED = 15  # significant digits from which on a number is taken to be printed as far as float64 goes
CONSTRAINED = {"simplex": "a distribution", "orthogonal": "an orthogonal matrix", "sphere": "of length one"}
_overlaps: Any = np.frompyfunc(lambda a, b: a.overlaps(b), 2, 1)
_accuracy: Any = np.frompyfunc(lambda a: a.rel_accuracy_bits(), 1, 1)
_radius: Any = np.frompyfunc(lambda a: a.rad(), 1, 1)


@dataclass(slots=True)
class Proofs:
    """What has been proven and disproved of a case's claims so far."""

    inquiry: Inquiry
    states: dict[str, Proof] = field(default_factory=dict)
    kinked: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))
    refused: str = ""  # why the claims have no enclosure

    def check(self, rows: Rows, truth: dict[str, Any], base: Any, negligible: Any) -> Rows:
        """Hold the claims at some points against the truth there; the points at which something stays open."""
        if self.refused:
            return rows[:0]
        numbers = Numbers(base, balls, np.asarray, balls)
        left = [rows[:0]]
        try:
            for part, stated, open_ in parts(np.arange(len(rows)), lambda some: self._stated(rows[some], numbers)):
                left.append(rows[open_])
                if stated is not None:
                    left.append(rows[part][self._compare(rows[part], part, stated, truth, negligible)])
        except Unsupported as error:
            self.refused = str(error)
            return rows[:0]
        return np.concatenate(left)

    def _stated(self, rows: Rows, numbers: Numbers) -> tuple[dict[str, Any], Mask]:
        claims = Claims(self.inquiry, rows, numbers)
        return claims.stated(), claims.kinked

    def _compare(self, rows: Rows, part: Rows, stated: Any, truth: dict[str, Any], negligible: Any) -> Mask:
        """Take the states of all claims at some points; which points stay open."""
        claims, kinked = stated
        open_ = np.zeros(len(rows), dtype=bool)
        for quantity, claim in claims.items():
            exact = truth.get(quantity.partition("|")[0])
            if exact is None or exact.shape[1:] != claim.shape[1:]:
                continue
            claim, exact = all_balls(claim), all_balls(exact[part])
            agreed, off = agreement(claim, exact, negligible)
            state = self._state(quantity, claim.shape[1:])
            free = ~kinked.reshape(-1, *(1,) * (claim.ndim - 1)) & np.ones(claim.shape, dtype=bool)
            state.proven[rows], state.disproved[rows] = agreed & free, off & free
            state.apart[rows] = apart(claim, exact, off & free)
            open_ |= (free & ~agreed & ~off).reshape(len(rows), -1).any(axis=1)
        return open_

    def _state(self, quantity: str, shape: tuple[int, ...]) -> Proof:
        if quantity not in self.states:
            whole = (self.inquiry.case.points, *shape)
            no, none = np.zeros(whole, dtype=bool), np.zeros(whole)
            self.states[quantity] = Proof(quantity, no, no.copy(), none, excuse(self.inquiry))
        return self.states[quantity]

    def disproved(self) -> Rows:
        """The points at which some claim is disproved."""
        found = np.zeros(self.inquiry.case.points, dtype=bool)
        for state in self.states.values():
            found |= state.disproved.reshape(len(found), -1).any(axis=1)
        return np.flatnonzero(found)


def parts(rows: Rows, run: Callable[[Rows], Any]) -> Iterator[tuple[Rows, Any, Rows]]:
    """Run all points as one batch; where they want different branches, or some are undecided, split there.

    Yields (points, result, none), or (none, None, points) for those that balls of this precision leave open.
    """
    none = rows[:0]
    pending = [rows]
    while pending:
        part = pending.pop()
        if not part.size:
            continue
        try:
            yield part, run(part), none
        except BranchInBatch as branch:
            pending += [part[~branch.takes], part[branch.takes]]
        except Undecided as undecided:
            open_ = _rows_of(undecided.mask, len(part))
            yield none, None, part[open_]
            pending.append(part[~open_])


def _rows_of(mask: Array, points: int) -> Any:
    """The points that an undecided comparison concerns: all, where it is not of one array of the batch."""
    if mask.ndim and mask.shape[0] == points:
        return mask.reshape(points, -1).any(axis=1)
    return np.ones(points, dtype=bool)


def agreement(claim: Any, truth: Any, negligible: Any) -> tuple[Mask, Mask]:
    """(agree to a hundred bits, do not overlap), element by element; radii up to `negligible` count as none."""
    overlap = np.asarray(_overlaps(claim, truth), dtype=bool)
    narrow = [np.asarray(_accuracy(x) >= AGREED_BITS, dtype=bool) for x in (claim, truth)]
    agreed = overlap & narrow[0] & narrow[1]
    if not (agreed | ~overlap).all():
        small = [np.asarray(_radius(x) <= negligible, dtype=bool) for x in (claim, truth)]
        agreed |= overlap & (narrow[0] | small[0]) & (narrow[1] | small[1])
    return agreed, ~overlap


def apart(claim: Any, truth: Any, off: Mask) -> Array:
    """How far apart two enclosures are at least, relative to the truth; 0 where they are not `off`."""
    found = np.zeros(off.shape)
    for place in zip(*np.nonzero(off), strict=True):
        distance = abs(claim[place] - truth[place]).abs_lower() / max(truth[place].abs_upper(), arb(2) ** -2000)
        found[place] = min(float(distance), 1e300)
    return found


def has_decimals(inquiry: Inquiry) -> bool:
    """Whether a formula of the spec has a number that float64 rounds: 0.1."""
    return any(not dyadic(x) for x in _literals(inquiry))


def excuse(inquiry: Inquiry) -> str:
    """Why the claim may be right though it is off by rounding: what it is written with, or where it holds."""
    if any(digits(x) >= PRINTED for x in _literals(inquiry)):
        return "its numbers are printed to float64's digits"
    tied = [i.domain.kind for i in inquiry.spec.inputs if i.domain.kind in CONSTRAINED]
    return f"its input is {CONSTRAINED[tied[0]]}, up to rounding" if tied else ""


def _literals(inquiry: Inquiry) -> list[float]:
    """The floats that the formulas of the spec are written with."""
    programs = [inquiry.spec.function, *(claim.program for claim in inquiry.spec.claims)]
    found = [n.value for p in programs for n in walk(p.tree) if isinstance(n, Const) and not n.name]
    return [x for x in found if type(x) is float]
