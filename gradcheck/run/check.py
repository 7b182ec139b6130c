"""Is this callable's own derivative right? Points, cells and shapes for one function under test, and one answer.

A door (NumPy, and whatever else can be turned into a `Subject`) comes here with its subject and its declared inputs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.cases.given import Given, Sampler, dimensions, settled
from gradcheck.cases.plans import digest
from gradcheck.cases.planting import Tried, points, sampled
from gradcheck.errors import UsageError, did_you_mean
from gradcheck.judge.cells import CELLS, FAILING, CellFinding, Kind, Standing, Tally, standing
from gradcheck.judge.finding import Verdict
from gradcheck.oracles.blackbox import Asked, NotOffered, Second, Subject, TooSlow, flat
from gradcheck.run.check_kinks import judge_kinks
from gradcheck.run.check_shape import Judging, judge_shape, tallies
from gradcheck.run.check_shrink import shrunk
from gradcheck.run.check_structure import QUESTIONS, judge_forward, judge_structure
from gradcheck.spec.model import Domain

SIZES = (3, 2, 4, 5)  # of named dimensions in the first shape, in turn
SHARES = (0.4, 0.2, 0.2, 0.2)  # of the points that each shape gets
SECOND = 48  # points at which second order is judged: the first ones, and some of the rest
TIME_LIMIT = 20.0  # seconds that one call may take


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: how many points, from which seed, to which order, which cells."""

    points: int = 256
    seed: int = 0
    cells: frozenset[str] = frozenset(CELLS)
    strict: bool = False
    time_limit: float = TIME_LIMIT


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of it. power: the smallest relative error that would have been caught, median and worst."""

    standing: Standing
    findings: tuple[CellFinding, ...]
    power: Mapping[str, float] | None
    points: int
    shapes: tuple[Mapping[str, int], ...]
    calls: int
    seconds: float
    dropped: int
    notes: tuple[str, ...]


def chosen_cells(cells: Sequence[str] | None, skip: Sequence[str]) -> frozenset[str]:
    """The cells that are asked. Raises UsageError for a name that is none."""
    for name in (*(cells or ()), *skip):
        if name not in CELLS:
            raise UsageError(f"there is no cell {name!r}; there are {', '.join(CELLS)}", did_you_mean(name, [*CELLS]))
    return frozenset(cells if cells is not None else CELLS) - frozenset(skip)


def check_subject(
    subject: Subject, inputs: tuple[Given, ...] | Sampler, names: Sequence[str], wanted: Wanted,
    second: Callable[..., Any] | None = None,
) -> Checked:  # fmt: skip
    """Judge a subject in all wanted cells, over all shapes. Warnings of the code under test are its own affair."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _checked(subject, inputs, names, wanted, second)


def _checked(
    subject: Subject, inputs: tuple[Given, ...] | Sampler, names: Sequence[str], wanted: Wanted,
    second: Callable[..., Any] | None,
) -> Checked:  # fmt: skip
    board = tallies()
    asked = Asked(subject, wanted.time_limit)
    shapes = [dict[str, int]()] if callable(inputs) else sizes_of(inputs, wanted.seed)
    all_of_it: list[Judging] = []
    notes: list[str] = []
    try:
        for number, sizes in enumerate(shapes):
            count = _share(wanted.points, number, len(shapes))
            seed = digest(f"{subject.name}:{number}", wanted.seed)
            all_of_it.append(_one_shape(asked, inputs, names, sizes, count, seed, board, wanted, second))
    except TooSlow as error:
        board["value"].show(Kind.CRASHED, str(error))
    _silences(board, wanted.cells, all_of_it, second)
    covered = {k for j in all_of_it for k in j.covered}
    asked_of = {k for j in all_of_it if j.points for k in subject.moving if np.size(j.points[0].inputs[k])}
    bare = [names[k] for k in subject.moving if k in asked_of - covered]
    if bare and len(bare) < len(subject.moving):
        board["reverse"].uncovered = f"no number of the gradient of {', '.join(bare)} could be decided"
    dropped = sum(j.dropped for j in all_of_it)
    if dropped:
        raised = next((j.raised for j in all_of_it if j.raised), "")
        notes.append(f"{dropped} points have no finite value and were left out" + (f" ({raised})" if raised else ""))
    findings = [f for cell in CELLS if cell in wanted.cells for f in board[cell].findings()]
    findings = [shrunk(f, all_of_it) for f in _without_echoes(findings)]
    needed = [cell for cell in ("reverse",) if cell in wanted.cells]
    verdict = standing(sorted(findings, key=_rank), needed, wanted.strict)
    return Checked(
        verdict, tuple(findings), _power(all_of_it), sum(len(j.points) for j in all_of_it),
        tuple(shapes), asked.calls, asked.seconds, dropped, tuple(notes),
    )  # fmt: skip


def not_judged(why: str) -> Checked:
    """A stated silence: nothing was asked, and nothing passes."""
    return Checked(Standing(Verdict.SILENT, False, why, None), (), None, 0, (), 0, 0.0, 0, ())


ORDER = (
    "repeat", "value", "mutation", "shape", "reverse", "nonfinite", "kinks", "forward", "adjoint", "layout", "linear",
    "zero", "second", "precision", "float32",
)  # fmt: skip


def _rank(finding: CellFinding) -> int:
    """Which finding speaks for the whole: what spoils the others comes first."""
    return ORDER.index(finding.cell)


def sizes_of(givens: Sequence[Given], seed: int) -> list[dict[str, int]]:
    """The sizes of named dimensions for each shape: different ones, all 1, all 2, and drawn ones."""
    names = dimensions(givens)
    if not names:
        return [{}]
    rng = np.random.default_rng(seed)
    first = {n: SIZES[k % len(SIZES)] for k, n in enumerate(names)}
    drawn = {n: int(rng.choice([1, 2, 3, 5, 8])) for n in names}
    found = [first, dict.fromkeys(names, 1), dict.fromkeys(names, 2), drawn]
    return [s for k, s in enumerate(found) if s not in found[:k]]


def _share(points: int, number: int, shapes: int) -> int:
    return points if shapes == 1 else max(8, int(points * SHARES[number] / sum(SHARES[:shapes])))


def _one_shape(
    asked: Asked, inputs: tuple[Given, ...] | Sampler, names: Sequence[str], sizes: Mapping[str, int], count: int,
    seed: int, board: Mapping[str, Tally], wanted: Wanted, second: Callable[..., Any] | None,
) -> Judging:  # fmt: skip
    if callable(inputs):
        tried = sampled(inputs, count, seed)
        givens = _plain(tried[0])
    else:
        givens = [settled(g, sizes) for g in inputs]
        tried = points(givens, count, seed)
    judging = Judging(asked, givens, names, seed, board, wanted.cells)
    judge_shape(judging, tried)
    if not judging.points:
        return judging
    if "kinks" in wanted.cells:
        judge_kinks(judging)
    judge_structure(judging, wanted.cells & frozenset(QUESTIONS))
    if wanted.cells & {"forward", "adjoint"}:
        judge_forward(judging)
    if second is not None and "second" in wanted.cells:
        _second(judging, second)
    return judging


def _plain(tried: Tried) -> list[Given]:
    """Inputs of a sampler: free, and moving where they are real."""
    return [Given(x.shape, Domain(), dtype=str(x.dtype), differentiable=x.dtype.kind == "f") for x in tried.inputs]


def _second(judging: Judging, rule: Callable[..., Any]) -> None:
    """The gradient as a function of its own, (inputs, ct) -> vjp, judged by the rule for its adjoint."""
    if len(judging.values[0]) != 1:
        judging.tallies["second"].silence = "a second-order rule is judged for one output only"
        return
    shape = np.shape(judging.values[0][0])
    rng = np.random.default_rng([judging.seed, 19])
    last = len(judging.givens)
    try:
        _probe(judging, rule, shape)
    except NotOffered as silence:
        judging.tallies["second"].silence = str(silence)
        return
    derived = Second(judging.asked.subject, rule, (*judging.moving, last))
    ct = Given(shape, Domain(), (-2.0, 2.0), name="ct")
    tried = [
        Tried((*p.inputs, np.round(rng.normal(0.0, 1.0, shape), 2)), p.origin, p.outside, p.extreme)
        for p in judging.points
    ]
    board = tallies()
    inner = Judging(
        Asked(derived, judging.asked.limit), [*judging.givens, ct], [*judging.names, "ct"], judging.seed + 1, board
    )
    judge_shape(inner, tried[:SECOND] + tried[SECOND :: max(1, len(tried) // SECOND)])
    judge_structure(inner, frozenset(QUESTIONS) - {"float32"})
    tally = judging.tallies["second"]
    tally.add(board["reverse"].compared, board["reverse"].undecided)
    for cell, one in board.items():
        for kind, (seen, sentence) in one.shown.items():
            tally.counts[kind] = tally.counts.get(kind, 0) + one.counts[kind]
            here = None if seen is None else replace(seen, way="of second order" if seen.way else "second")
            tally.shown.setdefault(kind, (here, f"{cell} of the gradient: {sentence}"))


def _probe(judging: Judging, rule: Callable[..., Any], shape: tuple[int, ...]) -> None:
    """Call the second-order rule once: NotOffered where there is none. Whatever else it raises is told later."""
    inputs = tuple(np.array(x) for x in judging.points[0].inputs)
    us = tuple(np.ones(np.shape(inputs[k])) for k in judging.moving)
    try:
        rule(inputs, np.ones(shape), us if len(us) > 1 else us[0])
    except NotOffered:
        raise
    except Exception:  # the code under test may raise anything: judged like every other call
        return


def _silences(
    board: Mapping[str, Tally], cells: frozenset[str], judged: Sequence[Judging], second: Callable[..., Any] | None
) -> None:
    if second is None:
        board["second"].silence = "first order was asked for"
    silent = next((j.court.silence for j in judged if j.points and j.court.silence), "")
    board["precision"].silence = silent or "every number was decided without it"
    board["nonfinite"].silence = "all numbers were finite"
    if not any(j.points for j in judged):
        why = next((j.raised for j in judged if j.raised), "it is NaN or infinite")
        board["reverse"].silence = f"the function has no finite value at any point ({why})"
    if not cells & {"forward", "adjoint"}:
        return
    for cell in ("forward", "adjoint"):
        board[cell].silence = board[cell].silence or "no point was fit for it"


def _without_echoes(findings: Sequence[CellFinding]) -> list[CellFinding]:
    """Beside a wrong rule its lost digits, and what it does outside the limits, say nothing more."""
    if not any(f.kind in FAILING for f in findings):
        return list(findings)
    return [f for f in findings if f.kind not in (Kind.INACCURATE, Kind.OUTSIDE)]


def _power(judged: Sequence[Judging]) -> Mapping[str, float] | None:
    some = np.array([r for j in judged for r in j.relative])
    if not some.size:
        return None
    return {"median": float(np.median(some)), "worst": float(np.quantile(some, 0.99))}


def sizes_text(shapes: Sequence[Mapping[str, int]]) -> str:
    """The shapes that were tried, as people read them."""
    named = [", ".join(f"{n} = {k}" for n, k in s.items()) for s in shapes if s]
    return "; ".join(named)


__all__ = ["Checked", "Wanted", "check_subject", "chosen_cells", "flat", "sizes_of", "sizes_text"]
