"""Does an error come and go with the last digits of the inputs? Then it is rounding; a wrong rule errs steadily.

Asked below float64 only, and only of a witness that is found to be wrong there: the difference of two large squares in
float32 jumps by its own size when the inputs move by a unit in the last place, a wrong factor or a constant rounded to
half the digits does not. The point itself is left out, so that nothing is excused at a kink.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradcheck.oracles.evidence import Array, Evidence
from gradcheck.oracles.hearing import Hearing
from gradcheck.oracles.inquiry import Inquiry
from gradcheck.spec.case import Case

Tremors = Mapping[str, Mapping[str, Array]]


def tremors(nearby: Sequence[Case], witnesses: Sequence[str], allowed: Sequence[str] | None) -> Tremors:
    """How far apart each witness's errors are, a few units in the last place away: witness -> quantity -> (B, …).

    nearby: the case with its inputs moved, point by point.
    """
    errors: dict[str, dict[str, list[Array]]] = {name: {} for name in witnesses}
    for case in nearby:
        hearing = Hearing(Inquiry(case), allowed)
        truth = hearing.one("engine")
        for name in witnesses:
            said = hearing.titled(name)
            if isinstance(said, Evidence) and isinstance(truth, Evidence):
                for quantity, measured in said.answers.items():
                    known = truth.answers.get(quantity)
                    if known is not None and known.center.shape == measured.center.shape:
                        errors[name].setdefault(quantity, []).append(measured.center - known.center)
    return {name: {q: _spread(found) for q, found in each.items()} for name, each in errors.items()}


def _spread(errors: Sequence[Array]) -> Array:
    """The range of the errors; where one is not a number, none is known."""
    with np.errstate(all="ignore"):
        found = np.max(errors, axis=0) - np.min(errors, axis=0)
    return np.asarray(np.where(np.isfinite(found), found, 0.0))
