"""Does a mutant mean the same as the original? By algebra, which proves it; or as far as points can tell."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck.expr import Program
from gradcheck.expr.mutations import Facts
from gradcheck.expr.normal import same
from gradcheck.spec import Case, Claim

BY_ALGEBRA = "the same by algebra, wherever both are defined"


def why_equivalent(claim: Claim, program: Program, cases: Sequence[Case], facts: Facts) -> str:
    """How it is known that a changed claim means the same; an empty string where it is not known."""
    if same(claim.program.tree, program.tree, facts):  # type: ignore[arg-type]  # claims are formulas, no blocks
        return BY_ALGEBRA
    return ""
