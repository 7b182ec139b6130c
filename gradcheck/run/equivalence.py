"""Does a mutant mean the same as the original? By algebra, which proves it; or as far as enclosed points can tell.

Where a function has a kink no derivative is the only right one: a mutant that differs at kinks alone, and keeps inside
the hull of the one-sided derivatives there, is as right as the original.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import EvaluationError, ExpressionError
from gradcheck.expr import Program, parse_formula
from gradcheck.expr import nodes as n
from gradcheck.expr.mutations import Facts
from gradcheck.expr.normal import same, same_but_for
from gradcheck.oracles import Evidence, Testimony
from gradcheck.oracles.claim_nodes import holds
from gradcheck.spec import Case, Claim, Spec

BY_ALGEBRA = "the same by algebra, wherever both are defined"
BY_DOMAIN = "the same by algebra: they differ only where the domain forbids"
BY_POINTS = "equal to 100 bits at every point that was enclosed"
AT_KINKS = "equal to 100 bits at every point that was enclosed, but for kinks, where another value is as right"
NOT_REACHED = "no point reaches what was changed"
DIFFERENT, OPEN = "an enclosure proves that it differs", "an enclosure leaves open whether it differs"
MOST_POINTS = 16  # of a case that are enclosed, and as many at which the change can show
Rows = NDArray[np.intp]
Said = Mapping[str, Testimony]
Heard = Sequence[tuple[Case, Said]]


def why_equivalent(claim: Claim, program: Program, reach: str, heard: Heard, facts: Facts) -> tuple[str, str]:
    """(how it is known that a changed claim means the same, why it is not known); one of them is empty.

    reach: the condition under which the change can show at all, "" for always: where no point fulfils it, that points
    agree says nothing. heard: every case with what the witnesses said that the changed claim has passed already.
    """
    if same(claim.program.tree, program.tree, facts):  # type: ignore[arg-type]  # claims are formulas, no blocks
        return BY_ALGEBRA, ""
    if same_but_for(claim.program.tree, program.tree, excluded(heard[0][0].spec), facts):  # type: ignore[arg-type]
        return BY_DOMAIN, ""
    chosen = [(case, said, rows) for case, said in heard if (rows := _chosen(case, reach, claim)) is not None]
    if not chosen:
        return "", NOT_REACHED
    return _by_points(claim, program, chosen)


def _by_points(claim: Claim, program: Program, chosen: Sequence[tuple[Case, Said, Rows]]) -> tuple[str, str]:
    from gradcheck.oracles.claim_balls import agreement

    points, kinks = sum(len(rows) for _, _, rows in chosen), 0
    for case, said, rows in chosen:
        try:
            found = agreement(case, claim, program, rows)
        except EvaluationError as error:
            return "", f"not enclosed: {error}"
        but = ~found.equal & _kinked(case, said)[rows]
        if (~found.equal & ~but).any():
            return "", DIFFERENT if found.different.any() else OPEN
        kinks += int(but.sum())
    return f"{AT_KINKS} ({points} points, {kinks} kinks)" if kinks else f"{BY_POINTS} ({points} points)", ""


def _chosen(case: Case, reach: str, claim: Claim) -> Rows | None:
    """The points to enclose: some of all kinds, and of those at which the change can show; None where it cannot."""
    some = _some(np.arange(case.points))
    if not reach:
        return some
    try:
        shows = np.flatnonzero(holds(parse_formula(reach, claim.program.allowed), case))
    except ExpressionError:
        return None
    return np.union1d(some, _some(shows)) if shows.size else None


def _some(rows: Rows) -> Rows:
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_POINTS)).astype(np.intp))]


def excluded(spec: Spec) -> list[n.Node]:
    """What holds in the whole domain: the inputs' predicates, and that nothing lies on an open bound."""
    found: list[n.Node] = []
    for i in spec.inputs:
        if i.domain.predicate is not None and not isinstance(i.domain.predicate.tree, tuple):
            found.append(i.domain.predicate.tree)
        for bound, open_ in ((i.domain.low, i.domain.low_open), (i.domain.high, i.domain.high_open)):
            if open_ and isfinite(bound) and i.domain.kind == "real":
                found.append(n.Call("not_equal", (n.Name(i.name), n.Const(bound))))
    return found


def _kinked(case: Case, said: Said) -> NDArray[np.bool_]:
    """The points (B,) at which the differences found a kink."""
    found = np.zeros(case.points, dtype=bool)
    measured = said.get("differences")
    for answer in measured.answers.values() if isinstance(measured, Evidence) else ():
        if answer.kink is not None:
            found |= answer.kink.reshape(case.points, -1).any(axis=1)
    return found
