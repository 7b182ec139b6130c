"""Is the rule right at the points of one shape? Values, slopes, cotangents, suspicions, one tally a cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcheck.cases.planting import Tried
from gradcheck.judge.cells import Kind
from gradcheck.oracles.blackbox import flat
from gradcheck.oracles.watch import Fatal, Unasked
from gradcheck.run.check_basis import basis
from gradcheck.run.check_compare import measure, suspects_at
from gradcheck.run.check_hearing import confirm, hear
from gradcheck.run.check_judging import Judging
from gradcheck.run.check_screen import screen, split
from gradcheck.run.check_suspects import Court

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
