"""What is proven? Value and derivatives by ball arithmetic: the engine's own rules over Arb balls.

Every input is a ball, a little wider than nothing: where each comparison is decided for the whole ball, the function is
one smooth piece there and its derivative is what the rules say; where one is open at every precision, the point lies on
a tie or a kink, and only the value is told. The precision doubles until float64 could not tell the ball from a point.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.errors import BranchInBatch
from gradcheck.expr import Control
from gradcheck.oracles.balls import BALLS
from gradcheck.oracles.balls_numbers import is_balls
from gradcheck.oracles.engine import Numbers, derivatives
from gradcheck.oracles.evidence import Array, Measured
from gradcheck.oracles.flint_library import Undecided, arb, balls, precision
from gradcheck.oracles.inquiry import Inquiry, Rows, evaluate, key

PRECISIONS = (128, 256, 512, 1024)  # bits, tried in turn; a multiplication costs the same from 65 to 128
ENOUGH_BITS = 60  # of a ball's relative accuracy: float64 holds 53
NOTHING = arb(2) ** -1100  # a radius that float64 cannot hold
AROUND_ZERO = arb(2) ** -4000  # the radius of an input that is zero
Answers = dict[str, tuple[Array, Array]]


def testify(inquiry: Inquiry) -> dict[str, Measured]:
    """Value, vjp and jvp (and what second order is claimed) at every point, nearest float64 and proven bar."""
    found = _Collected(inquiry.case.points)
    rows = np.arange(inquiry.case.points)
    for bits in PRECISIONS:
        with precision(bits):
            rows = np.sort(np.concatenate([_settled(inquiry, rows, bits, found)]))
        if not rows.size:
            break
    if rows.size:
        with precision(PRECISIONS[1]):
            _values_alone(inquiry, rows, found)
    return found.measured()


class _Collected:
    """The numbers so far; nan with an infinite bar where there is none yet."""

    def __init__(self, points: int) -> None:
        self.points = points
        self.numbers: Answers = {}

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


def _settled(inquiry: Inquiry, rows: Rows, bits: int, found: _Collected) -> Rows:
    """Take what this precision settles; the points that it leaves."""
    left = [np.zeros(0, dtype=np.intp)]
    numbers = Numbers(BALLS, lambda x: widened(x, bits), np.asarray, balls)
    for part, answers, open_ in parts(rows, lambda some: derivatives(inquiry, some, numbers, _control)):
        if answers is None:
            left.append(open_)
            continue
        told = _told(answers, bits)
        done = np.logical_and.reduce([settled.reshape(len(part), -1).all(axis=1) for _, _, settled in told.values()])
        for name, numbers_told in told.items():
            found.take(part, name, numbers_told)
        left.append(part[~done])
    return np.concatenate(left)


def parts(rows: Rows, run: Any) -> Iterator[tuple[Rows, Any, Rows]]:
    """Run all points as one batch; where they want different branches, or some are undecided, split there.

    Yields (points, result, none), or (none, None, points) for those that balls of this precision leave open.
    """
    none = np.zeros(0, dtype=np.intp)
    pending = [rows]
    while pending:
        part = pending.pop()
        if not part.size:
            continue
        try:
            yield part, run(part), none
        except BranchInBatch as branch:
            pending += [part[~branch.takes], part[branch.takes]]
        except Undecided as undecided:
            open_ = _rows_of(undecided.mask, len(part))
            yield none, None, part[open_]
            pending.append(part[~open_])


def _rows_of(mask: Array, points: int) -> Any:
    """The points that an undecided comparison concerns: all, where it is not of one array of the batch."""
    if mask.ndim and mask.shape[0] == points:
        return mask.reshape(points, -1).any(axis=1)
    return np.ones(points, dtype=bool)


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


def _told(answers: dict[str, Any], bits: int) -> dict[str, tuple[Array, Array, Any]]:
    """`numbers_of` every quantity.

    A ball around zero never gets narrow beside its number. From the second precision on it is settled where it is
    narrow beside the largest number of all.
    """
    if bits == PRECISIONS[0]:
        return {name: numbers_of(value, NOTHING) for name, value in answers.items()}
    sizes = [np.abs(np.asarray(value, dtype=float)) for value in answers.values()]
    largest = max(float(np.max(size[np.isfinite(size)], initial=0.0)) for size in sizes)
    return {name: numbers_of(value, arb(largest) * arb(2) ** (-bits // 2)) for name, value in answers.items()}


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
        bar[k] = float((ball - c).abs_upper()) if settled[k] else np.inf
    up = np.where(bar > 0, np.nextafter(bar, np.inf), 0.0)
    return centre, up.reshape(value.shape), settled.reshape(value.shape)
