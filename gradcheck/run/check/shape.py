"""Is the rule right at the points of one shape? Values, slopes, cotangents, suspicions, one tally a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from gradcheck.cases.planting import Tried
from gradcheck.judge.budgets import RESTLESS
from gradcheck.judge.cells import Kind
from gradcheck.judge.telling import told_apart
from gradcheck.oracles.blackbox.asked import flat
from gradcheck.oracles.isolation.watch import Fatal, Unasked
from gradcheck.run.check.basis import basis
from gradcheck.run.check.compare import measure, suspects_at
from gradcheck.run.check.hearing import confirm, hear
from gradcheck.run.check.judging import Judging, Row, seen
from gradcheck.run.check.screen import screen, split
from gradcheck.run.check.suspects import Court, Ruling, unflattened
from gradcheck.run.check.unrest import PROBED, Apart, Unrest, most_apart

SHORT = 200  # characters of a point in a sentence


def judge_shape(judging: Judging, tried: Sequence[Tried]) -> None:
    """Fill the tallies of value, shape, reverse, kinks, nonfinite and precision."""
    judging.asked.turn("value")
    _evaluate(judging, tried)
    if not judging.points:
        return
    judging.asked.turn("reverse")
    shapes = [np.shape(x) for x in judging.points[0].inputs]
    ways = basis(judging.givens, shapes, judging.moving)
    judging.court = Court(judging.asked, ways, judging.domains, judging.moving, judging.seed)
    full, screened = split(judging, len(ways))
    _listen(judging)
    measure(judging, full)
    known = np.array([np.abs(judging.slopes[p].center).max(axis=1, initial=0.0) for p in full])
    judging.court.usual = np.median(known, axis=0)
    usual = [
        np.abs(flat(v)).max(initial=0.0) for v, x in zip(judging.values, judging.points, strict=True) if not x.extreme
    ]
    judging.court.largest = float(np.median([v for v in usual if v > 0] or [0.0]))
    confirm(judging)
    rng = np.random.default_rng([judging.seed, 7])
    suspects = [s for p in full for s in suspects_at(judging, p, rng)]
    hear(judging, suspects)
    if not judging.accused:
        screen(judging, screened, rng)


def _listen(judging: Judging) -> None:
    """Whether repeated calls give the same: a difference that may be is told, and allowed for; more is wrong."""
    rng = np.random.default_rng([judging.seed, 29])
    drawn = [p for p, x in enumerate(judging.points) if x.origin in ("drawn", "sampled") and not x.outside][:PROBED]
    cts = [np.round(rng.normal(0.0, 1.0, flat(judging.values[p]).size), 2) + 0.25 for p in drawn]
    here = [(judging.points[p].inputs, unflattened(ct, judging.values[p])) for p, ct in zip(drawn, cts, strict=True)]
    values = most_apart([partial(judging.asked.value, inputs) for inputs, _ in here])
    gradients = most_apart([partial(judging.asked.vjp, inputs, ct) for inputs, ct in here])
    judging.court.unrest = Unrest(values.share, gradients.share).excused
    for cell, what, found in (("value", "the function", values), ("repeat", "the gradient", gradients)):
        if 0 < found.share <= RESTLESS:
            share = f"{found.share:.1g} of its largest number"
            text = f"{what} differs from call to call by up to {share}, as float32's rounding may"
            judging.tallies[cell].show(Kind.RESTLESS, text)
        elif found.share > RESTLESS:
            _unruly(judging, cell, drawn[found.point], cts[found.point], found)
            judging.accused |= cell == "repeat" and cell in judging.cells  # nobody can say which number is right


def _unruly(judging: Judging, cell: str, p: int, ct: Row, found: Apart) -> None:
    """A number that is another one in another call."""
    judging.tallies[cell].add(1)
    low, high = told_apart(found.low, found.high)
    if cell == "value":
        text = f"the function gives {high} at a point where it gives {low} in another call"
        shown = replace(seen(judging, p, 0, ct, found.high, None), way="value")
    else:
        e = next(
            e for e, d in enumerate(judging.court.basis) if d.which == found.which and d.element in (found.index, None)
        )
        ruling = Ruling(Kind.WRONG, found.low, 0.0, "in another call")
        shown = replace(seen(judging, p, e, ct, found.high, ruling), index=found.index, along=(), way="again")
        text = f"the gradient of {shown.place} is {high}, but {low} in another call"
    judging.tallies[cell].show(Kind.WRONG, text, shown)


def _evaluate(judging: Judging, tried: Sequence[Tried]) -> None:
    """Keep the points at which the function gives finite numbers, of one shape."""
    for point in tried:
        try:
            values = judging.asked.value(point.inputs)
            row = flat(values)
        except Fatal as error:
            _fatal_value(judging, point, error)
            continue
        except Exception as error:  # the code under test may raise anything
            judging.raised = judging.raised or f"{type(error).__name__}: {error}"
            judging.refused.append((point, error))
            judging.dropped += not point.outside
            continue
        same = not judging.values or [np.shape(v) for v in values] == [np.shape(v) for v in judging.values[0]]
        if same and np.isfinite(row).all():
            judging.points.append(point)
            judging.values.append(values)
            judging.asked.outputs = row.size
            judging.tallies["value"].add(row.size)
        else:
            judging.dropped += not point.outside


def _fatal_value(judging: Judging, point: Tried, error: Fatal) -> None:
    """The function ended the process, or as good as that, where a number was to be had from it."""
    judging.raised = judging.raised or str(error)
    tally = judging.tallies["value"]
    if isinstance(error, Unasked):
        tally.silence = str(error)
        return
    at = ", ".join(f"{n} = {np.asarray(x).tolist()}" for n, x in zip(judging.names, point.inputs, strict=True))
    if point.outside:
        judging.asked.watch.excuse()
    tally.show(Kind.OUTSIDE if point.outside else Kind.CRASHED, f"{error} (at {at[:SHORT]})")
