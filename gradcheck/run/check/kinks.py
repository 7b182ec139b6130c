"""Is a gradient at a kink one of those that may stand there? Coordinates alone would let pass a tie counted twice.

Along any direction the gradient must lie between the slopes of the pieces that meet; one-sided slopes at the point
itself are such slopes, and so are those of nearby points, which are only sampled where somebody would be accused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge.budgets import INACCURATE_UNITS, RESTLESS_RANGES, UNIT
from gradcheck.judge.cells import Kind
from gradcheck.judge.slopes import contract
from gradcheck.judge.telling import ONE_SIDED, interval
from gradcheck.oracles.blackbox.asked import flat
from gradcheck.oracles.blackbox.slopes import along
from gradcheck.run.check.judging import Judging, cotangents, seen
from gradcheck.run.check.suspects import Ruling, unflattened

SHOWN = 1  # wrong numbers, after which no further point is looked at
AT_MOST = 40  # points with kinks that are looked at
DIRECTIONS = 3
COTANGENTS = 3
Row = NDArray[np.float64]


def judge_kinks(judging: Judging) -> None:
    """Fill the tally `kinks`."""
    rng = np.random.default_rng([judging.seed, 11])
    points = [p for p in judging.kinked if not judging.points[p].extreme]
    for p in sorted(points, key=lambda p: judging.points[p].outside)[:AT_MOST]:
        if judging.tallies["kinks"].counts.get(Kind.WRONG, 0) < SHOWN:
            _at(judging, p, rng)
    if not judging.kinked:
        judging.tallies["kinks"].silence = "no point with a kink was met"


def _at(judging: Judging, p: int, rng: np.random.Generator) -> None:
    point = judging.points[p]
    steps = list(_directions(judging, point.inputs, rng))
    slopes = [along(judging.asked, point.inputs, step, judging.seed) for step in steps]
    for count, ct in enumerate(cotangents(rng, flat(judging.values[p]).size)):
        if count >= COTANGENTS:
            break
        try:
            gradients = judging.asked.vjp(point.inputs, unflattened(ct, judging.values[p]))
        except Exception:  # told by the cell `reverse`
            return
        if any(np.shape(np.asarray(gradients[k])) != np.shape(point.inputs[k]) for k in judging.moving):
            return
        for step, slope in zip(steps, slopes, strict=True):
            if judging.tallies["kinks"].counts.get(Kind.WRONG, 0) >= SHOWN:
                return
            parts = [np.asarray(gradients[k], float) * step[k] for k in judging.moving]
            terms = np.concatenate([np.ravel(part) for part in parts])
            answer, size = float(terms.sum()), float(np.abs(terms).sum())
            measured = contract(slope.center[0], slope.bar[0], slope.kink[0], ct)
            if not np.isfinite(answer):
                continue
            slack = INACCURATE_UNITS * UNIT * (size + float(measured.terms[0]))
            slack += RESTLESS_RANGES * judging.court.unrest.gradients * len(terms) * size
            _judge(judging, p, step, ct, answer, float(measured.center[0]), float(measured.bar[0]), slack)


def _judge(
    judging: Judging, p: int, step: Sequence[Row | None], ct: Row, answer: float, center: float, bar: float,
    slack: float,
) -> None:  # fmt: skip
    tally, outside = judging.tallies["kinks"], judging.points[p].outside
    if not np.isfinite(bar):
        tally.add(0 if outside else 1, 0 if outside else 1)
        return
    if abs(answer - center) > bar + slack:
        inputs = judging.points[p].inputs
        low, high, torn = judging.court.hull(inputs, None, ct, answer, steps=step)
        low, high = min(low, center - bar), max(high, center + bar)
        # without pieces of their own, the smooth slope along the direction stands as the ladder read it
        outside_of = (torn or np.isfinite(low + high)) and not low - slack <= answer <= high + slack
        if outside_of and not judging.court.smooth(inputs, step):  # else the cell `reverse` has judged it
            ruling = Ruling(Kind.WRONG, (low + high) / 2, (high - low) / 2, ONE_SIDED)
            _accuse(judging, p, step, ct, answer, ruling)
    tally.add(not outside)


def _accuse(judging: Judging, p: int, step: Sequence[Row | None], ct: Row, answer: float, ruling: Ruling) -> None:
    named = "; ".join(
        f"{judging.names[k]} by {np.round(s, 2).tolist()}" for k, s in enumerate(step) if s is not None and s.any()
    )
    kind = Kind.OUTSIDE if judging.points[p].outside else Kind.WRONG
    ends = interval(ruling.center, ruling.bar)
    text = f"moving {named}, the gradient says {answer:.6g}; the pieces that meet say {' to '.join(ends)}"
    first = next(e for e, d in enumerate(judging.court.basis) if step[d.which] is not None)
    moved = {judging.names[k]: np.asarray(s).tolist() for k, s in enumerate(step) if s is not None}
    here = replace(seen(judging, p, first, ct, answer, ruling), way="along", beside=moved)
    judging.tallies["kinks"].show(kind, text, here)


def _directions(
    judging: Judging, inputs: Sequence[NDArray[np.generic]], rng: np.random.Generator
) -> Iterator[list[Row | None]]:
    """Ones, and random directions of two decimals, over all moving inputs; inside their sets."""
    for count in range(DIRECTIONS):
        step: list[Row | None] = [np.zeros(np.shape(x)) if k in judging.moving else None for k, x in enumerate(inputs)]
        for d in judging.court.basis:
            weight = 1.0 if count == 0 else float(np.round(rng.normal(), 2))
            whole = step[d.which]
            assert whole is not None
            step[d.which] = whole + weight * d.step
        yield step
