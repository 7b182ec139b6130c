"""What is proven? Value and derivatives by ball arithmetic: the engine's own rules over Arb balls.

Every input is a ball, a little wider than nothing: where each comparison is decided for the whole ball, the function is
one smooth piece there and its derivative is what the rules say; where one is open at every precision, the point lies on
a tie or a kink, and only the value is told. The precision doubles until float64 could not tell the ball from a point.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcheck.expr import Control, Recording
from gradcheck.expr.control import Path
from gradcheck.oracles.balls.flint_library import arb, balls, precision
from gradcheck.oracles.balls.numbers import is_balls
from gradcheck.oracles.balls.proof import Proofs, has_decimals, parts
from gradcheck.oracles.balls.vocabulary import BALLS, DECIMAL
from gradcheck.oracles.engine import derivatives
from gradcheck.oracles.evidence import Array, Evidence, Measured
from gradcheck.oracles.inquiry import Inquiry, Numbers, Rows, evaluate, key
from gradcheck.oracles.symbolic import settled

PRECISIONS = (128, 256, 512, 1024)  # bits, tried in turn; a multiplication costs the same from 65 to 128
ENOUGH_BITS = 60  # of a ball's relative accuracy: float64 holds 53
NOTHING = arb(2) ** -1100  # a radius that float64 cannot hold
AROUND_ZERO = arb(2) ** -4000  # the radius of an input that is zero
Answers = dict[str, tuple[Array, Array]]


def testify(inquiry: Inquiry) -> Evidence:
    """Value, vjp and jvp (and what second order is claimed), nearest float64 and proven bar; and what the claims are.

    Raises Unsupported where a row of the function has no enclosure.
    """
    found, proofs = _Collected(inquiry.case.points), Proofs(inquiry)
    rows = np.arange(inquiry.case.points)
    for bits in PRECISIONS:
        with precision(bits):
            rows = _settled(inquiry, rows, bits, found, proofs)
        if not rows.size:
            break
    with precision(PRECISIONS[1]):
        if rows.size:
            _values_alone(inquiry, rows, found)
        if has_decimals(inquiry):
            _read_as_decimals(inquiry, proofs)
    notes = _notes(found, proofs, settled(inquiry))
    return Evidence("certified", found.measured(), notes=notes, proofs=tuple(proofs.states.values()))


def _notes(found: _Collected, proofs: Proofs, symbolically: list[str]) -> tuple[str, ...]:
    """What the numbers do not say themselves."""
    open_ = found.open()
    told = {
        f"{open_} of {found.points} points lie on a tie or a kink, or have no finite derivative": open_,
        f"float64 takes another branch than the truth at {len(found.strayed)} points": len(found.strayed),
        f"the claim is not proven: {proofs.refused}": proofs.refused,
        **{f"the claimed derivative in {name} is settled symbolically": True for name in symbolically},
    }
    return tuple(note for note, holds in told.items() if holds)


class _Collected:
    """The numbers so far; nan with an infinite bar where there is none yet."""

    def __init__(self, points: int) -> None:
        self.points = points
        self.numbers: Answers = {}
        self.strayed: set[int] = set()  # the points at which float64 takes another branch

    def open(self) -> int:
        """At how many points a derivative is not told."""
        open_ = np.zeros(self.points, dtype=bool)
        for name, (_, bar) in self.numbers.items():
            if not name.startswith("value"):
                open_ |= ~np.isfinite(bar).reshape(self.points, -1).all(axis=1)
        return int(open_.sum())

    def take(self, rows: Rows, name: str, told: tuple[Array, Array, Any]) -> None:
        centre, bar, settled = told
        centre, bar = np.where(settled, centre, np.nan), np.where(settled, bar, np.inf)
        if name not in self.numbers:
            shape = (self.points, *centre.shape[1:])
            self.numbers[name] = np.full(shape, np.nan), np.full(shape, np.inf)
        self.numbers[name][0][rows] = centre
        self.numbers[name][1][rows] = bar

    def measured(self) -> dict[str, Measured]:
        return {name: Measured(centre, bar) for name, (centre, bar) in self.numbers.items()}


def _settled(inquiry: Inquiry, rows: Rows, bits: int, found: _Collected, proofs: Proofs) -> Rows:
    """Take what this precision settles; the points that it leaves."""
    left = [rows[:0]]
    for part, found_here, open_ in parts(rows, lambda some: _recorded(inquiry, some, bits)):
        left.append(open_)
        if found_here is None:
            continue
        answers, path = found_here
        found.strayed |= {r for b in inquiry.branches if b.path != path for r in np.intersect1d(part, b.rows).tolist()}
        negligible = _negligible(inquiry, part, answers, bits)
        done = np.ones(len(part), dtype=bool)
        for name, value in answers.items():
            told = numbers_of(value, negligible)
            found.take(part, name, told)
            done &= told[2].reshape(len(part), -1).all(axis=1)
        left += [part[~done], proofs.check(part, answers, BALLS, negligible)]
    return np.unique(np.concatenate(left))


def _recorded(inquiry: Inquiry, rows: Rows, bits: int) -> tuple[dict[str, Any], Path]:
    """The derivatives at some points, and the branches that lead there."""
    runs: list[Recording] = []

    def control() -> Control:
        runs.append(Recording())
        return runs[-1]

    answers = derivatives(inquiry, rows, _numbers(BALLS, bits), control)
    return answers, tuple(runs[0].path)


def _read_as_decimals(inquiry: Inquiry, proofs: Proofs) -> None:
    """Where a claim is disproved, its numbers may have been meant as they are written."""
    bits = PRECISIONS[1]
    rows = proofs.disproved()
    for part, answers, _ in parts(rows, lambda some: derivatives(inquiry, some, _numbers(DECIMAL, bits), _control)):
        if answers is not None:
            proofs.check(part, answers, DECIMAL, _negligible(inquiry, part, answers, bits))


def _numbers(base: Any, bits: int) -> Numbers:
    return Numbers(base, lambda x: widened(x, bits), np.asarray, balls)


def _control() -> Control:
    return Control(guard=False)


def _values_alone(inquiry: Inquiry, rows: Rows, found: _Collected) -> None:
    """The value at points that lie on a tie: there the inputs are taken as they are."""
    outputs = inquiry.spec.outputs

    def run(some: Rows) -> Any:
        inputs = {n: balls(x) if n in inquiry.moving else x for n, x in inquiry.rows_of(some).items()}
        return evaluate(inquiry.spec, BALLS, inputs, inquiry.case.sizes, _control())

    for part, values, _ in parts(rows, run):
        for output, value in (values or {}).items():
            found.take(part, key("value", output, outputs), numbers_of(value, NOTHING))


def widened(x: Array, bits: int) -> Any:
    """Every number as a ball around it, too narrow to matter at this precision."""
    narrow = arb(2) ** (-2 * bits)

    def around(v: float) -> Any:
        return arb(v, abs(v) * narrow if v else AROUND_ZERO)

    spread: Any = np.frompyfunc(around, 1, 1)
    return np.asarray(spread(x), dtype=object)


def _negligible(inquiry: Inquiry, rows: Rows, answers: dict[str, Any], bits: int) -> Any:
    """The radius that counts as none.

    A ball around zero never gets narrow beside its number. From the third precision on it is settled where it is
    narrow beside the largest number of all; where all answers may be zero, beside the largest of the inputs.
    """
    if bits < PRECISIONS[2]:
        return NOTHING
    nothing_else = all(_may_be_zero(value) for value in answers.values())
    told = inquiry.rows_of(rows) if nothing_else else answers
    sizes = [np.abs(np.asarray(value, dtype=float)) for value in told.values()]
    largest = max(float(np.max(size[np.isfinite(size)], initial=0.0)) for size in sizes)
    return max(NOTHING, arb(largest) * arb(2) ** (-bits // 2))


def _may_be_zero(value: Any) -> bool:
    """Whether every ball has zero in it."""
    return all(ball.contains(0) for ball in value.ravel()) if is_balls(value) else not np.any(value)


def numbers_of(value: Any, negligible: Any) -> tuple[Array, Array, Any]:
    """(nearest float64, bar, whether it is settled), element by element; radii up to `negligible` settle any."""
    if not is_balls(value):
        exact = np.asarray(value, dtype=float)
        return exact, np.zeros(exact.shape), np.ones(exact.shape, dtype=bool)
    value = balls(value)  # zeros of NumPy's own may be among them
    centre = value.astype(float)
    flat = centre.ravel().tolist()
    bar, settled = np.zeros(len(flat)), np.zeros(len(flat), dtype=bool)
    for k, (ball, c) in enumerate(zip(value.ravel(), flat, strict=True)):
        settled[k] = ball.rel_accuracy_bits() >= ENOUGH_BITS or ball.rad() <= negligible
        bar[k] = _distance(ball, c) if settled[k] else np.inf
    return centre, bar.reshape(value.shape), settled.reshape(value.shape)


def _distance(ball: Any, centre: float) -> float:
    """How far the farthest number of a ball may lie from a float, rounded up; 0 from an infinity, which overflows."""
    if math.isinf(centre):
        return 0.0
    off = (ball - centre).abs_upper()
    return 0.0 if off == 0 else math.nextafter(float(off), math.inf)
