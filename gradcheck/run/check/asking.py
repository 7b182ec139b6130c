"""How are two answers of one rule compared, and how is it told that they differ?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from gradcheck.judge.budgets import INACCURATE_UNITS, RESTLESS_RANGES, SAME_ANSWER, UNIT
from gradcheck.judge.cells import Kind
from gradcheck.judge.telling import told_apart
from gradcheck.oracles.blackbox.asked import Array, flat
from gradcheck.run.check.judging import Judging, Row, seen
from gradcheck.run.check.suspects import Ruling, unflattened

Gradients = Sequence[Array | None]


class Gap(NamedTuple):
    """A number that two answers have differently: its direction, both numbers, and its element (None: of the way)."""

    way: int
    got: float
    right: float
    element: tuple[int, ...] | None = None


def ask(judging: Judging, p: int, ct: Row) -> Gradients:
    return judging.asked.vjp(judging.points[p].inputs, unflattened(ct, judging.values[p]))


def apart(judging: Judging, p: int, ct: Row, one: Gradients, other: Gradients) -> Gap | None:
    """The direction at which two answers differ by more than rounding of their largest number, and both numbers.

    Where all of them is rounding (a gradient that is zero), what rounding of the values explains is no difference, nor
    is rounding of a usual gradient (where a cotangent cancels against its mean).
    """
    values = float(np.abs(ct * flat(judging.values[p])).sum())
    slopes = judging.court.usual[np.isfinite(judging.court.usual)]
    common = float(np.abs(ct).max(initial=0.0) * slopes.max(initial=0.0))
    for k in judging.moving:
        a, b = np.asarray(one[k], dtype=float), np.asarray(other[k], dtype=float)
        if a.shape != b.shape:
            return next(Gap(e, np.nan, np.nan) for e, d in enumerate(judging.court.basis) if d.which == k)
        size = max(np.abs(a[np.isfinite(a)]).max(initial=0.0), np.abs(b[np.isfinite(b)]).max(initial=0.0))
        with np.errstate(all="ignore"):
            length = np.abs(np.asarray(judging.points[p].inputs[k], dtype=float))
            usual = float(np.median(length[length > 0])) if (length > 0).any() else 1.0
            unrest = RESTLESS_RANGES * judging.court.unrest.gradients
            allowed = (SAME_ANSWER + unrest) * size + INACCURATE_UNITS * UNIT * (values / usual + common)
            differ = ~((np.abs(a - b) <= allowed) | (np.isnan(a) & np.isnan(b)) | (a == b))
        if differ.any():
            where = tuple(max(np.argwhere(differ).tolist(), key=lambda i: abs(a[tuple(i)] - b[tuple(i)])))
            for e, d in enumerate(judging.court.basis):
                if d.which == k and (d.element in (where, None)):
                    return Gap(e, float(a[where]), float(b[where]), where)
    return None


def same_values(judging: Judging) -> float:
    """The share of its largest number by which the function's values may differ where they are to be the same."""
    return SAME_ANSWER + RESTLESS_RANGES * judging.court.unrest.values


def told(
    judging: Judging, cell: str, p: int, ct: Row, found: Gap | None, how: str, way: str,
    beside: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Count a comparison of two answers, and tell a difference; way, beside: by which calls it shows (`Seen`)."""
    tally = judging.tallies[cell]
    tally.add(1)
    if found is None:
        return
    ruling = Ruling(Kind.WRONG, found.right, 0.0, "the rule's own answers")
    here = replace(seen(judging, p, found.way, ct, found.got, ruling), way=way, beside=beside or {})
    if found.element is not None:
        here = replace(here, index=found.element, along=())
    one, other = told_apart(found.got, found.right)
    text = f"the gradient of {here.place} is {one}, but {other} {how}"
    tally.show(Kind.WRONG, text, here)
