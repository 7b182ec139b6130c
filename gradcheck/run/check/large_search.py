"""Which of millions of numbers of a gradient is wrong? Found by few directions, which are read as the first one was.

Along signs alone the claim misses the slope by r. Along the same signs with lengths that rise from -1 to 1 over the
numbers, one wrong number misses it by r times its own length: the quotient of both says where it stands, as exactly as
noise allows, which mostly leaves some thousand places of ten million. Once more among these leaves one. Where errors
are many, the quotient fits no single place, or nothing is found there: then halves are taken, the one that misses more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, floor

from gradcheck.oracles.blackbox.asked import Array
from gradcheck.oracles.blackbox.large_line import FINER, Line, Way
from gradcheck.oracles.blackbox.large_read import Reading, for_window, of_number, of_number_closely, spread

Claim = Callable[[Way], float]  # what the rule says of the slope along a direction
Look = Callable[[Line, Way, float, Sequence[int]], Reading]
QUICKLY: Sequence[tuple[Look, bool]] = ((of_number, False),)  # a step as along the whole, or a far one: how, far
CLOSELY: Sequence[tuple[Look, bool]] = ((of_number_closely, True), (of_number_closely, False))
BOLD = 1 / 2  # bars are wide: at first so much of them is believed; where that was too little, nothing is found
BENDS = 1.0  # bars of the whole direction: curvature along a ramp, besides noise, is no more than what that bar holds
NEAR = 8  # places that are left, of which the likeliest is looked at alone
MOST = 200  # directions, before it is given up


@dataclass(frozen=True, slots=True)
class Found:
    """One number of the gradient: its place (counted in a row), what is claimed, and what is right, ± bar."""

    place: int
    got: float
    right: float
    bar: float


@dataclass
class Search:
    """One failing direction. missed: by how much the claim misses the slope there, ± bar.

    beside: a gradient that fits the slope there; parts of the direction are held against it, which takes no call of the
    function. What is accused is always looked at in the function's own values.
    """

    line: Line
    way: Way
    block: int
    step: float
    claim: Claim
    missed: float
    bar: float
    beside: Array | None = None
    looked: int = 0
    known: dict[tuple[int, int, bool], tuple[float, float]] = field(default_factory=dict)  # parts of the direction

    def found(self) -> Found | None:
        """A number that is wrong; None where none was found that is so beyond doubt."""
        middle = (self.way.lo + self.way.hi) // 2  # where most numbers are wrong, any one is
        return (
            self._single(BOLD) or self._single(1.0) or self._number(middle, self.missed, CLOSELY) or self._halved()
        )  # fmt: skip

    def _single(self, share: float) -> Found | None:
        """The number at fault, where it is the only one. share: of the bars that are believed."""
        lo, hi = self.way.lo, self.way.hi
        while hi - lo > 1:
            place = self._place(lo, hi, share)
            if place is None or place[1] - place[0] > (hi - lo) / 2:
                return None
            lo, hi, guess = place
            here = self._number(guess, self.missed, QUICKLY) if hi - lo <= NEAR else None
            if here is not None:
                return here
        return self._number(lo, self.missed, CLOSELY)

    def _halved(self) -> Found | None:
        lo, hi, missed = self.way.lo, self.way.hi, self.missed
        while hi - lo > 1 and self.looked < MOST:
            middle = (lo + hi) // 2
            left, bar = self._missed(replace(self.way, lo=lo, hi=middle))
            if abs(left) >= abs(missed - left):
                hi, missed = middle, left
            else:
                lo, missed = middle, missed - left
            if abs(missed) <= bar:
                return None
        return self._number(lo, missed, CLOSELY)

    def _place(self, lo: int, hi: int, share: float) -> tuple[int, int, int] | None:
        """The range in which a single wrong number stands, and the likeliest place; None where it is no single one."""
        rising, bar = self._missed(replace(self.way, lo=lo, hi=hi, ramp=True))
        at, half = rising / self.missed, (hi - lo) / 2  # from -1 to 1
        doubt = share * (bar + (min(abs(at), 1.0) + BENDS) * self.bar) / abs(self.missed)
        middle = lo + half - 1 / 2  # a place's length is that of its own middle
        first, last = max(lo, ceil(middle + (at - doubt) * half)), min(hi - 1, floor(middle + (at + doubt) * half))
        guess = round(middle + at * half)
        return (first, last + 1, min(max(guess, first), last)) if first <= last else None

    def _missed(self, way: Way) -> tuple[float, float]:
        seen = way.lo, way.hi, way.ramp
        if seen not in self.known:  # the second look believes all of the bars, of what the first has read
            self.known[seen] = self._read(way)
        return self.known[seen]

    def _read(self, way: Way) -> tuple[float, float]:
        self.looked += 1
        if self.beside is not None:
            return self.claim(way) - way.times(self.beside), self.bar
        step = for_window(self.line, self.way, way.lo, way.hi, self.step / (2 * FINER))
        slope = float(self.line.quotient(way, step)[self.block])
        return self.claim(way) - slope, spread(self.line, self.block, step)

    def _number(self, place: int, missed: float, hows: Sequence[tuple[Look, bool]]) -> Found | None:
        """One number, looked at alone."""
        way = replace(self.way, lo=place, hi=place + 1)
        sign = float(way.steps(slice(place, place + 1))[0])
        if sign == 0:
            return None
        got = self.claim(way)
        for how, far in hows:
            self.looked += 1
            step = for_window(self.line, self.way, place, place + 1, self.step) if far else self.step
            reading = how(self.line, way, step, [self.block])
            value, bar = float(reading.value[0]), float(reading.bar[0])
            alike = abs((got - value) - missed) <= bar + self.bar  # the whole direction misses it by this number
            if abs(got - value) > bar and (alike or how is of_number_closely):
                if alike and self.bar < bar and self.beside is None:
                    value, bar = got - missed, self.bar
                return Found(place, got / sign, value / sign, bar / abs(sign))
        return None
