"""Is the vjp at one point what the slopes say? For several cotangents; what lies outside the bars is a suspicion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge.budgets import UNIT
from gradcheck.judge.cells import Kind
from gradcheck.judge.slopes import Contracted, State, compare_slopes, contract, typical_size
from gradcheck.oracles.blackbox.asked import Array, BadAnswer, flat
from gradcheck.oracles.blackbox.lines import Direction
from gradcheck.oracles.blackbox.slopes import Truth, jacobian
from gradcheck.oracles.isolation.watch import Fatal, Unasked, raised
from gradcheck.run.check.judging import Judging, Row, cotangents, seen
from gradcheck.run.check.suspects import components, unflattened


@dataclass(frozen=True, slots=True)
class Suspect:
    """A number outside the bars: which point, direction and cotangent, the number, and what was measured."""

    point: int
    way: int
    cotangent: Row
    answer: float
    measured: Contracted
    state: State


def measure(judging: Judging, points: Sequence[int]) -> None:
    """Measure the slopes along the whole basis at some points."""
    inputs = [judging.points[p].inputs for p in points]
    found = jacobian(judging.asked, inputs, judging.court.basis, judging.domains, judging.seed)
    for row, p in enumerate(points):
        judging.slopes[p] = Truth(found.center[row], found.bar[row], found.kink[row])


def suspects_at(judging: Judging, p: int, rng: np.random.Generator) -> list[Suspect]:
    """Compare the vjp at one point for several cotangents; what is outside the bars is suspect."""
    point, truth = judging.points[p], judging.slopes[p]
    row = flat(judging.values[p])
    sizes = _sizes_at(judging, p)
    found: list[Suspect] = []
    decided = True
    for ct in cotangents(rng, row.size):
        gradients = answered(judging, p, ct)
        if gradients is None:
            return []
        answer = components(gradients, judging.court.basis, point.inputs)
        unrest = judging.court.unrest.bars(gradients, judging.court.basis, point.inputs)
        measured = contract(truth.center, truth.bar, truth.kink, ct).blurred(unrest)
        values = float(np.abs(ct).max(initial=0.0) * np.abs(row).max(initial=0.0))
        typical = typical_size(measured.center, values, sizes)
        usual = np.abs(ct).max(initial=0.0) * judging.court.usual
        states = compare_slopes(answer, measured, sizes, values, typical, usual)
        _counted(judging, p, states, measured)
        decided &= bool((states == State.AGREES).all())
        for e in np.flatnonzero(states != State.AGREES):
            one = measured.only(int(e))
            found.append(Suspect(p, int(e), ct, float(answer[e]), one, State(int(states[e]))))
    if decided:
        judging.right.append(p)
    if truth.kink.any() and p not in judging.kinked:  # a look at it may have told already
        judging.kinked.append(p)
    return found


def answered(judging: Judging, p: int, ct: Row) -> tuple[Array | None, ...] | None:
    """The vjp, where it is an answer; else None, and a finding."""
    try:
        gradients = judging.asked.vjp(judging.points[p].inputs, unflattened(ct, judging.values[p]))
    except Exception as error:  # the code under test may raise anything
        crash(judging, p, ct, error)
        return None
    return gradients if _shapes_fit(judging, p, ct, gradients) else None


def _counted(judging: Judging, p: int, states: NDArray[np.int64], measured: Contracted) -> None:
    if judging.points[p].outside:
        return
    judging.tallies["reverse"].add(len(states), int((states != State.AGREES).sum()))
    cover(judging, judging.court.basis, states)
    finite = np.isfinite(measured.bar) & (np.abs(measured.center) > 0) & ~measured.kink
    judging.relative += list(measured.bar[finite] / np.abs(measured.center[finite]) + 64 * UNIT)


def cover(judging: Judging, ways: Sequence[Direction], states: NDArray[np.int64]) -> None:
    """Note the inputs of whose gradient a number agreed."""
    if not judging.covered.issuperset(judging.moving):
        judging.covered |= {ways[int(e)].which for e in np.flatnonzero(states == State.AGREES)}


def _sizes_at(judging: Judging, p: int) -> Row:
    inputs = judging.points[p].inputs
    return np.array([
        float(np.abs(inputs[d.which][d.element]) if d.element is not None else np.abs(inputs[d.which]).max(initial=0.0))
        for d in judging.court.basis
    ])  # fmt: skip


def crash(judging: Judging, p: int, ct: Row, error: Exception) -> None:
    """The rule raised at a point at which the function has a value."""
    outside = judging.points[p].outside
    kind = Kind.OUTSIDE if outside else Kind.WRONG if isinstance(error, BadAnswer) else Kind.CRASHED
    cell = "shape" if isinstance(error, BadAnswer) else "reverse"
    if isinstance(error, Unasked):
        judging.tallies[cell].silence = str(error)
        return
    if outside and isinstance(error, Fatal):
        judging.asked.watch.excuse()
    text = str(error) if isinstance(error, BadAnswer) else raised(error, "the vjp")
    judging.tallies[cell].show(kind, text, seen(judging, p, 0, ct, float("nan"), None))


def _shapes_fit(judging: Judging, p: int, ct: Row, gradients: Sequence[Array | None]) -> bool:
    """Whether every gradient has the shape of its input and is real; a finding where not."""
    tally = judging.tallies["shape"]
    for k in judging.moving:
        g, x = gradients[k], judging.points[p].inputs[k]
        assert g is not None
        tally.add(1)
        text, way = "", "real"
        if np.shape(g) != np.shape(x):
            text = f"the gradient of {judging.names[k]} has shape {np.shape(g)}, the input {np.shape(x)}"
            way = "shape"
        elif g.dtype.kind == "c" and np.abs(np.imag(g)).max(initial=0.0) > 0:
            text = f"the gradient of {judging.names[k]}, a real input, has an imaginary part"
        elif g.dtype.kind == "O":
            text = f"the gradient of {judging.names[k]} is an array of objects"
        if text:
            first = next((e for e, d in enumerate(judging.court.basis) if d.which == k), 0)
            kind = Kind.OUTSIDE if judging.points[p].outside else Kind.WRONG
            tally.show(kind, text, replace(seen(judging, p, first, ct, float("nan"), None), way=way))
            return False
    return True
