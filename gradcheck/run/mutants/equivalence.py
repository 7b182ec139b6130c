"""Does a mutant mean the same as the original? By algebra, which proves it; or as far as enclosed points can tell.

Where a function has a kink no derivative is the only right one: a mutant that differs at kinks alone, and keeps inside
the hull of the one-sided derivatives there, is as right as the original.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.errors import EvaluationError, ExpressionError
from gradcheck.expr import Program, parse_formula
from gradcheck.expr import nodes as n
from gradcheck.expr.mutants import Mutant
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


@dataclass(frozen=True, slots=True)
class Original:
    """A claim, the cases at which it was judged with what the witnesses said, and what its parts come to."""

    claim: Claim
    heard: Heard
    facts: Facts
    enclosed: dict[int, Any] = field(default_factory=dict)  # case number -> the claim in balls

    def why_same(self, program: Program, mutant: Mutant) -> tuple[str, str]:
        """(how it is known that a changed claim means the same, why it is not known); one of them is empty.

        The witnesses have let the changed claim pass.
        """
        ours, theirs = self.claim.program.tree, program.tree
        if same(ours, theirs, self.facts):  # type: ignore[arg-type]  # claims are formulas, no blocks
            return BY_ALGEBRA, ""
        if same_but_for(ours, theirs, excluded(self.heard[0][0].spec), self.facts):  # type: ignore[arg-type]
            return BY_DOMAIN, ""
        return self._by_points(program, mutant)

    def _by_points(self, program: Program, mutant: Mutant) -> tuple[str, str]:
        from gradcheck.oracles.balls import claims as claim_balls

        points, kinks, shown = 0, 0, False
        for k, (case, said) in enumerate(self.heard):
            rows, shows = _chosen(case, mutant.reach, self.claim)
            if not rows.size:
                continue
            original = self.enclosed.setdefault(k, claim_balls.Original(case, self.claim))
            try:
                found = claim_balls.agreement(original, program, rows)
            except EvaluationError as error:
                return "", f"not enclosed: {error}"
            kinked = _kinked(case, said)
            but = ~found.equal & kinked[rows]
            if (~found.equal & ~but).any():
                return "", DIFFERENT if found.different.any() else OPEN
            points, kinks = points + len(rows), kinks + int(but.sum())
            shown |= bool((~kinked[shows]).any())
        if not points or not (shown or mutant.kind == "comparison"):  # `<` for `<=` shows at ties alone
            return "", NOT_REACHED
        return f"{AT_KINKS} ({points} points, {kinks} kinks)" if kinks else f"{BY_POINTS} ({points} points)", ""


def _chosen(case: Case, reach: str, claim: Claim) -> tuple[Rows, Rows]:
    """The points to enclose, some of all kinds; and those among them at which a change can show. None without these.

    reach: the condition under which it can show at all; "" for everywhere.
    """
    some = _some(np.arange(case.points))
    if not reach:
        return some, some
    try:
        shows = _some(np.flatnonzero(holds(parse_formula(reach, claim.program.allowed), case)))
    except ExpressionError:
        return some[:0], some[:0]
    return (np.union1d(some, shows), shows) if shows.size else (shows, shows)


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
