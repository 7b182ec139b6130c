"""Is a gradient one that f has at a kink? One in the convex hull of the gradients of the pieces that meet there.

The whole gradient is asked at once, over all elements of all inputs: at a tie of two, (1, 0), (0, 1) and (1/2, 1/2) are
gradients of the maximum, (1, 1) and (0, 0) are not, though every element of these is between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.optimize import nnls

from gradcheck.judge.blame import Blame
from gradcheck.judge.budgets import HULL_ROUNDING, safety
from gradcheck.judge.compare import Array, Comparison, Mask, Party
from gradcheck.oracles.evidence import Evidence, Pieces, Testimony
from gradcheck.oracles.pieces import answers
from gradcheck.spec.case import Case

UNCONVENTIONAL = frozenset({"certified", "differences"})  # they give enclosures and slopes along the coordinates
SHOWN = 6  # numbers of an array that a sentence shows
FIXED_SUM = 64.0  # how much more than an element the sum of the weights counts in the least squares


class Sets:
    """The pieces of a case, and which party's gradient lies in their hull."""

    def __init__(self, said: Mapping[str, Testimony]) -> None:
        claim = said["claim"]
        self.said = said
        self.pieces = {p.row: p for p in claim.pieces} if isinstance(claim, Evidence) else {}
        self._known: dict[tuple[str, int], bool | None] = {}

    def holds(self, witness: str, row: int) -> bool | None:
        """Whether a party's gradient at a point is one of f's; None where the party gives no finite one."""
        if (witness, row) not in self._known:
            pieces, within = self.pieces[row], None
            told = answers(self.said, witness, pieces.names, row)
            if told is not None and len(pieces.gradients) and np.isfinite(told[0]).all():
                within = told[0].size == pieces.slack.size and inside(pieces, told[0], safety(witness) * told[1])
            self._known[witness, row] = within
        return self._known[witness, row]

    def judged(self, result: Comparison, witness: str, ours: Party, theirs: Party) -> Comparison:
        """The comparison of vjps with the points that have pieces judged by their hull.

        Where gradients have no limit, a declared convention is honoured and NaN told apart from wrong. The slopes along
        the coordinates, which the differences measure, need not be a gradient at a tie: they decide nothing there.
        """
        states = (result.agrees, result.wrong, result.inaccurate, result.undecided)
        agrees, wrong, inaccurate, undecided = (np.array(mask) for mask in states)
        for row, pieces in self.pieces.items():
            one, other = self.holds("claim", row), self.holds(witness, row)
            excused = wrong[row] & (ours.kink[row] | np.isnan(theirs.center[row])) & (len(pieces.gradients) == 0)
            if witness == "differences":
                excused = wrong[row] & bool(one)
            wrong[row], undecided[row] = wrong[row] & ~excused, undecided[row] | excused
            if one and other:
                agrees[row], wrong[row], inaccurate[row], undecided[row] = True, False, False, False
            elif {one, other} == {True, False} and witness != "differences":
                apart = ~(result.gap[row] <= result.joint[row])
                agrees[row], wrong[row], inaccurate[row], undecided[row] = ~apart, apart, False, False
        return replace(result, agrees=agrees, wrong=wrong, inaccurate=inaccurate, undecided=undecided)

    def along(self, result: Comparison, ours: Party, case: Case) -> Comparison:
        """The comparison of derivatives along the tangents with the differences, at the points that have pieces.

        Where three elements tie for the middle one, moving one of them moves nothing, either way: the slope is 0 and no
        gradient's. What the claim says there is held against the pieces, and the differences decide nothing.
        """
        wrong, undecided = np.array(result.wrong), np.array(result.undecided)
        for row in self.pieces:
            if wrong[row].any() and self._pushes(row, ours, case):
                wrong[row], undecided[row] = False, undecided[row] | wrong[row]
        return replace(result, wrong=wrong, undecided=undecided)

    def _pushes(self, row: int, ours: Party, case: Case) -> bool:
        """Whether <ct, jvp> is between what the pieces at a point make of the tangents; so it is where several outputs
        share the pieces, or gradients have no limit: it cannot be said there."""
        pieces = self.pieces[row]
        if len(case.cotangents) != 1 or not len(pieces.gradients):
            return True
        (ct,) = case.cotangents.values()
        whole = ours.center.shape == ct.shape
        weight = ct[row] if whole else np.ones(ours.center.shape[1:])  # or it is paired with ct already
        told, bar = float(np.sum(weight * ours.center[row])), float(np.sum(np.abs(weight) * ours.bar[row]))
        tangent = np.concatenate([np.ravel(case.tangents[n][row]) for n in pieces.names])
        along = pieces.gradients @ tangent
        allowed = float(pieces.slack @ np.abs(tangent)) + bar
        return bool(along.min() - allowed <= told <= along.max() + allowed)

    def blame(self, row: int, witness: str, name: str) -> Blame | None:
        """Which of the claim and a witness gives a gradient that f has not; None where that is not the question."""
        if row not in self.pieces or {self.holds("claim", row), self.holds(witness, row)} != {True, False}:
            return None
        accused = "claim" if not self.holds("claim", row) else name
        many = len(self.pieces[row].gradients)
        return Blame(accused, f"{accused} is outside the hull of the gradients of the {many} pieces that meet there")


def conventions(case: Case, said: Mapping[str, Testimony]) -> str:
    """What every party answers at the first point where pieces meet, in one sentence; "" where there is none.

    Cotangents of zero show nothing, so a point with another one is looked for.
    """
    for row, pieces in Sets(said).pieces.items():
        told = {name: answers(said, name, pieces.names, row) for name in said if name not in UNCONVENTIONAL}
        if any(pair is not None and (np.nan_to_num(pair[0], nan=1.0) != 0).any() for pair in told.values()):
            where = ", ".join(f"{name} = {_shown(case.inputs[name][row])}" for name in pieces.names)
            along = ", ".join(f"{_named(o, case)} = {_shown(ct[row])}" for o, ct in case.cotangents.items())
            many = f"{len(pieces.gradients)} pieces meet" if len(pieces.gradients) else "gradients have no limit"
            each = ", ".join(f"{name} answers {_shown(pair[0])}" for name, pair in told.items() if pair is not None)
            return f"{many} at {where} ({along}): {each}"
    return ""


def _named(output: str, case: Case) -> str:
    return "ct" if len(case.cotangents) == 1 else f"ct_{output}"


def _shown(array: Array) -> str:
    flat = [f"{float(v):.6g}" for v in np.ravel(array)[:SHOWN]] + ["…"] * (np.size(array) > SHOWN)
    return flat[0] if np.size(array) == 1 else f"[{', '.join(flat)}]"


def inside(pieces: Pieces, gradient: Array, bar: Array) -> bool:
    """Whether a gradient (N,), known to within `bar`, lies in the convex hull of the pieces' gradients."""
    allowed = pieces.slack + bar
    if _near(pieces.gradients, gradient, allowed).all(axis=1).any():
        return True
    size = np.maximum(np.max(np.abs(pieces.gradients), axis=0), np.abs(gradient))
    size = np.where(size > 0, size, 1.0)
    matrix = np.vstack([(pieces.gradients / size).T, np.full(len(pieces.gradients), FIXED_SUM)])
    weights, _ = nnls(matrix, np.append(gradient / size, FIXED_SUM))
    if not weights.sum() > 0:
        return False
    nearest = (weights / weights.sum()) @ pieces.gradients
    return bool(_near(nearest, gradient, allowed + HULL_ROUNDING * size).all())


def _near(a: Array, b: Array, allowed: Array) -> Mask:
    return np.asarray(np.abs(a - b) <= allowed)
