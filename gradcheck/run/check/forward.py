"""Is the jvp what the slopes say, and the adjoint of the vjp?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.judge.budgets import INACCURATE_UNITS, RESTLESS_RANGES, SAME_ANSWER, UNIT
from gradcheck.judge.cells import Kind
from gradcheck.judge.slopes import State, compare_slopes, contract, typical_size
from gradcheck.oracles.blackbox.asked import Array, NotOffered, flat
from gradcheck.oracles.isolation.watch import Unasked, raised
from gradcheck.run.check.asking import ask
from gradcheck.run.check.compare import measure
from gradcheck.run.check.judging import Judging, Look, Row, cotangents, seen
from gradcheck.run.check.suspects import Ruling

SHOWN = 2  # wrong numbers, after which no further point is looked at
LOOKS = 24  # points that were only looked at along directions, at which the jvp is asked along them


def judge_forward(judging: Judging) -> None:
    """Fill the tallies forward and adjoint, where there is a jvp."""
    rng = np.random.default_rng([judging.seed, 17])
    for p, point in enumerate(judging.points):
        if point.outside or point.extreme or p not in judging.slopes:
            continue
        tangents = [np.round(rng.normal(0.0, 1.0, np.shape(point.inputs[k])), 2) for k in judging.moving]
        found = _asked(judging, p, tangents)
        if found is None:
            return
        _pushed(judging, p, tangents, found)
    looks = [x for x in judging.looks if not (judging.points[x.point].outside or judging.points[x.point].extreme)]
    for look in looks[:: max(1, len(looks) // LOOKS)][:LOOKS]:
        for way, d in enumerate(look.ways):
            inputs = judging.points[look.point].inputs
            tangents = [d.at(inputs) if k == d.which else np.zeros(np.shape(inputs[k])) for k in judging.moving]
            found = _asked(judging, look.point, tangents)
            if found is None:
                return
            if judging.tallies["forward"].counts.get(Kind.WRONG, 0) >= SHOWN:
                return
            if not _as_looked(judging, look, way, found):
                if look.point not in judging.slopes:
                    measure(judging, [look.point])
                _pushed(judging, look.point, tangents, found)
            elif not way:
                _paired(judging, look.point, tangents, found)


def _asked(judging: Judging, p: int, tangents: Sequence[Row]) -> Sequence[Array] | None:
    """The jvp at a point; None where there is none, which is told."""
    judging.asked.turn("forward")
    try:
        found = judging.asked.jvp(judging.points[p].inputs, tangents)
    except (NotOffered, Unasked) as silence:
        judging.tallies["forward"].silence = judging.tallies["adjoint"].silence = str(silence)
        return None
    except Exception as error:  # the code under test may raise anything
        judging.tallies["forward"].show(Kind.CRASHED, raised(error, "the jvp"))
        return None
    if found is None:
        judging.tallies["forward"].silence = judging.tallies["adjoint"].silence = "no jvp is given"
    return found


def _as_looked(judging: Judging, look: Look, way: int, found: Sequence[Array]) -> bool:
    """Whether the jvp along a direction is, without any doubt, the slope that was measured along it."""
    values = judging.values[look.point]
    if [np.shape(v) for v in found] != [np.shape(v) for v in values]:
        return False
    truth, row, answer = look.truth, flat(values), flat(found)
    alone = np.ones(1)
    one = contract(truth.center[way][:, None], truth.bar[way][:, None], truth.kink[way][:, None], alone)
    sizes = np.ones(row.shape)  # of a direction that moves every number by its own size
    largest = float(np.abs(row).max(initial=0.0))
    states = compare_slopes(answer, one, sizes, largest, typical_size(one.center, float(np.abs(row).sum()), sizes))
    if (states != State.AGREES).any() or one.kink.any():
        return False
    judging.tallies["forward"].add(len(states))
    return True


def _pushed(judging: Judging, p: int, tangents: Sequence[Row], found: Sequence[Array]) -> None:
    point, tally = judging.points[p], judging.tallies["forward"]
    shapes = [np.shape(v) for v in judging.values[p]]
    if [np.shape(v) for v in found] != shapes:
        tally.show(Kind.WRONG, f"the jvp has shape {[np.shape(v) for v in found]}, the function {shapes}")
        return
    answer, row = flat(found), flat(judging.values[p])
    by = dict(zip(judging.moving, tangents, strict=True))
    weights = np.array([_weight(by[d.which], d.step) for d in judging.court.basis])
    if any(d.element is None for d in judging.court.basis):
        tally.silence = "inputs with a structure are not pushed forward"
        return
    truth = judging.slopes[p]
    pushed = contract(truth.center.T, truth.bar.T, truth.kink.T, weights)
    lengths = np.array([np.abs(point.inputs[d.which][d.element]) for d in judging.court.basis])
    speed = np.max(np.abs(weights) / np.where(lengths > 0, lengths, np.inf), initial=0.0)
    sizes = np.full(row.shape, 1 / speed if speed > 0 else np.inf)
    typical = typical_size(pushed.center, float(np.abs(row).sum()), sizes)
    states = compare_slopes(answer, pushed, sizes, float(np.abs(row).max(initial=0.0)), typical)
    tally.add(len(states), int((states != State.AGREES).sum()))
    for k in np.flatnonzero((states >= State.OFF) & ~pushed.kink):
        if not (np.isfinite(answer[k]) or judging.court.smooth_everywhere(point.inputs)):
            continue  # 0 times an infinite slope
        hot = np.zeros(row.size)
        hot[k] = 1.0
        steps: list[Any] = [by.get(i) for i in range(len(point.inputs))]
        low, high, torn = judging.court.hull(point.inputs, None, hot, float(answer[k]), steps=steps)
        if torn and low <= answer[k] <= high:
            continue
        ruling = Ruling(Kind.WRONG, float(pushed.center[k]), float(pushed.bar[k]), "differences")
        text = f"the jvp's number {int(k)} is {answer[k]:.6g}, not {pushed.center[k]:.6g}"
        here = replace(
            seen(judging, p, 0, hot, float(answer[k]), ruling), index=(int(k),), along=(), way="pushed",
            beside=_named_steps(judging, tangents),
        )  # fmt: skip
        tally.show(Kind.WRONG, text, here)
    _paired(judging, p, tangents, found)


def _paired(judging: Judging, p: int, tangents: Sequence[Row], found: Sequence[Array]) -> None:
    judging.asked.turn("adjoint")
    try:
        _adjoint(judging, p, tangents, found)
    except Unasked as error:
        judging.tallies["adjoint"].silence = str(error)
    except Exception as error:  # the code under test may raise anything
        judging.tallies["adjoint"].show(Kind.CRASHED, raised(error, "the vjp"))


def _named_steps(judging: Judging, tangents: Sequence[Row]) -> dict[str, Any]:
    return {judging.names[k]: t.tolist() for k, t in zip(judging.moving, tangents, strict=True)}


def _weight(tangent: Row, step: Row) -> float:
    return float((tangent * step).sum())


def _adjoint(judging: Judging, p: int, tangents: Sequence[Row], pushed: Sequence[Array]) -> None:
    if p in set(judging.kinked) or p not in set(judging.right):
        return
    tally = judging.tallies["adjoint"]
    for ct in list(cotangents(np.random.default_rng([judging.seed, p]), flat(pushed).size))[:2]:
        gradients = ask(judging, p, ct)
        forward = ct * flat(pushed)
        back = np.concatenate([
            np.ravel(np.asarray(gradients[k], float) * t) for k, t in zip(judging.moving, tangents, strict=True)
        ])  # fmt: skip
        tally.add(1)
        size = np.abs(forward).sum() + np.abs(back).sum()
        unrest = RESTLESS_RANGES * judging.court.unrest.gradients * len(back)
        if not abs(forward.sum() - back.sum()) <= (max(SAME_ANSWER, INACCURATE_UNITS * UNIT) + unrest) * size:
            ruling = Ruling(Kind.WRONG, float(forward.sum()), 0.0, "the jvp")
            text = f"<vjp(ct), t> is {back.sum():.6g}, <ct, jvp(t)> is {forward.sum():.6g}"
            here = seen(judging, p, 0, ct, float(back.sum()), ruling)
            tally.show(Kind.WRONG, text, replace(here, way="paired", beside=_named_steps(judging, tangents)))
