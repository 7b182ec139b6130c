"""Where are there too many elements to measure each? Points are looked at along directions, suspicious ones whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge.slopes import State, compare_slopes, contract, typical_size
from gradcheck.oracles.blackbox import flat
from gradcheck.oracles.blackbox_slopes import Direction, Truth, jacobian
from gradcheck.run.check_basis import screens
from gradcheck.run.check_compare import answered, measure, suspects_at
from gradcheck.run.check_hearing import hear
from gradcheck.run.check_judging import Judging, cotangents
from gradcheck.run.check_suspects import components

BUDGET = 30_000  # calls of the function, about, that measuring every element may cost; the rest is screened
EACH = 30  # calls for one element, about
FEWEST = 24  # points at which every element is measured all the same
PROMOTED = 12  # screened points at which every element is looked at after all


def split(judging: Judging, ways: int) -> tuple[list[int], list[int]]:
    """The points at which every element is measured, and those at which directions are, to stay within the budget."""
    count = len(judging.points)
    if screens(judging.givens, judging.points[0].inputs, judging.moving, judging.seed) is None:
        return list(range(count)), []
    most = max(FEWEST, BUDGET // (EACH * max(ways, 1)))
    if most >= count:
        return list(range(count)), []
    head = range(most // 3)
    spread = np.linspace(0, count - 1, most - len(head)).astype(int)
    full = sorted({*head, *(int(p) for p in spread)})
    return full, [p for p in range(count) if p not in set(full)]


def screen(judging: Judging, points: Sequence[int], rng: np.random.Generator) -> None:
    """Look along directions at the other points; where something is off or open there, look at every element."""
    off: list[int] = []
    unsettled: list[int] = []
    for p, ways, truth in _directions(judging, points):
        states = _along(judging, p, ways, truth, rng)
        if states is None:
            continue
        worst = max(int(s) for s in states)
        (off if worst >= State.OFF else unsettled if worst else judging.right).append(p)
    for group in (off[:PROMOTED], unsettled[:PROMOTED]):
        for p in group:
            measure(judging, [p])
            hear(judging, suspects_at(judging, p, rng))
            if judging.accused:
                return


def _directions(judging: Judging, points: Sequence[int]) -> Iterator[tuple[int, list[Direction], Truth]]:
    """Points with the directions to look along and the slopes there; those of equal directions measured together."""
    groups: dict[bytes, tuple[list[Direction], list[int]]] = {}
    for p in points:
        ways = screens(judging.givens, judging.points[p].inputs, judging.moving, judging.seed)
        assert ways is not None, "there is a screen at one point of this shape"
        groups.setdefault(b"|".join(d.step.tobytes() for d in ways), (ways, []))[1].append(p)
    for ways, some in groups.values():
        inputs = [judging.points[p].inputs for p in some]
        found = jacobian(judging.asked, inputs, ways, judging.domains, judging.seed)
        for row, p in enumerate(some):
            yield p, ways, Truth(found.center[row], found.bar[row], found.kink[row])


def _along(
    judging: Judging, p: int, ways: Sequence[Direction], found: Truth, rng: np.random.Generator
) -> NDArray[np.int64] | None:
    """The states of the vjp along some directions at one point; None where it is no answer (told already)."""
    point = judging.points[p]
    if found.kink.any():
        judging.kinked.append(p)
    row = flat(judging.values[p])
    lengths = np.ones(len(ways))
    every: list[NDArray[np.int64]] = []
    for ct in cotangents(rng, row.size):
        gradients = answered(judging, p, ct)
        if gradients is None:
            return None
        answer = components(gradients, ways, point.inputs)
        unrest = judging.court.unrest.bars(gradients, ways, point.inputs)
        measured = contract(found.center, found.bar, found.kink, ct).blurred(unrest)
        values = float(np.abs(ct).max(initial=0.0) * np.abs(row).max(initial=0.0))
        typical = typical_size(measured.center, values, lengths)
        every.append(compare_slopes(answer, measured, lengths, values, typical))
        if not point.outside:
            undecided = int((every[-1] != State.AGREES).sum())
            judging.tallies["reverse"].add(len(ways), undecided)
            judging.covered |= {d.which for d, state in zip(ways, every[-1], strict=True) if state == State.AGREES}
    return np.concatenate(every)
