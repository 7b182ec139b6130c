"""Does the default profile visit every branch of the catalogue's branches of mathematics, but those told here?"""

from __future__ import annotations

import numpy as np

from gradcheck.cases import visits
from gradcheck.expr.choices import choices_of
from gradcheck.run.config import Config
from gradcheck.run.function import cases_of
from tests.specs.test_catalogue import catalogue

OUTSIDE = {  # what a function's own domain leaves out
    ("band", "x == 2"),
    ("band", "x == -3"),
    ("band", "not (not x == -3 and x != 2)"),
    ("outside_or_undefined", "not isfinite(x)"),
}


def test_every_branch_is_visited_but_those_that_the_domain_leaves_out():
    choosing = [s for s in catalogue() if any(map(choices_of, (s.function, *(c.program for c in s.claims))))]
    never, sides = set(), 0
    for spec in choosing:
        with np.errstate(all="ignore"):
            found = visits(spec, [case for case, _ in cases_of(spec, Config()) if case.dtype == "float64"]).sides
        sides += len(found)
        never |= {(spec.id, side.text) for side in found if not side.points}
    assert sides > 200 and len(choosing) > 40
    assert never == OUTSIDE
