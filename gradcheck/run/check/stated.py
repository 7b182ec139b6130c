"""Is the gradient the one that its author states: by a formula, a rule beside the code, or another implementation?

What is stated may be the derivative, said once more; or, where it is meant so, something else that takes its place (a
straight-through estimator, a reversed gradient). In the first case a difference is somebody's fault, and the slopes of
the function's values say whose; in the second, what is stated is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from gradcheck.judge.budgets import (
    CONDITION,
    DIGITS_LEFT,
    INACCURATE_UNITS,
    RESTLESS_RANGES,
    SAME_ANSWER,
    UNIT,
    VALUE_UNITS,
)
from gradcheck.judge.cells import Kind, Seen
from gradcheck.judge.slopes import State, compare_stated, contract
from gradcheck.judge.telling import told_apart
from gradcheck.oracles.balls.stated import Formulas
from gradcheck.oracles.blackbox.asked import Array, Asked, Inputs, Subject, flat
from gradcheck.oracles.blackbox.lines import Direction
from gradcheck.run.check.judging import Judging, cotangents, seen
from gradcheck.run.check.suspects import NUDGE, NUDGES, Ruling, component, components, unflattened

COTANGENTS = 5  # of each point: ones, random ones, and some that are one-hot
LARGER = 2.0**40  # cotangents so many times as large, and as small, as the cell `linear` asks for
SHOWN = 2  # wrong numbers of a shape, after which no further one is examined
SLOPES = ("reverse", "kinks", "nonfinite", "precision", "forward")  # cells that hold the rule against slopes
Row = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stated:
    """What is stated, as a subject with the same inputs. meant: it takes the derivative's place.

    values: its outputs are another implementation's, and the code's must be the same.
    """

    by: Subject
    meant: bool
    values: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question: a point and a cotangent, the code's numbers along the basis, and the stated ones."""

    point: int
    cotangent: Row
    answer: Row
    center: Row
    bar: Row


def judge_stated(judging: Judging, stated: Stated) -> frozenset[str]:
    """Fill the tally `stated`, and of `value` the comparison with another implementation.

    Gives the cells that have no question then: what is meant need not be linear in its cotangent.
    """
    rng = np.random.default_rng([judging.seed, 29])
    judging.asked.turn("stated")
    theirs = Asked(stated.by, judging.asked.watch)
    asked = [q for p in range(len(judging.points)) for q in _questions(judging, stated, theirs, p, rng)]
    usual = _usual(judging, asked)
    agreeing: dict[int, bool] = {}
    covered: set[int] = set()
    wrong = 0
    for q in asked:
        states = compare_stated(q.answer, q.center, q.bar, usual * np.abs(q.cotangent).max(initial=0.0))
        if not judging.points[q.point].outside:
            judging.tallies["stated"].add(len(states), int((states != State.AGREES).sum()))
            covered |= {d.which for d, s in zip(judging.court.basis, states, strict=True) if s == State.AGREES}
        agreeing[q.point] = agreeing.get(q.point, True) and bool((states == State.AGREES).all())
        for e in np.flatnonzero(states >= State.OFF):
            if wrong < SHOWN:
                wrong += _examine(judging, stated, theirs, q, int(e))
    if stated.meant:
        judging.covered, judging.court.usual = covered, usual
        judging.right[:] = [p for p, agrees in agreeing.items() if agrees]
        judging.relative[:] = [INACCURATE_UNITS * UNIT for q in asked if agreeing[q.point]]
        if not all(_linear(judging, theirs, q) for q in asked if agreeing[q.point]):
            judging.tallies["linear"].silence = "what is meant is not linear in its cotangent"
            return frozenset({"linear"})
    return frozenset()


def _linear(judging: Judging, theirs: Asked, q: _Asked) -> bool:
    """Whether what is stated at a point for a cotangent is so for larger and smaller ones."""
    inputs, basis = judging.points[q.point].inputs, judging.court.basis
    for factor in (LARGER, 1 / LARGER):
        centers, _ = _said(theirs, inputs, unflattened(factor * q.cotangent, judging.values[q.point]))
        scaled = components(centers, basis, inputs)
        off = np.abs(scaled - factor * q.center) > SAME_ANSWER * np.abs(scaled).max(initial=0.0)
        if off.any():
            return False
    return True


def _questions(judging: Judging, stated: Stated, theirs: Asked, p: int, rng: np.random.Generator) -> list[_Asked]:
    """The answers of both at one point; none where one of them gives none."""
    inputs, basis = judging.points[p].inputs, judging.court.basis
    found = []
    try:
        if stated.values and not _same_values(judging, theirs, p):
            return []
        for ct in islice(cotangents(rng, flat(judging.values[p]).size), COTANGENTS):
            cts = unflattened(ct, judging.values[p])
            centers, bars = _said(theirs, inputs, cts)
            if not _fits(judging, p, ct, centers):
                return []
            try:
                gradients = judging.asked.vjp(inputs, cts)
                answer = components(gradients, basis, inputs)
            except Exception:  # told by the cells `reverse` and `shape`
                return []
            if any(np.asarray(gradients[k]).shape != np.shape(inputs[k]) for k in judging.moving):
                return []
            bar = np.array([_width(bars, d, inputs) for d in basis])
            bar += judging.court.unrest.bars(gradients, basis, inputs)
            found.append(_Asked(p, ct, answer, components(centers, basis, inputs), bar))
    except Exception as error:  # what is stated is other people's code too
        text = f"{stated.by.name} raises {type(error).__name__}: {error}"
        judging.tallies["stated"].show(Kind.CRASHED, text, replace(_here(judging, p, float("nan"), None), way="stated"))
    return found


def _said(theirs: Asked, inputs: Inputs, cts: Sequence[Array]) -> tuple[Sequence[Array | None], Sequence[Array | None]]:
    """What is stated at a point, and how far it may be off."""
    if isinstance(theirs.subject, Formulas):
        return theirs.subject.enclosed(inputs, cts)
    return theirs.vjp(inputs, cts), [None] * len(inputs)


def _width(bars: Sequence[Array | None], d: Direction, inputs: Inputs) -> float:
    bar = bars[d.which]
    if bar is None:
        return 0.0
    return float(bar[d.element]) if d.element is not None else float((bar * np.abs(d.at(inputs))).sum())


def _fits(judging: Judging, p: int, ct: Row, centers: Sequence[Array | None]) -> bool:
    for k in judging.moving:
        given, wanted = np.asarray(centers[k]).shape, np.shape(judging.points[p].inputs[k])
        if given != wanted:
            text = f"what is stated of {judging.names[k]} has shape {given}, the input {wanted}"
            first = next(e for e, d in enumerate(judging.court.basis) if d.which == k)
            here = replace(seen(judging, p, first, ct, float("nan"), None), way="stated")
            judging.tallies["stated"].show(Kind.WRONG, text, here)
            return False
    return True


def _same_values(judging: Judging, theirs: Asked, p: int) -> bool:
    """Whether another implementation gives the same outputs; a finding where not."""
    mine, other = judging.values[p], theirs.value(judging.points[p].inputs)
    text, got, right = "", float("nan"), float("nan")
    if [np.shape(v) for v in mine] != [np.shape(v) for v in other]:
        text = (
            f"has outputs of shapes {[np.shape(v) for v in mine]}, {theirs.subject.name} {[np.shape(v) for v in other]}"
        )
    else:
        a, b = flat(mine), flat(other)
        allowed = VALUE_UNITS * UNIT + RESTLESS_RANGES * judging.court.unrest.values
        off = ~(np.abs(a - b) <= allowed * np.abs(b).max(initial=0.0))
        if off.any():
            k = int(np.argmax(off))
            got, right = float(a[k]), float(b[k])
            text = f"is {got:.6g} in number {k}, {theirs.subject.name} gives {right:.6g}"
    if text:
        kind = _kind(judging, p)
        ruling = Ruling(kind, right, 0.0, theirs.subject.name)
        here = replace(_here(judging, p, got, ruling), way="values")
        judging.tallies["value"].show(kind, f"the function {text}", here)
    return not text


def _here(judging: Judging, p: int, got: float, ruling: Ruling | None) -> Seen:
    """A point as a whole, for a cotangent of ones."""
    return seen(judging, p, 0, np.ones(flat(judging.values[p]).size), got, ruling)


def _usual(judging: Judging, asked: Sequence[_Asked]) -> Row:
    """The typical size of the stated numbers (E,) for a cotangent of 1."""
    sizes = [np.abs(q.center) / (np.abs(q.cotangent).max(initial=0.0) or 1.0) for q in asked]
    if not sizes:
        return np.zeros(len(judging.court.basis))
    with np.errstate(all="ignore"):
        table = np.array(sizes)
        usual: Row = np.median(np.where(np.isfinite(table), table, 0.0), axis=0)
    return usual


def _kind(judging: Judging, p: int) -> Kind:
    point = judging.points[p]
    return Kind.OUTSIDE if point.outside else Kind.INACCURATE if point.extreme else Kind.WRONG


def _examine(judging: Judging, stated: Stated, theirs: Asked, q: _Asked, e: int) -> bool:
    """Give one number that is not the stated one its excuses, then tell it; whether it is wrong."""
    kind, got, right = _kind(judging, q.point), float(q.answer[e]), float(q.center[e])
    gap = abs(got - right)
    ruling = Ruling(kind, right, float(q.bar[e]), theirs.subject.name)
    if np.isfinite(got) and kind is Kind.WRONG and gap <= CONDITION * _scatter(judging, theirs, q, e):
        if gap <= DIGITS_LEFT * abs(right):
            return False
        ruling = replace(ruling, kind=Kind.INACCURATE)
    who, fault = "the gradient", ruling
    if not stated.meant and kind is Kind.WRONG and ruling.kind is Kind.WRONG:
        by_slopes = _by_slopes(judging, q, e, right)
        if by_slopes is not None and by_slopes.kind is Kind.WRONG:
            who, fault, got = f"by {theirs.subject.name} the gradient", by_slopes, right
        elif judging.slopes.get(q.point) is None or judging.slopes[q.point].kink.any():
            return False  # both lie among the pieces that meet there, or nobody has measured
    here = replace(seen(judging, q.point, e, q.cotangent, got, fault), way="as stated" if fault is ruling else "stated")
    whose = "what was meant" if stated.meant else fault.whose
    one, other = told_apart(got, fault.center, fault.bar)
    text = f"{who} of {here.place} is {one}, not {other} ({whose})"
    judging.tallies["stated"].show(fault.kind, text, here)
    return fault.kind is Kind.WRONG


def _by_slopes(judging: Judging, q: _Asked, e: int, stated: float) -> Ruling | None:
    """What the slopes of the function's values rule about the stated number, where they were measured."""
    truth = judging.slopes.get(q.point)
    if truth is None:
        return None
    first = contract(truth.center, truth.bar, truth.kink, q.cotangent).only(e)
    return judging.court.examine(judging.points[q.point], e, q.cotangent, stated, first)


def _scatter(judging: Judging, theirs: Asked, q: _Asked, e: int) -> float:
    """How much code and statement differ now more, now less, at points some units of roundoff away.

    Rounding inside either scatters; a rule that is another one differs evenly, and one that is wrong at the point
    alone (a tie) not at all, so neither is excused.
    """
    rng = np.random.default_rng(judging.seed)
    inputs, d = judging.points[q.point].inputs, judging.court.basis[e]
    cts = unflattened(q.cotangent, judging.values[q.point])
    gaps = []
    for _ in range(NUDGES):
        factors = [1 + 2 * UNIT * rng.choice(np.r_[-NUDGE:0, 1 : NUDGE + 1], np.shape(x)) for x in inputs]
        near = [
            np.asarray(x) * f if k in judging.moving else x
            for k, (x, f) in enumerate(zip(inputs, factors, strict=True))
        ]
        code = component(judging.asked.vjp(near, cts), d, near)
        gaps.append(code - component(_said(theirs, near, cts)[0], d, near))
    some = [g for g in gaps if np.isfinite(g)]
    return max(some, default=0.0) - min(some, default=0.0)
