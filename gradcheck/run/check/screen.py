"""Where are there too many elements to measure each? Points are looked at along directions, suspicious ones whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge.slopes import State, compare_slopes, contract, typical_size
from gradcheck.oracles.blackbox.asked import Answers, flat
from gradcheck.oracles.blackbox.batch import gradients_at, same_gradients
from gradcheck.oracles.blackbox.lines import Direction
from gradcheck.oracles.blackbox.slopes import Truth, each_along
from gradcheck.run.check.basis import screens
from gradcheck.run.check.compare import answered, cover, measure, suspects_at
from gradcheck.run.check.hearing import hear
from gradcheck.run.check.judging import ALONE, Judging, Look, Row, cotangents
from gradcheck.run.check.suspects import components, unflattened

BUDGET = 30_000  # calls of the function, about, that measuring every element may cost; the rest is screened
EACH = 30  # calls for one element, about
FEWEST = 6  # points at which every element is measured all the same
PROMOTED = 12  # screened points of a kind at which every element is looked at after all …
KINKED = 18  # … of those with a kink, where single elements are bound more closely than directions
EXTREME = 3  # … and where sizes are extreme: no number there can be more than a remark


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
    groups: dict[str, list[int]] = {"off": [], "kinked": [], "unsettled": []}
    inside: list[int] = []  # points with a kink at which the gradient lies in the hull along the directions
    looks = list(_directions(judging, points))
    for look, answers in zip(looks, _answers(judging, looks, rng), strict=True):
        states = _along(judging, look, answers)
        if states is None:
            continue
        worst = max(int(s) for s in states)
        if worst >= State.OFF:
            groups["off"].append(look.point)
        elif look.truth.kink.any():
            groups["kinked"].append(look.point)
            inside += [] if worst else [look.point]
        elif worst:
            groups["unsettled"].append(look.point)
        else:
            judging.right.append(look.point)
            judging.looks.append(look)
    for name, most in (("off", PROMOTED), ("kinked", KINKED), ("unsettled", PROMOTED)):
        _whole(judging, groups[name], most, rng)
        if judging.accused:
            return
    judging.right += [p for p in inside if p not in judging.slopes]


def _whole(judging: Judging, group: Sequence[int], most: int, rng: np.random.Generator) -> None:
    """Look at every element at some points of a group, few of them extreme."""
    usual = [p for p in group if not judging.points[p].extreme]
    some = [*usual[:most], *[p for p in group if judging.points[p].extreme][:EXTREME]]
    if not some:
        return
    measure(judging, some)
    for p in some:
        hear(judging, suspects_at(judging, p, rng))
        if judging.accused:
            return


def _directions(judging: Judging, points: Sequence[int]) -> Iterator[Look]:
    """Points with the directions to look along and the slopes there, all measured together."""
    every: list[list[Direction]] = []
    for p in points:
        ways = screens(judging.givens, judging.points[p].inputs, judging.moving, judging.seed)
        assert ways is not None, "there is a screen at one point of this shape"
        every.append(ways)
    if not points:
        return
    inputs = [judging.points[p].inputs for p in points]
    found = each_along(judging.asked, inputs, every, judging.domains, judging.seed)
    for row, (p, ways) in enumerate(zip(points, every, strict=True)):
        yield Look(p, ways, Truth(found.center[row], found.bar[row], found.kink[row]))


def _answers(
    judging: Judging, looks: Sequence[Look], rng: np.random.Generator
) -> Iterator[list[tuple[Row, Answers | None]]]:
    """Of each point, cotangents and what the vjp says; None where that is no answer (told already).

    One cotangent is always asked singly, the others in a batch where that gave the same for this one.
    """
    every = [list(cotangents(rng, flat(judging.values[look.point]).size)) for look in looks]
    inputs = [judging.points[look.point].inputs for look in looks]
    split_up = [
        [unflattened(ct, judging.values[look.point]) for ct in cts] for look, cts in zip(looks, every, strict=True)
    ]
    together = gradients_at(judging.asked, inputs, split_up)
    for number, (look, cts) in enumerate(zip(looks, every, strict=True)):
        single = answered(judging, look.point, cts[ALONE])
        batch = None if together is None else together[number]
        trusted = batch is not None and single is not None and same_gradients(judging.asked, batch[ALONE], single)
        found: list[tuple[Row, Answers | None]] = []
        for k, ct in enumerate(cts):
            if k == ALONE or single is None:
                found.append((ct, single))
            elif trusted and batch is not None and _finite(batch[k]):
                found.append((ct, batch[k]))
            else:
                found.append((ct, answered(judging, look.point, ct)))
        yield found


def _finite(gradients: Answers) -> bool:
    return all(g is None or bool(np.isfinite(g).all()) for g in gradients)


def _along(judging: Judging, look: Look, answers: Sequence[tuple[Row, Answers | None]]) -> NDArray[np.int64] | None:
    """The states of the vjp along some directions at one point; None where it is no answer (told already)."""
    point, ways, found = judging.points[look.point], look.ways, look.truth
    if found.kink.any():
        judging.kinked.append(look.point)
    row = flat(judging.values[look.point])
    lengths = np.ones(len(ways))
    every: list[NDArray[np.int64]] = []
    for ct, gradients in answers:
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
            cover(judging, ways, every[-1])
    return np.concatenate(every)
