"""How is a process waited for that answers through a pipe, prints into another, and may never come back?

What it does it notes in memory that both processes see (`Slots`): the call of foreign code under way, and its limit.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import selectors
import signal
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

Slots: TypeAlias = "memoryview[float]"  # that both processes see
READY, START, LIMIT, NUMBER = range(4)  # whether it runs; the call under way: when it began (or 0), limit, number
KEPT = 16_384  # bytes of its output: room for what Python's fault handler says
SHOWN = 160  # characters of a line of it that are shown
TICK = 0.25  # seconds after which the parent looks at the clock
STILL = 60.0  # seconds without any call, after which it stands still: between two calls it takes less than one
FAREWELL = 1.0  # seconds for the fault handler to say where a call hangs
OTHERS = (  # folders of code that is not under test
    sysconfig.get_path("stdlib"), str(Path(__file__).parents[1]),
    *(str(Path(sysconfig.get_path("purelib"), name)) for name in ("numpy", "scipy", "torch", "jax")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class End:
    """How a fork ended without an answer, whether within a call, whether it had to be ended, and its last words."""

    reason: str
    calling: bool
    hung: bool = False
    words: str = ""


@dataclass
class Waiting:
    """A fork, from its parent's side."""

    pid: int
    report: int
    out: int
    slots: Slots
    heard: bytes = b""
    said: bytes = b""
    status: int | None = None

    def waited_for(self) -> Any:
        """What it reports, or its end."""
        number, since = 0.0, time.monotonic()
        with selectors.DefaultSelector() as both:
            for end in (self.report, self.out):
                os.set_blocking(end, False)
                both.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in both.select(min(TICK, self.slots[LIMIT] / 2 or TICK)):
                    if self._read(key.fd) == 0:
                        both.unregister(key.fd)
                if self._complete():
                    return pickle.loads(self.heard[8:])
                if self._dead():
                    self._drain()
                    return pickle.loads(self.heard[8:]) if self._complete() else self._end(self._how())
                start, limit, now = float(self.slots[START]), float(self.slots[LIMIT]), time.monotonic()
                if self.slots[NUMBER] != number:
                    number, since = float(self.slots[NUMBER]), now
                if start and now - start > limit:
                    return self._end(too_slow(limit), hung=True)
                if not start and now - since > max(STILL, limit):
                    return self._end("left the process standing still", hung=True)

    def _read(self, end: int) -> int:
        """Take what is there: so many bytes; 0 where no more will come, -1 where more may."""
        try:
            chunk = os.read(end, 65_536)
        except BlockingIOError:
            return -1
        if end == self.report:
            self.heard += chunk
        else:
            self.said = (self.said + chunk)[-KEPT:]
        return len(chunk)

    def _drain(self) -> None:
        """The rest of what it wrote: another process that it started may hold the pipe open, and go on."""
        for end in (self.report, self.out):
            while self._read(end) > 0:
                pass

    def _complete(self) -> bool:
        return len(self.heard) >= 8 and len(self.heard) - 8 == int.from_bytes(self.heard[:8], "big")

    def _dead(self) -> bool:
        if self.status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # somebody else has waited for it
                pid, status = self.pid, 0
            self.status = status if pid else None
        return self.status is not None

    def _how(self) -> str:
        assert self.status is not None
        code = os.waitstatus_to_exitcode(self.status)
        if code >= 0:
            return f"ended the process (exit code {code})"
        name = signal.Signals(-code).name
        return f"ended the process ({name}{', out of memory?' * (name == 'SIGKILL')})"

    def _end(self, reason: str, hung: bool = False) -> End:
        calling = bool(self.slots[START])
        if hung:
            self._last_words()
        return End(reason, calling, hung, _where(self.said))

    def _last_words(self) -> None:
        """Let the fault handler say where it hangs."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGABRT)
        end = time.monotonic() + FAREWELL
        while not self._dead() and time.monotonic() < end:
            self._read(self.out)
            time.sleep(0.01)
        self._drain()

    def end(self) -> None:
        """Nothing of it stays."""
        for kill in (os.killpg, os.kill):  # it may not have come to its own group yet
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)
        while not self._dead():
            time.sleep(0.001)
        os.close(self.report)
        os.close(self.out)


def too_slow(limit: float) -> str:
    """How a call ended that was not waited for any longer."""
    return f"does not come back: the limit is {limit:g} s"


def last_line(said: bytes) -> str:
    """The last line with something in it, cut."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][-SHOWN:] if lines else ""


def _where(said: bytes) -> str:
    """Where in the code a process ended, as the fault handler says; else the last that it printed."""
    _, fault, after = said.decode(errors="replace").rpartition("Fatal Python error")
    if not fault:
        return last_line(said)
    frames = [line.strip() for line in after.splitlines() if line.startswith("  File ")]
    own = [frame for frame in frames if not any(folder in frame for folder in OTHERS)]
    return (own or frames or [""])[0]
