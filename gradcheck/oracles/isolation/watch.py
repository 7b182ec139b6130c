"""Which call of the code under test is under way, for which question, and which calls were the end of it before?

Whoever waits outside (`run/check/isolated.py`) reads it in `slots`, memory that two processes may share. A judgement
to which a call put an end is made once more, and then that call is not made: it raises `Fatal` instead.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from gradcheck.oracles.isolation.forked import begin, shared
from gradcheck.oracles.isolation.waiting import LIMIT, NUMBER, START, Slots, too_slow

WHO = {"value": "the function", "vjp": "the vjp", "jvp": "the jvp", "second": "the second-order rule", "": "the code"}
KINDS = {kind: number for number, kind in enumerate(WHO)}
CELL, KIND = NUMBER + 1, NUMBER + 2  # the slots of a watch, beside those of every fork
SLOTS = 2
SAME = 2  # deaths by one kind of call in one cell, after which it is not called there any more: one point is no rule
POINTS = 30  # the same where points are being looked for: each costs milliseconds, and the others shall be judged
HANGS = 3  # cells in which a kind of call did not come back, after which it is not called in others: each costs time
MOST = 100  # deaths after which nothing is called any more
SOON = 0.5  # seconds that are waited in a cell where a call hung already, or so many times the slowest that came back:
OFTEN = 100.0  # the cell has crashed anyway
NO_MEMORY = ("can't allocate memory", "RESOURCE_EXHAUSTED", "Out of memory")  # what PyTorch and JAX say of it


@dataclass(frozen=True, slots=True)
class Death:
    """A call that ended the process or did not come back: in which cell, its kind, its number, and how it ended.

    number: counted over all calls, from 1; 0 where the process died between two calls. output: its last words.
    """

    cell: str
    kind: str
    number: int
    reason: str
    hung: bool = False
    output: str = ""

    def __str__(self) -> str:
        return f"{WHO[self.kind]} {self.reason}"


class Fatal(Exception):
    """Code under test did what no function may: it ended the process, asked for that, or took all memory."""


class Unasked(Fatal):
    """The code is not called, since it cost too much elsewhere: a silence of this cell."""


class Lost(BaseException):
    """The judgement cannot go on after this call; it is made once more without it."""

    def __init__(self, death: Death) -> None:
        super().__init__(str(death))
        self.death = death


def raised(error: Exception, who: str = "") -> str:
    """What code under test raised, as a sentence; who: whose call it was, where that is known."""
    return str(error) if isinstance(error, Fatal) else f"{who} raises {type(error).__name__}: {error}".lstrip()


@dataclass
class Watch:
    """The book of calls of one judgement.

    cells: the names that `slots` number. limit: seconds that one call may take. deaths: of earlier judgements.
    between: called where another question begins. interrupted: whether it is the user who wants an end.
    """

    cells: Sequence[str]
    limit: float
    deaths: Sequence[Death] = ()
    slots: Slots = field(default_factory=lambda: shared(SLOTS))
    between: Callable[[], None] = lambda: None
    interrupted: Callable[[], bool] = lambda: False
    calls: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    cell: str = ""
    told: list[tuple[str, str]] = field(default_factory=list)  # what was fatal in which cell, here and before

    def __post_init__(self) -> None:
        self.process = os.getpid()
        self.places = {cell: place for place, cell in enumerate(self.cells)}
        self.numbers = {d.number: d for d in self.deaths if d.number}
        ends = Counter((d.cell, d.kind) for d in self.deaths)
        self.worn = {pair for pair, n in ends.items() if n >= (POINTS if pair == ("value", "value") else SAME)}
        self.hung = {(d.cell, d.kind) for d in self.deaths if d.hung}
        hangs = Counter(kind for _, kind in self.hung)
        self.spent = {kind for kind, count in hangs.items() if count >= HANGS}
        self.turn(self.cells[0])

    def turn(self, cell: str) -> None:
        """From here on calls are made for this cell."""
        if cell != self.cell:
            self.between()
        self.cell = cell

    @contextmanager
    def aside(self, cell: str) -> Iterator[None]:
        """Some calls for another cell in between."""
        before, self.cell = self.cell, cell
        try:
            yield
        finally:
            self.cell = before

    def enter(self, kind: str) -> float:
        """A call begins: its time. Raises Fatal where it is not made, since such calls were the end before."""
        self.calls += 1
        if self.deaths:
            self._bar(kind)
        self.slots[CELL], self.slots[KIND] = self.places[self.cell], KINDS[kind]
        return begin(self.slots, self.calls, self._patience(kind))

    def _bar(self, kind: str) -> None:
        known = self.numbers.get(self.calls)
        here = [d for d in self.deaths if (d.cell, d.kind) == (self.cell, kind)]
        if known in here or (self.cell, kind) in self.worn:  # where earlier calls went otherwise, numbers mean nothing
            raise self.fatal(kind, (known if known in here else here[-1]).reason)
        if kind in self.spent and (self.cell, kind) not in self.hung:
            cells = ", ".join(sorted({cell for cell, of in self.hung if of == kind}))
            raise Unasked(f"it is not asked: {WHO[kind]} did not come back in {cells}")
        if len(self.deaths) >= MOST or (self.cell, "") in self.worn:
            raise Unasked(f"it is not asked: the process died {len(self.deaths)} times, last: {self.deaths[-1]}")

    def _patience(self, kind: str) -> float:
        again = bool(self.hung) and (self.cell, kind) in self.hung
        return min(self.limit, max(SOON, OFTEN * self.slowest)) if again else self.limit

    def leave(self, kind: str, start: float) -> None:
        """The call has come back. Raises Lost where it took longer than it may."""
        if os.getpid() != self.process:
            os._exit(0)  # a copy of the process that the code made in the call: one of them is enough to go on
        self.slots[START] = 0.0
        taken = time.monotonic() - start
        self.seconds += taken
        if taken > self.slots[LIMIT]:
            raise Lost(Death(self.cell, kind, self.calls, too_slow(self.limit), hung=True))
        self.slowest = max(self.slowest, taken)

    def fatal(self, kind: str, why: str) -> Fatal:
        """An exception of which the cell is told, whoever catches it."""
        text = f"{WHO[kind]} {why}"
        self.told.append((self.cell, text))
        return Fatal(text)

    def excuse(self) -> None:
        """The last fatal call was made where nothing was promised: its cell is not told of it."""
        self.told.pop()

    def interrupting(self, error: BaseException) -> bool:
        """Whether it is the user's own interruption, and nothing that the code under test raised."""
        return isinstance(error, KeyboardInterrupt) and self.interrupted()

    def caught(self, kind: str, error: BaseException) -> Fatal | None:
        """What code under test raised, where it is more than an exception of its own."""
        if isinstance(error, Lost):
            return None
        text = f"{type(error).__name__}: {error}"
        much = isinstance(error, MemoryError) or any(words in text for words in NO_MEMORY)
        return None if isinstance(error, Exception) and not much else self.fatal(kind, f"raises {text}")
