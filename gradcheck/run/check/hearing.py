"""What becomes of suspicions? Each is examined with every excuse, and entered into the cell that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradcheck.judge.budgets import UNIT
from gradcheck.judge.cells import Kind
from gradcheck.judge.slopes import State
from gradcheck.judge.telling import told_wrong
from gradcheck.run.check.compare import Suspect, crash
from gradcheck.run.check.judging import Judging, seen
from gradcheck.run.check.suspects import Ruling

FEW = 0.05  # share of those numbers in which the ladder may have erred
CONFIRMING = 6  # ordinary points at which the precise witness must agree with the ladder before it is heard
SUSPECTS = 120  # suspicions examined of each group; the rest stay undecided
EXCUSED = 12  # suspicions at one point, the worst of each element first, after which the rest stay undecided …
FLAGRANT = 2.0**10  # bars from which on the first element is named, whichever is the worst
REMARKED = 4  # … and where sizes are extreme, and nothing can be more than a remark
SHOWN = 2  # wrong numbers, after which no further suspicion is examined
PRECISE = 60  # undecided numbers that are put to the precise witness


def confirm(judging: Judging) -> None:
    """Let the precise witness speak where it agreed with the ladder at ordinary points."""
    ordinary = [p for p in judging.slopes if judging.points[p].origin in ("drawn", "sampled")][:CONFIRMING]
    agreed = contradicted = 0
    for p in ordinary:
        some = range(0, len(judging.court.basis), max(1, len(judging.court.basis) // CONFIRMING))
        found = judging.court.digits(judging.points[p].inputs, some)
        known = judging.slopes[p]
        theirs, bars, kinks = (column[some] for column in (known.center, known.bar, known.kink))
        if found is None or found.center[0].shape != theirs.shape:
            return
        both = np.isfinite(bars) & np.isfinite(found.bar[0]) & ~(kinks | found.kink[0])
        gap = np.abs(theirs - found.center[0])[both]
        apart = gap > 16 * bars[both] + 64 * UNIT * np.abs(theirs[both])
        contradicted += int(apart.sum())
        agreed += int((~apart).sum())
    judging.court.trusted = agreed > 0 and contradicted <= FEW * agreed
    if contradicted > FEW * agreed:
        judging.court.silence = "the code rounds inside: at hundreds of bits it contradicts its own slopes"


def hear(judging: Judging, suspects: Sequence[Suspect]) -> None:
    """Examine the suspicions, those inside the limits first; the sizes that people use before the extreme ones."""
    groups: dict[tuple[bool, bool, bool], list[Suspect]] = {}
    for s in suspects:
        point = judging.points[s.point]
        undecided = s.state is State.UNDECIDED
        groups.setdefault((point.outside, point.extreme, undecided), []).append(s)
    for (_, _, undecided), group in sorted(groups.items()):
        if judging.accused:
            return
        _hear_group(judging, group, undecided)


def _hear_group(judging: Judging, group: Sequence[Suspect], undecided: bool) -> None:
    wrong = 0
    for s in _spread_out(judging, group, undecided)[: PRECISE if undecided else SUSPECTS]:
        if wrong >= SHOWN:
            break
        try:
            if undecided:
                question = judging.points[s.point], s.way, s.cotangent, s.answer
                ruling = judging.court.by_digits(*question) or judging.court.level(*question)
                ruling = None if ruling is None else judging.court.settled(ruling, *question)
            else:
                ruling = judging.court.examine(judging.points[s.point], s.way, s.cotangent, s.answer, s.measured)
        except Exception as error:  # the code under test may raise anything beside a point, too
            crash(judging, s.point, s.cotangent, error)
            continue
        if ruling is not None:
            wrong += ruling.kind is Kind.WRONG
            rule(judging, s, ruling)


def _spread_out(judging: Judging, group: Sequence[Suspect], undecided: bool) -> list[Suspect]:
    """One suspicion of every point first, then the seconds, and so on, as many of each as are examined.

    Of a point, the suspicions of different elements are kept first, and of these the ones furthest outside their bars;
    they are heard in that order, too, but flagrant ones in the order of the elements.
    """
    of_point: dict[int, list[Suspect]] = {}
    for s in group:
        of_point.setdefault(s.point, []).append(s)
    rounds: list[tuple[int, Suspect]] = []
    for p, some in of_point.items():
        most = REMARKED if judging.points[p].extreme else EXCUSED
        rounds += enumerate(some if undecided else _worst_of_each(some, most))
    return [s for _, s in sorted(rounds, key=lambda pair: pair[0])]


def _worst_of_each(suspects: Sequence[Suspect], most: int) -> list[Suspect]:
    """The worst suspicion of every element of a point, then the second of each, and so on; as many as are examined."""
    times: dict[int, int] = {}
    ranked = []
    for s in sorted(suspects, key=lambda s: -min(_severity(s), FLAGRANT)):
        ranked.append((times.setdefault(s.way, 0), s))
        times[s.way] += 1
    kept = sorted(ranked, key=lambda one: (one[0], -_severity(one[1])))[:most]
    kept.sort(key=lambda one: (one[0], -min(_severity(one[1]), FLAGRANT), one[1].way))
    return [s for _, s in kept]


def _severity(s: Suspect) -> float:
    """How many bars a suspicious number lies off; what is no number lies furthest."""
    if not np.isfinite(s.answer):
        return np.inf
    gap, bar = abs(s.answer - float(s.measured.center[0])), float(s.measured.bar[0])
    return gap / bar if bar > 0 else np.inf


def rule(judging: Judging, s: Suspect, ruling: Ruling, cell: str = "") -> None:
    """Enter a ruling into the tally of its cell."""
    outside = judging.points[s.point].outside
    tally = judging.tallies["reverse"]
    lost = ruling.kind is Kind.INACCURATE and not judging.points[s.point].extreme  # decided: right mathematics
    if lost or ruling.kind is Kind.RIGHT:
        tally.undecided -= not outside
        judging.covered.add(judging.court.basis[s.way].which)
    if ruling.kind is Kind.RIGHT:
        return
    if ruling.kind is Kind.WRONG and not np.isfinite(s.answer) and not _smooth(judging, s.point):
        ruling = replace(ruling, kind=Kind.NOT_SMOOTH, why="the function is not smooth there")
    if ruling.kind is Kind.UNMEASURED or (outside and ruling.kind is Kind.NOT_SMOOTH):
        return
    name = cell or ("nonfinite" if not np.isfinite(s.answer) else "precision" if "bits" in ruling.whose else "reverse")
    if ruling.kind is Kind.WRONG and name == "precision":
        name = "reverse"
    kind = Kind.OUTSIDE if outside else ruling.kind
    judging.accused |= kind is Kind.WRONG
    what = "the gradient" if not ruling.why else f"the gradient ({ruling.why})"
    here = seen(judging, s.point, s.way, s.cotangent, s.answer, ruling)
    numbers = told_wrong(s.answer, ruling.center, ruling.bar, ruling.whose)
    judging.tallies[name].show(kind, f"{what} of {here.place} is {numbers}", here)


def _smooth(judging: Judging, p: int) -> bool:
    """Whether the function is smooth at a point, in every element and output."""
    known = judging.slopes[p]
    if known.kink.any() or not np.isfinite(known.bar).all():
        return False
    return judging.court.smooth_everywhere(judging.points[p].inputs)
