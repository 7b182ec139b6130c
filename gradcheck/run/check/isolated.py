"""How does code under test crash, hang or leave without taking anything else along?

A judgement is made in a fork of this process (`oracles/isolation/forked.py`). Before each call of the code it notes
which call that is, and for which cell. Where the fork ends without an answer, that call was its end, and the judgement
is made once more, in a new fork, without it (`oracles/isolation/watch.py`): its cell has crashed, all others are
judged. Where there can be no fork, the same is done in this process; then only what raises, or comes back late, is
survived.
"""

from __future__ import annotations

import contextlib
import io
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from gradcheck.errors import UsageError
from gradcheck.oracles.isolation.forked import NoFork, forked, hindrance, shared
from gradcheck.oracles.isolation.waiting import KEPT, NUMBER, End, last_line, too_slow
from gradcheck.oracles.isolation.watch import CELL, KIND, KINDS, MOST, SLOTS, Death, Lost, Watch
from gradcheck.run.check.reaching import reaches

Answer = TypeVar("Answer")
Judge = Callable[[Watch], Answer]  # it notes its calls in the watch, and gives something that can be pickled
ASKED = "it was asked so"
LIBRARIES = ("torch", "jax")


@dataclass
class Ward:
    """How one judgement is kept apart. why: why it is not in a process of its own; "" where it is."""

    cells: Sequence[str]
    limit: float
    why: str = ""
    deaths: list[Death] = field(default_factory=list)
    words: str = ""  # the last line that the code printed

    def notes(self) -> list[str]:
        """What is to be said of the circumstances."""
        alike = dict.fromkeys((str(d), d.output) for d in self.deaths if d.output)
        cells = {of: ", ".join(dict.fromkeys(d.cell for d in self.deaths if (str(d), d.output) == of)) for of in alike}
        told = [f"{cells[of]}: {of[0]}: {of[1]}" for of in alike]
        if any(d.hung for d in self.deaths) and not self.why:
            told.append("it was called in a fork of this process; where it stands still only there: isolate=False")
        if self.why and self.why != ASKED:
            told.append(f"it was not called in a process of its own: {self.why}")
        return told + ([f"the code prints, last: {self.words}"] if self.words else [])


def together(isolate: bool | str, door: str, callables: Sequence[Any] = ()) -> str:
    """Why code of that door is to be judged in this process; "" where it is not. Raises UsageError.

    callables: all that will be called, which may come to use another library than the door's.
    """
    if isolate not in (True, False, "auto"):
        raise UsageError(f"isolate is True, False or 'auto', not {isolate!r}")
    if not isolate:
        return ASKED
    used = [name for name in LIBRARIES if hindrance(name) and (name == door or reaches(callables, name))]
    why = hindrance(used[0] if used else "")
    if why and isolate is True:
        raise UsageError(f"isolate=True cannot be: {why}")
    return why


def kept_apart(judge: Judge[Answer], ward: Ward) -> Answer:
    """What a judgement comes to, made as often as its calls put an end to it. Raises what it raises itself."""
    while True:
        try:
            found = _here(judge, ward) if ward.why else _forked(judge, ward)
        except NoFork as error:
            ward.why = str(error)
            continue
        if not isinstance(found, Death):
            return found
        if len(ward.deaths) > MOST:
            raise RuntimeError(f"the judgement ends without any call of the code: {found.reason}")
        ward.deaths.append(found)


def _forked(judge: Judge[Answer], ward: Ward) -> Answer | Death:
    slots = shared(SLOTS)

    def work() -> Answer | Death:
        try:
            return judge(Watch(ward.cells, ward.limit, ward.deaths, slots))
        except Lost as lost:
            return lost.death

    told = forked(work, slots)
    ward.words = told.words
    if not isinstance(told.answer, End):
        return told.answer
    end, cell = told.answer, ward.cells[int(slots[CELL])]
    kind, number = ([*KINDS][int(slots[KIND])], int(slots[NUMBER])) if end.calling else ("", 0)
    reason = too_slow(ward.limit) if end.hung and end.calling else end.reason  # not how long it was waited for it again
    return Death(cell, kind, number, reason, end.hung, end.words)


def _here(judge: Judge[Answer], ward: Ward) -> Answer | Death:
    """In this process: what the code prints is not shown, and a Ctrl-C is the user's, not the code's."""
    said = _Tail()
    with _sigint() as interrupted, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            return judge(Watch(ward.cells, ward.limit, ward.deaths, interrupted=interrupted))
        except Lost as lost:
            return lost.death
        finally:
            ward.words = last_line(said.kept)


class _Tail(io.TextIOBase):
    """A stream that keeps the end of what is written."""

    kept = b""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.kept = (self.kept + text[-KEPT:].encode(errors="replace"))[-KEPT:]
        return len(text)

    def close(self) -> None:
        """It stays open, whatever the code does."""


@contextlib.contextmanager
def _sigint() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed: a KeyboardInterrupt without that was raised by the code itself."""
    pressed: list[int] = []

    def note(number: int, frame: Any) -> NoReturn:
        pressed.append(number)
        raise KeyboardInterrupt

    mine, handler = threading.current_thread() is threading.main_thread(), signal.getsignal(signal.SIGINT)
    if not mine or handler is not signal.default_int_handler:
        # in another thread, or in the background, nobody presses anything; another handler may raise it at any time
        yield lambda: mine and handler is not signal.SIG_IGN
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
