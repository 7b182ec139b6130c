"""How thoroughly was a function tried? Where points came from, what was refused, which branches no point took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases import Tally, visits
from gradcheck.oracles.inquiry import SECOND_ORDER
from gradcheck.run.outcome import Branch, Covered, Statistics
from gradcheck.run.plain import number
from gradcheck.spec import Case, Spec, many

Array = NDArray[np.float64]
# From this share of refused points on, drawing meets a domain by luck. One point in ten left over is still hundreds of
# draws a case, of which a batch is filled; what an author gains from an interval only then outweighs a note.
MOSTLY = 0.9


def statistics_of(spec: Spec, cases: Sequence[Case], tally: Tally, moves: bool) -> Statistics:
    """What the cases of one function, and the drawing of them, come to. moves: whether any derivative is not zero."""
    exact = [case for case in cases if case.dtype == "float64"]
    seen = visits(spec, exact)
    narrow = Counter({case.dtype: 0 for case in cases if case.dtype != "float64"})
    for case in cases:
        if case.dtype != "float64":
            narrow[case.dtype] += case.points
    numbers = {
        i.name: np.concatenate([c.inputs[i.name].reshape(-1) for c in exact] or [np.zeros(0)]) for i in spec.inputs
    }
    sizes = {tuple(sorted(case.sizes.items())): dict(case.sizes) for case in exact if case.sizes}
    return Statistics(
        origins=dict(Counter(origin for case in exact for origin in case.origins)),
        narrow=dict(narrow),
        drawn=tally.drawn,
        refused={reason: count for reason, count in tally.refused.most_common() if count},
        sizes=tuple(sizes.values()),
        inputs={name: _covered(values) for name, values in numbers.items()},
        branches=len(seen.sides),
        never=tuple(Branch(side.of, side.line, side.text) for side in seen.sides if not side.points),
        warnings=(
            *_of_many(spec, exact),
            *_of_drawing(exact, tally),
            *_of_inputs(spec, exact, numbers),
            *_of_values(exact, seen.values, moves),
        ),
        empty=dict(tally.empty),
    )


def nothing_found(tally: Tally) -> str:
    """Why a function has no case: which domains refused how many of the points drawn."""
    if not tally.drawn:
        return "no point was tried: the phases that are switched on give none"
    whys = [f"{count:,} by {reason}" for reason, count in tally.refused.most_common() if count]
    return f"no point of the domain was found: of {tally.drawn:,} drawn were refused {', '.join(whys) or 'all'}"


def _covered(values: Array) -> Covered:
    finite = np.unique(values)
    if not finite.size:
        return Covered(0, None, None)
    return Covered(int(finite.size), number(float(finite[0])), number(float(finite[-1])))


def _of_many(spec: Spec, cases: Sequence[Case]) -> list[str]:
    """What is not asked where a point holds very many numbers."""
    here = [case for case in cases if many.is_many(spec, case.sizes)]
    if not here:
        return []
    most = max(many.numbers(spec, case.sizes) for case in here)
    second = ", second order not at all" if any(claim.kind in SECOND_ORDER for claim in spec.claims) else ""
    return [
        f"a point holds {most:,} numbers: only {sum(case.points for case in here)} points were judged, and differences "
        f"were taken along one direction each and by numbers in doubt, not by every number{second}"
    ]


def _of_drawing(cases: Sequence[Case], tally: Tally) -> list[str]:
    if not cases:
        return [nothing_found(tally)]
    return [
        f"{count / tally.drawn:.0%} of the points drawn were refused by {reason}: an interval that holds what is "
        "wanted, written before it and a comma, leaves more to try"
        if "overflows" not in reason
        else f"at {count / tally.drawn:.0%} of the points drawn the function overflows: a narrower domain leaves more"
        for reason, count in tally.refused.items()
        if tally.drawn and count / tally.drawn >= MOSTLY
    ]


def _of_inputs(spec: Spec, cases: Sequence[Case], numbers: Mapping[str, Array]) -> list[str]:
    points = sum(case.points for case in cases)
    return [
        f"{i.name} was {numbers[i.name][0]:g} at every one of {points:,} points"
        for i in spec.inputs
        if points > 1 and i.differentiable and numbers[i.name].size and np.ptp(numbers[i.name]) == 0
    ]


def _of_values(cases: Sequence[Case], values: Mapping[str, Array], moves: bool) -> list[str]:
    found = []
    points = sum(case.points for case in cases)
    for name, numbers in values.items() if points > 1 else ():
        which = "the function" if len(values) == 1 else f"the output {name}"
        known = numbers[~np.isnan(numbers)]
        if numbers.size and not known.size:
            found.append(f"{which} was no number at any of {points:,} points")
        elif known.size and np.all(known == known[0]) and not moves:
            found.append(f"{which} was {known[0]:g}, with no derivative but 0, wherever it was tried")
    return found


def statistics_from(data: Mapping[str, Any] | None) -> Statistics | None:
    """The statistics that `plain` wrote; None where a record has none, as those of older versions."""
    if data is None:
        return None
    fields = {
        **data,
        "sizes": tuple(data["sizes"]),
        "inputs": {name: Covered(**covered) for name, covered in data["inputs"].items()},
        "never": tuple(Branch(**branch) for branch in data["never"]),
        "warnings": tuple(data["warnings"]),
    }
    return Statistics(**fields)
