"""Which branches of a function and of its claims do some cases visit? One more evaluation of each in NumPy tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.build import outputs
from gradcheck.expr import NUMPY, Batch, Batched, Program, by_branch
from gradcheck.expr.choices import Choice, choices_of
from gradcheck.expr.watching import Watched
from gradcheck.spec.case import Case
from gradcheck.spec.model import Spec

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Side:
    """One side of one choice. of: "" for the function, else the claim; line: of a code block, 0 in a formula.

    points: how many took it, with any element.
    """

    of: str
    line: int
    text: str
    points: int


@dataclass(frozen=True, slots=True)
class Visits:
    """Every side of every choice, and the function's values: output -> one array of all numbers."""

    sides: tuple[Side, ...]
    values: dict[str, Array]


def visits(spec: Spec, cases: Sequence[Case]) -> Visits:
    """What the cases visit of a function and of its claims. A claim that cannot be evaluated visits nothing more."""
    claims = [(f"{c.kind.value} of {c.of}" if c.of else c.kind.value, c.program) for c in spec.claims]
    parts = [("", spec.function), *claims]
    choices = [choices_of(program) for _, program in parts]
    counts = [[np.zeros(len(c.sides), dtype=int) for c in found] for found in choices]
    values: dict[str, list[Array]] = {o: [] for o in spec.outputs}
    for case in cases:
        watched = [Watched(found, case.points) for found in choices]
        here = outputs(spec, case.inputs, case.sizes, watched[0].control)
        for name, value in here.items():
            values[name].append(value.reshape(-1))
        for (_, program), one in zip(parts[1:], watched[1:], strict=True):
            if one.choices:
                _claim(program, case, here, one)
        for total, one in zip(counts, watched, strict=True):
            for number, mask in zip(total, one.masks, strict=True):
                number += mask.sum(axis=1)
    sides = [_sides(of, f, c) for (of, _), f, c in zip(parts, choices, counts, strict=True)]
    joined = {o: np.concatenate(v) if v else np.zeros(0) for o, v in values.items()}
    return Visits(tuple(side for some in sides for side in some), joined)


def _sides(of: str, choices: Sequence[Choice], counts: Sequence[NDArray[np.int_]]) -> list[Side]:
    """Each statement once in a formula, where a subexpression stands as often as its author wrote it."""
    found: dict[tuple[int, str], int] = {}
    for choice, number in zip(choices, counts, strict=True):
        for text, points in zip(choice.sides, number, strict=True):
            found[choice.line, text] = max(found.get((choice.line, text), 0), int(points))
    return [Side(of, line, text, points) for (line, text), points in found.items()]


def _claim(program: Program, case: Case, values: dict[str, Array], watched: Watched) -> None:
    spec = case.spec
    named = {**case.inputs, **values, **{f"t_{name}": t for name, t in case.tangents.items()}}
    single = len(spec.outputs) == 1
    named |= {"ct" if single else f"ct_{o}": ct for o, ct in case.cotangents.items()}

    def run(rows: NDArray[np.intp]) -> None:
        env: dict[str, Any] = {name: Batched(array[rows]) for name, array in named.items()}
        program(Batch(NUMPY), {**env, **case.sizes}, watched.control(rows))

    with np.errstate(all="ignore"):
        try:
            by_branch(run, np.arange(case.points))
        except Exception:  # a claim that fails at some point: the claim's own witness says so
            return
