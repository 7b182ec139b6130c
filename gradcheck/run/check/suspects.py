"""Is a number that lies outside the bars really wrong? Every excuse is tried before a rule is accused.

Measured once more in another way; the pieces that meet around the point; what a few units of roundoff of the inputs do
to the rule; sizes at which intermediates leave the range of numbers; the function's own code at hundreds of bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gradcheck.cases.planting import Tried
from gradcheck.judge.budgets import (
    CONDITION,
    DIGITS_LEFT,
    INACCURATE_UNITS,
    NEGLIGIBLE,
    RESTLESS_RANGES,
    UNDERFLOW,
    UNIT,
)
from gradcheck.judge.cells import Kind
from gradcheck.judge.slopes import Contracted, contract, rounding_of
from gradcheck.judge.telling import ONE_SIDED
from gradcheck.oracles.blackbox.asked import Array, Asked, Inputs, flat
from gradcheck.oracles.blackbox.lines import Direction
from gradcheck.oracles.blackbox.precise import RESOLVED, NotRunning, lost, precise
from gradcheck.oracles.blackbox.slopes import (
    MORE_PIECES,
    PIECES,
    Truth,
    flat_around,
    jacobian,
    pieces,
    second_opinion,
)
from gradcheck.run.check.unrest import CALLS, Unrest
from gradcheck.spec.model import Domain

AGAIN = (0.37, 0.61, 2.3)  # the lengths of the second measurement, in those of the first; where it cannot be read, more
DEFENCE = 8.0  # bars of plain differences within which they side with a number
NUDGES = 6
NUDGE = 4  # units of roundoff by which inputs are nudged
LEVEL = 2.0**-20  # of the usual values over the longest step: what rounding, even to float32, may hide of a slope
FLAT_STEP = 2.0**-5  # the longest of these steps, in the input's size
PATH = 2.0**-26  # a step so short that a smooth rule is straight over it, to the last bit


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a suspicion turned out to be, and the right number: center ± bar by `whose` account."""

    kind: Kind
    center: float
    bar: float
    whose: str
    why: str = ""


@dataclass
class Court:
    """Where suspicions about one subject at one shape are heard."""

    asked: Asked
    basis: Sequence[Direction]
    domains: Sequence[Domain]
    moving: Sequence[int]
    seed: int
    usual: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))  # (E,) the typical size of each slope
    largest: float = 0.0  # of the function's values at this shape
    trusted: bool = False  # whether the code was seen to run on precise numbers, and to agree there with the ladder
    silence: str = ""  # why it was not
    unrest: Unrest = field(default_factory=Unrest)  # what repeated calls differ by, and may
    known: dict[bytes, bool] = field(default_factory=dict)  # points at which the function is smooth, or is not

    def examine(self, tried: Tried, e: int, cotangent: NDArray[np.float64], answer: float, first: Contracted) -> Ruling:
        """The ruling on one element of the gradient at one point; `first` is what was measured of it, (1,)."""
        found = self.settled(self._examined(tried, e, cotangent, answer, first), tried, e, cotangent, answer)
        if (
            found.kind is Kind.WRONG
            and np.isfinite(answer)
            and self._defended(tried.inputs, e, cotangent, answer, found)
        ):
            return replace(found, kind=Kind.UNMEASURED)
        if tried.extreme and found.kind is Kind.WRONG:
            return replace(found, kind=Kind.INACCURATE, why="at a size at which intermediates lose their digits")
        return found

    def settled(
        self, ruling: Ruling, tried: Tried, e: int, cotangent: NDArray[np.float64], answer: float
    ) -> Ruling:  # fmt: skip
        """The ruling, where calls differ from each other: what they differ by at this very point is no fault."""
        if not self.unrest.gradients or ruling.kind not in (Kind.WRONG, Kind.INACCURATE) or not np.isfinite(answer):
            return ruling
        cts = unflattened(cotangent, self.asked.value(tried.inputs))
        answers = [self.asked.vjp(tried.inputs, cts) for _ in range(CALLS)]
        numbers = [component(g, self.basis[e], tried.inputs) for g in answers]
        apart = RESTLESS_RANGES * (max(numbers) - min(numbers))
        allowed = max(apart, float(self.unrest.bars(answers[0], self.basis, tried.inputs)[e]))
        return replace(ruling, kind=Kind.RIGHT) if abs(answer - ruling.center) <= ruling.bar + allowed else ruling

    def _defended(self, inputs: Inputs, e: int, cotangent: NDArray[np.float64], answer: float, found: Ruling) -> bool:
        """Whether plain differences side with the answer, or against the number that accuses it."""
        other = second_opinion(self.asked, inputs, self.basis[e], cotangent)
        if found.whose == ONE_SIDED:
            return bool(other.low <= answer <= other.high)
        width = DEFENCE * other.bar
        sided = abs(answer - other.center) <= width and abs(found.center - other.center) > width + found.bar
        return bool(sided)

    def _examined(
        self, tried: Tried, e: int, cotangent: NDArray[np.float64], answer: float, first: Contracted
    ) -> Ruling:
        d = self.basis[e]
        again = self._again(tried.inputs, d, cotangent)
        truth = first.widened(again) if np.isfinite(first.bar[0]) else again
        center, bar, kinked = float(truth.center[0]), float(truth.bar[0]), bool(truth.kink[0])
        if not np.isfinite(bar):
            return self.by_digits(tried, e, cotangent, answer) or Ruling(Kind.UNMEASURED, center, bar, "differences")
        if np.isfinite(answer) and abs(answer - center) <= bar + INACCURATE_UNITS * UNIT * float(truth.terms[0]):
            kind = Kind.RIGHT if kinked else Kind.UNMEASURED
            return self.by_digits(tried, e, cotangent, answer) or Ruling(kind, center, bar, "differences")
        return self._beyond(tried, e, cotangent, answer, truth)

    def _beyond(self, tried: Tried, e: int, cotangent: NDArray[np.float64], answer: float, truth: Contracted) -> Ruling:
        center, bar, kinked = float(truth.center[0]), float(truth.bar[0]), bool(truth.kink[0])
        digits = self.by_digits(tried, e, cotangent, answer)
        if digits is not None:
            return digits
        low, high, torn = self.hull(tried.inputs, self.basis[e], cotangent, answer)
        if torn or kinked:
            low, high = min(low, center - bar), max(high, center + bar)
            center, bar = float((low + high) / 2), float((high - low) / 2)
            if not np.isfinite(answer):
                return Ruling(Kind.NOT_SMOOTH, center, bar, "differences", "the function has a kink there")
            inside = low <= answer <= high
            return Ruling(Kind.RIGHT if inside else Kind.WRONG, center, bar, ONE_SIDED)
        if abs(answer - center) <= bar + CONDITION * self._spread(tried.inputs, e, cotangent):
            return Ruling(Kind.INACCURATE, center, bar, "differences", "digits cancel inside the rule")
        return Ruling(Kind.WRONG, center, bar, "differences")

    def hull(
        self, inputs: Inputs, d: Direction | None, cotangent: NDArray[np.float64], answer: float,
        steps: Sequence[NDArray[np.float64] | None] | None = None,
    ) -> tuple[float, float, bool]:  # fmt: skip
        """The slopes of the pieces around a point along a direction; whether there are several."""
        along = self._steps(inputs, d) if steps is None else steps
        for count in (PIECES, MORE_PIECES):
            rng = np.random.default_rng([self.seed, count])
            found = pieces(self.asked, inputs, along, cotangent, count, rng)
            low, high = found.low - found.noise, found.high + found.noise
            enough = not found.jumps or low <= answer <= high or not np.isfinite(answer)
            if enough and not found.unsure:
                break
        return low, high, found.jumps

    def digits(self, inputs: Inputs, ways: Sequence[int]) -> Truth | None:
        """The derivatives along some directions by the code at hundreds of bits; None where it does not run so."""
        found = precise(self.asked, inputs, [self.basis[e] for e in ways])
        if isinstance(found, NotRunning):
            self.silence = self.silence or found.why
            return None
        return found

    def smooth_everywhere(self, inputs: Inputs) -> bool:
        """Whether every slope at a point can be read, and none is a kink, on both sides of any limit.

        Where it is not so, 0 times infinity may be NaN in a gradient by an element or for an output that is smooth.
        """
        key = b"|".join(np.asarray(x).tobytes() for x in inputs)
        if key not in self.known:
            free = [Domain() for _ in self.domains]
            found = jacobian(self.asked, [inputs], self.basis, free, self.seed)
            self.known[key] = bool(np.isfinite(found.bar).all()) and not found.kink.any()
        return self.known[key]

    def smooth(self, inputs: Inputs, steps: Sequence[NDArray[np.float64] | None]) -> bool:
        """Whether the code at hundreds of bits shows no kink along any input's part of a direction."""
        if not self.trusted:
            return False
        ways = [Direction(k, step, None) for k, step in enumerate(steps) if step is not None and step.any()]
        found = precise(self.asked, inputs, ways)
        return not isinstance(found, NotRunning) and not found.kink.any() and bool(np.isfinite(found.bar).all())

    def by_digits(self, tried: Tried, e: int, cotangent: NDArray[np.float64], answer: float) -> Ruling | None:
        """The ruling of the precise witness, where it may speak and the function is smooth."""
        found = self.digits(tried.inputs, [e]) if self.trusted else None
        if found is None or found.center.shape[2] != len(cotangent):
            return None
        truth = contract(found.center[0], found.bar[0], found.kink[0], cotangent)
        center, bar = float(truth.center[0]), float(truth.bar[0])
        if truth.kink[0] or not np.isfinite(bar):
            return None
        whose = "the function's own code at 400 bits"
        usual = float(self.usual[e] * np.abs(cotangent).max(initial=0.0)) if len(self.usual) else 0.0
        bar = max(bar, RESOLVED * usual)
        if bar > NEGLIGIBLE * max(abs(center), usual):
            return None
        if not np.isfinite(answer):
            kind = Kind.INACCURATE if tried.extreme else Kind.WRONG
            return Ruling(kind, center, bar, whose)
        allowed = bar + INACCURATE_UNITS * UNIT * float(truth.terms[0]) + UNDERFLOW
        gap = abs(answer - center)
        if gap <= allowed or gap <= allowed + self._conditioning(tried.inputs, e, cotangent, center):
            return Ruling(Kind.RIGHT, center, bar, whose)
        blurred = gap > DIGITS_LEFT * abs(center) and bar <= DIGITS_LEFT * abs(center)
        size = np.abs(flat(self.asked.value(tried.inputs)) * cotangent)[cotangent != 0].sum()
        length = np.array([_length(tried.inputs, self.basis[e])])
        explained = gap <= allowed + max(float(rounding_of(float(size), length)[0]), INACCURATE_UNITS * UNIT * usual)
        if not explained and length[0] > 0:  # f itself may have lost more than its size tells
            own = float((np.abs(cotangent) * lost(self.asked, tried.inputs)).sum())
            explained = gap <= allowed + CONDITION * own / float(length[0])
        explained = explained or gap <= allowed + CONDITION * self._spread(tried.inputs, e, cotangent)
        if explained or tried.extreme:
            return Ruling(Kind.INACCURATE if blurred else Kind.RIGHT, center, bar, whose, "digits are lost")
        low, high, torn = self.hull(tried.inputs, self.basis[e], cotangent, answer)
        if torn and low <= answer <= high:  # pieces whose slopes cancel along this direction
            return Ruling(Kind.RIGHT, (low + high) / 2, (high - low) / 2, ONE_SIDED)
        return Ruling(Kind.WRONG, center, bar, whose)

    def level(self, tried: Tried, e: int, cotangent: NDArray[np.float64], answer: float) -> Ruling | None:
        """The ruling where no bit of the function changes around the point: its slope is zero.

        To the ladder the sign of a number looks like a number rounded to one bit. Steps of up to 2**-5 of the input's
        size are tried; rounding alone, even to float32, would hide no slope there but what is little beside usual ones.
        """
        if tried.extreme or answer == 0 or not np.isfinite(answer):  # extreme sizes may cancel to the last bit
            return None
        d = self.basis[e]
        middle = self.asked.flat(tried.inputs)
        live = cotangent != 0
        if middle.shape != cotangent.shape or not flat_around(self.asked, tried.inputs, d, self.domains, live):
            return None
        length = _length(tried.inputs, d) or 1.0
        hidden = LEVEL * float(np.abs(cotangent).max() * max(np.abs(middle).max(initial=0.0), self.largest))
        hidden /= length * FLAT_STEP
        if abs(answer) <= hidden:
            return None
        return Ruling(Kind.WRONG, 0.0, 0.0, "the function's values, the same to the last bit around the point")

    def _conditioning(self, inputs: Inputs, e: int, cotangent: NDArray[np.float64], center: float) -> float:
        """How far the true derivative itself moves when the inputs move by some units of roundoff."""
        moves = []
        for factor in (1 + NUDGE * 2 * UNIT, 1 - NUDGE * 2 * UNIT):
            near = [np.asarray(x) * factor if k in self.moving else x for k, x in enumerate(inputs)]
            found = precise(self.asked, near, self.basis[e : e + 1])
            if isinstance(found, NotRunning) or found.center.shape[2] != len(cotangent):
                return 0.0
            moves.append(float(contract(found.center[0], found.bar[0], found.kink[0], cotangent).center[0]))
        return max(abs(v - center) for v in moves)

    def _again(self, inputs: Inputs, d: Direction, cotangent: NDArray[np.float64]) -> Contracted:
        """Measured once more at other lengths; the outputs that noise hides there, at others again."""
        found = jacobian(self.asked, [inputs], [d], self.domains, self.seed + 1, spread=AGAIN[0])
        for spread in AGAIN[1:]:
            lost = ~np.isfinite(found.bar)
            if not lost[:, :, cotangent != 0].any():
                break
            more = jacobian(self.asked, [inputs], [d], self.domains, self.seed + 1, spread=spread)
            found = Truth(
                np.where(lost, more.center, found.center), np.where(lost, more.bar, found.bar),
                np.where(lost, more.kink, found.kink),
            )  # fmt: skip
        return contract(found.center[0], found.bar[0], found.kink[0], cotangent)

    def _spread(self, inputs: Inputs, e: int, cotangent: NDArray[np.float64]) -> float:
        """How much the rule's own answers around the point scatter: what cancels inside it shows so.

        Under nudges by some units of roundoff, and against a straight line on a path of small steps. The answer at the
        point itself is left out: one that is wrong there alone finds no excuse in this.
        """
        rng = np.random.default_rng(self.seed)
        cts = unflattened(cotangent, self.asked.value(inputs))

        def answer(factors: Sequence[NDArray[np.float64] | float]) -> float:
            near = [
                np.asarray(x) * f if k in self.moving else x
                for (k, x), f in zip(enumerate(inputs), factors, strict=True)
            ]
            return component(self.asked.vjp(near, cts), self.basis[e], near)

        nudged = [
            answer([1 + 2 * UNIT * rng.choice([-4, -3, -2, -1, 1, 2, 3, 4], np.shape(x)) for x in inputs])
            for _ in range(NUDGES)
        ]
        weights = [rng.uniform(0.5, 1.0, np.shape(x)) for x in inputs]
        path = np.array([answer([1 + k * PATH * w for w in weights]) for k in range(1, 2 + NUDGES)])
        bent = np.abs(path[2:] - 2 * path[1:-1] + path[:-2])
        scatter = [max(nudged) - min(nudged), float(np.max(bent[np.isfinite(bent)], initial=0.0))]
        return max((v for v in scatter if np.isfinite(v)), default=0.0)

    def _steps(self, inputs: Inputs, d: Direction | None) -> list[NDArray[np.float64] | None]:
        steps: list[NDArray[np.float64] | None] = [
            np.zeros(np.shape(x)) if k in self.moving else None for k, x in enumerate(inputs)
        ]
        if d is not None:
            steps[d.which] = d.step
        return steps


def component(gradients: Sequence[Array | None], d: Direction, inputs: Inputs = ()) -> float:
    """What a gradient says along a direction."""
    g = gradients[d.which]
    assert g is not None, "a moving input has a gradient"
    if d.element is not None:
        return float(np.real(g[d.element]))
    return float((np.real(g) * d.at(inputs)).sum())


def components(gradients: Sequence[Array | None], basis: Sequence[Direction], inputs: Inputs) -> NDArray[np.float64]:
    """The same for every direction of a basis: (E,)."""
    return np.array([component(gradients, d, inputs) for d in basis])


def unflattened(row: NDArray[np.float64], like: Sequence[Array]) -> tuple[Array, ...]:
    """A row of numbers as arrays of the shapes of `like`."""
    found, start = [], 0
    for array in like:
        size = int(np.prod(np.shape(array), dtype=int))
        found.append(row[start : start + size].reshape(np.shape(array)).copy())
        start += size
    return tuple(found)


def _length(inputs: Inputs, d: Direction) -> float:
    x = inputs[d.which]
    return float(np.abs(x[d.element]) if d.element is not None else np.abs(x).max(initial=0.0))
