"""How are two answers of one rule compared, and how is it told that they differ?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcheck.judge.budgets import INACCURATE_UNITS, SAME_ANSWER, UNIT
from gradcheck.judge.cells import Kind
from gradcheck.oracles.blackbox import Array, flat
from gradcheck.run.check_judging import Judging, Row, seen
from gradcheck.run.check_suspects import Ruling, unflattened

Gradients = Sequence[Array | None]


def ask(judging: Judging, p: int, ct: Row) -> Gradients:
    return judging.asked.vjp(judging.points[p].inputs, unflattened(ct, judging.values[p]))


def apart(judging: Judging, p: int, ct: Row, one: Gradients, other: Gradients) -> tuple[int, float, float] | None:
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
            return next((e, np.nan, np.nan) for e, d in enumerate(judging.court.basis) if d.which == k)
        size = max(np.abs(a[np.isfinite(a)]).max(initial=0.0), np.abs(b[np.isfinite(b)]).max(initial=0.0))
        with np.errstate(all="ignore"):
            length = np.abs(np.asarray(judging.points[p].inputs[k], dtype=float))
            usual = float(np.median(length[length > 0])) if (length > 0).any() else 1.0
            allowed = SAME_ANSWER * size + INACCURATE_UNITS * UNIT * (values / usual + common)
            differ = ~((np.abs(a - b) <= allowed) | (np.isnan(a) & np.isnan(b)) | (a == b))
        if differ.any():
            where = max(np.argwhere(differ).tolist(), key=lambda i: abs(a[tuple(i)] - b[tuple(i)]))
            for e, d in enumerate(judging.court.basis):
                if d.which == k and (d.element in (tuple(where), None)):
                    return e, float(a[tuple(where)]), float(b[tuple(where)])
    return None


def told(judging: Judging, cell: str, p: int, ct: Row, found: tuple[int, float, float] | None, how: str) -> None:
    tally = judging.tallies[cell]
    tally.add(1)
    if found is None:
        return
    e, got, right = found
    ruling = Ruling(Kind.WRONG, right, 0.0, "the rule's own answers")
    here = seen(judging, p, e, ct, got, ruling)
    text = f"the gradient of {here.place} is {got:.6g}, but {right:.6g} {how}"
    tally.show(Kind.WRONG, text, here)
